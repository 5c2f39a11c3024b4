//! Resizing of pictures and masks.
//!
//! What a network reads must be resized as its training pictures were, so
//! [`resize_bicubic_rgb`] repeats Pillow's arithmetic to the last bit. [`resize_rgba`] is for what
//! goes back into a document and respects alpha. Masks have two ways down: by the average cover,
//! and by "any covered pixel counts", which is what keeps a pixel to be repainted from passing as
//! known.

use crate::geom::Extent;
use crate::raster::{Mask, RgbaImage};

/// Fraction bits of the 8-bit passes.
///
/// Source: python-pillow/Pillow, `src/libImaging/Resample.c`: `32 - 8 - 2`.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// Resizes a picture without its alpha, bit for bit as Pillow's `BICUBIC` does in mode RGB.
///
/// The kernel (a = -0.5) is widened when shrinking; rows go first, with 8-bit values between the
/// passes. The result is opaque; lay transparent pictures over a color before
/// ([`RgbaImage::flattened`]).
///
/// Source: python-pillow/Pillow, `src/libImaging/Resample.c`.
#[must_use]
pub fn resize_bicubic_rgb(image: &RgbaImage, to: Extent) -> RgbaImage {
    let mut resized = resize_bytes(image, to);
    for pixel in resized.pixels_mut() {
        pixel[3] = 255;
    }
    resized
}

/// Resizes a picture with its alpha, bicubic.
///
/// Colors are weighed by their alpha, so that the hidden color of transparent pixels doesn't
/// bleed into visible ones. Opaque pictures come out as from [`resize_bicubic_rgb`].
#[must_use]
pub fn resize_rgba(image: &RgbaImage, to: Extent) -> RgbaImage {
    if image.extent() == to {
        return image.clone();
    }
    if image.is_opaque() {
        return resize_bicubic_rgb(image, to);
    }
    let premultiplied: Vec<[f32; 4]> = image
        .pixels()
        .iter()
        .map(|&[r, g, b, a]| {
            let alpha = f32::from(a) / 255.0;
            [f32::from(r) * alpha, f32::from(g) * alpha, f32::from(b) * alpha, f32::from(a)]
        })
        .collect();
    let from = image.extent();
    let columns = Taps::bicubic(from.width, to.width);
    let rows = Taps::bicubic(from.height, to.height);
    let narrow = resize_rows_f32(&premultiplied, from, &columns);
    let sums = resize_columns_f32(&narrow, to.width as usize, &rows);
    let mut resized = RgbaImage::new(to, [0; 4]);
    for (pixel, sum) in resized.pixels_mut().iter_mut().zip(sums) {
        let [r, g, b, alpha] = sum;
        if alpha >= 0.5 {
            let straight = |value: f32| (value * 255.0 / alpha).round() as u8;
            *pixel = [straight(r), straight(g), straight(b), alpha.round() as u8];
        }
    }
    resized
}

/// Resizes a mask by its average cover: exact area when shrinking, linear when enlarging.
#[must_use]
pub fn resize_mask(mask: &Mask, to: Extent) -> Mask {
    let from = mask.extent();
    let columns = Taps::cover(from.width, to.width);
    let rows = Taps::cover(from.height, to.height);
    // One channel in the shape that the picture code has; the other three would be wasted work
    // on large masks, so masks have their own two loops.
    let width = to.width as usize;
    let mut sums = vec![0.0_f32; width * to.height as usize];
    let mut narrow = vec![0.0_f32; width];
    let mut source_rows = rows.spread(from.height);
    for (y, line) in mask.lines().enumerate() {
        let Some(targets) = source_rows.get_mut(y).filter(|targets| !targets.is_empty()) else {
            continue;
        };
        if line.iter().all(|&cover| cover == 0) {
            continue;
        }
        for (value, (start, weights)) in narrow.iter_mut().zip(columns.iter()) {
            let covered = line.get(start..).unwrap_or_default();
            *value = weights.iter().zip(covered).map(|(w, &c)| w * f32::from(c)).sum();
        }
        for (target, weight) in targets.drain(..) {
            let sums = sums.get_mut(target * width..(target + 1) * width).unwrap_or_default();
            for (sum, value) in sums.iter_mut().zip(&narrow) {
                *sum += weight * value;
            }
        }
    }
    let bytes = sums.into_iter().map(|sum| sum.round() as u8).collect();
    Mask::from_raw(to, bytes).unwrap_or_else(|_| Mask::new(to))
}

