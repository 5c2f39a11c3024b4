//! All tests that need no window.

mod cli;
