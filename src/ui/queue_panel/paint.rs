//! Drawing of the jobs' panel.

use egui::{
    Align, Frame, Label, Layout, Margin, Rect, RichText, Role, ScrollArea, Sense, Stroke, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::editor::{Action, Command, Editor, Job, JobNumber, JobState};
use crate::locale::{tr, trf};
use crate::ui::panel_parts::{self, drop_place};
use crate::ui::queue_panel::model::{
    QueueRows, end_label, kind_label, prompt_line, stage_label, time_left,
};
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{ActionStyle, ButtonState, action_button, empty_state, icon_button};

const ROW_PX: f32 = 44.0;

/// What the jobs' panel remembers.
#[derive(Default)]
pub struct QueueState {
    dragged: Option<JobNumber>,
}

/// The jobs, with what can be done about each.
pub fn queue_ui(ui: &mut Ui, editor: &Editor, state: &mut QueueState, commands: &mut Vec<Command>) {
    let rows = QueueRows::new(&editor.jobs);
    if rows.is_empty() {
        let hint = tr("What you ask of the models is listed here while it waits and runs.");
        empty_state(ui, icon::QUEUE, tr("Nothing to do"), hint);
        return;
    }
    header_ui(ui, editor, &rows, commands);
    ui.spacing_mut().item_spacing.y = theme::SPACE_XS;
    ScrollArea::vertical().id_salt("queue").auto_shrink([false, false]).show(ui, |ui| {
        if let Some(job) = rows.running {
            running_ui(ui, editor, job, commands);
        }
        waiting_ui(ui, &rows, state, commands);
        for job in &rows.over {
            over_ui(ui, job, commands);
        }
    });
}

fn header_ui(ui: &mut Ui, editor: &Editor, rows: &QueueRows<'_>, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        let text = match (rows.running, rows.waiting.len()) {
            (None, 0) => tr("Nothing waits").to_owned(),
            (Some(_), 0) => tr("One job runs").to_owned(),
            (_, waiting) => trf("{count} waiting", &[("count", &waiting)]),
        };
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
            if !rows.over.is_empty() {
                let label = tr("Clear finished");
                if ui.button(label).on_hover_text(tr("Take what is over off the list")).clicked() {
                    commands.push(Command::ClearFinishedJobs);
                }
            }
            if editor.jobs.is_busy() {
                action_button(ui, editor, Action::CancelAllJobs, ActionStyle::Text, commands);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(RichText::new(text).color(colors(ui).text_weak)).truncate());
            });
        });
    });
}

fn running_ui(ui: &mut Ui, editor: &Editor, job: &Job, commands: &mut Vec<Command>) {
    let JobState::Running { stage, done, left } = &job.state else { return };
    let colors = colors(ui);
    let frame = Frame::new()
        .fill(colors.panel_raised)
        .stroke(Stroke::new(1.0, colors.line))
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::same(theme::SPACE_S as i8));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            let width = ui.available_width() - theme::BUTTON_PX - theme::SPACE_S;
            let (rect, _) = ui.allocate_exact_size(vec2(width, ROW_PX - 8.0), Sense::hover());
            let name = theme::semibold(title(job));
            panel_parts::two_lines(ui, rect, name, &prompt_line(&job.prompt));
            action_button(ui, editor, Action::CancelJob, ActionStyle::Icon, commands);
        });
        let (rect, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), 6.0), Sense::hover());
        panel_parts::bar(ui, rect, *done, colors.accent);
        let percent = (done * 100.0).round();
        response.widget_info(|| {
            let mut info =
                WidgetInfo::labeled(Role::ProgressIndicator, true, tr("Progress of the job"));
            info.value = Some(f64::from(percent));
            info
        });
        ui.horizontal(|ui| {
            let weak =
                |text: String| RichText::new(text).size(theme::SMALL_PX).color(colors.text_weak);
            ui.label(weak(stage_label(*stage).to_owned()));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let text = match left {
                    Some(left) => format!("{percent:.0} % · {}", time_left(*left)),
                    None => format!("{percent:.0} %"),
                };
                ui.label(weak(text));
            });
        });
    });
}

/// What a job does, and how often.
fn title(job: &Job) -> String {
    let kind = kind_label(job.kind);
    if job.count > 1 { format!("{kind} × {}", job.count) } else { kind.to_owned() }
}

