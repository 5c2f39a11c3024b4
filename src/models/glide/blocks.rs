//! The UNet's building blocks.
//!
//! Source: `ResBlock` and `AttentionBlock` in openai/glide-text2im, `glide_text2im/unet.py`.

use crate::nn::{
    Conv2d, GroupNorm, Interrupt, Linear, Pointwise, double_nearest, halve_mean, qkv_attention,
};
use candle_core::{DType, Result, Tensor};
use candle_nn::VarBuilder;

/// What a block does to the resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Nothing.
    Keep,
    /// Halves both sides.
    Halve,
    /// Doubles both sides.
    Double,
}

/// Widths and switches of a [`ResBlock`].
#[derive(Clone, Copy, Debug)]
pub struct ResBlockShape {
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the result.
    pub out: usize,
    /// Width of the embedding.
    pub emb: usize,
    /// Whether the embedding scales and shifts the second norm, or is added before it.
    pub scale_shift: bool,
    /// What the block does to the resolution.
    pub resolution: Resolution,
}

/// Two convolutions, with the time embedding between them, around a skip connection.
#[derive(Debug)]
pub struct ResBlock {
    in_norm: GroupNorm,
    in_conv: Conv2d,
    emb: Linear,
    out_norm: GroupNorm,
    out_conv: Conv2d,
    skip: Option<Pointwise>,
    resolution: Resolution,
    scale_shift: bool,
}

impl ResBlock {
    /// Reads the block's parameters under the reference's names.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn new(shape: &ResBlockShape, vb: &VarBuilder<'_>) -> Result<Self> {
        let ResBlockShape { channels, out, emb, scale_shift, resolution } = *shape;
        let emb_out = if scale_shift { 2 * out } else { out };
        let emb_in = emb;
        // The embedding stays in f32 in the reference's half precision.
        let emb = vb.pp("emb_layers.1").set_dtype(DType::F32);
        Ok(Self {
            in_norm: GroupNorm::new(channels, &vb.pp("in_layers.0"))?,
            in_conv: Conv2d::new(channels, out, 1, &vb.pp("in_layers.2"))?,
            emb: Linear::new(emb_in, emb_out, &emb)?,
            out_norm: GroupNorm::new(out, &vb.pp("out_layers.0"))?,
            out_conv: Conv2d::new(out, out, 1, &vb.pp("out_layers.3"))?,
            skip: (channels != out)
                .then(|| Pointwise::new(channels, out, 2, &vb.pp("skip_connection")))
                .transpose()?,
            resolution,
            scale_shift,
        })
    }

    /// Maps `x` `[B, C, H, W]`, given the embedding `emb` `[B, E]` of timestep and text after SiLU.
    ///
    /// # Errors
    ///
    /// When a shape differs, the device fails, or `interrupt` was raised.
    pub fn forward(&self, x: &Tensor, emb: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let resized = |x: &Tensor| match self.resolution {
            Resolution::Keep => Ok(x.clone()),
            Resolution::Halve => halve_mean(x),
            Resolution::Double => double_nearest(x),
        };
        let h = resized(&self.in_norm.forward_silu(x)?)?;
        let x = resized(x)?;
        let h = self.in_conv.forward(&h, interrupt)?;
        let emb = self.emb.forward(emb)?;
        let h = if self.scale_shift {
            self.out_norm.forward_scale_shift_silu(&h, &emb)?
        } else {
            let emb = emb.to_dtype(h.dtype())?.unsqueeze(2)?.unsqueeze(3)?;
            self.out_norm.forward_silu(&h.broadcast_add(&emb)?)?
        };
        let skip = match &self.skip {
            Some(skip) => skip.forward(&x, interrupt)?,
            None => x,
        };
        self.out_conv.forward_add(&h, &skip, interrupt)
    }
}

/// Attention of each pixel to the text and to all pixels.
#[derive(Debug)]
pub struct AttentionBlock {
    heads: usize,
    norm: GroupNorm,
    qkv: Pointwise,
    encoder_kv: Option<Pointwise>,
    proj_out: Pointwise,
}

impl AttentionBlock {
    /// Reads the block's parameters; `text_width` is 0 where there is no text.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn new(
        channels: usize,
        heads: usize,
        text_width: usize,
        vb: &VarBuilder<'_>,
    ) -> Result<Self> {
        Ok(Self {
            heads,
            norm: GroupNorm::new(channels, &vb.pp("norm"))?,
            qkv: Pointwise::new(channels, 3 * channels, 1, &vb.pp("qkv"))?,
            encoder_kv: (text_width > 0)
                .then(|| Pointwise::new(text_width, 2 * channels, 1, &vb.pp("encoder_kv")))
                .transpose()?,
            proj_out: Pointwise::new(channels, channels, 1, &vb.pp("proj_out"))?,
        })
    }

    /// Maps `x` `[B, C, H, W]`; `text` `[B, D, S]` holds the text positions.
    ///
    /// # Errors
    ///
    /// When a shape differs, text is missing, the device fails, or `interrupt` was raised.
    pub fn forward(
        &self,
        x: &Tensor,
        text: Option<&Tensor>,
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        let (batch, channels, height, width) = x.dims4()?;
        let pixels = x.contiguous()?.reshape((batch, channels, height * width))?; // [B, C, T]
        let qkv = self.qkv.forward(&self.norm.forward(&pixels)?, interrupt)?; // [B, 3 * C, T]
        let text_kv = match (&self.encoder_kv, text) {
            (Some(layer), Some(text)) => {
                Some(layer.forward(&text.to_dtype(x.dtype())?, interrupt)?)
            }
            (Some(_), None) => candle_core::bail!("this network needs a text embedding"),
            (None, _) => None,
        }; // [B, 2 * C, S]
        let h = qkv_attention(&qkv, text_kv.as_ref(), None, self.heads, interrupt)?; // [B, C, T]
        let out = self.proj_out.forward_add(&h, &pixels, interrupt)?;
        out.reshape((batch, channels, height, width))
    }
}
