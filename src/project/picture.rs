//! Tiles and small pictures as PNG, the form in which both journals and project files hold them.

use std::borrow::Cow;
use std::sync::Arc;

use png::{
    BitDepth, ColorType, Compression, DecodeOptions, Decoder, Encoder, Limits, Transformations,
};

use crate::geom::Extent;
use crate::project::content::tile_content;
use crate::project::{ContentHash, ProjectError};
use crate::raster::{RgbaImage, TILE_PX, Tile};

/// The longest side of a stored picture: a tile's, and more than a thumbnail's.
const MAX_SIDE_PX: u32 = TILE_PX;

/// The pixels of a tile.
#[derive(Clone, Debug)]
pub enum TilePixels {
    /// Of a layer.
    Color(Arc<Tile<[u8; 4]>>),
    /// Of a selection or of a layer's mask.
    Cover(Arc<Tile<u8>>),
}

/// A picture that is stored under its hash.
#[derive(Clone, Debug)]
pub enum Picture {
    /// A tile.
    Tile(TilePixels),
    /// A thumbnail.
    Small(Arc<RgbaImage>),
}

impl Picture {
    /// The picture as a PNG file: 8 bits a channel, RGBA for colors and gray for cover.
    ///
    /// # Errors
    ///
    /// When it has no pixel or more than 256 on a side.
    pub fn encode(&self) -> Result<Vec<u8>, ProjectError> {
        let (extent, color, bytes): (Extent, ColorType, &[u8]) = match self {
            Self::Tile(TilePixels::Color(tile)) => {
                (TILE, ColorType::Rgba, tile.pixels().as_flattened())
            }
            Self::Tile(TilePixels::Cover(tile)) => (TILE, ColorType::Grayscale, tile.pixels()),
            Self::Small(image) => (image.extent(), ColorType::Rgba, image.as_raw()),
        };
        let failed = |error: png::EncodingError| ProjectError::Encode(error.to_string());
        let mut file = Vec::with_capacity(bytes.len() / 4 + 1024);
        let mut encoder = Encoder::new(&mut file, extent.width, extent.height);
        encoder.set_color(color);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Fast);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(bytes).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(file)
    }

    /// The hash of a small picture.
    #[must_use]
    pub fn small_content(image: &RgbaImage) -> ContentHash {
        let Extent { width, height } = image.extent();
        let sides = [width.to_le_bytes(), height.to_le_bytes()];
        ContentHash::of("rgba8 picture", &[sides.as_flattened(), image.as_raw()])
    }
}

const TILE: Extent = Extent::new(TILE_PX, TILE_PX);

/// A layer's tile from its PNG file; checks that it has the pixels that the hash names.
///
/// # Errors
///
/// When the file is no PNG of such a tile, or holds other pixels.
pub(super) fn color_tile(
    file: &[u8],
    content: ContentHash,
) -> Result<Arc<Tile<[u8; 4]>>, ProjectError> {
    let bytes = decode(file, ColorType::Rgba, Some(TILE), content)?.1;
    let pixels = bytes.as_chunks::<4>().0.to_vec();
    check(content, tile_content(&pixels))?;
    Ok(Arc::new(Tile::from_pixels(pixels)))
}

/// A mask's tile from its PNG file; checks that it has the cover that the hash names.
///
/// # Errors
///
/// When the file is no PNG of such a tile, or holds other pixels.
pub(super) fn cover_tile(file: &[u8], content: ContentHash) -> Result<Arc<Tile<u8>>, ProjectError> {
    let bytes = decode(file, ColorType::Grayscale, Some(TILE), content)?.1;
    check(content, tile_content(&bytes))?;
    Ok(Arc::new(Tile::from_pixels(bytes)))
}

/// A small picture from its PNG file.
///
/// # Errors
///
/// When the file is no PNG of such a picture, or holds other pixels.
pub(super) fn small_picture(file: &[u8], content: ContentHash) -> Result<RgbaImage, ProjectError> {
    let (extent, bytes) = decode(file, ColorType::Rgba, None, content)?;
    let image = RgbaImage::from_raw(extent, bytes)
        .map_err(|error| ProjectError::Tile { content, why: error.to_string().into() })?;
    check(content, Some(Picture::small_content(&image)))?;
    Ok(image)
}

