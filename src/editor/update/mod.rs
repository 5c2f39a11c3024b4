//! What each command does.
//!
//! [`Editor::update`] is the only way to change an editor. It hands each command to one function;
//! those are grouped by what they are about: the canvas, the document, the models' work, results,
//! the window.

mod actions;
mod canvas;
mod chat;
mod documents;
mod enabled;
mod errors;
mod library;
mod results;
mod tree;
mod window;
mod work;

use std::sync::Arc;

use crate::document::{Document, DocumentError, Edit, History, Operation};
use crate::editor::update::errors::Told;
use crate::editor::{
    Action, Command, Computing, EditPlan, Editor, Effect, Gallery, GalleryId, Generation, JobList,
    Keep, Keymap, Notice, NoticeKind, PictureFile, PictureUse, ReadTo, View,
};
use crate::geom::Extent;
use crate::locale::tr;
use crate::preferences::Preferences;
use crate::tools::{Tool, ToolSettings};

/// Side of the empty canvas that the window opens with.
const FIRST_CANVAS_PX: u32 = 512;

impl Editor {
    /// An editor with an empty picture.
    ///
    /// `seed` is where the seeds of jobs start; the same seed gives the same seeds.
    #[must_use]
    pub fn new(preferences: Preferences, seed: u64) -> Self {
        let document = Document::new(Extent::new(FIRST_CANVAS_PX, FIRST_CANVAS_PX), tr("Layer 1"));
        let budget = usize::try_from(preferences.history_budget_bytes).unwrap_or(usize::MAX);
        let mut generation: Generation =
            serde_json::from_value(preferences.last_generation.clone()).unwrap_or_default();
        if !generation.seed_locked {
            generation.seed = seed;
        }
        let mut view = View::default();
        window::show_mask_as_preferred(&mut view, &preferences);
        Self {
            history: first_state(&document, tr("New picture").to_owned(), budget),
            document,
            gesture: None,
            pointer: None,
            tool: Tool::default(),
            tools: ToolSettings::default(),
            view,
            generation,
            catalog: None,
            jobs: JobList::default(),
            preview: None,
            staging: None,
            gallery: Gallery::default(),
            compare: None,
            notices: Vec::new(),
            dialog: preferences.show_first_run.then_some(crate::editor::Dialog::Welcome),
            file: PictureFile::default(),
            left_work: Vec::new(),
            fetching: None,
            opening: None,
            going_to: None,
            keeping_failed: None,
            keymap: Keymap::with_overrides(&preferences.keymap),
            computing: None,
            to_place: std::collections::VecDeque::new(),
            after_saving: None,
            last_point: None,
            prompt_at: None,
            prompt_draft: String::new(),
            prompt_remark: None,
            chat: chat::from_preferences(&preferences),
            preferences,
            last_number: 0,
        }
    }

