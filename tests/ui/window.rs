//! A window to test: the real program in a harness, with a folder of its own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use gesso::app::{GessoApp, WindowOptions};
use gesso::editor::{Action, Command, Editor};
use gesso::engine::library::TinyFamily;
use gesso::geom::CanvasPoint;
use gesso::preferences::{Preferences, Theme};

/// Nothing in these tests takes this long.
const LONG: Duration = Duration::from_mins(2);

/// The program's window with everything that it needs.
pub(crate) struct Window {
    pub(crate) harness: Harness<'static, GessoApp>,
    /// Where its preferences, models and pictures are.
    pub(crate) folder: tempfile::TempDir,
}

impl Window {
    /// A window of 1280 by 800 points with the small model.
    pub(crate) fn open(theme: Theme) -> Self {
        Self::open_with(theme, |_| ())
    }

    /// A window whose preferences are changed first.
    pub(crate) fn open_with(theme: Theme, change: impl FnOnce(&mut Preferences)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let models = folder.path().join("models");
        std::fs::create_dir(&models).unwrap();
        TinyFamily::new("tiny").write(&models).unwrap();
        let mut preferences = Preferences {
            theme,
            show_first_run: false,
            models_folder: Some(models),
            pictures_folder: Some(folder.path().join("pictures")),
            language: gesso::preferences::LanguageChoice::Chosen(gesso::locale::Language::English),
            last_generation: serde_json::json!({
                "model": "tiny", "seed": 7, "seed_locked": true, "steps": 4,
            }),
            ..Preferences::default()
        };
        change(&mut preferences);
        gesso::storage::save_preferences(folder.path(), &preferences).unwrap();
        Self::in_folder(folder)
    }

    /// Another start of the program after an orderly end, with everything that is on the disk.
    pub(crate) fn reopen(self) -> Self {
        let Self { harness, folder } = self;
        drop(harness);
        Self::in_folder(folder)
    }

    /// A window of a program that ran before, with what it left.
    pub(crate) fn in_folder(folder: tempfile::TempDir) -> Self {
        let config: PathBuf = folder.path().to_owned();
        let harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_max_steps(64)
            .wgpu_setup(test_setup())
            .build_eframe(move |context| {
                GessoApp::new(context, WindowOptions { file: None, config: Some(config) }).unwrap()
            });
        let mut window = Self { harness, folder };
        window.settle();
        assert!(window.editor().catalog.is_some(), "the models are known");
        window
    }

    /// Ends the program as a crash does: nothing is asked, nothing is written.
    pub(crate) fn crash(self) -> tempfile::TempDir {
        let Self { harness, folder } = self;
        let was_written = harness.state().editor().history.nodes().count() > 1;
        drop(harness);
        // Its threads end on their own.
        let began = Instant::now();
        let journals = folder.path().join("data/journals");
        while was_written && gesso::project::journal::abandoned(&journals).is_empty() {
            assert!(began.elapsed() < LONG, "the journal is never let go");
            std::thread::yield_now();
        }
        folder
    }

    /// The editor behind the window.
    pub(crate) fn editor(&self) -> &Editor {
        self.harness.state().editor()
    }

    /// Shows frames until everything that was asked for is done.
    pub(crate) fn settle(&mut self) {
        let began = Instant::now();
        self.harness.run_steps(2);
        while self.harness.state().is_busy() || self.editor().catalog.is_none() {
            assert!(began.elapsed() < LONG, "something is never done");
            self.harness.step();
            std::thread::yield_now();
        }
        self.harness.run_steps(3);
    }

    /// Draws until all of the canvas is there.
    pub(crate) fn draw(&mut self) {
        for _ in 0..200 {
            self.harness.render().unwrap();
            if self.harness.state().is_drawn() {
                return;
            }
            self.harness.step();
        }
        panic!("the canvas is never drawn");
    }

    /// Has an action done, as a menu or a shortcut does.
    pub(crate) fn act(&mut self, action: Action) {
        self.command(Command::Do(action));
    }

    /// Has a command done.
    pub(crate) fn command(&mut self, command: Command) {
        self.harness.state_mut().command(command);
        self.settle();
    }

    /// Presses a key with others held.
    pub(crate) fn key(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.settle();
    }

    /// Clicks the control that has this label.
    pub(crate) fn click(&mut self, label: &str) {
        self.click_where(label, |_| true);
    }

    /// Clicks the control that has this label and lies in such a place.
    pub(crate) fn click_where(&mut self, label: &str, lies: impl Fn(egui::Rect) -> bool) {
        let control = self.harness.get_all_by_label(label).find(|node| {
            node.accesskit_node().role() != egui::accesskit::Role::Label && lies(node.rect())
        });
        control.unwrap_or_else(|| panic!("there is no control {label:?}")).click();
        self.settle();
    }

    /// Where a canvas point is seen.
    pub(crate) fn at(&self, x: f32, y: f32) -> egui::Pos2 {
        let view = &self.editor().view;
        let point = view.transform.screen_from_canvas(CanvasPoint::new(x, y), view.center());
        egui::pos2(point.x, point.y)
    }

    /// Drags the main button over the canvas from point to point.
    pub(crate) fn drag(&mut self, points: &[(f32, f32)]) {
        let places: Vec<egui::Pos2> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        self.harness.hover_at(places[0]);
        self.harness.step();
        self.harness.drag_at(places[0]);
        self.harness.step();
        for place in &places[1..] {
            self.harness.hover_at(*place);
            self.harness.step();
        }
        self.harness.drop_at(places[places.len() - 1]);
        self.settle();
    }
}

/// Draws in software, so that pictures are the same everywhere.
fn test_setup() -> egui_wgpu::WgpuSetup {
    gesso::gpu::wgpu_options().wgpu_setup
}
