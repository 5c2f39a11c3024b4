//! Byte-pair tokenizers of the text encoders, and what the starter model's words are.
//!
//! Three vocabularies: GPT-2's for the public GLIDE text encoders, CLIP's for the noised CLIP, and
//! the starter models' own. [`Tokenizer`] covers the first and the last, which differ in data only;
//! [`ClipTokenizer`] cleans its text first and marks the ends of words. The vocabularies themselves
//! come from crates (and, for the starter, from the model's folder); merging is ours, because it
//! must stay exact and quick on any prompt, however long or strange.
//!
//! Nothing here knows tensors. Start reading at [`Tokenizer::encode_padded`].

mod byte_level;
mod byte_pairs;
mod clip;
mod error;
mod html;
mod mojibake;
mod repair;
mod tokenizer;
pub mod vocabulary;

pub use byte_pairs::characters_of_bytes;
pub use clip::{ClipTokenizer, ClipTokens};
pub use error::TextError;
pub use tokenizer::{PaddedTokens, Tokenizer};
pub use vocabulary::Vocabulary;
