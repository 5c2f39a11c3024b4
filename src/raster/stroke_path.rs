//! From the samples of a stroke to the places of its dabs.
//!
//! The path runs through the middles between samples, as quadratic curves that the samples pull
//! towards themselves. Each piece depends on samples that are already known, so it doesn't matter
//! how many of them come at a time.

use crate::geom::CanvasPoint;
use crate::raster::StrokeSample;

/// Samples farther out than this are brought closer: no canvas reaches so far.
const MAX_COORDINATE: f32 = 200_000.0;
/// The curve is walked in straight pieces of about this length.
const PIECE_PX: f32 = 4.0;
/// But never in more of them.
const MAX_PIECES: f32 = 256.0;

/// Walks along the samples and says where dabs go.
#[derive(Clone, Debug, Default)]
pub(crate) struct StrokePath {
    // The newest sample, and how far the path has come; nothing before the first sample.
    newest: Option<(StrokeSample, StrokeSample)>,
    until_next_px: f32,
}

impl StrokePath {
    /// Adds a sample; `dab` is called for every place the path reaches by it, and answers with the
    /// distance to the next one.
    pub(crate) fn add(&mut self, sample: StrokeSample, mut dab: impl FnMut(StrokeSample) -> f32) {
        let Some(sample) = sane(sample) else { return };
        let Some((control, from)) = self.newest else {
            self.until_next_px = dab(sample);
            self.newest = Some((sample, sample));
            return;
        };
        let to = between(control, sample, 0.5);
        let length = from.point.distance(control.point) + control.point.distance(to.point);
        let pieces = (length / PIECE_PX).ceil().clamp(1.0, MAX_PIECES);
        let mut start = from;
        for i in 1..=pieces as u32 {
            let t = i as f32 / pieces;
            let end = between(between(from, control, t), between(control, to, t), t);
            self.walk(start, end, &mut dab);
            start = end;
        }
        self.newest = Some((sample, to));
    }

    /// Goes on to the newest sample itself.
    pub(crate) fn finish(&mut self, mut dab: impl FnMut(StrokeSample) -> f32) {
        if let Some((sample, from)) = self.newest {
            self.walk(from, sample, &mut dab);
            self.newest = Some((sample, sample));
        }
    }

    fn walk(
        &mut self,
        from: StrokeSample,
        to: StrokeSample,
        dab: &mut impl FnMut(StrokeSample) -> f32,
    ) {
        let length = from.point.distance(to.point);
        let mut at = 0.0;
        while at + self.until_next_px <= length && length > 0.0 {
            at += self.until_next_px;
            self.until_next_px = dab(between(from, to, at / length));
        }
        self.until_next_px -= length - at;
    }
}

/// The sample within what can be computed with; nothing where it says nothing.
fn sane(sample: StrokeSample) -> Option<StrokeSample> {
    let StrokeSample { point, pressure } = sample;
    let known = !point.x.is_nan() && !point.y.is_nan() && !pressure.is_nan();
    known.then(|| StrokeSample {
        point: CanvasPoint::new(
            point.x.clamp(-MAX_COORDINATE, MAX_COORDINATE),
            point.y.clamp(-MAX_COORDINATE, MAX_COORDINATE),
        ),
        pressure: pressure.clamp(0.0, 1.0),
    })
}

fn between(a: StrokeSample, b: StrokeSample, t: f32) -> StrokeSample {
    let mix = |a: f32, b: f32| a + (b - a) * t;
    StrokeSample {
        point: CanvasPoint::new(mix(a.point.x, b.point.x), mix(a.point.y, b.point.y)),
        pressure: mix(a.pressure, b.pressure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(x: f32, y: f32, pressure: f32) -> StrokeSample {
        StrokeSample { point: CanvasPoint::new(x, y), pressure }
    }

    fn places(samples: &[StrokeSample], step: f32) -> Vec<StrokeSample> {
        let mut all = Vec::new();
        let mut path = StrokePath::default();
        let mut note = |at| {
            all.push(at);
            step
        };
        for &sample in samples {
            path.add(sample, &mut note);
        }
        path.finish(&mut note);
        all
    }

    #[test]
    fn dabs_of_a_straight_line_lie_at_even_distances_from_end_to_end() {
        let dabs = places(&[sample(10.0, 5.0, 0.0), sample(110.0, 5.0, 1.0)], 10.0);
        assert_eq!(dabs.len(), 11);
        for (i, dab) in dabs.iter().enumerate() {
            assert!((dab.point.x - (10.0 + 10.0 * i as f32)).abs() < 1e-2, "{dab:?}");
            assert!((dab.point.y - 5.0).abs() < 1e-4);
            assert!((0.0..=1.0).contains(&dab.pressure));
        }
        assert!(dabs.windows(2).all(|two| two[0].pressure < two[1].pressure));
    }

    #[test]
    fn a_click_is_one_dab_and_a_second_sample_in_place_adds_none() {
        let here = sample(3.0, 4.0, 1.0);
        assert_eq!(places(&[here], 1.0), [here]);
        assert_eq!(places(&[here, here, here], 1.0), [here]);
    }

    #[test]
    fn a_bend_is_rounded_and_never_left() {
        let corner = [sample(0.0, 0.0, 1.0), sample(100.0, 0.0, 1.0), sample(100.0, 100.0, 1.0)];
        for dab in places(&corner, 1.0) {
            let CanvasPoint { x, y } = dab.point;
            assert!(x >= 0.0 && y >= 0.0 && x <= 100.0 && y <= x, "{dab:?}");
        }
        let steps = places(&corner, 1.0);
        assert!(steps.windows(2).all(|two| two[0].point.distance(two[1].point) < 1.01));
    }

    #[test]
    fn samples_without_a_place_are_left_out() {
        let dabs = places(&[sample(f32::NAN, 0.0, 1.0), sample(1.0, 1.0, 7.0)], 1.0);
        assert_eq!(dabs, [sample(1.0, 1.0, 1.0)]);
        let far = places(&[sample(f32::INFINITY, 0.0, 1.0)], 1.0);
        assert_eq!(far, [sample(MAX_COORDINATE, 0.0, 1.0)]);
    }
}
