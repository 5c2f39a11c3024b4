//! Checkpoint files: safe reading, conversion, int8 storage.
