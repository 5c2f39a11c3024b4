//! All tests that need no window.
#![cfg(test)]

mod cli;
mod fonts;
mod golden;
mod licenses;
mod locale;
mod readme;
mod tidy;
