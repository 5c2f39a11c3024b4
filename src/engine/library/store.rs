//! The library: every family that can be found.

use std::path::{Path, PathBuf};

use crate::engine::library::error::LibraryError;
use crate::engine::library::manifest::{
    CheckpointEntry, FileEntry, MANIFEST_FILE, Manifest, check_id,
};
use crate::engine::library::paths::LibraryPaths;
use crate::models::glide::ClipConfig;
use crate::models::{NetworkConfig, Role, recognize};
use crate::weights::{Checkpoint, file_record};

/// The family that is used when none is named.
const DEFAULT_FAMILY: &str = "starter";

/// How a family's prompts become tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// GPT-2's byte pairs.
    Gpt2,
    /// A tokenizer file.
    File(PathBuf),
    /// No tokenizer is known: the family can be checked, but reads no prompts.
    Unknown,
}

/// A family that was found, with its manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFamily {
    /// What its manifest says.
    pub manifest: Manifest,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it came with the program.
    pub shipped: bool,
}

impl ModelFamily {
    fn read(folder: &Path, shipped: bool) -> Result<Self, LibraryError> {
        Ok(Self { manifest: Manifest::read(folder)?, folder: folder.to_path_buf(), shipped })
    }

    /// Its name on the command line.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.manifest.id
    }

    /// The network for this work: the one with the role, or the one that also reads known pixels,
    /// which without any does the same.
    #[must_use]
    pub fn network_for(&self, role: Role) -> Option<&CheckpointEntry> {
        let fallback = match role {
            Role::Base => Some(Role::BaseInpaint),
            Role::Upsample => Some(Role::UpsampleInpaint),
            _ => None,
        };
        let find = |role| self.manifest.checkpoint(role);
        find(role).or_else(|| fallback.and_then(find))
    }

    /// The same, where the work can't go on without.
    ///
    /// # Errors
    ///
    /// When the family has no such network; the message says how to get one.
    pub fn require(&self, role: Role) -> Result<&CheckpointEntry, LibraryError> {
        self.network_for(role)
            .ok_or_else(|| LibraryError::NoSuchRole { id: self.id().to_owned(), role })
    }

    /// The file of a network.
    #[must_use]
    pub fn path(&self, entry: &CheckpointEntry) -> PathBuf {
        self.folder.join(&entry.file)
    }

    /// Opens the file of a network.
    ///
    /// # Errors
    ///
    /// When the file is absent, has another length than the manifest says, or can't be read.
    pub fn open(&self, entry: &CheckpointEntry) -> Result<Checkpoint, LibraryError> {
        let path = self.path(entry);
        let checkpoint = Checkpoint::open(&path)?;
        let bytes = std::fs::metadata(&path).map_err(LibraryError::io("open", &path))?.len();
        if entry.bytes != 0 && entry.bytes != bytes {
            return Err(LibraryError::Manifest {
                why: format!(
                    "{} has {bytes} bytes where it says {}; import the model again",
                    entry.file, entry.bytes
                ),
                path: self.folder.join(MANIFEST_FILE),
            });
        }
        Ok(checkpoint)
    }

    /// How its prompts become tokens.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        match self.manifest.tokenizer.as_deref() {
            None => Tokens::Unknown,
            Some("gpt2") => Tokens::Gpt2,
            Some(file) => Tokens::File(self.folder.join(file)),
        }
    }

    /// The list of words that it has seen.
    #[must_use]
    pub fn vocabulary_path(&self) -> Option<PathBuf> {
        self.manifest.vocabulary.as_ref().map(|file| self.folder.join(file))
    }

    /// The list of words that it has seen in messages.
    #[must_use]
    pub fn chat_vocabulary_path(&self) -> Option<PathBuf> {
        let own = self.manifest.chat_vocabulary.as_ref().map(|file| self.folder.join(file));
        own.or_else(|| self.vocabulary_path())
    }

    /// The config of its noised CLIP, joined from both halves; none unless it has both.
    ///
    /// # Errors
    ///
    /// When one of the configs can't be read.
    pub fn clip_config(&self) -> Result<Option<ClipConfig>, LibraryError> {
        let read = |role| -> Result<Option<ClipConfig>, LibraryError> {
            let Some(entry) = self.manifest.checkpoint(role) else { return Ok(None) };
            match entry.network_config() {
                Ok(NetworkConfig::Clip(config)) => Ok(Some(config)),
                Ok(_) => Ok(None),
                Err(source) => Err(LibraryError::Recognize { path: self.path(entry), source }),
            }
        };
        let (Some(text), Some(image)) = (read(Role::ClipText)?, read(Role::ClipImage)?) else {
            return Ok(None);
        };
        Ok(Some(ClipConfig {
            n_vocab: text.n_vocab,
            max_text_len: text.max_text_len,
            n_head_state_text: text.n_head_state_text,
            n_head_text: text.n_head_text,
            n_xf_blocks_text: text.n_xf_blocks_text,
            ..image
        }))
    }

    /// Files that the manifest names and the folder lacks.
    #[must_use]
    pub fn missing_files(&self) -> Vec<String> {
        self.named_files()
            .into_iter()
            .map(|(_, entry)| entry.file)
            .filter(|file| !self.folder.join(file).is_file())
            .collect()
    }

    /// Bytes of its files that are there.
    #[must_use]
    pub fn bytes_on_disk(&self) -> u64 {
        let length =
            |file: &str| std::fs::metadata(self.folder.join(file)).map(|about| about.len());
        self.named_files().iter().filter_map(|(_, entry)| length(&entry.file).ok()).sum()
    }

    /// Every file once, with what is recorded of it.
    fn named_files(&self) -> Vec<(Option<Role>, FileEntry)> {
        let manifest = &self.manifest;
        let mut all: Vec<(Option<Role>, FileEntry)> = manifest
            .checkpoints
            .iter()
            .map(|entry| {
                let file = FileEntry {
                    file: entry.file.clone(),
                    bytes: entry.bytes,
                    sha256: entry.sha256.clone(),
                };
                (Some(entry.role), file)
            })
            .collect();
        all.extend(manifest.files.iter().map(|file| (None, file.clone())));
        for name in companions(manifest) {
            if all.iter().all(|(_, entry)| entry.file != name) {
                let file = FileEntry { file: name, bytes: 0, sha256: String::new() };
                all.push((None, file));
            }
        }
        all
    }
}

