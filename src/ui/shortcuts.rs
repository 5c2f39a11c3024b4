//! All shortcuts in one list, to look up and to change.

use std::collections::BTreeMap;

use egui::{Event, Key, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};

use crate::editor::{Action, Command, Editor, Keymap, Menu, Shortcut};
use crate::locale::{tr, trf};
use crate::ui::dialogs::{DialogFrame, Footer};
use crate::ui::shortcut_input::shortcut_from_event;
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{ButtonState, empty_state, icon_button, shortcut_text};

/// What has to be remembered between frames.
#[derive(Clone, Debug, Default)]
pub struct ShortcutsState {
    query: String,
    /// The action that gets the next key that is pressed.
    waiting: Option<Action>,
    /// A key that another action has, to be taken away from it or not.
    conflict: Option<Conflict>,
    shown: bool,
}

#[derive(Clone, Debug)]
struct Conflict {
    action: Action,
    shortcut: Shortcut,
    owner: Action,
}

/// The shortcuts the user chose, by the action's id.
type Overrides = BTreeMap<String, Vec<String>>;

/// The list of shortcuts, as a dialog.
pub fn shortcuts_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut ShortcutsState,
    commands: &mut Vec<Command>,
) {
    let mut overrides = editor.preferences.keymap.clone();
    let mut reset_all = false;
    if let Some(action) = state.waiting {
        wait_for_key(ui, editor, state, action, &mut overrides);
    }
    let frame = DialogFrame::new("shortcuts", tr("Shortcuts")).width(620.0);
    let frame = if state.waiting.is_some() { frame.keeps_keys() } else { frame };
    let footer = frame.show(
        ui,
        |ui| {
            search_ui(ui, state);
            list_ui(ui, editor, state, &mut overrides);
            conflict_ui(ui, state, &mut overrides);
        },
        |ui, _| {
            let changed = !editor.preferences.keymap.is_empty();
            let label = tr("Reset all");
            reset_all = ui.add_enabled(changed, egui::Button::new(label)).clicked();
            Footer::close_only(ui)
        },
    );
    if reset_all {
        overrides.clear();
    }
    if overrides != editor.preferences.keymap {
        let mut preferences = editor.preferences.clone();
        preferences.keymap = overrides;
        commands.push(Command::SetPreferences(Box::new(preferences)));
    }
    if footer != Footer::Open {
        commands.push(Command::SetDialog(None));
    }
}

fn search_ui(ui: &mut Ui, state: &mut ShortcutsState) {
    let field = TextEdit::singleline(&mut state.query)
        .hint_text(tr("Search by name or key"))
        .prefix(RichText::new(icon::ZOOM).color(colors(ui).text_weak))
        .margin(egui::Margin::symmetric(8, 6))
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(Role::SearchInput, true, tr("Search by name or key")));
    if !state.shown {
        state.shown = true;
        field.request_focus();
    }
}

fn list_ui(ui: &mut Ui, editor: &Editor, state: &mut ShortcutsState, overrides: &mut Overrides) {
    let query = state.query.to_lowercase();
    let height = (ui.ctx().content_rect().height() - 300.0).clamp(160.0, 460.0);
    ScrollArea::vertical()
        .max_height(height)
        .min_scrolled_height(height)
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let mut any = false;
            for menu in Menu::ALL {
                let in_menu = Action::ALL.iter().copied().filter(|action| {
                    action.info().menu == menu && matches(&editor.keymap, *action, &query)
                });
                let mut in_menu = in_menu.peekable();
                if in_menu.peek().is_none() {
                    continue;
                }
                any = true;
                ui.add_space(theme::SPACE_S);
                ui.label(theme::semibold(tr(menu.label())).color(colors(ui).text_weak));
                for action in in_menu {
                    action_ui(ui, editor, state, action, overrides);
                }
            }
            if !any {
                empty_state(
                    ui,
                    icon::KEYBOARD,
                    tr("Nothing found"),
                    tr("Try another word, or a key such as Ctrl or F2"),
                );
            }
        });
}

/// Whether an action is shown for a query.
fn matches(keymap: &Keymap, action: Action, query: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(query);
    has(tr(action.info().label))
        || has(tr(action.info().tooltip))
        || keymap.shortcuts(action).any(|shortcut| has(&shortcut_text(shortcut)))
}

