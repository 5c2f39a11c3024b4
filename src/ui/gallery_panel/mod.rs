//! Every picture of the session with its settings.
//!
//! `model` finds pictures and describes them, `paint` draws those that are seen.

mod model;
mod paint;

pub use paint::{GalleryState, gallery_ui};
