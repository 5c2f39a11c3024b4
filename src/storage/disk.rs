//! The steps in which something durable is written, each of which can fail.
//!
//! Everything that must survive is written through these few functions, so that tests can let any
//! step fail, as a full disk or a lost drive does, and look at what is left.

use std::fs::File;
use std::io::{self, Write as _};

/// Writes bytes at the file's position.
///
/// # Errors
///
/// When the disk is full or can't be written to; some of the bytes may be there then.
pub fn append(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    #[cfg(test)]
    if let Err(error) = faults::step() {
        // As on a full disk, a part gets through.
        file.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default())?;
        return Err(error);
    }
    file.write_all(bytes)
}

/// Forces what was written onto the disk.
///
/// # Errors
///
/// When the disk does not take it.
pub fn sync(file: &File) -> io::Result<()> {
    #[cfg(test)]
    faults::step()?;
    file.sync_all()
}

/// Cuts a file to a length.
///
/// # Errors
///
/// When the system refuses.
pub fn cut(file: &File, bytes: u64) -> io::Result<()> {
    file.set_len(bytes)
}

/// A step that is about to be done by other means than the functions here.
///
/// # Errors
///
/// Only in tests that ask for it.
pub fn step() -> io::Result<()> {
    #[cfg(test)]
    faults::step()?;
    Ok(())
}

/// Steps that tests let fail.
#[cfg(test)]
pub(crate) mod faults {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static DONE: Cell<u32> = const { Cell::new(0) };
        static FAIL: Cell<Option<(u32, u32)>> = const { Cell::new(None) };
    }

    /// Lets `count` steps of this thread fail from the `first` one on, counted from now.
    pub(crate) fn fail(first: u32, count: u32) {
        DONE.set(0);
        FAIL.set(Some((first, count)));
    }

    /// Lets no step fail any more; gives the number of steps that were tried.
    pub(crate) fn stop() -> u32 {
        FAIL.set(None);
        DONE.replace(0)
    }

    pub(super) fn step() -> io::Result<()> {
        let number = DONE.get();
        DONE.set(number + 1);
        match FAIL.get() {
            Some((first, count)) if number >= first && number - first < count => {
                Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"))
            }
            _ => Ok(()),
        }
    }
}
