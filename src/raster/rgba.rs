//! The 8-bit picture that everything else works on.

use crate::geom::{CanvasRect, Extent};
use crate::raster::error::{RasterError, check_length};

/// Bytes a pixel.
const CHANNELS: usize = 4;

/// An 8-bit sRGB picture with straight alpha, row by row from the top left.
///
/// The color under alpha 0 is kept, because an edit must hand back untouched pixels as they came.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbaImage {
    extent: Extent,
    // Invariant: `extent.area() * 4` bytes.
    bytes: Vec<u8>,
}

impl std::fmt::Debug for RgbaImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RgbaImage({})", self.extent)
    }
}

impl RgbaImage {
    /// A picture of one color.
    #[must_use]
    pub fn new(extent: Extent, color: [u8; 4]) -> Self {
        Self { extent, bytes: color.repeat(extent.area()) }
    }

    /// A picture of red, green, blue and alpha bytes.
    ///
    /// # Errors
    ///
    /// When there are not four bytes for every pixel.
    pub fn from_raw(extent: Extent, bytes: Vec<u8>) -> Result<Self, RasterError> {
        check_length(extent, CHANNELS, bytes.len())?;
        Ok(Self { extent, bytes })
    }

    /// An opaque picture of red, green and blue bytes.
    ///
    /// # Errors
    ///
    /// When there are not three bytes for every pixel.
    pub fn from_rgb(extent: Extent, rgb: &[u8]) -> Result<Self, RasterError> {
        check_length(extent, 3, rgb.len())?;
        let (pixels, _) = rgb.as_chunks::<3>();
        Ok(Self { extent, bytes: pixels.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect() })
    }

    /// Columns and rows.
    #[must_use]
    pub const fn extent(&self) -> Extent {
        self.extent
    }

    /// All bytes: red, green, blue, alpha of the first pixel, and so on.
    #[must_use]
    pub fn as_raw(&self) -> &[u8] {
        &self.bytes
    }

    /// All bytes, for taking over without a copy.
    #[must_use]
    pub fn into_raw(self) -> Vec<u8> {
        self.bytes
    }

    /// All pixels, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[[u8; 4]] {
        self.bytes.as_chunks().0
    }

    /// All pixels, row by row, to be changed.
    #[must_use]
    pub fn pixels_mut(&mut self) -> &mut [[u8; 4]] {
        self.bytes.as_chunks_mut().0
    }

    /// The pixel in column `x` and row `y`; transparent black outside the picture.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 4] {
        if x >= self.extent.width {
            return [0; 4];
        }
        let index = y as usize * self.extent.width as usize + x as usize;
        self.pixels().get(index).copied().unwrap_or_default()
    }

    /// The columns `rect.x..rect.right()` of row `y`; empty where the picture doesn't reach.
    pub(crate) fn row(&self, rect: CanvasRect, y: u32) -> &[[u8; 4]] {
        let start = y as usize * self.extent.width as usize;
        let columns = start + rect.x as usize..start + rect.right() as usize;
        self.pixels().get(columns).unwrap_or_default()
    }

    /// The part of the picture in `rect`; what lies outside the picture is left away.
    #[must_use]
    pub fn crop(&self, rect: CanvasRect) -> Self {
        let Some(rect) = rect.intersection(self.extent.rect()) else {
            return Self { extent: Extent::new(0, 0), bytes: Vec::new() };
        };
        let mut bytes = Vec::with_capacity(rect.extent().area() * CHANNELS);
        for y in rect.y..rect.bottom() {
            bytes.extend_from_slice(self.row(rect, y).as_flattened());
        }
        Self { extent: rect.extent(), bytes }
    }

    /// Replaces the pixels from `x`, `y` on by `patch`, alpha included; what juts out is left away.
    pub fn paste(&mut self, patch: &Self, x: u32, y: u32) {
        let at = CanvasRect::new(x, y, patch.extent.width, patch.extent.height);
        let Some(at) = at.intersection(self.extent.rect()) else { return };
        let width = self.extent.width as usize;
        for row in 0..at.height {
            let start = (at.y + row) as usize * width + at.x as usize;
            let source = patch.row(CanvasRect::new(0, 0, at.width, 1), row);
            if let Some(target) = self.pixels_mut().get_mut(start..start + source.len()) {
                target.copy_from_slice(source);
            }
        }
    }

    /// Whether no pixel lets anything shine through.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        self.pixels().iter().all(|pixel| pixel[3] == 255)
    }

    /// Red, green and blue bytes without alpha, as a conversion to RGB gives them.
    #[must_use]
    pub fn to_rgb(&self) -> Vec<u8> {
        self.pixels().iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect()
    }

    /// The picture laid over one color, opaque.
    ///
    /// Networks know no alpha: what is transparent is shown to them over a color, so that the
    /// hidden color of transparent pixels can't leak into the result.
    #[must_use]
    pub fn flattened(&self, background: [u8; 3]) -> Self {
        let over = |color: u8, below: u8, alpha: u8| {
            let alpha = u32::from(alpha);
            ((u32::from(color) * alpha + u32::from(below) * (255 - alpha) + 127) / 255) as u8
        };
        let mut flat = self.clone();
        for pixel in flat.pixels_mut() {
            let [r, g, b, a] = *pixel;
            let [r0, g0, b0] = background;
            *pixel = [over(r, r0, a), over(g, g0, a), over(b, b0, a), 255];
        }
        flat
    }
}

