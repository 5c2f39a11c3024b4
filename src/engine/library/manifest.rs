//! What a family's `manifest.json` says.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::library::error::LibraryError;
use crate::models::{NetworkConfig, Role};

/// The file's name in each family's folder.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The layout that this program writes and the newest that it reads.
pub(super) const MANIFEST_VERSION: u32 = 1;
/// Manifests are a few kilobytes.
const MAX_MANIFEST: u64 = 4 << 20;

/// A family of models, as its manifest describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout's number.
    pub manifest_version: u32,
    /// The family's name on the command line; also its folder's.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// One sentence on what it is.
    #[serde(default)]
    pub summary: String,
    /// Its networks, at most one of each role.
    pub checkpoints: Vec<CheckpointEntry>,
    /// How prompts become tokens: `gpt2`, or a tokenizer file in the folder. CLIP has its own.
    #[serde(default)]
    pub tokenizer: Option<String>,
    /// A file in the folder that lists the words that the model has seen.
    #[serde(default)]
    pub vocabulary: Option<String>,
    /// The same for messages, where it has seen other words in them than in prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_vocabulary: Option<String>,
    /// Sizes and digests of the files that are no checkpoints.
    #[serde(default)]
    pub files: Vec<FileEntry>,
    /// What it can draw, and what it was made from.
    #[serde(default)]
    pub card: Card,
    /// Prompts that show it well.
    #[serde(default)]
    pub example_prompts: Vec<String>,
    /// Messages that show well what one can talk about with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub example_messages: Vec<String>,
    /// Settings that suit it.
    #[serde(default)]
    pub suggested: Suggested,
}

/// One network of a family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointEntry {
    /// What it does.
    pub role: Role,
    /// Its file in the folder.
    pub file: String,
    /// The file's length; 0 where it was not recorded.
    #[serde(default)]
    pub bytes: u64,
    /// The file's SHA-256; empty where it was not recorded.
    #[serde(default)]
    pub sha256: String,
    /// How most weights are stored: `F16`, `F32`, `I8` and so on.
    #[serde(default)]
    pub dtype: String,
    /// Number of weights.
    #[serde(default)]
    pub parameters: u64,
    /// Where it comes from.
    #[serde(default)]
    pub source: String,
    /// Under which license it may be used.
    #[serde(default)]
    pub license: String,
    /// What could not be seen in the file and was assumed when it was imported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<String>,
    /// The network's config, in the reference's keys.
    pub config: serde_json::Value,
}

impl CheckpointEntry {
    /// The config, read for this role.
    ///
    /// # Errors
    ///
    /// When a key is absent or a value can't be used.
    pub fn network_config(&self) -> Result<NetworkConfig, crate::models::glide::RecognizeError> {
        NetworkConfig::from_json(self.role, &self.config)
    }

    /// The first ten digits of the digest, as other tools name models.
    #[must_use]
    pub fn short_hash(&self) -> &str {
        self.sha256.get(..10).unwrap_or(&self.sha256)
    }
}

/// A file's size and digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the folder.
    pub file: String,
    /// Its length; 0 where it was not recorded.
    #[serde(default)]
    pub bytes: u64,
    /// Its SHA-256; empty where it was not recorded.
    #[serde(default)]
    pub sha256: String,
}

/// What people should know before they use a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// What it draws, a line each.
    pub can_draw: Vec<String>,
    /// What it does not, a line each.
    pub cannot_draw: Vec<String>,
    /// How good it is, in plain words.
    pub quality: String,
    /// From what it was made.
    pub training_data: Vec<DataSource>,
    /// Anything else, a line each.
    pub notes: Vec<String>,
}

/// A collection that a model was trained on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataSource {
    /// Its name.
    pub name: String,
    /// Its license.
    pub license: String,
    /// Where it is.
    pub url: String,
    /// The credit that its license asks for.
    pub attribution: String,
}

/// A sampler by its name on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SamplerName {
    /// Ancestral sampling.
    #[default]
    #[serde(rename = "ddpm")]
    Ddpm,
    /// DDIM.
    #[serde(rename = "ddim")]
    Ddim,
    /// DPM-Solver++ (2M).
    #[serde(rename = "dpm++")]
    DpmPp2m,
}

impl SamplerName {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ddpm => "ddpm",
            Self::Ddim => "ddim",
            Self::DpmPp2m => "dpm++",
        }
    }
}

