//! The tree of all states that a document had.
//!
//! Every committed change is a [`Node`]: what was done, when, and the whole document after it, whose
//! tiles are shared with its neighbors. Undo goes to the parent, redo to the child that was visited
//! last, and a change after an undo starts a branch instead of erasing one. The states together may
//! take as many bytes as the budget says; beyond it the states that were not visited for the longest
//! time let go of their pixels, which [`History::commit`] reports, so that nothing goes silently.
//! Nodes themselves stay, with name, time and thumbnail, and a pinned node keeps its pixels as well.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::document::ledger::Ledger;
use crate::document::{Document, Edit, OperationKind};
use crate::raster::RgbaImage;

/// Names a node within its history; a node's number is greater than its parent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u64);

/// What made a node out of its parent.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its name for people.
    pub label: String,
    /// The changes, in order: applied to the parent's document they give the node's. Empty for the
    /// first node, and where the node's pixels were let go, because edits hold pixels too.
    pub edits: Vec<Edit>,
}

/// One state of the document.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name within the history.
    pub id: NodeId,
    /// The state before; nothing for the first node.
    pub parent: Option<NodeId>,
    /// The states that were made from this one, oldest first.
    pub children: Vec<NodeId>,
    /// What made it.
    pub operation: Operation,
    /// What kind of work made it.
    pub kind: OperationKind,
    /// The request of the model that made a part of it, as JSON.
    pub record: Option<Arc<str>>,
    /// When it was made.
    pub time: SystemTime,
    /// A small picture of it, once somebody made one.
    pub thumbnail: Option<Arc<RgbaImage>>,
    /// The document; nothing where its pixels were let go to stay within the budget.
    pub document: Option<Document>,
    /// Bytes that it added when it was made; 0 once its pixels were let go.
    pub bytes: usize,
    /// The child that redo goes to.
    pub redo: Option<NodeId>,
    /// Whether it keeps its pixels whatever the budget says.
    pub pinned: bool,
    // Greater than that of every node that was visited earlier.
    visit: u64,
}

/// A node as it was stored, without its pixels.
#[derive(Clone, Debug)]
pub struct StoredNode {
    /// Its name within the history.
    pub id: NodeId,
    /// The state before; a smaller number. Nothing for the first node.
    pub parent: Option<NodeId>,
    /// Its name for people.
    pub label: String,
    /// What kind of work made it.
    pub kind: OperationKind,
    /// The request of the model that made a part of it, as JSON.
    pub record: Option<Arc<str>>,
    /// When it was made.
    pub time: SystemTime,
    /// A small picture of it.
    pub thumbnail: Option<Arc<RgbaImage>>,
    /// Whether it keeps its pixels whatever the budget says, once they are there.
    pub pinned: bool,
}

/// Nodes whose pixels were let go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Which nodes.
    pub nodes: Vec<NodeId>,
}

/// One line of the tree, told apart from the others by its last node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its last node, which has no children.
    pub tip: NodeId,
    /// The nearest node above where the tree parts; nothing where it never does.
    pub fork: Option<NodeId>,
    /// Nodes after the fork, the tip included; all of the line where there is no fork.
    pub length: usize,
}

/// The tree of all states, and where in it the document is.
#[derive(Clone, Debug)]
pub struct History {
    nodes: BTreeMap<NodeId, Node>,
    root: NodeId,
    // Invariants: a node of the tree that has its document; visited last of all; every node above it
    // has the next one towards it as its redo.
    current: NodeId,
    last: u64,
    last_visit: u64,
    // The nodes that may be let go, by their visit: those with a document that are not pinned.
    releasable: BTreeSet<(u64, NodeId)>,
    // Holds exactly the documents and edits of the nodes that have a document.
    ledger: Ledger,
    budget_bytes: usize,
}

impl History {
    /// A history that starts with this document.
    #[must_use]
    pub fn new(document: Document, label: impl Into<String>, budget_bytes: usize) -> Self {
        let root = NodeId(1);
        let mut history = Self {
            nodes: BTreeMap::new(),
            root,
            current: root,
            last: 0,
            last_visit: 0,
            releasable: BTreeSet::new(),
            ledger: Ledger::default(),
            budget_bytes,
        };
        history.add(None, document, Operation { label: label.into(), edits: Vec::new() });
        history
    }

