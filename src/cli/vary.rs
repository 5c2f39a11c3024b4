//! `gesso vary`.

use crate::cli::args::VaryArgs;
use crate::cli::error::CliError;
use crate::cli::finish::draw_and_write;
use crate::cli::job::{record_from_file, vary_request};
use crate::cli::output::Targets;
use crate::cli::run::{Context, open_library};

pub(crate) fn run(args: &VaryArgs, context: &Context) -> Result<(), CliError> {
    let from = args.target.from.as_deref().map(record_from_file).transpose()?;
    let library = open_library()?;
    let (request, file) =
        vary_request(args.prompt.as_deref(), &args.image, &args.options, from.as_ref(), &library)?;
    let common = request.common();
    let count = args.options.count.unwrap_or(1);
    let targets = Targets::plan(args.target.output.as_deref(), &common.prompt, common.seed, count)?;
    context.announce_seed(&args.options, common.seed);
    if file.rounded_to_8_bits {
        log::warn!("the picture has more than 8 bits a channel; the result has 8");
    }
    let mut session = context.session(library)?;
    let options = file.png_options();
    draw_and_write(&mut session, &context.stop, request, &targets, &options)?.print(context.json)
}
