//! The layers: what each looks like, which is worked on, how they mix.
//!
//! `model` says in which order rows stand and where a dropped one lands, `paint` draws.

mod model;
mod paint;

pub use model::blend_mode_label;
pub use paint::{LayersState, layers_ui};
