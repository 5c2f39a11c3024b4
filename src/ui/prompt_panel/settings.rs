//! Settings that are only seen on demand; without a choice, the model's suggestion is used.

use egui::{Align, CollapsingHeader, ComboBox, DragValue, Id, Layout, Ui, vec2};

use crate::editor::{Editor, Generation};
use crate::engine::catalog::ModelInfo;
use crate::engine::request::BaseSettings;
use crate::locale::{tr, trf};
use crate::ui::prompt_panel::model::{
    SAMPLERS, sampler_label, suggested_clip_guidance, suggestion,
};
use crate::ui::prompt_panel::paint::text_area_ui;
use crate::ui::theme::{self, icon};
use crate::ui::widgets::{ButtonState, LabeledSlider, Segment, icon_button, row, segmented};

/// The heading that shows and hides the settings, and the settings.
pub(super) fn settings_ui(ui: &mut Ui, editor: &Editor, generation: &mut Generation) {
    let header = CollapsingHeader::new(theme::semibold(tr("More settings")))
        .id_salt("more settings")
        .open(Some(generation.advanced))
        .show_unindented(ui, |ui| {
            ui.add_space(theme::SPACE_XS);
            all_ui(ui, editor, generation);
        });
    if header.header_response.clicked() {
        generation.advanced = !generation.advanced;
    }
}

fn all_ui(ui: &mut Ui, editor: &Editor, generation: &mut Generation) {
    negative_prompt_ui(ui, generation);
    let suggested = suggestion(editor).and_then(|ability| ability.base.as_ref());
    steps_ui(ui, suggested, generation);
    let clip = suggested_clip_guidance(editor);
    guidance_ui(ui, suggested, clip, generation);
    if let Some(scale) = clip {
        clip_guidance_ui(ui, scale, generation);
    }
    sampler_ui(ui, suggested, generation);
    if let Some(model) = editor.chosen_model() {
        size_ui(ui, model, generation);
    }
    LabeledSlider::new(tr("Strength"), &mut generation.strength, 0.05..=1.0)
        .percent()
        .tooltip(tr("How far Vary may go from what is there"))
        .show(ui);
    LabeledSlider::new(tr("Mask feather"), &mut generation.feather_px, 0..=64)
        .unit("px")
        .tooltip(tr("Width of the soft edge inside the mask; nothing outside it changes"))
        .show(ui);
    LabeledSlider::new(tr("Mask grow"), &mut generation.grow_px, 0..=64)
        .unit("px")
        .tooltip(tr("By how much the mask is made wider before it is repainted"))
        .show(ui);
}

fn negative_prompt_ui(ui: &mut Ui, generation: &mut Generation) {
    let id = Id::unique("gesso negative prompt");
    let hint = tr("What should not be in it?");
    text_area_ui(ui, id, &mut generation.negative_prompt, hint, 2..=4)
        .accessible_name(tr("Negative prompt"))
        .on_hover_text(tr("What the picture is led away from"));
}

/// Room at the right for a way back to the suggestion; empty while it is used.
fn suggested_ui(ui: &mut Ui, chosen: bool, label: &str, tooltip: &str) -> bool {
    if !chosen {
        ui.allocate_space(vec2(theme::BUTTON_PX, theme::BUTTON_PX));
        return false;
    }
    icon_button(ui, icon::RESET, label, tooltip, ButtonState::Normal).clicked()
}

fn steps_ui(ui: &mut Ui, suggested: Option<&BaseSettings>, generation: &mut Generation) {
    row(ui, tr("Steps"), |ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        let usual = suggested.map_or(30, |base| base.steps);
        let mut steps = generation.steps.unwrap_or(usual);
        let width = ui.available_width() - theme::BUTTON_PX - theme::SPACE_XS;
        let field = DragValue::new(&mut steps)
            .range(1..=1000)
            .speed(0.3)
            .suffix(if generation.steps.is_none() { tr(" · suggested") } else { "" });
        let response = ui.add_sized(vec2(width, theme::BUTTON_PX), field);
        if response.changed() {
            generation.steps = Some(steps);
        }
        response.on_hover_text(tr("More steps are slower and often better, up to a point"));
        let label = tr("Suggested steps");
        let tooltip = trf("Back to {value}", &[("value", &usual)]);
        if suggested_ui(ui, generation.steps.is_some(), label, &tooltip) {
            generation.steps = None;
        }
    });
}

