//! How a layer's color mixes with what lies below it.
//!
//! [`BlendMode::blend`] is the specification's formula on numbers, [`blend_row`] the same on bytes:
//! the reference that the compositing shader is checked against. Values are mixed as they are
//! stored, sRGB-encoded, as the specification says and as other editors do with 8-bit pictures.

use serde::{Deserialize, Serialize};

/// A blend mode of the W3C's Compositing and Blending specification (level 1), as `OpenRaster`
/// names them too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlendMode {
    /// The layer's own color.
    #[default]
    Normal,
    /// Product.
    Multiply,
    /// Inverted product of the inverted colors.
    Screen,
    /// Multiply or screen, by the color below.
    Overlay,
    /// The darker channel.
    Darken,
    /// The lighter channel.
    Lighten,
    /// Brightens what lies below to reflect the layer.
    ColorDodge,
    /// Darkens what lies below to reflect the layer.
    ColorBurn,
    /// Multiply or screen, by the layer's color.
    HardLight,
    /// Darkens or lightens softly, by the layer's color.
    SoftLight,
    /// The darker channel taken from the lighter one.
    Difference,
    /// Like difference, with less contrast.
    Exclusion,
    /// Hue of the layer, saturation and luminosity from below.
    Hue,
    /// Saturation of the layer, hue and luminosity from below.
    Saturation,
    /// Hue and saturation of the layer, luminosity from below.
    Color,
    /// Luminosity of the layer, hue and saturation from below.
    Luminosity,
    /// Sum of both (`plus-lighter`).
    Add,
}

impl BlendMode {
    /// All modes, in the order in which menus list them; the position is the mode's number in shaders.
    pub const ALL: [Self; 17] = [
        Self::Normal,
        Self::Multiply,
        Self::Screen,
        Self::Overlay,
        Self::Darken,
        Self::Lighten,
        Self::ColorDodge,
        Self::ColorBurn,
        Self::HardLight,
        Self::SoftLight,
        Self::Difference,
        Self::Exclusion,
        Self::Hue,
        Self::Saturation,
        Self::Color,
        Self::Luminosity,
        Self::Add,
    ];

