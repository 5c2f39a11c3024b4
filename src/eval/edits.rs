//! Edits whose true result is known: an instruction, the scene after it, and what to answer.

use serde::{Deserialize, Serialize};

use crate::eval::dice::Dice;
use crate::eval::layout::group;
use crate::eval::scene::{Ground, Item, Scene};
use crate::eval::words::{Place, number_word, style_words};
use crate::eval::world::World;

/// Side of things that are added. Training has them from 0.28 to 0.42, and the instruction does not
/// say how large; the middle is what a model can best guess.
const ADDED_SIZE: f64 = 0.35;
/// Scenes that are tried before a kind of edit is given up.
const ATTEMPTS: usize = 500;

/// A kind of edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EditKind {
    /// A thing more.
    Add,
    /// A thing less.
    Remove,
    /// Another thing in its place.
    Replace,
    /// A thing in another color.
    Tint,
    /// Another background.
    Background,
    /// The same in another style.
    Style,
    /// A thing in another place.
    Move,
    /// A thing larger or smaller.
    Size,
    /// Left and right exchanged.
    Flip,
    /// More of the same.
    Count,
}

impl EditKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Add,
        Self::Remove,
        Self::Replace,
        Self::Tint,
        Self::Background,
        Self::Style,
        Self::Move,
        Self::Size,
        Self::Flip,
        Self::Count,
    ];

    /// The name in reports and domains.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
            Self::Tint => "tint",
            Self::Background => "background",
            Self::Style => "style",
            Self::Move => "move",
            Self::Size => "size",
            Self::Flip => "flip",
            Self::Count => "count",
        }
    }
}

/// An edit with its true result.
#[derive(Clone, Debug, PartialEq)]
pub struct EditCase {
    /// What is edited.
    pub before: Scene,
    /// What the user says.
    pub instruction: String,
    /// What then is to be seen.
    pub after: Scene,
    /// What is answered.
    pub reply: String,
    /// Another answer that is as right, where there is one.
    pub also_right: Option<String>,
    /// The thing in `after` that is new and can be recognized.
    pub newcomer: Option<usize>,
}

impl World {
    /// An edit of a kind; `None` where the domain has none.
    #[must_use]
    pub fn edit(&self, dice: &mut Dice, kind: EditKind) -> Option<EditCase> {
        (0..ATTEMPTS).find_map(|_| {
            let (scene, layout) = self.scene_with_layout(dice)?;
            if !layout.allows(kind) {
                return None;
            }
            let case = self.edit_of(dice, kind, scene)?;
            let after = self.settled(case.after)?;
            (after != case.before).then_some(EditCase { after, ..case })
        })
    }

    fn edit_of(&self, dice: &mut Dice, kind: EditKind, before: Scene) -> Option<EditCase> {
        match kind {
            EditKind::Add => self.add(dice, before),
            EditKind::Remove => self.remove(dice, before),
            EditKind::Replace => self.replace(dice, before),
            EditKind::Tint => self.tint(dice, before),
            EditKind::Background => self.change_ground(dice, before),
            EditKind::Style => self.change_style(dice, before),
            EditKind::Move => self.move_item(dice, before),
            EditKind::Size => self.resize(dice, before),
            EditKind::Flip => flip(dice, before),
            EditKind::Count => self.count(dice, before),
        }
    }

    /// One of the things, where its name means no other.
    fn unambiguous(&self, dice: &mut Dice, scene: &Scene) -> Option<usize> {
        let chosen = dice.below(scene.items.len());
        let item = scene.items.get(chosen)?;
        let meant = |other: &&Item| self.share_a_noun(item.concept, other.concept);
        (scene.items.iter().filter(meant).count() == 1).then_some(chosen)
    }

    fn add(&self, dice: &mut Dice, before: Scene) -> Option<EditCase> {
        if before.items.len() >= self.max_items().min(3) {
            return None;
        }
        let free = |&(_, (x, y)): &(&Place, (f64, f64))| {
            before.items.iter().all(|item| {
                let far = 0.32 + item.size * 0.35;
                (x - item.x).abs() > far || (y - item.y).abs() > far
            })
        };
        let places: Vec<_> = self.places().iter().copied().filter(free).collect();
        let &(place, at) = dice.pick(&places)?;
        let item = self.item(dice, before.style, at, ADDED_SIZE)?;
        if before.items.iter().any(|other| self.share_a_noun(other.concept, item.concept)) {
            return None;
        }
        let what = format!("{} {}", self.a(dice, &item), place.phrase);
        let instruction = dice.one_of([
            format!("add {what}"),
            format!("put {what}"),
            format!("place {what}"),
            format!("can you add {what}?"),
            format!("draw {what}"),
        ])?;
        let replies = [format!("Added {what}."), format!("Here is {what}.")];
        let reply = dice.one_of(replies.clone())?;
        let also_right = replies.into_iter().find(|other| *other != reply);
        let mut after = before.clone();
        let newcomer = Some(after.items.len());
        after.items.push(item);
        Some(EditCase { before, instruction, after, reply, also_right, newcomer })
    }

