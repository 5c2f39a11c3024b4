//! Whole files: written, read again, saved again, damaged, hostile, and made by other programs.

use std::borrow::Cow;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::document::testing::Rng;
use crate::document::{Document, Layer, LayerId, flatten, thumbnail};
use crate::geom::{Extent, PixelRect};
use crate::project::ProjectError;
use crate::project::ora::{
    Contents, Entry, EntryContent, Limits, Opened, OraFile, SavedState, StackXml, WriteReport,
    write,
};
use crate::raster::{BlendMode, PixelGrid};

fn no_content(_: &Layer) -> String {
    String::new()
}

fn contents(document: &Document) -> Contents<'_> {
    Contents {
        document,
        entries: Vec::new(),
        layer_content: &no_content,
        row_content: &|_, _| String::new(),
        picture_content: String::new(),
    }
}

/// The layer's own pixels stand for themselves: slow, but certain.
fn pixel_content(layer: &Layer) -> String {
    let sum = |bytes: &[u8], sum: u32| {
        let mut hasher = crc32fast::Hasher::new_with_initial(sum);
        hasher.update(bytes);
        hasher.finalize()
    };
    let mut all = 0;
    for (at, tile) in layer.pixels.tiles() {
        all = sum(format!("{at:?}").as_bytes(), sum(tile.pixels().as_flattened(), all));
    }
    for (at, tile) in layer.mask.iter().flat_map(crate::raster::TileGrid::tiles) {
        all = sum(format!("{at:?}").as_bytes(), sum(tile.pixels(), all));
    }
    format!("{all} {}", layer.mask.is_some())
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn written(&self, name: &str, document: &Document) -> PathBuf {
        let path = self.path(name);
        write(&path, &contents(document), None).unwrap();
        path
    }
}

fn opened(path: &Path) -> Opened {
    OraFile::open(path).unwrap().document().unwrap()
}

fn failure(path: &Path) -> String {
    match OraFile::open(path) {
        Err(error) => error.to_string(),
        Ok(mut file) => file.document().unwrap_err().to_string(),
    }
}

/// The pixels that other programs are to see of a layer.
fn shown(layer: &Layer) -> PixelGrid {
    let Some(bounds) = layer.pixels.bounds() else { return PixelGrid::new() };
    let mut pixels = layer.pixels.read(bounds);
    if let Some(mask) = &layer.mask {
        for (pixel, cover) in pixels.iter_mut().zip(mask.read(bounds)) {
            let alpha = ((u32::from(pixel[3]) * u32::from(cover) + 127) / 255) as u8;
            match (cover, alpha) {
                (255, _) => {}
                (_, 0) => *pixel = [0; 4],
                (_, alpha) => pixel[3] = alpha,
            }
        }
    }
    PixelGrid::from_pixels(bounds, &pixels)
}

fn assert_same_layers(opened: &Document, document: &Document) {
    assert_eq!(opened.extent, document.extent);
    assert_eq!(opened.layers.len(), document.layers.len());
    assert_eq!(opened.position(opened.active), document.position(document.active));
    assert!(opened.layers.iter().all(|layer| layer.id.0 < opened.next_layer));
    for (opened, layer) in opened.layers.iter().zip(&document.layers) {
        assert_eq!(opened.pixels, shown(layer), "{}", layer.name);
        assert_eq!(opened.name, layer.name);
        assert_eq!(opened.opacity, layer.opacity);
        assert_eq!(opened.visible, layer.visible);
        assert_eq!(opened.locked, layer.locked);
        assert_eq!(opened.blend_mode, layer.blend_mode);
        assert_eq!(opened.mask, None);
    }
}

/// An archive of these entries, stored, with any mimetype and order.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn ora(entries: &[(&str, &[u8])]) -> Vec<u8> {
    archive(&[&[("mimetype", b"image/openraster".as_slice())], entries].concat())
}

