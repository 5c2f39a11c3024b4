//! All tests that need no window.
#![cfg(test)]

mod readme;
mod tidy;
