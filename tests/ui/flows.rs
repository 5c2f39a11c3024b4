//! What a user does from beginning to end.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use gesso::document::flatten;
use gesso::editor::{Action, CompareMode, JobState};
use gesso::engine::library::TinyFamily;
use gesso::preferences::Theme;
use gesso::raster::RgbaImage;
use gesso::tools::Tool;

use crate::window::Window;

pub(crate) fn picture(window: &Window) -> RgbaImage {
    let document = &window.editor().document;
    flatten(document, document.extent.rect())
}

/// A window with a generated picture on its canvas.
pub(crate) fn with_picture() -> Window {
    let mut window = Window::open(Theme::Dark);
    window.harness.get_by_label("Prompt").focus();
    window.harness.step();
    window.harness.get_by_label("Prompt").type_text("a red apple");
    window.settle();
    assert_eq!(window.editor().generation.prompt, "a red apple");
    window.key(Modifiers::COMMAND, Key::Enter);
    assert_eq!(window.editor().staging.as_ref().unwrap().results.len(), 1);
    window.click("Accept");
    window
}

#[test]
fn a_prompt_becomes_a_picture_that_the_empty_canvas_takes_the_size_of() {
    let window = with_picture();
    let editor = window.editor();
    assert!(editor.staging.is_none());
    assert_eq!(editor.document.extent.width, 32, "the small model's large pictures");
    assert_eq!(editor.document.layers.len(), 2);
    assert!(picture(&window).is_opaque());
    assert_eq!(editor.gallery.items.len(), 1);
    assert_eq!(editor.gallery.items[0].record.common().seed, 7);
}

#[test]
fn clip_guides_a_picture_where_it_is_asked_to() {
    let mut window = Window::open_with(Theme::Dark, |preferences| {
        let models = preferences.models_folder.as_ref().unwrap();
        TinyFamily::complete("guided").write(models).unwrap();
        preferences.last_generation["model"] = "guided".into();
    });
    window.act(Action::Generate);
    let mut generation = window.editor().generation.clone();
    generation.clip_guidance = Some(2.0);
    window.command(gesso::editor::Command::SetGeneration(Box::new(generation)));
    window.act(Action::Generate);
    let items = &window.editor().gallery.items;
    assert_ne!(items[1].pixels, items[0].pixels, "the same seed");
    let base = items[1].record.base().unwrap();
    assert_eq!((base.clip_guidance, base.guidance), (2.0, 1.0));
    let (guided, plain) = (items[1].id, items[0].id);
    window.command(gesso::editor::Command::UseSettings(plain));
    assert_eq!(window.editor().generation.clip_guidance, None);
    window.command(gesso::editor::Command::UseSettings(guided));
    assert_eq!(window.editor().generation.clip_guidance, Some(2.0));
    // Another model has no CLIP; what was chosen for this one does not disturb it.
    let mut generation = window.editor().generation.clone();
    generation.model = Some("tiny".to_owned());
    window.command(gesso::editor::Command::SetGeneration(Box::new(generation)));
    window.act(Action::Generate);
    let base = window.editor().gallery.items[2].record.base().unwrap();
    assert_eq!(base.clip_guidance, 0.0);
}

