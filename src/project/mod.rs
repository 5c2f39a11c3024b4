//! The tree of a project on disk: one `.ora` file that other programs open too.
//!
//! [`ora`] is the archive: an OpenRaster file with Gesso's own entries beside the layers. No window,
//! no models; what goes into the entries is for others to say.

mod error;
pub mod ora;

pub use error::ProjectError;
