//! Pixels in tiles that snapshots share.
//!
//! A [`TileGrid`] holds only the tiles that somebody painted on; an empty one costs nothing. Cloning
//! it copies a pointer, and writing to a clone copies only the tiles that are written to, so every
//! state of the undo history is a whole grid. Each tile knows its own smaller versions, for views
//! that are zoomed out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::geom::PixelRect;

/// Side of a tile in pixels.
pub const TILE_PX: u32 = 256;
/// The smallest version of a tile is one pixel: `256 >> 8`.
pub const MAX_LEVEL: u32 = 8;

const SIDE: usize = TILE_PX as usize;
const AREA: usize = SIDE * SIDE;
/// From this many pixels on, copying goes to several cores.
const PARALLEL_PX: usize = 1 << 20;

/// A kind of pixel that tiles can hold: colors with alpha, or cover.
pub trait Pixel: Copy + PartialEq + std::fmt::Debug + Send + Sync + 'static {
    /// What is where no tile is.
    const EMPTY: Self;

    /// The average of four pixels, for smaller versions of a tile.
    #[must_use]
    fn average(four: [Self; 4]) -> Self;
}

/// 8-bit sRGB with straight alpha.
impl Pixel for [u8; 4] {
    const EMPTY: Self = [0; 4];

    fn average(four: [Self; 4]) -> Self {
        let alpha: u32 = four.iter().map(|pixel| u32::from(pixel[3])).sum();
        if alpha == 0 {
            return [0; 4];
        }
        if alpha == 4 * 255 {
            let mean = |c: usize| {
                ((four.iter().map(|pixel| u32::from(pixel[c])).sum::<u32>() + 2) / 4) as u8
            };
            return [mean(0), mean(1), mean(2), 255];
        }
        // Colors count by their alpha: what is transparent has none.
        let mean = |c: usize| {
            let sum: u32 = four.iter().map(|pixel| u32::from(pixel[c]) * u32::from(pixel[3])).sum();
            ((sum + alpha / 2) / alpha) as u8
        };
        [mean(0), mean(1), mean(2), ((alpha + 2) / 4) as u8]
    }
}

/// 8-bit cover of a mask or a selection.
impl Pixel for u8 {
    const EMPTY: Self = 0;

    fn average(four: [Self; 4]) -> Self {
        ((four.iter().map(|&cover| u32::from(cover)).sum::<u32>() + 2) / 4) as Self
    }
}

/// A square of [`TILE_PX`] by [`TILE_PX`] pixels.
#[derive(Debug)]
pub struct Tile<P> {
    version: u64,
    // Invariant: AREA pixels.
    pixels: Box<[P]>,
    // Levels 1 to MAX_LEVEL, one after the other.
    smaller: OnceLock<Box<[P]>>,
    // The newest changes, oldest first: the version before, and the part of the tile that changed.
    changes: Vec<(u64, PixelRect)>,
}

/// Changes that a tile remembers; a copy on a graphics card that is older is replaced as a whole.
const MAX_CHANGES: usize = 32;

static LAST_VERSION: AtomicU64 = AtomicU64::new(0);

fn next_version() -> u64 {
    LAST_VERSION.fetch_add(1, Ordering::Relaxed) + 1
}

impl<P: Pixel> Clone for Tile<P> {
    fn clone(&self) -> Self {
        // Tiles are cloned to be written to, so the smaller versions would be thrown away.
        let mut tile = Self {
            version: self.version,
            pixels: self.pixels.clone(),
            smaller: OnceLock::new(),
            changes: self.changes.clone(),
        };
        tile.note_change(PixelRect::default());
        tile
    }
}

impl<P: Pixel> Tile<P> {
    /// A tile of one value.
    #[must_use]
    pub fn filled(value: P) -> Self {
        Self {
            version: next_version(),
            pixels: vec![value; AREA].into_boxed_slice(),
            smaller: OnceLock::new(),
            changes: Vec::new(),
        }
    }

    /// A tile of these pixels, row by row; what is missing is empty, what is too much is left away.
    #[must_use]
    pub fn from_pixels(mut pixels: Vec<P>) -> Self {
        pixels.resize(AREA, P::EMPTY);
        Self {
            version: next_version(),
            pixels: pixels.into_boxed_slice(),
            smaller: OnceLock::new(),
            changes: Vec::new(),
        }
    }

