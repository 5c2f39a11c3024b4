//! One folder per network family: config, blocks from small to large, forward; nothing else.

pub mod glide;
