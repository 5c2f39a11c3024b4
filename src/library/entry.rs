//! What goes into the library and what comes out of it, as plain data.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::engine::request::Record;
use crate::geom::Extent;
use crate::library::Library;
use crate::raster::RgbaImage;

/// Names a picture of the library; the later the picture came, the larger the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PictureId(pub i64);

/// What a picture was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A new picture.
    Generate,
    /// The masked part of a picture again.
    Fill,
    /// A wider canvas.
    Extend,
    /// A picture, or a part of it, a little different.
    Vary,
    /// A picture enlarged.
    Upscale,
    /// A message answered.
    Chat,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Generate, Self::Fill, Self::Extend, Self::Vary, Self::Upscale, Self::Chat];

    /// The kind's name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Fill => "fill",
            Self::Extend => "extend",
            Self::Vary => "vary",
            Self::Upscale => "upscale",
            Self::Chat => "chat",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind that a request suggests; what it does not say, extending, is taken for filling.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        match record.command() {
            "generate" => Self::Generate,
            "vary" => Self::Vary,
            "upscale" => Self::Upscale,
            "chat" => Self::Chat,
            _ => Self::Fill,
        }
    }
}

/// A picture for the library.
#[derive(Clone, Debug)]
pub struct NewPicture {
    /// Its pixels.
    pub image: Arc<RgbaImage>,
    /// A small picture of it, or of the document with it.
    pub thumbnail: Arc<RgbaImage>,
    /// The request that makes it again.
    pub record: Record,
    /// The text chunks for its file, the request among them; see [`crate::storage::png_text`].
    pub text: Vec<(String, String)>,
    /// What it was made for.
    pub kind: Kind,
    /// When it was made.
    pub time: SystemTime,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Where a picture became a part of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The project's own id.
    pub project: Option<String>,
    /// The project's file; nothing as long as it was never saved.
    pub path: Option<PathBuf>,
    /// The state of its history.
    pub node: u64,
}

/// A picture of the library, without its pixels.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub id: PictureId,
    /// Columns and rows.
    pub extent: Extent,
    /// A small picture of it.
    pub thumbnail: RgbaImage,
    /// The request that makes it again.
    pub record: Record,
    /// What it was made for.
    pub kind: Kind,
    /// When it was made.
    pub time: SystemTime,
    /// Seconds that it took; 0 where nobody knows any more.
    pub seconds: f64,
    /// Where it became a part of a document.
    pub origin: Option<Origin>,
    /// Whether the user gave it a star.
    pub starred: bool,
    /// The user's words for it, in order.
    pub tags: Vec<String>,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Words, each of which is a part of the prompt or of a tag.
    pub text: String,
    /// Whether only pictures with a star are found.
    pub starred: bool,
    /// A tag that the pictures have.
    pub tag: Option<String>,
    /// What they were made for.
    pub kind: Option<Kind>,
    /// Only pictures that are older than this one: the last of the page before.
    pub before: Option<PictureId>,
    /// Most pictures of one page.
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            text: String::new(),
            starred: false,
            tag: None,
            kind: None,
            before: None,
            limit: 200,
        }
    }
}

/// A library that is larger than the user wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// Bytes that it takes.
    pub bytes: u64,
    /// Pictures that were deleted and are still in the trash.
    pub trash: usize,
    /// The oldest pictures without a star, as many as have to go beside those in the trash.
    pub pictures: Vec<PictureId>,
    /// Bytes that are free when both are gone.
    pub freed: u64,
}

/// A library that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The library.
    pub library: Library,
    /// What the user should know.
    pub remarks: Vec<Remark>,
}

/// What the user should know after a library was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The database was damaged; another one was built from the pictures' files. Stars, tags and
    /// places in projects are in the old one only.
    Rebuilt {
        /// Where the damaged database is now.
        set_aside: PathBuf,
        /// Pictures in the new one.
        pictures: usize,
        /// Files that are no pictures of Gesso, or damaged; they stay where they are.
        unread: usize,
    },
}

/// A tag as it is kept: without blanks around it and in small letters, so that one is not two.
#[must_use]
pub fn clean_tag(tag: &str) -> String {
    let words: Vec<&str> = tag.split_whitespace().collect();
    words.join(" ").to_lowercase()
}