    /// Changes whenever a pixel may have changed, and never comes back: two tiles with the same
    /// version have the same pixels.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// All pixels, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[P] {
        &self.pixels
    }

    /// All pixels, to be changed within a part of the tile, given in the tile's own coordinates.
    pub fn pixels_mut(&mut self, part: PixelRect) -> &mut [P] {
        self.note_change(part);
        self.smaller = OnceLock::new();
        &mut self.pixels
    }

    /// The part of the tile, in its own coordinates, that may differ from what it was at a version;
    /// nothing where that is not known, so that the whole tile may differ.
    #[must_use]
    pub fn changed_since(&self, version: u64) -> Option<PixelRect> {
        if version == self.version {
            return Some(PixelRect::default());
        }
        let first = self.changes.iter().position(|(before, _)| *before == version)?;
        let later = self.changes.get(first..)?;
        Some(later.iter().fold(PixelRect::default(), |all, (_, part)| all.union(*part)))
    }

    fn note_change(&mut self, part: PixelRect) {
        if self.changes.len() == MAX_CHANGES {
            self.changes.remove(0);
        }
        self.changes.push((self.version, part));
        self.version = next_version();
    }

    /// The tile at `1 / 2^level` of its size, row by row: `TILE_PX >> level` pixels a side.
    ///
    /// Level 0 is the tile itself; levels beyond [`MAX_LEVEL`] are its one last pixel.
    #[must_use]
    pub fn level(&self, level: u32) -> &[P] {
        if level == 0 {
            return &self.pixels;
        }
        let level = level.min(MAX_LEVEL);
        let smaller = self.smaller.get_or_init(|| self.build_levels());
        let mut start = 0;
        for l in 1..level {
            start += (SIDE >> l) * (SIDE >> l);
        }
        let side = SIDE >> level;
        smaller.get(start..start + side * side).unwrap_or_default()
    }

    fn build_levels(&self) -> Box<[P]> {
        let mut all = Vec::with_capacity(AREA / 3);
        let mut source: Vec<P> = halved(&self.pixels, SIDE);
        let mut side = SIDE / 2;
        loop {
            all.extend_from_slice(&source);
            if side == 1 {
                return all.into_boxed_slice();
            }
            source = halved(&source, side);
            side /= 2;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pixels.iter().all(|&pixel| pixel == P::EMPTY)
    }
}

/// A square picture at half its side.
fn halved<P: Pixel>(pixels: &[P], side: usize) -> Vec<P> {
    let mut result = Vec::with_capacity(side * side / 4);
    for rows in pixels.chunks_exact(side * 2) {
        let (upper, lower) = rows.split_at(side);
        for (a, b) in upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0) {
            result.push(P::average([a[0], a[1], b[0], b[1]]));
        }
    }
    result
}

/// Column and row of a tile; tile `(0, 0)` has the canvas' first pixel, others may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileIndex {
    /// Tiles below the origin.
    pub row: i32,
    /// Tiles right of the origin.
    pub column: i32,
}

impl TileIndex {
    /// The tile that holds a pixel.
    #[must_use]
    pub const fn of_pixel(x: i32, y: i32) -> Self {
        Self { row: y.div_euclid(TILE_PX as i32), column: x.div_euclid(TILE_PX as i32) }
    }

    /// The pixels of the tile.
    #[must_use]
    pub const fn rect(self) -> PixelRect {
        PixelRect::new(
            self.column.saturating_mul(TILE_PX as i32),
            self.row.saturating_mul(TILE_PX as i32),
            TILE_PX,
            TILE_PX,
        )
    }

    /// The tiles that a rectangle touches, row by row.
    pub fn touching(rect: PixelRect) -> impl Iterator<Item = Self> {
        let empty = rect.is_empty();
        let first = Self::of_pixel(rect.x, rect.y);
        let last = Self::of_pixel(rect.right() - 1, rect.bottom() - 1);
        (first.row..=last.row)
            .flat_map(move |row| {
                (first.column..=last.column).map(move |column| Self { row, column })
            })
            .take(if empty { 0 } else { usize::MAX })
    }
}

/// Pixels in shared tiles, unbounded in every direction.
#[derive(Clone, Debug)]
pub struct TileGrid<P: Pixel> {
    tiles: Arc<BTreeMap<TileIndex, Arc<Tile<P>>>>,
}

