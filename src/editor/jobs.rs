//! The list of jobs that the user sees.

use std::time::Duration;

use crate::editor::JobKind;
use crate::engine::event::{JobId, Stage};

/// Names a job in the window's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobNumber(pub u64);

/// Where a job is.
#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    /// Its request is being built.
    Preparing,
    /// It waits for others.
    Waiting,
    /// It runs.
    Running {
        /// Which part.
        stage: Option<Stage>,
        /// 0 to 1, over the whole job.
        done: f32,
        /// Time left for the whole job, once it is known.
        left: Option<Duration>,
    },
    /// It is done.
    Finished,
    /// It could not be done: why, and how to mend it.
    Failed(String),
    /// The user stopped it.
    Cancelled,
}

/// One job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name in the list.
    pub number: JobNumber,
    /// The engine's name for it, once it has one.
    pub id: Option<JobId>,
    /// What it does.
    pub kind: JobKind,
    /// Its prompt.
    pub prompt: String,
    /// Its first seed.
    pub seed: u64,
    /// How many pictures.
    pub count: u32,
    /// Where it is.
    pub state: JobState,
    /// What it was made of, for trying again and for placing its results.
    pub plan: std::sync::Arc<crate::editor::RequestPlan>,
}

impl Job {
    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state, JobState::Finished | JobState::Failed(_) | JobState::Cancelled)
    }
}

/// All jobs of the session: first those that are over, then the running one, then those that wait
/// in their order.
#[derive(Clone, Debug, Default)]
pub struct JobList {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// The number that was given last.
    pub last_number: u64,
}

impl JobList {
    /// A job by its number.
    #[must_use]
    pub fn job(&self, number: JobNumber) -> Option<&Job> {
        self.jobs.iter().find(|job| job.number == number)
    }

    /// A job by the engine's name.
    #[must_use]
    pub fn by_id(&self, id: JobId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == Some(id))
    }

    /// A job by the engine's name, to be changed.
    pub fn by_id_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == Some(id))
    }

    /// The job that runs.
    #[must_use]
    pub fn running(&self) -> Option<&Job> {
        self.jobs.iter().find(|job| matches!(job.state, JobState::Running { .. }))
    }

    /// Whether any job runs or waits.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.jobs.iter().any(|job| !job.is_over())
    }

    /// Jobs that wait or are being prepared, the next to run first.
    pub fn waiting(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| matches!(job.state, JobState::Waiting | JobState::Preparing))
    }
}
