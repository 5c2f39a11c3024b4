//! Convolutions over pictures.

use super::Interrupt;
use super::cpu::conv::{self, Pictures};
use super::cpu::panel::PackedRows;
use super::cpu::product::{Addends, pointwise};
use super::cpu::values;
use super::cpu::winograd::{self, WinogradWeights};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Result, Shape, Tensor};
use candle_nn::VarBuilder;
use std::sync::{Arc, Mutex, OnceLock};

/// A 3x3 convolution with a border of one zero, stride 1 or 2.
#[derive(Debug)]
pub struct Conv2d {
    weights: Weights,
    stride: usize,
}

/// A 1x1 convolution over `[B, C, H, W]` or `[B, C, T]`.
#[derive(Debug)]
pub struct Pointwise {
    weights: Weights,
}

impl Conv2d {
    /// Reads `weight` `[outputs, inputs, 3, 3]` and `bias` `[outputs]`.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn new(inputs: usize, outputs: usize, stride: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let weight = vb.get((outputs, inputs, 3, 3), "weight")?;
        let bias = vb.get(outputs, "bias")?;
        Ok(Self { weights: Weights::new(weight, bias), stride })
    }

    /// Convolves `x` `[B, I, H, W]` to `[B, O, H, W]` (halved with stride 2).
    ///
    /// # Errors
    ///
    /// When the shape doesn't fit, the device fails, or `interrupt` was raised.
    pub fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        self.run(x, None, interrupt)
    }

    /// Convolves `x` and adds `residual`, which has the result's shape.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn forward_add(
        &self,
        x: &Tensor,
        residual: &Tensor,
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        self.run(x, Some(residual), interrupt)
    }

    fn run(&self, x: &Tensor, residual: Option<&Tensor>, interrupt: &Interrupt) -> Result<Tensor> {
        interrupt.check()?;
        if runs_on_cpu_kernels(x) {
            let kernel = match self.stride {
                1 => Some(Kernel::Square3),
                2 => Some(Kernel::Square3Halving),
                _ => None,
            };
            if let Some(kernel) = kernel {
                return self.weights.apply(kernel, x, residual, interrupt);
            }
        }
        let (weight, bias) = self.weights.tensors()?;
        let y = x.contiguous()?.conv2d(&weight, 1, self.stride, 1, 1)?;
        let y = y.broadcast_add(&bias.reshape((1, (), 1, 1))?)?;
        residual.map_or(Ok(y.clone()), |residual| y + residual)
    }
}

impl Pointwise {
    /// Reads `weight` `[outputs, inputs, 1, ..]` and `bias` `[outputs]`; `dims` is the number of
    /// ones at the end of the weight's shape.
    ///
    /// # Errors
    ///
    /// When a tensor is missing or has another shape.
    pub fn new(inputs: usize, outputs: usize, dims: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let mut shape = vec![outputs, inputs];
        shape.extend(std::iter::repeat_n(1, dims));
        let weight = vb.get(shape, "weight")?;
        let bias = vb.get(outputs, "bias")?;
        Ok(Self { weights: Weights::new(weight, bias) })
    }

    /// Convolves `x` `[B, I, ..]` to `[B, O, ..]`.
    ///
    /// # Errors
    ///
    /// When the shape doesn't fit, the device fails, or `interrupt` was raised.
    pub fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        self.run(x, None, interrupt)
    }

    /// Convolves `x` and adds `residual`, which has the result's shape.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn forward_add(
        &self,
        x: &Tensor,
        residual: &Tensor,
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        self.run(x, Some(residual), interrupt)
    }

    fn run(&self, x: &Tensor, residual: Option<&Tensor>, interrupt: &Interrupt) -> Result<Tensor> {
        interrupt.check()?;
        if runs_on_cpu_kernels(x) {
            return self.weights.apply(Kernel::Pointwise, x, residual, interrupt);
        }
        let (weight, bias) = self.weights.tensors()?;
        let (batch, inputs) = (x.dim(0)?, x.dim(1)?);
        let outputs = weight.dim(0)?;
        let columns = x.contiguous()?.reshape((batch, inputs, ()))?;
        let y = weight.reshape((1, outputs, inputs))?.broadcast_matmul(&columns)?;
        let y = y.broadcast_add(&bias.reshape((1, (), 1))?)?;
        let mut dims = x.dims().to_vec();
        dims[1] = outputs;
        let y = y.reshape(dims)?;
        residual.map_or(Ok(y.clone()), |residual| y + residual)
    }
}

