//! What a gesture shows over the canvas.

use egui::{Painter, Pos2, Stroke, Ui, Vec2, vec2};

use crate::geom::PixelRect;
use crate::locale::trf;
use crate::tools::{CropHandle, GestureOverlay};
use crate::ui::canvas::layout::{Placement, crop_layout, label_corner};
use crate::ui::canvas::paint;
use crate::ui::theme::color32;

/// Radius of the corners of a polygon.
const CORNER: f32 = 3.5;
/// Radius of the eyedropper's ring.
const RING: f32 = 22.0;

/// Draws what a gesture shows.
pub(super) fn overlay_ui(
    ui: &Ui,
    painter: &Painter,
    placement: &Placement,
    overlay: &GestureOverlay,
) {
    match overlay {
        GestureOverlay::None => {}
        GestureOverlay::Rectangle(rect) => {
            let corners = placement.corners(*rect);
            paint::dashed_outline(painter, &corners);
            paint::label_beside(ui, painter, label_corner(&corners), size_text(*rect));
        }
        GestureOverlay::Ellipse(rect) => {
            let line = placement.ellipse(*rect);
            paint::dashed_line(painter, &line);
            paint::label_beside(ui, painter, label_corner(&line), size_text(*rect));
        }
        GestureOverlay::Lasso(points) => {
            let line = placement.line(points);
            if let (Some(&first), Some(&last)) = (line.first(), line.last()) {
                // How it will be closed.
                painter.line_segment([last, first], Stroke::new(1.0, color32([0, 0, 0, 90])));
                painter
                    .line_segment([last, first], Stroke::new(0.5, color32([255, 255, 255, 130])));
            }
            paint::dashed_line(painter, &line);
        }
        GestureOverlay::Polygon { corners, next, closes } => {
            let mut line = placement.line(corners);
            let corners = line.clone();
            line.push(match corners.first() {
                Some(&first) if *closes => first,
                _ => placement.pos(*next),
            });
            paint::dashed_line(painter, &line);
            for (i, &corner) in corners.iter().enumerate() {
                let radius = if i == 0 && *closes { 2.0 * CORNER } else { CORNER };
                painter.circle(corner, radius, paint::light(), Stroke::new(1.0, paint::dark()));
            }
        }
        GestureOverlay::Move { bounds, dx, dy } => {
            let corners = placement.corners(bounds.shifted(*dx, *dy));
            paint::dashed_outline(painter, &corners);
            if (*dx, *dy) != (0, 0) {
                let text = trf("{dx}, {dy} px", &[("dx", &signed(*dx)), ("dy", &signed(*dy))]);
                paint::label_beside(ui, painter, label_corner(&corners), text);
            }
        }
        GestureOverlay::Crop { rect, held } => crop_ui(ui, painter, placement, *rect, *held),
        GestureOverlay::Zoom(rect) => {
            paint::solid_outline(painter, &placement.corners(*rect));
        }
        GestureOverlay::Color { point, color } => {
            color_ui(ui, painter, placement.pos(*point), *color);
        }
    }
}

fn crop_ui(
    ui: &Ui,
    painter: &Painter,
    placement: &Placement,
    rect: PixelRect,
    held: Option<CropHandle>,
) {
    let crop = crop_layout(placement, painter.clip_rect(), rect);
    for part in crop.shade {
        paint::fill(painter, part, color32([0, 0, 0, 140]));
    }
    if held.is_some() {
        for line in crop.thirds {
            painter.line_segment(line, Stroke::new(1.0, color32([0, 0, 0, 90])));
            painter.line_segment(line, Stroke::new(0.5, color32([255, 255, 255, 160])));
        }
    }
    paint::solid_outline(painter, &crop.outline);
    for (handle, pos) in crop.handles {
        if held == Some(handle) {
            paint::held_handle(painter, pos);
        } else {
            paint::handle(painter, pos);
        }
    }
    paint::label_beside(ui, painter, label_corner(&crop.outline), size_text(rect));
}

/// A ring of the color that would be taken, with the color as text.
fn color_ui(ui: &Ui, painter: &Painter, pos: Pos2, color: Option<[u8; 4]>) {
    let Some(color) = color else { return };
    painter.circle_stroke(pos, RING, Stroke::new(11.0, paint::dark()));
    painter.circle_stroke(pos, RING, Stroke::new(9.0, paint::light()));
    painter.circle_stroke(pos, RING, Stroke::new(7.0, color32(color)));
    let [red, green, blue, _] = color;
    let text = format!("#{red:02X}{green:02X}{blue:02X}");
    paint::label_beside(ui, painter, pos + Vec2::splat(RING * 0.5) + vec2(4.0, 4.0), text);
}

/// The size of a rectangle for people.
fn size_text(rect: PixelRect) -> String {
    trf("{width} × {height} px", &[("width", &rect.width), ("height", &rect.height)])
}

/// A number with its sign, with a real minus.
fn signed(value: i32) -> String {
    match value {
        0 => "0".to_owned(),
        1.. => format!("+{value}"),
        _ => format!("\u{2212}{}", value.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_bear_their_signs() {
        assert_eq!([signed(0), signed(12), signed(-3)], ["0", "+12", "\u{2212}3"]);
        assert_eq!(size_text(PixelRect::new(-5, 0, 320, 200)), "320 × 200 px");
    }
}
