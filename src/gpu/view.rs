//! Where canvas pixels lie on the screen, and which blocks are seen. Pure geometry.

use crate::geom::{Extent, PixelRect};
use crate::gpu::Frame;
use crate::gpu::frame::{ComparisonView, Viewport};
use crate::raster::{MAX_LEVEL, TILE_PX};

/// A block: 256 by 256 texels of `2^level` by `2^level` canvas pixels each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct BlockAt {
    pub(super) level: u32,
    pub(super) row: i32,
    pub(super) column: i32,
}

impl BlockAt {
    /// The canvas pixels that the block covers, beyond the canvas too.
    pub(super) const fn rect(self) -> PixelRect {
        let side = TILE_PX << self.level;
        PixelRect::new(self.column * side as i32, self.row * side as i32, side, side)
    }
}

/// Which side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Side {
    Left,
    Right,
}

/// A part of the viewport that shows one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pane {
    pub(super) side: Side,
    pub(super) seen: Seen,
    /// The part of the canvas that is shown at most.
    pub(super) clip: [f64; 4],
    /// Whether the other side is shown as differences.
    pub(super) heat: bool,
}

/// The panes of a frame, in the order in which they are drawn.
pub(super) fn panes(frame: &Frame) -> Vec<Pane> {
    let all = frame.viewport.pixels();
    let whole = PixelRect::new(0, 0, all.width, all.height);
    let (left, right) = (Side::Left, Side::Right);
    let extent = frame.document.extent;
    let pane = |side, seen, clip| Pane { side, seen, clip, heat: false };
    let Some(comparison) = &frame.comparison else {
        return vec![pane(left, Seen::new(frame, whole), canvas_clip(extent))];
    };
    let other = comparison.other.extent;
    match comparison.view {
        ComparisonView::Split(split) => {
            let at = f64::from(extent.width) * f64::from(split.clamp(0.0, 1.0));
            let seen = Seen::new(frame, whole);
            let [_, top, end, bottom] = canvas_clip(other);
            vec![
                pane(left, seen, [0.0, 0.0, at, f64::from(extent.height)]),
                pane(right, seen, [at.min(end), top, end, bottom]),
            ]
        }
        ComparisonView::Halves => {
            let half = whole.width / 2;
            let first = PixelRect { width: half, ..whole };
            let second = PixelRect { x: half as i32, width: whole.width - half, ..whole };
            vec![
                pane(left, Seen::new(frame, first), canvas_clip(extent)),
                pane(right, Seen::new(frame, second), canvas_clip(other)),
            ]
        }
        ComparisonView::HeatMap => {
            let seen = Seen::new(frame, whole);
            let both = Extent::new(extent.width.min(other.width), extent.height.min(other.height));
            let mut panes = vec![Pane { heat: true, ..pane(left, seen, canvas_clip(both)) }];
            if extent != other {
                // What only one of them has is seen as it is.
                panes.insert(0, pane(left, seen, canvas_clip(extent)));
                panes.insert(1, pane(right, seen, canvas_clip(other)));
            }
            panes
        }
    }
}

fn canvas_clip(extent: Extent) -> [f64; 4] {
    [0.0, 0.0, f64::from(extent.width), f64::from(extent.height)]
}

/// How the canvas is seen in a part of the viewport, in screen pixels from the viewport's corner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The part of the viewport.
    pub(super) area: PixelRect,
    /// Columns and rows of the whole viewport.
    pub(super) viewport: (u32, u32),
    /// Screen pixels a canvas pixel.
    pub(super) scale: f64,
    /// What one canvas pixel to the right, and one down, are on the screen.
    pub(super) right: [f64; 2],
    pub(super) down: [f64; 2],
    /// Where the canvas' corner is.
    pub(super) origin: [f64; 2],
    /// Whether rows of the canvas lie along rows or columns of the screen.
    pub(super) aligned: bool,
}

