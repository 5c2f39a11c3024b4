//! Selections combined and changed as a whole: cover in tiles.
//!
//! Whatever stays as it was keeps its tiles.

use std::sync::Arc;

use rayon::prelude::*;

use crate::geom::{Extent, PixelRect};
use crate::raster::{CoverGrid, Mask, TILE_PX, Tile, TileIndex};

const SIDE: usize = TILE_PX as usize;

type SharedTile = Arc<Tile<u8>>;

impl CoverGrid {
    /// What lies in either; the greater cover where both reach.
    #[must_use]
    pub fn united(&self, other: &Self) -> Self {
        self.mixed_with(other.tiles(), |at, theirs| match self.tile(at) {
            Some(ours) => Some(mixed(ours, theirs, u8::max)),
            None => Some(Arc::clone(theirs)),
        })
    }

    /// What lies in this one only: the other's cover is taken away.
    #[must_use]
    pub fn subtracted(&self, other: &Self) -> Self {
        self.mixed_with(other.tiles(), |at, theirs| {
            Some(mixed(self.tile(at)?, theirs, u8::saturating_sub))
        })
    }

    /// What lies in both; the lesser cover.
    #[must_use]
    pub fn intersected(&self, other: &Self) -> Self {
        self.mixed_with(self.tiles(), |at, ours| Some(mixed(ours, other.tile(at)?, u8::min)))
    }

    /// What is not covered, on a canvas of this extent.
    #[must_use]
    pub fn inverted(&self, canvas: Extent) -> Self {
        let canvas = PixelRect::from(canvas.rect());
        let full = Arc::new(Tile::filled(255));
        let turned = |at: TileIndex| {
            let ours = self.tile(at);
            let part = at.rect().intersection(canvas)?;
            if part == at.rect() && ours.is_none() {
                return Some((at, Arc::clone(&full)));
            }
            let mut tile = Tile::filled(0);
            let (width, height) = (part.width as usize, part.height as usize);
            let pixels = tile.pixels_mut(PixelRect::new(0, 0, TILE_PX, TILE_PX));
            for (y, row) in pixels.chunks_exact_mut(SIDE).take(height).enumerate() {
                let old = ours.and_then(|ours| ours.pixels().get(y * SIDE..(y + 1) * SIDE));
                for (x, cover) in row.iter_mut().take(width).enumerate() {
                    *cover = 255 - old.and_then(|old| old.get(x)).map_or(0, |&cover| cover);
                }
            }
            Some((at, Arc::new(tile)))
        };
        let all: Vec<TileIndex> = TileIndex::touching(canvas).collect();
        let tiles: Vec<_> = all.into_par_iter().filter_map(turned).collect();
        Self::from_tiles(tiles)
    }

    /// Wider by `radius_px` on every side, as far as the canvas goes; see [`Mask::grow`].
    #[must_use]
    pub fn grown(&self, radius_px: u32, canvas: Extent) -> Self {
        let reach = radius_px.min(canvas.width.max(canvas.height));
        self.changed_as_mask(reach, canvas, |mask| mask.grow(radius_px))
    }

    /// Narrower by `radius_px` on every side; the edge of the canvas is no edge of the selection.
    #[must_use]
    pub fn shrunk(&self, radius_px: u32, canvas: Extent) -> Self {
        if radius_px == 0 {
            return self.clone();
        }
        self.changed_as_mask(1, canvas, |mask| mask.inverted().grow(radius_px).inverted())
    }

    /// This grid, changed where its pixels and `pad_px` around them lie.
    fn changed_as_mask(&self, pad_px: u32, canvas: Extent, change: impl Fn(&Mask) -> Mask) -> Self {
        let part = self.bounds().and_then(|bounds| bounds.padded(pad_px).on_canvas(canvas));
        let Some(part) = part.map(PixelRect::from) else { return Self::new() };
        let Ok(mask) = Mask::from_raw(part.extent(), self.read(part)) else { return self.clone() };
        Self::from_pixels(part, change(&mask).as_raw())
    }