    /// The number that shaders know the mode by.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The mode's name for people, to be translated.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Multiply => "Multiply",
            Self::Screen => "Screen",
            Self::Overlay => "Overlay",
            Self::Darken => "Darken",
            Self::Lighten => "Lighten",
            Self::ColorDodge => "Color dodge",
            Self::ColorBurn => "Color burn",
            Self::HardLight => "Hard light",
            Self::SoftLight => "Soft light",
            Self::Difference => "Difference",
            Self::Exclusion => "Exclusion",
            Self::Hue => "Hue",
            Self::Saturation => "Saturation",
            Self::Color => "Color",
            Self::Luminosity => "Luminosity",
            Self::Add => "Add",
        }
    }

    /// The mode's name in an `OpenRaster` file (`composite-op`).
    #[must_use]
    pub const fn ora_name(self) -> &'static str {
        match self {
            Self::Normal => "svg:src-over",
            Self::Multiply => "svg:multiply",
            Self::Screen => "svg:screen",
            Self::Overlay => "svg:overlay",
            Self::Darken => "svg:darken",
            Self::Lighten => "svg:lighten",
            Self::ColorDodge => "svg:color-dodge",
            Self::ColorBurn => "svg:color-burn",
            Self::HardLight => "svg:hard-light",
            Self::SoftLight => "svg:soft-light",
            Self::Difference => "svg:difference",
            Self::Exclusion => "svg:exclusion",
            Self::Hue => "svg:hue",
            Self::Saturation => "svg:saturation",
            Self::Color => "svg:color",
            Self::Luminosity => "svg:luminosity",
            Self::Add => "svg:plus",
        }
    }

    /// The mode of an `OpenRaster` name; nothing for one that we don't have.
    #[must_use]
    pub fn from_ora_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.ora_name() == name)
    }

    /// Lays `source` over `backdrop`: red, green, blue and straight alpha from 0 to 1,
    /// sRGB-encoded.
    ///
    /// A source of alpha 0 gives the backdrop, whatever its color.
    ///
    /// Source: W3C, Compositing and Blending Level 1, sections 5.8, 9 and 10; for
    /// [`Self::Add`] the operator `plus-lighter` of Level 2.
    #[must_use]
    pub fn blend(self, backdrop: [f32; 4], source: [f32; 4]) -> [f32; 4] {
        let [br, bg, bb, ab] = backdrop;
        let [sr, sg, sb, a] = source;
        if a <= 0.0 {
            return backdrop;
        }
        let (below, above) = ([br, bg, bb], [sr, sg, sb]);
        if self == Self::Add {
            let alpha = (a + ab).min(1.0);
            let sum = |b: f32, s: f32| (a * s + ab * b).min(1.0) / alpha;
            let [r, g, b] = each(below, above, sum);
            return [r, g, b, alpha];
        }
        let blended = each(above, self.mixed(below, above), |s, mixed| (1.0 - ab) * s + ab * mixed);
        let alpha = a + ab * (1.0 - a);
        let [r, g, b] = each(below, blended, |b, s| (a * s + ab * b * (1.0 - a)) / alpha);
        [r, g, b, alpha]
    }

    /// The specification's `B(Cb, Cs)`.
    #[inline(always)]
    fn mixed(self, b: [f32; 3], s: [f32; 3]) -> [f32; 3] {
        match self {
            // Adding is another operator rather than another mixing function.
            Self::Normal | Self::Add => s,
            Self::Multiply => each(b, s, |b, s| b * s),
            Self::Screen => each(b, s, screen),
            Self::Overlay => each(b, s, |b, s| hard_light(s, b)),
            Self::Darken => each(b, s, f32::min),
            Self::Lighten => each(b, s, f32::max),
            Self::ColorDodge => each(b, s, color_dodge),
            Self::ColorBurn => each(b, s, color_burn),
            Self::HardLight => each(b, s, hard_light),
            Self::SoftLight => each(b, s, soft_light),
            Self::Difference => each(b, s, |b, s| (b - s).abs()),
            Self::Exclusion => each(b, s, |b, s| b + s - 2.0 * b * s),
            Self::Hue => with_luminosity(with_saturation(s, saturation(b)), luminosity(b)),
            Self::Saturation => with_luminosity(with_saturation(b, saturation(s)), luminosity(b)),
            Self::Color => with_luminosity(s, luminosity(b)),
            Self::Luminosity => with_luminosity(b, luminosity(s)),
        }
    }
}

/// Lays a row of pixels over another one, rounding halves up.
///
/// The alpha of `source` counts times `opacity` (0 to 1) and times `mask`. Where nothing of the
/// source is seen, the backdrop keeps its bytes, hidden color included; an opaque source in mode
/// normal is copied. The shortest of the three rows says how many pixels are mixed.
pub fn blend_row(
    mode: BlendMode,
    opacity: f32,
    mask: Option<&[u8]>,
    backdrop: &mut [[u8; 4]],
    source: &[[u8; 4]],
) {
    let opacity = (opacity.clamp(0.0, 1.0) * OPACITY_ONE as f32 + 0.5) as u32;
    if opacity == 0 {
        return;
    }
    let pixels = backdrop.iter_mut().zip(source);
    let mix = |below: &mut [u8; 4], above: [u8; 4], cover: u8| {
        // The share of the source in `WEIGHT_ONE` parts; it just fits 32 bits.
        let weight = u32::from(above[3]) * u32::from(cover) * opacity;
        match (weight, mode) {
            (0, _) => {}
            (_, BlendMode::Normal) => *below = source_over(*below, above, weight),
            _ => *below = mixed_bytes(mode, *below, above, weight),
        }
    };
    match mask {
        None => pixels.for_each(|(below, &above)| mix(below, above, 255)),
        Some(mask) => {
            pixels.zip(mask).for_each(|((below, &above), &cover)| mix(below, above, cover));
        }
    }
}

/// Full opacity as [`blend_row`] counts it.
const OPACITY_ONE: u32 = 0xFFFF;
/// Alpha 255 under cover 255 at full opacity.
const WEIGHT_ONE: u32 = 255 * 255 * OPACITY_ONE;

