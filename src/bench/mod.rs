//! How fast networks and the canvas run here: seconds, bytes, memory.
//!
//! Speed lives here and not in tests: the figures depend on the machine and on what else it does.
//! `networks` measures evaluations and pictures of GLIDE, [`chat`] answers, [`canvas`] painting, undo and frames, without a
//! window, [`project`] how work is kept, saved, opened and replayed.

pub mod canvas;
pub mod chat;
mod memory;
mod networks;
pub mod project;

pub use networks::{BenchError, BenchRequest, Measurement, run};
