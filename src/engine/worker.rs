//! The worker thread: one job runs, the rest wait.
//!
//! The worker owns the queue, the device and the loaded networks. Messages come in through a bounded
//! channel, which is also read between the steps of the running job, so that waiting jobs can be
//! moved and cancelled at any time. What the jobs do is a function that the worker is given; it
//! knows neither networks nor files.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvError, SyncSender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::device::{DeviceChoice, Precision};
use crate::engine::error::EngineError;
use crate::engine::event::{Answer, JobEvent, JobId, Outcome, Picture, Preview};
use crate::engine::family::Purpose;
use crate::engine::report::Report;
use crate::engine::request::Request;
use crate::nn::Interrupt;

/// What the client tells the worker.
pub(crate) enum Message {
    /// Do this when its turn comes.
    Submit(Box<QueuedJob>),
    /// Some waiting job's interrupt was raised.
    Cancelled,
    /// Let `job` wait at `position`.
    Move {
        /// The waiting job.
        job: JobId,
        /// Its new place, 0 for the next to run.
        position: usize,
    },
    /// Load networks once nothing runs and nothing waits.
    Preload(Preload, Interrupt),
    /// Forget the loaded networks once nothing runs.
    DropModels,
}

/// Networks that will soon be needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preload {
    /// The model's id; the default model without it.
    pub model: Option<String>,
    /// What for.
    pub purpose: Purpose,
    /// Where the job will compute.
    pub device: DeviceChoice,
    /// How exactly the job will compute.
    pub precision: Precision,
}

/// A job that waits.
pub(crate) struct QueuedJob {
    /// Its name.
    pub(crate) id: JobId,
    /// What to do.
    pub(crate) request: Request,
    /// Raised to cancel it.
    pub(crate) interrupt: Interrupt,
}

/// What the worker has its work function do.
pub(crate) enum Task<'a, 'b> {
    /// Run a job.
    Job(&'a Request, &'a mut Report<'b>),
    /// Load networks ahead of the job that needs them.
    Preload(&'a Preload, &'a Interrupt),
    /// Forget the loaded networks.
    DropModels,
}

/// The calls that wake the client.
pub(crate) type Wake = Box<dyn Fn() + Send + Sync>;

/// The way out: events, and the slot in which the newest preview wins.
pub(crate) struct Events {
    sender: SyncSender<(JobId, JobEvent)>,
    preview: Option<Arc<Mutex<Option<Preview>>>>,
    wake: Wake,
}

impl Events {
    pub(crate) fn new(
        sender: SyncSender<(JobId, JobEvent)>,
        preview: Option<Arc<Mutex<Option<Preview>>>>,
        wake: Wake,
    ) -> Self {
        Self { sender, preview, wake }
    }

    pub(crate) const fn previews_wanted(&self) -> bool {
        self.preview.is_some()
    }

    /// Sends an event that must arrive; waits while the channel is full.
    pub(crate) fn send(&self, job: JobId, event: JobEvent) {
        if self.sender.send((job, event)).is_err() {
            log::debug!("nobody listens to job {} any more", job.0);
        }
        (self.wake)();
    }

    /// Sends an event that the next one makes superfluous; drops it while the channel is full.
    pub(crate) fn offer(&self, job: JobId, event: JobEvent) {
        if self.sender.try_send((job, event)).is_err() {
            log::trace!("a progress event of job {} was dropped", job.0);
        }
        (self.wake)();
    }

    pub(crate) fn show(&self, preview: Preview) {
        if let Some(slot) = &self.preview {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(preview);
        }
    }
}

/// The way in, and the jobs that wait.
pub(crate) struct Mailbox {
    messages: Receiver<Message>,
    queue: VecDeque<QueuedJob>,
    events: Events,
    preload: Option<(Preload, Interrupt)>,
    drop_models: bool,
}

impl Mailbox {
    pub(crate) fn new(messages: Receiver<Message>, events: Events) -> Self {
        Self { messages, queue: VecDeque::new(), events, preload: None, drop_models: false }
    }

    pub(crate) const fn events(&self) -> &Events {
        &self.events
    }

