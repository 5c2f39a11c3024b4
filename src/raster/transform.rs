//! Tiles mirrored, turned and scaled, with what lies beyond the canvas.
//!
//! Mirroring and turning move pixels and can be undone exactly. Scaling works tile by tile and
//! reads the source in strips, so that it needs little memory however large the canvas is.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::geom::{Extent, PixelRect};
use crate::raster::resample::taps_at;
use crate::raster::{Pixel, TILE_PX, Tile, TileGrid, TileIndex};

const SIDE: usize = TILE_PX as usize;
/// Rows of the source that are read at a time when scaling.
const STRIP_ROWS: i32 = 64;

impl<P: Pixel> TileGrid<P> {
    /// Left and right exchanged on a canvas of this width.
    #[must_use]
    pub fn flipped_horizontally(&self, canvas: Extent) -> Self {
        let width = canvas.width as i32;
        let flip = |rect: PixelRect| PixelRect { x: width - rect.right(), ..rect };
        self.moved(flip, flip, |mut pixels| {
            pixels.chunks_exact_mut(SIDE).for_each(<[P]>::reverse);
            pixels
        })
    }

    /// Top and bottom exchanged on a canvas of this height.
    #[must_use]
    pub fn flipped_vertically(&self, canvas: Extent) -> Self {
        let height = canvas.height as i32;
        let flip = |rect: PixelRect| PixelRect { y: height - rect.bottom(), ..rect };
        self.moved(flip, flip, |pixels| {
            pixels.chunks_exact(SIDE).rev().flatten().copied().collect()
        })
    }

    /// A half turn of a canvas of this extent.
    #[must_use]
    pub fn turned_around(&self, canvas: Extent) -> Self {
        let (width, height) = (canvas.width as i32, canvas.height as i32);
        let turn = |rect: PixelRect| PixelRect {
            x: width - rect.right(),
            y: height - rect.bottom(),
            ..rect
        };
        self.moved(turn, turn, |mut pixels| {
            pixels.reverse();
            pixels
        })
    }

    /// A quarter turn clockwise of a canvas of this extent, which then has `height` columns.
    #[must_use]
    pub fn turned_clockwise(&self, canvas: Extent) -> Self {
        let height = canvas.height as i32;
        self.moved(
            |from| PixelRect::new(height - from.bottom(), from.x, from.height, from.width),
            |to| PixelRect::new(to.y, height - to.right(), to.height, to.width),
            |pixels| transposed(|row, column| (SIDE - 1 - column) * SIDE + row, &pixels),
        )
    }

    /// A quarter turn counterclockwise of a canvas of this extent, which then has `height` columns.
    #[must_use]
    pub fn turned_counterclockwise(&self, canvas: Extent) -> Self {
        let width = canvas.width as i32;
        self.moved(
            |from| PixelRect::new(from.y, width - from.right(), from.height, from.width),
            |to| PixelRect::new(width - to.bottom(), to.x, to.height, to.width),
            |pixels| transposed(|row, column| column * SIDE + SIDE - 1 - row, &pixels),
        )
    }

    /// Every tile made of as many pixels from elsewhere: `target_of` says where a rectangle goes,
    /// `source_of` where one comes from, and `arrange` puts a tile's pixels in order.
    fn moved(
        &self,
        target_of: impl Fn(PixelRect) -> PixelRect,
        source_of: impl Fn(PixelRect) -> PixelRect + Sync,
        arrange: impl Fn(Vec<P>) -> Vec<P> + Sync,
    ) -> Self {
        let touched: BTreeSet<TileIndex> =
            self.tiles().flat_map(|(at, _)| TileIndex::touching(target_of(at.rect()))).collect();
        let touched: Vec<TileIndex> = touched.into_iter().collect();
        let tiles = touched
            .into_par_iter()
            .map(|at| (at, Arc::new(Tile::from_pixels(arrange(self.read(source_of(at.rect())))))));
        Self::from_tiles(tiles.collect::<Vec<_>>())
    }

