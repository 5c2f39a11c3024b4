//! The client's end of the engine: send jobs, cancel them, hear about them.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::engine::error::EngineError;
use crate::engine::event::{JobEvent, JobId, Preview};
use crate::engine::jobs::Jobs;
use crate::engine::library::ModelLibrary;
use crate::engine::request::Request;
use crate::engine::threads::{self, EngineOptions};
pub use crate::engine::worker::Preload;
use crate::engine::worker::{self, Events, JobResult, Mailbox, Message, QueuedJob, Task, Wake};
use crate::nn::Interrupt;

/// The worker thread's name, and how those begin on which it computes; panics there are reported as
/// failed jobs, see [`threads::is_engine_thread`].
pub const WORKER_THREAD: &str = "gesso-engine";

/// Messages that may wait for the worker; it reads them between any two steps.
const MESSAGES: usize = 1024;
/// Events that may wait for the client; a window reads them once a frame.
const EVENTS: usize = 256;

/// How an engine is set up.
pub struct EngineSettings {
    /// Where the models are.
    pub library: ModelLibrary,
    /// Called after every event, from the worker thread, so that the client polls.
    pub wake: Box<dyn Fn() + Send + Sync>,
    /// Whether previews are made.
    pub previews: Previews,
}

/// Whether somebody looks at pictures while they are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Previews {
    /// A preview after every step; the newest waits in a slot.
    Shown,
    /// None are made.
    Off,
}

/// A running engine: one worker thread and its queue.
///
/// Dropping it cancels all jobs and waits for the worker to end.
pub struct Engine {
    messages: Option<SyncSender<Message>>,
    events: Option<Receiver<(JobId, JobEvent)>>,
    preview: Arc<Mutex<Option<Preview>>>,
    interrupts: BTreeMap<JobId, Interrupt>,
    /// Raised when a job needs the worker.
    preload: Option<Interrupt>,
    last_id: u64,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the worker thread. No model is loaded and no device opened before the first job.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(settings: EngineSettings) -> Result<Self, EngineError> {
        Self::start_with_options(settings, &EngineOptions::default())
    }

