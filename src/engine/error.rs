//! What can go wrong in a job.

use crate::engine::device::DeviceError;
use crate::engine::event::{Failure, FailureKind};
use crate::engine::library::LibraryError;

/// Why a job ended without pictures.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Somebody asked for it. An outcome, not a failure.
    #[error("cancelled")]
    Cancelled,
    /// The request can't be done as it stands.
    #[error("{0}")]
    Input(String),
    /// The device can't be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The model library has a problem.
    #[error(transparent)]
    Library(Box<LibraryError>),
    /// A checkpoint can't be read.
    #[error(transparent)]
    Weights(#[from] crate::weights::WeightsError),
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

    /// The error as plain data for an event.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure { kind: self.kind(), message: self.to_string() }
    }
}

impl From<LibraryError> for EngineError {
    fn from(error: LibraryError) -> Self {
        Self::Library(Box::new(error))
    }
}
