//! Byte-pair tokenizers of the text encoders.
