//! `gesso apply`: edits from lines of JSON, done on a project through its journal.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::json;

use crate::cli::args::ApplyArgs;
use crate::cli::error::CliError;
use crate::cli::output::say;
use crate::cli::run::Context;
use crate::document::{Document, Edit, NodeId, Place};
use crate::geom::Extent;
use crate::project::journal::{Change, Journal};
use crate::project::{EditRecord, NewNode, ProjectError, ProjectRecord, Record, file};
use crate::storage::{data_folder, read_image_file};

/// One line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    /// Lays a picture file down at a place.
    PlaceFile(PlaceFile),
    /// Goes to a state.
    GoTo(NodeId),
    /// Any edit of layers, pixels and selections.
    Do(Edit),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum PlaceFile {
    Here(std::path::PathBuf),
    There { file: std::path::PathBuf, at: (i32, i32) },
}

/// Does the edits. Each is on the disk when it is printed.
///
/// # Errors
///
/// When a file can't be read, a line is no edit, or the disk can't be written to.
pub(crate) fn run(args: &ApplyArgs, context: &Context) -> Result<(), CliError> {
    let root = match &args.journals {
        Some(root) => root.clone(),
        None => data_folder().ok_or(ProjectError::NoFolder)?.join("journals"),
    };
    let mut work = Work::start(&root, args)?;
    work.say(context)?;
    let lines: Box<dyn BufRead> = if args.edits == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        let file = std::fs::File::open(&args.edits);
        let file = file.map_err(|error| {
            CliError::Input(format!("can't read the edits: {error}: {:?}", args.edits))
        })?;
        Box::new(BufReader::new(file))
    };
    for (i, line) in lines.lines().enumerate() {
        if context.stop.is_raised() {
            return Err(CliError::Interrupted);
        }
        let wrong = |why: String| CliError::Input(format!("line {}: {why}", i + 1));
        let line = line.map_err(|error| wrong(error.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        let step = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        work.step(step).map_err(|error| match error {
            CliError::Input(why) => wrong(why),
            error => error,
        })?;
        work.say(context)?;
    }
    if let Some(output) = &args.output {
        let (current, document) = (work.current, &work.document);
        work.journal.save(output, current, document, args.project.as_deref())?;
        work.journal.remove()?;
    }
    Ok(())
}

/// A document and the journal that takes down what is done to it.
struct Work {
    journal: Journal,
    document: Document,
    current: NodeId,
}

impl Work {
    fn start(root: &Path, args: &ApplyArgs) -> Result<Self, CliError> {
        if let Some(path) = &args.project {
            let opened = file::open(path)?;
            let (Some(tree), Some(current), None) = (opened.tree, opened.saved, opened.differs)
            else {
                return Err(CliError::Input(format!(
                    "the project has no history that fits its layers; open and save it in the \
                     window first: {path:?}"
                )));
            };
            let journal = Journal::continue_project(root, tree, path)?;
            return Ok(Self { journal, document: opened.document, current });
        }
        let extent = size(&args.size)?;
        let mut work = Self {
            journal: Journal::create(root, &ProjectRecord::new())?,
            document: Document::new(extent, "Layer 1"),
            current: NodeId(0),
        };
        work.commit("New picture", Vec::new())?;
        Ok(work)
    }

    fn step(&mut self, step: Step) -> Result<(), CliError> {
        let edit = match step {
            Step::GoTo(node) => {
                self.document = self.journal.document(node)?;
                self.current = node;
                return Ok(self.journal.commit([Change::Record(Record::GoTo { node })])?);
            }
            Step::Do(edit) => edit,
            Step::PlaceFile(place) => {
                let (path, at) = match place {
                    PlaceFile::Here(path) => (path, (0, 0)),
                    PlaceFile::There { file, at } => (file, at),
                };
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                Edit::Place(Place {
                    image: std::sync::Arc::new(read_image_file(&path)?.image),
                    at,
                    name,
                    mask: None,
                    record: None,
                    shown: None,
                })
            }
        };
        let mut document = self.document.clone();
        edit.apply(&mut document).map_err(|error| CliError::Input(error.to_string()))?;
        self.document = document;
        let label = edit.label();
        self.commit(label, vec![edit])
    }

    fn commit(&mut self, label: &str, edits: Vec<Edit>) -> Result<(), CliError> {
        let last = self.journal.tree().nodes().next_back().map_or(0, |node| node.id.0);
        let id = NodeId(last + 1);
        let node = NewNode {
            id,
            parent: (last > 0).then_some(self.current),
            label: label.to_owned(),
            time: SystemTime::now(),
            edits,
            document: self.document.clone(),
        };
        self.journal.commit([Change::Node(Box::new(node))])?;
        self.current = id;
        Ok(())
    }

    /// Says which state the document is at, once it is on the disk.
    fn say(&self, context: &Context) -> Result<(), CliError> {
        let node = self.journal.tree().node(self.current).ok_or(ProjectError::Empty)?;
        if context.json {
            let journal = self.journal.folder();
            let edits: &[EditRecord] = &node.edits;
            return say(&json!({
                "node": node.id, "content": node.content, "journal": journal, "edits": edits.len(),
            })
            .to_string());
        }
        say(&format!("{:>6}  {}  {}", node.id.0, node.content, node.label))
    }
}

/// Columns and rows from text such as 512x512.
fn size(text: &str) -> Result<Extent, CliError> {
    let sides = text.split_once(['x', 'X']).and_then(|(width, height)| {
        let side = |text: &str| {
            text.parse::<u32>().ok().filter(|side| (1..=Document::MAX_SIDE_PX).contains(side))
        };
        Some(Extent::new(side(width)?, side(height)?))
    });
    sides.ok_or_else(|| {
        CliError::Input(format!(
            "a size is written as 512x512, with 1 to {} pixels a side, not {text:?}",
            Document::MAX_SIDE_PX
        ))
    })
}
