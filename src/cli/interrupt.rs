//! Ctrl-C: stop at once, and leave no half-written file.

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
    files: Arc<Mutex<()>>,
}

impl Stop {
    /// A stop that Ctrl-C raises.
    ///
    /// The networks are told first. If the command has not ended a moment later, the process
    /// does: nothing but files would be lost, and [`Self::writing`] holds the end off while one is
    /// put in place.
    pub(crate) fn on_ctrl_c() -> Self {
        let stop = Self::default();
        let handler = stop.clone();
        let set = ctrlc::set_handler(move || {
            handler.raise();
            std::thread::sleep(GRACE);
            let _files = handler.files.lock().unwrap_or_else(PoisonError::into_inner);
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
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = job;
    }

    /// Holds the end of the process off while a finished file is put in place.
    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
        if let Some(job) = &*self.job.lock().unwrap_or_else(PoisonError::into_inner) {
            job.raise();
        }
    }
}
