//! Group norm, with the activation and the conditioning that follow it.

use super::conv2d::runs_on_cpu_kernels;
use super::cpu::norm::{Activation, GroupNormArgs, group_norm};
use super::cpu::values;
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};
use candle_nn::VarBuilder;

/// Groups of every norm in GLIDE.
const GROUPS: usize = 32;
/// What keeps the root of the variance from zero.
const EPS: f64 = 1e-5;

/// Group norm over `[B, C, ..]`; it works in f32 whatever the type of its input.
#[derive(Debug)]
pub struct GroupNorm {
    groups: usize,
    weight: Tensor,
    bias: Tensor,
}

impl GroupNorm {
    /// Reads `weight` and `bias`, both `[channels]`, of a norm in 32 groups.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape, or the channels don't divide into 32 groups.
    pub fn new(channels: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        Self::with_groups(GROUPS, channels, vb)
    }

    /// As [`Self::new`], in another number of groups.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape, or the channels don't divide into the groups.
    pub fn with_groups(groups: usize, channels: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        if groups == 0 || !channels.is_multiple_of(groups) {
            candle_core::bail!("{channels} channels do not divide into {groups} groups");
        }
        let vb = vb.clone().set_dtype(DType::F32);
        Ok(Self { groups, weight: vb.get(channels, "weight")?, bias: vb.get(channels, "bias")? })
    }

    /// Normalizes `x`.
    ///
    /// # Errors
    ///
    /// When the channels differ or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.run(x, None, Activation::Identity)
    }

    /// Normalizes `x` and applies SiLU.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn forward_silu(&self, x: &Tensor) -> Result<Tensor> {
        self.run(x, None, Activation::Silu)
    }

    /// `silu(norm(x) * (1 + scale) + shift)`; `scale_shift` `[B, 2 * C]` holds both.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn forward_scale_shift_silu(&self, x: &Tensor, scale_shift: &Tensor) -> Result<Tensor> {
        self.run(x, Some(scale_shift), Activation::Silu)
    }

    fn run(&self, x: &Tensor, scale_shift: Option<&Tensor>, after: Activation) -> Result<Tensor> {
        if runs_on_cpu_kernels(x) {
            let op = NormOp {
                groups: self.groups,
                weight: self.weight.to_vec1()?,
                bias: self.bias.to_vec1()?,
                scale_shift: scale_shift.map(|s| s.flatten_all()?.to_vec1()).transpose()?,
                activation: after,
            };
            return x.contiguous()?.apply_op1_no_bwd(&op);
        }
        let dtype = x.dtype();
        let (batch, channels) = (x.dim(0)?, x.dim(1)?);
        let grouped = x.to_dtype(DType::F32)?.reshape((batch, self.groups, ()))?;
        let centered = grouped.broadcast_sub(&grouped.mean_keepdim(2)?)?;
        let variance = centered.sqr()?.mean_keepdim(2)?;
        let normed = centered.broadcast_div(&(variance + EPS)?.sqrt()?)?;
        let normed = normed.reshape((batch, channels, ()))?;
        let mut y = normed
            .broadcast_mul(&self.weight.reshape((1, channels, 1))?)?
            .broadcast_add(&self.bias.reshape((1, channels, 1))?)?;
        if let Some(scale_shift) = scale_shift {
            let halves = scale_shift.to_dtype(DType::F32)?.reshape((batch, 2, channels, 1))?;
            let scale = (halves.narrow(1, 0, 1)?.squeeze(1)? + 1.0)?;
            y = y.broadcast_mul(&scale)?.broadcast_add(&halves.narrow(1, 1, 1)?.squeeze(1)?)?;
        }
        if after == Activation::Silu {
            y = y.silu()?;
        }
        y.reshape(x.shape())?.to_dtype(dtype)
    }
}

struct NormOp {
    groups: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
    scale_shift: Option<Vec<f32>>,
    activation: Activation,
}

impl CustomOp1 for NormOp {
    fn name(&self) -> &'static str {
        "group_norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let dims = layout.dims();
        if dims[1] != self.weight.len() {
            candle_core::bail!("a norm of {} channels got {dims:?}", self.weight.len());
        }
        let args = GroupNormArgs {
            groups: self.groups,
            eps: EPS,
            weight: &self.weight,
            bias: &self.bias,
            scale_shift: self.scale_shift.as_deref(),
            activation: self.activation,
        };
        let pixels = dims[2..].iter().product();
        let y = group_norm(values(x, layout)?, pixels, &args);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::test_values;
    use candle_core::Device;

    #[test]
    fn the_cpu_kernel_agrees_with_plain_operations() {
        let dev = Device::Cpu;
        let x = Tensor::from_vec(test_values(2 * 64 * 35, 1), (2, 64, 5, 7), &dev).unwrap();
        let norm = GroupNorm {
            groups: GROUPS,
            weight: Tensor::from_vec(test_values(64, 2), 64, &dev).unwrap(),
            bias: Tensor::from_vec(test_values(64, 3), 64, &dev).unwrap(),
        };
        let scale_shift = Tensor::from_vec(test_values(2 * 128, 4), (2, 128), &dev).unwrap();
        let fast = norm.forward_scale_shift_silu(&x, &scale_shift).unwrap();
        // f64 keeps the tensor off the kernels; the plain path then computes in f32.
        let x64 = x.to_dtype(DType::F64).unwrap();
        let plain = norm.forward_scale_shift_silu(&x64, &scale_shift).unwrap();
        let plain = plain.to_dtype(DType::F32).unwrap();
        let worst = (fast - plain).unwrap().abs().unwrap().max_all().unwrap();
        assert!(worst.to_scalar::<f32>().unwrap() < 2e-6);
    }
}
