//! Keys of a frame become commands, through the keymap.
//!
//! Call [`shortcut_commands`] before the panels are drawn: a key that gave a command is taken out of
//! the frame's events, so that no widget sees it too. Keys that a text field needs stay with it.

use egui::{Context, Event, FocusDirection, Key, Modifiers};

use crate::editor::{Action, Command, Dialog, Editor, Keymap, Shortcut};

/// What has to be remembered between frames.
#[derive(Clone, Debug, Default)]
pub struct ShortcutInputState {
    /// The key that shows the original while it is down.
    original_key: Option<Key>,
    /// Whether a text field had the focus when the last frame ended. Escape takes it away before
    /// anybody can ask.
    was_typing: bool,
    /// What was held when the last frame ended.
    held: Modifiers,
}

/// What the keys are meant for at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// The canvas and everything.
    Window,
    /// A text field: only what isn't text or its editing.
    TextField,
    /// A menu or a focused control: only with Ctrl, or letters.
    Control,
    /// A dialog, which handles its own keys.
    Dialog,
}

/// A key that went down.
#[derive(Clone, Copy, Debug)]
struct Press {
    key: Key,
    physical: Option<Key>,
    modifiers: Modifiers,
    repeat: bool,
}

/// Turns the frame's keys into commands.
pub fn shortcut_commands(
    ctx: &Context,
    editor: &Editor,
    state: &mut ShortcutInputState,
    commands: &mut Vec<Command>,
) {
    let typing = ctx.text_edit_focused();
    let target = if editor.dialog.is_some() {
        Target::Dialog
    } else if typing || state.was_typing {
        Target::TextField
    } else if ctx.any_popup_open() || ctx.memory(|memory| memory.focused().is_some()) {
        Target::Control
    } else {
        Target::Window
    };
    state.was_typing = typing;
    let mut taken_tab = false;
    ctx.input_mut(|input| {
        let focused = input.focused;
        let mut held = std::mem::replace(&mut state.held, input.modifiers);
        input.events.retain(|event| {
            if let Event::ModifiersChanged(modifiers) = event {
                held = *modifiers;
            }
            if let Event::Key { key, pressed: false, .. } = event {
                if state.original_key == Some(*key) {
                    state.original_key = None;
                    commands.push(Command::HoldOriginal(false));
                }
                return true;
            }
            let Some(press) = press_of(event, held) else { return true };
            if press.key == Key::Escape && !press.modifiers.any() {
                if target == Target::Window {
                    commands.push(Command::Escape);
                    return false;
                }
                return true;
            }
            let Some(action) = action_for(&editor.keymap, press, target) else { return true };
            let palette_again =
                action == Action::CommandPalette && editor.dialog == Some(Dialog::Palette);
            if target == Target::Dialog && !palette_again {
                return true;
            }
            if !editor.is_enabled(action) || (press.repeat && !repeats(action)) {
                // A key that does nothing now must not scroll or type something instead.
                return target != Target::Window;
            }
            taken_tab |= press.key == Key::Tab;
            if action == Action::ShowOriginal {
                state.original_key = Some(press.key);
                commands.push(Command::HoldOriginal(true));
            } else {
                commands.push(Command::Do(action));
            }
            false
        });
        // The key may come up in another window.
        if !focused && state.original_key.take().is_some() {
            commands.push(Command::HoldOriginal(false));
        }
    });
    if taken_tab {
        ctx.memory_mut(|memory| memory.move_focus(FocusDirection::None));
    }
}

/// The key press that an event is; copy, cut and paste come as events of their own.
fn press_of(event: &Event, held: Modifiers) -> Option<Press> {
    let clipboard = |key| {
        // Keys made for the clipboard give the same events without Ctrl.
        let modifiers = if held.command { held } else { Modifiers::COMMAND };
        Press { key, physical: None, modifiers, repeat: false }
    };
    match event {
        Event::Key { key, physical_key, pressed: true, repeat, modifiers } => Some(Press {
            key: *key,
            physical: *physical_key,
            modifiers: *modifiers,
            repeat: *repeat,
        }),
        Event::Copy => Some(clipboard(Key::C)),
        // Windows has Shift+Delete for cutting; here it has another meaning.
        Event::Cut if held.shift && !held.command => {
            Some(Press { key: Key::Delete, physical: None, modifiers: held, repeat: false })
        }
        Event::Cut => Some(clipboard(Key::X)),
        Event::Paste(_) | Event::PasteImage(_) => Some(clipboard(Key::V)),
        _ => None,
    }
}

