//! Where things on the canvas lie on the screen. Pure geometry.

use egui::{Pos2, Rect, Vec2, pos2};

use crate::geom::{CanvasPoint, PixelRect, ScreenPoint, ViewTransform};
use crate::tools::CropHandle;

/// The canvas as it lies in the canvas area.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Placement {
    pub(super) transform: ViewTransform,
    pub(super) center: ScreenPoint,
}

impl Placement {
    /// Seen through this transform in this area of the window.
    pub(super) fn new(transform: ViewTransform, area: Rect) -> Self {
        Self { transform, center: screen_from_pos(area.center()) }
    }

    /// Where a canvas point is seen.
    pub(super) fn pos(&self, point: CanvasPoint) -> Pos2 {
        let at = self.transform.screen_from_canvas(point, self.center);
        pos2(at.x, at.y)
    }

    /// Which canvas point is seen here.
    pub(super) fn canvas(&self, pos: Pos2) -> CanvasPoint {
        self.transform.canvas_from_screen(screen_from_pos(pos), self.center)
    }

    /// Where many canvas points are seen.
    pub(super) fn line(&self, points: &[CanvasPoint]) -> Vec<Pos2> {
        points.iter().map(|&point| self.pos(point)).collect()
    }

    /// The corners of a rectangle: top left, top right, bottom right, bottom left on the canvas.
    pub(super) fn corners(&self, rect: PixelRect) -> [Pos2; 4] {
        let (left, top) = (rect.x as f32, rect.y as f32);
        let (right, bottom) = (rect.right() as f32, rect.bottom() as f32);
        [(left, top), (right, top), (right, bottom), (left, bottom)]
            .map(|(x, y)| self.pos(CanvasPoint::new(x, y)))
    }

    /// The ellipse in a rectangle, as a closed line.
    pub(super) fn ellipse(&self, rect: PixelRect) -> Vec<Pos2> {
        let (rx, ry) = (rect.width as f32 / 2.0, rect.height as f32 / 2.0);
        let (x, y) = (rect.x as f32 + rx, rect.y as f32 + ry);
        // Pieces of some points each, so that it looks round at any zoom.
        let around = rx.max(ry) * self.transform.zoom * std::f32::consts::TAU;
        let pieces = (around / 6.0).clamp(24.0, 360.0) as usize;
        (0..=pieces)
            .map(|i| {
                let (sin, cos) = (i as f32 / pieces as f32 * std::f32::consts::TAU).sin_cos();
                self.pos(CanvasPoint::new(x + rx * cos, y + ry * sin))
            })
            .collect()
    }
}

/// The same place in the editor's words.
pub(super) const fn screen_from_pos(pos: Pos2) -> ScreenPoint {
    ScreenPoint::new(pos.x, pos.y)
}

/// A crop rectangle on the screen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CropLayout {
    /// Its corners.
    pub(super) outline: [Pos2; 4],
    /// Two lines across and two down.
    pub(super) thirds: [[Pos2; 2]; 4],
    /// Where it can be held.
    pub(super) handles: [(CropHandle, Pos2); 8],
    /// Four parts that together cover all of the area but the rectangle.
    pub(super) shade: [[Pos2; 4]; 4],
}

/// Lays a crop rectangle out over a canvas area.
pub(super) fn crop_layout(placement: &Placement, area: Rect, rect: PixelRect) -> CropLayout {
    let (left, top) = (rect.x as f32, rect.y as f32);
    let (right, bottom) = (rect.right() as f32, rect.bottom() as f32);
    let at = |x: f32, y: f32| placement.pos(CanvasPoint::new(x, y));
    let third = |start: f32, end: f32, i: f32| start + (end - start) * i / 3.0;
    // All of the area in canvas pixels, however the view is turned, and the rectangle with it.
    let seen = [area.left_top(), area.right_top(), area.right_bottom(), area.left_bottom()]
        .map(|corner| placement.canvas(corner));
    let x0 = seen.iter().fold(left, |least, point| least.min(point.x));
    let x1 = seen.iter().fold(right, |most, point| most.max(point.x));
    let y0 = seen.iter().fold(top, |least, point| least.min(point.y));
    let y1 = seen.iter().fold(bottom, |most, point| most.max(point.y));
    let part =
        |x0: f32, y0: f32, x1: f32, y1: f32| [at(x0, y0), at(x1, y0), at(x1, y1), at(x0, y1)];
    CropLayout {
        outline: placement.corners(rect),
        thirds: [
            [at(third(left, right, 1.0), top), at(third(left, right, 1.0), bottom)],
            [at(third(left, right, 2.0), top), at(third(left, right, 2.0), bottom)],
            [at(left, third(top, bottom, 1.0)), at(right, third(top, bottom, 1.0))],
            [at(left, third(top, bottom, 2.0)), at(right, third(top, bottom, 2.0))],
        ],
        handles: CropHandle::EDGE.map(|handle| (handle, placement.pos(handle.place(rect)))),
        shade: [
            part(x0, y0, x1, top),
            part(x0, bottom, x1, y1),
            part(x0, top, left, bottom),
            part(right, top, x1, bottom),
        ],
    }
}

