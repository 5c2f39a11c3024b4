//! Rotary positions: places in a sequence as angles by which queries and keys are turned.

use super::conv2d::runs_on_cpu_kernels;
use super::cpu::rotary::{HeadsShape, split_heads};
use super::cpu::values;
use candle_core::{CpuStorage, CustomOp3, DType, Device, Layout, Result, Shape, Tensor};

/// The angles of a stretch of a sequence.
///
/// Halves are rotated as in Llama: channel i turns together with channel i + K/2.
///
/// Source: `RoFormer` (arXiv 2104.09864), section 3.2.2. For inference: candle's fused operation
/// behind it has no gradient.
#[derive(Debug)]
pub struct Rotary {
    /// `[T, K / 2]`.
    cos: Tensor,
    sin: Tensor,
}

impl Rotary {
    /// The angles of the places `first..first + count` for heads of `head` channels.
    ///
    /// # Errors
    ///
    /// When `head` is odd or the device is out of memory.
    pub fn new(
        first: usize,
        count: usize,
        head: usize,
        theta: f64,
        device: &Device,
    ) -> Result<Self> {
        if !head.is_multiple_of(2) {
            candle_core::bail!("rotary positions need heads of even size, not of {head} channels");
        }
        let half = head / 2;
        // In f64: in f32 the angles of the quickest channels are off by 6e-5 after 1000 places.
        let angles = (first..first + count).flat_map(|place| {
            (0..half).map(move |i| place as f64 * theta.powf(-2.0 * i as f64 / head as f64))
        });
        let (cos, sin): (Vec<f32>, Vec<f32>) =
            angles.map(|angle| (angle.cos() as f32, angle.sin() as f32)).unzip();
        Ok(Self {
            cos: Tensor::from_vec(cos, (count, half), device)?,
            sin: Tensor::from_vec(sin, (count, half), device)?,
        })
    }

    /// Turns `x` `[B, N, T, K]`, in f32 whatever its type.
    ///
    /// # Errors
    ///
    /// When the shape doesn't fit or the device fails.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let y = x.to_dtype(DType::F32)?.contiguous()?;
        candle_nn::rotary_emb::rope(&y, &self.cos, &self.sin)?.to_dtype(x.dtype())
    }

    /// Queries, keys and values `[B, T, 3 * N * K]`, one after the other, as
    /// [`super::qkv_attention`] takes them: `[B, N * 3 * K, T]`, `[head][q, k, v][channel]`, with
    /// queries and keys turned.
    ///
    /// # Errors
    ///
    /// When the shape doesn't fit or the device fails.
    pub fn split_heads(&self, qkv: &Tensor, heads: usize) -> Result<Tensor> {
        let (batch, places, width) = qkv.dims3()?;
        let (count, half) = self.cos.dims2()?;
        if places != count || width != 3 * heads * 2 * half {
            candle_core::bail!(
                "{:?} are not queries, keys and values of {heads} heads of {} channels at {count} \
                 places",
                qkv.dims(),
                2 * half
            );
        }
        if runs_on_cpu_kernels(qkv) {
            let op = SplitHeads { heads };
            return qkv.contiguous()?.apply_op3_no_bwd(&self.cos, &self.sin, &op);
        }
        let parts = qkv.reshape((batch, places, 3, heads, 2 * half))?;
        let part = |i| parts.narrow(2, i, 1)?.squeeze(2)?.transpose(1, 2); // [B, N, T, K]
        let turned = [self.apply(&part(0)?)?, self.apply(&part(1)?)?, part(2)?];
        Tensor::stack(&turned, 2)?.transpose(3, 4)?.reshape((batch, width, places))
    }
}

struct SplitHeads {
    heads: usize,
}

impl CustomOp3 for SplitHeads {
    fn name(&self) -> &'static str {
        "split_heads"
    }

    fn cpu_fwd(
        &self,
        qkv: &CpuStorage,
        layout: &Layout,
        cos: &CpuStorage,
        cos_layout: &Layout,
        sin: &CpuStorage,
        sin_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, places, width) = layout.shape().dims3()?;
        let shape = HeadsShape { heads: self.heads, head: width / 3 / self.heads, places };
        let angles = (values(cos, cos_layout)?, values(sin, sin_layout)?);
        let out = split_heads(values(qkv, layout)?, angles, shape);
        Ok((CpuStorage::F32(out), Shape::from((batch, width, places))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::test_values;

    #[test]
    fn products_depend_on_the_distance_of_places_only() {
        let head = 8;
        let row = |seed| {
            Tensor::from_vec(test_values(head, seed), (1, 1, 1, head), &Device::Cpu).unwrap()
        };
        let (q, k) = (row(1), row(2));
        let product = |query: usize, key: usize| {
            let at = |place| Rotary::new(place, 1, head, 10000.0, &Device::Cpu).unwrap();
            let q = at(query).apply(&q).unwrap();
            let k = at(key).apply(&k).unwrap();
            (q * k).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()
        };
        assert!((product(3, 1) - product(703, 701)).abs() < 1e-5);
        assert!((product(3, 1) - product(3, 2)).abs() > 1e-3);
        assert!(Rotary::new(0, 1, 7, 10000.0, &Device::Cpu).is_err());
    }

    #[test]
    fn the_first_half_turns_with_the_second() {
        let x = Tensor::new(&[[[[1.0_f32, 0.0, 0.0, 0.0]]]], &Device::Cpu).unwrap();
        let turned = Rotary::new(1, 1, 4, 10000.0, &Device::Cpu).unwrap().apply(&x).unwrap();
        let turned = turned.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let expected = [1.0_f32.cos(), 0.0, 1.0_f32.sin(), 0.0];
        assert!(turned.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{turned:?}");
    }

    #[test]
    fn split_heads_are_those_of_plain_operations() {
        let (batch, places, heads, head) = (2, 37, 3, 10);
        let rotary = Rotary::new(5, places, head, 10000.0, &Device::Cpu).unwrap();
        let count = batch * places * 3 * heads * head;
        let dims = (batch, places, 3 * heads * head);
        let qkv = Tensor::from_vec(test_values(count, 1), dims, &Device::Cpu).unwrap();
        let found = rotary.split_heads(&qkv, heads).unwrap();
        let found = found.reshape((batch, heads, 3, head, places)).unwrap();
        for part in 0..3 {
            let own = qkv.narrow(2, part * heads * head, heads * head).unwrap();
            let own = own.reshape((batch, places, heads, head)).unwrap().transpose(1, 2).unwrap();
            let own = if part == 2 { own } else { rotary.apply(&own).unwrap() };
            let found = found.narrow(2, part, 1).unwrap().squeeze(2).unwrap();
            let far = (found - own.transpose(2, 3).unwrap()).unwrap().abs().unwrap();
            assert!(far.max_all().unwrap().to_scalar::<f32>().unwrap() < 1e-6, "part {part}");
        }
        assert!(rotary.split_heads(&qkv, 2).is_err());
    }
}
