//! What all samplers share: settings, hooks, and the calls out of the loop.

use candle_core::{DType, Shape, Tensor};

use crate::diffusion::samplers::{ddim, ddpm, dpm_solver_pp};
use crate::diffusion::step::{DenoisedFn, StepInput, StepOutput};
use crate::diffusion::{Denoiser, DiffusionError, Prediction, Schedule};

/// The loop over the schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampler {
    /// Ancestral sampling with the learned variance; wants many steps.
    Ddpm,
    /// DDIM; `eta` 0 is deterministic, 1 as noisy as DDPM.
    Ddim {
        /// The share of DDPM's noise that each step adds.
        eta: f64,
    },
    /// DPM-Solver++(2M), deterministic; for few steps.
    DpmPp2m,
}

impl Sampler {
    /// The name in requests: `ddpm`, `ddim` or `dpm++`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ddpm => "ddpm",
            Self::Ddim { .. } => "ddim",
            Self::DpmPp2m => "dpm++",
        }
    }
}

impl std::str::FromStr for Sampler {
    type Err = DiffusionError;

    /// Reads a sampler's name; `ddim` has eta 0.
    fn from_str(name: &str) -> Result<Self, DiffusionError> {
        match name {
            "ddpm" => Ok(Self::Ddpm),
            "ddim" => Ok(Self::Ddim { eta: 0.0 }),
            "dpm++" => Ok(Self::DpmPp2m),
            _ => Err(DiffusionError::UnknownSampler { name: name.to_owned() }),
        }
    }
}

/// Which loop runs, and how it treats predicted pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplerSettings {
    /// The loop.
    pub sampler: Sampler,
    /// Whether predicted pictures are clipped to `[-1, 1]`.
    pub clip_denoised: bool,
}

impl SamplerSettings {
    /// A sampler with clipping, as every public example has it.
    #[must_use]
    pub const fn new(sampler: Sampler) -> Self {
        Self { sampler, clip_denoised: true }
    }
}

/// What a loop says after each step.
#[derive(Clone, Copy, Debug)]
pub struct StepReport<'a> {
    /// The executed step, from 0.
    pub step: usize,
    /// All steps of the loop.
    pub steps: usize,
    /// The original timestep that the network was given.
    pub timestep: f64,
    /// The pictures after the step.
    pub x_t: &'a Tensor,
    /// The noiseless pictures that the step aimed at; good for a preview.
    pub x_start: &'a Tensor,
}

/// Gives the gradient at `x_t` (original timestep beside it) of the logarithm of the probability
/// that guides; the scale is in it.
pub type CondFn<'a> = &'a dyn Fn(&Tensor, f64) -> candle_core::Result<Tensor>;

/// Draws the standard normal noise of the k-th executed step (from 0), in the shape given.
///
/// Asked only where noise is added: never in the last step, never by deterministic samplers.
pub type NoiseFn<'a> = dyn FnMut(usize, &Shape) -> candle_core::Result<Tensor> + 'a;

/// Calls out of the loop.
pub struct Hooks<'a> {
    /// Acts on every predicted picture, before it is clipped.
    pub denoised_fn: Option<DenoisedFn<'a>>,
    /// Guides by a gradient.
    pub cond_fn: Option<CondFn<'a>>,
    /// Hears of each step; an error ends the loop there and then.
    pub on_step: &'a mut dyn FnMut(StepReport<'_>) -> candle_core::Result<()>,
}

/// Turns noise into pictures.
///
/// Shapes: `x_t` `[B, 3, H, W]`, standard normal noise on the denoiser's device; the result the
/// same shape, f32, about `[-1, 1]` but not clipped by a last step of its own.
///
/// # Errors
///
/// When the denoiser or a hook fails or ends the loop, or shapes differ.
pub fn sample(
    denoiser: &dyn Denoiser,
    schedule: &Schedule,
    settings: &SamplerSettings,
    x_t: Tensor,
    noise: &mut NoiseFn<'_>,
    hooks: Hooks<'_>,
) -> Result<Tensor, DiffusionError> {
    let x_t = x_t.to_dtype(DType::F32)?;
    let run = Run { denoiser, schedule, clip_denoised: settings.clip_denoised, noise, hooks };
    match settings.sampler {
        Sampler::Ddpm => ddpm::sample(run, x_t),
        Sampler::Ddim { eta } => ddim::sample(run, x_t, eta),
        Sampler::DpmPp2m => dpm_solver_pp::sample(run, x_t),
    }
}

/// Whether a step adds noise.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Randomness {
    None,
    Normal,
}

/// One loop under way.
pub(super) struct Run<'a, 'h> {
    denoiser: &'a dyn Denoiser,
    pub(super) schedule: &'a Schedule,
    clip_denoised: bool,
    noise: &'a mut NoiseFn<'a>,
    hooks: Hooks<'h>,
}

impl Run<'_, '_> {
    /// Asks network, gradient and noise about `x_t`, takes the step and reports it.
    pub(super) fn step(
        &mut self,
        t: usize,
        x_t: &Tensor,
        randomness: Randomness,
        take: impl FnOnce(&StepInput<'_>) -> Result<StepOutput, DiffusionError>,
    ) -> Result<StepOutput, DiffusionError> {
        let steps = self.schedule.steps();
        let step = steps - 1 - t;
        let timestep = self.schedule.timestep(t)?;
        let Prediction { eps, variance } = self.denoiser.denoise(x_t, timestep)?;
        let prediction =
            Prediction { eps: eps.to_dtype(DType::F32)?, variance: variance.to_dtype(DType::F32)? };
        let grad = match self.hooks.cond_fn {
            Some(cond_fn) => Some(cond_fn(x_t, timestep)?.to_dtype(DType::F32)?),
            None => None,
        };
        let noise = if t > 0 && randomness == Randomness::Normal {
            Some((self.noise)(step, x_t.shape())?.to_device(x_t.device())?)
        } else {
            None
        };
        let output = take(&StepInput {
            clip_denoised: self.clip_denoised,
            denoised_fn: self.hooks.denoised_fn,
            grad: grad.as_ref(),
            noise: noise.as_ref(),
            ..StepInput::new(self.schedule, x_t, &vec![t; x_t.dim(0)?], &prediction)
        })?;
        let (x_t, x_start) = (&output.sample, &output.x_start);
        (self.hooks.on_step)(StepReport { step, steps, timestep, x_t, x_start })?;
        Ok(output)
    }
}
