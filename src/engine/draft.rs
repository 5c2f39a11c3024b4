//! From wishes to requests: what the user chose, else what a repeated picture says, else what suits
//! the model.
//!
//! The command line and the window build their requests here, so that the same choices give the
//! same picture in both. Only manifests are read: a bad wish is refused at once, before anything is
//! loaded. Nothing here knows files of pictures or arguments; start at [`generate`].

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::check::check;
use crate::engine::device::{DeviceChoice, Precision};
use crate::engine::error::EngineError;
use crate::engine::family::{Enlarged, Family, Purpose};
use crate::engine::library::ModelLibrary;
use crate::engine::request::{
    AlphaRule, AnswerChoice, BaseSettings, ChatRecord, ChatRequest, ChatSettings, Common,
    EarlierTurn, GenerateRequest, InpaintRequest, InpaintSettings, Request, SamplerChoice,
    SourceNote, UpsampleSettings, UpscaleRequest, UpscaleSettings,
};
use crate::raster::{Mask, RgbaImage};

/// Width of the soft edge inside the mask where nobody says otherwise.
pub const FEATHER_PX: u32 = 4;
/// How far [`vary`] leaves the original where nobody says otherwise.
pub const VARY_STRENGTH: f64 = 0.6;

/// What a user chose; `None` leaves it to the repeated picture or the model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// The model's id.
    pub model: Option<String>,
    /// Where the noise starts; random without it.
    pub seed: Option<u64>,
    /// Denoising steps of the small picture.
    pub steps: Option<u32>,
    /// The loop over them.
    pub sampler: Option<SamplerChoice>,
    /// Share of fresh noise of the DDIM sampler, 0 to 1.
    pub eta: Option<f64>,
    /// Scale of classifier-free guidance; 1 is none.
    pub guidance: Option<f64>,
    /// Scale of CLIP guidance; 0 is none.
    pub clip_guidance: Option<f64>,
    /// How many pictures.
    pub count: Option<u32>,
    /// Side of the picture: the model's small or its large one.
    pub size: Option<u32>,
    /// Steps of the enlargement: a number, or a respacing of the reference such as `fast27`.
    pub upsample_steps: Option<String>,
    /// The loop of the enlargement.
    pub upsample_sampler: Option<SamplerChoice>,
    /// Scale of the enlargement's classifier-free guidance; 1 is none.
    pub upsample_guidance: Option<f64>,
    /// Factor of the enlargement's starting noise.
    pub upsample_temperature: Option<f64>,
    /// Width in pixels of the soft edge inside the mask.
    pub feather_px: Option<u32>,
    /// How far an edit leaves the original, above 0 to 1.
    pub strength: Option<f64>,
    /// What an answer is to consist of.
    pub answer: Option<AnswerChoice>,
    /// How freely an answer's words are chosen.
    pub temperature: Option<f64>,
    /// Pixels by which the part that an answer changes is made wider, or narrower below 0.
    pub widen_px: Option<i32>,
    /// Whether an answer's picture is enlarged by the model's network for that.
    pub refine: Option<bool>,
    /// Where to compute.
    pub device: Option<DeviceChoice>,
    /// How exactly to compute.
    pub precision: Option<Precision>,
}

/// What a job reads; `None` leaves it to the repeated picture, else it is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words<'a> {
    /// What to draw.
    pub prompt: Option<&'a str>,
    /// What guidance leads away from.
    pub negative: Option<&'a str>,
}

impl<'a> Words<'a> {
    /// A prompt alone.
    #[must_use]
    pub const fn prompt(prompt: &'a str) -> Self {
        Self { prompt: Some(prompt), negative: None }
    }
}

/// The pixels of a job, with a note on where they came from.
#[derive(Clone, Debug)]
pub struct Source<T> {
    /// The pixels.
    pub pixels: Arc<T>,
    /// Where they came from, for people to read.
    pub note: SourceNote,
}

