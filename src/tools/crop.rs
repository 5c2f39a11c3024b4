//! Crop: a rectangle with handles that becomes the canvas.

use crate::document::Edit;
use crate::geom::{CanvasPoint, Extent, PixelRect};
use crate::tools::gesture::{CLICK_POINTS, GRAB_POINTS};
use crate::tools::keys::DragKeys;
use crate::tools::shape::rect_between;
use crate::tools::{GestureOverlay, Outcome, Pointer};

/// Edges jump to the canvas' own edges within this many points of the screen.
const SNAP_POINTS: f32 = 6.0;

/// What the pointer can take hold of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CropHandle {
    /// The corner above on the left.
    TopLeft,
    /// The upper edge.
    Top,
    /// The corner above on the right.
    TopRight,
    /// The right edge.
    Right,
    /// The corner below on the right.
    BottomRight,
    /// The lower edge.
    Bottom,
    /// The corner below on the left.
    BottomLeft,
    /// The left edge.
    Left,
    /// All of it.
    Inside,
}

impl CropHandle {
    /// The eight handles on the edge, clockwise from the top left.
    pub const EDGE: [Self; 8] = [
        Self::TopLeft,
        Self::Top,
        Self::TopRight,
        Self::Right,
        Self::BottomRight,
        Self::Bottom,
        Self::BottomLeft,
        Self::Left,
    ];

    /// Which sides it moves: -1 left or upper, 1 right or lower, 0 neither.
    #[must_use]
    pub const fn sides(self) -> (i32, i32) {
        match self {
            Self::TopLeft => (-1, -1),
            Self::Top => (0, -1),
            Self::TopRight => (1, -1),
            Self::Right => (1, 0),
            Self::BottomRight => (1, 1),
            Self::Bottom => (0, 1),
            Self::BottomLeft => (-1, 1),
            Self::Left => (-1, 0),
            Self::Inside => (0, 0),
        }
    }

    /// Where it is on a rectangle; the middle for the inside.
    #[must_use]
    pub fn place(self, rect: PixelRect) -> CanvasPoint {
        let (x, y) = self.sides();
        let at = |start: i32, length: u32, side: i32| {
            start as f32 + length as f32 * (side + 1) as f32 / 2.0
        };
        CanvasPoint::new(at(rect.x, rect.width, x), at(rect.y, rect.height, y))
    }