    fn remove(&self, dice: &mut Dice, before: Scene) -> Option<EditCase> {
        let chosen = self.unambiguous(dice, &before)?;
        let what = self.the(dice, before.items.get(chosen)?);
        let verbs = ["remove", "delete", "take away", "erase", "get rid of"];
        let instruction = format!("{} {what}", dice.pick(&verbs)?);
        let mut after = before.clone();
        after.items.remove(chosen);
        let reply = format!("Removed {what}.");
        Some(EditCase { before, instruction, after, reply, also_right: None, newcomer: None })
    }

    fn replace(&self, dice: &mut Dice, before: Scene) -> Option<EditCase> {
        let chosen = self.unambiguous(dice, &before)?;
        let old = before.items.get(chosen)?;
        let others: Vec<usize> = self
            .things(before.style, old.size)
            .into_iter()
            .filter(|&other| !self.share_a_noun(old.concept, other))
            .collect();
        let new = Item { concept: *dice.pick(&others)?, tint: None, ..old.clone() };
        let (from, to) = (self.the(dice, old), self.a(dice, &new));
        let instruction = dice.one_of([
            format!("replace {from} with {to}"),
            format!("turn {from} into {to}"),
            format!("change {from} to {to}"),
            format!("swap {from} for {to}"),
            format!("make {from} {to}"),
        ])?;
        let mut after = before.clone();
        *after.items.get_mut(chosen)? = new;
        let reply = format!("Replaced {from} with {to}.");
        Some(EditCase {
            before,
            instruction,
            after,
            reply,
            also_right: None,
            newcomer: Some(chosen),
        })
    }

    fn tint(&self, dice: &mut Dice, before: Scene) -> Option<EditCase> {
        let chosen = before.items.get(dice.below(before.items.len()))?;
        // All of a kind are painted together, but nothing else may have that name.
        let meant = |item: &Item| self.share_a_noun(item.concept, chosen.concept);
        let same = |item: &Item| item.concept == chosen.concept && item.tint == chosen.tint;
        if before.items.iter().any(|item| meant(item) && !same(item)) {
            return None;
        }
        let own = self.own_color(chosen.concept);
        let now = chosen.tint.or(own);
        let colors: Vec<_> =
            self.tints().iter().copied().filter(|&color| now != Some(color)).collect();
        let color = *dice.pick(&colors)?;
        let (what, name) = (self.the(dice, chosen), color.name);
        let instruction = dice.one_of([
            format!("make {what} {name}"),
            format!("paint {what} {name}"),
            format!("color {what} {name}"),
            format!("change {what} to {name}"),
            format!("recolor {what} in {name}"),
        ])?;
        let mut after = before.clone();
        for item in after.items.iter_mut().filter(|item| meant(item)) {
            item.tint = if own == Some(color) { None } else { Some(color) };
        }
        let reply = format!("Made {what} {name}.");
        Some(EditCase { before, instruction, after, reply, also_right: None, newcomer: None })
    }

    fn change_ground(&self, dice: &mut Dice, before: Scene) -> Option<EditCase> {
        let ground = self.ground(dice)?;
        // Backgrounds of one kind have one name, so neither of them can be asked for.
        let name = self.ground_phrase(ground);
        if name == self.ground_phrase(before.ground) || !self.suits(before.style, ground) {
            return None;
        }
        let short = match ground {
            Ground::Flat(color) => color.name.to_owned(),
            Ground::Gradient(top, bottom) => format!("{} to {} gradient", top.name, bottom.name),
            Ground::Scenery(_) => name.clone(),
        };
        let third = match ground {
            Ground::Scenery(_) => format!("put it {}", dice.pick(&self.on_ground(ground))?),
            _ => format!("use {name}"),
        };
        let instruction = dice.one_of([
            format!("change the background to {short}"),
            format!("make the background {short}"),
            third,
        ])?;
        let after = Scene { ground, ..before.clone() };
        let reply = format!("The background is {short} now.");
        Some(EditCase { before, instruction, after, reply, also_right: None, newcomer: None })
    }

