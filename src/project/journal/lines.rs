//! Records in a file, one a line, each with a check sum.
//!
//! A line is the CRC-32 of its record as eight hexadecimal digits, a space, the record as JSON, and a
//! line feed. A line without its line feed or with another sum was never finished.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::project::{ProjectError, Record};
use crate::storage::disk;

/// The longest line: a grid of the largest canvas takes less than a megabyte.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// A file of records that is being written.
pub(super) struct Lines {
    file: File,
    path: PathBuf,
    bytes: u64,
}

/// What is done with each line, or with what stands where a line should.
pub(super) type Take<'a> = &'a mut dyn FnMut(Result<&str, String>);

impl Lines {
    /// A new file.
    pub(super) fn create(path: &Path) -> Result<Self, ProjectError> {
        let file = OpenOptions::new().append(true).create_new(true).open(path);
        let file = file.map_err(ProjectError::io("start the journal", path))?;
        Ok(Self { file, path: path.to_owned(), bytes: 0 })
    }

    /// A file to go on with, after reading it. An end that was never finished is cut off.
    pub(super) fn open(path: &Path, take: Take<'_>) -> Result<Self, ProjectError> {
        let bytes = Self::read(path, take)?;
        let file = OpenOptions::new().append(true).open(path);
        let file = file.map_err(ProjectError::io("open the journal", path))?;
        let mut lines = Self { file, path: path.to_owned(), bytes };
        lines.cut(bytes);
        Ok(lines)
    }

    /// Reads all lines; gives the length up to the last line that is whole.
    pub(super) fn read(path: &Path, take: Take<'_>) -> Result<u64, ProjectError> {
        let failed = || ProjectError::io("read the journal", path);
        let file = File::open(path).map_err(failed())?;
        let mut reader = BufReader::new(file);
        let (mut at, mut whole, mut number) = (0, 0, 0);
        let mut unfinished = None;
        loop {
            let mut line = Vec::new();
            let mut bounded = reader.by_ref().take(MAX_LINE_BYTES);
            let count = bounded.read_until(b'\n', &mut line).map_err(failed())? as u64;
            if count == 0 {
                break;
            }
            at += count;
            number += 1;
            match checked(&line) {
                Some(record) => {
                    // What comes before a whole line was not the end.
                    if let Some(remark) = unfinished.take() {
                        take(Err(remark));
                    }
                    take(Ok(record));
                    whole = at;
                }
                None => {
                    if let Some(remark) = unfinished.replace(format!("line {number} is damaged")) {
                        take(Err(remark));
                    }
                }
            }
        }
        if let Some(remark) = unfinished {
            // The change in progress when the program ended.
            log::info!("{remark}, at the end of {path:?}");
        }
        Ok(whole)
    }

    /// Adds records; they are safe after [`Self::sync`].
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), ProjectError> {
        let mut text = Vec::new();
        for record in records {
            let json = serde_json::to_string(record)
                .map_err(|error| ProjectError::Encode(error.to_string()))?;
            let sum = crc32fast::hash(json.as_bytes());
            text.extend_from_slice(format!("{sum:08x} {json}\n").as_bytes());
        }
        disk::append(&self.file, &text)
            .map_err(ProjectError::io("write the journal", &self.path))?;
        self.bytes += text.len() as u64;
        Ok(())
    }

    /// Waits until all is on the disk.
    pub(super) fn sync(&self) -> Result<(), ProjectError> {
        disk::sync(&self.file).map_err(ProjectError::io("write the journal", &self.path))
    }

    /// The length in bytes.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Cuts off what is beyond a length.
    pub(super) fn cut(&mut self, bytes: u64) {
        self.bytes = bytes;
        if let Err(error) = disk::cut(&self.file, bytes) {
            log::warn!("can't take back a part of a line: {error}: {:?}", self.path);
        }
    }
}

/// The record of a line that is whole.
fn checked(line: &[u8]) -> Option<&str> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, record) = (line.get(..8)?, line.get(9..)?);
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    if line.get(8) != Some(&b' ') || sum != crc32fast::hash(record) {
        return None;
    }
    std::str::from_utf8(record).ok()
}
