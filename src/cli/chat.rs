//! `gesso chat`: a conversation in the terminal, one line a message.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::app::picture_text::chunks_from_record;
use crate::cli::args::ChatArgs;
use crate::cli::error::CliError;
use crate::cli::finish::draw;
use crate::cli::output::{note, say};
use crate::cli::run::{Context, open_library};
use crate::cli::session::Session;
use crate::engine::draft::{self, Choices, Source, Talk, random_seed};
use crate::engine::library::{LibraryPaths, ModelLibrary};
use crate::engine::request::{EarlierTurn, Record};
use crate::raster::RgbaImage;
use crate::storage::{PngOptions, read_image_file, write_png};

const HELP: &str = "\
Write what the picture should become, or a question about it.
  /open FILE     begin with another picture
  /new           begin without a picture: the next message draws one
  /save FILE     write the picture as PNG
  /undo          go back to before the last message
  /branch N      go to the state after message N (0 is the beginning) and go on from there
  /tree          list all messages, and where you are
  /seed N        the seed of the next message
  /quit          end; Ctrl-D does too";

/// A state: the picture after a message, and the messages that led there.
struct State {
    parent: Option<usize>,
    picture: Option<Arc<RgbaImage>>,
    /// The message and its answer; nothing for a beginning.
    turn: Option<EarlierTurn>,
    /// The request that made the picture.
    record: Option<Record>,
}

/// All states, and which one is gone on from.
struct Talking {
    states: Vec<State>,
    at: usize,
    seed: Option<u64>,
}

impl Talking {
    fn new(picture: Option<Arc<RgbaImage>>) -> Self {
        let start = State { parent: None, picture, turn: None, record: None };
        Self { states: vec![start], at: 0, seed: None }
    }

    /// Begins again; what was said before stays to go back to.
    fn begin(&mut self, picture: Option<Arc<RgbaImage>>) {
        self.at = self.states.len();
        self.states.push(State { parent: None, picture, turn: None, record: None });
    }

    fn add(&mut self, state: State) {
        self.at = self.states.len();
        self.states.push(state);
    }

    /// The last turns before here, oldest first.
    fn earlier(&self, most: u32) -> Vec<EarlierTurn> {
        let mut turns = Vec::new();
        let mut at = Some(self.at);
        while let Some(state) = at.and_then(|at| self.states.get(at)) {
            if turns.len() == most as usize {
                break;
            }
            turns.extend(state.turn.clone());
            at = state.parent;
        }
        turns.reverse();
        turns
    }

    fn here(&self) -> Option<&State> {
        self.states.get(self.at)
    }

    fn lines(&self) -> Vec<String> {
        let line = |(number, state): (usize, &State)| {
            let here = if number == self.at { '*' } else { ' ' };
            let after = match state.parent {
                Some(parent) => format!("after {parent}"),
                None => "beginning".to_owned(),
            };
            let said = match &state.turn {
                Some(turn) => format!("{} -> {}", turn.message, turn.reply),
                None => String::new(),
            };
            format!("{here} {number:>3}  {after:>12}  {said}")
        };
        self.states.iter().enumerate().map(line).collect()
    }
}