    /// Reads every message that has come; says whether more can come.
    pub(crate) fn drain(&mut self) -> bool {
        loop {
            match self.messages.try_recv() {
                Ok(message) => self.take(message),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// The next job; waits for one. `None` when no more can come.
    fn next(&mut self, work: &mut impl FnMut(Task<'_, '_>) -> JobResult) -> Option<QueuedJob> {
        loop {
            let open = self.drain();
            if std::mem::take(&mut self.drop_models)
                && let Err(error) = work(Task::DropModels)
            {
                log::warn!("models were not dropped: {error}");
            }
            // A client that is gone has raised all interrupts: nothing in the queue is wanted.
            if !open {
                return None;
            }
            if let Some(job) = self.queue.pop_front() {
                return Some(job);
            }
            if let Some((preload, interrupt)) = self.preload.take() {
                self.drop_models |= !preload_now(&preload, &interrupt, work);
                continue;
            }
            match self.messages.recv() {
                Ok(message) => self.take(message),
                Err(RecvError) => return None,
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Submit(job) => {
                self.preload = None;
                self.events.send(job.id, JobEvent::Queued { ahead: self.queue.len() });
                self.queue.push_back(*job);
                self.drop_cancelled();
            }
            Message::Cancelled => self.drop_cancelled(),
            Message::Move { job, position } => {
                if let Some(now) = self.queue.iter().position(|queued| queued.id == job)
                    && let Some(queued) = self.queue.remove(now)
                {
                    self.queue.insert(position.min(self.queue.len()), queued);
                }
            }
            Message::Preload(preload, interrupt) => {
                // A job that waits loads what it needs itself.
                self.preload = self.queue.is_empty().then_some((preload, interrupt));
            }
            Message::DropModels => {
                self.preload = None;
                self.drop_models = true;
            }
        }
    }

    fn drop_cancelled(&mut self) {
        let events = &self.events;
        self.queue.retain(|job| {
            let cancelled = job.interrupt.is_raised();
            if cancelled {
                events.send(job.id, JobEvent::Cancelled);
            }
            !cancelled
        });
    }
}

/// What a job made.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) pictures: Vec<Picture>,
    /// Of a message.
    pub(crate) answer: Option<Answer>,
}

impl From<Vec<Picture>> for Made {
    fn from(pictures: Vec<Picture>) -> Self {
        Self { pictures, answer: None }
    }
}

/// What the work function makes of a job.
pub(crate) type JobResult = Result<Made, EngineError>;

/// Runs jobs until the client is gone.
pub(crate) fn run(mut mailbox: Mailbox, mut work: impl FnMut(Task<'_, '_>) -> JobResult) {
    while let Some(job) = mailbox.next(&mut work) {
        let event = run_job(&job, &mut mailbox, &mut work);
        mailbox.events.send(job.id, event);
    }
}

/// Loads networks ahead; says whether the networks in memory can still be trusted.
fn preload_now(
    preload: &Preload,
    interrupt: &Interrupt,
    work: &mut impl FnMut(Task<'_, '_>) -> JobResult,
) -> bool {
    let result = catch_unwind(AssertUnwindSafe(|| work(Task::Preload(preload, interrupt))));
    match result {
        Ok(Ok(_)) => log::debug!("loaded ahead: {preload:?}"),
        Ok(Err(_)) if interrupt.is_raised() => log::debug!("no longer loaded ahead: {preload:?}"),
        // The job that needs the model will say so to the user.
        Ok(Err(error)) => log::info!("a model can't be loaded ahead: {error}"),
        Err(panic) => {
            log::error!("loading ahead hit a bug: {}", panic_text(panic.as_ref()));
            return false;
        }
    }
    true
}

fn run_job(
    job: &QueuedJob,
    mailbox: &mut Mailbox,
    work: &mut impl FnMut(Task<'_, '_>) -> JobResult,
) -> JobEvent {
    mailbox.events.send(job.id, JobEvent::Started);
    let mut report = Report::new(job.id, job.interrupt.clone(), mailbox);
    // A panic is a bug, but not one that may take the client and its other jobs with it. The
    // networks may be left in any state, so they are dropped.
    let result = catch_unwind(AssertUnwindSafe(|| work(Task::Job(&job.request, &mut report))));
    let facts = report.finish();
    match result {
        Ok(Ok(Made { pictures, answer })) => {
            let answer = answer.map(Box::new);
            JobEvent::Finished(Outcome { pictures, answer, report: facts })
        }
        Ok(Err(_)) if job.interrupt.is_raised() => JobEvent::Cancelled,
        Ok(Err(error)) => JobEvent::Failed(error.failure()),
        Err(panic) => {
            mailbox.drop_models = true;
            JobEvent::Failed(EngineError::Panic(panic_text(panic.as_ref())).failure())
        }
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
