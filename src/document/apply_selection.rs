//! Edits of the selection.

use crate::document::composite::Stack;
use crate::document::{
    Applied, Combine, Document, DocumentError, LayerId, SavedSelection, Selection, SelectionShape,
    SelectionStep, Wand,
};
use crate::geom::{Extent, PixelRect};
use crate::raster::{
    CoverGrid, FloodReach, TileIndex, ellipse_cover, flood, polygon_cover, rectangle_cover,
};

/// Nothing may lie farther from the canvas' corner, so that places can always be counted.
const MAX_DISTANCE_PX: i32 = 1 << 20;

impl Document {
    pub(super) fn select(
        &mut self,
        shape: &SelectionShape,
        combine: Combine,
    ) -> Result<Applied, DocumentError> {
        let shape = match shape {
            SelectionShape::Rectangle(rect) => rectangle_cover(*rect, self.extent),
            SelectionShape::Ellipse(rect) => ellipse_cover(*rect, self.extent),
            SelectionShape::Polygon(points) => polygon_cover(points, self.extent),
            SelectionShape::Wand(wand) => self.wand_cover(wand)?,
            SelectionShape::LayerAlpha(layer) => self.alpha_cover(*layer)?,
        };
        Ok(self.combine_selection(&shape, combine))
    }

    pub(super) fn change_selection(&mut self, step: SelectionStep) -> Applied {
        let cover = &self.selection.cover;
        let cover = match step {
            SelectionStep::All => rectangle_cover(self.extent.rect().into(), self.extent),
            SelectionStep::None => CoverGrid::new(),
            SelectionStep::Invert => cover.inverted(self.extent),
            SelectionStep::Grow(by_px) => cover.grown(by_px, self.extent),
            SelectionStep::Shrink(by_px) => cover.shrunk(by_px, self.extent),
            SelectionStep::Feather(by_px) => cover.feathered(by_px, self.extent),
        };
        self.set_selection(cover)
    }

    pub(super) fn move_selection(&mut self, dx: i32, dy: i32) -> Result<Applied, DocumentError> {
        let cover = &self.selection.cover;
        let bounds = cover.tile_bounds().ok_or(DocumentError::NothingSelected)?;
        if is_far(bounds, dx, dy) {
            return Err(DocumentError::TooFar);
        }
        let mut moved = cover.shifted(dx, dy);
        clip(&mut moved, self.extent);
        Ok(self.set_selection(moved))
    }

    pub(super) fn save_selection(&mut self, name: &str) -> Result<Applied, DocumentError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(DocumentError::EmptyName);
        }
        if self.selection.is_empty() {
            return Err(DocumentError::NothingSelected);
        }
        let selection = self.selection.clone();
        match self.saved_selections.iter_mut().find(|saved| saved.name == name) {
            Some(saved) => saved.selection = selection,
            None => {
                self.saved_selections.push(SavedSelection { name: name.to_owned(), selection });
            }
        }
        Ok(Applied::default())
    }

    pub(super) fn load_selection(
        &mut self,
        name: &str,
        combine: Combine,
    ) -> Result<Applied, DocumentError> {
        let cover = self.saved(name)?.selection.cover.clone();
        Ok(self.combine_selection(&cover, combine))
    }

    pub(super) fn delete_saved_selection(&mut self, name: &str) -> Result<Applied, DocumentError> {
        self.saved(name)?;
        self.saved_selections.retain(|saved| saved.name != name);
        Ok(Applied::default())
    }

    /// What the wand takes.
    pub(super) fn wand_cover(&self, wand: &Wand) -> Result<CoverGrid, DocumentError> {
        let stack = if wand.all_layers {
            Stack::of(self)
        } else {
            Stack::of_layer(self.known(self.active)?)
        };
        let reach = if wand.contiguous { FloodReach::Connected } else { FloodReach::Everywhere };
        let read = |rect: PixelRect| stack.read(rect);
        Ok(flood(self.extent, wand.point.pixel(), wand.tolerance, reach, &read))
    }

    fn saved(&self, name: &str) -> Result<&SavedSelection, DocumentError> {
        let saved = self.saved_selections.iter().find(|saved| saved.name == name);
        saved.ok_or_else(|| DocumentError::NoSavedSelection(name.to_owned()))
    }

    /// What is not transparent on a layer, with its mask, whatever its opacity.
    fn alpha_cover(&self, id: LayerId) -> Result<CoverGrid, DocumentError> {
        let layer = self.known(id)?;
        let mut cover = CoverGrid::new();
        let canvas = PixelRect::from(self.extent.rect());
        let mut shown = layer.clone();
        shown.opacity = 1.0;
        let stack = Stack::of_layer(&shown);
        for (at, _) in layer.pixels.tiles() {
            let Some(part) = at.rect().intersection(canvas) else { continue };
            let alpha: Vec<u8> = stack.read(part).into_iter().map(|pixel| pixel[3]).collect();
            cover.write(part, &alpha);
        }
        Ok(cover)
    }

    fn combine_selection(&mut self, shape: &CoverGrid, combine: Combine) -> Applied {
        let old = &self.selection.cover;
        let new = match combine {
            Combine::Replace => shape.clone(),
            Combine::Add => old.united(shape),
            Combine::Subtract => old.subtracted(shape),
            Combine::Intersect => old.intersected(shape),
        };
        self.set_selection(new)
    }

    fn set_selection(&mut self, cover: CoverGrid) -> Applied {
        let before = std::mem::replace(&mut self.selection, Selection { cover });
        let changed = self.selection.cover.changed_tiles(&before.cover);
        let changed = changed.into_iter().map(TileIndex::rect).reduce(PixelRect::union);
        Applied::look(changed.unwrap_or_default())
    }
}

/// Cuts off what lies outside the canvas.
pub(super) fn clip(cover: &mut CoverGrid, canvas: Extent) {
    let canvas = PixelRect::from(canvas.rect());
    let tiles: Vec<PixelRect> = cover.tiles().map(|(at, _)| at.rect()).collect();
    for tile in tiles {
        let Some(inside) = tile.intersection(canvas) else {
            cover.clear(tile);
            continue;
        };
        // Tiles begin at the canvas' corner, so that only the right and lower edge cut through.
        let right = tile.right().abs_diff(inside.right());
        let below = tile.bottom().abs_diff(inside.bottom());
        cover.clear(PixelRect::new(inside.right(), tile.y, right, tile.height));
        cover.clear(PixelRect::new(tile.x, inside.bottom(), tile.width, below));
    }
}

/// Whether a rectangle would lie too far away once it is moved.
pub(super) fn is_far(rect: PixelRect, dx: i32, dy: i32) -> bool {
    let far = |from: i32, to: i32, by: i32| {
        from.saturating_add(by) < -MAX_DISTANCE_PX || to.saturating_add(by) > MAX_DISTANCE_PX
    };
    // An empty rectangle lies nowhere; it may still not be moved out of what can be counted.
    far(rect.x, rect.right(), dx) || far(rect.y, rect.bottom(), dy)
}
