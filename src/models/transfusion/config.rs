//! Shapes of the transformer and the tokens that structure a conversation.

use serde::{Deserialize, Serialize};

use super::unet_patches::GROUPS;
use crate::models::parameters::{ParameterError, bounds};

/// What messages call it.
pub(super) const NETWORK: &str = "transfusion transformer";

/// How patches of latents enter and leave the transformer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatchForm {
    /// A linear layer on each patch.
    #[default]
    Linear,
    /// Down and up blocks of a U-Net, the paper's stronger form.
    Unet,
}

/// Shapes of one transformer, with the keys of Llama's configs where they mean the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransfusionConfig {
    /// Rows of the token embedding.
    pub vocab_size: usize,
    /// Width of the transformer.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Heads of each layer.
    pub num_attention_heads: usize,
    /// Width inside the feed-forward layers.
    pub intermediate_size: usize,
    /// Base of the rotary angles.
    #[serde(default = "ten_thousand")]
    pub rope_theta: f64,
    /// Channels of the latents.
    pub latent_channels: usize,
    /// Side of a patch in latents.
    pub patch_size: usize,
    /// Side in latents of the largest picture, and of all that the network was trained on.
    pub latent_size: usize,
    /// How patches enter and leave.
    #[serde(default)]
    pub patch: PatchForm,
    /// Channels of the U-Net's first level; they double with each level.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unet_channels: usize,
    /// Residual blocks of each level of the U-Net, on either way.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unet_blocks: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn ten_thousand() -> f64 {
    10_000.0
}

impl TransfusionConfig {
    /// The starter model for pictures of 256 pixels, with a vocabulary of this size.
    #[must_use]
    pub fn starter(vocab_size: usize) -> Self {
        Self {
            vocab_size,
            hidden_size: 384,
            num_hidden_layers: 12,
            num_attention_heads: 6,
            intermediate_size: 1024,
            rope_theta: ten_thousand(),
            latent_channels: 8,
            patch_size: 2,
            latent_size: 32,
            patch: PatchForm::Linear,
            unet_channels: 0,
            unet_blocks: 0,
        }
    }

    /// The smaller starter model, for pictures of 128 pixels.
    #[must_use]
    pub fn tiny(vocab_size: usize) -> Self {
        Self {
            hidden_size: 320,
            num_hidden_layers: 8,
            num_attention_heads: 5,
            intermediate_size: 864,
            latent_size: 16,
            ..Self::starter(vocab_size)
        }
    }

    /// Reads a config and checks its numbers.
    ///
    /// # Errors
    ///
    /// When a key is absent, has the wrong kind of value, or is beyond reason.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, ParameterError> {
        let config: Self = serde_json::from_value(json.clone())
            .map_err(|error| ParameterError::config(NETWORK, error))?;
        config.check().map_err(|why| ParameterError::Config { network: NETWORK, why })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        bounds("vocab_size", self.vocab_size, 1, 1 << 24)?;
        bounds("hidden_size", self.hidden_size, 1, 1 << 16)?;
        bounds("num_hidden_layers", self.num_hidden_layers, 0, 1024)?;
        bounds("num_attention_heads", self.num_attention_heads, 1, 1 << 12)?;
        bounds("intermediate_size", self.intermediate_size, 1, 1 << 20)?;
        bounds("latent_channels", self.latent_channels, 1, 1 << 12)?;
        bounds("patch_size", self.patch_size, 1, 256)?;
        bounds("latent_size", self.latent_size, self.patch_size, 1 << 14)?;
        let heads = self.num_attention_heads;
        if !self.hidden_size.is_multiple_of(2 * heads) {
            let width = self.hidden_size;
            return Err(format!(
                "a width of {width} does not divide into {heads} heads of even size"
            ));
        }
        if !self.latent_size.is_multiple_of(self.patch_size) {
            let (size, patch) = (self.latent_size, self.patch_size);
            return Err(format!("{size} latents do not divide into patches of {patch}"));
        }
        if self.patch == PatchForm::Unet {
            bounds("unet_channels", self.unet_channels, 1, 1 << 14)?;
            bounds("unet_blocks", self.unet_blocks, 1, 64)?;
            let (patch, channels) = (self.patch_size, self.unet_channels);
            if patch < 2 || !patch.is_power_of_two() {
                return Err(format!("U-Net patches halve latents: {patch} is no power of 2"));
            }
            if !channels.is_multiple_of(GROUPS) {
                return Err(format!("{channels} channels do not divide into {GROUPS} groups"));
            }
        }
        if self.rope_theta.is_finite() && self.rope_theta >= 1.0 {
            Ok(())
        } else {
            Err(format!("rope_theta is {}, and must be 1 or more", self.rope_theta))
        }
    }

    /// Channels of a head.
    #[must_use]
    pub fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads.max(1)
    }

    /// Numbers in a patch.
    #[must_use]
    pub fn patch_width(&self) -> usize {
        self.patch_size * self.patch_size * self.latent_channels
    }

    /// Numbers that stand for a patch where it enters and leaves the transformer.
    #[must_use]
    pub fn patch_vector(&self) -> usize {
        match self.patch {
            PatchForm::Linear => self.patch_width(),
            PatchForm::Unet => self.unet_widths().last().copied().unwrap_or(0),
        }
    }

    /// Channels of each level of the U-Net, the latents' full size first.
    #[must_use]
    pub fn unet_widths(&self) -> Vec<usize> {
        let levels = self.patch_size.checked_ilog2().unwrap_or(0);
        (0..levels).map(|level| self.unet_channels << level).collect()
    }

    /// Patches along a side of the largest picture.
    #[must_use]
    pub fn grid(&self) -> usize {
        self.latent_size / self.patch_size.max(1)
    }
}

