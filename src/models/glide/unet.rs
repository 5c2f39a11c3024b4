//! The UNet of GLIDE: residual blocks with attention to pixels and text, down and up again.
//!
//! Source: `UNetModel` and the classes around it in openai/glide-text2im, `glide_text2im/unet.py`.

use super::config::{GlideConfig, Half, UnsupportedConfig};
use super::text_encoder::TextEmbedding;
use crate::nn::{
    Conv2d, GroupNorm, Interrupt, Linear, Pointwise, double_nearest, halve_mean, qkv_attention,
    timestep_embedding,
};
use candle_core::{DType, Result, Tensor};
use candle_nn::VarBuilder;

/// What a block does to the resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    Keep,
    Halve,
    Double,
}

/// Two convolutions, with the time embedding between them, around a skip connection.
#[derive(Debug)]
struct ResBlock {
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
    fn new(
        channels: usize,
        out: usize,
        resolution: Resolution,
        config: &GlideConfig,
        vb: &VarBuilder<'_>,
    ) -> Result<Self> {
        let emb_out = if config.use_scale_shift_norm { 2 * out } else { out };
        // The embedding stays in f32 in the reference's half precision.
        let emb = vb.pp("emb_layers.1").set_dtype(DType::F32);
        Ok(Self {
            in_norm: GroupNorm::new(channels, &vb.pp("in_layers.0"))?,
            in_conv: Conv2d::new(channels, out, 1, &vb.pp("in_layers.2"))?,
            emb: Linear::new(config.time_embed_dim(), emb_out, &emb)?,
            out_norm: GroupNorm::new(out, &vb.pp("out_layers.0"))?,
            out_conv: Conv2d::new(out, out, 1, &vb.pp("out_layers.3"))?,
            skip: (channels != out)
                .then(|| Pointwise::new(channels, out, 2, &vb.pp("skip_connection")))
                .transpose()?,
            resolution,
            scale_shift: config.use_scale_shift_norm,
        })
    }

    /// `x` `[B, C, H, W]`; `emb` `[B, 4 * num_channels]` after SiLU.
    fn forward(&self, x: &Tensor, emb: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
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
struct AttentionBlock {
    heads: usize,
    norm: GroupNorm,
    qkv: Pointwise,
    encoder_kv: Option<Pointwise>,
    proj_out: Pointwise,
}

impl AttentionBlock {
    fn new(
        channels: usize,
        half: Half,
        config: &GlideConfig,
        vb: &VarBuilder<'_>,
    ) -> Result<Self> {
        let heads = config.heads(channels, half).map_err(refuse)?;
        Ok(Self {
            heads,
            norm: GroupNorm::new(channels, &vb.pp("norm"))?,
            qkv: Pointwise::new(channels, 3 * channels, 1, &vb.pp("qkv"))?,
            encoder_kv: (config.xf_width > 0)
                .then(|| Pointwise::new(config.xf_width, 2 * channels, 1, &vb.pp("encoder_kv")))
                .transpose()?,
            proj_out: Pointwise::new(channels, channels, 1, &vb.pp("proj_out"))?,
        })
    }

    fn forward(
        &self,
        x: &Tensor,
        text: Option<&TextEmbedding>,
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        let (batch, channels, height, width) = x.dims4()?;
        let pixels = x.contiguous()?.reshape((batch, channels, height * width))?; // [B, C, T]
        let qkv = self.qkv.forward(&self.norm.forward(&pixels)?, interrupt)?; // [B, 3 * C, T]
        let text_kv = match (&self.encoder_kv, text) {
            (Some(layer), Some(text)) => {
                Some(layer.forward(&text.positions.to_dtype(x.dtype())?, interrupt)?)
            }
            (Some(_), None) => candle_core::bail!("this network needs a text embedding"),
            (None, _) => None,
        }; // [B, 2 * C, S]
        let h = qkv_attention(&qkv, text_kv.as_ref(), self.heads, interrupt)?; // [B, C, T]
        let out = self.proj_out.forward_add(&h, &pixels, interrupt)?;
        out.reshape((batch, channels, height, width))
    }
}

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
                Layer::Attention(block) => block.forward(&x, text, interrupt)?,
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

        let mut channels = levels[0] * base;
        let first = Conv2d::new(config.in_channels(), channels, 1, &vb.pp("input_blocks.0.0"))?;
        let mut input_blocks = vec![Stage(vec![Layer::Conv(first)])];
        let mut skips = vec![channels];
        let mut factor = 1;
        for (level, &multiple) in levels.iter().enumerate() {
            for _ in 0..config.num_res_blocks {
                let vb = vb.pp(format!("input_blocks.{}", input_blocks.len()));
                let out = multiple * base;
                let block = ResBlock::new(channels, out, Resolution::Keep, config, &vb.pp("0"))?;
                let mut stage = vec![Layer::Res(Box::new(block))];
                channels = out;
                if attends.contains(&factor) {
                    let block = AttentionBlock::new(channels, Half::Encoder, config, &vb.pp("1"))?;
                    stage.push(Layer::Attention(Box::new(block)));
                }
                input_blocks.push(Stage(stage));
                skips.push(channels);
            }
            if level + 1 < levels.len() {
                let vb = vb.pp(format!("input_blocks.{}.0", input_blocks.len()));
                input_blocks.push(Stage(vec![if config.resblock_updown {
                    let halve = Resolution::Halve;
                    Layer::Res(Box::new(ResBlock::new(channels, channels, halve, config, &vb)?))
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
            Layer::Res(Box::new(ResBlock::new(channels, channels, keep, config, &middle.pp("0"))?)),
            Layer::Attention(Box::new(AttentionBlock::new(
                channels,
                Half::Encoder,
                config,
                &middle.pp("1"),
            )?)),
            Layer::Res(Box::new(ResBlock::new(channels, channels, keep, config, &middle.pp("2"))?)),
        ]);

        let mut output_blocks = Vec::new();
        for (level, &multiple) in levels.iter().enumerate().rev() {
            for i in 0..=config.num_res_blocks {
                let vb = vb.pp(format!("output_blocks.{}", output_blocks.len()));
                let (out, skip) = (multiple * base, skips.pop().unwrap_or_default());
                let block = ResBlock::new(channels + skip, out, keep, config, &vb.pp("0"))?;
                let mut stage = vec![Layer::Res(Box::new(block))];
                channels = out;
                if attends.contains(&factor) {
                    let block = AttentionBlock::new(channels, Half::Decoder, config, &vb.pp("1"))?;
                    stage.push(Layer::Attention(Box::new(block)));
                }
                if level > 0 && i == config.num_res_blocks {
                    let vb = vb.pp(stage.len());
                    stage.push(if config.resblock_updown {
                        let double = Resolution::Double;
                        Layer::Res(Box::new(ResBlock::new(
                            channels, channels, double, config, &vb,
                        )?))
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
