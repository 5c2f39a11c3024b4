//! The arithmetic of single steps, forward and backward, on a batch with a step of its own for
//! each picture.
//!
//! Coefficients are gathered in f64 and cast to f32 last; the arithmetic on pictures is f32. A
//! step t is an index into the shortened process of a [`Schedule`], not a timestep. The loops over
//! these are the samplers.
//!
//! Source: openai/glide-text2im, `glide_text2im/gaussian_diffusion.py`, commit 69b5307.

use candle_core::{Tensor, bail};

use crate::diffusion::{DiffusionError, Prediction, Schedule};

type Result<T> = std::result::Result<T, DiffusionError>;

/// Changes a predicted picture before it is used, e.g. writes the known pixels into it.
pub type DenoisedFn<'a> = &'a dyn Fn(&Tensor) -> candle_core::Result<Tensor>;

/// A diagonal Gaussian over pictures; all three `[B, C, H, W]`.
#[derive(Clone, Debug)]
pub struct Gaussian {
    /// Mean.
    pub mean: Tensor,
    /// Variance.
    pub variance: Tensor,
    /// Natural logarithm of the variance.
    pub log_variance: Tensor,
}

/// All that a step back reads. [`StepInput::new`] sets the usual options.
#[derive(Clone, Copy)]
pub struct StepInput<'a> {
    /// The process.
    pub schedule: &'a Schedule,
    /// The noisy pictures, `[B, C, H, W]`, f32.
    pub x_t: &'a Tensor,
    /// The step that each picture is at.
    pub t: &'a [usize],
    /// What the network says about `x_t`, f32.
    pub prediction: &'a Prediction,
    /// Whether predicted pictures are clipped to `[-1, 1]`.
    pub clip_denoised: bool,
    /// Acts on predicted pictures, before they are clipped.
    pub denoised_fn: Option<DenoisedFn<'a>>,
    /// The gradient at `x_t` of the logarithm of the probability that guides, e.g. CLIP's.
    pub grad: Option<&'a Tensor>,
    /// Standard normal noise for the step to add. None adds nothing. Never added at step 0.
    pub noise: Option<&'a Tensor>,
}

impl<'a> StepInput<'a> {
    /// A step with clipping, and without noise, gradient or change of the predicted picture.
    #[must_use]
    pub fn new(
        schedule: &'a Schedule,
        x_t: &'a Tensor,
        t: &'a [usize],
        prediction: &'a Prediction,
    ) -> Self {
        Self {
            schedule,
            x_t,
            t,
            prediction,
            clip_denoised: true,
            denoised_fn: None,
            grad: None,
            noise: None,
        }
    }
}

/// Where a step back leads.
#[derive(Clone, Debug)]
pub struct StepOutput {
    /// The pictures one step further.
    pub sample: Tensor,
    /// The noiseless pictures that the step aimed at.
    pub x_start: Tensor,
}

/// The distribution of `x_t` given `x_start`.
///
/// Shapes: `x_start` and the results `[B, C, H, W]`.
///
/// # Errors
///
/// When `t` does not fit the batch or the schedule.
pub fn q_mean_variance(schedule: &Schedule, x_start: &Tensor, t: &[usize]) -> Result<Gaussian> {
    check(schedule, x_start, t)?;
    let tables = schedule.tables();
    let variance = gather(&tables.alphas_cumprod, t, |alpha_bar| 1.0 - alpha_bar);
    Ok(Gaussian {
        mean: scale(x_start, &rows(&tables.sqrt_alphas_cumprod, t))?,
        variance: constant(x_start, &variance)?,
        log_variance: constant(x_start, &rows(&tables.log_one_minus_alphas_cumprod, t))?,
    })
}

/// Adds the noise of step `t` to `x_start`.
///
/// Shapes: `x_start`, `noise` and the result `[B, C, H, W]`.
///
/// # Errors
///
/// When the shapes differ, or `t` does not fit the batch or the schedule.
pub fn q_sample(
    schedule: &Schedule,
    x_start: &Tensor,
    t: &[usize],
    noise: &Tensor,
) -> Result<Tensor> {
    check(schedule, x_start, t)?;
    let tables = schedule.tables();
    weighted_sum(
        (x_start, &rows(&tables.sqrt_alphas_cumprod, t)),
        (noise, &rows(&tables.sqrt_one_minus_alphas_cumprod, t)),
    )
}

