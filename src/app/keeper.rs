//! Keeps the tree on the disk: the journal, project files, work that was left behind.
//!
//! A keeper lives on a thread of its own and is given one thing after the other to do. Nothing is
//! written before the first change, so that looking at a picture costs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::document::{Attachment, Document, Edit, Node, NodeId, OperationKind, StoredNode};
use crate::editor::{Command, Keep, LeftWork, OpenedProject, is_project};
use crate::locale::{tr, trf};
use crate::project::file::{self, Differs};
use crate::project::journal::{self, Change, Journal, Saving};
use crate::project::ora::OraFile;
use crate::project::{
    ContentHash, NewNode, NodeRecord, Pictures, ProjectError, ProjectRecord, Record, Tree,
};
use crate::raster::RgbaImage;

/// Thumbnails that are read when a project is opened; older states get theirs when they are visited.
const MAX_THUMBNAILS: usize = 2000;

/// Bytes of pixels that were shown with messages and are read when a project is opened; those of
/// older messages stay on the disk.
const MAX_ATTACHED_BYTES: usize = 512 << 20;

/// Projects that have a second name.
const MAX_REMEMBERED: usize = 50;

/// The tree that is kept, and where.
pub(crate) struct Keeper {
    /// Where journals are; nothing where the system has no folder for them.
    root: Option<PathBuf>,
    kept: Kept,
    /// What the editor is about to go on with.
    opened: Option<Kept>,
    /// The project file that has most of the tree's pixels.
    file: Option<PathBuf>,
    failing: bool,
}

enum Kept {
    Nothing,
    /// A first state that was not changed yet, and its small picture.
    First(Box<NewNode>, Option<Arc<RgbaImage>>),
    /// A project that was not changed yet.
    Project(Box<ProjectFile>),
    /// A tree that is written.
    Journal(Box<Journal>),
    /// No journal can be made; these are the changes that wait for one.
    Waiting(Vec<Change>, Option<Box<ProjectFile>>),
}

struct ProjectFile {
    path: PathBuf,
    tree: Tree,
    file: OraFile,
}

impl Keeper {
    /// A keeper of journals below a folder.
    pub(crate) const fn new(root: Option<PathBuf>) -> Self {
        Self { root, kept: Kept::Nothing, opened: None, file: None, failing: false }
    }

    /// Takes something down; says when the disk begins or ceases to refuse.
    pub(crate) fn keep(&mut self, keep: Keep) -> Option<Command> {
        let change = match keep {
            Keep::Start(node) => {
                self.end();
                self.kept = Kept::First(Box::new(new_node(*node)), None);
                return None;
            }
            Keep::Opened => {
                if let Some(opened) = self.opened.take() {
                    self.end();
                    self.kept = opened;
                }
                return None;
            }
            Keep::Node(node) => Change::Node(Box::new(new_node(*node))),
            Keep::Thumbnail(node, image) => {
                if let Kept::First(first, thumbnail) = &mut self.kept
                    && first.id == node
                {
                    *thumbnail = Some(image);
                    return None;
                }
                Change::Thumbnail(node, image)
            }
            Keep::GoTo(node) => Change::Record(Record::GoTo { node }),
            Keep::Rename(node, label) => Change::Record(Record::Rename { node, label }),
            Keep::Pin(node, pinned) => Change::Record(Record::Pin { node, pinned }),
            Keep::Saved(node, path) => {
                if is_project(&path) {
                    self.file = Some(path.clone());
                }
                Change::Record(Record::Saved { node, path })
            }
        };
        // These alone are not worth a journal.
        let waits = !matches!(change, Change::Node(_) | Change::Record(Record::Rename { .. }));
        if waits && !matches!(self.kept, Kept::Journal(_) | Kept::Waiting(..)) {
            return None;
        }
        let result = self.commit(vec![change]);
        self.told(result)
    }

