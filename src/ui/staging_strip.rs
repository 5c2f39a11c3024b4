//! Results that wait for a choice, in a strip over the lower edge of the canvas.

use egui::{
    Align2, Area, Color32, CornerRadius, FontFamily, FontId, Frame, Id, Margin, Order, Rect,
    RichText, Role, ScrollArea, Sense, Shadow, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::editor::{Action, Command, Dragged, Editor, JobKind, Staged, Staging};
use crate::locale::{tr, trf};
use crate::ui::dragging::{carried_ui, drag_source};
use crate::ui::theme::{self, colors, icon};
use crate::ui::thumbnails::Thumbnails;
use crate::ui::widgets::{ActionStyle, Tone, action_button};

const THUMBNAIL_PX: f32 = 56.0;
const GAP_PX: f32 = 6.0;
/// Between the strip and the edge of the canvas.
const MARGIN_PX: f32 = 16.0;
/// The strip gets no wider than this, however many results there are.
const MOST_PX: f32 = 720.0;

/// What the strip remembers.
#[derive(Default)]
pub struct StagingState {
    thumbnails: Thumbnails,
    // What was scrolled to last.
    shown: Option<usize>,
}

/// What is known about pixels outside the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskCheck {
    /// There was no mask.
    NoMask,
    /// Not a byte differs.
    Unchanged,
    /// So many bytes differ.
    Changed(usize),
}

impl MaskCheck {
    /// What was measured for a result.
    #[must_use]
    pub const fn of(result: &Staged) -> Self {
        match result.outside_mask_delta {
            None => Self::NoMask,
            Some(0) => Self::Unchanged,
            Some(bytes) => Self::Changed(bytes),
        }
    }

    /// A sentence on it.
    #[must_use]
    pub fn label(self, kind: JobKind) -> String {
        match (self, kind) {
            (Self::Unchanged, _) => tr("0 bytes changed outside the mask").to_owned(),
            (Self::Changed(bytes), _) => {
                trf("{bytes} bytes changed outside the mask", &[("bytes", &bytes)])
            }
            (Self::NoMask, JobKind::Generate) => tr("New picture, no mask").to_owned(),
            (Self::NoMask, _) => tr("Whole picture, no mask").to_owned(),
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::NoMask => Tone::Neutral,
            Self::Unchanged => Tone::Success,
            Self::Changed(_) => Tone::Danger,
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::NoMask => icon::INFO,
            Self::Unchanged => icon::SUCCESS,
            Self::Changed(_) => icon::WARNING,
        }
    }
}

/// The strip, over the lower edge of this part of the window; nothing without results.
pub fn staging_strip_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut StagingState,
    commands: &mut Vec<Command>,
) {
    let Some(staging) = &editor.staging else {
        state.shown = None;
        return;
    };
    let Some(shown) = staging.current() else { return };
    let canvas = ui.max_rect();
    let width = (canvas.width() - 2.0 * MARGIN_PX).min(MOST_PX);
    let at = pos2(canvas.center().x, canvas.bottom() - MARGIN_PX);
    Area::new(Id::unique("staging strip"))
        .order(Order::Middle)
        .pivot(Align2::CENTER_BOTTOM)
        .fixed_pos(at)
        .constrain_to(canvas)
        .accessible_name(tr("Results"))
        .show(ui.ctx(), |ui| {
            ui.set_max_width(width);
            floating_frame(ui).show(ui, |ui| {
                ui.spacing_mut().item_spacing = vec2(theme::SPACE_S, theme::SPACE_S);
                facts_ui(ui, staging, shown);
                if staging.results.len() > 1 {
                    pictures_ui(ui, editor, staging, state, commands);
                }
                buttons_ui(ui, editor, staging, commands);
            });
        });
}

/// The frame of what floats over the picture: opaque, with a line and a shadow, so that it is seen
/// on anything.
pub(crate) fn floating_frame(ui: &Ui) -> Frame {
    let colors = colors(ui);
    Frame::new()
        .fill(colors.panel)
        .stroke(Stroke::new(1.0, colors.line))
        .corner_radius(CornerRadius::same(theme::RADIUS * 2))
        .inner_margin(Margin::same(theme::SPACE_S as i8 + 2))
        .shadow(Shadow { offset: [0, 4], blur: 18, spread: 0, color: colors.shadow })
}

fn facts_ui(ui: &mut Ui, staging: &Staging, shown: &Staged) {
    ui.horizontal_wrapped(|ui| {
        let weak = colors(ui).text_weak;
        let place = trf(
            "Result {number} of {count}",
            &[("number", &(staging.shown + 1)), ("count", &staging.results.len())],
        );
        ui.label(theme::semibold(place));
        let seed = trf("Seed {seed}", &[("seed", &shown.seed)]);
        ui.label(RichText::new(seed).color(weak));
        let check = MaskCheck::of(shown);
        let text = check.label(shown.kind);
        let color = check.tone().color(ui);
        let sign = theme::filled(check.icon(), theme::TEXT_PX + 2.0).color(color);
        let label = ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
            ui.label(sign);
            ui.label(RichText::new(&text).color(color))
        });
        label.inner.on_hover_text(tr("Measured on the flattened picture, byte by byte"));
    });
}

