//! Dialogs, panels, preferences.

use std::path::PathBuf;

use crate::editor::{Dialog, Editor, Effect, FolderSetting, Keymap, Panel, View};
use crate::preferences::{MaskDisplay, Preferences, Theme};

impl Panel {
    /// The panel's name in files.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Chat => "chat",
            Self::Layers => "layers",
            Self::History => "history",
            Self::Gallery => "gallery",
            Self::Queue => "queue",
            Self::Tools => "tools",
        }
    }
}

/// Shows the mask as the preferences say.
pub(super) fn show_mask_as_preferred(view: &mut View, preferences: &Preferences) {
    view.mask.color = preferences.mask_color;
    view.mask.overlay = preferences.mask_display != MaskDisplay::Outline;
}

impl Editor {
    pub(super) fn set_dialog(&mut self, dialog: Option<Dialog>, effects: &mut Vec<Effect>) {
        let welcomed = self.dialog == Some(Dialog::Welcome) && dialog != self.dialog;
        self.dialog = dialog;
        if welcomed && self.preferences.show_first_run {
            self.preferences.show_first_run = false;
            self.keep_preferences(effects);
        }
    }

    pub(super) fn show_panel(&mut self, panel: Panel, visible: bool, effects: &mut Vec<Effect>) {
        self.preferences.panels.insert(panel.id().to_owned(), visible);
        self.keep_preferences(effects);
    }

    /// Whether a panel is shown.
    #[must_use]
    pub fn is_panel_shown(&self, panel: Panel) -> bool {
        !self.view.panels_hidden && self.preferences.panel_visible(panel.id(), true)
    }

    pub(super) fn set_preferences(&mut self, preferences: Preferences, effects: &mut Vec<Effect>) {
        let old = std::mem::replace(&mut self.preferences, preferences);
        let new = &self.preferences;
        let new_limit = new.library_limit_bytes;
        if old.keymap != new.keymap {
            self.keymap = Keymap::with_overrides(&new.keymap);
        }
        if (old.mask_color, old.mask_display) != (new.mask_color, new.mask_display) {
            show_mask_as_preferred(&mut self.view, new);
        }
        if old.engine_threads != new.engine_threads
            || old.memory_budget_bytes != new.memory_budget_bytes
            || old.models_folder != new.models_folder
        {
            effects.push(Effect::RestartEngine);
        }
        if old.history_budget_bytes != new.history_budget_bytes {
            let bytes = usize::try_from(new.history_budget_bytes).unwrap_or(usize::MAX);
            let released = self.history.set_budget(bytes);
            self.tell_released(&released);
        }
        if old.library_limit_bytes != new_limit {
            self.gallery.told_size = false;
        }
        self.keep_preferences(effects);
    }

    pub(super) fn set_folder(
        &mut self,
        setting: FolderSetting,
        path: PathBuf,
        effects: &mut Vec<Effect>,
    ) {
        let mut preferences = self.preferences.clone();
        match setting {
            FolderSetting::Models => preferences.models_folder = Some(path),
            FolderSetting::Pictures => preferences.pictures_folder = Some(path),
        }
        self.set_preferences(preferences, effects);
    }

    pub(super) fn toggle_theme(&mut self, effects: &mut Vec<Effect>) {
        self.preferences.theme = match self.preferences.theme {
            Theme::Light => Theme::Dark,
            Theme::System | Theme::Dark => Theme::Light,
        };
        self.keep_preferences(effects);
    }

    /// Has the preferences written; they are asked for often, so the writer takes the newest.
    pub(super) fn keep_preferences(&self, effects: &mut Vec<Effect>) {
        effects.push(Effect::SavePreferences(Box::new(self.preferences.clone())));
    }
}
