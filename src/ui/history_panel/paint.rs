//! Drawing of the history's panel.

use std::time::SystemTime;

use egui::epaint::CubicBezierShape;
use egui::{
    Align, Color32, ComboBox, FontFamily, FontId, Layout, Pos2, Rect, RichText, Role, ScrollArea,
    Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::document::{Node, NodeId};
use crate::editor::{Command, CompareSide, Dialog, Editor};
use crate::locale::{tr, trf};
use crate::ui::history_panel::model::{
    Filter, Graph, GraphKey, Line, Row, ago, bytes_label, prompt, used_share,
};
use crate::ui::panel_parts::{self, PictureFrame};
use crate::ui::theme::{self, colors, icon};
use crate::ui::thumbnails::Thumbnails;
use crate::ui::widgets::{ButtonState, empty_state, icon_button_sized};

const ROW_PX: f32 = 44.0;
const THUMBNAIL_PX: f32 = 36.0;
const LANE_PX: f32 = 14.0;
/// Lanes beyond these are drawn over the last one, so that there is room for the names.
const MOST_LANES: usize = 6;
const DOT_PX: f32 = 4.0;
/// What the history's budget can be raised to, in bytes.
const BUDGETS: [usize; 6] = [256 << 20, 512 << 20, 1 << 30, 2 << 30, 4 << 30, 8 << 30];

/// What the history's panel remembers.
#[derive(Default)]
pub struct HistoryState {
    thumbnails: Thumbnails,
    filter: Filter,
    search: String,
    graph: Option<(GraphKey, Graph)>,
    // The state that was scrolled to last.
    shown: Option<NodeId>,
}

/// The tree of states; a click goes to one.
pub fn history_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut HistoryState,
    commands: &mut Vec<Command>,
) {
    find_ui(ui, state);
    budget_ui(ui, editor, commands);
    let history = &editor.history;
    let key = GraphKey::new(history, state.filter, &state.search);
    let kept = state.graph.take().filter(|(kept, _)| *kept == key);
    let (key, graph) = kept.unwrap_or_else(|| {
        let graph = key.graph(history);
        (key, graph)
    });
    if graph.rows.is_empty() {
        empty_state(
            ui,
            icon::ZOOM,
            tr("No such state"),
            tr("Try another word, or show everything."),
        );
    } else {
        rows_ui(ui, editor, &graph, state, commands);
    }
    state.graph = Some((key, graph));
}

fn find_ui(ui: &mut Ui, state: &mut HistoryState) {
    ui.horizontal(|ui| {
        let filter_px = 124.0;
        let search_px = ui.available_width() - filter_px - ui.spacing().item_spacing.x;
        ui.scope(|ui| {
            ui.set_width(search_px);
            panel_parts::search_ui(ui, &mut state.search, tr("Search"));
        });
        let combo = ui
            .scope(|ui| {
                // A truncated text takes what is there, whatever width the box was given.
                ui.set_max_width(filter_px);
                ComboBox::from_id_salt("history filter")
                    .width(filter_px)
                    .truncate()
                    .selected_text(state.filter.label())
                    .show_ui(ui, |ui| {
                        for filter in Filter::ALL {
                            ui.selectable_value(&mut state.filter, filter, filter.label());
                        }
                    })
            })
            .inner;
        combo.response.accessible_name(tr("Kind of change")).on_hover_text(tr("Kind of change"));
    });
}

