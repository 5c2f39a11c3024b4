//! A project's file: an OpenRaster archive that has the tree beside the layers.
//!
//! Gesso's own entries are `gesso/records.jsonl`, the tree's records, one a line, and
//! `gesso/tiles/HASH.png`, the pictures that they name. The layers that other programs read are those
//! of the state that was saved. Where another program has changed them since, opening makes that
//! another state below the saved one; where it dropped Gesso's entries, the layers are all there is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use crate::document::{Document, Layer, LayerId, NodeId};
use crate::project::content::grid_content;
use crate::project::ora::{self, Contents, Entry, EntryContent, OraFile, SavedState, WriteReport};
use crate::project::{ContentHash, GridId, LayerRecord, Pictures, ProjectError, Record, Tree};

/// The entry that has the tree's records.
const RECORDS: &str = "gesso/records.jsonl";
/// Where the pictures are.
const TILES: &str = "gesso/tiles/";
/// Bytes of the records: a million strokes take less.
const MAX_RECORDS_BYTES: u64 = 1 << 30;
/// Bytes of a picture's PNG file.
const MAX_PNG_BYTES: u64 = 1 << 20;

/// A project that was read.
#[derive(Debug)]
pub struct Opened {
    /// The tree; nothing where the file has none.
    pub tree: Option<Tree>,
    /// The state that the file was saved at.
    pub saved: Option<NodeId>,
    /// The picture.
    pub document: Document,
    /// Why the picture is not the saved state of the tree: it becomes another state below it.
    pub differs: Option<Differs>,
    /// The file, for the pixels of the tree's other states.
    pub file: OraFile,
    /// Whether something of the file can't be read, so that it must not be written over.
    pub damaged: bool,
    /// What is missing or was replaced, in sentences.
    pub remarks: Vec<String>,
}

/// Why a picture is not the saved state of its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// Another program has changed the layers.
    ChangedElsewhere,
    /// The saved state can't be read, but the layers can.
    Damaged,
}

/// Reads a project.
///
/// # Errors
///
/// When the file can't be read, is no OpenRaster file, was written by a newer version, or has neither
/// a state nor a layer that can be read.
pub fn open(path: &Path) -> Result<Opened, ProjectError> {
    let mut file = OraFile::open(path)?;
    let mut remarks = Vec::new();
    let tree = read_tree(&mut file, &mut remarks)?;
    let damaged = !remarks.is_empty();
    let state = file.saved_state();
    let Some((mut tree, current)) = tree.and_then(|tree| tree.current().map(|node| (tree, node)))
    else {
        let opened = file.document()?;
        remarks.extend(opened.remarks);
        let document = opened.document;
        let differs = None;
        return Ok(Opened { tree: None, saved: None, document, differs, file, damaged, remarks });
    };
    let differs = if state == SavedState::Changed {
        Differs::ChangedElsewhere
    } else {
        match tree.document(current, &mut file) {
            Ok(document) => {
                let (tree, saved, differs) = (Some(tree), Some(current), None);
                return Ok(Opened { tree, saved, document, differs, file, damaged, remarks });
            }
            Err(error) => {
                remarks.push(error.to_string());
                Differs::Damaged
            }
        }
    };
    let opened = file.document()?;
    remarks.extend(opened.remarks);
    Ok(Opened {
        tree: Some(tree),
        saved: Some(current),
        document: opened.document,
        differs: Some(differs),
        file,
        damaged: damaged || differs == Differs::Damaged,
        remarks,
    })
}

fn read_tree(file: &mut OraFile, remarks: &mut Vec<String>) -> Result<Option<Tree>, ProjectError> {
    let lines = match file.entry(RECORDS, MAX_RECORDS_BYTES) {
        Ok(Some(lines)) => lines,
        Ok(None) => return Ok(None),
        Err(error) => {
            remarks.push(error.to_string());
            return Ok(None);
        }
    };
    let mut tree = Tree::default();
    let mut faults = 0;
    for line in String::from_utf8_lossy(&lines).lines() {
        match tree.take_line(line) {
            Ok(()) => {}
            Err(error @ ProjectError::Newer { .. }) => return Err(error),
            Err(error) => {
                faults += 1;
                log::warn!("{error}");
                if faults == 1 {
                    remarks.push(error.to_string());
                }
            }
        }
    }
    Ok(Some(tree))
}

