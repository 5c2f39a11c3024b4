//! All tests that need no window.

mod cli;
mod golden;
