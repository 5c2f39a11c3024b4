//! The words that a starter model has seen, to say so kindly when a prompt has others.
//!
//! It errs on the side of silence: other spellings, plurals and parts of longer names count as seen.
//! It says nothing about whether the model draws a word well.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::text::TextError;

/// More words than this in one line help nobody.
const MAX_UNKNOWN_WORDS: usize = 24;
/// Longer words are cut in messages.
const MAX_WORD_CHARS: usize = 40;
const MAX_SUGGESTIONS: usize = 3;
/// Words of a phrase that may be written together or apart: "ice cream", "teddy bear", "ice-cream".
const MAX_JOINED_WORDS: usize = 4;

/// Words without a picture of their own; not worth a remark whether seen or not.
const SMALL_WORDS: &str = "a about above across add after all also am among an and any are around as at away be \
    behind below beneath beside besides between both but by can containing could create depicting depiction \
    displaying do does draw drawing drawn each every featuring for from generate get give has have having \
    her here hers him his how i illustration image in inside into is it its just kind let like made make \
    me my near next nice no not of off on one onto or our out outside over paint painted painting photo \
    picture please portrait render rendered shot show showing shown shows side so some someone something \
    that the their them there these they this those through to together top toward towards under upon \
    very want was we were what where which while who whose will with within without would you your";

/// Spellings of one word in British and American English.
const SPELLINGS: [(&str, &str); 8] = [
    ("aeroplane", "airplane"),
    ("axe", "ax"),
    ("center", "centre"),
    ("color", "colour"),
    ("colored", "coloured"),
    ("donut", "doughnut"),
    ("gray", "grey"),
    ("jewelry", "jewellery"),
];

/// Plurals that follow no rule.
const IRREGULAR_PLURALS: [(&str, &str); 15] = [
    ("children", "child"),
    ("dice", "die"),
    ("feet", "foot"),
    ("geese", "goose"),
    ("knives", "knife"),
    ("lives", "life"),
    ("men", "man"),
    ("mice", "mouse"),
    ("oxen", "ox"),
    ("people", "person"),
    ("teeth", "tooth"),
    ("wives", "wife"),
    ("women", "woman"),
    ("cacti", "cactus"),
    ("fungi", "fungus"),
];

const NUMBERS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

/// A word, with apostrophes and hyphens inside it.
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[\p{L}\p{N}\p{M}]+(?:['’‘\u{2010}\u{2011}_-][\p{L}\p{N}\p{M}]+)*").ok()
});

static SMALL: LazyLock<HashSet<&str>> = LazyLock::new(|| SMALL_WORDS.split_whitespace().collect());

/// What a vocabulary file lists; entries may be phrases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WordLists {
    /// Things that the model has seen.
    pub nouns: Vec<String>,
    /// Every other word of its captions.
    pub other_words: Vec<String>,
    /// Words for a style.
    pub styles: Vec<String>,
    /// Names of colors.
    pub colors: Vec<String>,
    /// Phrases that say where things are.
    pub relations: Vec<String>,
    /// Prompts that the model does well.
    pub example_prompts: Vec<String>,
}

/// The words that a model has seen.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    lists: WordLists,
    /// Folded words, their singulars, and phrases written together.
    known: HashSet<String>,
    /// Folded entries that may be suggested, things first.
    suggestible: Vec<String>,
}

impl Vocabulary {
    /// Reads a vocabulary file: an object with the keys of [`WordLists`], each a list of strings.
    ///
    /// # Errors
    ///
    /// When it is not such an object.
    pub fn from_json(json: &[u8]) -> Result<Self, TextError> {
        Ok(Self::from_lists(serde_json::from_slice(json)?))
    }

    /// Makes the vocabulary of `lists`.
    #[must_use]
    pub fn from_lists(lists: WordLists) -> Self {
        let mut known = HashSet::new();
        let mut suggestible = Vec::new();
        let entries =
            [&lists.nouns, &lists.styles, &lists.colors, &lists.other_words, &lists.relations];
        for entry in entries.into_iter().flatten().chain(&lists.example_prompts) {
            let words: Vec<String> = words_of(entry).flat_map(parts_of).map(|w| w.folded).collect();
            for (i, word) in words.iter().enumerate() {
                known.extend(singulars(word));
                known.extend(other_spelling(word));
                known.insert(word.clone());
                for length in 2..=MAX_JOINED_WORDS.min(words.len() - i) {
                    let joined = words[i..i + length].concat();
                    known.extend(singulars(&joined));
                    known.insert(joined);
                }
            }
        }
        for entry in [&lists.nouns, &lists.styles, &lists.colors, &lists.other_words] {
            for entry in entry {
                let entry = fold(entry);
                if entry.chars().count() > 2 && !SMALL.contains(entry.as_str()) {
                    suggestible.push(entry);
                }
            }
        }
        let mut seen = HashSet::new();
        suggestible.retain(|entry| seen.insert(entry.clone()));
        Self { lists, known, suggestible }
    }

