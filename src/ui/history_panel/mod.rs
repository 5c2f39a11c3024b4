//! Every state that the picture was in, as a tree that can be walked.
//!
//! `model` lays out the rows and their lines, `paint` draws those that are seen.

mod model;
mod paint;

pub(crate) use model::ago;
pub use model::{Filter, bytes_label};
pub use paint::{HistoryState, history_ui};
