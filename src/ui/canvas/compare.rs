//! The line between two compared states, and which side is which.

use egui::{Align2, Painter, Pos2, Rect, Sense, Stroke, Ui, Vec2, WidgetInfo};

use crate::editor::{Command, Compare, CompareMode, Editor};
use crate::geom::CanvasPoint;
use crate::locale::tr;
use crate::ui::canvas::layout::{Placement, clipped_line, distance_to_line};
use crate::ui::canvas::paint;
use crate::ui::compare_bar::side_name;
use crate::ui::theme;

/// Radius of the handle in the middle of the line.
const HANDLE: f32 = 14.0;
/// How near to the line the pointer takes hold of it.
const REACH: f32 = 7.0;

/// The slider on the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slider {
    /// The part of the line that is seen.
    pub(super) line: [Pos2; 2],
    /// The middle of its handle.
    pub(super) handle: Pos2,
    /// The way from the first side to the second, of length 1.
    pub(super) across: Vec2,
}

/// Lays the slider out; nothing where its line is out of sight.
pub(super) fn slider(
    placement: &Placement,
    area: Rect,
    compare: &Compare,
    extent: crate::geom::Extent,
) -> Option<Slider> {
    if compare.mode != CompareMode::Slider {
        return None;
    }
    let x = compare.split * extent.width as f32;
    let at = |x: f32, y: f32| placement.pos(CanvasPoint::new(x, y));
    let line = clipped_line([at(x, 0.0), at(x, extent.height as f32)], area)?;
    let across = (at(x + 1.0, 0.0) - at(x, 0.0)).normalized();
    Some(Slider { line, handle: line[0] + (line[1] - line[0]) / 2.0, across })
}

impl Slider {
    /// Whether the pointer takes hold of it here.
    pub(super) fn is_under(&self, pos: Pos2) -> bool {
        pos.distance(self.handle) <= HANDLE || distance_to_line(pos, self.line) <= REACH
    }
}

/// Where the slider is when its line is pulled to a place on the screen.
pub(super) fn split_at(placement: &Placement, pos: Pos2, width: u32) -> f32 {
    (placement.canvas(pos).x / width.max(1) as f32).clamp(0.0, 1.0)
}

/// Draws line, handle and labels of a comparison.
pub(super) fn compare_ui(
    ui: &Ui,
    painter: &Painter,
    editor: &Editor,
    compare: &Compare,
    slider: Option<&Slider>,
    commands: &mut Vec<Command>,
) {
    let area = painter.clip_rect();
    let sides = [side_name(editor, compare.a), side_name(editor, compare.b)];
    let inset = theme::SPACE_M;
    match (compare.mode, slider) {
        (CompareMode::Slider, Some(slider)) => {
            paint::solid_line(painter, &slider.line);
            handle_ui(ui, painter, slider, compare.split, commands);
            // On either side of the line, where it is lowest: the bar with the choices is above.
            let [a, b] = slider.line;
            let end = if a.y >= b.y { a } else { b };
            let along = (slider.handle - end).normalized() * (theme::SPACE_L + inset);
            let [first, second] = sides;
            for (text, way) in [(first, -slider.across), (second, slider.across)] {
                let pos = end + along + way * inset;
                let align = match way {
                    way if way.x < -0.7 => Align2::RIGHT_CENTER,
                    way if way.x > 0.7 => Align2::LEFT_CENTER,
                    way if way.y < 0.0 => Align2::CENTER_BOTTOM,
                    _ => Align2::CENTER_TOP,
                };
                paint::label_at(ui, painter, pos, align, text);
            }
        }
        (CompareMode::SideBySide, _) => {
            let middle = area.center().x;
            paint::solid_line(
                painter,
                &[Pos2::new(middle, area.top()), Pos2::new(middle, area.bottom())],
            );
            let quarter = area.width() / 4.0;
            for (text, x) in sides.into_iter().zip([middle - quarter, middle + quarter]) {
                let pos = Pos2::new(x, area.bottom() - inset);
                paint::label_at(ui, painter, pos, Align2::CENTER_BOTTOM, text);
            }
        }
        (CompareMode::Slider | CompareMode::HeatMap, _) => {}
    }
}

