//! The networks in memory: loaded on demand, kept for the next job, dropped when memory is short.

use std::path::PathBuf;
use std::sync::Arc;

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::Init;
use candle_nn::var_builder::{SimpleBackend, VarBuilder};
use sysinfo::System;

use crate::diffusion::Schedule;
use crate::engine::clip_guidance::LoadedClip;
use crate::engine::error::EngineError;
use crate::engine::event::{PromptCut, UnknownWord};
use crate::engine::family::{autoencoder_config, glide_config, schedule, transfusion_config};
use crate::engine::library::{CheckpointEntry, LibraryError, ModelFamily, ModelLibrary, Tokens};
use crate::engine::request::CheckpointRef;
use crate::models::Role;
use crate::models::autoencoder::Autoencoder;
use crate::models::glide::{Glide, GlideConfig, TextEmbedding};
use crate::models::transfusion::{SpecialTokens, Transfusion, TransfusionConfig};
use crate::nn::Interrupt;
use crate::text::{Tokenizer, Vocabulary};
use crate::weights::Checkpoint;

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

/// A transformer with what it takes to talk to it.
pub(crate) struct LoadedTalker {
    /// The network.
    pub(crate) network: Transfusion,
    /// The tokens that structure its conversations.
    pub(crate) special: SpecialTokens,
    tokenizer: Tokenizer,
    vocabulary: Option<Vocabulary>,
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

/// A network in memory.
struct Loaded {
    key: Key,
    /// Of its weights.
    bytes: u64,
    network: Network,
}

#[derive(Clone)]
enum Network {
    Glide(Arc<LoadedGlide>),
    Clip(Arc<LoadedClip>),
    Autoencoder(Arc<Autoencoder>),
    Talker(Arc<LoadedTalker>),
}

/// The networks in memory.
#[derive(Default)]
pub(crate) struct LoadedModels {
    /// The latest used last.
    loaded: Vec<Loaded>,
    /// Bytes of weights that stay, at most.
    budget_bytes: Option<u64>,
}

impl LoadedModels {
    /// Nothing loaded.
    pub(crate) fn new(budget_bytes: Option<u64>) -> Self {
        Self { loaded: Vec::new(), budget_bytes }
    }

    /// A UNet, from memory or from its file.
    ///
    /// # Errors
    ///
    /// When the model is gone or was replaced since the request was made, its file can't be used,
    /// or `interrupt` was raised.
    pub(crate) fn glide(
        &mut self,
        wanted: &Wanted<'_>,
        checkpoint: &CheckpointRef,
        dtype: DType,
        interrupt: &Interrupt,
    ) -> Result<Arc<LoadedGlide>, EngineError> {
        let key = wanted.key(checkpoint, dtype);
        if let Some(Network::Glide(model)) = self.find(&key) {
            return Ok(model);
        }
        let family = wanted.library.family(wanted.family)?;
        let bytes = bytes_of(family, checkpoint, dtype)?;
        self.make_room(wanted.device, bytes);
        let model = LoadedGlide::load(family, checkpoint, wanted.device, dtype, interrupt)?;
        let model = Arc::new(model);
        self.loaded.push(Loaded { key, bytes, network: Network::Glide(Arc::clone(&model)) });
        Ok(model)
    }

    /// The noised CLIP of a family, from memory or from its files.
    ///
    /// # Errors
    ///
    /// As [`Self::glide`].
    pub(crate) fn clip(
        &mut self,
        wanted: &Wanted<'_>,
        checkpoint: &CheckpointRef,
        interrupt: &Interrupt,
    ) -> Result<Arc<LoadedClip>, EngineError> {
        let key = wanted.key(checkpoint, DType::F32);
        if let Some(Network::Clip(model)) = self.find(&key) {
            return Ok(model);
        }
        let family = wanted.library.family(wanted.family)?;
        let bytes = bytes_of(family, checkpoint, DType::F32)?;
        self.make_room(wanted.device, bytes);
        let model = Arc::new(LoadedClip::load(family, wanted.device, interrupt)?);
        self.loaded.push(Loaded { key, bytes, network: Network::Clip(Arc::clone(&model)) });
        Ok(model)
    }

