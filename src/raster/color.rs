//! Conversions of single values: bytes, the networks' [-1, 1], sRGB and linear light.

/// The network value of a byte: 0 is -1, 255 is 1.
#[must_use]
pub fn unit_from_byte(byte: u8) -> f32 {
    // A division, as in the reference; multiplying by the reciprocal differs in the last bit.
    f32::from(byte) / 127.5 - 1.0
}

/// The byte of a network value, rounded half to even and clamped; not a number becomes 0.
#[must_use]
pub fn byte_from_unit(value: f32) -> u8 {
    // `as` saturates, so that the clamp is part of the cast.
    ((value + 1.0) * 127.5).round_ties_even() as u8
}

/// Linear light in [0, 1] of an sRGB byte.
///
/// Source: IEC 61966-2-1.
#[must_use]
pub fn linear_from_srgb(byte: u8) -> f32 {
    let value = f32::from(byte) / 255.0;
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// The sRGB byte of linear light in [0, 1].
///
/// Source: IEC 61966-2-1.
#[must_use]
pub fn srgb_from_linear(light: f32) -> u8 {
    let light = light.clamp(0.0, 1.0);
    let value =
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (value * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_both_conversions() {
        for byte in 0..=255 {
            assert_eq!(byte_from_unit(unit_from_byte(byte)), byte);
            assert_eq!(srgb_from_linear(linear_from_srgb(byte)), byte);
        }
    }

    #[test]
    fn halves_go_to_the_even_byte_and_the_rest_is_clamped() {
        let check = |value: f32, expected: u8| assert_eq!(byte_from_unit(value), expected);
        check(0.5 / 127.5 - 1.0, 0);
        check(0.0, 128);
        check(-7.0, 0);
        check(1.3, 255);
        check(f32::NAN, 0);
    }
}
