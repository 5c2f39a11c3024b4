//! The words that scenes are described in: colors, places, styles, grounds; articles and plurals.
//!
//! Models of this kind learn their language from these tables, so they are part of the contract
//! between training and evaluation.

/// A color with a name.
#[derive(Debug, PartialEq, Eq)]
pub struct Color {
    /// The name.
    pub name: &'static str,
    /// Red, green and blue, sRGB.
    pub rgb: [u8; 3],
    /// Whether black lines vanish on it.
    pub dark: bool,
}

const fn light(name: &'static str, rgb: [u8; 3]) -> Color {
    Color { name, rgb, dark: false }
}

const fn dark(name: &'static str, rgb: [u8; 3]) -> Color {
    Color { name, rgb, dark: true }
}

/// All colors that grounds have.
pub static COLORS: [Color; 16] = [
    light("white", [255, 255, 255]),
    dark("black", [20, 20, 24]),
    light("gray", [140, 144, 150]),
    light("red", [222, 54, 48]),
    light("orange", [245, 140, 40]),
    light("yellow", [250, 212, 60]),
    light("green", [66, 168, 82]),
    light("teal", [38, 160, 160]),
    light("blue", [52, 110, 220]),
    dark("navy", [24, 38, 92]),
    light("purple", [132, 76, 196]),
    light("pink", [244, 140, 182]),
    dark("brown", [134, 86, 52]),
    light("beige", [238, 222, 190]),
    light("sky blue", [150, 206, 246]),
    light("mint", [176, 232, 204]),
];

/// The names of the colors that things are painted in.
pub static TINTS: [&str; 10] =
    ["red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "brown", "gray"];

/// The color of this name.
#[must_use]
pub fn color(name: &str) -> Option<&'static Color> {
    COLORS.iter().find(|color| color.name == name)
}

/// A place in a picture.
#[derive(Debug, PartialEq)]
pub struct Place {
    /// What it is called.
    pub phrase: &'static str,
    /// What the way to it is called.
    pub way: &'static str,
    /// Its center, -1 at the left to 1 at the right.
    pub x: f64,
    /// Its center, -1 at the top to 1 at the bottom.
    pub y: f64,
}

const fn place(phrase: &'static str, way: &'static str, x: f64, y: f64) -> Place {
    Place { phrase, way, x, y }
}

/// All places, from the top left to the bottom right.
pub static PLACES: [Place; 9] = [
    place("in the top left", "to the top left", -0.5, -0.5),
    place("at the top", "to the top", 0.0, -0.5),
    place("in the top right", "to the top right", 0.5, -0.5),
    place("on the left", "to the left", -0.5, 0.0),
    place("in the center", "to the center", 0.0, 0.0),
    place("on the right", "to the right", 0.5, 0.0),
    place("in the bottom left", "to the bottom left", -0.5, 0.5),
    place("at the bottom", "to the bottom", 0.0, 0.5),
    place("in the bottom right", "to the bottom right", 0.5, 0.5),
];

/// The place that a point lies nearest to.
#[must_use]
pub(crate) fn nearest_place(x: f64, y: f64) -> &'static Place {
    let distance = |place: &Place| (place.x - x).powi(2) + (place.y - y).powi(2);
    let mut nearest = &PLACES[0];
    for place in &PLACES {
        if distance(place) < distance(nearest) {
            nearest = place;
        }
    }
    nearest
}

/// What a style of drawing is called; the first is its usual name.
#[must_use]
pub(crate) fn style_words(style: &str) -> Vec<String> {
    let words: &[&str] = match style {
        "3d" => &["3d render", "3d", "glossy 3d render"],
        "flat" => &["flat icon", "flat design", "flat vector"],
        "mono" => &["line icon", "line art", "black line icon"],
        "noto" => &["cartoon", "shaded cartoon", "cartoon drawing"],
        "twemoji" => &["minimal drawing", "simple vector drawing", "minimalist icon"],
        "blob" => &["retro drawing", "retro icon", "old-style drawing"],
        other => return vec![other.to_owned()],
    };
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The style that is black lines alone, and so needs a light ground.
pub(crate) const LINES: &str = "mono";

/// A kind of drawn background.
#[derive(Debug, PartialEq, Eq)]
pub struct Scenery {
    /// Its name in the data.
    pub kind: &'static str,
    /// Where things are that are in it.
    pub places: [&'static str; 2],
    /// What it is, with its article.
    pub noun: &'static str,
    /// Whether black lines vanish on it.
    pub dark: bool,
}

const fn scenery(
    kind: &'static str,
    places: [&'static str; 2],
    noun: &'static str,
    dark: bool,
) -> Scenery {
    Scenery { kind, places, noun, dark }
}

/// All kinds of drawn backgrounds.
pub static SCENERY: [Scenery; 12] = [
    scenery("meadow", ["in a green meadow", "on a grassy field"], "a green meadow", false),
    scenery("beach", ["on a beach", "at the seaside"], "a beach", false),
    scenery("night", ["under a starry night sky", "at night"], "a night sky", true),
    scenery("snow", ["in the snow", "in a winter landscape"], "a snowy field", false),
    scenery("desert", ["in the desert", "among sand dunes"], "a desert", false),
    scenery("sea", ["under water", "in the deep blue sea"], "an underwater scene", true),
    scenery("room", ["in a room", "indoors"], "a room", false),
    scenery("table", ["on a wooden table", "on a table"], "a wooden table", true),
    scenery("road", ["on a road", "on the street"], "a road", false),
    scenery("sunset", ["at sunset", "in front of a sunset"], "a sunset", true),
    scenery("space", ["in outer space", "in space among the stars"], "outer space", true),
    scenery("city", ["in a city", "in front of a city skyline"], "a city skyline", true),
];

/// A number as a word; how many things a scene can have.
#[must_use]
pub(crate) const fn number_word(number: usize) -> &'static str {
    match number {
        0 => "none",
        1 => "one",
        2 => "two",
        3 => "three",
        _ => "four",
    }
}

/// A noun with "a" or "an".
#[must_use]
pub(crate) fn article(noun: &str) -> String {
    let vowel = noun.chars().next().is_some_and(|c| "aeiouAEIOU".contains(c));
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// The plural of a noun that has none in the data.
#[must_use]
pub(crate) fn plural(noun: &str) -> String {
    if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) {
        return format!("{noun}es");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_and_plurals_follow_the_noun() {
        for (noun, one, many) in [
            ("apple", "an apple", "apples"),
            ("car", "a car", "cars"),
            ("fox", "a fox", "foxes"),
            ("cherry", "a cherry", "cherries"),
            ("monkey", "a monkey", "monkeys"),
            ("brush", "a brush", "brushes"),
        ] {
            assert_eq!((article(noun).as_str(), plural(noun).as_str()), (one, many));
        }
    }

    #[test]
    fn tints_are_colors_and_places_are_nearest_to_themselves() {
        assert!(TINTS.iter().all(|name| color(name).is_some()));
        assert!(color("chartreuse").is_none());
        for place in &PLACES {
            assert_eq!(nearest_place(place.x + 0.1, place.y - 0.1), place);
            assert!(place.way.starts_with("to the "));
            let where_to = place.way.trim_start_matches("to ");
            assert!(place.phrase.ends_with(where_to), "{place:?}");
        }
    }
}
