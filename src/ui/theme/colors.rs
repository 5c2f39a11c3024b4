//! The colors of both looks.

use egui::{Color32, Ui};

/// Dark or light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Look {
    /// Light text on dark.
    #[default]
    Dark,
    /// Dark text on light.
    Light,
}

/// One look's colors, by what they are for.
#[derive(Debug, PartialEq)]
pub struct Colors {
    /// Around the picture.
    pub canvas: Color32,
    /// Background of panels, bars and dialogs.
    pub panel: Color32,
    /// Background of what lies on a panel: menus, cards, tooltips.
    pub panel_raised: Color32,
    /// Background of text fields, lists and sliders' rails.
    pub field: Color32,
    /// Background of buttons.
    pub button: Color32,
    /// Background of what the pointer is over.
    pub hover: Color32,
    /// Background of what is selected.
    pub selection: Color32,
    /// Lines between areas.
    pub line: Color32,
    /// Outlines that show where a control is.
    pub outline: Color32,
    /// Ordinary text and icons.
    pub text: Color32,
    /// Hints, units, labels of less weight.
    pub text_weak: Color32,
    /// Background of the one most important button; sliders' trails, progress.
    pub accent: Color32,
    /// The same, with the pointer over it.
    pub accent_hover: Color32,
    /// Text and icons on the accent color.
    pub on_accent: Color32,
    /// Links, the focus ring, icons of what is on.
    pub accent_text: Color32,
    /// Errors, and what can't be undone.
    pub danger: Color32,
    /// What asks for care.
    pub warning: Color32,
    /// What went well.
    pub success: Color32,
    /// The two grays of the checkers behind transparent pixels.
    pub checkers: [Color32; 2],
    /// Laid over the window behind a dialog.
    pub backdrop: Color32,
    /// Shadows below menus and dialogs.
    pub shadow: Color32,
}

const fn gray(value: u8) -> Color32 {
    Color32::from_gray(value)
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

const DARK: Colors = Colors {
    canvas: gray(0x19),
    panel: gray(0x26),
    panel_raised: gray(0x2e),
    field: gray(0x1b),
    button: gray(0x38),
    hover: gray(0x42),
    selection: rgb(0x28_40_66),
    line: gray(0x3c),
    outline: gray(0x78),
    text: gray(0xe6),
    text_weak: gray(0xae),
    accent: rgb(0x34_70_d2),
    accent_hover: rgb(0x2f_66_c0),
    on_accent: gray(0xff),
    accent_text: rgb(0x86_b4_ff),
    danger: rgb(0xff_92_88),
    warning: rgb(0xf0_b9_4a),
    success: rgb(0x6f_cf_8c),
    checkers: [gray(0x66), gray(0x99)],
    backdrop: Color32::from_black_alpha(120),
    shadow: Color32::from_black_alpha(110),
};

const LIGHT: Colors = Colors {
    canvas: gray(0xc8),
    panel: gray(0xf2),
    panel_raised: gray(0xfc),
    field: gray(0xff),
    button: gray(0xe2),
    hover: gray(0xd6),
    selection: rgb(0xc9_dd_fb),
    line: gray(0xd0),
    outline: gray(0x86),
    text: gray(0x1c),
    text_weak: gray(0x56),
    accent: rgb(0x22_5f_c4),
    accent_hover: rgb(0x1b_50_a8),
    on_accent: gray(0xff),
    accent_text: rgb(0x1b_54_b4),
    danger: rgb(0xac_1f_1a),
    warning: rgb(0x7d_50_00),
    success: rgb(0x17_66_33),
    checkers: [gray(0xcc), gray(0xff)],
    backdrop: Color32::from_black_alpha(70),
    shadow: Color32::from_black_alpha(50),
};

/// The colors of a look.
#[must_use]
pub const fn colors_of(look: Look) -> &'static Colors {
    match look {
        Look::Dark => &DARK,
        Look::Light => &LIGHT,
    }
}

/// The colors that this part of the window is drawn in.
#[must_use]
pub fn colors(ui: &Ui) -> &'static Colors {
    colors_of(if ui.visuals().dark_mode { Look::Dark } else { Look::Light })
}

/// A color of the document (straight alpha) to draw with.
#[must_use]
pub fn color32([red, green, blue, alpha]: [u8; 4]) -> Color32 {
    Color32::from_rgba_unmultiplied(red, green, blue, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::linear_from_srgb;

    /// Relative luminance.
    ///
    /// Source: WCAG 2.2, definition of relative luminance.
    fn luminance(color: Color32) -> f32 {
        let [red, green, blue, alpha] = color.to_array();
        assert_eq!(alpha, 255, "text and backgrounds are opaque");
        0.2126 * linear_from_srgb(red)
            + 0.7152 * linear_from_srgb(green)
            + 0.0722 * linear_from_srgb(blue)
    }

    fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn contrast_has_the_known_values() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 1e-4);
        // The lightest gray that still reads on white at level AA.
        assert!((contrast(gray(0x76), Color32::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn every_text_reads_on_every_background_in_both_looks() {
        for look in [Look::Dark, Look::Light] {
            let colors = colors_of(look);
            let backgrounds = [
                ("panel", colors.panel),
                ("panel_raised", colors.panel_raised),
                ("field", colors.field),
                ("button", colors.button),
            ];
            let texts = [
                ("text", colors.text),
                ("text_weak", colors.text_weak),
                ("accent_text", colors.accent_text),
                ("danger", colors.danger),
                ("warning", colors.warning),
                ("success", colors.success),
            ];
            let pairs = [
                ("on_accent on accent", colors.on_accent, colors.accent),
                ("on_accent on accent_hover", colors.on_accent, colors.accent_hover),
                ("text on selection", colors.text, colors.selection),
                ("text_weak on selection", colors.text_weak, colors.selection),
                ("accent_text on selection", colors.accent_text, colors.selection),
                ("text on hover", colors.text, colors.hover),
                ("text_weak on hover", colors.text_weak, colors.hover),
                ("text on canvas", colors.text, colors.canvas),
            ];
            for (background_name, background) in backgrounds {
                for (name, text) in texts {
                    let ratio = contrast(text, background);
                    assert!(ratio >= 4.5, "{look:?}: {name} on {background_name}: {ratio}");
                }
                let ratio = contrast(colors.accent_text, background);
                assert!(ratio >= 3.0, "{look:?}: focus ring on {background_name}: {ratio}");
            }
            for (name, text, background) in pairs {
                let ratio = contrast(text, background);
                assert!(ratio >= 4.5, "{look:?}: {name}: {ratio}");
            }
        }
    }

    #[test]
    fn outlines_of_controls_can_be_seen() {
        for look in [Look::Dark, Look::Light] {
            let colors = colors_of(look);
            for background in [colors.panel, colors.panel_raised, colors.field] {
                let ratio = contrast(colors.outline, background);
                assert!(ratio >= 3.0, "{look:?}: {ratio}");
            }
            assert!(contrast(colors.accent, colors.field) >= 3.0, "{look:?}");
        }
    }

    #[test]
    fn areas_differ_from_their_neighbors() {
        for look in [Look::Dark, Look::Light] {
            let colors = colors_of(look);
            for (a, b) in [
                (colors.canvas, colors.panel),
                (colors.panel, colors.panel_raised),
                (colors.panel, colors.field),
                (colors.panel, colors.button),
                (colors.button, colors.hover),
                (colors.panel, colors.line),
            ] {
                assert!(contrast(a, b) > 1.05, "{look:?}: {a:?} {b:?}");
            }
        }
    }
}
