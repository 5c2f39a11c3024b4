//! From latents to pictures.

use super::blocks::{ResBlock, norm};
use super::config::AutoencoderConfig;
use crate::nn::{Conv2d, GroupNorm, Interrupt, double_nearest};
use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

#[derive(Debug)]
enum Layer {
    Block(ResBlock),
    Double(Conv2d),
}

/// The decoder; its layers are numbered as in the recipe's one long list.
#[derive(Debug)]
pub(super) struct Decoder {
    conv_in: Conv2d,
    layers: Vec<Layer>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Decoder {
    pub(super) fn new(config: &AutoencoderConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let widths = config.widths();
        let Some(&last) = widths.last() else {
            candle_core::bail!("an autoencoder needs at least one level");
        };
        let mut channels = last;
        let conv_in = Conv2d::new(config.latent, channels, 1, &vb.pp("0"))?;
        let mut layers = vec![Layer::Block(ResBlock::new(channels, channels, &vb.pp("1"))?)];
        let mut next = 2;
        for (level, &width) in widths.iter().enumerate().rev() {
            for _ in 0..config.blocks {
                layers.push(Layer::Block(ResBlock::new(channels, width, &vb.pp(next))?));
                channels = width;
                next += 1;
            }
            if level > 0 {
                // The doubling has a number of its own, but no parameters.
                let conv = Conv2d::new(channels, channels, 1, &vb.pp(next + 1))?;
                layers.push(Layer::Double(conv));
                next += 2;
            }
        }
        Ok(Self {
            conv_in,
            layers,
            norm_out: norm(channels, &vb.pp(next))?,
            conv_out: Conv2d::new(channels, 3, 1, &vb.pp(next + 2))?,
        })
    }

    /// Maps `[B, latent, h, w]` to `[B, 3, 8h, 8w]` with four levels.
    pub(super) fn forward(&self, z: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let mut x = self.conv_in.forward(z, interrupt)?;
        for layer in &self.layers {
            x = match layer {
                Layer::Block(block) => block.forward(&x, interrupt)?,
                Layer::Double(conv) => conv.forward(&double_nearest(&x)?, interrupt)?,
            };
        }
        self.conv_out.forward(&self.norm_out.forward_silu(&x)?, interrupt)
    }
}
