//! The canvas as a widget.

use egui::{CursorIcon, Painter, Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo};

use crate::editor::{Command, CompareMode, Dragged, Editor};
use crate::geom::{Extent, PixelRect};
use crate::gpu::Report;
use crate::locale::tr;
use crate::tools::{CropHandle, GestureOverlay, Pointer, Tool};
use crate::ui::canvas::compare::{self, Slider};
use crate::ui::canvas::cursor::{self, Cursor, CursorFor};
use crate::ui::canvas::hint;
use crate::ui::canvas::input::{Fingers, Frame, Input, Press, Sampling, anchor_in_half};
use crate::ui::canvas::layout::{Placement, screen_from_pos};
use crate::ui::canvas::menu::menu_ui;
use crate::ui::canvas::overlay::overlay_ui;
use crate::ui::canvas::{paint, picture};
use crate::ui::dragging::dragged;

/// What the canvas remembers between frames.
#[derive(Debug, Default)]
pub struct CanvasState {
    input: Input,
    /// What drawing the newest frame took.
    pub report: Report,
}

/// The canvas: fills what is left of the window.
pub fn canvas_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut CanvasState,
    commands: &mut Vec<Command>,
) {
    let area = ui.available_rect_before_wrap();
    let response = ui.allocate_rect(area, Sense::click_and_drag());
    let area = response.rect;
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, tr("Canvas")));
    tell_viewport(area, editor, commands);

    let placement = Placement::new(editor.view.transform, area);
    // A project that is being opened is seen alone.
    let shown_compare = editor.compare.as_ref().filter(|_| editor.opening.is_none());
    let slider = shown_compare
        .and_then(|compare| compare::slider(&placement, area, compare, compare.a_document.extent));
    let aim = Aim {
        over: response.contains_pointer() && ui.is_enabled() && dragged(ui.ctx()).is_none(),
        press: press_at(ui, editor, slider.as_ref(), state.input.last()),
    };
    translate(ui, editor, &response, aim, state, commands);

    picture::paint_picture(ui, area, editor, &state.report);
    let painter = ui.painter_at(area);
    if let Some(gesture) = &editor.gesture {
        overlay_ui(ui, &painter, &placement, &gesture.overlay());
    }
    if let Some(compare) = shown_compare {
        compare::compare_ui(ui, &painter, editor, compare, slider.as_ref(), commands);
    }
    if hint::is_blank(editor) {
        hint::blank_ui(ui, area);
    }
    cursor_ui(ui, &placement, editor, &response, aim, state);
    if ui.is_enabled() {
        take_dragged(ui, &painter, &placement, editor, &response, commands);
    }
    if ui.input(|input| !input.raw.hovered_files.is_empty()) {
        hint::drop_ui(ui, &painter);
    }
    response.context_menu(|ui| menu_ui(ui, editor, commands));
}

/// Shows where a picture that is dragged over the canvas would come, and puts it there.
fn take_dragged(
    ui: &Ui,
    painter: &Painter,
    placement: &Placement,
    editor: &Editor,
    response: &Response,
    commands: &mut Vec<Command>,
) {
    let hovering = response.dnd_hover_payload::<Dragged>();
    // A finger is gone in the frame in which it lets go.
    let pos = ui.input(|input| input.pointer.interact_pos());
    let (Some(Dragged::Gallery(id)), Some(pos)) = (hovering.as_deref().copied(), pos) else {
        return;
    };
    let at = placement.canvas(pos);
    if response.dnd_release_payload::<Dragged>().is_some() {
        commands.push(Command::DropFromGallery(id, at));
        return;
    }
    hint::edge_ui(ui, painter);
    // An empty picture takes the size of what comes.
    if let Some(item) = editor.gallery.item(id).filter(|_| !editor.is_untouched()) {
        let (Extent { width, height }, (x, y)) = (item.extent, at.pixel());
        let (left, top) = (x - (width / 2) as i32, y - (height / 2) as i32);
        let corners = placement.corners(PixelRect::new(left, top, width, height));
        paint::dashed_outline(painter, &corners);
    }
}

/// What the pointer is aimed at.
#[derive(Clone, Copy, Debug)]
struct Aim {
    /// Whether it is on the canvas and nothing lies above it there.
    over: bool,
    /// What the main button would do.
    press: Press,
}

