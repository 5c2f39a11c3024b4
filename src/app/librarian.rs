//! Does what the editor asks of the library of pictures, on a thread of its own.
//!
//! The library is opened when it is first needed, and made when the first picture is to be kept, so
//! that looking at a window writes nothing. Where it can't be opened, the gallery goes on in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::app::picture_text;
use crate::document::NodeId;
use crate::editor::{
    Command, FoundPictures, GalleryId, GalleryItem, GalleryPixels, JobKind, KeptId, LibrarySize,
    LibraryTask, PictureName, PictureOrigin,
};
use crate::library::{
    Entry, Kind, Library, LibraryError, NewPicture, Opened, Origin, PictureId, Query, Remark,
};
use crate::locale::trf;

/// How long a deleted picture can be brought back.
const TRASH_AGE: Duration = Duration::from_hours(30 * 24);

/// The library and what is known about this session's pictures in it.
pub(crate) struct Librarian {
    /// Where the library is; nothing where the system has no folder for it.
    folder: Option<PathBuf>,
    library: Option<Library>,
    /// The names of this session's pictures.
    names: BTreeMap<GalleryId, PictureId>,
    /// What is to be told with the next answer.
    told: Vec<Command>,
}

/// Whether a library is made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    Made,
    Left,
}

impl Librarian {
    /// A librarian of the library in a folder.
    pub(crate) const fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, library: None, names: BTreeMap::new(), told: Vec::new() }
    }

    /// Does a task; gives what the editor should know.
    pub(crate) fn perform(&mut self, task: LibraryTask) -> Vec<Command> {
        let answer = match task {
            LibraryTask::Keep(item) => {
                let id = item.id;
                let result = self.keep(&item).map_err(|error| error.to_string());
                Some(Command::PictureKept { id, result })
            }
            LibraryTask::Fetch(name) => {
                let image = self.with(Missing::Left, |library, id| library.picture(id), name);
                let result = image.map(Arc::new).map_err(|error| error.to_string());
                Some(Command::PictureFetched { id: name.id, result })
            }
            LibraryTask::Search { ticket, filter, before } => {
                let query = Query {
                    text: filter.text,
                    starred: filter.starred,
                    tag: filter.tag,
                    before: before.map(|kept| PictureId(kept.0)),
                    ..Query::default()
                };
                let found = self.search(&query).map(Box::new).map_err(|error| error.to_string());
                Some(Command::LibraryFound { ticket, found })
            }
            LibraryTask::SetStar(name, starred) => {
                self.change(name, |library, id| library.set_star(id, starred))
            }
            LibraryTask::AddTag(name, tag) => {
                self.change(name, |library, id| library.add_tag(id, &tag))
            }
            LibraryTask::RemoveTag(name, tag) => {
                self.change(name, |library, id| library.remove_tag(id, &tag))
            }
            LibraryTask::Delete(name) => self.change(name, Library::delete),
            LibraryTask::Undelete(name) => self.change(name, Library::undelete),
            LibraryTask::Accepted { pictures, path, node } => {
                self.accepted(&pictures, None, path, node)
            }
            LibraryTask::Measure { limit_bytes } => {
                let size = self.measure(limit_bytes).map_err(|error| error.to_string());
                Some(Command::LibraryMeasured(size))
            }
            LibraryTask::Purge { pictures } => Some(self.purge(&pictures)),
        };
        self.told.drain(..).chain(answer).collect()
    }

    /// Notes that pictures became a part of a project's document.
    pub(crate) fn accepted(
        &mut self,
        pictures: &[PictureName],
        project: Option<String>,
        path: Option<PathBuf>,
        node: NodeId,
    ) -> Option<Command> {
        let origin = Origin { project, path, node: node.0 };
        let failed = pictures
            .iter()
            .filter_map(|name| self.change(*name, |library, id| library.set_origin(id, &origin)));
        failed.last()
    }

    /// Notes where a project was saved.
    pub(crate) fn saved(&mut self, project: &str, path: PathBuf) -> Option<Command> {
        let linked = self.on_library(Missing::Left, |library| match library {
            Some(library) => library.relink(project, &path),
            None => Ok(Vec::new()),
        });
        match linked {
            Ok(ids) if ids.is_empty() => None,
            Ok(ids) => {
                let ids = ids.into_iter().map(|id| KeptId(id.0)).collect();
                Some(Command::PicturesLinked(ids, path))
            }
            Err(error) => {
                log::warn!("{error}");
                None
            }
        }
    }

    fn keep(&mut self, item: &GalleryItem) -> Result<(KeptId, u64), LibraryError> {
        let Some(image) = item.image() else { return Err(LibraryError::NoLibrary) };
        let text = picture_text::chunks_from_record(&item.record).unwrap_or_else(|error| {
            log::warn!("{error}");
            Vec::new()
        });
        let picture = NewPicture {
            image: Arc::clone(image),
            thumbnail: Arc::clone(&item.thumbnail),
            record: item.record.clone(),
            text,
            kind: kind_of_job(item.kind),
            time: item.time,
            seconds: item.seconds,
        };
        let (id, bytes) = self.on_library(Missing::Made, |library| {
            let library = library.ok_or(LibraryError::NoLibrary)?;
            let id = library.add(&picture)?;
            if item.starred {
                library.set_star(id, true)?;
            }
            for tag in &item.tags {
                library.add_tag(id, tag)?;
            }
            Ok((id, library.bytes()?))
        })?;
        self.names.insert(item.id, id);
        Ok((KeptId(id.0), bytes))
    }

    fn search(&mut self, query: &Query) -> Result<FoundPictures, LibraryError> {
        let (entries, bytes) = self.on_library(Missing::Left, |library| match library {
            Some(library) => Ok((library.search(query)?, library.bytes()?)),
            None => Ok((Vec::new(), 0)),
        })?;
        let has_more = entries.len() >= query.limit;
        let paths: BTreeSet<PathBuf> =
            entries.iter().filter_map(|entry| entry.origin.as_ref()?.path.clone()).collect();
        // A project that was moved or deleted can't be opened.
        let there: BTreeSet<PathBuf> = paths.into_iter().filter(|path| path.is_file()).collect();
        let items = entries.into_iter().map(|entry| item_of(entry, &there)).collect();
        Ok(FoundPictures { items, has_more, bytes })
    }

    fn measure(&mut self, limit_bytes: u64) -> Result<LibrarySize, LibraryError> {
        self.on_library(Missing::Left, |library| {
            let Some(library) = library else { return Ok(LibrarySize::default()) };
            let mut size = LibrarySize {
                bytes: library.bytes()?,
                pictures: library.count()?,
                ..LibrarySize::default()
            };
            (size.trash, size.freed) = library.trash()?;
            if let Some(over) = library.over_limit(limit_bytes)? {
                size.oldest = over.pictures.into_iter().map(|id| KeptId(id.0)).collect();
                size.freed = over.freed;
            }
            Ok(size)
        })
    }

    fn purge(&mut self, pictures: &[KeptId]) -> Command {
        let ids: Vec<PictureId> = pictures.iter().map(|kept| PictureId(kept.0)).collect();
        let purged = self.on_library(Missing::Left, |library| match library {
            Some(library) => Ok(library.empty_trash(SystemTime::now())? + library.purge(&ids)?),
            None => Ok(0),
        });
        match purged {
            Ok(count) => {
                Command::Told(trf("Deleted for good: {count} pictures.", &[("count", &count)]))
            }
            Err(error) => Command::Failed(error.to_string()),
        }
    }

    /// Changes something about a picture; one that the library does not have needs no change.
    fn change(
        &mut self,
        name: PictureName,
        mut change: impl FnMut(&mut Library, PictureId) -> Result<(), LibraryError>,
    ) -> Option<Command> {
        self.id(name)?;
        match self.with(Missing::Left, |library, id| change(library, id), name) {
            Ok(()) => None,
            Err(error) => Some(Command::Failed(error.to_string())),
        }
    }

    fn with<T>(
        &mut self,
        missing: Missing,
        mut work: impl FnMut(&mut Library, PictureId) -> Result<T, LibraryError>,
        name: PictureName,
    ) -> Result<T, LibraryError> {
        let id = self.id(name).ok_or(LibraryError::NoLibrary)?;
        self.on_library(missing, |library| work(library.ok_or(LibraryError::NoLibrary)?, id))
    }

    fn id(&self, name: PictureName) -> Option<PictureId> {
        let kept = name.kept.map(|kept| PictureId(kept.0));
        kept.or_else(|| self.names.get(&name.id).copied())
    }

    /// Works on the library, or on none where there is none and none is to be made. One that turns
    /// out to be damaged is built again, and the work is tried once more.
    fn on_library<T>(
        &mut self,
        missing: Missing,
        mut work: impl FnMut(Option<&mut Library>) -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        let Some(folder) = self.folder.clone() else {
            return if missing == Missing::Made { Err(LibraryError::NoFolder) } else { work(None) };
        };
        if self.library.is_none() {
            if missing == Missing::Left && !Library::is_in(&folder) {
                return work(None);
            }
            let opened = Library::open(&folder)?;
            self.take(opened);
        }
        match work(self.library.as_mut()) {
            Err(error) if error.is_damage() => {
                log::warn!("{error}");
                self.rebuild(&folder)?;
                work(self.library.as_mut())
            }
            result => result,
        }
    }

    fn rebuild(&mut self, folder: &Path) -> Result<(), LibraryError> {
        self.library = None;
        // The pictures have other names in the new database.
        self.names.clear();
        let opened = Library::rebuild(folder)?;
        self.take(opened);
        Ok(())
    }

    fn take(&mut self, opened: Opened) {
        let Opened { mut library, remarks } = opened;
        for remark in remarks {
            let Remark::Rebuilt { set_aside, pictures, unread } = remark;
            log::warn!("{unread} files of the library are no pictures of Gesso");
            self.told.push(Command::Told(trf(
                "The database of the picture library was damaged. A new one was built from its \
                 {count} pictures; stars and tags are in the old one: {path}",
                &[("count", &pictures), ("path", &set_aside.display())],
            )));
        }
        let old = SystemTime::now().checked_sub(TRASH_AGE);
        match old.map(|old| library.empty_trash(old)) {
            Some(Err(error)) => log::warn!("{error}"),
            Some(Ok(count)) if count > 0 => log::info!("{count} pictures left the trash"),
            _ => {}
        }
        self.library = Some(library);
    }
}

