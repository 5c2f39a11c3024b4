//! `OpenRaster` files: layers that other programs open, with Gesso's own entries beside them.
//!
//! [`write()`] makes such a file from a document, [`OraFile`] reads one, whoever wrote it. The parts
//! of the format are `stack.xml` ([`StackXml`]), one PNG for each layer, the merged picture and a
//! thumbnail. All entries of our own lie below [`OWN_FOLDER`]; other programs don't look there.
//!
//! Source: <https://www.openraster.org/baseline/file-layout-spec.html> and
//! <https://www.openraster.org/baseline/layer-stack-spec.html>.

mod bands;
mod compress;
mod picture;
mod read;
mod saved;
mod stack;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Limits, Opened, OraFile, SavedState};
pub use stack::{StackError, StackLayer, StackXml};
pub use write::{Contents, Entry, EntryContent, WriteReport, write};

/// What all names of Gesso's own entries start with.
pub const OWN_FOLDER: &str = "gesso/";

/// The longest side of a layer's PNG: what lies farther out is in Gesso's own tiles only.
pub const MAX_LAYER_SIDE_PX: u32 = 32768;

const MIMETYPE: &str = "mimetype";
const MIMETYPE_CONTENT: &str = "image/openraster";
const STACK: &str = "stack.xml";
const MERGED: &str = "mergedimage.png";
const THUMBNAIL: &str = "Thumbnails/thumbnail.png";
const SAVED: &str = "gesso/saved.json";

/// Sides of the thumbnail: at most this, as the specification says.
const THUMBNAIL_PX: u32 = 256;
