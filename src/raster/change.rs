//! Which part of a picture a network really changed, when it drew all of it anew.

use crate::geom::Extent;
use crate::raster::{Mask, RgbaImage};

/// What counts as a change.
///
/// A network that draws a whole picture anew gives every pixel back a little different. Those
/// differences are small and everywhere; a change is large somewhere. So a change is a connected
/// part that differs by more than [`Self::least`] at each of its pixels and by more than
/// [`Self::sure`] at one of them, as edges are found with two thresholds. Both rise with the largest
/// difference of the picture: where a thing was added, another that was only drawn once more has not
/// changed, though it differs by more than a faint change would.
///
/// Source of the two thresholds: Canny, "A computational approach to edge detection" (1986),
/// section 5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangeSettings {
    /// Difference of a channel, of 255, below which a pixel did not change.
    pub least: u8,
    /// Difference that a part has somewhere to count.
    pub sure: u8,
    /// The least that `least` is, as a share of the largest difference, 0 to 1.
    pub least_share: f32,
    /// The same for `sure`.
    pub sure_share: f32,
    /// Pixels that a part has at least; smaller ones are grain.
    pub least_px: usize,
    /// Pixels by which what was found is widened, for the soft edges of things.
    pub margin_px: u32,
    /// Pixels on each side over which differences are averaged.
    pub blur_px: u32,
    /// Share of the picture, 0 to 1, from which on all of it counts as changed.
    pub whole: f32,
}

impl Default for ChangeSettings {
    fn default() -> Self {
        Self {
            least: 18,
            sure: 44,
            least_share: 0.25,
            sure_share: 0.5,
            least_px: 12,
            margin_px: 1,
            blur_px: 1,
            whole: 0.9,
        }
    }
}

/// The part of a picture in which `after` shows something else than `before`: cover 255, else 0.
///
/// Both should come from the same network, so that what it can't draw is missing in both. Pictures
/// of different extents differ everywhere. Holes in a part belong to it where they are small.
#[must_use]
pub fn changed_part(before: &RgbaImage, after: &RgbaImage, settings: &ChangeSettings) -> Mask {
    let extent = after.extent();
    let mut mask = Mask::new(extent);
    if before.extent() != extent {
        mask.as_raw_mut().fill(255);
        return mask;
    }
    let differences = averaged(&differences(before, after), extent, settings.blur_px as usize);
    let largest = f32::from(upper(&differences));
    let least = settings.least.max((settings.least_share * largest) as u8);
    let sure = settings.sure.max((settings.sure_share * largest) as u8);
    let mut part = vec![false; differences.len()];
    let differs: Vec<bool> = differences.iter().map(|&d| d >= least).collect();
    for pixels in connected(&differs, extent) {
        let counts = pixels.iter().any(|&at| differences[at] >= sure);
        if counts && pixels.len() >= settings.least_px {
            for at in pixels {
                part[at] = true;
            }
        }
    }
    fill_holes(&mut part, extent, settings.least_px * 4);
    for (cover, &changed) in mask.as_raw_mut().iter_mut().zip(&part) {
        *cover = if changed { 255 } else { 0 };
    }
    let mut mask = mask.grow(settings.margin_px);
    if mask.covered_pixels() as f32 >= settings.whole * extent.area() as f32 {
        mask.as_raw_mut().fill(255);
    }
    mask
}

/// The largest difference of a channel at each pixel; colors are compared as they look on white.
fn differences(before: &RgbaImage, after: &RgbaImage) -> Vec<u8> {
    let on_white = |image: &RgbaImage| image.flattened([255; 3]);
    let (before, after) = (on_white(before), on_white(after));
    let apart = |(a, b): (&[u8; 4], &[u8; 4])| {
        (0..3).map(|channel| a[channel].abs_diff(b[channel])).max().unwrap_or(0)
    };
    before.pixels().iter().zip(after.pixels()).map(apart).collect()
}

/// The value that all but 0.5 % stay at or below: the largest but for outliers.
fn upper(values: &[u8]) -> u8 {
    let mut counts = [0_usize; 256];
    for &value in values {
        counts[usize::from(value)] += 1;
    }
    let mut above = values.len() / 200;
    for value in (0..=255_u8).rev() {
        match above.checked_sub(counts[usize::from(value)]) {
            Some(rest) => above = rest,
            None => return value,
        }
    }
    0
}

/// Each value as the mean of the square around it, as far as that lies in the picture.
fn averaged(values: &[u8], extent: Extent, radius: usize) -> Vec<u8> {
    let (width, height) = (extent.width as usize, extent.height as usize);
    let mut sums = vec![0_u32; (width + 1) * (height + 1)];
    for y in 0..height {
        let mut line = 0;
        for x in 0..width {
            line += u32::from(values[y * width + x]);
            sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + line;
        }
    }
    let mut means = Vec::with_capacity(values.len());
    for y in 0..height {
        let (top, bottom) = (y.saturating_sub(radius), (y + radius + 1).min(height));
        for x in 0..width {
            let (left, right) = (x.saturating_sub(radius), (x + radius + 1).min(width));
            let at = |x: usize, y: usize| sums[y * (width + 1) + x];
            let sum = at(right, bottom) + at(left, top) - at(left, bottom) - at(right, top);
            means.push((sum / ((right - left) * (bottom - top)) as u32) as u8);
        }
    }
    means
}

