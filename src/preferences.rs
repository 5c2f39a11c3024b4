//! What the user has chosen and what the window remembers, as plain data.
//!
//! No files here: [`crate::storage::preferences_file`] reads and writes them.
//! [`Preferences::from_json`] is forgiving: whatever can be understood is kept, a bad value falls
//! back to its default with a note, and fields that this version doesn't know are written back as
//! they came, so that an older and a newer Gesso can share a file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::engine::device::{DeviceChoice, Precision};
use crate::locale::Language;

/// Most recent files that are remembered.
pub const MAX_RECENT_FILES: usize = 20;
/// Most prompts that are remembered.
pub const MAX_PROMPTS: usize = 200;
/// How much smaller or larger than usual the window's contents may be.
pub const UI_SCALES: std::ops::RangeInclusive<f32> = 0.5..=4.0;

/// All preferences; the default is what a new user gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Dark or light colors.
    pub theme: Theme,
    /// The window's language.
    pub language: LanguageChoice,
    /// Size of the window's contents, on top of the system's; within [`UI_SCALES`].
    pub ui_scale: f32,
    /// Where models run.
    pub device: DeviceChoice,
    /// How exactly models run.
    pub precision: Precision,
    /// Threads of the engine; `None` for as many as the processor has cores.
    pub engine_threads: Option<usize>,
    /// Memory that models may take, in bytes; `None` for what the machine has.
    pub memory_budget_bytes: Option<u64>,
    /// Memory that undo may take, in bytes.
    pub history_budget_bytes: u64,
    /// Bytes that the library of pictures may take before the user is asked about it.
    pub library_limit_bytes: u64,
    /// The folder for models; `None` for the usual one.
    pub models_folder: Option<PathBuf>,
    /// The folder that file dialogs begin in; `None` for the system's.
    pub pictures_folder: Option<PathBuf>,
    /// Files opened or saved, newest first.
    pub recent_files: Recent<PathBuf, MAX_RECENT_FILES>,
    /// Shortcuts in place of the built-in ones, by the command's id; an empty list means none.
    pub keymap: BTreeMap<String, Vec<String>>,
    /// Red, green, blue and alpha of the mask where it is drawn over the picture.
    pub mask_color: [u8; 4],
    /// How the mask is drawn.
    pub mask_display: MaskDisplay,
    /// Whether the introduction is still to be shown.
    pub show_first_run: bool,
    /// Panels that were shown or hidden, by name; see [`Self::panel_visible`].
    pub panels: BTreeMap<String, bool>,
    /// The settings last generated with, in the window's own form; null for none yet.
    pub last_generation: Value,
    /// How messages were answered last, in the window's own form; null for none yet.
    pub last_chat: Value,
    /// A message that was not sent yet.
    pub chat_draft: String,
    /// Prompts that were used, newest first.
    pub prompt_history: Recent<String, MAX_PROMPTS>,
    /// Side of a checker behind transparent pixels, in screen points.
    pub checker_size: u32,
    /// The zoom from which on the pixel grid is drawn; 8 is 800 %.
    pub grid_zoom: f32,
    /// Fields of another version, kept for it.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// Dark or light colors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light text on dark.
    Dark,
    /// Dark text on light.
    Light,
}

/// The language that the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LanguageChoice {
    /// As the system has it.
    #[default]
    System,
    /// This one.
    #[serde(untagged)]
    Chosen(Language),
}

impl LanguageChoice {
    /// The language to show.
    #[must_use]
    pub fn language(self) -> Language {
        match self {
            Self::System => Language::from_system(),
            Self::Chosen(language) => language,
        }
    }
}

/// How a mask is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaskDisplay {
    /// As a color over the picture.
    #[default]
    Overlay,
    /// As a line around it.
    Outline,
    /// In place of the picture, white where it is repainted.
    Grayscale,
}

/// The things used last, newest first, each once, at most `MAX`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<T>")]
#[serde(bound(deserialize = "T: PartialEq + Deserialize<'de>"))]
pub struct Recent<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Default for Recent<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq, const MAX: usize> From<Vec<T>> for Recent<T, MAX> {
    /// Keeps the first of equal items and the first `MAX` of all.
    fn from(items: Vec<T>) -> Self {
        let mut recent = Self::default();
        for item in items {
            if recent.0.len() < MAX && !recent.0.contains(&item) {
                recent.0.push(item);
            }
        }
        recent
    }
}

