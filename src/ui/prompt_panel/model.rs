//! What the prompt panel shows, derived from the editor.

use crate::editor::{Action, Editor, JobKind, JobState};
use crate::engine::catalog::{Ability, ClipGuidance, ModelInfo};
use crate::engine::family::Purpose;
use crate::engine::request::SamplerChoice;
use crate::locale::{tr, trf};

/// Everything that the models can be asked for, as the menu beside the main button lists it.
pub(crate) const WORK: [Action; 5] =
    [Action::Generate, Action::FillMask, Action::ExtendCanvas, Action::Vary, Action::Upscale];

/// The samplers, the fastest first.
pub(crate) const SAMPLERS: [SamplerChoice; 3] =
    [SamplerChoice::DpmPp, SamplerChoice::Ddim, SamplerChoice::Ddpm];

/// The ability that an action needs.
#[must_use]
pub(crate) const fn purpose_of(action: Action) -> Purpose {
    match action {
        Action::FillMask | Action::ExtendCanvas | Action::Vary => Purpose::Inpaint,
        Action::Upscale => Purpose::Upscale,
        _ => Purpose::Generate,
    }
}

/// Why an action can't be done now; nothing where it can.
#[must_use]
pub fn hindrance(action: Action, editor: &Editor) -> Option<String> {
    let Some(catalog) = editor.catalog.as_deref() else {
        return Some(tr("The models are still being looked for").to_owned());
    };
    if catalog.models.is_empty() {
        return Some(
            tr("There is no model yet; choose the folder for models in the settings").to_owned(),
        );
    }
    if action == Action::FillMask && editor.document.selection.is_empty() {
        return Some(
            tr("Select what to repaint first: paint over it with the mask brush").to_owned(),
        );
    }
    let Some(model) = editor.chosen_model() else {
        let name = editor.generation.model.as_deref().unwrap_or_default();
        return Some(trf(
            "The model {name} is not there any more; choose another",
            &[("name", &name)],
        ));
    };
    if !model.missing_files.is_empty() {
        return Some(trf("Files of the model {name} are missing", &[("name", &model.name)]));
    }
    if model.ability(purpose_of(action)).is_none() {
        return Some(trf("The model {name} can't do this", &[("name", &model.name)]));
    }
    None
}

/// The settings that suit the model for what the main button does.
#[must_use]
pub(crate) fn suggestion(editor: &Editor) -> Option<&Ability> {
    editor.chosen_model()?.ability(purpose_of(editor.main_action()))
}

/// The scale of CLIP guidance that suits the model; nothing where it has no CLIP.
#[must_use]
pub(crate) fn suggested_clip_guidance(editor: &Editor) -> Option<f64> {
    match editor.chosen_model()?.clip {
        ClipGuidance::Absent => None,
        // A model that was brought in may say nothing; then this is a start.
        ClipGuidance::Suggested(scale) => Some(if scale > 0.0 { scale } else { 2.0 }),
    }
}

/// The job that runs, as the panel shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Running {
    /// What it does.
    pub kind: JobKind,
    /// Which part.
    pub stage: &'static str,
    /// 0 to 1.
    pub done: f32,
    /// Time left, where it is known.
    pub left: Option<String>,
    /// Jobs that wait behind it.
    pub waiting: usize,
}

/// The job that runs, or the next one while it is prepared.
#[must_use]
pub(crate) fn running(editor: &Editor) -> Option<Running> {
    let waiting = editor.jobs.waiting().count();
    if let Some(job) = editor.jobs.running()
        && let JobState::Running { stage, done, left } = &job.state
    {
        return Some(Running {
            kind: job.kind,
            stage: crate::ui::queue_panel::stage_label(*stage),
            done: done.clamp(0.0, 1.0),
            left: left.map(crate::ui::queue_panel::time_left),
            waiting,
        });
    }
    let next = editor.jobs.waiting().next()?;
    Some(Running {
        kind: next.kind,
        stage: tr("Preparing"),
        done: 0.0,
        left: None,
        waiting: waiting - 1,
    })
}

/// The name of a sampler for people.
#[must_use]
pub const fn sampler_label(sampler: SamplerChoice) -> &'static str {
    match sampler {
        SamplerChoice::Ddpm => "DDPM",
        SamplerChoice::Ddim => "DDIM",
        SamplerChoice::DpmPp => "DPM-Solver++",
    }
}

/// The size of a model's pictures.
#[must_use]
pub(crate) fn size_label(model: &ModelInfo) -> Option<String> {
    let side = model.large_size.or(model.base_size)?;
    Some(format!("{side} × {side}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::PixelRect;
    use crate::ui::sample;

    #[test]
    fn the_main_button_follows_the_selection() {
        let mut editor = sample::editor();
        assert_eq!(editor.main_action(), Action::Generate);
        editor.document.selection.cover.fill(PixelRect::new(3, 3, 9, 9), 255);
        assert_eq!(editor.main_action(), Action::FillMask);
        assert_eq!(hindrance(Action::FillMask, &editor), None);
    }

    #[test]
    fn what_can_not_be_done_says_why() {
        let mut editor = sample::editor();
        for action in [Action::Generate, Action::ExtendCanvas, Action::Vary] {
            assert_eq!(hindrance(action, &editor), None, "{action:?}");
        }
        let says = |editor: &Editor, action: Action, part: &str| {
            let reason = hindrance(action, editor).unwrap_or_default();
            assert!(reason.contains(part), "{action:?}: {reason:?}");
        };
        says(&editor, Action::FillMask, "Select what to repaint");
        editor.generation.model = Some("sketch".to_owned());
        says(&editor, Action::Upscale, "can't do this");
        editor.generation.model = Some("gone".to_owned());
        says(&editor, Action::Generate, "gone is not there");
        editor.catalog = Some(std::sync::Arc::default());
        says(&editor, Action::Generate, "no model yet");
        editor.catalog = None;
        says(&editor, Action::Generate, "still being looked for");
    }

    #[test]
    fn a_job_that_is_being_prepared_counts_as_work() {
        let mut editor = sample::editor();
        assert_eq!(running(&editor), None);
        sample::add_jobs(&mut editor);
        let shown = running(&editor).unwrap();
        assert_eq!((shown.stage, shown.waiting), ("Drawing", 3));
        assert_eq!(shown.left.as_deref(), Some("12 s left"));
        editor.jobs.jobs.retain(|job| job.number.0 > 4);
        let shown = running(&editor).unwrap();
        assert_eq!((shown.stage, shown.waiting, shown.done), ("Preparing", 2, 0.0));
    }

    #[test]
    fn suggestions_are_those_of_the_work_at_hand() {
        let mut editor = sample::editor();
        let steps = |editor: &Editor| suggestion(editor).unwrap().base.as_ref().unwrap().steps;
        assert_eq!(steps(&editor), 27);
        editor.document.selection.cover.fill(PixelRect::new(3, 3, 9, 9), 255);
        assert_eq!(steps(&editor), 32);
    }
}
