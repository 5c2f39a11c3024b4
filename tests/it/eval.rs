//! Evaluations of models that are known through and through.

use gesso::eval::{
    Concept, Dice, Domain, DrawReport, DrawingModel, EditKind, EditReport, Edited, EditingModel,
    Ground, Item, Plan, Purpose, QuestionKind, Scene, Source, Split, TINTS, World, changed_region,
    color, compose, draw, edit,
};
use gesso::geom::Extent;
use gesso::raster::{Mask, RgbaImage};

const SIZE: u32 = 64;
const PLAN: Plan = Plan { count: 3, seed: 7 };

type Never = std::convert::Infallible;

fn world() -> World {
    World::new(&Source::BuiltIn, &Domain::default(), Split::Trained).unwrap()
}

fn everything() -> Mask {
    Mask::from_raw(Extent::new(SIZE, SIZE), vec![255; (SIZE * SIZE) as usize]).unwrap()
}

/// Knows every true result: it draws the same cases from the same seed.
struct Oracle {
    edits: Vec<(RgbaImage, String, Edited)>,
    questions: Vec<(RgbaImage, String, String)>,
}

impl Oracle {
    fn new(world: &World) -> Self {
        let picture = |scene: &Scene| compose(&world.collection, scene, SIZE);
        let mut oracle = Self { edits: Vec::new(), questions: Vec::new() };
        for number in 0..PLAN.count {
            for &kind in world.edit_kinds() {
                let mut dice = Dice::new(PLAN.seed, Purpose::Edit(kind as u32), number);
                if let Some(case) = world.edit(&mut dice, kind) {
                    let (before, after) = (picture(&case.before), picture(&case.after));
                    let edited = Edited {
                        region: changed_region(&before, &after),
                        drawn: after.clone(),
                        restored: after,
                        words: case.reply,
                    };
                    oracle.edits.push((before, case.instruction, edited));
                }
            }
            for &kind in world.question_kinds() {
                let mut dice = Dice::new(PLAN.seed, Purpose::Question(kind as u32), number);
                let case = world.question(&mut dice, kind).unwrap();
                let answer = case.answers.last().unwrap().clone();
                oracle.questions.push((picture(&case.scene), case.question, answer));
            }
        }
        oracle
    }
}

impl EditingModel for Oracle {
    type Error = Never;

    fn size(&self) -> u32 {
        SIZE
    }

    fn edit(&mut self, picture: &RgbaImage, instruction: &str, _: u64) -> Result<Edited, Never> {
        let known =
            self.edits.iter().find(|(before, text, _)| before == picture && text == instruction);
        Ok(known.expect("the picture and the instruction of a case").2.clone())
    }

    fn ask(&mut self, picture: &RgbaImage, question: &str, _: u64) -> Result<String, Never> {
        let known =
            self.questions.iter().find(|(seen, text, _)| seen == picture && text == question);
        Ok(known.expect("the picture and the question of a case").2.clone())
    }
}

/// Changes nothing and says nothing.
struct Idle;

impl EditingModel for Idle {
    type Error = Never;

    fn size(&self) -> u32 {
        SIZE
    }

    fn edit(&mut self, picture: &RgbaImage, _: &str, _: u64) -> Result<Edited, Never> {
        let region = Mask::new(picture.extent());
        let (drawn, restored) = (picture.clone(), picture.clone());
        Ok(Edited { drawn, restored, region, words: String::new() })
    }

    fn ask(&mut self, _: &RgbaImage, _: &str, _: u64) -> Result<String, Never> {
        Ok(String::new())
    }
}

/// Makes the right picture with noise all over it, and lets none of it be put back.
struct Noisy(Oracle);

impl EditingModel for Noisy {
    type Error = Never;

    fn size(&self) -> u32 {
        SIZE
    }

