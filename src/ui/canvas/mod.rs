//! The canvas in the middle of the window: the picture, the pointer, and what is drawn over it.
//!
//! [`canvas_ui`] turns egui's events into [`Command`](crate::editor::Command)s and draws. Pointer
//! events go to the editor in the order in which they came; what they mean is up to
//! [`crate::tools`]. Moving around works like this:
//!
//! - A mouse wheel zooms at the pointer, with Shift it moves the view sideways, with Alt up and down.
//! - Two fingers on a trackpad move the view; a pinch, or Ctrl with any wheel, zooms at the pointer.
//! - The middle button, or the main one while the space bar is held, drags the view.
//! - Two fingers on a touch screen move and zoom it.
//! - While two states are compared, the main button drags the view too, and the line between them.
//!
//! `input` says what events mean, `layout` where things lie on the screen, `overlay`, `cursor` and
//! `compare` what is drawn; `picture` hands the document to the graphics card.

mod compare;
mod cursor;
mod hint;
mod input;
mod layout;
mod menu;
mod overlay;
mod paint;
mod picture;
#[cfg(test)]
mod pictures;
mod wheel;
mod widget;

pub use widget::{CanvasState, canvas_ui};
