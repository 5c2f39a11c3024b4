//! Layers that several networks share, with fast CPU kernels where candle's are slow.
//!
//! A layer takes tensors of any device and type; f32 on the CPU goes to the kernels in `cpu`, all
//! else to candle's own operations. Long layers look at an [`Interrupt`], so that a cancelled job
//! ends inside a network evaluation. Start with [`Conv2d`].

mod attention;
mod conv2d;
mod cpu;
mod embedding;
mod group_norm;
mod interrupt;
mod linear;
mod resize;
mod rms_norm;
mod rotary;
mod swiglu;

pub use attention::qkv_attention;
pub use conv2d::{Conv2d, Pointwise};
pub use embedding::timestep_embedding;
pub use group_norm::GroupNorm;
pub use interrupt::Interrupt;
pub use linear::{Affine, LayerNorm, Linear, gelu};
pub use resize::{double_nearest, halve_mean, resize_bilinear};
pub use rms_norm::RmsNorm;
pub use rotary::Rotary;
pub use swiglu::swiglu;

/// Reproducible values in [-1, 1) for tests.
#[cfg(test)]
pub(crate) fn test_values(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
