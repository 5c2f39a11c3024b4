//! Drawing of the gallery.

use egui::{
    Color32, CornerRadius, Label, Rect, Response, RichText, Role, ScrollArea, Sense, Stroke,
    StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::editor::{Command, Dragged, Editor, GalleryId, GalleryItem};
use crate::locale::{tr, trf};
use crate::ui::dragging::{carried_ui, drag_source};
use crate::ui::gallery_panel::model::{columns, facts_line, found, settings_line};
use crate::ui::panel_parts::{self, PictureFrame};
use crate::ui::queue_panel::prompt_line;
use crate::ui::theme::{self, colors, icon};
use crate::ui::thumbnails::{PREVIEW_SIDE_PX, Thumbnails, fitted};
use crate::ui::widgets::{ButtonState, danger_button, empty_state, icon_button};

const CELL_PX: f32 = 84.0;
const GAP_PX: f32 = 6.0;
const PREVIEW_PX: f32 = 272.0;

/// What the gallery remembers.
#[derive(Default)]
pub struct GalleryState {
    thumbnails: Thumbnails,
    search: String,
    chosen: Option<GalleryId>,
    // The picture that the user is asked about.
    removing: Option<GalleryId>,
}

/// The session's pictures; one that is chosen is shown with its settings and what can be done.
pub fn gallery_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut GalleryState,
    commands: &mut Vec<Command>,
) {
    if editor.gallery.items.is_empty() {
        let hint =
            tr("Every picture that a model draws is kept here until you quit, with its settings.");
        empty_state(ui, icon::GALLERY, tr("No pictures yet"), hint);
        return;
    }
    panel_parts::search_ui(ui, &mut state.search, tr("Search the prompts"));
    let items = found(&editor.gallery, &state.search);
    if items.is_empty() {
        empty_state(ui, icon::ZOOM, tr("No such picture"), tr("Try fewer or other words."));
        return;
    }
    let chosen = state.chosen.and_then(|id| items.iter().find(|item| item.id == id)).copied();
    let details_px = if chosen.is_some() { 150.0 } else { 0.0 };
    let grid_px = (ui.available_height() - details_px).max(CELL_PX);
    let size = vec2(ui.available_width(), grid_px);
    ui.allocate_ui(size, |ui| {
        ui.set_min_size(size);
        grid_ui(ui, &items, state, commands);
    });
    if let Some(item) = chosen {
        details_ui(ui, item, state, commands);
    }
}

fn grid_ui(
    ui: &mut Ui,
    items: &[&GalleryItem],
    state: &mut GalleryState,
    commands: &mut Vec<Command>,
) {
    let area = ScrollArea::vertical().id_salt("gallery").auto_shrink([false, false]);
    area.show_viewport(ui, |ui, seen| {
        let (across, side) = columns(ui.available_width(), CELL_PX, GAP_PX);
        let step = side + GAP_PX;
        let rows = items.len().div_ceil(across);
        ui.set_height(rows as f32 * step);
        let corner = ui.min_rect().min;
        let first = (seen.min.y / step).floor().max(0.0) as usize;
        let end = (seen.max.y / step).ceil().max(0.0) as usize;
        let shown = items.iter().enumerate().take(end * across).skip(first * across);
        for (at, item) in shown {
            let place = vec2((at % across) as f32 * step, (at / across) as f32 * step);
            let rect = Rect::from_min_size(corner + place, vec2(side, side));
            cell_ui(ui, rect, item, state, commands);
        }
    });
}

fn cell_ui(
    ui: &mut Ui,
    rect: Rect,
    item: &GalleryItem,
    state: &mut GalleryState,
    commands: &mut Vec<Command>,
) {
    let chosen = state.chosen == Some(item.id);
    let id = ui.scope_id().with(("picture", item.id));
    let response = ui.interact(rect, id, Sense::click_and_drag());
    let prompt = prompt_line(&item.record.common().prompt);
    response.widget_info(|| {
        let name = trf("Picture: {prompt}", &[("prompt", &prompt)]);
        WidgetInfo::selected(Role::ListItem, true, chosen, name)
    });
    drag_source(&response, Dragged::Gallery(item.id));
    if response.clicked() {
        state.chosen = if chosen { None } else { Some(item.id) };
        state.removing = None;
    }
    if response.double_clicked() {
        commands.push(Command::PlaceFromGallery(item.id));
        state.chosen = Some(item.id);
    }
    let colors = colors(ui);
    let texture = state.thumbnails.picture(ui.ctx(), &item.thumbnail, CELL_PX as u32 * 2);
    let extent = item.thumbnail.extent();
    // The middle of the picture fills the cell.
    let (width, height) = (extent.width as f32, extent.height as f32);
    let shorter = width.min(height).max(1.0);
    let (u, v) = (shorter / width / 2.0, shorter / height / 2.0);
    let middle = Rect::from_min_max(pos2(0.5 - u, 0.5 - v), pos2(0.5 + u, 0.5 + v));
    ui.painter().rect_filled(rect, theme::RADIUS, colors.field);
    egui::Image::from_texture((texture, rect.size()))
        .uv(middle)
        .corner_radius(CornerRadius::same(theme::RADIUS))
        .paint_at(ui, rect);
    let line = if chosen || response.has_focus() {
        Stroke::new(3.0, colors.accent_text)
    } else if response.hovered() {
        Stroke::new(2.0, colors.outline)
    } else {
        Stroke::new(1.0, colors.line)
    };
    ui.painter().rect_stroke(rect, theme::RADIUS, line, StrokeKind::Inside);
    carried_ui(ui, &response, texture, extent);
    response.context_menu(|ui| menu_ui(ui, item, state, commands));
    if !response.dragged() {
        preview_ui(&response, item, state);
    }
}

