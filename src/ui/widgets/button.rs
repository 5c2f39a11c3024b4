//! Buttons: with an icon alone, for an action, and the one that matters most.

use egui::{
    Button, Color32, FontId, IntoAtoms, Response, RichText, Role, Sense, Stroke, Ui, WidgetInfo,
    vec2,
};

use crate::editor::{Action, Command, Editor};
use crate::locale::tr;
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::shortcut_of;

/// What a button shows besides its icon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonState {
    /// It can be pressed.
    #[default]
    Normal,
    /// It stands for something that is on now; it can be pressed.
    Selected,
    /// It can't be pressed now.
    Disabled,
}

impl ButtonState {
    /// Disabled unless something holds.
    #[must_use]
    pub const fn enabled_if(holds: bool) -> Self {
        if holds { Self::Normal } else { Self::Disabled }
    }

    /// Selected if something holds.
    #[must_use]
    pub const fn selected_if(holds: bool) -> Self {
        if holds { Self::Selected } else { Self::Normal }
    }
}

/// A square button with an icon; its label is read aloud and stands first in the tooltip.
///
/// The tooltip says what it does, with its shortcut where it has one; empty for the label alone.
pub fn icon_button(
    ui: &mut Ui,
    icon: &str,
    label: &str,
    tooltip: &str,
    state: ButtonState,
) -> Response {
    let response = icon_button_sized(ui, icon, label, state, theme::BUTTON_PX);
    let text = |ui: &mut Ui| {
        ui.label(label);
        if !tooltip.is_empty() {
            ui.label(RichText::new(tooltip).color(colors(ui).text_weak));
        }
    };
    response.on_hover_ui(text).on_disabled_hover_ui(text)
}

/// An icon button of any size, without a tooltip.
pub fn icon_button_sized(
    ui: &mut Ui,
    icon: &str,
    label: &str,
    state: ButtonState,
    side_px: f32,
) -> Response {
    let draw = |ui: &mut Ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(side_px, side_px), Sense::click());
        let selected = state == ButtonState::Selected;
        response.widget_info(|| match state {
            ButtonState::Selected => WidgetInfo::selected(Role::Button, true, true, label),
            _ => WidgetInfo::labeled(Role::Button, ui.is_enabled(), label),
        });
        if ui.is_rect_visible(rect) {
            let colors = colors(ui);
            let visuals = ui.style().interact(&response);
            let engaged = response.hovered() || response.has_focus();
            let fill = match (selected, engaged) {
                (true, _) => colors.selection,
                (false, true) => visuals.weak_bg_fill,
                (false, false) => Color32::TRANSPARENT,
            };
            let stroke = if response.has_focus() { visuals.bg_stroke } else { Stroke::NONE };
            ui.painter().rect(rect, visuals.corner_radius, fill, stroke, egui::StrokeKind::Inside);
            let color = match (selected, ui.is_enabled()) {
                (true, _) => colors.accent_text,
                (false, true) => colors.text,
                (false, false) => ui.visuals().disable(colors.text),
            };
            let size = (side_px * 0.64).min(theme::ICON_PX * 1.15).round();
            let font = FontId::proportional(size);
            let galley = ui.painter().layout_no_wrap(icon.to_owned(), font, color);
            // The drawn part is centered, not the line, which has room for letters below it.
            let at = rect.center() - galley.mesh_bounds.center().to_vec2();
            ui.painter().galley(at, galley, color);
        }
        response
    };
    match state {
        ButtonState::Disabled => ui.add_enabled_ui(false, draw).inner,
        _ => draw(ui),
    }
}

/// How an action's button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionStyle {
    /// A square with its icon.
    Icon,
    /// Its name.
    Text,
    /// Both.
    IconAndText,
    /// Both, as the one most important button of a panel.
    Primary,
}