/// Resizes a mask so that a pixel is 255 where any covered pixel reaches into it, else 0.
///
/// Its inverse holds only pixels that are known for certain.
#[must_use]
pub fn resize_mask_any(mask: &Mask, to: Extent) -> Mask {
    let from = mask.extent();
    let mut any = Mask::new(to);
    let columns = reaches(from.width, to.width);
    let rows = reaches(from.height, to.height);
    let width = to.width as usize;
    for (line, &(top, bottom)) in mask.lines().zip(&rows) {
        for (_, &(left, right)) in line.iter().zip(&columns).filter(|(cover, _)| **cover > 0) {
            for y in top..bottom {
                let cells = any.as_raw_mut().get_mut(y * width + left..y * width + right);
                cells.unwrap_or_default().fill(255);
            }
        }
    }
    any
}

/// For each source pixel, the target pixels that it reaches into.
fn reaches(from: u32, to: u32) -> Vec<(usize, usize)> {
    let (from, to) = (u64::from(from.max(1)), u64::from(to));
    (0..from).map(|x| ((x * to / from) as usize, ((x + 1) * to).div_ceil(from) as usize)).collect()
}

/// The first source place and the weights of one target place, which may lie beyond the picture.
///
/// Within the picture these are the weights of Pillow's bicubic kernel. What lies before and after
/// it is taken for a picture of its own: no place there reads from within, nor the other way round.
pub(crate) fn taps_at(place: i32, from: u32, to: u32) -> (i32, Vec<f32>) {
    let scale = f64::from(from) / f64::from(to.max(1));
    let filter_scale = scale.max(1.0);
    let support = 2.0 * filter_scale;
    let center = (f64::from(place) + 0.5) * scale;
    let (first, end) = if place < 0 {
        (i32::MIN, 0)
    } else if place.unsigned_abs() < to {
        (0, from as i32)
    } else {
        (from as i32, i32::MAX)
    };
    let start = ((center - support + 0.5).floor() as i32).max(first);
    let end = ((center + support + 0.5).floor() as i32).min(end);
    let weights: Vec<f64> =
        (start..end).map(|i| cubic((f64::from(i) - center + 0.5) * (1.0 / filter_scale))).collect();
    let sum: f64 = weights.iter().sum();
    let normal = |weight: &f64| if sum == 0.0 { 0.0 } else { (weight / sum) as f32 };
    (start, weights.iter().map(normal).collect())
}

/// For every target place, the first source place and the weights from there on.
struct Taps {
    starts: Vec<usize>,
    /// `width` weights for each target place, unused ones 0.
    weights: Vec<f64>,
    width: usize,
}

/// The weights of [`Taps`] as `f32`, with the padding cut off.
struct TapsF32(Vec<(usize, Vec<f32>)>);

impl Taps {
    /// Weights of Pillow's `precompute_coeffs` for the bicubic kernel.
    fn bicubic_f64(from: u32, to: u32) -> Self {
        let scale = f64::from(from) / f64::from(to.max(1));
        let filter_scale = scale.max(1.0);
        let support = 2.0 * filter_scale;
        let width = support.ceil() as usize * 2 + 1;
        let mut taps = Self { starts: Vec::new(), weights: vec![0.0; width * to as usize], width };
        for (x, weights) in taps.weights.chunks_exact_mut(width).enumerate() {
            let center = (x as f64 + 0.5) * scale;
            // `as` truncates towards zero like the C cast, and saturates at 0.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(from as usize);
            let used = weights.get_mut(..end.saturating_sub(start)).unwrap_or_default();
            for (i, weight) in used.iter_mut().enumerate() {
                *weight = cubic(((i + start) as f64 - center + 0.5) * (1.0 / filter_scale));
            }
            let sum: f64 = used.iter().sum();
            if sum != 0.0 {
                for weight in used {
                    *weight /= sum;
                }
            }
            taps.starts.push(start);
        }
        taps
    }

