//! Every change, on disk within a second of being made.
//!
//! A journal is a folder: `records.jsonl` has the tree's records, `pictures.pack` the tiles that they
//! name, `base.ora` is the project file that the tree started with, if it did. Both files only ever
//! grow, and pictures reach the disk before the records that name them, so that whatever instant the
//! power fails at, the records that are whole describe a whole tree. A running program holds a lock
//! on the folder; one without a lock was left behind, and its work can be taken up.
//!
//! [`Journal::commit`] never loses what it could not write: changes wait in memory until the disk
//! takes them.

mod lines;
mod pack;

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::document::{Attachment, Document, Edit, NodeId};
use crate::project::journal::lines::Lines;
use crate::project::journal::pack::{Pack, PackReader};
use crate::project::ora::{OraFile, WriteReport};
use crate::project::{
    Batch, ContentHash, NewNode, Pictures, ProjectError, ProjectRecord, Record, Recorder, Tree,
    file,
};
use crate::raster::RgbaImage;

const RECORDS: &str = "records.jsonl";
const PICTURES: &str = "pictures.pack";
const BASE: &str = "base.ora";
const LOCK: &str = "lock";

/// What a journal takes down.
#[derive(Clone, Debug)]
pub enum Change {
    /// A state was made.
    Node(Box<NewNode>),
    /// A state has a small picture.
    Thumbnail(NodeId, Arc<RgbaImage>),
    /// Anything else.
    Record(Record),
}

/// A journal that is being written.
pub struct Journal {
    folder: PathBuf,
    lines: Lines,
    pack: Pack,
    base: Option<Box<OraFile>>,
    recorder: Recorder,
    tree: Tree,
    waiting: VecDeque<Change>,
    // Held as long as the journal is written.
    _lock: File,
}

/// A journal that no program writes any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abandoned {
    /// Its folder.
    pub folder: PathBuf,
    /// When it was written to last.
    pub time: SystemTime,
    /// How many states it has.
    pub states: usize,
    /// The name of the first state.
    pub first: String,
    /// The name of the state that the document was at.
    pub label: String,
    /// The file that the work was saved to last, if it was.
    pub file: Option<PathBuf>,
    /// Whether there are states after the one that was saved last.
    pub unsaved: bool,
    /// Bytes on the disk.
    pub bytes: u64,
    /// The newest small picture that can be read.
    pub thumbnail: Option<RgbaImage>,
}

/// What was found in an abandoned journal.
pub struct Recovered {
    /// The journal, to be gone on with.
    pub journal: Journal,
    /// What is missing, in sentences; nothing where all is there.
    pub remarks: Vec<String>,
}

impl Journal {
    /// Starts a journal in a folder of its own below `root`.
    ///
    /// # Errors
    ///
    /// When the disk can't be written to.
    pub fn create(root: &Path, project: &ProjectRecord) -> Result<Self, ProjectError> {
        fs::create_dir_all(root).map_err(ProjectError::io("make the journal's folder", root))?;
        let folder = new_folder(root)?;
        let lock = locked(&folder)?.ok_or_else(|| {
            let taken = std::io::Error::from(std::io::ErrorKind::ResourceBusy);
            ProjectError::io("lock the journal", &folder)(taken)
        })?;
        let mut journal = Self {
            lines: Lines::create(&folder.join(RECORDS))?,
            pack: Pack::create(&folder.join(PICTURES))?,
            base: None,
            recorder: Recorder::new(),
            tree: Tree::default(),
            waiting: VecDeque::new(),
            folder,
            _lock: lock,
        };
        journal.commit([Change::Record(Record::Project(project.clone()))])?;
        Ok(journal)
    }

    /// Starts a journal for a project that was opened from a file. The file stays in the journal's
    /// folder as well, as a second name where the disk can do that: whatever happens to it later,
    /// its pixels are there.
    ///
    /// # Errors
    ///
    /// When the disk can't be written to, or the file can't be read.
    pub fn continue_project(root: &Path, tree: Tree, file: &Path) -> Result<Self, ProjectError> {
        fs::create_dir_all(root).map_err(ProjectError::io("make the journal's folder", root))?;
        let folder = new_folder(root)?;
        let lock = locked(&folder)?.ok_or_else(|| {
            let taken = std::io::Error::from(std::io::ErrorKind::ResourceBusy);
            ProjectError::io("lock the journal", &folder)(taken)
        })?;
        let base = folder.join(BASE);
        fs::hard_link(file, &base)
            .or_else(|_| fs::copy(file, &base).map(drop))
            .map_err(ProjectError::io("keep the project's file", &base))?;
        let pictures = Box::new(OraFile::open(&base)?);
        let mut lines = Lines::create(&folder.join(RECORDS))?;
        lines.append(&tree.records())?;
        lines.sync()?;
        Ok(Self {
            lines,
            pack: Pack::create(&folder.join(PICTURES))?,
            base: Some(pictures),
            recorder: Recorder::resumed(tree.pictures(), tree.last_grid()),
            tree,
            waiting: VecDeque::new(),
            folder,
            _lock: lock,
        })
    }

