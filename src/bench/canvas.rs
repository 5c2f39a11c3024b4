//! How fast painting, undo and frames are, on canvases of every size.
//!
//! Everything goes the way that it goes in the window, without one: a dab through the stroke engine
//! into a layer's tiles, from there to the graphics card and into a frame. The frame is drawn by
//! the best driver there is, in software where there is nothing else.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::document::{Document, Edit, History, Operation, Stroke, StrokeRun, StrokeTarget};
use crate::geom::{CanvasPoint, Extent, PixelRect, ViewTransform};
use crate::gpu::{Frame, GpuError, Headless, Stats, Viewport, Work};
use crate::raster::{Brush, StrokeMode, StrokeSample};

/// The window's canvas area that frames are drawn for.
const VIEWPORT: (u32, u32) = (1400, 900);
/// Layers of the canvas, all of them painted on.
const LAYERS: usize = 3;
/// Dabs, frames and steps of each kind that are counted.
const ROUNDS: usize = 60;

/// One row of the report: times in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct CanvasMeasurement {
    /// Side of the square canvas in pixels.
    pub side_px: u32,
    /// What was measured.
    pub what: String,
    /// The middle one of all times.
    pub median_ms: f64,
    /// The time that 95 of 100 keep.
    pub p95_ms: f64,
    /// Bytes of pixels that were sent to the graphics card, on average.
    pub uploaded_bytes: u64,
}

impl std::fmt::Display for CanvasMeasurement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { side_px, what, median_ms, p95_ms, uploaded_bytes } = self;
        let size = format!("{side_px}x{side_px}");
        write!(
            f,
            "{size:>11}  {what:<34} median {median_ms:8.2} ms  p95 {p95_ms:8.2} ms  uploaded \
             {uploaded_bytes:>9} bytes"
        )
    }
}

/// Memory that layers take.
#[derive(Clone, Debug, Serialize)]
pub struct LayerMemory {
    /// Side of the square canvas in pixels.
    pub side_px: u32,
    /// Bytes of an empty layer's tiles.
    pub empty_layer_bytes: usize,
    /// Bytes of the tiles of a layer that is painted all over.
    pub full_layer_bytes: usize,
    /// Bytes that one stroke of 100 pixels across the view adds to the history.
    pub stroke_bytes: usize,
}

impl std::fmt::Display for LayerMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { side_px, empty_layer_bytes, full_layer_bytes, stroke_bytes } = self;
        let size = format!("{side_px}x{side_px}");
        write!(
            f,
            "{size:>11}  an empty layer takes {empty_layer_bytes} bytes, a full one \
             {full_layer_bytes}, a stroke adds {stroke_bytes} to the history"
        )
    }
}

/// What is measured.
#[derive(Clone, Debug)]
pub struct CanvasBench {
    /// Sides of the canvases.
    pub sides_px: Vec<u32>,
    /// Diameters of the brushes.
    pub brushes_px: Vec<u32>,
}

impl Default for CanvasBench {
    fn default() -> Self {
        Self { sides_px: vec![1024, 4096, 8192, 16384], brushes_px: vec![10, 100, 1000] }
    }
}

/// Measures and tells each row as it is known; gives the name of what drew.
///
/// # Errors
///
/// When there is no driver to draw with.
pub fn run(
    bench: &CanvasBench,
    tell: &mut dyn FnMut(&CanvasMeasurement),
    tell_memory: &mut dyn FnMut(&LayerMemory),
) -> Result<String, GpuError> {
    let mut drawing = Headless::open()?;
    for &side in &bench.sides_px {
        let mut canvas = Canvas::new(side);
        canvas.first_frame(&mut drawing, tell)?;
        for &diameter in &bench.brushes_px {
            canvas.dabs(&mut drawing, diameter, tell)?;
        }
        canvas.view_moves(&mut drawing, tell)?;
        canvas.opacity(&mut drawing, tell)?;
        let stroke_bytes = canvas.undo(&mut drawing, tell)?;
        let full = canvas.document.layers.first();
        tell_memory(&LayerMemory {
            side_px: side,
            empty_layer_bytes: crate::document::Layer::new(crate::document::LayerId(0), "").bytes(),
            full_layer_bytes: full.map_or(0, crate::document::Layer::bytes),
            stroke_bytes,
        });
    }
    Ok(drawing.describe())
}

/// A painted canvas and its view.
struct Canvas {
    side: u32,
    document: Document,
    view: ViewTransform,
}