/// The part of a line that lies in an area; nothing where it passes by.
pub(super) fn clipped_line(line: [Pos2; 2], area: Rect) -> Option<[Pos2; 2]> {
    let [start, end] = line;
    let way = end - start;
    let (mut from, mut to) = (0.0_f32, 1.0_f32);
    // Liang and Barsky: each side of the area cuts the line's own measure from 0 to 1.
    for (along, distance) in [
        (-way.x, start.x - area.left()),
        (way.x, area.right() - start.x),
        (-way.y, start.y - area.top()),
        (way.y, area.bottom() - start.y),
    ] {
        if along == 0.0 {
            if distance < 0.0 {
                return None;
            }
        } else if along < 0.0 {
            from = from.max(distance / along);
        } else {
            to = to.min(distance / along);
        }
    }
    (from < to).then(|| [start + way * from, start + way * to])
}

/// The distance of a place from a line.
pub(super) fn distance_to_line(pos: Pos2, [start, end]: [Pos2; 2]) -> f32 {
    let way = end - start;
    let length_sq = way.length_sq();
    let along =
        if length_sq > 0.0 { ((pos - start).dot(way) / length_sq).clamp(0.0, 1.0) } else { 0.0 };
    pos.distance(start + way * along)
}

/// Where a box of this size stands beside a place, all of it within the area.
pub(super) fn beside(pos: Pos2, size: Vec2, offset: Vec2, area: Rect) -> Rect {
    let mut min = pos + offset;
    // Where it would reach beyond the right or the lower side, it changes to the other side.
    if min.x + size.x > area.right() {
        min.x = pos.x - offset.x - size.x;
    }
    if min.y + size.y > area.bottom() {
        min.y = pos.y - offset.y - size.y;
    }
    let most = (area.max - size).max(area.min);
    Rect::from_min_size(min.clamp(area.min, most), size)
}

