//! An open checkpoint: what is in it, and its values, one tensor at a time.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use half::slice::HalfFloatSliceExt as _;

use crate::weights::error::{Fault, WeightsError, printable};
use crate::weights::file_bytes::FileBytes;
use crate::weights::zip::ZipEntry;
use crate::weights::{safetensors, torch};

/// Bytes read at a time; a multiple of every element size.
const CHUNK: u64 = 1 << 20;
/// What the name of an int8 tensor's row scales ends in.
pub(super) const SCALE_SUFFIX: &str = ".scale";

/// Which kind of file a checkpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// `.safetensors`.
    Safetensors,
    /// A `.pt` file of PyTorch 1.6 or later.
    TorchZip,
    /// A `.pt` file without a zip around it.
    TorchLegacy,
}

/// How a tensor's values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// Double precision.
    F64,
    /// Single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// bfloat16.
    BF16,
    /// Whole numbers, each row of the first dimension with a scale of its own.
    I8,
}

impl DataType {
    /// Bytes of one element.
    #[must_use]
    pub const fn size(self) -> u64 {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::I8 => 1,
        }
    }

    /// The name that safetensors headers use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F64 => "F64",
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::I8 => "I8",
        }
    }
}

/// A tensor as a network sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// The parameter's name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How it is stored.
    pub dtype: DataType,
}

/// Where a storage's bytes are.
#[derive(Debug)]
pub(super) enum Place {
    /// From this byte of the file on.
    Plain(u64),
    /// In an entry of a zip archive.
    Zip(ZipEntry),
}

#[derive(Debug)]
pub(super) struct Storage {
    pub(super) len: u64,
    pub(super) place: Place,
}

/// A tensor as the file stores it; checked to lie inside its storage.
#[derive(Clone, Debug)]
pub(super) struct RawTensor {
    pub(super) name: String,
    pub(super) dtype: DataType,
    pub(super) shape: Vec<usize>,
    pub(super) storage: usize,
    /// In bytes.
    pub(super) offset: u64,
    /// In elements; none where rows follow each other without gaps.
    pub(super) strides: Option<Vec<u64>>,
}

impl RawTensor {
    pub(super) fn numel(&self) -> u64 {
        self.shape.iter().map(|&d| d as u64).product()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.numel() * self.dtype.size()
    }
}

/// A container's contents.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) tensors: Vec<RawTensor>,
    pub(super) storages: Vec<Storage>,
    pub(super) metadata: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) path: PathBuf,
    file: FileBytes,
    container: Container,
    /// Everything that is stored, row scales included.
    pub(super) raw: Vec<RawTensor>,
    storages: Vec<Storage>,
    metadata: BTreeMap<String, String>,
    tensors: Vec<TensorInfo>,
    /// For each name the tensor in `raw` and, for int8, its scales.
    index: HashMap<String, (usize, Option<usize>)>,
    /// The deflated storage unpacked last; tensors that follow each other often share one.
    unpacked: Mutex<Option<(usize, Arc<Vec<u8>>)>>,
}

/// An open checkpoint file; cheap to clone.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    pub(super) inner: Arc<Inner>,
}

impl Checkpoint {
    /// Opens a checkpoint and reads its directory, not its values.
    ///
    /// The kind of file is told by its contents, not by its name.
    ///
    /// # Errors
    ///
    /// When the file can't be read, isn't a checkpoint, is cut short or damaged, or names anything
    /// that weights do not need.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let file = FileBytes::open(path)?;
        let read = || -> Result<(Container, Parsed), Fault> {
            let start = file.part(0, file.len().min(64))?;
            let container = tell_container(&file, &start)?;
            let parsed = match container {
                Container::Safetensors => safetensors::parse(&file)?,
                Container::TorchZip => torch::parse_zip(&file)?,
                Container::TorchLegacy => torch::parse_legacy(&file)?,
            };
            Ok((container, parsed))
        };
        let (container, parsed) = read().map_err(|fault| fault.at(path))?;
        let (tensors, index) = fold_scales(&parsed.tensors).map_err(|fault| fault.at(path))?;
        if tensors.is_empty() {
            return Err(Fault::NotACheckpoint("it holds no tensors".to_owned()).at(path));
        }
        let inner = Inner {
            path: path.to_path_buf(),
            file,
            container,
            raw: parsed.tensors,
            storages: parsed.storages,
            metadata: parsed.metadata,
            tensors,
            index,
            unpacked: Mutex::new(None),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The file that was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Which kind of file it is.
    #[must_use]
    pub fn container(&self) -> Container {
        self.inner.container
    }

    /// The tensors in the file's order; the scales of int8 tensors belong to them and are not
    /// listed.
    #[must_use]
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.inner.tensors
    }

