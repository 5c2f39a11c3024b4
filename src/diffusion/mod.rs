//! Sampling math: schedules, respacing, noise, guidance and the samplers.
//!
//! Knows no network: a network is anything that implements [`Denoiser`]. Knows no picture either:
//! everything here is an f32 tensor `[B, C, H, W]` on any device, pixels in `[-1, 1]` or latents.
//!
//! Two numberings of time meet here. A *step* is an index into the shortened process that a
//! [`Schedule`] describes (0 = least noise); a *timestep* is an index into the process that the
//! network was trained with. Coefficients belong to steps, networks and gradients are given
//! timesteps, and [`Schedule::timestep_map`] leads from one to the other.
//!
//! Start reading at [`sample`]; the arithmetic of single steps is in [`step`].

mod denoiser;
mod error;
#[cfg(test)]
mod golden;
pub mod guidance;
mod noise;
mod respace;
mod samplers;
mod schedule;
pub mod step;

pub use denoiser::{Denoiser, Prediction};
pub use error::DiffusionError;
pub use noise::{Noise, NoiseStream};
pub use respace::space_timesteps;
pub use samplers::{
    CondFn, Hooks, NoiseFn, Sampler, SamplerSettings, StepReport, sample, sample_last,
};
pub use schedule::{NoiseSchedule, Schedule, Tables};