    /// What has changed about the disk.
    fn told(&mut self, result: Result<(), ProjectError>) -> Option<Command> {
        let failing = std::mem::replace(&mut self.failing, result.is_err());
        match result {
            Err(error) => Some(Command::KeepingFailed(Some(error.to_string()))),
            Ok(()) if failing => Some(Command::KeepingFailed(None)),
            Ok(()) => None,
        }
    }

    /// Tries again what the disk did not take.
    pub(crate) fn try_again(&mut self) -> Option<Command> {
        if !self.failing {
            return None;
        }
        let result = self.commit(Vec::new());
        self.told(result)
    }

    fn commit(&mut self, mut changes: Vec<Change>) -> Result<(), ProjectError> {
        let kept = std::mem::replace(&mut self.kept, Kept::Nothing);
        let (mut waiting, project) = match kept {
            Kept::Journal(mut journal) => {
                let result = journal.commit(changes);
                self.kept = Kept::Journal(journal);
                return result;
            }
            Kept::Nothing => (Vec::new(), None),
            Kept::First(node, thumbnail) => {
                let thumbnail = thumbnail.map(|image| Change::Thumbnail(node.id, image));
                (std::iter::once(Change::Node(node)).chain(thumbnail).collect(), None)
            }
            Kept::Project(project) => (Vec::new(), Some(project)),
            Kept::Waiting(waiting, project) => (waiting, project),
        };
        waiting.append(&mut changes);
        match self.start(project.as_deref()) {
            Ok(mut journal) => {
                let result = journal.commit(waiting);
                self.kept = Kept::Journal(Box::new(journal));
                result
            }
            Err(error) => {
                self.kept = Kept::Waiting(waiting, project);
                Err(error)
            }
        }
    }

    fn start(&self, project: Option<&ProjectFile>) -> Result<Journal, ProjectError> {
        let root = self.root.as_deref().ok_or(ProjectError::NoFolder)?;
        match project {
            None => Journal::create(root, &ProjectRecord::new()),
            Some(project) => {
                // The tree is read anew: whoever holds the project goes on with it if this fails.
                let mut tree = Tree::default();
                for record in project.tree.records() {
                    tree.take(record)?;
                }
                Journal::continue_project(root, tree, &project.path)
            }
        }
    }

    /// The id of the project that the tree belongs to, once it has one.
    pub(crate) fn project(&self) -> Option<String> {
        let tree = match &self.kept {
            Kept::Journal(journal) => journal.tree(),
            Kept::Project(project) | Kept::Waiting(_, Some(project)) => &project.tree,
            Kept::Nothing | Kept::First(..) | Kept::Waiting(_, None) => return None,
        };
        tree.project.as_ref().map(|project| project.id.clone())
    }

    /// Gets a state's pixels back.
    pub(crate) fn fetch(&mut self, node: NodeId) -> Command {
        let result = match &mut self.kept {
            Kept::Journal(journal) => journal.document(node),
            Kept::Project(project) | Kept::Waiting(_, Some(project)) => {
                project.tree.document(node, &mut project.file)
            }
            _ => Err(ProjectError::NoNode(node)),
        };
        Command::Fetched { node, result: result.map(Box::new).map_err(|e| e.to_string()) }
    }

    /// The whole tree, to be saved while the journal goes on, and the file that was saved before.
    pub(crate) fn saving(&mut self, path: &Path) -> Result<Save, ProjectError> {
        if let Err(error) = self.commit(Vec::new()) {
            log::warn!("{error}");
        }
        let previous = self.file.clone().filter(|file| file.is_file());
        let remembered = self.remembered(path);
        let (saving, scratch) = match &mut self.kept {
            Kept::Journal(journal) => (journal.saving()?, None),
            Kept::Waiting(waiting, None) => {
                // Where no journal can be made, a file elsewhere may still be written.
                let folder = path.parent().unwrap_or(path);
                let scratch = tempfile::tempdir_in(folder).map_err(|source| ProjectError::Io {
                    doing: "make a folder for what is being saved",
                    source,
                    path: folder.to_owned(),
                })?;
                let mut journal = Journal::create(scratch.path(), &ProjectRecord::new())?;
                journal.commit(waiting.iter().cloned())?;
                (journal.saving()?, Some(scratch))
            }
            _ => return Err(ProjectError::Empty),
        };
        Ok(Save { saving, previous, remembered, _scratch: scratch })
    }

