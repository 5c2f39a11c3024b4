//! `gesso models`: what is there, bring in, check, remove.

use std::ops::ControlFlow;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::cli::args::{ImportArgs, ModelsCommand};
use crate::cli::error::CliError;
use crate::cli::output::say;
use crate::cli::run::{Context, open_library};
use crate::engine::library::{
    CheckpointEntry, ImportRequest, Imported, LibraryError, ModelFamily, ModelLibrary, Verdict, seal,
};

/// How the names of an unfinished import's folders begin.
const IMPORT_PREFIX: &str = ".import-";

pub(crate) fn run(command: &ModelsCommand, context: &Context) -> Result<(), CliError> {
    let mut library = open_library()?;
    for problem in library.problems() {
        log::warn!("{problem}");
    }
    match command {
        ModelsCommand::List => list(&library, context.json),
        ModelsCommand::Info { id } => info(library.family(id)?, context.json),
        ModelsCommand::Import(args) => import(&mut library, args, context),
        ModelsCommand::Verify { ids } => verify(&library, ids, context),
        ModelsCommand::Seal { folder } => {
            let manifest = seal(folder)?;
            say(&if context.json {
                json!({ "command": "models seal", "model": manifest.id }).to_string()
            } else {
                format!("sealed {} in {folder:?}", manifest.id)
            })
        }
        ModelsCommand::Remove { id } => {
            library.remove(id)?;
            if context.json {
                say(&json!({ "command": "models remove", "removed": id }).to_string())
            } else {
                say(&format!("removed {id}"))
            }
        }
    }
}

fn list(library: &ModelLibrary, json: bool) -> Result<(), CliError> {
    if json {
        let models: Vec<Value> = library.families().iter().map(family_json).collect();
        return say(&json!({ "command": "models list", "models": models }).to_string());
    }
    if library.families().is_empty() {
        return say("no models yet; add some with `gesso models import FILE...`");
    }
    let width = library.families().iter().map(|family| family.id().len()).max().unwrap_or(0);
    for family in library.families() {
        let roles: Vec<&str> =
            family.manifest.checkpoints.iter().map(|entry| entry.role.name()).collect();
        let missing = if family.missing_files().is_empty() { "" } else { " (files are missing)" };
        say(&format!(
            "{:width$}  {}  [{}]{missing}",
            family.id(),
            family.manifest.name,
            roles.join(", ")
        ))?;
    }
    Ok(())
}

fn family_json(family: &ModelFamily) -> Value {
    let manifest = &family.manifest;
    let checkpoints: Vec<Value> = manifest
        .checkpoints
        .iter()
        .map(|entry| {
            json!({
                "role": entry.role, "file": entry.file, "bytes": entry.bytes,
                "sha256": entry.sha256, "dtype": entry.dtype, "parameters": entry.parameters,
                "source": entry.source, "license": entry.license,
            })
        })
        .collect();
    json!({
        "id": manifest.id, "name": manifest.name, "summary": manifest.summary,
        "shipped": family.shipped, "folder": family.folder.to_string_lossy(),
        "checkpoints": checkpoints, "missing_files": family.missing_files(),
    })
}

fn info(family: &ModelFamily, json: bool) -> Result<(), CliError> {
    let manifest = &family.manifest;
    if json {
        let mut value = json!({
            "command": "models info",
            "shipped": family.shipped,
            "folder": family.folder.to_string_lossy(),
            "missing_files": family.missing_files(),
        });
        let manifest = serde_json::to_value(manifest)
            .map_err(|error| CliError::Failure(format!("the manifest can't be shown: {error}")))?;
        if let (Some(all), Value::Object(mut more)) = (value.as_object_mut(), manifest) {
            all.append(&mut more);
        }
        return say(&value.to_string());
    }
    say(&format!("{}: {}", manifest.id, manifest.name))?;
    for text in [&manifest.summary, &manifest.card.quality] {
        if !text.is_empty() {
            say(text)?;
        }
    }
    section("It can draw", &manifest.card.can_draw)?;
    section("It can not draw", &manifest.card.cannot_draw)?;
    section("Try", &manifest.example_prompts)?;
    let data: Vec<String> = manifest
        .card
        .training_data
        .iter()
        .map(|data| {
            let parts = [&data.name, &data.license, &data.attribution, &data.url];
            let parts: Vec<&str> =
                parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            parts.join("; ")
        })
        .collect();
    section("Made from", &data)?;
    section("Notes", &manifest.card.notes)?;
    let networks: Vec<String> = manifest.checkpoints.iter().map(network_line).collect();
    section("Networks", &networks)?;
    section("Missing files", &family.missing_files())?;
    say(&format!("Folder: {}", family.folder.display()))
}