    /// As [`Self::start`], taking no more of the machine than the options say.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start_with_options(
        settings: EngineSettings,
        options: &EngineOptions,
    ) -> Result<Self, EngineError> {
        let EngineSettings { library, wake, previews } = settings;
        let mut jobs = Jobs::new(library, options.memory_budget_bytes);
        let pool = threads::pool(options)?;
        // Inside the pool all of a job's parallel work stays there, candle's included.
        Self::start_with(move |task| pool.install(|| jobs.work(task)), wake, previews)
    }

    /// Starts the worker thread on any work.
    pub(crate) fn start_with(
        work: impl FnMut(Task<'_, '_>) -> JobResult + Send + 'static,
        wake: Wake,
        previews: Previews,
    ) -> Result<Self, EngineError> {
        let (messages, inbox) = sync_channel(MESSAGES);
        let (outbox, events) = sync_channel(EVENTS);
        let preview = Arc::new(Mutex::new(None));
        let slot = (previews == Previews::Shown).then(|| Arc::clone(&preview));
        let mailbox = Mailbox::new(inbox, Events::new(outbox, slot, wake));
        let thread = std::thread::Builder::new()
            .name(WORKER_THREAD.to_owned())
            .spawn(move || worker::run(mailbox, work))?;
        Ok(Self {
            messages: Some(messages),
            events: Some(events),
            preview,
            interrupts: BTreeMap::new(),
            preload: None,
            last_id: 0,
            thread: Some(thread),
        })
    }

    /// Puts a job at the end of the queue.
    ///
    /// # Errors
    ///
    /// When the worker is gone, or does not read its messages.
    pub fn submit(&mut self, request: Request) -> Result<JobId, EngineError> {
        self.last_id += 1;
        let id = JobId(self.last_id);
        let interrupt = Interrupt::new();
        self.send(Message::Submit(Box::new(QueuedJob {
            id,
            request,
            interrupt: interrupt.clone(),
        })))?;
        self.stop_preload();
        self.interrupts.insert(id, interrupt);
        Ok(id)
    }

    /// Asks a job to stop, wherever it is; `Cancelled` follows unless it was done already.
    pub fn cancel(&mut self, job: JobId) {
        if let Some(interrupt) = self.interrupts.get(&job) {
            interrupt.raise();
            // Only a hint to look at the queue: a full channel is drained at the next step anyway.
            if let Err(error) = self.send(Message::Cancelled) {
                log::debug!("cancel of job {} not announced: {error}", job.0);
            }
        }
    }

    /// Lets a waiting job wait at another place, 0 for the next to run.
    ///
    /// # Errors
    ///
    /// When the worker is gone, or does not read its messages.
    pub fn move_to(&mut self, job: JobId, position: usize) -> Result<(), EngineError> {
        self.send(Message::Move { job, position })
    }

    /// Loads networks in the background once nothing runs, so that the next job begins at once.
    ///
    /// Not a job: it has no events, its errors are only logged, and it ends when one is submitted;
    /// a network that was loaded whole by then stays.
    ///
    /// # Errors
    ///
    /// When the worker is gone, or does not read its messages.
    pub fn preload(&mut self, preload: Preload) -> Result<(), EngineError> {
        self.stop_preload();
        let interrupt = Interrupt::new();
        self.send(Message::Preload(preload, interrupt.clone()))?;
        self.preload = Some(interrupt);
        Ok(())
    }

    fn stop_preload(&mut self) {
        if let Some(interrupt) = self.preload.take() {
            interrupt.raise();
        }
    }

    /// Forgets the loaded networks as soon as no job runs.
    ///
    /// # Errors
    ///
    /// When the worker is gone, or does not read its messages.
    pub fn drop_models(&mut self) -> Result<(), EngineError> {
        self.stop_preload();
        self.send(Message::DropModels)
    }

    /// The flag that stops a job, for a signal handler or another thread.
    #[must_use]
    pub fn interrupt(&self, job: JobId) -> Option<Interrupt> {
        self.interrupts.get(&job).cloned()
    }

    /// The next event, if there is one.
    pub fn poll(&mut self) -> Option<(JobId, JobEvent)> {
        let event = self.events.as_ref()?.try_recv().ok()?;
        Some(self.seen(event))
    }

    /// The next event, waiting up to `timeout` for it.
    pub fn wait(&mut self, timeout: Duration) -> Option<(JobId, JobEvent)> {
        let event = self.events.as_ref()?.recv_timeout(timeout).ok()?;
        Some(self.seen(event))
    }

    /// The newest preview, if it was not taken yet.
    #[must_use]
    pub fn take_preview(&self) -> Option<Preview> {
        self.preview.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the worker thread has ended, which it does only when it is told to.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn seen(&mut self, event: (JobId, JobEvent)) -> (JobId, JobEvent) {
        if event.1.is_last() {
            self.interrupts.remove(&event.0);
        }
        event
    }

    fn send(&self, message: Message) -> Result<(), EngineError> {
        let messages = self.messages.as_ref().ok_or(EngineError::Stopped)?;
        messages.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => EngineError::QueueFull,
            TrySendError::Disconnected(_) => EngineError::Stopped,
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for interrupt in self.interrupts.values() {
            interrupt.raise();
        }
        self.stop_preload();
        // Both ends go first: the worker may wait on either of them.
        self.events = None;
        self.messages = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the engine's thread ended in a panic");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::device::{DeviceChoice, Precision};
    use crate::engine::event::{FailureKind, Picture, Stage};
    use crate::engine::family::Purpose;
    use crate::engine::report::{Report, Step};
    use crate::engine::request::{BaseSettings, Common, GenerateRequest, SamplerChoice};
    use crate::engine::worker::Made;
    use crate::geom::Extent;
    use crate::raster::RgbaImage;

    const STEPS: usize = 4;
    const LONG: Duration = Duration::from_mins(1);

    fn request(prompt: &str) -> Request {
        Request::Generate(GenerateRequest {
            common: Common {
                prompt: prompt.to_owned(),
                negative_prompt: String::new(),
                model: "scripted".to_owned(),
                checkpoints: Vec::new(),
                seed: 1,
                device: DeviceChoice::Cpu,
                precision: Precision::Auto,
            },
            count: 1,
            base: BaseSettings {
                steps: STEPS as u32,
                respacing: STEPS.to_string(),
                sampler: SamplerChoice::Ddpm,
                eta: 0.0,
                guidance: 1.0,
                clip_guidance: 0.0,
                size: 2,
            },
            upsample: None,
        })
    }

    fn image() -> RgbaImage {
        RgbaImage::from_raw(Extent::new(1, 1), vec![1, 2, 3, 255]).unwrap()
    }

    fn draw(request: &Request, report: &mut Report<'_>) -> JobResult {
        report.stage(Stage::Base)?;
        for step in 1..=STEPS {
            let at =
                Step { stage: Stage::Base, item: 0, items: 1, step, steps: STEPS, place: None };
            report.step(at, || Ok(image()))?;
        }
        Ok(vec![Picture { image: image(), seed: 1, record: request.record(1) }].into())
    }

    /// An engine whose jobs wait for a go before each, and say what they run.
    fn gated() -> (Engine, std::sync::mpsc::SyncSender<()>, Receiver<String>) {
        let (go, gate) = sync_channel::<()>(16);
        let (say, said) = sync_channel(16);
        let work = move |task: Task<'_, '_>| match task {
            Task::Job(request, report) => {
                say.send(request.common().prompt.clone()).unwrap();
                gate.recv().unwrap();
                draw(request, report)
            }
            Task::DropModels | Task::Preload(..) => Ok(Made::default()),
        };
        (Engine::start_with(work, Box::new(|| ()), Previews::Off).unwrap(), go, said)
    }

    fn next(engine: &mut Engine) -> (JobId, JobEvent) {
        engine.wait(LONG).expect("an event within a minute")
    }

    fn last(engine: &mut Engine, job: JobId) -> JobEvent {
        loop {
            let (id, event) = next(engine);
            if id == job && event.is_last() {
                return event;
            }
        }
    }

    fn engine(work: impl FnMut(Task<'_, '_>) -> JobResult + Send + 'static) -> Engine {
        Engine::start_with(work, Box::new(|| ()), Previews::Shown).unwrap()
    }

    #[test]
    fn events_come_in_order_and_every_step_is_told() {
        let mut engine = engine(|task| match task {
            Task::Job(request, report) => draw(request, report),
            Task::DropModels | Task::Preload(..) => Ok(Made::default()),
        });
        let job = engine.submit(request("a")).unwrap();
        let mut told = Vec::new();
        loop {
            let (id, event) = next(&mut engine);
            assert_eq!(id, job);
            told.push(match &event {
                JobEvent::Queued { ahead } => format!("queued {ahead}"),
                JobEvent::Started => "started".to_owned(),
                JobEvent::Stage(stage) => stage.name().to_owned(),
                JobEvent::Progress(p) => {
                    assert!((p.overall - p.step as f32 / STEPS as f32).abs() < 1e-6);
                    format!("{}/{}", p.step, p.steps)
                }
                JobEvent::Finished(outcome) => {
                    assert_eq!(outcome.pictures.len(), 1);
                    assert!(outcome.report.seconds.contains_key(&Stage::Base));
                    "finished".to_owned()
                }
                other => format!("{other:?}"),
            });
            if event.is_last() {
                break;
            }
        }
        assert_eq!(told, ["queued 0", "started", "base", "1/4", "2/4", "3/4", "4/4", "finished"]);
        assert_eq!(engine.take_preview().unwrap().step, STEPS);
        assert!(engine.take_preview().is_none());
    }

    #[test]
    fn a_job_can_be_cancelled_at_every_step() {
        for at in 0..STEPS {
            let (go, gate) = sync_channel::<()>(0);
            let (reached, arrived) = sync_channel::<usize>(0);
            let mut engine = engine(move |task| match task {
                Task::Job(_, report) => {
                    report.stage(Stage::Base)?;
                    for step in 0..STEPS {
                        reached.send(step).unwrap();
                        gate.recv().unwrap();
                        let done = Step {
                            stage: Stage::Base,
                            item: 0,
                            items: 1,
                            step: step + 1,
                            steps: STEPS,
                            place: None,
                        };
                        report.step(done, || Ok(image()))?;
                    }
                    Ok(Made::default())
                }
                Task::DropModels | Task::Preload(..) => Ok(Made::default()),
            });
            let job = engine.submit(request("a")).unwrap();
            for step in 0..=at {
                assert_eq!(arrived.recv().unwrap(), step);
                if step == at {
                    engine.cancel(job);
                }
                go.send(()).unwrap();
            }
            let mut steps = 0;
            loop {
                match next(&mut engine).1 {
                    JobEvent::Progress(_) => steps += 1,
                    JobEvent::Cancelled => break,
                    event => assert!(!event.is_last(), "{event:?}"),
                }
            }
            assert_eq!(steps, at, "no step is told after the cancel");
        }
    }

    #[test]
    fn a_panic_fails_its_job_only_and_drops_the_models() {
        let (say, said) = sync_channel::<()>(4);
        let mut engine = engine(move |task| match task {
            Task::Job(request, report) => {
                assert_ne!(request.common().prompt, "bad", "scripted");
                draw(request, report)
            }
            Task::DropModels => {
                say.send(()).unwrap();
                Ok(Made::default())
            }
            Task::Preload(..) => Ok(Made::default()),
        });
        let bad = engine.submit(request("bad")).unwrap();
        let good = engine.submit(request("good")).unwrap();
        match last(&mut engine, bad) {
            JobEvent::Failed(failure) => {
                assert_eq!(failure.kind, FailureKind::Failure);
                assert!(failure.message.contains("scripted"), "{}", failure.message);
            }
            event => panic!("{event:?}"),
        }
        assert!(matches!(last(&mut engine, good), JobEvent::Finished(_)));
        assert!(said.try_recv().is_ok());
    }

    #[test]
    fn waiting_jobs_run_in_order_unless_they_are_moved_or_cancelled() {
        let (mut engine, go, said) = gated();
        let first = engine.submit(request("first")).unwrap();
        assert_eq!(said.recv().unwrap(), "first");
        let b = engine.submit(request("b")).unwrap();
        let c = engine.submit(request("c")).unwrap();
        let d = engine.submit(request("d")).unwrap();
        engine.move_to(d, 0).unwrap();
        engine.cancel(b);
        for _ in 0..3 {
            go.send(()).unwrap();
        }
        assert!(matches!(last(&mut engine, c), JobEvent::Finished(_)));
        assert_eq!(said.try_iter().collect::<Vec<_>>(), ["d", "c"]);
        assert!(engine.interrupt(first).is_none() && engine.interrupt(b).is_none());
    }

    #[test]
    fn a_preload_runs_when_nothing_else_does_and_a_job_ends_it() {
        let (say, said) = sync_channel::<&'static str>(8);
        let mut engine = engine(move |task| match task {
            Task::Job(request, report) => {
                say.send("job").unwrap();
                draw(request, report)
            }
            Task::Preload(preload, interrupt) => {
                assert_eq!(preload.purpose, Purpose::Inpaint);
                say.send("preload").unwrap();
                while !interrupt.is_raised() {
                    std::thread::yield_now();
                }
                Err(EngineError::Cancelled)
            }
            Task::DropModels => Ok(Made::default()),
        });
        let preload = || Preload { purpose: Purpose::Inpaint, ..Preload::default() };
        engine.preload(preload()).unwrap();
        assert_eq!(said.recv().unwrap(), "preload");
        // Another one takes the place of the first.
        engine.preload(preload()).unwrap();
        assert_eq!(said.recv().unwrap(), "preload");
        let job = engine.submit(request("a")).unwrap();
        assert!(matches!(last(&mut engine, job), JobEvent::Finished(_)));
        assert_eq!(said.recv().unwrap(), "job");
        engine.preload(preload()).unwrap();
        assert_eq!(said.recv().unwrap(), "preload");
        drop(engine);
    }

    #[test]
    fn a_panic_while_loading_ahead_drops_the_models_and_nothing_else() {
        let (say, said) = sync_channel::<()>(8);
        let mut engine = engine(move |task| match task {
            Task::Job(request, report) => draw(request, report),
            Task::Preload(..) => panic!("scripted"),
            Task::DropModels => {
                say.send(()).unwrap();
                Ok(Made::default())
            }
        });
        engine.preload(Preload::default()).unwrap();
        said.recv().unwrap();
        let job = engine.submit(request("a")).unwrap();
        assert!(matches!(last(&mut engine, job), JobEvent::Finished(_)));
    }

    #[test]
    fn dropping_the_engine_stops_a_running_job() {
        let (said, heard) = sync_channel::<()>(1);
        let mut engine = engine(move |task| match task {
            Task::Job(_, report) => {
                said.send(()).unwrap();
                while !report.interrupt().is_raised() {
                    std::thread::yield_now();
                }
                Err(EngineError::Cancelled)
            }
            Task::DropModels | Task::Preload(..) => Ok(Made::default()),
        });
        engine.submit(request("a")).unwrap();
        heard.recv().unwrap();
        drop(engine);
    }
}
