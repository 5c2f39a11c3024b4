//! PyTorch's two containers: a zip archive, and the older sequence of pickles.

use std::collections::HashMap;

use crate::weights::checkpoint::{DataType, Parsed, Place, RawTensor, Storage};
use crate::weights::error::{Fault, printable};
use crate::weights::file_bytes::FileBytes;
use crate::weights::pickle::{Heap, MAX_PICKLE, TensorRef, TorchDtype, Value, unpickle};
use crate::weights::zip;

/// The first pickle of the older container: protocol 2, a ten-byte magic number, the end mark.
///
/// Source: PyTorch, `torch/serialization.py`, `MAGIC_NUMBER`.
pub(super) const LEGACY_MAGIC: [u8; 15] =
    [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/// A deflated storage is unpacked in memory; PyTorch itself never deflates.
pub(super) const MAX_DEFLATED: u64 = 1 << 30;

/// How often tensors may show the same bytes before it is no longer a checkpoint.
const MAX_SHARING: u64 = 4;

/// Names under which training scripts wrap a state dict.
const WRAPPERS: [&str; 4] = ["state_dict", "model_state_dict", "model", "ema"];

/// Reads the zip container's directory and pickle.
pub(super) fn parse_zip(file: &FileBytes) -> Result<Parsed, Fault> {
    let entries = zip::read_directory(file)?;
    let mut pickles =
        entries.iter().filter(|e| e.name == "data.pkl" || e.name.ends_with("/data.pkl"));
    let pickle = pickles.next().ok_or_else(|| {
        Fault::NotACheckpoint("it is a zip archive without data.pkl inside".to_owned())
    })?;
    if pickles.next().is_some() {
        return Err(Fault::Corrupt("it has more than one data.pkl".to_owned()));
    }
    let prefix = pickle.name.strip_suffix("data.pkl").unwrap_or_default();
    let by_name: HashMap<&str, usize> =
        entries.iter().enumerate().map(|(i, entry)| (entry.name.as_str(), i)).collect();
    let find = |name: &str| by_name.get(format!("{prefix}{name}").as_str()).map(|&i| &entries[i]);
    if let Some(order) = find("byteorder")
        && order.unpack(file, 64)? != b"little"
    {
        return Err(Fault::Unsupported("its numbers are big-endian".to_owned()));
    }
    let bytes = pickle.unpack(file, MAX_PICKLE)?;
    let read = unpickle(&bytes)?;
    let mut storages = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut parsed = collect(&read.heap, read.value, |index| {
        let wanted = &read.heap.storages[index];
        let shown = printable(wanted.key);
        let bytes = wanted.numel.checked_mul(wanted.dtype.size());
        let entry = find(&format!("data/{}", wanted.key)).ok_or_else(|| {
            Fault::Corrupt(format!("the storage data/{shown} that its pickle refers to is absent"))
        })?;
        if bytes != Some(entry.size) {
            return Err(Fault::Corrupt(format!(
                "its storage data/{shown} holds {} bytes where the pickle claims {} elements of {} bytes",
                entry.size,
                wanted.numel,
                wanted.dtype.size()
            )));
        }
        if entry.deflated && entry.size > MAX_DEFLATED {
            return Err(Fault::Unsupported(format!(
                "its storage data/{shown} is packed and too large"
            )));
        }
        Ok(*known.entry(wanted.key).or_insert_with(|| {
            storages.push(Storage { len: entry.size, place: Place::Zip(entry.clone()) });
            storages.len() - 1
        }))
    })?;
    parsed.storages = storages;
    check_sharing(&parsed)?;
    Ok(parsed)
}

/// Reads the older container: magic number, protocol, system, object, storage keys, storages.
pub(super) fn parse_legacy(file: &FileBytes) -> Result<Parsed, Fault> {
    let bytes = file.part(0, file.len().min(2 * MAX_PICKLE))?;
    let whole = bytes.len() as u64 == file.len();
    let mut at = LEGACY_MAGIC.len();
    let mut next = || {
        let read = unpickle(bytes.get(at..).unwrap_or_default()).map_err(|fault| match fault {
            Fault::Truncated(_) if !whole => {
                Fault::Unsupported("its pickle is far longer than a state dict's".to_owned())
            }
            other => other,
        })?;
        at += read.len;
        Ok(read)
    };
    let protocol = next()?;
    if protocol.value != Value::Int(1001) {
        return Err(Fault::Unsupported("it has an unknown protocol version".to_owned()));
    }
    let system = next()?;
    if let Value::Dict(index) = system.value
        && system.heap.dicts[index].contains(&(Value::Text("little_endian"), Value::Bool(false)))
    {
        return Err(Fault::Unsupported("its numbers are big-endian".to_owned()));
    }
    let object = next()?;
    let keys = next()?;
    let Value::List(list) = keys.value else {
        return Err(Fault::Corrupt("its list of storages is not a list".to_owned()));
    };
    let layout = legacy_layout(file, at as u64, &object.heap, &keys.heap.lists[list])?;
    let mut storages = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut parsed = collect(&object.heap, object.value, |index| {
        let wanted = &object.heap.storages[index];
        let &(start, len) = layout.get(wanted.key).ok_or_else(|| {
            let shown = printable(wanted.key);
            Fault::Corrupt(format!("the storage {shown} that its pickle refers to is absent"))
        })?;
        if wanted.numel.checked_mul(wanted.dtype.size()) != Some(len) {
            return Err(Fault::Corrupt(format!(
                "its storage {} has another size than the pickle claims",
                printable(wanted.key)
            )));
        }
        Ok(*known.entry(wanted.key).or_insert_with(|| {
            storages.push(Storage { len, place: Place::Plain(start) });
            storages.len() - 1
        }))
    })?;
    parsed.storages = storages;
    check_sharing(&parsed)?;
    Ok(parsed)
}

/// Where each storage lies: an element count of eight bytes, then the elements, key by key.
fn legacy_layout<'a>(
    file: &FileBytes,
    mut at: u64,
    heap: &Heap<'a>,
    keys: &[Value<'a>],
) -> Result<HashMap<&'a str, (u64, u64)>, Fault> {
    let mut sizes: HashMap<&str, u64> = HashMap::new();
    for storage in &heap.storages {
        sizes.insert(storage.key, storage.dtype.size());
    }
    let mut layout = HashMap::new();
    for key in keys {
        let Value::Text(key) = *key else {
            return Err(Fault::Corrupt("its list of storages holds something else".to_owned()));
        };
        let shown = printable(key);
        let size = *sizes.get(key).ok_or_else(|| {
            Fault::Corrupt(format!("it holds a storage {shown} that no tensor names"))
        })?;
        let mut count = [0; 8];
        file.read_at(at, &mut count)?;
        let start = at + 8;
        let len = u64::from_le_bytes(count).checked_mul(size);
        let end = len.and_then(|len| start.checked_add(len));
        let (Some(len), Some(end)) = (len, end) else {
            return Err(Fault::Corrupt(format!("its storage {shown} claims an endless size")));
        };
        if end > file.len() {
            return Err(Fault::Truncated(format!("it ends inside its storage {shown}")));
        }
        if layout.insert(key, (start, len)).is_some() {
            return Err(Fault::Corrupt(format!("its storage {shown} stands twice")));
        }
        at = end;
    }
    Ok(layout)
}