    /// Softer by `radius_px` to both sides of the edge.
    ///
    /// Three running averages, whose reach adds up to the radius, come close to a Gaussian. What
    /// lies farther from an edge keeps its cover; beyond the canvas, its edge goes on.
    #[must_use]
    pub fn feathered(&self, radius_px: u32, canvas: Extent) -> Self {
        let radius = radius_px.min(canvas.width.max(canvas.height));
        let reach = self.bounds().and_then(|bounds| bounds.padded(radius).on_canvas(canvas));
        let (Some(reach), true) = (reach, radius > 0) else { return self.clone() };
        let canvas = PixelRect::from(canvas.rect());
        // Blocks of whole tiles, large enough that most of what is read is not the margin.
        let side = (4 * radius).max(2 * TILE_PX).next_multiple_of(TILE_PX) as i32;
        let reach = PixelRect::from(reach);
        let (first_x, first_y) = (reach.x.div_euclid(side), reach.y.div_euclid(side));
        let blocks: Vec<PixelRect> = (first_y..=(reach.bottom() - 1).div_euclid(side))
            .flat_map(|y| {
                (first_x..=(reach.right() - 1).div_euclid(side)).map(move |x| {
                    PixelRect::new(x * side, y * side, side.unsigned_abs(), side.unsigned_abs())
                })
            })
            .filter_map(|block| block.intersection(canvas))
            .collect();
        let soft = blocks.into_par_iter().flat_map_iter(|block| {
            match softened(self, block, radius, canvas) {
                Some(pixels) => Self::from_pixels(block, &pixels),
                // Far from every edge: the tiles stay.
                None => Self::from_tiles(
                    TileIndex::touching(block).filter_map(|at| Some((at, self.tile(at)?.clone()))),
                ),
            }
            .tiles()
            .map(|(at, tile)| (at, Arc::clone(tile)))
            .collect::<Vec<_>>()
        });
        Self::from_tiles(soft.collect::<Vec<_>>())
    }

    /// This grid with some tiles replaced, on all cores; those without cover are left away.
    fn mixed_with<'a>(
        &self,
        tiles: impl Iterator<Item = (TileIndex, &'a SharedTile)>,
        change: impl Fn(TileIndex, &SharedTile) -> Option<SharedTile> + Sync,
    ) -> Self {
        let tiles: Vec<_> = tiles.collect();
        let new = tiles
            .into_par_iter()
            .map(|(at, tile)| (at, change(at, tile).filter(|tile| !tile.is_empty())));
        let mut result = self.clone();
        for (at, tile) in new.collect::<Vec<_>>() {
            let same = match (self.tile(at), &tile) {
                (Some(old), Some(new)) => Arc::ptr_eq(old, new),
                (None, None) => true,
                _ => false,
            };
            if !same {
                result.set_tile(at, tile);
            }
        }
        result
    }
}

/// Two tiles mixed pixel by pixel; one of the two where that is the result.
fn mixed(ours: &SharedTile, theirs: &SharedTile, mix: impl Fn(u8, u8) -> u8) -> SharedTile {
    let pairs = ours.pixels().iter().zip(theirs.pixels());
    let pixels: Vec<u8> = pairs.map(|(&a, &b)| mix(a, b)).collect();
    if pixels == ours.pixels() {
        Arc::clone(ours)
    } else if pixels == theirs.pixels() {
        Arc::clone(theirs)
    } else {
        Arc::new(Tile::from_pixels(pixels))
    }
}