/// Whether the CPU kernels can take this tensor.
pub(crate) fn runs_on_cpu_kernels(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// Weights as they came from the file, or packed for the CPU kernels.
///
/// They are packed at first use and the tensors dropped then, so that the network is in memory once,
/// and a network that is only asked for its shapes costs nothing.
#[derive(Debug)]
struct Weights {
    raw: Mutex<Option<(Tensor, Tensor)>>,
    packed: OnceLock<Arc<Packed>>,
}

#[derive(Debug)]
struct Packed {
    rows: PackedRows,
    winograd: OnceLock<WinogradWeights>,
    bias: Vec<f32>,
}

impl Weights {
    fn new(weight: Tensor, bias: Tensor) -> Self {
        Self { raw: Mutex::new(Some((weight, bias))), packed: OnceLock::new() }
    }

    fn tensors(&self) -> Result<(Tensor, Tensor)> {
        let raw = self.raw.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*raw {
            Some(tensors) => Ok(tensors.clone()),
            None => candle_core::bail!("these weights were packed for f32 on the CPU"),
        }
    }

    fn apply(
        &self,
        kernel: Kernel,
        x: &Tensor,
        residual: Option<&Tensor>,
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        let op = KernelOp { kernel, packed: self.packed()?, interrupt };
        let x = x.contiguous()?;
        match residual {
            Some(residual) => x.apply_op2_no_bwd(&residual.contiguous()?, &op),
            None => x.apply_op1_no_bwd(&op),
        }
    }

    fn packed(&self) -> Result<Arc<Packed>> {
        if let Some(packed) = self.packed.get() {
            return Ok(packed.clone());
        }
        let mut raw = self.raw.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((weight, bias)) = &*raw {
            let rows = weight.dim(0)?;
            let depth = weight.elem_count() / rows;
            let weight = weight.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
            let bias = bias.to_dtype(DType::F32)?.to_vec1::<f32>()?;
            let rows = PackedRows::new(&weight, rows, depth);
            let packed = Packed { rows, winograd: OnceLock::new(), bias };
            self.packed.get_or_init(|| Arc::new(packed));
        }
        *raw = None;
        match self.packed.get() {
            Some(packed) => Ok(packed.clone()),
            None => candle_core::bail!("weights are neither packed nor raw"),
        }
    }
}

/// Which convolution a [`KernelOp`] does.
#[derive(Clone, Copy)]
enum Kernel {
    /// 3x3 with a border of one zero.
    Square3,
    /// The same with stride 2.
    Square3Halving,
    /// 1x1.
    Pointwise,
}

/// A convolution by the CPU kernels, alone or with a residual added.
struct KernelOp<'a> {
    kernel: Kernel,
    packed: Arc<Packed>,
    interrupt: &'a Interrupt,
}

