//! Shapes as cover: rectangles, ellipses and polygons with anti-aliased edges.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::geom::{CanvasPoint, Extent, PixelRect};
use crate::raster::{CoverGrid, TILE_PX, Tile, TileIndex};

const SIDE: usize = TILE_PX as usize;
/// Parts of a pixel that corners are rounded to.
const UNIT: i64 = 256;
/// Cover of a whole pixel, in halves of square units.
const WHOLE: i64 = 2 * UNIT * UNIT;
/// Corners farther out than this are brought closer: no canvas reaches so far.
const MAX_COORDINATE: f64 = 200_000.0;
/// How far an ellipse may be from the polygon that stands for it.
const ELLIPSE_ERROR_PX: f64 = 1.0 / 64.0;

/// The cover of a rectangle, as far as it lies on the canvas.
#[must_use]
pub fn rectangle_cover(rect: PixelRect, canvas: Extent) -> CoverGrid {
    let mut cover = CoverGrid::new();
    if let Some(rect) = rect.on_canvas(canvas) {
        cover.fill(rect.into(), 255);
    }
    cover
}

/// The cover of the ellipse in a rectangle, as far as it lies on the canvas.
#[must_use]
pub fn ellipse_cover(rect: PixelRect, canvas: Extent) -> CoverGrid {
    let (rx, ry) = (f64::from(rect.width) / 2.0, f64::from(rect.height) / 2.0);
    let (x, y) = (f64::from(rect.x) + rx, f64::from(rect.y) + ry);
    let angle = 2.0 * (2.0 * ELLIPSE_ERROR_PX / rx.max(ry).max(1.0)).sqrt();
    // A multiple of four, so that the outermost points are among the corners.
    let count = ((std::f64::consts::FRAC_PI_2 / angle).ceil() as u32).max(4) * 4;
    let corners = (0..count).map(|i| {
        let (sin, cos) = (std::f64::consts::TAU * f64::from(i) / f64::from(count)).sin_cos();
        Corner::new(x + rx * cos, y + ry * sin)
    });
    filled(&corners.collect::<Vec<_>>(), canvas)
}

/// The cover of a polygon, as far as it lies on the canvas: the inside of the closed line by the
/// even-odd rule.
///
/// Points that are not numbers are left out.
#[must_use]
pub fn polygon_cover(points: &[CanvasPoint], canvas: Extent) -> CoverGrid {
    let known = points.iter().filter(|point| !point.x.is_nan() && !point.y.is_nan());
    let corners = known.map(|point| Corner::new(point.x.into(), point.y.into()));
    filled(&corners.collect::<Vec<_>>(), canvas)
}

/// A corner in units.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Corner {
    x: i64,
    y: i64,
}

impl Corner {
    fn new(x: f64, y: f64) -> Self {
        let unit = |value: f64| {
            (value.clamp(-MAX_COORDINATE, MAX_COORDINATE) * UNIT as f64).round() as i64
        };
        Self { x: unit(x), y: unit(y) }
    }
}

/// What the line does within one pixel: how much it goes down, and twice the area to its left.
#[derive(Clone, Copy)]
struct Cell {
    x: i64,
    down: i64,
    area: i64,
}

/// Fills a closed line: rows of tiles on all cores, and only the cells that the line passes through
/// are computed; what lies between them has one cover.
fn filled(corners: &[Corner], canvas: Extent) -> CoverGrid {
    if corners.len() < 3 || canvas.area() == 0 {
        return CoverGrid::new();
    }
    let side = i64::from(TILE_PX) * UNIT;
    let bands = canvas.height.div_ceil(TILE_PX) as usize;
    let mut edges: Vec<Vec<(Corner, Corner)>> = vec![Vec::new(); bands];
    let next = corners.iter().cycle().skip(1);
    for (&from, &to) in corners.iter().zip(next).filter(|(from, to)| from.y != to.y) {
        let band = |y: i64| y.div_euclid(side).clamp(0, bands as i64) as usize;
        let (top, bottom) = (from.y.min(to.y), from.y.max(to.y));
        if bottom > 0 {
            let touched = edges.get_mut(band(top)..(band(bottom - 1) + 1).min(bands));
            touched.unwrap_or_default().iter_mut().for_each(|band| band.push((from, to)));
        }
    }
    let full = Arc::new(Tile::filled(255));
    let tiles: Vec<(TileIndex, Arc<Tile<u8>>)> = edges
        .par_iter()
        .enumerate()
        .flat_map_iter(|(row, edges)| filled_band(row, edges, canvas, &full))
        .collect();
    CoverGrid::from_tiles(tiles)
}

