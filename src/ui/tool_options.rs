//! The bar above the canvas: what the tool in hand is set to, and the selection.

use egui::{DragValue, Response, RichText, Ui};

use crate::document::Combine;
use crate::editor::{Action, Command, Editor, MaskDisplay};
use crate::locale::tr;
use crate::raster::PressureUse;
use crate::tools::{Tool, ToolSettings};
use crate::ui::menu_bar::{action_item, saved_selections_ui};
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{
    ActionStyle, ButtonState, LabeledSlider, Segment, action_button, color_button, icon_button,
    number_field, row_of_width, segmented,
};

/// Height of the bar, margins included.
pub const TOOL_OPTIONS_PX: f32 = theme::BUTTON_PX + theme::SPACE_S;

/// About what the bar has beside the three sliders of a brush, in the longest of the languages.
const BESIDE_SLIDERS_PX: f32 = 760.0;

/// The settings of the tool in hand.
pub fn tool_options_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let mut settings = editor.tools.clone();
    // On a narrow window sliders are shorter; on a very narrow one the bar takes a second line.
    let slider_px = ((ui.available_width() - BESIDE_SLIDERS_PX) / 3.0).clamp(32.0, 60.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().slider_width = slider_px;
        ui.set_min_height(theme::BUTTON_PX);
        for action in [Action::Undo, Action::Redo] {
            action_button(ui, editor, action, ActionStyle::Icon, commands);
        }
        ui.separator();
        let tool = editor.tool;
        let name = tr(Action::of_tool(tool).info().label);
        ui.label(RichText::new(icon::of_tool(tool)).size(theme::ICON_PX));
        ui.label(theme::semibold(name));
        ui.separator();
        tool_ui(ui, editor, tool, &mut settings, commands);
        ui.separator();
        selection_menu_ui(ui, editor, &mut settings, commands);
        action_button(ui, editor, Action::ToggleQuickMask, ActionStyle::Icon, commands);
    });
    if settings != editor.tools {
        commands.push(Command::SetToolSettings(Box::new(settings)));
    }
}

fn tool_ui(
    ui: &mut Ui,
    editor: &Editor,
    tool: Tool,
    settings: &mut ToolSettings,
    commands: &mut Vec<Command>,
) {
    match tool {
        Tool::MaskBrush | Tool::MaskEraser | Tool::Brush | Tool::Eraser => {
            if tool == Tool::Brush {
                color_button(ui, tr("Color"), &mut settings.color);
            }
            brush_ui(ui, tool, settings);
        }
        Tool::Fill => {
            color_button(ui, tr("Color"), &mut settings.color);
            likeness_ui(ui, settings);
        }
        Tool::Eyedropper => {
            color_button(ui, tr("Color"), &mut settings.color);
            ui.checkbox(&mut settings.all_layers, tr("All layers"));
        }
        Tool::Rectangle | Tool::Ellipse | Tool::Lasso | Tool::Polygon => {
            combine_ui(ui, settings);
            selection_steps_ui(ui, editor, settings, commands);
        }
        Tool::Wand => {
            combine_ui(ui, settings);
            likeness_ui(ui, settings);
        }
        Tool::Move => hint(ui, tr("Drag to move the layer, or what is selected of it")),
        Tool::Crop => hint(ui, tr("Drag a rectangle around what should stay")),
        Tool::Hand | Tool::Zoom => {
            for action in [Action::ZoomFit, Action::ZoomIn, Action::ZoomOut, Action::ResetView] {
                action_button(ui, editor, action, ActionStyle::Icon, commands);
            }
            action_button(ui, editor, Action::ZoomActual, ActionStyle::Text, commands);
        }
    }
}

fn hint(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).color(colors(ui).text_weak));
}

