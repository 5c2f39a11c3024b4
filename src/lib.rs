//! Gesso: make and edit images with models that run on the user's own machine.
//!
//! This is the crate's map. A module imports only from rows above its own, plus what its row
//! names; `tests/it/tidy.rs` checks that.
//!
//! | module | what it is for | our modules it may use |
//! |---|---|---|
//! | [`geom`] | points, extents and rectangles in canvas pixels; how a canvas is seen | none |
//! | [`locale`] | the window's texts in the user's language | none |
//! | [`raster`] | pixels in memory: images, masks, tiles, brushes, blending, regions to repaint | `geom` |
//! | [`document`] | layers, selection, edits as data, the tree of all states | `raster`, `geom` |
//! | [`tools`] | one state machine a tool: pointer events become edits | `document`, `raster`, `geom` |
//! | [`text`] | byte-pair tokenizers of the text encoders | none |
//! | [`nn`] | layers that several networks share, and their fast CPU kernels | none |
//! | [`diffusion`] | sampling math; knows no network | none |
//! | [`models`] | one folder per network family: config, blocks, forward | `nn` |
//! | [`weights`] | checkpoint files: safe reading, conversion, int8 storage | none |
//! | [`engine`] | jobs: from request to pixels, on one worker thread | `geom`, `raster`, `text`, `nn`, `diffusion`, `models`, `weights` |
//! | [`preferences`] | what is kept between sessions, as plain data | `engine`, `locale` |
//! | [`editor`] | what the window works with: commands in, effects out | `geom`, `locale`, `raster`, `document`, `tools`, `engine`, `preferences` |
//! | [`storage`] | image files in and out, with the request inside; preferences; atomic writing | `geom`, `raster`, `preferences` |
//! | [`library`] | the pictures that models made, across projects, in a database | `geom`, `raster`, `engine`, `storage` |
//! | [`project`] | the tree of all states on disk: records, tiles by content, OpenRaster, journal | `geom`, `raster`, `document`, `storage` |
//! | [`gpu`] | the canvas on the graphics card: textures, shaders, compositing | `geom`, `raster`, `document` |
//! | [`ui`] | the window's contents: one file per panel or dialog; widgets | `geom`, `locale`, `raster`, `document`, `tools`, `engine`, `preferences`, `editor`, `gpu` |
//! | [`app`] | the program with a window: commands gathered, effects done | all of the above |
//! | [`eval`] | how well a model draws, fills and edits scenes whose true result is known | `geom`, `raster`, `diffusion`, `engine`, `storage` |
//! | [`selftest`] | reference vectors recomputed | all of the above |
//! | [`mod@bench`] | how fast networks, the canvas and projects are here | all of the above |
//! | [`cli`] | the command line; without a command it opens the window | all |
//!
//! Four consequences: networks never see a job, jobs never see a document or a window, panels never
//! change a document, and nothing but [`cli`] prints.
//!
//! Start reading at [`engine`], where a [`engine::request::Request`] goes in and events and pixels
//! come out, or at [`editor`], where a [`editor::Command`] goes in and [`editor::Effect`]s come out.
//!
//! # From a click to pixels
//!
//! 1. A panel of [`ui`] pushes a [`editor::Command`]; menus, shortcuts and the palette push the same.
//! 2. [`editor::Editor::update`] plans the job and returns [`editor::Effect::Submit`].
//! 3. [`app`] builds the request from a snapshot of the document and gives it to the engine.
//! 4. The engine's worker draws; its events and previews come back as commands.
//! 5. The pictures are made into edits and shown over the canvas; accepting one is a step of the
//!    [`document::History`]. [`gpu`] uploads the tiles that changed before the next frame.

pub mod app;
pub mod bench;
pub mod cli;
pub mod diffusion;
pub mod document;
pub mod editor;
pub mod engine;
pub mod eval;
pub mod geom;
pub mod gpu;
pub mod library;
pub mod locale;
pub mod models;
pub mod nn;
pub mod preferences;
pub mod project;
pub mod raster;
pub mod selftest;
pub mod storage;
pub mod text;
pub mod tools;
pub mod ui;
pub mod weights;
