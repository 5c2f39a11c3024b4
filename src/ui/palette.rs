//! The command palette: any command and any recent file, found by a few letters of its name.

use std::path::PathBuf;

use egui::text::LayoutJob;
use egui::{
    Align2, FontFamily, FontId, Key, Role, ScrollArea, Sense, TextEdit, TextFormat, Ui, WidgetInfo,
    vec2,
};

use crate::editor::{Action, Command, Editor};
use crate::locale::tr;
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::shortcut_of;

/// Lines that are seen at once.
const LINES: f32 = 10.0;
const LINE_PX: f32 = 34.0;
const WIDTH_PX: f32 = 560.0;

/// What has to be remembered between frames.
#[derive(Clone, Debug, Default)]
pub struct PaletteState {
    query: String,
    selected: usize,
    shown: bool,
}

/// What a line of the palette gives.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Action(Action),
    File(PathBuf),
}

/// One line.
#[derive(Clone, Debug)]
struct Entry {
    target: Target,
    label: String,
    /// What else it is found by: the English name, what it does, the folder.
    keywords: String,
    enabled: bool,
}

/// A line that was found, with the characters of its label that were looked for.
#[derive(Clone, Debug)]
struct Found {
    entry: Entry,
    score: i32,
    hits: Vec<usize>,
}

/// The palette, over everything; closes itself.
pub fn palette_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut PaletteState,
    commands: &mut Vec<Command>,
) {
    let area = egui::Modal::default_area(egui::Id::unique("palette"))
        .anchor(Align2::CENTER_TOP, vec2(0.0, 72.0));
    let modal = egui::Modal::new(egui::Id::unique("palette"))
        .area(area)
        .backdrop_color(colors(ui).backdrop)
        .frame(egui::Frame::popup(ui.style()).inner_margin(theme::SPACE_S as i8))
        .show(ui.ctx(), |ui| {
            ui.set_width(WIDTH_PX.min(ui.ctx().content_rect().width() - theme::SPACE_XL));
            contents_ui(ui, editor, state)
        });
    let close = modal.should_close();
    if let Some(target) = modal.inner {
        commands.push(Command::SetDialog(None));
        commands.push(match target {
            Target::Action(action) => Command::Do(action),
            Target::File(path) => Command::OpenPath(path),
        });
        *state = PaletteState::default();
    } else if close {
        commands.push(Command::SetDialog(None));
        *state = PaletteState::default();
    }
}

/// Search field and list; returns what was chosen.
fn contents_ui(ui: &mut Ui, editor: &Editor, state: &mut PaletteState) -> Option<Target> {
    // Taken before the field sees them: it would move its cursor.
    let (up, down, enter) = ui.input_mut(|input| {
        let mut taken = |key| {
            let times = input.count_and_consume_key(egui::Modifiers::NONE, key);
            times as isize
        };
        (taken(Key::ArrowUp), taken(Key::ArrowDown), taken(Key::Enter) > 0)
    });
    let label = tr("Find a command");
    let field = TextEdit::singleline(&mut state.query)
        .hint_text(tr("Type a few letters of what you want to do"))
        .margin(egui::Margin::symmetric(10, 8))
        .prefix(egui::RichText::new(icon::ZOOM).color(colors(ui).text_weak))
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(Role::SearchInput, true, label));
    if !state.shown {
        state.shown = true;
        field.request_focus();
    }
    let found = search(entries(editor), &state.query);
    if field.changed() {
        state.selected = 0;
    }
    let last = found.len().saturating_sub(1);
    let moved = state.selected as isize + down - up;
    state.selected = (moved.max(0) as usize).min(last);
    if found.is_empty() {
        crate::ui::widgets::empty_state(
            ui,
            icon::ZOOM,
            tr("Nothing found"),
            tr("Try another word: fill, layer, zoom…"),
        );
        return None;
    }
    let mut chosen = None;
    ScrollArea::vertical().max_height(LINE_PX * LINES).auto_shrink([false, true]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (i, line) in found.iter().enumerate() {
            let response = line_ui(ui, editor, line, i == state.selected);
            if i == state.selected && (up != 0 || down != 0) {
                response.scroll_to_me(None);
            }
            if response.clicked() {
                chosen = Some(line.entry.clone());
            }
        }
    });
    if enter {
        chosen = found.get(state.selected).map(|line| line.entry.clone());
    }
    chosen.filter(|entry| entry.enabled).map(|entry| entry.target)
}