    /// Names and shapes, as recognition wants them.
    #[must_use]
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        self.tensors().iter().map(|t| (t.name.clone(), t.shape.clone())).collect()
    }

    /// Texts stored beside the tensors; only safetensors has them.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.inner.metadata
    }

    /// How most of the values are stored.
    #[must_use]
    pub fn main_dtype(&self) -> DataType {
        let mut bytes: Vec<(DataType, u64)> = Vec::new();
        for raw in &self.inner.raw {
            match bytes.iter_mut().find(|(dtype, _)| *dtype == raw.dtype) {
                Some((_, sum)) => *sum += raw.numel(),
                None => bytes.push((raw.dtype, raw.numel())),
            }
        }
        bytes.into_iter().max_by_key(|&(_, sum)| sum).map_or(DataType::F32, |(dtype, _)| dtype)
    }

    /// Number of weights.
    #[must_use]
    pub fn parameter_count(&self) -> u64 {
        self.tensors().iter().map(|t| t.shape.iter().map(|&d| d as u64).product::<u64>()).sum()
    }

    /// Reads the values of one tensor in single precision, row-major.
    ///
    /// # Errors
    ///
    /// When there is no such tensor or the file can't be read.
    pub fn load_f32(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let (raw, scale) = self.find(name)?;
        let mut values = Vec::with_capacity(raw.numel() as usize);
        self.stream(raw, &mut |bytes| {
            decode(raw.dtype, bytes, &mut values);
            Ok(())
        })?;
        if let Some(scale) = scale {
            let mut scales = Vec::with_capacity(scale.numel() as usize);
            self.stream(scale, &mut |bytes| {
                decode(scale.dtype, bytes, &mut scales);
                Ok(())
            })?;
            let row = (values.len() / scales.len().max(1)).max(1);
            for (row, scale) in values.chunks_mut(row).zip(scales) {
                for value in row {
                    *value *= scale;
                }
            }
        }
        Ok(values)
    }

    /// Reads half-precision values as they are; none where the tensor is stored otherwise.
    pub(super) fn load_f16(&self, name: &str) -> Result<Option<Vec<half::f16>>, WeightsError> {
        let (raw, _) = self.find(name)?;
        if raw.dtype != DataType::F16 {
            return Ok(None);
        }
        let mut values = Vec::with_capacity(raw.numel() as usize);
        self.stream(raw, &mut |bytes| {
            values.extend(bytes.as_chunks::<2>().0.iter().map(|&b| half::f16::from_le_bytes(b)));
            Ok(())
        })?;
        Ok(Some(values))
    }

    /// Compares stored checksums; only the zip container has any.
    ///
    /// # Errors
    ///
    /// When a checksum differs or the file can't be read.
    pub fn check_data(&self) -> Result<(), WeightsError> {
        for (index, storage) in self.inner.storages.iter().enumerate() {
            if let Place::Zip(entry) = &storage.place {
                if entry.deflated {
                    self.unpacked(index, entry)?;
                } else {
                    entry.check(&self.inner.file).map_err(|fault| fault.at(self.path()))?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.inner.index.get(name).map(|&(raw, _)| self.inner.raw[raw].shape.as_slice())
    }

    fn find(&self, name: &str) -> Result<(&RawTensor, Option<&RawTensor>), WeightsError> {
        let &(raw, scale) = self.inner.index.get(name).ok_or_else(|| {
            WeightsError::NoSuchTensor { path: self.inner.path.clone(), name: printable(name) }
        })?;
        Ok((&self.inner.raw[raw], scale.map(|scale| &self.inner.raw[scale])))
    }

    /// Gives a tensor's bytes to `sink`, in order, a chunk of whole elements at a time.
    pub(super) fn stream(
        &self,
        raw: &RawTensor,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), WeightsError>,
    ) -> Result<(), WeightsError> {
        if let Some(strides) = &raw.strides {
            return sink(&self.gather(raw, strides)?);
        }
        let start = match &self.inner.storages[raw.storage].place {
            Place::Plain(start) => *start,
            Place::Zip(entry) if !entry.deflated => entry.start,
            Place::Zip(entry) => {
                let bytes = self.unpacked(raw.storage, entry)?;
                let (from, to) = (raw.offset as usize, (raw.offset + raw.bytes()) as usize);
                return sink(bytes.get(from..to).unwrap_or_default());
            }
        };
        let (mut at, end) = (start + raw.offset, start + raw.offset + raw.bytes());
        let mut buffer = vec![0; raw.bytes().min(CHUNK) as usize];
        while at < end {
            let n = (end - at).min(CHUNK) as usize;
            self.inner.file.read_at(at, &mut buffer[..n]).map_err(|f| f.at(self.path()))?;
            sink(&buffer[..n])?;
            at += n as u64;
        }
        Ok(())
    }

    /// A view with gaps or in another order, put in row-major order.
    fn gather(&self, raw: &RawTensor, strides: &[u64]) -> Result<Vec<u8>, WeightsError> {
        let size = raw.dtype.size() as usize;
        let count = raw.numel() as usize;
        if count == 0 {
            return Ok(Vec::new());
        }
        let last: u64 = raw.shape.iter().zip(strides).map(|(&d, &s)| (d as u64 - 1) * s).sum();
        let span_len = (last + 1) * size as u64;
        let span = match &self.inner.storages[raw.storage].place {
            Place::Zip(entry) if entry.deflated => {
                let bytes = self.unpacked(raw.storage, entry)?;
                let from = raw.offset as usize;
                bytes.get(from..from + span_len as usize).unwrap_or_default().to_vec()
            }
            Place::Zip(ZipEntry { start, .. }) | Place::Plain(start) => {
                let part = self.inner.file.part(start + raw.offset, span_len);
                part.map_err(|fault| fault.at(self.path()))?
            }
        };
        let mut out = Vec::with_capacity(count * size);
        let mut place = vec![0; raw.shape.len()];
        let mut at = 0_usize;
        for _ in 0..count {
            out.extend_from_slice(span.get(at..at + size).unwrap_or_default());
            // Count up like an odometer, the last dimension first.
            for dim in (0..place.len()).rev() {
                place[dim] += 1;
                at += strides[dim] as usize * size;
                if place[dim] < raw.shape[dim] {
                    break;
                }
                at -= strides[dim] as usize * size * raw.shape[dim];
                place[dim] = 0;
            }
        }
        Ok(out)
    }

    fn unpacked(&self, index: usize, entry: &ZipEntry) -> Result<Arc<Vec<u8>>, WeightsError> {
        let mut last = self.inner.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, bytes)) = &*last
            && *held == index
        {
            return Ok(Arc::clone(bytes));
        }
        // Free the last one first: two may not fit.
        *last = None;
        let bytes = entry.unpack(&self.inner.file, torch::MAX_DEFLATED);
        let bytes = Arc::new(bytes.map_err(|fault| fault.at(self.path()))?);
        *last = Some((index, Arc::clone(&bytes)));
        Ok(bytes)
    }
}

