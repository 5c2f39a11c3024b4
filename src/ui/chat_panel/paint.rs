//! Drawing of the conversation.

use egui::{
    Align, CornerRadius, Frame, Label, Layout, Margin, Rect, RichText, Role, ScrollArea, Sense,
    Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, vec2,
};

use crate::document::{Attachment, NodeId};
use crate::editor::{Action, Command, CompareSide, Dragged, Editor, Turn, line_end};
use crate::locale::{tr, trf};
use crate::ui::chat_panel::composer::composer_ui;
use crate::ui::chat_panel::model::{
    Kept, MOST_NEXT, Pending, examples, hindrance, outside_line, pending, place_label, short,
    written,
};
use crate::ui::panel_parts::{self, PictureFrame};
use crate::ui::prompt_panel::chip_ui;
use crate::ui::theme::{self, colors, icon};
use crate::ui::thumbnails::Thumbnails;
use crate::ui::widgets::{
    ActionStyle, ButtonState, action_button, empty_state, icon_button, icon_button_sized,
};

/// Rounding of bubbles.
const BUBBLE_RADIUS: u8 = 10;
/// A message leaves at least so much of the panel's width free at the left.
const INDENT_PX: f32 = 36.0;
/// Longest side of a turn's picture.
const PICTURE_PX: f32 = 148.0;
/// Side of a picture that was shown with a message.
const ATTACHED_PX: f32 = 44.0;
/// Side of the small buttons below a message.
const SMALL_PX: f32 = 22.0;
/// By how much the region of a change grows at once.
const WIDEN_PX: i32 = 8;

/// What the chat's panel remembers.
#[derive(Default)]
pub struct ChatState {
    pub(super) focus: bool,
    kept: Kept,
    pub(super) thumbnails: Thumbnails,
    /// The answer that was scrolled to last.
    shown: Option<(usize, usize)>,
}

impl ChatState {
    /// Puts the cursor into the message when the panel is drawn next.
    pub const fn request_focus(&mut self) {
        self.focus = true;
    }
}

/// The conversation above, the next message below.
pub fn chat_ui(ui: &mut Ui, editor: &Editor, state: &mut ChatState, commands: &mut Vec<Command>) {
    state.kept.refresh(editor);
    if let Some(hindrance) = hindrance(editor)
        && state.kept.conversation.turns.is_empty()
    {
        empty_state(ui, icon::CHAT, hindrance.title, hindrance.hint);
        if editor.catalog.is_some() {
            ui.vertical_centered(|ui| {
                action_button(ui, editor, Action::ShowSettings, ActionStyle::Text, commands);
            });
        }
        return;
    }
    let margin = Margin::symmetric(theme::SPACE_M as i8, theme::SPACE_S as i8);
    let frame = Frame::new().inner_margin(margin);
    let line = Stroke::new(1.0, colors(ui).line);
    egui::Panel::bottom("chat composer")
        .resizable(false)
        .show_separator_line(false)
        .frame(frame)
        .show(ui, |ui| {
            let across = ui.max_rect().expand2(vec2(theme::SPACE_M, 0.0)).x_range();
            ui.painter().hline(across, ui.min_rect().top() - theme::SPACE_S, line);
            composer_ui(ui, editor, state, commands);
        });
    let response = egui::CentralPanel::default().frame(Frame::new()).show(ui, |ui| {
        turns_ui(ui, editor, state, commands);
    });
    take_dragged(ui, response.response.rect, commands);
}

/// A picture of the gallery that is let go here is shown with the next message.
fn take_dragged(ui: &mut Ui, area: Rect, commands: &mut Vec<Command>) {
    let over = ui.rect_contains_pointer(area);
    let Some(Dragged::Gallery(id)) = crate::ui::dragging::dragged(ui.ctx()).filter(|_| over) else {
        return;
    };
    let line = Stroke::new(2.0, colors(ui).accent_text);
    ui.painter().rect_stroke(area.shrink(3.0), theme::RADIUS, line, StrokeKind::Inside);
    if ui.input(|input| input.pointer.any_released()) {
        egui::DragAndDrop::clear_payload(ui.ctx());
        commands.push(Command::AttachFromGallery(id));
    }
}

