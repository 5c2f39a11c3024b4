//! Jobs: from request to pixels, on one worker thread.

pub mod library;