/// The action of a key press, where the keys are meant for this.
fn action_for(keymap: &Keymap, press: Press, target: Target) -> Option<Action> {
    let modifiers = press.modifiers;
    let free = match target {
        Target::Window | Target::Dialog => true,
        Target::TextField => {
            is_function_key(press.key) || (modifiers.command && !edits_text(press.key, modifiers))
        }
        Target::Control => {
            modifiers.command
                || is_function_key(press.key)
                || !matches!(
                    press.key,
                    Key::ArrowLeft
                        | Key::ArrowRight
                        | Key::ArrowUp
                        | Key::ArrowDown
                        | Key::Enter
                        | Key::Space
                        | Key::Tab
                        | Key::Home
                        | Key::End
                        | Key::PageUp
                        | Key::PageDown
                )
        }
    };
    if !free {
        return None;
    }
    shortcuts_of(press).iter().find_map(|shortcut| keymap.action(shortcut))
}

/// The shortcuts that a key press may stand for, the most literal one first.
///
/// Signs come out differently with Shift and on other keyboards: `Shift+[` arrives as `{`, and
/// `Ctrl++` needs Shift on some. So a sign is also tried without Shift, and by the key's place.
fn shortcuts_of(press: Press) -> Vec<Shortcut> {
    let Modifiers { alt, shift, command, .. } = press.modifiers;
    let mut shortcuts = vec![Shortcut::new(command, alt, shift, &key_name(press.key))];
    if is_sign(press.key) {
        if shift {
            shortcuts.push(Shortcut::new(command, alt, false, &key_name(press.key)));
        }
        if let Some(physical) = press.physical.filter(|key| is_sign(*key)) {
            shortcuts.push(Shortcut::new(command, alt, shift, &key_name(physical)));
        }
    }
    shortcuts
}

/// The shortcut of a key press, for giving it to an action; nothing for keys that can't have one.
pub(super) fn shortcut_from_event(event: &Event, held: Modifiers) -> Option<Shortcut> {
    let press = press_of(event, held)?;
    let is_modifier = matches!(
        press.key,
        Key::ShiftLeft
            | Key::ShiftRight
            | Key::ControlLeft
            | Key::ControlRight
            | Key::AltLeft
            | Key::AltRight
            | Key::SuperLeft
            | Key::SuperRight
            | Key::CapsLock
            | Key::NumLock
            | Key::ScrollLock
            | Key::Escape
    );
    if is_modifier {
        return None;
    }
    let shortcuts = shortcuts_of(press);
    // `Shift+[` and not `Shift+{`: as it is written in the table.
    let written = if press.modifiers.shift { shortcuts.last() } else { shortcuts.first() };
    written.cloned()
}

/// The name that shortcuts have a key under.
fn key_name(key: Key) -> String {
    let name = format!("{key:?}");
    match name.strip_prefix("Num") {
        Some(digit) if digit.len() == 1 => digit.to_owned(),
        _ => name,
    }
}

const fn is_sign(key: Key) -> bool {
    matches!(
        key,
        Key::Colon
            | Key::Comma
            | Key::Backslash
            | Key::Slash
            | Key::Pipe
            | Key::Questionmark
            | Key::Exclamationmark
            | Key::OpenBracket
            | Key::CloseBracket
            | Key::OpenCurlyBracket
            | Key::CloseCurlyBracket
            | Key::Backtick
            | Key::Minus
            | Key::Period
            | Key::Plus
            | Key::Equals
            | Key::Semicolon
            | Key::Quote
    )
}

fn is_function_key(key: Key) -> bool {
    (Key::F1..=Key::F35).contains(&key)
}

/// Whether a text field uses this key with Ctrl itself.
const fn edits_text(key: Key, modifiers: Modifiers) -> bool {
    let moves = matches!(
        key,
        Key::ArrowLeft
            | Key::ArrowRight
            | Key::ArrowUp
            | Key::ArrowDown
            | Key::Backspace
            | Key::Delete
            | Key::Home
            | Key::End
    );
    let clipboard = matches!(key, Key::A | Key::C | Key::X | Key::V | Key::Y);
    moves || key as u8 == Key::Z as u8 || (clipboard && !modifiers.shift && !modifiers.alt)
}

