//! Version, models with their licenses and credits, and what Gesso is built on.

use egui::{RichText, ScrollArea, Ui};

use crate::editor::{Command, Editor};
use crate::engine::catalog::ModelInfo;
use crate::locale::{tr, trf};
use crate::ui::dialogs::{DialogFrame, Footer};
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{Segment, Tone, badge, empty_state, segmented};

const THIRD_PARTY: &str = include_str!("../../../assets/licenses/THIRD-PARTY.md");

/// Which part is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct AboutForm {
    part: Part,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Models,
    ThirdParty,
}

/// A line of a text with a little Markdown in it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Title(String),
    Text(String),
    /// A row of a table: the first cell stands out.
    Row(Vec<String>),
    Gap,
}

/// The dialog.
pub(super) fn show(ui: &Ui, editor: &Editor, form: &mut AboutForm, commands: &mut Vec<Command>) {
    let footer = DialogFrame::new("about", tr("About Gesso")).width(640.0).show(
        ui,
        |ui| contents_ui(ui, editor, form),
        |ui, enter| if enter { Footer::Cancelled } else { Footer::close_only(ui) },
    );
    if footer != Footer::Open {
        commands.push(Command::SetDialog(None));
    }
}

fn contents_ui(ui: &mut Ui, editor: &Editor, form: &mut AboutForm) {
    let weak = colors(ui).text_weak;
    ui.label(trf("Version {version}", &[("version", &env!("CARGO_PKG_VERSION"))]));
    ui.label(tr("Makes and edits pictures with models that run on this machine alone."));
    ui.colored_label(weak, tr("Licensed under MIT or Apache-2.0, at your choice."));
    ui.add_space(theme::SPACE_XS);
    segmented(
        ui,
        &mut form.part,
        &[
            Segment::text(Part::Models, tr("Models and data")),
            Segment::text(Part::ThirdParty, tr("Third-party licenses")),
        ],
    );
    let height = (ui.ctx().content_rect().height() - 330.0).clamp(140.0, 420.0);
    egui::Frame::new()
        .fill(colors(ui).field)
        .corner_radius(theme::RADIUS)
        .inner_margin(theme::SPACE_M as i8)
        .show(ui, |ui| {
            ScrollArea::vertical()
                .id_salt(form.part as u8)
                .max_height(height)
                .min_scrolled_height(height)
                .auto_shrink([false, false])
                .show(ui, |ui| match form.part {
                    Part::Models => models_ui(ui, editor),
                    Part::ThirdParty => lines_ui(ui, THIRD_PARTY),
                });
        });
}

fn models_ui(ui: &mut Ui, editor: &Editor) {
    let models = editor.catalog.as_ref().map(|catalog| catalog.models.as_slice());
    match models {
        None => empty_state(
            ui,
            icon::WAIT,
            tr("Looking for models…"),
            tr("They are listed here as soon as they are found."),
        ),
        Some([]) => empty_state(
            ui,
            icon::MODEL,
            tr("No models"),
            tr("Choose the folder that has them in the settings."),
        ),
        Some(models) => {
            for model in models {
                model_ui(ui, model);
                ui.add_space(theme::SPACE_M);
            }
        }
    }
}

fn model_ui(ui: &mut Ui, model: &ModelInfo) {
    let weak = colors(ui).text_weak;
    ui.horizontal(|ui| {
        ui.label(theme::semibold(&model.name));
        if model.shipped {
            badge(ui, tr("Comes with Gesso"), Tone::Accent);
        }
    });
    ui.label(&model.summary);
    for license in &model.licenses {
        ui.label(trf("License: {license}", &[("license", license)]));
    }
    for source in &model.card.training_data {
        let text = trf(
            "Trained on {name} ({license})",
            &[("name", &source.name), ("license", &source.license)],
        );
        ui.label(text).on_hover_text(&source.url);
    }
    for credit in &model.attributions {
        ui.add(egui::Label::new(RichText::new(credit).color(weak)).wrap().selectable(true));
    }
}

