//! The whole window, driven by accessible labels, pointer and keys; drawn in software.
//!
//! The engine is the real one with a very small made-up model, so that a job takes a moment.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod chat;
mod drag;
mod flows;
mod panels;
mod projects;
mod snapshots;
mod window;
