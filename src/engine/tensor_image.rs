//! Pictures and masks to tensors and back.
//!
//! The two polarities of masks meet here and nowhere else: a [`Mask`] says where to repaint, a
//! `keep_mask` says which pixels are known.

use candle_core::{DType, Device, Tensor};

use crate::engine::error::EngineError;
use crate::geom::Extent;
use crate::raster::{Mask, RgbaImage};

/// Side in pixels that a preview has at most.
const PREVIEW_SIDE: usize = 512;

/// The colors of a picture, `[1, 3, H, W]` in `[-1, 1]`; alpha is left away.
///
/// # Errors
///
/// When the device is out of memory.
pub(crate) fn tensor_from_image(image: &RgbaImage, device: &Device) -> candle_core::Result<Tensor> {
    let (width, height) = size(image.extent());
    let pixels = image.pixels();
    let mut values = Vec::with_capacity(3 * pixels.len());
    for channel in 0..3 {
        values.extend(pixels.iter().map(|pixel| f32::from(pixel[channel]) / 127.5 - 1.0));
    }
    Tensor::from_vec(values, (1, 3, height, width), device)
}

/// The opaque picture of a tensor `[1, 3, H, W]` in `[-1, 1]`; rounds half to even, as the
/// reference does.
///
/// # Errors
///
/// When the shape is another, or a value is not a number.
pub(crate) fn image_from_tensor(tensor: &Tensor) -> Result<RgbaImage, EngineError> {
    let (_, _, height, width) = tensor.dims4()?;
    let planes = tensor.to_dtype(DType::F32)?.squeeze(0)?.flatten_from(1)?.to_vec2::<f32>()?;
    let [red, green, blue] = planes.as_slice() else {
        return Err(EngineError::Compute(candle_core::Error::Msg(format!(
            "a picture has 3 channels, this tensor has shape {:?}",
            tensor.dims()
        ))));
    };
    let mut bytes = Vec::with_capacity(4 * width * height);
    for ((&r, &g), &b) in red.iter().zip(green).zip(blue) {
        if !(r + g + b).is_finite() {
            return Err(EngineError::NotFinite);
        }
        bytes.extend([byte_from_value(r), byte_from_value(g), byte_from_value(b), 255]);
    }
    Ok(RgbaImage::from_raw(Extent::new(width as u32, height as u32), bytes)?)
}

/// A view of a tensor as [`image_from_tensor`] makes it, with pixels left out where the tensor is
/// large: a preview is made after every step and must cost little beside it.
///
/// # Errors
///
/// As [`image_from_tensor`].
pub(crate) fn preview_from_tensor(tensor: &Tensor) -> Result<RgbaImage, EngineError> {
    let (_, _, height, width) = tensor.dims4()?;
    let stride = width.max(height).div_ceil(PREVIEW_SIDE).max(1);
    if stride == 1 {
        return image_from_tensor(tensor);
    }
    let every = |length: usize| {
        let picked: Vec<u32> = (0..length as u32).step_by(stride).collect();
        Tensor::from_vec(picked, length.div_ceil(stride), tensor.device())
    };
    let rows = tensor.index_select(&every(height)?, 2)?;
    image_from_tensor(&rows.index_select(&every(width)?, 3)?)
}

fn byte_from_value(value: f32) -> u8 {
    ((value + 1.0) * 127.5).round_ties_even().clamp(0.0, 255.0) as u8
}

/// The small picture as the upsampler reads it: on the 8-bit grid, but not clamped.
///
/// Source: openai/glide-text2im, `notebooks/text2im.ipynb`.
///
/// # Errors
///
/// When the device is out of memory.
pub(crate) fn low_res_from_sample(sample: &Tensor) -> candle_core::Result<Tensor> {
    // candle rounds halves away from zero, so the rounding is done here.
    let shape = sample.shape();
    let values: Vec<f32> = sample.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
    let values: Vec<f32> = values
        .into_iter()
        .map(|value| ((value + 1.0) * 127.5).round_ties_even() / 127.5 - 1.0)
        .collect();
    Tensor::from_vec(values, shape, sample.device())
}

