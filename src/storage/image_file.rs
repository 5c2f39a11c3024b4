//! Pictures and masks from files, pictures to PNG files.
//!
//! Reading goes by the content of a file, not by its name, and refuses what can't be handed back
//! unharmed. What becomes of a color profile is the caller's choice, [`Colors`]: the command line
//! hands pixels and profile back as they came, the window shows and mixes sRGB.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Write};
use std::path::Path;

use image::metadata::Orientation;
use image::{
    ColorType, DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageFormat, ImageReader,
    Limits,
};

use crate::geom::Extent;
use crate::raster::{Mask, RgbaImage};
use crate::storage::color_profile::{ProfileUse, srgb_from};
use crate::storage::{StorageError, write_atomically};

/// The longest side of a picture that is read or written.
pub const MAX_SIDE_PX: u32 = 16384;

/// Memory that a decoder may take: the largest picture with 16 bits a channel, and as much again.
const MAX_DECODER_BYTES: u64 = 4 << 30;
/// Memory that the text chunks of one file may take.
const MAX_TEXT_BYTES: usize = 64 << 20;

/// Which colors the pixels of a file are read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colors {
    /// Exactly as stored; a color profile is carried along, not applied.
    AsStored,
    /// sRGB: another color profile is applied and then done with.
    Srgb,
}

/// A picture as read, with what is worth keeping about its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// The pixels, upright.
    pub image: RgbaImage,
    /// Whether the file stores alpha; see [`AlphaChannel`].
    pub has_alpha: bool,
    /// The color profile for RGB values, as stored; none where the pixels were asked for as sRGB.
    pub icc_profile: Option<Vec<u8>>,
    /// What was done with the color profile.
    pub profile_use: ProfileUse,
    /// Whether the file has more than 8 bits a channel, which were rounded to 8.
    pub rounded_to_8_bits: bool,
    /// The format's name.
    pub format: &'static str,
}

impl ImageFile {
    /// Options that write an edited version of this picture as it came.
    #[must_use]
    pub fn png_options(&self) -> PngOptions {
        let alpha = if self.has_alpha { AlphaChannel::Keep } else { AlphaChannel::WhereNeeded };
        PngOptions { alpha, icc_profile: self.icc_profile.clone() }
    }
}

/// Whether a file gets an alpha channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlphaChannel {
    /// Always, also for opaque pictures.
    Keep,
    /// Only for pictures that aren't opaque.
    #[default]
    WhereNeeded,
}

/// How a PNG file is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PngOptions {
    /// Whether the file gets an alpha channel.
    pub alpha: AlphaChannel,
    /// A color profile for RGB values to store.
    pub icc_profile: Option<Vec<u8>>,
}

/// Reads the pixels of a PNG, JPEG, WebP, TIFF, BMP or GIF (first frame) file.
///
/// # Errors
///
/// As [`read_image_file`].
pub fn read_image(path: &Path) -> Result<RgbaImage, StorageError> {
    read_image_file(path).map(|file| file.image)
}

/// Reads a PNG, JPEG, WebP, TIFF, BMP or GIF (first frame) file with its colors as stored.
///
/// # Errors
///
/// As [`read_image_file_as`].
pub fn read_image_file(path: &Path) -> Result<ImageFile, StorageError> {
    read_image_file_as(path, Colors::AsStored)
}

/// Reads a PNG, JPEG, WebP, TIFF, BMP or GIF (first frame) file.
///
/// The content decides on the format. The picture is turned upright as its EXIF data say; more
/// than 8 bits a channel are rounded to 8.
///
/// # Errors
///
/// When the file can't be read, is of another format, cut off or damaged, has CMYK colors, or is
/// larger than [`MAX_SIDE_PX`] a side. A color profile that can't be used is no error; see
/// [`ProfileUse::Ignored`].
pub fn read_image_file_as(path: &Path, colors: Colors) -> Result<ImageFile, StorageError> {
    let bytes = std::fs::read(path)
        .map_err(|source| StorageError::Read { source, path: path.to_owned() })?;
    read_encoded(&bytes, path, colors)
}

/// Reads the content of a picture file that came by the clipboard or was dropped; `name` is what
/// messages call it.
///
/// # Errors
///
/// As [`read_image_file_as`].
pub fn read_image_bytes(
    bytes: &[u8],
    name: &str,
    colors: Colors,
) -> Result<ImageFile, StorageError> {
    read_encoded(bytes, Path::new(name), colors)
}

fn read_encoded(bytes: &[u8], path: &Path, colors: Colors) -> Result<ImageFile, StorageError> {
    if bytes.is_empty() {
        return Err(StorageError::EmptyFile { path: path.to_owned() });
    }
    let format = image::guess_format(bytes)
        .ok()
        .filter(|format| format_name(*format).is_some())
        .ok_or_else(|| StorageError::UnknownFormat { path: path.to_owned() })?;
    let name = format_name(format).unwrap_or("image");
    if format == ImageFormat::Jpeg {
        check_jpeg(bytes, path)?;
    }
    decode(bytes, format, name, path, colors)
}

