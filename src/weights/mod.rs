//! Checkpoint files: safe reading, conversion, int8 storage.
//!
//! [`Checkpoint::open`] reads `.safetensors` and PyTorch's `.pt` files (zip and the older
//! container). Nothing in a file is run, and every size that a file claims is compared with the
//! file's own length before memory is asked for. Values are read tensor by tensor, into networks
//! through [`Checkpoint::var_builder`] or into another file through
//! [`Checkpoint::copy_to_safetensors`].
//!
//! This module knows no network: which names and shapes make a model is decided in
//! [`crate::models`], and where files lie in [`crate::engine::library`].

mod backend;
mod checkpoint;
mod convert;
mod error;
mod file_bytes;
mod int8;
mod pickle;
mod safetensors;
mod torch;
mod write;
mod zip;

pub use checkpoint::{Checkpoint, Container, DataType, TensorInfo};
pub use convert::Progress;
pub use error::WeightsError;
pub use int8::{QuantizedRows, quantize_rows};
pub use write::{FileRecord, SafetensorsWriter, TensorSpec, file_record};
