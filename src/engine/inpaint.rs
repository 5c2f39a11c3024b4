//! Repainting the masked part of a picture; everything outside the mask stays byte for byte.

use candle_core::Device;

use crate::engine::denoisers::Inputs;
use crate::engine::error::EngineError;
use crate::engine::event::{Picture, Stage};
use crate::engine::jobs::Jobs;
use crate::engine::pair::{Pair, Take};
use crate::engine::report::Report;
use crate::engine::request::{InpaintRequest, Request};
use crate::engine::tensor_image::{
    image_from_tensor, keep_mask_from_mask, low_res_from_sample, tensor_from_image,
};
use crate::geom::{CanvasRect, Extent};
use crate::raster::{
    Mask, Region, RegionSettings, RgbaImage, composite_inside, match_color, outside_mask_delta,
    plan_regions, resize_bicubic_rgb, resize_mask_any, resize_rgba,
};

/// What transparent pixels are shown over, where they are shown at all.
const PAPER: [u8; 3] = [255; 3];

/// Repaints the masked part, as often as the request says.
///
/// # Errors
///
/// When a model can't be loaded or run, or the job was cancelled.
pub(crate) fn inpaint(
    jobs: &mut Jobs,
    request: &InpaintRequest,
    report: &mut Report<'_>,
) -> Result<Vec<Picture>, EngineError> {
    let InpaintRequest { settings, image, mask } = request;
    let pair = Pair::prepare(
        jobs,
        &settings.common,
        Some(&settings.base),
        settings.upsample.as_ref(),
        report,
    )?;
    let side = settings.upsample.as_ref().map_or(settings.base.size, |upsample| upsample.size);
    let regions = plan_regions(mask, &RegionSettings::for_model(side));
    let whole = Request::Inpaint(request.clone());
    let count = settings.count as usize;
    let items = count * regions.len();
    let mut pictures = Vec::with_capacity(count);
    let mut delta = 0;
    for i in 0..count {
        let seed = settings.common.seed.wrapping_add(i as u64);
        let mut canvas = RgbaImage::clone(image);
        // What is still to be painted; regions that are done are known to the next ones.
        let mut unpainted = Mask::clone(mask);
        for (index, region) in regions.iter().enumerate() {
            let item = (i * regions.len() + index, items);
            let take = Take { seed, region: index as u32, item };
            let view = View::of_region(&canvas, &unpainted, region);
            let drawn = draw_view(&pair, &view, take, report)?;
            report.stage(Stage::Blend)?;
            let patch = match_color(&view.context_from_square(&drawn), &view.flat, &view.unknown);
            let result = region.result_rect;
            let inside = CanvasRect {
                x: result.x - region.context_rect.x,
                y: result.y - region.context_rect.y,
                ..result
            };
            composite_inside(&mut canvas, &patch.crop(inside), result, mask, settings.feather_px);
            unpainted.fill(result, 0);
        }
        // Measured, not assumed: on the final bytes, against what came in.
        delta += outside_mask_delta(image, &canvas, mask);
        pictures.push(Picture { image: canvas, seed, record: whole.record(seed) });
    }
    report.facts.outside_mask_delta = Some(delta);
    Ok(pictures)
}

/// Draws what a view shows, as a square picture of the network's size.
fn draw_view(
    pair: &Pair,
    view: &View,
    take: Take,
    report: &mut Report<'_>,
) -> Result<RgbaImage, EngineError> {
    let Some(base) = &pair.base else {
        return Err(EngineError::Input("the request has no settings for inpainting".to_owned()));
    };
    let mut sample = pair.draw(&view.inputs(base.side, base.device())?, take, report)?;
    // A view that is no larger than the small picture has no detail for the large one to keep.
    if let Some(upsample) = &pair.upsample
        && view.side() as usize > base.side
    {
        let inputs = Inputs {
            low_res: Some(low_res_from_sample(&sample)?),
            ..view.inputs(upsample.side, upsample.device())?
        };
        sample = pair.enlarge(&inputs, take, report)?;
    }
    image_from_tensor(&sample)
}

/// What the network is shown of a canvas.
///
/// The context rect lies in the middle of a square, since the network's pictures are square; what
/// the canvas can't fill is unknown, like the hole itself.
struct View {
    /// The context's pixels over paper.
    flat: RgbaImage,
    /// 255 where the context's pixels are to be painted or transparent.
    unknown: Mask,
    /// Where the context lies in the square.
    place: CanvasRect,
}