    /// Where a second name of a saved project is kept, for the day that another program writes over
    /// the file and leaves the tree out.
    fn remembered(&self, path: &Path) -> Option<PathBuf> {
        let folder = self.root.as_ref()?.parent()?.join("projects");
        let path = std::path::absolute(path).ok()?;
        let name = ContentHash::of("path", &[path.as_os_str().as_encoded_bytes()]);
        Some(folder.join(format!("{name}.ora")))
    }

    /// How a project looks from afar; nothing where that can't be known before all of it was read.
    pub(crate) fn preview(path: &Path) -> Option<Command> {
        match OraFile::open(path).and_then(|mut file| file.preview()) {
            Ok(preview) => preview.map(|(image, extent)| Command::ProjectPreview {
                path: path.to_owned(),
                image: Arc::new(image),
                extent,
            }),
            Err(error) => {
                // Opening it says what the user should know.
                log::debug!("there is no preview: {error}");
                None
            }
        }
    }

    /// Reads a project.
    pub(crate) fn open(&mut self, path: &Path) -> Command {
        match self.try_open(path) {
            Ok(opened) => Command::ProjectOpened(Box::new(opened)),
            Err(error) => Command::Failed(error.to_string()),
        }
    }

    fn try_open(&mut self, path: &Path) -> Result<OpenedProject, ProjectError> {
        let mut opened = file::open(path)?;
        if opened.tree.is_none()
            && let Some(kept) = self.remembered(path).filter(|kept| kept.is_file())
            && let Ok(kept) = file::open(&kept)
            && kept.tree.is_some()
        {
            // Another program has left out what it does not know; it is still here.
            let file::Opened { document, remarks, damaged, .. } = opened;
            let differs = Some(Differs::ChangedElsewhere);
            opened = file::Opened { document, differs, damaged, remarks, ..kept };
        }
        let file::Opened { tree, saved, document, differs, mut file, damaged, mut remarks } =
            opened;
        // What is damaged is not written over.
        let own = (!damaged).then(|| path.to_owned());
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(mut tree) = tree else {
            // Another program's file: it starts a tree.
            let node = NewNode {
                id: NodeId(1),
                parent: None,
                label: trf("Open {name}", &[("name", &name)]),
                time: SystemTime::now(),
                edits: Vec::new(),
                document: document.clone(),
            };
            let nodes = vec![stored(&node)];
            self.opened = Some(Kept::First(Box::new(node), None));
            return Ok(OpenedProject {
                saved: own.is_some().then_some(NodeId(1)),
                path: own,
                nodes,
                current: NodeId(1),
                document,
                attached: BTreeMap::new(),
                remarks,
            });
        };
        let mut nodes = stored_nodes(&tree, &mut file);
        let having = with_attached(&tree);
        let attached = attached(&having, &mut remarks, |node| tree.attached(node, &mut file));
        let project = Box::new(ProjectFile { path: file.path().to_owned(), tree, file });
        let mut current = saved.unwrap_or(NodeId(1));
        let saved = saved.filter(|_| own.is_some());
        let Some(differs) = differs else {
            self.opened = Some(Kept::Project(project));
            return Ok(OpenedProject {
                path: own,
                nodes,
                current,
                document,
                attached,
                saved,
                remarks,
            });
        };
        let label = match differs {
            Differs::ChangedElsewhere => {
                remarks.insert(0, tr("Another program has changed this file; that is a new state of its history now.").to_owned());
                tr("Changed by another program")
            }
            Differs::Damaged => tr("Read from the layers"),
        };
        let last = nodes.last().map_or(0, |node| node.id.0);
        let node = NewNode {
            id: NodeId(last + 1),
            parent: Some(current),
            label: label.to_owned(),
            time: SystemTime::now(),
            edits: vec![Edit::Replace(Box::new(document.clone()))],
            document: document.clone(),
        };
        current = node.id;
        nodes.push(stored(&node));
        self.opened = Some(match self.start(Some(&project)) {
            Ok(mut journal) => match journal.commit([Change::Node(Box::new(node.clone()))]) {
                Ok(()) => Kept::Journal(Box::new(journal)),
                Err(error) => {
                    log::warn!("{error}");
                    Kept::Waiting(vec![Change::Node(Box::new(node))], Some(project))
                }
            },
            Err(error) => {
                log::warn!("{error}");
                Kept::Waiting(vec![Change::Node(Box::new(node))], Some(project))
            }
        });
        Ok(OpenedProject { path: own, nodes, current, document, attached, saved, remarks })
    }

