//! Drawing of the layers' panel.

use egui::{
    Align2, Button, ComboBox, FontFamily, FontId, Key, Rect, Response, Role, ScrollArea, Sense,
    TextEdit, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::document::{Edit, Layer, LayerId};
use crate::editor::{Action, Command, Editor};
use crate::locale::{tr, trf};
use crate::ui::layers_panel::model::{self, BLEND_GROUPS, blend_mode_label};
use crate::ui::panel_parts::{self, PictureFrame, drop_place};
use crate::ui::theme::{self, colors, icon};
use crate::ui::thumbnails::Thumbnails;
use crate::ui::widgets::{
    ActionStyle, ButtonState, LabeledSlider, action_button, icon_button, icon_button_sized,
    shortcut_of,
};

const ROW_PX: f32 = 48.0;
const THUMBNAIL_PX: f32 = 38.0;

/// What the layers' panel remembers.
#[derive(Default)]
pub struct LayersState {
    thumbnails: Thumbnails,
    // The layer whose name is being written, with the name so far.
    renaming: Option<(LayerId, String)>,
    dragged: Option<LayerId>,
    // What was scrolled to last.
    shown: Option<LayerId>,
}

/// The layers with their settings.
pub fn layers_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut LayersState,
    commands: &mut Vec<Command>,
) {
    if let Some(layer) = editor.document.active_layer() {
        settings_ui(ui, layer, commands);
        ui.add_space(theme::SPACE_XS);
    }
    let footer_px = theme::BUTTON_PX + theme::SPACE_S;
    let list_px = (ui.available_height() - footer_px - theme::SPACE_XS).max(ROW_PX);
    ui.scope_builder(
        UiBuilder::new()
            .max_rect(Rect::from_min_size(ui.cursor().min, vec2(ui.available_width(), list_px))),
        |ui| list_ui(ui, editor, state, commands),
    );
    footer_ui(ui, editor, commands);
}

/// Blend mode and opacity of the layer in hand.
fn settings_ui(ui: &mut Ui, layer: &Layer, commands: &mut Vec<Command>) {
    let id = layer.id;
    crate::ui::widgets::row_of_width(ui, tr("Blend mode"), settings_label_px(ui), |ui| {
        ComboBox::from_id_salt("blend mode")
            .width(ui.available_width())
            .height(480.0)
            .selected_text(blend_mode_label(layer.blend_mode))
            .show_ui(ui, |ui| {
                for (i, group) in BLEND_GROUPS.iter().enumerate() {
                    if i > 0 {
                        ui.separator();
                    }
                    for &mode in *group {
                        let chosen = layer.blend_mode == mode;
                        if ui.selectable_label(chosen, blend_mode_label(mode)).clicked() && !chosen
                        {
                            let edit = Edit::SetBlendMode { layer: id, blend_mode: mode };
                            commands.push(Command::Edit(edit));
                        }
                    }
                }
            })
            .response
            .on_hover_text(tr("How the layer mixes with what lies below"));
    });
    let mut opacity = layer.opacity;
    let response = LabeledSlider::new(tr("Opacity"), &mut opacity, 0.0..=1.0)
        .percent()
        .tooltip(tr("How much of the layer is seen"))
        .show(ui);
    let done = response.drag_stopped() || (response.changed() && !response.dragged());
    if response.changed() || done {
        commands.push(Command::DragOpacity { layer: id, opacity, done });
    }
}

/// The width that [`LabeledSlider`] gives its label, so that both rows are aligned.
fn settings_label_px(ui: &Ui) -> f32 {
    theme::LABEL_PX.min(ui.available_width() * 0.36)
}

fn list_ui(ui: &mut Ui, editor: &Editor, state: &mut LayersState, commands: &mut Vec<Command>) {
    let document = &editor.document;
    let colors = colors(ui);
    ui.painter().rect_filled(ui.max_rect(), theme::RADIUS, colors.field);
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().id_salt("layers").auto_shrink([false, false]).show(ui, |ui| {
        let top = ui.cursor().min.y;
        for layer in model::rows(document) {
            row_ui(ui, editor, layer, state, commands);
        }
        let Some(dragged) = state.dragged else { return };
        let Some(pointer) = ui.input(|input| input.pointer.latest_pos()) else { return };
        let before = drop_place(pointer.y - top, ROW_PX, document.layers.len());
        let landing = model::dropped(document, dragged, before);
        if landing.is_some() {
            let y = top + before as f32 * ROW_PX;
            panel_parts::drop_line(ui, y);
        }
        panel_parts::scroll_while_dragging(ui, pointer);
        if !ui.input(|input| input.pointer.any_down()) {
            state.dragged = None;
            if let Some(position) = landing {
                let edit = Edit::ReorderLayer { layer: dragged, position };
                commands.push(Command::Edit(edit));
            }
        }
    });
}

