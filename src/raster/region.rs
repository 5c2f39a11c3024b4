//! Which parts of a canvas an edit shows to the network, and in what order.
//!
//! The rules, in the order in which they are applied:
//!
//! 1. Every connected island of the mask is a region of its own. Islands whose bounds overlap are
//!    one region always, so that result rects never overlap.
//! 2. A region's *context* is its bounds padded by a fraction of its size (the geometric mean of
//!    its sides, so that a thin stroke isn't padded by its length), at least by a few pixels, then
//!    made square around its middle, at least as large as the model likes. It is moved into the
//!    canvas where it juts out, and cut only where the canvas is too small for it.
//! 3. Two regions whose contexts overlap are merged where the merged context is not much larger
//!    than the larger of the two ([`RegionSettings::merge_growth`]). Farther islands stay apart:
//!    each is seen at its own, higher resolution.
//! 4. A region whose context is more than twice as large as the model is cut in halves across its
//!    longer side as long as this shrinks what must be looked at: the squares around both halves
//!    together must have at most 60 percent of the area of the square around the whole. A stroke of 4000x10 or a thin diagonal is cut, a
//!    blob or a ring is not: halves of those need the same context once more.
//! 5. There are at most [`RegionSettings::max_regions`]; the pairs that lose least are merged
//!    until that is so.
//!
//! Regions come from top to bottom, then left to right, and are painted one after the other. What
//! an earlier region painted is known to the later ones: take the result rect out of the mask
//! ([`Mask::fill`] with 0) before the next region's known pixels are read. Every pixel of the mask
//! lies in exactly one result rect.

use serde::{Deserialize, Serialize};

use crate::geom::{CanvasRect, Extent};
use crate::raster::{GoOn, Mask};

/// Islands up to this number are compared one by one; more are first joined with neighbors.
const COMPARED_ISLANDS: usize = 128;

/// Rule 4: halves are worth it when their contexts have at most this much of the whole's square.
const SPLIT_GAIN: f64 = 0.6;

/// A part of the canvas that one run of the network repaints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// What the network sees; contains `result_rect` and lies in the canvas.
    pub context_rect: CanvasRect,
    /// The bounds of what is repainted; where the result is blended in.
    pub result_rect: CanvasRect,
}

/// How regions are cut out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionSettings {
    /// Side in pixels of the square picture that the model makes in the end.
    pub model_side_px: u32,
    /// Padding on every side as a fraction of the mask's size.
    pub padding_fraction: f32,
    /// Padding on every side in pixels, at least.
    pub min_padding_px: u32,
    /// Side in pixels of the context, at least, where the canvas is large enough.
    pub min_context_px: u32,
    /// How much longer the side of a merged context may be than that of the larger part.
    pub merge_growth: f32,
    /// The greatest number of regions, each of which costs one run of the network.
    pub max_regions: usize,
}

impl RegionSettings {
    /// Settings for a model that makes square pictures of `model_side_px`.
    #[must_use]
    pub const fn for_model(model_side_px: u32) -> Self {
        Self {
            model_side_px,
            padding_fraction: 0.5,
            min_padding_px: 16,
            min_context_px: 64,
            merge_growth: 2.0,
            max_regions: 8,
        }
    }
}

/// Plans the runs that repaint all of `mask`; empty where the mask is.
#[must_use]
pub fn plan_regions(mask: &Mask, settings: &RegionSettings) -> Vec<Region> {
    plan_regions_while(mask, settings, &|| true).unwrap_or_default()
}

/// As [`plan_regions`], asking before each row whether to go on; `None` where not.
#[must_use]
pub fn plan_regions_while(
    mask: &Mask,
    settings: &RegionSettings,
    go_on: GoOn<'_>,
) -> Option<Vec<Region>> {
    let planner = Planner { canvas: mask.extent(), settings };
    let islands = join_overlapping(join_neighbors(mask.islands_while(go_on)?, mask.extent()));
    let merged = planner.merge_close(islands);
    let mut parts = planner.merge_down(merged);
    planner.split(mask, &mut parts);
    parts.sort_by_key(|part| (part.y, part.x));
    let region = |part| Region { context_rect: planner.context(part), result_rect: part };
    Some(parts.into_iter().map(region).collect())
}

