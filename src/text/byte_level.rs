//! The byte-level scheme of GPT-2: text is cut into words with their leading space, and each word's
//! bytes are merged.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use crate::text::TextError;
use crate::text::byte_pairs::{BytePairs, characters_of_bytes};

const GPT2_VOCABULARY: u32 = 50_257;
const GPT2_END_OF_TEXT: &[u8] = b"<|endoftext|>";

/// The words of GPT-2's pattern; `Words` does the one alternative that needs look-ahead.
///
/// Source: openai/gpt-2 `src/encoder.py` (commit 9b63575).
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+").ok()
});

/// A byte-level vocabulary.
#[derive(Debug)]
pub(super) struct ByteLevel {
    pairs: BytePairs,
    byte_ids: [u32; 256],
}

impl ByteLevel {
    /// GPT-2's vocabulary, 50257 tokens of which the last ends a text.
    pub(super) fn gpt2() -> Result<Self, TextError> {
        let damaged = |reason: String| TextError::BuiltIn { name: "GPT-2", reason };
        let source = tiktoken_rs::r50k_base().map_err(|error| damaged(error.to_string()))?;
        let mut pieces = (0..GPT2_VOCABULARY - 1)
            .map(|id| source.decode_bytes(&[id]))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| damaged(error.to_string()))?;
        pieces.push(GPT2_END_OF_TEXT.to_vec());
        let byte_ids = byte_ids(&pieces).ok_or_else(|| damaged("a byte has no token".into()))?;
        let mut pairs = BytePairs::new(pieces.clone());
        for (id, piece) in (0..).zip(&pieces[..pieces.len() - 1]) {
            let symbols: Vec<u32> = piece.iter().map(|&b| byte_ids[b as usize]).collect();
            if symbols.len() > 1 && !pairs.recover_merge(id, symbols) {
                return Err(damaged(format!("token {id} is not made of two others")));
            }
        }
        Ok(Self { pairs, byte_ids })
    }

    /// Reads the tokenizer file of a starter model.
    ///
    /// Only what the starter recipe writes is taken: byte pairs with the byte-level split, nothing
    /// added before or after. Anything else would be encoded wrongly in silence.
    pub(super) fn from_tokenizer_json(json: &[u8]) -> Result<Self, TextError> {
        let unusable = |reason: String| TextError::TokenizerFile { reason };
        let file: TokenizerFile =
            serde_json::from_slice(json).map_err(|error| unusable(error.to_string()))?;
        file.check().map_err(unusable)?;
        let vocab = &file.model.vocab;
        let bytes_of: HashMap<char, u8> = characters_of_bytes().into_iter().zip(0..=255).collect();
        let mut pieces = vec![None; vocab.len()];
        for (text, &id) in vocab {
            // Special tokens are the only ones with characters that stand for no byte; they keep
            // their text.
            let bytes: Option<Vec<u8>> = text.chars().map(|c| bytes_of.get(&c).copied()).collect();
            let slot = pieces.get_mut(id as usize).ok_or_else(|| {
                unusable(format!("id {id} lies beyond its {} entries", vocab.len()))
            })?;
            *slot = Some(bytes.unwrap_or_else(|| text.clone().into_bytes()));
        }
        let pieces = pieces
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| unusable("two entries share one id".into()))?;
        let byte_ids = byte_ids(&pieces).ok_or_else(|| unusable("a byte has no token".into()))?;
        let mut pairs = BytePairs::new(pieces);
        for (rank, merge) in (0..).zip(&file.model.merges) {
            let (left, right) = merge.pair();
            let id = |text: &str| {
                vocab.get(text).copied().ok_or_else(|| {
                    unusable(format!("merge {rank} needs the missing entry {text:?}"))
                })
            };
            pairs.add_merge((id(left)?, id(right)?), rank, id(&format!("{left}{right}"))?);
        }
        Ok(Self { pairs, byte_ids })
    }

    /// Number of tokens.
    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The first token with just this text.
    pub(super) fn token_id(&self, text: &str) -> Option<u32> {
        (0..self.len() as u32).find(|&id| self.pairs.piece(id) == Some(text.as_bytes()))
    }

    /// Tokens of `text`, complete as far as the first `limit` of them.
    pub(super) fn encode(&self, text: &str, limit: usize) -> Vec<u32> {
        let mut tokens = Vec::new();
        for word in (Words { text, start: 0 }) {
            if tokens.len() >= limit {
                break;
            }
            let mut symbols: Vec<u32> =
                word.bytes().map(|b| self.byte_ids[usize::from(b)]).collect();
            self.pairs.merge(&mut symbols);
            tokens.append(&mut symbols);
        }
        tokens
    }

    /// Text of `tokens`; broken characters and unknown ids become U+FFFD.
    pub(super) fn decode(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens
            .iter()
            .flat_map(|&id| self.pairs.piece(id).unwrap_or("\u{fffd}".as_bytes()))
            .copied()
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn byte_ids(pieces: &[Vec<u8>]) -> Option<[u32; 256]> {
    let mut ids = [None; 256];
    for (id, piece) in (0..).zip(pieces) {
        if let [byte] = piece[..] {
            ids[usize::from(byte)].get_or_insert(id);
        }
    }
    ids.iter().all(Option::is_some).then(|| ids.map(Option::unwrap_or_default))
}

/// The words of a text, in order; together they are the whole text.
struct Words<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let found = WORD.as_ref()?.find_at(self.text, self.start)?;
        let mut end = found.end();
        // `\s+(?!\S)`: white space before a word leaves its last character to the word. Only the
        // last alternative can end in white space.
        if end < self.text.len()
            && let Some((last, space)) = found.as_str().char_indices().next_back()
            && last > 0
            && space.is_whitespace()
        {
            end = found.start() + last;
        }
        self.start = end;
        Some(&self.text[found.start()..end])
    }
}