/// Ids of the tokens that structure a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialTokens {
    /// Fills up sequences in training.
    #[serde(rename = "<|pad|>")]
    pub pad: u32,
    /// Begins a conversation.
    #[serde(rename = "<|bos|>")]
    pub bos: u32,
    /// Begins what the user says.
    #[serde(rename = "<|user|>")]
    pub user: u32,
    /// Begins what the model says.
    #[serde(rename = "<|assistant|>")]
    pub assistant: u32,
    /// Begins a picture.
    #[serde(rename = "<|boi|>")]
    pub boi: u32,
    /// Ends a picture.
    #[serde(rename = "<|eoi|>")]
    pub eoi: u32,
    /// Ends what the model says.
    #[serde(rename = "<|eos|>")]
    pub eos: u32,
    /// Stands at the place of each patch.
    #[serde(rename = "<|patch|>")]
    pub patch: u32,
}

impl SpecialTokens {
    /// Their names in tokenizer files, in the order of the fields.
    pub const NAMES: [&'static str; 8] = [
        "<|pad|>",
        "<|bos|>",
        "<|user|>",
        "<|assistant|>",
        "<|boi|>",
        "<|eoi|>",
        "<|eos|>",
        "<|patch|>",
    ];

    /// Finds each token's id by its name.
    ///
    /// # Errors
    ///
    /// The first name that `id_of` doesn't know.
    pub fn find(id_of: impl Fn(&str) -> Option<u32>) -> Result<Self, &'static str> {
        let id = |i: usize| id_of(Self::NAMES[i]).ok_or(Self::NAMES[i]);
        Ok(Self {
            pad: id(0)?,
            bos: id(1)?,
            user: id(2)?,
            assistant: id(3)?,
            boi: id(4)?,
            eoi: id(5)?,
            eos: id(6)?,
            patch: id(7)?,
        })
    }

    /// All ids, in the order of [`Self::NAMES`].
    #[must_use]
    pub const fn all(&self) -> [u32; 8] {
        let Self { pad, bos, user, assistant, boi, eoi, eos, patch } = *self;
        [pad, bos, user, assistant, boi, eoi, eos, patch]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn good() -> serde_json::Value {
        json!({"vocab_size": 40, "hidden_size": 24, "num_hidden_layers": 2,
            "num_attention_heads": 3, "intermediate_size": 32, "latent_channels": 4,
            "patch_size": 2, "latent_size": 8})
    }

    #[test]
    fn presets_and_defaults_are_valid() {
        let config = TransfusionConfig::from_json(&good()).unwrap();
        assert_eq!((config.head_size(), config.patch_width(), config.grid()), (8, 16, 4));
        assert_eq!((config.rope_theta, config.patch), (10_000.0, PatchForm::Linear));
        for preset in [TransfusionConfig::starter(6144), TransfusionConfig::tiny(6144)] {
            let json = serde_json::to_value(&preset).unwrap();
            assert_eq!(TransfusionConfig::from_json(&json).unwrap(), preset);
            assert_eq!(preset.head_size(), 64);
        }
    }

    #[test]
    fn configs_beyond_reason_are_refused_with_the_key() {
        let check = |key: &str, value: serde_json::Value, part: &str| {
            let mut json = good();
            json[key] = value;
            let error = TransfusionConfig::from_json(&json).unwrap_err();
            assert_eq!(error.category(), "bad_config");
            assert!(error.to_string().contains(part), "{error}");
        };
        check("vocab_size", json!(null), "null");
        check("num_hidden_layers", json!(1_u64 << 40), "num_hidden_layers");
        check("num_attention_heads", json!(8), "even size");
        check("num_attention_heads", json!(0), "num_attention_heads");
        check("latent_size", json!(7), "patches of 2");
        check("rope_theta", json!(0.0), "rope_theta");
        check("patch", json!("spiral"), "linear");
        check("patch", json!("unet"), "unet_channels");
    }

    #[test]
    fn special_tokens_read_by_name() {
        let json = json!({"<|pad|>": 0, "<|bos|>": 1, "<|user|>": 2, "<|assistant|>": 3,
            "<|boi|>": 4, "<|eoi|>": 5, "<|eos|>": 6, "<|patch|>": 9});
        let tokens: SpecialTokens = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(tokens.all(), [0, 1, 2, 3, 4, 5, 6, 9]);
        let find = |name: &str| json.get(name).and_then(serde_json::Value::as_u64);
        assert_eq!(SpecialTokens::find(|name| find(name).map(|id| id as u32)), Ok(tokens));
        assert_eq!(SpecialTokens::find(|_| None), Err("<|pad|>"));
    }
}