/// The distribution of the picture one step before `x_t`, given `x_start`; its log variance is the
/// clipped one, in which step 1 stands in for step 0.
///
/// Shapes: `x_start`, `x_t` and the results `[B, C, H, W]`.
///
/// # Errors
///
/// When the shapes differ, or `t` does not fit the batch or the schedule.
pub fn q_posterior(
    schedule: &Schedule,
    x_start: &Tensor,
    x_t: &Tensor,
    t: &[usize],
) -> Result<Gaussian> {
    check(schedule, x_t, t)?;
    let tables = schedule.tables();
    Ok(Gaussian {
        mean: posterior_mean(schedule, x_start, x_t, t)?,
        variance: constant(x_t, &rows(&tables.posterior_variance, t))?,
        log_variance: constant(x_t, &rows(&tables.posterior_log_variance_clipped, t))?,
    })
}

/// The noiseless picture, if `eps` is the noise in `x_t`.
///
/// # Errors
///
/// When the shapes differ, or `t` does not fit the batch or the schedule.
pub fn predict_x_start_from_eps(
    schedule: &Schedule,
    x_t: &Tensor,
    t: &[usize],
    eps: &Tensor,
) -> Result<Tensor> {
    check(schedule, x_t, t)?;
    let tables = schedule.tables();
    weighted_difference(
        (x_t, &rows(&tables.sqrt_recip_alphas_cumprod, t)),
        (eps, &rows(&tables.sqrt_recipm1_alphas_cumprod, t)),
    )
}

/// The noise in `x_t`, if `x_start` is the noiseless picture.
///
/// # Errors
///
/// When the shapes differ, or `t` does not fit the batch or the schedule.
pub fn predict_eps_from_x_start(
    schedule: &Schedule,
    x_t: &Tensor,
    t: &[usize],
    x_start: &Tensor,
) -> Result<Tensor> {
    check(schedule, x_t, t)?;
    let tables = schedule.tables();
    let difference = (scale(x_t, &rows(&tables.sqrt_recip_alphas_cumprod, t))? - x_start)?;
    scale(&difference, &gather(&tables.sqrt_recipm1_alphas_cumprod, t, f64::recip))
}

/// The noiseless picture that the network's prediction means, with the step's `denoised_fn` and
/// clipping applied.
///
/// # Errors
///
/// When the shapes differ, `t` does not fit, or `denoised_fn` fails.
pub fn predict_x_start(input: &StepInput<'_>) -> Result<Tensor> {
    let StepInput { schedule, x_t, t, prediction, .. } = *input;
    let mut x_start = predict_x_start_from_eps(schedule, x_t, t, &prediction.eps)?;
    if let Some(denoised_fn) = input.denoised_fn {
        x_start = denoised_fn(&x_start)?;
    }
    if input.clip_denoised {
        x_start = x_start.clamp(-1.0_f32, 1.0_f32)?;
    }
    Ok(x_start)
}

/// The network's distribution of the picture one step before `x_t`, and the noiseless picture
/// behind it. Gradient and noise of the input are not looked at.
///
/// # Errors
///
/// When the shapes differ, `t` does not fit, or `denoised_fn` fails.
pub fn p_mean_variance(input: &StepInput<'_>) -> Result<(Gaussian, Tensor)> {
    let StepInput { schedule, x_t, t, prediction, .. } = *input;
    let tables = schedule.tables();
    let x_start = predict_x_start(input)?;
    let max_log = gather(&tables.betas, t, libm::log);
    let min_log = rows(&tables.posterior_log_variance_clipped, t);
    let fraction = prediction.variance.affine(0.5, 0.5)?;
    let rest = fraction.affine(-1.0, 1.0)?;
    let log_variance = weighted_sum((&fraction, &max_log), (&rest, &min_log))?;
    let mean = posterior_mean(schedule, &x_start, x_t, t)?;
    Ok((Gaussian { mean, variance: log_variance.exp()?, log_variance }, x_start))
}

