//! `gesso upscale`.

use crate::cli::args::UpscaleArgs;
use crate::cli::error::CliError;
use crate::cli::finish::draw_and_write;
use crate::cli::job::{record_from_file, upscale_request};
use crate::cli::output::{Targets, slug};
use crate::cli::run::{Context, open_library};

pub(crate) fn run(args: &UpscaleArgs, context: &Context) -> Result<(), CliError> {
    let from = args.target.from.as_deref().map(record_from_file).transpose()?;
    let library = open_library()?;
    let prompt = args.prompt.as_deref();
    let (request, file) =
        upscale_request(prompt, &args.image, &args.options, from.as_ref(), &library)?;
    let common = request.common();
    // Without a prompt the result is named after the picture.
    let stem = args.image.file_stem().unwrap_or_default().to_string_lossy();
    let name = if common.prompt.is_empty() { slug(&stem) } else { common.prompt.clone() };
    let targets = Targets::plan(args.target.output.as_deref(), &name, common.seed, 1)?;
    context.announce_seed(&args.options, common.seed);
    let mut session = context.session(library)?;
    let options = file.png_options();
    draw_and_write(&mut session, &context.stop, request, &targets, &options)?.print(context.json)
}
