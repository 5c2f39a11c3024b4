//! The collection of sprites that scenes are composed of: artwork, its words, backgrounds.
//!
//! A small part of it comes with the program; a folder with the whole collection, or with any other
//! in the same layout, can be named instead. The layout: `sprites/index.jsonl` has one line a
//! sprite, `sprites/concepts.jsonl` the words of each thing, both name sheets of square tiles
//! beside them; `backgrounds/index.json` names sheets of drawn backgrounds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::eval::error::EvalError;
use crate::eval::words::{SCENERY, Scenery};
use crate::geom::CanvasRect;
use crate::raster::RgbaImage;
use crate::storage::{Colors, read_image_bytes};

/// Other names of a thing, taken from a dictionary, that are used at most.
const SYNONYMS: usize = 2;

/// Where a collection comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The part that is built into the program.
    BuiltIn,
    /// A folder with `sprites` and, if there are any, `backgrounds` in it.
    Folder(PathBuf),
}

/// The files that are built in.
const BUILT_IN: [(&str, &[u8]); 8] = [
    ("sprites/index.jsonl", include_bytes!("../../assets/eval/sprites/index.jsonl")),
    ("sprites/concepts.jsonl", include_bytes!("../../assets/eval/sprites/concepts.jsonl")),
    ("sprites/noto-00.webp", include_bytes!("../../assets/eval/sprites/noto-00.webp")),
    ("backgrounds/index.json", include_bytes!("../../assets/eval/backgrounds/index.json")),
    ("backgrounds/meadow.webp", include_bytes!("../../assets/eval/backgrounds/meadow.webp")),
    ("backgrounds/beach.webp", include_bytes!("../../assets/eval/backgrounds/beach.webp")),
    ("backgrounds/night.webp", include_bytes!("../../assets/eval/backgrounds/night.webp")),
    ("backgrounds/road.webp", include_bytes!("../../assets/eval/backgrounds/road.webp")),
];

impl Source {
    fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::BuiltIn => PathBuf::from(name),
            Self::Folder(folder) => folder.join(name),
        }
    }

    fn read(&self, what: &'static str, name: &str) -> Result<Cow<'static, [u8]>, EvalError> {
        let path = self.path(name);
        let read = match self {
            Self::BuiltIn => BUILT_IN
                .iter()
                .find(|(file, _)| *file == name)
                .map(|&(_, bytes)| Cow::Borrowed(bytes))
                .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound)),
            Self::Folder(_) => std::fs::read(&path).map(Cow::Owned),
        };
        read.map_err(|source| EvalError::Read { what, source, path })
    }

    /// The records of a file with one JSON object a line.
    fn lines<T: for<'a> Deserialize<'a>>(
        &self,
        what: &'static str,
        name: &str,
    ) -> Result<Vec<T>, EvalError> {
        let bytes = self.read(what, name)?;
        let bad = |line: usize, why: String| EvalError::Parse {
            what,
            why: format!("line {line}: {why}"),
            path: self.path(name),
        };
        let mut records = Vec::new();
        for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            if !line.trim_ascii().is_empty() {
                let record = serde_json::from_slice(line);
                records.push(record.map_err(|error| bad(number, error.to_string()))?);
            }
        }
        Ok(records)
    }

    fn picture(&self, what: &'static str, name: &str) -> Result<RgbaImage, EvalError> {
        let bytes = self.read(what, name)?;
        let path = self.path(name);
        Ok(read_image_bytes(&bytes, &path.to_string_lossy(), Colors::AsStored)?.image)
    }
}

/// Which parts of a collection are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The styles; all without any.
    pub styles: Option<&'a [String]>,
    /// The codepoints of things; all without any.
    pub codepoints: Option<&'a [String]>,
}

/// A line of `sprites/index.jsonl`.
#[derive(Debug, Deserialize)]
struct IndexLine {
    codepoint: String,
    name: String,
    style: String,
    sheet: String,
    x: u32,
    y: u32,
    #[serde(default = "usual_tile")]
    w: u32,
    #[serde(default = "usual_split")]
    split: String,
}

const fn usual_tile() -> u32 {
    128
}

fn usual_split() -> String {
    TRAINED.to_owned()
}

