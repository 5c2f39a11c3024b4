//! How long frames take, told in the log when the window closes.

use std::time::Duration;

/// Frames that are remembered; at 60 a second about three minutes.
const KEPT: usize = 10_000;

/// Times of the newest frames, with and without a job running.
#[derive(Debug, Default)]
pub(crate) struct FrameTimes {
    idle: Vec<Duration>,
    working: Vec<Duration>,
}

impl FrameTimes {
    /// Whether there was none yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.idle.is_empty() && self.working.is_empty()
    }

    /// Takes down one frame.
    pub(crate) fn add(&mut self, time: Duration, job_runs: bool) {
        let times = if job_runs { &mut self.working } else { &mut self.idle };
        if times.len() < KEPT {
            times.push(time);
        }
    }

    /// Says the median and the 95th percentile.
    pub(crate) fn log(&mut self) {
        for (times, when) in [(&mut self.idle, "idle"), (&mut self.working, "while a job ran")] {
            times.sort_unstable();
            let at = |share: usize| times.get(times.len() * share / 100).map(Duration::as_secs_f64);
            if let (Some(median), Some(p95)) = (at(50), at(95)) {
                log::info!(
                    "{} frames {when}: median {:.2} ms, p95 {:.2} ms on the window's thread",
                    times.len(),
                    median * 1e3,
                    p95 * 1e3
                );
            }
        }
    }
}
