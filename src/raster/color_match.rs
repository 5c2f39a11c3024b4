//! Bringing the colors of a repainted patch in line with the pixels around the hole.

use crate::geom::{CanvasRect, Extent};
use crate::raster::distance::squared_distances;
use crate::raster::{GoOn, Mask, RgbaImage};

/// Fewer known pixels than this say nothing about the colors.
const MIN_RING_PIXELS: usize = 16;
/// The gain stays within this factor of 1 either way.
const MAX_GAIN: f32 = 1.25;
/// The even shift of a channel stays within this many levels.
const MAX_OFFSET: f32 = 40.0;
/// What may be added to the even shift from place to place, in levels.
const MAX_LOCAL_OFFSET: f32 = 20.0;
/// Cells of the field of local offsets, along each side.
const CELLS: usize = 8;
/// Rows in which the ring is looked for at a time.
const BAND_ROWS: usize = 256;
/// Known pixels whose alpha is below this show too little of their color.
const VISIBLE_ALPHA: u8 = 128;

/// Shifts the colors of `patch` so that it agrees with the known pixels around the hole.
///
/// All three have the same extent; `mask_crop` is above 0 in the hole. A ring of known pixels
/// beside the hole is compared with the patch at the same place: each channel gets one gain and
/// offset, then a slowly varying offset for what is left. Outliers (an object's outline that the
/// patch moved) are left out, every change is bounded, and the patch comes back as it is where
/// there is nothing to compare. Alpha isn't touched.
#[must_use]
pub fn match_color(patch: &RgbaImage, original_crop: &RgbaImage, mask_crop: &Mask) -> RgbaImage {
    match_color_while(patch.clone(), original_crop, mask_crop, &|| true)
        .unwrap_or_else(|| patch.clone())
}

/// As [`match_color`], on the patch itself, asking before each row whether to go on; `None` where
/// not.
#[must_use]
pub fn match_color_while(
    patch: RgbaImage,
    original_crop: &RgbaImage,
    mask_crop: &Mask,
    go_on: GoOn<'_>,
) -> Option<RgbaImage> {
    let extent = patch.extent();
    let mut matched = patch;
    if extent != original_crop.extent() || extent != mask_crop.extent() {
        return Some(matched);
    }
    let ring = ring_pixels(original_crop, mask_crop, go_on)?;
    for channel in 0..3 {
        let samples: Vec<Sample> = ring
            .iter()
            .filter_map(|&index| {
                let old = original_crop.pixels().get(index)?.get(channel)?;
                let new = matched.pixels().get(index)?.get(channel)?;
                Some(Sample { index, old: f32::from(*old), new: f32::from(*new) })
            })
            .collect();
        if let Some(change) = ChannelChange::fitted(&samples, extent) {
            change.apply(&mut matched, channel, go_on)?;
        }
    }
    Some(matched)
}

/// Indices of the visible known pixels close to the hole.
fn ring_pixels(original: &RgbaImage, mask: &Mask, go_on: GoOn<'_>) -> Option<Vec<usize>> {
    let Some(bounds) = mask.bounds() else { return Some(Vec::new()) };
    let extent = mask.extent();
    let width_px = (bounds.width.min(bounds.height) / 8).clamp(2, 32);
    let reach = width_px.saturating_mul(width_px);
    let near: CanvasRect = bounds.padded(width_px, extent);
    let part = mask.crop(near);
    let mut ring = Vec::new();
    let height = near.height as usize;
    for first in (0..height).step_by(BAND_ROWS) {
        if !go_on() {
            return None;
        }
        let rows = first..(first + BAND_ROWS).min(height);
        let distances = squared_distances(&part, |cover| cover > 0, rows.clone(), width_px);
        for (y, line) in rows.zip(distances.chunks_exact(near.width.max(1) as usize)) {
            let start = (near.y as usize + y) * extent.width as usize + near.x as usize;
            for (x, &distance) in line.iter().enumerate() {
                let visible =
                    original.pixels().get(start + x).is_some_and(|pixel| pixel[3] >= VISIBLE_ALPHA);
                if (1..=reach).contains(&distance) && visible {
                    ring.push(start + x);
                }
            }
        }
    }
    Some(ring)
}

/// One channel of one pixel of the ring.
#[derive(Clone, Copy)]
struct Sample {
    index: usize,
    old: f32,
    new: f32,
}

/// What is done to one channel: `gain * value + offset`, plus the local offset.
struct ChannelChange {
    gain: f32,
    offset: f32,
    /// Local offsets at the corners of [`CELLS`] by [`CELLS`] cells.
    field: Vec<f32>,
}

