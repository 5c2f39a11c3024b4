//! The catalogs against the texts in the source, and the choice of the language.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

use gesso::locale::{Language, language, set_language, tr, translation, trf};

/// The functions whose literal argument is a text for the catalogs.
const MARKS: [&str; 3] = ["tr", "trf", "tr_later"];

/// Files with tables of texts in modules that know no language; they are translated where they
/// are shown.
const TABLES: [&str; 4] = [
    "src/document/kind.rs",
    "src/editor/action.rs",
    "src/editor/requests.rs",
    "src/raster/blend_mode.rs",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text of the source, with one place where it is used.
fn texts() -> BTreeMap<String, String> {
    let mut folders = vec![root().join("src")];
    let mut texts = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let code = std::fs::read_to_string(&path).unwrap();
                let code = without_tests(&code);
                let below = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                let in_table =
                    if TABLES.contains(&below.as_str()) { table_texts(code) } else { vec![] };
                for (line, text) in marked_texts(code).into_iter().chain(in_table) {
                    let place = format!("{}:{line}", path.strip_prefix(root()).unwrap().display());
                    texts.entry(text).or_insert(place);
                }
            }
        }
    }
    texts
}

/// The texts of a table: rows of actions, and the names that `=>` leads to.
fn table_texts(code: &str) -> Vec<(usize, String)> {
    let row = Regex::new(r#"^\s+\w+ \w+ "[a-z-]+" "([^"]+)" "([^"]+)" \["#).unwrap();
    let name = Regex::new(r#"=> "([^"]+)""#).unwrap();
    let mut found = Vec::new();
    for (i, line) in code.lines().enumerate() {
        let rows = row.captures_iter(line).flat_map(|row| [row[1].to_owned(), row[2].to_owned()]);
        // Names of blend modes in files are no texts.
        let names = name.captures_iter(line).map(|name| name[1].to_owned());
        let names = names.filter(|name| !name.starts_with("svg:"));
        found.extend(rows.chain(names).map(|text| (i + 1, text)));
    }
    found
}

/// The code up to the unit tests at the file's end.
fn without_tests(code: &str) -> &str {
    code.find("#[cfg(test)]\nmod tests {").map_or(code, |end| &code[..end])
}

/// The literals that are the first argument of one of [`MARKS`], with their line numbers.
///
/// Reads the code as the compiler does, so that comments, other strings and line breaks inside
/// a call make no difference.
fn marked_texts(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // The last two words or signs: the name and the parenthesis of a call.
    let (mut before, mut last) = (String::new(), String::new());
    let mut at = 0;
    while let Some(c) = code[at..].chars().next() {
        let rest = &code[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if rest.starts_with("/*") {
            at += block_comment(rest);
            continue;
        }
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = if let Some((text, length)) = string_literal(rest) {
            // `fn tr("` can't be, so a name and a parenthesis are a call.
            if last == "(" && MARKS.contains(&before.as_str()) {
                found.push((code[..at].matches('\n').count() + 1, text));
            }
            ("\"".to_owned(), length)
        } else if let Some(length) = char_literal(rest) {
            ("'".to_owned(), length)
        } else if c.is_alphanumeric() || c == '_' {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (rest[..length].to_owned(), length)
        } else {
            (c.to_string(), c.len_utf8())
        };
        before = std::mem::replace(&mut last, token);
        at += length;
    }
    found
}

/// The length of a block comment, which may hold others.
fn block_comment(code: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < code.len() {
        let rest = &code[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().unwrap().len_utf8();
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The text and the length of a string literal, plain, raw, of bytes or for C.
fn string_literal(code: &str) -> Option<(String, usize)> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let after = code.strip_prefix(prefix);
        after.is_some_and(|after| after.trim_start_matches('#').starts_with('"'))
    })?;
    let after = &code[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = &after[hashes + 1..];
    if prefix.ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        let length = body.find(&end)?;
        let all = prefix.len() + hashes + 1 + length + end.len();
        return Some((body[..length].to_owned(), all));
    }
    if hashes > 0 {
        return None;
    }
    let (mut text, mut chars) = (String::new(), body.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, prefix.len() + 1 + at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                '0' => text.push('\0'),
                'x' => {
                    let digits: String = chars.by_ref().take(2).map(|(_, c)| c).collect();
                    text.push(u8::from_str_radix(&digits, 16).ok()?.into());
                }
                'u' => {
                    let digits: String = chars
                        .by_ref()
                        .map(|(_, c)| c)
                        .take_while(|&c| c != '}')
                        .filter(char::is_ascii_hexdigit)
                        .collect();
                    text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                // The line goes on after the blanks of the next one.
                '\n' => {
                    while chars.as_str().starts_with(char::is_whitespace) {
                        chars.next();
                    }
                }
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    None
}

/// The length of a character literal; a lifetime is none.
fn char_literal(code: &str) -> Option<usize> {
    let body = code.strip_prefix("b'").or_else(|| code.strip_prefix('\''))?;
    let start = code.len() - body.len();
    let length = if body.starts_with('\\') {
        // The second character belongs to the escape even where it is a quote.
        2 + body.get(2..)?.find('\'')?
    } else {
        let c = body.chars().next()?;
        body[c.len_utf8()..].starts_with('\'').then_some(c.len_utf8())?
    };
    Some(start + length + 1)
}

/// A catalog's entries in the file's order.
fn catalog(language: Language) -> Vec<(String, String)> {
    let path = root().join(format!("assets/locales/{}.json", language.code()));
    let json = std::fs::read_to_string(&path).unwrap();
    let entries: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&json).unwrap();
    let text = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    entries.into_iter().map(|(key, value)| (key, text(value))).collect()
}

fn translated_languages() -> impl Iterator<Item = Language> {
    Language::ALL
        .into_iter()
        .filter(|&language| language != Language::English && language.is_translated())
}

#[test]
fn every_catalog_has_every_text_and_no_other() {
    let texts = texts();
    let mut wrong = Vec::new();
    for language in translated_languages() {
        let known: BTreeSet<String> = catalog(language).into_iter().map(|(text, _)| text).collect();
        let code = language.code();
        for (text, place) in texts.iter().filter(|(text, _)| !known.contains(*text)) {
            // As it stands in the file, to be copied.
            let key = serde_json::Value::from(text.as_str());
            wrong.push(format!("{code}.json misses {key}: {place}"));
        }
        for text in known.iter().filter(|text| !texts.contains_key(*text)) {
            let key = serde_json::Value::from(text.as_str());
            wrong.push(format!("{code}.json has {key}, which is used nowhere"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn catalogs_are_sorted_with_a_text_a_line() {
    for language in translated_languages() {
        let entries = catalog(language);
        let path = root().join(format!("assets/locales/{}.json", language.code()));
        let json = std::fs::read_to_string(&path).unwrap();
        assert!(entries.is_sorted(), "{}", path.display());
        // A text that stands twice would be read once, so there would be a line too many.
        let lines = json.lines().filter(|line| line.starts_with("  \"")).count();
        assert_eq!(lines, entries.len(), "{}", path.display());
    }
}

#[test]
fn the_chosen_language_is_translated_into() {
    // This binary has no window, so nobody else reads the choice.
    assert_eq!(language(), Language::English);
    for chosen in Language::ALL {
        set_language(chosen);
        assert_eq!(language(), chosen);
        assert_eq!(tr("no such text"), "no such text");
        assert_eq!(
            trf("{a} of {b}, no such text", &[("b", &2), ("a", &1)]),
            "1 of 2, no such text"
        );
        let known = catalog(Language::German).into_iter().next();
        if let Some((text, _)) = known {
            let text: &'static str = text.leak();
            assert_eq!(tr(text), translation(chosen, text).unwrap_or(text));
        }
    }
    set_language(Language::English);
}

#[test]
#[expect(clippy::needless_raw_string_hashes, reason = "the text within has raw strings of its own")]
fn texts_are_found_in_every_form() {
    fn check(code: &str, expected: &[&str]) {
        let found: Vec<String> = marked_texts(code).into_iter().map(|(_, text)| text).collect();
        assert_eq!(found, expected, "{code}");
    }
    check(r#"ui.label(tr("New layer"));"#, &["New layer"]);
    check("trf(\n    \"{a} of\\n \\\n     {b}\",\n &[(\"a\", &1)])", &["{a} of\n {b}"]);
    check(r#"locale::tr("a"), crate::locale::trf ( "b", &[]), tr_later("c")"#, &["a", "b", "c"]);
    check(
        r##"tr(r#"say "hi""#) + tr("\u{732b} \x41 \"q\" \\")"##,
        &["say \"hi\"", "猫 A \"q\" \\"],
    );
    check(r#"tr(/* why */ "a" /* tr("no") */)"#, &["a"]);
    // Other functions, other strings, comments, values.
    check(r#"str("a"); attr("b"); tr(label); tr_("c"); "tr(\"d\")"; x.contains("tr(")"#, &[]);
    check(
        "/// tr(\"a\")\n// tr(\"b\")\n/* /* tr(\"c\") */ tr(\"d\") */ fn tr(text: &'static str)",
        &[],
    );
    check(r#"let c = '"'; tr("a"); b'\''; '\\'; '\u{22}'; f::<'a>("b"); tr("c")"#, &["a", "c"]);
    check("let r = br\"tr(\\\"; r#\"tr(\"a\")\"#; tr(\"b\")", &["b"]);
    let lines: Vec<usize> = marked_texts("\n\ntr(\n\"a\")").into_iter().map(|(n, _)| n).collect();
    assert_eq!(lines, [4]);
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\n b }"), "a\n");
}
