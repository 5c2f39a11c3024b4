//! The gallery and the library behind it: what is kept, asked for, found, deleted and brought back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::document::NodeId;
use crate::editor::{
    Action, AfterSaving, CopySource, Dialog, DragPixels, DragSource, Editor, Effect, FoundPictures,
    GalleryFilter, GalleryId, GalleryItem, GalleryPixels, KeptId, LibrarySize, LibraryTask,
    NoticeKind, PictureName, PictureOrigin, PictureUse, is_project,
};
use crate::geom::CanvasPoint;
use crate::locale::{tr, trf};
use crate::raster::RgbaImage;

use super::sentence;

/// Pictures whose pixels stay here once the library has them.
const MOST_HERE: usize = 64;
/// Pictures of the library that stay in the gallery when something else is looked for.
const MOST_FROM_LIBRARY: usize = 1000;
/// Removed pictures that can be brought back.
const MOST_REMOVED: usize = 100;

impl Editor {
    /// Takes a new picture into the gallery and has it kept.
    pub(super) fn gain(&mut self, mut item: GalleryItem, effects: &mut Vec<Effect>) -> GalleryId {
        self.gallery.last += 1;
        let id = GalleryId(self.gallery.last);
        item.id = id;
        effects.push(Effect::Library(LibraryTask::Keep(Box::new(item.clone()))));
        self.gallery.items.push(item);
        self.used(id);
        id
    }

    pub(super) fn picture_kept(
        &mut self,
        id: GalleryId,
        result: Result<(KeptId, u64), String>,
        effects: &mut Vec<Effect>,
    ) {
        match result {
            Ok((kept, bytes)) => {
                let removed = self.gallery.removed.iter_mut().find(|item| item.id == id);
                let item = self.gallery.items.iter_mut().find(|item| item.id == id).or(removed);
                if let Some(item) = item {
                    item.kept = Some(kept);
                }
                if self.gallery.failed.take().is_some() {
                    let text = tr("The library takes pictures again; those that waited are kept.");
                    self.notify(NoticeKind::Info, text.to_owned(), None);
                    for item in &self.gallery.items {
                        if item.kept.is_none() && item.id < id {
                            let item = Box::new(item.clone());
                            effects.push(Effect::Library(LibraryTask::Keep(item)));
                        }
                    }
                }
                self.let_go();
                self.check_size(bytes);
            }
            Err(why) => self.library_failed(why),
        }
    }

    fn library_failed(&mut self, why: String) {
        if self.gallery.failed.is_none() {
            let text = trf(
                "New pictures can't be kept in the library now, only until you quit: {reason}",
                &[("reason", &why)],
            );
            self.notify(NoticeKind::Error, sentence(&text), None);
        }
        self.gallery.failed = Some(why);
    }

    /// Tells once that the library is larger than the user wants it.
    fn check_size(&mut self, bytes: u64) {
        let limit = self.preferences.library_limit_bytes;
        if bytes <= limit || std::mem::replace(&mut self.gallery.told_size, true) {
            return;
        }
        let text = trf(
            "The picture library takes {size}, more than its limit of {limit}. Nothing was deleted.",
            &[("size", &gigabytes(bytes)), ("limit", &gigabytes(limit))],
        );
        self.notify(NoticeKind::Info, text, Some(Action::ReviewLibrary));
    }

    /// Looks for pictures; what is here is shown at once, and the library is asked.
    pub(super) fn search_gallery(&mut self, filter: GalleryFilter, effects: &mut Vec<Effect>) {
        let ticket = self.next_number();
        let gallery = &mut self.gallery;
        gallery.filter = filter.clone();
        gallery.asked = Some(ticket);
        gallery.oldest = None;
        gallery.has_more = false;
        // They come again when they are asked for.
        let mut over = gallery.items.len().saturating_sub(MOST_FROM_LIBRARY);
        gallery.items.retain(|item| {
            let goes = over > 0 && item.pixels == GalleryPixels::Kept;
            over -= usize::from(goes);
            !goes
        });
        let task = LibraryTask::Search { ticket, filter, before: None };
        effects.push(Effect::Library(task));
    }

