//! One folder per network family: config, blocks from small to large, forward; nothing else.

pub mod autoencoder;
pub mod glide;
pub mod parameters;
pub mod transfusion;
