//! What a menu or a button shows of an action besides its name: possible or not, on or off.

use crate::editor::{Action, Editor};

/// Whether an action that switches something has it on; nothing for actions that don't.
#[must_use]
pub fn is_on(editor: &Editor, action: Action) -> Option<bool> {
    let active = editor.document.active_layer();
    Some(match action {
        Action::ToggleLayerVisible => active.is_some_and(|layer| layer.visible),
        Action::ToggleLayerLocked => active.is_some_and(|layer| layer.locked),
        Action::ToggleQuickMask => editor.tools.quick_mask,
        Action::TogglePixelGrid => editor.view.pixel_grid,
        Action::ToggleMaskOverlay => editor.view.mask.overlay,
        Action::ToggleMarchingAnts => editor.view.mask.ants,
        Action::TogglePanels => !editor.view.panels_hidden,
        Action::MirrorView => editor.view.transform.mirrored,
        Action::ToggleSeedLock => editor.generation.seed_locked,
        Action::Compare => editor.compare.is_some(),
        Action::ShowOriginal => editor.view.show_original,
        _ => return tool_of(action).map(|tool| tool == editor.tool),
    })
}

/// The tool that an action takes in hand.
fn tool_of(action: Action) -> Option<crate::tools::Tool> {
    crate::tools::Tool::ALL.into_iter().find(|tool| Action::of_tool(*tool) == action)
}

/// Whether an action would do something now.
#[must_use]
pub fn is_enabled(editor: &Editor, action: Action) -> bool {
    let document = &editor.document;
    let active = document.active_layer();
    let position = document.position(document.active).unwrap_or(0);
    let selected = !document.selection.is_empty();
    let editable = active.is_some_and(|layer| !layer.locked);
    let staged = editor.staging.as_ref().map_or(0, |staging| staging.results.len());
    match action {
        Action::Undo => editor.history.can_undo(),
        Action::Redo => editor.history.can_redo(),
        Action::Cut | Action::ClearSelected => editable && selected,
        Action::FillSelected => editable,
        Action::CropToSelection
        | Action::SelectNone
        | Action::GrowSelection
        | Action::ShrinkSelection
        | Action::FeatherSelection
        | Action::SaveSelection
        | Action::MaskFromSelection
        | Action::FillMask => selected,
        Action::ApplyLayerMask => editable && active.is_some_and(|layer| layer.mask.is_some()),
        Action::DeleteLayerMask => active.is_some_and(|layer| layer.mask.is_some()),
        Action::Flatten | Action::DeleteLayer => document.layers.len() > 1,
        Action::MergeDown => position > 0 && editable,
        Action::LayerDown | Action::SelectLayerBelow => position > 0,
        Action::LayerUp | Action::SelectLayerAbove => position + 1 < document.layers.len(),
        Action::CancelJob | Action::CancelAllJobs => editor.jobs.is_busy(),
        Action::StagingPrevious | Action::StagingNext => staged > 1,
        Action::StagingAccept
        | Action::StagingDiscard
        | Action::StagingKeepAll
        | Action::StagingClose => staged > 0,
        Action::CompareMode => editor.compare.is_some(),
        _ => true,
    }
}
