//! The line at the bottom: where the view and the pointer are, what is computed, what it takes.

use std::time::Duration;

use egui::{ProgressBar, RichText, Sides, Ui, vec2};

use crate::document::{Source, sample_color};
use crate::editor::{
    Action, Command, Compare, CompareMode, Dialog, Dragged, Editor, Job, JobKind, JobState,
};
use crate::engine::event::Stage;
use crate::geom::CanvasRect;
use crate::locale::{tr, trf};
use crate::ui::dragging::{carried_icon_ui, drag_source};
use crate::ui::menu_bar::{action_item, menu_item};
use crate::ui::theme::{self, color32, colors, icon};
use crate::ui::widgets::{ButtonState, icon_button_sized};

/// Height of the line, margins included.
pub const STATUS_BAR_PX: f32 = 28.0;

/// Zooms that the menu offers, in percent.
const ZOOMS: [u32; 9] = [6, 12, 25, 50, 100, 200, 400, 800, 1600];

/// What has to be remembered between frames.
#[derive(Clone, Debug, Default)]
pub struct StatusBarState {
    /// The selection's bounds, with what tells whether they still hold.
    selection: Option<((usize, u64), Option<CanvasRect>)>,
}

/// The line at the bottom.
pub fn status_bar_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut StatusBarState,
    commands: &mut Vec<Command>,
) {
    ui.style_mut().override_text_style = Some(egui::TextStyle::Small);
    ui.spacing_mut().button_padding = vec2(theme::SPACE_XS, 0.0);
    ui.spacing_mut().interact_size.y = STATUS_BAR_PX - theme::SPACE_S;
    // The right side has what must be seen; the left side leaves out what finds no room.
    let width = ui.available_width();
    let mut left = Vec::new();
    Sides::new().shrink_left().height(STATUS_BAR_PX - theme::SPACE_S).show(
        ui,
        |ui| {
            zoom_ui(ui, editor, &mut left);
            document_ui(ui, editor, state);
        },
        |ui| {
            if width > 1000.0 {
                offline_ui(ui);
            }
            if width > 640.0 {
                device_ui(ui, editor, commands);
            }
            if width > 820.0 {
                history_ui(ui, editor);
            }
            work_ui(ui, editor, commands);
        },
    );
    commands.append(&mut left);
}

fn zoom_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let percent = editor.view.transform.zoom * 100.0;
    let text = if percent < 10.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") };
    let button = egui::Button::new((text, RichText::new(icon::COLLAPSE)))
        .frame_when_inactive(false)
        .min_size(vec2(64.0, 0.0));
    let response = ui.add(button);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, tr("Zoom")));
    let response = response.on_hover_text(tr("Zoom"));
    egui::Popup::menu(&response).show(|ui| {
        ui.set_min_width(200.0);
        ui.spacing_mut().item_spacing.y = 0.0;
        action_item(ui, editor, Action::ZoomFit, commands);
        ui.separator();
        for zoom in ZOOMS {
            let on = (percent - zoom as f32).abs() < 0.5;
            if menu_item(ui, &format!("{zoom} %"), "", on.then_some(true)).clicked() {
                commands.push(Command::SetZoom(zoom as f32 / 100.0));
            }
        }
    });
}

