//! How fast work is kept safe, saved, opened and replayed.
//!
//! The picture is large and has texture everywhere; the steps are strokes, as most steps are. Files
//! go to a temporary folder.

use std::path::Path;
use std::time::{Instant, SystemTime};

use serde::Serialize;

use crate::document::{Document, Edit, History, NodeId, Operation, Stroke, StrokeTarget};
use crate::geom::{CanvasPoint, Extent, PixelRect};
use crate::project::journal::{Change, Journal};
use crate::project::ora::OraFile;
use crate::project::replay::{Outcome, replay};
use crate::project::{NewNode, ProjectError, ProjectRecord, file};
use crate::raster::{Brush, StrokeMode, StrokeSample};

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct ProjectBench {
    /// Side of the square canvas in pixels.
    pub side_px: u32,
    /// Layers that are painted all over.
    pub layers: usize,
    /// Strokes.
    pub strokes: usize,
}

impl Default for ProjectBench {
    fn default() -> Self {
        Self { side_px: 8192, layers: 3, strokes: 100 }
    }
}

/// One row of the report.
#[derive(Clone, Debug, Serialize)]
pub struct ProjectMeasurement {
    /// What was measured.
    pub what: String,
    /// Milliseconds: the median where it was done more than once.
    pub median_ms: f64,
    /// Milliseconds that 95 of 100 keep.
    pub p95_ms: f64,
    /// Bytes that were written for it, or that are read from.
    pub bytes: u64,
}

impl std::fmt::Display for ProjectMeasurement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, median_ms, p95_ms, bytes } = self;
        write!(f, "{what:<52} median {median_ms:9.2} ms  p95 {p95_ms:9.2} ms  {bytes:>12} bytes")
    }
}

/// Measures and tells each row as it is known.
///
/// # Errors
///
/// When the temporary folder can't be written to.
pub fn run(
    bench: &ProjectBench,
    tell: &mut dyn FnMut(&ProjectMeasurement),
) -> Result<(), ProjectError> {
    let folder = folder()?;
    let mut document = painted(bench);
    let mut history = History::new(document.clone(), "bench", usize::MAX);
    let mut journal = Journal::create(&folder.path().join("journals"), &ProjectRecord::new())?;

    let began = Instant::now();
    journal.commit([Change::Node(Box::new(node(&history)))])?;
    tell(&once("journal: the picture as it was opened", began, bytes_below(journal.folder())));

    // What a stroke costs the window's thread beside the stroke itself, and the keeper's thread.
    let (mut window, mut keeper) = (Vec::new(), Vec::new());
    let before = bytes_below(journal.folder());
    let stroke = |i: usize, document: &Document| {
        let side = bench.side_px as f32;
        let at = |share: f32| side * (0.1 + 0.8 * ((i as f32).mul_add(0.137, share) % 1.0));
        let samples = (0..8)
            .map(|k| StrokeSample {
                point: CanvasPoint::new(at(0.0) + 40.0 * k as f32, at(0.4)),
                pressure: 1.0,
            })
            .collect();
        Edit::Stroke(Stroke {
            target: StrokeTarget::Layer(document.active),
            mode: StrokeMode::Paint,
            brush: Brush { diameter_px: 100.0, ..Brush::default() },
            color: [220, 60, (i * 7) as u8, 255],
            samples,
        })
    };
    for i in 0..bench.strokes {
        let edit = stroke(i, &document);
        if let Err(error) = edit.apply(&mut document) {
            log::warn!("{error}");
        }
        let began = Instant::now();
        let operation = Operation { label: "stroke".to_owned(), edits: vec![edit] };
        history.commit(document.clone(), operation);
        let new = Box::new(node(&history));
        window.push(ms(began));
        let began = Instant::now();
        journal.commit([Change::Node(new)])?;
        keeper.push(ms(began));
    }
    let each = (bytes_below(journal.folder()) - before) / bench.strokes.max(1) as u64;
    tell(&row("commit of a stroke, on the window's thread", window, 0));
    tell(&row("journal: a stroke, until it is on the disk", keeper, each));

    let path = folder.path().join("a.ora");
    let (node_id, began) = (history.current(), Instant::now());
    journal.save(&path, node_id, &document, None)?;
    tell(&once("save of all", began, size(&path)));

    // Ten strokes later: what is new.
    for i in 0..10 {
        let edit = stroke(1000 + i, &document);
        if let Err(error) = edit.apply(&mut document) {
            log::warn!("{error}");
        }
        let operation = Operation { label: "stroke".to_owned(), edits: vec![edit] };
        history.commit(document.clone(), operation);
        journal.commit([Change::Node(Box::new(node(&history)))])?;
    }
    let (node_id, began) = (history.current(), Instant::now());
    let report = journal.save(&path, node_id, &document, Some(&path))?;
    tell(&once("save after ten more strokes on one layer", began, report.new_bytes));
    journal.remove()?;
    drop(history);
    drop(document);

    let opened = open(&path, tell)?;
    let (Some(mut tree), mut pictures) = (opened.tree, opened.file) else {
        return Err(ProjectError::Empty);
    };
    let document = opened.document;
    let ids: Vec<NodeId> = tree.nodes().map(|node| node.id).collect();
    let mut checkouts = Vec::new();
    for id in ids.iter().rev().step_by(5) {
        let began = Instant::now();
        let found = tree.document(*id, &mut pictures)?;
        checkouts.push(ms(began));
        drop(found);
    }
    tell(&row("checkout of a state, the newest being open", checkouts, 0));

    let began = Instant::now();
    let mut equal = 0;
    let last = ids.iter().copied().nth(ids.len().min(30) - 1);
    replay(&mut tree, &mut pictures, last, &mut |_| Ok(None), &mut |state| {
        equal += usize::from(state.outcome == Outcome::Equal);
        Ok(())
    })?;
    let mut each = once("replay of a state, pixels compared", began, 0);
    each.median_ms /= equal.max(1) as f64;
    each.p95_ms = each.median_ms;
    tell(&each);
    drop(document);
    Ok(())
}

