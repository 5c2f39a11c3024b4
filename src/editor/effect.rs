//! What must happen outside the editor.

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{Document, Edit, LayerId, Node, NodeId};
use crate::editor::requests::DeviceSettings;
use crate::editor::{
    GalleryFilter, GalleryId, GalleryItem, Generation, JobKind, JobNumber, KeptId, PictureName,
};
use crate::engine::event::{JobId, Outcome};
use crate::geom::{CanvasPoint, CanvasRect};
use crate::raster::{CoverGrid, RgbaImage};

/// Something that only the world outside can do. Each answers with a
/// [`Command`](crate::editor::Command), or not at all.
#[derive(Debug)]
pub enum Effect {
    /// Ask the user for a file.
    Ask(FileDialog),
    /// Read a picture and open it, or put it on a layer.
    Read {
        /// The file.
        path: PathBuf,
        /// What it becomes.
        to: ReadTo,
    },
    /// Write the picture.
    Write {
        /// To this file; its ending says the format.
        path: PathBuf,
        /// What to write.
        document: Box<Document>,
        /// The state it is.
        node: NodeId,
        /// The request to write into it, as JSON, where one made the whole picture.
        record: Option<Arc<str>>,
    },
    /// Write a copy into the pictures folder under a new name.
    WriteCopy {
        /// The folder; the system's one for pictures without.
        folder: Option<PathBuf>,
        /// What to write.
        document: Box<Document>,
        /// The request to write into it, as JSON.
        record: Option<Arc<str>>,
    },
    /// Write the project: this state as the picture, with the whole tree; answers `Saved`.
    WriteProject {
        /// To this file.
        path: PathBuf,
        /// What to write.
        document: Box<Document>,
        /// The state it is.
        node: NodeId,
    },
    /// Take something down in the journal, so that it survives whatever happens.
    Keep(Keep),
    /// Get a state's pixels back from where they are kept; answers `Fetched`.
    Fetch(NodeId),
    /// Look for work that was left behind; answers `WorkFound` where there is some.
    FindWork,
    /// Take up work that was left behind in a folder; answers `ProjectOpened`.
    TakeUp(PathBuf),
    /// Delete work that was left behind in a folder.
    ThrowAway(PathBuf),
    /// Do something in the library of pictures.
    Library(LibraryTask),
    /// Put a picture on the clipboard.
    CopyImage(Box<CopySource>),
    /// Carry a picture to another program, for as long as the button is held.
    DragOut(Box<DragSource>),
    /// Put text on the clipboard.
    CopyText(String),
    /// Take a picture from the clipboard; answers `Placed`.
    PasteImage,
    /// Take a picture from the clipboard to show it with a message; answers `Attached`.
    PasteAttachment,
    /// Compute an edit that takes longer than a frame; answers `EditDone`.
    Compute(EditPlan),
    /// Measure how two documents look different; answers `Measured`.
    Measure {
        /// Names it in the answer.
        ticket: u64,
        /// The documents.
        documents: Box<[Document; 2]>,
    },
    /// Build a request and hand it to the engine; answers `JobSubmitted`.
    Submit(Box<RequestPlan>),
    /// Make a job's pictures ready to be shown; answers `Staged`, or `Answered` for a message.
    Stage(Box<StagePlan>),
    /// Stop a job.
    Cancel(JobId),
    /// Don't hand a job to the engine whose request is still being built.
    Forget(JobNumber),
    /// Let a waiting job wait at another place.
    Move(JobId, usize),
    /// Make a small picture of a state; answers `Thumbnail`.
    MakeThumbnail(NodeId, Box<Document>),
    /// Write the preferences.
    SavePreferences(Box<crate::preferences::Preferences>),
    /// Start the engine again with the preferences' device, memory and threads.
    RestartEngine,
    /// Put the cursor into the prompt.
    FocusPrompt,
    /// Show the conversation and put the cursor into the message.
    FocusChat,
    /// Close the window.
    Close,
}

/// What the journal takes down.
#[derive(Clone, Debug)]
pub enum Keep {
    /// A new tree begins; the one before is saved or not wanted any more.
    Start(Box<Node>),
    /// The tree of the project that was opened last is gone on with; the one before is saved or not
    /// wanted any more.
    Opened,
    /// A state was made.
    Node(Box<Node>),
    /// A state has a small picture.
    Thumbnail(NodeId, Arc<crate::raster::RgbaImage>),
    /// The document went to a state that was there before.
    GoTo(NodeId),
    /// A state got another name.
    Rename(NodeId, String),
    /// A state is to keep its pixels ready, or no longer.
    Pin(NodeId, bool),
    /// A state was saved to a file.
    Saved(NodeId, PathBuf),
}

/// What a picture that is read becomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadTo {
    /// The picture that is worked on.
    Picture,
    /// A new layer with its middle at this point, or in the middle of what is seen.
    Layer(Option<CanvasPoint>),
    /// A picture that is shown with a message.
    Attachment,
}

/// What is dragged with the pointer: over the canvas, or out of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dragged {
    /// A picture of the gallery.
    Gallery(GalleryId),
    /// What the canvas shows, all visible layers as one.
    Canvas,
}

/// A picture on its way to another program.
#[derive(Debug)]
pub struct DragSource {
    /// The name of the file that it arrives as, without an ending.
    pub name: String,
    /// Its pixels.
    pub pixels: DragPixels,
    /// The request to write into it, as JSON.
    pub record: Option<Arc<str>>,
}

