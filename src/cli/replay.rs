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
use crate::engine::request::{ChatRequest, InpaintRequest, Record, Request, UpscaleRequest};
use crate::project::ProjectError;
use crate::project::replay::{Outcome, Redraw, Replayed, replay};
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
        let request = request(redraw, args)?;
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

/// The engine's request for a picture, on the device that was asked for.
fn request(redraw: Redraw<'_>, args: &ReplayArgs) -> Result<Request, String> {
    let Redraw { record, image, mask } = redraw;
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
        Record::Chat(turn) => Request::Chat(ChatRequest {
            image: match turn.settings.image {
                Some(_) => Some(Arc::new(image.ok_or_else(nothing)?)),
                None => None,
            },
            mask: match turn.settings.mask {
                Some(_) => Some(Arc::new(mask.ok_or_else(nothing)?)),
                None => None,
            },
            settings: turn.settings,
            attachments: Vec::new(),
            earlier: Vec::new(),
        }),
    };
    request.common_mut().device = args.device;
    Ok(request)
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