    /// The lists that the vocabulary was made of.
    #[must_use]
    pub fn lists(&self) -> &WordLists {
        &self.lists
    }

    /// Words of the prompt that the model has never seen, lower-cased, each once, in the prompt's
    /// order; of very many the first ones.
    ///
    /// Case, accents, punctuation, plurals, possessives, British spelling and hyphens make no
    /// difference, nor do small words like "the". An empty vocabulary knows nothing about the model,
    /// so that no word counts as unseen.
    #[must_use]
    pub fn unknown_words(&self, prompt: &str) -> Vec<String> {
        let mut unknown = Vec::new();
        if self.known.is_empty() {
            return unknown;
        }
        let mut reported = HashSet::new();
        let mut words = words_of(prompt).peekable();
        let mut previous: Option<String> = None;
        while let Some(word) = words.next() {
            let folded = fold(word).replace([' ', '-'], "");
            let written_apart = |neighbor: Option<&String>, order: fn(&str, &str) -> String| {
                neighbor.is_some_and(|neighbor| self.has(&order(neighbor, &folded)))
            };
            let next = words.peek().map(|word| fold(word));
            let seen = self.is_known(&folded)
                || written_apart(previous.as_ref(), |before, word| format!("{before}{word}"))
                || written_apart(next.as_ref(), |after, word| format!("{word}{after}"));
            if !seen {
                for part in parts_of(word).filter(|part| !self.is_known(&part.folded)) {
                    if unknown.len() < MAX_UNKNOWN_WORDS && reported.insert(part.folded) {
                        unknown.push(part.shown);
                    }
                }
            }
            if unknown.len() >= MAX_UNKNOWN_WORDS {
                break;
            }
            previous = Some(folded);
        }
        unknown
    }

    /// Known words that are spelled like `word`, the nearest first; at most three.
    ///
    /// One letter added, dropped, changed or swapped with its neighbor counts one; short words may
    /// differ by one, longer ones by two.
    #[must_use]
    pub fn suggestions(&self, word: &str) -> Vec<String> {
        let word: Vec<char> = fold(word).chars().take(MAX_WORD_CHARS + 1).collect();
        let allowed = match word.len() {
            0..=2 => return Vec::new(),
            3..=4 => 1,
            5..=MAX_WORD_CHARS => 2,
            _ => return Vec::new(),
        };
        let mut near: Vec<(usize, bool, usize)> = Vec::new();
        for (i, entry) in self.suggestible.iter().enumerate() {
            let entry: Vec<char> = entry.chars().collect();
            if entry.len().abs_diff(word.len()) <= allowed {
                let distance = edit_distance(&word, &entry);
                if (1..=allowed).contains(&distance) {
                    // The first letter is seldom the wrong one; then the order of the lists decides.
                    near.push((distance, entry.first() != word.first(), i));
                }
            }
        }
        near.sort_unstable();
        near.iter().take(MAX_SUGGESTIONS).map(|&(_, _, i)| self.suggestible[i].clone()).collect()
    }

    fn is_known(&self, folded: &str) -> bool {
        let number = || NUMBERS.get(folded.parse::<usize>().ok()?);
        folded.is_empty()
            || SMALL.contains(folded)
            || self.has(folded)
            || number().is_some_and(|word| self.known.contains(*word))
            || other_spelling(folded).is_some_and(|other| self.has(&other))
    }

    fn has(&self, folded: &str) -> bool {
        self.known.contains(folded) || singulars(folded).any(|word| self.known.contains(&word))
    }
}

struct Part {
    folded: String,
    shown: String,
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    WORD.iter().flat_map(move |pattern| pattern.find_iter(text)).map(|word| word.as_str())
}

/// A word's hyphenated parts, without possessive endings.
fn parts_of(word: &str) -> impl Iterator<Item = Part> + '_ {
    word.split(['-', '_', '\u{2010}', '\u{2011}']).map(|part| {
        let shown: String =
            part.chars().take(MAX_WORD_CHARS).flat_map(char::to_lowercase).collect();
        Part { folded: fold(part), shown }
    })
}

/// The word without case, accents, curly apostrophes and possessive ending; "ﬁ" is "fi".
fn fold(word: &str) -> String {
    // Words longer than this are none; the limit keeps hostile ones cheap.
    let folded: String = word
        .chars()
        .take(4 * MAX_WORD_CHARS)
        .nfkd()
        .filter(|&c| !is_combining_mark(c))
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            '’' | '‘' => '\'',
            '_' | '\u{2010}' | '\u{2011}' => '-',
            _ => c,
        })
        .collect();
    let owner = folded.strip_suffix("'s").or_else(|| folded.strip_suffix('\''));
    owner.map_or(folded.clone(), str::to_owned)
}

