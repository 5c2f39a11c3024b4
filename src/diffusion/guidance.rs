//! Classifier-free guidance: pushing a prediction away from the one without a prompt.
//!
//! Who implements [`Denoiser`](crate::diffusion::Denoiser) doubles the batch and calls this; the
//! samplers know nothing of it. Guidance by a gradient (CLIP) is a hook of the samplers instead.

use candle_core::{DType, Result, Tensor};

use crate::diffusion::Prediction;

/// Mixes two noise predictions: `uncond + scale * (cond - uncond)`.
///
/// Shapes: both and the result `[B, 3, H, W]`. The arithmetic and the result are f32, whatever the
/// network's type.
///
/// Source: GLIDE (arXiv 2112.10741), section 2.3.
///
/// # Errors
///
/// When the shapes differ.
pub fn guide(cond_eps: &Tensor, uncond_eps: &Tensor, scale: f64) -> Result<Tensor> {
    let uncond_eps = uncond_eps.to_dtype(DType::F32)?;
    let difference = (cond_eps.to_dtype(DType::F32)? - &uncond_eps)?;
    uncond_eps + difference.affine(scale, 0.0)?
}

/// Splits a network's answer to a doubled batch and guides it.
///
/// Shapes: `model_output` `[2B, 6, H, W]`, rows `0..B` with the prompt and `B..2B` without; the
/// prediction is for B pictures. Guidance acts on the noise channels; the variance is that of the
/// rows with the prompt.
///
/// # Errors
///
/// When the batch is odd or there are not 6 channels.
pub fn guide_doubled(model_output: &Tensor, scale: f64) -> Result<Prediction> {
    let rows = model_output.dim(0)?;
    if !rows.is_multiple_of(2) {
        candle_core::bail!("a guided batch must be even, but has {rows} rows");
    }
    let cond = Prediction::from_model_output(&model_output.narrow(0, 0, rows / 2)?)?;
    let uncond = Prediction::from_model_output(&model_output.narrow(0, rows / 2, rows / 2)?)?;
    Ok(Prediction { eps: guide(&cond.eps, &uncond.eps, scale)?, variance: cond.variance })
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use crate::diffusion::guidance::{guide, guide_doubled};

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn scale_0_1_and_3_give_uncond_cond_and_beyond() {
        let cond = Tensor::new(&[[1.0_f32, -2.0]], &Device::Cpu).unwrap();
        let uncond = Tensor::new(&[[0.5_f32, 1.0]], &Device::Cpu).unwrap();
        assert_eq!(values(&guide(&cond, &uncond, 0.0).unwrap()), [0.5, 1.0]);
        assert_eq!(values(&guide(&cond, &uncond, 1.0).unwrap()), [1.0, -2.0]);
        assert_eq!(values(&guide(&cond, &uncond, 3.0).unwrap()), [2.0, -8.0]);
    }

    #[test]
    fn a_doubled_batch_keeps_the_variance_of_the_prompted_half() {
        let numbers: Vec<f32> = (0..4 * 6).map(|i| i as f32).collect();
        let output = Tensor::from_vec(numbers, (4, 6, 1, 1), &Device::Cpu).unwrap();
        let prediction = guide_doubled(&output, 2.0).unwrap();
        // Row 0 is guided by row 2, row 1 by row 3: 12 less each.
        assert_eq!(values(&prediction.eps), [-12.0, -11.0, -10.0, -6.0, -5.0, -4.0]);
        assert_eq!(values(&prediction.variance), [3.0, 4.0, 5.0, 9.0, 10.0, 11.0]);
        assert!(guide_doubled(&output.narrow(0, 0, 3).unwrap(), 2.0).is_err());
        assert!(guide_doubled(&output.narrow(1, 0, 4).unwrap(), 2.0).is_err());
    }
}
