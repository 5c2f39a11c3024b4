//! By how much to extend the canvas on each side, for the model to paint.

use egui::{DragValue, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

use crate::document::Document;
use crate::editor::{Action, Command, Editor, ExtendBy};
use crate::geom::Extent;
use crate::locale::{tr, trf};
use crate::ui::dialogs::{DialogFrame, FirstField, Footer};
use crate::ui::theme::colors;
use crate::ui::widgets::{number_field, row};

/// What is typed.
#[derive(Clone, Debug)]
pub(super) struct ExtendForm {
    before: Extent,
    by: ExtendBy,
    first: FirstField,
}

impl ExtendForm {
    /// A quarter to the right, which is the most usual wish.
    pub(super) fn new(before: Extent) -> Self {
        let by = ExtendBy { right: before.width.div_ceil(4), ..ExtendBy::default() };
        Self { before, by, first: FirstField::default() }
    }

    /// The same share of each side's length on all sides.
    fn share(&mut self, percent: u32) {
        let part = |side: u32| side.saturating_mul(percent).div_ceil(100);
        let (x, y) = (part(self.before.width), part(self.before.height));
        self.by = ExtendBy { left: x, right: x, top: y, bottom: y };
    }

    /// The size that comes of it.
    fn after(&self) -> (u64, u64) {
        let sum = |side: u32, a: u32, b: u32| u64::from(side) + u64::from(a) + u64::from(b);
        (
            sum(self.before.width, self.by.left, self.by.right),
            sum(self.before.height, self.by.top, self.by.bottom),
        )
    }

    /// Why it can't be done, where it can't.
    fn problem(&self) -> Option<String> {
        let (width, height) = self.after();
        let most = Document::MAX_SIDE_PX;
        if self.by == ExtendBy::default() {
            return Some(tr("Choose a side").to_owned());
        }
        (width.max(height) > u64::from(most))
            .then(|| trf("A canvas has at most {most} px on a side", &[("most", &most)]))
    }
}

/// The dialog.
pub(super) fn show(ui: &Ui, editor: &Editor, form: &mut ExtendForm, commands: &mut Vec<Command>) {
    let title = tr(Action::ExtendCanvas.info().label).trim_end_matches('…');
    let problem =
        form.problem().or_else(|| editor.why_disabled(Action::ExtendCanvas).map(str::to_owned));
    let footer = DialogFrame::new("extend", title).show(
        ui,
        |ui| fields_ui(ui, form, problem.as_deref()),
        |ui, enter| Footer::confirm(ui, tr("Extend"), problem.is_none(), enter),
    );
    match footer {
        Footer::Open => {}
        Footer::Cancelled => commands.push(Command::SetDialog(None)),
        Footer::Confirmed => {
            commands.push(Command::SetDialog(None));
            commands.push(Command::Extend(form.by));
        }
    }
}

fn fields_ui(ui: &mut Ui, form: &mut ExtendForm, problem: Option<&str>) {
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            ui.set_width(236.0);
            for (label, pixels) in [
                (tr("Left"), &mut form.by.left),
                (tr("Right"), &mut form.by.right),
                (tr("Top"), &mut form.by.top),
                (tr("Bottom"), &mut form.by.bottom),
            ] {
                row(ui, label, |ui| {
                    let field = DragValue::new(pixels)
                        .range(0..=Document::MAX_SIDE_PX)
                        .speed(2.0)
                        .suffix(" px");
                    let field = number_field(ui, label, 100.0, field);
                    form.first.focus(&field);
                });
            }
        });
        sketch_ui(ui, form);
    });
    ui.horizontal_wrapped(|ui| {
        ui.label(tr("All sides:"));
        for percent in [25, 50] {
            if ui.button(format!("{percent} %")).clicked() {
                form.share(percent);
            }
        }
        if ui.button(tr("None")).clicked() {
            form.by = ExtendBy::default();
        }
    });
    let (width, height) = form.after();
    ui.label(trf("New size: {width} × {height} px", &[("width", &width), ("height", &height)]));
    if let Some(problem) = problem {
        ui.colored_label(colors(ui).warning, problem);
    } else {
        let hint = tr("The new space is painted from the prompt, to fit the picture.");
        ui.colored_label(colors(ui).text_weak, hint);
    }
}

/// The picture within the new canvas, to scale.
fn sketch_ui(ui: &mut Ui, form: &ExtendForm) {
    let colors = colors(ui);
    let (area, _) = ui.allocate_exact_size(vec2(148.0, 132.0), Sense::hover());
    let (width, height) = form.after();
    let scale = (area.width() / width as f32).min(area.height() / height as f32);
    let outer =
        Rect::from_center_size(area.center(), vec2(width as f32 * scale, height as f32 * scale));
    let at = outer.min + vec2(form.by.left as f32 * scale, form.by.top as f32 * scale);
    let size = vec2(form.before.width as f32 * scale, form.before.height as f32 * scale);
    let inner = Rect::from_min_size(pos2(at.x, at.y), size);
    let painter = ui.painter();
    let line = Stroke::new(1.0, colors.accent_text);
    painter.rect(outer, 2.0, colors.selection, line, StrokeKind::Inside);
    let line = Stroke::new(1.0, colors.outline);
    painter.rect(inner, 0.0, colors.panel_raised, line, StrokeKind::Inside);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_each_side() {
        let mut form = ExtendForm::new(Extent::new(400, 201));
        form.share(25);
        assert_eq!(form.by, ExtendBy { left: 100, right: 100, top: 51, bottom: 51 });
        assert_eq!(form.after(), (600, 303));
        assert_eq!(form.problem(), None);
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        let mut form = ExtendForm::new(Extent::new(16000, 10));
        form.by = ExtendBy::default();
        assert_eq!(form.problem().as_deref(), Some("Choose a side"));
        form.by.left = 384;
        assert_eq!(form.problem(), None);
        form.by.left = 385;
        assert!(form.problem().unwrap().contains("16384"));
        form.by.left = u32::MAX;
        assert!(form.problem().is_some());
    }
}