    /// What the pointer would take hold of.
    #[must_use]
    pub fn under(pointer: Pointer, rect: PixelRect) -> Option<Self> {
        let near = Self::EDGE
            .into_iter()
            .map(|handle| (handle, handle.place(rect)))
            .filter(|&(_, place)| pointer.is_near(place, GRAB_POINTS))
            .min_by(|(_, a), (_, b)| {
                pointer.point.distance(*a).total_cmp(&pointer.point.distance(*b))
            });
        if let Some((handle, _)) = near {
            return Some(handle);
        }
        // Between the handles the edge itself can be held.
        let reach = GRAB_POINTS / 2.0 * pointer.pixels_per_point;
        let (x, y) = (pointer.point.x, pointer.point.y);
        let (left, top) = (rect.x as f32, rect.y as f32);
        let (right, bottom) = (rect.right() as f32, rect.bottom() as f32);
        let (across, down) = (x > left && x < right, y > top && y < bottom);
        match () {
            () if across && (y - top).abs() < reach => Some(Self::Top),
            () if across && (y - bottom).abs() < reach => Some(Self::Bottom),
            () if down && (x - left).abs() < reach => Some(Self::Left),
            () if down && (x - right).abs() < reach => Some(Self::Right),
            () if across && down => Some(Self::Inside),
            () => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Held {
    Nothing,
    New,
    Handle(CropHandle),
}

#[derive(Debug)]
pub(super) struct CropGesture {
    canvas: PixelRect,
    rect: PixelRect,
    held: Held,
    start: CanvasPoint,
    at_start: PixelRect,
    moved: bool,
    keys: DragKeys,
}

impl CropGesture {
    pub(super) fn begin(extent: Extent, pointer: Pointer) -> Self {
        // A click takes all of the canvas, to be adjusted with the handles.
        let canvas = PixelRect::from(extent.rect());
        Self {
            canvas,
            rect: canvas,
            held: Held::New,
            start: pointer.point,
            at_start: canvas,
            moved: false,
            keys: DragKeys::default(),
        }
    }

    pub(super) fn press(&mut self, pointer: Pointer) {
        self.held = CropHandle::under(pointer, self.rect).map_or(Held::New, Held::Handle);
        self.start = pointer.point;
        self.at_start = self.rect;
        self.moved = false;
    }

    pub(super) fn drag(&mut self, pointer: Pointer) {
        self.keys.update(pointer);
        self.moved |= !pointer.is_near(self.start, CLICK_POINTS);
        if !self.moved {
            return;
        }
        let snap_px = SNAP_POINTS * pointer.pixels_per_point;
        self.rect = match self.held {
            Held::Nothing => return,
            Held::New => {
                let end = self.snapped_point(pointer.point, snap_px);
                let rect = rect_between(self.snapped_point(self.start, snap_px), end, self.keys);
                PixelRect { width: rect.width.max(1), height: rect.height.max(1), ..rect }
            }
            Held::Handle(CropHandle::Inside) => self.moved_rect(pointer.point, snap_px),
            Held::Handle(handle) => self.resized_rect(handle, pointer.point, snap_px),
        };
    }

    pub(super) const fn let_go(&mut self) {
        self.held = Held::Nothing;
    }

    pub(super) fn finish(self) -> Outcome {
        if self.rect == self.canvas {
            return Outcome::Nothing;
        }
        Outcome::later(Edit::SetCanvas(self.rect))
    }

    pub(super) const fn overlay(&self) -> GestureOverlay {
        let held = match self.held {
            Held::Handle(handle) => Some(handle),
            Held::New | Held::Nothing => None,
        };
        GestureOverlay::Crop { rect: self.rect, held }
    }

    fn snapped_point(&self, point: CanvasPoint, snap_px: f32) -> CanvasPoint {
        let (width, height) = (self.canvas.width as f32, self.canvas.height as f32);
        CanvasPoint::new(snapped(point.x, width, snap_px), snapped(point.y, height, snap_px))
    }

    fn moved_rect(&self, to: CanvasPoint, snap_px: f32) -> PixelRect {
        let along = |start: i32, length: u32, by: f32, canvas: u32| {
            let near = start as f32 + by;
            let far = near + length as f32;
            let snap_by = |edge: f32| snapped(edge, canvas as f32, snap_px) - edge;
            // Whichever side is at an edge of the canvas takes the other along.
            let by = [snap_by(near), snap_by(far)].into_iter().find(|by| by.abs() > 0.0);
            let by = by.unwrap_or(0.0);
            (near + by).round() as i32
        };
        let rect = self.at_start;
        let (dx, dy) = (to.x - self.start.x, to.y - self.start.y);
        PixelRect {
            x: along(rect.x, rect.width, dx, self.canvas.width),
            y: along(rect.y, rect.height, dy, self.canvas.height),
            ..rect
        }
    }

    fn resized_rect(&self, handle: CropHandle, to: CanvasPoint, snap_px: f32) -> PixelRect {
        let rect = self.at_start;
        let (side_x, side_y) = handle.sides();
        // The handle moves as far as the pointer, wherever on it the pointer took hold.
        let along = |start: i32, length: u32, side: i32, by: f32, canvas: u32| {
            let (near, far) = (start as f32, start as f32 + length as f32);
            let place = |edge: f32| snapped(edge + by, canvas as f32, snap_px).round() as i32;
            match side {
                -1 => (far as i32, place(near)),
                1 => (near as i32, place(far)),
                _ => (near as i32, far as i32),
            }
        };
        let (dx, dy) = (to.x - self.start.x, to.y - self.start.y);
        let (x0, x1) = along(rect.x, rect.width, side_x, dx, self.canvas.width);
        let (y0, y1) = along(rect.y, rect.height, side_y, dy, self.canvas.height);
        let (mut width, mut height) = (x0.abs_diff(x1).max(1), y0.abs_diff(y1).max(1));
        if self.keys.shift() && side_x != 0 && side_y != 0 {
            // The same shape as before: the larger change counts.
            let scale = (width as f32 / rect.width as f32).max(height as f32 / rect.height as f32);
            width = (rect.width as f32 * scale).round().max(1.0) as u32;
            height = (rect.height as f32 * scale).round().max(1.0) as u32;
        }
        let x = if x1 < x0 { x0.saturating_sub_unsigned(width) } else { x0 };
        let y = if y1 < y0 { y0.saturating_sub_unsigned(height) } else { y0 };
        PixelRect::new(x, y, width, height)
    }
}

/// The nearer edge of the canvas where it is near enough, else the value itself.
fn snapped(value: f32, length: f32, snap_px: f32) -> f32 {
    for edge in [0.0, length] {
        if (value - edge).abs() <= snap_px {
            return edge;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::tools::testing::{at, begin, document, drag_with, edits_of};
    use crate::tools::{Gesture, Tool, ToolSettings};

    fn go_on(outcome: Outcome) -> Gesture {
        let Outcome::GoOn(gesture) = outcome else { panic!("{outcome:?}") };
        gesture
    }

    fn pull(gesture: Gesture, document: &mut Document, from: Pointer, to: Pointer) -> Gesture {
        let mut gesture = gesture;
        let settings = ToolSettings::default();
        gesture.press(from);
        gesture.drag(document, &settings, to);
        go_on(gesture.release(document, &settings, to))
    }

    fn rect_of(gesture: &Gesture) -> PixelRect {
        let GestureOverlay::Crop { rect, held: None } = gesture.overlay() else {
            panic!("{:?}", gesture.overlay())
        };
        rect
    }

    #[test]
    fn handles_change_the_rectangle() {
        let fine = |x, y| Pointer { pixels_per_point: 0.25, ..at(x, y) };
        let shift = |pointer: Pointer| Pointer { shift: true, ..pointer };
        for (from, to, expected) in [
            // A corner, an edge by its handle, an edge elsewhere, the inside.
            (fine(20.0, 20.0), fine(15.0, 12.0), PixelRect::new(15, 12, 25, 28)),
            (fine(30.0, 20.5), fine(0.0, 10.5), PixelRect::new(20, 10, 20, 30)),
            (fine(40.5, 24.0), fine(50.5, 0.0), PixelRect::new(20, 20, 30, 20)),
            (fine(30.0, 30.0), fine(34.0, 27.0), PixelRect::new(24, 17, 20, 20)),
            // Through to the other side, to the canvas' edge, beyond it, with Shift.
            (fine(40.0, 40.0), fine(10.0, 40.0), PixelRect::new(10, 20, 10, 20)),
            (fine(40.0, 30.0), fine(63.0, 30.0), PixelRect::new(20, 20, 44, 20)),
            (fine(40.0, 30.0), fine(80.0, 30.0), PixelRect::new(20, 20, 60, 20)),
            (fine(40.0, 40.0), shift(fine(50.0, 42.0)), PixelRect::new(20, 20, 30, 30)),
            (fine(20.0, 20.0), shift(fine(10.0, 18.0)), PixelRect::new(10, 10, 30, 30)),
            // Somewhere else: a new rectangle.
            (fine(50.0, 50.0), fine(45.0, 55.0), PixelRect::new(45, 50, 5, 5)),
        ] {
            let mut document = document();
            let way = [fine(20.0, 20.0), fine(40.0, 40.0)];
            let gesture = go_on(drag_with(Tool::Crop, &mut document, &way));
            assert_eq!(rect_of(&gesture), PixelRect::new(20, 20, 20, 20));
            let gesture = pull(gesture, &mut document, from, to);
            assert_eq!(rect_of(&gesture), expected, "{from:?} to {to:?}");
            let edits = edits_of(gesture.finish());
            assert!(matches!(edits[..], [Edit::SetCanvas(rect)] if rect == expected));
        }
    }

    #[test]
    fn a_click_takes_the_canvas_and_changes_nothing_by_itself() {
        let mut document = document();
        let gesture = begin(Tool::Crop, &document, at(30.0, 30.0));
        let settings = ToolSettings::default();
        let gesture = go_on(gesture.release(&mut document, &settings, at(31.0, 30.0)));
        assert!(gesture.takes_presses());
        assert_eq!(rect_of(&gesture), PixelRect::new(0, 0, 64, 64));
        assert!(matches!(gesture.finish(), Outcome::Nothing));
    }

    #[test]
    fn a_moved_rectangle_snaps_by_either_side() {
        let fine = |x, y| Pointer { pixels_per_point: 0.25, ..at(x, y) };
        for (to, expected) in [((11.0, 30.0), (0, 20)), ((53.0, 31.0), (44, 21))] {
            let mut document = document();
            let way = [fine(20.0, 20.0), fine(40.0, 40.0)];
            let gesture = go_on(drag_with(Tool::Crop, &mut document, &way));
            let gesture = pull(gesture, &mut document, fine(30.0, 30.0), fine(to.0, to.1));
            assert_eq!(rect_of(&gesture), PixelRect::new(expected.0, expected.1, 20, 20));
        }
    }
}