    /// The canvas scaled from one extent to another, each pixel that of the nearest place.
    #[must_use]
    pub fn scaled_to_nearest(&self, from: Extent, to: Extent) -> Self {
        if from == to {
            return self.clone();
        }
        let source = |place: i32, from: u32, to: u32| {
            let doubled = (2 * i64::from(place) + 1) * i64::from(from);
            doubled.div_euclid(2 * i64::from(to.max(1))) as i32
        };
        let make =
            |at: TileIndex| {
                let rect = at.rect();
                let columns: Vec<i32> =
                    (rect.x..rect.right()).map(|x| source(x, from.width, to.width)).collect();
                let (left, right) = (columns.first()?, columns.last()?);
                let width = left.abs_diff(*right) + 1;
                let mut pixels = Vec::with_capacity(SIDE * SIDE);
                let mut row: (Option<i32>, Vec<P>) = (None, Vec::new());
                for y in (rect.y..rect.bottom()).map(|y| source(y, from.height, to.height)) {
                    if row.0 != Some(y) {
                        row = (Some(y), self.read(PixelRect::new(*left, y, width, 1)));
                    }
                    pixels.extend(columns.iter().map(|x| {
                        row.1.get(x.abs_diff(*left) as usize).copied().unwrap_or(P::EMPTY)
                    }));
                }
                Some((at, Arc::new(Tile::from_pixels(pixels))))
            };
        let tiles: Vec<_> =
            self.tiles_when_scaled(from, to).into_par_iter().filter_map(make).collect();
        Self::from_tiles(tiles)
    }

    /// Tiles that may hold something once the canvas is scaled.
    fn tiles_when_scaled(&self, from: Extent, to: Extent) -> Vec<TileIndex> {
        let scaled = |start: i32, end: i32, from: u32, to: u32| {
            let scale = f64::from(to) / f64::from(from.max(1));
            // As far as the kernel reaches.
            let reach = 2.0 * scale.max(1.0) + 1.0;
            let (start, end) = (f64::from(start) * scale - reach, f64::from(end) * scale + reach);
            (start.floor() as i32, end.ceil() as i32)
        };
        let target = |rect: PixelRect| {
            let (left, right) = scaled(rect.x, rect.right(), from.width, to.width);
            let (top, bottom) = scaled(rect.y, rect.bottom(), from.height, to.height);
            PixelRect::new(left, top, right.abs_diff(left), bottom.abs_diff(top))
        };
        let touched: BTreeSet<TileIndex> =
            self.tiles().flat_map(|(at, _)| TileIndex::touching(target(at.rect()))).collect();
        touched.into_iter().collect()
    }
}

impl<P: Scaled> TileGrid<P> {
    /// The canvas scaled from one extent to another, smoothly and averaged where it shrinks.
    ///
    /// The canvas comes out as from [`crate::raster::resize_rgba`]: nothing beyond its edges gets
    /// in, and what lies beyond is scaled for itself.
    #[must_use]
    pub fn scaled_to_smooth(&self, from: Extent, to: Extent) -> Self {
        if from == to {
            return self.clone();
        }
        let make = |at: TileIndex| Some((at, Arc::new(self.scaled_tile(at, from, to)?)));
        let tiles: Vec<_> =
            self.tiles_when_scaled(from, to).into_par_iter().filter_map(make).collect();
        Self::from_tiles(tiles)
    }

    fn scaled_tile(&self, at: TileIndex, from: Extent, to: Extent) -> Option<Tile<P>> {
        let rect = at.rect();
        let columns: Vec<(i32, Vec<f32>)> =
            (rect.x..rect.right()).map(|x| taps_at(x, from.width, to.width)).collect();
        let rows: Vec<(i32, Vec<f32>)> =
            (rect.y..rect.bottom()).map(|y| taps_at(y, from.height, to.height)).collect();
        let (across, down) = (hull(&columns)?, hull(&rows)?);
        let mut sums = vec![P::Sum::default(); SIDE * SIDE];
        let mut narrow = vec![P::Sum::default(); SIDE];
        let width = across.start.abs_diff(across.end);
        let mut top = down.start;
        // The rows of the tile that a row of the source goes to only move on.
        let mut first = 0;
        let mut wide = Vec::with_capacity(width as usize);
        while top < down.end {
            let bottom = (top + STRIP_ROWS).min(down.end);
            let strip = PixelRect::new(across.start, top, width, bottom.abs_diff(top));
            top = bottom;
            if TileIndex::touching(strip).all(|at| self.tile(at).is_none()) {
                continue;
            }
            let pixels = self.read(strip);
            for (line, y) in pixels.chunks_exact(width.max(1) as usize).zip(strip.y..) {
                while rows.get(first).is_some_and(|row| row.0 + row.1.len() as i32 <= y) {
                    first += 1;
                }
                if line.iter().all(|&pixel| pixel == P::EMPTY) {
                    continue;
                }
                wide.clear();
                wide.extend(line.iter().map(|pixel| pixel.weighable()));
                for (sum, (start, weights)) in narrow.iter_mut().zip(&columns) {
                    *sum = P::Sum::default();
                    let sources = wide.get(start.abs_diff(across.start) as usize..);
                    for (source, &weight) in sources.unwrap_or_default().iter().zip(weights) {
                        P::add(sum, source, weight);
                    }
                }
                let reached = rows.iter().enumerate().skip(first).take_while(|(_, row)| row.0 <= y);
                for (target, (start, weights)) in reached {
                    let Some(&weight) = weights.get(y.abs_diff(*start) as usize) else { continue };
                    let sums = sums.get_mut(target * SIDE..(target + 1) * SIDE).unwrap_or_default();
                    for (sum, narrow) in sums.iter_mut().zip(&narrow) {
                        P::add(sum, narrow, weight);
                    }
                }
            }
        }
        Some(Tile::from_pixels(sums.into_iter().map(P::from_sum).collect()))
    }
}

