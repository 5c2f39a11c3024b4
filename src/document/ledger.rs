//! How many bytes a set of documents needs, counting what they share once.
//!
//! The ledger only counts; whoever holds a document in it keeps the document alive until it is let
//! go again, so that the names of tiles and grids stay valid.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::document::{Document, Edit, SelectionShape};
use crate::raster::{Pixel, RgbaImage, TILE_PX, TileGrid};

/// What is held, and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    // A grid's tiles are counted once, however many documents have the very same grid: most changes
    // touch one grid, so that this is what makes counting cheap.
    grids: HashMap<usize, usize>,
    tiles: HashMap<u64, usize>,
    images: HashMap<usize, usize>,
    bytes: usize,
}

/// Which way the counts go.
#[derive(Clone, Copy)]
enum Change {
    Hold,
    LetGo,
}

impl Ledger {
    /// Bytes of all that is held.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Holds a document and the edits that led to it; returns the bytes that this adds.
    pub(crate) fn hold(&mut self, document: &Document, edits: &[Edit]) -> usize {
        let before = self.bytes;
        self.document(document, Change::Hold);
        self.edits(edits, Change::Hold);
        self.bytes - before
    }

    /// Lets go what [`Self::hold`] held.
    pub(crate) fn let_go(&mut self, document: &Document, edits: &[Edit]) {
        self.document(document, Change::LetGo);
        self.edits(edits, Change::LetGo);
    }

    fn document(&mut self, document: &Document, change: Change) {
        for layer in &document.layers {
            self.grid(&layer.pixels, change);
            if let Some(mask) = &layer.mask {
                self.grid(mask, change);
            }
        }
        self.grid(&document.selection.cover, change);
        for saved in &document.saved_selections {
            self.grid(&saved.selection.cover, change);
        }
    }

    fn edits(&mut self, edits: &[Edit], change: Change) {
        for edit in edits {
            match edit {
                Edit::Place(place) => {
                    self.image(&place.image, change);
                    if let Some(mask) = &place.mask {
                        self.grid(mask, change);
                    }
                    if let Some(cover) = place.shown.as_ref().and_then(|s| s.cover.as_ref()) {
                        self.grid(cover, change);
                    }
                }
                Edit::Attach(attachment) => self.image(&attachment.image, change),
                Edit::Replace(document) => self.document(document, change),
                Edit::Stroke(stroke) => self.add(size_of_val(stroke.samples.as_slice()), change),
                Edit::Select { shape: SelectionShape::Polygon(points), .. } => {
                    self.add(size_of_val(points.as_slice()), change);
                }
                _ => {}
            }
        }
    }

    fn image(&mut self, image: &Arc<RgbaImage>, change: Change) {
        if counted(&mut self.images, Arc::as_ptr(image).addr(), change) {
            self.add(image.as_raw().len(), change);
        }
    }

    fn grid<P: Pixel>(&mut self, grid: &TileGrid<P>, change: Change) {
        if grid.has_no_tiles() || !counted(&mut self.grids, grid.identity(), change) {
            return;
        }
        for (_, tile) in grid.tiles() {
            // No two tiles that live have the same version.
            if counted(&mut self.tiles, tile.version(), change) {
                self.add(TILE_PX as usize * TILE_PX as usize * size_of::<P>(), change);
            }
        }
    }

    const fn add(&mut self, bytes: usize, change: Change) {
        self.bytes = match change {
            Change::Hold => self.bytes.saturating_add(bytes),
            Change::LetGo => self.bytes.saturating_sub(bytes),
        };
    }
}

/// Counts one more or one less; whether the thing came or went by that.
fn counted<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: K, change: Change) -> bool {
    match change {
        Change::Hold => {
            let count = counts.entry(key).or_default();
            *count += 1;
            *count == 1
        }
        Change::LetGo => {
            let Some(count) = counts.get_mut(&key) else { return false };
            *count -= 1;
            if *count > 0 {
                return false;
            }
            counts.remove(&key);
            true
        }
    }
}