    /// Asks for older pictures.
    pub(super) fn more_of_gallery(&mut self, effects: &mut Vec<Effect>) {
        if self.gallery.asked.is_some() || !self.gallery.has_more {
            return;
        }
        let ticket = self.next_number();
        self.gallery.asked = Some(ticket);
        let (filter, before) = (self.gallery.filter.clone(), self.gallery.oldest);
        effects.push(Effect::Library(LibraryTask::Search { ticket, filter, before }));
    }

    pub(super) fn library_found(&mut self, ticket: u64, found: Result<FoundPictures, String>) {
        if self.gallery.asked.take_if(|asked| *asked == ticket).is_none() {
            // Something else is looked for by now.
            return;
        }
        let found = match found {
            Ok(found) => found,
            Err(why) => {
                let text = trf("The library can't be searched: {reason}", &[("reason", &why)]);
                self.notify(NoticeKind::Error, sentence(&text), None);
                return;
            }
        };
        let FoundPictures { items, has_more, bytes } = found;
        let gallery = &mut self.gallery;
        gallery.has_more = has_more;
        gallery.oldest = items.last().and_then(|item| item.kept).or(gallery.oldest);
        // From the oldest to the newest, as they are numbered.
        for mut item in items.into_iter().rev() {
            let is_here = |known: &GalleryItem| known.kept == item.kept;
            if gallery.items.iter().chain(&gallery.removed).any(is_here) {
                continue;
            }
            gallery.last += 1;
            item.id = GalleryId(gallery.last);
            gallery.items.push(item);
        }
        gallery.items.sort_by_key(|item| (item.time, item.id));
        self.check_size(bytes);
    }

    /// Uses a picture, once its pixels are here.
    pub(super) fn want_picture(
        &mut self,
        id: GalleryId,
        wanted: PictureUse,
        effects: &mut Vec<Effect>,
    ) {
        let Some(item) = self.gallery.item_mut(id) else { return };
        match &item.pixels {
            GalleryPixels::Here(image) => {
                let image = Arc::clone(image);
                self.used(id);
                self.use_picture(id, &image, wanted, effects);
            }
            GalleryPixels::Kept => {
                item.pixels = GalleryPixels::Coming;
                let name = item.name();
                self.gallery.wanted.push((id, wanted));
                effects.push(Effect::Library(LibraryTask::Fetch(name)));
            }
            GalleryPixels::Coming => self.gallery.wanted.push((id, wanted)),
            GalleryPixels::Lost => {
                if wanted != PictureUse::Look {
                    let text = tr("This picture's file is gone from the library.");
                    self.notify(NoticeKind::Error, text.to_owned(), None);
                }
            }
        }
    }

    pub(super) fn picture_fetched(
        &mut self,
        id: GalleryId,
        result: Result<Arc<RgbaImage>, String>,
        effects: &mut Vec<Effect>,
    ) {
        let is_of = |(wanted, _): &mut (GalleryId, PictureUse)| *wanted == id;
        let wanted: Vec<PictureUse> =
            self.gallery.wanted.extract_if(.., is_of).map(|(_, wanted)| wanted).collect();
        let Some(item) = self.gallery.item_mut(id) else { return };
        match result {
            Ok(image) => {
                item.pixels = GalleryPixels::Here(Arc::clone(&image));
                self.used(id);
                for wanted in wanted {
                    self.use_picture(id, &image, wanted, effects);
                }
            }
            Err(why) => {
                item.pixels = GalleryPixels::Lost;
                let text = trf("The picture can't be read: {reason}", &[("reason", &why)]);
                self.notify(NoticeKind::Error, sentence(&text), None);
            }
        }
    }

    fn use_picture(
        &mut self,
        id: GalleryId,
        image: &Arc<RgbaImage>,
        wanted: PictureUse,
        effects: &mut Vec<Effect>,
    ) {
        match wanted {
            PictureUse::Look => {}
            PictureUse::Place(at) => self.place_picture(id, image, at, effects),
            PictureUse::Attach => {
                let Some(item) = self.gallery.item(id) else { return };
                let name = item.record.common().prompt.chars().take(40).collect();
                self.attach(Arc::clone(image), name);
            }
            PictureUse::Open => self.open_picture(id, image, effects),
            PictureUse::Copy => {
                let source = CopySource::Picture(Arc::clone(image));
                effects.push(Effect::CopyImage(Box::new(source)));
            }
            PictureUse::DragOut => {
                let Some(item) = self.gallery.item(id) else { return };
                let common = item.record.common();
                let prompt: String = common.prompt.chars().take(40).collect();
                let source = DragSource {
                    name: format!("{} {}", prompt.trim(), common.seed),
                    pixels: DragPixels::Image(Arc::clone(image)),
                    record: serde_json::to_string(&item.record).ok().map(Arc::from),
                };
                effects.push(Effect::DragOut(Box::new(source)));
            }
        }
    }

