//! A name for a layer, for the selection, or for a state of the history.

use egui::{Margin, TextEdit, Ui};

use crate::document::{Edit, LayerId, NodeId};
use crate::editor::{Command, Editor};
use crate::locale::{tr, trf};
use crate::ui::dialogs::{DialogFrame, FirstField, Footer};
use crate::ui::theme::colors;
use crate::ui::widgets::row;

/// Most characters of a name.
const MAX_CHARACTERS: usize = 100;

/// What is typed.
#[derive(Clone, Debug)]
pub(super) struct NameForm {
    what: What,
    name: String,
    first: FirstField,
}

/// What gets the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Layer(LayerId),
    Selection,
    State(NodeId),
}

impl NameForm {
    /// The layer's name as it is.
    pub(super) fn of_layer(editor: &Editor, layer: LayerId) -> Self {
        let name = editor.document.layer(layer).map(|layer| layer.name.clone());
        Self {
            what: What::Layer(layer),
            name: name.unwrap_or_default(),
            first: FirstField::default(),
        }
    }

    /// A name that no selection has.
    pub(super) fn of_selection(editor: &Editor) -> Self {
        let saved = &editor.document.saved_selections;
        let free = (1..=saved.len() + 1)
            .map(|number| trf("Selection {number}", &[("number", &number)]))
            .find(|name| saved.iter().all(|other| other.name != *name));
        Self { what: What::Selection, name: free.unwrap_or_default(), first: FirstField::default() }
    }

    /// The state's name as it is.
    pub(super) fn of_state(editor: &Editor, node: NodeId) -> Self {
        let name = editor.history.node(node).map(|node| node.operation.label.clone());
        Self {
            what: What::State(node),
            name: name.unwrap_or_default(),
            first: FirstField::default(),
        }
    }

    fn trimmed(&self) -> &str {
        self.name.trim()
    }

    fn command(&self) -> Command {
        let name = self.trimmed().to_owned();
        match self.what {
            What::Layer(layer) => Command::Edit(Edit::RenameLayer { layer, name }),
            What::Selection => Command::Edit(Edit::SaveSelection(name)),
            What::State(node) => Command::RenameState(node, name),
        }
    }
}

/// The dialog.
pub(super) fn show(ui: &Ui, editor: &Editor, form: &mut NameForm, commands: &mut Vec<Command>) {
    let (title, confirm) = match form.what {
        What::Layer(_) => (tr("Rename layer"), tr("Rename")),
        What::Selection => (tr("Save selection"), tr("Save")),
        What::State(_) => (tr("Rename state"), tr("Rename")),
    };
    let valid = !form.trimmed().is_empty();
    let footer = DialogFrame::new("name", title).width(380.0).show(
        ui,
        |ui| field_ui(ui, editor, form),
        |ui, enter| Footer::confirm(ui, confirm, valid, enter),
    );
    if footer == Footer::Confirmed {
        commands.push(form.command());
    }
    if footer != Footer::Open {
        commands.push(Command::SetDialog(None));
    }
}

fn field_ui(ui: &mut Ui, editor: &Editor, form: &mut NameForm) {
    row(ui, tr("Name"), |ui| {
        let id = ui.scope_id().with("name");
        let field = TextEdit::singleline(&mut form.name)
            .id(id)
            .char_limit(MAX_CHARACTERS)
            .margin(Margin::symmetric(8, 5))
            .desired_width(f32::INFINITY);
        let output = field.show(ui);
        let had_focus = output.response.has_focus();
        form.first.focus(&output.response);
        // Typing replaces the old name, as everywhere.
        if !had_focus && ui.memory(|memory| memory.has_focus(id)) {
            let mut state = output.state;
            let all = egui::text::CCursorRange::two(
                egui::text::CCursor::new(0),
                egui::text::CCursor::new(form.name.chars().count()),
            );
            state.cursor.set_char_range(Some(all));
            state.store(ui.ctx(), id);
        }
    });
    let taken = form.what == What::Selection
        && editor.document.saved_selections.iter().any(|saved| saved.name == form.trimmed());
    if taken {
        let text = tr("There is a selection of this name; it will be replaced.");
        ui.colored_label(colors(ui).warning, text);
    }
}

#[cfg(test)]
mod tests {
    use egui::Key;
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::document::{SavedSelection, Selection};
    use crate::ui::testing::{editor, window};
    use crate::ui::theme::Look;

    #[test]
    fn typing_replaces_the_old_name_and_enter_keeps_it() {
        let editor = editor();
        let layer = editor.document.active;
        let mut form = NameForm::of_layer(&editor, layer);
        let mut window = window((600.0, 400.0), Look::Dark, |ui, commands| {
            show(ui, &editor, &mut form, commands);
        });
        window.run_steps(3);
        window.event(egui::Event::Text(" Sky ".to_owned()));
        window.run_steps(2);
        window.key_press(Key::Enter);
        window.run_steps(1);
        let given = format!("{:?}", window.state());
        assert!(given.contains("RenameLayer") && given.contains("\"Sky\""), "{given}");
        drop(window);
        form.name = "  ".to_owned();
        let mut window = crate::ui::testing::window((600.0, 400.0), Look::Dark, |ui, commands| {
            show(ui, &editor, &mut form, commands);
        });
        window.run_steps(2);
        window.key_press(Key::Enter);
        window.run_steps(2);
        window.get_by_label("Rename").click();
        window.run_steps(2);
        assert!(window.state().is_empty(), "a name of blanks is none");
    }

    #[test]
    fn a_new_selection_gets_a_free_name() {
        let mut editor = editor();
        assert_eq!(NameForm::of_selection(&editor).name, "Selection 1");
        for name in ["Selection 1", "Sky"] {
            let (name, selection) = (name.to_owned(), Selection::default());
            editor.document.saved_selections.push(SavedSelection { name, selection });
        }
        assert_eq!(NameForm::of_selection(&editor).name, "Selection 2");
    }
}
