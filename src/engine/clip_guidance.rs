//! CLIP guidance: the gradient that draws a picture towards its prompt as the noised CLIP sees it.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::engine::error::EngineError;
use crate::engine::library::{LibraryError, ModelFamily};
use crate::engine::loaded_models::watched;
use crate::models::Role;
use crate::models::glide::{ClipConfig, ClipGuidance, ClipImageEncoder, ClipTextEncoder};
use crate::nn::Interrupt;
use crate::text::ClipTokenizer;

/// The noised CLIP with its tokenizer.
pub(crate) struct LoadedClip {
    config: ClipConfig,
    text: ClipTextEncoder,
    image: ClipImageEncoder,
    tokenizer: ClipTokenizer,
    device: Device,
}

impl LoadedClip {
    /// Loads both halves; always in `f32`, because a gradient is taken through it.
    ///
    /// # Errors
    ///
    /// When a half is missing or can't be used, or `interrupt` was raised.
    pub(crate) fn load(
        family: &ModelFamily,
        device: &Device,
        interrupt: &Interrupt,
    ) -> Result<Self, EngineError> {
        let lacks = |role| LibraryError::NoSuchRole { id: family.id().to_owned(), role };
        let config = family.clip_config()?.ok_or_else(|| lacks(Role::ClipImage))?;
        let weights = |role| -> Result<_, EngineError> {
            let entry = family.require(role)?;
            Ok(watched(&family.open(entry)?, DType::F32, device, interrupt))
        };
        Ok(Self {
            text: ClipTextEncoder::new(&config, &weights(Role::ClipText)?)?,
            image: ClipImageEncoder::new(&config, &weights(Role::ClipImage)?)?,
            tokenizer: ClipTokenizer::new()?,
            config,
            device: device.clone(),
        })
    }
}

/// The gradient for one prompt.
pub(crate) struct PromptGradient {
    clip: Arc<LoadedClip>,
    guidance: ClipGuidance,
    interrupt: Interrupt,
}

impl PromptGradient {
    /// Reads the prompt once.
    ///
    /// # Errors
    ///
    /// When the pictures are not of CLIP's size, or the job was cancelled.
    pub(crate) fn new(
        clip: Arc<LoadedClip>,
        prompt: &str,
        scale: f64,
        size: u32,
        interrupt: &Interrupt,
    ) -> Result<Self, EngineError> {
        if clip.config.image_size != size as usize {
            return Err(EngineError::Input(format!(
                "the model's CLIP looks at pictures of {} px, but this model draws {size} px; leave \
                 --clip-guidance out",
                clip.config.image_size
            )));
        }
        let tokens = clip.tokenizer.encode_padded(prompt, clip.config.max_text_len);
        let row = Tensor::from_vec(tokens.tokens, (1, clip.config.max_text_len), &clip.device)?;
        let text = clip.text.embed(&row, &[tokens.len], interrupt)?;
        let guidance = ClipGuidance::new(text, &clip.config, scale);
        Ok(Self { guidance, interrupt: interrupt.clone(), clip })
    }

    /// The gradient at `x_t`, `[1, 3, H, W]`, for a timestep of the original process.
    ///
    /// # Errors
    ///
    /// When the device is out of memory, or the job was cancelled.
    pub(crate) fn at(&self, x_t: &Tensor, timestep: f64) -> candle_core::Result<Tensor> {
        // CLIP has one embedding a timestep, so it takes whole ones only.
        let timesteps = Tensor::full(timestep.round() as u32, x_t.dim(0)?, x_t.device())?;
        let image = &self.clip.image;
        Ok(self.guidance.gradient(image, x_t, &timesteps, &self.interrupt)?.gradient)
    }
}
