//! Drawing of the gallery.

use egui::{
    Color32, CornerRadius, Label, Rect, Response, RichText, Role, ScrollArea, Sense, Stroke,
    StrokeKind, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

use crate::editor::{
    Command, Dragged, Editor, GalleryFilter, GalleryId, GalleryItem, GalleryPixels,
};
use crate::locale::{tr, trf};
use crate::ui::dragging::{carried_ui, drag_source};
use crate::ui::gallery_panel::model::{columns, facts_line, settings_line};
use crate::ui::panel_parts::{self, PictureFrame};
use crate::ui::queue_panel::prompt_line;
use crate::ui::theme::{self, colors, icon};
use crate::ui::thumbnails::{PREVIEW_SIDE_PX, Thumbnails};
use crate::ui::widgets::{ButtonState, empty_state, icon_button, icon_button_sized};

const CELL_PX: f32 = 84.0;
const GAP_PX: f32 = 6.0;
const PREVIEW_PX: f32 = 272.0;
/// Height of what is told about the chosen picture.
const DETAILS_PX: f32 = 222.0;
/// Side of the star in a cell and of the small buttons at a tag.
const SMALL_BUTTON_PX: f32 = 20.0;

/// What the gallery remembers.
#[derive(Default)]
pub struct GalleryState {
    thumbnails: Thumbnails,
    search: String,
    chosen: Option<GalleryId>,
    // The tag that is being written.
    tag: String,
}

/// The pictures; one that is chosen is shown with its settings and what can be done.
pub fn gallery_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut GalleryState,
    commands: &mut Vec<Command>,
) {
    let gallery = &editor.gallery;
    if gallery.items.is_empty() && gallery.filter.is_open() {
        let hint =
            tr("Every picture that a model draws is kept here with its settings, across projects.");
        empty_state(ui, icon::GALLERY, tr("No pictures yet"), hint);
        return;
    }
    filter_ui(ui, &gallery.filter, state, commands);
    let items: Vec<&GalleryItem> = gallery.shown().collect();
    if items.is_empty() {
        if gallery.asked.is_some() {
            // The library's answer takes a moment.
            return;
        }
        empty_state(ui, icon::ZOOM, tr("No such picture"), tr("Try fewer or other words."));
        return;
    }
    let chosen = state.chosen.and_then(|id| items.iter().find(|item| item.id == id)).copied();
    let details_px = if chosen.is_some() { DETAILS_PX } else { 0.0 };
    let grid_px = (ui.available_height() - details_px).max(CELL_PX);
    let size = vec2(ui.available_width(), grid_px);
    ui.allocate_ui(size, |ui| {
        ui.set_min_size(size);
        if grid_ui(ui, &items, state, commands) && gallery.has_more && gallery.asked.is_none() {
            commands.push(Command::MoreOfGallery);
        }
    });
    if let Some(item) = chosen {
        details_ui(ui, item, state, commands);
    }
}

/// What is looked for: words, a star, a tag.
fn filter_ui(
    ui: &mut Ui,
    filter: &GalleryFilter,
    state: &mut GalleryState,
    commands: &mut Vec<Command>,
) {
    let mut wanted = filter.clone();
    ui.horizontal(|ui| {
        let width = ui.available_width() - theme::BUTTON_PX - ui.spacing().item_spacing.x;
        ui.allocate_ui(vec2(width, theme::BUTTON_PX), |ui| {
            let label = tr("Search prompts and tags");
            if panel_parts::search_ui(ui, &mut state.search, label).changed() {
                wanted.text.clone_from(&state.search);
            }
        });
        let button = ButtonState::selected_if(filter.starred);
        let label = tr("Only pictures with a star");
        if icon_button(ui, icon::STAR, label, "", button).clicked() {
            wanted.starred = !wanted.starred;
        }
    });
    if let Some(tag) = &filter.tag {
        ui.horizontal(|ui| {
            ui.add(Label::new(theme::semibold(tag.as_str())).truncate());
            let label = tr("Pictures with all tags");
            let button =
                icon_button_sized(ui, icon::CLOSE, label, ButtonState::Normal, SMALL_BUTTON_PX);
            if button.on_hover_text(label).clicked() {
                wanted.tag = None;
            }
        });
    }
    if wanted != *filter {
        commands.push(Command::SearchGallery(wanted));
    }
}

/// Draws the pictures that are seen; says whether the last ones are among them.
fn grid_ui(
    ui: &mut Ui,
    items: &[&GalleryItem],
    state: &mut GalleryState,
    commands: &mut Vec<Command>,
) -> bool {
    let area = ScrollArea::vertical().id_salt("gallery").auto_shrink([false, false]);
    let seen = area.show_viewport(ui, |ui, seen| {
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
        end >= rows
    });
    seen.inner
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
        state.tag.clear();
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
    if item.starred {
        star_sign(ui, rect);
    }
    carried_ui(ui, &response, texture, extent);
    response.context_menu(|ui| menu_ui(ui, item, commands));
    if !response.dragged() {
        preview_ui(&response, item, state, commands);
    }
}

/// The sign of a picture with a star, in its cell's corner.
fn star_sign(ui: &Ui, rect: Rect) {
    let colors = colors(ui);
    let at = rect.right_top() + vec2(-13.0, 13.0);
    ui.painter().circle_filled(at, SMALL_BUTTON_PX / 2.0, colors.panel);
    let font = egui::FontId::proportional(13.0);
    let center = egui::Align2::CENTER_CENTER;
    ui.painter().text(at, center, icon::STAR, font, colors.accent_text);
}