fn brush_ui(ui: &mut Ui, tool: Tool, settings: &mut ToolSettings) {
    let Some(brush) = settings.brush_of_mut(tool) else { return };
    LabeledSlider::new(tr("Size"), &mut brush.diameter_px, 1.0..=2000.0)
        .unit("px")
        .decimals(0)
        .logarithmic()
        .compact()
        .show(ui);
    LabeledSlider::new(tr("Hardness"), &mut brush.hardness, 0.0..=1.0)
        .percent()
        .compact()
        .tooltip(tr("How much of the brush covers fully before its edge fades out"))
        .show(ui);
    LabeledSlider::new(tr("Opacity"), &mut brush.opacity, 0.0..=1.0)
        .percent()
        .compact()
        .tooltip(tr("The most that one stroke covers"))
        .show(ui);
    popup_button(ui, icon::ADJUST, tr("More brush settings"), |ui| {
        ui.set_width(320.0);
        LabeledSlider::new(tr("Flow"), &mut brush.flow, 0.01..=1.0)
            .percent()
            .tooltip(tr("How much one dab covers; a stroke adds up until it reaches the opacity"))
            .show(ui);
        LabeledSlider::new(tr("Spacing"), &mut brush.spacing, 0.01..=2.0)
            .percent()
            .logarithmic()
            .tooltip(tr("The distance between two dabs, as a share of the size"))
            .show(ui);
        ui.label(tr("What the pen's pressure changes"));
        segmented(
            ui,
            &mut brush.pressure,
            &[
                Segment::text(PressureUse::Ignored, tr("Nothing")),
                Segment::text(PressureUse::Size, tr("Size")),
                Segment::text(PressureUse::Flow, tr("Flow")),
                Segment::text(PressureUse::SizeAndFlow, tr("Both")),
            ],
        );
    });
}

/// What counts as one color.
fn likeness_ui(ui: &mut Ui, settings: &mut ToolSettings) {
    LabeledSlider::new(tr("Tolerance"), &mut settings.tolerance, 0..=255)
        .compact()
        .tooltip(tr("How much a color may differ from the one that is clicked"))
        .show(ui);
    ui.checkbox(&mut settings.contiguous, tr("Connected"))
        .on_hover_text(tr("Only pixels that touch each other, or all alike anywhere"));
    ui.checkbox(&mut settings.all_layers, tr("All layers"))
        .on_hover_text(tr("Look at the whole picture, or only at the layer"));
}

fn combine_ui(ui: &mut Ui, settings: &mut ToolSettings) {
    segmented(
        ui,
        &mut settings.combine,
        &[
            Segment::icon(Combine::Replace, icon::REPLACE, tr("New selection")),
            Segment::icon(Combine::Add, icon::UNITE, tr("Add to the selection (Shift)")),
            Segment::icon(
                Combine::Subtract,
                icon::SUBTRACT,
                tr("Take away from the selection (Alt)"),
            ),
            Segment::icon(
                Combine::Intersect,
                icon::INTERSECT,
                tr("Keep only where both are (Shift+Alt)"),
            ),
        ],
    );
}

/// Wider, narrower, softer, each by the pixels beside it.
fn selection_steps_ui(
    ui: &mut Ui,
    editor: &Editor,
    settings: &mut ToolSettings,
    commands: &mut Vec<Command>,
) {
    for action in [Action::GrowSelection, Action::ShrinkSelection] {
        action_button(ui, editor, action, ActionStyle::Icon, commands);
    }
    pixels_ui(ui, tr("Grow and shrink by"), &mut settings.grow_px);
    action_button(ui, editor, Action::FeatherSelection, ActionStyle::Icon, commands);
    pixels_ui(ui, tr("Feather by"), &mut settings.feather_px);
}

fn pixels_ui(ui: &mut Ui, label: &str, pixels: &mut u32) -> Response {
    let field = DragValue::new(pixels).range(1..=512).speed(0.2).suffix(" px");
    number_field(ui, label, theme::VALUE_PX, field).on_hover_text(label)
}

