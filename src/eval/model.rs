//! How a model comes into an evaluation, and models that the engine runs.

use std::sync::Arc;

use crate::engine::draft::{self, Choices, Source, Words};
use crate::engine::error::EngineError;
use crate::engine::event::Outcome;
use crate::engine::family::{Family, Purpose};
use crate::engine::library::ModelLibrary;
use crate::engine::request::Request;
use crate::raster::{Mask, RgbaImage};

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

    /// Repaints the masked part of a picture, all of which the prompt describes.
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
    ) -> Result<RgbaImage, Self::Error>;
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
    ) -> Result<RgbaImage, E> {
        let choices = self.choices(seed);
        let image = Source::of(Arc::new(picture.clone()));
        let mask = Source::of(Arc::new(mask.clone()));
        let words = Words::prompt(prompt);
        self.picture(draft::inpaint(words, &choices, image, mask, None, self.library)?)
    }
}