fn turns_ui(ui: &mut Ui, editor: &Editor, state: &mut ChatState, commands: &mut Vec<Command>) {
    let waits = pending(editor);
    // Follows what is written, until the user looks at something else.
    let now = (
        state.kept.conversation.turns.len() + usize::from(waits.is_some()),
        editor.chat.pending.as_ref().map_or(0, |pending| pending.words.len()),
    );
    let follow = state.shown.replace(now).is_some_and(|before| before.0 != now.0);
    let area =
        ScrollArea::vertical().id_salt("chat").auto_shrink([false, false]).stick_to_bottom(true);
    area.show(ui, |ui| {
        let margin = Margin::symmetric(theme::SPACE_M as i8, theme::SPACE_S as i8);
        Frame::new().inner_margin(margin).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = theme::SPACE_XS;
            let conversation = std::mem::take(&mut state.kept.conversation);
            if conversation.turns.is_empty() && waits.is_none() {
                begin_ui(ui, editor, commands);
            }
            for (place, turn) in conversation.turns.iter().enumerate() {
                let newest = place + 1 == conversation.turns.len() && waits.is_none();
                turn_ui(ui, editor, turn, newest, state, commands);
            }
            if let Some(waits) = &waits {
                pending_ui(ui, editor, waits, state, commands);
            } else {
                next_ui(ui, editor, &conversation.next, commands);
            }
            elsewhere_ui(ui, editor, commands);
            state.kept.conversation = conversation;
            if follow {
                ui.scroll_to_cursor(Some(Align::BOTTOM));
            }
        });
    });
}

/// What to say first.
fn begin_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let hint = if editor.is_untouched() {
        tr("Say what to draw. Then go on: change it, ask about it, take a turn back.")
    } else {
        tr(
            "Say what should change, or ask about the picture. What no message changes stays as it is, byte for byte.",
        )
    };
    empty_state(ui, icon::CHAT, tr("Talk about the picture"), hint);
    if editor.why_no_chat().is_some() {
        return;
    }
    ui.vertical_centered_justified(|ui| {
        ui.spacing_mut().item_spacing.y = theme::SPACE_XS + 2.0;
        for example in examples(editor) {
            let chip = chip_ui(ui, &example).on_hover_text(tr("Use this message"));
            if chip.clicked() {
                commands.push(Command::SetChatDraft(example));
                commands.push(Command::Do(Action::ShowChat));
            }
        }
    });
}

fn turn_ui(
    ui: &mut Ui,
    editor: &Editor,
    turn: &Turn,
    newest: bool,
    state: &mut ChatState,
    commands: &mut Vec<Command>,
) {
    let top = ui.cursor().min;
    let id = ui.scope_id().with(("turn", turn.node));
    // Buttons are seen on the newest turn, and on the one that the pointer is over.
    let before: Option<Rect> = ui.data(|data| data.get_temp(id));
    let over = before.is_some_and(|rect| ui.rect_contains_pointer(rect.translate(top - rect.min)));
    let look = if newest || over { 1.0 } else { 0.0 };
    message_ui(ui, turn.message());
    if let Some(attached) = editor.chat.attached.get(&turn.node) {
        attached_ui(ui, attached, state);
    } else if !turn.record.settings.attachments.is_empty() {
        let count = turn.record.settings.attachments.len();
        right_note(ui, &trf("with {count} pictures", &[("count", &count)]));
    }
    versions_ui(ui, turn, commands);
    if !turn.reply().trim().is_empty() {
        words_ui(ui, turn.reply().trim());
    }
    if turn.has_picture() {
        picture_ui(ui, editor, turn, state, commands);
    }
    if let Some((text, tone)) = outside_line(turn) {
        let text = RichText::new(text).size(theme::SMALL_PX).color(tone.color(ui));
        ui.add(Label::new(text).wrap());
    }
    if let Some(remark) = editor.chat.remarks.get(&turn.node) {
        remark_ui(ui, remark);
    }
    if state.kept.change == Some(turn.node) {
        region_ui(ui, editor, turn, commands);
    }
    turn_buttons_ui(ui, editor, turn, look, commands);
    let rect = Rect::from_min_max(top, egui::pos2(ui.max_rect().right(), ui.cursor().min.y));
    ui.data_mut(|data| data.insert_temp(id, rect));
    ui.add_space(theme::SPACE_S);
}

