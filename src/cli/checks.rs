//! `gesso selftest` and `gesso bench`: thin calls of the modules that do the work.

use crate::cli::args::{BenchArgs, SelftestArgs};
use crate::cli::error::CliError;
use crate::cli::run::Context;

pub(crate) fn selftest(args: &SelftestArgs, context: &Context) -> Result<(), CliError> {
    let _ = (args, context);
    Err(CliError::Failure("selftest is not there yet".to_owned()))
}

pub(crate) fn bench(args: &BenchArgs, context: &Context) -> Result<(), CliError> {
    let _ = (args, context);
    Err(CliError::Failure("bench is not there yet".to_owned()))
}
