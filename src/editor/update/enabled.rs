//! Which actions can be done now, and which are switched on.

use crate::editor::{Action, Editor, JobKind, last_change};
use crate::engine::family::Purpose;
use crate::locale::tr;
use crate::preferences::Theme;

impl Editor {
    /// Whether an action can be done now.
    #[must_use]
    pub fn is_enabled(&self, action: Action) -> bool {
        self.why_disabled(action).is_none()
    }

    /// Why an action can't be done now, for its tooltip; nothing where it can.
    #[must_use]
    pub fn why_disabled(&self, action: Action) -> Option<&'static str> {
        let needs = |met: bool, why: &'static str| (!met).then_some(why);
        let document = &self.document;
        let selected = !document.selection.is_empty();
        let layer = document.active_layer();
        match action {
            Action::Undo => needs(self.history.before().is_some(), tr("There is nothing to undo")),
            Action::Redo => needs(self.history.after().is_some(), tr("There is nothing to redo")),
            Action::RecoverWork => needs(!self.left_work.is_empty(), tr("No work was left behind")),
            Action::CropToSelection
            | Action::SelectNone
            | Action::GrowSelection
            | Action::ShrinkSelection
            | Action::FeatherSelection
            | Action::SaveSelection
            | Action::MaskFromSelection => needs(selected, tr("Nothing is selected")),
            Action::DeleteLayer => {
                needs(document.layers.len() > 1, tr("A picture keeps at least one layer"))
            }
            Action::MergeDown | Action::LayerDown | Action::SelectLayerBelow => needs(
                document.position(document.active).is_some_and(|position| position > 0),
                tr("This is the lowest layer"),
            ),
            Action::LayerUp | Action::SelectLayerAbove => needs(
                document.position(document.active).is_some_and(|p| p + 1 < document.layers.len()),
                tr("This is the topmost layer"),
            ),
            Action::ApplyLayerMask | Action::DeleteLayerMask => {
                needs(layer.is_some_and(|layer| layer.mask.is_some()), tr("The layer has no mask"))
            }
            Action::Generate => self.why_not(JobKind::Generate),
            Action::FillMask => self.why_not(JobKind::Fill),
            Action::ExtendCanvas => self.why_not(JobKind::Extend),
            Action::Vary => self.why_not(JobKind::Vary),
            Action::Upscale => self.why_not(JobKind::Upscale),
            Action::SendMessage => self.why_no_message(),
            Action::ToggleChange => needs(
                last_change(&self.history, document).is_some(),
                tr("No answer has changed a part of this picture"),
            ),
            Action::CancelJob | Action::CancelAllJobs => {
                needs(self.jobs.is_busy(), tr("No job runs"))
            }
            Action::PromptOlder => needs(
                !self.preferences.prompt_history.items().is_empty(),
                tr("There is no older prompt"),
            ),
            Action::PromptNewer => needs(self.prompt_at.is_some(), tr("There is no newer prompt")),
            // While corners are clicked, Enter and Backspace belong to the gesture.
            Action::StagingAccept | Action::StagingDiscard => needs(
                self.staging.is_some()
                    || self.gesture.as_ref().is_some_and(crate::tools::Gesture::takes_presses),
                tr("There are no results"),
            ),
            Action::StagingPrevious
            | Action::StagingNext
            | Action::StagingKeepAll
            | Action::StagingClose => needs(self.staging.is_some(), tr("There are no results")),
            Action::Compare => needs(
                self.compare.is_some() || self.staging.is_some() || self.history.before().is_some(),
                tr("There is no other state to compare with"),
            ),
            Action::RestorePicture => {
                needs(!self.gallery.removed.is_empty(), tr("No picture was removed"))
            }
            Action::CompareMode => needs(self.compare.is_some(), tr("Nothing is being compared")),
            Action::BrushSmaller
            | Action::BrushLarger
            | Action::BrushSofter
            | Action::BrushHarder => {
                needs(self.tool.has_brush(), tr("The tool in hand has no brush"))
            }
            _ => None,
        }
    }

    /// Why a kind of job can't be started now; nothing where it can.
    #[must_use]
    pub fn why_not(&self, kind: JobKind) -> Option<&'static str> {
        if self.catalog.is_none() {
            return Some(tr("The models are being looked for"));
        }
        if kind == JobKind::Chat {
            return self.why_no_chat();
        }
        let Some(model) = self.chosen_model() else {
            return Some(tr("There is no model; see the settings"));
        };
        let purpose = match kind {
            JobKind::Generate => Purpose::Generate,
            JobKind::Fill | JobKind::Extend | JobKind::Vary => Purpose::Inpaint,
            JobKind::Upscale => Purpose::Upscale,
            JobKind::Chat => Purpose::Chat,
        };
        if model.ability(purpose).is_none() {
            return Some(tr("The chosen model can't do this"));
        }
        if kind == JobKind::Fill && self.document.selection.is_empty() {
            return Some(tr("Paint over a part of the picture first"));
        }
        if matches!(kind, JobKind::Vary | JobKind::Upscale | JobKind::Extend) && self.is_untouched()
        {
            return Some(tr("The picture is empty"));
        }
        None
    }

    /// Whether an action is a switch, and whether it is on.
    #[must_use]
    pub fn is_checked(&self, action: Action) -> Option<bool> {
        let layer = self.document.active_layer();
        match action {
            Action::ToggleQuickMask => Some(self.tools.quick_mask),
            Action::TogglePixelGrid => Some(self.view.pixel_grid),
            Action::ToggleChange => Some(self.chat.show_change),
            Action::ToggleMaskOverlay => Some(self.view.mask.overlay),
            Action::ToggleMarchingAnts => Some(self.view.mask.ants),
            Action::TogglePanels => Some(!self.view.panels_hidden),
            Action::MirrorView => Some(self.view.transform.mirrored),
            Action::ToggleLayerVisible => layer.map(|layer| layer.visible),
            Action::ToggleLayerLocked => layer.map(|layer| layer.locked),
            Action::ToggleSeedLock => Some(self.generation.seed_locked),
            Action::Compare => Some(self.compare.is_some()),
            Action::ToggleTheme => Some(self.preferences.theme == Theme::Light),
            action => crate::tools::Tool::ALL
                .into_iter()
                .find(|tool| Action::of_tool(*tool) == action)
                .map(|tool| tool == self.tool),
        }
    }

    /// Whether nothing was ever done to the empty first picture.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.file.path.is_none()
            && self.document.layers.len() == 1
            && self.document.layers.iter().all(|layer| layer.pixels.has_no_tiles())
    }

    /// Whether there are changes that no file holds.
    #[must_use]
    pub fn has_unsaved_changes(&self) -> bool {
        let here = self.history.current();
        match self.file.saved {
            Some(saved) => saved != here,
            None => here != self.history.root() && !self.is_untouched(),
        }
    }
}
