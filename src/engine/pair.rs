//! A model ready to draw: the network for small pictures, the one that enlarges them, and the
//! prompt as both read it.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use crate::diffusion::{Denoiser, Sampler, Schedule};
use crate::engine::clip_guidance::PromptGradient;
use crate::engine::denoisers::{GlideDenoiser, Inputs};
use crate::engine::device::{device_name, precision_name};
use crate::engine::error::EngineError;
use crate::engine::event::Stage;
use crate::engine::family::Enlarged;
use crate::engine::jobs::Jobs;
use crate::engine::loaded_models::{LoadedGlide, Wanted};
use crate::engine::report::Report;
use crate::engine::request::{BaseSettings, CheckpointRef, Common, UpsampleSettings};
use crate::engine::sampling::{Loop, Origin, Steering, sampler_from_choice, steps_at};
use crate::geom::CanvasRect;
use crate::models::Role;
use crate::models::glide::{TextEmbedding, unet_flops};
use crate::raster::RgbaImage;

/// Both networks of a job with everything that is the same for all its pictures.
pub(crate) struct Pair {
    /// Draws small pictures.
    pub(crate) base: Option<Ready>,
    /// Enlarges them.
    pub(crate) upsample: Option<Ready>,
    gradient: Option<PromptGradient>,
}

/// One network with its prompt and its loop.
pub(crate) struct Ready {
    /// Side in pixels of the pictures that the network was made for.
    pub(crate) side: usize,
    stage: Stage,
    model: Arc<LoadedGlide>,
    text: Option<TextEmbedding>,
    guidance: Option<f64>,
    schedule: Schedule,
    sampler: Sampler,
    temperature: f64,
    /// Arithmetic of a step at the network's own size.
    work: f64,
    device: Device,
}

/// Which picture or region of a job is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Take {
    /// The seed of the picture.
    pub(crate) seed: u64,
    /// Which region of the picture, from 0; each has its own noise.
    pub(crate) region: u32,
    /// What progress says: which, from 0, and how many.
    pub(crate) item: (usize, usize),
    /// Where the drawn square lies on the canvas, for an edit.
    pub(crate) frame: Option<Frame>,
}

/// Where a square picture lies on a canvas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// What of the canvas the square shows.
    pub(crate) context: CanvasRect,
    /// Where that lies in the square, in pixels of the canvas; it spans the square on one axis.
    pub(crate) place: CanvasRect,
}

impl Frame {
    /// The context's part of a picture of the square, of any size.
    pub(crate) fn cut(self, square: &RgbaImage) -> RgbaImage {
        let CanvasRect { x, y, width, height } = self.place;
        let side = f64::from(width.max(height).max(1));
        let scale = f64::from(square.extent().width) / side;
        let at = |value: u32| (f64::from(value) * scale).round() as u32;
        let (left, top) = (at(x), at(y));
        let (right, bottom) = (at(x + width).max(left + 1), at(y + height).max(top + 1));
        let part = CanvasRect::new(left, top, right - left, bottom - top);
        square.crop(part.intersection(square.extent().rect()).unwrap_or(square.extent().rect()))
    }
}