/// A larger view with everything that is known.
fn preview_ui(response: &Response, item: &GalleryItem, state: &mut GalleryState) {
    response.clone().on_hover_ui(|ui| {
        ui.set_max_width(PREVIEW_PX);
        let texture = state.thumbnails.picture(ui.ctx(), &item.image, PREVIEW_SIDE_PX);
        let extent = item.image.extent();
        let size = fitted(extent, PREVIEW_PX as u32);
        // Small pictures are shown larger, too.
        let scale = PREVIEW_PX / size.width.max(size.height).max(1) as f32;
        let size = vec2(size.width as f32, size.height as f32) * scale;
        let (rect, _) = ui.allocate_exact_size(vec2(PREVIEW_PX, size.y), Sense::hover());
        panel_parts::picture(ui, rect, texture, extent, PictureFrame::Plain, 1.0);
        let weak = colors(ui).text_weak;
        ui.label(prompt_line(&item.record.common().prompt));
        ui.label(RichText::new(facts_line(item)).size(theme::SMALL_PX).color(weak));
        ui.label(RichText::new(settings_line(item)).size(theme::SMALL_PX).color(weak));
    });
}

fn menu_ui(ui: &mut Ui, item: &GalleryItem, state: &mut GalleryState, commands: &mut Vec<Command>) {
    if ui.button(tr("Use settings")).clicked() {
        commands.push(Command::UseSettings(item.id));
    }
    if ui.button(tr("Use seed")).clicked() {
        commands.push(Command::UseSeed(item.id));
    }
    ui.separator();
    if ui.button(tr("Place as layer")).clicked() {
        commands.push(Command::PlaceFromGallery(item.id));
    }
    if ui.button(tr("Open as picture")).clicked() {
        commands.push(Command::OpenFromGallery(item.id));
    }
    if ui.button(tr("Copy")).clicked() {
        commands.push(Command::CopyFromGallery(item.id));
    }
    ui.separator();
    if ui.button(tr("Remove…")).clicked() {
        state.chosen = Some(item.id);
        state.removing = Some(item.id);
    }
}

/// The chosen picture's prompt and settings, and what can be done with it.
fn details_ui(
    ui: &mut Ui,
    item: &GalleryItem,
    state: &mut GalleryState,
    commands: &mut Vec<Command>,
) {
    let weak = colors(ui).text_weak;
    ui.spacing_mut().item_spacing.y = theme::SPACE_XS;
    let prompt = prompt_line(&item.record.common().prompt);
    ui.horizontal(|ui| {
        let icons_px = 2.0 * (theme::BUTTON_PX + theme::SPACE_S);
        let size = vec2(ui.available_width() - icons_px, theme::BUTTON_PX);
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(size, layout, |ui| {
            ui.set_min_size(size);
            let name = Label::new(theme::semibold(&*prompt)).truncate();
            ui.add(name).on_hover_text(&prompt);
        });
        let label = tr("Copy the picture");
        if icon_button(ui, icon::COPY, label, "", ButtonState::Normal).clicked() {
            commands.push(Command::CopyFromGallery(item.id));
        }
        let label = tr("Remove from the gallery");
        if icon_button(ui, icon::DELETE, label, "", ButtonState::Normal).clicked() {
            state.removing = Some(item.id);
        }
    });
    for line in [facts_line(item), settings_line(item)] {
        ui.add(Label::new(RichText::new(line).size(theme::SMALL_PX).color(weak)).truncate());
    }
    ui.add_space(theme::SPACE_XS);
    if state.removing == Some(item.id) {
        ui.horizontal(|ui| {
            ui.label(tr("Remove this picture?"));
            if danger_button(ui, tr("Remove")).clicked() {
                commands.push(Command::RemoveFromGallery(item.id));
                state.removing = None;
                state.chosen = None;
            }
            if ui.button(tr("Keep")).clicked() {
                state.removing = None;
            }
        });
        return;
    }
    let take = [
        (tr("Use settings"), tr("Take over prompt, model and settings")),
        (tr("Use seed"), tr("Take over the seed and lock it")),
    ];
    match pair_ui(ui, take) {
        Some(0) => commands.push(Command::UseSettings(item.id)),
        Some(_) => commands.push(Command::UseSeed(item.id)),
        None => {}
    }
    let show = [
        (tr("Place as layer"), tr("Put the picture on a new layer")),
        (tr("Open as picture"), tr("Start a new picture from this one")),
    ];
    match pair_ui(ui, show) {
        Some(0) => commands.push(Command::PlaceFromGallery(item.id)),
        Some(_) => commands.push(Command::OpenFromGallery(item.id)),
        None => {}
    }
}

/// Two buttons that fill a row, each with a share that suits its text; which one was clicked.
fn pair_ui(ui: &mut Ui, buttons: [(&'static str, &'static str); 2]) -> Option<usize> {
    let font = egui::TextStyle::Button.resolve(ui.style());
    let text_px = buttons.map(|(label, _)| {
        ui.painter().layout_no_wrap(label.to_owned(), font.clone(), Color32::PLACEHOLDER).size().x
    });
    ui.horizontal(|ui| {
        let spare = ui.available_width() - theme::SPACE_S - text_px.iter().sum::<f32>();
        let mut clicked = None;
        for (at, ((label, tooltip), text_px)) in buttons.into_iter().zip(text_px).enumerate() {
            let size = vec2(text_px + spare / 2.0, theme::BUTTON_PX);
            let button = egui::Button::new(label).min_size(size).truncate();
            if ui.add_sized(size, button).on_hover_text(tooltip).clicked() {
                clicked = Some(at);
            }
        }
        clicked
    })
    .inner
}