/// What the word may be the plural of.
fn singulars(word: &str) -> impl Iterator<Item = String> + use<> {
    let mut found = Vec::new();
    let irregular = |plural: &str| word.strip_suffix(plural).map(str::to_owned);
    for (plural, singular) in IRREGULAR_PLURALS {
        // Also at the end of a compound: "snowmen", "policewomen".
        if let Some(start) = irregular(plural) {
            found.push(start + singular);
        }
    }
    for (ending, singular) in [("ies", "y"), ("ies", "ie"), ("ves", "f"), ("es", ""), ("s", "")] {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.chars().count() >= 2
            && (!stem.ends_with('s') || ending == "es")
        {
            found.push(format!("{stem}{singular}"));
        }
    }
    found.into_iter()
}

fn other_spelling(word: &str) -> Option<String> {
    SPELLINGS.iter().find_map(|&(a, b)| match word {
        _ if word == a => Some(b.to_owned()),
        _ if word == b => Some(a.to_owned()),
        _ => None,
    })
}

/// Edits between two words, swapped neighbors counting one (optimal string alignment).
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before_last[j - 2] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let json = r#"{
            "nouns": ["cat", "dog", "red apple", "hot dog", "ice cream", "t-shirt", "wolf", "berry", "cookie",
                "scissors", "person", "café", "airplane", "bus", "fox", "knife", "snowman", "houseplant",
                "guinea pig", "mouse", "face with tears of joy"],
            "other_words": ["left", "two", "three", "green", "meadow"],
            "styles": ["3d render", "flat icon", "black-and-white"],
            "colors": ["red", "sky blue", "gray"],
            "relations": ["on the left of", "next to"],
            "example_prompts": ["a cat on a table"]
        }"#;
        Vocabulary::from_json(json.as_bytes()).unwrap()
    }

    fn check(prompt: &str, expected: &[&str]) {
        assert_eq!(vocabulary().unknown_words(prompt), expected, "prompt {prompt:?}");
    }

    #[test]
    fn known_words_are_known_in_any_form() {
        for prompt in [
            "",
            "a cat",
            "Cats, DOGS and the wolves!",
            "two berries; 3 cookies (and 2 buses, foxes)",
            "a cat's scissor, the dogs' t-shirts",
            "the cat’s knives on the left of a CAFE",
            "ice-cream, icecream and ice creams",
            "a T shirt, tshirts, hotdogs",
            "an air plane; aeroplanes",
            "grey mice, people, snowmen",
            "black and white flat icon, 3D render",
            "house plants & guinea-pigs",
            "tears",
            "\u{ff23}\u{ff21}\u{ff34}",
            "😀 — … \u{0}\u{7} \u{301}\u{301}",
        ] {
            check(prompt, &[]);
        }
    }

    #[test]
    fn words_never_seen_are_listed_once_in_order() {
        check("A Zebra, a zebra and zebras near a quokka!", &["zebra", "zebras", "quokka"]);
        check("a cat-zebra", &["zebra"]);
        check("猫とcat", &["猫とcat"]);
        check("кошка и cat", &["кошка", "и"]);
        check("17 cats in 2024", &["17", "2024"]);
        check("Ünïcorn", &["ünïcorn"]);
    }

    #[test]
    fn an_empty_vocabulary_complains_about_nothing() {
        let empty = Vocabulary::from_json(b"{}").unwrap();
        assert!(empty.unknown_words("a zebra").is_empty());
        assert!(empty.suggestions("zebra").is_empty());
    }

    #[test]
    fn files_that_are_no_vocabulary_are_refused() {
        for json in ["", "[1]", "{\"nouns\": 3}", "{\"nouns\": [3]}"] {
            assert!(Vocabulary::from_json(json.as_bytes()).is_err(), "json {json:?}");
        }
    }

    #[test]
    fn suggestions_are_near_in_spelling() {
        let check = |word: &str, expected: &[&str]| {
            assert_eq!(vocabulary().suggestions(word), expected, "word {word:?}");
        };
        check("ct", &[]);
        check("catt", &["cat"]);
        check("Dgo", &["dog"]);
        check("scisors", &["scissors"]);
        check("berrry", &["berry"]);
        check("icecream", &["ice cream"]);
        check("rhinoceros", &[]);
        check("cookei", &["cookie"]);
        check(&"x".repeat(100_000), &[]);
    }

    #[test]
    fn hostile_prompts_end_in_few_words() {
        let vocabulary = vocabulary();
        let many = (0..100_000).map(|i| format!("w{i}")).collect::<Vec<_>>().join(" ");
        assert_eq!(vocabulary.unknown_words(&many).len(), MAX_UNKNOWN_WORDS);
        for prompt in ["x".repeat(1 << 20), "x-".repeat(1 << 19), "\u{301}".repeat(1 << 19)] {
            let unknown = vocabulary.unknown_words(&prompt);
            assert!(unknown.iter().all(|word| word.chars().count() <= MAX_WORD_CHARS));
        }
    }
}
