//! Work that is kept: projects, crashes, states that are on the disk.

use std::path::Path;
use std::process::Command as Process;
use std::sync::Arc;

use egui_kittest::kittest::Queryable as _;
use gesso::document::NodeId;
use gesso::editor::{Action, Command, CompareSide, Dialog};
use gesso::geom::Extent;
use gesso::preferences::Theme;
use gesso::project::{document_content, file};
use gesso::raster::RgbaImage;

use crate::flows::{picture, with_picture};
use crate::window::Window;

/// A window with a picture, a filled mask, and a branch beside that.
fn with_branches() -> Window {
    let mut window = with_picture();
    window.drag(&[(10.0, 10.0), (16.0, 14.0), (20.0, 12.0)]);
    window.act(Action::FillMask);
    window.act(Action::StagingAccept);
    window.act(Action::Undo);
    window.act(Action::FlipHorizontal);
    window.act(Action::SelectNone);
    window.act(Action::Vary);
    window.act(Action::StagingAccept);
    window
}

fn contents(window: &Window) -> Vec<(NodeId, String)> {
    let nodes = window.editor().history.nodes();
    nodes
        .filter_map(|node| Some((node.id, document_content(node.document.as_ref()?).to_string())))
        .collect()
}

#[test]
fn a_saved_project_has_every_state_and_is_replayed_to_the_same_pixels() {
    let mut window = with_branches();
    let states = contents(&window);
    assert!(states.len() >= 7, "{states:?}");
    let path = window.folder.path().join("work.ora");
    window.command(Command::SaveTo(path.clone()));
    assert!(!window.editor().has_unsaved_changes());
    assert_eq!(window.editor().file.path.as_ref(), Some(&path));

    let opened = file::open(&path).unwrap();
    assert_eq!(opened.remarks, Vec::<String>::new());
    let tree = opened.tree.unwrap();
    for (id, content) in &states {
        assert_eq!(&tree.node(*id).unwrap().content.to_string(), content);
    }

    // Models draw again what they drew, from what they were shown.
    let replayed = Process::new(env!("CARGO_BIN_EXE_gesso"))
        .args(["replay", "--json"])
        .arg(&path)
        .env("GESSO_MODELS", window.folder.path().join("models"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&replayed.stdout).into_owned();
    assert!(replayed.status.success(), "{text} {}", String::from_utf8_lossy(&replayed.stderr));
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["equal"], states.len());
    assert_eq!((report["redrawn"].clone(), report["taken"].clone()), (3.into(), 0.into()));

    // Opened again, one can go anywhere.
    window.command(Command::OpenPath(path));
    let editor = window.editor();
    assert_eq!(editor.history.nodes().count(), states.len());
    assert!(!editor.has_unsaved_changes());
    for (id, content) in states {
        window.command(Command::GoTo(id));
        assert_eq!(window.editor().history.current(), id);
        assert_eq!(document_content(&window.editor().document).to_string(), content);
    }
}

#[test]
fn a_project_is_seen_while_it_is_being_read() {
    let mut window = Window::open(Theme::Dark);
    window.act(Action::ToolBrush);
    window.drag(&[(100.0, 100.0), (300.0, 140.0)]);
    let path = window.folder.path().join("work.ora");
    window.command(Command::SaveTo(path.clone()));
    let (before, zoom) = (picture(&window), window.editor().view.transform.zoom);

    // What comes first of a large project.
    let extent = Extent::new(4096, 1024);
    let image = Arc::new(RgbaImage::new(Extent::new(256, 64), [200, 40, 90, 255]));
    let preview =
        || Command::ProjectPreview { path: path.clone(), image: Arc::clone(&image), extent };
    window.command(preview());
    window.harness.get_by_label("Opening work.ora…");
    window.harness.get_by_label("4096 × 1024 px");
    window.draw();
    let shot = window.harness.render().unwrap();
    for (x, y) in [(20.0, 20.0), (2048.0, 512.0), (4076.0, 1004.0)] {
        let at = window.at(x, y);
        let found = shot.get_pixel(at.x as u32, at.y as u32).0;
        assert!(found.iter().zip([200, 40, 90, 255]).all(|(a, b)| a.abs_diff(b) < 3), "{found:?}");
    }
    window.drag(&[(100.0, 100.0), (3000.0, 900.0)]);
    assert_eq!(picture(&window), before, "it is only looked at");

    // It can't be read after all: everything is as it was.
    window.command(Command::Failed("The file is cut off.".to_owned()));
    assert!(window.harness.query_by_label("Opening work.ora…").is_none());
    assert_eq!(window.editor().view.transform.zoom, zoom);
    window.act(Action::FlipVertical);
    assert_ne!(picture(&window), before);
    window.command(Command::SaveTo(path.clone()));

    window.command(preview());
    let saved = picture(&window);
    window.command(Command::OpenPath(path));
    assert!(window.editor().opening.is_none());
    assert_eq!(picture(&window), saved);
}

#[test]
fn after_a_crash_the_work_is_offered_and_taken_up() {
    let window = with_branches();
    let before = picture(&window);
    let states: Vec<NodeId> = window.editor().history.nodes().map(|node| node.id).collect();
    let folder = window.crash();

    let mut window = Window::in_folder(folder);
    assert_eq!(window.editor().dialog, Some(Dialog::LeftWork));
    window.harness.get_by_label_contains("New picture");
    window.click("Open");
    assert_eq!(window.editor().dialog, None);
    assert_eq!(picture(&window), before);
    let now: Vec<NodeId> = window.editor().history.nodes().map(|node| node.id).collect();
    assert_eq!(now, states);
    assert!(window.editor().has_unsaved_changes(), "no file has it yet");

    // The tree goes on, and survives another crash.
    window.act(Action::Undo);
    window.act(Action::FlipVertical);
    let after = picture(&window);
    let count = window.editor().history.nodes().count();
    let mut window = Window::in_folder(window.crash());
    window.click("Open");
    assert_eq!(picture(&window), after);
    assert_eq!(window.editor().history.nodes().count(), count);
    // What was not wanted is gone with the window that was closed on purpose.
    let journals = window.folder.path().join("data/journals");
    window.command(Command::NewPicture { extent: gesso::geom::Extent::new(8, 8), color: [0; 4] });
    window.click("Don't save");
    assert_eq!(count_entries(&journals), 0);
}