/// How one network is best run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageSettings {
    /// The loop.
    pub sampler: SamplerName,
    /// Which timesteps are kept, in the reference's notation: `100`, `fast27`, `ddim50`, a list.
    pub respacing: String,
    /// How many steps that makes.
    pub steps: usize,
    /// Noise of DDIM steps; 0 is without.
    #[serde(default)]
    pub eta: f64,
    /// Scale of classifier-free guidance; none means that the network runs once a step.
    #[serde(default)]
    pub guidance: Option<f64>,
    /// Factor of the starting noise.
    #[serde(default = "one")]
    pub temperature: f64,
}

fn one() -> f64 {
    1.0
}

/// Settings for each kind of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Suggested {
    /// A picture from a prompt.
    pub base: StageSettings,
    /// A region of a picture, at the base network's size.
    pub base_inpaint: StageSettings,
    /// The large picture after `base`.
    pub upsample: StageSettings,
    /// The large picture after `base_inpaint`.
    pub upsample_inpaint: StageSettings,
    /// Scale of CLIP guidance, which runs without classifier-free guidance.
    pub clip_guidance: f64,
    /// Answers to messages.
    pub chat: ChatSuggested,
}

/// Settings for answers to messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatSuggested {
    /// How pictures are drawn.
    pub draw: StageSettings,
    /// How freely words are chosen.
    pub temperature: f64,
    /// The share of likely words that are drawn from.
    pub top_p: f64,
    /// Tokens of words of an answer, at most.
    pub max_tokens: u32,
    /// Earlier turns that it is to be reminded of.
    pub remembers: u32,
    /// Whether its pictures gain by the enlarging network of the family.
    pub refine: bool,
}

impl Default for ChatSuggested {
    /// Guidance and steps of the paper's picture evaluation are 5 and 250; the deterministic loop
    /// needs far fewer.
    ///
    /// Source: Transfusion (arXiv 2408.11039), section 4.1.
    fn default() -> Self {
        let draw = StageSettings {
            sampler: SamplerName::Ddim,
            respacing: "25".to_owned(),
            steps: 25,
            eta: 0.0,
            guidance: Some(3.0),
            temperature: 1.0,
        };
        Self { draw, temperature: 0.7, top_p: 0.9, max_tokens: 96, remembers: 8, refine: false }
    }
}

impl Default for Suggested {
    /// The settings of the public release.
    ///
    /// Source: openai/glide-text2im, the notebooks `text2im`, `inpaint` and `clip_guided`.
    fn default() -> Self {
        let base = |guidance| StageSettings {
            sampler: SamplerName::Ddpm,
            respacing: "100".to_owned(),
            steps: 100,
            eta: 0.0,
            guidance: Some(guidance),
            temperature: 1.0,
        };
        let upsample = |sampler| StageSettings {
            sampler,
            respacing: "fast27".to_owned(),
            steps: 27,
            eta: 0.0,
            guidance: None,
            temperature: 0.997,
        };
        Self {
            base: base(3.0),
            base_inpaint: base(5.0),
            upsample: upsample(SamplerName::Ddim),
            upsample_inpaint: upsample(SamplerName::Ddpm),
            clip_guidance: 3.0,
            chat: ChatSuggested::default(),
        }
    }
}

impl Suggested {
    /// The settings for a network that does this work; none for one that only helps another.
    #[must_use]
    pub const fn stage(&self, role: Role) -> Option<&StageSettings> {
        match role {
            Role::Base => Some(&self.base),
            Role::BaseInpaint => Some(&self.base_inpaint),
            Role::Upsample => Some(&self.upsample),
            Role::UpsampleInpaint => Some(&self.upsample_inpaint),
            Role::Transfusion => Some(&self.chat.draw),
            Role::ClipText | Role::ClipImage | Role::Autoencoder => None,
        }
    }
}

impl Manifest {
    /// Reads and checks the manifest of a family's folder.
    ///
    /// # Errors
    ///
    /// When it can't be read, or names files outside its folder, or contradicts itself.
    pub fn read(folder: &Path) -> Result<Self, LibraryError> {
        let path = folder.join(MANIFEST_FILE);
        let bad = |why: String| LibraryError::Manifest { path: path.clone(), why };
        let about =
            std::fs::metadata(&path).map_err(LibraryError::io("read the manifest", &path))?;
        if about.len() > MAX_MANIFEST {
            return Err(bad(format!("it has {} bytes", about.len())));
        }
        let bytes = std::fs::read(&path).map_err(LibraryError::io("read the manifest", &path))?;
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        manifest.check().map_err(&bad)?;
        if folder.file_name().is_some_and(|name| name != manifest.id.as_str()) {
            return Err(bad(format!("its id {:?} is not the folder's name", manifest.id)));
        }
        Ok(manifest)
    }

