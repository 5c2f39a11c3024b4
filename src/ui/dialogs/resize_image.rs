//! Another size for the picture with everything on it.

use egui::{DragValue, Ui};

use crate::document::{Document, Edit, Resampling};
use crate::editor::{Command, Editor};
use crate::geom::Extent;
use crate::locale::{tr, trf};
use crate::ui::dialogs::new_picture::side_ui;
use crate::ui::dialogs::{DialogFrame, FirstField, Footer};
use crate::ui::theme::{colors, icon};
use crate::ui::widgets::{ButtonState, Segment, icon_button, number_field, row, segmented};

/// What is typed.
#[derive(Clone, Debug)]
pub(super) struct ResizeForm {
    before: Extent,
    width: u32,
    height: u32,
    linked: bool,
    resampling: Resampling,
    first: FirstField,
}

impl ResizeForm {
    /// The size as it is.
    pub(super) fn new(before: Extent) -> Self {
        Self {
            before,
            width: before.width,
            height: before.height,
            linked: true,
            resampling: Resampling::Smooth,
            first: FirstField::default(),
        }
    }

    /// Takes a width, and the height that belongs to it where the sides are linked.
    fn set_width(&mut self, width: u32) {
        self.width = width;
        if self.linked {
            self.height = scaled(self.before.height, width, self.before.width);
        }
    }

    fn set_height(&mut self, height: u32) {
        self.height = height;
        if self.linked {
            self.width = scaled(self.before.width, height, self.before.height);
        }
    }

    fn set_percent(&mut self, percent: f64) {
        let side = |side: u32| clamped(f64::from(side) * percent / 100.0);
        (self.width, self.height) = (side(self.before.width), side(self.before.height));
    }

    fn percent(&self) -> f64 {
        100.0 * f64::from(self.width) / f64::from(self.before.width)
    }
}

/// `side` times `numerator / denominator`, as a side that a canvas may have.
fn scaled(side: u32, numerator: u32, denominator: u32) -> u32 {
    clamped(f64::from(side) * f64::from(numerator) / f64::from(denominator))
}

fn clamped(side: f64) -> u32 {
    side.round().clamp(1.0, f64::from(Document::MAX_SIDE_PX)) as u32
}

/// The dialog.
pub(super) fn show(ui: &Ui, _editor: &Editor, form: &mut ResizeForm, commands: &mut Vec<Command>) {
    let extent = |form: &ResizeForm| Extent::new(form.width, form.height);
    let changed = extent(form) != form.before;
    let footer = DialogFrame::new("resize", tr("Scale picture")).show(
        ui,
        |ui| fields_ui(ui, form),
        |ui, enter| Footer::confirm(ui, tr("Scale"), changed, enter),
    );
    if footer == Footer::Confirmed {
        let (extent, resampling) = (extent(form), form.resampling);
        commands.push(Command::Edit(Edit::Resize { extent, resampling }));
    }
    if footer != Footer::Open {
        commands.push(Command::SetDialog(None));
    }
}

fn fields_ui(ui: &mut Ui, form: &mut ResizeForm) {
    row(ui, tr("Width"), |ui| {
        let mut width = form.width;
        let field = side_ui(ui, tr("Width"), &mut width);
        form.first.focus(&field);
        if field.changed() {
            form.set_width(width);
        }
    });
    row(ui, tr("Height"), |ui| {
        let mut height = form.height;
        if side_ui(ui, tr("Height"), &mut height).changed() {
            form.set_height(height);
        }
        let (icon, label) = if form.linked {
            (icon::LINKED, tr("The sides keep their proportion"))
        } else {
            (icon::UNLINKED, tr("The sides are free"))
        };
        if icon_button(ui, icon, label, "", ButtonState::selected_if(form.linked)).clicked() {
            form.linked = !form.linked;
            if form.linked {
                form.set_width(form.width);
            }
        }
    });
    row(ui, tr("Percent"), |ui| {
        let mut percent = form.percent();
        let field = DragValue::new(&mut percent).range(0.1..=6400.0).max_decimals(1).suffix(" %");
        if number_field(ui, tr("Percent"), 100.0, field).changed() {
            form.set_percent(percent);
        }
        for percent in [50, 200, 400] {
            if ui.button(format!("{percent} %")).clicked() {
                form.set_percent(f64::from(percent));
            }
        }
    });
    row(ui, tr("Pixels"), |ui| {
        segmented(
            ui,
            &mut form.resampling,
            &[
                Segment::text(Resampling::Smooth, tr("Smooth")),
                Segment::text(Resampling::Nearest, tr("Nearest, for pixel art")),
            ],
        );
    });
    let Extent { width, height } = form.before;
    let text =
        trf("The picture has {width} × {height} px now", &[("width", &width), ("height", &height)]);
    ui.label(egui::RichText::new(text).color(colors(ui).text_weak).small());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linked_sides_keep_their_proportion() {
        let mut form = ResizeForm::new(Extent::new(600, 400));
        form.set_width(300);
        assert_eq!((form.width, form.height), (300, 200));
        form.set_height(1);
        assert_eq!((form.width, form.height), (2, 1));
        form.linked = false;
        form.set_width(77);
        assert_eq!((form.width, form.height), (77, 1));
        form.set_percent(150.0);
        assert_eq!((form.width, form.height), (900, 600));
        assert!((form.percent() - 150.0).abs() < 1e-9);
    }

    #[test]
    fn sides_stay_within_what_a_canvas_may_have() {
        let mut form = ResizeForm::new(Extent::new(16000, 10));
        form.set_percent(1000.0);
        assert_eq!((form.width, form.height), (Document::MAX_SIDE_PX, 100));
        form.set_height(1);
        assert_eq!((form.width, form.height), (1600, 1));
        form.set_width(1);
        assert_eq!((form.width, form.height), (1, 1));
    }
}
