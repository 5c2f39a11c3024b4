//! The program with a window: gathers commands, updates the editor, does what it asks for.
//!
//! One frame is: `GessoApp::logic` takes what came from outside (the engine, files, the clipboard,
//! keys), then `GessoApp::ui` shows the window and takes what the user did there. Both only
//! gather [`Command`]s; each is given to [`Editor::update`], and the [`Effect`]s that come back are
//! done by the `desk`, on other threads where they take time. Start at [`start::run`].

mod clipboard;
mod desk;
mod dialogs;
mod drag_out;
mod frames;
mod keeper;
mod librarian;
pub mod picture_text;
mod start;
mod work;

use std::path::PathBuf;
use std::time::Duration;

use crate::app::desk::Desk;
use crate::app::drag_out::OwnWindow;
use crate::app::frames::FrameTimes;
use crate::editor::{Command, Editor, Effect, GalleryFilter};
use crate::geom::ScreenPoint;
use crate::ui::WindowState;

pub use start::{StartError, WindowOptions, run};

/// How often progress is looked at while a job runs, beside its own events.
const JOB_TICK: Duration = Duration::from_millis(100);

/// The window's program.
pub struct GessoApp {
    editor: Editor,
    window: WindowState,
    desk: Desk,
    /// What was asked for and is still to be done.
    commands: Vec<Command>,
    /// Whether the user has agreed to the window's end.
    closing: bool,
    frames: FrameTimes,
    title: String,
    /// The window as the system names it, where files dropped on it need that.
    own_window: Option<OwnWindow>,
}

impl GessoApp {
    /// A program for a window that was made.
    ///
    /// # Errors
    ///
    /// When the window can't draw the canvas.
    pub fn new(
        context: &eframe::CreationContext<'_>,
        options: WindowOptions,
    ) -> Result<Self, StartError> {
        let render = context
            .wgpu_render_state
            .as_ref()
            .ok_or_else(|| StartError::NoGraphics("the window can't draw with wgpu".to_owned()))?;
        crate::gpu::install(render);
        crate::ui::theme::install_fonts(&context.egui_ctx);
        let wake = context.egui_ctx.clone();
        let (desk, loaded) = Desk::open(&options, move || wake.request_repaint());
        crate::locale::set_language(loaded.preferences.language.language());
        let mut editor = Editor::new(loaded.preferences, crate::engine::draft::random_seed());
        let mut commands: Vec<Command> = loaded.warnings.into_iter().map(Command::Told).collect();
        if let Some(path) = options.file {
            editor.dialog = None;
            commands.push(Command::OpenPath(path));
        }
        let mut app = Self {
            editor,
            window: WindowState::new(crate::gpu::describe(&render.adapter.get_info())),
            desk,
            commands,
            closing: false,
            frames: FrameTimes::default(),
            title: String::new(),
            own_window: OwnWindow::of(context),
        };
        app.desk.set_window(app.own_window);
        app.desk.start_engine(&app.editor.preferences);
        app.desk.perform(Effect::FindWork);
        app.commands.push(Command::SearchGallery(GalleryFilter::default()));
        app.commands.extend(app.desk.start_keeping(&app.editor));
        Ok(app)
    }

    /// The editor, for tests that look at what a gesture did.
    #[must_use]
    pub const fn editor(&self) -> &Editor {
        &self.editor
    }

    /// Asks for something, as if the user had; for tests and scripts.
    pub fn command(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// Whether something is still being done outside the window's thread.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.commands.is_empty() || self.desk.is_busy() || self.editor.jobs.is_busy()
    }

    /// Whether all of the canvas that is seen was drawn.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        self.window.is_drawn()
    }

    /// Gives all commands to the editor and has its effects done.
    fn settle(&mut self, ctx: &egui::Context) {
        // An effect can answer at once; what it asks for is done in the same frame.
        while !self.commands.is_empty() {
            for command in std::mem::take(&mut self.commands) {
                log::trace!("{command:?}");
                let language = self.editor.preferences.language;
                let effects = self.editor.update(command);
                if language != self.editor.preferences.language {
                    crate::locale::set_language(self.editor.preferences.language.language());
                }
                for effect in effects {
                    self.perform(effect, ctx);
                }
            }
        }
    }

    fn perform(&mut self, effect: Effect, ctx: &egui::Context) {
        match effect {
            Effect::Close => {
                self.closing = true;
                ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            }
            Effect::CopyText(text) => ctx.copy_text(text),
            Effect::FocusPrompt => self.window.focus_prompt(ctx),
            Effect::FocusChat => self.window.focus_chat(ctx),
            Effect::RestartEngine => self.desk.start_engine(&self.editor.preferences),
            effect => self.commands.extend(self.desk.perform(effect)),
        }
    }

    /// Files that were dropped on the window, and a request to close it.
    fn take_window_events(&mut self, ctx: &egui::Context) {
        let (dropped, close) = ctx
            .input(|input| (input.raw.dropped_files.clone(), input.viewport().close_requested()));
        let untouched = self.editor.is_untouched();
        if !dropped.is_empty() {
            log::debug!("files were dropped: {}", dropped.len());
        }
        let mut paths = dropped.into_iter().map(|file| file.path().to_owned());
        if untouched && let Some(first) = paths.next() {
            self.commands.push(Command::OpenPath(first));
        }
        let paths: Vec<PathBuf> = paths.collect();
        if !paths.is_empty() {
            let at = self.own_window.and_then(|window| {
                let (x, y) = window.pointer()?;
                let scale = ctx.pixels_per_point();
                self.editor.view.canvas_at(ScreenPoint::new(x / scale, y / scale))
            });
            log::debug!("they are placed at {at:?}");
            self.commands.push(Command::PlacePaths { paths, at });
        }
        if close && !self.closing {
            if self.editor.has_unsaved_changes() {
                ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            }
            self.commands.push(Command::CloseRequested);
        }
    }

    fn set_title(&mut self, ctx: &egui::Context) {
        let name = self.editor.file.path.as_ref().and_then(|path| path.file_name());
        let name = name.map_or_else(
            || crate::locale::tr("New picture").to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        let mark = if self.editor.has_unsaved_changes() { "*" } else { "" };
        let title = format!("{mark}{name} - Gesso");
        if title != self.title {
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}

impl eframe::App for GessoApp {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.take_window_events(ctx);
        self.commands.extend(self.desk.poll());
        self.settle(ctx);
        if self.editor.jobs.is_busy() || self.desk.is_busy() {
            ctx.request_repaint_after(JOB_TICK);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        if let Some(seconds) = frame.info().cpu_usage {
            self.frames.add(seconds, self.editor.jobs.running().is_some());
        }
        let ctx = ui.ctx().clone();
        crate::ui::window_ui(ui, &self.editor, &mut self.window, &mut self.commands);
        self.settle(&ctx);
        self.set_title(&ctx);
        if frame.info().cpu_usage.is_none() {
            log::debug!("first frame");
        }
    }

    fn on_exit(&mut self) {
        self.frames.log();
        self.desk.close(&self.editor.preferences, self.closing);
    }

    fn persist_egui_memory(&self) -> bool {
        true
    }
}
