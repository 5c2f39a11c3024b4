//! What is to be seen, as plain data.

use std::sync::Arc;
use std::time::Duration;

use crate::document::Document;
use crate::geom::{PixelRect, ScreenPoint, ViewTransform};
use crate::raster::RgbaImage;

/// Calls for another frame; may be called from any thread.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// One picture of the canvas area. Documents are cheap to clone, so a frame owns what it shows.
#[derive(Clone)]
pub struct Frame {
    /// What is shown.
    pub document: Document,
    /// What it is compared with.
    pub comparison: Option<Comparison>,
    /// Pan, zoom, rotation, mirror.
    pub transform: ViewTransform,
    /// Where on the screen.
    pub viewport: Viewport,
    /// How the selection of `document` is shown.
    pub selection: SelectionDisplay,
    /// Pictures over the canvas, from the lowest to the topmost; not shown while comparing.
    pub overlays: Vec<OverlayImage>,
    /// What is seen through transparent pixels.
    pub checkerboard: Checkerboard,
    /// The color around the canvas; without one, nothing is drawn there.
    pub surround: Option<[u8; 3]>,
    /// Screen pixels a canvas pixel from which on lines are drawn between pixels; nothing for never.
    pub pixel_grid_from: Option<f32>,
    /// How much is done before the picture is drawn.
    pub work: Work,
}

impl Frame {
    /// A frame that shows a document and nothing more.
    #[must_use]
    pub fn new(document: Document, transform: ViewTransform, viewport: Viewport) -> Self {
        Self {
            document,
            comparison: None,
            transform,
            viewport,
            selection: SelectionDisplay::default(),
            overlays: Vec::new(),
            checkerboard: Checkerboard::default(),
            surround: None,
            pixel_grid_from: None,
            work: Work::Complete,
        }
    }
}

/// The canvas area in the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// Its left top corner in points.
    pub min: ScreenPoint,
    /// Its width and height in points.
    pub size: (f32, f32),
    /// Screen pixels a point.
    pub pixels_per_point: f32,
}

impl Viewport {
    /// A viewport at the origin in which a point is a pixel.
    #[must_use]
    pub const fn of_pixels(width: u32, height: u32) -> Self {
        Self {
            min: ScreenPoint::new(0.0, 0.0),
            size: (width as f32, height as f32),
            pixels_per_point: 1.0,
        }
    }

    /// Its middle in points.
    #[must_use]
    pub fn center(&self) -> ScreenPoint {
        ScreenPoint::new(self.min.x + self.size.0 / 2.0, self.min.y + self.size.1 / 2.0)
    }

    /// The first column and row of whole pixels, and how many there are, rounded as egui does.
    #[must_use]
    pub fn pixels(&self) -> PixelRect {
        let round = |points: f32| (self.pixels_per_point * points).round() as i32;
        let (x, y) = (round(self.min.x), round(self.min.y));
        let (right, bottom) = (round(self.min.x + self.size.0), round(self.min.y + self.size.1));
        PixelRect::new(x, y, (right - x).max(0) as u32, (bottom - y).max(0) as u32)
    }
}

/// Another document, and how both are shown.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The right side; the left one is the frame's document.
    pub other: Document,
    /// How they are shown.
    pub view: ComparisonView,
}

/// How two documents are shown together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ComparisonView {
    /// The left one up to this part of the canvas' width (0 to 1), the right one from there on.
    Split(f32),
    /// Each in one half of the viewport, seen alike.
    Halves,
    /// Where they differ, from dark violet (little) to light yellow (fully); gray where they don't.
    HeatMap,
}

/// How the selection is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SelectionDisplay {
    /// The color over what is selected, straight alpha; nothing for none.
    pub color: Option<[u8; 4]>,
    /// Where the dashes of the outline are, in seconds of their march; nothing for no outline.
    pub ants: Option<f32>,
    /// How much darker the picture is outside of the selection, 0 to 1.
    pub dim_outside: f32,
}

/// The pattern under transparent pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checkerboard {
    /// The color of the first square.
    pub light: [u8; 3],
    /// The color of the second.
    pub dark: [u8; 3],
    /// A square's side in points.
    pub side: f32,
}

impl Default for Checkerboard {
    fn default() -> Self {
        Self { light: [204; 3], dark: [160; 3], side: 8.0 }
    }
}

/// A small picture that is stretched smoothly over a part of the canvas: a model's preview.
#[derive(Clone, Debug)]
pub struct OverlayImage {
    /// Its pixels; another `Arc` is another picture.
    pub image: Arc<RgbaImage>,
    /// What it covers.
    pub rect: PixelRect,
    /// Where it is seen.
    pub clip: OverlayClip,
}

/// Where an overlay is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverlayClip {
    /// On the canvas.
    #[default]
    Canvas,
    /// On the canvas, as far as the selection covers it.
    Selection,
}

/// How much is done before a picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// All: for files, tests and measurements.
    Complete,
    /// About as much as fits into a time; what is missing comes with later frames.
    Sliced(Duration),
}

impl Work {
    /// What leaves a window at 60 pictures a second.
    pub const INTERACTIVE: Self = Self::Sliced(Duration::from_millis(4));
}

/// What one frame took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes of pixels sent to the graphics card.
    pub uploaded_bytes: u64,
    /// Blocks whose layers were laid over each other again, in whole or in part.
    pub composited_blocks: u32,
    /// Texels of those parts.
    pub composited_texels: u64,
    /// Blocks on the screen.
    pub drawn_blocks: u32,
    /// Blocks that are not yet up to date; another frame is needed.
    pub pending_blocks: u32,
    /// Blocks of layers that the graphics card holds.
    pub resident_blocks: u32,
    /// Time that preparing took on the processor.
    pub prepare_time: Duration,
}