/// The pixels of a layer.
pub type PixelGrid = TileGrid<[u8; 4]>;
/// The cover of a selection or of a layer's mask.
pub type CoverGrid = TileGrid<u8>;

impl<P: Pixel> Default for TileGrid<P> {
    fn default() -> Self {
        Self { tiles: Arc::new(BTreeMap::new()) }
    }
}

/// Equal pixels; a tile of empty pixels equals no tile.
impl<P: Pixel> PartialEq for TileGrid<P> {
    fn eq(&self, other: &Self) -> bool {
        self.changed_tiles(other).is_empty()
    }
}

impl<P: Pixel> TileGrid<P> {
    /// A grid without a tile.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A number that two grids share as long as both live and one is an unchanged clone of the
    /// other; it says nothing about grids that are gone.
    #[must_use]
    pub fn identity(&self) -> usize {
        Arc::as_ptr(&self.tiles).addr()
    }

    /// Whether there is no tile at all.
    #[must_use]
    pub fn has_no_tiles(&self) -> bool {
        self.tiles.is_empty()
    }

    /// A tile; nothing where all its pixels are empty.
    #[must_use]
    pub fn tile(&self, at: TileIndex) -> Option<&Arc<Tile<P>>> {
        self.tiles.get(&at)
    }

    /// All tiles, by row and column.
    pub fn tiles(&self) -> impl Iterator<Item = (TileIndex, &Arc<Tile<P>>)> {
        self.tiles.iter().map(|(&at, tile)| (at, tile))
    }

    /// Puts a whole tile in its place.
    pub fn set_tile(&mut self, at: TileIndex, tile: Option<Arc<Tile<P>>>) {
        match tile {
            Some(tile) => Arc::make_mut(&mut self.tiles).insert(at, tile),
            None => self.take_tile(at),
        };
    }

    /// Takes a whole tile out; writing to what comes back copies it only where a clone shares it.
    pub fn take_tile(&mut self, at: TileIndex) -> Option<Arc<Tile<P>>> {
        if !self.tiles.contains_key(&at) {
            return None;
        }
        Arc::make_mut(&mut self.tiles).remove(&at)
    }

    /// The pixel in column `x` and row `y`.
    #[must_use]
    pub fn pixel(&self, x: i32, y: i32) -> P {
        let at = TileIndex::of_pixel(x, y);
        let Some(tile) = self.tile(at) else { return P::EMPTY };
        let (column, row) = (x.rem_euclid(TILE_PX as i32), y.rem_euclid(TILE_PX as i32));
        tile.pixels.get(row as usize * SIDE + column as usize).copied().unwrap_or(P::EMPTY)
    }

    /// Calls `change` for every row of `rect` within every tile, with the column and row of the
    /// first pixel; tiles that are missing are made.
    pub fn update(&mut self, rect: PixelRect, mut change: impl FnMut(i32, i32, &mut [P])) {
        if rect.is_empty() {
            return;
        }
        let tiles = Arc::make_mut(&mut self.tiles);
        for at in TileIndex::touching(rect) {
            let tile = tiles.entry(at).or_insert_with(|| Arc::new(Tile::filled(P::EMPTY)));
            rows_of(Arc::make_mut(tile), at, rect, &mut change);
        }
    }

    /// Like [`Self::update`], but leaves alone what has no tile: for erasing.
    pub fn update_existing(&mut self, rect: PixelRect, mut change: impl FnMut(i32, i32, &mut [P])) {
        if !TileIndex::touching(rect).any(|at| self.tiles.contains_key(&at)) {
            return;
        }
        let tiles = Arc::make_mut(&mut self.tiles);
        for at in TileIndex::touching(rect) {
            if let Some(tile) = tiles.get_mut(&at) {
                rows_of(Arc::make_mut(tile), at, rect, &mut change);
            }
        }
    }

    /// A grid of these tiles; those without a pixel are left away.
    pub(crate) fn from_tiles(tiles: impl IntoIterator<Item = (TileIndex, Arc<Tile<P>>)>) -> Self {
        Self { tiles: Arc::new(tiles.into_iter().filter(|(_, tile)| !tile.is_empty()).collect()) }
    }

