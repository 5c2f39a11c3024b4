//! The whole autoencoder.

use super::config::{AutoencoderConfig, NETWORK};
use super::decoder::Decoder;
use super::encoder::Encoder;
use crate::models::parameters::{ParameterError, Shapes, check_parameters, record_shapes};
use crate::nn::Interrupt;
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;

/// An autoencoder with its weights.
///
/// Source: Transfusion (arXiv 2408.11039), section 2.3; latent diffusion (arXiv 2112.10752).
#[derive(Debug)]
pub struct Autoencoder {
    config: AutoencoderConfig,
    encoder: Encoder,
    decoder: Decoder,
    /// Mean and deviation of each latent channel, `[1, latent, 1, 1]`.
    latent_mean: Tensor,
    latent_std: Tensor,
    dtype: DType,
    device: Device,
}

impl Autoencoder {
    /// Builds the network in the builder's type; norms and latents are f32 in any case.
    ///
    /// # Errors
    ///
    /// When the config is unsupported, or a tensor is missing or has another shape.
    pub fn new(config: &AutoencoderConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let full = vb.clone().set_dtype(DType::F32);
        let channels = |name: &str| full.get(config.latent, name)?.reshape((1, (), 1, 1));
        Ok(Self {
            config: config.clone(),
            encoder: Encoder::new(config, &vb.pp("encoder"))?,
            decoder: Decoder::new(config, &vb.pp("decoder"))?,
            latent_mean: channels("latent_mean")?,
            latent_std: channels("latent_std")?,
            dtype: vb.dtype(),
            device: vb.device().clone(),
        })
    }

    /// The shapes that this network was built with.
    #[must_use]
    pub fn config(&self) -> &AutoencoderConfig {
        &self.config
    }

    /// Where its weights are.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The normalized latents of pictures: the mean of the posterior.
    ///
    /// Shapes: `pictures` `[B, 3, H, W]` in `[-1, 1]`; result `[B, latent, h, w]`, f32, with
    /// h = H / [`AutoencoderConfig::downscale`].
    ///
    /// # Errors
    ///
    /// When a side can't be halved evenly, the device fails, or `interrupt` was raised.
    pub fn encode(&self, pictures: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let (_, channels, height, width) = pictures.dims4()?;
        let downscale = self.config.downscale();
        if channels != 3 || !height.is_multiple_of(downscale) || !width.is_multiple_of(downscale) {
            candle_core::bail!(
                "the autoencoder takes pictures [B, 3, H, W] with sides that are multiples of \
                 {downscale}, not {:?}",
                pictures.dims()
            );
        }
        let moments = self.encoder.forward(&pictures.to_dtype(self.dtype)?, interrupt)?;
        let mean = moments.narrow(1, 0, self.config.latent)?.to_dtype(DType::F32)?;
        mean.broadcast_sub(&self.latent_mean)?.broadcast_div(&self.latent_std)
    }

    /// The pictures of normalized latents.
    ///
    /// Shapes: `latents` `[B, latent, h, w]`; result `[B, 3, H, W]`, f32, about `[-1, 1]` but not
    /// clipped.
    ///
    /// # Errors
    ///
    /// When the channels differ, the device fails, or `interrupt` was raised.
    pub fn decode(&self, latents: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let (_, channels, _, _) = latents.dims4()?;
        if channels != self.config.latent {
            candle_core::bail!(
                "the autoencoder's latents have {} channels, not {channels}",
                self.config.latent
            );
        }
        let z = latents.to_dtype(DType::F32)?;
        let z = z.broadcast_mul(&self.latent_std)?.broadcast_add(&self.latent_mean)?;
        self.decoder.forward(&z.to_dtype(self.dtype)?, interrupt)?.to_dtype(DType::F32)
    }
}

/// The names and shapes of all parameters, in the order in which the network reads them.
///
/// # Errors
///
/// When the config is unsupported.
pub fn parameter_shapes(config: &AutoencoderConfig) -> Result<Vec<(String, Vec<usize>)>> {
    record_shapes(|vb| Autoencoder::new(config, vb).map(|_| ()))
}

