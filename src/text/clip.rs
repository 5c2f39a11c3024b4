//! The tokenizer of CLIP: cleaned, lower-cased text, and words whose last symbol says so.

use std::sync::LazyLock;

use instant_clip_tokenizer as vocabulary;
use regex::Regex;

use crate::text::byte_pairs::{BytePairs, characters_of_bytes};
use crate::text::{TextError, html, repair};

const N_VOCAB: u16 = 49_408;
const START_OF_TEXT: u32 = 49_406;
const END_OF_TEXT: u32 = 49_407;
/// Tokens of single bytes come first; those that end a word follow at this distance.
const WORD_END: u32 = 256;
const WORD_END_MARK: &str = "</w>";

/// Source: openai/CLIP `clip/simple_tokenizer.py` (commit 573315e).
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+",
    )
    .ok()
});

/// Turns a prompt into the tokens of CLIP's text encoder.
#[derive(Debug)]
pub struct ClipTokenizer {
    pairs: BytePairs,
    byte_ids: [u32; 256],
}

/// A prompt between CLIP's start and end tokens, filled up to the context length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipTokens {
    /// Token ids; zeros after the end token.
    pub tokens: Vec<u32>,
    /// Number of tokens with start and end; the text feature is read at `len - 1`.
    pub len: usize,
}

impl ClipTokenizer {
    /// The vocabulary of the public CLIP models, 49408 tokens.
    ///
    /// Takes about a tenth of a second; build it once.
    ///
    /// # Errors
    ///
    /// When the crate that carries the vocabulary holds something else.
    pub fn new() -> Result<Self, TextError> {
        let damaged = |reason| TextError::BuiltIn { name: "CLIP", reason };
        let byte_ids = byte_ids();
        let source = Source { tokenizer: vocabulary::Tokenizer::new(), byte_ids: &byte_ids };
        let pieces = (0..N_VOCAB)
            .map(|id| source.piece(id).ok_or_else(|| damaged(format!("token {id} is unreadable"))))
            .collect::<Result<Vec<_>, _>>()?;
        let mut pairs = BytePairs::new(pieces.clone());
        for (id, piece) in (0..START_OF_TEXT).zip(&pieces).skip(2 * WORD_END as usize) {
            let symbols = match piece.strip_suffix(WORD_END_MARK.as_bytes()) {
                Some(word) => word_symbols(&byte_ids, word),
                None => piece.iter().map(|&b| byte_ids[usize::from(b)]).collect(),
            };
            if !pairs.recover_merge(id, symbols) {
                return Err(damaged(format!("token {id} is not made of two others")));
            }
        }
        Ok(Self { pairs, byte_ids })
    }

    /// The prompt as CLIP's vocabulary was built to see it: repaired, character references decoded
    /// twice, white space folded, lower-cased.
    #[must_use]
    pub fn clean(&self, prompt: &str) -> String {
        let text = repair::fix_text(prompt);
        let text = html::unescape(&text).into_owned();
        let text = html::unescape(&text);
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").to_lowercase()
    }

    /// All tokens of the prompt, without start and end.
    #[must_use]
    pub fn encode(&self, prompt: &str) -> Vec<u32> {
        self.encode_clean(&self.clean(prompt), usize::MAX)
    }

    /// The prompt's first `max_text_len - 2` tokens between start and end, filled up with zeros.
    #[must_use]
    pub fn encode_padded(&self, prompt: &str, max_text_len: usize) -> ClipTokens {
        let limit = max_text_len.saturating_sub(2);
        let mut tokens = vec![START_OF_TEXT];
        tokens.extend(self.encode_clean(&self.clean(prompt), limit).into_iter().take(limit));
        tokens.push(END_OF_TEXT);
        let len = tokens.len();
        tokens.resize(len.max(max_text_len), 0);
        ClipTokens { tokens, len }
    }

    /// The text of `tokens`, with a space after each word; broken characters and unknown ids become
    /// U+FFFD.
    #[must_use]
    pub fn decode(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens
            .iter()
            .flat_map(|&id| self.pairs.piece(id).unwrap_or("\u{fffd}".as_bytes()))
            .copied()
            .collect();
        String::from_utf8_lossy(&bytes).replace(WORD_END_MARK, " ")
    }

    /// Tokens of clean text, complete as far as the first `limit` of them.
    fn encode_clean(&self, text: &str, limit: usize) -> Vec<u32> {
        let mut tokens = Vec::new();
        for word in WORD.iter().flat_map(|pattern| pattern.find_iter(text)) {
            if tokens.len() >= limit {
                break;
            }
            match word.as_str() {
                "<|startoftext|>" => tokens.push(START_OF_TEXT),
                "<|endoftext|>" => tokens.push(END_OF_TEXT),
                word => {
                    let mut symbols = word_symbols(&self.byte_ids, word.as_bytes());
                    self.pairs.merge(&mut symbols);
                    tokens.append(&mut symbols);
                }
            }
        }
        tokens
    }
}

/// Bytes are numbered in the order of the characters that stand for them.
fn byte_ids() -> [u32; 256] {
    let characters = characters_of_bytes();
    characters.map(|c| characters.iter().filter(|&&other| other < c).count() as u32)
}

fn word_symbols(byte_ids: &[u32; 256], word: &[u8]) -> Vec<u32> {
    let mut symbols: Vec<u32> = word.iter().map(|&b| byte_ids[usize::from(b)]).collect();
    if let Some(last) = symbols.last_mut() {
        *last += WORD_END;
    }
    symbols
}

/// Reads the vocabulary out of the crate that carries it, which tells tokens only as text.
struct Source<'a> {
    tokenizer: vocabulary::Tokenizer,
    byte_ids: &'a [u32; 256],
}

