//! The canvas on the graphics card: textures, shaders, compositing.
//!
//! Everything here is derived from a [`crate::document::Document`] and can be rebuilt at any frame;
//! nothing flows back. A [`Frame`] says what is to be seen, [`CanvasRenderer`] keeps what it takes:
//!
//! 1. What is seen is cut into blocks of 256 by 256 texels, at the level of the zoom (`view`).
//! 2. A block of a layer is known by the versions of its tiles (`source`). `store` keeps such blocks
//!    in an array texture, whichever document they belong to, and uploads only what has changed;
//!    smaller versions of many tiles are put together by a thread of their own (`assembler`).
//! 3. `composite` lays the layers of a block over each other, once, into a texture that wraps around
//!    (`ring`), and again only where something has changed.
//! 4. `draw` shows that texture on the screen: turned, mirrored, over a checkerboard, with the
//!    selection.
//!
//! Start reading at [`CanvasRenderer::prepare`].

mod adapter;
mod assembler;
mod callback;
mod composite;
mod draw;
mod error;
mod frame;
mod headless;
mod overlay;
mod renderer;
mod ring;
mod shaders;
mod source;
mod store;
mod view;

#[cfg(test)]
mod tests;

pub use adapter::{describe, wgpu_options};
pub use callback::{CanvasCallback, Report, install};
pub use error::GpuError;
pub use frame::{
    Checkerboard, Comparison, ComparisonView, Frame, OverlayClip, OverlayImage, SelectionDisplay,
    Stats, Viewport, Wake, Work,
};
pub use headless::Headless;
pub use renderer::CanvasRenderer;
