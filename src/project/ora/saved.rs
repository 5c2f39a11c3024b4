//! What Gesso wrote into the parts that other programs read.
//!
//! With it a later save knows which parts it can copy as they are, and opening knows whether
//! another program has changed the file since.

use serde::{Deserialize, Serialize};

use crate::geom::PixelRect;
use crate::project::ora::bands::BandKey;

/// The record of one save.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// The newest version of this record is 1.
    pub(super) version: u32,
    pub(super) parts: Vec<SavedPart>,
}

/// One part of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedPart {
    pub(super) name: String,
    /// Of the unpacked bytes, as the archive's directory has it.
    pub(super) crc32: u32,
    /// Unpacked bytes.
    pub(super) size: u64,
    /// Names what the picture shows; equal content makes equal pictures. Empty where not known.
    #[serde(default)]
    pub(super) content: String,
    /// The pixels that the picture covers.
    #[serde(default)]
    pub(super) rect: PixelRect,
    /// Its bands, from the top.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) bands: Vec<SavedBand>,
}

/// One band of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedBand {
    /// Names what it shows; equal content makes equal bands. Empty where not known.
    pub(super) content: String,
    /// What its bytes must be for that to hold.
    #[serde(flatten)]
    pub(super) key: BandKey,
}

impl Saved {
    pub(super) const VERSION: u32 = 1;

    pub(super) fn part(&self, name: &str) -> Option<&SavedPart> {
        self.parts.iter().find(|part| part.name == name)
    }
}
