//! Blending a repainted patch into a picture, inside the mask and nowhere else.

use crate::geom::CanvasRect;
use crate::raster::{GoOn, Mask, RgbaImage};

/// Blends `patch` into `original` where the mask covers it.
///
/// `patch` lies at `at`; `mask` has the extent of `original`. The edge of the mask is softened
/// inwards over `feather_px` ([`Mask::feather`]). A pixel of cover 0 keeps its four bytes, hidden
/// color included; one of full weight takes those of the patch. Between them colors are mixed by
/// weight and alpha, so that painting into transparent pixels makes them as opaque as the weight
/// and takes nothing from their hidden color.
pub fn composite_inside(
    original: &mut RgbaImage,
    patch: &RgbaImage,
    at: CanvasRect,
    mask: &Mask,
    feather_px: u32,
) {
    debug_assert_eq!(original.extent(), mask.extent(), "the mask covers the whole canvas");
    debug_assert_eq!(patch.extent(), at.extent(), "the patch fills its rect");
    let canvas = original.extent();
    let Some(inside) = at.intersection(canvas.rect()) else { return };
    // As far as the feather looks, so that cutting the mask doesn't change its edge.
    let around = inside.padded(feather_px.saturating_mul(4).saturating_add(2), canvas);
    let soft = mask.crop(around).feather(feather_px);
    for y in inside.y..inside.bottom() {
        let in_soft = CanvasRect::new(inside.x - around.x, y - around.y, inside.width, 1);
        let in_patch = CanvasRect::new(inside.x - at.x, y - at.y, inside.width, 1);
        let start = y as usize * canvas.width as usize + inside.x as usize;
        let end = start + inside.width as usize;
        let target = original.pixels_mut().get_mut(start..end).unwrap_or_default();
        let weights = soft.row(in_soft, in_soft.y);
        for ((pixel, &new), &weight) in
            target.iter_mut().zip(patch.row(in_patch, in_patch.y)).zip(weights)
        {
            *pixel = mixed(*pixel, new, weight);
        }
    }
}

/// The number of bytes that differ between two pictures where the mask covers nothing.
///
/// Pictures of different extents differ in every byte of the larger one.
#[must_use]
pub fn outside_mask_delta(before: &RgbaImage, after: &RgbaImage, mask: &Mask) -> usize {
    outside_mask_delta_while(before, after, mask, &|| true).unwrap_or_default()
}

/// As [`outside_mask_delta`], asking before each row whether to go on; `None` where not.
#[must_use]
pub fn outside_mask_delta_while(
    before: &RgbaImage,
    after: &RgbaImage,
    mask: &Mask,
    go_on: GoOn<'_>,
) -> Option<usize> {
    if before.extent() != after.extent() || before.extent() != mask.extent() {
        return Some(before.as_raw().len().max(after.as_raw().len()));
    }
    let width = (before.extent().width as usize).max(1);
    let rows = before.pixels().chunks(width).zip(after.pixels().chunks(width));
    let mut delta = 0;
    for ((before, after), cover) in rows.zip(mask.as_raw().chunks(width)) {
        if !go_on() {
            return None;
        }
        delta += before
            .iter()
            .zip(after)
            .zip(cover)
            .filter(|((a, b), cover)| **cover == 0 && a != b)
            .map(|((a, b), _)| a.iter().zip(b).filter(|(a, b)| a != b).count())
            .sum::<usize>();
    }
    Some(delta)
}

