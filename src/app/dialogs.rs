//! The system's own file dialogs.

use rfd::AsyncFileDialog;

use crate::editor::{Command, FileDialog, PROJECT_ENDING};
use crate::locale::tr;
use crate::storage::ExportFormat;

/// Endings of pictures that can be read.
const READABLE: [&str; 12] = [
    PROJECT_ENDING,
    "png",
    "jpg",
    "jpeg",
    "jpe",
    "jfif",
    "webp",
    "tif",
    "tiff",
    "bmp",
    "dib",
    "gif",
];

/// Asks the user for a file; the answer comes on another thread.
///
/// The dialog itself is opened here, on the window's thread, as some systems ask for.
pub(crate) fn ask(dialog: FileDialog, answer: impl FnOnce(Option<Command>) + Send + 'static) {
    let projects = || AsyncFileDialog::new().add_filter(tr("Pictures and projects"), &READABLE);
    // A project is opened as a whole, so it is no layer.
    let pictures = || {
        let endings: Vec<&str> =
            READABLE.into_iter().filter(|ending| *ending != PROJECT_ENDING).collect();
        AsyncFileDialog::new().add_filter(tr("Pictures"), &endings)
    };
    let spawn = |task: Box<dyn FnOnce() + Send>| {
        let thread = std::thread::Builder::new().name("gesso-dialog".to_owned()).spawn(task);
        if let Err(error) = thread {
            log::error!("no dialog could be shown: {error}");
        }
    };
    match dialog {
        FileDialog::Open => {
            let chosen = projects().set_title(tr("Open a picture or a project")).pick_file();
            spawn(Box::new(move || {
                let file = pollster::block_on(chosen);
                answer(file.map(|file| Command::OpenPath(file.path().to_owned())));
            }));
        }
        FileDialog::OpenAsLayer => {
            let chosen = pictures().set_title(tr("Open a picture as a layer")).pick_files();
            spawn(Box::new(move || {
                let files = pollster::block_on(chosen);
                answer(files.map(|files| Command::PlacePaths {
                    paths: files.iter().map(|file| file.path().to_owned()).collect(),
                    at: None,
                }));
            }));
        }
        FileDialog::Attach => {
            let chosen = pictures().set_title(tr("Show pictures with the message")).pick_files();
            spawn(Box::new(move || {
                let files = pollster::block_on(chosen);
                answer(files.map(|files| {
                    let paths = files.iter().map(|file| file.path().to_owned());
                    Command::AttachPaths(paths.collect())
                }));
            }));
        }
        FileDialog::Save { name, folder } => {
            let mut dialog =
                AsyncFileDialog::new().set_title(tr("Save the picture")).set_file_name(name);
            dialog = dialog.add_filter(tr("Project with layers and history"), &[PROJECT_ENDING]);
            for format in ExportFormat::ALL {
                dialog = dialog.add_filter(format.name(), format.extensions());
            }
            if let Some(folder) = folder {
                dialog = dialog.set_directory(folder);
            }
            let chosen = dialog.save_file();
            spawn(Box::new(move || {
                let file = pollster::block_on(chosen);
                answer(Some(file.map_or(Command::DialogCancelled, |file| {
                    Command::SaveTo(file.path().to_owned())
                })));
            }));
        }
        FileDialog::Folder(setting) => {
            let chosen = AsyncFileDialog::new().set_title(tr("Choose a folder")).pick_folder();
            spawn(Box::new(move || {
                let folder = pollster::block_on(chosen);
                answer(folder.map(|folder| Command::SetFolder(setting, folder.path().to_owned())));
            }));
        }
    }
}