fn row_ui(
    ui: &mut Ui,
    editor: &Editor,
    layer: &Layer,
    state: &mut LayersState,
    commands: &mut Vec<Command>,
) {
    let (document, id) = (&editor.document, layer.id);
    let active = document.active == id;
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), ROW_PX));
    // Named by the layer, not by its place: focus and drags stay with it when layers move.
    let response = ui.interact(rect, ui.scope_id().with(("layer", id)), Sense::click_and_drag());
    response.widget_info(|| {
        let name = trf("Layer {name}", &[("name", &layer.name)]);
        WidgetInfo::selected(Role::ListItem, ui.is_enabled(), active, name)
    });
    if response.drag_started() {
        state.dragged = Some(id);
    }
    if response.clicked() && !active {
        commands.push(Command::Edit(Edit::SetActive(id)));
    }
    if response.secondary_clicked() && !active {
        commands.push(Command::Edit(Edit::SetActive(id)));
    }
    if active && state.shown != Some(id) {
        state.shown = Some(id);
        response.scroll_to_me(None);
    }
    context_menu_ui(&response, editor, layer, state, commands);
    if !ui.is_rect_visible(rect) {
        return;
    }
    panel_parts::row_background(ui, &response, active);
    if state.dragged == Some(id) {
        ui.painter().rect_filled(rect, theme::RADIUS, colors(ui).hover);
    }

    let mut content = ui.new_child(
        UiBuilder::new()
            .max_rect(rect.shrink2(vec2(theme::SPACE_XS, 0.0)))
            .layout(egui::Layout::left_to_right(egui::Align::Center)),
    );
    let ui = &mut content;
    ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
    visible_ui(ui, layer, commands);
    thumbnails_ui(ui, document.extent, layer, state);
    ui.add_space(theme::SPACE_XS);
    // The lock is drawn first, from the right, so that the name knows how much room is left.
    let lock_shown = layer.locked || response.container_contains_pointer() || active;
    let name_right = rect.right() - theme::SPACE_XS - theme::BUTTON_PX;
    let name_rect = Rect::from_min_max(
        pos2(ui.cursor().min.x, rect.top()),
        pos2(name_right - theme::SPACE_XS, rect.bottom()),
    );
    name_ui(ui, name_rect, layer, active, state, commands);
    if lock_shown {
        let lock_rect = Rect::from_center_size(
            pos2(name_right + theme::BUTTON_PX / 2.0, rect.center().y),
            vec2(theme::BUTTON_PX, theme::BUTTON_PX),
        );
        ui.scope_builder(UiBuilder::new().max_rect(lock_rect), |ui| lock_ui(ui, layer, commands));
    }
    if response.double_clicked() {
        state.renaming = Some((id, layer.name.clone()));
    }
}

fn visible_ui(ui: &mut Ui, layer: &Layer, commands: &mut Vec<Command>) {
    let (sign, label) = if layer.visible {
        (icon::VISIBLE, trf("Hide {name}", &[("name", &layer.name)]))
    } else {
        (icon::HIDDEN, trf("Show {name}", &[("name", &layer.name)]))
    };
    let button = ui.scope(|ui| {
        if !layer.visible {
            ui.multiply_opacity(0.55);
        }
        icon_button_sized(ui, sign, &label, ButtonState::Normal, theme::BUTTON_PX)
    });
    if button.inner.on_hover_text(&label).clicked() {
        let edit = Edit::SetVisible { layer: layer.id, visible: !layer.visible };
        commands.push(Command::Edit(edit));
    }
}

fn lock_ui(ui: &mut Ui, layer: &Layer, commands: &mut Vec<Command>) {
    let (sign, label) = if layer.locked {
        (icon::LOCKED, trf("Unlock {name}", &[("name", &layer.name)]))
    } else {
        (icon::UNLOCKED, trf("Lock {name}", &[("name", &layer.name)]))
    };
    let tooltip = tr("A locked layer can't be painted on");
    if icon_button(ui, sign, &label, tooltip, ButtonState::Normal).clicked() {
        let edit = Edit::SetLocked { layer: layer.id, locked: !layer.locked };
        commands.push(Command::Edit(edit));
    }
}

fn thumbnails_ui(ui: &mut Ui, canvas: crate::geom::Extent, layer: &Layer, state: &mut LayersState) {
    let faded = if layer.visible { 1.0 } else { 0.45 };
    let ctx = ui.ctx().clone();
    let texture = state.thumbnails.layer(&ctx, layer.id, &layer.pixels, canvas);
    let (rect, _) = ui.allocate_exact_size(vec2(THUMBNAIL_PX, THUMBNAIL_PX), Sense::hover());
    panel_parts::picture(ui, rect, texture, canvas, PictureFrame::Checkers, faded);
    if let Some(mask) = &layer.mask {
        let texture = state.thumbnails.mask(&ctx, layer.id, mask, canvas);
        let (rect, response) =
            ui.allocate_exact_size(vec2(THUMBNAIL_PX, THUMBNAIL_PX), Sense::hover());
        panel_parts::picture(ui, rect, texture, canvas, PictureFrame::Plain, faded);
        response.on_hover_text(tr("The layer's mask: what is white is shown"));
    }
}

