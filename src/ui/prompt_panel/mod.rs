//! What to draw and how: the prompt, the button that starts, the settings.
//!
//! `model` says what can be done and why not, `paint` draws, `settings` draws what is only
//! seen on demand.

mod model;
mod paint;
mod settings;

pub use model::{hindrance, sampler_label};
pub use paint::{PromptState, prompt_ui};
pub(crate) use paint::{chip_ui, text_area_ui};
