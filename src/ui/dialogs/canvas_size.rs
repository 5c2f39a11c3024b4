//! More or less space around the picture, which keeps its pixels.

use egui::{Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::document::Edit;
use crate::editor::{Command, Editor};
use crate::geom::{Extent, PixelRect};
use crate::locale::{tr, trf};
use crate::ui::dialogs::new_picture::side_ui;
use crate::ui::dialogs::{DialogFrame, FirstField, Footer};
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::row;

/// What is typed.
#[derive(Clone, Debug)]
pub(super) struct CanvasSizeForm {
    before: Extent,
    width: u32,
    height: u32,
    /// Where the picture stays, 0 left or top to 2 right or bottom.
    anchor: (u32, u32),
    first: FirstField,
}

impl CanvasSizeForm {
    /// The size as it is.
    pub(super) fn new(before: Extent) -> Self {
        Self {
            before,
            width: before.width,
            height: before.height,
            anchor: (1, 1),
            first: FirstField::default(),
        }
    }

    /// The new canvas, in pixels of the old one.
    fn rect(&self) -> PixelRect {
        let start = |before: u32, after: u32, anchor: u32| {
            let more = i64::from(after) - i64::from(before);
            // Space is added, or cut away, on the side away from the anchor.
            -(more * i64::from(anchor)).div_euclid(2) as i32
        };
        PixelRect::new(
            start(self.before.width, self.width, self.anchor.0),
            start(self.before.height, self.height, self.anchor.1),
            self.width,
            self.height,
        )
    }
}

/// The dialog.
pub(super) fn show(
    ui: &Ui,
    _editor: &Editor,
    form: &mut CanvasSizeForm,
    commands: &mut Vec<Command>,
) {
    let changed = Extent::new(form.width, form.height) != form.before;
    let footer = DialogFrame::new("canvas size", tr("Canvas size")).show(
        ui,
        |ui| fields_ui(ui, form),
        |ui, enter| Footer::confirm(ui, tr("Change"), changed, enter),
    );
    if footer == Footer::Confirmed {
        commands.push(Command::Edit(Edit::SetCanvas(form.rect())));
    }
    if footer != Footer::Open {
        commands.push(Command::SetDialog(None));
    }
}

fn fields_ui(ui: &mut Ui, form: &mut CanvasSizeForm) {
    row(ui, tr("Width"), |ui| {
        let field = side_ui(ui, tr("Width"), &mut form.width);
        form.first.focus(&field);
    });
    row(ui, tr("Height"), |ui| side_ui(ui, tr("Height"), &mut form.height));
    row(ui, tr("Anchor"), |ui| anchor_ui(ui, &mut form.anchor));
    let Extent { width, height } = form.before;
    let text = trf(
        "The canvas has {width} × {height} px now. Layers keep what lies outside.",
        &[("width", &width), ("height", &height)],
    );
    ui.label(egui::RichText::new(text).color(colors(ui).text_weak).small());
}

/// Nine places, of which one is chosen.
fn anchor_ui(ui: &mut Ui, anchor: &mut (u32, u32)) {
    let names = [
        [tr("At the top left"), tr("At the top"), tr("At the top right")],
        [tr("At the left"), tr("In the middle"), tr("At the right")],
        [tr("At the bottom left"), tr("At the bottom"), tr("At the bottom right")],
    ];
    let arrows = [
        [icon::UP_LEFT, icon::UP, icon::UP_RIGHT],
        [icon::LEFT, icon::DOT, icon::RIGHT],
        [icon::DOWN_LEFT, icon::DOWN, icon::DOWN_RIGHT],
    ];
    let side = theme::BUTTON_PX;
    let (all, _) = ui.allocate_exact_size(vec2(3.0 * side, 3.0 * side), Sense::hover());
    for y in 0..3_u32 {
        for x in 0..3_u32 {
            let at = pos2(all.left() + x as f32 * side, all.top() + y as f32 * side);
            let rect = Rect::from_min_size(at, vec2(side, side)).shrink(1.0);
            let response = ui.interact(rect, ui.scope_id().with((x, y)), Sense::click());
            let chosen = *anchor == (x, y);
            let name = names[y as usize][x as usize];
            response.widget_info(|| {
                WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, name)
            });
            if response.clicked() {
                *anchor = (x, y);
            }
            let colors = colors(ui);
            let (fill, text) = match (chosen, response.hovered()) {
                (true, _) => (colors.selection, colors.accent_text),
                (false, true) => (colors.hover, colors.text),
                (false, false) => (colors.button, colors.text_weak),
            };
            let stroke = if response.has_focus() {
                Stroke::new(2.0, colors.accent_text)
            } else {
                Stroke::new(1.0, colors.line)
            };
            ui.painter().rect(rect, theme::RADIUS, fill, stroke, StrokeKind::Inside);
            let font = egui::FontId::proportional(theme::TEXT_PX);
            let arrow = arrows[y as usize][x as usize];
            let galley = ui.painter().layout_no_wrap(arrow.to_owned(), font, text);
            let at = rect.center() - galley.mesh_bounds.center().to_vec2();
            ui.painter().galley(at, galley, text);
            response.on_hover_text(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_comes_on_the_side_away_from_the_anchor() {
        let check = |anchor: (u32, u32), size: (u32, u32), expected: PixelRect| {
            let mut form = CanvasSizeForm::new(Extent::new(100, 50));
            form.anchor = anchor;
            (form.width, form.height) = size;
            assert_eq!(form.rect(), expected, "{anchor:?} {size:?}");
        };
        check((0, 0), (140, 60), PixelRect::new(0, 0, 140, 60));
        check((2, 2), (140, 60), PixelRect::new(-40, -10, 140, 60));
        check((1, 1), (140, 60), PixelRect::new(-20, -5, 140, 60));
        check((1, 1), (60, 40), PixelRect::new(20, 5, 60, 40));
        check((2, 0), (60, 40), PixelRect::new(40, 0, 60, 40));
        // Odd differences still leave a canvas of the size that was asked for.
        check((1, 1), (101, 49), PixelRect::new(0, 1, 101, 49));
    }
}
