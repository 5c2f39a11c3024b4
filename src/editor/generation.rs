//! What the user wants drawn, and how.

use serde::{Deserialize, Serialize};

use crate::engine::request::SamplerChoice;

/// Prompt and settings of the next job, as the panel shows them.
///
/// `None` leaves a setting to the model's own suggestion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Generation {
    /// What to draw.
    pub prompt: String,
    /// What to keep out of it.
    pub negative_prompt: String,
    /// The model's id; the default one without.
    pub model: Option<String>,
    /// How many pictures, 1 to 64.
    pub count: u32,
    /// Where the noise starts.
    pub seed: u64,
    /// Whether the seed stays for the next job.
    pub seed_locked: bool,
    /// Denoising steps.
    pub steps: Option<u32>,
    /// The loop over them.
    pub sampler: Option<SamplerChoice>,
    /// How strongly to follow the prompt.
    pub guidance: Option<f64>,
    /// How strongly CLIP leads towards the prompt, for models that have it; none without.
    pub clip_guidance: Option<f64>,
    /// How far Vary may go from what is there, above 0 to 1.
    pub strength: f64,
    /// Width in pixels of the soft edge inside the mask.
    pub feather_px: u32,
    /// Pixels by which the mask is grown before it is repainted.
    pub grow_px: u32,
    /// Whether pictures are left at the small network's size.
    pub small: bool,
    /// Whether all settings are shown.
    pub advanced: bool,
}

impl Default for Generation {
    fn default() -> Self {
        Self {
            prompt: String::new(),
            negative_prompt: String::new(),
            model: None,
            count: 1,
            seed: 1,
            seed_locked: false,
            steps: None,
            sampler: None,
            guidance: None,
            clip_guidance: None,
            strength: 0.6,
            feather_px: 4,
            grow_px: 0,
            small: false,
            advanced: false,
        }
    }
}

/// What a job does for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// A new picture.
    Generate,
    /// The masked part again.
    Fill,
    /// The canvas wider.
    Extend,
    /// The picture, or the masked part, a little different.
    Vary,
    /// The picture four times as large.
    Upscale,
    /// A message answered.
    Chat,
}

/// By how many pixels the canvas is extended on each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtendBy {
    /// Columns on the left.
    pub left: u32,
    /// Columns on the right.
    pub right: u32,
    /// Rows above.
    pub top: u32,
    /// Rows below.
    pub bottom: u32,
}
