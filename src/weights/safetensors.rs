//! The safetensors container: a length, a JSON header, the data.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::weights::checkpoint::{DataType, Parsed, Place, RawTensor, Storage};
use crate::weights::error::{Fault, printable};
use crate::weights::file_bytes::FileBytes;

/// Headers of a thousand tensors have about 100 kB; the reference implementation's limit is 100 MB.
const MAX_HEADER: u64 = 16 << 20;
const MAX_DIMS: usize = 8;

/// Whether the file begins as this container does.
pub(super) fn looks_like(start: &[u8]) -> bool {
    start.len() > 8 && start[8] == b'{'
}

/// Reads and checks the header.
pub(super) fn parse(file: &FileBytes) -> Result<Parsed, Fault> {
    let mut len = [0; 8];
    file.read_at(0, &mut len)?;
    let len = u64::from_le_bytes(len);
    if len > file.len() - 8 {
        return Err(Fault::Truncated(format!(
            "its header has {len} bytes, but the file only {}",
            file.len()
        )));
    }
    if len > MAX_HEADER {
        return Err(Fault::Unsupported(format!("its header of {len} bytes is too long")));
    }
    let header = file.part(8, len)?;
    let header: Header = serde_json::from_slice(&header)
        .map_err(|error| Fault::Corrupt(format!("its header can't be read ({error})")))?;
    let data_start = 8 + len;
    let data_len = file.len() - data_start;
    let mut tensors = Vec::with_capacity(header.tensors.len());
    for (name, entry) in header.tensors {
        tensors.push(check_entry(name, &entry, data_len)?);
    }
    check_overlap(&tensors)?;
    let storages = vec![Storage { len: data_len, place: Place::Plain(data_start) }];
    Ok(Parsed { tensors, storages, metadata: header.metadata })
}

fn check_entry(name: String, entry: &Entry, data_len: u64) -> Result<RawTensor, Fault> {
    let shown = printable(&name);
    let dtype = match entry.dtype.as_str() {
        "F64" => DataType::F64,
        "F32" => DataType::F32,
        "F16" => DataType::F16,
        "BF16" => DataType::BF16,
        "I8" => DataType::I8,
        other => {
            return Err(Fault::Unsupported(format!(
                "its tensor {shown} holds {} values, which no weights of ours are",
                printable(other)
            )));
        }
    };
    let [start, end] = entry.data_offsets;
    let bytes = entry
        .shape
        .iter()
        .try_fold(dtype.size(), |n, &d| n.checked_mul(d as u64))
        .filter(|_| entry.shape.len() <= MAX_DIMS);
    if start > end || bytes != Some(end - start) {
        return Err(Fault::Corrupt(format!(
            "its tensor {shown} has a shape and a place of different sizes"
        )));
    }
    if end > data_len {
        return Err(Fault::Truncated(format!("it ends before its tensor {shown}")));
    }
    Ok(RawTensor {
        name,
        dtype,
        shape: entry.shape.clone(),
        storage: 0,
        offset: start,
        strides: None,
    })
}

/// Tensors must not share bytes, so that a small file can't unfold to a large one.
fn check_overlap(tensors: &[RawTensor]) -> Result<(), Fault> {
    let mut spans: Vec<(u64, u64, &str)> = tensors
        .iter()
        .filter(|t| t.bytes() > 0)
        .map(|t| (t.offset, t.offset + t.bytes(), t.name.as_str()))
        .collect();
    spans.sort_unstable();
    match spans.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        Some(pair) => Err(Fault::Corrupt(format!(
            "its tensors {} and {} lie on each other",
            printable(pair[0].2),
            printable(pair[1].2)
        ))),
        None => Ok(()),
    }
}

#[derive(serde::Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

/// The header in the file's order, with names that stand twice refused.
struct Header {
    tensors: Vec<(String, Entry)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;
        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header { tensors: Vec::new(), metadata: BTreeMap::new() };
                let mut names = HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !names.insert(name.clone()) {
                        let shown = printable(&name);
                        let twice = format_args!("the name {shown} stands twice");
                        return Err(serde::de::Error::custom(twice));
                    }
                    if name == "__metadata__" {
                        let metadata: HashMap<String, String> = map.next_value()?;
                        header.metadata = metadata.into_iter().collect();
                    } else {
                        header.tensors.push((name, map.next_value()?));
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(HeaderVisitor)
    }
}
