//! All tests that need no window.
#![cfg(test)]

mod cli;
mod eval;
mod fonts;
mod fuzz;
mod golden;
mod kill;
mod licenses;
mod locale;
mod openraster;
mod projects;
mod readme;
mod scenes;
mod tidy;
