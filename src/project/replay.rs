//! Every step of a tree done again, and its pixels compared with those that are stored.
//!
//! Steps are done from the states before them as they were replayed, not as they are stored. What a
//! model drew is drawn again by whoever replays, from the request and from what the model was shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{
    Difference, Document, Edit, NodeId, OperationKind, Place, Selection, Shown, difference, flatten,
};
use crate::geom::PixelRect;
use crate::project::{Pictures, ProjectError, Recorder, Tree};
use crate::raster::{Mask, RgbaImage};

/// Replayed documents that are kept ready; others are read again.
const KEPT: usize = 64;

/// What a model has to draw again.
pub struct Redraw<'a> {
    /// The request, as JSON.
    pub record: &'a str,
    /// The picture that the model was shown; nothing where it was shown none.
    pub image: Option<RgbaImage>,
    /// Where it was to repaint, as large as the picture.
    pub mask: Option<Mask>,
    /// The pictures that were shown with the message, as they were attached to it.
    pub attachments: Vec<Arc<RgbaImage>>,
    /// Gives the newest turns of the conversation before it, at most so many, the oldest first.
    pub earlier: &'a mut dyn FnMut(usize) -> Result<Vec<Told>, ProjectError>,
}

/// A turn of a conversation as a model was reminded of it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The turn, as JSON.
    pub record: String,
    /// The pictures that were shown with its message, as they were attached to it.
    pub attachments: Vec<Arc<RgbaImage>>,
    /// The whole canvas as it was before it, flattened.
    pub before: RgbaImage,
    /// The whole canvas as it was after it, flattened.
    pub after: RgbaImage,
}

/// Draws again; nothing where that is not wanted, or an error in words.
pub type Draw<'a> = &'a mut dyn FnMut(Redraw<'_>) -> Result<Option<RgbaImage>, String>;

/// What became of one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The same pixels and settings, by the content hash.
    Equal,
    /// Other ones.
    Differs(Difference),
    /// It could not be made again; states below it go on from the stored one.
    Failed(String),
}

/// One state that was replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Which one.
    pub node: NodeId,
    /// Its name.
    pub label: String,
    /// Pictures in it that a model drew again.
    pub redrawn: usize,
    /// Pictures in it that a model had drawn and that were taken as they are stored.
    pub taken: usize,
    /// What became of it.
    pub outcome: Outcome,
}

/// Replays a tree up to a state, that one included, or all of it; tells each state as it is done.
///
/// # Errors
///
/// When there is no such state, or stored pixels can't be read.
pub fn replay(
    tree: &mut Tree,
    pictures: &mut dyn Pictures,
    to: Option<NodeId>,
    draw: Draw<'_>,
    tell: &mut dyn FnMut(Replayed) -> Result<(), ProjectError>,
) -> Result<(), ProjectError> {
    let way = way(tree, to)?;
    let mut states = States::default();
    let mut hasher = Recorder::new();
    for id in way {
        let node = tree.node(id).ok_or(ProjectError::NoNode(id))?;
        let (parent, label, content) = (node.parent, node.label.clone(), node.content);
        let edits = tree.edits(id, pictures)?;
        let (mut redrawn, mut taken) = (0, 0);
        let made: Result<Document, String> = match parent {
            // The first state is an original: what it has came from outside.
            None => Ok(tree.document(id, pictures)?),
            Some(parent) => {
                let mut document = states.get(parent, tree, pictures)?;
                let mut result = Ok(());
                let mut attachments = Vec::new();
                for edit in edits {
                    let edit = match edit {
                        Edit::Attach(attachment) => {
                            attachments.push(attachment.image);
                            continue;
                        }
                        Edit::Place(place) if place.record.is_some() => {
                            let asked = Asked { place, parent, attachments: attachments.clone() };
                            match redraw(asked, &mut states, tree, pictures, draw)? {
                                Ok((place, Drawn::Again)) => {
                                    redrawn += 1;
                                    Edit::Place(place)
                                }
                                Ok((place, Drawn::Taken)) => {
                                    taken += 1;
                                    Edit::Place(place)
                                }
                                Err(why) => {
                                    result = Err(why);
                                    break;
                                }
                            }
                        }
                        edit => edit,
                    };
                    if let Err(error) = edit.apply(&mut document) {
                        result = Err(error.to_string());
                        break;
                    }
                }
                result.map(|()| document)
            }
        };
        let outcome = match made {
            Err(why) => Outcome::Failed(why),
            Ok(document) if hasher.content(&document) == content => {
                states.keep(id, document);
                Outcome::Equal
            }
            Ok(document) => {
                let stored = tree.document(id, pictures)?;
                let rect = stored.extent.rect();
                let differs = difference(&stored, &document, &rect);
                states.keep_for_good(id, document);
                Outcome::Differs(differs)
            }
        };
        tell(Replayed { node: id, label, redrawn, taken, outcome })?;
    }
    Ok(())
}