impl Pair {
    /// Loads what the settings need and reads the prompt once.
    ///
    /// # Errors
    ///
    /// When a device, a checkpoint or a setting can't be used, or the job was cancelled.
    pub(crate) fn prepare(
        jobs: &mut Jobs,
        common: &Common,
        base: Option<&BaseSettings>,
        upsample: Option<&UpsampleSettings>,
        report: &mut Report<'_>,
    ) -> Result<Self, EngineError> {
        report.stage(Stage::Load)?;
        let device = jobs.device(common.device)?;
        let dtype = common.precision.dtype(&device)?;
        device_name(&device).clone_into(&mut report.facts.device);
        precision_name(dtype).clone_into(&mut report.facts.precision);

        let interrupt = report.interrupt().clone();
        let wanted = Wanted { library: &jobs.library, family: &common.model, device: &device };
        let mut load = |checkpoint: Option<&CheckpointRef>| {
            report.check()?;
            let checkpoint = checkpoint.ok_or_else(no_network)?;
            jobs.models.glide(&wanted, checkpoint, dtype, &interrupt)
        };
        let base_model = base.map(|_| load(common.base_checkpoint())).transpose()?;
        let upsample_model = upsample.map(|_| load(common.upsample_checkpoint())).transpose()?;
        let clip = match base {
            Some(base) if base.clip_guidance != 0.0 => {
                let image = common.checkpoint(&[Role::ClipImage]).ok_or_else(no_network)?;
                let clip = jobs.models.clip(&wanted, image, &interrupt)?;
                Some((clip, base.clip_guidance, base.size))
            }
            _ => None,
        };

        report.stage(Stage::Text)?;
        if let Some(model) = base_model.as_ref().or(upsample_model.as_ref()) {
            report.unknown_words(model.unknown_words(&common.prompt));
            report.prompt_cut(model.prompt_cut(&common.prompt));
        }
        let ready = |stage, model: Option<Arc<LoadedGlide>>, settings: Option<LoopSettings<'_>>| {
            model
                .zip(settings)
                .map(|(model, settings)| {
                    Ready::new(stage, model, common, &settings, &device, report)
                })
                .transpose()
        };
        Ok(Self {
            base: ready(Stage::Base, base_model, base.map(LoopSettings::from))?,
            upsample: ready(Stage::Upsample, upsample_model, upsample.map(LoopSettings::from))?,
            gradient: clip
                .map(|(clip, scale, size)| {
                    PromptGradient::new(clip, &common.prompt, scale, size, report.interrupt())
                })
                .transpose()?,
        })
    }

    /// Arithmetic of one picture at a strength, for [`Report::plan`].
    pub(crate) fn work(&self, enlarged: Enlarged, strength: f64) -> f64 {
        let of =
            |ready: &Option<Ready>| ready.as_ref().map_or(0.0, |ready| ready.all_work(strength));
        of(&self.base) + if enlarged == Enlarged::Yes { of(&self.upsample) } else { 0.0 }
    }

    /// Draws a small picture, `[1, 3, H, W]`, from noise or from `origin`.
    pub(crate) fn draw(
        &self,
        inputs: &Inputs,
        origin: Option<&Origin>,
        take: Take,
        report: &mut Report<'_>,
    ) -> Result<Tensor, EngineError> {
        let base = self.base.as_ref().ok_or_else(no_network)?;
        match &self.gradient {
            Some(gradient) => {
                let cond_fn = |x_t: &Tensor, timestep: f64| gradient.at(x_t, timestep);
                let steering = Steering { cond_fn: Some(&cond_fn), origin, known: None };
                base.draw(inputs, take, steering, report)
            }
            None => base.draw(inputs, take, Steering { origin, ..Steering::default() }, report),
        }
    }

    /// Enlarges the small picture of `inputs`, from noise or from `origin`; `[1, 3, H, W]`.
    pub(crate) fn enlarge(
        &self,
        inputs: &Inputs,
        origin: Option<&Origin>,
        take: Take,
        report: &mut Report<'_>,
    ) -> Result<Tensor, EngineError> {
        let upsample = self.upsample.as_ref().ok_or_else(no_network)?;
        upsample.draw(inputs, take, Steering { origin, ..Steering::default() }, report)
    }
}

fn no_network() -> EngineError {
    EngineError::Input(
        "the request has no network or no settings for a part of the work".to_owned(),
    )
}

/// What the two kinds of stage settings have in common.
struct LoopSettings<'a> {
    respacing: &'a str,
    sampler: Sampler,
    guidance: f64,
    temperature: f64,
}

