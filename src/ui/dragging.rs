//! Pictures that are dragged with the pointer: from the gallery and the results to the canvas, and
//! out of the window.
//!
//! What is dragged is egui's payload, a [`Dragged`]; egui ends a drag at Escape. The canvas takes
//! what is let go over it; another program is offered what leaves the window.

use egui::{
    Color32, Context, DragAndDrop, Id, LayerId, Order, Rect, Response, TextureId, Ui, vec2,
};

use crate::editor::{Command, Dragged};
use crate::geom::Extent;
use crate::ui::panel_parts;
use crate::ui::theme::{self, colors, icon};

/// Side of the picture at the pointer.
const CARRIED_PX: f32 = 64.0;

/// Makes a widget something that can be dragged.
pub(crate) fn drag_source(response: &Response, what: Dragged) {
    // What a finger or another button drags is no payload.
    if response.drag_started_by(egui::PointerButton::Primary) {
        DragAndDrop::set_payload(&response.ctx, what);
    }
}

/// What is dragged at the moment.
pub(crate) fn dragged(ctx: &Context) -> Option<Dragged> {
    DragAndDrop::payload::<Dragged>(ctx).map(|what| *what)
}

/// Shows a picture at the pointer, while its widget is dragged.
pub(crate) fn carried_ui(ui: &Ui, response: &Response, texture: TextureId, extent: Extent) {
    if let Some(rect) = carried_rect(ui, response) {
        let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
        let fitted = panel_parts::fitted_rect(rect, extent);
        let tint = Color32::WHITE.gamma_multiply(0.85);
        carried_painter(ui).image(texture, fitted, whole, tint);
    }
}

/// Shows that a picture is carried, where there is no small one of it.
pub(crate) fn carried_icon_ui(ui: &Ui, response: &Response) {
    if let Some(rect) = carried_rect(ui, response) {
        let painter = carried_painter(ui);
        let rect = Rect::from_min_size(rect.min, vec2(theme::BUTTON_PX, theme::BUTTON_PX));
        painter.rect_filled(rect, theme::RADIUS, colors(ui).accent);
        let font = egui::TextStyle::Heading.resolve(ui.style());
        let center = egui::Align2::CENTER_CENTER;
        painter.text(rect.center(), center, icon::PICTURE, font, colors(ui).on_accent);
    }
}

fn carried_rect(ui: &Ui, response: &Response) -> Option<Rect> {
    // At Escape the payload is gone, though the button is still held.
    if !response.dragged() || dragged(ui.ctx()).is_none() {
        return None;
    }
    ui.ctx().set_cursor_icon(egui::CursorIcon::Grabbing);
    let pointer = ui.input(|input| input.pointer.latest_pos())?;
    let corner = pointer + vec2(theme::SPACE_M, theme::SPACE_M);
    Some(Rect::from_min_size(corner, vec2(CARRIED_PX, CARRIED_PX)))
}

fn carried_painter(ui: &Ui) -> egui::Painter {
    ui.ctx().layer_painter(LayerId::new(Order::Tooltip, Id::unique("carried picture")))
}

/// Whether a drag has left the window; remembered so that it is said once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LeavingState {
    said: bool,
}

/// Says when a picture is dragged out of the window.
pub(crate) fn leaving_commands(
    ctx: &Context,
    state: &mut LeavingState,
    commands: &mut Vec<Command>,
) {
    let Some(what) = dragged(ctx) else {
        state.said = false;
        return;
    };
    let window = ctx.viewport_rect();
    let outside = ctx.input(|input| {
        let pointer = &input.pointer;
        pointer.primary_down() && pointer.latest_pos().is_none_or(|at| !window.contains(at))
    });
    if outside && !state.said {
        state.said = true;
        commands.push(Command::DragOut(what));
    }
}
