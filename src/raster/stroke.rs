//! A brush stroke while it is being drawn.
//!
//! A stroke keeps the pixels from before it and the cover that its dabs add up to. What is seen is
//! worked out anew from these two wherever a dab falls, so opacity caps a stroke however often it
//! crosses itself, and the pixels don't depend on how many samples come at a time. Start with
//! [`StrokeEngine::begin`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::geom::PixelRect;
use crate::raster::dab::{Dab, FULL, Stamp};
use crate::raster::stroke_path::StrokePath;
use crate::raster::{
    Brush, CoverGrid, Pixel, PressureUse, StrokeSample, TILE_PX, Tile, TileGrid, TileIndex,
};

const SIDE: usize = TILE_PX as usize;
/// Dabs lie at least so far apart.
const MIN_STEP_PX: f32 = 0.5;
/// From this many pixels of dabs at a time on, tiles go to several cores.
const PARALLEL_PX: u64 = 60_000;

/// A kind of pixel that can be painted on.
pub trait Paintable: Pixel {
    /// `paint` laid over the pixel; `weight` up to 65535 says how much of it. Weight 0 changes no
    /// byte.
    #[must_use]
    fn painted(self, paint: Self, weight: u16) -> Self;

    /// The pixel with so much taken away; weight 0 changes no byte.
    #[must_use]
    fn erased(self, weight: u16) -> Self;
}

impl Paintable for [u8; 4] {
    fn painted(self, paint: Self, weight: u16) -> Self {
        const ONE: u32 = 255 * FULL;
        let part = u32::from(paint[3]) * u32::from(weight);
        let rest = ONE - part;
        if part == 0 {
            return self;
        }
        if rest == 0 {
            return paint;
        }
        if self[3] == 255 {
            // Just fits 32 bits.
            let mix = |old: u8, new: u8| {
                ((u32::from(new) * part + u32::from(old) * rest + ONE / 2) / ONE) as u8
            };
            let [r, g, b, _] = self;
            return [mix(r, paint[0]), mix(g, paint[1]), mix(b, paint[2]), 255];
        }
        let (new_part, old_part) = (u64::from(part) * 255, u64::from(rest) * u64::from(self[3]));
        let both = new_part + old_part;
        let alpha = ((both + u64::from(ONE) / 2) / u64::from(ONE)) as u8;
        if alpha == 0 {
            return self;
        }
        if self[3] == 0 {
            return [paint[0], paint[1], paint[2], alpha];
        }
        let mix = |old: u8, new: u8| {
            ((u64::from(new) * new_part + u64::from(old) * old_part + both / 2) / both) as u8
        };
        let [r, g, b, _] = self;
        [mix(r, paint[0]), mix(g, paint[1]), mix(b, paint[2]), alpha]
    }

    fn erased(self, weight: u16) -> Self {
        if weight == 0 || self[3] == 0 {
            return self;
        }
        match less(self[3], weight) {
            // No color stays behind, so that an erased tile is an empty one.
            0 => [0; 4],
            alpha => [self[0], self[1], self[2], alpha],
        }
    }
}

impl Paintable for u8 {
    fn painted(self, paint: Self, weight: u16) -> Self {
        let (part, rest) = (u32::from(weight), FULL - u32::from(weight));
        ((u32::from(paint) * part + u32::from(self) * rest + FULL / 2) / FULL) as Self
    }

    fn erased(self, weight: u16) -> Self {
        less(self, weight)
    }
}

fn less(value: u8, weight: u16) -> u8 {
    ((u32::from(value) * (FULL - u32::from(weight)) + FULL / 2) / FULL) as u8
}

/// What a stroke does to the pixels it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrokePaint<P> {
    /// Lays this down: a color, or a cover (255 for all of it).
    Lay(P),
    /// Takes alpha or cover away.
    Erase,
}

