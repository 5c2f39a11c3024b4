//! What can go wrong with the models on this machine.

use std::path::{Path, PathBuf};

use crate::models::Role;
use crate::models::glide::RecognizeError;
use crate::weights::WeightsError;

/// Why a model can't be found, brought in, checked or removed.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// A name that can't be a folder's.
    #[error(
        "{id:?} can't be a model's name; use lower-case letters, digits, `-`, `_` and `.`, at most 64, a letter or digit first"
    )]
    InvalidId {
        /// The name.
        id: String,
    },
    /// There is no such model.
    #[error("there is no model {id:?}; there {}", known_models(known))]
    NoSuchFamily {
        /// The name that was asked for.
        id: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The model lacks a network for the work.
    #[error(
        "the model {id:?} has no {role} network; import one with `gesso models import FILE --id {id}`"
    )]
    NoSuchRole {
        /// The model.
        id: String,
        /// The network that is needed.
        role: Role,
    },
    /// The model came with the program.
    #[error(
        "the model {id:?} came with Gesso and can't be {what}; import into another name with --id"
    )]
    Shipped {
        /// The model.
        id: String,
        /// `removed` or `changed`.
        what: &'static str,
    },
    /// A manifest can't be used.
    #[error("the model's manifest can't be used: {why}: {path:?}")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file that the import needs besides checkpoints can't be used.
    #[error("the {what} can't be used: {why}: {path:?}")]
    Companion {
        /// `config` or `tokenizer`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The operating system refused.
    #[error("can't {action}: {source}: {path:?}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A checkpoint can't be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A checkpoint is not one of ours.
    #[error("this can't be used as a checkpoint: {source}: {path:?}")]
    Recognize {
        /// The checkpoint.
        path: PathBuf,
        /// Why.
        source: RecognizeError,
    },
    /// Two files of one import do the same.
    #[error(
        "both files are {role} networks, and a model has one of each; import them under two names: {first:?} {second:?}"
    )]
    SameRole {
        /// What they do.
        role: Role,
        /// The first file.
        first: PathBuf,
        /// The second file.
        second: PathBuf,
    },
    /// An import without files.
    #[error("name at least one checkpoint file to import")]
    NothingToImport,
    /// The system names no folder for the user's data.
    #[error(
        "there is no folder for the user's data on this system; set GESSO_MODELS to a folder for models"
    )]
    NoDataFolder,
    /// Whoever watched the work ended it.
    #[error("canceled; nothing was changed")]
    Canceled,
}

fn known_models(known: &[String]) -> String {
    if known.is_empty() { "are none yet".to_owned() } else { format!("are: {}", known.join(", ")) }
}

impl LibraryError {
    /// A short word for the kind of error, stable for scripts and tests.
    #[must_use]
    pub const fn category(&self) -> &'static str {
        match self {
            Self::InvalidId { .. } => "invalid_id",
            Self::NoSuchFamily { .. } => "no_such_model",
            Self::NoSuchRole { .. } => "no_such_role",
            Self::Shipped { .. } => "shipped",
            Self::Manifest { .. } => "bad_manifest",
            Self::Companion { .. } => "bad_config",
            Self::Io { .. } => "io",
            Self::Weights(error) => error.category(),
            Self::Recognize { source, .. } => source.category(),
            Self::SameRole { .. } => "same_role",
            Self::NothingToImport => "nothing_to_import",
            Self::NoDataFolder => "no_data_folder",
            Self::Canceled => "canceled",
        }
    }

    pub(super) fn io(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}
