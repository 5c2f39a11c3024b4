//! Edits of the canvas with all that is on it.

use crate::document::apply_selection::{clip, is_far};
use crate::document::{Applied, Axis, Document, DocumentError, QuarterTurns, Resampling};
use crate::geom::{Extent, PixelRect};
use crate::raster::{CoverGrid, PixelGrid};

impl Document {
    pub(super) fn set_canvas(&mut self, rect: PixelRect) -> Result<Applied, DocumentError> {
        check_extent(rect.extent())?;
        let (dx, dy) = (rect.x.saturating_neg(), rect.y.saturating_neg());
        let bounds = self.layers.iter().filter_map(|layer| layer.pixels.tile_bounds());
        let all = bounds.reduce(PixelRect::union).unwrap_or_default();
        if is_far(all, dx, dy) || is_far(PixelRect::default(), dx, dy) {
            return Err(DocumentError::TooFar);
        }
        Ok(self.change_all(
            rect.extent(),
            |pixels| pixels.shifted(dx, dy),
            |cover| cover.shifted(dx, dy),
        ))
    }

    pub(super) fn resize(
        &mut self,
        to: Extent,
        resampling: Resampling,
    ) -> Result<Applied, DocumentError> {
        check_extent(to)?;
        let from = self.extent;
        Ok(match resampling {
            Resampling::Smooth => self.change_all(
                to,
                |pixels| pixels.scaled_to_smooth(from, to),
                |cover| cover.scaled_to_smooth(from, to),
            ),
            Resampling::Nearest => self.change_all(
                to,
                |pixels| pixels.scaled_to_nearest(from, to),
                |cover| cover.scaled_to_nearest(from, to),
            ),
        })
    }

    pub(super) fn flip(&mut self, axis: Axis) -> Applied {
        let canvas = self.extent;
        match axis {
            Axis::Horizontal => self.change_all(
                canvas,
                |pixels| pixels.flipped_horizontally(canvas),
                |cover| cover.flipped_horizontally(canvas),
            ),
            Axis::Vertical => self.change_all(
                canvas,
                |pixels| pixels.flipped_vertically(canvas),
                |cover| cover.flipped_vertically(canvas),
            ),
        }
    }

    pub(super) fn rotate(&mut self, turns: QuarterTurns) -> Applied {
        let canvas = self.extent;
        let turned = Extent::new(canvas.height, canvas.width);
        match turns {
            QuarterTurns::One => self.change_all(
                turned,
                |pixels| pixels.turned_clockwise(canvas),
                |cover| cover.turned_clockwise(canvas),
            ),
            QuarterTurns::Two => self.change_all(
                canvas,
                |pixels| pixels.turned_around(canvas),
                |cover| cover.turned_around(canvas),
            ),
            QuarterTurns::Three => self.change_all(
                turned,
                |pixels| pixels.turned_counterclockwise(canvas),
                |cover| cover.turned_counterclockwise(canvas),
            ),
        }
    }

    pub(super) fn replace(&mut self, other: &Self) -> Result<Applied, DocumentError> {
        check_extent(other.extent)?;
        let Some(top) = other.layers.last() else { return Err(DocumentError::LastLayer) };
        let active = if other.layer(other.active).is_some() { other.active } else { top.id };
        let old = std::mem::replace(self, other.clone());
        self.active = active;
        let newest = self.layers.iter().map(|layer| layer.id.0 + 1).max();
        self.next_layer = self.next_layer.max(newest.unwrap_or(0));
        let canvas = PixelRect::from(self.extent.rect()).union(old.extent.rect().into());
        Ok(self.all_changed(canvas))
    }

    /// Gives the canvas an extent, and changes layers, masks and selections.
    fn change_all(
        &mut self,
        extent: Extent,
        pixels: impl Fn(&PixelGrid) -> PixelGrid,
        cover: impl Fn(&CoverGrid) -> CoverGrid,
    ) -> Applied {
        let old = std::mem::replace(&mut self.extent, extent);
        for layer in &mut self.layers {
            layer.pixels = pixels(&layer.pixels);
            layer.mask = layer.mask.as_ref().map(&cover);
        }
        let saved = self.saved_selections.iter_mut().map(|saved| &mut saved.selection);
        for selection in saved.chain([&mut self.selection]) {
            selection.cover = cover(&selection.cover);
            clip(&mut selection.cover, extent);
        }
        self.all_changed(PixelRect::from(extent.rect()).union(old.rect().into()))
    }

    fn all_changed(&self, dirty: PixelRect) -> Applied {
        Applied { dirty, layers: self.layers.iter().map(|layer| layer.id).collect() }
    }
}

fn check_extent(extent: Extent) -> Result<(), DocumentError> {
    let sides = 1..=Document::MAX_SIDE_PX;
    if sides.contains(&extent.width) && sides.contains(&extent.height) {
        Ok(())
    } else {
        Err(DocumentError::Extent(extent))
    }
}
