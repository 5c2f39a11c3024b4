//! What happens once a request stands: draw, write the files, say what was done.

use std::path::Path;
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::app::picture_text::chunks_from_record;
use crate::cli::error::CliError;
use crate::cli::interrupt::Stop;
use crate::cli::output::{Targets, say};
use crate::cli::session::Session;
use crate::engine::event::{Outcome, Picture};
use crate::engine::request::{Record, Request};
use crate::storage::{PngOptions, write_png};

/// How the names of unfinished files begin.
const TEMPORARY_PREFIX: &str = ".gesso-";

/// What one job did, as the JSON object that is printed about it.
pub(crate) struct Summary(pub(crate) Map<String, Value>);

/// What a job drew, before it is written.
pub(crate) struct Drawn {
    /// The request, without pixels.
    pub(crate) record: Record,
    /// What came out; an answer's picture is laid over the one that it is about.
    pub(crate) outcome: Outcome,
    began: Instant,
}

/// Does a job and writes its pictures.
///
/// # Errors
///
/// When the job fails, a file can't be written, or Ctrl-C is pressed.
pub(crate) fn draw_and_write(
    session: &mut Session,
    stop: &Stop,
    request: Request,
    targets: &Targets,
    options: &PngOptions,
) -> Result<Summary, CliError> {
    write(stop, draw(session, request)?, targets, options)
}

/// Does a job.
///
/// # Errors
///
/// When the job fails or Ctrl-C is pressed.
pub(crate) fn draw(session: &mut Session, request: Request) -> Result<Drawn, CliError> {
    let began = Instant::now();
    let record = request.record(request.common().seed);
    let subject = match &request {
        Request::Chat(request) => request.image.clone(),
        _ => None,
    };
    let mut outcome = session.run(request)?;
    let record = outcome.answer.as_ref().map_or(record, |answer| answer.record.clone());
    if let (Some(subject), Some(answer)) = (subject, &outcome.answer) {
        for picture in &mut outcome.pictures {
            picture.image = answer.laid_over(&subject, &picture.image);
        }
    }
    Ok(Drawn { record, outcome, began })
}

/// Writes what a job drew.
///
/// # Errors
///
/// When a file can't be written, or Ctrl-C is pressed.
pub(crate) fn write(
    stop: &Stop,
    drawn: Drawn,
    targets: &Targets,
    options: &PngOptions,
) -> Result<Summary, CliError> {
    let Drawn { record, outcome, began } = drawn;
    let saving = Instant::now();
    for (picture, file) in outcome.pictures.iter().zip(targets.files()) {
        let chunks = chunks_from_record(&picture.record)?;
        if stop.is_raised() {
            return Err(CliError::Interrupted);
        }
        let folder = file.parent().unwrap_or(Path::new(""));
        let _until_written = stop.watch_scratch(folder, TEMPORARY_PREFIX);
        write_png(file, &picture.image, &chunks, options)?;
    }
    let saved = saving.elapsed().as_secs_f64();
    Ok(summary(&record, &outcome, targets, saved, began.elapsed().as_secs_f64()))
}

fn summary(record: &Record, outcome: &Outcome, targets: &Targets, saved: f64, all: f64) -> Summary {
    let Outcome { pictures, report, answer } = outcome;
    let common = record.common();
    let mut seconds: Map<String, Value> = report
        .seconds
        .iter()
        .map(|(stage, seconds)| (stage.name().to_owned(), rounded(*seconds)))
        .collect();
    seconds.insert("save".to_owned(), rounded(saved));
    seconds.insert("total".to_owned(), rounded(all));
    let files: Vec<Value> =
        targets.files().iter().map(|file| json!(file.to_string_lossy())).collect();
    let mut map = Map::new();
    let mut put = |name: &str, value: Value| {
        map.insert(name.to_owned(), value);
    };
    put("command", json!(record.command()));
    put("prompt", json!(common.prompt));
    if !common.negative_prompt.is_empty() {
        put("negative_prompt", json!(common.negative_prompt));
    }
    put("model", json!(common.model));
    put("checkpoints", json!(common.checkpoints));
    put("seed", json!(common.seed));
    if pictures.len() > 1 {
        put("seeds", pictures.iter().map(|picture| json!(picture.seed)).collect());
    }
    if let Some(base) = record.base() {
        put("steps", json!(base.steps));
        put("sampler", json!(base.sampler));
        put("guidance", json!(base.guidance));
        put("clip_guidance", json!(base.clip_guidance));
    }
    if let Record::Inpaint(settings) = record {
        put("strength", json!(settings.strength));
    }
    if let Some(upsample) = record.upsample() {
        put("upsample", json!(upsample));
    }
    if let Some(Picture { image, .. }) = pictures.first() {
        put("width", json!(image.extent().width));
        put("height", json!(image.extent().height));
    }
    if let Some(answer) = answer {
        put("reply", json!(answer.words));
        put("changed_pixels", json!(answer.change.as_ref().map(|change| change.covered_pixels())));
    }
    put("device", json!(report.device));
    put("precision", json!(report.precision));
    put("seconds", Value::Object(seconds));
    put("files", Value::Array(files));
    if let Some(delta) = report.outside_mask_delta {
        put("outside_mask_delta", json!(delta));
    }
    let unknown: Vec<&str> = report.unknown_words.iter().map(|word| word.word.as_str()).collect();
    put("unknown_words", json!(unknown));
    if let Some(cut) = report.prompt_cut {
        put("prompt_cut", json!(cut));
    }
    Summary(map)
}

/// Milliseconds are enough, and read better.
fn rounded(seconds: f64) -> Value {
    json!((seconds * 1000.0).round() / 1000.0)
}

impl Summary {
    /// Prints the summary: one JSON object, or a line for each file.
    ///
    /// # Errors
    ///
    /// When standard output can't be written.
    pub(crate) fn print(&self, json: bool) -> Result<(), CliError> {
        if json {
            return say(&Value::Object(self.0.clone()).to_string());
        }
        for line in self.lines() {
            say(&line)?;
        }
        Ok(())
    }

    /// What a person wants to know.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = |name: &str| match self.0.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let empty = Vec::new();
        let files = self.0.get("files").and_then(Value::as_array).unwrap_or(&empty);
        let seeds = self.0.get("seeds").and_then(Value::as_array);
        let mut lines: Vec<String> = files
            .iter()
            .enumerate()
            .map(|(i, file)| {
                let seed = seeds
                    .and_then(|seeds| seeds.get(i))
                    .map_or_else(|| text("seed"), ToString::to_string);
                format!(
                    "{}: {}x{}, seed {seed}",
                    file.as_str().unwrap_or_default(),
                    text("width"),
                    text("height")
                )
            })
            .collect();
        if self.0.contains_key("outside_mask_delta") {
            lines.push(format!("bytes changed outside the mask: {}", text("outside_mask_delta")));
        }
        let total = self.0.get("seconds").and_then(|seconds| seconds.get("total"));
        let total = total.and_then(Value::as_f64).unwrap_or_default();
        lines.push(format!(
            "model {}, {} {}, {total:.1} s",
            text("model"),
            text("device"),
            text("precision")
        ));
        lines
    }
}
