//! Two states beside or over each other.

use crate::document::{Difference, Document, NodeId};

/// How two sides are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompareMode {
    /// A line that is moved: left of it one side, right of it the other.
    #[default]
    Slider,
    /// Both beside each other.
    SideBySide,
    /// Where they differ, and how much.
    HeatMap,
}

/// One side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareSide {
    /// The picture as it is on the canvas, results included.
    Canvas,
    /// A state of the history.
    Node(NodeId),
}

/// A comparison that is shown.
#[derive(Clone, Debug)]
pub struct Compare {
    /// The left side.
    pub a: CompareSide,
    /// The right side.
    pub b: CompareSide,
    /// How they are shown.
    pub mode: CompareMode,
    /// Where the slider is, 0 for the left edge of the canvas to 1.
    pub split: f32,
    /// The left side's document.
    pub a_document: Document,
    /// The right side's document.
    pub b_document: Document,
    /// The ticket of the measurement, once it was asked for.
    pub ticket: Option<u64>,
    /// How much the sides differ, once that was measured.
    pub difference: Option<Difference>,
}
