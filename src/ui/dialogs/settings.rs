//! The settings, which take effect at once.

use egui::{ComboBox, DragValue, RichText, Ui, vec2};

use crate::editor::{Action, Command, Editor, FolderSetting};
use crate::engine::device::{DeviceChoice, Precision};
use crate::locale::{Language, tr, trf};
use crate::preferences::{LanguageChoice, MaskDisplay, Preferences, Theme};
use crate::ui::dialogs::{DialogFrame, Footer};
use crate::ui::status_bar::bytes_text;
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{
    ButtonState, LabeledSlider, Segment, color_button, icon_button, number_field, row_of_width,
    segmented,
};

/// Sizes of the window's contents that are offered, in percent.
const UI_SCALES: [u32; 6] = [80, 100, 125, 150, 175, 200];
/// Width of the labels.
const LABEL_PX: f32 = 176.0;
/// Memory for undo that can be chosen, in megabytes.
const HISTORY_MB: std::ops::RangeInclusive<u64> = 64..=65536;

/// Which part is shown, and numbers that are still being changed.
#[derive(Clone, Debug, Default)]
pub(super) struct SettingsForm {
    part: Part,
    draft: Option<Preferences>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Look,
    Models,
    Canvas,
    Files,
}

/// The dialog.
pub(super) fn show(ui: &Ui, editor: &Editor, form: &mut SettingsForm, commands: &mut Vec<Command>) {
    let mut preferences = form.draft.take().unwrap_or_else(|| editor.preferences.clone());
    let mut reset = false;
    let footer = DialogFrame::new("settings", tr("Settings")).width(640.0).show(
        ui,
        |ui| {
            segmented(
                ui,
                &mut form.part,
                &[
                    Segment::text(Part::Look, tr("Look")),
                    Segment::text(Part::Models, tr("Models")),
                    Segment::text(Part::Canvas, tr("Canvas")),
                    Segment::text(Part::Files, tr("Files")),
                ],
            );
            ui.add_space(theme::SPACE_S);
            // One height for all parts, so that the window stays where it is.
            let width = ui.available_width();
            ui.allocate_ui(vec2(width, 316.0), |ui| {
                ui.set_min_height(316.0);
                egui::ScrollArea::vertical().id_salt(form.part as u8).show(ui, |ui| {
                    match form.part {
                        Part::Look => look_ui(ui, &mut preferences),
                        Part::Models => models_ui(ui, editor, &mut preferences, commands),
                        Part::Canvas => canvas_ui(ui, &mut preferences),
                        Part::Files => files_ui(ui, &mut preferences, commands),
                    }
                });
            });
        },
        |ui, _| {
            reset = ui
                .button(tr("Back to the defaults"))
                .on_hover_text(tr("Everything in this part as it is after installing"))
                .clicked();
            Footer::close_only(ui)
        },
    );
    if reset {
        reset_part(form.part, &mut preferences);
    }
    let ctx = ui.ctx();
    if preferences != editor.preferences {
        // A number that is still being dragged or typed must not restart the engine at each step.
        let unfinished = ctx.egui_is_using_pointer() || ctx.text_edit_focused();
        if unfinished && footer == Footer::Open {
            form.draft = Some(preferences);
        } else {
            commands.push(Command::SetPreferences(Box::new(preferences)));
        }
    }
    if footer != Footer::Open {
        commands.push(Command::SetDialog(None));
    }
}

/// Gives one part's settings their defaults.
fn reset_part(part: Part, preferences: &mut Preferences) {
    let usual = Preferences::default();
    match part {
        Part::Look => {
            preferences.theme = usual.theme;
            preferences.language = usual.language;
            preferences.ui_scale = usual.ui_scale;
        }
        Part::Models => {
            preferences.device = usual.device;
            preferences.precision = usual.precision;
            preferences.engine_threads = usual.engine_threads;
            preferences.memory_budget_bytes = usual.memory_budget_bytes;
            preferences.models_folder = usual.models_folder;
        }
        Part::Canvas => {
            preferences.mask_color = usual.mask_color;
            preferences.mask_display = usual.mask_display;
            preferences.checker_size = usual.checker_size;
            preferences.grid_zoom = usual.grid_zoom;
            preferences.history_budget_bytes = usual.history_budget_bytes;
        }
        Part::Files => {
            preferences.pictures_folder = usual.pictures_folder;
            preferences.library_limit_bytes = usual.library_limit_bytes;
        }
    }
}

fn setting<R>(ui: &mut Ui, label: &str, add_control: impl FnOnce(&mut Ui) -> R) -> R {
    row_of_width(ui, label, LABEL_PX, add_control)
}

