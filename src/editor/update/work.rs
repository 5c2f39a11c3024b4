//! Jobs for the models, and the prompt.

use std::sync::Arc;
use std::time::Duration;

use crate::editor::{
    Action, Editor, Effect, ExtendBy, Generation, Job, JobKind, JobNumber, JobState, NoticeKind,
    RequestPlan, ShownPreview, StagePlan, requests,
};
use crate::engine::catalog::ModelInfo;
use crate::engine::event::{Failure, JobEvent, JobId, Preview};
use crate::engine::request::Record;
use crate::geom::{Extent, PixelRect};
use crate::locale::{tr, trf};

use super::errors::{self, Told};
use super::sentence;

/// Jobs that are over and stay in the list, so that it doesn't grow without end.
const KEPT_JOBS: usize = 100;

impl Editor {
    pub(super) fn set_generation(&mut self, generation: Generation) {
        if generation.prompt != self.generation.prompt {
            self.prompt_at = None;
        }
        self.generation = generation;
    }

    pub(super) fn extend(&mut self, by: ExtendBy, effects: &mut Vec<Effect>) {
        self.dialog = None;
        self.start_job(JobKind::Extend, Some(by), effects);
    }

    /// Plans a job and sends it off.
    pub(super) fn start_job(
        &mut self,
        kind: JobKind,
        extend: Option<ExtendBy>,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(why) = self.why_not(kind) {
            let offer = self.chosen_model().is_none().then_some(Action::ShowSettings);
            self.notify(NoticeKind::Error, sentence(why), offer);
            return;
        }
        self.end_gesture();
        let number = JobNumber(self.next_number());
        match requests::plan(self, kind, extend, number) {
            Ok(plan) => self.submit(plan, effects),
            Err(why) => self.notify(NoticeKind::Error, sentence(&why), None),
        }
    }

    pub(super) fn submit(&mut self, plan: RequestPlan, effects: &mut Vec<Effect>) {
        let generation = &plan.generation;
        if plan.chat.is_none() && !generation.prompt.trim().is_empty() {
            self.preferences.prompt_history.remember(generation.prompt.clone());
        }
        if plan.chat.is_none() {
            self.prompt_at = None;
            self.prompt_remark = None;
        }
        let count = if plan.kind == JobKind::Upscale { 1 } else { generation.count.max(1) };
        self.jobs.jobs.push(Job {
            number: plan.job,
            id: None,
            kind: plan.kind,
            prompt: generation.prompt.clone(),
            seed: generation.seed,
            count,
            state: JobState::Preparing,
            plan: Arc::new(plan.clone()),
        });
        let over = self.jobs.jobs.iter().filter(|job| job.is_over()).count();
        if over > KEPT_JOBS
            && let Some(oldest) = self.jobs.jobs.iter().position(Job::is_over)
        {
            self.jobs.jobs.remove(oldest);
        }
        effects.push(Effect::Submit(Box::new(plan)));
        if !self.generation.seed_locked {
            self.roll_seed();
        }
        self.preferences.last_generation =
            serde_json::to_value(&self.generation).unwrap_or_default();
        self.keep_preferences(effects);
    }

    pub(super) fn retry_job(&mut self, number: JobNumber, effects: &mut Vec<Effect>) {
        let Some(job) = self.jobs.job(number) else { return };
        if job.kind == JobKind::Chat && self.is_answering() {
            return;
        }
        let mut plan = RequestPlan::clone(&job.plan);
        self.jobs.jobs.retain(|job| job.number != number);
        plan.job = JobNumber(self.next_number());
        if plan.chat.is_some() {
            self.ask_again(plan, effects);
            return;
        }
        self.submit(plan, effects);
    }

    pub(super) fn job_submitted(
        &mut self,
        number: JobNumber,
        result: Result<(JobId, Box<Record>), Failure>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(job) = self.jobs.jobs.iter_mut().find(|job| job.number == number) else { return };
        match result {
            Ok((id, _)) => {
                job.id = Some(id);
                if job.state == JobState::Preparing {
                    job.state = JobState::Waiting;
                }
            }
            Err(failure) => {
                let Told { text, offer } = errors::of_failure(&failure);
                job.state = JobState::Failed(text.clone());
                self.notify(NoticeKind::Error, text, offer);
                self.give_message_back(number, effects);
            }
        }
    }