/// `above` over `below` in whole numbers; exact, with halves rounded up.
fn source_over(below: [u8; 4], above: [u8; 4], weight: u32) -> [u8; 4] {
    if weight == WEIGHT_ONE {
        return above;
    }
    let (weight, rest) = (u64::from(weight), u64::from(WEIGHT_ONE - weight));
    if below[3] == 255 {
        let one = u64::from(WEIGHT_ONE);
        let mix =
            |b: u8, s: u8| ((u64::from(s) * weight + u64::from(b) * rest + one / 2) / one) as u8;
        return [mix(below[0], above[0]), mix(below[1], above[1]), mix(below[2], above[2]), 255];
    }
    let (source_part, below_part) = (weight * 255, rest * u64::from(below[3]));
    let both = source_part + below_part;
    let one = u64::from(WEIGHT_ONE);
    let alpha = ((both + one / 2) / one) as u8;
    if alpha == 0 {
        return below;
    }
    if below[3] == 0 {
        return [above[0], above[1], above[2], alpha];
    }
    let mix = |b: u8, s: u8| {
        let sum = u64::from(s) * source_part + u64::from(b) * below_part;
        ((sum + both / 2) / both) as u8
    };
    [mix(below[0], above[0]), mix(below[1], above[1]), mix(below[2], above[2]), alpha]
}

/// [`BlendMode::blend`] on bytes.
fn mixed_bytes(mode: BlendMode, below: [u8; 4], above: [u8; 4], weight: u32) -> [u8; 4] {
    let unit = |byte: u8| f32::from(byte) / 255.0;
    let mut source = above.map(unit);
    source[3] = (f64::from(weight) / f64::from(WEIGHT_ONE)) as f32;
    // The cast saturates, so that it clamps too.
    let mixed = mode.blend(below.map(unit), source).map(|value| (value * 255.0 + 0.5) as u8);
    if mixed[3] == 0 { below } else { mixed }
}

#[inline(always)]
fn each(b: [f32; 3], s: [f32; 3], mix: impl Fn(f32, f32) -> f32) -> [f32; 3] {
    [mix(b[0], s[0]), mix(b[1], s[1]), mix(b[2], s[2])]
}

fn screen(b: f32, s: f32) -> f32 {
    b + s - b * s
}

fn hard_light(b: f32, s: f32) -> f32 {
    if s <= 0.5 { b * (2.0 * s) } else { screen(b, 2.0 * s - 1.0) }
}

fn color_dodge(b: f32, s: f32) -> f32 {
    if b <= 0.0 {
        0.0
    } else if s >= 1.0 {
        1.0
    } else {
        (b / (1.0 - s)).min(1.0)
    }
}

fn color_burn(b: f32, s: f32) -> f32 {
    if b >= 1.0 {
        1.0
    } else if s <= 0.0 {
        0.0
    } else {
        1.0 - ((1.0 - b) / s).min(1.0)
    }
}

fn soft_light(b: f32, s: f32) -> f32 {
    if s <= 0.5 {
        return b - (1.0 - 2.0 * s) * b * (1.0 - b);
    }
    let lighter = if b <= 0.25 { ((16.0 * b - 12.0) * b + 4.0) * b } else { b.sqrt() };
    b + (2.0 * s - 1.0) * (lighter - b)
}

/// `Lum`.
fn luminosity([r, g, b]: [f32; 3]) -> f32 {
    0.3 * r + 0.59 * g + 0.11 * b
}

/// `Sat`.
fn saturation([r, g, b]: [f32; 3]) -> f32 {
    r.max(g).max(b) - r.min(g).min(b)
}

/// `SetLum` with `ClipColor`.
fn with_luminosity(color: [f32; 3], wanted: f32) -> [f32; 3] {
    let add = wanted - luminosity(color);
    let color = color.map(|channel| channel + add);
    let lum = luminosity(color);
    let least = color[0].min(color[1]).min(color[2]);
    let most = color[0].max(color[1]).max(color[2]);
    let mut clipped = color;
    // Grays take neither way: the divisors are 0 only where all channels are equal, and rounding
    // must not make a gray divide by next to nothing.
    if least < 0.0 && lum - least > f32::EPSILON {
        clipped = clipped.map(|channel| lum + (channel - lum) * lum / (lum - least));
    }
    if most > 1.0 && most - lum > f32::EPSILON {
        clipped = clipped.map(|channel| lum + (channel - lum) * (1.0 - lum) / (most - lum));
    }
    clipped
}

