//! Lasso: what is drawn around becomes the selection.

use crate::document::{Combine, Document, Edit, SelectionShape};
use crate::geom::CanvasPoint;
use crate::tools::gesture::CLICK_POINTS;
use crate::tools::keys::combine_at_press;
use crate::tools::shape::select_nothing;
use crate::tools::{GestureOverlay, Outcome, Pointer, ToolSettings};

/// Points of the line are at least this far from each other, in points of the screen.
const STEP_POINTS: f32 = 1.0;

#[derive(Debug)]
pub(super) struct LassoGesture {
    combine: Combine,
    start: CanvasPoint,
    // Invariant: never empty.
    points: Vec<CanvasPoint>,
    moved: bool,
}

impl LassoGesture {
    pub(super) fn begin(settings: &ToolSettings, pointer: Pointer) -> Self {
        Self {
            combine: combine_at_press(settings, pointer),
            start: pointer.point,
            points: vec![pointer.point],
            moved: false,
        }
    }

    pub(super) fn drag(&mut self, pointer: Pointer) {
        self.moved |= !pointer.is_near(self.start, CLICK_POINTS);
        if self.points.last().is_none_or(|&last| !pointer.is_near(last, STEP_POINTS)) {
            self.points.push(pointer.point);
        }
    }

    pub(super) fn release(self, document: &Document) -> Outcome {
        if !self.moved || self.points.len() < 3 {
            return select_nothing(document, self.combine);
        }
        let shape = SelectionShape::Polygon(self.points);
        Outcome::later(Edit::Select { shape, combine: self.combine })
    }

    pub(super) fn overlay(&self) -> GestureOverlay {
        GestureOverlay::Lasso(self.points.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::Tool;
    use crate::tools::testing::{at, document, drag_with, edits_of};

    #[test]
    fn the_line_is_selected_as_it_was_drawn() {
        let way = [at(5.0, 5.0), at(25.0, 5.5), at(25.2, 5.6), at(20.0, 30.0)];
        let outcome = drag_with(Tool::Lasso, &mut document(), &way);
        let edits = edits_of(outcome);
        let [Edit::Select { shape: SelectionShape::Polygon(points), combine }] = &edits[..] else {
            panic!("{edits:?}")
        };
        assert_eq!(*combine, Combine::Replace);
        // The third point is no step away from the second.
        assert_eq!(points[..], [way[0].point, way[1].point, way[3].point]);
    }
}
