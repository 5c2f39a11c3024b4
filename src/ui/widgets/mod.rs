//! Widgets that several panels and dialogs share. Each has an accessible label.
//!
//! Texts come in translated, except for actions, whose texts stand in their own table.

mod badge;
mod button;
mod color_button;
mod color_picker;
mod empty_state;
mod labeled_slider;
mod number_field;
mod row;
mod section;
mod segmented;
mod shortcut_text;

pub use badge::{Tone, badge};
pub use button::{
    ActionStyle, ButtonState, action_button, action_tooltip, danger_button, icon_button,
    icon_button_sized, primary_button, with_action_tooltip,
};
pub use color_button::color_button;
pub use empty_state::empty_state;
pub use labeled_slider::{LabeledSlider, labeled_slider};
pub use number_field::number_field;
pub use row::{row, row_of_width};
pub use section::section;
pub use segmented::{Segment, segmented};
pub use shortcut_text::{key_text, shortcut_of, shortcut_text};
