//! What can go wrong in a job.

use crate::engine::device::DeviceError;
use crate::engine::event::{Failure, FailureCause, FailureKind};
use crate::engine::library::LibraryError;
use crate::weights::WeightsError;

/// Why a job ended without pictures.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Somebody asked for it. An outcome, not a failure.
    #[error("cancelled")]
    Cancelled,
    /// The request can't be done as it stands.
    #[error("{0}")]
    Input(String),
    /// The mask leaves nothing to repaint.
    #[error(
        "the mask is empty, there is nothing to repaint; paint white where the picture should change"
    )]
    EmptyMask,
    /// The picture has more pixels than can be worked on.
    #[error("{0}")]
    TooLarge(String),
    /// A file of the model is not where it should be.
    #[error(
        "the model {id:?} lacks its file, bring it in again with `gesso models import`: {path:?}"
    )]
    MissingFile {
        /// The model.
        id: String,
        /// The file.
        path: std::path::PathBuf,
    },
    /// The device can't be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The model library has a problem.
    #[error(transparent)]
    Library(Box<LibraryError>),
    /// A checkpoint can't be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The prompt can't be read.
    #[error(transparent)]
    Text(#[from] crate::text::TextError),
    /// The schedule or sampler refused its settings.
    #[error(transparent)]
    Diffusion(#[from] crate::diffusion::DiffusionError),
    /// Pixels don't fit together.
    #[error(transparent)]
    Raster(#[from] crate::raster::RasterError),
    /// A computation failed.
    #[error("the computation failed: {0}")]
    Compute(#[from] candle_core::Error),
    /// A network gave infinities.
    #[error(
        "the network gave values that are not numbers; try --precision fp32, or verify the model with `gesso models verify`"
    )]
    NotFinite,
    /// A job hit a bug.
    #[error("this is a bug in gesso, the job was given up: {0}")]
    Panic(String),
    /// The worker thread is gone.
    #[error("the engine has stopped; start the program again")]
    Stopped,
    /// The worker thread can't be started.
    #[error("the engine's thread can't be started: {0}")]
    Thread(#[from] std::io::Error),
    /// More jobs were sent than the engine takes at once.
    #[error("too many jobs were sent at once; wait until some have begun")]
    QueueFull,
}

impl EngineError {
    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            // A file that can't be written is the machine's fault, a model that isn't there ours.
            Self::Library(error) if matches!(**error, LibraryError::Io { .. }) => {
                FailureKind::Failure
            }
            Self::Input(_)
            | Self::EmptyMask
            | Self::TooLarge(_)
            | Self::MissingFile { .. }
            | Self::Library(_)
            | Self::Weights(_)
            | Self::Text(_)
            | Self::Diffusion(_) => FailureKind::Input,
            Self::Device(error) => match error {
                DeviceError::NotBuilt { .. } | DeviceError::Precision { .. } => FailureKind::Input,
                DeviceError::Unusable { .. } => FailureKind::Failure,
            },
            _ => FailureKind::Failure,
        }
    }

    /// What went wrong, as far as somebody can do something about it.
    #[must_use]
    pub fn cause(&self) -> FailureCause {
        match self {
            Self::EmptyMask => FailureCause::EmptyMask,
            Self::TooLarge(_) => FailureCause::TooLarge,
            Self::MissingFile { .. } => FailureCause::MissingFile,
            Self::Weights(error) => cause_of_weights(error),
            Self::Library(error) => match &**error {
                LibraryError::NoSuchFamily { .. } => FailureCause::NoModel,
                LibraryError::NoSuchRole { .. } => FailureCause::WrongModel,
                LibraryError::Weights(error) => cause_of_weights(error),
                LibraryError::Manifest { .. }
                | LibraryError::Companion { .. }
                | LibraryError::Recognize { .. } => FailureCause::DamagedFile,
                _ => FailureCause::Other,
            },
            Self::Device(DeviceError::NotBuilt { .. } | DeviceError::Unusable { .. }) => {
                FailureCause::NoDevice
            }
            Self::Compute(error) if is_out_of_memory(&error.to_string()) => {
                FailureCause::OutOfMemory
            }
            Self::NotFinite => FailureCause::NotFinite,
            Self::Stopped => FailureCause::Stopped,
            _ => FailureCause::Other,
        }
    }

    /// The error as plain data for an event.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure { kind: self.kind(), cause: self.cause(), message: self.to_string() }
    }
}

impl From<LibraryError> for EngineError {
    fn from(error: LibraryError) -> Self {
        Self::Library(Box::new(error))
    }
}

fn cause_of_weights(error: &WeightsError) -> FailureCause {
    match error {
        WeightsError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            FailureCause::MissingFile
        }
        WeightsError::Io { .. } | WeightsError::Canceled => FailureCause::Other,
        _ => FailureCause::DamagedFile,
    }
}

/// Whether a device said that its memory is full; the drivers have no error of their own for it
/// that would come through, only words: `CUDA_ERROR_OUT_OF_MEMORY`, `out of memory`.
fn is_out_of_memory(text: &str) -> bool {
    text.to_ascii_lowercase().replace('_', " ").contains("out of memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_found_below_other_errors() {
        let path = std::path::PathBuf::from("base.safetensors");
        let gone = WeightsError::Io {
            action: "open",
            path: path.clone(),
            source: std::io::Error::from(std::io::ErrorKind::NotFound),
        };
        let cut = WeightsError::Truncated { path, why: "no header".to_owned() };
        let full = candle_core::Error::Msg("DriverError(CUDA_ERROR_OUT_OF_MEMORY)".to_owned());
        let odd = candle_core::Error::Msg("shape mismatch".to_owned());
        for (error, expected) in [
            (LibraryError::Weights(gone).into(), FailureCause::MissingFile),
            (EngineError::Weights(cut), FailureCause::DamagedFile),
            (EngineError::Compute(full), FailureCause::OutOfMemory),
            (EngineError::Compute(odd), FailureCause::Other),
            (LibraryError::NothingToImport.into(), FailureCause::Other),
        ] {
            assert_eq!(error.failure().cause, expected, "{error}");
        }
    }
}
