//! Ancestral sampling (DDPM, arXiv 2006.11239) with the learned variance.

use candle_core::Tensor;

use crate::diffusion::DiffusionError;
use crate::diffusion::samplers::run::{Randomness, Run};
use crate::diffusion::step::p_sample;

pub(super) fn sample(mut run: Run<'_, '_>, mut x_t: Tensor) -> Result<Tensor, DiffusionError> {
    for t in (0..run.steps).rev() {
        x_t = run.step(t, &x_t, Randomness::Normal, p_sample)?.sample;
    }
    Ok(x_t)
}
