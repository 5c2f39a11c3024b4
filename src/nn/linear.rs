//! Linear layers and norms over the last axis.

use candle_core::{D, DType, Result, Tensor};
use candle_nn::VarBuilder;

/// `y = x W^T + b` over the last axis.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// Reads `weight` `[outputs, inputs]` and `bias` `[outputs]`.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn new(inputs: usize, outputs: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let weight = vb.get((outputs, inputs), "weight")?;
        Ok(Self { weight, bias: Some(vb.get(outputs, "bias")?) })
    }

    /// Reads `weight` `[outputs, inputs]` of a layer without bias.
    ///
    /// # Errors
    ///
    /// When the tensor is missing or has another shape.
    pub fn without_bias(inputs: usize, outputs: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self { weight: vb.get((outputs, inputs), "weight")?, bias: None })
    }

    /// A layer from its parameters: `weight` `[outputs, inputs]`, `bias` `[outputs]`.
    #[must_use]
    pub fn from_tensors(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// Maps `x` `[.., I]` to `[.., O]`, in the type of the weights; the result has `x`'s type.
    ///
    /// # Errors
    ///
    /// When the shape doesn't fit or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (outputs, inputs) = self.weight.dims2()?;
        let mut dims = x.dims().to_vec();
        // One matrix product however many axes there are: candle loops over a batch otherwise.
        let rows = x.to_dtype(self.weight.dtype())?.contiguous()?.reshape(((), inputs))?;
        let mut y = rows.matmul(&self.weight.t()?)?;
        if let Some(bias) = &self.bias {
            y = y.broadcast_add(bias)?;
        }
        if let Some(last) = dims.last_mut() {
            *last = outputs;
        }
        y.reshape(dims)?.to_dtype(x.dtype())
    }
}

/// Layer norm over the last axis, eps 1e-5, in f32 whatever the type of its input.
#[derive(Debug)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
}

impl LayerNorm {
    /// Reads the gain and the bias, `[width]` each, under the names given.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn new(width: usize, names: [&str; 2], vb: &VarBuilder<'_>) -> Result<Self> {
        let vb = vb.clone().set_dtype(DType::F32);
        Ok(Self { weight: vb.get(width, names[0])?, bias: vb.get(width, names[1])? })
    }

    /// Normalizes `x` `[.., width]`.
    ///
    /// Built from plain operations: candle's fused norm has no gradient, and says nothing about it.
    ///
    /// # Errors
    ///
    /// When the width differs or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let dtype = x.dtype();
        let x = x.to_dtype(DType::F32)?;
        let width = x.dim(D::Minus1)? as f64;
        let centered = x.broadcast_sub(&(x.sum_keepdim(D::Minus1)? / width)?)?;
        let variance = (centered.sqr()?.sum_keepdim(D::Minus1)? / width)?;
        centered
            .broadcast_div(&(variance + 1e-5)?.sqrt()?)?
            .broadcast_mul(&self.weight)?
            .broadcast_add(&self.bias)?
            .to_dtype(dtype)
    }
}

/// The exact (erf) form of GELU.
///
/// # Errors
///
/// When the device fails.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    x.gelu_erf()
}
