//! GLIDE (arXiv 2112.10741): the text-conditional UNet in its four forms, and the noised CLIP.

mod config;

pub use config::{ClipConfig, GlideConfig, GlideForm, Half, UnsupportedConfig};
