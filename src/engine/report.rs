//! Progress, preview and cancellation of the running job in one call.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::engine::error::EngineError;
use crate::engine::event::{JobEvent, JobId, Preview, Progress, Stage, UnknownWord};
use crate::engine::worker::Mailbox;
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
}

/// The running job's line to the client.
pub struct Report<'a> {
    /// What will be said about the job when it is done.
    pub facts: JobReport,
    job: JobId,
    interrupt: Interrupt,
    mailbox: &'a mut Mailbox,
    stage: Option<(Stage, Instant)>,
    item: Option<(Stage, usize, Instant)>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(job: JobId, interrupt: Interrupt, mailbox: &'a mut Mailbox) -> Self {
        Self { facts: JobReport::default(), job, interrupt, mailbox, stage: None, item: None }
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

    /// Begins an item of a stage; rate and time left count from here.
    pub fn begin_item(&mut self, stage: Stage, item: usize) {
        self.item = Some((stage, item, Instant::now()));
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
        let began = match self.item {
            Some((stage, item, began)) if stage == step.stage && item == step.item => began,
            _ => {
                self.begin_item(step.stage, step.item);
                Instant::now()
            }
        };
        let seconds = began.elapsed().as_secs_f64();
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
            });
        }
        let Step { stage, item, items, step, steps } = step;
        events.offer(
            self.job,
            JobEvent::Progress(Progress { stage, item, items, step, steps, rate, eta }),
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
