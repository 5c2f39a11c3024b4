//! The menus at the top, made from the table of actions.

use egui::containers::menu::{MenuButton, SubMenu};
use egui::{
    Align2, FontFamily, FontId, MenuBar, Response, RichText, Role, Sense, Ui, WidgetInfo, vec2,
};

use crate::editor::{Action, Command, Editor, Menu};
use crate::locale::tr;
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::shortcut_of;

/// How many recent files the menu lists; the welcome screen and the palette have more.
const RECENT_FILES: usize = 10;

/// The menus, with the search for commands at the right.
pub fn menu_bar_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    MenuBar::new().ui(ui, |ui| {
        ui.spacing_mut().button_padding = vec2(theme::SPACE_S, 2.0);
        ui.spacing_mut().item_spacing.x = 0.0;
        for menu in Menu::ALL {
            // Brush and colors stand in the tools' menu.
            if menu == Menu::Brush {
                continue;
            }
            MenuButton::new(tr(menu.label())).ui(ui, |ui| menu_ui(ui, editor, menu, commands));
        }
        search_ui(ui, editor, commands);
    });
}

fn search_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let right = egui::Layout::right_to_left(egui::Align::Center);
    ui.with_layout(right, |ui| {
        let action = Action::CommandPalette;
        if ui.available_width() < 160.0 {
            return;
        }
        ui.add_space(theme::SPACE_S);
        let shortcut = shortcut_of(&editor.keymap, action).unwrap_or_default();
        let label = tr("Find a command…");
        let weak = colors(ui).text_weak;
        let button = egui::Button::new((
            RichText::new(icon::ZOOM).color(weak),
            RichText::new(label).color(weak),
            RichText::new(shortcut).color(weak),
        ))
        .fill(colors(ui).field)
        .stroke(egui::Stroke::new(1.0, colors(ui).line));
        let response = ui.add(button);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
        if response.on_hover_text(tr(action.info().tooltip)).clicked() {
            commands.push(Command::Do(action));
        }
    });
}

fn menu_ui(ui: &mut Ui, editor: &Editor, menu: Menu, commands: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let shown = |action: &&Action| {
        let own = action.info().menu;
        own == menu || (menu == Menu::Tool && own == Menu::Brush)
    };
    for &action in Action::ALL.iter().filter(shown) {
        if begins_group(action) {
            ui.separator();
        }
        action_item(ui, editor, action, commands);
        if action == Action::OpenAsLayer {
            recent_ui(ui, editor, commands);
        }
    }
    if menu == Menu::Select {
        saved_selections_ui(ui, editor, commands);
    }
}

/// Whether a line stands above the action in its menu.
const fn begins_group(action: Action) -> bool {
    matches!(
        action,
        Action::Save
            | Action::Quit
            | Action::Cut
            | Action::ClearSelected
            | Action::CommandPalette
            | Action::ResizeImage
            | Action::FlipHorizontal
            | Action::Flatten
            | Action::MergeDown
            | Action::LayerUp
            | Action::SelectLayerAbove
            | Action::ToggleLayerVisible
            | Action::MaskFromSelection
            | Action::GrowSelection
            | Action::SelectLayerAlpha
            | Action::ToggleQuickMask
            | Action::RotateViewLeft
            | Action::TogglePixelGrid
            | Action::TogglePanels
            | Action::ToolBrush
            | Action::ToolRectangle
            | Action::ToolMove
            | Action::BrushSmaller
            | Action::SwapColors
            | Action::CancelJob
            | Action::RollSeed
            | Action::FocusPrompt
            | Action::StagingAccept
            | Action::Compare
    )
}

/// One action as a line of a menu.
pub(super) fn action_item(
    ui: &mut Ui,
    editor: &Editor,
    action: Action,
    commands: &mut Vec<Command>,
) -> Response {
    let shortcut = shortcut_of(&editor.keymap, action).unwrap_or_default();
    let on = editor.is_checked(action);
    let enabled = editor.is_enabled(action);
    let response = ui
        .add_enabled_ui(enabled, |ui| menu_item(ui, tr(action.info().label), &shortcut, on))
        .inner;
    if response.clicked() {
        commands.push(Command::Do(action));
    }
    let why = editor.why_disabled(action).unwrap_or_else(|| tr(action.info().tooltip));
    response.on_hover_text(tr(action.info().tooltip)).on_disabled_hover_text(why)
}