impl<T: PartialEq, const MAX: usize> Recent<T, MAX> {
    /// Puts an item first, as the newest.
    pub fn remember(&mut self, item: T) {
        self.forget(&item);
        self.0.insert(0, item);
        self.0.truncate(MAX);
    }

    /// Takes an item out, where it is in.
    pub fn forget(&mut self, item: &T) {
        self.0.retain(|other| other != item);
    }

    /// Takes all items out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The items, newest first.
    #[must_use]
    pub fn items(&self) -> &[T] {
        &self.0
    }
}

/// A value that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreferenceNote {
    /// The field, with a dot before a part of it.
    pub field: String,
    /// What is wrong and what was done.
    pub reason: String,
}

impl fmt::Display for PreferenceNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            language: LanguageChoice::default(),
            ui_scale: 1.0,
            device: DeviceChoice::default(),
            precision: Precision::default(),
            engine_threads: None,
            memory_budget_bytes: None,
            history_budget_bytes: 2 << 30,
            library_limit_bytes: 4 << 30,
            models_folder: None,
            pictures_folder: None,
            recent_files: Recent::default(),
            keymap: BTreeMap::new(),
            mask_color: [230, 40, 60, 128],
            mask_display: MaskDisplay::default(),
            show_first_run: true,
            panels: BTreeMap::new(),
            last_generation: Value::Null,
            last_chat: Value::Null,
            chat_draft: String::new(),
            prompt_history: Recent::default(),
            checker_size: 8,
            grid_zoom: 8.0,
            unknown: Map::new(),
        }
    }
}

impl Preferences {
    /// Whether a panel is shown; `default` for panels that the user never touched.
    #[must_use]
    pub fn panel_visible(&self, panel: &str, default: bool) -> bool {
        self.panels.get(panel).copied().unwrap_or(default)
    }

    /// Reads preferences from parsed JSON, with a note for every value that could not be used.
    ///
    /// In lists and tables only the bad entries are lost.
    #[must_use]
    pub fn from_json(json: Value) -> (Self, Vec<PreferenceNote>) {
        let mut notes = Vec::new();
        let accept = |json: &Value| Self::deserialize(json).map(drop).map_err(|e| e.to_string());
        let default = serde_json::to_value(Self::default()).ok();
        let sound = sound_part(default.as_ref(), json, "preferences", &accept, &mut notes);
        let read = sound.and_then(|sound| serde_json::from_value(sound).ok());
        let mut preferences: Self = read.unwrap_or_default();
        preferences.put_in_range(&mut notes);
        (preferences, notes)
    }

    /// The preferences as text to store.
    ///
    /// Paths that aren't Unicode can't be written as JSON and are left out.
    ///
    /// # Errors
    ///
    /// When a value of [`Self::unknown`], [`Self::last_generation`] or [`Self::last_chat`] can't be written as JSON.
    pub fn to_json_text(&self) -> serde_json::Result<String> {
        let mut writable = self.clone();
        writable.recent_files.0.retain(|path| path.to_str().is_some());
        for folder in [&mut writable.models_folder, &mut writable.pictures_folder] {
            folder.take_if(|path| path.to_str().is_none());
        }
        serde_json::to_string_pretty(&writable).map(|text| text + "\n")
    }

    /// Replaces numbers of the right type that make no sense.
    fn put_in_range(&mut self, notes: &mut Vec<PreferenceNote>) {
        let default = Self::default();
        let mut note = |field: &str, value: String, used: String| {
            let reason = format!("{value} is out of range; {used} is used");
            notes.push(PreferenceNote { field: field.to_owned(), reason });
        };
        if !UI_SCALES.contains(&self.ui_scale) {
            note("ui_scale", self.ui_scale.to_string(), default.ui_scale.to_string());
            self.ui_scale = default.ui_scale;
        }
        if !(1.0..=1000.0).contains(&self.grid_zoom) {
            note("grid_zoom", self.grid_zoom.to_string(), default.grid_zoom.to_string());
            self.grid_zoom = default.grid_zoom;
        }
        if !(1..=256).contains(&self.checker_size) {
            note("checker_size", self.checker_size.to_string(), default.checker_size.to_string());
            self.checker_size = default.checker_size;
        }
        if self.engine_threads == Some(0) {
            note("engine_threads", "0".to_owned(), "one for each core".to_owned());
            self.engine_threads = None;
        }
    }
}

