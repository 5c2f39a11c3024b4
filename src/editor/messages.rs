//! Messages: planned, made into requests, and their answers into states.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::document::{Document, Edit, NodeId, Place, Selection, Shown, flatten, outside_delta};
use crate::editor::requests::{DeviceSettings, THUMBNAIL_PX, layer_name};
use crate::editor::{
    AnswerWish, Answered, ChatPlan, Conversation, EarlierPlan, Editor, GalleryId, GalleryItem,
    GalleryPixels, Generation, JobKind, JobNumber, Message, RequestPlan, StagePlan, TurnNote,
    TurnPicture,
};
use crate::engine::draft::{self, Choices, Source, Talk};
use crate::engine::error::EngineError;
use crate::engine::event::{Outcome, Picture};
use crate::engine::library::ModelLibrary;
use crate::engine::request::{AnswerChoice, EarlierTurn, Record, Request};
use crate::geom::{CanvasRect, Extent, PixelRect};
use crate::locale::tr;
use crate::raster::{CoverGrid, Mask, RgbaImage, resize_rgba};

/// Pixels around what changed that an answer's layer holds at least, so that the change can be made
/// wider afterwards.
const MARGIN_PX: u32 = 64;

/// Plans to have a message answered at the current state.
#[must_use]
pub fn plan(editor: &Editor, message: Message, job: JobNumber) -> RequestPlan {
    let document = editor.document.clone();
    let options = editor.chat.options.clone();
    let model = editor.chat_model();
    let remembers = model.map_or(0, |model| model.remembers as usize);
    let generation = Generation {
        prompt: message.text.clone(),
        negative_prompt: String::new(),
        model: model.map(|model| model.id.clone()),
        count: 1,
        steps: options.steps,
        sampler: None,
        guidance: options.guidance,
        clip_guidance: None,
        ..editor.generation.clone()
    };
    let has_picture = message.answer != AnswerWish::NewPicture && !editor.is_untouched();
    let region = has_picture.then(|| document.extent.rect());
    let confines = has_picture && message.answer == AnswerWish::Free;
    let mask =
        (confines && !document.selection.is_empty()).then(|| document.selection.cover.clone());
    // Another picture of its own has nothing to do with what was said about this one.
    let earlier = if message.answer == AnswerWish::NewPicture {
        Vec::new()
    } else {
        earlier(editor, remembers)
    };
    let preferences = &editor.preferences;
    let active = document.active;
    let moved = editor.history.document().is_some_and(|document| document.active != active);
    RequestPlan {
        job,
        kind: JobKind::Chat,
        generation,
        device: DeviceSettings { device: preferences.device, precision: preferences.precision },
        state: editor.history.current(),
        document,
        before: Vec::new(),
        mask,
        region,
        chat: Some(Box::new(ChatPlan {
            message,
            options,
            earlier,
            in_hand: moved.then_some(active),
            era: editor.chat.era,
        })),
    }
}

/// The newest turns, at most so many. Where the pixels of one are not here, memory begins after it.
fn earlier(editor: &Editor, most: usize) -> Vec<EarlierPlan> {
    let history = &editor.history;
    let document = |id: NodeId| {
        let document = history.node(id)?.document.clone()?;
        Some((id, document))
    };
    let conversation = Conversation::at(history, history.current());
    let mut found = Vec::new();
    for turn in conversation.turns.iter().rev().take(most) {
        let asked = match (&turn.record.settings.image, turn.asked_at) {
            (Some(_), Some(asked_at)) => {
                let Some(asked) = document(asked_at) else { break };
                Some(asked)
            }
            _ => None,
        };
        let result = if turn.has_picture() {
            let Some(result) = document(turn.node) else { break };
            Some(result)
        } else {
            None
        };
        let attached = editor.chat.attached.get(&turn.node).map_or(&[][..], Vec::as_slice);
        if attached.len() < turn.record.settings.attachments.len() {
            break;
        }
        found.push(EarlierPlan {
            asked,
            result,
            attachments: attached.iter().map(|one| Arc::clone(&one.image)).collect(),
            message: turn.message().to_owned(),
            reply: turn.reply().to_owned(),
        });
    }
    found.reverse();
    found
}