/// The states to replay, in order: those above the last one, or all.
fn way(tree: &Tree, to: Option<NodeId>) -> Result<Vec<NodeId>, ProjectError> {
    let Some(to) = to else { return Ok(tree.nodes().map(|node| node.id).collect()) };
    let mut way = Vec::new();
    let mut at = Some(to);
    while let Some(id) = at {
        way.push(id);
        at = tree.node(id).ok_or(ProjectError::NoNode(id))?.parent;
    }
    way.reverse();
    Ok(way)
}

/// Documents as they were replayed. Those that came out equal can be read from the tree again.
#[derive(Default)]
struct States {
    newest: Vec<(NodeId, Document)>,
    different: BTreeMap<NodeId, Document>,
}

impl States {
    fn keep(&mut self, id: NodeId, document: Document) {
        if self.newest.len() >= KEPT {
            self.newest.remove(0);
        }
        self.newest.push((id, document));
    }

    fn keep_for_good(&mut self, id: NodeId, document: Document) {
        self.different.insert(id, document);
    }

    fn get(
        &self,
        id: NodeId,
        tree: &mut Tree,
        pictures: &mut dyn Pictures,
    ) -> Result<Document, ProjectError> {
        let newest = self.newest.iter().rev().find(|(known, _)| *known == id);
        match newest.map(|(_, document)| document).or_else(|| self.different.get(&id)) {
            Some(document) => Ok(document.clone()),
            None => tree.document(id, pictures),
        }
    }
}

enum Drawn {
    Again,
    Taken,
}

/// A picture that a model drew, and what it was asked with.
struct Asked {
    place: Place,
    /// The state before it.
    parent: NodeId,
    /// What was shown with the message.
    attachments: Vec<Arc<RgbaImage>>,
}

/// A model's picture drawn again, as it was laid down.
fn redraw(
    asked: Asked,
    states: &mut States,
    tree: &mut Tree,
    pictures: &mut dyn Pictures,
    draw: Draw<'_>,
) -> Result<Result<(Place, Drawn), String>, ProjectError> {
    let Asked { place, parent, attachments } = asked;
    let Some(record) = place.record.clone() else { return Ok(Ok((place, Drawn::Taken))) };
    let (mut image, mut mask) = (None, None);
    if let Some(shown) = place.shown.as_deref() {
        let mut document = states.get(shown.state, tree, pictures)?;
        match seen(&mut document, shown) {
            Ok((picture, cover)) => (image, mask) = (Some(picture), cover),
            Err(why) => return Ok(Err(why)),
        }
    }
    let asked_at = place.shown.as_deref().map_or(parent, |shown| shown.state);
    let mut earlier = |most: usize| told(asked_at, most, states, tree, pictures);
    let again = Redraw { record: &record, image, mask, attachments, earlier: &mut earlier };
    let drawn = match draw(again) {
        Ok(Some(drawn)) => drawn,
        Ok(None) => return Ok(Ok((place, Drawn::Taken))),
        Err(why) => return Ok(Err(why)),
    };
    let drawn = match place.shown.as_deref().and_then(|shown| shown.crop) {
        Some(crop) => drawn.crop(crop),
        None => drawn,
    };
    Ok(Ok((Place { image: Arc::new(drawn), ..place }, Drawn::Again)))
}

