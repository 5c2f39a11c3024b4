//! Cases with a network: text, single evaluations, whole loops, CLIP.

use super::compare::Check;
use super::loops;
use super::vectors::{SelftestError, Vectors, read_json, tolerance, weights};
use super::{Result, Sink, list, text};
use crate::diffusion::guidance::guide;
use crate::models::glide::{
    ClipConfig, ClipGuidance, ClipImageEncoder, ClipTextEncoder, Glide, GlideConfig, TextEmbedding,
    UnetInput,
};
use crate::nn::Interrupt;
use candle_core::{DType, Device, Tensor};
use serde_json::Value;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A case with its networks, which are built when a run first needs them.
pub(super) struct Case<'a> {
    folder: PathBuf,
    json: &'a Value,
    device: &'a Device,
    glide: OnceCell<Glide>,
    clip: OnceCell<Clip>,
}

/// The noised CLIP of a case.
pub(super) struct Clip {
    pub(super) config: ClipConfig,
    pub(super) text: ClipTextEncoder,
    pub(super) image: ClipImageEncoder,
}

pub(super) fn run(
    path: &Path,
    json: &Value,
    name: &str,
    device: &Device,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let folder = path.parent().unwrap_or(path).to_owned();
    let case = Case { folder, json, device, glide: OnceCell::new(), clip: OnceCell::new() };
    for run in list(json, "runs")? {
        let run_name = format!("{name}/{}", text(run, "name")?);
        let result = (|| {
            let vectors = Vectors::read(&case.folder.join(text(run, "file")?), device)?;
            let run = Run { name: &run_name, json: run, vectors };
            match text(run.json, "kind")? {
                "text" => text_run(&case, &run, sink),
                "forward" => forward(&case, &run, sink),
                "forward_f16" => forward_f16(&case, &run, sink),
                "cfg_forward" => cfg_forward(&case, &run, sink),
                "cache" => cached(&case, &run, sink),
                "loop" => loops::run(&case, &run, sink),
                "clip_text" => clip_text(&case, &run, sink),
                "clip_image" => clip_image(&case, &run, sink),
                "clip_grad" => clip_grad(&case, &run, sink),
                other => Err(SelftestError::Field(format!("kind = {other}"))),
            }
        })();
        if let Err(error) = result {
            sink(Check::failed(&format!("{run_name}: {error}")));
        }
    }
    Ok(())
}

/// One run of a case with its tensors.
pub(super) struct Run<'a> {
    pub(super) name: &'a str,
    pub(super) json: &'a Value,
    pub(super) vectors: Vectors,
}

impl Run<'_> {
    /// Compares one output with the vector of the same name, if the run has it.
    pub(super) fn check(&self, output: &str, found: &Tensor, sink: &mut Sink<'_>) -> Result<()> {
        if let Some(expected) = self.vectors.find(output) {
            let name = format!("{}/{output}", self.name);
            sink(Check::tensors(&name, found, expected, tolerance(self.json, output))?);
        }
        Ok(())
    }

    /// Compares intermediate values, by their names without `dbg.`.
    fn check_observed(
        &self,
        observed: &HashMap<String, Tensor>,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let Some(outputs) = self.json.get("outputs").and_then(Value::as_object) else {
            return Ok(());
        };
        for output in outputs.keys().filter(|output| output.starts_with("dbg.")) {
            if let Some(found) = observed.get(&output[4..]) {
                self.check(output, found, sink)?;
            }
        }
        Ok(())
    }

    /// The tokens and their mask, as the text encoder takes them.
    fn tokens(&self, suffix: &str) -> Result<Option<(Tensor, Tensor)>> {
        let Some(tokens) = self.vectors.find("in.tokens") else {
            return Ok(None);
        };
        let mask = self.vectors.get(&format!("in.mask{suffix}"))?;
        Ok(Some((tokens.to_dtype(DType::U32)?, mask.to_dtype(DType::U8)?)))
    }

    /// The text embedding, for networks that have text.
    pub(super) fn embedding(&self, glide: &Glide, suffix: &str) -> Result<Option<TextEmbedding>> {
        if glide.config().xf_width == 0 {
            return Ok(None);
        }
        match self.tokens(suffix)? {
            Some((tokens, mask)) => {
                Ok(Some(glide.encode_text(&tokens, &mask, &Interrupt::new())?))
            }
            None => Ok(None),
        }
    }

    /// The network's input at the pictures and timesteps given.
    pub(super) fn input<'a>(
        &'a self,
        x_t: &'a Tensor,
        timesteps: &'a Tensor,
        text: Option<&'a TextEmbedding>,
    ) -> UnetInput<'a> {
        UnetInput {
            x_t,
            timesteps,
            text,
            known: self.vectors.find("in.inpaint_image"),
            keep_mask: self.vectors.find("in.inpaint_mask"),
            low_res: self.vectors.find("in.low_res"),
        }
    }
}

