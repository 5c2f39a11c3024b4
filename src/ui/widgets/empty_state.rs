//! What stands where there is nothing yet.

use egui::{RichText, Ui};

use crate::ui::theme::{self, colors};

/// Says that there is nothing here and how something gets here.
pub fn empty_state(ui: &mut Ui, icon: &str, title: &str, hint: &str) {
    let colors = colors(ui);
    ui.vertical_centered(|ui| {
        ui.add_space(theme::SPACE_L);
        ui.label(RichText::new(icon).size(theme::SPACE_XL).color(colors.text_weak));
        ui.label(theme::semibold(title).color(colors.text));
        ui.label(RichText::new(hint).color(colors.text_weak));
        ui.add_space(theme::SPACE_L);
    });
}
