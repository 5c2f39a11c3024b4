//! Reading an `OpenRaster` file, whoever wrote it.
//!
//! Nothing that the file says about itself is trusted: sizes are checked against what a picture can
//! need before anything is allocated, and again while unpacking. Names are only compared; nothing is
//! ever unpacked onto the disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use crate::document::{Document, Layer, LayerId};
use crate::geom::{Extent, PixelRect};
use crate::project::ProjectError;
use crate::project::ora::picture::{Budget, DecodeError, PngHeader, decode, decode_whole};
use crate::project::ora::saved::Saved;
use crate::project::ora::stack::Remarks;
use crate::project::ora::{
    MERGED, MIMETYPE, MIMETYPE_CONTENT, SAVED, STACK, StackLayer, StackXml, THUMBNAIL,
};
use crate::raster::{PixelGrid, RgbaImage};

/// Entries of an archive.
const MAX_ENTRIES: usize = 2_000_000;
/// Bytes of `stack.xml`.
const MAX_STACK_BYTES: u64 = 16 << 20;
/// Bytes of the record of the last save.
const MAX_SAVED_BYTES: u64 = 64 << 20;
/// Deflate can't do better than 1032 to 1 (RFC 1951: 258 bytes from two bits).
const MAX_RATIO: u64 = 1040;
/// Sides of a small picture that is worth showing before the whole one; the specification says 256.
const MAX_PREVIEW_PX: u32 = 1024;
/// Compressed pictures that are unpacked at the same time.
const BATCH_BYTES: u64 = 256 << 20;

/// How much a file may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory for the pixels of all layers.
    pub tile_bytes: u64,
    /// Pixels of all layers, empty ones too.
    pub pixels: u64,
}

impl Default for Limits {
    /// 16 GiB, and as many pixels as 128 layers of the largest canvas have.
    fn default() -> Self {
        Self { tile_bytes: 16 << 30, pixels: 32 << 30 }
    }
}

/// A document that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Its layers; everything else is as in a new document.
    pub document: Document,
    /// What was replaced or left out, in sentences.
    pub remarks: Vec<String>,
}

/// Who wrote last what other programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavedState {
    /// Gesso did: the layers are those of its own records.
    AsSaved,
    /// Gesso wrote the file once, and something has changed a layer since.
    Changed,
    /// There is no record that Gesso ever wrote the file.
    Foreign,
}

/// An `OpenRaster` file that is open for reading.
pub struct OraFile {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
    limits: Limits,
}

impl std::fmt::Debug for OraFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OraFile({:?}, {} entries)", self.path, self.archive.len())
    }
}

impl OraFile {
    /// Opens a file with the usual [`Limits`] and reads its directory.
    ///
    /// # Errors
    ///
    /// As [`Self::open_within`].
    pub fn open(path: &Path) -> Result<Self, ProjectError> {
        Self::open_within(path, Limits::default())
    }

