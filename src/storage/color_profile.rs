//! Pixels described by an embedded color profile (ICC), turned into sRGB.
//!
//! RGB and gray profiles are honored. Anything that can't be is told in [`ProfileUse::Ignored`]
//! and leaves the pixels alone: a picture in slightly wrong colors is better than none.

use std::sync::Arc;

use image::DynamicImage;
use moxcms::{
    CmsError, ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, Transform16BitExecutor,
    TransformExecutor, TransformOptions,
};
use rayon::prelude::*;

/// Pixels that one thread converts at a time.
const CHUNK_PIXELS: usize = 1 << 16;
/// How far colors may move, of 255, for a profile to count as sRGB: what rounding does.
const SRGB_TOLERANCE: u8 = 1;
/// The least brightness, of 255, that a sound profile gives white.
const LEAST_WHITE: u8 = 128;

/// What was done with a file's color profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProfileUse {
    /// The pixels are as stored: there is no profile, it is sRGB, or it was to be kept.
    #[default]
    AsStored,
    /// The pixels were converted from the profile's colors to sRGB.
    Converted,
    /// The profile can't be used, so the pixels were taken for sRGB; a warning to show.
    Ignored {
        /// What is wrong with the profile.
        reason: String,
    },
}

/// The picture in sRGB, where `profile` describes other colors; more than 8 bits are kept.
pub(super) fn srgb_from(image: DynamicImage, profile: Option<&[u8]>) -> (DynamicImage, ProfileUse) {
    let Some(profile) = profile else { return (image, ProfileUse::AsStored) };
    let ignored = |image, reason| (image, ProfileUse::Ignored { reason });
    let conversion = match Conversion::new(&image, profile) {
        Ok(Some(conversion)) => conversion,
        Ok(None) => return (image, ProfileUse::AsStored),
        Err(reason) => return ignored(image, reason),
    };
    match conversion.applied(&image) {
        Ok(converted) => (converted, ProfileUse::Converted),
        Err(error) => ignored(image, error.to_string()),
    }
}

/// A way from the pixels of one picture to sRGB with alpha.
struct Conversion {
    layout: SourceLayout,
    to_srgb: Transform,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SourceLayout {
    Rgba,
    GrayAlpha,
}

/// Pictures with more than 8 bits are converted before they are rounded.
enum Transform {
    Eight(Arc<Transform8BitExecutor>),
    Sixteen(Arc<Transform16BitExecutor>),
}

impl SourceLayout {
    const fn layout(self) -> Layout {
        match self {
            Self::Rgba => Layout::Rgba,
            Self::GrayAlpha => Layout::GrayAlpha,
        }
    }

    const fn channels(self) -> usize {
        match self {
            Self::Rgba => 4,
            Self::GrayAlpha => 2,
        }
    }
}

impl Conversion {
    /// `None` where the profile's colors are those of sRGB.
    fn new(image: &DynamicImage, profile: &[u8]) -> Result<Option<Self>, String> {
        let source = ColorProfile::new_from_slice(profile).map_err(|error| error.to_string())?;
        let layout = match source.color_space {
            DataColorSpace::Rgb => SourceLayout::Rgba,
            DataColorSpace::Gray if !image.color().has_color() => SourceLayout::GrayAlpha,
            DataColorSpace::Gray => {
                return Err("it is for gray values, but the picture has colors".to_owned());
            }
            DataColorSpace::Cmyk => {
                return Err("it is for CMYK colors, but the picture has RGB".to_owned());
            }
            _ => return Err("it is neither for RGB colors nor for gray values".to_owned()),
        };
        let srgb = ColorProfile::new_srgb();
        let options = TransformOptions::default();
        let eight = source
            .create_transform_8bit(layout.layout(), &srgb, Layout::Rgba, options)
            .map_err(|error| error.to_string())?;
        let samples = samples(layout);
        let converted = converted(&*eight, &samples, layout).map_err(|error| error.to_string())?;
        if converted.last_chunk::<4>().is_none_or(|white| white[1] < LEAST_WHITE) {
            return Err("it would make white dark".to_owned());
        }
        if is_srgb(&samples, &converted, layout) {
            return Ok(None);
        }
        let color = image.color();
        let to_srgb = if color.bytes_per_pixel() > color.channel_count() {
            let sixteen = source
                .create_transform_16bit(layout.layout(), &srgb, Layout::Rgba, options)
                .map_err(|error| error.to_string())?;
            Transform::Sixteen(sixteen)
        } else {
            Transform::Eight(eight)
        };
        Ok(Some(Self { layout, to_srgb }))
    }

