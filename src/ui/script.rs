//! A scripted model for tests: messages are answered by the test.

use std::sync::Arc;

use crate::document::NodeId;
use crate::editor::{Action, Command, Editor, Effect, RequestPlan, StagePlan, messages};
use crate::engine::catalog::{Ability, Catalog};
use crate::engine::event::{Answer, JobEvent, JobId, Outcome, Picture};
use crate::engine::family::Purpose;
use crate::engine::report::JobReport;
use crate::engine::request::{ChatRecord, Record, SourceNote};
use crate::geom::Extent;
use crate::raster::{Mask, RgbaImage};
use crate::ui::sample;

/// What the model answers.
#[derive(Default)]
pub(crate) struct Reply {
    /// The words.
    pub(crate) words: &'static str,
    /// The picture.
    pub(crate) picture: Option<RgbaImage>,
    /// The part of it that takes the place of what was there.
    pub(crate) change: Option<Mask>,
}

impl Reply {
    /// Words alone.
    pub(crate) fn words(words: &'static str) -> Self {
        Self { words, ..Self::default() }
    }

    /// A picture of one color that changes everything, with a change that covers a rectangle.
    pub(crate) fn picture(extent: Extent, color: [u8; 4], change: Mask) -> Self {
        let picture = Some(RgbaImage::new(extent, color));
        Self { words: "done", picture, change: Some(change) }
    }
}

/// A mask over a rectangle with a soft edge at its left.
pub(crate) fn soft_mask(extent: Extent, (x, y, width, height): (u32, u32, u32, u32)) -> Mask {
    let mut mask = Mask::new(extent);
    for column in x..x + width {
        let cover = (60 * (column - x + 1)).min(255) as u8;
        mask.fill(crate::geom::CanvasRect::new(column, y, 1, height), cover);
    }
    mask
}

/// The sample's editor, with a model that can chat.
pub(crate) fn editor() -> Editor {
    let mut editor = sample::editor();
    editor.catalog = Some(Arc::new(catalog()));
    editor.document.active = editor.document.layers[4].id;
    let first = editor.document.clone();
    editor.history = crate::document::History::new(first, "New picture", 512 << 20);
    editor
}

/// The sample's models with one more that can chat.
pub(crate) fn catalog() -> Catalog {
    let mut catalog = sample::catalog();
    let mut talker = catalog.models[0].clone();
    "talker".clone_into(&mut talker.id);
    "Talker".clone_into(&mut talker.name);
    let base = talker.abilities[0].base.clone();
    talker.abilities = vec![Ability { purpose: Purpose::Chat, base, upsample: None }];
    talker.remembers = 2;
    catalog.models.push(talker);
    catalog
}

/// The record of a turn.
pub(crate) fn record(plan: &RequestPlan, reply: &str) -> Record {
    let common = serde_json::json!({
        "command": "chat",
        "prompt": plan.generation.prompt,
        "model": "talker",
        "checkpoints": [],
        "seed": plan.generation.seed,
        "device": "cpu",
        "precision": "fp32",
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 64,
        "base": {
            "steps": 20, "respacing": "20", "sampler": "ddim", "eta": 0.0, "guidance": 3.0,
            "clip_guidance": 0.0, "size": 64,
        },
        "feather_px": 4,
        "reply": reply,
    });
    let Record::Chat(ChatRecord { mut settings, reply }) = serde_json::from_value(common).unwrap()
    else {
        panic!("another record");
    };
    settings.image = plan.region.map(|_| SourceNote::default());
    let attachments = plan.chat.iter().flat_map(|chat| &chat.message.attachments);
    settings.attachments = attachments.map(|_| SourceNote::default()).collect();
    settings.mask = plan.mask.as_ref().map(|_| SourceNote::default());
    Record::Chat(ChatRecord { settings, reply })
}

/// Has a command done; the effects.
pub(crate) fn act(editor: &mut Editor, command: Command) -> Vec<Effect> {
    editor.update(command)
}

/// The plan that was submitted.
pub(crate) fn submitted(effects: Vec<Effect>) -> Option<Box<RequestPlan>> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::Submit(plan) => Some(plan),
        _ => None,
    })
}

/// Sends a message; what the engine would be asked.
pub(crate) fn send(editor: &mut Editor, text: &str) -> Box<RequestPlan> {
    act(editor, Command::SetChatDraft(text.to_owned()));
    let effects = act(editor, Command::Do(Action::SendMessage));
    begun(editor, submitted(effects).expect("the message is sent"))
}

/// The engine takes a job on.
pub(crate) fn begun(editor: &mut Editor, plan: Box<RequestPlan>) -> Box<RequestPlan> {
    let id = JobId(plan.job.0);
    let result = Ok((id, Box::new(record(&plan, ""))));
    act(editor, Command::JobSubmitted { job: plan.job, result });
    act(editor, Command::JobEvent(id, JobEvent::Started));
    plan
}

/// What the engine says at the end, made ready; not given to the editor yet.
pub(crate) fn finished(editor: &mut Editor, plan: &RequestPlan, reply: Reply) -> Command {
    let id = JobId(plan.job.0);
    act(editor, Command::JobEvent(id, JobEvent::Words(reply.words.to_owned())));
    let record = record(plan, reply.words);
    let seed = plan.generation.seed;
    let picture = reply.picture.map(|image| Picture { image, seed, record: record.clone() });
    let outcome = Outcome {
        pictures: picture.into_iter().collect(),
        answer: Some(Box::new(Answer {
            words: reply.words.to_owned(),
            record,
            change: reply.change.map(Arc::new),
        })),
        report: JobReport::default(),
    };
    let effects = act(editor, Command::JobEvent(id, JobEvent::Finished(outcome)));
    let stage: Option<Box<StagePlan>> = effects.into_iter().find_map(|effect| match effect {
        Effect::Stage(stage) => Some(stage),
        _ => None,
    });
    Command::Answered(Box::new(messages::answer(*stage.expect("the answer is staged"))))
}

/// Sends a message and has it answered; the state that comes of it.
pub(crate) fn turn(editor: &mut Editor, text: &str, reply: Reply) -> NodeId {
    let plan = send(editor, text);
    answer(editor, &plan, reply);
    editor.history.current()
}

/// Answers a message that was sent; the effects.
pub(crate) fn answer(editor: &mut Editor, plan: &RequestPlan, reply: Reply) -> Vec<Effect> {
    let answered = finished(editor, plan, reply);
    act(editor, answered)
}
