//! `gesso selftest` and `gesso bench`: thin calls of the modules that do the work.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::bench::canvas::{self, CanvasBench};
use crate::bench::project::{self, ProjectBench, ProjectMeasurement};
use crate::bench::{BenchError, BenchRequest};
use crate::cli::args::{BenchArgs, BenchWhat, SelftestArgs};
use crate::cli::error::CliError;
use crate::cli::output::say;
use crate::cli::run::{Context, open_library};
use crate::engine::device::{device_name, open_device};
use crate::engine::error::EngineError;
use crate::nn::Interrupt;
use crate::selftest::Check;

pub(crate) fn selftest(args: &SelftestArgs, context: &Context) -> Result<(), CliError> {
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => built_in_vectors()?,
    };
    let device = open_device(args.device).map_err(EngineError::from)?;
    let mut checks = Vec::new();
    let (mut failed, mut all) = (0usize, 0usize);
    let mut unsaid = None;
    let mut sink = |check: Check| {
        all += 1;
        failed += usize::from(!check.ok);
        if context.json {
            checks.push(check_json(&check));
        } else if unsaid.is_none() {
            unsaid = say(&check.to_string()).err();
        }
    };
    crate::selftest::run(&dir, &device, &mut sink)
        .map_err(|error| CliError::Input(error.to_string()))?;
    if let Some(error) = unsaid {
        return Err(error);
    }
    if context.json {
        let report = json!({
            "command": "selftest", "device": device_name(&device), "ok": failed == 0,
            "failed": failed, "checked": all, "checks": checks,
        });
        say(&report.to_string())?;
    } else {
        say(&format!("{failed} of {all} checks failed"))?;
    }
    if failed == 0 { Ok(()) } else { Err(CliError::Reported) }
}

fn check_json(check: &Check) -> Value {
    json!({
        "case": check.name, "max_abs_error": check.max_abs_error,
        "tolerance": check.tolerance.to_string(), "ok": check.ok,
    })
}

/// The vectors of the source tree that the program was built from, or those beside the program.
fn built_in_vectors() -> Result<PathBuf, CliError> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("golden")));
    [Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/glide")), beside]
        .into_iter()
        .flatten()
        .find(|dir| dir.is_dir())
        .ok_or_else(|| {
            CliError::input(
                "there are no reference vectors beside this program; name a folder that holds some",
            )
        })
}

pub(crate) fn bench(args: &BenchArgs, context: &Context) -> Result<(), CliError> {
    if args.large && args.what != BenchWhat::Project {
        return Err(CliError::input("--large goes with `gesso bench project`"));
    }
    match args.what {
        BenchWhat::Networks => {}
        BenchWhat::Chat => return bench_chat(args, context),
        BenchWhat::Canvas => return bench_canvas(context),
        BenchWhat::Project => return bench_project(args, context),
    }
    let device = open_device(args.device).map_err(EngineError::from)?;
    let library = open_library()?;
    let interrupt = Interrupt::new();
    let request = BenchRequest {
        model: args.model.as_deref(),
        device: &device,
        library: &library,
        interrupt: &interrupt,
    };
    let mut measurements = Vec::new();
    let mut unsaid = None;
    crate::bench::run(&request, &mut |measurement| {
        if context.json {
            measurements.push(json!(measurement));
        } else if unsaid.is_none() {
            unsaid = say(&measurement.to_string()).err();
        }
    })
    .map_err(|error| match error {
        BenchError::Library(error) => CliError::from(error),
        error => CliError::Failure(error.to_string()),
    })?;
    if let Some(error) = unsaid {
        return Err(error);
    }
    if context.json {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let report = json!({
            "command": "bench", "device": device_name(&device), "threads": threads,
            "measurements": measurements,
        });
        say(&report.to_string())?;
    }
    Ok(())
}

/// Measures models that one talks to.
fn bench_chat(args: &BenchArgs, context: &Context) -> Result<(), CliError> {
    let device = open_device(args.device).map_err(EngineError::from)?;
    let library = open_library()?;
    let interrupt = Interrupt::new();
    let mut rows = Vec::new();
    let mut unsaid = None;
    let measured =
        crate::bench::chat::run(&library, args.model.as_deref(), &device, &interrupt, &mut |row| {
            if context.json {
                rows.push(json!(row));
            } else if unsaid.is_none() {
                unsaid = say(&row.to_string()).err();
            }
        });
    measured.map_err(|error| match error {
        BenchError::Library(error) => CliError::from(error),
        error => CliError::Failure(error.to_string()),
    })?;
    if let Some(error) = unsaid {
        return Err(error);
    }
    if context.json {
        let report = json!({
            "command": "bench chat", "device": device_name(&device), "measurements": rows,
        });
        say(&report.to_string())?;
    }
    Ok(())
}

/// Measures how work is kept, saved and opened.
fn bench_project(args: &BenchArgs, context: &Context) -> Result<(), CliError> {
    let mut rows = Vec::new();
    let mut unsaid = None;
    let mut tell = |row: &ProjectMeasurement| {
        if context.json {
            rows.push(json!(row));
        } else if unsaid.is_none() {
            unsaid = say(&row.to_string()).err();
        }
    };
    if args.large {
        project::run_large(&mut tell)?;
    } else {
        project::run(&ProjectBench::default(), &mut tell)?;
    }
    if let Some(error) = unsaid {
        return Err(error);
    }
    if context.json {
        say(&json!({ "command": "bench project", "measurements": rows }).to_string())?;
    }
    Ok(())
}

/// Measures painting and showing, without a window.
fn bench_canvas(context: &Context) -> Result<(), CliError> {
    let (mut rows, mut memory) = (Vec::new(), Vec::new());
    let unsaid = std::cell::RefCell::new(None);
    let tell = |text: String| {
        if !context.json && unsaid.borrow().is_none() {
            *unsaid.borrow_mut() = say(&text).err();
        }
    };
    let drawn_by = canvas::run(
        &CanvasBench::default(),
        &mut |row| {
            tell(row.to_string());
            rows.push(json!(row));
        },
        &mut |layers| {
            tell(layers.to_string());
            memory.push(json!(layers));
        },
    )
    .map_err(|error| CliError::Failure(error.to_string()))?;
    if let Some(error) = unsaid.into_inner() {
        return Err(error);
    }
    if context.json {
        let report = json!({
            "command": "bench canvas", "drawn_by": drawn_by, "measurements": rows, "memory": memory,
        });
        say(&report.to_string())
    } else {
        say(&format!("drawn by {drawn_by}"))
    }
}