    /// Opens a file and reads its directory.
    ///
    /// # Errors
    ///
    /// When the file can't be read, is no archive, is cut off, is an archive for another purpose, or
    /// has a directory that no program for pictures writes: names twice or out of the archive,
    /// entries that lie over each other, impossible sizes.
    pub fn open_within(path: &Path, limits: Limits) -> Result<Self, ProjectError> {
        let read_error = |source| ProjectError::Read { source, path: path.to_owned() };
        let mut file = File::open(path).map_err(read_error)?;
        let mut start = Vec::new();
        Read::by_ref(&mut file).take(2).read_to_end(&mut start).map_err(read_error)?;
        if start != b"PK" {
            return Err(ProjectError::NotAnArchive { path: path.to_owned() });
        }
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| match error {
            ZipError::Io(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
                read_error(source)
            }
            error => ProjectError::Damaged { reason: first_line(&error), path: path.to_owned() },
        })?;
        let mut file = Self { path: path.to_owned(), archive, limits };
        file.check_directory()?;
        file.check_type()?;
        Ok(file)
    }

    fn check_directory(&self) -> Result<(), ProjectError> {
        let count = self.archive.len();
        if count > MAX_ENTRIES {
            return Err(self.refused(format!("it has {count} entries, {MAX_ENTRIES} are read")));
        }
        if self.archive.has_duplicate_names() {
            return Err(self.refused("two entries have the same name"));
        }
        // Where entries lie over each other, a small file can unpack to any number of large ones.
        let mut places = Vec::with_capacity(count);
        for index in 0..count {
            let entry = self.archive.by_index_data(index).map_err(|error| self.damaged(&error))?;
            let name = entry.name().map_err(|error| self.damaged(&error))?;
            if let Some(fault) = name_fault(&name) {
                return Err(self.refused(format!("an entry is called {name:?}: {fault}")));
            }
            if entry.encrypted() {
                return Err(self.refused("it is protected with a password"));
            }
            let (packed, size) = (entry.compressed_size(), entry.size());
            if size > packed.saturating_mul(MAX_RATIO).saturating_add(1024) {
                return Err(self.refused(format!(
                    "{name:?} would unpack to {size} bytes, more than {packed} bytes can hold"
                )));
            }
            places.push((entry.header_start(), packed));
        }
        places.sort_unstable();
        let ends = places.iter().skip(1).map(|&(start, _)| start);
        let ends = ends.chain([self.archive.central_directory_start()]);
        for (&(start, packed), end) in places.iter().zip(ends) {
            // The fixed part of an entry's header is 30 bytes.
            if start.saturating_add(30).saturating_add(packed) > end {
                return Err(self.refused("entries lie over each other"));
            }
        }
        Ok(())
    }

    fn check_type(&mut self) -> Result<(), ProjectError> {
        let other = |found: String, path: &Path| {
            Err(ProjectError::OtherType { found, path: path.to_owned() })
        };
        if !self.has(MIMETYPE) {
            return other("the archive doesn't say what it is".to_owned(), &self.path);
        }
        let found = match self.entry(MIMETYPE, 256) {
            Ok(found) => found.unwrap_or_default(),
            Err(ProjectError::Refused { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let found = String::from_utf8_lossy(&found).trim().to_owned();
        if found != MIMETYPE_CONTENT {
            return other(format!("its type is {found:?}"), &self.path);
        }
        Ok(())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is an entry of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.archive.index_for_name_raw(name.as_bytes()).is_some()
    }

    /// The names of all entries that start with `prefix`, in order.
    #[must_use]
    pub fn entries_below(&self, prefix: &str) -> Vec<String> {
        let names = self.archive.file_names().filter_map(Result::ok);
        let mut names: Vec<String> = names
            .filter(|name| name.starts_with(prefix))
            .map(std::borrow::Cow::into_owned)
            .collect();
        names.sort_unstable();
        names
    }

    /// The bytes of an entry; nothing where there is none of that name.
    ///
    /// # Errors
    ///
    /// When it has more than `limit_bytes`, or can't be unpacked.
    pub fn entry(&mut self, name: &str, limit_bytes: u64) -> Result<Option<Vec<u8>>, ProjectError> {
        let Some(index) = self.archive.index_for_name_raw(name.as_bytes()) else { return Ok(None) };
        let read = |file: &mut Self| -> Result<Result<Vec<u8>, u64>, ZipError> {
            let entry = file.archive.by_index(index)?;
            let size = entry.size();
            if size > limit_bytes {
                return Ok(Err(size));
            }
            let mut bytes = Vec::new();
            entry.take(size + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 != size {
                return Err(ZipError::InvalidArchive("its size is not as stated".into()));
            }
            Ok(Ok(bytes))
        };
        match read(self) {
            Ok(Ok(bytes)) => Ok(Some(bytes)),
            Ok(Err(size)) => {
                Err(self.refused(format!("{name:?} has {size} bytes, {limit_bytes} are read")))
            }
            Err(error) => Err(self.entry_error(name, first_line(&error))),
        }
    }

    /// Checksum and size of an entry as the directory states them; nothing where there is none.
    pub(super) fn checksum(&self, name: &str) -> Option<(u32, u64)> {
        let entry =
            self.archive.by_index_data(self.archive.index_for_name_raw(name.as_bytes())?).ok()?;
        Some((entry.crc32(), entry.size()))
    }

    /// An entry in its compressed form.
    pub(super) fn packed(&mut self, name: &str) -> io::Result<ZipFile<'_, BufReader<File>>> {
        let index =
            self.archive.index_for_name_raw(name.as_bytes()).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.archive.by_index_raw(index)?)
    }

    /// The record of the last save; nothing where there is none that can be understood.
    pub(super) fn saved(&mut self) -> Option<Saved> {
        let json = self.entry(SAVED, MAX_SAVED_BYTES).ok()??;
        let saved: Saved = serde_json::from_slice(&json).ok()?;
        (saved.version == Saved::VERSION).then_some(saved)
    }

    /// Whether the layers are still as Gesso saved them, by the checksums in the directory.
    pub fn saved_state(&mut self) -> SavedState {
        if !self.has(SAVED) {
            return SavedState::Foreign;
        }
        let Some(saved) = self.saved() else { return SavedState::Changed };
        let same = saved
            .parts
            .iter()
            .all(|part| self.checksum(&part.name) == Some((part.crc32, part.size)));
        if same && saved.part(STACK).is_some() { SavedState::AsSaved } else { SavedState::Changed }
    }

    /// The small picture; nothing where there is none.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn thumbnail(&mut self) -> Result<Option<RgbaImage>, ProjectError> {
        self.picture(THUMBNAIL)
    }

    /// The small picture and the size of the whole one, which are there long before all layers are;
    /// nothing where the file has no small picture that is small.
    ///
    /// # Errors
    ///
    /// When they can't be read.
    pub fn preview(&mut self) -> Result<Option<(RgbaImage, Extent)>, ProjectError> {
        let Some(packed) = self.packed_png(THUMBNAIL)? else { return Ok(None) };
        let Extent { width, height } = packed.header.extent;
        if width.max(height) > MAX_PREVIEW_PX {
            return Ok(None);
        }
        let (stack, _) = self.stack().map_err(|reason| self.entry_error(STACK, reason))?;
        Ok(self.thumbnail()?.map(|image| (image, stack.extent)))
    }

    /// All layers as one picture; nothing where there is none.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn merged(&mut self) -> Result<Option<RgbaImage>, ProjectError> {
        self.picture(MERGED)
    }

    fn picture(&mut self, name: &str) -> Result<Option<RgbaImage>, ProjectError> {
        let Some(packed) = self.packed_png(name)? else { return Ok(None) };
        let bytes = self.png(name, packed)?;
        decode_whole(&bytes, name).map(Some).map_err(|reason| self.entry_error(name, reason))
    }

    /// The layers as a document. A layer that can't be read is left out with a remark; where none
    /// is left, the merged picture is the only layer.
    ///
    /// # Errors
    ///
    /// When neither a layer nor the merged picture can be read, or all of it asks for more than the
    /// limits allow.
    pub fn document(&mut self) -> Result<Opened, ProjectError> {
        let fault = match self.stack() {
            Ok((stack, remarks)) => match self.layers(&stack)? {
                (layers, faults) if !layers.is_empty() || stack.layers.is_empty() => {
                    return Ok(document(&stack, layers, [remarks, faults].concat()));
                }
                (_, faults) => faults.into_iter().next().unwrap_or_default(),
            },
            Err(reason) => reason,
        };
        let image = match self.merged() {
            Ok(Some(image)) => image,
            Ok(None) => {
                return Err(ProjectError::NothingLeft { reason: fault, path: self.path.clone() });
            }
            Err(error) => {
                let reason = format!("{fault}; {error}");
                return Err(ProjectError::NothingLeft { reason, path: self.path.clone() });
            }
        };
        let mut document = Document::new(image.extent(), "Merged");
        if let Some(layer) = document.layers.first_mut() {
            let rect = PixelRect::from(image.extent().rect());
            layer.pixels = PixelGrid::from_pixels(rect, image.pixels());
        }
        let remark =
            format!("No layer can be read ({fault}), so all of them came as one merged picture.");
        Ok(Opened { document, remarks: vec![remark] })
    }

    fn stack(&mut self) -> Result<(StackXml, Vec<String>), String> {
        let xml = self.entry(STACK, MAX_STACK_BYTES).map_err(|error| error.to_string())?;
        let xml = xml.ok_or_else(|| "there is no list of layers (stack.xml)".to_owned())?;
        let xml = String::from_utf8(xml)
            .map_err(|_| "the list of layers (stack.xml) is not in UTF-8".to_owned())?;
        StackXml::parse(&xml).map_err(|error| error.to_string())
    }

    /// The layers that can be read, with their places in the list, and remarks about the others.
    fn layers(
        &mut self,
        stack: &StackXml,
    ) -> Result<(BTreeMap<usize, PixelGrid>, Vec<String>), ProjectError> {
        let mut remarks = Remarks::default();
        let left_out = |layer: &StackLayer, reason: &str| {
            format!("The layer {:?} was left out: {reason}.", layer.name)
        };
        // Layers that share a picture and a place share its pixels too.
        let mut wanted: BTreeMap<(&str, i32, i32), Vec<usize>> = BTreeMap::new();
        for (i, layer) in stack.layers.iter().enumerate() {
            wanted.entry((layer.src.as_str(), layer.x, layer.y)).or_default().push(i);
        }
        let mut sources = Vec::new();
        let mut pixels = 0;
        for ((src, x, y), users) in wanted {
            let fault = match self.packed_png(src) {
                Ok(Some(packed)) => {
                    pixels += packed.header.extent.area() as u64;
                    sources.push((src, (x, y), users, packed));
                    continue;
                }
                Ok(None) => "its picture is missing".to_owned(),
                Err(ProjectError::Entry { reason, .. } | ProjectError::Refused { reason, .. }) => {
                    reason
                }
                Err(error) => error.to_string(),
            };
            for layer in users.iter().filter_map(|&i| stack.layers.get(i)) {
                remarks.push(left_out(layer, &fault));
            }
        }
        if pixels > self.limits.pixels {
            return Err(self.refused(format!(
                "its layers have {pixels} pixels, {} can be worked on",
                self.limits.pixels
            )));
        }
        let budget = Budget::new(self.limits.tile_bytes);
        let mut layers = BTreeMap::new();
        let mut rest = sources.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0;
            let count = rest
                .iter()
                .take_while(|(.., packed)| {
                    bytes += packed.size;
                    bytes <= BATCH_BYTES
                })
                .count();
            let (batch, others) = rest.split_at(count.max(1));
            rest = others;
            let pngs: Vec<Result<Vec<u8>, ProjectError>> =
                batch.iter().map(|(src, .., packed)| self.png(src, *packed)).collect();
            let grids: Vec<Result<PixelGrid, DecodeError>> = batch
                .par_iter()
                .zip(pngs)
                .map(|((src, at, ..), png)| match png {
                    Ok(png) => decode(&png, src, *at, &budget),
                    Err(ProjectError::Entry { reason, .. }) => Err(DecodeError::Damaged(reason)),
                    Err(error) => Err(DecodeError::Damaged(error.to_string())),
                })
                .collect();
            for ((_, _, users, _), grid) in batch.iter().zip(grids) {
                match grid {
                    Ok(grid) => layers.extend(users.iter().map(|&i| (i, grid.clone()))),
                    Err(DecodeError::NoMemory) => {
                        return Err(self.refused(format!(
                            "its layers need more than {} bytes of memory",
                            self.limits.tile_bytes
                        )));
                    }
                    Err(DecodeError::Damaged(reason)) => {
                        for layer in users.iter().filter_map(|&i| stack.layers.get(i)) {
                            remarks.push(left_out(layer, &reason));
                        }
                    }
                }
            }
        }
        Ok((layers, remarks.into_list()))
    }

    /// Looks at the start of a PNG and checks that its size is one that such a picture can have.
    fn packed_png(&mut self, name: &str) -> Result<Option<PackedPng>, ProjectError> {
        let Some(index) = self.archive.index_for_name_raw(name.as_bytes()) else { return Ok(None) };
        let read = |file: &mut Self| -> Result<(Vec<u8>, u64), ZipError> {
            let entry = file.archive.by_index(index)?;
            let size = entry.size();
            let mut start = Vec::new();
            entry.take(PngHeader::LEN as u64).read_to_end(&mut start)?;
            Ok((start, size))
        };
        let (start, size) =
            read(self).map_err(|error| self.entry_error(name, first_line(&error)))?;
        let header = PngHeader::parse(&start).map_err(|reason| self.entry_error(name, reason))?;
        if size > header.max_bytes {
            let reason = format!("it has {size} bytes, too many for {} pixels", header.extent);
            return Err(self.entry_error(name, reason));
        }
        Ok(Some(PackedPng { header, size }))
    }

    /// All bytes of a PNG whose start was looked at.
    fn png(&mut self, name: &str, packed: PackedPng) -> Result<Vec<u8>, ProjectError> {
        let bytes = self.entry(name, packed.header.max_bytes)?;
        bytes.ok_or_else(|| self.entry_error(name, "it is gone".to_owned()))
    }

    fn refused(&self, reason: impl Into<String>) -> ProjectError {
        ProjectError::Refused { reason: reason.into(), path: self.path.clone() }
    }

    fn damaged(&self, error: &ZipError) -> ProjectError {
        ProjectError::Damaged { reason: first_line(error), path: self.path.clone() }
    }

    fn entry_error(&self, name: &str, reason: String) -> ProjectError {
        ProjectError::Entry { name: name.to_owned(), reason, path: self.path.clone() }
    }
}

