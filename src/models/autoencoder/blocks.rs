//! The residual block that both halves are made of.

use super::config::GROUPS;
use crate::nn::{Conv2d, GroupNorm, Interrupt, Pointwise};
use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

/// Two normed convolutions around a skip connection.
#[derive(Debug)]
pub(super) struct ResBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
    shortcut: Option<Pointwise>,
}

impl ResBlock {
    pub(super) fn new(channels: usize, out: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            norm1: norm(channels, &vb.pp("norm1"))?,
            conv1: Conv2d::new(channels, out, 1, &vb.pp("conv1"))?,
            norm2: norm(out, &vb.pp("norm2"))?,
            conv2: Conv2d::new(out, out, 1, &vb.pp("conv2"))?,
            shortcut: (channels != out)
                .then(|| Pointwise::new(channels, out, 2, &vb.pp("conv_shortcut")))
                .transpose()?,
        })
    }

    /// Maps `x` `[B, C, H, W]` to `[B, out, H, W]`.
    pub(super) fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let h = self.conv1.forward(&self.norm1.forward_silu(x)?, interrupt)?;
        let h = self.norm2.forward_silu(&h)?;
        match &self.shortcut {
            Some(shortcut) => {
                self.conv2.forward_add(&h, &shortcut.forward(x, interrupt)?, interrupt)
            }
            None => self.conv2.forward_add(&h, x, interrupt),
        }
    }
}

/// A norm as everywhere in the autoencoder.
pub(super) fn norm(channels: usize, vb: &VarBuilder<'_>) -> Result<GroupNorm> {
    GroupNorm::with_groups(GROUPS, channels, vb)
}
