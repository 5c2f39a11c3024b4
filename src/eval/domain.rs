//! What a model claims to know, so that it is asked about nothing else.
//!
//! A model's folder may hold an `eval-domain.json`, or a file is named on the command line. Every
//! part may be left out, and then does not restrict anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::eval::edits::EditKind;
use crate::eval::error::EvalError;
use crate::eval::layout::Layout;
use crate::eval::questions::QuestionKind;

/// The file's name in a model's folder.
pub const DOMAIN_FILE: &str = "eval-domain.json";
/// The file's name for what a model knows that is talked to, where it draws from prompts too and
/// knows other things then.
pub const CHAT_DOMAIN_FILE: &str = "eval-domain-chat.json";

/// The part of the world of sprites that a model was made for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Domain {
    /// For people to read.
    pub about: String,
    /// The styles of drawing.
    pub styles: Option<Vec<String>>,
    /// The things, with the names that the model knows them by.
    pub sprites: Option<Vec<Known>>,
    /// The colors of flat backgrounds.
    pub backgrounds: Option<Vec<String>>,
    /// Whether there are backgrounds of two colors; there are where this is left out.
    pub gradients: Option<bool>,
    /// The kinds of drawn backgrounds.
    pub scenery: Option<Vec<String>>,
    /// The colors that things are painted in.
    pub tints: Option<Vec<String>>,
    /// The places where small things stand; with none, nothing is put anywhere.
    pub places: Option<Places>,
    /// The kinds of scenes; edits then lead from one of them to another. Those that models of this
    /// kind are usually trained on where this is left out.
    pub layouts: Option<Vec<Layout>>,
    /// The most things in one picture.
    pub max_items: Option<usize>,
    /// The kinds of edits.
    pub edits: Option<Vec<EditKind>>,
    /// The kinds of questions.
    pub questions: Option<Vec<QuestionKind>>,
}

/// The places that a model knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Places {
    /// By what they are called, where they usually are.
    Usual(Vec<String>),
    /// By what they are called, with x and y from -1 at the left and top to 1.
    At(BTreeMap<String, (f64, f64)>),
}

/// A thing that a model knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Which thing of the collection.
    pub codepoint: String,
    /// What the model knows it as; the collection's names where none are given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nouns: Vec<String>,
    /// The plural of the first noun, where it does not follow the rule.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub plural: String,
    /// The color that it has unpainted: it is not painted in that color, and is not asked to be.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub own_color: String,
}

impl Domain {
    /// Reads a domain's file.
    ///
    /// # Errors
    ///
    /// When it can't be read or understood.
    pub fn read(path: &Path) -> Result<Self, EvalError> {
        const WHAT: &str = "the domain of the evaluation";
        let bytes = std::fs::read(path).map_err(|source| EvalError::Read {
            what: WHAT,
            source,
            path: path.to_owned(),
        })?;
        serde_json::from_slice(&bytes).map_err(|error| EvalError::Parse {
            what: WHAT,
            why: error.to_string(),
            path: path.to_owned(),
        })
    }

    /// The first of these files that a model's folder has.
    #[must_use]
    pub fn file_in(folder: &Path, names: &[&str]) -> Option<PathBuf> {
        names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
    }
}
