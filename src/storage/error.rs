//! Why a file can't be read or written.

use std::path::PathBuf;

use crate::geom::Extent;

/// Why a file can't be read or written. Every message says what can be done.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The system refused to open or read the file.
    #[error("can't read the file: {source}: {path:?}")]
    Read {
        /// What the system says.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// The file has no bytes.
    #[error("the file is empty; it may not have been downloaded or saved completely: {path:?}")]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// The file's first bytes belong to no format that is read here.
    #[error(
        "not a picture that can be read here; save it as PNG, JPEG, WebP, TIFF, BMP or GIF: {path:?}"
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The file ends before the picture does.
    #[error("the {format} picture is cut off; copy or download the file again: {path:?}")]
    Truncated {
        /// The file's format.
        format: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The file's content contradicts itself.
    #[error("the {format} picture is damaged: {reason}; save or download it again: {path:?}")]
    Damaged {
        /// The file's format.
        format: &'static str,
        /// What the decoder says.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// The file is sound but of a kind that isn't read.
    #[error("this kind of {format} picture can't be read: {reason}: {path:?}")]
    Unsupported {
        /// The file's format.
        format: &'static str,
        /// What is unusual about it, and what to do.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// The file's format holds no text chunks.
    #[error("a {format} picture carries no settings; take the PNG that was made first: {path:?}")]
    NoText {
        /// The file's format.
        format: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The file's name names no format that is written.
    #[error(
        "can't tell the format from the extension {extension:?}; end the name with .png, .jpg, .webp, .tif or .bmp: {path:?}"
    )]
    UnknownExtension {
        /// The extension in lower case; empty where there is none.
        extension: String,
        /// The file.
        path: PathBuf,
    },
    /// The picture has more pixels than can be worked on.
    #[error(
        "the picture is too large: {found}, at most {limit_px} pixels a side can be edited; scale it down first: {path:?}"
    )]
    TooLarge {
        /// The picture's size.
        found: Extent,
        /// The greatest side.
        limit_px: u32,
        /// The file.
        path: PathBuf,
    },
    /// The picture has no pixels.
    #[error("the picture has no pixels ({found}): {path:?}")]
    NoPixels {
        /// The picture's size.
        found: Extent,
        /// The file.
        path: PathBuf,
    },
    /// The mask doesn't fit the picture.
    #[error(
        "the mask is {found} but the picture is {expected}; save the mask at the picture's size: {path:?}"
    )]
    MaskSize {
        /// The picture's size.
        expected: Extent,
        /// The mask's size.
        found: Extent,
        /// The mask's file.
        path: PathBuf,
    },
    /// The system refused to write the file; nothing was left behind.
    #[error("can't write the file: {source}; nothing was changed: {path:?}")]
    Write {
        /// What the system says.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// A text chunk's keyword isn't allowed in PNG files.
    #[error("a PNG keyword must have 1 to 79 Latin letters, found {keyword:?}")]
    Keyword {
        /// The keyword.
        keyword: String,
    },
}
