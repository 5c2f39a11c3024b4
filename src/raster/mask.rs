//! Which pixels are to be repainted, and how much.

use rayon::prelude::*;

use crate::geom::{CanvasRect, Extent};
use crate::raster::GoOn;
use crate::raster::distance::{squared_distances, window_maximum};
use crate::raster::error::{RasterError, check_length};

/// Rows that [`Mask::grow`] and [`Mask::feather`] work on at a time, at least.
const BAND_ROWS: usize = 128;

/// An 8-bit cover for every pixel of a canvas: 255 means *repaint here*, 0 *leave as it is*.
///
/// A pixel belongs to the mask where its cover is above 0.
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    extent: Extent,
    // Invariant: `extent.area()` bytes.
    cover: Vec<u8>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({}, bounds {:?})", self.extent, self.bounds())
    }
}

impl Mask {
    /// A mask that covers nothing.
    #[must_use]
    pub fn new(extent: Extent) -> Self {
        Self { extent, cover: vec![0; extent.area()] }
    }

    /// A mask of cover bytes, row by row from the top left.
    ///
    /// # Errors
    ///
    /// When there is not one byte for every pixel.
    pub fn from_raw(extent: Extent, cover: Vec<u8>) -> Result<Self, RasterError> {
        check_length(extent, 1, cover.len())?;
        Ok(Self { extent, cover })
    }

    /// Columns and rows.
    #[must_use]
    pub const fn extent(&self) -> Extent {
        self.extent
    }

    /// The cover of all pixels, row by row.
    #[must_use]
    pub fn as_raw(&self) -> &[u8] {
        &self.cover
    }

    /// The cover of all pixels, row by row, to be changed.
    #[must_use]
    pub fn as_raw_mut(&mut self) -> &mut [u8] {
        &mut self.cover
    }

    /// The cover of all pixels, for taking over without a copy.
    #[must_use]
    pub fn into_raw(self) -> Vec<u8> {
        self.cover
    }

