//! Pictures for other programs: PNG, JPEG, WebP, TIFF and BMP, by the file's extension.
//!
//! Every file is written whole or not at all. Pixels are sRGB, so no color profile is written.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use image::codecs::bmp::BmpEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError, ImageResult};

use crate::geom::Extent;
use crate::raster::RgbaImage;
use crate::storage::image_file::check_extent;
use crate::storage::{PngOptions, StorageError, write_atomically, write_png};

/// A format that pictures are exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// PNG: lossless, with alpha and the request inside.
    Png,
    /// JPEG: small, lossy, no alpha.
    Jpeg,
    /// WebP, always lossless, with alpha.
    WebP,
    /// TIFF: uncompressed, with alpha.
    Tiff,
    /// BMP: uncompressed. Few programs read its alpha, so it gets none.
    Bmp,
}

impl ExportFormat {
    /// All formats, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Png, Self::Jpeg, Self::WebP, Self::Tiff, Self::Bmp];

    /// The format that a file's extension names.
    ///
    /// # Errors
    ///
    /// When the name has no extension or that of another format.
    pub fn from_path(path: &Path) -> Result<Self, StorageError> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        Self::ALL
            .into_iter()
            .find(|format| format.extensions().contains(&extension.as_str()))
            .ok_or_else(|| StorageError::UnknownExtension { extension, path: path.to_owned() })
    }

    /// The format's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
        }
    }

    /// The extensions of such files without dots, in lower case; the usual one first.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::WebP => &["webp"],
            Self::Tiff => &["tif", "tiff"],
            Self::Bmp => &["bmp", "dib"],
        }
    }

    /// Whether transparency survives; else the picture is laid over a color.
    #[must_use]
    pub const fn keeps_alpha(self) -> bool {
        matches!(self, Self::Png | Self::WebP | Self::Tiff)
    }

    /// Whether the request is written into the file.
    #[must_use]
    pub const fn keeps_text(self) -> bool {
        matches!(self, Self::Png)
    }
}

/// How pictures are exported; each format takes what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportOptions {
    /// Quality of JPEG files from 1 to 100.
    pub jpeg_quality: u8,
    /// What transparent pixels are laid over where the format has no alpha.
    pub background: [u8; 3],
    /// Alpha channel of PNG files.
    pub png: PngOptions,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self { jpeg_quality: 92, background: [255; 3], png: PngOptions::default() }
    }
}

/// Writes a picture in the format that the file's extension names, whole or not at all.
///
/// `text` are the chunks of [`crate::storage::png_text`]; only PNG files hold them. Formats with
/// alpha get an alpha channel only for pictures that aren't opaque.
///
/// # Errors
///
/// When the extension is unknown, the picture has no pixels or too many, a keyword isn't allowed,
/// or the file can't be written; then nothing is left behind.
pub fn export_image(
    path: &Path,
    image: &RgbaImage,
    text: &[(String, String)],
    options: &ExportOptions,
) -> Result<(), StorageError> {
    let format = ExportFormat::from_path(path)?;
    check_extent(image.extent(), path)?;
    // Only a copy where there is something to lay over the color.
    let flat =
        (!format.keeps_alpha() && !image.is_opaque()).then(|| image.flattened(options.background));
    let image = flat.as_ref().unwrap_or(image);
    match format {
        ExportFormat::Png => write_png(path, image, text, &options.png),
        ExportFormat::Jpeg => {
            let quality = options.jpeg_quality.clamp(1, 100);
            write(path, |file| write_pixels(JpegEncoder::new_with_quality(file, quality), image))
        }
        ExportFormat::WebP => {
            write(path, |file| write_pixels(WebPEncoder::new_lossless(file), image))
        }
        ExportFormat::Tiff => write(path, |file| write_pixels(TiffEncoder::new(file), image)),
        ExportFormat::Bmp => write(path, |file| write_pixels(BmpEncoder::new(file), image)),
    }
}

fn write(
    path: &Path,
    encode: impl FnOnce(&mut BufWriter<&File>) -> ImageResult<()>,
) -> Result<(), StorageError> {
    write_atomically(path, |file| {
        encode(file).map_err(|error| match error {
            ImageError::IoError(error) => error,
            other => io::Error::other(other),
        })
    })
}