/// Tells the container by the file's first bytes.
fn tell_container(file: &FileBytes, start: &[u8]) -> Result<Container, Fault> {
    let not = |what: &str| Err(Fault::NotACheckpoint(what.to_owned()));
    if start.is_empty() {
        return Err(Fault::Truncated("it is empty".to_owned()));
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return Ok(Container::TorchZip);
    }
    let magic = start.len().min(torch::LEGACY_MAGIC.len());
    if start[..magic] == torch::LEGACY_MAGIC[..magic] && start.len() > 1 {
        return Ok(Container::TorchLegacy);
    }
    if safetensors::looks_like(start) {
        return Ok(Container::Safetensors);
    }
    if start[0] == 0x80 {
        // A pickle of something else. What it asks for is worth a warning.
        let bytes = file.part(0, file.len().min(crate::weights::pickle::MAX_PICKLE))?;
        if let Err(forbidden @ Fault::ForbiddenGlobal(_)) = crate::weights::pickle::unpickle(&bytes)
        {
            return Err(forbidden);
        }
        return not("it is a Python pickle, but not one that PyTorch wrote");
    }
    let text = String::from_utf8_lossy(start).trim_start().to_lowercase();
    if text.starts_with("version https://git-lfs") {
        return not("it is a Git LFS pointer; fetch the file itself with `git lfs pull`");
    }
    if text.starts_with("<!doctype") || text.starts_with("<html") {
        return not("it is a web page, probably an error message saved in place of the file");
    }
    not("it is neither a PyTorch file nor safetensors")
}

