//! The chat's panel as a user works with it, and pictures of it to be looked at.

use egui::{Key, Modifiers, Ui, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use crate::document::NodeId;
use crate::editor::{AnswerWish, ChatOptions, Command, CompareSide, Editor, TurnPicture};
use crate::engine::event::{JobEvent, JobId, Preview, Progress, Stage};
use crate::geom::Extent;
use crate::raster::RgbaImage;
use crate::ui::chat_panel::{ChatState, chat_ui};
use crate::ui::sample;
use crate::ui::script::{self, Reply, answer, send, soft_mask, turn};
use crate::ui::testing::look_at;
use crate::ui::theme::{self, Look};

const CANVAS: Extent = Extent::new(600, 400);

/// An editor, the panel's state, and what came out as text.
struct Scene {
    editor: Editor,
    chat: ChatState,
    asked: Vec<String>,
}

fn panel<'a>(editor: Editor) -> Harness<'a, Scene> {
    let mut harness = Harness::builder()
        .with_size(vec2(328.0, 900.0))
        .with_max_steps(16)
        .with_context_setup(|ctx| {
            theme::install_fonts(ctx);
            theme::apply(ctx, Look::Dark, 1.0);
        })
        .build_ui_state(
            |ui: &mut Ui, scene: &mut Scene| {
                let mut commands = Vec::new();
                chat_ui(ui, &scene.editor, &mut scene.chat, &mut commands);
                for command in commands {
                    scene.asked.push(format!("{command:?}"));
                    scene.editor.update(command);
                }
            },
            Scene { editor, chat: ChatState::default(), asked: Vec::new() },
        );
    harness.run();
    harness
}

fn click(harness: &mut Harness<'_, Scene>, label: &str) -> Vec<String> {
    harness.get_by_label(label).click();
    harness.run();
    std::mem::take(&mut harness.state_mut().asked)
}

fn red() -> Reply {
    let change = soft_mask(CANVAS, (300, 100, 80, 120));
    Reply::picture(CANVAS, [200, 10, 10, 255], change)
}

/// An editor with the thumbnails that the program makes outside.
fn with_thumbnails(editor: &mut Editor) {
    let nodes: Vec<NodeId> = editor.history.nodes().map(|node| node.id).collect();
    for id in nodes {
        let document = editor.history.node(id).unwrap().document.clone().unwrap();
        let image = std::sync::Arc::new(crate::document::thumbnail(&document, 192));
        editor.update(Command::Thumbnail(id, image));
    }
}

/// A conversation with something of everything in it.
fn conversation() -> Editor {
    let mut editor = script::editor();
    turn(&mut editor, "Paint the door of the house red, please", red());
    let asked = turn(&mut editor, "which color is the sky?", Reply::words("the sky is blue"));
    turn(&mut editor, "add a cloud", red());
    editor.update(Command::GoTo(asked));
    let plan = send(&mut editor, "Добавь на небо облако, похожее на эту картинку");
    answer(&mut editor, &plan, red());
    let here = editor.history.current();
    editor
        .chat
        .remarks
        .insert(here, "The model has never seen: облако. It draws what it can.".to_owned());
    let attachment =
        crate::document::Attachment { image: sample::picture(2, 64), name: "cloud".to_owned() };
    editor.chat.attached.insert(here, vec![attachment.clone(), attachment]);
    with_thumbnails(&mut editor);
    editor
}

#[test]
fn enter_sends_and_shift_enter_breaks_the_line() {
    let mut harness = panel(script::editor());
    harness.get_by_label("Message").focus();
    harness.run();
    harness.get_by_label("Message").type_text("a red");
    harness.run();
    harness.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    harness.run();
    harness.get_by_label("Message").type_text("door");
    harness.run();
    assert_eq!(harness.state().editor.chat.draft, "a red\ndoor");
    harness.state_mut().asked.clear();
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    let scene = harness.state();
    assert_eq!(scene.asked, ["Do(SendMessage)"]);
    assert_eq!(scene.editor.chat.pending.as_ref().unwrap().message.text, "a red\ndoor");
    assert!(scene.editor.chat.draft.is_empty());
    // While it is answered, nothing is sent and nothing is lost.
    harness.get_by_label("Message").type_text("next");
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    harness.run_steps(2);
    assert_eq!(harness.state().editor.chat.draft, "next");
}

#[test]
fn an_example_becomes_the_message_and_the_button_sends_it() {
    let mut harness = panel(script::editor());
    assert_eq!(click(&mut harness, "Send message"), [""; 0], "there is no message yet");
    click(&mut harness, "make the house blue");
    assert_eq!(harness.state().editor.chat.draft, "make the house blue");
    harness.get_by_label("Send message").click();
    harness.run_steps(3);
    assert!(harness.state().editor.is_answering());
    harness.get_by_label("Stop the answer").click();
    harness.run_steps(3);
    let editor = &harness.state().editor;
    assert!(!editor.is_answering());
    assert_eq!(editor.chat.draft, "make the house blue", "the message comes back");
}

#[test]
fn turns_offer_what_can_be_done_with_them() {
    let mut editor = script::editor();
    let root = editor.history.root();
    let node = turn(&mut editor, "a red door", red());
    with_thumbnails(&mut editor);
    let mut harness = panel(editor);
    harness.get_by_label("a red door");
    harness.get_by_label("done");
    harness.get_by_label("Outside the change: 0 bytes changed");
    click(&mut harness, "Widen the change");
    let editor = &harness.state().editor;
    assert_ne!(editor.history.current(), node);
    assert_eq!(editor.document.layers.last().unwrap().mask.as_ref().unwrap().pixel(295, 150), 240);
    click(&mut harness, "Back to the region as it was found");
    assert_eq!(harness.state().editor.history.current(), node);
    click(&mut harness, "Show the region");
    assert!(harness.state().editor.chat.show_change);
    click(&mut harness, "Compare with the picture before");
    let compare = harness.state().editor.compare.as_ref().unwrap();
    assert_eq!((compare.a, compare.b), (CompareSide::Node(root), CompareSide::Node(node)));
    click(&mut harness, "Change this message");
    let editor = &harness.state().editor;
    assert_eq!((editor.history.current(), editor.chat.draft.as_str()), (root, "a red door"));
    // The line that was left is offered.
    click(&mut harness, "Leave the earlier message as it is");
    assert_eq!(harness.state().editor.history.current(), node);
    harness.state_mut().editor.update(Command::GoTo(root));
    harness.run();
    click(&mut harness, "Go on with: a red door");
    let history = &harness.state().editor.history;
    assert!(history.is_ancestor(node, history.current()), "to the end, where it is wider");
}

#[test]
fn versions_of_a_turn_are_switched_between() {
    let mut harness = panel(conversation());
    harness.get_by_label("2/2");
    let here = harness.state().editor.history.current();
    click(&mut harness, "Previous version of this turn");
    let editor = &harness.state().editor;
    assert_ne!(editor.history.current(), here);
    harness.get_by_label("add a cloud");
    harness.get_by_label("1/2");
    click(&mut harness, "Next version of this turn");
    assert_eq!(harness.state().editor.history.current(), here);
    let clicked = click(&mut harness, "Picture after: Paint the door of the house red, please");
    assert!(clicked[0].starts_with("GoTo"), "{clicked:?}");
    assert!(harness.query_by_label("which color is the sky?").is_none());
}

#[test]
fn without_a_model_for_it_the_panel_says_what_helps() {
    let mut harness = panel(sample::editor());
    harness.get_by_label("No model to talk with");
    assert_eq!(click(&mut harness, "Settings…"), ["Do(ShowSettings)"]);
    assert!(harness.query_by_label("Message").is_none());
    // A conversation that was had with another program's model can still be read.
    let mut editor = script::editor();
    turn(&mut editor, "why?", Reply::words("because"));
    editor.catalog = Some(std::sync::Arc::new(sample::catalog()));
    let harness = panel(editor);
    harness.get_by_label("because");
}

#[test]
fn what_is_answered_can_be_chosen() {
    let mut editor = script::editor();
    let options = ChatOptions { answer: AnswerWish::Words, ..ChatOptions::default() };
    editor.update(Command::SetChatOptions(Box::new(options)));
    let mut harness = panel(editor);
    click(&mut harness, "What is answered");
    click(&mut harness, "New picture");
    assert_eq!(harness.state().editor.chat.options.answer, AnswerWish::NewPicture);
    click(&mut harness, "How messages are answered");
    click(&mut harness, "Keep the seed for each message");
    assert!(harness.state().editor.generation.seed_locked);
}

#[test]
fn the_whole_panel_can_be_looked_at() {
    type Scene = (&'static str, fn() -> Editor);
    let scenes: [Scene; 4] = [
        ("empty", script::editor),
        ("turns", conversation),
        ("pending", || {
            let mut editor = conversation();
            let plan = send(&mut editor, "make it line art");
            let id = JobId(plan.job.0);
            editor.update(Command::JobEvent(id, JobEvent::Words("I will draw it as".to_owned())));
            let progress = Progress {
                stage: Stage::Base,
                item: 0,
                items: 1,
                step: 9,
                steps: 20,
                rate: 4.0,
                eta: std::time::Duration::from_secs(3),
                overall: 0.45,
                job_eta: std::time::Duration::from_secs(4),
            };
            editor.update(Command::JobEvent(id, JobEvent::Progress(progress)));
            editor.update(Command::Preview(Preview {
                job: id,
                stage: Stage::Base,
                item: 0,
                step: 9,
                image: RgbaImage::clone(&sample::picture(3, 64)),
                place: Some(CANVAS.rect()),
            }));
            assert!(editor.preview.is_some());
            editor
        }),
        ("edited", || {
            let mut editor = conversation();
            let first = crate::editor::Conversation::at(&editor.history, editor.history.current());
            assert_eq!(first.turns[0].picture, TurnPicture::Changed);
            editor.update(Command::EditMessage(first.turns[1].node));
            for number in 1..=3 {
                let image = sample::picture(number, 64);
                editor.update(Command::Attached { image, name: format!("picture {number}") });
            }
            editor
        }),
    ];
    for (name, editor) in scenes {
        for (width, suffix) in [(328.0, ""), (264.0, "-narrow")] {
            let editor = editor();
            let mut state = ChatState::default();
            look_at(&format!("chat-{name}{suffix}"), (width, 780.0), |ui, commands| {
                if ui.ctx().cumulative_pass_nr() == 0 {
                    // Textures belong to a window.
                    state = ChatState::default();
                }
                chat_ui(ui, &editor, &mut state, commands);
            });
        }
    }
}
