//! An answer: words until the network begins a picture or ends, pictures step by step.

use candle_core::{Shape, Tensor};

use crate::diffusion::{Noise, NoiseStream, StepReport};
use crate::engine::error::EngineError;
use crate::engine::transfusion::conversation::{ChatNetwork, Conversation, Opening, UserTurn};
use crate::engine::transfusion::drawing::{DrawSettings, GuidedPicture, draw, schedule_of};
use crate::engine::transfusion::pick::{TextSampling, pick_token};
use crate::models::transfusion::{KvCache, Sequence};

/// The stage of the noise by which words are chosen; pictures are stages from 0.
const TEXT_STAGE: u32 = u32::MAX;

/// What an answer is to consist of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// What the network thinks fit.
    #[default]
    Free,
    /// At least one picture.
    WithPicture,
    /// Words only.
    WordsOnly,
}

/// How an answer is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplySettings {
    /// What it is to consist of.
    pub answer: Answer,
    /// How freely words are chosen.
    pub text: TextSampling,
    /// Tokens of words after which it ends, the special ones not counted.
    pub max_tokens: usize,
    /// Pictures after which it draws no more.
    pub max_pictures: usize,
    /// How pictures are drawn.
    pub draw: DrawSettings,
    /// Height and width of pictures in latents; the network's own where none is given.
    pub size: Option<(usize, usize)>,
    /// The seed of everything that is left to chance.
    pub seed: u64,
    /// Which of several answers with this seed.
    pub variant: u32,
}

impl Default for ReplySettings {
    fn default() -> Self {
        Self {
            answer: Answer::Free,
            text: TextSampling::default(),
            max_tokens: 256,
            max_pictures: 4,
            draw: DrawSettings::default(),
            size: None,
            seed: 0,
            variant: 0,
        }
    }
}

/// What is heard while an answer is made.
#[derive(Clone, Copy, Debug)]
pub enum ReplyEvent<'a> {
    /// A token of words was written.
    Token(u32),
    /// A picture of the answer, counted from 0, was begun.
    PictureBegun(usize),
    /// A step of a picture was done.
    Step {
        /// Which picture of the answer.
        picture: usize,
        /// How far it is.
        report: StepReport<'a>,
    },
    /// A picture is done.
    PictureFinished {
        /// Which picture of the answer.
        picture: usize,
        /// Its latents, `[1, C, H, W]`.
        latents: &'a Tensor,
    },
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub enum ReplyPart {
    /// Tokens of words.
    Words(Vec<u32>),
    /// Latents of a picture, `[1, C, H, W]`.
    Picture(Tensor),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyEnd {
    /// The network had no more to say.
    Finished,
    /// It had as many tokens as it may.
    MaxTokens,
}

/// An answer, and what it leads to.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Words and pictures in their order.
    pub parts: Vec<ReplyPart>,
    /// Why it ended.
    pub end: ReplyEnd,
    /// The conversation with this turn in it.
    pub conversation: Conversation,
}

/// Answers what the user says next in a conversation, which itself stays as it is.
///
/// Pictures are guided against the same conversation without the words of this turn.
///
/// # Errors
///
/// When a token or picture doesn't fit the network, something that is not a number comes out, the
/// device fails, or `on_event` ends the answer (its error comes back) or the interrupt was raised
/// ([`EngineError::Cancelled`]).
pub fn reply(
    chat: &ChatNetwork<'_>,
    conversation: &Conversation,
    turn: &UserTurn<'_>,
    settings: &ReplySettings,
    on_event: &mut dyn FnMut(ReplyEvent<'_>) -> Result<(), EngineError>,
) -> Result<Reply, EngineError> {
    let answer = Answering::begin(chat, conversation, turn, settings)
        .and_then(|answering| answering.run(on_event));
    match answer {
        // Whatever the network said about it: this is why.
        Err(EngineError::Compute(_)) if chat.interrupt.is_raised() => Err(EngineError::Cancelled),
        answer => answer,
    }
}

/// What is known about the place where the next token comes.
struct Answering<'a> {
    chat: &'a ChatNetwork<'a>,
    settings: &'a ReplySettings,
    noise: Noise,
    /// Everything so far.
    with: KvCache,
    /// The same without the words of this turn, and what is still to be read there.
    without: KvCache,
    unread: Sequence,
    /// What the network gave at the last place, `[1, T, D]`.
    hidden: Tensor,
    parts: Vec<ReplyPart>,
    tokens: usize,
    pictures: usize,
}

