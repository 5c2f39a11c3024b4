//! Size and color of a new picture.

use egui::{DragValue, Ui, vec2};

use crate::document::Document;
use crate::editor::{Command, Editor};
use crate::geom::Extent;
use crate::locale::{tr, trf};
use crate::ui::dialogs::{DialogFrame, FirstField, Footer};
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{
    ButtonState, Segment, color_button, icon_button, number_field, row, segmented,
};

/// Sides that are offered with one click.
const PRESETS: [u32; 4] = [256, 512, 1024, 2048];

/// What is typed.
#[derive(Clone, Debug)]
pub(super) struct NewPictureForm {
    width: u32,
    height: u32,
    background: Background,
    color: [u8; 4],
    first: FirstField,
}

/// What the new picture is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Background {
    White,
    Transparent,
    Color,
}

impl NewPictureForm {
    /// The size of the picture that is open.
    pub(super) fn new(editor: &Editor) -> Self {
        let Extent { width, height } = editor.document.extent;
        Self {
            width,
            height,
            background: Background::White,
            color: editor.tools.color,
            first: FirstField::default(),
        }
    }

    fn fill(&self) -> [u8; 4] {
        match self.background {
            Background::White => [255; 4],
            Background::Transparent => [0; 4],
            Background::Color => self.color,
        }
    }
}

/// The dialog.
pub(super) fn show(
    ui: &Ui,
    _editor: &Editor,
    form: &mut NewPictureForm,
    commands: &mut Vec<Command>,
) {
    let footer = DialogFrame::new("new picture", tr("New picture")).show(
        ui,
        |ui| fields_ui(ui, form),
        |ui, enter| Footer::confirm(ui, tr("Create"), true, enter),
    );
    match footer {
        Footer::Open => {}
        Footer::Cancelled => commands.push(Command::SetDialog(None)),
        Footer::Confirmed => {
            commands.push(Command::SetDialog(None));
            let extent = Extent::new(form.width, form.height);
            commands.push(Command::NewPicture { extent, color: form.fill() });
        }
    }
}

fn fields_ui(ui: &mut Ui, form: &mut NewPictureForm) {
    ui.horizontal(|ui| {
        for side in PRESETS {
            let chosen = (form.width, form.height) == (side, side);
            let label = trf("{width} × {height}", &[("width", &side), ("height", &side)]);
            let button = egui::Button::new(label).selected(chosen);
            if ui.add_sized(vec2(94.0, theme::BUTTON_PX), button).clicked() {
                (form.width, form.height) = (side, side);
            }
        }
    });
    ui.add_space(theme::SPACE_XS);
    row(ui, tr("Width"), |ui| {
        let field = side_ui(ui, tr("Width"), &mut form.width);
        form.first.focus(&field);
    });
    row(ui, tr("Height"), |ui| {
        side_ui(ui, tr("Height"), &mut form.height);
        let label = tr("Swap width and height");
        if icon_button(ui, icon::SWAP, label, "", ButtonState::Normal).clicked() {
            std::mem::swap(&mut form.width, &mut form.height);
        }
    });
    row(ui, tr("Background"), |ui| {
        segmented(
            ui,
            &mut form.background,
            &[
                Segment::text(Background::White, tr("White")),
                Segment::text(Background::Transparent, tr("Transparent")),
                Segment::text(Background::Color, tr("Color")),
            ],
        );
        if form.background == Background::Color {
            color_button(ui, tr("Color of the background"), &mut form.color);
        }
    });
    let memory = u64::from(form.width) * u64::from(form.height) * 4;
    let text = trf(
        "One full layer takes {memory}",
        &[("memory", &crate::ui::status_bar::bytes_text(memory))],
    );
    ui.label(egui::RichText::new(text).color(colors(ui).text_weak).small());
}

/// A side of a canvas in pixels.
pub(super) fn side_ui(ui: &mut Ui, label: &str, side: &mut u32) -> egui::Response {
    let field = DragValue::new(side).range(1..=Document::MAX_SIDE_PX).speed(1.0).suffix(" px");
    number_field(ui, label, 100.0, field)
}

#[cfg(test)]
mod tests {
    use egui::Key;
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::{editor, window};
    use crate::ui::theme::Look;

    #[test]
    fn a_preset_and_enter_start_a_picture() {
        let editor = editor();
        let mut form = NewPictureForm::new(&editor);
        let mut window = window((700.0, 500.0), Look::Dark, |ui, commands| {
            show(ui, &editor, &mut form, commands);
        });
        window.run_steps(3);
        window.get_by_label("1024 × 1024").click();
        window.run_steps(2);
        window.get_by_label("Transparent").click();
        window.run_steps(2);
        window.get_by_label("Create").click();
        window.run_steps(1);
        let Some(Command::NewPicture { extent, color }) = window.state_mut().pop() else {
            panic!("no picture");
        };
        assert_eq!((extent, color), (Extent::new(1024, 1024), [0; 4]));
    }

    #[test]
    fn enter_confirms_from_the_first_field() {
        let editor = editor();
        let mut form = NewPictureForm::new(&editor);
        let mut window = window((700.0, 500.0), Look::Dark, |ui, commands| {
            show(ui, &editor, &mut form, commands);
        });
        window.run_steps(3);
        window.key_press(Key::Enter);
        window.run_steps(1);
        let given = window.state();
        assert!(
            matches!(given[..], [Command::SetDialog(None), Command::NewPicture { .. }]),
            "{given:?}"
        );
    }
}
