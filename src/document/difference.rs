//! Where two documents look different.
//!
//! Tiles that both share are not looked at, so that this costs what was changed and not what there
//! is.

use rayon::prelude::*;

use crate::document::composite::{Stack, lay};
use crate::document::{Document, Selection};
use crate::geom::{CanvasRect, Extent, PixelRect};
use crate::raster::{TILE_PX, Tile, TileIndex};

/// How two documents look different.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The number of bytes that differ.
    pub bytes: usize,
    /// The smallest rectangle that holds all pixels that differ; nothing where none does.
    pub bounds: Option<CanvasRect>,
    /// The number of pixels that are seen to differ: hidden colors under alpha 0 don't count.
    pub pixels: usize,
    /// By how much a channel differs at most where that is seen, 0 to 255.
    pub most: u8,
}

impl Difference {
    fn and(self, other: Self) -> Self {
        let bounds = match (self.bounds, other.bounds) {
            (Some(a), Some(b)) => Some(a.union(b)),
            (one, None) | (None, one) => one,
        };
        Self {
            bytes: self.bytes + other.bytes,
            bounds,
            pixels: self.pixels + other.pixels,
            most: self.most.max(other.most),
        }
    }

    /// That of an area that only one of two canvases has.
    fn of_all(area: CanvasRect) -> Self {
        let pixels = area.extent().area();
        Self { bytes: pixels * 4, bounds: Some(area), pixels, most: u8::MAX }
    }
}

/// By how much two pixels are seen to differ, the channel that differs most: over gray, as the
/// comparison on the graphics card shows it, and by alpha.
fn apart(a: [u8; 4], b: [u8; 4]) -> u8 {
    if a[3] == 255 && b[3] == 255 {
        return a.into_iter().zip(b).map(|(a, b)| a.abs_diff(b)).max().unwrap_or_default();
    }
    let over_gray = |pixel: [u8; 4], channel: u8| {
        let alpha = f32::from(pixel[3]) / 255.0;
        f32::from(channel) * alpha + 127.5 * (1.0 - alpha)
    };
    let channels = a.into_iter().zip(b).take(3);
    let most = channels
        .map(|(of_a, of_b)| (over_gray(a, of_a) - over_gray(b, of_b)).abs())
        .fold(f32::from(a[3].abs_diff(b[3])), f32::max);
    most.round() as u8
}

/// How the visible layers of two documents look different within `rect`, flattened.
///
/// All bytes of a pixel that lies on only one of the canvases differ.
#[must_use]
pub fn difference(a: &Document, b: &Document, rect: &CanvasRect) -> Difference {
    let (in_a, in_b) = (rect.intersection(a.extent.rect()), rect.intersection(b.extent.rect()));
    let (Some(in_a), Some(in_b)) = (in_a, in_b) else {
        return in_a.or(in_b).map_or_else(Difference::default, Difference::of_all);
    };
    let Some(both) = in_a.intersection(in_b) else { return Difference::default() };
    let mut alone = Difference::default();
    for all in [in_a, in_b] {
        // Both start at the same corner, so that what is left over is a stripe on the right and
        // one below.
        let right = CanvasRect::new(both.right(), all.y, all.right() - both.right(), all.height);
        let below = CanvasRect::new(all.x, both.bottom(), both.width, all.bottom() - both.bottom());
        for stripe in [right, below].into_iter().filter(|stripe| !stripe.is_empty()) {
            alone = alone.and(Difference::of_all(stripe));
        }
    }
    alone.and(difference_where(a, b, both, None))
}

/// The number of bytes outside the selection that differ between two documents, flattened: where
/// its cover is 0. Exact.
///
/// Canvases of different extents differ in every byte of the larger one.
#[must_use]
pub fn outside_delta(before: &Document, after: &Document, selection: &Selection) -> usize {
    if before.extent != after.extent {
        return before.extent.area().max(after.extent.area()) * 4;
    }
    difference_where(before, after, before.extent.rect(), Some(selection)).bytes
}

/// The tiles in which two documents may look different, as one rectangle on both canvases.
///
/// Coarse and cheap: no pixel is looked at. Outside of it, they look the same for certain.
pub(crate) fn changed_area(a: &Document, b: &Document) -> PixelRect {
    let canvas = PixelRect::from(a.extent.rect()).union(b.extent.rect().into());
    if a.extent != b.extent {
        return canvas;
    }
    changed_tiles(a, b, canvas)
        .into_iter()
        .filter_map(|at| at.rect().intersection(canvas))
        .reduce(PixelRect::union)
        .unwrap_or_default()
}

fn changed_tiles(a: &Document, b: &Document, rect: PixelRect) -> Vec<TileIndex> {
    let (a, b) = (Stack::of(a), Stack::of(b));
    let mut tiles = a.tiles();
    tiles.extend(b.tiles());
    tiles.sort_unstable();
    tiles.dedup();
    tiles.retain(|at| at.rect().intersection(rect).is_some() && a.pieces(*at) != b.pieces(*at));
    tiles
}

/// The difference within `rect`, where the cover of `selection` is 0, if there is one.
fn difference_where(
    a: &Document,
    b: &Document,
    rect: CanvasRect,
    selection: Option<&Selection>,
) -> Difference {
    let rect = PixelRect::from(rect);
    let (stack_a, stack_b) = (Stack::of(a), Stack::of(b));
    changed_tiles(a, b, rect)
        .into_par_iter()
        .map(|at| {
            let cover = selection.and_then(|selection| selection.cover.tile(at));
            let Some(part) = at.rect().intersection(rect) else { return Difference::default() };
            difference_in_tile(&stack_a, &stack_b, at, part, cover.map(|tile| &**tile))
        })
        .reduce(Difference::default, Difference::and)
}

