//! What a journal promises: what was committed comes back, whatever happens.

use super::*;
use crate::document::testing::Rng;
use crate::document::{Attachment, History, Operation};
use crate::geom::{Extent, PixelRect};
use crate::project::{FORMAT, document_content};
use crate::storage::disk::faults;

fn project() -> ProjectRecord {
    ProjectRecord { format: FORMAT, id: "0".repeat(32), writer: "test".to_owned() }
}

/// Makes states out of random edits.
struct Painter {
    rng: Rng,
    document: Document,
    last: u64,
}

impl Painter {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let document = rng.document();
        Self { rng, document, last: 0 }
    }

    fn next(&mut self) -> Change {
        let mut edits = Vec::new();
        while self.last > 0 && edits.is_empty() {
            let edit = self.rng.edit(&self.document);
            let mut document = self.document.clone();
            if edit.apply(&mut document).is_ok() {
                self.document = document;
                edits.push(edit);
            }
        }
        self.last += 1;
        Change::Node(Box::new(NewNode {
            id: NodeId(self.last),
            parent: (self.last > 1).then(|| NodeId(self.last - 1)),
            label: format!("State {}", self.last),
            time: SystemTime::now(),
            edits,
            document: self.document.clone(),
        }))
    }
}

#[test]
fn what_was_committed_is_taken_up_and_gone_on_with() {
    let root = tempfile::tempdir().unwrap();
    let mut painter = Painter::new(3);
    let mut documents = Vec::new();
    let mut journal = Journal::create(root.path(), &project()).unwrap();
    for round in 0..4 {
        for _ in 0..10 {
            let change = painter.next();
            journal.commit([change]).unwrap();
            documents.push(painter.document.clone());
        }
        let thumbnail = Arc::new(RgbaImage::new(Extent::new(16, 9), [round; 4]));
        let node = NodeId(painter.last);
        journal.commit([Change::Thumbnail(node, Arc::clone(&thumbnail))]).unwrap();
        let folder = journal.folder().to_owned();
        assert_eq!(abandoned(root.path()), [], "it is being written");
        drop(journal);
        let found = abandoned(root.path());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].states, found[0].unsaved), (documents.len(), true));
        assert_eq!(found[0].label, format!("State {}", painter.last));
        let recovered = Journal::take_up(&folder).unwrap();
        assert_eq!(recovered.remarks, Vec::<String>::new());
        journal = recovered.journal;
        for (i, document) in documents.iter().enumerate() {
            assert_eq!(&journal.document(NodeId(i as u64 + 1)).unwrap(), document);
        }
        assert_eq!(journal.thumbnail(node).unwrap().as_ref(), Some(thumbnail.as_ref()));
    }
    let saved = Record::Saved { node: NodeId(painter.last), path: PathBuf::from("a.ora") };
    journal.commit([Change::Record(saved)]).unwrap();
    drop(journal);
    let found = abandoned(root.path());
    assert!(!found[0].unsaved);
    assert_eq!(found[0].file.as_deref(), Some(Path::new("a.ora")));
    remove_abandoned(&found[0].folder).unwrap();
    assert_eq!(abandoned(root.path()), []);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn what_was_shown_with_a_message_is_recovered() {
    let root = tempfile::tempdir().unwrap();
    let mut painter = Painter::new(6);
    let mut journal = Journal::create(root.path(), &project()).unwrap();
    journal.commit([painter.next()]).unwrap();
    let mut shown = Vec::new();
    for id in 2..5 {
        let image = Arc::new(painter.rng.image());
        let attachment = Attachment { image, name: format!("picture {id}") };
        let said = Edit::Said { record: r#"{"command":"chat"}"#.to_owned() };
        let node = NewNode {
            id: NodeId(id),
            parent: Some(NodeId(1)),
            label: "Chat".to_owned(),
            time: SystemTime::now(),
            edits: vec![Edit::Attach(attachment.clone()), said],
            document: painter.document.clone(),
        };
        journal.commit([Change::Node(Box::new(node))]).unwrap();
        shown.push(attachment);
    }
    let folder = journal.folder().to_owned();
    drop(journal);
    let recovered = Journal::take_up(&folder).unwrap();
    assert_eq!(recovered.remarks, Vec::<String>::new());
    let mut journal = recovered.journal;
    for (id, attachment) in (2..).zip(shown) {
        assert_eq!(journal.attached(NodeId(id)).unwrap(), [attachment]);
    }
    // And the file that is saved from it has them.
    let path = root.path().join("all.ora");
    journal.save(&path, NodeId(4), &painter.document, None).unwrap();
    let opened = crate::project::file::open(&path).unwrap();
    let (mut tree, mut file) = (opened.tree.unwrap(), opened.file);
    let saved = tree.attached(NodeId(3), &mut file).unwrap();
    assert_eq!(saved, journal.attached(NodeId(3)).unwrap());
}

/// Copies a folder's files, cut to the lengths that are given.
fn copy_cut(from: &Path, to: &Path, records: u64, pictures: u64) {
    fs::create_dir_all(to).unwrap();
    for (name, length) in [(RECORDS, records), (PICTURES, pictures)] {
        let mut bytes = fs::read(from.join(name)).unwrap();
        bytes.truncate(length as usize);
        fs::write(to.join(name), bytes).unwrap();
    }
}

#[test]
fn at_any_length_of_the_files_all_states_but_the_last_come_back() {
    let root = tempfile::tempdir().unwrap();
    let mut painter = Painter::new(8);
    let mut journal = Journal::create(root.path(), &project()).unwrap();
    // How long the files were when each state was committed.
    let mut lengths = Vec::new();
    let mut contents = Vec::new();
    for _ in 0..25 {
        let change = painter.next();
        journal.commit([change]).unwrap();
        lengths.push((journal.lines.bytes(), journal.pack.bytes()));
        contents.push(document_content(&painter.document));
    }
    let folder = journal.folder().to_owned();
    drop(journal);
    let mut rng = Rng(1);
    for round in 0..150 {
        // The pictures of a state are there before its lines are.
        let state = 1 + rng.below(24) as usize;
        let (before, after) = (lengths[state - 1], lengths[state]);
        let part =
            |rng: &mut Rng, from: u64, to: u64| from + u64::from(rng.below((to - from) as u32 + 1));
        let (records, pictures) = if rng.one_in(2) {
            (before.0, part(&mut rng, before.1, after.1))
        } else {
            (part(&mut rng, before.0, after.0), after.1)
        };
        let copy = root.path().join(format!("copy-{round}"));
        copy_cut(&folder, &copy, records, pictures);
        let mut recovered = Journal::take_up(&copy).unwrap();
        assert_eq!(recovered.remarks, Vec::<String>::new());
        let complete = if records == after.0 { state + 1 } else { state };
        let nodes: Vec<NodeId> = recovered.journal.tree().nodes().map(|node| node.id).collect();
        assert_eq!(nodes.len(), complete);
        let last = recovered.journal.document(nodes[complete - 1]).unwrap();
        assert_eq!(document_content(&last), contents[complete - 1]);
        // And work goes on.
        let mut document = last;
        document.layers[0].pixels.fill(PixelRect::new(0, 0, 40, 40), [9, 8, 7, 255]);
        let id = NodeId(complete as u64 + 1);
        let node = NewNode {
            id,
            parent: Some(nodes[complete - 1]),
            label: String::new(),
            time: SystemTime::now(),
            edits: Vec::new(),
            document: document.clone(),
        };
        recovered.journal.commit([Change::Node(Box::new(node))]).unwrap();
        drop(recovered);
        let mut again = Journal::take_up(&copy).unwrap().journal;
        assert_eq!(again.document(id).unwrap(), document);
    }
}

#[test]
fn a_damaged_middle_costs_what_builds_on_it_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let mut painter = Painter::new(2);
    let mut journal = Journal::create(root.path(), &project()).unwrap();
    let mut lengths = Vec::new();
    for _ in 0..12 {
        let change = painter.next();
        journal.commit([change]).unwrap();
        lengths.push(journal.lines.bytes());
    }
    let folder = journal.folder().to_owned();
    drop(journal);
    let path = folder.join(RECORDS);
    let mut bytes = fs::read(&path).unwrap();
    // A digit of the check sum of the line after the eighth state.
    bytes[lengths[7] as usize] ^= 1;
    fs::write(&path, bytes).unwrap();
    let recovered = Journal::take_up(&folder).unwrap();
    assert!(recovered.remarks[0].contains("is damaged"), "{:?}", recovered.remarks);
    assert!(recovered.journal.tree().nodes().count() >= 8);
    assert!(abandoned(root.path()).is_empty());
}