fn pictures_ui(
    ui: &mut Ui,
    editor: &Editor,
    staging: &Staging,
    state: &mut StagingState,
    commands: &mut Vec<Command>,
) {
    let count = staging.results.len() as f32;
    let arrows_px = 2.0 * (theme::BUTTON_PX + theme::SPACE_S);
    let needed = count * (THUMBNAIL_PX + GAP_PX) - GAP_PX;
    let width = needed.min(ui.available_width() - arrows_px);
    let size = vec2(ui.available_width(), THUMBNAIL_PX);
    // Centered from the start: a row grows with its tallest part only from that part on.
    ui.allocate_ui_with_layout(size, egui::Layout::left_to_right(egui::Align::Center), |ui| {
        action_button(ui, editor, Action::StagingPrevious, ActionStyle::Icon, commands);
        ScrollArea::horizontal()
            .id_salt("staged pictures")
            .max_width(width)
            .auto_shrink([true, true])
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.x = GAP_PX;
                for (place, result) in staging.results.iter().enumerate() {
                    picture_ui(ui, staging, place, result, state, commands);
                }
            });
        action_button(ui, editor, Action::StagingNext, ActionStyle::Icon, commands);
    });
    state.shown = Some(staging.shown);
}

fn picture_ui(
    ui: &mut Ui,
    staging: &Staging,
    place: usize,
    result: &Staged,
    state: &mut StagingState,
    commands: &mut Vec<Command>,
) {
    let shown = staging.shown == place;
    let (rect, response) =
        ui.allocate_exact_size(vec2(THUMBNAIL_PX, THUMBNAIL_PX), Sense::click_and_drag());
    response.widget_info(|| {
        let name = trf("Show result {number}", &[("number", &(place + 1))]);
        WidgetInfo::selected(Role::RadioButton, true, shown, name)
    });
    drag_source(&response, Dragged::Gallery(result.gallery));
    if response.clicked() && !shown {
        commands.push(Command::StagingShow(place));
    }
    if shown && state.shown != Some(place) {
        response.scroll_to_me(None);
    }
    let colors = colors(ui);
    let texture = state.thumbnails.picture(ui.ctx(), &result.thumbnail, THUMBNAIL_PX as u32 * 2);
    let extent = result.thumbnail.extent();
    carried_ui(ui, &response, texture, extent);
    ui.painter().rect_filled(rect, theme::RADIUS, colors.field);
    let inner = rect.shrink(if shown { 4.0 } else { 1.0 });
    let fitted = crate::ui::panel_parts::fitted_rect(inner, extent);
    egui::Image::from_texture((texture, fitted.size()))
        .corner_radius(CornerRadius::same(2))
        .paint_at(ui, fitted);
    let line = if shown {
        Stroke::new(3.0, colors.accent_text)
    } else if response.hovered() || response.has_focus() {
        Stroke::new(2.0, colors.outline)
    } else {
        Stroke::new(1.0, colors.line)
    };
    ui.painter().rect_stroke(rect, theme::RADIUS, line, StrokeKind::Inside);
    let number = (place + 1).to_string();
    let font = FontId::new(theme::SMALL_PX - 1.0, FontFamily::Proportional);
    let galley = ui.painter().layout_no_wrap(number, font, colors.text);
    let corner = Rect::from_min_size(
        rect.right_bottom() - vec2(galley.size().x + 11.0, 19.0),
        vec2(galley.size().x + 8.0, 16.0),
    );
    ui.painter().rect_filled(corner, theme::RADIUS, colors.panel);
    let at = corner.center() - galley.size() / 2.0;
    ui.painter().galley(at, galley, Color32::PLACEHOLDER);
    response.on_hover_text(trf("Seed {seed}", &[("seed", &result.seed)]));
}

fn buttons_ui(ui: &mut Ui, editor: &Editor, staging: &Staging, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        action_button(ui, editor, Action::StagingAccept, ActionStyle::Primary, commands);
        let many = staging.results.len() > 1;
        if many {
            action_button(ui, editor, Action::StagingKeepAll, ActionStyle::Text, commands);
        }
        action_button(ui, editor, Action::StagingDiscard, ActionStyle::Text, commands);
        if many {
            action_button(ui, editor, Action::StagingClose, ActionStyle::Text, commands);
        }
        action_button(ui, editor, Action::Compare, ActionStyle::Icon, commands);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;

    #[test]
    fn what_lies_outside_the_mask_is_told_plainly() {
        let check = |delta: Option<usize>, expected: MaskCheck, text: &str| {
            let mut editor = sample::editor();
            sample::add_staging(&mut editor, 2, delta);
            let staging = editor.staging.unwrap();
            let shown = staging.current().unwrap();
            assert_eq!(MaskCheck::of(shown), expected);
            assert_eq!(expected.label(shown.kind), text);
        };
        check(Some(0), MaskCheck::Unchanged, "0 bytes changed outside the mask");
        check(Some(7), MaskCheck::Changed(7), "7 bytes changed outside the mask");
        check(None, MaskCheck::NoMask, "New picture, no mask");
    }
}
