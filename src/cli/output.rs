//! Where results go: names, checks before the work, and standard output.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;

/// Longest part of a prompt in a file's name, in characters.
const SLUG_CHARS: usize = 48;

/// The files of one job, decided before the work begins.
#[derive(Clone, Debug)]
pub(crate) struct Targets(Vec<PathBuf>);

impl Targets {
    /// Files for `count` pictures: `output` itself for one, `output-1.png` and so on for more;
    /// named after prompt and seed in the current folder where no output is given.
    ///
    /// # Errors
    ///
    /// When the files could not be written: folder missing, name of a folder, not a PNG.
    pub(crate) fn plan(
        output: Option<&Path>,
        prompt: &str,
        seed: u64,
        count: u32,
    ) -> Result<Self, CliError> {
        let files = match output {
            Some(output) => {
                check_output(output)?;
                numbered(output, count)
            }
            None => free_names(&format!("{}-{seed}", slug(prompt)), count),
        };
        for file in &files {
            if file.is_dir() {
                return Err(CliError::input(format!(
                    "the output is a folder; name a .png file in it: {file:?}"
                )));
            }
        }
        Ok(Self(files))
    }

    /// The files, one a picture.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.0
    }
}

fn check_output(output: &Path) -> Result<(), CliError> {
    if output.is_dir() {
        return Err(CliError::input(format!(
            "the output is a folder; name a .png file in it: {output:?}"
        )));
    }
    let is_png = output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    if !is_png {
        return Err(CliError::input(format!(
            "pictures are written as PNG; give the output a name that ends in .png: {output:?}"
        )));
    }
    check_parent(output)
}

/// Whether the folder that `path` would stand in is there.
pub(crate) fn check_parent(path: &Path) -> Result<(), CliError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if parent.is_dir() {
        return Ok(());
    }
    let what = if parent.exists() { "is not a folder" } else { "does not exist" };
    Err(CliError::input(format!(
        "the output's folder {what}; make it first or choose another: {parent:?}"
    )))
}

fn numbered(output: &Path, count: u32) -> Vec<PathBuf> {
    if count == 1 {
        return vec![output.to_owned()];
    }
    let stem = output.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    (1..=count).map(|number| output.with_file_name(format!("{stem}-{number}.png"))).collect()
}

/// Names in the current folder that no file has: `NAME.png`, else `NAME_2.png`, `NAME_3.png` ...
fn free_names(name: &str, count: u32) -> Vec<PathBuf> {
    let mut files = numbered(Path::new(&format!("{name}.png")), count);
    let mut attempt = 2u32;
    while files.iter().any(|file| file.exists()) && attempt < u32::MAX {
        files = numbered(Path::new(&format!("{name}_{attempt}.png")), count);
        attempt += 1;
    }
    files
}

/// The prompt as a part of a file's name: lower-case words joined by hyphens.
pub(crate) fn slug(prompt: &str) -> String {
    let mut slug = String::new();
    for c in prompt.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let short: String = slug.chars().take(SLUG_CHARS).collect();
    let short = short.trim_end_matches('-');
    if short.is_empty() { "picture".to_owned() } else { short.to_owned() }
}

/// Writes a line to standard output.
///
/// # Errors
///
/// When nobody reads it any more.
pub(crate) fn say(line: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| CliError::Failure(format!("standard output can't be written: {error}")))
}

/// Writes a line to standard error, where everything but results goes.
pub(crate) fn note(line: &str) {
    // Nobody may read it any more, and then there is no one left to tell.
    if writeln!(std::io::stderr(), "{line}").is_err() {
        log::trace!("standard error is closed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_become_short_safe_names() {
        for (prompt, expected) in [
            ("A red apple!", "a-red-apple"),
            ("../../etc/passwd", "etc-passwd"),
            ("", "picture"),
            ("***", "picture"),
            ("Ein Bär", "ein-bär"),
        ] {
            assert_eq!(slug(prompt), expected);
        }
        assert!(slug(&"long ".repeat(40)).len() <= SLUG_CHARS);
    }

    #[test]
    fn several_pictures_are_numbered_from_1() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("a.b.png");
        let names = |count| {
            let targets = Targets::plan(Some(&output), "x", 1, count).unwrap();
            let names: Vec<_> = targets.files().iter().filter_map(|f| f.file_name()).collect();
            names.iter().map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(1), ["a.b.png"]);
        assert_eq!(names(3), ["a.b-1.png", "a.b-2.png", "a.b-3.png"]);
    }

    #[test]
    fn outputs_that_can_not_be_written_are_refused_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        for (output, part) in [
            (folder.path().to_owned(), "is a folder"),
            (folder.path().join("none/a.png"), "does not exist"),
            (folder.path().join("a.jpg"), ".png"),
            (folder.path().join("a"), ".png"),
        ] {
            let message = Targets::plan(Some(&output), "x", 1, 1).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
