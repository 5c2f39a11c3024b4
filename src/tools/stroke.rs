//! Brushes and erasers: the way of the pointer becomes a stroke, which is drawn as it grows.

use crate::document::{Document, DocumentError, Edit, Stroke, StrokeRun, StrokeTarget};
use crate::geom::{CanvasPoint, PixelRect};
use crate::raster::{StrokeMode, StrokeSample};
use crate::tools::{Applied, Outcome, Pointer, Tool, ToolSettings};

#[derive(Debug)]
pub(super) struct StrokeGesture {
    stroke: Stroke,
    run: StrokeRun,
    // Samples that have been drawn.
    drawn: usize,
    changed: PixelRect,
}

impl StrokeGesture {
    pub(super) fn begin(
        tool: Tool,
        settings: &ToolSettings,
        document: &Document,
        pointer: Pointer,
        previous: Option<CanvasPoint>,
    ) -> Result<Self, DocumentError> {
        let brush = settings.brush_of(tool).copied().unwrap_or_default();
        let on_mask = settings.quick_mask || matches!(tool, Tool::MaskBrush | Tool::MaskEraser);
        let target =
            if on_mask { StrokeTarget::Selection } else { StrokeTarget::Layer(document.active) };
        let mode = match tool {
            Tool::MaskEraser | Tool::Eraser => StrokeMode::Erase,
            _ => StrokeMode::Paint,
        };
        let sample = sample_of(pointer);
        let samples = match previous.filter(|_| pointer.shift) {
            // Given twice, the end is a corner: what is drawn after it can't bend the line.
            Some(point) => vec![StrokeSample { point, ..sample }, sample, sample],
            None => vec![sample],
        };
        let stroke = Stroke { target, mode, brush, color: settings.color, samples };
        let run = StrokeRun::begin(document, &stroke)?;
        Ok(Self { stroke, run, drawn: 0, changed: PixelRect::default() })
    }

    pub(super) fn drag(&mut self, document: &mut Document, pointer: Pointer) -> PixelRect {
        let sample = sample_of(pointer);
        // The release comes from where the last move was, and a pen that is lifted no longer
        // presses.
        if self.stroke.samples.last().is_none_or(|last| last.point != sample.point) {
            self.stroke.samples.push(sample);
        }
        let new = self.stroke.samples.get(self.drawn..).unwrap_or_default();
        let dirty = self.run.extend(document, new);
        self.changed = self.changed.union(dirty);
        self.drawn = self.stroke.samples.len();
        dirty
    }

    pub(super) fn release(self, document: &mut Document) -> Outcome {
        let changed = self.changed.union(self.run.finish(document));
        if changed.is_empty() {
            return Outcome::Nothing;
        }
        Outcome::Commit { edits: vec![Edit::Stroke(self.stroke)], applied: Applied::Already }
    }
}

