//! One GLIDE network: text transformer and UNet, in any of the four forms.

use super::config::GlideConfig;
use super::text_encoder::{TextEmbedding, TextEncoder};
use super::unet::Unet;
use crate::models::parameters::record_shapes;
use crate::nn::{Interrupt, resize_bilinear};
use candle_core::{DType, Result, Tensor};
use candle_nn::VarBuilder;

/// What one evaluation of the network reads.
#[derive(Clone, Copy, Debug)]
pub struct UnetInput<'a> {
    /// The noisy picture, `[B, 3, H, W]`.
    pub x_t: &'a Tensor,
    /// Timesteps of the original process, `[B]`, may be fractional.
    pub timesteps: &'a Tensor,
    /// The prompts; needed unless the network was made without text.
    pub text: Option<&'a TextEmbedding>,
    /// The picture whose known pixels are to stay, `[B, 3, H, W]` in [-1, 1]; absent: zeros.
    pub known: Option<&'a Tensor>,
    /// `[B, 1, H, W]`, 1 = known pixel; absent: zeros.
    pub keep_mask: Option<&'a Tensor>,
    /// The low-resolution picture, `[B, 3, h, w]` in [-1, 1]; absent: zeros.
    pub low_res: Option<&'a Tensor>,
}

/// A GLIDE network with its weights.
///
/// Source: openai/glide-text2im, `glide_text2im/text2im_model.py`; GLIDE (arXiv 2112.10741).
#[derive(Debug)]
pub struct Glide {
    config: GlideConfig,
    text: Option<TextEncoder>,
    unet: Unet,
}

impl Glide {
    /// Builds the network; tensor names are those of the public checkpoints.
    ///
    /// The builder's type is the type of the trunk: with f16 or bf16 the embeddings of the timestep,
    /// the norms and the last convolution stay f32, as in the reference's `convert_to_fp16`.
    ///
    /// # Errors
    ///
    /// When the config is unsupported, or a tensor is missing or has another shape.
    pub fn new(config: &GlideConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let text = (config.xf_width > 0).then(|| TextEncoder::new(config, vb)).transpose()?;
        Ok(Self { config: config.clone(), text, unet: Unet::new(config, vb)? })
    }

    /// The shapes that this network was built with.
    #[must_use]
    pub fn config(&self) -> &GlideConfig {
        &self.config
    }

    /// Encodes prompts: `tokens` u32 `[B, S]`, `token_mask` u8 `[B, S]`, 1 = a token of the prompt.
    ///
    /// # Errors
    ///
    /// When the network has no text path, a shape differs, or `interrupt` was raised.
    pub fn encode_text(
        &self,
        tokens: &Tensor,
        token_mask: &Tensor,
        interrupt: &Interrupt,
    ) -> Result<TextEmbedding> {
        self.encode_text_observed(tokens, token_mask, interrupt, &mut |_, _| {})
    }

    /// As [`Self::encode_text`], showing `observe` the input and the result of every block.
    ///
    /// # Errors
    ///
    /// As [`Self::encode_text`].
    pub fn encode_text_observed(
        &self,
        tokens: &Tensor,
        token_mask: &Tensor,
        interrupt: &Interrupt,
        observe: &mut dyn FnMut(&str, &Tensor),
    ) -> Result<TextEmbedding> {
        match &self.text {
            Some(text) => text.forward(tokens, token_mask, interrupt, observe),
            None => candle_core::bail!("this network was made without text"),
        }
    }

    /// Predicts noise and variance: `[B, 6, H, W]`, channels 0-2 eps, 3-5 the variance fraction.
    ///
    /// # Errors
    ///
    /// When a shape differs from [`UnetInput`], the sides don't halve evenly, the device fails, or
    /// `interrupt` was raised.
    pub fn forward(&self, input: &UnetInput<'_>, interrupt: &Interrupt) -> Result<Tensor> {
        self.forward_observed(input, interrupt, &mut |_, _| {})
    }

    /// As [`Self::forward`], showing `observe` the result of every block.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn forward_observed(
        &self,
        input: &UnetInput<'_>,
        interrupt: &Interrupt,
        observe: &mut dyn FnMut(&str, &Tensor),
    ) -> Result<Tensor> {
        let (batch, channels, height, width) = input.x_t.dims4()?;
        if channels != 3 || input.timesteps.dims() != [batch] {
            candle_core::bail!(
                "x_t is {:?} and the timesteps are {:?}; expected [B, 3, H, W] and [B]",
                input.x_t.dims(),
                input.timesteps.dims()
            );
        }
        let zeros = |channels: usize| {
            Tensor::zeros((batch, channels, height, width), DType::F32, input.x_t.device())
        };
        let mut parts = vec![input.x_t.to_dtype(DType::F32)?];
        if self.config.inpaint {
            let keep_mask = input.keep_mask.map_or_else(|| zeros(1), |mask| Ok(mask.clone()))?;
            parts.push(match input.known {
                Some(known) => known.broadcast_mul(&keep_mask)?,
                None => zeros(3)?,
            });
            parts.push(keep_mask);
        }
        if self.config.super_res {
            parts.push(match input.low_res {
                Some(low_res) => resize_bilinear(low_res, height, width)?,
                None => zeros(3)?,
            });
        }
        let x = Tensor::cat(&parts, 1)?; // [B, in_channels, H, W]
        let text = if self.text.is_some() { input.text } else { None };
        if self.text.is_some() && text.is_none() {
            candle_core::bail!("this network needs a text embedding");
        }
        self.unet.forward(&x, input.timesteps, text, interrupt, observe)
    }
}

/// The names and shapes of all parameters of a network, in the order in which it reads them.
///
/// # Errors
///
/// When the config is unsupported.
pub fn parameter_shapes(config: &GlideConfig) -> Result<Vec<(String, Vec<usize>)>> {
    record_shapes(|vb| Glide::new(config, vb).map(|_| ()))
}