    pub(super) fn job_event(&mut self, id: JobId, event: JobEvent, effects: &mut Vec<Effect>) {
        let Some(job) = self.jobs.by_id_mut(id) else {
            log::debug!("an event of job {}, which is not in the list", id.0);
            return;
        };
        let number = job.number;
        match event {
            JobEvent::Queued { .. } => job.state = JobState::Waiting,
            JobEvent::Started => {
                log::debug!("job started: {}", id.0);
                job.state = JobState::Running { stage: None, done: 0.0, left: None };
            }
            JobEvent::Stage(stage) => {
                if let JobState::Running { stage: now, .. } = &mut job.state {
                    *now = Some(stage);
                }
            }
            JobEvent::Progress(progress) => {
                let left = (progress.job_eta > Duration::ZERO).then_some(progress.job_eta);
                let stage = Some(progress.stage);
                job.state = JobState::Running { stage, done: progress.overall, left };
            }
            JobEvent::UnknownWords(words) => {
                let words: Vec<&str> = words.iter().map(|word| word.word.as_str()).collect();
                let text = trf(
                    "The model has never seen: {words}. It draws what it can.",
                    &[("words", &words.join(", "))],
                );
                self.remark(number, text);
            }
            JobEvent::PromptCut(cut) => {
                let text = trf(
                    "The prompt is longer than the model reads: {read} of {tokens} tokens.",
                    &[("read", &cut.read), ("tokens", &cut.tokens)],
                );
                self.remark(number, text);
            }
            JobEvent::Words(words) => {
                let pending = self.chat.pending.as_mut();
                if let Some(pending) = pending.filter(|pending| pending.job == number) {
                    pending.words = words;
                }
            }
            JobEvent::Finished(outcome) => {
                job.state = JobState::Finished;
                let plan = Arc::clone(&job.plan);
                let untouched = self.is_untouched() && self.staging.is_none();
                self.preview = None;
                effects.push(Effect::Stage(Box::new(StagePlan {
                    plan,
                    outcome,
                    document: self.document.clone(),
                    untouched,
                })));
            }
            JobEvent::Failed(failure) => {
                let Told { text, offer } = errors::of_failure(&failure);
                job.state = JobState::Failed(text.clone());
                self.preview = None;
                self.notify(NoticeKind::Error, text, offer);
                self.give_message_back(number, effects);
            }
            JobEvent::Cancelled => {
                job.state = JobState::Cancelled;
                self.preview = None;
                self.give_message_back(number, effects);
            }
        }
    }

    /// What the model said about the words of a job.
    fn remark(&mut self, number: JobNumber, text: String) {
        match self.chat.pending.as_mut().filter(|pending| pending.job == number) {
            Some(pending) => pending.remark = Some(text),
            None => self.prompt_remark = Some(text),
        }
    }

    /// Keeps a preview, unless its job is over or being cancelled.
    pub(super) fn show_preview(&mut self, preview: Preview) {
        let Some(job) = self.jobs.by_id(preview.job).filter(|job| !job.is_over()) else { return };
        let plan = Arc::clone(&job.plan);
        let place = self.preview_place(&preview, &plan);
        let in_selection = matches!(plan.kind, JobKind::Fill | JobKind::Vary | JobKind::Chat)
            && !self.document.selection.is_empty();
        self.preview = Some(ShownPreview {
            job: preview.job,
            image: Arc::new(preview.image),
            place,
            in_selection,
        });
    }

    pub(super) fn cancel_job(&mut self, number: JobNumber, effects: &mut Vec<Effect>) {
        let Some(job) = self.jobs.jobs.iter_mut().find(|job| job.number == number) else { return };
        if job.is_over() {
            return;
        }
        // The picture goes back at once; the engine's answer may take some milliseconds.
        if job.id.is_some_and(|id| self.preview.as_ref().is_some_and(|shown| shown.job == id)) {
            self.preview = None;
        }
        match job.id {
            Some(id) => effects.push(Effect::Cancel(id)),
            None => effects.push(Effect::Forget(number)),
        }
        job.state = JobState::Cancelled;
        self.give_message_back(number, effects);
    }

    pub(super) fn cancel_running(&mut self, effects: &mut Vec<Effect>) {
        let running = self.jobs.running().or_else(|| self.jobs.waiting().next());
        if let Some(number) = running.map(|job| job.number) {
            self.cancel_job(number, effects);
        }
    }

    pub(super) fn cancel_all(&mut self, effects: &mut Vec<Effect>) {
        let open: Vec<JobNumber> =
            self.jobs.jobs.iter().filter(|job| !job.is_over()).map(|job| job.number).collect();
        // Those that wait go first, so that none of them starts.
        for number in open.into_iter().rev() {
            self.cancel_job(number, effects);
        }
    }

    pub(super) fn move_job(
        &mut self,
        number: JobNumber,
        position: usize,
        effects: &mut Vec<Effect>,
    ) {
        let Some(from) = self.jobs.jobs.iter().position(|job| job.number == number) else { return };
        let waits = |job: &Job| matches!(job.state, JobState::Waiting | JobState::Preparing);
        if !self.jobs.jobs.get(from).is_some_and(waits) {
            return;
        }
        let job = self.jobs.jobs.remove(from);
        let id = job.id;
        let places: Vec<usize> = (0..self.jobs.jobs.len())
            .filter(|&place| self.jobs.jobs.get(place).is_some_and(waits))
            .collect();
        let place = places.get(position).copied().unwrap_or(self.jobs.jobs.len());
        self.jobs.jobs.insert(place, job);
        if let Some(id) = id {
            effects.push(Effect::Move(id, position));
        }
    }

