//! The noised CLIP that guides sampling towards a prompt.
//!
//! Source: openai/glide-text2im, `glide_text2im/clip/`; GLIDE (arXiv 2112.10741), section 4.4.
//! Everything here is built from operations with a gradient, because guidance needs the gradient
//! with respect to the picture.

use super::config::ClipConfig;
use crate::models::parameters::record_shapes;
use crate::nn::{Affine, Interrupt, LayerNorm, gelu};
use candle_core::{D, DType, Result, Tensor, Var};
use candle_nn::VarBuilder;

/// Mean of each channel of the training pictures, on the scale 0..255.
const CHANNEL_MEANS: [f32; 3] = [122.770_93, 116.746_01, 104.093_735];
/// Deviation of each channel of the training pictures, on the scale 0..255.
const CHANNEL_STDS: [f32; 3] = [68.500_53, 66.632_16, 70.323_16];
/// Score of a position that must not be seen; the reference's own value.
const UNSEEN: f32 = -1e10;
const LN: [&str; 2] = ["g", "b"];

/// One transformer block: attention, then a feed-forward layer, each on a normed input.
#[derive(Debug)]
struct Block {
    heads: usize,
    attn_ln: LayerNorm,
    query: Affine,
    key: Affine,
    value: Affine,
    attn_out: Affine,
    mlp_ln: LayerNorm,
    mlp_in: Affine,
    mlp_out: Affine,
}

/// A linear layer under this network's names, `w` and `b`.
fn affine(inputs: usize, outputs: usize, bias: Bias, vb: &VarBuilder<'_>) -> Result<Affine> {
    let weight = vb.get((outputs, inputs), "w")?;
    let bias = (bias == Bias::Learned).then(|| vb.get(outputs, "b")).transpose()?;
    Ok(Affine::from_tensors(weight, bias))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bias {
    Learned,
    None,
}

impl Block {
    fn new(width: usize, heads: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let (attn, mlp) = (vb.pp("f_attn"), vb.pp("f_mlp"));
        Ok(Self {
            heads,
            attn_ln: LayerNorm::new(width, LN, &attn.pp("ln"))?,
            query: affine(width, width, Bias::Learned, &attn.pp("f_q"))?,
            key: affine(width, width, Bias::None, &attn.pp("f_k"))?,
            value: affine(width, width, Bias::Learned, &attn.pp("f_v"))?,
            attn_out: affine(width, width, Bias::Learned, &attn.pp("f_c"))?,
            mlp_ln: LayerNorm::new(width, LN, &mlp.pp("ln"))?,
            mlp_in: affine(width, 4 * width, Bias::Learned, &mlp.pp("f_1"))?,
            mlp_out: affine(4 * width, width, Bias::Learned, &mlp.pp("f_2"))?,
        })
    }

    /// `x` `[B, S, D]`; `attention_bias` `[S, S]` is added to the scores.
    fn forward(&self, x: &Tensor, attention_bias: Option<&Tensor>) -> Result<Tensor> {
        let (batch, positions, width) = x.dims3()?;
        let head = width / self.heads;
        let split = |y: Tensor| {
            y.reshape((batch, positions, self.heads, head))?.transpose(1, 2)?.contiguous()
        }; // [B, N, S, K]
        let normed = self.attn_ln.forward(x)?;
        let scale = (head as f64).powf(-0.25);
        let q = (split(self.query.forward(&normed)?)? * scale)?;
        let k = (split(self.key.forward(&normed)?)? * scale)?;
        let v = split(self.value.forward(&normed)?)?;
        let mut scores = q.matmul(&k.t()?.contiguous()?)?; // [B, N, S, S]
        if let Some(bias) = attention_bias {
            scores = scores.broadcast_add(bias)?;
        }
        let attended = candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&v)?; // [B, N, S, K]
        let attended = attended.transpose(1, 2)?.contiguous()?;
        let attended = attended.reshape((batch, positions, width))?;
        let x = (x + self.attn_out.forward(&attended)?)?;
        let wide = gelu(&self.mlp_in.forward(&self.mlp_ln.forward(&x)?)?)?;
        &x + self.mlp_out.forward(&wide)?
    }
}