    /// Looks for work that was left behind; what a project has to the end is cleaned up.
    pub(crate) fn find_work(&self) -> Option<Command> {
        let mut found = Vec::new();
        for work in journal::abandoned(self.root.as_deref()?) {
            // A picture file has neither the layers nor the tree.
            let in_project = work.file.as_deref().is_some_and(|f| is_project(f) && f.is_file());
            if !work.unsaved && in_project {
                if let Err(error) = journal::remove_abandoned(&work.folder) {
                    log::warn!("{error}");
                }
                continue;
            }
            found.push(LeftWork {
                folder: work.folder,
                time: work.time,
                states: work.states,
                first: work.first,
                label: work.label,
                file: work.file,
                bytes: work.bytes,
                thumbnail: work.thumbnail.map(Arc::new),
            });
        }
        log::debug!("{} works were left behind", found.len());
        (!found.is_empty()).then_some(Command::WorkFound(found))
    }

    /// Takes up work that was left behind.
    pub(crate) fn take_up(&mut self, folder: &Path) -> Command {
        let recovered = Journal::take_up(folder).and_then(|recovered| {
            let mut journal = recovered.journal;
            let current = journal.tree().current().ok_or(ProjectError::Empty)?;
            let document = journal.document(current)?;
            Ok((journal, current, document, recovered.remarks))
        });
        let (mut journal, current, document, mut remarks) = match recovered {
            Ok(recovered) => recovered,
            Err(error) => return Command::Failed(error.to_string()),
        };
        let saved = journal.tree().saved().map(|(node, path)| (node, path.to_owned()));
        let nodes = journal.stored_nodes();
        let having = with_attached(journal.tree());
        let attached = attached(&having, &mut remarks, |node| journal.attached(node));
        self.file = saved.as_ref().map(|(_, path)| path.clone());
        self.opened = Some(Kept::Journal(Box::new(journal)));
        let (saved, path) = saved.unzip();
        let opened = OpenedProject { path, nodes, current, document, attached, saved, remarks };
        Command::ProjectOpened(Box::new(opened))
    }

    /// Deletes work that was left behind.
    pub(crate) fn throw_away(folder: &Path) -> Option<Command> {
        journal::remove_abandoned(folder).err().map(|error| Command::Failed(error.to_string()))
    }

    /// Ends the journal: its work was saved, or is not wanted any more.
    pub(crate) fn end(&mut self) {
        self.file = None;
        self.failing = false;
        if let Kept::Journal(journal) = std::mem::replace(&mut self.kept, Kept::Nothing)
            && let Err(error) = journal.remove()
        {
            log::warn!("{error}");
        }
    }
}

/// A tree on its way to a file.
pub(crate) struct Save {
    saving: Saving,
    previous: Option<PathBuf>,
    remembered: Option<PathBuf>,
    // What is read from while the file is written.
    _scratch: Option<tempfile::TempDir>,
}

impl Save {
    /// Writes the file; on any thread.
    pub(crate) fn write(self, path: PathBuf, node: NodeId, document: &Document) -> Command {
        let Self { saving, previous, remembered, _scratch } = self;
        match saving.write(&path, node, document, previous.as_deref()) {
            Ok(report) => {
                log::debug!("saved {path:?}: {report:?}");
                if let Some(kept) = remembered
                    && let Err(error) = remember(&path, &kept)
                {
                    log::info!("no second name for {path:?}: {error}");
                }
                Command::Saved { path, node }
            }
            Err(error) => Command::Failed(error.to_string()),
        }
    }
}