/// Whether an action is done again while its key is held down.
const fn repeats(action: Action) -> bool {
    matches!(
        action,
        Action::Undo
            | Action::Redo
            | Action::ZoomIn
            | Action::ZoomOut
            | Action::RotateViewLeft
            | Action::RotateViewRight
            | Action::BrushSmaller
            | Action::BrushLarger
            | Action::BrushSofter
            | Action::BrushHarder
            | Action::StagingPrevious
            | Action::StagingNext
            | Action::SelectLayerAbove
            | Action::SelectLayerBelow
            | Action::GrowSelection
            | Action::ShrinkSelection
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::editor;

    fn key(key: Key, modifiers: Modifiers) -> Event {
        Event::Key { key, physical_key: Some(key), pressed: true, repeat: false, modifiers }
    }

    fn release(key: Key) -> Event {
        let modifiers = Modifiers::NONE;
        Event::Key { key, physical_key: Some(key), pressed: false, repeat: false, modifiers }
    }

    /// What a frame with these events gives, as text.
    fn frame(editor: &Editor, state: &mut ShortcutInputState, events: Vec<Event>) -> Vec<String> {
        let input = egui::RawInput { events, ..Default::default() };
        let mut commands = Vec::new();
        let mut output = Context::default().run_ui(input, |ui| {
            shortcut_commands(ui.ctx(), editor, state, &mut commands);
        });
        output.textures_delta.clear();
        commands.iter().map(|command| format!("{command:?}")).collect()
    }

    #[test]
    fn every_usual_shortcut_gives_its_action() {
        let keymap = Keymap::default();
        for &action in Action::ALL {
            for text in action.info().shortcuts {
                let name = text.rsplit('+').next().unwrap();
                let key = match name.len() {
                    1 if name.starts_with(|c: char| c.is_ascii_digit()) => {
                        Key::from_name(name).unwrap()
                    }
                    _ => *Key::ALL.iter().find(|key| key_name(**key) == name).unwrap(),
                };
                let modifiers = Modifiers {
                    alt: text.contains("Alt+"),
                    shift: text.contains("Shift+"),
                    ctrl: text.contains("Ctrl+"),
                    command: text.contains("Ctrl+"),
                    mac_cmd: false,
                };
                let press = Press { key, physical: Some(key), modifiers, repeat: false };
                assert_eq!(action_for(&keymap, press, Target::Window), Some(action), "{text}");
            }
        }
    }

    #[test]
    fn signs_are_found_on_every_keyboard() {
        let check = |key: Key, physical: Key, modifiers: Modifiers, expected: Option<Action>| {
            let press = Press { key, physical: Some(physical), modifiers, repeat: false };
            assert_eq!(action_for(&Keymap::default(), press, Target::Window), expected, "{key:?}");
        };
        let both = Modifiers::COMMAND | Modifiers::SHIFT;
        check(
            Key::OpenCurlyBracket,
            Key::OpenBracket,
            Modifiers::SHIFT,
            Some(Action::RotateViewLeft),
        );
        check(Key::Plus, Key::Equals, both, Some(Action::ZoomIn));
        // German: the key right of Z is a Y, wherever it lies.
        check(Key::Y, Key::Z, Modifiers::COMMAND, Some(Action::Redo));
        check(Key::Slash, Key::Num7, both, Some(Action::ShowShortcuts));
    }

    #[test]
    fn tab_is_left_to_whoever_walks_through_the_controls() {
        let (editor, mut state) = (editor(), ShortcutInputState::default());
        for held in [Modifiers::NONE, Modifiers::SHIFT] {
            assert_eq!(frame(&editor, &mut state, vec![key(Key::Tab, held)]), [""; 0]);
        }
        let full = vec![key(Key::F, Modifiers::NONE)];
        assert_eq!(frame(&editor, &mut state, full), ["Do(TogglePanels)"]);
    }

    #[test]
    fn a_text_field_keeps_its_keys() {
        let check = |key: Key, modifiers: Modifiers, expected: Option<Action>| {
            let press = Press { key, physical: Some(key), modifiers, repeat: false };
            let found = action_for(&Keymap::default(), press, Target::TextField);
            assert_eq!(found, expected, "{key:?}");
        };
        check(Key::B, Modifiers::NONE, None);
        check(Key::Delete, Modifiers::NONE, None);
        check(Key::Z, Modifiers::COMMAND, None);
        check(Key::Z, Modifiers::COMMAND | Modifiers::SHIFT, None);
        check(Key::V, Modifiers::COMMAND, None);
        check(Key::Enter, Modifiers::COMMAND, Some(Action::Generate));
        check(Key::S, Modifiers::COMMAND, Some(Action::Save));
        check(Key::F1, Modifiers::NONE, Some(Action::CommandPalette));
        check(Key::ArrowUp, Modifiers::ALT, None);
    }

    #[test]
    fn clipboard_events_are_shortcuts_with_what_is_held() {
        let check = |held: Modifiers, event: Event, expected: &str| {
            let mut state = ShortcutInputState::default();
            let events = vec![
                Event::ModifiersChanged(held),
                event,
                Event::ModifiersChanged(Modifiers::NONE),
            ];
            let mut editor = editor();
            // A second layer, so that one can be deleted.
            let mut layer = editor.document.layers[0].clone();
            layer.id = crate::document::LayerId(2);
            editor.document.layers.push(layer);
            assert_eq!(frame(&editor, &mut state, events), [expected]);
        };
        check(Modifiers::COMMAND, Event::Copy, "Do(Copy)");
        check(Modifiers::COMMAND | Modifiers::SHIFT, Event::Copy, "Do(CopyMerged)");
        check(Modifiers::COMMAND, Event::Cut, "Do(Cut)");
        check(Modifiers::SHIFT, Event::Cut, "Do(DeleteLayer)");
        check(Modifiers::NONE, Event::Paste("text".to_owned()), "Do(Paste)");
        check(Modifiers::SHIFT, Event::Paste("text".to_owned()), "Do(Paste)");
    }

    #[test]
    fn the_original_is_shown_while_its_key_is_down() {
        let (editor, mut state) = (editor(), ShortcutInputState::default());
        let down = vec![key(Key::Backtick, Modifiers::NONE)];
        assert_eq!(frame(&editor, &mut state, down), ["HoldOriginal(true)"]);
        assert_eq!(frame(&editor, &mut state, vec![release(Key::B)]), [""; 0]);
        let up = vec![release(Key::Backtick)];
        assert_eq!(frame(&editor, &mut state, up.clone()), ["HoldOriginal(false)"]);
        assert_eq!(frame(&editor, &mut state, up), [""; 0]);
    }

    #[test]
    fn arrows_choose_results_only_while_there_are_some() {
        let mut state = ShortcutInputState::default();
        let press = || vec![key(Key::ArrowRight, Modifiers::NONE)];
        assert_eq!(frame(&editor(), &mut state, press()), [""; 0]);
        let mut staged = editor();
        staged.staging = Some(crate::ui::testing::staging(3));
        assert_eq!(frame(&staged, &mut state, press()), ["Do(StagingNext)"]);
    }

    #[test]
    fn a_dialog_keeps_all_keys_but_the_palettes_own() {
        let mut state = ShortcutInputState::default();
        let mut editor = editor();
        editor.dialog = Some(Dialog::NewPicture);
        let press = || vec![key(Key::S, Modifiers::COMMAND), key(Key::Escape, Modifiers::NONE)];
        assert_eq!(frame(&editor, &mut state, press()), [""; 0]);
        editor.dialog = Some(Dialog::Palette);
        let again = vec![key(Key::K, Modifiers::COMMAND)];
        assert_eq!(frame(&editor, &mut state, again), ["Do(CommandPalette)"]);
    }

    #[test]
    fn keys_can_be_given_to_an_action_as_the_table_writes_them() {
        let check = |event: Event, held: Modifiers, expected: Option<&str>| {
            let found = shortcut_from_event(&event, held);
            assert_eq!(found.as_ref().map(Shortcut::as_str), expected);
        };
        let brace = Event::Key {
            key: Key::OpenCurlyBracket,
            physical_key: Some(Key::OpenBracket),
            pressed: true,
            repeat: false,
            modifiers: Modifiers::SHIFT,
        };
        check(brace, Modifiers::SHIFT, Some("Shift+OpenBracket"));
        check(key(Key::Num1, Modifiers::COMMAND), Modifiers::COMMAND, Some("Ctrl+1"));
        check(key(Key::ShiftLeft, Modifiers::SHIFT), Modifiers::SHIFT, None);
        check(key(Key::Escape, Modifiers::NONE), Modifiers::NONE, None);
        check(Event::Copy, Modifiers::COMMAND, Some("Ctrl+C"));
    }
}
