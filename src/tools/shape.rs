//! Rectangle and ellipse: a shape between two corners becomes the selection.

use crate::document::{Combine, Document, Edit, SelectionShape, SelectionStep};
use crate::geom::{CanvasPoint, PixelRect};
use crate::tools::gesture::CLICK_POINTS;
use crate::tools::keys::{DragKeys, combine_at_press};
use crate::tools::{GestureOverlay, Outcome, Pointer, ToolSettings};

/// Which shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShapeKind {
    Rectangle,
    Ellipse,
}

#[derive(Debug)]
pub(super) struct ShapeGesture {
    kind: ShapeKind,
    combine: Combine,
    start: CanvasPoint,
    end: CanvasPoint,
    keys: DragKeys,
    moved: bool,
}

impl ShapeGesture {
    pub(super) const fn begin(kind: ShapeKind, settings: &ToolSettings, pointer: Pointer) -> Self {
        Self {
            kind,
            combine: combine_at_press(settings, pointer),
            start: pointer.point,
            end: pointer.point,
            keys: DragKeys::at_press(pointer),
            moved: false,
        }
    }

    pub(super) fn drag(&mut self, pointer: Pointer) {
        self.end = pointer.point;
        self.keys.update(pointer);
        self.moved |= !pointer.is_near(self.start, CLICK_POINTS);
    }

    pub(super) fn release(self, document: &Document) -> Outcome {
        let canvas = PixelRect::from(document.extent.rect());
        // Only the part on the canvas can be selected; a click selects nothing.
        let rect = self.rect();
        let Some(part) = rect.intersection(canvas).filter(|_| self.moved) else {
            return select_nothing(document, self.combine);
        };
        let shape = match self.kind {
            ShapeKind::Rectangle => SelectionShape::Rectangle(part),
            ShapeKind::Ellipse => SelectionShape::Ellipse(rect),
        };
        Outcome::later(Edit::Select { shape, combine: self.combine })
    }

    pub(super) fn overlay(&self) -> GestureOverlay {
        match self.kind {
            _ if !self.moved => GestureOverlay::None,
            ShapeKind::Rectangle => GestureOverlay::Rectangle(self.rect()),
            ShapeKind::Ellipse => GestureOverlay::Ellipse(self.rect()),
        }
    }

    fn rect(&self) -> PixelRect {
        rect_between(self.start, self.end, self.keys)
    }
}

/// The end of a gesture that chose no pixel: a plain click deselects, and adding nothing or taking
/// nothing away changes nothing.
pub(super) fn select_nothing(document: &Document, combine: Combine) -> Outcome {
    let clears = matches!(combine, Combine::Replace | Combine::Intersect);
    if clears && !document.selection.is_empty() {
        return Outcome::later(Edit::ChangeSelection(SelectionStep::None));
    }
    Outcome::Nothing
}

/// The pixels that a drag from `start` to `end` touches; with Shift as wide as high, with Alt
/// around the start.
pub(super) fn rect_between(start: CanvasPoint, end: CanvasPoint, keys: DragKeys) -> PixelRect {
    let (start, end) = (steady(start), steady(end));
    let opposite = if keys.alt() {
        CanvasPoint::new(2.0 * start.x - end.x, 2.0 * start.y - end.y)
    } else {
        start
    };
    let rect = PixelRect::from_corners(opposite, end);
    if !keys.shift() {
        return rect;
    }
    let side = rect.width.max(rect.height);
    let (wider, higher) = ((side - rect.width) as i32, (side - rect.height) as i32);
    // The side that is too short grows away from what was held: the start or the middle.
    let (left, above) = if keys.alt() {
        (wider / 2, higher / 2)
    } else {
        (if end.x < start.x { wider } else { 0 }, if end.y < start.y { higher } else { 0 })
    };
    PixelRect::new(rect.x - left, rect.y - above, side, side)
}