const fn sample_of(pointer: Pointer) -> StrokeSample {
    StrokeSample { point: pointer.point, pressure: pointer.pressure }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::LayerId;
    use crate::tools::testing::{at, begin, document, drag_with, edits_of};
    use crate::tools::{Begun, Gesture};

    const RED: [u8; 4] = [255, 0, 0, 255];

    fn settings() -> ToolSettings {
        ToolSettings { color: RED, ..ToolSettings::default() }
    }

    fn stroke_of(outcome: Outcome) -> Stroke {
        let Outcome::Commit { applied: Applied::Already, .. } = outcome else {
            panic!("{outcome:?}")
        };
        match edits_of(outcome).remove(0) {
            Edit::Stroke(stroke) => stroke,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_tool_draws_on_its_target() {
        let layer = StrokeTarget::Layer(LayerId(1));
        let selection = StrokeTarget::Selection;
        for (tool, quick_mask, target, mode) in [
            (Tool::MaskBrush, false, selection, StrokeMode::Paint),
            (Tool::MaskEraser, false, selection, StrokeMode::Erase),
            (Tool::Brush, false, layer, StrokeMode::Paint),
            (Tool::Eraser, false, layer, StrokeMode::Erase),
            (Tool::Brush, true, selection, StrokeMode::Paint),
            (Tool::Eraser, true, selection, StrokeMode::Erase),
        ] {
            let mut document = document();
            document.layers[0].pixels.fill(PixelRect::new(0, 0, 64, 64), [9, 9, 9, 255]);
            document.selection.cover.fill(PixelRect::new(0, 0, 64, 32), 128);
            let before = document.clone();
            let settings = ToolSettings { quick_mask, ..settings() };
            let pointer = at(30.0, 20.0);
            let Begun::Gesture(gesture) = Gesture::begin(tool, &settings, &document, pointer, None)
            else {
                panic!()
            };
            let stroke = stroke_of(gesture.release(&mut document, &settings, pointer));
            assert_eq!((stroke.target, stroke.mode), (target, mode), "{tool:?}");
            assert_eq!(document.selection == before.selection, target == layer, "{tool:?}");
            assert_eq!(document.layers == before.layers, target == selection, "{tool:?}");
        }
    }

    #[test]
    fn a_press_already_shows_and_every_sample_is_kept() {
        let mut document = document();
        let way = [at(10.0, 10.0), at(14.0, 11.0), at(22.0, 15.0), at(40.0, 40.0)];
        let settings = settings();
        let mut gesture = begin(Tool::Brush, &document, way[0]);
        let dirty = gesture.drag(&mut document, &settings, way[0]).dirty;
        assert!(dirty.contains(10, 10) && !dirty.contains(40, 40));
        assert_eq!(document.layers[0].pixels.pixel(10, 10)[3], 255);
        for &pointer in &way[1..] {
            gesture.drag(&mut document, &settings, pointer);
        }
        let stroke = stroke_of(gesture.release(&mut document, &settings, way[3]));
        let points: Vec<CanvasPoint> = stroke.samples.iter().map(|sample| sample.point).collect();
        assert_eq!(points, way.map(|pointer| pointer.point));
        assert_eq!(document.layers[0].pixels.pixel(40, 40)[3], 255);
    }

    #[test]
    fn what_is_seen_equals_what_the_edit_gives() {
        let way: Vec<Pointer> = (0..60_u8)
            .map(|i| {
                let t = f32::from(i) / 6.0;
                Pointer {
                    pressure: 0.3 + 0.6 * t.sin().abs(),
                    ..at(32.0 + 3.0 * t * t.cos(), 32.0 + 3.0 * t * t.sin())
                }
            })
            .collect();
        for tool in [Tool::MaskBrush, Tool::MaskEraser, Tool::Brush, Tool::Eraser] {
            let mut before = document();
            before.layers[0].pixels.fill(PixelRect::new(0, 0, 40, 64), [9, 200, 9, 255]);
            before.selection.cover.fill(PixelRect::new(0, 0, 64, 40), 180);
            let mut live = before.clone();
            let stroke = stroke_of(drag_with(tool, &mut live, &way));
            let mut done = before.clone();
            Edit::Stroke(stroke).apply(&mut done).unwrap();
            assert_eq!(live, done, "{tool:?}");
            assert_ne!(live, before, "{tool:?}");
        }
    }

    #[test]
    fn shift_draws_a_straight_line_from_where_the_last_stroke_ended() {
        let mut document = document();
        let first = drag_with(Tool::MaskBrush, &mut document, &[at(5.0, 5.0), at(5.0, 8.0)]);
        let previous = crate::tools::stroke_end(&edits_of(first));
        assert_eq!(previous, Some(CanvasPoint::new(5.0, 8.0)));
        document.selection.cover.clear(PixelRect::new(0, 0, 64, 64));
        let mut settings = settings();
        settings.mask_brush.diameter_px = 4.0;
        let end = Pointer { shift: true, ..at(55.0, 58.0) };
        let Begun::Gesture(mut gesture) =
            Gesture::begin(Tool::MaskBrush, &settings, &document, end, previous)
        else {
            panic!()
        };
        gesture.drag(&mut document, &settings, end);
        for i in 0..=50 {
            assert!(document.selection.cover.pixel(5 + i, 8 + i) > 200, "{i}");
        }
        stroke_of(gesture.release(&mut document, &settings, end));
    }

    #[test]
    fn erasing_what_is_empty_is_no_step() {
        let way = [at(5.0, 5.0), at(50.0, 8.0)];
        for tool in [Tool::MaskEraser, Tool::Eraser] {
            assert!(matches!(drag_with(tool, &mut document(), &way), Outcome::Nothing));
        }
        // Nor does the mask reach beyond the canvas.
        let outside = [at(-500.0, 5.0), at(-500.0, 8.0)];
        assert!(matches!(drag_with(Tool::MaskBrush, &mut document(), &outside), Outcome::Nothing));
    }

    #[test]
    fn an_abandoned_gesture_leaves_the_document_it_began_with() {
        let before = document();
        let mut working = before.clone();
        let mut gesture = begin(Tool::Brush, &working, at(20.0, 20.0));
        gesture.drag(&mut working, &settings(), at(40.0, 20.0));
        drop(gesture);
        assert_ne!(working, before);
        assert!(before.layers[0].pixels.has_no_tiles());
    }
}