impl Canvas {
    /// A canvas with a texture on every layer, seen as a whole.
    fn new(side: u32) -> Self {
        let mut document = Document::new(Extent::new(side, side), "Layer 1");
        for layer in 1..LAYERS {
            let name = format!("Layer {}", layer + 1);
            if let Err(error) = (Edit::AddLayer { name }).apply(&mut document) {
                log::warn!("{error}");
            }
        }
        for (i, layer) in document.layers.iter_mut().enumerate() {
            let alpha = if i == 0 { 255 } else { 120 };
            layer.pixels.update(PixelRect::new(0, 0, side, side), |x, y, row| {
                for (pixel, x) in row.iter_mut().zip(x..) {
                    *pixel = [(x >> 3) as u8, (y >> 3) as u8, (x ^ y) as u8, alpha];
                }
            });
        }
        let zoom = (VIEWPORT.0.min(VIEWPORT.1) as f32 / side as f32).min(1.0);
        let middle = side as f32 / 2.0;
        let focus = CanvasPoint::new(middle, middle);
        let view = ViewTransform { focus, zoom, ..ViewTransform::default() };
        Self { side, document, view }
    }

    fn frame(&self, work: Work) -> Frame {
        let viewport = Viewport::of_pixels(VIEWPORT.0, VIEWPORT.1);
        let mut frame = Frame::new(self.document.clone(), self.view, viewport);
        frame.work = work;
        frame
    }

    /// Draws all that is to be seen.
    fn draw(&self, drawing: &mut Headless) -> Result<Stats, GpuError> {
        drawing.draw(&self.frame(Work::Complete))
    }

    /// Draws as the window does while something moves: what takes longer than a frame comes with the
    /// next ones.
    fn draw_in_slices(&self, drawing: &mut Headless) -> Result<Stats, GpuError> {
        drawing.draw(&self.frame(Work::INTERACTIVE))
    }

    fn first_frame(
        &self,
        drawing: &mut Headless,
        tell: &mut dyn FnMut(&CanvasMeasurement),
    ) -> Result<(), GpuError> {
        let mut times = Times::new(self.side, "first frame, whole canvas in view");
        times.add_drawn(|| self.draw(drawing))?;
        tell(&times.measurement());
        Ok(())
    }

    /// Dabs of a brush along a line through the middle of the view, each shown in a frame.
    fn dabs(
        &mut self,
        drawing: &mut Headless,
        diameter: u32,
        tell: &mut dyn FnMut(&CanvasMeasurement),
    ) -> Result<(), GpuError> {
        // At actual size, as one paints; the whole of a canvas that is smaller than the view.
        let kept = self.view;
        self.view.zoom = self.view.zoom.max(1.0);
        self.draw(drawing)?;
        let mut paint = Times::new(self.side, &format!("dab of {diameter} px, into tiles"));
        let mut texture = Times::new(self.side, &format!("dab of {diameter} px, to the texture"));
        let mut shown = Times::new(self.side, &format!("dab of {diameter} px, to the frame"));
        let stroke = self.stroke(diameter);
        let before = self.document.clone();
        if let Ok(mut run) = StrokeRun::begin(&self.document, &stroke) {
            let from = self.view.focus.x - VIEWPORT.0 as f32 * 0.3;
            for i in 0..ROUNDS {
                let x = from + i as f32 * VIEWPORT.0 as f32 * 0.6 / ROUNDS as f32;
                let point = CanvasPoint::new(x, self.view.focus.y + (i % 7) as f32);
                let began = Instant::now();
                run.extend(&mut self.document, &[StrokeSample { point, pressure: 1.0 }]);
                paint.add(began.elapsed());
                let stats = drawing.upload(&self.frame(Work::Complete))?;
                texture.add(began.elapsed());
                self.draw(drawing)?;
                shown.add(began.elapsed());
                texture.uploaded += stats.uploaded_bytes;
                shown.uploaded += stats.uploaded_bytes;
            }
            run.finish(&mut self.document);
        }
        self.document = before;
        self.view = kept;
        for times in [paint, texture, shown] {
            tell(&times.measurement());
        }
        Ok(())
    }

    /// Frames while the view is moved, and while it zooms from the whole canvas to single pixels.
    fn view_moves(
        &mut self,
        drawing: &mut Headless,
        tell: &mut dyn FnMut(&CanvasMeasurement),
    ) -> Result<(), GpuError> {
        let kept = self.view;
        self.view.zoom = self.view.zoom.max(1.0);
        self.draw(drawing)?;
        let mut still = Times::new(self.side, "frame with nothing new");
        let mut pan = Times::new(self.side, "frame while panning at 100 %");
        let mut zoom = Times::new(self.side, "frame while zooming");
        for _ in 0..ROUNDS {
            still.add_drawn(|| self.draw_in_slices(drawing))?;
        }
        for i in 0..ROUNDS {
            self.view.focus.x += if i % 20 < 10 { 25.0 } else { -25.0 };
            pan.add_drawn(|| self.draw_in_slices(drawing))?;
        }
        self.view = kept;
        let (least, most) = (kept.zoom, 16.0_f32);
        for i in 0..ROUNDS {
            let share = i as f32 / (ROUNDS - 1) as f32;
            self.view.zoom = least * (most / least).powf(share);
            zoom.add_drawn(|| self.draw_in_slices(drawing))?;
        }
        self.view = kept;
        for times in [still, pan, zoom] {
            tell(&times.measurement());
        }
        Ok(())
    }