/// Writes a project: a state of a tree as the picture that others see, and the whole tree.
///
/// What `previous` has is copied as it is: pictures, and layers that are the same. On failure
/// whatever was at `path` is still there.
///
/// # Errors
///
/// When there is no such state, a picture of the tree can't be read, or the file can't be written.
pub fn save(
    path: &Path,
    tree: &Tree,
    node: NodeId,
    document: &Document,
    pictures: &mut (dyn Pictures + Send),
    previous: Option<&Path>,
) -> Result<WriteReport, ProjectError> {
    let record = tree.node(node).ok_or(ProjectError::NoNode(node))?;
    let mut lines = String::new();
    let mut records = tree.records();
    records.retain(|record| !matches!(record, Record::GoTo { .. }));
    records.push(Record::GoTo { node });
    for record in records {
        let line = serde_json::to_string(&record);
        lines.push_str(&line.map_err(|error| ProjectError::Encode(error.to_string()))?);
        lines.push('\n');
    }
    let before = previous.and_then(|previous| OraFile::open(previous).ok());
    let previous = previous.filter(|_| before.is_some());
    let source = Mutex::new(pictures);
    let mut entries = vec![Entry {
        name: RECORDS.to_owned(),
        content: EntryContent::Bytes(Cow::Owned(lines.into_bytes())),
    }];
    for content in tree.pictures() {
        let name = picture_name(content);
        let there = before.as_ref().is_some_and(|file| file.has(&name));
        let content = if there {
            EntryContent::KeepFrom(name.clone())
        } else {
            EntryContent::Made(Box::new({
                let source = &source;
                move || {
                    let lock = source.lock().map_err(|_| std::io::Error::other("a panic"));
                    let file = lock?.png(content).map_err(std::io::Error::other)?;
                    let missing = || std::io::Error::other(ProjectError::MissingTile(content));
                    file.ok_or_else(missing)
                }
            }))
        };
        entries.push(Entry { name, content });
    }
    drop(before);
    let layers = &record.document.layers;
    let content_of = |layer: &Layer| {
        let record = layers.iter().find(|record| record.id == layer.id);
        record.map_or_else(String::new, |record| layer_content(tree, record))
    };
    let rows: BTreeMap<LayerId, LayerRows> =
        layers.iter().map(|layer| (layer.id, LayerRows::new(tree, layer))).collect();
    let row_of = |layer: &Layer, row: i32| {
        rows.get(&layer.id).map_or_else(String::new, |rows| rows.content(row))
    };
    let contents = Contents {
        document,
        entries,
        layer_content: &content_of,
        row_content: &row_of,
        picture_content: picture_content(tree, &record.document),
    };
    ora::write(path, &contents, previous)
}

/// Names the pixels and the mask of a layer.
fn layer_content(tree: &Tree, layer: &LayerRecord) -> String {
    let hash = |grid: Option<GridId>| {
        grid_content(tree.tiles_of(grid)).map_or_else(|| "-".to_owned(), |hash| hash.to_string())
    };
    match layer.mask {
        None => hash(layer.pixels),
        Some(mask) => format!("{} {}", hash(layer.pixels), hash(mask.cover)),
    }
}

/// Names of what the rows of tiles of a layer hold.
struct LayerRows {
    pixels: BTreeMap<i32, ContentHash>,
    mask: Option<BTreeMap<i32, ContentHash>>,
}

impl LayerRows {
    fn new(tree: &Tree, layer: &LayerRecord) -> Self {
        let rows = |grid: Option<GridId>| {
            let mut rows: BTreeMap<i32, Vec<u8>> = BTreeMap::new();
            for (at, content) in tree.tiles_of(grid) {
                let row = rows.entry(at.row).or_default();
                row.extend(at.column.to_le_bytes());
                row.extend(content.0);
            }
            rows.into_iter()
                .map(|(row, tiles)| (row, ContentHash::of("row of tiles", &[&tiles])))
                .collect()
        };
        Self { pixels: rows(layer.pixels), mask: layer.mask.map(|mask| rows(mask.cover)) }
    }

    fn content(&self, row: i32) -> String {
        let name = |rows: &BTreeMap<i32, ContentHash>| {
            rows.get(&row).map_or_else(|| "-".to_owned(), ContentHash::to_string)
        };
        let mask = self.mask.as_ref().map_or_else(String::new, |mask| format!(" {}", name(mask)));
        name(&self.pixels) + &mask
    }
}