/// Bytes before and after a part of a character that may make it whole.
const BEFORE: [&[u8]; 7] =
    [b"", b"\xC3", b"\xE1", b"\xE1\x80", b"\xF1", b"\xF1\x80", b"\xF1\x80\x80"];
const AFTER: [&[u8]; 6] =
    [b"", b"\x80", b"\x80\x80", b"\xA0\x80", b"\x80\x80\x80", b"\x90\x80\x80"];

impl Source<'_> {
    /// Bytes of a token, `</w>` included where it ends a word.
    fn piece(&self, id: u16) -> Option<Vec<u8>> {
        match u32::from(id) {
            START_OF_TEXT => return Some(b"<|startoftext|>".to_vec()),
            END_OF_TEXT => return Some(b"<|endoftext|>".to_vec()),
            id if id < 2 * WORD_END => {
                let byte = self.byte_ids.iter().position(|&b| b == id % WORD_END)?;
                let mark = if id < WORD_END { "" } else { WORD_END_MARK };
                return Some([&[byte as u8], mark.as_bytes()].concat());
            }
            _ => {}
        }
        // A token that cuts a character in two is readable only beside the missing bytes. One that
        // no bytes make readable is the replacement character itself.
        let neighbors = AFTER.into_iter().flat_map(|after| BEFORE.map(|before| (before, after)));
        let whole = |text: &String| !text.contains(char::REPLACEMENT_CHARACTER);
        let (text, before, after) = neighbors
            .filter_map(|(before, after)| Some((self.text(before, id, after)?, before, after)))
            .find(|(text, ..)| whole(text))
            .or_else(|| Some((self.text(b"", id, b"")?, &b""[..], &b""[..])))?;
        let piece = text.as_bytes().get(before.len()..text.len() - after.len())?;
        Some(match piece.strip_suffix(b" ") {
            Some(word) => [word, WORD_END_MARK.as_bytes()].concat(),
            None => piece.to_vec(),
        })
    }

    /// What the crate makes of a token between some bytes.
    fn text(&self, before: &[u8], id: u16, after: &[u8]) -> Option<String> {
        let ids =
            |bytes: &[u8]| bytes.iter().map(|&b| self.byte_ids[usize::from(b)] as u16).collect();
        let (before, after): (Vec<u16>, Vec<u16>) = (ids(before), ids(after));
        let tokens = before.into_iter().chain([id]).chain(after);
        let tokens: Option<Vec<_>> =
            tokens.map(|id| vocabulary::Token::from_u16(id, &self.tokenizer)).collect();
        Some(self.tokenizer.decode(tokens?))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    fn golden() -> Value {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = root.join("tests/golden/glide/tokenizer/clip.json");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    fn ids(value: &Value) -> Vec<u32> {
        value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
    }

    #[test]
    fn tokens_equal_the_reference() {
        let golden = golden();
        let tokenizer = ClipTokenizer::new().unwrap();
        let text_ctx = golden["text_ctx"].as_u64().unwrap() as usize;
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.iter().filter(|case| case["ftfy_matters"] == true).count() > 20);
        for case in cases {
            let text = case["text"].as_str().unwrap();
            assert_eq!(tokenizer.clean(text), case["cleaned"].as_str().unwrap(), "text {text:?}");
            let tokens = tokenizer.encode(text);
            assert_eq!(tokens, ids(&case["tokens"]), "text {text:?}");
            assert_eq!(tokenizer.decode(&tokens), case["decoded"].as_str().unwrap());
            let padded = tokenizer.encode_padded(text, text_ctx);
            assert_eq!(padded.tokens, ids(&case["padded"]), "text {text:?}");
            assert_eq!(padded.len as u64, case["len"].as_u64().unwrap(), "text {text:?}");
        }
    }

    #[test]
    fn other_context_lengths_equal_the_reference() {
        let golden = golden();
        let tokenizer = ClipTokenizer::new().unwrap();
        for case in golden["padding"].as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            let text_ctx = case["text_ctx"].as_u64().unwrap() as usize;
            let padded = tokenizer.encode_padded(text, text_ctx);
            assert_eq!(padded.tokens, ids(&case["padded"]), "text {text:?} at {text_ctx}");
            assert_eq!(padded.len as u64, case["len"].as_u64().unwrap());
        }
    }

    #[test]
    fn every_token_is_made_of_its_own_bytes() {
        let tokenizer = ClipTokenizer::new().unwrap();
        for id in [0, 255, 256, 511, 512, 49_405] {
            let piece = tokenizer.pairs.piece(id).unwrap();
            let (word, ends) = match piece.strip_suffix(WORD_END_MARK.as_bytes()) {
                Some(word) => (word, true),
                None => (piece, false),
            };
            let mut symbols = word_symbols(&tokenizer.byte_ids, word);
            if !ends && let Some(last) = symbols.last_mut() {
                *last -= WORD_END;
            }
            tokenizer.pairs.merge(&mut symbols);
            assert_eq!(symbols, [id]);
        }
        assert_eq!(
            tokenizer.decode(&[49_406, 320, 49_407, 49_408]),
            "<|startoftext|>a <|endoftext|>\u{fffd}"
        );
    }

    #[test]
    fn hostile_prompts_are_cleaned_and_cut() {
        let tokenizer = ClipTokenizer::new().unwrap();
        for unit in [
            "a",
            " ",
            "\n",
            "'",
            "\0",
            "\u{301}",
            "&amp;",
            "&#x41",
            "Ã©",
            "Ã ",
            "\u{85}",
            "<",
            "\u{1f600}",
            "猫",
        ] {
            let prompt = unit.repeat((1 << 17) / unit.len());
            assert_eq!(tokenizer.encode_padded(&prompt, 77).tokens.len(), 77, "unit {unit:?}");
        }
    }
}