fn line_ui(ui: &mut Ui, editor: &Editor, line: &Found, selected: bool) -> egui::Response {
    let colors = colors(ui);
    let entry = &line.entry;
    let size = vec2(ui.available_width(), LINE_PX);
    let sense = if entry.enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(size, sense);
    response.widget_info(|| {
        WidgetInfo::selected(Role::ListBoxOption, entry.enabled, selected, &entry.label)
    });
    if !ui.is_rect_visible(rect) {
        return response;
    }
    if selected || response.hovered() {
        let fill = if selected { colors.selection } else { colors.hover };
        ui.painter().rect_filled(rect, theme::RADIUS, fill);
    }
    let faded = |color| if entry.enabled { color } else { ui.visuals().disable(color) };
    let font = |size| FontId::new(size, FontFamily::Proportional);
    let (own_icon, right) = match &entry.target {
        Target::Action(action) => (
            icon::of_action(*action).unwrap_or_default(),
            shortcut_of(&editor.keymap, *action).unwrap_or_default(),
        ),
        Target::File(path) => (
            icon::PICTURE,
            path.parent().map(|folder| folder.display().to_string()).unwrap_or_default(),
        ),
    };
    let icon_at = egui::pos2(rect.left() + 20.0, rect.center().y);
    let painter = ui.painter().with_clip_rect(rect);
    painter.text(
        icon_at,
        Align2::CENTER_CENTER,
        own_icon,
        font(theme::ICON_PX),
        faded(colors.text_weak),
    );
    let mut job = LayoutJob::default();
    for (i, letter) in entry.label.chars().enumerate() {
        let hit = line.hits.contains(&i);
        let color = faded(if hit { colors.accent_text } else { colors.text });
        let format = TextFormat { color, ..TextFormat::simple(font(theme::TEXT_PX + 1.0), color) };
        job.append(letter.encode_utf8(&mut [0; 4]), 0.0, format);
    }
    let name = painter.layout_job(job);
    let name_px = name.size().x;
    painter.galley(
        egui::pos2(rect.left() + 40.0, rect.center().y - name.size().y / 2.0),
        name,
        colors.text,
    );
    let mut right_edge = rect.right() - theme::SPACE_S;
    if !right.is_empty() {
        // A long folder gives way to the name.
        let room = (right_edge - rect.left() - 40.0 - name_px - theme::SPACE_L).max(0.0);
        let mut job =
            LayoutJob::simple_singleline(right, font(theme::SMALL_PX), faded(colors.text_weak));
        job.wrap = egui::text::TextWrapping::truncate_at_width(room);
        let galley = painter.layout_job(job);
        right_edge -= galley.size().x;
        painter.galley(
            egui::pos2(right_edge, rect.center().y - galley.size().y / 2.0),
            galley,
            colors.text_weak,
        );
    }
    if let Target::Action(action) = entry.target
        && editor.is_checked(action) == Some(true)
    {
        let at = egui::pos2(rect.left() + 44.0 + name_px + theme::SPACE_S, rect.center().y);
        painter.text(
            at,
            Align2::LEFT_CENTER,
            icon::ACCEPT,
            font(theme::TEXT_PX),
            colors.accent_text,
        );
    }
    match entry.target {
        Target::Action(action) => response.on_hover_text(tr(action.info().tooltip)),
        Target::File(_) => response,
    }
}

/// Everything that can be found, in the order of the menus.
fn entries(editor: &Editor) -> Vec<Entry> {
    let actions = Action::ALL.iter().filter(|action| **action != Action::CommandPalette);
    let actions = actions.map(|&action| {
        let info = action.info();
        Entry {
            target: Target::Action(action),
            label: tr(info.label).trim_end_matches('…').to_owned(),
            keywords: format!("{} {} {}", info.label, tr(info.tooltip), tr(info.menu.label())),
            enabled: editor.is_enabled(action),
        }
    });
    let files = editor.preferences.recent_files.items().iter().map(|path| Entry {
        target: Target::File(path.clone()),
        label: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        keywords: path.display().to_string(),
        enabled: true,
    });
    actions.chain(files).collect()
}

/// What matches, the best first; everything for an empty query.
fn search(entries: Vec<Entry>, query: &str) -> Vec<Found> {
    let query = query.trim();
    let mut found: Vec<Found> = entries
        .into_iter()
        .filter_map(|entry| {
            if query.is_empty() {
                return Some(Found { entry, score: 0, hits: Vec::new() });
            }
            let by_label = fuzzy(&entry.label, query);
            let found = match by_label {
                Some((score, hits)) => Some((score + 20, hits)),
                // Elsewhere only whole words count, or everything would match.
                None => contains_words(&entry.keywords, query).then_some((0, Vec::new())),
            };
            found.map(|(score, hits)| Found { entry, score, hits })
        })
        .collect();
    // The sort is stable: equals stay in the order of the menus.
    found.sort_by_key(|found| (std::cmp::Reverse(found.score), !found.entry.enabled));
    found
}

/// Whether each word of the query begins a word of the text.
fn contains_words(text: &str, query: &str) -> bool {
    let text = text.to_lowercase();
    let mut words = query.split_whitespace().map(str::to_lowercase);
    words.all(|word| text.split(|c: char| !c.is_alphanumeric()).any(|part| part.starts_with(&word)))
}

