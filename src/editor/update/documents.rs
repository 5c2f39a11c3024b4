//! Opening, saving, and going about in the history.

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{Document, DocumentError, Edit, NodeId, Place};
use crate::editor::{
    Action, AfterSaving, Dialog, Editor, Effect, FileDialog, Keep, NoticeKind, PROJECT_ENDING,
    PictureFile, PictureUse, ReadTo, is_project,
};
use crate::geom::{CanvasPoint, Extent, PixelRect};
use crate::locale::{tr, trf};
use crate::raster::RgbaImage;

use super::{first_state, sentence};

impl Editor {
    pub(super) fn new_picture(
        &mut self,
        extent: Extent,
        color: [u8; 4],
        effects: &mut Vec<Effect>,
    ) {
        self.dialog = None;
        if self.has_unsaved_changes() {
            let then = AfterSaving::New { extent, color };
            self.dialog = Some(Dialog::UnsavedChanges(then));
            return;
        }
        self.go_on(AfterSaving::New { extent, color }, effects);
    }

    fn start_picture(&mut self, extent: Extent, color: [u8; 4], effects: &mut Vec<Effect>) {
        let mut document = Document::new(extent, tr("Layer 1"));
        if color[3] > 0
            && let Some(layer) = document.layers.first_mut()
        {
            layer.pixels.fill(document.extent.rect().into(), color);
        }
        self.start(document, tr("New picture").to_owned(), PictureFile::default(), effects);
    }

    /// Starts a history with a document.
    fn start(
        &mut self,
        document: Document,
        label: String,
        file: PictureFile,
        effects: &mut Vec<Effect>,
    ) {
        self.end_gesture();
        let budget = self.history.budget_bytes();
        self.history = first_state(&document, label, budget);
        self.file = file;
        if self.file.path.is_some() {
            self.file.saved = Some(self.history.root());
        }
        self.show_new(document);
        if let Some(root) = self.history.node(self.history.root()) {
            effects.push(Effect::Keep(Keep::Start(Box::new(root.clone()))));
        }
    }

    /// Shows another picture's document and ends what belonged to the one before.
    pub(super) fn show_new(&mut self, document: Document) {
        self.document = document;
        self.staging = None;
        self.compare = None;
        self.computing = None;
        self.fetching = None;
        self.to_place.clear();
        self.forget_conversation();
        self.last_point = None;
        // Who has looked around in the preview of a project stays where he is.
        let opening = self.opening.take();
        let moved = !self.view.fit_pending;
        if !moved || opening.is_none_or(|opening| opening.extent != self.document.extent) {
            self.zoom_to_fit();
        }
    }

    pub(super) fn ask_open(&mut self, effects: &mut Vec<Effect>) {
        if self.has_unsaved_changes() {
            self.dialog = Some(Dialog::UnsavedChanges(AfterSaving::AskOpen));
        } else {
            effects.push(Effect::Ask(FileDialog::Open));
        }
    }

    pub(super) fn open_path(&mut self, path: PathBuf, effects: &mut Vec<Effect>) {
        if self.has_unsaved_changes() {
            self.dialog = Some(Dialog::UnsavedChanges(AfterSaving::Open(path)));
        } else {
            self.dialog = None;
            self.going_to = None;
            effects.push(Effect::Read { path, to: ReadTo::Picture });
        }
    }

    pub(super) fn opened(
        &mut self,
        image: &RgbaImage,
        path: Option<PathBuf>,
        record: Option<String>,
        remarks: Vec<String>,
        effects: &mut Vec<Effect>,
    ) {
        let name = path
            .as_ref()
            .and_then(|path| path.file_stem())
            .map_or_else(|| tr("Picture").to_owned(), |name| name.to_string_lossy().into_owned());
        let mut document = Document::new(image.extent(), &name);
        if let Some(layer) = document.layers.first_mut() {
            layer.pixels = crate::raster::grid_from_image(image);
            layer.record = record.map(Arc::from);
        }
        let label = trf("Open {name}", &[("name", &name)]);
        if let Some(path) = &path {
            self.remember_file(path.clone(), effects);
        }
        self.dialog = None;
        self.start(document, label, PictureFile { path, saved: None }, effects);
        let root = self.history.root();
        effects.push(Effect::MakeThumbnail(root, Box::new(self.document.clone())));
        for remark in remarks {
            self.notify(NoticeKind::Info, sentence(&remark), None);
        }
    }

