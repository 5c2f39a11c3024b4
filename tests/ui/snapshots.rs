//! Pictures of the main states, dark and light. `kittest.toml` says how much may differ.

use egui_kittest::SnapshotResults;
use gesso::editor::{Action, Command};
use gesso::geom::Extent;
use gesso::preferences::Theme;

use crate::window::Window;

/// A canvas with something to see on it.
fn painted(theme: Theme) -> Window {
    let mut window = Window::open(theme);
    window.command(Command::NewPicture {
        extent: Extent::new(400, 300),
        color: [236, 228, 210, 255],
    });
    window.act(Action::ToolBrush);
    let mut tools = window.editor().tools.clone();
    tools.color = [40, 110, 180, 255];
    tools.brush.diameter_px = 60.0;
    tools.mask_brush.diameter_px = 70.0;
    window.command(Command::SetToolSettings(Box::new(tools)));
    window.drag(&[(80.0, 90.0), (180.0, 200.0), (300.0, 120.0)]);
    window.act(Action::ToolMaskBrush);
    window.drag(&[(150.0, 150.0), (220.0, 190.0)]);
    // The dashes of the outline march.
    window.act(Action::ToggleMarchingAnts);
    window
}

fn with_result(theme: Theme) -> Window {
    let mut window = painted(theme);
    let mut generation = window.editor().generation.clone();
    generation.prompt = "a red apple".to_owned();
    generation.count = 2;
    window.command(Command::SetGeneration(Box::new(generation)));
    window.act(Action::FillMask);
    window
}

#[test]
fn main_states_look_as_they_should() {
    let mut results = SnapshotResults::new();
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let mut shoot = |mut window: Window, state: &str| {
            window.harness.remove_cursor();
            window.settle();
            results.add(window.harness.try_snapshot(format!("{state}-{name}")));
        };
        shoot(Window::open(theme), "empty");
        shoot(painted(theme), "painting");
        shoot(with_result(theme), "staging");
        let mut comparing = painted(theme);
        comparing.act(Action::Undo);
        comparing.act(Action::Compare);
        shoot(comparing, "compare");
        let mut settings = painted(theme);
        settings.act(Action::ShowSettings);
        shoot(settings, "settings");
    }
}
