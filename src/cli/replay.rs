//! `gesso replay`: every step of a project done again.

use std::sync::Arc;

use serde_json::json;

use crate::cli::args::ReplayArgs;
use crate::cli::error::CliError;
use crate::cli::output::say;
use crate::cli::project::{Source, open};
use crate::cli::run::{Context, open_library};
use crate::cli::session::Session;
use crate::document::NodeId;
use crate::editor::{TurnNote, TurnPicture};
use crate::engine::request::{
    ChatRequest, EarlierTurn, InpaintRequest, Record, Request, UpscaleRequest,
};
use crate::project::ProjectError;
use crate::project::replay::{Outcome, Redraw, Replayed, Told, replay};
use crate::raster::RgbaImage;

/// Replays and says what became of each state.
///
/// # Errors
///
/// When the project can't be read, or a state came out different.
pub(crate) fn run(args: &ReplayArgs, context: &Context) -> Result<(), CliError> {
    let Source { mut tree, mut pictures, .. } = open(&args.project)?;
    let mut session: Option<Session> = None;
    let mut ended = None;
    let mut draw = |redraw: Redraw<'_>| {
        if args.keep_generated {
            return Ok(None);
        }
        let Some(request) = request(redraw, args)? else { return Ok(None) };
        let drawn = draw_again(request, &mut session, context);
        drawn.map(Some).map_err(|error| {
            let text = error.to_string();
            if error == CliError::Interrupted {
                ended = Some(error);
            }
            text
        })
    };
    let mut counts = Counts::default();
    let mut states = Vec::new();
    let mut told = Ok(());
    let mut tell = |state: Replayed| {
        counts.add(&state);
        if context.json {
            states.push(as_json(&state));
        } else if told.is_ok() {
            told = say(&line(&state));
        }
        if context.stop.is_raised() { Err(ProjectError::Stopped) } else { Ok(()) }
    };
    let done = replay(&mut tree, pictures.as_mut(), args.to.map(NodeId), &mut draw, &mut tell);
    if context.stop.is_raised() || ended.is_some() {
        return Err(CliError::Interrupted);
    }
    done?;
    told?;
    if context.json {
        let all = json!({
            "device": args.device, "states": states, "equal": counts.equal,
            "different": counts.different, "failed": counts.failed, "redrawn": counts.redrawn,
            "taken": counts.taken, "most": counts.most,
        });
        say(&all.to_string())?;
    } else {
        let Counts { equal, different, failed, redrawn, taken, most } = counts;
        say(&format!(
            "{equal} states equal, {different} different (by {most} of 255 at most), {failed} not \
             made again; {redrawn} pictures drawn again, {taken} taken as they are"
        ))?;
    }
    if counts.different + counts.failed > 0 { Err(CliError::Reported) } else { Ok(()) }
}

#[derive(Default)]
struct Counts {
    equal: usize,
    different: usize,
    failed: usize,
    redrawn: usize,
    taken: usize,
    most: u8,
}

impl Counts {
    fn add(&mut self, state: &Replayed) {
        match &state.outcome {
            Outcome::Equal => self.equal += 1,
            Outcome::Differs(difference) => {
                self.different += 1;
                self.most = self.most.max(difference.most);
            }
            Outcome::Failed(_) => self.failed += 1,
        }
        self.redrawn += state.redrawn;
        self.taken += state.taken;
    }
}

fn line(state: &Replayed) -> String {
    let Replayed { node, label, outcome, .. } = state;
    let outcome = match outcome {
        Outcome::Equal => "equal".to_owned(),
        Outcome::Differs(difference) => {
            format!("DIFFERENT in {} pixels, by {} at most", difference.pixels, difference.most)
        }
        Outcome::Failed(why) => format!("NOT MADE AGAIN: {why}"),
    };
    format!("{:>6}  {label}: {outcome}", node.0)
}

fn as_json(state: &Replayed) -> serde_json::Value {
    let mut value = json!({
        "node": state.node, "label": state.label, "redrawn": state.redrawn, "taken": state.taken,
    });
    match &state.outcome {
        Outcome::Equal => value["outcome"] = json!("equal"),
        Outcome::Differs(difference) => {
            value["outcome"] = json!("different");
            value["pixels"] = json!(difference.pixels);
            value["most"] = json!(difference.most);
        }
        Outcome::Failed(why) => {
            value["outcome"] = json!("failed");
            value["why"] = json!(why);
        }
    }
    value
}