    fn bicubic(from: u32, to: u32) -> TapsF32 {
        let taps = Self::bicubic_f64(from, to);
        TapsF32(
            taps.starts
                .iter()
                .zip(taps.weights.chunks_exact(taps.width))
                .map(|(&start, weights)| {
                    let room = (from as usize).saturating_sub(start);
                    (start, weights.iter().take(room).map(|&weight| weight as f32).collect())
                })
                .collect(),
        )
    }

    /// Weights by overlapping area when shrinking, linear between centers when enlarging.
    fn cover(from: u32, to: u32) -> TapsF32 {
        let scale = f64::from(from) / f64::from(to.max(1));
        let last = f64::from(from.saturating_sub(1));
        let one = |x: u32| {
            if scale > 1.0 {
                let (left, right) = (f64::from(x) * scale, f64::from(x + 1) * scale);
                let (start, end) = (left as usize, (right.ceil() as usize).min(from as usize));
                let overlap = |i: usize| right.min((i + 1) as f64) - left.max(i as f64);
                (start, (start..end).map(|i| (overlap(i).max(0.0) / scale) as f32).collect())
            } else {
                let place = ((f64::from(x) + 0.5) * scale - 0.5).clamp(0.0, last);
                let fraction = place.fract() as f32;
                (place as usize, vec![1.0 - fraction, fraction])
            }
        };
        TapsF32((0..to).map(one).collect())
    }
}

impl TapsF32 {
    fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.0.iter().map(|(start, weights)| (*start, weights.as_slice()))
    }

    /// The same weights from the source's side: where each source place goes, and how much.
    fn spread(&self, from: u32) -> Vec<Vec<(usize, f32)>> {
        let mut sources = vec![Vec::new(); from as usize];
        for (target, (start, weights)) in self.iter().enumerate() {
            for (source, &weight) in sources.iter_mut().skip(start).zip(weights) {
                if weight != 0.0 {
                    source.push((target, weight));
                }
            }
        }
        sources
    }
}

/// The cubic convolution kernel with a = -0.5.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// Weights as whole numbers with [`PRECISION_BITS`] fraction bits, rounded half away from zero.
fn fixed_point(weights: &[f64]) -> Vec<i32> {
    let one = f64::from(1_u32 << PRECISION_BITS);
    weights
        .iter()
        .map(|&weight| (if weight < 0.0 { weight * one - 0.5 } else { weight * one + 0.5 }) as i32)
        .collect()
}

/// Both passes in whole numbers; the alpha of the result means nothing.
fn resize_bytes(image: &RgbaImage, to: Extent) -> RgbaImage {
    let from = image.extent();
    if from.area() == 0 || from == to {
        return if from == to { image.clone() } else { RgbaImage::new(to, [0; 4]) };
    }
    let columns = Taps::bicubic_f64(from.width, to.width);
    let column_weights = fixed_point(&columns.weights);
    let mut narrow = RgbaImage::new(Extent::new(to.width, from.height), [0; 4]);
    let width = (to.width as usize).max(1);
    let lines = image.pixels().chunks_exact(from.width as usize);
    for (target, line) in narrow.pixels_mut().chunks_exact_mut(width).zip(lines) {
        let taps = columns.starts.iter().zip(column_weights.chunks_exact(columns.width));
        for (pixel, (&start, weights)) in target.iter_mut().zip(taps) {
            *pixel = weigh(weights, line.get(start..).unwrap_or_default().iter());
        }
    }
    let rows = Taps::bicubic_f64(from.height, to.height);
    let row_weights = fixed_point(&rows.weights);
    let mut resized = RgbaImage::new(to, [0; 4]);
    let mut sums = vec![[0_i32; 3]; width];
    let targets = resized.pixels_mut().chunks_exact_mut(width);
    for (target, (&start, weights)) in
        targets.zip(rows.starts.iter().zip(row_weights.chunks_exact(rows.width)))
    {
        sums.fill([1 << (PRECISION_BITS - 1); 3]);
        let lines = narrow.pixels().chunks_exact(width).skip(start);
        for (&weight, line) in weights.iter().zip(lines).filter(|(weight, _)| **weight != 0) {
            for (sum, &[r, g, b, _]) in sums.iter_mut().zip(line) {
                sum[0] += weight * i32::from(r);
                sum[1] += weight * i32::from(g);
                sum[2] += weight * i32::from(b);
            }
        }
        for (pixel, sum) in target.iter_mut().zip(&sums) {
            *pixel = bytes_of(*sum);
        }
    }
    resized
}