/// One row of tiles.
fn filled_band(
    tile_row: usize,
    edges: &[(Corner, Corner)],
    canvas: Extent,
    full: &Arc<Tile<u8>>,
) -> Vec<(TileIndex, Arc<Tile<u8>>)> {
    let top = (tile_row * SIDE) as i64;
    let rows = SIDE.min(canvas.height as usize - tile_row * SIDE);
    let width = i64::from(canvas.width);
    let mut cells: Vec<Vec<Cell>> = vec![Vec::new(); rows];
    for &(from, to) in edges {
        add_edge(from, to, top, width, &mut cells);
    }
    let mut tiles: Vec<TileBuilder> = Vec::new();
    tiles.resize_with(canvas.width.div_ceil(TILE_PX) as usize, TileBuilder::default);
    for (row, cells) in cells.iter_mut().enumerate() {
        cells.sort_unstable_by_key(|cell| cell.x);
        let mut spans = Spans { row, width, tiles: &mut tiles, from: 0, cover: 0 };
        let mut down = 0;
        for same in cells.chunk_by(|a, b| a.x == b.x) {
            let Some(&Cell { x, .. }) = same.first() else { continue };
            let area: i64 = same.iter().map(|cell| cell.area).sum();
            down += same.iter().map(|cell| cell.down).sum::<i64>();
            spans.begin(x, even_odd(down * 2 * UNIT - area));
            spans.begin(x + 1, even_odd(down * 2 * UNIT));
        }
        spans.begin(width, 0);
    }
    let place = |column: usize| TileIndex { row: tile_row as i32, column: column as i32 };
    let built = tiles.into_iter().enumerate();
    built.filter_map(|(column, tile)| Some((place(column), tile.build(full)?))).collect()
}

/// The cover of so many halves of square units, counted once for each time around.
fn even_odd(doubled: i64) -> u8 {
    let within = doubled.rem_euclid(2 * WHOLE);
    let folded = within.min(2 * WHOLE - within);
    ((folded * 255 + WHOLE / 2) / WHOLE) as u8
}

/// Adds the cells of one edge, by row from `top` on.
fn add_edge(from: Corner, to: Corner, top: i64, width: i64, cells: &mut [Vec<Cell>]) {
    let (upper, lower, sign) = if from.y < to.y { (from, to, 1) } else { (to, from, -1) };
    let x_at = |y: i64| {
        let (dx, dy) = (lower.x - upper.x, lower.y - upper.y);
        upper.x + (2 * dx * (y - upper.y) + dy).div_euclid(2 * dy)
    };
    let first = upper.y.div_euclid(UNIT).max(top);
    let end = (lower.y + UNIT - 1).div_euclid(UNIT).min(top + cells.len() as i64);
    for row in first..end {
        let (y0, y1) = ((row * UNIT).max(upper.y), ((row + 1) * UNIT).min(lower.y));
        if let Some(cells) = cells.get_mut((row - top) as usize) {
            add_within_row((x_at(y0), y0), (x_at(y1), y1), sign, width, cells);
        }
    }
}

/// Adds the cells of a piece of an edge that lies in one row of pixels.
fn add_within_row(from: (i64, i64), to: (i64, i64), sign: i64, width: i64, cells: &mut Vec<Cell>) {
    // From left to right; the sum of all steps down is that of the edge, whatever the rounding.
    let ((mut x, mut y), (end_x, end_y), sign) =
        if from.0 <= to.0 { (from, to, sign) } else { (to, from, -sign) };
    let (start_x, start_y) = (x, y);
    let y_at = |x: i64| start_y + (end_y - start_y) * (x - start_x) / (end_x - start_x);
    if x < 0 {
        // All that lies left of the canvas counts as its left edge.
        let next_y = if end_x <= 0 { end_y } else { y_at(0) };
        cells.push(Cell { x: -1, down: (next_y - y) * sign, area: 0 });
        if end_x <= 0 {
            return;
        }
        (x, y) = (0, next_y);
    }
    let mut column = x / UNIT;
    while column < width {
        let left = column * UNIT;
        let is_last = end_x <= left + UNIT;
        let (next_x, next_y) =
            if is_last { (end_x, end_y) } else { (left + UNIT, y_at(left + UNIT)) };
        let down = (next_y - y) * sign;
        cells.push(Cell { x: column, down, area: down * (x - left + next_x - left) });
        if is_last {
            return;
        }
        (x, y) = (next_x, next_y);
        column += 1;
    }
}

