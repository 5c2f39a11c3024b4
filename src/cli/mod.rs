//! The command line, the first client of the engine.
//!
//! Each command turns its arguments into a request, sends it, and writes what comes back. Nothing
//! here computes pixels. Start with [`run`]; the arguments are in `args.rs`, what all picture
//! commands share in `options.rs`, `session.rs` and `output.rs`.

mod apply;
mod args;
mod batch;
mod chat;
mod checks;
mod edit;
mod error;
mod eval;
mod finish;
mod generate;
mod inpaint;
mod interrupt;
mod job;
mod models;
mod options;
mod output;
mod project;
mod replay;
mod run;
mod session;
mod upscale;
mod vary;

pub use run::run;
