//! The arguments, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::cli::options::Options;
use crate::engine::device::DeviceChoice;
use crate::engine::draft::Choices;
use crate::engine::request::AnswerChoice;
use crate::eval::Split;

/// Make and edit images with models that run on your own machine.
#[derive(Debug, Parser)]
#[command(
    name = "gesso",
    version,
    about,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    after_help = "Without a command the window opens, with a picture if one is named."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// A picture to open in the window.
    pub(crate) picture: Option<PathBuf>,
    /// Print one JSON object on standard output instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more about what happens, on standard error; twice for even more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Turn a sentence into a picture.
    Generate(GenerateArgs),
    /// Repaint the masked part of a picture; everything outside the mask stays as it is.
    Inpaint(InpaintArgs),
    /// Draw a picture like another one: it is repainted from itself, nearer or farther.
    Vary(VaryArgs),
    /// Make a picture four times as wide and high.
    Upscale(UpscaleArgs),
    /// Change a picture by saying what to change; all the rest of it stays as it is.
    Edit(EditArgs),
    /// Ask a question about a picture.
    Ask(AskArgs),
    /// Talk about a picture: draw, edit and ask, one message a line.
    Chat(ChatArgs),
    /// Do many jobs, one JSON object a line, with the options' names as fields.
    Batch(BatchArgs),
    /// Show, add, check and remove models.
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Print the tree of a project's states.
    History(HistoryArgs),
    /// Write one state of a project as a picture, or as a project of its own.
    Export(ExportArgs),
    /// Do every step of a project again and compare the pixels.
    Replay(ReplayArgs),
    /// Do edits on a project, one JSON object a line; each is safe on the disk when it is printed.
    Apply(ApplyArgs),
    /// Score a model on scenes whose true result is known.
    #[command(subcommand)]
    Eval(EvalCommand),
    /// Recompute reference vectors and compare.
    Selftest(SelftestArgs),
    /// Measure how fast networks, the canvas and projects are here.
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// What to draw.
    #[arg(required_unless_present = "from")]
    pub(crate) prompt: Option<String>,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct InpaintArgs {
    /// The picture to edit.
    pub(crate) image: PathBuf,
    /// What to draw in the masked part.
    #[arg(required_unless_present = "from")]
    pub(crate) prompt: Option<String>,
    /// Picture of the same size: white (or opaque, where it has alpha) is repainted, black stays.
    #[arg(long, value_name = "FILE")]
    pub(crate) mask: PathBuf,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct VaryArgs {
    /// The picture to start from.
    pub(crate) image: PathBuf,
    /// What to draw.
    #[arg(required_unless_present = "from")]
    pub(crate) prompt: Option<String>,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct UpscaleArgs {
    /// The picture to enlarge.
    pub(crate) image: PathBuf,
    /// What the picture shows; helps a model that reads text.
    pub(crate) prompt: Option<String>,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// The picture to edit.
    pub(crate) image: PathBuf,
    /// What to change, such as "make the background blue".
    #[arg(required_unless_present = "from")]
    pub(crate) instruction: Option<String>,
    /// Picture of the same size: white (or opaque, where it has alpha) may change, black stays.
    #[arg(long, value_name = "FILE")]
    pub(crate) mask: Option<PathBuf>,
    /// A further picture that the instruction speaks of; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) reference: Vec<PathBuf>,
    /// Write what was changed as a mask: white changed, black stayed.
    #[arg(long, value_name = "FILE.png")]
    pub(crate) region: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) chat: ChatOptions,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// The picture.
    pub(crate) image: PathBuf,
    /// What you want to know.
    pub(crate) question: String,
    #[command(flatten)]
    pub(crate) chat: ChatOptions,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct ChatArgs {
    /// The picture to begin with; without one the first message draws it.
    pub(crate) image: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) chat: ChatOptions,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// How a message is answered, beside what all jobs have.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ChatOptions {
    /// What the answer consists of: free (what the model thinks fit), picture or words.
    #[arg(long, value_name = "A")]
    pub(crate) answer: Option<AnswerChoice>,
    /// How freely words are chosen: 0 always takes the likeliest, 1 draws as the model says.
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) temperature: Option<f64>,
    /// Make the part that changes wider by so many pixels, or narrower below 0.
    #[arg(long, value_name = "PX", allow_negative_numbers = true)]
    pub(crate) widen: Option<i32>,
    /// Enlarge what is drawn by the model's network for that.
    #[arg(long)]
    pub(crate) refine: bool,
}

