//! What can be wrong with pixels that come from outside.

use crate::geom::Extent;

/// Why bytes can't be taken as an image or a mask.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RasterError {
    /// The number of bytes doesn't fit the extent.
    #[error("{extent} pixels of {channels} bytes need {expected} bytes, found {found}")]
    WrongLength {
        /// The extent that was claimed.
        extent: Extent,
        /// Bytes a pixel.
        channels: usize,
        /// Bytes that the extent needs.
        expected: usize,
        /// Bytes that were given.
        found: usize,
    },
}

/// Checks that `found` bytes are exactly what `extent` needs.
pub(crate) fn check_length(
    extent: Extent,
    channels: usize,
    found: usize,
) -> Result<(), RasterError> {
    let expected = extent.area().saturating_mul(channels);
    if expected == found {
        Ok(())
    } else {
        Err(RasterError::WrongLength { extent, channels, expected, found })
    }
}