type Folded = (Vec<TensorInfo>, HashMap<String, (usize, Option<usize>)>);

/// Joins int8 tensors with their scales.
fn fold_scales(raw: &[RawTensor]) -> Result<Folded, Fault> {
    let by_name: HashMap<&str, usize> =
        raw.iter().enumerate().map(|(index, tensor)| (tensor.name.as_str(), index)).collect();
    let mut index = HashMap::new();
    let mut scales = std::collections::HashSet::new();
    for (at, tensor) in raw.iter().enumerate().filter(|(_, t)| t.dtype == DataType::I8) {
        let shown = printable(&tensor.name);
        let scale_name = format!("{}{SCALE_SUFFIX}", tensor.name);
        let scale = *by_name.get(scale_name.as_str()).ok_or_else(|| {
            Fault::Corrupt(format!(
                "its int8 tensor {shown} has no row scales {shown}{SCALE_SUFFIX}"
            ))
        })?;
        let rows = tensor.shape.first().copied();
        let count = raw[scale].numel();
        if raw[scale].dtype != DataType::F32 || rows.is_none_or(|rows| rows as u64 != count) {
            return Err(Fault::Corrupt(format!(
                "the row scales of its int8 tensor {shown} are not one single-precision number a row"
            )));
        }
        scales.insert(scale);
        index.insert(tensor.name.clone(), (at, Some(scale)));
    }
    let mut tensors = Vec::with_capacity(raw.len());
    for (at, tensor) in raw.iter().enumerate().filter(|(at, _)| !scales.contains(at)) {
        index.entry(tensor.name.clone()).or_insert((at, None));
        tensors.push(TensorInfo {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            dtype: tensor.dtype,
        });
    }
    Ok((tensors, index))
}

/// Appends little-endian values in single precision.
pub(super) fn decode(dtype: DataType, bytes: &[u8], out: &mut Vec<f32>) {
    match dtype {
        DataType::F64 => {
            out.extend(bytes.as_chunks::<8>().0.iter().map(|&b| f64::from_le_bytes(b) as f32));
        }
        DataType::F32 => {
            out.extend(bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)));
        }
        DataType::F16 => {
            let halves: Vec<half::f16> =
                bytes.as_chunks::<2>().0.iter().map(|&b| half::f16::from_le_bytes(b)).collect();
            let at = out.len();
            out.resize(at + halves.len(), 0.0);
            halves.convert_to_f32_slice(&mut out[at..]);
        }
        DataType::BF16 => {
            let chunks = bytes.as_chunks::<2>().0.iter();
            out.extend(chunks.map(|&b| half::bf16::from_le_bytes(b).to_f32()));
        }
        DataType::I8 => out.extend(bytes.iter().map(|&b| f32::from(b as i8))),
    }
}

