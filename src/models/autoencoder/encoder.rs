//! From pictures to the distribution of their latents.

use super::blocks::{ResBlock, norm};
use super::config::AutoencoderConfig;
use crate::nn::{Conv2d, GroupNorm, Interrupt};
use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

#[derive(Debug)]
enum Layer {
    Block(ResBlock),
    Halve(Conv2d),
}

/// The encoder; its layers are numbered as in the recipe's one long list.
#[derive(Debug)]
pub(super) struct Encoder {
    conv_in: Conv2d,
    layers: Vec<Layer>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Encoder {
    pub(super) fn new(config: &AutoencoderConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let widths = config.widths();
        let (Some(&first), Some(&last)) = (widths.first(), widths.last()) else {
            candle_core::bail!("an autoencoder needs at least one level");
        };
        let conv_in = Conv2d::new(3, first, 1, &vb.pp("0"))?;
        let mut layers = Vec::new();
        let mut channels = first;
        for (level, &width) in widths.iter().enumerate() {
            for _ in 0..config.blocks {
                let vb = vb.pp(layers.len() + 1);
                layers.push(Layer::Block(ResBlock::new(channels, width, &vb)?));
                channels = width;
            }
            if level + 1 < widths.len() {
                let vb = vb.pp(layers.len() + 1);
                layers.push(Layer::Halve(Conv2d::new(channels, channels, 2, &vb)?));
            }
        }
        if channels != last {
            candle_core::bail!("levels without blocks must have one width");
        }
        let middle = vb.pp(layers.len() + 1);
        layers.push(Layer::Block(ResBlock::new(channels, channels, &middle)?));
        let end = layers.len() + 1;
        Ok(Self {
            conv_in,
            layers,
            norm_out: norm(channels, &vb.pp(end))?,
            // The activation between the two has a number of its own.
            conv_out: Conv2d::new(channels, 2 * config.latent, 1, &vb.pp(end + 2))?,
        })
    }

    /// Maps `[B, 3, H, W]` to mean and log variance, `[B, 2 * latent, H/8, W/8]` with four levels.
    pub(super) fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let mut x = self.conv_in.forward(x, interrupt)?;
        for layer in &self.layers {
            x = match layer {
                Layer::Block(block) => block.forward(&x, interrupt)?,
                Layer::Halve(conv) => conv.forward(&x, interrupt)?,
            };
        }
        self.conv_out.forward(&self.norm_out.forward_silu(&x)?, interrupt)
    }
}
