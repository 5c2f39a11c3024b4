//! Transfusion (arXiv 2408.11039): one transformer that reads and writes text and pictures.
//!
//! Text is predicted token by token, pictures are denoised as patches of latents, all in one
//! sequence. A [`Sequence`] lists what stands where; [`Transfusion::forward`] evaluates whole
//! sequences, while a conversation grows in a [`KvCache`]: [`Transfusion::prefill`] adds to it, and
//! [`Transfusion::denoise_step`] looks at a picture under way without adding it. Which token comes
//! next and how noise becomes a picture is decided elsewhere, in [`crate::engine`]'s loops.
//!
//! Patches go in and out by a linear layer, the paper's simpler form and that of the starter
//! models, or by blocks of a U-Net, its stronger one ([`PatchForm`]). For inference: some operations
//! have no gradient.

mod attention_mask;
mod config;
mod kv_cache;
mod network;
mod patches;
mod sequence;
mod transformer;
mod unet_patches;

pub use config::{PatchForm, SpecialTokens, TransfusionConfig};
pub use kv_cache::{KvCache, PictureContext};
pub use network::{Transfusion, check_checkpoint, parameter_shapes};
pub use patches::{patchify, unpatchify};
pub use sequence::{Picture, Sequence};
