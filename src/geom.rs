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

#[cfg(test)]
mod tests {
    use super::*;

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
}
