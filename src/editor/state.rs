//! The editor's state.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{Document, History, NodeId};
use crate::editor::{Chat, Compare, Gallery, Generation, JobList, Keymap, Notice, Staging, View};
use crate::engine::catalog::Catalog;
use crate::engine::event::JobId;
use crate::geom::{CanvasPoint, PixelRect};
use crate::preferences::Preferences;
use crate::raster::RgbaImage;
use crate::tools::{Gesture, Tool, ToolSettings};

/// A dialog over the window.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    /// The first screen.
    Welcome,
    /// Size and color of a new picture.
    NewPicture,
    /// Another size for the picture.
    ResizeImage,
    /// Another size for the canvas.
    CanvasSize,
    /// By how much to extend the canvas.
    Extend,
    /// Another name for a layer.
    RenameLayer(crate::document::LayerId),
    /// Another name for a state of the history.
    RenameState(NodeId),
    /// Work that was left behind.
    LeftWork,
    /// A name for the selection.
    SaveSelection,
    /// Find a command.
    Palette,
    /// How large the library of pictures is, and what could go.
    Library,
    /// Settings.
    Settings,
    /// All shortcuts.
    Shortcuts,
    /// Version, models, licenses.
    About,
    /// There are unsaved changes.
    UnsavedChanges(AfterSaving),
}

/// What was to happen when unsaved changes were found.
#[derive(Clone, Debug, PartialEq)]
pub enum AfterSaving {
    /// Close the window.
    Close,
    /// Open a file.
    Open(PathBuf),
    /// Ask for a file to open.
    AskOpen,
    /// Open a picture of the gallery.
    OpenGallery(crate::editor::GalleryId),
    /// Open a project at a state.
    OpenAt(PathBuf, NodeId),
    /// Take up work that was left behind.
    TakeUp(PathBuf),
    /// Start an empty picture.
    New {
        /// Columns and rows.
        extent: crate::geom::Extent,
        /// The lowest layer's color.
        color: [u8; 4],
    },
}

/// A panel at the side of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Panel {
    /// Prompt and settings.
    Prompt,
    /// The conversation with a model.
    Chat,
    /// Layers.
    Layers,
    /// History.
    History,
    /// Gallery.
    Gallery,
    /// Jobs.
    Queue,
    /// Tools.
    Tools,
}

/// The picture's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PictureFile {
    /// Where it is; nothing for a new picture.
    pub path: Option<PathBuf>,
    /// The state that the file holds.
    pub saved: Option<NodeId>,
}

/// Everything that the window works with.
pub struct Editor {
    /// All states of the document.
    pub history: History,
    /// The document as it is on the canvas: the current state, or one that a gesture is changing.
    pub document: Document,
    /// What the pointer is doing on the canvas, where it is doing something.
    pub gesture: Option<Gesture>,
    /// Where the pointer is on the canvas.
    pub pointer: Option<CanvasPoint>,
    /// The tool in hand.
    pub tool: Tool,
    /// What the tools are set to.
    pub tools: ToolSettings,
    /// How the canvas is seen.
    pub view: View,
    /// Prompt and settings of the next job.
    pub generation: Generation,
    /// The models that there are, once they are known.
    pub catalog: Option<Arc<Catalog>>,
    /// All jobs.
    pub jobs: JobList,
    /// The newest view of what is being drawn.
    pub preview: Option<ShownPreview>,
    /// Results that wait for a choice.
    pub staging: Option<Staging>,
    /// The pictures that were made in this session, and those of the library.
    pub gallery: Gallery,
    /// The comparison that is shown.
    pub compare: Option<Compare>,
    /// Messages to the user.
    pub notices: Vec<Notice>,
    /// The dialog that is open.
    pub dialog: Option<Dialog>,
    /// The picture's file.
    pub file: PictureFile,
    /// Work that was left behind by programs that ended without asking.
    pub left_work: Vec<crate::editor::LeftWork>,
    /// What is to happen once the pixels of a state are back.
    pub fetching: Option<Fetching>,
    /// The project that is being opened, once something of it can be shown.
    pub opening: Option<crate::editor::Opening>,
    /// The state to go to in a project that is being opened.
    pub going_to: Option<(PathBuf, NodeId)>,
    /// Why the journal can't be written, where it can't.
    pub keeping_failed: Option<String>,
    /// What is kept between sessions.
    pub preferences: Preferences,
    /// Which keys do what.
    pub keymap: Keymap,
    /// What is being computed outside, where something is.
    pub computing: Option<Computing>,
    /// Pictures for new layers that wait until that is done: each with its layer's name and the
    /// point that its middle belongs to.
    pub to_place: VecDeque<(Arc<RgbaImage>, String, Option<CanvasPoint>)>,
    /// What happens once the picture is saved.
    pub after_saving: Option<AfterSaving>,
    /// Where the last stroke ended, for straight lines.
    pub last_point: Option<CanvasPoint>,
    /// Which of the older prompts is shown, counted from the newest.
    pub prompt_at: Option<usize>,
    /// The prompt that was being written before older ones were looked at.
    pub prompt_draft: String,
    /// What the model said about the prompt of the last job.
    pub prompt_remark: Option<String>,
    /// What is being said and answered.
    pub chat: Chat,
    /// The number that was given last to tickets, notices and jobs.
    pub last_number: u64,
}

/// A state whose pixels are on their way, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetching {
    /// To go to it.
    GoTo(NodeId),
    /// To compare two sides, of which it is one.
    Compare(NodeId, crate::editor::CompareSide, crate::editor::CompareSide),
    /// To take a region from it.
    TakeRegion(NodeId),
    /// To ask a turn's message again at it.
    Retry(NodeId, NodeId),
}

/// What is being drawn, as the canvas shows it.
#[derive(Clone, Debug)]
pub struct ShownPreview {
    /// The job that draws it.
    pub job: JobId,
    /// Its pixels, fewer than what they cover.
    pub image: Arc<RgbaImage>,
    /// What it covers.
    pub place: PixelRect,
    /// Whether it is seen only where something is selected.
    pub in_selection: bool,
}

/// An edit that is computed outside the window's thread.
#[derive(Clone, Debug)]
pub struct Computing {
    /// Names it in the answer.
    pub ticket: u64,
    /// Its name for people and for the history.
    pub label: String,
    /// What it does.
    pub edits: Vec<crate::document::Edit>,
    /// The pictures of the gallery that become a part of the document with it.
    pub results: Vec<crate::editor::GalleryId>,
}
