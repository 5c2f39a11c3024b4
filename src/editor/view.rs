//! How the canvas is seen.

use crate::geom::{CanvasPoint, ScreenPoint, ViewTransform};

/// How the selection is shown on the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaskDisplay {
    /// Whether it is shown as a color over the picture.
    pub overlay: bool,
    /// The color, straight alpha.
    pub color: [u8; 4],
    /// Whether its outline is shown as marching ants.
    pub ants: bool,
}

impl Default for MaskDisplay {
    fn default() -> Self {
        Self { overlay: true, color: [255, 64, 96, 128], ants: true }
    }
}

/// What the user sees of the canvas, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Pan, zoom, rotation, mirror.
    pub transform: ViewTransform,
    /// Left top corner of the canvas area in the window, in points.
    pub viewport_min: ScreenPoint,
    /// Width and height of the canvas area in points.
    pub viewport_size: (f32, f32),
    /// How the selection is shown.
    pub mask: MaskDisplay,
    /// Whether lines between pixels are shown at large zoom.
    pub pixel_grid: bool,
    /// Whether only the picture is shown, without panels.
    pub panels_hidden: bool,
    /// Whether the picture as it was opened is shown, while a key is held.
    pub show_original: bool,
    /// Whether the zoom follows the window's size until the user zooms.
    pub fit_pending: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            transform: ViewTransform::default(),
            viewport_min: ScreenPoint::default(),
            viewport_size: (800.0, 600.0),
            mask: MaskDisplay::default(),
            pixel_grid: true,
            panels_hidden: false,
            show_original: false,
            fit_pending: true,
        }
    }
}

impl View {
    /// The middle of the canvas area.
    #[must_use]
    pub fn center(&self) -> ScreenPoint {
        ScreenPoint::new(
            self.viewport_min.x + self.viewport_size.0 / 2.0,
            self.viewport_min.y + self.viewport_size.1 / 2.0,
        )
    }

    /// The canvas point that is seen at a place of the window; nothing beside the canvas area.
    #[must_use]
    pub fn canvas_at(&self, at: ScreenPoint) -> Option<CanvasPoint> {
        let (x, y) = (at.x - self.viewport_min.x, at.y - self.viewport_min.y);
        let (width, height) = self.viewport_size;
        let inside = (0.0..width).contains(&x) && (0.0..height).contains(&y);
        inside.then(|| self.transform.canvas_from_screen(at, self.center()))
    }
}
