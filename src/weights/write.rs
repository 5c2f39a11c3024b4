//! Writing safetensors files without holding them in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::weights::checkpoint::DataType;
use crate::weights::error::{Fault, WeightsError};

/// A tensor that will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// The parameter's name.
    pub name: String,
    /// How its values are stored.
    pub dtype: DataType,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl TensorSpec {
    /// Bytes of the values.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shape.iter().map(|&d| d as u64).product::<u64>() * self.dtype.size()
    }
}

/// A file's size and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
}

/// A safetensors file in the making: the header first, then each tensor's bytes in order.
#[derive(Debug)]
pub struct SafetensorsWriter {
    path: PathBuf,
    file: BufWriter<File>,
    digest: Sha256,
    written: u64,
    expected: u64,
}

impl SafetensorsWriter {
    /// Creates the file and writes its header. The file must not exist.
    ///
    /// # Errors
    ///
    /// When the file exists or can't be written.
    pub fn create(
        path: &Path,
        tensors: &[TensorSpec],
        metadata: &BTreeMap<String, String>,
    ) -> Result<Self, WeightsError> {
        let mut header = serde_json::Map::new();
        if !metadata.is_empty() {
            header.insert("__metadata__".to_owned(), serde_json::json!(metadata));
        }
        let mut at = 0;
        for tensor in tensors {
            let end = at + tensor.bytes();
            header.insert(
                tensor.name.clone(),
                serde_json::json!({
                    "dtype": tensor.dtype.name(),
                    "shape": tensor.shape,
                    "data_offsets": [at, end],
                }),
            );
            at = end;
        }
        let mut header = serde_json::Value::Object(header).to_string().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        let file = File::create_new(path).map_err(|source| io(path, source))?;
        let mut writer = Self {
            path: path.to_path_buf(),
            file: BufWriter::with_capacity(1 << 20, file),
            digest: Sha256::new(),
            written: 0,
            expected: 8 + header.len() as u64 + at,
        };
        writer.write(&(header.len() as u64).to_le_bytes())?;
        writer.write(&header)?;
        Ok(writer)
    }

    /// Appends little-endian values.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), WeightsError> {
        self.digest.update(bytes);
        self.written += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|source| io(&self.path, source))
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    ///
    /// When fewer or more values were written than the header says, or the disk is full.
    pub fn finish(self) -> Result<FileRecord, WeightsError> {
        if self.written != self.expected {
            let why = format!("{} of {} bytes were written", self.written, self.expected);
            return Err(Fault::Corrupt(why).at(&self.path));
        }
        let Self { path, file, digest, written, .. } = self;
        let file = file.into_inner().map_err(|error| io(&path, error.into_error()))?;
        file.sync_all().map_err(|source| io(&path, source))?;
        Ok(FileRecord { bytes: written, sha256: hex(&digest.finalize()) })
    }
}

/// Size and digest of a file as it lies on the disk.
///
/// # Errors
///
/// When the file can't be read.
pub fn file_record(path: &Path) -> Result<FileRecord, WeightsError> {
    let read = |source| WeightsError::Io { action: "read", path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(read)?;
    let mut digest = Sha256::new();
    let mut bytes = 0;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer).map_err(read)?;
        if n == 0 {
            return Ok(FileRecord { bytes, sha256: hex(&digest.finalize()) });
        }
        digest.update(&buffer[..n]);
        bytes += n as u64;
    }
}

fn io(path: &Path, source: std::io::Error) -> WeightsError {
    WeightsError::Io { action: "write", path: path.to_path_buf(), source }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('?'));
        }
        text
    })
}