/// The `split` of sprites that models may be trained on; all others are held out.
const TRAINED: &str = "train";

/// A line of `sprites/concepts.jsonl`.
#[derive(Debug, Deserialize)]
struct ConceptLine {
    codepoint: String,
    #[serde(default)]
    nouns: Vec<String>,
    #[serde(default)]
    synonyms: Vec<String>,
    #[serde(default)]
    kind: Counting,
    #[serde(default)]
    plural: String,
    #[serde(default)]
    colorless: Option<String>,
    #[serde(default = "yes")]
    scene: bool,
}

const fn yes() -> bool {
    true
}

/// An entry of `backgrounds/index.json`.
#[derive(Debug, Deserialize)]
struct BackgroundEntry {
    kind: String,
    sheet: String,
    tile: u32,
    cols: u32,
    count: u32,
}

/// How a noun is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Counting {
    /// One by one: "a car".
    #[default]
    #[serde(rename = "c")]
    Countable,
    /// Always in the plural: "grapes".
    #[serde(rename = "p")]
    Plural,
    /// Not at all: "some bread".
    #[serde(rename = "m")]
    Mass,
}

/// A drawing of a thing in one style.
#[derive(Clone, Debug)]
pub struct Sprite {
    /// The square tile, with straight alpha.
    pub tile: RgbaImage,
    /// Whether models are not trained on it.
    pub held_out: bool,
}

/// A thing, with its words and its drawings.
#[derive(Clone, Debug)]
pub struct Concept {
    /// Its character as hexadecimal numbers, joined with hyphens.
    pub codepoint: String,
    /// What it is called; the first is the usual name.
    pub nouns: Vec<String>,
    /// How the nouns are counted.
    pub counting: Counting,
    /// The usual name's plural; empty where it follows the rule.
    pub plural: String,
    /// The noun without the color in it.
    pub colorless: Option<String>,
    /// Whether it can be small in a scene.
    pub scenic: bool,
    /// Its drawings, one a style of the collection.
    pub sprites: Vec<Option<Sprite>>,
}

/// A drawn background.
#[derive(Clone, Debug)]
pub struct Backdrop {
    /// What it shows.
    pub scenery: &'static Scenery,
    /// Its pixels, square.
    pub image: RgbaImage,
}

/// Everything that scenes are composed of.
#[derive(Clone, Debug)]
pub struct Collection {
    /// The names of the styles, in the alphabet's order.
    pub styles: Vec<String>,
    /// The things, in the order of their codepoints.
    pub concepts: Vec<Concept>,
    /// The drawn backgrounds.
    pub backdrops: Vec<Backdrop>,
}