struct Planner<'a> {
    canvas: Extent,
    settings: &'a RegionSettings,
}

impl Planner<'_> {
    /// Rule 2.
    fn context(&self, part: CanvasRect) -> CanvasRect {
        let side = self.wanted_side(part);
        let (x, width) = around(part.x, part.width, side, self.canvas.width);
        let (y, height) = around(part.y, part.height, side, self.canvas.height);
        CanvasRect { x, y, width, height }
    }

    /// The side of the context before the canvas cuts it.
    fn wanted_side(&self, part: CanvasRect) -> u32 {
        let size = (part.width as f32 * part.height as f32).sqrt();
        let padding = (size * self.settings.padding_fraction).ceil().max(0.0) as u32;
        let padding = padding.max(self.settings.min_padding_px).saturating_mul(2);
        let side = part.width.max(part.height).saturating_add(padding);
        side.max(self.settings.min_context_px)
    }

    fn context_side(&self, part: CanvasRect) -> u32 {
        let context = self.context(part);
        context.width.max(context.height)
    }

    /// Rule 3.
    fn merge_close(&self, mut parts: Vec<CanvasRect>) -> Vec<CanvasRect> {
        let close = |a: CanvasRect, b: CanvasRect| {
            self.context(a).intersection(self.context(b))?;
            let larger = self.context_side(a).max(self.context_side(b)) as f32;
            let merged = self.context_side(a.union(b)) as f32;
            let growth = merged / larger.max(1.0);
            (growth <= self.settings.merge_growth).then_some(growth)
        };
        while let Some((i, j)) = cheapest_pair(&parts, close) {
            parts = merged_pair(parts, i, j);
        }
        parts
    }

    /// Rule 5.
    fn merge_down(&self, mut parts: Vec<CanvasRect>) -> Vec<CanvasRect> {
        let area = |part| self.context(part).extent().area() as f32;
        while parts.len() > self.settings.max_regions.max(1) {
            let loss = |a: CanvasRect, b: CanvasRect| Some(area(a.union(b)) - area(a) - area(b));
            let Some((i, j)) = cheapest_pair(&parts, loss) else { break };
            parts = merged_pair(parts, i, j);
        }
        parts
    }

    /// Rule 4, the largest region first.
    fn split(&self, mask: &Mask, parts: &mut Vec<CanvasRect>) {
        let mut whole = Vec::new();
        parts.sort_by_key(|&part| self.context_side(part));
        while let Some(part) = parts.pop() {
            let room = parts.len() + whole.len() + 2 <= self.settings.max_regions;
            match self.halves(mask, part).filter(|_| room) {
                Some(halves) => {
                    parts.extend(halves);
                    parts.sort_by_key(|&part| self.context_side(part));
                }
                None => whole.push(part),
            }
        }
        *parts = whole;
    }

    fn halves(&self, mask: &Mask, part: CanvasRect) -> Option<[CanvasRect; 2]> {
        if self.context_side(part) <= self.settings.model_side_px.saturating_mul(2) {
            return None;
        }
        let CanvasRect { x, y, width, height } = part;
        let (first, second) = if width >= height {
            let half = width / 2;
            (
                CanvasRect { width: half, ..part },
                CanvasRect { x: x + half, width: width - half, ..part },
            )
        } else {
            let half = height / 2;
            (
                CanvasRect { height: half, ..part },
                CanvasRect { y: y + half, height: height - half, ..part },
            )
        };
        let halves = [mask.bounds_in(first)?, mask.bounds_in(second)?];
        // By the wanted squares: the canvas cuts the whole's more than the halves', which would
        // hide what the next cuts gain.
        let square = |part| f64::from(self.wanted_side(part)).powi(2);
        let [a, b] = halves.map(square);
        (a + b <= SPLIT_GAIN * square(part)).then_some(halves)
    }
}

/// Places `side` pixels around the middle of `start..start + length`, inside `0..limit`.
fn around(start: u32, length: u32, side: u32, limit: u32) -> (u32, u32) {
    let side = side.min(limit).max(length);
    let before = (side - length) / 2;
    (start.saturating_sub(before).min(limit.saturating_sub(side)), side)
}

