//! The jobs as the panel shows them.

use std::time::Duration;

use crate::editor::{Job, JobKind, JobList, JobNumber, JobState};
use crate::engine::event::Stage;
use crate::locale::{tr, trf};

/// The jobs in the order of the panel.
#[derive(Debug, Default)]
pub struct QueueRows<'a> {
    /// The one that runs.
    pub running: Option<&'a Job>,
    /// Those that wait, the next one first.
    pub waiting: Vec<&'a Job>,
    /// Those that are over, the newest first.
    pub over: Vec<&'a Job>,
}

impl<'a> QueueRows<'a> {
    /// Sorts the jobs.
    #[must_use]
    pub fn new(jobs: &'a JobList) -> Self {
        Self {
            running: jobs.running(),
            waiting: jobs.waiting().collect(),
            over: jobs.jobs.iter().rev().filter(|job| job.is_over()).collect(),
        }
    }

    /// Whether there is no job at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty() && self.over.is_empty()
    }

    /// The place of a waiting job that is dropped before another one, or behind the last;
    /// nothing where it would stay in its place.
    #[must_use]
    pub fn dropped(&self, job: JobNumber, before: usize) -> Option<usize> {
        let from = self.waiting.iter().position(|waiting| waiting.number == job)?;
        moved_to(from, before)
    }
}

/// The new place of an item that is taken out of a list and put before the item that was at
/// `before`; nothing where it stays in its place.
#[must_use]
pub const fn moved_to(from: usize, before: usize) -> Option<usize> {
    if before == from || before == from + 1 {
        None
    } else if before > from {
        Some(before - 1)
    } else {
        Some(before)
    }
}

/// What a kind of work is called.
#[must_use]
pub fn kind_label(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Generate => tr("Generate"),
        JobKind::Fill => tr("Fill the mask"),
        JobKind::Extend => tr("Extend"),
        JobKind::Vary => tr("Vary"),
        JobKind::Upscale => tr("Upscale"),
        JobKind::Chat => tr("Chat"),
    }
}

/// What is done right now.
#[must_use]
pub fn stage_label(stage: Option<Stage>) -> &'static str {
    match stage {
        None => tr("Starting"),
        Some(Stage::Load) => tr("Loading the model"),
        Some(Stage::Text) => tr("Reading the prompt"),
        Some(Stage::Words) => tr("Writing"),
        Some(Stage::Base) => tr("Drawing"),
        Some(Stage::Upsample) => tr("Enlarging"),
        Some(Stage::Blend) => tr("Finishing"),
    }
}

/// How a job that is over ended, in a word.
#[must_use]
pub fn end_label(state: &JobState) -> &'static str {
    match state {
        JobState::Finished => tr("Done"),
        JobState::Failed(_) => tr("Failed"),
        JobState::Cancelled => tr("Cancelled"),
        JobState::Preparing => tr("Preparing"),
        JobState::Waiting => tr("Waiting"),
        JobState::Running { .. } => tr("Running"),
    }
}

/// Time left, no more exact than it can be known.
#[must_use]
pub fn time_left(left: Duration) -> String {
    let seconds = left.as_secs_f64().ceil() as u64;
    if seconds < 60 {
        return trf("{seconds} s left", &[("seconds", &seconds.max(1))]);
    }
    let minutes = seconds.div_ceil(60);
    if minutes < 60 {
        return trf("{minutes} min left", &[("minutes", &minutes)]);
    }
    trf("{hours} h {minutes} min left", &[("hours", &(minutes / 60)), ("minutes", &(minutes % 60))])
}

/// A job's prompt on one line, or a word where it has none.
#[must_use]
pub fn prompt_line(prompt: &str) -> String {
    let words: Vec<&str> = prompt.split_whitespace().collect();
    if words.is_empty() { tr("No prompt").to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;

    #[test]
    fn jobs_stand_in_the_order_of_their_work() {
        let mut editor = sample::editor();
        sample::add_jobs(&mut editor);
        let rows = QueueRows::new(&editor.jobs);
        let numbers = |jobs: &[&Job]| jobs.iter().map(|job| job.number.0).collect::<Vec<_>>();
        assert_eq!(rows.running.map(|job| job.number.0), Some(4));
        assert_eq!(numbers(&rows.waiting), [5, 6, 7]);
        assert_eq!(numbers(&rows.over), [3, 2, 1]);
        assert_eq!(rows.dropped(JobNumber(7), 0), Some(0));
        assert_eq!(rows.dropped(JobNumber(5), 3), Some(2));
        assert_eq!(rows.dropped(JobNumber(4), 0), None, "the running one has no place to wait at");
    }

    #[test]
    fn an_item_lands_where_it_is_dropped() {
        let check = |from: usize, before: usize, expected: Option<usize>| {
            let mut list = vec![0, 1, 2, 3];
            let landed = moved_to(from, before);
            assert_eq!(landed, expected, "{from} before {before}");
            if let Some(to) = landed {
                let item = list.remove(from);
                list.insert(to, item);
                let follower = list.get(to + 1).copied();
                assert_eq!(follower, (before < 4).then_some(before), "{list:?}");
            }
        };
        check(0, 0, None);
        check(0, 1, None);
        check(0, 2, Some(1));
        check(0, 4, Some(3));
        check(3, 0, Some(0));
        check(2, 1, Some(1));
        check(3, 4, None);
    }

    #[test]
    fn time_left_is_told_in_fitting_units() {
        let check = |seconds: f64, text: &str| {
            assert_eq!(time_left(Duration::from_secs_f64(seconds)), text);
        };
        check(0.0, "1 s left");
        check(11.2, "12 s left");
        check(61.0, "2 min left");
        check(3.0 * 3600.0 + 61.0, "3 h 2 min left");
    }

    #[test]
    fn prompts_fit_on_a_line() {
        assert_eq!(prompt_line("a  red\nhouse "), "a red house");
        assert_eq!(prompt_line(" \n"), "No prompt");
    }
}
