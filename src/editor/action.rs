//! Every command that a menu, a shortcut or the palette can give, in one table.
//!
//! An [`Action`] has no parameters; what needs some is a [`crate::editor::Command`] of its own. The
//! table below is the only place where an action's label, tooltip and shortcut stand.

use crate::tools::Tool;

/// The menu or group that an action belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Menu {
    /// Files and the program.
    File,
    /// Undo, clipboard, settings.
    Edit,
    /// The whole picture.
    Image,
    /// Layers.
    Layer,
    /// The selection.
    Select,
    /// How the picture is seen.
    View,
    /// Tools.
    Tool,
    /// Brush and colors.
    Brush,
    /// Work for the models.
    Model,
    /// Results and comparison.
    Result,
    /// Help.
    Help,
}

impl Menu {
    /// All menus, in order.
    pub const ALL: [Self; 11] = [
        Self::File,
        Self::Edit,
        Self::Image,
        Self::Layer,
        Self::Select,
        Self::View,
        Self::Tool,
        Self::Brush,
        Self::Model,
        Self::Result,
        Self::Help,
    ];

    /// The menu's name; a text to translate.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::Edit => "Edit",
            Self::Image => "Image",
            Self::Layer => "Layer",
            Self::Select => "Select",
            Self::View => "View",
            Self::Tool => "Tool",
            Self::Brush => "Brush",
            Self::Model => "Model",
            Self::Result => "Result",
            Self::Help => "Help",
        }
    }
}

/// What is known about an action besides what it does.
#[derive(Clone, Copy, Debug)]
pub struct ActionInfo {
    /// Its name in files: words with hyphens. Never changes, so that saved shortcuts stay valid.
    pub id: &'static str,
    /// Where it belongs.
    pub menu: Menu,
    /// Its name for people; a text to translate.
    pub label: &'static str,
    /// What it does in one sentence without a full stop; a text to translate.
    pub tooltip: &'static str,
    /// Its shortcuts unless the user chose others: `Ctrl+Shift+Z`. `Ctrl` is the command key on
    /// macOS.
    pub shortcuts: &'static [&'static str],
}

/// Declares the actions and their table from one list.
macro_rules! actions {
    ($($variant:ident $menu:ident $id:literal $label:literal $tooltip:literal [$($shortcut:literal),*];)*) => {
        /// A command without parameters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = $tooltip] $variant,)*
        }

        impl Action {
            /// All actions, menu by menu.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Label, tooltip, shortcut and menu.
            #[must_use]
            pub const fn info(self) -> ActionInfo {
                match self {
                    $(Self::$variant => ActionInfo {
                        id: $id,
                        menu: Menu::$menu,
                        label: $label,
                        tooltip: $tooltip,
                        shortcuts: &[$($shortcut),*],
                    },)*
                }
            }
        }
    };
}