impl Collection {
    /// Reads a collection, or a part of it.
    ///
    /// # Errors
    ///
    /// When a file is missing or damaged, or nothing of what is wanted is there.
    pub fn read(source: &Source, wanted: Wanted<'_>) -> Result<Self, EvalError> {
        let is_wanted = |list: Option<&[String]>, name: &String| {
            list.is_none_or(|list| list.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)))
        };
        let lines: Vec<IndexLine> = source
            .lines::<IndexLine>("the list of sprites", "sprites/index.jsonl")?
            .into_iter()
            .filter(|line| is_wanted(wanted.styles, &line.style))
            .filter(|line| is_wanted(wanted.codepoints, &line.codepoint))
            .collect();
        if lines.is_empty() {
            return Err(EvalError::Empty(format!(
                "none of the sprites that are asked for is in {}",
                match source {
                    Source::BuiltIn =>
                        "the built-in collection; --data names a folder with more".to_owned(),
                    Source::Folder(folder) => format!("the collection: {folder:?}"),
                }
            )));
        }
        let words = source.lines::<ConceptLine>("the list of words", "sprites/concepts.jsonl")?;
        let words: BTreeMap<String, ConceptLine> =
            words.into_iter().map(|line| (line.codepoint.clone(), line)).collect();
        let mut styles: Vec<String> = lines.iter().map(|line| line.style.clone()).collect();
        styles.sort();
        styles.dedup();
        let mut concepts: BTreeMap<&str, Concept> = BTreeMap::new();
        // Sheet by sheet, so that only one of them is in memory with the tiles.
        let mut by_sheet: BTreeMap<&str, Vec<&IndexLine>> = BTreeMap::new();
        for line in &lines {
            by_sheet.entry(&line.sheet).or_default().push(line);
        }
        for (sheet, lines) in by_sheet {
            let name = format!("sprites/{}", plain(sheet, source)?);
            let picture = source.picture("a sheet of sprites", &name)?;
            for line in lines {
                let tile = cut(&picture, line.x, line.y, line.w)
                    .ok_or_else(|| no_tile(source, &name, &line.name))?;
                let concept = concepts
                    .entry(&line.codepoint)
                    .or_insert_with(|| concept(line, words.get(&line.codepoint), styles.len()));
                let sprite = Sprite { tile, held_out: line.split != TRAINED };
                let style = styles.binary_search(&line.style).unwrap_or_default();
                if let Some(place) = concept.sprites.get_mut(style) {
                    *place = Some(sprite);
                }
            }
        }
        let concepts: Vec<Concept> = concepts.into_values().collect();
        Ok(Self { styles, concepts, backdrops: backdrops(source)? })
    }

    /// The drawing of a thing in a style.
    #[must_use]
    pub fn sprite(&self, concept: usize, style: usize) -> Option<&Sprite> {
        self.concepts.get(concept)?.sprites.get(style)?.as_ref()
    }

    /// The thing with this codepoint.
    #[must_use]
    pub fn find(&self, codepoint: &str) -> Option<usize> {
        self.concepts.iter().position(|concept| concept.codepoint.eq_ignore_ascii_case(codepoint))
    }
}

/// The name, if it stays in its folder.
fn plain<'a>(name: &'a str, source: &Source) -> Result<&'a str, EvalError> {
    if Path::new(name).file_name().is_some_and(|file| file == name) {
        return Ok(name);
    }
    Err(EvalError::Parse {
        what: "the list of sheets",
        why: format!("{name:?} is not a plain file name"),
        path: source.path(""),
    })
}

fn no_tile(source: &Source, sheet: &str, name: &str) -> EvalError {
    EvalError::Parse {
        what: "a sheet",
        why: format!("it ends before the tile of {name:?}"),
        path: source.path(sheet),
    }
}

/// The square tile at `x`, `y`, where all of it is there.
fn cut(sheet: &RgbaImage, x: u32, y: u32, side: u32) -> Option<RgbaImage> {
    let extent = sheet.extent();
    let fits = |start: u32, of: u32| start.checked_add(side).is_some_and(|end| end <= of);
    let inside = side > 0 && fits(x, extent.width) && fits(y, extent.height);
    inside.then(|| sheet.crop(CanvasRect::new(x, y, side, side)))
}

fn concept(line: &IndexLine, words: Option<&ConceptLine>, styles: usize) -> Concept {
    let mut nouns = words.map_or_else(Vec::new, |words| words.nouns.clone());
    if nouns.is_empty() {
        nouns.push(line.name.clone());
    }
    if let Some(words) = words {
        let new = words.synonyms.iter().filter(|name| !words.nouns.contains(name));
        nouns.extend(new.take(SYNONYMS).cloned());
    }
    Concept {
        codepoint: line.codepoint.clone(),
        nouns,
        counting: words.map_or(Counting::Countable, |words| words.kind),
        plural: words.map_or_else(String::new, |words| words.plural.clone()),
        colorless: words.and_then(|words| words.colorless.clone()).filter(|noun| !noun.is_empty()),
        scenic: words.is_none_or(|words| words.scene),
        sprites: vec![None; styles],
    }
}

