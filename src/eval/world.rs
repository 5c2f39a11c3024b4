//! What scenes of an evaluation can be: a collection within a domain, and scenes drawn from it.

use crate::eval::dice::Dice;
use crate::eval::domain::{Domain, Known, Places};
use crate::eval::edits::EditKind;
use crate::eval::error::EvalError;
use crate::eval::layout::Layout;
use crate::eval::questions::QuestionKind;
use crate::eval::scene::{Ground, Item, Scene};
use crate::eval::sprites::{Collection, Source, Wanted};
use crate::eval::words::{self, COLORS, Color, LINES, PLACES, Place, SCENERY, TINTS};

/// The most things in one scene.
const MOST_ITEMS: usize = 4;
/// Things below this size must be ones that work as a small part of a scene.
const SMALL: f64 = 0.6;
/// Things that are tried for a scene that has others already.
const ATTEMPTS: usize = 20;

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
    places: Vec<(&'static Place, (f64, f64))>,
    layouts: Vec<Layout>,
    /// Whether edits must lead to one of the layouts.
    closed: bool,
    /// The colors of unpainted things, where they are known.
    own_colors: Vec<Option<&'static Color>>,
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
        let own_colors = collection
            .concepts
            .iter()
            .map(|concept| {
                let named =
                    |known: &&Known| known.codepoint.eq_ignore_ascii_case(&concept.codepoint);
                let known = domain.sprites.iter().flatten().find(named)?;
                words::color(&known.own_color)
            })
            .collect();
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
        let places = places(domain.places.as_ref())?;
        let max_items = domain.max_items.unwrap_or(MOST_ITEMS).clamp(1, MOST_ITEMS);
        let mut layouts = domain.layouts.clone().unwrap_or_else(|| Layout::usual(&places));
        layouts.retain(|layout| (1..=max_items).contains(&layout.items.len()));
        let world = Self {
            flat: colors(domain.backgrounds.as_ref(), &all_colors)?,
            tints: colors(domain.tints.as_ref(), &TINTS)?,
            gradients: domain.gradients.unwrap_or(true),
            scenery: scenery.collect(),
            asked,
            collection,
            places,
            layouts,
            closed: domain.layouts.is_some(),
            own_colors,
            max_items,
            edits: domain.edits.clone().unwrap_or_else(|| EditKind::ALL.to_vec()),
            questions: domain.questions.clone().unwrap_or_else(|| QuestionKind::ALL.to_vec()),
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
        if !self.layouts.iter().any(|layout| layout.middle().is_some()) {
            return Err(EvalError::Empty(
                "the domain has no scenes of one thing in the middle, at (0, 0), and drawings are \
                 asked for there"
                    .to_owned(),
            ));
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

    /// The color of an unpainted thing, where it is known.
    pub(crate) fn own_color(&self, concept: usize) -> Option<&'static Color> {
        self.own_colors.get(concept).copied().flatten()
    }

    /// The places where small things are put.
    pub(crate) fn places(&self) -> &[(&'static Place, (f64, f64))] {
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

/// A place and where it is.
type Placed = (&'static Place, (f64, f64));

fn places(known: Option<&Places>) -> Result<Vec<Placed>, EvalError> {
    let find = |name: &str| {
        let place = PLACES.iter().find(|place| place.phrase == name);
        place.ok_or_else(|| unknown("place", name, "in the center, on the left and so on"))
    };
    let usual = |place: &'static Place| (place, (place.x, place.y));
    match known {
        None => Ok(PLACES.iter().map(usual).collect()),
        Some(Places::Usual(names)) => names.iter().map(|name| find(name).map(usual)).collect(),
        Some(Places::At(places)) => {
            places.iter().map(|(name, &at)| Ok((find(name)?, at))).collect()
        }
    }
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
        let concept = *dice.pick(&self.things(style, size))?;
        let tinted = dice.chance(0.12);
        let tint = if tinted { dice.pick(&self.tints).copied() } else { None };
        let tint = tint.filter(|&tint| self.own_color(concept) != Some(tint));
        Some(Item { tint, ..Item::new(concept, x, y, size) })
    }

    /// One thing in the middle, as large as there are any.
    pub(crate) fn large(&self, dice: &mut Dice, style: usize) -> Option<Item> {
        let size = |layout: &Layout| layout.middle().map_or(0.0, |spot| spot.size.1);
        let layout = self.layouts.iter().max_by(|a, b| size(a).total_cmp(&size(b)))?;
        let (at, size) = layout.drawn(dice)?.into_iter().next()?;
        self.item(dice, style, at, size)
    }

    /// A scene of any kind.
    pub(crate) fn scene(&self, dice: &mut Dice) -> Option<Scene> {
        self.scene_with_layout(dice).map(|(scene, _)| scene)
    }

    /// A scene of any kind, and its layout.
    pub(crate) fn scene_with_layout(&self, dice: &mut Dice) -> Option<(Scene, &Layout)> {
        let style = self.style(dice)?;
        let mut ground = self.ground(dice)?;
        if !self.suits(style, ground) {
            ground = Ground::Flat(self.flat.iter().find(|color| !color.dark)?);
        }
        let weights: Vec<f64> = self.layouts.iter().map(|layout| layout.weight).collect();
        let layout = self.layouts.get(weighted(dice, &weights))?;
        let mut items: Vec<Item> = Vec::with_capacity(layout.items.len());
        for (at, size) in layout.drawn(dice)? {
            let item = match items.first() {
                Some(first) if layout.same => Item { x: at.0, y: at.1, ..first.clone() },
                // Things that differ have different names, so that each can be spoken of.
                _ => (0..ATTEMPTS).find_map(|_| {
                    let new = self.item(dice, style, at, size)?;
                    let taken = |other: &Item| self.share_a_noun(other.concept, new.concept);
                    (!items.iter().any(taken)).then_some(new)
                })?,
            };
            items.push(item);
        }
        Some((Scene { style, ground, items }, layout))
    }

    /// The scene after an edit, brought to a layout where all scenes must have one.
    pub(crate) fn settled(&self, scene: Scene) -> Option<Scene> {
        if !self.closed || scene.items.is_empty() {
            return Some(scene);
        }
        let items = self.layouts.iter().find_map(|layout| layout.settled(&scene.items))?;
        Some(Scene { items, ..scene })
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
    fn edits_lead_from_one_layout_of_the_domain_to_another() {
        let world = world(include_str!("../../assets/models/starter/eval-domain-chat.json"));
        for kind in world.edit_kinds() {
            let mut cases = 0;
            for number in 0..40 {
                let mut dice = Dice::new(1, Purpose::Edit(*kind as u32), number);
                let Some(case) = world.edit(&mut dice, *kind) else { continue };
                cases += 1;
                for scene in [&case.before, &case.after] {
                    let placed: Vec<_> =
                        scene.items.iter().map(|item| (item.x, item.y, item.size)).collect();
                    let known = match &placed[..] {
                        [] => true,
                        [(x, 0.0, 0.44)] => x.abs() == 0.5,
                        [(0.0, 0.0, 0.62)] | [(-0.5, 0.0, 0.44), (0.5, 0.0, 0.44)] => true,
                        [(0.0, 0.0, 0.62), (x, y, 0.34)] => {
                            x.abs() == 0.66 && [0.0, -0.66].contains(y)
                        }
                        _ => false,
                    };
                    assert!(known, "{}: {placed:?}", case.instruction);
                    for item in &scene.items {
                        assert!(item.tint.is_none() || item.tint != world.own_color(item.concept));
                    }
                }
            }
            assert_eq!(cases, 40, "{kind:?}");
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
            (r#"{"layouts":[{"items":[{"at":[[0.5,0]],"size":[0.4,0.4]}]}]}"#, "in the middle"),
            (r#"{"backgrounds":[]}"#, "no flat backgrounds"),
        ] {
            let error = World::new(&Source::BuiltIn, &domain(json), Split::Trained).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
        for json in [r#"{"colours":[]}"#, r#"{"edits":["melt"]}"#, r#"{"questions":["why"]}"#] {
            assert!(serde_json::from_str::<Domain>(json).is_err(), "{json}");
        }
        let json = r#"{"sprites":[{"codepoint":"1f697"}]}"#;
        let error = World::new(&Source::BuiltIn, &domain(json), Split::HeldOut).unwrap_err();
        assert!(error.to_string().contains("held out"), "{error}");
    }
}
