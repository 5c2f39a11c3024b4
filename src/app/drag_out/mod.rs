//! Pictures that are dragged out of the window to a file manager, a browser or another editor.
//!
//! The window's own library takes what is dropped but can't give. On X11 a second connection to the
//! server does that: the picture is written into a folder of the session while the pointer is still
//! under way, and [`x11`] speaks the drag-and-drop protocol until the button is let go. Elsewhere
//! the user is told once to copy instead. Start at [`DragOut::start`].

mod picture;
#[cfg(all(unix, not(target_os = "macos")))]
mod x11;

use std::sync::mpsc::{Receiver, sync_channel};

use tempfile::TempDir;

use crate::editor::DragSource;

/// A picture as it is handed over.
#[derive(Debug)]
struct Handed {
    /// Where the file is.
    uri: String,
    /// What is in it.
    png: Vec<u8>,
}

/// Why a picture can't be dragged out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DragError {
    /// The system has no way for it that is known here.
    #[error("pictures can't be dragged out of the window on this system")]
    Unsupported,
    /// There is no folder for the file, or no thread.
    #[error("the picture can't be dragged out of the window: {0}")]
    Io(#[from] std::io::Error),
}

/// How a drag ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(any(not(unix), target_os = "macos"), expect(dead_code, reason = "only X11 drags"))]
enum Ending {
    /// Another program took the picture.
    Taken,
    /// It was let go where nobody takes it, or over the program's own window.
    LetGo,
    /// Escape was pressed.
    Cancelled,
    /// Another program said that it takes the picture, and then nothing more.
    NoAnswer,
}

/// The window that a drag starts from, as the system names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnWindow(u32);

impl OwnWindow {
    /// The window, where pictures can be dragged out of it.
    #[cfg(all(unix, not(target_os = "macos")))]
    pub(crate) fn of(window: &impl raw_window_handle::HasWindowHandle) -> Option<Self> {
        use raw_window_handle::RawWindowHandle;
        match window.window_handle().ok()?.as_raw() {
            RawWindowHandle::Xlib(handle) => u32::try_from(handle.window).ok().map(Self),
            RawWindowHandle::Xcb(handle) => Some(Self(handle.window.get())),
            _ => None,
        }
    }

    /// Nothing: there is no way yet.
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    pub(crate) const fn of<W>(_window: &W) -> Option<Self> {
        None
    }

    /// Where the pointer is in it, in pixels, asked of the system: while files are dragged over
    /// the window nobody tells it.
    pub(crate) fn pointer(self) -> Option<(f32, f32)> {
        #[cfg(all(unix, not(target_os = "macos")))]
        return match x11::pointer_in(self.0) {
            Ok((x, y)) => Some((f32::from(x), f32::from(y))),
            Err(error) => {
                log::debug!("it is not known where the pointer is: {error}");
                None
            }
        };
        #[cfg(not(all(unix, not(target_os = "macos"))))]
        None
    }
}

/// What drags pictures out of the window.
#[derive(Debug, Default)]
pub(crate) struct DragOut {
    /// Where the files are that were dragged, until the program ends: who took one may read it
    /// later.
    folder: Option<TempDir>,
    /// How many were dragged, so that each has a folder of its own.
    count: u32,
}

impl DragOut {
    /// Carries a picture for as long as the button is held. `done` is told why it could not be
    /// written, if so.
    ///
    /// # Errors
    ///
    /// When the system has no way for it, or no folder or thread.
    pub(crate) fn start(
        &mut self,
        window: Option<OwnWindow>,
        source: DragSource,
        done: impl FnOnce(Option<String>) + Send + 'static,
    ) -> Result<(), DragError> {
        let window = window.ok_or(DragError::Unsupported)?;
        if self.folder.is_none() {
            self.folder = Some(tempfile::Builder::new().prefix("gesso-drag-").tempdir()?);
        }
        let Some(session) = &self.folder else { return Err(DragError::Unsupported) };
        self.count += 1;
        let folder = session.path().join(self.count.to_string());
        std::fs::create_dir(&folder)?;
        let (send, handed) = sync_channel(1);
        let spawn = |name: &str| std::thread::Builder::new().name(name.to_owned());
        spawn("gesso-drag-file").spawn(move || {
            let made = picture::write(&folder, source);
            done(made.as_ref().err().map(ToString::to_string));
            if send.send(made.ok()).is_err() {
                log::debug!("a dragged picture was let go before it was written");
            }
        })?;
        spawn("gesso-drag").spawn(move || carry(window, &handed))?;
        Ok(())
    }
}

/// Carries a picture to its end.
#[cfg(all(unix, not(target_os = "macos")))]
fn carry(window: OwnWindow, handed: &Receiver<Option<Handed>>) {
    match x11::carry(window.0, handed) {
        Ok(ending) => log::debug!("a picture was dragged out of the window: {ending:?}"),
        Err(error) => log::warn!("a picture can't be dragged out of the window: {error}"),
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
const fn carry(_window: OwnWindow, _handed: &Receiver<Option<Handed>>) {}