fn tell_viewport(area: Rect, editor: &Editor, commands: &mut Vec<Command>) {
    let (min, size) = (screen_from_pos(area.min), (area.width(), area.height()));
    if (editor.view.viewport_min, editor.view.viewport_size) != (min, size) {
        commands.push(Command::SetViewport { min, size });
    }
}

/// What the main button would do at the pointer's place.
fn press_at(ui: &Ui, editor: &Editor, slider: Option<&Slider>, last: Pos2) -> Press {
    let space = ui.input(|input| input.key_down(egui::Key::Space)) && !ui.ctx().text_edit_focused();
    if ui.ctx().any_popup_open() {
        Press::Nothing
    } else if space {
        Press::Pan
    } else if editor.compare.is_some() {
        let pos = ui.ctx().pointer_latest_pos().unwrap_or(last);
        if slider.is_some_and(|slider| slider.is_under(pos)) { Press::Split } else { Press::Pan }
    } else {
        Press::Tool
    }
}

/// Sends what happened in this frame.
fn translate(
    ui: &Ui,
    editor: &Editor,
    response: &Response,
    aim: Aim,
    state: &mut CanvasState,
    commands: &mut Vec<Command>,
) {
    let tool = editor.tool;
    let fingers = ui.ctx().multi_touch().map(|touch| Fingers {
        center: touch.center_pos,
        zoom: touch.zoom_delta,
        way: touch.translation_delta,
    });
    // A double click soon after a click elsewhere counts as the third of three.
    let double_clicked = response.double_clicked() || response.triple_clicked();
    let mut split = None;
    let first = commands.len();
    ui.input(|input| {
        let frame = Frame {
            events: &input.events,
            area: response.rect,
            over: aim.over,
            press: aim.press,
            sampling: if tool.has_brush() || tool == Tool::Lasso {
                Sampling::Every
            } else {
                Sampling::Last
            },
            modifiers: input.modifiers,
            any_down: input.pointer.any_down(),
            double_clicked,
            fingers,
            seconds: input.stable_dt,
        };
        state.input.translate(&frame, commands, &mut split);
    });
    if let Some(compare) = &editor.compare {
        if let Some(pos) = split {
            let placement = Placement::new(editor.view.transform, response.rect);
            let split = compare::split_at(&placement, pos, compare.a_document.extent.width);
            commands.push(Command::SetCompareSplit(split));
        }
        if compare.mode == CompareMode::SideBySide {
            for command in commands.iter_mut().skip(first) {
                if let Command::ZoomAt { anchor, .. } = command {
                    *anchor = anchor_in_half(*anchor, response.rect);
                }
            }
        }
    }
    if state.input.is_moving() {
        ui.ctx().request_repaint();
    }
}

/// Shows what the pointer would do.
fn cursor_ui(
    ui: &Ui,
    placement: &Placement,
    editor: &Editor,
    response: &Response,
    aim: Aim,
    state: &CanvasState,
) {
    let drag = state.input.drag();
    let Some(pos) = ui.ctx().pointer_latest_pos().filter(|_| aim.over || drag.is_some()) else {
        return;
    };
    let modifiers = ui.input(|input| input.modifiers);
    let transform = editor.view.transform;
    let looks_only = (editor.staging.is_some() || editor.opening.is_some())
        && !matches!(editor.tool, Tool::Hand | Tool::Zoom);
    let cursor = cursor::cursor(&CursorFor {
        tool: editor.tool,
        drag,
        press: if looks_only && aim.press == Press::Tool { Press::Nothing } else { aim.press },
        alt: modifiers.alt,
        paintable: cursor::is_paintable(editor.tool, editor.tools.quick_mask, &editor.document),
        crop: crop_handle(placement, editor, pos),
        rotation: transform.rotation,
        mirrored: transform.mirrored,
    });
    let icon = match cursor {
        Cursor::Icon(icon) => icon,
        Cursor::Brush => {
            let painter = ui.painter_at(response.rect);
            if let (true, None, Some(last)) = (modifiers.shift, drag, editor.last_point) {
                paint::dashed_line(&painter, &[placement.pos(last), pos]);
            }
            if let Some(brush) = editor.tools.brush_of(editor.tool) {
                cursor::brush_ui(&painter, placement, pos, brush);
            }
            CursorIcon::None
        }
    };
    ui.ctx().set_cursor_icon(icon);
}

