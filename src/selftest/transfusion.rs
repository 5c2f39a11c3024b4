//! A folder with a Transfusion transformer, its autoencoder and their vectors.
//!
//! The README of `tests/golden/transfusion` describes the layout: `config.json` beside
//! `vectors.safetensors`. Each group of vectors is checked where the file has it.

use super::compare::{Check, Tolerance};
use super::vectors::{SelftestError, Vectors};
use super::{Result, Sink};
use crate::diffusion::{Denoiser, NoiseSchedule, Prediction, Schedule};
use crate::engine::transfusion::{DrawSettings, GuidedPicture, PROCESS_STEPS, draw};
use crate::models::autoencoder::{self, Autoencoder, AutoencoderConfig};
use crate::models::transfusion::{
    self, KvCache, Picture, Sequence, SpecialTokens, Transfusion, TransfusionConfig, patchify,
    unpatchify,
};
use crate::nn::Interrupt;
use crate::weights::Checkpoint;
use candle_core::{DType, Device, Shape, Tensor};
use serde_json::Value;
use std::cell::RefCell;
use std::path::Path;

fn explained(error: impl std::fmt::Display) -> SelftestError {
    SelftestError::Other(error.to_string())
}

/// The case under way.
struct Case<'a, 's> {
    name: &'a str,
    vectors: Vectors,
    tolerance: Tolerance,
    sink: &'a mut Sink<'s>,
}

impl Case<'_, '_> {
    fn has(&self, name: &str) -> bool {
        self.vectors.find(name).is_some()
    }

    fn check(&mut self, output: &str, found: &Tensor) -> Result<()> {
        let expected = self.vectors.get(output)?;
        let name = format!("{}/{output}", self.name);
        (self.sink)(Check::tensors(&name, found, expected, self.tolerance.clone())?);
        Ok(())
    }

    fn whole_numbers(&self, name: &str) -> Result<Vec<i64>> {
        Ok(self.vectors.get(name)?.to_dtype(DType::I64)?.flatten_all()?.to_vec1::<i64>()?)
    }

    fn timesteps(&self, name: &str) -> Result<Vec<f64>> {
        Ok(self.vectors.get(name)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?)
    }

    /// Sequences of one length, listed as tokens and the picture at each place (-1 is none); the
    /// pictures are those of all sequences in order.
    fn sequences(
        &self,
        (tokens, picture_at): (&str, &str),
        rows: usize,
        mut pictures: impl Iterator<Item = Picture>,
    ) -> Result<Vec<Sequence>> {
        let (tokens, places) = (self.whole_numbers(tokens)?, self.whole_numbers(picture_at)?);
        let len = tokens.len() / rows.max(1);
        if len == 0 || places.len() != tokens.len() {
            return Err(SelftestError::Field(format!("{} places", self.name)));
        }
        tokens
            .chunks(len)
            .zip(places.chunks(len))
            .map(|(tokens, places)| {
                let places: Vec<Option<usize>> =
                    places.iter().map(|&at| usize::try_from(at).ok()).collect();
                let count = places.iter().flatten().max().map_or(0, |last| last + 1);
                let pictures = pictures.by_ref().take(count).collect();
                let tokens = tokens.iter().map(|&token| token as u32).collect();
                Ok(Sequence::from_parts(tokens, places, pictures)?)
            })
            .collect()
    }
}

