//! A tiny family of made-up weights, and an engine on it, for the tests of this module.

use std::time::Duration;

use tempfile::TempDir;

use crate::engine::device::{DeviceChoice, Precision};
use crate::engine::event::{JobEvent, Outcome, Progress};
use crate::engine::family::{Enlarged, Family, Purpose};
use crate::engine::handle::{Engine, EngineSettings, Previews};
use crate::engine::library::{LibraryPaths, ModelLibrary, TinyFamily};
use crate::engine::request::{Common, Request};

/// Longer than any job of a tiny family takes on a busy machine.
const LONG: Duration = Duration::from_mins(5);

/// An engine on a family of its own.
pub(crate) struct TinyEngine {
    pub(crate) engine: Engine,
    folder: TempDir,
}

impl TinyEngine {
    pub(crate) fn new(family: &TinyFamily) -> Self {
        let folder = tempfile::tempdir().unwrap();
        family.write(folder.path()).unwrap();
        let library = library(&folder);
        let settings = EngineSettings { library, wake: Box::new(|| ()), previews: Previews::Shown };
        Self { engine: Engine::start(settings).unwrap(), folder }
    }

    pub(crate) fn family(&self, purpose: Purpose) -> Family {
        Family::find(&library(&self.folder), None, purpose).unwrap()
    }

    pub(crate) fn common(&self, purpose: Purpose, prompt: &str, clip_guidance: f64) -> Common {
        let family = self.family(purpose);
        Common {
            prompt: prompt.to_owned(),
            negative_prompt: String::new(),
            model: family.id.clone(),
            checkpoints: family.checkpoints(Enlarged::Yes, clip_guidance).unwrap(),
            seed: 7,
            device: DeviceChoice::Cpu,
            precision: Precision::Auto,
        }
    }

    pub(crate) fn library(&self) -> ModelLibrary {
        library(&self.folder)
    }

    /// Runs a job to its end.
    pub(crate) fn run(&mut self, request: Request) -> Outcome {
        self.run_watched(request, |_| ())
    }

    /// Runs a job to its end and shows every progress of it.
    pub(crate) fn run_watched(
        &mut self,
        request: Request,
        mut watch: impl FnMut(Progress),
    ) -> Outcome {
        let job = self.engine.submit(request).unwrap();
        loop {
            match self.engine.wait(LONG).expect("an event in time") {
                (id, JobEvent::Finished(outcome)) if id == job => return outcome,
                (_, JobEvent::Progress(progress)) => watch(progress),
                (_, event) => assert!(!event.is_last(), "{event:?}"),
            }
        }
    }
}

fn library(folder: &TempDir) -> ModelLibrary {
    let paths = LibraryPaths { shipped: Vec::new(), user: folder.path().to_owned() };
    ModelLibrary::open(paths)
}
