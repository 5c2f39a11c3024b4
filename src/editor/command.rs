//! What the user asks for.

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{Axis, Edit, LayerId, NodeId};
use crate::editor::{
    Action, AfterSaving, Answered, ChatOptions, CompareMode, CompareSide, Dialog, Dragged,
    ExtendBy, FolderSetting, FoundPictures, GalleryFilter, GalleryId, GalleryItem, Generation,
    JobNumber, KeptId, LibrarySize, MaskDisplay, OpenedProject, Panel, Staged,
};
use crate::engine::event::{Failure, JobEvent, JobId, Preview};
use crate::geom::{CanvasPoint, Extent, ScreenPoint};
use crate::raster::RgbaImage;
use crate::tools::ToolSettings;

/// One thing that the user, or the world outside, asks of the editor.
///
/// Menus, shortcuts, the palette and panels all send these; nothing else changes the editor.
#[derive(Debug)]
pub enum Command {
    /// What menus, shortcuts and the palette offer.
    Do(Action),

    // --- the canvas
    /// The pointer did something on the canvas.
    Pointer(PointerEvent),
    /// Escape: ends what the pointer has begun, else closes results or a dialog, else deselects.
    Escape,
    /// The canvas area has this place and size, in points.
    SetViewport {
        /// Its top left corner.
        min: ScreenPoint,
        /// Width and height.
        size: (f32, f32),
    },
    /// Zooms by a factor around a point of the screen.
    ZoomAt {
        /// Larger than 1 zooms in.
        factor: f32,
        /// What stays in its place.
        anchor: ScreenPoint,
    },
    /// Zooms to this many screen points per pixel, around the middle.
    SetZoom(f32),
    /// Moves what is seen, in points.
    Pan {
        /// To the right.
        dx: f32,
        /// Down.
        dy: f32,
    },
    /// Turns the view by so many radians clockwise.
    RotateView(f32),
    /// Sets how the selection is shown.
    SetMaskDisplay(MaskDisplay),
    /// Shows the original while true.
    HoldOriginal(bool),

    // --- the document
    /// Starts an empty picture of this size, in this color.
    NewPicture {
        /// Columns and rows.
        extent: Extent,
        /// The lowest layer's color; transparent for none.
        color: [u8; 4],
    },
    /// Does one edit as one step of the history.
    Edit(Edit),
    /// Sets a layer's opacity while a slider moves; one step when it is let go.
    DragOpacity {
        /// Which layer.
        layer: LayerId,
        /// 0 to 1.
        opacity: f32,
        /// Whether the slider was let go.
        done: bool,
    },
    /// Mirrors the picture.
    Flip(Axis),
    /// Goes to a state of the history.
    GoTo(NodeId),
    /// Gives a state of the history another name.
    RenameState(NodeId, String),
    /// Lets a state of the history keep its pixels ready, or no longer.
    PinState(NodeId, bool),
    /// Lays the selected part of another state over the picture, as a layer.
    TakeRegion(NodeId),
    /// Takes up work that was left behind in a folder.
    TakeUp(PathBuf),
    /// Deletes work that was left behind in a folder.
    ThrowAway(PathBuf),
    /// Sets the history's byte budget.
    SetHistoryBudget(usize),
    /// Sets what the tools are set to.
    SetToolSettings(Box<ToolSettings>),

    // --- prompting
    /// Sets prompt and settings of the next job.
    SetGeneration(Box<Generation>),
    /// Extends the canvas and has the new space painted.
    Extend(ExtendBy),
    /// Stops a job, or forgets one that waits.
    CancelJob(JobNumber),
    /// Lets a waiting job wait at another place, 0 for the next to run.
    MoveJob(JobNumber, usize),
    /// Removes what is done from the list of jobs.
    ClearFinishedJobs,
    /// Tries a failed job again.
    RetryJob(JobNumber),

