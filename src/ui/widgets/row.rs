//! A label with a control beside it, so that controls below each other are aligned.

use egui::{Align, Label, Layout, Sense, Ui, UiBuilder, vec2};

use crate::ui::theme;

/// A label at the left and a control at the right; gives the control the label's name.
pub fn row<R>(ui: &mut Ui, label: &str, add_control: impl FnOnce(&mut Ui) -> R) -> R {
    let width = theme::LABEL_PX.min(ui.available_width() * 0.42);
    row_of_width(ui, label, width, add_control)
}

/// The same with a label of this width. A longer one is cut and shown whole as a tooltip.
pub fn row_of_width<R>(
    ui: &mut Ui,
    label: &str,
    label_px: f32,
    add_control: impl FnOnce(&mut Ui) -> R,
) -> R {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(label_px, theme::BUTTON_PX), Sense::hover());
        let mut place = ui.new_child(
            UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center)),
        );
        place.add(Label::new(label).truncate());
        ui.name_inputs(label, add_control)
    })
    .inner
}
