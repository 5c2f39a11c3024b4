//! What was said before, read once.

use std::collections::VecDeque;
use std::sync::Arc;

use candle_core::Tensor;
use sha2::{Digest as _, Sha256};

use crate::engine::error::EngineError;
use crate::engine::loaded_models::LoadedTalker;
use crate::engine::request::EarlierTurn;
use crate::engine::tensor_image::tensor_from_image;
use crate::engine::transfusion::{ChatNetwork, Conversation, ReplyPart, UserTurn};
use crate::geom::Extent;
use crate::models::autoencoder::Autoencoder;
use crate::nn::Interrupt;
use crate::raster::{RgbaImage, resize_bicubic_rgb_while};

/// Bytes of keys and values that are kept at most; branches count what they share as often as
/// they share it.
const KEPT_BYTES: usize = 512 << 20;
/// What transparent pixels are shown over.
const PAPER: [u8; 3] = [255; 3];

/// Tells what was said up to a point: the digest of all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TalkKey([u8; 32]);

impl TalkKey {
    /// Nothing said, to a network on a device.
    fn start(network: &str) -> Self {
        Self(Sha256::digest(network.as_bytes()).into())
    }

    /// After one more turn.
    fn after(self, turn: &Turn) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        let mut add = |kind: u8, bytes: &[u8]| {
            hash.update([kind]);
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        for seen in &turn.shown {
            add(0, &seen.digest);
        }
        add(1, turn.message.as_bytes());
        add(2, turn.reply.as_bytes());
        if let Some(result) = &turn.result {
            add(3, &result.digest);
        }
        Self(hash.finalize().into())
    }
}

/// Conversations that may be gone on with, the latest used last.
#[derive(Default)]
pub(crate) struct Talks {
    kept: VecDeque<(TalkKey, Conversation)>,
}

impl Talks {
    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    fn find(&mut self, key: TalkKey) -> Option<Conversation> {
        let at = self.kept.iter().position(|(kept, _)| *kept == key)?;
        let found = self.kept.remove(at)?;
        let conversation = found.1.clone();
        self.kept.push_back(found);
        Some(conversation)
    }

    fn keep(&mut self, key: TalkKey, conversation: Conversation) {
        self.kept.retain(|(kept, _)| *kept != key);
        self.kept.push_back((key, conversation));
        let bytes = |kept: &VecDeque<(TalkKey, Conversation)>| -> usize {
            kept.iter().map(|(_, conversation)| conversation.bytes()).sum()
        };
        while self.kept.len() > 1 && bytes(&self.kept) > KEPT_BYTES {
            self.kept.pop_front();
        }
    }
}

/// A picture as the network sees it.
#[derive(Clone)]
pub(super) struct Seen {
    /// Its pixels at the network's size, opaque.
    pub(super) image: Arc<RgbaImage>,
    digest: [u8; 32],
}

impl Seen {
    fn of(image: RgbaImage) -> Self {
        let digest = Sha256::digest(image.as_raw()).into();
        Self { image: Arc::new(image), digest }
    }
}

/// One turn, as the network is reminded of it.
struct Turn {
    shown: Vec<Seen>,
    message: String,
    reply: String,
    result: Option<Seen>,
}

/// The networks of a conversation, ready.
pub(super) struct Networks {
    pub(super) autoencoder: Arc<Autoencoder>,
    pub(super) talker: Arc<LoadedTalker>,
    /// Tells them from others.
    pub(super) name: String,
    /// Side in pixels of what they see and draw.
    pub(super) side: u32,
    pub(super) interrupt: Interrupt,
}