/// How much memory the states take of what they may, with a way to give them more.
fn budget_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let history = &editor.history;
    let share = used_share(history);
    let color = if share > 0.9 { colors(ui).warning } else { colors(ui).accent };
    ui.horizontal(|ui| {
        let used = trf(
            "{used} of {budget}",
            &[
                ("used", &bytes_label(history.bytes())),
                ("budget", &bytes_label(history.budget_bytes())),
            ],
        );
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.menu_button(tr("Limit"), |ui| {
                for budget in BUDGETS {
                    let chosen = budget == history.budget_bytes();
                    if ui.selectable_label(chosen, bytes_label(budget)).clicked() && !chosen {
                        commands.push(Command::SetHistoryBudget(budget));
                    }
                }
            })
            .response
            .on_hover_text(tr("How much memory all states together may take"));
            ui.label(RichText::new(used).size(theme::SMALL_PX).color(colors(ui).text_weak));
            let size = vec2(ui.available_width(), 6.0);
            let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
            panel_parts::bar(ui, rect, share, color);
            response.widget_info(|| {
                let label = tr("Memory of the history");
                let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, label);
                info.value = Some(f64::from((share * 100.0).round()));
                info
            });
            response.on_hover_text(tr(
                "Memory that the states take. Beyond the limit the oldest ones let go of their pixels.",
            ));
        });
    });
}

fn rows_ui(
    ui: &mut Ui,
    editor: &Editor,
    graph: &Graph,
    state: &mut HistoryState,
    commands: &mut Vec<Command>,
) {
    let colors = colors(ui);
    ui.painter().rect_filled(ui.available_rect_before_wrap(), theme::RADIUS, colors.field);
    let now = SystemTime::now();
    let current = editor.history.current();
    let scroll = (state.shown != Some(current)).then_some(current);
    state.shown = Some(current);
    let area = ScrollArea::vertical().id_salt("history").auto_shrink([false, false]);
    area.show_viewport(ui, |ui, seen| {
        ui.set_height(ROW_PX * graph.rows.len() as f32);
        let (left, top, width) = (ui.min_rect().left(), ui.min_rect().top(), ui.available_width());
        let place = |row: usize| {
            Rect::from_min_size(pos2(left, top + row as f32 * ROW_PX), vec2(width, ROW_PX))
        };
        if let Some(row) = scroll.and_then(|id| graph.rows.iter().position(|row| row.node == id)) {
            ui.scroll_to_rect(place(row), None);
        }
        let first = (seen.min.y / ROW_PX).floor().max(0.0) as usize;
        let end = (seen.max.y / ROW_PX).ceil().max(0.0) as usize;
        let rows = graph.rows.iter().enumerate().take(end).skip(first);
        for (at, row) in rows {
            if let Some(node) = editor.history.node(row.node) {
                let lanes = graph.lanes;
                row_ui(ui, place(at), RowView { editor, node, row, lanes, now }, state, commands);
            }
        }
    });
}

/// What a row shows.
#[derive(Clone, Copy)]
struct RowView<'a> {
    editor: &'a Editor,
    node: &'a Node,
    row: &'a Row,
    lanes: usize,
    now: SystemTime,
}