fn guidance_ui(
    ui: &mut Ui,
    suggested: Option<&BaseSettings>,
    clip: Option<f64>,
    generation: &mut Generation,
) {
    row(ui, tr("Guidance"), |ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        // Both kinds of guidance at once pull too hard, so that one is off beside the other.
        let own = suggested.map_or(3.0, |base| base.guidance);
        let usual = if clip.is_some() && generation.clip_guidance.is_some() { 1.0 } else { own };
        let mut guidance = generation.guidance.unwrap_or(usual);
        let width = ui.available_width() - theme::BUTTON_PX - theme::SPACE_XS;
        let field = DragValue::new(&mut guidance)
            .range(1.0..=20.0)
            .speed(0.05)
            .max_decimals(1)
            .suffix(if generation.guidance.is_none() { tr(" · suggested") } else { "" });
        let response = ui.add_sized(vec2(width, theme::BUTTON_PX), field);
        if response.changed() {
            generation.guidance = Some(guidance);
        }
        response.on_hover_text(tr("How strongly to follow the prompt; 1 is not at all"));
        let label = tr("Suggested guidance");
        let tooltip = trf("Back to {value}", &[("value", &usual)]);
        if suggested_ui(ui, generation.guidance.is_some(), label, &tooltip) {
            generation.guidance = None;
        }
    });
}

/// Whether CLIP leads too, and how strongly; only for models that have one.
fn clip_guidance_ui(ui: &mut Ui, suggested: f64, generation: &mut Generation) {
    row(ui, tr("CLIP guidance"), |ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        let mut on = generation.clip_guidance.is_some();
        let tooltip = tr("Let CLIP, which compares pictures with sentences, lead to the prompt");
        let checkbox = ui.checkbox(&mut on, "").on_hover_text(tooltip);
        if checkbox.changed() {
            generation.clip_guidance = on.then_some(suggested);
        }
        checkbox.accessible_name(tr("Use CLIP guidance"));
        let Some(scale) = &mut generation.clip_guidance else { return };
        let width = ui.available_width() - theme::BUTTON_PX - theme::SPACE_XS;
        let field = DragValue::new(scale).range(0.1..=20.0).speed(0.05).max_decimals(1);
        ui.add_sized(vec2(width, theme::BUTTON_PX), field)
            .accessible_name(tr("Scale of CLIP guidance"))
            .on_hover_text(trf(
                "How strongly CLIP leads; {scale} suits this model",
                &[("scale", &suggested)],
            ));
        let label = tr("Suggested scale");
        let tooltip = trf("Back to {value}", &[("value", &suggested)]);
        if suggested_ui(ui, (*scale - suggested).abs() > 1e-9, label, &tooltip) {
            *scale = suggested;
        }
    });
}

fn sampler_ui(ui: &mut Ui, suggested: Option<&BaseSettings>, generation: &mut Generation) {
    row(ui, tr("Sampler"), |ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        let own = match suggested {
            Some(base) => trf("{name} · suggested", &[("name", &sampler_label(base.sampler))]),
            None => tr("The model's own").to_owned(),
        };
        // The box has no room for more than the name; the way back beside it tells a choice.
        let usual = suggested.map(|base| base.sampler);
        let shown =
            generation.sampler.or(usual).map_or(own.clone(), |one| sampler_label(one).to_owned());
        // Without a choice there is nothing to go back from, and the name needs the room.
        let beside =
            if generation.sampler.is_some() { theme::BUTTON_PX + theme::SPACE_XS } else { 0.0 };
        let width = ui.available_width() - beside;
        let combo = ui
            .scope(|ui| {
                // A truncated text takes what is there, whatever width the box was given.
                ui.set_max_width(width);
                ComboBox::from_id_salt("sampler")
                    .width(width)
                    .truncate()
                    .selected_text(shown)
                    .show_ui(ui, |ui| {
                        ui.selectable_value(&mut generation.sampler, None, own);
                        for sampler in SAMPLERS {
                            let label = sampler_label(sampler);
                            ui.selectable_value(&mut generation.sampler, Some(sampler), label);
                        }
                    })
            })
            .inner;
        combo.response.on_hover_text(tr("The way from noise to the picture"));
        let label = tr("Suggested sampler");
        if generation.sampler.is_some() && suggested_ui(ui, true, label, "") {
            generation.sampler = None;
        }
    });
}

/// Small or large pictures, where the model makes both.
fn size_ui(ui: &mut Ui, model: &ModelInfo, generation: &mut Generation) {
    let (Some(base), Some(large)) = (model.base_size, model.large_size) else { return };
    row(ui, tr("Size"), |ui| {
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let (small, large) = (format!("{base} × {base}"), format!("{large} × {large}"));
            let segments = [Segment::text(false, &large), Segment::text(true, &small)];
            segmented(ui, &mut generation.small, &segments);
        });
    });
}