    /// The cover in column `x` and row `y`; 0 outside the mask.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> u8 {
        self.line(y as usize).get(x as usize).copied().unwrap_or(0)
    }

    /// The rows from top to bottom.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.cover.chunks_exact((self.extent.width as usize).max(1))
    }

    /// Row `y`; empty where there is none.
    pub(crate) fn line(&self, y: usize) -> &[u8] {
        let width = self.extent.width as usize;
        self.cover.get(y * width..(y + 1) * width).unwrap_or_default()
    }

    /// The columns of `rect` in row `y`; empty where the mask doesn't reach.
    pub(crate) fn row(&self, rect: CanvasRect, y: u32) -> &[u8] {
        self.line(y as usize).get(rect.x as usize..rect.right() as usize).unwrap_or_default()
    }

    /// The part of the mask in `rect`; what lies outside the mask is left away.
    #[must_use]
    pub fn crop(&self, rect: CanvasRect) -> Self {
        let Some(rect) = rect.intersection(self.extent.rect()) else {
            return Self::new(Extent::new(0, 0));
        };
        let mut cover = Vec::with_capacity(rect.extent().area());
        for y in rect.y..rect.bottom() {
            cover.extend_from_slice(self.row(rect, y));
        }
        Self { extent: rect.extent(), cover }
    }

    /// Gives every pixel of `rect` the same cover; what lies outside the mask is left away.
    ///
    /// With cover 0 this takes a region out of the mask, once it has been painted.
    pub fn fill(&mut self, rect: CanvasRect, cover: u8) {
        let Some(rect) = rect.intersection(self.extent.rect()) else { return };
        let width = self.extent.width as usize;
        for y in rect.y as usize..rect.bottom() as usize {
            let start = y * width + rect.x as usize;
            let row = self.cover.get_mut(start..start + rect.width as usize);
            row.unwrap_or_default().fill(cover);
        }
    }

    /// Whether the mask covers nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cover.iter().all(|&cover| cover == 0)
    }

    /// The number of pixels that belong to the mask.
    #[must_use]
    pub fn covered_pixels(&self) -> usize {
        self.cover.iter().filter(|&&cover| cover > 0).count()
    }

    /// The smallest rectangle that holds every pixel of the mask; nothing where it is empty.
    #[must_use]
    pub fn bounds(&self) -> Option<CanvasRect> {
        self.bounds_in(self.extent.rect())
    }

    /// The smallest rectangle that holds every pixel of the mask within `rect`.
    #[must_use]
    pub fn bounds_in(&self, rect: CanvasRect) -> Option<CanvasRect> {
        let rect = rect.intersection(self.extent.rect())?;
        let covered = |&cover: &u8| cover > 0;
        let has_cover = |&y: &u32| self.row(rect, y).iter().any(covered);
        let top = (rect.y..rect.bottom()).find(has_cover)?;
        let bottom = (top..rect.bottom()).rev().find(has_cover)? + 1;
        let (mut left, mut right) = (rect.width, 0);
        for y in top..bottom {
            let row = self.row(rect, y);
            // Only what could widen the bounds found so far is looked at.
            if let Some(x) = row.iter().take(left as usize).position(covered) {
                left = x as u32;
            }
            let tail = row.get(right as usize..).unwrap_or_default();
            if let Some(x) = tail.iter().rposition(covered) {
                right += x as u32 + 1;
            }
        }
        Some(CanvasRect::new(rect.x + left, top, right - left, bottom - top))
    }

    /// The bounds of each connected part of the mask, from top to bottom, then left to right.
    ///
    /// Pixels that touch at a corner are connected.
    #[must_use]
    pub fn islands(&self) -> Vec<CanvasRect> {
        self.islands_while(&|| true).unwrap_or_default()
    }

    /// As [`Self::islands`], asking before each row whether to go on; `None` where not.
    #[must_use]
    pub fn islands_while(&self, go_on: GoOn<'_>) -> Option<Vec<CanvasRect>> {
        let mut labels = Labels::default();
        let mut above: Vec<Run> = Vec::new();
        for (y, line) in self.lines().enumerate() {
            if !go_on() {
                return None;
            }
            let mut runs = runs_of(line);
            let mut from = 0;
            for run in &mut runs {
                let rect = CanvasRect::new(run.start, y as u32, run.end - run.start, 1);
                run.label = labels.add(rect);
                while above.get(from).is_some_and(|other| other.end < run.start) {
                    from += 1;
                }
                for other in above.iter().skip(from).take_while(|other| other.start <= run.end) {
                    labels.join(run.label, other.label);
                }
            }
            above = runs;
        }
        let mut islands = labels.into_roots();
        islands.sort_by_key(|rect| (rect.y, rect.x));
        Some(islands)
    }

    /// The mask with every cover turned around.
    #[must_use]
    pub fn inverted(&self) -> Self {
        Self { extent: self.extent, cover: self.cover.iter().map(|cover| 255 - cover).collect() }
    }

    /// 255 where the cover is at least `level`, else 0.
    #[must_use]
    pub fn threshold(&self, level: u8) -> Self {
        let hard = |&cover: &u8| if cover >= level { 255 } else { 0 };
        Self { extent: self.extent, cover: self.cover.iter().map(hard).collect() }
    }

    /// The mask widened by `radius_px` on every side, with round corners.
    ///
    /// What grows is the solid part: pixels with at least half of the greatest cover. Everything
    /// within `radius_px` of one (center to center) gets the greatest cover; a soft edge that
    /// reaches farther stays as it is.
    #[must_use]
    pub fn grow(&self, radius_px: u32) -> Self {
        let Some(bounds) = self.bounds() else { return self.clone() };
        let radius_px = radius_px.min(self.extent.width.max(self.extent.height));
        let greatest = self.cover.iter().copied().max().unwrap_or(0);
        let solid = greatest.div_ceil(2);
        let reach = radius_px.saturating_mul(radius_px);
        self.changed_in(bounds.padded(radius_px, self.extent), BAND_ROWS, |part, rows| {
            let distances =
                squared_distances(part, |cover| cover >= solid, rows.clone(), radius_px);
            let cover = rows.flat_map(|y| part.line(y).iter().copied());
            let grown = |(distance, cover)| if distance <= reach { greatest } else { cover };
            distances.into_iter().zip(cover).map(grown).collect()
        })
    }

    /// The mask with its edge softened inwards over `width_px`.
    ///
    /// Cover only ever gets less, and a pixel of the mask keeps a cover of at least 1, so that the
    /// mask covers exactly the pixels that it did. The edge of the canvas is no edge of the mask.
    /// Where the mask is thinner than two feathers, the feather narrows so that the middle keeps
    /// its full cover.
    #[must_use]
    pub fn feather(&self, width_px: u32) -> Self {
        let width_px = width_px.min(self.extent.width.max(self.extent.height));
        let Some(bounds) = self.bounds().filter(|_| width_px > 0) else { return self.clone() };
        // Distances are known up to twice the feather, which tells whether the mask is thick.
        let (radius, cap_px) = (2 * width_px as usize, 2 * width_px + 1);
        let band = BAND_ROWS.max(2 * radius);
        self.changed_in(bounds.padded(1, self.extent), band, |part, rows| {
            let (width, height) = (part.extent.width as usize, part.extent.height as usize);
            let first = rows.start.saturating_sub(radius);
            let around = first..(rows.end + radius).min(height);
            let distances = squared_distances(part, |cover| cover == 0, around, cap_px);
            let mut thickness = distances.clone();
            window_maximum(&mut thickness, width, radius);
            let skip = (rows.start - first) * width;
            let squares = distances.into_iter().zip(thickness).skip(skip);
            let cover = rows.flat_map(|y| part.line(y).iter().copied());
            squares
                .zip(cover)
                .map(|((distance, thickness), cover)| match cover {
                    0 => 0,
                    _ => softened(cover, distance, thickness, width_px),
                })
                .collect()
        })
    }

    /// The mask with the rows of `rect` replaced, `band_rows` at a time on all cores.
    ///
    /// `change` is given the mask's part in `rect` and the rows of that part to compute.
    fn changed_in(
        &self,
        rect: CanvasRect,
        band_rows: usize,
        change: impl Fn(&Self, std::ops::Range<usize>) -> Vec<u8> + Sync,
    ) -> Self {
        let part = self.crop(rect);
        let (width, height) = (rect.width as usize, rect.height as usize);
        let mut cover = part.cover.clone();
        cover.par_chunks_mut((width * band_rows).max(1)).enumerate().for_each(|(band, target)| {
            let start = band * band_rows;
            let rows = start..(start + band_rows).min(height);
            let changed = change(&part, rows);
            target.iter_mut().zip(changed).for_each(|(cover, new)| *cover = new);
        });
        let mut whole = self.clone();
        for (y, line) in (rect.y as usize..).zip(cover.chunks_exact(width.max(1))) {
            let start = y * self.extent.width as usize + rect.x as usize;
            let row = whole.cover.get_mut(start..start + width);
            row.unwrap_or_default().copy_from_slice(line);
        }
        whole
    }
}

