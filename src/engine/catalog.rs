//! What there is to choose from, as plain data for a window: models, what each can do, and the
//! settings that suit it.
//!
//! Read once from the [`ModelLibrary`] and then passed around freely: nothing here is loaded, opened
//! or computed later. Start at [`Catalog::read`].

use crate::engine::family::{Family, Purpose};
use crate::engine::library::{Card, DataSource, ModelFamily, ModelLibrary};
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
    /// Messages that show well what one can talk about with it.
    pub example_messages: Vec<String>,
    /// Earlier turns of a conversation that it is to be reminded of.
    pub remembers: u32,
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
    /// Takes down what the library holds. Looks at the sizes of files, and reads none.
    #[must_use]
    pub fn read(library: &ModelLibrary) -> Self {
        Self {
            models: library
                .families()
                .iter()
                .map(|family| ModelInfo::of(library, family))
                .collect(),
            default_model: library.default_family().ok().map(|family| family.id().to_owned()),
            problems: library.problems().iter().map(ToString::to_string).collect(),
        }
    }

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
    fn of(library: &ModelLibrary, family: &ModelFamily) -> Self {
        let manifest = &family.manifest;
        let abilities: Vec<Ability> =
            [Purpose::Generate, Purpose::Inpaint, Purpose::Upscale, Purpose::Chat]
                .into_iter()
                .filter_map(|purpose| Ability::of(library, family, purpose))
                .collect();
        let base_size = abilities.iter().find_map(|ability| Some(ability.base.as_ref()?.size));
        let large_size = abilities.iter().find_map(|ability| Some(ability.upsample.as_ref()?.size));
        let clip = match family.clip_config() {
            Ok(Some(_)) => ClipGuidance::Suggested(manifest.suggested.clip_guidance),
            Ok(None) => ClipGuidance::Absent,
            Err(error) => {
                log::debug!("the CLIP of {:?} is left out: {error}", family.id());
                ClipGuidance::Absent
            }
        };
        let mut licenses: Vec<String> = Vec::new();
        for entry in &manifest.checkpoints {
            if !entry.license.is_empty() && !licenses.contains(&entry.license) {
                licenses.push(entry.license.clone());
            }
        }
        Self {
            id: manifest.id.clone(),
            name: manifest.name.clone(),
            summary: manifest.summary.clone(),
            shipped: family.shipped,
            licenses,
            attributions: manifest.card.training_data.iter().map(attribution).collect(),
            card: manifest.card.clone(),
            example_prompts: manifest.example_prompts.clone(),
            example_messages: manifest.example_messages.clone(),
            remembers: manifest.suggested.chat.remembers,
            base_size,
            large_size,
            abilities,
            clip,
            bytes: family.bytes_on_disk(),
            missing_files: family.missing_files(),
        }
    }

    /// How the model does a kind of work; `None` where it can't.
    #[must_use]
    pub fn ability(&self, purpose: Purpose) -> Option<&Ability> {
        self.abilities.iter().find(|ability| ability.purpose == purpose)
    }
}

impl Ability {
    fn of(library: &ModelLibrary, family: &ModelFamily, purpose: Purpose) -> Option<Self> {
        let found = match Family::find(library, Some(family.id()), purpose) {
            Ok(found) => found,
            Err(error) => {
                log::debug!("{:?} can't be used to {}: {error}", family.id(), purpose.name());
                return None;
            }
        };
        Some(Self {
            purpose,
            base: found.base_settings(None).ok(),
            upsample: found.upsample_settings().ok(),
        })
    }
}

/// Name, license and credit of training data as one paragraph.
fn attribution(source: &DataSource) -> String {
    let DataSource { name, license, url, attribution } = source;
    let parts = [name, license, attribution, url];
    parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::library::{LibraryPaths, TinyFamily};
    use crate::models::Role;

    fn catalog(families: &[TinyFamily], broken: &[&str]) -> (Catalog, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        for family in families {
            family.write(folder.path()).unwrap();
        }
        for name in broken {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("manifest.json"), "{").unwrap();
        }
        let paths = LibraryPaths { shipped: Vec::new(), user: folder.path().to_owned() };
        (Catalog::read(&ModelLibrary::open(paths)), folder)
    }

    #[test]
    fn a_model_says_what_it_can_do_and_with_which_settings() {
        let (catalog, _folder) = catalog(&[TinyFamily::complete("tiny")], &[]);
        let model = catalog.default_model().unwrap();
        assert_eq!((model.id.as_str(), model.shipped), ("tiny", false));
        assert_eq!((model.base_size, model.large_size), (Some(16), Some(32)));
        assert_eq!(model.clip, ClipGuidance::Suggested(1.0));
        assert_eq!(model.abilities.len(), 3);
        let base = model.ability(Purpose::Generate).unwrap().base.as_ref().unwrap();
        assert_eq!((base.steps, base.guidance), (4, 3.0));
        assert!(model.ability(Purpose::Upscale).unwrap().base.is_none());
        assert_eq!(model.licenses, ["MIT OR Apache-2.0"]);
        assert!(model.bytes > 1000 && model.missing_files.is_empty());
    }

    #[test]
    fn what_a_model_lacks_is_left_out() {
        let base = TinyFamily { roles: vec![Role::Base], ..TinyFamily::new("base") };
        let large = TinyFamily { roles: vec![Role::Upsample], ..TinyFamily::new("large") };
        let (catalog, _folder) = catalog(&[base, large], &[]);
        let base = catalog.model("base").unwrap();
        assert!(base.ability(Purpose::Inpaint).is_some() && base.large_size.is_none());
        assert!(base.ability(Purpose::Upscale).is_none());
        assert_eq!(base.clip, ClipGuidance::Absent);
        let large = catalog.model("large").unwrap();
        assert!(large.ability(Purpose::Generate).is_none());
        assert!(large.ability(Purpose::Upscale).is_some());
    }

    #[test]
    fn problems_are_told_and_hide_no_other_model() {
        let (found, _folder) = catalog(&[TinyFamily::new("tiny")], &["broken"]);
        assert_eq!((found.models.len(), found.problems.len()), (1, 1));
        assert!(found.problems[0].contains("broken"), "{:?}", found.problems);
        let (none, _folder) = catalog(&[], &[]);
        assert_eq!(none, Catalog::default());
    }

    #[test]
    fn a_model_without_its_files_is_listed_with_what_is_missing() {
        let (before, folder) = catalog(&[TinyFamily::new("tiny")], &[]);
        std::fs::remove_file(folder.path().join("tiny/base-inpaint.safetensors")).unwrap();
        let paths = LibraryPaths { shipped: Vec::new(), user: folder.path().to_owned() };
        let after = Catalog::read(&ModelLibrary::open(paths));
        let model = after.default_model().unwrap();
        assert_eq!(model.missing_files, ["base-inpaint.safetensors"]);
        assert!(model.ability(Purpose::Generate).is_none());
        assert!(model.bytes < before.models[0].bytes);
    }
}
