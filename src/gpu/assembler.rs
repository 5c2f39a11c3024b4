//! A thread that puts blocks of many tiles together.
//!
//! The smaller versions of a tile take about 0.1 ms, and a block at level 6 has 4096 tiles, so this
//! is not for the thread that draws.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::geom::Extent;
use crate::gpu::Wake;
use crate::gpu::source::{ContentId, assembled};
use crate::gpu::view::BlockAt;
use crate::raster::{Pixel, TileGrid};

/// A block to be put together.
pub(super) struct Job<P: Pixel> {
    pub(super) id: ContentId,
    pub(super) grid: TileGrid<P>,
    pub(super) canvas: Extent,
    pub(super) at: BlockAt,
}

/// Puts blocks together in the background.
pub(super) struct Assembler<P: Pixel> {
    shared: Arc<Shared<P>>,
    worker: Worker,
}

enum Worker {
    NotStarted,
    Started,
    /// The system gives no thread; blocks are then put together at once.
    Failed,
}

struct Shared<P: Pixel> {
    state: Mutex<State<P>>,
    changed: Condvar,
}

struct State<P: Pixel> {
    queue: VecDeque<Job<P>>,
    running: Option<ContentId>,
    done: HashMap<ContentId, Vec<P>>,
    wake: Option<Wake>,
    closed: bool,
}

impl<P: Pixel> Shared<P> {
    fn lock(&self) -> MutexGuard<'_, State<P>> {
        // A panic while holding the lock can't leave a half-done state: all changes are single
        // calls of the collections.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Pixel> Assembler<P> {
    pub(super) fn new() -> Self {
        let state = State {
            queue: VecDeque::new(),
            running: None,
            done: HashMap::new(),
            wake: None,
            closed: false,
        };
        let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
        Self { shared: Arc::new(shared), worker: Worker::NotStarted }
    }

    /// A block that is done. It is handed out once.
    pub(super) fn take(&self, id: ContentId) -> Option<Vec<P>> {
        self.shared.lock().done.remove(&id)
    }

    /// Replaces the list of what is wanted, the most urgent first; what is done but no longer
    /// wanted is dropped. False where there is no thread to do it.
    pub(super) fn set_wanted(&mut self, jobs: Vec<Job<P>>, wake: Option<&Wake>) -> bool {
        if matches!(self.worker, Worker::NotStarted) {
            if jobs.is_empty() {
                return true;
            }
            self.worker = start(&self.shared);
        }
        if matches!(self.worker, Worker::Failed) {
            return jobs.is_empty();
        }
        let mut state = self.shared.lock();
        let State { queue, running, done, .. } = &mut *state;
        done.retain(|id, _| jobs.iter().any(|job| job.id == *id));
        queue.clear();
        for job in jobs {
            if *running != Some(job.id)
                && !done.contains_key(&job.id)
                && !queue.iter().any(|queued| queued.id == job.id)
            {
                queue.push_back(job);
            }
        }
        state.wake = wake.cloned();
        drop(state);
        self.shared.changed.notify_one();
        true
    }
}

impl<P: Pixel> Drop for Assembler<P> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

fn start<P: Pixel>(shared: &Arc<Shared<P>>) -> Worker {
    let shared = Arc::clone(shared);
    let spawned =
        std::thread::Builder::new().name("gesso-blocks".to_owned()).spawn(move || work(&shared));
    match spawned {
        Ok(_) => Worker::Started,
        Err(error) => {
            log::warn!("views are put together while drawing, as there is no thread: {error}");
            Worker::Failed
        }
    }
}

fn work<P: Pixel>(shared: &Shared<P>) {
    let mut state = shared.lock();
    while !state.closed {
        let Some(job) = state.queue.pop_front() else {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        state.running = Some(job.id);
        drop(state);
        let texels = assembled(&job.grid, job.canvas, job.at);
        let id = job.id;
        // The tiles are let go before the next frame asks for more.
        drop(job);
        state = shared.lock();
        state.running = None;
        state.done.insert(id, texels);
        if let Some(wake) = state.wake.clone() {
            drop(state);
            wake();
            state = shared.lock();
        }
    }
}
