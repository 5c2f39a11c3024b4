//! Our project files in the hands of another program.
//!
//! `tests/conformance/openraster.sh PROGRAM` names a program here that opens a file of ours and
//! saves it again. Without one the file goes through our own reader and writer, so that the
//! comparison itself is tested too.

use std::path::Path;
use std::process::Command;

use gesso::document::{Document, Layer, LayerId};
use gesso::geom::{Extent, PixelRect};
use gesso::project::ora::{Contents, OraFile, write};
use gesso::raster::{BlendMode, PixelGrid, RgbaImage};

/// Columns that each blend mode is seen in.
const STRIP_PX: u32 = 10;
const HEIGHT_PX: u32 = 100;
/// What rounding may make of the same formula.
const TOLERANCE: u8 = 3;

fn save(path: &Path, document: &Document) {
    let contents = Contents {
        document,
        entries: Vec::new(),
        layer_content: &|_| String::new(),
        row_content: &|_, _| String::new(),
        picture_content: String::new(),
    };
    let report = write(path, &contents, None).unwrap();
    assert!(report.remarks.is_empty(), "{report:?}");
}

/// A colored ground and above it a strip for every blend mode, which juts out of the canvas.
fn document() -> Document {
    let extent = Extent::new(BlendMode::ALL.len() as u32 * STRIP_PX, HEIGHT_PX);
    let mut document = Document::new(extent, "Ground");
    let ground: Vec<[u8; 4]> = (0..extent.area() as u32)
        .map(|i| (i % extent.width, i / extent.width))
        .map(|(x, y)| [(x * 3 / 2) as u8, (y * 5 / 2) as u8, (x * y) as u8, 255])
        .collect();
    document.layers[0].pixels = PixelGrid::from_pixels(extent.rect().into(), &ground);
    let mut random = 5_u64;
    for (i, mode) in BlendMode::ALL.into_iter().enumerate() {
        let mut pixel = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let [r, g, b, kind, ..] = (random >> 24).to_le_bytes();
            // Krita adds partly transparent colors by another formula, so these are opaque.
            let alphas = if mode == BlendMode::Add { [255, 0] } else { [255, 128] };
            [r, g, b, alphas[usize::from(kind % 2)]]
        };
        let rect = PixelRect::new(i as i32 * STRIP_PX as i32, -10, STRIP_PX, HEIGHT_PX + 20);
        let pixels: Vec<[u8; 4]> = (0..rect.extent().area()).map(|_| pixel()).collect();
        let mut layer = Layer::new(LayerId(i as u64 + 2), format!("{mode:?} <&\" 层 🦊"));
        layer.pixels = PixelGrid::from_pixels(rect, &pixels);
        layer.blend_mode = mode;
        layer.opacity = if i % 2 == 0 { 1.0 } else { 0.6 };
        layer.locked = i == 3;
        document.layers.push(layer);
    }
    let mut hidden = Layer::new(LayerId(50), "Hidden");
    hidden.visible = false;
    hidden.pixels.fill(PixelRect::new(5, 5, 50, 50), [1, 2, 3, 255]);
    document.layers.push(hidden);
    document.layers.push(Layer::new(LayerId(51), "Empty"));
    document.active = LayerId(4);
    document.next_layer = 52;
    document
}

/// Opens a file in the other program and saves it again.
fn pass_through(program: &str, from: &Path, to: &Path) {
    let mut command = Command::new(program);
    match Path::new(program).file_stem().and_then(|name| name.to_str()) {
        Some("krita") => command.args(["--export", "--export-filename"]).arg(to).arg(from),
        _ => panic!("it isn't known how {program:?} opens and saves a file without its window"),
    };
    let output = command.output().unwrap();
    assert!(to.exists(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The greatest difference where something can be seen.
fn worst(a: &[[u8; 4]], b: &[[u8; 4]]) -> u8 {
    assert_eq!(a.len(), b.len());
    let seen = a.iter().zip(b).filter(|(a, b)| a[3] > 0 || b[3] > 0);
    seen.flat_map(|(a, b)| (0..4).map(|c| a[c].abs_diff(b[c]))).max().unwrap_or(0)
}

fn strip(image: &RgbaImage, i: usize) -> RgbaImage {
    let x = i as u32 * STRIP_PX;
    image.crop(gesso::geom::CanvasRect::new(x, 0, STRIP_PX, HEIGHT_PX))
}

#[test]
fn layers_survive_another_program_and_look_the_same_there() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("ours.ora"), folder.path().join("theirs.ora"));
    let document = document();
    save(&ours, &document);
    match std::env::var("GESSO_OPENRASTER_PROGRAM") {
        Ok(program) => pass_through(&program, &ours, &theirs),
        Err(_) => save(&theirs, &OraFile::open(&ours).unwrap().document().unwrap().document),
    }
    let mut theirs = OraFile::open(&theirs).unwrap();
    let opened = theirs.document().unwrap();
    assert_eq!(opened.remarks, Vec::<String>::new());
    let opened = opened.document;
    assert_eq!(opened.extent, document.extent);
    assert_eq!(opened.layers.len(), document.layers.len());
    assert_eq!(opened.position(opened.active), document.position(document.active));
    let canvas = PixelRect::from(document.extent.rect());
    for (theirs, ours) in opened.layers.iter().zip(&document.layers) {
        assert_eq!(theirs.name, ours.name);
        assert_eq!(theirs.blend_mode, ours.blend_mode, "{}", ours.name);
        assert_eq!((theirs.visible, theirs.locked), (ours.visible, ours.locked), "{}", ours.name);
        assert!((theirs.opacity - ours.opacity).abs() < 0.003, "{}", ours.name);
        assert_eq!(
            worst(&theirs.pixels.read(canvas), &ours.pixels.read(canvas)),
            0,
            "{}",
            ours.name
        );
    }
    let ours = OraFile::open(&ours).unwrap().merged().unwrap().unwrap();
    let theirs = theirs.merged().unwrap().unwrap();
    for (i, mode) in BlendMode::ALL.into_iter().enumerate() {
        let worst = worst(strip(&ours, i).pixels(), strip(&theirs, i).pixels());
        assert!(worst <= TOLERANCE, "{mode:?} differs by {worst}");
    }
}