fn hint(ui: &mut Ui, text: &str) {
    ui.horizontal(|ui| {
        ui.add_space(LABEL_PX + ui.spacing().item_spacing.x);
        let text = RichText::new(text).color(colors(ui).text_weak).small();
        ui.add(egui::Label::new(text).wrap());
    });
}

fn look_ui(ui: &mut Ui, preferences: &mut Preferences) {
    setting(ui, tr("Colors"), |ui| {
        segmented(
            ui,
            &mut preferences.theme,
            &[
                Segment::text(Theme::System, tr("As the system")),
                Segment::text(Theme::Dark, tr("Dark")),
                Segment::text(Theme::Light, tr("Light")),
            ],
        );
    });
    setting(ui, tr("Language"), |ui| {
        let name = |choice: LanguageChoice| match choice {
            LanguageChoice::System => tr("As the system"),
            LanguageChoice::Chosen(language) => language.own_name(),
        };
        let all = Language::ALL
            .into_iter()
            .filter(|language| language.is_translated())
            .map(LanguageChoice::Chosen);
        combo(
            ui,
            "language",
            &mut preferences.language,
            std::iter::once(LanguageChoice::System).chain(all),
            name,
        );
    });
    setting(ui, tr("Size of the interface"), |ui| {
        let mut percent = (preferences.ui_scale * 100.0).round() as u32;
        let labels: Vec<String> = UI_SCALES.iter().map(|scale| format!("{scale} %")).collect();
        let segments: Vec<Segment<'_, u32>> = UI_SCALES
            .iter()
            .zip(&labels)
            .map(|(scale, label)| Segment::text(*scale, label.as_str()))
            .collect();
        if segmented(ui, &mut percent, &segments) {
            preferences.ui_scale = percent as f32 / 100.0;
        }
    });
    hint(ui, tr("On top of the size that the system gives to all windows."));
}

fn models_ui(
    ui: &mut Ui,
    editor: &Editor,
    preferences: &mut Preferences,
    commands: &mut Vec<Command>,
) {
    setting(ui, tr("Device"), |ui| {
        let there = |device: &DeviceChoice| match device {
            DeviceChoice::Auto | DeviceChoice::Cpu => true,
            DeviceChoice::Cuda => cfg!(feature = "cuda"),
            DeviceChoice::Metal => cfg!(feature = "metal"),
        };
        let chosen = preferences.device;
        let all = [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Cuda, DeviceChoice::Metal];
        // What the user chose in another build stays visible.
        let shown = all.into_iter().filter(|device| there(device) || *device == chosen);
        combo(ui, "device", &mut preferences.device, shown, device_text);
    });
    setting(ui, tr("Precision"), |ui| {
        let all = [Precision::Auto, Precision::Fp32, Precision::Fp16, Precision::Bf16];
        combo(ui, "precision", &mut preferences.precision, all.into_iter(), precision_text);
    });
    hint(ui, tr("32 bits give the same pictures everywhere; 16 bits take half the memory."));
    setting(ui, tr("Threads"), |ui| {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        optional(ui, &mut preferences.engine_threads, cores, |ui, threads| {
            let field = DragValue::new(threads).range(1..=256).speed(0.1);
            number_field(ui, tr("Threads"), 100.0, field);
        });
    });
    setting(ui, tr("Memory for models"), |ui| {
        const GB: f64 = (1_u64 << 30) as f64;
        optional(ui, &mut preferences.memory_budget_bytes, 8 << 30, |ui, bytes| {
            let mut amount = *bytes as f64 / GB;
            let field = DragValue::new(&mut amount)
                .range(0.5..=1024.0)
                .speed(0.1)
                .max_decimals(1)
                .suffix(" GB");
            if number_field(ui, tr("Memory for models"), 100.0, field).changed() {
                *bytes = (amount * GB) as u64;
            }
        });
    });
    let folder = preferences.models_folder.clone();
    folder_ui(
        ui,
        tr("Folder of models"),
        folder.as_deref(),
        FolderSetting::Models,
        commands,
        || {
            preferences.models_folder = None;
        },
    );
    ui.separator();
    match &editor.catalog {
        None => hint(ui, tr("Models are being looked for…")),
        Some(catalog) if catalog.models.is_empty() => hint(ui, tr("No models were found.")),
        Some(catalog) => {
            for model in &catalog.models {
                setting(ui, &model.name, |ui| {
                    ui.label(bytes_text(model.bytes));
                    if !model.missing_files.is_empty() {
                        let text =
                            trf("{count} files missing", &[("count", &model.missing_files.len())]);
                        ui.colored_label(colors(ui).warning, text)
                            .on_hover_text(model.missing_files.join("\n"));
                    }
                });
            }
        }
    }
    for problem in editor.catalog.iter().flat_map(|catalog| &catalog.problems) {
        ui.horizontal_wrapped(|ui| {
            ui.colored_label(colors(ui).warning, icon::WARNING);
            ui.label(problem);
        });
    }
}

