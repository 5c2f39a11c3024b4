//! A picture to one four times as wide and high.

use crate::engine::denoisers::{Inputs, TiledDenoiser, tile_starts};
use crate::engine::error::EngineError;
use crate::engine::event::{Picture, Stage};
use crate::engine::jobs::Jobs;
use crate::engine::pair::{Pair, Ready, Take};
use crate::engine::report::Report;
use crate::engine::request::{Request, UpscaleRequest};
use crate::engine::sampling::Steering;
use crate::engine::tensor_image::{image_from_tensor, tensor_from_image};
use crate::geom::{CanvasRect, Extent};
use crate::raster::{RgbaImage, resize_bicubic_rgb};

/// How much wider and higher the result is.
pub(crate) const FACTOR: u32 = 4;
/// Pixels that a picture may have. The sampler holds about ten tensors of 16 times as many pixels;
/// at this limit those are about 1 GB.
pub(crate) const MAX_AREA: usize = 1 << 19;

/// Enlarges the picture, tile by tile where it is larger than the network's own.
///
/// # Errors
///
/// When a model can't be loaded or run, or the job was cancelled.
pub(crate) fn upscale(
    jobs: &mut Jobs,
    request: &UpscaleRequest,
    report: &mut Report<'_>,
) -> Result<Vec<Picture>, EngineError> {
    let UpscaleRequest { settings, image } = request;
    let pair = Pair::prepare(jobs, &settings.common, None, Some(&settings.upsample), report)?;
    let Some(upsample) = &pair.upsample else {
        return Err(EngineError::Input("the request has no settings for enlarging".to_owned()));
    };
    let seed = settings.common.seed;
    let colors = enlarged_colors(upsample, image, seed, report)?;
    report.stage(Stage::Blend)?;
    let image = with_alpha_of(colors, image);
    Ok(vec![Picture { image, seed, record: Request::Upscale(request.clone()).record(seed) }])
}

fn enlarged_colors(
    upsample: &Ready,
    image: &RgbaImage,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<RgbaImage, EngineError> {
    let factor = FACTOR as usize;
    let tile = upsample.side / factor;
    let small = extended(image, tile as u32);
    let Extent { width, height } = small.extent();
    let mut tiles = Vec::new();
    for top in tile_starts(height as usize, tile, tile / 4) {
        for left in tile_starts(width as usize, tile, tile / 4) {
            let rect = CanvasRect::new(left as u32, top as u32, tile as u32, tile as u32);
            let low_res = tensor_from_image(&small.crop(rect), upsample.device())?;
            let inputs = Inputs { low_res: Some(low_res), ..Inputs::default() };
            tiles.push((top * factor, left * factor, upsample.denoiser(&inputs, report)?));
        }
    }
    let denoiser = TiledDenoiser::new(tiles, upsample.side);
    let size = (height as usize * factor, width as usize * factor);
    let take = Take { seed, region: 0, item: (0, 1), frame: None };
    // One item, so that its share of the work needs no counting of tiles.
    report.plan(upsample.all_work(1.0));
    let steering = Steering::default();
    let large = image_from_tensor(&upsample.run(&denoiser, size, take, steering, report)?)?;
    let Extent { width, height } = image.extent();
    Ok(large.crop(CanvasRect::new(0, 0, width * FACTOR, height * FACTOR)))
}

/// The picture with its last column and row repeated until it is `side` wide and high; transparent
/// pixels, whose color means nothing, become white.
fn extended(image: &RgbaImage, side: u32) -> RgbaImage {
    let Extent { width, height } = image.extent();
    let extent = Extent::new(width.max(side), height.max(side));
    let mut larger = RgbaImage::new(extent, [255; 4]);
    let places = (0..extent.height).flat_map(|y| (0..extent.width).map(move |x| (x, y)));
    for (pixel, (x, y)) in larger.pixels_mut().iter_mut().zip(places) {
        let [r, g, b, alpha] = image.pixel(x.min(width - 1), y.min(height - 1));
        if alpha > 0 {
            *pixel = [r, g, b, 255];
        }
    }
    larger
}

/// Gives an enlarged picture the alpha of the one that it was made from.
fn with_alpha_of(mut colors: RgbaImage, image: &RgbaImage) -> RgbaImage {
    if image.is_opaque() {
        return colors;
    }
    let mut alpha = image.clone();
    for pixel in alpha.pixels_mut() {
        *pixel = [pixel[3]; 4];
    }
    let alpha = resize_bicubic_rgb(&alpha, colors.extent());
    for (pixel, alpha) in colors.pixels_mut().iter_mut().zip(alpha.pixels()) {
        pixel[3] = alpha[0];
    }
    colors
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::family::Purpose;
    use crate::engine::library::TinyFamily;
    use crate::engine::request::{SourceNote, UpscaleSettings};
    use crate::engine::testing::TinyEngine;

    #[test]
    fn every_size_becomes_four_times_as_large() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        for (width, height) in [(8, 8), (3, 5), (13, 21), (1, 1)] {
            let mut image = RgbaImage::new(Extent::new(width, height), [200, 100, 50, 255]);
            image.pixels_mut()[0][3] = 0;
            let settings = UpscaleSettings {
                common: tiny.common(Purpose::Upscale, "", 0.0),
                upsample: tiny.family(Purpose::Upscale).upsample_settings().unwrap(),
                image: SourceNote::default(),
            };
            let request = UpscaleRequest { settings, image: Arc::new(image) };
            let outcome = tiny.run(Request::Upscale(request));
            let large = &outcome.pictures[0].image;
            assert_eq!(large.extent(), Extent::new(4 * width, 4 * height));
            assert_eq!(large.pixel(0, 0)[3], 0);
        }
    }

    #[test]
    fn small_pictures_are_extended_by_their_edge_and_not_by_black() {
        let mut image = RgbaImage::new(Extent::new(3, 2), [10, 20, 30, 255]);
        image.pixels_mut()[5] = [1, 2, 3, 255];
        image.pixels_mut()[0][3] = 0;
        let larger = extended(&image, 8);
        assert_eq!(larger.extent(), Extent::new(8, 8));
        assert_eq!(larger.pixel(7, 7), [1, 2, 3, 255]);
        assert_eq!(larger.pixel(1, 0), [10, 20, 30, 255]);
        assert_eq!(larger.pixel(0, 0), [255; 4]);
    }

    #[test]
    fn alpha_is_enlarged_on_its_own() {
        let mut image = RgbaImage::new(Extent::new(4, 4), [9, 9, 9, 255]);
        for y in 0..4 {
            image.pixels_mut()[y * 4][3] = 0;
        }
        let colors = RgbaImage::new(Extent::new(16, 16), [50, 60, 70, 255]);
        let result = with_alpha_of(colors, &image);
        assert_eq!(result.pixel(0, 8), [50, 60, 70, 0]);
        assert_eq!(result.pixel(15, 8), [50, 60, 70, 255]);
    }
}