/// A kind of pixel that can be averaged with weights.
pub trait Scaled: Pixel {
    /// Weighted pixels added up.
    type Sum: Copy + Default + Send;

    /// The pixel as what is weighted.
    #[must_use]
    fn weighable(self) -> Self::Sum;

    /// Adds so much of `more`.
    fn add(sum: &mut Self::Sum, more: &Self::Sum, weight: f32);

    /// The pixel of weights that add up to 1.
    #[must_use]
    fn from_sum(sum: Self::Sum) -> Self;
}

/// Colors count by their alpha.
impl Scaled for [u8; 4] {
    type Sum = [f32; 4];

    fn weighable(self) -> [f32; 4] {
        let alpha = f32::from(self[3]) / 255.0;
        let [r, g, b, a] = self.map(f32::from);
        [r * alpha, g * alpha, b * alpha, a]
    }

    #[inline(always)]
    fn add(sum: &mut [f32; 4], more: &[f32; 4], weight: f32) {
        for (sum, more) in sum.iter_mut().zip(more) {
            *sum += weight * more;
        }
    }

    fn from_sum(sum: [f32; 4]) -> Self {
        let [r, g, b, alpha] = sum;
        if alpha < 0.5 {
            return Self::EMPTY;
        }
        let straight = |value: f32| (value * 255.0 / alpha).round() as u8;
        [straight(r), straight(g), straight(b), alpha.round() as u8]
    }
}

impl Scaled for u8 {
    type Sum = f32;

    fn weighable(self) -> f32 {
        Self::into(self)
    }

    #[inline(always)]
    fn add(sum: &mut f32, more: &f32, weight: f32) {
        *sum += weight * more;
    }

    fn from_sum(sum: f32) -> Self {
        sum.round() as Self
    }
}

/// From the first to the last source place.
fn hull(taps: &[(i32, Vec<f32>)]) -> Option<Range<i32>> {
    let start = taps.iter().map(|(start, _)| *start).min()?;
    let end = taps.iter().map(|(start, weights)| start + weights.len() as i32).max()?;
    Some(start..end)
}

