//! The part of the zip format that checkpoints use: the directory, stored and deflated entries.
//!
//! Written here because every number of the directory must be checked against the file before
//! anything is allocated, and because a stored entry is read in place, without a copy.

use std::collections::BTreeSet;
use std::io::Read as _;

use crate::weights::error::{Fault, printable};
use crate::weights::file_bytes::FileBytes;

/// Fixed part of the record at the end of the file; a comment of up to 65535 bytes follows it.
const END_LEN: u64 = 22;
/// Fixed part of one entry of the directory.
const ENTRY_LEN: u64 = 46;
/// A checkpoint of a thousand tensors has a directory of about 100 kB.
const MAX_DIRECTORY: u64 = 64 << 20;
/// Deflate can't do better than 1032 to 1 (RFC 1951: 258 bytes from two bits).
const MAX_RATIO: u64 = 1040;

/// One file in the archive.
#[derive(Clone, Debug)]
pub(super) struct ZipEntry {
    pub(super) name: String,
    /// Bytes after unpacking, checked to be possible.
    pub(super) size: u64,
    pub(super) deflated: bool,
    pub(super) crc: u32,
    /// Where its bytes start in the file.
    pub(super) start: u64,
    /// Bytes in the file, checked to be inside.
    pub(super) stored: u64,
}

impl ZipEntry {
    /// Unpacks into memory; at most `limit` bytes.
    pub(super) fn unpack(&self, file: &FileBytes, limit: u64) -> Result<Vec<u8>, Fault> {
        if self.size > limit {
            return Err(Fault::Unsupported(format!(
                "its entry {} would unpack to {} bytes, more than the {limit} that are read",
                printable(&self.name),
                self.size
            )));
        }
        let packed = file.part(self.start, self.stored)?;
        let bytes = if self.deflated {
            let mut bytes = Vec::new();
            flate2::bufread::DeflateDecoder::new(packed.as_slice())
                .take(self.size + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| self.damaged(&format!("can't be unpacked ({error})")))?;
            bytes
        } else {
            packed
        };
        if bytes.len() as u64 != self.size {
            return Err(self.damaged("unpacks to another size than the archive says"));
        }
        if crc32fast::hash(&bytes) != self.crc {
            return Err(self.damaged("does not match its checksum"));
        }
        Ok(bytes)
    }

    /// Reads a stored entry through and compares its checksum.
    pub(super) fn check(&self, file: &FileBytes) -> Result<(), Fault> {
        const CHUNK: u64 = 1 << 20;
        debug_assert!(!self.deflated, "deflated entries are checked when they are unpacked");
        let mut hasher = crc32fast::Hasher::new();
        let mut buffer = vec![0; self.stored.min(CHUNK) as usize];
        let mut at = 0;
        while at < self.stored {
            let n = (self.stored - at).min(CHUNK) as usize;
            file.read_at(self.start + at, &mut buffer[..n])?;
            hasher.update(&buffer[..n]);
            at += n as u64;
        }
        if hasher.finalize() == self.crc {
            Ok(())
        } else {
            Err(self.damaged("does not match its checksum"))
        }
    }

    fn damaged(&self, what: &str) -> Fault {
        Fault::Corrupt(format!("its entry {} {what}", printable(&self.name)))
    }
}

/// Reads the archive's directory. Entries that can't be read are left out only when nobody may
/// want them; a name that stands twice is an error.
pub(super) fn read_directory(file: &FileBytes) -> Result<Vec<ZipEntry>, Fault> {
    let place = find_directory(file)?;
    if place.count.checked_mul(ENTRY_LEN).is_none_or(|least| least > place.size) {
        return Err(Fault::Corrupt(format!(
            "its zip directory of {} bytes can't hold the {} entries that it claims",
            place.size, place.count
        )));
    }
    let bytes = file.part(place.offset, place.size)?;
    let mut entries = Vec::with_capacity(place.count as usize);
    let mut names = BTreeSet::new();
    let mut rest = bytes.as_slice();
    for _ in 0..place.count {
        let entry = take_entry(&mut rest, file, place.offset)?;
        if !names.insert(entry.name.clone()) {
            return Err(Fault::Corrupt(format!(
                "its entry {} stands twice in the zip directory",
                printable(&entry.name)
            )));
        }
        entries.push(entry);
    }
    Ok(entries)
}

struct DirectoryPlace {
    offset: u64,
    size: u64,
    count: u64,
}

