//! Small families with made-up weights, for tests and for trying the machinery without real ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::engine::library::error::LibraryError;
use crate::engine::library::manifest::{
    Card, ChatSuggested, CheckpointEntry, MANIFEST_VERSION, Manifest, SamplerName, StageSettings,
    Suggested, check_id,
};
use crate::engine::library::store::seal;
use crate::models::autoencoder::AutoencoderConfig;
use crate::models::glide::{ClipConfig, GlideConfig, GlideForm};
use crate::models::transfusion::{SpecialTokens, TransfusionConfig};
use crate::models::{NetworkConfig, Role, expected_shapes};
use crate::text::characters_of_bytes;
use crate::weights::{DataType, SafetensorsWriter, TensorSpec, quantize_rows};

/// Tokens of a family that is talked to: the special ones and the bytes.
const TINY_TOKENS: usize = SpecialTokens::NAMES.len() + 256;
const TOKENIZER_FILE: &str = "tokenizer.json";

/// How the weights of a [`TinyFamily`] are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TinyStorage {
    /// Half precision.
    #[default]
    F16,
    /// Single precision.
    F32,
    /// int8 with a scale for each row, like the starter family.
    Int8Rows,
}

/// A family of very small networks whose weights are made by a formula: every step works, and
/// the pictures show nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TinyFamily {
    /// Its name.
    pub id: String,
    /// Which networks it has.
    pub roles: Vec<Role>,
    /// Seed of the weights.
    pub seed: u64,
    /// How they are stored.
    pub storage: TinyStorage,
}

impl TinyFamily {
    /// A base and an upsampler, both with inpainting inputs, as the starter family has them.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            roles: vec![Role::BaseInpaint, Role::UpsampleInpaint],
            seed: 1,
            storage: TinyStorage::F16,
        }
    }

    /// All six networks of GLIDE.
    #[must_use]
    pub fn complete(id: &str) -> Self {
        let roles = Role::ALL.into_iter().filter(|role| role.is_glide()).collect();
        Self { roles, ..Self::new(id) }
    }

    /// Networks to talk to, beside those of [`Self::new`].
    #[must_use]
    pub fn talking(id: &str) -> Self {
        let mut family = Self::new(id);
        family.roles.extend([Role::Autoencoder, Role::Transfusion]);
        family
    }

    /// The config of one of its networks: base pictures of 16 pixels, large ones of 32, GPT-2's
    /// and CLIP's vocabularies.
    #[must_use]
    pub fn config(role: Role) -> NetworkConfig {
        if role == Role::Autoencoder {
            return NetworkConfig::Autoencoder(AutoencoderConfig {
                base: 16,
                mult: vec![1, 1, 1],
                blocks: 1,
                latent: 4,
            });
        }
        if role == Role::Transfusion {
            return NetworkConfig::Transfusion(TransfusionConfig {
                hidden_size: 32,
                num_hidden_layers: 2,
                num_attention_heads: 2,
                intermediate_size: 48,
                latent_channels: 4,
                latent_size: 8,
                ..TransfusionConfig::starter(TINY_TOKENS)
            });
        }
        let Some(form) = role.form() else {
            return NetworkConfig::Clip(ClipConfig {
                image_size: 16,
                n_vocab: 49408,
                n_embd: 16,
                n_head_state_text: 16,
                n_head_text: 2,
                n_xf_blocks_text: 1,
                n_head_state_image: 16,
                n_head_image: 2,
                n_xf_blocks_image: 1,
                ..ClipConfig::public()
            });
        };
        let large = matches!(form, GlideForm::Upsample | GlideForm::UpsampleInpaint);
        NetworkConfig::Glide(GlideConfig {
            image_size: if large { 32 } else { 16 },
            num_channels: 32,
            num_res_blocks: 1,
            channel_mult: if large { vec![1, 1] } else { vec![1, 2] },
            attention_resolutions: vec![if large { 16 } else { 8 }],
            num_head_channels: 16,
            text_ctx: 16,
            xf_width: 32,
            xf_layers: 1,
            xf_heads: 2,
            ..GlideConfig::public(form)
        })
    }

    /// Writes the family as a folder inside `parent` and gives the folder.
    ///
    /// # Errors
    ///
    /// When the name can't be a folder's, the folder exists, or the disk refuses.
    pub fn write(&self, parent: &Path) -> Result<PathBuf, LibraryError> {
        check_id(&self.id)?;
        std::fs::create_dir_all(parent).map_err(LibraryError::io("make the folder", parent))?;
        let folder = parent.join(&self.id);
        std::fs::create_dir(&folder).map_err(LibraryError::io("make the folder", &folder))?;
        let mut checkpoints = Vec::new();
        for &role in &self.roles {
            let config = Self::config(role);
            let file = format!("{role}.safetensors");
            self.write_network(&folder.join(&file), role, &config)?;
            checkpoints.push(CheckpointEntry {
                role,
                file,
                bytes: 0,
                sha256: String::new(),
                dtype: String::new(),
                parameters: 0,
                source: "made by a formula".to_owned(),
                license: "MIT OR Apache-2.0".to_owned(),
                assumptions: Vec::new(),
                config: serde_json::json!(config),
            });
        }
        if self.talks() {
            let path = folder.join(TOKENIZER_FILE);
            std::fs::write(&path, tokenizer_of_bytes())
                .map_err(LibraryError::io("write the tokenizer", &path))?;
        }
        self.manifest(checkpoints).write(&folder)?;
        seal(&folder)?;
        Ok(folder)
    }

    fn talks(&self) -> bool {
        self.roles.contains(&Role::Transfusion)
    }

    fn manifest(&self, checkpoints: Vec<CheckpointEntry>) -> Manifest {
        let stage = |sampler, guidance| StageSettings {
            sampler,
            respacing: "4".to_owned(),
            steps: 4,
            eta: 0.0,
            guidance,
            temperature: 1.0,
        };
        Manifest {
            manifest_version: MANIFEST_VERSION,
            id: self.id.clone(),
            name: "tiny".to_owned(),
            summary: "made-up weights that draw nothing".to_owned(),
            checkpoints,
            tokenizer: Some(if self.talks() { TOKENIZER_FILE } else { "gpt2" }.to_owned()),
            vocabulary: None,
            chat_vocabulary: None,
            files: Vec::new(),
            card: Card {
                cannot_draw: vec!["anything: the weights are made up".to_owned()],
                ..Card::default()
            },
            example_prompts: vec!["a red circle".to_owned()],
            example_messages: Vec::new(),
            suggested: Suggested {
                base: stage(SamplerName::Ddpm, Some(3.0)),
                base_inpaint: stage(SamplerName::Ddpm, Some(3.0)),
                upsample: stage(SamplerName::Ddim, None),
                upsample_inpaint: stage(SamplerName::Ddpm, None),
                clip_guidance: 1.0,
                chat: ChatSuggested {
                    draw: stage(SamplerName::Ddim, Some(3.0)),
                    max_tokens: 8,
                    ..ChatSuggested::default()
                },
            },
        }
    }

    fn write_network(
        &self,
        path: &Path,
        role: Role,
        config: &NetworkConfig,
    ) -> Result<(), LibraryError> {
        let shapes = expected_shapes(role, config)
            .map_err(|source| LibraryError::Recognize { path: path.to_path_buf(), source })?;
        let mut specs = Vec::new();
        let mut data: Vec<Vec<u8>> = Vec::new();
        for (name, shape) in shapes {
            let values = formula_values(&name, &shape, self.seed);
            let mut add = |name: String, dtype, shape, bytes| {
                specs.push(TensorSpec { name, dtype, shape });
                data.push(bytes);
            };
            let packed = match self.storage {
                TinyStorage::Int8Rows => quantize_rows(&values, &shape),
                TinyStorage::F16 | TinyStorage::F32 => None,
            };
            if let Some(packed) = packed {
                let rows = packed.values.iter().map(|&value| value as u8).collect();
                let scales = packed.scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
                let count = packed.scales.len();
                add(name.clone(), DataType::I8, shape, rows);
                add(format!("{name}.scale"), DataType::F32, vec![count], scales);
            } else if self.storage == TinyStorage::F32 {
                let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                add(name, DataType::F32, shape, bytes);
            } else {
                let halves = values.iter().map(|&value| half::f16::from_f32(value));
                add(name, DataType::F16, shape, halves.flat_map(half::f16::to_le_bytes).collect());
            }
        }
        let format = match self.storage {
            TinyStorage::F16 => "fp16",
            TinyStorage::F32 => "fp32",
            TinyStorage::Int8Rows => "int8-row",
        };
        let config = serde_json::json!(config).to_string();
        let metadata = BTreeMap::from([
            ("config".to_owned(), config),
            ("format".to_owned(), format.to_owned()),
        ]);
        let mut writer = SafetensorsWriter::create(path, &specs, &metadata)?;
        for bytes in &data {
            writer.write(bytes)?;
        }
        writer.finish()?;
        Ok(())
    }
}