fn weigh<'a>(weights: &[i32], pixels: impl Iterator<Item = &'a [u8; 4]>) -> [u8; 4] {
    let mut sum = [1 << (PRECISION_BITS - 1); 3];
    for (&weight, &[r, g, b, _]) in weights.iter().zip(pixels) {
        sum[0] += weight * i32::from(r);
        sum[1] += weight * i32::from(g);
        sum[2] += weight * i32::from(b);
    }
    bytes_of(sum)
}

fn bytes_of(sum: [i32; 3]) -> [u8; 4] {
    let [r, g, b] = sum.map(|value| (value >> PRECISION_BITS).clamp(0, 255) as u8);
    [r, g, b, 0]
}

fn resize_rows_f32(pixels: &[[f32; 4]], from: Extent, columns: &TapsF32) -> Vec<[f32; 4]> {
    pixels
        .chunks_exact((from.width as usize).max(1))
        .flat_map(|line| {
            columns.iter().map(|(start, weights)| {
                let mut sum = [0.0; 4];
                add_weighted(&mut sum, weights, line.get(start..).unwrap_or_default().iter());
                sum
            })
        })
        .collect()
}

fn resize_columns_f32(pixels: &[[f32; 4]], width: usize, rows: &TapsF32) -> Vec<[f32; 4]> {
    let mut sums = vec![[0.0; 4]; width * rows.0.len()];
    let targets = sums.chunks_exact_mut(width.max(1));
    for (target, (start, weights)) in targets.zip(rows.iter()) {
        for (&weight, line) in weights.iter().zip(pixels.chunks_exact(width.max(1)).skip(start)) {
            for (sum, pixel) in target.iter_mut().zip(line) {
                add_weighted(sum, &[weight], std::iter::once(pixel));
            }
        }
    }
    sums
}

