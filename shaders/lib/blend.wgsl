// The blend modes of `raster/blend_mode.rs`, on sRGB-encoded colors from 0 to 1.
//
// Source: W3C, Compositing and Blending Level 1, sections 5.8, 9 and 10; for mode 16 (add) the
// operator `plus-lighter` of Level 2. A mode's number is its place in `BlendMode::ALL`.

// Bit n is set where mode n is used. The rest is removed when a pipeline is made: software
// renderers run both sides of every branch.
override MODES: u32 = 1u;

fn has_mode(mode: u32) -> bool {
    return (MODES & (1u << mode)) != 0u;
}

fn screen(b: vec3<f32>, s: vec3<f32>) -> vec3<f32> {
    return b + s - b * s;
}

fn hard_light(b: vec3<f32>, s: vec3<f32>) -> vec3<f32> {
    return select(screen(b, 2.0 * s - 1.0), b * (2.0 * s), s <= vec3<f32>(0.5));
}

fn color_dodge(b: vec3<f32>, s: vec3<f32>) -> vec3<f32> {
    let one = vec3<f32>(1.0);
    let lighter = min(b / max(one - s, vec3<f32>(1e-6)), one);
    return select(select(lighter, one, s >= one), vec3<f32>(0.0), b <= vec3<f32>(0.0));
}

fn color_burn(b: vec3<f32>, s: vec3<f32>) -> vec3<f32> {
    let one = vec3<f32>(1.0);
    let darker = one - min((one - b) / max(s, vec3<f32>(1e-6)), one);
    return select(select(darker, vec3<f32>(0.0), s <= vec3<f32>(0.0)), one, b >= one);
}

fn soft_light(b: vec3<f32>, s: vec3<f32>) -> vec3<f32> {
    let darker = b - (1.0 - 2.0 * s) * b * (1.0 - b);
    let curve = select(sqrt(b), ((16.0 * b - 12.0) * b + 4.0) * b, b <= vec3<f32>(0.25));
    let lighter = b + (2.0 * s - 1.0) * (curve - b);
    return select(lighter, darker, s <= vec3<f32>(0.5));
}

fn luminosity(c: vec3<f32>) -> f32 {
    return dot(c, vec3<f32>(0.3, 0.59, 0.11));
}

fn least(c: vec3<f32>) -> f32 {
    return min(c.r, min(c.g, c.b));
}

fn most(c: vec3<f32>) -> f32 {
    return max(c.r, max(c.g, c.b));
}

fn saturation(c: vec3<f32>) -> f32 {
    return most(c) - least(c);
}

// `SetLum` with `ClipColor`.
fn with_luminosity(color: vec3<f32>, wanted: f32) -> vec3<f32> {
    let moved = color + (wanted - luminosity(color));
    let lum = luminosity(moved);
    let low = least(moved);
    let high = most(moved);
    var clipped = moved;
    // Grays take neither way: rounding must not make a gray divide by next to nothing.
    if low < 0.0 && lum - low > 1.1920929e-7 {
        clipped = lum + (clipped - lum) * (lum / (lum - low));
    }
    if high > 1.0 && high - lum > 1.1920929e-7 {
        clipped = lum + (clipped - lum) * ((1.0 - lum) / (high - lum));
    }
    return clipped;
}

// `SetSat`, without sorting the channels: the least becomes 0, the largest `wanted`.
fn with_saturation(color: vec3<f32>, wanted: f32) -> vec3<f32> {
    let low = least(color);
    let range = most(color) - low;
    return select(vec3<f32>(0.0), (color - low) * (wanted / max(range, 1e-9)), range > 0.0);
}

// The specification's `B(Cb, Cs)`.
fn mixed(mode: u32, b: vec3<f32>, s: vec3<f32>) -> vec3<f32> {
    var c = s;
    if has_mode(1u) && mode == 1u { c = b * s; }
    if has_mode(2u) && mode == 2u { c = screen(b, s); }
    if has_mode(3u) && mode == 3u { c = hard_light(s, b); }
    if has_mode(4u) && mode == 4u { c = min(b, s); }
    if has_mode(5u) && mode == 5u { c = max(b, s); }
    if has_mode(6u) && mode == 6u { c = color_dodge(b, s); }
    if has_mode(7u) && mode == 7u { c = color_burn(b, s); }
    if has_mode(8u) && mode == 8u { c = hard_light(b, s); }
    if has_mode(9u) && mode == 9u { c = soft_light(b, s); }
    if has_mode(10u) && mode == 10u { c = abs(b - s); }
    if has_mode(11u) && mode == 11u { c = b + s - 2.0 * b * s; }
    if has_mode(12u) && mode == 12u {
        c = with_luminosity(with_saturation(s, saturation(b)), luminosity(b));
    }
    if has_mode(13u) && mode == 13u {
        c = with_luminosity(with_saturation(b, saturation(s)), luminosity(b));
    }
    if has_mode(14u) && mode == 14u { c = with_luminosity(s, luminosity(b)); }
    if has_mode(15u) && mode == 15u { c = with_luminosity(b, luminosity(s)); }
    return c;
}

// Lays `source` (straight alpha) over `below` (premultiplied); the result is premultiplied.
fn laid_over(mode: u32, below: vec4<f32>, source: vec4<f32>) -> vec4<f32> {
    let a = source.a;
    let over = vec4<f32>(source.rgb * a, a) + below * (1.0 - a);
    if MODES == 1u {
        return over;
    }
    var result = over;
    if mode != 0u {
        let backdrop = clamp(below.rgb / max(below.a, 1e-6), vec3<f32>(0.0), vec3<f32>(1.0));
        let color = mix(source.rgb, mixed(mode, backdrop, source.rgb), below.a);
        result = vec4<f32>(color * a + below.rgb * (1.0 - a), over.a);
    }
    if has_mode(16u) && mode == 16u {
        result = min(vec4<f32>(source.rgb * a, a) + below, vec4<f32>(1.0));
    }
    return result;
}