/// A stroke that is being drawn.
#[derive(Clone, Debug)]
pub struct StrokeEngine<P: Paintable> {
    base: TileGrid<P>,
    brush: Brush,
    paint: StrokePaint<P>,
    limit: Option<CoverGrid>,
    bounds: Option<PixelRect>,
    path: StrokePath,
    stamp: Option<Stamp>,
    last_pixel: Option<(i32, i32)>,
    // Added up by tile, each with SIDE * SIDE entries.
    cover: BTreeMap<TileIndex, Box<[u16]>>,
    changed: PixelRect,
}

impl<P: Paintable> StrokeEngine<P> {
    /// A stroke over the pixels of `base`, which has touched nothing yet.
    ///
    /// It works within the cover of `limit`, where there is one, and within `bounds`.
    #[must_use]
    pub fn begin(
        base: &TileGrid<P>,
        brush: Brush,
        paint: StrokePaint<P>,
        limit: Option<CoverGrid>,
        bounds: Option<PixelRect>,
    ) -> Self {
        Self {
            base: base.clone(),
            brush: sane(brush),
            paint,
            limit,
            bounds,
            path: StrokePath::default(),
            stamp: None,
            last_pixel: None,
            cover: BTreeMap::new(),
            changed: PixelRect::default(),
        }
    }

    /// Goes on to these samples; answers with a rectangle that holds every pixel of `target` that
    /// changed.
    ///
    /// `target` is what `base` was, with all that this stroke has done since. The path is drawn up
    /// to halfway between the last two samples; the same sample once more brings it to the
    /// pointer, and [`Self::finish`] does too.
    pub fn extend(&mut self, target: &mut TileGrid<P>, samples: &[StrokeSample]) -> PixelRect {
        let mut path = std::mem::take(&mut self.path);
        let mut batch = Batch::default();
        for &sample in samples {
            path.add(sample, |at| self.place(&mut batch, at));
        }
        self.path = path;
        self.draw(target, &batch)
    }

    /// Ends the stroke at its last sample; answers as [`Self::extend`] does, for what was still
    /// missing.
    pub fn finish(mut self, target: &mut TileGrid<P>) -> PixelRect {
        let mut path = std::mem::take(&mut self.path);
        let mut batch = Batch::default();
        path.finish(|at| self.place(&mut batch, at));
        let rect = self.draw(target, &batch);
        if self.paint == StrokePaint::Erase {
            target.drop_empty_tiles(self.changed);
        }
        rect
    }

    /// The smallest rectangle that holds all that the stroke has changed so far.
    #[must_use]
    pub const fn changed(&self) -> PixelRect {
        self.changed
    }

    /// Puts a dab down; answers with the distance to the next one.
    fn place(&mut self, batch: &mut Batch, at: StrokeSample) -> f32 {
        let Brush { diameter_px, hardness, flow, spacing, pressure, .. } = self.brush;
        let (size, strength) = match pressure {
            PressureUse::Ignored => (1.0, 1.0),
            PressureUse::Size => (at.pressure, 1.0),
            PressureUse::Flow => (1.0, at.pressure),
            PressureUse::SizeAndFlow => (at.pressure, at.pressure),
        };
        let (diameter, flow) = (diameter_px * size, flow * strength);
        let step = (diameter * spacing).max(MIN_STEP_PX);
        let crisp = Stamp::is_pixel_brush(diameter_px);
        if flow <= 0.0 || diameter <= 0.0 {
            return step;
        }
        if crisp && self.last_pixel.replace(at.point.pixel()) == Some(at.point.pixel()) {
            return step;
        }
        let made_for = if crisp { 1.0 } else { diameter };
        let stamp = match self.stamp.take() {
            Some(stamp) if stamp.fits(made_for, flow) => stamp,
            _ if crisp => Stamp::pixel(flow),
            _ => Stamp::round(diameter, hardness, flow),
        };
        if batch.stamps.last() != Some(&stamp) {
            batch.stamps.push(stamp.clone());
        }
        let mut dab = Dab::new(at.point, &stamp, batch.stamps.len() - 1);
        self.stamp = Some(stamp);
        let rect = match self.bounds {
            Some(bounds) => dab.rect.intersection(bounds),
            None => Some(dab.rect),
        };
        if let Some(rect) = rect {
            dab.rect = rect;
            batch.dabs.push(dab);
        }
        step
    }