    /// Does what a command asks; says what must happen outside.
    pub fn update(&mut self, command: Command) -> Vec<Effect> {
        let mut effects = Vec::new();
        match command {
            Command::Do(action) => self.act(action, &mut effects),

            Command::Pointer(event) => self.pointer_event(event, &mut effects),
            Command::Escape => self.escape(),
            Command::SetViewport { min, size } => self.set_viewport(min, size),
            Command::ZoomAt { factor, anchor } => self.zoom_at(factor, anchor),
            Command::SetZoom(zoom) => {
                let factor = zoom / self.view.transform.zoom;
                self.zoom_at(factor, self.view.center());
            }
            Command::Pan { dx, dy } => self.pan(dx, dy),
            Command::RotateView(radians) => self.rotate_view(radians),
            Command::SetMaskDisplay(display) => self.view.mask = display,
            Command::HoldOriginal(held) => self.view.show_original = held,

            Command::NewPicture { extent, color } => self.new_picture(extent, color, &mut effects),
            Command::Edit(edit) => self.edit(edit, &mut effects),
            Command::DragOpacity { layer, opacity, done } => {
                self.drag_opacity(layer, opacity, done, &mut effects);
            }
            Command::Flip(axis) => self.edit(Edit::Flip(axis), &mut effects),
            Command::GoTo(node) => self.go_to(node, &mut effects),
            Command::RenameState(node, label) => self.rename_state(node, &label, &mut effects),
            Command::PinState(node, pinned) => self.pin_state(node, pinned, &mut effects),
            Command::TakeRegion(node) => self.take_region(node, &mut effects),
            Command::TakeUp(folder) => self.take_up(folder, &mut effects),
            Command::ThrowAway(folder) => self.throw_away(folder, &mut effects),
            Command::SetHistoryBudget(bytes) => self.set_history_budget(bytes, &mut effects),
            Command::SetToolSettings(settings) => self.tools = *settings,

            Command::SetGeneration(generation) => self.set_generation(*generation),
            Command::Extend(by) => self.extend(by, &mut effects),
            Command::CancelJob(number) => self.cancel_job(number, &mut effects),
            Command::MoveJob(number, position) => self.move_job(number, position, &mut effects),
            Command::ClearFinishedJobs => self.jobs.jobs.retain(|job| !job.is_over()),
            Command::RetryJob(number) => self.retry_job(number, &mut effects),

            Command::SetChatDraft(text) => self.set_chat_draft(text),
            Command::SetChatOptions(options) => self.set_chat_options(*options, &mut effects),
            Command::EditMessage(node) => self.edit_message(node, &mut effects),
            Command::CancelEditMessage => self.cancel_edit_message(&mut effects),
            Command::RetryTurn(node) => self.retry_turn(node, &mut effects),
            Command::SwitchBranch(node, by) => self.switch_branch(node, by, &mut effects),
            Command::WidenChange(by_px) => self.widen_change(by_px, &mut effects),
            Command::AttachFromGallery(id) => {
                self.want_picture(id, PictureUse::Attach, &mut effects);
            }
            Command::AttachPaths(paths) => {
                let read = |path| Effect::Read { path, to: ReadTo::Attachment };
                effects.extend(paths.into_iter().map(read));
            }
            Command::AskAttachment => {
                effects.push(Effect::Ask(crate::editor::FileDialog::Attach));
            }
            Command::PasteAttachment => effects.push(Effect::PasteAttachment),
            Command::Attached { image, name } => self.attach(image, name),
            Command::Detach(index) => self.detach(index),

            Command::StagingShow(index) => self.staging_show(index),
            Command::UseSettings(id) => self.use_settings(id),
            Command::UseSeed(id) => self.use_seed(id),
            Command::PlaceFromGallery(id) => {
                self.want_picture(id, PictureUse::Place(None), &mut effects);
            }
            Command::DropFromGallery(id, at) => {
                self.want_picture(id, PictureUse::Place(Some(at)), &mut effects);
            }
            Command::DragOut(what) => self.drag_out(what, &mut effects),
            Command::OpenFromGallery(id) => self.open_from_gallery(id, &mut effects),
            Command::CopyFromGallery(id) => {
                self.want_picture(id, PictureUse::Copy, &mut effects);
            }
            Command::LookAtGallery(id) => self.want_picture(id, PictureUse::Look, &mut effects),
            Command::RemoveFromGallery(id) => self.remove_picture(id, &mut effects),
            Command::StarPicture(id, starred) => self.star_picture(id, starred, &mut effects),
            Command::TagPicture(id, tag) => self.tag_picture(id, &tag, &mut effects),
            Command::UntagPicture(id, tag) => self.untag_picture(id, &tag, &mut effects),
            Command::SearchGallery(filter) => self.search_gallery(filter, &mut effects),
            Command::MoreOfGallery => self.more_of_gallery(&mut effects),
            Command::OpenProjectOf(id) => self.open_project_of(id, &mut effects),
            Command::ShrinkLibrary => self.shrink_library(&mut effects),
            Command::CompareSides(a, b) => self.compare_sides(a, b, &mut effects),
            Command::SetCompareMode(mode) => {
                if let Some(compare) = &mut self.compare {
                    compare.mode = mode;
                }
            }
            Command::SetCompareSplit(split) => {
                if let Some(compare) = &mut self.compare {
                    compare.split = split.clamp(0.0, 1.0);
                }
            }
            Command::CloseCompare => self.compare = None,

            Command::SetDialog(dialog) => self.set_dialog(dialog, &mut effects),
            Command::ShowPanel(panel, visible) => self.show_panel(panel, visible, &mut effects),
            Command::SetPreferences(preferences) => {
                self.set_preferences(*preferences, &mut effects);
            }
            Command::DismissNotice(id) => self.notices.retain(|notice| notice.id != id),
            Command::CloseRequested => self.close_requested(&mut effects),
            Command::DiscardChanges(then) => self.go_on(then, &mut effects),
            Command::SaveFirst(then) => self.save_first(then, &mut effects),

            Command::OpenPath(path) => self.open_path(path, &mut effects),
            Command::PlacePaths { paths, at } => {
                let read = |path| Effect::Read { path, to: ReadTo::Layer(at) };
                effects.extend(paths.into_iter().map(read));
            }
            Command::SaveTo(path) => self.save_to(path, &mut effects),
            Command::AskFolder(setting) => {
                effects.push(Effect::Ask(crate::editor::FileDialog::Folder(setting)));
            }
            Command::SetFolder(setting, path) => self.set_folder(setting, path, &mut effects),
            Command::DialogCancelled => self.after_saving = None,
            Command::Opened { image, path, record, remarks } => {
                self.opened(&image, path, record, remarks, &mut effects);
            }
            Command::Placed { image, name, at } => {
                self.to_place.push_back((image, name, at));
                self.place_waiting(&mut effects);
            }
            Command::Staged { job, results } => self.staged(job, results, &mut effects),
            Command::Answered(answered) => self.answered(*answered),
            Command::PictureKept { id, result } => self.picture_kept(id, result, &mut effects),
            Command::PictureFetched { id, result } => {
                self.picture_fetched(id, result, &mut effects);
            }
            Command::LibraryFound { ticket, found } => {
                self.library_found(ticket, found.map(|found| *found));
            }
            Command::PicturesLinked(pictures, path) => self.pictures_linked(&pictures, &path),
            Command::LibraryMeasured(size) => self.library_measured(size),
            Command::ProjectPreview { path, image, extent } => {
                self.project_preview(path, image, extent);
            }
            Command::ProjectOpened(opened) => self.project_opened(*opened, &mut effects),
            Command::Fetched { node, result } => self.fetched(node, result, &mut effects),
            Command::WorkFound(work) => self.work_found(work),
            Command::KeepingFailed(why) => self.keeping_failed(why),
            Command::Saved { path, node } => self.saved(path, node, &mut effects),
            Command::EditDone { ticket, result } => self.edit_done(ticket, result, &mut effects),
            Command::Measured { ticket, difference } => self.measured(ticket, difference),
            Command::JobSubmitted { job, result } => {
                self.job_submitted(job, result, &mut effects);
            }
            Command::JobEvent(id, event) => self.job_event(id, event, &mut effects),
            Command::Preview(preview) => self.show_preview(preview),
            Command::Catalog(catalog) => {
                log::debug!("{} models are known", catalog.models.len());
                self.catalog = Some(catalog);
            }
            Command::Failed(text) => {
                self.after_saving = None;
                self.going_to = None;
                self.stop_opening();
                self.notify(NoticeKind::Error, text, None);
            }
            Command::Told(text) => self.notify(NoticeKind::Info, text, None),
            Command::Thumbnail(node, thumbnail) => {
                self.history.set_thumbnail(node, Arc::clone(&thumbnail));
                effects.push(Effect::Keep(Keep::Thumbnail(node, thumbnail)));
            }
        }
        self.settle_answers(&mut effects);
        self.measure_compare(&mut effects);
        effects
    }

