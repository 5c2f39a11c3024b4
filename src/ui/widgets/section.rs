//! A part of a panel that can be folded away.

use egui::collapsing_header::CollapsingState;
use egui::{Align2, FontFamily, FontId, Role, Sense, Ui, WidgetInfo, vec2};

use crate::ui::theme::{self, colors, icon};

/// A title that folds what is below it; open at first. Returns what the contents return while open.
pub fn section<R>(ui: &mut Ui, title: &str, add_contents: impl FnOnce(&mut Ui) -> R) -> Option<R> {
    let id = ui.make_persistent_id(("section", title));
    let mut state = CollapsingState::load_with_default_open(ui.ctx(), id, true);
    let size = vec2(ui.available_width(), theme::BUTTON_PX);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(Role::DisclosureTriangle, ui.is_enabled(), state.is_open(), title)
    });
    if response.clicked() {
        state.toggle(ui);
    }
    if ui.is_rect_visible(rect) {
        let colors = colors(ui);
        let visuals = ui.style().interact(&response);
        if response.hovered() || response.has_focus() {
            let stroke = if response.has_focus() { visuals.bg_stroke } else { egui::Stroke::NONE };
            let painter = ui.painter();
            painter.rect(
                rect,
                visuals.corner_radius,
                visuals.weak_bg_fill,
                stroke,
                egui::StrokeKind::Inside,
            );
        }
        let caret = if state.is_open() { icon::OPENED } else { icon::CLOSED };
        let caret_at = egui::pos2(rect.left() + theme::SPACE_S, rect.center().y);
        let caret_font = FontId::new(theme::SMALL_PX, FontFamily::Proportional);
        ui.painter().text(caret_at, Align2::CENTER_CENTER, caret, caret_font, colors.text_weak);
        let title_at = egui::pos2(rect.left() + theme::SPACE_L, rect.center().y);
        let title_font = FontId::new(theme::TEXT_PX, FontFamily::Name(theme::SEMIBOLD.into()));
        ui.painter().text(title_at, Align2::LEFT_CENTER, title, title_font, colors.text);
    }
    state.show_body_unindented(ui, add_contents).map(|body| body.inner)
}
