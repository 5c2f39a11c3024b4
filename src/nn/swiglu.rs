//! The gate of a feed-forward layer.

use super::conv2d::runs_on_cpu_kernels;
use super::cpu::math::silu;
use super::cpu::values;
use candle_core::{CpuStorage, CustomOp1, D, Layout, Result, Shape, Tensor};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// `silu(gate) * up` for `x` `[.., 2 * I]` that holds `gate` and then `up`, as `[.., I]`.
///
/// Source: GLU variants (arXiv 2002.05202), section 2. For inference: it has no gradient.
///
/// # Errors
///
/// When the last axis is odd or the device fails.
pub fn swiglu(x: &Tensor) -> Result<Tensor> {
    let both = x.dim(D::Minus1)?;
    if !both.is_multiple_of(2) {
        candle_core::bail!("{both} channels do not divide into a gate and what passes it");
    }
    if runs_on_cpu_kernels(x) {
        return x.contiguous()?.apply_op1_no_bwd(&SwigluOp);
    }
    let gate = x.narrow(D::Minus1, 0, both / 2)?.silu()?;
    gate * x.narrow(D::Minus1, both / 2, both / 2)?
}

struct SwigluOp;

impl CustomOp1 for SwigluOp {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut dims = layout.dims().to_vec();
        let both = dims.last().copied().unwrap_or(0);
        let half = both / 2;
        if let Some(last) = dims.last_mut() {
            *last = half;
        }
        let shape = Shape::from(dims);
        let mut out = vec![0.0; shape.elem_count()];
        if half > 0 {
            let rows =
                out.par_chunks_exact_mut(half).zip(values(x, layout)?.par_chunks_exact(both));
            rows.for_each(|(out, row)| {
                let (gate, up) = row.split_at(half);
                Arch::new().dispatch(Row { gate, up, out });
            });
        }
        Ok((CpuStorage::F32(out), shape))
    }
}

struct Row<'a, 'o> {
    gate: &'a [f32],
    up: &'a [f32],
    out: &'o mut [f32],
}

impl WithSimd for Row<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for ((out, &gate), &up) in self.out.iter_mut().zip(self.gate).zip(self.up) {
            *out = silu(gate) * up;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::test_values;
    use candle_core::Device;

    #[test]
    fn the_first_half_opens_the_second() {
        let x = test_values(3 * 2 * 21, 1);
        let found = Tensor::from_vec(x.clone(), (3, 42), &Device::Cpu).unwrap();
        let found = swiglu(&found).unwrap().to_vec2::<f32>().unwrap();
        for (row, found) in x.chunks_exact(42).zip(found) {
            for (i, found) in found.into_iter().enumerate() {
                let (gate, up) = (f64::from(row[i]), f64::from(row[21 + i]));
                assert!((f64::from(found) - gate / (1.0 + (-gate).exp()) * up).abs() < 1e-6);
            }
        }
        assert!(
            swiglu(&Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap()).is_err()
        );
    }
}
