//! Shapes and switches of the GLIDE networks, with the public checkpoints as presets.

use serde::{Deserialize, Deserializer, Serialize};

/// Width of the public text encoder's byte-pair vocabulary (`GPT-2`'s, end token last).
const GPT2_VOCAB: usize = 50257;

/// Which of the four networks a config describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GlideForm {
    /// Text to a small picture.
    Base,
    /// Text and known pixels to a small picture.
    BaseInpaint,
    /// Text and a small picture to a large one.
    Upsample,
    /// Text, a small picture and known pixels to a large one.
    UpsampleInpaint,
}

impl GlideForm {
    /// The name used in manifests and messages: `base`, `base-inpaint`, `upsample`, `upsample-inpaint`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::BaseInpaint => "base-inpaint",
            Self::Upsample => "upsample",
            Self::UpsampleInpaint => "upsample-inpaint",
        }
    }
}

/// Why a config can't be built into a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unsupported GLIDE config: {0}")]
pub struct UnsupportedConfig(pub String);

/// Shapes and switches of one GLIDE UNet with its text transformer.
///
/// The keys are those of `model_and_diffusion_defaults` in openai/glide-text2im
/// (`glide_text2im/model_creation.py`) plus `n_vocab`. `channel_mult` and
/// `attention_resolutions` read both the reference's comma-separated strings and lists of numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the keys and their types are the reference's")]
pub struct GlideConfig {
    /// Side in pixels of the square pictures that the network was made for.
    pub image_size: usize,
    /// Width of the first level; every level is a multiple of it.
    pub num_channels: usize,
    /// Residual blocks at each level of the encoder half.
    pub num_res_blocks: usize,
    /// Width of each level as a multiple of `num_channels`; empty means the default of `image_size`.
    #[serde(default, deserialize_with = "numbers")]
    pub channel_mult: Vec<usize>,
    /// Sides in pixels of the levels that have attention.
    #[serde(deserialize_with = "numbers")]
    pub attention_resolutions: Vec<usize>,
    /// Attention heads where `num_head_channels` is unset.
    #[serde(default = "one")]
    pub num_heads: usize,
    /// Channels of a head; -1 means that the number of heads is fixed instead.
    #[serde(default = "unset")]
    pub num_head_channels: i64,
    /// Attention heads in the decoder half; -1 means `num_heads`.
    #[serde(default = "unset")]
    pub num_heads_upsample: i64,
    /// Tokens that the text encoder reads.
    pub text_ctx: usize,
    /// Width of the text transformer; 0 means a network without text.
    pub xf_width: usize,
    /// Layers of the text transformer.
    pub xf_layers: usize,
    /// Heads of the text transformer.
    pub xf_heads: usize,
    /// Whether the text transformer ends in a layer norm.
    #[serde(default = "yes")]
    pub xf_final_ln: bool,
    /// Whether places without a token hold a learned embedding.
    #[serde(default = "yes")]
    pub xf_padding: bool,
    /// Whether the time embedding scales and shifts the norm, or is added before it.
    #[serde(default = "yes")]
    pub use_scale_shift_norm: bool,
    /// Whether resolution changes inside residual blocks, or in plain convolutions.
    #[serde(default = "yes")]
    pub resblock_updown: bool,
    /// Whether the network reads known pixels and their mask.
    #[serde(default)]
    pub inpaint: bool,
    /// Whether the network reads a low-resolution picture.
    #[serde(default)]
    pub super_res: bool,
    /// Rows of the token embedding; the last one is the end token that fills the context.
    #[serde(default = "gpt2_vocab")]
    pub n_vocab: usize,
    /// The noise schedule that the network was trained with.
    #[serde(default = "cosine", alias = "schedule")]
    pub noise_schedule: String,
    /// Timesteps of the training process.
    #[serde(default = "thousand")]
    pub diffusion_steps: usize,
}

fn one() -> usize {
    1
}
fn unset() -> i64 {
    -1
}
fn yes() -> bool {
    true
}
fn gpt2_vocab() -> usize {
    GPT2_VOCAB
}
fn cosine() -> String {
    "squaredcos_cap_v2".to_owned()
}
fn thousand() -> usize {
    1000
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Numbers {
    Text(String),
    List(Vec<usize>),
}

fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<usize>, D::Error> {
    match Numbers::deserialize(deserializer)? {
        Numbers::List(list) => Ok(list),
        Numbers::Text(text) => text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().map_err(serde::de::Error::custom))
            .collect(),
    }
}

impl GlideConfig {
    /// The config of a public checkpoint.
    ///
    /// Source: openai/glide-text2im, `model_and_diffusion_defaults` and
    /// `model_and_diffusion_defaults_upsampler` in `glide_text2im/model_creation.py`.
    #[must_use]
    pub fn public(form: GlideForm) -> Self {
        let super_res = matches!(form, GlideForm::Upsample | GlideForm::UpsampleInpaint);
        Self {
            image_size: if super_res { 256 } else { 64 },
            num_channels: 192,
            num_res_blocks: if super_res { 2 } else { 3 },
            channel_mult: Vec::new(),
            attention_resolutions: vec![32, 16, 8],
            num_heads: 1,
            num_head_channels: 64,
            num_heads_upsample: -1,
            text_ctx: 128,
            xf_width: 512,
            xf_layers: 16,
            xf_heads: 8,
            xf_final_ln: true,
            xf_padding: true,
            use_scale_shift_norm: true,
            resblock_updown: true,
            inpaint: matches!(form, GlideForm::BaseInpaint | GlideForm::UpsampleInpaint),
            super_res,
            n_vocab: GPT2_VOCAB,
            noise_schedule: if super_res { "linear".to_owned() } else { cosine() },
            diffusion_steps: 1000,
        }
    }

