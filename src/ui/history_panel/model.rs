//! The tree of states as rows with lines, the newest on top.

use std::time::{Duration, SystemTime};

use crate::document::{History, Node, NodeId, OperationKind};
use crate::locale::{tr, trf};

/// What kind of change a state came from, for finding it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Filter {
    /// Any.
    #[default]
    All,
    /// What a model made.
    Model,
    /// What was said, and drawn in answer.
    Chat,
    /// What was painted, erased or moved by hand.
    Painting,
    /// Changes of layers.
    Layers,
    /// Changes of the selection.
    Selection,
    /// Changes of the whole picture.
    Picture,
}

impl Filter {
    /// All filters, in order.
    pub const ALL: [Self; 7] = [
        Self::All,
        Self::Model,
        Self::Chat,
        Self::Painting,
        Self::Layers,
        Self::Selection,
        Self::Picture,
    ];

    /// Its name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::All => tr("Everything"),
            Self::Model => tr("Made by a model"),
            Self::Chat => tr("Conversation"),
            Self::Painting => tr("Painted"),
            Self::Layers => tr("Layers"),
            Self::Selection => tr("Selection"),
            Self::Picture => tr("Whole picture"),
        }
    }

    /// The filter that finds a node, besides [`Self::All`].
    #[must_use]
    pub fn of(node: &Node) -> Self {
        match node.kind {
            OperationKind::Generated => Self::Model,
            OperationKind::Chat => Self::Chat,
            OperationKind::Stroke => Self::Painting,
            OperationKind::Layer => Self::Layers,
            OperationKind::Mask => Self::Selection,
            OperationKind::Opened | OperationKind::Canvas => Self::Picture,
        }
    }
}

/// The prompt that a model drew the state from.
#[must_use]
pub(crate) fn prompt(node: &Node) -> Option<String> {
    let record: serde_json::Value = serde_json::from_str(node.record.as_deref()?).ok()?;
    Some(record.get("prompt")?.as_str()?.to_owned())
}

/// A line between two rows: from a lane at the top edge of a row to a lane at its bottom edge, or
/// from or to the row's own dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The lane at the row's top edge; nothing where the line starts at the dot.
    pub from: Option<usize>,
    /// The lane at the row's bottom edge; nothing where the line ends at the dot.
    pub to: Option<usize>,
}

/// One state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Which one.
    pub node: NodeId,
    /// The lane that its dot is in; 0 is the line from the first state through the current one.
    pub lane: usize,
    /// Lines through the row.
    pub lines: Vec<Line>,
}

/// The rows with the number of lanes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Graph {
    /// The rows, the newest state first.
    pub rows: Vec<Row>,
    /// How many lanes they need.
    pub lanes: usize,
}

impl Graph {
    /// Lays out the whole tree: one line where it is linear, branches in lanes beside it.
    #[must_use]
    pub(crate) fn of_tree(history: &History) -> Self {
        let main = history.line();
        // Each lane waits for the parent of the newest state in it.
        let mut lanes: Vec<Option<NodeId>> = vec![None];
        let mut rows = Vec::new();
        let mut most = 1;
        let nodes: Vec<&Node> = history.nodes().collect();
        for node in nodes.into_iter().rev() {
            let arriving: Vec<usize> =
                (0..lanes.len()).filter(|&lane| lanes.get(lane) == Some(&Some(node.id))).collect();
            let lane = if main.binary_search(&node.id).is_ok() {
                0
            } else if let Some(&lane) = arriving.first() {
                lane
            } else {
                let free = lanes.iter().skip(1).position(Option::is_none);
                free.map_or(lanes.len(), |free| free + 1)
            };
            if lane >= lanes.len() {
                lanes.push(None);
            }
            let mut lines: Vec<Line> =
                arriving.iter().map(|&from| Line { from: Some(from), to: None }).collect();
            for &from in &arriving {
                if let Some(waiting) = lanes.get_mut(from) {
                    *waiting = None;
                }
            }
            for (through, waiting) in lanes.iter().enumerate() {
                if waiting.is_some() {
                    lines.push(Line { from: Some(through), to: Some(through) });
                }
            }
            if let (Some(waiting), Some(parent)) = (lanes.get_mut(lane), node.parent) {
                *waiting = Some(parent);
                lines.push(Line { from: None, to: Some(lane) });
            }
            most = most.max(lanes.len());
            while lanes.len() > 1 && lanes.last() == Some(&None) {
                lanes.pop();
            }
            rows.push(Row { node: node.id, lane, lines });
        }
        Self { rows, lanes: most }
    }