/// Measures saving and opening a project of about 1 GB, and tells each row as it is known: 8192
/// pixels a side and grain, which hardly gets smaller, on two layers.
///
/// # Errors
///
/// When the temporary folder can't be written to.
pub fn run_large(tell: &mut dyn FnMut(&ProjectMeasurement)) -> Result<(), ProjectError> {
    let folder = folder()?;
    let mut document = layers(8192, 2);
    for (i, layer) in document.layers.iter_mut().enumerate() {
        let alpha = if i == 0 { 255 } else { 120 };
        layer.pixels.update(PixelRect::from(document.extent.rect()), |x, y, row| {
            for (pixel, x) in row.iter_mut().zip(x..) {
                let mut grain = u64::from(x.cast_unsigned()) << 32 | u64::from(y.cast_unsigned());
                grain = (grain ^ (i as u64) << 20).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let [.., r, g, b] =
                    (grain ^ grain >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9).to_le_bytes();
                *pixel = [r / 2 + 60, g / 2 + 60, b / 2 + 60, alpha];
            }
        });
    }
    let history = History::new(document.clone(), "bench", usize::MAX);
    let mut journal = Journal::create(&folder.path().join("journals"), &ProjectRecord::new())?;
    journal.commit([Change::Node(Box::new(node(&history)))])?;
    let path = folder.path().join("large.ora");
    let began = Instant::now();
    journal.save(&path, history.current(), &document, None)?;
    tell(&once("large: save of all", began, size(&path)));
    journal.remove()?;
    drop((history, document));
    open(&path, &mut |row| {
        let what = format!("large: {}", row.what);
        tell(&ProjectMeasurement { what, ..row.clone() });
    })?;
    Ok(())
}

fn folder() -> Result<tempfile::TempDir, ProjectError> {
    tempfile::tempdir().map_err(|source| ProjectError::Io {
        doing: "make a temporary folder",
        source,
        path: std::path::PathBuf::new(),
    })
}

/// Opens a project as the window does: first the small picture, which is seen at once, then all.
fn open(
    path: &Path,
    tell: &mut dyn FnMut(&ProjectMeasurement),
) -> Result<file::Opened, ProjectError> {
    let began = Instant::now();
    let preview = OraFile::open(path)?.preview()?.ok_or(ProjectError::Empty)?;
    tell(&once("open: to the first pixels", began, size(path)));
    drop(preview);
    let began = Instant::now();
    let opened = file::open(path)?;
    tell(&once("open: to the whole picture", began, size(path)));
    Ok(opened)
}

/// A square document with layers, all of them empty.
fn layers(side_px: u32, count: usize) -> Document {
    let mut document = Document::new(Extent::new(side_px, side_px), "Layer 1");
    for layer in 1..count {
        let name = format!("Layer {}", layer + 1);
        if let Err(error) = (Edit::AddLayer { name }).apply(&mut document) {
            log::warn!("{error}");
        }
    }
    document
}

/// A document with texture on every layer, the lowest one opaque.
fn painted(bench: &ProjectBench) -> Document {
    let side = bench.side_px;
    let mut document = layers(side, bench.layers);
    for (i, layer) in document.layers.iter_mut().enumerate() {
        let alpha = if i == 0 { 255 } else { 120 };
        layer.pixels.update(PixelRect::new(0, 0, side, side), |x, y, row| {
            for (pixel, x) in row.iter_mut().zip(x..) {
                // Smooth shades with some grain, as in a photograph.
                let grain = (x.wrapping_mul(7919) ^ y.wrapping_mul(104_729)) as u8 >> 5;
                *pixel = [
                    ((x >> 5) as u8).wrapping_add(grain),
                    ((y >> 5) as u8).wrapping_add(grain),
                    ((x + y) >> 6) as u8,
                    alpha,
                ];
            }
        });
    }
    document
}

fn node(history: &History) -> NewNode {
    let node = history.node(history.current());
    let (document, edits, parent) = node.map_or_else(
        || (None, Vec::new(), None),
        |node| (node.document.clone(), node.operation.edits.clone(), node.parent),
    );
    NewNode {
        id: history.current(),
        parent,
        label: "stroke".to_owned(),
        time: SystemTime::now(),
        edits,
        document: document.unwrap_or_else(|| Document::new(Extent::new(1, 1), "")),
    }
}

fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

fn once(what: &str, began: Instant, bytes: u64) -> ProjectMeasurement {
    row(what, vec![ms(began)], bytes)
}

fn row(what: &str, mut times: Vec<f64>, bytes: u64) -> ProjectMeasurement {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().max(1) - 1));
    ProjectMeasurement {
        what: what.to_owned(),
        median_ms: at(50).copied().unwrap_or_default(),
        p95_ms: at(95).copied().unwrap_or_default(),
        bytes,
    }
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.filter_map(|entry| Some(size(&entry.ok()?.path()))).sum()
}
