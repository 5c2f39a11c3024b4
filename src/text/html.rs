//! Character references, decoded as Python's `html.unescape` does it, which CLIP's vocabulary was
//! built with. It differs from browsers in numeric references: invalid ones vanish.

use std::borrow::Cow;
use std::sync::LazyLock;

use htmlize::ENTITIES;
use regex::{Captures, Regex};

static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\x0C <&#;]{1,32};?)").ok());

static STRICT_REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("&#?[0-9A-Za-z]{1,24};").ok());

/// What Windows-1252 has at 0x80 to 0x9F; a space where it has nothing.
const WINDOWS_1252: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/// Decodes every character reference, also without semicolon where HTML allows it.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    replace(&REFERENCE, text, |reference| {
        let body = &reference[1..];
        if let Some(number) = body.strip_prefix('#') {
            return Some(numeric(number.trim_end_matches(';')));
        }
        // The longest entity that the text begins with; the rest stays.
        body.char_indices().map(|(at, c)| at + c.len_utf8()).rev().find_map(|end| {
            let character = entity(&reference[..=end])?;
            Some(format!("{character}{}", &body[end..]))
        })
    })
}

/// Decodes only what is unmistakably a reference: complete ones with their semicolon, and names in
/// capitals where only lower case exists (`&NTILDE;`).
pub(super) fn unescape_strict(text: &str) -> Cow<'_, str> {
    replace(&STRICT_REFERENCE, text, |reference| {
        if reference.starts_with("&#") {
            let decoded = unescape(reference);
            return (!decoded.contains(';')).then(|| decoded.into_owned());
        }
        if let Some(character) = entity(reference) {
            return Some(character.to_owned());
        }
        let lower = reference.to_ascii_lowercase();
        let shouted =
            reference.to_ascii_uppercase() == reference && unescape(reference) == reference;
        shouted.then(|| entity(&lower).map(str::to_uppercase))?
    })
}

fn replace<'t>(
    pattern: &LazyLock<Option<Regex>>,
    text: &'t str,
    decode: impl Fn(&str) -> Option<String>,
) -> Cow<'t, str> {
    match &**pattern {
        Some(pattern) if text.contains('&') => pattern
            .replace_all(text, |c: &Captures| decode(&c[0]).unwrap_or_else(|| c[0].to_owned())),
        _ => Cow::Borrowed(text),
    }
}

fn entity(reference: &str) -> Option<&'static str> {
    ENTITIES.get(reference.as_bytes()).and_then(|bytes| std::str::from_utf8(bytes).ok())
}

fn numeric(number: &str) -> String {
    let digits = number.trim_start_matches(['x', 'X']);
    let radix = if digits.len() < number.len() { 16 } else { 10 };
    // What does not fit is beyond Unicode as well.
    let code = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    match code {
        0 => "\u{fffd}".into(),
        0x0D => "\r".into(),
        0x80..=0x9F => {
            let mapped = WINDOWS_1252.chars().nth(code as usize - 0x80).filter(|&c| c != ' ');
            mapped.or(char::from_u32(code)).map_or_else(String::new, String::from)
        }
        0x01..=0x08 | 0x0B | 0x0E..=0x1F | 0x7F | 0xFDD0..=0xFDEF => String::new(),
        _ if code <= 0x0010_FFFF && code & 0xFFFE == 0xFFFE => String::new(),
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_decode_as_in_python() {
        let check = |text: &str, expected: &str| assert_eq!(unescape(text), expected, "{text:?}");
        check("a &amp b &lt;c&gt &notit; &notin;", "a & b <c> ¬it; ∉");
        check(
            "&#65;&#x42&#X43; &#0; &#1; &#x80; &#x81; &#xD800; &#1114112;",
            "ABC \u{fffd}  € \u{81} \u{fffd} \u{fffd}",
        );
        check("&#xFFFE;&#13;&#99999999999999999999;", "\r\u{fffd}");
        check("&&;&#;&#x;&nosuch; & amp;", "&&;&#;&#x;&nosuch; & amp;");
        check("&amp;amp;", "&amp;");
    }

    #[test]
    fn only_whole_references_decode_strictly() {
        let check =
            |text: &str, expected: &str| assert_eq!(unescape_strict(text), expected, "{text:?}");
        check("&amp &amp; this&not that", "&amp & this&not that");
        check(
            "P&EACUTE;REZ &NTILDE; &nTILDE; BUNDESSTRA&SZLIG;E",
            "PÉREZ Ñ &nTILDE; BUNDESSTRASSE",
        );
        check("&#65; &#59; &#1f;", "A &#59; &#1f;");
    }
}
