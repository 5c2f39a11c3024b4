//! Points, extents and rectangles in canvas pixels.
//!
//! Canvas pixels are counted from the top left corner; pixel centers lie at `+ 0.5`. Nothing here
//! knows pixels' values; see [`crate::raster`] for those.

use serde::{Deserialize, Serialize};

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Extent {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Extent {
    /// An extent of `width` columns and `height` rows.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// The number of pixels.
    #[must_use]
    pub const fn area(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// The rectangle from the origin that covers all of this extent.
    #[must_use]
    pub const fn rect(self) -> CanvasRect {
        CanvasRect { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// The largest extent of the same shape whose longer side has `side_px` pixels at most, never
    /// larger than this one and never without a pixel.
    #[must_use]
    pub fn fitted(self, side_px: u32) -> Self {
        let longer = self.width.max(self.height);
        let side_px = side_px.max(1);
        if longer <= side_px {
            return Self::new(self.width.max(1), self.height.max(1));
        }
        let scaled = |length: u32| {
            let exact = u64::from(length) * u64::from(side_px);
            ((exact + u64::from(longer) / 2) / u64::from(longer)).max(1) as u32
        };
        Self::new(scaled(self.width), scaled(self.height))
    }
}

impl std::fmt::Display for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A rectangle of whole canvas pixels; `x + width` and `y + height` are excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CanvasRect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl CanvasRect {
    /// Whether every pixel of `other` lies in this rectangle.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        other.x >= self.x
            && other.y >= self.y
            && other.x + other.width <= self.x + self.width
            && other.y + other.height <= self.y + self.height
    }

    /// The smallest rectangle that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let x = self.x.min(other.x);
        let y = self.y.min(other.y);
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }

    /// A rectangle with its top left corner at `x`, `y`.
    #[must_use]
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self { x, y, width, height }
    }

    /// The first column to the right of the rectangle.
    #[must_use]
    pub const fn right(self) -> u32 {
        self.x.saturating_add(self.width)
    }

    /// The first row below the rectangle.
    #[must_use]
    pub const fn bottom(self) -> u32 {
        self.y.saturating_add(self.height)
    }

    /// Whether the rectangle holds no pixel.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The pixels that lie in both, or nothing where there are none.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let width = self.right().min(other.right()).checked_sub(x)?;
        let height = self.bottom().min(other.bottom()).checked_sub(y)?;
        let both = Self { x, y, width, height };
        (!both.is_empty()).then_some(both)
    }

    /// The rectangle with `pad_px` more pixels on every side, as far as the canvas goes.
    #[must_use]
    pub fn padded(self, pad_px: u32, canvas: Extent) -> Self {
        let (x, y) = (self.x.saturating_sub(pad_px), self.y.saturating_sub(pad_px));
        let right = self.right().saturating_add(pad_px).min(canvas.width).max(x);
        let bottom = self.bottom().saturating_add(pad_px).min(canvas.height).max(y);
        Self { x, y, width: right - x, height: bottom - y }
    }

    /// The rectangle's extent.
    #[must_use]
    pub const fn extent(self) -> Extent {
        Extent::new(self.width, self.height)
    }
}

/// A point in canvas pixels; pixel centers lie at `+ 0.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CanvasPoint {
    /// Columns from the left edge.
    pub x: f32,
    /// Rows from the top edge.
    pub y: f32,
}

impl CanvasPoint {
    /// A point at `x`, `y`.
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// The distance to another point, in pixels.
    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// The pixel that the point lies in.
    #[must_use]
    pub fn pixel(self) -> (i32, i32) {
        (self.x.floor() as i32, self.y.floor() as i32)
    }
}

/// A point of the window, in logical points from the window's top left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScreenPoint {
    /// Points from the left edge.
    pub x: f32,
    /// Points from the top edge.
    pub y: f32,
}

impl ScreenPoint {
    /// A point at `x`, `y`.
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }
}

/// A rectangle of whole pixels that may reach beyond the canvas, as layers do.
///
/// The canvas starts at the origin; a layer keeps what was moved out of the canvas at coordinates
/// below 0 or beyond the canvas' extent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PixelRect {
    /// Left edge.
    pub x: i32,
    /// Top edge.
    pub y: i32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl From<CanvasRect> for PixelRect {
    fn from(rect: CanvasRect) -> Self {
        Self { x: rect.x as i32, y: rect.y as i32, width: rect.width, height: rect.height }
    }
}

