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
        let place = CanvasRect {
            x: (side - context.width) / 2,
            y: (side - context.height) / 2,
            ..context
        };
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