/// A button that gives an action; its tooltip names the shortcut, and it is off when the action is.
pub fn action_button(
    ui: &mut Ui,
    editor: &Editor,
    action: Action,
    style: ActionStyle,
    commands: &mut Vec<Command>,
) -> Response {
    let label = tr(action.info().label);
    let enabled = editor.is_enabled(action);
    let on = editor.is_checked(action) == Some(true);
    let own_icon = icon::of_action(action);
    let with_icon = || match own_icon {
        Some(icon) => (icon, label).into_atoms(),
        None => label.into_atoms(),
    };
    let response = match (style, own_icon) {
        (ActionStyle::Icon, Some(icon)) => {
            let state = match (enabled, on) {
                (false, _) => ButtonState::Disabled,
                (true, true) => ButtonState::Selected,
                (true, false) => ButtonState::Normal,
            };
            icon_button_sized(ui, icon, label, state, theme::BUTTON_PX)
        }
        (ActionStyle::Icon | ActionStyle::Text, _) => {
            ui.add_enabled(enabled, Button::new(label).selected(on))
        }
        (ActionStyle::IconAndText, _) => {
            ui.add_enabled(enabled, Button::new(with_icon()).selected(on))
        }
        (ActionStyle::Primary, _) => {
            ui.add_enabled_ui(enabled, |ui| primary_button(ui, with_icon())).inner
        }
    };
    response.widget_info(|| match editor.is_checked(action) {
        Some(on) => WidgetInfo::selected(Role::Button, enabled, on, label),
        None => WidgetInfo::labeled(Role::Button, enabled, label),
    });
    if response.clicked() {
        commands.push(Command::Do(action));
    }
    with_action_tooltip(response, editor, action)
}

/// Gives a response the tooltip of an action, whether it can be done now or not.
#[expect(clippy::must_use_candidate, reason = "it is done for its effect too")]
pub fn with_action_tooltip(response: Response, editor: &Editor, action: Action) -> Response {
    response
        .on_hover_ui(|ui| action_tooltip(ui, editor, action))
        .on_disabled_hover_ui(|ui| action_tooltip(ui, editor, action))
}

/// An action's name with its shortcut, what it does, and why it can't be done now.
pub fn action_tooltip(ui: &mut Ui, editor: &Editor, action: Action) {
    let info = action.info();
    ui.horizontal(|ui| {
        ui.label(theme::semibold(tr(info.label).trim_end_matches('…')));
        if let Some(shortcut) = shortcut_of(&editor.keymap, action) {
            ui.label(RichText::new(shortcut).color(colors(ui).text_weak));
        }
    });
    ui.label(tr(info.tooltip));
    if let Some(why) = editor.why_disabled(action) {
        ui.label(RichText::new(why).color(colors(ui).warning));
    }
}

/// The one button that most users want here.
pub fn primary_button<'a>(ui: &mut Ui, atoms: impl IntoAtoms<'a>) -> Response {
    let colors = colors(ui);
    filled_button(ui, atoms, colors.accent, colors.accent_hover, colors.on_accent)
}

/// A button for what can't be undone.
pub fn danger_button<'a>(ui: &mut Ui, atoms: impl IntoAtoms<'a>) -> Response {
    let colors = colors(ui);
    filled_button(ui, atoms, colors.button, colors.hover, colors.danger)
}

fn filled_button<'a>(
    ui: &mut Ui,
    atoms: impl IntoAtoms<'a>,
    fill: Color32,
    hover: Color32,
    text: Color32,
) -> Response {
    let ring = colors(ui).text;
    ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        for (widget, fill) in [
            (&mut widgets.inactive, fill),
            (&mut widgets.hovered, hover),
            (&mut widgets.active, hover),
            (&mut widgets.noninteractive, fill),
        ] {
            widget.weak_bg_fill = fill;
            widget.fg_stroke.color = text;
            widget.bg_stroke = Stroke::new(1.0, fill);
        }
        widgets.active.bg_stroke = Stroke::new(2.0, ring);
        ui.spacing_mut().button_padding.x = 14.0;
        ui.add(Button::new(atoms).min_size(vec2(72.0, theme::BUTTON_PX)))
    })
    .inner
}