fn network_line(entry: &CheckpointEntry) -> String {
    let mut parts = vec![
        format!("{}: {:.1} million weights", entry.role.name(), entry.parameters as f64 / 1e6),
        format!("{:.1} MB {}", entry.bytes as f64 / 1e6, entry.dtype),
    ];
    if !entry.license.is_empty() {
        parts.push(format!("license {}", entry.license));
    }
    if !entry.source.is_empty() {
        parts.push(format!("from {}", entry.source));
    }
    if !entry.sha256.is_empty() {
        parts.push(format!("sha256 {}", entry.sha256));
    }
    parts.extend(entry.assumptions.iter().map(|assumption| format!("assumed: {assumption}")));
    parts.join(", ")
}

fn section(title: &str, lines: &[String]) -> Result<(), CliError> {
    if lines.is_empty() {
        return Ok(());
    }
    say(&format!("{title}:"))?;
    for line in lines {
        say(&format!("  {line}"))?;
    }
    Ok(())
}

fn import(
    library: &mut ModelLibrary,
    args: &ImportArgs,
    context: &Context,
) -> Result<(), CliError> {
    let request = ImportRequest {
        files: args.files.clone(),
        id: args.id.clone(),
        config: args.config.clone(),
        tokenizer: args.tokenizer.clone(),
        source: args.source.clone(),
        license: args.license.clone(),
    };
    let bar = bytes_bar(context.json);
    let user = library.paths().user.clone();
    let _until_done = context.stop.watch_scratch(&user, IMPORT_PREFIX);
    let imported = library.import(&request, &mut |progress| {
        bar.set_length(progress.progress.total);
        bar.set_position(progress.progress.done);
        bar.set_message(format!("{} of {}", progress.index + 1, progress.files));
        if context.stop.is_raised() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    match imported {
        Ok(imported) => say_imported(&imported, context.json),
        Err(LibraryError::Canceled) => Err(CliError::Interrupted),
        Err(error) => Err(error.into()),
    }
}

fn bytes_bar(json: bool) -> ProgressBar {
    use std::io::IsTerminal as _;
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(1);
    match ProgressStyle::with_template("copying {msg} [{bar:30}] {bytes}/{total_bytes}, {eta} left")
    {
        Ok(style) => bar.set_style(style.progress_chars("=> ")),
        Err(error) => log::debug!("the progress bar keeps its plain style: {error}"),
    }
    bar
}

fn say_imported(imported: &Imported, json: bool) -> Result<(), CliError> {
    if json {
        let checkpoints: Vec<Value> = imported
            .checkpoints
            .iter()
            .map(|checkpoint| {
                json!({
                    "from": checkpoint.from.to_string_lossy(), "role": checkpoint.role,
                    "public": checkpoint.public, "assumptions": checkpoint.assumptions,
                    "replaced": checkpoint.replaced,
                })
            })
            .collect();
        let value = json!({
            "command": "models import", "id": imported.id,
            "folder": imported.folder.to_string_lossy(),
            "checkpoints": checkpoints, "has_tokenizer": imported.has_tokenizer,
        });
        return say(&value.to_string());
    }
    for checkpoint in &imported.checkpoints {
        let shape = if checkpoint.public { "the public" } else { "a" };
        let verb = if checkpoint.replaced { "replaced" } else { "imported" };
        say(&format!(
            "{verb} {} as {shape} {} network of {}",
            checkpoint.from.display(),
            checkpoint.role.name(),
            imported.id
        ))?;
        for assumption in &checkpoint.assumptions {
            say(&format!("  assumed: {assumption}"))?;
        }
    }
    if !imported.has_tokenizer {
        say("  no tokenizer is known for it; import again with --tokenizer FILE to draw with it")?;
    }
    Ok(())
}

fn verify(library: &ModelLibrary, ids: &[String], context: &Context) -> Result<(), CliError> {
    let ids: Vec<&str> = if ids.is_empty() {
        library.families().iter().map(ModelFamily::id).collect()
    } else {
        ids.iter().map(String::as_str).collect()
    };
    let mut files = Vec::new();
    let mut bad = 0;
    for id in ids {
        for result in library.verify(id)? {
            let (sound, verdict) = (result.is_sound(), verdict_text(&result.verdict));
            bad += usize::from(!sound);
            if context.json {
                files.push(json!({
                    "model": id, "role": result.role, "file": result.path.to_string_lossy(),
                    "ok": sound, "verdict": verdict,
                }));
            } else {
                say(&line_of(id, &result.path, &verdict))?;
            }
        }
    }
    if context.json {
        say(&json!({ "command": "models verify", "ok": bad == 0, "files": files }).to_string())?;
    }
    if bad == 0 { Ok(()) } else { Err(CliError::Reported) }
}

fn line_of(id: &str, path: &Path, verdict: &str) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{id}/{name}: {verdict}")
}

fn verdict_text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Intact => "ok".to_owned(),
        Verdict::NotRecorded => "there, but its digest was never recorded".to_owned(),
        Verdict::Missing => "missing; bring the model in again".to_owned(),
        Verdict::WrongSize { expected, found } => {
            format!("has {found} bytes instead of {expected}; bring the model in again")
        }
        Verdict::WrongDigest { expected, found } => {
            format!("was changed: sha256 {found} instead of {expected}; bring the model in again")
        }
        Verdict::Unreadable(why) => format!("can't be read: {why}"),
    }
}