fn backdrops(source: &Source) -> Result<Vec<Backdrop>, EvalError> {
    const INDEX: &str = "backgrounds/index.json";
    if matches!(source, Source::Folder(_)) && !source.path(INDEX).exists() {
        return Ok(Vec::new());
    }
    let what = "the list of backgrounds";
    let bytes = source.read(what, INDEX)?;
    let bad = |why: String| EvalError::Parse { what, why, path: source.path(INDEX) };
    let entries: Vec<BackgroundEntry> =
        serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    let mut backdrops = Vec::new();
    for entry in entries {
        let Some(scenery) = SCENERY.iter().find(|scenery| scenery.kind == entry.kind) else {
            log::warn!("there are no words for backgrounds of the kind {:?}", entry.kind);
            continue;
        };
        let name = format!("backgrounds/{}", plain(&entry.sheet, source)?);
        let sheet = source.picture("a sheet of backgrounds", &name)?;
        for i in 0..entry.count {
            let (column, row) = (i % entry.cols.max(1), i / entry.cols.max(1));
            let (x, y) = (column.saturating_mul(entry.tile), row.saturating_mul(entry.tile));
            let image =
                cut(&sheet, x, y, entry.tile).ok_or_else(|| no_tile(source, &name, &entry.kind))?;
            backdrops.push(Backdrop { scenery, image });
        }
    }
    Ok(backdrops)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_part_is_complete() {
        let all = Collection::read(&Source::BuiltIn, Wanted::default()).unwrap();
        assert_eq!(all.styles, ["noto"]);
        assert_eq!((all.concepts.len(), all.backdrops.len()), (30, 4));
        for concept in &all.concepts {
            let sprite = concept.sprites[0].as_ref().unwrap();
            assert_eq!(sprite.tile.extent(), crate::geom::Extent::new(128, 128));
            let covered = sprite.tile.pixels().iter().filter(|pixel| pixel[3] > 127).count();
            assert!(covered > 1500, "{}", concept.codepoint);
        }
        let held_out = |concept: &&Concept| concept.sprites[0].as_ref().unwrap().held_out;
        assert_eq!(all.concepts.iter().filter(held_out).count(), 4);
        let apple = &all.concepts[all.find("1F34E").unwrap()];
        assert_eq!(apple.nouns, ["red apple", "apple"]);
        assert_eq!(apple.colorless.as_deref(), Some("apple"));
    }

    #[test]
    fn only_what_is_wanted_is_read() {
        let wanted = ["26bd".to_owned(), "1F697".to_owned()];
        let wanted = Wanted { codepoints: Some(&wanted), styles: None };
        let some = Collection::read(&Source::BuiltIn, wanted).unwrap();
        let nouns: Vec<&str> = some.concepts.iter().map(|c| c.nouns[0].as_str()).collect();
        assert_eq!(nouns, ["car", "soccer ball"]);
        let styles = ["oil".to_owned()];
        let wanted = Wanted { codepoints: None, styles: Some(&styles) };
        let message = Collection::read(&Source::BuiltIn, wanted).unwrap_err().to_string();
        assert!(message.contains("--data"), "{message}");
    }

    #[test]
    fn damaged_folders_are_refused_with_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::Folder(folder.path().to_owned());
        let read = || Collection::read(&source, Wanted::default()).unwrap_err().to_string();
        assert!(read().contains("list of sprites can't be read"), "{}", read());
        std::fs::create_dir(folder.path().join("sprites")).unwrap();
        let index = |text: &str| {
            std::fs::write(folder.path().join("sprites/index.jsonl"), text).unwrap();
            std::fs::write(folder.path().join("sprites/concepts.jsonl"), "").unwrap();
        };
        index("\n{}\n");
        assert!(read().contains("line 2"), "{}", read());
        let line = |sheet: &str, x: u32| {
            format!(
                r#"{{"codepoint":"1","name":"dot","style":"a","sheet":"{sheet}","x":{x},"y":0,"w":4}}"#
            )
        };
        index(&line("../a.png", 0));
        assert!(read().contains("not a plain file name"), "{}", read());
        index(&line("a.png", 4_294_967_295));
        let dot = RgbaImage::new(crate::geom::Extent::new(4, 4), [1, 2, 3, 255]);
        let path = folder.path().join("sprites/a.png");
        crate::storage::write_png(&path, &dot, &[], &crate::storage::PngOptions::default())
            .unwrap();
        assert!(read().contains("ends before the tile of \"dot\""), "{}", read());
        index(&line("a.png", 0));
        let whole = Collection::read(&source, Wanted::default()).unwrap();
        assert_eq!(whole.concepts[0].nouns, ["dot"]);
        assert!(whole.backdrops.is_empty());
    }
}
