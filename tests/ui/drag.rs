//! Pictures that are dragged: from the gallery to the canvas, out of the window, and files that
//! are dropped on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Event, Key, Modifiers, PointerButton, Pos2, pos2};
use egui_kittest::kittest::Queryable as _;
use gesso::editor::Action;
use gesso::geom::Extent;
use gesso::preferences::Theme;
use gesso::raster::RgbaImage;

use crate::window::Window;

/// A window with a generated picture in its gallery and another one, 200 by 200, on its canvas.
fn window() -> Window {
    let mut window = Window::open(Theme::Dark);
    window.act(Action::Generate);
    window.act(Action::StagingDiscard);
    let path = write(&window, "base.png", Extent::new(200, 200));
    window.command(gesso::editor::Command::OpenPath(path));
    window.click("Gallery");
    window
}

fn write(window: &Window, name: &str, extent: Extent) -> PathBuf {
    let path = window.folder.path().join(name);
    let image = RgbaImage::new(extent, [30, 60, 90, 255]);
    gesso::storage::export_image(&path, &image, &[], &gesso::storage::ExportOptions::default())
        .unwrap();
    path
}

/// Presses the button on the gallery's picture and moves to another place, without letting go.
fn drag_from_gallery(window: &mut Window, to: Pos2) {
    let from = window.harness.get_by_label_contains("Picture: ").rect().center();
    window.harness.hover_at(from);
    window.harness.step();
    window.harness.drag_at(from);
    window.harness.step();
    for part in 1..=4 {
        window.harness.hover_at(from.lerp(to, part as f32 / 4.0));
        window.harness.step();
    }
}

/// Lets the button go, as a window does: the pointer stays.
fn let_go(window: &mut Window, pos: Pos2) {
    let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
    window.harness.event(Event::PointerButton { pos, button, pressed: false, modifiers });
    window.settle();
}

/// Left, top, right and bottom of what is on the newest layer.
fn bounds(window: &Window) -> (i32, i32, i32, i32) {
    let pixels = &window.editor().document.layers.last().unwrap().pixels;
    let there = |x: i32, y: i32| pixels.pixel(x, y)[3] > 0;
    let all = || (-64..264).flat_map(|y| (-64..264).map(move |x| (x, y)));
    let found: Vec<(i32, i32)> = all().filter(|&(x, y)| there(x, y)).collect();
    let (xs, ys) = (found.iter().map(|at| at.0), found.iter().map(|at| at.1));
    (xs.clone().min().unwrap(), ys.clone().min().unwrap(), xs.max().unwrap(), ys.max().unwrap())
}

#[test]
fn a_picture_of_the_gallery_lands_where_it_is_let_go() {
    let mut window = window();
    let to = window.at(60.5, 90.5);
    drag_from_gallery(&mut window, to);
    assert_eq!(window.editor().document.layers.len(), 1, "nothing before it is let go");
    let_go(&mut window, to);
    assert_eq!(window.editor().document.layers.len(), 2);
    // The small model's pictures have 32 pixels a side.
    assert_eq!(bounds(&window), (44, 74, 75, 105));
}

#[test]
fn escape_ends_a_drag() {
    let mut window = window();
    let to = window.at(60.5, 90.5);
    drag_from_gallery(&mut window, to);
    window.key(Modifiers::NONE, Key::Escape);
    let_go(&mut window, to);
    assert_eq!(window.editor().document.layers.len(), 1);
}

#[test]
fn a_picture_that_is_let_go_beside_the_canvas_goes_nowhere() {
    let mut window = window();
    // On the menu bar.
    let to = pos2(640.0, 12.0);
    drag_from_gallery(&mut window, to);
    let_go(&mut window, to);
    assert_eq!(window.editor().document.layers.len(), 1);
}

#[test]
fn where_nothing_can_be_dragged_out_one_is_told_once_to_copy() {
    let mut window = window();
    // A window of these tests is none of the system's.
    for _ in 0..2 {
        drag_from_gallery(&mut window, pos2(-40.0, 300.0));
        let_go(&mut window, pos2(-40.0, 300.0));
        let told = window.editor().notices.iter().filter(|notice| notice.text.contains("Copy"));
        assert_eq!(told.count(), 1);
    }
    let notice = window.editor().notices.last().unwrap().id;
    window.command(gesso::editor::Command::DismissNotice(notice));
    drag_from_gallery(&mut window, pos2(-40.0, 300.0));
    let_go(&mut window, pos2(-40.0, 300.0));
    assert!(window.editor().notices.is_empty());
    assert_eq!(window.editor().document.layers.len(), 1);
}

/// A file as the system drops it.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

#[test]
fn of_files_that_are_dropped_the_pictures_become_layers_and_the_rest_is_told() {
    let mut window = window();
    let text = window.folder.path().join("letter.txt");
    std::fs::write(&text, "Dear reader").unwrap();
    let small = Extent::new(20, 10);
    let paths = [write(&window, "one.png", small), text, write(&window, "two.png", small)];
    let files = paths.into_iter().map(|path| Arc::new(Dropped(path)) as _);
    window.harness.input_mut().dropped_files.extend(files);
    window.settle();
    let layers = &window.editor().document.layers;
    let names: Vec<&str> = layers.iter().skip(1).map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    // Nobody says where the pointer is, so they lie in the middle of what is seen.
    assert_eq!(bounds(&window), (90, 95, 109, 104));
    let notice = window.editor().notices.last().unwrap();
    assert!(notice.text.contains("letter.txt"), "{}", notice.text);
}
