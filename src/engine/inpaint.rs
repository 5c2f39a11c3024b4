//! Repainting the masked part of a picture; everything outside the mask stays byte for byte.

use std::borrow::Cow;

use candle_core::Device;

use crate::engine::denoisers::Inputs;
use crate::engine::error::EngineError;
use crate::engine::event::{Picture, Stage};
use crate::engine::family::Enlarged;
use crate::engine::jobs::Jobs;
use crate::engine::pair::{Frame, Pair, Take};
use crate::engine::report::Report;
use crate::engine::request::{AlphaRule, InpaintRequest, Request};
use crate::engine::sampling::Origin;
use crate::engine::tensor_image::{
    image_from_tensor, keep_mask_from_mask, low_res_from_sample, tensor_from_image,
};
use crate::geom::{CanvasRect, Extent};
use crate::nn::Interrupt;
use crate::raster::{
    Mask, Region, RegionSettings, RgbaImage, composite_inside, match_color_while,
    outside_mask_delta_while, plan_regions_while, resize_bicubic_rgb_while, resize_mask_any_while,
    resize_rgba_while,
};

/// What transparent pixels are shown over, where they are shown at all.
const PAPER: [u8; 3] = [255; 3];
/// Rows of a picture that are worked on before the job is asked whether it is still wanted.
const BAND_ROWS: u32 = 256;
/// Bytes that are copied before it is asked.
const COPY_BYTES: usize = 16 << 20;

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
    let go_on = Wanted::by(report);
    let planned = plan_regions_while(mask, &RegionSettings::for_model(side), &|| go_on.still());
    let regions = go_on.whole(planned)?;
    let whole = Request::Inpaint(request.clone());
    let count = settings.count as usize;
    let items = count * regions.len();
    let once: f64 = regions
        .iter()
        .map(|region| {
            pair.work(enlarged(&pair, square_side(region.context_rect)), settings.strength)
        })
        .sum();
    report.plan(once * count as f64);
    let mut pictures = Vec::with_capacity(count);
    let mut delta = 0;
    for i in 0..count {
        let seed = settings.common.seed.wrapping_add(i as u64);
        let mut canvas = go_on.copy(image)?;
        // What is still to be painted; regions that are done are known to the next ones.
        let mut unpainted = Mask::clone(mask);
        for (index, region) in regions.iter().enumerate() {
            let item = (i * regions.len() + index, items);
            let view = View::of_region(&canvas, &unpainted, region, &go_on)?;
            let frame = Frame { context: region.context_rect, place: view.place };
            let take = Take { seed, region: index as u32, item, frame: Some(frame) };
            let drawn = draw_view(&pair, &view, settings.strength, take, &go_on, report)?;
            report.stage(Stage::Blend)?;
            let patch = view.context_from_square(&drawn, &go_on)?;
            let still = || go_on.still();
            let matched = match_color_while(patch, &view.flat, &view.unknown, &still);
            paint_back(&mut canvas, &go_on.whole(matched)?, region, request, &go_on)?;
            unpainted.fill(region.result_rect, 0);
        }
        // Measured, not assumed: on the final bytes, against what came in.
        let changed = outside_mask_delta_while(image, &canvas, mask, &|| go_on.still());
        delta += go_on.whole(changed)?;
        pictures.push(Picture { image: canvas, seed, record: whole.record(seed) });
    }
    report.facts.outside_mask_delta = Some(delta);
    Ok(pictures)
}

/// Blends a painted context into the canvas where the region's result lies.
fn paint_back(
    canvas: &mut RgbaImage,
    patch: &RgbaImage,
    region: &Region,
    request: &InpaintRequest,
    go_on: &Wanted,
) -> Result<(), EngineError> {
    let InpaintRequest { settings, mask, .. } = request;
    let (context, result) = (region.context_rect, region.result_rect);
    for band in bands(result) {
        go_on.check()?;
        let inside = CanvasRect { x: band.x - context.x, y: band.y - context.y, ..band };
        let mut part = patch.crop(inside);
        if settings.alpha == AlphaRule::Kept {
            lift_from_paper(&mut part, &canvas.crop(band));
        }
        composite_inside(canvas, &part, band, mask, settings.feather_px);
    }
    Ok(())
}

/// A rect from top to bottom in parts that take little time each.
fn bands(rect: CanvasRect) -> impl Iterator<Item = CanvasRect> {
    (rect.y..rect.bottom()).step_by(BAND_ROWS as usize).map(move |y| CanvasRect {
        y,
        height: BAND_ROWS.min(rect.bottom() - y),
        ..rect
    })
}

