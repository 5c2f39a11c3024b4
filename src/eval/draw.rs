//! The evaluation of drawing and of filling: is it the thing that was asked for?

use serde::Serialize;

use crate::eval::compose::compose;
use crate::eval::dice::{Dice, Purpose};
use crate::eval::model::DrawingModel;
use crate::eval::nearest::{flat_ground_of, nearest_sprite};
use crate::eval::report::{Plan, Seen, fitted};
use crate::eval::scene::{Item, Scene};
use crate::eval::score::Mean;
use crate::eval::world::World;
use crate::geom::{CanvasRect, Extent};
use crate::raster::{Mask, RgbaImage};

/// Scenes that are tried before a case is given up.
const ATTEMPTS: usize = 100;
/// Part of a picture's side that stays around a hole in any case, so that the ground can be seen.
const RIM: f64 = 1.0 / 32.0;

/// What a model is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DrawTask {
    /// A whole picture.
    Draw,
    /// A hole in a picture.
    Fill,
}

impl DrawTask {
    /// All tasks.
    pub const ALL: [Self; 2] = [Self::Draw, Self::Fill];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draw => "draw",
            Self::Fill => "fill",
        }
    }
}

/// How well a model draws.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DrawReport {
    /// A row for each task.
    pub rows: Vec<DrawRow>,
    /// Sprites that a drawing is compared with.
    pub candidates: usize,
    /// Every case.
    pub cases: Vec<DrawnCase>,
}

/// How well a model does one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DrawRow {
    /// The task.
    pub task: DrawTask,
    /// How many cases there were.
    pub count: usize,
    /// The share of pictures whose nearest sprite is the one asked for.
    pub nearest_is_asked: Option<f64>,
}

/// One case, for people to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DrawnCase {
    /// The task.
    pub task: DrawTask,
    /// What was asked.
    pub prompt: String,
    /// Where the noise started.
    pub seed: u64,
    /// The thing that was asked for.
    pub asked: String,
    /// The thing that the drawing comes nearest to; `None` where it shows nothing.
    pub nearest: Option<String>,
    /// Whether they are one.
    pub right: bool,
}

/// Something to draw, and what it should be.
#[derive(Clone, Debug)]
struct DrawCase {
    /// The whole picture.
    scene: Scene,
    /// Which of its things is asked for.
    asked: usize,
    prompt: String,
}

/// Puts a model through drawing and filling.
///
/// # Errors
///
/// What the model fails with.
pub fn draw<M: DrawingModel>(
    world: &World,
    plan: &Plan,
    model: &mut M,
    seen: &mut dyn FnMut(Seen),
) -> Result<DrawReport, M::Error> {
    let candidates = world.sprites();
    let mut report = DrawReport { rows: Vec::new(), candidates, cases: Vec::new() };
    let all = DrawTask::ALL.len() * plan.count as usize;
    for task in DrawTask::ALL {
        let mut right = Mean::default();
        let mut count = 0;
        for number in 0..plan.count {
            if let Some(case) = world.draw_case(task, plan.seed, number) {
                let seed = plan.seed.wrapping_add(u64::from(number));
                let Some((done, row)) = score(world, task, &case, seed, model)? else { break };
                right.tally(Some(done.right));
                count += 1;
                report.cases.push(done);
                seen(Seen::Case { kind: task.name(), row, done: report.cases.len(), all });
            }
        }
        if count > 0 {
            report.rows.push(DrawRow { task, count, nearest_is_asked: right.value() });
        }
    }
    Ok(report)
}

/// One case and its pictures; `None` where the model doesn't do the task.
fn score<M: DrawingModel>(
    world: &World,
    task: DrawTask,
    case: &DrawCase,
    seed: u64,
    model: &mut M,
) -> Result<Option<(DrawnCase, Vec<RgbaImage>)>, M::Error> {
    let size = model.size();
    let extent = Extent::new(size, size);
    let collection = &world.collection;
    let nothing = Item::new(0, 0.0, 0.0, 1.0);
    let asked = case.scene.items.get(case.asked).unwrap_or(&nothing);
    let truth = compose(collection, &case.scene, size);
    let (picture, ground, mut row) = match task {
        DrawTask::Draw => {
            let picture = fitted(model.draw(&case.prompt, seed)?, extent);
            let ground = flat_ground_of(&picture);
            (picture, ground, Vec::new())
        }
        DrawTask::Fill => {
            let mut without = case.scene.clone();
            without.items.remove(case.asked);
            let ground = compose(collection, &without, size);
            let hole = hole(asked, size);
            let Some(filled) = model.fill(&ground, &hole, &case.prompt, seed)? else {
                return Ok(None);
            };
            let picture = fitted(filled, extent);
            let shown = with_hole(&ground, &hole);
            (picture, ground, vec![shown])
        }
    };
    let found = nearest_sprite(collection, &picture, &ground, asked);
    let right = found.is_some_and(|found| world.share_a_noun(found.concept, asked.concept));
    let lookalike = found.map_or_else(
        || RgbaImage::new(extent, [0; 4]),
        |found| {
            let mut scene = Scene { style: found.style, ..case.scene.clone() };
            if let Some(item) = scene.items.get_mut(case.asked) {
                item.concept = found.concept;
            }
            compose(collection, &scene, size)
        },
    );
    row.extend([truth, picture, lookalike]);
    let done = DrawnCase {
        task,
        prompt: case.prompt.clone(),
        seed,
        asked: world.name(asked.concept),
        nearest: found.map(|found| world.name(found.concept)),
        right,
    };
    Ok(Some((done, row)))
}

/// The hole that a thing is to be drawn in: its tile.
fn hole(asked: &Item, size: u32) -> Mask {
    let side = f64::from(size);
    let pixel = |at: f64| {
        let place = f64::midpoint(at, 1.0) * side;
        place.clamp(side * RIM, side * (1.0 - RIM))
    };
    let start = |at: f64| pixel(at - asked.size).floor() as u32;
    let end = |at: f64| pixel(at + asked.size).ceil() as u32;
    let (left, top) = (start(asked.x), start(asked.y));
    let rect = CanvasRect::new(
        left,
        top,
        end(asked.x).saturating_sub(left),
        end(asked.y).saturating_sub(top),
    );
    let mut mask = Mask::new(Extent::new(size, size));
    mask.fill(rect, 255);
    mask
}

/// The picture as it is shown to people: the hole is transparent.
fn with_hole(picture: &RgbaImage, hole: &Mask) -> RgbaImage {
    let mut shown = picture.clone();
    for (pixel, cover) in shown.pixels_mut().iter_mut().zip(hole.as_raw()) {
        if *cover > 0 {
            *pixel = [0; 4];
        }
    }
    shown
}

impl World {
    fn draw_case(&self, task: DrawTask, seed: u64, number: u32) -> Option<DrawCase> {
        let purpose = match task {
            DrawTask::Draw => Purpose::Draw,
            DrawTask::Fill => Purpose::Fill,
        };
        let mut dice = Dice::new(seed, purpose, number);
        let dice = &mut dice;
        let scene = (0..ATTEMPTS).find_map(|_| match task {
            DrawTask::Fill => self.scene(dice),
            DrawTask::Draw => {
                let style = self.style(dice)?;
                let ground = self.flat_ground(dice)?;
                let items = vec![self.large(dice, style)?];
                self.suits(style, ground).then_some(Scene { style, ground, items })
            }
        })?;
        let asked = dice.below(scene.items.len());
        let prompt = self.prompt(dice, &scene);
        Some(DrawCase { scene, asked, prompt })
    }
}