    /// The number of the next ticket, notice or job.
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Tells the user something; the same text is not told twice at a time.
    fn notify(&mut self, kind: NoticeKind, text: String, offer: Option<Action>) {
        if self.notices.iter().any(|notice| notice.text == text) {
            return;
        }
        let id = self.next_number();
        self.notices.push(Notice { id, kind, text, offer });
    }

    /// Tells why an edit can't be done.
    fn refuse(&mut self, error: &DocumentError) {
        let Told { text, offer } = errors::of_document(error);
        // What switches the layer in hand helps only where that layer is in the way.
        let offer = offer.filter(|action| match action {
            Action::ToggleLayerLocked => {
                self.document.active_layer().is_some_and(|layer| layer.locked)
            }
            Action::ToggleLayerVisible => {
                self.document.active_layer().is_some_and(|layer| !layer.visible)
            }
            _ => true,
        });
        self.notify(NoticeKind::Error, text, offer);
    }

    /// Whether another change would get lost or in the way of one that is being computed.
    fn is_computing(&mut self) -> bool {
        let text = if self.computing.is_some() {
            tr("One moment: the last change is still being computed.")
        } else if self.opening.is_some() {
            tr("One moment: the project is still being opened.")
        } else {
            return false;
        };
        self.notify(NoticeKind::Info, text.to_owned(), None);
        true
    }