    /// Places pictures that came: all of several files, also where placing one takes a while.
    pub(super) fn place_waiting(&mut self, effects: &mut Vec<Effect>) {
        while self.computing.is_none()
            && let Some((image, name, at)) = self.to_place.pop_front()
        {
            self.placed(image, name, at, effects);
        }
    }

    pub(super) fn placed(
        &mut self,
        image: Arc<RgbaImage>,
        name: String,
        at: Option<CanvasPoint>,
        effects: &mut Vec<Effect>,
    ) {
        let Extent { width, height } = image.extent();
        let untouched = self.is_untouched();
        let mut edits = Vec::new();
        let corner = if untouched {
            edits.push(Edit::SetCanvas(PixelRect::new(0, 0, width, height)));
            (0, 0)
        } else {
            let middle = at.unwrap_or_else(|| self.middle());
            let (x, y) = middle.pixel();
            (x - (width / 2) as i32, y - (height / 2) as i32)
        };
        let label = trf("Place {name}", &[("name", &name)]);
        edits.push(Edit::Place(Place {
            image,
            at: corner,
            name,
            mask: None,
            record: None,
            shown: None,
        }));
        self.edits(label, edits, effects);
    }

    pub(super) fn save(&mut self, effects: &mut Vec<Effect>) {
        match self.file.path.clone() {
            Some(path) => self.write(path, effects),
            None => self.ask_save(effects),
        }
    }

    pub(super) fn ask_save(&mut self, effects: &mut Vec<Effect>) {
        let path = self.file.path.as_ref();
        let name = path
            .and_then(|path| path.file_stem())
            .map_or_else(|| tr("picture").to_owned(), |name| name.to_string_lossy().into_owned());
        // Where one goes on in the format that the file has, one saves in it too.
        let ending = path.and_then(|path| path.extension());
        let ending = ending.map_or(PROJECT_ENDING.into(), |ending| ending.to_string_lossy());
        let folder = path.and_then(|path| path.parent()).map(PathBuf::from);
        let folder = folder.or_else(|| self.preferences.pictures_folder.clone());
        effects.push(Effect::Ask(FileDialog::Save { name: format!("{name}.{ending}"), folder }));
    }

    pub(super) fn save_to(&mut self, mut path: PathBuf, effects: &mut Vec<Effect>) {
        if path.extension().is_none() {
            path.set_extension(PROJECT_ENDING);
        }
        self.write(path, effects);
    }

    fn write(&mut self, path: PathBuf, effects: &mut Vec<Effect>) {
        if is_project(&path) {
            let document = Box::new(self.settled_document());
            let node = self.history.current();
            effects.push(Effect::WriteProject { path, document, node });
            return;
        }
        effects.push(Effect::Write {
            path,
            document: Box::new(self.settled_document()),
            node: self.history.current(),
            record: self.record_of_picture(),
        });
    }

    pub(super) fn save_copy(&mut self, effects: &mut Vec<Effect>) {
        let document = Box::new(self.settled_document());
        let folder = self.preferences.pictures_folder.clone();
        effects.push(Effect::WriteCopy { folder, document, record: self.record_of_picture() });
    }

    /// The document without what a gesture is changing.
    pub(super) fn settled_document(&self) -> Document {
        self.history.document().unwrap_or(&self.document).clone()
    }

    /// The request that made the whole picture, where it is a generated picture and nothing else.
    pub(super) fn record_of_picture(&self) -> Option<Arc<str>> {
        let mut shown = self
            .document
            .layers
            .iter()
            .filter(|layer| layer.visible && !layer.pixels.has_no_tiles());
        match (shown.next(), shown.next()) {
            (Some(layer), None) if layer.mask.is_none() => layer.record.clone(),
            _ => None,
        }
    }