impl View {
    fn of_region(canvas: &RgbaImage, unpainted: &Mask, region: &Region) -> Self {
        let context = region.context_rect;
        let crop = canvas.crop(context);
        let mut unknown = unpainted.crop(context);
        for (cover, pixel) in unknown.as_raw_mut().iter_mut().zip(crop.pixels()) {
            // Half-covered pixels still show what is to go; transparent ones show nothing.
            *cover = if *cover > 0 || pixel[3] == 0 { 255 } else { 0 };
        }
        let side = context.width.max(context.height);
        let place =
            CanvasRect { x: (side - context.width) / 2, y: (side - context.height) / 2, ..context };
        Self { flat: crop.flattened(PAPER), unknown, place }
    }

    /// Side of the square in canvas pixels.
    fn side(&self) -> u32 {
        self.place.width.max(self.place.height)
    }

    /// Known pixels and their mask at `side` pixels.
    fn inputs(&self, side: usize, device: &Device) -> Result<Inputs, EngineError> {
        let square = Extent::new(self.side(), self.side());
        let to = Extent::new(side as u32, side as u32);
        // Unknown pixels are made transparent, so that resizing takes nothing of their color into
        // the known ones beside them.
        let mut seen = self.flat.clone();
        for (pixel, &unknown) in seen.pixels_mut().iter_mut().zip(self.unknown.as_raw()) {
            if unknown > 0 {
                *pixel = [0; 4];
            }
        }
        let mut picture = RgbaImage::new(square, [0; 4]);
        picture.paste(&seen, self.place.x, self.place.y);
        let mut unknown = Mask::new(square);
        unknown.fill(square.rect(), 255);
        let lines = self.unknown.lines().zip(self.place.y..);
        for (line, y) in lines {
            let start = y as usize * square.width as usize + self.place.x as usize;
            if let Some(target) = unknown.as_raw_mut().get_mut(start..start + line.len()) {
                target.copy_from_slice(line);
            }
        }
        Ok(Inputs {
            known: Some(tensor_from_image(&resize_rgba(&picture, to), device)?),
            keep_mask: Some(keep_mask_from_mask(&resize_mask_any(&unknown, to), device)?),
            low_res: None,
        })
    }

    /// The context's part of a picture of the square, at the context's size.
    fn context_from_square(&self, drawn: &RgbaImage) -> RgbaImage {
        resize_bicubic_rgb(drawn, Extent::new(self.side(), self.side())).crop(self.place)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::family::Purpose;
    use crate::engine::library::TinyFamily;
    use crate::engine::request::{InpaintSettings, SourceNote};
    use crate::engine::testing::TinyEngine;
    use crate::models::glide::Role;

    /// A picture with every kind of alpha.
    fn picture(extent: Extent) -> RgbaImage {
        let mut image = RgbaImage::new(extent, [0; 4]);
        for (index, pixel) in image.pixels_mut().iter_mut().enumerate() {
            let i = index as u32;
            let alpha = [255, 255, 0, 128, 1][index % 5];
            *pixel = [(i * 7) as u8, (i * 13 / 5) as u8, (i / 3) as u8, alpha];
        }
        image
    }

    fn mask(extent: Extent, rects: &[CanvasRect], cover: u8) -> Mask {
        let mut mask = Mask::new(extent);
        for &rect in rects {
            mask.fill(rect, cover);
        }
        mask
    }

    fn request(tiny: &TinyEngine, image: RgbaImage, mask: Mask) -> InpaintRequest {
        let family = tiny.family(Purpose::Inpaint);
        InpaintRequest {
            settings: InpaintSettings {
                common: tiny.common(Purpose::Inpaint, "a red circle", 0.0),
                count: 1,
                base: family.base_settings(None).unwrap(),
                upsample: Some(family.upsample_settings().unwrap()),
                feather_px: 3,
                image: SourceNote::default(),
                mask: SourceNote::default(),
            },
            image: Arc::new(image),
            mask: Arc::new(mask),
        }
    }

    #[test]
    fn nothing_outside_the_mask_changes_and_something_inside_does() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        for (width, height, rects, cover) in [
            (64, 64, vec![CanvasRect::new(20, 20, 20, 20)], 255),
            (37, 91, vec![CanvasRect::new(0, 0, 9, 12)], 255),
            (1, 1, vec![CanvasRect::new(0, 0, 1, 1)], 255),
            (5, 130, vec![CanvasRect::new(0, 100, 5, 30)], 200),
            (300, 40, vec![CanvasRect::new(4, 4, 9, 9), CanvasRect::new(280, 20, 10, 10)], 255),
            (50, 50, vec![CanvasRect::new(0, 0, 50, 50)], 255),
        ] {
            let extent = Extent::new(width, height);
            let (before, mask) = (picture(extent), mask(extent, &rects, cover));
            let request = request(&tiny, before.clone(), mask.clone());
            let outcome = tiny.run(Request::Inpaint(request));
            let after = &outcome.pictures[0].image;
            assert_eq!(outside_mask_delta(&before, after, &mask), 0, "{extent}");
            assert_eq!(outcome.report.outside_mask_delta, Some(0), "{extent}");
            assert_ne!(&before, after, "{extent}");
        }
    }