    /// A history as it was stored: all nodes, oldest first, without pixels but for the current one.
    /// Redo leads along the newest children, and from the first node to the current one.
    ///
    /// Nodes that don't fit those before them are left away; without a first node there is none.
    #[must_use]
    pub fn restored(
        nodes: impl IntoIterator<Item = StoredNode>,
        current: NodeId,
        document: Document,
        budget_bytes: usize,
    ) -> Option<Self> {
        let mut tree: BTreeMap<NodeId, Node> = BTreeMap::new();
        for StoredNode { id, parent, label, kind, record, time, thumbnail, pinned } in nodes {
            let late = tree.last_key_value().is_some_and(|(last, _)| *last >= id);
            let fits = match parent {
                Some(parent) => tree.contains_key(&parent),
                None => tree.is_empty(),
            };
            if late || !fits {
                continue;
            }
            if let Some(parent) = parent.and_then(|parent| tree.get_mut(&parent)) {
                parent.children.push(id);
                parent.redo = Some(id);
            }
            let node = Node {
                id,
                parent,
                children: Vec::new(),
                operation: Operation { label, edits: Vec::new() },
                kind,
                record,
                time,
                thumbnail,
                document: None,
                bytes: 0,
                redo: None,
                pinned,
                visit: 0,
            };
            tree.insert(id, node);
        }
        let root = *tree.first_key_value()?.0;
        let last = tree.last_key_value()?.0.0;
        let mut history = Self {
            nodes: tree,
            root,
            current: root,
            last,
            last_visit: 0,
            releasable: BTreeSet::new(),
            ledger: Ledger::default(),
            budget_bytes,
        };
        history.fill(current, document);
        history.go_to(current).then_some(history)
    }

    /// Gives a node its document back, from where it was stored; false where there is no such node,
    /// or where it has its document.
    ///
    /// The pixels stay as long as the budget allows it at the next commit.
    pub fn fill(&mut self, id: NodeId, document: Document) -> bool {
        let Some(node) = self.nodes.get_mut(&id).filter(|node| node.document.is_none()) else {
            return false;
        };
        self.last_visit += 1;
        node.visit = self.last_visit;
        node.bytes = self.ledger.hold(&document, &[]);
        node.document = Some(document);
        if !node.pinned {
            self.releasable.insert((node.visit, id));
        }
        true
    }

    /// The first node.
    #[must_use]
    pub const fn root(&self) -> NodeId {
        self.root
    }

    /// The node that the document is at.
    #[must_use]
    pub const fn current(&self) -> NodeId {
        self.current
    }