fn png(
    width: u32,
    height: u32,
    color: png::ColorType,
    depth: png::BitDepth,
    data: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette(vec![10, 20, 30, 40, 50, 60]);
        encoder.set_trns(vec![255, 77]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

fn plain_png(width: u32, height: u32, color: [u8; 4]) -> Vec<u8> {
    let data = color.repeat((width * height) as usize);
    png(width, height, png::ColorType::Rgba, png::BitDepth::Eight, &data)
}

#[test]
fn random_documents_come_back_pixel_by_pixel() {
    let folder = Folder::new();
    let mut rng = Rng(7);
    for round in 0..40 {
        let mut document = rng.document();
        for layer in &mut document.layers {
            layer.opacity = (rng.next() as f32 / u64::MAX as f32).min(1.0);
        }
        let path = folder.written("a.ora", &document);
        let mut file = OraFile::open(&path).unwrap();
        let back = file.document().unwrap();
        assert_eq!(back.remarks, Vec::<String>::new(), "round {round}");
        assert_same_layers(&back.document, &document);
        let merged = file.merged().unwrap().unwrap();
        assert_eq!(merged, flatten(&document, document.extent.rect()), "round {round}");
        assert_eq!(file.thumbnail().unwrap().unwrap(), thumbnail(&document, 256));
        assert_eq!(file.saved_state(), SavedState::AsSaved);
    }
}

#[test]
fn names_of_all_kinds_and_all_blend_modes_survive() {
    let names = [
        "a & b < c > \"d\" 'e'",
        "层 一",
        "レイヤー",
        "слой",
        "🦊👩‍🎨",
        " spaced  out ",
        "tab\tline\nend\r",
        "&amp; &#10; &nbsp;",
        "]]>",
        "<!--",
        "%s\\..\\..",
        "e\u{301}",
        "\u{202e}rtl",
        "",
    ];
    let folder = Folder::new();
    let mut document = Document::new(Extent::new(20, 10), "");
    document.layers.clear();
    let long = "長".repeat(1000);
    let names = names.into_iter().chain([long.as_str()]);
    for (i, (name, mode)) in names.zip(BlendMode::ALL.into_iter().cycle()).enumerate() {
        let mut layer = Layer::new(LayerId(i as u64 + 1), name);
        layer.blend_mode = mode;
        layer.pixels.fill(PixelRect::new(i as i32, -3, 4, 5), [i as u8, 2, 3, 255]);
        layer.locked = i % 3 == 0;
        document.layers.push(layer);
    }
    document.active = LayerId(3);
    for mode in BlendMode::ALL {
        let mut layer = Layer::new(LayerId(document.layers.len() as u64 + 1), "mode");
        layer.blend_mode = mode;
        document.layers.push(layer);
    }
    let back = opened(&folder.written("a.ora", &document));
    // A layer without a name is called as its file is.
    document.layers[13].name = "layer14".to_owned();
    assert_same_layers(&back.document, &document);
    assert_eq!(back.remarks, Vec::<String>::new());

    // What XML can't hold is replaced, and what no list can show is cut.
    document.layers[0].name = "a\0b\u{1}c\u{ffff}d".to_owned();
    document.layers[1].name = "x".repeat(5000);
    let back = opened(&folder.written("a.ora", &document)).document;
    assert_eq!(back.layers[0].name, "a\u{fffd}b\u{fffd}c\u{fffd}d");
    assert_eq!(back.layers[1].name, format!("{}…", "x".repeat(1000)));
}

#[test]
fn the_file_is_laid_out_as_the_specification_says() {
    let folder = Folder::new();
    let document = Rng(3).document();
    let bytes = std::fs::read(folder.written("a.ora", &document)).unwrap();
    // Programs tell the type by these bytes at these places.
    assert_eq!(&bytes[..4], b"PK\x03\x04");
    assert_eq!(&bytes[30..54], b"mimetypeimage/openraster");
    let mut file = OraFile::open(&folder.path("a.ora")).unwrap();
    let layers: Vec<String> =
        document.layers.iter().map(|layer| format!("data/layer{}.png", layer.id.0)).collect();
    assert_eq!(file.entries_below("data/"), layers);
    let xml = String::from_utf8(file.entry("stack.xml", 1 << 20).unwrap().unwrap()).unwrap();
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<image "), "{xml}");
    let (stack, _) = StackXml::parse(&xml).unwrap();
    assert_eq!(stack.to_xml(), xml);
    assert_eq!(file.entry("nothing", 10).unwrap(), None);
    let error = file.entry("stack.xml", 10).unwrap_err().to_string();
    assert!(error.contains("10 are read"), "{error}");
    // Equal documents make equal files.
    assert_eq!(std::fs::read(folder.written("b.ora", &document)).unwrap(), bytes);
}

/// A row's own pixels stand for themselves.
fn row_pixels(layer: &Layer, row: i32) -> String {
    let mut crc = crc32fast::Hasher::new();
    for (at, tile) in layer.pixels.tiles().filter(|(at, _)| at.row == row) {
        crc.update(format!("{at:?}").as_bytes());
        crc.update(tile.pixels().as_flattened());
    }
    for (at, tile) in layer.mask.iter().flat_map(crate::raster::TileGrid::tiles) {
        if at.row == row {
            crc.update(format!("mask {at:?}").as_bytes());
            crc.update(tile.pixels());
        }
    }
    format!("{} {}", crc.finalize(), layer.mask.is_some())
}

#[test]
fn bands_that_are_the_same_are_copied_and_the_file_is_as_if_made_anew() {
    let folder = Folder::new();
    let save = |name: &str, document: &Document, previous: Option<&Path>| {
        let contents = Contents { row_content: &row_pixels, ..contents(document) };
        let path = folder.path(name);
        let report = write(&path, &contents, previous).unwrap();
        (path, report)
    };
    let same = |a: &Path, b: &Path| std::fs::read(a).unwrap() == std::fs::read(b).unwrap();
    let mut rng = Rng(21);
    let mut document = Document::new(Extent::new(300, 1200), "Ground");
    for id in 1..=2 {
        let mut layer = Layer::new(LayerId(id), format!("Layer {id}"));
        let noise: Vec<_> = (0..300 * 1200).map(|_| rng.color()).collect();
        layer.pixels.write(PixelRect::new(0, 0, 300, 1200), &noise);
        document.layers.retain(|layer| layer.id.0 < id);
        document.layers.push(layer);
    }
    let (first, report) = save("1.ora", &document, None);
    assert_eq!(report.copied_bands, 0);
    // Five bands of the picture and of each layer; a stroke changes one of a layer and of all.
    let stroke = PixelRect::new(20, 300, 200, 40);
    document.layers[1].pixels.fill(stroke, [9, 9, 9, 255]);
    let (second, report) = save("2.ora", &document, Some(&first));
    assert_eq!(report.copied_bands, 4 + 4 + 5, "{report:?}");
    assert!(same(&second, &save("fresh.ora", &document, None).0));
    // What all look like depends on how a layer is shown, the layers themselves do not.
    document.layers[1].opacity = 0.5;
    let (third, report) = save("3.ora", &document, Some(&second));
    assert_eq!(report.copied_bands, 5 + 5, "{report:?}");
    assert!(same(&third, &save("fresh.ora", &document, None).0));
    // A picture of another size has no band in common.
    document.layers[0].pixels.fill(PixelRect::new(300, 0, 10, 10), [1, 2, 3, 255]);
    let (fourth, report) = save("4.ora", &document, Some(&third));
    assert_eq!(report.copied_bands, 5 + 4, "{report:?}");
    assert!(same(&fourth, &save("fresh.ora", &document, None).0));
    assert_eq!(opened(&fourth).document.layers, document.layers);
}

#[test]
fn saves_one_after_the_other_make_the_files_that_a_first_save_makes() {
    let folder = Folder::new();
    let mut rng = Rng(22);
    let mut copied = 0;
    for round in 0..8 {
        let mut document = rng.document();
        // Several bands high, so that an edit leaves some of them alone.
        document.extent.height += 600;
        for layer in &mut document.layers {
            layer.pixels.fill(PixelRect::new(0, 0, 3, document.extent.height), rng.color());
        }
        let path = folder.path("a.ora");
        let save = |path: &Path, document: &Document, previous: Option<&Path>| {
            let contents = Contents { row_content: &row_pixels, ..contents(document) };
            write(path, &contents, previous).unwrap()
        };
        save(&path, &document, None);
        for _ in 0..12 {
            let edit = rng.edit(&document);
            let mut next = document.clone();
            if edit.apply(&mut next).is_ok() {
                document = next;
            }
            if rng.one_in(4)
                && let Some(layer) = document.layers.first_mut()
            {
                layer.opacity = 0.0;
            }
            // Into the same file, as the window does.
            copied += save(&path, &document, Some(&path)).copied_bands;
            let fresh = folder.path("fresh.ora");
            save(&fresh, &document, None);
            let same = std::fs::read(&path).unwrap() == std::fs::read(&fresh).unwrap();
            assert!(same, "round {round} after {edit:?}");
        }
    }
    assert!(copied > 200, "{copied} bands were copied");
}

#[test]
fn bands_of_a_file_that_another_program_changed_are_not_taken_for_ours() {
    let folder = Folder::new();
    let mut document = Document::new(Extent::new(60, 700), "One");
    let mut rng = Rng(23);
    let noise: Vec<_> = (0..60 * 700).map(|_| rng.color()).collect();
    document.layers[0].pixels.write(PixelRect::new(0, 0, 60, 700), &noise);
    // So that the picture of all layers is another than that of the layer.
    document.layers[0].opacity = 0.5;
    let save = |path: &Path, document: &Document, previous: Option<&Path>| {
        let contents = Contents { row_content: &row_pixels, ..contents(document) };
        write(path, &contents, previous).unwrap()
    };
    let path = folder.path("a.ora");
    save(&path, &document, None);
    let mut file = OraFile::open(&path).unwrap();
    let own = file.entry("data/layer1.png", 1 << 30).unwrap().unwrap();
    let note = file.entry("gesso/saved.json", 1 << 20).unwrap().unwrap();
    let note = String::from_utf8(note).unwrap();
    let mut inverted = document.clone();
    let pixels: Vec<_> = noise.iter().map(|[r, g, b, a]| [!r, !g, !b, *a]).collect();
    inverted.layers[0].pixels.write(PixelRect::new(0, 0, 60, 700), &pixels);
    save(&folder.path("inverted.ora"), &inverted, None);
    let mut inverted = OraFile::open(&folder.path("inverted.ora")).unwrap();
    let theirs = inverted.entry("data/layer1.png", 1 << 30).unwrap().unwrap();

    // A stroke in the second of three bands: two of the layer and two of the picture are the same.
    document.layers[0].pixels.fill(PixelRect::new(0, 300, 9, 9), [1, 2, 3, 255]);
    let check = |changed: &[u8], copied: usize| {
        let changed = folder.file("changed.ora", changed);
        let saved = folder.path("saved.ora");
        let report = save(&saved, &document, Some(&changed));
        assert_eq!(report.copied_bands, copied);
        assert_same_layers(&opened(&saved).document, &document);
        let merged = OraFile::open(&saved).unwrap().merged().unwrap().unwrap();
        assert_eq!(merged, flatten(&document, document.extent.rect()));
    };
    check(&std::fs::read(&path).unwrap(), 2 + 2);
    // Of a layer that it changed nothing is taken, whether the note of the save is the old one or one
    // that claims that this is the file it speaks of.
    check(&replaced(&path, "data/layer1.png", &theirs), 2);
    let sums = |png: &[u8]| format!("\"crc32\":{},\"size\":{}", crc32fast::hash(png), png.len());
    assert!(note.contains(&sums(&own)), "{note}");
    let lying = note.replace(&sums(&own), &sums(&theirs));
    let both = folder.file("both.ora", &replaced(&path, "data/layer1.png", &theirs));
    check(&replaced(&both, "gesso/saved.json", lying.as_bytes()), 2);
    // A note without what identifies the bands, as an earlier version writes it, and one that can't
    // be understood.
    let earlier = regex::Regex::new(",\"bands\":\\[[^\\]]*\\]").unwrap().replace_all(&note, "");
    assert_ne!(earlier, note);
    check(&replaced(&path, "gesso/saved.json", earlier.as_bytes()), 0);
    check(&replaced(&path, "gesso/saved.json", b"[]"), 0);
    // The disk lost a bit of the layer's first band, and nobody noticed yet.
    let mut damaged = std::fs::read(&path).unwrap();
    let at = damaged.windows(4000).position(|bytes| bytes == &own[100..4100]).unwrap();
    damaged[at + 500] ^= 16;
    check(&damaged, 2 + 1);
    // Packed in another way: the picture can't be read piece by piece.
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in file.entries_below("") {
        let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(entry.as_str(), deflated).unwrap();
        zip.write_all(&file.entry(&entry, 1 << 30).unwrap().unwrap()).unwrap();
    }
    check(&zip.finish().unwrap().into_inner(), 0);
}

#[test]
fn a_layer_far_beyond_the_canvas_is_cut_and_that_is_said() {
    let folder = Folder::new();
    let mut document = Document::new(Extent::new(100, 100), "Wide");
    let pixels = &mut document.layers[0].pixels;
    pixels.fill(PixelRect::new(-40_000, 0, 10, 10), [1, 2, 3, 255]);
    pixels.fill(PixelRect::new(50, 50, 10, 10), [4, 5, 6, 255]);
    let mut far = Layer::new(LayerId(2), "Far");
    far.pixels.fill(PixelRect::new(3_000_000, 3_000_000, 9, 9), [7; 4]);
    document.layers.push(far);
    let path = folder.path("a.ora");
    let report = write(&path, &contents(&document), None).unwrap();
    assert!(report.remarks.iter().any(|remark| remark.contains("\"Wide\"")), "{report:?}");
    assert!(report.remarks.iter().any(|remark| remark.contains("\"Far\"")), "{report:?}");
    let back = opened(&path).document;
    assert_eq!(back.layers[0].pixels.bounds(), Some(PixelRect::new(50, 50, 10, 10)));
    assert!(back.layers[1].pixels.has_no_tiles());
}

fn sizes(path: &Path) -> Vec<(String, u64)> {
    let zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..zip.len())
        .map(|i| zip.by_index_data(i).unwrap())
        .map(|entry| (entry.name().unwrap().into_owned(), entry.compressed_size()))
        .collect()
}

#[test]
fn a_second_save_copies_what_is_the_same() {
    let folder = Folder::new();
    let path = folder.path("a.ora");
    let mut document = Document::new(Extent::new(300, 200), "One");
    let mut rng = Rng(5);
    for id in 1..=3 {
        let mut layer = Layer::new(LayerId(id), format!("Layer {id}"));
        let noise: Vec<_> = (0..200 * 100).map(|_| rng.color()).collect();
        layer.pixels.write(PixelRect::new(-20, 10, 200, 100), &noise);
        document.layers.retain(|layer| layer.id.0 < id);
        document.layers.push(layer);
    }
    let save = |document: &Document, picture: &str, entries| -> WriteReport {
        let contents = Contents {
            entries,
            layer_content: &pixel_content,
            picture_content: picture.to_owned(),
            ..contents(document)
        };
        write(&path, &contents, Some(&path)).unwrap()
    };
    let bytes = |name: &str, bytes: &[u8]| Entry {
        name: name.to_owned(),
        content: EntryContent::Bytes(Cow::Owned(bytes.to_vec())),
    };
    let tile: &[u8] = &[9; 5000];
    let made = Entry {
        name: "gesso/tiles/aa".to_owned(),
        content: EntryContent::Made(Box::new(|| Ok(tile.to_vec()))),
    };
    // There is no file yet to copy from: that is no fault.
    let first = save(&document, "1", vec![bytes("gesso/tree", b"tree one"), made]);
    assert_eq!((first.copied, first.copied_bytes, first.new), (0, 0, 10));
    let keep = |old: &str, new: &str| Entry {
        name: new.to_owned(),
        content: EntryContent::KeepFrom(old.to_owned()),
    };
    let again =
        |tree: &[u8]| vec![bytes("gesso/tree", tree), keep("gesso/tiles/aa", "gesso/tiles/bb")];

    // Nothing changed but the tree: all pictures and the tile are copied.
    let before = sizes(&path);
    let report = save(&document, "1", again(b"tree two"));
    let pictures: u64 = before.iter().filter(|(name, _)| name.contains(".png")).map(|e| e.1).sum();
    assert_eq!((report.copied, report.copied_bytes), (6, pictures + 5000));
    assert_eq!(report.new, 4);
    let mut file = OraFile::open(&path).unwrap();
    assert_eq!(file.entry("gesso/tiles/bb", 5000).unwrap().unwrap(), tile);
    assert_eq!(file.entry("gesso/tiles/aa", 5000).unwrap(), None);
    assert_eq!(file.entry("gesso/tree", 100).unwrap().unwrap(), b"tree two");
    assert_eq!(file.entries_below("gesso/t"), ["gesso/tiles/bb", "gesso/tree"]);
    assert_eq!(file.saved_state(), SavedState::AsSaved);
    assert_same_layers(&file.document().unwrap().document, &document);

    // One layer changed: its picture and the merged ones are new.
    document.layers[1].pixels.fill(PixelRect::new(0, 0, 9, 9), [1, 2, 3, 4]);
    document.layers[2].opacity = 0.5;
    let report = save(&document, "2", Vec::new());
    assert_eq!(report.copied, 2);
    assert_same_layers(&opened(&path).document, &document);
    let mut file = OraFile::open(&path).unwrap();
    assert_eq!(file.merged().unwrap().unwrap(), flatten(&document, document.extent.rect()));

    // A layer that was moved to another place in the stack keeps its picture.
    document.layers.swap(0, 2);
    let report = save(&document, "3", Vec::new());
    assert_eq!(report.copied, 3);
    assert_same_layers(&opened(&path).document, &document);

    // Without a name for the content nothing is taken for the same.
    let report = write(&path, &contents(&document), Some(&path)).unwrap();
    assert_eq!(report.copied, 0);
}

/// The archive with some entries replaced, as another program writes it that keeps the rest.
fn replaced(path: &Path, name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut file = OraFile::open(path).unwrap();
    let mut entries = Vec::new();
    for entry in file.entries_below("") {
        let content = file.entry(&entry, 1 << 30).unwrap().unwrap();
        entries.push(if entry == name { (entry, bytes.to_vec()) } else { (entry, content) });
    }
    let entries: Vec<(&str, &[u8])> =
        entries.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    archive(&entries)
}

#[test]
fn changes_by_other_programs_are_noticed_and_not_lost() {
    let folder = Folder::new();
    let mut document = Document::new(Extent::new(30, 20), "One");
    document.layers[0].pixels.fill(PixelRect::new(0, 0, 30, 20), [5, 6, 7, 255]);
    let save = |path: &Path, previous: &Path| {
        let contents = Contents {
            layer_content: &pixel_content,
            picture_content: "same".to_owned(),
            ..contents(&document)
        };
        write(path, &contents, Some(previous)).unwrap()
    };
    let path = folder.path("a.ora");
    save(&path, &path);
    let mut file = OraFile::open(&path).unwrap();
    let xml = file.entry("stack.xml", 1 << 20).unwrap().unwrap();
    let other = plain_png(30, 20, [1, 1, 1, 255]);

    // Packed otherwise, but the same.
    let same = folder.file("same.ora", &replaced(&path, "stack.xml", &xml));
    assert_eq!(OraFile::open(&same).unwrap().saved_state(), SavedState::AsSaved);
    for name in ["data/layer1.png", "mergedimage.png", "Thumbnails/thumbnail.png"] {
        let changed = folder.file("changed.ora", &replaced(&path, name, &other));
        assert_eq!(OraFile::open(&changed).unwrap().saved_state(), SavedState::Changed, "{name}");
        // What another program wrote is not taken for ours.
        let report = save(&folder.path("b.ora"), &changed);
        assert_eq!(report.copied, 2, "{name}");
        assert_same_layers(&opened(&folder.path("b.ora")).document, &document);
    }
    let broken = folder.file("broken.ora", &replaced(&path, "gesso/saved.json", b"{"));
    assert_eq!(OraFile::open(&broken).unwrap().saved_state(), SavedState::Changed);
    let foreign = ora(&[("stack.xml", &xml), ("data/layer1.png", &other)]);
    let foreign = folder.file("foreign.ora", &foreign);
    assert_eq!(OraFile::open(&foreign).unwrap().saved_state(), SavedState::Foreign);
    let pixels = opened(&foreign).document.layers.remove(0).pixels;
    assert_eq!(pixels.pixel(3, 3), [1, 1, 1, 255]);
}

#[test]
fn a_save_that_fails_leaves_the_old_file_whole() {
    let folder = Folder::new();
    let document = Rng(9).document();
    let path = folder.written("a.ora", &document);
    let before = std::fs::read(&path).unwrap();
    let fail = |name: &str, content| {
        let entries = vec![Entry { name: name.to_owned(), content }];
        let contents = Contents { entries, ..contents(&document) };
        let error = write(&path, &contents, Some(&path)).unwrap_err().to_string();
        assert!(std::fs::read(&path).unwrap() == before, "{error}");
        let files = std::fs::read_dir(folder.0.path()).unwrap().count();
        assert_eq!(files, 1, "{error}");
        error
    };
    let made = || EntryContent::Made(Box::new(|| Err(std::io::Error::other("no tile"))));
    assert!(fail("gesso/a", made()).contains("no tile; nothing was changed"));
    let keep = EntryContent::KeepFrom("gesso/gone".to_owned());
    assert!(fail("gesso/a", keep).contains("has no \"gesso/gone\""));
    for name in ["stack.xml", "gesso/", "gesso/../a", "gesso/saved.json", "gesso/a\\b", ""] {
        let error = fail(name, EntryContent::Bytes(Cow::Borrowed(b"")));
        assert!(error.contains("can't be called"), "{error}");
    }
    let twice =
        || Entry { name: "gesso/a".to_owned(), content: EntryContent::Stored(Cow::Borrowed(b"x")) };
    let two = Contents { entries: vec![twice(), twice()], ..contents(&document) };
    assert!(matches!(write(&path, &two, None), Err(ProjectError::EntryName { .. })));
    // What can't be read can't be kept, and a save without it succeeds.
    let no_file = folder.file("no.ora", b"PK, but no archive");
    let kept = Contents {
        entries: vec![Entry {
            name: "gesso/a".to_owned(),
            content: EntryContent::KeepFrom("gesso/a".to_owned()),
        }],
        ..contents(&document)
    };
    assert!(matches!(write(&path, &kept, Some(&no_file)), Err(ProjectError::Damaged { .. })));
    write(&path, &contents(&document), Some(&no_file)).unwrap();
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let folder = Folder::new();
    let whole = std::fs::read(folder.written("a.ora", &Rng(21).document())).unwrap();
    for part in 0..50 {
        let path = folder.file("cut.ora", &whole[..whole.len() * part / 50]);
        let error = failure(&path);
        assert!(error.contains("cut off") || error.contains("not a project"), "{part}: {error}");
    }
    let path = folder.file("cut.ora", &whole[..whole.len() - 1]);
    assert!(failure(&path).contains("damaged or cut off"));
}

#[test]
fn changed_bytes_never_do_more_than_fail() {
    let folder = Folder::new();
    let whole = std::fs::read(folder.written("a.ora", &Rng(22).document())).unwrap();
    let mut rng = Rng(23);
    let mut failed = 0;
    for _ in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(bytes.len() as u32) as usize;
            bytes[at] = rng.next() as u8;
        }
        let path = folder.file("b.ora", &bytes);
        let Ok(mut file) = OraFile::open(&path) else {
            failed += 1;
            continue;
        };
        let _either = (file.document().is_ok(), file.merged().is_ok(), file.saved_state());
    }
    assert!(failed > 0);
}