/// How well the query's letters are found in the text in their order, and where.
///
/// Letters that begin a word or follow each other count more; skipped ones and long texts less.
fn fuzzy(text: &str, query: &str) -> Option<(i32, Vec<usize>)> {
    let letters: Vec<char> = text.chars().collect();
    let lower: Vec<char> = letters.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
    let wanted: Vec<char> =
        query.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    let begins = |i: usize| i == 0 || !letters[i - 1].is_alphanumeric();
    // Best score with the letter j of the query at place i, over all places before.
    let mut best: Vec<Vec<Option<(i32, usize)>>> = vec![vec![None; lower.len()]; wanted.len()];
    for (j, want) in wanted.iter().enumerate() {
        for i in j..lower.len() {
            if lower[i] != *want {
                continue;
            }
            let own = if begins(i) { 10 } else { 1 };
            let before = match j {
                0 => Some((own - (i as i32).min(6), usize::MAX)),
                _ => (0..i)
                    .filter_map(|k| {
                        let (score, _) = best[j - 1][k]?;
                        let near = if k + 1 == i { 6 } else { -((i - k) as i32).min(4) };
                        Some((score + own + near, k))
                    })
                    .max_by_key(|(score, _)| *score),
            };
            best[j][i] = before;
        }
    }
    let (mut at, score) = best
        .last()?
        .iter()
        .enumerate()
        .filter_map(|(i, cell)| Some((i, cell.as_ref()?.0)))
        .max_by_key(|(i, score)| (*score, std::cmp::Reverse(*i)))?;
    let mut hits = vec![at];
    for row in best[1..].iter().rev() {
        at = row[at]?.1;
        hits.push(at);
    }
    hits.reverse();
    let whole = if lower == wanted { 10 } else { 0 };
    Some((score + whole - lower.len() as i32 / 8, hits))
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::{editor, look_at, window};
    use crate::ui::theme::Look;

    fn found(query: &str) -> Vec<String> {
        let mut editor = editor();
        editor.preferences.recent_files.remember("pictures/harbor.png".into());
        search(entries(&editor), query).into_iter().map(|found| found.entry.label).collect()
    }

    #[test]
    fn the_obvious_comes_first() {
        for (query, expected) in [
            ("undo", "Undo"),
            ("fit", "Fit to window"),
            ("fm", "Fill the mask"),
            ("fill", "Fill the mask"),
            ("mb", "Mask brush"),
            ("zom in", "Zoom in"),
            ("new lay", "New layer"),
            ("harb", "harbor.png"),
            ("ABOUT", "About Gesso"),
        ] {
            let found = found(query);
            let place = found.iter().position(|label| label == expected);
            assert!(
                place.is_some_and(|place| place < 2),
                "{query}: {:?}",
                &found[..found.len().min(4)]
            );
        }
    }

    #[test]
    fn commands_are_found_by_what_they_do() {
        assert!(found("transparent").contains(&"Layer's pixels".to_owned()));
        assert!(found("licenses").contains(&"About Gesso".to_owned()));
        assert_eq!(found("xyzzy"), [""; 0]);
        assert_eq!(found("").len(), Action::ALL.len());
    }

    #[test]
    fn hits_are_the_letters_that_were_typed() {
        for (text, query) in [("Fill the mask", "fmk"), ("Größe ändern", "gä"), ("Undo", "UNDO")]
        {
            let (_, hits) = fuzzy(text, query).unwrap();
            let letters: Vec<char> = text.chars().collect();
            let typed: String = hits.iter().map(|&i| letters[i]).collect();
            assert_eq!(typed.to_lowercase(), query.to_lowercase());
            assert!(hits.is_sorted());
        }
        assert!(fuzzy("Undo", "undoo").is_none());
        assert!(fuzzy("", "a").is_none());
    }

    #[test]
    fn arrows_and_enter_give_the_command() {
        let editor = editor();
        let mut state = PaletteState::default();
        let mut window = window((900.0, 600.0), Look::Dark, |ui, commands| {
            palette_ui(ui, &editor, &mut state, commands);
        });
        window.run_steps(2);
        window.get_by_label("Find a command").type_text("zoom");
        window.run_steps(2);
        window.key_press(Key::ArrowDown);
        window.run_steps(2);
        window.key_press(Key::Enter);
        window.run_steps(2);
        let given: Vec<String> =
            window.state().iter().map(|command| format!("{command:?}")).collect();
        assert_eq!(given[..2], ["SetDialog(None)", "Do(ZoomIn)"]);
    }

    #[test]
    fn the_palette_looks_well() {
        let mut editor = editor();
        let folder = "a-very-long-folder-name/with/many/parts/that/must/give/way/to/the/name";
        editor.preferences.recent_files.remember(PathBuf::from(folder).join("layers at sea.png"));
        for (name, query) in [("palette", ""), ("palette-found", "lay"), ("palette-none", "xyzzy")]
        {
            let mut state = PaletteState { query: query.to_owned(), ..PaletteState::default() };
            look_at(name, (900.0, 560.0), |ui, commands| {
                palette_ui(ui, &editor, &mut state, commands);
            });
        }
    }
}