    /// A node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// All nodes, oldest first.
    #[must_use]
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.nodes.values()
    }

    /// The nodes that one kind of work made, oldest first.
    #[must_use]
    pub fn nodes_of(&self, kind: OperationKind) -> impl DoubleEndedIterator<Item = &Node> {
        self.nodes.values().filter(move |node| node.kind == kind)
    }

    /// The document at the current node.
    #[must_use]
    pub fn document(&self) -> Option<&Document> {
        self.node(self.current)?.document.as_ref()
    }

    /// Adds a state below the current one and goes to it; says which old states were let go.
    pub fn commit(&mut self, document: Document, operation: Operation) -> (NodeId, Released) {
        let parent = self.current;
        let id = self.add(Some(parent), document, operation);
        if let Some(node) = self.nodes.get_mut(&parent) {
            node.children.push(id);
            node.redo = Some(id);
        }
        (id, self.keep_within_budget())
    }

    /// Adds a state below any other one and stays at the current one; says which old states were let
    /// go. Where there is no such parent, the state comes below the current one.
    pub fn commit_below(
        &mut self,
        parent: NodeId,
        document: Document,
        operation: Operation,
    ) -> (NodeId, Released) {
        let here = self.current;
        let parent = if self.nodes.contains_key(&parent) { parent } else { here };
        let id = self.add(Some(parent), document, operation);
        if let Some(node) = self.nodes.get_mut(&parent) {
            node.children.push(id);
            // Redo keeps leading where it led.
            node.redo = node.redo.or(Some(id));
        }
        self.visit(here);
        (id, self.keep_within_budget())
    }

    /// Goes to the parent; nothing at the first node, or where its pixels were let go.
    pub fn undo(&mut self) -> Option<NodeId> {
        let parent = self.node(self.current)?.parent?;
        // The way down from the parent is the way that redo knows already.
        self.visit(parent).then_some(parent)
    }

    /// Goes to the child that was visited last; nothing where there is none, or where its pixels
    /// were let go.
    pub fn redo(&mut self) -> Option<NodeId> {
        let child = self.node(self.current)?.redo?;
        self.visit(child).then_some(child)
    }

    /// The state to go back to, whether its pixels are here or have to be fetched.
    #[must_use]
    pub fn before(&self) -> Option<NodeId> {
        self.node(self.current)?.parent
    }

    /// The state to go forward to, whether its pixels are here or have to be fetched.
    #[must_use]
    pub fn after(&self) -> Option<NodeId> {
        self.node(self.current)?.redo
    }

    /// Goes to any node; false where there is none, or where its pixels were let go.
    pub fn go_to(&mut self, id: NodeId) -> bool {
        if !self.visit(id) {
            return false;
        }
        // Redo follows the way that was gone last.
        let mut child = id;
        while let Some(parent) = self.node(child).and_then(|node| node.parent) {
            if let Some(node) = self.nodes.get_mut(&parent) {
                node.redo = Some(child);
            }
            child = parent;
        }
        true
    }

    /// The way from the first node through the current one to the end of its redo line.
    #[must_use]
    pub fn line(&self) -> Vec<NodeId> {
        let mut line = vec![self.current];
        line.extend(self.ancestors(self.current));
        line.reverse();
        let mut at = self.node(self.current).and_then(|node| node.redo);
        while let Some(id) = at {
            line.push(id);
            at = self.node(id).and_then(|node| node.redo);
        }
        line
    }

    /// The nodes above a node, from its parent to the first one.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let parent = |id: &NodeId| self.node(*id).and_then(|node| node.parent);
        std::iter::successors(parent(&id), parent)
    }

    /// Whether a node was made from `ancestor`, directly or by way of others; no node is its own
    /// ancestor.
    #[must_use]
    pub fn is_ancestor(&self, ancestor: NodeId, of: NodeId) -> bool {
        // Numbers only get smaller on the way up.
        self.ancestors(of).take_while(|id| *id >= ancestor).any(|id| id == ancestor)
    }

    /// All lines of the tree, by the number of their last node: the newest last.
    #[must_use]
    pub fn branches(&self) -> Vec<Branch> {
        let tips = self.nodes().filter(|node| node.children.is_empty());
        tips.map(|node| {
            let parts = |id: &NodeId| self.node(*id).is_some_and(|node| node.children.len() > 1);
            let mut length = 1;
            let fork = self.ancestors(node.id).find(|id| {
                let found = parts(id);
                length += usize::from(!found);
                found
            });
            Branch { tip: node.id, fork, length }
        })
        .collect()
    }

    /// Gives a node another name; false where there is no such node.
    pub fn rename(&mut self, id: NodeId, label: impl Into<String>) -> bool {
        let node = self.nodes.get_mut(&id);
        node.map(|node| node.operation.label = label.into()).is_some()
    }

    /// Lets a node keep its pixels, once they are there, whatever the budget says; false where there
    /// is no such node.
    pub fn pin(&mut self, id: NodeId) -> bool {
        let Some(node) = self.nodes.get_mut(&id) else { return false };
        node.pinned = true;
        self.releasable.remove(&(node.visit, id));
        true
    }

    /// Lets a node's pixels go when the budget says so; says which states were let go.
    pub fn unpin(&mut self, id: NodeId) -> Released {
        if let Some(node) = self.nodes.get_mut(&id)
            && node.pinned
        {
            node.pinned = false;
            if node.document.is_some() {
                self.releasable.insert((node.visit, id));
            }
        }
        self.keep_within_budget()
    }

    /// Gives a node its small picture.
    pub fn set_thumbnail(&mut self, id: NodeId, thumbnail: Arc<RgbaImage>) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.thumbnail = Some(thumbnail);
        }
    }

    /// Bytes that all states and their edits need, counting what they share once.
    ///
    /// Exact for tiles, placed and attached pictures, and points of strokes. Names, thumbnails and the
    /// tree itself are not counted; the smaller versions that tiles make of themselves when they are
    /// seen zoomed out add at most a third.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.ledger.bytes()
    }

    /// Bytes that all states together may need. The current state and pinned ones stay even where
    /// they alone need more.
    #[must_use]
    pub const fn budget_bytes(&self) -> usize {
        self.budget_bytes
    }

    /// Changes the budget; says which old states were let go.
    pub fn set_budget(&mut self, bytes: usize) -> Released {
        self.budget_bytes = bytes;
        self.keep_within_budget()
    }

    /// Adds a node and goes to it; does not tell its parent.
    fn add(&mut self, parent: Option<NodeId>, document: Document, operation: Operation) -> NodeId {
        self.last += 1;
        self.last_visit += 1;
        let id = NodeId(self.last);
        let bytes = self.ledger.hold(&document, &operation.edits);
        self.releasable.insert((self.last_visit, id));
        let node = Node {
            id,
            parent,
            children: Vec::new(),
            kind: OperationKind::of(&operation.edits),
            record: record_of(&operation.edits),
            operation,
            time: SystemTime::now(),
            thumbnail: None,
            document: Some(document),
            bytes,
            redo: None,
            pinned: false,
            visit: self.last_visit,
        };
        self.nodes.insert(id, node);
        self.current = id;
        id
    }

    /// Makes a node the current one; false where it has no document.
    fn visit(&mut self, id: NodeId) -> bool {
        let Some(node) = self.nodes.get_mut(&id).filter(|node| node.document.is_some()) else {
            return false;
        };
        self.last_visit += 1;
        if !node.pinned {
            self.releasable.remove(&(node.visit, id));
            self.releasable.insert((self.last_visit, id));
        }
        node.visit = self.last_visit;
        self.current = id;
        true
    }

    /// Lets states go until the rest fits, those first that were not visited for the longest time;
    /// the current one stays in any case.
    fn keep_within_budget(&mut self) -> Released {
        let mut released = Vec::new();
        while self.bytes() > self.budget_bytes {
            let Some(&(visit, id)) = self.releasable.first() else { break };
            if id == self.current {
                // It was visited last, so there is no other.
                break;
            }
            self.releasable.remove(&(visit, id));
            let Some(node) = self.nodes.get_mut(&id) else { continue };
            let edits = std::mem::take(&mut node.operation.edits);
            if let Some(document) = node.document.take() {
                self.ledger.let_go(&document, &edits);
            }
            node.bytes = 0;
            released.push(id);
        }
        Released { nodes: released }
    }
}