    fn applied(&self, image: &DynamicImage) -> Result<DynamicImage, CmsError> {
        let (width, height) = (image.width(), image.height());
        let result = match &self.to_srgb {
            Transform::Eight(transform) => {
                let pixels = match self.layout {
                    SourceLayout::Rgba => image.to_rgba8().into_raw(),
                    SourceLayout::GrayAlpha => image.to_luma_alpha8().into_raw(),
                };
                let pixels = converted(&**transform, &pixels, self.layout)?;
                image::RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from)
            }
            Transform::Sixteen(transform) => {
                let pixels = match self.layout {
                    SourceLayout::Rgba => image.to_rgba16().into_raw(),
                    SourceLayout::GrayAlpha => image.to_luma_alpha16().into_raw(),
                };
                let pixels = converted(&**transform, &pixels, self.layout)?;
                image::ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageRgba16)
            }
        };
        result.ok_or(CmsError::LaneSizeMismatch)
    }
}

/// All pixels through a transform to RGBA, on all threads.
fn converted<T: Copy + Default + Send + Sync>(
    transform: &(dyn TransformExecutor<T> + Send + Sync),
    pixels: &[T],
    layout: SourceLayout,
) -> Result<Vec<T>, CmsError> {
    let channels = layout.channels();
    let mut result = vec![T::default(); pixels.len() / channels * 4];
    result
        .par_chunks_mut(CHUNK_PIXELS * 4)
        .zip(pixels.par_chunks(CHUNK_PIXELS * channels))
        .try_for_each(|(result, pixels)| transform.transform(pixels, result))?;
    Ok(result)
}

/// Opaque pixels all over the colors; the last is white.
fn samples(layout: SourceLayout) -> Vec<u8> {
    let grays = 0..=255;
    match layout {
        SourceLayout::GrayAlpha => grays.flat_map(|gray| [gray, 255]).collect(),
        SourceLayout::Rgba => {
            let step = |place: u32| (place % 6 * 51) as u8;
            let cube = (0..216).flat_map(|i| [step(i / 36), step(i / 6), step(i), 255]);
            cube.chain(grays.flat_map(|gray| [gray, gray, gray, 255])).collect()
        }
    }
}

