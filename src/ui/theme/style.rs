//! The look as egui's own style, so that its widgets fit in.

use egui::style::{HandleShape, ScrollStyle, Selection, WidgetVisuals, Widgets};
use egui::{
    Color32, Context, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle,
    Theme, Visuals, vec2,
};

use crate::ui::theme::{
    BUTTON_PX, Colors, HEADING_PX, Look, RADIUS, SEMIBOLD, SMALL_PX, SPACE_M, SPACE_S, SPACE_XS,
    TEXT_PX, VALUE_PX, colors_of,
};

/// Gives the window a look and a size on top of the screen's own; does nothing where it has them.
pub fn apply(ctx: &Context, look: Look, ui_scale: f32) {
    let id = egui::Id::unique("gesso look");
    ctx.set_zoom_factor(ui_scale);
    if ctx.data(|data| data.get_temp::<Look>(id)) == Some(look) {
        return;
    }
    ctx.data_mut(|data| data.insert_temp(id, look));
    // The system's change of mind must not bring egui's own colors in, so both themes are ours.
    for theme in [Theme::Dark, Theme::Light] {
        ctx.set_style_of(theme, style_of(look));
    }
    ctx.set_theme(match look {
        Look::Dark => Theme::Dark,
        Look::Light => Theme::Light,
    });
}

fn style_of(look: Look) -> Style {
    let colors = colors_of(look);
    let mut style = Style::default();
    let text = |size: f32| FontId::new(size, FontFamily::Proportional);
    style.text_styles = [
        (TextStyle::Small, text(SMALL_PX)),
        (TextStyle::Body, text(TEXT_PX)),
        (TextStyle::Button, text(TEXT_PX)),
        (TextStyle::Monospace, FontId::new(TEXT_PX, FontFamily::Monospace)),
        (TextStyle::Heading, FontId::new(HEADING_PX, FontFamily::Name(SEMIBOLD.into()))),
    ]
    .into();
    style.drag_value_text_style = TextStyle::Body;
    style.visuals = visuals(look, colors);
    style.animation_time = 0.1;
    style.explanation_tooltips = false;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;

    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(SPACE_S, SPACE_S);
    spacing.button_padding = vec2(10.0, 4.0);
    spacing.interact_size = vec2(BUTTON_PX, BUTTON_PX);
    spacing.menu_margin = Margin::same(SPACE_XS as i8);
    spacing.window_margin = Margin::same(SPACE_M as i8);
    spacing.menu_width = 420.0;
    spacing.menu_spacing = 2.0;
    spacing.tooltip_width = 320.0;
    spacing.slider_width = 120.0;
    spacing.slider_rail_height = 4.0;
    spacing.combo_width = VALUE_PX;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 9.0;
    spacing.icon_spacing = 8.0;
    spacing.indent = SPACE_M;
    spacing.scroll = ScrollStyle {
        bar_width: 8.0,
        floating_width: 4.0,
        floating_allocated_width: 6.0,
        dormant_handle_opacity: 0.4,
        ..ScrollStyle::floating()
    };
    style
}

fn visuals(look: Look, colors: &Colors) -> Visuals {
    let base = match look {
        Look::Dark => Visuals::dark(),
        Look::Light => Visuals::light(),
    };
    let shadow =
        |blur: u8, down: i8| Shadow { offset: [0, down], blur, spread: 0, color: colors.shadow };
    let outline = Stroke::new(1.0, colors.line);
    Visuals {
        weak_text_color: Some(colors.text_weak),
        widgets: widgets(colors),
        selection: Selection {
            bg_fill: colors.selection,
            stroke: Stroke::new(1.0, colors.accent_text),
        },
        hyperlink_color: colors.accent_text,
        faint_bg_color: colors.panel_raised,
        extreme_bg_color: colors.field,
        text_edit_bg_color: Some(colors.field),
        code_bg_color: colors.field,
        warn_fg_color: colors.warning,
        error_fg_color: colors.danger,
        window_corner_radius: CornerRadius::same(RADIUS * 2),
        window_shadow: shadow(24, 8),
        window_fill: colors.panel,
        window_stroke: outline,
        window_highlight_topmost: false,
        menu_corner_radius: CornerRadius::same(RADIUS + 2),
        panel_fill: colors.panel,
        popup_shadow: shadow(12, 4),
        striped: false,
        slider_trailing_fill: true,
        handle_shape: HandleShape::Circle,
        indent_has_left_vline: false,
        disabled_alpha: 0.45,
        ..base
    }
}

fn widgets(colors: &Colors) -> Widgets {
    let visuals = |fill: Color32, outline: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, outline),
        corner_radius: CornerRadius::same(RADIUS),
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    Widgets {
        noninteractive: visuals(colors.panel, colors.line, colors.text),
        inactive: visuals(colors.button, colors.line, colors.text),
        hovered: visuals(colors.hover, colors.outline, colors.text),
        // Pressed, or holding the keyboard's focus: the ring.
        active: WidgetVisuals {
            bg_stroke: Stroke::new(2.0, colors.accent_text),
            ..visuals(colors.hover, colors.accent_text, colors.text)
        },
        open: visuals(colors.hover, colors.line, colors.text),
    }
}
