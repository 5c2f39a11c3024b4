//! Pictures to and from the system's clipboard.

use std::cell::RefCell;
use std::sync::Arc;

use arboard::{Clipboard, Error, ImageData};

use crate::document::{Source, copy_selected};
use crate::editor::{Command, CopySource};
use crate::geom::Extent;
use crate::locale::tr;
use crate::raster::RgbaImage;

thread_local! {
    // On X11 the program that copied serves the picture, so the clipboard must stay open.
    static CLIPBOARD: RefCell<Option<Clipboard>> = const { RefCell::new(None) };
}

fn with_clipboard<T>(use_it: impl FnOnce(&mut Clipboard) -> Result<T, Error>) -> Result<T, Error> {
    CLIPBOARD.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Some(Clipboard::new()?);
        }
        match slot {
            Some(clipboard) => use_it(clipboard),
            None => Err(Error::ClipboardNotSupported),
        }
    })
}

/// Puts a picture on the clipboard.
pub(crate) fn copy(source: CopySource) -> Option<Command> {
    let image = picture(source)?;
    let Extent { width, height } = image.extent();
    let data = ImageData {
        width: width as usize,
        height: height as usize,
        bytes: image.into_raw().into(),
    };
    let copied = with_clipboard(|clipboard| clipboard.set_image(data));
    copied.err().map(|error| Command::Failed(format!("the picture can't be copied: {error}")))
}

/// The picture that is copied; of a document the selection's bounds, with its soft edge in the
/// alpha.
fn picture(source: CopySource) -> Option<RgbaImage> {
    let (document, source) = match source {
        CopySource::Picture(image) => return Some(Arc::unwrap_or_clone(image)),
        CopySource::Layer(document) => {
            let layer = document.active;
            (document, Source::Layer(layer))
        }
        CopySource::AllLayers(document) => (document, Source::AllLayers),
    };
    copy_selected(&document, source).map(|(image, _)| image)
}

/// Takes a picture from the clipboard to show it with a message.
pub(crate) fn paste_attachment() -> Command {
    match paste() {
        Command::Placed { image, name, .. } => Command::Attached { image, name },
        other => other,
    }
}

/// Takes a picture from the clipboard.
pub(crate) fn paste() -> Command {
    match with_clipboard(Clipboard::get_image) {
        Ok(ImageData { width, height, bytes }) => {
            let extent = Extent::new(width as u32, height as u32);
            match RgbaImage::from_raw(extent, bytes.into_owned()) {
                Ok(image) => {
                    let name = tr("Pasted").to_owned();
                    Command::Placed { image: Arc::new(image), name, at: None }
                }
                Err(error) => {
                    Command::Failed(format!("the clipboard's picture is broken: {error}"))
                }
            }
        }
        Err(Error::ContentNotAvailable) => {
            Command::Told(tr("There is no picture on the clipboard.").to_owned())
        }
        Err(error) => Command::Failed(format!("the clipboard can't be read: {error}")),
    }
}
