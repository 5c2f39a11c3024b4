//! What the pointer is doing on the canvas.

use crate::geom::CanvasPoint;

/// The pointer on the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pointer {
    /// Where it is.
    pub point: CanvasPoint,
    /// How hard a pen presses, 0 to 1; 1 for a mouse.
    pub pressure: f32,
    /// Whether Shift is held.
    pub shift: bool,
    /// Whether Alt is held.
    pub alt: bool,
}

/// What the pointer has begun.
#[derive(Debug)]
pub struct Gesture {
    /// The tool that was in hand when it began.
    pub tool: crate::tools::Tool,
}