    fn place_picture(
        &mut self,
        id: GalleryId,
        image: &Arc<RgbaImage>,
        at: Option<CanvasPoint>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(item) = self.gallery.item(id) else { return };
        let name: String = item.record.common().prompt.chars().take(40).collect();
        self.placed(Arc::clone(image), name, at, effects);
    }

    /// Notes that a picture's pixels are here and in use.
    fn used(&mut self, id: GalleryId) {
        self.gallery.here.retain(|here| *here != id);
        self.gallery.here.push_back(id);
        self.let_go();
    }

    /// Lets go of pixels that were not used for long and that the library has.
    fn let_go(&mut self) {
        let gallery = &mut self.gallery;
        let Some(over) = gallery.here.len().checked_sub(MOST_HERE).filter(|over| *over > 0) else {
            return;
        };
        let kept: Vec<GalleryId> = gallery
            .here
            .iter()
            .copied()
            .filter(|id| gallery.item(*id).is_none_or(|item| item.kept.is_some()))
            .take(over)
            .collect();
        gallery.here.retain(|id| !kept.contains(id));
        for id in kept {
            if let Some(item) = gallery.item_mut(id) {
                item.pixels = GalleryPixels::Kept;
            }
        }
    }

    pub(super) fn star_picture(&mut self, id: GalleryId, starred: bool, effects: &mut Vec<Effect>) {
        let Some(item) = self.gallery.item_mut(id) else { return };
        item.starred = starred;
        effects.push(Effect::Library(LibraryTask::SetStar(item.name(), starred)));
    }

    pub(super) fn tag_picture(&mut self, id: GalleryId, tag: &str, effects: &mut Vec<Effect>) {
        let words: Vec<&str> = tag.split_whitespace().collect();
        let tag = words.join(" ").to_lowercase();
        let Some(item) = self.gallery.item_mut(id) else { return };
        if tag.is_empty() || item.tags.contains(&tag) {
            return;
        }
        item.tags.push(tag.clone());
        item.tags.sort();
        effects.push(Effect::Library(LibraryTask::AddTag(item.name(), tag)));
    }

    pub(super) fn untag_picture(&mut self, id: GalleryId, tag: &str, effects: &mut Vec<Effect>) {
        let Some(item) = self.gallery.item_mut(id) else { return };
        item.tags.retain(|own| own != tag);
        effects.push(Effect::Library(LibraryTask::RemoveTag(item.name(), tag.to_owned())));
    }

    pub(super) fn remove_picture(&mut self, id: GalleryId, effects: &mut Vec<Effect>) {
        let gallery = &mut self.gallery;
        let Some(at) = gallery.items.iter().position(|item| item.id == id) else { return };
        let item = gallery.items.remove(at);
        effects.push(Effect::Library(LibraryTask::Delete(item.name())));
        gallery.here.retain(|here| *here != id);
        gallery.removed.push(item);
        if gallery.removed.len() > MOST_REMOVED {
            gallery.removed.remove(0);
        }
        let text = tr("The picture is out of the gallery. It stays in the trash for 30 days.");
        self.notify(NoticeKind::Info, text.to_owned(), Some(Action::RestorePicture));
    }

    pub(super) fn restore_picture(&mut self, effects: &mut Vec<Effect>) {
        let Some(item) = self.gallery.removed.pop() else { return };
        effects.push(Effect::Library(LibraryTask::Undelete(item.name())));
        let (id, is_here) = (item.id, item.image().is_some());
        self.gallery.items.push(item);
        self.gallery.items.sort_by_key(|item| (item.time, item.id));
        if is_here {
            self.used(id);
        }
    }

    /// Notes at which state results became a part of the document.
    pub(super) fn results_accepted(&mut self, results: &[GalleryId], effects: &mut Vec<Effect>) {
        let node = self.history.current();
        self.results_accepted_at(node, results, effects);
    }

