//! Conversations with a very small made-up model, which says and draws nonsense.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use gesso::document::OperationKind;
use gesso::editor::{
    Action, AnswerWish, ChatOptions, Command, Conversation, JobKind, JobState, TurnPicture,
};
use gesso::engine::library::TinyFamily;
use gesso::geom::Extent;
use gesso::preferences::Theme;

use crate::flows::picture;
use crate::window::Window;

fn window() -> Window {
    let mut window = Window::open_with(Theme::Dark, |preferences| {
        let models = preferences.models_folder.as_ref().unwrap();
        TinyFamily::talking("talker").write(models).unwrap();
    });
    answer_by(&mut window, AnswerWish::Free);
    speaks_nonsense(&window);
    window
}

/// What the model says may be any characters, also such that no font has.
fn speaks_nonsense(window: &Window) {
    window.harness.ctx.set_missing_glyph_policy(egui::MissingGlyphPolicy::Tofu);
}

fn answer_by(window: &mut Window, answer: AnswerWish) {
    let model = Some("talker".to_owned());
    let options = ChatOptions { answer, model, steps: Some(3), ..ChatOptions::default() };
    window.command(Command::SetChatOptions(Box::new(options)));
}

/// Writes a message and sends it with Enter.
fn say(window: &mut Window, text: &str) {
    window.act(Action::ShowChat);
    window.harness.get_by_label("Message").focus();
    window.harness.step();
    window.harness.get_by_label("Message").type_text(text);
    window.settle();
    assert_eq!(window.editor().chat.draft, text);
    window.key(Modifiers::NONE, Key::Enter);
}

fn conversation(window: &Window) -> Conversation {
    let history = &window.editor().history;
    Conversation::at(history, history.current())
}

#[test]
fn a_conversation_draws_answers_and_is_there_again_after_the_next_start() {
    let mut window = window();
    answer_by(&mut window, AnswerWish::NewPicture);
    say(&mut window, "a red apple");
    let editor = window.editor();
    assert_eq!(editor.document.extent, Extent::new(32, 32), "the model's size");
    assert!(picture(&window).is_opaque() && editor.staging.is_none());
    assert_eq!(editor.gallery.items[0].kind, JobKind::Chat);
    let drawn = editor.history.current();
    assert_eq!(editor.history.node(drawn).unwrap().kind, OperationKind::Chat);
    assert!(window.harness.query_all_by_label("a red apple").next().is_some());

    answer_by(&mut window, AnswerWish::Words);
    let before = picture(&window);
    say(&mut window, "what is it?");
    assert_eq!(picture(&window), before);
    let turns = conversation(&window).turns;
    assert_eq!(turns.len(), 2);
    assert_eq!((turns[0].picture, turns[1].picture), (TurnPicture::New, TurnPicture::None));
    assert_eq!(turns[1].record.settings.earlier, 1, "it was reminded of the first one");
    // Asked again, it stands beside.
    window.command(Command::RetryTurn(turns[1].node));
    let again = conversation(&window).turns;
    assert_eq!(again[1].siblings, [turns[1].node, again[1].node]);
    assert_ne!(again[1].record.settings.common.seed, turns[1].record.settings.common.seed);
    assert!(window.harness.query_all_by_label("2/2").next().is_some());
    window.act(Action::Undo);
    assert_eq!(conversation(&window).turns.len(), 1);
    window.act(Action::Redo);

    let project = window.folder.path().join("talk.ora");
    window.command(Command::SaveTo(project.clone()));
    let said = conversation(&window);
    let mut window = window.reopen();
    speaks_nonsense(&window);
    window.command(Command::OpenPath(project));
    let read = conversation(&window);
    assert_eq!(read.turns.len(), 2);
    for (read, said) in read.turns.iter().zip(&said.turns) {
        assert_eq!((&read.record, read.picture), (&said.record, said.picture));
        assert_eq!(read.siblings, said.siblings);
    }
    assert_eq!(window.editor().gallery.items[0].kind, JobKind::Chat);
}

#[test]
fn a_turn_changes_nothing_outside_what_is_selected() {
    let mut window = window();
    window
        .command(Command::NewPicture { extent: Extent::new(90, 60), color: [240, 230, 210, 255] });
    window.act(Action::ToolRectangle);
    window.drag(&[(20.0, 10.0), (60.0, 45.0)]);
    let (before, selection) = (picture(&window), window.editor().document.selection.clone());
    for step in 0..2 {
        say(&mut window, "make it blue");
        let turns = conversation(&window).turns;
        assert_eq!(turns.len(), step + 1);
        if turns[step].picture == TurnPicture::Changed {
            assert_eq!(turns[step].outside_mask_delta, Some(0));
        }
    }
    let after = picture(&window);
    let mask = selection.mask(after.extent());
    for y in 0..60 {
        for x in 0..90 {
            if mask.pixel(x, y) == 0 {
                assert_eq!(after.pixel(x, y), before.pixel(x, y), "{x}, {y}");
            }
        }
    }
}

#[test]
fn an_answer_that_is_stopped_gives_the_message_back() {
    let mut window = window();
    let options =
        ChatOptions { answer: AnswerWish::NewPicture, steps: Some(900), ..ChatOptions::default() };
    window.command(Command::SetChatOptions(Box::new(options)));
    window.act(Action::ShowChat);
    window.command(Command::SetChatDraft("a red apple".to_owned()));
    window.harness.state_mut().command(Command::Do(Action::SendMessage));
    while window.editor().jobs.running().is_none() {
        window.harness.step();
    }
    assert!(window.editor().chat.draft.is_empty());
    window.click("Stop the answer");
    let editor = window.editor();
    assert_eq!(editor.jobs.jobs.last().unwrap().state, JobState::Cancelled);
    assert_eq!(editor.chat.draft, "a red apple");
    assert_eq!(editor.history.nodes().count(), 1);
}
