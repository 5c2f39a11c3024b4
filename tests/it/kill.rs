//! The program killed at any instant: what it said to be safe is there.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gesso::project::document_content;
use gesso::project::journal::{Journal, abandoned};
use serde_json::Value;

/// How often the program is killed; `GESSO_KILLS=1000` for the long form.
fn kills() -> u64 {
    std::env::var("GESSO_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(200)
}

/// A small random number generator (splitmix64).
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

/// Strokes, layers, selections, and steps back in the tree.
fn script(path: &Path) -> usize {
    let mut lines = Vec::new();
    for i in 0..24_u32 {
        let (x, y) = (20 + i * 23 % 500, 30 + i * 41 % 300);
        lines.push(match i % 6 {
            0 => format!(r#"{{"do": {{"add-layer": {{"name": "Layer {i}"}}}}}}"#),
            4 => format!(
                r#"{{"do": {{"select": {{"shape": {{"ellipse": {{"x": {x}, "y": {y}, "width": 90,
                "height": 70}}}}, "combine": "add"}}}}}}"#
            ),
            5 if i > 10 => format!(r#"{{"go-to": {}}}"#, i - 3),
            _ => format!(
                r#"{{"do": {{"stroke": {{"target": {{"layer": 1}}, "mode": "paint", "brush":
                {{"diameter_px": 60.0, "hardness": 0.5, "flow": 1.0, "opacity": 1.0,
                "spacing": 0.1}}, "color": [{i}, 90, 200, 255], "samples":
                [{{"point": {{"x": {x}, "y": {y}}}, "pressure": 1.0}},
                {{"point": {{"x": {y}, "y": {x}}}, "pressure": 1.0}}]}}}}}}"#
            ),
        });
    }
    let lines: Vec<String> = lines.iter().map(|line| line.replace('\n', " ")).collect();
    std::fs::write(path, lines.join("\n")).unwrap();
    lines.len() + 1
}

fn start(edits: &Path, journals: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_gesso"))
        .args(["apply", "--json", "--size", "640x480", "--journals"])
        .arg(journals)
        .arg(edits)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Number and content hash of each line that was printed.
fn printed(line: &str) -> (u64, String) {
    let value: Value = serde_json::from_str(line).unwrap();
    (value["node"].as_u64().unwrap(), value["content"].as_str().unwrap().to_owned())
}

fn only_journal(journals: &Path) -> Option<PathBuf> {
    let mut entries = std::fs::read_dir(journals).ok()?;
    Some(entries.next()?.ok()?.path())
}

#[test]
fn whatever_instant_it_is_killed_at_all_that_was_printed_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let edits = folder.path().join("edits.jsonl");
    let lines = script(&edits);

    // Once to the end, for what has to be there.
    let journals = folder.path().join("whole");
    let whole = start(&edits, &journals).wait_with_output().unwrap();
    assert!(whole.status.success());
    let text = String::from_utf8(whole.stdout).unwrap();
    let expected: Vec<(u64, String)> = text.lines().map(printed).collect();
    assert_eq!(expected.len(), lines);
    let contents: std::collections::BTreeMap<u64, String> = expected.iter().cloned().collect();

    let mut rng = Rng(2026);
    let mut came_back = 0;
    for round in 0..kills() {
        let journals = folder.path().join(format!("round-{round}"));
        let mut child = start(&edits, &journals);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut seen: Vec<(u64, String)> = Vec::new();
        let wait_for = rng.below(lines as u64 + 1);
        let mut line = String::new();
        while (seen.len() as u64) < wait_for && output.read_line(&mut line).unwrap() > 0 {
            seen.push(printed(&line));
            line.clear();
        }
        // In the middle of whatever comes next.
        std::thread::sleep(Duration::from_micros(rng.below(4000)));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it printed and nobody had read yet counts as well; the last line may be cut.
        while output.read_line(&mut line).unwrap() > 0 {
            if line.ends_with('\n') {
                seen.push(printed(&line));
            }
            line.clear();
        }
        let Some(journal) = only_journal(&journals) else {
            assert!(seen.is_empty(), "round {round}: the journal is gone");
            continue;
        };
        if seen.is_empty() && abandoned(&journals).is_empty() {
            continue;
        }
        let recovered = Journal::take_up(&journal).unwrap();
        assert_eq!(recovered.remarks, Vec::<String>::new(), "round {round}");
        let mut journal = recovered.journal;
        let nodes: Vec<u64> = journal.tree().nodes().map(|node| node.id.0).collect();
        for (node, content) in &seen {
            assert_eq!(contents.get(node), Some(content));
            assert!(nodes.contains(node), "round {round}: state {node} is gone");
        }
        for id in nodes {
            let node = gesso::document::NodeId(id);
            let document = journal.document(node).unwrap();
            let content = document_content(&document).to_string();
            assert_eq!(contents.get(&id), Some(&content), "round {round}, state {id}");
        }
        came_back += 1;
    }
    assert!(came_back > kills() / 2, "only {came_back} were killed after their first step");
}
