//! What can go wrong with projects and journals.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::document::NodeId;
use crate::project::ContentHash;
use crate::storage::StorageError;

/// Why a project or a journal can't be read or written.
#[derive(Debug, Error)]
pub enum ProjectError {
    /// The system failed.
    #[error("can't {doing}: {source}: {path:?}")]
    Io {
        /// What was tried: "read the journal".
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
        /// Which file.
        path: PathBuf,
    },
    /// The system refused to open or read the file.
    #[error("can't read the project: {source}: {path:?}")]
    Read {
        /// What the system says.
        source: io::Error,
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
    /// A picture can't be written as PNG.
    #[error("can't write a picture: {0}")]
    Encode(String),
    /// A tile or thumbnail is damaged.
    #[error("a part of the picture is damaged: {why} (tile {content})")]
    Tile {
        /// Its name.
        content: ContentHash,
        /// What is wrong.
        why: Cow<'static, str>,
    },
    /// A tile is not there.
    #[error("a part of the picture is missing (tile {0})")]
    MissingTile(ContentHash),
    /// A record is no record.
    #[error("line {line} of the history is damaged: {why}")]
    Record {
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The records of a newer program.
    #[error(
        "the project was written by a newer version ({writer}, format {format}, this program reads \
         up to {}); update Gesso to open it",
        super::FORMAT
    )]
    Newer {
        /// The version of the records.
        format: u32,
        /// Who wrote them.
        writer: String,
    },
    /// There is no such state.
    #[error("there is no state {}", .0.0)]
    NoNode(NodeId),
    /// There is nowhere to write to.
    #[error("the system has no folder for a program's data; set GESSO_DATA to one")]
    NoFolder,
    /// Whoever asked does not want to know any more.
    #[error("stopped")]
    Stopped,
    /// There is no state at all.
    #[error("the history has no state")]
    Empty,
}

impl ProjectError {
    /// For `map_err`: what was tried with which file.
    pub(super) fn io(
        doing: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, source, path }
    }
}