/// The config of a case, with the vocabulary's size in it.
pub(super) fn glide_config(json: &Value) -> Result<GlideConfig> {
    let config = json.get("config").ok_or_else(|| SelftestError::missing("config"))?;
    let mut config: GlideConfig = serde_json::from_value(config.clone())
        .map_err(|error| SelftestError::Field(format!("config ({error})")))?;
    if let Some(size) = json.get("vocab_size").and_then(Value::as_u64) {
        config.n_vocab = size as usize;
    }
    Ok(config)
}

impl Case<'_> {
    /// The case's network. CLIP's loops use another case's, which their note names.
    pub(super) fn glide(&self, run: &Run<'_>) -> Result<&Glide> {
        if let Some(glide) = self.glide.get() {
            return Ok(glide);
        }
        let glide = if self.json.get("config").is_some() {
            self.build(&self.folder, self.json, DType::F32)?
        } else {
            let note = text(run.json, "note")?;
            let file = note.split([' ', ';', ',']).find(|word| word.ends_with(".safetensors"));
            let file = file.ok_or_else(|| SelftestError::missing("note with a weights file"))?;
            let path = self.folder.join(file);
            let folder = path.parent().unwrap_or(&path);
            self.build(folder, &read_json(&folder.join("case.json"))?, DType::F32)?
        };
        Ok(self.glide.get_or_init(|| glide))
    }

    fn build(&self, folder: &Path, json: &Value, dtype: DType) -> Result<Glide> {
        let own = json.get("weights").ok_or_else(|| SelftestError::missing("weights"))?;
        let vb = if own.get("file").is_none() && own.get("formula_seed").is_none() {
            // Checkpoint cases: any of the good files holds the weights.
            let good = list(json, "files")?
                .iter()
                .find(|file| file.get("expect").and_then(Value::as_str) == Some("ok"))
                .ok_or_else(|| SelftestError::missing("a good file"))?;
            super::files::checkpoint_weights(&folder.join(text(good, "file")?), dtype, self.device)?
        } else {
            weights(folder, own, dtype, self.device)?
        };
        Ok(Glide::new(&glide_config(json)?, &vb)?)
    }

    pub(super) fn clip(&self) -> Result<&Clip> {
        if let Some(clip) = self.clip.get() {
            return Ok(clip);
        }
        let field =
            |name: &str| self.json.pointer(name).ok_or_else(|| SelftestError::missing(name));
        let config: ClipConfig = serde_json::from_value(field("/clip_config")?.clone())
            .map_err(|error| SelftestError::Field(format!("clip_config ({error})")))?;
        let vb = |name| weights(&self.folder, field(name)?, DType::F32, self.device);
        let text = ClipTextEncoder::new(&config, &vb("/weights/text_encoder")?)?;
        let image = ClipImageEncoder::new(&config, &vb("/weights/image_encoder")?)?;
        Ok(self.clip.get_or_init(|| Clip { config, text, image }))
    }
}

fn text_run(case: &Case<'_>, run: &Run<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let glide = case.glide(run)?;
    let (tokens, mask) = run.tokens("")?.ok_or_else(|| SelftestError::missing("in.tokens"))?;
    let mut observed = HashMap::new();
    let embedding =
        glide.encode_text_observed(&tokens, &mask, &Interrupt::new(), &mut |name, value| {
            observed.insert(name.to_owned(), value.clone());
        })?;
    run.check_observed(&observed, sink)?;
    run.check("out.xf_proj", &embedding.pooled, sink)?;
    run.check("out.xf_out", &embedding.positions, sink)?;
    let head = run.json.pointer("/params/xf_out_channels").and_then(Value::as_u64);
    if let Some(channels) = head {
        run.check("out.xf_out_head", &embedding.positions.narrow(1, 0, channels as usize)?, sink)?;
    }
    Ok(())
}

fn forward(case: &Case<'_>, run: &Run<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let glide = case.glide(run)?;
    let embedding = run.embedding(glide, "")?;
    let input =
        run.input(run.vectors.get("in.x")?, run.vectors.get("in.timesteps")?, embedding.as_ref());
    let mut observed = HashMap::new();
    let wanted = run.json.pointer("/params/debug").and_then(Value::as_bool) == Some(true);
    let out = glide.forward_observed(&input, &Interrupt::new(), &mut |name, value| {
        if wanted {
            observed.insert(name.to_owned(), value.clone());
        }
    })?;
    run.check_observed(&observed, sink)?;
    run.check("out.model", &out, sink)
}

fn forward_f16(case: &Case<'_>, run: &Run<'_>, sink: &mut Sink<'_>) -> Result<()> {
    for (dtype, output) in [(DType::F32, "out.model_f32"), (DType::F16, "out.model_f16")] {
        let glide = case.build(&case.folder, case.json, dtype)?;
        let embedding = run.embedding(&glide, "")?;
        let input = run.input(
            run.vectors.get("in.x")?,
            run.vectors.get("in.timesteps")?,
            embedding.as_ref(),
        );
        run.check(output, &glide.forward(&input, &Interrupt::new())?, sink)?;
    }
    Ok(())
}