/// Makes sure that a file holds just the parameters of this config.
///
/// # Errors
///
/// When it doesn't, or no network can have this config.
pub fn check_checkpoint(
    found: &Shapes,
    config: &AutoencoderConfig,
) -> std::result::Result<(), ParameterError> {
    let expected =
        parameter_shapes(config).map_err(|error| ParameterError::config(NETWORK, error))?;
    check_parameters(NETWORK, found, &expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::parameters::testing::random_weights;

    fn config(mult: &[usize], blocks: usize) -> AutoencoderConfig {
        AutoencoderConfig { base: 16, mult: mult.to_vec(), blocks, latent: 3 }
    }

    fn pictures(count: usize, height: usize, width: usize) -> Tensor {
        let values = crate::nn::test_values(count * 3 * height * width, 9);
        Tensor::from_vec(values, (count, 3, height, width), &Device::Cpu).unwrap()
    }

    #[test]
    fn sides_shrink_and_grow_by_the_levels() {
        let go = Interrupt::new();
        for (mult, blocks) in [(vec![1], 0), (vec![1], 2), (vec![1, 2], 1), (vec![2, 1, 3], 1)] {
            let config = config(&mult, blocks);
            let network = Autoencoder::new(&config, &random_weights(1)).unwrap();
            let x = pictures(1, 8, 12);
            let z = network.encode(&x, &go).unwrap();
            assert_eq!(z.dims(), [1, 3, 8 / config.downscale(), 12 / config.downscale()]);
            assert_eq!(network.decode(&z, &go).unwrap().dims(), x.dims());
        }
    }

    #[test]
    fn a_picture_of_a_batch_is_the_picture_alone() {
        let go = Interrupt::new();
        let network = Autoencoder::new(&config(&[1, 2], 1), &random_weights(2)).unwrap();
        let x = pictures(3, 8, 8);
        let all = network.decode(&network.encode(&x, &go).unwrap(), &go).unwrap();
        for i in 0..3 {
            let one = x.narrow(0, i, 1).unwrap();
            let one = network.decode(&network.encode(&one, &go).unwrap(), &go).unwrap();
            let far = (all.narrow(0, i, 1).unwrap() - one).unwrap().abs().unwrap();
            assert!(far.max_all().unwrap().to_scalar::<f32>().unwrap() < 1e-5);
        }
    }

    #[test]
    fn wrong_inputs_and_a_raised_interrupt_end_in_errors() {
        let go = Interrupt::new();
        let network = Autoencoder::new(&config(&[1, 2], 1), &random_weights(3)).unwrap();
        let error = network.encode(&pictures(1, 7, 8), &go).unwrap_err().to_string();
        assert!(error.contains("multiples of 2"), "{error}");
        let error = network.decode(&pictures(1, 4, 4).narrow(1, 0, 2).unwrap(), &go).unwrap_err();
        assert!(error.to_string().contains("3 channels"), "{error}");
        go.raise();
        assert!(network.encode(&pictures(1, 8, 8), &go).is_err());
    }

    #[test]
    fn a_checkpoint_of_another_config_is_refused() {
        let config = config(&[1, 2], 1);
        let mut shapes = parameter_shapes(&config).unwrap();
        check_checkpoint(&shapes, &config).unwrap();
        let other = AutoencoderConfig { latent: 4, ..config.clone() };
        let error = check_checkpoint(&shapes, &other).unwrap_err();
        assert_eq!(error.category(), "shape_mismatch");
        shapes.push(("decoder.99.weight".to_owned(), vec![3]));
        assert_eq!(check_checkpoint(&shapes, &config).unwrap_err().category(), "unexpected_key");
        shapes.retain(|(name, _)| name != "latent_std");
        let error = check_checkpoint(&shapes, &config).unwrap_err();
        assert_eq!(error.category(), "missing_key");
        assert!(error.to_string().contains("latent_std"), "{error}");
    }
}
