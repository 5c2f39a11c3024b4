//! How fast a Transfusion model answers: reading, writing, drawing, a whole turn, memory.

use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use serde::Serialize;

use crate::bench::BenchError;
use crate::bench::memory::{peak_memory, reset_peak_memory};
use crate::diffusion::Denoiser as _;
use crate::engine::error::EngineError;
use crate::engine::library::ModelLibrary;
use crate::engine::transfusion::{
    Answer, ChatNetwork, Conversation, GuidedPicture, ReplySettings, UserTurn, reply,
};
use crate::models::autoencoder::{Autoencoder, AutoencoderConfig};
use crate::models::transfusion::{
    KvCache, Picture, Sequence, SpecialTokens, Transfusion, TransfusionConfig,
};
use crate::models::{NetworkConfig, Role};
use crate::nn::Interrupt;
use crate::selftest::formula_weights;

/// Each measurement is repeated for at least this long.
const MEASURE_FOR: Duration = Duration::from_secs(2);
/// And at least so often, after one that isn't counted.
const MIN_RUNS: usize = 3;
/// Tokens of the message that is read.
const MESSAGE: usize = 12;
/// Tokens of the answer that is written.
const REPLY: usize = 12;
/// Entries of the starter's tokenizer.
const STARTER_TOKENS: usize = 6144;

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct ChatMeasurement {
    /// The networks.
    pub network: String,
    /// What was done.
    pub what: String,
    /// Median seconds.
    pub seconds: f64,
    /// The most memory that the process held meanwhile, where the system tells.
    pub peak_memory_bytes: Option<u64>,
}

impl std::fmt::Display for ChatMeasurement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { network, what, seconds, peak_memory_bytes } = self;
        let peak = peak_memory_bytes.map_or_else(|| "?".to_owned(), |b| (b >> 20).to_string());
        write!(f, "{network:<32} {what:<46} {:>9.2} ms  peak {peak} MiB", seconds * 1e3)
    }
}

/// Networks to measure.
struct Pair {
    name: String,
    network: Transfusion,
    autoencoder: Autoencoder,
    /// Steps of a picture.
    steps: usize,
    /// Scale of its guidance.
    guidance: f64,
}

/// Measures the starter's layout with random weights, and the talker of the library.
///
/// # Errors
///
/// When a model can't be read or a computation fails or is interrupted.
pub fn run(
    library: &ModelLibrary,
    model: Option<&str>,
    device: &Device,
    interrupt: &Interrupt,
    sink: &mut dyn FnMut(&ChatMeasurement),
) -> Result<(), BenchError> {
    if model.is_none() {
        let config = TransfusionConfig::starter(STARTER_TOKENS);
        let weights = formula_weights(1, device);
        let pair = Pair {
            name: "starter layout (random weights)".to_owned(),
            network: Transfusion::new(&config, &weights)?,
            autoencoder: Autoencoder::new(&AutoencoderConfig::starter(), &weights)?,
            steps: 25,
            guidance: 3.0,
        };
        measure(&pair, interrupt, sink)?;
    }
    let family = match model {
        Some(id) => library.family(id)?,
        None => library.default_talker()?,
    };
    let manifest = &family.manifest;
    let entries = [Role::Autoencoder, Role::Transfusion].map(|role| manifest.checkpoint(role));
    let [Some(autoencoder), Some(transformer)] = entries else {
        if model.is_some() {
            family.require(Role::Transfusion)?;
        }
        return Ok(());
    };
    let weights = |entry| -> Result<VarBuilder<'static>, BenchError> {
        Ok(family.open(entry)?.var_builder(DType::F32, device))
    };
    let (NetworkConfig::Autoencoder(small), NetworkConfig::Transfusion(config)) =
        (autoencoder.network_config()?, transformer.network_config()?)
    else {
        return Ok(());
    };
    let draw = &manifest.suggested.chat.draw;
    let pair = Pair {
        name: family.id().to_owned(),
        network: Transfusion::new(&config, &weights(transformer)?)?,
        autoencoder: Autoencoder::new(&small, &weights(autoencoder)?)?,
        steps: draw.steps,
        guidance: draw.guidance.unwrap_or(1.0),
    };
    measure(&pair, interrupt, sink)
}

