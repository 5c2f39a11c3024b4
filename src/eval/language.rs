//! What scenes are called: noun phrases, prompts, and every true caption.

use std::collections::BTreeSet;

use crate::eval::dice::Dice;
use crate::eval::scene::{Ground, Item, Scene};
use crate::eval::sprites::{Concept, Counting};
use crate::eval::words::{article, nearest_place, number_word, plural, style_words};
use crate::eval::world::World;

/// Things below this size are called small.
const SMALL: f64 = 0.38;
/// Things above this size are in no place of the picture: they fill it.
const FILLING: f64 = 0.62;

impl World {
    fn concept(&self, item: &Item) -> Option<&Concept> {
        self.collection.concepts.get(item.concept)
    }

    /// The names of a thing.
    fn nouns(&self, item: &Item) -> &[String] {
        self.concept(item).map_or(&[], |concept| concept.nouns.as_slice())
    }

    /// A name of a thing, mostly the usual one.
    pub(crate) fn noun(&self, dice: &mut Dice, item: &Item) -> String {
        let nouns = self.nouns(item);
        let others = nouns.get(1..).unwrap_or_default();
        let usual = others.is_empty() || dice.chance(0.7);
        let noun = if usual { nouns.first() } else { dice.pick(others) };
        noun.cloned().unwrap_or_default()
    }

    /// The noun, with the paint before it.
    pub(crate) fn described(&self, item: &Item, noun: &str) -> String {
        let Some(tint) = item.tint else { return noun.to_owned() };
        let colorless = self.concept(item).and_then(|concept| concept.colorless.as_deref());
        format!("{} {}", tint.name, colorless.unwrap_or(noun))
    }

    /// With the article that the noun takes.
    pub(crate) fn one(&self, item: &Item, described: &str) -> String {
        match self.concept(item).map(|concept| concept.counting).unwrap_or_default() {
            Counting::Countable => article(described),
            Counting::Plural => described.to_owned(),
            Counting::Mass => format!("some {described}"),
        }
    }

    /// A thing that is new in the picture: "a red car".
    pub(crate) fn a(&self, dice: &mut Dice, item: &Item) -> String {
        let noun = self.noun(dice, item);
        self.one(item, &self.described(item, &noun))
    }

    /// A thing that is in the picture: "the car", or "the red car" where it was painted.
    pub(crate) fn the(&self, dice: &mut Dice, item: &Item) -> String {
        let noun = self.noun(dice, item);
        let paint = dice.chance(0.5);
        if paint { format!("the {}", self.described(item, &noun)) } else { format!("the {noun}") }
    }

    /// Several of a kind, without their number.
    pub(crate) fn many(&self, item: &Item) -> Vec<String> {
        let Some(concept) = self.concept(item) else { return Vec::new() };
        let plurals: Vec<String> = if concept.plural.is_empty() {
            concept.nouns.iter().map(|noun| plural(noun)).collect()
        } else {
            vec![concept.plural.clone()]
        };
        let painted = |noun: String| match item.tint {
            Some(tint) => format!("{} {noun}", tint.name),
            None => noun,
        };
        plurals.into_iter().map(painted).collect()
    }

    /// A ground with its article: "a blue background", "a night sky".
    pub(crate) fn ground_phrase(&self, ground: Ground) -> String {
        match ground {
            Ground::Flat(color) => article(&format!("{} background", color.name)),
            Ground::Gradient(top, bottom) => {
                article(&format!("{} to {} gradient background", top.name, bottom.name))
            }
            Ground::Scenery(at) => {
                let backdrop = self.collection.backdrops.get(at);
                backdrop.map_or_else(String::new, |backdrop| backdrop.scenery.noun.to_owned())
            }
        }
    }

    /// The ways to say that things are on a ground: "on a blue background", "at night".
    pub(crate) fn on_ground(&self, ground: Ground) -> Vec<String> {
        match ground {
            Ground::Scenery(at) => {
                let backdrop = self.collection.backdrops.get(at);
                backdrop.map_or_else(Vec::new, |backdrop| {
                    backdrop.scenery.places.iter().map(|&place| place.to_owned()).collect()
                })
            }
            plain => vec![format!("on {}", self.ground_phrase(plain))],
        }
    }

