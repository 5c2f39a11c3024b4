//! The conversation: messages are sent, answers become states, earlier turns are gone back to.

use std::sync::Arc;

use crate::document::{Document, Edit, LayerId, NodeId, Operation};
use crate::editor::{
    Action, AnswerWish, Answered, Attachment, Chat, ChatOptions, Conversation, EditedMessage,
    Editor, Effect, Fetching, JobNumber, Keep, MOST_ATTACHMENTS, Message, NoticeKind, Panel,
    PendingTurn, RequestPlan, Turn, last_change, line_end, messages,
};
use crate::engine::catalog::ModelInfo;
use crate::engine::family::Purpose;
use crate::engine::request::ChatRecord;
use crate::geom::PixelRect;
use crate::locale::{tr, trf};
use crate::preferences::Preferences;
use crate::raster::RgbaImage;

use super::sentence;

/// What was being said when the window was closed.
pub(super) fn from_preferences(preferences: &Preferences) -> Chat {
    Chat {
        draft: preferences.chat_draft.clone(),
        options: serde_json::from_value(preferences.last_chat.clone()).unwrap_or_default(),
        ..Chat::default()
    }
}

impl Editor {
    /// The model that answers messages: the chosen one, else the first one that can chat.
    #[must_use]
    pub fn chat_model(&self) -> Option<&ModelInfo> {
        match &self.chat.options.model {
            Some(id) => self.model(Some(id)),
            None => {
                let models = &self.catalog.as_deref()?.models;
                models.iter().find(|model| model.ability(Purpose::Chat).is_some())
            }
        }
    }

