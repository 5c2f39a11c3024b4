//! Bringing checkpoints into the library: all of a request or nothing.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::engine::library::error::LibraryError;
use crate::engine::library::manifest::{
    Card, CheckpointEntry, FileEntry, MANIFEST_VERSION, Manifest, Suggested, check_id,
};
use crate::engine::library::store::ModelLibrary;
use crate::models::glide::{ClipConfig, GlideConfig, GlideForm, Recognized};
use crate::models::{NetworkConfig, Role, recognize};
use crate::weights::{Checkpoint, Progress, WeightsError};

/// Configs have a kilobyte, tokenizers a megabyte or two.
const MAX_CONFIG: u64 = 1 << 20;
const MAX_TOKENIZER: u64 = 64 << 20;
/// The name that a companion tokenizer gets.
const TOKENIZER_FILE: &str = "tokenizer.json";

/// What to bring in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportRequest {
    /// Checkpoints; together they make or join one family.
    pub files: Vec<PathBuf>,
    /// The family's name; without, `glide` for the public checkpoints and otherwise the first
    /// file's name.
    pub id: Option<String>,
    /// A JSON file with the config, where shapes leave it open.
    pub config: Option<PathBuf>,
    /// A tokenizer file, where the prompts are not GPT-2's byte pairs.
    pub tokenizer: Option<PathBuf>,
    /// Where the checkpoints come from, for the manifest.
    pub source: Option<String>,
    /// Under which license they may be used, for the manifest.
    pub license: Option<String>,
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportProgress<'a> {
    /// Which file, from 0.
    pub index: usize,
    /// Of how many.
    pub files: usize,
    /// The file that is read.
    pub path: &'a Path,
    /// How much of it is written.
    pub progress: Progress,
}

/// A checkpoint that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedCheckpoint {
    /// The file that was read.
    pub from: PathBuf,
    /// What it is.
    pub role: Role,
    /// Whether it has exactly the public release's shapes.
    pub public: bool,
    /// What was assumed of it, a phrase each; to be said aloud.
    pub assumptions: Vec<String>,
    /// Whether it took the place of another one.
    pub replaced: bool,
}

/// The outcome of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The family's name.
    pub id: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What came in.
    pub checkpoints: Vec<ImportedCheckpoint>,
    /// Whether prompts can be read; if not, a tokenizer is still needed.
    pub has_tokenizer: bool,
}

struct Candidate {
    checkpoint: Checkpoint,
    known: Recognized,
}

