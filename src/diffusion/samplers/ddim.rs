//! DDIM (arXiv 2010.02502), with any eta.

use candle_core::Tensor;

use crate::diffusion::DiffusionError;
use crate::diffusion::samplers::run::{Randomness, Run};
use crate::diffusion::step::ddim_step;

pub(super) fn sample(
    mut run: Run<'_, '_>,
    mut x_t: Tensor,
    eta: f64,
) -> Result<Tensor, DiffusionError> {
    let randomness = if eta == 0.0 { Randomness::None } else { Randomness::Normal };
    for t in (0..run.steps).rev() {
        x_t = run.step(t, &x_t, randomness, |input| ddim_step(input, eta))?.sample;
    }
    Ok(x_t)
}