/// A tokenizer file whose tokens are the special ones and single bytes.
fn tokenizer_of_bytes() -> String {
    let bytes = characters_of_bytes().map(String::from);
    let names = SpecialTokens::NAMES.map(str::to_owned);
    let vocab: BTreeMap<String, usize> = names.into_iter().chain(bytes).zip(0..).collect();
    let model = serde_json::json!({ "type": "BPE", "vocab": vocab, "merges": [] });
    let split = serde_json::json!({ "type": "ByteLevel", "add_prefix_space": false });
    serde_json::json!({ "pre_tokenizer": split, "model": model }).to_string()
}

/// Weights that look like an untrained network's, equal on every machine: `SplitMix64` keyed by the
/// parameter's name.
fn formula_values(name: &str, shape: &[usize], seed: u64) -> Vec<f32> {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let count: usize = shape.iter().product();
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let key = hash ^ seed.wrapping_mul(GOLDEN);
    let last = name.rsplit('.').next().unwrap_or_default();
    let (offset, amplitude) = if shape.len() == 1 {
        if matches!(last, "weight" | "g") { (1.0, 0.1) } else { (0.0, 0.05) }
    } else if name.ends_with("token_embedding.weight")
        || matches!(last, "positional_embedding" | "padding_embedding" | "w_voc" | "w_pos" | "w_t")
    {
        (0.0, 1.0)
    } else {
        let fan_in = count / shape.first().copied().unwrap_or(1).max(1);
        (0.0, (3.0 / fan_in.max(1) as f64).sqrt())
    };
    (1..=count as u64)
        .map(|i| {
            let mut z = key.wrapping_add(i.wrapping_mul(GOLDEN));
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^= z >> 31;
            let unit = (z >> 40) as f64 * 2_f64.powi(-23) - 1.0;
            (offset + amplitude * unit) as f32
        })
        .collect()
}