    /// Which of the four forms this is.
    #[must_use]
    pub const fn form(&self) -> GlideForm {
        match (self.super_res, self.inpaint) {
            (false, false) => GlideForm::Base,
            (false, true) => GlideForm::BaseInpaint,
            (true, false) => GlideForm::Upsample,
            (true, true) => GlideForm::UpsampleInpaint,
        }
    }

    /// The width multipliers of the levels, with the default of the image size filled in.
    ///
    /// # Errors
    ///
    /// When none are given and the image size has no default.
    pub fn levels(&self) -> Result<Vec<usize>, UnsupportedConfig> {
        if !self.channel_mult.is_empty() {
            return Ok(self.channel_mult.clone());
        }
        match self.image_size {
            256 => Ok(vec![1, 1, 2, 2, 4, 4]),
            128 => Ok(vec![1, 1, 2, 3, 4]),
            64 => Ok(vec![1, 2, 3, 4]),
            other => Err(UnsupportedConfig(format!(
                "image_size {other} has no default channel_mult; give channel_mult"
            ))),
        }
    }

    /// Channels that the first convolution reads.
    #[must_use]
    pub const fn in_channels(&self) -> usize {
        3 + if self.inpaint { 4 } else { 0 } + if self.super_res { 3 } else { 0 }
    }

    /// Width of the time embedding.
    #[must_use]
    pub const fn time_embed_dim(&self) -> usize {
        4 * self.num_channels
    }

    /// Attention heads of a block of `channels`, in the encoder or the decoder half.
    ///
    /// # Errors
    ///
    /// When the channels don't divide into such heads.
    pub fn heads(&self, channels: usize, half: Half) -> Result<usize, UnsupportedConfig> {
        let heads = match usize::try_from(self.num_head_channels) {
            Ok(width) if width > 0 => {
                if !channels.is_multiple_of(width) {
                    return Err(UnsupportedConfig(format!(
                        "{channels} channels do not divide into heads of {width}"
                    )));
                }
                channels / width
            }
            _ => match (half, usize::try_from(self.num_heads_upsample)) {
                (Half::Decoder, Ok(heads)) if heads > 0 => heads,
                _ => self.num_heads,
            },
        };
        if heads == 0 || !channels.is_multiple_of(heads) {
            return Err(UnsupportedConfig(format!(
                "{channels} channels do not divide into {heads} heads"
            )));
        }
        Ok(heads)
    }
}

/// Which half of a UNet a block is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// From the picture down to the middle, the middle included.
    Encoder,
    /// From the middle back up.
    Decoder,
}

/// Shapes of the noised CLIP.
///
/// The keys are those of `config.yaml` beside `glide_text2im/clip` in openai/glide-text2im.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipConfig {
    /// Factor of the cosine in the logits; not part of the checkpoints.
    pub logit_scale: f64,
    /// Timesteps of the noising process; rows of `w_t`.
    pub n_timesteps: usize,
    /// Side of the pictures in pixels.
    pub image_size: usize,
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Rows of the token embedding.
    pub n_vocab: usize,
    /// Tokens that the text encoder reads, start and end token included.
    pub max_text_len: usize,
    /// Width of the features that text and picture share.
    pub n_embd: usize,
    /// Channels of a head in the text encoder.
    pub n_head_state_text: usize,
    /// Heads of the text encoder.
    pub n_head_text: usize,
    /// Layers of the text encoder.
    pub n_xf_blocks_text: usize,
    /// Channels of a head in the image encoder.
    pub n_head_state_image: usize,
    /// Heads of the image encoder.
    pub n_head_image: usize,
    /// Layers of the image encoder.
    pub n_xf_blocks_image: usize,
}

impl ClipConfig {
    /// The config of the public noised CLIP.
    #[must_use]
    pub fn public() -> Self {
        Self {
            logit_scale: 100.0,
            n_timesteps: 1000,
            image_size: 64,
            patch_size: 4,
            n_vocab: 65536,
            max_text_len: 77,
            n_embd: 512,
            n_head_state_text: 64,
            n_head_text: 8,
            n_xf_blocks_text: 12,
            n_head_state_image: 64,
            n_head_image: 12,
            n_xf_blocks_image: 12,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_string_form_and_lists_read_alike() {
        let text = r#"{"image_size":16,"num_channels":32,"num_res_blocks":1,"channel_mult":"1,2",
            "attention_resolutions":"16,8","text_ctx":24,"xf_width":64,"xf_layers":2,"xf_heads":2}"#;
        let list = text.replace("\"1,2\"", "[1,2]").replace("\"16,8\"", "[16,8]");
        let a: GlideConfig = serde_json::from_str(text).unwrap();
        let b: GlideConfig = serde_json::from_str(&list).unwrap();
        assert_eq!(a, b);
        assert_eq!(a.channel_mult, [1, 2]);
        assert_eq!(a.form(), GlideForm::Base);
    }

    #[test]
    fn an_image_size_without_default_multipliers_is_refused() {
        let mut config = GlideConfig::public(GlideForm::Base);
        config.image_size = 40;
        assert!(config.levels().is_err());
        config.channel_mult = vec![1, 2];
        assert_eq!(config.levels().unwrap(), [1, 2]);
    }
}
