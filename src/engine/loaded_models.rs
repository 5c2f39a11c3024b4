//! The networks in memory: loaded on demand, kept for the next job, dropped when memory is short.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use sysinfo::System;

use crate::diffusion::Schedule;
use crate::engine::clip_guidance::LoadedClip;
use crate::engine::error::EngineError;
use crate::engine::event::UnknownWord;
use crate::engine::family::{glide_config, schedule};
use crate::engine::library::{LibraryError, ModelFamily, ModelLibrary, Tokens};
use crate::engine::request::CheckpointRef;
use crate::models::glide::{Glide, GlideConfig, Role, TextEmbedding};
use crate::nn::Interrupt;
use crate::text::{Tokenizer, Vocabulary};

/// Memory that a job needs beside the weights, at most: what the public base model takes.
const WORKING_BYTES: u64 = 1_500_000_000;
/// Below this share of the machine's memory, idle networks are given back.
const LOW_MEMORY: f64 = 0.08;

/// A UNet with what it takes to give it a prompt.
pub(crate) struct LoadedGlide {
    /// The network.
    pub(crate) network: Glide,
    /// Its shapes and its noise process.
    pub(crate) config: GlideConfig,
    tokenizer: Option<Tokenizer>,
    vocabulary: Option<Vocabulary>,
    device: Device,
}

/// What makes a loaded network the one that is asked for.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    family: String,
    role: Role,
    sha256: String,
    device: String,
    dtype: DType,
}

/// The networks in memory, the latest used last.
#[derive(Default)]
pub(crate) struct LoadedModels {
    glide: Vec<(Key, Arc<LoadedGlide>)>,
    clip: Vec<(Key, Arc<LoadedClip>)>,
}

impl LoadedModels {
    /// A UNet, from memory or from its file.
    ///
    /// # Errors
    ///
    /// When the model is gone or was replaced since the request was made, or its file can't be
    /// used.
    pub(crate) fn glide(
        &mut self,
        library: &ModelLibrary,
        family: &str,
        checkpoint: &CheckpointRef,
        device: &Device,
        dtype: DType,
    ) -> Result<Arc<LoadedGlide>, EngineError> {
        let key = key(family, checkpoint, device, dtype);
        if let Some(at) = self.glide.iter().position(|(loaded, _)| *loaded == key) {
            let found = self.glide.remove(at);
            let model = Arc::clone(&found.1);
            self.glide.push(found);
            return Ok(model);
        }
        let family = library.family(family)?;
        self.make_room(device, bytes_of(family, checkpoint, dtype)?);
        let model = Arc::new(LoadedGlide::load(family, checkpoint, device, dtype)?);
        self.glide.push((key, Arc::clone(&model)));
        Ok(model)
    }

    /// The noised CLIP of a family, from memory or from its files.
    ///
    /// # Errors
    ///
    /// As [`Self::glide`].
    pub(crate) fn clip(
        &mut self,
        library: &ModelLibrary,
        family: &str,
        checkpoint: &CheckpointRef,
        device: &Device,
    ) -> Result<Arc<LoadedClip>, EngineError> {
        let key = key(family, checkpoint, device, DType::F32);
        if let Some((_, model)) = self.clip.iter().find(|(loaded, _)| *loaded == key) {
            return Ok(Arc::clone(model));
        }
        let family = library.family(family)?;
        self.make_room(device, bytes_of(family, checkpoint, DType::F32)?);
        let model = Arc::new(LoadedClip::load(family, device)?);
        self.clip.push((key, Arc::clone(&model)));
        Ok(model)
    }

    /// Forgets all networks.
    pub(crate) fn drop_all(&mut self) {
        self.glide.clear();
        self.clip.clear();
    }

    /// Forgets all networks if the machine is short of memory.
    pub(crate) fn drop_under_pressure(&mut self) {
        let Some((available, total)) = memory() else { return };
        if (available as f64) < total as f64 * LOW_MEMORY && !self.glide.is_empty() {
            log::info!("memory is short ({} MB left), models are dropped", available >> 20);
            self.drop_all();
        }
    }

    /// Forgets networks, the longest unused first, until `bytes` more and a job fit.
    fn make_room(&mut self, device: &Device, bytes: u64) {
        if !device.is_cpu() {
            return;
        }
        while !self.glide.is_empty() || !self.clip.is_empty() {
            let Some((available, _)) = memory() else { return };
            if available >= bytes + WORKING_BYTES {
                return;
            }
            if self.clip.is_empty() {
                self.glide.remove(0);
            } else {
                self.clip.remove(0);
            }
            log::info!("a model is dropped to make room for another");
        }
    }
}

fn key(family: &str, checkpoint: &CheckpointRef, device: &Device, dtype: DType) -> Key {
    Key {
        family: family.to_owned(),
        role: checkpoint.role,
        sha256: checkpoint.sha256.clone(),
        device: format!("{:?}", device.location()),
        dtype,
    }
}

fn bytes_of(
    family: &ModelFamily,
    checkpoint: &CheckpointRef,
    dtype: DType,
) -> Result<u64, EngineError> {
    let entry = family.require(checkpoint.role)?;
    Ok(entry.parameters * dtype.size_in_bytes() as u64)
}

/// Free and total memory in bytes, within the limits of a container where there are some.
fn memory() -> Option<(u64, u64)> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let (available, total) = (system.available_memory(), system.total_memory());
    if total == 0 {
        return None;
    }
    match system.cgroup_limits() {
        Some(limits) if limits.total_memory > 0 && limits.total_memory < total => {
            Some((available.min(limits.free_memory), limits.total_memory))
        }
        _ => Some((available, total)),
    }
}