/// What the user said, at the right.
fn message_ui(ui: &mut Ui, text: &str) {
    let colors = colors(ui);
    let margin = Margin::symmetric(10, 6);
    let most = (ui.available_width() - INDENT_PX).max(80.0) - f32::from(margin.left) * 2.0;
    let font = egui::TextStyle::Body.resolve(ui.style());
    let galley = ui.painter().layout(text.to_owned(), font, colors.text, most);
    let width = galley.size().x.ceil() + 1.0;
    let room = ui.available_width() - width - f32::from(margin.left) * 2.0;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(room.max(0.0));
        Frame::new()
            .fill(colors.selection)
            .corner_radius(CornerRadius::same(BUBBLE_RADIUS))
            .inner_margin(margin)
            .show(ui, |ui| {
                ui.set_width(width);
                ui.add(Label::new(RichText::new(text).color(colors.text)).wrap().selectable(true));
            });
    });
}

/// What was answered, at the left.
fn words_ui(ui: &mut Ui, text: &str) {
    let colors = colors(ui);
    Frame::new()
        .fill(colors.panel_raised)
        .stroke(Stroke::new(1.0, colors.line))
        .corner_radius(CornerRadius::same(BUBBLE_RADIUS))
        .inner_margin(Margin::symmetric(10, 6))
        .show(ui, |ui| {
            ui.set_max_width((ui.available_width() - INDENT_PX / 2.0).max(80.0));
            ui.add(Label::new(RichText::new(text).color(colors.text)).wrap().selectable(true));
        });
}

fn right_note(ui: &mut Ui, text: &str) {
    ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
        let weak = colors(ui).text_weak;
        ui.label(RichText::new(text).size(theme::SMALL_PX).color(weak));
    });
}

/// The pictures that were shown with a message.
pub(super) fn attached_ui(ui: &mut Ui, attached: &[Attachment], state: &mut ChatState) {
    let row = vec2(ui.available_width(), ATTACHED_PX);
    ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        for attachment in attached.iter().rev() {
            let size = vec2(ATTACHED_PX, ATTACHED_PX);
            let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
            let texture = state.thumbnails.picture(ui.ctx(), &attachment.image, 96);
            let extent = attachment.image.extent();
            panel_parts::picture(ui, rect, texture, extent, PictureFrame::Checkers, 1.0);
            let name = trf("Shown with the message: {name}", &[("name", &attachment.name)]);
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
            response.on_hover_text(name);
        }
    });
}

/// A button that is there for the keyboard and for screen readers even where it is not seen.
fn small_button(ui: &mut Ui, look: f32, sign: &str, label: &str) -> bool {
    let clicked = ui
        .scope(|ui| {
            ui.set_opacity(look);
            icon_button_sized(ui, sign, label, ButtonState::Normal, SMALL_PX)
        })
        .inner;
    clicked.on_hover_text(label).clicked()
}

/// Which of the turns beside it a turn is, with the way to the others.
fn versions_ui(ui: &mut Ui, turn: &Turn, commands: &mut Vec<Command>) {
    let Some(place) = place_label(turn) else { return };
    let row = vec2(ui.available_width(), SMALL_PX);
    ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        if small_button(ui, 1.0, icon::NEXT, tr("Next version of this turn")) {
            commands.push(Command::SwitchBranch(turn.node, 1));
        }
        let weak = colors(ui).text_weak;
        ui.label(RichText::new(place).size(theme::SMALL_PX).color(weak));
        if small_button(ui, 1.0, icon::PREVIOUS, tr("Previous version of this turn")) {
            commands.push(Command::SwitchBranch(turn.node, -1));
        }
    });
}

/// What can be done with an answer, at the left, and with its message, at the right.
fn turn_buttons_ui(
    ui: &mut Ui,
    editor: &Editor,
    turn: &Turn,
    look: f32,
    commands: &mut Vec<Command>,
) {
    let free = turn.asked_at.is_some() && !editor.is_answering();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        if free && small_button(ui, look, icon::RETRY, tr("Answer again")) {
            commands.push(Command::RetryTurn(turn.node));
        }
        if turn.has_picture()
            && let Some(asked_at) = turn.asked_at
            && small_button(ui, look, icon::COMPARE, tr("Compare with the picture before"))
        {
            let [before, after] = [asked_at, turn.node].map(CompareSide::Node);
            commands.push(Command::CompareSides(before, after));
        }
        if !turn.reply().is_empty() && small_button(ui, look, icon::COPY, tr("Copy the answer")) {
            ui.ctx().copy_text(turn.reply().to_owned());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if small_button(ui, look, icon::COPY, tr("Copy the message")) {
                ui.ctx().copy_text(turn.message().to_owned());
            }
            if free && small_button(ui, look, icon::RENAME, tr("Change this message")) {
                commands.push(Command::EditMessage(turn.node));
            }
        });
    });
}

