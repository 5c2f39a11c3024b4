//! What a job is asked to do, as plain data that holds everything.
//!
//! A job reads only its [`Request`] and the weights, so the same request on the same kind of device
//! gives the same pixels again. [`Record`] is the part of a request that can be written down; it goes
//! into the metadata of the pictures. Nothing here computes.

mod chat;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::device::{DeviceChoice, Precision};
use crate::models::Role;
use crate::raster::{Mask, RgbaImage};

pub use chat::{AnswerChoice, ChatRecord, ChatRequest, ChatSettings, EarlierTurn};

/// A job: everything it reads, except the weights.
#[derive(Clone, Debug)]
pub enum Request {
    /// Text to pictures.
    Generate(GenerateRequest),
    /// Text and a masked picture to the picture with the masked part repainted.
    Inpaint(InpaintRequest),
    /// A picture to one four times as wide and high.
    Upscale(UpscaleRequest),
    /// A message to an answer in words and pictures.
    Chat(ChatRequest),
}

impl Request {
    /// The settings that every kind of request has.
    #[must_use]
    pub const fn common(&self) -> &Common {
        match self {
            Self::Generate(request) => &request.common,
            Self::Inpaint(request) => &request.settings.common,
            Self::Upscale(request) => &request.settings.common,
            Self::Chat(request) => &request.settings.common,
        }
    }

    /// The settings that every kind of request has, to be changed.
    pub const fn common_mut(&mut self) -> &mut Common {
        match self {
            Self::Generate(request) => &mut request.common,
            Self::Inpaint(request) => &mut request.settings.common,
            Self::Upscale(request) => &mut request.settings.common,
            Self::Chat(request) => &mut request.settings.common,
        }
    }

    /// The request without its pixels, as it is written into a picture made with `seed`.
    ///
    /// A record always describes one picture: picture `i` of a request for several is the picture
    /// that the same request with its seed and a count of 1 gives.
    #[must_use]
    pub fn record(&self, seed: u64) -> Record {
        match self {
            Self::Generate(request) => {
                let mut request = request.clone();
                request.common.seed = seed;
                request.count = 1;
                Record::Generate(request)
            }
            Self::Inpaint(request) => {
                let mut settings = request.settings.clone();
                settings.common.seed = seed;
                settings.count = 1;
                Record::Inpaint(settings)
            }
            Self::Upscale(request) => {
                let mut settings = request.settings.clone();
                settings.common.seed = seed;
                Record::Upscale(settings)
            }
            Self::Chat(request) => {
                let mut settings = request.settings.clone();
                settings.common.seed = seed;
                Record::Chat(ChatRecord { settings, reply: String::new() })
            }
        }
    }
}

/// A request as it is written into a picture: all settings, no pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase")]
pub enum Record {
    /// Text to pictures.
    Generate(GenerateRequest),
    /// A masked picture repainted.
    Inpaint(InpaintSettings),
    /// A picture enlarged.
    Upscale(UpscaleSettings),
    /// A turn of a conversation.
    Chat(ChatRecord),
}

impl InpaintSettings {
    /// The command that repeats the edit.
    #[must_use]
    pub const fn command(&self) -> &'static str {
        match self.alpha {
            AlphaRule::Painted => "inpaint",
            AlphaRule::Kept => "vary",
        }
    }
}

impl Record {
    /// The command that repeats the request.
    #[must_use]
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Generate(_) => "generate",
            Self::Inpaint(settings) => settings.command(),
            Self::Upscale(_) => "upscale",
            Self::Chat(_) => "edit",
        }
    }

    /// The settings that every kind of request has.
    #[must_use]
    pub const fn common(&self) -> &Common {
        match self {
            Self::Generate(request) => &request.common,
            Self::Inpaint(settings) => &settings.common,
            Self::Upscale(settings) => &settings.common,
            Self::Chat(turn) => &turn.settings.common,
        }
    }

    /// How the small picture is sampled, where one is.
    #[must_use]
    pub const fn base(&self) -> Option<&BaseSettings> {
        match self {
            Self::Generate(request) => Some(&request.base),
            Self::Inpaint(settings) => Some(&settings.base),
            Self::Upscale(_) => None,
            Self::Chat(turn) => Some(&turn.settings.base),
        }
    }

    /// How the large picture is sampled, where one is.
    #[must_use]
    pub const fn upsample(&self) -> Option<&UpsampleSettings> {
        match self {
            Self::Generate(request) => request.upsample.as_ref(),
            Self::Inpaint(settings) => settings.upsample.as_ref(),
            Self::Upscale(settings) => Some(&settings.upsample),
            Self::Chat(turn) => turn.settings.upsample.as_ref(),
        }
    }
}

/// What every job needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Common {
    /// What to draw; may be empty.
    pub prompt: String,
    /// What classifier-free guidance leads away from; empty is the plain unguided prediction.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub negative_prompt: String,
    /// The model's id in the library.
    pub model: String,
    /// The checkpoints of the model that do the work, one of a role.
    pub checkpoints: Vec<CheckpointRef>,
    /// Where the noise starts; picture `i` of several is drawn with `seed + i`.
    pub seed: u64,
    /// Where to compute.
    pub device: DeviceChoice,
    /// How exactly to compute.
    pub precision: Precision,
}

impl Common {
    /// The network that draws small pictures.
    #[must_use]
    pub fn base_checkpoint(&self) -> Option<&CheckpointRef> {
        self.checkpoint(&[Role::Base, Role::BaseInpaint])
    }

