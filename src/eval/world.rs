//! What scenes of an evaluation can be: a collection within a domain, and scenes drawn from it.

use crate::eval::dice::Dice;
use crate::eval::domain::Domain;
use crate::eval::edits::EditKind;
use crate::eval::error::EvalError;
use crate::eval::questions::QuestionKind;
use crate::eval::scene::{Ground, Item, Scene};
use crate::eval::sprites::{Collection, Source, Wanted};
use crate::eval::words::{self, COLORS, Color, LINES, PLACES, Place, SCENERY, TINTS};

/// The most things in one scene.
const MOST_ITEMS: usize = 4;
/// Things below this size must be ones that work as a small part of a scene.
const SMALL: f64 = 0.6;

/// Which sprites are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// Those that models are trained on.
    #[default]
    Trained,
    /// Those that are held out of training, in order to see what carries over from other styles.
    HeldOut,
    /// All.
    Whole,
}

impl Split {
    const fn has(self, held_out: bool) -> bool {
        match self {
            Self::Trained => !held_out,
            Self::HeldOut => held_out,
            Self::Whole => true,
        }
    }

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trained => "trained",
            Self::HeldOut => "held-out",
            Self::Whole => "all",
        }
    }
}

/// A collection within a domain.
#[derive(Clone, Debug)]
pub struct World {
    /// The sprites; those that are not asked for are among the candidates still.
    pub collection: Collection,
    /// What is asked for: things, one list a style.
    asked: Vec<Vec<usize>>,
    flat: Vec<&'static Color>,
    gradients: bool,
    /// Drawn backgrounds of the collection.
    scenery: Vec<usize>,
    tints: Vec<&'static Color>,
    places: Vec<&'static Place>,
    max_items: usize,
    edits: Vec<EditKind>,
    questions: Vec<QuestionKind>,
}

impl World {
    /// Reads a collection and restricts it.
    ///
    /// # Errors
    ///
    /// When the collection can't be read, the domain names what there is not, or nothing is left.
    pub fn new(source: &Source, domain: &Domain, split: Split) -> Result<Self, EvalError> {
        let codepoints: Option<Vec<String>> = domain
            .sprites
            .as_ref()
            .map(|list| list.iter().map(|known| known.codepoint.clone()).collect());
        let wanted = Wanted { styles: domain.styles.as_deref(), codepoints: codepoints.as_deref() };
        let mut collection = Collection::read(source, wanted)?;
        for known in domain.sprites.iter().flatten() {
            let concept = collection
                .find(&known.codepoint)
                .and_then(|at| collection.concepts.get_mut(at))
                .ok_or_else(|| unknown("sprite", &known.codepoint, "the collection"))?;
            if !known.nouns.is_empty() {
                concept.nouns.clone_from(&known.nouns);
                concept.plural.clone_from(&known.plural);
                concept.colorless = None;
            }
        }
        let asked: Vec<Vec<usize>> = (0..collection.styles.len())
            .map(|style| {
                let asked = |&concept: &usize| {
                    let sprite = collection.sprite(concept, style);
                    sprite.is_some_and(|sprite| split.has(sprite.held_out))
                };
                (0..collection.concepts.len()).filter(asked).collect()
            })
            .collect();
        let all_colors: Vec<&str> = COLORS.iter().map(|color| color.name).collect();
        let colors = |names: Option<&Vec<String>>, all: &[&'static str]| {
            let all: Vec<String> = all.iter().map(|&name| name.to_owned()).collect();
            names
                .unwrap_or(&all)
                .iter()
                .map(|name| words::color(name).ok_or_else(|| unknown("color", name, COLORS_LIST)))
                .collect::<Result<Vec<_>, EvalError>>()
        };
        for kind in domain.scenery.iter().flatten() {
            if !SCENERY.iter().any(|scenery| scenery.kind == kind) {
                return Err(unknown("kind of background", kind, "meadow, beach, night and so on"));
            }
        }
        let scenery = (0..collection.backdrops.len()).filter(|&at| {
            let kind = collection.backdrops.get(at).map(|backdrop| backdrop.scenery.kind);
            domain.scenery.as_ref().is_none_or(|list| list.iter().any(|k| Some(k.as_str()) == kind))
        });
        let places = match &domain.places {
            None => PLACES.iter().collect(),
            Some(names) => names
                .iter()
                .map(|name| {
                    let place = PLACES.iter().find(|place| place.phrase == name);
                    place.ok_or_else(|| unknown("place", name, "in the center, on the left, ..."))
                })
                .collect::<Result<Vec<_>, EvalError>>()?,
        };
        let edits = match &domain.edits {
            None => EditKind::ALL.to_vec(),
            Some(names) => parsed(names)?,
        };
        let questions = match &domain.questions {
            None => QuestionKind::ALL.to_vec(),
            Some(names) => parsed(names)?,
        };
        let world = Self {
            flat: colors(domain.backgrounds.as_ref(), &all_colors)?,
            tints: colors(domain.tints.as_ref(), &TINTS)?,
            gradients: domain.gradients.unwrap_or(true),
            scenery: scenery.collect(),
            asked,
            collection,
            places,
            max_items: domain.max_items.unwrap_or(MOST_ITEMS).clamp(1, MOST_ITEMS),
            edits,
            questions,
        };
        world.check(split)?;
        Ok(world)
    }