/// `SetSat`: what lies between the least and the greatest channel keeps its place between them.
fn with_saturation(color: [f32; 3], wanted: f32) -> [f32; 3] {
    let least = color[0].min(color[1]).min(color[2]);
    let range = saturation(color);
    if range <= 0.0 {
        return [0.0; 3];
    }
    color.map(|channel| (channel - least) * wanted / range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::mask::tests::Seeded;

    /// `B(Cb, Cs)` word for word from the specification's text, in `f64` and one channel at a time.
    fn spec_separable(mode: BlendMode, cb: f64, cs: f64) -> f64 {
        let multiply = |cb: f64, cs: f64| cb * cs;
        let screen = |cb: f64, cs: f64| 1.0 - ((1.0 - cb) * (1.0 - cs));
        let hard = |cb: f64, cs: f64| {
            if cs <= 0.5 { multiply(cb, 2.0 * cs) } else { screen(cb, 2.0 * cs - 1.0) }
        };
        match mode {
            BlendMode::Normal => cs,
            BlendMode::Multiply => multiply(cb, cs),
            BlendMode::Screen => screen(cb, cs),
            BlendMode::Overlay => hard(cs, cb),
            BlendMode::Darken => cb.min(cs),
            BlendMode::Lighten => cb.max(cs),
            BlendMode::ColorDodge if cb == 0.0 => 0.0,
            BlendMode::ColorDodge if cs >= 1.0 => 1.0,
            BlendMode::ColorDodge => f64::min(1.0, cb / (1.0 - cs)),
            BlendMode::ColorBurn if cb >= 1.0 => 1.0,
            BlendMode::ColorBurn if cs == 0.0 => 0.0,
            BlendMode::ColorBurn => 1.0 - f64::min(1.0, (1.0 - cb) / cs),
            BlendMode::HardLight => hard(cb, cs),
            BlendMode::SoftLight => {
                let d = if cb <= 0.25 {
                    16.0 * cb.powi(3) - 12.0 * cb.powi(2) + 4.0 * cb
                } else {
                    cb.powf(0.5)
                };
                if cs <= 0.5 {
                    cb - (1.0 - 2.0 * cs) * cb * (1.0 - cb)
                } else {
                    cb + (2.0 * cs - 1.0) * (d - cb)
                }
            }
            BlendMode::Difference => (cb - cs).abs(),
            BlendMode::Exclusion => cb + cs - 2.0 * cb * cs,
            _ => unreachable!("not separable"),
        }
    }

    fn lum(c: [f64; 3]) -> f64 {
        0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2]
    }

    fn sat(c: [f64; 3]) -> f64 {
        c.iter().copied().fold(f64::MIN, f64::max) - c.iter().copied().fold(f64::MAX, f64::min)
    }

    fn set_lum(c: [f64; 3], l: f64) -> [f64; 3] {
        let d = l - lum(c);
        let mut c = [c[0] + d, c[1] + d, c[2] + d];
        let l = lum(c);
        let n = c[0].min(c[1]).min(c[2]);
        let x = c[0].max(c[1]).max(c[2]);
        if n < 0.0 {
            c = c.map(|c| l + (((c - l) * l) / (l - n)));
        }
        if x > 1.0 {
            c = c.map(|c| l + (((c - l) * (1.0 - l)) / (x - l)));
        }
        c
    }

    /// By sorting the channels, as the specification's pseudocode does.
    fn set_sat(c: [f64; 3], s: f64) -> [f64; 3] {
        let mut order = [0, 1, 2];
        order.sort_by(|&a, &b| c[a].total_cmp(&c[b]));
        let [min, mid, max] = order;
        let mut result = [0.0; 3];
        if c[max] > c[min] {
            result[mid] = ((c[mid] - c[min]) * s) / (c[max] - c[min]);
            result[max] = s;
        }
        result
    }

    /// The whole of blending and compositing, premultiplied as the specification writes it.
    fn spec(mode: BlendMode, backdrop: [f64; 4], source: [f64; 4]) -> [f64; 4] {
        let ([cb @ .., ab], [cs @ .., a]) = (backdrop, source);
        let mut out = [0.0; 4];
        if mode == BlendMode::Add {
            out[3] = f64::min(1.0, a + ab);
            for c in 0..3 {
                out[c] = f64::min(1.0, a * cs[c] + ab * cb[c]) / out[3];
            }
            return out;
        }
        let mixed = match mode {
            BlendMode::Hue => set_lum(set_sat(cs, sat(cb)), lum(cb)),
            BlendMode::Saturation => set_lum(set_sat(cb, sat(cs)), lum(cb)),
            BlendMode::Color => set_lum(cs, lum(cb)),
            BlendMode::Luminosity => set_lum(cb, lum(cs)),
            _ => [0, 1, 2].map(|c| spec_separable(mode, cb[c], cs[c])),
        };
        out[3] = a + ab * (1.0 - a);
        for c in 0..3 {
            let co = a * (1.0 - ab) * cs[c] + a * ab * mixed[c] + (1.0 - a) * ab * cb[c];
            out[c] = co / out[3];
        }
        out
    }

    fn random_pixel(seeded: &mut Seeded) -> [u8; 4] {
        let [r, g, b, a, kind, gray, ..] = seeded.next().to_le_bytes();
        let alpha = [0, 255, a, a][usize::from(kind % 4)];
        match gray % 8 {
            0 => [r, r, r, alpha],
            1 => [0, 0, 0, alpha],
            2 => [255, 255, 255, alpha],
            3 => [r, r, b, alpha],
            4 => [255, g, 0, alpha],
            _ => [r, g, b, alpha],
        }
    }

    #[test]
    fn every_mode_follows_the_formulas_of_the_specification() {
        let mut seeded = Seeded(1);
        for mode in BlendMode::ALL {
            for _ in 0..4000 {
                let (b, s) = (random_pixel(&mut seeded), random_pixel(&mut seeded));
                if s[3] == 0 {
                    continue;
                }
                let ours =
                    mode.blend(b.map(|c| f32::from(c) / 255.0), s.map(|c| f32::from(c) / 255.0));
                let expected =
                    spec(mode, b.map(|c| f64::from(c) / 255.0), s.map(|c| f64::from(c) / 255.0));
                for (ours, expected) in ours.into_iter().zip(expected) {
                    let error = (f64::from(ours) - expected).abs();
                    assert!(error < 2e-5, "{mode:?} {b:?} {s:?}: {ours} for {expected}");
                }
                let mut row = [b];
                blend_row(mode, 1.0, None, &mut row, &[s]);
                for (ours, expected) in row[0].into_iter().zip(expected) {
                    let exact = expected * 255.0;
                    assert!(
                        (f64::from(ours) - exact).abs() < 0.51,
                        "{mode:?} {b:?} {s:?}: {row:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn known_values() {
        let check = |mode: BlendMode, b: [u8; 4], s: [u8; 4], expected: [u8; 4]| {
            let mut row = [b];
            blend_row(mode, 1.0, None, &mut row, &[s]);
            assert_eq!(row[0], expected, "{mode:?}");
        };
        let (orange, blue) = ([255, 128, 0, 255], [51, 102, 204, 255]);
        check(BlendMode::Normal, orange, blue, blue);
        check(BlendMode::Normal, [0, 0, 0, 255], [255, 255, 255, 128], [128, 128, 128, 255]);
        check(BlendMode::Normal, [9, 9, 9, 0], [255, 0, 0, 100], [255, 0, 0, 100]);
        check(BlendMode::Multiply, orange, blue, [51, 51, 0, 255]);
        check(BlendMode::Screen, orange, blue, [255, 179, 204, 255]);
        check(BlendMode::Difference, orange, blue, [204, 26, 204, 255]);
        check(BlendMode::Exclusion, orange, blue, [204, 128, 204, 255]);
        check(BlendMode::Darken, orange, blue, [51, 102, 0, 255]);
        check(BlendMode::Lighten, orange, blue, [255, 128, 204, 255]);
        check(BlendMode::ColorDodge, orange, blue, [255, 213, 0, 255]);
        check(BlendMode::ColorBurn, orange, blue, [255, 0, 0, 255]);
        check(BlendMode::Add, orange, blue, [255, 230, 204, 255]);
        check(BlendMode::Luminosity, [200, 200, 200, 255], [60, 60, 60, 255], [60, 60, 60, 255]);
        check(BlendMode::Saturation, [200, 20, 90, 255], [7, 7, 7, 255], [82, 82, 82, 255]);
        // Over nothing, every mode shows the source.
        for mode in BlendMode::ALL {
            check(mode, [1, 2, 3, 0], [40, 50, 60, 77], [40, 50, 60, 77]);
        }
    }

    #[test]
    fn what_shows_nothing_leaves_every_byte_of_the_backdrop() {
        let mut seeded = Seeded(2);
        let before: Vec<[u8; 4]> = (0..500).map(|_| random_pixel(&mut seeded)).collect();
        let source: Vec<[u8; 4]> = (0..500).map(|_| random_pixel(&mut seeded)).collect();
        let clear: Vec<[u8; 4]> = source.iter().map(|&[r, g, b, _]| [r, g, b, 0]).collect();
        for mode in BlendMode::ALL {
            let mut row = before.clone();
            blend_row(mode, 0.7, None, &mut row, &clear);
            blend_row(mode, 0.0, None, &mut row, &source);
            blend_row(mode, 1.0, Some(&[0; 500]), &mut row, &source);
            assert_eq!(row, before, "{mode:?}");
        }
    }

    #[test]
    fn an_opaque_source_in_mode_normal_is_copied() {
        let mut seeded = Seeded(3);
        let mut row: Vec<[u8; 4]> = (0..500).map(|_| random_pixel(&mut seeded)).collect();
        let source: Vec<[u8; 4]> = row
            .iter()
            .map(|_| random_pixel(&mut seeded))
            .map(|[r, g, b, _]| [r, g, b, 255])
            .collect();
        blend_row(BlendMode::Normal, 1.0, Some(&[255; 500]), &mut row, &source);
        assert_eq!(row, source);
    }

    #[test]
    fn normal_in_whole_numbers_is_the_formula_rounded() {
        let mut seeded = Seeded(4);
        for _ in 0..20_000 {
            let (b, s) = (random_pixel(&mut seeded), random_pixel(&mut seeded));
            let (opacity, cover) = (seeded.below(1001) as f32 / 1000.0, seeded.below(256) as u8);
            let mut row = [b];
            blend_row(BlendMode::Normal, opacity, Some(&[cover]), &mut row, &[s]);
            let mut source = s.map(|c| f64::from(c) / 255.0);
            source[3] *= f64::from(opacity) * f64::from(cover) / 255.0;
            if source[3] == 0.0 {
                assert_eq!(row[0], b);
                continue;
            }
            let exact = spec(BlendMode::Normal, b.map(|c| f64::from(c) / 255.0), source);
            if row[0][3] == 0 {
                assert!(exact[3] * 255.0 < 0.501 && row[0] == b);
                continue;
            }
            for (ours, exact) in row[0].into_iter().zip(exact) {
                // 0.51: the opacity is rounded to 16 bits.
                assert!((f64::from(ours) - exact * 255.0).abs() < 0.51, "{b:?} {s:?} {row:?}");
            }
        }
    }

    #[test]
    fn modes_that_treat_both_alike_do_not_care_which_is_on_top() {
        let mut seeded = Seeded(5);
        let opaque = |[r, g, b, _]: [u8; 4]| [r, g, b, 255];
        for mode in [
            BlendMode::Multiply,
            BlendMode::Screen,
            BlendMode::Darken,
            BlendMode::Lighten,
            BlendMode::Difference,
            BlendMode::Exclusion,
            BlendMode::Add,
        ] {
            for _ in 0..500 {
                let a = opaque(random_pixel(&mut seeded));
                let b = opaque(random_pixel(&mut seeded));
                let (mut over, mut under) = ([a], [b]);
                blend_row(mode, 1.0, None, &mut over, &[b]);
                blend_row(mode, 1.0, None, &mut under, &[a]);
                assert_eq!(over, under, "{mode:?}");
            }
        }
    }

    #[test]
    fn names_are_told_apart_and_found_again() {
        for (i, mode) in BlendMode::ALL.into_iter().enumerate() {
            assert_eq!(mode.number() as usize, i);
            assert_eq!(BlendMode::from_ora_name(mode.ora_name()), Some(mode));
            let same = BlendMode::ALL.iter().filter(|other| other.label() == mode.label());
            assert_eq!(same.count(), 1);
        }
        assert_eq!(BlendMode::from_ora_name("svg:dst-in"), None);
    }
}
