//! Every reader of files against damaged ones: an error in words or what can be saved, never a
//! panic, never memory without bound.
//!
//! Sound files are changed at random in the ways in which files are changed by accident and on
//! purpose. `GESSO_FUZZ=100000` tries so many of each kind.

use std::path::{Path, PathBuf};
use std::process::Command;

use gesso::engine::library::{LibraryPaths, ModelLibrary, TinyFamily};
use gesso::geom::Extent;
use gesso::project::{Tree, file};
use gesso::storage::{Colors, load_preferences, read_image_file_as, read_mask, read_png_text};
use gesso::weights::Checkpoint;

/// Changed files of each kind.
fn tries() -> u64 {
    std::env::var("GESSO_FUZZ").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Numbers that break sums, products and allocations.
const EVIL: [u64; 10] = [
    0,
    1,
    0x7F,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    0x1_0000_0000,
    0x7FFF_FFFF_FFFF_FFFF,
    u64::MAX,
];

/// A file changed in one to four places.
fn changed(seed: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=rng.below(4) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = rng.below(bytes.len());
        match rng.below(8) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = rng.next() as u8,
            2 => bytes.truncate(at),
            // A number in place of what is there, either end first.
            3 => {
                let evil = EVIL[rng.below(EVIL.len())];
                let width = [1, 2, 4, 8][rng.below(4)];
                let all = if rng.below(2) == 0 { evil.to_le_bytes() } else { evil.to_be_bytes() };
                let part = if rng.below(2) == 0 { &all[..width] } else { &all[8 - width..] };
                for (target, byte) in bytes[at..].iter_mut().zip(part) {
                    *target = *byte;
                }
            }
            // Something twice, or something gone.
            4 => {
                let end = (at + 1 + rng.below(200)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = rng.below(bytes.len());
                bytes.splice(to..to, part);
            }
            5 => drop(bytes.drain(at..(at + 1 + rng.below(60)).min(bytes.len()))),
            // A number in text.
            6 => {
                if let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
                    let start = at + digit;
                    let end = bytes[start..].iter().position(|b| !b.is_ascii_digit());
                    let end = end.map_or(bytes.len(), |length| start + length);
                    let evil =
                        ["-1", "0", "1e999", "99999999999999999999", "0.0000001", "NaN", "null"]
                            [rng.below(7)];
                    bytes.splice(start..end, evil.bytes());
                }
            }
            _ => {
                let other = rng.below(bytes.len());
                bytes.swap(at, other);
            }
        }
    }
    bytes
}

/// Calls `read` with changed copies of each seed.
fn fuzz(name: &str, seeds: &[Vec<u8>], ending: &str, mut read: impl FnMut(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("changed.{ending}"));
    let mut rng = Rng(name.len() as u64 * 1_000_003);
    for number in 0..tries() {
        let seed = &seeds[number as usize % seeds.len()];
        std::fs::write(&path, changed(seed, &mut rng)).unwrap();
        read(&path);
    }
    assert_memory(name);
}

/// The most memory that the tests have taken so far is no more than pictures of them need.
fn assert_memory(name: &str) {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: u64 = most.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 3 << 20, "{name}: {kilobytes} kB of memory were taken");
}

fn gesso(folder: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_gesso"))
        .args(arguments)
        .current_dir(folder)
        .env("GESSO_DATA", folder.join("data"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn project() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let edits = [
        r#"{"do": {"select": {"shape": {"ellipse": {"x": 5, "y": 5, "width": 50, "height": 40}}, "combine": "replace"}}}"#,
        r#"{"do": {"fill": {"layer": 1, "color": [255, 0, 90, 255], "wand": null}}}"#,
        r#"{"do": {"add-layer": {"name": "Himmel <&> небо"}}}"#,
        r#"{"do": {"mask-from-selection": 1}}"#,
        r#"{"go-to": 2}"#,
        r#"{"do": {"flip": "horizontal"}}"#,
    ];
    std::fs::write(folder.path().join("e.jsonl"), edits.join("\n")).unwrap();
    gesso(folder.path(), &["apply", "e.jsonl", "--size", "90x70", "-o", "a.ora"]);
    std::fs::read(folder.path().join("a.ora")).unwrap()
}

fn pictures() -> Vec<(&'static str, Vec<u8>)> {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    let picture = image::RgbaImage::from_fn(41, 23, |x, y| {
        image::Rgba([x as u8 * 6, y as u8 * 11, (x * y) as u8, 255])
    });
    [("png", Png), ("jpg", Jpeg), ("webp", WebP), ("tif", Tiff), ("bmp", Bmp), ("gif", Gif)]
        .into_iter()
        .map(|(ending, format)| {
            let mut bytes = std::io::Cursor::new(Vec::new());
            let picture = image::DynamicImage::ImageRgba8(picture.clone());
            let picture = if format == Jpeg { picture.to_rgb8().into() } else { picture };
            picture.write_to(&mut bytes, format).unwrap();
            (ending, bytes.into_inner())
        })
        .collect()
}

#[test]
fn damaged_projects_are_no_danger() {
    fuzz("project", &[project()], "ora", |path| {
        if let Ok(opened) = file::open(path) {
            assert!(opened.document.extent.area() > 0);
        }
    });
}

