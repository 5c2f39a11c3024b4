//! One state machine a tool: pointer events become edits.
//!
//! A gesture is one step of the history: [`Gesture::begin`] on press, [`Gesture::drag`] while the
//! button is down, [`Gesture::release`] when it goes up; dropping it instead takes everything back,
//! because it changes only a working copy of the document. Nothing here draws or knows keys.

mod gesture;
mod settings;

pub use gesture::{Gesture, Pointer};
pub use settings::{Tool, ToolSettings};
