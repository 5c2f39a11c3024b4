//! What a brush is and what a stroke of it was.

use serde::{Deserialize, Serialize};

use crate::geom::CanvasPoint;

/// A round brush.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Brush {
    /// Diameter in canvas pixels, 1 to 2000.
    pub diameter_px: f32,
    /// Share of the radius that is fully covered, 0 to 1; the rest fades out.
    pub hardness: f32,
    /// Cover that one dab adds, 0 to 1.
    pub flow: f32,
    /// The most cover that one stroke reaches, 0 to 1.
    pub opacity: f32,
    /// Distance of two dabs as a share of the diameter, 0.01 to 2.
    pub spacing: f32,
    /// What the pen's pressure changes.
    pub pressure: PressureUse,
}

impl Default for Brush {
    fn default() -> Self {
        Self {
            diameter_px: 40.0,
            hardness: 0.8,
            flow: 1.0,
            opacity: 1.0,
            spacing: 0.1,
            pressure: PressureUse::Size,
        }
    }
}

/// What the pen's pressure changes; a mouse always presses fully.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PressureUse {
    /// Nothing.
    Ignored,
    /// The diameter.
    #[default]
    Size,
    /// The flow.
    Flow,
    /// Both.
    SizeAndFlow,
}

/// One point of a stroke.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrokeSample {
    /// Where the pointer was.
    pub point: CanvasPoint,
    /// How hard it was pressed, 0 to 1.
    pub pressure: f32,
}

/// Whether a stroke paints or takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrokeMode {
    /// Lays color or cover down.
    Paint,
    /// Takes color or cover away.
    Erase,
}