/// Reads a mask: 255 where the picture is to be repainted.
///
/// In a file without transparency, white means *repaint*. With transparency it depends on what
/// can be seen: one color only, whichever, is a painted layer, and its opacity is the cover; a
/// picture in colors with holes is to be repainted in the holes; black and white counts by
/// brightness times opacity.
///
/// # Errors
///
/// As [`read_image_file`], and when the mask's size isn't `expected`; the message names both.
pub fn read_mask(path: &Path, expected: Extent) -> Result<Mask, StorageError> {
    let image = read_image(path)?;
    let found = image.extent();
    if found != expected {
        return Err(StorageError::MaskSize { expected, found, path: path.to_owned() });
    }
    let cover: fn([u8; 4]) -> u8 = match mask_kind(&image) {
        MaskKind::Brightness => visible_brightness,
        MaskKind::Painted => |pixel| pixel[3],
        MaskKind::Holes => |pixel| 255 - pixel[3],
    };
    let cover = image.pixels().iter().copied().map(cover).collect();
    Mask::from_raw(found, cover).map_err(|error| damaged("mask", error.to_string(), path))
}

/// Writes a picture as PNG with text chunks, whole or not at all.
///
/// Text that isn't Latin-1 is stored as UTF-8 (iTXt), other text as tEXt, which more programs
/// read. Equal arguments give equal bytes.
///
/// # Errors
///
/// When the picture has no pixels or too many, a keyword isn't 1 to 79 Latin letters, or the file
/// can't be written; then nothing is left behind.
pub fn write_png(
    path: &Path,
    image: &RgbaImage,
    text: &[(String, String)],
    options: &PngOptions,
) -> Result<(), StorageError> {
    check_extent(image.extent(), path)?;
    check_keywords(text)?;
    write_atomically(path, |file| {
        encode_png(file, image, text, options).map_err(|error| match error {
            png::EncodingError::IoError(error) => error,
            other => io::Error::other(other),
        })
    })
}

/// A picture as the bytes of a PNG file with text chunks; `name` is what messages call it.
///
/// # Errors
///
/// As [`write_png`], except for what has to do with files.
pub fn png_bytes(
    image: &RgbaImage,
    text: &[(String, String)],
    options: &PngOptions,
    name: &str,
) -> Result<Vec<u8>, StorageError> {
    check_extent(image.extent(), Path::new(name))?;
    check_keywords(text)?;
    let mut bytes = Vec::new();
    encode_png(&mut bytes, image, text, options)
        .map_err(|error| damaged("PNG", error.to_string(), Path::new(name)))?;
    Ok(bytes)
}

/// Reads the text chunks of a PNG file (tEXt, zTXt, iTXt) without decoding its pixels.
///
/// # Errors
///
/// When the file can't be read, is no PNG, or is cut off or damaged before its last text chunk.
pub fn read_png_text(path: &Path) -> Result<Vec<(String, String)>, StorageError> {
    let read_error = |source| StorageError::Read { source, path: path.to_owned() };
    let mut start = Vec::new();
    let mut file = File::open(path).map_err(read_error)?;
    io::Read::read_to_end(&mut io::Read::take(&mut file, 16), &mut start).map_err(read_error)?;
    match image::guess_format(&start) {
        Ok(ImageFormat::Png) => {}
        Ok(format) if format_name(format).is_some() => {
            let format = format_name(format).unwrap_or("image");
            return Err(StorageError::NoText { format, path: path.to_owned() });
        }
        _ if start.is_empty() => return Err(StorageError::EmptyFile { path: path.to_owned() }),
        _ => return Err(StorageError::UnknownFormat { path: path.to_owned() }),
    }
    let file = File::open(path).map_err(read_error)?;
    png_text(BufReader::new(file)).map_err(|error| png_error(error, path))
}

fn png_text(file: BufReader<File>) -> Result<Vec<(String, String)>, png::DecodingError> {
    let limits = png::Limits { bytes: MAX_TEXT_BYTES };
    let mut reader = png::Decoder::new_with_limits(file, limits).read_info()?;
    // Text may also stand behind the pixels.
    reader.finish()?;
    let info = reader.info();
    let mut text: Vec<(String, String)> = info
        .uncompressed_latin1_text
        .iter()
        .map(|chunk| (chunk.keyword.clone(), chunk.text.clone()))
        .collect();
    for chunk in &info.compressed_latin1_text {
        let mut chunk = chunk.clone();
        chunk.decompress_text_with_limit(MAX_TEXT_BYTES)?;
        text.push((chunk.keyword.clone(), chunk.get_text()?));
    }
    for chunk in &info.utf8_text {
        let mut chunk = chunk.clone();
        chunk.decompress_text_with_limit(MAX_TEXT_BYTES)?;
        text.push((chunk.keyword.clone(), chunk.get_text()?));
    }
    Ok(text)
}