fn blocks(count: usize, width: usize, heads: usize, vb: &VarBuilder<'_>) -> Result<Vec<Block>> {
    (0..count).map(|i| Block::new(width, heads, &vb.pp(format!("blocks.block_{i}")))).collect()
}

/// Divides each row by its length.
fn unit_rows(features: &Tensor) -> Result<Tensor> {
    let norm = features.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    features.broadcast_div(&(norm + 1e-12)?)
}

/// The text half of the noised CLIP.
#[derive(Debug)]
pub struct ClipTextEncoder {
    tokens: Tensor,
    positions: Tensor,
    blocks: Vec<Block>,
    out_ln: LayerNorm,
    out: Affine,
}

impl ClipTextEncoder {
    /// Builds the encoder; tensor names are those of the public checkpoint.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn new(config: &ClipConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let width = config.n_head_text * config.n_head_state_text;
        let (input, output) = (vb.pp("blocks.input"), vb.pp("blocks.output"));
        Ok(Self {
            tokens: input.get((config.n_vocab, width), "w_voc")?,
            positions: input.get((config.max_text_len, width), "w_pos")?,
            blocks: blocks(config.n_xf_blocks_text, width, config.n_head_text, vb)?,
            out_ln: LayerNorm::new(width, LN, &output.pp("ln"))?,
            out: affine(width, config.n_embd, Bias::None, &output.pp("f"))?,
        })
    }

    /// Features of prompts: `tokens` u32 `[B, S]`, `lens` the tokens of each with start and end token.
    ///
    /// The result is `[B, n_embd]`, not normalized; see [`Self::embed`].
    ///
    /// # Errors
    ///
    /// When a shape differs, a length is out of range, or `interrupt` was raised.
    pub fn forward(
        &self,
        tokens: &Tensor,
        lens: &[usize],
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        self.out.forward(&self.out_ln.forward(&self.probe(tokens, lens, interrupt)?)?)
    }

    /// The state at each prompt's end token before the last norm, `[B, D]`.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn probe(&self, tokens: &Tensor, lens: &[usize], interrupt: &Interrupt) -> Result<Tensor> {
        let (batch, positions) = tokens.dims2()?;
        let width = self.tokens.dim(1)?;
        if lens.len() != batch || lens.iter().any(|&len| len == 0 || len > positions) {
            candle_core::bail!("prompt lengths {lens:?} do not fit {batch} rows of {positions}");
        }
        let x = self.tokens.index_select(&tokens.flatten_all()?, 0)?;
        let mut x = x.reshape((batch, positions, width))?.broadcast_add(&self.positions)?;
        // A token sees itself and what precedes it.
        let unseen: Vec<f32> = (0..positions * positions)
            .map(|i| if i % positions > i / positions { UNSEEN } else { 0.0 })
            .collect();
        let unseen = Tensor::from_vec(unseen, (positions, positions), x.device())?;
        for block in &self.blocks {
            interrupt.check()?;
            x = block.forward(&x, Some(&unseen))?;
        }
        let last: Vec<Tensor> = lens
            .iter()
            .enumerate()
            .map(|(row, &len)| x.narrow(0, row, 1)?.narrow(1, len - 1, 1)?.squeeze(1))
            .collect::<Result<_>>()?;
        Tensor::cat(&last, 0)
    }

    /// As [`Self::forward`], each row divided by its length.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn embed(&self, tokens: &Tensor, lens: &[usize], interrupt: &Interrupt) -> Result<Tensor> {
        unit_rows(&self.forward(tokens, lens, interrupt)?)
    }
}