#[test]
fn other_files_are_told_apart() {
    let folder = Folder::new();
    let png = plain_png(2, 2, [1; 4]);
    assert!(failure(&folder.file("a", &png)).contains("not a project"));
    assert!(failure(&folder.file("a", b"")).contains("not a project"));
    assert!(failure(&folder.path("none")).contains("can't read the project"));
    let odt = archive(&[("mimetype", b"application/vnd.oasis.opendocument.text")]);
    let error = failure(&folder.file("a", &odt));
    assert!(error.contains("not an OpenRaster file") && error.contains("oasis"), "{error}");
    let long = archive(&[("mimetype", &[b'a'; 5000])]);
    assert!(failure(&folder.file("a", &long)).contains("not an OpenRaster file"));
    let plain = archive(&[("a.txt", b"text")]);
    assert!(failure(&folder.file("a", &plain)).contains("doesn't say what it is"));
    let empty = folder.file("a", &ora(&[]));
    let error = failure(&empty);
    assert!(error.contains("no picture in the project") && error.contains("stack.xml"), "{error}");
    // Some programs compress the type or end it with a line break.
    let line = archive(&[
        ("stack.xml", b"<image w='3' h='2'><stack/></image>"),
        ("mimetype", b"image/openraster\n"),
    ]);
    let back = opened(&folder.file("a", &line));
    assert_eq!(back.document.extent, Extent::new(3, 2));
    assert_eq!(back.document.layers.len(), 1);
    assert!(back.remarks[0].contains("has no layer"), "{:?}", back.remarks);
}

