//! What can be wrong with a checkpoint file.

use std::path::{Path, PathBuf};

/// Why a checkpoint can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The operating system refused.
    #[error("can't {action} the checkpoint: {source}: {path:?}")]
    Io {
        /// What was tried: `open`, `read`, `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file ends before its contents do.
    #[error("the checkpoint is cut short: {why}; download or copy it again: {path:?}")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// What is absent.
        why: String,
    },
    /// The file is something else.
    #[error("this is not a checkpoint: {why}: {path:?}")]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
        /// What it looks like, or what is absent.
        why: String,
    },
    /// The file contradicts itself.
    #[error("the checkpoint is damaged: {why}; download or copy it again: {path:?}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where it contradicts itself.
        why: String,
    },
    /// The pickle names something that weights do not need.
    #[error(
        "the checkpoint asks for `{global}`, which no weights need; nothing of it was run, and the file should not be trusted: {path:?}"
    )]
    ForbiddenGlobal {
        /// The file.
        path: PathBuf,
        /// Module and name, joined by a full stop.
        global: String,
    },
    /// The file is sound as far as can be seen, but uses something that Gesso does not read.
    #[error("the checkpoint can't be read: {why}: {path:?}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is not read.
        why: String,
    },
    /// Some weights are NaN or infinite.
    #[error(
        "the checkpoint holds values that are not finite (NaN or infinite) in {}; no picture can come of it, get another copy: {path:?}",
        list(names)
    )]
    NonFinite {
        /// The file.
        path: PathBuf,
        /// The tensors that hold such values.
        names: Vec<String>,
    },
    /// A tensor was asked for that the file doesn't have.
    #[error("the checkpoint has no tensor {name}: {path:?}")]
    NoSuchTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// Whoever watched the work ended it.
    #[error("canceled")]
    Canceled,
}

impl WeightsError {
    /// A short word for the kind of error, stable for scripts and tests.
    #[must_use]
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Truncated { .. } => "truncated",
            Self::NotACheckpoint { .. } => "not_a_checkpoint",
            Self::Corrupt { .. } => "corrupt",
            Self::ForbiddenGlobal { .. } => "forbidden_global",
            Self::Unsupported { .. } => "unsupported",
            Self::NonFinite { .. } => "non_finite",
            Self::NoSuchTensor { .. } => "missing_key",
            Self::Canceled => "canceled",
        }
    }
}

/// The first few names, and how many more there are.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// An error that doesn't know its file yet.
#[derive(Debug)]
pub(super) enum Fault {
    Io(std::io::Error),
    Truncated(String),
    NotACheckpoint(String),
    Corrupt(String),
    ForbiddenGlobal(String),
    Unsupported(String),
}

impl Fault {
    pub(super) fn at(self, path: &Path) -> WeightsError {
        let path = path.to_path_buf();
        match self {
            Self::Io(source) => WeightsError::Io { action: "read", path, source },
            Self::Truncated(why) => WeightsError::Truncated { path, why },
            Self::NotACheckpoint(why) => WeightsError::NotACheckpoint { path, why },
            Self::Corrupt(why) => WeightsError::Corrupt { path, why },
            Self::ForbiddenGlobal(global) => WeightsError::ForbiddenGlobal { path, global },
            Self::Unsupported(why) => WeightsError::Unsupported { path, why },
        }
    }
}

/// A name from a file, made short and harmless enough to print.
pub(super) fn printable(text: &str) -> String {
    const SHOWN: usize = 120;
    let mut out: String = text
        .chars()
        .take(SHOWN)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}
