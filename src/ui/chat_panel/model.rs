//! What the chat's panel shows, derived from the editor.

use crate::document::NodeId;
use crate::editor::{
    AnswerWish, Conversation, ConversationKey, Editor, JobNumber, JobState, Turn, TurnPicture,
    last_change,
};
use crate::engine::family::Purpose;
use crate::locale::{tr, trf};
use crate::ui::widgets::Tone;

/// Messages that show what a model of this kind does, where its card names none. They are in the
/// language that such models read.
const EXAMPLES_WITHOUT_PICTURE: [&str; 4] = [
    "draw a red apple on a green background",
    "draw a tree and a house",
    "draw a blue car",
    "draw a cat on the left",
];
/// The same where there is a picture.
const EXAMPLES_WITH_PICTURE: [&str; 5] = [
    "add a red apple on the left",
    "make the background blue",
    "remove the tree",
    "make it line art",
    "what is in the picture?",
];
/// Examples that are shown at once.
const MOST_EXAMPLES: usize = 5;
/// Turns of other lines that are offered at once.
pub(super) const MOST_NEXT: usize = 4;

/// The conversation as it was read last; read again when another one is to be shown.
#[derive(Default)]
pub(super) struct Kept {
    key: Option<ConversationKey>,
    /// The turns at the current state.
    pub(super) conversation: Conversation,
    /// The newest turn whose change can be made wider or narrower.
    pub(super) change: Option<NodeId>,
}

impl Kept {
    /// Reads the conversation again where that is needed; says whether it was.
    pub(super) fn refresh(&mut self, editor: &Editor) -> bool {
        let key = ConversationKey::of(&editor.history);
        if self.key == Some(key) {
            return false;
        }
        self.key = Some(key);
        self.conversation = Conversation::at(&editor.history, editor.history.current());
        self.change = last_change(&editor.history, &editor.document).map(|(node, _)| node);
        true
    }
}

/// Why there can be no conversation at all, and what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hindrance {
    /// In a few words.
    pub(super) title: &'static str,
    /// What can be done.
    pub(super) hint: &'static str,
}

/// Why there can be no conversation; nothing where there can.
pub(super) fn hindrance(editor: &Editor) -> Option<Hindrance> {
    let Some(catalog) = editor.catalog.as_deref() else {
        return Some(Hindrance {
            title: tr("Looking for models…"),
            hint: tr("The models are still being looked for"),
        });
    };
    let none = catalog.models.iter().all(|model| model.ability(Purpose::Chat).is_none());
    none.then(|| Hindrance {
        title: tr("No model to talk with"),
        hint: tr(
            "None of the models here can hold a conversation. Bring one in with “gesso models import”, or choose the folder for models in the settings.",
        ),
    })
}

/// Messages to begin with.
pub(super) fn examples(editor: &Editor) -> Vec<String> {
    let own =
        editor.chat_model().map(|model| model.example_messages.as_slice()).unwrap_or_default();
    if !own.is_empty() {
        return own.iter().take(MOST_EXAMPLES).cloned().collect();
    }
    let examples: &[&str] =
        if editor.is_untouched() { &EXAMPLES_WITHOUT_PICTURE } else { &EXAMPLES_WITH_PICTURE };
    examples.iter().take(MOST_EXAMPLES).map(|&example| example.to_owned()).collect()
}

/// What is known about the pixels that a turn was not to change.
pub(super) fn outside_line(turn: &Turn) -> Option<(String, Tone)> {
    match (turn.picture, turn.outside_mask_delta) {
        (TurnPicture::Same, _) => {
            Some((tr("The picture stayed as it was").to_owned(), Tone::Neutral))
        }
        (_, Some(0)) => {
            let text = if turn.record.settings.mask.is_some() {
                tr("Outside the selection: 0 bytes changed")
            } else {
                tr("Outside the change: 0 bytes changed")
            };
            Some((text.to_owned(), Tone::Success))
        }
        (_, Some(bytes)) => {
            let text = trf("Outside: {bytes} bytes changed", &[("bytes", &bytes)]);
            Some((text, Tone::Danger))
        }
        (_, None) => None,
    }
}

/// A turn's place among its siblings: `2/3`; nothing where it stands alone.
pub(super) fn place_label(turn: &Turn) -> Option<String> {
    let (place, count) = turn.place();
    (count > 1).then(|| format!("{}/{count}", place + 1))
}

