//! What can go wrong with a graphics card.

/// Why nothing can be drawn.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// No driver offers anything to draw with.
    #[error(
        "no graphics driver was found; install one for the graphics card, or a software one: \
         {INSTALL_HINT}"
    )]
    NoAdapter,
    /// There are drivers, but none that can draw into the window.
    #[error("no graphics driver can draw into this window; there are: {found}")]
    NoneSuits {
        /// The drivers that were found.
        found: String,
    },
    /// The driver refuses.
    #[error("the graphics driver {adapter} does not start: {source}")]
    Device {
        /// The driver.
        adapter: String,
        /// What it says.
        source: wgpu::RequestDeviceError,
    },
    /// A picture can't be read back.
    #[error("the graphics card does not hand back the picture: {0}")]
    ReadBack(String),
    /// A picture is larger than the device draws.
    #[error("a picture of {width}x{height} pixels can't be drawn; at most {limit} a side can")]
    TooLarge {
        /// Columns that were asked for.
        width: u32,
        /// Rows that were asked for.
        height: u32,
        /// The device's limit.
        limit: u32,
    },
}

/// What to install where there is no driver.
#[cfg(target_os = "linux")]
const INSTALL_HINT: &str = "`mesa-vulkan-drivers` on Debian, Ubuntu and Fedora, `vulkan-swrast` on \
                            Arch Linux";
#[cfg(target_os = "windows")]
const INSTALL_HINT: &str = "Windows 10 and later bring one (WARP); update Windows if it is missing";
#[cfg(not(any(target_os = "linux", target_os = "windows")))]
const INSTALL_HINT: &str = "macOS brings one (Metal); update the system if it is missing";
