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
    /// The layer is not shown.
    #[error("the layer {0:?} is hidden; show it to paint on it")]
    Hidden(String),
    /// The layer has no mask.
    #[error("the layer {0:?} has no mask")]
    NoMask(String),
    /// A layer or a saved selection needs a name.
    #[error("a name can't be empty")]
    EmptyName,
    /// Something would be moved out of all that can be reached.
    #[error("that would be too far away from the canvas")]
    TooFar,
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