    /// The autoencoder of a family, from memory or from its file.
    ///
    /// # Errors
    ///
    /// As [`Self::glide`].
    pub(crate) fn autoencoder(
        &mut self,
        wanted: &Wanted<'_>,
        checkpoint: &CheckpointRef,
        dtype: DType,
        interrupt: &Interrupt,
    ) -> Result<Arc<Autoencoder>, EngineError> {
        let key = wanted.key(checkpoint, dtype);
        if let Some(Network::Autoencoder(model)) = self.find(&key) {
            return Ok(model);
        }
        let family = wanted.library.family(wanted.family)?;
        let entry = unchanged(family, checkpoint)?;
        let bytes = bytes_of(family, checkpoint, dtype)?;
        self.make_room(wanted.device, bytes);
        let config = autoencoder_config(family, entry)?;
        let weights = watched(&family.open(entry)?, dtype, wanted.device, interrupt);
        let model = Arc::new(Autoencoder::new(&config, &weights)?);
        self.loaded.push(Loaded { key, bytes, network: Network::Autoencoder(Arc::clone(&model)) });
        Ok(model)
    }

    /// The transformer of a family, from memory or from its file.
    ///
    /// # Errors
    ///
    /// As [`Self::glide`]; also when the family's tokenizer lacks a token of conversations.
    pub(crate) fn talker(
        &mut self,
        wanted: &Wanted<'_>,
        checkpoint: &CheckpointRef,
        dtype: DType,
        interrupt: &Interrupt,
    ) -> Result<Arc<LoadedTalker>, EngineError> {
        let key = wanted.key(checkpoint, dtype);
        if let Some(Network::Talker(model)) = self.find(&key) {
            return Ok(model);
        }
        let family = wanted.library.family(wanted.family)?;
        let entry = unchanged(family, checkpoint)?;
        let bytes = bytes_of(family, checkpoint, dtype)?;
        self.make_room(wanted.device, bytes);
        let config = transfusion_config(family, entry)?;
        let weights = watched(&family.open(entry)?, dtype, wanted.device, interrupt);
        let tokenizer = tokenizer(family)?;
        let model = Arc::new(LoadedTalker {
            network: Transfusion::new(&config, &weights)?,
            special: special_tokens(family, &config, &tokenizer)?,
            tokenizer,
            vocabulary: vocabulary(family.chat_vocabulary_path())?,
        });
        self.loaded.push(Loaded { key, bytes, network: Network::Talker(Arc::clone(&model)) });
        Ok(model)
    }

    /// A network in memory, which becomes the latest used.
    fn find(&mut self, key: &Key) -> Option<Network> {
        let at = self.loaded.iter().position(|loaded| loaded.key == *key)?;
        let found = self.loaded.remove(at);
        let network = found.network.clone();
        self.loaded.push(found);
        Some(network)
    }

    /// Forgets all networks.
    pub(crate) fn drop_all(&mut self) {
        self.loaded.clear();
    }

    /// Forgets networks once a job is done: those beyond the budget, the longest unused first, and
    /// all if the machine is short of memory.
    pub(crate) fn drop_under_pressure(&mut self) {
        while self.budget_bytes.is_some_and(|budget| self.bytes() > budget) {
            self.drop_longest_unused("the models in memory are more than they may be");
        }
        let Some((available, total)) = memory() else { return };
        if (available as f64) < total as f64 * LOW_MEMORY && !self.loaded.is_empty() {
            log::info!("memory is short ({} MB left), models are dropped", available >> 20);
            self.drop_all();
        }
    }

    /// Forgets networks, the longest unused first, until `bytes` more and a job fit.
    fn make_room(&mut self, device: &Device, bytes: u64) {
        while !self.loaded.is_empty()
            && self.budget_bytes.is_some_and(|budget| self.bytes() + bytes > budget)
        {
            self.drop_longest_unused("the models in memory would be more than they may be");
        }
        if !device.is_cpu() {
            return;
        }
        while !self.loaded.is_empty() {
            let Some((available, _)) = memory() else { return };
            if available >= bytes + WORKING_BYTES {
                return;
            }
            self.drop_longest_unused("another model needs the room");
        }
    }

    fn drop_longest_unused(&mut self, why: &str) {
        if !self.loaded.is_empty() {
            let dropped = self.loaded.remove(0).key;
            log::info!("the {} network of {:?} is dropped: {why}", dropped.role, dropped.family);
        }
    }

    /// Bytes of all weights in memory.
    fn bytes(&self) -> u64 {
        self.loaded.iter().map(|loaded| loaded.bytes).sum()
    }
}

/// What a network is asked of, beside which.
pub(crate) struct Wanted<'a> {
    /// Where the models are.
    pub(crate) library: &'a ModelLibrary,
    /// The model's id.
    pub(crate) family: &'a str,
    /// Where it is to compute.
    pub(crate) device: &'a Device,
}

