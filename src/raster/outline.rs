//! The outline of a selection, for marching ants.

use crate::geom::{CanvasPoint, PixelRect};
use crate::raster::{CoverGrid, MAX_LEVEL};

/// Pixels with at least this cover lie inside of the outline.
pub const OUTLINE_COVER: u8 = 128;

/// The lines between pixels inside and outside of a selection, within `rect` of the canvas.
///
/// At `level` above 0 the selection is looked at `1 / 2^level` of its size, which is what a view
/// that is zoomed out needs. Lines run with the inside to their right; those that close end where
/// they start. The work is that of looking once at the pixels of `rect`, at that level.
#[must_use]
pub fn outline(cover: &CoverGrid, rect: PixelRect, level: u32) -> Vec<Vec<CanvasPoint>> {
    if rect.is_empty() || cover.has_no_tiles() {
        return Vec::new();
    }
    let level = level.min(MAX_LEVEL);
    let (left, top) = (rect.x >> level, rect.y >> level);
    let (right, bottom) = (((rect.right() - 1) >> level) + 1, ((rect.bottom() - 1) >> level) + 1);
    let small = PixelRect::new(left, top, right.abs_diff(left), bottom.abs_diff(top));
    let runs = runs(cover, small, level);
    let point = |(x, y): Vertex| {
        let scale = (1 << level) as f32;
        CanvasPoint::new(x as f32 * scale, y as f32 * scale)
    };
    joined(runs).into_iter().map(|line| line.into_iter().map(point).collect()).collect()
}

type Vertex = (i32, i32);

/// A straight piece, from and to.
type Run = (Vertex, Vertex);

/// On which side of a border the inside lies.
#[derive(Clone, Copy, PartialEq)]
enum Border {
    None,
    Before,
    After,
}

impl Border {
    const fn between(before: bool, after: bool) -> Self {
        match (before, after) {
            (true, false) => Self::Before,
            (false, true) => Self::After,
            _ => Self::None,
        }
    }
}

/// The straight pieces of the outline, each as long as it can be.
fn runs(cover: &CoverGrid, rect: PixelRect, level: u32) -> Vec<Run> {
    let around = rect.padded(1);
    let width = around.width as usize;
    let inside: Vec<bool> =
        cover.read_level(around, level).into_iter().map(|cover| cover >= OUTLINE_COVER).collect();
    let row = |y: i32| {
        let start = y.abs_diff(around.y) as usize * width;
        inside.get(start..start + width).unwrap_or_default()
    };
    let mut runs = Vec::new();
    // For each column's left border: its kind in the row above, and where that began.
    let mut open = vec![(Border::None, rect.y); width];
    for y in rect.y..=rect.bottom() {
        let (above, below) = (row(y - 1), row(y));
        if y > rect.y && above == below && y < rect.bottom() {
            continue;
        }
        let columns = above.iter().zip(below).zip(around.x..).skip(1).take(rect.width as usize);
        let mut run = (Border::None, rect.x);
        let mut horizontal = |border: Border, x: i32| {
            if border != run.0 {
                match run.0 {
                    Border::After => runs.push(((run.1, y), (x, y))),
                    Border::Before => runs.push(((x, y), (run.1, y))),
                    Border::None => {}
                }
                run = (border, x);
            }
        };
        for ((&above, &below), x) in columns {
            horizontal(Border::between(above, below), x);
        }
        horizontal(Border::None, rect.right());
        let pairs = below.windows(2).zip(open.iter_mut().skip(1)).zip(around.x + 1..);
        for ((pair, (kind, start)), x) in pairs {
            let border = match pair {
                [before, after] if y < rect.bottom() => Border::between(*before, *after),
                _ => Border::None,
            };
            if border != *kind {
                match kind {
                    Border::After => runs.push(((x, y), (x, *start))),
                    Border::Before => runs.push(((x, *start), (x, y))),
                    Border::None => {}
                }
                (*kind, *start) = (border, y);
            }
        }
    }
    runs
}