fn canvas_ui(ui: &mut Ui, preferences: &mut Preferences) {
    setting(ui, tr("Mask"), |ui| {
        segmented(
            ui,
            &mut preferences.mask_display,
            &[
                Segment::text(MaskDisplay::Overlay, tr("Color")),
                Segment::text(MaskDisplay::Outline, tr("Outline")),
                Segment::text(MaskDisplay::Grayscale, tr("Black and white")),
            ],
        );
    });
    setting(ui, tr("Color of the mask"), |ui| {
        color_button(ui, tr("Color of the mask"), &mut preferences.mask_color);
    });
    setting(ui, tr("Pixel grid from"), |ui| {
        let mut percent = preferences.grid_zoom * 100.0;
        let field = DragValue::new(&mut percent).range(100.0..=6400.0).speed(10.0).suffix(" %");
        if number_field(ui, tr("Pixel grid from"), 100.0, field).changed() {
            preferences.grid_zoom = percent / 100.0;
        }
    });
    setting(ui, tr("Checkers"), |ui| {
        let field =
            DragValue::new(&mut preferences.checker_size).range(2..=64).speed(0.1).suffix(" px");
        number_field(ui, tr("Checkers"), 100.0, field);
    });
    hint(ui, tr("They stand where the picture is transparent."));
    let mut megabytes = preferences.history_budget_bytes >> 20;
    ui.scope(|ui| {
        ui.set_max_width(520.0);
        let slider = LabeledSlider::new(tr("Memory for undo"), &mut megabytes, HISTORY_MB)
            .unit("MB")
            .label_px(LABEL_PX)
            .logarithmic();
        if slider.show(ui).changed() {
            preferences.history_budget_bytes = megabytes << 20;
        }
    });
    hint(ui, tr("Undo has no other limit. Beyond it the oldest states let go of their pixels."));
}

fn files_ui(ui: &mut Ui, preferences: &mut Preferences, commands: &mut Vec<Command>) {
    let folder = preferences.pictures_folder.clone();
    let pictures = FolderSetting::Pictures;
    folder_ui(ui, tr("Folder of pictures"), folder.as_deref(), pictures, commands, || {
        preferences.pictures_folder = None;
    });
    hint(ui, tr("File dialogs begin here, and quick saves go here."));
    setting(ui, tr("Picture library"), |ui| {
        const GB: f64 = (1_u64 << 30) as f64;
        let mut amount = preferences.library_limit_bytes as f64 / GB;
        let field = DragValue::new(&mut amount)
            .range(0.1..=4096.0)
            .speed(0.1)
            .max_decimals(1)
            .suffix(" GB");
        if number_field(ui, tr("Limit of the picture library"), 100.0, field).changed() {
            preferences.library_limit_bytes = (amount * GB) as u64;
        }
        if ui.button(tr("Review…")).clicked() {
            commands.push(Command::Do(Action::ReviewLibrary));
        }
    });
    hint(ui, tr("Beyond this you are asked what may go; nothing is deleted by itself."));
    setting(ui, tr("Recent files"), |ui| {
        let count = preferences.recent_files.items().len();
        ui.label(trf("{count} remembered", &[("count", &count)]));
        if ui.add_enabled(count > 0, egui::Button::new(tr("Forget"))).clicked() {
            preferences.recent_files.clear();
        }
    });
    setting(ui, tr("Prompts"), |ui| {
        let count = preferences.prompt_history.items().len();
        ui.label(trf("{count} remembered", &[("count", &count)]));
        if ui.add_enabled(count > 0, egui::Button::new(tr("Forget"))).clicked() {
            preferences.prompt_history.clear();
        }
    });
    setting(ui, tr("At the next start"), |ui| {
        ui.checkbox(&mut preferences.show_first_run, tr("Show the welcome screen"));
    });
}

/// A folder with a button to choose another one, and one to go back to the usual.
fn folder_ui(
    ui: &mut Ui,
    label: &str,
    folder: Option<&std::path::Path>,
    which: FolderSetting,
    commands: &mut Vec<Command>,
    reset: impl FnOnce(),
) {
    setting(ui, label, |ui| {
        let choose = tr("Choose…");
        if ui.button(choose).clicked() {
            commands.push(Command::AskFolder(which));
        }
        let state = ButtonState::enabled_if(folder.is_some());
        if icon_button(ui, icon::RESET, tr("The usual folder"), "", state).clicked() {
            reset();
        }
        let text = folder
            .map_or_else(|| tr("The usual one").to_owned(), |path| path.display().to_string());
        let shown = RichText::new(&text).color(colors(ui).text_weak);
        ui.add(egui::Label::new(shown).truncate()).on_hover_text(text);
    });
}

