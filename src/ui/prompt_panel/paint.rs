//! Drawing of the prompt's panel.

use egui::{
    Button, ComboBox, DragValue, Id, IntoAtoms as _, Key, KeyboardShortcut, Label, Modifiers, Rect,
    RichText, Role, ScrollArea, Sense, TextEdit, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::editor::{Action, Command, Editor, Generation, Shortcut};
use crate::engine::catalog::ModelInfo;
use crate::locale::{tr, trf};
use crate::ui::panel_parts;
use crate::ui::prompt_panel::model::{self, Running, WORK, hindrance};
use crate::ui::prompt_panel::settings;
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{
    ActionStyle, ButtonState, action_button, action_tooltip, icon_button, primary_button, row,
    shortcut_of,
};

const LEAST_ROWS: usize = 3;
const MOST_ROWS: usize = 8;
const MAIN_BUTTON_PX: f32 = 36.0;
const CHIP_PX: f32 = 24.0;
/// A panel offers so many pictures at once; more come from asking again.
const MOST_PICTURES: u32 = 8;

/// What the prompt's panel remembers.
#[derive(Default)]
pub struct PromptState {
    focus: bool,
    // The seed while it is being typed.
    seed: Option<String>,
}

impl PromptState {
    /// Puts the cursor into the prompt when the panel is drawn next.
    pub const fn request_focus(&mut self) {
        self.focus = true;
    }
}

/// Prompt, main button and settings.
pub fn prompt_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut PromptState,
    commands: &mut Vec<Command>,
) {
    let mut generation = editor.generation.clone();
    prompt_field_ui(ui, editor, state, &mut generation, commands);
    examples_ui(ui, editor, &mut generation);
    remark_ui(ui, editor);
    start_ui(ui, editor, commands);
    if let Some(running) = model::running(editor) {
        running_ui(ui, editor, &running, commands);
    }
    ui.add_space(theme::SPACE_XS);
    model_ui(ui, editor, &mut generation);
    count_ui(ui, &mut generation);
    seed_ui(ui, editor, state, &mut generation, commands);
    settings::settings_ui(ui, editor, &mut generation);
    if generation != editor.generation {
        commands.push(Command::SetGeneration(Box::new(generation)));
    }
}

fn prompt_field_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut PromptState,
    generation: &mut Generation,
    commands: &mut Vec<Command>,
) {
    let id = Id::unique("gesso prompt");
    if ui.memory(|memory| memory.has_focus(id)) {
        take_shortcuts(ui, editor, commands);
    }
    let hint = match editor.main_action() {
        Action::FillMask => tr("What should be in the selected part?"),
        _ => tr("What should the picture show?"),
    };
    let rows = LEAST_ROWS..=MOST_ROWS;
    let response = text_area_ui(ui, id, &mut generation.prompt, hint, rows);
    let response = response.accessible_name(tr("Prompt"));
    if std::mem::take(&mut state.focus) {
        response.request_focus();
    }
    let older = shortcut_of(&editor.keymap, Action::PromptOlder);
    let newer = shortcut_of(&editor.keymap, Action::PromptNewer);
    if let (Some(older), Some(newer), false) = (older, newer, response.has_focus()) {
        let values: &[(&str, &dyn std::fmt::Display)] = &[("older", &older), ("newer", &newer)];
        response.on_hover_text(trf("{older} and {newer} bring back other prompts", values));
    }
}

/// A field for text that grows with it; from the last of `rows` on, it scrolls within its frame.
pub(crate) fn text_area_ui(
    ui: &mut Ui,
    id: Id,
    text: &mut String,
    hint: &'static str,
    rows: std::ops::RangeInclusive<usize>,
) -> egui::Response {
    let colors = colors(ui);
    let line_px = ui.text_style_height(&egui::TextStyle::Body);
    let line = if ui.memory(|memory| memory.has_focus(id)) {
        egui::Stroke::new(2.0, colors.accent_text)
    } else {
        egui::Stroke::new(1.0, colors.line)
    };
    let inner = egui::Margin::symmetric(8, 6);
    egui::Frame::new()
        .fill(colors.field)
        .stroke(line)
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin::same(2 - line.width as i8))
        .show(ui, |ui| {
            ScrollArea::vertical()
                .id_salt(id)
                .max_height(line_px * *rows.end() as f32 + 12.0)
                .show(ui, |ui| {
                    TextEdit::multiline(text)
                        .id(id)
                        .hint_text(hint)
                        .frame(egui::Frame::new().inner_margin(inner))
                        .desired_width(f32::INFINITY)
                        .desired_rows(*rows.start())
                        .show(ui)
                        .response
                        .response
                })
                .inner
        })
        .inner
}