/// The corner that is farthest down, and of these farthest right: where a label is out of the way.
pub(super) fn label_corner(corners: &[Pos2]) -> Pos2 {
    let lower = |a: &Pos2, b: &Pos2| (a.y + a.x * 0.25).total_cmp(&(b.y + b.x * 0.25));
    corners.iter().copied().max_by(lower).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area() -> Rect {
        Rect::from_min_max(pos2(100.0, 50.0), pos2(500.0, 350.0))
    }

    fn placements() -> Vec<Placement> {
        [(1.0, 0.0, false), (4.0, 0.6, false), (0.3, -2.0, true)]
            .map(|(zoom, rotation, mirrored)| {
                let focus = CanvasPoint::new(60.0, 40.0);
                Placement::new(ViewTransform { focus, zoom, rotation, mirrored }, area())
            })
            .to_vec()
    }

    fn near(a: Pos2, b: Pos2) -> bool {
        a.distance(b) < 0.05
    }

    fn inside(quad: [Pos2; 4], pos: Pos2) -> bool {
        let sides: Vec<f32> = (0..4)
            .map(|i| {
                let (a, b) = (quad[i], quad[(i + 1) % 4]);
                (b - a).rot90().dot(pos - a)
            })
            .collect();
        sides.iter().all(|&side| side > 0.0) || sides.iter().all(|&side| side < 0.0)
    }

    #[test]
    fn places_go_back_and_forth() {
        for placement in placements() {
            let pos = pos2(222.0, 111.0);
            assert!(near(placement.pos(placement.canvas(pos)), pos));
            let rect = PixelRect::new(-5, 7, 30, 20);
            let corners = placement.corners(rect);
            let ellipse = placement.ellipse(rect);
            assert!(near(ellipse[0], corners[1] + (corners[2] - corners[1]) * 0.5));
            assert!(near(ellipse[0], ellipse[ellipse.len() - 1]));
        }
    }

    #[test]
    fn the_crop_shade_covers_all_but_the_rectangle() {
        for placement in placements() {
            for rect in [PixelRect::new(40, 30, 50, 20), PixelRect::new(-400, 30, 300, 700)] {
                let crop = crop_layout(&placement, area(), rect);
                for column in 0..20 {
                    for row in 0..15 {
                        let pos = area().min
                            + egui::vec2(column as f32, row as f32) * 20.0
                            + egui::vec2(3.1, 7.3);
                        let point = placement.canvas(pos);
                        let (x, y) = point.pixel();
                        let shaded = crop.shade.iter().filter(|quad| inside(**quad, pos)).count();
                        let expected = usize::from(!rect.contains(x, y));
                        assert_eq!(shaded, expected, "{point:?} {rect:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn crop_thirds_run_from_side_to_side() {
        let placement = placements()[1];
        let rect = PixelRect::new(10, 20, 30, 60);
        let crop = crop_layout(&placement, area(), rect);
        let at = |x, y| placement.pos(CanvasPoint::new(x, y));
        let expected = [
            [at(20.0, 20.0), at(20.0, 80.0)],
            [at(30.0, 20.0), at(30.0, 80.0)],
            [at(10.0, 40.0), at(40.0, 40.0)],
            [at(10.0, 60.0), at(40.0, 60.0)],
        ];
        for (line, expected) in crop.thirds.iter().zip(expected) {
            assert!(near(line[0], expected[0]) && near(line[1], expected[1]));
        }
        assert_eq!(crop.handles[4], (CropHandle::BottomRight, crop.outline[2]));
    }

    #[test]
    fn lines_are_cut_at_the_sides_of_the_area() {
        let check = |line: [(f32, f32); 2], expected: Option<[(f32, f32); 2]>| {
            let line = line.map(|(x, y)| pos2(x, y));
            let cut = clipped_line(line, area());
            let expected = expected.map(|line| line.map(|(x, y)| pos2(x, y)));
            match (cut, expected) {
                (Some(cut), Some(expected)) => {
                    assert!(near(cut[0], expected[0]) && near(cut[1], expected[1]), "{cut:?}");
                }
                (cut, expected) => assert_eq!(cut, expected),
            }
        };
        check([(200.0, 0.0), (200.0, 900.0)], Some([(200.0, 50.0), (200.0, 350.0)]));
        check([(0.0, 100.0), (200.0, 200.0)], Some([(100.0, 150.0), (200.0, 200.0)]));
        check([(120.0, 60.0), (130.0, 70.0)], Some([(120.0, 60.0), (130.0, 70.0)]));
        check([(50.0, 0.0), (50.0, 900.0)], None);
        check([(0.0, 0.0), (20.0, 20.0)], None);
    }

    #[test]
    fn labels_stay_within_the_area() {
        let size = egui::vec2(80.0, 20.0);
        let offset = egui::vec2(12.0, 12.0);
        for pos in [pos2(300.0, 200.0), pos2(495.0, 345.0), pos2(0.0, 0.0), pos2(900.0, 200.0)] {
            assert!(area().contains_rect(beside(pos, size, offset, area())), "{pos:?}");
        }
        let free = beside(pos2(300.0, 200.0), size, offset, area());
        assert_eq!(free.min, pos2(312.0, 212.0));
        let turned = beside(pos2(495.0, 200.0), size, offset, area());
        assert_eq!(turned.right(), 483.0);
    }

    #[test]
    fn distances_count_to_the_ends_of_a_line_only() {
        let line = [pos2(0.0, 0.0), pos2(10.0, 0.0)];
        assert_eq!(distance_to_line(pos2(5.0, 3.0), line), 3.0);
        assert_eq!(distance_to_line(pos2(13.0, 4.0), line), 5.0);
        assert_eq!(distance_to_line(pos2(3.0, 4.0), [Pos2::ZERO; 2]), 5.0);
    }
}