    /// Takes up an abandoned journal.
    ///
    /// Lines that are damaged, and those that build on them, are left out, which the remarks say.
    ///
    /// # Errors
    ///
    /// When another program writes it, when its files can't be read, or when no state is left.
    pub fn take_up(folder: &Path) -> Result<Recovered, ProjectError> {
        let lock = locked(folder)?.ok_or_else(|| {
            let taken = std::io::Error::from(std::io::ErrorKind::ResourceBusy);
            ProjectError::io("open the journal, another Gesso writes it", folder)(taken)
        })?;
        let mut tree = Tree::default();
        let mut remarks = Vec::new();
        let lines = Lines::open(&folder.join(RECORDS), &mut |line| match line {
            Ok(line) => {
                if let Err(error) = tree.take_line(line) {
                    remarks.push(error.to_string());
                }
            }
            Err(remark) => remarks.push(remark),
        })?;
        if tree.current().is_none() {
            return Err(ProjectError::Empty);
        }
        let pack = Pack::open(&folder.join(PICTURES))?;
        let base = open_base(folder).unwrap_or_else(|error| {
            remarks.push(error.to_string());
            None
        });
        // Grids must not be numbered as those of lines that were left out.
        let recorder = Recorder::resumed(tree.pictures(), tree.last_grid());
        let journal = Self {
            folder: folder.to_owned(),
            lines,
            pack,
            base,
            recorder,
            tree,
            waiting: VecDeque::new(),
            _lock: lock,
        };
        Ok(Recovered { journal, remarks })
    }

    /// Takes down changes, in order, and waits until they are on the disk.
    ///
    /// # Errors
    ///
    /// When the disk does not take them. They wait then, together with all that come after them, and
    /// the next call tries again.
    pub fn commit(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
    ) -> Result<(), ProjectError> {
        self.waiting.extend(changes);
        if self.waiting.is_empty() {
            return Ok(());
        }
        let batch = self.batch();
        if let Err(error) = self.write(&batch) {
            self.recorder.forget(&batch);
            return Err(error);
        }
        self.waiting.clear();
        for record in batch.records {
            // Said about a state that could not be recovered, say.
            if let Err(error) = self.tree.take(record) {
                log::warn!("{error}");
            }
        }
        Ok(())
    }

    /// What has to be written for the changes that wait.
    fn batch(&mut self) -> Batch {
        let mut batch = Batch::default();
        for change in &self.waiting {
            batch.append(match change {
                Change::Node(node) => self.recorder.node(node),
                Change::Thumbnail(node, image) => self.recorder.thumbnail(*node, image),
                Change::Record(record) => {
                    Batch { records: vec![record.clone()], pictures: Vec::new() }
                }
            });
        }
        batch
    }

    fn write(&mut self, batch: &Batch) -> Result<(), ProjectError> {
        let whole = (self.pack.bytes(), self.lines.bytes());
        let written =
            self.pack.append(&batch.pictures).and_then(|()| self.lines.append(&batch.records));
        let written = written.and_then(|()| self.lines.sync());
        if written.is_err() {
            // What got through in part is taken back; if that fails too, it is read over later.
            self.pack.cut(whole.0);
            self.lines.cut(whole.1);
        }
        written
    }

    /// Changes that the disk has not taken yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The tree as it is on the disk.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The journal's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The document of a state.
    ///
    /// # Errors
    ///
    /// When there is no such state, or its pixels can't be read.
    pub fn document(&mut self, node: NodeId) -> Result<Document, ProjectError> {
        let mut pictures = Both { pack: &mut self.pack, base: self.base.as_deref_mut() };
        self.tree.document(node, &mut pictures)
    }

    /// The edits that made a state.
    ///
    /// # Errors
    ///
    /// When there is no such state, or its pixels can't be read.
    pub fn edits(&mut self, node: NodeId) -> Result<Vec<Edit>, ProjectError> {
        let mut pictures = Both { pack: &mut self.pack, base: self.base.as_deref_mut() };
        self.tree.edits(node, &mut pictures)
    }