/// Runs what the folder of `path`, a `config.json`, has vectors for.
pub(super) fn run(
    path: &Path,
    json: &Value,
    name: &str,
    device: &Device,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    let vectors = Vectors::read(&folder.join("vectors.safetensors"), device)?;
    let tolerance = Tolerance::read(json.get("tolerance"));
    let mut case = Case { name, vectors, tolerance, sink };
    let part = |key: &str| json.get(key).ok_or_else(|| SelftestError::missing(key));
    if case.has("vae.image") {
        let config = AutoencoderConfig::from_json(part("vae")?).map_err(explained)?;
        let checkpoint = Checkpoint::open(&folder.join("vae.safetensors")).map_err(explained)?;
        autoencoder::check_checkpoint(&checkpoint.shapes(), &config).map_err(explained)?;
        let network = Autoencoder::new(&config, &checkpoint.var_builder(DType::F32, device))?;
        autoencoder_vectors(&mut case, &network)?;
    }
    let config = TransfusionConfig::from_json(part("transfusion")?).map_err(explained)?;
    let checkpoint =
        Checkpoint::open(&folder.join("transfusion.safetensors")).map_err(explained)?;
    transfusion::check_checkpoint(&checkpoint.shapes(), &config).map_err(explained)?;
    let network = Transfusion::new(&config, &checkpoint.var_builder(DType::F32, device))?;
    let special: SpecialTokens =
        serde_json::from_value(part("special_tokens")?.clone()).map_err(explained)?;
    embeddings(&mut case, &network)?;
    if case.has("seq.tokens") {
        sequences(&mut case, &network, special)?;
    }
    if case.has("greedy.prompt") {
        greedy(&mut case, &network)?;
    }
    if case.has("denoise.x_T") {
        denoising(&mut case, &network, json)?;
    }
    Ok(())
}

fn autoencoder_vectors(case: &mut Case<'_, '_>, network: &Autoencoder) -> Result<()> {
    let go = Interrupt::new();
    let found = network.encode(case.vectors.get("vae.image")?, &go)?;
    case.check("vae.latent", &found)?;
    if case.has("vae.decoded") {
        let found = network.decode(case.vectors.get("vae.latent")?, &go)?;
        case.check("vae.decoded", &found)?;
    }
    Ok(())
}

fn embeddings(case: &mut Case<'_, '_>, network: &Transfusion) -> Result<()> {
    let patch = network.config().patch_size;
    if case.has("patches") {
        let latents = case.vectors.get("vae.latent")?;
        let (_, _, height, width) = latents.dims4()?;
        let found = patchify(latents, patch)?;
        let back = unpatchify(case.vectors.get("patches")?, patch, (height, width))?;
        case.check("patches", &found)?;
        case.check("vae.latent", &back)?;
    }
    if case.has("embed.out") {
        let timesteps = case.timesteps("embed.t")?;
        let found = network.embed_pictures(case.vectors.get("vae.latent")?, &timesteps)?;
        case.check("embed.out", &found)?;
    }
    Ok(())
}

fn sequences(case: &mut Case<'_, '_>, network: &Transfusion, special: SpecialTokens) -> Result<()> {
    let timesteps = case.timesteps("seq.t")?;
    let latents = case.vectors.get("seq.latents")?;
    let pictures = timesteps
        .into_iter()
        .enumerate()
        .map(|(i, timestep)| Ok(Picture { latents: latents.narrow(0, i, 1)?, timestep }))
        .collect::<Result<Vec<_>>>()?;
    let rows = case.vectors.get("seq.tokens")?.dim(0)?;
    let names = ("seq.tokens", "seq.image_id");
    let sequences = case.sequences(names, rows, pictures.into_iter())?;
    let misplaced = sequences.iter().flat_map(|s| s.tokens().iter().zip(s.picture_at()));
    let misplaced =
        misplaced.filter(|(token, at)| (**token == special.patch) != at.is_some()).count();
    let name = format!("{}/seq.patch_tokens", case.name);
    (case.sink)(Check::counted(&name, misplaced));
    let all: Vec<&Sequence> = sequences.iter().collect();
    let hidden = network.forward(&all, &Interrupt::new())?;
    case.check("seq.hidden", &hidden)?;
    case.check("seq.logits", &network.logits(&hidden)?)?;
    let mut heads = Vec::new();
    for (row, sequence) in sequences.iter().enumerate() {
        for picture in 0..sequence.pictures().len() {
            let places = || sequence.picture_at().iter().filter(|at| **at == Some(picture));
            let first = sequence.picture_at().iter().position(|at| *at == Some(picture));
            let own = hidden.narrow(0, row, 1)?;
            heads.push(own.narrow(1, first.unwrap_or_default(), places().count())?);
        }
    }
    if heads.is_empty() || !case.has("seq.patch_out") {
        return Ok(());
    }
    case.check("seq.patch_out", &network.patch_noise(&Tensor::cat(&heads, 0)?)?)
}