/// Shortcuts that must work while the cursor is in the prompt.
fn take_shortcuts(ui: &Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let ours = [
        Action::Generate,
        Action::FillMask,
        Action::Vary,
        Action::PromptOlder,
        Action::PromptNewer,
    ];
    for action in ours {
        let shortcuts: Vec<KeyboardShortcut> =
            editor.keymap.shortcuts(action).filter_map(keyboard_shortcut).collect();
        for shortcut in shortcuts {
            let typed = !shortcut.modifiers.command && !shortcut.modifiers.alt;
            if !typed && ui.input_mut(|input| input.consume_shortcut(&shortcut)) {
                commands.push(Command::Do(action));
            }
        }
    }
}

fn keyboard_shortcut(shortcut: &Shortcut) -> Option<KeyboardShortcut> {
    let mut modifiers = Modifiers::NONE;
    let mut key = None;
    for part in shortcut.as_str().split('+') {
        match part {
            "Ctrl" => modifiers.command = true,
            "Alt" => modifiers.alt = true,
            "Shift" => modifiers.shift = true,
            name => key = Key::from_name(name),
        }
    }
    Some(KeyboardShortcut::new(modifiers, key?))
}

/// Prompts that show the model well, while there is none yet.
fn examples_ui(ui: &mut Ui, editor: &Editor, generation: &mut Generation) {
    let Some(model) = editor.chosen_model() else { return };
    if !generation.prompt.trim().is_empty() || model.example_prompts.is_empty() {
        return;
    }
    ui.label(
        RichText::new(tr("Try one of these:")).size(theme::SMALL_PX).color(colors(ui).text_weak),
    );
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::SPACE_XS + 2.0, theme::SPACE_XS + 2.0);
        for example in model.example_prompts.iter().take(4) {
            if chip_ui(ui, example).on_hover_text(tr("Use this prompt")).clicked() {
                generation.prompt.clone_from(example);
            }
        }
    });
}

/// A chip that is as wide as its text and no wider than the panel.
pub(crate) fn chip_ui(ui: &mut Ui, text: &str) -> egui::Response {
    let row_px = ui.max_rect().width();
    let font = egui::FontId::new(theme::SMALL_PX, egui::FontFamily::Proportional);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, colors(ui).text);
    let needed = galley.size().x + 2.0 * ui.spacing().button_padding.x + 2.0;
    let chip = Button::new(RichText::new(text).size(theme::SMALL_PX))
        .corner_radius(12)
        .min_size(vec2(needed.min(row_px), CHIP_PX));
    // Only what is wider than a whole row is cut; anything else goes on to the next one.
    if needed > row_px {
        ui.add(chip.truncate())
    } else {
        ui.add(chip.wrap_mode(egui::TextWrapMode::Extend))
    }
}

/// What the model said about the last prompt: words that it does not know, or that it was too long.
fn remark_ui(ui: &mut Ui, editor: &Editor) {
    let Some(remark) = &editor.prompt_remark else { return };
    let color = colors(ui).warning;
    let small = |text: &str| RichText::new(text).size(theme::SMALL_PX).color(color);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        ui.label(small(icon::WARNING));
        ui.add(Label::new(small(remark)).wrap());
    });
}

