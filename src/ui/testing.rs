//! What the window's unit tests share: an editor to show, and pictures of what it looks like.

use std::path::PathBuf;
use std::sync::Arc;

use egui_kittest::Harness;

use crate::editor::{Command, Editor, GalleryId, JobKind, Staged, Staging};
use crate::engine::catalog::{Catalog, ClipGuidance, ModelInfo};
use crate::engine::library::{Card, DataSource};
use crate::geom::Extent;
use crate::preferences::Preferences;
use crate::raster::RgbaImage;
use crate::ui::theme::{self, Look};

/// An editor with an empty picture of 512 by 512 and nothing open.
pub(super) fn editor() -> Editor {
    let preferences = Preferences { show_first_run: false, ..Preferences::default() };
    Editor::new(preferences, 1)
}

/// One model with everything that a catalog can say about it.
pub(super) fn catalog() -> Catalog {
    let source = DataSource {
        name: "Emoji of the world".to_owned(),
        license: "CC-BY 4.0".to_owned(),
        url: "https://example.org".to_owned(),
        attribution: "by its authors".to_owned(),
    };
    let model = ModelInfo {
        id: "starter".to_owned(),
        name: "Gesso Starter".to_owned(),
        summary: "Draws simple things on plain backgrounds.".to_owned(),
        shipped: true,
        card: Card { training_data: vec![source], ..Card::default() },
        licenses: vec!["Apache-2.0".to_owned()],
        attributions: vec![
            "Artwork by the emoji project's authors, licensed under CC-BY 4.0; changed for \
             training."
                .to_owned(),
        ],
        example_messages: Vec::new(),
        remembers: 4,
        example_prompts: vec!["a red fox".to_owned()],
        base_size: Some(64),
        large_size: Some(256),
        abilities: Vec::new(),
        clip: ClipGuidance::Absent,
        bytes: 57 << 20,
        missing_files: Vec::new(),
    };
    Catalog { default_model: Some(model.id.clone()), models: vec![model], problems: Vec::new() }
}

/// So many results that wait for a choice.
pub(super) fn staging(count: u64) -> Staging {
    let picture = || Arc::new(RgbaImage::new(Extent::new(8, 8), [90, 120, 200, 255]));
    let results = (0..count).map(|number| Staged {
        gallery: GalleryId(number),
        thumbnail: picture(),
        seed: number,
        kind: JobKind::Fill,
        edits: Vec::new(),
        document: editor().document,
        layer_name: String::new(),
        outside_mask_delta: Some(0),
        base: None,
    });
    Staging { results: results.collect(), shown: 0 }
}

/// A window of this size in which a part of the interface is drawn.
pub(super) fn window<'a>(
    size: (f32, f32),
    look: Look,
    draw: impl FnMut(&mut egui::Ui, &mut Vec<Command>) + 'a,
) -> Harness<'a, Vec<Command>> {
    window_scaled(size, look, 1.0, draw)
}

fn window_scaled<'a>(
    size: (f32, f32),
    look: Look,
    pixels_per_point: f32,
    mut draw: impl FnMut(&mut egui::Ui, &mut Vec<Command>) + 'a,
) -> Harness<'a, Vec<Command>> {
    Harness::builder()
        .with_size(egui::vec2(size.0, size.1))
        .with_pixels_per_point(pixels_per_point)
        .with_context_setup(move |ctx| {
            theme::install_fonts(ctx);
            theme::apply(ctx, look, 1.0);
        })
        .build_ui_state(
            move |ui, commands| {
                let whole = ui.ctx().content_rect();
                ui.painter().rect_filled(whole, 0.0, theme::colors(ui).panel);
                draw(ui, commands);
            },
            Vec::new(),
        )
}

/// Where pictures of the interface go; nothing unless somebody wants to look at them.
///
/// `GESSO_UI_PICTURES=folder cargo test --lib ui::` writes them.
pub(super) fn pictures_folder() -> Option<PathBuf> {
    std::env::var_os("GESSO_UI_PICTURES").map(PathBuf::from)
}

/// Draws a part of the interface in both looks, and writes pictures where they are wanted.
///
/// Without a picture wanted this still draws everything twice, so that a panic or a text without
/// glyphs is found.
pub(super) fn look_at(
    name: &str,
    size: (f32, f32),
    draw: impl FnMut(&mut egui::Ui, &mut Vec<Command>),
) {
    look_after(name, size, draw, |_| {});
}

/// The same after something was done, such as opening a menu.
pub(super) fn look_after(
    name: &str,
    size: (f32, f32),
    mut draw: impl FnMut(&mut egui::Ui, &mut Vec<Command>),
    act: impl Fn(&mut Harness<'_, Vec<Command>>),
) {
    for (look, suffix) in [(Look::Dark, "dark"), (Look::Light, "light")] {
        let scale = if look == Look::Light { 2.0 } else { 1.0 };
        let mut window = window_scaled(size, look, scale, &mut draw);
        window.run_steps(4);
        act(&mut window);
        window.run_steps(4);
        if let Some(folder) = pictures_folder() {
            std::fs::create_dir_all(&folder).unwrap();
            let picture = window.render().unwrap();
            picture.save(folder.join(format!("{name}-{suffix}.png"))).unwrap();
        }
    }
}
