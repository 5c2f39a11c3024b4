//! `gesso eval`: how well a model does what can be measured.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::args::{AskedBy, EvalCommand, EvalOptions};
use crate::cli::error::CliError;
use crate::cli::output::{check_parent, say};
use crate::cli::run::{Context, open_library};
use crate::cli::session::{Session, Show};
use crate::engine::draft::Choices;
use crate::engine::library::{ModelFamily, ModelLibrary};
use crate::eval::{
    CHAT_DOMAIN_FILE, ChatModel, DOMAIN_FILE, Domain, DrawingModel, EditingModel, EngineModel,
    Plan, Seen, Source, World, contact_sheet,
};
use crate::models::Role;
use crate::raster::RgbaImage;
use crate::storage::{PngOptions, write_png};

/// Pictures of each task without `--count`: with the starter model a minute or two on two cores.
const DRAW_COUNT: u32 = 24;
/// Edits and questions of each kind without `--count`: likewise.
const EDIT_COUNT: u32 = 6;

pub(crate) fn run(command: &EvalCommand, context: &Context) -> Result<(), CliError> {
    let library = open_library()?;
    let mut session = Session::start(open_library()?, context.stop.clone(), Show::Nothing)?;
    let run = |request| session.run(request);
    match command {
        EvalCommand::Draw(options) if asked_by(options, &library)? == AskedBy::Chat => {
            let setting = Setting::new(options, &library, AskedBy::Chat)?;
            let mut model = ChatModel::new(&library, options.choices(), run)?;
            draw(&setting, &mut model, context)
        }
        EvalCommand::Draw(options) => {
            let setting = Setting::new(options, &library, AskedBy::Prompt)?;
            let mut model = EngineModel::new(&library, options.choices(), run)?;
            draw(&setting, &mut model, context)
        }
        EvalCommand::Edit(options) => {
            if options.by == Some(AskedBy::Prompt) {
                return Err(CliError::input("edits are asked for by messages; leave --by out"));
            }
            let setting = Setting::new(options, &library, AskedBy::Chat)?;
            let mut model = ChatModel::new(&library, options.choices(), run)?;
            edit(&setting, &mut model, context)
        }
    }
}

/// By prompts where the model draws from those.
fn asked_by(options: &EvalOptions, library: &ModelLibrary) -> Result<AskedBy, CliError> {
    if let Some(by) = options.by {
        return Ok(by);
    }
    let family = match &options.model {
        Some(id) => library.family(id)?,
        None => library.default_family()?,
    };
    let talks = family.manifest.checkpoint(Role::Transfusion).is_some();
    let draws = family.network_for(Role::Base).is_some();
    Ok(if talks && !draws { AskedBy::Chat } else { AskedBy::Prompt })
}

fn draw<M: DrawingModel<Error = CliError>>(
    setting: &Setting<'_>,
    model: &mut M,
    context: &Context,
) -> Result<(), CliError> {
    let plan = setting.plan(DRAW_COUNT);
    let size = model.size();
    let mut gallery = Gallery::new(context);
    let report = crate::eval::draw(&setting.world, &plan, model, &mut |seen| gallery.add(seen))?;
    setting.finish("eval draw", size, &plan, &report, gallery, context)
}

fn edit<M: EditingModel<Error = CliError>>(
    setting: &Setting<'_>,
    model: &mut M,
    context: &Context,
) -> Result<(), CliError> {
    let plan = setting.plan(EDIT_COUNT);
    let size = model.size();
    let mut gallery = Gallery::new(context);
    let report = crate::eval::edit(&setting.world, &plan, model, &mut |seen| gallery.add(seen))?;
    setting.finish("eval edit", size, &plan, &report, gallery, context)
}

/// What is evaluated, and where the results go.
struct Setting<'a> {
    options: &'a EvalOptions,
    model: String,
    /// The file that restricts the evaluation.
    domain: Option<PathBuf>,
    world: World,
    began: Instant,
}

impl<'a> Setting<'a> {
    fn new(
        options: &'a EvalOptions,
        library: &ModelLibrary,
        by: AskedBy,
    ) -> Result<Self, CliError> {
        if let Some(folder) = &options.save {
            make_folder(folder)?;
        }
        let family: &ModelFamily = match &options.model {
            Some(id) => library.family(id)?,
            None if by == AskedBy::Chat => library.default_talker()?,
            None => library.default_family()?,
        };
        let names: &[&str] = match by {
            AskedBy::Prompt => &[DOMAIN_FILE],
            AskedBy::Chat => &[CHAT_DOMAIN_FILE, DOMAIN_FILE],
        };
        let domain = options.domain.clone().or_else(|| Domain::file_in(&family.folder, names));
        let known = domain.as_deref().map(Domain::read).transpose()?.unwrap_or_default();
        let source = options.data.clone().map_or(Source::BuiltIn, Source::Folder);
        let world = World::new(&source, &known, options.split.into())?;
        Ok(Self { options, model: family.id().to_owned(), domain, world, began: Instant::now() })
    }