/// Joins islands that share a cell of a grid, as coarse as needed to leave few of them.
///
/// Speckled masks have islands by the million; comparing each with each would take forever.
fn join_neighbors(mut islands: Vec<CanvasRect>, canvas: Extent) -> Vec<CanvasRect> {
    let mut cell = 16;
    while islands.len() > COMPARED_ISLANDS && cell < canvas.width.max(canvas.height) * 2 {
        let place = |rect: &CanvasRect| {
            ((rect.y + rect.height / 2) / cell, (rect.x + rect.width / 2) / cell)
        };
        islands.sort_by_key(place);
        let cells = islands.chunk_by(|a, b| place(a) == place(b));
        islands = cells.filter_map(|cell| cell.iter().copied().reduce(CanvasRect::union)).collect();
        cell *= 2;
    }
    islands
}

/// Joins rects until no two overlap.
fn join_overlapping(mut parts: Vec<CanvasRect>) -> Vec<CanvasRect> {
    let mut apart: Vec<CanvasRect> = Vec::new();
    while let Some(mut part) = parts.pop() {
        // A joined rect may reach ones that were apart before, so it is looked at once more.
        while let Some(i) = apart.iter().position(|other| other.intersection(part).is_some()) {
            part = part.union(apart.swap_remove(i));
        }
        apart.push(part);
    }
    apart
}

fn merged_pair(mut parts: Vec<CanvasRect>, i: usize, j: usize) -> Vec<CanvasRect> {
    let second = parts.swap_remove(i.max(j));
    let first = parts.swap_remove(i.min(j));
    parts.push(first.union(second));
    join_overlapping(parts)
}

