//! Choosing a color: hue, saturation and brightness by eye, or by its number.

use egui::ecolor::{hsv_from_rgb, rgb_from_hsv};
use egui::epaint::Vertex;
use egui::{
    Color32, CursorIcon, DragValue, Id, Margin, Mesh, Rect, Response, Role, Sense, Shape, Stroke,
    StrokeKind, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

use crate::locale::tr;
use crate::ui::theme::{self, color32, colors};
use crate::ui::widgets::{number_field, row_of_width};

const WIDTH_PX: f32 = 232.0;
const SQUARE_PX: f32 = 150.0;
const BAR_PX: f32 = 16.0;
/// Cells of the square and the bars; colors between their corners are mixed.
const CELLS: usize = 18;

/// Hue, saturation and value, 0 to 1.
///
/// Kept beside the color, because gray and black have no hue to go on from.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Hsv {
    hue: f32,
    saturation: f32,
    value: f32,
}

impl Hsv {
    fn of([red, green, blue, _]: [u8; 4]) -> Self {
        let [red, green, blue] = [red, green, blue].map(|byte| f32::from(byte) / 255.0);
        let (hue, saturation, value) = hsv_from_rgb([red, green, blue]);
        Self { hue, saturation, value }
    }

    fn rgb(self) -> [u8; 3] {
        // The hue goes around: 1 is 0 again.
        let hue = self.hue.rem_euclid(1.0);
        rgb_from_hsv((hue, self.saturation, self.value)).map(|part| (part * 255.0).round() as u8)
    }

    fn color(self) -> Color32 {
        let [red, green, blue] = self.rgb();
        Color32::from_rgb(red, green, blue)
    }
}

/// All of the picker; says whether the color was changed.
pub(super) fn color_picker_ui(ui: &mut Ui, id: Id, color: &mut [u8; 4]) -> bool {
    ui.set_width(WIDTH_PX);
    let before = *color;
    let kept: Option<Hsv> = ui.data(|data| data.get_temp(id));
    let [red, green, blue, alpha] = *color;
    let mut hsv =
        kept.filter(|hsv| hsv.rgb() == [red, green, blue]).unwrap_or_else(|| Hsv::of(*color));

    let moved = square_ui(ui, &mut hsv) | hue_ui(ui, &mut hsv);
    if moved {
        let [red, green, blue] = hsv.rgb();
        *color = [red, green, blue, alpha];
    }
    opacity_ui(ui, color);
    numbers_ui(ui, id, color);

    let [red, green, blue, _] = *color;
    if hsv.rgb() != [red, green, blue] {
        hsv = Hsv::of(*color);
    }
    ui.data_mut(|data| data.insert_temp(id, hsv));
    *color != before
}

/// Saturation to the right, brightness up.
fn square_ui(ui: &mut Ui, hsv: &mut Hsv) -> bool {
    let (rect, response) =
        ui.allocate_exact_size(vec2(WIDTH_PX, SQUARE_PX), Sense::click_and_drag());
    let label = tr("Saturation and brightness");
    response.widget_info(|| WidgetInfo::labeled(Role::ColorWell, ui.is_enabled(), label));
    let moved = follow(&response, rect, |x, y| {
        hsv.saturation = x;
        hsv.value = 1.0 - y;
    });
    paint_grid(ui, rect, CELLS, |x, y| Hsv { hue: hsv.hue, saturation: x, value: 1.0 - y }.color());
    let at = pos2(
        rect.left() + hsv.saturation * rect.width(),
        rect.bottom() - hsv.value * rect.height(),
    );
    handle(ui, at, hsv.color());
    moved
}

fn hue_ui(ui: &mut Ui, hsv: &mut Hsv) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(WIDTH_PX, BAR_PX), Sense::click_and_drag());
    let hue = f64::from(hsv.hue) * 360.0;
    response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), hue, tr("Hue")));
    let moved = follow(&response, rect, |x, _| hsv.hue = x);
    let pure = |hue| Hsv { hue, saturation: 1.0, value: 1.0 }.color();
    paint_grid(ui, rect, 1, |x, _| pure(x));
    handle(ui, pos2(rect.left() + hsv.hue * rect.width(), rect.center().y), pure(hsv.hue));
    moved
}

