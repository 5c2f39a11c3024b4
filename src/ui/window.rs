//! The whole window: bars at the edges, the dock, the canvas in the middle, what floats over it.

use egui::{Frame, Margin, Panel as EguiPanel, Ui};

use crate::editor::{Action, Command, Editor, Panel};
use crate::preferences::Theme;
use crate::ui::canvas::{CanvasState, canvas_ui};
use crate::ui::compare_bar::compare_bar_ui;
use crate::ui::dialogs::{DialogsState, dialogs_ui};
use crate::ui::dock::{DockState, TopTab, dock_ui, show_top_tab};
use crate::ui::dragging::{LeavingState, leaving_commands};
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
    leaving: LeavingState,
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
    pub fn focus_prompt(&mut self, ctx: &egui::Context) {
        show_top_tab(ctx, TopTab::Prompt);
        self.dock.prompt.request_focus();
    }

    /// Shows the conversation and puts the cursor into the message in the next frame.
    pub fn focus_chat(&mut self, ctx: &egui::Context) {
        show_top_tab(ctx, TopTab::Chat);
        self.dock.chat.request_focus();
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
    leaving_commands(&ctx, &mut state.leaving, commands);
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

#[cfg(test)]
mod tests {
    use egui::{Event, Key, Modifiers};
    use egui_kittest::Harness;

    use super::*;
    use crate::editor::{CompareMode, CompareSide};
    use crate::geom::PixelRect;
    use crate::ui::sample;

    /// An editor in which every action can be done.
    fn ready() -> Editor {
        let mut editor = sample::editor();
        sample::add_history(&mut editor, 12);
        editor.history.undo();
        editor.document.selection.cover.fill(PixelRect::new(200, 100, 200, 180), 255);
        sample::add_jobs(&mut editor);
        sample::add_staging(&mut editor, 3, Some(0));
        editor.preferences.prompt_history.remember("a red house".to_owned());
        editor.prompt_at = Some(0);
        let here = CompareSide::Node(editor.history.current());
        editor.update(Command::CompareSides(here, CompareSide::Canvas));
        editor.update(Command::SetCompareMode(CompareMode::SideBySide));
        editor
    }

    /// What a press of a shortcut's key sends, as the system's window does on an American keyboard.
    fn presses(shortcut: &str) -> (Modifiers, Vec<Event>) {
        let mut modifiers = Modifiers::NONE;
        let mut names = shortcut.split('+').rev();
        let name = names.next().unwrap();
        for held in names {
            match held {
                "Ctrl" => modifiers |= Modifiers::COMMAND,
                "Alt" => modifiers |= Modifiers::ALT,
                "Shift" => modifiers |= Modifiers::SHIFT,
                other => panic!("{other} can't be held"),
            }
        }
        let named = |key: &&Key| key.name() == name || format!("{key:?}") == name;
        let physical = *Key::ALL.iter().find(named).unwrap();
        let key = match (physical, modifiers.shift) {
            (Key::OpenBracket, true) => Key::OpenCurlyBracket,
            (Key::CloseBracket, true) => Key::CloseCurlyBracket,
            (key, _) => key,
        };
        let press = |pressed| Event::Key {
            key,
            physical_key: Some(physical),
            pressed,
            repeat: false,
            modifiers,
        };
        // The window makes events of their own of these.
        let down = match (modifiers == Modifiers::COMMAND, key) {
            (true, Key::C) => Event::Copy,
            (true, Key::X) => Event::Cut,
            (true, Key::V) => Event::Paste("words".to_owned()),
            _ => press(true),
        };
        (modifiers, vec![down, press(false)])
    }

    #[test]
    fn every_usual_shortcut_works_in_the_whole_window() {
        let editor = ready();
        let state = (WindowState::default(), Vec::<Command>::new());
        let mut harness = Harness::builder()
            .with_size(egui::vec2(1280.0, 800.0))
            .with_context_setup(theme::install_fonts)
            .build_ui_state(|ui, (state, commands)| window_ui(ui, &editor, state, commands), state);
        harness.run_steps(3);
        let mut failed = Vec::new();
        for &action in Action::ALL {
            for shortcut in action.info().shortcuts {
                assert_eq!(editor.why_disabled(action), None, "{action:?}");
                harness.state_mut().1.clear();
                let (held, events) = presses(shortcut);
                harness.event(Event::ModifiersChanged(held));
                for event in events {
                    harness.event(event);
                }
                harness.event(Event::ModifiersChanged(Modifiers::NONE));
                harness.run_steps(2);
                let asked: Vec<&Command> = harness
                    .state()
                    .1
                    .iter()
                    .filter(|command| matches!(command, Command::Do(_) | Command::HoldOriginal(_)))
                    .collect();
                let right = match asked[..] {
                    [Command::HoldOriginal(true), Command::HoldOriginal(false)] => {
                        action == Action::ShowOriginal
                    }
                    [Command::Do(asked)] => *asked == action,
                    _ => false,
                };
                if !right {
                    failed.push(format!("{shortcut} for {action:?} gave {asked:?}"));
                }
            }
        }
        assert!(failed.is_empty(), "{failed:#?}");
    }
}