    fn change_style(&self, dice: &mut Dice, before: Scene) -> Option<EditCase> {
        let drawn = |style: usize| {
            let has = |item: &Item| self.collection.sprite(item.concept, style).is_some();
            before.items.iter().all(has)
        };
        let styles: Vec<usize> = (0..self.collection.styles.len())
            .filter(|&style| style != before.style && drawn(style))
            .filter(|&style| self.suits(style, before.ground))
            .collect();
        let style = *dice.pick(&styles)?;
        let names = style_words(self.collection.styles.get(style)?);
        let name = dice.pick(&names)?;
        let instruction = dice.one_of([
            format!("make it {name}"),
            format!("turn this into {name} style"),
            format!("redraw it as {name}"),
            format!("in {name} style please"),
            format!("convert to {name}"),
        ])?;
        let after = Scene { style, ..before.clone() };
        let reply = format!("Redrew it in {name} style.");
        Some(EditCase { before, instruction, after, reply, also_right: None, newcomer: None })
    }

    fn move_item(&self, dice: &mut Dice, before: Scene) -> Option<EditCase> {
        if before.items.len() > 2 {
            return None;
        }
        let chosen = self.unambiguous(dice, &before)?;
        let item = before.items.get(chosen)?;
        if item.size > 0.6 {
            return None;
        }
        let free = |&(_, (x, y)): &(&Place, (f64, f64))| {
            let mut others = before.items.iter().enumerate().filter(|&(at, _)| at != chosen);
            (x - item.x).abs() + (y - item.y).abs() > 0.5
                && others.all(|(_, other)| (x - other.x).abs() > 0.45 || (y - other.y).abs() > 0.45)
        };
        let places: Vec<_> = self.places().iter().copied().filter(free).collect();
        let &(place, at) = dice.pick(&places)?;
        let what = self.the(dice, item);
        let instruction = dice.one_of([
            format!("move {what} {}", place.way),
            format!("put {what} {}", place.phrase),
            format!("shift {what} {}", place.way),
        ])?;
        let mut after = before.clone();
        let moved = after.items.get_mut(chosen)?;
        (moved.x, moved.y) = at;
        let reply = format!("Moved {what}.");
        Some(EditCase { before, instruction, after, reply, also_right: None, newcomer: None })
    }

    fn resize(&self, dice: &mut Dice, before: Scene) -> Option<EditCase> {
        let [item] = &before.items[..] else { return None };
        let what = self.the(dice, item);
        let larger = item.size < 0.5;
        let resized = if larger {
            // Towards the middle, so that it stays in the picture.
            let size = (item.size * 1.7).min(0.95);
            Item { size, x: item.x * 0.4, y: item.y * 0.4, ..item.clone() }
        } else {
            Item { size: item.size * 0.55, ..item.clone() }
        };
        let how = *dice.pick(if larger { &["bigger", "larger"] } else { &["smaller", "tiny"] })?;
        let verb = if larger { "enlarge" } else { "shrink" };
        let instruction = dice.one_of([format!("make {what} {how}"), format!("{verb} {what}")])?;
        let after = Scene { items: vec![resized], ..before.clone() };
        let reply = format!("Made {what} {how}.");
        Some(EditCase { before, instruction, after, reply, also_right: None, newcomer: None })
    }

    fn count(&self, dice: &mut Dice, before: Scene) -> Option<EditCase> {
        let [item] = &before.items[..] else { return None };
        let scenic = self.things(before.style, 0.0).contains(&item.concept);
        if item.tint.is_some() || !scenic {
            return None;
        }
        let numbers: Vec<usize> = (2..=self.max_items()).collect();
        let number = *dice.pick(&numbers)?;
        let (places, size) = group(number);
        let (word, many) = (number_word(number), self.many(item));
        let many = dice.pick(&many)?;
        let instruction = dice.one_of([
            format!("make it {word} {many}"),
            format!("I want {word} {many}"),
            format!("show {word} of them"),
        ])?;
        let items = places.iter().map(|&(x, y)| Item { x, y, size, ..item.clone() }).collect();
        let after = Scene { items, ..before.clone() };
        let reply = format!("Now there are {word}.");
        Some(EditCase { before, instruction, after, reply, also_right: None, newcomer: None })
    }
}

