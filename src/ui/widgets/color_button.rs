//! A button that shows a color and opens a picker.

use egui::{Popup, PopupCloseBehavior, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo};

use crate::ui::theme::{self, color32, colors};
use crate::ui::widgets::color_picker::{checkers, color_picker_ui, hex};

/// A color (straight alpha) to see and to change; a click opens a picker.
pub fn color_button(ui: &mut Ui, label: &str, color: &mut [u8; 4]) -> Response {
    let (rect, mut response) = ui.allocate_exact_size(ui.spacing().interact_size, Sense::click());
    let text = hex(*color);
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ColorWell, ui.is_enabled(), label);
        info.current_text_value = Some(text.clone());
        info
    });
    if ui.is_rect_visible(rect) {
        let inner = rect.shrink(2.0);
        if color[3] < 255 {
            checkers(ui, inner);
        }
        ui.painter().rect_filled(inner, 2.0, color32(*color));
        let line = match (response.has_focus(), response.hovered()) {
            (true, _) => Stroke::new(2.0, colors(ui).accent_text),
            (false, true) => Stroke::new(1.0, colors(ui).text),
            (false, false) => Stroke::new(1.0, colors(ui).outline),
        };
        ui.painter().rect_stroke(rect.shrink(1.0), theme::RADIUS - 1, line, StrokeKind::Inside);
    }
    let picker = Popup::default_response_id(&response);
    Popup::menu(&response)
        .id(picker)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .style(|_: &mut egui::Style| {})
        .frame(egui::Frame::popup(ui.style()).inner_margin(theme::SPACE_M as i8))
        .show(|ui| {
            if color_picker_ui(ui, picker, color) {
                response.mark_changed();
            }
        });
    response.on_hover_ui(|ui| {
        ui.label(label);
        ui.colored_label(colors(ui).text_weak, &text);
    })
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::{look_after, window};
    use crate::ui::theme::Look;

    #[test]
    fn a_color_is_chosen_by_eye_and_its_opacity_stays() {
        let mut color = [10, 20, 30, 128];
        let mut window = window((400.0, 400.0), Look::Dark, |ui, _| {
            color_button(ui, "Color", &mut color);
        });
        window.get_by_label("Color").click();
        window.run_steps(3);
        let square = window.get_by_label("Saturation and brightness").rect();
        let corner = square.right_top();
        window.drag_at(square.center());
        window.run_steps(2);
        window.drop_at(corner + egui::vec2(20.0, -20.0));
        window.run_steps(2);
        let chosen = window.get_by_label("Color").value();
        drop(window);
        // Full saturation and brightness of the blue that it was.
        assert_eq!(color, [0, 127, 255, 128], "{chosen:?}");
    }

    #[test]
    fn the_picker_looks_well() {
        let mut color = [70, 120, 210, 160];
        look_after(
            "color-picker",
            (300.0, 340.0),
            |ui, _| {
                color_button(ui, "Color", &mut color);
            },
            |window| window.get_by_label("Color").click(),
        );
    }
}
