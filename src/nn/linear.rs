//! Linear layers and norms over the last axis.

use super::conv2d::runs_on_cpu_kernels;
use super::cpu::product::{Addends, PackedColumns, linear};
use super::cpu::values;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, DType, Layout, Result, Shape, Tensor};
use candle_nn::VarBuilder;
use std::sync::{Arc, Mutex, OnceLock};

/// `y = x W^T + b` over the last axis, for inference.
#[derive(Debug)]
pub struct Linear {
    /// As they came from the file, the layers of a stack one by one. They are stacked, or packed for
    /// the CPU, at first use and dropped then, so that they are in memory once and a network that
    /// is only asked for its shapes costs nothing.
    raw: Mutex<Vec<Affine>>,
    packed: OnceLock<Arc<Packed>>,
}

#[derive(Debug)]
struct Packed {
    columns: PackedColumns,
    bias: Option<Vec<f32>>,
}

impl Linear {
    /// Reads `weight` `[outputs, inputs]` and `bias` `[outputs]`.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn new(inputs: usize, outputs: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let weight = vb.get((outputs, inputs), "weight")?;
        Ok(Self::from_tensors(weight, Some(vb.get(outputs, "bias")?)))
    }

    /// Reads `weight` `[outputs, inputs]` of a layer without bias.
    ///
    /// # Errors
    ///
    /// When the tensor is missing or has another shape.
    pub fn without_bias(inputs: usize, outputs: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self::from_tensors(vb.get((outputs, inputs), "weight")?, None))
    }

    /// Several layers of the same input as one, whose outputs follow each other.
    #[must_use]
    pub fn stacked(layers: Vec<Self>) -> Self {
        let raw = layers.into_iter().flat_map(|layer| {
            layer.raw.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
        });
        Self { raw: Mutex::new(raw.collect()), packed: OnceLock::new() }
    }

    fn from_tensors(weight: Tensor, bias: Option<Tensor>) -> Self {
        let raw = Mutex::new(vec![Affine::from_tensors(weight, bias)]);
        Self { raw, packed: OnceLock::new() }
    }

    /// Maps `x` `[.., I]` to `[.., O]`, in the type of the weights; the result has `x`'s type.
    ///
    /// # Errors
    ///
    /// When the shape doesn't fit or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if runs_on_cpu_kernels(x) {
            return x.contiguous()?.apply_op1_no_bwd(&LinearOp(self.packed()?));
        }
        self.affine()?.forward(x)
    }

    /// Maps `x` and adds `residual`, which has the result's shape.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn forward_add(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        if runs_on_cpu_kernels(x) {
            let op = LinearOp(self.packed()?);
            return x.contiguous()?.apply_op2_no_bwd(&residual.contiguous()?, &op);
        }
        self.affine()?.forward(x)? + residual
    }

    fn affine(&self) -> Result<Affine> {
        let mut raw = self.raw.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if raw.len() > 1 {
            *raw = vec![Affine::stacked(&raw)?];
        }
        match raw.first() {
            Some(affine) => Ok(affine.clone()),
            None => candle_core::bail!("these weights were packed for f32 on the CPU"),
        }
    }

    fn packed(&self) -> Result<Arc<Packed>> {
        if let Some(packed) = self.packed.get() {
            return Ok(packed.clone());
        }
        let mut raw = self.raw.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !raw.is_empty() {
            let Affine { weight, bias } = Affine::stacked(&raw)?;
            let (outputs, depth) = weight.dims2()?;
            let weight = weight.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
            let columns = PackedColumns::new(&weight, outputs, depth);
            let bias = bias.as_ref().map(|bias| bias.to_dtype(DType::F32)?.to_vec1::<f32>());
            let bias = bias.transpose()?;
            self.packed.get_or_init(|| Arc::new(Packed { columns, bias }));
        }
        raw.clear();
        match self.packed.get() {
            Some(packed) => Ok(packed.clone()),
            None => candle_core::bail!("weights are neither packed nor raw"),
        }
    }
}

/// A linear layer by the CPU kernel, alone or with a residual added.
struct LinearOp(Arc<Packed>);

impl LinearOp {
    fn run(
        &self,
        x: (&CpuStorage, &Layout),
        residual: Option<(&CpuStorage, &Layout)>,
    ) -> Result<(CpuStorage, Shape)> {
        let Packed { columns, bias } = &*self.0;
        let mut dims = x.1.dims().to_vec();
        match dims.last_mut() {
            Some(last) if *last == columns.depth => *last = columns.outputs,
            _ => candle_core::bail!("a layer of {} inputs got {dims:?}", columns.depth),
        }
        let shape = Shape::from(dims);
        let residual = residual.map(|(storage, layout)| values(storage, layout)).transpose()?;
        if residual.is_some_and(|residual| residual.len() != shape.elem_count()) {
            candle_core::bail!("what is added to a linear layer must have its result's shape");
        }
        let addends = Addends { bias: None, column_bias: bias.as_deref(), residual };
        Ok((CpuStorage::F32(linear(columns, values(x.0, x.1)?, addends)), shape))
    }
}