/// The engine's request for a message.
pub(super) fn request(
    plan: &RequestPlan,
    chat: &ChatPlan,
    library: &ModelLibrary,
) -> Result<Request, EngineError> {
    let generation = &plan.generation;
    let answer = match chat.message.answer {
        AnswerWish::Free => AnswerChoice::Free,
        AnswerWish::Words => AnswerChoice::Words,
        AnswerWish::NewPicture => AnswerChoice::Picture,
    };
    let choices = Choices {
        model: generation.model.clone(),
        seed: Some(generation.seed),
        steps: generation.steps,
        guidance: generation.guidance,
        device: Some(plan.device.device),
        precision: Some(plan.device.precision),
        answer: Some(answer),
        refine: chat.options.refine,
        ..Choices::default()
    };
    let mut flat: BTreeMap<NodeId, Arc<RgbaImage>> = BTreeMap::new();
    // Most turns are asked at the state that the one before led to.
    let mut whole = |(id, document): &(NodeId, Document)| {
        let image = flat.entry(*id);
        Arc::clone(image.or_insert_with(|| Arc::new(flatten(document, document.extent.rect()))))
    };
    let earlier = chat
        .earlier
        .iter()
        .map(|turn| EarlierTurn {
            image: turn.asked.as_ref().map(&mut whole),
            attachments: turn.attachments.clone(),
            message: turn.message.clone(),
            reply: turn.reply.clone(),
            result: turn.result.as_ref().map(&mut whole),
        })
        .collect();
    let image = plan.region.map(|region| {
        if region == plan.document.extent.rect() {
            whole(&(plan.state, plan.document.clone()))
        } else {
            Arc::new(flatten(&plan.document, region))
        }
    });
    let mask = match (plan.region, &plan.mask) {
        (Some(region), Some(cover)) => {
            let mask = Mask::from_raw(region.extent(), cover.read(region.into()))
                .map_err(|error| EngineError::Input(error.to_string()))?;
            Some(Source::of(Arc::new(mask)))
        }
        _ => None,
    };
    let talk = Talk {
        image: image.map(Source::of),
        mask,
        attachments: chat
            .message
            .attachments
            .iter()
            .map(|attachment| Source::of(Arc::clone(&attachment.image)))
            .collect(),
        earlier,
    };
    draft::chat(Some(&chat.message.text), &choices, talk, None, library)
}

/// Makes an answer ready to become a state of the history, as a change of the document that the
/// message was about. The gallery's number is given later.
#[must_use]
pub fn answer(stage: StagePlan) -> Answered {
    let StagePlan { plan, outcome, .. } = stage;
    let Outcome { pictures, answer, report } = outcome;
    let seconds: f64 = report.seconds.values().sum();
    let picture = pictures.into_iter().next();
    let record = answer.as_ref().map(|answer| answer.record.clone());
    let record = record.or_else(|| picture.as_ref().map(|picture| picture.record.clone()));
    let change = answer.and_then(|answer| answer.change);
    let laid = picture.and_then(|picture| match lay(&plan, &picture, change.as_deref()) {
        Laid::Nothing => None,
        Laid::Edits(edits, outside) => Some((picture, edits, outside)),
    });
    let same = laid.is_none() && change.is_some();
    let mut document = plan.document.clone();
    if let Some((picture, mut edits, outside)) = laid {
        let applied = edits.iter().try_for_each(|edit| edit.apply(&mut document).map(|_| ()));
        match applied {
            Ok(()) => {
                let note = TurnNote {
                    picture: Some(if plan.region.is_some() && change.is_some() {
                        TurnPicture::Changed
                    } else {
                        TurnPicture::New
                    }),
                    outside_mask_delta: outside.map(|cover| {
                        outside_delta(&plan.document, &document, &Selection { cover })
                    }),
                };
                if let Some(bytes) = note.outside_mask_delta {
                    log::debug!("an answer changed {bytes} bytes outside of its region");
                }
                write_record(&mut edits, &mut document, &note, record.as_ref());
                let edits = attached(&plan).chain(edits).collect();
                let item = Some(gallery_item(&plan, &document, picture, record, seconds));
                return Answered { plan, item, edits, document };
            }
            Err(error) => {
                log::warn!("an answer's picture does not fit the document: {error}");
                document = plan.document.clone();
            }
        }
    }
    let picture = Some(if same { TurnPicture::Same } else { TurnPicture::None });
    let note = TurnNote { picture, outside_mask_delta: None };
    let record = record.and_then(|record| note.written_with(&record)).unwrap_or_default();
    let said = in_hand(&plan).into_iter().chain([Edit::Said { record }]);
    let edits = attached(&plan).chain(said).collect();
    Answered { plan, item: None, edits, document }
}

/// What was shown with the message is kept with the turn.
fn attached(plan: &RequestPlan) -> impl Iterator<Item = Edit> {
    let message = plan.chat.as_ref().map(|chat| &chat.message);
    message.into_iter().flat_map(|message| message.attachments.iter().cloned().map(Edit::Attach))
}

