//! The whole network: embeddings, transformer, text head and patch head.

use super::attention_mask::attention_mask;
use super::config::{NETWORK, PatchForm, TransfusionConfig};
use super::kv_cache::{KvCache, LayerCache, PictureContext};
use super::patches::{patchify, unpatchify};
use super::sequence::Sequence;
use super::transformer::{EPS, Layer, Surroundings};
use super::unet_patches::{Skips, UnetPatches};
use crate::models::parameters::{ParameterError, Shapes, check_parameters, record_shapes};
use crate::nn::{Interrupt, Linear, RmsNorm, Rotary, timestep_embedding};
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;

/// Width of a timestep's waves before the learned layers; the recipe has no key for it.
const TIME_WAVES: usize = 256;

/// Pictures where they enter the transformer.
struct Entered {
    /// `[B, P, D]`.
    patches: Tensor,
    /// What a U-Net saw of them.
    skips: Skips,
    /// Their timesteps, `[B, D]`.
    time: Tensor,
}

/// A Transfusion transformer with its weights.
///
/// Source: Transfusion (arXiv 2408.11039), section 3; layers as in Llama.
#[derive(Debug)]
pub struct Transfusion {
    config: TransfusionConfig,
    embed_tokens: Tensor,
    patch_in: Linear,
    /// Around the linear layers, where patches enter and leave by a U-Net.
    unet: Option<UnetPatches>,
    patch_row: Tensor,
    patch_col: Tensor,
    time_in: Linear,
    time_out: Linear,
    layers: Vec<Layer>,
    norm: RmsNorm,
    lm_head: Linear,
    patch_out: Linear,
    dtype: DType,
    device: Device,
}

impl Transfusion {
    /// Builds the network in the builder's type; norms and softmax are f32 in any case.
    ///
    /// # Errors
    ///
    /// When the config is unsupported, or a tensor is missing or has another shape.
    pub fn new(config: &TransfusionConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let TransfusionConfig { vocab_size, hidden_size: width, .. } = *config;
        let (patch, grid) = (config.patch_vector(), config.grid());
        let table = |rows: usize, name: &str| vb.pp(name).get((rows, width), "weight");
        Ok(Self {
            embed_tokens: table(vocab_size, "embed_tokens")?,
            patch_in: Linear::new(patch, width, &vb.pp("patch_in"))?,
            unet: match config.patch {
                PatchForm::Linear => None,
                PatchForm::Unet => Some(UnetPatches::new(config, &vb.pp("unet"))?),
            },
            patch_row: table(grid, "patch_row")?,
            patch_col: table(grid, "patch_col")?,
            time_in: Linear::new(TIME_WAVES, width, &vb.pp("time_embed.0"))?,
            time_out: Linear::new(width, width, &vb.pp("time_embed.2"))?,
            layers: (0..config.num_hidden_layers)
                .map(|i| Layer::new(config, &vb.pp("layers").pp(i)))
                .collect::<Result<_>>()?,
            norm: RmsNorm::new(width, EPS, &vb.pp("norm"))?,
            lm_head: Linear::without_bias(width, vocab_size, &vb.pp("lm_head"))?,
            patch_out: Linear::new(width, patch, &vb.pp("patch_out"))?,
            dtype: vb.dtype(),
            device: vb.device().clone(),
            config: config.clone(),
        })
    }

    /// The shapes that this network was built with.
    #[must_use]
    pub fn config(&self) -> &TransfusionConfig {
        &self.config
    }

    /// Where its weights are.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Patches of a picture whose latents are `height` times `width`.
    ///
    /// # Errors
    ///
    /// When a side doesn't divide into patches, or is longer than the network's largest picture.
    pub fn patch_count(&self, height: usize, width: usize) -> Result<usize> {
        let TransfusionConfig { patch_size: patch, latent_size: most, .. } = self.config;
        let fits = |side: usize| (patch..=most).contains(&side) && side.is_multiple_of(patch);
        if !fits(height) || !fits(width) {
            candle_core::bail!(
                "latents of {height}x{width} do not fit the network: sides are multiples of \
                 {patch} up to {most}"
            );
        }
        Ok(height / patch * (width / patch))
    }