/// A value that may be left to Gesso.
fn optional<T: Copy>(
    ui: &mut Ui,
    value: &mut Option<T>,
    own: T,
    add_field: impl FnOnce(&mut Ui, &mut T),
) {
    let mut automatic = value.is_none();
    if ui.checkbox(&mut automatic, tr("Automatic")).changed() {
        *value = if automatic { None } else { Some(own) };
    }
    if let Some(value) = value {
        add_field(ui, value);
    }
}

fn combo<T: PartialEq + Copy>(
    ui: &mut Ui,
    id: &str,
    value: &mut T,
    all: impl Iterator<Item = T>,
    name: impl Fn(T) -> &'static str,
) {
    ComboBox::from_id_salt(id).width(200.0).selected_text(name(*value)).show_ui(ui, |ui| {
        for choice in all {
            ui.selectable_value(value, choice, name(choice));
        }
    });
}

/// A device's name for people.
#[must_use]
pub fn device_text(device: DeviceChoice) -> &'static str {
    match device {
        DeviceChoice::Auto => tr("Automatic"),
        DeviceChoice::Cpu => tr("Processor"),
        DeviceChoice::Cuda => tr("NVIDIA graphics card"),
        DeviceChoice::Metal => tr("Apple graphics"),
    }
}

fn precision_text(precision: Precision) -> &'static str {
    match precision {
        Precision::Auto => tr("Automatic"),
        Precision::Fp32 => tr("32 bits"),
        Precision::Fp16 => tr("16 bits (fp16)"),
        Precision::Bf16 => tr("16 bits (bf16)"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::{catalog, editor, look_at, window};
    use crate::ui::theme::Look;

    #[test]
    fn a_choice_takes_effect_at_once() {
        let editor = editor();
        let mut form = SettingsForm::default();
        let mut window = window((900.0, 700.0), Look::Dark, |ui, commands| {
            show(ui, &editor, &mut form, commands);
        });
        window.run_steps(2);
        window.get_by_label("Light").click();
        window.run_steps(1);
        window.step();
        let given = window.state_mut().drain(..).find_map(|command| match command {
            Command::SetPreferences(preferences) => Some(preferences.theme),
            _ => None,
        });
        assert_eq!(given, Some(Theme::Light));
    }

    #[test]
    fn a_number_waits_until_it_is_typed() {
        let editor = editor();
        let mut form = SettingsForm { part: Part::Canvas, draft: None };
        let mut window = window((900.0, 700.0), Look::Dark, |ui, commands| {
            show(ui, &editor, &mut form, commands);
        });
        window.run_steps(2);
        window.get_by_role_and_label(egui::Role::SpinButton, "Checkers").focus();
        window.run_steps(2);
        window.event(egui::Event::Text("12".to_owned()));
        window.run_steps(2);
        assert!(window.state().is_empty(), "{:?}", window.state());
        window.key_press(egui::Key::Enter);
        window.run_steps(2);
        let given = window.state().iter().find_map(|command| match command {
            Command::SetPreferences(preferences) => Some(preferences.checker_size),
            _ => None,
        });
        assert_eq!(given, Some(12));
    }

    #[test]
    fn only_the_part_that_is_seen_is_reset() {
        let mut preferences = Preferences {
            theme: Theme::Light,
            checker_size: 20,
            engine_threads: Some(3),
            ..Preferences::default()
        };
        reset_part(Part::Canvas, &mut preferences);
        assert_eq!((preferences.theme, preferences.checker_size), (Theme::Light, 8));
        reset_part(Part::Models, &mut preferences);
        assert_eq!((preferences.theme, preferences.engine_threads), (Theme::Light, None));
    }

    #[test]
    fn every_part_looks_well() {
        let mut editor = editor();
        let mut catalog = catalog();
        catalog.problems.push("The folder \"old\" has no manifest and can't be used".to_owned());
        editor.catalog = Some(Arc::new(catalog));
        for (name, part) in [
            ("settings-look", Part::Look),
            ("settings-models", Part::Models),
            ("settings-canvas", Part::Canvas),
            ("settings-files", Part::Files),
        ] {
            let mut form = SettingsForm { part, draft: None };
            look_at(name, (900.0, 600.0), |ui, commands| show(ui, &editor, &mut form, commands));
        }
    }
}