    fn edit(&mut self, picture: &RgbaImage, instruction: &str, seed: u64) -> Result<Edited, Never> {
        let mut edited = self.0.edit(picture, instruction, seed)?;
        let mut dice = Dice::new(seed, Purpose::Draw, 0);
        for pixel in edited.drawn.pixels_mut() {
            for byte in &mut pixel[..3] {
                *byte = (f64::from(*byte) + dice.around(60.0)).clamp(0.0, 255.0) as u8;
            }
        }
        edited.restored = edited.drawn.clone();
        edited.region = everything();
        edited.words.push('!');
        Ok(edited)
    }

    fn ask(&mut self, picture: &RgbaImage, question: &str, seed: u64) -> Result<String, Never> {
        Ok(format!("perhaps {}", self.0.ask(picture, question, seed)?))
    }
}

fn edits<M: EditingModel<Error = Never>>(world: &World, model: &mut M) -> EditReport {
    edit(world, &PLAN, model, &mut |_| ()).unwrap_or_else(|never| match never {})
}

#[test]
fn who_knows_the_truth_has_perfect_scores() {
    let world = world();
    let report = edits(&world, &mut Oracle::new(&world));
    // The built-in sprites have one style, so there is none to change to.
    assert_eq!(report.edits.len(), EditKind::ALL.len());
    assert_eq!(report.questions.len(), QuestionKind::ALL.len() + 1);
    for row in &report.edits {
        assert_eq!((row.psnr_db, row.region_right), (Some(60.0), Some(1.0)), "{row:?}");
        assert_eq!((row.region_overlap, row.reply_exact), (Some(1.0), Some(1.0)), "{row:?}");
        // Of the kept pixels some differ too little to count as changed.
        assert!(row.psnr_kept_db.is_none_or(|db| db == 60.0), "{row:?}");
        assert!(row.psnr_undone_db < Some(30.0), "{row:?}");
        let brings = ["add", "replace", "all"].contains(&row.kind.as_str());
        assert_eq!(row.nearest_is_asked, brings.then_some(1.0), "{row:?}");
    }
    for row in &report.questions {
        assert_eq!(row.exact, Some(1.0), "{row:?}");
    }
}

#[test]
fn who_does_nothing_has_no_edit_right() {
    let world = world();
    let report = edits(&world, &mut Idle);
    for row in &report.edits {
        assert_eq!((row.region_right, row.reply_exact), (Some(0.0), Some(0.0)), "{row:?}");
        assert_eq!(row.psnr_db, row.psnr_undone_db, "{row:?}");
        assert!(row.nearest_is_asked.is_none_or(|share| share == 0.0), "{row:?}");
    }
    assert!(report.questions.iter().all(|row| row.exact == Some(0.0)));
}

#[test]
fn noise_lowers_the_scores_that_it_should() {
    let world = world();
    let report = edits(&world, &mut Noisy(Oracle::new(&world)));
    for row in &report.edits {
        assert!(row.psnr_db.is_some_and(|db| (14.0..25.0).contains(&db)), "{row:?}");
        assert!(row.psnr_kept_db.is_none_or(|db| (14.0..25.0).contains(&db)), "{row:?}");
        assert_eq!(row.reply_exact, Some(0.0));
    }
    let share = |kind: &str| report.edits.iter().find(|row| row.kind == kind).unwrap().region_right;
    assert_eq!((share("add"), share("tint")), (Some(0.0), Some(0.0)), "all of it changed");
    let all = report.edits.last().unwrap();
    assert!(all.nearest_is_asked > Some(0.8), "noise doesn't hide a thing: {all:?}");
    assert!(report.questions.iter().all(|row| row.exact == Some(0.0)));
}

/// Draws one thing, whatever is asked for, or what is asked for where it can.
struct Painter<'a> {
    world: &'a World,
    reads: bool,
}

