//! Attention of a picture's pixels to each other and to the prompt.

use super::Interrupt;
use super::conv2d::runs_on_cpu_kernels;
use super::cpu::attention::{AttentionShape, attention};
use super::cpu::values;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, DType, Layout, Result, Shape, Tensor};

/// Attends from each pixel to all text positions, and to all pixels or those that `visible` shows.
///
/// Shapes: `qkv` `[B, N * 3 * K, T]` with channels laid out `[head][q, k, v][channel]`; `text_kv`
/// `[B, N * 2 * K, S]`, `[head][k, v][channel]`, whose positions come first; result `[B, N * K, T]`.
/// Scores are scaled by `K^(-1/2)`; the softmax works in f32. `visible` `[T, T]`, u8, has a row for
/// each pixel with 0 for the pixels that it doesn't attend to; each must see itself.
///
/// Source: `QKVAttention` in openai/glide-text2im, `glide_text2im/unet.py`.
///
/// # Errors
///
/// When the shapes don't fit, the device fails, or `interrupt` was raised.
pub fn qkv_attention(
    qkv: &Tensor,
    text_kv: Option<&Tensor>,
    visible: Option<&Tensor>,
    heads: usize,
    interrupt: &Interrupt,
) -> Result<Tensor> {
    interrupt.check()?;
    let (_, width, pixels) = qkv.dims3()?;
    if let Some(visible) = visible
        && visible.dims() != [pixels, pixels]
    {
        candle_core::bail!("{:?} do not tell what {pixels} pixels see", visible.dims());
    }
    if heads == 0 || !width.is_multiple_of(3 * heads) {
        candle_core::bail!("{width} channels do not divide into 3 parts of {heads} heads");
    }
    if runs_on_cpu_kernels(qkv) {
        let visible = visible.map(|visible| visible.flatten_all()?.to_vec1::<u8>()).transpose()?;
        let op = AttentionOp { heads, visible, interrupt };
        let qkv = qkv.contiguous()?;
        return match text_kv {
            Some(text_kv) => qkv.apply_op2_no_bwd(&text_kv.contiguous()?, &op),
            None => qkv.apply_op1_no_bwd(&op),
        };
    }
    plain_attention(qkv, text_kv, visible, heads)
}

/// The same in plain operations, for every device and type.
fn plain_attention(
    qkv: &Tensor,
    text_kv: Option<&Tensor>,
    visible: Option<&Tensor>,
    heads: usize,
) -> Result<Tensor> {
    let (batch, width, pixels) = qkv.dims3()?;
    let head = width / 3 / heads;
    let parts = qkv.reshape((batch * heads, 3, head, pixels))?;
    let part = |i| parts.narrow(1, i, 1)?.squeeze(1); // [B * N, K, T]
    let (q, mut k, mut v) = (part(0)?, part(1)?, part(2)?);
    if let Some(text_kv) = text_kv {
        let text = text_kv.reshape((batch * heads, 2, head, ()))?;
        k = Tensor::cat(&[&text.narrow(1, 0, 1)?.squeeze(1)?, &k], D::Minus1)?;
        v = Tensor::cat(&[&text.narrow(1, 1, 1)?.squeeze(1)?, &v], D::Minus1)?;
    }
    // Both sides are scaled before the product, so that half precision doesn't overflow.
    let scale = (head as f64).powf(-0.25);
    let q = (q.t()?.contiguous()? * scale)?; // [B * N, T, K]
    let scores = q.matmul(&(k.contiguous()? * scale)?)?; // [B * N, T, S + T]
    let mut scores = scores.to_dtype(DType::F32)?;
    if let Some(visible) = visible {
        let text = scores.dim(D::Minus1)? - pixels;
        let text = Tensor::ones((pixels, text), DType::U8, visible.device())?;
        let visible = Tensor::cat(&[&text, visible], 1)?.broadcast_as(scores.shape())?;
        let hidden = Tensor::new(f32::NEG_INFINITY, scores.device())?;
        scores = visible.where_cond(&scores, &hidden.broadcast_as(scores.shape())?)?;
    }
    let weights = candle_nn::ops::softmax(&scores, D::Minus1)?;
    let out = weights.to_dtype(qkv.dtype())?.matmul(&v.t()?.contiguous()?)?; // [B * N, T, K]
    out.t()?.contiguous()?.reshape((batch, heads * head, pixels))
}

