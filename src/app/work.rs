//! What the desk's threads do: reading, writing, computing. Each is one function from data to the
//! command that answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::picture_text;
use crate::document::{Document, NodeId, difference, flatten};
use crate::editor::{Command, EditPlan, ReadTo, requests};
use crate::locale::trf;
use crate::storage::{
    Colors, ExportFormat, ExportOptions, ImageFile, ProfileUse, StorageError, export_image,
    read_image_file_as, read_png_text,
};

/// Names that are tried for a quick save.
const MAX_COPIES: u32 = 100_000;

/// Reads a picture to open it or to put it on a layer.
pub(crate) fn read(path: PathBuf, to: ReadTo) -> Command {
    let file = match read_image_file_as(&path, Colors::Srgb) {
        Ok(file) => file,
        Err(error) => return Command::Failed(error.to_string()),
    };
    let remarks = remarks(&file);
    let image = Arc::new(file.image);
    match to {
        ReadTo::Layer(at) => return Command::Placed { image, name: stem(&path), at },
        ReadTo::Attachment => return Command::Attached { image, name: stem(&path) },
        ReadTo::Picture => {}
    }
    let record = read_png_text(&path)
        .ok()
        .and_then(|chunks| picture_text::record_json(&chunks).map(ToOwned::to_owned));
    Command::Opened { image, path: Some(path), record, remarks }
}

/// What the user should know about a file that was read.
fn remarks(file: &ImageFile) -> Vec<String> {
    let mut remarks = Vec::new();
    if let ProfileUse::Ignored { reason } = &file.profile_use {
        remarks.push(trf(
            "The color profile could not be used, so the colors may be off: {reason}",
            &[("reason", reason)],
        ));
    }
    if file.rounded_to_8_bits {
        remarks.push(
            crate::locale::tr("The file has more than 8 bits a channel; they were rounded.")
                .to_owned(),
        );
    }
    remarks
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Writes the picture.
pub(crate) fn write(
    path: PathBuf,
    document: &Document,
    node: NodeId,
    record: Option<&str>,
) -> Command {
    match write_picture(&path, document, record) {
        Ok(()) => Command::Saved { path, node },
        Err(error) => Command::Failed(error.to_string()),
    }
}

/// Writes a copy under a name of its own.
pub(crate) fn write_copy(
    folder: Option<PathBuf>,
    document: &Document,
    record: Option<&str>,
) -> Command {
    let folder = folder.or_else(|| {
        let dirs = directories::UserDirs::new()?;
        Some(dirs.picture_dir().unwrap_or_else(|| dirs.home_dir()).join("Gesso"))
    });
    let Some(folder) = folder else {
        return Command::Failed(
            crate::locale::tr("The system has no folder for pictures; choose one in the settings.")
                .to_owned(),
        );
    };
    if let Err(error) = std::fs::create_dir_all(&folder) {
        return Command::Failed(format!("the folder can't be made: {error}: {folder:?}"));
    }
    let free = (1..MAX_COPIES)
        .map(|number| folder.join(format!("gesso-{number:05}.png")))
        .find(|path| !path.exists());
    let Some(path) = free else {
        return Command::Failed(format!("there is no free name left in {folder:?}"));
    };
    match write_picture(&path, document, record) {
        Ok(()) => Command::Told(trf("Saved {path}", &[("path", &path.display())])),
        Err(error) => Command::Failed(error.to_string()),
    }
}

fn write_picture(
    path: &Path,
    document: &Document,
    record: Option<&str>,
) -> Result<(), StorageError> {
    // A bad ending is told before the picture is flattened.
    ExportFormat::from_path(path)?;
    let image = flatten(document, document.extent.rect());
    let chunks = picture_text::chunks_from_json(record);
    export_image(path, &image, &chunks, &ExportOptions::default())
}

/// Computes an edit.
pub(crate) fn compute(plan: EditPlan) -> Command {
    let EditPlan { ticket, mut document, edits } = plan;
    let result = edits
        .iter()
        .try_for_each(|edit| edit.apply(&mut document).map(drop))
        .map(|()| Box::new(document));
    Command::EditDone { ticket, result }
}

/// How two documents look different, all over both canvases.
pub(crate) fn measure(ticket: u64, documents: &[Document; 2]) -> Command {
    let [a, b] = documents;
    let all = a.extent.rect().union(b.extent.rect());
    Command::Measured { ticket, difference: difference(a, b, &all) }
}

/// A small picture of a state.
pub(crate) fn thumbnail(node: NodeId, document: &Document) -> Command {
    let thumbnail = crate::document::thumbnail(document, requests::THUMBNAIL_PX / 2);
    Command::Thumbnail(node, Arc::new(thumbnail))
}
