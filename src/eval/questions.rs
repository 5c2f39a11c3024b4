//! Questions about scenes, with all their true answers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::eval::dice::Dice;
use crate::eval::scene::{Ground, Scene};
use crate::eval::words::number_word;
use crate::eval::world::World;

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuestionKind {
    /// What the picture shows.
    Contents,
    /// What the background is.
    Background,
    /// How many things there are.
    Number,
    /// In which style they are drawn.
    Style,
}

impl QuestionKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Contents, Self::Background, Self::Number, Self::Style];

    /// The name in reports and domains.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contents => "contents",
            Self::Background => "background",
            Self::Number => "number",
            Self::Style => "style",
        }
    }
}

/// A question about a scene.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionCase {
    /// What the picture shows.
    pub scene: Scene,
    /// What the user asks.
    pub question: String,
    /// Every answer that is true.
    pub answers: BTreeSet<String>,
}

impl QuestionCase {
    /// Whether an answer is exactly one of the true ones; capitals and the final full stop don't
    /// count.
    #[must_use]
    pub fn is_answered_by(&self, answer: &str) -> bool {
        let plain = |text: &str| {
            let words: Vec<&str> = text.split_whitespace().collect();
            words.join(" ").trim_end_matches('.').to_lowercase()
        };
        let answer = plain(answer);
        self.answers.iter().any(|known| plain(known) == answer)
    }
}

impl World {
    /// A question of a kind about a scene of any kind.
    #[must_use]
    pub fn question(&self, dice: &mut Dice, kind: QuestionKind) -> Option<QuestionCase> {
        let scene = self.scene(dice)?;
        let (question, answers) = match kind {
            QuestionKind::Contents => {
                let ways = ["what is in the picture?", "describe this image", "what do you see?"];
                (*dice.pick(&ways)?, self.captions(&scene))
            }
            QuestionKind::Background => match scene.ground {
                Ground::Flat(color) => {
                    ("what color is the background?", BTreeSet::from([color.name.to_owned()]))
                }
                other => ("what is the background?", BTreeSet::from([self.ground_phrase(other)])),
            },
            QuestionKind::Number => {
                let ways = ["how many things are there?", "how many objects?"];
                let number = number_word(scene.items.len()).to_owned();
                (*dice.pick(&ways)?, BTreeSet::from([number]))
            }
            QuestionKind::Style => {
                ("what style is it?", self.style_names(&scene).into_iter().collect())
            }
        };
        Some(QuestionCase { question: question.to_owned(), answers, scene })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::dice::Purpose;
    use crate::eval::domain::Domain;
    use crate::eval::scene::Item;
    use crate::eval::sprites::Source;
    use crate::eval::words::color;
    use crate::eval::world::Split;

    fn world() -> World {
        World::new(&Source::BuiltIn, &Domain::default(), Split::Whole).unwrap()
    }

    fn captions(world: &World, items: Vec<Item>) -> BTreeSet<String> {
        let ground = Ground::Flat(color("blue").unwrap());
        world.captions(&Scene { style: 0, ground, items })
    }

    #[test]
    fn captions_are_all_that_is_true_and_nothing_else() {
        let world = world();
        let find = |codepoint: &str| world.collection.find(codepoint).unwrap();
        let (apple, car, frog) = (find("1f34e"), find("1f697"), find("1f438"));
        let red = color("red");
        let one = captions(&world, vec![Item { tint: red, ..Item::new(apple, 0.0, 0.0, 0.9) }]);
        for good in [
            "a red apple",
            "a red apple on a blue background",
            "a picture of a red apple",
            "cartoon of a red apple",
            "a red apple on a blue background in cartoon style",
        ] {
            assert!(one.contains(good), "{good}: {one:?}");
        }
        assert!(!one.iter().any(|c| c.contains("center") || c.contains("small")), "{one:?}");
        assert!(!one.iter().any(|c| c.contains("red red")), "{one:?}");
        let small = captions(&world, vec![Item::new(apple, -0.5, 0.0, 0.3)]);
        assert!(small.contains("a small red apple on the left"), "{small:?}");
        assert!(small.contains("an apple on the left"), "{small:?}");
        assert!(!small.contains("small an apple"));
        let pair = || vec![Item::new(car, -0.4, 0.0, 0.4), Item::new(frog, 0.4, 0.1, 0.4)];
        let two = captions(&world, pair());
        for good in
            ["a car and a frog", "a car to the left of a frog", "a frog to the right of a car"]
        {
            assert!(two.contains(good), "{good}: {two:?}");
        }
        assert!(!two.contains("a frog to the left of a car"));
        let mut three = pair();
        three.push(Item::new(apple, 0.0, 0.6, 0.3));
        assert!(captions(&world, three).contains("a car, a frog and an apple"));
        let same = vec![Item::new(frog, -0.4, 0.0, 0.4), Item::new(frog, 0.4, 0.1, 0.4)];
        assert!(captions(&world, same).contains("two frogs"));
    }

    #[test]
    fn prompts_are_captions() {
        let world = world();
        for case in 0..200 {
            let mut dice = Dice::new(2, Purpose::Fill, case);
            let scene = world.scene(&mut dice).unwrap();
            let prompt = world.prompt(&mut dice, &scene);
            let captions = world.captions(&scene);
            assert!(captions.contains(&prompt), "{prompt}: {captions:?}");
        }
    }

    #[test]
    fn answers_must_be_exact_up_to_capitals_and_a_full_stop() {
        let world = world();
        for kind in QuestionKind::ALL {
            for case in 0..20 {
                let mut dice = Dice::new(4, Purpose::Question(kind as u32), case);
                let case = world.question(&mut dice, kind).unwrap();
                for answer in case.answers.iter().step_by(29) {
                    assert!(case.is_answered_by(answer));
                    assert!(case.is_answered_by(&format!(" {}.", answer.to_uppercase())));
                    assert!(!case.is_answered_by(&format!("not {answer}")));
                }
                assert!(!case.is_answered_by(""));
            }
        }
    }
}