/// Whether the transform moved nothing, whatever the profile calls itself.
fn is_srgb(samples: &[u8], converted: &[u8], layout: SourceLayout) -> bool {
    samples.chunks_exact(layout.channels()).zip(converted.chunks_exact(4)).all(|(sample, color)| {
        let before = match *sample {
            [red, green, blue, _] => [red, green, blue],
            [gray, ..] => [gray; 3],
            [] => [0; 3],
        };
        before.iter().zip(color).all(|(a, b)| a.abs_diff(*b) <= SRGB_TOLERANCE)
    })
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, ImageEncoder as _, Luma, Rgb, Rgba};

    use super::*;
    use crate::geom::Extent;
    use crate::storage::{Colors, ImageFile, read_image_bytes};

    /// A PNG file of one row with a profile.
    fn png(image: &DynamicImage, profile: Vec<u8>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.set_icc_profile(profile).unwrap();
        image.write_with_encoder(encoder).unwrap();
        bytes
    }

    fn read(bytes: &[u8], colors: Colors) -> ImageFile {
        read_image_bytes(bytes, "a picture", colors).unwrap()
    }

    fn rgb(pixels: &[[u8; 3]]) -> DynamicImage {
        ImageBuffer::<Rgb<u8>, _>::from_raw(pixels.len() as u32, 1, pixels.concat()).unwrap().into()
    }

    /// Fails where a channel of the first pixel is more than `tolerance` away.
    fn check_pixel(found: [u8; 4], expected: [u8; 4], tolerance: u8) {
        let near = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= tolerance);
        assert!(near, "{found:?}, expected {expected:?}");
    }

    #[test]
    fn pixels_with_another_profile_become_srgb_and_stay_as_they_are_where_asked() {
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let bytes = png(&rgb(&[[200, 100, 50], [128; 3], [255; 3], [0; 3]]), profile.clone());
        let file = read(&bytes, Colors::Srgb);
        assert_eq!(file.profile_use, ProfileUse::Converted);
        assert_eq!(file.icc_profile, None);
        assert!(!file.has_alpha && !file.rounded_to_8_bits);
        // Computed by the matrices of SMPTE EG 432-1 and IEC 61966-2-1 in double precision.
        check_pixel(file.image.pixel(0, 0), [215, 93, 31, 255], 1);
        check_pixel(file.image.pixel(1, 0), [128, 128, 128, 255], 1);
        check_pixel(file.image.pixel(2, 0), [255; 4], 0);
        check_pixel(file.image.pixel(3, 0), [0, 0, 0, 255], 0);
        let file = read(&bytes, Colors::AsStored);
        assert_eq!(file.image.pixel(0, 0), [200, 100, 50, 255]);
        assert_eq!((file.profile_use, file.icc_profile), (ProfileUse::AsStored, Some(profile)));
    }

    #[test]
    fn srgb_profiles_leave_every_byte_alone() {
        let all: Vec<[u8; 3]> = (0..=255).map(|i| [i, 255 - i, i / 2]).collect();
        let bytes = png(&rgb(&all), ColorProfile::new_srgb().encode().unwrap());
        let file = read(&bytes, Colors::Srgb);
        assert_eq!(file.profile_use, ProfileUse::AsStored);
        assert_eq!(file.image.to_rgb(), all.concat());
    }

    #[test]
    fn alpha_survives_a_conversion() {
        let pixels = ImageBuffer::<Rgba<u8>, _>::from_raw(2, 1, vec![9, 200, 9, 0, 9, 200, 9, 77]);
        let profile = ColorProfile::new_adobe_rgb().encode().unwrap();
        let file = read(&png(&pixels.unwrap().into(), profile), Colors::Srgb);
        assert_eq!(file.profile_use, ProfileUse::Converted);
        assert!(file.has_alpha);
        assert_eq!([file.image.pixel(0, 0)[3], file.image.pixel(1, 0)[3]], [0, 77]);
    }

    #[test]
    fn deep_pictures_are_converted_before_they_are_rounded() {
        // Linear values: in 8 bits both would be black.
        let mut profile = ColorProfile::new_srgb();
        let linear = Some(moxcms::ToneReprCurve::Lut(Vec::new()));
        profile.red_trc.clone_from(&linear);
        profile.green_trc.clone_from(&linear);
        profile.blue_trc = linear;
        profile.cicp = None;
        let pixels = ImageBuffer::<Rgb<u16>, _>::from_raw(2, 1, vec![50, 50, 50, 100, 100, 100]);
        let file = read(&png(&pixels.unwrap().into(), profile.encode().unwrap()), Colors::Srgb);
        assert_eq!(file.profile_use, ProfileUse::Converted);
        assert!(file.rounded_to_8_bits);
        // 12.92 times as bright near black: 50 * 12.92 / 257 and 100 * 12.92 / 257.
        check_pixel(file.image.pixel(0, 0), [3, 3, 3, 255], 1);
        check_pixel(file.image.pixel(1, 0), [5, 5, 5, 255], 1);
    }

    #[test]
    fn gray_profiles_are_for_gray_pictures() {
        let profile = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let gray = ImageBuffer::<Luma<u8>, _>::from_raw(3, 1, vec![0, 55, 255]).unwrap();
        let file = read(&png(&gray.into(), profile.clone()), Colors::Srgb);
        assert_eq!(file.profile_use, ProfileUse::Converted);
        assert_eq!(file.image.extent(), Extent::new(3, 1));
        check_pixel(file.image.pixel(0, 0), [0, 0, 0, 255], 0);
        // The sRGB value of 55 / 255 in linear light.
        check_pixel(file.image.pixel(1, 0), [128, 128, 128, 255], 1);
        check_pixel(file.image.pixel(2, 0), [255; 4], 0);
        let file = read(&png(&rgb(&[[1, 2, 3]]), profile), Colors::Srgb);
        let ProfileUse::Ignored { reason } = file.profile_use else { panic!("{file:?}") };
        assert!(reason.contains("gray values"), "{reason}");
        assert_eq!(file.image.pixel(0, 0), [1, 2, 3, 255]);
    }

    #[test]
    fn a_broken_profile_is_a_warning() {
        let sound = ColorProfile::new_display_p3().encode().unwrap();
        let mut dark = ColorProfile::new_display_p3();
        let none = moxcms::Xyzd::new(0.0, 0.0, 0.0);
        (dark.red_colorant, dark.green_colorant, dark.blue_colorant) = (none, none, none);
        for profile in [
            b"no profile at all".to_vec(),
            vec![0; 200],
            sound[..150].to_vec(),
            sound[..sound.len() / 2].to_vec(),
            dark.encode().unwrap(),
        ] {
            let file = read(&png(&rgb(&[[200, 100, 50]]), profile), Colors::Srgb);
            assert!(matches!(file.profile_use, ProfileUse::Ignored { .. }), "{file:?}");
            assert_eq!(file.image.pixel(0, 0), [200, 100, 50, 255]);
            assert_eq!(file.icc_profile, None);
        }
    }

    #[test]
    fn many_pixels_are_converted_in_pieces_and_come_out_in_order() {
        // Three pieces and a bit, whose ends fall into the middle of rows.
        let (width, height) = (1001, 3 * CHUNK_PIXELS as u32 / 1001 + 2);
        let pixels = ImageBuffer::from_fn(width, height, |x, y| {
            Rgb([x as u8, (x >> 2) as u8, (y * 3) as u8])
        });
        let profile = ColorProfile::new_adobe_rgb().encode().unwrap();
        let file = read(&png(&pixels.into(), profile.clone()), Colors::Srgb);
        for (x, y) in
            [(0, 0), (77, 0), (width - 1, 65), (470, 65), (471, 65), (width - 1, height - 1)]
        {
            let one = rgb(&[[x as u8, (x >> 2) as u8, (y * 3) as u8]]);
            let one = read(&png(&one, profile.clone()), Colors::Srgb);
            assert_eq!(file.image.pixel(x, y), one.image.pixel(0, 0), "{x} {y}");
        }
    }
}
