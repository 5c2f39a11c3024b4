//! All tests that need no window.
#![cfg(test)]

mod cli;
mod golden;
mod readme;
mod tidy;