const ONE_LAYER: &[u8] =
    b"<image w='4' h='4'><stack><layer name='A' src='data/a.png'/></stack></image>";

/// One deflated entry that claims another size than it has.
fn lying(name: &str, bytes: &[u8], claimed: u32) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let deflated = stored.compression_method(CompressionMethod::Deflated);
    for (entry, content) in [("mimetype", b"image/openraster".as_slice()), ("stack.xml", ONE_LAYER)]
    {
        zip.start_file(entry, stored).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.start_file(name, deflated).unwrap();
    zip.write_all(bytes).unwrap();
    let mut archive = zip.finish().unwrap().into_inner();
    // The last header of the directory; its unpacked size is at byte 24.
    let header = archive.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    archive[header + 24..header + 28].copy_from_slice(&claimed.to_le_bytes());
    archive
}

#[test]
fn bombs_are_refused_before_they_unpack() {
    let folder = Folder::new();
    // A claim that no packed bytes can fulfill.
    let error = failure(&folder.file("a", &lying("data/a.png", &[0; 100], 4_000_000_000)));
    assert!(error.contains("would unpack to 4000000000 bytes"), "{error}");
    // Much more than a picture of that size can need, however small it is packed.
    let mut bomb = plain_png(4, 4, [1, 2, 3, 255]);
    bomb.resize(80 << 20, 0);
    let error = failure(&folder.file("a", &lying("data/a.png", &bomb, bomb.len() as u32)));
    assert!(error.contains("too many for 4x4 pixels"), "{error}");
    // A small claim, more behind it.
    let error = failure(&folder.file("a", &lying("data/a.png", &bomb, 200)));
    assert!(error.contains("no picture in the project can be read"), "{error}");
    // A picture that claims to be huge.
    let mut huge = plain_png(4, 4, [1, 2, 3, 255]);
    huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let error =
        failure(&folder.file("a", &ora(&[("stack.xml", ONE_LAYER), ("data/a.png", &huge)])));
    assert!(error.contains("65536x65536"), "{error}");
    // Huge text where a list of layers is expected, and a huge list.
    let mut list = b"<image w='4' h='4'><stack>".to_vec();
    list.resize(17 << 20, b' ');
    let error = failure(&folder.file("a", &ora(&[("stack.xml", &list)])));
    assert!(error.contains("16777216 are read"), "{error}");
    let layers = "<layer src='data/a.png'/>".repeat(10_001);
    let list = format!("<image w='4' h='4'><stack>{layers}</stack></image>");
    let error = failure(&folder.file("a", &ora(&[("stack.xml", list.as_bytes())])));
    assert!(error.contains("more than 10000 layers"), "{error}");
}