#[test]
fn damaged_trees_are_no_danger() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.ora"), project()).unwrap();
    let mut archive =
        zip::ZipArchive::new(std::fs::File::open(folder.path().join("a.ora")).unwrap()).unwrap();
    let mut lines = String::new();
    let mut entry = archive.by_name("gesso/records.jsonl").unwrap();
    std::io::Read::read_to_string(&mut entry, &mut lines).unwrap();
    let mut rng = Rng(9);
    for _ in 0..tries() * 4 {
        let bytes = changed(lines.as_bytes(), &mut rng);
        let mut tree = Tree::default();
        for line in String::from_utf8_lossy(&bytes).lines() {
            // Whatever is refused leaves what came before.
            let before = tree.lines();
            if tree.take_line(line).is_err() {
                assert_eq!(tree.lines(), before);
            }
        }
        assert!(tree.records().len() <= tree.lines() + 2);
    }
    assert_memory("trees");
}

#[test]
fn damaged_pictures_and_masks_are_no_danger() {
    for (ending, seed) in pictures() {
        fuzz(ending, &[seed], ending, |path| {
            // A failure is said in words; what is read has pixels.
            if let Ok(file) = read_image_file_as(path, Colors::Srgb) {
                assert!(file.image.extent().area() > 0);
            }
            let _mask = read_mask(path, Extent::new(41, 23));
            let _text = read_png_text(path);
        });
    }
}

#[test]
fn damaged_checkpoints_and_manifests_are_no_danger() {
    let folder = tempfile::tempdir().unwrap();
    TinyFamily::new("tiny").write(folder.path()).unwrap();
    let family = folder.path().join("tiny");
    let manifest = std::fs::read(family.join("manifest.json")).unwrap();
    let changed_manifest = |path: &Path| {
        std::fs::copy(path, family.join("manifest.json")).unwrap();
        let user: PathBuf = folder.path().to_owned();
        let library = ModelLibrary::open(LibraryPaths { shipped: Vec::new(), user });
        for family in library.families() {
            let _missing = family.missing_files();
        }
        for problem in library.problems() {
            assert!(!problem.to_string().is_empty());
        }
    };
    fuzz("manifest", &[manifest], "json", changed_manifest);

    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/glide/pt");
    // The small ones, of which each has another fault.
    let mut seeds: Vec<Vec<u8>> = std::fs::read_dir(golden)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .filter(|bytes| !bytes.is_empty() && bytes.len() < 10_000)
        .collect();
    seeds.sort();
    fuzz("checkpoint", &seeds, "pt", |path| {
        if let Ok(checkpoint) = Checkpoint::open(path) {
            let _faults = checkpoint.check_data();
        }
    });
    let weights = std::fs::read_dir(&family)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "safetensors"))
        .map(|path| std::fs::read(path).unwrap())
        .min_by_key(Vec::len)
        .unwrap();
    // The header alone is interesting; the tensors are long.
    fuzz("safetensors", &[weights], "safetensors", |path| {
        if let Ok(checkpoint) = Checkpoint::open(path) {
            let _faults = checkpoint.check_data();
        }
    });
}

#[test]
fn damaged_preferences_are_no_danger() {
    let folder = tempfile::tempdir().unwrap();
    gesso::storage::save_preferences(folder.path(), &gesso::preferences::Preferences::default())
        .unwrap();
    let seed = std::fs::read(folder.path().join("preferences.json")).unwrap();
    let place = tempfile::tempdir().unwrap();
    fuzz("preferences", &[seed], "json", |path| {
        std::fs::copy(path, place.path().join("preferences.json")).unwrap();
        let _loaded = load_preferences(place.path());
    });
}

/// The lines of `gesso batch` and `gesso apply`, through the program itself.
#[test]
fn damaged_lines_of_commands_are_no_danger() {
    let folder = tempfile::tempdir().unwrap();
    let batch = br#"{"prompt": "a red apple", "seed": 1, "sampler": "dpm++", "steps": 20}"#;
    let apply = br#"{"do": {"stroke": {"target": {"layer": 1}, "mode": "paint", "brush": {"diameter_px": 60.0}, "color": [1, 90, 200, 255], "samples": [{"point": {"x": 50, "y": 60}, "pressure": 1.0}]}}}"#;
    let mut rng = Rng(4);
    for (command, seed) in [("batch", &batch[..]), ("apply", &apply[..])] {
        for _ in 0..tries() / 20 {
            std::fs::write(folder.path().join("lines.jsonl"), changed(seed, &mut rng)).unwrap();
            let arguments: &[&str] = match command {
                "batch" => &["batch", "lines.jsonl", "-o", "out", "--model", "none"],
                _ => &["apply", "lines.jsonl"],
            };
            let output = Command::new(env!("CARGO_BIN_EXE_gesso"))
                .args(arguments)
                .current_dir(folder.path())
                .env("GESSO_DATA", folder.path().join("data"))
                .env("GESSO_MODELS", folder.path().join("models"))
                .output()
                .unwrap();
            let code = output.status.code();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(matches!(code, Some(0..=2)), "{command}: {code:?}: {errors}");
            assert!(!errors.contains("panicked"), "{command}: {errors}");
        }
    }
}
