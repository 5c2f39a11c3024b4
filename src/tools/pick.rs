//! Tools that take one place: the bucket, the magic wand, the eyedropper.

use crate::document::{Document, Edit, Fill, SelectionShape, Source, Wand, sample_color};
use crate::geom::{CanvasPoint, PixelRect};
use crate::tools::keys::combine_at_press;
use crate::tools::{GestureOverlay, Outcome, Pointer, ToolSettings};

/// What is done with the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PickKind {
    Fill,
    Wand,
    Color,
}

#[derive(Debug)]
pub(super) struct PickGesture {
    kind: PickKind,
    press: Pointer,
    // For the eyedropper: where the pointer is now, and what is there.
    point: CanvasPoint,
    color: Option<[u8; 4]>,
}

impl PickGesture {
    pub(super) fn begin(
        kind: PickKind,
        settings: &ToolSettings,
        document: &Document,
        pointer: Pointer,
    ) -> Self {
        let mut gesture = Self { kind, press: pointer, point: pointer.point, color: None };
        gesture.drag(settings, document, pointer);
        gesture
    }

    pub(super) fn drag(&mut self, settings: &ToolSettings, document: &Document, pointer: Pointer) {
        if self.kind == PickKind::Color {
            self.point = pointer.point;
            self.color = color_at(document, pointer.point, settings.all_layers);
        }
    }

    pub(super) fn release(self, settings: &ToolSettings, document: &Document) -> Outcome {
        if self.kind == PickKind::Color {
            return self.color.map_or(Outcome::Nothing, Outcome::PickColor);
        }
        let (x, y) = self.press.point.pixel();
        if !PixelRect::from(document.extent.rect()).contains(x, y) {
            return Outcome::Nothing;
        }
        let wand = Wand {
            point: self.press.point,
            tolerance: settings.tolerance,
            contiguous: settings.contiguous,
            all_layers: settings.all_layers,
        };
        Outcome::later(match self.kind {
            PickKind::Fill => {
                Edit::Fill(Fill { layer: document.active, color: settings.color, wand: Some(wand) })
            }
            PickKind::Wand | PickKind::Color => Edit::Select {
                shape: SelectionShape::Wand(wand),
                combine: combine_at_press(settings, self.press),
            },
        })
    }

    pub(super) const fn overlay(&self) -> GestureOverlay {
        match self.kind {
            PickKind::Color => GestureOverlay::Color { point: self.point, color: self.color },
            PickKind::Fill | PickKind::Wand => GestureOverlay::None,
        }
    }
}

/// The color that is seen at a place of the canvas, or that the active layer has there; nothing
/// where it is transparent. It is given as opaque: how much of it is seen is no part of a color.
fn color_at(document: &Document, point: CanvasPoint, all_layers: bool) -> Option<[u8; 4]> {
    let (x, y) = point.pixel();
    let source = if all_layers { Source::AllLayers } else { Source::Layer(document.active) };
    let [red, green, blue, alpha] = sample_color(document, x, y, source)?;
    (alpha > 0).then_some([red, green, blue, 255])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Combine, Layer, LayerId};
    use crate::tools::testing::{at, document, drag_with, edits_of};
    use crate::tools::{Begun, Gesture, Tool};

    fn painted() -> Document {
        let mut document = document();
        document.layers[0].pixels.fill(PixelRect::new(0, 0, 32, 64), [200, 100, 0, 255]);
        let mut upper = Layer::new(LayerId(2), "Layer 2");
        upper.pixels.fill(PixelRect::new(0, 0, 64, 8), [0, 0, 250, 255]);
        upper.opacity = 0.5;
        document.layers.push(upper);
        document
    }

    #[test]
    fn the_eyedropper_takes_what_is_seen_where_it_is_let_go() {
        for (x, y, expected) in [
            (10.0, 20.0, Some([200, 100, 0, 255])),
            (10.0, 2.0, Some([100, 50, 125, 255])),
            (50.0, 2.0, Some([0, 0, 250, 255])),
            (50.0, 20.0, None),
            (-1.0, 2.0, None),
        ] {
            let way = [at(60.0, 60.0), at(x, y)];
            let color = match drag_with(Tool::Eyedropper, &mut painted(), &way) {
                Outcome::PickColor(color) => Some(color),
                Outcome::Nothing => None,
                other => panic!("{other:?}"),
            };
            assert_eq!(color, expected, "{x}, {y}");
        }
    }

    #[test]
    fn the_eyedropper_may_look_at_the_active_layer_only() {
        let settings = ToolSettings { all_layers: false, ..ToolSettings::default() };
        let document = painted();
        let place = at(10.0, 2.0);
        let gesture = PickGesture::begin(PickKind::Color, &settings, &document, place);
        assert_eq!(gesture.color, Some([200, 100, 0, 255]));
    }

    #[test]
    fn alt_makes_the_brush_an_eyedropper() {
        let document = painted();
        let pointer = Pointer { alt: true, ..at(10.0, 20.0) };
        let settings = ToolSettings::default();
        let Begun::Gesture(gesture) =
            Gesture::begin(Tool::Brush, &settings, &document, pointer, None)
        else {
            panic!()
        };
        assert_eq!(gesture.tool, Tool::Eyedropper);
        let expected =
            GestureOverlay::Color { point: pointer.point, color: Some([200, 100, 0, 255]) };
        assert_eq!(gesture.overlay(), expected);
    }

    #[test]
    fn wand_and_bucket_start_where_the_button_went_down() {
        let way = [Pointer { shift: true, ..at(10.0, 20.0) }, at(50.0, 50.0)];
        let edits = edits_of(drag_with(Tool::Wand, &mut painted(), &way));
        let [Edit::Select { shape: SelectionShape::Wand(wand), combine: Combine::Add }] = edits[..]
        else {
            panic!("{edits:?}")
        };
        assert_eq!(wand.point, way[0].point);
        let edits = edits_of(drag_with(Tool::Fill, &mut painted(), &way));
        let [Edit::Fill(Fill { layer: LayerId(1), wand: Some(filled), .. })] = edits[..] else {
            panic!("{edits:?}")
        };
        assert_eq!(filled, wand);
        for tool in [Tool::Wand, Tool::Fill] {
            let outside = drag_with(tool, &mut painted(), &[at(64.0, 3.0)]);
            assert!(matches!(outside, Outcome::Nothing));
        }
    }

    #[test]
    fn tools_that_change_pixels_refuse_locked_and_hidden_layers() {
        use crate::document::DocumentError::{Hidden, Locked};
        let name = || "Layer 1".to_owned();
        for tool in [Tool::Fill, Tool::Move, Tool::Brush, Tool::Eraser] {
            let refused = |document: &Document| {
                let settings = ToolSettings::default();
                match Gesture::begin(tool, &settings, document, at(1.0, 1.0), None) {
                    Begun::Refused(error) => error,
                    Begun::Gesture(gesture) => panic!("{gesture:?}"),
                }
            };
            let mut document = painted();
            document.layers[0].locked = true;
            assert_eq!(refused(&document), Locked(name()));
            document.layers[0].locked = false;
            document.layers[0].visible = false;
            assert_eq!(refused(&document), Hidden(name()));
        }
    }
}
