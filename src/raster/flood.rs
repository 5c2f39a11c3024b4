//! The magic wand: pixels that look like the one that was clicked.
//!
//! Pictures are read a tile at a time, and only where the flood arrives. Within a tile, a bit says
//! whether a pixel is alike and another whether the flood has reached it, so that a row is filled
//! in a few operations. All tiles that the flood has just entered are worked on at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::geom::{Extent, PixelRect};
use crate::raster::{CoverGrid, TILE_PX, Tile, TileIndex};

const SIDE: usize = TILE_PX as usize;
const WORDS: usize = SIDE / 64;

/// Which of the pixels that are alike the wand takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloodReach {
    /// Those that are connected with the first one over the sides of pixels.
    Connected,
    /// All on the canvas.
    Everywhere,
}

/// The pixels of a canvas that look like the one at `seed`, fully covered.
///
/// `read` gives the pixels of a rectangle on the canvas, row by row; it is asked for the seed's pixel
/// and then for no tile twice. A pixel is alike when no channel, alpha included, differs
/// by more than `tolerance`; colors count as much as they are seen, so that transparent pixels are
/// alike whatever color they hide. A seed outside of the canvas gives nothing.
#[must_use]
pub fn flood(
    canvas: Extent,
    seed: (i32, i32),
    tolerance: u8,
    reach: FloodReach,
    read: &(impl Fn(PixelRect) -> Vec<[u8; 4]> + Sync),
) -> CoverGrid {
    let canvas = PixelRect::from(canvas.rect());
    let (x, y) = seed;
    if !canvas.contains(x, y) {
        return CoverGrid::new();
    }
    let Some(&like) = read(PixelRect::new(x, y, 1, 1)).first() else { return CoverGrid::new() };
    let alike = |at: TileIndex| {
        let part = at.rect().intersection(canvas).unwrap_or_default();
        alike_bits(&read(part), part.width as usize, like, tolerance)
    };
    let full = Arc::new(Tile::filled(255));
    let tiles: Vec<(TileIndex, Arc<Tile<u8>>)> = match reach {
        FloodReach::Everywhere => {
            let all: Vec<TileIndex> = TileIndex::touching(canvas).collect();
            all.into_par_iter().map(|at| (at, tile_of(&alike(at), &full))).collect()
        }
        FloodReach::Connected => {
            let flooded = connected((x, y), canvas, &alike);
            flooded.into_par_iter().map(|(at, tile)| (at, tile_of(&tile.reached, &full))).collect()
        }
    };
    CoverGrid::from_tiles(tiles)
}

/// A row of a tile, one bit a pixel, the first one lowest.
type Row = [u64; WORDS];
/// The rows of a tile.
type Bits = Vec<Row>;

/// A tile that the flood has entered.
struct Flooded {
    alike: Bits,
    reached: Bits,
}

/// What comes in over the sides of a tile: one bit for each pixel along a side.
#[derive(Clone, Copy, Default)]
struct Sides {
    top: Row,
    bottom: Row,
    left: Row,
    right: Row,
}

fn connected(
    seed: (i32, i32),
    canvas: PixelRect,
    alike: &(impl Fn(TileIndex) -> Bits + Sync),
) -> BTreeMap<TileIndex, Flooded> {
    let mut flooded: BTreeMap<TileIndex, Flooded> = BTreeMap::new();
    let first = TileIndex::of_pixel(seed.0, seed.1);
    let in_tile = (seed.0.abs_diff(first.rect().x), seed.1.abs_diff(first.rect().y));
    // The seed lies in the middle of a tile; everything later comes in over a side.
    let mut start = Flooded { alike: alike(first), reached: vec![[0; WORDS]; SIDE] };
    start.enter(in_tile.1 as usize, bit(in_tile.0 as usize));
    let mut news = vec![(first, start.spread(&Sides::default()))];
    flooded.insert(first, start);
    while !news.is_empty() {
        let mut incoming: BTreeMap<TileIndex, Sides> = BTreeMap::new();
        for (TileIndex { row, column }, out) in news {
            let mut into = |row: i32, column: i32, add: &dyn Fn(&mut Sides)| {
                let at = TileIndex { row, column };
                if at.rect().intersection(canvas).is_some() {
                    add(incoming.entry(at).or_default());
                }
            };
            if out.top != [0; WORDS] {
                into(row - 1, column, &|sides| join(&mut sides.bottom, &out.top));
            }
            if out.bottom != [0; WORDS] {
                into(row + 1, column, &|sides| join(&mut sides.top, &out.bottom));
            }
            if out.left != [0; WORDS] {
                into(row, column - 1, &|sides| join(&mut sides.right, &out.left));
            }
            if out.right != [0; WORDS] {
                into(row, column + 1, &|sides| join(&mut sides.left, &out.right));
            }
        }
        let work: Vec<(TileIndex, Sides, Option<Flooded>)> =
            incoming.into_iter().map(|(at, sides)| (at, sides, flooded.remove(&at))).collect();
        let done: Vec<(TileIndex, Flooded, Sides)> = work
            .into_par_iter()
            .map(|(at, sides, tile)| {
                let mut tile = tile.unwrap_or_else(|| Flooded {
                    alike: alike(at),
                    reached: vec![[0; WORDS]; SIDE],
                });
                let out = tile.spread(&sides);
                (at, tile, out)
            })
            .collect();
        news = done
            .into_iter()
            .map(|(at, tile, out)| {
                flooded.insert(at, tile);
                (at, out)
            })
            .collect();
    }
    flooded
}

