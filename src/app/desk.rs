//! Where effects are done: files, dialogs, the clipboard, the engine.
//!
//! Four threads work beside the window's own: one for files and the clipboard, one that computes, one
//! that keeps the journal, one that keeps the library of pictures. They are given closures over
//! snapshots and answer with commands; nothing is shared with them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::app::drag_out::{DragError, DragOut, OwnWindow};
use crate::app::keeper::{Keeper, Save};
use crate::app::librarian::Librarian;
use crate::app::{WindowOptions, clipboard, dialogs, work};
use crate::document::{Document, NodeId};
use crate::editor::{
    Command, DragSource, Editor, Effect, JobNumber, Keep, LibraryTask, ReadTo, RequestPlan,
    is_project, messages, requests,
};
use crate::engine::catalog::Catalog;
use crate::engine::error::EngineError;
use crate::engine::event::Failure;
use crate::engine::handle::{Engine, EngineSettings, Previews};
use crate::engine::library::{LibraryPaths, ModelLibrary};
use crate::engine::request::Request;
use crate::engine::threads::{EngineOptions, Priority};
use crate::locale::tr;
use crate::preferences::Preferences;
use crate::storage::{
    LoadedPreferences, config_folder, data_folder, load_preferences, save_preferences,
};

/// How long after it refused something the disk is asked again.
const ASK_DISK_AGAIN: Duration = Duration::from_secs(10);
/// Tasks that may wait for a thread, and answers that may wait for the window.
const WAITING: usize = 1024;

/// What a thread is given to do, with what it owns.
type Task<S> = Box<dyn FnOnce(&mut S) -> Answer + Send>;

/// What comes back from a thread.
enum Answer {
    /// Something for the editor.
    Command(Box<Command>),
    /// A request for the engine, or why there is none.
    Request(JobNumber, Box<Result<Request, Failure>>),
    /// A project to be written, while the journal goes on.
    Save(Box<(Save, PathBuf, NodeId, Box<Document>)>),
    /// The models were looked for.
    Library(Box<Result<TwoLibraries, String>>),
    /// Some things for the editor.
    Commands(Vec<Command>),
    /// Something for the librarian.
    Librarian(Task<Librarian>),
    /// Nothing.
    Done,
}

impl From<Command> for Answer {
    fn from(command: Command) -> Self {
        Self::Command(Box::new(command))
    }
}

/// The models as the engine sees them, and as requests are built from them.
struct TwoLibraries {
    engine: ModelLibrary,
    requests: ModelLibrary,
}

/// A named thread that does tasks one after the other and owns something.
struct Worker<S = ()> {
    tasks: Option<SyncSender<Task<S>>>,
    thread: Option<JoinHandle<()>>,
}

impl<S: Send + 'static> Worker<S> {
    fn start(
        name: &str,
        mut owned: S,
        answers: SyncSender<Answer>,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        let (tasks, given) = sync_channel::<Task<S>>(WAITING);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            for task in given {
                if answers.send(task(&mut owned)).is_err() {
                    return;
                }
                wake();
            }
        });
        match thread {
            Ok(thread) => Self { tasks: Some(tasks), thread: Some(thread) },
            Err(error) => {
                log::error!("there is no thread {name}: {error}");
                Self { tasks: None, thread: None }
            }
        }
    }

    /// Gives the thread a task; false where it can't take one.
    fn give(&self, task: Task<S>) -> bool {
        let Some(tasks) = &self.tasks else { return false };
        match tasks.try_send(task) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    /// Waits until all tasks are done.
    fn finish(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("a thread of the window ended in a panic");
        }
    }
}

fn answer_of(command: Option<Command>) -> Answer {
    command.map_or(Answer::Done, Answer::from)
}

