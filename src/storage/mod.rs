//! Image files in and out, with the request inside; atomic writing.
//!
//! [`image_file`] reads and writes pictures and masks, [`png_text`] turns a request into the text
//! chunks that other tools read and back, [`atomic`] writes whole files or nothing. No network,
//! no weights, no dialogs.

pub mod atomic;
mod error;
pub mod image_file;
pub mod png_text;

pub use atomic::write_atomically;
pub use error::StorageError;
pub use image_file::{
    AlphaChannel, ImageFile, MAX_SIDE_PX, PngOptions, read_image, read_image_file, read_mask,
    read_png_text, write_png,
};