/// The part that the last answer changed: shown, wider, narrower.
fn region_ui(ui: &mut Ui, editor: &Editor, turn: &Turn, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let weak = colors(ui).text_weak;
        ui.label(RichText::new(tr("Region")).size(theme::SMALL_PX).color(weak));
        if small_button(ui, 1.0, icon::REMOVE, tr("Narrow the change")) {
            commands.push(Command::WidenChange(-WIDEN_PX));
        }
        if small_button(ui, 1.0, icon::ADD, tr("Widen the change")) {
            commands.push(Command::WidenChange(WIDEN_PX));
        }
        let shown = ButtonState::selected_if(editor.chat.show_change);
        let label = tr("Show the region");
        let toggle = icon_button_sized(ui, icon::OVERLAY, label, shown, SMALL_PX);
        if toggle.on_hover_text(label).clicked() {
            commands.push(Command::Do(Action::ToggleChange));
        }
        let moved = editor.history.current() != turn.node;
        if moved && small_button(ui, 1.0, icon::RESET, tr("Back to the region as it was found")) {
            commands.push(Command::GoTo(turn.node));
        }
    });
}

/// The picture after a turn; a click goes to its state, a double click compares it.
fn picture_ui(
    ui: &mut Ui,
    editor: &Editor,
    turn: &Turn,
    state: &mut ChatState,
    commands: &mut Vec<Command>,
) {
    let node = editor.history.node(turn.node);
    let image = node.and_then(|node| node.thumbnail.as_ref());
    let side = PICTURE_PX.min(ui.available_width());
    let size = match image {
        Some(image) => {
            let frame = Rect::from_min_size(ui.cursor().min, vec2(side, side));
            panel_parts::fitted_rect(frame, image.extent()).size()
        }
        None => vec2(side, side * 0.75),
    };
    let (rect, response) = ui.allocate_exact_size(size + vec2(2.0, 2.0), Sense::click());
    let here = editor.history.current() == turn.node;
    let name = trf("Picture after: {message}", &[("message", &short(turn.message()))]);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, here, &name));
    if let Some(image) = image {
        let texture = state.thumbnails.picture(ui.ctx(), image, PICTURE_PX as u32 * 2);
        let inner = rect.shrink(1.0);
        panel_parts::picture(ui, inner, texture, image.extent(), PictureFrame::Checkers, 1.0);
    } else {
        ui.painter().rect_filled(rect, theme::RADIUS, colors(ui).field);
        ui.put(rect, egui::Spinner::new());
    }
    let colors = colors(ui);
    let line = if here || response.has_focus() {
        Stroke::new(2.0, colors.accent_text)
    } else if response.hovered() {
        Stroke::new(2.0, colors.outline)
    } else {
        Stroke::new(1.0, colors.line)
    };
    ui.painter().rect_stroke(rect, theme::RADIUS, line, StrokeKind::Inside);
    if response.double_clicked()
        && let Some(asked_at) = turn.asked_at
    {
        let (before, after) = (CompareSide::Node(asked_at), CompareSide::Node(turn.node));
        commands.push(Command::CompareSides(before, after));
    } else if response.clicked() && !here {
        commands.push(Command::GoTo(turn.node));
    }
    response.on_hover_text(tr(
        "A click goes to this state, a double click compares it with the one before",
    ));
}

fn remark_ui(ui: &mut Ui, remark: &str) {
    let color = colors(ui).warning;
    let small = |text: &str| RichText::new(text).size(theme::SMALL_PX).color(color);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        ui.label(small(icon::WARNING));
        ui.add(Label::new(small(remark)).wrap());
    });
}

