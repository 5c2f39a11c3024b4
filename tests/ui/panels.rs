//! Each panel by its labels, and each shortcut.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use gesso::editor::{Action, Dialog};
use gesso::preferences::Theme;
use gesso::tools::Tool;

use crate::window::Window;

#[test]
fn every_tool_is_taken_by_its_button_and_by_its_key() {
    let mut window = Window::open(Theme::Dark);
    for tool in Tool::ALL {
        let info = Action::of_tool(tool).info();
        // The status bar has a menu for the zoom, too.
        window.click_where(info.label, |place| place.right() < 70.0);
        assert_eq!(window.editor().tool, tool, "{}", info.label);
    }
    for tool in Tool::ALL {
        let info = Action::of_tool(tool).info();
        let shortcut = info.shortcuts[0];
        let (modifiers, name) = match shortcut.strip_prefix("Shift+") {
            Some(name) => (Modifiers::SHIFT, name),
            None => (Modifiers::NONE, shortcut),
        };
        window.key(modifiers, Key::from_name(name).unwrap());
        assert_eq!(window.editor().tool, tool, "{shortcut}");
    }
}

#[test]
fn every_dialog_opens_and_escape_closes_it() {
    let mut window = Window::open(Theme::Dark);
    for action in [
        Action::NewPicture,
        Action::ResizeImage,
        Action::CanvasSize,
        Action::ExtendCanvas,
        Action::RenameLayer,
        Action::SaveSelection,
        Action::CommandPalette,
        Action::ShowSettings,
        Action::ShowShortcuts,
        Action::ShowAbout,
        Action::ShowWelcome,
    ] {
        window.act(action);
        assert!(window.editor().dialog.is_some(), "{action:?}");
        window.key(Modifiers::NONE, Key::Escape);
        assert!(window.editor().dialog.is_none(), "{action:?}");
    }
}

#[test]
fn the_palette_finds_a_command_and_does_it() {
    let mut window = Window::open(Theme::Dark);
    window.key(Modifiers::COMMAND, Key::K);
    assert_eq!(window.editor().dialog, Some(Dialog::Palette));
    window.harness.event(egui::Event::Text("new layer".to_owned()));
    window.settle();
    window.key(Modifiers::NONE, Key::Enter);
    assert_eq!(window.editor().document.layers.len(), 2);
    assert!(window.editor().dialog.is_none());
}

#[test]
fn layers_are_added_hidden_and_deleted_by_their_buttons() {
    let mut window = Window::open(Theme::Dark);
    window.click("New layer");
    window.click("Duplicate layer");
    assert_eq!(window.editor().document.layers.len(), 3);
    window.click("Delete layer");
    assert_eq!(window.editor().document.layers.len(), 2);
}

#[test]
fn the_docks_tabs_show_history_gallery_and_queue() {
    let mut window = Window::open(Theme::Light);
    window.act(Action::AddLayer);
    window.click("History");
    window.harness.get_by_label("State New layer");
    window.click("Gallery");
    window.harness.get_by_label_contains("No pictures yet");
    window.click("Layers");
    window.harness.get_by_label("Blend mode");
}

#[test]
fn tab_walks_through_the_controls_and_hides_nothing() {
    let mut window = Window::open(Theme::Dark);
    let mut met = std::collections::BTreeSet::new();
    for _ in 0..120 {
        window.harness.key_press(Key::Tab);
        window.harness.step();
        let by =
            egui_kittest::kittest::by().predicate(|node| node.is_focused() && !node.is_hidden());
        met.extend(window.harness.query(by).and_then(|node| node.accesskit_node().label()));
    }
    assert!(!window.editor().view.panels_hidden);
    for name in ["Prompt", "Generate", "Brush", "New layer", "Zoom"] {
        assert!(met.contains(name), "{name} is not among {met:?}");
    }
    window.key(Modifiers::NONE, Key::Escape);
    window.key(Modifiers::NONE, Key::F);
    assert!(window.editor().view.panels_hidden);
}

#[test]
fn a_picture_of_the_gallery_is_removed_by_one_click_and_brought_back_by_another() {
    let mut window = Window::open(Theme::Dark);
    window.act(Action::Generate);
    window.act(Action::StagingAccept);
    window.click("Gallery");
    window.harness.get_by_label_contains("Picture: ").click();
    window.settle();
    window.click("Remove from the gallery");
    assert_eq!(window.editor().gallery.items.len(), 0);
    window.harness.get_by_label_contains("No pictures yet");
    window.click("Bring the picture back");
    assert_eq!(window.editor().gallery.items.len(), 1);
    window.harness.get_by_label_contains("Picture: ");
}

#[test]
fn a_changed_shortcut_is_used_and_kept() {
    let mut window = Window::open_with(Theme::Dark, |preferences| {
        preferences.keymap.insert("tool-lasso".to_owned(), vec!["Ctrl+Y".to_owned()]);
    });
    window.key(Modifiers::COMMAND, Key::Y);
    assert_eq!(window.editor().tool, Tool::Lasso);
}

#[test]
fn zooming_goes_to_its_limits_and_back() {
    let mut window = Window::open(Theme::Dark);
    for _ in 0..40 {
        window.act(Action::ZoomIn);
    }
    assert!((window.editor().view.transform.zoom - 64.0).abs() < 1e-3);
    for _ in 0..60 {
        window.act(Action::ZoomOut);
    }
    assert!((window.editor().view.transform.zoom - 0.01).abs() < 1e-3);
    window.key(Modifiers::COMMAND, Key::Num1);
    assert!((window.editor().view.transform.zoom - 1.0).abs() < 1e-3);
}
