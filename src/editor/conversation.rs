//! The conversation at a state: the turns on the way from the first state to it.
//!
//! There is no other list of turns than the history. So going back, asking again and trying another
//! message are steps of the history as any other: the turn that was undone is on another line, and
//! a turn whose message was changed stands beside the one that it came from.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::document::{Document, Edit, History, Layer, Node, NodeId, OperationKind};
use crate::editor::AnswerWish;
use crate::engine::request::{AnswerChoice, ChatRecord, Record};

/// What an answer did to the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TurnPicture {
    /// Nothing: it was words.
    #[default]
    None,
    /// The answer had a picture that is the same as the one before.
    Same,
    /// A part of it is another one now.
    Changed,
    /// It is a new one.
    New,
}

/// What is written down with a turn besides the request and the words of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TurnNote {
    /// What the answer did to the picture.
    pub picture: Option<TurnPicture>,
    /// Bytes that differ outside of what was allowed or meant to change, measured on the flattened
    /// picture.
    pub outside_mask_delta: Option<usize>,
}

impl TurnNote {
    /// A turn as it is written down: its record with the note among its fields.
    #[must_use]
    pub fn written_with(&self, record: &Record) -> Option<String> {
        let mut value = serde_json::to_value(record).ok()?;
        let fields = value.as_object_mut()?;
        for (name, field) in serde_json::to_value(self).ok()?.as_object()? {
            if !field.is_null() {
                fields.insert(name.clone(), field.clone());
            }
        }
        serde_json::to_string(&value).ok()
    }
}

/// A message with its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The state after it.
    pub node: NodeId,
    /// The state that it was asked at.
    pub asked_at: Option<NodeId>,
    /// The message and the words of the answer.
    pub record: ChatRecord,
    /// What the answer did to the picture.
    pub picture: TurnPicture,
    /// Bytes that differ outside of what was allowed or meant to change.
    pub outside_mask_delta: Option<usize>,
    /// When it was answered.
    pub time: SystemTime,
    /// All turns that follow the same turn, this one included, the oldest first.
    pub siblings: Vec<NodeId>,
}

impl Turn {
    /// The turn of a state; nothing where that is none, or was written by a program that we don't
    /// understand.
    #[must_use]
    pub fn of(node: &Node) -> Option<Self> {
        if node.kind != OperationKind::Chat {
            return None;
        }
        let json = node.record.as_deref()?;
        let Ok(Record::Chat(record)) = serde_json::from_str(json) else { return None };
        let note: TurnNote = serde_json::from_str(json).unwrap_or_default();
        let picture = note.picture.unwrap_or_else(|| {
            // Another writer's turn: as long as the edits are here, they tell.
            let said = node.operation.edits.iter().any(|edit| matches!(edit, Edit::Said { .. }));
            match (said, &record.settings.image) {
                (true, _) => TurnPicture::None,
                (false, Some(_)) => TurnPicture::Changed,
                (false, None) => TurnPicture::New,
            }
        });
        Some(Self {
            node: node.id,
            asked_at: node.parent,
            record,
            picture,
            outside_mask_delta: note.outside_mask_delta,
            time: node.time,
            siblings: vec![node.id],
        })
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.record.settings.common.prompt
    }

    /// The words of the answer.
    #[must_use]
    pub fn reply(&self) -> &str {
        &self.record.reply
    }

    /// Whether the answer changed the picture.
    #[must_use]
    pub const fn has_picture(&self) -> bool {
        matches!(self.picture, TurnPicture::Changed | TurnPicture::New)
    }

    /// What was to be answered.
    #[must_use]
    pub const fn answer(&self) -> AnswerWish {
        match (self.record.settings.answer, self.picture) {
            (AnswerChoice::Words, _) => AnswerWish::Words,
            (AnswerChoice::Picture, TurnPicture::New) => AnswerWish::NewPicture,
            _ => AnswerWish::Free,
        }
    }

    /// The turn's place among those that follow the same turn, and their number.
    #[must_use]
    pub fn place(&self) -> (usize, usize) {
        let place = self.siblings.iter().position(|node| *node == self.node);
        (place.unwrap_or_default(), self.siblings.len())
    }
}

/// The turns at a state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// From the first to the newest.
    pub turns: Vec<Turn>,
    /// The turns that follow on lines below the state: what was undone, or is to be gone on with.
    pub next: Vec<NodeId>,
}

impl Conversation {
    /// The turns on the way to a state.
    #[must_use]
    pub fn at(history: &History, at: NodeId) -> Self {
        let mut way: Vec<NodeId> = history.ancestors(at).collect();
        way.reverse();
        way.push(at);
        let mut turns: Vec<Turn> =
            way.iter().filter_map(|id| history.node(*id).and_then(Turn::of)).collect();
        // The turn that each state follows. Parents come before their children.
        let mut latest: BTreeMap<NodeId, Option<NodeId>> = BTreeMap::new();
        let mut following: BTreeMap<Option<NodeId>, Vec<NodeId>> = BTreeMap::new();
        let mut below: BTreeMap<NodeId, bool> = BTreeMap::new();
        let mut next = Vec::new();
        for node in history.nodes() {
            let parent = node.parent;
            let before = parent.and_then(|parent| latest.get(&parent).copied().flatten());
            let is_turn = node.kind == OperationKind::Chat;
            if is_turn {
                following.entry(before).or_default().push(node.id);
            }
            latest.insert(node.id, if is_turn { Some(node.id) } else { before });
            // Whether it lies below the state without a turn between.
            let open = node.id == at
                || parent.is_some_and(|parent| below.get(&parent).copied().unwrap_or_default());
            if open && is_turn && node.id != at {
                next.push(node.id);
            }
            below.insert(node.id, open && (node.id == at || !is_turn));
        }
        for turn in &mut turns {
            let before = turn.asked_at.and_then(|parent| latest.get(&parent).copied().flatten());
            if let Some(siblings) = following.get(&before) {
                turn.siblings.clone_from(siblings);
            }
        }
        Self { turns, next }
    }