impl ChannelChange {
    fn fitted(samples: &[Sample], extent: Extent) -> Option<Self> {
        if samples.len() < MIN_RING_PIXELS {
            return None;
        }
        let inliers = without_outliers(samples);
        let count = inliers.len() as f32;
        let mean = |value: fn(&Sample) -> f32| inliers.iter().map(value).sum::<f32>() / count;
        let (old, new) = (mean(|sample| sample.old), mean(|sample| sample.new));
        let gain = fitted_gain(&inliers, old, new);
        let shift = (old - new).clamp(-MAX_OFFSET, MAX_OFFSET);
        // The gain turns about the ring's mean, so that bounding the shift bounds the change.
        let offset = new + shift - gain * new;
        let field = local_offsets(&inliers, gain, offset, extent);
        Some(Self { gain, offset, field })
    }

    fn apply(&self, image: &mut RgbaImage, channel: usize, go_on: GoOn<'_>) -> Option<()> {
        let extent = image.extent();
        let columns: Vec<(usize, f32)> = (0..extent.width).map(|x| cell(x, extent.width)).collect();
        let width = (extent.width as usize).max(1);
        for (y, line) in (0..).zip(image.pixels_mut().chunks_exact_mut(width)) {
            if !go_on() {
                return None;
            }
            let (row, down) = cell(y, extent.height);
            let corner = |column: usize, row: usize| {
                self.field.get(row * (CELLS + 1) + column).copied().unwrap_or(0.0)
            };
            for (pixel, &(column, right)) in line.iter_mut().zip(&columns) {
                let along =
                    |row| corner(column, row) * (1.0 - right) + corner(column + 1, row) * right;
                let local = along(row) * (1.0 - down) + along(row + 1) * down;
                if let Some(value) = pixel.get_mut(channel) {
                    *value = (f32::from(*value) * self.gain + self.offset + local).round() as u8;
                }
            }
        }
        Some(())
    }
}

/// The cell that a pixel's center lies in, and how far in it lies, 0 to 1.
fn cell(place: u32, length: u32) -> (usize, f32) {
    let position = (place as f32 + 0.5) / length.max(1) as f32 * CELLS as f32;
    let cell = (position as usize).min(CELLS - 1);
    (cell, position - cell as f32)
}

/// Samples whose difference lies within three deviations of the middle one.
fn without_outliers(samples: &[Sample]) -> Vec<Sample> {
    let middle = median(samples.iter().map(|sample| sample.old - sample.new));
    let deviation =
        median(samples.iter().map(|sample| (sample.old - sample.new - middle).abs())).max(2.0);
    // 1.4826 makes the median deviation comparable to a standard deviation.
    let limit = 3.0 * 1.4826 * deviation;
    let near = |sample: &&Sample| (sample.old - sample.new - middle).abs() <= limit;
    samples.iter().filter(near).copied().collect()
}

fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// The slope of old over new values, or 1 where they vary too little or have little in common.
///
/// A slope by regression, not the ratio of deviations: a patch that is only blurred has less
/// deviation than the original but a slope of 1.
fn fitted_gain(samples: &[Sample], old_mean: f32, new_mean: f32) -> f32 {
    let (mut old_square, mut new_square, mut product) = (0.0, 0.0, 0.0);
    for sample in samples {
        let (old, new) = (sample.old - old_mean, sample.new - new_mean);
        old_square += old * old;
        new_square += new * new;
        product += old * new;
    }
    let varies = new_square / samples.len().max(1) as f32 >= 25.0;
    let correlated = product >= 0.9 * (old_square * new_square).sqrt();
    if varies && correlated { (product / new_square).clamp(1.0 / MAX_GAIN, MAX_GAIN) } else { 1.0 }
}

