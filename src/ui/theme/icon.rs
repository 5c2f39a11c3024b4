//! Icons as text: code points of the Phosphor fonts in `assets/icons`.
//!
//! Each constant works in both weights: as ordinary text it is drawn in outline, in the font family
//! [`FILLED`](crate::ui::theme::FILLED) it is filled.

use crate::editor::Action;
use crate::tools::Tool;

// --- Tools
/// Paint the selection.
pub const MASK_BRUSH: &str = "\u{E590}"; // paint-brush-broad
/// Take away from the selection.
pub const MASK_ERASER: &str = "\u{E69E}"; // selection-slash
/// Paint with color.
pub const BRUSH: &str = "\u{E6F0}"; // paint-brush
/// Erase.
pub const ERASER: &str = "\u{E21E}"; // eraser
/// Fill.
pub const BUCKET: &str = "\u{E392}"; // paint-bucket
/// Take a color.
pub const EYEDROPPER: &str = "\u{E568}"; // eyedropper
/// Select a rectangle.
pub const RECTANGLE: &str = "\u{E3F2}"; // rectangle-dashed
/// Select an ellipse.
pub const ELLIPSE: &str = "\u{E602}"; // circle-dashed
/// Select what is drawn around.
pub const LASSO: &str = "\u{EDC6}"; // lasso
/// Select between corners.
pub const POLYGON: &str = "\u{E6D0}"; // polygon
/// Select a part of one color.
pub const WAND: &str = "\u{E6B6}"; // magic-wand
/// Move.
pub const MOVE: &str = "\u{E0A4}"; // arrows-out-cardinal
/// Cut to a rectangle.
pub const CROP: &str = "\u{E1D4}"; // crop
/// Move the view.
pub const HAND: &str = "\u{E298}"; // hand
/// Zoom the view, or search.
pub const ZOOM: &str = "\u{E30C}"; // magnifying-glass

// --- Files and the program
/// A new picture.
pub const NEW: &str = "\u{E236}"; // file-plus
/// Open.
pub const OPEN: &str = "\u{E256}"; // folder-open
/// A folder.
pub const FOLDER: &str = "\u{E24A}"; // folder
/// Save.
pub const SAVE: &str = "\u{E248}"; // floppy-disk
/// Save a copy.
pub const SAVE_COPY: &str = "\u{E20C}"; // download-simple
/// What was before; history.
pub const RECENT: &str = "\u{E1A0}"; // clock-counter-clockwise
/// Leave.
pub const QUIT: &str = "\u{E42A}"; // sign-out
/// Settings.
pub const SETTINGS: &str = "\u{E272}"; // gear-six
/// Adjust.
pub const ADJUST: &str = "\u{E434}"; // sliders-horizontal
/// Shortcuts.
pub const KEYBOARD: &str = "\u{E2D8}"; // keyboard
/// Commands.
pub const COMMAND: &str = "\u{E1C4}"; // command
/// Help.
pub const HELP: &str = "\u{E3E8}"; // question
/// Information.
pub const INFO: &str = "\u{E2CE}"; // info
/// A warning.
pub const WARNING: &str = "\u{E4E0}"; // warning
/// An error.
pub const ERROR: &str = "\u{E4E2}"; // warning-circle
/// Done well.
pub const SUCCESS: &str = "\u{E184}"; // check-circle
/// Nothing leaves this machine.
pub const OFFLINE: &str = "\u{E40C}"; // shield-check
/// Dark or light.
pub const THEME: &str = "\u{E18C}"; // circle-half
/// Language.
pub const LANGUAGE: &str = "\u{E4A2}"; // translate
/// The device that computes.
pub const DEVICE: &str = "\u{E610}"; // cpu
/// Memory.
pub const MEMORY: &str = "\u{E9C4}"; // memory