impl ModelLibrary {
    /// Checks checkpoints and copies them into a family of the user's.
    ///
    /// Names, shapes and checksums of all files are checked before anything is written; values
    /// are checked while they are copied. `on_progress` may end the import.
    ///
    /// # Errors
    ///
    /// When a file is no sound checkpoint of ours, two files do the same work, the family came
    /// with the program, the disk refuses, or `on_progress` breaks. Nothing is left behind and
    /// nothing is changed then.
    pub fn import(
        &mut self,
        request: &ImportRequest,
        on_progress: &mut dyn FnMut(ImportProgress<'_>) -> ControlFlow<()>,
    ) -> Result<Imported, LibraryError> {
        if let Some(id) = &request.id {
            check_id(id)?;
        }
        let candidates = examine(request)?;
        let id = request.id.clone().unwrap_or_else(|| name_for(&candidates));
        check_id(&id)?;
        let existing = self.get(&id);
        if existing.is_some_and(|family| family.shipped) {
            return Err(LibraryError::Shipped { id, what: "changed" });
        }
        let tokenizer = request.tokenizer.as_deref().map(read_tokenizer).transpose()?;
        for candidate in &candidates {
            candidate.checkpoint.check_data()?;
        }
        let mut created = CreatedFolders::create(&self.paths.user)?;
        let folder = self.paths.user.join(&id);
        let scratch = tempfile::Builder::new()
            .prefix(".import-")
            .tempdir_in(&self.paths.user)
            .map_err(LibraryError::io("write into the models' folder", &self.paths.user))?;
        let mut manifest = existing
            .map_or_else(|| new_manifest(&id, &candidates), |family| family.manifest.clone());
        let before = manifest.clone();
        let mut imported = Vec::new();
        for (index, candidate) in candidates.iter().enumerate() {
            let entry = copy(candidate, request, scratch.path(), &mut |progress| {
                let path = candidate.checkpoint.path();
                on_progress(ImportProgress { index, files: candidates.len(), path, progress })
            })?;
            imported.push(ImportedCheckpoint {
                from: candidate.checkpoint.path().to_path_buf(),
                role: entry.role,
                public: candidate.known.public,
                assumptions: entry.assumptions.clone(),
                replaced: before.checkpoint(entry.role).is_some(),
            });
            manifest.checkpoints.retain(|old| old.role != entry.role);
            manifest.checkpoints.push(entry);
        }
        manifest.checkpoints.sort_by_key(|entry| entry.role);
        choose_tokenizer(&mut manifest, &candidates, tokenizer.as_deref(), scratch.path())?;
        if existing.is_some() {
            join(&manifest, &before, scratch.path(), &folder)?;
        } else {
            manifest.write(scratch.path())?;
            std::fs::rename(scratch.path(), &folder)
                .map_err(LibraryError::io("make the model's folder", &folder))?;
            // It has its final name now and must not be swept away.
            let _moved: PathBuf = scratch.keep();
        }
        created.keep();
        self.reload();
        let has_tokenizer = manifest.tokenizer.is_some();
        Ok(Imported { id, folder, checkpoints: imported, has_tokenizer })
    }
}

/// Opens and recognizes every file before anything is written.
fn examine(request: &ImportRequest) -> Result<Vec<Candidate>, LibraryError> {
    if request.files.is_empty() {
        return Err(LibraryError::NothingToImport);
    }
    let config = request.config.as_deref().map(read_config).transpose()?;
    let mut candidates: Vec<Candidate> = Vec::new();
    for path in &request.files {
        let checkpoint = Checkpoint::open(path)?;
        let failed = |source| LibraryError::Recognize { path: path.clone(), source };
        let own = match checkpoint.metadata().get("config") {
            Some(text) if config.is_none() => {
                Some(serde_json::from_str::<serde_json::Value>(text).map_err(|error| {
                    failed(crate::models::glide::RecognizeError::Config(error.to_string()))
                })?)
            }
            _ => None,
        };
        let known =
            recognize(&checkpoint.shapes(), config.as_ref().or(own.as_ref())).map_err(failed)?;
        if let Some(first) = candidates.iter().find(|other| other.known.role == known.role) {
            return Err(LibraryError::SameRole {
                role: known.role,
                first: first.checkpoint.path().to_path_buf(),
                second: path.clone(),
            });
        }
        candidates.push(Candidate { checkpoint, known });
    }
    Ok(candidates)
}

fn read_limited(what: &'static str, path: &Path, limit: u64) -> Result<Vec<u8>, LibraryError> {
    let failed = LibraryError::io(what, path);
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) => return Err(failed(error)),
    };
    if about.len() > limit {
        let why = format!("it has {} bytes, more than the {limit} that are read", about.len());
        return Err(LibraryError::Companion { what: "file", path: path.to_path_buf(), why });
    }
    std::fs::read(path).map_err(failed)
}

fn read_config(path: &Path) -> Result<serde_json::Value, LibraryError> {
    let bytes = read_limited("read the config", path, MAX_CONFIG)?;
    serde_json::from_slice(&bytes).map_err(|error| LibraryError::Companion {
        what: "config",
        path: path.to_path_buf(),
        why: error.to_string(),
    })
}

fn read_tokenizer(path: &Path) -> Result<Vec<u8>, LibraryError> {
    let bytes = read_limited("read the tokenizer", path, MAX_TOKENIZER)?;
    match serde_json::from_slice::<serde_json::Value>(&bytes) {
        Ok(json) if json.get("model").is_some() => Ok(bytes),
        outcome => Err(LibraryError::Companion {
            what: "tokenizer",
            path: path.to_path_buf(),
            why: match outcome {
                Err(error) => error.to_string(),
                Ok(_) => "it has no model inside".to_owned(),
            },
        }),
    }
}

