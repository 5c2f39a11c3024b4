//! The tokenizer of a GLIDE text encoder.

use crate::text::TextError;
use crate::text::byte_level::ByteLevel;

/// Turns a prompt into the tokens of a text encoder.
#[derive(Debug)]
pub struct Tokenizer {
    vocabulary: ByteLevel,
}

/// A prompt cut or filled up to a text encoder's context length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaddedTokens {
    /// Token ids; after the prompt's own, the last id of the vocabulary.
    pub tokens: Vec<u32>,
    /// True where a token belongs to the prompt.
    pub token_mask: Vec<bool>,
}

impl Tokenizer {
    /// The vocabulary of the public GLIDE checkpoints, which is GPT-2's.
    ///
    /// Takes about a tenth of a second; build it once.
    ///
    /// # Errors
    ///
    /// When the crate that carries the vocabulary holds something else.
    pub fn gpt2() -> Result<Self, TextError> {
        Ok(Self { vocabulary: ByteLevel::gpt2()? })
    }

    /// The vocabulary of a starter model, from the content of its `tokenizer.json`.
    ///
    /// # Errors
    ///
    /// When the file is no byte-level byte-pair tokenizer or contradicts itself.
    pub fn starter_from_bytes(json: &[u8]) -> Result<Self, TextError> {
        Ok(Self { vocabulary: ByteLevel::from_tokenizer_json(json)? })
    }

    /// Number of tokens; the last is the one that fills up.
    #[must_use]
    pub fn n_vocab(&self) -> usize {
        self.vocabulary.len()
    }

    /// The token with just this text, e.g. `<|user|>`; typing that text never gives a special token.
    #[must_use]
    pub fn token_id(&self, text: &str) -> Option<u32> {
        self.vocabulary.token_id(text)
    }

    /// All tokens of the prompt, lower-cased first.
    #[must_use]
    pub fn encode(&self, prompt: &str) -> Vec<u32> {
        self.vocabulary.encode(&prompt.to_lowercase(), usize::MAX)
    }

    /// The prompt's first `text_ctx` tokens, filled up with `n_vocab - 1`, the network's last entry.
    ///
    /// The empty prompt is nothing but filling. Ids for which the network has no entry (it was made
    /// for a smaller vocabulary) are left out.
    #[must_use]
    pub fn encode_padded(&self, prompt: &str, text_ctx: usize, n_vocab: usize) -> PaddedTokens {
        let mut tokens = self.vocabulary.encode(&prompt.to_lowercase(), text_ctx);
        tokens.retain(|&id| (id as usize) < n_vocab);
        tokens.truncate(text_ctx);
        let mut token_mask = vec![true; tokens.len()];
        token_mask.resize(text_ctx, false);
        tokens.resize(text_ctx, n_vocab.saturating_sub(1) as u32);
        PaddedTokens { tokens, token_mask }
    }

    /// The text of `tokens`; broken characters and unknown ids become U+FFFD.
    #[must_use]
    pub fn decode(&self, tokens: &[u32]) -> String {
        self.vocabulary.decode(tokens)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    fn golden(path: &str) -> Value {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        serde_json::from_slice(&fs::read(root.join(path)).unwrap()).unwrap()
    }

    fn ids(value: &Value) -> Vec<u32> {
        value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
    }

    fn starter() -> Tokenizer {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let json = fs::read(root.join("assets/models/starter/tokenizer.json")).unwrap();
        Tokenizer::starter_from_bytes(&json).unwrap()
    }

    #[test]
    fn gpt2_tokens_equal_the_reference() {
        let golden = golden("glide/tokenizer/bpe.json");
        let tokenizer = Tokenizer::gpt2().unwrap();
        let n_vocab = golden["n_vocab"].as_u64().unwrap() as usize;
        let text_ctx = golden["text_ctx"].as_u64().unwrap() as usize;
        assert_eq!(tokenizer.n_vocab(), n_vocab);
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() > 200);
        for case in cases {
            let text = case["text"].as_str().unwrap();
            let tokens = tokenizer.encode(text);
            assert_eq!(tokens, ids(&case["tokens"]), "text {text:?}");
            assert_eq!(tokenizer.decode(&tokens), case["decoded"].as_str().unwrap());
            let padded = tokenizer.encode_padded(text, text_ctx, n_vocab);
            assert_eq!(padded.tokens, ids(&case["padded"]), "text {text:?}");
            let mask_true = case["mask_true"].as_u64().unwrap() as usize;
            let mask: Vec<bool> = (0..text_ctx).map(|i| i < mask_true).collect();
            assert_eq!(padded.token_mask, mask, "text {text:?}");
        }
    }

