//! `gesso edit` and `gesso ask`: one message about one picture.

use serde_json::json;

use crate::cli::args::{AskArgs, EditArgs};
use crate::cli::error::CliError;
use crate::cli::finish::{draw, write};
use crate::cli::job::{Message, chat_request, record_from_file};
use crate::cli::output::{Targets, say};
use crate::cli::run::{Context, open_library};
use crate::engine::request::AnswerChoice;
use crate::raster::{Mask, RgbaImage};
use crate::storage::{PngOptions, write_png};

pub(crate) fn edit(args: &EditArgs, context: &Context) -> Result<(), CliError> {
    let from = args.target.from.as_deref().map(record_from_file).transpose()?;
    let library = open_library()?;
    let message = Message {
        words: args.instruction.as_deref(),
        image: Some(&args.image),
        mask: args.mask.as_deref(),
        references: &args.reference,
        answer: None,
        chat: &args.chat,
    };
    let (request, file) = chat_request(&message, &args.options, from.as_ref(), &library)?;
    let common = request.common();
    let targets = Targets::plan(args.target.output.as_deref(), &common.prompt, common.seed, 1)?;
    context.announce_seed(&args.options, common.seed);
    let options = file.map(|file| file.png_options()).unwrap_or_default();
    let mut session = context.session(library)?;
    let drawn = draw(&mut session, request)?;
    let answer = drawn.outcome.answer.as_ref();
    if drawn.outcome.pictures.is_empty() {
        let words = answer.map(|answer| answer.words.as_str()).unwrap_or_default();
        return Err(CliError::Failure(format!(
            "the model changed nothing and wrote no picture; it answered {words:?}; say it in \
             other words, or ask what the model knows with `gesso models info`"
        )));
    }
    if let (Some(region), Some(answer)) = (&args.region, answer)
        && let Some(change) = &answer.change
    {
        write_png(region, &as_picture(change), &[], &PngOptions::default())?;
    }
    if !context.json
        && let Some(answer) = answer
        && !answer.words.is_empty()
    {
        say(&answer.words)?;
    }
    write(&context.stop, drawn, &targets, &options)?.print(context.json)
}

/// A mask as a gray picture.
fn as_picture(mask: &Mask) -> RgbaImage {
    let mut image = RgbaImage::new(mask.extent(), [0, 0, 0, 255]);
    for (pixel, &cover) in image.pixels_mut().iter_mut().zip(mask.as_raw()) {
        *pixel = [cover, cover, cover, 255];
    }
    image
}

pub(crate) fn ask(args: &AskArgs, context: &Context) -> Result<(), CliError> {
    let library = open_library()?;
    let message = Message {
        words: Some(&args.question),
        image: Some(&args.image),
        mask: None,
        references: &[],
        answer: Some(AnswerChoice::Words),
        chat: &args.chat,
    };
    let (request, _) = chat_request(&message, &args.options, None, &library)?;
    let mut session = context.session(library)?;
    let drawn = draw(&mut session, request)?;
    let words = drawn.outcome.answer.as_ref().map(|answer| answer.words.clone());
    let words = words.unwrap_or_default();
    if context.json {
        let report = &drawn.outcome.report;
        let unknown: Vec<&str> =
            report.unknown_words.iter().map(|word| word.word.as_str()).collect();
        let all = json!({
            "command": "ask", "question": args.question, "reply": words,
            "model": drawn.record.common().model, "device": report.device,
            "seconds": report.seconds, "unknown_words": unknown,
        });
        return say(&all.to_string());
    }
    say(&words)
}