fn document_ui(ui: &mut Ui, editor: &Editor, state: &mut StatusBarState) {
    let document = &editor.document;
    let size = editor.canvas_extent();
    let weak = colors(ui).text_weak;
    let room = |ui: &Ui, needed: f32| ui.available_width() > needed;
    if !room(ui, 120.0) {
        return;
    }
    ui.separator();
    let text = trf("{width} × {height} px", &[("width", &size.width), ("height", &size.height)]);
    let label = egui::Label::new(text).selectable(false).sense(egui::Sense::drag());
    let response = ui.add(label).on_hover_cursor(egui::CursorIcon::Grab);
    drag_source(&response, Dragged::Canvas);
    carried_icon_ui(ui, &response);
    response
        .on_hover_text(tr("Size of the canvas"))
        .on_hover_text(tr("Drag it out of the window to give the picture to another program"));
    if editor.opening.is_some() {
        // All else is about the picture before.
        return;
    }
    if room(ui, 200.0)
        && let Some(layer) = document.active_layer()
    {
        ui.separator();
        ui.label(RichText::new(icon::LAYER).color(weak));
        ui.label(shortened(&layer.name, 24)).on_hover_text(tr("The layer in use"));
    }
    if let Some(bounds) = selection_bounds(editor, state)
        && room(ui, 200.0)
    {
        ui.separator();
        ui.label(RichText::new(icon::SELECTION).color(weak));
        ui.label(trf(
            "{width} × {height} at {x}, {y}",
            &[
                ("width", &bounds.width),
                ("height", &bounds.height),
                ("x", &bounds.x),
                ("y", &bounds.y),
            ],
        ))
        .on_hover_text(tr("What is selected"));
    }
    if let Some(point) = editor.pointer
        && room(ui, 90.0)
    {
        let (x, y) = point.pixel();
        ui.separator();
        let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), egui::Sense::hover());
        if let Some(color) = color_under(editor, x, y) {
            ui.painter().rect_filled(rect, 2.0, color32(color));
        }
        let line = egui::Stroke::new(1.0, colors(ui).line);
        ui.painter().rect_stroke(rect, 2.0, line, egui::StrokeKind::Outside);
        ui.label(format!("{x}, {y}")).on_hover_text(tr("The pointer, and the color seen there"));
    }
}

/// The color that is seen at a pixel of the canvas, whichever layers it comes from; nothing beside
/// the canvas and where a comparison shows no single picture.
fn color_under(editor: &Editor, x: i32, y: i32) -> Option<[u8; 4]> {
    let compared = editor.compare.as_ref().filter(|_| !editor.view.show_original);
    let document = match compared {
        None => editor.shown_document(),
        Some(Compare { mode: CompareMode::Slider, a_document, b_document, split, .. }) => {
            let line = split * a_document.extent.width as f32;
            if (x as f32 + 0.5) < line { a_document } else { b_document }
        }
        Some(_) => return None,
    };
    sample_color(document, x, y, Source::AllLayers)
}

/// The selection's bounds, looked for only when its tiles have changed.
fn selection_bounds(editor: &Editor, state: &mut StatusBarState) -> Option<CanvasRect> {
    let selection = &editor.document.selection;
    let key = selection
        .cover
        .tiles()
        .fold((0, 0_u64), |(count, sum), (_, tile)| (count + 1, sum.wrapping_add(tile.version())));
    match state.selection {
        Some((known, bounds)) if known == key => bounds,
        _ => {
            let bounds = selection.bounds(editor.document.extent);
            state.selection = Some((key, bounds));
            bounds
        }
    }
}

fn offline_ui(ui: &mut Ui) {
    let colors = colors(ui);
    ui.add_space(theme::SPACE_S);
    ui.label(RichText::new(tr("Offline")).color(colors.text_weak))
        .on_hover_text(tr("Gesso has no network code: pictures and prompts stay on this machine"));
    ui.label(RichText::new(icon::OFFLINE).color(colors.success));
    ui.separator();
}

fn device_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let chosen = editor.generation.model.as_deref();
    let (name, hint) = match &editor.catalog {
        None => (tr("Looking for models…").to_owned(), tr("Models are being looked for")),
        Some(catalog) => {
            let model = chosen.map_or_else(|| catalog.default_model(), |id| catalog.model(id));
            match model {
                Some(model) => (shortened(&model.name, 22), tr("The model, and where it runs")),
                None => (tr("No model").to_owned(), tr("There is no model to draw with")),
            }
        }
    };
    let device = crate::ui::dialogs::device_text(editor.preferences.device);
    let button = egui::Button::new((RichText::new(icon::DEVICE), format!("{name} · {device}")))
        .frame_when_inactive(false);
    if ui.add(button).on_hover_text(hint).clicked() {
        commands.push(Command::SetDialog(Some(Dialog::Settings)));
    }
    ui.separator();
}

fn history_ui(ui: &mut Ui, editor: &Editor) {
    let (used, budget) = (editor.history.bytes(), editor.history.budget_bytes());
    let text = trf(
        "{used} of {budget}",
        &[("used", &bytes_text(used as u64)), ("budget", &bytes_text(budget as u64))],
    );
    ui.label(text).on_hover_text(tr(
        "Memory that undo takes, and may take; beyond it the oldest states let go of their pixels",
    ));
    ui.label(RichText::new(icon::RECENT).color(colors(ui).text_weak));
    ui.separator();
}