/// The main button with a menu of everything else that a model can do.
fn start_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    let action = editor.main_action();
    let hindered = hindrance(action, editor);
    let gap = 2.0;
    let menu_px = MAIN_BUTTON_PX - 4.0;
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), MAIN_BUTTON_PX));
    let main = Rect::from_min_max(rect.min, pos2(rect.right() - menu_px - gap, rect.bottom()));
    let menu = Rect::from_min_max(pos2(rect.right() - menu_px, rect.top()), rect.max);
    let label = tr(action.info().label);

    let response = ui
        .scope_builder(UiBuilder::new().max_rect(main), |ui| {
            ui.spacing_mut().interact_size = main.size();
            if hindered.is_some() {
                ui.disable();
            }
            let layout = egui::Layout::centered_and_justified(egui::Direction::LeftToRight);
            ui.with_layout(layout, |ui| {
                let sign = icon::of_action(action).unwrap_or(icon::GENERATE);
                let text = theme::semibold(label).size(theme::TEXT_PX + 1.0);
                let sign = RichText::new(sign).size(theme::ICON_PX);
                primary_button(ui, (sign, text).into_atoms())
            })
            .inner
        })
        .inner;
    response.widget_info(|| WidgetInfo::labeled(Role::Button, hindered.is_none(), label));
    if response.clicked() {
        commands.push(Command::Do(action));
    }
    let response = response.on_hover_ui(|ui| action_tooltip(ui, editor, action));
    if let Some(reason) = &hindered {
        response.on_disabled_hover_text(reason);
    }

    let opener = ui
        .scope_builder(UiBuilder::new().max_rect(menu), |ui| {
            let layout = egui::Layout::centered_and_justified(egui::Direction::LeftToRight);
            ui.with_layout(layout, |ui| {
                ui.spacing_mut().button_padding.x = 0.0;
                ui.add(Button::new(RichText::new(icon::OPENED).size(theme::TEXT_PX)))
            })
            .inner
        })
        .inner;
    let opener = opener.accessible_name(tr("More that a model can do"));
    egui::Popup::menu(&opener).align(egui::RectAlign::BOTTOM_END).width(220.0).show(|ui| {
        work_menu_ui(ui, editor, commands);
    });
    opener.on_hover_text(tr("More that a model can do"));
}

fn work_menu_ui(ui: &mut Ui, editor: &Editor, commands: &mut Vec<Command>) {
    for action in WORK {
        let hindered = hindrance(action, editor);
        let sign = icon::of_action(action).unwrap_or(icon::GENERATE);
        let shortcut = shortcut_of(&editor.keymap, action).unwrap_or_default();
        let label = tr(action.info().label);
        let button = Button::new((RichText::new(sign).size(theme::ICON_PX), label).into_atoms())
            .shortcut_text(shortcut);
        let response = ui.add_enabled(hindered.is_none(), button);
        response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, hindered.is_none(), label));
        if response.clicked() {
            commands.push(Command::Do(action));
        }
        let response = response.on_hover_text(tr(action.info().tooltip));
        if let Some(reason) = &hindered {
            response.on_disabled_hover_text(reason);
        }
    }
}

fn running_ui(ui: &mut Ui, editor: &Editor, running: &Running, commands: &mut Vec<Command>) {
    let colors = colors(ui);
    ui.horizontal(|ui| {
        let width = ui.available_width() - theme::BUTTON_PX - theme::SPACE_S;
        let (rect, response) =
            ui.allocate_exact_size(vec2(width, theme::BUTTON_PX), Sense::hover());
        let percent = (running.done * 100.0).round();
        response.widget_info(|| {
            let mut info =
                WidgetInfo::labeled(Role::ProgressIndicator, true, tr("Progress of the job"));
            info.value = Some(f64::from(percent));
            info
        });
        let text_rect = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - 8.0));
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        let mut text_ui = ui.new_child(UiBuilder::new().max_rect(text_rect).layout(layout));
        let weak = |text: String| RichText::new(text).size(theme::SMALL_PX).color(colors.text_weak);
        let mut stage = running.stage.to_owned();
        if running.waiting > 0 {
            stage = format!("{stage} · {}", trf("{count} waiting", &[("count", &running.waiting)]));
        }
        text_ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let text = match &running.left {
                Some(left) => format!("{percent:.0} % · {left}"),
                None => format!("{percent:.0} %"),
            };
            ui.label(weak(text));
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.add(Label::new(RichText::new(stage).size(theme::SMALL_PX)).truncate());
            });
        });
        let bar = Rect::from_min_max(pos2(rect.left(), rect.bottom() - 6.0), rect.max);
        panel_parts::bar(ui, bar, running.done, colors.accent);
        action_button(ui, editor, Action::CancelJob, ActionStyle::Icon, commands);
    });
}