#[test]
fn a_full_disk_is_told_and_costs_nothing_once_there_is_room() {
    for seed in 0..6 {
        let root = tempfile::tempdir().unwrap();
        let mut painter = Painter::new(seed);
        let mut journal = Journal::create(root.path(), &project()).unwrap();
        let mut documents = Vec::new();
        let mut failures = 0;
        for round in 0..30 {
            // Now and then some steps fail, one after the other or just one.
            let failing = round % 3 == 1;
            if failing {
                faults::fail(painter.rng.below(4), 1 + painter.rng.below(3));
            }
            let change = painter.next();
            let result = journal.commit([change]);
            faults::stop();
            if let Err(error) = result {
                assert!(failing);
                failures += 1;
                assert!(error.to_string().contains("no space left"), "{error}");
                assert!(journal.waiting() > 0);
            }
            documents.push(painter.document.clone());
        }
        assert!(failures > 3);
        journal.commit([]).unwrap();
        assert_eq!(journal.waiting(), 0);
        let folder = journal.folder().to_owned();
        drop(journal);
        let recovered = Journal::take_up(&folder).unwrap();
        assert_eq!(recovered.remarks, Vec::<String>::new());
        let mut journal = recovered.journal;
        for (i, document) in documents.iter().enumerate() {
            assert_eq!(&journal.document(NodeId(i as u64 + 1)).unwrap(), document);
        }
    }
}

