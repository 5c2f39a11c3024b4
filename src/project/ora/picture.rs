//! Pictures in the archive: PNG streams in and out, a band of rows at a time.
//!
//! A band is a row of tiles, so that neither writing nor reading a layer needs all of its pixels a
//! second time.

use std::io::{self, Cursor, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::ThreadPool;

use crate::document::{Document, Layer, faded, flatten, thumbnail};
use crate::geom::{CanvasRect, Extent, PixelRect};
use crate::project::ora::bands::{Band, BandKey, Bands, band_rows, write_png};
use crate::project::ora::{MAX_LAYER_SIDE_PX, THUMBNAIL_PX};
use crate::raster::{PixelGrid, RgbaImage};
use crate::storage::{Colors, read_image_bytes};

/// Memory for what a PNG holds besides pixels: color profiles, texts.
const MAX_EXTRA_BYTES: u64 = 32 << 20;

/// A picture that is to be written.
#[derive(Clone, Copy)]
pub(super) enum Picture<'a> {
    /// A layer with its mask.
    Layer(&'a Layer),
    /// All layers.
    Merged(&'a Document),
    /// All layers, small.
    Thumbnail(&'a Document),
}

impl Picture<'_> {
    /// Writes the pixels of `rect` as PNG, a thumbnail in its own size; `kept` has the bands that
    /// need not be made, `threads` make the others. Gives the bands' keys.
    pub(super) fn write(
        self,
        rect: PixelRect,
        kept: &mut dyn FnMut(usize) -> Option<Band>,
        threads: &ThreadPool,
        sink: &mut dyn Write,
    ) -> io::Result<Vec<BandKey>> {
        match self {
            Self::Layer(layer) => {
                let rows = |top: i32, rows: u32| {
                    let band = PixelRect::new(rect.x, top, rect.width, rows);
                    let mut pixels = layer.pixels.read(band);
                    if let Some(mask) = &layer.mask {
                        for (pixel, cover) in pixels.iter_mut().zip(mask.read(band)) {
                            *pixel = faded(*pixel, cover);
                        }
                    }
                    pixels.into_flattened()
                };
                let (extent, first) = (rect.extent(), rect.y);
                write_png(Bands { extent, first, rows: &rows, kept }, threads, sink)
            }
            Self::Merged(document) => {
                let extent = document.extent;
                let rows = |top: i32, rows: u32| {
                    let band = CanvasRect::new(0, top.unsigned_abs(), extent.width, rows);
                    flatten(document, band).into_raw()
                };
                write_png(Bands { extent, first: 0, rows: &rows, kept }, threads, sink)
            }
            Self::Thumbnail(document) => {
                let small = thumbnail(document, THUMBNAIL_PX);
                let extent = small.extent();
                let rows = |top: i32, rows: u32| {
                    let width = extent.width as usize * 4;
                    let start = top.unsigned_abs() as usize * width;
                    let end = start + rows as usize * width;
                    small.as_raw().get(start..end).unwrap_or_default().to_vec()
                };
                write_png(Bands { extent, first: 0, rows: &rows, kept }, threads, sink)
            }
        }
    }
}

/// What the first bytes of a PNG say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PngHeader {
    pub(super) extent: Extent,
    /// Bytes that its pixels can need at most, compressed, with what else there may be.
    pub(super) max_bytes: u64,
}

impl PngHeader {
    /// Bytes that [`Self::parse`] needs.
    pub(super) const LEN: usize = 33;

    /// Reads the header and refuses sides that can't be worked on.
    pub(super) fn parse(start: &[u8]) -> Result<Self, String> {
        let [
            0x89,
            b'P',
            b'N',
            b'G',
            b'\r',
            b'\n',
            0x1a,
            b'\n',
            0,
            0,
            0,
            13,
            b'I',
            b'H',
            b'D',
            b'R',
            w0,
            w1,
            w2,
            w3,
            h0,
            h1,
            h2,
            h3,
            depth,
            color,
            ..,
        ] = *start
        else {
            return Err("it is no PNG picture".to_owned());
        };
        let width = u32::from_be_bytes([w0, w1, w2, w3]);
        let height = u32::from_be_bytes([h0, h1, h2, h3]);
        let extent = Extent::new(width, height);
        let sides = 1..=MAX_LAYER_SIDE_PX;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(format!("its size {extent} can't be worked on"));
        }
        let channels = match color {
            0 | 3 => 1,
            4 => 2,
            2 => 3,
            _ => 4,
        };
        let row = (u64::from(width) * channels * u64::from(depth.min(16))).div_ceil(8) + 1;
        let raw = row * u64::from(height);
        // Compressors store what they can't make smaller, with a few bytes a block.
        Ok(Self { extent, max_bytes: raw + raw / 32 + MAX_EXTRA_BYTES })
    }
}