/// The handle, which a screen reader can move too.
fn handle_ui(ui: &Ui, painter: &Painter, slider: &Slider, split: f32, commands: &mut Vec<Command>) {
    let id = ui.scope_id().with("compare slider");
    let rect = Rect::from_center_size(slider.handle, Vec2::splat(2.0 * HANDLE));
    // Only a place for the reader: the canvas itself takes the pointer.
    let response = ui.interact(rect, id, Sense::focusable_noninteractive());
    response.widget_info(|| {
        WidgetInfo::slider(true, f64::from(split), tr("Line between the compared states"))
    });
    if response.has_focus() {
        let step = ui.input(|input| {
            let presses = |key| input.num_presses(key) as f32;
            presses(egui::Key::ArrowRight) - presses(egui::Key::ArrowLeft)
        });
        if step != 0.0 {
            commands.push(Command::SetCompareSplit((split + step * 0.02).clamp(0.0, 1.0)));
        }
    }
    let edge = if response.has_focus() {
        Stroke::new(2.0, theme::colors(ui).accent_text)
    } else {
        Stroke::new(1.5, paint::light())
    };
    painter.circle(slider.handle, HANDLE, paint::dark(), edge);
    let along = slider.across.rot90();
    for way in [slider.across, -slider.across] {
        let tip = slider.handle + way * 9.0;
        let base = slider.handle + way * 4.0;
        let triangle = vec![tip, base + along * 4.5, base - along * 4.5];
        painter.add(egui::Shape::convex_polygon(triangle, paint::light(), Stroke::NONE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::editor::CompareSide;
    use crate::geom::{Extent, ViewTransform};
    use egui::pos2;

    fn compare(split: f32, mode: CompareMode) -> Compare {
        let document = Document::new(Extent::new(200, 100), "Layer 1");
        Compare {
            a: CompareSide::Canvas,
            b: CompareSide::Canvas,
            mode,
            split,
            a_document: document.clone(),
            b_document: document,
            ticket: None,
            difference: None,
        }
    }

    #[test]
    fn the_line_follows_the_pointer_in_any_view() {
        let area = Rect::from_min_max(pos2(0.0, 0.0), pos2(400.0, 300.0));
        for (rotation, mirrored) in [(0.0, false), (0.0, true), (1.2, false), (3.0, true)] {
            let focus = CanvasPoint::new(100.0, 50.0);
            let transform = ViewTransform { focus, zoom: 1.5, rotation, mirrored };
            let placement = Placement::new(transform, area);
            let extent = Extent::new(200, 100);
            let at = |split| {
                slider(&placement, area, &compare(split, CompareMode::Slider), extent).unwrap()
            };
            let slider = at(0.3);
            assert!(slider.is_under(slider.handle));
            assert!(slider.is_under(slider.line[0] + slider.across * 5.0));
            assert!(!slider.is_under(slider.handle + slider.across * 20.0));
            assert!((split_at(&placement, slider.handle, 200) - 0.3).abs() < 1e-3);
            let pulled = slider.handle + slider.across * 30.0;
            let split = split_at(&placement, pulled, 200);
            assert!((split - 0.4).abs() < 1e-3, "{split}");
            assert!(at(split).handle.distance(pulled) < 0.1);
            assert_eq!(split_at(&placement, slider.handle - slider.across * 999.0, 200), 0.0);
        }
    }

    #[test]
    fn there_is_no_slider_out_of_sight_or_in_other_modes() {
        let area = Rect::from_min_max(pos2(0.0, 0.0), pos2(400.0, 300.0));
        let focus = CanvasPoint::new(190.0, 50.0);
        let transform = ViewTransform { focus, zoom: 30.0, ..ViewTransform::default() };
        let placement = Placement::new(transform, area);
        let extent = Extent::new(200, 100);
        assert_eq!(slider(&placement, area, &compare(0.2, CompareMode::Slider), extent), None);
        let seen = compare(0.95, CompareMode::SideBySide);
        assert_eq!(slider(&placement, area, &seen, extent), None);
    }
}
