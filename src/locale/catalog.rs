//! The translations, compiled in and parsed when first asked for.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::locale::Language;

/// English texts with their translations.
pub(super) type Catalog = HashMap<String, String>;

/// The catalog of a language; English needs none.
pub(super) fn of(language: Language) -> Option<&'static Catalog> {
    let (parsed, json) = source(language)?;
    Some(parsed.get_or_init(|| {
        serde_json::from_str(json).unwrap_or_else(|error| {
            log::error!("can't read the translations into {}: {error}", language.code());
            Catalog::new()
        })
    }))
}

/// Where a language's catalog is kept, and its text.
fn source(language: Language) -> Option<(&'static OnceLock<Catalog>, &'static str)> {
    static GERMAN: OnceLock<Catalog> = OnceLock::new();
    static RUSSIAN: OnceLock<Catalog> = OnceLock::new();
    static JAPANESE: OnceLock<Catalog> = OnceLock::new();
    static CHINESE: OnceLock<Catalog> = OnceLock::new();
    match language {
        Language::English => None,
        Language::German => Some((&GERMAN, include_str!("../../assets/locales/de.json"))),
        Language::Russian => Some((&RUSSIAN, include_str!("../../assets/locales/ru.json"))),
        Language::Japanese => Some((&JAPANESE, include_str!("../../assets/locales/ja.json"))),
        Language::Chinese => Some((&CHINESE, include_str!("../../assets/locales/zh.json"))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::locale::{placeholders, translation};

    fn catalog(language: Language) -> BTreeMap<String, String> {
        let json = source(language).map_or("{}", |(_, json)| json);
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn each_catalog_is_a_flat_object_without_blanks() {
        for language in Language::ALL {
            for (text, translated) in catalog(language) {
                assert!(!text.trim().is_empty() && !translated.trim().is_empty(), "{text:?}");
                assert_eq!(translation(language, &text), Some(translated.as_str()));
            }
        }
    }

    #[test]
    fn translations_have_the_placeholders_of_their_texts() {
        for language in Language::ALL {
            for (text, translated) in catalog(language) {
                let (expected, found) =
                    (placeholders::names(&text), placeholders::names(&translated));
                assert_eq!(found, expected, "{}: {text:?}: {translated:?}", language.code());
            }
        }
    }

    #[test]
    fn translations_begin_and_end_as_their_texts_do() {
        // Blanks, colons and dots at the ends belong to the layout. Chinese and Japanese have
        // signs of their own for the latter.
        let ends = |text: &str| {
            let blank = |c: Option<char>| c.is_some_and(char::is_whitespace);
            (blank(text.chars().next()), blank(text.chars().last()), text.ends_with('…'))
        };
        for language in Language::ALL {
            for (text, translated) in catalog(language) {
                assert_eq!(ends(&translated), ends(&text), "{}: {text:?}", language.code());
            }
        }
    }

    #[test]
    fn an_unknown_text_has_no_translation() {
        for language in Language::ALL {
            assert_eq!(translation(language, "no such text {at} all"), None);
        }
    }
}