/// Things are mirrored; grounds stay as they are, as they do in training.
fn flip(dice: &mut Dice, before: Scene) -> Option<EditCase> {
    if before.items.is_empty() || matches!(before.ground, Ground::Scenery(_)) {
        return None;
    }
    let instruction =
        dice.one_of(["mirror the image", "flip it horizontally", "mirror it", "flip the picture"])?;
    let mut after = before.clone();
    for item in &mut after.items {
        item.x = -item.x;
        item.flipped = !item.flipped;
    }
    let reply = "Mirrored the picture.".to_owned();
    Some(EditCase {
        before,
        instruction: instruction.to_owned(),
        after,
        reply,
        also_right: None,
        newcomer: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::dice::Purpose;
    use crate::eval::domain::Domain;
    use crate::eval::sprites::Source;
    use crate::eval::world::Split;

    fn world() -> World {
        World::new(&Source::BuiltIn, &Domain::default(), Split::Whole).unwrap()
    }

    fn cases(world: &World, kind: EditKind) -> Vec<EditCase> {
        let case = |case| world.edit(&mut Dice::new(5, Purpose::Edit(kind as u32), case), kind);
        (0..60).filter_map(case).collect()
    }

    #[test]
    fn every_kind_but_style_can_be_asked_of_one_style() {
        let world = world();
        for kind in EditKind::ALL {
            let cases = cases(&world, kind);
            assert_eq!(cases.len(), if kind == EditKind::Style { 0 } else { 60 }, "{kind:?}");
            for case in &cases {
                assert_ne!(case.before, case.after, "{}", case.instruction);
            }
        }
    }

    #[test]
    fn instructions_and_replies_are_whole_sentences_about_what_is_there() {
        let world = world();
        let double = |text: &str| text.contains("  ") || text.contains("the the ");
        for case in EditKind::ALL.into_iter().flat_map(|kind| cases(&world, kind)) {
            let (text, reply) = (&case.instruction, &case.reply);
            assert!(!double(text) && !double(reply), "{text} / {reply}");
            assert!(reply.ends_with('.') && reply.starts_with(|c: char| c.is_uppercase()));
            for wrong in [" a a", " a e", " a i", " a o", " an c", "to in ", "to on "] {
                assert!(!text.contains(wrong), "{text}");
            }
            // Who is spoken of is there, once.
            let named = |item: &&Item| {
                let nouns = &world.collection.concepts[item.concept].nouns;
                nouns.iter().any(|noun| {
                    text.contains(&format!("the {noun}"))
                        || item
                            .tint
                            .is_some_and(|tint| text.contains(&format!("the {} ", tint.name)))
                })
            };
            if text.contains("the ") && text.starts_with("remove") {
                assert!(case.before.items.iter().any(|item| named(&item)), "{text}");
            }
        }
    }

    #[test]
    fn the_scene_after_differs_in_what_was_asked_for_alone() {
        let world = world();
        for case in cases(&world, EditKind::Add) {
            let (before, after) = (&case.before.items, &case.after.items);
            assert_eq!(before[..], after[..before.len()]);
            assert_eq!(case.newcomer, Some(before.len()));
        }
        for case in cases(&world, EditKind::Remove) {
            assert_eq!(case.after.items.len() + 1, case.before.items.len());
        }
        for case in cases(&world, EditKind::Replace) {
            let new = &case.after.items[case.newcomer.unwrap()];
            let nouns = &world.collection.concepts[new.concept].nouns;
            assert!(nouns.iter().any(|noun| case.instruction.contains(noun)), "{case:?}");
        }
        for case in cases(&world, EditKind::Background) {
            assert_eq!(case.before.items, case.after.items);
        }
        for case in cases(&world, EditKind::Count) {
            let word = number_word(case.after.items.len());
            assert!(case.instruction.contains(word) && case.reply.contains(word));
        }
        for case in cases(&world, EditKind::Move) {
            let place = |item: &Item| crate::eval::words::nearest_place(item.x, item.y);
            let moved = case.before.items.iter().zip(&case.after.items).find(|(a, b)| a != b);
            let (_, moved) = moved.unwrap();
            let (way, phrase) = (place(moved).way, place(moved).phrase);
            assert!(case.instruction.ends_with(way) || case.instruction.ends_with(phrase));
        }
    }
}
