//! The job itself.

use std::sync::Arc;

use candle_core::Tensor;

use crate::engine::chat::context::{Context, Networks, Seen};
use crate::engine::device::{device_name, precision_name};
use crate::engine::error::EngineError;
use crate::engine::event::{Answer, Picture, Stage};
use crate::engine::jobs::Jobs;
use crate::engine::loaded_models::Wanted;
use crate::engine::report::{Report, Step};
use crate::engine::request::{
    AnswerChoice, ChatRecord, ChatRequest, ChatSettings, Record, UpscaleRequest, UpscaleSettings,
};
use crate::engine::sampling::sampler_from_choice;
use crate::engine::tensor_image::{image_from_tensor, preview_from_tensor};
use crate::engine::transfusion::{
    self, DrawSettings, Reply, ReplyEvent, ReplyPart, ReplySettings, TextSampling, UserTurn, reply,
};
use crate::engine::upscale::upscale;
use crate::engine::worker::{JobResult, Made};
use crate::geom::Extent;
use crate::models::Role;
use crate::raster::{
    ChangeSettings, Mask, RgbaImage, changed_part, composite_inside, outside_mask_delta_while,
    resize_bicubic_rgb_while, resize_mask,
};

/// A soft edge is at most this part of a picture's longer side wide: on a small picture it would be
/// most of a thing.
const SOFTEST: u32 = 64;

/// Previews of a picture that are made while it is drawn, beside the last.
const PREVIEWS: usize = 8;

/// Answers a message.
///
/// # Errors
///
/// When a model can't be loaded or run, or the job was cancelled.
pub(crate) fn chat(jobs: &mut Jobs, request: &ChatRequest, report: &mut Report<'_>) -> JobResult {
    let ChatRequest { settings, image, mask, attachments, earlier } = request;
    let networks = load(jobs, settings, report)?;
    report.stage(Stage::Text)?;
    report.unknown_words(networks.talker.unknown_words(&settings.common.prompt));
    let context = Context::read(&networks, &mut jobs.talks, earlier, image.as_ref(), attachments)?;

    report.stage(Stage::Words)?;
    let words = networks.talker.tokens(&settings.common.prompt);
    let turn = UserTurn { pictures: &context.latents, words: &words };
    let place = image.as_ref().map(|image| image.extent().rect());
    let mut writer =
        Writer { networks: &networks, place, report, tokens: Vec::new(), preview: None };
    let answered = reply(
        &networks.chat(),
        &context.conversation,
        &turn,
        &reply_settings(settings),
        &mut |event| writer.hear(event),
    )?;
    let (text, latents) = parts_of(&networks, &answered);
    let record = Record::Chat(ChatRecord { settings: settings.clone(), reply: text.clone() });

    let Some(latents) = latents else {
        return Ok(Made {
            pictures: Vec::new(),
            answer: Some(Answer { words: text, record, change: None }),
        });
    };
    let drawn = image_from_tensor(&networks.autoencoder.decode(&latents, &networks.interrupt)?)?;
    let part = match &context.subject {
        Some(subject) => Some(part_of(&networks, subject, &drawn)?),
        None => None,
    };
    let large = refined(jobs, settings, drawn, report)?;
    report.stage(Stage::Blend)?;
    let still = || !networks.interrupt.is_raised();
    let (picture, change) = match (image, part) {
        (Some(image), Some(part)) => {
            let picture = resize_bicubic_rgb_while(&large, image.extent(), &still);
            let picture = picture.ok_or(EngineError::Cancelled)?;
            let change = change_of(&part, image.extent(), mask.as_deref(), settings);
            let delta = outside(image, &picture, mask.as_deref(), &change, &still)?;
            report.facts.outside_mask_delta = Some(delta);
            (picture, Some(Arc::new(change)))
        }
        _ => (large, None),
    };
    let seed = settings.common.seed;
    Ok(Made {
        pictures: vec![Picture { image: picture, seed, record: record.clone() }],
        answer: Some(Answer { words: text, record, change }),
    })
}