/// A name for a family that was not given one.
fn name_for(candidates: &[Candidate]) -> String {
    if candidates.iter().all(|candidate| candidate.known.public) {
        return "glide".to_owned();
    }
    let stem = candidates.first().and_then(|candidate| candidate.checkpoint.path().file_stem());
    let name: String = stem
        .map(|stem| stem.to_string_lossy().to_lowercase())
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
        .collect();
    let name: String = name.trim_matches(|c| "-_.".contains(c)).chars().take(48).collect();
    if check_id(&name).is_ok() { name } else { "imported".to_owned() }
}

/// Copies one checkpoint under a name that tells its role and contents.
fn copy(
    candidate: &Candidate,
    request: &ImportRequest,
    scratch: &Path,
    on_progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<CheckpointEntry, LibraryError> {
    let Candidate { checkpoint, known } = candidate;
    let role = known.role;
    let config = serde_json::json!(known.config);
    let metadata = BTreeMap::from([("config".to_owned(), config.to_string())]);
    let unnamed = scratch.join(format!("{role}.safetensors"));
    let record =
        checkpoint.copy_to_safetensors(&unnamed, &metadata, on_progress).map_err(|error| {
            match error {
                WeightsError::Canceled => LibraryError::Canceled,
                other => LibraryError::Weights(other),
            }
        })?;
    let file = format!("{role}-{}.safetensors", record.sha256.get(..8).unwrap_or_default());
    let named = scratch.join(&file);
    std::fs::rename(&unnamed, &named).map_err(LibraryError::io("write", &named))?;
    let from = checkpoint.path().file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(CheckpointEntry {
        role,
        file,
        bytes: record.bytes,
        sha256: record.sha256,
        dtype: checkpoint.main_dtype().name().to_owned(),
        parameters: checkpoint.parameter_count(),
        source: request.source.clone().or(from).unwrap_or_default(),
        license: request.license.clone().unwrap_or_else(|| "not stated".to_owned()),
        assumptions: known.assumptions.clone(),
        config,
    })
}

/// GPT-2's byte pairs where the vocabulary's size says so, or the given tokenizer.
fn choose_tokenizer(
    manifest: &mut Manifest,
    candidates: &[Candidate],
    given: Option<&[u8]>,
    scratch: &Path,
) -> Result<(), LibraryError> {
    if let Some(bytes) = given {
        let path = scratch.join(TOKENIZER_FILE);
        std::fs::write(&path, bytes).map_err(LibraryError::io("write the tokenizer", &path))?;
        let record = crate::weights::file_record(&path)?;
        manifest.tokenizer = Some(TOKENIZER_FILE.to_owned());
        manifest.files.retain(|entry| entry.file != TOKENIZER_FILE);
        manifest.files.push(FileEntry {
            file: TOKENIZER_FILE.to_owned(),
            bytes: record.bytes,
            sha256: record.sha256,
        });
    } else if manifest.tokenizer.is_none() {
        let gpt2 = GlideConfig::public(GlideForm::Base).n_vocab;
        let reads_gpt2 = candidates.iter().any(|candidate| match &candidate.known.config {
            NetworkConfig::Glide(config) => config.xf_width > 0 && config.n_vocab == gpt2,
            _ => false,
        });
        manifest.tokenizer = reads_gpt2.then(|| "gpt2".to_owned());
    }
    Ok(())
}

fn new_manifest(id: &str, candidates: &[Candidate]) -> Manifest {
    let public = candidates.iter().all(|candidate| candidate.known.public);
    let card = if public { public_card() } else { Card::default() };
    Manifest {
        manifest_version: MANIFEST_VERSION,
        id: id.to_owned(),
        name: if public { "GLIDE".to_owned() } else { id.to_owned() },
        summary: if public {
            "networks with the shapes of OpenAI's public GLIDE release".to_owned()
        } else {
            "imported by the user".to_owned()
        },
        checkpoints: Vec::new(),
        tokenizer: None,
        vocabulary: None,
        chat_vocabulary: None,
        files: Vec::new(),
        card,
        example_prompts: if public {
            ["an oil painting of a corgi", "a red car parked on a beach"]
                .map(str::to_owned)
                .to_vec()
        } else {
            Vec::new()
        },
        example_messages: Vec::new(),
        suggested: suggested_for(candidates),
    }
}

/// Of the public weights, as far as shapes let anyone say that these are they.
fn public_card() -> Card {
    Card {
        can_draw: vec!["objects and scenes, from free text".to_owned()],
        cannot_draw: vec![
            "people: the public weights were trained on pictures without them".to_owned(),
            "readable text, and exact counts or positions".to_owned(),
        ],
        quality: "a small research model of 2021".to_owned(),
        training_data: Vec::new(),
        notes: vec![
            "Gesso knows the networks by their shapes; whose weights these are, only their source can say"
                .to_owned(),
        ],
    }
}

/// The public settings, cut to the training process of the networks.
fn suggested_for(candidates: &[Candidate]) -> Suggested {
    let mut suggested = Suggested::default();
    for candidate in candidates {
        let NetworkConfig::Glide(config) = &candidate.known.config else { continue };
        let stage = match config.form() {
            GlideForm::Base => &mut suggested.base,
            GlideForm::BaseInpaint => &mut suggested.base_inpaint,
            GlideForm::Upsample => &mut suggested.upsample,
            GlideForm::UpsampleInpaint => &mut suggested.upsample_inpaint,
        };
        // `fast27` is made for 1000 steps, and nothing can have more steps than its training.
        if config.diffusion_steps != ClipConfig::public().n_timesteps {
            stage.steps = stage.steps.min(config.diffusion_steps);
            stage.respacing = stage.steps.to_string();
        }
    }
    suggested
}

/// Moves new files into a family and then exchanges the manifest, which makes them count.
fn join(
    manifest: &Manifest,
    before: &Manifest,
    scratch: &Path,
    folder: &Path,
) -> Result<(), LibraryError> {
    let new: Vec<&str> = manifest
        .checkpoints
        .iter()
        .map(|entry| entry.file.as_str())
        .chain(manifest.files.iter().map(|entry| entry.file.as_str()))
        .filter(|file| scratch.join(file).is_file())
        .collect();
    let mut moved: Vec<PathBuf> = Vec::new();
    let outcome = new.iter().try_for_each(|file| {
        let target = folder.join(file);
        let fresh = !target.exists();
        std::fs::rename(scratch.join(file), &target)
            .map_err(LibraryError::io("write into the model's folder", &target))?;
        if fresh {
            moved.push(target);
        }
        Ok(())
    });
    if let Err(error) = outcome.and_then(|()| manifest.write(folder)) {
        for file in moved {
            remove_quietly(&file);
        }
        return Err(error);
    }
    let kept = |file: &str| manifest.checkpoints.iter().any(|entry| entry.file == file);
    for entry in before.checkpoints.iter().filter(|entry| !kept(&entry.file)) {
        remove_quietly(&folder.join(&entry.file));
    }
    Ok(())
}

/// A file that nothing names any longer costs room, no more.
fn remove_quietly(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        log::warn!("can't remove a file that is no longer used: {error}: {path:?}");
    }
}