struct AttentionOp<'a> {
    heads: usize,
    visible: Option<Vec<u8>>,
    interrupt: &'a Interrupt,
}

impl AttentionOp<'_> {
    fn run(
        &self,
        qkv: (&CpuStorage, &Layout),
        text_kv: Option<(&CpuStorage, &Layout)>,
    ) -> Result<(CpuStorage, Shape)> {
        let (pictures, width, pixels) = qkv.1.shape().dims3()?;
        let head_channels = width / 3 / self.heads;
        let mut text = 0;
        if let Some((_, layout)) = text_kv {
            let (batch, text_width, positions) = layout.shape().dims3()?;
            if batch != pictures || text_width != self.heads * head_channels * 2 {
                candle_core::bail!("text of {:?} does not fit {:?}", layout.dims(), qkv.1.dims());
            }
            text = positions;
        }
        let shape = AttentionShape { pictures, heads: self.heads, head_channels, pixels, text };
        let text_kv = text_kv.map(|(storage, layout)| values(storage, layout)).transpose()?;
        let out = attention(
            values(qkv.0, qkv.1)?,
            text_kv,
            self.visible.as_deref(),
            shape,
            self.interrupt,
        )?;
        Ok((CpuStorage::F32(out), Shape::from((pictures, self.heads * head_channels, pixels))))
    }
}

impl CustomOp1 for AttentionOp<'_> {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.run((qkv, layout), None)
    }
}

impl CustomOp2 for AttentionOp<'_> {
    fn name(&self) -> &'static str {
        "attention_with_text"
    }

    fn cpu_fwd(
        &self,
        qkv: &CpuStorage,
        layout: &Layout,
        text_kv: &CpuStorage,
        text_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.run((qkv, layout), Some((text_kv, text_layout)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::test_values;
    use candle_core::Device;

    fn check(heads: usize, head: usize, pixels: usize, text: usize) {
        let dev = Device::Cpu;
        let count = 2 * heads * head * pixels * 3;
        let qkv = Tensor::from_vec(test_values(count, 1), (2, heads * 3 * head, pixels), &dev);
        let qkv = (qkv.unwrap() * 2.0).unwrap();
        let kv = (text > 0).then(|| {
            let values = test_values(2 * heads * head * text * 2, 2);
            Tensor::from_vec(values, (2, heads * 2 * head, text), &dev).unwrap()
        });
        let show = |query: usize, key: usize| u8::from(key <= query || (query * key) % 5 == 3);
        let some = (0..pixels * pixels).map(|i| show(i / pixels, i % pixels)).collect();
        let some = Tensor::from_vec(some, (pixels, pixels), &dev).unwrap();
        for visible in [None, Some(&some)] {
            let go = Interrupt::new();
            let fast = qkv_attention(&qkv, kv.as_ref(), visible, heads, &go).unwrap();
            let plain = plain_attention(&qkv, kv.as_ref(), visible, heads).unwrap();
            let worst = (fast - plain).unwrap().abs().unwrap().max_all().unwrap();
            let worst = worst.to_scalar::<f32>().unwrap();
            let masked = visible.is_some();
            assert!(
                worst < 2e-6,
                "{heads} heads of {head}, {pixels}+{text}, masked {masked}: error {worst}"
            );
        }
    }

    #[test]
    fn the_cpu_kernel_agrees_with_plain_operations() {
        check(1, 16, 64, 0);
        check(3, 8, 9, 5);
        check(2, 64, 4, 17);
        check(4, 32, 256, 48);
        check(2, 20, 100, 7);
        check(1, 7, 1, 1);
    }
}
