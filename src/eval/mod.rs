//! How good a model is at what can be measured: scenes are composed from sprites, so the true
//! result of every instruction is known.
//!
//! [`World`] is a collection of sprites within the domain that a model was made for; scenes, prompts,
//! edits and questions are drawn from it by seeded [`Dice`]. [`compose()`] makes pixels of scenes.
//! Start at [`draw()`] and [`edit()`], which put a model through all of it; a model comes in through
//! [`DrawingModel`] and [`EditingModel`]. Nothing here prints, and nothing decides which model runs.

mod compose;
mod dice;
mod domain;
mod draw;
mod edit;
mod edits;
mod error;
mod language;
mod layout;
mod model;
mod nearest;
mod questions;
mod report;
mod scene;
mod score;
mod sprites;
mod words;
mod world;

pub use compose::compose;
pub use dice::{Dice, Purpose};
pub use domain::{CHAT_DOMAIN_FILE, DOMAIN_FILE, Domain, Known, Places};
pub use draw::{DrawReport, DrawRow, DrawTask, DrawnCase, draw};
pub use edit::{AnsweredCase, EditReport, EditRow, EditedCase, QuestionRow, edit};
pub use edits::{EditCase, EditKind};
pub use error::EvalError;
pub use layout::{Layout, Spot};
pub use model::{ChatModel, DrawingModel, Edited, EditingModel, EngineModel};
pub use nearest::{Nearest, flat_ground_of, nearest_sprite};
pub use questions::{QuestionCase, QuestionKind};
pub use report::{Plan, Seen, contact_sheet};
pub use scene::{Ground, Item, Scene};
pub use score::{RegionScore, changed_region, psnr_inside};
pub use sprites::{Backdrop, Collection, Concept, Counting, Source, Sprite, Wanted};
pub use words::{COLORS, Color, PLACES, Place, SCENERY, Scenery, TINTS, color};
pub use world::{Split, World};
