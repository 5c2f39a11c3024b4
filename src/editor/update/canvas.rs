//! The pointer on the canvas, and how the canvas is seen.

use crate::document::{Edit, LayerId};
use crate::editor::{Editor, Effect, NoticeKind, PointerEvent, PointerPhase};
use crate::geom::{CanvasPoint, Extent, ScreenPoint};
use crate::locale::tr;
use crate::tools::{Applied, Begun, Gesture, Outcome, Pointer, ViewChange, stroke_end};

/// Points that stay free around a picture that fits the window.
const FIT_MARGIN: f32 = 24.0;

impl Editor {
    pub(super) fn pointer_event(&mut self, event: PointerEvent, effects: &mut Vec<Effect>) {
        let point = self.view.transform.canvas_from_screen(event.at, self.view.center());
        let pointer = Pointer {
            point,
            pressure: event.pressure,
            shift: event.shift,
            alt: event.alt,
            pixels_per_point: 1.0 / self.view.transform.zoom,
        };
        self.pointer = (event.phase != PointerPhase::Left).then_some(point);
        match event.phase {
            PointerPhase::Pressed => self.press(pointer),
            PointerPhase::Dragged => self.drag(pointer),
            PointerPhase::Released => self.release(pointer, effects),
            PointerPhase::DoubleClicked => self.finish_gesture(effects),
            PointerPhase::Hovered => {
                if let Some(gesture) = &mut self.gesture {
                    gesture.hover(pointer);
                }
            }
            PointerPhase::Left => {}
        }
    }

    fn press(&mut self, pointer: Pointer) {
        if let Some(gesture) = &mut self.gesture {
            gesture.press(pointer);
            return;
        }
        // Results over the canvas and comparisons are looked at, not painted on.
        let looks_only = self.staging.is_some() || self.compare.is_some() || self.opening.is_some();
        let tool = self.tool;
        let changes_view = tool.changes_view();
        if looks_only && !changes_view {
            if self.opening.is_none() && self.staging.is_some() {
                let text = tr("Accept or discard the results first; then paint on.");
                self.notify(NoticeKind::Info, text.to_owned(), None);
            }
            return;
        }
        if !changes_view && self.is_computing() {
            return;
        }
        match Gesture::begin(tool, &self.tools, &self.document, pointer, self.last_point) {
            Begun::Gesture(gesture) => {
                self.gesture = Some(gesture);
                self.drag(pointer);
            }
            Begun::Refused(error) => self.refuse(&error),
        }
    }

    fn drag(&mut self, pointer: Pointer) {
        let Some(gesture) = &mut self.gesture else { return };
        let dragged = gesture.drag(&mut self.document, &self.tools, pointer);
        if let Some(change) = dragged.view {
            self.change_view(change);
        }
    }

    fn release(&mut self, pointer: Pointer, effects: &mut Vec<Effect>) {
        let Some(gesture) = self.gesture.take() else { return };
        let outcome = gesture.release(&mut self.document, &self.tools, pointer);
        self.outcome(outcome, effects);
    }

    /// Enter or a double click: does what several presses have prepared.
    pub(super) fn finish_gesture(&mut self, effects: &mut Vec<Effect>) {
        let Some(gesture) = self.gesture.take() else { return };
        let outcome = gesture.finish();
        self.outcome(outcome, effects);
    }

    fn outcome(&mut self, outcome: Outcome, effects: &mut Vec<Effect>) {
        match outcome {
            Outcome::Commit { edits, applied } => {
                if let Some(point) = stroke_end(&edits) {
                    self.last_point = Some(point);
                }
                let label = edits.first().map_or("", Edit::label);
                let label = tr(label).to_owned();
                match applied {
                    Applied::Already => {
                        let document = self.document.clone();
                        let edits = self.with_layer_in_hand(edits);
                        self.commit(document, label, edits, effects);
                    }
                    Applied::NotYet => self.edits(label, edits, effects),
                }
            }
            Outcome::PickColor([r, g, b, _]) => self.tools.color = [r, g, b, 255],
            Outcome::View(change) => self.change_view(change),
            Outcome::Refused(error) => {
                self.restore();
                self.refuse(&error);
            }
            Outcome::GoOn(gesture) => self.gesture = Some(gesture),
            Outcome::Nothing => self.restore(),
        }
    }