/// Moves a mean along a gradient, as far as the variance goes.
///
/// Source: Sohl-Dickstein et al. (arXiv 1503.03585).
///
/// # Errors
///
/// When the shapes differ.
pub fn condition_mean(gaussian: &Gaussian, grad: &Tensor) -> Result<Tensor> {
    Ok((&gaussian.mean + (&gaussian.variance * grad)?)?)
}

/// Moves a predicted noiseless picture along a gradient, by way of the noise:
/// `eps - sqrt(1 - alpha_bar) * grad`. The result is not clipped again.
///
/// Source: Song et al. (arXiv 2011.13456).
///
/// # Errors
///
/// When the shapes differ, or `t` does not fit the batch or the schedule.
pub fn condition_score(
    schedule: &Schedule,
    x_start: &Tensor,
    t: &[usize],
    grad: &Tensor,
) -> Result<Tensor> {
    check(schedule, x_start, t)?;
    // The way to eps and back, in one coefficient: going there in f32 would lose digits where
    // alpha_bar is tiny.
    let reach = gather(&schedule.tables().alphas_cumprod, t, |alpha_bar| {
        (1.0 - alpha_bar) / alpha_bar.sqrt()
    });
    Ok((x_start + scale(grad, &reach)?)?)
}

/// One ancestral (DDPM) step back, with the learned variance; a gradient moves the mean.
///
/// Source: DDPM (arXiv 2006.11239), algorithm 2; variance of arXiv 2102.09672, section 3.1.
///
/// # Errors
///
/// When the shapes differ, `t` does not fit, or `denoised_fn` fails.
pub fn p_sample(input: &StepInput<'_>) -> Result<StepOutput> {
    let (gaussian, x_start) = p_mean_variance(input)?;
    let mut sample = match input.grad {
        Some(grad) => condition_mean(&gaussian, grad)?,
        None => gaussian.mean,
    };
    let nonzero: Vec<f64> = input.t.iter().map(|&t| if t == 0 { 0.0 } else { 1.0 }).collect();
    if let Some(noise) = input.noise
        && nonzero.contains(&1.0)
    {
        let deviation = scale(&gaussian.log_variance.affine(0.5, 0.0)?.exp()?, &nonzero)?;
        sample = (sample + (deviation * noise)?)?;
    }
    Ok(StepOutput { sample, x_start })
}

/// One DDIM step back; a gradient shifts the noise. `eta` 0 adds no noise, 1 adds as much as DDPM.
///
/// Source: DDIM (arXiv 2010.02502), equation 12.
///
/// # Errors
///
/// When the shapes differ, `t` does not fit, or `denoised_fn` fails.
pub fn ddim_step(input: &StepInput<'_>, eta: f64) -> Result<StepOutput> {
    let StepInput { schedule, x_t, t, .. } = *input;
    let x_start = conditioned_x_start(input)?;
    let eps = predict_eps_from_x_start(schedule, x_t, t, &x_start)?;
    let tables = schedule.tables();
    let sigma: Vec<f64> = t
        .iter()
        .map(|&t| {
            let (now, prev) = (tables.alphas_cumprod[t], tables.alphas_cumprod_prev[t]);
            eta * ((1.0 - prev) / (1.0 - now)).sqrt() * (1.0 - now / prev).sqrt()
        })
        .collect();
    let prev = rows(&tables.alphas_cumprod_prev, t);
    // Zero but for rounding at the noisiest steps with eta 1, so it may come out below zero.
    let direction: Vec<f64> =
        prev.iter().zip(&sigma).map(|(prev, s)| (1.0 - prev - s * s).max(0.0).sqrt()).collect();
    let prev: Vec<f64> = prev.into_iter().map(f64::sqrt).collect();
    let mut sample = weighted_sum((&x_start, &prev), (&eps, &direction))?;
    // At step 0 sigma is 0, because nothing of the noise is left before it.
    if let Some(noise) = input.noise
        && sigma.iter().any(|&s| s != 0.0)
    {
        sample = (sample + scale(noise, &sigma)?)?;
    }
    Ok(StepOutput { sample, x_start })
}

