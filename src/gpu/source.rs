//! What a block of a layer is made of: the versions of its tiles.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use crate::geom::{Extent, PixelRect};
use crate::gpu::view::BlockAt;
use crate::raster::{GridState, Pixel, TILE_PX, TileGrid, TileIndex};

/// Names what a block holds: blocks of the same name hold the same texels, whichever layer or
/// document they belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ContentId {
    level: u32,
    /// The tile's version; for more than one tile, a digest of all versions and places.
    digest: u64,
}

/// Tiles of a block, numbered row by row, with their versions; tiles that are missing are not
/// listed.
pub(super) type Versions = Arc<[(u32, u64)]>;

/// What a block holds.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) id: ContentId,
    pub(super) versions: Versions,
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// A part of a block that comes from one tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The tile.
    pub(super) tile: TileIndex,
    /// Texels of the tile's version at the block's level.
    pub(super) within: PixelRect,
    /// The same texels in the block.
    pub(super) rect: PixelRect,
}

/// The blocks of one grid, as far as they have been asked for.
pub(super) struct Source<P: Pixel> {
    seen: Option<GridState<P>>,
    canvas: Extent,
    /// Counts the states of the grid.
    state: u64,
    blocks: HashMap<BlockAt, Known>,
}

struct Known {
    state: u64,
    content: Option<Content>,
    /// What was last made resident: what has changed since then is all there is to upload.
    resident: Option<ContentId>,
}

/// So many blocks are remembered; at 16384 pixels a side there are 4096 at level 0.
const MAX_KNOWN: usize = 8192;

impl<P: Pixel> Default for Source<P> {
    fn default() -> Self {
        Self { seen: None, canvas: Extent::new(0, 0), state: 0, blocks: HashMap::new() }
    }
}

impl<P: Pixel> Source<P> {
    /// What a block holds now; nothing where all of it is empty.
    ///
    /// A grid that is the same as before costs a look-up; else the versions of the block's tiles
    /// are compared.
    pub(super) fn content(
        &mut self,
        grid: &TileGrid<P>,
        canvas: Extent,
        at: BlockAt,
    ) -> Option<Content> {
        let same = self.seen.as_ref().is_some_and(|seen| grid.is_still(seen));
        if !same || self.canvas != canvas {
            self.seen = Some(grid.state());
            self.canvas = canvas;
            self.state += 1;
            if self.blocks.len() > MAX_KNOWN {
                self.blocks.clear();
            }
        }
        let state = self.state;
        let known =
            self.blocks.entry(at).or_insert(Known { state: 0, content: None, resident: None });
        if known.state != state {
            known.state = state;
            let unchanged = known
                .content
                .as_ref()
                .is_some_and(|content| same_versions(grid, canvas, at, &content.versions));
            if !unchanged {
                known.content = content_of(grid, canvas, at);
            }
        }
        known.content.clone()
    }

    /// What was last made resident of a block.
    pub(super) fn resident(&self, at: BlockAt) -> Option<ContentId> {
        self.blocks.get(&at)?.resident
    }

    /// Notes what was made resident of a block.
    pub(super) fn set_resident(&mut self, at: BlockAt, id: ContentId) {
        if let Some(known) = self.blocks.get_mut(&at) {
            known.resident = Some(id);
        }
    }
}

fn content_of<P: Pixel>(grid: &TileGrid<P>, canvas: Extent, at: BlockAt) -> Option<Content> {
    let versions: Versions = tiles_of(canvas, at)
        .filter_map(|(number, tile)| Some((number, grid.tile(tile)?.version())))
        .collect();
    let digest = match versions.as_ref() {
        [] => return None,
        [(_, version)] if at.level == 0 => *version,
        versions => {
            let mut hasher = DefaultHasher::new();
            versions.hash(&mut hasher);
            hasher.finish()
        }
    };
    Some(Content { id: ContentId { level: at.level, digest }, versions })
}

fn same_versions<P: Pixel>(
    grid: &TileGrid<P>,
    canvas: Extent,
    at: BlockAt,
    versions: &[(u32, u64)],
) -> bool {
    let mut old = versions.iter();
    tiles_of(canvas, at)
        .filter_map(|(number, tile)| Some((number, grid.tile(tile)?.version())))
        .all(|now| old.next() == Some(&now))
        && old.next().is_none()
}

/// The tiles of a block that lie on the canvas, with their numbers.
pub(super) fn tiles_of(canvas: Extent, at: BlockAt) -> impl Iterator<Item = (u32, TileIndex)> {
    let on_canvas = at.rect().intersection(canvas.rect().into()).unwrap_or_default();
    TileIndex::touching(on_canvas).map(move |tile| (number_of(tile, at), tile))
}

fn number_of(tile: TileIndex, at: BlockAt) -> u32 {
    let row = tile.row.abs_diff(at.row << at.level);
    let column = tile.column.abs_diff(at.column << at.level);
    (row << at.level) | column
}

fn tile_at(number: u32, at: BlockAt) -> TileIndex {
    let row = (number >> at.level) as i32;
    let column = (number & ((1 << at.level) - 1)) as i32;
    TileIndex { row: (at.row << at.level) + row, column: (at.column << at.level) + column }
}