/// Which pixels are known, `[1, 1, H, W]`: 1 where the mask leaves the picture alone, else 0.
///
/// Every cover above 0 counts as unknown: half-covered pixels still show what is to be removed.
///
/// # Errors
///
/// When the device is out of memory.
pub(crate) fn keep_mask_from_mask(mask: &Mask, device: &Device) -> candle_core::Result<Tensor> {
    let (width, height) = size(mask.extent());
    let values: Vec<f32> =
        mask.as_raw().iter().map(|&cover| if cover == 0 { 1.0 } else { 0.0 }).collect();
    Tensor::from_vec(values, (1, 1, height, width), device)
}

const fn size(extent: Extent) -> (usize, usize) {
    (extent.width as usize, extent.height as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_survive_the_way_there_and_back() {
        let extent = Extent::new(64, 2);
        let bytes = (0..128u8).flat_map(|i| [i, 255 - i, i.wrapping_mul(7), 255]).collect();
        let image = RgbaImage::from_raw(extent, bytes).unwrap();
        let tensor = tensor_from_image(&image, &Device::Cpu).unwrap();
        assert_eq!(tensor.dims(), [1, 3, 2, 64]);
        assert_eq!(image_from_tensor(&tensor).unwrap(), image);
    }

    #[test]
    fn halves_go_to_the_even_level_and_values_outside_to_the_ends() {
        let level = |value: f32| byte_from_value(value);
        assert_eq!(level(0.0), 128, "127.5");
        assert_eq!(level(-1.0 + 0.5 / 127.5), 0, "0.5");
        assert_eq!((level(-1.5), level(1.5)), (0, 255));
    }

    #[test]
    fn previews_of_large_tensors_leave_pixels_out() {
        let values = (0..3 * 4 * 1500).map(|i| (i % 1500) as f32 / 750.0 - 1.0).collect();
        let tensor = Tensor::from_vec(values, (1, 3, 4, 1500), &Device::Cpu).unwrap();
        let whole = image_from_tensor(&tensor).unwrap();
        let preview = preview_from_tensor(&tensor).unwrap();
        assert_eq!(preview.extent(), Extent::new(500, 2));
        assert_eq!(preview.pixel(499, 1), whole.pixel(1497, 3));
        let small = tensor.narrow(3, 0, 512).unwrap();
        assert_eq!(preview_from_tensor(&small).unwrap(), image_from_tensor(&small).unwrap());
    }

    #[test]
    fn a_sample_with_nan_is_refused() {
        let tensor =
            Tensor::from_vec(vec![0.0, f32::NAN, 0.0], (1, 3, 1, 1), &Device::Cpu).unwrap();
        let message = image_from_tensor(&tensor).unwrap_err().to_string();
        assert!(message.contains("--precision fp32"), "{message}");
    }

    #[test]
    fn the_low_res_picture_lies_on_the_8_bit_grid_and_is_not_clamped() {
        let sample = Tensor::new(&[0.0f32, 1.2, -1.003], &Device::Cpu).unwrap();
        let values = low_res_from_sample(&sample).unwrap().to_vec1::<f32>().unwrap();
        let expected = [128.0 / 127.5 - 1.0, 280.0 / 127.5 - 1.0, -1.0];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{values:?}");
        }
    }

    #[test]
    fn covered_pixels_are_unknown_however_thin_the_cover() {
        let mask = Mask::from_raw(Extent::new(4, 1), vec![0, 1, 255, 0]).unwrap();
        let keep = keep_mask_from_mask(&mask, &Device::Cpu).unwrap();
        assert_eq!(keep.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [1.0, 0.0, 0.0, 1.0]);
    }
}
