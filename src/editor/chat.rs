//! What the user is saying to a model, and what it is answering.
//!
//! What was said and answered is not here: it is in the history, see
//! [`crate::editor::Conversation`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::document::{Attachment, Document, Edit, NodeId};
use crate::editor::{GalleryItem, JobNumber, RequestPlan};

/// Pictures that can be shown with a message.
pub const MOST_ATTACHMENTS: usize = 4;

/// What is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerWish {
    /// What the model thinks fit: words, a change of the picture, or both.
    #[default]
    Free,
    /// Words only; the picture stays as it is.
    Words,
    /// A picture of its own instead of a change of this one.
    NewPicture,
}

/// How messages are answered; `None` leaves a setting to the model's own suggestion.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatOptions {
    /// The model's id; the first one that can chat without.
    pub model: Option<String>,
    /// What is answered.
    pub answer: AnswerWish,
    /// Whether what changes is refined by another network before it is brought to full size.
    pub refine: Option<bool>,
    /// Denoising steps.
    pub steps: Option<u32>,
    /// How strongly to follow the message.
    pub guidance: Option<f64>,
}

/// What the user says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// The words.
    pub text: String,
    /// Pictures that are shown with them.
    pub attachments: Vec<Attachment>,
    /// What is to be answered.
    pub answer: AnswerWish,
}

/// A message that is being answered.
#[derive(Clone, Debug)]
pub struct PendingTurn {
    /// The job that does it.
    pub job: JobNumber,
    /// What was said.
    pub message: Message,
    /// The words of the answer so far.
    pub words: String,
    /// What the model said about the message: words that it does not know.
    pub remark: Option<String>,
    /// The state to return to where there is no answer; with it, the message is an old one that is
    /// asked again.
    pub back_to: Option<NodeId>,
}

/// An earlier message that is being changed, and what it took the place of.
#[derive(Clone, Debug, PartialEq)]
pub struct EditedMessage {
    /// The turn.
    pub node: NodeId,
    /// The state that the user was at.
    pub back_to: NodeId,
    /// The words that were being written.
    pub draft: String,
    /// The pictures that were to be shown with them.
    pub attachments: Vec<Attachment>,
}

/// What a job answered, ready to become a state of the history.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What was asked.
    pub plan: Arc<RequestPlan>,
    /// The answer's picture for the gallery, where there is one.
    pub item: Option<GalleryItem>,
    /// The edits that make the answer a part of the document.
    pub edits: Vec<Edit>,
    /// The document with it.
    pub document: Document,
}

/// Everything about the conversation that is not in the history.
#[derive(Clone, Debug, Default)]
pub struct Chat {
    /// The words that are being written.
    pub draft: String,
    /// The pictures that are to be shown with them.
    pub attachments: Vec<Attachment>,
    /// How messages are answered.
    pub options: ChatOptions,
    /// The message that is being answered.
    pub pending: Option<PendingTurn>,
    /// The earlier message that is being changed.
    pub edited: Option<EditedMessage>,
    /// Pictures that were shown with the messages of the history. They are in its edits too, but
    /// stay here when a state lets its pixels and edits go.
    pub attached: BTreeMap<NodeId, Vec<Attachment>>,
    /// What the model said about messages of this session.
    pub remarks: BTreeMap<NodeId, String>,
    /// A turn that became a branch because the user had gone elsewhere, until it is looked at.
    pub elsewhere: Option<NodeId>,
    /// Answers that wait until the pointer or a computation is done.
    pub arrived: VecDeque<Answered>,
    /// Whether what the last answer changed is shown as a color.
    pub show_change: bool,
    /// Counts the pictures that were opened: an answer for another one has no place any more.
    pub era: u64,
}