/// The image half of the noised CLIP: it knows how noisy the picture is.
#[derive(Debug)]
pub struct ClipImageEncoder {
    image_size: usize,
    patch_size: usize,
    timesteps: Tensor,
    patch_proj: Tensor,
    positions: Tensor,
    in_ln: LayerNorm,
    blocks: Vec<Block>,
    out_ln: LayerNorm,
    out: Affine,
}

impl ClipImageEncoder {
    /// Builds the encoder; tensor names are those of the public checkpoint.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape, or the patches don't fill the picture.
    pub fn new(config: &ClipConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let width = config.n_head_image * config.n_head_state_image;
        let (image_size, patch) = (config.image_size, config.patch_size);
        if patch == 0 || !image_size.is_multiple_of(patch) {
            candle_core::bail!("a picture of {image_size} px does not divide into {patch} px");
        }
        let patches = (image_size / patch) * (image_size / patch);
        let (input, output) = (vb.pp("blocks.input"), vb.pp("blocks.output"));
        Ok(Self {
            image_size,
            patch_size: patch,
            timesteps: input.get((config.n_timesteps, width), "w_t")?,
            patch_proj: input.get((width, 3, patch, patch), "patch_proj")?,
            positions: input.get((1 + patches, width), "w_pos")?,
            in_ln: LayerNorm::new(width, LN, &input.pp("ln"))?,
            blocks: blocks(config.n_xf_blocks_image, width, config.n_head_image, vb)?,
            out_ln: LayerNorm::new(width, LN, &output.pp("ln"))?,
            out: affine(width, config.n_embd, Bias::None, &output.pp("f"))?,
        })
    }

    /// Features of noisy pictures: `x` `[B, 3, S, S]` in [-1, 1], `timesteps` u32 `[B]`.
    ///
    /// The result is `[B, n_embd]`, not normalized. `observe` sees the result of every block.
    ///
    /// # Errors
    ///
    /// When a shape differs or `interrupt` was raised.
    pub fn forward(
        &self,
        x: &Tensor,
        timesteps: &Tensor,
        interrupt: &Interrupt,
        observe: &mut dyn FnMut(&str, &Tensor),
    ) -> Result<Tensor> {
        let mut h = self.read_in(x, timesteps)?;
        observe("input", &h);
        for (i, block) in self.blocks.iter().enumerate() {
            interrupt.check()?;
            h = block.forward(&h, None)?;
            observe(&format!("block_{i}"), &h);
        }
        self.read_out(&h)
    }

    /// The state before the first block, `[B, 1 + P, D]`.
    fn read_in(&self, x: &Tensor, timesteps: &Tensor) -> Result<Tensor> {
        let (batch, _, height, width) = x.dims4()?;
        let (size, patch) = (self.image_size, self.patch_size);
        if height != size || width != size {
            candle_core::bail!("CLIP needs pictures of {size}x{size}, not {width}x{height}");
        }
        let channel = |values: [f32; 3]| Tensor::from_slice(&values, (1, 3, 1, 1), x.device());
        let x = ((x + 1.0)? * 127.5)?
            .broadcast_sub(&channel(CHANNEL_MEANS)?)?
            .broadcast_div(&channel(CHANNEL_STDS)?)?;
        // The projection of patches as a matrix product: a strided convolution has a slow gradient.
        let side = size / patch;
        let patches = x
            .reshape(&[batch, 3, side, patch, side, patch][..])?
            .permute(vec![0, 2, 4, 1, 3, 5])?
            .contiguous()?
            .reshape((batch * side * side, 3 * patch * patch))?;
        let state = self.patch_proj.dim(0)?;
        let patches = patches.matmul(&self.patch_proj.reshape((state, ()))?.t()?)?;
        let patches = patches.reshape((batch, side * side, state))?;
        let time = self.timesteps.index_select(timesteps, 0)?.unsqueeze(1)?;
        let h = Tensor::cat(&[&time, &patches], 1)?.broadcast_add(&self.positions)?; // [B, 1 + P, D]
        self.in_ln.forward(&h)
    }