    /// A grid with the pixels of `rect`, row by row, on all cores.
    #[must_use]
    pub fn from_pixels(rect: PixelRect, pixels: &[P]) -> Self {
        let touched: Vec<TileIndex> = TileIndex::touching(rect).collect();
        let cut = |at: TileIndex| {
            let part = at.rect().intersection(rect)?;
            let width = part.width as usize;
            let rows = (part.y..part.bottom()).map(|y| {
                let start = y.abs_diff(rect.y) as usize * rect.width as usize
                    + part.x.abs_diff(rect.x) as usize;
                pixels.get(start..start + width).unwrap_or_default()
            });
            // Most tiles of most layers are empty; they are found out before anything is copied.
            if rows.clone().all(|row| row.iter().all(|&pixel| pixel == P::EMPTY)) {
                return None;
            }
            let mut tile = vec![P::EMPTY; AREA];
            let left = part.x.abs_diff(at.rect().x) as usize;
            let top = part.y.abs_diff(at.rect().y) as usize;
            for (row, target) in rows.zip(tile.chunks_exact_mut(SIDE).skip(top)) {
                if let Some(target) = target.get_mut(left..left + row.len()) {
                    target.copy_from_slice(row);
                }
            }
            Some((at, Arc::new(Tile::from_pixels(tile))))
        };
        let tiles: Vec<_> = touched.into_par_iter().filter_map(cut).collect();
        Self { tiles: Arc::new(tiles.into_iter().collect()) }
    }

    /// Copies the pixels of `rect`, row by row; large parts on all cores.
    #[must_use]
    pub fn read(&self, rect: PixelRect) -> Vec<P> {
        let mut pixels = vec![P::EMPTY; rect.extent().area()];
        let band_rows = if pixels.len() > PARALLEL_PX { SIDE } else { rect.height as usize };
        let copy = |(top, band): (i32, &mut [P])| {
            let rows = band.len().checked_div(rect.width as usize).unwrap_or_default();
            let part = PixelRect::new(rect.x, rect.y + top, rect.width, rows as u32);
            self.for_rows(part, |x, y, row| {
                let start =
                    y.abs_diff(part.y) as usize * rect.width as usize + x.abs_diff(rect.x) as usize;
                if let Some(target) = band.get_mut(start..start + row.len()) {
                    target.copy_from_slice(row);
                }
            });
        };
        if band_rows < rect.height as usize {
            let bands = pixels.par_chunks_mut(band_rows * rect.width as usize).enumerate();
            bands.for_each(|(i, band)| copy(((i * band_rows) as i32, band)));
        } else {
            copy((0, &mut pixels));
        }
        pixels
    }

    /// Copies a part of the picture at `1 / 2^level` of its size, row by row; `rect` counts the
    /// smaller picture's pixels.
    ///
    /// Levels beyond [`MAX_LEVEL`] are not smaller than that one.
    #[must_use]
    pub fn read_level(&self, rect: PixelRect, level: u32) -> Vec<P> {
        let level = level.min(MAX_LEVEL);
        if level == 0 {
            return self.read(rect);
        }
        let mut pixels = vec![P::EMPTY; rect.extent().area()];
        let side = TILE_PX >> level;
        let touched: Vec<(PixelRect, PixelRect, &Arc<Tile<P>>)> = self
            .tiles()
            .filter_map(|(at, tile)| {
                let TileIndex { row, column } = at;
                let place = PixelRect::new(column * side as i32, row * side as i32, side, side);
                Some((place, place.intersection(rect)?, tile))
            })
            .collect();
        // The smaller versions of tiles are made when first asked for, which is most of the work.
        let small: Vec<&[P]> = touched.par_iter().map(|(_, _, tile)| tile.level(level)).collect();
        for ((place, part, _), small) in touched.into_iter().zip(small) {
            let (left, width) = (part.x.abs_diff(place.x) as usize, part.width as usize);
            for y in part.y..part.bottom() {
                let source = y.abs_diff(place.y) as usize * side as usize + left;
                let start = y.abs_diff(rect.y) as usize * rect.width as usize
                    + part.x.abs_diff(rect.x) as usize;
                let source = small.get(source..source + width);
                if let (Some(target), Some(source)) = (pixels.get_mut(start..start + width), source)
                {
                    target.copy_from_slice(source);
                }
            }
        }
        pixels
    }

