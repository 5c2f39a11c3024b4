//! Move: the layer, or what is selected of it, goes along with the pointer.

use crate::document::{Document, DocumentError, Edit, LayerId};
use crate::geom::{CanvasPoint, PixelRect};
use crate::tools::gesture::paintable;
use crate::tools::keys::DragKeys;
use crate::tools::{GestureOverlay, Outcome, Pointer};

#[derive(Debug)]
pub(super) struct MoveGesture {
    layer: LayerId,
    bounds: Option<PixelRect>,
    start: CanvasPoint,
    keys: DragKeys,
    dx: i32,
    dy: i32,
}

impl MoveGesture {
    pub(super) fn begin(document: &Document, pointer: Pointer) -> Result<Self, DocumentError> {
        let layer = document.active;
        paintable(document, layer)?;
        let bounds = if document.selection.is_empty() {
            document.layer(layer).and_then(|layer| layer.pixels.bounds())
        } else {
            document.selection.cover.bounds()
        };
        let keys = DragKeys::default();
        Ok(Self { layer, bounds, start: pointer.point, keys, dx: 0, dy: 0 })
    }

    pub(super) fn drag(&mut self, pointer: Pointer) {
        self.keys.update(pointer);
        let (dx, dy) = (pointer.point.x - self.start.x, pointer.point.y - self.start.y);
        let (dx, dy) = match self.keys.shift {
            true if dx.abs() >= dy.abs() => (dx, 0.0),
            true => (0.0, dy),
            false => (dx, dy),
        };
        (self.dx, self.dy) = (dx.round() as i32, dy.round() as i32);
    }

    pub(super) fn release(self) -> Outcome {
        // An empty layer moves nowhere.
        if self.bounds.is_none() || (self.dx, self.dy) == (0, 0) {
            return Outcome::Nothing;
        }
        Outcome::later(Edit::MovePixels { layer: self.layer, dx: self.dx, dy: self.dy })
    }

    pub(super) fn overlay(&self) -> GestureOverlay {
        match self.bounds {
            Some(bounds) => GestureOverlay::Move { bounds, dx: self.dx, dy: self.dy },
            None => GestureOverlay::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::Tool;
    use crate::tools::testing::{at, document, drag_with, edits_of};

    #[test]
    fn the_way_is_rounded_to_pixels_and_bound_by_shift() {
        let shift = |x, y| Pointer { shift: true, ..at(x, y) };
        for (to, expected) in
            [(at(15.4, 7.0), (5, -3)), (shift(15.4, 7.0), (5, 0)), (shift(11.0, 30.6), (0, 21))]
        {
            let mut document = document();
            document.layers[0].pixels.fill(PixelRect::new(2, 3, 4, 5), [1, 2, 3, 255]);
            let edits = edits_of(drag_with(Tool::Move, &mut document, &[at(10.0, 10.0), to]));
            let [Edit::MovePixels { layer: LayerId(1), dx, dy }] = edits[..] else {
                panic!("{edits:?}")
            };
            assert_eq!((dx, dy), expected);
        }
    }

    #[test]
    fn nothing_to_move_or_no_way_is_no_step() {
        let way = [at(10.0, 10.0), at(20.0, 10.0)];
        assert!(matches!(drag_with(Tool::Move, &mut document(), &way), Outcome::Nothing));
        let mut document = document();
        document.layers[0].pixels.fill(PixelRect::new(2, 3, 4, 5), [1, 2, 3, 255]);
        let back = [at(10.0, 10.0), at(20.0, 10.0), at(10.2, 10.0)];
        assert!(matches!(drag_with(Tool::Move, &mut document, &back), Outcome::Nothing));
    }
}
