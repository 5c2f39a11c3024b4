//! What Shift and Alt mean: before the press how a shape combines with the selection, after it how
//! the shape is bound.

use crate::document::Combine;
use crate::tools::{Pointer, ToolSettings};

/// How a shape that is begun here combines with the selection: Shift adds, Alt takes away, both
/// keep what lies in both.
pub(super) const fn combine_at_press(settings: &ToolSettings, pointer: Pointer) -> Combine {
    match (pointer.shift, pointer.alt) {
        (true, true) => Combine::Intersect,
        (true, false) => Combine::Add,
        (false, true) => Combine::Subtract,
        (false, false) => settings.combine,
    }
}

/// The keys that count while the pointer is dragged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DragKeys {
    held: Keys,
    // A key that was held at the press said how to combine; it counts once it was let go.
    spent: Keys,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Keys {
    shift: bool,
    alt: bool,
}

impl DragKeys {
    pub(super) const fn at_press(pointer: Pointer) -> Self {
        let held = Keys { shift: pointer.shift, alt: pointer.alt };
        Self { held, spent: held }
    }

    pub(super) const fn update(&mut self, pointer: Pointer) {
        self.held = Keys { shift: pointer.shift, alt: pointer.alt };
        self.spent.shift &= pointer.shift;
        self.spent.alt &= pointer.alt;
    }

    /// Shift: squares, circles, straight ways.
    pub(super) const fn shift(self) -> bool {
        self.held.shift && !self.spent.shift
    }

    /// Alt: from the middle.
    pub(super) const fn alt(self) -> bool {
        self.held.alt && !self.spent.alt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::CanvasPoint;

    fn pointer(shift: bool, alt: bool) -> Pointer {
        Pointer { shift, alt, ..Pointer::new(CanvasPoint::default()) }
    }

    #[test]
    fn keys_at_the_press_say_how_shapes_combine() {
        let settings = ToolSettings { combine: Combine::Add, ..ToolSettings::default() };
        for (shift, alt, expected) in [
            (false, false, Combine::Add),
            (true, false, Combine::Add),
            (false, true, Combine::Subtract),
            (true, true, Combine::Intersect),
        ] {
            assert_eq!(combine_at_press(&settings, pointer(shift, alt)), expected);
        }
    }

    #[test]
    fn a_key_held_at_the_press_binds_only_after_it_was_let_go() {
        let mut keys = DragKeys::at_press(pointer(true, false));
        keys.update(pointer(true, true));
        assert!(!keys.shift() && keys.alt());
        keys.update(pointer(false, false));
        assert!(!keys.shift() && !keys.alt());
        keys.update(pointer(true, false));
        assert!(keys.shift());
    }
}