/// The request of the first picture among some edits that a model made, or of what it said.
fn record_of(edits: &[Edit]) -> Option<Arc<str>> {
    edits.iter().find_map(|edit| match edit {
        Edit::Place(place) => place.record.clone(),
        Edit::Said { record } => Some(Arc::from(record.as_str())),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::testing::Rng;
    use crate::document::{Attachment, Layer, LayerId};
    use crate::geom::{Extent, PixelRect};
    use crate::raster::TileGrid;

    const TILE_BYTES: usize = 256 * 256 * 4;

    fn operation(edits: Vec<Edit>) -> Operation {
        let label = edits.first().map_or("Step", Edit::label).to_owned();
        Operation { label, edits }
    }

    /// A history of random edits, with what every node's document has to be.
    fn random_history(rng: &mut Rng, steps: usize) -> (History, BTreeMap<NodeId, Document>) {
        let first = rng.document();
        let mut history = History::new(first.clone(), "Opened", usize::MAX);
        let mut known = BTreeMap::from([(history.root(), first)]);
        while known.len() <= steps {
            let mut document = history.document().unwrap().clone();
            let edit = rng.edit(&document);
            if edit.apply(&mut document).is_ok() {
                let (id, released) = history.commit(document.clone(), operation(vec![edit]));
                assert_eq!(released, Released::default());
                known.insert(id, document);
            }
        }
        (history, known)
    }

    /// The bytes of all tiles, pictures and points that the history's nodes hold, counted anew.
    fn counted_slowly(history: &History) -> usize {
        fn add<P: crate::raster::Pixel>(tiles: &mut BTreeMap<usize, usize>, grid: &TileGrid<P>) {
            for (_, tile) in grid.tiles() {
                tiles.insert(Arc::as_ptr(tile).addr(), size_of_val(tile.pixels()));
            }
        }
        fn add_document(tiles: &mut BTreeMap<usize, usize>, document: &Document) {
            for layer in &document.layers {
                add(tiles, &layer.pixels);
                layer.mask.iter().for_each(|mask| add(tiles, mask));
            }
            add(tiles, &document.selection.cover);
            for saved in &document.saved_selections {
                add(tiles, &saved.selection.cover);
            }
        }
        let mut held = BTreeMap::new();
        let mut points = 0;
        for node in history.nodes() {
            node.document.iter().for_each(|document| add_document(&mut held, document));
            for edit in &node.operation.edits {
                match edit {
                    Edit::Place(place) => {
                        held.insert(Arc::as_ptr(&place.image).addr(), place.image.as_raw().len());
                        place.mask.iter().for_each(|mask| add(&mut held, mask));
                    }
                    Edit::Attach(Attachment { image, .. }) => {
                        held.insert(Arc::as_ptr(image).addr(), image.as_raw().len());
                    }
                    Edit::Replace(document) => add_document(&mut held, document),
                    Edit::Stroke(stroke) => points += stroke.samples.len() * 12,
                    Edit::Select {
                        shape: crate::document::SelectionShape::Polygon(corners),
                        ..
                    } => points += corners.len() * 8,
                    _ => {}
                }
            }
        }
        held.values().sum::<usize>() + points
    }

    #[test]
    fn undo_and_redo_restore_every_pixel_at_every_step() {
        for seed in 31..36 {
            let (mut history, known) = random_history(&mut Rng(seed), 40);
            let line = history.line();
            assert_eq!(line.len(), known.len());
            for id in line.iter().rev().skip(1) {
                assert!(history.before().is_some());
                assert_eq!(history.undo(), Some(*id));
                assert_eq!(history.document(), known.get(id));
            }
            assert_eq!((history.undo(), history.before().is_some()), (None, false));
            for id in line.iter().skip(1) {
                assert!(history.after().is_some());
                assert_eq!(history.redo(), Some(*id));
                assert_eq!(history.document(), known.get(id));
            }
            assert_eq!((history.redo(), history.after().is_some()), (None, false));
            assert_eq!(history.line(), line);
        }
    }

    #[test]
    fn edits_done_again_give_the_nodes_document() {
        let (history, known) = random_history(&mut Rng(37), 60);
        for node in history.nodes() {
            let Some(mut document) = node.parent.and_then(|id| known.get(&id)).cloned() else {
                continue;
            };
            for edit in &node.operation.edits {
                edit.apply(&mut document).unwrap();
            }
            assert_eq!(Some(&document), known.get(&node.id));
        }
    }

    #[test]
    fn a_walk_over_the_tree_reopens_every_state_that_was_not_let_go() {
        let mut rng = Rng(41);
        let mut all_released = 0;
        for round in 0..4 {
            let first = rng.document();
            let budget = if round == 0 { usize::MAX } else { 12 * TILE_BYTES };
            let mut history = History::new(first.clone(), "Opened", budget);
            let mut known = BTreeMap::from([(history.root(), first)]);
            let mut gone = BTreeSet::new();
            for _ in 0..250 {
                let ids: Vec<NodeId> = known.keys().copied().collect();
                match rng.below(6) {
                    0 => {
                        let id = rng.of(&ids);
                        assert_eq!(history.go_to(id), !gone.contains(&id));
                    }
                    1 => drop(history.undo()),
                    2 => drop(history.redo()),
                    _ => {
                        let mut document = history.document().unwrap().clone();
                        let edit = rng.edit(&document);
                        if edit.apply(&mut document).is_err() {
                            continue;
                        }
                        let (id, released) =
                            history.commit(document.clone(), operation(vec![edit]));
                        assert!(!released.nodes.contains(&id));
                        for id in released.nodes {
                            assert!(gone.insert(id), "nothing is let go twice");
                        }
                        known.insert(id, document);
                    }
                }
                let current = history.current();
                assert_eq!(history.document(), known.get(&current), "the current one stays");
                // Redo leads from every node above to the current one.
                assert!(history.line().contains(&current));
            }
            for node in history.nodes() {
                assert_eq!(node.document.is_none(), gone.contains(&node.id));
                assert_eq!(
                    node.operation.edits.is_empty(),
                    node.document.is_none() || node.id == history.root()
                );
                if node.document.is_some() {
                    assert_eq!(node.document.as_ref(), known.get(&node.id));
                }
            }
            assert_eq!(history.bytes(), counted_slowly(&history));
            all_released += gone.len();
            // Letting all go leaves the current one.
            history.set_budget(0);
            assert_eq!(history.nodes().filter(|node| node.document.is_some()).count(), 1);
            assert_eq!(history.bytes(), counted_slowly(&history));
        }
        assert!(all_released > 100, "{all_released}");
    }

    /// A document whose layer has `tiles` tiles of its own.
    fn with_tiles(tiles: u32, gray: u8) -> Document {
        let mut document = Document::new(Extent::new(256 * tiles.max(1), 256), "Layer");
        for column in 0..tiles as i32 {
            let rect = PixelRect::new(256 * column, 0, 256, 256);
            document.layers[0].pixels.fill(rect, [gray, column as u8, 0, 255]);
        }
        document
    }

    fn painted(document: &Document, column: i32, gray: u8) -> Document {
        let mut after = document.clone();
        after.layers[0].pixels.fill(PixelRect::new(256 * column, 0, 9, 9), [gray; 4]);
        after
    }

    #[test]
    fn shared_tiles_are_counted_once_and_stay_counted_when_their_maker_goes() {
        let first = with_tiles(4, 1);
        let mut history = History::new(first.clone(), "Opened", usize::MAX);
        assert_eq!(history.bytes(), 4 * TILE_BYTES);
        let second = painted(&first, 0, 7);
        history.commit(second.clone(), operation(Vec::new()));
        assert_eq!(history.bytes(), 5 * TILE_BYTES);
        // A branch that shares other tiles with the first state.
        assert!(history.go_to(history.root()));
        let (third, _) = history.commit(painted(&first, 1, 8), operation(Vec::new()));
        assert_eq!(history.bytes(), 6 * TILE_BYTES);
        assert_eq!(history.node(third).map(|node| node.bytes), Some(TILE_BYTES));
        // The state that made no tile of its own goes, and nothing is gained; then the first goes:
        // its tiles 0 and 1 are in one other state each, 2 and 3 in both.
        let released = history.set_budget(6 * TILE_BYTES - 1);
        assert_eq!(released.nodes, [NodeId(2)]);
        assert_eq!(history.bytes(), 5 * TILE_BYTES);
        let released = history.set_budget(5 * TILE_BYTES - 1);
        assert_eq!(released.nodes, [history.root()]);
        assert_eq!(history.bytes(), 4 * TILE_BYTES);
        assert_eq!(history.bytes(), counted_slowly(&history));
    }

    #[test]
    fn a_budget_below_one_state_keeps_the_current_state_alone() {
        let first = with_tiles(3, 1);
        let mut history = History::new(first.clone(), "Opened", 1);
        let (second, released) = history.commit(painted(&first, 0, 2), operation(Vec::new()));
        assert_eq!(released.nodes, [NodeId(1)]);
        assert_eq!(history.bytes(), 3 * TILE_BYTES);
        assert_eq!(history.before(), Some(NodeId(1)));
        assert_eq!((history.undo(), history.go_to(NodeId(1))), (None, false));
        assert_eq!(history.current(), second);
        assert!(history.document().is_some());
        let gone = history.node(NodeId(1)).unwrap();
        assert_eq!((gone.operation.label.as_str(), gone.bytes), ("Opened", 0));
    }

    #[test]
    fn what_was_visited_lately_is_let_go_last() {
        let first = with_tiles(1, 1);
        let mut history = History::new(first.clone(), "Opened", usize::MAX);
        let mut ids = vec![history.root()];
        for gray in 2..8 {
            let (id, _) = history.commit(painted(&first, 0, gray), operation(Vec::new()));
            ids.push(id);
        }
        // Back to the second state, and on from there: undo has to work.
        history.set_budget(history.bytes());
        assert!(history.go_to(ids[1]));
        let (branch, released) = history.commit(painted(&first, 0, 99), operation(Vec::new()));
        assert_eq!(released.nodes, [ids[0]]);
        let (_, released) = history.commit(painted(&first, 0, 98), operation(Vec::new()));
        assert_eq!(released.nodes, [ids[2]]);
        assert_eq!(history.undo(), Some(branch));
        assert_eq!(history.undo(), Some(ids[1]));
    }

    #[test]
    fn pinned_states_stay() {
        let first = with_tiles(1, 1);
        let mut history = History::new(first.clone(), "Opened", 2 * TILE_BYTES);
        assert!(history.pin(history.root()));
        for gray in 2..6 {
            history.commit(painted(&first, 0, gray), operation(Vec::new()));
        }
        assert_eq!(history.bytes(), 2 * TILE_BYTES);
        assert!(history.go_to(history.root()) && history.go_to(NodeId(5)));
        assert!(history.pin(NodeId(3)), "its pixels may come back");
        assert!(!history.pin(NodeId(99)));
        assert_eq!(history.set_budget(0), Released::default());
        let root = history.root();
        assert_eq!(history.unpin(root).nodes, [root]);
        assert_eq!(history.unpin(root), Released::default());
    }

    #[test]
    fn a_stored_history_is_filled_again_where_one_goes() {
        let mut rng = Rng(21);
        let (history, known) = random_history(&mut rng, 60);
        let stored = |node: &Node| StoredNode {
            id: node.id,
            parent: node.parent,
            label: node.operation.label.clone(),
            kind: node.kind,
            record: node.record.clone(),
            time: node.time,
            thumbnail: None,
            pinned: node.id == history.root(),
        };
        let nodes: Vec<StoredNode> = history.nodes().map(stored).collect();
        let here = history.current();
        let document = known[&here].clone();
        let mut again =
            History::restored(nodes.clone(), here, document.clone(), usize::MAX).unwrap();
        assert_eq!(again.line().last(), history.line().last());
        assert_eq!(again.bytes(), counted_slowly(&again));
        assert!(again.branches() == history.branches());
        for (id, document) in &known {
            assert_eq!(again.go_to(*id), *id == here);
            assert_eq!(again.fill(*id, document.clone()), *id != here);
            assert!(again.go_to(*id));
            assert_eq!(again.document(), Some(document));
        }
        assert_eq!(again.bytes(), counted_slowly(&again));
        let released = again.set_budget(0);
        assert_eq!(released.nodes.len(), known.len() - 2, "all but the first and the current");
        // What does not fit is left away.
        let broken = nodes.iter().filter(|node| node.id != NodeId(2)).cloned();
        let fewer = History::restored(broken, NodeId(1), document.clone(), 0).unwrap();
        assert!(fewer.nodes().count() < nodes.len() && fewer.node(NodeId(2)).is_none());
        assert!(History::restored([], here, document, 0).is_none());
    }

    #[test]
    fn a_branch_keeps_what_was_undone_and_redo_follows_the_last_way() {
        let first = with_tiles(1, 1);
        let mut history = History::new(first.clone(), "Opened", usize::MAX);
        let root = history.root();
        let commit = |history: &mut History, gray| {
            history.commit(painted(&first, 0, gray), operation(Vec::new())).0
        };
        let a = commit(&mut history, 2);
        let b = commit(&mut history, 3);
        assert_eq!((history.undo(), history.undo()), (Some(a), Some(root)));
        let c = commit(&mut history, 4);
        assert_eq!(history.undo(), Some(root));
        assert_eq!(history.redo(), Some(c));
        assert!(history.go_to(b));
        assert_eq!(history.line(), [root, a, b]);
        assert_eq!((history.undo(), history.undo()), (Some(a), Some(root)));
        assert_eq!(history.line(), [root, a, b]);
        assert_eq!(history.node(root).unwrap().children, [a, c]);
        let all = [
            Branch { tip: b, fork: Some(root), length: 2 },
            Branch { tip: c, fork: Some(root), length: 1 },
        ];
        assert_eq!(history.branches(), all);
        let ancestors = [(root, a), (root, b), (a, b), (root, c)];
        for of in [root, a, b, c] {
            for ancestor in [root, a, b, c] {
                let expected = ancestors.contains(&(ancestor, of));
                assert_eq!(history.is_ancestor(ancestor, of), expected, "{ancestor:?} {of:?}");
            }
        }
        let single = History::new(first.clone(), "Opened", 0).branches();
        assert_eq!(single, [Branch { tip: root, fork: None, length: 1 }]);
    }

    #[test]
    fn a_state_made_elsewhere_is_a_branch_and_nobody_moves() {
        let first = with_tiles(1, 1);
        let mut history = History::new(first.clone(), "Opened", usize::MAX);
        let root = history.root();
        let commit = |history: &mut History, gray| {
            history.commit(painted(&first, 0, gray), operation(Vec::new())).0
        };
        let (a, b) = (commit(&mut history, 2), commit(&mut history, 3));
        let (c, _) = history.commit_below(root, painted(&first, 0, 4), operation(Vec::new()));
        assert_eq!((history.current(), history.line()), (b, vec![root, a, b]));
        assert_eq!(history.node(root).unwrap().children, [a, c]);
        let (d, _) = history.commit_below(b, painted(&first, 0, 5), operation(Vec::new()));
        assert_eq!((history.current(), history.after()), (b, Some(d)));
        assert!(history.go_to(c));
        assert_eq!(history.line(), [root, c]);
        // The current state stays, whatever the budget.
        history.set_budget(0);
        history.commit_below(root, painted(&first, 0, 6), operation(Vec::new()));
        assert_eq!(history.current(), c);
        assert!(history.document().is_some());
        assert_eq!(history.bytes(), counted_slowly(&history));
    }

    #[test]
    fn nodes_are_found_by_kind_and_can_be_renamed() {
        let first = with_tiles(1, 1);
        let mut history = History::new(first, "Opened", usize::MAX);
        let mut document = history.document().unwrap().clone();
        let edits = vec![Edit::AddLayer { name: "Sky".to_owned() }, Edit::Flatten];
        for edit in &edits {
            edit.apply(&mut document).unwrap();
        }
        let (id, _) = history.commit(document, operation(edits));
        let found: Vec<NodeId> = history.nodes_of(OperationKind::Layer).map(|n| n.id).collect();
        assert_eq!(found, [id]);
        assert_eq!(history.nodes_of(OperationKind::Opened).count(), 1);
        assert_eq!(history.nodes_of(OperationKind::Stroke).count(), 0);
        assert!(history.rename(id, "Clouds") && !history.rename(NodeId(9), "Nothing"));
        assert_eq!(history.node(id).unwrap().operation.label, "Clouds");
        let thumbnail = Arc::new(RgbaImage::new(Extent::new(1, 1), [1; 4]));
        history.set_thumbnail(id, thumbnail);
        assert!(history.node(id).unwrap().thumbnail.is_some());
    }

    #[test]
    fn a_history_of_many_steps_can_be_walked() {
        let mut document = with_tiles(1, 1);
        let mut history = History::new(document.clone(), "Opened", usize::MAX);
        for step in 0..20_000_u64 {
            document.layers[0].opacity = step as f32 / 20_000.0;
            history.commit(document.clone(), operation(Vec::new()));
        }
        assert_eq!(history.bytes(), TILE_BYTES);
        while history.undo().is_some() {}
        assert_eq!(history.current(), history.root());
        while history.redo().is_some() {}
        assert_eq!(history.current(), NodeId(20_001));
        assert_eq!(history.line().len(), 20_001);
        assert_eq!(history.branches().len(), 1);
        assert!(history.go_to(history.root()));
        let mut other = document.clone();
        other.layers.push(Layer::new(LayerId(2), "Other"));
        history.commit(other, operation(Vec::new()));
        assert_eq!(history.branches().len(), 2);
    }
}
