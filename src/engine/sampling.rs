//! One sampling loop of a job: noise from the seed, steps told to the client.

use candle_core::{Device, Shape, Tensor};

use crate::diffusion::step::q_sample;
use crate::diffusion::{
    CondFn, Denoiser, Hooks, Noise, NoiseStream, Sampler, SamplerSettings, Schedule, sample_last,
};
use crate::engine::error::EngineError;
use crate::engine::event::Stage;
use crate::engine::pair::Take;
use crate::engine::report::{Report, Step};
use crate::engine::request::SamplerChoice;
use crate::engine::tensor_image::preview_from_tensor;

/// One sampling loop for one picture.
pub(crate) struct Loop<'a> {
    /// Which part of the job; the two stages draw from separate noise.
    pub(crate) stage: Stage,
    /// Which picture and region.
    pub(crate) take: Take,
    /// The network with its inputs.
    pub(crate) denoiser: &'a dyn Denoiser,
    /// The timesteps.
    pub(crate) schedule: &'a Schedule,
    /// The loop over them.
    pub(crate) sampler: Sampler,
    /// Factor of the starting noise.
    pub(crate) temperature: f64,
    /// Height and width.
    pub(crate) size: (usize, usize),
    /// What bends the loop besides the network.
    pub(crate) steering: Steering<'a>,
    /// Arithmetic of a step; only its ratio to other loops' of the job matters.
    pub(crate) work: f64,
    /// Where to compute.
    pub(crate) device: &'a Device,
}

/// What bends a loop besides its network.
#[derive(Clone, Copy, Default)]
pub(crate) struct Steering<'a> {
    /// Known pixels `[1, 3, H, W]` and `keep_mask` `[1, 1, H, W]` to write into every `x_start`.
    pub(crate) known: Option<(&'a Tensor, &'a Tensor)>,
    /// Guidance by a gradient.
    pub(crate) cond_fn: Option<CondFn<'a>>,
    /// The picture that the loop starts from; noise alone without it.
    pub(crate) origin: Option<&'a Origin>,
}

/// A picture to start from instead of noise alone.
pub(crate) struct Origin {
    /// The picture, `[1, 3, H, W]` in `[-1, 1]`.
    pub(crate) picture: Tensor,
    /// The share of the schedule that is run, above 0 and below 1.
    pub(crate) strength: f64,
}

/// Steps of a loop of `steps` that are run at a strength; at least one.
pub(crate) fn steps_at(strength: f64, steps: usize) -> usize {
    ((strength * steps as f64).round() as usize).clamp(1, steps.max(1))
}

impl Loop<'_> {
    /// Runs the loop; the result is `[1, 3, H, W]`.
    ///
    /// # Errors
    ///
    /// When the network fails or the job was cancelled.
    pub(crate) fn run(&self, report: &mut Report<'_>) -> Result<Tensor, EngineError> {
        let Take { seed, region, item: (item, items), frame } = self.take;
        let Steering { known, cond_fn, origin } = self.steering;
        report.begin_item(self.stage, item, self.work);
        let noise = Noise::new(seed);
        let stream = self.stage as u32;
        let (height, width) = self.size;
        let interrupt = report.interrupt().clone();
        let go_on = || interrupt.check();
        let draw_noise = |stream: NoiseStream, shape: Shape| {
            noise.batch_while(stream, region, shape, self.device, &go_on)
        };
        let x_t = draw_noise(NoiseStream::start(stream), Shape::from((1, 3, height, width)))?;
        let x_t = if (self.temperature - 1.0).abs() > f64::EPSILON {
            x_t.affine(self.temperature, 0.0)?
        } else {
            x_t
        };
        let all = self.schedule.steps();
        let (steps, x_t) = match origin {
            Some(Origin { picture, strength }) => {
                let steps = steps_at(*strength, all);
                (steps, q_sample(self.schedule, picture, &[steps - 1], &x_t)?)
            }
            None => (all, x_t),
        };
        let mut draw = |step: usize, shape: &Shape| {
            draw_noise(NoiseStream::step(stream, step as u32), shape.clone())
        };
        let known = match known {
            Some((known, keep_mask)) => {
                Some((known.broadcast_mul(keep_mask)?, keep_mask.affine(-1.0, 1.0)?))
            }
            None => None,
        };
        let paste = |x_start: &Tensor| match &known {
            Some((kept, repaint)) => x_start.broadcast_mul(repaint)? + kept,
            None => Ok(x_start.clone()),
        };
        let mut stopped = None;
        let mut on_step = |done: crate::diffusion::StepReport<'_>| {
            let step = Step {
                stage: self.stage,
                item,
                items,
                step: done.step + 1,
                steps: done.steps,
                place: frame.map(|frame| frame.context),
            };
            let preview = || {
                let square = preview_from_tensor(done.x_start)?;
                Ok(match frame {
                    Some(frame) => frame.cut(&square),
                    None => square,
                })
            };
            report.step(step, preview).map_err(|error| {
                stopped = Some(error);
                candle_core::Error::Msg("the job ended the loop".to_owned())
            })
        };
        let hooks = Hooks {
            denoised_fn: known.as_ref().map(|_| &paste as _),
            cond_fn,
            on_step: &mut on_step,
        };
        let settings = SamplerSettings::new(self.sampler);
        let result =
            sample_last(self.denoiser, self.schedule, steps, &settings, x_t, &mut draw, hooks);
        match (stopped, result) {
            (Some(error), _) => Err(error),
            (None, result) => Ok(result?),
        }
    }
}

/// The sampler that a request names.
pub(crate) const fn sampler_from_choice(choice: SamplerChoice, eta: f64) -> Sampler {
    match choice {
        SamplerChoice::Ddpm => Sampler::Ddpm,
        SamplerChoice::Ddim => Sampler::Ddim { eta },
        SamplerChoice::DpmPp => Sampler::DpmPp2m,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strength_is_a_share_of_the_steps_and_never_none_of_them() {
        for (strength, steps, expected) in [
            (1.0, 20, 20),
            (0.5, 20, 10),
            (0.26, 20, 5),
            (0.001, 20, 1),
            (0.999, 4, 4),
            (0.6, 2, 1),
        ] {
            assert_eq!(steps_at(strength, steps), expected, "{strength} of {steps}");
        }
    }
}
