//! Gesso: make and edit images with models that run on the user's own machine.
//!
//! This is the crate's map. A module imports only from rows above its own, plus what its row
//! names; `tests/it/tidy.rs` checks that.
//!
//! | module | what it is for | our modules it may use |
//! |---|---|---|
//! | [`geom`] | points, extents and rectangles in canvas pixels | none |
//! | [`raster`] | pixels in memory: images, masks, resizing, blending, regions to repaint | `geom` |
//! | [`document`] | layers, selection, edits as data, the tree of all states | `raster`, `geom` |
//! | [`tools`] | one state machine a tool: pointer events become edits | `document`, `raster`, `geom` |
//! | [`preferences`] | what is kept between sessions, as plain data | none |
//! | [`text`] | byte-pair tokenizers of the text encoders | none |
//! | [`nn`] | layers that several networks share, and their fast CPU kernels | none |
//! | [`diffusion`] | sampling math; knows no network | none |
//! | [`models`] | one folder per network family: config, blocks, forward | `nn` |
//! | [`weights`] | checkpoint files: safe reading, conversion, int8 storage | none |
//! | [`engine`] | jobs: from request to pixels, on one worker thread | all of the above |
//! | [`editor`] | what the window works with: commands in, effects out | `tools`, `document`, `raster`, `geom`, `preferences`, `engine` |
//! | [`gpu`] | the canvas on the graphics card: textures, shaders, compositing | `document`, `raster`, `geom` |
//! | [`storage`] | image files in and out, with the request inside; atomic writing | `geom`, `raster` |
//! | [`selftest`] | reference vectors recomputed | all of the above |
//! | [`mod@bench`] | how fast networks run here | all of the above |
//! | [`cli`] | the command line, the first client of the engine | all |
//!
//! Three consequences: networks never see a job, jobs never see a file dialog or a window, and
//! nothing but [`cli`] prints.
//!
//! Start reading at [`engine`]: a [`engine::request::Request`] goes in, events and pixels come out.

pub mod bench;
pub mod cli;
pub mod diffusion;
pub mod document;
pub mod editor;
pub mod engine;
pub mod geom;
pub mod gpu;
pub mod models;
pub mod nn;
pub mod preferences;
pub mod raster;
pub mod selftest;
pub mod storage;
pub mod text;
pub mod tools;
pub mod weights;
