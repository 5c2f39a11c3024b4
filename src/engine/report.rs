//! Progress, preview and cancellation of the running job in one call.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::engine::error::EngineError;
use crate::engine::event::{JobEvent, JobId, Preview, Progress, PromptCut, Stage, UnknownWord};
use crate::engine::worker::Mailbox;
use crate::geom::CanvasRect;
use crate::nn::Interrupt;
use crate::raster::RgbaImage;

/// How a job was done.
#[derive(Clone, Debug, Default, Serialize)]
pub struct JobReport {
    /// Seconds spent in each part.
    pub seconds: BTreeMap<Stage, f64>,
    /// Where it was computed.
    pub device: String,
    /// In which number format.
    pub precision: String,
    /// Words of the prompt that the model has never seen.
    pub unknown_words: Vec<UnknownWord>,
    /// Set where the prompt is longer than the model reads.
    pub prompt_cut: Option<PromptCut>,
    /// Bytes outside the mask that an edit changed; `None` where nothing was edited.
    pub outside_mask_delta: Option<usize>,
}

/// One step of a stage, as a sampler reports it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
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
    /// Where on the canvas the preview lies, for an edit.
    pub place: Option<CanvasRect>,
}

/// The running job's line to the client.
pub struct Report<'a> {
    /// What will be said about the job when it is done.
    pub facts: JobReport,
    job: JobId,
    interrupt: Interrupt,
    mailbox: &'a mut Mailbox,
    stage: Option<(Stage, Instant)>,
    item: Option<Item>,
    work: Work,
}

/// The item of a stage that is under way.
#[derive(Clone, Copy)]
struct Item {
    stage: Stage,
    item: usize,
    began: Instant,
    /// Work of a step.
    weight: f64,
}

/// How much of the whole job's steps is done, in any unit.
#[derive(Default)]
struct Work {
    all: f64,
    /// Of the items before the one under way.
    before: f64,
    /// Of the item under way.
    item: f64,
    began: Option<Instant>,
}

impl Work {
    /// The share that is done; what was planned may be off by rounding.
    fn share(&self) -> f64 {
        if self.all > 0.0 { ((self.before + self.item) / self.all).clamp(0.0, 1.0) } else { 0.0 }
    }

    fn left(&self, share: f64) -> Duration {
        let spent = self.began.map_or(0.0, |began| began.elapsed().as_secs_f64());
        let left = if share > 0.0 { spent * (1.0 - share) / share } else { 0.0 };
        Duration::try_from_secs_f64(left).unwrap_or(Duration::ZERO)
    }
}

impl<'a> Report<'a> {
    pub(crate) fn new(job: JobId, interrupt: Interrupt, mailbox: &'a mut Mailbox) -> Self {
        Self {
            facts: JobReport::default(),
            job,
            interrupt,
            mailbox,
            stage: None,
            item: None,
            work: Work::default(),
        }
    }

    /// The flag that stops the job's networks.
    #[must_use]
    pub const fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Whether somebody looks at previews.
    #[must_use]
    pub const fn previews_wanted(&self) -> bool {
        self.mailbox.events().previews_wanted()
    }

    /// Begins a part of the job; the time until the next one counts for it.
    ///
    /// # Errors
    ///
    /// When the job was cancelled.
    pub fn stage(&mut self, stage: Stage) -> Result<(), EngineError> {
        self.check()?;
        if self.stage.is_some_and(|(running, _)| running == stage) {
            return Ok(());
        }
        self.end_stage();
        self.stage = Some((stage, Instant::now()));
        self.mailbox.events().send(self.job, JobEvent::Stage(stage));
        Ok(())
    }

    /// Says how much work all steps of the job are; without it each item counts the same.
    pub fn plan(&mut self, work: f64) {
        self.work.all = work;
    }

    /// Begins an item of a stage, each step of which is that much work; rate and time left count
    /// from here.
    pub fn begin_item(&mut self, stage: Stage, item: usize, weight: f64) {
        let began = Instant::now();
        self.work.before += std::mem::take(&mut self.work.item);
        self.work.began.get_or_insert(began);
        self.item = Some(Item { stage, item, began, weight });
    }

    /// Says that a step is done, with a view of the picture where somebody looks at it.
    ///
    /// # Errors
    ///
    /// When the job was cancelled, or the preview can't be made.
    pub fn step(
        &mut self,
        step: Step,
        preview: impl FnOnce() -> Result<RgbaImage, EngineError>,
    ) -> Result<(), EngineError> {
        self.mailbox.drain();
        self.check()?;
        let current = |item: &Item| item.stage == step.stage && item.item == step.item;
        if !self.item.as_ref().is_some_and(current) {
            self.begin_item(step.stage, step.item, 1.0);
        }
        if self.work.all <= 0.0 {
            // Nobody planned: this is all that is known.
            self.work.all = (step.items.max(1) * step.steps) as f64;
        }
        let seconds = self.item.map_or(0.0, |item| {
            self.work.item = item.weight * step.step as f64;
            item.began.elapsed().as_secs_f64()
        });
        let overall = self.work.share();
        let job_eta = self.work.left(overall);
        let rate = if seconds > 0.0 { step.step as f64 / seconds } else { 0.0 };
        let left = step.steps.saturating_sub(step.step) as f64;
        let eta = if rate > 0.0 {
            Duration::try_from_secs_f64(left / rate).unwrap_or(Duration::ZERO)
        } else {
            Duration::ZERO
        };
        let events = self.mailbox.events();
        if events.previews_wanted() {
            events.show(Preview {
                job: self.job,
                stage: step.stage,
                item: step.item,
                step: step.step,
                image: preview()?,
                place: step.place,
            });
        }
        let Step { stage, item, items, step, steps, place: _ } = step;
        let overall = overall as f32;
        events.offer(
            self.job,
            JobEvent::Progress(Progress {
                stage,
                item,
                items,
                step,
                steps,
                rate,
                eta,
                overall,
                job_eta,
            }),
        );
        Ok(())
    }

    /// Says which words of the prompt the model has never seen.
    pub fn unknown_words(&mut self, words: Vec<UnknownWord>) {
        if !words.is_empty() {
            self.mailbox.events().send(self.job, JobEvent::UnknownWords(words.clone()));
        }
        self.facts.unknown_words = words;
    }

    /// Says what is written so far.
    pub fn words(&mut self, words: String) {
        self.mailbox.events().offer(self.job, JobEvent::Words(words));
    }

    /// Says that the model leaves out the end of the prompt.
    pub fn prompt_cut(&mut self, cut: Option<PromptCut>) {
        if let Some(cut) = cut {
            self.mailbox.events().send(self.job, JobEvent::PromptCut(cut));
        }
        self.facts.prompt_cut = cut;
    }

    /// Goes on, or ends the job.
    ///
    /// # Errors
    ///
    /// When the job was cancelled.
    pub fn check(&self) -> Result<(), EngineError> {
        if self.interrupt.is_raised() { Err(EngineError::Cancelled) } else { Ok(()) }
    }

    /// Ends the last stage and gives what is to be said about the job.
    pub(crate) fn finish(mut self) -> JobReport {
        self.end_stage();
        self.facts
    }

    fn end_stage(&mut self) {
        if let Some((stage, began)) = self.stage.take() {
            *self.facts.seconds.entry(stage).or_default() += began.elapsed().as_secs_f64();
        }
    }
}
