//! Image files in and out, with the request inside; atomic writing.
//!
//! [`image_file`] reads and writes pictures and masks, [`export`] writes pictures in other formats,
//! [`preferences_file`] keeps the user's choices, [`png_text`] turns a request into the text
//! chunks that other tools read and back, [`atomic`] writes whole files or nothing, [`disk`] has the
//! steps that can fail. No network, no weights, no dialogs.

pub mod atomic;
mod color_profile;
pub mod disk;
mod error;
pub mod export;
pub mod image_file;
pub mod png_text;
pub mod preferences_file;

pub use atomic::write_atomically;
pub use color_profile::ProfileUse;
pub use error::StorageError;
pub use export::{ExportFormat, ExportOptions, export_image};
pub use image_file::{
    AlphaChannel, Colors, ImageFile, MAX_SIDE_PX, PngOptions, png_bytes, read_image,
    read_image_bytes, read_image_file, read_image_file_as, read_mask, read_png_text, write_png,
};
pub use preferences_file::{
    LoadedPreferences, config_folder, data_folder, load_preferences, save_preferences,
};
