//! The sampling loops, one file each, behind one function: [`sample`].
//!
//! A loop walks a schedule from the noisiest step to the last. It draws no noise of its own and
//! knows no guidance: both are handed in.

mod ddim;
mod ddpm;
mod dpm_solver_pp;
mod run;

pub use run::{CondFn, Hooks, NoiseFn, Sampler, SamplerSettings, StepReport, sample, sample_last};
