//! Root-mean-square norm over the last axis.

use candle_core::{DType, Result, Tensor};
use candle_nn::VarBuilder;

/// `x / rms(x) * weight`, in f32 whatever the type of its input.
///
/// For inference: candle's fused operation behind it has no gradient.
#[derive(Debug)]
pub struct RmsNorm {
    weight: Tensor,
    eps: f64,
}

impl RmsNorm {
    /// Reads `weight` `[width]`; `eps` keeps the root from zero.
    ///
    /// # Errors
    ///
    /// When the tensor is missing or has another shape.
    pub fn new(width: usize, eps: f64, vb: &VarBuilder<'_>) -> Result<Self> {
        let weight = vb.clone().set_dtype(DType::F32).get(width, "weight")?;
        Ok(Self { weight, eps })
    }

    /// Normalizes `x` `[.., width]`.
    ///
    /// # Errors
    ///
    /// When the width differs or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = x.to_dtype(DType::F32)?.contiguous()?;
        candle_nn::ops::rms_norm(&y, &self.weight, self.eps as f32)?.to_dtype(x.dtype())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::test_values;
    use candle_core::Device;

    #[test]
    fn a_row_is_divided_by_its_root_mean_square() {
        let (rows, width) = (5, 24);
        let x = test_values(rows * width, 1);
        let weight = test_values(width, 2);
        let norm = RmsNorm {
            weight: Tensor::from_vec(weight.clone(), width, &Device::Cpu).unwrap(),
            eps: 1e-5,
        };
        let found = Tensor::from_vec(x.clone(), (rows, width), &Device::Cpu).unwrap();
        let found = norm.forward(&found).unwrap().to_vec2::<f32>().unwrap();
        for (row, found) in x.chunks_exact(width).zip(found) {
            let square: f64 = row.iter().map(|&x| f64::from(x).powi(2)).sum();
            let root = (square / width as f64 + 1e-5).sqrt();
            for ((&x, &weight), found) in row.iter().zip(&weight).zip(found) {
                let expected = f64::from(x) / root * f64::from(weight);
                assert!((f64::from(found) - expected).abs() < 1e-6);
            }
        }
    }
}