/// Whether the job is still wanted; asked between the rows of large pictures.
struct Wanted(Interrupt);

impl Wanted {
    fn by(report: &Report<'_>) -> Self {
        Self(report.interrupt().clone())
    }

    fn still(&self) -> bool {
        !self.0.is_raised()
    }

    fn check(&self) -> Result<(), EngineError> {
        if self.still() { Ok(()) } else { Err(EngineError::Cancelled) }
    }

    /// The result of work that ends early only because the job does.
    fn whole<T>(&self, result: Option<T>) -> Result<T, EngineError> {
        debug_assert!(result.is_some() || !self.still(), "nobody asked to end this work");
        result.ok_or(EngineError::Cancelled)
    }

    fn copy(&self, image: &RgbaImage) -> Result<RgbaImage, EngineError> {
        let mut bytes = Vec::with_capacity(image.as_raw().len());
        for part in image.as_raw().chunks(COPY_BYTES) {
            self.check()?;
            bytes.extend_from_slice(part);
        }
        Ok(RgbaImage::from_raw(image.extent(), bytes)?)
    }
}

/// Draws what a view shows, as a square picture of the network's size.
fn draw_view(
    pair: &Pair,
    view: &View,
    strength: f64,
    take: Take,
    go_on: &Wanted,
    report: &mut Report<'_>,
) -> Result<RgbaImage, EngineError> {
    let Some(base) = &pair.base else {
        return Err(EngineError::Input("the request has no settings for inpainting".to_owned()));
    };
    let inputs = view.inputs(base.side, base.device(), go_on)?;
    let origin = view.origin(strength, base.side, base.device(), go_on)?;
    let mut sample = pair.draw(&inputs, origin.as_ref(), take, report)?;
    if let Some(upsample) = &pair.upsample
        && enlarged(pair, view.side()) == Enlarged::Yes
    {
        let inputs = Inputs {
            low_res: Some(low_res_from_sample(&sample)?),
            ..view.inputs(upsample.side, upsample.device(), go_on)?
        };
        let origin = view.origin(strength, upsample.side, upsample.device(), go_on)?;
        sample = pair.enlarge(&inputs, origin.as_ref(), take, report)?;
    }
    image_from_tensor(&sample)
}

/// Whether a square of `side` canvas pixels is enlarged: one that is no larger than the small
/// picture has no detail for the large one to keep.
fn enlarged(pair: &Pair, side: u32) -> Enlarged {
    match (&pair.base, &pair.upsample) {
        (Some(base), Some(_)) if side as usize > base.side => Enlarged::Yes,
        _ => Enlarged::No,
    }
}

/// Side of the square around a context.
const fn square_side(context: CanvasRect) -> u32 {
    if context.width > context.height { context.width } else { context.height }
}