/// Folders made on the way, taken back unless the import succeeds.
struct CreatedFolders(Vec<PathBuf>);

impl CreatedFolders {
    fn create(folder: &Path) -> Result<Self, LibraryError> {
        let absent: Vec<PathBuf> = folder
            .ancestors()
            .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
            .map(Path::to_path_buf)
            .collect();
        std::fs::create_dir_all(folder)
            .map_err(LibraryError::io("make the models' folder", folder))?;
        Ok(Self(absent))
    }

    fn keep(&mut self) {
        self.0.clear();
    }
}

impl Drop for CreatedFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // Another program may have put something there; then it stays.
            if std::fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::library::{LibraryPaths, TinyFamily, TinyStorage, Tokens, Verdict};

    fn golden(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/glide/pt").join(name)
    }

    struct Place {
        folder: tempfile::TempDir,
        library: ModelLibrary,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let paths = LibraryPaths {
            shipped: vec![folder.path().join("shipped")],
            user: folder.path().join("data/models"),
        };
        Place { library: ModelLibrary::open(paths), folder }
    }

    fn go_on(_: ImportProgress<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn files(names: &[&str]) -> ImportRequest {
        ImportRequest {
            files: names.iter().map(|name| golden(name)).collect(),
            ..Default::default()
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_golden_file_ends_as_its_case_says() {
        let case = std::fs::read(golden("case.json")).unwrap();
        let case: serde_json::Value = serde_json::from_slice(&case).unwrap();
        // With the case's own config and without any.
        for config in [None, Some(golden("case.json"))] {
            let mut messages = std::collections::BTreeSet::new();
            for entry in case["files"].as_array().unwrap() {
                let file = entry["file"].as_str().unwrap();
                let Place { folder, mut library } = place();
                let request = ImportRequest { config: config.clone(), ..files(&[file]) };
                let outcome = library.import(&request, &mut go_on);
                if entry["expect"] == "ok" {
                    let imported = outcome.unwrap();
                    assert_eq!(imported.id, file.strip_suffix(".pt").unwrap());
                    assert_eq!(imported.checkpoints[0].assumptions.is_empty(), config.is_some());
                    let family = library.family(&imported.id).unwrap();
                    let network = family.require(Role::Base).unwrap();
                    assert_eq!(network.dtype, entry["dtype"]);
                    if config.is_some() {
                        let NetworkConfig::Glide(read) = network.network_config().unwrap() else {
                            panic!("not a UNet")
                        };
                        assert_eq!((read.num_head_channels, read.n_vocab), (16, 100));
                    }
                    let results = library.verify(&imported.id).unwrap();
                    assert!(results.iter().all(|result| result.verdict == Verdict::Intact));
                    continue;
                }
                let error = outcome.unwrap_err();
                assert_eq!(error.category(), entry["category"], "{file}: {error}");
                let message = error.to_string();
                let mut parts: Vec<String> = vec![file.to_owned()];
                parts.extend(entry["key"].as_str().map(str::to_owned));
                parts.extend(entry["global"].as_str().map(str::to_owned));
                let keys = entry["keys"].as_array();
                parts
                    .extend(keys.into_iter().flatten().map(|key| key.as_str().unwrap().to_owned()));
                for shape in ["found", "expected"] {
                    let shape: Option<Vec<usize>> =
                        serde_json::from_value(entry[shape].clone()).unwrap();
                    parts.extend(shape.map(|shape| format!("{shape:?}")));
                }
                for part in parts {
                    assert!(message.contains(&part), "{file}: no {part} in: {message}");
                }
                messages.insert(message.replace(file, ""));
                assert!(names(folder.path()).is_empty(), "{file} left something behind");
            }
            // One defect stands in both containers; every other one has words of its own.
            assert_eq!(messages.len(), 14);
        }
    }

    #[test]
    fn a_second_import_joins_or_replaces_within_its_family() {
        let Place { folder, mut library } = place();
        let tiny = TinyFamily::complete("made").write(&folder.path().join("source")).unwrap();
        let part = |roles: &[Role]| ImportRequest {
            files: roles.iter().map(|role| tiny.join(format!("{role}.safetensors"))).collect(),
            id: Some("mine".to_owned()),
            license: Some("MIT".to_owned()),
            ..Default::default()
        };
        let mut seen = Vec::new();
        let request = part(&[Role::BaseInpaint, Role::ClipText]);
        library
            .import(&request, &mut |step| {
                seen.push((step.index, step.files));
                ControlFlow::Continue(())
            })
            .unwrap();
        assert!(seen.contains(&(0, 2)) && seen.contains(&(1, 2)));
        let family = library.family("mine").unwrap();
        // The inpainting network stands in for the plain one, not the other way round.
        assert_eq!(family.require(Role::Base).unwrap().role, Role::BaseInpaint);
        assert_eq!(family.tokens(), Tokens::Gpt2);
        assert!(family.require(Role::Upsample).unwrap_err().to_string().contains("upsample"));
        assert_eq!(family.clip_config().unwrap(), None);
        library.import(&part(&[Role::Upsample, Role::ClipImage]), &mut go_on).unwrap();
        let family = library.family("mine").unwrap();
        assert_eq!(family.manifest.checkpoints.len(), 4);
        let NetworkConfig::Clip(clip) = TinyFamily::config(Role::ClipText) else { panic!() };
        assert_eq!(family.clip_config().unwrap(), Some(clip));
        assert!(family.require(Role::UpsampleInpaint).is_err());
        // Another base takes the place of the first, whose file goes.
        let other =
            TinyFamily { seed: 2, storage: TinyStorage::Int8Rows, ..TinyFamily::new("other") };
        let other = other.write(&folder.path().join("source")).unwrap();
        let request =
            ImportRequest { files: vec![other.join("base-inpaint.safetensors")], ..part(&[]) };
        let imported = library.import(&request, &mut go_on).unwrap();
        assert!(imported.checkpoints[0].replaced && imported.has_tokenizer);
        let family = library.family("mine").unwrap();
        assert_eq!(family.require(Role::Base).unwrap().dtype, "I8");
        assert_eq!(names(&family.folder).len(), 5);
        // The same once more changes nothing.
        library.import(&request, &mut go_on).unwrap();
        assert_eq!(names(&library.family("mine").unwrap().folder).len(), 5);
        assert!(library.verify("mine").unwrap().iter().all(|r| r.verdict == Verdict::Intact));
        // A failed import changes nothing either.
        let before = library.family("mine").unwrap().clone();
        let request =
            ImportRequest { id: Some("mine".to_owned()), ..files(&["bad_nan_weights.pt"]) };
        library.import(&request, &mut go_on).unwrap_err();
        assert_eq!(library.family("mine").unwrap(), &before);
        assert_eq!(names(&before.folder).len(), 5);
        assert_eq!(names(&library.paths().user), ["mine"]);
    }

    #[test]
    fn requests_that_cannot_be_met_leave_nothing() {
        let Place { folder, mut library } = place();
        let mut check = |request: &ImportRequest, category: &str| {
            let error = library.import(request, &mut go_on).unwrap_err();
            assert_eq!(error.category(), category, "{error}");
            assert!(names(folder.path()).is_empty());
        };
        check(&files(&[]), "nothing_to_import");
        check(&files(&["good_fp16.pt", "good_fp32.pt"]), "same_role");
        check(&files(&["absent.pt"]), "io");
        for id in ["../x", "a/b", "", ".."] {
            let request = ImportRequest { id: Some(id.to_owned()), ..files(&["good_fp16.pt"]) };
            check(&request, "invalid_id");
        }
        let request =
            ImportRequest { config: Some(golden("good_fp16.pt")), ..files(&["good_fp16.pt"]) };
        check(&request, "bad_config");
        let request =
            ImportRequest { tokenizer: Some(golden("case.json")), ..files(&["good_fp16.pt"]) };
        check(&request, "bad_config");
        let error =
            library.import(&files(&["good_fp16.pt"]), &mut |_| ControlFlow::Break(())).unwrap_err();
        assert_eq!(error.category(), "canceled");
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn shipped_families_are_kept_as_they_are() {
        let Place { folder, mut library } = place();
        TinyFamily::new("starter").write(&folder.path().join("shipped")).unwrap();
        library.reload();
        assert_eq!(library.default_family().unwrap().id(), "starter");
        let error = library.remove("starter").unwrap_err();
        assert_eq!(error.category(), "shipped");
        assert!(error.to_string().contains("came with Gesso"));
        let request = ImportRequest { id: Some("starter".to_owned()), ..files(&["good_fp16.pt"]) };
        assert_eq!(library.import(&request, &mut go_on).unwrap_err().category(), "shipped");
        library.import(&files(&["good_fp16.pt"]), &mut go_on).unwrap();
        let ids: Vec<&str> =
            library.families().iter().map(crate::engine::library::ModelFamily::id).collect();
        assert_eq!(ids, ["starter", "good_fp16"]);
        library.remove("good_fp16").unwrap();
        assert!(names(&library.paths().user).is_empty());
        let error = library.remove("good_fp16").unwrap_err().to_string();
        assert!(error.contains("starter"), "{error}");
        assert_eq!(library.remove("../x").unwrap_err().category(), "invalid_id");
    }

    #[test]
    fn verify_tells_changed_missing_and_short_files() {
        let Place { folder, mut library } = place();
        let tiny = TinyFamily::new("tiny").write(&folder.path().join("shipped")).unwrap();
        library.reload();
        let verdicts = |library: &ModelLibrary| -> Vec<Verdict> {
            library.verify("tiny").unwrap().into_iter().map(|result| result.verdict).collect()
        };
        assert_eq!(verdicts(&library), [Verdict::Intact, Verdict::Intact]);
        let path = tiny.join("base-inpaint.safetensors");
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(verdicts(&library)[0], Verdict::WrongDigest { .. }));
        std::fs::write(&path, &bytes[..last]).unwrap();
        assert!(matches!(verdicts(&library)[0], Verdict::WrongSize { .. }));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(verdicts(&library)[0], Verdict::Missing);
        let family = library.family("tiny").unwrap();
        assert_eq!(family.missing_files(), ["base-inpaint.safetensors"]);
        assert_eq!(library.verify("none").unwrap_err().category(), "no_such_model");
    }

    #[test]
    fn crooked_manifests_become_problems_and_hide_nobody() {
        let Place { folder, mut library } = place();
        let shipped = folder.path().join("shipped");
        let good = TinyFamily::new("tiny").write(&shipped).unwrap();
        let text = std::fs::read_to_string(good.join("manifest.json")).unwrap();
        let bad = [
            ("up", text.replace("base-inpaint.safetensors", "../tiny/base-inpaint.safetensors")),
            ("other", text.clone()),
            ("role", text.replace("\"role\": \"base-inpaint\"", "\"role\": \"upsample-inpaint\"")),
            ("later", text.replace("\"manifest_version\": 1", "\"manifest_version\": 99")),
            ("cut", text[..100].to_owned()),
        ];
        for (id, text) in &bad {
            std::fs::create_dir(shipped.join(id)).unwrap();
            let text = if *id == "other" {
                text.clone()
            } else {
                text.replace("\"id\": \"tiny\"", &format!("\"id\": \"{id}\""))
            };
            std::fs::write(shipped.join(id).join("manifest.json"), text).unwrap();
        }
        library.reload();
        assert_eq!(library.families().len(), 1);
        assert_eq!(library.problems().len(), bad.len());
        assert!(library.problems().iter().all(|problem| problem.category() == "bad_manifest"));
    }

    #[test]
    fn tiny_families_load_into_a_network_source() {
        let folder = tempfile::tempdir().unwrap();
        for (id, storage) in
            [("a", TinyStorage::F16), ("b", TinyStorage::F32), ("c", TinyStorage::Int8Rows)]
        {
            let family = TinyFamily { storage, ..TinyFamily::new(id) };
            family.write(folder.path()).unwrap();
        }
        let paths = LibraryPaths { shipped: Vec::new(), user: folder.path().to_path_buf() };
        let library = ModelLibrary::open(paths);
        let read = |id: &str| {
            let family = library.family(id).unwrap();
            let entry = family.require(Role::Base).unwrap();
            let checkpoint = family.open(entry).unwrap();
            assert_eq!(entry.parameters, checkpoint.parameter_count());
            checkpoint.load_f32("input_blocks.1.0.in_layers.2.weight").unwrap()
        };
        let (half, single, packed) = (read("a"), read("b"), read("c"));
        for ((half, single), packed) in half.iter().zip(&single).zip(&packed) {
            assert!((half - single).abs() < 1e-3 && (packed - single).abs() < 2e-3);
        }
    }

    #[test]
    fn the_shipped_manifest_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/models/starter");
        let manifest = Manifest::read(&folder).unwrap();
        assert_eq!(manifest.id, "starter");
        assert!(manifest.checkpoint(Role::BaseInpaint).is_some());
    }
}