    // --- the conversation
    /// Sets the words of the next message.
    SetChatDraft(String),
    /// Sets how messages are answered.
    SetChatOptions(Box<ChatOptions>),
    /// Goes to where an earlier message was asked and lets it be changed.
    EditMessage(NodeId),
    /// Gives up changing an earlier message.
    CancelEditMessage,
    /// Asks an earlier message again, with another seed.
    RetryTurn(NodeId),
    /// Goes to the line of another turn that follows the same turn as this one does: so many
    /// places on.
    SwitchBranch(NodeId, isize),
    /// Makes what the last answer changed so many pixels wider, or narrower below 0.
    WidenChange(i32),
    /// Shows a gallery's picture with the next message.
    AttachFromGallery(GalleryId),
    /// Shows pictures of files with the next message.
    AttachPaths(Vec<PathBuf>),
    /// Asks for files to show with the next message.
    AskAttachment,
    /// Shows the clipboard's picture with the next message.
    PasteAttachment,
    /// Shows one of the pictures no more.
    Detach(usize),

    // --- results
    /// Looks at one of the staged results.
    StagingShow(usize),
    /// Takes prompt and settings of a gallery's picture.
    UseSettings(GalleryId),
    /// Takes the seed of a gallery's picture.
    UseSeed(GalleryId),
    /// Puts a gallery's picture on a new layer.
    PlaceFromGallery(GalleryId),
    /// Puts a gallery's picture on a new layer, with its middle at a point of the canvas.
    DropFromGallery(GalleryId, CanvasPoint),
    /// A picture is dragged out of the window; the button is still held.
    DragOut(Dragged),
    /// Starts a new picture from a gallery's picture.
    OpenFromGallery(GalleryId),
    /// Puts a gallery's picture on the clipboard.
    CopyFromGallery(GalleryId),
    /// Takes a picture out of the gallery; it can be brought back.
    RemoveFromGallery(GalleryId),
    /// Wants a gallery's picture in full, to look at it.
    LookAtGallery(GalleryId),
    /// Gives a gallery's picture a star, or takes it.
    StarPicture(GalleryId, bool),
    /// Gives a gallery's picture a tag.
    TagPicture(GalleryId, String),
    /// Takes a tag from a gallery's picture.
    UntagPicture(GalleryId, String),
    /// Looks for pictures, here and in the library.
    SearchGallery(GalleryFilter),
    /// Asks the library for older pictures of those that are looked for.
    MoreOfGallery,
    /// Opens the project that a gallery's picture became a part of, at the state where it did.
    OpenProjectOf(GalleryId),
    /// Deletes for good what the user was shown of the library: the trash, the oldest pictures.
    ShrinkLibrary,
    /// Compares two sides.
    CompareSides(CompareSide, CompareSide),
    /// Sets how they are compared.
    SetCompareMode(CompareMode),
    /// Moves the comparison's slider, 0 to 1.
    SetCompareSplit(f32),
    /// Ends the comparison.
    CloseCompare,

    // --- the window
    /// Opens a dialog, or closes the one that is open.
    SetDialog(Option<Dialog>),
    /// Shows or hides a panel.
    ShowPanel(Panel, bool),
    /// Sets what is kept between sessions.
    SetPreferences(Box<crate::preferences::Preferences>),
    /// Removes a notice.
    DismissNotice(u64),
    /// The user wants the window closed; asks about unsaved changes first.
    CloseRequested,
    /// Goes on without saving.
    DiscardChanges(AfterSaving),
    /// Saves first and then goes on.
    SaveFirst(AfterSaving),

    /// Asks for a folder for a setting.
    AskFolder(FolderSetting),

