//! The panels as a user works with them: found by label, clicked, and the commands that come out.

use egui::{Context, Key, Modifiers, Ui, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use crate::editor::{Command, Compare, CompareMode, CompareSide, Editor, GalleryId, JobNumber};
use crate::geom::PixelRect;
use crate::ui::compare_bar::compare_bar_ui;
use crate::ui::dock::{DockState, DockTab, dock_ui, show_dock_tab};
use crate::ui::sample;
use crate::ui::staging_strip::{StagingState, staging_strip_ui};
use crate::ui::theme::{self, Look};

/// An editor, all panels' states, and what came out.
pub(super) struct Scene {
    pub(super) editor: Editor,
    pub(super) dock: DockState,
    pub(super) staging: StagingState,
    commands: Vec<Command>,
}

impl Scene {
    pub(super) fn new(editor: Editor) -> Self {
        Self {
            editor,
            dock: DockState::default(),
            staging: StagingState::default(),
            commands: Vec::new(),
        }
    }

    /// What was asked for since the last time, as text.
    fn take(&mut self) -> Vec<String> {
        self.commands.drain(..).map(|command| format!("{command:?}")).collect()
    }
}

fn set_up(ctx: &Context, tab: DockTab) {
    theme::install_fonts(ctx);
    theme::apply(ctx, Look::Dark, 1.0);
    show_dock_tab(ctx, tab);
}

/// The dock alone, tall enough for everything; settings are taken over as the editor does.
fn dock<'a>(editor: Editor, tab: DockTab) -> Harness<'a, Scene> {
    let mut harness = Harness::builder()
        .with_size(vec2(320.0, 1100.0))
        .with_max_steps(16)
        .with_context_setup(move |ctx| set_up(ctx, tab))
        .build_ui_state(
            |ui: &mut Ui, scene: &mut Scene| {
                let Scene { editor, dock, commands, .. } = scene;
                dock_ui(ui, editor, dock, commands);
                for command in commands {
                    if let Command::SetGeneration(generation) = command {
                        editor.generation = (**generation).clone();
                    }
                }
            },
            Scene::new(editor),
        );
    harness.run();
    harness
}

fn floating<'a>(editor: Editor) -> Harness<'a, Scene> {
    let mut harness = Harness::builder()
        .with_size(vec2(900.0, 600.0))
        .with_max_steps(16)
        .with_context_setup(|ctx| set_up(ctx, DockTab::Layers))
        .build_ui_state(
            |ui: &mut Ui, scene: &mut Scene| {
                staging_strip_ui(ui, &scene.editor, &mut scene.staging, &mut scene.commands);
                compare_bar_ui(ui, &scene.editor, &mut scene.commands);
            },
            Scene::new(editor),
        );
    harness.run();
    harness
}

fn click(harness: &mut Harness<'_, Scene>, label: &str) -> Vec<String> {
    harness.get_by_label(label).click();
    harness.run();
    harness.state_mut().take()
}

#[test]
fn the_main_button_does_what_it_says() {
    let mut harness = dock(sample::editor(), DockTab::Layers);
    assert_eq!(click(&mut harness, "Generate"), ["Do(Generate)"]);
    harness.state_mut().editor.document.selection.cover.fill(PixelRect::new(0, 0, 9, 9), 255);
    harness.run();
    assert!(harness.query_by_label("Generate").is_none());
    assert_eq!(click(&mut harness, "Fill the mask"), ["Do(FillMask)"]);
    assert_eq!(click(&mut harness, "More that a model can do"), [""; 0]);
    assert_eq!(click(&mut harness, "Upscale"), ["Do(Upscale)"]);
}

#[test]
fn without_a_model_the_main_button_can_not_be_pressed() {
    let mut editor = sample::editor();
    editor.catalog = Some(std::sync::Arc::default());
    let mut harness = dock(editor, DockTab::Layers);
    assert_eq!(click(&mut harness, "Generate"), [""; 0]);
}

#[test]
fn an_example_becomes_the_prompt() {
    let mut harness = dock(sample::editor(), DockTab::Layers);
    click(&mut harness, "a red house by a lake");
    assert_eq!(harness.state().editor.generation.prompt, "a red house by a lake");
    harness.run();
    assert!(harness.query_by_label("snow on a dark mountain").is_none());
}

#[test]
fn the_prompt_takes_text_and_its_own_shortcuts() {
    let mut harness = dock(sample::editor(), DockTab::Layers);
    harness.get_by_label("Prompt").focus();
    harness.run();
    harness.get_by_label("Prompt").type_text("лес 森");
    harness.run();
    assert_eq!(harness.state().editor.generation.prompt, "лес 森");
    harness.state_mut().take();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    harness.run();
    assert_eq!(harness.state_mut().take(), ["Do(Generate)"]);
    harness.key_press_modifiers(Modifiers::ALT, Key::ArrowUp);
    harness.run();
    assert_eq!(harness.state_mut().take(), ["Do(PromptOlder)"]);
    assert_eq!(harness.state().editor.generation.prompt, "лес 森");
}

#[test]
fn count_and_seed_are_set() {
    let mut harness = dock(sample::editor(), DockTab::Layers);
    click(&mut harness, "One picture more");
    assert_eq!(harness.state().editor.generation.count, 2);
    assert_eq!(click(&mut harness, "New seed"), ["Do(RollSeed)"]);
    let seed = harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Seed");
    seed.set_text_value_accesskit("18446744073709551615");
    harness.run();
    assert_eq!(harness.state().editor.generation.seed, u64::MAX);
}

#[test]
fn a_running_job_shows_its_progress_and_can_be_stopped() {
    let mut editor = sample::editor();
    sample::add_jobs(&mut editor);
    let mut harness = dock(editor, DockTab::Layers);
    assert!(harness.query_by_label("Progress of the job").is_some());
    assert_eq!(click(&mut harness, "Cancel"), ["Do(CancelJob)"]);
}

#[test]
fn layers_are_shown_hidden_and_taken_in_hand() {
    let mut harness = dock(sample::editor(), DockTab::Layers);
    let commands = click(&mut harness, "Hide Sketch");
    assert_eq!(commands, ["Edit(SetVisible { layer: LayerId(2), visible: false })"]);
    assert_eq!(click(&mut harness, "Layer Background"), ["Edit(SetActive(LayerId(1)))"]);
    assert_eq!(click(&mut harness, "New layer"), ["Do(AddLayer)"]);
}

#[test]
fn a_layer_is_renamed_in_its_row() {
    let mut harness = dock(sample::editor(), DockTab::Layers);
    harness.get_by_label("Layer Background").click_secondary();
    harness.run();
    click(&mut harness, "Rename");
    harness.get_by_label("Name of the layer").type_text("Небо");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let commands = harness.state_mut().take();
    assert_eq!(commands, ["Edit(RenameLayer { layer: LayerId(1), name: \"Небо\" })"]);
    assert!(harness.query_by_label("Name of the layer").is_none());
}

#[test]
fn a_layer_is_dragged_to_another_place() {
    let mut harness = dock(sample::editor(), DockTab::Layers);
    let bottom = harness.get_by_label("Layer Background").rect();
    let top = harness.get_by_label("Layer Layer 5").rect();
    harness.drag_at(bottom.center());
    harness.run();
    harness.hover_at(bottom.center() - vec2(0.0, 60.0));
    harness.run();
    harness.hover_at(top.center_top() + vec2(0.0, 3.0));
    // The list scrolls as long as something is held at its edge, so it does not settle here.
    harness.run_steps(4);
    harness.drop_at(top.center_top() + vec2(0.0, 3.0));
    harness.run_steps(4);
    let commands = harness.state_mut().take();
    assert_eq!(commands, ["Edit(ReorderLayer { layer: LayerId(1), position: 4 })"]);
}

#[test]
fn jobs_change_places_are_tried_again_and_cleared() {
    let mut editor = sample::editor();
    sample::add_jobs(&mut editor);
    let mut harness = dock(editor, DockTab::Queue);
    let earlier: Vec<_> = harness.get_all_by_label("Earlier").collect();
    earlier[1].click();
    drop(earlier);
    harness.run();
    assert_eq!(harness.state_mut().take(), ["MoveJob(JobNumber(6), 0)"]);
    assert_eq!(click(&mut harness, "Clear finished"), ["ClearFinishedJobs"]);
    harness.get_by_label("Retry").click();
    harness.run();
    assert_eq!(harness.state_mut().take(), [format!("RetryJob({:?})", JobNumber(2))]);
}

#[test]
fn a_click_goes_to_a_state_wherever_its_pixels_are() {
    let mut editor = sample::editor();
    sample::add_history(&mut editor, 3);
    let mut harness = dock(editor, DockTab::History);
    assert_eq!(click(&mut harness, "State Brush stroke"), ["GoTo(NodeId(2))"]);
    // Nothing but the current state fits; the others are on the disk.
    harness.state_mut().editor.history.set_budget(1);
    harness.run();
    assert_eq!(click(&mut harness, "State Brush stroke"), ["GoTo(NodeId(2))"]);
}

#[test]
fn a_long_history_draws_only_what_is_seen() {
    let mut editor = sample::editor();
    sample::add_history(&mut editor, 400);
    let harness = dock(editor, DockTab::History);
    let rows = harness.get_all_by_label_contains("State ").count();
    assert!((5..60).contains(&rows), "{rows}");
}

#[test]
fn a_picture_of_the_gallery_is_used_starred_tagged_and_removed() {
    let mut editor = sample::editor();
    sample::add_pictures(&mut editor, 40);
    let mut harness = dock(editor, DockTab::Gallery);
    let cells = harness.get_all_by_label_contains("Picture: ").count();
    assert!(cells < 40, "{cells}");
    harness.get_all_by_label_contains("Picture: ").next().unwrap().click();
    harness.run();
    let newest = GalleryId(40);
    assert_eq!(click(&mut harness, "Use settings"), [format!("UseSettings({newest:?})")]);
    assert_eq!(click(&mut harness, "Place as layer"), [format!("PlaceFromGallery({newest:?})")]);
    assert_eq!(click(&mut harness, "Copy the picture"), [format!("CopyFromGallery({newest:?})")]);
    assert_eq!(click(&mut harness, "Give it a star"), [format!("StarPicture({newest:?}, true)")]);
    harness.get_by_label("Add a tag").focus();
    harness.run();
    harness.get_by_label("Add a tag").type_text("sea ");
    harness.run();
    harness.key_press(egui::Key::Enter);
    harness.run();
    assert_eq!(harness.state_mut().take(), [format!("TagPicture({newest:?}, \"sea \")")]);
    let removed = format!("RemoveFromGallery({newest:?})");
    assert_eq!(click(&mut harness, "Remove from the gallery"), [removed]);
}

#[test]
fn the_gallery_looks_for_stars_and_words_and_asks_for_older_pictures_at_its_end() {
    let mut editor = sample::editor();
    sample::add_pictures(&mut editor, 4);
    editor.gallery.has_more = true;
    let mut harness = dock(editor, DockTab::Gallery);
    assert_eq!(harness.state_mut().take().first().map(String::as_str), Some("MoreOfGallery"));
    let given = click(&mut harness, "Only pictures with a star");
    assert!(given.iter().any(|command| command.contains("starred: true")), "{given:?}");
    harness.get_by_label("Search prompts and tags").focus();
    harness.run();
    harness.get_by_label("Search prompts and tags").type_text("fox");
    harness.run();
    let given = harness.state_mut().take();
    assert!(given.iter().any(|command| command.contains("text: \"fox\"")), "{given:?}");
}

#[test]
fn results_are_looked_at_and_accepted() {
    let mut editor = sample::editor();
    sample::add_staging(&mut editor, 4, Some(0));
    let mut harness = floating(editor);
    assert!(harness.query_by_label("0 bytes changed outside the mask").is_some());
    assert_eq!(click(&mut harness, "Show result 3"), ["StagingShow(2)"]);
    assert_eq!(click(&mut harness, "Accept"), ["Do(StagingAccept)"]);
    assert_eq!(click(&mut harness, "Next result"), ["Do(StagingNext)"]);
}

#[test]
fn a_comparison_is_changed_and_ended() {
    let mut editor = sample::editor();
    let root = editor.history.root();
    editor.compare = Some(Compare {
        a: CompareSide::Node(root),
        b: CompareSide::Canvas,
        mode: CompareMode::Slider,
        split: 0.5,
        a_document: editor.document.clone(),
        b_document: editor.document.clone(),
        ticket: None,
        difference: None,
    });
    let mut harness = floating(editor);
    assert_eq!(click(&mut harness, "Difference"), ["SetCompareMode(HeatMap)"]);
    let swapped = ["CompareSides(Canvas, Node(NodeId(1)))"];
    assert_eq!(click(&mut harness, "Exchange the sides"), swapped);
    assert_eq!(click(&mut harness, "End the comparison"), ["CloseCompare"]);
}

#[test]
fn clip_guidance_is_offered_where_the_model_has_it() {
    let mut editor = sample::editor();
    editor.generation.advanced = true;
    let mut harness = dock(editor, DockTab::Layers);
    assert!(harness.query_by_label("Use CLIP guidance").is_none());
    harness.state_mut().editor.generation.model = Some("sketch".to_owned());
    harness.run();
    // It may lie below what the panel shows without scrolling.
    harness.get_by_label("Use CLIP guidance").click_accesskit();
    harness.run();
    assert_eq!(harness.state().editor.generation.clip_guidance, Some(2.0));
    assert!(harness.query_by_label("Scale of CLIP guidance").is_some());
    // It may lie below what the panel shows without scrolling.
    harness.get_by_label("Use CLIP guidance").click_accesskit();
    harness.run();
    assert_eq!(harness.state().editor.generation.clip_guidance, None);
}

#[test]
fn tabs_are_reached_by_their_names() {
    let mut harness = dock(sample::editor(), DockTab::Layers);
    click(&mut harness, "Gallery");
    assert!(harness.query_by_label("No pictures yet").is_some());
    click(&mut harness, "Queue");
    assert!(harness.query_by_label("Nothing to do").is_some());
}

#[test]
fn panels_that_are_hidden_leave_their_place_to_others() {
    let mut editor = sample::editor();
    for panel in ["prompt", "layers"] {
        editor.preferences.panels.insert(panel.to_owned(), false);
    }
    let harness = dock(editor, DockTab::Layers);
    assert!(harness.query_by_label("Prompt").is_none());
    assert!(harness.query_by_label("Layers").is_none());
    assert!(harness.query_by_label("Search").is_some(), "the first tab that is left: history");
}