/// The pixels of a dragged picture; a document is flattened outside the window's thread.
#[derive(Debug)]
pub enum DragPixels {
    /// A picture of the gallery.
    Image(Arc<RgbaImage>),
    /// All visible layers.
    Document(Box<Document>),
}

/// What the library of pictures is asked to do, one after the other.
#[derive(Clone, Debug)]
pub enum LibraryTask {
    /// Keep a picture; answers `PictureKept`.
    Keep(Box<GalleryItem>),
    /// Give a picture's pixels; answers `PictureFetched`.
    Fetch(PictureName),
    /// Look for pictures; answers `LibraryFound`.
    Search {
        /// Names it in the answer.
        ticket: u64,
        /// What to look for.
        filter: GalleryFilter,
        /// The last of those that were found before.
        before: Option<KeptId>,
    },
    /// Give a picture a star, or take it.
    SetStar(PictureName, bool),
    /// Give a picture a tag.
    AddTag(PictureName, String),
    /// Take a tag from a picture.
    RemoveTag(PictureName, String),
    /// Move a picture to the trash.
    Delete(PictureName),
    /// Take a picture out of the trash.
    Undelete(PictureName),
    /// Note that pictures became a part of the document.
    Accepted {
        /// Which pictures.
        pictures: Vec<PictureName>,
        /// The project's file, where it has one.
        path: Option<PathBuf>,
        /// The state of its history.
        node: NodeId,
    },
    /// Say how large the library is; answers `LibraryMeasured`.
    Measure {
        /// How large the user wants it at most.
        limit_bytes: u64,
    },
    /// Delete pictures for good, and what is in the trash.
    Purge {
        /// Which pictures.
        pictures: Vec<KeptId>,
    },
}

/// What goes to the clipboard.
#[derive(Debug)]
pub enum CopySource {
    /// The selected part of the active layer.
    Layer(Document),
    /// The selected part of all visible layers.
    AllLayers(Document),
    /// A picture as it is.
    Picture(Arc<RgbaImage>),
}

/// A file that the user is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileDialog {
    /// A picture to open.
    Open,
    /// A picture for a new layer.
    OpenAsLayer,
    /// Pictures to show with a message.
    Attach,
    /// Where to save; with a suggested name.
    Save {
        /// The suggested file name.
        name: String,
        /// The folder to start in.
        folder: Option<PathBuf>,
    },
    /// A folder for a setting.
    Folder(FolderSetting),
}

/// A setting that names a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderSetting {
    /// Where models are.
    Models,
    /// Where quick saves go.
    Pictures,
}

/// An edit to compute outside the window's thread.
#[derive(Clone, Debug)]
pub struct EditPlan {
    /// Names the edit in the answer.
    pub ticket: u64,
    /// What to change.
    pub document: Document,
    /// How.
    pub edits: Vec<Edit>,
}

/// A request to build outside the window's thread, because its picture has to be flattened.
#[derive(Clone, Debug)]
pub struct RequestPlan {
    /// The job in the window's list.
    pub job: JobNumber,
    /// What kind of work it is.
    pub kind: JobKind,
    /// Prompt and settings; the seed is set.
    pub generation: Generation,
    /// Where to compute, and how.
    pub device: DeviceSettings,
    /// The state at which the job was asked for.
    pub state: NodeId,
    /// The document as it is when the job is asked for; for extending, as it is after that.
    pub document: Document,
    /// The changes that come before the result: the larger canvas of extending and upscaling.
    pub before: Vec<Edit>,
    /// The part of the canvas that is to be painted, with soft edges; nothing for new pictures.
    pub mask: Option<CoverGrid>,
    /// The part of the canvas that the engine is shown; its pictures have this extent.
    pub region: Option<CanvasRect>,
    /// What is said, where the job answers a message.
    pub chat: Option<Box<ChatPlan>>,
}

/// A message to be answered, with what was said before.
#[derive(Clone, Debug)]
pub struct ChatPlan {
    /// What is said.
    pub message: crate::editor::Message,
    /// How it is answered.
    pub options: crate::editor::ChatOptions,
    /// The turns that the model is reminded of, the oldest first.
    pub earlier: Vec<EarlierPlan>,
    /// The layer in hand, where the state has another one.
    pub in_hand: Option<LayerId>,
    /// Which of the pictures of the session it is about, as [`crate::editor::Chat`] counts them.
    pub era: u64,
}

/// A turn that the model is reminded of; its documents are flattened when the request is built.
#[derive(Clone, Debug)]
pub struct EarlierPlan {
    /// The document that the message was about.
    pub asked: Option<(NodeId, Document)>,
    /// The document after the answer, where the answer changed it.
    pub result: Option<(NodeId, Document)>,
    /// Pictures that were shown with the message.
    pub attachments: Vec<Arc<RgbaImage>>,
    /// The message.
    pub message: String,
    /// The words of the answer.
    pub reply: String,
}

impl RequestPlan {
    /// How far the job's canvas is shifted against the canvas that it was asked for on: extending
    /// to the left or to the top moves everything.
    #[must_use]
    pub fn shift_to_now(&self) -> (i32, i32) {
        self.before.iter().fold((0, 0), |(x, y), edit| match edit {
            Edit::SetCanvas(rect) => (x + rect.x, y + rect.y),
            _ => (x, y),
        })
    }
}

/// A job's pictures, to be made ready outside the window's thread.
#[derive(Debug)]
pub struct StagePlan {
    /// What the job was made of.
    pub plan: Arc<RequestPlan>,
    /// What the engine made.
    pub outcome: Outcome,
    /// The document as it is now.
    pub document: Document,
    /// Whether it is an empty picture that takes the size of what is generated.
    pub untouched: bool,
}