fn check(expected: ContentHash, found: Option<ContentHash>) -> Result<(), ProjectError> {
    if found == Some(expected) {
        return Ok(());
    }
    Err(ProjectError::Tile { content: expected, why: "its pixels are others".into() })
}

fn decode(
    file: &[u8],
    color: ColorType,
    extent: Option<Extent>,
    content: ContentHash,
) -> Result<(Extent, Vec<u8>), ProjectError> {
    let wrong = |why: Cow<'static, str>| ProjectError::Tile { content, why };
    let failed = |error: png::DecodingError| wrong(error.to_string().into());
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    let mut decoder = Decoder::new_with_options(std::io::Cursor::new(file), options);
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_limits(Limits { bytes: 1 << 20 });
    let mut reader = decoder.read_info().map_err(failed)?;
    let info = reader.info();
    let found = Extent::new(info.width, info.height);
    let fits = extent.is_none_or(|extent| extent == found);
    if !fits || found.width > MAX_SIDE_PX || found.height > MAX_SIDE_PX {
        return Err(wrong(format!("it has {}x{} pixels", found.width, found.height).into()));
    }
    if info.color_type != color || info.bit_depth != BitDepth::Eight {
        return Err(wrong("it has another kind of pixels".into()));
    }
    let size = reader.output_buffer_size().unwrap_or_default();
    let mut bytes = vec![0; size];
    reader.next_frame(&mut bytes).map_err(failed)?;
    Ok((found, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(seed: u8) -> Arc<Tile<[u8; 4]>> {
        let pixel = |i: u32| [(i >> 3) as u8 ^ seed, (i >> 8) as u8, i as u8, (i % 7) as u8 * 40];
        Arc::new(Tile::from_pixels((0..TILE_PX * TILE_PX).map(pixel).collect()))
    }

    #[test]
    fn tiles_and_small_pictures_survive() {
        let tile = color(3);
        let content = tile_content(tile.pixels()).unwrap();
        let file = Picture::Tile(TilePixels::Color(Arc::clone(&tile))).encode().unwrap();
        assert_eq!(color_tile(&file, content).unwrap().pixels(), tile.pixels());

        let cover = Arc::new(Tile::from_pixels((0..65536_u32).map(|i| (i / 9) as u8).collect()));
        let content = tile_content(cover.pixels()).unwrap();
        let file = Picture::Tile(TilePixels::Cover(Arc::clone(&cover))).encode().unwrap();
        assert_eq!(cover_tile(&file, content).unwrap().pixels(), cover.pixels());

        let bytes = (0..31 * 7 * 4).map(|i| i as u8).collect();
        let image = RgbaImage::from_raw(Extent::new(31, 7), bytes).unwrap();
        let content = Picture::small_content(&image);
        let file = Picture::Small(Arc::new(image.clone())).encode().unwrap();
        assert_eq!(small_picture(&file, content).unwrap(), image);
    }

    #[test]
    fn what_is_not_the_tile_is_refused_in_words() {
        let file = |seed| Picture::Tile(TilePixels::Color(color(seed))).encode().unwrap();
        let content = tile_content(color(1).pixels()).unwrap();
        let message = |file: &[u8]| color_tile(file, content).unwrap_err().to_string();
        assert!(message(&file(2)).contains("its pixels are others"));
        assert!(message(b"no picture").contains("PNG"));
        let small = RgbaImage::new(Extent::new(8, 8), [1; 4]);
        let small = Picture::Small(Arc::new(small)).encode().unwrap();
        assert!(message(&small).contains("it has 8x8 pixels"));
        assert!(cover_tile(&file(1), content).unwrap_err().to_string().contains("another kind"));
        let whole = file(1);
        for end in (0..whole.len()).step_by(whole.len() / 40) {
            assert!(color_tile(&whole[..end], content).is_err());
        }
    }
}
