//! Writing an `OpenRaster` file: whole or not at all, and only what is new.
//!
//! What the file saved before has already (entries that the caller names, and pictures whose content
//! is the same) is copied in its compressed form. Of a picture that has changed, the bands that have
//! not are copied; the others are compressed on all cores, a band for each at a time.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use thread_priority::{ThreadPriority, ThreadPriorityValue};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::document::{Document, Layer};
use crate::geom::PixelRect;
use crate::project::ora::bands::{OldBands, band_rows};
use crate::project::ora::picture::Picture;
use crate::project::ora::read::{OraFile, name_fault};
use crate::project::ora::saved::{Saved, SavedBand, SavedPart};
use crate::project::ora::{
    MAX_LAYER_SIDE_PX, MERGED, MIMETYPE, MIMETYPE_CONTENT, OWN_FOLDER, SAVED, STACK, StackLayer,
    StackXml, THUMBNAIL,
};
use crate::project::{ContentHash, ProjectError};
use crate::raster::TILE_PX;
use crate::storage::write_atomically;

/// Between the lowest and the usual priority of threads on a scale from 0 to 99.
const LOW_PRIORITY: u8 = 20;
/// Entries that are made at the same time.
const BATCH_ENTRIES: usize = 64;

/// All that goes into a file.
pub struct Contents<'a> {
    /// The picture that other programs see.
    pub document: &'a Document,
    /// Gesso's own entries, in the order in which they are written.
    pub entries: Vec<Entry<'a>>,
    /// Names what a layer's pixels and mask are, so that equal names mean equal pixels; empty where
    /// that is not known.
    pub layer_content: &'a dyn Fn(&Layer) -> String,
    /// Names what a layer's pixels and mask are in a row of tiles; empty where that is not known.
    pub row_content: &'a dyn Fn(&Layer, i32) -> String,
    /// Names what all layers together look like; empty where that is not known.
    pub picture_content: String,
}

/// One of Gesso's own entries.
pub struct Entry<'a> {
    /// Its name in the archive, below [`OWN_FOLDER`].
    pub name: String,
    /// What is in it.
    pub content: EntryContent<'a>,
}

