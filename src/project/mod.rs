//! A project on disk: the tree of all states, and how it is stored so that nothing is lost.
//!
//! A tree is written as [`Record`]s, one after the other, and as tiles named by the hash of their
//! pixels, so that what two states share is stored once. [`Recorder`] turns states into records,
//! [`Tree`] reads records back and makes the document of any node. The same records and tiles live in
//! two places: in a [`journal`], which takes every change as it happens, and in a project file, which is
//! an OpenRaster archive ([`ora`]) with Gesso's own entries beside the layers.
//! Nothing here knows windows or models.

mod content;
mod error;
pub mod file;
pub mod journal;
pub mod ora;
mod picture;
mod record;
mod recorder;
pub mod replay;
mod tree;

pub use content::{ContentHash, document_content};
pub use error::ProjectError;
pub use picture::{Picture, TilePixels};
pub use record::{
    AttachRecord, DocumentRecord, EditRecord, FORMAT, GridId, GridRecord, LayerRecord, MaskRecord,
    NodeRecord, PlaceRecord, ProjectRecord, Record, SavedSelectionRecord, ShownRecord, TileRecord,
};
pub use recorder::{Batch, NewNode, Recorder};
pub use tree::{Pictures, Tree};