    /// Notes at which state results became a part of the document.
    pub(super) fn results_accepted_at(
        &mut self,
        node: NodeId,
        results: &[GalleryId],
        effects: &mut Vec<Effect>,
    ) {
        let path = self.file.path.clone().filter(|path| is_project(path));
        let mut pictures: Vec<PictureName> = Vec::new();
        for id in results {
            if let Some(item) = self.gallery.item_mut(*id) {
                item.origin = Some(PictureOrigin { path: path.clone(), node });
                pictures.push(item.name());
            }
        }
        if !pictures.is_empty() {
            effects.push(Effect::Library(LibraryTask::Accepted { pictures, path, node }));
        }
    }

    /// Notes where the project of some pictures is now.
    pub(super) fn pictures_linked(&mut self, pictures: &[KeptId], path: &Path) {
        for item in &mut self.gallery.items {
            if let Some(origin) = &mut item.origin
                && item.kept.is_some_and(|kept| pictures.contains(&kept))
            {
                origin.path = Some(path.to_owned());
            }
        }
    }

    /// Opens the project that a picture became a part of, at the state where it did.
    pub(super) fn open_project_of(&mut self, id: GalleryId, effects: &mut Vec<Effect>) {
        let origin = self.gallery.item(id).and_then(|item| item.origin.clone());
        let Some(PictureOrigin { path: Some(path), node }) = origin else { return };
        if self.file.path.as_ref() == Some(&path) && self.history.node(node).is_some() {
            self.go_to(node, effects);
        } else if self.has_unsaved_changes() {
            self.dialog = Some(Dialog::UnsavedChanges(AfterSaving::OpenAt(path, node)));
        } else {
            self.open_at(path, node, effects);
        }
    }

    pub(super) fn open_at(&mut self, path: PathBuf, node: NodeId, effects: &mut Vec<Effect>) {
        self.dialog = None;
        self.going_to = Some((path.clone(), node));
        effects.push(Effect::Read { path, to: crate::editor::ReadTo::Picture });
    }

    /// Goes to the state that a project was opened for.
    pub(super) fn go_to_wanted(&mut self, effects: &mut Vec<Effect>) {
        let Some((path, node)) = self.going_to.take() else { return };
        if self.file.path.as_ref() != Some(&path) {
            return;
        }
        if self.history.node(node).is_some() {
            self.go_to(node, effects);
        } else {
            let text = tr("The project does not have that state any more.");
            self.notify(NoticeKind::Info, text.to_owned(), None);
        }
    }

    /// Has the library measured, to show what could go.
    pub(super) fn review_library(&self, effects: &mut Vec<Effect>) {
        let limit_bytes = self.preferences.library_limit_bytes;
        effects.push(Effect::Library(LibraryTask::Measure { limit_bytes }));
    }

    pub(super) fn library_measured(&mut self, size: Result<LibrarySize, String>) {
        match size {
            Ok(size) => {
                self.gallery.size = Some(size);
                self.dialog = Some(Dialog::Library);
            }
            Err(why) => {
                let text = trf("The library can't be looked at: {reason}", &[("reason", &why)]);
                self.notify(NoticeKind::Error, sentence(&text), None);
            }
        }
    }

    /// Deletes for good what the user was shown: the trash and the oldest pictures.
    pub(super) fn shrink_library(&mut self, effects: &mut Vec<Effect>) {
        let Some(size) = self.gallery.size.take() else { return };
        self.dialog = None;
        let gallery = &mut self.gallery;
        gallery.removed.clear();
        gallery.told_size = false;
        // A star that was given since then keeps its picture.
        let goes = |item: &GalleryItem| {
            !item.starred && item.kept.is_some_and(|kept| size.oldest.contains(&kept))
        };
        let starred: Vec<KeptId> =
            gallery.items.iter().filter(|item| item.starred).filter_map(|item| item.kept).collect();
        let pictures: Vec<KeptId> =
            size.oldest.iter().copied().filter(|kept| !starred.contains(kept)).collect();
        gallery.items.retain(|item| !goes(item));
        effects.push(Effect::Library(LibraryTask::Purge { pictures }));
    }
}

