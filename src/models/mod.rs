//! One folder per network family: config, blocks from small to large, forward; nothing else.
//!
//! [`Role`] and [`recognize`] know all of them: what a checkpoint is for, and which one a file holds.

pub mod autoencoder;
pub mod glide;
mod network;
pub mod parameters;
pub mod transfusion;

pub use network::{NetworkConfig, Role, expected_shapes, recognize};