/// What gain and offset leave, averaged per cell and spread over the whole patch.
fn local_offsets(samples: &[Sample], gain: f32, offset: f32, extent: Extent) -> Vec<f32> {
    // Sum and number of the differences in each cell that the ring passes through.
    let mut cells = vec![(0.0_f32, 0.0_f32); CELLS * CELLS];
    let width = (extent.width as usize).max(1);
    for sample in samples {
        let (column, _) = cell((sample.index % width) as u32, extent.width);
        let (row, _) = cell((sample.index / width) as u32, extent.height);
        if let Some((sum, count)) = cells.get_mut(row * CELLS + column) {
            *sum += sample.old - (sample.new * gain + offset);
            *count += 1.0;
        }
    }
    let mut field = Vec::with_capacity((CELLS + 1) * (CELLS + 1));
    for row in 0..=CELLS {
        for column in 0..=CELLS {
            let (mut sum, mut weights) = (0.0, 0.0);
            for (i, &(difference, count)) in cells.iter().enumerate() {
                let (dx, dy) = (
                    (i % CELLS) as f32 + 0.5 - column as f32,
                    (i / CELLS) as f32 + 0.5 - row as f32,
                );
                // Falls with the fourth power of the distance: near cells decide, far ones fill.
                let weight = 1.0 / (dx * dx + dy * dy + 0.5).powi(2);
                sum += difference * weight;
                weights += count * weight;
            }
            let mean = if weights > 0.0 { sum / weights } else { 0.0 };
            field.push(mean.clamp(-MAX_LOCAL_OFFSET, MAX_LOCAL_OFFSET));
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::mask::tests::Seeded;

    const EXTENT: Extent = Extent::new(64, 64);

    fn hole() -> Mask {
        let mut mask = Mask::new(EXTENT);
        mask.fill(CanvasRect::new(20, 20, 24, 24), 255);
        mask
    }

    /// A smooth picture with some grain.
    fn picture() -> RgbaImage {
        let mut seeded = Seeded(10);
        let mut image = RgbaImage::new(EXTENT, [0, 0, 0, 255]);
        for (i, pixel) in image.pixels_mut().iter_mut().enumerate() {
            let grain = seeded.below(7) as u8;
            let (x, y) = ((i % 64) as u8, (i / 64) as u8);
            *pixel = [60 + x + grain, 90 + y + grain, 120 + u8::midpoint(x, y) + grain, 255];
        }
        image
    }

    fn changed(image: &RgbaImage, change: impl Fn(usize, u8) -> f32) -> RgbaImage {
        let mut changed = image.clone();
        for pixel in changed.pixels_mut() {
            for (channel, value) in pixel.iter_mut().take(3).enumerate() {
                *value = change(channel, *value).round() as u8;
            }
        }
        changed
    }

    fn worst(a: &RgbaImage, b: &RgbaImage) -> u8 {
        a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    }

    #[test]
    fn an_agreeing_patch_is_left_as_it_is() {
        let image = picture();
        assert_eq!(match_color(&image, &image, &hole()), image);
    }

    #[test]
    fn a_color_cast_is_taken_out_again() {
        let image = picture();
        let cast = changed(&image, |channel, value| f32::from(value) + [25.0, -18.0, 9.0][channel]);
        assert!(worst(&match_color(&cast, &image, &hole()), &image) <= 1);
        let flat = changed(&image, |_, value| f32::from(value) * 0.9 + 20.0);
        assert!(worst(&match_color(&flat, &image, &hole()), &image) <= 3);
    }

    #[test]
    fn a_cast_that_varies_slowly_is_mostly_taken_out() {
        let image = picture();
        let mut cast = image.clone();
        for (i, pixel) in cast.pixels_mut().iter_mut().enumerate() {
            pixel[0] += (i % 64 / 4) as u8;
        }
        let matched = match_color(&cast, &image, &hole());
        let inside = CanvasRect::new(20, 20, 24, 24);
        let (left, right) = (matched.crop(inside), image.crop(inside));
        assert!(worst(&left, &right) <= 5, "{}", worst(&left, &right));
    }

    #[test]
    fn outliers_do_not_shift_the_rest() {
        let image = picture();
        let mut patch = image.clone();
        for y in 17..20 {
            for x in 20..32 {
                patch.pixels_mut()[y * 64 + x] = [255, 0, 255, 255];
            }
        }
        let matched = match_color(&patch, &image, &hole());
        let inside = CanvasRect::new(20, 20, 24, 24);
        assert!(worst(&matched.crop(inside), &image.crop(inside)) <= 1);
    }

    #[test]
    fn changes_are_bounded() {
        let black = RgbaImage::new(EXTENT, [0, 0, 0, 255]);
        let white = RgbaImage::new(EXTENT, [255; 4]);
        let matched = match_color(&black, &white, &hole());
        let most = (MAX_OFFSET + MAX_LOCAL_OFFSET) as u8;
        assert!(matched.pixels().iter().all(|pixel| pixel[0] <= most && pixel[0] > 0));
    }

    #[test]
    fn without_known_pixels_nothing_changes() {
        let (image, other) = (picture(), RgbaImage::new(EXTENT, [9, 9, 9, 255]));
        let mut all = Mask::new(EXTENT);
        all.fill(EXTENT.rect(), 255);
        assert_eq!(match_color(&image, &other, &all), image);
        assert_eq!(match_color(&image, &other, &Mask::new(EXTENT)), image);
        let hidden = RgbaImage::new(EXTENT, [9, 9, 9, 0]);
        assert_eq!(match_color(&image, &hidden, &hole()), image);
        assert_eq!(match_color(&image, &other, &Mask::new(Extent::new(2, 2))), image);
    }
}
