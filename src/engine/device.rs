//! Where to compute: chosen lazily, tried before use, with the CPU to fall back to.
//!
//! Nothing here runs before the first job does, so that a broken driver can't stop the program.

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

/// Where a request wants to be computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// The fastest that works.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
    /// An Apple GPU.
    Metal,
}

impl DeviceChoice {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Metal => "metal",
        }
    }
}

impl std::str::FromStr for DeviceChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Auto, Self::Cpu, Self::Cuda, Self::Metal]
            .into_iter()
            .find(|choice| choice.name() == name)
            .ok_or_else(|| "the devices are auto, cpu, cuda and metal".to_owned())
    }
}

/// How exactly a request wants to be computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// What suits the device.
    #[default]
    Auto,
    /// 32-bit floats.
    Fp32,
    /// 16-bit floats with 5 bits of exponent.
    Fp16,
    /// 16-bit floats with 8 bits of exponent.
    Bf16,
}

impl Precision {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Bf16 => "bf16",
        }
    }

    /// The type of a network's weights on `device`.
    ///
    /// # Errors
    ///
    /// When half precision is asked for on the CPU, whose kernels are for `f32`.
    pub fn dtype(self, device: &Device) -> Result<DType, DeviceError> {
        let dtype = match self {
            Self::Auto | Self::Fp32 => DType::F32,
            Self::Fp16 => DType::F16,
            Self::Bf16 => DType::BF16,
        };
        if device.is_cpu() && dtype != DType::F32 {
            return Err(DeviceError::Precision { precision: self.name() });
        }
        Ok(dtype)
    }
}

impl std::str::FromStr for Precision {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Auto, Self::Fp32, Self::Fp16, Self::Bf16]
            .into_iter()
            .find(|precision| precision.name() == name)
            .ok_or_else(|| "the precisions are auto, fp32, fp16 and bf16".to_owned())
    }
}

/// Why a device can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The program was built without it.
    #[error(
        "this build of gesso has no {name} support; build it with `--features {name}`, or use --device cpu"
    )]
    NotBuilt {
        /// The device's name.
        name: &'static str,
    },
    /// It is not there or does not work.
    #[error(
        "{name} can't be used: {reason}; use --device cpu, or mend the driver and its libraries"
    )]
    Unusable {
        /// The device's name.
        name: &'static str,
        /// What it said.
        reason: String,
    },
    /// The device can't compute this way.
    #[error("the CPU computes in fp32 only, not {precision}; leave --precision out, or use a GPU")]
    Precision {
        /// The precision's name.
        precision: &'static str,
    },
}

/// Opens the device of a choice, tried with a small computation.
///
/// `Auto` takes the first GPU that works, else the CPU, and says why in the log.
///
/// # Errors
///
/// When a GPU was asked for by name and can't be used.
pub fn open_device(choice: DeviceChoice) -> Result<Device, DeviceError> {
    match choice {
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Cuda => open_cuda(),
        DeviceChoice::Metal => open_metal(),
        DeviceChoice::Auto => {
            for open in [open_cuda, open_metal] {
                match open() {
                    Ok(device) => return Ok(device),
                    Err(DeviceError::NotBuilt { .. }) => {}
                    Err(error) => log::info!("computing on the CPU: {error}"),
                }
            }
            Ok(Device::Cpu)
        }
    }
}

/// The device's name in reports.
#[must_use]
pub fn device_name(device: &Device) -> &'static str {
    if device.is_cuda() {
        "cuda"
    } else if device.is_metal() {
        "metal"
    } else {
        "cpu"
    }
}

/// The name of a weight type in reports.
#[must_use]
pub const fn precision_name(dtype: DType) -> &'static str {
    match dtype {
        DType::F16 => "fp16",
        DType::BF16 => "bf16",
        _ => "fp32",
    }
}

fn open_cuda() -> Result<Device, DeviceError> {
    if cfg!(feature = "cuda") {
        open_guarded("cuda", || Device::new_cuda(0))
    } else {
        Err(DeviceError::NotBuilt { name: "cuda" })
    }
}

fn open_metal() -> Result<Device, DeviceError> {
    if cfg!(feature = "metal") {
        open_guarded("metal", || Device::new_metal(0))
    } else {
        Err(DeviceError::NotBuilt { name: "metal" })
    }
}

/// Opens and tries a device; a library that panics counts as one that can't be used.
///
/// The GPU bindings panic, rather than return an error, when one of the libraries that they open
/// at run time is missing.
fn open_guarded(
    name: &'static str,
    open: impl FnOnce() -> candle_core::Result<Device> + std::panic::UnwindSafe,
) -> Result<Device, DeviceError> {
    let opened = std::panic::catch_unwind(|| {
        let device = open()?;
        try_device(&device)?;
        Ok(device)
    });
    match opened {
        Ok(Ok(device)) => Ok(device),
        Ok(Err(error)) => {
            let error: candle_core::Error = error;
            Err(DeviceError::Unusable { name, reason: one_line(&error.to_string()) })
        }
        Err(panic) => Err(DeviceError::Unusable {
            name,
            reason: one_line(&crate::engine::worker::panic_text(panic.as_ref())),
        }),
    }
}

/// Runs one operation of each library that the networks need, and looks at the result: a driver
/// that is too old fails only at the first kernel.
fn try_device(device: &Device) -> candle_core::Result<()> {
    let x = Tensor::new(&[[1f32, 2.0], [3.0, 4.0]], device)?;
    let product = (x.matmul(&x)? + 1.0)?.to_vec2::<f32>()?;
    let image = Tensor::ones((1, 1, 3, 3), DType::F32, device)?;
    let sum = image.conv2d(&image, 0, 1, 1, 1)?.flatten_all()?.to_vec1::<f32>()?;
    if product == [[8.0, 11.0], [16.0, 23.0]] && sum == [9.0] {
        Ok(())
    } else {
        candle_core::bail!("a trial computation came out wrong")
    }
}

fn one_line(text: &str) -> String {
    let line =
        text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown reason");
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_passes_the_trial() {
        assert!(try_device(&Device::Cpu).is_ok());
        assert!(open_device(DeviceChoice::Cpu).unwrap().is_cpu());
    }

    #[test]
    fn a_library_that_panics_is_an_error_and_not_the_end() {
        let error =
            open_guarded("cuda", || panic!("Unable to dynamically load the \"cuda\" library"));
        let message = error.unwrap_err().to_string();
        assert!(message.contains("Unable to dynamically load"), "{message}");
        assert!(message.contains("--device cpu"), "{message}");
    }

    #[test]
    fn half_precision_on_the_cpu_is_refused_with_a_way_out() {
        assert_eq!(Precision::Auto.dtype(&Device::Cpu), Ok(DType::F32));
        let message = Precision::Bf16.dtype(&Device::Cpu).unwrap_err().to_string();
        assert!(message.contains("bf16") && message.contains("--precision"), "{message}");
    }

    #[test]
    #[cfg(not(any(feature = "cuda", feature = "metal")))]
    fn a_device_that_was_not_built_in_is_named_and_auto_goes_on() {
        assert_eq!(
            open_device(DeviceChoice::Cuda).unwrap_err(),
            DeviceError::NotBuilt { name: "cuda" }
        );
        assert!(open_device(DeviceChoice::Auto).unwrap().is_cpu());
    }
}
