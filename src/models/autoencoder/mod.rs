//! The KL autoencoder between pictures and latents, on which Transfusion works.
//!
//! Latents are an eighth of the picture's sides (with four levels) and normalized: each channel has
//! about mean 0 and deviation 1 over pictures, so that a noise schedule fits them. Parameter names
//! are those of the training recipe. Start with [`Autoencoder`].

mod blocks;
mod config;
mod decoder;
mod encoder;
mod network;

pub use config::AutoencoderConfig;
pub use network::{Autoencoder, check_checkpoint, parameter_shapes};
