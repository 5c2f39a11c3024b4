//! Which networks of a model do a job, and the settings that suit them.
//!
//! For whoever builds requests: everything here reads manifests only and loads nothing, so that a
//! bad request is refused at once.

use std::path::PathBuf;

use crate::diffusion::{NoiseSchedule, Schedule};
use crate::engine::error::EngineError;
use crate::engine::library::{
    ChatSuggested, CheckpointEntry, LibraryError, ModelFamily, ModelLibrary, SamplerName,
    StageSettings,
};
use crate::engine::request::{
    BaseSettings, CheckpointRef, Request, SamplerChoice, UpsampleSettings,
};
use crate::engine::transfusion::schedule_of;
use crate::models::autoencoder::AutoencoderConfig;
use crate::models::glide::GlideConfig;
use crate::models::transfusion::TransfusionConfig;
use crate::models::{NetworkConfig, Role};

/// What a model is to be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Pictures from text.
    #[default]
    Generate,
    /// Parts of pictures repainted.
    Inpaint,
    /// Pictures enlarged.
    Upscale,
    /// Messages answered in words and pictures.
    Chat,
}

impl Purpose {
    /// The command that does it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Inpaint => "inpaint",
            Self::Upscale => "upscale",
            Self::Chat => "chat",
        }
    }

    const fn base_role(self) -> Role {
        match self {
            Self::Inpaint => Role::BaseInpaint,
            Self::Chat => Role::Transfusion,
            _ => Role::Base,
        }
    }

    const fn upsample_role(self) -> Role {
        match self {
            Self::Inpaint => Role::UpsampleInpaint,
            _ => Role::Upsample,
        }
    }
}

/// A model with the networks that a purpose needs.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its id.
    pub id: String,
    purpose: Purpose,
    model: ModelFamily,
    base: Option<Network>,
    upsample: Option<Network>,
    talker: Option<Talker>,
}

/// The networks that answer messages, as their manifest describes them.
#[derive(Clone, Debug)]
struct Talker {
    autoencoder: CheckpointRef,
    transformer: CheckpointRef,
    /// Side in pixels of the pictures that they see and draw.
    side: usize,
}

/// One network as its manifest describes it.
#[derive(Clone, Debug)]
struct Network {
    reference: CheckpointRef,
    config: GlideConfig,
}

impl Family {
    /// Finds a model; the default one without an id.
    ///
    /// # Errors
    ///
    /// When there is none, or it has no network for the purpose, or a file of it is missing.
    pub fn find(
        library: &ModelLibrary,
        id: Option<&str>,
        purpose: Purpose,
    ) -> Result<Self, EngineError> {
        let family = match id {
            Some(id) => library.family(id)?,
            None if purpose == Purpose::Chat => library.default_talker()?,
            None => library.default_family()?,
        };
        let (base, upsample) = match purpose {
            Purpose::Upscale => (None, Some(family.require(Role::Upsample)?)),
            Purpose::Chat => (None, family.network_for(Role::Upsample)),
            // An inpainting network is best, but known pixels can be written into any network's
            // predictions.
            Purpose::Inpaint => (
                match family.network_for(Role::BaseInpaint) {
                    Some(entry) => Some(entry),
                    None => Some(family.require(Role::Base)?),
                },
                family
                    .network_for(Role::UpsampleInpaint)
                    .or_else(|| family.network_for(Role::Upsample)),
            ),
            Purpose::Generate => {
                (Some(family.require(Role::Base)?), family.network_for(Role::Upsample))
            }
        };
        let network = |entry: &CheckpointEntry| network(family, entry);
        Ok(Self {
            id: family.id().to_owned(),
            purpose,
            base: base.map(network).transpose()?,
            upsample: upsample.map(network).transpose()?,
            talker: (purpose == Purpose::Chat).then(|| talker(family)).transpose()?,
            model: family.clone(),
        })
    }

    /// Side in pixels of the small pictures.
    ///
    /// # Errors
    ///
    /// When the purpose needs none.
    pub fn base_size(&self) -> Result<u32, EngineError> {
        let side = match &self.talker {
            Some(talker) => talker.side,
            None => self.require_base()?.config.image_size,
        };
        Ok(side as u32)
    }