/// Everything about the selection, whatever the tool.
fn selection_menu_ui(
    ui: &mut Ui,
    editor: &Editor,
    settings: &mut ToolSettings,
    commands: &mut Vec<Command>,
) {
    popup_button(ui, icon::SELECTION, tr("Selection and mask"), |ui| {
        ui.set_width(300.0);
        ui.spacing_mut().item_spacing.y = theme::SPACE_XS;
        ui.horizontal(|ui| selection_steps_ui(ui, editor, settings, commands));
        ui.separator();
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for action in [
                Action::SelectAll,
                Action::SelectNone,
                Action::InvertSelection,
                Action::SelectLayerAlpha,
                Action::SaveSelection,
            ] {
                action_item(ui, editor, action, commands);
            }
            ui.separator();
            action_item(ui, editor, Action::ToggleMaskOverlay, commands);
            action_item(ui, editor, Action::ToggleMarchingAnts, commands);
        });
        row_of_width(ui, tr("Mask color"), 140.0, |ui| {
            let mut color = editor.view.mask.color;
            if color_button(ui, tr("Mask color"), &mut color).changed() {
                let display = MaskDisplay { color, ..editor.view.mask };
                commands.push(Command::SetMaskDisplay(display));
            }
        });
        saved_selections_ui(ui, editor, commands);
    });
}

/// An icon button that opens a small window with settings, which stays until a click elsewhere.
fn popup_button<R>(ui: &mut Ui, icon: &str, label: &str, add_contents: impl FnOnce(&mut Ui) -> R) {
    let response = icon_button(ui, icon, label, "", ButtonState::Normal);
    egui::Popup::menu(&response)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .layout(egui::Layout::top_down_justified(egui::Align::Min))
        .style(|_: &mut egui::Style| {})
        .frame(egui::Frame::popup(ui.style()).inner_margin(theme::SPACE_M as i8))
        .show(add_contents);
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::{editor, look_after, look_at, window};
    use crate::ui::theme::Look;

    #[test]
    fn settings_are_sent_as_a_whole() {
        let mut editor = editor();
        editor.tool = Tool::Wand;
        let mut window = window((1200.0, 60.0), Look::Dark, |ui, commands| {
            tool_options_ui(ui, &editor, commands);
        });
        window.get_by_label("Connected").click();
        window.run_steps(2);
        let Some(Command::SetToolSettings(settings)) = window.state_mut().pop() else {
            panic!("no settings");
        };
        assert_eq!(*settings, ToolSettings { contiguous: false, ..editor.tools.clone() });
        window.get_by_label("Take away from the selection (Alt)").click();
        window.run_steps(2);
        let Some(Command::SetToolSettings(settings)) = window.state_mut().pop() else {
            panic!("no settings");
        };
        assert_eq!(settings.combine, Combine::Subtract);
    }

    #[test]
    fn nothing_is_sent_while_nothing_changes() {
        for tool in Tool::ALL {
            let mut editor = editor();
            editor.tool = tool;
            let mut window = window((1200.0, 60.0), Look::Dark, |ui, commands| {
                tool_options_ui(ui, &editor, commands);
            });
            window.run_steps(3);
            assert!(window.state().is_empty(), "{tool:?}: {:?}", window.state());
        }
    }

    #[test]
    fn the_bar_looks_well_with_every_kind_of_tool() {
        look_at("tool-options", (980.0, 500.0), |ui, commands| {
            for tool in [
                Tool::Brush,
                Tool::MaskBrush,
                Tool::Rectangle,
                Tool::Wand,
                Tool::Fill,
                Tool::Eyedropper,
                Tool::Move,
                Tool::Zoom,
            ] {
                let mut editor = editor();
                editor.tool = tool;
                ui.push_id(tool, |ui| tool_options_ui(ui, &editor, commands));
            }
        });
    }

    #[test]
    fn the_small_windows_of_the_bar_look_well() {
        let mut editor = editor();
        editor.document.selection.cover.fill(crate::geom::PixelRect::new(9, 9, 90, 90), 255);
        let selection = editor.document.selection.clone();
        let saved =
            crate::document::SavedSelection { name: "Himmel über dem Meer".to_owned(), selection };
        editor.document.saved_selections.push(saved);
        for (name, label) in [
            ("selection-menu", "Selection and mask"),
            ("brush-menu", "More brush settings"),
            ("color-menu", "Color"),
        ] {
            editor.tool = Tool::Brush;
            look_after(
                name,
                (980.0, 520.0),
                |ui, commands| tool_options_ui(ui, &editor, commands),
                |window| window.get_by_label(label).click(),
            );
        }
    }
}
