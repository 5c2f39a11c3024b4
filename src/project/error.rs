//! What can go wrong with projects and journals.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::document::NodeId;
use crate::project::ContentHash;

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
         up to {}); update Gesso to open it", super::FORMAT
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
    /// There is no state at all.
    #[error("the history has no state")]
    Empty,
}

impl ProjectError {
    /// For `map_err`: what was tried with which file.
    pub(super) fn io(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, source, path }
    }
}
