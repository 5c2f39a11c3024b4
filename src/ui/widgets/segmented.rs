//! A choice among few, all of which are seen.

use egui::{
    Align2, Color32, CornerRadius, FontId, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2,
};

use crate::ui::theme::{self, colors};

/// One of the choices.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a, T> {
    /// What is chosen.
    pub value: T,
    /// What is seen: a text or an icon.
    pub text: &'a str,
    /// Its name, which is read aloud and stands in the tooltip.
    pub label: &'a str,
}

impl<'a, T> Segment<'a, T> {
    /// A choice that shows its name.
    pub const fn text(value: T, label: &'a str) -> Self {
        Self { value, text: label, label }
    }

    /// A choice that shows an icon.
    pub const fn icon(value: T, icon: &'a str, label: &'a str) -> Self {
        Self { value, text: icon, label }
    }
}

/// Segments side by side, of which one is chosen; says whether the user chose another one.
pub fn segmented<T: PartialEq + Copy>(
    ui: &mut Ui,
    current: &mut T,
    segments: &[Segment<'_, T>],
) -> bool {
    let mut changed = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let last = segments.len().saturating_sub(1);
        for (i, segment) in segments.iter().enumerate() {
            let selected = *current == segment.value;
            let is_icon = segment.text != segment.label;
            let size = if is_icon { theme::ICON_PX } else { theme::TEXT_PX };
            let colors = colors(ui);
            let color = match (ui.is_enabled(), selected) {
                (false, _) => ui.visuals().disable(colors.text),
                (true, true) => colors.accent_text,
                (true, false) => colors.text,
            };
            let galley = ui.painter().layout_no_wrap(
                segment.text.to_owned(),
                FontId::proportional(size),
                color,
            );
            let padding = if is_icon { theme::SPACE_XS + 2.0 } else { theme::SPACE_M };
            let width = (galley.size().x + 2.0 * padding).max(theme::BUTTON_PX + 4.0).round();
            let (rect, response) =
                ui.allocate_exact_size(vec2(width, theme::BUTTON_PX), Sense::click());
            response.widget_info(|| {
                WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), selected, segment.label)
            });
            if response.clicked() && !selected {
                *current = segment.value;
                changed = true;
            }
            let corners = CornerRadius {
                nw: if i == 0 { theme::RADIUS } else { 0 },
                sw: if i == 0 { theme::RADIUS } else { 0 },
                ne: if i == last { theme::RADIUS } else { 0 },
                se: if i == last { theme::RADIUS } else { 0 },
            };
            let fill = match (selected, response.hovered()) {
                (true, _) => colors.selection,
                (false, true) => colors.hover,
                (false, false) => colors.button,
            };
            let (line, kind) = if response.has_focus() {
                (Stroke::new(2.0, colors.accent_text), StrokeKind::Inside)
            } else {
                (Stroke::new(1.0, colors.line), StrokeKind::Inside)
            };
            ui.painter().rect(rect, corners, fill, line, kind);
            if is_icon {
                let at = rect.center() - galley.mesh_bounds.center().to_vec2();
                ui.painter().galley(at, galley, color);
            } else {
                let at = Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect).min;
                ui.painter().galley(at, galley, Color32::PLACEHOLDER);
            }
            if is_icon {
                response.on_hover_text(segment.label);
            }
        }
    });
    changed
}
