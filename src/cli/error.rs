//! Why a command ended early, and with which exit code.

use crate::app::StartError;
use crate::app::picture_text::PictureTextError;
use crate::engine::error::EngineError;
use crate::engine::event::{Failure, FailureKind};
use crate::engine::library::LibraryError;
use crate::eval::EvalError;
use crate::project::ProjectError;
use crate::storage::StorageError;

/// A message of one sentence and the exit code that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CliError {
    /// Something in the arguments or in a file that they name.
    #[error("{0}")]
    Input(String),
    /// The work itself failed.
    #[error("{0}")]
    Failure(String),
    /// Something failed, and was said already.
    #[error("some jobs failed")]
    Reported,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl CliError {
    /// The exit code: 2 for input, 1 for failures, 130 after Ctrl-C.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Failure(_) | Self::Reported => 1,
            Self::Interrupted => 130,
        }
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        match failure.kind {
            FailureKind::Input => Self::Input(failure.message),
            FailureKind::Failure => Self::Failure(failure.message),
        }
    }
}

impl From<PictureTextError> for CliError {
    fn from(error: PictureTextError) -> Self {
        match error {
            PictureTextError::Read(_) => Self::Input(error.to_string()),
            PictureTextError::Write(_) => Self::Failure(error.to_string()),
        }
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        Self::Failure(error.to_string())
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Cancelled => Self::Interrupted,
            other => other.failure().into(),
        }
    }
}

impl From<EvalError> for CliError {
    fn from(error: EvalError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<LibraryError> for CliError {
    fn from(error: LibraryError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<StorageError> for CliError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Write { .. } => Self::Failure(error.to_string()),
            other => Self::Input(other.to_string()),
        }
    }
}

impl From<ProjectError> for CliError {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Storage(error) => error.into(),
            ProjectError::Stopped => Self::Interrupted,
            ProjectError::Io { .. } => Self::Failure(error.to_string()),
            other => Self::Input(other.to_string()),
        }
    }
}
