//! What stands on the canvas while nothing is there, and while a file is held over it.

use egui::{Align2, Label, Painter, Rect, RichText, Stroke, Ui, UiBuilder, Vec2, vec2};

use crate::editor::Editor;
use crate::locale::tr;
use crate::ui::theme::{self, colors, icon};

/// Width of the hint.
const WIDTH: f32 = 300.0;
/// Its height, at least.
const HEIGHT: f32 = 108.0;

/// Whether the picture is empty and nothing is about to change that.
pub(super) fn is_blank(editor: &Editor) -> bool {
    let blank = match &editor.document.layers[..] {
        [only] => only.pixels.has_no_tiles() && only.mask.is_none(),
        _ => false,
    };
    blank
        && editor.document.selection.is_empty()
        && editor.gesture.is_none()
        && editor.staging.is_none()
        && editor.preview.is_none()
        && editor.compare.is_none()
        && editor.opening.is_none()
        && !editor.jobs.is_busy()
}

/// Says how a picture gets here.
pub(super) fn blank_ui(ui: &mut Ui, area: Rect) {
    if area.width() < WIDTH || area.height() < HEIGHT {
        return;
    }
    let colors = colors(ui);
    let rect = Rect::from_center_size(area.center(), vec2(WIDTH, HEIGHT));
    let fill = colors.panel_raised.gamma_multiply(0.94);
    let edge = Stroke::new(1.0, colors.line);
    ui.painter().rect(rect, 2.0 * f32::from(theme::RADIUS), fill, edge, egui::StrokeKind::Inside);
    let inside = rect.shrink(theme::SPACE_M);
    let mut column = ui.new_child(
        UiBuilder::new().max_rect(inside).layout(egui::Layout::top_down(egui::Align::Center)),
    );
    column.spacing_mut().item_spacing.y = theme::SPACE_XS;
    let hint = tr("or describe one and press Generate");
    for text in [
        RichText::new(icon::PICTURE).size(theme::SPACE_XL).color(colors.text_weak),
        theme::semibold(tr("Drop a picture here")).color(colors.text),
        RichText::new(hint).color(colors.text_weak),
    ] {
        // Text that could be selected would take the pointer away from the canvas.
        column.add(Label::new(text).selectable(false).wrap());
    }
}

/// Shows that what is dragged over the canvas may be let go.
pub(super) fn edge_ui(ui: &Ui, painter: &Painter) {
    let frame = painter.clip_rect().shrink(theme::SPACE_S);
    let edge = Stroke::new(2.0, colors(ui).accent);
    painter.rect_stroke(frame, f32::from(theme::RADIUS), edge, egui::StrokeKind::Inside);
}

/// Shows that a file which is held over the window may be let go.
pub(super) fn drop_ui(ui: &Ui, painter: &Painter) {
    let colors = colors(ui);
    let area = painter.clip_rect();
    painter.rect_filled(area, 0.0, colors.accent.gamma_multiply(0.22));
    edge_ui(ui, painter);
    let font = egui::TextStyle::Heading.resolve(ui.style());
    let galley =
        painter.layout_no_wrap(tr("Drop the picture here").to_owned(), font, colors.on_accent);
    let size = galley.size() + 2.0 * Vec2::splat(theme::SPACE_M);
    let rect = Align2::CENTER_CENTER.anchor_size(area.center(), size);
    painter.rect_filled(rect, f32::from(theme::RADIUS), colors.accent);
    painter.galley(rect.min + Vec2::splat(theme::SPACE_M), galley, colors.on_accent);
}
