//! A button that shows a color and opens a picker.

use egui::{Response, Role, Ui, WidgetInfo};

use crate::ui::theme::colors;

/// A color (straight alpha) to see and to change; a click opens a picker.
pub fn color_button(ui: &mut Ui, label: &str, color: &mut [u8; 4]) -> Response {
    let mut picked = *color;
    let response = ui.color_edit_button_srgba_unmultiplied(&mut picked);
    // The picker computes with fractions; without a change the bytes stay as they were.
    if response.changed() {
        *color = picked;
    }
    let text = hex(*color);
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ColorWell, ui.is_enabled(), label);
        info.current_text_value = Some(text.clone());
        info
    });
    response.on_hover_ui(|ui| {
        ui.label(label);
        ui.colored_label(colors(ui).text_weak, &text);
    })
}

/// A color as people write it: `#RRGGBB`, with the alpha where it isn't full.
fn hex([red, green, blue, alpha]: [u8; 4]) -> String {
    match alpha {
        255 => format!("#{red:02X}{green:02X}{blue:02X}"),
        alpha => format!("#{red:02X}{green:02X}{blue:02X}{alpha:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_written_as_people_do() {
        assert_eq!(hex([255, 0, 10, 255]), "#FF000A");
        assert_eq!(hex([0, 0, 0, 0]), "#00000000");
    }
}