fn action_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut ShortcutsState,
    action: Action,
    overrides: &mut Overrides,
) {
    let name = tr(action.info().label).trim_end_matches('…');
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        ui.allocate_ui_with_layout(
            vec2(250.0, theme::BUTTON_PX),
            egui::Layout::left_to_right(egui::Align::Center),
            |ui| {
                ui.set_min_width(250.0);
                ui.add(egui::Label::new(name).truncate()).on_hover_text(tr(action.info().tooltip));
            },
        );
        let right = egui::Layout::right_to_left(egui::Align::Center);
        ui.with_layout(right, |ui| {
            let changed = overrides.contains_key(action.info().id);
            let reset = icon_button(
                ui,
                icon::RESET,
                &trf("Reset {name}", &[("name", &name)]),
                tr("Back to the usual shortcut"),
                ButtonState::enabled_if(changed),
            );
            if reset.clicked() {
                overrides.remove(action.info().id);
            }
            if state.waiting == Some(action) {
                let weak = colors(ui).accent_text;
                ui.label(RichText::new(tr("Press a key; Escape cancels")).color(weak));
                return;
            }
            let add = icon_button(
                ui,
                icon::ADD,
                &trf("New shortcut for {name}", &[("name", &name)]),
                tr("Press the keys that should give this command"),
                ButtonState::Normal,
            );
            if add.clicked() {
                state.waiting = Some(action);
                state.conflict = None;
            }
            let shortcuts: Vec<Shortcut> = editor.keymap.shortcuts(action).cloned().collect();
            for shortcut in &shortcuts {
                let text = shortcut_text(shortcut);
                let button =
                    egui::Button::new((text.as_str(), RichText::new(icon::CLOSE).size(10.0)));
                let response = ui.add(button);
                let label = trf("Remove {keys} from {name}", &[("keys", &text), ("name", &name)]);
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
                if response.on_hover_text(&label).clicked() {
                    let rest = shortcuts.iter().filter(|other| *other != shortcut);
                    set(overrides, action, rest.map(|rest| rest.as_str().to_owned()).collect());
                }
            }
        });
    });
}

/// Takes the next key for an action, or asks where another one has it.
fn wait_for_key(
    ui: &Ui,
    editor: &Editor,
    state: &mut ShortcutsState,
    action: Action,
    overrides: &mut Overrides,
) {
    let pressed = ui.input_mut(|input| {
        let held = input.modifiers;
        let escape = input.consume_key(egui::Modifiers::NONE, Key::Escape);
        let mut found = None;
        input.events.retain(|event| match event {
            Event::Text(_) => false,
            event => {
                let shortcut = shortcut_from_event(event, held);
                let taken = shortcut.is_some();
                found = found.take().or(shortcut);
                !taken
            }
        });
        if escape { None } else { Some(found) }
    });
    match pressed {
        None => state.waiting = None,
        Some(None) => {}
        Some(Some(shortcut)) => {
            state.waiting = None;
            match editor.keymap.conflict(&shortcut, action) {
                Some(owner) => state.conflict = Some(Conflict { action, shortcut, owner }),
                None => give(overrides, action, &shortcut),
            }
        }
    }
}

fn conflict_ui(ui: &mut Ui, state: &mut ShortcutsState, overrides: &mut Overrides) {
    let Some(conflict) = state.conflict.clone() else { return };
    let colors = colors(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(icon::WARNING).color(colors.warning));
        let name = |action: Action| tr(action.info().label).trim_end_matches('…');
        ui.label(trf(
            "{keys} already gives “{owner}”.",
            &[("keys", &shortcut_text(&conflict.shortcut)), ("owner", &name(conflict.owner))],
        ));
        let take = trf("Use it for “{name}”", &[("name", &name(conflict.action))]);
        if ui.button(take).clicked() {
            give_anyway(overrides, &conflict);
            state.conflict = None;
        }
        if ui.button(tr("Leave it")).clicked() {
            state.conflict = None;
        }
    });
}

/// The shortcuts that an action has with these overrides.
fn shortcuts_of(overrides: &Overrides, action: Action) -> Vec<String> {
    let keymap = Keymap::with_overrides(overrides);
    keymap.shortcuts(action).map(|shortcut| shortcut.as_str().to_owned()).collect()
}