#[test]
fn many_layers_of_one_picture_cost_it_once_and_limits_hold() {
    let folder = Folder::new();
    let png = plain_png(600, 600, [9, 9, 9, 255]);
    let layers = "<layer src='data/a.png'/>".repeat(10_000);
    let list = format!("<image w='4' h='4'><stack>{layers}</stack></image>");
    let many = ora(&[("stack.xml", list.as_bytes()), ("data/a.png", &png)]);
    let path = folder.file("a", &many);
    let back = opened(&path).document;
    assert_eq!(back.layers.len(), 10_000);
    assert_eq!(back.layers[0].pixels.identity(), back.layers[9999].pixels.identity());

    // 600 pixels take 3 tiles a side.
    let tiles = 9 * 4 * 256 * 256;
    let open = |tile_bytes, pixels| {
        let limits = Limits { tile_bytes, pixels };
        OraFile::open_within(&path, limits).unwrap().document().map_err(|error| error.to_string())
    };
    assert!(open(tiles, 360_000).is_ok());
    assert!(open(tiles - 1, 360_000).unwrap_err().contains("bytes of memory"));
    assert!(open(tiles, 359_999).unwrap_err().contains("have 360000 pixels"));
}

#[test]
fn directories_that_no_program_writes_are_refused() {
    let folder = Folder::new();
    for name in ["../a", "a/../../b", "/etc/a", "C:/a", "a\\b", "a\0b", "./a"] {
        let error = failure(&folder.file("a", &ora(&[(name, b"x")])));
        assert!(error.contains("isn't opened: an entry is called"), "{name}: {error}");
    }
    // Two of the same name: the second was written under another one.
    let mut twice = ora(&[("data/a.png", b"x"), ("data/b.png", b"y")]);
    while let Some(at) = twice.windows(10).position(|bytes| bytes == b"data/b.png") {
        twice[at + 5] = b'a';
    }
    assert!(failure(&folder.file("a", &twice)).contains("two entries have the same name"));
    // Two that are the same bytes.
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("mimetype", stored).unwrap();
    zip.write_all(b"image/openraster").unwrap();
    zip.start_file("data/a.png", stored).unwrap();
    zip.write_all(&[7; 3000]).unwrap();
    zip.shallow_copy_file("data/a.png", "data/b.png").unwrap();
    let over = zip.finish().unwrap().into_inner();
    assert!(failure(&folder.file("a", &over)).contains("lie over each other"));
}