#[test]
fn two_programs_do_not_write_one_journal() {
    let root = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(root.path(), &project()).unwrap();
    journal.commit([Painter::new(1).next()]).unwrap();
    let other = Journal::create(root.path(), &project()).unwrap();
    assert_ne!(journal.folder(), other.folder());
    let error = Journal::take_up(journal.folder()).err().unwrap().to_string();
    assert!(error.contains("another Gesso writes it"), "{error}");
    assert!(remove_abandoned(journal.folder()).is_err());
    let folder = journal.folder().to_owned();
    journal.remove().unwrap();
    assert!(!folder.exists());
}

#[test]
fn what_is_no_journal_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("note.txt"), "mine").unwrap();
    fs::create_dir(root.path().join("empty")).unwrap();
    let other = root.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join(RECORDS), "something else\n").unwrap();
    assert_eq!(abandoned(root.path()), []);
    assert!(matches!(Journal::take_up(&other), Err(ProjectError::Empty)));
    assert!(other.join(RECORDS).exists());
}

/// Ten thousand random edits from random states of a tree: memory stays within the history's budget,
/// the disk grows with what is new, and every state comes back.
#[test]
fn ten_thousand_steps_over_a_tree_come_back_within_the_budget() {
    const STEPS: u64 = 10_000;
    const BUDGET: usize = 48 << 20;
    let root = tempfile::tempdir().unwrap();
    let mut rng = Rng(77);
    let mut document = rng.document();
    let mut history = History::new(document.clone(), "First", BUDGET);
    let mut journal = Journal::create(root.path(), &project()).unwrap();
    let mut contents = vec![document_content(&document)];
    let node = |history: &History| {
        let node = history.node(history.current()).unwrap();
        Change::Node(Box::new(NewNode {
            id: node.id,
            parent: node.parent,
            label: node.operation.label.clone(),
            time: node.time,
            edits: node.operation.edits.clone(),
            document: node.document.clone().unwrap(),
        }))
    };
    let mut group = vec![node(&history)];
    let mut tiles = std::collections::HashSet::new();
    while (contents.len() as u64) < STEPS {
        if rng.one_in(20) {
            // Anywhere in the tree; what was let go is fetched.
            journal.commit(group.drain(..)).unwrap();
            let id = NodeId(1 + rng.next() % contents.len() as u64);
            if !history.go_to(id) {
                let fetched = journal.document(id).unwrap();
                assert_eq!(document_content(&fetched), contents[id.0 as usize - 1]);
                assert!(history.fill(id, fetched) && history.go_to(id));
            }
            document = history.document().unwrap().clone();
        }
        // Not ever more layers.
        let edit = if document.layers.len() > 6 { Edit::Flatten } else { rng.edit(&document) };
        let mut next = document.clone();
        if edit.apply(&mut next).is_err() {
            continue;
        }
        document = next;
        contents.push(document_content(&document));
        for layer in &document.layers {
            tiles.extend(layer.pixels.tiles().map(|(_, tile)| tile.version()));
        }
        let operation = Operation { label: String::new(), edits: vec![edit] };
        history.commit(document.clone(), operation);
        group.push(node(&history));
        assert!(history.bytes() <= BUDGET, "{}", history.bytes());
        if group.len() > 50 {
            journal.commit(group.drain(..)).unwrap();
        }
    }
    journal.commit(group).unwrap();
    // Lines are text, and far less than the pixels that changed.
    let (lines, pictures) = (journal.lines.bytes(), journal.pack.bytes());
    assert!(lines < STEPS * 4000, "{lines} bytes of lines");
    assert!(pictures < tiles.len() as u64 * 300_000, "{pictures} bytes of pictures");
    let folder = journal.folder().to_owned();
    drop(journal);
    let recovered = Journal::take_up(&folder).unwrap();
    assert_eq!(recovered.remarks, Vec::<String>::new());
    let mut journal = recovered.journal;
    for i in (0..contents.len()).step_by(37) {
        let document = journal.document(NodeId(i as u64 + 1)).unwrap();
        assert_eq!(document_content(&document), contents[i]);
    }
}