fn load(
    jobs: &mut Jobs,
    settings: &ChatSettings,
    report: &mut Report<'_>,
) -> Result<Networks, EngineError> {
    report.stage(Stage::Load)?;
    let common = &settings.common;
    let device = jobs.device(common.device)?;
    let dtype = common.precision.dtype(&device)?;
    device_name(&device).clone_into(&mut report.facts.device);
    precision_name(dtype).clone_into(&mut report.facts.precision);
    let interrupt = report.interrupt().clone();
    let checkpoint = |role| {
        common.checkpoint(&[role]).ok_or_else(|| {
            EngineError::Input(format!("the request names no {role} network; send it again"))
        })
    };
    let wanted = Wanted { library: &jobs.library, family: &common.model, device: &device };
    let autoencoder = checkpoint(Role::Autoencoder)?;
    let transformer = checkpoint(Role::Transfusion)?;
    let name =
        format!("{} {} {:?} {dtype:?}", autoencoder.sha256, transformer.sha256, device.location());
    let autoencoder = jobs.models.autoencoder(&wanted, autoencoder, dtype, &interrupt)?;
    let talker = jobs.models.talker(&wanted, transformer, dtype, &interrupt)?;
    let config = talker.network.config();
    let unit = (config.patch_size * autoencoder.config().downscale()) as u32;
    let most = (config.latent_size * autoencoder.config().downscale()) as u32;
    let side = settings.base.size;
    if side == 0 || side > most || !side.is_multiple_of(unit) {
        return Err(EngineError::Input(format!(
            "--size {side} can't be drawn; the model {:?} draws squares of {most} pixels, or \
             smaller ones in steps of {unit}",
            common.model
        )));
    }
    Ok(Networks { autoencoder, talker, name, side, interrupt })
}

fn reply_settings(settings: &ChatSettings) -> ReplySettings {
    let base = &settings.base;
    ReplySettings {
        answer: match settings.answer {
            AnswerChoice::Free => transfusion::Answer::Free,
            AnswerChoice::Picture => transfusion::Answer::WithPicture,
            AnswerChoice::Words => transfusion::Answer::WordsOnly,
        },
        text: TextSampling { temperature: settings.temperature, top_p: settings.top_p },
        max_tokens: settings.max_tokens as usize,
        max_pictures: 1,
        draw: DrawSettings {
            sampler: sampler_from_choice(base.sampler, base.eta),
            steps: base.steps as usize,
            guidance_scale: base.guidance,
            ..DrawSettings::default()
        },
        size: None,
        seed: settings.common.seed,
        variant: 0,
    }
}

/// The words of an answer and the latents of its picture.
fn parts_of(networks: &Networks, answered: &Reply) -> (String, Option<Tensor>) {
    let mut tokens = Vec::new();
    let mut picture = None;
    for part in &answered.parts {
        match part {
            ReplyPart::Words(words) => tokens.extend_from_slice(words),
            ReplyPart::Picture(latents) => picture = Some(latents.clone()),
        }
    }
    (networks.talker.words(&tokens).trim().to_owned(), picture)
}

/// Tells the client what is written and drawn.
struct Writer<'a, 'b> {
    networks: &'a Networks,
    place: Option<crate::geom::CanvasRect>,
    report: &'a mut Report<'b>,
    tokens: Vec<u32>,
    preview: Option<RgbaImage>,
}