/// Gives a saved project a second name, which takes no space as long as both are the same, and lets
/// go of the oldest ones.
fn remember(path: &Path, kept: &Path) -> std::io::Result<()> {
    let Some(folder) = kept.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    match std::fs::remove_file(kept) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::hard_link(path, kept)?;
    let mut all: Vec<(SystemTime, PathBuf)> = std::fs::read_dir(folder)?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    all.sort();
    let many = all.len().saturating_sub(MAX_REMEMBERED);
    all.iter().take(many).try_for_each(|(_, path)| std::fs::remove_file(path))
}

trait StoredNodes {
    fn stored_nodes(&mut self) -> Vec<StoredNode>;
}

impl StoredNodes for Journal {
    fn stored_nodes(&mut self) -> Vec<StoredNode> {
        let thumbnails = newest(self.tree())
            .into_iter()
            .filter_map(|node| Some((node, self.thumbnail(node).ok()??)))
            .collect::<Vec<_>>();
        with_thumbnails(self.tree(), thumbnails)
    }
}

fn stored_nodes(tree: &Tree, pictures: &mut dyn Pictures) -> Vec<StoredNode> {
    let thumbnails = newest(tree)
        .into_iter()
        .filter_map(|node| Some((node, tree.thumbnail(node, pictures).ok()??)))
        .collect();
    with_thumbnails(tree, thumbnails)
}

/// The states whose thumbnails are read.
fn newest(tree: &Tree) -> Vec<NodeId> {
    tree.nodes().rev().take(MAX_THUMBNAILS).map(|node| node.id).collect()
}

fn with_thumbnails(tree: &Tree, thumbnails: Vec<(NodeId, RgbaImage)>) -> Vec<StoredNode> {
    let mut thumbnails: BTreeMap<NodeId, Arc<RgbaImage>> =
        thumbnails.into_iter().map(|(node, image)| (node, Arc::new(image))).collect();
    tree.nodes()
        .map(|node| StoredNode {
            id: node.id,
            parent: node.parent,
            label: node.label.clone(),
            kind: node.kind(),
            record: node.model_record().map(Arc::from),
            time: UNIX_EPOCH + Duration::from_millis(node.time_ms),
            thumbnail: thumbnails.remove(&node.id),
            pinned: tree.is_pinned(node.id),
        })
        .collect()
}

/// The states with pictures that were shown with a message, newest first, and the bytes that they
/// take at most.
fn with_attached(tree: &Tree) -> Vec<(NodeId, usize)> {
    let bytes = |node: &NodeRecord| -> usize {
        let areas = node.attached().map(|record| record.extent.area());
        areas.fold(0, |all, area| all.saturating_add(area.saturating_mul(4)))
    };
    let nodes = tree.nodes().rev().filter(|node| node.attached().next().is_some());
    nodes.map(|node| (node.id, bytes(node))).collect()
}

/// Reads the pictures that were shown with messages, as many as fit.
///
/// The editor shows them and may offer them again at any time, so they are not fetched one by one.
fn attached(
    having: &[(NodeId, usize)],
    remarks: &mut Vec<String>,
    mut read: impl FnMut(NodeId) -> Result<Vec<Attachment>, ProjectError>,
) -> BTreeMap<NodeId, Vec<Attachment>> {
    let mut found = BTreeMap::new();
    // Messages that were asked again share their pictures.
    let mut images = BTreeSet::new();
    let (mut used, mut left_out) = (0_usize, false);
    for (node, bytes) in having {
        if used.saturating_add(*bytes) > MAX_ATTACHED_BYTES {
            left_out = true;
            continue;
        }
        match read(*node) {
            Ok(attachments) => {
                for Attachment { image, .. } in &attachments {
                    if images.insert(Arc::as_ptr(image).addr()) {
                        used += image.as_raw().len();
                    }
                }
                found.insert(*node, attachments);
            }
            Err(error) => {
                log::warn!("what was shown with the message of state {}: {error}", node.0);
                left_out = true;
            }
        }
    }
    if left_out {
        let text = tr(
            "Some pictures that were shown with earlier messages are left out: they can't be read, or are too large to be kept ready.",
        );
        remarks.push(text.to_owned());
    }
    found
}