/// The newest turns on the way to a state.
fn told(
    at: NodeId,
    most: usize,
    states: &States,
    tree: &mut Tree,
    pictures: &mut dyn Pictures,
) -> Result<Vec<Told>, ProjectError> {
    let mut found = Vec::new();
    let mut next = Some(at);
    while let Some(id) = next
        && found.len() < most
    {
        let node = tree.node(id).ok_or(ProjectError::NoNode(id))?;
        let (parent, kind) = (node.parent, node.kind());
        next = parent;
        let record = node.model_record().map(str::to_owned);
        let (OperationKind::Chat, Some(record), Some(parent)) = (kind, record, parent) else {
            continue;
        };
        let attached = tree.attached(id, pictures)?;
        let attachments = attached.into_iter().map(|attachment| attachment.image).collect();
        let mut whole = |id| -> Result<RgbaImage, ProjectError> {
            let document = states.get(id, tree, pictures)?;
            Ok(flatten(&document, document.extent.rect()))
        };
        found.push(Told { record, attachments, before: whole(parent)?, after: whole(id)? });
    }
    found.reverse();
    Ok(found)
}

/// What the model was shown.
fn seen(document: &mut Document, shown: &Shown) -> Result<(RgbaImage, Option<Mask>), String> {
    for edit in &shown.before {
        edit.apply(document).map_err(|error| error.to_string())?;
    }
    let region = shown.region;
    if PixelRect::from(region).on_canvas(document.extent) != Some(region) {
        return Err("what the model was shown lies outside the canvas".to_owned());
    }
    let image = flatten(document, region);
    let cover = shown.cover.as_ref().map(|cover| {
        let selection = Selection { cover: cover.clone() };
        Mask::from_raw(region.extent(), selection.cover.read(region.into()))
    });
    let mask = cover.transpose().map_err(|error| error.to_string())?;
    Ok((image, mask))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::document::Attachment;
    use crate::document::testing::Rng;
    use crate::geom::{CanvasRect, Extent};
    use crate::project::journal::{Change, Journal};
    use crate::project::{FORMAT, NewNode, ProjectRecord};
    use crate::raster::CoverGrid;

    /// What the test's model draws: the picture it is shown with its colors turned over where it may
    /// paint.
    fn model(image: Option<RgbaImage>, mask: Option<&Mask>, record: &str) -> RgbaImage {
        let mut image =
            image.unwrap_or_else(|| RgbaImage::new(Extent::new(40, 30), [record.len() as u8; 4]));
        let width = image.extent().width as usize;
        for (i, pixel) in image.pixels_mut().iter_mut().enumerate() {
            let painted = mask.is_none_or(|mask| mask.as_raw()[i] > 0);
            if painted {
                *pixel = [!pixel[0], !pixel[1], (i % width) as u8, 255];
            }
        }
        image
    }

    /// A journal of random edits and of pictures that the model above drew.
    fn journal(root: &std::path::Path, seed: u64) -> Journal {
        let project = ProjectRecord { format: FORMAT, id: "0".repeat(32), writer: "t".to_owned() };
        let mut journal = Journal::create(root, &project).unwrap();
        let mut rng = Rng(seed);
        let mut documents = vec![rng.document()];
        let commit = |journal: &mut Journal, parent: Option<u64>, edits, document: &Document| {
            let id = journal.tree().nodes().count() as u64 + 1;
            let node = NewNode {
                id: NodeId(id),
                parent: parent.map(NodeId),
                label: format!("State {id}"),
                time: SystemTime::now(),
                edits,
                document: document.clone(),
            };
            journal.commit([Change::Node(Box::new(node))]).unwrap();
        };
        commit(&mut journal, None, Vec::new(), &documents[0]);
        while documents.len() < 60 {
            let parent = documents.len() - 1 - rng.below(3.min(documents.len() as u32)) as usize;
            let mut document = documents[parent].clone();
            let edits = if rng.one_in(4) {
                let state = parent - rng.below(1 + parent.min(2) as u32) as usize;
                let asked = &documents[state];
                let mut cover = CoverGrid::new();
                cover.fill(PixelRect::new(2, 2, 50, 40), 200);
                let region = asked.extent.rect();
                let bounds = PixelRect::new(2, 2, 50, 40).on_canvas(asked.extent);
                let Some(bounds) = bounds else { continue };
                let crop = CanvasRect { ..bounds };
                let mask = Mask::from_raw(region.extent(), cover.read(region.into())).unwrap();
                let image = model(Some(flatten(asked, region)), Some(&mask), "{}").crop(crop);
                let shown = Shown {
                    state: NodeId(state as u64 + 1),
                    before: Vec::new(),
                    region,
                    cover: Some(cover.clone()),
                    crop: Some(crop),
                };
                vec![Edit::Place(Place {
                    image: Arc::new(image),
                    at: (bounds.x as i32, bounds.y as i32),
                    name: "drawn".to_owned(),
                    mask: Some(cover),
                    record: Some(Arc::from("{}")),
                    shown: Some(Arc::new(shown)),
                })]
            } else {
                match rng.edit(&document) {
                    // Its record says that a model drew it, which none did.
                    Edit::Place(place) => vec![Edit::Place(Place { record: None, ..place })],
                    edit => vec![edit],
                }
            };
            if edits.iter().all(|edit| edit.apply(&mut document).is_ok()) {
                commit(&mut journal, Some(parent as u64 + 1), edits, &document);
                documents.push(document);
            }
        }
        journal
    }

    fn run(root: &std::path::Path, seed: u64, draw: Draw<'_>) -> Vec<Replayed> {
        let mut journal = journal(root, seed);
        let mut tree = Tree::default();
        for record in journal.tree().records() {
            tree.take(record).unwrap();
        }
        let mut all = Vec::new();
        let mut tell = |replayed| {
            all.push(replayed);
            Ok(())
        };
        replay(&mut tree, &mut journal, None, draw, &mut tell).unwrap();
        all
    }

    #[test]
    fn every_state_comes_out_equal() {
        for seed in 0..3 {
            let root = tempfile::tempdir().unwrap();
            let mut draw =
                |again: Redraw<'_>| Ok(Some(model(again.image, again.mask.as_ref(), again.record)));
            let all = run(root.path(), seed, &mut draw);
            assert_eq!(all.len(), 60);
            for state in &all {
                assert_eq!(state.outcome, Outcome::Equal, "{state:?}");
            }
            assert!(all.iter().map(|state| state.redrawn).sum::<usize>() > 3);
        }
    }

    #[test]
    fn a_model_is_reminded_of_the_turns_on_its_own_line() {
        let root = tempfile::tempdir().unwrap();
        let project = ProjectRecord { format: FORMAT, id: "0".repeat(32), writer: "t".to_owned() };
        let mut journal = Journal::create(root.path(), &project).unwrap();
        let mut documents = vec![Rng(3).document()];
        let mut commit = |parent: Option<usize>, edits: Vec<Edit>| {
            let mut document = documents[parent.unwrap_or(0)].clone();
            for edit in &edits {
                edit.apply(&mut document).unwrap();
            }
            if parent.is_some() {
                documents.push(document.clone());
            }
            let node = NewNode {
                id: NodeId(documents.len() as u64),
                parent: parent.map(|parent| NodeId(parent as u64 + 1)),
                label: String::new(),
                time: SystemTime::now(),
                edits,
                document,
            };
            journal.commit([Change::Node(Box::new(node))]).unwrap();
        };
        let turn = |name: &str| format!(r#"{{"command":"chat","prompt":"{name}"}}"#);
        let drawn = |name: &str| {
            vec![Edit::Place(Place {
                image: Arc::new(RgbaImage::new(Extent::new(9, 9), [name.len() as u8; 4])),
                at: (1, 1),
                name: name.to_owned(),
                mask: None,
                record: Some(Arc::from(turn(name).as_str())),
                shown: None,
            })]
        };
        let shown = |name: &str| Attachment {
            image: Arc::new(RgbaImage::new(Extent::new(7, 5), [name.len() as u8, 3, 2, 90])),
            name: name.to_owned(),
        };
        let attach = |name: &str| vec![Edit::Attach(shown(name))];
        let said = |name: &str| vec![Edit::Said { record: turn(name) }];
        commit(None, Vec::new());
        commit(Some(0), [attach("first"), drawn("first")].concat());
        commit(Some(1), vec![Edit::AddLayer { name: "not said".to_owned() }]);
        commit(Some(1), said("on another line"));
        commit(Some(2), [attach("asked"), attach("twice"), said("asked")].concat());
        commit(Some(4), [attach("the last"), drawn("last")].concat());
        let mut tree = Tree::default();
        for record in journal.tree().records() {
            tree.take(record).unwrap();
        }
        let pixels =
            |names: &[&str]| -> Vec<_> { names.iter().map(|name| shown(name).image).collect() };
        let mut heard = Vec::new();
        let mut seen = Vec::new();
        let mut draw = |again: Redraw<'_>| {
            for most in [9, 1] {
                let told = (again.earlier)(most).map_err(|error| error.to_string())?;
                heard.push(told.iter().map(|told| told.record.clone()).collect::<Vec<_>>());
                for told in told {
                    let names: &[&str] = match &told.record {
                        first if *first == turn("first") => &["first"],
                        asked if *asked == turn("asked") => &["asked", "twice"],
                        other => panic!("{other}"),
                    };
                    assert_eq!(told.attachments, pixels(names));
                    let changed = told.before != told.after;
                    assert_eq!(changed, told.record == turn("first"), "{}", told.record);
                }
            }
            seen.push(again.attachments);
            Ok(None)
        };
        replay(&mut tree, &mut journal, None, &mut draw, &mut |_| Ok(())).unwrap();
        let none: [String; 0] = [];
        assert_eq!(heard[0], none);
        assert_eq!(heard[2], [turn("first"), turn("asked")]);
        assert_eq!(heard[3], [turn("asked")]);
        assert_eq!(seen, [pixels(&["first"]), pixels(&["the last"])]);
    }

    #[test]
    fn a_model_that_draws_otherwise_is_found_out_and_one_that_fails_is_told() {
        let root = tempfile::tempdir().unwrap();
        let mut draw = |again: Redraw<'_>| {
            let mut image = model(again.image, again.mask.as_ref(), again.record);
            image.pixels_mut().iter_mut().for_each(|pixel| pixel[0] ^= 3);
            Ok(Some(image))
        };
        let all = run(root.path(), 1, &mut draw);
        let differs = |state: &&Replayed| matches!(state.outcome, Outcome::Differs(_));
        let drawn = all.iter().filter(|state| state.redrawn > 0).count();
        assert!(drawn > 3 && all.iter().filter(differs).count() >= drawn);

        let root = tempfile::tempdir().unwrap();
        let all = run(root.path(), 1, &mut |_| Err("no model".to_owned()));
        let failed = Outcome::Failed("no model".to_owned());
        assert_eq!(all.iter().filter(|state| state.outcome == failed).count(), drawn);
        let others = all.iter().filter(|state| state.outcome == Outcome::Equal).count();
        assert_eq!(others + drawn, all.len(), "what comes after goes on from the stored state");

        let root = tempfile::tempdir().unwrap();
        let all = run(root.path(), 1, &mut |_| Ok(None));
        assert!(all.iter().all(|state| state.outcome == Outcome::Equal));
        assert_eq!(all.iter().map(|state| state.taken).sum::<usize>(), drawn);
    }
}
