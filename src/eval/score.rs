//! How near a picture is to the true one, and whether the right part of it changed.

use crate::raster::{Mask, RgbaImage};

/// Two pixels differ where a channel does by more than this. Resizing and compression shift colors
/// by a few steps that nobody sees; the colors of these scenes that are most alike, mint and sky
/// blue, are 42 apart.
const DIFFERENT: u8 = 8;
/// What counts as equal pictures, in decibels: 8-bit rounding alone stays below 60.
const EQUAL_DB: f64 = 60.0;
/// A changed region is the right one where it shares at least this part with the true one, as an
/// intersection over union. Half is the usual bound in detection (PASCAL VOC, Everingham et al.
/// 2010, section 4.2): it admits a thing drawn a little larger or a pixel aside, and not one in
/// another place.
const RIGHT_OVERLAP: f64 = 0.5;
/// At most this part of what was to be kept may have changed. The overlap alone says nothing about
/// it where most of the picture changes: a new background may fill 90 % of the picture, and
/// repainting the thing before it would still overlap by 0.9.
const RIGHT_SPILL: f64 = 0.1;
/// Changes nearer to the true region than this part of the picture's side are no spill: models that
/// work in patches of 8 pixels can't draw a finer border.
const BORDER: f64 = 1.0 / 16.0;

/// Peak signal-to-noise ratio within a mask, in decibels, 60 for equal pixels; `None` where the mask
/// is empty.
#[must_use]
pub fn psnr_inside(image: &RgbaImage, truth: &RgbaImage, mask: &Mask) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for ((a, b), cover) in image.pixels().iter().zip(truth.pixels()).zip(mask.as_raw()) {
        if *cover > 0 {
            for (a, b) in a.iter().zip(b).take(3) {
                sum += f64::from(a.abs_diff(*b)).powi(2);
                count += 1.0;
            }
        }
    }
    let error: f64 = (count > 0.0).then(|| sum / count)?;
    let decibels = if error > 0.0 { 10.0 * libm::log10(255.0 * 255.0 / error) } else { EQUAL_DB };
    Some(decibels.min(EQUAL_DB))
}

/// Where two pictures of one size differ visibly.
#[must_use]
pub fn changed_region(before: &RgbaImage, after: &RgbaImage) -> Mask {
    let mut mask = Mask::new(before.extent());
    let pairs = before.pixels().iter().zip(after.pixels());
    for (cover, (a, b)) in mask.as_raw_mut().iter_mut().zip(pairs) {
        if a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > DIFFERENT) {
            *cover = 255;
        }
    }
    mask
}

/// How a changed region compares with the true one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegionScore {
    /// Intersection over union.
    pub overlap: f64,
    /// The part of what was to be kept that changed, a border left out.
    pub spill: f64,
}

impl RegionScore {
    /// Compares two regions of one picture.
    #[must_use]
    pub fn new(region: &Mask, truth: &Mask) -> Self {
        let extent = truth.extent();
        let border_px = (f64::from(extent.width.max(extent.height)) * BORDER).round() as u32;
        let near = truth.grow(border_px);
        let (mut both, mut either, mut spilled, mut kept) = (0.0, 0.0, 0.0, 0.0);
        let rows = region.as_raw().iter().zip(truth.as_raw()).zip(near.as_raw());
        for ((&region, &truth), &near) in rows {
            let (region, truth, near) = (region > 0, truth > 0, near > 0);
            both += f64::from(u8::from(region && truth));
            either += f64::from(u8::from(region || truth));
            kept += f64::from(u8::from(!near));
            spilled += f64::from(u8::from(region && !near));
        }
        let share =
            |part: f64, whole: f64, none: f64| if whole > 0.0 { part / whole } else { none };
        Self { overlap: share(both, either, 1.0), spill: share(spilled, kept, 0.0) }
    }

    /// Whether the region counts as the right one.
    #[must_use]
    pub fn is_right(self) -> bool {
        self.overlap >= RIGHT_OVERLAP && self.spill <= RIGHT_SPILL
    }
}

/// The mean of numbers that are there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    pub(crate) fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    /// Counts a yes as 1.
    pub(crate) fn tally(&mut self, yes: Option<bool>) {
        self.add(yes.map(|yes| f64::from(u8::from(yes))));
    }

    /// `None` where there was none.
    pub(crate) fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::{CanvasRect, Extent};

    const SIDE: Extent = Extent::new(32, 32);

    fn region(x: u32, y: u32, width: u32, height: u32) -> Mask {
        let mut mask = Mask::new(SIDE);
        mask.fill(CanvasRect::new(x, y, width, height), 255);
        mask
    }

    #[test]
    fn psnr_is_that_of_the_pixels_inside() {
        let black = RgbaImage::new(SIDE, [0, 0, 0, 255]);
        let mut gray = black.clone();
        gray.paste(&RgbaImage::new(Extent::new(8, 32), [51, 51, 51, 255]), 0, 0);
        let inside = |mask| psnr_inside(&gray, &black, &mask);
        // 51 is a fifth of 255, and 20 lg 5 is 13.98.
        assert!((inside(region(0, 0, 8, 32)).unwrap() - 13.979).abs() < 0.001);
        assert!((inside(region(0, 0, 16, 32)).unwrap() - 16.990).abs() < 0.001);
        assert_eq!(inside(region(8, 0, 8, 8)), Some(EQUAL_DB));
        assert_eq!(inside(Mask::new(SIDE)), None);
    }

    #[test]
    fn regions_are_right_that_overlap_and_do_not_spill() {
        let truth = region(8, 8, 8, 8);
        let check = |found: Mask, right: bool| {
            let score = RegionScore::new(&found, &truth);
            assert_eq!(score.is_right(), right, "{found:?}: {score:?}");
        };
        check(truth.clone(), true);
        check(region(7, 7, 10, 10), true);
        check(region(9, 8, 8, 8), true);
        check(region(8, 8, 8, 4), true);
        check(region(12, 8, 8, 8), false);
        check(region(20, 20, 8, 8), false);
        check(Mask::new(SIDE), false);
        check(region(0, 0, 32, 32), false);
    }

    #[test]
    fn what_little_is_kept_must_be_kept_where_most_changes() {
        let mut truth = region(0, 0, 32, 32);
        truth.fill(CanvasRect::new(8, 8, 12, 12), 0);
        let whole = RegionScore::new(&region(0, 0, 32, 32), &truth);
        assert!(whole.overlap > 0.8 && whole.spill > 0.9 && !whole.is_right(), "{whole:?}");
        assert!(RegionScore::new(&truth, &truth).is_right());
        let all = region(0, 0, 32, 32);
        assert!(RegionScore::new(&all, &all).is_right());
    }

    #[test]
    fn faint_differences_are_none() {
        let before = RgbaImage::new(SIDE, [100, 100, 100, 255]);
        let mut after = RgbaImage::new(SIDE, [108, 92, 100, 255]);
        assert!(changed_region(&before, &after).is_empty());
        after.pixels_mut()[3] = [100, 100, 109, 255];
        assert_eq!(changed_region(&before, &after).covered_pixels(), 1);
    }
}
