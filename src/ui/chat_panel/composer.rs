//! Where the next message is written.

use egui::{
    Align, Button, ComboBox, DragValue, Id, Key, Label, Layout, Modifiers, RichText, Role, Sense,
    Ui, WidgetInfo, vec2,
};

use crate::editor::{
    Action, AnswerWish, ChatOptions, Command, Editor, Generation, MOST_ATTACHMENTS,
};
use crate::engine::catalog::{Ability, ModelInfo};
use crate::engine::family::Purpose;
use crate::locale::{tr, trf};
use crate::ui::chat_panel::model::{hindrance, wish_label, wish_tooltip};
use crate::ui::chat_panel::paint::ChatState;
use crate::ui::panel_parts::{self, PictureFrame};
use crate::ui::prompt_panel::text_area_ui;
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{ButtonState, action_tooltip, icon_button, icon_button_sized, row};

const LEAST_ROWS: usize = 2;
const MOST_ROWS: usize = 6;
/// Side of a picture that is to be shown with the message.
const ATTACHED_PX: f32 = 44.0;
const SETTINGS_PX: f32 = 300.0;

/// The next message with everything that belongs to it.
pub(super) fn composer_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut ChatState,
    commands: &mut Vec<Command>,
) {
    ui.spacing_mut().item_spacing.y = theme::SPACE_XS;
    if editor.chat.edited.is_some() {
        edited_ui(ui, commands);
    }
    attachments_ui(ui, editor, state, commands);
    field_ui(ui, editor, state, commands);
    buttons_ui(ui, editor, commands);
}

/// That an earlier message is being changed.
fn edited_ui(ui: &mut Ui, commands: &mut Vec<Command>) {
    let accent = colors(ui).accent_text;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        ui.label(RichText::new(icon::RENAME).color(accent));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let side = theme::BUTTON_PX - 6.0;
            let label = tr("Leave the earlier message as it is");
            let cancel = icon_button_sized(ui, icon::CLOSE, label, ButtonState::Normal, side);
            if cancel.on_hover_text(label).clicked() {
                commands.push(Command::CancelEditMessage);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let text = tr("Changing an earlier message; its line stays");
                ui.add(Label::new(RichText::new(text).size(theme::SMALL_PX)).truncate());
            });
        });
    });
}

fn attachments_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut ChatState,
    commands: &mut Vec<Command>,
) {
    if editor.chat.attachments.is_empty() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::SPACE_XS, theme::SPACE_XS);
        for (place, attachment) in editor.chat.attachments.iter().enumerate() {
            let size = vec2(ATTACHED_PX, ATTACHED_PX);
            let (rect, response) = ui.allocate_exact_size(size, Sense::click());
            let texture = state.thumbnails.picture(ui.ctx(), &attachment.image, 96);
            let extent = attachment.image.extent();
            panel_parts::picture(ui, rect, texture, extent, PictureFrame::Checkers, 1.0);
            let name = trf("Take away: {name}", &[("name", &attachment.name)]);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
            if response.hovered() || response.has_focus() {
                let colors = colors(ui);
                let at = rect.right_top() + vec2(-10.0, 10.0);
                ui.painter().circle_filled(at, 9.0, colors.panel);
                let font = egui::FontId::proportional(12.0);
                let center = egui::Align2::CENTER_CENTER;
                ui.painter().text(at, center, icon::CLOSE, font, colors.text);
            }
            if response.clicked() {
                commands.push(Command::Detach(place));
            }
            response.on_hover_text(name);
        }
    });
}

fn field_ui(ui: &mut Ui, editor: &Editor, state: &mut ChatState, commands: &mut Vec<Command>) {
    let id = Id::unique("gesso message");
    // Enter sends and Shift+Enter breaks the line.
    let sends = ui.memory(|memory| memory.has_focus(id))
        && ui.input_mut(|input| {
            let breaks = input.modifiers.shift || input.modifiers.alt;
            !breaks
                && (input.consume_key(Modifiers::COMMAND, Key::Enter)
                    || input.consume_key(Modifiers::NONE, Key::Enter))
        });
    let hint = match (editor.chat.options.answer, editor.is_untouched()) {
        (AnswerWish::Words, _) => tr("What do you want to know?"),
        (AnswerWish::NewPicture, _) | (_, true) => tr("What should be drawn?"),
        (AnswerWish::Free, false) => tr("What should change? Or ask something."),
    };
    let mut draft = editor.chat.draft.clone();
    let response = text_area_ui(ui, id, &mut draft, hint, LEAST_ROWS..=MOST_ROWS);
    let response = response.accessible_name(tr("Message"));
    if std::mem::take(&mut state.focus) {
        response.request_focus();
    }
    if draft != editor.chat.draft {
        commands.push(Command::SetChatDraft(draft));
    }
    if sends {
        commands.push(Command::Do(Action::SendMessage));
    }
}

