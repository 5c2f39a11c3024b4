//! The evaluation of edits and questions: is the right part changed, and into the right thing?

use serde::Serialize;

use crate::eval::compose::compose;
use crate::eval::dice::{Dice, Purpose};
use crate::eval::edits::EditCase;
use crate::eval::model::EditingModel;
use crate::eval::nearest::nearest_sprite;
use crate::eval::report::{Plan, Seen, fitted, fitted_mask, outlined};
use crate::eval::score::{Mean, RegionScore, changed_region, psnr_inside};
use crate::eval::world::World;
use crate::geom::Extent;
use crate::raster::RgbaImage;

/// How well a model edits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EditReport {
    /// A row for each kind of edit, and one for all.
    pub edits: Vec<EditRow>,
    /// A row for each kind of question, and one for all.
    pub questions: Vec<QuestionRow>,
    /// Every edit.
    pub edit_cases: Vec<EditedCase>,
    /// Every question.
    pub question_cases: Vec<AnsweredCase>,
}

/// How well a model does one kind of edit; means over its cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EditRow {
    /// The kind.
    pub kind: String,
    /// How many cases there were.
    pub count: usize,
    /// PSNR against the true picture inside the part that truly changes.
    pub psnr_db: Option<f64>,
    /// The same for the picture before: what doing nothing gives.
    pub psnr_undone_db: Option<f64>,
    /// The share of edits whose changed region is the right one.
    pub region_right: Option<f64>,
    /// Intersection over union of the changed region and the true one.
    pub region_overlap: Option<f64>,
    /// PSNR of what is to be kept, before the program puts it back byte for byte.
    pub psnr_kept_db: Option<f64>,
    /// The share of edits that bring a new thing where the nearest sprite is that thing.
    pub nearest_is_asked: Option<f64>,
    /// The share of answers that are word for word the expected ones.
    pub reply_exact: Option<f64>,
}

/// How well a model answers one kind of question.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuestionRow {
    /// The kind.
    pub kind: String,
    /// How many there were.
    pub count: usize,
    /// The share of answers that are exactly a true one.
    pub exact: Option<f64>,
}

/// One edit, for people to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EditedCase {
    /// The kind.
    pub kind: &'static str,
    /// What was asked.
    pub instruction: String,
    /// Where the noise started.
    pub seed: u64,
    /// What should be answered.
    pub expected_reply: String,
    /// What could be answered as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also_right: Option<String>,
    /// What was answered.
    pub reply: String,
    /// As in [`EditRow`].
    pub psnr_db: Option<f64>,
    /// As in [`EditRow`].
    pub psnr_undone_db: Option<f64>,
    /// As in [`EditRow`].
    pub psnr_kept_db: Option<f64>,
    /// As in [`EditRow`].
    pub region_overlap: f64,
    /// The share of what was to be kept that changed.
    pub region_spill: f64,
    /// Whether the changed region is the right one.
    pub region_right: bool,
    /// Whether the thing that is new is the one asked for.
    pub nearest_is_asked: Option<bool>,
}

/// One question, for people to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnsweredCase {
    /// The kind.
    pub kind: &'static str,
    /// What was asked.
    pub question: String,
    /// Where chance started.
    pub seed: u64,
    /// One of the true answers.
    pub expected: String,
    /// What was answered.
    pub answer: String,
    /// Whether it is a true answer.
    pub exact: bool,
}

/// Puts a model through edits and questions.
///
/// # Errors
///
/// What the model fails with.
pub fn edit<M: EditingModel>(
    world: &World,
    plan: &Plan,
    model: &mut M,
    seen: &mut dyn FnMut(Seen),
) -> Result<EditReport, M::Error> {
    let kinds = world.edit_kinds().len() + world.question_kinds().len();
    let all = kinds * plan.count as usize;
    let mut edit_cases = Vec::new();
    for &kind in world.edit_kinds() {
        for number in 0..plan.count {
            let mut dice = Dice::new(plan.seed, Purpose::Edit(kind as u32), number);
            let Some(case) = world.edit(&mut dice, kind) else { break };
            let seed = plan.seed.wrapping_add(u64::from(number));
            let (done, row) = score(world, kind.name(), &case, seed, model)?;
            edit_cases.push(done);
            seen(Seen::Case { kind: kind.name(), row, done: edit_cases.len(), all });
        }
    }
    let mut question_cases = Vec::new();
    for &kind in world.question_kinds() {
        for number in 0..plan.count {
            let mut dice = Dice::new(plan.seed, Purpose::Question(kind as u32), number);
            let Some(case) = world.question(&mut dice, kind) else { break };
            let seed = plan.seed.wrapping_add(u64::from(number));
            let picture = compose(&world.collection, &case.scene, model.size());
            let answer = model.ask(&picture, &case.question, seed)?;
            question_cases.push(AnsweredCase {
                kind: kind.name(),
                exact: case.is_answered_by(&answer),
                // The shortest says most plainly what is meant.
                expected: case.answers.iter().min_by_key(|a| a.len()).cloned().unwrap_or_default(),
                question: case.question,
                seed,
                answer,
            });
            let done = edit_cases.len() + question_cases.len();
            seen(Seen::Case { kind: "question", row: vec![picture], done, all });
        }
    }
    let edits = world.edit_kinds().iter().map(|kind| kind.name());
    let edits = edits.map(|kind| edit_row(kind, &edit_cases)).filter(|row| row.count > 0);
    let questions = world.question_kinds().iter().map(|kind| kind.name());
    let questions = questions.map(|kind| question_row(kind, &question_cases));
    Ok(EditReport {
        edits: edits.chain([edit_row(ALL, &edit_cases)]).collect(),
        questions: questions.chain([question_row(ALL, &question_cases)]).collect(),
        edit_cases,
        question_cases,
    })
}