impl PixelRect {
    /// A rectangle with its top left corner at `x`, `y`.
    #[must_use]
    pub const fn new(x: i32, y: i32, width: u32, height: u32) -> Self {
        Self { x, y, width, height }
    }

    /// The smallest rectangle of whole pixels that holds both corners, given in any order.
    #[must_use]
    pub fn from_corners(a: CanvasPoint, b: CanvasPoint) -> Self {
        let (left, right) = (a.x.min(b.x).floor(), a.x.max(b.x).ceil());
        let (top, bottom) = (a.y.min(b.y).floor(), a.y.max(b.y).ceil());
        Self {
            x: left as i32,
            y: top as i32,
            width: (right - left).max(0.0) as u32,
            height: (bottom - top).max(0.0) as u32,
        }
    }

    /// The first column to the right of the rectangle.
    #[must_use]
    pub const fn right(self) -> i32 {
        self.x.saturating_add_unsigned(self.width)
    }

    /// The first row below the rectangle.
    #[must_use]
    pub const fn bottom(self) -> i32 {
        self.y.saturating_add_unsigned(self.height)
    }

    /// Whether the rectangle holds no pixel.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Columns and rows.
    #[must_use]
    pub const fn extent(self) -> Extent {
        Extent::new(self.width, self.height)
    }

    /// The pixels that lie in both, or nothing where there are none.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (self.right().min(other.right()), self.bottom().min(other.bottom()));
        (right > x && bottom > y).then(|| Self {
            x,
            y,
            width: right.abs_diff(x),
            height: bottom.abs_diff(y),
        })
    }

    /// The smallest rectangle that holds both; an empty one adds nothing.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self {
            x,
            y,
            width: self.right().max(other.right()).abs_diff(x),
            height: self.bottom().max(other.bottom()).abs_diff(y),
        }
    }

    /// The rectangle with `pad_px` more pixels on every side.
    #[must_use]
    pub const fn padded(self, pad_px: u32) -> Self {
        Self {
            x: self.x.saturating_sub_unsigned(pad_px),
            y: self.y.saturating_sub_unsigned(pad_px),
            width: self.width.saturating_add(pad_px.saturating_mul(2)),
            height: self.height.saturating_add(pad_px.saturating_mul(2)),
        }
    }

    /// The rectangle moved by `dx` columns and `dy` rows.
    #[must_use]
    pub const fn shifted(self, dx: i32, dy: i32) -> Self {
        Self { x: self.x.saturating_add(dx), y: self.y.saturating_add(dy), ..self }
    }

    /// Whether the pixel in column `x` and row `y` lies in the rectangle.
    #[must_use]
    pub const fn contains(self, x: i32, y: i32) -> bool {
        x >= self.x && y >= self.y && x < self.right() && y < self.bottom()
    }

    /// The part that lies on a canvas of this extent, or nothing.
    #[must_use]
    pub fn on_canvas(self, canvas: Extent) -> Option<CanvasRect> {
        let part = self.intersection(canvas.rect().into())?;
        Some(CanvasRect::new(part.x as u32, part.y as u32, part.width, part.height))
    }
}

/// How the canvas is seen: where, how large, how turned.
///
/// A canvas point `p` is seen at `center + rotate(mirror((p - focus) * zoom))`, where `center` is
/// the middle of the viewport in screen points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewTransform {
    /// The canvas point in the middle of the viewport.
    pub focus: CanvasPoint,
    /// Screen points per canvas pixel.
    pub zoom: f32,
    /// Clockwise turn in radians.
    pub rotation: f32,
    /// Whether left and right are exchanged.
    pub mirrored: bool,
}

impl Default for ViewTransform {
    fn default() -> Self {
        Self { focus: CanvasPoint::default(), zoom: 1.0, rotation: 0.0, mirrored: false }
    }
}

impl ViewTransform {
    /// Least and largest zoom: 1 % and 6400 %.
    pub const ZOOM_RANGE: std::ops::RangeInclusive<f32> = 0.01..=64.0;

    /// Where a canvas point is seen, in a viewport with this center.
    #[must_use]
    pub fn screen_from_canvas(&self, point: CanvasPoint, center: ScreenPoint) -> ScreenPoint {
        let mirror = if self.mirrored { -1.0 } else { 1.0 };
        let x = (point.x - self.focus.x) * self.zoom * mirror;
        let y = (point.y - self.focus.y) * self.zoom;
        let (sin, cos) = self.rotation.sin_cos();
        ScreenPoint::new(center.x + x * cos - y * sin, center.y + x * sin + y * cos)
    }