impl ChatOptions {
    /// What a user chose, with these choices in it.
    pub(crate) fn choices(&self, others: Choices) -> Choices {
        Choices {
            answer: self.answer,
            temperature: self.temperature,
            widen_px: self.widen,
            refine: self.refine.then_some(true),
            ..others
        }
    }
}

/// Where settings come from and where the result goes.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The PNG to write; with several pictures -1, -2 ... is added to the name.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Repeat the request that is written in this PNG; other options override it.
    #[arg(long, value_name = "FILE.png")]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BatchArgs {
    /// The jobs, one JSON object a line; empty lines and lines that begin with # are skipped.
    pub(crate) jobs: PathBuf,
    /// The folder for the numbered results; made if it is missing.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List the models that are there.
    List,
    /// Say what a model is, what it can draw, where it comes from.
    Info {
        /// The model's id.
        id: String,
    },
    /// Add public checkpoints or other GLIDE weights to the library.
    Import(ImportArgs),
    /// Compare the files of models with their manifests.
    Verify {
        /// The models' ids; all without one.
        ids: Vec<String>,
    },
    /// Write sizes, hashes and configs of a folder's files into its manifest; for makers of models.
    Seal {
        /// The model's folder, with a manifest.json.
        folder: PathBuf,
    },
    /// Remove a model that was imported.
    Remove {
        /// The model's id.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The `.pt` and `.safetensors` files.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The model that the files make or join; made from what they are without it.
    #[arg(long, visible_alias = "name", value_name = "ID")]
    pub(crate) id: Option<String>,
    /// JSON file with the network's config, where it can't be seen in the weights.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Tokenizer file, where prompts are not GPT-2's byte pairs.
    #[arg(long, value_name = "FILE")]
    pub(crate) tokenizer: Option<PathBuf>,
    /// Where the files come from, for the manifest.
    #[arg(long, value_name = "TEXT")]
    pub(crate) source: Option<String>,
    /// The license of the weights, for the manifest.
    #[arg(long, value_name = "TEXT")]
    pub(crate) license: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// A project (.ora), or the folder of a journal.
    pub(crate) project: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A project (.ora), or the folder of a journal.
    pub(crate) project: PathBuf,
    /// The state's number, as `gesso history` prints it; the saved one without.
    #[arg(long, value_name = "N")]
    pub(crate) node: Option<u64>,
    /// The file to write: .png, .jpg, .webp, .tif, .bmp, or .ora with the whole tree.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// A project (.ora), or the folder of a journal.
    pub(crate) project: PathBuf,
    /// Go only as far as this state.
    #[arg(long, value_name = "N")]
    pub(crate) to: Option<u64>,
    /// Where models draw again: auto, cpu, cuda or metal.
    #[arg(long, value_name = "D", default_value = "cpu")]
    pub(crate) device: DeviceChoice,
    /// Leave models' pictures as they are in the project; everything else is still done again.
    #[arg(long)]
    pub(crate) keep_generated: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The project (.ora) to go on with; a new one is made of --size without it.
    #[arg(long, value_name = "FILE.ora")]
    pub(crate) project: Option<PathBuf>,
    /// Columns and rows of a new project, as in 512x512.
    #[arg(long, value_name = "WxH", default_value = "512x512")]
    pub(crate) size: String,
    /// The edits, one JSON object a line, as `gesso history --json` prints them; - for standard
    /// input. {"place-file": "a.png"} lays a picture down, {"go-to": 3} goes to a state.
    pub(crate) edits: PathBuf,
    /// The project to write in the end; without it the work stays in the journal.
    #[arg(short, long, value_name = "FILE.ora")]
    pub(crate) output: Option<PathBuf>,
    /// The folder for the journal; the usual one without.
    #[arg(long, value_name = "DIR")]
    pub(crate) journals: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvalCommand {
    /// Does it draw, alone and into a hole, the thing that it was asked for?
    Draw(EvalOptions),
    /// Does it change what it was told to, and answer questions?
    Edit(EvalOptions),
}

/// How a model is asked to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum AskedBy {
    /// By the networks that draw from prompts.
    Prompt,
    /// By the networks that answer messages.
    Chat,
}