/// The most likely token after the last place of `hidden` `[1, T, D]`; the first of equals.
fn most_likely(network: &Transfusion, hidden: &Tensor) -> Result<u32> {
    let last = hidden.narrow(1, hidden.dim(1)? - 1, 1)?;
    let logits = network.logits(&last)?.flatten_all()?.to_vec1::<f32>()?;
    let mut best = 0;
    for (i, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = i;
        }
    }
    Ok(best as u32)
}

fn greedy(case: &mut Case<'_, '_>, network: &Transfusion) -> Result<()> {
    let go = Interrupt::new();
    let expected = case.whole_numbers("greedy.tokens")?;
    let prompt = case.whole_numbers("greedy.prompt")?;
    let prompt: Vec<u32> = prompt.into_iter().map(|token| token as u32).collect();
    let mut cache = KvCache::new();
    let mut next = Sequence::of_tokens(&prompt);
    let mut found = Vec::new();
    for _ in &expected {
        let hidden = network.prefill(&mut cache, &next, &go)?;
        let token = most_likely(network, &hidden)?;
        found.push(f64::from(token));
        next = Sequence::of_tokens(&[token]);
    }
    let expected: Vec<f64> = expected.into_iter().map(|token| token as f64).collect();
    let name = format!("{}/greedy.tokens", case.name);
    (case.sink)(Check::values(&name, &found, &expected, 1, Tolerance::exact()));
    Ok(())
}

/// Notes what a denoiser says.
struct Noted<'a> {
    denoiser: &'a dyn Denoiser,
    eps: RefCell<Vec<Tensor>>,
}

impl Denoiser for Noted<'_> {
    fn denoise(&self, x_t: &Tensor, timestep: f64) -> candle_core::Result<Prediction> {
        let prediction = self.denoiser.denoise(x_t, timestep)?;
        self.eps.borrow_mut().push(prediction.eps.clone());
        Ok(prediction)
    }
}

fn denoising(case: &mut Case<'_, '_>, network: &Transfusion, json: &Value) -> Result<()> {
    let go = Interrupt::new();
    let number = |key: &str| {
        json.get(key).and_then(Value::as_f64).ok_or_else(|| SelftestError::missing(key))
    };
    let context = |which: &str| -> Result<KvCache> {
        let clean = match case.vectors.find("denoise.context_latent") {
            Some(latents) => (0..latents.dim(0)?)
                .map(|i| Ok(Picture { latents: latents.narrow(0, i, 1)?, timestep: 0.0 }))
                .collect::<Result<Vec<_>>>()?,
            None => Vec::new(),
        };
        let names = (format!("denoise.{which}"), format!("denoise.{which}_image_id"));
        let rows = case.sequences((&names.0, &names.1), 1, clean.into_iter())?;
        let mut cache = KvCache::new();
        for row in &rows {
            network.prefill(&mut cache, row, &go)?;
        }
        Ok(cache)
    };
    let (with, without) = (context("context")?, context("free")?);
    let scale = number("guidance_scale")?;
    let guided = GuidedPicture::new(network, &with, Some((&without, scale)), &go)?;
    let noted = Noted { denoiser: &guided, eps: RefCell::default() };
    let mut timesteps: Vec<usize> =
        case.whole_numbers("denoise.timesteps")?.into_iter().map(|t| t as usize).collect();
    timesteps.reverse();
    let schedule =
        Schedule::from_timesteps(NoiseSchedule::SquaredCosCapV2, PROCESS_STEPS, timesteps)?;
    let settings = DrawSettings { x_start_clamp: number("x_start_clamp")?, ..Default::default() };
    let mut steps = Vec::new();
    let x_t = case.vectors.get("denoise.x_T")?.clone();
    let mut no_noise = |_: usize, _: &Shape| candle_core::bail!("eta 0 adds no noise");
    draw(&noted, &schedule, &settings, x_t, &mut no_noise, &mut |report| {
        steps.push(report.x_t.clone());
        Ok(())
    })
    .map_err(explained)?;
    if case.has("denoise.eps") {
        case.check("denoise.eps", &Tensor::cat(&noted.eps.into_inner(), 0)?)?;
    }
    case.check("denoise.x", &Tensor::cat(&steps, 0)?)
}
