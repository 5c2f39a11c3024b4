//! Schedules, respacing and single steps without a network.

use super::compare::{Check, Tolerance};
use super::vectors::{SelftestError, Vectors};
use super::{Result, Sink, list, text};
use crate::diffusion::step::{
    Gaussian, StepInput, StepOutput, ddim_reverse, ddim_step, p_mean_variance, p_sample,
    predict_eps_from_x_start, predict_x_start_from_eps, q_mean_variance, q_posterior, q_sample,
};
use crate::diffusion::{Prediction, Schedule, space_timesteps};
use candle_core::{DType, Device, Tensor};
use serde_json::Value;
use std::path::Path;

pub(super) fn run(
    path: &Path,
    json: &Value,
    name: &str,
    device: &Device,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    schedules(folder, json, name, sink)?;
    let Some(steps) = json.get("steps") else {
        return Ok(());
    };
    let vectors = Vectors::read(&folder.join(text(steps, "file")?), device)?;
    for case in list(steps, "cases")? {
        let key = text(case, "key")?;
        let steps = case.get("diffusion_steps").and_then(Value::as_u64).unwrap_or(1000) as usize;
        let noise_schedule = text(case, "noise_schedule")?.parse()?;
        let schedule = Schedule::new(noise_schedule, steps, text(case, "timestep_respacing")?)?;
        single_steps(&vectors, case, key, &schedule, name, sink)?;
    }
    Ok(())
}

fn schedules(folder: &Path, json: &Value, name: &str, sink: &mut Sink<'_>) -> Result<()> {
    let json = json.get("schedules").ok_or_else(|| SelftestError::missing("schedules"))?;
    let vectors = Vectors::read(&folder.join(text(json, "file")?), &Device::Cpu)?;
    let tolerance = Tolerance::read(json.get("tolerance"));
    for case in list(json, "cases")? {
        let key = text(case, "key")?;
        let steps = case.get("diffusion_steps").and_then(Value::as_u64).unwrap_or(1000) as usize;
        let respacing = text(case, "timestep_respacing")?;
        let schedule = Schedule::new(text(case, "noise_schedule")?.parse()?, steps, respacing)?;
        for (table, values) in schedule.tables().named() {
            if let Some(expected) = vectors.find(&format!("{key}.{table}")) {
                let expected = expected.to_vec1::<f64>()?;
                let check = format!("{name}/{key}.{table}");
                sink(Check::values(&check, values, &expected, 1, tolerance.clone()));
            }
        }
        if let Some(expected) = vectors.find(&format!("{key}.timestep_map")) {
            let expected = expected.to_dtype(DType::F64)?.to_vec1::<f64>()?;
            let map: Vec<f64> = schedule.timestep_map().iter().map(|&t| t as f64).collect();
            let check = format!("{name}/{key}.timestep_map");
            sink(Check::values(&check, &map, &expected, 1, Tolerance::exact()));
        }
    }
    Ok(())
}

pub(super) fn respacing(json: &Value, name: &str, sink: &mut Sink<'_>) -> Result<()> {
    for case in list(json, "cases")? {
        let steps = case.get("num_timesteps").and_then(Value::as_u64).unwrap_or(1000) as usize;
        let respacing = text(case, "respacing")?;
        let check = format!("{name}/{steps}:{respacing:?}");
        let found = space_timesteps(steps, respacing);
        let Some(expected) = case.get("timesteps").and_then(Value::as_array) else {
            sink(Check::counted(&check, usize::from(found.is_ok())));
            continue;
        };
        let expected: Vec<f64> = expected.iter().filter_map(Value::as_f64).collect();
        match found {
            Ok(found) => {
                let found: Vec<f64> = found.iter().map(|&t| t as f64).collect();
                sink(Check::values(&check, &found, &expected, 1, Tolerance::exact()));
            }
            // The reference makes an empty process of these; refusing them is as good.
            Err(_) => sink(Check::counted(&check, usize::from(!expected.is_empty()))),
        }
    }
    Ok(())
}

