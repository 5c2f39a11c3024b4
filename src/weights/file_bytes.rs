//! Reading at a place of a file, checked against the file's true length.

use std::fs::File;
use std::path::Path;

use crate::weights::error::{Fault, WeightsError};

/// An open file and its length.
///
/// Plain positioned reads rather than a memory map: loading converts every value once anyway, a
/// map would count the file a second time in the process's memory, and a file that shrinks while
/// it is read is an error here and not a crash.
#[derive(Debug)]
pub(super) struct FileBytes {
    file: File,
    len: u64,
}

impl FileBytes {
    pub(super) fn open(path: &Path) -> Result<Self, WeightsError> {
        let io = |source| WeightsError::Io { action: "open", path: path.to_path_buf(), source };
        let file = File::open(path).map_err(io)?;
        let about = file.metadata().map_err(io)?;
        if !about.is_file() {
            return Err(Fault::NotACheckpoint("it is not a plain file".to_owned()).at(path));
        }
        Ok(Self { file, len: about.len() })
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buffer` from `offset` on; a place beyond the end is a truncated file.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Fault> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(Fault::Truncated(format!(
                "it ends after {} bytes, inside its own contents",
                self.len
            )));
        }
        read_exact_at(&self.file, buffer, offset).map_err(|error| {
            if error.kind() == std::io::ErrorKind::UnexpectedEof {
                Fault::Truncated("it became shorter while it was read".to_owned())
            } else {
                Fault::Io(error)
            }
        })
    }

    /// A part of the file in memory; the length is checked before anything is allocated.
    pub(super) fn part(&self, offset: u64, len: u64) -> Result<Vec<u8>, Fault> {
        if offset.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(Fault::Truncated(format!(
                "it ends after {} bytes, inside its own contents",
                self.len
            )));
        }
        let mut bytes = vec![0; len as usize];
        self.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !buffer.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, offset)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[read..];
        offset += read as u64;
    }
    Ok(())
}