/// The pixels of `block` softened; nothing where all around it is of one cover.
fn softened(
    cover: &CoverGrid,
    block: PixelRect,
    radius: u32,
    canvas: PixelRect,
) -> Option<Vec<u8>> {
    let around = block.padded(radius);
    let known = around.intersection(canvas)?;
    let pixels = cover.read(known);
    let first = pixels.first()?;
    if pixels.iter().all(|pixel| pixel == first) {
        return None;
    }
    // 16 bits, so that averages of averages don't show steps.
    let (mut width, mut height) = (around.width as usize, around.height as usize);
    let mut values = Vec::with_capacity(width * height);
    let held =
        |place: i32, start: i32, end: i32| place.clamp(start, end - 1).abs_diff(start) as usize;
    for y in around.y..around.bottom() {
        let start = held(y, known.y, known.bottom()) * known.width as usize;
        let row = pixels.get(start..start + known.width as usize).unwrap_or_default();
        values.extend((around.x..around.right()).map(|x| {
            row.get(held(x, known.x, known.right())).map_or(0, |&cover| u16::from(cover) * 257)
        }));
    }
    let radius = radius as usize;
    for radius in [radius.div_ceil(3), (radius + 1) / 3, radius / 3] {
        values = averaged_rows(&values, width, radius);
        width -= 2 * radius;
        values = averaged_columns(&values, width, height, radius);
        height -= 2 * radius;
    }
    Some(values.into_iter().map(|value| ((u32::from(value) + 128) / 257) as u8).collect())
}

/// Averages over `2 * radius + 1` columns; rows get shorter by `2 * radius`.
fn averaged_rows(values: &[u16], width: usize, radius: usize) -> Vec<u16> {
    let count = 2 * radius as u32 + 1;
    let mut result = Vec::with_capacity(values.len());
    for row in values.chunks_exact(width.max(1)) {
        let (head, tail) = row.split_at((2 * radius).min(row.len()));
        let mut sum: u32 = head.iter().map(|&value| u32::from(value)).sum();
        for (&new, &old) in tail.iter().zip(row) {
            sum += u32::from(new);
            result.push(((sum + count / 2) / count) as u16);
            sum -= u32::from(old);
        }
    }
    result
}

