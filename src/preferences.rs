//! What is kept between sessions, as plain data.

/// What is kept between sessions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preferences {}
