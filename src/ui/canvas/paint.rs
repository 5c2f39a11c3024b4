//! Lines and labels that can be read on any picture: each is light and dark at once.

use std::sync::Arc;

use egui::{
    Align2, Color32, Galley, Mesh, Painter, Pos2, Rect, Shape, Stroke, TextStyle, Ui, Vec2, vec2,
};

use crate::ui::canvas::layout::beside;
use crate::ui::theme::{self, color32, colors};

/// Length of dashes and of the gaps between them, in points.
const DASH: f32 = 5.0;
/// Space between a label and what it is about.
const LABEL_OFFSET: Vec2 = vec2(12.0, 12.0);
/// Half the side of a handle.
const HANDLE: f32 = 4.5;

/// The dark half of two-tone lines.
pub(super) fn dark() -> Color32 {
    color32([0, 0, 0, 200])
}

/// The light half of two-tone lines.
pub(super) fn light() -> Color32 {
    color32([255, 255, 255, 240])
}

/// A line of dark and light dashes.
pub(super) fn dashed_line(painter: &Painter, points: &[Pos2]) {
    painter.line(points.to_vec(), Stroke::new(1.5, dark()));
    painter.extend(Shape::dashed_line(points, Stroke::new(1.5, light()), DASH, DASH));
}

/// The same, from the last point back to the first.
pub(super) fn dashed_outline(painter: &Painter, points: &[Pos2]) {
    let mut closed = points.to_vec();
    closed.extend(points.first());
    dashed_line(painter, &closed);
}

/// A light line with dark edges.
pub(super) fn solid_line(painter: &Painter, points: &[Pos2]) {
    painter.line(points.to_vec(), Stroke::new(3.0, color32([0, 0, 0, 150])));
    painter.line(points.to_vec(), Stroke::new(1.0, light()));
}

/// The same, from the last point back to the first.
pub(super) fn solid_outline(painter: &Painter, points: &[Pos2]) {
    let mut closed = points.to_vec();
    closed.extend(points.first());
    solid_line(painter, &closed);
}

/// A circle, dark outside and light inside.
pub(super) fn circle(painter: &Painter, center: Pos2, radius: f32) {
    painter.circle_stroke(center, radius + 0.5, Stroke::new(1.0, dark()));
    painter.circle_stroke(center, (radius - 0.5).max(0.0), Stroke::new(1.0, light()));
}

/// A square that can be held.
pub(super) fn handle(painter: &Painter, center: Pos2) {
    square(painter, center, light(), dark());
}

/// A square that is held.
pub(super) fn held_handle(painter: &Painter, center: Pos2) {
    square(painter, center, dark(), light());
}

fn square(painter: &Painter, center: Pos2, fill: Color32, edge: Color32) {
    let rect = Rect::from_center_size(center, Vec2::splat(2.0 * HANDLE));
    painter.rect(rect, 1.0, fill, Stroke::new(1.0, edge), egui::StrokeKind::Inside);
}

/// A four-sided part in one color, without soft edges, so that neighbors leave no line.
pub(super) fn fill(painter: &Painter, corners: [Pos2; 4], color: Color32) {
    let mut mesh = Mesh::default();
    for corner in corners {
        mesh.colored_vertex(corner, color);
    }
    mesh.add_triangle(0, 1, 2);
    mesh.add_triangle(0, 2, 3);
    painter.add(mesh);
}

/// A small label beside a place, within the painter's area.
pub(super) fn label_beside(ui: &Ui, painter: &Painter, pos: Pos2, text: String) {
    let galley = small_text(ui, text);
    let size = galley.size() + 2.0 * vec2(theme::SPACE_S, theme::SPACE_XS);
    let rect = beside(pos, size, LABEL_OFFSET, painter.clip_rect().shrink(theme::SPACE_XS));
    label_box(ui, painter, rect, galley);
}

/// A small label whose own place `align` lies at `pos`.
pub(super) fn label_at(ui: &Ui, painter: &Painter, pos: Pos2, align: Align2, text: String) {
    let galley = small_text(ui, text);
    let size = galley.size() + 2.0 * vec2(theme::SPACE_S, theme::SPACE_XS);
    label_box(ui, painter, align.anchor_size(pos, size), galley);
}

fn small_text(ui: &Ui, text: String) -> Arc<Galley> {
    let font = TextStyle::Small.resolve(ui.style());
    ui.painter().layout_no_wrap(text, font, colors(ui).text)
}

fn label_box(ui: &Ui, painter: &Painter, rect: Rect, galley: Arc<Galley>) {
    let colors = colors(ui);
    let edge = Stroke::new(1.0, colors.line);
    let fill = colors.panel_raised.gamma_multiply(0.94);
    painter.rect(rect, f32::from(theme::RADIUS), fill, edge, egui::StrokeKind::Inside);
    let pos = Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size()).min;
    painter.galley(pos, galley, colors.text);
}