impl<T> Source<T> {
    /// Pixels of which nobody needs to know where they came from.
    #[must_use]
    pub fn of(pixels: Arc<T>) -> Self {
        Self { pixels, note: SourceNote::default() }
    }
}

/// A request for pictures from text.
///
/// `from` is a request to repeat with the choices changed.
///
/// # Errors
///
/// When the model can't do it or a choice makes no sense; the message names the choice.
pub fn generate(
    words: Words<'_>,
    choices: &Choices,
    from: Option<&GenerateRequest>,
    library: &ModelLibrary,
) -> Result<Request, EngineError> {
    let draft = Draft { words, choices, from: from.map(|request| &request.common) };
    let family = draft.family(library, Purpose::Generate)?;
    let base = draft.base(from.map(|request| &request.base), &family)?;
    let recorded =
        from.map_or(Recorded::Nothing, |request| Recorded::of(request.upsample.as_ref()));
    let upsample = draft.upsample(recorded, &family, &base)?;
    let common = draft.common(&family, Some(&base), enlarged(upsample.as_ref()))?;
    let count = choices.count.unwrap_or(1);
    checked(Request::Generate(GenerateRequest { common, count, base, upsample }), &family)
}

/// A request to repaint the masked part of a picture.
///
/// # Errors
///
/// As [`generate`]; also when picture and mask differ in size or the mask is empty.
pub fn inpaint(
    words: Words<'_>,
    choices: &Choices,
    image: Source<RgbaImage>,
    mask: Source<Mask>,
    from: Option<&InpaintSettings>,
    library: &ModelLibrary,
) -> Result<Request, EngineError> {
    let usual = Edit { strength: 1.0, alpha: AlphaRule::Painted };
    edit(words, choices, (image, mask), from, usual, library)
}

/// A request for a picture like the given one: all of it is repainted, but from itself with noise
/// over it, and its alpha stays.
///
/// # Errors
///
/// As [`generate`]; also when the picture has no pixels.
pub fn vary(
    words: Words<'_>,
    choices: &Choices,
    image: Source<RgbaImage>,
    from: Option<&InpaintSettings>,
    library: &ModelLibrary,
) -> Result<Request, EngineError> {
    let mut whole = Mask::new(image.pixels.extent());
    whole.as_raw_mut().fill(255);
    let usual = Edit { strength: VARY_STRENGTH, alpha: AlphaRule::Kept };
    edit(words, choices, (image, Source::of(Arc::new(whole))), from, usual, library)
}

/// What tells the kinds of edits apart.
struct Edit {
    strength: f64,
    alpha: AlphaRule,
}

#[expect(clippy::needless_pass_by_value, reason = "`usual` is made for this call")]
fn edit(
    words: Words<'_>,
    choices: &Choices,
    (image, mask): (Source<RgbaImage>, Source<Mask>),
    from: Option<&InpaintSettings>,
    usual: Edit,
    library: &ModelLibrary,
) -> Result<Request, EngineError> {
    let draft = Draft { words, choices, from: from.map(|settings| &settings.common) };
    let family = draft.family(library, Purpose::Inpaint)?;
    let base = draft.base(from.map(|settings| &settings.base), &family)?;
    let recorded =
        from.map_or(Recorded::Nothing, |settings| Recorded::of(settings.upsample.as_ref()));
    let upsample = draft.upsample(recorded, &family, &base)?;
    let common = draft.common(&family, Some(&base), enlarged(upsample.as_ref()))?;
    let settings = InpaintSettings {
        common,
        count: choices.count.unwrap_or(1),
        base,
        upsample,
        feather_px: choices
            .feather_px
            .or(from.map(|settings| settings.feather_px))
            .unwrap_or(FEATHER_PX),
        strength: choices
            .strength
            .or(from.map(|settings| settings.strength))
            .unwrap_or(usual.strength),
        alpha: usual.alpha,
        image: image.note,
        mask: mask.note,
    };
    let request = InpaintRequest { settings, image: image.pixels, mask: mask.pixels };
    checked(Request::Inpaint(request), &family)
}