fn decode(
    bytes: &[u8],
    format: ImageFormat,
    name: &'static str,
    path: &Path,
    colors: Colors,
) -> Result<ImageFile, StorageError> {
    let failed = |error| decoder_error(error, name, path);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    check_extent(Extent::new(width, height), path)?;
    if matches!(decoder.original_color_type(), ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16)
    {
        return Err(cmyk_error(name, path));
    }
    // A broken note about the orientation or the colors is no reason to refuse the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let color = decoder.color_type();
    let decoded = DynamicImage::from_decoder(decoder).map_err(failed)?;
    let (mut decoded, icc_profile, profile_use) = match colors {
        Colors::AsStored => {
            let profile = profile.filter(|profile| is_for_rgb(profile));
            (decoded, profile, ProfileUse::AsStored)
        }
        Colors::Srgb => {
            let (decoded, profile_use) = srgb_from(decoded, profile.as_deref());
            (decoded, None, profile_use)
        }
    };
    decoded.apply_orientation(orientation);
    let pixels = decoded.into_rgba8();
    let extent = Extent::new(pixels.width(), pixels.height());
    let image = RgbaImage::from_raw(extent, pixels.into_raw())
        .map_err(|error| damaged(name, error.to_string(), path))?;
    // GIF frames always come out with alpha.
    let has_alpha = color.has_alpha() && (format != ImageFormat::Gif || !image.is_opaque());
    let rounded_to_8_bits =
        !matches!(color, ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8);
    Ok(ImageFile { image, has_alpha, icc_profile, profile_use, rounded_to_8_bits, format: name })
}

fn encode_png(
    file: impl Write,
    image: &RgbaImage,
    text: &[(String, String)],
    options: &PngOptions,
) -> Result<(), png::EncodingError> {
    let Extent { width, height } = image.extent();
    let mut info = png::Info::with_size(width, height);
    info.icc_profile = options.icc_profile.as_deref().map(Into::into);
    let mut encoder = png::Encoder::with_info(file, info)?;
    encoder.set_depth(png::BitDepth::Eight);
    for (keyword, value) in text {
        // A zero byte ends the keyword in these chunks and isn't allowed in the text.
        let value = value.replace('\0', "\u{fffd}");
        if is_latin1(&value) {
            encoder.add_text_chunk(keyword.clone(), value)?;
        } else {
            encoder.add_itxt_chunk(keyword.clone(), value)?;
        }
    }
    let rgb = options.alpha == AlphaChannel::WhereNeeded && image.is_opaque();
    encoder.set_color(if rgb { png::ColorType::Rgb } else { png::ColorType::Rgba });
    let mut writer = encoder.write_header()?;
    if rgb {
        writer.write_image_data(&image.to_rgb())?;
    } else {
        writer.write_image_data(image.as_raw())?;
    }
    writer.finish()
}

fn check_keywords(text: &[(String, String)]) -> Result<(), StorageError> {
    for (keyword, _) in text {
        if keyword.is_empty() || keyword.chars().count() > 79 || !is_latin1(keyword) {
            return Err(StorageError::Keyword { keyword: keyword.clone() });
        }
    }
    Ok(())
}

/// Whether tEXt can hold the text: printable Latin-1, line feeds and tabs.
fn is_latin1(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\n' | '\t' | ' '..='~' | '\u{a0}'..='\u{ff}'))
}

/// How a picture says which pixels are to be repainted; see [`read_mask`].
enum MaskKind {
    Brightness,
    Painted,
    Holes,
}

fn mask_kind(image: &RgbaImage) -> MaskKind {
    if image.is_opaque() {
        return MaskKind::Brightness;
    }
    let mut visible = image.pixels().iter().filter(|pixel| pixel[3] > 0);
    let Some(&[r, g, b, _]) = visible.next() else { return MaskKind::Painted };
    if visible.clone().all(|pixel| pixel[..3] == [r, g, b]) {
        return MaskKind::Painted;
    }
    // Lossy formats color gray a little.
    let is_gray = |&[r, g, b, _]: &[u8; 4]| r.abs_diff(g) <= 16 && g.abs_diff(b) <= 16;
    if is_gray(&[r, g, b, 0]) && visible.all(is_gray) {
        MaskKind::Brightness
    } else {
        MaskKind::Holes
    }
}

/// Brightness (Rec. 601, as conversions to grayscale have it) times opacity.
fn visible_brightness([r, g, b, a]: [u8; 4]) -> u8 {
    let luma = (299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) + 500) / 1000;
    ((luma * u32::from(a) + 127) / 255) as u8
}

/// Refuses pictures without pixels and with too many.
pub(super) fn check_extent(found: Extent, path: &Path) -> Result<(), StorageError> {
    if found.area() == 0 {
        return Err(StorageError::NoPixels { found, path: path.to_owned() });
    }
    if found.width > MAX_SIDE_PX || found.height > MAX_SIDE_PX {
        let limit_px = MAX_SIDE_PX;
        return Err(StorageError::TooLarge { found, limit_px, path: path.to_owned() });
    }
    Ok(())
}

