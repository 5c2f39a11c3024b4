//! Texts with `{name}` in them.

use std::fmt::{Display, Write as _};

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// The text with each `{name}` replaced by its value; names without a value stay.
pub(super) fn filled(text: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut result = String::with_capacity(text.len() + 16 * values.len());
    for piece in pieces(text) {
        let written = match piece {
            Piece::Text(text) => result.write_str(text),
            Piece::Name(name) => match values.iter().find(|(key, _)| *key == name) {
                Some((_, value)) => write!(result, "{value}"),
                None => write!(result, "{{{name}}}"),
            },
        };
        if written.is_err() {
            log::debug!("a value could not be shown in {text:?}");
        }
    }
    result
}

/// The names in a text, sorted, each as often as it occurs.
#[cfg(test)]
pub(super) fn names(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = pieces(text)
        .filter_map(|piece| match piece {
            Piece::Name(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect();
    names.sort_unstable();
    names
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = leading_name(rest) {
            rest = after;
            return Some(Piece::Name(name));
        }
        // Up to the next brace; one at the start that opens no name is text.
        let next = rest.char_indices().skip(1).find(|(_, c)| *c == '{');
        let (piece, after) = rest.split_at(next.map_or(rest.len(), |(at, _)| at));
        rest = after;
        Some(Piece::Text(piece))
    })
}

/// The name and what follows, where the text begins with `{name}`.
fn leading_name(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_by_their_values() {
        let check = |text: &str, expected: &str| {
            let values: [(&str, &dyn Display); 3] =
                [("count", &3), ("name", &"{count}猫"), ("x_1", &0.5)];
            assert_eq!(filled(text, &values), expected, "{text:?}");
        };
        check("", "");
        check("plain", "plain");
        check("{count} layers", "3 layers");
        check("{count}{count}", "33");
        // What a value says isn't filled in again.
        check("“{name}” at {x_1}", "“{count}猫” at 0.5");
        check("{other} {} {Count} {a b} {", "{other} {} {Count} {a b} {");
        check("{{count}} 猫{", "{3} 猫{");
        check("}{", "}{");
    }

    #[test]
    fn names_are_listed_in_one_order() {
        assert_eq!(names("{b} of {a}, {b} {} {C}"), ["a", "b", "b"]);
        assert_eq!(names("none"), [""; 0]);
    }
}