fn opacity_ui(ui: &mut Ui, color: &mut [u8; 4]) {
    let (rect, response) = ui.allocate_exact_size(vec2(WIDTH_PX, BAR_PX), Sense::click_and_drag());
    let [red, green, blue, alpha] = *color;
    let share = f32::from(alpha) / 255.0;
    let label = tr("Opacity of the color");
    response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), f64::from(share), label));
    follow(&response, rect, |x, _| color[3] = (x * 255.0).round() as u8);
    checkers(ui, rect);
    paint_grid(ui, rect, 1, |x, _| color32([red, green, blue, (x * 255.0) as u8]));
    let at = pos2(rect.left() + share * rect.width(), rect.center().y);
    handle(ui, at, Color32::from_rgb(red, green, blue));
}

/// The color as `#RRGGBB` and in three numbers.
fn numbers_ui(ui: &mut Ui, id: Id, color: &mut [u8; 4]) {
    let label = tr("Hex");
    row_of_width(ui, label, 40.0, |ui| {
        let id = id.with("hex");
        let written = hex(*color);
        // What is being typed may be no color yet.
        let mut text: String = ui.data(|data| data.get_temp(id)).unwrap_or_else(|| written.clone());
        let field = TextEdit::singleline(&mut text)
            .char_limit(9)
            .margin(Margin::symmetric(8, 5))
            .desired_width(WIDTH_PX - 40.0 - theme::SPACE_L - theme::SPACE_S);
        let field = ui.add(field);
        if field.changed() {
            if let Some(typed) = color_from_hex(&text, color[3]) {
                *color = typed;
            }
            ui.data_mut(|data| data.insert_temp(id, text));
        } else if !field.has_focus() {
            ui.data_mut(|data| data.remove_temp::<String>(id));
        }
    });
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        let width = (WIDTH_PX - 3.0 * theme::SPACE_XS) / 4.0;
        let names = [tr("Red"), tr("Green"), tr("Blue")];
        for ((part, name), letter) in color.iter_mut().zip(names).zip(["R ", "G ", "B "]) {
            let field = DragValue::new(part).range(0..=255).prefix(letter);
            number_field(ui, name, width, field).on_hover_text(name);
        }
        let mut percent = f64::from(color[3]) / 2.55;
        let field = DragValue::new(&mut percent).range(0.0..=100.0).fixed_decimals(0).suffix(" %");
        let name = tr("Opacity of the color");
        if number_field(ui, name, width, field).on_hover_text(name).changed() {
            color[3] = (percent * 2.55).round() as u8;
        }
    });
}

/// Gives the pointer's place within a rectangle, 0 to 1, while the button is down on it.
fn follow(response: &Response, rect: Rect, mut set: impl FnMut(f32, f32)) -> bool {
    if !response.is_pointer_button_down_on() && !response.clicked() {
        return false;
    }
    let Some(at) = response.interact_pointer_pos() else { return false };
    let share = (at - rect.min) / rect.size();
    set(share.x.clamp(0.0, 1.0), share.y.clamp(0.0, 1.0));
    response.ctx.set_cursor_icon(CursorIcon::Crosshair);
    true
}

