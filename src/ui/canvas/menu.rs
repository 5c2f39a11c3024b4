//! The menu under the right button: what suits the tool in hand.

use egui::{Button, Role, Ui, WidgetInfo};

use crate::editor::{Action, Command, Editor, PointerEvent, PointerPhase};
use crate::locale::tr;
use crate::tools::Tool;
use crate::ui::canvas::layout::screen_from_pos;
use crate::ui::widgets::shortcut_of;

/// The actions that suit a tool, in groups.
pub(super) fn actions_of(tool: Tool) -> [&'static [Action]; 2] {
    use Action::{
        AddLayer, ClearSelected, Copy, CropToSelection, DefaultColors, DeleteLayer, DuplicateLayer,
        FeatherSelection, FillMask, FillSelected, Generate, GrowSelection, InvertSelection,
        MirrorView, Paste, Redo, ResetView, RotateViewLeft, RotateViewRight, SelectAll, SelectNone,
        ShrinkSelection, SwapColors, Undo, Vary, ZoomActual, ZoomFit,
    };
    const SELECTION: &[Action] = &[
        SelectAll,
        SelectNone,
        InvertSelection,
        GrowSelection,
        ShrinkSelection,
        FeatherSelection,
        FillMask,
        Vary,
    ];
    match tool {
        Tool::MaskBrush
        | Tool::MaskEraser
        | Tool::Rectangle
        | Tool::Ellipse
        | Tool::Lasso
        | Tool::Polygon
        | Tool::Wand => [SELECTION, &[Copy, Paste, Undo, Redo]],
        Tool::Brush | Tool::Fill | Tool::Eyedropper => {
            [&[SwapColors, DefaultColors, FillSelected], &[Copy, Paste, Undo, Redo]]
        }
        Tool::Eraser => [&[ClearSelected, FillSelected], &[Copy, Paste, Undo, Redo]],
        Tool::Move => [&[AddLayer, DuplicateLayer, DeleteLayer], &[Copy, Paste, Undo, Redo]],
        Tool::Crop => [&[CropToSelection, ZoomFit], &[Undo, Redo]],
        Tool::Hand | Tool::Zoom => [
            &[ZoomFit, ZoomActual, MirrorView, RotateViewLeft, RotateViewRight, ResetView],
            &[Generate, Undo, Redo],
        ],
    }
}

/// The menu's contents.
pub(super) fn menu_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    if editor.gesture.as_ref().is_some_and(crate::tools::Gesture::takes_presses) {
        if ui.button(tr("Apply")).clicked() {
            commands.push(finish_event(ui).into());
        }
        if ui.button(tr("Cancel")).clicked() {
            commands.push(Command::Escape);
        }
        ui.separator();
    }
    let [first, second] = actions_of(editor.tool);
    for &action in first {
        item_ui(ui, editor, action, commands);
    }
    ui.separator();
    for &action in second {
        item_ui(ui, editor, action, commands);
    }
}

fn item_ui(ui: &mut Ui, editor: &Editor, action: Action, commands: &mut Vec<Command>) {
    let label = tr(action.info().label);
    let enabled = editor.is_enabled(action);
    let mut button = Button::new(label);
    if let Some(shortcut) = shortcut_of(&editor.keymap, action) {
        button = button.shortcut_text(shortcut);
    }
    let response = ui.add_enabled(enabled, button);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, label));
    if response.on_hover_text(tr(action.info().tooltip)).clicked() {
        commands.push(Command::Do(action));
    }
}

/// What a double click on the canvas would send: it ends a gesture of several presses.
fn finish_event(ui: &Ui) -> PointerEvent {
    let at = ui.ctx().pointer_latest_pos().unwrap_or_default();
    PointerEvent {
        phase: PointerPhase::DoubleClicked,
        at: screen_from_pos(at),
        pressure: 1.0,
        shift: false,
        alt: false,
        ctrl: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tool_offers_an_action_twice() {
        for tool in Tool::ALL {
            let mut actions = actions_of(tool).concat();
            let all = actions.len();
            actions.sort_unstable();
            actions.dedup();
            assert_eq!(actions.len(), all, "{tool:?}");
        }
    }
}
