//! The window's contents: one file per panel or dialog.
//!
//! Everything here is a function of the [`Editor`](crate::editor::Editor) that pushes
//! [`Command`](crate::editor::Command)s; nothing changes the editor or the document. A function that
//! draws takes a `ui` and ends in `_ui`; what only the widget itself has to remember is its
//! `…State`. Looks come from [`theme`], parts that several panels share from [`widgets`].

pub mod canvas;
pub mod chat_panel;
pub mod compare_bar;
pub mod dialogs;
pub mod dock;
mod dragging;
pub mod gallery_panel;
pub mod history_panel;
pub mod layers_panel;
pub mod menu_bar;
pub mod notices;
pub mod palette;
mod panel_parts;
#[cfg(test)]
mod panel_tests;
pub mod prompt_panel;
pub mod queue_panel;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
pub(crate) mod script;
pub mod shortcut_input;
pub mod shortcuts;
pub mod staging_strip;
pub mod status_bar;
#[cfg(test)]
mod testing;
pub mod theme;
pub mod thumbnails;
pub mod tool_bar;
pub mod tool_options;
pub mod widgets;
mod window;

pub use window::{WindowState, window_ui};
