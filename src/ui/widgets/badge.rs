//! A short remark in a rounded box.

use egui::{Color32, CornerRadius, Frame, Margin, Response, RichText, Stroke, Ui};

use crate::ui::theme::{self, colors};

/// What a remark means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Worth knowing.
    Neutral,
    /// On, or chosen.
    Accent,
    /// All is well.
    Success,
    /// Asks for care.
    Warning,
    /// Went wrong.
    Danger,
}

impl Tone {
    /// The tone's color for text and icons.
    #[must_use]
    pub fn color(self, ui: &Ui) -> Color32 {
        let colors = colors(ui);
        match self {
            Self::Neutral => colors.text_weak,
            Self::Accent => colors.accent_text,
            Self::Success => colors.success,
            Self::Warning => colors.warning,
            Self::Danger => colors.danger,
        }
    }
}

/// A short remark in a rounded box.
pub fn badge(ui: &mut Ui, text: impl Into<String>, tone: Tone) -> Response {
    let colors = colors(ui);
    Frame::new()
        .fill(colors.panel_raised)
        .stroke(Stroke::new(1.0, colors.line))
        .corner_radius(CornerRadius::same(theme::RADIUS * 2))
        .inner_margin(Margin::symmetric(7, 1))
        .show(ui, |ui| ui.label(RichText::new(text).size(theme::SMALL_PX).color(tone.color(ui))))
        .inner
}