    /// Embeds tokens as `[T, D]`.
    fn embed_tokens(&self, tokens: &[u32]) -> Result<Tensor> {
        // Checked here, because not every device does.
        let vocab_size = self.config.vocab_size;
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= vocab_size) {
            candle_core::bail!("token {token} lies beyond a vocabulary of {vocab_size}");
        }
        self.embed_tokens.index_select(&Tensor::new(tokens, &self.device)?, 0)
    }

    /// Embeds latents at their timesteps, one for each picture, as `[B, P, D]`.
    ///
    /// Shapes: `latents` `[B, C, H, W]`, sides up to the config's `latent_size`; P patches, rows
    /// first.
    ///
    /// # Errors
    ///
    /// When a shape doesn't fit or the device fails.
    pub fn embed_pictures(&self, latents: &Tensor, timesteps: &[f64]) -> Result<Tensor> {
        Ok(self.enter(latents, timesteps, &Interrupt::new())?.patches)
    }

    /// Latents on their way in.
    fn enter(&self, latents: &Tensor, timesteps: &[f64], interrupt: &Interrupt) -> Result<Entered> {
        let (batch, channels, height, width) = latents.dims4()?;
        if channels != self.config.latent_channels || timesteps.len() != batch {
            candle_core::bail!(
                "latents {:?} with {} timesteps do not fit a network of {} latent channels",
                latents.dims(),
                timesteps.len(),
                self.config.latent_channels
            );
        }
        let patches = self.patch_count(height, width)?;
        let columns = (width / self.config.patch_size) as u32;
        let place = |f: fn(u32, u32) -> u32| {
            let indices: Vec<u32> = (0..patches as u32).map(|i| f(i, columns)).collect();
            Tensor::from_vec(indices, patches, &self.device)
        };
        let row = self.patch_row.index_select(&place(|i, columns| i / columns)?, 0)?;
        let col = self.patch_col.index_select(&place(|i, columns| i % columns)?, 0)?;
        let latents = latents.to_device(&self.device)?.to_dtype(self.dtype)?;
        let waves = Tensor::new(timesteps, &Device::Cpu)?;
        let waves = timestep_embedding(&waves, TIME_WAVES, 10_000.0)?;
        let waves = waves.to_device(&self.device)?.to_dtype(self.dtype)?;
        let time = self.time_out.forward(&self.time_in.forward(&waves)?.silu()?)?; // [B, D]
        let (cut, skips) = match &self.unet {
            None => (patchify(&latents, self.config.patch_size)?, Skips::new()),
            Some(unet) => unet.down(&latents, &time, interrupt)?,
        };
        let patches = self
            .patch_in
            .forward(&cut)?
            .broadcast_add(&(row + col)?)?
            .broadcast_add(&time.unsqueeze(1)?)?;
        Ok(Entered { patches, skips, time })
    }

    /// Embeds everything in a sequence, as `[1, T, D]`.
    fn embed(&self, sequence: &Sequence) -> Result<Tensor> {
        let text = self.embed_tokens(sequence.tokens())?;
        if sequence.pictures().is_empty() {
            return text.unsqueeze(0);
        }
        let mut table = vec![text];
        for (i, picture) in sequence.pictures().iter().enumerate() {
            let patches = self.embed_pictures(&picture.latents, &[picture.timestep])?;
            let (_, count, _) = patches.dims3()?;
            let places = sequence.picture_at().iter().filter(|&&at| at == Some(i)).count();
            if patches.dim(0)? != 1 || count != places {
                candle_core::bail!(
                    "a picture of {:?} stands at {places} places",
                    picture.latents.dims()
                );
            }
            table.push(patches.squeeze(0)?);
        }
        // Text rows come first in the table, then the patches in the order of their places.
        let mut next_patch = sequence.len() as u32;
        let rows: Vec<u32> = (0..)
            .zip(sequence.picture_at())
            .map(|(place, picture)| match picture {
                Some(_) => {
                    next_patch += 1;
                    next_patch - 1
                }
                None => place,
            })
            .collect();
        let rows = Tensor::new(rows, &self.device)?;
        Tensor::cat(&table, 0)?.index_select(&rows, 0)?.unsqueeze(0)
    }

    fn rotary(&self, first: usize, count: usize) -> Result<Rotary> {
        let TransfusionConfig { rope_theta, .. } = self.config;
        Rotary::new(first, count, self.config.head_size(), rope_theta, &self.device)
    }

    /// Evaluates whole sequences at once: `[B, T, D]` after the final norm, f32.
    ///
    /// Shorter sequences are filled up at their ends; what comes out there means nothing.
    ///
    /// # Errors
    ///
    /// When there is nothing to evaluate, a token or picture doesn't fit, the device fails, or
    /// `interrupt` was raised.
    pub fn forward(&self, sequences: &[&Sequence], interrupt: &Interrupt) -> Result<Tensor> {
        let places = sequences.iter().map(|sequence| sequence.len()).max().unwrap_or(0);
        if places == 0 {
            candle_core::bail!("there is nothing to evaluate in empty sequences");
        }
        let rows = sequences
            .iter()
            .map(|sequence| {
                let mut filled = (*sequence).clone();
                filled.push_tokens(&vec![0; places - sequence.len()]);
                self.embed(&filled)
            })
            .collect::<Result<Vec<_>>>()?;
        let mut x = Tensor::cat(&rows, 0)?;
        let picture_at: Vec<_> = sequences.iter().map(|sequence| sequence.picture_at()).collect();
        let mask = attention_mask(&picture_at, places, &self.device)?;
        let rotary = self.rotary(0, places)?;
        for layer in &self.layers {
            interrupt.check()?;
            x = layer.forward(&x, &rotary, Surroundings::Alone(mask.as_ref()))?;
        }
        self.norm.forward(&x)?.to_dtype(DType::F32)
    }

    /// Reads on: adds a sequence to a cache; `[1, T, D]` of the new places, f32.
    ///
    /// After an error the cache is as it was.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`]; also when the cache is of another network.
    pub fn prefill(
        &self,
        cache: &mut KvCache,
        sequence: &Sequence,
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        if sequence.is_empty() {
            candle_core::bail!("there is nothing to read in an empty sequence");
        }
        let mut grown = cache.fork();
        if grown.is_empty() {
            grown.layers = vec![LayerCache::default(); self.layers.len()];
        }
        self.check_layers(grown.layers.len())?;
        let mut x = self.embed(sequence)?;
        let mask = attention_mask(&[sequence.picture_at()], sequence.len(), &self.device)?;
        let rotary = self.rotary(grown.len, sequence.len())?;
        for (layer, own) in self.layers.iter().zip(&mut grown.layers) {
            interrupt.check()?;
            x = layer.forward(&x, &rotary, Surroundings::After(own, mask.as_ref(), interrupt))?;
        }
        grown.len += sequence.len();
        *cache = grown;
        self.norm.forward(&x)?.to_dtype(DType::F32)
    }

    /// Predicts the noise in pictures that come next after `context`, each as if it were alone.
    ///
    /// Shapes: `latents` and the result `[B, C, H, W]`, the result f32. Nothing is added to any
    /// cache.
    ///
    /// # Errors
    ///
    /// When a shape doesn't fit, the context is of another network, the device fails, or
    /// `interrupt` was raised.
    pub fn denoise_step(
        &self,
        context: &PictureContext,
        latents: &Tensor,
        timestep: f64,
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        let (batch, _, height, width) = latents.dims4()?;
        if !context.is_empty() {
            self.check_layers(context.layers.len())?;
        }
        let Entered { patches: mut x, skips, time } =
            self.enter(latents, &vec![timestep; batch], interrupt)?;
        let rotary = self.rotary(context.len, x.dim(1)?)?;
        for (i, layer) in self.layers.iter().enumerate() {
            interrupt.check()?;
            let before = context.layers.get(i).and_then(Option::as_ref);
            x = layer.forward(&x, &rotary, Surroundings::PictureAfter(before, interrupt))?;
        }
        let hidden = self.norm.forward(&x)?;
        match &self.unet {
            None => {
                unpatchify(&self.patch_noise(&hidden)?, self.config.patch_size, (height, width))
            }
            Some(unet) => {
                let patches = self.patch_out.forward(&hidden)?;
                unet.up(&patches, &skips, &time, interrupt)?.to_dtype(DType::F32)
            }
        }
    }

    fn check_layers(&self, found: usize) -> Result<()> {
        if found != self.layers.len() {
            let own = self.layers.len();
            candle_core::bail!("a cache of {found} layers is not one of a network of {own}");
        }
        Ok(())
    }

    /// Scores of all tokens to come next: `hidden` `[.., D]` to `[.., vocab_size]`, f32.
    ///
    /// # Errors
    ///
    /// When the width differs or the device fails.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        self.lm_head.forward(hidden)?.to_dtype(DType::F32)
    }

    /// The noise in patches of the linear form: `hidden` `[.., D]` to `[.., p * p * C]`, f32. With a
    /// U-Net, what its way out begins with; the noise itself comes from [`Self::denoise_step`].
    ///
    /// # Errors
    ///
    /// When the width differs or the device fails.
    pub fn patch_noise(&self, hidden: &Tensor) -> Result<Tensor> {
        self.patch_out.forward(hidden)?.to_dtype(DType::F32)
    }
}

