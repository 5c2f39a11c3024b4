//! The fonts, compiled in.

use egui::{Context, FontData, FontDefinitions, FontFamily, FontId, FontTweak, RichText};

/// The family of headings and of what is important.
pub const SEMIBOLD: &str = "semibold";
/// The family whose icons are filled.
pub const FILLED: &str = "filled";

/// Gives the window its fonts: Inter, icons, and fallbacks for Chinese, Japanese and Korean.
pub fn install_fonts(ctx: &Context) {
    ctx.set_fonts(definitions());
}

fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    // Icons stand on the baseline; text beside them looks centered with this shift.
    let lowered = FontTweak { y_offset_factor: 0.08, ..FontTweak::default() };
    let files: [(&str, &'static [u8], FontTweak); 6] = [
        ("inter", include_bytes!("../../../assets/fonts/Inter-Regular.otf"), FontTweak::default()),
        (
            "inter-semibold",
            include_bytes!("../../../assets/fonts/Inter-SemiBold.otf"),
            FontTweak::default(),
        ),
        ("icons", include_bytes!("../../../assets/icons/Phosphor.ttf"), lowered.clone()),
        ("icons-filled", include_bytes!("../../../assets/icons/Phosphor-Fill.ttf"), lowered),
        (
            "droid",
            include_bytes!("../../../assets/fonts/DroidSansFallbackFull.ttf"),
            FontTweak::default(),
        ),
        (
            "nanum",
            include_bytes!("../../../assets/fonts/NanumGothicCoding.ttf"),
            FontTweak::default(),
        ),
    ];
    for (name, bytes, tweak) in files {
        let data = FontData::from_static(bytes).tweak(tweak);
        fonts.font_data.insert(name.to_owned(), data.into());
    }
    let families = [
        (FontFamily::Proportional, ["inter", "icons", "droid", "nanum"]),
        (FontFamily::Monospace, ["nanum", "inter", "icons", "droid"]),
        (FontFamily::Name(SEMIBOLD.into()), ["inter-semibold", "icons", "droid", "nanum"]),
        (FontFamily::Name(FILLED.into()), ["inter", "icons-filled", "droid", "nanum"]),
    ];
    for (family, names) in families {
        fonts.families.insert(family, names.map(str::to_owned).to_vec());
    }
    fonts
}

/// Text that stands out: a heading, the name of the thing in hand.
pub fn semibold(text: impl Into<String>) -> RichText {
    RichText::new(text).family(FontFamily::Name(SEMIBOLD.into()))
}

/// An icon in its filled weight.
pub fn filled(icon: &str, size: f32) -> RichText {
    RichText::new(icon).font(FontId::new(size, FontFamily::Name(FILLED.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::icon;

    #[test]
    fn every_icon_and_script_has_glyphs_in_every_family() {
        let ctx = Context::default();
        install_fonts(&ctx);
        drop(ctx.run_ui(egui::RawInput::default(), |_| {}));
        let mut missing = Vec::new();
        for family in ["", SEMIBOLD, FILLED] {
            let family = match family {
                "" => FontFamily::Proportional,
                name => FontFamily::Name(name.into()),
            };
            let font = FontId::new(14.0, family.clone());
            for (name, text) in icon::ALL.iter().copied().chain([
                ("Latin", "AaZzßüéŁ"),
                ("Cyrillic", "ЖжЯя"),
                ("Chinese", "图像选择"),
                ("Japanese", "画像レイヤー"),
                ("Korean", "그림"),
                ("signs", "⌘⌥⇧×–…→°%"),
            ]) {
                if !ctx.fonts_mut(|fonts| fonts.has_glyphs(&font, text)) {
                    missing.push(format!("{name} in {family:?}"));
                }
            }
        }
        assert_eq!(missing, [""; 0]);
    }
}