/// A tile whose pixel in a row and column is that at `source`.
fn transposed<P: Pixel>(source: impl Fn(usize, usize) -> usize, pixels: &[P]) -> Vec<P> {
    let place = |i: usize| source(i / SIDE, i % SIDE);
    (0..SIDE * SIDE).map(|i| pixels.get(place(i)).copied().unwrap_or(P::EMPTY)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::CanvasRect;
    use crate::raster::mask::tests::Seeded;
    use crate::raster::{CoverGrid, PixelGrid, RgbaImage, resize_rgba};

    const CANVAS: Extent = Extent::new(421, 300);

    /// Rectangles on and beyond the canvas.
    fn random_pixels(seeded: &mut Seeded) -> PixelGrid {
        let mut grid = PixelGrid::new();
        for _ in 0..12 {
            let [r, g, b, a, ..] = seeded.next().to_le_bytes();
            let (x, y) = (seeded.below(900) as i32 - 300, seeded.below(800) as i32 - 300);
            let rect = PixelRect::new(x, y, 1 + seeded.below(200), 1 + seeded.below(200));
            grid.fill(rect, [r, g, b, a]);
        }
        grid
    }

    #[test]
    fn mirrors_and_turns_move_every_pixel_to_its_place() {
        let mut seeded = Seeded(61);
        let grid = random_pixels(&mut seeded);
        let (w, h) = (421, 300);
        let check = |moved: &PixelGrid, place: &dyn Fn(i32, i32) -> (i32, i32)| {
            for (x, y) in (0..40_000).map(|i| (i % 200 * 5 - 310, i / 200 * 4 - 310)) {
                let (to_x, to_y) = place(x, y);
                assert_eq!(moved.pixel(to_x, to_y), grid.pixel(x, y), "{x} {y}");
            }
        };
        check(&grid.flipped_horizontally(CANVAS), &|x, y| (w - 1 - x, y));
        check(&grid.flipped_vertically(CANVAS), &|x, y| (x, h - 1 - y));
        check(&grid.turned_around(CANVAS), &|x, y| (w - 1 - x, h - 1 - y));
        check(&grid.turned_clockwise(CANVAS), &|x, y| (h - 1 - y, x));
        check(&grid.turned_counterclockwise(CANVAS), &|x, y| (y, w - 1 - x));
    }

    #[test]
    fn mirrors_and_turns_can_be_undone() {
        let mut seeded = Seeded(62);
        let turned = Extent::new(CANVAS.height, CANVAS.width);
        for _ in 0..5 {
            let grid = random_pixels(&mut seeded);
            assert_eq!(grid.flipped_horizontally(CANVAS).flipped_horizontally(CANVAS), grid);
            assert_eq!(grid.flipped_vertically(CANVAS).flipped_vertically(CANVAS), grid);
            assert_eq!(grid.turned_around(CANVAS).turned_around(CANVAS), grid);
            let clockwise = grid.turned_clockwise(CANVAS);
            assert_eq!(clockwise.turned_counterclockwise(turned), grid);
            assert_eq!(clockwise.turned_clockwise(turned), grid.turned_around(CANVAS));
            let both = grid.flipped_vertically(CANVAS).flipped_horizontally(CANVAS);
            assert_eq!(both, grid.turned_around(CANVAS));
        }
    }

    #[test]
    fn scaling_the_canvas_is_scaling_its_picture() {
        let mut seeded = Seeded(63);
        let mut image = RgbaImage::new(CANVAS, [0; 4]);
        for pixel in image.pixels_mut() {
            let [r, g, b, a, kind, ..] = seeded.next().to_le_bytes();
            *pixel = [r, g, b, [0, 255, a][usize::from(kind % 3)]];
        }
        for to in [Extent::new(600, 520), Extent::new(100, 71), Extent::new(421, 150)] {
            let grid = PixelGrid::from_pixels(CANVAS.rect().into(), image.pixels());
            let scaled = grid.scaled_to_smooth(CANVAS, to);
            let expected = resize_rgba(&image, to);
            for (ours, expected) in scaled.read(to.rect().into()).iter().zip(expected.pixels()) {
                // The order of summing differs; colors of faint pixels are divided by their alpha.
                let alpha = f64::from(expected[3].max(1)) / 255.0;
                for (a, b) in ours.iter().zip(expected) {
                    assert!(
                        f64::from(a.abs_diff(*b)) <= 1.0 + 0.1 / alpha,
                        "{ours:?} {expected:?}"
                    );
                }
            }
            assert_eq!(scaled.bounds(), Some(PixelRect::from(to.rect())));
        }
    }

    #[test]
    fn an_opaque_canvas_stays_opaque_to_its_edges() {
        let mut grid = PixelGrid::new();
        grid.fill(CANVAS.rect().into(), [10, 200, 30, 255]);
        for to in [Extent::new(1000, 777), Extent::new(33, 20)] {
            let mut expected = PixelGrid::new();
            expected.fill(to.rect().into(), [10, 200, 30, 255]);
            assert_eq!(grid.scaled_to_smooth(CANVAS, to), expected);
            assert_eq!(grid.scaled_to_nearest(CANVAS, to), expected);
        }
    }

    #[test]
    fn pixels_enlarged_to_blocks_come_back() {
        let mut seeded = Seeded(64);
        let grid = random_pixels(&mut seeded);
        let large = Extent::new(CANVAS.width * 3, CANVAS.height * 2);
        let blocks = grid.scaled_to_nearest(CANVAS, large);
        assert_eq!(blocks.pixel(-3, -1), grid.pixel(-1, -1));
        assert_eq!(blocks.pixel(301, 401), grid.pixel(100, 200));
        assert_eq!(blocks.scaled_to_nearest(large, CANVAS), grid);
    }

    #[test]
    fn what_lies_beyond_the_canvas_is_scaled_too() {
        let mut grid = CoverGrid::new();
        grid.fill(PixelRect::new(-200, -100, 50, 60), 200);
        let half = Extent::new(CANVAS.width * 2, CANVAS.height * 2);
        let scaled = grid.scaled_to_smooth(CANVAS, half);
        assert_eq!(scaled.pixel(-350, -140), 200);
        let bounds = scaled.bounds().unwrap();
        let exact = PixelRect::new(-400, -200, 100, 120);
        assert!(bounds.union(exact) == bounds && exact.padded(4).union(bounds) == exact.padded(4));
        let canvas = CanvasRect::new(0, 0, half.width, half.height);
        assert!(scaled.read(canvas.into()).iter().all(|&cover| cover == 0));
    }
}