/// The connected parts of what is set, each as the places of its pixels; corners connect.
fn connected(set: &[bool], extent: Extent) -> Vec<Vec<usize>> {
    let (width, height) = (extent.width as usize, extent.height as usize);
    let mut seen = vec![false; set.len()];
    let mut parts = Vec::new();
    for start in 0..set.len() {
        if !set[start] || seen[start] {
            continue;
        }
        seen[start] = true;
        let mut part = vec![start];
        let mut next = 0;
        while let Some(&at) = part.get(next) {
            next += 1;
            let (x, y) = (at % width, at / width);
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for x in x.saturating_sub(1)..(x + 2).min(width) {
                    let near = y * width + x;
                    if set[near] && !seen[near] {
                        seen[near] = true;
                        part.push(near);
                    }
                }
            }
        }
        parts.push(part);
    }
    parts
}

/// Sets what is unset, up to `most` pixels, and doesn't reach the picture's edge.
fn fill_holes(set: &mut [bool], extent: Extent, most: usize) {
    let (width, height) = (extent.width as usize, extent.height as usize);
    let unset: Vec<bool> = set.iter().map(|set| !set).collect();
    for hole in connected(&unset, extent) {
        let at_edge = |&at: &usize| {
            let (x, y) = (at % width, at / width);
            x == 0 || y == 0 || x + 1 == width || y + 1 == height
        };
        if hole.len() <= most && !hole.iter().any(at_edge) {
            for at in hole {
                set[at] = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::CanvasRect;

    fn noisy(side: u32, noise: u32) -> RgbaImage {
        let mut image = RgbaImage::new(Extent::new(side, side), [0, 0, 0, 255]);
        for (i, pixel) in (0_u32..).zip(image.pixels_mut()) {
            let wobble = (i.wrapping_mul(2_654_435_761) >> 24) % (noise + 1);
            *pixel = [(100 + wobble) as u8, 150, (90 + wobble) as u8, 255];
        }
        image
    }

    fn painted(mut image: RgbaImage, rect: CanvasRect, color: [u8; 4]) -> RgbaImage {
        image.paste(&RgbaImage::new(rect.extent(), color), rect.x, rect.y);
        image
    }

    #[test]
    fn grain_is_no_change_and_a_thing_is() {
        let settings = ChangeSettings::default();
        let before = noisy(64, 0);
        assert!(changed_part(&before, &noisy(64, 15), &settings).is_empty());
        let thing = CanvasRect::new(20, 30, 12, 9);
        let after = painted(noisy(64, 15), thing, [250, 40, 40, 255]);
        let found = changed_part(&before, &after, &settings);
        let reach = settings.margin_px + settings.blur_px;
        for (y, line) in (0_u32..).zip(found.lines()) {
            for (x, &cover) in (0_u32..).zip(line) {
                let inside = thing.padded(0, Extent::new(64, 64));
                let near = thing.padded(reach, Extent::new(64, 64));
                let within =
                    |r: CanvasRect| (r.x..r.right()).contains(&x) && (r.y..r.bottom()).contains(&y);
                if within(inside) {
                    assert_eq!(cover, 255, "{x}, {y}");
                } else if !within(near) {
                    assert_eq!(cover, 0, "{x}, {y}");
                }
            }
        }
    }

    #[test]
    fn what_was_only_drawn_once_more_did_not_change_beside_a_new_thing() {
        let settings = ChangeSettings::default();
        let before = noisy(64, 0);
        // Far enough from `before` to count by itself.
        let faint = CanvasRect::new(4, 4, 16, 16);
        let once_more = painted(before.clone(), faint, [100, 150, 40, 255]);
        let found = changed_part(&before, &once_more, &settings);
        assert_eq!(found.pixel(10, 10), 255);
        let new = CanvasRect::new(36, 36, 14, 14);
        let both = painted(once_more, new, [255, 0, 255, 255]);
        let found = changed_part(&before, &both, &settings);
        assert_eq!((found.pixel(10, 10), found.pixel(40, 40)), (0, 255));
    }

    #[test]
    fn the_upper_value_leaves_out_one_in_two_hundred() {
        let mut values = vec![7; 400];
        assert_eq!(upper(&values), 7);
        values[..2].fill(200);
        assert_eq!(upper(&values), 7);
        values[2] = 90;
        assert_eq!(upper(&values), 90);
        assert_eq!(upper(&[]), 0);
    }

    #[test]
    fn specks_are_left_away_and_small_holes_filled() {
        let settings = ChangeSettings { blur_px: 0, margin_px: 0, ..ChangeSettings::default() };
        let before = noisy(32, 0);
        let speck = painted(before.clone(), CanvasRect::new(3, 3, 2, 2), [255; 4]);
        assert!(changed_part(&before, &speck, &settings).is_empty());
        let ring = painted(before.clone(), CanvasRect::new(8, 8, 12, 12), [255, 0, 0, 255]);
        let ring = painted(ring, CanvasRect::new(12, 12, 4, 4), [100, 150, 90, 255]);
        let found = changed_part(&before, &ring, &settings);
        assert_eq!(found.covered_pixels(), 144);
    }

    #[test]
    fn nearly_all_is_all_and_another_size_too() {
        let settings = ChangeSettings::default();
        let before = noisy(40, 0);
        let after = painted(before.clone(), CanvasRect::new(0, 0, 40, 38), [0, 0, 0, 255]);
        assert_eq!(changed_part(&before, &after, &settings).covered_pixels(), 1600);
        assert_eq!(changed_part(&noisy(39, 0), &before, &settings).covered_pixels(), 1600);
    }

    #[test]
    fn means_are_exact() {
        let extent = Extent::new(3, 2);
        assert_eq!(averaged(&[0, 6, 12, 3, 9, 15], extent, 1), [4, 7, 10, 4, 7, 10]);
        assert_eq!(averaged(&[7, 8, 9, 1, 2, 3], extent, 0), [7, 8, 9, 1, 2, 3]);
        assert!(averaged(&[], Extent::new(0, 0), 2).is_empty());
    }
}