    /// Adds the dabs to the cover, and works out the pixels below them.
    fn draw(&mut self, target: &mut TileGrid<P>, batch: &Batch) -> PixelRect {
        let mut touched: BTreeMap<TileIndex, Vec<&Dab>> = BTreeMap::new();
        let mut area = 0;
        for dab in &batch.dabs {
            area += u64::from(dab.rect.width) * u64::from(dab.rect.height);
            for at in TileIndex::touching(dab.rect) {
                touched.entry(at).or_default().push(dab);
            }
        }
        // Nothing changes without a limit's tile, nor is there anything to erase without a tile.
        touched.retain(|&at, _| {
            let allowed = self.limit.as_ref().is_none_or(|limit| limit.tile(at).is_some());
            allowed && (self.paint != StrokePaint::Erase || target.tile(at).is_some())
        });
        let work: Vec<Work<'_, P>> = touched
            .into_iter()
            .map(|(at, dabs)| Work {
                at,
                dabs,
                cover: self.cover.remove(&at),
                tile: target.take_tile(at),
                changed: PixelRect::default(),
            })
            .collect();
        let this = &*self;
        let done: Vec<Work<'_, P>> = if area >= PARALLEL_PX && work.len() > 1 {
            work.into_par_iter().map(|work| this.draw_tile(work, &batch.stamps)).collect()
        } else {
            work.into_iter().map(|work| this.draw_tile(work, &batch.stamps)).collect()
        };
        let mut rect = PixelRect::default();
        for Work { at, cover, tile, changed, .. } in done {
            rect = rect.union(changed);
            if let Some(cover) = cover {
                self.cover.insert(at, cover);
            }
            if tile.is_some() {
                target.set_tile(at, tile);
            }
        }
        self.changed = self.changed.union(rect);
        rect
    }

    /// The part of [`Self::draw`] that lies in one tile.
    fn draw_tile<'a>(&self, mut work: Work<'a, P>, stamps: &[Stamp]) -> Work<'a, P> {
        let corner = work.at.rect();
        let mut cover =
            work.cover.take().unwrap_or_else(|| vec![0; SIDE * SIDE].into_boxed_slice());
        let mut spans: [Range<usize>; SIDE] = std::array::from_fn(|_| 0..0);
        for dab in &work.dabs {
            let Some(part) = dab.rect.intersection(corner) else { continue };
            let Some(stamp) = stamps.get(dab.stamp) else { continue };
            let columns = local(part.x, corner.x)..local(part.right(), corner.x);
            for y in part.y..part.bottom() {
                let in_tile = local(y, corner.y);
                let row = cover.get_mut(in_tile * SIDE..(in_tile + 1) * SIDE).unwrap_or_default();
                let row = row.get_mut(columns.clone()).unwrap_or_default();
                let Some(new) = dab.add_to_row(stamp, part.x, y, row) else { continue };
                if let Some(span) = spans.get_mut(in_tile) {
                    let new = new.start + columns.start..new.end + columns.start;
                    *span = joined(span.clone(), new);
                }
            }
        }
        let part = spans
            .iter()
            .zip(0..)
            .filter(|(span, _)| !span.is_empty())
            .fold(PixelRect::default(), |all, (span, y)| {
                all.union(PixelRect::new(span.start as i32, y, span.len() as u32, 1))
            });
        if !part.is_empty() {
            work.tile = self.painted_tile(work.at, work.tile, part, &spans, &cover);
            if work.tile.is_some() {
                work.changed = part.shifted(corner.x, corner.y);
            }
        }
        work.cover = Some(cover);
        work
    }

    /// The tile with the pixels of `spans`, all within `part`, worked out anew; none where there
    /// was none and all stays empty.
    fn painted_tile(
        &self,
        at: TileIndex,
        tile: Option<Arc<Tile<P>>>,
        part: PixelRect,
        spans: &[Range<usize>],
        cover: &[u16],
    ) -> Option<Arc<Tile<P>>> {
        let is_new = tile.is_none();
        let mut tile = tile.unwrap_or_else(|| Arc::new(Tile::filled(P::EMPTY)));
        let pixels = Arc::make_mut(&mut tile).pixels_mut(part);
        let base = self.base.tile(at).map(|tile| tile.pixels());
        let limit = self.limit.as_ref().and_then(|limit| limit.tile(at)).map(|tile| tile.pixels());
        let opacity = (self.brush.opacity * FULL as f32).round() as u32;
        let paint = self.paint;
        let mut any = false;
        for (span, y) in spans.iter().zip(0..) {
            if span.is_empty() {
                continue;
            }
            let range = y * SIDE + span.start..y * SIDE + span.end;
            let target = pixels.get_mut(range.clone()).unwrap_or_default();
            let cover = cover.get(range.clone()).unwrap_or_default();
            let below = base.and_then(|base| base.get(range.clone()));
            let limit = limit.and_then(|limit| limit.get(range));
            for (i, (pixel, &cover)) in target.iter_mut().zip(cover).enumerate() {
                let mut weight = scaled(u32::from(cover), opacity);
                if let Some(limit) = limit {
                    let most = limit.get(i).map_or(0, |&limit| u32::from(limit));
                    weight = scaled(weight, most * 257);
                }
                let old = below.and_then(|below| below.get(i)).map_or(P::EMPTY, |&old| old);
                *pixel = match paint {
                    StrokePaint::Lay(paint) => old.painted(paint, weight as u16),
                    StrokePaint::Erase => old.erased(weight as u16),
                };
                any |= *pixel != P::EMPTY;
            }
        }
        (any || !is_new).then_some(tile)
    }
}