/// What of `json` is accepted, with `default` in place of the rest; notes say what was lost.
///
/// `accept` tries a value in this place. What is refused as a whole is tried entry by entry.
fn sound_part(
    default: Option<&Value>,
    json: Value,
    field: &str,
    accept: &dyn Fn(&Value) -> Result<(), String>,
    notes: &mut Vec<PreferenceNote>,
) -> Option<Value> {
    let Err(error) = accept(&json) else { return Some(json) };
    match (default, json) {
        (Some(Value::Object(default)), Value::Object(entries)) => {
            let mut sound = default.clone();
            for (key, entry) in entries {
                let accept_entry = |entry: &Value| {
                    let mut whole = sound.clone();
                    whole.insert(key.clone(), entry.clone());
                    accept(&Value::Object(whole))
                };
                let name =
                    if field == "preferences" { key.clone() } else { format!("{field}.{key}") };
                let entry = sound_part(default.get(&key), entry, &name, &accept_entry, notes);
                if let Some(entry) = entry {
                    sound.insert(key, entry);
                }
            }
            Some(Value::Object(sound))
        }
        // An empty default is a list of any length; another one has its entries' number fixed.
        (Some(Value::Array(default)), Value::Array(entries)) if default.is_empty() => {
            let mut sound = Vec::new();
            for (i, entry) in entries.into_iter().enumerate() {
                let accept_entry = |entry: &Value| {
                    let mut whole = sound.clone();
                    whole.push(entry.clone());
                    accept(&Value::Array(whole))
                };
                let name = format!("{field}.{i}");
                sound.extend(sound_part(None, entry, &name, &accept_entry, notes));
            }
            Some(Value::Array(sound))
        }
        (default, _) => {
            let used = if default.is_some() { "the default is used" } else { "it is left out" };
            let reason = format!("{error}; {used}");
            notes.push(PreferenceNote { field: field.to_owned(), reason });
            default.cloned()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every field changed from its default.
    fn changed() -> Preferences {
        let mut preferences = Preferences {
            theme: Theme::Light,
            language: LanguageChoice::Chosen(Language::Russian),
            ui_scale: 1.25,
            device: DeviceChoice::Cpu,
            precision: Precision::Fp32,
            engine_threads: Some(3),
            memory_budget_bytes: Some(5 << 30),
            history_budget_bytes: 1 << 20,
            library_limit_bytes: 3 << 30,
            models_folder: Some("models/größe".into()),
            pictures_folder: Some("pictures".into()),
            keymap: [("undo".to_owned(), vec!["Ctrl+Z".to_owned(), "F1".to_owned()])].into(),
            mask_color: [1, 2, 3, 4],
            mask_display: MaskDisplay::Outline,
            show_first_run: false,
            panels: [("layers".to_owned(), false)].into(),
            last_generation: json!({"steps": 27, "guidance": 3.5}),
            last_chat: json!({"answer": "words"}),
            chat_draft: "add a tree".to_owned(),
            checker_size: 16,
            grid_zoom: 4.0,
            ..Preferences::default()
        };
        preferences.recent_files.remember("a.png".into());
        preferences.prompt_history.remember("a red fox".to_owned());
        preferences
    }

    fn read(json: Value) -> (Preferences, Vec<String>) {
        let (preferences, notes) = Preferences::from_json(json);
        (preferences, notes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_field_survives() {
        for preferences in [changed(), Preferences::default()] {
            let text = preferences.to_json_text().unwrap();
            let (again, notes) = read(serde_json::from_str(&text).unwrap());
            assert_eq!(again, preferences);
            assert_eq!(notes, [""; 0]);
        }
        // The list above leaves nothing out.
        let (default, other) = (
            serde_json::to_value(Preferences::default()).unwrap(),
            serde_json::to_value(changed()).unwrap(),
        );
        for (field, value) in default.as_object().unwrap() {
            assert_ne!(other.get(field), Some(value), "{field}");
        }
    }

    #[test]
    fn missing_fields_are_defaults_and_unknown_ones_are_kept() {
        assert_eq!(read(json!({})), (Preferences::default(), Vec::new()));
        let (preferences, notes) =
            read(json!({"theme": "dark", "later": {"a": [1, null]}, "language": "ja"}));
        assert_eq!(notes, [""; 0]);
        assert_eq!(preferences.theme, Theme::Dark);
        assert_eq!(preferences.language.language(), Language::Japanese);
        let text: Value = serde_json::from_str(&preferences.to_json_text().unwrap()).unwrap();
        assert_eq!(text["later"], json!({"a": [1, null]}));
    }

    #[test]
    fn a_bad_field_costs_no_other_one() {
        // Each field in turn gets a value of a type that no field has.
        let good = serde_json::to_value(changed()).unwrap();
        let default = serde_json::to_value(Preferences::default()).unwrap();
        for field in good.as_object().unwrap().keys() {
            // Any JSON will do here.
            if field == "last_generation" || field == "last_chat" {
                continue;
            }
            let mut bad = good.clone();
            bad[field] = json!([[["no"]]]);
            bad["later"] = json!(1);
            let (preferences, notes) = read(bad);
            let mut expected = good.clone();
            expected[field] = default[field].clone();
            expected["later"] = json!(1);
            assert_eq!(serde_json::to_value(preferences).unwrap(), expected, "{field}");
            assert_eq!(notes.len(), 1, "{field}: {notes:?}");
            assert!(notes[0].starts_with(field.as_str()), "{notes:?}");
        }
    }

    #[test]
    fn in_lists_and_tables_only_the_bad_entries_are_lost() {
        let (preferences, notes) = read(json!({
            "recent_files": ["a", 5, "b"],
            "keymap": {"undo": ["Ctrl+Z"], "redo": "Ctrl+Y", "cut": []},
            "panels": {"layers": false, "history": "yes"},
            "mask_color": [1, 2, 3],
        }));
        assert_eq!(preferences.recent_files.items(), [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(preferences.keymap.keys().collect::<Vec<_>>(), ["cut", "undo"]);
        assert!(!preferences.panel_visible("layers", true));
        assert!(preferences.panel_visible("history", true));
        assert_eq!(preferences.mask_color, Preferences::default().mask_color);
        let fields: Vec<&str> = notes.iter().map(|note| note.split(':').next().unwrap()).collect();
        assert_eq!(fields, ["recent_files.1", "keymap.redo", "panels.history", "mask_color"]);
    }

    #[test]
    fn numbers_out_of_range_become_defaults() {
        let (preferences, notes) = read(json!({
            "ui_scale": 0.0, "grid_zoom": -3, "checker_size": 0, "engine_threads": 0,
        }));
        assert_eq!(preferences, Preferences::default());
        assert_eq!(notes.len(), 4, "{notes:?}");
        assert_eq!(notes[0], "ui_scale: 0 is out of range; 1 is used");
        let (preferences, notes) = read(json!({"checker_size": 1e99, "theme": "light"}));
        assert_eq!((preferences.checker_size, preferences.theme), (8, Theme::Light));
        assert_eq!(notes.len(), 1, "{notes:?}");
    }

    #[test]
    fn what_is_no_object_gives_defaults_and_a_note() {
        for json in [json!(null), json!([1, 2]), json!("text")] {
            let (preferences, notes) = read(json);
            assert_eq!(preferences, Preferences::default());
            assert_eq!(notes.len(), 1, "{notes:?}");
        }
    }

    #[test]
    fn recent_items_are_few_different_and_newest_first() {
        let mut recent: Recent<String, 3> = Recent::default();
        for name in ["a", "b", "a", "c", "d"] {
            recent.remember(name.to_owned());
        }
        assert_eq!(recent.items(), ["d", "c", "a"]);
        recent.forget(&"c".to_owned());
        assert_eq!(recent.items(), ["d", "a"]);
        let read: Recent<String, 3> = serde_json::from_str(r#"["x","y","x","z","w"]"#).unwrap();
        assert_eq!(read.items(), ["x", "y", "z"]);
        recent.clear();
        assert_eq!(serde_json::to_string(&recent).unwrap(), "[]");
    }

    #[cfg(unix)]
    #[test]
    fn paths_that_are_no_unicode_are_left_out() {
        use std::os::unix::ffi::OsStringExt as _;
        let odd = PathBuf::from(std::ffi::OsString::from_vec(vec![b'a', 0xff]));
        let mut preferences = changed();
        preferences.recent_files.remember(odd.clone());
        preferences.models_folder = Some(odd);
        let (again, _) = read(serde_json::from_str(&preferences.to_json_text().unwrap()).unwrap());
        assert_eq!(again.recent_files.items(), [PathBuf::from("a.png")]);
        assert_eq!((again.models_folder, again.theme), (None, Theme::Light));
    }
}