/// The names and shapes of all parameters, in the order in which the network reads them.
///
/// # Errors
///
/// When the config is unsupported.
pub fn parameter_shapes(config: &TransfusionConfig) -> Result<Vec<(String, Vec<usize>)>> {
    record_shapes(|vb| Transfusion::new(config, vb).map(|_| ()))
}

/// Makes sure that a file holds just the parameters of this config.
///
/// # Errors
///
/// When it doesn't, or no network can have this config.
pub fn check_checkpoint(
    found: &Shapes,
    config: &TransfusionConfig,
) -> std::result::Result<(), ParameterError> {
    let expected =
        parameter_shapes(config).map_err(|error| ParameterError::config(NETWORK, error))?;
    check_parameters(NETWORK, found, &expected)
}

#[cfg(test)]
mod tests {
    use super::super::sequence::Picture;
    use super::*;
    use crate::models::parameters::testing::random_weights;
    use crate::nn::test_values;

    fn config() -> TransfusionConfig {
        TransfusionConfig {
            hidden_size: 24,
            num_hidden_layers: 3,
            num_attention_heads: 3,
            intermediate_size: 40,
            latent_channels: 4,
            latent_size: 8,
            ..TransfusionConfig::starter(30)
        }
    }

    fn network() -> Transfusion {
        Transfusion::new(&config(), &random_weights(1)).unwrap()
    }

