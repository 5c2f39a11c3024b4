//! `gesso history` and `gesso export`, and opening projects for all commands.

use std::path::Path;

use serde_json::json;

use crate::cli::args::{ExportArgs, HistoryArgs};
use crate::cli::error::CliError;
use crate::cli::output::{note, say};
use crate::cli::run::Context;
use crate::document::{NodeId, flatten};
use crate::editor::is_project;
use crate::project::journal::Journal;
use crate::project::{Pictures, ProjectError, Tree, file};
use crate::storage::{ExportFormat, ExportOptions, export_image};

/// A project or a journal that was opened for reading.
pub(crate) struct Source {
    /// Its tree.
    pub(crate) tree: Tree,
    /// Where the pixels are.
    pub(crate) pictures: Box<dyn Pictures + Send>,
    /// The state that it is at.
    pub(crate) current: NodeId,
}

/// Opens a project's file, or a journal's folder. Says what is missing or was replaced.
///
/// # Errors
///
/// When it can't be read, or has no tree.
pub(crate) fn open(path: &Path) -> Result<Source, CliError> {
    if path.is_dir() {
        let recovered = Journal::take_up(path)?;
        for remark in &recovered.remarks {
            note(&format!("note: {remark}"));
        }
        let journal = recovered.journal;
        // The journal goes on reading its pictures, so the tree is read once more beside it.
        let mut tree = Tree::default();
        for record in journal.tree().records() {
            tree.take(record)?;
        }
        let current = tree.current().ok_or(ProjectError::Empty)?;
        return Ok(Source { tree, pictures: Box::new(journal), current });
    }
    let opened = file::open(path)?;
    for remark in &opened.remarks {
        note(&format!("note: {remark}"));
    }
    match opened.differs {
        None => {}
        Some(file::Differs::ChangedElsewhere) => {
            note(
                "note: another program has changed the layers; this is the tree as Gesso saved it",
            );
        }
        Some(file::Differs::Damaged) => note("note: the saved state is damaged"),
    }
    let (Some(tree), Some(current)) = (opened.tree, opened.saved) else {
        return Err(CliError::Input(format!(
            "the file has no history; only projects that Gesso saved have one: {path:?}"
        )));
    };
    Ok(Source { tree, pictures: Box::new(opened.file), current })
}

/// Prints the tree.
///
/// # Errors
///
/// When the project can't be read.
pub(crate) fn history(args: &HistoryArgs, context: &Context) -> Result<(), CliError> {
    let Source { tree, current, .. } = open(&args.project)?;
    if context.json {
        let nodes: Vec<serde_json::Value> = tree
            .nodes()
            .map(|node| {
                json!({
                    "id": node.id, "parent": node.parent, "label": node.label,
                    "kind": node.kind().label(), "time_ms": node.time_ms, "content": node.content,
                    "pinned": tree.is_pinned(node.id), "edits": node.edits,
                })
            })
            .collect();
        let project = tree.project.as_ref().map(|project| &project.id);
        let all = json!({ "project": project, "current": current, "nodes": nodes });
        return say(&all.to_string());
    }
    for (depth, id) in lines(&tree) {
        let Some(node) = tree.node(id) else { continue };
        let mark = if id == current { "*" } else { " " };
        let indent = "| ".repeat(depth);
        let pinned = if tree.is_pinned(id) { "  (pinned)" } else { "" };
        say(&format!("{mark} {indent}{:>5}  {}{pinned}", id.0, node.label))?;
    }
    Ok(())
}

/// The nodes from the first one down, each with the number of branches it is away from the newest
/// line. A branch stands above the newer line that it parted from.
fn lines(tree: &Tree) -> Vec<(usize, NodeId)> {
    let mut children: std::collections::BTreeMap<NodeId, Vec<NodeId>> =
        std::collections::BTreeMap::new();
    let mut waiting = Vec::new();
    for node in tree.nodes() {
        match node.parent {
            Some(parent) => children.entry(parent).or_default().push(node.id),
            None => waiting.push((0, node.id)),
        }
    }
    let mut lines = Vec::new();
    while let Some((depth, id)) = waiting.pop() {
        lines.push((depth, id));
        let Some((newest, older)) = children.get(&id).and_then(|all| all.split_last()) else {
            continue;
        };
        // Taken from the end: the branches first, the newest line last.
        waiting.push((depth, *newest));
        waiting.extend(older.iter().rev().map(|child| (depth + 1, *child)));
    }
    lines
}

/// Writes one state.
///
/// # Errors
///
/// When the project can't be read, there is no such state, or the file can't be written.
pub(crate) fn export(args: &ExportArgs, context: &Context) -> Result<(), CliError> {
    let mut source = open(&args.project)?;
    let node = args.node.map_or(source.current, NodeId);
    let document = source.tree.document(node, source.pictures.as_mut())?;
    if is_project(&args.output) {
        let previous = args.project.is_file().then_some(args.project.as_path());
        let Source { tree, pictures, .. } = &mut source;
        file::save(&args.output, tree, node, &document, pictures.as_mut(), previous)?;
    } else {
        ExportFormat::from_path(&args.output)?;
        let image = flatten(&document, document.extent.rect());
        export_image(&args.output, &image, &[], &ExportOptions::default())?;
    }
    if context.json {
        let extent = document.extent;
        let done = json!({
            "node": node, "files": [args.output], "width": extent.width, "height": extent.height,
        });
        return say(&done.to_string());
    }
    say(&args.output.display().to_string())
}