actions! {
    NewPicture File "new-picture" "New…" "Start an empty picture" ["Ctrl+N"];
    Open File "open" "Open…" "Open a picture from a file" ["Ctrl+O"];
    OpenAsLayer File "open-as-layer" "Open as layer…" "Put a picture from a file on a new layer" ["Ctrl+Shift+O"];
    Save File "save" "Save" "Save the picture to its file" ["Ctrl+S"];
    SaveAs File "save-as" "Save as…" "Save the picture to another file" ["Ctrl+Shift+S"];
    SaveCopyInPictures File "save-copy-in-pictures" "Quick save" "Save a copy into the pictures folder without asking" ["Ctrl+Alt+S"];
    RecoverWork File "recover-work" "Recover work…" "Look at work that was left behind when Gesso ended without asking" [];
    ReviewLibrary File "review-library" "Review the picture library…" "See how large the library of pictures is, and what of it could go" [];
    Quit File "quit" "Quit" "Close Gesso" ["Ctrl+Q"];
    Undo Edit "undo" "Undo" "Go back one step" ["Ctrl+Z"];
    Redo Edit "redo" "Redo" "Go forward one step" ["Ctrl+Shift+Z", "Ctrl+Y"];
    Cut Edit "cut" "Cut" "Move the selected part of the layer to the clipboard" ["Ctrl+X"];
    Copy Edit "copy" "Copy" "Copy the selected part of the layer" ["Ctrl+C"];
    CopyMerged Edit "copy-merged" "Copy merged" "Copy the selected part of all visible layers" ["Ctrl+Shift+C"];
    Paste Edit "paste" "Paste" "Paste a picture as a new layer" ["Ctrl+V"];
    ClearSelected Edit "clear-selected" "Clear" "Erase the selected part of the layer" ["Delete"];
    FillSelected Edit "fill-selected" "Fill with color" "Fill the selected part of the layer with the color" ["Alt+Delete"];
    CommandPalette Edit "command-palette" "Find a command…" "Find any command by its name" ["Ctrl+K", "F1"];
    ShowSettings Edit "show-settings" "Settings…" "Device, memory, folders, language and looks" ["Ctrl+Comma"];
    ShowShortcuts Edit "show-shortcuts" "Shortcuts…" "See and change all keyboard shortcuts" ["Ctrl+Slash"];
    CropToSelection Image "crop-to-selection" "Crop to selection" "Cut the canvas to the selected part" ["Ctrl+Shift+X"];
    ResizeImage Image "resize-image" "Scale picture…" "Make the picture larger or smaller with everything on it" ["Ctrl+Alt+I"];
    CanvasSize Image "canvas-size" "Canvas size…" "Add or cut away space around the picture" ["Ctrl+Alt+C"];
    FlipHorizontal Image "flip-horizontal" "Flip left and right" "Mirror the whole picture" [];
    FlipVertical Image "flip-vertical" "Flip top and bottom" "Turn the whole picture upside down, mirrored" [];
    RotateClockwise Image "rotate-clockwise" "Turn clockwise" "Turn the whole picture by a quarter" [];
    RotateCounterclockwise Image "rotate-counterclockwise" "Turn counterclockwise" "Turn the whole picture back by a quarter" [];
    RotateHalf Image "rotate-half" "Turn upside down" "Turn the whole picture by a half" [];
    Flatten Image "flatten" "Flatten" "Merge all visible layers into one" ["Ctrl+Shift+E"];
    AddLayer Layer "add-layer" "New layer" "Add an empty layer" ["Ctrl+Shift+N"];
    DuplicateLayer Layer "duplicate-layer" "Duplicate layer" "Copy the layer" ["Ctrl+J"];
    DeleteLayer Layer "delete-layer" "Delete layer" "Delete the layer" ["Shift+Delete"];
    RenameLayer Layer "rename-layer" "Rename layer…" "Give the layer another name" ["F2"];
    MergeDown Layer "merge-down" "Merge down" "Merge the layer into the one below" ["Ctrl+E"];
    LayerUp Layer "layer-up" "Move layer up" "Move the layer above the next one" ["Ctrl+CloseBracket"];
    LayerDown Layer "layer-down" "Move layer down" "Move the layer below the next one" ["Ctrl+OpenBracket"];
    SelectLayerAbove Layer "select-layer-above" "Layer above" "Work on the layer above" ["PageUp"];
    SelectLayerBelow Layer "select-layer-below" "Layer below" "Work on the layer below" ["PageDown"];
    ToggleLayerVisible Layer "toggle-layer-visible" "Show or hide layer" "Show or hide the layer" ["Ctrl+H"];
    ToggleLayerLocked Layer "toggle-layer-locked" "Lock or unlock layer" "Protect the layer from change, or no longer" ["Ctrl+L"];
    MaskFromSelection Layer "mask-from-selection" "Mask from selection" "Show only the selected part of the layer" [];
    ApplyLayerMask Layer "apply-layer-mask" "Apply layer mask" "Make the layer's mask part of its pixels" [];
    DeleteLayerMask Layer "delete-layer-mask" "Delete layer mask" "Show all of the layer again" [];
    SelectAll Select "select-all" "All" "Select the whole picture" ["Ctrl+A"];
    SelectNone Select "select-none" "None" "Select nothing" ["Ctrl+D", "Ctrl+Shift+A"];
    InvertSelection Select "invert-selection" "Invert" "Select what is not selected" ["Ctrl+I"];
    GrowSelection Select "grow-selection" "Grow" "Make the selection wider" ["Ctrl+Shift+G"];
    ShrinkSelection Select "shrink-selection" "Shrink" "Make the selection narrower" ["Ctrl+Shift+H"];
    FeatherSelection Select "feather-selection" "Feather" "Make the selection's edge soft" ["Shift+F6"];
    SelectLayerAlpha Select "select-layer-alpha" "Layer's pixels" "Select what is not transparent on the layer" [];
    SaveSelection Select "save-selection" "Save selection…" "Keep the selection under a name" [];
    ToggleQuickMask Select "toggle-quick-mask" "Quick mask" "Paint the selection with the brush and the eraser" ["Q"];
    ZoomIn View "zoom-in" "Zoom in" "See the picture larger" ["Ctrl+Plus", "Ctrl+Equals"];
    ZoomOut View "zoom-out" "Zoom out" "See more of the picture" ["Ctrl+Minus"];
    ZoomFit View "zoom-fit" "Fit to window" "See the whole picture" ["Ctrl+0"];
    ZoomActual View "zoom-actual" "Actual pixels" "One pixel of the picture for each of the screen" ["Ctrl+1"];
    RotateViewLeft View "rotate-view-left" "Turn view left" "Turn the view, not the picture" ["Shift+OpenBracket"];
    RotateViewRight View "rotate-view-right" "Turn view right" "Turn the view, not the picture" ["Shift+CloseBracket"];
    ResetView View "reset-view" "Reset view" "Undo turning and mirroring of the view" ["Ctrl+Alt+0"];
    MirrorView View "mirror-view" "Mirror view" "Mirror the view, not the picture" ["M"];
    TogglePixelGrid View "toggle-pixel-grid" "Pixel grid" "Show lines between pixels when zoomed in" ["Ctrl+Quote"];
    ToggleMaskOverlay View "toggle-mask-overlay" "Mask overlay" "Show the selection as a color" ["Ctrl+Backslash"];
    ToggleMarchingAnts View "toggle-marching-ants" "Selection outline" "Show the selection's outline" ["Ctrl+Shift+D"];
    ToggleChange View "toggle-change" "Changed region" "Show as a color what the last answer changed" [];
    ShowChat View "show-chat" "Chat" "Talk with a model about the picture" ["Ctrl+T"];
    TogglePanels View "toggle-panels" "Panels" "Show only the picture" ["F", "F11"];
    ToggleTheme View "toggle-theme" "Dark or light" "Change between dark and light" [];
    ToolMaskBrush Tool "tool-mask-brush" "Mask brush" "Paint what the model should repaint" ["B"];
    ToolMaskEraser Tool "tool-mask-eraser" "Mask eraser" "Take away from what the model should repaint" ["E"];
    ToolBrush Tool "tool-brush" "Brush" "Paint with the color" ["P"];
    ToolEraser Tool "tool-eraser" "Eraser" "Erase the layer" ["Shift+E"];
    ToolFill Tool "tool-fill" "Bucket" "Fill a part of one color" ["G"];
    ToolEyedropper Tool "tool-eyedropper" "Eyedropper" "Take a color from the picture" ["I"];
    ToolRectangle Tool "tool-rectangle" "Rectangle selection" "Select a rectangle" ["R"];
    ToolEllipse Tool "tool-ellipse" "Ellipse selection" "Select an ellipse" ["O"];
    ToolLasso Tool "tool-lasso" "Lasso" "Select what you draw around" ["L"];
    ToolPolygon Tool "tool-polygon" "Polygon selection" "Select between corners that you click" ["Shift+L"];
    ToolWand Tool "tool-wand" "Magic wand" "Select a part of one color" ["W"];
    ToolMove Tool "tool-move" "Move" "Move the layer or what is selected of it" ["V"];
    ToolCrop Tool "tool-crop" "Crop" "Cut the canvas to a rectangle" ["C"];
    ToolHand Tool "tool-hand" "Hand" "Move the view; also with the space bar held" ["H"];
    ToolZoom Tool "tool-zoom" "Zoom" "Zoom in by a click, out with Alt" ["Z"];
    BrushSmaller Brush "brush-smaller" "Smaller brush" "Make the brush smaller" ["OpenBracket"];
    BrushLarger Brush "brush-larger" "Larger brush" "Make the brush larger" ["CloseBracket"];
    BrushSofter Brush "brush-softer" "Softer brush" "Make the brush's edge softer" ["Ctrl+Alt+OpenBracket"];
    BrushHarder Brush "brush-harder" "Harder brush" "Make the brush's edge harder" ["Ctrl+Alt+CloseBracket"];
    SwapColors Brush "swap-colors" "Swap colors" "Exchange the two colors" ["X"];
    DefaultColors Brush "default-colors" "Black and white" "Set the colors to black and white" ["D"];
    Generate Model "generate" "Generate" "Draw a new picture from the prompt" ["Ctrl+Enter"];
    FillMask Model "fill-mask" "Fill the mask" "Repaint the selected part from the prompt" ["Ctrl+Shift+Enter"];
    ExtendCanvas Model "extend-canvas" "Extend the canvas…" "Add space around the picture and have it painted" ["Ctrl+Alt+E"];
    Vary Model "vary" "Vary" "Draw the selected part, or all, a little differently" ["Ctrl+Alt+Enter"];
    Upscale Model "upscale" "Upscale" "Make the picture four times as wide and high" ["Ctrl+Alt+U"];
    SendMessage Model "send-message" "Send message" "Send what is written in the chat to the model" [];
    CancelJob Model "cancel-job" "Cancel" "Stop the job that runs" ["Ctrl+Period"];
    CancelAllJobs Model "cancel-all-jobs" "Cancel all jobs" "Stop the job that runs and forget those that wait" ["Ctrl+Shift+Period"];
    RollSeed Model "roll-seed" "New seed" "Draw another number for the seed" ["Ctrl+R"];
    ToggleSeedLock Model "toggle-seed-lock" "Lock the seed" "Keep the seed for the next picture" ["Ctrl+Shift+R"];
    FocusPrompt Model "focus-prompt" "Write a prompt" "Put the cursor into the prompt" ["Ctrl+P", "T"];
    PromptOlder Model "prompt-older" "Older prompt" "Bring back the prompt before" ["Alt+ArrowUp"];
    PromptNewer Model "prompt-newer" "Newer prompt" "Bring back the prompt after" ["Alt+ArrowDown"];
    StagingPrevious Result "staging-previous" "Previous result" "Look at the result before" ["ArrowLeft"];
    StagingNext Result "staging-next" "Next result" "Look at the result after" ["ArrowRight"];
    StagingAccept Result "staging-accept" "Accept" "Keep this result as a layer" ["Enter"];
    StagingDiscard Result "staging-discard" "Discard" "Throw this result away; it stays in the gallery" ["Backspace"];
    StagingKeepAll Result "staging-keep-all" "Keep all" "Keep each result as a layer" ["Shift+Enter"];
    StagingClose Result "staging-close" "Discard all" "Throw all results away; they stay in the gallery" ["Shift+Backspace"];
    Compare Result "compare" "Compare" "Compare the picture with the state before" ["K"];
    CompareMode Result "compare-mode" "Other comparison" "Change between slider, side by side and difference" ["Shift+K"];
    RestorePicture Result "restore-picture" "Bring the picture back" "Take the picture that was removed from the gallery last out of the trash" [];
    ShowOriginal Result "show-original" "Show the original" "See the picture as it was opened while the key is held" ["Backtick"];
    ShowAbout Help "show-about" "About Gesso" "Version, models and licenses" [];
    ShowWelcome Help "show-welcome" "Welcome" "The first screen" [];
}