/// What does the editor's effects.
pub(crate) struct Desk {
    files: Worker,
    compute: Worker,
    keeper: Worker<Keeper>,
    librarian: Worker<Librarian>,
    /// When the disk is asked again whether it takes what it refused.
    ask_disk: Option<Instant>,
    answers: Receiver<Answer>,
    answer: SyncSender<Answer>,
    wake: Arc<dyn Fn() + Send + Sync>,
    /// Tasks that have not answered yet.
    open: usize,
    engine: Option<Engine>,
    library: Option<Arc<ModelLibrary>>,
    /// Requests that wait for the library.
    early: Vec<RequestPlan>,
    /// Jobs whose requests are being built.
    building: BTreeSet<JobNumber>,
    config: Option<PathBuf>,
    /// Preferences that are still to be written.
    unsaved: Option<Box<Preferences>>,
    saving: bool,
    options: EngineOptions,
    /// The window that pictures are dragged out of, where that can be.
    window: Option<OwnWindow>,
    drag_out: DragOut,
    /// Whether the user was told that pictures can't be dragged out.
    no_drag_told: bool,
}

impl Desk {
    /// Starts the threads and reads the preferences.
    pub(crate) fn open(
        options: &WindowOptions,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> (Self, LoadedPreferences) {
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(wake);
        let (answer, answers) = sync_channel(WAITING);
        let config = options.config.clone().or_else(config_folder);
        // Where preferences are put elsewhere, so are journals.
        let data = match &options.config {
            Some(config) => Some(config.join("data")),
            None => data_folder(),
        };
        let journals = data.as_ref().map(|folder| folder.join("journals"));
        let pictures = data.map(|folder| folder.join("library"));
        let loaded = config.as_deref().map(load_preferences).unwrap_or_default();
        let desk = Self {
            files: Worker::start("gesso-files", (), answer.clone(), Arc::clone(&wake)),
            compute: Worker::start("gesso-compute", (), answer.clone(), Arc::clone(&wake)),
            keeper: Worker::start(
                "gesso-keeper",
                Keeper::new(journals),
                answer.clone(),
                Arc::clone(&wake),
            ),
            librarian: Worker::start(
                "gesso-library",
                Librarian::new(pictures),
                answer.clone(),
                Arc::clone(&wake),
            ),
            ask_disk: None,
            answers,
            answer,
            wake,
            open: 0,
            engine: None,
            library: None,
            early: Vec::new(),
            building: BTreeSet::new(),
            config,
            unsaved: None,
            saving: false,
            options: EngineOptions::default(),
            window: None,
            drag_out: DragOut::default(),
            no_drag_told: false,
        };
        (desk, loaded)
    }

    /// Says which window pictures are dragged out of.
    pub(crate) const fn set_window(&mut self, window: Option<OwnWindow>) {
        self.window = window;
    }

    /// Whether a task has not answered yet.
    pub(crate) const fn is_busy(&self) -> bool {
        self.open > 0
    }

    /// Looks for the models and starts the engine over, all in the background.
    pub(crate) fn start_engine(&mut self, preferences: &Preferences) {
        self.options = EngineOptions {
            threads: preferences.engine_threads,
            priority: Priority::Low,
            memory_budget_bytes: preferences.memory_budget_bytes,
        };
        self.engine = None;
        self.library = None;
        let folder = preferences.models_folder.clone();
        self.compute(move || {
            let paths = LibraryPaths::standard().map(|mut paths| {
                if let Some(folder) = folder {
                    paths.user = folder;
                }
                TwoLibraries {
                    engine: ModelLibrary::open(paths.clone()),
                    requests: ModelLibrary::open(paths),
                }
            });
            Answer::Library(Box::new(paths.map_err(|error| error.to_string())))
        });
    }

    /// Does an effect, or begins it; what is known at once comes back.
    pub(crate) fn perform(&mut self, effect: Effect) -> Vec<Command> {
        match effect {
            Effect::Ask(dialog) => {
                let answer = self.answer.clone();
                let wake = Arc::clone(&self.wake);
                self.open += 1;
                dialogs::ask(dialog, move |command| {
                    if answer.send(command.map_or(Answer::Done, Answer::from)).is_ok() {
                        wake();
                    }
                });
            }
            Effect::Read { path, to: ReadTo::Picture } if is_project(&path) => {
                let early = path.clone();
                self.keep(move |_| answer_of(Keeper::preview(&early)));
                self.keep(move |keeper| keeper.open(&path).into());
            }
            Effect::WriteProject { path, document, node } => {
                self.keep(move |keeper| match keeper.saving(&path) {
                    Ok(save) => Answer::Save(Box::new((save, path, node, document))),
                    Err(error) => Command::Failed(error.to_string()).into(),
                });
            }
            Effect::Keep(keep) => {
                let saved = match &keep {
                    Keep::Saved(_, path) if is_project(path) => Some(path.clone()),
                    _ => None,
                };
                self.keep(move |keeper| answer_of(keeper.keep(keep)));
                if let Some(path) = saved {
                    self.keep(move |keeper| match keeper.project() {
                        Some(project) => Answer::Librarian(Box::new(move |librarian| {
                            answer_of(librarian.saved(&project, path))
                        })),
                        None => Answer::Done,
                    });
                }
            }
            // The keeper knows which project that is.
            Effect::Library(LibraryTask::Accepted { pictures, path, node }) => {
                self.keep(move |keeper| {
                    let project = keeper.project();
                    Answer::Librarian(Box::new(move |librarian| {
                        answer_of(librarian.accepted(&pictures, project, path, node))
                    }))
                });
            }
            Effect::Library(task) => {
                self.ask_librarian(move |librarian| Answer::Commands(librarian.perform(task)));
            }
            Effect::Fetch(node) => self.keep(move |keeper| keeper.fetch(node).into()),
            Effect::FindWork => self.keep(|keeper| answer_of(keeper.find_work())),
            Effect::TakeUp(folder) => {
                self.keep(move |keeper| keeper.take_up(&folder).into());
            }
            Effect::ThrowAway(folder) => {
                self.keep(move |_| answer_of(Keeper::throw_away(&folder)));
            }
            Effect::Read { path, to } => {
                self.file(move || work::read(path, to).into());
            }
            Effect::Write { path, document, node, record } => {
                self.file(move || work::write(path, &document, node, record.as_deref()).into());
            }
            Effect::WriteCopy { folder, document, record } => {
                self.file(move || work::write_copy(folder, &document, record.as_deref()).into());
            }
            Effect::CopyImage(source) => {
                self.file(move || clipboard::copy(*source).map_or(Answer::Done, Answer::from));
            }
            Effect::DragOut(source) => return self.drag_out(*source).into_iter().collect(),
            Effect::PasteImage => self.file(|| clipboard::paste().into()),
            Effect::PasteAttachment => self.file(|| clipboard::paste_attachment().into()),
            Effect::Compute(plan) => self.compute(move || work::compute(plan).into()),
            Effect::Measure { ticket, documents } => {
                self.compute(move || work::measure(ticket, &documents).into());
            }
            Effect::Submit(plan) => self.build(*plan),
            Effect::Stage(plan) => {
                let job = plan.plan.job;
                self.compute(move || {
                    if plan.plan.chat.is_some() {
                        return Command::Answered(Box::new(messages::answer(*plan))).into();
                    }
                    Command::Staged { job, results: requests::stage(*plan) }.into()
                });
            }
            Effect::Cancel(job) => {
                if let Some(engine) = &mut self.engine {
                    engine.cancel(job);
                }
            }
            Effect::Forget(job) => {
                self.building.remove(&job);
                self.early.retain(|plan| plan.job != job);
            }
            Effect::Move(job, position) => {
                if let Some(engine) = &mut self.engine
                    && let Err(error) = engine.move_to(job, position)
                {
                    log::warn!("job {} was not moved: {error}", job.0);
                }
            }
            Effect::MakeThumbnail(node, document) => {
                self.compute(move || work::thumbnail(node, &document).into());
            }
            Effect::SavePreferences(preferences) => {
                self.unsaved = Some(preferences);
                self.save_preferences();
            }
            // The window does these itself.
            Effect::Close
            | Effect::CopyText(_)
            | Effect::FocusPrompt
            | Effect::FocusChat
            | Effect::RestartEngine => {}
        }
        Vec::new()
    }

    /// What has come from the threads and the engine.
    pub(crate) fn poll(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        while let Ok(answer) = self.answers.try_recv() {
            self.open = self.open.saturating_sub(1);
            match answer {
                Answer::Command(command) => commands.push(*command),
                Answer::Commands(several) => commands.extend(several),
                Answer::Librarian(task) => self.ask_librarian(task),
                Answer::Request(job, request) => commands.extend(self.submit(job, *request)),
                Answer::Save(save) => self.file(move || {
                    let (save, path, node, document) = *save;
                    save.write(path, node, &document).into()
                }),
                Answer::Library(library) => commands.extend(self.library_found(*library)),
                Answer::Done => {}
            }
            if self.saving && self.open == 0 {
                self.saving = false;
                self.save_preferences();
            }
        }
        let refused = |command: &Command| matches!(command, Command::KeepingFailed(Some(_)));
        if commands.iter().any(refused) {
            self.ask_disk = Instant::now().checked_add(ASK_DISK_AGAIN);
        }
        if self.ask_disk.is_some_and(|when| Instant::now() >= when) {
            self.ask_disk = None;
            self.keep(|keeper| answer_of(keeper.try_again()));
        }
        if let Some(engine) = &mut self.engine {
            while let Some((job, event)) = engine.poll() {
                commands.push(Command::JobEvent(job, event));
            }
            if let Some(preview) = engine.take_preview() {
                commands.push(Command::Preview(preview));
            }
        }
        commands
    }

    /// Ends everything; preferences that were not written yet are.
    ///
    /// `agreed` says that the work was saved or is not wanted; else it stays in the journal.
    pub(crate) fn close(&mut self, preferences: &Preferences, agreed: bool) {
        self.engine = None;
        self.files.finish();
        self.compute.finish();
        if agreed {
            self.keep(|keeper| {
                keeper.end();
                Answer::Done
            });
        }
        self.keeper.finish();
        // What the keeper had to say to the librarian, and what comes of that is not of use any more.
        while let Ok(answer) = self.answers.try_recv() {
            if let Answer::Librarian(task) = answer {
                self.ask_librarian(task);
            }
        }
        self.librarian.finish();
        if let Some(folder) = &self.config
            && let Err(error) = save_preferences(folder, preferences)
        {
            log::warn!("{error}");
        }
    }

    fn file(&mut self, task: impl FnOnce() -> Answer + Send + 'static) {
        self.open += usize::from(self.files.give(Box::new(|()| task())));
    }

    fn compute(&mut self, task: impl FnOnce() -> Answer + Send + 'static) {
        self.open += usize::from(self.compute.give(Box::new(|()| task())));
    }

    fn keep(&mut self, task: impl FnOnce(&mut Keeper) -> Answer + Send + 'static) {
        self.open += usize::from(self.keeper.give(Box::new(task)));
    }

    fn ask_librarian(&mut self, task: impl FnOnce(&mut Librarian) -> Answer + Send + 'static) {
        self.open += usize::from(self.librarian.give(Box::new(task)));
    }

    /// Tells the keeper of the tree that the window starts with.
    pub(crate) fn start_keeping(&mut self, editor: &Editor) -> Vec<Command> {
        let root = editor.history.node(editor.history.root());
        root.map(|node| self.perform(Effect::Keep(Keep::Start(Box::new(node.clone())))))
            .unwrap_or_default()
    }

    /// Begins to carry a picture out of the window; that it can't be done is told once.
    fn drag_out(&mut self, source: DragSource) -> Option<Command> {
        let answer = self.answer.clone();
        let wake = Arc::clone(&self.wake);
        let done = move |failed: Option<String>| {
            if answer.send(answer_of(failed.map(Command::Failed))).is_ok() {
                wake();
            }
        };
        match self.drag_out.start(self.window, source, done) {
            Ok(()) => {
                self.open += 1;
                None
            }
            Err(DragError::Unsupported) if self.no_drag_told => None,
            Err(DragError::Unsupported) => {
                self.no_drag_told = true;
                let text =
                    tr("Pictures can't be dragged out of the window on this system. Use Copy.");
                Some(Command::Told(text.to_owned()))
            }
            Err(error) => Some(Command::Failed(error.to_string())),
        }
    }

    /// Writes the newest preferences, one writing at a time.
    fn save_preferences(&mut self) {
        if self.saving {
            return;
        }
        if let (Some(folder), Some(preferences)) = (self.config.clone(), self.unsaved.take()) {
            self.saving = true;
            self.file(move || match save_preferences(&folder, &preferences) {
                Ok(()) => Answer::Done,
                Err(error) => Command::Failed(error.to_string()).into(),
            });
        }
    }

    /// Has a request built on the computing thread.
    fn build(&mut self, plan: RequestPlan) {
        let Some(library) = self.library.clone() else {
            self.early.push(plan);
            return;
        };
        let job = plan.job;
        self.building.insert(job);
        self.compute(move || {
            let request = requests::request(&plan, &library).map_err(|error| error.failure());
            Answer::Request(job, Box::new(request))
        });
    }

    fn submit(&mut self, job: JobNumber, request: Result<Request, Failure>) -> Option<Command> {
        if !self.building.remove(&job) {
            // It was cancelled while its request was built.
            return None;
        }
        let result = request.and_then(|request| {
            let record = Box::new(request.record(request.common().seed));
            let engine = self.engine.as_mut().ok_or_else(|| EngineError::Stopped.failure())?;
            let id = engine.submit(request).map_err(|error| error.failure())?;
            Ok((id, record))
        });
        Some(Command::JobSubmitted { job, result })
    }

    fn library_found(&mut self, found: Result<TwoLibraries, String>) -> Vec<Command> {
        let TwoLibraries { engine: library, requests } = match found {
            Ok(found) => found,
            Err(error) => return vec![Command::Failed(error)],
        };
        let catalog = Catalog::read(&library);
        let mut commands = vec![Command::Catalog(Arc::new(catalog))];
        let wake = Arc::clone(&self.wake);
        let settings =
            EngineSettings { library, wake: Box::new(move || wake()), previews: Previews::Shown };
        match Engine::start_with_options(settings, &self.options) {
            Ok(mut engine) => {
                let preload = crate::engine::handle::Preload {
                    model: None,
                    purpose: crate::engine::family::Purpose::Generate,
                    device: crate::engine::device::DeviceChoice::Auto,
                    precision: crate::engine::device::Precision::Auto,
                };
                if let Err(error) = engine.preload(preload) {
                    log::debug!("no model is loaded ahead: {error}");
                }
                self.engine = Some(engine);
            }
            Err(error) => commands.push(Command::Failed(error.to_string())),
        }
        self.library = Some(Arc::new(requests));
        for plan in std::mem::take(&mut self.early) {
            self.build(plan);
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Extent;
    use crate::project::ora::{Contents, write};

    /// What comes of opening a file, in order.
    fn opened(path: &std::path::Path, folder: &std::path::Path) -> Vec<Command> {
        let options = WindowOptions { file: None, config: Some(folder.to_owned()) };
        let (mut desk, loaded) = Desk::open(&options, || ());
        let mut commands =
            desk.perform(Effect::Read { path: path.to_owned(), to: ReadTo::Picture });
        while desk.is_busy() {
            commands.extend(desk.poll());
            std::thread::yield_now();
        }
        desk.close(&loaded.preferences, true);
        commands
    }

    #[test]
    fn a_project_is_shown_small_before_all_of_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ora");
        let mut document = Document::new(Extent::new(1200, 300), "Layer 1");
        document.layers[0].pixels.fill(document.extent.rect().into(), [9, 90, 200, 255]);
        let contents = Contents {
            document: &document,
            entries: Vec::new(),
            layer_content: &|_| String::new(),
            row_content: &|_, _| String::new(),
            picture_content: String::new(),
        };
        write(&path, &contents, None).unwrap();
        let commands = opened(&path, folder.path());
        let [Command::ProjectPreview { path: shown, image, extent }, Command::ProjectOpened(all)] =
            &commands[..]
        else {
            panic!("{commands:?}");
        };
        assert_eq!((shown, *extent), (&path, document.extent));
        assert_eq!(image.pixel(0, 0), [9, 90, 200, 255]);
        assert_eq!(all.document.extent, *extent);

        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let commands = opened(&path, folder.path());
        assert!(matches!(commands[..], [Command::Failed(_)]), "{commands:?}");
    }
}
