//! Latents cut into patches and put together again.

use candle_core::{Result, Tensor};

/// Cuts latents `[B, C, H, W]` into patches `[B, H/p * W/p, p * p * C]`.
///
/// Rows of patches first; inside a patch row, column, channel.
///
/// # Errors
///
/// When a side doesn't divide into patches.
pub fn patchify(latents: &Tensor, patch: usize) -> Result<Tensor> {
    let (batch, channels, height, width) = latents.dims4()?;
    if patch == 0 || !height.is_multiple_of(patch) || !width.is_multiple_of(patch) {
        candle_core::bail!("latents of {height}x{width} do not divide into patches of {patch}");
    }
    let (rows, columns) = (height / patch, width / patch);
    latents
        .reshape(&[batch, channels, rows, patch, columns, patch])?
        .permute(vec![0, 2, 4, 3, 5, 1])?
        .contiguous()?
        .reshape((batch, rows * columns, patch * patch * channels))
}

/// Puts patches `[B, H/p * W/p, p * p * C]` together to latents `[B, C, H, W]`.
///
/// # Errors
///
/// When the patches are not as many, or a patch is of another size.
pub fn unpatchify(
    patches: &Tensor,
    patch: usize,
    (height, width): (usize, usize),
) -> Result<Tensor> {
    let (batch, count, numbers) = patches.dims3()?;
    let (rows, columns) = (height / patch.max(1), width / patch.max(1));
    let square = patch * patch;
    if square == 0
        || !numbers.is_multiple_of(square)
        || (rows * patch, columns * patch) != (height, width)
        || rows * columns != count
    {
        candle_core::bail!(
            "{count} patches of {numbers} numbers do not make latents of {height}x{width}"
        );
    }
    let channels = numbers / square;
    patches
        .reshape(&[batch, rows, columns, patch, patch, channels])?
        .permute(vec![0, 5, 1, 3, 2, 4])?
        .contiguous()?
        .reshape((batch, channels, height, width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::test_values;
    use candle_core::Device;

    #[test]
    fn patches_come_back_as_the_latents_that_they_were() {
        for (channels, patch, height, width) in [(8, 2, 8, 8), (3, 1, 2, 5), (2, 4, 4, 12)] {
            let values = test_values(2 * channels * height * width, 1);
            let shape = (2, channels, height, width);
            let latents = Tensor::from_vec(values.clone(), shape, &Device::Cpu).unwrap();
            let patches = patchify(&latents, patch).unwrap();
            assert_eq!(patches.dims()[1], height / patch * (width / patch));
            let back = unpatchify(&patches, patch, (height, width)).unwrap();
            assert_eq!(back.dims(), latents.dims());
            assert_eq!(back.flatten_all().unwrap().to_vec1::<f32>().unwrap(), values);
        }
    }

    #[test]
    fn inside_a_patch_rows_come_before_columns_before_channels() {
        // The number says channel, row and column.
        let value = |i: usize| (i / 8 * 100 + i % 8 / 4 * 10 + i % 4) as f32;
        let latents = Tensor::from_vec((0..16).map(value).collect(), (1, 2, 2, 4), &Device::Cpu);
        let patches = patchify(&latents.unwrap(), 2).unwrap().to_vec3::<f32>().unwrap();
        assert_eq!(patches[0][1], [2.0, 102.0, 3.0, 103.0, 12.0, 112.0, 13.0, 113.0]);
    }

    #[test]
    fn sides_that_do_not_divide_are_refused() {
        let latents = Tensor::zeros((1, 2, 3, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(patchify(&latents, 2).is_err());
        assert!(patchify(&latents, 0).is_err());
        let patches = patchify(&latents, 1).unwrap();
        assert!(unpatchify(&patches, 1, (4, 4)).is_err());
        assert!(unpatchify(&patches, 2, (3, 4)).is_err());
    }
}