fn name_ui(
    ui: &mut Ui,
    rect: Rect,
    layer: &Layer,
    active: bool,
    state: &mut LayersState,
    commands: &mut Vec<Command>,
) {
    if let Some((id, name)) = &mut state.renaming
        && *id == layer.id
    {
        let field_id = ui.scope_id().with("rename");
        let field_rect =
            Rect::from_center_size(rect.center(), vec2(rect.width(), theme::BUTTON_PX));
        let mut field_ui = ui.new_child(UiBuilder::new().max_rect(field_rect));
        let field = TextEdit::singleline(name)
            .id(field_id)
            .desired_width(f32::INFINITY)
            .show(&mut field_ui);
        let response = field.response.response.accessible_name(tr("Name of the layer"));
        if !response.has_focus() && !response.lost_focus() {
            response.request_focus();
            response.scroll_to_me(None);
            select_all(ui, field_id, name);
        }
        if response.lost_focus() {
            let keep = !ui.input(|input| input.key_pressed(Key::Escape));
            let name = name.trim().to_owned();
            if keep && !name.is_empty() && name != layer.name {
                commands.push(Command::Edit(Edit::RenameLayer { layer: layer.id, name }));
            }
            state.renaming = None;
        }
        return;
    }
    let colors = colors(ui);
    let color = if layer.visible { colors.text } else { colors.text_weak };
    let mut details = Vec::new();
    if layer.blend_mode != crate::raster::BlendMode::Normal {
        details.push(blend_mode_label(layer.blend_mode).to_owned());
    }
    if layer.opacity < 1.0 {
        details.push(format!("{:.0} %", layer.opacity * 100.0));
    }
    let name =
        if active { theme::semibold(&*layer.name) } else { egui::RichText::new(&*layer.name) };
    panel_parts::two_lines(ui, rect, name.color(color), &details.join(" · "));
}

fn select_all(ui: &Ui, field: egui::Id, text: &str) {
    let mut edit = egui::text_edit::TextEditState::load(ui.ctx(), field).unwrap_or_default();
    let range = egui::text::CCursorRange::select_all_str(text);
    edit.cursor.set_char_range(Some(range));
    edit.store(ui.ctx(), field);
}

fn context_menu_ui(
    response: &Response,
    editor: &Editor,
    layer: &Layer,
    state: &mut LayersState,
    commands: &mut Vec<Command>,
) {
    response.context_menu(|ui| {
        if ui.button(tr("Rename")).clicked() {
            state.renaming = Some((layer.id, layer.name.clone()));
        }
        let groups: [&[Action]; 4] = [
            &[Action::DuplicateLayer, Action::MergeDown, Action::LayerUp, Action::LayerDown],
            &[Action::MaskFromSelection, Action::ApplyLayerMask, Action::DeleteLayerMask],
            &[Action::SelectLayerAlpha, Action::ToggleLayerVisible, Action::ToggleLayerLocked],
            &[Action::DeleteLayer],
        ];
        for (i, group) in groups.into_iter().enumerate() {
            if i > 0 {
                ui.separator();
            }
            for &action in group {
                let shortcut = shortcut_of(&editor.keymap, action).unwrap_or_default();
                let button = Button::new(tr(action.info().label)).shortcut_text(shortcut);
                let enabled = editor.is_enabled(action);
                let button = ui.add_enabled(enabled, button);
                if button.on_hover_text(tr(action.info().tooltip)).clicked() {
                    commands.push(Command::Do(action));
                }
            }
        }
    });
}

fn footer_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        for action in
            [Action::AddLayer, Action::DuplicateLayer, Action::MergeDown, Action::MaskFromSelection]
        {
            action_button(ui, editor, action, ActionStyle::Icon, commands);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            action_button(ui, editor, Action::DeleteLayer, ActionStyle::Icon, commands);
            let count = match editor.document.layers.len() {
                1 => tr("1 layer").to_owned(),
                count => trf("{count} layers", &[("count", &count)]),
            };
            let font = FontId::new(theme::SMALL_PX, FontFamily::Proportional);
            let color = colors(ui).text_weak;
            let (rect, _) = ui.allocate_exact_size(vec2(72.0, theme::BUTTON_PX), Sense::hover());
            ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, count, font, color);
        });
    });
}
