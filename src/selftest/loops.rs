//! Whole sampling loops, free running and step by step.

use super::compare::{Check, Tolerance};
use super::networks::{Case, Run, guided_forward, lengths};
use super::vectors::{SelftestError, tolerance};
use super::{Result, Sink, text};
use crate::diffusion::step::{StepInput, ddim_step, p_sample};
use crate::diffusion::{
    CondFn, Denoiser, Hooks, NoiseSchedule, Prediction, Sampler, SamplerSettings, Schedule, sample,
};
use crate::models::glide::{ClipGuidance, Glide, TextEmbedding};
use crate::nn::Interrupt;
use candle_core::{DType, Tensor};
use serde_json::Value;
use std::cell::RefCell;

/// The network of a loop, as the samplers see it.
struct Network<'a> {
    glide: &'a Glide,
    run: &'a Run<'a>,
    text: Option<TextEmbedding>,
    guidance_scale: Option<f64>,
    /// Timesteps that the network was given.
    timesteps: RefCell<Vec<f64>>,
}

impl Denoiser for Network<'_> {
    fn denoise(&self, x_t: &Tensor, timestep: f64) -> candle_core::Result<Prediction> {
        self.timesteps.borrow_mut().push(timestep);
        let batch = x_t.dim(0)?;
        let timesteps = Tensor::full(timestep as f32, batch, x_t.device())?;
        let text = self.text.as_ref();
        let out = match self.guidance_scale {
            Some(scale) => guided_forward(self.glide, self.run, x_t, &timesteps, text, scale)
                .map_err(candle_core::Error::wrap)?,
            None => {
                self.glide.forward(&self.run.input(x_t, &timesteps, text), &Interrupt::new())?
            }
        };
        Prediction::from_model_output(&out)
    }
}

