//! Talking to a Transfusion network: words and pictures in, words and pictures out.
//!
//! A [`Conversation`] is what was said so far as the network's keys and values; it is never changed.
//! [`reply`] reads what the user says next, writes the answer token by token, draws where the
//! network begins a picture, and gives the answer with the conversation that it leads to. So a
//! conversation can branch anywhere, and branches share what they have in common.
//!
//! Nothing here knows jobs, text or pixels: words come as tokens and pictures as latents, and a
//! callback hears of every token and step and may stop.

mod conversation;
mod drawing;
mod pick;
mod reply;

pub use conversation::{ChatNetwork, Conversation, UserTurn};
pub use drawing::{DrawSettings, GuidedPicture, PROCESS_STEPS, draw, schedule_of};
pub use pick::{TextSampling, pick_token};
pub use reply::{Answer, Reply, ReplyEnd, ReplyEvent, ReplyPart, ReplySettings, reply};