impl Flooded {
    /// Lets the flood into a row; answers whether it got farther than it was.
    fn enter(&mut self, y: usize, bits: Row) -> bool {
        let (Some(reached), Some(alike)) = (self.reached.get_mut(y), self.alike.get(y)) else {
            return false;
        };
        let mut new = *reached;
        for ((new, bits), alike) in new.iter_mut().zip(bits).zip(alike) {
            *new |= bits & alike;
        }
        if new == *reached {
            return false;
        }
        *reached = filled_runs(new, alike);
        true
    }

    /// Lets the flood in and all through the tile; answers with what it newly reached along the
    /// sides.
    fn spread(&mut self, sides: &Sides) -> Sides {
        let before = self.sides();
        // The first call after the seed has entered comes with nothing, and says all it reached.
        let is_first = sides.is_empty();
        self.enter(0, sides.top);
        self.enter(SIDE - 1, sides.bottom);
        for y in 0..SIDE {
            let mut bits = [0; WORDS];
            bits[0] |= u64::from(has(&sides.left, y));
            bits[WORDS - 1] |= u64::from(has(&sides.right, y)) << 63;
            self.enter(y, bits);
        }
        let row = |tile: &Self, y: usize| tile.reached.get(y).copied().unwrap_or_default();
        loop {
            let mut farther = false;
            for y in 1..SIDE {
                farther |= self.enter(y, row(self, y - 1));
            }
            for y in (0..SIDE - 1).rev() {
                farther |= self.enter(y, row(self, y + 1));
            }
            if !farther {
                break;
            }
        }
        let after = self.sides();
        if is_first { after } else { after.without(&before) }
    }

    fn sides(&self) -> Sides {
        let mut sides = Sides {
            top: self.reached.first().copied().unwrap_or_default(),
            bottom: self.reached.last().copied().unwrap_or_default(),
            ..Sides::default()
        };
        for (y, row) in self.reached.iter().enumerate() {
            if has(row, 0) {
                join(&mut sides.left, &bit(y));
            }
            if has(row, SIDE - 1) {
                join(&mut sides.right, &bit(y));
            }
        }
        sides
    }
}

impl Sides {
    fn is_empty(&self) -> bool {
        [self.top, self.bottom, self.left, self.right] == [[0; WORDS]; 4]
    }

    fn without(&self, other: &Self) -> Self {
        let less = |a: Row, b: Row| {
            let mut left = a;
            left.iter_mut().zip(b).for_each(|(left, b)| *left &= !b);
            left
        };
        Self {
            top: less(self.top, other.top),
            bottom: less(self.bottom, other.bottom),
            left: less(self.left, other.left),
            right: less(self.right, other.right),
        }
    }
}

fn bit(place: usize) -> Row {
    let mut row = [0; WORDS];
    if let Some(word) = row.get_mut(place / 64) {
        *word = 1 << (place % 64);
    }
    row
}

fn has(row: &Row, place: usize) -> bool {
    row.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
}

fn join(row: &mut Row, more: &Row) {
    row.iter_mut().zip(more).for_each(|(row, more)| *row |= more);
}

