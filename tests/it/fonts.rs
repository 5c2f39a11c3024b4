//! The fonts that the window brings along, as the window's text layout reads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::epaint::text::{Fonts, TextOptions};
use egui::{FontData, FontDefinitions, FontFamily, FontId};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/fonts");

/// The characters of `text` that none of the fonts has.
fn missing(fonts: &[&str], text: &str) -> String {
    let mut definitions = FontDefinitions { font_data: BTreeMap::new(), families: BTreeMap::new() };
    for &font in fonts {
        let bytes = std::fs::read(format!("{FOLDER}/{font}")).unwrap();
        definitions.font_data.insert(font.to_owned(), Arc::new(FontData::from_owned(bytes)));
    }
    let names: Vec<String> = fonts.iter().map(|&font| font.to_owned()).collect();
    for family in [FontFamily::Proportional, FontFamily::Monospace] {
        definitions.families.insert(family, names.clone());
    }
    let mut fonts = Fonts::new(TextOptions::default(), definitions);
    let mut view = fonts.with_pixels_per_point(1.0);
    let id = FontId::proportional(14.0);
    text.chars().filter(|&c| !view.has_glyph(&id, c)).collect()
}

#[test]
fn the_fonts_have_the_glyphs_of_every_language() {
    for weight in ["Inter-Regular.otf", "Inter-SemiBold.otf"] {
        let all = [weight, "DroidSansFallbackFull.ttf", "NanumGothicCoding.ttf"];
        assert_eq!(missing(&all, "Gesso Ж щ 你好 日本語 한국어"), "");
        // No fallback is needed for these, so that a line of text has one look.
        let letters = "ÄÖÜäöüß éèçñ ЁёЖжЩщЪъЫыЭэЮюЯя ΑΩαω – — … ‘’ “” „ × · • ← ↑ → ↓ ⌘ ⇧ ⌥ ⌃ °";
        assert_eq!(missing(&[weight], letters), "");
    }
    let kana: String = ('ぁ'..='ん').chain('ァ'..='ヴ').collect();
    let ideographs: String = ('一'..='\u{9fa5}').collect();
    let cjk = ["DroidSansFallbackFull.ttf"];
    assert_eq!(missing(&cjk, &kana), "");
    assert_eq!(missing(&cjk, &ideographs), "");
    assert_eq!(missing(&cjk, "，。、：；！？「」『』（）《》"), "");
    let hangul: String = ('가'..='힣').collect();
    assert_eq!(missing(&["NanumGothicCoding.ttf"], &hangul), "");
}

#[test]
fn a_missing_glyph_is_noticed() {
    assert_eq!(missing(&["Inter-Regular.otf"], "a日b한"), "日한");
}

#[test]
fn every_font_has_a_license_and_a_note() {
    let mut names: Vec<String> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let note = std::fs::read_to_string(format!("{FOLDER}/README.md")).unwrap();
    for name in &names {
        assert!(name == "README.md" || note.contains(name.as_str()), "{name} isn't in README.md");
    }
    let bytes: u64 =
        names.iter().map(|name| std::fs::metadata(format!("{FOLDER}/{name}")).unwrap().len()).sum();
    // They are part of the program file.
    assert!(bytes < 7_000_000, "{bytes}");
}