/// A PNG in the archive whose start was looked at.
#[derive(Clone, Copy)]
struct PackedPng {
    header: PngHeader,
    /// Bytes of the PNG.
    size: u64,
}

fn document(
    stack: &StackXml,
    mut layers: BTreeMap<usize, PixelGrid>,
    mut remarks: Vec<String>,
) -> Opened {
    let mut document = Document::new(stack.extent, "Layer 1");
    if layers.is_empty() {
        remarks.push("The file has no layer; it got an empty one.".to_owned());
        return Opened { document, remarks };
    }
    let mut active = None;
    document.layers.clear();
    for (i, source) in stack.layers.iter().enumerate().rev() {
        let Some(pixels) = layers.remove(&i) else { continue };
        let id = LayerId(document.layers.len() as u64 + 1);
        document.layers.push(Layer {
            pixels,
            opacity: source.opacity,
            visible: source.visible,
            locked: source.locked,
            blend_mode: source.blend_mode,
            ..Layer::new(id, source.name.clone())
        });
        if source.selected {
            active = Some(id);
        }
    }
    // Where the file doesn't say, the topmost.
    let topmost = LayerId(document.layers.len() as u64);
    document.active = active.unwrap_or(topmost);
    document.next_layer = topmost.0 + 1;
    Opened { document, remarks }
}

/// What is wrong with an entry's name.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
    let parts = || name.split('/');
    if name.is_empty() {
        Some("the name is empty")
    } else if name.contains(['\\', '\0']) {
        Some("the name has a backslash or a zero in it")
    } else if name.starts_with('/') || parts().next().is_some_and(|part| part.ends_with(':')) {
        Some("the name starts at the root of a disk")
    } else if parts().any(|part| part == ".." || part == ".") {
        Some("the name leads to other folders")
    } else {
        None
    }
}

fn first_line(error: &dyn std::error::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}
