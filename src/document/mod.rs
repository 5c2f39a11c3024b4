//! What is saved and what is undone: layers, the selection, and every change to them as data.
//!
//! A [`Document`] is a value: cloning it copies a few pointers, because pixels live in shared tiles.
//! Every change is an [`Edit`]. [`History`] holds the tree of all documents that there were. Nothing here
//! knows files, windows or models.

mod canvas;
mod edit;
mod error;
mod history;
mod layer;
mod selection;

pub use canvas::Document;
pub use edit::{
    Axis, Combine, Edit, Fill, Place, QuarterTurns, Resampling, SelectionShape, SelectionStep,
    Stroke, StrokeTarget, Wand,
};
pub use error::DocumentError;
pub use history::{History, Node, NodeId, Operation, Released};
pub use layer::{Layer, LayerId};
pub use selection::{SavedSelection, Selection};
