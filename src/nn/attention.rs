//! Attention of a picture's pixels to each other and to the prompt.

use super::Interrupt;
use super::conv2d::runs_on_cpu_kernels;
use super::cpu::attention::{AttentionShape, attention};
use super::cpu::values;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, DType, Layout, Result, Shape, Tensor};

/// Attends from each pixel to all text positions and all pixels.
///
/// Shapes: `qkv` `[B, N * 3 * K, T]` with channels laid out `[head][q, k, v][channel]`; `text_kv`
/// `[B, N * 2 * K, S]`, `[head][k, v][channel]`, whose positions come first; result `[B, N * K, T]`.
/// Scores are scaled by `K^(-1/2)`; the softmax works in f32.
///
/// Source: `QKVAttention` in openai/glide-text2im, `glide_text2im/unet.py`.
///
/// # Errors
///
/// When the shapes don't fit, the device fails, or `interrupt` was raised.
pub fn qkv_attention(
    qkv: &Tensor,
    text_kv: Option<&Tensor>,
    heads: usize,
    interrupt: &Interrupt,
) -> Result<Tensor> {
    interrupt.check()?;
    let (_, width, _) = qkv.dims3()?;
    if heads == 0 || !width.is_multiple_of(3 * heads) {
        candle_core::bail!("{width} channels do not divide into 3 parts of {heads} heads");
    }
    if runs_on_cpu_kernels(qkv) {
        let op = AttentionOp { heads, interrupt };
        let qkv = qkv.contiguous()?;
        return match text_kv {
            Some(text_kv) => qkv.apply_op2_no_bwd(&text_kv.contiguous()?, &op),
            None => qkv.apply_op1_no_bwd(&op),
        };
    }
    plain_attention(qkv, text_kv, heads)
}

/// The same in plain operations, for every device and type.
fn plain_attention(qkv: &Tensor, text_kv: Option<&Tensor>, heads: usize) -> Result<Tensor> {
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
    let weights = candle_nn::ops::softmax(&scores.to_dtype(DType::F32)?, D::Minus1)?;
    let out = weights.to_dtype(qkv.dtype())?.matmul(&v.t()?.contiguous()?)?; // [B * N, T, K]
    out.t()?.contiguous()?.reshape((batch, heads * head, pixels))
}

struct AttentionOp<'a> {
    heads: usize,
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
        let out = attention(values(qkv.0, qkv.1)?, text_kv, shape, self.interrupt)?;
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
        let fast = qkv_attention(&qkv, kv.as_ref(), heads, &Interrupt::new()).unwrap();
        let plain = plain_attention(&qkv, kv.as_ref(), heads).unwrap();
        let worst = (fast - plain).unwrap().abs().unwrap().max_all().unwrap();
        let worst = worst.to_scalar::<f32>().unwrap();
        assert!(worst < 2e-6, "{heads} heads of {head}, {pixels}+{text}: error {worst}");
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