    #[test]
    fn other_context_lengths_equal_the_reference() {
        let golden = golden("glide/tokenizer/bpe.json");
        let tokenizer = Tokenizer::gpt2().unwrap();
        for case in golden["padding"].as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            let text_ctx = case["text_ctx"].as_u64().unwrap() as usize;
            let padded = tokenizer.encode_padded(text, text_ctx, tokenizer.n_vocab());
            assert_eq!(padded.tokens, ids(&case["padded"]), "text {text:?} at {text_ctx}");
            let mask: Vec<u32> = padded.token_mask.iter().map(|&m| u32::from(m)).collect();
            let expected: Vec<u32> = match &case["mask"][0] {
                Value::Bool(_) => {
                    let mask = case["mask"].as_array().unwrap();
                    mask.iter().map(|m| u32::from(m.as_bool().unwrap())).collect()
                }
                _ => ids(&case["mask"]),
            };
            assert_eq!(mask, expected, "text {text:?} at {text_ctx}");
        }
    }

    #[test]
    fn cut_characters_decode_as_in_the_reference() {
        let golden = golden("glide/tokenizer/bpe.json");
        let tokenizer = Tokenizer::gpt2().unwrap();
        for case in golden["decode_partial"].as_array().unwrap() {
            let decoded = tokenizer.decode(&ids(&case["tokens"]));
            assert_eq!(decoded, case["decoded"].as_str().unwrap(), "case {case}");
        }
        assert_eq!(tokenizer.decode(&[50_256]), "<|endoftext|>");
        assert_eq!(tokenizer.decode(&[50_257, u32::MAX]), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn starter_tokens_equal_the_recipe() {
        let golden = golden("starter/tokenizer.json");
        let tokenizer = starter();
        assert_eq!(tokenizer.n_vocab() as u64, golden["n_vocab"].as_u64().unwrap());
        for case in golden["cases"].as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            let tokens = tokenizer.encode(text);
            assert_eq!(tokens, ids(&case["tokens"]), "text {text:?}");
            assert_eq!(tokenizer.decode(&tokens), text.to_lowercase());
        }
    }

    #[test]
    fn padding_is_the_last_entry_of_the_network() {
        let padded = starter().encode_padded("", 4, 6144);
        assert_eq!(padded, PaddedTokens { tokens: vec![6143; 4], token_mask: vec![false; 4] });
        let padded = starter().encode_padded("a fox", 0, 6144);
        assert_eq!(padded, PaddedTokens { tokens: vec![], token_mask: vec![] });
        // A network for a smaller vocabulary never gets an id that it has no row for.
        let padded = starter().encode_padded("an oil painting of a fox", 16, 100);
        assert!(padded.tokens.iter().all(|&id| id < 100));
    }

    #[test]
    fn special_tokens_cannot_be_typed() {
        assert!(starter().encode("<|boi|><|pad|>").iter().all(|&id| id > 7));
        assert!(!Tokenizer::gpt2().unwrap().encode("<|endoftext|>").contains(&50_256));
    }

    #[test]
    fn tokens_that_structure_a_conversation_are_found_by_name() {
        let tokenizer = starter();
        let names = ["<|pad|>", "<|bos|>", "<|user|>", "<|assistant|>", "<|boi|>", "<|eoi|>"];
        for (id, name) in (0..).zip(names.into_iter().chain(["<|eos|>", "<|patch|>"])) {
            assert_eq!(tokenizer.token_id(name), Some(id), "{name}");
        }
        assert_eq!(tokenizer.token_id("<|nobody|>"), None);
        assert_eq!(Tokenizer::gpt2().unwrap().token_id("<|endoftext|>"), Some(50_256));
    }

    #[test]
    fn files_that_are_no_such_tokenizer_are_refused() {
        let check = |json: &str, reason: &str| {
            let error = Tokenizer::starter_from_bytes(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        };
        let with = |pre: &str, model: &str| {
            format!(r#"{{"normalizer":null,"pre_tokenizer":{{"type":"{pre}"}},"model":{model}}}"#)
        };
        check("", "EOF");
        check("{}", "model");
        let empty = r#"{"type":"BPE","vocab":{},"merges":[]}"#;
        check(&with("Whitespace", empty), "byte-level");
        check(&with("ByteLevel", empty), "a byte has no token");
        check(&with("ByteLevel", r#"{"type":"WordPiece","vocab":{},"merges":[]}"#), "WordPiece");
        check(&with("ByteLevel", r#"{"type":"BPE","vocab":{"a":9},"merges":[]}"#), "id 9");
        check(&with("ByteLevel", r#"{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}"#), "share");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = root.join("assets/models/starter/tokenizer.json");
        let mut file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        file["model"]["merges"][3] = serde_json::json!(["no", "such"]);
        check(&file.to_string(), "merge 3");
    }

    #[test]
    fn hostile_prompts_are_encoded_whole() {
        let tokenizer = starter();
        for unit in ["a", " ", "\n", "'", "\0", "\u{301}", "ab ", "\u{1f600}", "猫", "\r\n\t x"] {
            let prompt = unit.repeat((1 << 18) / unit.len());
            assert_eq!(tokenizer.decode(&tokenizer.encode(&prompt)), prompt);
            assert_eq!(tokenizer.encode_padded(&prompt, 48, 6144).tokens.len(), 48);
        }
    }
}