impl<'a> Answering<'a> {
    fn begin(
        chat: &'a ChatNetwork<'a>,
        conversation: &Conversation,
        turn: &UserTurn<'_>,
        settings: &'a ReplySettings,
    ) -> Result<Self, EngineError> {
        let mut with = conversation.with_pictures(chat, turn.pictures)?;
        let without = with.fork();
        let mut words = Sequence::of_tokens(turn.words);
        words.push_tokens(&[chat.special.assistant]);
        let hidden = chat.read(&mut with, &words)?;
        Ok(Self {
            chat,
            settings,
            noise: Noise::new(settings.seed),
            with,
            without,
            unread: Sequence::of_tokens(&[chat.special.assistant]),
            hidden,
            parts: Vec::new(),
            tokens: 0,
            pictures: 0,
        })
    }

    fn run(
        mut self,
        on_event: &mut dyn FnMut(ReplyEvent<'_>) -> Result<(), EngineError>,
    ) -> Result<Reply, EngineError> {
        let special = self.chat.special;
        let mut end = ReplyEnd::Finished;
        loop {
            self.chat.interrupt.check()?;
            let token = if self.tokens < self.settings.max_tokens {
                self.next_token()?
            } else if self.lacks_picture() {
                special.boi
            } else {
                end = ReplyEnd::MaxTokens;
                special.eos
            };
            self.hidden = self.chat.read(&mut self.with, &Sequence::of_tokens(&[token]))?;
            if token == special.eos {
                break;
            }
            if token == special.boi {
                self.picture(on_event)?;
                continue;
            }
            self.tokens += 1;
            match self.parts.last_mut() {
                Some(ReplyPart::Words(words)) => words.push(token),
                _ => self.parts.push(ReplyPart::Words(vec![token])),
            }
            on_event(ReplyEvent::Token(token))?;
        }
        let conversation = Conversation { cache: self.with };
        Ok(Reply { parts: self.parts, end, conversation })
    }

    fn lacks_picture(&self) -> bool {
        self.settings.answer == Answer::WithPicture && self.may_draw() && self.pictures == 0
    }

    fn may_draw(&self) -> bool {
        self.settings.answer != Answer::WordsOnly && self.pictures < self.settings.max_pictures
    }

    /// Chooses among the tokens that make sense here.
    fn next_token(&self) -> Result<u32, EngineError> {
        let last = self.hidden.narrow(1, self.hidden.dim(1)? - 1, 1)?;
        let logits = self.chat.network.logits(&last)?;
        let mut logits = logits.flatten_all()?.to_vec1::<f32>()?;
        let special = self.chat.special;
        for token in special.all() {
            let allowed = (token == special.boi && self.may_draw())
                || (token == special.eos && !self.lacks_picture());
            if let Some(logit) = logits.get_mut(token as usize)
                && !allowed
                && !logit.is_nan()
            {
                *logit = f32::NEG_INFINITY;
            }
        }
        let drawn = (self.tokens + self.pictures) as u32;
        let stream = NoiseStream::step(TEXT_STAGE, drawn);
        let uniform = self.noise.uniform(stream, self.settings.variant);
        pick_token(&logits, &self.settings.text, uniform).ok_or(EngineError::NotFinite)
    }

    /// Draws a picture whose opening token was just read, and reads it.
    fn picture(
        &mut self,
        on_event: &mut dyn FnMut(ReplyEvent<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let ReplySettings { draw: settings, size, variant, .. } = *self.settings;
        let ChatNetwork { network, interrupt, special } = *self.chat;
        let picture = self.pictures;
        on_event(ReplyEvent::PictureBegun(picture))?;
        let guided = (settings.guidance_scale - 1.0).abs() > f64::EPSILON;
        if guided {
            self.unread.push_tokens(&[special.boi]);
            self.chat.read(&mut self.without, &self.unread)?;
        }
        let without = guided.then_some((&self.without, settings.guidance_scale));
        let denoiser = GuidedPicture::new(network, &self.with, without, interrupt)?;
        let side = network.config().latent_size;
        let (height, width) = size.unwrap_or((side, side));
        let shape = Shape::from((1, network.config().latent_channels, height, width));
        let (noise, device) = (self.noise, network.device());
        let stage = picture as u32;
        let mut draw_noise = |step: usize, shape: &Shape| {
            noise.batch(NoiseStream::step(stage, step as u32), variant, shape.clone(), device)
        };
        let x_t = noise.batch(NoiseStream::start(stage), variant, shape, device)?;
        let schedule = schedule_of(settings.steps)?;
        let mut on_step = |report: StepReport<'_>| on_event(ReplyEvent::Step { picture, report });
        let latents = draw(&denoiser, &schedule, &settings, x_t, &mut draw_noise, &mut on_step)?;
        let mut finished = Sequence::new();
        self.chat.push_picture(&mut finished, &latents, Opening::Present)?;
        self.hidden = self.chat.read(&mut self.with, &finished)?;
        self.unread = finished;
        self.pictures += 1;
        on_event(ReplyEvent::PictureFinished { picture, latents: &latents })?;
        self.parts.push(ReplyPart::Picture(latents));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::parameters::testing::random_weights;
    use crate::models::transfusion::{SpecialTokens, Transfusion, TransfusionConfig};
    use crate::nn::Interrupt;

    const SPECIAL: SpecialTokens =
        SpecialTokens { pad: 0, bos: 1, user: 2, assistant: 3, boi: 4, eoi: 5, eos: 6, patch: 7 };

    fn settings(answer: Answer) -> ReplySettings {
        ReplySettings {
            answer,
            text: TextSampling { temperature: 1.0, top_p: 1.0 },
            max_tokens: 5,
            max_pictures: 2,
            draw: DrawSettings { steps: 3, ..DrawSettings::default() },
            seed: 11,
            ..ReplySettings::default()
        }
    }

    fn numbers(latents: &Tensor) -> Vec<f32> {
        latents.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Words and pictures as plain data.
    fn said(reply: &Reply) -> Vec<(Vec<u32>, Vec<f32>)> {
        let part = |part: &ReplyPart| match part {
            ReplyPart::Words(words) => (words.clone(), Vec::new()),
            ReplyPart::Picture(latents) => (Vec::new(), numbers(latents)),
        };
        reply.parts.iter().map(part).collect()
    }

    fn picture(seed: u64) -> Tensor {
        let noise = Noise::new(seed);
        noise.batch(NoiseStream::start(0), 0, (1, 4, 4, 4), &candle_core::Device::Cpu).unwrap()
    }

    struct Bench {
        network: Transfusion,
        go: Interrupt,
    }

    impl Bench {
        fn new() -> Self {
            let config = TransfusionConfig {
                hidden_size: 24,
                num_hidden_layers: 2,
                num_attention_heads: 2,
                intermediate_size: 32,
                latent_channels: 4,
                latent_size: 4,
                ..TransfusionConfig::starter(40)
            };
            let network = Transfusion::new(&config, &random_weights(4)).unwrap();
            Self { network, go: Interrupt::new() }
        }

        fn chat(&self) -> ChatNetwork<'_> {
            ChatNetwork { network: &self.network, special: SPECIAL, interrupt: &self.go }
        }

        fn reply(&self, to: &Conversation, words: &[u32], settings: &ReplySettings) -> Reply {
            let turn = UserTurn { pictures: &[], words };
            reply(&self.chat(), to, &turn, settings, &mut |_| Ok(())).unwrap()
        }
    }

    #[test]
    fn an_answer_consists_of_what_was_asked_for() {
        let bench = Bench::new();
        for seed in 0..6 {
            let settings = |answer| ReplySettings { seed, ..settings(answer) };
            let start = Conversation::new();
            let drawn = bench.reply(&start, &[10, 11], &settings(Answer::WithPicture));
            let pictures =
                drawn.parts.iter().filter(|part| matches!(part, ReplyPart::Picture(_))).count();
            assert!((1..=2).contains(&pictures), "{:?}", drawn.parts);
            let words = bench.reply(&start, &[10, 11], &settings(Answer::WordsOnly));
            for part in words.parts.iter().chain(&drawn.parts) {
                match part {
                    ReplyPart::Words(tokens) => assert!(tokens.iter().all(|&token| token > 7)),
                    ReplyPart::Picture(latents) => assert_eq!(latents.dims(), [1, 4, 4, 4]),
                }
            }
            assert!(words.parts.iter().all(|part| matches!(part, ReplyPart::Words(_))));
        }
    }

    #[test]
    fn the_seed_decides_and_greedy_words_need_none() {
        let bench = Bench::new();
        let start = Conversation::new();
        let settings = settings(Answer::WithPicture);
        let first = said(&bench.reply(&start, &[10], &settings));
        assert_eq!(first, said(&bench.reply(&start, &[10], &settings)));
        for other in
            [ReplySettings { seed: 12, ..settings }, ReplySettings { variant: 1, ..settings }]
        {
            assert_ne!(first, said(&bench.reply(&start, &[10], &other)));
        }
        let greedy = |seed| ReplySettings {
            seed,
            answer: Answer::WordsOnly,
            text: TextSampling::greedy(),
            ..settings
        };
        let a = said(&bench.reply(&start, &[10], &greedy(1)));
        assert_eq!(a, said(&bench.reply(&start, &[10], &greedy(2))));
    }

    #[test]
    fn the_conversation_is_laid_out_as_in_training() {
        let bench = Bench::new();
        let chat = bench.chat();
        let shown = [picture(1)];
        let turn = UserTurn { pictures: &shown, words: &[10, 11] };
        let settings = settings(Answer::WithPicture);
        let start = Conversation::new();
        let first = reply(&chat, &start, &turn, &settings, &mut |_| Ok(())).unwrap();
        assert!(start.is_empty());
        let second = bench.reply(&first.conversation, &[12], &settings);
        let mut expected = Sequence::of_tokens(&[1, 2]);
        let push_reply = |expected: &mut Sequence, reply: &Reply| {
            for part in &reply.parts {
                match part {
                    ReplyPart::Words(words) => expected.push_tokens(words),
                    ReplyPart::Picture(latents) => {
                        chat.push_picture(expected, latents, Opening::Missing).unwrap();
                    }
                }
            }
            expected.push_tokens(&[6]);
        };
        chat.push_picture(&mut expected, &shown[0], Opening::Missing).unwrap();
        expected.push_tokens(&[10, 11, 3]);
        push_reply(&mut expected, &first);
        assert_eq!(first.conversation.len(), expected.len());
        expected.push_tokens(&[2, 12, 3]);
        push_reply(&mut expected, &second);
        assert_eq!(second.conversation.len(), expected.len());
        // What comes next is the same, too.
        expected.push_tokens(&[2]);
        let mut cache = second.conversation.cache.fork();
        let found = chat.read(&mut cache, &Sequence::of_tokens(&[2])).unwrap();
        let all = bench.network.forward(&[&expected], &bench.go).unwrap();
        let last = all.narrow(1, expected.len() - 1, 1).unwrap();
        let far = (found - last).unwrap().abs().unwrap().max_all().unwrap();
        assert!(far.to_scalar::<f32>().unwrap() < 1e-4);
    }

    #[test]
    fn branches_do_not_hear_of_each_other() {
        let bench = Bench::new();
        let settings = settings(Answer::WithPicture);
        let trunk = bench.reply(&Conversation::new(), &[10], &settings).conversation;
        let len = trunk.len();
        let answers = |order: [usize; 3]| {
            let mut found = vec![Vec::new(); 3];
            for i in order {
                let words = [20 + i as u32, 9];
                found[i] = said(&bench.reply(&trunk.clone(), &words, &settings));
            }
            found
        };
        let forward = answers([0, 1, 2]);
        assert_eq!(forward, answers([2, 0, 1]));
        assert_eq!(trunk.len(), len);
        assert_ne!(forward[0], forward[1]);
    }

    #[test]
    fn an_answer_can_be_stopped_at_every_token_and_step() {
        let bench = Bench::new();
        let settings = settings(Answer::WithPicture);
        let start = Conversation::new();
        let turn = UserTurn { pictures: &[], words: &[10] };
        let events = |stop_at: usize| {
            let mut heard = 0;
            let result = reply(&bench.chat(), &start, &turn, &settings, &mut |_| {
                heard += 1;
                if heard == stop_at { Err(EngineError::Cancelled) } else { Ok(()) }
            });
            (heard, result)
        };
        let (all, result) = events(usize::MAX);
        let reply_of_all = result.unwrap();
        let words = |part: &ReplyPart| match part {
            ReplyPart::Words(words) => words.len(),
            // Begun, three steps, finished.
            ReplyPart::Picture(_) => 5,
        };
        assert_eq!(all, reply_of_all.parts.iter().map(words).sum::<usize>());
        for stop_at in 1..=all {
            let (heard, result) = events(stop_at);
            assert!(matches!(result, Err(EngineError::Cancelled)), "at {stop_at}");
            assert_eq!(heard, stop_at);
        }
        bench.go.raise();
        let result = reply(&bench.chat(), &start, &turn, &settings, &mut |_| Ok(()));
        assert!(matches!(result, Err(EngineError::Cancelled)));
    }

    #[test]
    fn guidance_goes_away_from_the_conversation_without_the_words() {
        let bench = Bench::new();
        let start = Conversation::new();
        let with_scale = |guidance_scale: f64, words: &[u32]| {
            let mut settings = settings(Answer::WithPicture);
            // Straight to the picture: the words of the answer would differ as well.
            settings.max_tokens = 0;
            settings.draw.guidance_scale = guidance_scale;
            said(&bench.reply(&start, words, &settings))
        };
        // Scale 0 leaves nothing of the words but their number.
        assert_ne!(with_scale(1.0, &[10, 12]), with_scale(1.0, &[11, 13]));
        assert_eq!(with_scale(0.0, &[10, 12]), with_scale(0.0, &[11]));
        assert_ne!(with_scale(3.0, &[10, 12]), with_scale(1.0, &[10, 12]));
    }

    #[test]
    fn pictures_that_do_not_fit_are_refused() {
        let bench = Bench::new();
        let large =
            [Tensor::zeros((1, 4, 4, 6), candle_core::DType::F32, bench.network.device()).unwrap()];
        let turn = UserTurn { pictures: &large, words: &[] };
        let settings = settings(Answer::Free);
        let error = reply(&bench.chat(), &Conversation::new(), &turn, &settings, &mut |_| Ok(()))
            .unwrap_err();
        assert!(error.to_string().contains("4x6"), "{error}");
    }
}