/// Sets an action's shortcuts; the usual ones need no entry.
fn set(overrides: &mut Overrides, action: Action, shortcuts: Vec<String>) {
    let info = action.info();
    let usual: Vec<&str> = info.shortcuts.to_vec();
    let mut sorted: Vec<&str> = shortcuts.iter().map(String::as_str).collect();
    let mut usual_sorted = usual;
    sorted.sort_unstable();
    usual_sorted.sort_unstable();
    if sorted == usual_sorted {
        overrides.remove(info.id);
    } else {
        overrides.insert(info.id.to_owned(), shortcuts);
    }
}

/// Adds a shortcut to an action.
fn give(overrides: &mut Overrides, action: Action, shortcut: &Shortcut) {
    let mut shortcuts = shortcuts_of(overrides, action);
    if !shortcuts.iter().any(|other| other == shortcut.as_str()) {
        shortcuts.push(shortcut.as_str().to_owned());
    }
    set(overrides, action, shortcuts);
}

/// Adds a shortcut to an action and takes it from the one that had it.
fn give_anyway(overrides: &mut Overrides, conflict: &Conflict) {
    let mut rest = shortcuts_of(overrides, conflict.owner);
    rest.retain(|other| other != conflict.shortcut.as_str());
    set(overrides, conflict.owner, rest);
    give(overrides, conflict.action, &conflict.shortcut);
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::editor::Dialog;
    use crate::ui::testing::{editor, look_at, window};
    use crate::ui::theme::Look;

    fn shortcut(text: &str) -> Shortcut {
        Shortcut::parse(text).unwrap()
    }

    #[test]
    fn a_key_is_taken_from_the_action_that_had_it() {
        let mut overrides = Overrides::new();
        let (action, owner) = (Action::FlipVertical, Action::ToolMaskBrush);
        give_anyway(&mut overrides, &Conflict { action, shortcut: shortcut("B"), owner });
        let keymap = Keymap::with_overrides(&overrides);
        assert_eq!(keymap.action(&shortcut("B")), Some(action));
        assert_eq!(keymap.shortcuts(owner).count(), 0);
        // Given back, nothing is left that differs from the usual.
        give_anyway(
            &mut overrides,
            &Conflict { action: owner, shortcut: shortcut("B"), owner: action },
        );
        assert_eq!(overrides, Overrides::new());
    }

    #[test]
    fn a_second_key_leaves_the_first() {
        let mut overrides = Overrides::new();
        give(&mut overrides, Action::Undo, &shortcut("F9"));
        let keymap = Keymap::with_overrides(&overrides);
        for key in ["F9", "Ctrl+Z"] {
            assert_eq!(keymap.action(&shortcut(key)), Some(Action::Undo));
        }
    }

    #[test]
    fn actions_are_found_by_name_and_by_key() {
        let keymap = Keymap::default();
        assert!(matches(&keymap, Action::Undo, "undo"));
        assert!(matches(&keymap, Action::Undo, "ctrl+z"));
        assert!(!matches(&keymap, Action::Undo, "lasso"));
    }

    #[test]
    fn a_pressed_key_becomes_the_shortcut() {
        let mut editor = editor();
        editor.dialog = Some(Dialog::Shortcuts);
        let mut state = ShortcutsState { query: "flip top".to_owned(), ..Default::default() };
        let mut window = window((900.0, 700.0), Look::Dark, |ui, commands| {
            shortcuts_ui(ui, &editor, &mut state, commands);
        });
        window.run_steps(2);
        window.get_by_label("New shortcut for Flip top and bottom").click();
        window.run_steps(2);
        window.key_press_modifiers(egui::Modifiers::COMMAND, Key::F9);
        window.run_steps(1);
        let given = window.state_mut().drain(..).find_map(|command| match command {
            Command::SetPreferences(preferences) => Some(preferences.keymap),
            _ => None,
        });
        let expected = [("flip-vertical".to_owned(), vec!["Ctrl+F9".to_owned()])].into();
        assert_eq!(given, Some(expected));
    }

    #[test]
    fn the_list_looks_well() {
        let editor = editor();
        let conflict = Conflict {
            action: Action::FlipVertical,
            shortcut: shortcut("Ctrl+Z"),
            owner: Action::Undo,
        };
        let mut state = ShortcutsState {
            waiting: Some(Action::Open),
            conflict: Some(conflict),
            ..Default::default()
        };
        look_at("shortcuts", (900.0, 700.0), |ui, commands| {
            shortcuts_ui(ui, &editor, &mut state, commands);
        });
    }
}