impl Wanted<'_> {
    fn key(&self, checkpoint: &CheckpointRef, dtype: DType) -> Key {
        Key {
            family: self.family.to_owned(),
            role: checkpoint.role,
            sha256: checkpoint.sha256.clone(),
            device: format!("{:?}", self.device.location()),
            dtype,
        }
    }
}

/// Weights from a file, until the job is cancelled: it is asked before each tensor.
struct Watched {
    weights: VarBuilder<'static>,
    interrupt: Interrupt,
}

/// The weights of a checkpoint, as long as `interrupt` is not raised.
pub(crate) fn watched(
    checkpoint: &Checkpoint,
    dtype: DType,
    device: &Device,
    interrupt: &Interrupt,
) -> VarBuilder<'static> {
    let weights = checkpoint.var_builder(dtype, device);
    let watched = Watched { weights, interrupt: interrupt.clone() };
    VarBuilder::from_backend(Box::new(watched), dtype, device.clone())
}

impl SimpleBackend for Watched {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        init: Init,
        dtype: DType,
        _: &Device,
    ) -> candle_core::Result<Tensor> {
        self.interrupt.check()?;
        self.weights.get_with_hints_dtype(shape, name, init, dtype)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, _: &Device) -> candle_core::Result<Tensor> {
        self.interrupt.check()?;
        self.weights.get_unchecked_dtype(name, dtype)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.weights.contains_tensor(name)
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
        interrupt: &Interrupt,
    ) -> Result<Self, EngineError> {
        let entry = unchanged(family, checkpoint)?;
        let config = glide_config(family, entry)?;
        let weights = watched(&family.open(entry)?, dtype, device, interrupt);
        let network = Glide::new(&config, &weights)?;
        let tokenizer = if config.xf_width == 0 { None } else { Some(tokenizer(family)?) };
        Ok(Self {
            network,
            config,
            tokenizer,
            vocabulary: vocabulary(family.vocabulary_path())?,
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

    /// How much of the prompt is read, where that is not all of it.
    pub(crate) fn prompt_cut(&self, prompt: &str) -> Option<PromptCut> {
        let tokens = self.tokenizer.as_ref()?.encode(prompt).len();
        let read = self.config.text_ctx;
        (tokens > read).then_some(PromptCut { tokens, read })
    }

    /// Words of the prompt that the model has never seen, where it is known what it has.
    pub(crate) fn unknown_words(&self, prompt: &str) -> Vec<UnknownWord> {
        unknown_words(self.vocabulary.as_ref(), prompt)
    }
}

impl LoadedTalker {
    /// Words of a message that the model has never seen, where it is known what it has.
    pub(crate) fn unknown_words(&self, message: &str) -> Vec<UnknownWord> {
        unknown_words(self.vocabulary.as_ref(), message)
    }

    /// The tokens of words, as the network knows them.
    pub(crate) fn tokens(&self, words: &str) -> Vec<u32> {
        let mut tokens = self.tokenizer.encode(words);
        let entries = self.network.config().vocab_size;
        tokens.retain(|&token| (token as usize) < entries);
        tokens
    }

    /// The words of tokens.
    pub(crate) fn words(&self, tokens: &[u32]) -> String {
        self.tokenizer.decode(tokens)
    }
}

fn unknown_words(vocabulary: Option<&Vocabulary>, prompt: &str) -> Vec<UnknownWord> {
    let Some(vocabulary) = vocabulary else { return Vec::new() };
    let unknown = |word: String| UnknownWord { suggestions: vocabulary.suggestions(&word), word };
    vocabulary.unknown_words(prompt).into_iter().map(unknown).collect()
}

/// The entry of a checkpoint, if it is still the one that a request was made for.
fn unchanged<'a>(
    family: &'a ModelFamily,
    checkpoint: &CheckpointRef,
) -> Result<&'a CheckpointEntry, EngineError> {
    let role = checkpoint.role;
    let entry = family
        .manifest
        .checkpoint(role)
        .ok_or_else(|| LibraryError::NoSuchRole { id: family.id().to_owned(), role })?;
    if entry.sha256 == checkpoint.sha256 {
        return Ok(entry);
    }
    Err(EngineError::Input(format!(
        "the {role} network of {:?} was replaced since the request was made; send it again",
        family.id()
    )))
}