    fn check(&self, split: Split) -> Result<(), EvalError> {
        if self.asked.iter().all(Vec::is_empty) {
            let which = match split {
                Split::HeldOut => "held out of training",
                _ => "trained on",
            };
            return Err(EvalError::Empty(format!(
                "none of the sprites of this evaluation is {which}; choose another --split or --data"
            )));
        }
        if self.flat.is_empty() {
            return Err(EvalError::Empty(
                "the domain has no flat backgrounds, and drawings are told from those".to_owned(),
            ));
        }
        Ok(())
    }

    /// The kinds of edits that are evaluated.
    #[must_use]
    pub fn edit_kinds(&self) -> &[EditKind] {
        &self.edits
    }

    /// The kinds of questions that are evaluated.
    #[must_use]
    pub fn question_kinds(&self) -> &[QuestionKind] {
        &self.questions
    }

    /// The colors that things are painted in.
    pub(crate) fn tints(&self) -> &[&'static Color] {
        &self.tints
    }

    /// The places where small things stand.
    pub(crate) fn places(&self) -> &[&'static Place] {
        &self.places
    }

    /// The most things in one scene.
    pub(crate) const fn max_items(&self) -> usize {
        self.max_items
    }

    /// Whether pictures in different styles can be asked for, so that the style must be said.
    pub(crate) fn has_styles(&self) -> bool {
        self.collection.styles.len() > 1
    }

    /// Things that are asked for, in one style; small ones where they must work in a scene.
    pub(crate) fn things(&self, style: usize, size: f64) -> Vec<usize> {
        let all = self.asked.get(style).map_or(&[][..], Vec::as_slice);
        let fits = |&concept: &usize| {
            size >= SMALL
                || self.collection.concepts.get(concept).is_some_and(|concept| concept.scenic)
        };
        all.iter().copied().filter(fits).collect()
    }

    /// Whether a thing has a name that it shares with another.
    pub(crate) fn share_a_noun(&self, a: usize, b: usize) -> bool {
        let nouns = |at: usize| {
            let concept = self.collection.concepts.get(at);
            concept.map_or(&[][..], |concept| concept.nouns.as_slice())
        };
        nouns(a).iter().any(|noun| nouns(b).contains(noun))
    }

    /// The usual name of a thing.
    pub(crate) fn name(&self, concept: usize) -> String {
        let concept = self.collection.concepts.get(concept);
        concept.and_then(|concept| concept.nouns.first()).cloned().unwrap_or_default()
    }

    /// How many sprites there are, asked for or not.
    #[must_use]
    pub fn sprites(&self) -> usize {
        self.collection.concepts.iter().flat_map(|concept| &concept.sprites).flatten().count()
    }

    /// What is evaluated, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let things: std::collections::BTreeSet<usize> =
            self.asked.iter().flatten().copied().collect();
        let styles = self.collection.styles.join(", ");
        let more = if self.gradients { ", gradients" } else { "" };
        let scenery = match self.scenery.len() {
            0 => String::new(),
            count => format!(", {count} drawn ones"),
        };
        format!(
            "{} things ({styles}); {} flat backgrounds{more}{scenery}; {} tints; {} places; up to {} \
             things in a picture",
            things.len(),
            self.flat.len(),
            self.tints.len(),
            self.places.len(),
            self.max_items,
        )
    }
}

/// For messages about colors.
const COLORS_LIST: &str = "white, black, gray, red, orange, yellow, green, teal, blue, navy, purple, \
                           pink, brown, beige, sky blue and mint";

fn unknown(what: &str, name: &str, known: &str) -> EvalError {
    EvalError::Empty(format!("the domain names a {what} that is not in {known}: {name:?}"))
}

fn parsed<T: std::str::FromStr<Err = String>>(names: &[String]) -> Result<Vec<T>, EvalError> {
    names.iter().map(|name| name.parse().map_err(EvalError::Empty)).collect()
}

