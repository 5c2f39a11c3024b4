//! What a wheel or a trackpad means for the view.

use egui::{Modifiers, MouseWheelSource, MouseWheelUnit, Vec2, vec2};

use crate::geom::ScreenPoint;

/// One notch of a wheel zooms by this factor: four notches double.
const NOTCH: f32 = 1.189_207_1;
/// Points that two fingers move by, with Ctrl, to zoom by Euler's number; egui's own measure.
const POINTS_PER_E: f32 = 200.0;
/// Points that one notch moves the view by.
const NOTCH_POINTS: f32 = 50.0;
/// Share of what is left of a zoom that is done in a second, as an exponent.
const SPEED: f32 = 20.0;

/// What a wheel event asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wheel {
    /// Zoom by a factor, over a few frames.
    ZoomSmoothly(f32),
    /// Zoom by a factor at once: the fingers are smooth already.
    Zoom(f32),
    /// Move the view by so many points.
    Pan(Vec2),
}

/// Says what a wheel event asks for, in a canvas area of this height.
pub(super) fn meaning(
    unit: MouseWheelUnit,
    delta: Vec2,
    source: MouseWheelSource,
    modifiers: Modifiers,
    area_height: f32,
) -> Option<Wheel> {
    if !delta.is_finite() || delta == Vec2::ZERO {
        return None;
    }
    let fingers = match source {
        MouseWheelSource::Trackpad | MouseWheelSource::Momentum => true,
        MouseWheelSource::Wheel => false,
        MouseWheelSource::Unknown => unit == MouseWheelUnit::Point,
    };
    let points = match unit {
        MouseWheelUnit::Point => delta,
        MouseWheelUnit::Line => delta * NOTCH_POINTS,
        MouseWheelUnit::Page => delta * area_height,
    };
    // Some systems exchange the axes themselves while Shift is held.
    let along = points.x + points.y;
    Some(if modifiers.command || modifiers.ctrl {
        if fingers {
            Wheel::Zoom((points.y / POINTS_PER_E).exp())
        } else {
            Wheel::ZoomSmoothly(NOTCH.powf(along / NOTCH_POINTS))
        }
    } else if modifiers.shift {
        Wheel::Pan(vec2(along, 0.0))
    } else if modifiers.alt {
        Wheel::Pan(vec2(0.0, along))
    } else if fingers {
        Wheel::Pan(points)
    } else {
        Wheel::ZoomSmoothly(NOTCH.powf(along / NOTCH_POINTS))
    })
}

/// A zoom that is spread over a few frames.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct SmoothZoom {
    // The logarithm of the factor that is still to be done.
    left: f32,
    anchor: ScreenPoint,
}

impl SmoothZoom {
    /// Zooms on by a factor, from now on around this point.
    pub(super) fn add(&mut self, factor: f32, anchor: ScreenPoint) {
        // Turning back stops at once.
        let more = factor.ln();
        self.left = if self.left * more < 0.0 { more } else { self.left + more };
        self.anchor = anchor;
    }

    /// The factor for a frame of this many seconds, and what stays in its place; nothing at rest.
    pub(super) fn step(&mut self, seconds: f32) -> Option<(f32, ScreenPoint)> {
        if self.left == 0.0 {
            return None;
        }
        let share = 1.0 - (-SPEED * seconds.clamp(0.0, 0.1)).exp();
        let step = if self.left.abs() < 0.004 { self.left } else { self.left * share };
        self.left -= step;
        Some((step.exp(), self.anchor))
    }

    /// Whether more is to come.
    pub(super) fn is_moving(self) -> bool {
        self.left != 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_zoom_and_fingers_move() {
        use MouseWheelSource::{Momentum, Trackpad, Unknown, Wheel as Notches};
        use MouseWheelUnit::{Line, Point};
        let check = |unit, delta, source, modifiers, expected| {
            assert_eq!(meaning(unit, delta, source, modifiers, 400.0), expected);
        };
        let (none, up) = (Modifiers::NONE, vec2(0.0, 1.0));
        check(Line, up, Notches, none, Some(Wheel::ZoomSmoothly(NOTCH)));
        check(Line, up, Unknown, none, Some(Wheel::ZoomSmoothly(NOTCH)));
        check(Line, -up, Unknown, none, Some(Wheel::ZoomSmoothly(NOTCH.powf(-1.0))));
        check(Line, up, Unknown, Modifiers::COMMAND, Some(Wheel::ZoomSmoothly(NOTCH)));
        check(Line, up, Notches, Modifiers::SHIFT, Some(Wheel::Pan(vec2(50.0, 0.0))));
        check(Line, vec2(1.0, 0.0), Notches, Modifiers::SHIFT, Some(Wheel::Pan(vec2(50.0, 0.0))));
        check(Line, up, Notches, Modifiers::ALT, Some(Wheel::Pan(vec2(0.0, 50.0))));
        let fingers = vec2(3.0, -7.0);
        for source in [Trackpad, Momentum, Unknown] {
            check(Point, fingers, source, none, Some(Wheel::Pan(fingers)));
        }
        let zoomed = Some(Wheel::Zoom((-7.0_f32 / 200.0).exp()));
        check(Point, fingers, Trackpad, Modifiers::COMMAND, zoomed);
        check(Line, Vec2::ZERO, Notches, none, None);
        check(Line, vec2(0.0, f32::NAN), Notches, none, None);
    }

    #[test]
    fn a_smooth_zoom_comes_to_its_factor_and_rests() {
        let mut zoom = SmoothZoom::default();
        assert_eq!(zoom.step(0.016), None);
        let anchor = ScreenPoint::new(3.0, 4.0);
        zoom.add(2.0, anchor);
        zoom.add(1.5, anchor);
        let (mut factor, mut frames) = (1.0, 0);
        while let Some((step, at)) = zoom.step(0.016) {
            assert_eq!(at, anchor);
            assert!(step > 1.0);
            factor *= step;
            frames += 1;
        }
        assert!((factor - 3.0).abs() < 1e-3, "{factor}");
        assert!((3..60).contains(&frames), "{frames}");
        assert!(!zoom.is_moving());
    }

    #[test]
    fn turning_back_does_not_wait_for_what_is_left() {
        let mut zoom = SmoothZoom::default();
        zoom.add(4.0, ScreenPoint::default());
        zoom.add(0.9, ScreenPoint::default());
        assert!(zoom.step(0.016).is_some_and(|(factor, _)| factor < 1.0));
    }
}
