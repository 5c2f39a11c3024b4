//! What the worker does: looks at the kind of a request and runs its function.

use std::collections::BTreeMap;

use candle_core::Device;

use crate::engine::chat::{Talks, chat};
use crate::engine::check::check;
use crate::engine::device::{DeviceChoice, open_device};
use crate::engine::error::EngineError;
use crate::engine::family::{Enlarged, Family};
use crate::engine::generate::generate;
use crate::engine::inpaint::inpaint;
use crate::engine::library::ModelLibrary;
use crate::engine::loaded_models::{LoadedModels, Wanted};
use crate::engine::report::Report;
use crate::engine::request::Request;
use crate::engine::upscale::upscale;
use crate::engine::worker::{JobResult, Made, Preload, Task};
use crate::models::Role;
use crate::nn::Interrupt;

/// The worker's belongings: devices that were opened and models that were loaded.
pub(crate) struct Jobs {
    /// Where the models are.
    pub(crate) library: ModelLibrary,
    /// The networks in memory.
    pub(crate) models: LoadedModels,
    /// What was said lately.
    pub(crate) talks: Talks,
    devices: BTreeMap<&'static str, Device>,
}

impl Jobs {
    /// No device opened, nothing loaded.
    pub(crate) fn new(library: ModelLibrary, memory_budget_bytes: Option<u64>) -> Self {
        let models = LoadedModels::new(memory_budget_bytes);
        Self { library, models, talks: Talks::default(), devices: BTreeMap::new() }
    }

    /// Does what the worker is told.
    pub(crate) fn work(&mut self, task: Task<'_, '_>) -> JobResult {
        match task {
            Task::Job(request, report) => {
                let result = self.run(request, report);
                self.models.drop_under_pressure();
                result
            }
            Task::Preload(preload, interrupt) => {
                self.preload(preload, interrupt)?;
                Ok(Made::default())
            }
            Task::DropModels => {
                self.models.drop_all();
                self.talks.clear();
                Ok(Made::default())
            }
        }
    }

    fn run(&mut self, request: &Request, report: &mut Report<'_>) -> JobResult {
        check(request)?;
        match request {
            Request::Generate(request) => Ok(generate(self, request, report)?.into()),
            Request::Inpaint(request) => Ok(inpaint(self, request, report)?.into()),
            Request::Upscale(request) => Ok(upscale(self, request, report)?.into()),
            Request::Chat(request) => chat(self, request, report),
        }
    }

    /// Loads what a job of this purpose will need.
    fn preload(&mut self, preload: &Preload, interrupt: &Interrupt) -> Result<(), EngineError> {
        let family = Family::find(&self.library, preload.model.as_deref(), preload.purpose)?;
        let enlarged = if family.large_size().is_some() { Enlarged::Yes } else { Enlarged::No };
        let device = self.device(preload.device)?;
        let dtype = preload.precision.dtype(&device)?;
        let wanted = Wanted { library: &self.library, family: &family.id, device: &device };
        for checkpoint in family.checkpoints(enlarged, 0.0)? {
            match checkpoint.role {
                Role::Autoencoder => {
                    self.models.autoencoder(&wanted, &checkpoint, dtype, interrupt)?;
                }
                Role::Transfusion => {
                    self.models.talker(&wanted, &checkpoint, dtype, interrupt)?;
                }
                _ => {
                    self.models.glide(&wanted, &checkpoint, dtype, interrupt)?;
                }
            }
        }
        Ok(())
    }

    /// The device of a choice, opened when it is first asked for.
    pub(crate) fn device(&mut self, choice: DeviceChoice) -> Result<Device, EngineError> {
        if let Some(device) = self.devices.get(choice.name()) {
            return Ok(device.clone());
        }
        let device = open_device(choice)?;
        self.devices.insert(choice.name(), device.clone());
        Ok(device)
    }
}
