//! Why the library can't do something.

use std::path::PathBuf;

use crate::library::PictureId;
use crate::storage::StorageError;

/// Why the library can't do something. Every message says what can be done.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The folder can't be made.
    #[error("the folder of the picture library can't be made: {source}: {path:?}")]
    Folder {
        /// What the system says.
        source: std::io::Error,
        /// The folder.
        path: PathBuf,
    },
    /// A newer version of the program has changed the library's form.
    #[error(
        "the picture library was written by a newer Gesso (its form is {found}, this one knows {known}); it was left as it is, update Gesso to use it: {path:?}"
    )]
    Newer {
        /// The form that was found.
        found: i64,
        /// The newest form that is known here.
        known: i64,
        /// The database.
        path: PathBuf,
    },
    /// There is no room on the disk.
    #[error("the disk is full, free some space for the picture library: {path:?}")]
    DiskFull {
        /// The database.
        path: PathBuf,
    },
    /// The system does not let us write.
    #[error("the picture library can't be written to, see to the folder's permissions: {path:?}")]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// Another program writes for a long time.
    #[error("another program is using the picture library, try again: {path:?}")]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// The database's content contradicts itself.
    #[error("the database of the picture library is damaged: {reason}: {path:?}")]
    Damaged {
        /// What `SQLite` says.
        reason: String,
        /// The database.
        path: PathBuf,
    },
    /// Anything else that `SQLite` says.
    #[error("the database of the picture library can't be used: {source}: {path:?}")]
    Database {
        /// What it says.
        source: rusqlite::Error,
        /// The database.
        path: PathBuf,
    },
    /// A picture's file can't be read or written.
    #[error(transparent)]
    File(#[from] StorageError),
    /// A request can't be written down, which would be a bug.
    #[error("the request can't be written down: {0}")]
    Record(#[from] serde_json::Error),
    /// The picture is gone: another program may have deleted it.
    #[error("the picture is not in the library any more: {0:?}")]
    Missing(PictureId),
    /// There is no library that would have what is asked for.
    #[error("there is no picture library; it is made when the first picture is kept")]
    NoLibrary,
    /// The system has no folder for one.
    #[error("the system has no folder for a picture library; name one with GESSO_DATA")]
    NoFolder,
    /// A tag without letters.
    #[error("a tag needs at least one letter")]
    EmptyTag,
}

impl LibraryError {
    /// Whether the database has to be built again.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}