impl Seen {
    fn new(frame: &Frame, area: PixelRect) -> Self {
        let Viewport { min, size, pixels_per_point } = frame.viewport;
        let all = frame.viewport.pixels();
        let ppp = f64::from(pixels_per_point);
        // The part's middle shows the focus. It is not rounded for the whole viewport, so that
        // everything else that is drawn over the canvas lies where it should.
        let middle = |min: f32, size: f32, first: i32, start: i32, length: u32, whole: u32| {
            if length == whole {
                (f64::from(min) + f64::from(size) / 2.0) * ppp - f64::from(first)
            } else {
                f64::from(start) + f64::from(length) / 2.0
            }
        };
        let center = [
            middle(min.x, size.0, all.x, area.x, area.width, all.width),
            middle(min.y, size.1, all.y, area.y, area.height, all.height),
        ];
        let transform = &frame.transform;
        let scale = f64::from(transform.zoom) * ppp;
        let (sin, cos) = f64::from(transform.rotation).sin_cos();
        let mirror = if transform.mirrored { -1.0 } else { 1.0 };
        let right = [scale * mirror * cos, scale * mirror * sin];
        let down = [-scale * sin, scale * cos];
        let focus = [f64::from(transform.focus.x), f64::from(transform.focus.y)];
        let mut origin = [
            center[0] - right[0] * focus[0] - down[0] * focus[1],
            center[1] - right[1] * focus[0] - down[1] * focus[1],
        ];
        let aligned = sin.abs() < 1e-6 || cos.abs() < 1e-6;
        if aligned {
            // Edges of canvas pixels then lie on edges of screen pixels wherever the zoom allows:
            // a picture at 100 % is seen pixel by pixel, and samples never lie on an edge.
            origin = origin.map(f64::round);
        }
        Self { area, viewport: (all.width, all.height), scale, right, down, origin, aligned }
    }

    /// The canvas point that is seen at a screen pixel's corner.
    pub(super) fn canvas_from_screen(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (x, y) = (x - self.origin[0], y - self.origin[1]);
        // The matrix is a rotation and a mirroring times the scale, so its inverse is its
        // transpose by the scale's square.
        let square = self.scale * self.scale;
        [
            (x * self.right[0] + y * self.right[1]) / square,
            (x * self.down[0] + y * self.down[1]) / square,
        ]
    }

    /// Where a canvas point is seen.
    pub(super) fn screen_from_canvas(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [
            self.origin[0] + self.right[0] * x + self.down[0] * y,
            self.origin[1] + self.right[1] * x + self.down[1] * y,
        ]
    }

    /// The smallest canvas rectangle that holds everything that is seen: left, top, right, bottom.
    pub(super) fn bounds(&self) -> [f64; 4] {
        let (left, top) = (f64::from(self.area.x), f64::from(self.area.y));
        let (right, bottom) = (f64::from(self.area.right()), f64::from(self.area.bottom()));
        bounds_of(
            [[left, top], [right, top], [left, bottom], [right, bottom]]
                .map(|corner| self.canvas_from_screen(corner)),
        )
    }

    /// Whether a canvas rectangle may be seen.
    pub(super) fn sees(&self, [left, top, right, bottom]: [f64; 4]) -> bool {
        let seen = self.bounds();
        if !overlap(seen, [left, top, right, bottom]) {
            return false;
        }
        // Two rectangles that are turned against each other lie apart along an axis of one of them.
        let on_screen = bounds_of(
            [[left, top], [right, top], [left, bottom], [right, bottom]]
                .map(|corner| self.screen_from_canvas(corner)),
        );
        let area = self.area;
        overlap(
            on_screen,
            [
                f64::from(area.x),
                f64::from(area.y),
                f64::from(area.right()),
                f64::from(area.bottom()),
            ],
        )
    }

    /// The level whose texels are seen at half to full size of a screen pixel.
    pub(super) fn level(&self) -> u32 {
        // A little more, so that 50 % is level 1 whatever rounding says.
        let smaller = (1.0 / self.scale * 1.000_01).log2().floor();
        smaller.clamp(0.0, f64::from(MAX_LEVEL)) as u32
    }

    /// The blocks of a canvas that are seen, those in the middle first; and how many columns and
    /// rows of blocks lie between the outermost ones, the largest such numbers at this level.
    pub(super) fn blocks(&self, canvas: Extent, level: u32) -> (Vec<BlockAt>, [u32; 2]) {
        let side = f64::from(TILE_PX << level);
        let counts = [canvas.width, canvas.height].map(|length| length.div_ceil(TILE_PX << level));
        let [left, top, right, bottom] = self.bounds();
        let first = |at: f64| (at / side).floor().max(0.0) as i32;
        let last = |at: f64, count: u32| ((at / side).ceil() as i32).min(count as i32);
        let mut blocks = Vec::new();
        for row in first(top)..last(bottom, counts[1]) {
            for column in first(left)..last(right, counts[0]) {
                let block = BlockAt { level, row, column };
                if self.sees(corners(block.rect())) {
                    blocks.push(block);
                }
            }
        }
        let middle =
            [f64::midpoint(left, right) / side - 0.5, f64::midpoint(top, bottom) / side - 0.5];
        let far = |block: &BlockAt| {
            (f64::from(block.column) - middle[0]).hypot(f64::from(block.row) - middle[1])
        };
        blocks.sort_by(|a, b| far(a).total_cmp(&far(b)));
        // Room for the smallest scale of the level, so that zooming within it keeps the texture.
        let least_scale = if self.scale >= 1.0 { 1.0 } else { 0.5 / f64::from(1_u32 << level) };
        let slack = self.scale / least_scale.min(self.scale);
        let room = |length: f64, count: u32| ((length * slack / side).ceil() as u32 + 1).min(count);
        (blocks, [room(right - left, counts[0]), room(bottom - top, counts[1])])
    }