/// A request to enlarge a picture.
///
/// # Errors
///
/// As [`generate`]; also when the picture is too large, or a count or size was chosen.
pub fn upscale(
    words: Words<'_>,
    choices: &Choices,
    image: Source<RgbaImage>,
    from: Option<&UpscaleSettings>,
    library: &ModelLibrary,
) -> Result<Request, EngineError> {
    if choices.count.is_some_and(|count| count != 1) {
        return Err(EngineError::Input("upscale makes one picture; leave --count out".to_owned()));
    }
    if choices.size.is_some() {
        return Err(EngineError::Input(
            "upscale always makes a picture four times as wide and high; leave --size out"
                .to_owned(),
        ));
    }
    let draft = Draft { words, choices, from: from.map(|settings| &settings.common) };
    let family = draft.family(library, Purpose::Upscale)?;
    let mut upsample = match from {
        Some(settings) => settings.upsample.clone(),
        None => family.upsample_settings()?,
    };
    draft.override_upsample(&mut upsample);
    let settings = UpscaleSettings {
        common: draft.common(&family, None, Enlarged::Yes)?,
        upsample,
        image: image.note,
    };
    checked(Request::Upscale(UpscaleRequest { settings, image: image.pixels }), &family)
}

/// What a message is about, and what was said before.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    /// The picture.
    pub image: Option<Source<RgbaImage>>,
    /// Where it may change; as large as the picture.
    pub mask: Option<Source<Mask>>,
    /// Further pictures that are shown with the message.
    pub attachments: Vec<Source<RgbaImage>>,
    /// What was said before, oldest first.
    pub earlier: Vec<EarlierTurn>,
}

/// A request to answer a message.
///
/// `from` is a turn to repeat with the choices changed.
///
/// # Errors
///
/// As [`generate`]; also when the mask doesn't fit the picture or the message is empty.
pub fn chat(
    message: Option<&str>,
    choices: &Choices,
    talk: Talk,
    from: Option<&ChatRecord>,
    library: &ModelLibrary,
) -> Result<Request, EngineError> {
    if choices.count.is_some_and(|count| count != 1) {
        return Err(EngineError::Input(
            "a message gets one answer; leave --count out, or send it again with another --seed"
                .to_owned(),
        ));
    }
    let from = from.map(|turn| &turn.settings);
    let words = Words { prompt: message, negative: None };
    let draft = Draft { words, choices, from: from.map(|settings| &settings.common) };
    let family = draft.family(library, Purpose::Chat)?;
    let suggested = family.chat_settings();
    let mut base = draft.base(from.map(|settings| &settings.base), &family)?;
    base.size = choices.size.unwrap_or(base.size);
    let refined = from.map_or(suggested.refine && family.large_size().is_some(), |settings| {
        settings.upsample.is_some()
    });
    let upsample = match (choices.refine.unwrap_or(refined), from) {
        (false, _) => None,
        (true, Some(ChatSettings { upsample: Some(upsample), .. })) => Some(upsample.clone()),
        (true, _) => Some(family.upsample_settings()?),
    };
    let upsample = upsample.map(|mut upsample| {
        draft.override_upsample(&mut upsample);
        upsample
    });
    let Talk { image, mask, attachments, earlier } = talk;
    let temperature = from.map_or(suggested.temperature, |settings| settings.temperature);
    let settings = ChatSettings {
        common: draft.common(&family, Some(&base), enlarged(upsample.as_ref()))?,
        answer: choices.answer.or(from.map(|settings| settings.answer)).unwrap_or_default(),
        temperature: choices.temperature.unwrap_or(temperature),
        top_p: from.map_or(suggested.top_p, |settings| settings.top_p),
        max_tokens: from.map_or(suggested.max_tokens, |settings| settings.max_tokens),
        base,
        upsample,
        feather_px: choices
            .feather_px
            .or(from.map(|settings| settings.feather_px))
            .unwrap_or(FEATHER_PX),
        widen_px: choices.widen_px.or(from.map(|settings| settings.widen_px)).unwrap_or(0),
        earlier: earlier.len() as u32,
        image: image.as_ref().map(|image| image.note.clone()),
        mask: mask.as_ref().map(|mask| mask.note.clone()),
        attachments: attachments.iter().map(|image| image.note.clone()).collect(),
    };
    let request = ChatRequest {
        settings,
        image: image.map(|image| image.pixels),
        mask: mask.map(|mask| mask.pixels),
        attachments: attachments.into_iter().map(|image| image.pixels).collect(),
        earlier,
    };
    checked(Request::Chat(request), &family)
}