/// Bytes as people read them where there are many.
fn gigabytes(bytes: u64) -> String {
    const MB: u64 = 1 << 20;
    if bytes < 1000 * MB {
        return format!("{} MB", bytes.div_ceil(MB));
    }
    format!("{:.1} GB", bytes as f64 / (1_u64 << 30) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Edit;
    use crate::editor::{Command, Staged, Staging};
    use crate::ui::sample;

    /// An editor with a new item of this session for each number.
    fn with_items(count: u64) -> Editor {
        let mut editor = sample::editor();
        for item in pictures(count) {
            editor.gain(item, &mut Vec::new());
        }
        editor
    }

    fn pictures(count: u64) -> Vec<GalleryItem> {
        let mut editor = sample::editor();
        sample::add_pictures(&mut editor, count);
        editor.gallery.items
    }

    /// Pictures as the library gives them, the newest first.
    fn from_library(count: u64) -> Vec<GalleryItem> {
        let mut items = pictures(count);
        for item in &mut items {
            item.kept = Some(KeptId(item.id.0 as i64));
            item.pixels = GalleryPixels::Kept;
        }
        items.reverse();
        items
    }

    /// The tasks for the library that a command leads to.
    fn tasks(editor: &mut Editor, command: Command) -> Vec<LibraryTask> {
        let task = |effect| match effect {
            Effect::Library(task) => Some(task),
            _ => None,
        };
        editor.update(command).into_iter().filter_map(task).collect()
    }

    fn found(editor: &mut Editor, items: Vec<GalleryItem>, has_more: bool) {
        let ticket = editor.gallery.asked.unwrap();
        let found = Ok(Box::new(FoundPictures { items, has_more, bytes: 0 }));
        editor.update(Command::LibraryFound { ticket, found });
    }

    fn shown(editor: &Editor) -> Vec<u64> {
        editor.gallery.shown().map(|item| item.record.common().seed - 100).collect()
    }

    fn searched(editor: &mut Editor, filter: GalleryFilter) {
        editor.update(Command::SearchGallery(filter));
    }

    #[test]
    fn pages_of_the_library_come_after_one_another() {
        let mut editor = sample::editor();
        searched(&mut editor, GalleryFilter::default());
        let all = from_library(6);
        found(&mut editor, all[..2].to_vec(), true);
        assert_eq!(shown(&editor), [6, 5]);
        let more = tasks(&mut editor, Command::MoreOfGallery);
        let [LibraryTask::Search { before: Some(KeptId(5)), .. }] = more[..] else {
            panic!("{more:?}")
        };
        assert!(tasks(&mut editor, Command::MoreOfGallery).is_empty(), "it is asked already");
        // What is asked for meanwhile counts; the late answer does not.
        let late = editor.gallery.asked.unwrap();
        let filter =
            GalleryFilter { text: "КРАСНЫЙ".to_owned(), ..GalleryFilter::default() };
        searched(&mut editor, filter);
        let answer =
            Ok(Box::new(FoundPictures { items: all[2..3].to_vec(), ..Default::default() }));
        editor.update(Command::LibraryFound { ticket: late, found: answer });
        assert_eq!(shown(&editor), [0; 0]);
        found(&mut editor, all[4..5].to_vec(), false);
        assert_eq!(shown(&editor), [2]);
        // Back to all of them: those between are still to come, so the old one waits for them.
        searched(&mut editor, GalleryFilter::default());
        found(&mut editor, all[..2].to_vec(), true);
        assert_eq!(shown(&editor), [6, 5]);
        tasks(&mut editor, Command::MoreOfGallery);
        found(&mut editor, all[2..].to_vec(), false);
        assert_eq!(shown(&editor), [6, 5, 4, 3, 2, 1]);
        let mut ids: Vec<_> = editor.gallery.items.iter().map(|item| item.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), 6);
    }

    #[test]
    fn stars_and_tags_are_seen_at_once_and_kept() {
        let mut editor = with_items(3);
        let id = GalleryId(1);
        let given = tasks(&mut editor, Command::StarPicture(id, true));
        assert!(matches!(given[..], [LibraryTask::SetStar(_, true)]), "{given:?}");
        let given = tasks(&mut editor, Command::TagPicture(id, " Sea  Side".to_owned()));
        assert!(matches!(&given[..], [LibraryTask::AddTag(_, tag)] if tag == "sea side"));
        assert!(tasks(&mut editor, Command::TagPicture(id, "SEA side".to_owned())).is_empty());
        assert!(tasks(&mut editor, Command::TagPicture(id, "  ".to_owned())).is_empty());
        searched(&mut editor, GalleryFilter { starred: true, ..GalleryFilter::default() });
        assert_eq!(shown(&editor), [3, 1], "the third has one from the beginning");
        let tag = Some("sea side".to_owned());
        searched(&mut editor, GalleryFilter { tag, ..GalleryFilter::default() });
        assert_eq!(shown(&editor), [1]);
        searched(&mut editor, GalleryFilter { text: "SIDE".to_owned(), ..Default::default() });
        assert_eq!(shown(&editor), [1]);
        tasks(&mut editor, Command::UntagPicture(id, "sea side".to_owned()));
        assert_eq!(shown(&editor), [0; 0]);
    }

    #[test]
    fn a_picture_of_the_library_is_fetched_before_it_is_used() {
        let mut editor = sample::editor();
        searched(&mut editor, GalleryFilter::default());
        found(&mut editor, from_library(2), false);
        let (id, layers) = (GalleryId(2), editor.document.layers.len());
        let given = tasks(&mut editor, Command::LookAtGallery(id));
        assert!(matches!(given[..], [LibraryTask::Fetch(_)]), "{given:?}");
        assert!(tasks(&mut editor, Command::PlaceFromGallery(id)).is_empty(), "it is coming");
        assert!(tasks(&mut editor, Command::CopyFromGallery(id)).is_empty());
        let result = Ok(sample::picture(2, 64));
        let effects = editor.update(Command::PictureFetched { id, result });
        assert!(effects.iter().any(|effect| matches!(effect, Effect::CopyImage(_))), "{effects:?}");
        assert_eq!(editor.document.layers.len(), layers + 1);
        // It is here now.
        editor.update(Command::PlaceFromGallery(id));
        assert_eq!(editor.document.layers.len(), layers + 2);
        // One whose file is gone says so and is not asked for again.
        let lost = GalleryId(1);
        tasks(&mut editor, Command::LookAtGallery(lost));
        editor.update(Command::PictureFetched { id: lost, result: Err("no file".to_owned()) });
        assert!(editor.notices.last().unwrap().text.contains("no file"));
        assert!(tasks(&mut editor, Command::LookAtGallery(lost)).is_empty());
        assert_eq!(editor.gallery.item(lost).unwrap().pixels, GalleryPixels::Lost);
    }

    #[test]
    fn only_what_the_library_has_is_let_go_of() {
        let count = MOST_HERE as u64 + 3;
        let mut editor = with_items(count);
        let here = |editor: &Editor| {
            editor.gallery.items.iter().filter(|item| item.image().is_some()).count() as u64
        };
        assert_eq!(here(&editor), count, "nobody else has them");
        for number in 1..=2 {
            let (id, result) = (GalleryId(number), Ok((KeptId(number as i64), 10)));
            editor.update(Command::PictureKept { id, result });
        }
        assert_eq!(here(&editor), count - 2);
        assert_eq!(editor.gallery.items[0].pixels, GalleryPixels::Kept);
    }

    #[test]
    fn a_removed_picture_comes_back_where_it_was() {
        let mut editor = with_items(3);
        let given = tasks(&mut editor, Command::RemoveFromGallery(GalleryId(2)));
        assert!(matches!(given[..], [LibraryTask::Delete(_)]), "{given:?}");
        assert_eq!(shown(&editor), [3, 1]);
        let offer = editor.notices.last().unwrap().offer;
        assert_eq!(offer, Some(Action::RestorePicture));
        // The library's answer comes after the picture is out of sight.
        let result = Ok((KeptId(7), 10));
        editor.update(Command::PictureKept { id: GalleryId(2), result });
        let given = tasks(&mut editor, Command::Do(Action::RestorePicture));
        let [LibraryTask::Undelete(name)] = given[..] else { panic!("{given:?}") };
        assert_eq!(name, PictureName { id: GalleryId(2), kept: Some(KeptId(7)) });
        assert_eq!(shown(&editor), [3, 2, 1]);
        assert!(!editor.is_enabled(Action::RestorePicture));
    }

    #[test]
    fn what_could_not_be_kept_is_kept_when_the_disk_takes_it_again() {
        let mut editor = with_items(3);
        for number in 1..=2 {
            let result = Err("the disk is full".to_owned());
            editor.update(Command::PictureKept { id: GalleryId(number), result });
        }
        assert_eq!(editor.notices.len(), 1, "it is told once");
        assert!(editor.notices[0].text.contains("the disk is full"));
        let result = Ok((KeptId(1), 10));
        let again = tasks(&mut editor, Command::PictureKept { id: GalleryId(3), result });
        let ids: Vec<u64> = again
            .iter()
            .map(|task| match task {
                LibraryTask::Keep(item) => item.id.0,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ids, [1, 2]);
        assert_eq!(editor.gallery.failed, None);
    }

    #[test]
    fn the_limit_is_told_once_and_shrinking_spares_stars() {
        let mut editor = sample::editor();
        editor.preferences.library_limit_bytes = 5 << 30;
        searched(&mut editor, GalleryFilter::default());
        found(&mut editor, from_library(4), false);
        editor.notices.clear();
        for bytes in [5 << 30, 6 << 30, 7 << 30] {
            let id = GalleryId(1);
            editor.update(Command::PictureKept { id, result: Ok((KeptId(1), bytes)) });
        }
        assert_eq!(editor.notices.len(), 1);
        assert_eq!(editor.notices[0].offer, Some(Action::ReviewLibrary));
        assert!(editor.notices[0].text.contains("6.0 GB, more than its limit of 5.0 GB"));
        let asked = tasks(&mut editor, Command::Do(Action::ReviewLibrary));
        assert!(
            matches!(asked[..], [LibraryTask::Measure { limit_bytes }] if limit_bytes == 5 << 30)
        );
        let size =
            LibrarySize { oldest: vec![KeptId(1), KeptId(2), KeptId(3)], ..LibrarySize::default() };
        editor.update(Command::LibraryMeasured(Ok(size)));
        assert_eq!(editor.dialog, Some(Dialog::Library));
        // The third has a star by now.
        let given = tasks(&mut editor, Command::ShrinkLibrary);
        let [LibraryTask::Purge { pictures }] = &given[..] else { panic!("{given:?}") };
        assert_eq!(pictures[..], [KeptId(1), KeptId(2)]);
        assert_eq!(shown(&editor), [4, 3]);
        assert_eq!(editor.dialog, None);
    }

    #[test]
    fn an_accepted_result_is_found_again_in_its_project() {
        let mut editor = with_items(2);
        let edits = vec![Edit::AddLayer { name: "Result".to_owned() }];
        let results = (1..=2).map(|number| Staged {
            gallery: GalleryId(number),
            thumbnail: sample::picture(1, 8),
            seed: number,
            kind: crate::editor::JobKind::Fill,
            edits: edits.clone(),
            document: editor.document.clone(),
            layer_name: String::new(),
            outside_mask_delta: None,
            base: None,
        });
        editor.staging = Some(Staging { results: results.collect(), shown: 1 });
        let given = tasks(&mut editor, Command::Do(Action::StagingAccept));
        let node = editor.history.current();
        let [LibraryTask::Accepted { pictures, path: None, node: at }] = &given[..] else {
            panic!("{given:?}")
        };
        assert_eq!((pictures.len(), pictures[0].id, *at), (1, GalleryId(2), node));

        editor.update(Command::PictureKept { id: GalleryId(2), result: Ok((KeptId(9), 1)) });
        let project = PathBuf::from("a.ora");
        editor.update(Command::Saved { path: project.clone(), node });
        editor.update(Command::PicturesLinked(vec![KeptId(9)], project.clone()));
        editor.update(Command::Do(Action::Undo));
        assert_ne!(editor.history.current(), node);
        editor.update(Command::OpenProjectOf(GalleryId(2)));
        assert_eq!(editor.history.current(), node, "it is open already");

        // From another picture, unsaved work is asked about first.
        let then = |editor: &Editor| editor.dialog.clone();
        editor.file.path = Some("b.ora".into());
        editor.update(Command::Do(Action::AddLayer));
        editor.update(Command::OpenProjectOf(GalleryId(2)));
        let at = AfterSaving::OpenAt(project.clone(), node);
        assert_eq!(then(&editor), Some(Dialog::UnsavedChanges(at.clone())));
        let effects = editor.update(Command::DiscardChanges(at));
        let reads =
            |effect: &Effect| matches!(effect, Effect::Read { path, .. } if *path == project);
        assert!(effects.iter().any(reads), "{effects:?}");
        assert_eq!(editor.going_to, Some((project, node)));
    }
}