impl Networks {
    pub(super) fn chat(&self) -> ChatNetwork<'_> {
        ChatNetwork {
            network: &self.talker.network,
            special: self.talker.special,
            interrupt: &self.interrupt,
        }
    }

    /// A picture at the networks' size: a square, whatever it was, because they know only squares.
    pub(super) fn see(&self, image: &RgbaImage) -> Result<Seen, EngineError> {
        let to = Extent::new(self.side, self.side);
        let still = || !self.interrupt.is_raised();
        let resized = resize_bicubic_rgb_while(&image.flattened(PAPER), to, &still);
        Ok(Seen::of(resized.ok_or(EngineError::Cancelled)?))
    }

    pub(super) fn encode(&self, seen: &Seen) -> Result<Tensor, EngineError> {
        let pixels = tensor_from_image(&seen.image, self.autoencoder.device())?;
        Ok(self.autoencoder.encode(&pixels, &self.interrupt)?)
    }

    fn encode_all(&self, seen: &[Seen]) -> Result<Vec<Tensor>, EngineError> {
        seen.iter().map(|seen| self.encode(seen)).collect()
    }
}

/// Everything that was said before a message, and the pictures that come with it.
pub(super) struct Context {
    /// What was said, read.
    pub(super) conversation: Conversation,
    /// The picture that the message is about, as the network sees it.
    pub(super) subject: Option<Seen>,
    /// Latents of the pictures that are shown with the message.
    pub(super) latents: Vec<Tensor>,
}

impl Context {
    /// Reads what was said, as far as it isn't remembered.
    pub(super) fn read(
        networks: &Networks,
        talks: &mut Talks,
        earlier: &[EarlierTurn],
        image: Option<&Arc<RgbaImage>>,
        attachments: &[Arc<RgbaImage>],
    ) -> Result<Self, EngineError> {
        let mut turns = Vec::with_capacity(earlier.len());
        let mut keys = vec![TalkKey::start(&networks.name)];
        let mut last: Option<Seen> = None;
        for turn in earlier {
            let (shown, subject) =
                shown_with(networks, last.as_ref(), turn.image.as_ref(), &turn.attachments)?;
            let result = turn.result.as_ref().map(|image| networks.see(image)).transpose()?;
            last = result.clone().or(subject).or(last);
            let turn =
                Turn { shown, message: turn.message.clone(), reply: turn.reply.clone(), result };
            if let Some(key) = keys.last() {
                keys.push(key.after(&turn));
            }
            turns.push(turn);
        }
        let (shown, subject) = shown_with(networks, last.as_ref(), image, attachments)?;
        // The longest beginning that was read before.
        let mut conversation = Conversation::new();
        let mut known = 0;
        for (count, &key) in keys.iter().enumerate().skip(1).rev() {
            if let Some(found) = talks.find(key) {
                (conversation, known) = (found, count);
                break;
            }
        }
        for (turn, &key) in turns.iter().zip(keys.iter().skip(1)).skip(known) {
            conversation = tell(networks, &conversation, turn)?;
            talks.keep(key, conversation.clone());
        }
        let latents = networks.encode_all(&shown)?;
        Ok(Self { conversation, subject, latents })
    }
}

/// The pictures that are shown with a message: the one that it is about, unless that is what the
/// network saw last, and the further ones; and the first of these by itself.
fn shown_with(
    networks: &Networks,
    last: Option<&Seen>,
    image: Option<&Arc<RgbaImage>>,
    attachments: &[Arc<RgbaImage>],
) -> Result<(Vec<Seen>, Option<Seen>), EngineError> {
    let subject = image.map(|image| networks.see(image)).transpose()?;
    let new = subject.iter().filter(|subject| last.is_none_or(|l| l.digest != subject.digest));
    let mut shown: Vec<Seen> = new.cloned().collect();
    for image in attachments {
        shown.push(networks.see(image)?);
    }
    Ok((shown, subject))
}

fn tell(
    networks: &Networks,
    conversation: &Conversation,
    turn: &Turn,
) -> Result<Conversation, EngineError> {
    let pictures = networks.encode_all(&turn.shown)?;
    let words = networks.talker.tokens(&turn.message);
    let mut answer = Vec::new();
    if !turn.reply.is_empty() {
        answer.push(ReplyPart::Words(networks.talker.tokens(&turn.reply)));
    }
    if let Some(result) = &turn.result {
        answer.push(ReplyPart::Picture(networks.encode(result)?));
    }
    conversation.tell(&networks.chat(), &UserTurn { pictures: &pictures, words: &words }, &answer)
}
