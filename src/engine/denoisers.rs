//! Networks as the samplers see them.

use candle_core::{Device, Result, Tensor};

use crate::diffusion::guidance::guide_doubled;
use crate::diffusion::{Denoiser, Prediction};
use crate::models::glide::{Glide, TextEmbedding, UnetInput};
use crate::nn::Interrupt;

/// A GLIDE network with its prompt and other inputs, for one picture at a time.
///
/// With guidance the network runs on two rows, one with the prompt and one without; `text` has as
/// many rows. One picture at a time keeps a picture independent of those beside it.
pub(crate) struct GlideDenoiser<'a> {
    /// The network.
    network: &'a Glide,
    /// One row, or two where guidance is on.
    text: Option<&'a TextEmbedding>,
    /// Scale of classifier-free guidance; `None` is off.
    guidance: Option<f64>,
    /// Known pixels, mask and small picture, a row for each row of the network.
    inputs: Inputs,
    interrupt: Interrupt,
}

/// What a network reads beside noise and prompt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    /// Pixels that are known, `[1, 3, H, W]` in `[-1, 1]`.
    pub(crate) known: Option<Tensor>,
    /// Which they are, `[1, 1, H, W]`, 1 = known.
    pub(crate) keep_mask: Option<Tensor>,
    /// The small picture, `[1, 3, h, w]` in `[-1, 1]`.
    pub(crate) low_res: Option<Tensor>,
}

impl Inputs {
    fn repeated(&self, rows: usize) -> Result<Self> {
        let repeat = |tensor: &Option<Tensor>| -> Result<Option<Tensor>> {
            tensor.as_ref().map(|tensor| tensor.repeat((rows, 1, 1, 1))).transpose()
        };
        Ok(Self {
            known: repeat(&self.known)?,
            keep_mask: repeat(&self.keep_mask)?,
            low_res: repeat(&self.low_res)?,
        })
    }
}

impl<'a> GlideDenoiser<'a> {
    /// A denoiser for one picture.
    ///
    /// # Errors
    ///
    /// When the device is out of memory.
    pub(crate) fn new(
        network: &'a Glide,
        text: Option<&'a TextEmbedding>,
        guidance: Option<f64>,
        inputs: &Inputs,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let rows = if guidance.is_some() { 2 } else { 1 };
        Ok(Self { network, text, guidance, inputs: inputs.repeated(rows)?, interrupt })
    }
}

impl Denoiser for GlideDenoiser<'_> {
    fn denoise(&self, x_t: &Tensor, timestep: f64) -> Result<Prediction> {
        let rows = if self.guidance.is_some() { 2 } else { 1 };
        let x_t = x_t.repeat((rows, 1, 1, 1))?;
        let timesteps = Tensor::full(timestep as f32, rows, x_t.device())?;
        let input = UnetInput {
            x_t: &x_t,
            timesteps: &timesteps,
            text: self.text,
            known: self.inputs.known.as_ref(),
            keep_mask: self.inputs.keep_mask.as_ref(),
            low_res: self.inputs.low_res.as_ref(),
        };
        let output = self.network.forward(&input, &self.interrupt)?;
        match self.guidance {
            Some(scale) => guide_doubled(&output, scale),
            None => Prediction::from_model_output(&output),
        }
    }
}

/// A large picture that is denoised tile by tile at every step.
///
/// Where tiles overlap their predictions are blended, so that all tiles agree on one picture while
/// it comes out of the noise, instead of being made to fit afterwards.
///
/// Source: the idea of `MultiDiffusion` (arXiv 2302.08113), section 3.
pub(crate) struct TiledDenoiser<D> {
    /// Top, left and the denoiser of each tile; together they cover the picture.
    tiles: Vec<(usize, usize, D)>,
    /// Side of a tile in pixels.
    side: usize,
    /// Weight of each pixel of a tile, largest in the middle.
    window: Vec<f32>,
}

impl<D: Denoiser> TiledDenoiser<D> {
    /// A denoiser over tiles of `side` pixels, each at its top and left.
    pub(crate) fn new(tiles: Vec<(usize, usize, D)>, side: usize) -> Self {
        // Linear towards the edges; never 0, because a picture's edge has one tile only.
        let ramp = |i: usize| (i.min(side - 1 - i) + 1) as f32;
        let window =
            (0..side * side).map(|index| ramp(index / side).min(ramp(index % side))).collect();
        Self { tiles, side, window }
    }
}

