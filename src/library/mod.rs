//! The pictures that models made, across projects: a database, and each picture as a PNG file.
//!
//! A [`Library`] is a folder. Its pictures lie there as PNG files, named by their content and with the
//! request inside, so that they are of use without Gesso; a `SQLite` database beside them knows prompts,
//! settings, stars, tags, and the state of the project that each became a part of. The files are what
//! counts: a database that is damaged is set aside and built again from them.
//!
//! Projects hold their own pixels and never read from here, so whatever becomes of a library harms
//! none of them. Nothing is deleted unless the user says so: [`Library::delete`] moves to a trash,
//! [`Library::over_limit`] only counts. Start at [`Library::open`].

mod date;
mod entry;
mod error;
mod schema;
mod store;
#[cfg(test)]
mod tests;

pub use entry::{
    Entry, Kind, NewPicture, Opened, Origin, Overflow, PictureId, Query, Remark, clean_tag,
};
pub use error::LibraryError;
pub use store::Library;