/// `old` and `new` mixed; weight 0 is `old` and 255 is `new`, byte for byte.
fn mixed(old: [u8; 4], new: [u8; 4], weight: u8) -> [u8; 4] {
    match weight {
        0 => return old,
        255 => return new,
        _ => {}
    }
    let new_part = u32::from(weight) * u32::from(new[3]);
    let old_part = (255 - u32::from(weight)) * u32::from(old[3]);
    let both = new_part + old_part;
    if both == 0 {
        // Nothing can be seen before or after; the hidden color stays as it is.
        return old;
    }
    let mix = |old: u8, new: u8| {
        ((u32::from(new) * new_part + u32::from(old) * old_part + both / 2) / both) as u8
    };
    let alpha = ((both + 127) / 255) as u8;
    [mix(old[0], new[0]), mix(old[1], new[1]), mix(old[2], new[2]), alpha]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Extent;
    use crate::raster::mask::tests::{Seeded, random_mask};
    use crate::raster::{RegionSettings, match_color, plan_regions, resize_rgba};

    fn random_image(seeded: &mut Seeded, extent: Extent) -> RgbaImage {
        let mut image = RgbaImage::new(extent, [0; 4]);
        for pixel in image.pixels_mut() {
            let [r, g, b, a, kind, ..] = seeded.next().to_le_bytes();
            // Alpha 0 with a hidden color, alpha 255, or anything between.
            let alpha = [0, 255, a][usize::from(kind % 3)];
            *pixel = [r, g, b, alpha];
        }
        image
    }

    #[test]
    fn nothing_outside_the_mask_changes_whatever_the_sizes_and_alphas() {
        let mut seeded = Seeded(7);
        for round in 0..300 {
            let extent = Extent::new(1 + seeded.below(70), 1 + seeded.below(70));
            let before = random_image(&mut seeded, extent);
            let mask = random_mask(&mut seeded, extent);
            let settings = RegionSettings {
                min_context_px: 1 + seeded.below(60),
                max_regions: 1 + round % 4,
                ..RegionSettings::for_model(16)
            };
            let mut after = before.clone();
            for region in plan_regions(&mask, &settings) {
                let made = random_image(&mut seeded, Extent::new(16, 16));
                let context = region.context_rect;
                let patch = resize_rgba(&made, context.extent());
                let patch = match_color(&patch, &before.crop(context), &mask.crop(context));
                composite_inside(&mut after, &patch, context, &mask, seeded.below(12));
            }
            assert_eq!(outside_mask_delta(&before, &after, &mask), 0, "round {round}");
        }
    }

    #[test]
    fn full_cover_takes_the_patch_byte_for_byte() {
        let mut seeded = Seeded(8);
        let extent = Extent::new(20, 10);
        let (before, patch) =
            (random_image(&mut seeded, extent), random_image(&mut seeded, extent));
        let mut mask = Mask::new(extent);
        mask.fill(CanvasRect::new(4, 2, 7, 5), 255);
        let mut after = before.clone();
        composite_inside(&mut after, &patch, extent.rect(), &mask, 0);
        let inside = CanvasRect::new(4, 2, 7, 5);
        assert_eq!(after.crop(inside), patch.crop(inside));
        mask = mask.inverted();
        assert_eq!(outside_mask_delta(&before, &after, &mask), {
            let (a, b) = (before.crop(inside), patch.crop(inside));
            a.as_raw().iter().zip(b.as_raw()).filter(|(a, b)| a != b).count()
        });
    }

    #[test]
    fn painting_into_transparency_ignores_the_hidden_color() {
        let extent = Extent::new(1, 1);
        let mut image = RgbaImage::new(extent, [255, 0, 255, 0]);
        let patch = RgbaImage::new(extent, [10, 20, 30, 255]);
        let mask = Mask::from_raw(extent, vec![128]).unwrap();
        composite_inside(&mut image, &patch, extent.rect(), &mask, 0);
        assert_eq!(image.pixel(0, 0), [10, 20, 30, 128]);
    }

    #[test]
    fn a_patch_that_equals_the_picture_changes_nothing_visible() {
        let mut seeded = Seeded(9);
        let extent = Extent::new(40, 30);
        let before = random_image(&mut seeded, extent);
        let mask = random_mask(&mut seeded, extent);
        let mut after = before.clone();
        composite_inside(&mut after, &before, extent.rect(), &mask, 5);
        assert_eq!(before, after);
    }

    #[test]
    fn a_feathered_edge_does_not_depend_on_where_the_patch_ends() {
        let extent = Extent::new(90, 60);
        let mut mask = Mask::new(extent);
        mask.fill(CanvasRect::new(20, 20, 50, 9), 255);
        mask.fill(CanvasRect::new(60, 10, 20, 40), 255);
        let white = RgbaImage::new(extent, [255; 4]);
        let mut whole = RgbaImage::new(extent, [0, 0, 0, 255]);
        let mut pieces = whole.clone();
        composite_inside(&mut whole, &white, extent.rect(), &mask, 6);
        for at in [CanvasRect::new(0, 0, 41, 60), CanvasRect::new(41, 0, 49, 60)] {
            composite_inside(&mut pieces, &white.crop(at), at, &mask, 6);
        }
        assert_eq!(whole, pieces);
    }

    #[test]
    fn a_patch_that_juts_out_is_cut() {
        let extent = Extent::new(4, 4);
        let mut image = RgbaImage::new(extent, [0; 4]);
        let patch = RgbaImage::new(Extent::new(9, 9), [1, 2, 3, 255]);
        let mut mask = Mask::new(extent);
        mask.fill(extent.rect(), 255);
        composite_inside(&mut image, &patch, CanvasRect::new(2, 3, 9, 9), &mask, 0);
        assert_eq!(image.pixel(3, 3), [1, 2, 3, 255]);
        assert_eq!(image.pixel(1, 3), [0; 4]);
    }
}