    /// Calls `look` for every row of `rect` within every tile that there is.
    pub fn for_rows(&self, rect: PixelRect, mut look: impl FnMut(i32, i32, &[P])) {
        for at in TileIndex::touching(rect) {
            let (Some(tile), Some(part)) = (self.tile(at), at.rect().intersection(rect)) else {
                continue;
            };
            let left = part.x.abs_diff(at.rect().x) as usize;
            for y in part.y..part.bottom() {
                let start = y.abs_diff(at.rect().y) as usize * SIDE + left;
                if let Some(row) = tile.pixels.get(start..start + part.width as usize) {
                    look(part.x, y, row);
                }
            }
        }
    }

    /// Replaces the pixels of `rect` by `pixels`, row by row.
    ///
    /// Rows that `pixels` is too short for stay as they are.
    pub fn write(&mut self, rect: PixelRect, pixels: &[P]) {
        self.update(rect, |x, y, row| {
            let start =
                y.abs_diff(rect.y) as usize * rect.width as usize + x.abs_diff(rect.x) as usize;
            if let Some(source) = pixels.get(start..start + row.len()) {
                row.copy_from_slice(source);
            }
        });
        self.drop_empty_tiles(rect);
    }

    /// Gives every pixel of `rect` the same value.
    pub fn fill(&mut self, rect: PixelRect, value: P) {
        if value == P::EMPTY {
            self.clear(rect);
            return;
        }
        // Whole tiles are one shared tile.
        let whole = OnceLock::new();
        let tiles = Arc::make_mut(&mut self.tiles);
        for at in TileIndex::touching(rect) {
            if at.rect().intersection(rect) == Some(at.rect()) {
                tiles.insert(at, Arc::clone(whole.get_or_init(|| Arc::new(Tile::filled(value)))));
            } else {
                let tile = tiles.entry(at).or_insert_with(|| Arc::new(Tile::filled(P::EMPTY)));
                rows_of(Arc::make_mut(tile), at, rect, &mut |_, _, row: &mut [P]| row.fill(value));
            }
        }
    }

    /// Makes every pixel of `rect` empty.
    pub fn clear(&mut self, rect: PixelRect) {
        let touched: Vec<TileIndex> =
            TileIndex::touching(rect).filter(|at| self.tiles.contains_key(at)).collect();
        if touched.is_empty() {
            return;
        }
        let tiles = Arc::make_mut(&mut self.tiles);
        for at in touched {
            if at.rect().intersection(rect) == Some(at.rect()) {
                tiles.remove(&at);
            } else if let Some(tile) = tiles.get_mut(&at) {
                let tile = Arc::make_mut(tile);
                rows_of(tile, at, rect, &mut |_, _, row: &mut [P]| row.fill(P::EMPTY));
                if tile.is_empty() {
                    tiles.remove(&at);
                }
            }
        }
    }

    /// Forgets the tiles in `rect` that hold nothing.
    pub fn drop_empty_tiles(&mut self, rect: PixelRect) {
        let empty: Vec<TileIndex> = TileIndex::touching(rect)
            .filter(|at| self.tile(*at).is_some_and(|tile| tile.is_empty()))
            .collect();
        if !empty.is_empty() {
            let tiles = Arc::make_mut(&mut self.tiles);
            for at in empty {
                tiles.remove(&at);
            }
        }
    }

    /// The same pixels `dx` columns to the right and `dy` rows down.
    #[must_use]
    pub fn shifted(&self, dx: i32, dy: i32) -> Self {
        let side = TILE_PX as i32;
        if dx % side == 0 && dy % side == 0 {
            let moved = self.tiles.iter().map(|(at, tile)| {
                let at = TileIndex { row: at.row + dy / side, column: at.column + dx / side };
                (at, Arc::clone(tile))
            });
            return Self { tiles: Arc::new(moved.collect()) };
        }
        let mut result = Self::new();
        for (at, tile) in self.tiles() {
            result.write(at.rect().shifted(dx, dy), &tile.pixels);
        }
        result
    }

    /// The smallest rectangle of whole tiles that holds all tiles.
    #[must_use]
    pub fn tile_bounds(&self) -> Option<PixelRect> {
        self.tiles.keys().map(|at| at.rect()).reduce(PixelRect::union)
    }