fn row_ui(
    ui: &mut Ui,
    rect: Rect,
    view: RowView<'_>,
    state: &mut HistoryState,
    commands: &mut Vec<Command>,
) {
    let RowView { editor, node, row, lanes, now } = view;
    let current = editor.history.current();
    let here = node.id == current;
    let released = node.document.is_none();
    let label = tr_label(node);
    let mut response = ui.interact(rect, ui.scope_id().with(("state", node.id)), Sense::click());
    response.widget_info(|| {
        let name = trf("State {name}", &[("name", &label)]);
        WidgetInfo::selected(Role::ListItem, true, here, name)
    });
    panel_parts::row_background(ui, &response, here);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    graph_ui(ui, &painter, rect, row, here);

    let prompt = prompt(node);
    let text_left = rect.left() + lanes_px(lanes);
    let thumbnail = Rect::from_center_size(
        pos2(text_left + THUMBNAIL_PX / 2.0, rect.center().y),
        vec2(THUMBNAIL_PX, THUMBNAIL_PX),
    );
    // What lies ahead, after an undo, and what let go of its pixels is fainter.
    let ahead = row.lane == 0 && node.id > current;
    let faded = if released || ahead { 0.5 } else { 1.0 };
    if let Some(image) = &node.thumbnail {
        let texture = state.thumbnails.picture(ui.ctx(), image, THUMBNAIL_PX as u32 * 2);
        panel_parts::picture(ui, thumbnail, texture, image.extent(), PictureFrame::Checkers, faded);
    } else {
        let font = FontId::new(theme::ICON_PX, FontFamily::Proportional);
        let color = colors(ui).text_weak.gamma_multiply(faded);
        let align = egui::Align2::CENTER_CENTER;
        ui.painter().text(thumbnail.center(), align, icon_of(node), font, color);
    }
    let compare_px = theme::BUTTON_PX;
    let engaged = response.container_contains_pointer() || response.has_focus();
    let show_compare = engaged && !here;
    let right = rect.right() - theme::SPACE_S - if show_compare { compare_px } else { 0.0 };
    let text = Rect::from_min_max(
        pos2(thumbnail.right() + theme::SPACE_S, rect.top()),
        pos2(right, rect.bottom()),
    );
    let colors = colors(ui);
    let color = if released || ahead { colors.text_weak } else { colors.text };
    let name = if here { theme::semibold(&*label) } else { RichText::new(&*label) };
    let time = ago(node.time, now);
    let details = match &prompt {
        Some(prompt) if !prompt.trim().is_empty() => {
            format!("{time} · {}", crate::ui::queue_panel::prompt_line(prompt))
        }
        _ => time,
    };
    panel_parts::two_lines(ui, text, name.color(color), &details);

    if show_compare {
        let place = Rect::from_center_size(
            pos2(rect.right() - theme::SPACE_XS - compare_px / 2.0, rect.center().y),
            vec2(compare_px, compare_px),
        );
        let label = tr("Compare with this");
        let mut button_ui = ui.new_child(UiBuilder::new().max_rect(place));
        let button = icon_button_sized(
            &mut button_ui,
            icon::COMPARE,
            label,
            ButtonState::Normal,
            compare_px,
        );
        if button.on_hover_text(tr("Compare this state with the picture")).clicked() {
            let sides = Command::CompareSides(CompareSide::Node(node.id), CompareSide::Canvas);
            commands.push(sides);
        }
    }
    response.context_menu(|ui| row_menu_ui(ui, node, here, commands));
    if let Some(prompt) = prompt.filter(|prompt| !prompt.trim().is_empty()) {
        response = response.on_hover_text(prompt);
    } else if released {
        response = response.on_hover_text(tr("Kept on the disk; going there takes a moment."));
    }
    if node.pinned && node.parent.is_some() {
        let at = thumbnail.right_top();
        let font = FontId::new(theme::SMALL_PX, FontFamily::Proportional);
        ui.painter().circle_filled(at, 7.0, colors.panel);
        let align = egui::Align2::CENTER_CENTER;
        ui.painter().text(at, align, icon::STAR, font, colors.accent_text);
    }
    if response.clicked() && !here {
        commands.push(Command::GoTo(node.id));
    }
}

/// What can be done with a state.
fn row_menu_ui(ui: &mut Ui, node: &Node, here: bool, commands: &mut Vec<Command>) {
    ui.add_enabled_ui(!here, |ui| {
        if ui.button(tr("Go to this state")).clicked() {
            commands.push(Command::GoTo(node.id));
        }
        if ui.button(tr("Compare with this")).clicked() {
            let sides = Command::CompareSides(CompareSide::Node(node.id), CompareSide::Canvas);
            commands.push(sides);
        }
        let hint = tr("Lays the selected part of that state over the picture, as a layer");
        if ui.button(tr("Take the region from there")).on_hover_text(hint).clicked() {
            commands.push(Command::TakeRegion(node.id));
        }
    });
    ui.separator();
    if ui.button(tr("Rename…")).clicked() {
        commands.push(Command::SetDialog(Some(Dialog::RenameState(node.id))));
    }
    // The first state is always kept, to be shown as the original.
    if node.parent.is_some() {
        let (label, hint) = if node.pinned {
            (tr("Unpin"), tr("Its pixels may be moved to the disk"))
        } else {
            (tr("Pin"), tr("Keeps its pixels at hand, whatever the limit says"))
        };
        if ui.button(label).on_hover_text(hint).clicked() {
            commands.push(Command::PinState(node.id, !node.pinned));
        }
    }
}