fn buttons_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        attach_ui(ui, editor, commands);
        settings_button_ui(ui, editor, commands);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            send_ui(ui, editor, commands);
            wish_ui(ui, editor, commands);
        });
    });
    if let Some(hindrance) = hindrance(editor) {
        let text = RichText::new(hindrance.title).size(theme::SMALL_PX).color(colors(ui).warning);
        ui.add(Label::new(text).wrap());
    }
}

fn attach_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let label = tr("Show a picture with the message");
    let free = editor.chat.attachments.len() < MOST_ATTACHMENTS;
    let tooltip = tr("For its style or what is on it; pictures of the gallery can be dragged here");
    let opener = icon_button(ui, icon::ATTACH, label, tooltip, ButtonState::enabled_if(free));
    egui::Popup::menu(&opener).width(220.0).show(|ui| {
        if ui.button(tr("From a file…")).clicked() {
            commands.push(Command::AskAttachment);
        }
        if ui.button(tr("From the clipboard")).clicked() {
            commands.push(Command::PasteAttachment);
        }
        let newest: Vec<_> = editor.gallery.shown().take(3).collect();
        if !newest.is_empty() {
            ui.separator();
        }
        for item in newest {
            let prompt = crate::ui::queue_panel::prompt_line(&item.record.common().prompt);
            let text = trf("Gallery: {prompt}", &[("prompt", &prompt)]);
            if ui.add(Button::new(text).truncate()).clicked() {
                commands.push(Command::AttachFromGallery(item.id));
            }
        }
    });
}

fn wish_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let mut answer = editor.chat.options.answer;
    let width = ui.available_width().min(150.0);
    let combo = ui
        .scope(|ui| {
            // A truncated text takes what is there, whatever width the box was given.
            ui.set_max_width(width);
            ComboBox::from_id_salt("answer")
                .width(width)
                .truncate()
                .selected_text(wish_label(answer))
                .show_ui(ui, |ui| {
                    for wish in AnswerWish::ALL {
                        ui.selectable_value(&mut answer, wish, wish_label(wish))
                            .on_hover_text(wish_tooltip(wish));
                    }
                })
        })
        .inner;
    combo.response.accessible_name(tr("What is answered")).on_hover_text(wish_tooltip(answer));
    if answer != editor.chat.options.answer {
        let options = ChatOptions { answer, ..editor.chat.options.clone() };
        commands.push(Command::SetChatOptions(Box::new(options)));
    }
}

/// The button that sends.
fn send_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let enabled = editor.why_no_message().is_none();
    let label = tr(Action::SendMessage.info().label);
    let colors = colors(ui);
    let response = ui
        .add_enabled_ui(enabled, |ui| {
            let size = vec2(theme::BUTTON_PX + 8.0, theme::BUTTON_PX);
            let sign = RichText::new(icon::SEND).size(theme::ICON_PX).color(colors.on_accent);
            let button = Button::new(if enabled { sign } else { sign.color(colors.text_weak) });
            ui.add_sized(size, if enabled { button.fill(colors.accent) } else { button })
        })
        .inner;
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, label));
    if response.clicked() {
        commands.push(Command::Do(Action::SendMessage));
    }
    let tooltip = |ui: &mut Ui| {
        action_tooltip(ui, editor, Action::SendMessage);
        let weak = crate::ui::theme::colors(ui).text_weak;
        ui.label(RichText::new(tr("Enter sends, Shift+Enter breaks the line")).color(weak));
    };
    response.on_hover_ui(tooltip).on_disabled_hover_ui(tooltip);
}

fn settings_button_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let opener =
        icon_button(ui, icon::ADJUST, tr("How messages are answered"), "", ButtonState::Normal);
    let popup = egui::Popup::menu(&opener)
        .width(SETTINGS_PX)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    popup.show(|ui| {
        ui.set_width(SETTINGS_PX);
        let mut options = editor.chat.options.clone();
        let mut generation = editor.generation.clone();
        settings_ui(ui, editor, &mut options, &mut generation);
        if options != editor.chat.options {
            commands.push(Command::SetChatOptions(Box::new(options)));
        }
        if generation != editor.generation {
            commands.push(Command::SetGeneration(Box::new(generation)));
        }
    });
}

