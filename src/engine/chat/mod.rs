//! Answering a message: what the model is shown, what it writes and draws, and what of its picture
//! is kept.
//!
//! The network draws every picture anew, at its own size. What it changed is found by comparing
//! its picture with its own view of the old one ([`crate::raster::changed_part`]); only there the
//! answer's picture takes the old one's place. [`Talks`] keeps what was said, so that going on, or
//! going back and taking another way, reads no turn twice. A turn is read as everybody can see it,
//! in its words and pixels and not in the tokens and latents that it was made of: so an answer is
//! the same whether or not what came before is remembered, and a project replays to it.

mod context;
mod job;

pub(crate) use context::Talks;
pub(crate) use job::chat;
