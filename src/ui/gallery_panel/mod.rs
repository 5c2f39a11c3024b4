//! The pictures that models made, with their settings, from this session and from the library.
//!
//! `model` describes them, `paint` draws those that are seen.

mod model;
mod paint;

pub use paint::{GalleryState, gallery_ui};