impl CustomOp1 for LinearOp {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.run((x, layout), None)
    }
}

impl CustomOp2 for LinearOp {
    fn name(&self) -> &'static str {
        "linear_add"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.run((x, layout), Some((residual, residual_layout)))
    }
}

/// `y = x W^T + b` over the last axis in plain operations, through which gradients flow.
#[derive(Clone, Debug)]
pub struct Affine {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Affine {
    /// A layer from its parameters: `weight` `[outputs, inputs]`, `bias` `[outputs]`.
    #[must_use]
    pub fn from_tensors(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    fn stacked(layers: &[Self]) -> Result<Self> {
        let weights: Vec<&Tensor> = layers.iter().map(|layer| &layer.weight).collect();
        let biases: Vec<&Tensor> = layers.iter().filter_map(|layer| layer.bias.as_ref()).collect();
        let bias = match biases.len() {
            0 => None,
            count if count == layers.len() => Some(Tensor::cat(&biases, 0)?),
            _ => candle_core::bail!("layers with and without bias do not stack"),
        };
        Ok(Self { weight: Tensor::cat(&weights, 0)?, bias })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::test_values;
    use candle_core::Device;

    fn tensor(dims: &[usize], seed: u64) -> Tensor {
        let count = dims.iter().product();
        Tensor::from_vec(test_values(count, seed), dims, &Device::Cpu).unwrap()
    }

    fn farthest(a: &Tensor, b: &Tensor) -> f32 {
        assert_eq!(a.dims(), b.dims());
        (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
    }

    #[test]
    fn the_cpu_kernel_agrees_with_plain_operations() {
        for (rows, inputs, outputs) in
            [(1, 1, 1), (1, 24, 100), (5, 40, 63), (13, 96, 64), (272, 32, 65), (96, 16, 384)]
        {
            let x = tensor(&[rows, inputs], 1);
            for bias in [None, Some(tensor(&[outputs], 2))] {
                let plain = Affine::from_tensors(tensor(&[outputs, inputs], 3), bias);
                let fast = Linear::from_tensors(plain.weight.clone(), plain.bias.clone());
                let expected = plain.forward(&x).unwrap();
                let far = farthest(&fast.forward(&x).unwrap(), &expected);
                assert!(far < 1e-5, "{rows} rows, {inputs} to {outputs}: {far}");
                let residual = tensor(&[rows, outputs], 4);
                let added = fast.forward_add(&x, &residual).unwrap();
                let far = farthest(&added, &(expected + residual).unwrap());
                assert!(far < 1e-5, "{rows} rows, {inputs} to {outputs}, added: {far}");
            }
        }
    }

    #[test]
    fn a_row_is_the_same_alone_and_among_others() {
        let layer = Linear::from_tensors(tensor(&[70, 30], 1), None);
        let x = tensor(&[2, 9, 30], 2);
        let all = layer.forward(&x).unwrap();
        let one = layer.forward(&x.narrow(1, 7, 1).unwrap()).unwrap();
        assert!(farthest(&one, &all.narrow(1, 7, 1).unwrap()) == 0.0);
    }

    #[test]
    fn stacked_layers_give_their_outputs_one_after_the_other() {
        let layer = |outputs, seed| Linear::from_tensors(tensor(&[outputs, 12], seed), None);
        let x = tensor(&[3, 12], 9);
        let each = [layer(5, 1), layer(70, 2)].map(|layer| layer.forward(&x).unwrap());
        let both = Linear::stacked(vec![layer(5, 1), layer(70, 2)]);
        let both = both.forward(&x).unwrap();
        assert_eq!(farthest(&both, &Tensor::cat(&each, 1).unwrap()), 0.0);
        let biased = Linear::from_tensors(tensor(&[5, 12], 1), Some(tensor(&[5], 2)));
        assert!(Linear::stacked(vec![biased, layer(5, 1)]).forward(&x).is_err());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let layer = Linear::from_tensors(tensor(&[5, 12], 1), None);
        assert!(layer.forward(&tensor(&[2, 11], 1)).is_err());
        assert!(layer.forward_add(&tensor(&[2, 12], 1), &tensor(&[1, 5], 1)).is_err());
    }
}