fn measure(
    pair: &Pair,
    interrupt: &Interrupt,
    sink: &mut dyn FnMut(&ChatMeasurement),
) -> Result<(), BenchError> {
    let Pair { network, autoencoder, steps, guidance, .. } = pair;
    let (config, device) = (network.config(), network.device());
    // Ids that every vocabulary has, and that the measured network never writes by itself.
    let special =
        SpecialTokens { pad: 0, bos: 1, user: 2, assistant: 3, boi: 4, eoi: 5, eos: 6, patch: 7 };
    let chat = ChatNetwork { network, special, interrupt };
    let side = config.latent_size * autoencoder.config().downscale();
    let count = 3 * side * side;
    let values: Vec<f32> = (0..count).map(|i| ((i * 7919) % 2003) as f32 / 1001.5 - 1.0).collect();
    let pixels = Tensor::from_vec(values, (1, 3, side, side), device)?;
    let latents = autoencoder.encode(&pixels, interrupt)?;
    let patches = network.patch_count(config.latent_size, config.latent_size)?;
    let words: Vec<u32> = (0..MESSAGE).map(|i| 8 + i as u32).collect();

    let mut context = Sequence::of_tokens(&[special.bos, special.user, special.boi]);
    let picture = Picture { latents: latents.clone(), timestep: 0.0 };
    context.push_picture(picture, patches, special.patch);
    context.push_tokens(&[special.eoi]);
    context.push_tokens(&words);
    let places = context.len();
    let mut cache = KvCache::new();
    network.prefill(&mut cache, &context, interrupt)?;
    let denoiser = GuidedPicture::new(network, &cache, Some((&cache, *guidance)), interrupt)?;

    let mut tell = |what: String, work: &dyn Fn() -> Result<Tensor, EngineError>| {
        reset_peak_memory();
        let mut seconds = Vec::new();
        let began = Instant::now();
        for run in 0.. {
            let begin = Instant::now();
            // Reading a value waits for the device.
            work()?.flatten_all()?.get(0)?.to_dtype(DType::F32)?.to_scalar::<f32>()?;
            if run > 0 {
                seconds.push(begin.elapsed().as_secs_f64());
            }
            if seconds.len() >= MIN_RUNS && began.elapsed() >= MEASURE_FOR {
                break;
            }
        }
        seconds.sort_by(f64::total_cmp);
        sink(&ChatMeasurement {
            network: pair.name.clone(),
            what,
            seconds: seconds[seconds.len() / 2],
            peak_memory_bytes: peak_memory(),
        });
        Ok::<(), EngineError>(())
    };
    tell(
        format!("encode a picture of {side} px"),
        &|| Ok(autoencoder.encode(&pixels, interrupt)?),
    )?;
    tell(format!("decode a picture of {side} px"), &|| {
        Ok(autoencoder.decode(&latents, interrupt)?)
    })?;
    tell(format!("read {places} places (picture and message)"), &|| {
        Ok(network.prefill(&mut KvCache::new(), &context, interrupt)?)
    })?;
    tell("write a token".to_owned(), &|| {
        let one = Sequence::of_tokens(&[9]);
        let hidden = network.prefill(&mut cache.fork(), &one, interrupt)?;
        Ok(network.logits(&hidden)?)
    })?;
    tell("denoising step with guidance".to_owned(), &|| {
        Ok(denoiser.denoise(&latents, 500.0)?.eps)
    })?;
    let mut settings = ReplySettings {
        answer: Answer::WithPicture,
        max_tokens: REPLY,
        max_pictures: 1,
        seed: 1,
        ..ReplySettings::default()
    };
    (settings.draw.steps, settings.draw.guidance_scale) = (*steps, *guidance);
    tell(format!("a turn: {steps} steps, picture to picture"), &|| {
        let shown = [autoencoder.encode(&pixels, interrupt)?];
        let turn = UserTurn { pictures: &shown, words: &words };
        let mut drawn = None;
        reply(&chat, &Conversation::new(), &turn, &settings, &mut |event| {
            if let crate::engine::transfusion::ReplyEvent::PictureFinished { latents, .. } = event {
                drawn = Some(latents.clone());
            }
            Ok(())
        })?;
        let drawn = drawn.ok_or(EngineError::NotFinite)?;
        // Both pictures, as for finding what changed.
        autoencoder.decode(&shown[0], interrupt)?;
        Ok(autoencoder.decode(&drawn, interrupt)?)
    })?;
    Ok(())
}