/// One step of DDIM with eta 0 in reverse, towards more noise.
///
/// # Errors
///
/// When the shapes differ, `t` does not fit, or `denoised_fn` fails.
pub fn ddim_reverse(input: &StepInput<'_>) -> Result<StepOutput> {
    let StepInput { schedule, x_t, t, .. } = *input;
    let x_start = conditioned_x_start(input)?;
    let eps = predict_eps_from_x_start(schedule, x_t, t, &x_start)?;
    let next = &schedule.tables().alphas_cumprod_next;
    let sample = weighted_sum(
        (&x_start, &gather(next, t, f64::sqrt)),
        (&eps, &gather(next, t, |alpha_bar| (1.0 - alpha_bar).sqrt())),
    )?;
    Ok(StepOutput { sample, x_start })
}

/// [`predict_x_start`], moved along the step's gradient if it has one.
pub(super) fn conditioned_x_start(input: &StepInput<'_>) -> Result<Tensor> {
    let x_start = predict_x_start(input)?;
    match input.grad {
        Some(grad) => condition_score(input.schedule, &x_start, input.t, grad),
        None => Ok(x_start),
    }
}

fn posterior_mean(
    schedule: &Schedule,
    x_start: &Tensor,
    x_t: &Tensor,
    t: &[usize],
) -> Result<Tensor> {
    let tables = schedule.tables();
    weighted_sum(
        (x_start, &rows(&tables.posterior_mean_coef1, t)),
        (x_t, &rows(&tables.posterior_mean_coef2, t)),
    )
}

/// Makes sure that `t` names a step for every row; after it, indexing the tables is safe.
fn check(schedule: &Schedule, x: &Tensor, t: &[usize]) -> Result<()> {
    let expected = x.dim(0)?;
    if t.len() != expected || t.is_empty() {
        return Err(DiffusionError::BatchMismatch { expected, found: t.len() });
    }
    for &step in t {
        schedule.timestep(step)?;
    }
    Ok(())
}

fn rows(table: &[f64], t: &[usize]) -> Vec<f64> {
    gather(table, t, |value| value)
}

fn gather(table: &[f64], t: &[usize], f: impl Fn(f64) -> f64) -> Vec<f64> {
    t.iter().map(|&t| f(table[t])).collect()
}

/// Multiplies each row by its coefficient.
pub(super) fn scale(x: &Tensor, coefficients: &[f64]) -> Result<Tensor> {
    match coefficients.split_first() {
        // In a loop every picture is at the same step: one pass, no coefficient tensor.
        Some((&first, rest)) if rest.iter().all(|c| c.to_bits() == first.to_bits()) => {
            Ok(x.affine(f64::from(first as f32), 0.0)?)
        }
        _ => Ok(x.broadcast_mul(&column(x, coefficients)?)?),
    }
}

/// `a * x + b * y`, with a coefficient for each row.
pub(super) fn weighted_sum((x, a): (&Tensor, &[f64]), (y, b): (&Tensor, &[f64])) -> Result<Tensor> {
    Ok((scale(x, a)? + scale(y, b)?)?)
}

/// `a * x - b * y`, with a coefficient for each row.
pub(super) fn weighted_difference(
    (x, a): (&Tensor, &[f64]),
    (y, b): (&Tensor, &[f64]),
) -> Result<Tensor> {
    Ok((scale(x, a)? - scale(y, b)?)?)
}

/// Each row's coefficient at every pixel of `like`; a view, not a copy.
fn constant(like: &Tensor, coefficients: &[f64]) -> Result<Tensor> {
    Ok(column(like, coefficients)?.broadcast_as(like.shape())?)
}

