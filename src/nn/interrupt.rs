//! The flag that stops a network in the middle of an evaluation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A shared flag that long computations look at; once raised, they end with an error.
///
/// Networks check it between and inside their layers, so that a cancelled job ends within a layer
/// and not only between two sampling steps.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A flag that nobody has raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every computation that holds this flag to stop.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the flag was raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Goes on, or ends the computation.
    ///
    /// # Errors
    ///
    /// When the flag was raised. The error's text is only a marker: whoever raised the flag knows
    /// why, and asks [`Self::is_raised`] to tell it from a failure.
    pub fn check(&self) -> candle_core::Result<()> {
        if self.is_raised() {
            candle_core::bail!("interrupted");
        }
        Ok(())
    }
}