/// The dabs of one call and their shapes.
#[derive(Default)]
struct Batch {
    dabs: Vec<Dab>,
    stamps: Vec<Stamp>,
}

/// A tile on its way through [`StrokeEngine::draw`].
struct Work<'a, P: Paintable> {
    at: TileIndex,
    dabs: Vec<&'a Dab>,
    cover: Option<Box<[u16]>>,
    tile: Option<Arc<Tile<P>>>,
    changed: PixelRect,
}

/// A brush within the ranges of its fields; what isn't a number becomes the default.
fn sane(brush: Brush) -> Brush {
    let default = Brush::default();
    let within = |value: f32, least: f32, most: f32, default: f32| {
        if value.is_nan() { default } else { value.clamp(least, most) }
    };
    Brush {
        diameter_px: within(brush.diameter_px, 1.0, 2000.0, default.diameter_px),
        hardness: within(brush.hardness, 0.0, 1.0, default.hardness),
        flow: within(brush.flow, 0.0, 1.0, default.flow),
        opacity: within(brush.opacity, 0.0, 1.0, default.opacity),
        spacing: within(brush.spacing, 0.01, 2.0, default.spacing),
        pressure: brush.pressure,
    }
}

fn local(place: i32, corner: i32) -> usize {
    place.abs_diff(corner) as usize
}

fn joined(a: Range<usize>, b: Range<usize>) -> Range<usize> {
    if a.is_empty() { b } else { a.start.min(b.start)..a.end.max(b.end) }
}

