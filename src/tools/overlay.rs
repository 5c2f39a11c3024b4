//! What a gesture shows over the canvas, as plain data in canvas pixels.

use crate::geom::{CanvasPoint, PixelRect};
use crate::tools::CropHandle;

/// What a gesture shows over the canvas.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum GestureOverlay {
    /// Nothing; the document itself shows what happens.
    #[default]
    None,
    /// A rectangle to select.
    Rectangle(PixelRect),
    /// An ellipse to select, in this rectangle.
    Ellipse(PixelRect),
    /// A line that will be closed.
    Lasso(Vec<CanvasPoint>),
    /// Corners that were clicked.
    Polygon {
        /// The corners; never empty.
        corners: Vec<CanvasPoint>,
        /// Where the next one would be.
        next: CanvasPoint,
        /// Whether a click would close the polygon.
        closes: bool,
    },
    /// Pixels that will be moved.
    Move {
        /// Where they are.
        bounds: PixelRect,
        /// Columns to the right.
        dx: i32,
        /// Rows down.
        dy: i32,
    },
    /// The canvas that there will be.
    Crop {
        /// Its place.
        rect: PixelRect,
        /// What the pointer holds of it.
        held: Option<CropHandle>,
    },
    /// The part that will fill the view.
    Zoom(PixelRect),
    /// The color that will be taken.
    Color {
        /// Where from.
        point: CanvasPoint,
        /// The color; nothing where there is none.
        color: Option<[u8; 4]>,
    },
}
