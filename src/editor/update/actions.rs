//! What each action of menus, shortcuts and the palette does.

use crate::document::{
    Axis, Combine, Document, Edit, Fill, QuarterTurns, SelectionShape, SelectionStep,
};
use crate::editor::{
    Action, CompareMode, CompareSide, CopySource, Dialog, Editor, Effect, FileDialog, JobKind,
};
use crate::geom::PixelRect;
use crate::locale::tr;
use crate::tools::Tool;

/// What one press of a zoom key multiplies the zoom by.
const ZOOM_STEP: f32 = 1.5;
/// What one press turns the view by, in radians: 15 degrees.
const TURN_STEP: f32 = std::f32::consts::PI / 12.0;

impl Editor {
    pub(super) fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        if let Some(tool) = Tool::ALL.into_iter().find(|tool| Action::of_tool(*tool) == action) {
            self.take_tool(tool);
            return;
        }
        let active = self.document.active;
        match action {
            Action::NewPicture => self.set_dialog(Some(Dialog::NewPicture), effects),
            Action::Open => self.ask_open(effects),
            Action::OpenAsLayer => effects.push(Effect::Ask(FileDialog::OpenAsLayer)),
            Action::Save => self.save(effects),
            Action::SaveAs => self.ask_save(effects),
            Action::SaveCopyInPictures => self.save_copy(effects),
            Action::RecoverWork => self.set_dialog(Some(Dialog::LeftWork), effects),
            Action::ReviewLibrary => self.review_library(effects),
            Action::Quit => self.close_requested(effects),

            Action::Undo => self.undo(effects),
            Action::Redo => self.redo(effects),
            Action::Copy => self.copy(CopySource::Layer, effects),
            Action::CopyMerged => self.copy(CopySource::AllLayers, effects),
            Action::Cut => {
                self.copy(CopySource::Layer, effects);
                self.edit(Edit::ClearSelected(active), effects);
            }
            Action::Paste => effects.push(Effect::PasteImage),
            Action::ClearSelected => self.edit(Edit::ClearSelected(active), effects),
            Action::FillSelected => {
                let color = self.tools.color;
                self.edit(Edit::Fill(Fill { layer: active, color, wand: None }), effects);
            }
            Action::CommandPalette => self.set_dialog(Some(Dialog::Palette), effects),
            Action::ShowSettings => self.set_dialog(Some(Dialog::Settings), effects),
            Action::ShowShortcuts => self.set_dialog(Some(Dialog::Shortcuts), effects),
            Action::ShowAbout => self.set_dialog(Some(Dialog::About), effects),
            Action::ShowWelcome => self.set_dialog(Some(Dialog::Welcome), effects),

            Action::CropToSelection => {
                if let Some(bounds) = self.document.selection.bounds(self.document.extent) {
                    self.edit(Edit::SetCanvas(PixelRect::from(bounds)), effects);
                }
            }
            Action::ResizeImage => self.set_dialog(Some(Dialog::ResizeImage), effects),
            Action::CanvasSize => self.set_dialog(Some(Dialog::CanvasSize), effects),
            Action::FlipHorizontal => self.edit(Edit::Flip(Axis::Horizontal), effects),
            Action::FlipVertical => self.edit(Edit::Flip(Axis::Vertical), effects),
            Action::RotateClockwise => self.edit(Edit::Rotate(QuarterTurns::One), effects),
            Action::RotateHalf => self.edit(Edit::Rotate(QuarterTurns::Two), effects),
            Action::RotateCounterclockwise => self.edit(Edit::Rotate(QuarterTurns::Three), effects),
            Action::Flatten => self.edit(Edit::Flatten, effects),

            Action::AddLayer => {
                let name = tr("Layer").to_owned();
                self.edit(Edit::AddLayer { name }, effects);
            }
            Action::DuplicateLayer => {
                let name = self.document.active_layer().map(|layer| layer.name.clone());
                let name = name.unwrap_or_default();
                self.edit(Edit::DuplicateLayer { layer: active, name }, effects);
            }
            Action::DeleteLayer => self.edit(Edit::DeleteLayer(active), effects),
            Action::RenameLayer => self.set_dialog(Some(Dialog::RenameLayer(active)), effects),
            Action::MergeDown => self.edit(Edit::MergeDown(active), effects),
            Action::LayerUp => self.shift_layer(1, effects),
            Action::LayerDown => self.shift_layer(-1, effects),
            Action::SelectLayerAbove => self.select_neighbor(1, effects),
            Action::SelectLayerBelow => self.select_neighbor(-1, effects),
            Action::ToggleLayerVisible => {
                if let Some(layer) = self.document.active_layer() {
                    let visible = !layer.visible;
                    self.edit(Edit::SetVisible { layer: active, visible }, effects);
                }
            }
            Action::ToggleLayerLocked => {
                if let Some(layer) = self.document.active_layer() {
                    let locked = !layer.locked;
                    self.edit(Edit::SetLocked { layer: active, locked }, effects);
                }
            }
            Action::MaskFromSelection => self.edit(Edit::MaskFromSelection(active), effects),
            Action::ApplyLayerMask => self.edit(Edit::ApplyLayerMask(active), effects),
            Action::DeleteLayerMask => self.edit(Edit::DeleteLayerMask(active), effects),

            Action::SelectAll => self.change_selection(SelectionStep::All, effects),
            Action::SelectNone => self.change_selection(SelectionStep::None, effects),
            Action::InvertSelection => self.change_selection(SelectionStep::Invert, effects),
            Action::GrowSelection => {
                self.change_selection(SelectionStep::Grow(self.tools.grow_px), effects);
            }
            Action::ShrinkSelection => {
                self.change_selection(SelectionStep::Shrink(self.tools.grow_px), effects);
            }
            Action::FeatherSelection => {
                self.change_selection(SelectionStep::Feather(self.tools.feather_px), effects);
            }
            Action::SelectLayerAlpha => {
                let shape = SelectionShape::LayerAlpha(active);
                self.edit(Edit::Select { shape, combine: Combine::Replace }, effects);
            }
            Action::SaveSelection => self.set_dialog(Some(Dialog::SaveSelection), effects),
            Action::ToggleQuickMask => self.tools.quick_mask = !self.tools.quick_mask,

            Action::ZoomIn => self.zoom_at(ZOOM_STEP, self.view.center()),
            Action::ZoomOut => self.zoom_at(1.0 / ZOOM_STEP, self.view.center()),
            Action::ZoomFit => self.zoom_to_fit(),
            Action::ZoomActual => {
                let factor = 1.0 / self.view.transform.zoom;
                self.zoom_at(factor, self.view.center());
            }
            Action::RotateViewLeft => self.rotate_view(-TURN_STEP),
            Action::RotateViewRight => self.rotate_view(TURN_STEP),
            Action::ResetView => {
                self.view.transform.rotation = 0.0;
                self.view.transform.mirrored = false;
            }
            Action::MirrorView => {
                self.view.transform.mirrored = !self.view.transform.mirrored;
            }
            Action::TogglePixelGrid => self.view.pixel_grid = !self.view.pixel_grid,
            Action::ToggleMaskOverlay => self.view.mask.overlay = !self.view.mask.overlay,
            Action::ToggleMarchingAnts => self.view.mask.ants = !self.view.mask.ants,
            Action::ToggleChange => self.chat.show_change = !self.chat.show_change,
            Action::ShowChat => self.show_chat(effects),
            Action::TogglePanels => self.view.panels_hidden = !self.view.panels_hidden,
            Action::ToggleTheme => self.toggle_theme(effects),

            Action::BrushSmaller => self.resize_brush(-1.0),
            Action::BrushLarger => self.resize_brush(1.0),
            Action::BrushSofter => self.harden_brush(-1.0),
            Action::BrushHarder => self.harden_brush(1.0),
            Action::SwapColors => {
                std::mem::swap(&mut self.tools.color, &mut self.tools.other_color);
            }
            Action::DefaultColors => {
                self.tools.color = [0, 0, 0, 255];
                self.tools.other_color = [255; 4];
            }

            Action::Generate => self.start_job(JobKind::Generate, None, effects),
            Action::FillMask => self.start_job(JobKind::Fill, None, effects),
            Action::ExtendCanvas => self.set_dialog(Some(Dialog::Extend), effects),
            Action::Vary => self.start_job(JobKind::Vary, None, effects),
            Action::Upscale => self.start_job(JobKind::Upscale, None, effects),
            Action::SendMessage => self.send_message(effects),
            Action::CancelJob => self.cancel_running(effects),
            Action::CancelAllJobs => self.cancel_all(effects),
            Action::RollSeed => self.roll_seed(),
            Action::ToggleSeedLock => {
                self.generation.seed_locked = !self.generation.seed_locked;
            }
            Action::FocusPrompt => effects.push(Effect::FocusPrompt),
            Action::PromptOlder => self.prompt_older(),
            Action::PromptNewer => self.prompt_newer(),

            Action::StagingPrevious => self.staging_step(-1),
            Action::StagingNext => self.staging_step(1),
            Action::StagingAccept if self.gesture.is_some() => self.finish_gesture(effects),
            Action::StagingAccept => self.staging_accept(effects),
            Action::StagingDiscard if self.gesture.is_some() => self.step_gesture_back(),
            Action::StagingDiscard => self.staging_discard(),
            Action::StagingKeepAll => self.staging_keep_all(effects),
            Action::StagingClose => self.staging = None,
            Action::Compare => self.toggle_compare(effects),
            Action::CompareMode => {
                if let Some(compare) = &mut self.compare {
                    compare.mode = match compare.mode {
                        CompareMode::Slider => CompareMode::SideBySide,
                        CompareMode::SideBySide => CompareMode::HeatMap,
                        CompareMode::HeatMap => CompareMode::Slider,
                    };
                }
            }
            Action::RestorePicture => self.restore_picture(effects),
            Action::ShowOriginal => {
                let root = CompareSide::Node(self.history.root());
                self.compare_sides(root, CompareSide::Canvas, effects);
            }
            // Tools were looked for first.
            Action::ToolMaskBrush
            | Action::ToolMaskEraser
            | Action::ToolBrush
            | Action::ToolEraser
            | Action::ToolFill
            | Action::ToolEyedropper
            | Action::ToolRectangle
            | Action::ToolEllipse
            | Action::ToolLasso
            | Action::ToolPolygon
            | Action::ToolWand
            | Action::ToolMove
            | Action::ToolCrop
            | Action::ToolHand
            | Action::ToolZoom => {}
        }
    }

    fn take_tool(&mut self, tool: Tool) {
        self.end_gesture();
        self.tool = tool;
    }

    fn change_selection(&mut self, step: SelectionStep, effects: &mut Vec<Effect>) {
        self.edit(Edit::ChangeSelection(step), effects);
    }

    fn shift_layer(&mut self, by: isize, effects: &mut Vec<Effect>) {
        let layer = self.document.active;
        let Some(position) = self.document.position(layer) else { return };
        if let Some(position) = position.checked_add_signed(by)
            && position < self.document.layers.len()
        {
            self.edit(Edit::ReorderLayer { layer, position }, effects);
        }
    }

    fn select_neighbor(&mut self, by: isize, effects: &mut Vec<Effect>) {
        let position = self.document.position(self.document.active);
        let neighbor = position
            .and_then(|position| position.checked_add_signed(by))
            .and_then(|position| self.document.layers.get(position));
        if let Some(id) = neighbor.map(|layer| layer.id) {
            self.edit(Edit::SetActive(id), effects);
        }
    }

    fn copy(&self, source: fn(Document) -> CopySource, effects: &mut Vec<Effect>) {
        effects.push(Effect::CopyImage(Box::new(source(self.document.clone()))));
    }
}