    /// The pictures that were shown with the message of a state's turn.
    ///
    /// # Errors
    ///
    /// When there is no such state, or its pixels can't be read.
    pub fn attached(&mut self, node: NodeId) -> Result<Vec<Attachment>, ProjectError> {
        let mut pictures = Both { pack: &mut self.pack, base: self.base.as_deref_mut() };
        self.tree.attached(node, &mut pictures)
    }

    /// The small picture of a state.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn thumbnail(&mut self, node: NodeId) -> Result<Option<RgbaImage>, ProjectError> {
        let mut pictures = Both { pack: &mut self.pack, base: self.base.as_deref_mut() };
        self.tree.thumbnail(node, &mut pictures)
    }

    /// Saves a state as a project file with the whole tree; see [`Saving::write`].
    ///
    /// # Errors
    ///
    /// When there is no such state, something can't be read, or the file can't be written.
    pub fn save(
        &mut self,
        path: &Path,
        node: NodeId,
        document: &Document,
        previous: Option<&Path>,
    ) -> Result<WriteReport, ProjectError> {
        self.saving()?.write(path, node, document, previous)
    }

    /// The tree as it is now, to be saved while the journal goes on.
    ///
    /// Changes that the journal's own disk does not take are in it all the same.
    ///
    /// # Errors
    ///
    /// When the journal's files can't be opened once more.
    pub fn saving(&mut self) -> Result<Saving, ProjectError> {
        if let Err(error) = self.commit([]) {
            log::warn!("{error}");
        }
        let mut tree = Tree::default();
        for record in self.tree.records() {
            tree.take(record)?;
        }
        let mut files = HashMap::new();
        if !self.waiting.is_empty() {
            let batch = self.batch();
            // They are still to be written to the journal.
            self.recorder.forget(&batch);
            for record in batch.records {
                tree.take(record)?;
            }
            for (content, picture) in &batch.pictures {
                files.insert(*content, picture.encode()?);
            }
        }
        let base_path = self.base.is_some().then(|| self.folder.join(BASE));
        let base = open_base(&self.folder)?;
        Ok(Saving { tree, files, pack: self.pack.reader()?, base, base_path })
    }

    /// Ends the journal and deletes its folder: the work was saved, or the user does not want it.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn remove(self) -> Result<(), ProjectError> {
        remove(&self.folder)
    }
}

impl Pictures for Journal {
    fn png(&mut self, content: ContentHash) -> Result<Option<Vec<u8>>, ProjectError> {
        Both { pack: &mut self.pack, base: self.base.as_deref_mut() }.png(content)
    }
}

/// The journal's own pictures, and those of the file it started with.
struct Both<'a> {
    pack: &'a mut Pack,
    base: Option<&'a mut OraFile>,
}

impl Pictures for Both<'_> {
    fn png(&mut self, content: ContentHash) -> Result<Option<Vec<u8>>, ProjectError> {
        if let Some(file) = self.pack.png(content)? {
            return Ok(Some(file));
        }
        match &mut self.base {
            Some(base) => base.png(content),
            None => Ok(None),
        }
    }
}

/// A tree as it was at one moment, to be saved by whichever thread has the time.
pub struct Saving {
    tree: Tree,
    // Pictures that the journal's disk does not have yet.
    files: HashMap<ContentHash, Vec<u8>>,
    pack: PackReader,
    base: Option<Box<OraFile>>,
    base_path: Option<PathBuf>,
}

impl Saving {
    /// Saves a state as a project file with the whole tree. `previous` is the file that was saved
    /// before, of which all that is the same is copied; without it the file that the tree started
    /// with is.
    ///
    /// # Errors
    ///
    /// When there is no such state, something can't be read, or the file can't be written.
    pub fn write(
        mut self,
        path: &Path,
        node: NodeId,
        document: &Document,
        previous: Option<&Path>,
    ) -> Result<WriteReport, ProjectError> {
        let base = self.base_path.take();
        let previous = previous.or(base.as_deref());
        let tree = std::mem::take(&mut self.tree);
        file::save(path, &tree, node, document, &mut self, previous)
    }
}

impl Pictures for Saving {
    fn png(&mut self, content: ContentHash) -> Result<Option<Vec<u8>>, ProjectError> {
        if let Some(file) = self.files.get(&content) {
            return Ok(Some(file.clone()));
        }
        if let Some(file) = self.pack.png(content)? {
            return Ok(Some(file));
        }
        match &mut self.base {
            Some(base) => base.png(content),
            None => Ok(None),
        }
    }
}