/// Why a picture can't be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DecodeError {
    /// The picture itself is at fault.
    Damaged(String),
    /// There is no memory for its pixels.
    NoMemory,
}

/// Bytes of tiles that may still be made.
pub(super) struct Budget(AtomicU64);

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self(AtomicU64::new(bytes))
    }

    fn take(&self, bytes: u64) -> Result<(), DecodeError> {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .map(drop)
            .map_err(|_| DecodeError::NoMemory)
    }
}

/// The pixels of a PNG of any kind as 8-bit sRGB, the first one at `x`, `y`.
pub(super) fn decode(
    bytes: &[u8],
    name: &str,
    (x, y): (i32, i32),
    budget: &Budget,
) -> Result<PixelGrid, DecodeError> {
    let damaged = |error: png::DecodingError| DecodeError::Damaged(error.to_string());
    let limits = png::Limits { bytes: 2 * MAX_EXTRA_BYTES as usize };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(png::Transformations::ALPHA);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let info = reader.info();
    let extent = Extent::new(info.width, info.height);
    let rect = PixelRect::new(x, y, extent.width, extent.height);
    if info.interlaced || info.icc_profile.is_some() {
        budget.take(extent.area() as u64 * 4)?;
        let image = decode_whole(bytes, name).map_err(DecodeError::Damaged)?;
        return Ok(PixelGrid::from_pixels(rect, image.pixels()));
    }
    let (color, depth) = reader.output_color_type();
    let to_rgba = row_converter(color, depth)
        .ok_or_else(|| DecodeError::Damaged(format!("its colors are of kind {color:?}")))?;
    let mut line = vec![0; reader.output_line_size(extent.width).unwrap_or_default()];
    let mut grid = PixelGrid::new();
    let mut pixels: Vec<[u8; 4]> = Vec::new();
    for (top, rows) in band_rows(y, extent.height) {
        pixels.clear();
        for _ in 0..rows {
            if reader.read_row(&mut line).map_err(damaged)?.is_none() {
                return Err(DecodeError::Damaged("it is cut off".to_owned()));
            }
            to_rgba(&line, &mut pixels);
        }
        let band = PixelGrid::from_pixels(PixelRect::new(x, top, extent.width, rows), &pixels);
        budget.take(band.bytes() as u64)?;
        for (at, tile) in band.tiles() {
            grid.set_tile(at, Some(Arc::clone(tile)));
        }
    }
    // Also checks that the end of the pixels is there.
    reader.finish().map_err(damaged)?;
    Ok(grid)
}

/// A whole picture with its color profile applied.
pub(super) fn decode_whole(bytes: &[u8], name: &str) -> Result<RgbaImage, String> {
    read_image_bytes(bytes, name, Colors::Srgb)
        .map(|file| file.image)
        .map_err(|error| error.to_string())
}

type RowConverter = fn(&[u8], &mut Vec<[u8; 4]>);

fn row_converter(color: png::ColorType, depth: png::BitDepth) -> Option<RowConverter> {
    /// 16 bits rounded to 8; the value comes with its high byte first.
    fn rounded([high, low]: [u8; 2]) -> u8 {
        ((u32::from(u16::from_be_bytes([high, low])) * 255 + 32767) / 65535) as u8
    }
    match (color, depth) {
        (png::ColorType::Rgba, png::BitDepth::Eight) => {
            Some(|line, pixels| pixels.extend_from_slice(line.as_chunks().0))
        }
        (png::ColorType::GrayscaleAlpha, png::BitDepth::Eight) => Some(|line, pixels| {
            pixels
                .extend(line.as_chunks().0.iter().map(|&[gray, alpha]| [gray, gray, gray, alpha]));
        }),
        (png::ColorType::Rgba, png::BitDepth::Sixteen) => Some(|line, pixels| {
            pixels.extend(line.as_chunks().0.iter().map(|&[r0, r1, g0, g1, b0, b1, a0, a1]| {
                [[r0, r1], [g0, g1], [b0, b1], [a0, a1]].map(rounded)
            }));
        }),
        (png::ColorType::GrayscaleAlpha, png::BitDepth::Sixteen) => Some(|line, pixels| {
            pixels.extend(line.as_chunks().0.iter().map(|&[g0, g1, a0, a1]| {
                let gray = rounded([g0, g1]);
                [gray, gray, gray, rounded([a0, a1])]
            }));
        }),
        _ => None,
    }
}
