//! Layers from pictures, pictures from layers, and small ones.

use crate::geom::{CanvasRect, Extent, PixelRect};
use crate::raster::{MAX_LEVEL, PixelGrid, RgbaImage, resize_rgba};

/// A layer with the pixels of a picture, from the canvas' corner on.
#[must_use]
pub fn grid_from_image(image: &RgbaImage) -> PixelGrid {
    PixelGrid::from_pixels(image.extent().rect().into(), image.pixels())
}

/// The pixels of a layer in `rect`.
#[must_use]
pub fn image_from_grid(grid: &PixelGrid, rect: CanvasRect) -> RgbaImage {
    image_of(rect.extent(), grid.read(rect.into()))
}

/// The layer's part on the canvas, small: at most `side_px` wide and high, and at least 1.
///
/// It is made of the tiles' smaller versions, which the first thumbnail of a layer makes.
#[must_use]
pub fn thumbnail(grid: &PixelGrid, canvas: Extent, side_px: u32) -> RgbaImage {
    let longer = canvas.width.max(canvas.height);
    let side = side_px.max(1);
    // Still twice as large, so that the last step has something to average.
    let shorter = canvas.width.min(canvas.height);
    let mut level = 0;
    while level < MAX_LEVEL && longer >> (level + 1) >= 2 * side && shorter >> (level + 1) >= 1 {
        level += 1;
    }
    // A last column that the canvas fills only in part is left away: it would be half transparent.
    let read = Extent::new((canvas.width >> level).max(1), (canvas.height >> level).max(1));
    let pixels = grid.read_level(PixelRect::new(0, 0, read.width, read.height), level);
    resize_rgba(&image_of(read, pixels), canvas.fitted(side))
}

/// A picture made small: at most `side_px` wide and high, and at least 1. One that is not larger
/// stays as it is.
#[must_use]
pub fn small_image(image: &RgbaImage, side_px: u32) -> RgbaImage {
    let Extent { width, height } = image.extent();
    if width.max(height) <= side_px {
        return image.clone();
    }
    resize_rgba(image, image.extent().fitted(side_px))
}

fn image_of(extent: Extent, pixels: Vec<[u8; 4]>) -> RgbaImage {
    RgbaImage::from_raw(extent, pixels.into_flattened())
        .unwrap_or_else(|_| RgbaImage::new(extent, [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::mask::tests::Seeded;

    #[test]
    fn a_picture_comes_back_from_its_tiles() {
        let mut seeded = Seeded(71);
        let extent = Extent::new(700, 300);
        let mut image = RgbaImage::new(extent, [0; 4]);
        for pixel in image.pixels_mut().iter_mut().take(400 * 100) {
            *pixel = (seeded.next() as u32).to_le_bytes();
        }
        let grid = grid_from_image(&image);
        assert_eq!(image_from_grid(&grid, extent.rect()), image);
        assert_eq!(grid.tiles().count(), 3, "tiles without a pixel don't exist");
        let part = CanvasRect::new(250, 50, 20, 30);
        assert_eq!(image_from_grid(&grid, part), image.crop(part));
        assert!(grid_from_image(&RgbaImage::new(Extent::new(0, 0), [0; 4])).has_no_tiles());
    }

    #[test]
    fn a_thumbnail_keeps_the_shape_and_the_colors() {
        let check = |canvas: Extent, side: u32, expected: Extent| {
            let mut grid = PixelGrid::new();
            grid.fill(canvas.rect().into(), [250, 0, 0, 255]);
            let right = CanvasRect::new(canvas.width / 2, 0, canvas.width, canvas.height);
            grid.fill(right.into(), [0, 0, 250, 255]);
            let small = thumbnail(&grid, canvas, side);
            assert_eq!(small.extent(), expected, "{canvas}");
            assert!(small.is_opaque(), "{canvas}");
            if small.extent().width > 8 {
                assert_eq!(small.pixel(0, 0), [250, 0, 0, 255]);
                assert_eq!(small.pixel(expected.width - 1, 0), [0, 0, 250, 255]);
            }
        };
        check(Extent::new(1000, 500), 64, Extent::new(64, 32));
        check(Extent::new(3001, 5003), 48, Extent::new(29, 48));
        check(Extent::new(40, 30), 64, Extent::new(40, 30));
        check(Extent::new(2000, 3), 40, Extent::new(40, 1));
        check(Extent::new(1, 1), 1, Extent::new(1, 1));
    }

    #[test]
    fn a_large_picture_is_made_small_and_a_small_one_stays() {
        let image = RgbaImage::new(Extent::new(501, 250), [40, 90, 160, 255]);
        let small = small_image(&image, 96);
        assert_eq!(small, RgbaImage::new(Extent::new(96, 48), [40, 90, 160, 255]));
        assert_eq!(small_image(&small, 96), small);
    }

    #[test]
    fn an_empty_layer_has_an_empty_thumbnail() {
        let small = thumbnail(&PixelGrid::new(), Extent::new(500, 500), 32);
        assert_eq!(small, RgbaImage::new(Extent::new(32, 32), [0; 4]));
    }
}
