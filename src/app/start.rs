//! Opens the window.

use std::path::PathBuf;

use crate::app::GessoApp;

/// How the window is opened.
#[derive(Clone, Debug, Default)]
pub struct WindowOptions {
    /// A picture to open.
    pub file: Option<PathBuf>,
    /// The folder for preferences; the usual one without.
    pub config: Option<PathBuf>,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system gives no window.
    #[error(
        "no window can be opened: {0}. Without a screen use the commands: gesso generate --help"
    )]
    NoWindow(String),
    /// There is nothing to draw with.
    #[error("no window can be opened: {0}")]
    NoGraphics(String),
}

/// Shows the window until the user closes it.
///
/// # Errors
///
/// When there is no screen or nothing to draw with; the message says what to install.
pub fn run(options: WindowOptions) -> Result<(), StartError> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Gesso")
        .with_app_id("gesso")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([760.0, 480.0])
        .with_icon(icon())
        .with_drag_and_drop(true);
    let folder = options.config.clone().or_else(crate::storage::config_folder);
    let native = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Wgpu,
        wgpu_options: crate::gpu::wgpu_options(),
        persistence_path: folder.map(|folder| folder.join("window.ron")),
        centered: true,
        ..eframe::NativeOptions::default()
    };
    let make: eframe::AppCreator<'_> =
        Box::new(move |context| Ok(Box::new(GessoApp::new(context, options)?)));
    eframe::run_native("gesso", native, make).map_err(|error| match error {
        eframe::Error::Wgpu(error) => StartError::NoGraphics(error.to_string()),
        error => StartError::NoWindow(error.to_string()),
    })
}

/// The program's icon.
fn icon() -> egui::IconData {
    const PNG: &[u8] = include_bytes!("../../assets/icons/gesso.png");
    let read = crate::storage::read_image_bytes(PNG, "gesso.png", crate::storage::Colors::AsStored);
    match read {
        Ok(file) => {
            let extent = file.image.extent();
            egui::IconData {
                width: extent.width,
                height: extent.height,
                rgba: file.image.into_raw(),
            }
        }
        Err(error) => {
            log::warn!("the icon can't be read: {error}");
            egui::IconData::default()
        }
    }
}
