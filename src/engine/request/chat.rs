//! A message of a conversation and what it is about, as plain data.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::request::{BaseSettings, Common, SourceNote, UpsampleSettings};
use crate::raster::{Mask, RgbaImage};

/// A message, everything that the model is shown with it, and how it is to answer.
///
/// An answer has words, a picture, or both. Its picture is brought to the size of the one that the
/// message is about, and comes with the part of it that is to be laid over: the rest stays as it
/// is.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// Everything but pixels and what was said before.
    pub settings: ChatSettings,
    /// The picture that the message is about; without one there is none yet.
    pub image: Option<Arc<RgbaImage>>,
    /// Where it may change, as large as the picture. Without a mask the job finds what changed.
    pub mask: Option<Arc<Mask>>,
    /// Further pictures that are shown with the message.
    pub attachments: Vec<Arc<RgbaImage>>,
    /// What was said before, oldest first.
    pub earlier: Vec<EarlierTurn>,
}

/// A message and its answer, as they were.
#[derive(Clone, Debug, Default)]
pub struct EarlierTurn {
    /// The picture that the message was about.
    pub image: Option<Arc<RgbaImage>>,
    /// Further pictures that were shown with it.
    pub attachments: Vec<Arc<RgbaImage>>,
    /// The user's words.
    pub message: String,
    /// The model's words.
    pub reply: String,
    /// What the picture was after the answer, where the answer changed it.
    pub result: Option<Arc<RgbaImage>>,
}

/// A message without its pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatSettings {
    /// What every job needs; the prompt is the message.
    #[serde(flatten)]
    pub common: Common,
    /// What the answer is to consist of.
    #[serde(default)]
    pub answer: AnswerChoice,
    /// How freely words are chosen: 0 always takes the likeliest, 1 draws as the model says.
    pub temperature: f64,
    /// Only the likeliest words that together have this probability are drawn from.
    pub top_p: f64,
    /// Tokens of words that the answer has at most.
    pub max_tokens: u32,
    /// How pictures are drawn; `size` is the side of what the model sees and draws.
    pub base: BaseSettings,
    /// How an answer's picture is refined before it is brought to full size; `None` stretches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upsample: Option<UpsampleSettings>,
    /// Width in pixels of the soft edge inside the part that changes.
    pub feather_px: u32,
    /// Pixels by which a part that the job finds is made wider, or narrower below 0.
    #[serde(default)]
    pub widen_px: i32,
    /// How many turns before this one the model was reminded of.
    #[serde(default)]
    pub earlier: u32,
    /// Where the picture came from, where the message is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<SourceNote>,
    /// Where the mask came from, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<SourceNote>,
    /// Where the further pictures came from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<SourceNote>,
}

/// What an answer is to consist of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerChoice {
    /// What the model thinks fit.
    #[default]
    Free,
    /// A picture, with or without words.
    Picture,
    /// Words only.
    Words,
}

impl std::str::FromStr for AnswerChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "free" => Ok(Self::Free),
            "picture" => Ok(Self::Picture),
            "words" => Ok(Self::Words),
            _ => Err("an answer is free, picture or words".to_owned()),
        }
    }
}

/// A turn of a conversation as it is written down: the message, how it was answered, and the words
/// of the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatRecord {
    /// The message.
    #[serde(flatten)]
    pub settings: ChatSettings,
    /// The model's words.
    #[serde(default)]
    pub reply: String,
}
