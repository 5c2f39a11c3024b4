//! Start-up only.

use std::process::ExitCode;

fn main() -> ExitCode {
    gesso::cli::run()
}
