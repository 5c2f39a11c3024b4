//! Pictures of the canvas, to be looked at: `GESSO_UI_PICTURES=folder cargo test --lib canvas`
//! writes them. Without the variable each scene is only gone through.

use egui::{Event, Modifiers, PointerButton, Pos2, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};

use crate::document::{Edit, Fill, Selection};
use crate::editor::{Command, CompareMode, CompareSide, Editor};
use crate::geom::{CanvasPoint, Extent, PixelRect};
use crate::preferences::Preferences;
use crate::tools::Tool;
use crate::ui::canvas::{CanvasState, canvas_ui};
use crate::ui::theme::{self, Look};

type Window = (Editor, CanvasState);

/// A scene: its name, how it is set up, and the way of the pointer over the canvas; the button is
/// down from the second place on.
struct Scene {
    name: &'static str,
    set_up: fn(&mut Editor),
    way: &'static [(f32, f32)],
    let_go: bool,
    keys: Modifiers,
}

fn picture(editor: &mut Editor) {
    editor
        .update(Command::NewPicture { extent: Extent::new(480, 320), color: [238, 232, 220, 255] });
    let layer = editor.document.active;
    for (rect, color) in [
        (PixelRect::new(0, 190, 480, 130), [84, 112, 84, 255]),
        (PixelRect::new(0, 0, 480, 120), [60, 110, 190, 255]),
        (PixelRect::new(330, 30, 60, 60), [250, 236, 150, 255]),
        (PixelRect::new(90, 110, 120, 140), [12, 12, 16, 255]),
        (PixelRect::new(230, 150, 90, 90), [255, 255, 255, 255]),
    ] {
        let mut selection = Selection::default();
        selection.cover.fill(rect, 255);
        editor.document.selection = selection;
        let fill = Edit::Fill(Fill { layer, color, wand: None });
        fill.apply(&mut editor.document).unwrap();
    }
    editor.document.selection = Selection::default();
}

fn with(editor: &mut Editor, tool: Tool) {
    picture(editor);
    editor.tool = tool;
}

const SCENES: &[Scene] = &[
    Scene { name: "empty", set_up: |_| {}, way: &[], let_go: true, keys: Modifiers::NONE },
    Scene {
        name: "brush",
        set_up: |editor| {
            with(editor, Tool::MaskBrush);
            editor.tools.mask_brush.diameter_px = 70.0;
            editor.tools.mask_brush.hardness = 0.5;
        },
        way: &[(60.0, 60.0), (60.0, 60.0), (200.0, 140.0), (300.0, 210.0)],
        let_go: true,
        keys: Modifiers::NONE,
    },
    Scene {
        name: "tiny",
        set_up: |editor| {
            with(editor, Tool::Brush);
            editor.tools.brush.diameter_px = 3.0;
            editor.last_point = Some(CanvasPoint::new(100.0, 60.0));
        },
        way: &[(300.0, 180.0)],
        let_go: true,
        keys: Modifiers::SHIFT,
    },
    Scene {
        name: "rectangle",
        set_up: |editor| {
            with(editor, Tool::Rectangle);
            editor.view.transform.rotation = 0.25;
        },
        way: &[(40.0, 40.0), (40.0, 40.0), (360.0, 240.0)],
        let_go: false,
        keys: Modifiers::NONE,
    },
    Scene {
        name: "ellipse",
        set_up: |editor| with(editor, Tool::Ellipse),
        way: &[(60.0, 70.0), (60.0, 70.0), (350.0, 260.0)],
        let_go: false,
        keys: Modifiers::NONE,
    },
    Scene {
        name: "lasso",
        set_up: |editor| with(editor, Tool::Lasso),
        way: &[
            (60.0, 70.0),
            (60.0, 70.0),
            (150.0, 40.0),
            (350.0, 90.0),
            (340.0, 260.0),
            (200.0, 280.0),
        ],
        let_go: false,
        keys: Modifiers::NONE,
    },
    Scene {
        name: "crop",
        set_up: |editor| with(editor, Tool::Crop),
        way: &[(70.0, 60.0), (70.0, 60.0), (400.0, 250.0)],
        let_go: true,
        keys: Modifiers::NONE,
    },
    Scene {
        name: "move",
        set_up: |editor| with(editor, Tool::Move),
        way: &[(70.0, 60.0), (70.0, 60.0), (110.0, 40.0)],
        let_go: false,
        keys: Modifiers::NONE,
    },
    Scene {
        name: "eyedropper",
        set_up: |editor| with(editor, Tool::Eyedropper),
        way: &[(70.0, 60.0), (70.0, 60.0), (350.0, 60.0)],
        let_go: false,
        keys: Modifiers::NONE,
    },
    Scene {
        name: "compare",
        set_up: |editor| {
            with(editor, Tool::Brush);
            let root = CompareSide::Node(editor.history.root());
            editor.update(Command::CompareSides(root, CompareSide::Canvas));
            editor.update(Command::SetCompareSplit(0.45));
        },
        way: &[],
        let_go: true,
        keys: Modifiers::NONE,
    },
    Scene {
        name: "halves",
        set_up: |editor| {
            with(editor, Tool::Brush);
            let root = CompareSide::Node(editor.history.root());
            editor.update(Command::CompareSides(root, CompareSide::Canvas));
            editor.update(Command::SetCompareMode(CompareMode::SideBySide));
        },
        way: &[],
        let_go: true,
        keys: Modifiers::NONE,
    },
];