    /// Frames while a layer's opacity changes, with the whole canvas in view.
    fn opacity(
        &mut self,
        drawing: &mut Headless,
        tell: &mut dyn FnMut(&CanvasMeasurement),
    ) -> Result<(), GpuError> {
        self.draw(drawing)?;
        let mut frames = Times::new(self.side, "frame while opacity changes");
        let mut all = Times::new(self.side, "opacity change, until all is shown");
        for i in 0..ROUNDS {
            if let Some(layer) = self.document.layers.last_mut() {
                layer.opacity = 0.2 + 0.6 * (i % 10) as f32 / 10.0;
            }
            let times = if i % 2 == 0 { &mut frames } else { &mut all };
            times.add_drawn(|| match i % 2 {
                0 => self.draw_in_slices(drawing),
                _ => self.draw(drawing),
            })?;
        }
        tell(&frames.measurement());
        tell(&all.measurement());
        Ok(())
    }

    /// Strokes taken back and done again; gives the bytes that one adds to the history.
    fn undo(
        &mut self,
        drawing: &mut Headless,
        tell: &mut dyn FnMut(&CanvasMeasurement),
    ) -> Result<usize, GpuError> {
        let kept = self.view;
        self.view.zoom = self.view.zoom.max(1.0);
        let mut history = History::new(self.document.clone(), "bench", usize::MAX);
        let before = history.bytes();
        let mut stroke = self.stroke(100);
        stroke.samples = (0..8)
            .map(|i| {
                let x = self.view.focus.x + (i as f32 - 4.0) * 80.0;
                StrokeSample { point: CanvasPoint::new(x, self.view.focus.y), pressure: 1.0 }
            })
            .collect();
        let edit = Edit::Stroke(stroke);
        if let Err(error) = edit.apply(&mut self.document) {
            log::warn!("{error}");
        }
        let operation = Operation { label: "stroke".to_owned(), edits: vec![edit] };
        history.commit(self.document.clone(), operation);
        let bytes = history.bytes().saturating_sub(before);
        let mut times = Times::new(self.side, "undo or redo of a stroke, to the frame");
        for i in 0..ROUNDS {
            times.add_drawn(|| {
                if i % 2 == 0 {
                    history.undo()
                } else {
                    history.redo()
                };
                if let Some(document) = history.document() {
                    self.document = document.clone();
                }
                self.draw(drawing)
            })?;
        }
        self.view = kept;
        tell(&times.measurement());
        Ok(bytes)
    }

    fn stroke(&self, diameter: u32) -> Stroke {
        Stroke {
            target: StrokeTarget::Layer(self.document.active),
            mode: StrokeMode::Paint,
            brush: Brush { diameter_px: diameter as f32, ..Brush::default() },
            color: [220, 60, 40, 255],
            samples: Vec::new(),
        }
    }
}

/// Times of one kind.
struct Times {
    side: u32,
    what: String,
    times: Vec<Duration>,
    uploaded: u64,
}

impl Times {
    fn new(side: u32, what: &str) -> Self {
        Self { side, what: what.to_owned(), times: Vec::new(), uploaded: 0 }
    }

    fn add(&mut self, time: Duration) {
        self.times.push(time);
    }

    fn add_drawn(
        &mut self,
        draw: impl FnOnce() -> Result<Stats, GpuError>,
    ) -> Result<(), GpuError> {
        let began = Instant::now();
        let stats = draw()?;
        self.add(began.elapsed());
        self.uploaded += stats.uploaded_bytes;
        Ok(())
    }

    fn measurement(mut self) -> CanvasMeasurement {
        self.times.sort_unstable();
        let count = self.times.len();
        let at = |share: usize| {
            let time = self.times.get((count * share / 100).min(count.saturating_sub(1)));
            time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        CanvasMeasurement {
            side_px: self.side,
            median_ms: at(50),
            p95_ms: at(95),
            uploaded_bytes: self.uploaded / (count.max(1) as u64),
            what: self.what,
        }
    }
}
