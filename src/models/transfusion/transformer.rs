//! The layers of the transformer.

use super::config::TransfusionConfig;
use super::kv_cache::{KvBlock, LayerCache};
use crate::nn::{Interrupt, Linear, RmsNorm, Rotary, qkv_attention, swiglu};
use candle_core::{D, DType, Result, Tensor};
use candle_nn::VarBuilder;

/// From so many places on a stretch is worth laying the cache out for.
const MANY: usize = 16;

/// What keeps the root of the norms from zero; the recipe has no key for it.
pub(super) const EPS: f64 = 1e-5;

/// What a stretch of a sequence attends to besides itself, and how.
pub(super) enum Surroundings<'a> {
    /// Nothing comes before it; the mask is `[B, 1, T, T]`, none means that all is visible.
    Alone(Option<&'a Tensor>),
    /// It goes on a cached sequence, all of which it sees, and is added to the cache.
    After(&'a mut LayerCache, Option<&'a Tensor>, &'a Interrupt),
    /// It is a picture that sees all of itself and of what comes before, `[1, N * 2 * K, S]`.
    PictureAfter(Option<&'a Tensor>, &'a Interrupt),
}

/// One layer: attention, then a feed-forward layer, each on a normed input.
#[derive(Debug)]
pub(super) struct Layer {
    input_norm: RmsNorm,
    attention: Attention,
    post_attention_norm: RmsNorm,
    mlp: Mlp,
}

impl Layer {
    pub(super) fn new(config: &TransfusionConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let width = config.hidden_size;
        Ok(Self {
            input_norm: RmsNorm::new(width, EPS, &vb.pp("input_layernorm"))?,
            attention: Attention::new(width, config.num_attention_heads, &vb.pp("self_attn"))?,
            post_attention_norm: RmsNorm::new(width, EPS, &vb.pp("post_attention_layernorm"))?,
            mlp: Mlp::new(width, config.intermediate_size, &vb.pp("mlp"))?,
        })
    }

    /// Maps `x` `[B, T, D]`.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        rotary: &Rotary,
        surroundings: Surroundings<'_>,
    ) -> Result<Tensor> {
        let y = self.attention.forward(&self.input_norm.forward(x)?, rotary, surroundings)?;
        let x = self.attention.o_proj.forward_add(&y, x)?;
        self.mlp.forward_add(&self.post_attention_norm.forward(&x)?, &x)
    }
}

#[derive(Debug)]
struct Attention {
    heads: usize,
    /// Queries, keys and values of all heads.
    qkv_proj: Linear,
    o_proj: Linear,
}

impl Attention {
    fn new(width: usize, heads: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        if heads == 0 || !width.is_multiple_of(heads) {
            candle_core::bail!("a width of {width} does not divide into {heads} heads");
        }
        let projection = |name: &str| Linear::without_bias(width, width, &vb.pp(name));
        Ok(Self {
            heads,
            qkv_proj: Linear::stacked(vec![
                projection("q_proj")?,
                projection("k_proj")?,
                projection("v_proj")?,
            ]),
            o_proj: projection("o_proj")?,
        })
    }

