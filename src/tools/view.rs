//! Hand and zoom: gestures that change how the canvas is seen.

use crate::geom::{CanvasPoint, PixelRect, ScreenPoint, ViewTransform};
use crate::tools::gesture::CLICK_POINTS;
use crate::tools::{GestureOverlay, Outcome, Pointer};

/// How much one click zooms.
const CLICK_FACTOR: f32 = 1.5;

/// A change of the view that a gesture asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ViewChange {
    /// Moves the canvas point in the middle of the view.
    MoveFocus {
        /// Columns to the right.
        dx: f32,
        /// Rows down.
        dy: f32,
    },
    /// Zooms by a factor around a canvas point.
    ZoomAt {
        /// Larger than 1 zooms in.
        factor: f32,
        /// What stays in its place.
        point: CanvasPoint,
    },
    /// Fills the view with a part of the canvas.
    Show(PixelRect),
}

impl ViewChange {
    /// Changes the view, whose area has this center and this width and height in points.
    pub fn apply(self, view: &mut ViewTransform, center: ScreenPoint, size: (f32, f32)) {
        match self {
            Self::MoveFocus { dx, dy } => {
                view.focus.x += dx;
                view.focus.y += dy;
            }
            Self::ZoomAt { factor, point } => {
                let anchor = view.screen_from_canvas(point, center);
                view.zoom_at(factor, anchor, center);
            }
            Self::Show(rect) => {
                let (width, height) = (rect.width.max(1) as f32, rect.height.max(1) as f32);
                // How much of the screen the rectangle takes when it is turned.
                let (sin, cos) = view.rotation.sin_cos();
                let across = width * cos.abs() + height * sin.abs();
                let down = width * sin.abs() + height * cos.abs();
                let (least, most) =
                    (*ViewTransform::ZOOM_RANGE.start(), *ViewTransform::ZOOM_RANGE.end());
                view.zoom = (size.0 / across).min(size.1 / down).clamp(least, most);
                view.focus =
                    CanvasPoint::new(rect.x as f32 + width / 2.0, rect.y as f32 + height / 2.0);
            }
        }
    }
}

/// The canvas point that was taken hold of stays under the pointer.
#[derive(Debug)]
pub(super) struct HandGesture {
    held: CanvasPoint,
}

impl HandGesture {
    pub(super) const fn begin(pointer: Pointer) -> Self {
        Self { held: pointer.point }
    }

    pub(super) fn drag(&self, pointer: Pointer) -> Option<ViewChange> {
        let (dx, dy) = (self.held.x - pointer.point.x, self.held.y - pointer.point.y);
        (dx != 0.0 || dy != 0.0).then_some(ViewChange::MoveFocus { dx, dy })
    }
}

/// A click zooms in, or out with Alt; a rectangle fills the view.
#[derive(Debug)]
pub(super) struct ZoomGesture {
    start: CanvasPoint,
    end: CanvasPoint,
    factor: f32,
    moved: bool,
}

impl ZoomGesture {
    pub(super) const fn begin(pointer: Pointer) -> Self {
        let factor = if pointer.alt { 1.0 / CLICK_FACTOR } else { CLICK_FACTOR };
        Self { start: pointer.point, end: pointer.point, factor, moved: false }
    }

    pub(super) fn drag(&mut self, pointer: Pointer) {
        self.end = pointer.point;
        self.moved |= !pointer.is_near(self.start, CLICK_POINTS);
    }

    pub(super) fn release(self) -> Outcome {
        Outcome::View(if self.moved {
            ViewChange::Show(PixelRect::from_corners(self.start, self.end))
        } else {
            ViewChange::ZoomAt { factor: self.factor, point: self.start }
        })
    }

    pub(super) fn overlay(&self) -> GestureOverlay {
        if self.moved {
            GestureOverlay::Zoom(PixelRect::from_corners(self.start, self.end))
        } else {
            GestureOverlay::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::testing::{at, begin, document, drag_with};
    use crate::tools::{Tool, ToolSettings};

    #[test]
    fn the_hand_keeps_its_point_under_the_pointer() {
        let center = ScreenPoint::new(200.0, 100.0);
        let mut view = ViewTransform {
            focus: CanvasPoint::new(30.0, 40.0),
            zoom: 3.0,
            rotation: 0.4,
            mirrored: true,
        };
        let mut document = document();
        let from = ScreenPoint::new(150.0, 80.0);
        let held = view.canvas_from_screen(from, center);
        let mut gesture = begin(Tool::Hand, &document, Pointer::new(held));
        for to in [ScreenPoint::new(170.0, 85.0), ScreenPoint::new(20.0, 300.0)] {
            let pointer = Pointer::new(view.canvas_from_screen(to, center));
            let dragged = gesture.drag(&mut document, &ToolSettings::default(), pointer);
            dragged.view.unwrap().apply(&mut view, center, (400.0, 200.0));
            assert!(view.canvas_from_screen(to, center).distance(held) < 1e-3);
        }
    }

    #[test]
    fn clicks_zoom_around_their_point_and_rectangles_fill_the_view() {
        let alt = |pointer| Pointer { alt: true, ..pointer };
        for (way, expected) in [
            (
                [at(10.0, 12.0), at(11.0, 12.0)],
                ViewChange::ZoomAt { factor: CLICK_FACTOR, point: CanvasPoint::new(10.0, 12.0) },
            ),
            (
                [alt(at(10.0, 12.0)), alt(at(11.0, 12.0))],
                ViewChange::ZoomAt {
                    factor: 1.0 / CLICK_FACTOR,
                    point: CanvasPoint::new(10.0, 12.0),
                },
            ),
            ([at(30.0, 12.0), at(10.0, 22.0)], ViewChange::Show(PixelRect::new(10, 12, 20, 10))),
        ] {
            let Outcome::View(change) = drag_with(Tool::Zoom, &mut document(), &way) else {
                panic!()
            };
            assert_eq!(change, expected);
        }
        let mut view = ViewTransform::default();
        let center = ScreenPoint::new(50.0, 50.0);
        ViewChange::Show(PixelRect::new(10, 12, 20, 10)).apply(&mut view, center, (100.0, 100.0));
        assert_eq!((view.zoom, view.focus), (5.0, CanvasPoint::new(20.0, 17.0)));
        let held = view.screen_from_canvas(CanvasPoint::new(12.0, 13.0), center);
        let change = ViewChange::ZoomAt { factor: 2.0, point: CanvasPoint::new(12.0, 13.0) };
        change.apply(&mut view, center, (100.0, 100.0));
        let now = view.screen_from_canvas(CanvasPoint::new(12.0, 13.0), center);
        assert!((now.x - held.x).abs() < 1e-3 && (now.y - held.y).abs() < 1e-3);
        assert_eq!(view.zoom, 10.0);
    }
}