fn waiting_ui(
    ui: &mut Ui,
    rows: &QueueRows<'_>,
    state: &mut QueueState,
    commands: &mut Vec<Command>,
) {
    let top = ui.cursor().min.y;
    let step = ROW_PX + ui.spacing().item_spacing.y;
    for (place, job) in rows.waiting.iter().enumerate() {
        let last = place + 1 == rows.waiting.len();
        waiting_row_ui(ui, job, place, last, state, commands);
    }
    let Some(dragged) = state.dragged else { return };
    let Some(pointer) = ui.input(|input| input.pointer.latest_pos()) else { return };
    let before = drop_place(pointer.y - top, step, rows.waiting.len());
    let landing = rows.dropped(dragged, before);
    if landing.is_some() {
        panel_parts::drop_line(ui, top + before as f32 * step - 2.0);
    }
    panel_parts::scroll_while_dragging(ui, pointer);
    if !ui.input(|input| input.pointer.any_down()) {
        state.dragged = None;
        if let Some(place) = landing {
            commands.push(Command::MoveJob(dragged, place));
        }
    }
}

fn waiting_row_ui(
    ui: &mut Ui,
    job: &Job,
    place: usize,
    last: bool,
    state: &mut QueueState,
    commands: &mut Vec<Command>,
) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), ROW_PX));
    let response =
        ui.interact(rect, ui.scope_id().with(("job", job.number)), Sense::click_and_drag());
    let name = trf("Waiting: {prompt}", &[("prompt", &prompt_line(&job.prompt))]);
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
    if response.drag_started() {
        state.dragged = Some(job.number);
    }
    panel_parts::row_background(ui, &response, state.dragged == Some(job.number));
    let colors = colors(ui);
    let handle = egui::FontId::new(theme::TEXT_PX + 2.0, egui::FontFamily::Proportional);
    let at = pos2(rect.left() + 10.0, rect.center().y);
    ui.painter().text(at, egui::Align2::CENTER_CENTER, icon::DRAG, handle, colors.text_weak);
    let buttons_px = 3.0 * theme::BUTTON_PX;
    let text = Rect::from_min_max(
        pos2(rect.left() + 24.0, rect.top()),
        pos2(rect.right() - buttons_px - theme::SPACE_XS, rect.bottom()),
    );
    panel_parts::two_lines(ui, text, RichText::new(title(job)), &prompt_line(&job.prompt));
    let buttons = Rect::from_min_max(
        pos2(rect.right() - buttons_px, rect.center().y - theme::BUTTON_PX / 2.0),
        pos2(rect.right(), rect.center().y + theme::BUTTON_PX / 2.0),
    );
    let layout = Layout::left_to_right(Align::Center);
    let mut ui = ui.new_child(UiBuilder::new().max_rect(buttons).layout(layout));
    ui.spacing_mut().item_spacing.x = 0.0;
    let number = job.number;
    let button = |ui: &mut Ui, sign: &str, label: &str, enabled: bool| {
        icon_button(ui, sign, label, "", ButtonState::enabled_if(enabled)).clicked()
    };
    if button(&mut ui, icon::UP, tr("Earlier"), place > 0) {
        commands.push(Command::MoveJob(number, place.saturating_sub(1)));
    }
    if button(&mut ui, icon::DOWN, tr("Later"), !last) {
        commands.push(Command::MoveJob(number, place + 1));
    }
    if button(&mut ui, icon::CLOSE, tr("Forget this job"), true) {
        commands.push(Command::CancelJob(number));
    }
}

fn over_ui(ui: &mut Ui, job: &Job, commands: &mut Vec<Command>) {
    let colors = colors(ui);
    let failed = matches!(job.state, JobState::Failed(_));
    let (sign, color) = match &job.state {
        JobState::Failed(_) => (icon::ERROR, colors.danger),
        JobState::Cancelled => (icon::STOP, colors.text_weak),
        _ => (icon::SUCCESS, colors.success),
    };
    let layout = Layout::left_to_right(Align::Center);
    let size = vec2(ui.available_width(), ROW_PX);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        let (rect, _) = ui.allocate_exact_size(vec2(20.0, ROW_PX), Sense::hover());
        let font = egui::FontId::new(theme::TEXT_PX + 3.0, egui::FontFamily::Proportional);
        let at = pos2(rect.left() + 10.0, rect.center().y);
        ui.painter().text(at, egui::Align2::CENTER_CENTER, sign, font, color);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if failed {
                let label = (icon::RETRY, tr("Retry"));
                let retry = ui.button(label).accessible_name(tr("Retry"));
                if retry.on_hover_text(tr("Try this job again")).clicked() {
                    commands.push(Command::RetryJob(job.number));
                }
            }
            let size = vec2(ui.available_width(), ROW_PX);
            let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
            let name = format!("{} · {}", title(job), end_label(&job.state));
            response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
            let name = RichText::new(name).color(colors.text_weak);
            panel_parts::two_lines(ui, rect, name, &prompt_line(&job.prompt));
        });
    });
    if let JobState::Failed(message) = &job.state {
        ui.horizontal(|ui| {
            ui.add_space(24.0 + theme::SPACE_XS);
            let text = RichText::new(message).size(theme::SMALL_PX).color(colors.danger);
            ui.add(Label::new(text).wrap().selectable(true));
        });
        ui.add_space(theme::SPACE_XS);
    }
}