/// The same values as bytes that safetensors files of ours hold: double precision becomes single.
pub(super) fn storable(dtype: DataType, bytes: &[u8]) -> Cow<'_, [u8]> {
    if dtype == DataType::F64 {
        let narrow = bytes
            .as_chunks::<8>()
            .0
            .iter()
            .flat_map(|&b| (f64::from_le_bytes(b) as f32).to_le_bytes());
        Cow::Owned(narrow.collect())
    } else {
        Cow::Borrowed(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::ops::ControlFlow;

    fn golden(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/glide/pt").join(name)
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn cases() -> Vec<serde_json::Value> {
        let bytes = std::fs::read(golden("case.json")).unwrap();
        let case: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        case["files"].as_array().unwrap().clone()
    }

    #[test]
    fn all_good_files_hold_the_same_numbers() {
        let reference = Checkpoint::open(&golden("good_fp32.pt")).unwrap();
        assert_eq!(reference.tensors().len(), 127);
        assert_eq!(reference.parameter_count(), 240_070);
        assert_eq!(reference.main_dtype(), DataType::F32);
        let mut checked = 0;
        for case in cases().iter().filter(|case| case["expect"] == "ok") {
            let file = case["file"].as_str().unwrap();
            let read = Checkpoint::open(&golden(file)).unwrap();
            read.check_data().unwrap();
            assert_eq!(read.main_dtype().name(), case["dtype"], "{file}");
            for tensor in reference.tensors() {
                assert_eq!(read.shape(&tensor.name).unwrap(), tensor.shape, "{file}");
                let (a, b) = (read.load_f32(&tensor.name), reference.load_f32(&tensor.name));
                assert_eq!(a.unwrap(), b.unwrap(), "{file}: {}", tensor.name);
            }
            checked += 1;
        }
        assert_eq!(checked, 5);
        // Numbers, not zeros.
        let weights = reference.load_f32("time_embed.0.weight").unwrap();
        assert!(weights.iter().any(|&w| w > 0.0) && weights.iter().any(|&w| w < 0.0));
    }

    #[test]
    fn files_that_contradict_themselves_do_not_open() {
        // Those whose names or values are wrong are sound files; the library refuses them.
        let sound = ["missing_key", "shape_mismatch", "non_finite"];
        let mut seen = std::collections::BTreeSet::new();
        for case in cases().iter().filter(|case| case["expect"] == "error") {
            let (file, category) =
                (case["file"].as_str().unwrap(), case["category"].as_str().unwrap());
            match Checkpoint::open(&golden(file)) {
                Ok(_) => assert!(sound.contains(&category), "{file} opened"),
                Err(error) => {
                    assert_eq!(error.category(), category, "{file}: {error}");
                    let message = error.to_string();
                    if let Some(global) = case["global"].as_str() {
                        assert!(message.contains(global), "{message}");
                    }
                    assert!(message.contains(file), "{message}");
                    assert!(seen.insert(message.clone()), "said twice: {message}");
                }
            }
        }
        assert_eq!(seen.len(), 12);
    }

    #[test]
    fn a_copy_holds_the_same_bytes_and_its_digest_is_right() {
        let folder = folder();
        for file in ["good_fp32.pt", "good_shared_storage_fp16.pt", "good_legacy_fp16.pt"] {
            let read = Checkpoint::open(&golden(file)).unwrap();
            let path = folder.path().join(file).with_extension("safetensors");
            let metadata = BTreeMap::from([("config".to_owned(), "{}".to_owned())]);
            let mut last = 0;
            let record = read
                .copy_to_safetensors(&path, &metadata, &mut |progress| {
                    last = progress.done;
                    ControlFlow::Continue(())
                })
                .unwrap();
            assert_eq!(record, crate::weights::file_record(&path).unwrap());
            let copy = Checkpoint::open(&path).unwrap();
            assert_eq!(copy.container(), Container::Safetensors);
            assert_eq!(copy.metadata()["config"], "{}");
            assert_eq!(copy.tensors(), read.tensors());
            for tensor in read.tensors() {
                let (a, b) = (copy.load_f32(&tensor.name), read.load_f32(&tensor.name));
                assert_eq!(a.unwrap(), b.unwrap());
            }
            assert!(last > 400_000);
            // Others read it, too.
            candle_core::safetensors::load(&path, &candle_core::Device::Cpu).unwrap();
        }
    }

    #[test]
    fn values_that_are_not_finite_are_named_and_a_break_ends_the_copy() {
        let folder = folder();
        let read = Checkpoint::open(&golden("bad_nan_weights.pt")).unwrap();
        let path = folder.path().join("a.safetensors");
        let go_on = &mut |_| ControlFlow::Continue(());
        let error = read.copy_to_safetensors(&path, &BTreeMap::new(), go_on).unwrap_err();
        let WeightsError::NonFinite { mut names, .. } = error else { panic!("{error}") };
        names.sort();
        assert_eq!(names, ["out.2.weight", "time_embed.0.bias"]);
        let read = Checkpoint::open(&golden("good_fp16.pt")).unwrap();
        let path = folder.path().join("b.safetensors");
        let stop = &mut |_| ControlFlow::Break(());
        let error = read.copy_to_safetensors(&path, &BTreeMap::new(), stop).unwrap_err();
        assert_eq!(error.category(), "canceled");
    }

    #[test]
    fn networks_get_tensors_of_the_shape_that_they_ask_for() {
        use candle_core::{DType, Device};
        let read = Checkpoint::open(&golden("good_shared_storage_fp16.pt")).unwrap();
        for dtype in [DType::F32, DType::F16, DType::BF16, DType::F64] {
            let builder = read.var_builder(dtype, &Device::Cpu);
            let weight = builder.pp("time_embed").get((128, 32), "0.weight").unwrap();
            assert_eq!((weight.dtype(), weight.dims()), (dtype, &[128, 32][..]));
            let error = builder.get((127, 128), "time_embed.2.weight").unwrap_err().to_string();
            for part in ["time_embed.2.weight", "127", "128"] {
                assert!(error.contains(part), "{error}");
            }
            let error = builder.get(3, "nothing").unwrap_err().to_string();
            assert!(error.contains("nothing"), "{error}");
            assert!(builder.contains_tensor("out.2.bias"));
        }
    }

    fn header(json: &str, data: &[u8]) -> Vec<u8> {
        let mut file = (json.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(json.as_bytes());
        file.extend_from_slice(data);
        file
    }

    fn open_bytes(bytes: &[u8]) -> Result<Checkpoint, WeightsError> {
        let folder = folder();
        let path = folder.path().join("file.bin");
        std::fs::write(&path, bytes).unwrap();
        Checkpoint::open(&path)
    }

    #[test]
    fn int8_rows_are_unpacked_and_missing_scales_noticed() {
        let data: Vec<u8> = [1_i8, -2, 127, -127]
            .iter()
            .map(|&v| v as u8)
            .chain([0.5_f32, 2.0].iter().flat_map(|s| s.to_le_bytes()))
            .collect();
        let good = r#"{"w":{"dtype":"I8","shape":[2,2],"data_offsets":[0,4]},
            "w.scale":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},
            "__metadata__":{"format":"int8-row"}}"#;
        let read = open_bytes(&header(good, &data)).unwrap();
        assert_eq!(read.tensors().len(), 1);
        assert_eq!(read.load_f32("w").unwrap(), [0.5, -1.0, 254.0, -254.0]);
        let bad = [
            good.replace("w.scale", "v.scale"),
            good.replace("\"shape\":[2],", "\"shape\":[1,2],"),
        ];
        assert!(
            open_bytes(&header(&bad[0], &data)).unwrap_err().to_string().contains("row scales")
        );
        open_bytes(&header(&bad[1], &data)).unwrap();
    }

    #[test]
    fn crooked_safetensors_are_refused() {
        let check = |json: &str, category: &str| {
            let error = open_bytes(&header(json, &[0; 16])).unwrap_err();
            assert_eq!(error.category(), category, "{json}: {error}");
        };
        let one = |entry: &str| format!("{{\"a\":{entry}}}");
        check(&one(r#"{"dtype":"F32","shape":[4],"data_offsets":[0,12]}"#), "corrupt");
        check(&one(r#"{"dtype":"F32","shape":[4],"data_offsets":[16,0]}"#), "corrupt");
        check(&one(r#"{"dtype":"F32","shape":[8],"data_offsets":[0,32]}"#), "truncated");
        check(
            &one(r#"{"dtype":"F32","shape":[9223372036854775807,8],"data_offsets":[0,16]}"#),
            "corrupt",
        );
        check(&one(r#"{"dtype":"I64","shape":[2],"data_offsets":[0,16]}"#), "unsupported");
        check("{}", "not_a_checkpoint");
        check("{\"a\":", "corrupt");
        let twice = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
            "a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
        check(twice, "corrupt");
        let lapping = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
        check(lapping, "corrupt");
        let mut long = u64::MAX.to_le_bytes().to_vec();
        long.extend_from_slice(b"{\"a\":");
        assert_eq!(open_bytes(&long).unwrap_err().category(), "truncated");
    }

    #[test]
    fn other_files_are_told_by_their_beginning() {
        let check = |bytes: &[u8], part: &str| {
            let message = open_bytes(bytes).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        };
        check(b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "git lfs pull");
        check(b"<!DOCTYPE html><html>", "web page");
        check(b"\x80\x04cos\nsystem\n.", "os.system");
        check(b"\x80\x02]q\x00.", "Python pickle");
        check(&torch::LEGACY_MAGIC[..9], "cut short");
        let folder = folder();
        assert_eq!(Checkpoint::open(folder.path()).unwrap_err().category(), "not_a_checkpoint");
        let absent = folder.path().join("absent.pt");
        assert_eq!(Checkpoint::open(&absent).unwrap_err().category(), "io");
    }

    /// A zip archive as deflating tools would make it, for the paths that PyTorch doesn't take.
    fn zip(entries: &[(&str, &[u8], bool)]) -> Vec<u8> {
        use std::io::Write as _;
        let mut file = Vec::new();
        let mut directory = Vec::new();
        for (name, data, deflate) in entries {
            let packed = if *deflate {
                let level = flate2::Compression::best();
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(data).unwrap();
                encoder.finish().unwrap()
            } else {
                data.to_vec()
            };
            let at = file.len() as u32;
            let mut common = vec![20, 0, 0, 0, if *deflate { 8 } else { 0 }, 0, 0, 0, 0, 0];
            common.extend(crc32fast::hash(data).to_le_bytes());
            common.extend((packed.len() as u32).to_le_bytes());
            common.extend((data.len() as u32).to_le_bytes());
            common.extend((name.len() as u16).to_le_bytes());
            common.extend([0, 0]);
            file.extend(b"PK\x03\x04");
            file.extend(&common);
            file.extend(name.bytes());
            file.extend(packed);
            directory.extend(b"PK\x01\x02\x14\x00");
            directory.extend(&common);
            directory.extend([0; 10]);
            directory.extend(at.to_le_bytes());
            directory.extend(name.bytes());
        }
        let at = file.len() as u32;
        file.extend(&directory);
        file.extend(b"PK\x05\x06\0\0\0\0");
        file.extend((entries.len() as u16).to_le_bytes());
        file.extend((entries.len() as u16).to_le_bytes());
        file.extend((directory.len() as u32).to_le_bytes());
        file.extend(at.to_le_bytes());
        file.extend([0, 0]);
        file
    }

    /// `{"w": tensor}` over a storage of `numel` single-precision numbers.
    fn pickle(numel: u8, offset: u8, shape: [u8; 2], strides: [u8; 2]) -> Vec<u8> {
        let mut p = b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((".to_vec();
        p.extend(b"X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu");
        p.extend([b'K', numel, b't', b'Q', b'K', offset]);
        p.extend([b'K', shape[0], b'K', shape[1], 0x86, b'K', strides[0], b'K', strides[1], 0x86]);
        p.extend(b"\x89}tRs.");
        p
    }

    #[test]
    fn deflated_archives_and_views_with_gaps_are_read() {
        let data: Vec<u8> = (0..12_u8).flat_map(|i| f32::from(i).to_le_bytes()).collect();
        for deflate in [false, true] {
            let open = |offset, shape, strides| {
                let pickle = pickle(12, offset, shape, strides);
                open_bytes(&zip(&[("x/data.pkl", &pickle, deflate), ("x/data/0", &data, deflate)]))
            };
            let values = |offset, shape, strides| {
                let read = open(offset, shape, strides).unwrap();
                read.check_data().unwrap();
                read.load_f32("w").unwrap()
            };
            assert_eq!(values(2, [2, 3], [3, 1]), [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
            assert_eq!(values(1, [3, 2], [1, 3]), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
            assert_eq!(values(0, [2, 2], [6, 5]), [0.0, 5.0, 6.0, 11.0]);
            assert_eq!(values(12, [0, 5], [5, 1]), [0.0; 0]);
            // Beyond the storage, and one element shown many times over.
            assert_eq!(open(7, [2, 3], [3, 1]).unwrap_err().category(), "corrupt");
            assert_eq!(open(0, [200, 200], [0, 0]).unwrap_err().category(), "corrupt");
        }
    }

    #[test]
    fn archives_that_lie_are_refused() {
        let data = [0; 48];
        let pickle = pickle(12, 0, [3, 4], [4, 1]);
        let whole = zip(&[("x/data.pkl", &pickle, true), ("x/data/0", &data, false)]);
        open_bytes(&whole).unwrap();
        let category = |bytes: &[u8]| open_bytes(bytes).unwrap_err().category();
        // A name that stands twice: which of the two would be meant?
        let twice = zip(&[
            ("x/data.pkl", &pickle, true),
            ("x/data/0", &data, false),
            ("x/data/0", &data, false),
        ]);
        assert_eq!(category(&twice), "corrupt");
        let two = zip(&[("x/data.pkl", &pickle, true), ("y/data.pkl", &pickle, true)]);
        assert_eq!(category(&two), "corrupt");
        let big = zip(&[
            ("x/data.pkl", &pickle, true),
            ("x/data/0", &data, false),
            ("x/byteorder", b"big", false),
        ]);
        assert_eq!(category(&big), "unsupported");
        // A bomb: five megabytes of zeros as the pickle.
        let bomb = zip(&[("x/data.pkl", &vec![0; 5 << 20], true)]);
        assert!(bomb.len() < 10_000);
        assert_eq!(category(&bomb), "unsupported");
        // Claims in the directory: more entries than it has room for, an impossible ratio.
        let mut many = whole.clone();
        let end = many.len() - 22;
        many[end + 10..end + 12].copy_from_slice(&60_000_u16.to_le_bytes());
        assert_eq!(category(&many), "corrupt");
        let mut claim = whole.clone();
        let directory = u32::from_le_bytes(claim[end + 16..end + 20].try_into().unwrap()) as usize;
        claim[directory + 24..directory + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
        assert_eq!(category(&claim), "corrupt");
        // A storage whose bytes were changed has another checksum.
        let mut changed = whole;
        changed[directory - 5] ^= 1;
        let read = open_bytes(&changed).unwrap();
        assert_eq!(read.check_data().unwrap_err().category(), "corrupt");
    }

    /// Reads everything there is, as an import would.
    fn read_through(path: &Path) -> Result<(), WeightsError> {
        let read = Checkpoint::open(path)?;
        read.check_data()?;
        for tensor in read.tensors() {
            let bytes = std::fs::metadata(path).unwrap().len();
            let values = read.load_f32(&tensor.name)?;
            assert!(values.len() as u64 <= bytes * 1100);
        }
        Ok(())
    }

    #[test]
    fn no_damage_to_a_file_can_do_more_than_fail() {
        let folder = folder();
        let small = folder.path().join("small.safetensors");
        Checkpoint::open(&golden("good_fp16.pt"))
            .unwrap()
            .copy_to_safetensors(&small, &BTreeMap::new(), &mut |_| ControlFlow::Continue(()))
            .unwrap();
        let mut files: Vec<PathBuf> = cases()
            .iter()
            .filter(|case| case["expect"] == "ok")
            .map(|case| golden(case["file"].as_str().unwrap()))
            .collect();
        files.push(small);
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = move |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below.max(1)
        };
        let target = folder.path().join("damaged");
        for file in files {
            let good = std::fs::read(&file).unwrap();
            for round in 0..300 {
                let mut bytes = good.clone();
                if round % 5 == 0 {
                    bytes.truncate(random(good.len()));
                } else {
                    // The interesting parts are the beginning and the end.
                    let near = match round % 3 {
                        0 => random(good.len()),
                        1 => random(30_000.min(good.len())),
                        _ => good.len() - 1 - random(20_000.min(good.len())),
                    };
                    for step in 0..=random(3) {
                        let at = (near + step).min(good.len() - 1);
                        bytes[at] = if round % 2 == 0 {
                            random(256) as u8
                        } else {
                            bytes[at] ^ (1 << random(8))
                        };
                    }
                }
                std::fs::write(&target, &bytes).unwrap();
                // Either outcome is sound; a panic is not.
                if let Err(error) = read_through(&target) {
                    assert!(!error.to_string().contains('\u{0}'));
                }
            }
        }
    }
}