/// `reached` with all of each run of `alike` that it touches.
fn filled_runs(reached: Row, alike: &Row) -> Row {
    let mut row = reached;
    let mut carry = 0;
    for (word, &alike) in row.iter_mut().zip(alike) {
        *word = filled_word(*word | (carry & alike), alike);
        carry = *word >> 63;
    }
    carry = 0;
    for (word, &alike) in row.iter_mut().zip(alike).rev() {
        *word = filled_word(*word | (carry & alike), alike);
        carry = *word << 63;
    }
    row
}

/// The same within 64 pixels, by doubling steps to both sides.
fn filled_word(reached: u64, alike: u64) -> u64 {
    if reached == 0 || alike == u64::MAX {
        return if reached == 0 { 0 } else { u64::MAX };
    }
    let (mut up, mut down) = (reached, reached);
    let (mut up_open, mut down_open) = (alike, alike);
    for step in [1, 2, 4, 8, 16, 32] {
        up |= up_open & (up << step);
        up_open &= up_open << step;
        down |= down_open & (down >> step);
        down_open &= down_open >> step;
    }
    up | down
}

/// Which pixels are alike; those that are missing to a whole tile are not.
fn alike_bits(pixels: &[[u8; 4]], width: usize, like: [u8; 4], tolerance: u8) -> Bits {
    let mut bits = vec![[0; WORDS]; SIDE];
    let seen = as_seen(like);
    for (bits, row) in bits.iter_mut().zip(pixels.chunks(width.max(1))) {
        for (word, pixels) in bits.iter_mut().zip(row.chunks(64)) {
            for (i, &pixel) in pixels.iter().enumerate() {
                *word |= u64::from(is_alike(as_seen(pixel), seen, tolerance)) << i;
            }
        }
    }
    bits
}

#[inline(always)]
fn is_alike(a: [u8; 4], b: [u8; 4], tolerance: u8) -> bool {
    let difference = |c: usize| a[c].abs_diff(b[c]);
    difference(0).max(difference(1)).max(difference(2)).max(difference(3)) <= tolerance
}

/// The color as far as it is seen.
#[inline(always)]
fn as_seen(pixel: [u8; 4]) -> [u8; 4] {
    let [r, g, b, alpha] = pixel;
    if alpha == 255 {
        return pixel;
    }
    let seen = |channel: u8| ((u32::from(channel) * u32::from(alpha) + 127) / 255) as u8;
    [seen(r), seen(g), seen(b), alpha]
}