/// Which layer is in hand is no step of its own, but belongs to the state that a step makes.
fn in_hand(plan: &RequestPlan) -> Option<Edit> {
    plan.chat.as_ref()?.in_hand.map(Edit::SetActive)
}

/// How an answer's picture comes into the document.
enum Laid {
    /// Not at all: it is the same picture.
    Nothing,
    /// By these edits; the last one is the picture. Nothing outside of the cover is to change.
    Edits(Vec<Edit>, Option<CoverGrid>),
}

fn lay(plan: &RequestPlan, picture: &Picture, change: Option<&Mask>) -> Laid {
    let name = layer_name(plan, picture.seed);
    let place = |image: RgbaImage, at: (i32, i32), mask: Option<CoverGrid>, shown| {
        Edit::Place(Place {
            image: Arc::new(image),
            at,
            name: name.clone(),
            mask,
            record: None,
            shown,
        })
    };
    let Some(region) = plan.region else {
        let extent = picture.image.extent();
        let first =
            if plan.chat.as_ref().is_some_and(|chat| chat.message.answer == AnswerWish::NewPicture)
            {
                Edit::Replace(Box::new(Document::new(extent, tr("Layer 1"))))
            } else {
                Edit::SetCanvas(PixelRect::new(0, 0, extent.width, extent.height))
            };
        let placed = place(picture.image.clone(), (0, 0), None, None);
        return Laid::Edits(in_hand(plan).into_iter().chain([first, placed]).collect(), None);
    };
    let image = fitted(&picture.image, region.extent());
    let whole = region.extent();
    let mut cover = match change.filter(|change| change.extent() == whole) {
        Some(change) => change.as_raw().to_vec(),
        None => vec![255; whole.area()],
    };
    if let Some(allowed) = &plan.mask {
        // Whatever the model did, nothing else may change.
        for (cover, allowed) in cover.iter_mut().zip(allowed.read(region.into())) {
            if allowed == 0 {
                *cover = 0;
            }
        }
    }
    let grid = CoverGrid::from_pixels(region.into(), &cover);
    let bounds = grid.bounds().and_then(|bounds| bounds.on_canvas(plan.document.extent));
    let Some(bounds) = bounds else { return Laid::Nothing };
    let margin = MARGIN_PX.max(bounds.width.max(bounds.height) / 4);
    let part = bounds.padded(margin, plan.document.extent);
    let inside = CanvasRect { x: part.x - region.x, y: part.y - region.y, ..part };
    let shown = Shown {
        state: plan.state,
        before: Vec::new(),
        region,
        cover: plan.mask.clone(),
        crop: Some(inside),
    };
    let mut edits = Vec::new();
    // An answer covers what is seen, so it lies on top of all layers.
    if let Some(top) = plan.document.layers.last() {
        edits.push(Edit::SetActive(top.id));
    }
    let at = (part.x as i32, part.y as i32);
    edits.push(place(image.crop(inside), at, Some(grid.clone()), Some(Arc::new(shown))));
    Laid::Edits(edits, Some(plan.mask.clone().unwrap_or(grid)))
}

fn fitted(image: &RgbaImage, extent: Extent) -> RgbaImage {
    if image.extent() == extent { image.clone() } else { resize_rgba(image, extent) }
}

/// Writes the turn into the edit that lays its picture down, and into the layer.
fn write_record(
    edits: &mut [Edit],
    document: &mut Document,
    note: &TurnNote,
    record: Option<&Record>,
) {
    let json: Option<Arc<str>> = record.and_then(|record| note.written_with(record)).map(Arc::from);
    let active = document.active;
    if let Some(Edit::Place(place)) = edits.last_mut() {
        place.record.clone_from(&json);
    }
    if let Some(layer) = document.layers.iter_mut().find(|layer| layer.id == active) {
        layer.record = json;
    }
}

/// The whole picture after the answer, for the gallery.
fn gallery_item(
    plan: &RequestPlan,
    document: &Document,
    picture: Picture,
    record: Option<Record>,
    seconds: f64,
) -> GalleryItem {
    let image = match plan.region {
        Some(_) => Arc::new(flatten(document, document.extent.rect())),
        None => Arc::new(picture.image),
    };
    GalleryItem {
        id: GalleryId(0),
        kept: None,
        extent: image.extent(),
        thumbnail: Arc::new(crate::document::thumbnail(document, THUMBNAIL_PX)),
        pixels: GalleryPixels::Here(image),
        record: record.unwrap_or(picture.record),
        kind: JobKind::Chat,
        time: SystemTime::now(),
        seconds,
        origin: None,
        starred: false,
        tags: Vec::new(),
    }
}