/// Turns the pickle's object into tensors; `locate` gives each storage's place by its number.
fn collect<'a>(
    heap: &Heap<'a>,
    value: Value<'a>,
    mut locate: impl FnMut(usize) -> Result<usize, Fault>,
) -> Result<Parsed, Fault> {
    let mut tensors = Vec::new();
    let mut names = std::collections::HashSet::new();
    for &(key, value) in state_dict(heap, value)? {
        let Value::Text(name) = key else {
            return Err(Fault::NotACheckpoint("its dict has keys that are not names".to_owned()));
        };
        let shown = printable(name);
        let Value::Tensor(index) = value else {
            return Err(Fault::NotACheckpoint(format!(
                "its dict holds {shown}, which is not a tensor, among the tensors"
            )));
        };
        if !names.insert(name) {
            return Err(Fault::Corrupt(format!("its tensor {shown} stands twice")));
        }
        let view = &heap.tensors[index];
        let storage = &heap.storages[view.storage];
        let dtype = match storage.dtype {
            TorchDtype::F64 => DataType::F64,
            TorchDtype::F32 => DataType::F32,
            TorchDtype::F16 => DataType::F16,
            TorchDtype::BF16 => DataType::BF16,
            TorchDtype::Other(kind, _) => {
                return Err(Fault::Unsupported(format!(
                    "its tensor {shown} holds {kind} values, which no weights of ours are"
                )));
            }
        };
        let place = locate(view.storage)?;
        let offset = check_view(view, storage.view_offset, storage.numel).ok_or_else(|| {
            Fault::Corrupt(format!("its tensor {shown} reaches beyond its storage"))
        })?;
        let contiguous = is_contiguous(view);
        tensors.push(RawTensor {
            name: name.to_owned(),
            dtype,
            shape: view.shape.clone(),
            storage: place,
            offset: offset * storage.dtype.size(),
            strides: (!contiguous).then(|| view.strides.clone()),
        });
    }
    Ok(Parsed { tensors, ..Parsed::default() })
}