/// The pair with the least cost; ties go to the first.
fn cheapest_pair(
    parts: &[CanvasRect],
    cost: impl Fn(CanvasRect, CanvasRect) -> Option<f32>,
) -> Option<(usize, usize)> {
    let mut best: Option<(f32, (usize, usize))> = None;
    for (i, &a) in parts.iter().enumerate() {
        for (j, &b) in parts.iter().enumerate().skip(i + 1) {
            if let Some(cost) =
                cost(a, b).filter(|&cost| best.is_none_or(|(least, _)| cost < least))
            {
                best = Some((cost, (i, j)));
            }
        }
    }
    best.map(|(_, pair)| pair)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::mask::tests::{Seeded, random_mask};

    const CANVAS: Extent = Extent::new(1000, 800);

    fn plan(canvas: Extent, rects: &[CanvasRect]) -> Vec<Region> {
        let mut mask = Mask::new(canvas);
        for &rect in rects {
            mask.fill(rect, 255);
        }
        plan_regions(&mask, &RegionSettings::for_model(256))
    }

    fn check_one(canvas: Extent, rect: CanvasRect, context: CanvasRect) {
        let expected = [Region { context_rect: context, result_rect: rect }];
        assert_eq!(plan(canvas, &[rect]), expected);
    }

    #[test]
    fn one_rectangle_gets_a_square_context_inside_the_canvas() {
        let rect = CanvasRect::new;
        // In the middle; at a corner; one pixel; one pixel in the last corner.
        check_one(CANVAS, rect(400, 300, 100, 100), rect(350, 250, 200, 200));
        check_one(CANVAS, rect(0, 0, 100, 100), rect(0, 0, 200, 200));
        check_one(CANVAS, rect(500, 500, 1, 1), rect(469, 469, 64, 64));
        check_one(CANVAS, rect(999, 799, 1, 1), rect(936, 736, 64, 64));
        // Larger than the model; as large as the canvas; wider than the canvas is high.
        check_one(CANVAS, rect(300, 200, 300, 300), rect(150, 50, 600, 600));
        check_one(CANVAS, rect(0, 0, 1000, 800), rect(0, 0, 1000, 800));
        check_one(CANVAS, rect(100, 100, 700, 400), rect(0, 0, 1000, 800));
        // A canvas smaller than the model, and than the least context.
        check_one(Extent::new(120, 90), rect(50, 40, 30, 30), rect(33, 23, 64, 64));
        check_one(Extent::new(30, 20), rect(3, 4, 5, 6), rect(0, 0, 30, 20));
        check_one(Extent::new(1, 1), rect(0, 0, 1, 1), rect(0, 0, 1, 1));
    }

    #[test]
    fn an_empty_mask_needs_no_region() {
        assert_eq!(plan(CANVAS, &[]), []);
        assert_eq!(plan(Extent::new(0, 0), &[]), []);
    }

    #[test]
    fn far_islands_stay_apart_and_near_ones_are_merged() {
        let left = CanvasRect::new(50, 300, 100, 100);
        let far = plan(CANVAS, &[left, CanvasRect::new(800, 300, 100, 100)]);
        assert_eq!(far.len(), 2);
        assert_eq!(far[0].context_rect.extent(), Extent::new(200, 200));
        let near = plan(CANVAS, &[left, CanvasRect::new(165, 300, 100, 100)]);
        assert_eq!(near.len(), 1);
        assert_eq!(near[0].result_rect, CanvasRect::new(50, 300, 215, 100));
        // A speck beside a large island goes with it.
        let speck = plan(CANVAS, &[left, CanvasRect::new(165, 420, 3, 3)]);
        assert_eq!(speck.len(), 1);
    }

    #[test]
    fn a_long_thin_stroke_is_cut_and_a_ring_is_not() {
        let canvas = Extent::new(4000, 3000);
        let stroke = plan(canvas, &[CanvasRect::new(0, 1500, 4000, 10)]);
        assert_eq!(stroke.len(), 8);
        assert!(stroke.iter().all(|region| region.context_rect.width <= 600), "{stroke:?}");
        let ring = [
            CanvasRect::new(500, 500, 2000, 20),
            CanvasRect::new(500, 2480, 2000, 20),
            CanvasRect::new(500, 500, 20, 2000),
            CanvasRect::new(2480, 500, 20, 2000),
        ];
        assert_eq!(plan(canvas, &ring).len(), 1);
        let diagonal: Vec<CanvasRect> =
            (0..400).map(|i| CanvasRect::new(i * 7, i * 7, 10, 10)).collect();
        let parts = plan(canvas, &diagonal);
        assert!(parts.len() > 3, "{parts:?}");
    }

    #[test]
    fn a_million_specks_become_few_regions() {
        let extent = Extent::new(2000, 1000);
        let speck =
            |i: usize| if i.is_multiple_of(4) && (i / 2000).is_multiple_of(2) { 255 } else { 0 };
        let mask = Mask::from_raw(extent, (0..extent.area()).map(speck).collect()).unwrap();
        assert_eq!(plan_regions(&mask, &RegionSettings::for_model(256)).len(), 1);
    }

    #[test]
    fn every_covered_pixel_lies_in_exactly_one_result() {
        let mut seeded = Seeded(6);
        for round in 0..150 {
            let extent = Extent::new(1 + seeded.below(400), 1 + seeded.below(400));
            let mut mask = random_mask(&mut seeded, extent);
            for _ in 0..seeded.below(30) {
                let (x, y) = (seeded.below(extent.width), seeded.below(extent.height));
                mask.fill(CanvasRect::new(x, y, 1 + seeded.below(9), 1 + seeded.below(9)), 255);
            }
            let settings = RegionSettings {
                max_regions: 1 + round % 6,
                min_context_px: 16,
                min_padding_px: seeded.below(20),
                ..RegionSettings::for_model(16)
            };
            let regions = plan_regions(&mask, &settings);
            assert!(regions.len() <= settings.max_regions);
            let mut rest = mask.clone();
            for (i, region) in regions.iter().enumerate() {
                assert!(region.context_rect.contains(region.result_rect));
                assert!(extent.rect().contains(region.context_rect));
                assert_eq!(mask.bounds_in(region.result_rect), Some(region.result_rect));
                rest.fill(region.result_rect, 0);
                for other in &regions[i + 1..] {
                    assert_eq!(region.result_rect.intersection(other.result_rect), None);
                }
            }
            assert!(rest.is_empty());
        }
    }
}
