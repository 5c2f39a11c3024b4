//! What parameters a network has, and whether a checkpoint holds exactly these.
//!
//! Names and shapes are never listed by hand: a network is built on weights that note what it asks
//! for.

use candle_core::{DType, Device, Result, Shape, Tensor};
use candle_nn::VarBuilder;
use candle_nn::var_builder::SimpleBackend;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

/// Names with shapes, as a file lists them.
pub type Shapes = [(String, Vec<usize>)];

/// Why a checkpoint is not the network that its config describes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// The config can't be read, or no network can have it.
    #[error("the config of the {network} can't be used: {why}")]
    Config {
        /// Which network.
        network: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Parameters are absent.
    #[error(
        "it lacks {}, which the {network} of its config needs; the file is incomplete or was changed, get another copy",
        listed(missing)
    )]
    Missing {
        /// Which network.
        network: &'static str,
        /// The names.
        missing: Vec<String>,
    },
    /// There are parameters that the network doesn't have.
    #[error(
        "it holds {}, which the {network} of its config does not have; is it the config of this file?",
        listed(unexpected)
    )]
    Unexpected {
        /// Which network.
        network: &'static str,
        /// The names.
        unexpected: Vec<String>,
    },
    /// A parameter has another shape.
    #[error("its {key} has the shape {found:?} where the {network} of its config needs {expected:?}{}; is it the config of this file?", more(*others))]
    Shape {
        /// Which network.
        network: &'static str,
        /// The parameter.
        key: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The shape that the config asks for.
        expected: Vec<usize>,
        /// How many other parameters differ as well.
        others: usize,
    },
}

impl ParameterError {
    /// A short word for the kind of error, stable for scripts and tests.
    #[must_use]
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Config { .. } => "bad_config",
            Self::Missing { .. } => "missing_key",
            Self::Unexpected { .. } => "unexpected_key",
            Self::Shape { .. } => "shape_mismatch",
        }
    }

    /// A config error from any other one; candle's errors may have a backtrace below the first line.
    pub(in crate::models) fn config(network: &'static str, error: impl std::fmt::Display) -> Self {
        let text = error.to_string();
        Self::Config { network, why: text.lines().next().unwrap_or_default().to_owned() }
    }
}

/// A name from a file, harmless to print.
fn shorten(name: &str) -> String {
    name.chars().take(120).filter(|c| !c.is_control()).collect()
}

fn more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" (and {count} more)") }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| shorten(name)).collect();
    format!("{}{}", shown.join(", "), more(names.len().saturating_sub(SHOWN)))
}

/// Compares the names and shapes in a file with those that a network has.
///
/// # Errors
///
/// When they are not the same.
pub(in crate::models) fn check_parameters(
    network: &'static str,
    found: &Shapes,
    expected: &Shapes,
) -> std::result::Result<(), ParameterError> {
    let map: HashMap<&str, &[usize]> =
        found.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
    let mut missing = Vec::new();
    let mut wrong = Vec::new();
    for (name, shape) in expected {
        match map.get(name.as_str()) {
            None => missing.push(name.clone()),
            Some(found) if *found != shape.as_slice() => wrong.push((name, *found, shape)),
            Some(_) => {}
        }
    }
    if !missing.is_empty() {
        return Err(ParameterError::Missing { network, missing });
    }
    if let Some(&(key, found, shape)) = wrong.first() {
        return Err(ParameterError::Shape {
            network,
            key: key.clone(),
            found: found.to_vec(),
            expected: shape.clone(),
            others: wrong.len() - 1,
        });
    }
    let wanted: HashSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    let unexpected: Vec<String> = found
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !wanted.contains(name.as_str()))
        .cloned()
        .collect();
    if unexpected.is_empty() {
        Ok(())
    } else {
        Err(ParameterError::Unexpected { network, unexpected })
    }
}

/// Refuses a number that is beyond reason, so that a damaged config can't ask for all memory.
pub(in crate::models) fn bounds(
    what: &str,
    value: usize,
    least: usize,
    most: usize,
) -> std::result::Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("{what} is {value}, and only {least} to {most} is possible"))
    }
}

/// Builds a network on weights without memory and notes what it asked for.
pub(in crate::models) fn record_shapes(
    build: impl FnOnce(&VarBuilder<'_>) -> Result<()>,
) -> Result<Vec<(String, Vec<usize>)>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let backend: Box<dyn SimpleBackend> = Box::new(Recorder(asked.clone()));
    build(&VarBuilder::from_backend(backend, DType::F32, Device::Cpu))?;
    let mut asked = asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(std::mem::take(&mut *asked))
}

/// What was asked for so far: names and shapes.
type Asked = Arc<Mutex<Vec<(String, Vec<usize>)>>>;

struct Recorder(Asked);

impl SimpleBackend for Recorder {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: candle_nn::Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let mut asked = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        asked.push((name.to_owned(), shape.dims().to_vec()));
        // One zero seen through strides of zero: the full network would take gigabytes.
        Tensor::zeros((), dtype, device)?.broadcast_as(shape)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        candle_core::bail!("the shape of {name} is not known")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}

/// Random weights for tests.
#[cfg(test)]
pub(crate) mod testing {
    use super::{DType, Device, Result, Shape, SimpleBackend, Tensor, VarBuilder};

    struct Random(u64);

    impl SimpleBackend for Random {
        fn get(
            &self,
            shape: Shape,
            name: &str,
            _: candle_nn::Init,
            dtype: DType,
            device: &Device,
        ) -> Result<Tensor> {
            let seed = name
                .bytes()
                .fold(self.0, |seed, byte| seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
            let count = shape.elem_count();
            let values = crate::nn::test_values(count, seed);
            // Gains and deviations around 1, the rest so that sums keep their size.
            let gain = shape.rank() == 1 && (name.ends_with("weight") || name.ends_with("std"));
            let fan_in = count / shape.dims().first().copied().unwrap_or(1).max(1);
            let (offset, factor) =
                if gain { (1.0, 0.1) } else { (0.0, (3.0 / fan_in as f32).sqrt()) };
            let values = values.into_iter().map(|x| offset + factor * x).collect::<Vec<_>>();
            Tensor::from_vec(values, shape, device)?.to_dtype(dtype)
        }

        fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
            candle_core::bail!("the shape of {name} is not known")
        }

        fn contains_tensor(&self, _: &str) -> bool {
            true
        }
    }

    /// Weights of any network, random but the same every time.
    pub(crate) fn random_weights(seed: u64) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(Random(seed)), DType::F32, Device::Cpu)
    }
}
