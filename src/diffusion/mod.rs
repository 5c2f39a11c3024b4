//! Sampling math: schedules, respacing, noise, guidance and the samplers.
//!
//! Knows no network: a network is anything that implements [`Denoiser`].