impl Writer<'_, '_> {
    fn hear(&mut self, event: ReplyEvent<'_>) -> Result<(), EngineError> {
        match event {
            ReplyEvent::Token(token) => {
                self.tokens.push(token);
                // All of them each time: a character may be spread over several tokens.
                let words = self.networks.talker.words(&self.tokens).trim().to_owned();
                self.report.words(words);
                self.report.check()
            }
            ReplyEvent::PictureBegun(_) => self.report.stage(Stage::Base),
            ReplyEvent::Step { report: step, .. } => {
                let every = step.steps.div_ceil(PREVIEWS).max(1);
                // Decoding costs about as much as a step of a small model does.
                if self.report.previews_wanted()
                    && (self.preview.is_none() || step.step.is_multiple_of(every))
                {
                    let pixels =
                        self.networks.autoencoder.decode(step.x_start, &self.networks.interrupt)?;
                    self.preview = Some(preview_from_tensor(&pixels)?);
                }
                let done = Step {
                    stage: Stage::Base,
                    item: 0,
                    items: 1,
                    step: step.step + 1,
                    steps: step.steps,
                    place: self.place,
                };
                let preview = &self.preview;
                self.report.step(done, || preview.clone().ok_or(EngineError::NotFinite))
            }
            ReplyEvent::PictureFinished { .. } => self.report.stage(Stage::Words),
        }
    }
}

/// Where the networks changed a picture, at their size.
fn part_of(networks: &Networks, subject: &Seen, drawn: &RgbaImage) -> Result<Mask, EngineError> {
    let latents = networks.encode(subject)?;
    // What the autoencoder can't show is missing in the drawn picture too, and is no change.
    let before = image_from_tensor(&networks.autoencoder.decode(&latents, &networks.interrupt)?)?;
    Ok(changed_part(&before, drawn, &ChangeSettings::default()))
}

/// Which pixels of the picture an answer takes the place of, and how much of each.
fn change_of(part: &Mask, extent: Extent, mask: Option<&Mask>, settings: &ChatSettings) -> Mask {
    let found = resize_mask(part, extent).threshold(128);
    // The soft edge lies inside a mask: widened by it, all of what changed is taken over in full, and
    // nothing of what stood there before shines through at its border.
    let soft = settings.feather_px.min(extent.width.max(extent.height) / SOFTEST);
    let by = settings.widen_px.saturating_add(i32::try_from(soft).unwrap_or(i32::MAX));
    let found = match by {
        0 => found,
        by if by > 0 => found.grow(by.unsigned_abs()),
        by => found.inverted().grow(by.unsigned_abs()).inverted(),
    };
    let Some(mask) = mask else { return found.feather(soft) };
    let mut both = found;
    for (cover, &allowed) in both.as_raw_mut().iter_mut().zip(mask.as_raw()) {
        *cover = (*cover).min(allowed);
    }
    both.feather(soft)
}

/// The answer's picture, enlarged by the family's network where that was asked for.
fn refined(
    jobs: &mut Jobs,
    settings: &ChatSettings,
    drawn: RgbaImage,
    report: &mut Report<'_>,
) -> Result<RgbaImage, EngineError> {
    let Some(upsample) = &settings.upsample else { return Ok(drawn) };
    let settings = UpscaleSettings {
        common: settings.common.clone(),
        upsample: upsample.clone(),
        image: crate::engine::request::SourceNote::default(),
    };
    let request = UpscaleRequest { settings, image: Arc::new(drawn) };
    let mut pictures = upscale(jobs, &request, report)?;
    pictures.pop().map(|picture| picture.image).ok_or(EngineError::NotFinite)
}

