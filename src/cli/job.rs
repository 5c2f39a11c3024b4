//! From options and files to requests; what a request becomes is decided in
//! [`crate::engine::draft`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::app::picture_text::record_from_chunks;
use crate::cli::args::ChatOptions;
use crate::cli::error::CliError;
use crate::cli::options::Options;
use crate::engine::draft::{self, Choices, Source, Talk};
use crate::engine::library::ModelLibrary;
use crate::engine::request::{AnswerChoice, InpaintSettings, Record, Request, SourceNote};
use crate::raster::{Mask, RgbaImage};
use crate::storage::{ImageFile, read_image_file, read_mask, read_png_text};

/// Reads the request out of a picture.
///
/// # Errors
///
/// When the file can't be read or holds no request of this program.
pub(crate) fn record_from_file(path: &Path) -> Result<Record, CliError> {
    let chunks = read_png_text(path)?;
    record_from_chunks(&chunks)?.ok_or_else(|| {
        CliError::Input(format!(
            "the picture holds no request; only PNG files that gesso wrote can be repeated: {path:?}"
        ))
    })
}

/// A request for pictures from text.
///
/// # Errors
///
/// When the options can't be fulfilled.
pub(crate) fn generate_request(
    prompt: Option<&str>,
    options: &Options,
    from: Option<&Record>,
    library: &ModelLibrary,
) -> Result<Request, CliError> {
    let from = match from {
        None => None,
        Some(Record::Generate(request)) => Some(request),
        Some(other) => return Err(wrong_command("generate", other)),
    };
    refuse_strength("generate", options)?;
    Ok(draft::generate(options.words(prompt), &options.choices(), from, library)?)
}

/// A request to repaint the masked part of a picture, and the picture's file.
///
/// # Errors
///
/// When a file can't be read or the options can't be fulfilled.
pub(crate) fn inpaint_request(
    prompt: Option<&str>,
    files: (&Path, &Path),
    options: &Options,
    from: Option<&Record>,
    library: &ModelLibrary,
) -> Result<(Request, ImageFile), CliError> {
    let from = from.map(|record| edit_settings("inpaint", record)).transpose()?;
    let file = read_image_file(files.0)?;
    let mask = read_mask(files.1, file.image.extent())?;
    let note = note(files.1, Mask::as_raw(&mask));
    let mask = Source { pixels: Arc::new(mask), note };
    let image = source(files.0, &file);
    let words = options.words(prompt);
    let request = draft::inpaint(words, &options.choices(), image, mask, from, library)?;
    Ok((request, file))
}

/// A request for pictures like a given one, and that picture's file.
///
/// # Errors
///
/// When the file can't be read or the options can't be fulfilled.
pub(crate) fn vary_request(
    prompt: Option<&str>,
    file: &Path,
    options: &Options,
    from: Option<&Record>,
    library: &ModelLibrary,
) -> Result<(Request, ImageFile), CliError> {
    let from = from.map(|record| edit_settings("vary", record)).transpose()?;
    let path = file;
    let file = read_image_file(path)?;
    let image = source(path, &file);
    let request = draft::vary(options.words(prompt), &options.choices(), image, from, library)?;
    Ok((request, file))
}

/// A request to enlarge a picture, and the picture's file.
///
/// # Errors
///
/// When the file can't be read or the options can't be fulfilled.
pub(crate) fn upscale_request(
    prompt: Option<&str>,
    file: &Path,
    options: &Options,
    from: Option<&Record>,
    library: &ModelLibrary,
) -> Result<(Request, ImageFile), CliError> {
    let from = match from {
        None => None,
        Some(Record::Upscale(settings)) => Some(settings),
        Some(other) => return Err(wrong_command("upscale", other)),
    };
    refuse_strength("upscale", options)?;
    let path = file;
    let file = read_image_file(path)?;
    let image = source(path, &file);
    let request = draft::upscale(options.words(prompt), &options.choices(), image, from, library)?;
    Ok((request, file))
}

/// A message as the command line gives it.
pub(crate) struct Message<'a> {
    pub(crate) words: Option<&'a str>,
    pub(crate) image: Option<&'a Path>,
    pub(crate) mask: Option<&'a Path>,
    pub(crate) references: &'a [PathBuf],
    /// What it consists of where the user doesn't say.
    pub(crate) answer: Option<AnswerChoice>,
    pub(crate) chat: &'a ChatOptions,
}

/// A request to answer a message, and the file of the picture that it is about.
///
/// # Errors
///
/// When a file can't be read or the options can't be fulfilled.
pub(crate) fn chat_request(
    message: &Message<'_>,
    options: &Options,
    from: Option<&Record>,
    library: &ModelLibrary,
) -> Result<(Request, Option<ImageFile>), CliError> {
    let from = match from {
        None => None,
        Some(Record::Chat(turn)) => Some(turn),
        Some(other) => return Err(wrong_command("edit", other)),
    };
    refuse_strength("edit", options)?;
    let mut talk = Talk::default();
    let mut file = None;
    if let Some(path) = message.image {
        let read = read_image_file(path)?;
        talk.image = Some(source(path, &read));
        if let Some(mask_path) = message.mask {
            let mask = read_mask(mask_path, read.image.extent())?;
            let note = note(mask_path, Mask::as_raw(&mask));
            talk.mask = Some(Source { pixels: Arc::new(mask), note });
        }
        file = Some(read);
    }
    for path in message.references {
        talk.attachments.push(source(path, &read_image_file(path)?));
    }
    let choices = message.chat.choices(options.choices());
    let choices = Choices { answer: choices.answer.or(message.answer), ..choices };
    let words = message.words.or(options.prompt.as_deref());
    Ok((draft::chat(words, &choices, talk, from, library)?, file))
}

/// The settings of an edit, where that command made the picture.
fn edit_settings<'a>(command: &str, record: &'a Record) -> Result<&'a InpaintSettings, CliError> {
    match record {
        Record::Inpaint(settings) if settings.command() == command => Ok(settings),
        other => Err(wrong_command(command, other)),
    }
}

fn refuse_strength(command: &str, options: &Options) -> Result<(), CliError> {
    if options.strength.is_none() {
        return Ok(());
    }
    Err(CliError::Input(format!(
        "{command} starts from no picture that --strength could keep; leave it out, or use \
         `gesso vary` or `gesso inpaint`"
    )))
}

fn source(path: &Path, file: &ImageFile) -> Source<RgbaImage> {
    let note = note(path, file.image.as_raw());
    Source { pixels: Arc::new(file.image.clone()), note }
}

fn wrong_command(command: &str, record: &Record) -> CliError {
    let made_by = record.command();
    CliError::Input(format!(
        "the picture was made by `gesso {made_by}`, so `gesso {command}` can't repeat it; use \
         `gesso {made_by} ... --from FILE.png` with its input files"
    ))
}

fn note(path: &Path, bytes: &[u8]) -> SourceNote {
    let mut sha256 = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        for half in [byte >> 4, byte & 15] {
            sha256.extend(char::from_digit(u32::from(half), 16));
        }
    }
    SourceNote { path: Some(path.to_string_lossy().into_owned()), sha256: Some(sha256) }
}