    // --- what comes from outside
    /// Opens a file as a new picture.
    OpenPath(PathBuf),
    /// Puts each file on a new layer.
    PlacePaths {
        /// The files.
        paths: Vec<PathBuf>,
        /// The pixel that should be in their middle; the middle of what is seen without one.
        at: Option<CanvasPoint>,
    },
    /// A picture was read.
    Opened {
        /// Its pixels.
        image: Arc<RgbaImage>,
        /// Where it came from.
        path: Option<PathBuf>,
        /// The request that it carries, as JSON.
        record: Option<String>,
        /// What the user should know: a profile that could not be read, and so on.
        remarks: Vec<String>,
    },
    /// A project is being read, and that is how it looks from afar; `ProjectOpened` or `Failed`
    /// follows.
    ProjectPreview {
        /// Its file.
        path: PathBuf,
        /// It, small.
        image: Arc<RgbaImage>,
        /// The size of its canvas.
        extent: Extent,
    },
    /// A project was read, or work that was left behind was taken up.
    ProjectOpened(Box<OpenedProject>),
    /// A state's pixels came back, or why not.
    Fetched {
        /// Which state.
        node: NodeId,
        /// Its document.
        result: Result<Box<crate::document::Document>, String>,
    },
    /// There is work that was left behind.
    WorkFound(Vec<crate::editor::LeftWork>),
    /// The journal can't be written, and why; nothing once it can again.
    KeepingFailed(Option<String>),
    /// A picture for a new layer was read, pasted or dropped.
    Placed {
        /// Its pixels.
        image: Arc<RgbaImage>,
        /// The layer's name.
        name: String,
        /// The pixel that should be in its middle; the middle of what is seen without one.
        at: Option<CanvasPoint>,
    },
    /// A picture to show with the next message was read or taken from the clipboard.
    Attached {
        /// Its pixels.
        image: Arc<RgbaImage>,
        /// Its name.
        name: String,
    },
    /// The user chose where to save.
    SaveTo(PathBuf),
    /// The user chose a folder for a setting.
    SetFolder(FolderSetting, PathBuf),
    /// The user closed a file dialog without a choice.
    DialogCancelled,
    /// A job's results are ready to be shown.
    Staged {
        /// Which job.
        job: JobNumber,
        /// Its pictures for the gallery, each with its result.
        results: Vec<(GalleryItem, Staged)>,
    },
    /// A message was answered; what came is ready to become a state.
    Answered(Box<Answered>),
    /// The library keeps a picture under a name and has so many bytes now, or why it doesn't.
    PictureKept {
        /// Which picture.
        id: GalleryId,
        /// Its name in the library, and the library's bytes.
        result: Result<(KeptId, u64), String>,
    },
    /// A picture came from the library, or why not.
    PictureFetched {
        /// Which picture.
        id: GalleryId,
        /// Its pixels.
        result: Result<Arc<RgbaImage>, String>,
    },
    /// The library has searched.
    LibraryFound {
        /// Which question, as its effect named it.
        ticket: u64,
        /// A page of what it found, or why it can't search.
        found: Result<Box<FoundPictures>, String>,
    },
    /// The project of some pictures is at another place now.
    PicturesLinked(Vec<KeptId>, PathBuf),
    /// The library was measured, or why not.
    LibraryMeasured(Result<LibrarySize, String>),
    /// The picture was saved.
    Saved {
        /// To this file.
        path: PathBuf,
        /// As it was at this node.
        node: NodeId,
    },
    /// A heavy edit was computed.
    EditDone {
        /// Which one, as its effect named it.
        ticket: u64,
        /// The new document, or why there is none.
        result: Result<Box<crate::document::Document>, crate::document::DocumentError>,
    },
    /// The difference of what is compared was measured.
    Measured {
        /// Which measurement, as its effect named it.
        ticket: u64,
        /// What came out.
        difference: crate::document::Difference,
    },
    /// A request was built and handed to the engine, or could not be.
    JobSubmitted {
        /// Which job.
        job: JobNumber,
        /// The engine's name for it, or why there is none.
        result: Result<(JobId, Box<crate::engine::request::Record>), Failure>,
    },
    /// The engine says something about a job.
    JobEvent(JobId, JobEvent),
    /// The newest view of what is being drawn.
    Preview(Preview),
    /// The models that there are.
    Catalog(Arc<crate::engine::catalog::Catalog>),
    /// Something failed outside: what, why, and what can be done.
    Failed(String),
    /// Something worth knowing happened outside.
    Told(String),
    /// A thumbnail was made.
    Thumbnail(NodeId, Arc<RgbaImage>),
}

/// A pointer event on the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointerEvent {
    /// What happened.
    pub phase: PointerPhase,
    /// Where, in points of the window.
    pub at: ScreenPoint,
    /// How hard a pen presses, 0 to 1; 1 for a mouse.
    pub pressure: f32,
    /// Whether Shift is held: straight lines, squares, adding.
    pub shift: bool,
    /// Whether Alt is held: the eyedropper, subtracting.
    pub alt: bool,
    /// Whether Ctrl (the command key on macOS) is held.
    pub ctrl: bool,
}

/// What the pointer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerPhase {
    /// The main button went down.
    Pressed,
    /// It moved while the main button is down.
    Dragged,
    /// The main button went up.
    Released,
    /// It moved with no button down.
    Hovered,
    /// The main button was pressed twice quickly.
    DoubleClicked,
    /// It left the canvas.
    Left,
}
