//! What is saved and what is undone: layers, the selection, and every change to them as data.
//!
//! A [`Document`] is a value: cloning it copies a few pointers, because pixels live in shared tiles.
//! Every change is an [`Edit`]. [`History`] holds the tree of all documents that there were. Nothing here
//! knows files, windows or models.

mod apply;
mod apply_canvas;
mod apply_layers;
mod apply_pixels;
mod apply_selection;
mod canvas;
mod composite;
mod difference;
mod edit;
mod error;
mod history;
mod kind;
mod layer;
mod ledger;
mod selection;
mod stroke_run;
#[cfg(test)]
pub(crate) mod testing;

pub use apply::Applied;
pub use canvas::Document;
pub(crate) use composite::faded;
pub use composite::{
    Source, copy_selected, flatten, flatten_layer, flatten_source, layer_thumbnail, sample_color,
    thumbnail,
};
pub use difference::{Difference, difference, outside_delta};
pub use edit::{
    Attachment, Axis, Combine, Edit, Fill, Place, QuarterTurns, Resampling, SelectionShape,
    SelectionStep, Shown, Stroke, StrokeTarget, Wand,
};
pub use error::DocumentError;
pub use history::{Branch, History, Node, NodeId, Operation, Released, StoredNode};
pub use kind::OperationKind;
pub use layer::{Layer, LayerId};
pub use selection::{SavedSelection, Selection};
pub use stroke_run::StrokeRun;
