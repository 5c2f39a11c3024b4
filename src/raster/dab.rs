//! One touch of a brush: which pixels it covers, and how much.

use std::ops::Range;

use crate::geom::{CanvasPoint, PixelRect};

/// Full cover in the 16 bits that a stroke is added up in; 8 bits would swallow a low flow.
pub(crate) const FULL: u32 = 0xFFFF;

/// Parts of a pixel that places of dabs are rounded to.
const UNIT: i32 = 32;
/// Brushes up to this diameter set single pixels.
const PIXEL_BRUSH_PX: f32 = 1.5;

/// The shape of a dab: cover by distance from the middle.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stamp {
    // What it was made from.
    diameter_px: f32,
    flow: f32,
    // Cover within the fully covered part.
    full: u16,
    // Squared radii in units: up to the first all is covered, from the second on nothing.
    inner: i32,
    outer: i32,
    // Cover by squared distance between the two.
    ring: Box<[u16]>,
    // Entries of `ring` by squared unit, times 2^32.
    scale: u64,
    single_pixel: bool,
}

impl Stamp {
    /// The stamp of a round brush. `hardness` is the share of the radius that is fully covered.
    pub(crate) fn round(diameter_px: f32, hardness: f32, flow: f32) -> Self {
        let radius = diameter_px / 2.0;
        let falloff = radius * (1.0 - hardness);
        // At least one pixel wide and around the edge, which then is anti-aliased.
        let pad = ((1.0 - falloff) / 2.0).max(0.0);
        let (inner, outer) = (radius * hardness - pad, radius + pad);
        let squared = |radius: f32| {
            let units = (radius.max(0.0) * UNIT as f32) as i32;
            units * units
        };
        let (inner_squared, outer_squared) = (squared(inner), squared(outer).max(1));
        let entries = ((radius * 16.0) as usize).clamp(64, 1024);
        let (from, range) = (inner.max(0.0).powi(2), outer.powi(2) - inner.max(0.0).powi(2));
        let cover_at = |i: usize| {
            let distance = (from + range * (i as f32 + 0.5) / entries as f32).sqrt();
            let t = ((outer - distance) / (outer - inner)).clamp(0.0, 1.0);
            let smooth = t * t * (3.0 - 2.0 * t);
            (smooth * flow * FULL as f32).round() as u16
        };
        let units = (outer_squared - inner_squared).max(1) as u64;
        Self {
            diameter_px,
            flow,
            full: (flow * FULL as f32).round() as u16,
            inner: if inner > 0.0 { inner_squared } else { -1 },
            outer: outer_squared,
            ring: (0..entries).map(cover_at).collect(),
            scale: ((entries as u64) << 32) / units,
            single_pixel: false,
        }
    }

    /// The stamp of a brush that sets single pixels.
    pub(crate) fn pixel(flow: f32) -> Self {
        Self { single_pixel: true, ..Self::round(1.0, 1.0, flow) }
    }

    /// Whether a brush of this diameter sets single pixels.
    pub(crate) fn is_pixel_brush(diameter_px: f32) -> bool {
        diameter_px <= PIXEL_BRUSH_PX
    }

    /// Whether it was made for this diameter and flow.
    pub(crate) fn fits(&self, diameter_px: f32, flow: f32) -> bool {
        let same = |a: f32, b: f32| a.to_bits() == b.to_bits();
        same(self.diameter_px, diameter_px) && same(self.flow, flow)
    }

    fn cover(&self, squared: i32) -> u32 {
        let entry = (u64::from((squared - self.inner).max(0).unsigned_abs()) * self.scale) >> 32;
        self.ring.get(entry as usize).map_or(0, |&cover| u32::from(cover))
    }
}

/// A stamp in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dab {
    // The middle, in units.
    x: i32,
    y: i32,
    /// The pixels that it may touch.
    pub(crate) rect: PixelRect,
    /// Which of the stroke's stamps it is.
    pub(crate) stamp: usize,
}

impl Dab {
    /// A dab around `center`.
    pub(crate) fn new(center: CanvasPoint, stamp: &Stamp, index: usize) -> Self {
        if stamp.single_pixel {
            let (x, y) = center.pixel();
            let rect = PixelRect::new(x, y, 1, 1);
            return Self { x: x * UNIT, y: y * UNIT, rect, stamp: index };
        }
        let unit = |value: f32| (value * UNIT as f32).round() as i32;
        let (x, y) = (unit(center.x), unit(center.y));
        let reach = stamp.outer.isqrt() + 1;
        let side = (2 * reach / UNIT + 2).unsigned_abs();
        let first = |middle: i32| (middle - reach).div_euclid(UNIT);
        Self { x, y, rect: PixelRect::new(first(x), first(y), side, side), stamp: index }
    }

