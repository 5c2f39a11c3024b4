//! The preferences in the user's configuration folder.
//!
//! The file is `preferences.json` in the system's folder for the configuration of Gesso
//! (`~/.config/gesso` on Linux, `Library/Application Support/gesso` on macOS,
//! `AppData\Roaming\gesso\config` on Windows). The environment variable `GESSO_CONFIG` names
//! another folder, for portable installations and tests.

use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::preferences::Preferences;
use crate::storage::{StorageError, write_atomically};

/// The environment variable that names another folder.
pub const CONFIG_VARIABLE: &str = "GESSO_CONFIG";
const DATA_VARIABLE: &str = "GESSO_DATA";

/// The file's name in the folder.
pub const PREFERENCES_FILE: &str = "preferences.json";

/// Preferences as read, with what the user should know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadedPreferences {
    /// The preferences; defaults where the file says nothing.
    pub preferences: Preferences,
    /// What could not be used, a sentence each; empty where all is well or there is no file yet.
    pub warnings: Vec<String>,
    /// Where a file that could not be read at all was put, for the user to look into.
    pub set_aside: Option<PathBuf>,
}

/// The folder for the user's configuration; `None` where the system has none.
///
/// `GESSO_CONFIG` wins where it is set and not empty.
#[must_use]
pub fn config_folder() -> Option<PathBuf> {
    match std::env::var_os(CONFIG_VARIABLE).filter(|value| !value.is_empty()) {
        Some(folder) => Some(folder.into()),
        None => directories::ProjectDirs::from("", "", "gesso")
            .map(|folders| folders.config_dir().to_owned()),
    }
}

/// The folder for what the program keeps for the user, journals above all; `None` where the system
/// has none.
///
/// `GESSO_DATA` wins where it is set and not empty, then `data` in the folder of `GESSO_CONFIG`.
#[must_use]
pub fn data_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set(DATA_VARIABLE) {
        return Some(folder.into());
    }
    if let Some(folder) = set(CONFIG_VARIABLE) {
        return Some(PathBuf::from(folder).join("data"));
    }
    directories::ProjectDirs::from("", "", "gesso")
        .map(|folders| folders.data_local_dir().to_owned())
}

/// Reads the preferences in a folder; never fails, so that the program always starts.
///
/// A file that is no JSON is renamed to `preferences.json.broken` and told in the result.
#[must_use]
pub fn load_preferences(folder: &Path) -> LoadedPreferences {
    let path = folder.join(PREFERENCES_FILE);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return LoadedPreferences::default(),
        Err(source) => {
            let error = StorageError::Read { source, path };
            return LoadedPreferences {
                warnings: vec![format!("the preferences are the default ones: {error}")],
                ..LoadedPreferences::default()
            };
        }
    };
    match serde_json::from_slice(&bytes) {
        Ok(json) => {
            let (preferences, notes) = Preferences::from_json(json);
            let warning = |note| format!("a preference could not be read: {note}");
            let warnings = notes.iter().map(warning).collect();
            LoadedPreferences { preferences, warnings, set_aside: None }
        }
        Err(error) => set_aside(&path, &error.to_string()),
    }
}

/// Writes the preferences into a folder, which is made where it is missing; whole or not at all.
///
/// # Errors
///
/// When the folder can't be made or the file can't be written; the old file is still there then.
pub fn save_preferences(folder: &Path, preferences: &Preferences) -> Result<(), StorageError> {
    let path = folder.join(PREFERENCES_FILE);
    let failed = |source| StorageError::Write { source, path: path.clone() };
    let text = preferences.to_json_text().map_err(|error| failed(error.into()))?;
    std::fs::create_dir_all(folder).map_err(failed)?;
    write_atomically(&path, |file| file.write_all(text.as_bytes()))
}

/// Gets a broken file out of the way, so that saving doesn't destroy what may be saved by hand.
fn set_aside(path: &Path, reason: &str) -> LoadedPreferences {
    let mut broken: OsString = path.into();
    broken.push(".broken");
    let broken = PathBuf::from(broken);
    let (kept, done) = match std::fs::rename(path, &broken) {
        Ok(()) => (Some(broken.clone()), format!("the file is now {broken:?}")),
        Err(error) => (None, format!("it could not be renamed to {broken:?}: {error}")),
    };
    LoadedPreferences {
        preferences: Preferences::default(),
        warnings: vec![format!(
            "the preferences are the default ones: the file is broken ({reason}); {done}"
        )],
        set_aside: kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preferences::Theme;

    #[test]
    fn what_was_saved_is_loaded_and_the_folder_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/config");
        assert_eq!(load_preferences(&folder), LoadedPreferences::default());
        let mut preferences = Preferences { theme: Theme::Light, ..Preferences::default() };
        for name in ["a.png", "größe/猫.png"] {
            preferences.recent_files.remember(name.into());
            save_preferences(&folder, &preferences).unwrap();
            let loaded = load_preferences(&folder);
            assert_eq!(loaded.preferences, preferences);
            assert_eq!((loaded.warnings.len(), loaded.set_aside), (0, None));
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_file_is_set_aside_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PREFERENCES_FILE);
        for content in ["{\"theme\": \"light\",", "", "\u{0}\u{1}"] {
            std::fs::write(&path, content).unwrap();
            let loaded = load_preferences(folder.path());
            assert_eq!(loaded.preferences, Preferences::default());
            let broken = loaded.set_aside.clone().unwrap();
            assert_eq!(broken, folder.path().join("preferences.json.broken"));
            assert_eq!(std::fs::read_to_string(broken).unwrap(), content);
            assert!(!path.exists());
            assert!(loaded.warnings[0].contains("preferences.json.broken"), "{loaded:?}");
        }
        save_preferences(folder.path(), &Preferences::default()).unwrap();
        assert_eq!(load_preferences(folder.path()), LoadedPreferences::default());
    }

    #[test]
    fn a_bad_field_is_told_and_the_others_are_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PREFERENCES_FILE);
        std::fs::write(&path, r#"{"theme": "light", "ui_scale": "big", "later": 7}"#).unwrap();
        let loaded = load_preferences(folder.path());
        assert_eq!(loaded.preferences.theme, Theme::Light);
        assert_eq!(loaded.warnings.len(), 1);
        assert!(loaded.warnings[0].contains("ui_scale"), "{loaded:?}");
        assert_eq!(loaded.set_aside, None);
        save_preferences(folder.path(), &loaded.preferences).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("\"later\": 7"));
    }

    #[test]
    fn what_cannot_be_read_or_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(PREFERENCES_FILE)).unwrap();
        let loaded = load_preferences(folder.path());
        assert_eq!(loaded.preferences, Preferences::default());
        assert!(loaded.warnings[0].contains("can't read the file"), "{loaded:?}");
        let error = save_preferences(folder.path(), &Preferences::default()).unwrap_err();
        assert!(error.to_string().contains("a folder has that name"), "{error}");
    }
}
