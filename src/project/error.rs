//! Why a project can't be read or written.

use std::path::PathBuf;

use crate::storage::StorageError;

/// Why a project can't be read or written. Every message says what can be done, or what is wrong.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The system refused to open or read the file.
    #[error("can't read the project: {source}: {path:?}")]
    Read {
        /// What the system says.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// The file is no archive at all.
    #[error("not a project: OpenRaster files (.ora) can be opened: {path:?}")]
    NotAnArchive {
        /// The file.
        path: PathBuf,
    },
    /// An archive of another program or for another purpose.
    #[error("not an OpenRaster file: {found}: {path:?}")]
    OtherType {
        /// What it says that it is.
        found: String,
        /// The file.
        path: PathBuf,
    },
    /// The archive contradicts itself or ends too soon.
    #[error(
        "the project is damaged or cut off: {reason}; copy it again or open a backup: {path:?}"
    )]
    Damaged {
        /// What is wrong.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// Something that no program for pictures writes, or more than can be worked on.
    #[error("the project isn't opened: {reason}: {path:?}")]
    Refused {
        /// What is wrong.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// One entry of the archive can't be read.
    #[error("can't read {name:?} in the project: {reason}: {path:?}")]
    Entry {
        /// The entry's name in the archive.
        name: String,
        /// What is wrong.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// Neither a layer nor the merged picture can be read.
    #[error("no picture in the project can be read: {reason}: {path:?}")]
    NothingLeft {
        /// What is wrong with the first of them.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// An entry to be written has a name that can't be used.
    #[error("can't write the project: an entry can't be called {name:?}: {reason}")]
    EntryName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An entry was to be kept from a file that doesn't have it.
    #[error("can't write the project: the file saved before has no {name:?}")]
    NotKept {
        /// The entry's name there.
        name: String,
    },
    /// The file can't be written, or a picture in it can't be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
