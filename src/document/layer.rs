//! One layer of a document.

use serde::{Deserialize, Serialize};

use crate::raster::{BlendMode, CoverGrid, PixelGrid};

/// Names a layer within its document; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LayerId(pub u64);

/// A layer: pixels, and how they are laid over what lies below.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name within the document.
    pub id: LayerId,
    /// Its name for people.
    pub name: String,
    /// 8-bit sRGB with straight alpha; may reach beyond the canvas.
    pub pixels: PixelGrid,
    /// What of the layer is shown: 255 all, 0 nothing. Without one, all of it.
    pub mask: Option<CoverGrid>,
    /// 0 to 1.
    pub opacity: f32,
    /// Whether it is shown.
    pub visible: bool,
    /// Whether its pixels are protected from change.
    pub locked: bool,
    /// How it mixes with what lies below.
    pub blend_mode: BlendMode,
    /// The request that made its pixels, as JSON, where a model did.
    pub record: Option<std::sync::Arc<str>>,
}

impl Layer {
    /// An empty layer.
    #[must_use]
    pub fn new(id: LayerId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            pixels: PixelGrid::new(),
            mask: None,
            opacity: 1.0,
            visible: true,
            locked: false,
            blend_mode: BlendMode::Normal,
            record: None,
        }
    }

    /// Bytes of its tiles, shared or not.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.pixels.bytes() + self.mask.as_ref().map_or(0, CoverGrid::bytes)
    }
}
