//! What the pointer looks like: the brush as large as it paints, or an icon that fits the tool.

use egui::{CursorIcon, Painter, Pos2, Stroke, Vec2, vec2};

use crate::document::Document;
use crate::raster::Brush;
use crate::tools::{CropHandle, Tool};
use crate::ui::canvas::input::{Drag, Press};
use crate::ui::canvas::layout::Placement;
use crate::ui::canvas::paint;
use crate::ui::theme::color32;

/// Brushes with a smaller radius on the screen get a crosshair.
const TINY: f32 = 4.0;
/// The ring of the hardness is shown where it is so far from the edge.
const RING_GAP: f32 = 3.0;

/// What the pointer looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cursor {
    /// One of the system's.
    Icon(CursorIcon),
    /// A circle of the brush's size.
    Brush,
}

/// What the look of the pointer depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct CursorFor {
    /// The tool in hand.
    pub(super) tool: Tool,
    /// What it is held down for.
    pub(super) drag: Option<Drag>,
    /// What pressing it would do.
    pub(super) press: Press,
    /// Whether Alt is held.
    pub(super) alt: bool,
    /// Whether the tool could change the active layer.
    pub(super) paintable: bool,
    /// What of a crop rectangle it would take hold of.
    pub(super) crop: Option<CropHandle>,
    /// How the view is turned, in radians, and whether it is mirrored.
    pub(super) rotation: f32,
    pub(super) mirrored: bool,
}

/// Says what the pointer looks like.
pub(super) fn cursor(of: &CursorFor) -> Cursor {
    match (of.drag, of.press) {
        (Some(Drag::Pan(_)), _) => return Cursor::Icon(CursorIcon::Grabbing),
        (Some(Drag::Nothing), _) | (None, Press::Nothing) => {
            return Cursor::Icon(CursorIcon::Default);
        }
        (Some(Drag::Split), _) | (None, Press::Split) => {
            let way = CropHandle::Right.sides();
            return Cursor::Icon(resize_icon(way, of.rotation, of.mirrored));
        }
        (None, Press::Pan) => return Cursor::Icon(CursorIcon::Grab),
        (Some(Drag::Tool), _) | (None, Press::Tool) => {}
    }
    if !of.paintable {
        return Cursor::Icon(CursorIcon::NotAllowed);
    }
    Cursor::Icon(match of.tool {
        Tool::Brush if of.alt => CursorIcon::Crosshair,
        Tool::MaskBrush | Tool::MaskEraser | Tool::Brush | Tool::Eraser => return Cursor::Brush,
        Tool::Fill => CursorIcon::Cell,
        Tool::Eyedropper
        | Tool::Rectangle
        | Tool::Ellipse
        | Tool::Lasso
        | Tool::Polygon
        | Tool::Wand => CursorIcon::Crosshair,
        Tool::Move => CursorIcon::Move,
        Tool::Crop => match of.crop {
            None => CursorIcon::Crosshair,
            Some(CropHandle::Inside) => CursorIcon::Move,
            Some(handle) => resize_icon(handle.sides(), of.rotation, of.mirrored),
        },
        Tool::Hand if of.drag == Some(Drag::Tool) => CursorIcon::Grabbing,
        Tool::Hand => CursorIcon::Grab,
        Tool::Zoom if of.alt => CursorIcon::ZoomOut,
        Tool::Zoom => CursorIcon::ZoomIn,
    })
}

/// Whether a tool could do its work on the active layer.
pub(super) fn is_paintable(tool: Tool, quick_mask: bool, document: &Document) -> bool {
    let on_layer = match tool {
        Tool::Brush | Tool::Eraser => !quick_mask,
        Tool::Fill | Tool::Move => true,
        _ => false,
    };
    !on_layer || document.active_layer().is_some_and(|layer| layer.visible && !layer.locked)
}

/// The arrows that point the way of a handle, in a view that is turned.
fn resize_icon((x, y): (i32, i32), rotation: f32, mirrored: bool) -> CursorIcon {
    let x = if mirrored { -x } else { x };
    let angle = (y as f32).atan2(x as f32) + rotation;
    let eighth = (angle / std::f32::consts::FRAC_PI_4).round().rem_euclid(4.0);
    match eighth as u32 {
        0 => CursorIcon::ResizeHorizontal,
        1 => CursorIcon::ResizeNwSe,
        2 => CursorIcon::ResizeVertical,
        _ => CursorIcon::ResizeNeSw,
    }
}

