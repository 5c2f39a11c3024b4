//! A brush stroke while it is drawn.

use crate::document::{Document, DocumentError, LayerId, Stroke, StrokeTarget};
use crate::geom::PixelRect;
use crate::raster::{StrokeEngine, StrokeMode, StrokePaint, StrokeSample};

/// A brush stroke that goes on as samples come.
///
/// Its result is the one of [`crate::document::Edit::Stroke`] with all samples at once, so that a
/// gesture can show the stroke and hand it to the history without drawing it again.
#[derive(Clone, Debug)]
pub struct StrokeRun {
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    Layer(LayerId, Box<StrokeEngine<[u8; 4]>>),
    Selection(Box<StrokeEngine<u8>>),
}

impl StrokeRun {
    /// Begins a stroke on the document as it is now. The samples of `stroke` are not read.
    ///
    /// # Errors
    ///
    /// When there is no such layer, or it is locked or hidden.
    pub fn begin(document: &Document, stroke: &Stroke) -> Result<Self, DocumentError> {
        let engine = match stroke.target {
            StrokeTarget::Layer(id) => {
                document.check_paintable(id)?;
                let paint = match stroke.mode {
                    StrokeMode::Paint => StrokePaint::Lay(stroke.color),
                    StrokeMode::Erase => StrokePaint::Erase,
                };
                let selection = &document.selection;
                let limit = (!selection.is_empty()).then(|| selection.cover.clone());
                let base = &document.known(id)?.pixels;
                let engine = StrokeEngine::begin(base, stroke.brush, paint, limit, None);
                Engine::Layer(id, Box::new(engine))
            }
            StrokeTarget::Selection => {
                let paint = match stroke.mode {
                    StrokeMode::Paint => StrokePaint::Lay(255),
                    StrokeMode::Erase => StrokePaint::Erase,
                };
                let canvas = Some(PixelRect::from(document.extent.rect()));
                let base = &document.selection.cover;
                let engine = StrokeEngine::begin(base, stroke.brush, paint, None, canvas);
                Engine::Selection(Box::new(engine))
            }
        };
        Ok(Self { engine })
    }

    /// Goes on to these samples, on the document as the stroke has left it; answers with a rectangle
    /// that holds all that changed.
    pub fn extend(&mut self, document: &mut Document, samples: &[StrokeSample]) -> PixelRect {
        match &mut self.engine {
            Engine::Layer(id, engine) => match document.layer_mut(*id) {
                Some(layer) => engine.extend(&mut layer.pixels, samples),
                None => PixelRect::default(),
            },
            Engine::Selection(engine) => engine.extend(&mut document.selection.cover, samples),
        }
    }

    /// Ends the stroke at its last sample; answers with a rectangle that holds what still changed.
    pub fn finish(self, document: &mut Document) -> PixelRect {
        match self.engine {
            Engine::Layer(id, engine) => match document.layer_mut(id) {
                Some(layer) => engine.finish(&mut layer.pixels),
                None => PixelRect::default(),
            },
            Engine::Selection(engine) => engine.finish(&mut document.selection.cover),
        }
    }
}
