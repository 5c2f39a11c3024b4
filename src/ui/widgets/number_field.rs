//! A number to type or to drag, with an accessible name.

use egui::{DragValue, Response, Ui, vec2};

use crate::ui::theme;

/// A number of this width; `label` is read aloud.
///
/// egui names such a field after its unit otherwise: "px".
pub fn number_field(ui: &mut Ui, label: &str, width_px: f32, field: DragValue<'_>) -> Response {
    let response = ui.add_sized(vec2(width_px, theme::BUTTON_PX), field);
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(label));
    response
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::window;
    use crate::ui::theme::Look;
    use crate::ui::widgets::{LabeledSlider, row};

    #[test]
    fn numbers_are_found_by_their_names() {
        let (mut plain, mut sliding) = (7, 0.5);
        let mut window = window((500.0, 200.0), Look::Dark, |ui, _| {
            row(ui, "Width", |ui| {
                number_field(ui, "Width", 80.0, DragValue::new(&mut plain).suffix(" px"));
            });
            LabeledSlider::new("Opacity", &mut sliding, 0.0..=1.0).percent().show(ui);
        });
        window.run_steps(2);
        for (role, label) in [
            (egui::Role::SpinButton, "Width"),
            (egui::Role::SpinButton, "Opacity"),
            (egui::Role::Slider, "Opacity"),
        ] {
            assert!(window.query_by_role_and_label(role, label).is_some(), "{label}");
        }
    }
}