    /// Does an edit as one step of the history.
    fn edit(&mut self, edit: Edit, effects: &mut Vec<Effect>) {
        if let Edit::SetActive(_) = edit {
            // Which layer is in hand is no change of the picture.
            if let Err(error) = edit.apply(&mut self.document) {
                log::debug!("{error}");
            }
            return;
        }
        let label = tr(edit.label()).to_owned();
        self.edits(label, vec![edit], effects);
    }

    /// Does some edits as one step of the history: at once, or outside where they take long.
    fn edits(&mut self, label: String, edits: Vec<Edit>, effects: &mut Vec<Effect>) {
        self.edits_with(label, edits, Vec::new(), effects);
    }

    /// Does edits that make pictures of the gallery a part of the document.
    fn edits_with(
        &mut self,
        label: String,
        edits: Vec<Edit>,
        results: Vec<GalleryId>,
        effects: &mut Vec<Effect>,
    ) {
        if edits.is_empty() || self.is_computing() {
            return;
        }
        self.end_gesture();
        let edits = self.with_layer_in_hand(edits);
        if edits.iter().any(|edit| edit.is_heavy(&self.document)) {
            let ticket = self.next_number();
            self.computing = Some(Computing { ticket, label, edits: edits.clone(), results });
            effects.push(Effect::Compute(EditPlan {
                ticket,
                document: self.document.clone(),
                edits,
            }));
            return;
        }
        let mut document = self.document.clone();
        for edit in &edits {
            if let Err(error) = edit.apply(&mut document) {
                self.refuse(&error);
                return;
            }
        }
        self.commit(document, label, edits, effects);
        self.results_accepted(&results, effects);
    }

    /// Which layer is in hand is no step of its own, but what a step does can depend on it.
    fn with_layer_in_hand(&self, mut edits: Vec<Edit>) -> Vec<Edit> {
        let active = self.document.active;
        if self.history.document().is_some_and(|document| document.active != active) {
            edits.insert(0, Edit::SetActive(active));
        }
        edits
    }

    /// Makes a document the newest state of the history, unless nothing changed.
    fn commit(
        &mut self,
        document: Document,
        label: String,
        edits: Vec<Edit>,
        effects: &mut Vec<Effect>,
    ) {
        if self.history.document() == Some(&document) {
            self.document = document;
            return;
        }
        log::debug!("committed: {label}");
        let resized = self.document.extent != document.extent;
        self.document = document.clone();
        let (node, released) = self.history.commit(document.clone(), Operation { label, edits });
        if let Some(node) = self.history.node(node) {
            effects.push(Effect::Keep(Keep::Node(Box::new(node.clone()))));
        }
        effects.push(Effect::MakeThumbnail(node, Box::new(document)));
        self.tell_released(&released);
        if resized {
            self.zoom_to_fit();
        }
        self.refresh_staging();
        self.refresh_compare(effects);
    }

    fn tell_released(&mut self, released: &crate::document::Released) {
        // What the journal holds is fetched when it is asked for.
        if !released.nodes.is_empty() && self.keeping_failed.is_some() {
            let text = crate::locale::trf(
                "The history is full: {count} old states let go of their pixels. Raise its limit \
                 in the settings to keep more.",
                &[("count", &released.nodes.len())],
            );
            self.notify(NoticeKind::Info, text, Some(Action::ShowSettings));
        }
    }

    /// Takes back what the pointer has begun.
    fn end_gesture(&mut self) {
        if self.gesture.take().is_some() {
            self.restore();
        }
    }

    /// Shows the history's current state. The layer in hand stays the same as long as it is there.
    fn restore(&mut self) {
        let active = self.document.active;
        if let Some(document) = self.history.document() {
            self.document = document.clone();
        }
        if self.document.layer(active).is_some() {
            self.document.active = active;
        }
    }
}

/// Why an edit can't be done, in the user's language.
pub(super) fn document_error_text(error: &DocumentError) -> String {
    errors::of_document(error).text
}

/// A history that keeps its first state, so that the original can always be shown.
fn first_state(document: &Document, label: String, budget_bytes: usize) -> History {
    let mut history = History::new(document.clone(), label, budget_bytes);
    history.pin(history.root());
    history
}

/// A message as a sentence: first letter large, full stop at the end.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut result: String = match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    };
    if !result.ends_with(['.', '!', '?']) {
        result.push('.');
    }
    result
}