/// The coefficients in f32 as `[B, 1, 1, 1]`.
fn column(like: &Tensor, coefficients: &[f64]) -> candle_core::Result<Tensor> {
    let mut dims = vec![1; like.rank()];
    match dims.first_mut() {
        Some(first) => *first = coefficients.len(),
        None => bail!("a batch of pictures must have a batch dimension"),
    }
    let cast: Vec<f32> = coefficients.iter().map(|&c| c as f32).collect();
    Tensor::from_vec(cast, dims, like.device())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use candle_core::{DType, Device, Tensor};

    use crate::diffusion::golden;
    use crate::diffusion::step::{
        Gaussian, StepInput, StepOutput, ddim_reverse, ddim_step, p_mean_variance, p_sample,
        predict_eps_from_x_start, predict_x_start_from_eps, q_mean_variance, q_posterior, q_sample,
    };
    use crate::diffusion::{DiffusionError, NoiseSchedule, Prediction, Schedule};

    /// Every output of one reference case, recomputed, under its name.
    fn recompute(schedule: &Schedule, input: &HashMap<&str, &Tensor>) -> BTreeMap<String, Tensor> {
        let mut found = BTreeMap::new();
        let mut put = |name: &str, value: Tensor| {
            found.insert(name.to_owned(), value);
        };
        let t: Vec<usize> =
            input["t"].to_vec1::<i64>().unwrap().into_iter().map(|t| t as usize).collect();
        let (x, x_start, noise) = (input["x"], input["x_start"], input["noise"]);

        let Gaussian { mean, variance, log_variance } =
            q_mean_variance(schedule, x_start, &t).unwrap();
        put("q_mean_variance.mean", mean);
        put("q_mean_variance.variance", variance);
        put("q_mean_variance.log_variance", log_variance);
        put("q_sample", q_sample(schedule, x_start, &t, noise).unwrap());
        let Gaussian { mean, variance, log_variance } =
            q_posterior(schedule, x_start, x, &t).unwrap();
        put("q_posterior.mean", mean);
        put("q_posterior.variance", variance);
        put("q_posterior.log_variance_clipped", log_variance);
        let prediction = Prediction::from_model_output(input["model_output"]).unwrap();
        let eps = &prediction.eps;
        put("predict_xstart_from_eps", predict_x_start_from_eps(schedule, x, &t, eps).unwrap());
        put("predict_eps_from_xstart", predict_eps_from_x_start(schedule, x, &t, x_start).unwrap());

        let (known, keep_mask) = (input["known"], input["known_mask"]);
        let paste = |x_start: &Tensor| {
            let known = known.broadcast_mul(keep_mask)?;
            known + x_start.broadcast_mul(&keep_mask.affine(-1.0, 1.0)?)?
        };
        let plain = StepInput {
            noise: Some(input["step_noise"]),
            ..StepInput::new(schedule, x, &t, &prediction)
        };
        let unclipped = StepInput { clip_denoised: false, ..plain };
        let pasted = StepInput { denoised_fn: Some(&paste), ..plain };
        let guided = StepInput { grad: Some(input["grad"]), ..plain };
        for (name, input) in [
            ("p_mean_variance", &plain),
            ("p_mean_variance_noclip", &unclipped),
            ("p_mean_variance_denoised", &pasted),
        ] {
            let (gaussian, x_start) = p_mean_variance(input).unwrap();
            put(&format!("{name}.mean"), gaussian.mean);
            put(&format!("{name}.variance"), gaussian.variance);
            put(&format!("{name}.log_variance"), gaussian.log_variance);
            put(&format!("{name}.pred_xstart"), x_start);
        }
        for (name, output) in [
            ("p_sample", p_sample(&plain)),
            ("p_sample_noclip", p_sample(&unclipped)),
            ("p_sample_cond", p_sample(&guided)),
            ("ddim_eta0.0", ddim_step(&plain, 0.0)),
            ("ddim_eta0.5", ddim_step(&plain, 0.5)),
            ("ddim_eta1.0", ddim_step(&plain, 1.0)),
            ("ddim_cond_eta0.0", ddim_step(&guided, 0.0)),
        ] {
            let StepOutput { sample, x_start } = output.unwrap();
            put(&format!("{name}.sample"), sample);
            put(&format!("{name}.pred_xstart"), x_start);
        }
        put("ddim_reverse.sample", ddim_reverse(&plain).unwrap().sample);
        let timesteps: Vec<i64> = t.iter().map(|&t| schedule.timestep(t).unwrap() as i64).collect();
        let timesteps = Tensor::new(timesteps, &Device::Cpu).unwrap();
        put("model_timesteps", timesteps.clone());
        put("cond_timesteps", timesteps);
        found
    }

    fn check(expected: &Tensor, found: &Tensor, tolerance: &serde_json::Value, name: &str) {
        assert_eq!(expected.dims(), found.dims(), "{name}");
        let rel = tolerance["rel"].as_f64().unwrap();
        for row in 0..expected.dim(0).unwrap() {
            let values = |tensor: &Tensor| -> Vec<f64> {
                let row = tensor.get(row).unwrap().to_dtype(DType::F64).unwrap();
                row.flatten_all().unwrap().to_vec1().unwrap()
            };
            let abs = match tolerance.get("abs_rows") {
                Some(rows) => rows[row].as_f64().unwrap(),
                None => tolerance["abs"].as_f64().unwrap(),
            };
            for (e, f) in values(expected).into_iter().zip(values(found)) {
                assert!((e - f).abs() <= abs + rel * e.abs(), "{name} row {row}: {e} not {f}");
            }
        }
    }

    #[test]
    fn every_single_step_agrees_with_the_reference() {
        let golden = golden::json("case.json");
        let tensors = golden::tensors("steps.safetensors");
        for case in golden["steps"]["cases"].as_array().unwrap() {
            let key = case["key"].as_str().unwrap();
            let schedule = Schedule::new(
                case["noise_schedule"].as_str().unwrap().parse().unwrap(),
                1000,
                case["timestep_respacing"].as_str().unwrap(),
            )
            .unwrap();
            let prefix = format!("{key}.in.");
            let input = tensors
                .iter()
                .filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?, tensor)))
                .collect();
            let found = recompute(&schedule, &input);
            let outputs = case["outputs"].as_object().unwrap();
            assert_eq!(outputs.len(), found.len(), "{key}");
            for (name, found) in &found {
                let name = format!("{key}.out.{name}");
                check(&tensors[&name], found, &outputs[&name]["tolerance"], &name);
            }
        }
    }

    #[test]
    fn a_row_is_the_same_bits_alone_and_in_a_mixed_batch() {
        let tensors = golden::tensors("steps.safetensors");
        let schedule = Schedule::new(NoiseSchedule::SquaredCosCapV2, 1000, "10").unwrap();
        let get = |name: &str| tensors[&format!("squaredcos_cap_v2.10.in.{name}")].clone();
        let t = [0, 1, 4, 8, 9, 9];
        let run = |first: usize, rows: usize| {
            let part = |name: &str| get(name).narrow(0, first, rows).unwrap();
            let prediction = Prediction::from_model_output(&part("model_output")).unwrap();
            let (x, noise, grad) = (part("x"), part("step_noise"), part("grad"));
            let input = StepInput {
                noise: Some(&noise),
                grad: Some(&grad),
                ..StepInput::new(&schedule, &x, &t[first..first + rows], &prediction)
            };
            let outputs =
                [p_sample(&input).unwrap().sample, ddim_step(&input, 0.5).unwrap().sample];
            Tensor::stack(&outputs, 1).unwrap()
        };
        let bits = |x: Tensor| -> Vec<u32> {
            let values = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            values.into_iter().map(f32::to_bits).collect()
        };
        let all = run(0, 6);
        for row in 0..6 {
            assert_eq!(bits(run(row, 1)), bits(all.narrow(0, row, 1).unwrap()), "row {row}");
        }
    }

    #[test]
    fn a_step_outside_the_schedule_or_batch_is_refused() {
        let schedule = Schedule::new(NoiseSchedule::Linear, 1000, "5").unwrap();
        let x = Tensor::zeros((2, 3, 4, 4), DType::F32, &Device::Cpu).unwrap();
        let run = |t: &[usize]| q_sample(&schedule, &x, t, &x);
        assert!(run(&[0, 4]).is_ok());
        assert!(matches!(run(&[0, 5]), Err(DiffusionError::StepOutOfRange { step: 5, steps: 5 })));
        assert!(matches!(run(&[0]), Err(DiffusionError::BatchMismatch { expected: 2, found: 1 })));
    }
}
