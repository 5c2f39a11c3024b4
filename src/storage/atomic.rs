//! Files that are written whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::storage::{StorageError, disk};

/// Writes a file through `content`; on failure whatever was at `path` before is still there.
///
/// The content goes to a temporary file beside `path`, is forced onto the disk and then takes the
/// place of `path` in one step. When `content` or the system fails, the temporary file is removed.
///
/// # Errors
///
/// When the folder doesn't exist or can't be written to, when the disk is full, or when `content`
/// fails.
pub fn write_atomically(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), StorageError> {
    try_write(path, content).map_err(|source| StorageError::Write { source, path: path.to_owned() })
}

fn try_write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "a folder has that name"));
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the folder does not exist"));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gesso-").suffix(".tmp");
    // Temporary files are private by default; a picture gets the permissions of any new file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    disk::step()?;
    let temporary = builder.tempfile_in(&folder)?;
    let mut writer = BufWriter::new(temporary.as_file());
    content(&mut writer)?;
    disk::step()?;
    writer.flush()?;
    drop(writer);
    disk::sync(temporary.as_file())?;
    disk::step()?;
    temporary.persist(path).map_err(|error| error.error)?;
    sync_folder(&folder);
    Ok(())
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Forces the new name onto the disk. The content is safe already, so a system that can't do this
/// is no reason to fail.
fn sync_folder(folder: &Path) {
    #[cfg(unix)]
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        log::debug!("can't sync the folder: {error}: {}", folder.display());
    }
    #[cfg(not(unix))]
    let _ = folder;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_replaced_in_one_step_with_ordinary_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for text in ["first", "second"] {
            write_atomically(&path, |file| file.write_all(text.as_bytes())).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(folder.path()), ["a.txt"]);
        let plain = folder.path().join("b.txt");
        std::fs::write(&plain, "").unwrap();
        let permissions = |path: &Path| std::fs::metadata(path).unwrap().permissions();
        assert_eq!(permissions(&path), permissions(&plain));
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "old").unwrap();
        let error = write_atomically(&path, |file| {
            file.write_all(b"half of the n")?;
            Err(io::Error::other("disk full"))
        })
        .unwrap_err();
        assert!(error.to_string().starts_with("can't write the file: disk full"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn whichever_step_fails_the_old_or_the_new_file_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "old").unwrap();
        let write = || write_atomically(&path, |file| file.write_all(b"new"));
        for step in 0.. {
            disk::faults::fail(step, 1);
            let result = write();
            let steps = disk::faults::stop();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(names(folder.path()), ["a.txt"]);
            if steps <= step {
                assert!(result.is_ok() && text == "new" && steps == 4);
                break;
            }
            assert!(result.is_err() && text == "old");
        }
    }

    #[test]
    fn a_missing_folder_and_a_folder_in_the_way_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &Path| write_atomically(path, |_| Ok(())).unwrap_err().to_string();
        assert!(write(&folder.path().join("no/a.txt")).contains("the folder does not exist"));
        assert!(write(folder.path()).contains("a folder has that name"));
    }
}