    /// The newest turn.
    #[must_use]
    pub fn newest(&self) -> Option<&Turn> {
        self.turns.last()
    }
}

/// What a conversation was read from; another key, another conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationKey {
    // States are added and never removed, and the first one tells histories apart.
    nodes: usize,
    first: Option<SystemTime>,
    at: NodeId,
}

impl ConversationKey {
    /// The key at the current state.
    #[must_use]
    pub fn of(history: &History) -> Self {
        Self {
            nodes: history.nodes().count(),
            first: history.node(history.root()).map(|node| node.time),
            at: history.current(),
        }
    }
}

/// The newest turn on the way to the current state whose change is a layer with a mask in this
/// document, and that layer.
#[must_use]
pub fn last_change<'a>(history: &History, document: &'a Document) -> Option<(NodeId, &'a Layer)> {
    let here = history.current();
    let way = std::iter::once(here).chain(history.ancestors(here));
    way.filter_map(|id| history.node(id).filter(|node| node.kind == OperationKind::Chat)).find_map(
        |node| {
            let record = node.record.as_ref()?;
            let made = |layer: &&Layer| layer.record.as_ref() == Some(record);
            let layer = document.layers.iter().rev().find(made)?;
            layer.mask.is_some().then_some((node.id, layer))
        },
    )
}

/// The end of the line that a state is on: where redo leads from it.
#[must_use]
pub fn line_end(history: &History, from: NodeId) -> NodeId {
    let redo = |id: &NodeId| history.node(*id).and_then(|node| node.redo);
    std::iter::successors(Some(from), redo).last().unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::{Action, Command, Editor};
    use crate::ui::script::{self, Reply, turn};

    fn messages(editor: &Editor) -> Vec<String> {
        let conversation = Conversation::at(&editor.history, editor.history.current());
        conversation.turns.iter().map(|turn| turn.message().to_owned()).collect()
    }

    #[test]
    fn turns_are_those_on_the_way_with_others_beside_and_after_them() {
        let mut editor = script::editor();
        let root = editor.history.root();
        let a = turn(&mut editor, "a", Reply::words("1"));
        editor.update(Command::Do(Action::AddLayer));
        let b = turn(&mut editor, "b", Reply::words("2"));
        assert_eq!(messages(&editor), ["a", "b"]);
        // Another second message, asked before the layer was added.
        editor.update(Command::GoTo(a));
        let c = turn(&mut editor, "c", Reply::words("3"));
        assert_eq!(messages(&editor), ["a", "c"]);
        let at = |node| Conversation::at(&editor.history, node);
        assert_eq!(at(c).turns[1].siblings, [b, c]);
        assert_eq!(at(b).turns[1].place(), (0, 2));
        assert_eq!(at(c).turns[0].siblings, [a]);
        assert_eq!((at(a).next, at(root).next, at(c).next), (vec![b, c], vec![a], vec![]));
        assert_eq!(at(b).newest().unwrap().reply(), "2");
        assert_eq!(line_end(&editor.history, root), c, "redo leads along the last way");
        // Other work makes no turn.
        editor.update(Command::Do(Action::AddLayer));
        assert_eq!(messages(&editor), ["a", "c"]);
    }

    #[test]
    fn a_key_is_another_one_where_the_conversation_may_be() {
        let mut editor = script::editor();
        let first = ConversationKey::of(&editor.history);
        assert_eq!(first, ConversationKey::of(&editor.history));
        turn(&mut editor, "a", Reply::words("1"));
        let second = ConversationKey::of(&editor.history);
        editor.update(Command::Do(Action::Undo));
        let third = ConversationKey::of(&editor.history);
        assert!(first != second && second != third && first != third);
    }

    #[test]
    fn what_is_written_down_is_read_again_and_stays_a_record() {
        let mut editor = script::editor();
        let node = turn(&mut editor, "why?", Reply::words("because"));
        let node = editor.history.node(node).unwrap();
        let json = node.record.as_deref().unwrap();
        assert!(json.starts_with(r#"{"command":"chat","#), "{json}");
        let record: Record = serde_json::from_str(json).unwrap();
        assert_eq!(record.common().prompt, "why?");
        let note = TurnNote { picture: Some(TurnPicture::Changed), outside_mask_delta: Some(0) };
        let written = note.written_with(&record).unwrap();
        assert_eq!(serde_json::from_str::<TurnNote>(&written).unwrap(), note);
        assert_eq!(serde_json::from_str::<Record>(&written).unwrap(), record);
        assert_eq!(Turn::of(node).unwrap().picture, TurnPicture::None);
    }
}