fn tr_label(node: &Node) -> String {
    let label = node.operation.label.trim();
    if label.is_empty() { tr("Change").to_owned() } else { label.to_owned() }
}

fn icon_of(node: &Node) -> &'static str {
    match Filter::of(node) {
        Filter::Model => icon::GENERATE,
        Filter::Chat => icon::CHAT,
        Filter::Painting => icon::BRUSH,
        Filter::Layers => icon::LAYERS,
        Filter::Selection => icon::SELECTION,
        Filter::All | Filter::Picture => icon::PICTURE,
    }
}

/// The lines through a row and its dot.
fn graph_ui(ui: &Ui, painter: &egui::Painter, rect: Rect, row: &Row, here: bool) {
    let colors = colors(ui);
    let x = |lane: usize| rect.left() + lane_px(lane);
    let dot = pos2(x(row.lane), rect.center().y);
    for line in &row.lines {
        let (from, to) = ends(*line, dot, rect, x);
        let main = line.from.unwrap_or(row.lane) == 0 && line.to.unwrap_or(row.lane) == 0;
        let stroke = Stroke::new(2.0, if main { colors.outline } else { colors.line });
        if (from.x - to.x).abs() < 0.5 {
            painter.line_segment([from, to], stroke);
        } else {
            let bend = vec2(0.0, (to.y - from.y) * 0.75);
            let points = [from, from + bend, to - bend, to];
            let shape =
                CubicBezierShape::from_points_stroke(points, false, Color32::TRANSPARENT, stroke);
            painter.add(shape);
        }
    }
    let (fill, radius) =
        if here { (colors.accent_text, DOT_PX + 1.5) } else { (colors.outline, DOT_PX) };
    painter.circle(dot, radius, fill, Stroke::new(2.0, colors.field));
}

/// How far from the left edge a lane is; those that find no room lie over the last one.
fn lane_px(lane: usize) -> f32 {
    10.0 + lane.min(MOST_LANES - 1) as f32 * LANE_PX
}

/// The width that so many lanes take.
fn lanes_px(lanes: usize) -> f32 {
    10.0 + lanes.min(MOST_LANES) as f32 * LANE_PX
}

fn ends(line: Line, dot: Pos2, rect: Rect, x: impl Fn(usize) -> f32) -> (Pos2, Pos2) {
    let from = line.from.map_or(dot, |lane| pos2(x(lane), rect.top()));
    let to = line.to.map_or(dot, |lane| pos2(x(lane), rect.bottom()));
    (from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::Action;
    use crate::ui::sample;

    #[test]
    fn many_branches_stay_left_of_the_names() {
        let mut editor = sample::editor();
        let root = editor.history.root();
        for _ in 0..14 {
            editor.update(Command::GoTo(root));
            editor.update(Command::Do(Action::AddLayer));
        }
        let graph = Graph::of_tree(&editor.history);
        assert!(graph.lanes > 2 * MOST_LANES, "{}", graph.lanes);
        for row in &graph.rows {
            let right = lanes_px(graph.lanes);
            let ends = row.lines.iter().flat_map(|line| [line.from, line.to]).flatten();
            for lane in ends.chain([row.lane]) {
                assert!(lane_px(lane) + DOT_PX + 1.5 < right, "{lane}");
            }
        }
        assert!(lanes_px(graph.lanes) < 120.0, "the names keep their room");
    }
}