// --- Editing
/// Go back.
pub const UNDO: &str = "\u{E08A}"; // arrow-u-up-left
/// Go forward.
pub const REDO: &str = "\u{E08C}"; // arrow-u-up-right
/// Cut.
pub const CUT: &str = "\u{EAE0}"; // scissors
/// Copy.
pub const COPY: &str = "\u{E1CA}"; // copy
/// Paste.
pub const PASTE: &str = "\u{E196}"; // clipboard
/// Delete.
pub const DELETE: &str = "\u{E4A6}"; // trash
/// Rename or edit.
pub const RENAME: &str = "\u{E3B4}"; // pencil-simple
/// Exchange.
pub const SWAP: &str = "\u{E83C}"; // swap
/// Back to the usual.
pub const RESET: &str = "\u{E038}"; // arrow-counter-clockwise

// --- The picture
/// A picture.
pub const PICTURE: &str = "\u{E2CA}"; // image
/// Pictures.
pub const PICTURES: &str = "\u{E836}"; // images
/// Scale.
pub const SCALE: &str = "\u{ED6E}"; // resize
/// Size of the canvas.
pub const CANVAS_SIZE: &str = "\u{E626}"; // frame-corners
/// Extend.
pub const EXTEND: &str = "\u{E0A2}"; // arrows-out
/// Mirror.
pub const FLIP_HORIZONTAL: &str = "\u{ED6A}"; // flip-horizontal
/// Upside down.
pub const FLIP_VERTICAL: &str = "\u{ED6C}"; // flip-vertical
/// Turn clockwise.
pub const ROTATE_CLOCKWISE: &str = "\u{E036}"; // arrow-clockwise
/// Turn counterclockwise.
pub const ROTATE_COUNTERCLOCKWISE: &str = "\u{E038}"; // arrow-counter-clockwise
/// Fit into the window.
pub const FIT: &str = "\u{E1D0}"; // corners-out
/// Zoom in.
pub const ZOOM_IN: &str = "\u{E310}"; // magnifying-glass-plus
/// Zoom out.
pub const ZOOM_OUT: &str = "\u{E30E}"; // magnifying-glass-minus
/// A grid.
pub const GRID: &str = "\u{E296}"; // grid-four

// --- Layers
/// Layers.
pub const LAYERS: &str = "\u{E466}"; // stack
/// One layer.
pub const LAYER: &str = "\u{E468}"; // stack-simple
/// Add.
pub const ADD: &str = "\u{E3D4}"; // plus
/// Take away.
pub const REMOVE: &str = "\u{E32A}"; // minus
/// Duplicate.
pub const DUPLICATE: &str = "\u{E1CC}"; // copy-simple
/// Merge.
pub const MERGE: &str = "\u{ED3E}"; // arrows-merge
/// Shown.
pub const VISIBLE: &str = "\u{E220}"; // eye
/// Not shown.
pub const HIDDEN: &str = "\u{E224}"; // eye-slash
/// Locked.
pub const LOCKED: &str = "\u{E308}"; // lock-simple
/// Not locked.
pub const UNLOCKED: &str = "\u{E30A}"; // lock-simple-open
/// A layer's mask.
pub const MASK: &str = "\u{E18E}"; // circle-half-tilt
/// Up.
pub const UP: &str = "\u{E08E}"; // arrow-up
/// Down.
pub const DOWN: &str = "\u{E03E}"; // arrow-down
/// Left.
pub const LEFT: &str = "\u{E058}"; // arrow-left
/// Right.
pub const RIGHT: &str = "\u{E06C}"; // arrow-right
/// Up and left.
pub const UP_LEFT: &str = "\u{E090}"; // arrow-up-left
/// Up and right.
pub const UP_RIGHT: &str = "\u{E092}"; // arrow-up-right
/// Down and left.
pub const DOWN_LEFT: &str = "\u{E040}"; // arrow-down-left
/// Down and right.
pub const DOWN_RIGHT: &str = "\u{E042}"; // arrow-down-right
/// The middle.
pub const DOT: &str = "\u{ECE0}"; // dot-outline
/// A handle to drag by.
pub const DRAG: &str = "\u{EAE2}"; // dots-six-vertical

