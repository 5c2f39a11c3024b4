//! The tree of all states that a document had.
//!
//! Every committed change is a [`Node`]: what was done, when, and the whole document after it, whose
//! tiles are shared with its neighbors. Undo goes to the parent, redo to the child that was visited
//! last, and a change after an undo starts a branch instead of erasing one. The states together may
//! take as many bytes as the budget says; beyond it the oldest states let go of their pixels, which
//! [`History::commit`] reports, so that nothing goes silently. Nodes themselves stay.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::document::{Document, Edit};
use crate::raster::RgbaImage;

/// Names a node within its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// What made a node out of its parent.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its name for people.
    pub label: String,
    /// The changes, in order: applied to the parent's document they give the node's. Empty for the
    /// first node.
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
    /// When it was made.
    pub time: SystemTime,
    /// A small picture of it, once somebody made one.
    pub thumbnail: Option<Arc<RgbaImage>>,
    /// The document; nothing where its pixels were let go to stay within the budget.
    pub document: Option<Document>,
    /// Bytes that the node needs beyond its parent.
    pub bytes: usize,
    /// The child that redo goes to.
    pub redo: Option<NodeId>,
}

/// Nodes whose pixels were let go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Which nodes.
    pub nodes: Vec<NodeId>,
}

/// The tree of all states, and where in it the document is.
#[derive(Clone, Debug)]
pub struct History {
    nodes: BTreeMap<NodeId, Node>,
    root: NodeId,
    // Invariant: a node of the tree that has its document.
    current: NodeId,
    last: u64,
    budget_bytes: usize,
}

impl History {
    /// A history that starts with this document.
    #[must_use]
    pub fn new(document: Document, label: impl Into<String>, budget_bytes: usize) -> Self {
        let root = NodeId(1);
        let bytes = bytes_of(&document);
        let node = Node {
            id: root,
            parent: None,
            children: Vec::new(),
            operation: Operation { label: label.into(), edits: Vec::new() },
            time: SystemTime::now(),
            thumbnail: None,
            document: Some(document),
            bytes,
            redo: None,
        };
        Self {
            nodes: BTreeMap::from([(root, node)]),
            root,
            current: root,
            last: 1,
            budget_bytes,
        }
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
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// The document at the current node.
    #[must_use]
    pub fn document(&self) -> Option<&Document> {
        self.node(self.current)?.document.as_ref()
    }

    /// Adds a state below the current one and goes to it; says which old states were let go.
    pub fn commit(&mut self, document: Document, operation: Operation) -> (NodeId, Released) {
        self.last += 1;
        let id = NodeId(self.last);
        let bytes = match self.document() {
            Some(before) => bytes_beyond(&document, before),
            None => bytes_of(&document),
        };
        let parent = self.current;
        self.nodes.insert(
            id,
            Node {
                id,
                parent: Some(parent),
                children: Vec::new(),
                operation,
                time: SystemTime::now(),
                thumbnail: None,
                document: Some(document),
                bytes,
                redo: None,
            },
        );
        if let Some(node) = self.nodes.get_mut(&parent) {
            node.children.push(id);
            node.redo = Some(id);
        }
        self.current = id;
        (id, self.keep_within_budget())
    }

    /// Goes to the parent; nothing at the first node, or where its pixels were let go.
    pub fn undo(&mut self) -> Option<NodeId> {
        let parent = self.node(self.current)?.parent?;
        self.go_to(parent).then_some(parent)
    }

    /// Goes to the child that was visited last; nothing where there is none.
    pub fn redo(&mut self) -> Option<NodeId> {
        let child = self.node(self.current)?.redo?;
        self.go_to(child).then_some(child)
    }

    /// Whether there is a state to go back to.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        let parent = self.node(self.current).and_then(|node| node.parent);
        parent.and_then(|id| self.node(id)).is_some_and(|node| node.document.is_some())
    }

    /// Whether there is a state to go forward to.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        let child = self.node(self.current).and_then(|node| node.redo);
        child.and_then(|id| self.node(id)).is_some_and(|node| node.document.is_some())
    }

    /// Goes to any node; false where there is none, or where its pixels were let go.
    pub fn go_to(&mut self, id: NodeId) -> bool {
        if self.node(id).is_none_or(|node| node.document.is_none()) {
            return false;
        }
        self.current = id;
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
        let mut line = Vec::new();
        let mut at = Some(self.current);
        while let Some(id) = at {
            line.push(id);
            at = self.node(id).and_then(|node| node.parent);
        }
        line.reverse();
        let mut at = self.node(self.current).and_then(|node| node.redo);
        while let Some(id) = at {
            line.push(id);
            at = self.node(id).and_then(|node| node.redo);
        }
        line
    }

    /// Gives a node its small picture.
    pub fn set_thumbnail(&mut self, id: NodeId, thumbnail: Arc<RgbaImage>) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.thumbnail = Some(thumbnail);
        }
    }

    /// Bytes that all states together need.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.nodes.values().map(|node| node.bytes).sum()
    }

    /// Bytes that all states together may need.
    #[must_use]
    pub const fn budget_bytes(&self) -> usize {
        self.budget_bytes
    }

    /// Changes the budget; says which old states were let go.
    pub fn set_budget(&mut self, bytes: usize) -> Released {
        self.budget_bytes = bytes;
        self.keep_within_budget()
    }

    /// Lets the oldest states go until the rest fits; the current one stays in any case.
    fn keep_within_budget(&mut self) -> Released {
        let mut released = Vec::new();
        let mut total = self.bytes();
        while total > self.budget_bytes {
            let oldest = self
                .nodes
                .values()
                .find(|node| node.document.is_some() && node.id != self.current)
                .map(|node| node.id);
            let Some(id) = oldest else { break };
            let Some(document) = self.nodes.get_mut(&id).and_then(|node| node.document.take())
            else {
                break;
            };
            if let Some(node) = self.nodes.get_mut(&id) {
                node.bytes = 0;
            }
            // Tiles that the children share with it are theirs to count from now on.
            let children = self.node(id).map(|node| node.children.clone()).unwrap_or_default();
            let mut heir = None;
            for child in children {
                let Some(theirs) = self.node(child).and_then(|node| node.document.as_ref()) else {
                    continue;
                };
                let shared = bytes_of(theirs).saturating_sub(bytes_beyond(theirs, &document));
                if heir.is_none_or(|(_, most)| shared > most) {
                    heir = Some((child, shared));
                }
            }
            if let Some((child, shared)) = heir
                && let Some(node) = self.nodes.get_mut(&child)
            {
                node.bytes += shared;
            }
            released.push(id);
            total = self.bytes();
        }
        Released { nodes: released }
    }
}

fn bytes_of(document: &Document) -> usize {
    let layers: usize = document.layers.iter().map(super::Layer::bytes).sum();
    layers + document.selection.cover.bytes()
}

/// Bytes of the tiles of `document` that `before` does not share.
fn bytes_beyond(document: &Document, before: &Document) -> usize {
    let mut bytes = document.selection.cover.bytes_beyond(&before.selection.cover);
    for layer in &document.layers {
        bytes += match before.layer(layer.id) {
            None => layer.bytes(),
            Some(old) => {
                layer.pixels.bytes_beyond(&old.pixels)
                    + match (&layer.mask, &old.mask) {
                        (Some(new), Some(old)) => new.bytes_beyond(old),
                        (Some(new), None) => new.bytes(),
                        (None, _) => 0,
                    }
            }
        };
    }
    bytes
}
