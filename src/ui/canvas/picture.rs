//! The picture itself, handed to the graphics card.

use std::sync::Arc;

use egui::{Rect, Ui};

use crate::document::Document;
use crate::editor::{CompareMode, Editor, Opening, last_change};
use crate::geom::ScreenPoint;
use crate::gpu::{
    CanvasCallback, Checkerboard, Comparison, ComparisonView, Frame, OverlayClip, OverlayImage,
    Report, SelectionDisplay, Viewport, Work,
};
use crate::ui::theme::colors;

/// Draws the document, the selection, and what a model is drawing.
pub(super) fn paint_picture(ui: &Ui, area: Rect, editor: &Editor, report: &Report) {
    let colors = colors(ui);
    let mut frame = frame(editor, viewport(ui, area), ui.input(|input| input.time));
    let rgb = |color: egui::Color32| [color.r(), color.g(), color.b()];
    let [dark, light] = colors.checkers.map(rgb);
    let side = editor.preferences.checker_size as f32;
    frame.checkerboard = Checkerboard { light, dark, side };
    frame.surround = Some(rgb(colors.canvas));
    let marching = frame.selection.ants.is_some() && !frame.document.selection.is_empty();
    let ctx = ui.ctx().clone();
    let wake: crate::gpu::Wake = Arc::new(move || ctx.request_repaint());
    let callback = CanvasCallback { frame, wake, report: report.clone() };
    ui.painter().add(callback.into_shape());
    if marching {
        // Ants step a few times a second; that is enough to be seen and leaves the machine alone.
        ui.ctx().request_repaint_after(ANT_STEP);
    }
}

/// Time between two steps of the marching ants.
const ANT_STEP: std::time::Duration = std::time::Duration::from_millis(100);

fn viewport(ui: &Ui, area: Rect) -> Viewport {
    Viewport {
        min: ScreenPoint::new(area.left(), area.top()),
        size: (area.width(), area.height()),
        pixels_per_point: ui.ctx().pixels_per_point(),
    }
}

/// What is to be seen of an editor, at a time in seconds.
fn frame(editor: &Editor, viewport: Viewport, time: f64) -> Frame {
    let view = &editor.view;
    if let Some(Opening { image, extent, .. }) = &editor.opening {
        let blank = Document::new(*extent, "");
        let mut frame = Frame::new(blank, view.transform, viewport);
        frame.work = Work::INTERACTIVE;
        let (image, rect) = (Arc::clone(image), extent.rect().into());
        frame.overlays.push(OverlayImage { image, rect, clip: OverlayClip::Canvas });
        return frame;
    }
    let mut frame = Frame::new(editor.shown_document().clone(), view.transform, viewport);
    frame.work = Work::INTERACTIVE;
    if view.pixel_grid {
        // The preference counts points, the frame pixels of the screen.
        frame.pixel_grid_from = Some(editor.preferences.grid_zoom * viewport.pixels_per_point);
    }
    if let Some(compare) = editor.compare.as_ref().filter(|_| !view.show_original) {
        frame.document = compare.a_document.clone();
        let view = match compare.mode {
            CompareMode::Slider => ComparisonView::Split(compare.split),
            CompareMode::SideBySide => ComparisonView::Halves,
            CompareMode::HeatMap => ComparisonView::HeatMap,
        };
        frame.comparison = Some(Comparison { other: compare.b_document.clone(), view });
        return frame;
    }
    if view.show_original {
        return frame;
    }
    frame.selection = SelectionDisplay {
        color: view.mask.overlay.then_some(view.mask.color),
        ants: view.mask.ants.then_some((time % 3600.0) as f32),
        dim_outside: 0.0,
    };
    if editor.chat.show_change
        && let Some((_, layer)) = last_change(&editor.history, &editor.document)
        && let Some(mask) = &layer.mask
    {
        // What the last answer changed is looked at as the selection is, in its place.
        frame.document.selection.cover = mask.clone();
        frame.selection.color = Some(view.mask.color);
    }
    if let Some(preview) = editor.preview.as_ref().filter(|_| editor.staging.is_none()) {
        frame.overlays.push(OverlayImage {
            image: Arc::clone(&preview.image),
            rect: preview.place,
            clip: if preview.in_selection { OverlayClip::Selection } else { OverlayClip::Canvas },
        });
    }
    frame
}