/// The engine's request for a picture, on the device that was asked for. Nothing where the model
/// was shown more than the project holds: projects of an older format do not have the pictures that
/// were attached to a message.
fn request(redraw: Redraw<'_>, args: &ReplayArgs) -> Result<Option<Request>, String> {
    let Redraw { record, image, mask, attachments, earlier } = redraw;
    let record: Record = serde_json::from_str(record)
        .map_err(|error| format!("its request can't be understood: {error}"))?;
    let nothing = || "the project does not say what the model was shown".to_owned();
    let mut request = match record {
        Record::Generate(request) => Request::Generate(request),
        Record::Inpaint(settings) => Request::Inpaint(InpaintRequest {
            settings,
            image: Arc::new(image.ok_or_else(nothing)?),
            mask: Arc::new(mask.ok_or_else(nothing)?),
        }),
        Record::Upscale(settings) => {
            let image = Arc::new(image.ok_or_else(nothing)?);
            Request::Upscale(UpscaleRequest { settings, image })
        }
        Record::Chat(turn) => {
            let told = earlier(turn.settings.earlier as usize).map_err(|e| e.to_string())?;
            let turns: Option<Vec<EarlierTurn>> = told.into_iter().map(earlier_turn).collect();
            let Some(turns) =
                turns.filter(|_| turn.settings.attachments.len() == attachments.len())
            else {
                return Ok(None);
            };
            let shown = turn.settings.image.is_some();
            let masked = turn.settings.mask.is_some();
            Request::Chat(ChatRequest {
                image: shown.then(|| image.ok_or_else(nothing)).transpose()?.map(Arc::new),
                mask: masked.then(|| mask.ok_or_else(nothing)).transpose()?.map(Arc::new),
                settings: turn.settings,
                attachments,
                earlier: turns,
            })
        }
    };
    request.common_mut().device = args.device;
    Ok(Some(request))
}

/// A turn as the model was reminded of it; nothing where pictures were attached to it that the
/// project does not have.
fn earlier_turn(told: Told) -> Option<EarlierTurn> {
    let Told { record, attachments, before, after } = told;
    let Ok(Record::Chat(turn)) = serde_json::from_str(&record) else { return None };
    if turn.settings.attachments.len() != attachments.len() {
        return None;
    }
    let note: TurnNote = serde_json::from_str(&record).ok()?;
    let drew = matches!(note.picture, Some(TurnPicture::Changed | TurnPicture::New));
    Some(EarlierTurn {
        image: turn.settings.image.is_some().then(|| Arc::new(before)),
        attachments,
        message: turn.settings.common.prompt,
        reply: turn.reply,
        result: drew.then(|| Arc::new(after)),
    })
}

fn draw_again(
    request: Request,
    session: &mut Option<Session>,
    context: &Context,
) -> Result<RgbaImage, CliError> {
    let session = match session {
        Some(session) => session,
        None => session.insert(context.session(open_library()?)?),
    };
    let outcome = session.run(request)?;
    let picture = outcome.pictures.into_iter().next();
    picture
        .map(|picture| picture.image)
        .ok_or_else(|| CliError::Failure("the model has made no picture".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::device::DeviceChoice;
    use crate::geom::Extent;

    /// A turn whose record names so many attachments.
    fn turn(attachments: usize) -> String {
        let notes = vec![json!({}); attachments];
        json!({
            "command": "chat", "prompt": "like these", "model": "talker", "checkpoints": [],
            "seed": 7, "device": "cpu", "precision": "fp32", "temperature": 0.0, "top_p": 1.0,
            "max_tokens": 64, "feather_px": 4, "reply": "so", "attachments": notes, "earlier": 1,
            "base": {
                "steps": 20, "respacing": "20", "sampler": "ddim", "eta": 0.0, "guidance": 3.0,
                "clip_guidance": 0.0, "size": 64,
            },
        })
        .to_string()
    }

    #[test]
    fn a_model_is_shown_again_what_was_attached_or_else_is_not_asked() {
        let picture = |side: u32| Arc::new(RgbaImage::new(Extent::new(side, side), [3; 4]));
        let args = ReplayArgs {
            project: "all.ora".into(),
            to: None,
            device: DeviceChoice::Cpu,
            keep_generated: false,
        };
        let asked = |shown: Vec<Arc<RgbaImage>>, shown_before: Vec<Arc<RgbaImage>>| {
            let whole = RgbaImage::new(Extent::new(9, 9), [1; 4]);
            let mut earlier = |most: usize| {
                assert_eq!(most, 1);
                Ok(vec![Told {
                    record: turn(1),
                    attachments: shown_before.clone(),
                    before: whole.clone(),
                    after: whole.clone(),
                }])
            };
            let record = turn(2);
            let redraw = Redraw {
                record: &record,
                image: None,
                mask: None,
                attachments: shown,
                earlier: &mut earlier,
            };
            match request(redraw, &args).unwrap()? {
                Request::Chat(chat) => {
                    Some((chat.attachments, chat.earlier[0].attachments.clone()))
                }
                other => panic!("{other:?}"),
            }
        };
        let (now, before) = (vec![picture(5), picture(6)], vec![picture(4)]);
        assert_eq!(asked(now.clone(), before.clone()), Some((now.clone(), before.clone())));
        // As projects were before attachments were kept.
        assert_eq!(asked(Vec::new(), before), None);
        assert_eq!(asked(now, Vec::new()), None);
    }
}
