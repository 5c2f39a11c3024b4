//! Which keys do what.

use std::collections::BTreeMap;

use crate::editor::Action;

/// A key with the keys that are held with it, as text: `Ctrl+Shift+Z`.
///
/// Modifiers come in the order `Ctrl`, `Alt`, `Shift`; `Ctrl` is the command key on macOS. The key
/// has the name that egui gives it: `Z`, `1`, `Enter`, `OpenBracket`, `F6`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shortcut(String);

impl Shortcut {
    /// Reads a shortcut; modifiers may come in any order.
    ///
    /// # Errors
    ///
    /// When there is not exactly one key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut ctrl, mut alt, mut shift, mut key) = (false, false, false, None);
        for part in text.split('+').map(str::trim) {
            match part {
                "Ctrl" | "Cmd" | "Command" => ctrl = true,
                "Alt" => alt = true,
                "Shift" => shift = true,
                "" => return Err(format!("a key is missing in the shortcut {text:?}")),
                other if key.is_none() => key = Some(other.to_owned()),
                other => return Err(format!("{other:?} is a second key in the shortcut {text:?}")),
            }
        }
        let key = key.ok_or_else(|| format!("the shortcut {text:?} has no key"))?;
        Ok(Self::new(ctrl, alt, shift, &key))
    }

    /// A shortcut from its parts.
    #[must_use]
    pub fn new(ctrl: bool, alt: bool, shift: bool, key: &str) -> Self {
        let mut text = String::new();
        for (held, name) in [(ctrl, "Ctrl+"), (alt, "Alt+"), (shift, "Shift+")] {
            if held {
                text.push_str(name);
            }
        }
        text.push_str(key);
        Self(text)
    }

    /// The shortcut as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Shortcut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which shortcut gives which action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    actions: BTreeMap<Shortcut, Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::with_overrides(&BTreeMap::new())
    }
}

impl Keymap {
    /// The usual shortcuts, with other ones for the actions that are named.
    ///
    /// A shortcut that is given to two actions belongs to the one that the user gave it to. What
    /// can't be read is left out.
    #[must_use]
    pub fn with_overrides(overrides: &BTreeMap<String, Vec<String>>) -> Self {
        let mut actions = BTreeMap::new();
        for &action in Action::ALL {
            if !overrides.contains_key(action.info().id) {
                for text in action.info().shortcuts {
                    if let Ok(shortcut) = Shortcut::parse(text) {
                        actions.insert(shortcut, action);
                    }
                }
            }
        }
        for (id, shortcuts) in overrides {
            let Some(action) = Action::from_id(id) else { continue };
            for shortcut in shortcuts.iter().filter_map(|text| Shortcut::parse(text).ok()) {
                actions.insert(shortcut, action);
            }
        }
        Self { actions }
    }

    /// The action of a shortcut.
    #[must_use]
    pub fn action(&self, shortcut: &Shortcut) -> Option<Action> {
        self.actions.get(shortcut).copied()
    }

    /// The shortcuts of an action.
    pub fn shortcuts(&self, action: Action) -> impl Iterator<Item = &Shortcut> {
        self.actions.iter().filter(move |entry| *entry.1 == action).map(|(shortcut, _)| shortcut)
    }

    /// Another action that a shortcut already belongs to.
    #[must_use]
    pub fn conflict(&self, shortcut: &Shortcut, action: Action) -> Option<Action> {
        self.action(shortcut).filter(|other| *other != action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_shortcut_can_be_read_and_finds_its_action() {
        let keymap = Keymap::default();
        for &action in Action::ALL {
            for text in action.info().shortcuts {
                let shortcut = Shortcut::parse(text).unwrap();
                assert_eq!(keymap.action(&shortcut), Some(action), "{text}");
            }
        }
    }

    #[test]
    fn the_users_choice_wins() {
        let overrides = BTreeMap::from([
            ("redo".to_owned(), vec!["Shift+Ctrl+B".to_owned(), "B".to_owned()]),
            ("no-such-action".to_owned(), vec!["F9".to_owned()]),
        ]);
        let keymap = Keymap::with_overrides(&overrides);
        let check = |text: &str| keymap.action(&Shortcut::parse(text).unwrap());
        assert_eq!(check("B"), Some(Action::Redo));
        assert_eq!(check("Ctrl+Shift+B"), Some(Action::Redo));
        assert_eq!(check("Ctrl+Shift+Z"), None);
        assert_eq!(check("F9"), None);
        assert_eq!(keymap.shortcuts(Action::ToolMaskBrush).count(), 0);
    }

    #[test]
    fn shortcuts_that_make_no_sense_are_refused() {
        for text in ["", "Ctrl+", "A+B", "Shift"] {
            assert!(Shortcut::parse(text).is_err(), "{text:?}");
        }
    }
}
