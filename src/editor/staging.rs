//! Results that wait for the user's choice, shown over the canvas.

use std::sync::Arc;

use crate::document::Document;
use crate::editor::{GalleryId, JobKind};
use crate::raster::RgbaImage;

/// One result.
#[derive(Clone, Debug)]
pub struct Staged {
    /// Its picture in the gallery.
    pub gallery: GalleryId,
    /// A small picture of it.
    pub thumbnail: Arc<RgbaImage>,
    /// Its seed.
    pub seed: u64,
    /// What it was made by.
    pub kind: JobKind,
    /// The edits that make it part of the document.
    pub edits: Vec<crate::document::Edit>,
    /// The document with it; the canvas shows this.
    pub document: Document,
    /// The layer that the result becomes.
    pub layer_name: String,
    /// Bytes outside the mask that differ from before, measured on the flattened document; nothing
    /// where there was no mask.
    pub outside_mask_delta: Option<usize>,
    /// The state that `document` was made from; made again when the document has changed.
    pub base: Option<crate::document::NodeId>,
}

/// The results of one or more jobs.
#[derive(Clone, Debug, Default)]
pub struct Staging {
    /// The results, in the order in which they came.
    pub results: Vec<Staged>,
    /// Which one is shown.
    pub shown: usize,
}

impl Staging {
    /// The result that is shown.
    #[must_use]
    pub fn current(&self) -> Option<&Staged> {
        self.results.get(self.shown)
    }
}
