//! What can go wrong in sampling math.

/// Why a schedule can't be made or a sampling step can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum DiffusionError {
    /// The noise schedule's name is not one of ours.
    #[error("unknown noise schedule, use squaredcos_cap_v2 or linear: {name:?}")]
    UnknownNoiseSchedule {
        /// The name that was given.
        name: String,
    },
    /// The sampler's name is not one of ours.
    #[error("unknown sampler, use ddpm, ddim or dpm++: {name:?}")]
    UnknownSampler {
        /// The name that was given.
        name: String,
    },
    /// A process of this length has no usable noise.
    #[error(
        "the {name} schedule can't have {num_timesteps} timesteps, because its betas would leave \
         the range between 0 and 1; use more timesteps"
    )]
    InvalidProcess {
        /// The noise schedule.
        name: &'static str,
        /// The length that was asked for.
        num_timesteps: usize,
    },
    /// A respacing string can't be read or asks for the impossible.
    #[error("invalid respacing, {reason}: {respacing:?}")]
    InvalidRespacing {
        /// The respacing string.
        respacing: String,
        /// What is wrong with it and what would do.
        reason: String,
    },
    /// Fewer steps than a process needs.
    #[error("a sampling process needs at least 2 steps, {steps} asked for; use more steps")]
    TooFewSteps {
        /// The number of steps that was asked for.
        steps: usize,
    },
    /// Timesteps are out of order or out of range.
    #[error(
        "timesteps must increase and lie below {num_timesteps}, but {timestep} does not; sort them \
         and leave out repeated ones"
    )]
    InvalidTimestep {
        /// The first timestep that breaks the rule.
        timestep: usize,
        /// Length of the original process.
        num_timesteps: usize,
    },
    /// A step index lies outside the schedule.
    #[error("step {step} lies outside a schedule of {steps} steps")]
    StepOutOfRange {
        /// The index that was given.
        step: usize,
        /// Steps in the schedule.
        steps: usize,
    },
    /// The batch and the list of steps differ in length.
    #[error("{found} step indices were given for a batch of {expected}")]
    BatchMismatch {
        /// Rows of the batch.
        expected: usize,
        /// Step indices given.
        found: usize,
    },
    /// A tensor operation failed, or the denoiser or a hook ended the loop.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}