/// Bytes that differ outside the mask once the answer is laid over the picture; without a mask,
/// outside what changed. Measured on the finished bytes.
fn outside(
    image: &RgbaImage,
    picture: &RgbaImage,
    mask: Option<&Mask>,
    change: &Mask,
    still: &dyn Fn() -> bool,
) -> Result<usize, EngineError> {
    let mut with = image.clone();
    composite_inside(&mut with, picture, image.extent().rect(), change, 0);
    outside_mask_delta_while(image, &with, mask.unwrap_or(change), still)
        .ok_or(EngineError::Cancelled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::draft::{self, Choices, Source, Talk};
    use crate::engine::event::Outcome;
    use crate::engine::library::TinyFamily;
    use crate::engine::request::{EarlierTurn, Request};
    use crate::engine::testing::TinyEngine;
    use crate::raster::outside_mask_delta;

    struct Bench {
        tiny: TinyEngine,
        choices: Choices,
    }

    impl Bench {
        fn new() -> Self {
            let choices = Choices {
                seed: Some(5),
                steps: Some(3),
                answer: Some(AnswerChoice::Picture),
                ..Choices::default()
            };
            Self { tiny: TinyEngine::new(&TinyFamily::talking("tiny")), choices }
        }

        fn request(&self, message: &str, talk: Talk) -> Request {
            let library = self.tiny.library();
            draft::chat(Some(message), &self.choices, talk, None, &library).unwrap()
        }

        fn run(&mut self, message: &str, talk: Talk) -> Outcome {
            let request = self.request(message, talk);
            self.tiny.run(request)
        }
    }

    fn picture(width: u32, height: u32) -> Arc<RgbaImage> {
        let mut image = RgbaImage::new(Extent::new(width, height), [0, 0, 0, 255]);
        for (i, pixel) in (0_u32..).zip(image.pixels_mut()) {
            *pixel =
                [(i * 7) as u8, (i / 3) as u8, (i * i) as u8, if i % 5 == 0 { 0 } else { 255 }];
        }
        Arc::new(image)
    }

    fn about(image: &Arc<RgbaImage>) -> Talk {
        Talk { image: Some(Source::of(Arc::clone(image))), ..Talk::default() }
    }

    #[test]
    fn a_message_without_a_picture_draws_one_at_the_networks_size() {
        let mut bench = Bench::new();
        let outcome = bench.run("a red circle", Talk::default());
        let answer = outcome.answer.unwrap();
        let [picture] = outcome.pictures.as_slice() else { panic!("one picture") };
        assert_eq!(picture.image.extent(), Extent::new(32, 32));
        assert!(answer.change.is_none());
        assert_eq!(outcome.report.outside_mask_delta, None);
        let Record::Chat(turn) = &answer.record else { panic!("a turn") };
        assert_eq!(turn.reply, answer.words);
        assert_eq!(picture.record, answer.record);
        let json = serde_json::to_string(&answer.record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), answer.record);
    }

    #[test]
    fn an_edit_has_the_pictures_size_and_leaves_what_it_does_not_cover() {
        let mut bench = Bench::new();
        let image = picture(50, 21);
        let outcome = bench.run("make it blue", about(&image));
        let change = outcome.answer.unwrap().change.unwrap();
        assert_eq!(outcome.pictures[0].image.extent(), image.extent());
        assert_eq!(change.extent(), image.extent());
        assert_eq!(outcome.report.outside_mask_delta, Some(0));
    }

    #[test]
    fn nothing_outside_a_mask_is_covered() {
        let mut bench = Bench::new();
        let image = picture(40, 40);
        let mut mask = Mask::new(image.extent());
        mask.fill(crate::geom::CanvasRect::new(4, 5, 20, 9), 255);
        let mask = Arc::new(mask);
        let talk = Talk { mask: Some(Source::of(Arc::clone(&mask))), ..about(&image) };
        let outcome = bench.run("make it blue", talk);
        let change = outcome.answer.unwrap().change.unwrap();
        let beyond = change.as_raw().iter().zip(mask.as_raw()).filter(|(c, m)| c > m).count();
        assert_eq!(beyond, 0);
        let mut with = RgbaImage::clone(&image);
        composite_inside(&mut with, &outcome.pictures[0].image, image.extent().rect(), &change, 0);
        assert_eq!(outside_mask_delta(&image, &with, &mask), 0);
    }

    #[test]
    fn words_only_have_no_picture_and_the_seed_decides() {
        let mut bench = Bench::new();
        bench.choices.answer = Some(AnswerChoice::Words);
        bench.choices.temperature = Some(1.0);
        let image = picture(16, 16);
        let outcome = bench.run("what is it?", about(&image));
        assert!(outcome.pictures.is_empty());
        let first = outcome.answer.unwrap();
        assert!(first.change.is_none());
        let again = bench.run("what is it?", about(&image)).answer.unwrap();
        assert_eq!(again.words, first.words);
    }

    #[test]
    fn what_is_remembered_gives_the_same_answer_as_what_is_read_again() {
        let image = picture(32, 32);
        let talk = |bench: &mut Bench| {
            let first = bench.run("make it blue", about(&image));
            let drawn = Arc::new(first.pictures[0].image.clone());
            let turn = EarlierTurn {
                image: Some(Arc::clone(&image)),
                message: "make it blue".to_owned(),
                reply: first.answer.unwrap().words,
                result: Some(Arc::clone(&drawn)),
                ..EarlierTurn::default()
            };
            Talk { earlier: vec![turn], ..about(&drawn) }
        };
        let mut bench = Bench::new();
        let remembered = talk(&mut bench);
        let mut now = |talk: Talk| bench.run("now green", talk).pictures.remove(0).image;
        let (first, warm) = (now(remembered.clone()), now(remembered.clone()));
        // Another engine has to read all of it.
        let cold = Bench::new().run("now green", remembered).pictures.remove(0).image;
        assert!(first == warm && warm == cold);
    }

    #[test]
    fn branches_give_the_same_in_any_order() {
        let image = picture(32, 32);
        let mut bench = Bench::new();
        let mut both = |first: &str, second: &str| {
            let a = bench.run(first, about(&image)).pictures.remove(0).image;
            let b = bench.run(second, about(&image)).pictures.remove(0).image;
            (a, b)
        };
        let (a, b) = both("left", "right");
        let (b_again, a_again) = both("right", "left");
        assert!(a == a_again && b == b_again && a != b);
    }

    #[test]
    fn messages_that_make_no_sense_are_refused_with_what_to_do() {
        let bench = Bench::new();
        let library = bench.tiny.library();
        let refuse = |message: &str, choices: &Choices, talk: Talk, part: &str| {
            let error = draft::chat(Some(message), choices, talk, None, &library).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        };
        let choices = Choices::default();
        refuse(" ", &choices, Talk::default(), "say what you want");
        let mask = Some(Source::of(Arc::new(Mask::new(Extent::new(3, 3)))));
        refuse("x", &choices, Talk { mask: mask.clone(), ..Talk::default() }, "a mask needs");
        refuse("x", &choices, Talk { mask, ..about(&picture(4, 4)) }, "the picture's size");
        let mask = Some(Source::of(Arc::new(Mask::new(Extent::new(4, 4)))));
        refuse("x", &choices, Talk { mask, ..about(&picture(4, 4)) }, "empty");
        let many = Choices { count: Some(2), ..Choices::default() };
        refuse("x", &many, Talk::default(), "--count");
        let hot = Choices { temperature: Some(-1.0), ..Choices::default() };
        refuse("x", &hot, Talk::default(), "--temperature");
        let mut tiny = TinyEngine::new(&TinyFamily::talking("tiny"));
        let odd = Choices { size: Some(17), ..Choices::default() };
        let request = draft::chat(Some("x"), &odd, Talk::default(), None, &tiny.library()).unwrap();
        let job = tiny.engine.submit(request).unwrap();
        let failed = loop {
            match tiny.engine.wait(std::time::Duration::from_mins(5)).unwrap() {
                (id, crate::engine::event::JobEvent::Failed(failure)) if id == job => {
                    break failure;
                }
                (_, event) => assert!(!event.is_last(), "{event:?}"),
            }
        };
        assert!(failed.message.contains("--size 17"), "{}", failed.message);
    }
}
