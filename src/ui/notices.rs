//! Messages at the bottom right: information goes by itself, errors stay until they are dismissed.

use std::collections::BTreeMap;

use egui::{Align2, Area, Frame, Margin, Order, RichText, Stroke, Ui, vec2};

use crate::editor::{Command, Editor, Notice, NoticeKind};
use crate::locale::tr;
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{ButtonState, icon_button_sized};

/// Seconds that information is shown, at least; longer texts stay longer.
const SHOWN_SECS: f64 = 5.0;
/// Seconds of reading for each character.
const SECS_PER_CHARACTER: f64 = 0.06;
/// Seconds in which it fades out.
const FADE_SECS: f64 = 0.4;
/// Messages that are shown at once; older ones come up when these are gone.
const MOST: usize = 4;

/// What has to be remembered between frames.
#[derive(Clone, Debug, Default)]
pub struct NoticesState {
    /// When each message was first seen, by the window's clock.
    since: BTreeMap<u64, f64>,
}

/// The messages, over everything else.
pub fn notices_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut NoticesState,
    commands: &mut Vec<Command>,
) {
    let now = ui.input(|input| input.time);
    state.since.retain(|id, _| editor.notices.iter().any(|notice| notice.id == *id));
    if editor.notices.is_empty() {
        return;
    }
    Area::new(egui::Id::unique("notices"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, vec2(-theme::SPACE_M, -theme::SPACE_XL - theme::SPACE_S))
        .show(ui.ctx(), |ui| {
            ui.spacing_mut().item_spacing.y = theme::SPACE_S;
            let first = editor.notices.len().saturating_sub(MOST);
            for notice in &editor.notices[first..] {
                let since = *state.since.entry(notice.id).or_insert(now);
                let left = match notice.kind {
                    NoticeKind::Info => shown_secs(&notice.text) - (now - since),
                    NoticeKind::Error => f64::INFINITY,
                };
                if left <= 0.0 {
                    commands.push(Command::DismissNotice(notice.id));
                    continue;
                }
                let fade = (left / FADE_SECS).min(1.0) as f32;
                let card = ui.scope(|ui| {
                    ui.multiply_opacity(fade);
                    notice_ui(ui, notice, commands);
                });
                if card.response.contains_pointer() {
                    // Who reads or reaches for the button gets the time again.
                    state.since.insert(notice.id, now);
                }
                if left < FADE_SECS {
                    ui.ctx().request_repaint();
                } else if left.is_finite() {
                    ui.ctx().request_repaint_after_secs((left - FADE_SECS) as f32);
                }
            }
        });
}

/// Seconds that a text is shown.
fn shown_secs(text: &str) -> f64 {
    SHOWN_SECS + text.chars().count() as f64 * SECS_PER_CHARACTER
}

fn notice_ui(ui: &mut Ui, notice: &Notice, commands: &mut Vec<Command>) {
    let colors = colors(ui);
    let (icon, color) = match notice.kind {
        NoticeKind::Info => (icon::INFO, colors.accent_text),
        NoticeKind::Error => (icon::ERROR, colors.danger),
    };
    Frame::popup(ui.style())
        .fill(colors.panel_raised)
        .stroke(Stroke::new(
            1.0,
            if notice.kind == NoticeKind::Error { color } else { colors.line },
        ))
        .inner_margin(Margin::same(theme::SPACE_S as i8 + 2))
        .show(ui, |ui| {
            ui.set_width(348.0);
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(icon).size(theme::ICON_PX).color(color));
                ui.vertical(|ui| {
                    ui.set_width(348.0 - theme::ICON_PX - 22.0 - 2.0 * theme::SPACE_S);
                    ui.add(egui::Label::new(&notice.text).wrap().selectable(true));
                    if let Some(action) = notice.offer {
                        let label = tr(action.info().label);
                        if ui.button(label).on_hover_text(tr(action.info().tooltip)).clicked() {
                            commands.push(Command::Do(action));
                            commands.push(Command::DismissNotice(notice.id));
                        }
                    }
                });
                let dismiss = tr("Dismiss");
                if icon_button_sized(ui, icon::CLOSE, dismiss, ButtonState::Normal, 22.0)
                    .on_hover_text(dismiss)
                    .clicked()
                {
                    commands.push(Command::DismissNotice(notice.id));
                }
            });
        });
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::editor::Action;
    use crate::ui::testing::{editor, look_at, window};
    use crate::ui::theme::Look;

    fn with_notices() -> Editor {
        let mut editor = editor();
        let notice =
            |id, kind, text: &str, offer| Notice { id, kind, text: text.to_owned(), offer };
        editor.notices = vec![
            notice(1, NoticeKind::Info, "Saved as harbor.png", None),
            notice(
                2,
                NoticeKind::Error,
                "The file could not be written: no space left on the device. Save it to another \
                 folder or free some space.",
                Some(Action::SaveAs),
            ),
        ];
        editor
    }

    #[test]
    fn information_goes_by_itself_and_errors_stay() {
        let editor = with_notices();
        let mut state = NoticesState::default();
        let mut window = window((800.0, 600.0), Look::Dark, |ui, commands| {
            notices_ui(ui, &editor, &mut state, commands);
        });
        // Steps of a quarter of a second.
        window.run_steps(8);
        assert!(window.state().is_empty());
        window.run_steps(24);
        let gone = window.state();
        assert!(!gone.is_empty());
        assert!(gone.iter().all(|command| matches!(command, Command::DismissNotice(1))));
    }

    #[test]
    fn an_error_offers_what_to_do() {
        let editor = with_notices();
        let mut state = NoticesState::default();
        let mut window = window((800.0, 600.0), Look::Dark, |ui, commands| {
            notices_ui(ui, &editor, &mut state, commands);
        });
        window.get_by_label("Save as…").click();
        window.run_steps(2);
        let given = window.state();
        assert!(matches!(given[..], [Command::Do(Action::SaveAs), Command::DismissNotice(2)]));
    }

    #[test]
    fn messages_look_well() {
        let editor = with_notices();
        let mut state = NoticesState::default();
        look_at("notices", (640.0, 320.0), |ui, commands| {
            notices_ui(ui, &editor, &mut state, commands);
        });
    }
}