    /// The network that enlarges them.
    #[must_use]
    pub fn upsample_checkpoint(&self) -> Option<&CheckpointRef> {
        self.checkpoint(&[Role::Upsample, Role::UpsampleInpaint])
    }

    /// The first checkpoint that has one of these roles.
    #[must_use]
    pub fn checkpoint(&self, roles: &[Role]) -> Option<&CheckpointRef> {
        self.checkpoints.iter().find(|checkpoint| roles.contains(&checkpoint.role))
    }
}

/// One checkpoint of the model, with the hash that says exactly which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRef {
    /// What it does in the model.
    pub role: Role,
    /// SHA-256 of its file, in hex.
    pub sha256: String,
}

/// Text to pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GenerateRequest {
    /// What every job needs.
    #[serde(flatten)]
    pub common: Common,
    /// How many pictures.
    pub count: u32,
    /// How the small picture is sampled.
    pub base: BaseSettings,
    /// How it is enlarged; `None` leaves it small.
    pub upsample: Option<UpsampleSettings>,
}

/// A picture, the part of it to repaint, and how.
#[derive(Clone, Debug)]
pub struct InpaintRequest {
    /// Everything but the pixels.
    pub settings: InpaintSettings,
    /// The whole picture.
    pub image: Arc<RgbaImage>,
    /// Where to repaint, as large as the picture.
    pub mask: Arc<Mask>,
}

/// An inpainting job without its pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InpaintSettings {
    /// What every job needs.
    #[serde(flatten)]
    pub common: Common,
    /// How many variants.
    pub count: u32,
    /// How the small picture is sampled.
    pub base: BaseSettings,
    /// How regions larger than the small picture are sampled; `None` stretches the small picture.
    pub upsample: Option<UpsampleSettings>,
    /// Width in pixels of the soft edge inside the mask.
    pub feather_px: u32,
    /// How far the result leaves the original, above 0 to 1: the share of the schedule that is run,
    /// from the original with that much noise over it. 1 starts from noise alone.
    ///
    /// Source: `SDEdit` (arXiv 2108.01073), section 3.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub strength: f64,
    /// What becomes of transparent pixels.
    #[serde(default, skip_serializing_if = "AlphaRule::is_usual")]
    pub alpha: AlphaRule,
    /// Where the picture came from, for people to read.
    pub image: SourceNote,
    /// Where the mask came from, for people to read.
    pub mask: SourceNote,
}

const fn whole() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_whole(strength: &f64) -> bool {
    *strength >= 1.0
}

/// What an edit does to the alpha of the pixels that it repaints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlphaRule {
    /// What is painted is opaque, as far as the mask covers it.
    #[default]
    Painted,
    /// Every pixel keeps its alpha, and fully transparent ones their hidden color too.
    Kept,
}

impl AlphaRule {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    fn is_usual(&self) -> bool {
        *self == Self::Painted
    }
}

/// A picture to enlarge, and how.
#[derive(Clone, Debug)]
pub struct UpscaleRequest {
    /// Everything but the pixels.
    pub settings: UpscaleSettings,
    /// The whole picture.
    pub image: Arc<RgbaImage>,
}

/// An enlarging job without its pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpscaleSettings {
    /// What every job needs.
    #[serde(flatten)]
    pub common: Common,
    /// How the large picture is sampled.
    pub upsample: UpsampleSettings,
    /// Where the picture came from, for people to read.
    pub image: SourceNote,
}

/// Where pixels came from; no job reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceNote {
    /// The file's path, as it was given.
    pub path: Option<String>,
    /// SHA-256 of the file, in hex.
    pub sha256: Option<String>,
}

/// How the small picture is sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaseSettings {
    /// Denoising steps.
    pub steps: u32,
    /// Which timesteps they are: the number of steps, or a respacing of the reference.
    pub respacing: String,
    /// The loop over them.
    pub sampler: SamplerChoice,
    /// Share of fresh noise of the DDIM sampler, 0 to 1.
    pub eta: f64,
    /// Scale of classifier-free guidance; 1 is none.
    pub guidance: f64,
    /// Scale of CLIP guidance; 0 is none.
    pub clip_guidance: f64,
    /// Side in pixels of the small picture.
    pub size: u32,
}

/// How the large picture is sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpsampleSettings {
    /// Which timesteps are used: a number of steps, or a respacing of the reference such as `fast27`.
    pub respacing: String,
    /// The loop over them.
    pub sampler: SamplerChoice,
    /// Share of fresh noise of the DDIM sampler, 0 to 1.
    pub eta: f64,
    /// Scale of classifier-free guidance; 1 is none.
    pub guidance: f64,
    /// Factor of the starting noise; a little below 1 gives smoother pictures.
    pub temperature: f64,
    /// Side in pixels of the large picture, or of a tile of it.
    pub size: u32,
}

/// The loops that a request can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SamplerChoice {
    /// Ancestral sampling, the reference's default.
    #[serde(rename = "ddpm")]
    Ddpm,
    /// DDIM, deterministic at eta 0.
    #[serde(rename = "ddim")]
    Ddim,
    /// DPM-Solver++ (2M), good at few steps.
    #[serde(rename = "dpm++", alias = "dpmpp")]
    DpmPp,
}

impl SamplerChoice {
    /// The name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ddpm => "ddpm",
            Self::Ddim => "ddim",
            Self::DpmPp => "dpm++",
        }
    }
}

impl std::str::FromStr for SamplerChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "ddpm" => Ok(Self::Ddpm),
            "ddim" => Ok(Self::Ddim),
            "dpm++" | "dpmpp" => Ok(Self::DpmPp),
            _ => Err("the samplers are ddpm, ddim and dpm++".to_owned()),
        }
    }
}