/// Refuses JPEG files whose colors can't be kept or whose end is missing.
///
/// The decoder fills what is missing with gray and turns CMYK into RGB by rule of thumb, both
/// without a word.
fn check_jpeg(bytes: &[u8], path: &Path) -> Result<(), StorageError> {
    let truncated = || StorageError::Truncated { format: "JPEG", path: path.to_owned() };
    let mut position = 2;
    loop {
        let rest = bytes.get(position..).unwrap_or_default();
        match rest {
            [0xff, 0xff, ..] => position += 1,
            // Start of scan: the pixels; the end marker must follow somewhere.
            [0xff, 0xda, scan @ ..] => {
                let ends = scan.windows(2).any(|pair| pair == [0xff, 0xd9]);
                return if ends { Ok(()) } else { Err(truncated()) };
            }
            [0xff, marker, high, low, segment @ ..] => {
                let is_frame =
                    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
                // Precision, height, width (two bytes each), then the number of components.
                if is_frame && segment.get(5) == Some(&4) {
                    return Err(cmyk_error("JPEG", path));
                }
                position += 2 + usize::from(u16::from_be_bytes([*high, *low]));
            }
            [] | [_] | [_, _] | [0xff, _, _] => return Err(truncated()),
            // Not where a marker should be: the decoder's message is better than ours.
            _ => return Ok(()),
        }
    }
}

fn cmyk_error(format: &'static str, path: &Path) -> StorageError {
    let reason = "it has CMYK colors, made for print; convert it to RGB first".to_owned();
    StorageError::Unsupported { format, reason, path: path.to_owned() }
}

/// Whether a color profile describes RGB values; a profile for gray or CMYK can't be kept.
fn is_for_rgb(profile: &[u8]) -> bool {
    // Source: ICC.1:2022, section 7.2: the data color space signature is at bytes 16 to 19.
    profile.get(16..20) == Some(b"RGB ".as_slice())
}

fn format_name(format: ImageFormat) -> Option<&'static str> {
    match format {
        ImageFormat::Png => Some("PNG"),
        ImageFormat::Jpeg => Some("JPEG"),
        ImageFormat::WebP => Some("WebP"),
        ImageFormat::Tiff => Some("TIFF"),
        ImageFormat::Bmp => Some("BMP"),
        ImageFormat::Gif => Some("GIF"),
        _ => None,
    }
}

fn damaged(format: &'static str, reason: String, path: &Path) -> StorageError {
    StorageError::Damaged { format, reason, path: path.to_owned() }
}

fn decoder_error(error: ImageError, format: &'static str, path: &Path) -> StorageError {
    if is_unexpected_end(&error) {
        return StorageError::Truncated { format, path: path.to_owned() };
    }
    match error {
        ImageError::Unsupported(error) => StorageError::Unsupported {
            format,
            reason: format!("{error}; save it as an ordinary 8-bit PNG"),
            path: path.to_owned(),
        },
        other => damaged(format, first_line(&other), path),
    }
}

fn png_error(error: png::DecodingError, path: &Path) -> StorageError {
    match error {
        png::DecodingError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            StorageError::Truncated { format: "PNG", path: path.to_owned() }
        }
        other => damaged("PNG", first_line(&other), path),
    }
}

