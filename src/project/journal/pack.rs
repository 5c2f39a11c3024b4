//! Pictures in one file, in the order in which they came.
//!
//! The file starts with eight bytes, `GESSOPK1`. Each picture is its hash (32 bytes), the length and
//! the CRC-32 of its PNG file (4 bytes each, the lowest first), and the PNG file. What is not whole
//! at the end was never finished.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::project::{ContentHash, Picture, Pictures, ProjectError};
use crate::storage::disk;

const MAGIC: &[u8; 8] = b"GESSOPK1";
const HEADER_BYTES: u64 = 40;
/// A tile of noise takes a little more than its 256 KiB.
const MAX_PNG_BYTES: u32 = 1 << 20;

/// A file of pictures that is being written.
pub(super) struct Pack {
    file: File,
    path: PathBuf,
    bytes: u64,
    // Shared with readers, which keep the state that they were made at.
    index: Arc<HashMap<ContentHash, Place>>,
}

/// The pictures of a pack as they are at one moment; what is written later does not disturb it.
pub(super) struct PackReader {
    file: File,
    path: PathBuf,
    index: Arc<HashMap<ContentHash, Place>>,
}

#[derive(Clone, Copy)]
struct Place {
    /// Where the PNG file starts.
    offset: u64,
    length: u32,
    sum: u32,
}

impl Pack {
    /// A new file.
    pub(super) fn create(path: &Path) -> Result<Self, ProjectError> {
        let failed = || ProjectError::io("start the journal", path);
        let file = OpenOptions::new().read(true).append(true).create_new(true).open(path);
        let file = file.map_err(failed())?;
        disk::append(&file, MAGIC).map_err(failed())?;
        Ok(Self { file, path: path.to_owned(), bytes: MAGIC.len() as u64, index: Arc::default() })
    }

    /// A file to go on with. An end that was never finished is cut off.
    pub(super) fn open(path: &Path) -> Result<Self, ProjectError> {
        let failed = || ProjectError::io("read the journal's pictures", path);
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let file = file.map_err(failed())?;
        let length = file.metadata().map_err(failed())?.len();
        let mut pack = Self { file, path: path.to_owned(), bytes: 0, index: Arc::default() };
        let mut reader = BufReader::new(&pack.file);
        let mut magic = [0; 8];
        if length < MAGIC.len() as u64 || reader.read_exact(&mut magic).is_err() || magic != *MAGIC
        {
            if length > MAGIC.len() as u64 {
                let other = std::io::Error::other("it is another kind of file");
                return Err(failed()(other));
            }
            // The program ended before the first picture.
            drop(reader);
            pack.cut(0);
            disk::append(&pack.file, MAGIC).map_err(failed())?;
            pack.bytes = MAGIC.len() as u64;
            return Ok(pack);
        }
        let mut at = MAGIC.len() as u64;
        let mut index = HashMap::new();
        while let Some((content, place)) = next(&mut reader, at, length) {
            at = place.offset + u64::from(place.length);
            index.insert(content, place);
            if reader.seek_relative(i64::from(place.length)).is_err() {
                break;
            }
        }
        drop(reader);
        pack.index = Arc::new(index);
        if at < length {
            log::info!("{} bytes at the end are not whole: {path:?}", length - at);
        }
        pack.cut(at);
        Ok(pack)
    }

    /// Adds pictures and waits until they are on the disk.
    pub(super) fn append(
        &mut self,
        pictures: &[(ContentHash, Picture)],
    ) -> Result<(), ProjectError> {
        if pictures.is_empty() {
            return Ok(());
        }
        let failed = || ProjectError::io("write the journal", &self.path);
        let mut at = self.bytes;
        let mut added = Vec::new();
        // In groups, so that a large picture does not need its size in memory again.
        for some in pictures.chunks(64) {
            let files: Vec<(ContentHash, Vec<u8>)> = some
                .par_iter()
                .map(|(content, picture)| Ok((*content, picture.encode()?)))
                .collect::<Result<_, ProjectError>>()?;
            let mut bytes = Vec::new();
            for (content, file) in files {
                let (length, sum) = (file.len() as u32, crc32fast::hash(&file));
                let offset = at + bytes.len() as u64 + HEADER_BYTES;
                added.push((content, Place { offset, length, sum }));
                bytes.extend_from_slice(&content.0);
                bytes.extend_from_slice(&length.to_le_bytes());
                bytes.extend_from_slice(&sum.to_le_bytes());
                bytes.extend_from_slice(&file);
            }
            disk::append(&self.file, &bytes).map_err(failed())?;
            at += bytes.len() as u64;
        }
        disk::sync(&self.file).map_err(failed())?;
        self.bytes = at;
        Arc::make_mut(&mut self.index).extend(added);
        Ok(())
    }

    /// The pictures as they are now, for another thread.
    pub(super) fn reader(&self) -> Result<PackReader, ProjectError> {
        let file = File::open(&self.path);
        let file = file.map_err(ProjectError::io("read the journal's pictures", &self.path))?;
        Ok(PackReader { file, path: self.path.clone(), index: Arc::clone(&self.index) })
    }

    /// The length in bytes.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Cuts off what is beyond a length.
    pub(super) fn cut(&mut self, bytes: u64) {
        self.bytes = bytes;
        let beyond = |place: &Place| place.offset + u64::from(place.length) > bytes;
        if self.index.values().any(beyond) {
            Arc::make_mut(&mut self.index).retain(|_, place| !beyond(place));
        }
        if let Err(error) = disk::cut(&self.file, bytes) {
            log::warn!("can't take back a part of a picture: {error}: {:?}", self.path);
        }
    }
}

impl Pictures for Pack {
    fn png(&mut self, content: ContentHash) -> Result<Option<Vec<u8>>, ProjectError> {
        read(&self.file, &self.path, &self.index, content)
    }
}

impl Pictures for PackReader {
    fn png(&mut self, content: ContentHash) -> Result<Option<Vec<u8>>, ProjectError> {
        read(&self.file, &self.path, &self.index, content)
    }
}

fn read(
    mut file: &File,
    path: &Path,
    index: &HashMap<ContentHash, Place>,
    content: ContentHash,
) -> Result<Option<Vec<u8>>, ProjectError> {
    let Some(place) = index.get(&content) else { return Ok(None) };
    let mut bytes = vec![0; place.length as usize];
    file.seek(SeekFrom::Start(place.offset))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(ProjectError::io("read the journal's pictures", path))?;
    if crc32fast::hash(&bytes) != place.sum {
        return Err(ProjectError::Tile { content, why: "its file has changed".into() });
    }
    Ok(Some(bytes))
}

/// The header of the next picture; nothing where none is whole.
fn next(reader: &mut BufReader<&File>, at: u64, length: u64) -> Option<(ContentHash, Place)> {
    let mut header = [0; HEADER_BYTES as usize];
    if at + HEADER_BYTES > length {
        return None;
    }
    reader.read_exact(&mut header).ok()?;
    let (content, rest) = header.split_first_chunk::<32>()?;
    let (size, rest) = rest.split_first_chunk::<4>()?;
    let (sum, _) = rest.split_first_chunk::<4>()?;
    let (size, sum) = (u32::from_le_bytes(*size), u32::from_le_bytes(*sum));
    let offset = at + HEADER_BYTES;
    let fits = size <= MAX_PNG_BYTES && offset + u64::from(size) <= length;
    fits.then_some((ContentHash(*content), Place { offset, length: size, sum }))
}
