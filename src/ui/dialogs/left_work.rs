//! Work that was left behind when a program ended without asking: taken up, or thrown away.

use std::path::PathBuf;
use std::time::SystemTime;

use egui::{Align, Layout, RichText, ScrollArea, Ui, vec2};

use crate::editor::{Command, Editor, LeftWork};
use crate::locale::{tr, trf};
use crate::ui::dialogs::{DialogFrame, Footer};
use crate::ui::history_panel::ago;
use crate::ui::panel_parts::{self, PictureFrame};
use crate::ui::status_bar::bytes_text;
use crate::ui::theme::{self, colors};
use crate::ui::thumbnails::Thumbnails;
use crate::ui::widgets::{danger_button, primary_button};

const THUMBNAIL_PX: f32 = 64.0;
const WIDTH_PX: f32 = 560.0;
const LIST_PX: f32 = 360.0;

/// What the dialog remembers.
#[derive(Default)]
pub(super) struct LeftWorkForm {
    thumbnails: Thumbnails,
    // The work that the user is asked about.
    deleting: Option<PathBuf>,
}

impl std::fmt::Debug for LeftWorkForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeftWorkForm").field("deleting", &self.deleting).finish_non_exhaustive()
    }
}

/// The dialog.
pub(super) fn show(ui: &Ui, editor: &Editor, form: &mut LeftWorkForm, commands: &mut Vec<Command>) {
    let now = SystemTime::now();
    let footer = DialogFrame::new("left-work", tr("Recover work")).width(WIDTH_PX).show(
        ui,
        |ui| {
            let hint = tr(
                "Gesso ended before this work was saved. It is complete but for what was being \
                 drawn at that moment.",
            );
            ui.colored_label(colors(ui).text_weak, hint);
            ui.add_space(theme::SPACE_S);
            ScrollArea::vertical().max_height(LIST_PX).show(ui, |ui| {
                for work in &editor.left_work {
                    ui.push_id(&work.folder, |ui| work_ui(ui, work, now, form, commands));
                    ui.add_space(theme::SPACE_S);
                }
            });
        },
        |ui, _| {
            // Nothing has to be decided now: the menu offers it again.
            let right = Layout::right_to_left(Align::Center);
            let later = ui.with_layout(right, |ui| ui.button(tr("Later")).clicked()).inner;
            if later { Footer::Cancelled } else { Footer::Open }
        },
    );
    if footer != Footer::Open {
        commands.push(Command::SetDialog(None));
    }
}

fn work_ui(
    ui: &mut Ui,
    work: &LeftWork,
    now: SystemTime,
    form: &mut LeftWorkForm,
    commands: &mut Vec<Command>,
) {
    ui.horizontal(|ui| {
        let (rect, _) =
            ui.allocate_exact_size(vec2(THUMBNAIL_PX, THUMBNAIL_PX), egui::Sense::hover());
        if let Some(image) = &work.thumbnail {
            let texture = form.thumbnails.picture(ui.ctx(), image, THUMBNAIL_PX as u32 * 2);
            panel_parts::picture(ui, rect, texture, image.extent(), PictureFrame::Checkers, 1.0);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if form.deleting.as_deref() == Some(work.folder.as_path()) {
                if ui.button(tr("Keep")).clicked() {
                    form.deleting = None;
                }
                if danger_button(ui, tr("Delete for good")).clicked() {
                    form.deleting = None;
                    commands.push(Command::ThrowAway(work.folder.clone()));
                }
            } else {
                if primary_button(ui, tr("Open")).clicked() {
                    commands.push(Command::TakeUp(work.folder.clone()));
                }
                if danger_button(ui, tr("Delete")).clicked() {
                    form.deleting = Some(work.folder.clone());
                }
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                let name = work.file.as_ref().and_then(|path| path.file_name());
                // What was never saved is known by how it began.
                let name = name
                    .map_or_else(|| work.first.clone(), |name| name.to_string_lossy().into_owned());
                ui.add(egui::Label::new(theme::semibold(name)).truncate());
                ui.add(egui::Label::new(&work.label).truncate());
                let facts = trf(
                    "{time} · {count} states · {size}",
                    &[
                        ("time", &ago(work.time, now)),
                        ("count", &work.states),
                        ("size", &bytes_text(work.bytes)),
                    ],
                );
                let facts = RichText::new(facts).color(colors(ui).text_weak).size(theme::SMALL_PX);
                ui.add(egui::Label::new(facts).truncate());
            });
        });
    });
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::{editor, window};
    use crate::ui::theme::Look;

    #[test]
    fn work_is_opened_with_one_click_and_deleted_with_two() {
        let mut editor = editor();
        editor.left_work = vec![crate::ui::sample::left_work().remove(0)];
        let mut form = LeftWorkForm::default();
        let mut window = window((800.0, 600.0), Look::Dark, |ui, commands| {
            show(ui, &editor, &mut form, commands);
        });
        window.run_steps(2);
        window.get_by_label("Open").click();
        window.run_steps(1);
        assert!(matches!(window.state()[..], [Command::TakeUp(_)]), "{:?}", window.state());
        window.state_mut().clear();
        window.get_by_label("Delete").click();
        window.run_steps(2);
        assert!(window.state().is_empty(), "{:?}", window.state());
        window.get_by_label("Delete for good").click();
        window.run_steps(1);
        assert!(matches!(window.state()[..], [Command::ThrowAway(_)]), "{:?}", window.state());
    }
}
