//! Every picture that was made in this session, with its settings.

use std::sync::Arc;
use std::time::SystemTime;

use crate::engine::request::Record;
use crate::raster::RgbaImage;

/// Names a picture of the gallery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GalleryId(pub u64);

/// One picture.
#[derive(Clone, Debug)]
pub struct GalleryItem {
    /// Its name in the gallery.
    pub id: GalleryId,
    /// Its pixels.
    pub image: Arc<RgbaImage>,
    /// A small picture of it.
    pub thumbnail: Arc<RgbaImage>,
    /// The request that makes it again.
    pub record: Record,
    /// When it was made.
    pub time: SystemTime,
    /// Seconds that it took.
    pub seconds: f64,
}

/// All pictures, the newest last.
#[derive(Clone, Debug, Default)]
pub struct Gallery {
    /// The pictures.
    pub items: Vec<GalleryItem>,
    /// The number that was given last.
    pub last: u64,
}

impl Gallery {
    /// A picture by its name.
    #[must_use]
    pub fn item(&self, id: GalleryId) -> Option<&GalleryItem> {
        self.items.iter().find(|item| item.id == id)
    }
}