/// Files of a family that are no checkpoints.
fn companions(manifest: &Manifest) -> Vec<String> {
    let tokenizer = manifest.tokenizer.iter().filter(|name| *name != "gpt2");
    let lists = manifest.vocabulary.iter().chain(&manifest.chat_vocabulary);
    tokenizer.chain(lists).cloned().collect()
}

/// How a file compares with the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Size and digest are the recorded ones.
    Intact,
    /// It is there, but nothing was recorded to compare it with.
    NotRecorded,
    /// It is absent.
    Missing,
    /// It has another length.
    WrongSize {
        /// Recorded bytes.
        expected: u64,
        /// Bytes on the disk.
        found: u64,
    },
    /// Its contents were changed.
    WrongDigest {
        /// Recorded SHA-256.
        expected: String,
        /// SHA-256 of what is on the disk.
        found: String,
    },
    /// The system refused to read it.
    Unreadable(String),
}

/// The check of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyResult {
    /// The network's role; none for other files.
    pub role: Option<Role>,
    /// The file.
    pub path: PathBuf,
    /// How it compares.
    pub verdict: Verdict,
}

impl VerifyResult {
    /// Whether the file is as it should be.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        matches!(self.verdict, Verdict::Intact | Verdict::NotRecorded)
    }
}

/// Every family on this machine.
#[derive(Debug)]
pub struct ModelLibrary {
    pub(super) paths: LibraryPaths,
    families: Vec<ModelFamily>,
    problems: Vec<LibraryError>,
}

impl ModelLibrary {
    /// Looks through the folders. Families that can't be used are kept as [`Self::problems`].
    #[must_use]
    pub fn open(paths: LibraryPaths) -> Self {
        let mut library = Self { paths, families: Vec::new(), problems: Vec::new() };
        library.reload();
        library
    }

    pub(super) fn reload(&mut self) {
        self.families.clear();
        self.problems.clear();
        let shipped = self.paths.shipped.clone();
        for folder in &shipped {
            self.look_into(folder, true);
        }
        let user = self.paths.user.clone();
        self.look_into(&user, false);
        self.families.sort_by(|a, b| {
            // The default comes first, then by name.
            (a.id() != DEFAULT_FAMILY).cmp(&(b.id() != DEFAULT_FAMILY)).then(a.id().cmp(b.id()))
        });
    }