/// `value` times `share`, both with 65535 for 1.
#[inline(always)]
fn scaled(value: u32, share: u32) -> u32 {
    if share == FULL { value } else { (value * share + FULL / 2) / FULL }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::CanvasPoint;
    use crate::raster::PixelGrid;
    use crate::raster::mask::tests::Seeded;

    const RED: [u8; 4] = [255, 0, 0, 255];

    fn sample(x: f32, y: f32, pressure: f32) -> StrokeSample {
        StrokeSample { point: CanvasPoint::new(x, y), pressure }
    }

    fn random_samples(seeded: &mut Seeded, count: usize) -> Vec<StrokeSample> {
        let mut place = (seeded.below(300) as f32, seeded.below(300) as f32);
        let step = |seeded: &mut Seeded| seeded.below(800) as f32 / 10.0 - 40.0;
        (0..count)
            .map(|_| {
                place = (place.0 + step(seeded), place.1 + step(seeded));
                sample(place.0, place.1, seeded.below(101) as f32 / 100.0)
            })
            .collect()
    }

    fn random_brush(seeded: &mut Seeded) -> Brush {
        Brush {
            diameter_px: [1.0, 2.5, 9.0, 40.0, 300.0][seeded.below(5) as usize],
            hardness: seeded.below(11) as f32 / 10.0,
            flow: [1.0, 0.3, 0.02][seeded.below(3) as usize],
            opacity: [1.0, 0.5][seeded.below(2) as usize],
            spacing: [0.05, 0.1, 0.7][seeded.below(3) as usize],
            pressure: [
                PressureUse::Ignored,
                PressureUse::Size,
                PressureUse::Flow,
                PressureUse::SizeAndFlow,
            ][seeded.below(4) as usize],
        }
    }

    /// A few filled rectangles, some half transparent, some with a hidden color.
    fn random_pixels(seeded: &mut Seeded) -> PixelGrid {
        let mut grid = PixelGrid::new();
        for _ in 0..seeded.below(5) {
            let [r, g, b, a, kind, ..] = seeded.next().to_le_bytes();
            let (x, y) = (seeded.below(400) as i32 - 100, seeded.below(400) as i32 - 100);
            let rect = PixelRect::new(x, y, 1 + seeded.below(200), 1 + seeded.below(200));
            grid.fill(rect, [r, g, b, [0, 255, a][usize::from(kind % 3)]]);
        }
        grid
    }

    fn random_limit(seeded: &mut Seeded) -> Option<CoverGrid> {
        let mut limit = CoverGrid::new();
        for cover in [255, 90] {
            let (x, y) = (seeded.below(300) as i32, seeded.below(300) as i32);
            limit.fill(PixelRect::new(x, y, 1 + seeded.below(300), 100), cover);
        }
        (seeded.below(2) == 0).then_some(limit)
    }

    fn random_paint(seeded: &mut Seeded) -> StrokePaint<[u8; 4]> {
        let [r, g, b, a, ..] = seeded.next().to_le_bytes();
        match seeded.below(3) {
            0 => StrokePaint::Erase,
            1 => StrokePaint::Lay([r, g, b, a]),
            _ => StrokePaint::Lay([r, g, b, 255]),
        }
    }

    fn drawn(base: &PixelGrid, brush: Brush, samples: &[StrokeSample]) -> PixelGrid {
        let mut target = base.clone();
        let mut stroke = StrokeEngine::begin(base, brush, StrokePaint::Lay(RED), None, None);
        stroke.extend(&mut target, samples);
        stroke.finish(&mut target);
        target
    }

    /// All pixels that differ.
    fn differences(a: &PixelGrid, b: &PixelGrid) -> Vec<(i32, i32)> {
        let rects = a.changed_tiles(b).into_iter().map(TileIndex::rect);
        let differs = |&(x, y): &(i32, i32)| a.pixel(x, y) != b.pixel(x, y);
        rects
            .flat_map(|rect| (0..256 * 256).map(move |i| (rect.x + i % 256, rect.y + i / 256)))
            .filter(differs)
            .collect()
    }

    #[test]
    fn the_pixels_do_not_depend_on_how_many_samples_come_at_a_time() {
        let mut seeded = Seeded(11);
        for round in 0..25 {
            let base = random_pixels(&mut seeded);
            let samples = random_samples(&mut seeded, 12);
            let (brush, paint) = (random_brush(&mut seeded), random_paint(&mut seeded));
            let limit = random_limit(&mut seeded);
            let mut results = Vec::new();
            for chunk in [1, 5, 12] {
                let mut target = base.clone();
                let mut stroke = StrokeEngine::begin(&base, brush, paint, limit.clone(), None);
                for samples in samples.chunks(chunk) {
                    stroke.extend(&mut target, samples);
                }
                stroke.finish(&mut target);
                results.push(target);
            }
            assert!(results.windows(2).all(|two| two[0] == two[1]), "round {round}: {brush:?}");
        }
    }

    #[test]
    fn every_changed_pixel_lies_in_the_rect_the_limit_and_the_bounds() {
        let mut seeded = Seeded(12);
        for round in 0..25 {
            let base = random_pixels(&mut seeded);
            let (brush, paint) = (random_brush(&mut seeded), random_paint(&mut seeded));
            let limit = random_limit(&mut seeded);
            let bounds = (round % 2 == 0).then_some(PixelRect::new(20, 30, 250, 231));
            let mut target = base.clone();
            let mut stroke = StrokeEngine::begin(&base, brush, paint, limit.clone(), bounds);
            for samples in random_samples(&mut seeded, 9).chunks(4) {
                let before = target.clone();
                let rect = stroke.extend(&mut target, samples);
                for (x, y) in differences(&before, &target) {
                    assert!(rect.contains(x, y), "round {round}");
                }
            }
            let (before, changed) = (target.clone(), stroke.changed());
            let rect = stroke.finish(&mut target);
            for (x, y) in differences(&before, &target) {
                assert!(rect.contains(x, y), "round {round}");
            }
            for (x, y) in differences(&base, &target) {
                assert!(changed.union(rect).contains(x, y));
                assert!(bounds.is_none_or(|bounds| bounds.contains(x, y)), "round {round}");
                let most = limit.as_ref().map_or(255, |limit| limit.pixel(x, y));
                assert!(most > 0, "round {round}");
            }
        }
    }

    #[test]
    fn a_stroke_that_crosses_itself_does_not_exceed_its_opacity() {
        let brush = Brush {
            opacity: 0.5,
            flow: 0.4,
            hardness: 0.3,
            pressure: PressureUse::Ignored,
            ..Brush::default()
        };
        let there_and_back: Vec<StrokeSample> =
            (0..40).map(|i| sample(if i % 2 == 0 { 0.0 } else { 90.0 }, 50.0, 1.0)).collect();
        let target = drawn(&PixelGrid::new(), brush, &there_and_back);
        let most = target.tiles().flat_map(|(_, tile)| tile.pixels()).map(|pixel| pixel[3]).max();
        assert_eq!(most, Some(128));
        assert_eq!(target.pixel(45, 50), [255, 0, 0, 128]);
    }

    #[test]
    fn a_low_flow_reaches_the_full_color_at_last() {
        let brush = Brush { flow: 0.02, pressure: PressureUse::Ignored, ..Brush::default() };
        let mut base = PixelGrid::new();
        base.fill(PixelRect::new(0, 0, 100, 100), [0, 0, 255, 255]);
        let circling: Vec<StrokeSample> =
            (0..400).map(|i| sample(50.0 + (i % 2) as f32 * 9.0, 50.0, 1.0)).collect();
        assert_eq!(drawn(&base, brush, &circling).pixel(50, 50), RED);
        let once = drawn(&base, brush, &circling[..1]).pixel(50, 50);
        assert_eq!(once, [5, 0, 250, 255]);
    }

    #[test]
    fn erasing_lowers_alpha_keeps_color_and_makes_no_tile() {
        let mut base = PixelGrid::new();
        base.fill(PixelRect::new(0, 0, 100, 100), [9, 8, 7, 255]);
        base.fill(PixelRect::new(0, 0, 100, 3), [9, 8, 7, 0]);
        let half = Brush { opacity: 0.5, ..Brush::default() };
        let path = [sample(-400.0, 50.0, 1.0), sample(400.0, 50.0, 1.0)];
        let mut target = base.clone();
        let mut stroke = StrokeEngine::begin(&base, half, StrokePaint::Erase, None, None);
        stroke.extend(&mut target, &path);
        stroke.finish(&mut target);
        assert_eq!(target.pixel(50, 50), [9, 8, 7, 127]);
        assert_eq!(target.pixel(50, 1), [9, 8, 7, 0]);
        assert_eq!(target.tiles().count(), 1);

        let whole = Brush { diameter_px: 400.0, hardness: 1.0, ..half };
        let whole = Brush { opacity: 1.0, ..whole };
        let mut stroke = StrokeEngine::begin(&base, whole, StrokePaint::Erase, None, None);
        let mut target = base.clone();
        stroke.extend(&mut target, &path);
        assert_eq!(target.tiles().count(), 1, "tiles stay until the stroke ends");
        stroke.finish(&mut target);
        assert_eq!(target.pixel(50, 50), [0; 4]);

        let mut nothing = PixelGrid::new();
        let mut stroke =
            StrokeEngine::begin(&nothing.clone(), half, StrokePaint::Erase, None, None);
        assert!(stroke.extend(&mut nothing, &path).is_empty());
        assert!(stroke.finish(&mut nothing).is_empty());
        assert!(nothing.has_no_tiles());
    }

    #[test]
    fn what_paints_nothing_makes_no_tile() {
        let base = PixelGrid::new();
        let mut target = base.clone();
        let paint = StrokePaint::Lay([200, 0, 0, 0]);
        let mut stroke = StrokeEngine::begin(&base, Brush::default(), paint, None, None);
        stroke.extend(&mut target, &[sample(5.0, 5.0, 1.0), sample(500.0, 5.0, 1.0)]);
        stroke.finish(&mut target);
        let limit = Some(CoverGrid::new());
        let paint = StrokePaint::Lay(RED);
        let mut stroke = StrokeEngine::begin(&base, Brush::default(), paint, limit, None);
        stroke.extend(&mut target, &[sample(5.0, 5.0, 1.0)]);
        assert!(target.has_no_tiles());
    }

    #[test]
    fn pressure_changes_what_the_brush_says() {
        let measure = |pressure: PressureUse, pressed: f32| {
            let brush = Brush { hardness: 1.0, flow: 0.5, pressure, ..Brush::default() };
            let grid = drawn(&PixelGrid::new(), brush, &[sample(60.0, 60.0, pressed)]);
            (grid.bounds().map(|bounds| bounds.width), grid.pixel(60, 60)[3])
        };
        assert_eq!(measure(PressureUse::Ignored, 0.25), (Some(40), 128));
        assert_eq!(measure(PressureUse::Size, 0.25), (Some(10), 128));
        assert_eq!(measure(PressureUse::Flow, 0.25), (Some(40), 32));
        assert_eq!(measure(PressureUse::SizeAndFlow, 0.25), (Some(10), 32));
        assert_eq!(measure(PressureUse::Size, 0.0).0, None);
    }

    #[test]
    fn a_brush_of_one_pixel_draws_crisp_lines() {
        let brush = Brush { diameter_px: 1.0, pressure: PressureUse::Ignored, ..Brush::default() };
        let grid = drawn(&PixelGrid::new(), brush, &[sample(2.3, 4.6, 1.0), sample(9.3, 4.6, 1.0)]);
        let expected = PixelRect::new(2, 4, 8, 1);
        assert_eq!(grid.bounds(), Some(expected));
        assert_eq!(grid.read(expected), [RED; 8]);
    }

    #[test]
    fn the_mask_brush_adds_and_takes_away_cover() {
        let mut base = CoverGrid::new();
        base.fill(PixelRect::new(0, 0, 60, 60), 100);
        let soft = Brush { opacity: 0.5, ..Brush::default() };
        for (paint, expected) in [(StrokePaint::Lay(255), 178), (StrokePaint::Erase, 50)] {
            let mut target = base.clone();
            let mut stroke = StrokeEngine::begin(&base, soft, paint, None, None);
            stroke.extend(&mut target, &[sample(30.0, 30.0, 1.0)]);
            stroke.finish(&mut target);
            assert_eq!((target.pixel(30, 30), target.pixel(59, 0)), (expected, 100));
        }
    }
}
