//! What the panels' rows are made of: backgrounds, pictures on checkers, two lines of text, the line
//! that shows where a dragged row will land.

use egui::{
    Color32, CornerRadius, FontFamily, FontId, Label, Pos2, Rect, Response, RichText, Stroke,
    StrokeKind, TextEdit, TextureId, Ui, UiBuilder, pos2, vec2,
};

use crate::geom::Extent;
use crate::ui::theme::{self, colors, icon};

/// Side of a checker in a thumbnail, in points.
const CHECKER_PX: f32 = 5.0;
/// How near to an edge of a list a dragged row scrolls it, in points.
const SCROLL_EDGE_PX: f32 = 28.0;

/// What a small picture stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureFrame {
    /// Checkers, which are seen where it is transparent.
    Checkers,
    /// Nothing.
    Plain,
}

/// Fills a row that is selected, under the pointer or in the keyboard's focus.
pub(crate) fn row_background(ui: &Ui, response: &Response, selected: bool) {
    let colors = colors(ui);
    let fill = if selected {
        colors.selection
    } else if response.container_hovered() {
        colors.hover
    } else {
        Color32::TRANSPARENT
    };
    let line =
        if response.has_focus() { Stroke::new(2.0, colors.accent_text) } else { Stroke::NONE };
    ui.painter().rect(response.rect, theme::RADIUS, fill, line, StrokeKind::Inside);
}

/// The largest rectangle in the middle of another one that has a picture's shape.
pub(crate) fn fitted_rect(rect: Rect, extent: Extent) -> Rect {
    let (width, height) = (extent.width.max(1) as f32, extent.height.max(1) as f32);
    let scale = (rect.width() / width).min(rect.height() / height);
    // Whole points, so that edges are crisp; a long thin picture stays a visible line.
    let size = vec2((width * scale).round().max(2.0), (height * scale).round().max(2.0));
    Rect::from_min_size((rect.center() - size / 2.0).round(), size)
}

/// Draws a picture as large as it fits; returns where it is.
pub(crate) fn picture(
    ui: &Ui,
    rect: Rect,
    texture: TextureId,
    extent: Extent,
    frame: PictureFrame,
    opacity: f32,
) -> Rect {
    let rect = fitted_rect(rect, extent);
    let colors = colors(ui);
    if frame == PictureFrame::Checkers {
        checkers(ui, rect);
    }
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().image(texture, rect, whole, Color32::WHITE.gamma_multiply(opacity));
    ui.painter().rect_stroke(rect, 0.0, Stroke::new(1.0, colors.line), StrokeKind::Outside);
    rect
}

/// The checkers that stand behind transparent pixels.
fn checkers(ui: &Ui, rect: Rect) {
    let [dark, light] = colors(ui).checkers;
    ui.painter().rect_filled(rect, 0.0, light);
    let (columns, rows) =
        ((rect.width() / CHECKER_PX).ceil() as usize, (rect.height() / CHECKER_PX).ceil() as usize);
    for row in 0..rows {
        for column in (row % 2..columns).step_by(2) {
            let corner = rect.min + vec2(column as f32 * CHECKER_PX, row as f32 * CHECKER_PX);
            let checker = Rect::from_min_size(corner, vec2(CHECKER_PX, CHECKER_PX));
            ui.painter().rect_filled(checker.intersect(rect), 0.0, dark);
        }
    }
}

/// A name with a weaker line below, both cut at the right; the whole is centered in the rectangle.
pub(crate) fn two_lines(ui: &mut Ui, rect: Rect, name: RichText, details: &str) {
    let line_px = theme::TEXT_PX + 4.0;
    let lines = if details.is_empty() { 1.0 } else { 2.0 };
    let top = rect.center().y - line_px * lines / 2.0;
    let weak = RichText::new(details).size(theme::SMALL_PX).color(colors(ui).text_weak);
    let mut line = |at: f32, text: RichText| {
        let place = Rect::from_min_size(pos2(rect.left(), top + at), vec2(rect.width(), line_px));
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        ui.new_child(UiBuilder::new().max_rect(place).layout(layout))
            .add(Label::new(text).truncate().show_tooltip_when_elided(false));
    };
    line(0.0, name);
    if !details.is_empty() {
        line(line_px, weak);
    }
}