    /// The states that are looked for, without lines.
    #[must_use]
    pub(crate) fn found(history: &History, filter: Filter, search: &str) -> Self {
        let search = search.trim().to_lowercase();
        let mut rows: Vec<Row> = history
            .nodes()
            .filter(|node| filter == Filter::All || Filter::of(node) == filter)
            .filter(|node| {
                search.is_empty()
                    || node.operation.label.to_lowercase().contains(&search)
                    || prompt(node).is_some_and(|prompt| prompt.to_lowercase().contains(&search))
            })
            .map(|node| Row { node: node.id, lane: 0, lines: Vec::new() })
            .collect();
        rows.reverse();
        Self { rows, lanes: 1 }
    }
}

/// What a graph was made from; another key, another graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GraphKey {
    // States are added and never removed.
    nodes: usize,
    current: NodeId,
    redo: Option<NodeId>,
    filter: Filter,
    search: String,
}

impl GraphKey {
    /// The key of what is to be shown.
    #[must_use]
    pub(crate) fn new(history: &History, filter: Filter, search: &str) -> Self {
        Self {
            nodes: history.nodes().count(),
            current: history.current(),
            redo: history.node(history.current()).and_then(|node| node.redo),
            filter,
            search: search.to_owned(),
        }
    }

    /// The graph for the key.
    #[must_use]
    pub(crate) fn graph(&self, history: &History) -> Graph {
        if self.filter == Filter::All && self.search.trim().is_empty() {
            Graph::of_tree(history)
        } else {
            Graph::found(history, self.filter, &self.search)
        }
    }
}

/// How long ago something was, in a word or two.
#[must_use]
pub(crate) fn ago(time: SystemTime, now: SystemTime) -> String {
    let seconds = now.duration_since(time).unwrap_or(Duration::ZERO).as_secs();
    match seconds {
        0..10 => tr("just now").to_owned(),
        10..60 => trf("{seconds} s ago", &[("seconds", &(seconds / 10 * 10))]),
        60..3600 => trf("{minutes} min ago", &[("minutes", &(seconds / 60))]),
        3600..86400 => trf("{hours} h ago", &[("hours", &(seconds / 3600))]),
        _ => trf("{days} d ago", &[("days", &(seconds / 86400))]),
    }
}

/// Bytes in a fitting unit.
#[must_use]
pub fn bytes_label(bytes: usize) -> String {
    const MIB: f64 = 1024.0 * 1024.0;
    let mib = bytes as f64 / MIB;
    if bytes < 1024 {
        format!("{bytes} B")
    } else if mib < 1.0 {
        format!("{:.0} KiB", bytes as f64 / 1024.0)
    } else if mib < 1024.0 {
        format!("{mib:.0} MiB")
    } else {
        format!("{:.1} GiB", mib / 1024.0)
    }
}

