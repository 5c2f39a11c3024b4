//! What can be wrong with the data of an evaluation.

use std::path::PathBuf;

use crate::storage::StorageError;

/// Why an evaluation can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A file can't be read.
    #[error("{what} can't be read: {source}: {path:?}")]
    Read {
        /// What the file is.
        what: &'static str,
        /// Why not.
        source: std::io::Error,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file can't be understood.
    #[error("{what} can't be understood: {why}: {path:?}")]
    Parse {
        /// What the file is.
        what: &'static str,
        /// Why not, with the line where there are several.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// A picture of the data can't be read.
    #[error(transparent)]
    Picture(#[from] StorageError),
    /// Nothing is left to evaluate with.
    #[error("{0}")]
    Empty(String),
}