/// The project file that a journal started with.
fn open_base(folder: &Path) -> Result<Option<Box<OraFile>>, ProjectError> {
    let path = folder.join(BASE);
    if path.is_file() { OraFile::open(&path).map(Box::new).map(Some) } else { Ok(None) }
}

/// The journals below a folder that no program writes, the newest first. Those that can't be read
/// are left out and stay where they are.
#[must_use]
pub fn abandoned(root: &Path) -> Vec<Abandoned> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let mut found: Vec<Abandoned> = entries
        .filter_map(|entry| look_at(&entry.ok()?.path()).inspect_err(|e| log::info!("{e}")).ok()?)
        .collect();
    found.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.folder.cmp(&b.folder)));
    found
}

/// What a journal holds; nothing where a program writes it.
fn look_at(folder: &Path) -> Result<Option<Abandoned>, ProjectError> {
    if !folder.join(RECORDS).is_file() {
        return Ok(None);
    }
    // Held until all was read.
    let Some(_lock) = locked(folder)? else { return Ok(None) };
    let mut tree = Tree::default();
    Lines::read(&folder.join(RECORDS), &mut |line| {
        if let Ok(line) = line
            && let Err(error) = tree.take_line(line)
        {
            log::debug!("{error}");
        }
    })?;
    let Some(current) = tree.current() else { return Err(ProjectError::Empty) };
    let size = |name: &str| fs::metadata(folder.join(name)).ok();
    let files = [size(RECORDS), size(PICTURES)];
    let thumbnail = newest_thumbnail(&tree, current, folder);
    let times = files.iter().flatten().filter_map(|file| file.modified().ok());
    Ok(Some(Abandoned {
        folder: folder.to_owned(),
        time: times.max().unwrap_or(SystemTime::UNIX_EPOCH),
        states: tree.nodes().count(),
        first: tree.nodes().next().map(|node| node.label.clone()).unwrap_or_default(),
        label: tree.node(current).map(|node| node.label.clone()).unwrap_or_default(),
        file: tree.saved().map(|(_, path)| path.to_owned()),
        unsaved: tree.saved().is_none_or(|(saved, _)| saved != current),
        bytes: files.iter().flatten().map(fs::Metadata::len).sum(),
        thumbnail,
    }))
}

/// The small picture of a state, or of the nearest one above that has one.
fn newest_thumbnail(tree: &Tree, node: NodeId, folder: &Path) -> Option<RgbaImage> {
    let mut pack = Pack::open(&folder.join(PICTURES)).ok()?;
    let mut base = open_base(folder).ok().flatten();
    let mut pictures = Both { pack: &mut pack, base: base.as_deref_mut() };
    let mut at = Some(node);
    while let Some(id) = at {
        if let Ok(Some(image)) = tree.thumbnail(id, &mut pictures) {
            return Some(image);
        }
        at = tree.node(id)?.parent;
    }
    None
}

/// Deletes an abandoned journal.
///
/// # Errors
///
/// When a program writes it, or the system refuses.
pub fn remove_abandoned(folder: &Path) -> Result<(), ProjectError> {
    match locked(folder)? {
        Some(_lock) => remove(folder),
        None => Err(ProjectError::io("delete the journal, another Gesso writes it", folder)(
            std::io::Error::from(std::io::ErrorKind::ResourceBusy),
        )),
    }
}

fn remove(folder: &Path) -> Result<(), ProjectError> {
    // The records go first: without them it is no journal, whatever else is left.
    let records = folder.join(RECORDS);
    match fs::remove_file(&records) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(ProjectError::io("delete the journal", &records)(error));
        }
        _ => {}
    }
    fs::remove_dir_all(folder).map_err(ProjectError::io("delete the journal", folder))
}

/// A folder of its own for a journal, named by the time and a number.
fn new_folder(root: &Path) -> Result<PathBuf, ProjectError> {
    let folder = tempfile::Builder::new().prefix("journal-").rand_bytes(12).tempdir_in(root);
    let folder = folder.map_err(ProjectError::io("make the journal's folder", root))?;
    Ok(folder.keep())
}

/// The lock of a journal's folder; nothing where another program has it.
fn locked(folder: &Path) -> Result<Option<File>, ProjectError> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path);
    let file = file.map_err(ProjectError::io("lock the journal", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(ProjectError::io("lock the journal", &path)(error)),
    }
}

#[cfg(test)]
mod tests;
