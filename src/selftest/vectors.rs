//! Reading the vectors: JSON, tensors, and weights from a file or a formula.

use super::Result;
use crate::models::glide::UnsupportedConfig;
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::VarBuilder;
use candle_nn::var_builder::SimpleBackend;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Why a case couldn't be computed.
#[derive(Debug, thiserror::Error)]
pub enum SelftestError {
    /// A folder or file can't be read.
    #[error("cannot read {path:?}: {source}")]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is nothing to recompute.
    #[error(
        "no reference vectors found (no case.json and no config.json with vectors below it); give a folder like tests/golden/glide or tests/golden/transfusion: {dir:?}"
    )]
    NoCases {
        /// The folder.
        dir: PathBuf,
    },
    /// The file isn't JSON.
    #[error("not valid JSON ({source}): {path:?}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where it went wrong.
        source: serde_json::Error,
    },
    /// A field is missing or of another type.
    #[error("the case has no usable field `{0}`")]
    Field(String),
    /// A kind of case that this version doesn't know.
    #[error("a kind of case that this version does not know: {path:?}")]
    UnknownCase {
        /// The file.
        path: PathBuf,
    },
    /// A network refuses the case's config.
    #[error(transparent)]
    Config(#[from] UnsupportedConfig),
    /// The sampling code refuses the case.
    #[error(transparent)]
    Diffusion(#[from] crate::diffusion::DiffusionError),
    /// Another module refuses the case.
    #[error("{0}")]
    Other(String),
    /// A computation failed.
    #[error("{0}")]
    Candle(#[from] candle_core::Error),
}

impl SelftestError {
    pub(super) fn missing(field: &str) -> Self {
        Self::Field(field.to_owned())
    }
}

pub(super) fn read_json(path: &Path) -> Result<Value> {
    let unreadable = |source| SelftestError::Unreadable { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(unreadable)?;
    serde_json::from_slice(&bytes)
        .map_err(|source| SelftestError::Json { path: path.to_owned(), source })
}

/// Tensors of one file by name.
pub(super) struct Vectors(HashMap<String, Tensor>);

impl Vectors {
    pub(super) fn read(path: &Path, device: &Device) -> Result<Self> {
        Ok(Self(candle_core::safetensors::load(path, device)?))
    }

    pub(super) fn get(&self, name: &str) -> Result<&Tensor> {
        self.0.get(name).ok_or_else(|| SelftestError::missing(name))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    /// The tensors below a prefix, as the weights of a block.
    pub(super) fn weights(&self, prefix: &str, device: &Device) -> VarBuilder<'static> {
        let own = self
            .0
            .iter()
            .filter_map(|(name, tensor)| {
                Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone()))
            })
            .collect();
        VarBuilder::from_tensors(own, DType::F32, device)
    }
}

/// Weights as the case describes them: a file beside it, or a formula.
pub(super) fn weights(
    folder: &Path,
    weights: &Value,
    dtype: DType,
    device: &Device,
) -> Result<VarBuilder<'static>> {
    if let Some(file) = weights.get("file").and_then(Value::as_str) {
        let tensors = candle_core::safetensors::load(folder.join(file), device)?;
        return Ok(VarBuilder::from_tensors(tensors, dtype, device));
    }
    let seed = weights
        .get("formula_seed")
        .and_then(Value::as_u64)
        .ok_or_else(|| SelftestError::missing("weights.formula_seed"))?;
    let backend: Box<dyn SimpleBackend> = Box::new(Formula { seed });
    Ok(VarBuilder::from_backend(backend, dtype, device.clone()))
}

/// Weights made from their names; the formula is in the README of the vectors.
struct Formula {
    seed: u64,
}

const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;

/// Weights of any network made from a seed: random, but the same everywhere.
#[must_use]
pub fn formula_weights(seed: u64, device: &Device) -> VarBuilder<'static> {
    let backend: Box<dyn SimpleBackend> = Box::new(Formula { seed });
    VarBuilder::from_backend(backend, DType::F32, device.clone())
}

/// Values of one parameter.
fn formula(seed: u64, name: &str, shape: &[usize]) -> Vec<f32> {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let key = hash ^ seed.wrapping_mul(GOLDEN_RATIO);
    let count: usize = shape.iter().product();
    let last = name.rsplit('.').next().unwrap_or(name);
    let table = ["token_embedding.weight", "positional_embedding", "padding_embedding"];
    let (offset, amplitude) = if shape.len() == 1 {
        if last == "weight" || last == "g" { (1.0, 0.1) } else { (0.0, 0.05) }
    } else if table.contains(&name) || ["w_voc", "w_pos", "w_t"].contains(&last) {
        (0.0, 1.0)
    } else {
        let fan_in = count / shape.first().copied().unwrap_or(1).max(1);
        (0.0, (3.0 / fan_in as f64).sqrt())
    };
    let value = |i: usize| {
        let mut z = key.wrapping_add((i as u64 + 1).wrapping_mul(GOLDEN_RATIO));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let u = (z >> 40) as f64 * 2.0_f64.powi(-23) - 1.0;
        (offset + amplitude * u) as f32
    };
    (0..count).into_par_iter().map(value).collect()
}

impl SimpleBackend for Formula {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: candle_nn::Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        Tensor::from_vec(formula(self.seed, name, shape.dims()), shape, device)?.to_dtype(dtype)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        candle_core::bail!("the shape of {name} is not known")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}

/// The tolerance of one output of a run.
pub(super) fn tolerance(run: &Value, output: &str) -> super::Tolerance {
    super::Tolerance::read(run.pointer("/outputs").and_then(|o| o.get(output)?.get("tolerance")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_gives_the_documented_first_values() {
        // `formula_check` of formula/real_base (seed 704).
        let values = formula(704, "positional_embedding", &[128, 512]);
        let expected = [0.659_683_8, -0.325_057_4, 0.912_600_4, 0.395_952_22];
        assert_eq!(values[..4], expected);
        let values = formula(704, "time_embed.0.weight", &[768, 192]);
        assert!((values[0] - 0.123_986_68).abs() < f32::EPSILON / 8.0);
    }
}
