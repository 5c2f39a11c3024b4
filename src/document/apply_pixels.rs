//! Edits of a layer's pixels.

use std::sync::Arc;

use crate::document::apply_layers::shown_bounds;
use crate::document::apply_selection::{clip, is_far};
use crate::document::composite::{faded, scaled};
use crate::document::{
    Applied, Document, DocumentError, Fill, LayerId, Stroke, StrokeRun, StrokeTarget,
};
use crate::geom::PixelRect;
use crate::raster::{BlendMode, CoverGrid, PixelGrid, TILE_PX, Tile, blend_row};

impl Document {
    pub(super) fn stroke(&mut self, stroke: &Stroke) -> Result<Applied, DocumentError> {
        let mut run = StrokeRun::begin(self, stroke)?;
        let dirty = run.extend(self, &stroke.samples);
        let dirty = dirty.union(run.finish(self));
        Ok(match stroke.target {
            StrokeTarget::Layer(id) => Applied::layer(id, dirty),
            StrokeTarget::Selection => Applied::look(dirty),
        })
    }

    pub(super) fn fill(&mut self, fill: &Fill) -> Result<Applied, DocumentError> {
        self.check_paintable(fill.layer)?;
        let selected = (!self.selection.is_empty()).then(|| self.selection.cover.clone());
        let part = match (fill.wand, selected) {
            (None, selected) => selected,
            (Some(wand), None) => Some(self.wand_cover(&wand)?),
            (Some(wand), Some(selected)) => Some(self.wand_cover(&wand)?.intersected(&selected)),
        };
        let canvas = PixelRect::from(self.extent.rect());
        let layer = self.paintable_mut(fill.layer)?;
        let dirty = match part {
            None => {
                fill_rect(&mut layer.pixels, canvas, fill.color);
                canvas
            }
            Some(part) => {
                fill_cover(&mut layer.pixels, &part, fill.color);
                part.tile_bounds().unwrap_or_default()
            }
        };
        Ok(Applied::layer(fill.layer, dirty))
    }

    pub(super) fn clear_selected(&mut self, id: LayerId) -> Result<Applied, DocumentError> {
        let cover = self.selection.cover.clone();
        let layer = self.paintable_mut(id)?;
        let all = shown_bounds(layer);
        let Some(selected) = cover.tile_bounds() else {
            layer.pixels = PixelGrid::new();
            return Ok(Applied::layer(id, all));
        };
        take_away(&mut layer.pixels, &cover);
        Ok(Applied::layer(id, all.intersection(selected).unwrap_or_default()))
    }

    pub(super) fn move_pixels(
        &mut self,
        id: LayerId,
        dx: i32,
        dy: i32,
    ) -> Result<Applied, DocumentError> {
        let cover = self.selection.cover.clone();
        let canvas = self.extent;
        let layer = self.paintable_mut(id)?;
        let bounds = layer.pixels.tile_bounds().unwrap_or_default();
        if is_far(bounds, dx, dy) {
            return Err(DocumentError::TooFar);
        }
        if (dx, dy) == (0, 0) {
            return Ok(Applied::default());
        }
        if cover.has_no_tiles() {
            let before = shown_bounds(layer);
            layer.pixels = layer.pixels.shifted(dx, dy);
            layer.mask = layer.mask.as_ref().map(|mask| mask.shifted(dx, dy));
            return Ok(Applied::layer(id, before.union(shown_bounds(layer))));
        }
        let lifted = lifted(&layer.pixels, &cover).shifted(dx, dy);
        take_away(&mut layer.pixels, &cover);
        lay_over(&mut layer.pixels, &lifted);
        let selected = cover.tile_bounds().unwrap_or_default();
        self.selection.cover = cover.shifted(dx, dy);
        clip(&mut self.selection.cover, canvas);
        Ok(Applied::layer(id, selected.union(selected.shifted(dx, dy))))
    }
}

/// Lays a color over a rectangle.
fn fill_rect(pixels: &mut PixelGrid, rect: PixelRect, color: [u8; 4]) {
    match color[3] {
        0 => {}
        255 => pixels.fill(rect, color),
        _ => {
            let colors = vec![color; TILE_PX as usize];
            pixels.update(rect, |_, _, row| {
                blend_row(BlendMode::Normal, 1.0, None, row, &colors);
            });
        }
    }
}

/// Lays a color over what is covered.
fn fill_cover(pixels: &mut PixelGrid, part: &CoverGrid, color: [u8; 4]) {
    if color[3] == 0 {
        return;
    }
    let colors = vec![color; TILE_PX as usize];
    // Tiles that are covered as a whole with an opaque color are one shared tile.
    let mut whole: Option<Arc<Tile<[u8; 4]>>> = None;
    for (at, cover) in part.tiles() {
        if color[3] == 255 && cover.pixels().iter().all(|&cover| cover == 255) {
            let tile = whole.get_or_insert_with(|| Arc::new(Tile::filled(color)));
            pixels.set_tile(at, Some(Arc::clone(tile)));
            continue;
        }
        let mut rows = cover.pixels().chunks_exact(TILE_PX as usize);
        pixels.update(at.rect(), |_, _, row| {
            blend_row(BlendMode::Normal, 1.0, rows.next(), row, &colors);
        });
        pixels.drop_empty_tiles(at.rect());
    }
}

/// Takes away what is covered.
fn take_away(pixels: &mut PixelGrid, part: &CoverGrid) {
    for (at, cover) in part.tiles() {
        if cover.pixels().iter().all(|&cover| cover == 255) {
            pixels.clear(at.rect());
            continue;
        }
        let mut rows = cover.pixels().chunks_exact(TILE_PX as usize);
        pixels.update_existing(at.rect(), |_, _, row| {
            for (pixel, &cover) in row.iter_mut().zip(rows.next().unwrap_or_default()) {
                *pixel = left_behind(*pixel, cover);
            }
        });
        pixels.drop_empty_tiles(at.rect());
    }
}

/// A pixel without what [`faded`] takes of it: the alphas of both add up to the pixel's.
fn left_behind(pixel: [u8; 4], cover: u8) -> [u8; 4] {
    let [r, g, b, alpha] = pixel;
    let taken = scaled(alpha, cover);
    match (cover, alpha - taken) {
        (255, _) => [0; 4],
        (0, _) => pixel,
        // A hidden color that is selected in part stays whole: half of nothing is nothing.
        (_, 0) if taken > 0 => [0; 4],
        (_, rest) => [r, g, b, rest],
    }
}

/// The covered pixels alone.
fn lifted(pixels: &PixelGrid, part: &CoverGrid) -> PixelGrid {
    let mut result = PixelGrid::new();
    for (at, cover) in part.tiles() {
        let Some(tile) = pixels.tile(at) else { continue };
        let pairs = tile.pixels().iter().zip(cover.pixels());
        let faded: Vec<[u8; 4]> = pairs.map(|(&pixel, &cover)| faded(pixel, cover)).collect();
        result.write(at.rect(), &faded);
    }
    result
}

/// Lays pixels over others.
fn lay_over(pixels: &mut PixelGrid, above: &PixelGrid) {
    for (at, tile) in above.tiles() {
        if pixels.tile(at).is_none() {
            pixels.set_tile(at, Some(Arc::clone(tile)));
            continue;
        }
        let mut rows = tile.pixels().chunks_exact(TILE_PX as usize);
        pixels.update(at.rect(), |_, _, row| {
            blend_row(BlendMode::Normal, 1.0, None, row, rows.next().unwrap_or_default());
        });
    }
}