/// Gives a painted patch the alpha of the pixels that it replaces.
///
/// What was painted is how they look on paper, so the paper is taken out of the colors again: a
/// patch that shows the pixels unchanged gives them back.
fn lift_from_paper(patch: &mut RgbaImage, original: &RgbaImage) {
    for (pixel, &old) in patch.pixels_mut().iter_mut().zip(original.pixels()) {
        *pixel = match old[3] {
            0 => old,
            255 => *pixel,
            alpha => {
                let cover = f32::from(alpha) / 255.0;
                let lifted = |channel: usize| {
                    let paper = f32::from(PAPER[channel]) * (1.0 - cover);
                    ((f32::from(pixel[channel]) - paper) / cover).round() as u8
                };
                [lifted(0), lifted(1), lifted(2), alpha]
            }
        };
    }
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
    fn of_region(
        canvas: &RgbaImage,
        unpainted: &Mask,
        region: &Region,
        go_on: &Wanted,
    ) -> Result<Self, EngineError> {
        let context = region.context_rect;
        let mut flat = Vec::with_capacity(context.extent().area() * 4);
        let mut unknown = Vec::with_capacity(context.extent().area());
        for band in bands(context) {
            go_on.check()?;
            let crop = canvas.crop(band);
            // Half-covered pixels still show what is to go; transparent ones show nothing.
            let covers = unpainted.crop(band).into_raw().into_iter().zip(crop.pixels());
            unknown.extend(
                covers.map(|(cover, pixel)| if cover > 0 || pixel[3] == 0 { 255 } else { 0 }),
            );
            flat.extend_from_slice(crop.flattened(PAPER).as_raw());
        }
        let side = context.width.max(context.height);
        let place =
            CanvasRect { x: (side - context.width) / 2, y: (side - context.height) / 2, ..context };
        let flat = RgbaImage::from_raw(context.extent(), flat)?;
        Ok(Self { flat, unknown: Mask::from_raw(context.extent(), unknown)?, place })
    }

    /// Side of the square in canvas pixels.
    const fn side(&self) -> u32 {
        square_side(self.place)
    }

    /// What sampling starts from at a strength, at `side` pixels; `None` at full strength.
    ///
    /// Holes show what is in them now. Beside a context that is no square its edge goes on, so that
    /// nothing foreign shines into it.
    fn origin(
        &self,
        strength: f64,
        side: usize,
        device: &Device,
        go_on: &Wanted,
    ) -> Result<Option<Origin>, EngineError> {
        if strength >= 1.0 {
            return Ok(None);
        }
        let to = Extent::new(side as u32, side as u32);
        let square = extended(&self.flat, self.place, go_on)?;
        let square = go_on.whole(resize_bicubic_rgb_while(&square, to, &|| go_on.still()))?;
        Ok(Some(Origin { picture: tensor_from_image(&square, device)?, strength }))
    }

    /// Known pixels and their mask at `side` pixels.
    fn inputs(&self, side: usize, device: &Device, go_on: &Wanted) -> Result<Inputs, EngineError> {
        let square = Extent::new(self.side(), self.side());
        let to = Extent::new(side as u32, side as u32);
        let width = square.width as usize;
        let mut picture = RgbaImage::from_raw(square, vec![0; square.area() * 4])?;
        let mut unknown = Mask::new(square);
        // Beside a context that is no square nothing is known.
        if self.place.extent() != square {
            unknown.fill(square.rect(), 255);
        }
        let lines = self.flat.pixels().chunks(self.place.width.max(1) as usize);
        for ((colors, covers), y) in lines.zip(self.unknown.lines()).zip(self.place.y..) {
            go_on.check()?;
            let start = y as usize * width + self.place.x as usize;
            if let Some(target) = unknown.as_raw_mut().get_mut(start..start + covers.len()) {
                target.copy_from_slice(covers);
            }
            // Unknown pixels are left transparent, so that resizing takes nothing of their color
            // into the known ones beside them.
            let targets = picture.pixels_mut().get_mut(start..start + colors.len());
            for ((target, &color), &cover) in
                targets.unwrap_or_default().iter_mut().zip(colors).zip(covers)
            {
                if cover == 0 {
                    *target = color;
                }
            }
        }
        let still = || go_on.still();
        let known = go_on.whole(resize_rgba_while(&picture, to, &still))?;
        let unknown = go_on.whole(resize_mask_any_while(&unknown, to, &still))?;
        Ok(Inputs {
            known: Some(tensor_from_image(&known, device)?),
            keep_mask: Some(keep_mask_from_mask(&unknown, device)?),
            low_res: None,
        })
    }

    /// The context's part of a picture of the square, at the context's size.
    fn context_from_square(
        &self,
        drawn: &RgbaImage,
        go_on: &Wanted,
    ) -> Result<RgbaImage, EngineError> {
        let square = Extent::new(self.side(), self.side());
        let large = go_on.whole(resize_bicubic_rgb_while(drawn, square, &|| go_on.still()))?;
        if self.place.extent() == square {
            return Ok(large);
        }
        let mut context = Vec::with_capacity(self.place.extent().area() * 4);
        for band in bands(self.place) {
            go_on.check()?;
            context.extend_from_slice(large.crop(band).as_raw());
        }
        Ok(RgbaImage::from_raw(self.place.extent(), context)?)
    }
}