fn special_tokens(
    family: &ModelFamily,
    config: &TransfusionConfig,
    tokenizer: &Tokenizer,
) -> Result<SpecialTokens, EngineError> {
    let known = |id: &u32| (*id as usize) < config.vocab_size;
    SpecialTokens::find(|name| tokenizer.token_id(name).filter(known)).map_err(|name| {
        EngineError::Input(format!(
            "the tokenizer of {:?} has no token {name}, which conversations need; import the model \
             again with its own --tokenizer FILE",
            family.id()
        ))
    })
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

fn vocabulary(path: Option<PathBuf>) -> Result<Option<Vocabulary>, EngineError> {
    let Some(path) = path else { return Ok(None) };
    let bytes = std::fs::read(&path).map_err(|error| {
        EngineError::Input(format!("the list of known words can't be read: {error}: {path:?}"))
    })?;
    Ok(Some(Vocabulary::from_json(&bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::family::{Enlarged, Family, Purpose};
    use crate::engine::library::{LibraryPaths, TinyFamily};

    /// Loads the networks of a tiny family.
    struct Place {
        library: ModelLibrary,
        checkpoints: Vec<CheckpointRef>,
        _folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            TinyFamily::new("tiny").write(folder.path()).unwrap();
            let paths = LibraryPaths { shipped: Vec::new(), user: folder.path().to_owned() };
            let library = ModelLibrary::open(paths);
            let family = Family::find(&library, None, Purpose::Generate).unwrap();
            let checkpoints = family.checkpoints(Enlarged::Yes, 0.0).unwrap();
            Self { library, checkpoints, _folder: folder }
        }

        fn load(
            &self,
            models: &mut LoadedModels,
            checkpoint: &CheckpointRef,
            interrupt: &Interrupt,
        ) -> Result<Arc<LoadedGlide>, EngineError> {
            let wanted = Wanted { library: &self.library, family: "tiny", device: &Device::Cpu };
            models.glide(&wanted, checkpoint, DType::F32, interrupt)
        }
    }

    #[test]
    fn a_network_is_loaded_once_until_it_is_dropped() {
        let place = Place::new();
        let base = &place.checkpoints[0];
        let mut models = LoadedModels::default();
        let go_on = Interrupt::new();
        let first = place.load(&mut models, base, &go_on).unwrap();
        assert!(Arc::ptr_eq(&first, &place.load(&mut models, base, &go_on).unwrap()));
        models.drop_all();
        assert!(!Arc::ptr_eq(&first, &place.load(&mut models, base, &go_on).unwrap()));
        let replaced = CheckpointRef { sha256: "0".repeat(64), ..base.clone() };
        let message = place.load(&mut models, &replaced, &go_on).err().unwrap().to_string();
        assert!(message.contains("was replaced"), "{message}");
    }

    #[test]
    fn a_raised_interrupt_ends_the_loading() {
        let place = Place::new();
        let mut models = LoadedModels::default();
        let raised = Interrupt::new();
        raised.raise();
        assert!(place.load(&mut models, &place.checkpoints[0], &raised).is_err());
        assert_eq!(models.bytes(), 0);
        place.load(&mut models, &place.checkpoints[0], &Interrupt::new()).unwrap();
    }

    #[test]
    fn what_exceeds_the_budget_goes_the_longest_unused_first() {
        let place = Place::new();
        let [base, upsample] = &place.checkpoints[..] else { panic!("two networks") };
        let go_on = Interrupt::new();
        let mut free = LoadedModels::default();
        place.load(&mut free, base, &go_on).unwrap();
        let of_base = free.bytes();
        place.load(&mut free, upsample, &go_on).unwrap();
        let both = free.bytes();

        let mut tight = LoadedModels::new(Some(both));
        let first = place.load(&mut tight, base, &go_on).unwrap();
        place.load(&mut tight, upsample, &go_on).unwrap();
        tight.drop_under_pressure();
        assert!(Arc::ptr_eq(&first, &place.load(&mut tight, base, &go_on).unwrap()));

        let mut tight = LoadedModels::new(Some(both - 1));
        place.load(&mut tight, base, &go_on).unwrap();
        place.load(&mut tight, upsample, &go_on).unwrap();
        assert_eq!(tight.bytes(), both - of_base, "the base went to make room");

        let mut none = LoadedModels::new(Some(0));
        place.load(&mut none, base, &go_on).unwrap();
        assert_eq!(none.bytes(), of_base, "a job has what it needs");
        none.drop_under_pressure();
        assert_eq!(none.bytes(), 0);
    }
}
