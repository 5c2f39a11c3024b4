//! The UNet of GLIDE: residual blocks with attention to pixels and text, down and up again.
//!
//! Source: `UNetModel` and the classes around it in openai/glide-text2im, `glide_text2im/unet.py`.

use super::blocks::{AttentionBlock, ResBlock, ResBlockShape, Resolution};
use super::config::{GlideConfig, Half, UnsupportedConfig};
use super::text_encoder::TextEmbedding;
use crate::nn::{Conv2d, GroupNorm, Interrupt, Linear, double_nearest, timestep_embedding};
use candle_core::{DType, Result, Tensor};
use candle_nn::VarBuilder;

/// One layer of a [`Stage`].
#[derive(Debug)]
enum Layer {
    Conv(Conv2d),
    /// Doubles the resolution, then convolves.
    DoubleConv(Conv2d),
    Res(Box<ResBlock>),
    Attention(Box<AttentionBlock>),
}

/// The layers between two skip connections.
#[derive(Debug, Default)]
struct Stage(Vec<Layer>);

impl Stage {
    fn forward(&self, x: &Tensor, context: &Context<'_>) -> Result<Tensor> {
        let Context { emb, text, interrupt } = *context;
        let mut x = x.clone();
        for layer in &self.0 {
            x = match layer {
                Layer::Conv(conv) => conv.forward(&x, interrupt)?,
                Layer::DoubleConv(conv) => conv.forward(&double_nearest(&x)?, interrupt)?,
                Layer::Res(block) => block.forward(&x, emb, interrupt)?,
                Layer::Attention(block) => {
                    block.forward(&x, text.map(|text| &text.positions), interrupt)?
                }
            };
        }
        Ok(x)
    }
}

/// What every stage of one evaluation reads.
#[derive(Clone, Copy)]
struct Context<'a> {
    emb: &'a Tensor,
    text: Option<&'a TextEmbedding>,
    interrupt: &'a Interrupt,
}

/// The network from noisy picture to noise and variance.
#[derive(Debug)]
pub(super) struct Unet {
    num_channels: usize,
    dtype: DType,
    time_embed: [Linear; 2],
    input_blocks: Vec<Stage>,
    middle_block: Stage,
    output_blocks: Vec<Stage>,
    out_norm: GroupNorm,
    out_conv: Conv2d,
}

fn refuse(error: UnsupportedConfig) -> candle_core::Error {
    candle_core::Error::wrap(error)
}