/// Puts pieces together to lines, as long as they can be.
fn joined(mut runs: Vec<Run>) -> Vec<Vec<Vertex>> {
    runs.sort_unstable();
    let mut ends: Vec<Vertex> = runs.iter().map(|&(_, end)| end).collect();
    ends.sort_unstable();
    // Lines that come in over the edge of what is looked at start there; the others close.
    let (enter, close): (Vec<usize>, Vec<usize>) = (0..runs.len())
        .partition(|&i| runs.get(i).is_some_and(|run| ends.binary_search(&run.0).is_err()));
    let mut used = vec![false; runs.len()];
    let mut lines = Vec::new();
    for first in enter.into_iter().chain(close) {
        let mut line = Vec::new();
        let mut next = Some(first);
        while let Some(i) = next {
            let (Some(&(start, end)), Some(used_up @ false)) = (runs.get(i), used.get_mut(i))
            else {
                break;
            };
            *used_up = true;
            if line.is_empty() {
                line.push(start);
            }
            line.push(end);
            // Two start where pixels touch at a corner.
            let from = runs.partition_point(|run| run.0 < end);
            next = (from..from + 2).find(|&i| {
                runs.get(i).is_some_and(|run| run.0 == end) && used.get(i) == Some(&false)
            });
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Extent;
    use crate::raster::mask::tests::{Seeded, random_mask};
    use crate::raster::rectangle_cover;

    fn point(x: i32, y: i32) -> CanvasPoint {
        CanvasPoint::new(x as f32, y as f32)
    }

    #[test]
    fn a_rectangle_is_one_closed_line_of_four_pieces() {
        let cover = rectangle_cover(PixelRect::new(250, 20, 30, 40), Extent::new(600, 600));
        let lines = outline(&cover, PixelRect::new(0, 0, 600, 600), 0);
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].len(), lines[0].first()), (5, lines[0].last()));
        for corner in [point(250, 20), point(280, 20), point(280, 60), point(250, 60)] {
            assert!(lines[0].contains(&corner));
        }
    }

    #[test]
    fn a_line_that_leaves_the_view_is_open_and_what_lies_outside_is_not_drawn() {
        let cover = rectangle_cover(PixelRect::new(0, 0, 500, 500), Extent::new(500, 500));
        let lines = outline(&cover, PixelRect::new(400, 450, 300, 100), 0);
        assert_eq!(lines, [vec![point(500, 450), point(500, 500), point(400, 500)]]);
        assert!(outline(&cover, PixelRect::new(100, 100, 50, 50), 0).is_empty());
        let whole = outline(&cover, PixelRect::new(0, 0, 500, 500), 0);
        assert_eq!(whole.len(), 1, "the canvas' edge is drawn");
    }

    #[test]
    fn every_border_between_pixels_is_drawn_once_with_the_inside_to_the_right() {
        let mut seeded = Seeded(41);
        for _ in 0..30 {
            let extent = Extent::new(1 + seeded.below(40), 1 + seeded.below(40));
            let mut mask = random_mask(&mut seeded, extent);
            for _ in 0..30 {
                let i = seeded.below(extent.area() as u32) as usize;
                mask.as_raw_mut()[i] = 255;
            }
            let cover = CoverGrid::from_pixels(extent.rect().into(), mask.as_raw());
            let inside = |x: i32, y: i32| cover.pixel(x, y) >= OUTLINE_COVER;
            let mut drawn = Vec::new();
            for line in outline(&cover, extent.rect().into(), 0) {
                assert_eq!(line.first(), line.last());
                for two in line.windows(2) {
                    let (dx, dy) = (two[1].x - two[0].x, two[1].y - two[0].y);
                    let length = dx.abs().max(dy.abs());
                    let (dx, dy) = (dx / length, dy / length);
                    assert!(dx == 0.0 || dy == 0.0);
                    for i in 0..length as i32 {
                        let (x, y) = (two[0].x + dx * i as f32, two[0].y + dy * i as f32);
                        // The pixels to the right and to the left of this step.
                        let (mx, my) = (x + dx / 2.0, y + dy / 2.0);
                        let right = CanvasPoint::new(mx - dy / 2.0, my + dx / 2.0).pixel();
                        let left = CanvasPoint::new(mx + dy / 2.0, my - dx / 2.0).pixel();
                        assert!(inside(right.0, right.1) && !inside(left.0, left.1));
                        drawn.push((right, left));
                    }
                }
            }
            let count = drawn.len();
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), count);
            let (width, height) = (extent.width as i32, extent.height as i32);
            let borders = (-1..=width)
                .flat_map(|x| (-1..=height).map(move |y| (x, y)))
                .flat_map(|(x, y)| [((x, y), (x + 1, y)), ((x, y), (x, y + 1))])
                .filter(|&(a, b)| inside(a.0, a.1) != inside(b.0, b.1));
            assert_eq!(borders.count(), count);
        }
    }

    #[test]
    fn a_smaller_level_gives_the_same_outline_in_larger_steps() {
        let cover = rectangle_cover(PixelRect::new(64, 128, 320, 256), Extent::new(800, 800));
        let rect = PixelRect::new(0, 0, 800, 800);
        let mut fine = outline(&cover, rect, 0).concat();
        let mut coarse = outline(&cover, rect, 5).concat();
        let order = |a: &CanvasPoint, b: &CanvasPoint| (a.x, a.y).partial_cmp(&(b.x, b.y)).unwrap();
        fine.sort_by(order);
        coarse.sort_by(order);
        assert_eq!(fine, coarse);
    }
}