fn model_ui(ui: &mut Ui, editor: &Editor, generation: &mut Generation) {
    let Some(catalog) = editor.catalog.as_deref() else {
        row(ui, tr("Model"), |ui| {
            ui.spinner();
            ui.label(RichText::new(tr("Looking for models…")).color(colors(ui).text_weak));
        });
        return;
    };
    let chosen = editor.chosen_model();
    let name = match (chosen, &generation.model) {
        (Some(model), _) => model.name.clone(),
        (None, Some(id)) => trf("{name} (missing)", &[("name", id)]),
        (None, None) => tr("No model").to_owned(),
    };
    row(ui, tr("Model"), |ui| {
        let combo = ComboBox::from_id_salt("model")
            .width(ui.available_width())
            .truncate()
            .selected_text(name)
            .show_ui(ui, |ui| {
                for model in &catalog.models {
                    model_choice_ui(ui, model, chosen, generation);
                }
            });
        if let Some(model) = chosen {
            combo.response.on_hover_ui(|ui| model_tooltip_ui(ui, model));
        }
    });
}

fn model_choice_ui(
    ui: &mut Ui,
    model: &ModelInfo,
    chosen: Option<&ModelInfo>,
    generation: &mut Generation,
) {
    let is_chosen = chosen.is_some_and(|chosen| chosen.id == model.id);
    let size = model::size_label(model).unwrap_or_default();
    let size = RichText::new(size).size(theme::SMALL_PX).color(colors(ui).text_weak);
    let button = Button::new(&*model.name).selected(is_chosen).right_text(size);
    let enabled = model.missing_files.is_empty();
    let response = ui.add_enabled(enabled, button);
    let response = response.on_hover_ui(|ui| model_tooltip_ui(ui, model));
    let response = response.on_disabled_hover_text(tr("Files of this model are missing"));
    if response.clicked() && !is_chosen {
        generation.model = Some(model.id.clone());
        // Numbers that suited another model would be kept silently.
        generation.steps = None;
        generation.sampler = None;
        generation.guidance = None;
        generation.clip_guidance = None;
    }
}

fn model_tooltip_ui(ui: &mut Ui, model: &ModelInfo) {
    ui.label(theme::semibold(&*model.name));
    ui.label(&*model.summary);
    let mut facts = vec![model::size_label(model).unwrap_or_default()];
    facts.push(crate::ui::history_panel::bytes_label(model.bytes as usize));
    facts.retain(|fact| !fact.is_empty());
    let weak = colors(ui).text_weak;
    ui.label(RichText::new(facts.join(" · ")).size(theme::SMALL_PX).color(weak));
}

/// How many pictures: a number between two buttons.
fn count_ui(ui: &mut Ui, generation: &mut Generation) {
    row(ui, tr("Pictures"), |ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        let count = generation.count;
        let fewer = ButtonState::enabled_if(count > 1);
        if icon_button(ui, icon::REMOVE, tr("One picture fewer"), "", fewer).clicked() {
            generation.count = count - 1;
        }
        let field = DragValue::new(&mut generation.count).range(1..=MOST_PICTURES).speed(0.05);
        ui.add_sized(vec2(40.0, theme::BUTTON_PX), field)
            .accessible_name(tr("Number of pictures"))
            .on_hover_text(tr("How many pictures one job makes, each from its own seed"));
        let more = ButtonState::enabled_if(count < MOST_PICTURES);
        if icon_button(ui, icon::ADD, tr("One picture more"), "", more).clicked() {
            generation.count = count + 1;
        }
    });
}

fn seed_ui(
    ui: &mut Ui,
    editor: &Editor,
    state: &mut PromptState,
    generation: &mut Generation,
    commands: &mut Vec<Command>,
) {
    row(ui, tr("Seed"), |ui| {
        let spacing = theme::SPACE_XS;
        ui.spacing_mut().item_spacing.x = spacing;
        let width = ui.available_width() - 2.0 * (theme::BUTTON_PX + spacing);
        // A text field, because a dragged number can't hold all 64 bits.
        let mut text = state.seed.take().unwrap_or_else(|| generation.seed.to_string());
        let field = TextEdit::singleline(&mut text)
            .desired_width(width)
            .char_limit(20)
            .align(egui::Align2::LEFT_CENTER);
        let response = ui.add(field).accessible_name(tr("Seed"));
        if response.changed() {
            text.retain(|sign| sign.is_ascii_digit());
            if let Ok(seed) = text.parse() {
                generation.seed = seed;
            }
        }
        if response.has_focus() {
            state.seed = Some(text);
        }
        response.on_hover_ui(|ui| {
            ui.label(theme::semibold(generation.seed.to_string()));
            ui.label(tr("The same seed and settings give the same picture again"));
        });
        action_button(ui, editor, Action::RollSeed, ActionStyle::Icon, commands);
        action_button(ui, editor, Action::ToggleSeedLock, ActionStyle::Icon, commands);
    });
}
