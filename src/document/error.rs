//! Why an edit can't be done.

use crate::document::LayerId;

/// Why an edit can't be done; the document is as it was.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DocumentError {
    /// The edit names a layer that the document doesn't have.
    #[error("there is no layer {}; it may have been deleted", .0.0)]
    NoLayer(LayerId),
    /// The layer's pixels are protected.
    #[error("the layer {0:?} is locked; unlock it to change it")]
    Locked(String),
    /// The layer is hidden, so that nobody would see the change.
    #[error("the layer {0:?} is hidden; show it to change it")]
    Hidden(String),
    /// The last layer can't go.
    #[error("a picture keeps at least one layer; add another one first")]
    LastLayer,
    /// There is nothing below to merge with.
    #[error("there is no layer below to merge with")]
    NothingBelow,
    /// The canvas would be too small or too large.
    #[error("a canvas has 1 to 16384 pixels a side, not {0}")]
    Extent(crate::geom::Extent),
    /// There is no saved selection of this name.
    #[error("there is no saved selection {0:?}")]
    NoSavedSelection(String),
    /// The operation needs a selection.
    #[error("nothing is selected")]
    NothingSelected,
}
