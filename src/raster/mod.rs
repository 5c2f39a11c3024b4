//! Pixels in memory: images, masks, resizing, blending, and the regions an edit works on.
//!
//! No files, no GPU, no tensors. Start with [`RgbaImage`] and [`Mask`]; an edit of a part of a
//! picture goes [`plan_regions`] → [`resize_rgba`] → (network) → [`match_color`] →
//! [`composite_inside`], and [`outside_mask_delta`] shows that nothing else changed.

mod blend;
mod blend_mode;
mod brush;
mod color;
mod color_match;
mod dab;
mod distance;
mod error;
mod mask;
mod region;
mod resample;
mod rgba;
mod stroke;
mod stroke_path;
mod tile;

pub use blend::{composite_inside, outside_mask_delta};
pub use blend_mode::{BlendMode, blend_row};
pub use brush::{Brush, PressureUse, StrokeMode, StrokeSample};
pub use color::{byte_from_unit, linear_from_srgb, srgb_from_linear, unit_from_byte};
pub use color_match::match_color;
pub use error::RasterError;
pub use mask::Mask;
pub use region::{Region, RegionSettings, plan_regions};
pub use resample::{resize_bicubic_rgb, resize_mask, resize_mask_any, resize_rgba};
pub use rgba::{RgbaImage, grid};
pub use stroke::{Paintable, StrokeEngine, StrokePaint};
pub use tile::{CoverGrid, GridState, MAX_LEVEL, Pixel, PixelGrid, TILE_PX, Tile, TileGrid, TileIndex};
