//! GLIDE (arXiv 2112.10741): the text-conditional UNet in its four forms, and the noised CLIP.
//!
//! Parameter names are those of the public checkpoints, so a state dict loads as it is. Start with
//! [`Glide`].

pub mod blocks;
mod clip;
mod config;
mod flops;
mod network;
mod recognize;
mod text_encoder;
mod unet;

pub use clip::{
    ClipGradient, ClipGuidance, ClipImageEncoder, ClipTextEncoder, clip_image_shapes,
    clip_text_shapes,
};
pub use config::{ClipConfig, GlideConfig, GlideForm, Half, UnsupportedConfig};
pub use flops::unet_flops;
pub use network::{Glide, UnetInput, parameter_shapes};
pub use recognize::{
    RecognizeError, Recognized, Shapes, glide_shapes, is_glide, read_clip, read_glide,
    recognize_glide,
};
pub use text_encoder::{TextBlock, TextEmbedding, text_attention};
