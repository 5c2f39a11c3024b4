//! How large the library of pictures is, and what of it could go. Nothing goes without an answer.

use egui::{Align, Layout, Ui};

use crate::editor::{Command, Editor, LibrarySize};
use crate::locale::{tr, trf};
use crate::ui::dialogs::{DialogFrame, Footer};
use crate::ui::status_bar::bytes_text;
use crate::ui::theme::{self, colors};
use crate::ui::widgets::danger_button;

/// The dialog.
pub(super) fn show(ui: &Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let size = editor.gallery.size.clone().unwrap_or_default();
    let can_shrink = size.trash > 0 || !size.oldest.is_empty();
    let mut shrink = false;
    let footer = DialogFrame::new("library", tr("Picture library")).show(
        ui,
        |ui| facts_ui(ui, &size, editor.preferences.library_limit_bytes),
        |ui, _| {
            if !can_shrink {
                return Footer::close_only(ui);
            }
            // Enter does not press what can't be undone.
            shrink = danger_button(ui, tr("Delete for good")).clicked();
            let cancel = Layout::right_to_left(Align::Center);
            let cancel = ui.with_layout(cancel, |ui| ui.button(tr("Cancel")).clicked()).inner;
            if cancel { Footer::Cancelled } else { Footer::Open }
        },
    );
    if shrink {
        commands.push(Command::ShrinkLibrary);
    } else if footer != Footer::Open {
        commands.push(Command::SetDialog(None));
    }
}

fn facts_ui(ui: &mut Ui, size: &LibrarySize, limit_bytes: u64) {
    let facts = trf(
        "{count} pictures take {size}; the limit is {limit}.",
        &[
            ("count", &size.pictures),
            ("size", &bytes_text(size.bytes)),
            ("limit", &bytes_text(limit_bytes)),
        ],
    );
    ui.label(facts);
    if size.trash > 0 {
        ui.label(trf("In the trash: {count} of them removed.", &[("count", &size.trash)]));
    }
    if !size.oldest.is_empty() {
        let text = trf(
            "To get below the limit, the {count} oldest pictures without a star can go. Projects \
             keep all that they have.",
            &[("count", &size.oldest.len())],
        );
        ui.label(text);
    }
    if size.freed > 0 {
        let freed = bytes_text(size.freed);
        let text = trf("That frees {size} and can't be undone.", &[("size", &freed)]);
        ui.label(text);
    }
    ui.add_space(theme::SPACE_S);
    let hint = tr("The limit is in the settings, under Files.");
    ui.colored_label(colors(ui).text_weak, hint);
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::editor::KeptId;
    use crate::ui::testing::{editor, window};
    use crate::ui::theme::Look;

    #[test]
    fn what_goes_is_said_and_goes_only_by_its_button() {
        let mut editor = editor();
        editor.gallery.size = Some(LibrarySize {
            bytes: 5 << 30,
            pictures: 900,
            trash: 2,
            oldest: vec![KeptId(1), KeptId(2), KeptId(3)],
            freed: 1 << 30,
        });
        let mut window = window((800.0, 500.0), Look::Dark, |ui, commands| {
            show(ui, &editor, commands);
        });
        window.run_steps(2);
        window.get_by_label_contains("the 3 oldest pictures without a star");
        window.get_by_label("900 pictures take 5.0 GB; the limit is 4.0 GB.");
        window.key_press(egui::Key::Enter);
        window.run_steps(2);
        assert!(window.state().is_empty(), "{:?}", window.state());
        window.get_by_label("Delete for good").click();
        window.run_steps(1);
        assert!(matches!(window.state()[..], [Command::ShrinkLibrary]), "{:?}", window.state());
    }

    #[test]
    fn a_library_below_its_limit_has_nothing_to_delete() {
        let mut editor = editor();
        editor.gallery.size = Some(LibrarySize { pictures: 3, ..LibrarySize::default() });
        let mut window = window((800.0, 500.0), Look::Dark, |ui, commands| {
            show(ui, &editor, commands);
        });
        window.run_steps(2);
        assert!(window.query_by_label("Delete for good").is_none());
        window.get_by_label("Close").click();
        window.run_steps(1);
        assert!(matches!(window.state()[..], [Command::SetDialog(None)]), "{:?}", window.state());
    }
}
