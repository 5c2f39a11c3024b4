//! The threads that jobs compute on, and how much of the machine they take.
//!
//! Every engine has its own: what its networks do in parallel waits for no one else's work, and the
//! system can be told that a window on the same cores comes first.

use rayon::{ThreadPool, ThreadPoolBuilder};
use thread_priority::{ThreadPriority, ThreadPriorityValue};

use crate::engine::error::EngineError;
use crate::engine::handle::WORKER_THREAD;

/// Between the lowest and the usual priority on a scale from 0 to 99: a niceness of 11 on Linux,
/// below normal on Windows.
const LOW: u8 = 20;

/// How much of the machine an engine takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// Threads that compute; one for every core without it.
    pub threads: Option<usize>,
    /// Who comes first on a busy core.
    pub priority: Priority,
    /// Bytes of weights that stay loaded between jobs, at most; as many as the machine has room for
    /// without it. A job that needs more has them as long as it runs.
    pub memory_budget_bytes: Option<u64>,
}

/// Who comes first on a busy core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// The engine takes its fair share.
    #[default]
    Normal,
    /// The engine takes what others, such as the window's thread, leave; all of an idle machine.
    Low,
}

/// Starts the threads.
///
/// # Errors
///
/// When the system gives none.
pub(crate) fn pool(options: &EngineOptions) -> Result<ThreadPool, EngineError> {
    let priority = options.priority;
    ThreadPoolBuilder::new()
        .num_threads(options.threads.unwrap_or(0))
        .thread_name(|index| format!("{WORKER_THREAD}-{index}"))
        .start_handler(move |_| {
            if priority == Priority::Low {
                lower_priority();
            }
        })
        .build()
        .map_err(|error| EngineError::Thread(std::io::Error::other(error)))
}

/// Whether the current thread works for an engine; panics there are reported as failed jobs.
#[must_use]
pub fn is_engine_thread() -> bool {
    std::thread::current().name().is_some_and(|name| name.starts_with(WORKER_THREAD))
}

fn lower_priority() {
    let lowered = ThreadPriorityValue::try_from(LOW).and_then(|value| {
        ThreadPriority::Crossplatform(value).set_for_current().map_err(|error| format!("{error:?}"))
    });
    if let Err(error) = lowered {
        log::debug!("a thread of the engine keeps its usual priority: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_as_many_threads_of_the_engines_own_as_it_is_given() {
        let options = EngineOptions { threads: Some(3), ..EngineOptions::default() };
        let pool = pool(&options).unwrap();
        assert_eq!(pool.current_num_threads(), 3);
        assert!(pool.broadcast(|_| is_engine_thread()).into_iter().all(|own| own));
        assert!(!is_engine_thread());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn low_priority_threads_are_nicer_than_those_that_started_them() {
        // The 19th field of a thread's `stat` is its niceness; the name before it may hold spaces.
        let niceness = || -> i32 {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let fields = stat.rsplit_once(')').unwrap().1;
            fields.split_whitespace().nth(16).unwrap().parse().unwrap()
        };
        let usual = niceness();
        for (priority, lowered) in [(Priority::Normal, false), (Priority::Low, true)] {
            let options = EngineOptions { threads: Some(2), priority, ..EngineOptions::default() };
            let pool = pool(&options).unwrap();
            for nice in pool.broadcast(|_| niceness()) {
                assert_eq!(nice > usual || usual == 19, lowered || usual == 19, "{nice} {usual}");
            }
        }
        assert_eq!(niceness(), usual, "the thread that asked keeps its own");
    }
}