/// Writes the spans of one row, each as long as it can be.
struct Spans<'a> {
    row: usize,
    width: i64,
    tiles: &'a mut [TileBuilder],
    from: i64,
    cover: u8,
}

impl Spans<'_> {
    /// From column `x` on, the cover is this one.
    fn begin(&mut self, x: i64, cover: u8) {
        if cover == self.cover {
            return;
        }
        let start = self.from.clamp(0, self.width) as usize;
        let end = x.clamp(0, self.width) as usize;
        if self.cover > 0 && start < end {
            for column in start / SIDE..=(end - 1) / SIDE {
                let left = column * SIDE;
                let part = start.max(left) - left..end.min(left + SIDE) - left;
                if let Some(tile) = self.tiles.get_mut(column) {
                    tile.put(self.row, part, self.cover);
                }
            }
        }
        (self.from, self.cover) = (x, cover);
    }
}

/// A tile that is filled from top to bottom, and has no pixels of its own while all are covered.
#[derive(Default)]
struct TileBuilder {
    full_rows: usize,
    pixels: Option<Vec<u8>>,
}

impl TileBuilder {
    fn put(&mut self, row: usize, columns: Range<usize>, cover: u8) {
        if cover == 255 && columns == (0..SIDE) && self.pixels.is_none() && self.full_rows == row {
            self.full_rows += 1;
            return;
        }
        let start = row * SIDE;
        let target = self.own_pixels().get_mut(start + columns.start..start + columns.end);
        target.unwrap_or_default().fill(cover);
    }

    fn own_pixels(&mut self) -> &mut Vec<u8> {
        let full = self.full_rows * SIDE;
        self.pixels.get_or_insert_with(|| {
            let mut pixels = vec![255; full];
            pixels.resize(SIDE * SIDE, 0);
            pixels
        })
    }