fn settings_ui(
    ui: &mut Ui,
    editor: &Editor,
    options: &mut ChatOptions,
    generation: &mut Generation,
) {
    let chosen = editor.chat_model();
    model_ui(ui, editor, chosen, options);
    let suggested = chosen.and_then(|model| model.ability(Purpose::Chat));
    steps_ui(ui, suggested, options);
    guidance_ui(ui, suggested, options);
    row(ui, tr("Refine"), |ui| {
        let mut refine = options.refine;
        let choices = [(None, tr("Suggested")), (Some(true), tr("Yes")), (Some(false), tr("No"))];
        let shown = choices.iter().find(|(value, _)| *value == refine).map_or("", |(_, text)| text);
        let combo =
            ComboBox::from_id_salt("refine").width(ui.available_width()).selected_text(shown);
        let combo = combo.show_ui(ui, |ui| {
            for (value, text) in choices {
                ui.selectable_value(&mut refine, value, text);
            }
        });
        combo.response.on_hover_text(tr(
            "Whether what changes is drawn finer by the upsampler before it is brought to full size",
        ));
        options.refine = refine;
    });
    row(ui, tr("Seed"), |ui| {
        let text = tr("Keep the seed for each message");
        ui.checkbox(&mut generation.seed_locked, text)
            .on_hover_text(trf("The next seed is {seed}", &[("seed", &generation.seed)]));
    });
}

fn model_ui(ui: &mut Ui, editor: &Editor, chosen: Option<&ModelInfo>, options: &mut ChatOptions) {
    row(ui, tr("Model"), |ui| {
        let name = chosen.map_or_else(|| tr("No model").to_owned(), |model| model.name.clone());
        let combo = ComboBox::from_id_salt("chat model")
            .width(ui.available_width())
            .truncate()
            .selected_text(name);
        let models = editor.catalog.as_deref().map(|catalog| catalog.models.as_slice());
        combo.show_ui(ui, |ui| {
            let can_chat = |model: &&ModelInfo| model.ability(Purpose::Chat).is_some();
            for model in models.unwrap_or_default().iter().filter(can_chat) {
                let own = chosen.is_some_and(|chosen| chosen.id == model.id);
                let button = Button::new(&*model.name).selected(own);
                if ui.add(button).on_hover_text(&*model.summary).clicked() && !own {
                    options.model = Some(model.id.clone());
                    // Numbers that suited another model would be kept silently.
                    options.steps = None;
                    options.guidance = None;
                }
            }
        });
    });
}

fn steps_ui(ui: &mut Ui, suggested: Option<&Ability>, options: &mut ChatOptions) {
    let usual = suggested.and_then(|ability| ability.base.as_ref()).map_or(50, |base| base.steps);
    row(ui, tr("Steps"), |ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        let mut steps = options.steps.unwrap_or(usual);
        let width = ui.available_width() - theme::BUTTON_PX - theme::SPACE_XS;
        let field = DragValue::new(&mut steps)
            .range(1..=1000)
            .speed(0.3)
            .suffix(if options.steps.is_none() { tr(" · suggested") } else { "" });
        let response = ui.add_sized(vec2(width, theme::BUTTON_PX), field);
        if response.changed() {
            options.steps = Some(steps);
        }
        response.on_hover_text(tr("More steps are slower and often better, up to a point"));
        if options.steps.is_some()
            && icon_button(ui, icon::RESET, tr("Suggested steps"), "", ButtonState::Normal)
                .clicked()
        {
            options.steps = None;
        }
    });
}

fn guidance_ui(ui: &mut Ui, suggested: Option<&Ability>, options: &mut ChatOptions) {
    let usual =
        suggested.and_then(|ability| ability.base.as_ref()).map_or(3.0, |base| base.guidance);
    row(ui, tr("Guidance"), |ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        let mut guidance = options.guidance.unwrap_or(usual);
        let width = ui.available_width() - theme::BUTTON_PX - theme::SPACE_XS;
        let field = DragValue::new(&mut guidance)
            .range(1.0..=20.0)
            .speed(0.05)
            .max_decimals(1)
            .suffix(if options.guidance.is_none() { tr(" · suggested") } else { "" });
        let response = ui.add_sized(vec2(width, theme::BUTTON_PX), field);
        if response.changed() {
            options.guidance = Some(guidance);
        }
        response.on_hover_text(tr("How strongly to follow the message; 1 is not at all"));
        if options.guidance.is_some()
            && icon_button(ui, icon::RESET, tr("Suggested guidance"), "", ButtonState::Normal)
                .clicked()
        {
            options.guidance = None;
        }
    });
}