/// A seed that nobody chose, short enough to be typed.
#[must_use]
pub fn random_seed() -> u64 {
    // The standard library seeds its hash tables from the system's randomness.
    RandomState::new().build_hasher().finish() >> 32
}

fn checked(request: Request, family: &Family) -> Result<Request, EngineError> {
    check(&request)?;
    family.check_loops(&request)?;
    Ok(request)
}

const fn enlarged(upsample: Option<&UpsampleSettings>) -> Enlarged {
    if upsample.is_some() { Enlarged::Yes } else { Enlarged::No }
}

/// What a repeated picture says about its enlargement.
#[derive(Clone, Copy)]
enum Recorded<'a> {
    /// No picture is repeated.
    Nothing,
    /// It was left small.
    Small,
    /// It was enlarged like this.
    Large(&'a UpsampleSettings),
}

impl<'a> Recorded<'a> {
    const fn of(upsample: Option<&'a UpsampleSettings>) -> Self {
        match upsample {
            Some(settings) => Self::Large(settings),
            None => Self::Small,
        }
    }
}

/// What is known about a request before it is one.
struct Draft<'a> {
    words: Words<'a>,
    choices: &'a Choices,
    from: Option<&'a Common>,
}

impl Draft<'_> {
    fn family(&self, library: &ModelLibrary, purpose: Purpose) -> Result<Family, EngineError> {
        let id = self.choices.model.as_deref().or(self.from.map(|from| from.model.as_str()));
        Family::find(library, id, purpose)
    }

    fn base(
        &self,
        from: Option<&BaseSettings>,
        family: &Family,
    ) -> Result<BaseSettings, EngineError> {
        let choices = self.choices;
        let mut base = match from {
            Some(base) => BaseSettings { size: family.base_size()?, ..base.clone() },
            None => family.base_settings(choices.sampler)?,
        };
        let clip_guided = choices.clip_guidance.is_some_and(|scale| scale > 0.0);
        if from.is_none() && clip_guided {
            // Both kinds of guidance at once pull too hard; the reference uses one at a time.
            base.guidance = 1.0;
        }
        base.sampler = choices.sampler.unwrap_or(base.sampler);
        if let Some(steps) = choices.steps {
            base.steps = steps;
            base.respacing = steps.to_string();
        }
        base.eta = choices.eta.unwrap_or(base.eta);
        base.guidance = choices.guidance.unwrap_or(base.guidance);
        base.clip_guidance = choices.clip_guidance.unwrap_or(base.clip_guidance);
        Ok(base)
    }

    /// How the small picture is enlarged; `None` where it stays small.
    fn upsample(
        &self,
        recorded: Recorded<'_>,
        family: &Family,
        base: &BaseSettings,
    ) -> Result<Option<UpsampleSettings>, EngineError> {
        let large = family.large_size();
        let enlarge = match self.choices.size {
            Some(size) if size == base.size => false,
            Some(size) if Some(size) == large => true,
            Some(size) => {
                let sizes = large.map_or_else(
                    || format!("only {}, because it has no upsampler", base.size),
                    |large| format!("{} or {large}", base.size),
                );
                return Err(EngineError::Input(format!(
                    "--size {size} can't be drawn; the model {:?} draws {sizes}",
                    family.id
                )));
            }
            None => match recorded {
                Recorded::Nothing => large.is_some(),
                Recorded::Small => false,
                Recorded::Large(_) => true,
            },
        };
        if !enlarge {
            return Ok(None);
        }
        let mut upsample = match recorded {
            Recorded::Large(settings) => {
                UpsampleSettings { size: large.unwrap_or(settings.size), ..settings.clone() }
            }
            _ => family.upsample_settings()?,
        };
        self.override_upsample(&mut upsample);
        Ok(Some(upsample))
    }

    fn override_upsample(&self, upsample: &mut UpsampleSettings) {
        let choices = self.choices;
        if let Some(steps) = &choices.upsample_steps {
            upsample.respacing.clone_from(steps);
        }
        upsample.sampler = choices.upsample_sampler.unwrap_or(upsample.sampler);
        upsample.guidance = choices.upsample_guidance.unwrap_or(upsample.guidance);
        upsample.temperature = choices.upsample_temperature.unwrap_or(upsample.temperature);
    }

    fn common(
        &self,
        family: &Family,
        base: Option<&BaseSettings>,
        enlarged: Enlarged,
    ) -> Result<Common, EngineError> {
        let clip_guidance = base.map_or(0.0, |base| base.clip_guidance);
        let checkpoints = family.checkpoints(enlarged, clip_guidance)?;
        if let Some(from) = self.from
            && self.choices.model.is_none()
        {
            for checkpoint in &checkpoints {
                let recorded = from.checkpoint(&[checkpoint.role]);
                if recorded.is_some_and(|recorded| recorded.sha256 != checkpoint.sha256) {
                    log::warn!(
                        "the picture was made with other {} weights; the result will differ",
                        checkpoint.role
                    );
                }
            }
        }
        let choices = self.choices;
        let from = self.from;
        let common = Common {
            prompt: self
                .words
                .prompt
                .or(from.map(|from| from.prompt.as_str()))
                .unwrap_or_default()
                .to_owned(),
            negative_prompt: self
                .words
                .negative
                .or(from.map(|from| from.negative_prompt.as_str()))
                .unwrap_or_default()
                .to_owned(),
            model: family.id.clone(),
            checkpoints,
            seed: choices.seed.or(from.map(|from| from.seed)).unwrap_or_else(random_seed),
            device: choices.device.or(from.map(|from| from.device)).unwrap_or_default(),
            precision: choices.precision.or(from.map(|from| from.precision)).unwrap_or_default(),
        };
        let guided = base.is_none_or(|base| (base.guidance - 1.0).abs() > f64::EPSILON);
        if !common.negative_prompt.is_empty() && !guided {
            log::warn!("the negative prompt does nothing at a guidance of 1");
        }
        Ok(common)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::library::TinyFamily;
    use crate::engine::request::Record;
    use crate::engine::testing::TinyEngine;
    use crate::geom::Extent;

    fn library() -> (ModelLibrary, TinyEngine) {
        let tiny = TinyEngine::new(&TinyFamily::complete("tiny"));
        (tiny.library(), tiny)
    }

    fn image(width: u32, height: u32) -> Source<RgbaImage> {
        Source::of(Arc::new(RgbaImage::new(Extent::new(width, height), [9, 9, 9, 255])))
    }

    #[test]
    fn what_is_chosen_wins_over_the_repeated_request_and_that_over_the_model() {
        let (library, _tiny) = library();
        let words = Words { prompt: Some("a cat"), negative: Some("a dog") };
        let choices =
            Choices { seed: Some(1), steps: Some(9), size: Some(16), ..Choices::default() };
        let first = generate(words, &choices, None, &library).unwrap();
        let Record::Generate(first) = first.record(1) else { panic!("a generate request") };
        assert_eq!((first.base.steps, first.base.guidance), (9, 3.0));
        assert!(first.upsample.is_none());
        let changed = Choices { guidance: Some(2.0), ..Choices::default() };
        let words = Words::prompt("a cow");
        let again = generate(words, &changed, Some(&first), &library).unwrap();
        let Record::Generate(again) = again.record(1) else { panic!("a generate request") };
        assert_eq!((again.base.steps, again.base.guidance), (9, 2.0));
        assert_eq!((again.common.prompt.as_str(), again.common.seed), ("a cow", 1));
        assert_eq!(again.common.negative_prompt, "a dog");
        assert!(again.upsample.is_none(), "it was left small");
        let clip = Choices { clip_guidance: Some(2.0), ..Choices::default() };
        let Request::Generate(clip) = generate(words, &clip, None, &library).unwrap() else {
            panic!("a generate request")
        };
        assert_eq!((clip.base.guidance, clip.base.clip_guidance), (1.0, 2.0));
    }

    #[test]
    fn edits_differ_in_strength_and_alpha() {
        let (library, _tiny) = library();
        let words = Words::prompt("a cat");
        let mut mask = Mask::new(Extent::new(20, 10));
        mask.as_raw_mut()[5] = 255;
        let mask = Source::of(Arc::new(mask));
        let usual = Choices::default();
        let settings = |request: Result<Request, EngineError>| match request.unwrap() {
            Request::Inpaint(request) => (request.settings, request.mask.covered_pixels()),
            other => panic!("{other:?}"),
        };
        let inpaint = |choices: &Choices, from: Option<&InpaintSettings>| {
            inpaint(words, choices, image(20, 10), mask.clone(), from, &library)
        };
        let (painted, covered) = settings(inpaint(&usual, None));
        assert_eq!((painted.strength, painted.alpha, covered), (1.0, AlphaRule::Painted, 1));
        assert_eq!(painted.feather_px, FEATHER_PX);
        let (varied, covered) = settings(vary(words, &usual, image(20, 10), None, &library));
        assert_eq!((varied.strength, varied.alpha), (VARY_STRENGTH, AlphaRule::Kept));
        assert_eq!(covered, 200);
        let chosen = Choices { strength: Some(0.25), ..Choices::default() };
        let (quarter, _) = settings(inpaint(&chosen, None));
        assert_eq!(settings(inpaint(&usual, Some(&quarter))).0.strength, 0.25);
        for strength in [0.0, -1.0, 1.01, f64::NAN] {
            let chosen = Choices { strength: Some(strength), ..Choices::default() };
            let message = inpaint(&chosen, None).unwrap_err().to_string();
            assert!(message.contains("--strength must be above 0 and at most 1"), "{message}");
        }
        let error = vary(words, &usual, image(0, 0), None, &library).unwrap_err();
        assert!(matches!(error, EngineError::Input(_)), "{error}");
    }

    #[test]
    fn an_enlargement_takes_no_count_and_no_size() {
        let (library, _tiny) = library();
        for (choices, part) in [
            (Choices { count: Some(2), ..Choices::default() }, "--count"),
            (Choices { size: Some(32), ..Choices::default() }, "--size"),
            (Choices { upsample_temperature: Some(9.0), ..Choices::default() }, "--upsample-temp"),
        ] {
            let wish = upscale(Words::default(), &choices, image(4, 4), None, &library);
            let message = wish.unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
        let usual = Choices::default();
        let wish = upscale(Words::default(), &usual, image(4, 4), None, &library).unwrap();
        assert!(wish.common().prompt.is_empty());
    }

    #[test]
    fn choices_can_be_written_down_and_gaps_are_filled() {
        let some: Choices = serde_json::from_str(r#"{"sampler":"dpm++","steps":7}"#).unwrap();
        assert_eq!(some.sampler, Some(SamplerChoice::DpmPp));
        let json = serde_json::to_string(&some).unwrap();
        assert_eq!(serde_json::from_str::<Choices>(&json).unwrap(), some);
    }
}