#[test]
fn lists_of_layers_that_make_no_sense_are_explained() {
    let check = |xml: &str, expected: &str| {
        let error = StackXml::parse(xml).unwrap_err().to_string();
        assert!(error.contains(expected), "{xml}: {error}");
    };
    check("", "it is empty");
    check("<stack/>", "doesn't start with <image>");
    check("<image w='1' h='1'/><image w='1' h='1'/>", "doesn't start with <image>");
    check("<image w='1'><stack/></image>", "has no height");
    check("<image w='1' h='0'><stack/></image>", "the canvas' height is 0");
    check("<image w='16385' h='1'><stack/></image>", "1 to 16384 pixels");
    check("<image w='-1' h='1'><stack/></image>", "which is no number");
    check("<image w='99999999999999999999' h='1'/>", "which is no number");
    check("<image w='1' h='1'><stack>", "ends too soon");
    check("<image w='1' h='1'><stack></image>", "expected `</stack>`");
    check(
        "<image w='1' h='1'><stack><layer src='&lol;'/></stack></image>",
        "unrecognized entity `lol`",
    );
    let deep = "<stack>".repeat(200);
    check(&format!("<image w='1' h='1'>{deep}"), "more than 100 groups");
    let bomb = "<!DOCTYPE a [<!ENTITY l 'll'><!ENTITY m '&l;&l;&l;'>]>\
                <image w='1' h='1'><stack><layer name='&m;' src='a'/></stack></image>";
    check(bomb, "unrecognized entity `m`");
    // Attributes by the hundred thousand take no longer than they are long.
    let attributes: String = (0..200_000).fold(String::new(), |all, i| all + &format!(" a{i}=''"));
    let xml = format!("<image w='1' h='1'><stack><layer src='a'{attributes}/></stack></image>");
    assert_eq!(StackXml::parse(&xml).unwrap().0.layers.len(), 1);
}

