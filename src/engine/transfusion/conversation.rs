//! What was said so far.

use candle_core::Tensor;

use crate::engine::error::EngineError;
use crate::engine::transfusion::reply::ReplyPart;
use crate::models::transfusion::{KvCache, Picture, Sequence, SpecialTokens, Transfusion};
use crate::nn::Interrupt;

/// A network that one talks to.
#[derive(Clone, Copy, Debug)]
pub struct ChatNetwork<'a> {
    /// The network.
    pub network: &'a Transfusion,
    /// The tokens that structure its conversations.
    pub special: SpecialTokens,
    /// The flag that stops it.
    pub interrupt: &'a Interrupt,
}

impl ChatNetwork<'_> {
    /// Adds a finished picture to a sequence, from its opening to its closing token.
    ///
    /// # Errors
    ///
    /// When the latents `[1, C, H, W]` don't fit the network.
    pub(super) fn push_picture(
        &self,
        sequence: &mut Sequence,
        latents: &Tensor,
        opening: Opening,
    ) -> Result<(), EngineError> {
        let (_, _, height, width) = latents.dims4()?;
        let patches = self.network.patch_count(height, width)?;
        if opening == Opening::Missing {
            sequence.push_tokens(&[self.special.boi]);
        }
        let picture = Picture { latents: latents.clone(), timestep: 0.0 };
        sequence.push_picture(picture, patches, self.special.patch);
        sequence.push_tokens(&[self.special.eoi]);
        Ok(())
    }

    /// Reads on; `[1, T, D]` of the new places.
    pub(super) fn read(
        &self,
        cache: &mut KvCache,
        sequence: &Sequence,
    ) -> Result<Tensor, EngineError> {
        Ok(self.network.prefill(cache, sequence, self.interrupt)?)
    }
}

/// Whether a picture's opening token stands in the sequence already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    Missing,
    Present,
}

/// What the user says.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserTurn<'a> {
    /// Pictures that are shown first: latents `[1, C, H, W]` each.
    pub pictures: &'a [Tensor],
    /// Tokens of the words, without special ones.
    pub words: &'a [u32],
}

/// What was said so far, as the network's keys and values; complete turns only.
///
/// Cheap to clone: a branch shares everything with the conversation that it left.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    pub(super) cache: KvCache,
}

impl Conversation {
    /// A conversation in which nothing was said.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tokens and patches that were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    /// Bytes that it keeps, those shared with other branches included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.cache.bytes()
    }

    /// The conversation after a turn that was answered elsewhere: as [`super::reply`] would have
    /// left it, had it given this answer.
    ///
    /// # Errors
    ///
    /// When latents don't fit the network, or the interrupt was raised.
    pub fn tell(
        &self,
        chat: &ChatNetwork<'_>,
        turn: &UserTurn<'_>,
        answer: &[ReplyPart],
    ) -> Result<Self, EngineError> {
        let mut cache = self.with_pictures(chat, turn.pictures)?;
        let mut rest = Sequence::of_tokens(turn.words);
        rest.push_tokens(&[chat.special.assistant]);
        for part in answer {
            match part {
                ReplyPart::Words(words) => rest.push_tokens(words),
                ReplyPart::Picture(latents) => {
                    chat.push_picture(&mut rest, latents, Opening::Missing)?;
                }
            }
        }
        rest.push_tokens(&[chat.special.eos]);
        chat.read(&mut cache, &rest)?;
        Ok(Self { cache })
    }

    /// What was said, and the beginning of what the user says: up to the words.
    pub(super) fn with_pictures(
        &self,
        chat: &ChatNetwork<'_>,
        pictures: &[Tensor],
    ) -> Result<KvCache, EngineError> {
        let mut cache = self.cache.fork();
        let mut opening = Sequence::new();
        if cache.is_empty() {
            opening.push_tokens(&[chat.special.bos]);
        }
        opening.push_tokens(&[chat.special.user]);
        for latents in pictures {
            chat.push_picture(&mut opening, latents, Opening::Missing)?;
        }
        chat.read(&mut cache, &opening)?;
        Ok(cache)
    }
}