/// Names what all layers together look like.
fn picture_content(tree: &Tree, document: &crate::project::DocumentRecord) -> String {
    let visible = document.layers.iter().filter(|layer| layer.visible);
    let layers: Vec<String> = visible
        .map(|layer| {
            let (opacity, mode) = (layer.opacity, layer.blend_mode.ora_name());
            format!("{opacity} {mode} {}", layer_content(tree, layer))
        })
        .collect();
    let text = format!("{}\n{}", document.extent, layers.join("\n"));
    ContentHash::of("picture", &[text.as_bytes()]).to_string()
}

fn picture_name(content: ContentHash) -> String {
    format!("{TILES}{content}.png")
}

impl Pictures for OraFile {
    fn png(&mut self, content: ContentHash) -> Result<Option<Vec<u8>>, ProjectError> {
        self.entry(&picture_name(content), MAX_PNG_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::document::testing::Rng;
    use crate::geom::{Extent, PixelRect};
    use crate::project::journal::{Change, Journal};
    use crate::project::{FORMAT, NewNode, ProjectRecord, document_content};
    use crate::storage::disk::faults;

    fn project() -> ProjectRecord {
        ProjectRecord { format: FORMAT, id: "0".repeat(32), writer: "test".to_owned() }
    }

    /// A journal with random states, and every document.
    fn journal(root: &Path, seed: u64, states: u64) -> (Journal, Vec<Document>) {
        let mut rng = Rng(seed);
        let mut journal = Journal::create(root, &project()).unwrap();
        let mut documents: Vec<Document> = vec![rng.document()];
        for id in 1..=states {
            let mut document = documents.last().unwrap().clone();
            let mut edits = Vec::new();
            while id > 1 && edits.is_empty() {
                let edit = rng.edit(&document);
                let mut next = document.clone();
                if edit.apply(&mut next).is_ok() {
                    document = next;
                    edits.push(edit);
                }
            }
            if id > 1 {
                documents.push(document.clone());
            }
            let node = NewNode {
                id: NodeId(id),
                parent: (id > 1).then(|| NodeId(id - 1)),
                label: format!("State {id}"),
                time: SystemTime::now(),
                edits,
                document,
            };
            journal.commit([Change::Node(Box::new(node))]).unwrap();
        }
        (journal, documents)
    }

    fn save_all(
        path: &Path,
        journal: &mut Journal,
        documents: &[Document],
        previous: Option<&Path>,
    ) -> Result<WriteReport, ProjectError> {
        let node = NodeId(documents.len() as u64);
        journal.save(path, node, documents.last().unwrap(), previous)
    }

    #[test]
    fn every_state_of_a_saved_project_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ora");
        let (mut journal, documents) = journal(folder.path(), 4, 60);
        save_all(&path, &mut journal, &documents, None).unwrap();
        drop(journal);
        let mut opened = open(&path).unwrap();
        assert_eq!(opened.remarks, Vec::<String>::new());
        assert_eq!(&opened.document, documents.last().unwrap());
        assert_eq!((opened.saved, opened.differs), (Some(NodeId(60)), None));
        let mut tree = opened.tree.unwrap();
        for (i, document) in documents.iter().enumerate() {
            let id = NodeId(i as u64 + 1);
            assert_eq!(&tree.document(id, &mut opened.file).unwrap(), document);
        }
    }

    #[test]
    fn the_next_save_writes_what_is_new_and_copies_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a.ora"), folder.path().join("b.ora"));
        let (mut journal, documents) = journal(folder.path(), 5, 40);
        let report = save_all(&first, &mut journal, &documents, None).unwrap();
        assert_eq!(report.copied, 0);
        let again = save_all(&second, &mut journal, &documents, Some(&first)).unwrap();
        // The type, the stack, the records and the note of the save are made anew; all pixels are
        // copied.
        assert_eq!(again.new, 4, "{again:?}");
        assert_eq!(again.copied, report.new - 4);
        let read = |path: &Path| open(path).unwrap().document;
        assert_eq!(read(&first), read(&second));
    }