// --- Selection
/// The selection.
pub const SELECTION: &str = "\u{E69A}"; // selection
/// Select all.
pub const SELECT_ALL: &str = "\u{E746}"; // selection-all
/// Select nothing.
pub const SELECT_NONE: &str = "\u{E69E}"; // selection-slash
/// Invert.
pub const INVERT: &str = "\u{E744}"; // selection-inverse
/// A new shape alone.
pub const REPLACE: &str = "\u{E45E}"; // square
/// Both shapes.
pub const UNITE: &str = "\u{E87E}"; // unite
/// One shape without the other.
pub const SUBTRACT: &str = "\u{EBD6}"; // subtract
/// What both shapes share.
pub const INTERSECT: &str = "\u{E2D2}"; // intersect
/// Wider.
pub const GROW: &str = "\u{E0A6}"; // arrows-out-simple
/// Narrower.
pub const SHRINK: &str = "\u{E09E}"; // arrows-in-simple
/// Soft edges.
pub const FEATHER: &str = "\u{E9C0}"; // feather
/// Kept under a name.
pub const SAVED: &str = "\u{E0EA}"; // bookmark-simple
/// The outline.
pub const ANTS: &str = "\u{E6CE}"; // bounding-box
/// The mask as a color.
pub const OVERLAY: &str = "\u{E566}"; // drop-half
/// The pen's pressure.
pub const PRESSURE: &str = "\u{E3AC}"; // pen-nib

// --- Models and results
/// Draw from a prompt.
pub const GENERATE: &str = "\u{E6A2}"; // sparkle
/// Repaint the mask.
pub const FILL_MASK: &str = "\u{E6A4}"; // star-four
/// A little differently.
pub const VARY: &str = "\u{E422}"; // shuffle
/// Larger with more detail.
pub const UPSCALE: &str = "\u{E534}"; // arrows-out-line-horizontal
/// A model.
pub const MODEL: &str = "\u{E1DA}"; // cube
/// A prompt.
pub const PROMPT: &str = "\u{E48A}"; // text-t
/// A new seed.
pub const DICE: &str = "\u{E1EE}"; // dice-five
/// Jobs.
pub const QUEUE: &str = "\u{E6AC}"; // queue
/// Stop.
pub const STOP: &str = "\u{E46E}"; // stop-circle
/// Once more.
pub const RETRY: &str = "\u{E094}"; // arrows-clockwise
/// Waiting.
pub const WAIT: &str = "\u{E2B8}"; // hourglass-medium
/// Yes.
pub const ACCEPT: &str = "\u{E182}"; // check
/// No, or close.
pub const CLOSE: &str = "\u{E4F6}"; // x
/// All of them.
pub const KEEP_ALL: &str = "\u{E53A}"; // checks
/// The one before.
pub const PREVIOUS: &str = "\u{E138}"; // caret-left
/// The one after.
pub const NEXT: &str = "\u{E13A}"; // caret-right
/// Compare.
pub const COMPARE: &str = "\u{E870}"; // square-split-horizontal
/// Beside each other.
pub const SIDE_BY_SIDE: &str = "\u{E546}"; // columns
/// Where two pictures differ.
pub const HEAT_MAP: &str = "\u{E242}"; // fire
/// All states.
pub const HISTORY: &str = "\u{E67C}"; // tree-structure
/// All pictures.
pub const GALLERY: &str = "\u{E834}"; // images-square
/// Remarkable.
pub const STAR: &str = "\u{E46A}"; // star

