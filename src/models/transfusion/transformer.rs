//! The layers of the transformer.

use super::config::TransfusionConfig;
use super::kv_cache::{KvBlock, LayerCache};
use crate::nn::{Interrupt, Linear, RmsNorm, Rotary, qkv_attention};
use candle_core::{D, DType, Result, Tensor};
use candle_nn::VarBuilder;

/// What keeps the root of the norms from zero; the recipe has no key for it.
pub(super) const EPS: f64 = 1e-5;

/// What a stretch of a sequence attends to besides itself, and how.
pub(super) enum Surroundings<'a> {
    /// Nothing comes before it; the mask is `[B, 1, T, T]`, none means that all is visible.
    Alone(Option<&'a Tensor>),
    /// It goes on a cached sequence, all of which it sees, and is added to the cache.
    After(&'a mut LayerCache, Option<&'a Tensor>),
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
        let x =
            (x + self.attention.forward(&self.input_norm.forward(x)?, rotary, surroundings)?)?;
        &x + self.mlp.forward(&self.post_attention_norm.forward(&x)?)?
    }
}

#[derive(Debug)]
struct Attention {
    heads: usize,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
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
            q_proj: projection("q_proj")?,
            k_proj: projection("k_proj")?,
            v_proj: projection("v_proj")?,
            o_proj: projection("o_proj")?,
        })
    }

    fn forward(&self, x: &Tensor, rotary: &Rotary, around: Surroundings<'_>) -> Result<Tensor> {
        let (batch, places, width) = x.dims3()?;
        let split = |y: Tensor| {
            y.reshape((batch, places, self.heads, ()))?.transpose(1, 2)?.contiguous() // [B, N, T, K]
        };
        let q = rotary.apply(&split(self.q_proj.forward(x)?)?)?;
        let keys = rotary.apply(&split(self.k_proj.forward(x)?)?)?;
        let values = split(self.v_proj.forward(x)?)?;
        let y = match around {
            Surroundings::Alone(mask) => attend(&q, &[], &KvBlock { keys, values }, mask)?,
            Surroundings::After(cache, mask) => {
                let own = KvBlock { keys, values };
                let y = attend(&q, &cache.blocks, &own, mask)?;
                cache.push(own)?;
                y
            }
            Surroundings::PictureAfter(before, interrupt) => {
                let qkv = Tensor::stack(&[q, keys, values], 2)?; // [B, N, 3, T, K]
                let qkv = qkv.transpose(3, 4)?.reshape((batch, 3 * width, places))?;
                let before = match before {
                    Some(before) => {
                        let (_, channels, count) = before.dims3()?;
                        Some(before.broadcast_as((batch, channels, count))?)
                    }
                    None => None,
                };
                let y = qkv_attention(&qkv, before.as_ref(), self.heads, interrupt)?;
                return self.o_proj.forward(&y.transpose(1, 2)?);
            }
        };
        let y = y.transpose(1, 2)?.reshape((batch, places, width))?; // [B, T, D]
        self.o_proj.forward(&y)
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
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
}

impl Mlp {
    fn new(width: usize, inner: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            gate_proj: Linear::without_bias(width, inner, &vb.pp("gate_proj"))?,
            up_proj: Linear::without_bias(width, inner, &vb.pp("up_proj"))?,
            down_proj: Linear::without_bias(inner, width, &vb.pp("down_proj"))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let gate = self.gate_proj.forward(x)?.silu()?;
        self.down_proj.forward(&(gate * self.up_proj.forward(x)?)?)
    }
}