fn item_of(entry: Entry, there: &BTreeSet<PathBuf>) -> GalleryItem {
    GalleryItem {
        id: GalleryId(0),
        kept: Some(KeptId(entry.id.0)),
        extent: entry.extent,
        pixels: GalleryPixels::Kept,
        thumbnail: Arc::new(entry.thumbnail),
        record: entry.record,
        kind: job_of_kind(entry.kind),
        time: entry.time,
        seconds: entry.seconds,
        origin: entry.origin.map(|origin| PictureOrigin {
            path: origin.path.filter(|path| there.contains(path)),
            node: NodeId(origin.node),
        }),
        starred: entry.starred,
        tags: entry.tags,
    }
}

const fn kind_of_job(kind: JobKind) -> Kind {
    match kind {
        JobKind::Generate => Kind::Generate,
        JobKind::Fill => Kind::Fill,
        JobKind::Extend => Kind::Extend,
        JobKind::Vary => Kind::Vary,
        JobKind::Upscale => Kind::Upscale,
        JobKind::Chat => Kind::Chat,
    }
}

const fn job_of_kind(kind: Kind) -> JobKind {
    match kind {
        Kind::Generate => JobKind::Generate,
        Kind::Fill => JobKind::Fill,
        Kind::Extend => JobKind::Extend,
        Kind::Vary => JobKind::Vary,
        Kind::Upscale => JobKind::Upscale,
        Kind::Chat => JobKind::Chat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::{GalleryFilter, LibraryTask as Task};
    use crate::geom::Extent;
    use crate::raster::RgbaImage;

    fn item(number: u64) -> GalleryItem {
        let mut editor = crate::ui::sample::editor();
        crate::ui::sample::add_pictures(&mut editor, number);
        editor.gallery.items.remove(number as usize - 1)
    }

    fn name(item: &GalleryItem) -> PictureName {
        item.name()
    }

    fn kept(librarian: &mut Librarian, item: &GalleryItem) -> Command {
        librarian.perform(Task::Keep(Box::new(item.clone()))).remove(0)
    }

    fn search(librarian: &mut Librarian) -> FoundPictures {
        let filter = GalleryFilter::default();
        let answers = librarian.perform(Task::Search { ticket: 1, filter, before: None });
        match answers.into_iter().last() {
            Some(Command::LibraryFound { found: Ok(found), .. }) => *found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn looking_writes_nothing_and_the_first_picture_makes_the_library() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("data/library");
        let mut librarian = Librarian::new(Some(place.clone()));
        assert!(search(&mut librarian).items.is_empty());
        assert!(librarian.perform(Task::Delete(name(&item(1)))).is_empty());
        assert!(!folder.path().join("data").exists());
        let item = item(3);
        let answer = kept(&mut librarian, &item);
        let Command::PictureKept { id, result: Ok((_, bytes)) } = answer else { panic!() };
        assert_eq!(id, item.id);
        assert!(bytes > 0 && place.join("library.sqlite").exists());
        // This session's picture is known by its name in the gallery as well.
        assert!(librarian.perform(Task::AddTag(name(&item), "sea".to_owned())).is_empty());

        let mut other = Librarian::new(Some(place));
        let found = search(&mut other);
        assert!(!found.has_more);
        let again = &found.items[0];
        assert_eq!((&again.record, again.kind), (&item.record, item.kind));
        assert_eq!((again.starred, &again.tags[..]), (true, &["sea".to_owned()][..]));
        assert_eq!((again.extent, &again.pixels), (item.extent, &GalleryPixels::Kept));
        let fetched = other.perform(Task::Fetch(name(again))).remove(0);
        let Command::PictureFetched { result: Ok(image), .. } = fetched else { panic!() };
        assert_eq!(Some(&image), item.image());
    }

    #[test]
    fn a_saved_project_is_found_by_its_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("library");
        let mut librarian = Librarian::new(Some(place.clone()));
        let item = item(1);
        kept(&mut librarian, &item);
        let project = Some("ab".to_owned());
        assert!(librarian.accepted(&[name(&item)], project, None, NodeId(4)).is_none());
        let path = folder.path().join("a.ora");
        let Some(Command::PicturesLinked(ids, linked)) = librarian.saved("ab", path.clone()) else {
            panic!()
        };
        assert_eq!((ids.len(), &linked), (1, &path));
        assert!(librarian.saved("cd", path.clone()).is_none());
        // It is offered only as long as it is there.
        let origin = |path| Some(PictureOrigin { path, node: NodeId(4) });
        assert_eq!(search(&mut Librarian::new(Some(place.clone()))).items[0].origin, origin(None));
        std::fs::write(&path, b"").unwrap();
        assert_eq!(search(&mut Librarian::new(Some(place))).items[0].origin, origin(Some(path)));
    }

    #[test]
    fn what_fails_is_told_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("library");
        std::fs::write(&place, b"in the way").unwrap();
        let mut librarian = Librarian::new(Some(place.clone()));
        let item = item(1);
        let answer = kept(&mut librarian, &item);
        assert!(matches!(answer, Command::PictureKept { result: Err(_), .. }), "{answer:?}");
        std::fs::remove_file(&place).unwrap();
        let answer = kept(&mut librarian, &item);
        assert!(matches!(answer, Command::PictureKept { result: Ok(_), .. }), "{answer:?}");
        let mut nowhere = Librarian::new(None);
        let answer = kept(&mut nowhere, &item);
        assert!(matches!(answer, Command::PictureKept { result: Err(_), .. }), "{answer:?}");
        assert!(search(&mut nowhere).items.is_empty());
    }

    #[test]
    fn what_is_shrunk_was_measured() {
        let folder = tempfile::tempdir().unwrap();
        let mut librarian = Librarian::new(Some(folder.path().join("library")));
        for number in 1..=4 {
            kept(&mut librarian, &item(number));
        }
        librarian.perform(Task::Delete(PictureName { id: GalleryId(4), kept: None }));
        let measured = librarian.perform(Task::Measure { limit_bytes: 1 }).remove(0);
        let Command::LibraryMeasured(Ok(size)) = measured else { panic!() };
        // The third has a star.
        assert_eq!((size.pictures, size.trash, size.oldest.len()), (3, 1, 2));
        let told = librarian.perform(Task::Purge { pictures: size.oldest });
        assert!(matches!(&told[..], [Command::Told(text)] if text.contains('3')), "{told:?}");
        let found = search(&mut librarian);
        assert_eq!(found.items.len(), 1);
        assert!(found.items[0].starred && found.bytes < size.bytes);
    }

    #[test]
    fn a_damaged_library_is_built_again_and_that_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("library");
        kept(&mut Librarian::new(Some(place.clone())), &item(1));
        std::fs::write(place.join("library.sqlite"), vec![0x55; 8192]).unwrap();
        let mut librarian = Librarian::new(Some(place));
        let filter = GalleryFilter::default();
        let answers = librarian.perform(Task::Search { ticket: 1, filter, before: None });
        let [Command::Told(text), Command::LibraryFound { found: Ok(found), .. }] = &answers[..]
        else {
            panic!("{answers:?}")
        };
        assert!(text.contains("library-damaged-"), "{text}");
        assert_eq!(found.items.len(), 1);
        assert_eq!(found.items[0].extent, Extent::new(64, 64));
        let thumbnail: &RgbaImage = &found.items[0].thumbnail;
        assert_eq!(thumbnail.extent(), Extent::new(64, 64));
    }
}
