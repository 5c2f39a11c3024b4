//! The first screen: three ways to begin, and the files of the last time.

use egui::{
    Align2, FontFamily, FontId, RichText, Role, Sense, Stroke, StrokeKind, TextFormat, Ui,
    WidgetInfo, text::LayoutJob, vec2,
};

use crate::editor::{Action, Command, Editor};
use crate::locale::tr;
use crate::ui::dialogs::{DialogFrame, Footer};
use crate::ui::theme::{self, colors, icon};

/// How many recent files are shown.
const RECENT_FILES: usize = 5;
const CARD_PX: egui::Vec2 = vec2(192.0, 156.0);

/// A way to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Prompt,
    Open,
    Example,
}

/// The dialog.
pub(super) fn show(ui: &Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let mut start = None;
    let mut file = None;
    let width = 3.0 * CARD_PX.x + 2.0 * theme::SPACE_M;
    let footer = DialogFrame::new("welcome", tr("Welcome to Gesso")).width(width).show(
        ui,
        |ui| {
            let hint = tr("Pictures are made on this machine; nothing is sent anywhere.");
            ui.colored_label(colors(ui).text_weak, hint);
            ui.add_space(theme::SPACE_S);
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = theme::SPACE_M;
                for (choice, icon, title, hint) in cards() {
                    let enabled = choice != Start::Example || example(editor).is_some();
                    let card = ui.add_enabled_ui(enabled, |ui| card_ui(ui, icon, title, hint));
                    if card.inner.clicked() {
                        start = Some(choice);
                    }
                }
            });
            file = recent_ui(ui, editor);
        },
        |ui, _| Footer::close_only(ui),
    );
    if start.is_some() || file.is_some() || footer != Footer::Open {
        commands.push(Command::SetDialog(None));
    }
    if let Some(path) = file {
        commands.push(Command::OpenPath(path));
    }
    match start {
        None => {}
        Some(Start::Prompt) => commands.push(Command::Do(Action::FocusPrompt)),
        Some(Start::Open) => commands.push(Command::Do(Action::Open)),
        Some(Start::Example) => {
            if let Some(prompt) = example(editor) {
                let mut generation = editor.generation.clone();
                prompt.clone_into(&mut generation.prompt);
                commands.push(Command::SetGeneration(Box::new(generation)));
                commands.push(Command::Do(Action::Generate));
            }
        }
    }
}

fn cards() -> [(Start, &'static str, &'static str, &'static str); 3] {
    [
        (Start::Prompt, icon::GENERATE, tr("Draw something"), tr("Say what you want to see")),
        (Start::Open, icon::PICTURE, tr("Open a picture"), tr("Change a part of it, or all")),
        (Start::Example, icon::STAR, tr("Try the example"), tr("Watch the model draw one")),
    ]
}

/// A prompt that shows the model well.
fn example(editor: &Editor) -> Option<&str> {
    let catalog = editor.catalog.as_ref()?;
    let chosen = editor.generation.model.as_deref();
    let model = chosen.and_then(|id| catalog.model(id)).or_else(|| catalog.default_model())?;
    model.example_prompts.first().map(String::as_str)
}

fn card_ui(ui: &mut Ui, icon: &str, title: &str, hint: &str) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(CARD_PX, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), title));
    let colors = colors(ui);
    let engaged = response.hovered() || response.has_focus();
    let fill = if engaged { colors.hover } else { colors.panel_raised };
    let stroke = if response.has_focus() {
        Stroke::new(2.0, colors.accent_text)
    } else {
        Stroke::new(1.0, colors.line)
    };
    ui.painter().rect(rect, theme::RADIUS * 2, fill, stroke, StrokeKind::Inside);
    let faded = |color| if ui.is_enabled() { color } else { ui.visuals().disable(color) };
    let icon_at = egui::pos2(rect.center().x, rect.top() + 52.0);
    let icon_font = FontId::new(40.0, FontFamily::Proportional);
    ui.painter().text(icon_at, Align2::CENTER_CENTER, icon, icon_font, faded(colors.accent_text));
    let mut job = LayoutJob::default();
    job.wrap.max_width = rect.width() - theme::SPACE_L;
    job.halign = egui::Align::Center;
    let title_font = FontId::new(theme::TEXT_PX + 1.0, FontFamily::Name(theme::SEMIBOLD.into()));
    job.append(title, 0.0, TextFormat::simple(title_font, faded(colors.text)));
    job.append("\n", 0.0, TextFormat::default());
    let hint_font = FontId::new(theme::SMALL_PX, FontFamily::Proportional);
    job.append(hint, 0.0, TextFormat::simple(hint_font, faded(colors.text_weak)));
    let galley = ui.painter().layout_job(job);
    let text_at = egui::pos2(rect.center().x, rect.top() + 88.0);
    ui.painter().galley(text_at, galley, colors.text);
    response
}

/// The newest files; returns the one that was chosen.
fn recent_ui(ui: &mut Ui, editor: &Editor) -> Option<std::path::PathBuf> {
    let files = editor.preferences.recent_files.items();
    if files.is_empty() {
        return None;
    }
    ui.add_space(theme::SPACE_M);
    ui.label(theme::semibold(tr("Recent files")));
    ui.spacing_mut().item_spacing.y = 2.0;
    let mut chosen = None;
    for path in files.iter().take(RECENT_FILES) {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let weak = colors(ui).text_weak;
        let button = egui::Button::new((RichText::new(icon::PICTURE).color(weak), name.as_str()))
            .frame_when_inactive(false)
            .truncate();
        let response = ui.add(button);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        if response.on_hover_text(path.display().to_string()).clicked() {
            chosen = Some(path.clone());
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::{catalog, editor, window};
    use crate::ui::theme::Look;

    fn given(editor: &Editor, label: &str) -> String {
        let mut window =
            window((800.0, 600.0), Look::Dark, |ui, commands| show(ui, editor, commands));
        window.run_steps(2);
        window.get_by_label(label).click();
        window.run_steps(1);
        window.step();
        format!("{:?}", window.state())
    }

    #[test]
    fn each_way_to_begin_begins() {
        let mut editor = editor();
        editor.catalog = Some(Arc::new(catalog()));
        editor.preferences.recent_files.remember("pictures/harbor.png".into());
        assert_eq!(given(&editor, "Draw something"), "[SetDialog(None), Do(FocusPrompt)]");
        assert_eq!(given(&editor, "Open a picture"), "[SetDialog(None), Do(Open)]");
        let example = given(&editor, "Try the example");
        assert!(example.contains("prompt: \"a red fox\"") && example.contains("Do(Generate)"));
        let file = given(&editor, "harbor.png");
        assert!(file.contains("OpenPath(\"pictures/harbor.png\")"), "{file}");
    }

    #[test]
    fn without_a_model_there_is_no_example() {
        assert_eq!(given(&editor(), "Try the example"), "[]");
    }
}