fn state_dict<'h, 'a>(
    heap: &'h Heap<'a>,
    value: Value<'a>,
) -> Result<&'h [(Value<'a>, Value<'a>)], Fault> {
    let Value::Dict(index) = value else {
        return Err(Fault::NotACheckpoint("its object is not a dict of tensors".to_owned()));
    };
    let has_tensors =
        |index: usize| heap.dicts[index].iter().any(|(_, v)| matches!(v, Value::Tensor(_)));
    if has_tensors(index) {
        return Ok(&heap.dicts[index]);
    }
    let wrapped = WRAPPERS.iter().find_map(|&wrapper| {
        heap.dicts[index].iter().find_map(|&(key, value)| match (key, value) {
            (Value::Text(key), Value::Dict(inner)) if key == wrapper && has_tensors(inner) => {
                Some(inner)
            }
            _ => None,
        })
    });
    wrapped
        .map(|inner| heap.dicts[inner].as_slice())
        .ok_or_else(|| Fault::NotACheckpoint("its object is a dict without tensors".to_owned()))
}

/// The first element of a view that stays inside its storage and shows no element twice over.
fn check_view(view: &TensorRef, root: u64, numel: u64) -> Option<u64> {
    let offset = view.offset.checked_add(root)?;
    let count = view.shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d as u64))?;
    if count == 0 {
        return (offset <= numel).then_some(offset);
    }
    let mut last = offset;
    for (&dim, &stride) in view.shape.iter().zip(&view.strides) {
        last = last.checked_add((dim as u64 - 1).checked_mul(stride)?)?;
    }
    // An expanded view could show one element a billion times; weights never do.
    (last < numel && count <= numel).then_some(offset)
}

fn is_contiguous(view: &TensorRef) -> bool {
    let mut expected = 1_u64;
    for (&dim, &stride) in view.shape.iter().zip(&view.strides).rev() {
        if dim != 1 && stride != expected {
            return false;
        }
        expected = expected.saturating_mul((dim as u64).max(1));
    }
    true
}

/// Views may share storages, but a file must not unfold to many times its own size.
fn check_sharing(parsed: &Parsed) -> Result<(), Fault> {
    let held: u64 = parsed.storages.iter().map(|storage| storage.len).sum();
    let shown: u64 = parsed.tensors.iter().map(RawTensor::bytes).sum();
    if shown > held.saturating_mul(MAX_SHARING) {
        return Err(Fault::Corrupt(format!(
            "its tensors claim {shown} bytes, many times the {held} that it holds"
        )));
    }
    Ok(())
}
