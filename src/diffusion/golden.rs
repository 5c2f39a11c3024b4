//! Reading of the reference vectors in `tests/golden/glide/diffusion` (tests only).
//!
//! They were made with openai/glide-text2im, see the `provenance` in `case.json`.

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{Device, Tensor};

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/glide/diffusion").join(file)
}

pub(super) fn json(file: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path(file)).unwrap()).unwrap()
}

pub(super) fn tensors(file: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path(file), &Device::Cpu).unwrap()
}