    fn plan(&self, usual_count: u32) -> Plan {
        Plan { count: self.options.count.unwrap_or(usual_count), seed: self.options.seed }
    }

    /// Writes contact sheets and report, and prints it.
    fn finish(
        &self,
        command: &str,
        size: u32,
        plan: &Plan,
        report: &(impl Serialize + std::fmt::Display),
        gallery: Gallery,
        context: &Context,
    ) -> Result<(), CliError> {
        let sheets = gallery.finish();
        let seconds = (self.began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        let mut map = Map::new();
        let mut put = |name: &str, value: Value| {
            map.insert(name.to_owned(), value);
        };
        let options = self.options;
        put("command", json!(command));
        put("model", json!(self.model));
        put("size", json!(size));
        put("seed", json!(plan.seed));
        put("count", json!(plan.count));
        put("steps", json!(options.steps));
        put("guidance", json!(options.guidance));
        put("device", json!(options.device));
        put("collection", json!(options.data.as_ref().map(|folder| folder.to_string_lossy())));
        put("domain", json!(self.domain.as_ref().map(|file| file.to_string_lossy())));
        let split = crate::eval::Split::from(options.split).name();
        put("split", json!(split));
        put("asked", json!(self.world.summary()));
        put("seconds", json!(seconds));
        if let Value::Object(mut fields) = json!(report) {
            map.append(&mut fields);
        }
        let object = Value::Object(map).to_string();
        if let Some(folder) = &options.save {
            save(folder, &sheets, &object)?;
        }
        if context.json {
            return say(&object);
        }
        say(&report.to_string())?;
        say("")?;
        say(&format!("asked for: {}", self.world.summary()))?;
        say(&match &self.domain {
            Some(file) => format!("restricted to what the model knows by {file:?}"),
            None => "the model doesn't say what it knows, so nothing was left out".to_owned(),
        })?;
        say(&format!(
            "model {}, {size} px, seed {}, {split} sprites, {seconds:.1} s",
            self.model, plan.seed
        ))
    }
}

impl EvalOptions {
    fn choices(&self) -> Choices {
        Choices {
            model: self.model.clone(),
            steps: self.steps,
            guidance: self.guidance,
            device: Some(self.device),
            ..Choices::default()
        }
    }
}

/// The rows of the contact sheets, and how far the evaluation is.
struct Gallery {
    sheets: Vec<(&'static str, Vec<Vec<RgbaImage>>)>,
    bar: ProgressBar,
}

impl Gallery {
    fn new(context: &Context) -> Self {
        let bar = if context.json || !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(1)
        };
        match ProgressStyle::with_template("{prefix:>12} [{bar:30}] {pos}/{len}, {eta} left") {
            Ok(style) => bar.set_style(style.progress_chars("=> ")),
            Err(error) => log::debug!("the progress bar keeps its plain style: {error}"),
        }
        bar.tick();
        Self { sheets: Vec::new(), bar }
    }

    fn add(&mut self, seen: Seen) {
        let Seen::Case { kind, row, done, all } = seen;
        self.bar.set_prefix(kind);
        self.bar.set_length(all as u64);
        self.bar.set_position(done as u64);
        match self.sheets.last_mut() {
            Some((last, rows)) if *last == kind => rows.push(row),
            _ => self.sheets.push((kind, vec![row])),
        }
    }

    fn finish(self) -> Vec<(&'static str, Vec<Vec<RgbaImage>>)> {
        self.bar.finish_and_clear();
        self.sheets
    }
}

fn make_folder(folder: &Path) -> Result<(), CliError> {
    if folder.is_dir() {
        return Ok(());
    }
    if folder.exists() {
        return Err(CliError::Input(format!(
            "contact sheets go into a folder, but a file has that name: {folder:?}"
        )));
    }
    check_parent(folder)?;
    std::fs::create_dir(folder)
        .map_err(|error| CliError::Input(format!("the folder can't be made: {error}: {folder:?}")))
}

/// Writes one sheet a kind, and the report.
fn save(
    folder: &Path,
    sheets: &[(&'static str, Vec<Vec<RgbaImage>>)],
    report: &str,
) -> Result<(), CliError> {
    for (kind, rows) in sheets {
        let file = folder.join(format!("{kind}.png"));
        write_png(&file, &contact_sheet(rows), &[], &PngOptions::default())?;
    }
    let file = folder.join("report.json");
    std::fs::write(&file, report).map_err(|error| {
        CliError::Failure(format!("the report can't be written: {error}: {file:?}"))
    })
}