/// The share of the budget that is used, 0 to 1.
#[must_use]
pub(crate) fn used_share(history: &History) -> f32 {
    if history.budget_bytes() == 0 {
        return 1.0;
    }
    (history.bytes() as f64 / history.budget_bytes() as f64).clamp(0.0, 1.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Edit, Operation, Place};
    use crate::geom::Extent;
    use crate::raster::RgbaImage;

    fn history() -> History {
        History::new(Document::new(Extent::new(8, 8), "one"), "New", usize::MAX)
    }

    fn commit(history: &mut History, label: &str, edits: Vec<Edit>) -> NodeId {
        let document = history.document().unwrap().clone();
        history.commit(document, Operation { label: label.to_owned(), edits }).0
    }

    /// A row as text: dot's lane, then its lines.
    fn drawn(graph: &Graph) -> Vec<String> {
        let place = |lane: Option<usize>| lane.map_or("*".to_owned(), |lane| lane.to_string());
        let mut lines: Vec<String> = Vec::new();
        for row in &graph.rows {
            let mut parts = vec![format!("{}@{}", row.node.0, row.lane)];
            for line in &row.lines {
                parts.push(format!("{}-{}", place(line.from), place(line.to)));
            }
            lines.push(parts.join(" "));
        }
        lines
    }

    #[test]
    fn a_linear_history_is_one_line() {
        let mut history = history();
        commit(&mut history, "a", Vec::new());
        commit(&mut history, "b", Vec::new());
        let graph = Graph::of_tree(&history);
        assert_eq!(drawn(&graph), ["3@0 *-0", "2@0 0-* *-0", "1@0 0-*"]);
        assert_eq!(graph.lanes, 1);
        history.undo();
        assert_eq!(Graph::of_tree(&history), graph, "undone states stay on the line");
    }

    #[test]
    fn branches_get_lanes_of_their_own_and_join_where_they_began() {
        let mut history = history();
        let a = commit(&mut history, "a", Vec::new());
        commit(&mut history, "b", Vec::new());
        assert!(history.go_to(a));
        commit(&mut history, "c", Vec::new());
        assert!(history.go_to(a));
        commit(&mut history, "d", Vec::new());
        let graph = Graph::of_tree(&history);
        assert_eq!(
            drawn(&graph),
            ["5@0 *-0", "4@1 0-0 *-1", "3@2 0-0 1-1 *-2", "2@0 0-* 1-* 2-* *-0", "1@0 0-*"]
        );
        assert_eq!(graph.lanes, 3);
    }

    #[test]
    fn the_line_of_the_current_state_is_the_straight_one() {
        let mut history = history();
        let a = commit(&mut history, "a", Vec::new());
        let b = commit(&mut history, "b", Vec::new());
        assert!(history.go_to(a));
        commit(&mut history, "c", Vec::new());
        assert!(history.go_to(b));
        let graph = Graph::of_tree(&history);
        assert_eq!(drawn(&graph), ["4@1 *-1", "3@0 1-1 *-0", "2@0 0-* 1-* *-0", "1@0 0-*"]);
    }

    #[test]
    fn every_line_goes_on_in_the_row_below() {
        let mut history = history();
        let mut ids = vec![history.root()];
        for step in 0..60_usize {
            assert!(history.go_to(ids[step * 7 % ids.len()]));
            ids.push(commit(&mut history, "x", Vec::new()));
        }
        let graph = Graph::of_tree(&history);
        assert_eq!(graph.rows.len(), 61);
        for pair in graph.rows.windows(2) {
            let mut leaving: Vec<usize> = pair[0].lines.iter().filter_map(|line| line.to).collect();
            let mut coming: Vec<usize> =
                pair[1].lines.iter().filter_map(|line| line.from).collect();
            leaving.sort_unstable();
            coming.sort_unstable();
            assert_eq!(leaving, coming, "{pair:?}");
            assert!(leaving.iter().all(|&lane| lane < graph.lanes));
        }
    }

    #[test]
    fn states_are_found_by_label_prompt_and_kind() {
        let mut history = history();
        let place = Place {
            image: std::sync::Arc::new(RgbaImage::new(Extent::new(2, 2), [0; 4])),
            at: (0, 0),
            name: "Result".to_owned(),
            mask: None,
            record: Some(r#"{"command":"generate","prompt":"Красный дом"}"#.into()),
            shown: None,
        };
        let made = commit(&mut history, "Fill the mask", vec![Edit::Place(place)]);
        let layer = history.document().unwrap().active;
        let renamed = Edit::RenameLayer { layer, name: "sky".to_owned() };
        let named = commit(&mut history, "Rename layer", vec![renamed]);
        let found = |filter, search: &str| -> Vec<NodeId> {
            Graph::found(&history, filter, search).rows.iter().map(|row| row.node).collect()
        };
        assert_eq!(found(Filter::All, "красный"), [made]);
        assert_eq!(found(Filter::All, "RENAME"), [named]);
        assert_eq!(found(Filter::Model, ""), [made]);
        assert_eq!(found(Filter::Layers, ""), [named]);
        assert_eq!(found(Filter::Picture, ""), [history.root()]);
        assert_eq!(found(Filter::Layers, "красный"), []);
    }

    #[test]
    fn times_and_sizes_are_told_shortly() {
        let check = |seconds: u64, text: &str| {
            let time = SystemTime::UNIX_EPOCH;
            assert_eq!(ago(time, time + Duration::from_secs(seconds)), text);
        };
        check(3, "just now");
        check(47, "40 s ago");
        check(150, "2 min ago");
        check(7300, "2 h ago");
        check(200_000, "2 d ago");
        let now = SystemTime::UNIX_EPOCH;
        assert_eq!(ago(now + Duration::from_secs(5), now), "just now", "clocks may be set back");
        assert_eq!(bytes_label(900), "900 B");
        assert_eq!(bytes_label(900 << 10), "900 KiB");
        assert_eq!(bytes_label(900 << 20), "900 MiB");
        assert_eq!(bytes_label(3 << 29), "1.5 GiB");
    }
}