/// What a line asks for.
#[derive(Debug, PartialEq)]
enum Line<'a> {
    Nothing,
    Message(&'a str),
    Open(&'a str),
    New,
    Save(&'a str),
    Undo,
    Branch(usize),
    Tree,
    Seed(u64),
    Help,
    Quit,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Result<Self, String> {
        let line = line.trim();
        let Some(command) = line.strip_prefix('/') else {
            return Ok(if line.is_empty() { Self::Nothing } else { Self::Message(line) });
        };
        let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        let file = || {
            if rest.is_empty() { Err(format!("/{name} needs a file")) } else { Ok(rest) }
        };
        let bare = |line: Self| {
            if rest.is_empty() { Ok(line) } else { Err(format!("/{name} stands alone")) }
        };
        match name {
            "open" => file().map(Self::Open),
            "save" => file().map(Self::Save),
            "new" => bare(Self::New),
            "undo" => bare(Self::Undo),
            "tree" => bare(Self::Tree),
            "help" => bare(Self::Help),
            "quit" | "exit" => bare(Self::Quit),
            "branch" => rest
                .parse()
                .map(Self::Branch)
                .map_err(|_| "/branch needs the number of a message; /tree lists them".to_owned()),
            "seed" => {
                rest.parse().map(Self::Seed).map_err(|_| "/seed needs a whole number".to_owned())
            }
            _ => Err(format!("there is no /{name}; /help lists what there is")),
        }
    }
}

pub(crate) fn run(args: &ChatArgs, context: &Context) -> Result<(), CliError> {
    let library = open_library()?;
    let choices = args.chat.choices(args.options.choices());
    let model = draft::chat(Some("hello"), &choices, Talk::default(), None, &library)?;
    let remembers = library.family(&model.common().model)?.manifest.suggested.chat.remembers;
    let picture = args.image.as_deref().map(open).transpose()?;
    let mut chat = Chat {
        talking: Talking::new(picture),
        session: context.session(ModelLibrary::open(LibraryPaths::standard()?))?,
        library,
        choices,
        remembers,
        json: context.json,
    };
    let stdin = std::io::stdin();
    let prompts = stdin.is_terminal() && !context.json;
    if prompts {
        say("Write a message; /help lists the commands.")?;
    }
    let mut line = String::new();
    loop {
        if prompts {
            let mut out = std::io::stdout().lock();
            write!(out, "> ").and_then(|()| out.flush()).map_err(|error| unwritten(&error))?;
        }
        line.clear();
        let read = stdin.lock().read_line(&mut line);
        match read {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(CliError::Failure(format!("input can't be read: {error}"))),
        }
        match Line::read(&line).map_err(CliError::Input).and_then(|line| chat.take(&line)) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(CliError::Interrupted) => return Err(CliError::Interrupted),
            // A mistake ends no conversation.
            Err(error) if context.json => say(&json!({ "error": error.to_string() }).to_string())?,
            Err(error) => note(&format!("error: {error}")),
        }
    }
}

fn unwritten(error: &std::io::Error) -> CliError {
    CliError::Failure(format!("standard output can't be written: {error}"))
}

fn open(path: &Path) -> Result<Arc<RgbaImage>, CliError> {
    Ok(Arc::new(read_image_file(path)?.image))
}

struct Chat {
    talking: Talking,
    session: Session,
    library: ModelLibrary,
    choices: Choices,
    remembers: u32,
    json: bool,
}

impl Chat {
    /// Does what a line asks for; false to end.
    fn take(&mut self, line: &Line<'_>) -> Result<bool, CliError> {
        match *line {
            Line::Nothing => {}
            Line::Message(message) => self.send(message)?,
            Line::Open(file) => {
                let picture = open(Path::new(file))?;
                self.talking.begin(Some(picture));
            }
            Line::New => self.talking.begin(None),
            Line::Save(file) => self.save(Path::new(file))?,
            Line::Undo => {
                let parent = self.talking.here().and_then(|state| state.parent);
                self.talking.at = parent
                    .ok_or_else(|| CliError::input("this is the beginning; nothing to undo"))?;
            }
            Line::Branch(number) => {
                if number >= self.talking.states.len() {
                    return Err(CliError::Input(format!(
                        "there is no message {number}; /tree lists them"
                    )));
                }
                self.talking.at = number;
            }
            Line::Tree if self.json => {
                say(&json!({ "at": self.talking.at, "tree": self.talking.lines() }).to_string())?;
            }
            Line::Tree => {
                for line in self.talking.lines() {
                    say(&line)?;
                }
            }
            Line::Seed(seed) => self.talking.seed = Some(seed),
            Line::Help => say(HELP)?,
            Line::Quit => return Ok(false),
        }
        Ok(true)
    }

    fn send(&mut self, message: &str) -> Result<(), CliError> {
        let picture = self.talking.here().and_then(|state| state.picture.clone());
        let talk = Talk {
            image: picture.clone().map(Source::of),
            earlier: self.talking.earlier(self.remembers),
            ..Talk::default()
        };
        let seed = self.talking.seed.take().or(self.choices.seed).unwrap_or_else(random_seed);
        let choices = Choices { seed: Some(seed), ..self.choices.clone() };
        // The seed on the command line is the first message's.
        self.choices.seed = self.choices.seed.map(|seed| seed.wrapping_add(1));
        let request = draft::chat(Some(message), &choices, talk, None, &self.library)?;
        let drawn = draw(&mut self.session, request)?;
        let words = drawn.outcome.answer.as_ref().map(|answer| answer.words.clone());
        let words = words.unwrap_or_default();
        let delta = drawn.outcome.report.outside_mask_delta;
        let changed = drawn.outcome.answer.as_ref().and_then(|answer| answer.change.as_ref());
        let changed = changed.map(|change| change.covered_pixels());
        let drew = drawn.outcome.pictures.into_iter().next();
        let result = drew.map(|picture| Arc::new(picture.image));
        let turn = EarlierTurn {
            image: picture.clone(),
            message: message.to_owned(),
            reply: words.clone(),
            result: result.clone(),
            ..EarlierTurn::default()
        };
        let before = self.talking.here().and_then(|state| state.record.clone());
        self.talking.add(State {
            parent: Some(self.talking.at),
            picture: result.clone().or(picture),
            turn: Some(turn),
            record: if result.is_some() { Some(drawn.record) } else { before },
        });
        let number = self.talking.at;
        if self.json {
            let all = json!({
                "message": number, "reply": words, "picture": result.is_some(), "seed": seed,
                "changed_pixels": changed, "outside_mask_delta": delta,
            });
            return say(&all.to_string());
        }
        if !words.is_empty() {
            say(&words)?;
        }
        match (result.is_some(), changed, delta) {
            (true, Some(changed), Some(delta)) => say(&format!(
                "[{number}] the picture changed in {changed} pixels; bytes changed elsewhere: {delta}"
            )),
            (true, ..) => say(&format!("[{number}] a new picture; /save FILE writes it")),
            _ => Ok(()),
        }
    }

    fn save(&self, file: &Path) -> Result<(), CliError> {
        let here = self.talking.here();
        let picture = here.and_then(|state| state.picture.as_ref());
        let picture = picture.ok_or_else(|| CliError::input("there is no picture yet"))?;
        let is_png = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
        if !is_png {
            return Err(CliError::Input(format!(
                "pictures are written as PNG; give the file a name that ends in .png: {file:?}"
            )));
        }
        let record = here.and_then(|state| state.record.as_ref());
        let chunks = record.map(chunks_from_record).transpose()?.unwrap_or_default();
        write_png(file, picture, &chunks, &PngOptions::default())?;
        if self.json { Ok(()) } else { say(&format!("saved {}", file.display())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_messages_unless_they_begin_with_a_slash() {
        for (line, expected) in [
            ("  make it red \n", Line::Message("make it red")),
            ("\n", Line::Nothing),
            ("/open a b.png\n", Line::Open("a b.png")),
            ("/branch 12", Line::Branch(12)),
            ("/undo", Line::Undo),
            ("/seed 7", Line::Seed(7)),
            ("/quit", Line::Quit),
        ] {
            assert_eq!(Line::read(line), Ok(expected), "{line:?}");
        }
        for line in ["/open", "/undo 3", "/branch x", "/seed -1", "/what", "/"] {
            assert!(Line::read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_branch_remembers_its_own_line_only() {
        let said =
            |message: &str| EarlierTurn { message: message.to_owned(), ..EarlierTurn::default() };
        let mut talking = Talking::new(None);
        let say = |talking: &mut Talking, message: &str| {
            let parent = Some(talking.at);
            let turn = Some(said(message));
            talking.add(State { parent, picture: None, turn, record: None });
        };
        say(&mut talking, "a");
        say(&mut talking, "b");
        talking.at = 1;
        say(&mut talking, "c");
        let messages = |talking: &Talking, most: u32| -> Vec<String> {
            talking.earlier(most).into_iter().map(|turn| turn.message).collect()
        };
        assert_eq!(messages(&talking, 9), ["a", "c"]);
        assert_eq!(messages(&talking, 1), ["c"]);
        assert!(messages(&talking, 0).is_empty());
        talking.at = 2;
        assert_eq!(messages(&talking, 9), ["a", "b"]);
        talking.begin(None);
        assert!(messages(&talking, 9).is_empty());
        assert_eq!(talking.lines().len(), 5);
    }
}
