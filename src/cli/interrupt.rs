//! Ctrl-C: stop at once, and leave no half-written file.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::nn::Interrupt;

/// Exit code after Ctrl-C: 128 + SIGINT, as shells have it.
const INTERRUPTED: i32 = 130;
/// How long the command gets to end by itself. Together with the rest this stays below 200 ms.
const GRACE: Duration = Duration::from_millis(120);

/// What a signal must stop.
#[derive(Clone, Default)]
pub(crate) struct Stop {
    raised: Arc<AtomicBool>,
    job: Arc<Mutex<Option<Interrupt>>>,
    scratch: Arc<Mutex<Vec<Scratch>>>,
}

/// Temporary files that are being written beside their final place.
struct Scratch {
    folder: PathBuf,
    prefix: &'static str,
    /// What was there before and is not ours.
    foreign: BTreeSet<OsString>,
}

/// Ends the watch over temporary files.
pub(crate) struct ScratchWatch<'a>(&'a Stop);

impl Drop for ScratchWatch<'_> {
    fn drop(&mut self) {
        lock(&self.0.scratch).pop();
    }
}

impl Stop {
    /// A stop that Ctrl-C raises.
    ///
    /// The networks are told first. If the command has not ended a moment later, the process does,
    /// after the temporary files of a write under way are removed. Finished files take their place
    /// in one step, so that no half file can be left.
    pub(crate) fn on_ctrl_c() -> Self {
        let stop = Self::default();
        let handler = stop.clone();
        let set = ctrlc::set_handler(move || {
            handler.raise();
            std::thread::sleep(GRACE);
            for scratch in lock(&handler.scratch).iter() {
                scratch.sweep();
            }
            std::process::exit(INTERRUPTED);
        });
        if let Err(error) = set {
            log::warn!("Ctrl-C ends the program at once, because no handler could be set: {error}");
        }
        stop
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// Lets Ctrl-C stop this job too.
    pub(crate) fn watch(&self, job: Option<Interrupt>) {
        if let Some(job) = &job
            && self.is_raised()
        {
            job.raise();
        }
        *lock(&self.job) = job;
    }

    /// Has Ctrl-C remove what appears in `folder` under names that begin with `prefix`, until the
    /// result is dropped.
    pub(crate) fn watch_scratch(&self, folder: &Path, prefix: &'static str) -> ScratchWatch<'_> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let foreign = names(folder, prefix).collect();
        lock(&self.scratch).push(Scratch { folder: folder.to_owned(), prefix, foreign });
        ScratchWatch(self)
    }

    fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
        if let Some(job) = &*lock(&self.job) {
            job.raise();
        }
    }
}

impl Scratch {
    fn sweep(&self) {
        for name in names(&self.folder, self.prefix).filter(|name| !self.foreign.contains(name)) {
            let path = self.folder.join(name);
            let removed = if path.is_dir() {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            // Whoever made it may have removed it meanwhile.
            if let Err(error) = removed {
                log::debug!("not removed: {error}: {path:?}");
            }
        }
    }
}

fn names(folder: &Path, prefix: &'static str) -> impl Iterator<Item = OsString> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.file_name())
        .filter(move |name| name.to_string_lossy().starts_with(prefix))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_temporary_files_are_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let touch = |name: &str| std::fs::write(folder.path().join(name), "").unwrap();
        touch(".gesso-old.tmp");
        let stop = Stop::default();
        let watch = stop.watch_scratch(folder.path(), ".gesso-");
        touch(".gesso-new.tmp");
        touch("picture.png");
        for scratch in lock(&stop.scratch).iter() {
            scratch.sweep();
        }
        drop(watch);
        assert!(lock(&stop.scratch).is_empty());
        let left: BTreeSet<_> = names(folder.path(), "").collect();
        assert_eq!(left, [".gesso-old.tmp".into(), "picture.png".into()].into());
    }

    #[test]
    fn a_job_that_is_watched_late_is_stopped_too() {
        let stop = Stop::default();
        stop.raise();
        let job = Interrupt::new();
        stop.watch(Some(job.clone()));
        assert!(job.is_raised());
    }
}