    /// What a model is asked for that shall draw a scene, or the whole of one around a hole.
    ///
    /// The ground is named unless it is white, and then now and then; the style is named where there
    /// are several.
    pub(crate) fn prompt(&self, dice: &mut Dice, scene: &Scene) -> String {
        let mut prompt = match &scene.items[..] {
            [] => "an empty scene".to_owned(),
            [first, _, ..] if of_a_kind(&scene.items) => {
                let many = self.many(first);
                let many = many.first().map_or("", String::as_str);
                format!("{} {many}", number_word(scene.items.len()))
            }
            items => listed(&items.iter().map(|item| self.a(dice, item)).collect::<Vec<_>>()),
        };
        let white = matches!(scene.ground, Ground::Flat(color) if color.name == "white");
        if (!white || dice.chance(0.35))
            && let Some(ground) = dice.pick(&self.on_ground(scene.ground))
        {
            prompt = format!("{prompt} {ground}");
        }
        let style = self.style_names(scene).into_iter().next();
        match style.filter(|_| self.has_styles()) {
            Some(style) => format!("{prompt}, {style}"),
            None => prompt,
        }
    }

    /// What a scene's style is called.
    pub(crate) fn style_names(&self, scene: &Scene) -> Vec<String> {
        self.collection.styles.get(scene.style).map_or_else(Vec::new, |style| style_words(style))
    }

    /// Every caption of a scene that is true in the language of these scenes.
    pub(crate) fn captions(&self, scene: &Scene) -> BTreeSet<String> {
        let mut grounds = vec![String::new()];
        grounds.extend(self.on_ground(scene.ground).into_iter().map(|ground| format!(" {ground}")));
        let mut captions = BTreeSet::new();
        for core in self.cores(&scene.items) {
            for ground in &grounds {
                let plain = format!("{core}{ground}");
                for style in self.style_names(scene) {
                    captions.insert(format!("{plain}, {style}"));
                    captions.insert(format!("{style} of {plain}"));
                    captions.insert(format!("{plain} in {style} style"));
                }
                captions.insert(plain);
            }
        }
        captions
    }

    /// What can be said about the things of a scene.
    fn cores(&self, items: &[Item]) -> Vec<String> {
        match items {
            [] => vec!["an empty scene".to_owned()],
            [item] => self.alone(item),
            [first, ..] if of_a_kind(items) => {
                let number = number_word(items.len());
                self.many(first).into_iter().map(|many| format!("{number} {many}")).collect()
            }
            [a, b] => self.pair(a, b),
            items => {
                let mut lists: Vec<Vec<String>> = vec![Vec::new()];
                for item in items {
                    let names = self.names(item);
                    lists = lists
                        .iter()
                        .flat_map(|list| {
                            names
                                .iter()
                                .map(|name| [&list[..], std::slice::from_ref(name)].concat())
                        })
                        .collect();
                }
                lists.iter().map(|names| listed(names)).collect()
            }
        }
    }

    /// A thing with each of its names and its article.
    fn names(&self, item: &Item) -> Vec<String> {
        self.nouns(item).iter().map(|noun| self.one(item, &self.described(item, noun))).collect()
    }

    fn alone(&self, item: &Item) -> Vec<String> {
        let mut cores = Vec::new();
        for noun in self.nouns(item) {
            let mut described = vec![self.described(item, noun)];
            if item.size < SMALL {
                described.push(format!("small {}", described.concat()));
            }
            for described in described {
                let one = self.one(item, &described);
                cores.push(format!("a picture of {one}"));
                cores.push(one);
                cores.push(described);
            }
        }
        if item.size < FILLING {
            let place = nearest_place(item.x, item.y).phrase;
            let placed: Vec<String> = cores.iter().map(|core| format!("{core} {place}")).collect();
            cores.extend(placed);
        }
        cores
    }

    fn pair(&self, a: &Item, b: &Item) -> Vec<String> {
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        // How the first lies to the second, and the second to the first.
        let (there, back) = match (dx.abs() >= dy.abs(), dx > 0.0, dy > 0.0) {
            (true, true, _) => ("to the left of", "to the right of"),
            (true, false, _) => ("to the right of", "to the left of"),
            (false, _, true) => ("above", "below"),
            (false, _, false) => ("below", "above"),
        };
        let mut cores = Vec::new();
        for a in self.names(a) {
            for b in self.names(b) {
                cores.push(format!("{a} and {b}"));
                cores.push(format!("{b} and {a}"));
                cores.push(format!("{a} {there} {b}"));
                cores.push(format!("{b} {back} {a}"));
            }
        }
        cores
    }
}

/// Whether all things are the same.
fn of_a_kind(items: &[Item]) -> bool {
    items.windows(2).all(|pair| match pair {
        [a, b] => a.concept == b.concept && a.tint == b.tint,
        _ => true,
    })
}

/// "a, b and c".
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
