//! The window's texts in the user's language.
//!
//! The English text is the key: code says `tr("New layer")` and gets the translation into the
//! chosen language, or the text itself where there is none. [`trf`] fills in values, [`tr_later`]
//! marks a text in a table that is only translated where it is shown.
//!
//! Catalogs are `assets/locales/<code>.json`, flat objects from English to the translation,
//! compiled in. `tests/it/locale.rs` compares them with the texts in the source. Nothing here
//! knows what the texts are for; the command line stays English and doesn't come here.

mod catalog;
mod language;
mod placeholders;

use std::fmt::Display;
use std::sync::atomic::{AtomicU8, Ordering};

pub use language::Language;

/// The chosen language's place in [`Language::ALL`].
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// Chooses the language that [`tr`] and [`trf`] translate into from now on; English at the start.
pub fn set_language(language: Language) {
    let place = Language::ALL.iter().position(|&one| one == language).unwrap_or(0);
    CHOSEN.store(place as u8, Ordering::Relaxed);
}

/// The chosen language.
#[must_use]
pub fn language() -> Language {
    let place = usize::from(CHOSEN.load(Ordering::Relaxed));
    Language::ALL.get(place).copied().unwrap_or_default()
}

/// The text in the chosen language, or as it stands where there is no translation.
///
/// Cheap enough for every label in every frame: a look-up, no allocation.
#[must_use]
pub fn tr(text: &'static str) -> &'static str {
    translation(language(), text).unwrap_or(text)
}

/// The text in the chosen language, with every `{name}` replaced by that value.
///
/// Braces around anything else stay as they are.
#[must_use]
pub fn trf(text: &'static str, values: &[(&str, &dyn Display)]) -> String {
    placeholders::filled(tr(text), values)
}

/// Marks a text that is translated later, by [`tr`] where it is shown.
///
/// For tables and constants: without the mark nobody would know that the text needs a translation.
#[must_use]
pub const fn tr_later(text: &'static str) -> &'static str {
    text
}

/// The translation of a text into a language; `None` for English and for unknown texts.
#[must_use]
pub fn translation(language: Language, text: &str) -> Option<&'static str> {
    catalog::of(language)?.get(text).map(String::as_str)
}
