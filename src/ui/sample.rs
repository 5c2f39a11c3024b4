//! An editor with something of everything in it, for the tests of the panels.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::document::{Document, Edit, History, Layer, LayerId, NodeId, Operation, Place};
use crate::editor::requests::plan;
use crate::editor::{
    Editor, GalleryId, GalleryItem, GalleryPixels, Job, JobKind, JobNumber, JobState, Staged,
    Staging,
};
use crate::engine::catalog::{Ability, Catalog, ClipGuidance, ModelInfo};
use crate::engine::device::{DeviceChoice, Precision};
use crate::engine::event::Stage;
use crate::engine::family::Purpose;
use crate::engine::library::Card;
use crate::engine::request::{BaseSettings, Record, SamplerChoice};
use crate::geom::{Extent, PixelRect};
use crate::preferences::Preferences;
use crate::raster::{BlendMode, CoverGrid, RgbaImage};

/// Prompts in several scripts, short and long.
pub(crate) const PROMPTS: [&str; 5] = [
    "a lighthouse on a cliff at dusk, long exposure, soft light over the sea",
    "красный дом у озера, осень, туман над водой",
    "窓辺で眠る猫、水彩画、やわらかい光",
    "a very long prompt that goes on and on about a small village between green hills, with a \
     church, a river, three bridges, sheep on the meadows, washing on the lines, children with \
     kites, clouds like towers, and the first star above the ridge",
    "",
];

/// A gradient that differs from one number to the next.
pub(crate) fn picture(number: u32, side: u32) -> Arc<RgbaImage> {
    let mut image = RgbaImage::new(Extent::new(side, side), [0; 4]);
    let wave = |t: f32| ((t.sin() * 0.5 + 0.5) * 255.0) as u8;
    for y in 0..side {
        for x in 0..side {
            let (u, v) = (x as f32 / side as f32, y as f32 / side as f32);
            let shift = number as f32 * 1.7;
            let pixel =
                [wave(u * 3.0 + shift), wave(v * 4.0 + shift * 0.6), wave(u * v * 6.0), 255];
            if let Some(target) = image.pixels_mut().get_mut((y * side + x) as usize) {
                *target = pixel;
            }
        }
    }
    Arc::new(image)
}

/// Five layers: one hidden, one locked, one with a mask, one with a very long name, one empty.
pub(crate) fn document() -> Document {
    let canvas = Extent::new(600, 400);
    let mut document = Document::new(canvas, "Background");
    document.layers[0].pixels.fill(PixelRect::from(canvas.rect()), [206, 222, 230, 255]);
    let mut add = |name: &str| {
        let id = LayerId(document.next_layer);
        document.next_layer += 1;
        document.layers.push(Layer::new(id, name));
        document.layers.len() - 1
    };
    let (sketch, house, sky) =
        (add("Sketch"), add("Красный дом у озера, осень, туман над водой"), add("窓辺の猫"));
    add("Layer 5");
    document.layers[sketch].pixels.fill(PixelRect::new(40, 200, 300, 120), [40, 110, 60, 255]);
    document.layers[sketch].locked = true;
    document.layers[house].pixels.fill(PixelRect::new(220, 120, 260, 220), [180, 60, 50, 255]);
    let mut mask = CoverGrid::new();
    mask.fill(PixelRect::new(200, 100, 200, 180), 255);
    document.layers[house].mask = Some(mask);
    document.layers[house].opacity = 0.72;
    document.layers[house].blend_mode = BlendMode::Multiply;
    document.layers[sky].pixels.fill(PixelRect::new(0, 0, 600, 150), [90, 140, 220, 160]);
    document.layers[sky].visible = false;
    document.active = document.layers[house].id;
    document
}

fn base(steps: u32) -> BaseSettings {
    BaseSettings {
        steps,
        respacing: steps.to_string(),
        sampler: SamplerChoice::DpmPp,
        eta: 0.0,
        guidance: 3.0,
        clip_guidance: 0.0,
        size: 64,
    }
}

fn model(id: &str, name: &str, purposes: &[(Purpose, u32)]) -> ModelInfo {
    let ability = |&(purpose, steps): &(Purpose, u32)| Ability {
        purpose,
        base: (purpose != Purpose::Upscale).then(|| base(steps)),
        upsample: None,
    };
    ModelInfo {
        id: id.to_owned(),
        name: name.to_owned(),
        summary: "Small pictures of simple scenes, drawn in seconds on any machine".to_owned(),
        shipped: id == "starter",
        card: Card::default(),
        licenses: vec!["CC0-1.0".to_owned()],
        attributions: Vec::new(),
        example_prompts: vec![
            "a red house by a lake".to_owned(),
            "a yellow boat under a blue sky".to_owned(),
            "snow on a dark mountain".to_owned(),
        ],
        example_messages: vec!["make the house blue".to_owned()],
        remembers: 4,
        base_size: Some(64),
        large_size: Some(256),
        abilities: purposes.iter().map(ability).collect(),
        clip: if id == "starter" { ClipGuidance::Absent } else { ClipGuidance::Suggested(2.0) },
        bytes: 48 << 20,
        missing_files: Vec::new(),
    }
}

/// Two models: one that can do everything, one that only draws new pictures and has a CLIP.
pub(crate) fn catalog() -> Catalog {
    let all = [(Purpose::Generate, 27), (Purpose::Inpaint, 32), (Purpose::Upscale, 27)];
    Catalog {
        models: vec![
            model("starter", "Starter", &all),
            model("sketch", "Sketch with a name that is rather long for a button", &all[..1]),
        ],
        default_model: Some("starter".to_owned()),
        problems: Vec::new(),
    }
}