    /// The whole pixel in the middle of what is seen.
    pub(super) fn base(&self) -> [f64; 2] {
        let [left, top, right, bottom] = self.bounds();
        [f64::midpoint(left, right).floor(), f64::midpoint(top, bottom).floor()]
    }

    /// Whether a canvas of this extent leaves nothing of the area free.
    pub(super) fn is_filled_by(&self, canvas: Extent) -> bool {
        let [left, top, right, bottom] = self.bounds();
        left >= 0.0
            && top >= 0.0
            && right <= f64::from(canvas.width)
            && bottom <= f64::from(canvas.height)
    }
}

/// Left, top, right and bottom of a rectangle.
pub(super) fn corners(rect: PixelRect) -> [f64; 4] {
    [rect.x, rect.y, rect.right(), rect.bottom()].map(f64::from)
}

/// What lies in both rectangles; nothing where they only touch.
pub(super) fn common(a: [f64; 4], b: [f64; 4]) -> Option<[f64; 4]> {
    let both = [a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])];
    (both[0] < both[2] && both[1] < both[3]).then_some(both)
}

fn overlap(a: [f64; 4], b: [f64; 4]) -> bool {
    common(a, b).is_some()
}

fn bounds_of(points: [[f64; 2]; 4]) -> [f64; 4] {
    let mut bounds = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
    for [x, y] in points {
        bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::geom::{CanvasPoint, ScreenPoint, ViewTransform};

    fn middle_of(extent: Extent) -> CanvasPoint {
        CanvasPoint::new(extent.width as f32 / 2.0, extent.height as f32 / 2.0)
    }

    fn seen(zoom: f32, rotation: f32, extent: Extent) -> Seen {
        let transform = ViewTransform { focus: middle_of(extent), zoom, rotation, mirrored: false };
        let viewport = Viewport::of_pixels(1400, 900);
        let frame = Frame::new(Document::new(extent, "a"), transform, viewport);
        panes(&frame)[0].seen
    }

    #[test]
    fn the_level_is_the_smallest_that_is_not_magnified() {
        let extent = Extent::new(16384, 16384);
        for (zoom, level) in
            [(3.0, 0), (1.0, 0), (0.51, 0), (0.5, 1), (0.26, 1), (0.25, 2), (0.01, 6)]
        {
            assert_eq!(seen(zoom, 0.0, extent).level(), level, "{zoom}");
        }
    }

    #[test]
    fn only_what_is_seen_counts() {
        let extent = Extent::new(16384, 16384);
        let (blocks, room) = seen(1.0, 0.0, extent).blocks(extent, 0);
        assert!((24..=35).contains(&blocks.len()), "{}", blocks.len());
        assert_eq!(room, [7, 5]);
        let (turned, _) = seen(1.0, 0.8, extent).blocks(extent, 0);
        assert!(turned.len() < 45, "{}", turned.len());
        let (few, room) = seen(0.05, 0.0, extent).blocks(extent, 4);
        assert_eq!((few.len(), room), (16, [4, 4]));
        assert!(
            seen(1.0, 0.0, Extent::new(100, 100)).blocks(Extent::new(100, 100), 0).0.len() == 1
        );
    }

    #[test]
    fn a_point_is_seen_where_the_view_transform_says() {
        let viewport = Viewport {
            min: ScreenPoint::new(13.0, 7.5),
            size: (401.0, 300.5),
            pixels_per_point: 1.5,
        };
        let transform = ViewTransform {
            focus: CanvasPoint::new(40.0, 30.0),
            zoom: 1.7,
            rotation: 0.4,
            mirrored: true,
        };
        let frame = Frame::new(Document::new(Extent::new(99, 99), "a"), transform, viewport);
        let seen = panes(&frame)[0].seen;
        let point = transform.screen_from_canvas(CanvasPoint::new(3.0, 80.0), viewport.center());
        let at = seen.screen_from_canvas([3.0, 80.0]);
        let first = viewport.pixels();
        assert!((at[0] + f64::from(first.x) - f64::from(point.x) * 1.5).abs() < 1e-2);
        assert!((at[1] + f64::from(first.y) - f64::from(point.y) * 1.5).abs() < 1e-2);
        let back = seen.canvas_from_screen(at);
        assert!((back[0] - 3.0).abs() < 1e-9 && (back[1] - 80.0).abs() < 1e-9);
    }
}
