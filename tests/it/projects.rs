//! Projects from the command line: applied, listed, exported, replayed, refused.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gesso"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("GESSO_DATA", self.file("data"))
            .env_remove("GESSO_LOG")
            .output()
            .unwrap()
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn refused(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// A project with two branches, made from lines of edits.
    fn project(&self) -> Vec<Value> {
        image::RgbaImage::from_pixel(40, 30, image::Rgba([200, 30, 60, 255]))
            .save(self.file("red.png"))
            .unwrap();
        let lines = [
            r#"{"place-file": {"file": "red.png", "at": [10, 20]}}"#,
            r#"{"do": {"flip": "horizontal"}}"#,
            r#"{"go-to": 2}"#,
            r#"{"do": {"rotate": "one"}}"#,
            r#"{"do": {"set-opacity": {"layer": 2, "opacity": 0.5}}}"#,
        ];
        std::fs::write(self.file("edits.jsonl"), lines.join("\n")).unwrap();
        let arguments = ["apply", "edits.jsonl", "--size", "200x100", "-o", "a.ora", "--json"];
        let text = self.done(&arguments);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn a_project_is_made_listed_exported_and_replayed() {
    let place = Place::new();
    let printed = place.project();
    let nodes: Vec<u64> = printed.iter().map(|line| line["node"].as_u64().unwrap()).collect();
    assert_eq!(nodes, [1, 2, 3, 2, 4, 5]);
    // The journal went when the project was written.
    assert_eq!(std::fs::read_dir(place.file("data/journals")).unwrap().count(), 0);

    let tree: Value = serde_json::from_str(&place.done(&["history", "a.ora", "--json"])).unwrap();
    assert_eq!(tree["current"], 5);
    let parents: Vec<Value> =
        tree["nodes"].as_array().unwrap().iter().map(|node| node["parent"].clone()).collect();
    assert_eq!(parents, [Value::Null, 1.into(), 2.into(), 2.into(), 4.into()]);
    assert_eq!(tree["nodes"][4]["content"], printed[5]["content"]);
    let text = place.done(&["history", "a.ora"]);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(lines.len(), 5);
    assert!(lines[2].contains("|     3"), "the older branch is set in: {text}");
    assert!(lines[4].starts_with('*'), "{text}");

    // Another state as a picture; the saved one as a project of its own.
    place.done(&["export", "a.ora", "--node", "3", "-o", "three.png"]);
    let picture = image::open(place.file("three.png")).unwrap().to_rgba8();
    assert_eq!(picture.dimensions(), (200, 100));
    assert_eq!(picture.get_pixel(189, 20).0, [200, 30, 60, 255]);
    assert_eq!(picture.get_pixel(10, 20).0, [0; 4]);
    place.done(&["export", "a.ora", "-o", "five.png"]);
    assert_eq!(image::open(place.file("five.png")).unwrap().to_rgba8().dimensions(), (100, 200));
    place.done(&["export", "a.ora", "--node", "3", "-o", "b.ora"]);
    let copy: Value = serde_json::from_str(&place.done(&["history", "b.ora", "--json"])).unwrap();
    assert_eq!((copy["current"].clone(), copy["nodes"].clone()), (3.into(), tree["nodes"].clone()));

    let replayed: Value =
        serde_json::from_str(&place.done(&["replay", "a.ora", "--json"])).unwrap();
    assert_eq!((replayed["equal"].clone(), replayed["different"].clone()), (5.into(), 0.into()));
    let text = place.done(&["replay", "a.ora", "--to", "3"]);
    assert!(text.ends_with("0 pictures drawn again, 0 taken as they are\n"), "{text}");
    assert_eq!(text.lines().count(), 4);

    // And gone on with.
    std::fs::write(place.file("more.jsonl"), r#"{"do": {"flip": "vertical"}}"#).unwrap();
    place.done(&["apply", "more.jsonl", "--project", "a.ora", "-o", "a.ora"]);
    let tree: Value = serde_json::from_str(&place.done(&["history", "a.ora", "--json"])).unwrap();
    assert_eq!((tree["current"].clone(), tree["nodes"][5]["parent"].clone()), (6.into(), 5.into()));
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let place = Place::new();
    place.project();
    std::fs::write(place.file("note.ora"), "no archive").unwrap();
    for (arguments, message) in [
        (&["history", "none.ora"][..], "can't read the project"),
        (&["history", "note.ora"], "not a project"),
        (&["export", "a.ora", "--node", "99", "-o", "x.png"], "there is no state 99"),
        (&["export", "a.ora", "-o", "x.doc"], "can't tell the format"),
        (&["replay", "a.ora", "--to", "99"], "there is no state 99"),
        (&["apply", "none.jsonl"], "can't read the edits"),
        (&["apply", "edits.jsonl", "--size", "0x9"], "a size is written as 512x512"),
    ] {
        let error = place.refused(arguments, 2);
        assert!(error.contains(message) && error.lines().count() == 1, "{arguments:?}: {error}");
    }
    for (line, message) in [
        ("{", "line 1: EOF"),
        (r#"{"do": {"merge-down": 1}}"#, "line 1: "),
        (r#"{"do": "no-such"}"#, "unknown variant"),
        (r#"{"go-to": 77}"#, "there is no state 77"),
        (r#"{"place-file": "none.png"}"#, "can't read the file"),
    ] {
        std::fs::write(place.file("bad.jsonl"), line).unwrap();
        let error = place.refused(&["apply", "bad.jsonl"], 2);
        assert!(error.contains(message), "{line}: {error}");
    }
}

#[test]
fn a_file_that_another_program_wrote_over_says_so() {
    let place = Place::new();
    place.project();
    // As another program does: all of its own entries, none of ours.
    let copy = place.file("copy.ora");
    strip_own_entries(&place.file("a.ora"), &copy);
    let error = place.refused(&["history", "copy.ora"], 2);
    assert!(error.contains("the file has no history"), "{error}");
}

fn strip_own_entries(from: &Path, to: &Path) {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(from).unwrap()).unwrap();
    let mut writer = zip::ZipWriter::new(std::fs::File::create(to).unwrap());
    for i in 0..archive.len() {
        let entry = archive.by_index_raw(i).unwrap();
        if !entry.name().unwrap().starts_with("gesso/") {
            writer.raw_copy_file(entry).unwrap();
        }
    }
    writer.finish().unwrap();
}