/// Before which of `rows` rows something is dropped that is held at `y` points below the first.
pub(crate) fn drop_place(y: f32, row_px: f32, rows: usize) -> usize {
    ((y / row_px).round().max(0.0) as usize).min(rows)
}

/// Shows where a dragged row will land.
pub(crate) fn drop_line(ui: &Ui, y: f32) {
    let color = colors(ui).accent_text;
    let across = ui.clip_rect().x_range().shrink(2.0);
    let y = y.clamp(ui.clip_rect().top() + 1.0, ui.clip_rect().bottom() - 1.0);
    ui.painter().hline(across, y, Stroke::new(2.0, color));
    ui.painter().circle_filled(pos2(across.min + 3.0, y), 3.0, color);
}

/// Scrolls the list while a row is held at its upper or lower edge.
pub(crate) fn scroll_while_dragging(ui: &Ui, pointer: Pos2) {
    let seen = ui.clip_rect();
    let above = seen.top() + SCROLL_EDGE_PX - pointer.y;
    let below = pointer.y - (seen.bottom() - SCROLL_EDGE_PX);
    let push = if above > 0.0 {
        above
    } else if below > 0.0 {
        -below
    } else {
        return;
    };
    ui.scroll_with_delta(vec2(0.0, push.clamp(-SCROLL_EDGE_PX, SCROLL_EDGE_PX) * 0.3));
    ui.ctx().request_repaint();
}

/// A field to search in, with a sign for it and a way to empty it.
pub(crate) fn search_ui(ui: &mut Ui, text: &mut String, label: &'static str) -> Response {
    let clear_px = theme::BUTTON_PX;
    let field = TextEdit::singleline(text)
        .hint_text(label)
        .desired_width(f32::INFINITY)
        .margin(egui::Margin { left: 28, right: clear_px as i8, top: 5, bottom: 5 });
    let mut response = ui.add(field).accessible_name(label);
    let rect = response.rect;
    let font = FontId::new(theme::TEXT_PX + 1.0, FontFamily::Proportional);
    let color = colors(ui).text_weak;
    let at = pos2(rect.left() + 15.0, rect.center().y);
    ui.painter().text(at, egui::Align2::CENTER_CENTER, icon::ZOOM, font, color);
    if !text.is_empty() {
        let place = Rect::from_center_size(
            pos2(rect.right() - clear_px / 2.0, rect.center().y),
            vec2(clear_px - 6.0, clear_px - 6.0),
        );
        let clear = ui
            .scope_builder(UiBuilder::new().max_rect(place), |ui| {
                crate::ui::widgets::icon_button_sized(
                    ui,
                    icon::CLOSE,
                    crate::locale::tr("Clear the search"),
                    crate::ui::widgets::ButtonState::Normal,
                    clear_px - 6.0,
                )
            })
            .inner;
        if clear.clicked() {
            text.clear();
            response.mark_changed();
        }
    }
    response
}

/// A bar that is full up to a share of 0 to 1.
pub(crate) fn bar(ui: &Ui, rect: Rect, share: f32, fill: Color32) {
    let colors = colors(ui);
    let corners = CornerRadius::same((rect.height() / 2.0) as u8);
    ui.painter().rect(
        rect,
        corners,
        colors.field,
        Stroke::new(1.0, colors.line),
        StrokeKind::Inside,
    );
    let width = rect.width() * share.clamp(0.0, 1.0);
    if width >= 1.0 {
        // Cut by the clip, so that a short one has the bar's round end too.
        let done = Rect::from_min_size(rect.min, vec2(width, rect.height()));
        ui.painter()
            .with_clip_rect(done.intersect(ui.clip_rect()))
            .rect_filled(rect, corners, fill);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_lands_at_the_nearest_gap() {
        let check = |y: f32, expected: usize| assert_eq!(drop_place(y, 40.0, 3), expected, "{y}");
        check(-30.0, 0);
        check(19.0, 0);
        check(21.0, 1);
        check(99.0, 2);
        check(500.0, 3);
    }

    #[test]
    fn pictures_keep_their_shape_in_a_frame() {
        let frame = Rect::from_min_size(pos2(10.0, 10.0), vec2(40.0, 40.0));
        let wide = fitted_rect(frame, Extent::new(400, 200));
        assert_eq!((wide.width(), wide.height(), wide.center()), (40.0, 20.0, frame.center()));
        assert_eq!(fitted_rect(frame, Extent::new(1, 16384)).width(), 2.0);
    }
}