    fn latents(count: usize, height: usize, width: usize, seed: u64) -> Tensor {
        let values = test_values(count * 4 * height * width, seed);
        Tensor::from_vec(values, (count, 4, height, width), &Device::Cpu).unwrap()
    }

    fn push_picture(sequence: &mut Sequence, height: usize, width: usize, seed: u64) {
        let picture = Picture { latents: latents(1, height, width, seed), timestep: seed as f64 };
        sequence.push_picture(picture, height / 2 * (width / 2), 7);
    }

    /// Text, a square picture, text, an oblong picture, text.
    fn mixed() -> Sequence {
        let mut sequence = Sequence::of_tokens(&[1, 2, 20, 4]);
        push_picture(&mut sequence, 8, 8, 3);
        sequence.push_tokens(&[5, 11, 4]);
        push_picture(&mut sequence, 4, 8, 400);
        sequence.push_tokens(&[5, 6]);
        sequence
    }

    fn farthest(a: &Tensor, b: &Tensor) -> f32 {
        assert_eq!(a.dims(), b.dims());
        (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
    }

    /// Cuts a stretch out of a sequence; pictures must be whole.
    fn part(sequence: &Sequence, from: usize, to: usize) -> Sequence {
        let places = &sequence.picture_at()[from..to];
        let first = places.iter().flatten().min().copied().unwrap_or(0);
        let last = places.iter().flatten().max().map_or(first, |last| last + 1);
        Sequence::from_parts(
            sequence.tokens()[from..to].to_vec(),
            places.iter().map(|at| at.map(|at| at - first)).collect(),
            sequence.pictures()[first..last].to_vec(),
        )
        .unwrap()
    }

    #[test]
    fn text_after_a_picture_cannot_change_what_precedes_it() {
        let (network, go) = (network(), Interrupt::new());
        let whole = mixed();
        let all = network.forward(&[&whole], &go).unwrap();
        for end in [4, 20, 23, 31] {
            let mut other = part(&whole, 0, end);
            other.push_tokens(&[29, 28, 27]);
            let found = network.forward(&[&other], &go).unwrap().narrow(1, 0, end).unwrap();
            let far = farthest(&found, &all.narrow(1, 0, end).unwrap());
            assert!(far < 1e-5, "up to {end}: {far}");
        }
        // But inside a picture the last patch changes the first.
        let mut pictures = whole.pictures().to_vec();
        let bump = (latents(1, 8, 8, 3).narrow(2, 7, 1).unwrap() + 1.0).unwrap();
        let rest = pictures[0].latents.narrow(2, 0, 7).unwrap();
        pictures[0].latents = Tensor::cat(&[rest, bump], 2).unwrap();
        let places = whole.picture_at().to_vec();
        let other = Sequence::from_parts(whole.tokens().to_vec(), places, pictures).unwrap();
        let found = network.forward(&[&other], &go).unwrap();
        let at = |t: &Tensor, place: usize| t.narrow(1, place, 1).unwrap();
        assert!(farthest(&at(&found, 4), &at(&all, 4)) > 1e-4);
        assert!(farthest(&at(&found, 3), &at(&all, 3)) < 1e-6);
    }

    #[test]
    fn reading_in_parts_equals_reading_at_once() {
        let (network, go) = (network(), Interrupt::new());
        let whole = mixed();
        let all = network.forward(&[&whole], &go).unwrap();
        for cuts in [vec![4, 20, 23, 31], vec![20], vec![1, 2, 3, 4, 20, 21, 22, 23, 31, 32]] {
            let mut cache = KvCache::new();
            let mut from = 0;
            for to in cuts.into_iter().chain([whole.len()]) {
                let new = network.prefill(&mut cache, &part(&whole, from, to), &go).unwrap();
                assert_eq!(cache.len(), to);
                let far = farthest(&new, &all.narrow(1, from, to - from).unwrap());
                assert!(far < 1e-5, "{from}..{to}: {far}");
                from = to;
            }
        }
    }

    #[test]
    fn a_picture_under_way_sees_what_a_sequence_with_it_says() {
        let (network, go) = (network(), Interrupt::new());
        for before in [0, 4, 23] {
            let mut sequence = part(&mixed(), 0, before);
            let mut cache = KvCache::new();
            if before > 0 {
                network.prefill(&mut cache, &sequence, &go).unwrap();
            }
            let noisy = latents(1, 8, 4, 55);
            let context = cache.picture_context().unwrap();
            let found = network.denoise_step(&context, &noisy, 55.0, &go).unwrap();
            assert_eq!(cache.len(), before);
            push_picture(&mut sequence, 8, 4, 55);
            let hidden = network.forward(&[&sequence], &go).unwrap();
            let patches = network.patch_noise(&hidden.narrow(1, before, 8).unwrap()).unwrap();
            let expected = unpatchify(&patches, 2, (8, 4)).unwrap();
            let far = farthest(&found, &expected);
            assert!(far < 1e-5, "after {before}: {far}");
        }
    }

    /// The same with patches by a U-Net of two levels.
    fn unet() -> Transfusion {
        let config = TransfusionConfig {
            patch_size: 4,
            patch: PatchForm::Unet,
            unet_channels: 16,
            unet_blocks: 2,
            ..config()
        };
        let json = serde_json::to_value(&config).unwrap();
        assert_eq!(TransfusionConfig::from_json(&json).unwrap(), config);
        let shapes = parameter_shapes(&config).unwrap();
        let has = |name: &str, shape: &[usize]| {
            assert!(shapes.contains(&(name.to_owned(), shape.to_vec())), "{name} {shape:?}");
        };
        has("unet.conv_in.weight", &[16, 4, 3, 3]);
        has("unet.down.1.blocks.0.conv_shortcut.weight", &[32, 16, 1, 1]);
        has("unet.up.1.blocks.0.conv1.weight", &[32, 64, 3, 3]);
        has("unet.up.0.blocks.0.time_emb_proj.weight", &[16, 24]);
        has("patch_in.weight", &[24, 32]);
        Transfusion::new(&config, &random_weights(1)).unwrap()
    }

    #[test]
    fn a_unet_hands_pictures_through_at_every_size() {
        let (network, go) = (unet(), Interrupt::new());
        let context = KvCache::new().picture_context().unwrap();
        let see = |latents: &Tensor, timestep: f64| {
            network.denoise_step(&context, latents, timestep, &go).unwrap()
        };
        for (height, width) in [(8, 8), (4, 8), (8, 4)] {
            let picture = latents(2, height, width, 7);
            let out = see(&picture, 30.0);
            assert_eq!(out.dims(), picture.dims());
            assert!(farthest(&out, &see(&picture, 900.0)) > 1e-3, "the timestep is heard");
            for i in 0..2 {
                let one = see(&picture.narrow(0, i, 1).unwrap(), 30.0);
                assert!(farthest(&out.narrow(0, i, 1).unwrap(), &one) < 1e-5);
            }
        }
        // Each latent is heard where it stands and, through the transformer, everywhere.
        let picture = latents(1, 8, 8, 7);
        let far = (latents(1, 8, 8, 7).narrow(3, 0, 7).unwrap(), latents(1, 8, 1, 8));
        let other = Tensor::cat(&[far.0, far.1], 3).unwrap();
        let apart = (see(&picture, 30.0) - see(&other, 30.0)).unwrap().abs().unwrap();
        let first = apart.narrow(3, 0, 1).unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        let last = apart.narrow(3, 7, 1).unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(first > 1e-7 && last > first, "{first} {last}");
        let stop = Interrupt::new();
        stop.raise();
        assert!(network.denoise_step(&context, &picture, 1.0, &stop).is_err());
    }

    #[test]
    fn a_unet_reads_in_parts_as_at_once() {
        let (network, go) = (unet(), Interrupt::new());
        let mut whole = Sequence::of_tokens(&[1, 2]);
        let picture = Picture { latents: latents(1, 8, 8, 5), timestep: 0.0 };
        whole.push_picture(picture, 4, 7);
        whole.push_tokens(&[5, 9]);
        let all = network.forward(&[&whole], &go).unwrap();
        let mut cache = KvCache::new();
        for (from, to) in [(0, 2), (2, 7), (7, 8)] {
            let new = network.prefill(&mut cache, &part(&whole, from, to), &go).unwrap();
            assert!(farthest(&new, &all.narrow(1, from, to - from).unwrap()) < 1e-5);
        }
    }

    #[test]
    fn a_batch_equals_its_members_alone() {
        let (network, go) = (network(), Interrupt::new());
        let (a, b) = (mixed(), Sequence::of_tokens(&[1, 2, 9]));
        let both = network.forward(&[&a, &b], &go).unwrap();
        for (i, one) in [&a, &b].into_iter().enumerate() {
            let alone = network.forward(&[one], &go).unwrap();
            let row = both.narrow(0, i, 1).unwrap().narrow(1, 0, one.len()).unwrap();
            assert!(farthest(&row, &alone) < 1e-5);
        }
        let mut cache = KvCache::new();
        network.prefill(&mut cache, &a, &go).unwrap();
        let context = cache.picture_context().unwrap();
        let noisy = latents(3, 8, 8, 9);
        let all = network.denoise_step(&context, &noisy, 321.0, &go).unwrap();
        for i in 0..3 {
            let one = noisy.narrow(0, i, 1).unwrap();
            let one = network.denoise_step(&context, &one, 321.0, &go).unwrap();
            assert!(farthest(&all.narrow(0, i, 1).unwrap(), &one) < 1e-5);
        }
    }

    #[test]
    fn forks_grow_apart_in_any_order() {
        let (network, go) = (network(), Interrupt::new());
        let mut trunk = KvCache::new();
        network.prefill(&mut trunk, &mixed(), &go).unwrap();
        let bytes = trunk.bytes();
        let branches: Vec<Sequence> =
            [&[8_u32, 9, 10][..], &[11, 12], &[13]].map(Sequence::of_tokens).into();
        let grow = |order: &[usize]| {
            let mut found = vec![None; branches.len()];
            for &i in order {
                let mut fork = trunk.fork();
                found[i] = Some(network.prefill(&mut fork, &branches[i], &go).unwrap());
            }
            found.into_iter().map(Option::unwrap).collect::<Vec<_>>()
        };
        let forward = grow(&[0, 1, 2]);
        for (a, b) in forward.iter().zip(grow(&[2, 0, 1])) {
            assert_eq!(farthest(a, &b), 0.0);
        }
        assert_eq!((trunk.len(), trunk.bytes()), (mixed().len(), bytes));
        // Each is what it would be without the others.
        for (branch, found) in branches.iter().zip(&forward) {
            let mut alone = mixed();
            alone.push_tokens(branch.tokens());
            let all = network.forward(&[&alone], &go).unwrap();
            let end = all.narrow(1, mixed().len(), branch.len()).unwrap();
            assert!(farthest(&end, found) < 1e-5);
        }
    }

    #[test]
    fn a_failed_or_interrupted_reading_leaves_the_cache_as_it_was() {
        let (network, go) = (network(), Interrupt::new());
        let mut cache = KvCache::new();
        network.prefill(&mut cache, &mixed(), &go).unwrap();
        let (len, bytes) = (cache.len(), cache.bytes());
        let error = network.prefill(&mut cache, &Sequence::of_tokens(&[30]), &go).unwrap_err();
        assert!(error.to_string().contains("vocabulary of 30"), "{error}");
        let mut large = Sequence::new();
        push_picture(&mut large, 8, 10, 1);
        let error = network.prefill(&mut cache, &large, &go).unwrap_err().to_string();
        assert!(error.contains("8x10"), "{error}");
        let mut wrong = Sequence::new();
        wrong.push_picture(Picture { latents: latents(1, 4, 4, 1), timestep: 0.0 }, 5, 7);
        assert!(network.prefill(&mut cache, &wrong, &go).is_err());
        assert!(network.prefill(&mut cache, &Sequence::new(), &go).is_err());
        let stop = Interrupt::new();
        stop.raise();
        assert!(network.prefill(&mut cache, &mixed(), &stop).is_err());
        let context = cache.picture_context().unwrap();
        assert!(network.denoise_step(&context, &latents(1, 4, 4, 1), 1.0, &stop).is_err());
        assert_eq!((cache.len(), cache.bytes()), (len, bytes));
        let mut shallow = config();
        shallow.num_hidden_layers = 2;
        let shallow = Transfusion::new(&shallow, &random_weights(1)).unwrap();
        let error = shallow.prefill(&mut cache, &mixed(), &go).unwrap_err().to_string();
        assert!(error.contains("3 layers"), "{error}");
    }

    #[test]
    fn checkpoints_that_are_not_of_the_config_are_refused() {
        let shapes = parameter_shapes(&config()).unwrap();
        check_checkpoint(&shapes, &config()).unwrap();
        let wider = TransfusionConfig { vocab_size: 31, ..config() };
        let error = check_checkpoint(&shapes, &wider).unwrap_err();
        assert_eq!(error.category(), "shape_mismatch");
        assert!(error.to_string().contains("embed_tokens.weight"), "{error}");
        let deeper = TransfusionConfig { num_hidden_layers: 4, ..config() };
        let error = check_checkpoint(&shapes, &deeper).unwrap_err();
        assert_eq!(error.category(), "missing_key");
        assert!(error.to_string().contains("layers.3."), "{error}");
        let shallower = TransfusionConfig { num_hidden_layers: 2, ..config() };
        let error = check_checkpoint(&shapes, &shallower).unwrap_err();
        assert_eq!(error.category(), "unexpected_key");
        let odd = TransfusionConfig { num_attention_heads: 5, ..config() };
        assert_eq!(check_checkpoint(&shapes, &odd).unwrap_err().category(), "bad_config");
    }
}