/// The cover of a pixel whose squared distance to the outside, and the greatest such distance
/// nearby, are given.
fn softened(cover: u8, distance: u32, thickness: u32, width_px: u32) -> u8 {
    let distance = (distance as f32).sqrt();
    let half_thickness = ((thickness as f32).sqrt() - 1.0) / 2.0;
    let width = half_thickness.min(width_px as f32);
    let t = (distance / (width + 1.0)).min(1.0);
    let smooth = t * t * (3.0 - 2.0 * t);
    ((f32::from(cover) * smooth).round() as u8).max(1)
}

/// Covered pixels of one row, without a gap; `end` is excluded.
struct Run {
    start: u32,
    end: u32,
    label: usize,
}

fn runs_of(line: &[u8]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut start = 0;
    for same in line.chunk_by(|a, b| (*a > 0) == (*b > 0)) {
        let end = start + same.len() as u32;
        if same.first().is_some_and(|&cover| cover > 0) {
            runs.push(Run { start, end, label: 0 });
        }
        start = end;
    }
    runs
}

/// Bounds of parts that turn out to be connected, as a forest.
#[derive(Default)]
struct Labels(Vec<(usize, CanvasRect)>);

impl Labels {
    fn add(&mut self, rect: CanvasRect) -> usize {
        self.0.push((self.0.len(), rect));
        self.0.len() - 1
    }

