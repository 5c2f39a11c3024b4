//! Asks what to do with changes that no file holds.

use egui::{Align, Layout, Ui};

use crate::editor::{AfterSaving, Command, Editor};
use crate::locale::{tr, trf};
use crate::ui::dialogs::{DialogFrame, Footer};
use crate::ui::theme::colors;
use crate::ui::widgets::{danger_button, primary_button};

/// The dialog.
pub(super) fn show(ui: &Ui, editor: &Editor, then: &AfterSaving, commands: &mut Vec<Command>) {
    let name = editor.file.path.as_ref().and_then(|path| path.file_name());
    let name = name.map_or_else(
        || tr("this picture").to_owned(),
        |name| format!("“{}”", name.to_string_lossy()),
    );
    let mut discard = false;
    let footer = DialogFrame::new("unsaved", tr("Unsaved changes")).show(
        ui,
        |ui| {
            ui.label(trf("Do you want to save the changes to {name}?", &[("name", &name)]));
            let hint = match then {
                AfterSaving::Close => tr("Without saving they are lost when Gesso closes."),
                _ => tr("Without saving they are lost when another picture opens."),
            };
            ui.colored_label(colors(ui).text_weak, hint);
        },
        |ui, enter| {
            discard = danger_button(ui, tr("Don't save")).clicked();
            let mut footer = Footer::Open;
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if primary_button(ui, tr("Save")).clicked() || enter {
                    footer = Footer::Confirmed;
                }
                if ui.button(tr("Cancel")).clicked() {
                    footer = Footer::Cancelled;
                }
            });
            footer
        },
    );
    if discard {
        commands.push(Command::SetDialog(None));
        commands.push(Command::DiscardChanges(then.clone()));
        return;
    }
    match footer {
        Footer::Open => {}
        Footer::Cancelled => commands.push(Command::SetDialog(None)),
        Footer::Confirmed => {
            commands.push(Command::SetDialog(None));
            commands.push(Command::SaveFirst(then.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::{editor, window};
    use crate::ui::theme::Look;

    #[test]
    fn each_answer_does_what_it_says() {
        for (label, expected) in [
            ("Save", "[SetDialog(None), SaveFirst(Close)]"),
            ("Don't save", "[SetDialog(None), DiscardChanges(Close)]"),
            ("Cancel", "[SetDialog(None)]"),
        ] {
            let editor = editor();
            let mut window = window((700.0, 400.0), Look::Dark, |ui, commands| {
                show(ui, &editor, &AfterSaving::Close, commands);
            });
            window.run_steps(2);
            window.get_by_label(label).click();
            window.run_steps(1);
            window.step();
            let given = format!("{:?}", window.state());
            assert_eq!(given, expected, "{label}");
        }
    }
}