fn write_pixels(encoder: impl ImageEncoder, image: &RgbaImage) -> ImageResult<()> {
    let Extent { width, height } = image.extent();
    if image.is_opaque() {
        encoder.write_image(&image.to_rgb(), width, height, ExtendedColorType::Rgb8)
    } else {
        encoder.write_image(image.as_raw(), width, height, ExtendedColorType::Rgba8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{read_image_file, read_png_text};

    fn picture(alpha: u8) -> RgbaImage {
        let mut image = RgbaImage::new(Extent::new(37, 23), [0; 4]);
        for (i, pixel) in image.pixels_mut().iter_mut().enumerate() {
            *pixel = [(i % 37 * 6) as u8, (i / 37 * 10) as u8, 128, alpha];
        }
        image
    }

    fn worst(a: &RgbaImage, b: &RgbaImage) -> u8 {
        assert_eq!(a.extent(), b.extent());
        a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    }

    #[test]
    fn every_extension_gives_a_file_of_its_format_with_the_same_pixels() {
        let folder = tempfile::tempdir().unwrap();
        for format in ExportFormat::ALL {
            for extension in format.extensions() {
                for alpha in [255, 130] {
                    let path = folder.path().join(format!("ä b.{}", extension.to_uppercase()));
                    let image = picture(alpha);
                    export_image(&path, &image, &[], &ExportOptions::default()).unwrap();
                    let file = read_image_file(&path).unwrap();
                    assert_eq!(file.format, format.name());
                    assert_eq!(file.has_alpha, alpha < 255 && format.keeps_alpha(), "{extension}");
                    let expected =
                        if format.keeps_alpha() { image } else { image.flattened([255; 3]) };
                    let lossy = format == ExportFormat::Jpeg;
                    let worst = worst(&file.image, &expected);
                    assert!(worst <= if lossy { 12 } else { 0 }, "{extension} {alpha}: {worst}");
                }
            }
        }
    }

    #[test]
    fn transparent_pixels_are_laid_over_the_given_color_where_there_is_no_alpha() {
        let folder = tempfile::tempdir().unwrap();
        let image = RgbaImage::new(Extent::new(16, 16), [255, 0, 255, 0]);
        let options = ExportOptions { background: [10, 120, 30], ..ExportOptions::default() };
        for name in ["a.jpg", "a.bmp"] {
            let path = folder.path().join(name);
            export_image(&path, &image, &[], &options).unwrap();
            let [r, g, b, a] = read_image_file(&path).unwrap().image.pixel(8, 8);
            assert!(r.abs_diff(10) < 4 && g.abs_diff(120) < 4 && b.abs_diff(30) < 4 && a == 255);
        }
    }

    #[test]
    fn a_lower_quality_makes_a_smaller_jpeg() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        let sizes = [0, 30, 95, 200].map(|jpeg_quality| {
            let options = ExportOptions { jpeg_quality, ..ExportOptions::default() };
            export_image(&path, &picture(255), &[], &options).unwrap();
            std::fs::metadata(&path).unwrap().len()
        });
        assert!(sizes.is_sorted() && sizes[1] < sizes[2], "{sizes:?}");
    }

    #[test]
    fn png_keeps_the_request() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let text = [("parameters".to_owned(), "a fox".to_owned())];
        export_image(&path, &picture(255), &text, &ExportOptions::default()).unwrap();
        assert_eq!(read_png_text(&path).unwrap(), text);
    }

    #[test]
    fn unknown_extensions_are_named_and_write_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.gif", "a", "a.", ".png", "a.png.bak", "jpg"] {
            let path = folder.path().join(name);
            let error = export_image(&path, &picture(255), &[], &ExportOptions::default());
            let message = error.unwrap_err().to_string();
            assert!(message.contains(".png, .jpg, .webp, .tif or .bmp"), "{message}");
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_failure_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.jpg", "a.webp", "a.tif", "a.bmp", "a.png"] {
            let path = folder.path().join(name);
            std::fs::write(&path, "old").unwrap();
            let none = RgbaImage::new(Extent::new(0, 4), [0; 4]);
            let error = export_image(&path, &none, &[], &ExportOptions::default()).unwrap_err();
            assert!(matches!(error, StorageError::NoPixels { .. }), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        }
        let missing = folder.path().join("no folder/a.webp");
        let error = export_image(&missing, &picture(255), &[], &ExportOptions::default());
        assert!(error.unwrap_err().to_string().contains("the folder does not exist"));
    }
}