#[derive(Deserialize)]
struct TokenizerFile {
    normalizer: Option<serde_json::Value>,
    pre_tokenizer: Option<PreTokenizer>,
    model: Model,
}

#[derive(Deserialize)]
struct PreTokenizer {
    r#type: String,
    #[serde(default)]
    add_prefix_space: bool,
    #[serde(default = "enabled")]
    use_regex: bool,
}

#[derive(Deserialize)]
struct Model {
    r#type: String,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    vocab: BTreeMap<String, u32>,
    merges: Vec<MergeEntry>,
}

/// Both forms that tokenizer files have used.
#[derive(Deserialize)]
#[serde(untagged)]
enum MergeEntry {
    Pair(String, String),
    Joined(String),
}

fn enabled() -> bool {
    true
}

impl TokenizerFile {
    fn check(&self) -> Result<(), String> {
        let byte_level = self
            .pre_tokenizer
            .as_ref()
            .is_some_and(|pre| pre.r#type == "ByteLevel" && pre.use_regex && !pre.add_prefix_space);
        let affix = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if self.model.r#type != "BPE" {
            Err(format!("its model is {:?}, and only \"BPE\" is supported", self.model.r#type))
        } else if self.normalizer.is_some() || !byte_level {
            Err("only the byte-level split without prefix space and normalizer is supported".into())
        } else if affix(&self.model.continuing_subword_prefix)
            || affix(&self.model.end_of_word_suffix)
        {
            Err("word prefixes and suffixes are not supported".into())
        } else {
            Ok(())
        }
    }
}

impl MergeEntry {
    fn pair(&self) -> (&str, &str) {
        match self {
            Self::Pair(left, right) => (left, right),
            Self::Joined(text) => text.split_once(' ').unwrap_or((text, "")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_gpt2_cuts_them() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(Words { text, start: 0 }.collect::<Vec<_>>(), expected, "text {text:?}");
        };
        check("", &[]);
        check("it's  a cat\n\n dog \t", &["it", "'s", " ", " a", " cat", "\n\n", " dog", " \t"]);
        check("  \n  x", &["  \n ", " x"]);
        check("a\nb", &["a", "\n", "b"]);
        check("?!\u{a0}\u{a0}é9", &["?!", "\u{a0}", "\u{a0}", "é", "9"]);
    }
}
