//! Reference vectors recomputed: does this build, on this device, compute what the reference does?
//!
//! [`run`] walks a folder laid out as `tests/golden/glide` or `tests/golden/transfusion` (their
//! READMEs describe the layouts), recomputes every case it finds and reports one [`Check`] for each
//! expected output. It knows the kinds of cases and not the cases, so vectors of other configs of the
//! same layout work as well.

mod compare;
mod diffusion;
mod files;
mod loops;
mod networks;
mod ops;
mod transfusion;
mod vectors;

pub use compare::{Check, Tolerance};
pub use vectors::{SelftestError, formula_weights};

use candle_core::Device;
use serde_json::Value;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, SelftestError>;

/// Takes each finished check.
pub type Sink<'a> = dyn FnMut(Check) + 'a;

/// Recomputes all vectors below `dir` and hands each check to `sink`.
///
/// A case that can't be computed at all is a failed check with the reason in its name.
///
/// # Errors
///
/// When the folder can't be read or holds no vectors.
pub fn run(dir: &Path, device: &Device, sink: &mut Sink<'_>) -> Result<()> {
    let mut cases = Vec::new();
    find_cases(dir, &mut cases)?;
    if cases.is_empty() {
        return Err(SelftestError::NoCases { dir: dir.to_owned() });
    }
    cases.sort();
    for path in cases {
        let name = case_name(dir, &path);
        if let Err(error) = run_case(&path, &name, device, sink) {
            sink(Check::failed(&format!("{name}: {error}")));
        }
    }
    Ok(())
}

/// Whether a file describes a case of its own.
fn is_case(path: &Path) -> bool {
    let named = |name: &str| path.file_name().is_some_and(|file| file == name);
    let inside = |folder: &str| {
        path.parent().and_then(Path::file_name).is_some_and(|parent| parent == folder)
    };
    let json = path.extension().is_some_and(|extension| extension == "json");
    named("case.json")
        || named("ops.json")
        || named("respacing.json")
        || is_transfusion(path)
        || (json && (inside("tokenizer") || inside("real_shapes")))
}

/// Whether a file is the config of a Transfusion folder.
fn is_transfusion(path: &Path) -> bool {
    path.file_name().is_some_and(|file| file == "config.json")
        && path.with_file_name("vectors.safetensors").is_file()
}

fn find_cases(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = |source| SelftestError::Unreadable { path: dir.to_owned(), source };
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            find_cases(&path, found)?;
        } else if is_case(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// The case's folder below `dir`, and the file's name where a folder holds several.
fn case_name(dir: &Path, path: &Path) -> String {
    let folder = path.parent().unwrap_or(path);
    let below = folder.strip_prefix(dir).unwrap_or(folder);
    let mut name = below.to_string_lossy().replace('\\', "/");
    if name.is_empty() {
        name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("case" | "ops" | "config") | None => name,
        Some(stem) => format!("{name}/{stem}"),
    }
}

fn run_case(path: &Path, name: &str, device: &Device, sink: &mut Sink<'_>) -> Result<()> {
    let json = vectors::read_json(path)?;
    let file = path.file_name().unwrap_or_default();
    if file == "ops.json" {
        return ops::run(path, &json, name, device, sink);
    }
    if file == "config.json" {
        return transfusion::run(path, &json, name, device, sink);
    }
    if file == "respacing.json" {
        return diffusion::respacing(&json, name, sink);
    }
    if json.get("schedules").is_some() {
        return diffusion::run(path, &json, name, device, sink);
    }
    if json.get("total_tensors").is_some() {
        return files::real_shapes(&json, name, sink);
    }
    if json.get("sources").is_some() {
        return files::images(path, &json, name, sink);
    }
    if json.get("n_vocab").is_some() && json.get("cases").is_some() {
        return files::tokenizer(&json, name, sink);
    }
    if json.get("files").is_some() {
        files::checkpoints(path, &json, name, sink)?;
    }
    if json.get("runs").is_some() {
        return networks::run(path, &json, name, device, sink);
    }
    if json.get("files").is_some() {
        return Ok(());
    }
    Err(SelftestError::UnknownCase { path: path.to_owned() })
}

/// A string field, or an error that names it.
fn text<'a>(json: &'a Value, field: &str) -> Result<&'a str> {
    json.get(field).and_then(Value::as_str).ok_or_else(|| SelftestError::missing(field))
}

/// A list field, or an error that names it.
fn list<'a>(json: &'a Value, field: &str) -> Result<&'a [Value]> {
    json.get(field)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| SelftestError::missing(field))
}
