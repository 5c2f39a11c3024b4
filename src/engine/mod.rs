//! Jobs: from request to pixels, on one worker thread.
//!
//! A client builds a [`request::Request`], gives it to [`handle::Engine::submit`] and polls
//! [`event::JobEvent`]s. The worker runs one job at a time; the work of each kind is one straight
//! function in `generate.rs`, `inpaint.rs`, `upscale.rs` and `chat/`. Nothing here reads or writes pictures'
//! files, prints, or knows a window.

pub mod catalog;
mod chat;
pub mod check;
mod clip_guidance;
mod denoisers;
pub mod device;
pub mod draft;
pub mod error;
pub mod event;
pub mod family;
mod generate;
pub mod handle;
mod inpaint;
mod jobs;
pub mod library;
mod loaded_models;
mod pair;
pub mod report;
pub mod request;
mod sampling;
mod tensor_image;
#[cfg(test)]
mod testing;
pub mod threads;
pub mod transfusion;
mod upscale;
mod worker;
