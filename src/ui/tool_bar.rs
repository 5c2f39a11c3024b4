//! The column of tools at the left, with the colors below.

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use crate::editor::{Action, Command, Editor};
use crate::locale::tr;
use crate::tools::Tool;
use crate::ui::theme::{self, icon};
use crate::ui::widgets::{
    ButtonState, action_tooltip, color_button, icon_button_sized, with_action_tooltip,
};

/// Width of the column, margins included.
pub const TOOL_BAR_PX: f32 = theme::TOOL_PX + theme::SPACE_M;

/// Height of the colors and the buttons below them.
const COLORS_PX: f32 = 64.0;

/// The tools, the one in hand marked; the two colors at the bottom.
pub fn tool_bar_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let full = ui.available_rect_before_wrap();
    let split = (full.bottom() - COLORS_PX).max(full.top());
    let above = Rect::from_min_max(full.min, pos2(full.right(), split - theme::SPACE_S));
    let below = Rect::from_min_max(pos2(full.left(), split), full.max);
    ui.scope_builder(egui::UiBuilder::new().max_rect(above), |ui| {
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            tools_ui(ui, editor, above.height(), commands);
        });
    });
    ui.scope_builder(egui::UiBuilder::new().max_rect(below), |ui| {
        colors_ui(ui, editor, commands);
    });
}

fn tools_ui(ui: &mut Ui, editor: &Editor, height: f32, commands: &mut Vec<Command>) {
    let groups = Tool::ALL.iter().filter(|tool| begins_group(**tool)).count() as f32;
    let gaps = groups * (theme::SPACE_S + 1.0);
    let side = ((height - gaps) / Tool::ALL.len() as f32).clamp(22.0, theme::TOOL_PX).floor();
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.vertical_centered(|ui| {
        for tool in Tool::ALL {
            if begins_group(tool) {
                ui.add(egui::Separator::default().spacing(theme::SPACE_S).shrink(theme::SPACE_S));
            }
            let action = Action::of_tool(tool);
            let state = ButtonState::selected_if(editor.tool == tool);
            let label = tr(action.info().label);
            let response = icon_button_sized(ui, icon::of_tool(tool), label, state, side);
            if response.clicked() {
                commands.push(Command::Do(action));
            }
            response.on_hover_ui(|ui| action_tooltip(ui, editor, action));
        }
    });
}

/// Whether a line stands above the tool.
const fn begins_group(tool: Tool) -> bool {
    matches!(tool, Tool::Rectangle | Tool::Brush | Tool::Move | Tool::Hand)
}

fn colors_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    const SIDE: f32 = 22.0;
    const SHIFT: f32 = 12.0;
    const SMALL: f32 = 18.0;
    let mut settings = editor.tools.clone();
    let (area, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), SIDE + SHIFT), egui::Sense::hover());
    let left = area.center().x - f32::midpoint(SIDE, SHIFT);
    let swatch = |at: f32| Rect::from_min_size(pos2(left + at, area.top() + at), vec2(SIDE, SIDE));
    let mut changed = false;
    // The color in use lies over the other one.
    for (rect, label, color) in [
        (swatch(SHIFT), tr("Other color"), &mut settings.other_color),
        (swatch(0.0), tr("Color"), &mut settings.color),
    ] {
        ui.scope_builder(egui::UiBuilder::new().max_rect(rect), |ui| {
            ui.spacing_mut().interact_size = rect.size();
            changed |= color_button(ui, label, color).changed();
        });
    }
    if changed {
        commands.push(Command::SetToolSettings(Box::new(settings)));
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(((ui.available_width() - 2.0 * SMALL) / 2.0).max(0.0));
        for action in [Action::SwapColors, Action::DefaultColors] {
            let icon = icon::of_action(action).unwrap_or_default();
            let label = tr(action.info().label);
            let button = icon_button_sized(ui, icon, label, ButtonState::Normal, SMALL);
            if button.clicked() {
                commands.push(Command::Do(action));
            }
            with_action_tooltip(button, editor, action);
        }
    });
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::{editor, look_at, window};
    use crate::ui::theme::Look;

    #[test]
    fn each_tool_can_be_taken_by_its_name() {
        let editor = editor();
        let mut window = window((TOOL_BAR_PX + 16.0, 760.0), Look::Dark, |ui, commands| {
            tool_bar_ui(ui, &editor, commands);
        });
        for tool in Tool::ALL {
            window.get_by_label(Action::of_tool(tool).info().label).click();
            window.run_steps(2);
            let given = window.state_mut().pop().map(|command| format!("{command:?}"));
            assert_eq!(given, Some(format!("Do({:?})", Action::of_tool(tool))));
        }
        window.get_by_label("Swap colors").click();
        window.run_steps(2);
        assert!(matches!(window.state()[..], [Command::Do(Action::SwapColors)]));
    }

    #[test]
    fn the_column_looks_well() {
        let mut editor = editor();
        editor.tool = Tool::Wand;
        editor.tools.color = [220, 60, 40, 255];
        for (name, height) in [("tools", 760.0), ("tools-low", 520.0)] {
            look_at(name, (TOOL_BAR_PX + 8.0, height), |ui, commands| {
                tool_bar_ui(ui, &editor, commands);
            });
        }
    }
}