/// What is in an entry.
pub enum EntryContent<'a> {
    /// These bytes, to be compressed.
    Bytes(Cow<'a, [u8]>),
    /// These bytes, which are compressed already.
    Stored(Cow<'a, [u8]>),
    /// What the file saved before has under this name, copied as it is.
    KeepFrom(String),
    /// What this gives when its turn comes; compressed already.
    Made(Box<dyn Fn() -> io::Result<Vec<u8>> + Send + Sync + 'a>),
}

/// What a save did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteReport {
    /// Bytes in the archive that were copied from the file saved before.
    pub copied_bytes: u64,
    /// Bytes in the archive that were made anew.
    pub new_bytes: u64,
    /// Entries that were copied.
    pub copied: usize,
    /// Entries that were made anew.
    pub new: usize,
    /// Bands of these that were copied.
    pub copied_bands: usize,
    /// What other programs won't see as it is, in sentences.
    pub remarks: Vec<String>,
}

/// Writes a file; on failure whatever was at `path` before is still there.
///
/// `previous` is the file saved before, which may be the one that is replaced. Without it, or when
/// it can't be read, everything is made anew.
///
/// # Errors
///
/// When an entry's name can't be used or is there twice, when an entry is to be kept that isn't in
/// `previous`, when making an entry fails, or when the file can't be written.
pub fn write(
    path: &Path,
    contents: &Contents<'_>,
    previous: Option<&Path>,
) -> Result<WriteReport, ProjectError> {
    check_names(&contents.entries)?;
    let mut before = match previous.map(OraFile::open) {
        None => None,
        Some(Ok(file)) => Some(file),
        Some(Err(error)) if keeps_something(&contents.entries) => return Err(error),
        Some(Err(error)) => {
            log::warn!("everything is written anew: {error}");
            None
        }
    };
    for entry in &contents.entries {
        if let EntryContent::KeepFrom(name) = &entry.content
            && !before.as_ref().is_some_and(|file| file.has(name))
        {
            return Err(ProjectError::NotKept { name: name.clone() });
        }
    }
    let mut report = WriteReport::default();
    let parts = parts(contents, &mut report.remarks);
    let stack = stack(contents.document, &parts);
    // The file saved before is closed when this is done: some systems replace no open file.
    write_atomically(path, |file| {
        let saved = before.as_mut().and_then(OraFile::saved).unwrap_or_default();
        let zip = ZipWriter::new(file);
        let mut archive = Archive { zip, before, threads: threads()?, report: &mut report };
        archive.bytes(MIMETYPE, MIMETYPE_CONTENT.as_bytes(), CompressionMethod::Stored)?;
        let mut now = Saved { version: Saved::VERSION, parts: Vec::new() };
        archive.bytes(STACK, stack.as_bytes(), CompressionMethod::Deflated)?;
        now.parts.push(SavedPart {
            name: STACK.to_owned(),
            crc32: crc32fast::hash(stack.as_bytes()),
            size: stack.len() as u64,
            content: String::new(),
            rect: PixelRect::default(),
            bands: Vec::new(),
        });
        archive.pictures(&parts, &saved, &mut now)?;
        archive.entries(&contents.entries)?;
        let json = serde_json::to_vec(&now)?;
        archive.bytes(SAVED, &json, CompressionMethod::Deflated)?;
        archive.zip.finish()?;
        Ok(())
    })?;
    Ok(report)
}

fn keeps_something(entries: &[Entry<'_>]) -> bool {
    entries.iter().any(|entry| matches!(entry.content, EntryContent::KeepFrom(_)))
}

fn check_names(entries: &[Entry<'_>]) -> Result<(), ProjectError> {
    let mut names = BTreeSet::from([SAVED]);
    for Entry { name, .. } in entries {
        let fault = if !name.starts_with(OWN_FOLDER) || name.ends_with('/') {
            Some("names of own entries start with `gesso/`, and folders are no entries")
        } else if !names.insert(name) {
            Some("the name is used already")
        } else if name.len() > usize::from(u16::MAX) {
            Some("the name is too long")
        } else {
            name_fault(name)
        };
        if let Some(reason) = fault {
            return Err(ProjectError::EntryName { name: name.clone(), reason });
        }
    }
    Ok(())
}

/// A picture that other programs read.
struct Part<'a> {
    name: String,
    content: String,
    rect: PixelRect,
    picture: Picture<'a>,
    /// Names what each band shows.
    bands: Vec<String>,
}

impl Part<'_> {
    /// Bytes of its pixels.
    fn raw_bytes(&self) -> u64 {
        self.rect.extent().area() as u64 * 4
    }
}

/// The pictures in the order in which they are written; small ones first, so that a program that
/// only shows a thumbnail need not look far.
fn parts<'a>(contents: &Contents<'a>, remarks: &mut Vec<String>) -> Vec<Part<'a>> {
    let document = contents.document;
    let whole = PixelRect::from(document.extent.rect());
    let picture = |name: &str, picture, bands| Part {
        name: name.to_owned(),
        content: contents.picture_content.clone(),
        rect: whole,
        picture,
        bands,
    };
    let bands = |rect: PixelRect, name: &dyn Fn(i32) -> String| {
        let rows = band_rows(rect.y, rect.height);
        rows.map(|(top, _)| name(top.div_euclid(TILE_PX as i32))).collect()
    };
    let merged = bands(whole, &|row| merged_row(contents, row));
    let mut parts = vec![
        picture(THUMBNAIL, Picture::Thumbnail(document), Vec::new()),
        picture(MERGED, Picture::Merged(document), merged),
    ];
    for layer in document.layers.iter().rev() {
        let bounds = layer.pixels.bounds();
        let shown = bounds.and_then(|bounds| bounds.intersection(reach(document)));
        if shown != bounds {
            remarks.push(format!(
                "The layer {:?} reaches so far beyond the canvas that other programs get only a \
                 part of it.",
                layer.name
            ));
        }
        // A layer without pixels is one transparent pixel: a picture can't be empty.
        let rect = shown.unwrap_or(PixelRect::new(0, 0, 1, 1));
        parts.push(Part {
            name: format!("data/layer{}.png", layer.id.0),
            content: (contents.layer_content)(layer),
            rect,
            picture: Picture::Layer(layer),
            bands: bands(rect, &|row| (contents.row_content)(layer, row)),
        });
    }
    parts
}