/// The job that runs, and what is computed besides.
fn work_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    if let Some(job) = editor.jobs.running() {
        job_ui(ui, editor, job, commands);
    } else if editor.jobs.waiting().next().is_some() {
        ui.label(tr("Preparing…"));
        ui.spinner();
        ui.separator();
    }
    if let Some(opening) = &editor.opening {
        let name = opening.path.file_name().unwrap_or_default().to_string_lossy();
        ui.label(trf("Opening {name}…", &[("name", &shortened(&name, 32))]));
        ui.add(egui::Spinner::new().size(theme::SMALL_PX));
        ui.separator();
    }
    if let Some(computing) = &editor.computing {
        ui.label(&computing.label);
        ui.add(egui::Spinner::new().size(theme::SMALL_PX));
        ui.separator();
    }
}

fn job_ui(ui: &mut Ui, editor: &Editor, job: &Job, commands: &mut Vec<Command>) {
    let JobState::Running { stage, done, left } = &job.state else { return };
    let cancel = icon_button_sized(
        ui,
        icon::STOP,
        tr("Cancel"),
        ButtonState::Normal,
        STATUS_BAR_PX - theme::SPACE_S,
    );
    if cancel.on_hover_text(tr("Stop the job that runs")).clicked() {
        commands.push(Command::CancelJob(job.number));
    }
    let mut text = job_text(job.kind).to_owned();
    if let Some(left) = left {
        text = format!("{text} · {}", time_left_text(*left));
    } else if *stage == Some(Stage::Load) {
        text = format!("{text} · {}", tr("loading the model"));
    }
    let waiting = editor.jobs.waiting().count();
    if waiting > 0 {
        text = format!("{text} · {}", trf("{count} waiting", &[("count", &waiting)]));
    }
    let bar =
        ProgressBar::new(*done).desired_width(120.0).desired_height(6.0).fill(colors(ui).accent);
    let bar = ui.add(bar);
    bar.widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, &text);
        info.value = Some(f64::from(*done));
        info
    });
    ui.label(text);
    ui.separator();
}

/// What a kind of job is called while it runs.
pub(super) fn job_text(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Generate => tr("Drawing"),
        JobKind::Fill => tr("Filling the mask"),
        JobKind::Extend => tr("Extending"),
        JobKind::Vary => tr("Varying"),
        JobKind::Upscale => tr("Upscaling"),
        JobKind::Chat => tr("Answering"),
    }
}

/// Time left, in words that don't pretend to be exact.
#[must_use]
pub fn time_left_text(left: Duration) -> String {
    let seconds = left.as_secs_f64().ceil() as u64;
    match seconds {
        0..=1 => tr("1 s left").to_owned(),
        2..=90 => trf("{seconds} s left", &[("seconds", &seconds)]),
        91..=5400 => trf("{minutes} min left", &[("minutes", &seconds.div_ceil(60))]),
        _ => trf("{hours} h left", &[("hours", &seconds.div_ceil(3600))]),
    }
}

/// Bytes in the unit that leaves one to three digits before the point.
#[must_use]
pub fn bytes_text(bytes: u64) -> String {
    let mut amount = bytes as f64;
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    // Binary steps, as memory is counted; rounding must not show 1024.
    while amount >= 999.5 && unit + 1 < units.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 || amount >= 9.95 {
        format!("{amount:.0} {}", units[unit])
    } else {
        format!("{amount:.1} {}", units[unit])
    }
}