    fn build(mut self, full: &Arc<Tile<u8>>) -> Option<Arc<Tile<u8>>> {
        match (&self.pixels, self.full_rows) {
            (None, 0) => return None,
            (None, SIDE) => return Some(Arc::clone(full)),
            _ => {}
        }
        Some(Arc::new(Tile::from_pixels(std::mem::take(self.own_pixels()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::mask::tests::Seeded;

    fn points(corners: &[(f32, f32)]) -> Vec<CanvasPoint> {
        corners.iter().map(|&(x, y)| CanvasPoint::new(x, y)).collect()
    }

    fn sum(cover: &CoverGrid) -> f64 {
        let pixels = cover.tiles().flat_map(|(_, tile)| tile.pixels());
        pixels.map(|&cover| f64::from(cover) / 255.0).sum()
    }

    #[test]
    fn a_polygon_along_pixels_is_the_rectangle_itself() {
        let canvas = Extent::new(900, 700);
        for rect in [
            PixelRect::new(10, 20, 30, 40),
            PixelRect::new(0, 0, 900, 700),
            PixelRect::new(-50, 250, 800, 900),
            PixelRect::new(256, 256, 256, 256),
        ] {
            let (l, t) = (rect.x as f32, rect.y as f32);
            let (r, b) = (rect.right() as f32, rect.bottom() as f32);
            let polygon = points(&[(l, t), (r, t), (r, b), (l, b)]);
            assert_eq!(polygon_cover(&polygon, canvas), rectangle_cover(rect, canvas), "{rect:?}");
            let turned: Vec<CanvasPoint> = polygon.into_iter().rev().collect();
            assert_eq!(polygon_cover(&turned, canvas), rectangle_cover(rect, canvas), "{rect:?}");
        }
    }

    #[test]
    fn tiles_that_are_covered_whole_are_one_tile() {
        let canvas = Extent::new(4096, 4096);
        let cover = polygon_cover(
            &points(&[(0.0, 0.0), (4096.0, 0.0), (4096.0, 4096.0), (0.0, 4096.0)]),
            canvas,
        );
        let first = cover.tile(TileIndex { row: 0, column: 0 }).unwrap();
        assert_eq!(cover.tiles().count(), 256);
        assert!(cover.tiles().all(|(_, tile)| Arc::ptr_eq(tile, first)));
    }

    /// By looking at 16 by 16 places in every pixel, and counting crossings.
    fn sampled(corners: &[CanvasPoint], x: u32, y: u32) -> f64 {
        let mut inside = 0;
        for place in 0..256 {
            let px = f64::from(x) + (f64::from(place % 16) + 0.5) / 16.0;
            let py = f64::from(y) + (f64::from(place / 16) + 0.5) / 16.0;
            let next = corners.iter().cycle().skip(1);
            let crossings = corners.iter().zip(next).filter(|(a, b)| {
                let (ax, ay) = (f64::from(a.x), f64::from(a.y));
                let (bx, by) = (f64::from(b.x), f64::from(b.y));
                (ay > py) != (by > py) && px < ax + (bx - ax) * (py - ay) / (by - ay)
            });
            inside += crossings.count() % 2;
        }
        inside as f64 / 256.0
    }

    #[test]
    fn random_triangles_cover_what_sampling_says() {
        let mut seeded = Seeded(21);
        for round in 0..60 {
            let mut coordinate = || seeded.below(600) as f32 / 10.0 - 10.0;
            let corners: Vec<CanvasPoint> =
                (0..3).map(|_| CanvasPoint::new(coordinate(), coordinate())).collect();
            let cover = polygon_cover(&corners, Extent::new(40, 40));
            for (x, y) in (0..40 * 40).map(|i| (i % 40, i / 40)) {
                let ours = f64::from(cover.pixel(x as i32, y as i32)) / 255.0;
                let expected = sampled(&corners, x, y);
                assert!((ours - expected).abs() < 0.07, "{round} {x} {y}: {ours} for {expected}");
            }
        }
    }

    #[test]
    fn a_line_that_crosses_itself_leaves_out_what_it_goes_around_twice() {
        let star = points(&[(50.0, 5.0), (77.0, 90.0), (5.0, 37.0), (95.0, 37.0), (23.0, 90.0)]);
        let cover = polygon_cover(&star, Extent::new(100, 100));
        assert_eq!((cover.pixel(50, 50), cover.pixel(50, 20)), (0, 255));
        let twice: Vec<CanvasPoint> =
            points(&[(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)]).repeat(2);
        assert!(polygon_cover(&twice, Extent::new(20, 20)).has_no_tiles());
    }

    #[test]
    fn an_ellipse_has_its_area_and_touches_its_rectangle() {
        let canvas = Extent::new(2000, 2000);
        for rect in [
            PixelRect::new(3, 4, 1, 1),
            PixelRect::new(10, 10, 7, 20),
            PixelRect::new(100, 300, 1500, 900),
        ] {
            let cover = ellipse_cover(rect, canvas);
            let area = std::f64::consts::PI * f64::from(rect.width) * f64::from(rect.height) / 4.0;
            assert!((sum(&cover) - area).abs() < area * 0.005 + 0.05, "{rect:?} {}", sum(&cover));
            assert_eq!(cover.bounds(), Some(rect));
        }
        assert!(ellipse_cover(PixelRect::new(5, 5, 0, 9), canvas).has_no_tiles());
    }

    #[test]
    fn what_has_no_inside_covers_nothing() {
        let canvas = Extent::new(50, 50);
        let nan = CanvasPoint::new(f32::NAN, 3.0);
        for corners in [
            vec![],
            points(&[(1.0, 1.0), (9.0, 9.0)]),
            points(&[(1.0, 1.0), (9.0, 9.0), (1.0, 1.0)]),
            points(&[(60.0, 1.0), (90.0, 1.0), (90.0, 40.0)]),
            points(&[(-60.0, 1.0), (-9.0, 1.0), (-9.0, 40.0)]),
            points(&[(1.0, -60.0), (9.0, -60.0), (9.0, -4.0)]),
            vec![nan, nan, nan, nan],
        ] {
            assert!(polygon_cover(&corners, canvas).has_no_tiles(), "{corners:?}");
        }
        let endless =
            points(&[(-1e30, -1e30), (f32::INFINITY, -1e30), (1e30, 1e30), (-1e30, 1e30)]);
        assert_eq!(
            polygon_cover(&endless, canvas),
            rectangle_cover(PixelRect::new(0, 0, 50, 50), canvas)
        );
    }
}
