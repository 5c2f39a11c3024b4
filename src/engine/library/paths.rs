//! Where models lie.

use std::path::PathBuf;

use crate::engine::library::error::LibraryError;

/// The folders in which families are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryPaths {
    /// Folders that came with the program; never written to. The first that has a family wins.
    pub shipped: Vec<PathBuf>,
    /// The user's own folder; it need not exist yet.
    pub user: PathBuf,
}

impl LibraryPaths {
    /// The usual folders: `assets/models` beside the executable, in an installation's shared
    /// folder, and in the source tree that the program was built from; for the user's models
    /// `GESSO_MODELS`, or the system's folder for the user's data.
    ///
    /// # Errors
    ///
    /// When neither `GESSO_MODELS` is set nor the system has such a folder.
    pub fn standard() -> Result<Self, LibraryError> {
        let mut shipped = Vec::new();
        if let Some(folder) =
            std::env::current_exe().ok().and_then(|exe| exe.parent().map(PathBuf::from))
        {
            shipped.push(folder.join("assets/models"));
            shipped.push(folder.join("../share/gesso/models"));
            // An app bundle of macOS.
            shipped.push(folder.join("../Resources/models"));
        }
        shipped.push(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/models"));
        let user = match std::env::var_os("GESSO_MODELS").filter(|value| !value.is_empty()) {
            Some(folder) => PathBuf::from(folder),
            None => directories::ProjectDirs::from("", "", "gesso")
                .map(|dirs| dirs.data_dir().join("models"))
                .ok_or(LibraryError::NoDataFolder)?,
        };
        Ok(Self { shipped, user })
    }
}