fn find_directory(file: &FileBytes) -> Result<DirectoryPlace, Fault> {
    let cut = || Fault::Truncated("the zip directory at its end is absent".to_owned());
    let tail_len = file.len().min(END_LEN + 0xffff);
    let tail_at = file.len() - tail_len;
    let tail = file.part(tail_at, tail_len)?;
    // The true record is the last one whose comment reaches exactly to the end of the file.
    let at = (0..=tail.len().saturating_sub(END_LEN as usize))
        .rev()
        .find(|&at| {
            tail.get(at..at + END_LEN as usize).is_some_and(|record| {
                record.starts_with(b"PK\x05\x06")
                    && at + END_LEN as usize + u16_at(record, 20) as usize == tail.len()
            })
        })
        .ok_or_else(cut)?;
    let record = &tail[at..];
    let end_at = tail_at + at as u64;
    let mut place = DirectoryPlace {
        count: u64::from(u16_at(record, 10)),
        size: u64::from(u32_at(record, 12)),
        offset: u64::from(u32_at(record, 16)),
    };
    let mut limit = end_at;
    if place.count == 0xffff || place.size == 0xffff_ffff || place.offset == 0xffff_ffff {
        let corrupt = || Fault::Corrupt("its zip64 directory can't be found".to_owned());
        let locator = file.part(end_at.checked_sub(20).ok_or_else(corrupt)?, 20)?;
        if !locator.starts_with(b"PK\x06\x07") {
            return Err(corrupt());
        }
        let record_at = u64_at(&locator, 8);
        if record_at.checked_add(56).is_none_or(|end| end > end_at) {
            return Err(corrupt());
        }
        let record = file.part(record_at, 56)?;
        if !record.starts_with(b"PK\x06\x06") {
            return Err(corrupt());
        }
        place = DirectoryPlace {
            count: u64_at(&record, 32),
            size: u64_at(&record, 40),
            offset: u64_at(&record, 48),
        };
        limit = record_at;
    }
    if place.offset.checked_add(place.size).is_none_or(|end| end > limit) {
        return Err(Fault::Corrupt("its zip directory lies outside the file".to_owned()));
    }
    if place.size > MAX_DIRECTORY {
        return Err(Fault::Unsupported(format!(
            "its zip directory has {} bytes, more than any checkpoint's",
            place.size
        )));
    }
    Ok(place)
}

fn take_entry(rest: &mut &[u8], file: &FileBytes, limit: u64) -> Result<ZipEntry, Fault> {
    let short = || Fault::Corrupt("its zip directory ends inside an entry".to_owned());
    let bytes = *rest;
    if bytes.len() < ENTRY_LEN as usize || !bytes.starts_with(b"PK\x01\x02") {
        return Err(short());
    }
    let name_len = u16_at(bytes, 28) as usize;
    let extra_len = u16_at(bytes, 30) as usize;
    let comment_len = u16_at(bytes, 32) as usize;
    let name_end = ENTRY_LEN as usize + name_len;
    let name = bytes.get(ENTRY_LEN as usize..name_end).ok_or_else(short)?;
    let extra = bytes.get(name_end..name_end + extra_len).ok_or_else(short)?;
    *rest = bytes.get(name_end + extra_len + comment_len..).ok_or_else(short)?;
    let name = std::str::from_utf8(name)
        .map_err(|_not_utf8| Fault::Corrupt("an entry's name is not text".to_owned()))?
        .to_owned();
    let damaged = |what: &str| Fault::Corrupt(format!("its entry {} {what}", printable(&name)));
    let mut wide = Wide::find(extra);
    let size = wide.widen(u32_at(bytes, 24)).ok_or_else(|| damaged("has no size"))?;
    let stored = wide.widen(u32_at(bytes, 20)).ok_or_else(|| damaged("has no size"))?;
    let header_at = wide.widen(u32_at(bytes, 42)).ok_or_else(|| damaged("has no place"))?;
    if u16_at(bytes, 8) & 1 != 0 {
        return Err(Fault::Unsupported(format!("its entry {} is encrypted", printable(&name))));
    }
    let deflated = match u16_at(bytes, 10) {
        0 if stored == size => false,
        0 => return Err(damaged("has two different sizes")),
        8 if size / MAX_RATIO <= stored => true,
        8 => return Err(damaged("claims to unpack to more than deflate can")),
        other => {
            return Err(Fault::Unsupported(format!(
                "its entry {} is packed by method {other}, which is not read",
                printable(&name)
            )));
        }
    };
    if header_at.checked_add(30).is_none_or(|end| end > limit) {
        return Err(damaged("lies outside the file"));
    }
    let mut header = [0; 30];
    file.read_at(header_at, &mut header)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err(damaged("does not begin where the directory says"));
    }
    let start = header_at + 30 + u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
    if start.checked_add(stored).is_none_or(|end| end > limit) {
        return Err(damaged("lies outside the file"));
    }
    Ok(ZipEntry { size, deflated, crc: u32_at(bytes, 16), start, stored, name })
}

/// The zip64 extra field: 64-bit numbers for those that don't fit, in order.
struct Wide<'a>(&'a [u8]);

impl<'a> Wide<'a> {
    fn find(mut extra: &'a [u8]) -> Self {
        while extra.len() >= 4 {
            let len = u16_at(extra, 2) as usize;
            let Some(body) = extra.get(4..4 + len) else { break };
            if u16_at(extra, 0) == 1 {
                return Self(body);
            }
            extra = &extra[4 + len..];
        }
        Self(&[])
    }

    fn widen(&mut self, narrow: u32) -> Option<u64> {
        if narrow != u32::MAX {
            return Some(u64::from(narrow));
        }
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }
}

// The three below read records whose length was checked; a short one reads as zero.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes)
}
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}