impl Unet {
    pub(super) fn new(config: &GlideConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let levels = config.levels().map_err(refuse)?;
        let base = config.num_channels;
        let attends: Vec<usize> = config
            .attention_resolutions
            .iter()
            .filter(|&&side| side > 0)
            .map(|&side| config.image_size / side)
            .collect();
        let full = vb.clone().set_dtype(DType::F32);
        let emb = config.time_embed_dim();
        let time_embed = [
            Linear::new(base, emb, &full.pp("time_embed.0"))?,
            Linear::new(emb, emb, &full.pp("time_embed.2"))?,
        ];

        let res = |channels, out, resolution, vb: &VarBuilder<'_>| {
            let scale_shift = config.use_scale_shift_norm;
            let shape = ResBlockShape { channels, out, emb, scale_shift, resolution };
            ResBlock::new(&shape, vb).map(|block| Layer::Res(Box::new(block)))
        };
        let attention = |channels, half, vb: &VarBuilder<'_>| {
            let heads = config.heads(channels, half).map_err(refuse)?;
            AttentionBlock::new(channels, heads, config.xf_width, vb)
                .map(|block| Layer::Attention(Box::new(block)))
        };

        let mut channels = levels[0] * base;
        let first = Conv2d::new(config.in_channels(), channels, 1, &vb.pp("input_blocks.0.0"))?;
        let mut input_blocks = vec![Stage(vec![Layer::Conv(first)])];
        let mut skips = vec![channels];
        let mut factor = 1;
        for (level, &multiple) in levels.iter().enumerate() {
            for _ in 0..config.num_res_blocks {
                let vb = vb.pp(format!("input_blocks.{}", input_blocks.len()));
                let out = multiple * base;
                let mut stage = vec![res(channels, out, Resolution::Keep, &vb.pp("0"))?];
                channels = out;
                if attends.contains(&factor) {
                    stage.push(attention(channels, Half::Encoder, &vb.pp("1"))?);
                }
                input_blocks.push(Stage(stage));
                skips.push(channels);
            }
            if level + 1 < levels.len() {
                let vb = vb.pp(format!("input_blocks.{}.0", input_blocks.len()));
                input_blocks.push(Stage(vec![if config.resblock_updown {
                    res(channels, channels, Resolution::Halve, &vb)?
                } else {
                    Layer::Conv(Conv2d::new(channels, channels, 2, &vb.pp("op"))?)
                }]));
                skips.push(channels);
                factor *= 2;
            }
        }

        let middle = vb.pp("middle_block");
        let keep = Resolution::Keep;
        let middle_block = Stage(vec![
            res(channels, channels, keep, &middle.pp("0"))?,
            attention(channels, Half::Encoder, &middle.pp("1"))?,
            res(channels, channels, keep, &middle.pp("2"))?,
        ]);

        let mut output_blocks = Vec::new();
        for (level, &multiple) in levels.iter().enumerate().rev() {
            for i in 0..=config.num_res_blocks {
                let vb = vb.pp(format!("output_blocks.{}", output_blocks.len()));
                let (out, skip) = (multiple * base, skips.pop().unwrap_or_default());
                let mut stage = vec![res(channels + skip, out, keep, &vb.pp("0"))?];
                channels = out;
                if attends.contains(&factor) {
                    stage.push(attention(channels, Half::Decoder, &vb.pp("1"))?);
                }
                if level > 0 && i == config.num_res_blocks {
                    let vb = vb.pp(stage.len());
                    stage.push(if config.resblock_updown {
                        res(channels, channels, Resolution::Double, &vb)?
                    } else {
                        Layer::DoubleConv(Conv2d::new(channels, channels, 1, &vb.pp("conv"))?)
                    });
                    factor /= 2;
                }
                output_blocks.push(Stage(stage));
            }
        }
        Ok(Self {
            num_channels: base,
            dtype: vb.dtype(),
            time_embed,
            input_blocks,
            middle_block,
            output_blocks,
            out_norm: GroupNorm::new(channels, &vb.pp("out.0"))?,
            out_conv: Conv2d::new(channels, 6, 1, &full.pp("out.2"))?,
        })
    }

    /// `x` `[B, in_channels, H, W]`, `timesteps` `[B]` to `[B, 6, H, W]`.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        timesteps: &Tensor,
        text: Option<&TextEmbedding>,
        interrupt: &Interrupt,
        observe: &mut dyn FnMut(&str, &Tensor),
    ) -> Result<Tensor> {
        let emb = timestep_embedding(timesteps, self.num_channels, 10000.0)?;
        let emb = self.time_embed[1].forward(&self.time_embed[0].forward(&emb)?.silu()?)?;
        observe("time_embed", &emb);
        let emb = match text {
            Some(text) => (emb + &text.pooled)?,
            None => emb,
        };
        // Every residual block starts with the SiLU of the embedding; once is enough.
        let emb = emb.silu()?;
        let context = Context { emb: &emb, text, interrupt };
        let mut h = x.to_dtype(self.dtype)?;
        let mut skips = Vec::with_capacity(self.input_blocks.len());
        for (i, stage) in self.input_blocks.iter().enumerate() {
            h = stage.forward(&h, &context)?;
            observe(&format!("input_blocks.{i}"), &h);
            skips.push(h.clone());
        }
        h = self.middle_block.forward(&h, &context)?;
        observe("middle_block", &h);
        for (i, stage) in self.output_blocks.iter().enumerate() {
            let Some(skip) = skips.pop() else {
                candle_core::bail!("more output blocks than input blocks");
            };
            if skip.dims()[2..] != h.dims()[2..] {
                let side = 1 << (self.input_blocks.len().ilog2());
                candle_core::bail!(
                    "a picture of {:?} does not halve evenly; use sides that are multiples of {side}",
                    &x.dims()[2..]
                );
            }
            h = stage.forward(&Tensor::cat(&[&h, &skip], 1)?, &context)?;
            observe(&format!("output_blocks.{i}"), &h);
        }
        let h = self.out_norm.forward_silu(&h.to_dtype(x.dtype())?)?;
        self.out_conv.forward(&h, interrupt)
    }
}
