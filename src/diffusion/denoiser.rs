//! What a network looks like to the samplers.

use candle_core::{Result, Tensor};

/// What a network says about a noisy picture.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// The noise in the picture, `[B, 3, H, W]`.
    pub eps: Tensor,
    /// The learned variance as the network gives it, `[B, 3, H, W]`: -1 stands for the posterior
    /// variance, 1 for beta, on a logarithmic scale. Only DDPM reads it.
    pub variance: Tensor,
}

impl Prediction {
    /// Splits a network's output `[B, 2C, H, W]` into noise and variance halves, without a copy.
    ///
    /// # Errors
    ///
    /// When the channels are not 6, i.e. 3 of noise and 3 of variance.
    pub fn from_model_output(model_output: &Tensor) -> Result<Self> {
        let channels = model_output.dim(1)?;
        if channels != 6 {
            candle_core::bail!(
                "a network's output must have 6 channels, noise and variance, but has {channels}"
            );
        }
        Ok(Self { eps: model_output.narrow(1, 0, 3)?, variance: model_output.narrow(1, 3, 3)? })
    }
}

/// Anything that finds the noise in a picture: a network with its prompt and other inputs.
///
/// B is the number of pictures; doubling the batch for guidance is the implementor's business, see
/// [`guidance`](crate::diffusion::guidance).
pub trait Denoiser {
    /// Predicts the noise in `x_t`.
    ///
    /// Shapes: `x_t` `[B, 3, H, W]`, f32; both halves of the result the same, f32 or half
    /// precision. `timestep` is of the original process, the same for every picture.
    ///
    /// # Errors
    ///
    /// When the network fails or was interrupted; the error ends the sampling loop.
    fn denoise(&self, x_t: &Tensor, timestep: f64) -> Result<Prediction>;
}

#[cfg(test)]
pub(crate) mod analytic {
    //! Denoisers that know the answer, because they know the distribution of the data.

    use candle_core::{Result, Tensor};

    use crate::diffusion::{Denoiser, NoiseSchedule, Prediction, Schedule};

    /// The exact noise for data whose pixels are independent draws of a mixture of Gaussians.
    pub(crate) struct Mixture {
        /// `(weight, mean)` of each part.
        pub(crate) parts: Vec<(f64, f64)>,
        /// Standard deviation of every part.
        pub(crate) deviation: f64,
        alphas_cumprod: Vec<f64>,
    }

    impl Mixture {
        pub(crate) fn new(
            noise_schedule: NoiseSchedule,
            deviation: f64,
            parts: &[(f64, f64)],
        ) -> Self {
            let original = Schedule::new(noise_schedule, 1000, "").unwrap();
            let alphas_cumprod = original.tables().alphas_cumprod.clone();
            Self { parts: parts.to_vec(), deviation, alphas_cumprod }
        }

        fn eps(&self, x: f64, alpha_bar: f64) -> f64 {
            let variance = alpha_bar * self.deviation * self.deviation + 1.0 - alpha_bar;
            let offset = |mean: f64| x - alpha_bar.sqrt() * mean;
            let log = |&(weight, mean): &(f64, f64)| {
                weight.ln() - offset(mean) * offset(mean) / (2.0 * variance)
            };
            let highest = self.parts.iter().map(log).fold(f64::NEG_INFINITY, f64::max);
            let (mut total, mut sum) = (0.0, 0.0);
            for part in &self.parts {
                let weight = (log(part) - highest).exp();
                total += weight;
                sum += weight * offset(part.1);
            }
            (1.0 - alpha_bar).sqrt() * sum / total / variance
        }
    }

    impl Denoiser for Mixture {
        fn denoise(&self, x_t: &Tensor, timestep: f64) -> Result<Prediction> {
            let alpha_bar = self.alphas_cumprod[timestep as usize];
            let eps: Vec<f32> = x_t
                .flatten_all()?
                .to_vec1::<f32>()?
                .into_iter()
                .map(|x| self.eps(f64::from(x), alpha_bar) as f32)
                .collect();
            let eps = Tensor::from_vec(eps, x_t.shape(), x_t.device())?;
            Ok(Prediction { variance: eps.zeros_like()?, eps })
        }
    }
}