/// Draws a brush around the pointer.
pub(super) fn brush_ui(painter: &Painter, placement: &Placement, pos: Pos2, brush: &Brush) {
    let radius = brush.diameter_px / 2.0 * placement.transform.zoom;
    if radius < TINY {
        crosshair(painter, pos, radius);
        return;
    }
    paint::circle(painter, pos, radius);
    let inner = radius * brush.hardness;
    if inner > RING_GAP && radius - inner > RING_GAP {
        painter.circle_stroke(pos, inner, Stroke::new(1.0, color32([0, 0, 0, 90])));
        painter.circle_stroke(pos, inner - 1.0, Stroke::new(1.0, color32([255, 255, 255, 110])));
    }
    // Large brushes would leave their middle to be guessed.
    if radius > 6.0 * TINY {
        painter.circle_filled(pos, 2.0, color32([0, 0, 0, 140]));
        painter.circle_filled(pos, 1.0, paint::light());
    }
}

/// Four short lines around the pointer, with a gap where it paints.
fn crosshair(painter: &Painter, pos: Pos2, radius: f32) {
    let (from, to) = (radius + 2.0, radius + 8.0);
    for way in [vec2(1.0, 0.0), vec2(-1.0, 0.0), vec2(0.0, 1.0), vec2(0.0, -1.0)] {
        paint::solid_line(painter, &[pos + way * from, pos + way * to]);
    }
    painter.rect_filled(egui::Rect::from_center_size(pos, Vec2::splat(1.0)), 0.0, paint::light());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Extent;
    use std::f32::consts::FRAC_PI_2;

    fn hovering(tool: Tool) -> CursorFor {
        CursorFor {
            tool,
            drag: None,
            press: Press::Tool,
            alt: false,
            paintable: true,
            crop: None,
            rotation: 0.0,
            mirrored: false,
        }
    }

    #[test]
    fn the_pointer_tells_what_it_would_do() {
        let check = |of: CursorFor, expected: CursorIcon| {
            assert_eq!(cursor(&of), Cursor::Icon(expected), "{of:?}");
        };
        let brush = hovering(Tool::Brush);
        assert_eq!(cursor(&brush), Cursor::Brush);
        check(CursorFor { alt: true, ..brush }, CursorIcon::Crosshair);
        check(CursorFor { paintable: false, ..brush }, CursorIcon::NotAllowed);
        check(CursorFor { press: Press::Pan, ..brush }, CursorIcon::Grab);
        check(CursorFor { press: Press::Nothing, ..brush }, CursorIcon::Default);
        let pan = Some(Drag::Pan(egui::PointerButton::Middle));
        check(CursorFor { drag: pan, ..brush }, CursorIcon::Grabbing);
        check(CursorFor { press: Press::Split, ..brush }, CursorIcon::ResizeHorizontal);
        let hand = hovering(Tool::Hand);
        check(hand, CursorIcon::Grab);
        check(CursorFor { drag: Some(Drag::Tool), ..hand }, CursorIcon::Grabbing);
        check(CursorFor { alt: true, ..hovering(Tool::Zoom) }, CursorIcon::ZoomOut);
        let crop = hovering(Tool::Crop);
        check(CursorFor { crop: Some(CropHandle::TopLeft), ..crop }, CursorIcon::ResizeNwSe);
        check(CursorFor { crop: Some(CropHandle::Inside), ..crop }, CursorIcon::Move);
    }

    #[test]
    fn arrows_turn_with_the_view() {
        let top_left = CropHandle::TopLeft.sides();
        assert_eq!(resize_icon(top_left, 0.0, true), CursorIcon::ResizeNeSw);
        assert_eq!(resize_icon(top_left, FRAC_PI_2, false), CursorIcon::ResizeNeSw);
        let right = CropHandle::Right.sides();
        assert_eq!(resize_icon(right, FRAC_PI_2, false), CursorIcon::ResizeVertical);
        assert_eq!(resize_icon(right, -FRAC_PI_2 / 2.0, false), CursorIcon::ResizeNeSw);
    }

    #[test]
    fn only_tools_that_change_pixels_mind_locked_layers() {
        let mut document = Document::new(Extent::new(8, 8), "Layer 1");
        document.layers[0].locked = true;
        for tool in Tool::ALL {
            let minds = matches!(tool, Tool::Brush | Tool::Eraser | Tool::Fill | Tool::Move);
            assert_eq!(is_paintable(tool, false, &document), !minds, "{tool:?}");
        }
        assert!(is_paintable(Tool::Brush, true, &document));
    }
}