pub(super) fn run(case: &Case<'_>, run: &Run<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let params = run.json.get("params").ok_or_else(|| SelftestError::missing("params"))?;
    let number = |name: &str| params.get(name).and_then(Value::as_f64);
    let flag = |name: &str| params.get(name).and_then(Value::as_bool);
    let glide = case.glide(run)?;
    let noise_schedule: NoiseSchedule = text(params, "noise_schedule")?.parse()?;
    let steps = number("diffusion_steps").unwrap_or(1000.0) as usize;
    let schedule = Schedule::new(noise_schedule, steps, text(params, "timestep_respacing")?)?;
    let sampler = match text(params, "sampler")? {
        "ddim" => Sampler::Ddim { eta: number("eta").unwrap_or(0.0) },
        _ => Sampler::Ddpm,
    };
    let clip_denoised = flag("clip_denoised").unwrap_or(true);
    let network = Network {
        glide,
        run,
        text: run.embedding(glide, "")?,
        guidance_scale: number("guidance_scale"),
        timesteps: RefCell::new(Vec::new()),
    };
    let paste_known = |x: &Tensor| {
        let (Some(image), Some(mask)) =
            (run.vectors.find("in.inpaint_image"), run.vectors.find("in.inpaint_mask"))
        else {
            candle_core::bail!("the loop pastes known pixels but has none");
        };
        let kept = image.broadcast_mul(mask)?;
        x.broadcast_mul(&mask.affine(-1.0, 1.0)?)? + kept
    };
    let paste_known = &paste_known as &dyn Fn(&Tensor) -> candle_core::Result<Tensor>;
    let denoised_fn = flag("inpaint_denoised_fn").unwrap_or(false).then_some(paste_known);
    let guidance = match run.vectors.find("in.clip_tokens") {
        Some(tokens) => {
            let clip = case.clip()?;
            let lens = lengths(run.vectors.get("in.clip_lens")?)?;
            let tokens = tokens.to_dtype(DType::U32)?;
            let text = clip.text.embed(&tokens, &lens, &Interrupt::new())?;
            let scale = number("clip_grad_scale").unwrap_or(1.0);
            Some((clip, ClipGuidance::new(text, &clip.config, scale)))
        }
        None => None,
    };
    let clip_gradient = |x_t: &Tensor, timestep: f64| {
        let Some((clip, guidance)) = &guidance else {
            candle_core::bail!("no CLIP");
        };
        let timesteps = Tensor::full(timestep as u32, x_t.dim(0)?, case.device())?;
        Ok(guidance.gradient(&clip.image, x_t, &timesteps, &Interrupt::new())?.gradient)
    };
    let cond_fn: Option<CondFn<'_>> = guidance.is_some().then_some(&clip_gradient);

    let x_t = run.vectors.get("in.x_T")?;
    let noise_of = |step: usize| match run.vectors.find("in.noise") {
        Some(noise) => Ok(Some(noise.get(step)?)),
        None => Ok::<_, candle_core::Error>(None),
    };
    // 1. Each step alone, from the recorded sample before it.
    if let Some(single) = run.json.get("single_step") {
        let recorded = run.vectors.get("out.sample")?;
        let (mut samples, mut x_starts) = (Vec::new(), Vec::new());
        for k in 0..schedule.steps() {
            let before = if k == 0 { x_t.clone() } else { recorded.get(k - 1)? };
            let step = schedule.steps() - 1 - k;
            let timestep = schedule.timestep(step)?;
            let prediction = network.denoise(&before, timestep)?;
            let grad = cond_fn.map(|cond_fn| cond_fn(&before, timestep)).transpose()?;
            let noise = noise_of(k)?;
            let t = vec![step; before.dim(0)?];
            let input = StepInput {
                clip_denoised,
                denoised_fn,
                grad: grad.as_ref(),
                noise: noise.as_ref(),
                ..StepInput::new(&schedule, &before, &t, &prediction)
            };
            let out = match sampler {
                Sampler::Ddim { eta } => ddim_step(&input, eta)?,
                _ => p_sample(&input)?,
            };
            samples.push(out.sample);
            x_starts.push(out.x_start);
        }
        for (output, found) in [("out.sample", samples), ("out.pred_xstart", x_starts)] {
            let allowed = single.get("tolerance").and_then(|tolerance| tolerance.get(output));
            if let (Some(expected), Some(allowed)) = (run.vectors.find(output), allowed) {
                let name = format!("{}/single_step/{output}", run.name);
                let found = Tensor::stack(&found, 0)?;
                sink(Check::tensors(&name, &found, expected, Tolerance::read(Some(allowed)))?);
            }
        }
    }
    // 2. The loop by itself.
    network.timesteps.borrow_mut().clear();
    let (mut samples, mut x_starts) = (Vec::new(), Vec::new());
    let last = sample(
        &network,
        &schedule,
        &SamplerSettings { sampler, clip_denoised },
        x_t.clone(),
        &mut |step, shape| match noise_of(step)? {
            Some(noise) => Ok(noise),
            None => Tensor::zeros(shape, DType::F32, case.device()),
        },
        Hooks {
            denoised_fn,
            cond_fn,
            on_step: &mut |report| {
                samples.push(report.x_t.clone());
                x_starts.push(report.x_start.clone());
                Ok(())
            },
        },
    )?;
    let timesteps = network.timesteps.borrow().clone();
    if let Some(expected) = run.vectors.find("out.model_timesteps") {
        let expected = expected.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let name = format!("{}/out.model_timesteps", run.name);
        sink(Check::values(&name, &timesteps, &expected, 1, Tolerance::exact()));
    }
    run.check("out.sample", &Tensor::stack(&samples, 0)?, sink)?;
    run.check("out.pred_xstart", &Tensor::stack(&x_starts, 0)?, sink)?;
    let kept = number("batch_size").map_or(last.dim(0)?, |size| size as usize);
    let last = last.narrow(0, 0, kept)?;
    run.check("out.final", &last, sink)?;
    if let Some(expected) = run.vectors.find("out.final_u8") {
        let values = last.flatten_all()?.to_device(&candle_core::Device::Cpu)?.to_vec1::<f32>()?;
        let found: Vec<f64> = values.iter().map(|&x| super::ops::byte_from_unit(x)).collect();
        let expected = expected.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let name = format!("{}/out.final_u8", run.name);
        sink(Check::values(&name, &found, &expected, 1, tolerance(run.json, "out.final_u8")));
    }
    Ok(())
}