fn single_steps(
    vectors: &Vectors,
    case: &Value,
    key: &str,
    schedule: &Schedule,
    name: &str,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let input = |part: &str| vectors.get(&format!("{key}.in.{part}"));
    let (x, x_start, noise) = (input("x")?, input("x_start")?, input("noise")?);
    let (known, known_mask) = (input("known")?, input("known_mask")?);
    let (grad, step_noise) = (input("grad")?, input("step_noise")?);
    let prediction = Prediction::from_model_output(input("model_output")?)?;
    let t: Vec<usize> = input("t")?.to_vec1::<i64>()?.into_iter().map(|t| t as usize).collect();
    let mut check = |output: &str, found: &Tensor| -> Result<()> {
        let full = format!("{key}.out.{output}");
        let Some(expected) = vectors.find(&full) else {
            return Ok(());
        };
        let tolerance =
            case.get("outputs").and_then(|outputs| outputs.get(&full)?.get("tolerance"));
        let tolerance = Tolerance::read(tolerance);
        let found = found.broadcast_as(expected.shape())?;
        sink(Check::tensors(&format!("{name}/{key}.{output}"), &found, expected, tolerance)?);
        Ok(())
    };
    let q = q_mean_variance(schedule, x_start, &t)?;
    check("q_mean_variance.mean", &q.mean)?;
    check("q_mean_variance.variance", &q.variance)?;
    check("q_mean_variance.log_variance", &q.log_variance)?;
    check("q_sample", &q_sample(schedule, x_start, &t, noise)?)?;
    let q = q_posterior(schedule, x_start, x, &t)?;
    check("q_posterior.mean", &q.mean)?;
    check("q_posterior.variance", &q.variance)?;
    check("q_posterior.log_variance_clipped", &q.log_variance)?;
    let eps = &prediction.eps;
    check("predict_xstart_from_eps", &predict_x_start_from_eps(schedule, x, &t, eps)?)?;
    check("predict_eps_from_xstart", &predict_eps_from_x_start(schedule, x, &t, x_start)?)?;

    let paste = |x_start: &Tensor| {
        let kept = known.broadcast_mul(known_mask)?;
        x_start.broadcast_mul(&known_mask.affine(-1.0, 1.0)?)? + kept
    };
    let plain = StepInput::new(schedule, x, &t, &prediction);
    let noisy = StepInput { noise: Some(step_noise), ..plain };
    let unclipped = StepInput { clip_denoised: false, ..plain };
    let pasted = StepInput { denoised_fn: Some(&paste), ..plain };
    for (output, input) in [
        ("p_mean_variance", &plain),
        ("p_mean_variance_noclip", &unclipped),
        ("p_mean_variance_denoised", &pasted),
    ] {
        let (Gaussian { mean, variance, log_variance }, x_start) = p_mean_variance(input)?;
        check(&format!("{output}.mean"), &mean)?;
        check(&format!("{output}.variance"), &variance)?;
        check(&format!("{output}.log_variance"), &log_variance)?;
        check(&format!("{output}.pred_xstart"), &x_start)?;
    }
    let guided = StepInput { grad: Some(grad), ..noisy };
    for (output, result) in [
        ("p_sample", p_sample(&noisy)?),
        ("p_sample_noclip", p_sample(&StepInput { clip_denoised: false, ..noisy })?),
        ("p_sample_cond", p_sample(&guided)?),
        ("ddim_eta0.0", ddim_step(&noisy, 0.0)?),
        ("ddim_eta0.5", ddim_step(&noisy, 0.5)?),
        ("ddim_eta1.0", ddim_step(&noisy, 1.0)?),
        ("ddim_cond_eta0.0", ddim_step(&guided, 0.0)?),
        ("ddim_reverse", ddim_reverse(&plain)?),
    ] {
        let StepOutput { sample, x_start } = result;
        check(&format!("{output}.sample"), &sample)?;
        check(&format!("{output}.pred_xstart"), &x_start)?;
    }
    let timesteps: Vec<f64> =
        t.iter().map(|&t| schedule.timestep(t)).collect::<std::result::Result<_, _>>()?;
    let timesteps = Tensor::new(timesteps, &Device::Cpu)?;
    check("model_timesteps", &timesteps)?;
    check("cond_timesteps", &timesteps)
}
