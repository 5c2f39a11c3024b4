//! The pictures that models made: those of this session, and those of the library that were asked for.
//!
//! The library keeps pictures across projects and sessions; it lives outside, and answers with
//! commands. What it can't keep is here until the window closes.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::document::NodeId;
use crate::editor::JobKind;
use crate::engine::request::Record;
use crate::geom::{CanvasPoint, Extent};
use crate::raster::RgbaImage;

/// Names a picture of the gallery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GalleryId(pub u64);

/// Names a picture in the library; the later it came, the larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeptId(pub i64);

/// A picture as the library is asked for it: one of this session may not have its name there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureName {
    /// Its name in the gallery.
    pub id: GalleryId,
    /// Its name in the library, once that is known.
    pub kept: Option<KeptId>,
}

/// Where a picture's pixels are.
#[derive(Clone, Debug, PartialEq)]
pub enum GalleryPixels {
    /// Here.
    Here(Arc<RgbaImage>),
    /// In the library.
    Kept,
    /// On their way from the library.
    Coming,
    /// Gone: the library can't give them.
    Lost,
}

/// Where a picture became a part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureOrigin {
    /// The project's file; nothing where it was never saved, or is not there any more.
    pub path: Option<PathBuf>,
    /// The state of its history.
    pub node: NodeId,
}

/// One picture.
#[derive(Clone, Debug)]
pub struct GalleryItem {
    /// Its name in the gallery.
    pub id: GalleryId,
    /// Its name in the library, once that has it.
    pub kept: Option<KeptId>,
    /// Its size.
    pub extent: Extent,
    /// Its pixels.
    pub pixels: GalleryPixels,
    /// A small picture of it.
    pub thumbnail: Arc<RgbaImage>,
    /// The request that makes it again.
    pub record: Record,
    /// What it was made by.
    pub kind: JobKind,
    /// When it was made.
    pub time: SystemTime,
    /// Seconds that it took.
    pub seconds: f64,
    /// Where it became a part of a document, where it did.
    pub origin: Option<PictureOrigin>,
    /// Whether the user gave it a star.
    pub starred: bool,
    /// The user's words for it, in order.
    pub tags: Vec<String>,
}

impl GalleryItem {
    /// Its names.
    #[must_use]
    pub const fn name(&self) -> PictureName {
        PictureName { id: self.id, kept: self.kept }
    }

    /// Its pixels, where they are here.
    #[must_use]
    pub const fn image(&self) -> Option<&Arc<RgbaImage>> {
        match &self.pixels {
            GalleryPixels::Here(image) => Some(image),
            GalleryPixels::Kept | GalleryPixels::Coming | GalleryPixels::Lost => None,
        }
    }
}

/// What is looked for in the gallery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GalleryFilter {
    /// Words, each of which is a part of the prompt or of a tag.
    pub text: String,
    /// Whether only pictures with a star are shown.
    pub starred: bool,
    /// A tag that they have.
    pub tag: Option<String>,
}

impl GalleryFilter {
    /// Whether it leaves nothing out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.text.trim().is_empty() && !self.starred && self.tag.is_none()
    }

    /// Whether a picture is one of those that are looked for.
    #[must_use]
    pub fn finds(&self, item: &GalleryItem) -> bool {
        if (self.starred && !item.starred)
            || self.tag.as_ref().is_some_and(|tag| !item.tags.contains(tag))
        {
            return false;
        }
        let mut words = self.text.split_whitespace().map(str::to_lowercase).peekable();
        if words.peek().is_none() {
            return true;
        }
        let prompt = item.record.common().prompt.to_lowercase();
        words.all(|word| prompt.contains(&word) || item.tags.iter().any(|tag| tag.contains(&word)))
    }
}

/// What a picture is wanted for whose pixels are on their way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PictureUse {
    /// To be looked at.
    Look,
    /// To be put on a layer, with its middle at a point where there is one.
    Place(Option<CanvasPoint>),
    /// To be opened.
    Open,
    /// To be put on the clipboard.
    Copy,
    /// To be dragged into another program.
    DragOut,
    /// To be shown with a message.
    Attach,
}

/// A page of what the library has found.
#[derive(Clone, Debug, Default)]
pub struct FoundPictures {
    /// The pictures, the newest first. The gallery's numbers are given later.
    pub items: Vec<GalleryItem>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// Bytes that the library takes.
    pub bytes: u64,
}

/// How large the library is, and what of it could go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LibrarySize {
    /// Bytes that it takes.
    pub bytes: u64,
    /// Its pictures, without those in the trash.
    pub pictures: usize,
    /// Pictures in the trash.
    pub trash: usize,
    /// The oldest pictures without a star that lie beyond the limit.
    pub oldest: Vec<KeptId>,
    /// Bytes that are free when both are gone.
    pub freed: u64,
}

/// What the gallery knows.
#[derive(Clone, Debug, Default)]
pub struct Gallery {
    /// The pictures, the newest last.
    pub items: Vec<GalleryItem>,
    /// The number that was given last.
    pub last: u64,
    /// What is looked for.
    pub filter: GalleryFilter,
    /// The question that the library has not answered yet.
    pub asked: Option<u64>,
    /// The oldest picture that the library has told for what is looked for.
    pub oldest: Option<KeptId>,
    /// Whether the library has older ones.
    pub has_more: bool,
    /// What pictures are wanted for that are on their way.
    pub wanted: Vec<(GalleryId, PictureUse)>,
    /// Pictures whose pixels are here, the one that was used last at the end.
    pub here: VecDeque<GalleryId>,
    /// Pictures that were removed and can be brought back, the last one at the end.
    pub removed: Vec<GalleryItem>,
    /// Why the library can't keep pictures, where it can't.
    pub failed: Option<String>,
    /// Whether the user was told that the library is too large.
    pub told_size: bool,
    /// How large it is, once that was asked.
    pub size: Option<LibrarySize>,
}

impl Gallery {
    /// A picture by its name.
    #[must_use]
    pub fn item(&self, id: GalleryId) -> Option<&GalleryItem> {
        self.items.iter().find(|item| item.id == id)
    }

    /// A picture by its name, to be changed.
    pub fn item_mut(&mut self, id: GalleryId) -> Option<&mut GalleryItem> {
        self.items.iter_mut().find(|item| item.id == id)
    }

    /// The pictures that are looked for, the newest first, as far back as the library was asked.
    pub fn shown(&self) -> impl Iterator<Item = &GalleryItem> {
        // Older ones are here as well, from another search; without those between, they wait.
        let oldest = self.oldest.filter(|_| self.has_more);
        let is_reached = move |item: &GalleryItem| match (item.kept, oldest) {
            (Some(kept), Some(oldest)) => kept >= oldest,
            _ => true,
        };
        self.items.iter().rev().filter(move |item| is_reached(item) && self.filter.finds(item))
    }
}