fn lines_ui(ui: &mut Ui, markdown: &str) {
    let weak = colors(ui).text_weak;
    ui.spacing_mut().item_spacing.y = theme::SPACE_XS;
    for line in lines(markdown) {
        match line {
            Line::Title(text) => {
                ui.add_space(theme::SPACE_S);
                ui.label(theme::semibold(text));
            }
            Line::Text(text) => {
                ui.add(egui::Label::new(text).wrap().selectable(true));
            }
            Line::Row(cells) => {
                let mut cells = cells.into_iter();
                ui.add_space(theme::SPACE_XS);
                ui.add(egui::Label::new(cells.next().unwrap_or_default()).wrap());
                let rest: Vec<String> = cells.filter(|cell| !cell.is_empty()).collect();
                ui.add(egui::Label::new(RichText::new(rest.join(" · ")).color(weak)).wrap());
            }
            Line::Gap => ui.add_space(theme::SPACE_XS),
        }
    }
}

/// Lines of Markdown: headings, tables and paragraphs, which is all that the license file has.
fn lines(markdown: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut rows = 0;
    for line in markdown.lines() {
        let line = line.trim();
        if let Some(row) = line.strip_prefix('|').and_then(|row| row.strip_suffix('|')) {
            rows += 1;
            let cells: Vec<String> = row.split('|').map(|cell| plain(cell.trim())).collect();
            // The first row names the columns, the second is the line below it.
            if rows > 2 {
                lines.push(Line::Row(cells));
            }
            continue;
        }
        rows = 0;
        if line.is_empty() {
            lines.push(Line::Gap);
        } else if line.starts_with('#') {
            lines.push(Line::Title(plain(line.trim_start_matches('#').trim())));
        } else if let Some(Line::Text(text)) = lines.last_mut() {
            // A paragraph runs over several lines.
            text.push(' ');
            text.push_str(line);
        } else {
            lines.push(Line::Text(line.to_owned()));
        }
    }
    // Only now, because a link may run over two lines.
    for line in &mut lines {
        if let Line::Text(text) = line {
            *text = plain(text);
        }
    }
    lines
}

/// Text without the signs of Markdown; a link becomes its text.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let link = rest[start + 1..].split_once("](").and_then(|(name, after)| {
            let (_, after) = after.split_once(')')?;
            (!name.contains(']')).then_some((name, after))
        });
        if let Some((name, after)) = link {
            plain.push_str(&rest[..start]);
            plain.push_str(name);
            rest = after;
        } else {
            plain.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
        }
    }
    plain.push_str(rest);
    plain.replace('`', "")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ui::testing::{catalog, editor, look_at};

    #[test]
    fn markdown_becomes_lines() {
        let text = "# Title\n\none\ntwo [three](http://x) [four]\n\n| a | b |\n|---|---|\n| [`c`](d) | e |";
        let expected = [
            Line::Title("Title".to_owned()),
            Line::Gap,
            Line::Text("one two three [four]".to_owned()),
            Line::Gap,
            Line::Row(vec!["c".to_owned(), "e".to_owned()]),
        ];
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn the_license_file_is_shown_whole() {
        let shown = lines(THIRD_PARTY);
        let has = |part: &str| shown.iter().any(|line| format!("{line:?}").contains(part));
        for part in ["openai/glide-text2im", "Permission is hereby granted", "Apache-2.0"] {
            assert!(has(part), "{part}");
        }
        assert!(!has("]("), "a link was left as it was");
    }

    #[test]
    fn models_with_credits_look_well() {
        let mut editor = editor();
        editor.catalog = Some(Arc::new(catalog()));
        for (name, part) in [("about-models", Part::Models), ("about-licenses", Part::ThirdParty)] {
            let mut form = AboutForm { part };
            look_at(name, (900.0, 680.0), |ui, commands| show(ui, &editor, &mut form, commands));
        }
    }
}