fn tile_of(bits: &Bits, full: &Arc<Tile<u8>>) -> Arc<Tile<u8>> {
    if bits.iter().all(|row| *row == [u64::MAX; WORDS]) {
        return Arc::clone(full);
    }
    let words = bits.iter().flatten();
    let cover = |bit: bool| if bit { 255 } else { 0 };
    let pixels = words.flat_map(|&word| (0..64).map(move |i| cover(word >> i & 1 == 1)));
    Arc::new(Tile::from_pixels(pixels.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::PixelGrid;
    use crate::raster::mask::tests::Seeded;

    const CANVAS: Extent = Extent::new(700, 600);

    /// One pixel after the other, from a list of those to look at.
    fn plainly(grid: &PixelGrid, seed: (i32, i32), tolerance: u8) -> CoverGrid {
        let canvas = PixelRect::from(CANVAS.rect());
        let like = as_seen(grid.pixel(seed.0, seed.1));
        let mut cover = vec![0; CANVAS.area()];
        let mut open = vec![seed];
        while let Some((x, y)) = open.pop() {
            let i = (y * 700 + x) as usize;
            if !canvas.contains(x, y)
                || cover[i] == 255
                || !is_alike(as_seen(grid.pixel(x, y)), like, tolerance)
            {
                continue;
            }
            cover[i] = 255;
            open.extend([(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]);
        }
        CoverGrid::from_pixels(canvas, &cover)
    }

    fn random_picture(seeded: &mut Seeded) -> PixelGrid {
        let mut grid = PixelGrid::new();
        for _ in 0..150 {
            let [r, g, b, a, kind, ..] = seeded.next().to_le_bytes();
            let (x, y) = (seeded.below(800) as i32 - 50, seeded.below(700) as i32 - 50);
            let (width, height) = match kind % 3 {
                0 => (1 + seeded.below(500), 1 + seeded.below(4)),
                1 => (1 + seeded.below(4), 1 + seeded.below(500)),
                _ => (1 + seeded.below(90), 1 + seeded.below(90)),
            };
            let color = [r & 0x40, g & 0x20, b & 0x10, if a > 99 { 255 } else { 0 }];
            grid.fill(PixelRect::new(x, y, width, height), color);
        }
        grid
    }

    #[test]
    fn the_connected_part_is_what_a_plain_flood_finds() {
        let mut seeded = Seeded(51);
        for round in 0..20 {
            let grid = random_picture(&mut seeded);
            let seed = (seeded.below(700) as i32, seeded.below(600) as i32);
            let tolerance = [0, 20, 70][round % 3];
            let read = |rect: PixelRect| grid.read(rect);
            let ours = flood(CANVAS, seed, tolerance, FloodReach::Connected, &read);
            assert!(ours == plainly(&grid, seed, tolerance), "round {round}");
            assert_eq!(ours.pixel(seed.0, seed.1), 255);
        }
    }

    #[test]
    fn a_winding_corridor_is_followed_to_its_end() {
        let mut grid = PixelGrid::new();
        // Walls in every other column, open at the top and at the bottom by turns.
        for x in (1..700).step_by(2) {
            let top = i32::from(x % 4 != 1);
            grid.fill(PixelRect::new(x, top, 1, 599), [255, 255, 255, 255]);
        }
        let read = |rect: PixelRect| grid.read(rect);
        let ours = flood(CANVAS, (0, 300), 0, FloodReach::Connected, &read);
        assert!(ours == plainly(&grid, (0, 300), 0));
        assert_eq!((ours.pixel(698, 0), ours.pixel(1, 0)), (255, 0));
    }

    #[test]
    fn everywhere_takes_all_that_is_alike() {
        let mut seeded = Seeded(52);
        let grid = random_picture(&mut seeded);
        let read = |rect: PixelRect| grid.read(rect);
        let ours = flood(CANVAS, (5, 5), 9, FloodReach::Everywhere, &read);
        let like = as_seen(grid.pixel(5, 5));
        let pixels = grid.read(CANVAS.rect().into());
        let expected: Vec<u8> = pixels
            .into_iter()
            .map(|p| if is_alike(as_seen(p), like, 9) { 255 } else { 0 })
            .collect();
        assert!(ours == CoverGrid::from_pixels(CANVAS.rect().into(), &expected));
    }

    #[test]
    fn transparent_pixels_are_alike_and_faint_ones_nearly() {
        let check = |a: [u8; 4], b: [u8; 4], tolerance: u8, expected: bool| {
            assert_eq!(is_alike(as_seen(a), as_seen(b), tolerance), expected, "{a:?} {b:?}");
        };
        check([255, 0, 0, 0], [0, 255, 9, 0], 0, true);
        check([255, 0, 0, 8], [0, 0, 0, 0], 8, true);
        check([255, 0, 0, 8], [0, 0, 0, 0], 7, false);
        check([10, 0, 0, 255], [20, 5, 0, 255], 10, true);
        check([10, 0, 0, 255], [21, 0, 0, 255], 10, false);
        check([0, 0, 0, 255], [0, 0, 0, 200], 50, false);
    }

    #[test]
    fn only_tiles_that_the_flood_enters_are_read() {
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::new(0, 0, 3000, 3000), [1, 2, 3, 255]);
        grid.fill(PixelRect::new(300, 300, 50, 50), [200, 2, 3, 255]);
        let asked = std::sync::Mutex::new(Vec::new());
        let read = |rect: PixelRect| {
            asked.lock().unwrap().push(rect);
            grid.read(rect)
        };
        let canvas = Extent::new(3000, 3000);
        let cover = flood(canvas, (310, 310), 5, FloodReach::Connected, &read);
        assert_eq!(cover.bounds(), Some(PixelRect::new(300, 300, 50, 50)));
        assert_eq!(asked.into_inner().unwrap().len(), 2, "the seed and its tile");
        let outside = flood(canvas, (-1, 4), 5, FloodReach::Everywhere, &|rect| grid.read(rect));
        assert!(outside.has_no_tiles());
    }

    #[test]
    fn tiles_that_are_taken_whole_are_one_tile() {
        let read = |rect: PixelRect| vec![[7; 4]; rect.extent().area()];
        let cover = flood(Extent::new(1024, 1024), (3, 3), 0, FloodReach::Connected, &read);
        let first = cover.tile(TileIndex { row: 0, column: 0 }).unwrap();
        assert_eq!(cover.tiles().filter(|(_, tile)| Arc::ptr_eq(tile, first)).count(), 16);
    }
}
