//! Pixels in memory: images, masks, resizing, blending, and the regions an edit works on.
//!
//! No files, no GPU, no tensors. Start with [`RgbaImage`] and [`Mask`]; an edit of a part of a
//! picture goes [`plan_regions`] → [`resize_rgba`] → (network) → [`match_color`] →
//! [`composite_inside`], and [`outside_mask_delta`] shows that nothing else changed.
//!
//! What a document holds is tiles: [`PixelGrid`] for layers and [`CoverGrid`] for selections.
//! [`StrokeEngine`] paints on both; [`polygon_cover`], [`ellipse_cover`] and [`flood`] make
//! selections, which have methods to combine and change them; [`outline`] gives their ants. [`changed_part`] finds what a network changed.
//! [`blend_row`] is how layers mix.

mod blend;
mod blend_mode;
mod brush;
mod change;
mod color;
mod color_match;
mod cover;
mod dab;
mod distance;
mod error;
mod flood;
mod mask;
mod outline;
mod picture;
mod region;
mod resample;
mod rgba;
mod shape;
mod spread;
mod stroke;
mod stroke_path;
mod tile;
mod transform;

pub use blend::{composite_inside, outside_mask_delta, outside_mask_delta_while};
pub use blend_mode::{BlendMode, blend_row};
pub use brush::{Brush, PressureUse, StrokeMode, StrokeSample};
pub use change::{ChangeSettings, changed_part};
pub use color::{byte_from_unit, linear_from_srgb, srgb_from_linear, unit_from_byte};
pub use color_match::{match_color, match_color_while};
pub use error::RasterError;
pub use flood::{FloodReach, flood};
pub use mask::Mask;
pub use outline::{OUTLINE_COVER, outline};
pub use picture::{grid_from_image, image_from_grid, small_image, thumbnail};
pub use region::{Region, RegionSettings, plan_regions, plan_regions_while};
pub use resample::{
    resize_bicubic_rgb, resize_bicubic_rgb_while, resize_mask, resize_mask_any,
    resize_mask_any_while, resize_rgba, resize_rgba_while,
};
pub use rgba::{RgbaImage, grid};
pub use shape::{ellipse_cover, polygon_cover, rectangle_cover};
pub use stroke::{Paintable, StrokeEngine, StrokePaint};
pub use tile::{
    CoverGrid, GridState, MAX_LEVEL, Pixel, PixelGrid, TILE_PX, Tile, TileGrid, TileIndex,
};
pub use transform::Scaled;

/// Whether long work is still wanted; the functions that end in `_while` ask it before each row.
pub type GoOn<'a> = &'a dyn Fn() -> bool;