/// A text that takes at most so many characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::document::Selection;
    use crate::editor::requests::DeviceSettings;
    use crate::editor::{Generation, JobNumber, RequestPlan};
    use crate::geom::{CanvasPoint, PixelRect};
    use crate::ui::testing::{editor, look_at, window};
    use crate::ui::theme::Look;

    fn busy_editor() -> Editor {
        let mut editor = editor();
        editor.document.selection.cover.fill(PixelRect::new(40, 60, 200, 100), 255);
        editor.pointer = Some(CanvasPoint::new(12.5, 80.0));
        let plan = RequestPlan {
            state: crate::document::NodeId(1),
            job: JobNumber(1),
            kind: JobKind::Fill,
            generation: Generation::default(),
            device: DeviceSettings {
                device: editor.preferences.device,
                precision: editor.preferences.precision,
            },
            document: editor.document.clone(),
            before: Vec::new(),
            mask: None,
            region: None,
            chat: None,
        };
        editor.jobs.jobs.push(Job {
            number: JobNumber(1),
            id: None,
            kind: JobKind::Fill,
            prompt: "a boat".to_owned(),
            seed: 1,
            count: 1,
            state: JobState::Running {
                stage: Some(Stage::Base),
                done: 0.4,
                left: Some(Duration::from_secs(12)),
            },
            plan: Arc::new(plan),
        });
        editor
    }

    #[test]
    fn a_running_job_can_be_stopped_here() {
        let editor = busy_editor();
        let mut state = StatusBarState::default();
        let mut window = window((1280.0, STATUS_BAR_PX), Look::Dark, |ui, commands| {
            status_bar_ui(ui, &editor, &mut state, commands);
        });
        assert!(window.query_all_by_label_contains("12 s left").next().is_some());
        window.get_by_label("Cancel").click();
        window.run_steps(2);
        assert!(matches!(window.state()[..], [Command::CancelJob(JobNumber(1))]));
    }

    #[test]
    fn the_color_is_that_of_all_layers_and_of_the_side_that_is_seen() {
        let mut editor = editor();
        let all = PixelRect::new(0, 0, 512, 512);
        editor.document.layers[0].pixels.fill(all, [200, 0, 0, 255]);
        let before = editor.document.clone();
        let mut above = editor.document.layers[0].clone();
        above.id = crate::document::LayerId(2);
        above.pixels.fill(all, [0, 0, 200, 255]);
        above.opacity = 0.5;
        editor.document.layers.push(above);
        // The layer in use is the red one; what is seen is both.
        let seen = color_under(&editor, 300, 9);
        assert_eq!(seen, Some([100, 0, 100, 255]));
        assert_eq!(color_under(&editor, 512, 9), None);
        assert_eq!(color_under(&editor, 5, -1), None);
        editor.compare = Some(Compare {
            a: crate::editor::CompareSide::Canvas,
            b: crate::editor::CompareSide::Canvas,
            mode: CompareMode::Slider,
            split: 0.5,
            a_document: before,
            b_document: editor.document.clone(),
            ticket: None,
            difference: None,
        });
        assert_eq!(color_under(&editor, 255, 9), Some([200, 0, 0, 255]));
        assert_eq!(color_under(&editor, 256, 9), seen);
        editor.compare.as_mut().unwrap().mode = CompareMode::HeatMap;
        assert_eq!(color_under(&editor, 256, 9), None);
    }

    #[test]
    fn bounds_follow_the_selection() {
        let mut editor = busy_editor();
        let mut state = StatusBarState::default();
        let check = |editor: &Editor, state: &mut StatusBarState| selection_bounds(editor, state);
        let first = check(&editor, &mut state);
        assert_eq!(first, Some(CanvasRect::new(40, 60, 200, 100)));
        assert_eq!(check(&editor, &mut state), first);
        editor.document.selection.cover.fill(PixelRect::new(0, 60, 50, 100), 255);
        assert_eq!(check(&editor, &mut state), Some(CanvasRect::new(0, 60, 240, 100)));
        editor.document.selection = Selection::default();
        assert_eq!(check(&editor, &mut state), None);
    }

    #[test]
    fn numbers_are_written_for_people() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1 << 20, "1.0 MB"),
            (123 << 20, "123 MB"),
            (2 << 30, "2.0 GB"),
            (1023 << 20, "1.0 GB"),
        ] {
            assert_eq!(bytes_text(bytes), expected);
        }
        for (seconds, expected) in
            [(0.2, "1 s left"), (41.2, "42 s left"), (150.0, "3 min left"), (7300.0, "3 h left")]
        {
            assert_eq!(time_left_text(Duration::from_secs_f64(seconds)), expected);
        }
        assert_eq!(shortened("Hintergrund", 6), "Hinte…");
        assert_eq!(shortened("Größe", 5), "Größe");
    }

    #[test]
    fn the_line_looks_well() {
        let editor = busy_editor();
        let mut state = StatusBarState::default();
        look_at("status", (1280.0, STATUS_BAR_PX), |ui, commands| {
            status_bar_ui(ui, &editor, &mut state, commands);
        });
        look_at("status-narrow", (760.0, STATUS_BAR_PX), |ui, commands| {
            status_bar_ui(ui, &editor, &mut state, commands);
        });
    }
}