#[test]
fn what_has_no_counterpart_is_replaced_with_a_remark() {
    let xml = "<image w='8' h='8'><stack>\
        <layer name='mode' src='a.png' composite-op='svg:dst-in'/>\
        <layer name='opacity' src='b.png' opacity='half'/>\
        <layer name='bright' src='b.png' opacity='7.5'/>\
        <layer name='far' src='c.png' x='9999999999'/>\
        <layer name='nowhere' src='c.png' y='NaN'/>\
        <layer name='bare'/>\
        <filter name='blur' type='applications:krita:blur'/>\
        <text name='words'/>\
        </stack></image>";
    let (stack, remarks) = StackXml::parse(xml).unwrap();
    let names: Vec<&str> = stack.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["mode", "opacity", "bright"]);
    assert_eq!(stack.layers[0].blend_mode, BlendMode::Normal);
    assert_eq!((stack.layers[1].opacity, stack.layers[2].opacity), (1.0, 1.0));
    for (remark, name) in
        remarks.iter().zip(["mode", "opacity", "far", "nowhere", "bare", "blur", "words"])
    {
        assert!(remark.contains(&format!("\"{name}\"")), "{remark}");
    }
    assert_eq!(remarks.len(), 7);
    // Not more of them than anybody reads.
    let many = format!("<image w='8' h='8'><stack>{}</stack></image>", "<text/>".repeat(500));
    let (_, remarks) = StackXml::parse(&many).unwrap();
    assert_eq!(remarks.len(), 51);
    assert!(remarks[50].contains("450 more"));
}

#[test]
fn a_file_as_krita_writes_it() {
    // Attributes as `kis_open_raster_stack_save_visitor.cpp` sets them: the root has all of a
    // layer's, a layer without a place lies at the origin, groups are isolated.
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <image w=\"40\" xres=\"300\" h=\"30\" yres=\"300\" version=\"0.0.1\">\n\
        <stack composite-op=\"svg:src-over\" name=\"root\" opacity=\"1\" visibility=\"visible\" isolation=\"isolate\">\n\
        <layer composite-op=\"krita:exclusion\" name=\"Paint &amp; more\" opacity=\"0.501961\" \
        src=\"data/layer2.png\" visibility=\"visible\" selected=\"true\" edit-locked=\"true\"/>\n\
        <stack composite-op=\"svg:multiply\" name=\"Group 1\" opacity=\"0.5\" visibility=\"hidden\" isolation=\"isolate\">\n\
        <layer composite-op=\"svg:color-dodge\" name=\"In it\" opacity=\"0.5\" src=\"data/layer1.png\" \
        visibility=\"visible\" x=\"-3\" y=\"4\"></layer>\n</stack>\n\
        <layer composite-op=\"krita:linear light\" name=\"Background\" opacity=\"1\" src=\"data/layer0.png\" visibility=\"visible\"/>\n\
        </stack>\n</image>\n";
    let (red, green, blue) = ([255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]);
    let bytes = ora(&[
        ("data/layer0.png", &plain_png(40, 30, red)),
        ("data/layer1.png", &plain_png(5, 5, green)),
        ("data/layer2.png", &plain_png(40, 30, blue)),
        ("stack.xml", xml.as_bytes()),
        ("mergedimage.png", &plain_png(40, 30, red)),
        ("Thumbnails/thumbnail.png", &plain_png(40, 30, red)),
    ]);
    let folder = Folder::new();
    let Opened { document, remarks } = opened(&folder.file("krita.ora", &bytes));
    assert_eq!(document.extent, Extent::new(40, 30));
    let [background, inner, paint] = document.layers.as_slice() else { panic!("{document:?}") };
    assert_eq!(
        (background.name.as_str(), background.blend_mode),
        ("Background", BlendMode::Normal)
    );
    assert_eq!(inner.pixels.bounds(), Some(PixelRect::new(-3, 4, 5, 5)));
    assert_eq!((inner.opacity, inner.visible), (0.25, false));
    assert_eq!(inner.blend_mode, BlendMode::ColorDodge);
    assert_eq!(paint.name, "Paint & more");
    assert_eq!((paint.opacity, paint.locked), (0.501_961, true));
    assert_eq!(paint.blend_mode, BlendMode::Exclusion);
    assert_eq!(document.active, paint.id);
    assert_eq!(remarks.len(), 3, "{remarks:?}");
    assert!(remarks[0].contains("The group \"Group 1\" was dissolved"));
    assert!(remarks[1].contains("The blend mode of the group \"Group 1\""));
    assert!(remarks[2].contains("\"krita:linear light\""));
}

#[test]
fn a_file_as_gimp_writes_it() {
    // As `file-openraster.py` does: single quotes, no version, opacities like 1.0 and 0.667.
    let xml = "<?xml version='1.0' encoding='UTF-8'?>\n<image h=\"20\" w=\"10\"><stack>\
        <layer composite-op=\"svg:plus\" name=\"\u{c9}bauche #1\" opacity=\"0.667\" \
        src=\"data/000.png\" visibility=\"hidden\" x=\"7\" y=\"-2\" />\
        <layer composite-op=\"svg:src-over\" name=\"\" opacity=\"1.0\" src=\"data/001.png\" \
        visibility=\"visible\" x=\"0\" y=\"0\" /></stack></image>";
    let bytes = ora(&[
        ("data/000.png", &plain_png(9, 9, [1, 2, 3, 200])),
        ("data/001.png", &plain_png(10, 20, [4, 5, 6, 255])),
        ("mergedimage.png", &plain_png(10, 20, [4, 5, 6, 255])),
        ("stack.xml", xml.as_bytes()),
    ]);
    let folder = Folder::new();
    let Opened { document, remarks } = opened(&folder.file("gimp.ora", &bytes));
    assert_eq!(remarks, Vec::<String>::new());
    let [lower, upper] = document.layers.as_slice() else { panic!("{document:?}") };
    assert_eq!((upper.name.as_str(), upper.opacity, upper.visible), ("Ébauche #1", 0.667, false));
    assert_eq!(upper.blend_mode, BlendMode::Add);
    assert_eq!(upper.pixels.bounds(), Some(PixelRect::new(7, -2, 9, 9)));
    assert_eq!(lower.name, "001");
    assert_eq!(document.active, upper.id);
}

