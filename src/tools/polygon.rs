//! Polygon: clicked corners become the selection once the line is closed.

use crate::document::{Combine, Edit, SelectionShape};
use crate::geom::CanvasPoint;
use crate::tools::gesture::GRAB_POINTS;
use crate::tools::keys::combine_at_press;
use crate::tools::{GestureOverlay, Outcome, Pointer, ToolSettings};

/// The second press of a double click is no corner of its own: so near, in points of the screen.
const SAME_POINTS: f32 = 3.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Press {
    /// It made the last corner, which follows the pointer until it is let go.
    Corner,
    /// It was where the last corner is already.
    SameCorner,
    /// It was on the first corner.
    Closing,
}

#[derive(Debug)]
pub(super) struct PolygonGesture {
    combine: Combine,
    // Invariant: never empty.
    corners: Vec<CanvasPoint>,
    next: CanvasPoint,
    over_first: bool,
    press: Press,
}

impl PolygonGesture {
    pub(super) fn begin(settings: &ToolSettings, pointer: Pointer) -> Self {
        Self {
            combine: combine_at_press(settings, pointer),
            corners: vec![pointer.point],
            next: pointer.point,
            over_first: false,
            press: Press::Corner,
        }
    }

    pub(super) fn press(&mut self, pointer: Pointer) {
        self.hover(pointer);
        self.press = if self.over_first {
            Press::Closing
        } else if self.corners.last().is_some_and(|&last| pointer.is_near(last, SAME_POINTS)) {
            Press::SameCorner
        } else {
            self.corners.push(self.next);
            Press::Corner
        };
    }

    pub(super) fn drag(&mut self, pointer: Pointer) {
        if self.press != Press::Corner {
            return;
        }
        // The first corner has nothing that it could lie straight from, and its Shift adds.
        let point = match self.corners.len().checked_sub(2).and_then(|i| self.corners.get(i)) {
            Some(&from) if pointer.shift => straight(from, pointer.point),
            _ => pointer.point,
        };
        if let Some(last) = self.corners.last_mut() {
            *last = point;
        }
        self.next = point;
    }

    pub(super) fn hover(&mut self, pointer: Pointer) {
        self.over_first = self.corners.len() > 2
            && self.corners.first().is_some_and(|&first| pointer.is_near(first, GRAB_POINTS));
        self.next = match self.corners.last() {
            Some(&from) if pointer.shift => straight(from, pointer.point),
            _ => pointer.point,
        };
    }

    pub(super) fn closes(&self) -> bool {
        self.press == Press::Closing
    }

    pub(super) fn finish(self) -> Outcome {
        if self.corners.len() < 3 {
            return Outcome::Nothing;
        }
        let shape = SelectionShape::Polygon(self.corners);
        Outcome::later(Edit::Select { shape, combine: self.combine })
    }

    pub(super) fn step_back(mut self) -> Option<Self> {
        self.corners.pop();
        self.over_first = false;
        (!self.corners.is_empty()).then_some(self)
    }

    pub(super) fn overlay(&self) -> GestureOverlay {
        GestureOverlay::Polygon {
            corners: self.corners.clone(),
            next: self.next,
            closes: self.over_first,
        }
    }
}

/// The point nearest to `to` that lies from `from` in one of eight directions.
pub(super) fn straight(from: CanvasPoint, to: CanvasPoint) -> CanvasPoint {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let step = std::f32::consts::FRAC_PI_4;
    let (sin, cos) = ((dy.atan2(dx) / step).round() * step).sin_cos();
    let along = dx * cos + dy * sin;
    CanvasPoint::new(from.x + along * cos, from.y + along * sin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::tools::testing::{at, begin, document, edits_of};
    use crate::tools::{Gesture, Tool};

    fn click(gesture: Gesture, document: &mut Document, pointer: Pointer) -> Outcome {
        let mut gesture = gesture;
        gesture.hover(pointer);
        gesture.press(pointer);
        gesture.release(document, &ToolSettings::default(), pointer)
    }

    fn go_on(outcome: Outcome) -> Gesture {
        let Outcome::GoOn(gesture) = outcome else { panic!("{outcome:?}") };
        assert!(gesture.takes_presses());
        gesture
    }

    /// A polygon with these corners, waiting for more.
    fn clicked(document: &mut Document, corners: &[Pointer]) -> Gesture {
        let gesture = begin(Tool::Polygon, document, corners[0]);
        let mut gesture = go_on(gesture.release(document, &ToolSettings::default(), corners[0]));
        for &corner in &corners[1..] {
            gesture = go_on(click(gesture, document, corner));
        }
        gesture
    }

    fn corners_of(outcome: Outcome) -> Vec<CanvasPoint> {
        match edits_of(outcome).remove(0) {
            Edit::Select { shape: SelectionShape::Polygon(corners), .. } => corners,
            other => panic!("{other:?}"),
        }
    }

    const CORNERS: [(f32, f32); 3] = [(10.0, 10.0), (50.0, 10.0), (50.0, 50.0)];

    #[test]
    fn a_click_on_the_first_corner_closes_and_so_does_finish() {
        let corners = CORNERS.map(|(x, y)| at(x, y));
        let points = corners.map(|corner| corner.point);
        let mut document = document();
        let gesture = clicked(&mut document, &corners);
        let outcome = click(gesture, &mut document, at(13.0, 12.0));
        assert_eq!(corners_of(outcome), points);
        let gesture = clicked(&mut document, &corners);
        // A double click presses twice at its corner.
        let gesture = go_on(click(gesture, &mut document, at(51.0, 50.0)));
        assert_eq!(corners_of(gesture.finish()), points);
    }

    #[test]
    fn two_corners_are_no_polygon() {
        let mut document = document();
        let corners = CORNERS.map(|(x, y)| at(x, y));
        assert!(matches!(clicked(&mut document, &corners[..2]).finish(), Outcome::Nothing));
    }

    #[test]
    fn corners_are_taken_back_one_by_one() {
        let mut document = document();
        let gesture = clicked(&mut document, &CORNERS.map(|(x, y)| at(x, y)));
        let gesture = gesture.step_back().unwrap();
        let GestureOverlay::Polygon { corners, .. } = gesture.overlay() else { panic!() };
        assert_eq!(corners.len(), 2);
        let gesture = gesture.step_back().unwrap();
        assert!(gesture.step_back().is_none());
    }

    #[test]
    fn shift_makes_lines_straight() {
        for (to, expected) in [
            ((30.0, 12.0), (30.0, 10.0)),
            ((9.0, 40.0), (10.0, 40.0)),
            ((28.0, 32.0), (30.0, 30.0)),
        ] {
            let point = straight(CanvasPoint::new(10.0, 10.0), CanvasPoint::new(to.0, to.1));
            assert!(point.distance(CanvasPoint::new(expected.0, expected.1)) < 1e-3, "{point:?}");
        }
        let mut document = document();
        let gesture = clicked(&mut document, &[at(10.0, 10.0)]);
        let gesture = click(gesture, &mut document, Pointer { shift: true, ..at(30.0, 12.0) });
        let GestureOverlay::Polygon { corners, .. } = go_on(gesture).overlay() else { panic!() };
        assert!(corners[1].distance(CanvasPoint::new(30.0, 10.0)) < 1e-3);
    }
}