impl KernelOp<'_> {
    fn run(
        &self,
        x: (&CpuStorage, &Layout),
        residual: Option<(&CpuStorage, &Layout)>,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = x.1.shape();
        let Packed { rows, winograd, bias } = &*self.packed;
        let taps = match self.kernel {
            Kernel::Square3 | Kernel::Square3Halving => 9,
            Kernel::Pointwise => 1,
        };
        let mut dims = shape.dims().to_vec();
        if dims.len() < 2 || rows.depth != dims[1] * taps {
            candle_core::bail!("a convolution of {} channels got {shape:?}", rows.depth / taps);
        }
        let x = values(x.0, x.1)?;
        let residual = residual.map(|(storage, layout)| values(storage, layout)).transpose()?;
        if matches!(self.kernel, Kernel::Square3Halving) {
            dims[2..].iter_mut().for_each(|side| *side = side.div_ceil(2));
        }
        let elements = dims[0] * rows.rows * dims[2..].iter().product::<usize>();
        if residual.is_some_and(|residual| residual.len() != elements) {
            candle_core::bail!("what is added to a convolution must have its result's shape");
        }
        let addends = Addends { bias: Some(bias), column_bias: None, residual };
        let y = match self.kernel {
            Kernel::Pointwise => {
                let columns = dims[2..].iter().product();
                pointwise(rows, x, dims[0], columns, addends, self.interrupt)?
            }
            Kernel::Square3Halving => {
                let (count, channels, height, width) = shape.dims4()?;
                let pictures = Pictures { count, channels, height, width };
                conv::conv3x3_halving(rows, x, pictures, addends, self.interrupt)?
            }
            Kernel::Square3 => {
                let (count, channels, height, width) = shape.dims4()?;
                let pictures = Pictures { count, channels, height, width };
                if winograd::pays(channels, rows.rows, height, width) {
                    let weights = winograd.get_or_init(|| WinogradWeights::new(rows));
                    winograd::conv3x3(weights, x, pictures, addends, self.interrupt)?
                } else {
                    conv::conv3x3(rows, x, pictures, addends, self.interrupt)?
                }
            }
        };
        dims[1] = rows.rows;
        Ok((CpuStorage::F32(y), Shape::from(dims)))
    }
}

impl CustomOp1 for KernelOp<'_> {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.run((x, layout), None)
    }
}

