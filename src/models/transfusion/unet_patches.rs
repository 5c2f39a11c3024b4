//! Patches by U-Net blocks: latents are made narrower on their way into the transformer and wider
//! on their way out, with what each level saw handed across.
//!
//! Source: Transfusion (arXiv 2408.11039), section 3.2 and figure 3: down and up blocks of a U-Net
//! with timestep embeddings, in place of the linear layers. The paper names no parameters; those
//! here follow the autoencoder's.

use super::config::TransfusionConfig;
use crate::nn::{Conv2d, GroupNorm, Interrupt, Linear, Pointwise, double_nearest};
use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

/// Groups of every norm.
pub(super) const GROUPS: usize = 16;

/// What the levels saw on the way in, the first level first.
pub(super) type Skips = Vec<Tensor>;

/// Down blocks before the transformer and up blocks behind it.
#[derive(Debug)]
pub(super) struct UnetPatches {
    conv_in: Conv2d,
    down: Vec<Level>,
    up: Vec<Level>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

/// The residual blocks of one size, and the convolution to the next one.
#[derive(Debug)]
struct Level {
    blocks: Vec<TimedBlock>,
    resample: Conv2d,
}

impl UnetPatches {
    pub(super) fn new(config: &TransfusionConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let widths = config.unet_widths();
        let (Some(&first), Some(&last)) = (widths.first(), widths.last()) else {
            candle_core::bail!("U-Net patches need at least one level");
        };
        let time = config.hidden_size;
        let mut channels = first;
        let mut down = Vec::with_capacity(widths.len());
        for (level, &width) in widths.iter().enumerate() {
            let vb = vb.pp("down").pp(level);
            let mut blocks = Vec::with_capacity(config.unet_blocks);
            for block in 0..config.unet_blocks {
                blocks.push(TimedBlock::new(channels, width, time, &vb.pp("blocks").pp(block))?);
                channels = width;
            }
            down.push(Level {
                blocks,
                resample: Conv2d::new(width, width, 2, &vb.pp("downsample"))?,
            });
        }
        channels = last;
        let mut up = Vec::with_capacity(widths.len());
        for (level, &width) in widths.iter().enumerate().rev() {
            let vb = vb.pp("up").pp(level);
            let resample = Conv2d::new(channels, channels, 1, &vb.pp("upsample"))?;
            // What the level on the way in saw comes beside what comes up.
            channels += width;
            let mut blocks = Vec::with_capacity(config.unet_blocks);
            for block in 0..config.unet_blocks {
                blocks.push(TimedBlock::new(channels, width, time, &vb.pp("blocks").pp(block))?);
                channels = width;
            }
            up.push(Level { blocks, resample });
        }
        Ok(Self {
            conv_in: Conv2d::new(config.latent_channels, first, 1, &vb.pp("conv_in"))?,
            down,
            up,
            norm_out: GroupNorm::with_groups(GROUPS, channels, &vb.pp("norm_out"))?,
            conv_out: Conv2d::new(channels, config.latent_channels, 1, &vb.pp("conv_out"))?,
        })
    }

    /// Latents `[B, C, H, W]` to one vector a patch, `[B, P, W]`, rows first, and what each level
    /// saw; `time` is `[B, D]`.
    pub(super) fn down(
        &self,
        latents: &Tensor,
        time: &Tensor,
        interrupt: &Interrupt,
    ) -> Result<(Tensor, Skips)> {
        let mut x = self.conv_in.forward(latents, interrupt)?;
        let mut skips = Vec::with_capacity(self.down.len());
        for level in &self.down {
            for block in &level.blocks {
                x = block.forward(&x, time, interrupt)?;
            }
            skips.push(x.clone());
            x = level.resample.forward(&x, interrupt)?;
        }
        Ok((x.flatten_from(2)?.transpose(1, 2)?.contiguous()?, skips))
    }

    /// One vector a patch, `[B, P, W]`, to what the latents' noise is, `[B, C, H, W]`.
    pub(super) fn up(
        &self,
        patches: &Tensor,
        skips: &[Tensor],
        time: &Tensor,
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        let Some(deepest) = skips.last() else {
            candle_core::bail!("the way out of U-Net patches needs what the way in saw");
        };
        let (batch, _, height, width) = deepest.dims4()?;
        let mut x =
            patches.transpose(1, 2)?.contiguous()?.reshape((batch, (), height / 2, width / 2))?;
        for (level, skip) in self.up.iter().zip(skips.iter().rev()) {
            x = level.resample.forward(&double_nearest(&x)?, interrupt)?;
            x = Tensor::cat(&[&x, skip], 1)?;
            for block in &level.blocks {
                x = block.forward(&x, time, interrupt)?;
            }
        }
        self.conv_out.forward(&self.norm_out.forward_silu(&x)?, interrupt)
    }
}

/// Two normed convolutions around a skip connection, with the timestep added between them.
#[derive(Debug)]
struct TimedBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    time: Linear,
    norm2: GroupNorm,
    conv2: Conv2d,
    shortcut: Option<Pointwise>,
}

impl TimedBlock {
    fn new(channels: usize, out: usize, time: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            norm1: GroupNorm::with_groups(GROUPS, channels, &vb.pp("norm1"))?,
            conv1: Conv2d::new(channels, out, 1, &vb.pp("conv1"))?,
            time: Linear::new(time, out, &vb.pp("time_emb_proj"))?,
            norm2: GroupNorm::with_groups(GROUPS, out, &vb.pp("norm2"))?,
            conv2: Conv2d::new(out, out, 1, &vb.pp("conv2"))?,
            shortcut: (channels != out)
                .then(|| Pointwise::new(channels, out, 2, &vb.pp("conv_shortcut")))
                .transpose()?,
        })
    }

    fn forward(&self, x: &Tensor, time: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let h = self.conv1.forward(&self.norm1.forward_silu(x)?, interrupt)?;
        let time = self.time.forward(&time.silu()?)?.unsqueeze(2)?.unsqueeze(3)?;
        let h = self.norm2.forward_silu(&h.broadcast_add(&time)?)?;
        match &self.shortcut {
            Some(shortcut) => {
                self.conv2.forward_add(&h, &shortcut.forward(x, interrupt)?, interrupt)
            }
            None => self.conv2.forward_add(&h, x, interrupt),
        }
    }
}