    /// Adds the dab to a row of cover whose first pixel is in column `left`; answers with the part
    /// of the row that changed, or nothing.
    pub(crate) fn add_to_row(
        &self,
        stamp: &Stamp,
        left: i32,
        y: i32,
        row: &mut [u16],
    ) -> Option<Range<usize>> {
        if stamp.single_pixel {
            let column = usize::try_from(self.rect.x - left).ok().filter(|_| y == self.rect.y)?;
            let cover = row.get_mut(column)?;
            let added = plus(*cover, u32::from(stamp.full));
            return (added != std::mem::replace(cover, added)).then_some(column..column + 1);
        }
        let dy = y * UNIT + UNIT / 2 - self.y;
        // So far away that its square wouldn't fit.
        if dy.unsigned_abs() > stamp.outer.isqrt().unsigned_abs() {
            return None;
        }
        let columns = |squared_radius: i32| {
            let Some(half) = (squared_radius - dy * dy).checked_isqrt() else { return 0..0 };
            // The pixels whose middle lies within.
            let first = (self.x - half - UNIT / 2 + UNIT - 1).div_euclid(UNIT) - left;
            let end = (self.x + half - UNIT / 2).div_euclid(UNIT) + 1 - left;
            let clamp = |column: i32| column.clamp(0, row.len() as i32) as usize;
            clamp(first)..clamp(end).max(clamp(first))
        };
        let (all, core) = (columns(stamp.outer), columns(stamp.inner));
        // Most of a dab lies where the ones before it have covered everything.
        let open = |cover: &u16| u32::from(*cover) < FULL;
        let touched = row.get(all.clone())?;
        let start = all.start + touched.iter().position(open)?;
        let end = all.start + touched.iter().rposition(open)? + 1;
        let core = core.start.clamp(start, end)..core.end.clamp(start, end);
        if stamp.full == FULL as u16 {
            row.get_mut(core.clone())?.fill(FULL as u16);
        } else {
            let full = u32::from(stamp.full);
            row.get_mut(core.clone())?.iter_mut().for_each(|cover| *cover = plus(*cover, full));
        }
        for ring in [start..core.start, core.end..end] {
            let mut dx = (left + ring.start as i32) * UNIT + UNIT / 2 - self.x;
            for cover in row.get_mut(ring)? {
                *cover = plus(*cover, stamp.cover(dx * dx + dy * dy));
                dx += UNIT;
            }
        }
        Some(start..end)
    }
}

/// `cover` with `more` of what it leaves open, rounded up: a low flow would never get to the end.
#[inline(always)]
fn plus(cover: u16, more: u32) -> u16 {
    let cover = u32::from(cover);
    (cover + ((FULL - cover) * more).div_ceil(FULL)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(stamp: &Stamp, center: CanvasPoint, side: usize) -> Vec<u16> {
        let dab = Dab::new(center, stamp, 0);
        let mut all = vec![0; side * side];
        for (y, row) in (0..).zip(all.chunks_exact_mut(side)) {
            let before = row.to_vec();
            let changed = dab.add_to_row(stamp, 0, y, row).unwrap_or_default();
            for (x, (before, after)) in before.iter().zip(&*row).enumerate() {
                let (x_inside, inside) = (changed.contains(&x), dab.rect.contains(x as i32, y));
                assert!(before == after || (x_inside && inside), "{x} {y}");
            }
        }
        all
    }

    #[test]
    fn a_hard_dab_covers_the_area_of_its_disk() {
        for diameter in [2.0, 3.0, 5.5, 10.0, 33.0, 100.0] {
            for offset in [0.0, 0.25, 0.5] {
                let center = CanvasPoint::new(60.0 + offset, 60.0 + offset / 2.0);
                let sum: f64 = drawn(&Stamp::round(diameter, 1.0, 1.0), center, 120)
                    .into_iter()
                    .map(|cover| f64::from(cover) / f64::from(FULL))
                    .sum();
                let area = std::f64::consts::PI * f64::from(diameter / 2.0).powi(2);
                assert!((sum - area).abs() < area * 0.02 + 0.35, "{diameter}: {sum} for {area}");
            }
        }
    }

    #[test]
    fn cover_falls_from_the_middle_to_the_edge() {
        let all = drawn(&Stamp::round(60.0, 0.5, 1.0), CanvasPoint::new(40.5, 40.5), 81);
        let row: Vec<u16> = all.into_iter().skip(40 * 81).take(81).collect();
        assert!(row[40..=70].windows(2).all(|two| two[0] >= two[1]));
        assert!(row.iter().eq(row.iter().rev()));
        assert_eq!((row[40], row[54], row[71]), (0xFFFF, 0xFFFF, 0));
        // 22 of 30 pixels out: the smooth step of 8 / 15.
        assert!(row[62].abs_diff(36_033) < 200, "{}", row[62]);
    }

    #[test]
    fn flow_scales_all_of_a_dab_and_dabs_add_up() {
        let stamp = Stamp::round(20.0, 0.8, 0.25);
        let center = CanvasPoint::new(16.0, 16.0);
        let once = drawn(&stamp, center, 32);
        assert_eq!(once[16 * 32 + 16], 0x4000);
        assert_eq!(once.iter().max(), Some(&0x4000));
        assert_eq!(plus(0x4000, 0x4000), 0x7000);
        assert_eq!(plus(5, FULL), FULL as u16);
    }

    #[test]
    fn a_dab_of_one_pixel_is_that_pixel() {
        let stamp = Stamp::pixel(1.0);
        for center in [(4.0, 4.0), (4.5, 4.5), (4.99, 4.01)] {
            let all = drawn(&stamp, CanvasPoint::new(center.0, center.1), 9);
            let set: Vec<usize> = (0..81).filter(|&i| all[i] > 0).collect();
            assert_eq!((set.as_slice(), all[4 * 9 + 4]), (&[4 * 9 + 4][..], 0xFFFF));
        }
    }
}
