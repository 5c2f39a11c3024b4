//! Doubling and halving pictures inside a network.

use super::conv2d::runs_on_cpu_kernels;
use super::cpu::{resize, values};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

/// Each pixel four times: `[B, C, H, W]` to `[B, C, 2H, 2W]`.
///
/// # Errors
///
/// When `x` has another number of dimensions or the device fails.
pub fn double_nearest(x: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    if runs_on_cpu_kernels(x) {
        return x.contiguous()?.apply_op1_no_bwd(&Resize::Double);
    }
    x.upsample_nearest2d(2 * height, 2 * width)
}

/// The mean of each 2x2 square: `[B, C, H, W]` to `[B, C, H/2, W/2]`.
///
/// # Errors
///
/// When a side is odd or the device fails.
pub fn halve_mean(x: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    if !height.is_multiple_of(2) || !width.is_multiple_of(2) {
        candle_core::bail!("a picture of {width}x{height} cannot be halved");
    }
    if runs_on_cpu_kernels(x) {
        return x.contiguous()?.apply_op1_no_bwd(&Resize::Halve);
    }
    x.avg_pool2d(2)
}

/// Bilinear resizing with half-pixel centers and without antialiasing: `[B, C, h, w]` to
/// `[B, C, height, width]`.
///
/// Source: `F.interpolate(mode="bilinear")` as the upsampler of openai/glide-text2im uses it.
///
/// # Errors
///
/// When `x` has another number of dimensions or the device fails.
pub fn resize_bilinear(x: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    let (batch, channels, from_height, from_width) = x.dims4()?;
    if (from_height, from_width) == (height, width) {
        return Ok(x.clone());
    }
    // Done on the host: it happens once a picture, and candle's own has other conventions.
    let values = x.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    let (rows, columns) = (bilinear_taps(from_height, height), bilinear_taps(from_width, width));
    let mut out = Vec::with_capacity(batch * channels * height * width);
    for plane in values.chunks_exact(from_height * from_width) {
        for &(y0, y1, fy) in &rows {
            let (top, bottom) = (&plane[y0 * from_width..], &plane[y1 * from_width..]);
            for &(x0, x1, fx) in &columns {
                let a = top[x0] * (1.0 - fx) + top[x1] * fx;
                let b = bottom[x0] * (1.0 - fx) + bottom[x1] * fx;
                out.push(a * (1.0 - fy) + b * fy);
            }
        }
    }
    Tensor::from_vec(out, (batch, channels, height, width), x.device())
}

/// For each place of the result: the two source places and the weight of the second.
fn bilinear_taps(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let scale = from as f64 / to as f64;
    (0..to)
        .map(|i| {
            let at = ((i as f64 + 0.5) * scale - 0.5).max(0.0);
            let first = (at as usize).min(from - 1);
            (first, (first + 1).min(from - 1), (at - first as f64) as f32)
        })
        .collect()
}

enum Resize {
    Double,
    Halve,
}

impl CustomOp1 for Resize {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let x = values(x, layout)?;
        let (y, height, width) = match self {
            Self::Double => (resize::double_nearest(x, height, width), 2 * height, 2 * width),
            Self::Halve => (resize::halve_mean(x, height, width), height / 2, width / 2),
        };
        Ok((CpuStorage::F32(y), Shape::from((batch, channels, height, width))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn halving_undoes_doubling() {
        let x = Tensor::arange(0_f32, 2.0 * 3.0 * 4.0 * 6.0, &Device::Cpu).unwrap();
        let x = x.reshape((2, 3, 4, 6)).unwrap();
        let doubled = double_nearest(&x).unwrap();
        assert_eq!(doubled.dims(), [2, 3, 8, 12]);
        let back = halve_mean(&doubled).unwrap();
        let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(&back), values(&x));
        assert!(
            halve_mean(
                &Tensor::zeros((1, 1, 3, 4), candle_core::DType::F32, &Device::Cpu).unwrap()
            )
            .is_err()
        );
    }
}