/// The texels of a block that a tile gives.
fn area_of(number: u32, at: BlockAt) -> PixelRect {
    let side = TILE_PX >> at.level;
    let row = (number >> at.level) * side;
    let column = (number & ((1 << at.level) - 1)) * side;
    PixelRect::new(column as i32, row as i32, side, side)
}

/// The parts of a block that may differ between two lists of versions, of which `new` is that of
/// `grid`.
pub(super) fn changed_parts<P: Pixel>(
    grid: &TileGrid<P>,
    at: BlockAt,
    old: &[(u32, u64)],
    new: &[(u32, u64)],
) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let number = match (old.peek(), new.peek()) {
            (None, None) => return parts,
            (Some((a, _)), None) => *a,
            (None, Some((b, _))) => *b,
            (Some((a, _)), Some((b, _))) => *a.min(b),
        };
        let before = old.next_if(|(a, _)| *a == number).map(|(_, version)| *version);
        let after = new.next_if(|(b, _)| *b == number).map(|(_, version)| *version);
        if before == after {
            continue;
        }
        let index = tile_at(number, at);
        let changed = match (before, grid.tile(index)) {
            (Some(before), Some(tile)) => tile.changed_since(before),
            _ => None,
        };
        let area = area_of(number, at);
        let within = match changed {
            Some(changed) if changed.is_empty() => continue,
            Some(changed) => at_level(changed, at.level),
            None => PixelRect::new(0, 0, area.width, area.height),
        };
        parts.push(Part { tile: index, within, rect: within.shifted(area.x, area.y) });
    }
}

/// The texels that a part of a tile touches.
fn at_level(part: PixelRect, level: u32) -> PixelRect {
    let (x, y) = (part.x >> level, part.y >> level);
    let (last_x, last_y) = ((part.right() - 1) >> level, (part.bottom() - 1) >> level);
    PixelRect::new(x, y, last_x.abs_diff(x) + 1, last_y.abs_diff(y) + 1)
}

/// All texels of a block, row by row. Makes the smaller versions of its tiles, which takes time.
pub(super) fn assembled<P: Pixel>(grid: &TileGrid<P>, canvas: Extent, at: BlockAt) -> Vec<P> {
    let width = TILE_PX as usize;
    let mut texels = vec![P::EMPTY; width * width];
    for (number, index) in tiles_of(canvas, at) {
        let Some(tile) = grid.tile(index) else { continue };
        let area = area_of(number, at);
        let rows = tile.level(at.level).chunks_exact(area.width as usize);
        for (y, row) in (area.y as usize..).zip(rows) {
            let start = y * width + area.x as usize;
            if let Some(target) = texels.get_mut(start..start + row.len()) {
                target.copy_from_slice(row);
            }
        }
    }
    texels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::PixelGrid;

    const CANVAS: Extent = Extent::new(1024, 1024);

    #[test]
    fn a_dab_changes_only_the_texels_it_touches() {
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::new(0, 0, 1024, 1024), [9; 4]);
        for (level, expected) in [
            (0, PixelRect::new(4, 5, 16, 8)),
            (1, PixelRect::new(130, 2, 8, 5)),
            (2, PixelRect::new(65, 1, 4, 3)),
        ] {
            let at = BlockAt { level, row: 0, column: i32::from(level == 0) };
            let mut source = Source::default();
            let before = source.content(&grid, CANVAS, at).unwrap();
            grid.fill(PixelRect::new(260, 5, 16, 8), [level as u8; 4]);
            let after = source.content(&grid, CANVAS, at).unwrap();
            assert_ne!(before, after);
            let parts = changed_parts(&grid, at, &before.versions, &after.versions);
            assert_eq!(parts.iter().map(|part| part.rect).collect::<Vec<_>>(), [expected]);
            assert_eq!(parts[0].tile, TileIndex { row: 0, column: 1 });
        }
    }

    #[test]
    fn a_tile_that_comes_or_goes_is_a_change_of_all_its_texels() {
        let at = BlockAt { level: 1, row: 0, column: 0 };
        let mut grid = PixelGrid::new();
        assert_eq!(Source::default().content(&grid, CANVAS, at), None);
        grid.fill(PixelRect::new(256, 256, 1, 1), [9; 4]);
        let one = content_of(&grid, CANVAS, at).unwrap();
        grid.fill(PixelRect::new(0, 0, 256, 256), [9; 4]);
        let two = content_of(&grid, CANVAS, at).unwrap();
        let parts = changed_parts(&grid, at, &one.versions, &two.versions);
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].rect, PixelRect::new(0, 0, 128, 128));
        grid.clear(PixelRect::new(0, 0, 256, 256));
        let back = content_of(&grid, CANVAS, at).unwrap();
        assert_eq!(back, one);
        assert_eq!(changed_parts(&grid, at, &two.versions, &back.versions), parts);
    }

    #[test]
    fn a_block_is_put_together_from_its_tiles() {
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::new(512, 256, 256, 128), [1, 2, 3, 255]);
        let texels = assembled(&grid, CANVAS, BlockAt { level: 2, row: 0, column: 0 });
        let texel = |x: usize, y: usize| texels[y * 256 + x];
        assert_eq!(texel(128, 64), [1, 2, 3, 255]);
        assert_eq!(texel(191, 95), [1, 2, 3, 255]);
        assert_eq!([texel(127, 64), texel(192, 64), texel(128, 63), texel(128, 96)], [[0; 4]; 4]);
    }
}
