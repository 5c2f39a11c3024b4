//! How long frames take, told in the log when the window closes.
//!
//! A frame's time is all that the window's thread does for it, from gathering events to handing the
//! picture over; waiting for the screen is not counted.

/// Frames that are remembered; at 60 a second about three minutes.
const KEPT: usize = 10_000;

/// Times of the newest frames, with and without a job running.
#[derive(Debug, Default)]
pub(crate) struct FrameTimes {
    // In seconds.
    idle: Vec<f32>,
    working: Vec<f32>,
}

impl FrameTimes {
    /// Takes down how long one frame took.
    pub(crate) fn add(&mut self, seconds: f32, job_runs: bool) {
        let times = if job_runs { &mut self.working } else { &mut self.idle };
        if times.len() < KEPT {
            times.push(seconds);
        }
    }

    /// Says the median and the 95th percentile.
    pub(crate) fn log(&mut self) {
        for (times, when) in [(&mut self.idle, "idle"), (&mut self.working, "while a job ran")] {
            times.sort_unstable_by(f32::total_cmp);
            let at = |share: usize| times.get(times.len() * share / 100);
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
