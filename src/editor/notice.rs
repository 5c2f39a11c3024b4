//! Short messages to the user.

use crate::editor::Action;

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Worth knowing.
    Info,
    /// Something did not work.
    Error,
}

/// One message, shown until it is dismissed; information goes by itself after a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its name.
    pub id: u64,
    /// How serious it is.
    pub kind: NoticeKind,
    /// What happened and what can be done, in one or two sentences.
    pub text: String,
    /// What the user can do about it with one click.
    pub offer: Option<Action>,
}
