//! Shows the dialog that is open, with its form.

use egui::Ui;

use crate::editor::{Command, Dialog, Editor};
use crate::ui::dialogs::about::{self, AboutForm};
use crate::ui::dialogs::canvas_size::{self, CanvasSizeForm};
use crate::ui::dialogs::extend::{self, ExtendForm};
use crate::ui::dialogs::left_work::LeftWorkForm;
use crate::ui::dialogs::names::{self, NameForm};
use crate::ui::dialogs::new_picture::{self, NewPictureForm};
use crate::ui::dialogs::resize_image::{self, ResizeForm};
use crate::ui::dialogs::settings::{self, SettingsForm};
use crate::ui::dialogs::{left_work, library, unsaved_changes, welcome};
use crate::ui::palette::{PaletteState, palette_ui};
use crate::ui::shortcuts::{ShortcutsState, shortcuts_ui};

/// The open dialog's form.
#[derive(Debug, Default)]
pub struct DialogsState {
    open: Option<Dialog>,
    form: Form,
}

#[derive(Debug, Default)]
#[expect(clippy::large_enum_variant, reason = "there is one of them")]
enum Form {
    #[default]
    None,
    NewPicture(NewPictureForm),
    Resize(ResizeForm),
    CanvasSize(CanvasSizeForm),
    Extend(ExtendForm),
    Name(NameForm),
    Palette(PaletteState),
    Settings(SettingsForm),
    Shortcuts(ShortcutsState),
    About(AboutForm),
    LeftWork(LeftWorkForm),
}

/// The dialog that is open, over everything.
pub fn dialogs_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut DialogsState,
    commands: &mut Vec<Command>,
) {
    if editor.dialog != state.open {
        state.open.clone_from(&editor.dialog);
        state.form = new_form(editor);
    }
    let Some(dialog) = &state.open else { return };
    match (dialog, &mut state.form) {
        (Dialog::Welcome, _) => welcome::show(ui, editor, commands),
        (Dialog::Library, _) => library::show(ui, editor, commands),
        (Dialog::LeftWork, Form::LeftWork(form)) => left_work::show(ui, editor, form, commands),
        (Dialog::UnsavedChanges(then), _) => {
            unsaved_changes::show(ui, editor, then, commands);
        }
        (_, Form::NewPicture(form)) => new_picture::show(ui, editor, form, commands),
        (_, Form::Resize(form)) => resize_image::show(ui, editor, form, commands),
        (_, Form::CanvasSize(form)) => canvas_size::show(ui, editor, form, commands),
        (_, Form::Extend(form)) => extend::show(ui, editor, form, commands),
        (_, Form::Name(form)) => names::show(ui, editor, form, commands),
        (_, Form::Palette(form)) => palette_ui(ui, editor, form, commands),
        (_, Form::Settings(form)) => settings::show(ui, editor, form, commands),
        (_, Form::Shortcuts(form)) => shortcuts_ui(ui, editor, form, commands),
        (_, Form::About(form)) => about::show(ui, editor, form, commands),
        (_, Form::None | Form::LeftWork(_)) => {}
    }
}

fn new_form(editor: &Editor) -> Form {
    match &editor.dialog {
        None | Some(Dialog::Welcome | Dialog::Library | Dialog::UnsavedChanges(_)) => Form::None,
        Some(Dialog::NewPicture) => Form::NewPicture(NewPictureForm::new(editor)),
        Some(Dialog::ResizeImage) => Form::Resize(ResizeForm::new(editor.document.extent)),
        Some(Dialog::CanvasSize) => Form::CanvasSize(CanvasSizeForm::new(editor.document.extent)),
        Some(Dialog::Extend) => Form::Extend(ExtendForm::new(editor.document.extent)),
        Some(Dialog::RenameLayer(layer)) => Form::Name(NameForm::of_layer(editor, *layer)),
        Some(Dialog::RenameState(node)) => Form::Name(NameForm::of_state(editor, *node)),
        Some(Dialog::LeftWork) => Form::LeftWork(LeftWorkForm::default()),
        Some(Dialog::SaveSelection) => Form::Name(NameForm::of_selection(editor)),
        Some(Dialog::Palette) => Form::Palette(PaletteState::default()),
        Some(Dialog::Settings) => Form::Settings(SettingsForm::default()),
        Some(Dialog::Shortcuts) => Form::Shortcuts(ShortcutsState::default()),
        Some(Dialog::About) => Form::About(AboutForm::default()),
    }
}

#[cfg(test)]
mod tests {
    use egui::Key;

    use super::*;
    use crate::editor::AfterSaving;
    use crate::ui::testing::{editor, look_at, window};
    use crate::ui::theme::Look;

    fn all(editor: &Editor) -> Vec<(&'static str, Dialog)> {
        vec![
            ("welcome", Dialog::Welcome),
            ("new-picture", Dialog::NewPicture),
            ("resize", Dialog::ResizeImage),
            ("canvas-size", Dialog::CanvasSize),
            ("extend", Dialog::Extend),
            ("rename-layer", Dialog::RenameLayer(editor.document.active)),
            ("rename-state", Dialog::RenameState(editor.history.root())),
            ("left-work", Dialog::LeftWork),
            ("save-selection", Dialog::SaveSelection),
            ("library", Dialog::Library),
            ("palette", Dialog::Palette),
            ("settings", Dialog::Settings),
            ("shortcuts", Dialog::Shortcuts),
            ("about", Dialog::About),
            ("unsaved", Dialog::UnsavedChanges(AfterSaving::Close)),
        ]
    }

    #[test]
    fn escape_closes_every_dialog() {
        let mut editor = editor();
        for (name, dialog) in all(&editor) {
            editor.dialog = Some(dialog);
            let mut state = DialogsState::default();
            let mut window = window((1000.0, 760.0), Look::Dark, |ui, commands| {
                dialogs_ui(ui, &editor, &mut state, commands);
            });
            window.run_steps(3);
            assert!(window.state().is_empty(), "{name}: {:?}", window.state());
            window.key_press(Key::Escape);
            window.run_steps(1);
            let given = window.state();
            assert!(matches!(given[..], [Command::SetDialog(None)]), "{name}: {given:?}");
        }
    }

    #[test]
    fn the_dialogs_look_well() {
        let mut editor = editor();
        editor.preferences.recent_files.remember("pictures/harbor at night.png".into());
        editor.preferences.recent_files.remember("pictures/portrait.webp".into());
        editor.left_work = crate::ui::sample::left_work();
        for (name, dialog) in all(&editor) {
            editor.dialog = Some(dialog);
            let mut state = DialogsState::default();
            look_at(&format!("dialog-{name}"), (900.0, 680.0), |ui, commands| {
                dialogs_ui(ui, &editor, &mut state, commands);
            });
        }
    }
}