/// Drawing scenes.
impl World {
    /// Whether black lines vanish on a ground.
    pub(crate) fn is_dark(&self, ground: Ground) -> bool {
        match ground {
            Ground::Flat(color) => color.dark,
            Ground::Gradient(top, bottom) => top.dark || bottom.dark,
            Ground::Scenery(at) => {
                self.collection.backdrops.get(at).is_some_and(|backdrop| backdrop.scenery.dark)
            }
        }
    }

    /// Whether things of a style can be seen on a ground.
    pub(crate) fn suits(&self, style: usize, ground: Ground) -> bool {
        let lines = self.collection.styles.get(style).is_some_and(|style| style == LINES);
        !lines || !self.is_dark(ground)
    }

    /// A ground: often white, mostly of one color.
    pub(crate) fn ground(&self, dice: &mut Dice) -> Option<Ground> {
        let white = self.flat.iter().copied().find(|color| color.name == "white");
        let two = self.gradients && self.flat.len() > 1;
        let weights = [
            if white.is_some() { 0.3 } else { 0.0 },
            0.32,
            if self.scenery.is_empty() { 0.0 } else { 0.3 },
            if two { 0.08 } else { 0.0 },
        ];
        match weighted(dice, &weights) {
            0 => white.map(Ground::Flat),
            1 => self.flat_ground(dice),
            2 => dice.pick(&self.scenery).copied().map(Ground::Scenery),
            _ => {
                let top = *dice.pick(&self.flat)?;
                let others: Vec<&Color> =
                    self.flat.iter().copied().filter(|color| *color != top).collect();
                Some(Ground::Gradient(top, dice.pick(&others)?))
            }
        }
    }

    /// A ground of one color.
    pub(crate) fn flat_ground(&self, dice: &mut Dice) -> Option<Ground> {
        dice.pick(&self.flat).copied().map(Ground::Flat)
    }

    /// A style that something is asked for in.
    pub(crate) fn style(&self, dice: &mut Dice) -> Option<usize> {
        let styles: Vec<usize> =
            (0..self.asked.len()).filter(|&style| !self.things(style, 1.0).is_empty()).collect();
        dice.pick(&styles).copied()
    }

    /// A thing of any kind, now and then painted.
    pub(crate) fn item(
        &self,
        dice: &mut Dice,
        style: usize,
        (x, y): (f64, f64),
        size: f64,
    ) -> Option<Item> {
        let tinted = dice.chance(0.12);
        let tint = if tinted { dice.pick(&self.tints).copied() } else { None };
        let concept = *dice.pick(&self.things(style, size))?;
        Some(Item { tint, ..Item::new(concept, x, y, size) })
    }

    /// One large thing in the middle.
    pub(crate) fn large(&self, dice: &mut Dice, style: usize) -> Option<Item> {
        let (x, y) = (dice.around(0.06), dice.around(0.06));
        let size = dice.between(0.7, 0.95);
        self.item(dice, style, (x, y), size)
    }

    /// A scene of any kind: one large thing, a small one, several of a kind, or a few in a row.
    pub(crate) fn scene(&self, dice: &mut Dice) -> Option<Scene> {
        let style = self.style(dice)?;
        let mut ground = self.ground(dice)?;
        if !self.suits(style, ground) {
            ground = Ground::Flat(self.flat.iter().find(|color| !color.dark)?);
        }
        let several = if self.max_items > 1 { 1.0 } else { 0.0 };
        let small = if self.places.is_empty() { 0.0 } else { 0.18 };
        let items = match weighted(dice, &[0.5, small, 0.1 * several, 0.22 * several]) {
            0 => vec![self.large(dice, style)?],
            1 => {
                let place = *dice.pick(&self.places)?;
                let (x, y) = (place.x + dice.around(0.06), place.y + dice.around(0.06));
                let size = dice.between(0.25, 0.55);
                vec![self.item(dice, style, (x, y), size)?]
            }
            2 => {
                let numbers: Vec<usize> = (2..=self.max_items).collect();
                let (places, size) = group(*dice.pick(&numbers)?);
                let item = self.item(dice, style, (0.0, 0.0), size)?;
                let at = |&(x, y): &(f64, f64)| {
                    let (x, y) = (x + dice.around(0.03), y + dice.around(0.03));
                    Item { x, y, ..item.clone() }
                };
                places.iter().map(at).collect()
            }
            _ => self.row(dice, style)?,
        };
        Some(Scene { style, ground, items })
    }

