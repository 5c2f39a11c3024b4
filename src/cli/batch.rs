//! `gesso batch`: many jobs from a file, one after the other.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::cli::args::BatchArgs;
use crate::cli::error::CliError;
use crate::cli::finish::{Summary, draw_and_write};
use crate::cli::job::{generate_request, inpaint_request, upscale_request, vary_request};
use crate::cli::options::Options;
use crate::cli::output::{Targets, check_parent, note, say, slug};
use crate::cli::run::{Context, open_library};
use crate::cli::session::Session;
use crate::engine::library::ModelLibrary;
use crate::engine::request::Request;
use crate::storage::PngOptions;

pub(crate) fn run(args: &BatchArgs, context: &Context) -> Result<(), CliError> {
    let text = std::fs::read_to_string(&args.jobs).map_err(|error| {
        CliError::Input(format!("the jobs can't be read: {error}: {:?}", args.jobs))
    })?;
    let lines: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_start_matches('\u{feff}').trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .collect();
    if lines.is_empty() {
        return Err(CliError::Input(format!(
            "there are no jobs in the file; write one JSON object a line, such as \
             {{\"prompt\": \"a red apple\"}}: {:?}",
            args.jobs
        )));
    }
    make_folder(&args.output)?;
    let library = open_library()?;
    let mut batch = Batch {
        args,
        context,
        session: context.session(open_library()?)?,
        library,
        digits: lines.len().to_string().len().max(3),
    };
    let began = Instant::now();
    let mut jobs = Vec::with_capacity(lines.len());
    let mut failed = 0;
    for (index, (line, text)) in lines.into_iter().enumerate() {
        match batch.job(index + 1, line, text) {
            Ok(Summary(mut map)) => {
                let mut job = Map::from_iter([("line".to_owned(), json!(line))]);
                job.append(&mut map);
                jobs.push(Value::Object(job));
            }
            Err(CliError::Interrupted) => return Err(CliError::Interrupted),
            Err(error) => {
                failed += 1;
                note(&format!("line {line}: {error}"));
                jobs.push(json!({ "line": line, "error": error.to_string() }));
            }
        }
    }
    let seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    let (done, all) = (jobs.len() - failed, jobs.len());
    if context.json {
        say(&json!({
            "command": "batch", "done": done, "failed": failed,
            "seconds": { "total": seconds }, "jobs": jobs,
        })
        .to_string())?;
    } else {
        say(&format!("{done} of {all} jobs done, {seconds:.1} s"))?;
    }
    if failed == 0 { Ok(()) } else { Err(CliError::Reported) }
}

fn make_folder(folder: &Path) -> Result<(), CliError> {
    if folder.is_dir() {
        return Ok(());
    }
    if folder.exists() {
        return Err(CliError::Input(format!(
            "the output of a batch is a folder, but a file has that name: {folder:?}"
        )));
    }
    check_parent(folder)?;
    std::fs::create_dir(folder)
        .map_err(|error| CliError::Input(format!("the folder can't be made: {error}: {folder:?}")))
}

/// A batch under way.
struct Batch<'a> {
    args: &'a BatchArgs,
    context: &'a Context,
    session: Session,
    library: ModelLibrary,
    /// Digits of the numbers in file names.
    digits: usize,
}

impl Batch<'_> {
    fn job(&mut self, number: usize, line: usize, text: &str) -> Result<Summary, CliError> {
        let own: Options = serde_json::from_str(text)
            .map_err(|error| CliError::Input(format!("the job can't be read: {error}")))?;
        let options = own.or(&self.args.options);
        let (request, png) = self.request(&options)?;
        let common = request.common();
        let digits = self.digits;
        let name = format!("{number:0digits$}-{}.png", slug(&common.prompt));
        let output = self.args.output.join(name);
        let count = options.count.unwrap_or(1);
        let targets = Targets::plan(Some(&output), &common.prompt, common.seed, count)?;
        let stop = &self.context.stop;
        let summary = draw_and_write(&mut self.session, stop, request, &targets, &png)?;
        if !self.context.json {
            for text in summary.lines() {
                say(&format!("line {line}: {text}"))?;
            }
        }
        Ok(summary)
    }

    fn request(&self, options: &Options) -> Result<(Request, PngOptions), CliError> {
        let prompt = options.prompt.as_deref();
        let image = options.image.as_deref().map(|file| self.found(file));
        let mask = options.mask.as_deref().map(|file| self.found(file));
        let command = match (options.command.as_deref(), &image, &mask) {
            (Some(command), ..) => command,
            (None, _, Some(_)) => "inpaint",
            (None, Some(_), None) if options.strength.is_some() => "vary",
            (None, Some(_), None) => "upscale",
            (None, None, None) => "generate",
        };
        match (command, image, mask) {
            ("generate", None, None) if prompt.is_some() => {
                let request = generate_request(prompt, options, None, &self.library)?;
                Ok((request, PngOptions::default()))
            }
            ("generate", None, None) => Err(CliError::input("the job has no prompt")),
            ("inpaint", Some(image), Some(mask)) if prompt.is_some() => {
                let files = (image.as_path(), mask.as_path());
                let (request, file) = inpaint_request(prompt, files, options, None, &self.library)?;
                Ok((request, file.png_options()))
            }
            ("inpaint", ..) => {
                Err(CliError::input("an inpaint job needs a prompt, an image and a mask"))
            }
            ("vary", Some(image), None) if prompt.is_some() => {
                let (request, file) = vary_request(prompt, &image, options, None, &self.library)?;
                Ok((request, file.png_options()))
            }
            ("vary", ..) => Err(CliError::input("a vary job needs a prompt, an image and no mask")),
            ("upscale", Some(image), None) => {
                let (request, file) =
                    upscale_request(prompt, &image, options, None, &self.library)?;
                Ok((request, file.png_options()))
            }
            ("upscale", ..) => Err(CliError::input("an upscale job needs an image and no mask")),
            ("generate", ..) => Err(CliError::input(
                "a generate job has neither image nor mask; leave \"command\" out to inpaint",
            )),
            (other, ..) => Err(CliError::Input(format!(
                "the commands of a batch are generate, inpaint, vary and upscale, not {other:?}"
            ))),
        }
    }

    /// A file of a job: where the name leads from here, else from the folder of the jobs' file.
    fn found(&self, file: &Path) -> PathBuf {
        let beside = self.args.jobs.parent().map(|folder| folder.join(file));
        match beside {
            Some(beside) if !file.exists() && beside.exists() => beside,
            _ => file.to_owned(),
        }
    }
}
