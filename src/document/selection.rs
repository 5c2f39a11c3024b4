//! Which part of the canvas is chosen: for painting, and for the model to repaint.

use crate::geom::{CanvasRect, Extent, PixelRect};
use crate::raster::{CoverGrid, Mask};

/// The chosen part of the canvas, with soft edges; this is also the mask that a model repaints.
///
/// Nothing selected means *no limit* to tools and *no mask* to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// 255 selected, 0 not. Nothing lies outside the canvas.
    pub cover: CoverGrid,
}

impl Selection {
    /// Whether nothing is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cover.has_no_tiles()
    }

    /// The smallest rectangle that holds all selected pixels.
    #[must_use]
    pub fn bounds(&self, canvas: Extent) -> Option<CanvasRect> {
        self.cover.bounds()?.on_canvas(canvas)
    }

    /// The selection as a mask of the whole canvas, for a model.
    #[must_use]
    pub fn mask(&self, canvas: Extent) -> Mask {
        let cover = self.cover.read(PixelRect::from(canvas.rect()));
        Mask::from_raw(canvas, cover).unwrap_or_else(|_| Mask::new(canvas))
    }

    /// A selection from a mask of the whole canvas.
    #[must_use]
    pub fn from_mask(mask: &Mask) -> Self {
        let mut cover = CoverGrid::new();
        cover.write(mask.extent().rect().into(), mask.as_raw());
        Self { cover }
    }
}

/// A selection kept for later.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedSelection {
    /// Its name for people; unique within a document.
    pub name: String,
    /// What was selected.
    pub selection: Selection,
}
