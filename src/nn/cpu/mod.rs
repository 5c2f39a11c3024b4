//! CPU kernels for f32 pictures `[B, C, H, W]` and rows of activations, where candle's own are slower.
//!
//! [`panel`] holds the inner kernel, [`product`] spreads it over threads; convolutions, linear layers
//! and attention are built on these. Nothing here allocates weights or knows layers; see [`crate::nn`] for those.
//! All of it is safe Rust: `pulp` picks AVX-512, AVX2 or NEON at run time.

pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod math;
pub(crate) mod norm;
pub(crate) mod panel;
pub(crate) mod product;
pub(crate) mod resize;
pub(crate) mod rotary;
pub(crate) mod winograd;

use candle_core::{CpuStorage, Layout, Result};

/// The values of a contiguous f32 tensor.
pub(crate) fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => candle_core::bail!("a CPU kernel needs a contiguous tensor"),
    }
}
