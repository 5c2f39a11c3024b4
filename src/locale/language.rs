//! The languages that the window speaks.

use serde::{Deserialize, Serialize};

/// A language of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// English, the language of the source.
    #[default]
    #[serde(rename = "en")]
    English,
    /// German.
    #[serde(rename = "de")]
    German,
    /// Russian.
    #[serde(rename = "ru")]
    Russian,
    /// Japanese.
    #[serde(rename = "ja")]
    Japanese,
    /// Chinese in simplified characters.
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// Whether there is a catalog for it, so that it can be chosen.
    #[must_use]
    pub fn is_translated(self) -> bool {
        self == Self::English || crate::locale::translation(self, "Undo").is_some()
    }

    /// All languages, in the order in which they are offered.
    pub const ALL: [Self; 5] =
        [Self::English, Self::German, Self::Russian, Self::Japanese, Self::Chinese];

    /// The ISO 639-1 code, as in locale names and in the catalogs' file names.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Russian => "ru",
            Self::Japanese => "ja",
            Self::Chinese => "zh",
        }
    }

    /// What the language calls itself, so that its readers find it whatever is chosen now.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Russian => "Русский",
            Self::Japanese => "日本語",
            Self::Chinese => "简体中文",
        }
    }

    /// The language that the system asks for, English where it asks for none or another.
    ///
    /// Only the environment is asked (`LC_ALL`, `LC_MESSAGES`, `LANG`), which desktop sessions on
    /// Linux and shells everywhere set; elsewhere the user chooses in the preferences.
    #[must_use]
    pub fn from_system() -> Self {
        let value = |name: &str| std::env::var(name).unwrap_or_default();
        Self::from_locale_names(&value("LC_ALL"), &value("LC_MESSAGES"), &value("LANG"))
    }

    /// The language that locale names ask for: the first of the three that isn't empty counts.
    ///
    /// A name is like `de_AT.UTF-8@euro` or `zh-Hans-CN`; `C`, `POSIX` and languages that aren't
    /// spoken here mean English.
    ///
    /// Source: POSIX.1-2024, Base Definitions, section 8.2.
    #[must_use]
    pub fn from_locale_names(lc_all: &str, lc_messages: &str, lang: &str) -> Self {
        let name = [lc_all, lc_messages, lang].into_iter().find(|name| !name.is_empty());
        let code = name.and_then(|name| name.split(['_', '-', '.', '@']).next());
        let code = code.unwrap_or_default();
        let spoken = Self::ALL.into_iter().find(|one| one.code().eq_ignore_ascii_case(code));
        spoken.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_name_that_is_set_counts() {
        let check = |names: [&str; 3], expected| {
            let [lc_all, lc_messages, lang] = names;
            assert_eq!(Language::from_locale_names(lc_all, lc_messages, lang), expected);
        };
        check(["", "", ""], Language::English);
        check(["", "", "de_AT.UTF-8@euro"], Language::German);
        check(["", "ja_JP.UTF-8", "de_DE.UTF-8"], Language::Japanese);
        check(["ru_RU", "ja_JP.UTF-8", "de_DE"], Language::Russian);
        check(["C", "", "de_DE"], Language::English);
        check(["C.UTF-8", "", ""], Language::English);
        check(["POSIX", "ru", ""], Language::English);
        check(["", "", "zh-Hans-CN"], Language::Chinese);
        check(["", "", "ZH"], Language::Chinese);
        check(["", "", "fr_FR.UTF-8"], Language::English);
        // Slavey is another language than German, however its code begins.
        check(["", "", "den_CA"], Language::English);
        check(["", "", "_"], Language::English);
    }

    #[test]
    fn codes_and_stored_names_are_the_same() {
        for language in Language::ALL {
            let json = serde_json::to_string(&language).unwrap();
            assert_eq!(json, format!("{:?}", language.code()));
            assert_eq!(serde_json::from_str::<Language>(&json).unwrap(), language);
        }
        assert!(serde_json::from_str::<Language>("\"xx\"").is_err());
    }
}