    fn look_into(&mut self, folder: &Path, shipped: bool) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => {
                self.problems.push(LibraryError::io("look into the models' folder", folder)(error));
                return;
            }
        };
        let mut folders: Vec<PathBuf> =
            entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        folders.sort();
        for path in folders {
            let hidden =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if hidden || !path.join(MANIFEST_FILE).is_file() {
                continue;
            }
            match ModelFamily::read(&path, shipped) {
                // The same shipped family may be found by more than one way.
                Ok(family) if self.get(family.id()).is_some() => {}
                Ok(family) => self.families.push(family),
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    /// Where it looks.
    #[must_use]
    pub const fn paths(&self) -> &LibraryPaths {
        &self.paths
    }

    /// All families, the default one first.
    #[must_use]
    pub fn families(&self) -> &[ModelFamily] {
        &self.families
    }

    /// Folders that look like families and can't be used, with the reason.
    #[must_use]
    pub fn problems(&self) -> &[LibraryError] {
        &self.problems
    }

    pub(super) fn get(&self, id: &str) -> Option<&ModelFamily> {
        self.families.iter().find(|family| family.id() == id)
    }

    /// A family by its name.
    ///
    /// # Errors
    ///
    /// When there is none of that name; the message lists those that there are.
    pub fn family(&self, id: &str) -> Result<&ModelFamily, LibraryError> {
        self.get(id).ok_or_else(|| LibraryError::NoSuchFamily {
            id: id.to_owned(),
            known: self.families.iter().map(|family| family.id().to_owned()).collect(),
        })
    }

    /// The family that is used when none is named: the starter, or the first that is complete.
    ///
    /// # Errors
    ///
    /// When there is no family at all.
    pub fn default_family(&self) -> Result<&ModelFamily, LibraryError> {
        let complete = |family: &&ModelFamily| family.missing_files().is_empty();
        match self.families.iter().find(complete).or(self.families.first()) {
            Some(family) => Ok(family),
            None => self.family(DEFAULT_FAMILY),
        }
    }

    /// The family that is talked to when none is named: the default one if it can, or the first
    /// that can.
    ///
    /// # Errors
    ///
    /// When there is no family at all.
    pub fn default_talker(&self) -> Result<&ModelFamily, LibraryError> {
        let default = self.default_family()?;
        let talks = |family: &&ModelFamily| family.manifest.checkpoint(Role::Transfusion).is_some();
        Ok(std::iter::once(default).chain(&self.families).find(talks).unwrap_or(default))
    }

    /// Compares every file of a family with its manifest.
    ///
    /// # Errors
    ///
    /// When there is no such family. What is wrong with a file is in its result.
    pub fn verify(&self, id: &str) -> Result<Vec<VerifyResult>, LibraryError> {
        let family = self.family(id)?;
        let check = |(role, entry): (Option<Role>, FileEntry)| {
            let path = family.folder.join(&entry.file);
            VerifyResult { role, verdict: compare(&path, &entry), path }
        };
        Ok(family.named_files().into_iter().map(check).collect())
    }

    /// Deletes a family of the user's.
    ///
    /// # Errors
    ///
    /// When there is no such family, it came with the program, or the system refuses.
    pub fn remove(&mut self, id: &str) -> Result<(), LibraryError> {
        check_id(id)?;
        if self.family(id)?.shipped {
            return Err(LibraryError::Shipped { id: id.to_owned(), what: "removed" });
        }
        let folder = self.paths.user.join(id);
        let failed = || LibraryError::io("remove the model's folder", &folder);
        let about = std::fs::symlink_metadata(&folder).map_err(failed())?;
        if about.is_symlink() {
            // Only the link is ours.
            std::fs::remove_file(&folder).map_err(failed())?;
        } else {
            // Renamed first, so that a removal that is cut off leaves no half family behind.
            let aside = self.paths.user.join(format!(".removed-{id}-{}", std::process::id()));
            std::fs::rename(&folder, &aside).map_err(failed())?;
            std::fs::remove_dir_all(&aside).map_err(LibraryError::io("remove", &aside))?;
        }
        self.reload();
        Ok(())
    }
}

fn compare(path: &Path, entry: &FileEntry) -> Verdict {
    let found = match std::fs::metadata(path) {
        Ok(about) => about.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Verdict::Missing,
        Err(error) => return Verdict::Unreadable(error.to_string()),
    };
    if entry.sha256.is_empty() {
        return Verdict::NotRecorded;
    }
    if found != entry.bytes {
        return Verdict::WrongSize { expected: entry.bytes, found };
    }
    match file_record(path) {
        Ok(record) if record.sha256.eq_ignore_ascii_case(&entry.sha256) => Verdict::Intact,
        Ok(record) => Verdict::WrongDigest { expected: entry.sha256.clone(), found: record.sha256 },
        Err(error) => Verdict::Unreadable(error.to_string()),
    }
}

/// Fills in what a manifest can't know before its files exist: lengths, digests, types, configs.
///
/// For whoever ships a family: write the manifest, put the files beside it, seal.
///
/// # Errors
///
/// When the manifest or a file can't be read, or a checkpoint is not what the manifest says.
pub fn seal(folder: &Path) -> Result<Manifest, LibraryError> {
    let mut manifest = Manifest::read(folder)?;
    for entry in &mut manifest.checkpoints {
        let path = folder.join(&entry.file);
        let checkpoint = Checkpoint::open(&path)?;
        let own = checkpoint.metadata().get("config");
        let config = own.and_then(|text| serde_json::from_str(text).ok());
        let known = recognize(&checkpoint.shapes(), Some(config.as_ref().unwrap_or(&entry.config)))
            .map_err(|source| LibraryError::Recognize { path: path.clone(), source })?;
        if known.role != entry.role {
            return Err(LibraryError::Manifest {
                why: format!("{} is a {} network, not {}", entry.file, known.role, entry.role),
                path: folder.join(MANIFEST_FILE),
            });
        }
        let record = file_record(&path)?;
        entry.bytes = record.bytes;
        entry.sha256 = record.sha256;
        checkpoint.main_dtype().name().clone_into(&mut entry.dtype);
        entry.parameters = checkpoint.parameter_count();
        entry.config = serde_json::json!(known.config);
    }
    let mut files = Vec::new();
    for file in companions(&manifest) {
        let record = file_record(&folder.join(&file))?;
        files.push(FileEntry { file, bytes: record.bytes, sha256: record.sha256 });
    }
    manifest.files = files;
    manifest.write(folder)?;
    Ok(manifest)
}