    /// Writes the manifest in whole or not at all.
    ///
    /// # Errors
    ///
    /// When the folder can't be written.
    pub fn write(&self, folder: &Path) -> Result<(), LibraryError> {
        use std::io::Write as _;
        let path = folder.join(MANIFEST_FILE);
        let mut text = serde_json::to_string_pretty(self).map_err(|error| {
            LibraryError::Manifest { path: path.clone(), why: error.to_string() }
        })?;
        text.push('\n');
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::Builder::new().prefix(".manifest-").tempfile_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(LibraryError::io("write the manifest", &path))
    }

    /// The network with this role.
    #[must_use]
    pub fn checkpoint(&self, role: Role) -> Option<&CheckpointEntry> {
        self.checkpoints.iter().find(|entry| entry.role == role)
    }

    fn check(&self) -> Result<(), String> {
        if self.manifest_version == 0 || self.manifest_version > MANIFEST_VERSION {
            return Err(format!(
                "its layout {} is not known to this version of Gesso",
                self.manifest_version
            ));
        }
        check_id(&self.id).map_err(|error| error.to_string())?;
        for (at, entry) in self.checkpoints.iter().enumerate() {
            if self.checkpoints[..at].iter().any(|other| other.role == entry.role) {
                return Err(format!("it has two {} networks", entry.role));
            }
            let known = entry.network_config();
            let known = known.map_err(|error| format!("the {} network: {error}", entry.role))?;
            if let (Some(form), NetworkConfig::Glide(config)) = (entry.role.form(), &known)
                && config.form() != form
            {
                return Err(format!("the config of the {} network has another form", entry.role));
            }
        }
        let tokenizer = self.tokenizer.as_deref().filter(|name| *name != "gpt2");
        let names = self
            .checkpoints
            .iter()
            .map(|entry| entry.file.as_str())
            .chain(tokenizer)
            .chain(self.vocabulary.as_deref())
            .chain(self.chat_vocabulary.as_deref())
            .chain(self.files.iter().map(|entry| entry.file.as_str()));
        for name in names {
            if !is_plain_file_name(name) {
                return Err(format!("{name:?} is not a plain file name"));
            }
        }
        Ok(())
    }
}

/// Whether a name stays inside its folder on every system.
pub(super) fn is_plain_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name.chars().all(|c| !c.is_control() && !r#"/\:*?"<>|"#.contains(c))
}

/// Checks a family's name, which becomes a folder's.
pub(super) fn check_id(id: &str) -> Result<(), LibraryError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = (1..=64).contains(&id.len())
        && id.starts_with(plain)
        && id.chars().all(|c| plain(c) || "-_.".contains(c))
        && !id.ends_with('.');
    if fits { Ok(()) } else { Err(LibraryError::InvalidId { id: id.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_their_folder_are_refused() {
        for bad in ["../x", "", ".", "..", "a/b", "/etc", "C:x", "A", "a b", "-a", "é", "a.", ".a"]
        {
            assert!(check_id(bad).is_err(), "{bad}");
        }
        for good in ["glide", "starter", "my-model_2.1", "7"] {
            check_id(good).unwrap();
        }
        for bad in ["../x", "..", "a/b", r"a\b", "c:x", "", ".hidden", "a\0"] {
            assert!(!is_plain_file_name(bad), "{bad}");
        }
        assert!(is_plain_file_name("starter-base.safetensors"));
    }

    #[test]
    fn suggested_settings_survive_json_and_fill_gaps() {
        let all = Suggested::default();
        let json = serde_json::to_value(&all).unwrap();
        assert_eq!(serde_json::from_value::<Suggested>(json).unwrap(), all);
        let some: Suggested = serde_json::from_str(
            r#"{"base":{"sampler":"dpm++","respacing":"20","steps":20,"guidance":4}}"#,
        )
        .unwrap();
        assert_eq!(some.base.sampler, SamplerName::DpmPp2m);
        assert_eq!(some.upsample, all.upsample);
        assert_eq!(some.stage(Role::Base).unwrap().guidance, Some(4.0));
    }
}