fn add_weighted<'a>(
    sum: &mut [f32; 4],
    weights: &[f32],
    pixels: impl Iterator<Item = &'a [f32; 4]>,
) {
    for (&weight, pixel) in weights.iter().zip(pixels) {
        for (sum, value) in sum.iter_mut().zip(pixel) {
            *sum += weight * value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::CanvasRect;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/glide/image");

    fn decoded(name: &str) -> RgbaImage {
        let picture = image::open(format!("{FOLDER}/{name}.png")).unwrap().into_rgba8();
        let extent = Extent::new(picture.width(), picture.height());
        RgbaImage::from_raw(extent, picture.into_raw()).unwrap()
    }

    #[test]
    fn bicubic_resizing_equals_the_reference_to_the_last_bit() {
        let bytes = std::fs::read(format!("{FOLDER}/image.safetensors")).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut checked = 0;
        for name in tensors.names().into_iter().filter(|name| !name.starts_with("grid")) {
            let mut parts = name.split('.');
            let source = decoded(parts.next().unwrap());
            let side: u32 = parts.next().unwrap().parse().unwrap();
            let rgb = resize_bicubic_rgb(&source, Extent::new(side, side)).to_rgb();
            let planes: Vec<u8> =
                (0..3).flat_map(|c| rgb.iter().skip(c).step_by(3).copied()).collect();
            assert_eq!(planes, tensors.tensor(name).unwrap().data(), "{name}");
            checked += 1;
        }
        assert_eq!(checked, 7);
    }

    #[test]
    fn resizing_to_the_same_extent_changes_nothing() {
        let image = decoded("rgba_48x48");
        assert_eq!(resize_rgba(&image, image.extent()), image);
        assert_eq!(resize_bicubic_rgb(&image, image.extent()).to_rgb(), image.to_rgb());
    }

    #[test]
    fn hidden_colors_do_not_bleed_into_visible_ones() {
        let extent = Extent::new(8, 8);
        let mut image = RgbaImage::new(extent, [255, 0, 255, 0]);
        image.paste(&RgbaImage::new(Extent::new(4, 8), [0, 200, 0, 255]), 0, 0);
        for side in [3, 5, 21] {
            for pixel in resize_rgba(&image, Extent::new(side, side)).pixels() {
                assert!(pixel[3] == 0 || (pixel[0] == 0 && pixel[2] == 0), "{pixel:?}");
                assert!(pixel[3] == 0 || pixel[1].abs_diff(200) <= 1, "{pixel:?}");
            }
        }
    }

    #[test]
    fn opaque_pictures_come_out_equal_from_both_ways() {
        let image = decoded("rgb_97x61");
        for extent in [Extent::new(40, 90), Extent::new(200, 30)] {
            assert_eq!(resize_rgba(&image, extent), resize_bicubic_rgb(&image, extent));
        }
    }

    #[test]
    fn the_average_cover_of_a_mask_survives_shrinking() {
        let mut mask = Mask::new(Extent::new(30, 21));
        mask.fill(CanvasRect::new(4, 3, 15, 11), 255);
        let small = resize_mask(&mask, Extent::new(10, 7));
        let mean = |mask: &Mask| {
            mask.as_raw().iter().map(|&cover| f64::from(cover)).sum::<f64>()
                / mask.as_raw().len() as f64
        };
        assert!((mean(&mask) - mean(&small)).abs() < 1.0);
        let uneven = resize_mask(&mask, Extent::new(7, 4));
        assert!((mean(&mask) - mean(&uneven)).abs() < 1.0);
        let large = resize_mask(&mask, Extent::new(61, 47));
        assert_eq!(large.pixel(20, 15), 255);
        assert_eq!(large.pixel(0, 0), 0);
    }

    #[test]
    fn one_covered_pixel_counts_at_every_size() {
        for (x, y) in [(0, 0), (49, 36), (17, 20)] {
            let mut mask = Mask::new(Extent::new(50, 37));
            mask.fill(CanvasRect::new(x, y, 1, 1), 1);
            for side in [1, 3, 16, 50, 120] {
                let any = resize_mask_any(&mask, Extent::new(side, side));
                let center = ((x * 2 + 1) * side / 100, (y * 2 + 1) * side / 74);
                assert_eq!(any.pixel(center.0, center.1), 255, "{x} {y} {side}");
            }
        }
    }

    #[test]
    fn empty_extents_are_no_trouble() {
        let none = RgbaImage::new(Extent::new(0, 0), [0; 4]);
        assert_eq!(resize_rgba(&none, Extent::new(2, 2)).pixels().len(), 4);
        assert_eq!(resize_bicubic_rgb(&none, Extent::new(2, 2)).pixels().len(), 4);
        let image = decoded("rgb_20x33");
        assert_eq!(resize_bicubic_rgb(&image, Extent::new(0, 5)).pixels().len(), 0);
        assert_eq!(resize_mask(&Mask::new(Extent::new(0, 0)), Extent::new(3, 1)).as_raw(), [0; 3]);
        assert_eq!(
            resize_mask_any(&Mask::new(Extent::new(0, 4)), Extent::new(3, 1)).as_raw(),
            [0; 3]
        );
    }
}
