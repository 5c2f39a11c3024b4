//! How fast networks run: seconds and arithmetic per evaluation, memory, seconds per picture.

use crate::bench::memory::{peak_memory, reset_peak_memory};
use crate::engine::library::{LibraryError, ModelLibrary};
use crate::models::glide::{Glide, GlideConfig, GlideForm, UnetInput, unet_flops};
use crate::models::{NetworkConfig, Role};
use crate::nn::Interrupt;
use crate::selftest::formula_weights;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Evaluations are repeated for at least this long.
const MEASURE_FOR: Duration = Duration::from_secs(3);
/// And at least so often, after one that isn't counted.
const MIN_RUNS: usize = 3;
/// Where in an evaluation it is cancelled: parts of its usual time.
const CANCEL_AT: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The model can't be found or read.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The config can't be used.
    #[error(transparent)]
    Config(#[from] crate::models::glide::UnsupportedConfig),
    /// The stored config can't be read.
    #[error(transparent)]
    Recognize(#[from] crate::models::glide::RecognizeError),
    /// An answer failed.
    #[error(transparent)]
    Engine(#[from] crate::engine::error::EngineError),
    /// A computation failed.
    #[error("{0}")]
    Candle(#[from] candle_core::Error),
    /// There is no thread to cancel from.
    #[error("no thread could be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// What was measured of one network at one batch size.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// The network.
    pub network: String,
    /// Pictures in the batch; 2 is one picture with guidance.
    pub batch: usize,
    /// Side of the picture in pixels.
    pub side_px: usize,
    /// Parameters of the UNet and its text transformer.
    pub parameters: u64,
    /// Seconds of the fastest evaluation.
    pub seconds_per_evaluation: f64,
    /// Seconds of the median evaluation.
    pub median_seconds: f64,
    /// Seconds that a cancelled evaluation went on at most; nothing where all were done before.
    pub cancel_seconds: Option<f64>,
    /// Arithmetic of an evaluation in GFLOP, a multiply-add being two.
    pub gflop: f64,
    /// Arithmetic per second at the fastest evaluation, as if every convolution were done directly.
    pub gflop_per_second: f64,
    /// Seconds to encode the prompt, once a picture.
    pub text_seconds: f64,
    /// Evaluations that this stage of a picture takes with the suggested settings.
    pub evaluations_per_picture: usize,
    /// Seconds that this stage of a picture takes.
    pub seconds_per_picture: f64,
    /// The most memory that the process held while this network was measured, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// Memory of the weights in the type they are computed in.
    pub weight_bytes: u64,
}

/// What to measure.
pub struct BenchRequest<'a> {
    /// Only this model; without it, the public configs with random weights and the starter model.
    pub model: Option<&'a str>,
    /// Where to compute.
    pub device: &'a Device,
    /// Where models are found.
    pub library: &'a ModelLibrary,
    /// Ends a measurement early.
    pub interrupt: &'a Interrupt,
}

/// Measures networks, one after the other, and hands each result to `sink`.
///
/// # Errors
///
/// When a model can't be read or a computation fails or is interrupted.
pub fn run(
    request: &BenchRequest<'_>,
    sink: &mut dyn FnMut(&Measurement),
) -> Result<(), BenchError> {
    if request.model.is_none() {
        for (form, batch, steps) in
            [(GlideForm::Base, 2, 100), (GlideForm::Upsample, 2, 27), (GlideForm::Upsample, 1, 27)]
        {
            let config = GlideConfig::public(form);
            let name = format!("public {} (random weights)", form.name());
            let vb = formula_weights(1, request.device);
            sink(&measure(request, name, &config, &vb, batch, steps)?);
        }
    }
    let family = match request.model {
        Some(id) => request.library.family(id)?,
        None => request.library.default_family()?,
    };
    for role in [Role::Base, Role::Upsample] {
        let Some(entry) = family.network_for(role) else {
            continue;
        };
        let NetworkConfig::Glide(config) = entry.network_config()? else {
            continue;
        };
        let steps = family.manifest.suggested.stage(role).map_or(27, |stage| stage.steps);
        let vb = family.open(entry)?.var_builder(DType::F32, request.device);
        let batches: &[usize] = if role == Role::Base { &[2] } else { &[2, 1] };
        for &batch in batches {
            let name = format!("{} {}", family.id(), entry.role);
            sink(&measure(request, name, &config, &vb, batch, steps)?);
        }
    }
    Ok(())
}

fn measure(
    request: &BenchRequest<'_>,
    network: String,
    config: &GlideConfig,
    vb: &VarBuilder<'_>,
    batch: usize,
    evaluations: usize,
) -> Result<Measurement, BenchError> {
    reset_peak_memory();
    let device = request.device;
    let glide = Glide::new(config, vb)?;
    let shapes = crate::models::glide::parameter_shapes(config)?;
    let parameters: u64 =
        shapes.iter().map(|(_, shape)| shape.iter().product::<usize>() as u64).sum();
    let side = config.image_size;
    let context = config.text_ctx;
    let tokens = Tensor::zeros((batch, context), DType::U32, device)?;
    let token_mask = Tensor::ones((batch, context), DType::U8, device)?;
    let started = Instant::now();
    let text = if config.xf_width > 0 {
        Some(glide.encode_text(&tokens, &token_mask, request.interrupt)?)
    } else {
        None
    };
    let text_seconds = started.elapsed().as_secs_f64();
    // Noise-like values: zeros would run through other paths of the floating point units.
    let picture = |side: usize| {
        let count = batch * 3 * side * side;
        let values: Vec<f32> =
            (0..count).map(|i| ((i * 7919) % 2003) as f32 / 1001.5 - 1.0).collect();
        Tensor::from_vec(values, (batch, 3, side, side), device)
    };
    let (x_t, low_res) = (picture(side)?, picture(side.div_ceil(4))?);
    let timesteps = Tensor::full(500_f32, batch, device)?;
    let input = UnetInput {
        x_t: &x_t,
        timesteps: &timesteps,
        text: text.as_ref(),
        known: None,
        keep_mask: None,
        low_res: config.super_res.then_some(&low_res),
    };
    let mut seconds = Vec::new();
    let started = Instant::now();
    for run in 0.. {
        let begin = Instant::now();
        let out = glide.forward(&input, request.interrupt)?;
        // Reading a value waits for the device.
        out.flatten_all()?.get(0)?.to_scalar::<f32>()?;
        if run > 0 {
            seconds.push(begin.elapsed().as_secs_f64());
        }
        if seconds.len() >= MIN_RUNS && started.elapsed() >= MEASURE_FOR {
            break;
        }
    }
    seconds.sort_by(f64::total_cmp);
    let (fastest, median) = (seconds[0], seconds[seconds.len() / 2]);
    let cancel_seconds = cancel_seconds(request, &glide, &input, median)?;
    let gflop = unet_flops(config, side, side)? * batch as f64 / 1e9;
    Ok(Measurement {
        network,
        batch,
        side_px: side,
        parameters,
        seconds_per_evaluation: fastest,
        median_seconds: median,
        cancel_seconds,
        gflop,
        gflop_per_second: gflop / fastest,
        text_seconds,
        evaluations_per_picture: evaluations,
        seconds_per_picture: text_seconds + evaluations as f64 * median,
        peak_memory_bytes: peak_memory(),
        weight_bytes: parameters * 4,
    })
}

/// How long an evaluation goes on that is cancelled on its way, at most.
fn cancel_seconds(
    request: &BenchRequest<'_>,
    glide: &Glide,
    input: &UnetInput<'_>,
    usual_seconds: f64,
) -> Result<Option<f64>, BenchError> {
    let mut longest: Option<f64> = None;
    for part in CANCEL_AT {
        let interrupt = Interrupt::new();
        let after = Duration::from_secs_f64(usual_seconds * part);
        let (result, seconds) = std::thread::scope(|scope| -> std::io::Result<_> {
            let raise = || {
                std::thread::sleep(after);
                let raised = Instant::now();
                interrupt.raise();
                raised
            };
            let canceller = std::thread::Builder::new().name("bench-cancel".to_owned());
            let canceller = canceller.spawn_scoped(scope, raise)?;
            let result = glide.forward(input, &interrupt);
            let returned = Instant::now();
            let raised = canceller.join().map_err(|_| std::io::Error::other("it panicked"))?;
            Ok((result, returned.saturating_duration_since(raised).as_secs_f64()))
        })?;
        match result {
            Ok(_) => log::debug!("an evaluation was done before it was cancelled"),
            Err(_) if interrupt.is_raised() => {
                longest = Some(longest.map_or(seconds, |longest| longest.max(seconds)));
            }
            Err(error) => return Err(error.into()),
        }
        request.interrupt.check()?;
    }
    Ok(longest)
}

impl std::fmt::Display for Measurement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mib = |bytes: u64| bytes / (1 << 20);
        write!(
            f,
            "{:<34} batch {}  {:>4} px  {:>8.3} s/evaluation  {:>7.1} GFLOP  {:>6.1} GFLOP/s  \
             cancelled in {:>4} ms  {:>4} evaluations  {:>7.1} s/picture  peak {} MiB \
             (weights {} MiB)",
            self.network,
            self.batch,
            self.side_px,
            self.seconds_per_evaluation,
            self.gflop,
            self.gflop_per_second,
            self.cancel_seconds.map_or_else(|| "?".to_owned(), |s| format!("{:.0}", s * 1e3)),
            self.evaluations_per_picture,
            self.seconds_per_picture,
            self.peak_memory_bytes.map_or_else(|| "?".to_owned(), |bytes| mib(bytes).to_string()),
            mib(self.weight_bytes),
        )
    }
}