// --- Parts of widgets
/// Open, or a menu.
pub const OPENED: &str = "\u{E136}"; // caret-down
/// Closed.
pub const CLOSED: &str = "\u{E13A}"; // caret-right
/// To be closed.
pub const COLLAPSE: &str = "\u{E13C}"; // caret-up
/// More.
pub const MORE: &str = "\u{E1FE}"; // dots-three
/// A menu.
pub const MENU: &str = "\u{E2F0}"; // list
/// Linked.
pub const LINKED: &str = "\u{E2E6}"; // link-simple
/// Not linked.
pub const UNLINKED: &str = "\u{E2E8}"; // link-simple-break
/// The conversation with a model.
pub const CHAT: &str = "\u{E16C}"; // chat-circle-dots
/// Send a message.
pub const SEND: &str = "\u{E396}"; // paper-plane-right
/// Show a picture with a message.
pub const ATTACH: &str = "\u{E39A}"; // paperclip
/// Elsewhere.
pub const EXTERNAL: &str = "\u{E5DE}"; // arrow-square-out

/// A tool's icon.
#[must_use]
pub const fn of_tool(tool: Tool) -> &'static str {
    match tool {
        Tool::MaskBrush => MASK_BRUSH,
        Tool::MaskEraser => MASK_ERASER,
        Tool::Brush => BRUSH,
        Tool::Eraser => ERASER,
        Tool::Fill => BUCKET,
        Tool::Eyedropper => EYEDROPPER,
        Tool::Rectangle => RECTANGLE,
        Tool::Ellipse => ELLIPSE,
        Tool::Lasso => LASSO,
        Tool::Polygon => POLYGON,
        Tool::Wand => WAND,
        Tool::Move => MOVE,
        Tool::Crop => CROP,
        Tool::Hand => HAND,
        Tool::Zoom => ZOOM,
    }
}

/// An action's icon, where one says more than nothing.
#[must_use]
pub const fn of_action(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::NewPicture => NEW,
        Action::Open => OPEN,
        Action::OpenAsLayer => PICTURES,
        Action::Save | Action::SaveAs => SAVE,
        Action::SaveCopyInPictures => SAVE_COPY,
        Action::RecoverWork => HISTORY,
        Action::ReviewLibrary => GALLERY,
        Action::RestorePicture => RESET,
        Action::Quit => QUIT,
        Action::Undo => UNDO,
        Action::Redo => REDO,
        Action::Cut => CUT,
        Action::Copy | Action::CopyMerged => COPY,
        Action::Paste => PASTE,
        Action::ClearSelected | Action::DeleteLayer | Action::DeleteLayerMask => DELETE,
        Action::FillSelected | Action::ToolFill => BUCKET,
        Action::CommandPalette => COMMAND,
        Action::ShowSettings => SETTINGS,
        Action::ShowShortcuts => KEYBOARD,
        Action::CropToSelection | Action::ToolCrop => CROP,
        Action::ResizeImage => SCALE,
        Action::CanvasSize => CANVAS_SIZE,
        Action::FlipHorizontal | Action::MirrorView => FLIP_HORIZONTAL,
        Action::FlipVertical => FLIP_VERTICAL,
        Action::RotateClockwise | Action::RotateViewRight => ROTATE_CLOCKWISE,
        Action::RotateCounterclockwise | Action::RotateViewLeft => ROTATE_COUNTERCLOCKWISE,
        Action::Flatten | Action::MergeDown => MERGE,
        Action::AddLayer => ADD,
        Action::DuplicateLayer => DUPLICATE,
        Action::RenameLayer => RENAME,
        Action::LayerUp | Action::SelectLayerAbove => UP,
        Action::LayerDown | Action::SelectLayerBelow => DOWN,
        Action::ToggleLayerVisible => VISIBLE,
        Action::ToggleLayerLocked | Action::ToggleSeedLock => LOCKED,
        Action::MaskFromSelection | Action::ApplyLayerMask => MASK,
        Action::SelectAll => SELECT_ALL,
        Action::SelectNone => SELECT_NONE,
        Action::InvertSelection => INVERT,
        Action::GrowSelection => GROW,
        Action::ShrinkSelection => SHRINK,
        Action::FeatherSelection => FEATHER,
        Action::SelectLayerAlpha => SELECTION,
        Action::SaveSelection => SAVED,
        Action::ToggleQuickMask | Action::ToggleMaskOverlay => OVERLAY,
        Action::ZoomIn => ZOOM_IN,
        Action::ZoomOut => ZOOM_OUT,
        Action::ZoomFit => FIT,
        Action::ResetView => RESET,
        Action::TogglePixelGrid => GRID,
        Action::ToggleMarchingAnts => ANTS,
        Action::ToggleTheme => THEME,
        Action::ToolMaskBrush => MASK_BRUSH,
        Action::ToolMaskEraser => MASK_ERASER,
        Action::ToolBrush => BRUSH,
        Action::ToolEraser => ERASER,
        Action::ToolEyedropper => EYEDROPPER,
        Action::ToolRectangle => RECTANGLE,
        Action::ToolEllipse => ELLIPSE,
        Action::ToolLasso => LASSO,
        Action::ToolPolygon => POLYGON,
        Action::ToolWand => WAND,
        Action::ToolMove => MOVE,
        Action::ToolHand => HAND,
        Action::ToolZoom => ZOOM,
        Action::SwapColors => SWAP,
        Action::DefaultColors => THEME,
        Action::Generate => GENERATE,
        Action::FillMask => FILL_MASK,
        Action::ExtendCanvas => EXTEND,
        Action::Vary => VARY,
        Action::Upscale => UPSCALE,
        Action::CancelJob | Action::CancelAllJobs => STOP,
        Action::RollSeed => DICE,
        Action::FocusPrompt => PROMPT,
        Action::StagingPrevious => PREVIOUS,
        Action::StagingNext => NEXT,
        Action::StagingAccept => ACCEPT,
        Action::StagingKeepAll => KEEP_ALL,
        Action::StagingDiscard | Action::StagingClose => CLOSE,
        Action::Compare => COMPARE,
        Action::CompareMode => SIDE_BY_SIDE,
        Action::ShowOriginal => RECENT,
        Action::ShowAbout => INFO,
        Action::ShowWelcome => STAR,
        Action::ShowChat => CHAT,
        Action::SendMessage => SEND,
        Action::ToggleChange => OVERLAY,
        Action::RotateHalf
        | Action::ZoomActual
        | Action::TogglePanels
        | Action::BrushSmaller
        | Action::BrushLarger
        | Action::BrushSofter
        | Action::BrushHarder
        | Action::PromptOlder
        | Action::PromptNewer => return None,
    })
}

