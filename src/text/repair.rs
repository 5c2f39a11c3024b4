//! Text repair before CLIP's tokenizer: what `ftfy.fix_text` does with its default settings.
//!
//! Source: rspeer/python-ftfy 6.3.1 (Apache-2.0, commit 74dd045), `ftfy/__init__.py`, `ftfy/fixes.py`.
//! Left out are surrogates, which Rust text cannot hold, and explanations of what was done.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use crate::text::html;
use crate::text::mojibake::{fix_c1_controls, fix_encoding};

/// Longer lines are repaired in parts.
const MAX_SEGMENT_CHARS: usize = 1_000_000;
/// Repairs repeat until nothing changes; text that takes more rounds than this is hostile.
const MAX_ROUNDS: usize = 16;

static TERMINAL_ESCAPE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\x1b\[[\d;]*[a-zA-Z]").ok());

/// Repairs mojibake, ligatures, widths, quotes, line breaks and control characters, line by line.
pub(super) fn fix_text(text: &str) -> String {
    let mut references = References::Decode;
    let mut fixed = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        for segment in segments(line) {
            // From the first tag on the text is HTML, whose references belong there.
            if segment.contains('<') {
                references = References::Keep;
            }
            fixed.push_str(&fix_segment(segment, references));
        }
    }
    fixed
}

#[derive(Clone, Copy, PartialEq)]
enum References {
    Decode,
    Keep,
}

fn segments(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(MAX_SEGMENT_CHARS).map_or(rest.len(), |(at, _)| at);
        let (segment, tail) = rest.split_at(end);
        rest = tail;
        (!segment.is_empty()).then_some(segment)
    })
}

fn fix_segment(segment: &str, references: References) -> String {
    let mut text = segment.to_owned();
    for _ in 0..MAX_ROUNDS {
        let fixed = fix_once(&text, references);
        if fixed == text {
            break;
        }
        text = fixed;
    }
    text
}

fn fix_once(text: &str, references: References) -> String {
    let text = match references {
        References::Decode => html::unescape_strict(text),
        References::Keep => text.into(),
    };
    let text = fix_c1_controls(&fix_encoding(&text));
    let text = fix_characters(&text);
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n");
    let text = match &*TERMINAL_ESCAPE {
        Some(escape) => escape.replace_all(&text, ""),
        None => text.into(),
    };
    text.chars().filter(|&c| !is_needless_control(c)).nfc().collect()
}

/// Ligatures, widths and quotes, in this order for each character.
fn fix_characters(text: &str) -> String {
    let mut fixed = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{3000}' => fixed.push(' '),
            '\u{ff01}'..='\u{ffef}' => fixed.extend(std::iter::once(c).nfkc()),
            '\u{2bc}' | '\u{2018}'..='\u{201b}' => fixed.push('\''),
            '\u{201c}'..='\u{201f}' => fixed.push('"'),
            _ => match letters_of_ligature(c) {
                Some(letters) => fixed.push_str(letters),
                None => fixed.push(c),
            },
        }
    }
    fixed
}

/// Letters that make up a Latin ligature or digraph.
fn letters_of_ligature(c: char) -> Option<&'static str> {
    Some(match c {
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'ŉ' => "'n",
        'Ǳ' => "DZ",
        'ǲ' => "Dz",
        'ǳ' => "dz",
        'Ǆ' => "DŽ",
        'ǅ' => "Dž",
        'ǆ' => "dž",
        'Ǉ' => "LJ",
        'ǈ' => "Lj",
        'ǉ' => "lj",
        'Ǌ' => "NJ",
        'ǋ' => "Nj",
        'ǌ' => "nj",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' => "ſt",
        'ﬆ' => "st",
        _ => return None,
    })
}

/// Control characters without effect on how text looks, and those that were never meant for text.
fn is_needless_control(c: char) -> bool {
    matches!(
        c,
        '\0'..='\x08'
            | '\x0b'
            | '\x0e'..='\x1f'
            | '\x7f'
            | '\u{206a}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffc}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_repaired_as_ftfy_does_it() {
        // Results of ftfy 6.3.1.
        let check = |text: &str, expected: &str| assert_eq!(fix_text(text), expected, "{text:?}");
        check("âœ” No problems", "✔ No problems");
        check("l’humanitÃ©", "l'humanité");
        check("Ã perturber la rÃ©flexion", "à perturber la réflexion");
        check("voilÃ le travail", "voilà le travail");
        check(
            "The Mona Lisa doesnÃƒÂ¢Ã¢â€šÂ¬Ã¢â€žÂ¢t have eyebrows.",
            "The Mona Lisa doesn't have eyebrows.",
        );
        check("â€œ like this â€\u{fffd}", "\" like this \u{fffd}");
        check("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Привет");
        check("Broken text&hellip; it&#x2019;s ﬂubberiﬁc!", "Broken text… it's flubberific!");
        check("ＬＯＵＤ\u{3000}ＮＯＩＳＥＳ", "LOUD NOISES");
        check("&macr;\\_(ã\u{83}\u{84})_/&macr;", "¯\\_(ツ)_/¯");
        check("\u{1b}[36;44mI'm blue\u{1b}[0m\r\nx\u{2028}y", "I'm blue\nx\ny");
        check(
            "Clichy-sous-Bois in Seine-Saint-Denis, Â©2009",
            "Clichy-sous-Bois in Seine-Saint-Denis, ©2009",
        );
        check("à¸ªà¸§à¸±à¸ªà¸”à¸µ", "สวัสดี");
        check("ðŸ˜€ and café", "😀 and café");
        check("Â£5 or â‚¬6 \u{80}", "£5 or €6 €");
        check("×©×\u{9c}×\u{95}×\u{9d}", "שלום");
        check("FÃ cil Ã s vezes", "Fà cil às vezes");
        check("í\u{a0}½í¸\u{8d}", "😍");
        check("RUF MICH ZURÃœCK", "RUF MICH ZURÜCK");
        check("«quotes» © 2020 ½ ± 5°", "«quotes» © 2020 ½ ± 5°");
        check("naïve façade, Ångström, piñata, Œuvre", "naïve façade, Ångström, piñata, Œuvre");
        check("a\u{301}\u{308} o\u{302}", "á\u{308} ô");
        check("ÃºltimaÃ\u{ad}stima", "últimaístima");
        check("√©t√©", "été");
    }

    #[test]
    fn references_stay_from_the_first_tag_on() {
        assert_eq!(fix_text("&lt;\n<b>&lt;</b>\n&lt;"), "<\n<b>&lt;</b>\n&lt;");
    }
}
