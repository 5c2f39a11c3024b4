//! Copying a checkpoint to safetensors, tensor by tensor.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use crate::weights::checkpoint::{Checkpoint, DataType, storable};
use crate::weights::error::WeightsError;
use crate::weights::write::{FileRecord, SafetensorsWriter, TensorSpec};

/// How far a copy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes written.
    pub done: u64,
    /// Bytes to write.
    pub total: u64,
}

impl Checkpoint {
    /// Copies every tensor into a new safetensors file, with `metadata` added to the file's own.
    ///
    /// Values keep their type, except that double precision becomes single. A chunk at a time is
    /// in memory; the SHA-256 comes from the same pass. `on_progress` may end the copy.
    ///
    /// # Errors
    ///
    /// When a value is not finite (all tensors that have such are named), when reading or writing
    /// fails, or when `on_progress` breaks. The unfinished file is left for the caller to remove.
    pub fn copy_to_safetensors(
        &self,
        path: &Path,
        metadata: &BTreeMap<String, String>,
        on_progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<FileRecord, WeightsError> {
        let specs: Vec<TensorSpec> = self
            .inner
            .raw
            .iter()
            .map(|raw| TensorSpec {
                name: raw.name.clone(),
                dtype: if raw.dtype == DataType::F64 { DataType::F32 } else { raw.dtype },
                shape: raw.shape.clone(),
            })
            .collect();
        let mut all = self.metadata().clone();
        all.extend(metadata.iter().map(|(key, value)| (key.clone(), value.clone())));
        let mut writer = SafetensorsWriter::create(path, &specs, &all)?;
        let mut progress = Progress { done: 0, total: specs.iter().map(TensorSpec::bytes).sum() };
        let mut bad = Vec::new();
        for raw in &self.inner.raw {
            let mut finite = true;
            self.stream(raw, &mut |bytes| {
                let bytes = storable(raw.dtype, bytes);
                finite &= all_finite(raw.dtype, &bytes);
                writer.write(&bytes)?;
                progress.done += bytes.len() as u64;
                match on_progress(progress) {
                    ControlFlow::Continue(()) => Ok(()),
                    ControlFlow::Break(()) => Err(WeightsError::Canceled),
                }
            })?;
            if !finite {
                bad.push(raw.name.clone());
            }
        }
        if !bad.is_empty() {
            return Err(WeightsError::NonFinite { path: self.path().to_path_buf(), names: bad });
        }
        writer.finish()
    }
}

/// Whether no value has the exponent that means infinite or not a number.
fn all_finite(dtype: DataType, bytes: &[u8]) -> bool {
    // Folding with `&` in place of `all` lets the compiler look at many values at once.
    match dtype {
        DataType::F64 | DataType::F32 => bytes
            .as_chunks::<4>()
            .0
            .iter()
            .fold(true, |ok, &b| ok & (u32::from_le_bytes(b) & 0x7f80_0000 != 0x7f80_0000)),
        DataType::F16 => bytes
            .as_chunks::<2>()
            .0
            .iter()
            .fold(true, |ok, &b| ok & (u16::from_le_bytes(b) & 0x7c00 != 0x7c00)),
        DataType::BF16 => bytes
            .as_chunks::<2>()
            .0
            .iter()
            .fold(true, |ok, &b| ok & (u16::from_le_bytes(b) & 0x7f80 != 0x7f80)),
        DataType::I8 => true,
    }
}