#[test]
fn damaged_layers_are_left_out_with_a_remark() {
    let xml = "<image w='4' h='4'><stack>\
        <layer name='good' src='data/a.png'/><layer name='cut' src='data/b.png'/>\
        <layer name='gone' src='data/c.png'/><layer name='vector' src='data/d.svg'/></stack></image>";
    let good = plain_png(4, 4, [1, 2, 3, 255]);
    let cut = &good[..good.len() - 20];
    let entries = [
        ("stack.xml", xml.as_bytes()),
        ("data/a.png", &good),
        ("data/b.png", cut),
        ("data/d.svg", b"<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'/>"),
    ];
    let folder = Folder::new();
    let back = opened(&folder.file("a", &ora(&entries)));
    assert_eq!(back.document.layers.len(), 1);
    assert_eq!(back.document.layers[0].name, "good");
    assert_eq!(back.remarks.len(), 3);
    for name in ["cut", "gone", "vector"] {
        let named = format!("The layer {name:?} was left out: ");
        assert!(back.remarks.iter().any(|remark| remark.starts_with(&named)), "{:?}", back.remarks);
    }

    // None is left: the merged picture, where there is one.
    let rest = [entries[0], entries[2], entries[3]];
    let error = failure(&folder.file("a", &ora(&rest)));
    assert!(error.contains("no picture in the project can be read"), "{error}");
    for stack in [xml.as_bytes(), b"<image".as_slice(), b"\xff\xfe<\0"] {
        let bytes = ora(&[("stack.xml", stack), rest[1], ("mergedimage.png", &good)]);
        let back = opened(&folder.file("a", &bytes));
        assert_eq!(back.document.extent, Extent::new(4, 4));
        assert_eq!(back.document.layers[0].pixels.pixel(3, 3), [1, 2, 3, 255]);
        assert!(back.remarks[0].contains("one merged picture"), "{:?}", back.remarks);
    }
}

#[test]
fn pngs_of_every_kind_become_the_same_pixels() {
    use png::BitDepth::{Eight, One, Sixteen};
    use png::ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
    let check = |bytes: &[u8], expected: [u8; 4]| {
        let folder = Folder::new();
        let bytes = ora(&[("stack.xml", ONE_LAYER), ("data/a.png", bytes)]);
        let back = opened(&folder.file("a", &bytes));
        assert_eq!(back.document.layers[0].pixels.pixel(0, 0), expected);
        assert_eq!(back.remarks, Vec::<String>::new());
    };
    check(&png(1, 1, Rgba, Eight, &[1, 2, 3, 4]), [1, 2, 3, 4]);
    check(&png(1, 1, Rgb, Eight, &[1, 2, 3]), [1, 2, 3, 255]);
    check(&png(1, 1, Grayscale, Eight, &[9]), [9, 9, 9, 255]);
    check(&png(1, 1, GrayscaleAlpha, Eight, &[9, 8]), [9, 9, 9, 8]);
    check(&png(1, 1, Grayscale, One, &[0x80]), [255, 255, 255, 255]);
    check(&png(1, 1, Indexed, Eight, &[1]), [40, 50, 60, 77]);
    check(&png(1, 1, Indexed, One, &[0x00]), [10, 20, 30, 255]);
    // 0x80ff is 128.49 in 255ths of the whole, 0x7f80 127.0, 0x8081 exactly 128.
    let wide = [0x80, 0xff, 0x7f, 0x80, 0x80, 0x81, 0xff, 0xff];
    check(&png(1, 1, Rgba, Sixteen, &wide), [128, 127, 128, 255]);
    check(&png(1, 1, Rgb, Sixteen, &wide[..6]), [128, 127, 128, 255]);
    check(&png(1, 1, Grayscale, Sixteen, &wide[..2]), [128, 128, 128, 255]);
    check(&png(1, 1, GrayscaleAlpha, Sixteen, &wide[..4]), [128, 128, 128, 127]);

    // With a color profile, even one that can't be used, the picture is read as a whole.
    let mut bytes = Vec::new();
    let mut info = png::Info::with_size(1, 1);
    info.icc_profile = Some(Cow::Borrowed(b"no profile"));
    let mut encoder = png::Encoder::with_info(&mut bytes, info).unwrap();
    encoder.set_color(Rgba);
    encoder.set_depth(Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[5, 6, 7, 8]).unwrap();
    writer.finish().unwrap();
    check(&bytes, [5, 6, 7, 8]);
}

#[test]
fn more_entries_than_an_old_archive_can_have() {
    let folder = Folder::new();
    let path = folder.path("a.ora");
    let document = Document::new(Extent::new(1, 1), "One");
    let count: u32 = 66_000;
    let entries = |content: fn(u32) -> EntryContent<'static>| {
        let entry = |i| Entry { name: format!("gesso/tiles/{i}"), content: content(i) };
        (0..count).map(entry).collect::<Vec<_>>()
    };
    let stored = entries(|i| EntryContent::Stored(Cow::Owned(i.to_le_bytes().to_vec())));
    write(&path, &Contents { entries: stored, ..contents(&document) }, None).unwrap();
    let kept = entries(|i| EntryContent::KeepFrom(format!("gesso/tiles/{i}")));
    let contents = Contents { entries: kept, ..contents(&document) };
    let report = write(&path, &contents, Some(&path)).unwrap();
    assert_eq!((report.copied, report.copied_bytes), (66_000, 264_000));
    let mut file = OraFile::open(&path).unwrap();
    assert_eq!(file.entries_below("gesso/tiles/").len(), 66_000);
    let last = file.entry("gesso/tiles/65999", 4).unwrap().unwrap();
    assert_eq!(last, 65_999u32.to_le_bytes());
}