/// Averages over `2 * radius + 1` rows; there are `2 * radius` fewer rows then.
fn averaged_columns(values: &[u16], width: usize, height: usize, radius: usize) -> Vec<u16> {
    let count = 2 * radius as u32 + 1;
    let mut result = Vec::with_capacity(values.len());
    let mut sums = vec![0_u32; width];
    for (y, row) in values.chunks_exact(width.max(1)).take(height).enumerate() {
        for (sum, &new) in sums.iter_mut().zip(row) {
            *sum += u32::from(new);
        }
        let Some(first) = y.checked_sub(2 * radius) else { continue };
        result.extend(sums.iter().map(|sum| ((sum + count / 2) / count) as u16));
        let oldest = values.get(first * width..(first + 1) * width).unwrap_or_default();
        for (sum, &old) in sums.iter_mut().zip(oldest) {
            *sum -= u32::from(old);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::CanvasPoint;
    use crate::raster::mask::tests::{Seeded, random_mask};
    use crate::raster::{ellipse_cover, polygon_cover, rectangle_cover};

    const CANVAS: Extent = Extent::new(700, 520);

    fn random_cover(seeded: &mut Seeded) -> CoverGrid {
        let mask = random_mask(seeded, CANVAS);
        CoverGrid::from_pixels(CANVAS.rect().into(), mask.as_raw())
    }

    fn bytes(cover: &CoverGrid) -> Vec<u8> {
        cover.read(CANVAS.rect().into())
    }

    #[test]
    fn combining_is_done_pixel_by_pixel() {
        let mut seeded = Seeded(31);
        for _ in 0..20 {
            let (a, b) = (random_cover(&mut seeded), random_cover(&mut seeded));
            let check = |result: &CoverGrid, mix: fn(u8, u8) -> u8| {
                let expected: Vec<u8> =
                    bytes(&a).into_iter().zip(bytes(&b)).map(|(a, b)| mix(a, b)).collect();
                assert!(bytes(result) == expected);
                assert!(result.tiles().all(|(_, tile)| !tile.is_empty()));
            };
            check(&a.united(&b), u8::max);
            check(&a.subtracted(&b), u8::saturating_sub);
            check(&a.intersected(&b), u8::min);
            check(&a.inverted(CANVAS), |a, _| 255 - a);
            assert_eq!(a.inverted(CANVAS).inverted(CANVAS), a);
        }
    }

    #[test]
    fn tiles_that_stay_as_they_are_are_shared() {
        let a = rectangle_cover(PixelRect::new(0, 0, 700, 300), CANVAS);
        let b = rectangle_cover(PixelRect::new(600, 10, 20, 20), CANVAS);
        assert_eq!(a.united(&b).bytes_beyond(&a), 0);
        assert_eq!(a.subtracted(&b).bytes_beyond(&a), 1 << 16);
        assert_eq!(a.intersected(&b).bytes_beyond(&b), 0);
        assert!(a.subtracted(&a).has_no_tiles());
    }

    #[test]
    fn growing_and_shrinking_do_as_masks_do() {
        let mut seeded = Seeded(32);
        for radius in [0, 1, 9, 60] {
            let cover = random_cover(&mut seeded);
            let mask = Mask::from_raw(CANVAS, bytes(&cover)).unwrap();
            assert!(bytes(&cover.grown(radius, CANVAS)) == mask.grow(radius).into_raw());
        }
        let rect = rectangle_cover(PixelRect::new(100, 100, 200, 300), CANVAS);
        let inner = rectangle_cover(PixelRect::new(110, 110, 180, 280), CANVAS);
        assert_eq!(rect.shrunk(10, CANVAS), inner);
        assert!(rect.shrunk(100, CANVAS).has_no_tiles());
        let whole = rectangle_cover(PixelRect::new(0, 0, 700, 520), CANVAS);
        assert_eq!(whole.shrunk(20, CANVAS), whole, "the canvas' edge is none");
        assert!(CoverGrid::new().grown(5, CANVAS).has_no_tiles());
    }

    #[test]
    fn a_feather_softens_both_sides_and_nothing_farther_away() {
        let rect = PixelRect::new(150, 150, 400, 300);
        let cover = rectangle_cover(rect, CANVAS);
        for radius in [1_u32, 2, 3, 10, 40] {
            let soft = cover.feathered(radius, CANVAS);
            let row: Vec<u8> = (0..700).map(|x| soft.pixel(x, 300)).collect();
            let edge = 150;
            let reach = radius as usize;
            assert!(row[..edge - reach].iter().all(|&cover| cover == 0), "{radius}");
            assert!(row[edge + reach..edge + 200].iter().all(|&cover| cover == 255), "{radius}");
            assert!(row[..edge + 200].is_sorted());
            assert!(row[edge - 1] > 0 && row[edge] < 255);
            for d in 0..reach {
                let both = u32::from(row[edge - 1 - d]) + u32::from(row[edge + d]);
                assert!(both.abs_diff(255) <= 1, "{radius}: {both}");
            }
        }
        assert_eq!(cover.feathered(0, CANVAS), cover);
    }

    #[test]
    fn a_feather_does_not_see_blocks_tiles_or_the_edge_of_the_canvas() {
        let canvas = Extent::new(1400, 300);
        let band = rectangle_cover(PixelRect::new(0, 100, 1400, 60), canvas);
        let soft = band.feathered(12, canvas);
        for y in 0..300 {
            let row = soft.read(PixelRect::new(0, y, 1400, 1));
            assert!(row.iter().all(|cover| *cover == row[0]), "{y}");
        }
        let whole = rectangle_cover(PixelRect::new(0, 0, 1400, 300), canvas);
        assert_eq!(whole.feathered(30, canvas).bytes_beyond(&whole), 0);
    }

    #[test]
    fn shapes_combine_as_people_expect() {
        let disk = ellipse_cover(PixelRect::new(100, 100, 200, 200), CANVAS);
        let corners = [(100.0, 100.0), (200.0, 100.0), (200.0, 300.0), (100.0, 300.0)];
        let left = polygon_cover(&corners.map(|(x, y)| CanvasPoint::new(x, y)), CANVAS);
        let half = disk.intersected(&left);
        assert_eq!(half.bounds(), Some(PixelRect::new(100, 100, 100, 200)));
        assert_eq!(half.united(&disk.subtracted(&left)), disk);
    }
}
