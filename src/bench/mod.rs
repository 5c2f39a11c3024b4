//! How fast networks and the canvas run here: seconds, bytes, memory.
//!
//! Speed lives here and not in tests: the figures depend on the machine and on what else it does.
//! `networks` measures evaluations and pictures, [`canvas`] painting, undo and frames, without a
//! window, [`project`] how work is kept, saved, opened and replayed.

pub mod canvas;
mod networks;
pub mod project;

pub use networks::{BenchError, BenchRequest, Measurement, run};