/// One line of a menu: a check mark where it is on, its name, its shortcut at the right.
pub(super) fn menu_item(ui: &mut Ui, label: &str, shortcut: &str, on: Option<bool>) -> Response {
    const MARK_PX: f32 = 26.0;
    const GAP_PX: f32 = 36.0;
    let body = FontId::new(theme::TEXT_PX, FontFamily::Proportional);
    let colors = colors(ui);
    let layout =
        |text: &str, color| ui.painter().layout_no_wrap(text.to_owned(), body.clone(), color);
    let (enabled, visuals) = (ui.is_enabled(), ui.visuals().clone());
    let faded = |color| if enabled { color } else { visuals.disable(color) };
    let name = layout(label, faded(colors.text));
    let keys = layout(shortcut, faded(colors.text_weak));
    let gap = if shortcut.is_empty() { 0.0 } else { GAP_PX };
    let width = MARK_PX + name.size().x + gap + keys.size().x + theme::SPACE_S;
    let (rect, response) =
        ui.allocate_at_least(vec2(width, theme::BUTTON_PX - 2.0), Sense::click());
    response.widget_info(|| match on {
        Some(on) => WidgetInfo::selected(Role::MenuItemCheckBox, ui.is_enabled(), on, label),
        None => WidgetInfo::labeled(Role::MenuItem, ui.is_enabled(), label),
    });
    if ui.is_rect_visible(rect) {
        let painter = ui.painter();
        if ui.is_enabled() && (response.hovered() || response.has_focus()) {
            painter.rect_filled(rect, theme::RADIUS, colors.selection);
        }
        let middle = rect.center().y;
        if on == Some(true) {
            let at = egui::pos2(rect.left() + MARK_PX / 2.0, middle);
            painter.text(at, Align2::CENTER_CENTER, icon::ACCEPT, body, faded(colors.accent_text));
        }
        let name_at = egui::pos2(rect.left() + MARK_PX, middle - name.size().y / 2.0);
        painter.galley(name_at, name, colors.text);
        let keys_at =
            egui::pos2(rect.right() - theme::SPACE_S - keys.size().x, middle - keys.size().y / 2.0);
        painter.galley(keys_at, keys, colors.text_weak);
    }
    response
}

fn recent_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let files = editor.preferences.recent_files.items();
    ui.add_enabled_ui(!files.is_empty(), |ui| {
        let item = menu_item(ui, tr("Recent files"), icon::NEXT, None);
        SubMenu::new().show(ui, &item, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for path in files.iter().take(RECENT_FILES) {
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
                if menu_item(ui, &name, "", None)
                    .on_hover_text(path.display().to_string())
                    .clicked()
                {
                    commands.push(Command::OpenPath(path.clone()));
                }
            }
            ui.separator();
            if menu_item(ui, tr("Forget recent files"), "", None).clicked() {
                let mut preferences = editor.preferences.clone();
                preferences.recent_files.clear();
                commands.push(Command::SetPreferences(Box::new(preferences)));
            }
        });
    });
}

/// The selections that were kept: a click selects, the cross forgets.
pub(super) fn saved_selections_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    use crate::document::{Combine, Edit};
    let saved = &editor.document.saved_selections;
    if saved.is_empty() {
        return;
    }
    ui.separator();
    ui.label(RichText::new(tr("Saved selections")).color(colors(ui).text_weak).small());
    for selection in saved {
        let name = selection.name.clone();
        let row = menu_item(ui, &name, "", None);
        if row.clicked() {
            commands.push(Command::Edit(Edit::LoadSelection {
                name: name.clone(),
                combine: Combine::Replace,
            }));
        }
        row.context_menu(|ui| {
            for (label, combine) in [
                (tr("Select"), Combine::Replace),
                (tr("Add to the selection"), Combine::Add),
                (tr("Take away from the selection"), Combine::Subtract),
                (tr("Only where both are"), Combine::Intersect),
            ] {
                if menu_item(ui, label, "", None).clicked() {
                    let name = name.clone();
                    commands.push(Command::Edit(Edit::LoadSelection { name, combine }));
                }
            }
            ui.separator();
            if menu_item(ui, tr("Forget this selection"), "", None).clicked() {
                commands.push(Command::Edit(Edit::DeleteSavedSelection(name.clone())));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::{editor, look_after, window};
    use crate::ui::theme::Look;

    #[test]
    fn every_menu_opens_and_gives_its_actions() {
        let mut editor = editor();
        editor.preferences.recent_files.remember("pictures/harbor.png".into());
        for (menu, label, action) in [
            (Menu::File, "Open…", "Do(Open)"),
            (Menu::Select, "All", "Do(SelectAll)"),
            (Menu::View, "Pixel grid", "Do(TogglePixelGrid)"),
            (Menu::Help, "About Gesso", "Do(ShowAbout)"),
        ] {
            let mut window = window((1000.0, 700.0), Look::Dark, |ui, commands| {
                menu_bar_ui(ui, &editor, commands);
            });
            window.get_by_label(menu.label()).click();
            window.run_steps(3);
            window.get_by_label(label).click();
            window.run_steps(2);
            let given: Vec<String> =
                window.state().iter().map(|command| format!("{command:?}")).collect();
            assert_eq!(given, [action], "{label}");
        }
    }

    #[test]
    fn what_can_not_be_done_is_off() {
        let editor = editor();
        let mut window =
            window((1000.0, 700.0), Look::Dark, |ui, commands| menu_bar_ui(ui, &editor, commands));
        window.get_by_label("Edit").click();
        window.run_steps(3);
        window.get_by_label("Undo").click();
        window.run_steps(2);
        assert!(window.state().is_empty());
    }

    #[test]
    fn menus_look_well() {
        let mut editor = editor();
        editor.preferences.recent_files.remember("pictures/harbor.png".into());
        for menu in [Menu::File, Menu::Layer, Menu::View, Menu::Tool] {
            look_after(
                &format!("menu-{}", menu.label()),
                (900.0, 720.0),
                |ui, commands| menu_bar_ui(ui, &editor, commands),
                |window| window.get_by_label(menu.label()).click(),
            );
        }
    }
}