    /// What the heads found, `[B, T, D]`, before the layer that mixes them.
    fn forward(&self, x: &Tensor, rotary: &Rotary, around: Surroundings<'_>) -> Result<Tensor> {
        let (batch, places, width) = x.dims3()?;
        let qkv = self.qkv_proj.forward(x)?;
        let split = || {
            let part = |part: usize| {
                let part = qkv.narrow(2, part * width, width)?;
                part.reshape((batch, places, self.heads, ()))?.transpose(1, 2)?.contiguous()
            };
            let own = KvBlock { keys: rotary.apply(&part(1)?)?, values: part(2)? };
            Ok::<_, candle_core::Error>((rotary.apply(&part(0)?)?, own)) // [B, N, T, K] each
        };
        let y = match around {
            Surroundings::Alone(mask) => {
                let (q, own) = split()?;
                attend(&q, &[], &own, mask)?
            }
            Surroundings::After(cache, mask, interrupt) if batch == 1 && places >= MANY => {
                let qkv = rotary.split_heads(&qkv, self.heads)?; // [1, N * 3 * K, T]
                let before = cache.channels_first()?;
                let mask = mask.map(|mask| mask.reshape((places, places))).transpose()?;
                let y = self.attend_at_once(&qkv, before.as_ref(), mask.as_ref(), interrupt)?;
                let parts = qkv.reshape((1, self.heads, 3, width / self.heads, places))?;
                let part = |i| parts.narrow(2, i, 1)?.squeeze(2)?.transpose(2, 3)?.contiguous();
                cache.push(KvBlock { keys: part(1)?, values: part(2)? })?;
                return Ok(y);
            }
            Surroundings::After(cache, mask, _) => {
                let (q, own) = split()?;
                let y = attend(&q, &cache.blocks, &own, mask)?;
                cache.push(own)?;
                y
            }
            Surroundings::PictureAfter(before, interrupt) => {
                let qkv = rotary.split_heads(&qkv, self.heads)?; // [B, N * 3 * K, T]
                let before = match before {
                    Some(before) => {
                        let (_, channels, count) = before.dims3()?;
                        Some(before.broadcast_as((batch, channels, count))?)
                    }
                    None => None,
                };
                return self.attend_at_once(&qkv, before.as_ref(), None, interrupt);
            }
        };
        y.transpose(1, 2)?.reshape((batch, places, width))
    }

    /// Attends with the kernel that never stores all scores; `[B, T, D]`.
    fn attend_at_once(
        &self,
        qkv: &Tensor,
        before: Option<&Tensor>,
        visible: Option<&Tensor>,
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        qkv_attention(qkv, before, visible, self.heads, interrupt)?.transpose(1, 2)
    }
}

/// Attends from `q` `[B, N, T, K]` to all of `before` and to what `mask` shows of `own`; the
/// softmax works in f32. The result has the shape of `q`.
fn attend(q: &Tensor, before: &[KvBlock], own: &KvBlock, mask: Option<&Tensor>) -> Result<Tensor> {
    let head = q.dim(D::Minus1)? as f64;
    // Scaled before the product, so that half precision doesn't overflow.
    let q = (q * head.powf(-0.5))?;
    let scores_of = |keys: &Tensor| q.matmul(&keys.t()?)?.to_dtype(DType::F32);
    // Block by block: putting the blocks together for every token would copy the whole cache.
    let mut scores = before.iter().map(|b| scores_of(&b.keys)).collect::<Result<Vec<_>>>()?;
    let own_scores = scores_of(&own.keys)?; // [B, N, T, T]
    scores.push(match mask {
        Some(mask) => {
            let hidden = Tensor::new(f32::NEG_INFINITY, q.device())?;
            mask.broadcast_as(own_scores.shape())?
                .where_cond(&own_scores, &hidden.broadcast_as(own_scores.shape())?)?
        }
        None => own_scores,
    });
    let scores = Tensor::cat(&scores, D::Minus1)?; // [B, N, T, S]
    let weights = candle_nn::ops::softmax_last_dim(&scores)?.to_dtype(own.values.dtype())?;
    let mut first = 0;
    let mut sum: Option<Tensor> = None;
    for block in before.iter().chain([own]) {
        let count = block.len()?;
        let part = weights.narrow(D::Minus1, first, count)?.contiguous()?.matmul(&block.values)?;
        sum = Some(match sum {
            Some(sum) => (sum + part)?,
            None => part,
        });
        first += count;
    }
    match sum {
        Some(sum) => Ok(sum),
        None => candle_core::bail!("there is nothing to attend to"),
    }
}

/// The feed-forward layer: `down(silu(gate(x)) * up(x))`.
#[derive(Debug)]
struct Mlp {
    /// The gate, then what passes it.
    gate_up_proj: Linear,
    down_proj: Linear,
}

impl Mlp {
    fn new(width: usize, inner: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            gate_up_proj: Linear::stacked(vec![
                Linear::without_bias(width, inner, &vb.pp("gate_proj"))?,
                Linear::without_bias(width, inner, &vb.pp("up_proj"))?,
            ]),
            down_proj: Linear::without_bias(inner, width, &vb.pp("down_proj"))?,
        })
    }

    fn forward_add(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        self.down_proj.forward_add(&swiglu(&self.gate_up_proj.forward(x)?)?, residual)
    }
}
