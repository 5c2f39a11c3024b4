//! What the engine tells its client about a job.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::engine::report::JobReport;
use crate::engine::request::Record;
use crate::geom::CanvasRect;
use crate::raster::{Mask, RgbaImage, composite_inside};

/// Names one job of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// How much of a prompt that is too long a model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PromptCut {
    /// Tokens of the prompt.
    pub tokens: usize,
    /// Tokens that the model reads.
    pub read: usize,
}

/// Something that happened to a job.
///
/// Order for one job: `Queued`, `Started`, then any number of `Stage`, `UnknownWords`,
/// `PromptCut`, `Words` and `Progress`, then exactly one of `Finished`, `Failed` and `Cancelled`. A job that is cancelled
/// while it waits goes from `Queued` to `Cancelled`.
#[derive(Debug)]
pub enum JobEvent {
    /// The job waits; `ahead` jobs come before it.
    Queued {
        /// Jobs that come before it, the running one not counted.
        ahead: usize,
    },
    /// The job runs.
    Started,
    /// The job went on to its next part.
    Stage(Stage),
    /// The prompt has words that the model has never seen; drawing goes on.
    UnknownWords(Vec<UnknownWord>),
    /// The prompt is longer than the model reads; the rest is left out and drawing goes on.
    PromptCut(PromptCut),
    /// All words of the answer that are written so far; the next event of this kind replaces it.
    Words(String),
    /// A denoising step was done.
    Progress(Progress),
    /// The job is done.
    Finished(Outcome),
    /// The job could not be done.
    Failed(Failure),
    /// The job was stopped on request.
    Cancelled,
}

impl JobEvent {
    /// Whether no event of the job follows this one.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        matches!(self, Self::Finished(_) | Self::Failed(_) | Self::Cancelled)
    }
}

/// The parts of a job, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Reading weights and building networks.
    Load,
    /// Reading the prompt, or what was said so far.
    Text,
    /// Writing words.
    Words,
    /// Drawing the small picture.
    Base,
    /// Enlarging it.
    Upsample,
    /// Bringing the result back into the picture.
    Blend,
}

impl Stage {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Text => "text",
            Self::Words => "words",
            Self::Base => "base",
            Self::Upsample => "upsample",
            Self::Blend => "blend",
        }
    }
}

/// A word that the model has never seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnknownWord {
    /// The word as it stands in the prompt.
    pub word: String,
    /// Known words that look like it, the likeliest first.
    pub suggestions: Vec<String>,
}

/// How far a stage has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Which part of the job.
    pub stage: Stage,
    /// Which picture or region, from 0.
    pub item: usize,
    /// How many pictures or regions.
    pub items: usize,
    /// Steps done for this item.
    pub step: usize,
    /// Steps in all for this item.
    pub steps: usize,
    /// Steps a second, over this item of this stage.
    pub rate: f64,
    /// Time left for this item of this stage.
    pub eta: Duration,
    /// How much of all steps of all stages and items of the job is done, 0 to 1; a step counts as
    /// much as its network computes, so that it grows evenly.
    pub overall: f32,
    /// Time left for all of the job's steps.
    pub job_eta: Duration,
}

/// The newest view of a picture that is being drawn.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The job that draws it.
    pub job: JobId,
    /// Which part of the job.
    pub stage: Stage,
    /// Which picture or region, from 0.
    pub item: usize,
    /// The step that it was made after.
    pub step: usize,
    /// What the network takes the finished picture to be, at the size that it works at; of a very
    /// large one every few pixels.
    pub image: RgbaImage,
    /// Where on the canvas the image lies, which for an edit is more than what is repainted; `None`
    /// for a picture of its own.
    pub place: Option<CanvasRect>,
}

/// What a job made.
#[derive(Debug)]
pub struct Outcome {
    /// The pictures, in the order of their seeds.
    pub pictures: Vec<Picture>,
    /// What was answered, where the request was a message.
    pub answer: Option<Box<Answer>>,
    /// How they were made.
    pub report: JobReport,
}

/// What a message was answered; its picture, where it has one, is the job's only one.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The words; may be empty.
    pub words: String,
    /// The turn with the words of its answer.
    pub record: Record,
    /// Which part of the picture that the message is about the answer's picture takes the place
    /// of: cover 0 leaves a pixel alone. As large as both pictures; `None` where the picture is a
    /// new one, or where there is none.
    pub change: Option<Arc<Mask>>,
}

impl Answer {
    /// The picture that the message is about, with the answer's picture where it changes it.
    /// Where nothing is covered, every byte stays.
    #[must_use]
    pub fn laid_over(&self, subject: &RgbaImage, picture: &RgbaImage) -> RgbaImage {
        let Some(change) = &self.change else { return picture.clone() };
        let mut with = subject.clone();
        composite_inside(&mut with, picture, subject.extent().rect(), change, 0);
        with
    }
}

/// One finished picture.
#[derive(Debug)]
pub struct Picture {
    /// Its pixels.
    pub image: RgbaImage,
    /// Its own seed.
    pub seed: u64,
    /// The request that makes it again.
    pub record: Record,
}

/// Why a job could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whose fault it is.
    pub kind: FailureKind,
    /// What went wrong, for who tells it in other words.
    pub cause: FailureCause,
    /// One sentence: what failed, why, how to mend it.
    pub message: String,
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The request or a file that it names.
    Input,
    /// The machine, or us.
    Failure,
}

/// What went wrong, as far as somebody can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureCause {
    /// There is no such model.
    NoModel,
    /// The model can't do this.
    WrongModel,
    /// A file of the model is not there.
    MissingFile,
    /// A file of the model can't be used.
    DamagedFile,
    /// The mask leaves nothing to repaint.
    EmptyMask,
    /// The picture has too many pixels.
    TooLarge,
    /// The device's memory is full.
    OutOfMemory,
    /// The device can't be used.
    NoDevice,
    /// The network gave values that are not numbers.
    NotFinite,
    /// The engine is gone.
    Stopped,
    /// Something else; the message says it.
    Other,
}
