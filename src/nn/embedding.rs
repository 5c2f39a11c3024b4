//! The sinusoidal embedding of a timestep.

use candle_core::{DType, Result, Tensor};

/// Embeds timesteps `[B]` as `[B, dim]`: cosines first, then sines, a zero column if `dim` is odd.
///
/// The angles are computed in f64: in f32 they are off by up to 5e-5 at timestep 1000.
/// Source: `timestep_embedding` in openai/glide-text2im, `glide_text2im/nn.py`.
///
/// # Errors
///
/// When the device fails.
pub fn timestep_embedding(timesteps: &Tensor, dim: usize, max_period: f64) -> Result<Tensor> {
    let half = dim / 2;
    let steps = timesteps.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let mut values = vec![0.0_f32; steps.len() * dim];
    for (row, step) in values.chunks_exact_mut(dim.max(1)).zip(&steps) {
        for i in 0..half {
            let angle = step * (-max_period.ln() * i as f64 / half as f64).exp();
            row[i] = angle.cos() as f32;
            row[half + i] = angle.sin() as f32;
        }
    }
    Tensor::from_vec(values, (steps.len(), dim), timesteps.device())
}
