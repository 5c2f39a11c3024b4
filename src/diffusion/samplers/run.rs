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
    /// All steps that the loop runs.
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
    sample_last(denoiser, schedule, schedule.steps(), settings, x_t, noise, hooks)
}

/// Runs only the last `steps` steps of a schedule, from pictures with as much noise as step
/// `steps - 1` has; see [`q_sample`](crate::diffusion::step::q_sample).
///
/// All steps together are [`sample`]. What the hooks and the noise are told counts the steps that
/// are run.
///
/// Source: `SDEdit` (arXiv 2108.01073), algorithm 1, with the samplers here as solvers.
///
/// # Errors
///
/// As [`sample`]; also when the schedule has fewer steps, or none is to be run.
pub fn sample_last(
    denoiser: &dyn Denoiser,
    schedule: &Schedule,
    steps: usize,
    settings: &SamplerSettings,
    x_t: Tensor,
    noise: &mut NoiseFn<'_>,
    hooks: Hooks<'_>,
) -> Result<Tensor, DiffusionError> {
    if steps == 0 || steps > schedule.steps() {
        return Err(DiffusionError::StepOutOfRange { step: steps, steps: schedule.steps() });
    }
    let x_t = if x_t.dtype() == DType::F32 { x_t } else { x_t.to_dtype(DType::F32)? };
    let clip_denoised = settings.clip_denoised;
    let run = Run { denoiser, schedule, steps, clip_denoised, noise, hooks };
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
    /// Steps that are run, the last of the schedule.
    pub(super) steps: usize,
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
        let steps = self.steps;
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use candle_core::{DType, Device, Shape, Tensor};

    use crate::diffusion::denoiser::analytic::Mixture;
    use crate::diffusion::step::q_sample;
    use crate::diffusion::{
        Denoiser, DiffusionError, Hooks, Noise, NoiseSchedule, NoiseStream, Prediction, Sampler,
        SamplerSettings, Schedule, StepReport, sample, sample_last,
    };

    const COSINE: NoiseSchedule = NoiseSchedule::SquaredCosCapV2;
    const ETA_0: Sampler = Sampler::Ddim { eta: 0.0 };
    const ETA_1: Sampler = Sampler::Ddim { eta: 1.0 };
    const SAMPLERS: [Sampler; 4] = [Sampler::Ddpm, ETA_0, ETA_1, Sampler::DpmPp2m];

    fn start(shape: (usize, usize, usize, usize)) -> Tensor {
        Noise::new(11).batch(NoiseStream::start(0), 0, shape, &Device::Cpu).unwrap()
    }

    fn draw(step: usize, shape: &Shape) -> candle_core::Result<Tensor> {
        Noise::new(11).batch(NoiseStream::step(0, step as u32), 0, shape, &Device::Cpu)
    }

    #[expect(clippy::unnecessary_wraps, reason = "the hook's type")]
    fn go_on(_report: StepReport<'_>) -> candle_core::Result<()> {
        Ok(())
    }

    /// A whole loop without hooks, its result as numbers.
    fn pixels(
        denoiser: &dyn Denoiser,
        sampler: Sampler,
        schedule: &Schedule,
        x_t: &Tensor,
    ) -> Vec<f32> {
        let settings = SamplerSettings::new(sampler);
        let hooks = Hooks { denoised_fn: None, cond_fn: None, on_step: &mut go_on };
        let x = sample(denoiser, schedule, &settings, x_t.clone(), &mut draw, hooks).unwrap();
        assert_eq!(x.dims(), x_t.dims());
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn mean_and_deviation(numbers: &[f32]) -> (f64, f64) {
        let n = numbers.len() as f64;
        let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let square = numbers.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
        (mean, square.sqrt())
    }

    fn rms(a: &[f32], b: &[f32]) -> f64 {
        let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        (sum / a.len() as f64).sqrt()
    }

    #[test]
    fn every_sampler_draws_from_the_distribution_of_the_data() {
        let x_t = start((4, 3, 32, 32));
        for noise_schedule in [COSINE, NoiseSchedule::Linear] {
            let denoiser = Mixture::new(noise_schedule, 0.2, &[(1.0, 0.25)]);
            for (sampler, respacing) in
                [(Sampler::Ddpm, "250"), (ETA_0, "250"), (ETA_1, "250"), (Sampler::DpmPp2m, "50")]
            {
                let schedule = Schedule::new(noise_schedule, 1000, respacing).unwrap();
                let found = pixels(&denoiser, sampler, &schedule, &x_t);
                let (mean, deviation) = mean_and_deviation(&found);
                assert!((mean - 0.25).abs() < 0.01, "{sampler:?}: mean {mean}");
                assert!((deviation - 0.2).abs() < 0.016, "{sampler:?}: deviation {deviation}");
            }
        }
    }

    #[test]
    fn deterministic_samplers_follow_the_exact_path_of_gaussian_data() {
        let (mean, deviation) = (0.1, 0.2);
        let denoiser = Mixture::new(COSINE, deviation, &[(1.0, mean)]);
        let x_t = start((1, 3, 24, 24));
        let schedule = Schedule::new(COSINE, 1000, "").unwrap();
        // The flow of Gaussian data is a straight map: deviations from the mean keep their place.
        let alpha_bar = schedule.tables().alphas_cumprod[999];
        let whole = (alpha_bar * deviation * deviation + 1.0 - alpha_bar).sqrt();
        let exact: Vec<f32> = x_t
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap()
            .into_iter()
            .map(|x| mean + deviation * (f64::from(x) - alpha_bar.sqrt() * mean) / whole)
            .map(|x| x as f32)
            .collect();
        for (sampler, limit) in [(ETA_0, 0.0012), (Sampler::DpmPp2m, 0.0003)] {
            let coarse = Schedule::new(COSINE, 1000, "20").unwrap();
            let fine = rms(&pixels(&denoiser, sampler, &schedule, &x_t), &exact);
            let coarse = rms(&pixels(&denoiser, sampler, &coarse, &x_t), &exact);
            assert!(fine < limit, "{sampler:?}: {fine} with 1000 steps");
            assert!(fine < coarse, "{sampler:?}: {fine} with 1000 steps, {coarse} with 20");
        }
    }

    #[test]
    fn dpm_solver_needs_fewer_steps_than_ddim() {
        let two: &[(f64, f64)] = &[(0.4, -0.6), (0.6, 0.5)];
        let three: &[(f64, f64)] = &[(0.3, -0.7), (0.3, 0.0), (0.4, 0.8)];
        let x_t = start((2, 3, 16, 16));
        for noise_schedule in [COSINE, NoiseSchedule::Linear] {
            for (deviation, parts) in [(0.3, &[(1.0, 0.2)][..]), (0.15, two), (0.05, three)] {
                let denoiser = Mixture::new(noise_schedule, deviation, parts);
                let fine = Schedule::new(noise_schedule, 1000, "").unwrap();
                let fine = pixels(&denoiser, ETA_0, &fine, &x_t);
                for steps in ["5", "10", "20"] {
                    let schedule = Schedule::new(noise_schedule, 1000, steps).unwrap();
                    let ddim = rms(&pixels(&denoiser, ETA_0, &schedule, &x_t), &fine);
                    let solver = rms(&pixels(&denoiser, Sampler::DpmPp2m, &schedule, &x_t), &fine);
                    assert!(
                        solver < ddim,
                        "{noise_schedule:?} {deviation} {steps}: {solver} against {ddim}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_picture_is_the_same_bits_alone_and_in_a_batch() {
        let denoiser = Mixture::new(COSINE, 0.15, &[(0.5, -0.5), (0.5, 0.5)]);
        let schedule = Schedule::new(COSINE, 1000, "fast27").unwrap();
        for sampler in SAMPLERS {
            let alone = pixels(&denoiser, sampler, &schedule, &start((1, 3, 8, 8)));
            let batch = pixels(&denoiser, sampler, &schedule, &start((3, 3, 8, 8)));
            assert!(
                alone.iter().zip(&batch).all(|(a, b)| a.to_bits() == b.to_bits()),
                "{sampler:?}"
            );
        }
    }

    #[test]
    fn the_last_step_of_every_sampler_ends_at_the_predicted_picture() {
        let denoiser = Mixture::new(COSINE, 0.2, &[(1.0, 0.0)]);
        let schedule = Schedule::new(COSINE, 1000, "10").unwrap();
        for sampler in SAMPLERS {
            let mut last = None;
            let mut asked = Vec::new();
            let settings = SamplerSettings::new(sampler);
            let mut on_step = |report: StepReport<'_>| {
                assert_eq!(report.steps, 10);
                asked.push((report.step, report.timestep as usize));
                last = Some((report.x_t - report.x_start)?);
                Ok(())
            };
            let hooks = Hooks { denoised_fn: None, cond_fn: None, on_step: &mut on_step };
            let x_t = start((1, 3, 8, 8));
            sample(&denoiser, &schedule, &settings, x_t, &mut draw, hooks).unwrap();
            let timesteps = [999, 888, 777, 666, 555, 444, 333, 222, 111, 0];
            assert_eq!(asked, timesteps.into_iter().enumerate().collect::<Vec<_>>());
            let rest = last.unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(rest < 1e-6, "{sampler:?}: {rest}");
        }
    }

    #[test]
    fn an_error_of_on_step_ends_the_loop_at_that_step() {
        struct Counting<'a>(&'a Mixture, RefCell<Vec<usize>>);
        impl Denoiser for Counting<'_> {
            fn denoise(&self, x_t: &Tensor, timestep: f64) -> candle_core::Result<Prediction> {
                self.1.borrow_mut().push(timestep as usize);
                self.0.denoise(x_t, timestep)
            }
        }
        let mixture = Mixture::new(COSINE, 0.2, &[(1.0, 0.0)]);
        let schedule = Schedule::new(COSINE, 1000, "10").unwrap();
        for sampler in SAMPLERS {
            for stop_at in 0..10 {
                let denoiser = Counting(&mixture, RefCell::default());
                let mut on_step = |report: StepReport<'_>| {
                    if report.step == stop_at {
                        candle_core::bail!("stop here");
                    }
                    Ok(())
                };
                let hooks = Hooks { denoised_fn: None, cond_fn: None, on_step: &mut on_step };
                let settings = SamplerSettings::new(sampler);
                let x_t = start((1, 3, 4, 4));
                let error = sample(&denoiser, &schedule, &settings, x_t, &mut draw, hooks);
                let error = error.unwrap_err();
                assert!(matches!(error, DiffusionError::Tensor(_)));
                assert!(error.to_string().contains("stop here"), "{error}");
                assert_eq!(denoiser.1.borrow().len(), stop_at + 1, "{sampler:?}");
            }
        }
    }

    #[test]
    fn noise_is_asked_for_only_where_it_is_added() {
        let denoiser = Mixture::new(COSINE, 0.2, &[(1.0, 0.0)]);
        let schedule = Schedule::new(COSINE, 1000, "5").unwrap();
        for (sampler, expected) in [
            (Sampler::Ddpm, &[0, 1, 2, 3][..]),
            (ETA_1, &[0, 1, 2, 3]),
            (ETA_0, &[]),
            (Sampler::DpmPp2m, &[]),
        ] {
            let mut asked = Vec::new();
            let mut noise = |step: usize, shape: &Shape| {
                asked.push(step);
                draw(step, shape)
            };
            let hooks = Hooks { denoised_fn: None, cond_fn: None, on_step: &mut go_on };
            let settings = SamplerSettings::new(sampler);
            let x_t = start((1, 3, 4, 4));
            sample(&denoiser, &schedule, &settings, x_t, &mut noise, hooks).unwrap();
            assert_eq!(asked, expected, "{sampler:?}");
        }
    }

    #[test]
    fn known_pixels_written_into_every_prediction_come_out_unchanged() {
        let denoiser = Mixture::new(COSINE, 0.2, &[(1.0, 0.0)]);
        let schedule = Schedule::new(COSINE, 1000, "10").unwrap();
        let known = Tensor::full(0.75_f32, (1, 3, 4, 4), &Device::Cpu).unwrap();
        let keep: Vec<f32> = (0..16).map(|i| f32::from(i % 3 == 0)).collect();
        let keep_mask = Tensor::from_vec(keep.clone(), (1, 1, 4, 4), &Device::Cpu).unwrap();
        let write_known = |x_start: &Tensor| {
            keep_mask.ne(0.0)?.broadcast_as(x_start.shape())?.where_cond(&known, x_start)
        };
        for sampler in SAMPLERS {
            let hooks =
                Hooks { denoised_fn: Some(&write_known), cond_fn: None, on_step: &mut go_on };
            let settings = SamplerSettings::new(sampler);
            let x_t = start((1, 3, 4, 4));
            let x = sample(&denoiser, &schedule, &settings, x_t, &mut draw, hooks).unwrap();
            let x: Vec<f32> = x.flatten_all().unwrap().to_vec1().unwrap();
            for (i, value) in x.into_iter().enumerate() {
                if keep[i % 16] > 0.0 {
                    assert!((value - 0.75).abs() < 1e-6, "{sampler:?}: {value} at {i}");
                }
            }
        }
    }

    /// For Gaussian data and a constant gradient of log p the guided data are Gaussian too, with
    /// the mean moved by variance times gradient.
    #[test]
    fn a_gradient_moves_every_sampler_to_the_guided_distribution() {
        let (deviation, tilt) = (0.2, 2.0);
        let denoiser = Mixture::new(COSINE, deviation, &[(1.0, 0.0)]);
        let full = Schedule::new(COSINE, 1000, "").unwrap();
        // The gradient at x_t of ln E[exp(tilt * x_start) | x_t].
        let grad = |x_t: &Tensor, timestep: f64| {
            let alpha_bar = full.tables().alphas_cumprod[timestep as usize];
            let variance = alpha_bar * deviation * deviation + 1.0 - alpha_bar;
            let slope = tilt * alpha_bar.sqrt() * deviation * deviation / variance;
            x_t.zeros_like()?.affine(0.0, slope)
        };
        for (sampler, respacing) in
            [(Sampler::Ddpm, "250"), (ETA_0, "250"), (ETA_1, "250"), (Sampler::DpmPp2m, "50")]
        {
            let schedule = Schedule::new(COSINE, 1000, respacing).unwrap();
            let settings = SamplerSettings { sampler, clip_denoised: false };
            let hooks = Hooks { denoised_fn: None, cond_fn: Some(&grad), on_step: &mut go_on };
            let x_t = start((2, 3, 32, 32));
            let x = sample(&denoiser, &schedule, &settings, x_t, &mut draw, hooks).unwrap();
            let x: Vec<f32> = x.flatten_all().unwrap().to_vec1().unwrap();
            let (mean, spread) = mean_and_deviation(&x);
            assert!((mean - tilt * deviation * deviation).abs() < 0.012, "{sampler:?}: {mean}");
            assert!((spread - deviation).abs() < 0.015, "{sampler:?}: {spread}");
        }
    }

    /// The flow of Gaussian data is known, so a loop that begins in the middle has an exact end.
    #[test]
    fn a_loop_over_the_last_steps_starts_from_a_picture_with_that_much_noise() {
        let denoiser = Mixture::new(COSINE, 0.2, &[(1.0, 0.0)]);
        let schedule = Schedule::new(COSINE, 1000, "40").unwrap();
        let x_start = Tensor::full(0.5_f32, (1, 3, 16, 16), &Device::Cpu).unwrap();
        let noise = start((1, 3, 16, 16));
        for sampler in SAMPLERS {
            let mut last = f64::INFINITY;
            for steps in [40, 20, 8, 1] {
                let x_t = q_sample(&schedule, &x_start, &[steps - 1], &noise).unwrap();
                let mut told = Vec::new();
                let mut on_step = |report: StepReport<'_>| {
                    assert_eq!(report.steps, steps);
                    told.push((report.step, report.timestep));
                    Ok(())
                };
                let hooks = Hooks { denoised_fn: None, cond_fn: None, on_step: &mut on_step };
                let settings = SamplerSettings::new(sampler);
                let x = sample_last(&denoiser, &schedule, steps, &settings, x_t, &mut draw, hooks);
                let x: Vec<f32> = x.unwrap().flatten_all().unwrap().to_vec1().unwrap();
                // The picture is unlikely for these data: more steps lead farther away from it.
                let distance = rms(&x, &vec![0.5; x.len()]);
                assert!(distance < last, "{sampler:?}, {steps} steps: {distance}");
                last = distance;
                let timesteps = schedule.timestep_map();
                let expected: Vec<(usize, f64)> =
                    (0..steps).map(|k| (k, timesteps[steps - 1 - k] as f64)).collect();
                assert_eq!(told, expected, "{sampler:?}");
            }
            assert!(last < 0.05, "{sampler:?}: one step stays near the picture: {last}");
        }
        for steps in [0, 41] {
            let hooks = Hooks { denoised_fn: None, cond_fn: None, on_step: &mut go_on };
            let settings = SamplerSettings::new(ETA_0);
            let x_t = noise.clone();
            let end = sample_last(&denoiser, &schedule, steps, &settings, x_t, &mut draw, hooks);
            assert!(matches!(end, Err(DiffusionError::StepOutOfRange { .. })));
        }
    }

    #[test]
    fn half_precision_predictions_are_widened_before_the_arithmetic() {
        struct Half(Mixture);
        impl Denoiser for Half {
            fn denoise(&self, x_t: &Tensor, timestep: f64) -> candle_core::Result<Prediction> {
                let Prediction { eps, variance } = self.0.denoise(x_t, timestep)?;
                Ok(Prediction {
                    eps: eps.to_dtype(DType::BF16)?,
                    variance: variance.to_dtype(DType::BF16)?,
                })
            }
        }
        let denoiser = Half(Mixture::new(COSINE, 0.2, &[(1.0, 0.0)]));
        let schedule = Schedule::new(COSINE, 1000, "10").unwrap();
        for sampler in SAMPLERS {
            let found = pixels(&denoiser, sampler, &schedule, &start((1, 3, 4, 4)));
            assert!(found.iter().all(|x| x.is_finite()));
        }
    }

    #[test]
    fn samplers_are_named_as_in_requests() {
        for name in ["ddpm", "ddim", "dpm++"] {
            assert_eq!(name.parse::<Sampler>().unwrap().name(), name);
        }
        let error = "euler".parse::<Sampler>().unwrap_err().to_string();
        assert!(error.contains("\"euler\""), "{error}");
    }
}
