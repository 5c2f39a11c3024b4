/// Why a tokenizer or a vocabulary could not be set up; encoding itself cannot fail.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// A vocabulary that a crate carries is not what it should be.
    #[error(
        "the built-in {name} vocabulary cannot be used: {reason}; build with the locked dependencies"
    )]
    BuiltIn {
        /// Which vocabulary.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The starter model's tokenizer file cannot be used.
    #[error(
        "the tokenizer file cannot be used: {reason}; restore the tokenizer.json that belongs to the model"
    )]
    TokenizerFile {
        /// What is wrong with it.
        reason: String,
    },
    /// The list of words a model knows cannot be read.
    #[error(
        "the vocabulary file cannot be read: {source}; restore the vocabulary file that belongs to the model"
    )]
    VocabularyFile {
        /// What the parser met.
        #[from]
        source: serde_json::Error,
    },
}