    fn root(&mut self, mut label: usize) -> usize {
        while let Some(&(parent, _)) = self.0.get(label) {
            if parent == label {
                break;
            }
            // Halving the path keeps later look-ups short.
            let grandparent = self.0.get(parent).map_or(parent, |&(grandparent, _)| grandparent);
            if let Some(entry) = self.0.get_mut(label) {
                entry.0 = grandparent;
            }
            label = grandparent;
        }
        label
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        // The older one stays the root, which keeps chains short for masks drawn downwards.
        let (root, child) = (a.min(b), a.max(b));
        let Some(&(_, rect)) = self.0.get(child).filter(|_| root != child) else { return };
        if let Some(entry) = self.0.get_mut(child) {
            entry.0 = root;
        }
        if let Some(entry) = self.0.get_mut(root) {
            entry.1 = entry.1.union(rect);
        }
    }

    fn into_roots(self) -> Vec<CanvasRect> {
        let is_root = |&(label, &(parent, _)): &(usize, &(usize, CanvasRect))| label == parent;
        self.0.iter().enumerate().filter(is_root).map(|(_, &(_, rect))| rect).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small generator for property tests (splitmix64).
    pub(crate) struct Seeded(pub(crate) u64);

    impl Seeded {
        pub(crate) fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        }

        pub(crate) fn below(&mut self, limit: u32) -> u32 {
            (((self.next() >> 32) * u64::from(limit)) >> 32) as u32
        }
    }

    /// A mask of a few rectangles of random cover and some lone pixels.
    pub(crate) fn random_mask(seeded: &mut Seeded, extent: Extent) -> Mask {
        let mut mask = Mask::new(extent);
        for _ in 0..seeded.below(5) {
            let (x, y) = (seeded.below(extent.width), seeded.below(extent.height));
            let size = (1 + seeded.below(extent.width), 1 + seeded.below(extent.height));
            let cover = if seeded.below(2) == 0 { 255 } else { seeded.below(256) as u8 };
            mask.fill(CanvasRect::new(x, y, size.0, size.1), cover);
        }
        mask
    }

    fn drawn(rows: &[&str]) -> Mask {
        let extent = Extent::new(rows[0].len() as u32, rows.len() as u32);
        let cover = |c| if c == '#' { 255 } else { 0 };
        Mask::from_raw(extent, rows.concat().chars().map(cover).collect()).unwrap()
    }

    #[test]
    fn bounds_hold_exactly_the_covered_pixels() {
        assert_eq!(Mask::new(Extent::new(5, 5)).bounds(), None);
        assert_eq!(Mask::new(Extent::new(0, 0)).bounds(), None);
        let mask = drawn(&["......", "...#..", ".#....", "..##..", "......"]);
        assert_eq!(mask.bounds(), Some(CanvasRect::new(1, 1, 3, 3)));
        assert_eq!(mask.bounds_in(CanvasRect::new(0, 2, 2, 9)), Some(CanvasRect::new(1, 2, 1, 1)));
    }

    #[test]
    fn islands_are_connected_over_corners_and_around_bends() {
        let mask = drawn(&[
            "#...#...#", //
            ".#..#.#.#",
            "....###..",
            "#.......#",
            "#.#######",
        ]);
        let expected = [
            CanvasRect::new(0, 0, 2, 2),
            CanvasRect::new(4, 0, 3, 3),
            CanvasRect::new(8, 0, 1, 2),
            CanvasRect::new(0, 3, 1, 2),
            CanvasRect::new(2, 3, 7, 2),
        ];
        assert_eq!(mask.islands(), expected);
        assert_eq!(drawn(&["#.#.#", "#.#.#", "#####"]).islands(), [CanvasRect::new(0, 0, 5, 3)]);
        assert!(Mask::new(Extent::new(4, 4)).islands().is_empty());
    }