fn difference_in_tile(
    a: &Stack<'_>,
    b: &Stack<'_>,
    at: TileIndex,
    part: PixelRect,
    cover: Option<&Tile<u8>>,
) -> Difference {
    let (a, b) = (a.pieces(at), b.pieces(at));
    let width = part.width as usize;
    let (mut row_a, mut row_b) = (vec![[0; 4]; width], vec![[0; 4]; width]);
    let mut found = Difference::default();
    let left = part.x.abs_diff(at.rect().x);
    for y in part.y..part.bottom() {
        let start = (y.abs_diff(at.rect().y) * TILE_PX + left) as usize;
        let cover = cover.and_then(|cover| cover.pixels().get(start..start + width));
        if cover.is_some_and(|row| row.iter().all(|&cover| cover > 0)) {
            continue;
        }
        lay(&a, 0, start, &mut row_a);
        lay(&b, 0, start, &mut row_b);
        if row_a == row_b {
            continue;
        }
        let covered = |x: usize| cover.and_then(|row| row.get(x)).is_some_and(|&cover| cover > 0);
        for (x, (a, b)) in row_a.iter().zip(&row_b).enumerate() {
            if a == b || covered(x) {
                continue;
            }
            let bytes = a.iter().zip(b).filter(|(a, b)| a != b).count();
            let most = apart(*a, *b);
            let pixels = usize::from(most > 0);
            let pixel = PixelRect::new(part.x + x as i32, y, 1, 1);
            // The rectangle lies on the canvas, which `part` is cut to.
            let bounds = pixel.on_canvas(Extent::new(u32::MAX >> 1, u32::MAX >> 1));
            found = found.and(Difference { bytes, bounds, pixels, most });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::testing::Rng;
    use crate::document::{Edit, flatten};
    use crate::raster::outside_mask_delta;

    #[test]
    fn differences_are_those_of_the_flattened_pictures() {
        let mut rng = Rng(11);
        let (mut compared, mut differing) = (0, 0);
        for round in 0..400 {
            let before = rng.document();
            let mut after = before.clone();
            for _ in 0..=rng.below(3) {
                // What can't be done changes nothing, which is a case as well.
                drop(rng.edit(&after).apply(&mut after));
            }
            let canvas = before.extent.rect();
            if before.extent != after.extent {
                let larger = before.extent.area().max(after.extent.area()) * 4;
                assert_eq!(outside_delta(&before, &after, &before.selection), larger);
                continue;
            }
            let (a, b) = (flatten(&before, canvas), flatten(&after, canvas));
            let found = difference(&before, &after, &canvas);
            let pairs = || a.pixels().iter().zip(b.pixels()).enumerate();
            let bytes = a.as_raw().iter().zip(b.as_raw()).filter(|(a, b)| a != b).count();
            let bounds = pairs()
                .filter(|(_, (a, b))| a != b)
                .map(|(i, _)| {
                    let (x, y) = (i as u32 % canvas.width, i as u32 / canvas.width);
                    CanvasRect::new(x, y, 1, 1)
                })
                .reduce(CanvasRect::union);
            let seen: Vec<u8> =
                pairs().map(|(_, (a, b))| apart(*a, *b)).filter(|&apart| apart > 0).collect();
            let most = seen.iter().copied().max().unwrap_or_default();
            let expected = Difference { bytes, bounds, pixels: seen.len(), most };
            assert_eq!(found, expected, "round {round}");
            let mask = before.selection.mask(before.extent);
            let outside = outside_delta(&before, &after, &before.selection);
            assert_eq!(outside, outside_mask_delta(&a, &b, &mask), "round {round}");
            compared += 1;
            differing += usize::from(bytes > 0);
        }
        assert!(compared > 200 && differing > 60, "{compared} {differing}");
    }

    #[test]
    fn what_is_seen_to_differ_is_what_the_heat_map_shows() {
        assert_eq!(apart([1, 2, 3, 255], [1, 9, 0, 255]), 7);
        assert_eq!(apart([1, 2, 3, 0], [200, 9, 0, 0]), 0, "hidden colors");
        assert_eq!(apart([127, 127, 127, 255], [0, 0, 0, 0]), 255, "alpha");
        assert_eq!(apart([255, 0, 0, 128], [0, 0, 0, 128]), 128);
    }

    #[test]
    fn what_lies_on_one_canvas_only_differs() {
        let small = Document::new(Extent::new(10, 10), "Layer");
        let mut large = small.clone();
        Edit::SetCanvas(PixelRect::new(0, 0, 12, 11)).apply(&mut large).unwrap();
        let all = CanvasRect::new(0, 0, 50, 50);
        let found = difference(&small, &large, &all);
        assert_eq!(found.bytes, (12 * 11 - 100) * 4);
        assert_eq!((found.pixels, found.most), (12 * 11 - 100, 255));
        assert_eq!(found.bounds, Some(CanvasRect::new(0, 0, 12, 11)));
        assert_eq!(difference(&small, &large, &CanvasRect::new(1, 1, 5, 5)), Difference::default());
        let beyond = difference(&small, &large, &CanvasRect::new(10, 0, 9, 9));
        assert_eq!(beyond.bounds, Some(CanvasRect::new(10, 0, 2, 9)));
        assert_eq!(beyond.bytes, 2 * 9 * 4);
    }
}
