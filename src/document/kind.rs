//! What kind of work made a state, for people who look for one.

use serde::Deserialize;

use crate::document::{Edit, Place, StrokeTarget};

/// What kind of work made a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKind {
    /// Something was said about the picture, and perhaps drawn.
    Chat,
    /// A picture was opened or started, or a whole other state was taken over.
    Opened,
    /// A model made something.
    Generated,
    /// The canvas changed its size or was turned.
    Canvas,
    /// Layers were added, merged, moved or set.
    Layer,
    /// Pixels were painted, filled, erased or moved.
    Stroke,
    /// The selection changed.
    Mask,
}

impl OperationKind {
    /// All kinds. Of several kinds of edits in one step, the first one here names the step.
    pub const ALL: [Self; 7] = [
        Self::Chat,
        Self::Opened,
        Self::Generated,
        Self::Canvas,
        Self::Layer,
        Self::Stroke,
        Self::Mask,
    ];

    /// The kind's name; a text to translate.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Chat => "Conversation",
            Self::Opened => "Opened",
            Self::Generated => "Generated",
            Self::Canvas => "Canvas",
            Self::Layer => "Layers",
            Self::Stroke => "Painting",
            Self::Mask => "Selection",
        }
    }

    /// The kind of a step of these edits; a step without edits is how a history starts.
    #[must_use]
    pub fn of(edits: &[Edit]) -> Self {
        let work = edits.iter().filter(|edit| edit.is_work());
        work.map(Edit::kind).min().unwrap_or(Self::Opened)
    }

    /// What a picture is that was made by this request, which is JSON.
    #[must_use]
    pub fn of_record(record: &str) -> Self {
        #[derive(Deserialize)]
        struct Named {
            command: String,
        }
        match serde_json::from_str::<Named>(record) {
            Ok(named) if named.command == "chat" => Self::Chat,
            _ => Self::Generated,
        }
    }
}

impl Edit {
    /// Whether the edit says what kind of step it belongs to. Which layer is in hand and what was
    /// shown with a message go before the work itself and say nothing about it.
    pub(crate) const fn is_work(&self) -> bool {
        !matches!(self, Self::SetActive(_) | Self::Attach(_))
    }

    /// What kind of work the edit is.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::Said { .. } | Self::Attach(_) => OperationKind::Chat,
            Self::Replace(_) => OperationKind::Opened,
            Self::Place(Place { record: Some(record), .. }) => OperationKind::of_record(record),
            Self::SetCanvas(_) | Self::Resize { .. } | Self::Flip(_) | Self::Rotate(_) => {
                OperationKind::Canvas
            }
            Self::AddLayer { .. }
            | Self::DeleteLayer(_)
            | Self::DuplicateLayer { .. }
            | Self::ReorderLayer { .. }
            | Self::RenameLayer { .. }
            | Self::SetOpacity { .. }
            | Self::SetVisible { .. }
            | Self::SetLocked { .. }
            | Self::SetBlendMode { .. }
            | Self::MergeDown(_)
            | Self::Flatten
            | Self::ApplyLayerMask(_)
            | Self::DeleteLayerMask(_)
            | Self::MaskFromSelection(_)
            | Self::GrowLayerMask { .. }
            | Self::Place(_)
            | Self::SetActive(_) => OperationKind::Layer,
            Self::Stroke(stroke) => match stroke.target {
                StrokeTarget::Layer(_) => OperationKind::Stroke,
                StrokeTarget::Selection => OperationKind::Mask,
            },
            Self::Fill(_) | Self::ClearSelected(_) | Self::MovePixels { .. } => {
                OperationKind::Stroke
            }
            Self::Select { .. }
            | Self::MoveSelection { .. }
            | Self::ChangeSelection(_)
            | Self::SaveSelection(_)
            | Self::LoadSelection { .. }
            | Self::DeleteSavedSelection(_) => OperationKind::Mask,
        }
    }

    /// The edit's name in the history; a text to translate.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        use crate::document::{Axis, QuarterTurns, SelectionStep};
        use crate::raster::StrokeMode;
        match self {
            Self::AddLayer { .. } => "New layer",
            Self::DeleteLayer(_) => "Delete layer",
            Self::DuplicateLayer { .. } => "Duplicate layer",
            Self::ReorderLayer { .. } => "Move layer in the stack",
            Self::RenameLayer { .. } => "Rename layer",
            Self::SetOpacity { .. } => "Layer opacity",
            Self::SetVisible { visible: true, .. } => "Show layer",
            Self::SetVisible { visible: false, .. } => "Hide layer",
            Self::SetLocked { locked: true, .. } => "Lock layer",
            Self::SetLocked { locked: false, .. } => "Unlock layer",
            Self::SetBlendMode { .. } => "Blend mode",
            Self::MergeDown(_) => "Merge down",
            Self::Flatten => "Flatten",
            Self::ApplyLayerMask(_) => "Apply layer mask",
            Self::DeleteLayerMask(_) => "Delete layer mask",
            Self::MaskFromSelection(_) => "Mask from selection",
            Self::GrowLayerMask { by_px: 0.., .. } => "Widen the layer mask",
            Self::GrowLayerMask { .. } => "Narrow the layer mask",
            Self::Said { .. } | Self::Attach(_) => "Said",
            Self::Place(place) if place.record.is_some() => "Generated layer",
            Self::Place(_) => "Place picture",
            Self::Stroke(stroke) => match (stroke.target, stroke.mode) {
                (StrokeTarget::Layer(_), StrokeMode::Paint) => "Brush stroke",
                (StrokeTarget::Layer(_), StrokeMode::Erase) => "Eraser stroke",
                (StrokeTarget::Selection, StrokeMode::Paint) => "Mask stroke",
                (StrokeTarget::Selection, StrokeMode::Erase) => "Mask eraser stroke",
            },
            Self::Fill(_) => "Fill",
            Self::ClearSelected(_) => "Clear",
            Self::MovePixels { .. } => "Move",
            Self::Select { .. } => "Select",
            Self::MoveSelection { .. } => "Move selection",
            Self::ChangeSelection(step) => match step {
                SelectionStep::All => "Select all",
                SelectionStep::None => "Select nothing",
                SelectionStep::Invert => "Invert selection",
                SelectionStep::Grow(_) => "Grow selection",
                SelectionStep::Shrink(_) => "Shrink selection",
                SelectionStep::Feather(_) => "Feather selection",
            },
            Self::SaveSelection(_) => "Save selection",
            Self::LoadSelection { .. } => "Load selection",
            Self::DeleteSavedSelection(_) => "Delete saved selection",
            Self::SetCanvas(_) => "Canvas size",
            Self::Resize { .. } => "Scale picture",
            Self::Flip(Axis::Horizontal) => "Flip left and right",
            Self::Flip(Axis::Vertical) => "Flip top and bottom",
            Self::Rotate(QuarterTurns::One) => "Turn clockwise",
            Self::Rotate(QuarterTurns::Two) => "Turn upside down",
            Self::Rotate(QuarterTurns::Three) => "Turn counterclockwise",
            Self::Replace(_) => "Other picture",
            Self::SetActive(_) => "Choose layer",
        }
    }
}