#[test]
fn a_mask_is_painted_filled_accepted_undone_redone_and_compared() {
    let mut window = with_picture();
    let before = picture(&window);
    window.key(Modifiers::NONE, Key::B);
    assert_eq!(window.editor().tool, Tool::MaskBrush);
    let mut tools = window.editor().tools.clone();
    tools.mask_brush.diameter_px = 8.0;
    window.command(gesso::editor::Command::SetToolSettings(Box::new(tools)));
    window.drag(&[(10.0, 10.0), (16.0, 14.0), (20.0, 12.0)]);
    let selection = window.editor().document.selection.clone();
    assert!(!selection.is_empty(), "the stroke painted the mask");
    assert_eq!(picture(&window), before, "painting the mask leaves the picture");

    window.click("Fill the mask");
    let staged = window.editor().staging.as_ref().unwrap().current().unwrap();
    assert_eq!(staged.outside_mask_delta, Some(0));
    window.harness.get_by_label_contains("0 bytes changed outside the mask");
    window.key(Modifiers::NONE, Key::Enter);
    let after = picture(&window);
    assert_ne!(after, before, "the model painted");
    let mask = selection.mask(window.editor().document.extent);
    for y in 0..32 {
        for x in 0..32 {
            if mask.pixel(x, y) == 0 {
                assert_eq!(after.pixel(x, y), before.pixel(x, y), "outside the mask at {x}, {y}");
            }
        }
    }
    let layer = window.editor().document.layers.last().unwrap();
    assert!(layer.mask.is_some(), "the result is a layer with its mask");

    window.key(Modifiers::COMMAND, Key::Z);
    assert_eq!(picture(&window), before);
    window.key(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(picture(&window), after);

    window.key(Modifiers::NONE, Key::K);
    assert_eq!(window.editor().compare.as_ref().unwrap().mode, CompareMode::Slider);
    window.click("Difference");
    let compare = window.editor().compare.as_ref().unwrap();
    assert_eq!(compare.mode, CompareMode::HeatMap);
    let found = compare.difference.unwrap();
    let apart = before.pixels().iter().zip(after.pixels()).filter(|(a, b)| a != b).count();
    assert_eq!(found.pixels, apart);
    window.harness.get_by_label_contains(&format!("{apart} pixels differ, by at most"));
    window.key(Modifiers::NONE, Key::Escape);
    assert!(window.editor().compare.is_none());
}

#[test]
fn a_stroke_changes_the_layer_and_is_one_step() {
    let mut window = with_picture();
    let steps = window.editor().history.line().len();
    window.act(Action::AddLayer);
    window.key(Modifiers::NONE, Key::P);
    let before = picture(&window);
    window.drag(&[(4.0, 20.0), (12.0, 22.0), (25.0, 20.0)]);
    assert_ne!(picture(&window), before);
    assert_eq!(window.editor().history.line().len(), steps + 2);
    window.key(Modifiers::COMMAND, Key::Z);
    assert_eq!(picture(&window), before);
}

#[test]
fn several_results_are_looked_through_and_kept_or_thrown_away() {
    let mut window = Window::open(Theme::Light);
    let mut generation = window.editor().generation.clone();
    "a tree".clone_into(&mut generation.prompt);
    generation.count = 3;
    window.command(gesso::editor::Command::SetGeneration(Box::new(generation)));
    window.act(Action::Generate);
    let seeds = |window: &Window| -> Vec<u64> {
        let staging = window.editor().staging.as_ref().unwrap();
        staging.results.iter().map(|result| result.seed).collect()
    };
    assert_eq!(seeds(&window), [7, 8, 9]);
    window.key(Modifiers::NONE, Key::ArrowRight);
    assert_eq!(window.editor().staging.as_ref().unwrap().shown, 1);
    window.key(Modifiers::NONE, Key::Backspace);
    assert_eq!(seeds(&window), [7, 9]);
    window.key(Modifiers::SHIFT, Key::Enter);
    assert!(window.editor().staging.is_none());
    assert_eq!(window.editor().document.layers.len(), 3);
    assert_eq!(window.editor().gallery.items.len(), 3, "the gallery keeps what was thrown away");
}

#[test]
fn a_job_that_is_cancelled_leaves_the_picture_alone() {
    let mut window = with_picture();
    let before = picture(&window);
    let mut generation = window.editor().generation.clone();
    generation.steps = Some(400);
    generation.count = 8;
    window.harness.state_mut().command(gesso::editor::Command::SetGeneration(Box::new(generation)));
    window.harness.state_mut().command(gesso::editor::Command::Do(Action::Generate));
    while window.editor().jobs.running().is_none() {
        window.harness.step();
    }
    window.act(Action::CancelJob);
    assert_eq!(window.editor().jobs.jobs.last().unwrap().state, JobState::Cancelled);
    assert!(window.editor().staging.is_none() && window.editor().preview.is_none());
    assert_eq!(picture(&window), before);
}

#[test]
fn the_canvas_is_extended_and_what_was_there_stays() {
    let mut window = with_picture();
    let before = picture(&window);
    let by = gesso::editor::ExtendBy { left: 8, right: 0, top: 0, bottom: 16 };
    window.command(gesso::editor::Command::Extend(by));
    assert_eq!(
        window.editor().staging.as_ref().unwrap().current().unwrap().outside_mask_delta,
        Some(0)
    );
    window.act(Action::StagingAccept);
    let after = picture(&window);
    assert_eq!((after.extent().width, after.extent().height), (40, 48));
    assert!(after.is_opaque(), "the new space is painted");
    let old = gesso::geom::CanvasRect::new(8, 0, 32, 32);
    assert_eq!(after.crop(old), before);
}

#[test]
fn variations_and_enlargements_become_layers() {
    let mut window = with_picture();
    window.act(Action::Vary);
    window.act(Action::StagingAccept);
    assert_eq!(window.editor().document.layers.len(), 3);
    window.act(Action::Upscale);
    window.act(Action::StagingAccept);
    assert_eq!(window.editor().document.extent.width, 128);
}

#[test]
fn a_picture_is_saved_opened_and_the_same() {
    let mut window = with_picture();
    let before = picture(&window);
    let path = window.folder.path().join("saved.png");
    assert!(window.editor().has_unsaved_changes());
    window.command(gesso::editor::Command::SaveTo(path.clone()));
    assert!(!window.editor().has_unsaved_changes());
    window.command(gesso::editor::Command::OpenPath(path.clone()));
    assert_eq!(picture(&window), before);
    assert_eq!(window.editor().file.path.as_ref(), Some(&path));
    assert_eq!(window.editor().preferences.recent_files.items(), [path]);
}

#[test]
fn unsaved_changes_are_asked_about_before_they_are_lost() {
    let mut window = with_picture();
    window.act(Action::Quit);
    assert!(matches!(
        window.editor().dialog,
        Some(gesso::editor::Dialog::UnsavedChanges(gesso::editor::AfterSaving::Close))
    ));
    window.click("Cancel");
    assert!(window.editor().dialog.is_none());
}

#[test]
fn a_file_that_is_no_picture_is_told_and_changes_nothing() {
    let mut window = with_picture();
    let before = picture(&window);
    let path = window.folder.path().join("broken.png");
    std::fs::write(&path, b"no picture").unwrap();
    window.command(gesso::editor::Command::PlacePaths { paths: vec![path], at: None });
    let notice = window.editor().notices.last().unwrap();
    assert!(notice.text.contains("broken.png"), "{}", notice.text);
    assert_eq!(picture(&window), before);
}

#[test]
fn all_chosen_files_become_layers() {
    let mut window = with_picture();
    // Large enough that placing one is computed beside the window.
    let large = gesso::geom::Extent::new(2048, 2048);
    let paths: Vec<_> = ["one", "two", "three"]
        .into_iter()
        .map(|name| {
            let path = window.folder.path().join(name).with_extension("png");
            let image = RgbaImage::new(large, [name.len() as u8, 90, 90, 255]);
            let options = gesso::storage::ExportOptions::default();
            gesso::storage::export_image(&path, &image, &[], &options).unwrap();
            path
        })
        .collect();
    window.command(gesso::editor::Command::PlacePaths { paths, at: None });
    let layers = &window.editor().document.layers;
    let names: Vec<&str> = layers.iter().skip(2).map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["one", "two", "three"]);
    assert!(window.editor().notices.is_empty(), "{:?}", window.editor().notices);
}