    pub(super) fn saved(&mut self, path: PathBuf, node: NodeId, effects: &mut Vec<Effect>) {
        log::debug!("saved {path:?}");
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let text = trf("Saved {name}", &[("name", &name.unwrap_or_default())]);
        self.notify(NoticeKind::Info, text, None);
        if !is_project(&path) && self.document.layers.len() > 1 {
            let text = tr(
                "A picture file has no layers and no history. Save as a project (.ora) to keep them.",
            );
            self.notify(NoticeKind::Info, text.to_owned(), Some(Action::SaveAs));
        }
        self.remember_file(path.clone(), effects);
        effects.push(Effect::Keep(Keep::Saved(node, path.clone())));
        self.file = PictureFile { path: Some(path), saved: Some(node) };
        if let Some(then) = self.after_saving.take()
            && !self.has_unsaved_changes()
        {
            self.go_on(then, effects);
        }
    }

    pub(super) fn remember_file(&mut self, path: PathBuf, effects: &mut Vec<Effect>) {
        self.preferences.recent_files.remember(path);
        self.keep_preferences(effects);
    }

    pub(super) fn save_first(&mut self, then: AfterSaving, effects: &mut Vec<Effect>) {
        self.dialog = None;
        self.after_saving = Some(then);
        self.save(effects);
    }

    /// Does what unsaved changes were in the way of.
    pub(super) fn go_on(&mut self, then: AfterSaving, effects: &mut Vec<Effect>) {
        self.dialog = None;
        match then {
            AfterSaving::Close => effects.push(Effect::Close),
            AfterSaving::Open(path) => effects.push(Effect::Read { path, to: ReadTo::Picture }),
            AfterSaving::AskOpen => effects.push(Effect::Ask(FileDialog::Open)),
            AfterSaving::New { extent, color } => self.start_picture(extent, color, effects),
            AfterSaving::OpenGallery(id) => self.want_picture(id, PictureUse::Open, effects),
            AfterSaving::OpenAt(path, node) => self.open_at(path, node, effects),
            AfterSaving::TakeUp(folder) => effects.push(Effect::TakeUp(folder)),
        }
    }

    pub(super) fn close_requested(&mut self, effects: &mut Vec<Effect>) {
        if self.has_unsaved_changes() {
            self.dialog = Some(Dialog::UnsavedChanges(AfterSaving::Close));
        } else {
            effects.push(Effect::Close);
        }
    }

    pub(super) fn open_from_gallery(
        &mut self,
        id: crate::editor::GalleryId,
        effects: &mut Vec<Effect>,
    ) {
        if self.has_unsaved_changes() {
            self.dialog = Some(Dialog::UnsavedChanges(AfterSaving::OpenGallery(id)));
        } else {
            self.want_picture(id, PictureUse::Open, effects);
        }
    }

    pub(super) fn open_picture(
        &mut self,
        id: crate::editor::GalleryId,
        image: &RgbaImage,
        effects: &mut Vec<Effect>,
    ) {
        let Some(item) = self.gallery.item(id) else { return };
        let record = &item.record;
        let name: String = record.common().prompt.chars().take(40).collect();
        let mut document = Document::new(image.extent(), &name);
        if let Some(layer) = document.layers.first_mut() {
            layer.pixels = crate::raster::grid_from_image(image);
            layer.record = serde_json::to_string(record).ok().map(Arc::from);
        }
        let label = trf("Open {name}", &[("name", &name)]);
        self.start(document, label, PictureFile::default(), effects);
    }

    pub(super) fn edit_done(
        &mut self,
        ticket: u64,
        result: Result<Box<Document>, DocumentError>,
        effects: &mut Vec<Effect>,
    ) {
        // Another picture was opened meanwhile.
        let Some(computing) = self.computing.take_if(|computing| computing.ticket == ticket) else {
            log::debug!("edit {ticket} came too late");
            return;
        };
        match result {
            Ok(document) => {
                self.commit(*document, computing.label, computing.edits, effects);
                self.results_accepted(&computing.results, effects);
            }
            Err(error) => self.refuse(&error),
        }
        self.place_waiting(effects);
    }

    pub(super) fn set_history_budget(&mut self, bytes: usize, effects: &mut Vec<Effect>) {
        let released = self.history.set_budget(bytes);
        self.tell_released(&released);
        self.preferences.history_budget_bytes = bytes as u64;
        self.keep_preferences(effects);
    }
}