    /// Two or three things side by side, or one above the other.
    fn row(&self, dice: &mut Dice, style: usize) -> Option<Vec<Item>> {
        let two = dice.chance(0.7) || self.max_items < 3;
        let across = dice.chance(0.65);
        let (places, size): (&[f64], f64) =
            if two { (&[-0.45, 0.45], 0.46) } else { (&[-0.62, 0.0, 0.62], 0.32) };
        let mut items = Vec::with_capacity(places.len());
        for &place in places {
            let (x, y) = if across { (place, 0.0) } else { (0.0, place) };
            let at = (x + dice.around(0.05), y + dice.around(0.05));
            let size = size * dice.between(0.88, 1.08);
            items.push(self.item(dice, style, at, size)?);
        }
        Some(items)
    }
}

/// Where several of a kind stand, and how large they are.
pub(crate) const fn group(number: usize) -> (&'static [(f64, f64)], f64) {
    match number {
        2 => (&[(-0.45, 0.0), (0.45, 0.0)], 0.44),
        3 => (&[(-0.6, 0.0), (0.0, 0.0), (0.6, 0.0)], 0.3),
        _ => (&[(-0.42, -0.42), (0.42, -0.42), (-0.42, 0.42), (0.42, 0.42)], 0.4),
    }
}

/// One of the indexes, each as often as its weight says.
fn weighted(dice: &mut Dice, weights: &[f64]) -> usize {
    let mut left = dice.unit() * weights.iter().sum::<f64>();
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::dice::Purpose;

    fn domain(json: &str) -> Domain {
        serde_json::from_str(json).unwrap()
    }

    fn world(json: &str) -> World {
        World::new(&Source::BuiltIn, &domain(json), Split::Trained).unwrap()
    }

    fn scenes(world: &World) -> Vec<Scene> {
        (0..200).map(|case| world.scene(&mut Dice::new(1, Purpose::Draw, case)).unwrap()).collect()
    }

    #[test]
    fn scenes_stay_within_the_domain() {
        let world = world(
            r#"{"sprites":[{"codepoint":"1f697","nouns":["auto"]},{"codepoint":"26bd"}],
            "backgrounds":["white","red"],"gradients":false,"scenery":[],"tints":["blue"],
            "places":["on the left"],"max_items":2}"#,
        );
        let scenes = scenes(&world);
        assert!(scenes.iter().any(|scene| scene.items.len() == 2));
        assert!(scenes.iter().any(|scene| scene.items[0].tint.is_some()));
        for scene in &scenes {
            let Ground::Flat(color) = scene.ground else { panic!("{scene:?}") };
            assert!(["white", "red"].contains(&color.name));
            assert!((1..=2).contains(&scene.items.len()));
            for item in &scene.items {
                assert!(item.concept < 2);
                assert!(item.tint.is_none_or(|tint| tint.name == "blue"));
            }
            if let [item] = &scene.items[..] {
                assert!(item.size > 0.6 || (item.x + 0.5).abs() < 0.07, "{item:?}");
            }
        }
    }

    #[test]
    fn without_a_domain_everything_comes_up() {
        let world = world("{}");
        let scenes = scenes(&world);
        for number in 1..=4 {
            assert!(scenes.iter().any(|scene| scene.items.len() == number), "{number}");
        }
        assert!(scenes.iter().any(|scene| matches!(scene.ground, Ground::Gradient(..))));
        assert!(scenes.iter().any(|scene| matches!(scene.ground, Ground::Scenery(_))));
        let held_out = |item: &Item| world.collection.sprite(item.concept, 0).unwrap().held_out;
        assert!(!scenes.iter().flat_map(|scene| &scene.items).any(held_out));
        let rest = World::new(&Source::BuiltIn, &Domain::default(), Split::HeldOut).unwrap();
        assert_eq!(rest.things(0, 1.0).len(), 4);
    }

    #[test]
    fn what_the_domain_names_must_be_there() {
        for (json, part) in [
            (r#"{"sprites":[{"codepoint":"1f697"},{"codepoint":"ffff"}]}"#, "ffff"),
            (r#"{"backgrounds":["mauve"]}"#, "mauve"),
            (r#"{"tints":["mauve"]}"#, "mauve"),
            (r#"{"scenery":["moon base"]}"#, "moon base"),
            (r#"{"places":["behind"]}"#, "behind"),
            (r#"{"edits":["melt"]}"#, "melt"),
            (r#"{"questions":["why"]}"#, "why"),
            (r#"{"backgrounds":[]}"#, "no flat backgrounds"),
        ] {
            let error = World::new(&Source::BuiltIn, &domain(json), Split::Trained).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(serde_json::from_str::<Domain>(r#"{"colours":[]}"#).is_err());
        let json = r#"{"sprites":[{"codepoint":"1f697"}]}"#;
        let error = World::new(&Source::BuiltIn, &domain(json), Split::HeldOut).unwrap_err();
        assert!(error.to_string().contains("held out"), "{error}");
    }
}