    pub(super) fn roll_seed(&mut self) {
        // SplitMix64 (Steele et al., 2014): from one seed to another that looks unrelated. Seeds
        // are kept short enough to be typed.
        let mut z = self.generation.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.generation.seed = (z ^ (z >> 31)) >> 32;
    }

    pub(super) fn prompt_older(&mut self) {
        let prompts = self.preferences.prompt_history.items();
        let next = self.prompt_at.map_or(0, |at| at + 1);
        let Some(prompt) = prompts.get(next) else { return };
        if self.prompt_at.is_none() {
            self.prompt_draft = std::mem::take(&mut self.generation.prompt);
        }
        self.generation.prompt.clone_from(prompt);
        self.prompt_at = Some(next);
    }

    pub(super) fn prompt_newer(&mut self) {
        let Some(at) = self.prompt_at else { return };
        let newer = at.checked_sub(1);
        let prompt = match newer {
            Some(newer) => self.preferences.prompt_history.items().get(newer).cloned(),
            None => Some(std::mem::take(&mut self.prompt_draft)),
        };
        self.generation.prompt = prompt.unwrap_or_default();
        self.prompt_at = newer;
    }

    /// Where a preview lies on the canvas.
    fn preview_place(&self, preview: &Preview, plan: &RequestPlan) -> PixelRect {
        let canvas = self.document.extent.rect().into();
        match (plan.kind, plan.region, preview.place) {
            // What will be larger is shown within the canvas as it is.
            (JobKind::Upscale, ..) => canvas,
            // The engine counts from the corner of the part that it was given.
            (_, Some(region), Some(place)) => {
                let shift = plan.shift_to_now();
                PixelRect::from(place).shifted(region.x as i32 + shift.0, region.y as i32 + shift.1)
            }
            (_, Some(region), None) => region.into(),
            // The canvas will become as large as the picture, so it is shown filled by it.
            (_, None, _) if self.is_untouched() => canvas,
            (_, None, _) => {
                let side = self.result_side(plan);
                requests::place_of(plan, self.document.extent, Extent::new(side, side))
            }
        }
    }

    /// The side of the pictures that a plan's model draws.
    fn result_side(&self, plan: &RequestPlan) -> u32 {
        let model = self.model(plan.generation.model.as_deref());
        let small = model.and_then(|model| model.base_size);
        let large = model.and_then(|model| model.large_size);
        let side = if plan.generation.small { small } else { large.or(small) };
        side.unwrap_or(256)
    }

    /// The model of this name, the default one without a name; nothing where it is not there.
    pub(super) fn model(&self, id: Option<&str>) -> Option<&ModelInfo> {
        let catalog = self.catalog.as_deref()?;
        id.map_or_else(|| catalog.default_model(), |id| catalog.model(id))
    }

    /// The model that the next job uses.
    #[must_use]
    pub fn chosen_model(&self) -> Option<&ModelInfo> {
        self.model(self.generation.model.as_deref())
    }

    /// What the main button of the prompt panel does: fills the mask where there is one, else makes
    /// a picture.
    #[must_use]
    pub fn main_action(&self) -> Action {
        if self.document.selection.is_empty() { Action::Generate } else { Action::FillMask }
    }

    pub(super) fn use_settings(&mut self, id: crate::editor::GalleryId) {
        let Some(item) = self.gallery.item(id) else { return };
        let record = item.record.clone();
        if let Record::Chat(turn) = &record {
            self.use_message(turn);
            return;
        }
        let common = record.common();
        let generation = &mut self.generation;
        generation.prompt.clone_from(&common.prompt);
        generation.negative_prompt.clone_from(&common.negative_prompt);
        generation.model = Some(common.model.clone());
        generation.seed = common.seed;
        generation.seed_locked = true;
        generation.count = 1;
        if let Some(base) = record.base() {
            generation.steps = Some(base.steps);
            generation.sampler = Some(base.sampler);
            generation.guidance = Some(base.guidance);
            generation.clip_guidance = (base.clip_guidance > 0.0).then_some(base.clip_guidance);
            generation.small = record.upsample().is_none();
        }
        if let Record::Inpaint(settings) = &record {
            generation.strength = settings.strength;
            generation.feather_px = settings.feather_px;
        }
        self.prompt_at = None;
        let text = tr("Prompt, seed and settings were taken over; the seed is locked.");
        self.notify(NoticeKind::Info, text.to_owned(), None);
    }

    pub(super) fn use_seed(&mut self, id: crate::editor::GalleryId) {
        if let Some(item) = self.gallery.item(id) {
            self.generation.seed = item.record.common().seed;
            self.generation.seed_locked = true;
        }
    }
}