    /// Features of the state after the last block.
    fn read_out(&self, h: &Tensor) -> Result<Tensor> {
        let first = h.narrow(1, 0, 1)?.squeeze(1)?;
        self.out.forward(&self.out_ln.forward(&first)?)
    }

    /// As [`Self::forward`], each row divided by its length.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn embed(&self, x: &Tensor, timesteps: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        unit_rows(&self.forward(x, timesteps, interrupt, &mut |_, _| {})?)
    }
}

/// What guidance computes at one step.
#[derive(Debug)]
pub struct ClipGradient {
    /// The gradient times the scale, `[B, 3, S, S]`.
    pub gradient: Tensor,
    /// The cosine between each picture and its prompt, `[B]`.
    pub cosine: Tensor,
    /// The sum of the scaled cosines.
    pub loss: f32,
}

/// Guidance towards prompts: the gradient of the similarity with respect to the noisy picture.
#[derive(Debug)]
pub struct ClipGuidance {
    text: Tensor,
    logit_scale: f64,
    grad_scale: f64,
}

impl ClipGuidance {
    /// Guides towards `text`, rows of [`ClipTextEncoder::embed`]; a picture uses the row of its place.
    #[must_use]
    pub fn new(text: Tensor, config: &ClipConfig, grad_scale: f64) -> Self {
        Self { text, logit_scale: config.logit_scale, grad_scale }
    }

    /// The gradient at `x_t` `[B, 3, S, S]`, `timestep` of the original process.
    ///
    /// # Errors
    ///
    /// When a shape differs, the device fails, or `interrupt` was raised.
    pub fn gradient(
        &self,
        encoder: &ClipImageEncoder,
        x_t: &Tensor,
        timesteps: &Tensor,
        interrupt: &Interrupt,
    ) -> Result<ClipGradient> {
        // Block by block, each from a variable of its own: candle walks a whole graph back in one
        // call, which for the public network takes longer than a cancelled job may.
        let x = Var::from_tensor(&x_t.to_dtype(DType::F32)?)?;
        let mut state = encoder.read_in(&x, timesteps)?;
        let mut parts = vec![(x, state.clone())];
        for block in &encoder.blocks {
            interrupt.check()?;
            let input = Var::from_tensor(&state.detach())?;
            state = block.forward(&input, None)?;
            parts.push((input, state.clone()));
        }
        interrupt.check()?;
        let last = Var::from_tensor(&state.detach())?;
        let image = unit_rows(&encoder.read_out(&last)?)?;
        let cosine = self.text.broadcast_mul(&image)?.sum(D::Minus1)?;
        let loss = (cosine.sum_all()? * self.logit_scale)?;
        let mut gradient = gradient_of(&loss, &last)?;
        while let Some((input, output)) = parts.pop() {
            interrupt.check()?;
            gradient = gradient_of(&(output * gradient)?.sum_all()?, &input)?;
        }
        Ok(ClipGradient {
            gradient: (gradient * self.grad_scale)?,
            cosine: cosine.detach(),
            loss: loss.to_scalar()?,
        })
    }
}

/// The gradient of one number with respect to a variable that it was computed from.
fn gradient_of(number: &Tensor, variable: &Var) -> Result<Tensor> {
    match number.backward()?.remove(variable) {
        Some(gradient) => Ok(gradient.detach()),
        None => candle_core::bail!("the guidance has no gradient with respect to the picture"),
    }
}

/// The names and shapes of the text encoder's parameters.
///
/// # Errors
///
/// When the config is unsupported.
pub fn clip_text_shapes(config: &ClipConfig) -> Result<Vec<(String, Vec<usize>)>> {
    record_shapes(|vb| ClipTextEncoder::new(config, vb).map(|_| ()))
}

/// The names and shapes of the image encoder's parameters.
///
/// # Errors
///
/// When the config is unsupported.
pub fn clip_image_shapes(config: &ClipConfig) -> Result<Vec<(String, Vec<usize>)>> {
    record_shapes(|vb| ClipImageEncoder::new(config, vb).map(|_| ()))
}