impl<D: Denoiser> Denoiser for TiledDenoiser<D> {
    fn denoise(&self, x_t: &Tensor, timestep: f64) -> Result<Prediction> {
        let (_, channels, height, width) = x_t.dims4()?;
        if let [(0, 0, tile)] = self.tiles.as_slice()
            && (height, width) == (self.side, self.side)
        {
            return tile.denoise(x_t, timestep);
        }
        let mut eps = vec![0f32; channels * height * width];
        let mut variance = eps.clone();
        let mut weight = vec![0f32; height * width];
        for (top, left, tile) in &self.tiles {
            let part = x_t.narrow(2, *top, self.side)?.narrow(3, *left, self.side)?.contiguous()?;
            let prediction = tile.denoise(&part, timestep)?;
            let at = Place { top: *top, left: *left, side: self.side, height, width };
            add_tile(&mut eps, &prediction.eps, &self.window, &at)?;
            add_tile(&mut variance, &prediction.variance, &self.window, &at)?;
            for (index, value) in self.window.iter().enumerate() {
                let (y, x) = (top + index / self.side, left + index % self.side);
                weight[y * width + x] += value;
            }
        }
        let device = x_t.device();
        let mean = |mut sum: Vec<f32>| -> Result<Tensor> {
            for (index, value) in sum.iter_mut().enumerate() {
                *value /= weight[index % weight.len()].max(f32::MIN_POSITIVE);
            }
            Tensor::from_vec(sum, (1, channels, height, width), device)
        };
        Ok(Prediction { eps: mean(eps)?, variance: mean(variance)? })
    }
}

/// Where a tile lies in a picture.
struct Place {
    top: usize,
    left: usize,
    side: usize,
    height: usize,
    width: usize,
}

fn add_tile(sum: &mut [f32], tile: &Tensor, window: &[f32], at: &Place) -> Result<()> {
    let values = tile.to_device(&Device::Cpu)?.to_dtype(candle_core::DType::F32)?.flatten_all()?;
    let values = values.to_vec1::<f32>()?;
    let area = at.side * at.side;
    for (index, value) in values.iter().enumerate() {
        let (channel, pixel) = (index / area, index % area);
        let (y, x) = (at.top + pixel / at.side, at.left + pixel % at.side);
        sum[(channel * at.height + y) * at.width + x] += value * window[pixel];
    }
    Ok(())
}

/// Starts of tiles of `side` that cover `length`, at least `overlap` on each other.
///
/// `length` is at least `side`; the last tile ends where the picture does.
pub(crate) fn tile_starts(length: usize, side: usize, overlap: usize) -> Vec<usize> {
    let room = length.saturating_sub(side);
    let stride = side.saturating_sub(overlap).max(1);
    let tiles = room.div_ceil(stride);
    // Spread evenly, so that no two tiles overlap nearly whole.
    (0..=tiles).map(|tile| (room * tile).checked_div(tiles).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Predicts the picture itself, and the timestep as variance.
    struct Echo;

    impl Denoiser for Echo {
        fn denoise(&self, x_t: &Tensor, timestep: f64) -> Result<Prediction> {
            Ok(Prediction { eps: x_t.clone(), variance: (x_t.zeros_like()? + timestep)? })
        }
    }

    #[test]
    fn tiles_cover_every_length_and_overlap() {
        for length in 64..400 {
            let starts = tile_starts(length, 64, 16);
            assert_eq!(starts.first(), Some(&0));
            assert_eq!(starts.last().unwrap() + 64, length);
            for pair in starts.windows(2) {
                assert!(pair[1] > pair[0] && pair[0] + 64 >= pair[1] + 16, "{length}: {starts:?}");
            }
        }
    }

    #[test]
    fn tiles_that_agree_give_the_whole_picture_without_seams() {
        let (height, width, side) = (7, 11, 4);
        let values: Vec<f32> = (0..3 * height * width).map(|i| i as f32).collect();
        let x_t = Tensor::from_vec(values.clone(), (1, 3, height, width), &Device::Cpu).unwrap();
        let mut tiles = Vec::new();
        for top in tile_starts(height, side, 1) {
            for left in tile_starts(width, side, 1) {
                tiles.push((top, left, Echo));
            }
        }
        let prediction = TiledDenoiser::new(tiles, side).denoise(&x_t, 5.0).unwrap();
        let eps = prediction.eps.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (a, b) in eps.iter().zip(&values) {
            assert!((a - b).abs() < 1e-4 * b.max(1.0), "{a} {b}");
        }
        let variance = prediction.variance.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(variance.iter().all(|v| (v - 5.0).abs() < 1e-5));
    }
}
