//! What there is to choose from, as plain data for a window: models, what each can do, and the
//! settings that suit it.
//!
//! Read once from the [`crate::engine::library::ModelLibrary`] and then passed around freely: nothing here is loaded, opened
//! or computed later.

use crate::engine::family::Purpose;
use crate::engine::library::Card;
use crate::engine::request::{BaseSettings, UpsampleSettings};

/// Every model on this machine, and what is wrong with the library.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// The models, the default one first.
    pub models: Vec<ModelInfo>,
    /// The id of the model that is used when none is chosen; `None` without any model.
    pub default_model: Option<String>,
    /// A sentence on each folder that looks like a model and can't be used.
    pub problems: Vec<String>,
}

/// One model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// Its name in requests.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// One sentence on what it is.
    pub summary: String,
    /// Whether it came with the program and can't be removed.
    pub shipped: bool,
    /// What it can draw and can not, a line each.
    pub card: Card,
    /// The licenses of its networks, each once.
    pub licenses: Vec<String>,
    /// The credits that its training data ask for, a paragraph each.
    pub attributions: Vec<String>,
    /// Prompts that show it well.
    pub example_prompts: Vec<String>,
    /// Side in pixels of its small pictures.
    pub base_size: Option<u32>,
    /// Side in pixels of its large pictures.
    pub large_size: Option<u32>,
    /// What it can do, and how it is done best.
    pub abilities: Vec<Ability>,
    /// Whether it has the noised CLIP, so that CLIP guidance can be chosen.
    pub clip: ClipGuidance,
    /// Bytes of its files that are there.
    pub bytes: u64,
    /// Files that its manifest names and its folder lacks.
    pub missing_files: Vec<String>,
}

/// Whether a model takes CLIP guidance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClipGuidance {
    /// It has no CLIP.
    Absent,
    /// It has, and this scale suits it.
    Suggested(f64),
}

/// One thing that a model can do, with the settings that suit it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ability {
    /// What it is for.
    pub purpose: Purpose,
    /// How small pictures are best sampled; `None` where the purpose makes none.
    pub base: Option<BaseSettings>,
    /// How large pictures are best sampled; `None` where the model makes none.
    pub upsample: Option<UpsampleSettings>,
}

impl Catalog {
    /// A model by its id.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<&ModelInfo> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The model that a request without an id gets.
    #[must_use]
    pub fn default_model(&self) -> Option<&ModelInfo> {
        self.model(self.default_model.as_deref()?)
    }
}

impl ModelInfo {
    /// How the model does a kind of work; `None` where it can't.
    #[must_use]
    pub fn ability(&self, purpose: Purpose) -> Option<&Ability> {
        self.abilities.iter().find(|ability| ability.purpose == purpose)
    }
}