impl Painter<'_> {
    fn paint(&self, prompt: &str, ground: &RgbaImage, mask: &Mask) -> RgbaImage {
        let concepts = &self.world.collection.concepts;
        let named = |concept: &Concept| {
            concept.nouns.iter().filter(|noun| prompt.contains(*noun)).map(String::len).max()
        };
        let best = (0..concepts.len()).max_by_key(|&at| named(&concepts[at])).unwrap();
        let concept = if self.reads { best } else { self.world.collection.find("26bd").unwrap() };
        let bounds = mask.bounds().unwrap();
        let place = |start: u32, side: u32| f64::from(2 * start + side) / f64::from(SIZE) - 1.0;
        let mut item = Item::new(
            concept,
            place(bounds.x, bounds.width),
            place(bounds.y, bounds.height),
            f64::from(bounds.width.min(bounds.height)) / f64::from(SIZE),
        );
        item.tint = TINTS
            .iter()
            .find(|tint| prompt.contains(&format!(" {tint} ")) && !prompt.contains("background"))
            .and_then(|tint| color(tint));
        let ground_color = color("white").unwrap();
        let ground_of = Ground::Flat(ground_color);
        let scene = |items| Scene { style: 0, ground: ground_of, items };
        let drawn = compose(&self.world.collection, &scene(vec![item]), SIZE);
        let mut painted = ground.clone();
        for ((pixel, new), cover) in
            painted.pixels_mut().iter_mut().zip(drawn.pixels()).zip(mask.as_raw())
        {
            if *cover > 0 && *new != [255; 4] {
                *pixel = *new;
            }
        }
        painted
    }
}

impl DrawingModel for Painter<'_> {
    type Error = Never;

    fn size(&self) -> u32 {
        SIZE
    }

    fn draw(&mut self, prompt: &str, _: u64) -> Result<RgbaImage, Never> {
        let white = RgbaImage::new(Extent::new(SIZE, SIZE), [255; 4]);
        Ok(self.paint(prompt, &white, &everything()))
    }

    fn fill(
        &mut self,
        picture: &RgbaImage,
        mask: &Mask,
        prompt: &str,
        _: u64,
    ) -> Result<Option<RgbaImage>, Never> {
        assert_eq!(picture.extent(), mask.extent());
        Ok(Some(self.paint(prompt, picture, mask)))
    }
}

fn drawings(world: &World, reads: bool) -> DrawReport {
    let plan = Plan { count: 6, seed: 3 };
    let mut model = Painter { world, reads };
    draw(world, &plan, &mut model, &mut |_| ()).unwrap_or_else(|never| match never {})
}

#[test]
fn drawings_are_right_that_show_what_was_asked_for() {
    // Without tints and with one thing a picture the prompt alone says what to draw.
    let domain = r#"{"tints":[],"max_items":1}"#;
    let domain: Domain = serde_json::from_str(domain).unwrap();
    let world = World::new(&Source::BuiltIn, &domain, Split::Trained).unwrap();
    let report = drawings(&world, true);
    assert_eq!(report.candidates, 30);
    for row in &report.rows {
        assert_eq!((row.count, row.nearest_is_asked), (6, Some(1.0)), "{:#?}", report.cases);
    }
    let balls = drawings(&world, false);
    for row in &balls.rows {
        assert!(row.nearest_is_asked < Some(0.3), "{:#?}", balls.cases);
    }
    assert!(balls.cases.iter().all(|case| case.right == (case.asked == "soccer ball")));
}

#[test]
fn the_cases_do_not_depend_on_their_number() {
    let domain =
        r#"{"sprites":[{"codepoint":"1f34e"},{"codepoint":"1f697"},{"codepoint":"26bd"}]}"#;
    let domain: Domain = serde_json::from_str(domain).unwrap();
    let world = World::new(&Source::BuiltIn, &domain, Split::Trained).unwrap();
    let prompts = |count| {
        let plan = Plan { count, seed: 5 };
        let mut model = Painter { world: &world, reads: false };
        let report = draw(&world, &plan, &mut model, &mut |_| ()).unwrap();
        report.cases.into_iter().map(|case| case.prompt).collect::<Vec<_>>()
    };
    let (few, many) = (prompts(2), prompts(5));
    assert_eq!(few[..2], many[..2]);
    assert_eq!(few[2..], many[5..7]);
}
