//! What is compared and how, in a bar over the upper edge of the canvas.

use egui::{Align2, Area, Color32, Id, Label, Order, RichText, Sense, Ui, pos2, vec2};

use crate::document::Difference;
use crate::editor::{Action, Command, Compare, CompareMode, CompareSide, Editor};
use crate::locale::{tr, trf};
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{ButtonState, Segment, icon_button, segmented, shortcut_of};

const MARGIN_PX: f32 = 16.0;
/// A name of a side gets no wider than this.
const NAME_PX: f32 = 132.0;
const LEGEND_PX: f32 = 96.0;
/// The colors of `heat_color` in `shaders/canvas.wgsl`, evenly apart.
const HEAT_STOPS: [[u8; 3]; 5] =
    [[41, 11, 84], [120, 28, 109], [198, 66, 74], [245, 124, 21], [252, 255, 164]];

/// The bar, over the upper edge of this part of the window; nothing where nothing is compared.
pub fn compare_bar_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let Some(compare) = &editor.compare else { return };
    let canvas = ui.max_rect();
    Area::new(Id::unique("compare bar"))
        .order(Order::Middle)
        .pivot(Align2::CENTER_TOP)
        .fixed_pos(pos2(canvas.center().x, canvas.top() + MARGIN_PX))
        .constrain_to(canvas)
        .accessible_name(tr("Comparison"))
        .show(ui.ctx(), |ui| {
            ui.set_max_width(canvas.width() - 2.0 * MARGIN_PX);
            super::staging_strip::floating_frame(ui).show(ui, |ui| {
                ui.horizontal(|ui| bar_ui(ui, editor, compare, commands));
                if compare.mode == CompareMode::HeatMap {
                    legend_ui(ui, compare);
                }
            });
        });
}

fn bar_ui(ui: &mut Ui, editor: &Editor, compare: &Compare, commands: &mut Vec<Command>) {
    let mut mode = compare.mode;
    let segments = [
        Segment::text(CompareMode::Slider, tr("Slider")),
        Segment::text(CompareMode::SideBySide, tr("Side by side")),
        Segment::text(CompareMode::HeatMap, tr("Difference")),
    ];
    if segmented(ui, &mut mode, &segments) {
        commands.push(Command::SetCompareMode(mode));
    }
    ui.separator();
    side_ui(ui, editor, compare.a);
    if icon_button(ui, icon::SWAP, tr("Exchange the sides"), "", ButtonState::Normal).clicked() {
        commands.push(Command::CompareSides(compare.b, compare.a));
    }
    side_ui(ui, editor, compare.b);
    ui.separator();
    let shortcut = shortcut_of(&editor.keymap, Action::Compare).unwrap_or_default();
    let label = tr("End the comparison");
    if icon_button(ui, icon::CLOSE, label, &shortcut, ButtonState::Normal).clicked() {
        commands.push(Command::CloseCompare);
    }
}

fn side_ui(ui: &mut Ui, editor: &Editor, side: CompareSide) {
    let name = side_name(editor, side);
    let font = egui::TextStyle::Body.resolve(ui.style());
    let width = ui.painter().layout_no_wrap(name.clone(), font, Color32::PLACEHOLDER).size().x;
    ui.scope(|ui| {
        ui.set_max_width(NAME_PX.min(width.ceil() + 1.0));
        ui.add(Label::new(&*name).truncate()).on_hover_text(&*name);
    });
}

/// What a side of a comparison is called.
#[must_use]
pub fn side_name(editor: &Editor, side: CompareSide) -> String {
    match side {
        CompareSide::Canvas => tr("The picture now").to_owned(),
        CompareSide::Node(id) => match editor.history.node(id) {
            Some(node) if !node.operation.label.trim().is_empty() => node.operation.label.clone(),
            _ => tr("A state before").to_owned(),
        },
    }
}

fn legend_ui(ui: &mut Ui, compare: &Compare) {
    let weak = colors(ui).text_weak;
    let small = |text: &str| RichText::new(text).size(theme::SMALL_PX).color(weak);
    ui.horizontal(|ui| {
        ui.label(small(tr("A little different")));
        let (rect, _) = ui.allocate_exact_size(vec2(LEGEND_PX, 10.0), Sense::hover());
        ramp_ui(ui, rect);
        ui.label(small(tr("Very different")));
        let text = match compare.difference {
            None => tr("Gray is equal").to_owned(),
            Some(Difference { pixels: 0, .. }) => tr("No pixel differs").to_owned(),
            Some(Difference { pixels, most, .. }) => trf(
                "{count} pixels differ, by at most {most} of 255",
                &[("count", &pixels), ("most", &most)],
            ),
        };
        ui.label(small(&format!("· {text}")));
    });
}

/// The heat map's colors from left to right.
fn ramp_ui(ui: &Ui, rect: egui::Rect) {
    let mut mesh = egui::Mesh::default();
    let last = (HEAT_STOPS.len() - 1) as f32;
    for (i, [r, g, b]) in HEAT_STOPS.into_iter().enumerate() {
        let color = theme::color32([r, g, b, 255]);
        let x = rect.left() + rect.width() * i as f32 / last;
        mesh.colored_vertex(pos2(x, rect.top()), color);
        mesh.colored_vertex(pos2(x, rect.bottom()), color);
        if i > 0 {
            let corner = 2 * (i as u32 - 1);
            mesh.add_triangle(corner, corner + 1, corner + 2);
            mesh.add_triangle(corner + 1, corner + 2, corner + 3);
        }
    }
    ui.painter().add(mesh);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::NodeId;
    use crate::ui::sample;

    #[test]
    fn sides_have_the_names_of_their_states() {
        let editor = sample::editor();
        let root = editor.history.root();
        assert_eq!(side_name(&editor, CompareSide::Node(root)), "New picture");
        assert_eq!(side_name(&editor, CompareSide::Node(NodeId(99))), "A state before");
        assert_eq!(side_name(&editor, CompareSide::Canvas), "The picture now");
    }
}
