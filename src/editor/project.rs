//! Projects as they come from disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::document::{Attachment, Document, NodeId, StoredNode};
use crate::editor::View;
use crate::geom::Extent;
use crate::raster::RgbaImage;

/// The ending of project files.
pub const PROJECT_ENDING: &str = "ora";

/// Whether a file's name says that it is a project.
#[must_use]
pub fn is_project(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(PROJECT_ENDING))
}

/// A project that was read.
#[derive(Clone, Debug)]
pub struct OpenedProject {
    /// Its file; nothing for work that was never saved.
    pub path: Option<PathBuf>,
    /// All states, oldest first.
    pub nodes: Vec<StoredNode>,
    /// The state that the document is at.
    pub current: NodeId,
    /// The document at that state.
    pub document: Document,
    /// The pictures that were shown with messages, by the states of their turns.
    pub attached: BTreeMap<NodeId, Vec<Attachment>>,
    /// The state that the file holds.
    pub saved: Option<NodeId>,
    /// What the user should know: another program changed the file, something is missing.
    pub remarks: Vec<String>,
}

/// A project that is being opened, as it is seen until all of it was read.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Its file.
    pub path: PathBuf,
    /// It, small.
    pub image: Arc<RgbaImage>,
    /// The size of its canvas.
    pub extent: Extent,
    /// How the picture before was seen, in case that the project can't be read.
    pub(super) view_before: View,
}

/// Work that was left behind when a program ended without asking.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftWork {
    /// Where it is.
    pub folder: PathBuf,
    /// When it was changed last.
    pub time: SystemTime,
    /// How many states it has.
    pub states: usize,
    /// The name of its first state.
    pub first: String,
    /// The name of its last state.
    pub label: String,
    /// The file that it was saved to last.
    pub file: Option<PathBuf>,
    /// Bytes on the disk.
    pub bytes: u64,
    /// A small picture of it.
    pub thumbnail: Option<Arc<RgbaImage>>,
}
