//! Scenes composed here against the same scenes composed by the training code.

use std::path::Path;

use gesso::eval::{Collection, Ground, Item, Scene, Source, Wanted, color, compose};
use gesso::geom::CanvasRect;
use gesso::storage::read_image;
use serde_json::Value;

const SIDE: u32 = 64;
const COLUMNS: u32 = 8;
/// Both sides round to 8 bits, and sum in another order.
const TOLERANCE: u8 = 2;

fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scenes")
}

fn scene(all: &Collection, json: &Value) -> Scene {
    let named = |value: &Value| color(value.as_str().unwrap()).unwrap();
    let ground = &json["ground"];
    let ground = if let Some(flat) = ground.get("flat") {
        Ground::Flat(named(flat))
    } else if let Some(gradient) = ground.get("gradient") {
        Ground::Gradient(named(&gradient[0]), named(&gradient[1]))
    } else {
        let kind = ground["scenery"].as_str().unwrap();
        let at = all.backdrops.iter().position(|backdrop| backdrop.scenery.kind == kind);
        Ground::Scenery(at.unwrap())
    };
    let item = |json: &Value| {
        let number = |name: &str| json[name].as_f64().unwrap();
        Item {
            concept: all.find(json["codepoint"].as_str().unwrap()).unwrap(),
            x: number("x"),
            y: number("y"),
            size: number("size"),
            tint: color(json["tint"].as_str().unwrap()),
            angle: number("angle"),
            flipped: json["flipped"].as_bool().unwrap(),
        }
    };
    let items = json["items"].as_array().unwrap().iter().map(item).collect();
    let style = all.styles.iter().position(|style| json["style"] == **style).unwrap();
    Scene { style, ground, items }
}

#[test]
fn scenes_have_the_pixels_that_the_training_code_composes() {
    let all = Collection::read(&Source::BuiltIn, Wanted::default()).unwrap();
    let text = std::fs::read_to_string(golden().join("scenes.json")).unwrap();
    let scenes: Vec<Value> = serde_json::from_str(&text).unwrap();
    let sheet = read_image(&golden().join("scenes.png")).unwrap();
    assert_eq!(scenes.len(), 16);
    for (i, json) in (0..).zip(&scenes) {
        let at = CanvasRect::new(i % COLUMNS * SIDE, i / COLUMNS * SIDE, SIDE, SIDE);
        let expected = sheet.crop(at);
        let found = compose(&all, &scene(&all, json), SIDE);
        let pairs = expected.as_raw().iter().zip(found.as_raw());
        let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(TOLERANCE), "scene {i} differs by {worst:?}: {json}");
    }
}