/// Whether the file ended too soon, however deep in the chain of errors that is said.
fn is_unexpected_end(error: &ImageError) -> bool {
    // This variant doesn't name the system's error as its source.
    if let ImageError::IoError(error) = error {
        return error.kind() == io::ErrorKind::UnexpectedEof;
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn first_line(error: &dyn std::error::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::ImageEncoder as _;
    use std::path::PathBuf;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/glide/image");

    fn pixels(extent: Extent) -> RgbaImage {
        let bytes = (0..extent.area() * 4).map(|i| (i * 37 + i / 7 * 11) as u8).collect();
        RgbaImage::from_raw(extent, bytes).unwrap()
    }

    fn text(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn written(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A file of the given format, made by the codec crate.
    fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn photo() -> image::RgbImage {
        image::RgbImage::from_fn(60, 40, |x, y| image::Rgb([(x * 4) as u8, (y * 6) as u8, 99]))
    }

    fn message(path: &Path) -> String {
        read_image(path).unwrap_err().to_string()
    }

    #[test]
    fn all_bytes_survive_writing_and_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        for extent in [Extent::new(1, 1), Extent::new(13, 7), Extent::new(300, 2)] {
            let image = pixels(extent);
            for alpha in [AlphaChannel::Keep, AlphaChannel::WhereNeeded] {
                let options = PngOptions { alpha, icc_profile: None };
                write_png(&path, &image, &[], &options).unwrap();
                assert_eq!(read_image(&path).unwrap(), image);
            }
        }
    }

    #[test]
    fn opaque_pictures_get_alpha_only_where_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let image = RgbaImage::new(Extent::new(3, 2), [1, 2, 3, 255]);
        let mut options = PngOptions::default();
        write_png(&path, &image, &[], &options).unwrap();
        let file = read_image_file(&path).unwrap();
        assert_eq!((&file.image, file.has_alpha), (&image, false));
        options.alpha = AlphaChannel::Keep;
        write_png(&path, &image, &[], &options).unwrap();
        let file = read_image_file(&path).unwrap();
        assert_eq!((&file.image, file.has_alpha), (&image, true));
        assert_eq!(file.png_options(), options);
    }

    #[test]
    fn text_survives_in_latin_letters_and_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let image = pixels(Extent::new(2, 2));
        let written = text(&[
            ("parameters", "a fox\nSteps: 5"),
            ("accents", "größe ÿ"),
            ("gesso", r#"{"prompt":"猫 🦊 – “q”"}"#),
        ]);
        write_png(&path, &image, &written, &PngOptions::default()).unwrap();
        assert_eq!(read_png_text(&path).unwrap(), written);
        let bytes = std::fs::read(&path).unwrap();
        let count = |kind: &[u8]| bytes.windows(4).filter(|window| window == &kind).count();
        assert_eq!((count(b"tEXt"), count(b"iTXt")), (2, 1));
        write_png(&path, &image, &written, &PngOptions::default()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        write_png(&path, &image, &text(&[("k", "a\0b")]), &PngOptions::default()).unwrap();
        assert_eq!(read_png_text(&path).unwrap(), text(&[("k", "a\u{fffd}b")]));
    }

    #[test]
    fn text_behind_the_pixels_and_compressed_text_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 2);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.add_ztxt_chunk("z".to_owned(), "long ".repeat(100)).unwrap();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[1, 2, 3, 4]).unwrap();
        writer.write_text_chunk(&png::text_metadata::TEXtChunk::new("late", "x")).unwrap();
        writer.finish().unwrap();
        let path = written(&folder, "a.png", &bytes);
        let expected = [("late".to_owned(), "x".to_owned()), ("z".to_owned(), "long ".repeat(100))];
        assert_eq!(read_png_text(&path).unwrap(), expected);
    }

    #[test]
    fn text_is_refused_from_files_that_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let jpeg = written(&folder, "a.png", &encoded(photo(), ImageFormat::Jpeg));
        let error = read_png_text(&jpeg).unwrap_err().to_string();
        assert!(error.contains("a JPEG picture carries no settings"), "{error}");
        let empty = written(&folder, "b.png", b"");
        assert!(matches!(read_png_text(&empty), Err(StorageError::EmptyFile { .. })));
        let image = pixels(Extent::new(20, 20));
        let path = folder.path().join("c.png");
        write_png(&path, &image, &text(&[("k", "v")]), &PngOptions::default()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let cut = written(&folder, "d.png", &bytes[..bytes.len() / 2]);
        assert!(matches!(read_png_text(&cut), Err(StorageError::Truncated { .. })));
    }

    #[test]
    fn bad_keywords_and_extents_write_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let image = pixels(Extent::new(2, 2));
        for keyword in ["", "猫", &"k".repeat(80)] {
            let result = write_png(&path, &image, &text(&[(keyword, "x")]), &PngOptions::default());
            assert!(matches!(result, Err(StorageError::Keyword { .. })));
        }
        let none = RgbaImage::new(Extent::new(0, 4), [0; 4]);
        assert!(write_png(&path, &none, &[], &PngOptions::default()).is_err());
        let wide = RgbaImage::new(Extent::new(MAX_SIDE_PX + 1, 1), [0; 4]);
        let error = write_png(&path, &wide, &[], &PngOptions::default()).unwrap_err().to_string();
        assert!(error.contains("16385x1, at most 16384"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn color_profiles_for_rgb_are_carried_along() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let mut profile = vec![7; 200];
        profile[16..20].copy_from_slice(b"RGB ");
        let image = pixels(Extent::new(4, 4));
        let options = PngOptions { alpha: AlphaChannel::Keep, icc_profile: Some(profile.clone()) };
        write_png(&path, &image, &[], &options).unwrap();
        let file = read_image_file(&path).unwrap();
        assert_eq!((&file.image, &file.icc_profile), (&image, &Some(profile.clone())));
        assert_eq!(file.png_options(), options);
        profile[16..20].copy_from_slice(b"GRAY");
        let options = PngOptions { icc_profile: Some(profile), ..options };
        write_png(&path, &image, &[], &options).unwrap();
        assert_eq!(read_image_file(&path).unwrap().icc_profile, None);
    }

    #[test]
    fn every_format_is_read_by_content_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for (format, exact) in [
            (ImageFormat::Png, true),
            (ImageFormat::Tiff, true),
            (ImageFormat::Bmp, true),
            (ImageFormat::WebP, true),
            (ImageFormat::Jpeg, false),
            (ImageFormat::Gif, false),
        ] {
            let path = written(&folder, "wrong.jpg", &encoded(photo(), format));
            let file = read_image_file(&path).unwrap();
            assert_eq!(Some(file.format), format_name(format));
            assert!(!file.has_alpha && !file.rounded_to_8_bits, "{format:?}");
            let expected = RgbaImage::from_rgb(Extent::new(60, 40), photo().as_raw()).unwrap();
            let pairs = file.image.as_raw().iter().zip(expected.as_raw());
            let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst <= if exact { 0 } else { 40 }, "{format:?} {worst}");
        }
    }

    #[test]
    fn every_cut_off_file_is_named_so() {
        let folder = tempfile::tempdir().unwrap();
        for format in [
            ImageFormat::Png,
            ImageFormat::Tiff,
            ImageFormat::Bmp,
            ImageFormat::WebP,
            ImageFormat::Jpeg,
            ImageFormat::Gif,
        ] {
            let bytes = encoded(photo(), format);
            for length in [bytes.len() / 4, bytes.len() / 2, bytes.len() - 8] {
                let path = written(&folder, "a", &bytes[..length]);
                let message = message(&path);
                let name = format_name(format).unwrap();
                assert!(message.contains(name), "{name} {length}: {message}");
                assert!(message.contains("cut off") || message.contains("damaged"), "{message}");
            }
        }
    }

    #[test]
    fn unusual_pngs_become_ordinary_pixels() {
        let golden = |name: &str| read_image_file(&Path::new(FOLDER).join(name)).unwrap();
        let gray = golden("gray_50x40.png");
        assert!(gray.image.pixels().iter().all(|&[r, g, b, a]| r == g && g == b && a == 255));
        assert!(!gray.has_alpha);
        assert_eq!(golden("palette_60x30.png").image.extent(), Extent::new(60, 30));
        assert!(golden("rgba_48x48.png").has_alpha);

        let folder = tempfile::tempdir().unwrap();
        let made = |color, depth, palette: Option<Vec<u8>>, data: &[u8]| {
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
            encoder.set_color(color);
            encoder.set_depth(depth);
            if let Some(palette) = palette {
                encoder.set_palette(palette);
                encoder.set_trns(vec![255, 0]);
            }
            encoder.write_header().unwrap().write_image_data(data).unwrap();
            read_image_file(&written(&folder, "a.png", &bytes)).unwrap()
        };
        let bits = made(png::ColorType::Grayscale, png::BitDepth::One, None, &[0b0100_0000]);
        assert_eq!(bits.image.pixels(), [[0, 0, 0, 255], [255; 4]]);
        let gray_alpha =
            made(png::ColorType::GrayscaleAlpha, png::BitDepth::Eight, None, &[9, 0, 7, 128]);
        assert_eq!(gray_alpha.image.pixels(), [[9, 9, 9, 0], [7, 7, 7, 128]]);
        let palette = Some(vec![1, 2, 3, 4, 5, 6]);
        let indexed = made(png::ColorType::Indexed, png::BitDepth::One, palette, &[0b0100_0000]);
        assert_eq!(indexed.image.pixels(), [[1, 2, 3, 255], [4, 5, 6, 0]]);
        assert!(indexed.has_alpha);
        let deep = made(
            png::ColorType::Grayscale,
            png::BitDepth::Sixteen,
            None,
            &[0x80, 0x80, 0xff, 0xff],
        );
        assert_eq!(deep.image.pixels(), [[128, 128, 128, 255], [255; 4]]);
        assert!(deep.rounded_to_8_bits);
    }

    #[test]
    fn bad_files_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let check = |bytes: &[u8], expected: &str| {
            let found = message(&written(&folder, "a.png", bytes));
            assert!(found.contains(expected), "{found}");
            assert!(found.ends_with("a.png\""), "{found}");
        };
        check(b"", "the file is empty");
        check(b"hello, this is no picture", "not a picture that can be read here");
        check(b"%PDF-1.7 whatever else", "not a picture that can be read here");
        check(b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "save it as PNG");
        check(b"\x89PNG\r\n\x1a\n", "cut off");
        let missing = message(&folder.path().join("missing.png"));
        assert!(missing.starts_with("can't read the file: "), "{missing}");
        assert!(message(folder.path()).starts_with("can't read the file: "));
    }

    #[test]
    fn a_claim_of_too_many_pixels_is_refused_before_memory_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 20_000, 30_000);
        encoder.set_color(png::ColorType::Rgba);
        encoder.write_header().unwrap().write_chunk(png::chunk::IDAT, &[0; 9]).unwrap();
        let message = message(&written(&folder, "a.png", &bytes));
        assert!(message.contains("too large: 20000x30000, at most 16384"), "{message}");
    }

    #[test]
    fn cmyk_jpegs_are_refused_with_a_way_out() {
        // The header of a CMYK file: start, frame of four components, start of scan, end.
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 16];
        bytes.extend(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        bytes.extend([0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4]);
        bytes.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]);
        bytes.extend([0xff, 0xda, 0, 2, 0xff, 0xd9]);
        let folder = tempfile::tempdir().unwrap();
        let message = message(&written(&folder, "a.jpg", &bytes));
        assert!(message.contains("CMYK") && message.contains("convert it to RGB"), "{message}");
    }

    #[test]
    fn a_turned_photo_comes_out_upright() {
        let bytes = encoded(photo(), ImageFormat::Jpeg);
        // An EXIF segment that holds one entry: orientation 6, a quarter turn clockwise.
        let mut exif =
            b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0".to_vec();
        exif.extend([0; 4]);
        let mut turned = vec![0xff, 0xd8, 0xff, 0xe1];
        turned.extend((exif.len() as u16 + 2).to_be_bytes());
        turned.extend(exif);
        turned.extend(&bytes[2..]);
        let folder = tempfile::tempdir().unwrap();
        let upright = read_image(&written(&folder, "a.jpg", &bytes)).unwrap();
        let image = read_image(&written(&folder, "b.jpg", &turned)).unwrap();
        assert_eq!(image.extent(), Extent::new(40, 60));
        assert_eq!(image.pixel(39, 0), upright.pixel(0, 0));
        assert_eq!(image.pixel(0, 0), upright.pixel(0, 39));
    }

    #[test]
    fn every_orientation_is_turned_upright_in_every_format_that_notes_it() {
        // The two pixels of a row, as they stand upright: size, then the first pixel.
        let (left, right) = ([250, 10, 20, 255], [10, 240, 30, 255]);
        let row = image::RgbaImage::from_raw(2, 1, [left, right].concat()).unwrap();
        let wide = Extent::new(2, 1);
        let tall = Extent::new(1, 2);
        for (orientation, extent, first) in [
            (1, wide, left),
            (2, wide, right),
            (3, wide, right),
            (4, wide, left),
            (5, tall, left),
            (6, tall, left),
            (7, tall, right),
            (8, tall, right),
            // Not an orientation.
            (9, wide, left),
        ] {
            let mut exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
            exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
            let mut png_bytes = Vec::new();
            let mut png = image::codecs::png::PngEncoder::new(&mut png_bytes);
            png.set_exif_metadata(exif.clone()).unwrap();
            row.write_with_encoder(png).unwrap();
            let mut webp_bytes = Vec::new();
            let mut webp = image::codecs::webp::WebPEncoder::new_lossless(&mut webp_bytes);
            webp.set_exif_metadata(exif).unwrap();
            row.write_with_encoder(webp).unwrap();
            for bytes in [png_bytes, webp_bytes] {
                let image = read_image_bytes(&bytes, "a", Colors::Srgb).unwrap().image;
                assert_eq!(image.extent(), extent, "{orientation}");
                assert_eq!(image.pixel(0, 0), first, "{orientation}");
            }
        }
    }

    #[test]
    fn the_greatest_side_is_read_and_one_more_is_not() {
        for (width, height, fits) in
            [(MAX_SIDE_PX, 1, true), (1, MAX_SIDE_PX, true), (16385, 1, false)]
        {
            for format in [ImageFormat::Png, ImageFormat::Bmp] {
                let bytes = encoded(image::RgbImage::new(width, height), format);
                match read_image_bytes(&bytes, "a", Colors::Srgb) {
                    Ok(file) => assert!(fits && file.image.extent() == Extent::new(width, height)),
                    Err(error) => {
                        assert!(
                            !fits && error.to_string().contains("too large: 16385x1"),
                            "{error}"
                        );
                    }
                }
            }
        }
        // The frame header of a JPEG file says how large it is.
        let mut bytes = encoded(photo(), ImageFormat::Jpeg);
        let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        bytes[frame + 5..frame + 9].copy_from_slice(&[0x4e, 0x20, 0x4e, 0x20]);
        let error = read_image_bytes(&bytes, "a", Colors::Srgb).unwrap_err().to_string();
        assert!(error.contains("too large: 20000x20000"), "{error}");
    }

    #[test]
    fn an_animation_is_its_first_frame() {
        let frame =
            |pixel| image::Frame::new(image::RgbaImage::from_pixel(5, 4, image::Rgba(pixel)));
        let mut bytes = Vec::new();
        image::codecs::gif::GifEncoder::new(&mut bytes)
            .encode_frames([frame([255, 0, 0, 255]), frame([0, 0, 255, 255])])
            .unwrap();
        let file = read_image_bytes(&bytes, "a", Colors::Srgb).unwrap();
        assert_eq!(file.image, RgbaImage::new(Extent::new(5, 4), [255, 0, 0, 255]));
        assert!(!file.has_alpha);
    }

    #[test]
    fn deep_files_of_every_kind_are_rounded_and_say_so() {
        let deep = image::ImageBuffer::<image::Rgb<u16>, _>::from_raw(
            2,
            1,
            vec![0, 257, 0x8080, 0xffff, 128, 129],
        );
        let deep = DynamicImage::from(deep.unwrap());
        let float = DynamicImage::from(
            image::Rgb32FImage::from_raw(2, 1, vec![0.0, 1.0 / 255.0, 0.502, 1.0, 2.0, -1.0])
                .unwrap(),
        );
        for (image, format, expected) in [
            (&deep, ImageFormat::Png, [[0, 1, 128, 255], [255, 0, 1, 255]]),
            (&deep, ImageFormat::Tiff, [[0, 1, 128, 255], [255, 0, 1, 255]]),
            (&float, ImageFormat::Tiff, [[0, 1, 128, 255], [255, 255, 0, 255]]),
        ] {
            let bytes = encoded(image.clone(), format);
            for colors in [Colors::AsStored, Colors::Srgb] {
                let file = read_image_bytes(&bytes, "a", colors).unwrap();
                assert_eq!(file.image.pixels(), expected, "{format:?}");
                assert!(file.rounded_to_8_bits && !file.has_alpha);
            }
        }
    }

    #[test]
    fn cmyk_tiffs_are_refused_with_a_way_out() {
        // One pixel of four samples; a directory of nine entries: tag, type, count, value.
        let mut bytes = b"II\x2a\0\x08\0\0\0\x09\0".to_vec();
        let (shorts, long) = (3_u16, 4_u16);
        let behind = 8 + 2 + 9 * 12 + 4;
        for (tag, kind, count, value) in [
            (256_u16, shorts, 1_u32, 1_u32),
            (257, shorts, 1, 1),
            (258, shorts, 4, behind),
            (259, shorts, 1, 1),
            // Photometric interpretation 5: separated colors.
            (262, shorts, 1, 5),
            (273, long, 1, behind + 8),
            (277, shorts, 1, 4),
            (278, shorts, 1, 1),
            (279, long, 1, 4),
        ] {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(count.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend([0; 4]);
        bytes.extend([8, 0, 8, 0, 8, 0, 8, 0]);
        bytes.extend([1, 2, 3, 4]);
        let error = read_image_bytes(&bytes, "a", Colors::Srgb).unwrap_err().to_string();
        assert!(error.contains("CMYK") && error.contains("convert it to RGB"), "{error}");
    }

    #[test]
    fn bytes_without_a_file_are_read_and_named() {
        let bytes = encoded(photo(), ImageFormat::Png);
        let file = read_image_bytes(&bytes, "the clipboard", Colors::Srgb).unwrap();
        assert_eq!((file.format, file.profile_use), ("PNG", ProfileUse::AsStored));
        assert_eq!(file.image.to_rgb(), photo().into_raw());
        let message = |bytes: &[u8]| {
            read_image_bytes(bytes, "the clipboard", Colors::Srgb).unwrap_err().to_string()
        };
        assert!(message(b"").contains("empty") && message(b"").contains("\"the clipboard\""));
        assert!(message(b"some text").contains("not a picture"));
        assert!(message(&bytes[..bytes.len() / 2]).contains("cut off"));
    }

    #[test]
    fn masks_are_read_from_brightness_or_from_what_is_painted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        let extent = Extent::new(3, 1);
        let check = |pixels: [[u8; 4]; 3], expected: [u8; 3]| {
            let image = RgbaImage::from_raw(extent, pixels.concat()).unwrap();
            write_png(&path, &image, &[], &PngOptions::default()).unwrap();
            assert_eq!(read_mask(&path, extent).unwrap().as_raw(), expected);
        };
        let white = [255; 4];
        // Black and white; all white; all black.
        check([[0, 0, 0, 255], white, [128, 128, 128, 255]], [0, 255, 128]);
        check([white; 3], [255; 3]);
        check([[0, 0, 0, 255]; 3], [0; 3]);
        // Painted in red or black on nothing; white on nothing; nothing at all.
        check([[200, 0, 0, 255], [200, 0, 0, 99], [0; 4]], [255, 99, 0]);
        check([[0, 0, 0, 255], [1, 2, 3, 0], [0; 4]], [255, 0, 0]);
        check([white, [0; 4], white], [255, 0, 255]);
        check([[0; 4], [255, 255, 255, 0], [0; 4]], [0; 3]);
        // Black and white, partly transparent; a colored picture with a hole.
        check([white, [0, 0, 0, 255], [255, 255, 255, 0]], [255, 0, 0]);
        check([[200, 30, 10, 255], [9, 9, 90, 255], [0; 4]], [0, 0, 255]);
    }

    #[test]
    fn a_mask_of_another_size_is_refused_with_both_sizes() {
        let path = Path::new(FOLDER).join("gray_50x40.png");
        let error = read_mask(&path, Extent::new(64, 48)).unwrap_err().to_string();
        assert!(error.contains("the mask is 50x40 but the picture is 64x48"), "{error}");
    }
}