    /// Why no message can be answered now, whatever it says; nothing where one can.
    #[must_use]
    pub fn why_no_chat(&self) -> Option<&'static str> {
        if self.catalog.is_none() {
            return Some(tr("The models are being looked for"));
        }
        let Some(model) = self.chat_model() else {
            return Some(tr("There is no model to talk with; see the settings"));
        };
        if model.ability(Purpose::Chat).is_none() {
            return Some(tr("The chosen model can't do this"));
        }
        if self.is_answering() {
            return Some(tr("Wait for the answer first, or stop it"));
        }
        None
    }

    /// Why the message that is being written can't be sent now; nothing where it can.
    #[must_use]
    pub fn why_no_message(&self) -> Option<&'static str> {
        self.why_no_chat()
            .or_else(|| self.chat.draft.trim().is_empty().then(|| tr("Write a message first")))
    }

    /// Whether a message is being answered.
    #[must_use]
    pub const fn is_answering(&self) -> bool {
        self.chat.pending.is_some()
    }

    pub(super) fn show_chat(&mut self, effects: &mut Vec<Effect>) {
        self.view.panels_hidden = false;
        if !self.is_panel_shown(Panel::Chat) {
            self.show_panel(Panel::Chat, true, effects);
        }
        effects.push(Effect::FocusChat);
    }

    pub(super) fn set_chat_draft(&mut self, text: String) {
        self.preferences.chat_draft.clone_from(&text);
        self.chat.draft = text;
    }

    pub(super) fn set_chat_options(&mut self, options: ChatOptions, effects: &mut Vec<Effect>) {
        self.preferences.last_chat = serde_json::to_value(&options).unwrap_or_default();
        self.chat.options = options;
        self.keep_preferences(effects);
    }

    /// Takes over the message, seed and settings of a turn whose picture is in the gallery.
    pub(super) fn use_message(&mut self, turn: &ChatRecord) {
        let common = &turn.settings.common;
        let options = &mut self.chat.options;
        options.model = Some(common.model.clone());
        options.steps = Some(turn.settings.base.steps);
        options.guidance = Some(turn.settings.base.guidance);
        self.generation.seed = common.seed;
        self.generation.seed_locked = true;
        self.set_chat_draft(common.prompt.clone());
        let text = tr("Message, seed and settings were taken over; the seed is locked.");
        self.notify(NoticeKind::Info, text.to_owned(), Some(Action::ShowChat));
    }

    /// Shows a picture with the next message.
    pub(super) fn attach(&mut self, image: Arc<RgbaImage>, name: String) {
        if self.chat.attachments.len() >= MOST_ATTACHMENTS {
            let text = trf(
                "A message can have {count} pictures at most.",
                &[("count", &MOST_ATTACHMENTS)],
            );
            self.notify(NoticeKind::Info, text, None);
            return;
        }
        self.chat.attachments.push(Attachment { image, name });
    }

    pub(super) fn detach(&mut self, index: usize) {
        if index < self.chat.attachments.len() {
            self.chat.attachments.remove(index);
        }
    }

    /// Sends what is written.
    pub(super) fn send_message(&mut self, effects: &mut Vec<Effect>) {
        if let Some(why) = self.why_no_message() {
            let offer = self.chat_model().is_none().then_some(Action::ShowSettings);
            self.notify(NoticeKind::Error, sentence(why), offer);
            return;
        }
        let message = Message {
            text: self.chat.draft.trim().to_owned(),
            attachments: std::mem::take(&mut self.chat.attachments),
            answer: self.chat.options.answer,
        };
        let edited = self.chat.edited.take();
        let (draft, attachments) =
            edited.map(|edited| (edited.draft, edited.attachments)).unwrap_or_default();
        self.set_chat_draft(draft);
        self.chat.attachments = attachments;
        self.say(message, None, effects);
    }

    /// Has a message answered at the current state.
    fn say(&mut self, message: Message, back_to: Option<NodeId>, effects: &mut Vec<Effect>) {
        self.end_gesture();
        let job = JobNumber(self.next_number());
        let plan = messages::plan(self, message, job);
        self.chat.elsewhere = None;
        self.start_answering(plan, back_to, effects);
    }

    fn start_answering(
        &mut self,
        plan: RequestPlan,
        back_to: Option<NodeId>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(chat) = &plan.chat else { return };
        self.chat.pending = Some(PendingTurn {
            job: plan.job,
            message: chat.message.clone(),
            words: String::new(),
            remark: None,
            back_to,
        });
        self.submit(plan, effects);
    }

    /// Sends a job's message again as it was, from the list of jobs.
    pub(super) fn ask_again(&mut self, mut plan: RequestPlan, effects: &mut Vec<Effect>) {
        let era = self.chat.era;
        let Some(chat) = plan.chat.as_mut().filter(|chat| chat.era == era) else {
            let text = tr("The picture that this message was about is not open any more.");
            self.notify(NoticeKind::Info, text.to_owned(), None);
            return;
        };
        // It was given back when it failed.
        let text = chat.message.text.clone();
        if self.chat.draft.trim() == text {
            self.set_chat_draft(String::new());
            self.chat.attachments.clear();
        }
        self.start_answering(plan, None, effects);
    }

    /// A job ended without an answer: its message can be sent again.
    pub(super) fn give_message_back(&mut self, job: JobNumber, effects: &mut Vec<Effect>) {
        let Some(pending) = self.chat.pending.take_if(|pending| pending.job == job) else { return };
        if let Some(node) = pending.back_to {
            // The message was an old one, which is still there.
            let asked_at = self.jobs.job(job).map(|job| job.plan.state);
            if asked_at == Some(self.history.current()) {
                self.go_to(node, effects);
            }
            return;
        }
        let Message { text, mut attachments, .. } = pending.message;
        let draft = self.chat.draft.trim();
        let draft = if draft.is_empty() { text } else { format!("{text}\n{draft}") };
        self.set_chat_draft(draft);
        attachments.append(&mut self.chat.attachments);
        attachments.truncate(MOST_ATTACHMENTS);
        self.chat.attachments = attachments;
    }

    /// An answer is ready to become a state; that waits until the pointer is done.
    pub(super) fn answered(&mut self, answered: Answered) {
        self.chat.arrived.push_back(answered);
    }

    /// Makes states of answers, unless something else is changing the document right now.
    pub(super) fn settle_answers(&mut self, effects: &mut Vec<Effect>) {
        while self.gesture.is_none()
            && self.computing.is_none()
            && let Some(answered) = self.chat.arrived.pop_front()
        {
            self.settle_answer(answered, effects);
        }
    }

    fn settle_answer(&mut self, answered: Answered, effects: &mut Vec<Effect>) {
        let Answered { plan, item, edits, document } = answered;
        let pending = self.chat.pending.take_if(|pending| pending.job == plan.job);
        let results: Vec<_> = item.map(|item| self.gain(item, effects)).into_iter().collect();
        let Some(chat) = plan.chat.as_deref().filter(|chat| chat.era == self.chat.era) else {
            let text =
                tr("An answer came after its picture was closed. What it drew is in the gallery.");
            self.notify(NoticeKind::Info, text.to_owned(), None);
            return;
        };
        let label = trf("Chat: {message}", &[("message", &one_line(&chat.message.text))]);
        let here = self.history.current();
        let node = if here == plan.state {
            self.commit_turn(document, label, edits, effects)
        } else {
            self.commit_elsewhere(plan.state, document, label, edits, effects)
        };
        self.results_accepted_at(node, &results, effects);
        if !chat.message.attachments.is_empty() {
            self.chat.attached.insert(node, chat.message.attachments.clone());
        }
        if let Some(remark) = pending.and_then(|pending| pending.remark) {
            self.chat.remarks.insert(node, remark);
        }
    }

    /// Makes a turn the newest state. Unlike other steps, it may leave the picture as it is.
    fn commit_turn(
        &mut self,
        document: Document,
        label: String,
        edits: Vec<Edit>,
        effects: &mut Vec<Effect>,
    ) -> NodeId {
        log::debug!("a turn was committed: {label}");
        let resized = self.document.extent != document.extent;
        self.document = document.clone();
        let (node, released) = self.history.commit(document.clone(), Operation { label, edits });
        self.keep_turn(node, document, effects);
        self.tell_released(&released);
        if resized {
            self.zoom_to_fit();
        }
        self.refresh_staging();
        self.refresh_compare(effects);
        node
    }

    /// Makes a turn a branch of the state where it was asked; the user, who has gone on, stays.
    fn commit_elsewhere(
        &mut self,
        parent: NodeId,
        document: Document,
        label: String,
        edits: Vec<Edit>,
        effects: &mut Vec<Effect>,
    ) -> NodeId {
        log::debug!("a turn was committed beside the current state: {label}");
        let operation = Operation { label, edits };
        let (node, released) = self.history.commit_below(parent, document.clone(), operation);
        self.keep_turn(node, document, effects);
        effects.push(Effect::Keep(Keep::GoTo(self.history.current())));
        self.tell_released(&released);
        self.chat.elsewhere = Some(node);
        let text = tr(
            "The answer came while you had gone on. It is a branch of its own; the chat leads there.",
        );
        self.notify(NoticeKind::Info, text.to_owned(), None);
        node
    }

    fn keep_turn(&self, node: NodeId, document: Document, effects: &mut Vec<Effect>) {
        if let Some(made) = self.history.node(node) {
            effects.push(Effect::Keep(Keep::Node(Box::new(made.clone()))));
        }
        effects.push(Effect::MakeThumbnail(node, Box::new(document)));
    }

    /// Lets an earlier message be changed, at the state where it was asked; its line stays.
    pub(super) fn edit_message(&mut self, node: NodeId, effects: &mut Vec<Effect>) {
        let Some(turn) = self.history.node(node).and_then(Turn::of) else { return };
        let Some(asked_at) = turn.asked_at else { return };
        // What was put aside first stays put aside.
        let back_to = self.history.current();
        let edited = match self.chat.edited.take() {
            Some(former) => EditedMessage { node, ..former },
            None => EditedMessage {
                node,
                back_to,
                draft: self.chat.draft.clone(),
                attachments: self.chat.attachments.clone(),
            },
        };
        self.chat.edited = Some(edited);
        self.chat.attachments = self.chat.attached.get(&node).cloned().unwrap_or_default();
        self.chat.options.answer = turn.answer();
        self.set_chat_draft(turn.message().to_owned());
        self.go_to(asked_at, effects);
        effects.push(Effect::FocusChat);
    }

    pub(super) fn cancel_edit_message(&mut self, effects: &mut Vec<Effect>) {
        let Some(edited) = self.chat.edited.take() else { return };
        self.set_chat_draft(edited.draft);
        self.chat.attachments = edited.attachments;
        self.go_to(edited.back_to, effects);
    }

    /// Asks a turn's message again where it was asked, with another seed.
    pub(super) fn retry_turn(&mut self, node: NodeId, effects: &mut Vec<Effect>) {
        let Some(turn) = self.history.node(node).and_then(Turn::of) else { return };
        let Some(asked_at) = turn.asked_at else { return };
        if let Some(why) = self.why_no_chat() {
            self.notify(NoticeKind::Info, sentence(why), None);
            return;
        }
        if self.is_computing() {
            return;
        }
        let back_to = self.history.current();
        if back_to != asked_at {
            if !self.history.go_to(asked_at) {
                self.fetch(Fetching::Retry(node, asked_at), effects);
                return;
            }
            self.went(effects);
        }
        let message = Message {
            text: turn.message().to_owned(),
            attachments: self.chat.attached.get(&node).cloned().unwrap_or_default(),
            answer: turn.answer(),
        };
        // The same seed would give the same answer, locked or not.
        let (seed, locked) = (self.generation.seed, self.generation.seed_locked);
        if locked {
            self.roll_seed();
        }
        self.say(message, Some(back_to), effects);
        if locked {
            self.generation.seed = seed;
        }
    }

    /// Goes to the line of another turn that stands beside this one.
    pub(super) fn switch_branch(&mut self, node: NodeId, by: isize, effects: &mut Vec<Effect>) {
        let conversation = Conversation::at(&self.history, node);
        let Some(turn) = conversation.newest().filter(|turn| turn.node == node) else { return };
        let (place, count) = turn.place();
        let other = (place as isize + by).rem_euclid(count.max(1) as isize);
        if let Some(&other) = turn.siblings.get(other as usize) {
            let end = line_end(&self.history, other);
            self.go_to(end, effects);
        }
    }

    /// Makes what the last answer changed wider or narrower.
    pub(super) fn widen_change(&mut self, by_px: i32, effects: &mut Vec<Effect>) {
        let Some((_, layer)) = last_change(&self.history, &self.document) else {
            let text = tr("No answer has changed a part of this picture");
            self.notify(NoticeKind::Info, sentence(text), None);
            return;
        };
        let layer = layer.id;
        if by_px > 0 && self.ends_within(layer, by_px.unsigned_abs()) {
            let text = tr("The answer was drawn no farther than this.");
            self.notify(NoticeKind::Info, text.to_owned(), None);
            return;
        }
        let label = if by_px < 0 { tr("Narrow the change") } else { tr("Widen the change") };
        self.edits(label.to_owned(), vec![Edit::GrowLayerMask { layer, by_px }], effects);
    }

    /// Whether a layer's mask would come beyond its picture if it were so much wider.
    fn ends_within(&self, layer: LayerId, by_px: u32) -> bool {
        let Some(layer) = self.document.layer(layer) else { return false };
        let mask = layer.mask.as_ref().and_then(crate::raster::CoverGrid::bounds);
        let (Some(mask), Some(picture)) = (mask, layer.pixels.tile_bounds()) else { return false };
        let canvas = PixelRect::from(self.document.extent.rect());
        let wider = mask.padded(by_px).intersection(canvas);
        let drawn = layer.pixels.bounds().or(Some(picture));
        match (wider, drawn) {
            (Some(wider), Some(drawn)) => wider.intersection(drawn) != Some(wider),
            _ => false,
        }
    }

    /// Another picture was opened: what was said about the one before has no place any more.
    pub(super) fn forget_conversation(&mut self) {
        let chat = &mut self.chat;
        chat.era += 1;
        chat.edited = None;
        chat.attached.clear();
        chat.remarks.clear();
        chat.elsewhere = None;
        chat.show_change = false;
    }
}

/// A message as a name: one line, not too long.
fn one_line(text: &str) -> String {
    const MOST: usize = 60;
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= MOST {
        return line;
    }
    let short: String = line.chars().take(MOST - 1).collect();
    format!("{}…", short.trim_end())
}

impl AnswerWish {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Free, Self::Words, Self::NewPicture];
}
