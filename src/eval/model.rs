//! How a model comes into an evaluation, and models that the engine runs.

use std::sync::Arc;

use crate::engine::draft::{self, Choices, Source, Talk, Words};
use crate::engine::error::EngineError;
use crate::engine::event::Outcome;
use crate::engine::family::{Family, Purpose};
use crate::engine::library::ModelLibrary;
use crate::engine::request::{AnswerChoice, Request};
use crate::raster::{Mask, RgbaImage, composite_inside};

/// A model that draws pictures and fills holes in them.
pub trait DrawingModel {
    /// What stops an evaluation.
    type Error;

    /// Side in pixels of the pictures that it draws best.
    fn size(&self) -> u32;

    /// Draws what the prompt says.
    ///
    /// # Errors
    ///
    /// When the model can't be run, or the user stops it.
    fn draw(&mut self, prompt: &str, seed: u64) -> Result<RgbaImage, Self::Error>;

    /// Repaints the masked part of a picture, all of which the prompt describes; `None` where the
    /// model doesn't do that.
    ///
    /// # Errors
    ///
    /// As [`Self::draw`].
    fn fill(
        &mut self,
        picture: &RgbaImage,
        mask: &Mask,
        prompt: &str,
        seed: u64,
    ) -> Result<Option<RgbaImage>, Self::Error>;
}

/// What a model made of an instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// The picture as the model drew it.
    pub drawn: RgbaImage,
    /// The picture after the program put back what was to be kept.
    pub restored: RgbaImage,
    /// The part that the program let the model change.
    pub region: Mask,
    /// What the model answered.
    pub words: String,
}

/// A model that is told what to change in a picture, and answers questions about it.
pub trait EditingModel {
    /// What stops an evaluation.
    type Error;

    /// Side in pixels of the pictures that it works on best.
    fn size(&self) -> u32;

    /// Follows an instruction; a model that draws nothing gives the picture back with no region.
    ///
    /// # Errors
    ///
    /// When the model can't be run, or the user stops it.
    fn edit(
        &mut self,
        picture: &RgbaImage,
        instruction: &str,
        seed: u64,
    ) -> Result<Edited, Self::Error>;

    /// Answers a question.
    ///
    /// # Errors
    ///
    /// As [`Self::edit`].
    fn ask(
        &mut self,
        picture: &RgbaImage,
        question: &str,
        seed: u64,
    ) -> Result<String, Self::Error>;
}

/// A model of the library that works by denoising from a prompt, run by an engine.
pub struct EngineModel<'a, R> {
    library: &'a ModelLibrary,
    choices: Choices,
    size: u32,
    run: R,
}

impl<'a, R> EngineModel<'a, R> {
    /// A model with the user's choices; `run` does one job and waits for its end.
    ///
    /// Pictures stay at the size of the model's small network: the enlarging one doesn't decide what
    /// is drawn, and takes most of the time.
    ///
    /// # Errors
    ///
    /// When there is no such model, or it lacks a network.
    pub fn new(library: &'a ModelLibrary, choices: Choices, run: R) -> Result<Self, EngineError> {
        let family = Family::find(library, choices.model.as_deref(), Purpose::Generate)?;
        let size = family.base_size()?;
        Ok(Self { library, choices, size, run })
    }

    fn choices(&self, seed: u64) -> Choices {
        Choices { seed: Some(seed), size: Some(self.size), count: Some(1), ..self.choices.clone() }
    }
}

impl<E, R> EngineModel<'_, R>
where
    E: From<EngineError>,
    R: FnMut(Request) -> Result<Outcome, E>,
{
    fn picture(&mut self, request: Request) -> Result<RgbaImage, E> {
        let outcome = (self.run)(request)?;
        let picture = outcome.pictures.into_iter().next();
        Ok(picture.ok_or_else(|| EngineError::Input("the model drew no picture".to_owned()))?.image)
    }
}

impl<E, R> DrawingModel for EngineModel<'_, R>
where
    E: From<EngineError>,
    R: FnMut(Request) -> Result<Outcome, E>,
{
    type Error = E;

    fn size(&self) -> u32 {
        self.size
    }

    fn draw(&mut self, prompt: &str, seed: u64) -> Result<RgbaImage, E> {
        let choices = self.choices(seed);
        self.picture(draft::generate(Words::prompt(prompt), &choices, None, self.library)?)
    }

    fn fill(
        &mut self,
        picture: &RgbaImage,
        mask: &Mask,
        prompt: &str,
        seed: u64,
    ) -> Result<Option<RgbaImage>, E> {
        let choices = self.choices(seed);
        let image = Source::of(Arc::new(picture.clone()));
        let mask = Source::of(Arc::new(mask.clone()));
        let words = Words::prompt(prompt);
        let request = draft::inpaint(words, &choices, image, mask, None, self.library)?;
        self.picture(request).map(Some)
    }
}