/// An editor with layers and models, without jobs, results or pictures.
pub(crate) fn editor() -> Editor {
    let document = document();
    let mut editor = Editor::new(Preferences::default(), 1);
    editor.history = History::new(document.clone(), "New picture", 512 << 20);
    editor.document = document;
    editor.catalog = Some(Arc::new(catalog()));
    editor.dialog = None;
    editor
}

/// Seven jobs: three that are over, one that runs, three that wait.
pub(crate) fn add_jobs(editor: &mut Editor) {
    let failed = "the model \"starter\" lacks its file, bring it in again with Models, Import";
    let states = [
        (JobKind::Generate, JobState::Finished),
        (JobKind::Fill, JobState::Failed(failed.to_owned())),
        (JobKind::Vary, JobState::Cancelled),
        (
            JobKind::Fill,
            JobState::Running {
                stage: Some(Stage::Base),
                done: 0.42,
                left: Some(Duration::from_secs(12)),
            },
        ),
        (JobKind::Generate, JobState::Waiting),
        (JobKind::Extend, JobState::Waiting),
        (JobKind::Upscale, JobState::Preparing),
    ];
    let plan = Arc::new(plan(editor, JobKind::Generate, None, JobNumber(1)).unwrap());
    for ((kind, state), number) in states.into_iter().zip(1..) {
        let prompt = PROMPTS[number as usize % PROMPTS.len()].to_owned();
        editor.jobs.jobs.push(Job {
            number: JobNumber(number),
            id: None,
            kind,
            prompt,
            seed: 100 + number,
            count: if number == 5 { 4 } else { 1 },
            state,
            plan: Arc::clone(&plan),
        });
        editor.jobs.last_number = number;
    }
}

fn record(prompt: &str, seed: u64) -> Record {
    serde_json::from_value(serde_json::json!({
        "command": "generate",
        "prompt": prompt,
        "model": "starter",
        "checkpoints": [],
        "seed": seed,
        "device": DeviceChoice::Cpu,
        "precision": Precision::Fp32,
        "count": 1,
        "base": base(27),
        "upsample": null,
    }))
    .unwrap()
}

/// Pictures in the gallery, with the prompts in turn.
pub(crate) fn add_pictures(editor: &mut Editor, count: u64) {
    for number in 1..=count {
        let prompt = PROMPTS[(number as usize - 1) % PROMPTS.len()];
        let image = picture(number as u32, 64);
        editor.gallery.items.push(GalleryItem {
            id: GalleryId(number),
            kept: None,
            extent: image.extent(),
            thumbnail: Arc::clone(&image),
            pixels: GalleryPixels::Here(image),
            record: record(prompt, 100 + number),
            kind: JobKind::Generate,
            time: SystemTime::now(),
            seconds: 3.5,
            origin: None,
            starred: number % 7 == 3,
            tags: if number % 5 == 2 { vec!["осень".to_owned()] } else { Vec::new() },
        });
        editor.gallery.last = number;
    }
}

/// Results that wait for a choice.
pub(crate) fn add_staging(editor: &mut Editor, count: u32, outside_mask_delta: Option<usize>) {
    let results = (1..=count).map(|number| Staged {
        gallery: GalleryId(u64::from(number)),
        thumbnail: picture(number, 64),
        seed: 4_128_976_000 + u64::from(number),
        kind: if outside_mask_delta.is_some() { JobKind::Fill } else { JobKind::Generate },
        edits: Vec::new(),
        document: editor.document.clone(),
        layer_name: "Result".to_owned(),
        outside_mask_delta,
        base: None,
    });
    editor.staging = Some(Staging { results: results.collect(), shown: 1.min(count as usize - 1) });
}

/// A history with two branches, of so many states.
pub(crate) fn add_history(editor: &mut Editor, states: u64) {
    let labels =
        ["Brush stroke", "Fill the mask", "New layer", "Rectangle selection", "Mask brush"];
    let history = &mut editor.history;
    let mut fork = None;
    for number in 0..states {
        let label = labels[number as usize % labels.len()];
        let mut edits = Vec::new();
        if label == "Fill the mask" {
            edits.push(Edit::Place(Place {
                image: picture(number as u32, 16),
                at: (0, 0),
                name: label.to_owned(),
                mask: None,
                record: Some(r#"{"prompt":"красный дом у озера"}"#.into()),
                shown: None,
            }));
        } else {
            edits.push(Edit::AddLayer { name: label.to_owned() });
        }
        let mut document = editor.document.clone();
        document.layers[0].pixels.fill(PixelRect::new(0, 0, 64, 64), [number as u8, 90, 90, 255]);
        let operation = Operation { label: label.to_owned(), edits };
        let (id, _) = history.commit(document, operation);
        if number % 3 != 2 {
            history.set_thumbnail(id, picture(number as u32, 40));
        }
        match number % 9 {
            3 => fork = Some(id),
            6 => {
                history.go_to(fork.unwrap_or(NodeId(1)));
            }
            _ => {}
        }
    }
}

/// Work that two programs left behind.
pub(crate) fn left_work() -> Vec<crate::editor::LeftWork> {
    let work = |number: u32, file: Option<&str>| crate::editor::LeftWork {
        folder: format!("journal-{number}").into(),
        time: std::time::SystemTime::UNIX_EPOCH,
        states: 12 + number as usize,
        first: "New picture".to_owned(),
        label: "Fill the mask: красный дом у озера".to_owned(),
        file: file.map(std::path::PathBuf::from),
        bytes: 3 << 20,
        thumbnail: Some(picture(number, 40)),
    };
    vec![work(1, None), work(2, Some("pictures/harbor at night.ora"))]
}
