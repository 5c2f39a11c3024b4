//! Pixels in memory: images, masks, resizing, blending, and the regions an edit works on.
//!
//! No files, no GPU, no tensors. Start with [`RgbaImage`] and [`Mask`].