impl CustomOp2 for KernelOp<'_> {
    fn name(&self) -> &'static str {
        "convolution_add"
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::test_values;
    use candle_core::Device;

    fn tensor(dims: &[usize], seed: u64) -> Tensor {
        let count = dims.iter().product();
        Tensor::from_vec(test_values(count, seed), dims, &Device::Cpu).unwrap()
    }

    /// Both forms against candle's own convolution in f64.
    fn check(batch: usize, inputs: usize, outputs: usize, height: usize, width: usize) {
        let x = tensor(&[batch, inputs, height, width], 1);
        let weight = tensor(&[outputs, inputs, 3, 3], 2);
        let bias = tensor(&[outputs], 3);
        let residual = tensor(&[batch, outputs, height, width], 4);
        let double = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
        let expected = double(&x).conv2d(&double(&weight), 1, 1, 1, 1).unwrap();
        let expected = expected.broadcast_add(&double(&bias).reshape((1, (), 1, 1)).unwrap());
        let expected = (expected.unwrap() + double(&residual)).unwrap();
        let layer = Conv2d { weights: Weights::new(weight, bias), stride: 1 };
        let packed = layer.weights.packed().unwrap();
        let interrupt = Interrupt::new();
        let fast = layer.forward_add(&x, &residual, &interrupt).unwrap();
        let direct_bound = if winograd::pays(inputs, outputs, height, width) { 5e-5 } else { 4e-6 };
        let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let pictures = Pictures { count: batch, channels: inputs, height, width };
        let (bias, residual) = (&packed.bias, values(&residual));
        let addends = Addends { bias: Some(bias), column_bias: None, residual: Some(&residual) };
        let winograd = WinogradWeights::new(&packed.rows);
        let winograd = winograd::conv3x3(&winograd, &values(&x), pictures, addends, &interrupt);
        let expected = expected.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let scale = (inputs as f64 * 9.0).sqrt() / 3.0;
        for (name, result, bound) in
            [("chosen", values(&fast), direct_bound), ("winograd", winograd.unwrap(), 5e-5)]
        {
            let worst = result
                .iter()
                .zip(&expected)
                .map(|(a, b)| (f64::from(*a) - b).abs() / scale)
                .fold(0.0, f64::max);
            assert!(worst < bound, "{name} {inputs}x{height}x{width}: error {worst}");
        }
    }

    #[test]
    fn convolutions_agree_with_the_plain_form_at_every_extent() {
        check(2, 5, 7, 16, 16);
        check(1, 8, 8, 8, 8);
        check(3, 4, 13, 4, 4);
        check(1, 3, 6, 1, 1);
        check(1, 3, 6, 5, 3);
        check(2, 32, 20, 9, 40);
        check(1, 64, 64, 32, 32);
        check(1, 70, 33, 27, 50);
        check(1, 64, 32, 48, 136);
    }

    #[test]
    fn halving_convolutions_agree_with_the_plain_form_at_every_extent() {
        let sizes =
            [(1, 1, 1), (3, 5, 3), (4, 4, 6), (8, 16, 16), (5, 9, 40), (32, 33, 64), (3, 2, 1)];
        for (inputs, height, width) in sizes {
            let x = tensor(&[2, inputs, height, width], 1);
            let (weight, bias) = (tensor(&[7, inputs, 3, 3], 2), tensor(&[7], 3));
            let double = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
            let expected = double(&x).conv2d(&double(&weight), 1, 2, 1, 1).unwrap();
            let bias_rows = double(&bias).reshape((1, (), 1, 1)).unwrap();
            let expected = expected.broadcast_add(&bias_rows).unwrap();
            let residual = tensor(expected.dims(), 4);
            let expected = (expected + double(&residual)).unwrap();
            let layer = Conv2d { weights: Weights::new(weight, bias), stride: 2 };
            let found = layer.forward_add(&x, &residual, &Interrupt::new()).unwrap();
            assert_eq!(found.dims(), expected.dims());
            let worst = (double(&found) - expected).unwrap().abs().unwrap().max_all().unwrap();
            let worst = worst.to_scalar::<f64>().unwrap() / (inputs as f64).sqrt();
            assert!(worst < 4e-6, "{inputs}x{height}x{width}: error {worst}");
        }
    }

    #[test]
    fn pointwise_agrees_with_a_matrix_product_at_every_length() {
        for columns in [1, 3, 16, 17, 64, 100, 1024] {
            let x = tensor(&[2, 10, columns], 5);
            let weight = tensor(&[9, 10, 1], 6);
            let bias = tensor(&[9], 7);
            let expected = weight.reshape((1, 9, 10)).unwrap().broadcast_matmul(&x).unwrap();
            let expected = expected.broadcast_add(&bias.reshape((1, 9, 1)).unwrap()).unwrap();
            let layer = Pointwise { weights: Weights::new(weight, bias) };
            let result = layer.forward(&x, &Interrupt::new()).unwrap();
            let worst = (result - expected).unwrap().abs().unwrap().max_all().unwrap();
            assert!(worst.to_scalar::<f32>().unwrap() < 1e-5);
        }
    }

    #[test]
    fn a_picture_of_a_batch_is_the_picture_alone_bit_for_bit() {
        for (channels, side) in [(64, 32), (32, 16), (48, 8)] {
            let x = tensor(&[3, channels, side, side], 8);
            let weights = Weights::new(tensor(&[40, channels, 3, 3], 9), tensor(&[40], 10));
            let layer = Conv2d { weights, stride: 1 };
            let all = layer.forward(&x, &Interrupt::new()).unwrap();
            let one = layer.forward(&x.narrow(0, 1, 1).unwrap(), &Interrupt::new()).unwrap();
            let all = all.narrow(0, 1, 1).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(all, one.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        }
    }

    #[test]
    fn a_raised_interrupt_ends_a_convolution() {
        let x = tensor(&[1, 4, 16, 16], 1);
        let weights = Weights::new(tensor(&[4, 4, 3, 3], 2), tensor(&[4], 3));
        let layer = Conv2d { weights, stride: 1 };
        let interrupt = Interrupt::new();
        interrupt.raise();
        assert!(layer.forward(&x, &interrupt).is_err());
    }
}