    /// Settings that suit answers to messages.
    #[must_use]
    pub fn chat_settings(&self) -> &ChatSuggested {
        &self.model.manifest.suggested.chat
    }

    /// Side in pixels of the large pictures, where the model makes any.
    #[must_use]
    pub fn large_size(&self) -> Option<u32> {
        self.upsample.as_ref().map(|network| network.config.image_size as u32)
    }

    /// How small pictures are best sampled, with a given sampler or the model's own.
    ///
    /// # Errors
    ///
    /// When the purpose needs no small pictures.
    pub fn base_settings(
        &self,
        sampler: Option<SamplerChoice>,
    ) -> Result<BaseSettings, EngineError> {
        let size = self.base_size()?;
        let suggested = self.suggested(self.purpose.base_role());
        let own = sampler_from_name(suggested.sampler);
        let sampler = sampler.unwrap_or(own);
        let (steps, respacing) = if sampler == own {
            (suggested.steps as u32, suggested.respacing.clone())
        } else {
            let steps = usual_steps(sampler);
            (steps, steps.to_string())
        };
        Ok(BaseSettings {
            steps,
            respacing,
            sampler,
            eta: suggested.eta,
            guidance: suggested.guidance.unwrap_or(1.0),
            clip_guidance: 0.0,
            size,
        })
    }

    /// How large pictures are best sampled.
    ///
    /// # Errors
    ///
    /// When the model has no network for it.
    pub fn upsample_settings(&self) -> Result<UpsampleSettings, EngineError> {
        let role = self.purpose.upsample_role();
        let size = self.large_size().ok_or_else(|| self.lacks(role))?;
        let suggested = self.suggested(role);
        Ok(UpsampleSettings {
            respacing: suggested.respacing.clone(),
            sampler: sampler_from_name(suggested.sampler),
            eta: suggested.eta,
            guidance: suggested.guidance.unwrap_or(1.0),
            temperature: suggested.temperature,
            size,
        })
    }

    /// The checkpoints that a job needs.
    ///
    /// # Errors
    ///
    /// When the model lacks one, or its file is missing.
    pub fn checkpoints(
        &self,
        enlarged: Enlarged,
        clip_guidance: f64,
    ) -> Result<Vec<CheckpointRef>, EngineError> {
        let mut list = Vec::new();
        if let Some(talker) = &self.talker {
            list.extend([talker.autoencoder.clone(), talker.transformer.clone()]);
        }
        list.extend(self.base.as_ref().map(|network| network.reference.clone()));
        if enlarged == Enlarged::Yes {
            let role = self.purpose.upsample_role();
            let network = self.upsample.as_ref().ok_or_else(|| self.lacks(role))?;
            list.push(network.reference.clone());
        }
        if clip_guidance != 0.0 {
            for role in [Role::ClipText, Role::ClipImage] {
                let entry = self.model.manifest.checkpoint(role).ok_or_else(|| self.lacks(role))?;
                list.push(reference(&self.model, entry)?);
            }
        }
        Ok(list)
    }

    /// Whether the loops of a request fit the networks' processes.
    ///
    /// # Errors
    ///
    /// When a process can't be shortened that way.
    pub fn check_loops(&self, request: &Request) -> Result<(), EngineError> {
        let record = request.record(request.common().seed);
        if let (Some(base), Some(network)) = (record.base(), &self.base) {
            schedule(&network.config, &base.respacing)?;
        }
        if let (Some(base), Some(_)) = (record.base(), &self.talker) {
            schedule_of(base.steps as usize)?;
        }
        if let (Some(upsample), Some(network)) = (record.upsample(), &self.upsample) {
            schedule(&network.config, &upsample.respacing)?;
        }
        Ok(())
    }

    fn require_base(&self) -> Result<&Network, EngineError> {
        self.base.as_ref().ok_or_else(|| self.lacks(self.purpose.base_role()))
    }

    fn lacks(&self, role: Role) -> EngineError {
        LibraryError::NoSuchRole { id: self.id.clone(), role }.into()
    }

    fn suggested(&self, role: Role) -> &StageSettings {
        let suggested = &self.model.manifest.suggested;
        suggested.stage(role).unwrap_or(&suggested.base)
    }
}

