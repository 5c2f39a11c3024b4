//! The dialogs: one file each. [`dialogs_ui`] shows the one that is open.
//!
//! Each closes with Escape, is confirmed with Enter, and starts with its first field in focus. What
//! is typed is kept in the dialog's own form; the editor hears of it when the user confirms.

mod about;
mod canvas_size;
mod extend;
mod frame;
mod host;
mod left_work;
mod library;
mod names;
mod new_picture;
mod resize_image;
mod settings;
mod unsaved_changes;
mod welcome;

pub use frame::{DialogFrame, FirstField, Footer};
pub use host::{DialogsState, dialogs_ui};
pub use settings::device_text;
