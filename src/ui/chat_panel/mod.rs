//! The conversation with a model about the picture.
//!
//! `model` says what is shown of the turns and why nothing can be said, `paint` draws the turns,
//! `composer` the field for the next message.

mod composer;
mod model;
mod paint;
#[cfg(test)]
mod tests;

pub use paint::{ChatState, chat_ui};