/// Whether a job makes large pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enlarged {
    /// It does.
    Yes,
    /// It stays small.
    No,
}

/// The process of a network, shortened.
///
/// # Errors
///
/// When the config names an unknown schedule, or the process can't be shortened that way.
pub(crate) fn schedule(config: &GlideConfig, respacing: &str) -> Result<Schedule, EngineError> {
    let noise_schedule: NoiseSchedule = config.noise_schedule.parse()?;
    Ok(Schedule::new(noise_schedule, config.diffusion_steps, respacing)?)
}

fn network(family: &ModelFamily, entry: &CheckpointEntry) -> Result<Network, EngineError> {
    let config = glide_config(family, entry)?;
    Ok(Network { reference: reference(family, entry)?, config })
}

fn reference(family: &ModelFamily, entry: &CheckpointEntry) -> Result<CheckpointRef, EngineError> {
    let path: PathBuf = family.path(entry);
    if !path.is_file() {
        return Err(EngineError::MissingFile { id: family.id().to_owned(), path });
    }
    Ok(CheckpointRef { role: entry.role, sha256: entry.sha256.clone() })
}

/// The networks of a family that answer messages.
fn talker(family: &ModelFamily) -> Result<Talker, EngineError> {
    let entry = family.require(Role::Autoencoder)?;
    let config = autoencoder_config(family, entry)?;
    let autoencoder = reference(family, entry)?;
    let entry = family.require(Role::Transfusion)?;
    let transformer = transfusion_config(family, entry)?;
    if transformer.latent_channels != config.latent {
        return Err(EngineError::Input(format!(
            "the transformer of {:?} reads {} channels and its autoencoder makes {}; they were not \
             made for each other, import both of one model",
            family.id(),
            transformer.latent_channels,
            config.latent
        )));
    }
    let side = transformer.latent_size * config.downscale();
    Ok(Talker { autoencoder, transformer: reference(family, entry)?, side })
}

fn config_of(family: &ModelFamily, entry: &CheckpointEntry) -> Result<NetworkConfig, EngineError> {
    entry
        .network_config()
        .map_err(|source| LibraryError::Recognize { path: family.path(entry), source }.into())
}

/// The config of an autoencoder of a family.
///
/// # Errors
///
/// When the manifest's config can't be used.
pub(crate) fn autoencoder_config(
    family: &ModelFamily,
    entry: &CheckpointEntry,
) -> Result<AutoencoderConfig, EngineError> {
    match config_of(family, entry)? {
        NetworkConfig::Autoencoder(config) => Ok(config),
        _ => Err(another_kind(family, entry)),
    }
}

/// The config of a transformer of a family.
///
/// # Errors
///
/// When the manifest's config can't be used.
pub(crate) fn transfusion_config(
    family: &ModelFamily,
    entry: &CheckpointEntry,
) -> Result<TransfusionConfig, EngineError> {
    match config_of(family, entry)? {
        NetworkConfig::Transfusion(config) => Ok(config),
        _ => Err(another_kind(family, entry)),
    }
}

fn another_kind(family: &ModelFamily, entry: &CheckpointEntry) -> EngineError {
    EngineError::Input(format!(
        "the {} network of {:?} has the config of another kind; import the model again",
        entry.role,
        family.id()
    ))
}

/// The config of a UNet of a family.
///
/// # Errors
///
/// When the manifest's config can't be used.
pub(crate) fn glide_config(
    family: &ModelFamily,
    entry: &CheckpointEntry,
) -> Result<GlideConfig, EngineError> {
    match config_of(family, entry)? {
        NetworkConfig::Glide(config) => Ok(config),
        _ => Err(another_kind(family, entry)),
    }
}

const fn sampler_from_name(name: SamplerName) -> SamplerChoice {
    match name {
        SamplerName::Ddpm => SamplerChoice::Ddpm,
        SamplerName::Ddim => SamplerChoice::Ddim,
        SamplerName::DpmPp2m => SamplerChoice::DpmPp,
    }
}

/// Steps at which each sampler gives about its best.
const fn usual_steps(sampler: SamplerChoice) -> u32 {
    match sampler {
        SamplerChoice::Ddpm => 100,
        SamplerChoice::Ddim => 50,
        SamplerChoice::DpmPp => 20,
    }
}