/// All icons with their names, for tests and for looking at them.
#[cfg(test)]
pub(super) const ALL: &[(&str, &str)] = &[
    ("MASK_BRUSH", MASK_BRUSH),
    ("MASK_ERASER", MASK_ERASER),
    ("BRUSH", BRUSH),
    ("ERASER", ERASER),
    ("BUCKET", BUCKET),
    ("EYEDROPPER", EYEDROPPER),
    ("RECTANGLE", RECTANGLE),
    ("ELLIPSE", ELLIPSE),
    ("LASSO", LASSO),
    ("POLYGON", POLYGON),
    ("WAND", WAND),
    ("MOVE", MOVE),
    ("CROP", CROP),
    ("HAND", HAND),
    ("ZOOM", ZOOM),
    ("NEW", NEW),
    ("OPEN", OPEN),
    ("FOLDER", FOLDER),
    ("SAVE", SAVE),
    ("SAVE_COPY", SAVE_COPY),
    ("RECENT", RECENT),
    ("QUIT", QUIT),
    ("SETTINGS", SETTINGS),
    ("ADJUST", ADJUST),
    ("KEYBOARD", KEYBOARD),
    ("COMMAND", COMMAND),
    ("HELP", HELP),
    ("INFO", INFO),
    ("WARNING", WARNING),
    ("ERROR", ERROR),
    ("SUCCESS", SUCCESS),
    ("OFFLINE", OFFLINE),
    ("THEME", THEME),
    ("LANGUAGE", LANGUAGE),
    ("DEVICE", DEVICE),
    ("MEMORY", MEMORY),
    ("UNDO", UNDO),
    ("REDO", REDO),
    ("CUT", CUT),
    ("COPY", COPY),
    ("PASTE", PASTE),
    ("DELETE", DELETE),
    ("RENAME", RENAME),
    ("SWAP", SWAP),
    ("RESET", RESET),
    ("PICTURE", PICTURE),
    ("PICTURES", PICTURES),
    ("SCALE", SCALE),
    ("CANVAS_SIZE", CANVAS_SIZE),
    ("EXTEND", EXTEND),
    ("FLIP_HORIZONTAL", FLIP_HORIZONTAL),
    ("FLIP_VERTICAL", FLIP_VERTICAL),
    ("ROTATE_CLOCKWISE", ROTATE_CLOCKWISE),
    ("ROTATE_COUNTERCLOCKWISE", ROTATE_COUNTERCLOCKWISE),
    ("FIT", FIT),
    ("ZOOM_IN", ZOOM_IN),
    ("ZOOM_OUT", ZOOM_OUT),
    ("GRID", GRID),
    ("LAYERS", LAYERS),
    ("LAYER", LAYER),
    ("ADD", ADD),
    ("REMOVE", REMOVE),
    ("DUPLICATE", DUPLICATE),
    ("MERGE", MERGE),
    ("VISIBLE", VISIBLE),
    ("HIDDEN", HIDDEN),
    ("LOCKED", LOCKED),
    ("UNLOCKED", UNLOCKED),
    ("MASK", MASK),
    ("UP", UP),
    ("DOWN", DOWN),
    ("LEFT", LEFT),
    ("RIGHT", RIGHT),
    ("UP_LEFT", UP_LEFT),
    ("UP_RIGHT", UP_RIGHT),
    ("DOWN_LEFT", DOWN_LEFT),
    ("DOWN_RIGHT", DOWN_RIGHT),
    ("DOT", DOT),
    ("DRAG", DRAG),
    ("SELECTION", SELECTION),
    ("SELECT_ALL", SELECT_ALL),
    ("SELECT_NONE", SELECT_NONE),
    ("INVERT", INVERT),
    ("REPLACE", REPLACE),
    ("UNITE", UNITE),
    ("SUBTRACT", SUBTRACT),
    ("INTERSECT", INTERSECT),
    ("GROW", GROW),
    ("SHRINK", SHRINK),
    ("FEATHER", FEATHER),
    ("SAVED", SAVED),
    ("ANTS", ANTS),
    ("OVERLAY", OVERLAY),
    ("PRESSURE", PRESSURE),
    ("GENERATE", GENERATE),
    ("FILL_MASK", FILL_MASK),
    ("VARY", VARY),
    ("UPSCALE", UPSCALE),
    ("MODEL", MODEL),
    ("PROMPT", PROMPT),
    ("DICE", DICE),
    ("QUEUE", QUEUE),
    ("STOP", STOP),
    ("RETRY", RETRY),
    ("WAIT", WAIT),
    ("ACCEPT", ACCEPT),
    ("CLOSE", CLOSE),
    ("KEEP_ALL", KEEP_ALL),
    ("PREVIOUS", PREVIOUS),
    ("NEXT", NEXT),
    ("COMPARE", COMPARE),
    ("SIDE_BY_SIDE", SIDE_BY_SIDE),
    ("HEAT_MAP", HEAT_MAP),
    ("HISTORY", HISTORY),
    ("GALLERY", GALLERY),
    ("STAR", STAR),
    ("OPENED", OPENED),
    ("CLOSED", CLOSED),
    ("COLLAPSE", COLLAPSE),
    ("MORE", MORE),
    ("MENU", MENU),
    ("LINKED", LINKED),
    ("UNLINKED", UNLINKED),
    ("CHAT", CHAT),
    ("SEND", SEND),
    ("ATTACH", ATTACH),
    ("EXTERNAL", EXTERNAL),
];
