//! The whole window: bars at the edges, the dock, the canvas in the middle, what floats over it.

use egui::{Frame, Margin, Panel as EguiPanel, Ui};

use crate::editor::{Action, Command, Editor, Panel};
use crate::preferences::Theme;
use crate::ui::canvas::{CanvasState, canvas_ui};
use crate::ui::compare_bar::compare_bar_ui;
use crate::ui::dialogs::{DialogsState, dialogs_ui};
use crate::ui::dock::{DockState, dock_ui};
use crate::ui::menu_bar::menu_bar_ui;
use crate::ui::notices::{NoticesState, notices_ui};
use crate::ui::shortcut_input::{ShortcutInputState, shortcut_commands};
use crate::ui::staging_strip::{StagingState, staging_strip_ui};
use crate::ui::status_bar::{StatusBarState, status_bar_ui};
use crate::ui::theme::{self, Look, colors};
use crate::ui::tool_bar::tool_bar_ui;
use crate::ui::tool_options::tool_options_ui;

/// Width of the dock unless the user changed it.
const DOCK_PX: f32 = 328.0;

/// Width of the tool bar.
const TOOLS_PX: f32 = 56.0;

/// What the window's widgets remember.
#[derive(Default)]
pub struct WindowState {
    /// What draws the canvas, in words.
    pub adapter: String,
    canvas: CanvasState,
    dock: DockState,
    staging: StagingState,
    shortcuts: ShortcutInputState,
    status: StatusBarState,
    notices: NoticesState,
    dialogs: DialogsState,
}

impl WindowState {
    /// A window that draws with this adapter.
    #[must_use]
    pub fn new(adapter: String) -> Self {
        Self { adapter, ..Self::default() }
    }

    /// Whether all of the canvas that is seen was drawn; large pictures come in several frames.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        self.canvas.report.stats().pending_blocks == 0
    }

    /// Puts the cursor into the prompt in the next frame.
    pub const fn focus_prompt(&mut self) {
        self.dock.prompt.request_focus();
    }
}

/// The whole window.
pub fn window_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut WindowState,
    commands: &mut Vec<Command>,
) {
    let ctx = ui.ctx().clone();
    theme::apply(&ctx, look(&ctx, editor.preferences.theme), editor.preferences.ui_scale);
    shortcut_commands(&ctx, editor, &mut state.shortcuts, commands);

    let bar = |ui: &Ui| {
        Frame::new()
            .fill(colors(ui).panel)
            .inner_margin(Margin::symmetric(theme::SPACE_S as i8, theme::SPACE_XS as i8))
    };
    if !editor.view.panels_hidden {
        let frame = bar(ui);
        EguiPanel::top("menu bar").frame(frame).show(ui, |ui| menu_bar_ui(ui, editor, commands));
        EguiPanel::bottom("status bar")
            .frame(frame)
            .show(ui, |ui| status_bar_ui(ui, editor, &mut state.status, commands));
        EguiPanel::right("dock")
            .resizable(true)
            .default_size(DOCK_PX)
            .size_range(260.0..=560.0)
            .frame(Frame::new().fill(colors(ui).panel))
            .show(ui, |ui| dock_ui(ui, editor, &mut state.dock, commands));
        if editor.is_panel_shown(Panel::Tools) {
            EguiPanel::left("tools")
                .exact_size(TOOLS_PX)
                .resizable(false)
                .frame(frame)
                .show(ui, |ui| tool_bar_ui(ui, editor, commands));
        }
        EguiPanel::top("tool options")
            .frame(frame)
            .show(ui, |ui| tool_options_ui(ui, editor, commands));
    }
    let canvas = Frame::new().fill(colors(ui).canvas);
    egui::CentralPanel::default().frame(canvas).show(ui, |ui| {
        canvas_ui(ui, editor, &mut state.canvas, commands);
        compare_bar_ui(ui, editor, commands);
        staging_strip_ui(ui, editor, &mut state.staging, commands);
        notices_ui(ui, editor, &mut state.notices, commands);
    });
    dialogs_ui(ui, editor, &mut state.dialogs, commands);
    leave_prompt(&ctx, commands);
}

/// Takes the cursor out of the prompt once a job is asked for, so that Enter and the arrow keys
/// belong to its results.
fn leave_prompt(ctx: &egui::Context, commands: &[Command]) {
    let asked = commands.iter().any(|command| {
        matches!(
            command,
            Command::Do(Action::Generate | Action::FillMask | Action::Vary | Action::Upscale)
        )
    });
    if asked && let Some(focused) = ctx.memory(egui::Memory::focused) {
        ctx.memory_mut(|memory| memory.surrender_focus(focused));
    }
}

/// Dark or light, as the user or the system wants it.
fn look(ctx: &egui::Context, theme: Theme) -> Look {
    match theme {
        Theme::Dark => Look::Dark,
        Theme::Light => Look::Light,
        Theme::System => match ctx.system_theme() {
            Some(egui::Theme::Light) => Look::Light,
            _ => Look::Dark,
        },
    }
}