impl LoadedGlide {
    fn load(
        family: &ModelFamily,
        checkpoint: &CheckpointRef,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, EngineError> {
        let role = checkpoint.role;
        let entry = family
            .manifest
            .checkpoint(role)
            .ok_or_else(|| LibraryError::NoSuchRole { id: family.id().to_owned(), role })?;
        if entry.sha256 != checkpoint.sha256 {
            return Err(EngineError::Input(format!(
                "the {role} network of {:?} was replaced since the request was made; send it again",
                family.id()
            )));
        }
        let config = glide_config(family, entry)?;
        let weights = family.open(entry)?.var_builder(dtype, device);
        let network = Glide::new(&config, &weights)?;
        let tokenizer = if config.xf_width == 0 { None } else { Some(tokenizer(family)?) };
        Ok(Self {
            network,
            config,
            tokenizer,
            vocabulary: vocabulary(family)?,
            device: device.clone(),
        })
    }

    /// Whether the network has a text path.
    pub(crate) const fn reads_text(&self) -> bool {
        self.tokenizer.is_some()
    }

    /// The network's process, shortened.
    ///
    /// # Errors
    ///
    /// When it can't be shortened that way.
    pub(crate) fn schedule(&self, respacing: &str) -> Result<Schedule, EngineError> {
        schedule(&self.config, respacing)
    }

    /// Reads prompts, a row each.
    ///
    /// # Errors
    ///
    /// When the device is out of memory or the job was cancelled.
    pub(crate) fn read(
        &self,
        prompts: &[&str],
        interrupt: &Interrupt,
    ) -> Result<Option<TextEmbedding>, EngineError> {
        let Some(tokenizer) = &self.tokenizer else { return Ok(None) };
        let GlideConfig { text_ctx, n_vocab, .. } = self.config;
        let mut tokens = Vec::with_capacity(prompts.len() * text_ctx);
        let mut token_mask = Vec::with_capacity(prompts.len() * text_ctx);
        for prompt in prompts {
            let padded = tokenizer.encode_padded(prompt, text_ctx, n_vocab);
            tokens.extend(padded.tokens);
            token_mask.extend(padded.token_mask.into_iter().map(u8::from));
        }
        let shape = (prompts.len(), text_ctx);
        let tokens = Tensor::from_vec(tokens, shape, &self.device)?;
        let token_mask = Tensor::from_vec(token_mask, shape, &self.device)?;
        Ok(Some(self.network.encode_text(&tokens, &token_mask, interrupt)?))
    }

    /// Words of the prompt that the model has never seen, where it is known what it has.
    pub(crate) fn unknown_words(&self, prompt: &str) -> Vec<UnknownWord> {
        let Some(vocabulary) = &self.vocabulary else { return Vec::new() };
        let unknown =
            |word: String| UnknownWord { suggestions: vocabulary.suggestions(&word), word };
        vocabulary.unknown_words(prompt).into_iter().map(unknown).collect()
    }
}

fn tokenizer(family: &ModelFamily) -> Result<Tokenizer, EngineError> {
    match family.tokens() {
        Tokens::Gpt2 => Ok(Tokenizer::gpt2()?),
        Tokens::File(path) => {
            let bytes = std::fs::read(&path).map_err(|error| {
                EngineError::Input(format!("the tokenizer can't be read: {error}: {path:?}"))
            })?;
            Ok(Tokenizer::starter_from_bytes(&bytes)?)
        }
        Tokens::Unknown => Err(EngineError::Input(format!(
            "the model {id:?} has no tokenizer, so it can't read prompts; import it again with \
             --tokenizer FILE",
            id = family.id()
        ))),
    }
}

fn vocabulary(family: &ModelFamily) -> Result<Option<Vocabulary>, EngineError> {
    let Some(path) = family.vocabulary_path() else { return Ok(None) };
    let bytes = std::fs::read(&path).map_err(|error| {
        EngineError::Input(format!("the list of known words can't be read: {error}: {path:?}"))
    })?;
    Ok(Some(Vocabulary::from_json(&bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::family::Purpose;
    use crate::engine::library::{LibraryPaths, TinyFamily};
    use crate::engine::testing::TinyEngine;

    #[test]
    fn a_network_is_loaded_once_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let family = TinyFamily::new("tiny");
        family.write(folder.path()).unwrap();
        let paths = LibraryPaths { shipped: Vec::new(), user: folder.path().to_owned() };
        let library = ModelLibrary::open(paths);
        let common = TinyEngine::new(&family).common(Purpose::Generate, "", 0.0);
        let base = common.base_checkpoint().unwrap();
        let mut models = LoadedModels::default();
        let load = |models: &mut LoadedModels, checkpoint: &CheckpointRef| {
            models.glide(&library, "tiny", checkpoint, &Device::Cpu, DType::F32)
        };
        let first = load(&mut models, base).unwrap();
        assert!(Arc::ptr_eq(&first, &load(&mut models, base).unwrap()));
        models.drop_all();
        assert!(!Arc::ptr_eq(&first, &load(&mut models, base).unwrap()));
        let replaced = CheckpointRef { sha256: "0".repeat(64), ..base.clone() };
        let message = load(&mut models, &replaced).err().unwrap().to_string();
        assert!(message.contains("was replaced"), "{message}");
    }
}