    /// The smallest rectangle that holds all pixels that are not empty.
    #[must_use]
    pub fn bounds(&self) -> Option<PixelRect> {
        let mut bounds: Option<PixelRect> = None;
        for (at, tile) in self.tiles() {
            // What can't widen the bounds isn't looked at.
            if bounds.is_some_and(|known| known.union(at.rect()) == known) {
                continue;
            }
            let rect = at.rect();
            for (row, y) in tile.pixels.chunks_exact(SIDE).zip(rect.y..) {
                let Some(first) = row.iter().position(|&pixel| pixel != P::EMPTY) else { continue };
                let last = row.iter().rposition(|&pixel| pixel != P::EMPTY).unwrap_or(first);
                let part = PixelRect::new(rect.x + first as i32, y, (last - first + 1) as u32, 1);
                bounds = Some(bounds.map_or(part, |known| known.union(part)));
            }
        }
        bounds
    }

    /// Bytes of all tiles, shared or not.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tiles.len() * AREA * size_of::<P>()
    }

    /// Bytes of the tiles that `other` does not share.
    #[must_use]
    pub fn bytes_beyond(&self, other: &Self) -> usize {
        let own = self
            .tiles
            .iter()
            .filter(|(at, tile)| other.tile(**at).is_none_or(|theirs| !Arc::ptr_eq(tile, theirs)));
        own.count() * AREA * size_of::<P>()
    }

    /// The tiles whose pixels differ.
    #[must_use]
    pub fn changed_tiles(&self, other: &Self) -> Vec<TileIndex> {
        if Arc::ptr_eq(&self.tiles, &other.tiles) {
            return Vec::new();
        }
        let same = |a: Option<&Arc<Tile<P>>>, b: Option<&Arc<Tile<P>>>| match (a, b) {
            (Some(a), Some(b)) => {
                Arc::ptr_eq(a, b) || a.version == b.version || a.pixels == b.pixels
            }
            (Some(one), None) | (None, Some(one)) => one.is_empty(),
            (None, None) => true,
        };
        let mut all: Vec<TileIndex> =
            self.tiles.keys().chain(other.tiles.keys()).copied().collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|at| !same(self.tile(*at), other.tile(*at)));
        all
    }
}

