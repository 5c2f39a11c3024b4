//! One state machine a tool: pointer events become edits.
//!
//! A gesture is one step of the history: [`Gesture::begin`] on press, [`Gesture::drag`] while the
//! button is down, [`Gesture::release`] when it goes up; dropping it instead takes everything back,
//! because it changes only a working copy of the document. Nothing here draws or knows keys.
//!
//! Polygon and crop take several presses: their release says [`Outcome::GoOn`], the next one is a
//! [`Gesture::press`], and [`Gesture::finish`] ends them. What a gesture shows meanwhile is its
//! [`GestureOverlay`]. Each tool family has its own file.

mod crop;
mod gesture;
mod keys;
mod lasso;
mod move_pixels;
mod overlay;
mod pick;
mod polygon;
mod settings;
mod shape;
mod stroke;
#[cfg(test)]
mod testing;
mod view;

pub use crop::CropHandle;
pub use gesture::{Applied, Begun, Dragged, Gesture, Outcome, Pointer, stroke_end};
pub use overlay::GestureOverlay;
pub use settings::{Tool, ToolSettings};
pub use view::ViewChange;
