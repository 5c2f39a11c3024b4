//! The models' work: what runs, what waits, what is over.
//!
//! `model` sorts the jobs and finds words for them, `paint` draws.

mod model;
mod paint;

pub use model::{QueueRows, end_label, kind_label, moved_to, prompt_line, stage_label, time_left};
pub use paint::{QueueState, queue_ui};
