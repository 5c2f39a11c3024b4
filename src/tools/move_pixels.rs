//! Move: the layer, or what is selected of it, goes along with the pointer.
//!
//! A layer that is light enough moves before the user's eyes; of others an outline does until the
//! pointer is let go.

use crate::document::{Document, DocumentError, Edit, LayerId};
use crate::geom::{CanvasPoint, PixelRect};
use crate::tools::keys::DragKeys;
use crate::tools::{Applied, GestureOverlay, Outcome, Pointer};

#[derive(Debug)]
pub(super) struct MoveGesture {
    // As it was when the gesture began; shares all its tiles.
    before: Document,
    layer: LayerId,
    bounds: Option<PixelRect>,
    shown: Applied,
    start: CanvasPoint,
    keys: DragKeys,
    dx: i32,
    dy: i32,
    dirty: PixelRect,
    failed: Option<DocumentError>,
}

impl MoveGesture {
    pub(super) fn begin(document: &Document, pointer: Pointer) -> Result<Self, DocumentError> {
        let layer = document.active;
        document.check_paintable(layer)?;
        let bounds = if document.selection.is_empty() {
            document.layer(layer).and_then(|layer| layer.pixels.bounds())
        } else {
            document.selection.cover.bounds()
        };
        // By whole tiles any layer is moved easily; a step of one pixel tells what it costs.
        let heavy = Edit::MovePixels { layer, dx: 1, dy: 1 }.is_heavy(document);
        Ok(Self {
            before: document.clone(),
            layer,
            bounds,
            shown: if heavy { Applied::NotYet } else { Applied::Already },
            start: pointer.point,
            keys: DragKeys::default(),
            dx: 0,
            dy: 0,
            dirty: PixelRect::default(),
            failed: None,
        })
    }

    pub(super) fn drag(&mut self, document: &mut Document, pointer: Pointer) -> PixelRect {
        self.keys.update(pointer);
        let (dx, dy) = (pointer.point.x - self.start.x, pointer.point.y - self.start.y);
        let (dx, dy) = match self.keys.shift() {
            true if dx.abs() >= dy.abs() => (dx, 0.0),
            true => (0.0, dy),
            false => (dx, dy),
        };
        let way = (dx.round() as i32, dy.round() as i32);
        if way == (self.dx, self.dy) || self.bounds.is_none() {
            return PixelRect::default();
        }
        (self.dx, self.dy) = way;
        if self.shown == Applied::NotYet {
            return PixelRect::default();
        }
        document.clone_from(&self.before);
        let applied = self.edit().apply(document);
        self.failed = applied.as_ref().err().cloned();
        let dirty = applied.map(|applied| applied.dirty).unwrap_or_default();
        // What the last way had changed is as it was before.
        let changed = self.dirty.union(dirty);
        self.dirty = dirty;
        changed
    }

    pub(super) fn release(self) -> Outcome {
        // An empty layer moves nowhere.
        if self.bounds.is_none() || (self.dx, self.dy) == (0, 0) {
            return Outcome::Nothing;
        }
        let edits = vec![self.edit()];
        match self.failed {
            Some(error) => Outcome::Refused(error),
            None => Outcome::Commit { edits, applied: self.shown },
        }
    }

    pub(super) fn overlay(&self) -> GestureOverlay {
        match self.bounds {
            Some(bounds) => GestureOverlay::Move { bounds, dx: self.dx, dy: self.dy },
            None => GestureOverlay::None,
        }
    }

    const fn edit(&self) -> Edit {
        Edit::MovePixels { layer: self.layer, dx: self.dx, dy: self.dy }
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
    fn light_layers_move_before_ones_eyes_and_heavy_ones_when_let_go() {
        for (side, expected) in [(64, Applied::Already), (4096, Applied::NotYet)] {
            let mut document = Document::new(crate::geom::Extent::new(side, side), "Layer 1");
            document.layers[0].pixels.fill(PixelRect::new(0, 0, side, side), [1, 2, 3, 255]);
            document.selection.cover.fill(PixelRect::new(0, 0, side / 2, side / 2), 255);
            let before = document.clone();
            let way = [at(10.0, 10.0), at(14.0, 17.0), at(10.0, 22.0)];
            let outcome = drag_with(Tool::Move, &mut document, &way);
            let Outcome::Commit { edits, applied } = outcome else { panic!("{outcome:?}") };
            assert_eq!(applied, expected);
            let mut done = before.clone();
            edits[0].apply(&mut done).unwrap();
            assert_ne!(done, before);
            assert_eq!(document == done, applied == Applied::Already);
            assert_eq!(document == before, applied == Applied::NotYet);
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