/// What is answered, in a word or two.
pub(super) fn wish_label(wish: AnswerWish) -> &'static str {
    match wish {
        AnswerWish::Free => tr("Edit or answer"),
        AnswerWish::Words => tr("Answer only"),
        AnswerWish::NewPicture => tr("New picture"),
    }
}

/// What is answered, in a sentence.
pub(super) fn wish_tooltip(wish: AnswerWish) -> &'static str {
    match wish {
        AnswerWish::Free => tr("The model changes the picture, answers in words, or does both"),
        AnswerWish::Words => tr("The model answers in words; the picture stays as it is"),
        AnswerWish::NewPicture => {
            tr("The model draws a picture of its own, which becomes a new state")
        }
    }
}

/// A message that is being answered, as the panel shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pending {
    /// The job, to stop it.
    pub(super) job: JobNumber,
    /// The part of the work.
    pub(super) stage: &'static str,
    /// 0 to 1.
    pub(super) done: f32,
    /// Time left, where it is known.
    pub(super) left: Option<String>,
    /// Whether it can still be stopped.
    pub(super) stoppable: bool,
}

/// Where the answer is that is waited for.
pub(super) fn pending(editor: &Editor) -> Option<Pending> {
    let pending = editor.chat.pending.as_ref()?;
    let job = editor.jobs.job(pending.job);
    let (stage, done, left) = match job.map(|job| &job.state) {
        Some(JobState::Running { stage, done, left }) => (
            crate::ui::queue_panel::stage_label(*stage),
            done.clamp(0.0, 1.0),
            left.map(crate::ui::queue_panel::time_left),
        ),
        Some(JobState::Preparing) => (tr("Preparing"), 0.0, None),
        Some(JobState::Waiting) => (tr("Waiting"), 0.0, None),
        // What came is being made a state.
        _ => (tr("Finishing"), 1.0, None),
    };
    let stoppable = job.is_some_and(|job| !job.is_over());
    Some(Pending { job: pending.job, stage, done, left, stoppable })
}

/// A message on one line, not too long for a button.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 48;
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= MOST {
        return line;
    }
    let cut: String = line.chars().take(MOST - 1).collect();
    format!("{}…", cut.trim_end())
}

/// What can be read of words that are still being written: the last character may not be all there.
pub(super) fn written(words: &str) -> &str {
    words.trim_end_matches(char::REPLACEMENT_CHARACTER).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::script::{self, Reply, turn};

    #[test]
    fn half_a_character_is_not_shown() {
        assert_eq!(written(" caf\u{FFFD}\u{FFFD}"), "caf");
        assert_eq!(written("café "), "café");
    }

    #[test]
    fn examples_are_the_models_own_or_suit_the_picture() {
        let mut editor = script::editor();
        assert_eq!(examples(&editor), ["make the house blue"]);
        let mut catalog = script::catalog();
        catalog.models.iter_mut().for_each(|model| model.example_messages.clear());
        editor.catalog = Some(std::sync::Arc::new(catalog));
        assert_eq!(examples(&editor), EXAMPLES_WITH_PICTURE);
        editor.document = crate::document::Document::new(editor.document.extent, "Layer 1");
        assert_eq!(examples(&editor), EXAMPLES_WITHOUT_PICTURE);
    }

    #[test]
    fn a_turn_says_what_it_left_alone() {
        let mut editor = script::editor();
        turn(&mut editor, "why?", Reply::words("because"));
        let mut kept = Kept::default();
        assert!(kept.refresh(&editor) && !kept.refresh(&editor));
        let mut turn = kept.conversation.turns.remove(0);
        let mut check = |picture, delta, expected: Option<(&str, Tone)>| {
            (turn.picture, turn.outside_mask_delta) = (picture, delta);
            let line = outside_line(&turn);
            assert_eq!(line.as_ref().map(|(text, tone)| (text.as_str(), *tone)), expected);
        };
        check(TurnPicture::None, None, None);
        let zero = ("Outside the change: 0 bytes changed", Tone::Success);
        check(TurnPicture::Changed, Some(0), Some(zero));
        check(TurnPicture::Changed, Some(9), Some(("Outside: 9 bytes changed", Tone::Danger)));
        check(TurnPicture::Same, None, Some(("The picture stayed as it was", Tone::Neutral)));
        assert_eq!(place_label(&turn), None);
        turn.siblings = vec![NodeId(1), turn.node, NodeId(9)];
        assert_eq!(place_label(&turn).as_deref(), Some("2/3"));
    }
}