/// The point without the last bits that turning the view leaves behind, which would make a
/// rectangle on the border of two pixels touch the farther one.
fn steady(point: CanvasPoint) -> CanvasPoint {
    const PARTS: f32 = 128.0;
    CanvasPoint::new((point.x * PARTS).round() / PARTS, (point.y * PARTS).round() / PARTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::Tool;
    use crate::tools::testing::{at, document, drag_with, edits_of};

    fn check(tool: Tool, way: &[Pointer], expected: &Edit) {
        let outcome = drag_with(tool, &mut document(), way);
        assert_eq!(format!("{:?}", edits_of(outcome)), format!("{:?}", [expected]));
    }

    fn select(shape: SelectionShape, combine: Combine) -> Edit {
        Edit::Select { shape, combine }
    }

    #[test]
    fn shapes_are_what_the_drag_touched() {
        let rectangle =
            |x, y, width, height| SelectionShape::Rectangle(PixelRect::new(x, y, width, height));
        let (a, b) = (at(10.0, 10.0), at(30.0, 20.0));
        let shift = |pointer: Pointer| Pointer { shift: true, ..pointer };
        let alt = |pointer: Pointer| Pointer { alt: true, ..pointer };
        let tool = Tool::Rectangle;
        check(tool, &[a, b], &select(rectangle(10, 10, 20, 10), Combine::Replace));
        check(tool, &[b, a], &select(rectangle(10, 10, 20, 10), Combine::Replace));
        check(tool, &[a, shift(b)], &select(rectangle(10, 10, 20, 20), Combine::Replace));
        check(tool, &[b, shift(a)], &select(rectangle(10, 0, 20, 20), Combine::Replace));
        check(tool, &[a, alt(at(15.0, 13.0))], &select(rectangle(5, 7, 10, 6), Combine::Replace));
        check(tool, &[shift(a), shift(b)], &select(rectangle(10, 10, 20, 10), Combine::Add));
        check(tool, &[alt(a), b], &select(rectangle(10, 10, 20, 10), Combine::Subtract));
        check(tool, &[shift(alt(a)), b], &select(rectangle(10, 10, 20, 10), Combine::Intersect));
        check(
            tool,
            &[shift(a), at(12.0, 12.0), shift(b)],
            &select(rectangle(10, 10, 20, 20), Combine::Add),
        );
        let noisy = at(30.000_01, 19.999_99);
        check(tool, &[a, noisy], &select(rectangle(10, 10, 20, 10), Combine::Replace));
        // Beyond the canvas of 64 pixels a side there is nothing to select.
        check(tool, &[a, at(90.0, 20.0)], &select(rectangle(10, 10, 54, 10), Combine::Replace));
        check(
            Tool::Ellipse,
            &[a, at(90.0, 20.0)],
            &select(SelectionShape::Ellipse(PixelRect::new(10, 10, 80, 10)), Combine::Replace),
        );
    }

    #[test]
    fn a_click_deselects_and_never_selects() {
        for tool in [Tool::Rectangle, Tool::Ellipse, Tool::Lasso] {
            let mut document = document();
            let click = [at(10.0, 10.0), at(11.0, 11.0)];
            assert!(matches!(drag_with(tool, &mut document, &click), Outcome::Nothing));
            document.selection.cover.fill(PixelRect::new(1, 1, 5, 5), 255);
            let edits = edits_of(drag_with(tool, &mut document, &click));
            assert!(matches!(edits[..], [Edit::ChangeSelection(SelectionStep::None)]));
            let adding = click.map(|pointer| Pointer { shift: true, ..pointer });
            assert!(matches!(drag_with(tool, &mut document, &adding), Outcome::Nothing));
        }
    }

    #[test]
    fn large_zoom_tells_a_click_from_a_drag_within_a_pixel() {
        let near = |x, y| Pointer { pixels_per_point: 1.0 / 64.0, ..at(x, y) };
        check(
            Tool::Rectangle,
            &[near(10.1, 10.1), near(10.9, 10.9)],
            &select(SelectionShape::Rectangle(PixelRect::new(10, 10, 1, 1)), Combine::Replace),
        );
    }
}
