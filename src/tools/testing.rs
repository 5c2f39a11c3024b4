//! Help for the tests of tools.

use crate::document::{Document, Edit};
use crate::geom::{CanvasPoint, Extent};
use crate::tools::{Begun, Gesture, Outcome, Pointer, Tool, ToolSettings};

/// An empty picture of 64 pixels a side.
pub(super) fn document() -> Document {
    Document::new(Extent::new(64, 64), "Layer 1")
}

/// The mouse at a place.
pub(super) const fn at(x: f32, y: f32) -> Pointer {
    Pointer::new(CanvasPoint::new(x, y))
}

/// A gesture that is not refused.
pub(super) fn begin(tool: Tool, document: &Document, pointer: Pointer) -> Gesture {
    match Gesture::begin(tool, &ToolSettings::default(), document, pointer, None) {
        Begun::Gesture(gesture) => gesture,
        Begun::Refused(error) => panic!("{error}"),
    }
}

/// Presses at the first place, goes through all and lets go at the last.
pub(super) fn drag_with(tool: Tool, document: &mut Document, way: &[Pointer]) -> Outcome {
    let settings = ToolSettings::default();
    let mut gesture = begin(tool, document, way[0]);
    for &pointer in way {
        gesture.drag(document, &settings, pointer);
    }
    gesture.release(document, &settings, way[way.len() - 1])
}

/// The edits of a step.
pub(super) fn edits_of(outcome: Outcome) -> Vec<Edit> {
    match outcome {
        Outcome::Commit { edits, .. } => edits,
        other => panic!("no step: {other:?}"),
    }
}