/// A picture at its place in a square, with its edges repeated to the square's.
fn extended<'a>(
    image: &'a RgbaImage,
    place: CanvasRect,
    go_on: &Wanted,
) -> Result<Cow<'a, RgbaImage>, EngineError> {
    let side = square_side(place);
    let lines: Vec<&[[u8; 4]]> = image.pixels().chunks(place.width.max(1) as usize).collect();
    let (Some(first), false) = (lines.first(), place.width == place.height) else {
        return Ok(Cow::Borrowed(image));
    };
    let (left, right) = (place.x as usize, (side - place.right()) as usize);
    let mut bytes = Vec::with_capacity(Extent::new(side, side).area() * 4);
    for y in 0..side {
        go_on.check()?;
        let nearest = y.clamp(place.y, place.bottom().max(1) - 1) - place.y;
        let line = lines.get(nearest as usize).unwrap_or(first);
        let edge = |pixel: Option<&[u8; 4]>, count: usize| {
            pixel.copied().unwrap_or_default().repeat(count)
        };
        bytes.extend(edge(line.first(), left));
        bytes.extend_from_slice(line.as_flattened());
        bytes.extend(edge(line.last(), right));
    }
    Ok(Cow::Owned(RgbaImage::from_raw(Extent::new(side, side), bytes)?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::draft::{self, Choices, Source, Words};
    use crate::engine::family::Purpose;
    use crate::engine::library::TinyFamily;
    use crate::engine::request::{InpaintSettings, SamplerChoice, SourceNote};
    use crate::engine::testing::TinyEngine;
    use crate::models::Role;
    use crate::raster::outside_mask_delta;

    fn wanted() -> Wanted {
        Wanted(Interrupt::new())
    }

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
                strength: 1.0,
                alpha: AlphaRule::Painted,
                image: SourceNote::default(),
                mask: SourceNote::default(),
            },
            image: Arc::new(image),
            mask: Arc::new(mask),
        }
    }

    #[test]
    fn nothing_outside_the_mask_changes_and_something_inside_does() {
        for strength in [1.0, 0.5] {
            check_outside_and_inside(strength);
        }
    }

    fn check_outside_and_inside(strength: f64) {
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
            let mut request = request(&tiny, before.clone(), mask.clone());
            request.settings.strength = strength;
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

    /// A colorful picture with smooth parts and edges, without alpha.
    fn scene(extent: Extent) -> RgbaImage {
        let mut image = RgbaImage::new(extent, [0, 0, 0, 255]);
        let width = extent.width;
        for (index, pixel) in image.pixels_mut().iter_mut().enumerate() {
            let (x, y) = (index as u32 % width, index as u32 / width);
            let block = if (x / 8 + y / 8) % 2 == 0 { 200 } else { 60 };
            *pixel = [(x * 255 / width) as u8, block, 255 - (x * 255 / width) as u8, 255];
        }
        image
    }

    /// Mean difference of the colors of visible pixels.
    fn distance(a: &RgbaImage, b: &RgbaImage) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (a, b) in a.pixels().iter().zip(b.pixels()).filter(|(a, _)| a[3] >= 64) {
            for channel in 0..3 {
                sum += f64::from(a[channel].abs_diff(b[channel]));
                count += 1.0;
            }
        }
        sum / count
    }

    fn variation(tiny: &TinyEngine, image: &RgbaImage, choices: &Choices) -> Request {
        let words = Words::prompt("a red circle");
        let image = Source::of(Arc::new(image.clone()));
        let choices = Choices { seed: Some(7), ..choices.clone() };
        draft::vary(words, &choices, image, None, &tiny.library()).unwrap()
    }

    #[test]
    fn little_strength_stays_near_the_picture_with_every_sampler_and_in_both_stages() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        // As large as the small picture, and as the large one.
        for side in [16, 32] {
            let image = scene(Extent::new(side, side));
            for sampler in [SamplerChoice::Ddpm, SamplerChoice::Ddim, SamplerChoice::DpmPp] {
                let mut at = |strength: f64| {
                    let choices = Choices {
                        strength: Some(strength),
                        steps: Some(20),
                        upsample_steps: Some("20".to_owned()),
                        sampler: Some(sampler),
                        upsample_sampler: Some(sampler),
                        ..Choices::default()
                    };
                    let mut pictures = tiny.run(variation(&tiny, &image, &choices)).pictures;
                    distance(&pictures.remove(0).image, &image)
                };
                let (little, much, all) = (at(0.01), at(0.5), at(1.0));
                assert!(little < 4.0, "{sampler:?} {side}: {little}");
                assert!(little < much && much < all, "{sampler:?} {side}: {much} {all}");
            }
        }
    }

    #[test]
    fn a_variation_keeps_every_alpha_and_hidden_color() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        // The first is as large as the network's picture, so that no resizing blurs its holes.
        for (extent, near) in [(Extent::new(32, 32), 8.0), (Extent::new(30, 11), 40.0)] {
            let mut before = scene(extent);
            let alphas = picture(extent);
            for (pixel, alpha) in before.pixels_mut().iter_mut().zip(alphas.pixels()) {
                pixel[3] = alpha[3];
            }
            for (strength, most) in [(0.01, near), (1.0, 255.0)] {
                let choices = Choices { strength: Some(strength), ..Choices::default() };
                let outcome = tiny.run(variation(&tiny, &before, &choices));
                let after = &outcome.pictures[0].image;
                for (old, new) in before.pixels().iter().zip(after.pixels()) {
                    assert_eq!(old[3], new[3]);
                    assert!(old[3] > 0 || old == new);
                }
                assert_ne!(&before, after);
                assert!(distance(&before, after) < most, "{}", distance(&before, after));
                assert_eq!(outcome.pictures[0].record.command(), "vary");
            }
        }
    }

    #[test]
    fn full_strength_is_what_it_was_before_there_was_any() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        let extent = Extent::new(48, 40);
        let mask = mask(extent, &[CanvasRect::new(10, 10, 30, 20)], 255);
        let full = request(&tiny, picture(extent), mask.clone());
        let region = Region { context_rect: extent.rect(), result_rect: extent.rect() };
        let view = View::of_region(&full.image, &mask, &region, &wanted()).unwrap();
        assert!(view.origin(1.0, 16, &Device::Cpu, &wanted()).unwrap().is_none());
        assert!(view.origin(0.99, 16, &Device::Cpu, &wanted()).unwrap().is_some());
        // Records of before say nothing about it, and those of now say it the same way.
        let json = serde_json::to_value(&full.settings).unwrap();
        for name in ["strength", "alpha", "negative_prompt"] {
            assert!(json.get(name).is_none(), "{name}");
        }
        let old: InpaintSettings = serde_json::from_value(json).unwrap();
        assert_eq!(old, full.settings);
        let half = InpaintSettings { strength: 0.5, alpha: AlphaRule::Kept, ..old };
        let json = serde_json::to_string(&half).unwrap();
        assert_eq!(serde_json::from_str::<InpaintSettings>(&json).unwrap(), half);
        let almost = InpaintRequest { settings: half, ..full.clone() };
        let pictures = |tiny: &mut TinyEngine, request: &InpaintRequest| {
            tiny.run(Request::Inpaint(request.clone())).pictures.remove(0).image
        };
        let first = pictures(&mut tiny, &almost);
        assert_eq!(first, pictures(&mut tiny, &almost), "the same request, the same bytes");
        assert_ne!(first, pictures(&mut tiny, &full));
    }

    #[test]
    fn progress_counts_the_steps_that_are_run_and_all_of_the_jobs() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        let image = scene(Extent::new(40, 20));
        let choices = Choices { strength: Some(0.5), count: Some(2), ..Choices::default() };
        let mut told = Vec::new();
        let mut shares = vec![0.0];
        let variation = variation(&tiny, &image, &choices);
        tiny.run_watched(variation, |progress| {
            told.push((progress.stage, progress.item, progress.step, progress.steps));
            assert!(progress.overall > *shares.last().unwrap());
            assert_eq!(progress.job_eta.is_zero(), progress.overall >= 1.0);
            shares.push(progress.overall);
        });
        let expected: Vec<_> = (0..2)
            .flat_map(|item| [(Stage::Base, item), (Stage::Upsample, item)])
            .flat_map(|(stage, item)| (1..=2).map(move |step| (stage, item, step, 2)))
            .collect();
        assert_eq!(told, expected);
        assert!((shares[4] - 0.5).abs() < 1e-4 && (shares[8] - 1.0).abs() < 1e-6, "{shares:?}");
        let preview = tiny.engine.take_preview().unwrap();
        assert_eq!(preview.place, Some(CanvasRect::new(0, 0, 40, 20)));
        // The context's part of the large network's 32 pixels.
        assert_eq!(preview.image.extent(), Extent::new(32, 16));
    }

    #[test]
    fn a_job_that_is_no_longer_wanted_ends_in_every_part() {
        let extent = Extent::new(40, 30);
        let (canvas, hole) = (picture(extent), CanvasRect::new(5, 5, 10, 10));
        let tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        let request = request(&tiny, canvas.clone(), mask(extent, &[hole], 255));
        let region = Region { context_rect: extent.rect(), result_rect: hole };
        let view = View::of_region(&canvas, &request.mask, &region, &wanted()).unwrap();
        let unwanted = wanted();
        unwanted.0.raise();
        let ended = |result: Result<(), EngineError>| {
            assert!(matches!(result, Err(EngineError::Cancelled)), "{result:?}");
        };
        ended(unwanted.copy(&canvas).map(drop));
        ended(View::of_region(&canvas, &request.mask, &region, &unwanted).map(drop));
        ended(view.inputs(16, &Device::Cpu, &unwanted).map(drop));
        ended(view.origin(0.5, 16, &Device::Cpu, &unwanted).map(drop));
        ended(view.context_from_square(&canvas, &unwanted).map(drop));
        let mut target = canvas.clone();
        ended(paint_back(&mut target, &canvas, &region, &request, &unwanted));
        assert_eq!(target, canvas);
    }

    #[test]
    fn painting_in_bands_leaves_no_seam() {
        let extent = Extent::new(30, 3 * BAND_ROWS);
        let before = picture(extent);
        let all = CanvasRect::new(3, 7, 20, 3 * BAND_ROWS - 9);
        let mask = mask(extent, &[all], 255);
        let tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        let request = request(&tiny, before.clone(), mask.clone());
        let patch = scene(extent);
        let region = Region { context_rect: extent.rect(), result_rect: all };
        let mut banded = before.clone();
        paint_back(&mut banded, &patch, &region, &request, &wanted()).unwrap();
        let mut whole = before;
        composite_inside(&mut whole, &patch.crop(all), all, &mask, request.settings.feather_px);
        assert_eq!(banded, whole);
    }

    #[test]
    fn edges_go_on_beside_a_context_that_is_no_square() {
        let image = scene(Extent::new(5, 3));
        let square = extended(&image, CanvasRect::new(0, 1, 5, 3), &wanted()).unwrap();
        assert_eq!(square.extent(), Extent::new(5, 5));
        for x in 0..5 {
            assert_eq!(square.pixel(x, 0), image.pixel(x, 0));
            assert_eq!(square.pixel(x, 2), image.pixel(x, 1));
            assert_eq!(square.pixel(x, 4), image.pixel(x, 2));
        }
        let tall = RgbaImage::from_raw(Extent::new(1, 3), [[1; 4], [2; 4], [3; 4]].concat());
        let tall = tall.unwrap();
        let square = extended(&tall, CanvasRect::new(1, 0, 1, 3), &wanted()).unwrap();
        assert_eq!(square.pixels(), [1, 1, 1, 2, 2, 2, 3, 3, 3].map(|value| [value; 4]));
    }

    #[test]
    fn colors_that_did_not_change_are_lifted_from_the_paper_as_they_were() {
        let before = picture(Extent::new(50, 20));
        let mut patch = before.flattened(PAPER);
        lift_from_paper(&mut patch, &before);
        for (old, new) in before.pixels().iter().zip(patch.pixels()) {
            assert_eq!(old[3], new[3]);
            let near = |channel: usize| old[channel].abs_diff(new[channel]) <= 1;
            // At an alpha of 1 the paper hides all but a trace of the color.
            assert!(old[3] == 1 || (0..3).all(near), "{old:?} {new:?}");
        }
    }

    #[test]
    fn the_hole_does_not_shine_into_the_known_pixels() {
        // White all around a black hole: whatever the resizing, known pixels stay white.
        let extent = Extent::new(90, 90);
        let hole = CanvasRect::new(30, 30, 31, 29);
        let mut canvas = RgbaImage::new(extent, [255; 4]);
        canvas.paste(&RgbaImage::new(hole.extent(), [0, 0, 0, 255]), hole.x, hole.y);
        let region = Region { context_rect: CanvasRect::new(10, 0, 80, 80), result_rect: hole };
        let view =
            View::of_region(&canvas, &mask(extent, &[hole], 255), &region, &wanted()).unwrap();
        for side in [16, 64, 256] {
            let inputs = view.inputs(side, &Device::Cpu, &wanted()).unwrap();
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
        let view =
            View::of_region(&canvas, &mask(extent, &[hole], 255), &region, &wanted()).unwrap();
        assert_eq!((view.side(), view.place), (20, CanvasRect::new(0, 6, 20, 8)));
        let inputs = view.inputs(20, &Device::Cpu, &wanted()).unwrap();
        let keep = inputs.keep_mask.unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let known = keep.iter().filter(|&&value| value > 0.0).count();
        assert_eq!(known, 20 * 8 - 4);
        let mut square = RgbaImage::new(Extent::new(20, 20), [0, 0, 0, 255]);
        square.paste(&canvas, 0, 6);
        assert_eq!(view.context_from_square(&square, &wanted()).unwrap(), canvas);
    }
}