fn count_entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn states_that_let_go_of_their_pixels_come_back_when_they_are_wanted() {
    let mut window = with_branches();
    let states = contents(&window);
    window.command(Command::SetHistoryBudget(1));
    let editor = window.editor();
    let here = editor.history.current();
    let (first, second) = (states[0].0, states[1].0);
    assert!(editor.history.node(second).unwrap().document.is_none());
    assert!(editor.notices.iter().all(|notice| !notice.text.contains("let go")), "nothing is lost");

    window.command(Command::CompareSides(CompareSide::Node(second), CompareSide::Canvas));
    let compare = window.editor().compare.as_ref().unwrap();
    assert_eq!(document_content(&compare.a_document).to_string(), states[1].1);
    window.command(Command::CloseCompare);

    for (id, content) in &states {
        window.command(Command::GoTo(*id));
        assert_eq!(window.editor().history.current(), *id);
        assert_eq!(&document_content(&window.editor().document).to_string(), content);
    }
    window.command(Command::GoTo(here));
    while window.editor().history.current() != first {
        window.act(Action::Undo);
    }
}

#[test]
fn a_region_is_taken_from_another_state() {
    let mut window = with_picture();
    let before = picture(&window);
    let from = window.editor().history.current();
    window.act(Action::FlipHorizontal);
    let flipped = picture(&window);
    window.command(Command::SetToolSettings(Box::default()));
    window.act(Action::ToolRectangle);
    window.drag(&[(4.0, 4.0), (12.0, 20.0)]);
    let selected = window.editor().document.selection.bounds(before.extent()).unwrap();
    window.command(Command::TakeRegion(from));
    let taken = picture(&window);
    for y in 0..32 {
        for x in 0..32 {
            let inside = (selected.x..selected.right()).contains(&x)
                && (selected.y..selected.bottom()).contains(&y);
            let source = if inside { &before } else { &flipped };
            assert_eq!(taken.pixel(x, y), source.pixel(x, y), "{x}, {y}");
        }
    }
    let name = &window.editor().document.layers.last().unwrap().name;
    assert!(name.starts_with("From “"), "{name}");
}

#[test]
fn states_are_renamed_and_pinned_and_that_is_saved() {
    let mut window = with_picture();
    let node = window.editor().history.current();
    window.act(Action::FlipHorizontal);
    window.command(Command::SetDialog(Some(Dialog::RenameState(node))));
    window.harness.event(egui::Event::Text("The first try".to_owned()));
    window.settle();
    window.click("Rename");
    window.command(Command::PinState(node, true));
    let path = window.folder.path().join("pinned.ora");
    window.command(Command::SaveTo(path.clone()));
    let tree = file::open(&path).unwrap().tree.unwrap();
    assert_eq!(tree.node(node).unwrap().label, "The first try");
    assert!(tree.is_pinned(node));
}

/// Copies an archive without Gesso's own entries, as another program saves it.
fn saved_elsewhere(path: &Path) {
    let copy = path.with_extension("copy");
    {
        let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
        let mut writer = zip::ZipWriter::new(std::fs::File::create(&copy).unwrap());
        for i in 0..archive.len() {
            let entry = archive.by_index_raw(i).unwrap();
            if !entry.name().unwrap().starts_with("gesso/") {
                writer.raw_copy_file(entry).unwrap();
            }
        }
        writer.finish().unwrap();
    }
    std::fs::rename(copy, path).unwrap();
}

#[test]
fn what_another_program_left_out_of_the_file_is_still_there() {
    let mut window = with_branches();
    let states = contents(&window);
    let path = window.folder.path().join("work.ora");
    window.command(Command::SaveTo(path.clone()));
    saved_elsewhere(&path);
    window.command(Command::OpenPath(path));
    let editor = window.editor();
    assert_eq!(editor.history.nodes().count(), states.len() + 1);
    let here = editor.history.node(editor.history.current()).unwrap();
    assert_eq!(here.operation.label, "Changed by another program");
    assert!(editor.has_unsaved_changes());
    let (first, content) = &states[1];
    window.command(Command::GoTo(*first));
    assert_eq!(&document_content(&window.editor().document).to_string(), content);
}

#[test]
fn a_damaged_project_is_opened_as_far_as_it_goes_and_not_written_over() {
    let mut window = with_branches();
    let path = window.folder.path().join("work.ora");
    window.command(Command::SaveTo(path.clone()));
    let mut bytes = std::fs::read(&path).unwrap();
    // In the middle of the records, which are deflated: they can't be read then.
    let name = b"gesso/records.jsonl";
    let at = bytes.windows(name.len()).position(|part| part == name).unwrap() + name.len() + 40;
    bytes[at] ^= 0xFF;
    std::fs::write(&path, &bytes).unwrap();
    let before = picture(&window);
    window.command(Command::OpenPath(path.clone()));
    assert_eq!(picture(&window), before, "the layers are there");
    assert_eq!(window.editor().file.path, None, "saving asks for a name");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