    pub(super) fn escape(&mut self) {
        if self.gesture.is_some() {
            self.end_gesture();
        } else if self.dialog.is_some() {
            self.dialog = None;
            self.after_saving = None;
        } else if self.compare.is_some() {
            self.compare = None;
        } else if self.staging.is_some() {
            self.staging = None;
        }
    }

    /// Backspace while corners are being clicked.
    pub(super) fn step_gesture_back(&mut self) {
        if let Some(gesture) = self.gesture.take() {
            self.gesture = gesture.step_back();
        }
    }

    fn change_view(&mut self, change: ViewChange) {
        let center = self.view.center();
        change.apply(&mut self.view.transform, center, self.view.viewport_size);
        self.view.fit_pending = false;
        self.keep_in_sight();
    }

    pub(super) fn set_viewport(&mut self, min: ScreenPoint, size: (f32, f32)) {
        self.view.viewport_min = min;
        self.view.viewport_size = size;
        if self.view.fit_pending {
            self.zoom_to_fit();
        }
    }

    pub(super) fn zoom_at(&mut self, factor: f32, anchor: ScreenPoint) {
        if factor.is_finite() && factor > 0.0 {
            let center = self.view.center();
            self.view.transform.zoom_at(factor, anchor, center);
            self.view.fit_pending = false;
            self.keep_in_sight();
        }
    }

    pub(super) fn pan(&mut self, dx: f32, dy: f32) {
        let center = self.view.center();
        let to = ScreenPoint::new(center.x - dx, center.y - dy);
        self.view.transform.focus = self.view.transform.canvas_from_screen(to, center);
        self.view.fit_pending = false;
        self.keep_in_sight();
    }

    pub(super) fn rotate_view(&mut self, radians: f32) {
        let turned = self.view.transform.rotation + radians;
        self.view.transform.rotation = turned.rem_euclid(std::f32::consts::TAU);
    }

    /// Shows the whole picture, and goes on doing so while the window changes its size.
    pub(super) fn zoom_to_fit(&mut self) {
        let (width, height) = self.view.viewport_size;
        let size = (width - 2.0 * FIT_MARGIN, height - 2.0 * FIT_MARGIN);
        let whole = ViewChange::Show(self.canvas_extent().rect().into());
        let center = self.view.center();
        whole.apply(&mut self.view.transform, center, size);
        self.view.fit_pending = true;
    }

    /// The size of the canvas that is seen: the document's, or that of a project that is being
    /// opened.
    #[must_use]
    pub fn canvas_extent(&self) -> Extent {
        self.opening.as_ref().map_or(self.document.extent, |opening| opening.extent)
    }

    /// Keeps the canvas from being lost beyond the window's edge.
    fn keep_in_sight(&mut self) {
        let Extent { width, height } = self.canvas_extent();
        let focus = &mut self.view.transform.focus;
        focus.x = focus.x.clamp(0.0, width as f32);
        focus.y = focus.y.clamp(0.0, height as f32);
    }

    /// Where the middle of what is seen lies on the canvas.
    pub(super) fn middle(&self) -> CanvasPoint {
        self.view.transform.focus
    }

    pub(super) fn drag_opacity(
        &mut self,
        layer: LayerId,
        opacity: f32,
        done: bool,
        effects: &mut Vec<Effect>,
    ) {
        if self.computing.is_some() || self.gesture.is_some() {
            return;
        }
        let opacity = opacity.clamp(0.0, 1.0);
        if done {
            self.restore();
            self.edit(Edit::SetOpacity { layer, opacity }, effects);
        } else if let Some(layer) = self.document.layer_mut(layer) {
            layer.opacity = opacity;
        }
    }

    /// The brush of the tool in hand, larger or smaller by a step that suits its size.
    pub(super) fn resize_brush(&mut self, larger: f32) {
        let tool = self.tool;
        if let Some(brush) = self.tools.brush_of_mut(tool) {
            let step = (brush.diameter_px * 0.15).max(1.0).round();
            brush.diameter_px = (brush.diameter_px + step * larger).clamp(1.0, 2000.0).round();
        }
    }

    pub(super) fn harden_brush(&mut self, harder: f32) {
        let tool = self.tool;
        if let Some(brush) = self.tools.brush_of_mut(tool) {
            brush.hardness = (brush.hardness + 0.1 * harder).clamp(0.0, 1.0);
        }
    }
}
