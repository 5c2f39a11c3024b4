//! What the window's unit tests share: an editor to show, and pictures of what it looks like.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use egui_kittest::Harness;

use crate::document::{Document, History};
use crate::editor::{
    Command, Editor, Gallery, GalleryId, Generation, JobKind, JobList, Keymap, Staged, Staging,
    View,
};
use crate::geom::Extent;
use crate::preferences::Preferences;
use crate::raster::RgbaImage;
use crate::tools::{Tool, ToolSettings};
use crate::ui::theme::{self, Look};

/// An editor with an empty picture of 512 by 512.
pub(super) fn editor() -> Editor {
    let document = Document::new(Extent::new(512, 512), "Background");
    Editor {
        history: History::new(document.clone(), "New picture", 2 << 30),
        document,
        gesture: None,
        pointer: None,
        tool: Tool::default(),
        tools: ToolSettings::default(),
        view: View::default(),
        generation: Generation::default(),
        catalog: None,
        jobs: JobList::default(),
        preview: None,
        staging: None,
        gallery: Gallery::default(),
        compare: None,
        notices: Vec::new(),
        dialog: None,
        file: Default::default(),
        preferences: Preferences::default(),
        keymap: Keymap::with_overrides(&BTreeMap::new()),
        computing: None,
    }
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
        outside_mask_delta: Some(0),
    });
    Staging { results: results.collect(), shown: 0 }
}

/// A window of this size in which a part of the interface is drawn.
pub(super) fn window<'a>(
    size: (f32, f32),
    look: Look,
    mut draw: impl FnMut(&mut egui::Ui, &mut Vec<Command>) + 'a,
) -> Harness<'a, Vec<Command>> {
    Harness::builder()
        .with_size(egui::vec2(size.0, size.1))
        .with_context_setup(move |ctx| {
            theme::install_fonts(ctx);
            theme::apply(ctx, look, 1.0);
        })
        .build_ui_state(move |ui, commands| draw(ui, commands), Vec::new())
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
    mut draw: impl FnMut(&mut egui::Ui, &mut Vec<Command>),
) {
    for (look, suffix) in [(Look::Dark, "dark"), (Look::Light, "light")] {
        let scale = if look == Look::Light { 2.0 } else { 1.0 };
        let mut window = window(size, look, &mut draw);
        window.set_pixels_per_point(scale);
        window.run_steps(4);
        if let Some(folder) = pictures_folder() {
            std::fs::create_dir_all(&folder).unwrap();
            let picture = window.render().unwrap();
            picture.save(folder.join(format!("{name}-{suffix}.png"))).unwrap();
        }
    }
}
