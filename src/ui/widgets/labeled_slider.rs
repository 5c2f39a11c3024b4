//! A number in one row: its name, a slider, and a field to type it into.

use std::ops::RangeInclusive;

use egui::emath::Numeric;
use egui::{
    Align, DragValue, Label, Layout, Response, RichText, Sense, Slider, Ui, UiBuilder, vec2,
};

use crate::ui::theme;
use crate::ui::widgets::number_field;

/// Width of a slider in a bar, where the bar's own style gives it no less.
const COMPACT_PX: f32 = 60.0;

/// A number with its name, a slider and a field.
#[must_use = "call `show`"]
pub struct LabeledSlider<'a, N> {
    label: &'a str,
    value: &'a mut N,
    range: RangeInclusive<N>,
    unit: &'a str,
    logarithmic: bool,
    percent: bool,
    decimals: usize,
    compact: bool,
    label_px: Option<f32>,
    tooltip: &'a str,
}

impl<'a, N: Numeric> LabeledSlider<'a, N> {
    /// A number within a range.
    pub fn new(label: &'a str, value: &'a mut N, range: RangeInclusive<N>) -> Self {
        Self {
            label,
            value,
            range,
            unit: "",
            logarithmic: false,
            percent: false,
            decimals: if N::INTEGRAL { 0 } else { 2 },
            compact: false,
            label_px: None,
            tooltip: "",
        }
    }

    /// What the number counts: `px`, `°`.
    pub const fn unit(mut self, unit: &'a str) -> Self {
        self.unit = unit;
        self
    }

    /// Gives small values as much of the slider as large ones.
    pub const fn logarithmic(mut self) -> Self {
        self.logarithmic = true;
        self
    }

    /// Shows a share of 0 to 1 as 0 % to 100 %.
    pub const fn percent(mut self) -> Self {
        self.percent = true;
        self
    }

    /// Digits after the point.
    pub const fn decimals(mut self, decimals: usize) -> Self {
        self.decimals = decimals;
        self
    }

    /// For bars: the label takes only the width that it needs, the slider that of the style and at
    /// most a small one.
    pub const fn compact(mut self) -> Self {
        self.compact = true;
        self
    }

    /// Gives the label this width, for rows that are aligned with others.
    pub const fn label_px(mut self, label_px: f32) -> Self {
        self.label_px = Some(label_px);
        self
    }

    /// What the number does.
    pub const fn tooltip(mut self, tooltip: &'a str) -> Self {
        self.tooltip = tooltip;
        self
    }

    /// Draws it; the response is `changed` while either half is, and `drag_stopped` or `lost_focus`
    /// when the user is done.
    pub fn show(self, ui: &mut Ui) -> Response {
        let value_px = theme::VALUE_PX;
        let (label, tooltip) = (self.label, self.tooltip);
        let mut response = ui
            .horizontal(|ui| {
                let spacing = ui.spacing().item_spacing.x;
                if self.compact {
                    ui.label(label);
                    let slider_px = ui.spacing().slider_width.min(COMPACT_PX);
                    ui.spacing_mut().slider_width = slider_px;
                } else {
                    let full = ui.available_width();
                    let label_px = self.label_px.unwrap_or(theme::LABEL_PX.min(full * 0.36));
                    let size = vec2(label_px, theme::BUTTON_PX);
                    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
                    let layout = Layout::left_to_right(Align::Center);
                    ui.new_child(UiBuilder::new().max_rect(rect).layout(layout))
                        .add(Label::new(label).truncate());
                    ui.spacing_mut().slider_width =
                        (full - label_px - value_px - 2.0 * spacing).max(24.0);
                }
                ui.name_inputs(label, |ui| self.controls(ui, label, value_px))
            })
            .inner;
        if !tooltip.is_empty() {
            response = response.on_hover_ui(|ui| {
                ui.label(theme::semibold(label));
                ui.label(RichText::new(tooltip));
            });
        }
        response
    }

    fn controls(self, ui: &mut Ui, label: &str, value_px: f32) -> Response {
        let factor = if self.percent { 100.0 } else { 1.0 };
        let (low, high) = (self.range.start().to_f64(), self.range.end().to_f64());
        let suffix = match (self.percent, self.unit) {
            (true, _) => " %".to_owned(),
            (false, "") => String::new(),
            (false, "°") => "°".to_owned(),
            (false, unit) => format!(" {unit}"),
        };
        let decimals = if self.percent { 0 } else { self.decimals };
        let value = self.value;
        let mut slider =
            Slider::new(value, self.range.clone()).show_value(false).logarithmic(self.logarithmic);
        if !N::INTEGRAL {
            // Rounded as it is shown, so that what is seen is what is used.
            slider = slider.max_decimals(if self.percent { 2 } else { self.decimals });
        }
        let slider = ui
            .scope(|ui| {
                // The handle's size follows the height; the filled part shows in the accent color.
                ui.spacing_mut().interact_size.y = 16.0;
                ui.visuals_mut().selection.bg_fill = theme::colors(ui).accent;
                ui.add(slider)
            })
            .inner;
        let mut shown = value.to_f64() * factor;
        let field = DragValue::new(&mut shown)
            .range(low * factor..=high * factor)
            .speed(((high - low) * factor / 300.0).clamp(0.01, 1.0))
            .fixed_decimals(decimals)
            .suffix(suffix);
        let field = number_field(ui, label, value_px, field);
        if field.changed() {
            *value = N::from_f64(shown / factor);
        }
        slider | field
    }
}

/// A number within a range with its name, a slider, and a field with a unit.
pub fn labeled_slider<N: Numeric>(
    ui: &mut Ui,
    label: &str,
    value: &mut N,
    range: RangeInclusive<N>,
    unit: &str,
) -> Response {
    LabeledSlider::new(label, value, range).unit(unit).show(ui)
}