/// A larger view with everything that is known.
fn preview_ui(
    response: &Response,
    item: &GalleryItem,
    state: &mut GalleryState,
    commands: &mut Vec<Command>,
) {
    response.clone().on_hover_ui(|ui| {
        ui.set_max_width(PREVIEW_PX);
        if item.pixels == GalleryPixels::Kept {
            commands.push(Command::LookAtGallery(item.id));
        }
        // Until the picture is here, the small one stands for it.
        let image = item.image().unwrap_or(&item.thumbnail);
        let texture = state.thumbnails.picture(ui.ctx(), image, PREVIEW_SIDE_PX);
        let extent = image.extent();
        let size = extent.fitted(PREVIEW_PX as u32);
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

fn menu_ui(ui: &mut Ui, item: &GalleryItem, commands: &mut Vec<Command>) {
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
    if ui.button(tr("Show with the next message")).clicked() {
        commands.push(Command::AttachFromGallery(item.id));
        commands.push(Command::Do(crate::editor::Action::ShowChat));
    }
    if let Some(origin) = &item.origin {
        let button = egui::Button::new(tr("Open the project there"));
        if ui.add_enabled(origin.path.is_some(), button).clicked() {
            commands.push(Command::OpenProjectOf(item.id));
        }
    }
    ui.separator();
    let star = if item.starred { tr("Take its star") } else { tr("Give it a star") };
    if ui.button(star).clicked() {
        commands.push(Command::StarPicture(item.id, !item.starred));
    }
    if ui.button(tr("Remove from the gallery")).clicked() {
        commands.push(Command::RemoveFromGallery(item.id));
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
        let icons_px = 3.0 * (theme::BUTTON_PX + theme::SPACE_S);
        let size = vec2(ui.available_width() - icons_px, theme::BUTTON_PX);
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(size, layout, |ui| {
            ui.set_min_size(size);
            let name = Label::new(theme::semibold(&*prompt)).truncate();
            ui.add(name).on_hover_text(&prompt);
        });
        let label = if item.starred { tr("Take its star") } else { tr("Give it a star") };
        let star = ButtonState::selected_if(item.starred);
        if icon_button(ui, icon::STAR, label, "", star).clicked() {
            commands.push(Command::StarPicture(item.id, !item.starred));
        }
        let label = tr("Copy the picture");
        if icon_button(ui, icon::COPY, label, "", ButtonState::Normal).clicked() {
            commands.push(Command::CopyFromGallery(item.id));
        }
        let label = tr("Remove from the gallery");
        if icon_button(ui, icon::DELETE, label, "", ButtonState::Normal).clicked() {
            commands.push(Command::RemoveFromGallery(item.id));
            state.chosen = None;
        }
    });
    for line in [facts_line(item), settings_line(item)] {
        ui.add(Label::new(RichText::new(line).size(theme::SMALL_PX).color(weak)).truncate());
    }
    tags_ui(ui, item, state, commands);
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
    if let Some(origin) = &item.origin {
        let label = egui::Button::new(tr("Open the project there")).truncate();
        let size = vec2(ui.available_width(), theme::BUTTON_PX);
        let open = ui.add_enabled_ui(origin.path.is_some(), |ui| ui.add_sized(size, label)).inner;
        let open = open
            .on_hover_text(tr("Open the project at the state where this picture came into it"))
            .on_disabled_hover_text(tr(
                "The project was never saved, or is not at its place any more",
            ));
        if open.clicked() {
            commands.push(Command::OpenProjectOf(item.id));
        }
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

/// The chosen picture's tags: each looks for its like; a field for another one.
fn tags_ui(ui: &mut Ui, item: &GalleryItem, state: &mut GalleryState, commands: &mut Vec<Command>) {
    let row = ScrollArea::horizontal().id_salt("tags").auto_shrink([false, true]);
    row.show(ui, |ui| {
        ui.horizontal(|ui| {
            for tag in &item.tags {
                let like = trf("Show pictures with the tag {tag}", &[("tag", tag)]);
                if ui.small_button(tag).on_hover_text(like).clicked() {
                    let tag = Some(tag.clone());
                    let filter = GalleryFilter { tag, ..GalleryFilter::default() };
                    state.search.clear();
                    commands.push(Command::SearchGallery(filter));
                }
                let label = trf("Remove the tag {tag}", &[("tag", tag)]);
                let side = SMALL_BUTTON_PX;
                let remove = icon_button_sized(ui, icon::CLOSE, &label, ButtonState::Normal, side);
                if remove.on_hover_text(&label).clicked() {
                    commands.push(Command::UntagPicture(item.id, tag.clone()));
                }
            }
            let label = tr("Add a tag");
            let field = TextEdit::singleline(&mut state.tag).hint_text(label).desired_width(84.0);
            let field = ui.add(field).accessible_name(label);
            let entered = ui.input(|input| input.key_pressed(egui::Key::Enter));
            if field.lost_focus() && entered && !state.tag.trim().is_empty() {
                commands.push(Command::TagPicture(item.id, std::mem::take(&mut state.tag)));
                field.request_focus();
            }
        });
    });
}