/// Names what all layers together look like in a row of tiles; empty where that is not known.
fn merged_row(contents: &Contents<'_>, row: i32) -> String {
    let mut all = String::new();
    for layer in contents.document.layers.iter().filter(|layer| layer.visible) {
        let content = (contents.row_content)(layer, row);
        if content.is_empty() {
            return String::new();
        }
        let (opacity, mode) = (layer.opacity, layer.blend_mode.ora_name());
        all.extend([opacity.to_string().as_str(), " ", mode, " ", content.as_str(), "\n"]);
    }
    ContentHash::of("merged row", &[all.as_bytes()]).to_string()
}

/// The pixels around the canvas that layers are written with.
fn reach(document: &Document) -> PixelRect {
    let beyond = |side: u32| (MAX_LAYER_SIDE_PX.saturating_sub(side) / 2) as i32;
    let (x, y) = (beyond(document.extent.width), beyond(document.extent.height));
    PixelRect::new(-x, -y, MAX_LAYER_SIDE_PX, MAX_LAYER_SIDE_PX)
}

fn stack(document: &Document, parts: &[Part<'_>]) -> String {
    let layers = parts.iter().filter_map(|part| {
        let Picture::Layer(layer) = part.picture else { return None };
        Some(StackLayer {
            name: layer.name.clone(),
            src: part.name.clone(),
            x: part.rect.x,
            y: part.rect.y,
            opacity: layer.opacity,
            visible: layer.visible,
            locked: layer.locked,
            selected: layer.id == document.active,
            blend_mode: layer.blend_mode,
        })
    });
    StackXml { extent: document.extent, layers: layers.collect() }.to_xml()
}

/// The archive that is being written.
struct Archive<'a, 'f> {
    zip: ZipWriter<&'a mut BufWriter<&'f File>>,
    before: Option<OraFile>,
    threads: ThreadPool,
    report: &'a mut WriteReport,
}

impl Archive<'_, '_> {
    fn pictures(&mut self, parts: &[Part<'_>], saved: &Saved, now: &mut Saved) -> io::Result<()> {
        for part in parts {
            let part = match self.copyable(part, saved) {
                Some(known) => {
                    self.copy(&part.name, &part.name)?;
                    known.clone()
                }
                None => self.made(part, saved)?,
            };
            now.parts.push(part);
        }
        Ok(())
    }

    /// What is known of a picture that the file saved before has just so.
    fn copyable<'s>(&self, part: &Part<'_>, saved: &'s Saved) -> Option<&'s SavedPart> {
        let known = self.comparable(part, saved)?;
        (!part.content.is_empty() && known.content == part.content).then_some(known)
    }

    /// What is known of a picture of the same pixels in the file saved before, where that still is
    /// as it was saved.
    fn comparable<'s>(&self, part: &Part<'_>, saved: &'s Saved) -> Option<&'s SavedPart> {
        let before = self.before.as_ref()?;
        let known = saved.part(&part.name)?;
        let same = known.rect == part.rect
            && before.checksum(&part.name) == Some((known.crc32, known.size));
        same.then_some(known)
    }

    /// Writes a picture; bands that the file saved before has just so are copied.
    fn made(&mut self, part: &Part<'_>, saved: &Saved) -> io::Result<SavedPart> {
        let known = self.comparable(part, saved).map_or(&[][..], |known| &known.bands);
        let before = self.before.as_mut().filter(|_| !known.is_empty());
        let entry = before.and_then(|before| before.packed(&part.name).ok());
        let stored = entry.filter(|entry| entry.compression() == CompressionMethod::Stored);
        let mut old = stored.map(OldBands::new);
        let (mut copied, mut copied_bytes) = (0, 0);
        let mut kept = |i: usize| {
            let SavedBand { content, key } = known.get(i)?;
            let wanted = part.bands.get(i)?;
            if wanted.is_empty() || content != wanted {
                return None;
            }
            let above = known.iter().take(i).map(|band| band.key.bytes);
            let band = old.as_mut()?.band(above, *key)?;
            copied += 1;
            copied_bytes += key.bytes;
            Some(band)
        };
        // Compressing may make it a little larger.
        let large = part.raw_bytes() + part.raw_bytes() / 32 > u64::from(u32::MAX) / 2;
        let options = options(CompressionMethod::Stored).large_file(large);
        self.zip.start_file(part.name.as_str(), options)?;
        let mut sink = Summed { inner: &mut self.zip, crc: crc32fast::Hasher::new(), size: 0 };
        let keys = part.picture.write(part.rect, &mut kept, &self.threads, &mut sink)?;
        drop(old);
        let (crc32, size) = (sink.crc.finalize(), sink.size);
        self.report.copied_bands += copied;
        self.report.copied_bytes += copied_bytes;
        self.count_new(size - copied_bytes);
        let names = part.bands.iter().cloned().chain(std::iter::repeat(String::new()));
        let bands = names.zip(keys).map(|(content, key)| SavedBand { content, key });
        let (name, content, rect) = (part.name.clone(), part.content.clone(), part.rect);
        Ok(SavedPart { name, crc32, size, content, rect, bands: bands.collect() })
    }

    fn entries(&mut self, entries: &[Entry<'_>]) -> io::Result<()> {
        for batch in entries.chunks(BATCH_ENTRIES) {
            let made: Vec<Option<Vec<u8>>> = self.threads.install(|| {
                let made = batch.par_iter().map(|entry| match &entry.content {
                    EntryContent::Made(make) => make().map(Some),
                    _ => Ok(None),
                });
                made.collect::<io::Result<_>>()
            })?;
            for (entry, made) in batch.iter().zip(made) {
                let name = &entry.name;
                match &entry.content {
                    EntryContent::Bytes(bytes) => {
                        self.bytes(name, bytes, CompressionMethod::Deflated)?;
                    }
                    EntryContent::Stored(bytes) => {
                        self.bytes(name, bytes, CompressionMethod::Stored)?;
                    }
                    EntryContent::KeepFrom(old) => self.copy(old, name)?,
                    EntryContent::Made(_) => {
                        let bytes = made.unwrap_or_default();
                        self.bytes(name, &bytes, CompressionMethod::Stored)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn bytes(&mut self, name: &str, bytes: &[u8], method: CompressionMethod) -> io::Result<()> {
        let large = bytes.len() as u64 > u64::from(u32::MAX) / 2;
        self.zip.start_file(name, options(method).large_file(large))?;
        self.zip.write_all(bytes)?;
        self.count_new(bytes.len() as u64);
        Ok(())
    }

    fn count_new(&mut self, bytes: u64) {
        self.report.new += 1;
        self.report.new_bytes += bytes;
    }

    fn copy(&mut self, old: &str, new: &str) -> io::Result<()> {
        let before =
            self.before.as_mut().ok_or_else(|| io::Error::other("nothing to copy from"))?;
        let entry = before.packed(old)?;
        self.report.copied += 1;
        self.report.copied_bytes += entry.compressed_size();
        Ok(self.zip.raw_copy_file_rename(entry, new)?)
    }
}

/// The threads that compress. They are a save's own and take what others leave of the cores: a window
/// that lays its layers over each other never waits for a band.
fn threads() -> io::Result<ThreadPool> {
    let threads = ThreadPoolBuilder::new()
        .thread_name(|index| format!("gesso-save-{index}"))
        .start_handler(|_| lower_priority());
    threads.build().map_err(io::Error::other)
}

fn lower_priority() {
    let lowered = ThreadPriorityValue::try_from(LOW_PRIORITY).and_then(|value| {
        ThreadPriority::Crossplatform(value).set_for_current().map_err(|error| format!("{error:?}"))
    });
    if let Err(error) = lowered {
        log::debug!("a thread that saves keeps its usual priority: {error}");
    }
}

fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method).unix_permissions(0o644)
}

/// Sums up what goes through.
struct Summed<W> {
    inner: W,
    crc: crc32fast::Hasher,
    size: u64,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.crc.update(bytes.get(..written).unwrap_or(bytes));
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