/// A model of the library that is talked to, run by an engine.
///
/// Each message begins a conversation. Words are the likeliest ones, so that a seed's answer is the
/// model's and not chance's.
pub struct ChatModel<'a, R> {
    library: &'a ModelLibrary,
    choices: Choices,
    size: u32,
    run: R,
}

impl<'a, R> ChatModel<'a, R> {
    /// A model with the user's choices; `run` does one job and waits for its end.
    ///
    /// # Errors
    ///
    /// When there is no such model, or it can't be talked to.
    pub fn new(library: &'a ModelLibrary, choices: Choices, run: R) -> Result<Self, EngineError> {
        let family = Family::find(library, choices.model.as_deref(), Purpose::Chat)?;
        let size = family.base_size()?;
        Ok(Self { library, choices, size, run })
    }
}

impl<E, R> ChatModel<'_, R>
where
    E: From<EngineError>,
    R: FnMut(Request) -> Result<Outcome, E>,
{
    fn say(
        &mut self,
        message: &str,
        picture: Option<&RgbaImage>,
        answer: AnswerChoice,
        seed: u64,
    ) -> Result<Outcome, E> {
        let choices = Choices {
            seed: Some(seed),
            answer: Some(answer),
            temperature: Some(0.0),
            refine: Some(false),
            ..self.choices.clone()
        };
        let image = picture.map(|picture| Source::of(Arc::new(picture.clone())));
        let talk = Talk { image, ..Talk::default() };
        (self.run)(draft::chat(Some(message), &choices, talk, None, self.library)?)
    }
}

impl<E, R> DrawingModel for ChatModel<'_, R>
where
    E: From<EngineError>,
    R: FnMut(Request) -> Result<Outcome, E>,
{
    type Error = E;

    fn size(&self) -> u32 {
        self.size
    }

    fn draw(&mut self, prompt: &str, seed: u64) -> Result<RgbaImage, E> {
        let outcome = self.say(&format!("draw {prompt}"), None, AnswerChoice::Picture, seed)?;
        Ok(only_picture(outcome)?)
    }

    fn fill(
        &mut self,
        _picture: &RgbaImage,
        _mask: &Mask,
        _prompt: &str,
        _seed: u64,
    ) -> Result<Option<RgbaImage>, E> {
        Ok(None)
    }
}

impl<E, R> EditingModel for ChatModel<'_, R>
where
    E: From<EngineError>,
    R: FnMut(Request) -> Result<Outcome, E>,
{
    type Error = E;

    fn size(&self) -> u32 {
        self.size
    }

    fn edit(&mut self, picture: &RgbaImage, instruction: &str, seed: u64) -> Result<Edited, E> {
        let outcome = self.say(instruction, Some(picture), AnswerChoice::Free, seed)?;
        let Outcome { pictures, answer, .. } = outcome;
        let (words, change) =
            answer.map(|answer| (answer.words, answer.change)).unwrap_or_default();
        let extent = picture.extent();
        let mut restored = picture.clone();
        let Some(drawn) = pictures.into_iter().next().map(|drawn| drawn.image) else {
            let region = Mask::new(extent);
            return Ok(Edited { drawn: picture.clone(), restored, region, words });
        };
        let region = match change {
            Some(change) => change.as_ref().clone(),
            None => Mask::new(extent).inverted(),
        };
        composite_inside(&mut restored, &drawn, extent.rect(), &region, 0);
        Ok(Edited { drawn, restored, region, words })
    }

    fn ask(&mut self, picture: &RgbaImage, question: &str, seed: u64) -> Result<String, E> {
        let outcome = self.say(question, Some(picture), AnswerChoice::Free, seed)?;
        Ok(outcome.answer.map(|answer| answer.words).unwrap_or_default())
    }
}

fn only_picture(outcome: Outcome) -> Result<RgbaImage, EngineError> {
    let picture = outcome.pictures.into_iter().next();
    picture
        .map(|picture| picture.image)
        .ok_or_else(|| EngineError::Input("the model drew no picture".to_owned()))
}