fn stored(node: &NewNode) -> StoredNode {
    StoredNode {
        id: node.id,
        parent: node.parent,
        label: node.label.clone(),
        kind: OperationKind::of(&node.edits),
        record: None,
        time: node.time,
        thumbnail: None,
        pinned: false,
    }
}

/// A state as the journal takes it; nothing of a state whose pixels are gone.
fn new_node(node: Node) -> NewNode {
    NewNode {
        id: node.id,
        parent: node.parent,
        label: node.operation.label,
        time: node.time,
        edits: node.operation.edits,
        document: node
            .document
            .unwrap_or_else(|| Document::new(crate::geom::Extent::new(1, 1), "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{History, Operation};
    use crate::editor::{Editor, Effect};
    use crate::geom::Extent;
    use crate::ui::sample;
    use crate::ui::script::{self, Reply};

    fn history() -> History {
        History::new(Document::new(Extent::new(8, 8), "Layer 1"), "New picture", usize::MAX)
    }

    fn keep_current(keeper: &mut Keeper, history: &History, keep: impl Fn(Box<Node>) -> Keep) {
        let node = history.node(history.current()).unwrap().clone();
        assert!(keeper.keep(keep(Box::new(node))).is_none());
    }

    /// A step that adds a layer.
    fn step(keeper: &mut Keeper, history: &mut History) {
        let mut document = history.document().unwrap().clone();
        let edits = vec![Edit::AddLayer { name: "Layer 2".to_owned() }];
        edits[0].apply(&mut document).unwrap();
        history.commit(document, Operation { label: "Add layer".to_owned(), edits });
        keep_current(keeper, history, Keep::Node);
    }

    #[test]
    fn a_crash_after_a_save_costs_no_layers() {
        let check = |name: &str, there: bool, offered: bool| {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().join("journals");
            let path = folder.path().join(name);
            let mut keeper = Keeper::new(Some(root.clone()));
            let mut history = history();
            keep_current(&mut keeper, &history, Keep::Start);
            step(&mut keeper, &mut history);
            if there {
                std::fs::write(&path, "as good as the file of that name").unwrap();
            }
            keeper.keep(Keep::Saved(history.current(), path.clone()));
            // The program ends; nobody calls `end`.
            drop(keeper);
            let found = match Keeper::new(Some(root.clone())).find_work() {
                Some(Command::WorkFound(found)) => found,
                None => Vec::new(),
                Some(other) => panic!("{other:?}"),
            };
            let files: Vec<_> = found.into_iter().map(|work| work.file).collect();
            let expected = if offered { vec![Some(path)] } else { Vec::new() };
            assert_eq!(files, expected, "{name}");
            assert_eq!(std::fs::read_dir(root).unwrap().count(), usize::from(offered), "{name}");
        };
        check("all.ora", true, false);
        check("ALL.ORA", true, false);
        check("moved-away.ora", false, true);
        check("flat.png", true, true);
        check("flat", true, true);
    }

    #[test]
    fn pictures_shown_with_a_message_are_there_after_opening_and_after_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("journals");
        let mut keeper = Keeper::new(Some(root.clone()));
        let mut editor = script::editor();
        let first = editor.history.node(editor.history.root()).unwrap().clone();
        keeper.keep(Keep::Start(Box::new(first)));
        let mut ask = |editor: &mut Editor, text: &str, reply: Reply| {
            let image = sample::picture(text.len() as u32, 300);
            let name = format!("for {text}");
            script::act(editor, Command::Attached { image, name });
            let plan = script::send(editor, text);
            for effect in script::answer(editor, &plan, reply) {
                if let Effect::Keep(keep) = effect {
                    assert!(keeper.keep(keep).is_none());
                }
            }
            editor.history.current()
        };
        let extent = editor.document.extent;
        let red = || {
            let mask = script::soft_mask(extent, (10, 10, 40, 40));
            Reply::picture(extent, [200, 10, 10, 255], mask)
        };
        let why = ask(&mut editor, "why?", Reply::words("because"));
        ask(&mut editor, "a cloud", red());
        script::act(&mut editor, Command::GoTo(why));
        // Beside the cloud, with a picture of its own.
        ask(&mut editor, "a bird", red());
        let shown = editor.chat.attached.clone();
        assert_eq!(shown.len(), 3);
        let path = folder.path().join("all.ora");
        let save = keeper.saving(&path).unwrap();
        save.write(path.clone(), editor.history.current(), &editor.document);
        // The program ends; nobody calls `end`.
        drop(keeper);

        let check = |opened: Command| {
            let mut editor = Editor::new(crate::preferences::Preferences::default(), 1);
            script::act(&mut editor, opened);
            assert_eq!(editor.chat.attached, shown);
            for (node, attachments) in &shown {
                script::act(&mut editor, Command::EditMessage(*node));
                assert_eq!(&editor.chat.attachments, attachments);
            }
            let told: Vec<_> = editor.notices.iter().map(|notice| &notice.text).collect();
            assert!(!told.iter().any(|text| text.contains("left out")), "{told:?}");
        };
        let mut keeper = Keeper::new(Some(root));
        check(keeper.open(&path));
        let Some(Command::WorkFound(found)) = keeper.find_work() else { panic!("nothing left") };
        check(keeper.take_up(&found[0].folder));
    }

    #[test]
    fn what_was_shown_with_messages_is_read_as_far_as_it_fits_and_is_there() {
        let image = Arc::new(RgbaImage::new(Extent::new(2, 2), [1; 4]));
        let attachment = Attachment { image, name: "dot".to_owned() };
        let read = |having: &[(u64, usize)]| {
            let having: Vec<_> = having.iter().map(|(id, bytes)| (NodeId(*id), *bytes)).collect();
            let mut remarks = Vec::new();
            let found = attached(&having, &mut remarks, |node| match node {
                NodeId(2) => Err(ProjectError::NoNode(node)),
                _ => Ok(vec![attachment.clone()]),
            });
            let ids: Vec<u64> = found.keys().map(|node| node.0).collect();
            (ids, remarks.len())
        };
        // The same picture again needs no more.
        assert_eq!(read(&[(9, 16), (5, 16), (1, MAX_ATTACHED_BYTES - 16)]), (vec![1, 5, 9], 0));
        assert_eq!(read(&[(9, 16), (5, usize::MAX), (2, 16), (1, 16)]), (vec![1, 9], 1));
    }

    #[test]
    fn the_first_state_keeps_its_small_picture() {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = Keeper::new(Some(folder.path().join("journals")));
        let mut history = history();
        let root = history.root();
        keep_current(&mut keeper, &history, Keep::Start);
        let other = Arc::new(RgbaImage::new(Extent::new(2, 2), [9; 4]));
        keeper.keep(Keep::Thumbnail(NodeId(77), other));
        let image = Arc::new(RgbaImage::new(Extent::new(3, 2), [200, 10, 30, 255]));
        keeper.keep(Keep::Thumbnail(root, Arc::clone(&image)));
        assert!(!folder.path().join("journals").exists(), "a look at a picture costs nothing");

        step(&mut keeper, &mut history);
        let path = folder.path().join("all.ora");
        let save = keeper.saving(&path).unwrap();
        save.write(path.clone(), history.current(), history.document().unwrap());
        let file::Opened { tree, mut file, .. } = file::open(&path).unwrap();
        let found = tree.unwrap().thumbnail(root, &mut file).unwrap();
        assert_eq!(found.as_ref(), Some(&*image));
    }
}
