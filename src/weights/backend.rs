//! Checkpoints as the source of a network's parameters.

use candle_core::{DType, Device, Error, Result, Shape, Tensor};
use candle_nn::var_builder::{SimpleBackend, VarBuilder};

use crate::weights::checkpoint::Checkpoint;

impl Checkpoint {
    /// The source from which a network takes its parameters, in `dtype` on `device`.
    ///
    /// Each tensor is read when the network asks for it; the file stays open as long as the
    /// builder lives. An error names the tensor with its expected and found shape.
    #[must_use]
    pub fn var_builder(&self, dtype: DType, device: &Device) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(Backend(self.clone())), dtype, device.clone())
    }

    /// Reads one tensor to a device.
    ///
    /// # Errors
    ///
    /// When there is no such tensor, the file can't be read, or the device is out of memory.
    pub fn tensor(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        let shape = self.shape(name).ok_or_else(|| {
            Error::CannotFindTensor { path: format!("{name} in {}", self.path().display()) }.bt()
        })?;
        let halves =
            if dtype == DType::F16 { self.load_f16(name).map_err(Error::wrap)? } else { None };
        let tensor = if let Some(halves) = halves {
            Tensor::from_vec(halves, shape, &Device::Cpu)?
        } else {
            let values = self.load_f32(name).map_err(Error::wrap)?;
            Tensor::from_vec(values, shape, &Device::Cpu)?
        };
        // Converted before it is moved: half the bytes cross over to the device.
        tensor.to_dtype(dtype)?.to_device(device)
    }
}

struct Backend(Checkpoint);

impl SimpleBackend for Backend {
    fn get(
        &self,
        expected: Shape,
        name: &str,
        _init: candle_nn::Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        if let Some(found) = self.0.shape(name)
            && found != expected.dims()
        {
            let msg = format!("tensor {name} of {}", self.0.path().display());
            let got = Shape::from_dims(found);
            return Err(Error::UnexpectedShape { msg, expected, got }.bt());
        }
        self.0.tensor(name, dtype, device)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        self.0.tensor(name, dtype, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.0.shape(name).is_some()
    }
}