/// Calls `change` for every row of `rect` in the tile at `at`.
fn rows_of<P: Pixel>(
    tile: &mut Tile<P>,
    at: TileIndex,
    rect: PixelRect,
    change: &mut impl FnMut(i32, i32, &mut [P]),
) {
    let Some(part) = at.rect().intersection(rect) else { return };
    let inside = part.shifted(-at.rect().x, -at.rect().y);
    let left = inside.x as usize;
    let pixels = tile.pixels_mut(inside);
    for y in part.y..part.bottom() {
        let start = y.abs_diff(at.rect().y) as usize * SIDE + left;
        if let Some(row) = pixels.get_mut(start..start + part.width as usize) {
            change(part.x, y, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted() -> PixelGrid {
        let mut grid = PixelGrid::new();
        grid.update(PixelRect::new(-20, 250, 300, 20), |x, y, row| {
            for (pixel, x) in row.iter_mut().zip(x..) {
                *pixel = [x as u8, y as u8, 7, 255];
            }
        });
        grid
    }

    #[test]
    fn pixels_are_found_where_they_were_written() {
        let grid = painted();
        assert_eq!(grid.pixel(-20, 250), [236, 250, 7, 255]);
        assert_eq!(grid.pixel(279, 269), [23, 13, 7, 255]);
        assert_eq!(grid.pixel(280, 269), [0; 4]);
        assert_eq!(grid.bounds(), Some(PixelRect::new(-20, 250, 300, 20)));
        let rect = PixelRect::new(-30, 240, 40, 20);
        let mut copy = PixelGrid::new();
        copy.write(rect, &grid.read(rect));
        assert_eq!(copy.pixel(5, 255), grid.pixel(5, 255));
        assert_eq!(copy.tiles().count(), 4);
    }

    #[test]
    fn pixels_taken_out_and_put_back_are_the_same() {
        let grid = painted();
        let rect = PixelRect::new(-100, -300, 1500, 1400);
        let pixels = grid.read(rect);
        assert_eq!(pixels[(100 + 5) + (300 + 255) * 1500], grid.pixel(5, 255));
        let copy = PixelGrid::from_pixels(rect, &pixels);
        assert_eq!(copy, grid);
        assert_eq!(copy.tiles().count(), grid.tiles().count());
    }

    #[test]
    fn a_smaller_picture_is_put_together_from_the_smaller_tiles() {
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::new(-256, 0, 1024, 128), [40, 50, 60, 255]);
        let rect = PixelRect::new(-5, -1, 20, 5);
        let small = grid.read_level(rect, 6);
        for (i, pixel) in (0..).zip(small) {
            let inside = PixelRect::new(-4, 0, 16, 2).contains(i % 20 - 5, i / 20 - 1);
            assert_eq!(pixel, if inside { [40, 50, 60, 255] } else { [0; 4] });
        }
        assert_eq!(grid.read_level(rect, 0), grid.read(rect));
    }

    #[test]
    fn a_clone_shares_all_tiles_but_those_that_are_written_to() {
        let grid = painted();
        let mut copy = grid.clone();
        assert_eq!(copy.bytes_beyond(&grid), 0);
        copy.fill(PixelRect::new(0, 250, 1, 1), [1; 4]);
        assert_eq!(copy.bytes_beyond(&grid), AREA * 4);
        assert_eq!(copy.changed_tiles(&grid), [TileIndex { row: 0, column: 0 }]);
        assert_eq!(grid.pixel(0, 250), [0, 250, 7, 255]);
        copy.fill(PixelRect::new(0, 250, 1, 1), [0, 250, 7, 255]);
        assert_eq!(copy, grid);
    }

    #[test]
    fn what_is_cleared_costs_nothing() {
        let mut grid = painted();
        grid.clear(PixelRect::new(-20, 250, 300, 10));
        assert!(grid.tiles().count() > 0);
        grid.clear(PixelRect::new(-21, 260, 400, 10));
        assert!(grid.has_no_tiles());
        grid.update_existing(PixelRect::new(0, 0, 9, 9), |_, _, row| row.fill([9; 4]));
        assert!(grid.has_no_tiles());
    }

    #[test]
    fn shifting_there_and_back_changes_nothing() {
        let grid = painted();
        for (dx, dy) in [(256, -512), (3, 7), (-300, 0)] {
            let moved = grid.shifted(dx, dy);
            assert_eq!(moved.pixel(-20 + dx, 250 + dy), grid.pixel(-20, 250));
            assert_eq!(moved.shifted(-dx, -dy), grid);
        }
    }

    #[test]
    fn smaller_levels_are_averages_in_which_transparent_pixels_have_no_color() {
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::new(0, 0, 128, 256), [200, 100, 0, 255]);
        grid.fill(PixelRect::new(128, 0, 1, 256), [0, 0, 255, 0]);
        let tile = grid.tile(TileIndex { row: 0, column: 0 }).unwrap();
        assert_eq!(tile.level(8), [[200, 100, 0, 128]]);
        assert_eq!(tile.level(1).len(), 128 * 128);
        assert_eq!(tile.level(1)[63], [200, 100, 0, 255]);
        assert_eq!(tile.level(1)[64], [0; 4]);
        assert_eq!(u8::average([255, 255, 0, 0]), 128);
    }

    #[test]
    fn a_version_never_stands_for_two_contents() {
        let mut grid = painted();
        let at = TileIndex { row: 0, column: 0 };
        let before = grid.tile(at).unwrap().version();
        grid.fill(PixelRect::new(1, 1, 1, 1), [3; 4]);
        assert_ne!(grid.tile(at).unwrap().version(), before);
    }

    #[test]
    fn a_tile_says_what_changed_since_a_version() {
        let at = TileIndex { row: 0, column: 0 };
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::new(0, 0, 256, 256), [9; 4]);
        let first = grid.tile(at).unwrap().version();
        let snapshot = grid.clone();
        grid.fill(PixelRect::new(3, 4, 2, 2), [1; 4]);
        grid.fill(PixelRect::new(10, 4, 1, 1), [1; 4]);
        let tile = grid.tile(at).unwrap();
        assert_eq!(tile.changed_since(first), Some(PixelRect::new(3, 4, 8, 2)));
        assert_eq!(tile.changed_since(tile.version()), Some(PixelRect::default()));
        assert_eq!(snapshot.tile(at).unwrap().changed_since(tile.version()), None);
        for i in 0..40 {
            grid.fill(PixelRect::new(i, 0, 1, 1), [2; 4]);
        }
        assert_eq!(grid.tile(at).unwrap().changed_since(first), None);
    }
}
