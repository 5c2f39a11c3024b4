//! Names for pixels and states by what they hold.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::document::{Document, Layer};
use crate::raster::{Pixel, TileGrid, TileIndex};

/// The SHA-256 of what something holds: equal hashes, equal bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of some bytes; `domain` says what kind of thing they are, so that different kinds
    /// never share a hash.
    #[must_use]
    pub fn of(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = Hasher::new(domain);
        for part in parts {
            hasher.bytes(part);
        }
        hasher.finish()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a content hash has 64 hexadecimal digits")]
pub struct NoHash;

impl FromStr for ContentHash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            return Err(NoHash);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            let digit = |c: u8| match c {
                b'0'..=b'9' => Ok(c - b'0'),
                b'a'..=b'f' => Ok(c - b'a' + 10),
                _ => Err(NoHash),
            };
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Gathers what a hash is of. Every part goes in with its length, so that parts can't run together.
struct Hasher(Sha256);

impl Hasher {
    fn new(domain: &str) -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.text(domain);
        hasher
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn hash(&mut self, hash: Option<ContentHash>) {
        match hash {
            Some(hash) => self.bytes(&hash.0),
            None => self.bytes(&[]),
        }
    }

    fn finish(self) -> ContentHash {
        ContentHash(self.0.finalize().into())
    }
}

/// The hash of a grid, from the hashes of its tiles in order; empty tiles are left out, and nothing
/// but empty tiles is no grid.
pub(super) fn grid_content(
    tiles: impl IntoIterator<Item = (TileIndex, ContentHash)>,
) -> Option<ContentHash> {
    let mut hasher = Hasher::new("grid");
    let mut any = false;
    for (at, content) in tiles {
        any = true;
        hasher.number(u64::from(at.row as u32) << 32 | u64::from(at.column as u32));
        hasher.hash(Some(content));
    }
    any.then(|| hasher.finish())
}

/// The hash of a layer's mask.
#[derive(Clone, Copy)]
pub(super) enum MaskContent {
    /// There is no mask.
    Absent,
    /// There is one; nothing where it hides all.
    Cover(Option<ContentHash>),
}

/// Hashes of a document's grids, wherever they come from.
pub(super) struct GridContents {
    /// Pixels and mask of each layer, from the lowest.
    pub(super) layers: Vec<(Option<ContentHash>, MaskContent)>,
    /// The selection.
    pub(super) selection: Option<ContentHash>,
    /// The saved selections, in order.
    pub(super) saved: Vec<Option<ContentHash>>,
}

/// The hash of a document, given those of its grids. Which layer is in hand does not count.
pub(super) fn content_of(document: &Document, grids: &GridContents) -> ContentHash {
    let mut hasher = Hasher::new("document");
    hasher.number(u64::from(document.extent.width));
    hasher.number(u64::from(document.extent.height));
    hasher.number(document.next_layer);
    hasher.number(document.layers.len() as u64);
    for (layer, (pixels, mask)) in document.layers.iter().zip(&grids.layers) {
        let Layer { id, name, opacity, visible, locked, blend_mode, record, .. } = layer;
        hasher.number(id.0);
        hasher.text(name);
        hasher.number(u64::from(opacity.to_bits()));
        hasher.bytes(&[u8::from(*visible), u8::from(*locked)]);
        hasher.text(blend_mode.ora_name());
        hasher.text(record.as_deref().unwrap_or_default());
        hasher.hash(*pixels);
        let (has_mask, cover) = match *mask {
            MaskContent::Absent => (false, None),
            MaskContent::Cover(cover) => (true, cover),
        };
        hasher.bytes(&[u8::from(has_mask)]);
        hasher.hash(cover);
    }
    hasher.hash(grids.selection);
    for (saved, content) in document.saved_selections.iter().zip(&grids.saved) {
        hasher.text(&saved.name);
        hasher.hash(*content);
    }
    hasher.finish()
}

/// The hash of a tile's pixels; nothing where all are empty.
#[must_use]
pub(super) fn tile_content<P: Pixel + Bytes>(pixels: &[P]) -> Option<ContentHash> {
    if pixels.iter().all(|pixel| *pixel == P::EMPTY) {
        return None;
    }
    Some(ContentHash::of(P::DOMAIN, &[P::bytes(pixels)]))
}

/// Pixels as bytes.
pub(super) trait Bytes: Sized {
    /// What kind of tile holds them.
    const DOMAIN: &'static str;

    /// The pixels' bytes, one after the other.
    fn bytes(pixels: &[Self]) -> &[u8];
}

impl Bytes for [u8; 4] {
    const DOMAIN: &'static str = "rgba8 tile";

    fn bytes(pixels: &[Self]) -> &[u8] {
        pixels.as_flattened()
    }
}

impl Bytes for u8 {
    const DOMAIN: &'static str = "cover8 tile";

    fn bytes(pixels: &[Self]) -> &[u8] {
        pixels
    }
}

/// The hash of everything that a document holds, but for which layer is in hand. Reads all pixels;
/// a [`super::Recorder`] does the same and remembers what it has read.
#[must_use]
pub fn document_content(document: &Document) -> ContentHash {
    fn grid<P: Pixel + Bytes>(grid: &TileGrid<P>) -> Option<ContentHash> {
        grid_content(grid.tiles().filter_map(|(at, tile)| Some((at, tile_content(tile.pixels())?))))
    }
    let layers = document.layers.iter();
    let grids = GridContents {
        layers: layers
            .map(|layer| {
                let mask = layer.mask.as_ref().map(grid);
                (grid(&layer.pixels), mask.map_or(MaskContent::Absent, MaskContent::Cover))
            })
            .collect(),
        selection: grid(&document.selection.cover),
        saved: document.saved_selections.iter().map(|s| grid(&s.selection.cover)).collect(),
    };
    content_of(document, &grids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::testing::Rng;
    use crate::geom::PixelRect;
    use crate::raster::{PixelGrid, Tile};

    #[test]
    fn a_hash_survives_its_text() {
        let hash = ContentHash::of("a", &[b"b", b"c"]);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_ne!(hash, ContentHash::of("a", &[b"bc"]));
        assert_ne!(hash, ContentHash::of("ab", &[b"c"]));
        for bad in ["", "0g", &"A".repeat(64), &"0".repeat(63), &"é".repeat(32)] {
            assert_eq!(bad.parse::<ContentHash>(), Err(NoHash), "{bad}");
        }
    }

    #[test]
    fn equal_documents_have_equal_hashes_and_others_do_not() {
        let mut rng = Rng(5);
        for _ in 0..30 {
            let document = rng.document();
            let content = document_content(&document);
            assert_eq!(document_content(&document.clone()), content);
            let mut other = document.clone();
            let edit = rng.edit(&document);
            if edit.apply(&mut other).is_err() {
                continue;
            }
            other.active = document.active;
            assert_eq!(document_content(&other) == content, other == document, "{edit:?}");
        }
    }

    #[test]
    fn an_empty_tile_is_as_good_as_none() {
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::new(0, 0, 4, 4), [1, 2, 3, 4]);
        let tile = grid.tiles().next().unwrap().1;
        assert!(tile_content(tile.pixels()).is_some());
        assert_eq!(tile_content(Tile::<[u8; 4]>::filled([0; 4]).pixels()), None);
        // A hidden color under alpha 0 counts.
        assert!(tile_content(Tile::filled([1, 0, 0, 0]).pixels()).is_some());
    }
}
