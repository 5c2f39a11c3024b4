//! One engine for one run of the program, and the bar that shows how far it is.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::error::CliError;
use crate::cli::interrupt::Stop;
use crate::cli::output::note;
use crate::engine::event::{JobEvent, Outcome, Progress, PromptCut, Stage, UnknownWord};
use crate::engine::handle::{Engine, EngineSettings, Previews};
use crate::engine::library::ModelLibrary;
use crate::engine::request::Request;

/// How often Ctrl-C is looked for while the engine works; the engine itself is told at once.
const TICK: Duration = Duration::from_millis(25);

/// Whether progress may be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    /// Where standard error is a terminal.
    Progress,
    /// Never.
    Nothing,
}

/// The engine as the commands use it: one job at a time, waited for.
pub(crate) struct Session {
    engine: Engine,
    stop: Stop,
    show: Show,
}

impl Session {
    /// Starts the engine; loads nothing yet.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn start(library: ModelLibrary, stop: Stop, show: Show) -> Result<Self, CliError> {
        let settings = EngineSettings { library, wake: Box::new(|| ()), previews: Previews::Off };
        Ok(Self { engine: Engine::start(settings)?, stop, show })
    }

    /// Does one job.
    ///
    /// # Errors
    ///
    /// When the job fails or Ctrl-C is pressed.
    pub(crate) fn run(&mut self, request: Request) -> Result<Outcome, CliError> {
        let job = self.engine.submit(request)?;
        self.stop.watch(self.engine.interrupt(job));
        let bar = Bar::new(self.show);
        let end = loop {
            // The job stops within a layer or two, but Ctrl-C does not wait even for that.
            if self.stop.is_raised() {
                break Err(CliError::Interrupted);
            }
            match self.engine.wait(TICK) {
                Some((id, event)) if id == job => match event {
                    JobEvent::Queued { .. } | JobEvent::Started => {}
                    JobEvent::Stage(stage) => bar.stage(stage),
                    JobEvent::UnknownWords(words) => bar.note(&friendly(&words)),
                    JobEvent::PromptCut(PromptCut { tokens, read }) => bar.note(&format!(
                        "The prompt has {tokens} tokens, of which this model reads the first {read}."
                    )),
                    JobEvent::Words(words) => bar.words(&words),
                    JobEvent::Progress(progress) => bar.step(&progress),
                    JobEvent::Finished(outcome) => break Ok(outcome),
                    JobEvent::Failed(failure) => break Err(failure.into()),
                    JobEvent::Cancelled => break Err(CliError::Interrupted),
                },
                Some((id, _)) => log::debug!("an event of job {} is dropped", id.0),
                None if self.engine.has_stopped() => {
                    break Err(CliError::Failure("the engine has stopped".to_owned()));
                }
                None => {}
            }
        };
        self.stop.watch(None);
        bar.clear();
        end
    }
}

/// The one line about words that the model has never seen.
fn friendly(words: &[UnknownWord]) -> String {
    let list: Vec<String> = words
        .iter()
        .map(|unknown| match unknown.suggestions.first() {
            Some(near) => format!("\"{}\" (perhaps \"{near}\"?)", unknown.word),
            None => format!("\"{}\"", unknown.word),
        })
        .collect();
    format!("This model has never seen {}; it draws what it can.", list.join(", "))
}

/// A progress bar on standard error, or nothing.
struct Bar(ProgressBar);

impl Bar {
    fn new(show: Show) -> Self {
        if show == Show::Nothing || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(1);
        match ProgressStyle::with_template("{prefix:>12} [{bar:30}] {pos}/{len} {msg}") {
            Ok(style) => bar.set_style(style.progress_chars("=> ")),
            Err(error) => log::debug!("the progress bar keeps its plain style: {error}"),
        }
        Self(bar)
    }

    fn stage(&self, stage: Stage) {
        self.0.set_prefix(match stage {
            Stage::Load => "loading",
            Stage::Text => "reading",
            Stage::Words => "writing",
            Stage::Base => "drawing",
            Stage::Upsample => "enlarging",
            Stage::Blend => "blending",
        });
        self.0.set_message("");
        self.0.tick();
    }

    /// The end of what is written so far.
    fn words(&self, words: &str) {
        const SHOWN: usize = 40;
        let skipped = words.chars().count().saturating_sub(SHOWN);
        self.0.set_message(words.chars().skip(skipped).collect::<String>());
    }

    fn step(&self, progress: &Progress) {
        self.0.set_length(progress.steps as u64);
        self.0.set_position(progress.step as u64);
        let item = if progress.items > 1 {
            format!(", {} of {}", progress.item + 1, progress.items)
        } else {
            String::new()
        };
        self.0.set_message(format!(
            "{:.2} steps/s, {:.0} s left{item}",
            progress.rate,
            progress.job_eta.as_secs_f64()
        ));
    }

    /// Says something above the bar.
    fn note(&self, text: &str) {
        self.0.suspend(|| note(text));
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}
