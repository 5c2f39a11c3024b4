//! The document itself.

use crate::document::{Layer, LayerId, SavedSelection, Selection};
use crate::geom::Extent;

/// A picture in layers with its selection. A value: clone it to keep a state.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Columns and rows of the canvas, which starts at the origin.
    pub extent: Extent,
    /// From the lowest to the topmost; never empty.
    pub layers: Vec<Layer>,
    /// The layer that tools work on; always one of `layers`.
    pub active: LayerId,
    /// What is selected.
    pub selection: Selection,
    /// Selections kept for later.
    pub saved_selections: Vec<SavedSelection>,
    /// The number that the next layer gets.
    pub next_layer: u64,
}

impl Document {
    /// Sides of a canvas in pixels: at least 1, at most this.
    pub const MAX_SIDE_PX: u32 = 16384;

    /// A document with one empty layer. Sides are brought into the allowed range.
    #[must_use]
    pub fn new(extent: Extent, layer_name: &str) -> Self {
        let side = |side: u32| side.clamp(1, Self::MAX_SIDE_PX);
        Self {
            extent: Extent::new(side(extent.width), side(extent.height)),
            layers: vec![Layer::new(LayerId(1), layer_name)],
            active: LayerId(1),
            selection: Selection::default(),
            saved_selections: Vec::new(),
            next_layer: 2,
        }
    }

    /// A layer by its id.
    #[must_use]
    pub fn layer(&self, id: LayerId) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.id == id)
    }

    /// A layer by its id, to be changed.
    pub fn layer_mut(&mut self, id: LayerId) -> Option<&mut Layer> {
        self.layers.iter_mut().find(|layer| layer.id == id)
    }

    /// The layer's place, 0 for the lowest.
    #[must_use]
    pub fn position(&self, id: LayerId) -> Option<usize> {
        self.layers.iter().position(|layer| layer.id == id)
    }

    /// The layer that tools work on.
    #[must_use]
    pub fn active_layer(&self) -> Option<&Layer> {
        self.layer(self.active)
    }
}