/// What of the crop rectangle the pointer holds or would take hold of.
fn crop_handle(placement: &Placement, editor: &Editor, pos: Pos2) -> Option<CropHandle> {
    let GestureOverlay::Crop { rect, held } = editor.gesture.as_ref()?.overlay() else {
        return None;
    };
    let pointer = Pointer {
        pixels_per_point: 1.0 / placement.transform.zoom,
        ..Pointer::new(placement.canvas(pos))
    };
    held.or_else(|| CropHandle::under(pointer, rect))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::{PointerEvent, PointerPhase};
    use crate::geom::CanvasPoint;
    use crate::preferences::Preferences;
    use egui::{Event, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, pos2, vec2};
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    /// A window with the canvas in it, and all that the canvas asked for.
    struct Window {
        editor: Editor,
        canvas: CanvasState,
        pointed: Vec<(PointerPhase, CanvasPoint)>,
    }

    fn window(tool: Tool) -> Harness<'static, Window> {
        let mut editor = Editor::new(Preferences::default(), 1);
        editor.tool = tool;
        let window = Window { editor, canvas: CanvasState::default(), pointed: Vec::new() };
        let builder = Harness::builder()
            .with_size(vec2(640.0, 480.0))
            .with_step_dt(1.0 / 60.0)
            .with_context_setup(crate::ui::theme::install_fonts);
        let mut harness = builder.build_ui_state(
            |ui, window: &mut Window| {
                let mut commands = Vec::new();
                canvas_ui(ui, &window.editor, &mut window.canvas, &mut commands);
                for command in commands {
                    if let Command::Pointer(PointerEvent { phase, at, .. }) = command {
                        let view = &window.editor.view;
                        let point = view.transform.canvas_from_screen(at, view.center());
                        window.pointed.push((phase, point));
                    }
                    window.editor.update(command);
                }
            },
            window,
        );
        harness.run_steps(2);
        harness
    }

    /// Where a point of the canvas is seen.
    fn pos_of(harness: &Harness<'_, Window>, x: f32, y: f32) -> Pos2 {
        let view = &harness.state().editor.view;
        let at = view.transform.screen_from_canvas(CanvasPoint::new(x, y), view.center());
        pos2(at.x, at.y)
    }

    fn send(harness: &mut Harness<'_, Window>, events: &[Event]) {
        for event in events {
            harness.event(event.clone());
        }
        harness.run_steps(1);
    }

    fn button(pos: Pos2, pressed: bool) -> Event {
        let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
        Event::PointerButton { pos, button, pressed, modifiers }
    }

    #[test]
    fn the_viewport_is_told_and_the_picture_fits_into_it() {
        let harness = window(Tool::Brush);
        let view = &harness.state().editor.view;
        let canvas = harness.get_by_label("Canvas").rect();
        assert_eq!(view.viewport_size, (canvas.width(), canvas.height()));
        assert!(canvas.contains(pos_of(&harness, 0.0, 0.0)));
        assert!(canvas.contains(pos_of(&harness, 512.0, 512.0)));
    }

    #[test]
    fn a_fast_stroke_reaches_the_layer_with_every_sample() {
        let mut harness = window(Tool::Brush);
        harness.state_mut().editor.view.transform.rotation = 0.4;
        harness.state_mut().editor.view.transform.mirrored = true;
        let way = [(100.0, 100.0), (300.0, 120.0), (320.0, 300.0), (120.0, 310.0)];
        let places: Vec<Pos2> = way.iter().map(|&(x, y)| pos_of(&harness, x, y)).collect();
        send(&mut harness, &[Event::PointerMoved(places[0])]);
        harness.state_mut().pointed.clear();
        // All within one frame.
        let mut events = vec![button(places[0], true)];
        events.extend(places[1..].iter().map(|&pos| Event::PointerMoved(pos)));
        events.push(button(places[3], false));
        send(&mut harness, &events);
        let window = harness.state();
        let expected = [
            (PointerPhase::Pressed, way[0]),
            (PointerPhase::Dragged, way[1]),
            (PointerPhase::Dragged, way[2]),
            (PointerPhase::Dragged, way[3]),
            (PointerPhase::Released, way[3]),
        ];
        assert_eq!(window.pointed.len(), expected.len(), "{:?}", window.pointed);
        for ((phase, point), (expected, (x, y))) in window.pointed.iter().zip(expected) {
            assert_eq!(*phase, expected);
            assert!(point.distance(CanvasPoint::new(x, y)) < 0.01, "{point:?}");
        }
        let layer = &window.editor.document.layers[0].pixels;
        // The curve rounds the corners and runs through the middles between them.
        for (x, y) in [way[0], (200.0, 110.0), (310.0, 210.0), (220.0, 305.0), way[3]] {
            assert_eq!(layer.pixel(x as i32, y as i32)[3], 255, "{x}, {y}");
        }
        assert!(window.editor.history.before().is_some());
    }

    #[test]
    fn the_wheel_zooms_and_keeps_what_is_under_the_pointer() {
        let mut harness = window(Tool::Brush);
        let pos = pos_of(&harness, 400.0, 130.0);
        send(&mut harness, &[Event::PointerMoved(pos)]);
        let before = harness.state().editor.view.transform.zoom;
        send(
            &mut harness,
            &[Event::MouseWheel {
                unit: MouseWheelUnit::Line,
                delta: vec2(0.0, 4.0),
                phase: egui::TouchPhase::Move,
                source: MouseWheelSource::Wheel,
                modifiers: Modifiers::NONE,
            }],
        );
        harness.run_steps(40);
        let zoom = harness.state().editor.view.transform.zoom;
        assert!((zoom / before - 2.0).abs() < 0.01, "{before} to {zoom}");
        assert!(pos_of(&harness, 400.0, 130.0).distance(pos) < 0.1);
    }

    #[test]
    fn the_space_bar_makes_any_tool_a_hand() {
        let mut harness = window(Tool::MaskBrush);
        let start = pos_of(&harness, 200.0, 200.0);
        harness.key_down(egui::Key::Space);
        let end = start + vec2(30.0, -12.0);
        send(&mut harness, &[Event::PointerMoved(start)]);
        send(&mut harness, &[button(start, true)]);
        send(&mut harness, &[Event::PointerMoved(end), button(end, false)]);
        let window = harness.state();
        assert!(window.editor.document.selection.is_empty());
        assert!(pos_of(&harness, 200.0, 200.0).distance(end) < 0.1);
    }

    #[test]
    fn a_double_click_closes_a_polygon() {
        let mut harness = window(Tool::Polygon);
        for (x, y) in [(100.0, 100.0), (300.0, 100.0), (200.0, 300.0)] {
            let pos = pos_of(&harness, x, y);
            send(&mut harness, &[Event::PointerMoved(pos), button(pos, true)]);
            send(&mut harness, &[button(pos, false)]);
        }
        let pos = pos_of(&harness, 200.0, 300.0);
        send(&mut harness, &[button(pos, true)]);
        send(&mut harness, &[button(pos, false)]);
        let editor = &harness.state().editor;
        assert!(editor.gesture.is_none());
        assert_eq!(editor.document.selection.cover.pixel(200, 150), 255);
        assert_eq!(editor.document.selection.cover.pixel(110, 250), 0);
    }

    #[test]
    fn the_right_button_opens_what_suits_the_tool() {
        let mut harness = window(Tool::Rectangle);
        harness.get_by_label("Canvas").click_secondary();
        harness.run_steps(3);
        harness.get_by_label("All").click();
        harness.run_steps(3);
        assert!(!harness.state().editor.document.selection.is_empty());
        // The click on the menu was none on the canvas.
        assert!(harness.state().editor.gesture.is_none());
    }

    #[test]
    fn an_empty_picture_says_how_one_gets_here() {
        let mut harness = window(Tool::Brush);
        harness.get_by_label("Drop a picture here");
        let white = Command::NewPicture { extent: Extent::new(300, 200), color: [255; 4] };
        harness.state_mut().editor.update(white);
        harness.run_steps(2);
        assert!(harness.query_by_label("Drop a picture here").is_none());
    }
}
