//! From noise to a picture's latents, seen from a conversation.

use candle_core::Tensor;

use crate::diffusion::guidance::guide;
use crate::diffusion::{
    Denoiser, DiffusionError, Hooks, NoiseFn, NoiseSchedule, Prediction, Sampler, SamplerSettings,
    Schedule, StepReport, sample,
};
use crate::engine::error::EngineError;
use crate::models::transfusion::{KvCache, PictureContext, Transfusion};
use crate::nn::Interrupt;

/// Timesteps of the process that the networks are trained with.
///
/// Source: Transfusion (arXiv 2408.11039), section 4.1 (the cosine schedule of 1000 steps).
pub const PROCESS_STEPS: usize = 1000;

/// How a picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawSettings {
    /// The loop.
    pub sampler: Sampler,
    /// Steps of the loop; at least 2.
    pub steps: usize,
    /// Scale of classifier-free guidance against the conversation without the last words; 1 is
    /// none.
    pub guidance_scale: f64,
    /// Bound of the predicted latents, which are normalized.
    pub x_start_clamp: f64,
}

impl Default for DrawSettings {
    fn default() -> Self {
        Self {
            sampler: Sampler::Ddim { eta: 0.0 },
            steps: 25,
            guidance_scale: 3.0,
            x_start_clamp: 5.0,
        }
    }
}

/// The process that keeps `steps` evenly spaced timesteps, the first and the last among them.
///
/// # Errors
///
/// When there are fewer than two, or more than the whole process has.
pub fn schedule_of(steps: usize) -> Result<Schedule, DiffusionError> {
    Schedule::new(NoiseSchedule::SquaredCosCapV2, PROCESS_STEPS, &steps.to_string())
}

/// A network that draws what comes next in a conversation.
pub struct GuidedPicture<'a> {
    network: &'a Transfusion,
    with: PictureContext,
    /// The conversation without the words that ask for the picture, and how far to go away from it.
    without: Option<(PictureContext, f64)>,
    interrupt: &'a Interrupt,
}

impl<'a> GuidedPicture<'a> {
    /// A denoiser of pictures after `with`, pushed away from what it would be after `without`.
    ///
    /// # Errors
    ///
    /// When the device is out of memory.
    pub fn new(
        network: &'a Transfusion,
        with: &KvCache,
        without: Option<(&KvCache, f64)>,
        interrupt: &'a Interrupt,
    ) -> candle_core::Result<Self> {
        let without = match without {
            Some((cache, scale)) => Some((cache.picture_context()?, scale)),
            None => None,
        };
        Ok(Self { network, with: with.picture_context()?, without, interrupt })
    }
}

impl Denoiser for GuidedPicture<'_> {
    fn denoise(&self, x_t: &Tensor, timestep: f64) -> candle_core::Result<Prediction> {
        let see = |context| self.network.denoise_step(context, x_t, timestep, self.interrupt);
        let mut eps = see(&self.with)?;
        if let Some((without, scale)) = &self.without {
            eps = guide(&eps, &see(without)?, *scale)?;
        }
        // The network learns no variance: the posterior's, for samplers that ask.
        Ok(Prediction { variance: eps.ones_like()?.neg()?, eps })
    }
}

/// Turns noise `[B, C, H, W]` into latents of the same shape, f32.
///
/// `noise` is only asked by samplers that add some in their steps. `on_step` hears of each step;
/// its error ends the loop and comes back.
///
/// # Errors
///
/// When the denoiser fails or `on_step` ends the loop, or values that are not finite come out.
pub fn draw(
    denoiser: &dyn Denoiser,
    schedule: &Schedule,
    settings: &DrawSettings,
    x_t: Tensor,
    noise: &mut NoiseFn<'_>,
    on_step: &mut dyn FnMut(StepReport<'_>) -> Result<(), EngineError>,
) -> Result<Tensor, EngineError> {
    let bound = settings.x_start_clamp;
    let clamp = |x_start: &Tensor| x_start.clamp(-bound, bound);
    let mut stopped = None;
    let mut tell = |report: StepReport<'_>| {
        on_step(report).map_err(|error| {
            stopped = Some(error);
            candle_core::Error::Msg("the caller ended the loop".to_owned())
        })
    };
    let hooks = Hooks { denoised_fn: Some(&clamp), cond_fn: None, on_step: &mut tell };
    let loop_settings = SamplerSettings { sampler: settings.sampler, clip_denoised: false };
    let result = sample(denoiser, schedule, &loop_settings, x_t, noise, hooks);
    if let Some(error) = stopped {
        return Err(error);
    }
    let latents = result?;
    // Clamping turns infinities into finite numbers, but keeps what is not a number.
    if latents.sqr()?.sum_all()?.to_scalar::<f32>()?.is_finite() {
        Ok(latents)
    } else {
        Err(EngineError::NotFinite)
    }
}