fn harness(look: Look, set_up: fn(&mut Editor), drawn: bool) -> Harness<'static, Window> {
    let mut builder =
        Harness::builder().with_size(vec2(640.0, 440.0)).with_context_setup(move |ctx| {
            theme::install_fonts(ctx);
            theme::apply(ctx, look, 1.0);
        });
    if drawn {
        let options = egui_wgpu::RendererOptions::PREDICTABLE;
        let state = create_render_state(default_wgpu_setup(), options);
        crate::gpu::install(&state);
        builder = builder.renderer(WgpuTestRenderer::from_render_state(state));
    }
    let mut editor = Editor::new(Preferences::default(), 1);
    set_up(&mut editor);
    let draw = |ui: &mut egui::Ui, (editor, canvas): &mut Window| {
        let mut commands = Vec::new();
        canvas_ui(ui, editor, canvas, &mut commands);
        for command in commands {
            editor.update(command);
        }
    };
    builder.build_ui_state(draw, (editor, CanvasState::default()))
}

fn pos_of(harness: &Harness<'_, Window>, (x, y): (f32, f32)) -> Pos2 {
    let view = &harness.state().0.view;
    let at = view.transform.screen_from_canvas(CanvasPoint::new(x, y), view.center());
    pos2(at.x, at.y)
}

fn button(pos: Pos2, pressed: bool) -> Event {
    let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
    Event::PointerButton { pos, button, pressed, modifiers }
}

#[test]
fn every_scene_can_be_drawn_in_both_looks() {
    let folder = std::env::var_os("GESSO_UI_PICTURES").map(std::path::PathBuf::from);
    for (look, suffix) in [(Look::Dark, "dark"), (Look::Light, "light")] {
        for scene in SCENES {
            let mut harness = harness(look, scene.set_up, folder.is_some());
            harness.run_steps(2);
            harness.event(Event::ModifiersChanged(scene.keys));
            for (i, &place) in scene.way.iter().enumerate() {
                let pos = pos_of(&harness, place);
                harness.event(Event::PointerMoved(pos));
                if i == 1 {
                    harness.event(button(pos, true));
                }
                harness.run_steps(1);
            }
            if scene.let_go && scene.way.len() > 1 {
                let pos = pos_of(&harness, scene.way[scene.way.len() - 1]);
                harness.event(button(pos, false));
            }
            harness.run_steps(2);
            let viewport = harness.state().0.view.viewport_size;
            assert!(viewport.0 > 500.0 && viewport.1 > 300.0, "{}", scene.name);
            if let Some(folder) = &folder {
                std::fs::create_dir_all(folder).unwrap();
                // Blocks come a few at a time.
                let mut picture = harness.render().unwrap();
                for _ in 0..50 {
                    harness.run_steps(1);
                    picture = harness.render().unwrap();
                    if harness.state().1.report.stats().pending_blocks == 0 {
                        break;
                    }
                }
                picture.save(folder.join(format!("canvas-{}-{suffix}.png", scene.name))).unwrap();
            }
        }
    }
}