/// The guided evaluation of a doubled batch: both halves see the first half of `x`.
pub(super) fn guided_forward(
    glide: &Glide,
    run: &Run<'_>,
    x: &Tensor,
    timesteps: &Tensor,
    text: Option<&TextEmbedding>,
    scale: f64,
) -> Result<Tensor> {
    let half = x.dim(0)? / 2;
    let first = x.narrow(0, 0, half)?;
    let doubled = Tensor::cat(&[&first, &first], 0)?;
    let out = glide.forward(&run.input(&doubled, timesteps, text), &Interrupt::new())?;
    let eps = guide(
        &out.narrow(0, 0, half)?.narrow(1, 0, 3)?,
        &out.narrow(0, half, half)?.narrow(1, 0, 3)?,
        scale,
    )?;
    let eps = Tensor::cat(&[&eps, &eps], 0)?;
    Ok(Tensor::cat(&[&eps, &out.narrow(1, 3, 3)?], 1)?)
}

fn cfg_forward(case: &Case<'_>, run: &Run<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let glide = case.glide(run)?;
    let embedding = run.embedding(glide, "")?;
    let scale = run.json.pointer("/params/guidance_scale").and_then(Value::as_f64);
    let scale = scale.ok_or_else(|| SelftestError::missing("guidance_scale"))?;
    let (x, timesteps) = (run.vectors.get("in.x")?, run.vectors.get("in.timesteps")?);
    let out = guided_forward(glide, run, x, timesteps, embedding.as_ref(), scale)?;
    run.check("out.model", &out, sink)
}

fn cached(case: &Case<'_>, run: &Run<'_>, sink: &mut Sink<'_>) -> Result<()> {
    // The text embedding is an argument here and a hidden state in the reference; a stale one is
    // the one of the earlier call.
    let glide = case.glide(run)?;
    let stale = run.embedding(glide, "")?;
    let fresh = run.embedding(glide, "_other")?;
    for (call, embedding, output) in [
        (1, &stale, "out.model_1"),
        (2, &stale, "out.model_2"),
        (2, &stale, "out.model_3_stale_mask"),
        (2, &fresh, "out.model_4_after_del_cache"),
    ] {
        let x = run.vectors.get(&format!("in.x_{call}"))?;
        let timesteps = run.vectors.get(&format!("in.timesteps_{call}"))?;
        let input = run.input(x, timesteps, embedding.as_ref());
        run.check(output, &glide.forward(&input, &Interrupt::new())?, sink)?;
    }
    Ok(())
}

/// Prompt lengths as plain numbers.
pub(super) fn lengths(tensor: &Tensor) -> Result<Vec<usize>> {
    let lens = tensor.to_dtype(DType::U32)?.to_vec1::<u32>()?;
    Ok(lens.into_iter().map(|len| len as usize).collect())
}

fn unit_rows(features: &Tensor) -> Result<Tensor> {
    let norm = features.sqr()?.sum_keepdim(1)?.sqrt()?;
    Ok(features.broadcast_div(&(norm + 1e-12)?)?)
}

fn clip_text(case: &Case<'_>, run: &Run<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let clip = case.clip()?;
    let tokens = run.vectors.get("in.tokens")?.to_dtype(DType::U32)?;
    let lens = lengths(run.vectors.get("in.lens")?)?;
    if run.vectors.find("dbg.probe").is_some() {
        let probe = clip.text.probe(&tokens, &lens, &Interrupt::new())?;
        run.check("dbg.probe", &probe, sink)?;
    }
    let features = clip.text.forward(&tokens, &lens, &Interrupt::new())?;
    run.check("out.text_features", &features, sink)?;
    run.check("out.text_embeddings", &unit_rows(&features)?, sink)
}

fn clip_image(case: &Case<'_>, run: &Run<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let clip = case.clip()?;
    let timesteps = run.vectors.get("in.timesteps")?.to_dtype(DType::U32)?;
    let mut observed = HashMap::new();
    let x = run.vectors.get("in.x")?;
    let features = clip.image.forward(x, &timesteps, &Interrupt::new(), &mut |name, value| {
        observed.insert(name.to_owned(), value.clone());
    })?;
    run.check_observed(&observed, sink)?;
    run.check("out.image_features", &features, sink)?;
    run.check("out.image_embeddings", &unit_rows(&features)?, sink)
}

fn clip_grad(case: &Case<'_>, run: &Run<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let clip = case.clip()?;
    let tokens = run.vectors.get("in.tokens")?.to_dtype(DType::U32)?;
    let lens = lengths(run.vectors.get("in.lens")?)?;
    let text = clip.text.embed(&tokens, &lens, &Interrupt::new())?;
    let scale = run.json.pointer("/params/grad_scale").and_then(Value::as_f64).unwrap_or(1.0);
    let guidance = ClipGuidance::new(text, &clip.config, scale);
    let timesteps = run.vectors.get("in.timesteps")?.to_dtype(DType::U32)?;
    let x = run.vectors.get("in.x")?;
    let found = guidance.gradient(&clip.image, x, &timesteps, &Interrupt::new())?;
    run.check("out.grad", &found.gradient, sink)?;
    run.check("out.cosine", &found.cosine, sink)?;
    run.check("out.loss", &Tensor::new(&[found.loss], case.device)?, sink)
}

impl Case<'_> {
    pub(super) fn device(&self) -> &Device {
        self.device
    }
}