    #[test]
    fn variants_have_their_own_seeds_and_come_again() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        let extent = Extent::new(48, 48);
        let mask = mask(extent, &[CanvasRect::new(10, 10, 30, 20)], 255);
        let mut two = request(&tiny, picture(extent), mask);
        two.settings.count = 2;
        let both = tiny.run(Request::Inpaint(two.clone())).pictures;
        assert_ne!(both[0].image, both[1].image);
        two.settings.count = 1;
        two.settings.common.seed += 1;
        let second = tiny.run(Request::Inpaint(two)).pictures;
        assert_eq!(second[0].image, both[1].image);
    }

    #[test]
    fn networks_without_inpainting_inputs_repaint_too() {
        let roles = vec![Role::Base, Role::Upsample];
        let mut tiny = TinyEngine::new(&TinyFamily { roles, ..TinyFamily::new("tiny") });
        let extent = Extent::new(40, 30);
        let mask = mask(extent, &[CanvasRect::new(5, 5, 10, 10)], 255);
        let request = request(&tiny, picture(extent), mask);
        let outcome = tiny.run(Request::Inpaint(request));
        assert_eq!(outcome.report.outside_mask_delta, Some(0));
    }

    #[test]
    fn the_hole_does_not_shine_into_the_known_pixels() {
        // White all around a black hole: whatever the resizing, known pixels stay white.
        let extent = Extent::new(90, 90);
        let hole = CanvasRect::new(30, 30, 31, 29);
        let mut canvas = RgbaImage::new(extent, [255; 4]);
        canvas.paste(&RgbaImage::new(hole.extent(), [0, 0, 0, 255]), hole.x, hole.y);
        let region = Region { context_rect: CanvasRect::new(10, 0, 80, 80), result_rect: hole };
        let view = View::of_region(&canvas, &mask(extent, &[hole], 255), &region);
        for side in [16, 64, 256] {
            let inputs = view.inputs(side, &Device::Cpu).unwrap();
            let known = inputs.known.unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let keep = inputs.keep_mask.unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert!(keep.contains(&1.0) && keep.contains(&0.0));
            for (index, value) in known.iter().enumerate() {
                let kept = keep[index % (side * side)] > 0.0;
                assert!(!kept || (value - 1.0).abs() < 1e-6, "side {side}: {value}");
            }
        }
    }

    #[test]
    fn a_context_that_is_no_square_lies_in_the_middle_of_one_and_the_rest_is_unknown() {
        let extent = Extent::new(20, 8);
        let canvas = RgbaImage::new(extent, [10, 20, 30, 255]);
        let hole = CanvasRect::new(0, 0, 2, 2);
        let region = Region { context_rect: extent.rect(), result_rect: hole };
        let view = View::of_region(&canvas, &mask(extent, &[hole], 255), &region);
        assert_eq!((view.side(), view.place), (20, CanvasRect::new(0, 6, 20, 8)));
        let inputs = view.inputs(20, &Device::Cpu).unwrap();
        let keep = inputs.keep_mask.unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let known = keep.iter().filter(|&&value| value > 0.0).count();
        assert_eq!(known, 20 * 8 - 4);
        let mut square = RgbaImage::new(Extent::new(20, 20), [0, 0, 0, 255]);
        square.paste(&canvas, 0, 6);
        assert_eq!(view.context_from_square(&square), canvas);
    }
}
