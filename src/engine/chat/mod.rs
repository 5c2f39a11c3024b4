//! Answering a message: what the model is shown, what it writes and draws, and what of its picture
//! is kept.
//!
//! The network draws every picture anew, at its own size. What it changed is found by comparing
//! its picture with its own view of the old one ([`crate::raster::changed_part`]); only there the
//! answer's picture takes the old one's place. [`Talks`] keeps what was said, so that going on, or
//! going back and taking another way, reads nothing twice.

mod context;
mod job;

pub(crate) use context::Talks;
pub(crate) use job::chat;
