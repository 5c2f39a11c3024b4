//! Start to end: read the arguments, run the command, turn the end into an exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use serde_json::json;

use crate::app::WindowOptions;
use crate::cli::args::{Cli, Command};
use crate::cli::error::CliError;
use crate::cli::interrupt::Stop;
use crate::cli::options::Options;
use crate::cli::output::{note, say};
use crate::cli::session::{Session, Show};
use crate::cli::{
    apply, batch, chat, checks, edit, eval, generate, inpaint, models, project, replay, upscale,
    vary,
};
use crate::engine::library::{LibraryPaths, ModelLibrary};
use crate::engine::threads::is_engine_thread;

/// What every command needs.
pub(crate) struct Context {
    /// Whether one JSON object goes to standard output instead of text.
    pub(crate) json: bool,
    /// Ctrl-C.
    pub(crate) stop: Stop,
}

impl Context {
    /// An engine for this command.
    pub(crate) fn session(&self, library: ModelLibrary) -> Result<Session, CliError> {
        let show = if self.json { Show::Nothing } else { Show::Progress };
        Session::start(library, self.stop.clone(), show)
    }

    /// Says a seed that nobody chose, so that it is known even when the work is stopped.
    pub(crate) fn announce_seed(&self, options: &Options, seed: u64) {
        if options.seed.is_none() && !self.json {
            note(&format!("seed {seed}"));
        }
    }
}

/// The models that are there.
///
/// # Errors
///
/// When the system has no folder for them.
pub(crate) fn open_library() -> Result<ModelLibrary, CliError> {
    Ok(ModelLibrary::open(LibraryPaths::standard()?))
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    start_log(cli.verbose);
    keep_worker_panics_off_the_screen();
    let stop = if cli.command.is_some() { Stop::on_ctrl_c() } else { Stop::default() };
    let context = Context { json: cli.json, stop };
    let done = match &cli.command {
        Some(command) => dispatch(command, &context),
        None => open_window(cli.picture),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error, context.json);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Shows the window. A name that is no file may be a misspelled command, so both are said.
fn open_window(picture: Option<PathBuf>) -> Result<(), CliError> {
    if let Some(path) = &picture
        && !path.exists()
    {
        return Err(CliError::Input(format!(
            "there is neither a command nor a picture of this name; `gesso --help` lists the \
             commands: {path:?}"
        )));
    }
    Ok(crate::app::run(WindowOptions { file: picture, config: None })?)
}

fn dispatch(command: &Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Generate(args) => generate::run(args, context),
        Command::Inpaint(args) => inpaint::run(args, context),
        Command::Vary(args) => vary::run(args, context),
        Command::Upscale(args) => upscale::run(args, context),
        Command::Edit(args) => edit::edit(args, context),
        Command::Ask(args) => edit::ask(args, context),
        Command::Chat(args) => chat::run(args, context),
        Command::Batch(args) => batch::run(args, context),
        Command::Models(command) => models::run(command, context),
        Command::History(args) => project::history(args, context),
        Command::Export(args) => project::export(args, context),
        Command::Replay(args) => replay::run(args, context),
        Command::Apply(args) => apply::run(args, context),
        Command::Eval(command) => eval::run(command, context),
        Command::Selftest(args) => checks::selftest(args, context),
        Command::Bench(args) => checks::bench(args, context),
    }
}

/// Says what went wrong: a sentence on standard error, and an object where one is waited for.
fn report(error: &CliError, json: bool) {
    match error {
        CliError::Reported => {}
        error => {
            note(&format!("error: {error}"));
            if json {
                print_error(&error.to_string());
            }
        }
    }
}

fn print_error(message: &str) {
    if let Err(error) = say(&json!({ "error": message }).to_string()) {
        log::debug!("{error}");
    }
}

/// Arguments that can't be understood, or a call for help.
fn usage(error: &clap::Error) -> ExitCode {
    if let Err(error) = error.print() {
        log::debug!("the usage can't be shown: {error}");
    }
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        print_error(line.trim_start_matches("error: "));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn start_log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    // GESSO_LOG wins, for questions about single modules.
    let environment = env_logger::Env::new().filter_or("GESSO_LOG", level);
    let started = env_logger::Builder::from_env(environment).format_timestamp(None).try_init();
    if let Err(error) = started {
        note(&format!("no log: {error}"));
    }
}

/// A panic of the worker is reported as its job's failure; the raw text is for the log.
fn keep_worker_panics_off_the_screen() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if is_engine_thread() {
            log::info!("{panic}");
        } else {
            usual(panic);
        }
    }));
}