impl<'a> From<&'a BaseSettings> for LoopSettings<'a> {
    fn from(settings: &'a BaseSettings) -> Self {
        Self {
            respacing: &settings.respacing,
            sampler: sampler_from_choice(settings.sampler, settings.eta),
            guidance: settings.guidance,
            temperature: 1.0,
        }
    }
}

impl<'a> From<&'a UpsampleSettings> for LoopSettings<'a> {
    fn from(settings: &'a UpsampleSettings) -> Self {
        Self {
            respacing: &settings.respacing,
            sampler: sampler_from_choice(settings.sampler, settings.eta),
            guidance: settings.guidance,
            temperature: settings.temperature,
        }
    }
}

impl Ready {
    fn new(
        stage: Stage,
        model: Arc<LoadedGlide>,
        common: &Common,
        settings: &LoopSettings<'_>,
        device: &Device,
        report: &Report<'_>,
    ) -> Result<Self, EngineError> {
        let schedule = model.schedule(settings.respacing)?;
        // A scale of 1 is the prediction with the prompt alone, at half the work.
        let guided = (settings.guidance - 1.0).abs() > f64::EPSILON && model.reads_text();
        let prompt = common.prompt.as_str();
        let prompts: &[&str] = if guided { &[prompt, &common.negative_prompt] } else { &[prompt] };
        let side = model.config.image_size;
        let rows = if guided { 2.0 } else { 1.0 };
        Ok(Self {
            // Only progress reads it, so a config that can't be counted counts as one unit.
            work: unet_flops(&model.config, side, side).map_or(1.0, |flops| flops * rows),
            side,
            stage,
            text: model.read(prompts, report.interrupt())?,
            guidance: guided.then_some(settings.guidance),
            schedule,
            sampler: settings.sampler,
            temperature: settings.temperature,
            device: device.clone(),
            model,
        })
    }

    /// Whether the network reads known pixels.
    pub(crate) fn reads_known_pixels(&self) -> bool {
        self.model.config.inpaint
    }

    /// The network with its prompt and these inputs.
    pub(crate) fn denoiser(
        &self,
        inputs: &Inputs,
        report: &Report<'_>,
    ) -> Result<GlideDenoiser<'_>, EngineError> {
        let mut inputs = inputs.clone();
        if !self.reads_known_pixels() {
            inputs.known = None;
            inputs.keep_mask = None;
        }
        Ok(GlideDenoiser::new(
            &self.model.network,
            self.text.as_ref(),
            self.guidance,
            &inputs,
            report.interrupt().clone(),
        )?)
    }

    fn draw(
        &self,
        inputs: &Inputs,
        take: Take,
        steering: Steering<'_>,
        report: &mut Report<'_>,
    ) -> Result<Tensor, EngineError> {
        let denoiser = self.denoiser(inputs, report)?;
        let known = inputs.known.as_ref().zip(inputs.keep_mask.as_ref());
        let steering = Steering { known, ..steering };
        self.run(&denoiser, (self.side, self.side), take, steering, report)
    }

    /// Arithmetic of a whole loop at a strength.
    pub(crate) fn all_work(&self, strength: f64) -> f64 {
        self.work * steps_at(strength, self.schedule.steps()) as f64
    }

    /// Runs the loop over any denoiser; the result is `[1, 3, H, W]`.
    pub(crate) fn run(
        &self,
        denoiser: &dyn Denoiser,
        size: (usize, usize),
        take: Take,
        steering: Steering<'_>,
        report: &mut Report<'_>,
    ) -> Result<Tensor, EngineError> {
        report.stage(self.stage)?;
        let sampling = Loop {
            stage: self.stage,
            take,
            denoiser,
            schedule: &self.schedule,
            sampler: self.sampler,
            temperature: self.temperature,
            size,
            steering,
            work: self.work,
            device: &self.device,
        };
        sampling.run(report)
    }

    /// Where the network computes.
    pub(crate) const fn device(&self) -> &Device {
        &self.device
    }
}
