//! The text transformer in front of the UNet.

use super::config::GlideConfig;
use crate::nn::{Interrupt, LayerNorm, Linear, gelu};
use candle_core::{D, DType, Result, Tensor};
use candle_nn::VarBuilder;

/// What the UNet reads of a prompt.
#[derive(Clone, Debug)]
pub struct TextEmbedding {
    /// `[B, 4 * num_channels]`, added to the time embedding (`xf_proj` in the reference).
    pub pooled: Tensor,
    /// `[B, xf_width, S]`, attended to by the attention blocks (`xf_out` in the reference).
    pub positions: Tensor,
}

impl TextEmbedding {
    /// Puts the rows of `self` before those of `other`.
    ///
    /// # Errors
    ///
    /// When the shapes differ or the device fails.
    pub fn followed_by(&self, other: &Self) -> Result<Self> {
        Ok(Self {
            pooled: Tensor::cat(&[&self.pooled, &other.pooled], 0)?,
            positions: Tensor::cat(&[&self.positions, &other.positions], 0)?,
        })
    }
}

/// One block of the transformer: attention, then a feed-forward layer, each on a normed input.
#[derive(Debug)]
pub struct TextBlock {
    heads: usize,
    ln_1: LayerNorm,
    c_qkv: Linear,
    attn_proj: Linear,
    ln_2: LayerNorm,
    c_fc: Linear,
    mlp_proj: Linear,
}

const LN: [&str; 2] = ["weight", "bias"];

impl TextBlock {
    /// Reads the block's parameters under the reference's names.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn new(width: usize, heads: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            heads,
            ln_1: LayerNorm::new(width, LN, &vb.pp("ln_1"))?,
            c_qkv: Linear::new(width, 3 * width, &vb.pp("attn.c_qkv"))?,
            attn_proj: Linear::new(width, width, &vb.pp("attn.c_proj"))?,
            ln_2: LayerNorm::new(width, LN, &vb.pp("ln_2"))?,
            c_fc: Linear::new(width, 4 * width, &vb.pp("mlp.c_fc"))?,
            mlp_proj: Linear::new(4 * width, width, &vb.pp("mlp.c_proj"))?,
        })
    }

    /// Maps `x` `[B, S, D]`.
    ///
    /// # Errors
    ///
    /// When a shape differs or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let attended = text_attention(&self.c_qkv.forward(&self.ln_1.forward(x)?)?, self.heads)?;
        let x = (x + self.attn_proj.forward(&attended)?)?;
        let wide = gelu(&self.c_fc.forward(&self.ln_2.forward(&x)?)?)?;
        &x + self.mlp_proj.forward(&wide)?
    }
}

/// Attention between all positions; `qkv` `[B, S, N * 3 * K]` laid out `[head][q, k, v][channel]`.
///
/// # Errors
///
/// When the width doesn't divide or the device fails.
pub fn text_attention(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    let (batch, positions, width) = qkv.dims3()?;
    let head = width / 3 / heads;
    let parts = qkv.reshape((batch, positions, heads, 3, head))?.transpose(1, 2)?; // [B, N, S, 3, K]
    let part = |i| parts.narrow(3, i, 1)?.squeeze(3)?.contiguous(); // [B, N, S, K]
    let scale = (head as f64).powf(-0.25);
    let (q, k, v) = ((part(0)? * scale)?, (part(1)? * scale)?, part(2)?);
    let scores = q.matmul(&k.t()?.contiguous()?)?; // [B, N, S, S]
    let weights = candle_nn::ops::softmax(&scores.to_dtype(DType::F32)?, D::Minus1)?;
    let out = weights.to_dtype(qkv.dtype())?.matmul(&v)?; // [B, N, S, K]
    out.transpose(1, 2)?.reshape((batch, positions, heads * head))
}

/// The transformer that turns a prompt's tokens into what the UNet reads.
///
/// Source: `Text2ImUNet` in openai/glide-text2im, `glide_text2im/text2im_model.py`.
#[derive(Debug)]
pub(super) struct TextEncoder {
    token_embedding: Tensor,
    positional_embedding: Tensor,
    padding_embedding: Option<Tensor>,
    blocks: Vec<TextBlock>,
    final_ln: Option<LayerNorm>,
    transformer_proj: Linear,
}

impl TextEncoder {
    pub(super) fn new(config: &GlideConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let GlideConfig { n_vocab, xf_width: width, xf_heads: heads, text_ctx, .. } = *config;
        if heads == 0 || !width.is_multiple_of(heads) {
            candle_core::bail!("a text width of {width} does not divide into {heads} heads");
        }
        // The reference's conversion to half precision leaves these two as they are.
        let full = vb.clone().set_dtype(DType::F32);
        let blocks = (0..config.xf_layers)
            .map(|i| TextBlock::new(width, heads, &vb.pp(format!("transformer.resblocks.{i}"))))
            .collect::<Result<_>>()?;
        Ok(Self {
            token_embedding: vb.get((n_vocab, width), "token_embedding.weight")?,
            positional_embedding: full.get((text_ctx, width), "positional_embedding")?,
            padding_embedding: config
                .xf_padding
                .then(|| full.get((text_ctx, width), "padding_embedding"))
                .transpose()?,
            blocks,
            final_ln: config
                .xf_final_ln
                .then(|| LayerNorm::new(width, LN, &vb.pp("final_ln")))
                .transpose()?,
            transformer_proj: Linear::new(
                width,
                config.time_embed_dim(),
                &vb.pp("transformer_proj"),
            )?,
        })
    }

    pub(super) fn forward(
        &self,
        tokens: &Tensor,
        token_mask: &Tensor,
        interrupt: &Interrupt,
        observe: &mut dyn FnMut(&str, &Tensor),
    ) -> Result<TextEmbedding> {
        let (batch, positions) = tokens.dims2()?;
        let (text_ctx, width) = self.positional_embedding.dims2()?;
        if positions != text_ctx || token_mask.dims() != tokens.dims() {
            candle_core::bail!(
                "a text encoder of {text_ctx} tokens got {:?} with a mask {:?}",
                tokens.dims(),
                token_mask.dims()
            );
        }
        let dtype = self.token_embedding.dtype();
        let x = self.token_embedding.index_select(&tokens.flatten_all()?, 0)?;
        let x = x.reshape((batch, positions, width))?.to_dtype(DType::F32)?;
        let mut x = x.broadcast_add(&self.positional_embedding)?; // [B, S, D]
        if let Some(padding) = &self.padding_embedding {
            let known = token_mask.ne(0_u8)?.unsqueeze(2)?.broadcast_as(x.shape())?;
            x = known.where_cond(&x, &padding.broadcast_as(x.shape())?)?;
        }
        observe("xf_in", &x);
        x = x.to_dtype(dtype)?;
        for (i, block) in self.blocks.iter().enumerate() {
            interrupt.check()?;
            x = block.forward(&x)?;
            observe(&format!("block_{i}"), &x);
        }
        if let Some(final_ln) = &self.final_ln {
            x = final_ln.forward(&x)?;
        }
        let last = x.narrow(1, positions - 1, 1)?.squeeze(1)?;
        Ok(TextEmbedding {
            pooled: self.transformer_proj.forward(&last)?.to_dtype(DType::F32)?,
            positions: x.transpose(1, 2)?.contiguous()?, // [B, D, S]
        })
    }
}