/// A rectangle whose color depends on the place, 0 to 1.
fn paint_grid(ui: &Ui, rect: Rect, rows: usize, color: impl Fn(f32, f32) -> Color32) {
    let mut mesh = Mesh::default();
    for j in 0..=rows {
        for i in 0..=CELLS {
            let (x, y) = (i as f32 / CELLS as f32, j as f32 / rows as f32);
            let pos = pos2(rect.left() + x * rect.width(), rect.top() + y * rect.height());
            let uv = egui::epaint::WHITE_UV;
            mesh.vertices.push(Vertex { pos, uv, color: color(x, y) });
            if i < CELLS && j < rows {
                let at = (j * (CELLS + 1) + i) as u32;
                let below = at + CELLS as u32 + 1;
                mesh.add_triangle(at, at + 1, below);
                mesh.add_triangle(at + 1, below, below + 1);
            }
        }
    }
    ui.painter().add(Shape::mesh(mesh));
    let line = Stroke::new(1.0, colors(ui).line);
    ui.painter().rect_stroke(rect, 0.0, line, StrokeKind::Outside);
}

/// The grays that stand for transparent.
pub(super) fn checkers(ui: &Ui, rect: Rect) {
    let [dark, light] = colors(ui).checkers;
    let side = rect.height() / 2.0;
    ui.painter().rect_filled(rect, 0.0, light);
    let columns = (rect.width() / side).ceil() as usize;
    for i in 0..columns {
        let top = if i % 2 == 0 { rect.top() } else { rect.center().y };
        let cell = Rect::from_min_size(pos2(rect.left() + i as f32 * side, top), vec2(side, side));
        ui.painter().rect_filled(cell.intersect(rect), 0.0, dark);
    }
}

/// A ring that is seen on every color.
fn handle(ui: &Ui, at: egui::Pos2, fill: Color32) {
    ui.painter().circle(at, 7.0, fill, Stroke::new(3.0, Color32::BLACK));
    ui.painter().circle_stroke(at, 7.0, Stroke::new(2.0, Color32::WHITE));
}

/// A color as people write it: `#RRGGBB`, with the alpha where it isn't full.
pub(super) fn hex([red, green, blue, alpha]: [u8; 4]) -> String {
    match alpha {
        255 => format!("#{red:02X}{green:02X}{blue:02X}"),
        alpha => format!("#{red:02X}{green:02X}{blue:02X}{alpha:02X}"),
    }
}

/// Reads `#RGB`, `#RRGGBB` or `#RRGGBBAA`, with or without the sign; without an alpha it is `alpha`.
fn color_from_hex(text: &str, alpha: u8) -> Option<[u8; 4]> {
    let digits = text.trim().trim_start_matches('#');
    if !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let nibble = |at: usize| u8::from_str_radix(digits.get(at..=at)?, 16).ok().map(|n| n * 17);
    match digits.len() {
        3 => Some([nibble(0)?, nibble(1)?, nibble(2)?, alpha]),
        6 => Some([byte(0)?, byte(2)?, byte(4)?, alpha]),
        8 => Some([byte(0)?, byte(2)?, byte(4)?, byte(6)?]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_color_survives_hue_and_saturation() {
        for red in (0..=255).step_by(17) {
            for green in (0..=255).step_by(15) {
                for blue in (0..=255).step_by(5) {
                    assert_eq!(Hsv::of([red, green, blue, 9]).rgb(), [red, green, blue]);
                }
            }
        }
    }

    #[test]
    fn the_ends_of_the_hue_are_the_same_red() {
        for hue in [0.0, 1.0] {
            assert_eq!(Hsv { hue, saturation: 1.0, value: 1.0 }.rgb(), [255, 0, 0]);
        }
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let check = |text: &str, expected: Option<[u8; 4]>| {
            assert_eq!(color_from_hex(text, 77), expected, "{text}");
        };
        check("#FF000A", Some([255, 0, 10, 77]));
        check(" ff000a ", Some([255, 0, 10, 77]));
        check("#f0a", Some([255, 0, 170, 77]));
        check("#FF000A80", Some([255, 0, 10, 128]));
        for text in ["", "#", "#ff", "#ff00", "#gg0000", "#ff000aff0", "größe"] {
            check(text, None);
        }
        for color in [[255, 0, 10, 255], [1, 2, 3, 4]] {
            assert_eq!(color_from_hex(&hex(color), 255), Some(color));
        }
    }
}