/// The message that is being answered, with what there is of the answer.
fn pending_ui(
    ui: &mut Ui,
    editor: &Editor,
    waits: &Pending,
    state: &mut ChatState,
    commands: &mut Vec<Command>,
) {
    let Some(turn) = &editor.chat.pending else { return };
    message_ui(ui, &turn.message.text);
    if !turn.message.attachments.is_empty() {
        attached_ui(ui, &turn.message.attachments, state);
    }
    ui.add_space(theme::SPACE_XS);
    let words = written(&turn.words);
    if !words.is_empty() {
        words_ui(ui, words);
    }
    let id = editor.jobs.job(waits.job).and_then(|job| job.id);
    if let Some(preview) = editor.preview.as_ref().filter(|preview| Some(preview.job) == id) {
        let side = PICTURE_PX.min(ui.available_width());
        let frame = Rect::from_min_size(ui.cursor().min, vec2(side, side));
        let size = panel_parts::fitted_rect(frame, preview.image.extent()).size();
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        let texture = state.thumbnails.picture(ui.ctx(), &preview.image, PICTURE_PX as u32 * 2);
        let extent = preview.image.extent();
        panel_parts::picture(ui, rect, texture, extent, PictureFrame::Checkers, 1.0);
        response.widget_info(|| {
            WidgetInfo::labeled(Role::Image, true, tr("The picture as it is drawn"))
        });
    }
    if let Some(remark) = &turn.remark {
        remark_ui(ui, remark);
    }
    progress_ui(ui, waits, commands);
    ui.add_space(theme::SPACE_S);
}

fn progress_ui(ui: &mut Ui, waits: &Pending, commands: &mut Vec<Command>) {
    let colors = colors(ui);
    ui.horizontal(|ui| {
        let width = ui.available_width() - theme::BUTTON_PX - theme::SPACE_S;
        let size = vec2(width, theme::BUTTON_PX);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        let percent = (waits.done * 100.0).round();
        response.widget_info(|| {
            let label = tr("Progress of the answer");
            let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, label);
            info.value = Some(f64::from(percent));
            info
        });
        let text_rect = Rect::from_min_max(rect.min, rect.max - vec2(0.0, 8.0));
        let layout = Layout::left_to_right(Align::Center);
        let mut text_ui = ui.new_child(UiBuilder::new().max_rect(text_rect).layout(layout));
        let left = waits.left.as_deref().map(|left| format!(" · {left}")).unwrap_or_default();
        let text = RichText::new(format!("{}{left}", waits.stage)).size(theme::SMALL_PX);
        text_ui.add(Label::new(text.color(colors.text_weak)).truncate());
        let bar = Rect::from_min_max(egui::pos2(rect.left(), rect.bottom() - 6.0), rect.max);
        panel_parts::bar(ui, bar, waits.done, colors.accent);
        let stop = ButtonState::enabled_if(waits.stoppable);
        let tooltip = tr("Your message comes back, to be changed or sent again");
        if icon_button(ui, icon::STOP, tr("Stop the answer"), tooltip, stop).clicked() {
            commands.push(Command::CancelJob(waits.job));
        }
    });
}

/// Turns on lines below: what was undone, or what can be gone on with.
fn next_ui(ui: &mut Ui, editor: &Editor, next: &[NodeId], commands: &mut Vec<Command>) {
    if next.is_empty() {
        return;
    }
    let weak = colors(ui).text_weak;
    ui.label(RichText::new(tr("Said after this:")).size(theme::SMALL_PX).color(weak));
    for &node in next.iter().rev().take(MOST_NEXT) {
        let Some(turn) = editor.history.node(node).and_then(Turn::of) else { continue };
        let text = format!("{} {}", icon::NEXT, short(turn.message()));
        let label = trf("Go on with: {message}", &[("message", &short(turn.message()))]);
        let chip = chip_ui(ui, &text).accessible_name(label.as_str());
        if chip.on_hover_text(label).clicked() {
            commands.push(Command::GoTo(line_end(&editor.history, node)));
        }
    }
}

/// An answer that came while the user had gone elsewhere.
fn elsewhere_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let Some(node) = editor.chat.elsewhere else { return };
    let current = editor.history.current();
    if current == node || editor.history.is_ancestor(node, current) {
        return;
    }
    let colors = colors(ui);
    Frame::new()
        .fill(colors.panel_raised)
        .stroke(Stroke::new(1.0, colors.line))
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::same(theme::SPACE_S as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let text = RichText::new(tr("The last answer is on a branch of its own."));
            ui.add(Label::new(text.size(theme::SMALL_PX)).wrap());
            if ui.button(tr("Go to the answer")).clicked() {
                commands.push(Command::GoTo(node));
            }
        });
}
