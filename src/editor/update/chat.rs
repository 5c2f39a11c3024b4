//! The conversation: messages are sent, answers become states, earlier turns are gone back to.

use std::sync::Arc;

use crate::document::{Attachment, Document, Edit, LayerId, NodeId, Operation};
use crate::editor::{
    Action, AnswerWish, Answered, Chat, ChatOptions, Conversation, EditedMessage, Editor, Effect,
    Fetching, JobNumber, Keep, MOST_ATTACHMENTS, Message, NoticeKind, Panel, PendingTurn,
    RequestPlan, Turn, last_change, line_end, messages,
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
        if let Some(id) = &self.chat.options.model {
            return self.model(Some(id));
        }
        let models = &self.catalog.as_deref()?.models;
        models.iter().find(|model| model.ability(Purpose::Chat).is_some())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{OperationKind, flatten, outside_delta};
    use crate::editor::{Command, JobKind, PointerEvent, PointerPhase, TurnPicture};
    use crate::engine::event::{JobEvent, JobId};
    use crate::engine::request::AnswerChoice;
    use crate::geom::Extent;
    use crate::raster::Mask;
    use crate::ui::script::{self, Reply, act, answer, begun, send, soft_mask, submitted, turn};

    const CANVAS: Extent = Extent::new(600, 400);

    fn pixels(document: &Document) -> RgbaImage {
        flatten(document, document.extent.rect())
    }

    /// An answer that is red everywhere and changes a rectangle.
    fn red(rect: (u32, u32, u32, u32)) -> Reply {
        Reply::picture(CANVAS, [200, 10, 10, 255], soft_mask(CANVAS, rect))
    }

    fn conversation(editor: &Editor) -> Conversation {
        Conversation::at(&editor.history, editor.history.current())
    }

    /// Widens a change, also where that is computed beside the window.
    fn widen(editor: &mut Editor, by_px: i32) {
        for effect in act(editor, Command::WidenChange(by_px)) {
            if let Effect::Compute(plan) = effect {
                let mut document = plan.document;
                plan.edits.iter().for_each(|edit| drop(edit.apply(&mut document).unwrap()));
                let result = Ok(Box::new(document));
                act(editor, Command::EditDone { ticket: plan.ticket, result });
            }
        }
    }

    fn told(editor: &Editor, part: &str) -> bool {
        editor.notices.iter().any(|notice| notice.text.contains(part))
    }

    #[test]
    fn an_answer_with_a_picture_is_a_layer_and_nothing_else_changes() {
        let mut editor = script::editor();
        let before = editor.document.clone();
        let asked_at = editor.history.current();
        let plan = send(&mut editor, "  paint a red door ");
        assert_eq!(
            (plan.kind, plan.generation.prompt.as_str()),
            (JobKind::Chat, "paint a red door")
        );
        assert_eq!(plan.generation.model.as_deref(), Some("talker"));
        assert_eq!((plan.region, plan.mask.is_none()), (Some(CANVAS.rect()), true));
        assert!(editor.chat.draft.is_empty() && editor.is_answering());
        assert!(editor.why_no_chat().is_some(), "one answer after the other");
        let effects = answer(&mut editor, &plan, red((300, 100, 80, 120)));
        assert!(effects.iter().any(|effect| matches!(effect, Effect::MakeThumbnail(..))));
        assert!(!editor.is_answering() && editor.staging.is_none());

        let node = editor.history.node(editor.history.current()).unwrap();
        assert_eq!((node.kind, node.parent), (OperationKind::Chat, Some(asked_at)));
        let turn = conversation(&editor).newest().unwrap().clone();
        assert_eq!((turn.message(), turn.reply()), ("paint a red door", "done"));
        assert_eq!((turn.picture, turn.outside_mask_delta), (TurnPicture::Changed, Some(0)));
        let layer = editor.document.layers.last().unwrap();
        assert_eq!(layer.record, node.record);
        let mask = layer.mask.as_ref().unwrap();
        assert_eq!(
            (mask.pixel(300, 150), mask.pixel(310, 150), mask.pixel(299, 150)),
            (60, 255, 0)
        );
        // More of the picture is there than is shown.
        assert_eq!(layer.pixels.pixel(300 - 64, 150), [200, 10, 10, 255]);
        assert_eq!(layer.pixels.pixel(300 - 65, 150), [0; 4]);
        let (old, new) = (pixels(&before), pixels(&editor.document));
        for y in 0..CANVAS.height {
            for x in 0..CANVAS.width {
                let inside = (300..380).contains(&x) && (100..220).contains(&y);
                assert!(inside || old.pixel(x, y) == new.pixel(x, y), "{x}, {y}");
            }
        }
        assert_eq!(new.pixel(350, 150), [200, 10, 10, 255]);
        // The picture is in the gallery as it is seen, with its place in the history.
        let item = editor.gallery.items.last().unwrap();
        assert_eq!((item.kind, item.image().unwrap().as_ref()), (JobKind::Chat, &new));
        assert_eq!(item.origin.as_ref().unwrap().node, editor.history.current());
        act(&mut editor, Command::Do(Action::Undo));
        assert_eq!(pixels(&editor.document), old);
        assert!(conversation(&editor).turns.is_empty());
    }

    #[test]
    fn words_alone_make_a_state_and_leave_every_pixel() {
        let mut editor = script::editor();
        let options = ChatOptions { answer: AnswerWish::Words, ..ChatOptions::default() };
        act(&mut editor, Command::SetChatOptions(Box::new(options)));
        let before = editor.document.clone();
        let node = turn(&mut editor, "what is in the picture?", Reply::words("a house"));
        assert_ne!(node, editor.history.root());
        assert_eq!(editor.document, before);
        let turn = conversation(&editor).newest().unwrap().clone();
        assert_eq!((turn.reply(), turn.picture), ("a house", TurnPicture::None));
        assert!(editor.has_unsaved_changes());
        assert!(editor.gallery.items.is_empty());
        // A picture that is the same as before is told as such.
        let same = Reply { change: Some(Mask::new(CANVAS)), ..red((0, 0, 1, 1)) };
        super::tests::turn(&mut editor, "go on", same);
        assert_eq!(conversation(&editor).newest().unwrap().picture, TurnPicture::Same);
        assert_eq!(editor.document, before);
    }

    #[test]
    fn a_selection_confines_whatever_the_model_does() {
        let mut editor = script::editor();
        let door = PixelRect::new(100, 100, 60, 50);
        editor.document.selection.cover.fill(door, 255);
        let first = editor.document.clone();
        editor.history = crate::document::History::new(first.clone(), "New", 512 << 20);
        let plan = send(&mut editor, "make it red");
        assert_eq!(plan.mask.as_ref(), Some(&first.selection.cover));
        let mut everything = Mask::new(CANVAS);
        everything.fill(CANVAS.rect(), 255);
        answer(&mut editor, &plan, Reply::picture(CANVAS, [200, 10, 10, 255], everything));
        let turn = conversation(&editor).newest().unwrap().clone();
        assert_eq!(turn.outside_mask_delta, Some(0));
        assert!(turn.record.settings.mask.is_some());
        assert_eq!(outside_delta(&first, &editor.document, &first.selection), 0);
        assert_eq!(pixels(&editor.document).pixel(130, 120), [200, 10, 10, 255]);
        // Wider only as far as is selected.
        act(&mut editor, Command::WidenChange(8));
        assert_eq!(outside_delta(&first, &editor.document, &first.selection), 0);
        act(
            &mut editor,
            Command::Edit(Edit::ChangeSelection(crate::document::SelectionStep::None)),
        );
        act(&mut editor, Command::WidenChange(8));
        assert!(outside_delta(&first, &editor.document, &first.selection) > 0);
        // A selection does not matter where nothing is to change.
        act(&mut editor, Command::Do(Action::SelectAll));
        let options = ChatOptions { answer: AnswerWish::Words, ..ChatOptions::default() };
        act(&mut editor, Command::SetChatOptions(Box::new(options)));
        assert!(send(&mut editor, "what is it?").mask.is_none());
    }

    #[test]
    fn a_change_gets_wider_and_narrower_and_comes_back() {
        let mut editor = script::editor();
        let node = turn(&mut editor, "a red door", red((300, 100, 80, 120)));
        let found = editor.document.clone();
        let shows =
            |editor: &Editor, x: u32| pixels(&editor.document).pixel(x, 150) == [200, 10, 10, 255];
        assert!(!shows(&editor, 385) && shows(&editor, 375));
        act(&mut editor, Command::WidenChange(8));
        assert!(shows(&editor, 385));
        let mask = editor.document.layers.last().unwrap().mask.clone().unwrap();
        assert_eq!((mask.pixel(292, 150), mask.pixel(295, 150)), (60, 240), "the edge stays soft");
        act(&mut editor, Command::Do(Action::Undo));
        assert_eq!(editor.document, found);
        act(&mut editor, Command::WidenChange(-8));
        assert!(!shows(&editor, 375));
        let conversation = conversation(&editor);
        assert_eq!(conversation.newest().unwrap().node, node, "it is no turn of its own");
        act(&mut editor, Command::GoTo(node));
        // The margin ends it; the sides of the canvas don't.
        for _ in 0..8 {
            widen(&mut editor, 8);
        }
        assert!(!told(&editor, "drawn no farther"));
        act(&mut editor, Command::WidenChange(8));
        assert!(told(&editor, "drawn no farther"));
        // Where an answer changed nothing, there is nothing to widen.
        let mut editor = script::editor();
        turn(&mut editor, "why?", Reply::words("because"));
        assert!(!editor.is_enabled(Action::ToggleChange));
        act(&mut editor, Command::WidenChange(8));
        assert!(told(&editor, "No answer has changed"));
    }

    #[test]
    fn an_earlier_message_is_changed_and_its_line_stays() {
        let mut editor = script::editor();
        let root = editor.history.root();
        let a = turn(&mut editor, "a tree", red((10, 10, 40, 40)));
        let b = turn(&mut editor, "a cloud", red((200, 10, 40, 40)));
        act(&mut editor, Command::SetChatDraft("half a mess".to_owned()));
        act(&mut editor, Command::EditMessage(a));
        assert_eq!((editor.history.current(), editor.chat.draft.as_str()), (root, "a tree"));
        // It can be left as it is.
        act(&mut editor, Command::CancelEditMessage);
        assert_eq!((editor.history.current(), editor.chat.draft.as_str()), (b, "half a mess"));
        act(&mut editor, Command::EditMessage(a));
        let plan = send(&mut editor, "a bush");
        assert_eq!((plan.state, editor.chat.draft.as_str()), (root, "half a mess"));
        answer(&mut editor, &plan, red((10, 300, 40, 40)));
        let c = editor.history.current();
        assert_eq!(conversation(&editor).turns[0].siblings, [a, c]);
        act(&mut editor, Command::SwitchBranch(c, 1));
        assert_eq!(editor.history.current(), b, "the end of the other line");
        act(&mut editor, Command::SwitchBranch(a, -1));
        assert_eq!(editor.history.current(), c);
        act(&mut editor, Command::SwitchBranch(c, 0));
        act(&mut editor, Command::SwitchBranch(root, 1));
        assert_eq!(editor.history.current(), c, "the first state is no turn");
    }

    #[test]
    fn an_answer_is_asked_for_again_with_another_seed() {
        let mut editor = script::editor();
        editor.generation.seed_locked = true;
        let root = editor.history.root();
        let attached =
            Attachment { image: crate::ui::sample::picture(1, 8), name: "style".to_owned() };
        let Attachment { image, name } = attached.clone();
        act(&mut editor, Command::Attached { image, name });
        let first = send(&mut editor, "a tree");
        answer(&mut editor, &first, red((10, 10, 40, 40)));
        let a = editor.history.current();
        act(&mut editor, Command::SetChatDraft("next".to_owned()));
        let effects = act(&mut editor, Command::RetryTurn(a));
        let plan = begun(&mut editor, submitted(effects).unwrap());
        assert_eq!((plan.state, plan.generation.prompt.as_str()), (root, "a tree"));
        assert_ne!(plan.generation.seed, first.generation.seed);
        assert_eq!(editor.generation.seed, first.generation.seed, "the locked one stays");
        assert_eq!(plan.chat.as_ref().unwrap().message.attachments, [attached]);
        assert_eq!(editor.chat.draft, "next");
        // Stopped: back to where it was.
        act(&mut editor, Command::CancelJob(plan.job));
        assert_eq!((editor.history.current(), editor.chat.draft.as_str()), (a, "next"));
        let effects = act(&mut editor, Command::RetryTurn(a));
        let plan = begun(&mut editor, submitted(effects).unwrap());
        answer(&mut editor, &plan, red((10, 10, 40, 40)));
        let b = editor.history.current();
        assert_eq!(conversation(&editor).newest().unwrap().siblings, [a, b]);
    }

    #[test]
    fn nothing_that_was_written_is_lost() {
        let mut editor = script::editor();
        let picture = crate::ui::sample::picture(1, 8);
        act(&mut editor, Command::Attached { image: picture.clone(), name: "one".to_owned() });
        let plan = send(&mut editor, "a tree");
        assert!(editor.chat.attachments.is_empty());
        act(&mut editor, Command::SetChatDraft("and a bird".to_owned()));
        act(&mut editor, Command::CancelJob(plan.job));
        assert_eq!(editor.chat.draft, "a tree\nand a bird");
        assert_eq!(editor.chat.attachments.len(), 1);
        // The engine's word comes later and changes nothing.
        act(&mut editor, Command::JobEvent(JobId(plan.job.0), JobEvent::Cancelled));
        assert_eq!(editor.chat.draft, "a tree\nand a bird");
        assert_eq!(editor.preferences.chat_draft, "a tree\nand a bird");
        assert_eq!(Editor::new(editor.preferences.clone(), 1).chat.draft, "a tree\nand a bird");

        let plan = send(&mut editor, "a tree");
        let failure =
            crate::engine::error::EngineError::Input("no such thing".to_owned()).failure();
        act(&mut editor, Command::JobEvent(JobId(plan.job.0), JobEvent::Failed(failure)));
        assert_eq!(editor.chat.draft, "a tree");
        assert!(!editor.is_answering() && editor.document.layers.len() == 5);
        // The list of jobs can send it again.
        let effects = act(&mut editor, Command::RetryJob(plan.job));
        assert!(submitted(effects).is_some() && editor.chat.draft.is_empty());
        assert!(editor.chat.attachments.is_empty());
        // What is not a message is not sent.
        act(&mut editor, Command::SetChatDraft("second".to_owned()));
        assert!(submitted(act(&mut editor, Command::Do(Action::SendMessage))).is_none());
        assert_eq!(editor.chat.draft, "second");
    }

    #[test]
    fn an_answer_to_another_state_becomes_a_branch_of_it() {
        let mut editor = script::editor();
        let asked_at = editor.history.current();
        let plan = send(&mut editor, "a tree");
        act(&mut editor, Command::Do(Action::AddLayer));
        let (here, document) = (editor.history.current(), editor.document.clone());
        let effects = answer(&mut editor, &plan, red((10, 10, 40, 40)));
        assert_eq!((editor.history.current(), &editor.document), (here, &document));
        assert!(told(&editor, "a branch of its own"));
        let node = editor.chat.elsewhere.unwrap();
        assert_eq!(editor.history.node(node).unwrap().parent, Some(asked_at));
        let kept: Vec<_> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Keep(Keep::Node(kept)) => Some(kept.id),
                Effect::Keep(Keep::GoTo(at)) => Some(*at),
                _ => None,
            })
            .collect();
        assert_eq!(kept, [node, here], "the journal knows where the user is");
        act(&mut editor, Command::GoTo(node));
        assert_eq!(editor.document.layers.len(), 6);
        // A stroke that is being drawn is not broken off; the answer waits for it.
        let plan = send(&mut editor, "a bird");
        act(&mut editor, Command::Do(Action::ToolBrush));
        act(&mut editor, Command::Edit(Edit::AddLayer { name: "Paint".to_owned() }));
        act(&mut editor, Command::GoTo(node));
        let at = editor
            .view
            .transform
            .screen_from_canvas(crate::geom::CanvasPoint::new(300.0, 200.0), editor.view.center());
        let pointer = |phase| {
            Command::Pointer(PointerEvent {
                phase,
                at,
                pressure: 1.0,
                shift: false,
                alt: false,
                ctrl: false,
            })
        };
        let top = editor.document.layers.last().unwrap().id;
        act(&mut editor, Command::Edit(Edit::SetActive(top)));
        act(&mut editor, pointer(PointerPhase::Pressed));
        assert!(editor.gesture.is_some());
        answer(&mut editor, &plan, red((200, 10, 40, 40)));
        assert!(editor.gesture.is_some() && editor.chat.arrived.len() == 1);
        act(&mut editor, pointer(PointerPhase::Released));
        assert!(editor.gesture.is_none() && editor.chat.arrived.is_empty());
        assert_eq!(editor.history.node(editor.chat.elsewhere.unwrap()).unwrap().parent, Some(node));
    }

    #[test]
    fn an_answer_about_a_closed_picture_ends_in_the_gallery() {
        let mut editor = script::editor();
        let plan = send(&mut editor, "a tree");
        let white = Command::NewPicture { extent: CANVAS, color: [255; 4] };
        act(&mut editor, white);
        act(
            &mut editor,
            Command::DiscardChanges(crate::editor::AfterSaving::New {
                extent: CANVAS,
                color: [255; 4],
            }),
        );
        let nodes = editor.history.nodes().count();
        answer(&mut editor, &plan, red((10, 10, 40, 40)));
        assert_eq!(editor.history.nodes().count(), nodes);
        assert!(!editor.is_answering() && editor.gallery.items.len() == 1);
        assert!(told(&editor, "is in the gallery"));
    }

    #[test]
    fn a_picture_from_words_takes_the_empty_canvas_or_a_new_one() {
        let mut editor = Editor::new(Preferences::default(), 1);
        editor.catalog = Some(Arc::new(script::catalog()));
        let drawn = || Reply {
            words: "",
            picture: Some(RgbaImage::new(Extent::new(64, 48), [9, 9, 9, 255])),
            change: None,
        };
        let plan = send(&mut editor, "draw a tree");
        assert_eq!(plan.region, None);
        answer(&mut editor, &plan, drawn());
        assert_eq!(editor.document.extent, Extent::new(64, 48));
        let turn = conversation(&editor).newest().unwrap().clone();
        assert_eq!((turn.picture, turn.outside_mask_delta), (TurnPicture::New, None));
        assert!(pixels(&editor.document).is_opaque());
        // A new picture beside what there is.
        let options = ChatOptions { answer: AnswerWish::NewPicture, ..ChatOptions::default() };
        act(&mut editor, Command::SetChatOptions(Box::new(options)));
        act(&mut editor, Command::Do(Action::AddLayer));
        let plan = send(&mut editor, "draw a car");
        assert!(plan.region.is_none() && plan.chat.as_ref().unwrap().earlier.is_empty());
        answer(
            &mut editor,
            &plan,
            Reply { picture: Some(RgbaImage::new(CANVAS, [7; 4])), ..drawn() },
        );
        assert_eq!((editor.document.extent, editor.document.layers.len()), (CANVAS, 2));
        let node = editor.history.node(editor.history.current()).unwrap();
        assert_eq!(node.kind, OperationKind::Chat);
        let mut again =
            editor.history.node(node.parent.unwrap()).unwrap().document.clone().unwrap();
        for edit in &node.operation.edits {
            edit.apply(&mut again).unwrap();
        }
        assert_eq!(again, editor.document, "the edits make the state again");
        act(&mut editor, Command::Do(Action::Undo));
        assert_eq!(editor.document.extent, Extent::new(64, 48));
    }

    #[test]
    fn the_model_is_reminded_of_the_newest_turns_whose_pixels_are_here() {
        let mut editor = script::editor();
        let root = editor.history.root();
        let a = turn(&mut editor, "a tree", red((10, 10, 40, 40)));
        let b = turn(&mut editor, "which color?", Reply::words("red"));
        let c = turn(&mut editor, "a cloud", red((200, 10, 40, 40)));
        let plan = send(&mut editor, "and now?");
        let earlier = &plan.chat.as_ref().unwrap().earlier;
        let said: Vec<_> = earlier.iter().map(|turn| turn.message.as_str()).collect();
        assert_eq!(said, ["which color?", "a cloud"], "it remembers two");
        let ids = |turn: &crate::editor::EarlierPlan| {
            (turn.asked.as_ref().map(|at| at.0), turn.result.as_ref().map(|at| at.0))
        };
        assert_eq!((ids(&earlier[0]), ids(&earlier[1])), ((Some(a), None), (Some(b), Some(c))));
        act(&mut editor, Command::CancelJob(plan.job));
        // States that let go of their pixels end the memory.
        act(&mut editor, Command::SetHistoryBudget(0));
        let here = |id| editor.history.node(id).unwrap().document.is_some();
        assert!(here(c) && !here(b) && !here(root));
        let plan = send(&mut editor, "and now?");
        assert!(plan.chat.as_ref().unwrap().earlier.is_empty());
    }

    #[test]
    fn asking_again_fetches_the_state_where_it_was_asked() {
        let mut editor = script::editor();
        let first = editor.document.clone();
        let root = editor.history.root();
        let a = turn(&mut editor, "a tree", red((10, 10, 40, 40)));
        act(&mut editor, Command::SetHistoryBudget(0));
        assert!(editor.history.node(root).unwrap().document.is_none());
        let effects = act(&mut editor, Command::RetryTurn(a));
        assert!(matches!(effects[..], [Effect::Fetch(node)] if node == root), "{effects:?}");
        let fetched = Command::Fetched { node: root, result: Ok(Box::new(first)) };
        let plan = submitted(act(&mut editor, fetched)).unwrap();
        assert_eq!((plan.state, plan.generation.prompt.as_str()), (root, "a tree"));
    }

    #[test]
    fn requests_say_what_is_to_be_answered() {
        let mut editor = script::editor();
        turn(&mut editor, "why?", Reply::words("because"));
        let turn = conversation(&editor).newest().unwrap().clone();
        assert_eq!(turn.record.settings.answer, AnswerChoice::Free);
        assert_eq!(turn.answer(), AnswerWish::Free);
        let no_chat = Arc::new(crate::ui::sample::catalog());
        editor.catalog = Some(no_chat);
        act(&mut editor, Command::SetChatDraft("hello".to_owned()));
        act(&mut editor, Command::Do(Action::SendMessage));
        assert!(told(&editor, "no model to talk with"));
        assert_eq!(editor.chat.draft, "hello");
    }

    #[test]
    fn pictures_for_a_message_come_from_the_gallery_and_are_few() {
        let mut editor = script::editor();
        crate::ui::sample::add_pictures(&mut editor, 6);
        for id in 1..=6 {
            act(&mut editor, Command::AttachFromGallery(crate::editor::GalleryId(id)));
        }
        assert_eq!(editor.chat.attachments.len(), MOST_ATTACHMENTS);
        assert!(told(&editor, "at most"));
        act(&mut editor, Command::Detach(0));
        act(&mut editor, Command::Detach(9));
        assert_eq!(editor.chat.attachments.len(), MOST_ATTACHMENTS - 1);
        let plan = send(&mut editor, "in the style of these");
        assert_eq!(plan.chat.as_ref().unwrap().message.attachments.len(), 3);
        answer(&mut editor, &plan, Reply::words("no"));
        let asked = editor.history.current();
        assert_eq!(editor.chat.attached[&asked].len(), 3);
        let node = editor.history.node(asked).unwrap();
        assert_eq!(
            (node.kind, node.operation.label.as_str()),
            (OperationKind::Chat, "Chat: in the style of these")
        );
        let [Edit::Attach(a), Edit::Attach(b), Edit::Attach(c), Edit::Said { .. }] =
            &node.operation.edits[..]
        else {
            panic!("{:?}", node.operation)
        };
        assert_eq!(editor.chat.attached[&asked], [a.clone(), b.clone(), c.clone()]);
        // With an answer that is a picture as well.
        act(&mut editor, Command::AttachFromGallery(crate::editor::GalleryId(2)));
        let drawn = turn(&mut editor, "like this", red((10, 10, 40, 40)));
        let node = editor.history.node(drawn).unwrap();
        assert!(matches!(node.operation.edits[..], [Edit::Attach(_), .., Edit::Place(_)]));
        assert_eq!(node.kind, OperationKind::Chat);
        let mut again = editor.history.node(asked).unwrap().document.clone().unwrap();
        node.operation.edits.iter().for_each(|edit| drop(edit.apply(&mut again).unwrap()));
        assert_eq!(again, editor.document, "the edits make the state again");
        // Memory begins after a turn whose pictures are not here.
        let remembered = |editor: &mut Editor| {
            let plan = send(editor, "and now?");
            act(editor, Command::CancelJob(plan.job));
            let earlier = plan.chat.unwrap().earlier;
            earlier.iter().map(|turn| turn.attachments.len()).collect::<Vec<_>>()
        };
        assert_eq!(remembered(&mut editor), [3, 1]);
        editor.chat.attached.remove(&asked);
        assert_eq!(remembered(&mut editor), [1]);
    }

    #[test]
    fn fifty_turns_do_not_wear_a_picture_out() {
        let canvas = Extent::new(150, 100);
        let mut editor = script::editor();
        act(&mut editor, Command::NewPicture { extent: canvas, color: [240, 230, 210, 255] });
        let first = pixels(&editor.document);
        let mut touched = vec![false; canvas.area()];
        let mut number = 77_u32;
        let mut below = |most: u32| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (number >> 8) % most
        };
        for step in 0..50_u32 {
            if step % 5 == 4 {
                // Every fifth one only asks.
                let before = editor.document.clone();
                turn(&mut editor, "what is it?", Reply::words("a picture"));
                assert_eq!(editor.document, before);
                continue;
            }
            let rect = (below(130), below(85), 1 + below(20), 1 + below(15));
            let selects = step % 3 == 0;
            if selects {
                let (x, y, width, height) = rect;
                let shape = PixelRect::new(x as i32, y as i32, width, height);
                let shape = crate::document::SelectionShape::Rectangle(shape);
                let combine = crate::document::Combine::Replace;
                act(&mut editor, Command::Edit(Edit::Select { shape, combine }));
            } else {
                act(&mut editor, Command::Do(Action::SelectNone));
            }
            let before = editor.document.clone();
            // All of the picture is another one.
            let mut picture = RgbaImage::new(canvas, [0, 0, 0, 255]);
            for (at, pixel) in (0_u32..).zip(picture.pixels_mut()) {
                let at = at.wrapping_mul(step + 3);
                *pixel = [(at * 7) as u8, (at >> 3) as u8, (at >> 1) as u8, 255];
            }
            let mut change = soft_mask(canvas, rect);
            if selects {
                change.fill(canvas.rect(), 255);
            }
            let change_cover =
                crate::raster::CoverGrid::from_pixels(canvas.rect().into(), change.as_raw());
            let reply = Reply { words: "done", picture: Some(picture), change: Some(change) };
            turn(&mut editor, "change it", reply);
            let newest = conversation(&editor).newest().unwrap().clone();
            assert_eq!(newest.outside_mask_delta, Some(0), "step {step}");
            let allowed = if selects {
                before.selection.clone()
            } else {
                crate::document::Selection { cover: change_cover }
            };
            assert_eq!(outside_delta(&before, &editor.document, &allowed), 0, "step {step}");
            assert_ne!(pixels(&before), pixels(&editor.document), "step {step}");
            let cover = allowed.cover.read(canvas.rect().into());
            for (touched, cover) in touched.iter_mut().zip(cover) {
                *touched |= cover > 0;
            }
        }
        assert_eq!(conversation(&editor).turns.len(), 50);
        let last = pixels(&editor.document);
        let kept = touched.iter().filter(|touched| !**touched).count();
        assert!(kept > 3000 && kept < canvas.area() - 2000, "{kept}");
        for (at, (a, b)) in first.pixels().iter().zip(last.pixels()).enumerate() {
            assert!(touched[at] || a == b, "pixel {at} was never asked to change");
        }
    }
}
