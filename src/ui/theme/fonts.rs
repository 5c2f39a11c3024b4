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
    let lowered = FontTweak { y_offset_factor: 0.05, ..FontTweak::default() };
    let regular = without_private_use(include_bytes!("../../../assets/fonts/Inter-Regular.otf"));
    let semibold = without_private_use(include_bytes!("../../../assets/fonts/Inter-SemiBold.otf"));
    for (name, bytes) in [("inter", regular), ("inter-semibold", semibold)] {
        fonts.font_data.insert(name.to_owned(), FontData::from_owned(bytes).into());
    }
    let files: [(&str, &'static [u8], FontTweak); 4] = [
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

/// A font without its glyphs of the private use area, where the icons have theirs.
///
/// Inter has small letters and the like there, and the first font of a family that knows a
/// character draws it. Only the `cmap` table is changed; a font that can't be read stays as it is.
///
/// Source: OpenType 1.9, chapter "cmap".
fn without_private_use(font: &[u8]) -> Vec<u8> {
    let mut font = font.to_vec();
    let tables = u32::from(read_u16(&font, 4).unwrap_or(0));
    let cmap = (0..tables).map(|i| 12 + 16 * i as usize).find_map(|record| {
        (font.get(record..record + 4)? == b"cmap").then(|| read_u32(&font, record + 8))?
    });
    let Some(cmap) = cmap.map(|offset| offset as usize) else { return font };
    for i in 0..usize::from(read_u16(&font, cmap + 2).unwrap_or(0)) {
        let Some(offset) = read_u32(&font, cmap + 4 + 8 * i + 4) else { break };
        let subtable = cmap + offset as usize;
        match read_u16(&font, subtable) {
            Some(4) => forget_segments(&mut font, subtable),
            Some(12) => forget_groups(&mut font, subtable),
            _ => {}
        }
    }
    font
}

const PRIVATE_USE: std::ops::RangeInclusive<u32> = 0xE000..=0xF8FF;

/// Format 12: groups of a first and a last character, and the first one's glyph.
fn forget_groups(font: &mut [u8], subtable: usize) {
    for i in 0..read_u32(font, subtable + 12).unwrap_or(0) as usize {
        let group = subtable + 16 + 12 * i;
        let Some(first) = read_u32(font, group) else { break };
        if PRIVATE_USE.contains(&first) {
            // One character is left of the group, and glyph 0 means that there is none.
            write(font, group + 4, &first.to_be_bytes());
            write(font, group + 8, &[0; 4]);
        }
    }
}

/// Format 4: four lists of last characters, first characters, differences to glyphs and offsets.
fn forget_segments(font: &mut [u8], subtable: usize) {
    let Some(double) = read_u16(font, subtable + 6).map(usize::from) else { return };
    for i in (0..double).step_by(2) {
        let last_at = subtable + 14 + i;
        let first_at = last_at + double + 2;
        let Some(last) = read_u16(font, last_at) else { break };
        if PRIVATE_USE.contains(&u32::from(last)) {
            write(font, first_at, &last.to_be_bytes());
            write(font, first_at + double, &last.wrapping_neg().to_be_bytes());
            write(font, first_at + 2 * double, &[0; 2]);
        }
    }
}

fn read_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

fn write(bytes: &mut [u8], at: usize, new: &[u8]) {
    if let Some(old) = bytes.get_mut(at..at + new.len()) {
        old.copy_from_slice(new);
    }
}

/// Text that stands out: a heading, the name of the thing in hand.
pub fn semibold(text: impl Into<String>) -> RichText {
    RichText::new(text).family(FontFamily::Name(SEMIBOLD.into()))
}

/// An icon in its filled weight.
#[must_use]
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
        ctx.run_ui(egui::RawInput::default(), |_| {}).textures_delta.clear();
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

    #[test]
    fn the_text_fonts_leave_the_icons_to_the_icon_fonts() {
        let mut fonts = definitions();
        let families =
            [("inter", FontFamily::Proportional), ("inter-semibold", FontFamily::Monospace)];
        for (name, family) in &families {
            fonts.families.insert(family.clone(), vec![(*name).to_owned()]);
        }
        let ctx = Context::default();
        ctx.set_fonts(fonts);
        ctx.run_ui(egui::RawInput::default(), |_| {}).textures_delta.clear();
        for (name, family) in families {
            let font = FontId::new(14.0, family);
            let has = |text: &str| ctx.fonts_mut(|fonts| fonts.has_glyphs(&font, text));
            assert!(has("AaZzßüéŁЖя→×"), "{name}");
            for (icon_name, icon) in icon::ALL {
                assert!(!has(icon), "{name} has {icon_name}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_font_stay_as_they_are() {
        for bytes in [&b""[..], b"OTTO", b"\0\x01\0\0\0\x01......cmap....\xff\xff\xff\xff...."] {
            assert_eq!(without_private_use(bytes), bytes);
        }
    }
}