    #[test]
    fn every_covered_pixel_lies_in_an_island() {
        let mut seeded = Seeded(3);
        for _ in 0..50 {
            let extent = Extent::new(1 + seeded.below(40), 1 + seeded.below(40));
            let mask = random_mask(&mut seeded, extent);
            let mut rest = mask.clone();
            for island in mask.islands() {
                assert_eq!(mask.bounds_in(island), Some(island));
                rest.fill(island, 0);
            }
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_grown_pixel_is_a_disc() {
        let mut mask = Mask::new(Extent::new(7, 7));
        mask.fill(CanvasRect::new(3, 3, 1, 1), 255);
        let disc =
            drawn(&[".......", "...#...", "..###..", ".#####.", "..###..", "...#...", "......."]);
        assert_eq!(mask.grow(2), disc);
        assert_eq!(mask.grow(0), mask);
        assert_eq!(mask.grow(99).covered_pixels(), 49);
    }

    #[test]
    fn growing_keeps_a_soft_edge_and_a_faint_mask() {
        let mask = Mask::from_raw(Extent::new(6, 1), vec![0, 255, 40, 30, 20, 0]).unwrap();
        assert_eq!(mask.grow(1).as_raw(), [255, 255, 255, 30, 20, 0]);
        let faint = Mask::from_raw(Extent::new(4, 1), vec![9, 0, 0, 0]).unwrap();
        assert_eq!(faint.grow(2).as_raw(), [9, 9, 9, 0]);
    }

    #[test]
    fn growth_equals_that_found_by_trying_every_pixel_across_bands() {
        let mut seeded = Seeded(4);
        let extent = Extent::new(9, 300);
        let mut mask = Mask::new(extent);
        for _ in 0..12 {
            let (x, y) = (seeded.below(9), seeded.below(300));
            mask.fill(CanvasRect::new(x, y, 1, 1), 255);
        }
        let grown = mask.grow(6);
        for y in 0..extent.height {
            for x in 0..extent.width {
                let near = |u: u32, v: u32| x.abs_diff(u).pow(2) + y.abs_diff(v).pow(2) <= 36;
                let expected = (0..300).any(|v| (0..9).any(|u| mask.pixel(u, v) > 0 && near(u, v)));
                assert_eq!(grown.pixel(x, y) > 0, expected);
            }
        }
    }

    #[test]
    fn a_feather_lies_inside_the_edge_and_keeps_the_middle() {
        let mut mask = Mask::new(Extent::new(60, 60));
        mask.fill(CanvasRect::new(10, 10, 40, 40), 255);
        let soft = mask.feather(8);
        assert_eq!(soft.threshold(1), mask);
        assert_eq!(soft.pixel(30, 30), 255);
        let edge: Vec<u8> = (9..20).map(|x| soft.pixel(x, 30)).collect();
        assert!(edge.is_sorted(), "{edge:?}");
        assert_eq!((edge[0], edge[9], edge[10]), (0, 255, 255));
        assert!(edge[1] > 0 && edge[1] < 20 && edge[4] > 90 && edge[4] < 140, "{edge:?}");
    }

    #[test]
    fn a_feather_does_not_fade_what_is_thin() {
        let mut mask = Mask::new(Extent::new(80, 80));
        mask.fill(CanvasRect::new(5, 5, 40, 40), 255);
        mask.fill(CanvasRect::new(45, 20, 30, 3), 255);
        mask.fill(CanvasRect::new(70, 70, 1, 1), 255);
        let soft = mask.feather(6);
        assert_eq!(soft.pixel(70, 21), 255);
        assert_eq!(soft.pixel(70, 70), 255);
        assert_eq!(soft.pixel(25, 25), 255);
        assert!(soft.pixel(70, 20) < 255);
    }

    #[test]
    fn the_edge_of_the_canvas_is_not_feathered() {
        let mut mask = Mask::new(Extent::new(30, 20));
        mask.fill(CanvasRect::new(0, 0, 30, 20), 255);
        assert_eq!(mask.feather(5), mask);
        mask.fill(CanvasRect::new(20, 0, 10, 20), 0);
        let soft = mask.feather(5);
        assert_eq!((soft.pixel(0, 0), soft.pixel(0, 19)), (255, 255));
        assert!(soft.pixel(19, 0) < 128);
    }

    #[test]
    fn a_feather_is_the_same_in_one_band_and_in_many() {
        let mut seeded = Seeded(5);
        let mut tall = Mask::new(Extent::new(20, 700));
        for _ in 0..20 {
            let (x, y) = (seeded.below(20), seeded.below(700));
            tall.fill(CanvasRect::new(x, y, 8, 1 + seeded.below(60)), 255);
        }
        let wide = |mask: &Mask| {
            let (width, height) = (mask.extent().width, mask.extent().height);
            let mut turned = Mask::new(Extent::new(height, width));
            for y in 0..height {
                for x in 0..width {
                    turned.fill(CanvasRect::new(y, x, 1, 1), mask.pixel(x, y));
                }
            }
            turned
        };
        assert_eq!(wide(&tall.feather(4)), wide(&tall).feather(4));
        assert_eq!(wide(&tall.grow(4)), wide(&tall).grow(4));
    }
}