#[test]
fn another_start_finds_a_picture_with_its_star_and_opens_its_project_there() {
    let mut window = with_picture();
    let made = window.editor().gallery.items[0].clone();
    let accepted = window.editor().history.current();
    window.click("Gallery");
    window.harness.get_by_label_contains("Picture: a red apple").click();
    window.settle();
    window.click("Give it a star");
    window.command(gesso::editor::Command::TagPicture(made.id, "Fruit".to_owned()));
    window.act(Action::AddLayer);
    let project = window.folder.path().join("apple.ora");
    window.command(gesso::editor::Command::SaveTo(project.clone()));
    assert!(window.folder.path().join("data/library/library.sqlite").exists());

    let mut window = window.reopen();
    let items = &window.editor().gallery.items;
    assert_eq!(items.len(), 1);
    let found = &items[0];
    assert_eq!((&found.record, found.kind), (&made.record, made.kind));
    assert!(found.starred && found.image().is_none());
    assert_eq!(found.tags, ["fruit"]);
    let id = found.id;
    window.click("Gallery");
    window.harness.get_by_label_contains("Picture: a red apple").click();
    window.settle();
    window.click("Open the project there");
    assert_eq!(window.editor().file.path.as_ref(), Some(&project));
    assert_eq!(window.editor().history.current(), accepted, "where it was accepted");
    let layers = window.editor().document.layers.len();
    window.command(gesso::editor::Command::PlaceFromGallery(id));
    assert_eq!(window.editor().document.layers.len(), layers + 1);
    assert_eq!(window.editor().gallery.item(id).unwrap().image(), made.image());
}
