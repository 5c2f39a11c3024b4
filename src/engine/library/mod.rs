//! The models on this machine: which there are, what each can do, and how new ones come in.
//!
//! A *family* is a folder with a `manifest.json` and up to one checkpoint for each
//! [`Role`](crate::models::Role). Families that come with the program are read only; the
//! user's own stand in a folder of theirs. Nothing here builds a network or starts a job.
//!
//! Start reading at [`ModelLibrary`].

mod error;
mod import;
mod manifest;
mod paths;
mod store;
mod tiny;

pub use error::LibraryError;
pub use import::{ImportProgress, ImportRequest, Imported, ImportedCheckpoint};
pub use manifest::{
    Card, ChatSuggested, CheckpointEntry, DataSource, FileEntry, MANIFEST_FILE, Manifest,
    SamplerName, StageSettings, Suggested,
};
pub use paths::LibraryPaths;
pub use store::{ModelFamily, ModelLibrary, Tokens, Verdict, VerifyResult, seal};
pub use tiny::{TinyFamily, TinyStorage};