    #[test]
    fn what_is_taken_over_is_what_would_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let (path, fresh) = (folder.path().join("a.ora"), folder.path().join("fresh.ora"));
        let (mut journal, documents) = journal(folder.path(), 9, 50);
        let mut copied = 0;
        for (i, document) in documents.iter().enumerate() {
            let node = NodeId(i as u64 + 1);
            let previous = path.exists().then_some(path.as_path());
            let report = journal.save(&path, node, document, previous).unwrap();
            copied += report.copied;
            journal.save(&fresh, node, document, None).unwrap();
            let read = |path: &Path| {
                let mut file = OraFile::open(path).unwrap();
                let names = file.entries_below("");
                let bytes = |name: String| (file.entry(&name, 1 << 30).unwrap().unwrap(), name);
                names.into_iter().map(bytes).collect::<Vec<_>>()
            };
            assert!(read(&path) == read(&fresh), "state {}", node.0);
        }
        assert!(copied > 500, "{copied} parts were copied");
    }

    #[test]
    fn a_change_in_one_row_of_tiles_leaves_the_other_bands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, fresh) = (folder.path().join("a.ora"), folder.path().join("fresh.ora"));
        let mut journal = Journal::create(folder.path(), &project()).unwrap();
        let mut rng = Rng(10);
        let mut document = Document::new(Extent::new(60, 1000), "One");
        let whole = PixelRect::from(document.extent.rect());
        let noise: Vec<_> = (0..60 * 1000).map(|_| rng.color()).collect();
        document.layers[0].pixels.write(whole, &noise);
        document.layers[0].opacity = 0.5;
        for (id, row) in (1_u64..).zip([None, Some(300), Some(999), None]) {
            if let Some(y) = row {
                document.layers[0].pixels.fill(PixelRect::new(5, y, 20, 1), [id as u8, 2, 3, 255]);
            }
            let node = NewNode {
                id: NodeId(id),
                parent: (id > 1).then(|| NodeId(id - 1)),
                label: format!("State {id}"),
                time: SystemTime::now(),
                edits: Vec::new(),
                document: document.clone(),
            };
            journal.commit([Change::Node(Box::new(node))]).unwrap();
            let previous = path.exists().then_some(path.as_path());
            let report = journal.save(&path, NodeId(id), &document, previous).unwrap();
            // Of four bands of the layer and four of the picture.
            let expected = if row.is_some() { 3 + 3 } else { 0 };
            assert_eq!(report.copied_bands, expected, "state {id}: {report:?}");
            journal.save(&fresh, NodeId(id), &document, None).unwrap();
            assert!(std::fs::read(&path).unwrap() == std::fs::read(&fresh).unwrap());
            assert_eq!(open(&path).unwrap().document.layers, document.layers);
        }
    }

    #[test]
    fn whichever_step_of_a_save_fails_the_old_or_the_new_project_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ora");
        let (mut old_journal, old) = journal(folder.path(), 6, 8);
        let (mut new_journal, new) = journal(folder.path(), 7, 12);
        save_all(&path, &mut old_journal, &old, None).unwrap();
        for step in 0.. {
            faults::fail(step, 1);
            let result = save_all(&path, &mut new_journal, &new, None);
            let steps = faults::stop();
            let found = document_content(&open(&path).unwrap().document);
            if steps <= step {
                result.unwrap();
                assert_eq!(found, document_content(new.last().unwrap()));
                break;
            }
            assert!(result.is_err(), "step {step} failed and nobody said so");
            assert_eq!(found, document_content(old.last().unwrap()));
        }
    }

    #[test]
    fn a_project_cut_anywhere_gives_a_message_or_what_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ora");
        let (mut journal, documents) = journal(folder.path(), 8, 10);
        save_all(&path, &mut journal, &documents, None).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let cut = folder.path().join("cut.ora");
        for i in 0..60 {
            std::fs::write(&cut, &whole[..whole.len() * i / 60]).unwrap();
            let error = open(&cut).unwrap_err().to_string();
            assert!(error.contains("cut.ora"), "{error}");
        }
        // A flipped byte anywhere: an error, a remark, or no difference that anybody sees.
        let mut rng = Rng(3);
        for _ in 0..200 {
            let mut bytes = whole.clone();
            let at = rng.below(bytes.len() as u32) as usize;
            bytes[at] ^= 1 << rng.below(8);
            std::fs::write(&cut, &bytes).unwrap();
            if let Ok(opened) = open(&cut)
                && opened.remarks.is_empty()
                && opened.differs.is_none()
                && opened.tree.is_some()
            {
                assert_eq!(&opened.document, documents.last().unwrap(), "byte {at}");
            }
        }
    }
}
