//! What networks there are, and what each does in a family of models.

use serde::{Deserialize, Serialize};

use crate::models::autoencoder::{self, AutoencoderConfig};
use crate::models::glide::{
    ClipConfig, GlideConfig, GlideForm, RecognizeError, Recognized, Shapes, glide_shapes, is_glide,
    read_clip, read_glide, recognize_glide,
};
use crate::models::transfusion::{self, TransfusionConfig};

/// What a checkpoint does in a family of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Text to a small picture.
    Base,
    /// Text and known pixels to a small picture.
    BaseInpaint,
    /// Text and a small picture to a large one.
    Upsample,
    /// Text, a small picture and known pixels to a large one.
    UpsampleInpaint,
    /// The text half of the noised CLIP.
    ClipText,
    /// The picture half of the noised CLIP.
    ClipImage,
    /// Pictures to latents and back.
    Autoencoder,
    /// Text and latents in one sequence.
    Transfusion,
}

impl Role {
    /// Every role, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::Base,
        Self::BaseInpaint,
        Self::Upsample,
        Self::UpsampleInpaint,
        Self::ClipText,
        Self::ClipImage,
        Self::Autoencoder,
        Self::Transfusion,
    ];

    /// The name used in manifests and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::BaseInpaint => "base-inpaint",
            Self::Upsample => "upsample",
            Self::UpsampleInpaint => "upsample-inpaint",
            Self::ClipText => "clip-text",
            Self::ClipImage => "clip-image",
            Self::Autoencoder => "autoencoder",
            Self::Transfusion => "transfusion",
        }
    }

    /// The form of the UNet, or none for other networks.
    #[must_use]
    pub const fn form(self) -> Option<GlideForm> {
        match self {
            Self::Base => Some(GlideForm::Base),
            Self::BaseInpaint => Some(GlideForm::BaseInpaint),
            Self::Upsample => Some(GlideForm::Upsample),
            Self::UpsampleInpaint => Some(GlideForm::UpsampleInpaint),
            Self::ClipText | Self::ClipImage | Self::Autoencoder | Self::Transfusion => None,
        }
    }

    /// Whether it is a network of GLIDE or its CLIP.
    #[must_use]
    pub const fn is_glide(self) -> bool {
        !matches!(self, Self::Autoencoder | Self::Transfusion)
    }
}

impl From<GlideForm> for Role {
    fn from(form: GlideForm) -> Self {
        match form {
            GlideForm::Base => Self::Base,
            GlideForm::BaseInpaint => Self::BaseInpaint,
            GlideForm::Upsample => Self::Upsample,
            GlideForm::UpsampleInpaint => Self::UpsampleInpaint,
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The config of any network.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum NetworkConfig {
    /// A UNet.
    Glide(GlideConfig),
    /// One half of CLIP; the fields of the other half are the public ones.
    Clip(ClipConfig),
    /// An autoencoder.
    Autoencoder(AutoencoderConfig),
    /// A transformer for text and latents.
    Transfusion(TransfusionConfig),
}

impl NetworkConfig {
    /// Reads the config of a network with this role.
    ///
    /// # Errors
    ///
    /// When a key is absent or has the wrong kind of value, or a value is beyond reason.
    pub fn from_json(role: Role, json: &serde_json::Value) -> Result<Self, RecognizeError> {
        Ok(match role {
            Role::ClipText | Role::ClipImage => Self::Clip(read_clip(json)?),
            Role::Autoencoder => Self::Autoencoder(AutoencoderConfig::from_json(json)?),
            Role::Transfusion => Self::Transfusion(TransfusionConfig::from_json(json)?),
            Role::Base | Role::BaseInpaint | Role::Upsample | Role::UpsampleInpaint => {
                Self::Glide(read_glide(json)?)
            }
        })
    }
}

/// The names and shapes that a network with this role and config has.
///
/// # Errors
///
/// When no network can have this config.
pub fn expected_shapes(
    role: Role,
    config: &NetworkConfig,
) -> Result<Vec<(String, Vec<usize>)>, RecognizeError> {
    let shapes = match (role, config) {
        (Role::Autoencoder, NetworkConfig::Autoencoder(config)) => {
            autoencoder::parameter_shapes(config)
        }
        (Role::Transfusion, NetworkConfig::Transfusion(config)) => {
            transfusion::parameter_shapes(config)
        }
        _ => return glide_shapes(role, config),
    };
    shapes.map_err(|error| RecognizeError::Config(first_line(&error.to_string())))
}

/// candle may append a backtrace to a message.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

/// Tells which network has these parameters.
///
/// `given` is a config, from the file's metadata or from the user: for GLIDE and CLIP see
/// [`recognize_glide`], which needs none for many; an autoencoder or a transformer always needs its
/// own, plain or under the role's name.
///
/// # Errors
///
/// When it is another kind of network, the config is absent or can't be used, or names or shapes
/// are not those that the config asks for.
pub fn recognize(
    found: &Shapes,
    given: Option<&serde_json::Value>,
) -> Result<Recognized, RecognizeError> {
    let any = |prefix: &str| found.iter().any(|(name, _)| name.starts_with(prefix));
    let role = if is_glide(found) {
        return recognize_glide(found, given);
    } else if any("patch_in.") && any("embed_tokens.") && any("layers.") {
        Role::Transfusion
    } else if any("latent_mean") && any("encoder.") && any("decoder.") {
        Role::Autoencoder
    } else {
        return recognize_glide(found, given);
    };
    let given = given.map(|json| json.get(role.name()).unwrap_or(json)).ok_or_else(|| {
        let why = format!(
            "it looks like the {role} of a Transfusion model, whose shapes don't say how it \
             works; give its config with --config"
        );
        RecognizeError::Config(why)
    })?;
    let config = NetworkConfig::from_json(role, given)?;
    match &config {
        NetworkConfig::Autoencoder(config) => autoencoder::check_checkpoint(found, config)?,
        NetworkConfig::Transfusion(config) => transfusion::check_checkpoint(found, config)?,
        NetworkConfig::Glide(_) | NetworkConfig::Clip(_) => {}
    }
    Ok(Recognized { role, config, public: false, assumptions: Vec::new() })
}
