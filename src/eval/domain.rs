//! What a model claims to know, so that it is asked about nothing else.
//!
//! A model's folder may hold an `eval-domain.json`, or a file is named on the command line. Every
//! part may be left out, and then does not restrict anything.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::eval::error::EvalError;

/// The file's name in a model's folder.
pub const DOMAIN_FILE: &str = "eval-domain.json";

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
    /// The places where small things stand; with none, things are large and in the middle.
    pub places: Option<Vec<String>>,
    /// The most things in one picture.
    pub max_items: Option<usize>,
    /// The kinds of edits.
    pub edits: Option<Vec<String>>,
    /// The kinds of questions.
    pub questions: Option<Vec<String>>,
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

    /// The domain's file of a model, where it has one.
    #[must_use]
    pub fn file_in(folder: &Path) -> Option<PathBuf> {
        let path = folder.join(DOMAIN_FILE);
        path.is_file().then_some(path)
    }
}