    /// Which canvas point is seen at a screen point, in a viewport with this center.
    #[must_use]
    pub fn canvas_from_screen(&self, point: ScreenPoint, center: ScreenPoint) -> CanvasPoint {
        let mirror = if self.mirrored { -1.0 } else { 1.0 };
        let (x, y) = (point.x - center.x, point.y - center.y);
        let (sin, cos) = self.rotation.sin_cos();
        let (x, y) = (x * cos + y * sin, y * cos - x * sin);
        CanvasPoint::new(self.focus.x + x * mirror / self.zoom, self.focus.y + y / self.zoom)
    }

    /// Zooms by a factor so that the canvas point under `anchor` stays there.
    pub fn zoom_at(&mut self, factor: f32, anchor: ScreenPoint, center: ScreenPoint) {
        let held = self.canvas_from_screen(anchor, center);
        let (least, most) = (*Self::ZOOM_RANGE.start(), *Self::ZOOM_RANGE.end());
        self.zoom = (self.zoom * factor).clamp(least, most);
        let now = self.canvas_from_screen(anchor, center);
        self.focus.x += held.x - now.x;
        self.focus.y += held.y - now.y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitted_sizes_keep_their_shape() {
        let check = |width, height, expected: (u32, u32)| {
            let expected = Extent::new(expected.0, expected.1);
            assert_eq!(Extent::new(width, height).fitted(96), expected);
        };
        check(64, 32, (64, 32));
        check(1000, 500, (96, 48));
        check(10, 16000, (1, 96));
        check(3001, 5003, (58, 96));
        check(u32::MAX, u32::MAX, (96, 96));
        check(0, 0, (1, 1));
    }

    #[test]
    fn a_union_contains_both_of_its_parts() {
        let a = CanvasRect { x: 3, y: 8, width: 4, height: 2 };
        let b = CanvasRect { x: 5, y: 1, width: 9, height: 3 };
        let both = a.union(b);
        assert!(both.contains(a) && both.contains(b));
        assert_eq!(both, CanvasRect { x: 3, y: 1, width: 11, height: 9 });
    }

    #[test]
    fn an_intersection_is_nothing_where_rectangles_only_touch() {
        let a = CanvasRect::new(0, 0, 4, 4);
        assert_eq!(a.intersection(CanvasRect::new(4, 0, 2, 2)), None);
        let corner = CanvasRect::new(3, 3, 9, 9);
        assert_eq!(a.intersection(corner), Some(CanvasRect::new(3, 3, 1, 1)));
    }

    #[test]
    fn padding_stops_at_the_edge_of_the_canvas() {
        let rect = CanvasRect::new(2, 5, 3, 3).padded(4, Extent::new(8, 100));
        assert_eq!(rect, CanvasRect::new(0, 1, 8, 11));
    }

    #[test]
    fn a_view_maps_back_and_forth_and_zooms_around_its_anchor() {
        let center = ScreenPoint::new(400.0, 300.0);
        for mirrored in [false, true] {
            let mut view = ViewTransform {
                focus: CanvasPoint::new(123.0, 45.0),
                zoom: 2.5,
                rotation: 0.7,
                mirrored,
            };
            let at = ScreenPoint::new(150.0, 480.0);
            let point = view.canvas_from_screen(at, center);
            let back = view.screen_from_canvas(point, center);
            assert!((back.x - at.x).abs() < 1e-2 && (back.y - at.y).abs() < 1e-2, "{back:?}");
            view.zoom_at(3.0, at, center);
            assert!(view.canvas_from_screen(at, center).distance(point) < 1e-2);
            view.zoom_at(1e9, at, center);
            assert_eq!(view.zoom, *ViewTransform::ZOOM_RANGE.end());
        }
    }

    #[test]
    fn pixel_rects_meet_beyond_the_canvas_too() {
        let a = PixelRect::new(-10, -10, 15, 15);
        let b = PixelRect::new(0, 2, 100, 3);
        assert_eq!(a.intersection(b), Some(PixelRect::new(0, 2, 5, 3)));
        assert_eq!(a.union(b), PixelRect::new(-10, -10, 110, 15));
        assert_eq!(a.on_canvas(Extent::new(3, 9)), Some(CanvasRect::new(0, 0, 3, 5)));
        assert_eq!(a.intersection(PixelRect::new(5, 0, 2, 2)), None);
        assert_eq!(PixelRect::default().union(b), b);
    }
}