/// Which sprites a model is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SplitChoice {
    /// Those that models are trained on.
    #[default]
    Trained,
    /// Those that are held out of training.
    HeldOut,
    /// All.
    All,
}

impl From<SplitChoice> for Split {
    fn from(choice: SplitChoice) -> Self {
        match choice {
            SplitChoice::Trained => Self::Trained,
            SplitChoice::HeldOut => Self::HeldOut,
            SplitChoice::All => Self::Whole,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct EvalOptions {
    /// The model; see `gesso models list`.
    #[arg(long, value_name = "ID")]
    pub(crate) model: Option<String>,
    /// How drawings are asked for, where a model can do both; by prompts without it.
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) by: Option<AskedBy>,
    /// Cases of each kind; enough for a minute or two without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
    /// Where scenes and noise start; the same seed asks the same again.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Denoising steps; what suits the model without it.
    #[arg(long, value_name = "S")]
    pub(crate) steps: Option<u32>,
    /// How strongly to follow the words; what suits the model without it.
    #[arg(long, value_name = "G")]
    pub(crate) guidance: Option<f64>,
    /// Where to compute: auto, cpu, cuda or metal.
    #[arg(long, value_name = "D", default_value = "auto")]
    pub(crate) device: DeviceChoice,
    /// A folder for contact sheets and the report as JSON; made if it is missing.
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
    /// A folder with the whole collection of sprites; a small part is built in.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// What the model knows, as JSON; `eval-domain.json` in the model's folder without it.
    #[arg(long, value_name = "FILE")]
    pub(crate) domain: Option<PathBuf>,
    /// Which sprites are asked for.
    #[arg(long, value_enum, value_name = "SPLIT", default_value_t)]
    pub(crate) split: SplitChoice,
}

#[derive(Debug, Args)]
pub(crate) struct SelftestArgs {
    /// A folder of reference vectors laid out as `tests/golden/glide` or `tests/golden/transfusion`; the built-in set without it.
    pub(crate) dir: Option<PathBuf>,
    /// Where to compute: auto, cpu, cuda or metal.
    #[arg(long, value_name = "D", default_value = "cpu")]
    pub(crate) device: DeviceChoice,
}

/// What `gesso bench` measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BenchWhat {
    /// Evaluations and pictures of the networks.
    #[default]
    Networks,
    /// Reading, writing and drawing of models that one talks to.
    Chat,
    /// Dabs, undo and frames on canvases of 1024 to 16384 pixels a side.
    Canvas,
    /// Journal, saving, opening and replay of a picture of 8192 pixels a side.
    Project,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to measure: the networks, painting and showing the canvas, or keeping projects.
    #[arg(value_enum, default_value_t)]
    pub(crate) what: BenchWhat,
    /// Measure this model only.
    #[arg(long, value_name = "ID")]
    pub(crate) model: Option<String>,
    /// With `project`: instead of the usual rows, save and open a project of about 1 GB.
    #[arg(long)]
    pub(crate) large: bool,
    /// Where to compute: auto, cpu, cuda or metal.
    #[arg(long, value_name = "D", default_value = "auto")]
    pub(crate) device: DeviceChoice,
}