/// The name of the row over all kinds.
const ALL: &str = "all";

fn score<M: EditingModel>(
    world: &World,
    kind: &'static str,
    case: &EditCase,
    seed: u64,
    model: &mut M,
) -> Result<(EditedCase, Vec<RgbaImage>), M::Error> {
    let size = model.size();
    let extent = Extent::new(size, size);
    let collection = &world.collection;
    let before = compose(collection, &case.before, size);
    let truth = compose(collection, &case.after, size);
    let edited = model.edit(&before, &case.instruction, seed)?;
    let (drawn, restored) = (fitted(edited.drawn, extent), fitted(edited.restored, extent));
    let region = fitted_mask(edited.region, extent);
    let true_region = changed_region(&before, &truth);
    let regions = RegionScore::new(&region, &true_region);
    let newcomer = case.newcomer.and_then(|at| Some((at, case.after.items.get(at)?)));
    let nearest_is_asked = newcomer.map(|(at, asked)| {
        let mut without = case.after.clone();
        without.items.remove(at);
        let ground = compose(collection, &without, size);
        let found = nearest_sprite(collection, &restored, &ground, asked);
        found.is_some_and(|found| world.share_a_noun(found.concept, asked.concept))
    });
    let row = vec![before.clone(), truth.clone(), outlined(&restored, &region), drawn.clone()];
    let done = EditedCase {
        kind,
        instruction: case.instruction.clone(),
        seed,
        expected_reply: case.reply.clone(),
        also_right: case.also_right.clone(),
        psnr_db: psnr_inside(&restored, &truth, &true_region),
        psnr_undone_db: psnr_inside(&before, &truth, &true_region),
        psnr_kept_db: psnr_inside(&drawn, &truth, &true_region.inverted()),
        region_overlap: regions.overlap,
        region_spill: regions.spill,
        region_right: regions.is_right(),
        nearest_is_asked,
        reply: edited.words,
    };
    Ok((done, row))
}

fn edit_row(kind: &str, cases: &[EditedCase]) -> EditRow {
    let of_kind: Vec<&EditedCase> =
        cases.iter().filter(|case| kind == ALL || case.kind == kind).collect();
    let mean = |value: &dyn Fn(&EditedCase) -> Option<f64>| {
        let mut mean = Mean::default();
        for case in &of_kind {
            mean.add(value(case));
        }
        mean.value()
    };
    let share = |yes: &dyn Fn(&EditedCase) -> Option<bool>| {
        let mut mean = Mean::default();
        for case in &of_kind {
            mean.tally(yes(case));
        }
        mean.value()
    };
    EditRow {
        kind: kind.to_owned(),
        count: of_kind.len(),
        psnr_db: mean(&|case| case.psnr_db),
        psnr_undone_db: mean(&|case| case.psnr_undone_db),
        region_right: share(&|case| Some(case.region_right)),
        region_overlap: mean(&|case| Some(case.region_overlap)),
        psnr_kept_db: mean(&|case| case.psnr_kept_db),
        nearest_is_asked: share(&|case| case.nearest_is_asked),
        reply_exact: share(&|case| {
            let reply = case.reply.trim();
            Some(reply == case.expected_reply || Some(reply) == case.also_right.as_deref())
        }),
    }
}

fn question_row(kind: &str, cases: &[AnsweredCase]) -> QuestionRow {
    let of_kind: Vec<&AnsweredCase> =
        cases.iter().filter(|case| kind == ALL || case.kind == kind).collect();
    let mut exact = Mean::default();
    for case in &of_kind {
        exact.tally(Some(case.exact));
    }
    QuestionRow { kind: kind.to_owned(), count: of_kind.len(), exact: exact.value() }
}
