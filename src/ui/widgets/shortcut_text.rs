//! Shortcuts as people read them.

use crate::editor::{Action, Keymap, Shortcut};
use crate::locale::{tr, tr_later};

/// A shortcut as the platform writes it: `Ctrl+Shift+Z`, on macOS `⇧⌘Z`.
#[must_use]
pub fn shortcut_text(shortcut: &Shortcut) -> String {
    let style = if cfg!(target_os = "macos") { Platform::Mac } else { Platform::Other };
    text_for(shortcut, style)
}

/// The first shortcut of an action, as text.
#[must_use]
pub fn shortcut_of(keymap: &Keymap, action: Action) -> Option<String> {
    // The table's own order says which one to teach; the keymap's is alphabetic.
    let usual = action.info().shortcuts.iter().filter_map(|text| Shortcut::parse(text).ok());
    let mut taught = usual.filter(|shortcut| keymap.action(shortcut) == Some(action));
    let shortcut = taught.next().or_else(|| keymap.shortcuts(action).next().cloned())?;
    Some(shortcut_text(&shortcut))
}

#[derive(Clone, Copy)]
enum Platform {
    Mac,
    Other,
}

fn text_for(shortcut: &Shortcut, platform: Platform) -> String {
    let mut parts: Vec<&str> = shortcut.as_str().split('+').collect();
    let key = key_text(parts.pop().unwrap_or_default());
    match platform {
        Platform::Mac => {
            // Apple's order: option, shift, command.
            let signs = [("Alt", '⌥'), ("Shift", '⇧'), ("Ctrl", '⌘')];
            let held = signs.into_iter().filter(|(name, _)| parts.contains(name));
            held.map(|(_, sign)| sign).chain(key.chars()).collect()
        }
        Platform::Other => {
            let held = parts.into_iter().map(|part| match part {
                "Ctrl" => tr("Ctrl"),
                "Alt" => tr("Alt"),
                _ => tr("Shift"),
            });
            held.chain([key]).collect::<Vec<_>>().join("+")
        }
    }
}

/// The sign or the name of a key, by the name that shortcuts have it under.
#[must_use]
pub fn key_text(name: &str) -> &str {
    const NAMES: [(&str, &str); 8] = [
        ("Enter", tr_later("Enter")),
        ("Delete", tr_later("Del")),
        ("Backspace", tr_later("Backspace")),
        ("Space", tr_later("Space")),
        ("PageUp", tr_later("Page Up")),
        ("PageDown", tr_later("Page Down")),
        ("Home", tr_later("Home")),
        ("End", tr_later("End")),
    ];
    if let Some((_, text)) = NAMES.iter().find(|(key, _)| *key == name) {
        return tr(text);
    }
    match name {
        "ArrowLeft" => "←",
        "ArrowRight" => "→",
        "ArrowUp" => "↑",
        "ArrowDown" => "↓",
        "OpenBracket" => "[",
        "CloseBracket" => "]",
        "OpenCurlyBracket" => "{",
        "CloseCurlyBracket" => "}",
        "Backslash" => "\\",
        "Slash" => "/",
        "Pipe" => "|",
        "Comma" => ",",
        "Period" => ".",
        "Colon" => ":",
        "Semicolon" => ";",
        "Quote" => "'",
        "Backtick" => "`",
        "Plus" => "+",
        "Minus" => "-",
        "Equals" => "=",
        "Questionmark" => "?",
        "Exclamationmark" => "!",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcuts_are_written_as_each_platform_does() {
        let check = |shortcut: &str, other: &str, mac: &str| {
            let shortcut = Shortcut::parse(shortcut).unwrap();
            assert_eq!(text_for(&shortcut, Platform::Other), other);
            assert_eq!(text_for(&shortcut, Platform::Mac), mac);
        };
        check("Ctrl+Shift+Z", "Ctrl+Shift+Z", "⇧⌘Z");
        check("Ctrl+Alt+OpenBracket", "Ctrl+Alt+[", "⌥⌘[");
        check("Ctrl+Plus", "Ctrl++", "⌘+");
        check("Delete", "Del", "Del");
        check("ArrowLeft", "←", "←");
        check("B", "B", "B");
    }

    #[test]
    fn the_shortcut_to_teach_is_the_first_that_still_works() {
        let usual = Keymap::default();
        assert_eq!(shortcut_of(&usual, Action::ZoomIn).as_deref(), Some("Ctrl++"));
        assert_eq!(shortcut_of(&usual, Action::FlipVertical), None);
        let overrides = [("redo".to_owned(), vec!["F9".to_owned()])].into();
        let changed = Keymap::with_overrides(&overrides);
        assert_eq!(shortcut_of(&changed, Action::Redo).as_deref(), Some("F9"));
    }
}
