//! The lines that a tree is written as.
//!
//! A record says what happened: a state was made, a state got another name. Records are only ever
//! added. In a journal and in a project file they stand one a line, as JSON. What a reader does not
//! know of a record of its own format version is an error: half a tree is worse than a message.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::document::{Edit, LayerId, NodeId, OperationKind};
use crate::geom::{CanvasRect, Extent};
use crate::project::ContentHash;
use crate::raster::BlendMode;

/// The version of the records that this program writes, and the newest that it reads.
///
/// Version 2 has [`EditRecord::Attach`]; a reader of version 1 would leave out the states that have
/// it and all that build on them. All that version 1 has is in version 2 as it was.
pub const FORMAT: u32 = 2;

/// Names a grid of tiles within its project; greater than that of the grid it is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GridId(pub u64);

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// What project this is; the first record, and only that.
    Project(ProjectRecord),
    /// A grid of tiles.
    Grid(GridRecord),
    /// A state. Its grids and its parent come before it.
    Node(Box<NodeRecord>),
    /// A state got another name.
    Rename {
        /// Which one.
        node: NodeId,
        /// The name.
        label: String,
    },
    /// A state is to be kept ready, or no longer.
    Pin {
        /// Which one.
        node: NodeId,
        /// Whether it is pinned.
        pinned: bool,
    },
    /// The document went to a state that was there before.
    GoTo {
        /// Which one.
        node: NodeId,
    },
    /// A small picture of a state.
    Thumbnail {
        /// Of which one.
        node: NodeId,
        /// The picture.
        picture: ContentHash,
    },
    /// A state was saved to a file.
    Saved {
        /// Which one.
        node: NodeId,
        /// Where.
        path: std::path::PathBuf,
    },
}

/// What project it is, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectRecord {
    /// The version of the records.
    pub format: u32,
    /// The project's name, given when it was started and never changed: 32 hexadecimal digits.
    pub id: String,
    /// The program and its version, for people.
    pub writer: String,
}

impl ProjectRecord {
    /// A new project of this program, with a name that no other has.
    #[must_use]
    pub fn new() -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        // Every state of this type is seeded anew by the system.
        let seed = RandomState::new().hash_one(std::process::id());
        let parts: [&[u8]; 2] = [&time.to_le_bytes(), &seed.to_le_bytes()];
        let id = ContentHash::of("project", &parts).to_string();
        Self {
            format: FORMAT,
            id: id.chars().take(32).collect(),
            writer: format!("Gesso {}", env!("CARGO_PKG_VERSION")),
        }
    }
}

impl Default for ProjectRecord {
    fn default() -> Self {
        Self::new()
    }
}

/// A grid of tiles: another grid with changes, or all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridRecord {
    /// Its name.
    pub id: GridId,
    /// The grid that it changes; without one, an empty one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<GridId>,
    /// The tiles that differ.
    pub tiles: Vec<TileRecord>,
}

/// Row and column of a tile, and its pixels; without them it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TileRecord(pub i32, pub i32, pub Option<ContentHash>);

/// A state of the document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name within the project.
    pub id: NodeId,
    /// The state before; a smaller number. Nothing for the first state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<NodeId>,
    /// Its name for people.
    pub label: String,
    /// When it was made, in milliseconds since 1970.
    pub time_ms: u64,
    /// The changes that made it out of its parent, in order; nothing for a first state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<EditRecord>,
    /// The document.
    pub document: DocumentRecord,
    /// The hash of the document.
    pub content: ContentHash,
}

/// A document without its pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentRecord {
    /// Columns and rows of the canvas.
    pub extent: Extent,
    /// From the lowest to the topmost.
    pub layers: Vec<LayerRecord>,
    /// The layer in hand.
    pub active: LayerId,
    /// What is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<GridId>,
    /// Selections kept for later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saved_selections: Vec<SavedSelectionRecord>,
    /// The number that the next layer gets.
    pub next_layer: u64,
}

/// A layer without its pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// Its name within the document.
    pub id: LayerId,
    /// Its name for people.
    pub name: String,
    /// Its pixels; without them it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<GridId>,
    /// Its mask, where it has one; a mask without a grid hides all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<MaskRecord>,
    /// 0 to 1.
    pub opacity: f32,
    /// Whether it is shown.
    pub visible: bool,
    /// Whether its pixels are protected.
    pub locked: bool,
    /// How it mixes with what lies below.
    pub blend_mode: BlendMode,
    /// The request that made its pixels, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

/// A layer's mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskRecord {
    /// What is shown; without a grid, nothing is.
    pub cover: Option<GridId>,
}

/// A selection kept for later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedSelectionRecord {
    /// Its name.
    pub name: String,
    /// What was selected.
    pub cover: Option<GridId>,
}

/// A change of a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditRecord {
    /// A picture was laid down.
    Place(Box<PlaceRecord>),
    /// Another document took the place of the former one.
    Replace(Box<DocumentRecord>),
    /// A picture was shown with the message of the state's turn.
    Attach(AttachRecord),
    /// Any other change.
    Do(Edit),
}

impl EditRecord {
    /// What kind of work the edit is.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::Place(place) => match &place.record {
                Some(record) => OperationKind::of_record(record),
                None => OperationKind::Layer,
            },
            Self::Replace(_) => OperationKind::Opened,
            Self::Attach(_) => OperationKind::Chat,
            Self::Do(edit) => edit.kind(),
        }
    }

    /// Whether the edit says what kind of step it belongs to, as [`Edit`]s do.
    const fn is_work(&self) -> bool {
        match self {
            Self::Attach(_) => false,
            Self::Do(edit) => edit.is_work(),
            Self::Place(_) | Self::Replace(_) => true,
        }
    }
}

impl NodeRecord {
    /// The request of the first picture in it that a model made, or of what it said, as JSON.
    #[must_use]
    pub fn model_record(&self) -> Option<&str> {
        self.edits.iter().find_map(|edit| match edit {
            EditRecord::Place(place) => place.record.as_deref(),
            EditRecord::Do(Edit::Said { record }) => Some(record),
            _ => None,
        })
    }

    /// The pictures that were shown with the message of the state's turn, in order.
    pub fn attached(&self) -> impl Iterator<Item = &AttachRecord> {
        self.edits.iter().filter_map(|edit| match edit {
            EditRecord::Attach(attach) => Some(attach),
            _ => None,
        })
    }

    /// What kind of work made the state.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        let work = self.edits.iter().filter(|edit| edit.is_work());
        work.map(EditRecord::kind).min().unwrap_or(OperationKind::Opened)
    }
}

/// A picture that was laid down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlaceRecord {
    /// Columns and rows of the picture.
    pub extent: Extent,
    /// Column and row of its top left corner on the canvas.
    pub at: (i32, i32),
    /// Its pixels, at their place on the canvas, so that they are stored once with the layer's.
    pub pixels: Option<GridId>,
    /// The layer's name.
    pub name: String,
    /// What of it is shown, where that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<MaskRecord>,
    /// The request that made it, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// What the model was shown, where it was shown something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<ShownRecord>,
}

/// A picture that was shown with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachRecord {
    /// Columns and rows of the picture.
    pub extent: Extent,
    /// Its pixels from the first column and row on; without a grid all of them are transparent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<GridId>,
    /// Its name for people.
    pub name: String,
}

/// What a model was shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownRecord {
    /// A state of the document.
    pub state: NodeId,
    /// What was done to it first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Edit>,
    /// The part of it.
    pub region: CanvasRect,
    /// Where the model was to repaint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<MaskRecord>,
    /// The part of the model's picture that was laid down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<CanvasRect>,
}
