//! `gesso generate`.

use crate::cli::args::GenerateArgs;
use crate::cli::error::CliError;
use crate::cli::finish::draw_and_write;
use crate::cli::job::{generate_request, record_from_file};
use crate::cli::output::Targets;
use crate::cli::run::{Context, open_library};
use crate::storage::PngOptions;

pub(crate) fn run(args: &GenerateArgs, context: &Context) -> Result<(), CliError> {
    let from = args.target.from.as_deref().map(record_from_file).transpose()?;
    let library = open_library()?;
    let prompt = args.prompt.as_deref();
    let request = generate_request(prompt, &args.options, from.as_ref(), &library)?;
    let common = request.common();
    let count = args.options.count.unwrap_or(1);
    let targets = Targets::plan(args.target.output.as_deref(), &common.prompt, common.seed, count)?;
    context.announce_seed(&args.options, common.seed);
    let mut session = context.session(library)?;
    let options = PngOptions::default();
    draw_and_write(&mut session, &context.stop, request, &targets, &options)?.print(context.json)
}