impl Action {
    /// The action that takes a tool in hand; it has the tool's name, tooltip and shortcut.
    #[must_use]
    pub const fn of_tool(tool: Tool) -> Self {
        match tool {
            Tool::MaskBrush => Self::ToolMaskBrush,
            Tool::MaskEraser => Self::ToolMaskEraser,
            Tool::Brush => Self::ToolBrush,
            Tool::Eraser => Self::ToolEraser,
            Tool::Fill => Self::ToolFill,
            Tool::Eyedropper => Self::ToolEyedropper,
            Tool::Rectangle => Self::ToolRectangle,
            Tool::Ellipse => Self::ToolEllipse,
            Tool::Lasso => Self::ToolLasso,
            Tool::Polygon => Self::ToolPolygon,
            Tool::Wand => Self::ToolWand,
            Tool::Move => Self::ToolMove,
            Tool::Crop => Self::ToolCrop,
            Tool::Hand => Self::ToolHand,
            Tool::Zoom => Self::ToolZoom,
        }
    }

    /// The action with this name in files.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.info().id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_actions_share_a_name_or_a_shortcut() {
        let mut ids: Vec<&str> = Action::ALL.iter().map(|action| action.info().id).collect();
        let mut keys: Vec<&str> =
            Action::ALL.iter().flat_map(|action| action.info().shortcuts).copied().collect();
        let (all_ids, all_keys) = (ids.len(), keys.len());
        ids.sort_unstable();
        ids.dedup();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!((ids.len(), keys.len()), (all_ids, all_keys));
    }

    #[test]
    fn every_action_is_found_by_its_name() {
        for &action in Action::ALL {
            assert_eq!(Action::from_id(action.info().id), Some(action));
        }
        assert_eq!(Action::from_id("no-such-action"), None);
    }
}