/// Lays pictures side by side, tops aligned; below a shorter one stays transparent.
#[must_use]
pub fn grid(images: &[RgbaImage]) -> RgbaImage {
    let width = images.iter().map(|image| image.extent.width).sum();
    let height = images.iter().map(|image| image.extent.height).max().unwrap_or(0);
    let mut all = RgbaImage::new(Extent::new(width, height), [0; 4]);
    let mut x = 0;
    for image in images {
        all.paste(image, x, 0);
        x += image.extent.width;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::byte_from_unit;

    fn numbered(width: u32, height: u32) -> RgbaImage {
        let extent = Extent::new(width, height);
        RgbaImage::from_raw(extent, (0..extent.area() * 4).map(|i| i as u8).collect()).unwrap()
    }

    #[test]
    fn a_wrong_number_of_bytes_is_refused_with_both_numbers() {
        let error = RgbaImage::from_raw(Extent::new(2, 3), vec![0; 23]).unwrap_err();
        assert_eq!(error.to_string(), "2x3 pixels of 4 bytes need 24 bytes, found 23");
        assert!(RgbaImage::from_rgb(Extent::new(2, 3), &[0; 19]).is_err());
    }

    #[test]
    fn a_crop_pasted_back_changes_nothing() {
        let image = numbered(7, 5);
        let mut copy = image.clone();
        for rect in [CanvasRect::new(2, 1, 3, 4), CanvasRect::new(5, 3, 90, 90)] {
            copy.paste(&image.crop(rect), rect.x, rect.y);
        }
        assert_eq!(copy, image);
        assert_eq!(image.crop(CanvasRect::new(5, 3, 90, 90)).extent(), Extent::new(2, 2));
        assert_eq!(image.crop(CanvasRect::new(7, 0, 1, 1)).extent().area(), 0);
    }

    #[test]
    fn pixels_outside_are_transparent() {
        let image = numbered(3, 2);
        assert_eq!(image.pixel(2, 1), [20, 21, 22, 23]);
        assert_eq!(image.pixel(3, 0), [0; 4]);
        assert_eq!(image.pixel(0, 2), [0; 4]);
    }

    #[test]
    fn flattening_hides_the_color_under_alpha_zero() {
        let extent = Extent::new(1, 1);
        let flat = |pixel| RgbaImage::new(extent, pixel).flattened([10, 20, 30]).pixel(0, 0);
        assert_eq!(flat([255, 0, 255, 0]), [10, 20, 30, 255]);
        assert_eq!(flat([1, 2, 3, 255]), [1, 2, 3, 255]);
    }

    #[test]
    fn a_batch_becomes_one_picture_as_in_the_reference() {
        let file =
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/glide/image/image.safetensors");
        let bytes = std::fs::read(file).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let batch = tensors.tensor("grid.in.batch").unwrap();
        let expected = tensors.tensor("grid.out.u8").unwrap();
        assert_eq!(batch.shape(), [3, 3, 8, 8]);
        let values: Vec<f32> =
            batch.data().as_chunks::<4>().0.iter().map(|&four| f32::from_le_bytes(four)).collect();
        let images: Vec<RgbaImage> = values
            .chunks(3 * 64)
            .map(|planes| {
                let rgb: Vec<u8> = (0..64)
                    .flat_map(|i| [0, 64, 128].map(|plane| byte_from_unit(planes[plane + i])))
                    .collect();
                RgbaImage::from_rgb(Extent::new(8, 8), &rgb).unwrap()
            })
            .collect();
        assert_eq!(grid(&images).to_rgb(), expected.data());
    }
}
