// Draws the composite on the screen: one rectangle of the canvas an instance.
//
// Canvas positions are counted from `view.base`, a whole pixel near the middle of what is seen, so
// that 32-bit numbers stay exact far from the origin.

struct View {
    // Screen position (-1 to 1) of a canvas position: columns of the matrix, then the origin.
    matrix: vec4<f32>,
    origin: vec2<f32>,
    // Texture coordinates of a canvas position.
    uv_scale: vec2<f32>,
    uv_base: vec2<f32>,
    // Screen pixels a canvas pixel.
    scale: f32,
    // Strength of the lines between pixels.
    grid: f32,
    // What is sampled, so that nothing from beyond the canvas is mixed in; then the canvas itself.
    limits: vec4<f32>,
    canvas: vec4<f32>,
    // What one screen pixel to the right, and one down, are on the canvas.
    steps: vec4<f32>,
    // Both colors of the pattern under transparent pixels; in `a` the side in pixels, in the other
    // unused.
    checker_light: vec4<f32>,
    checker_dark: vec4<f32>,
    // Where the pattern starts, in target pixels; then the dashes' shift and their length.
    pattern: vec4<f32>,
    // The color of what is selected.
    mask: vec4<f32>,
    // Around the canvas; in `a` how much darker it is outside of the selection.
    surround: vec4<f32>,
}

override CHECKER: bool = false;
override COVER: bool = false;
override ANTS: bool = false;
override GRID: bool = false;
override HEAT: bool = false;
override SMOOTH: bool = false;
override SRGB_TARGET: bool = false;

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var picture: texture_2d<f32>;
@group(0) @binding(2) var other: texture_2d<f32>;
@group(0) @binding(3) var cover: texture_2d<f32>;
@group(0) @binding(4) var repeating: sampler;
@group(1) @binding(0) var overlay: texture_2d<f32>;
@group(1) @binding(1) var clamping: sampler;

struct Varying {
    @builtin(position) position: vec4<f32>,
    @location(0) local: vec2<f32>,
    // Where in an overlay; not used by blocks.
    @location(1) uv: vec2<f32>,
}

fn encoded(color: vec3<f32>) -> vec3<f32> {
    if SRGB_TARGET {
        // The target encodes once more, so that is taken back here.
        let high = pow((color + 0.055) / 1.055, vec3<f32>(2.4));
        return select(high, color / 12.92, color <= vec3<f32>(0.04045));
    }
    return color;
}

// `rect` holds left, top, right and bottom of what is drawn; `whole` those of the whole overlay.
@vertex
fn vs_rect(
    @builtin(vertex_index) index: u32,
    @location(0) rect: vec4<f32>,
    @location(1) whole: vec4<f32>,
) -> Varying {
    let right = (index & 1u) == 1u;
    let lower = (index & 2u) == 2u;
    let local = vec2<f32>(select(rect.x, rect.z, right), select(rect.y, rect.w, lower));
    let at = view.matrix.xy * local.x + view.matrix.zw * local.y + view.origin;
    let uv = (local - whole.xy) / max(whole.zw - whole.xy, vec2<f32>(1e-6));
    return Varying(vec4<f32>(at, 0.0, 1.0), local, uv);
}

@vertex
fn vs_all(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    let x = select(-1.0, 3.0, index == 1u);
    let y = select(-1.0, 3.0, index == 2u);
    return vec4<f32>(x, y, 0.0, 1.0);
}

@fragment
fn fs_surround() -> @location(0) vec4<f32> {
    return vec4<f32>(encoded(view.surround.rgb), 1.0);
}

fn texture_position(local: vec2<f32>) -> vec2<f32> {
    var at = local;
    if SMOOTH {
        // Pixels keep their size, and only one screen pixel between two of them is mixed.
        let seam = floor(local + 0.5);
        at = seam + clamp((local - seam) * view.scale, vec2<f32>(-0.5), vec2<f32>(0.5));
    }
    return clamp(at, view.limits.xy, view.limits.zw) * view.uv_scale + view.uv_base;
}

fn over_pattern(color: vec4<f32>, position: vec2<f32>) -> vec3<f32> {
    let square = floor((position - view.pattern.xy) / view.checker_light.a);
    let odd = fract((square.x + square.y) * 0.5) > 0.25;
    let below = select(view.checker_light.rgb, view.checker_dark.rgb, odd);
    return color.rgb + below * (1.0 - color.a);
}

// Dark violet to light yellow, each step lighter than the one before: differences stay ordered in
// gray and for color-blind eyes. Stops of matplotlib's `inferno` (CC0).
fn heat_color(t: f32) -> vec3<f32> {
    let a = vec3<f32>(0.161, 0.043, 0.329);
    let b = vec3<f32>(0.471, 0.110, 0.427);
    let c = vec3<f32>(0.776, 0.259, 0.290);
    let d = vec3<f32>(0.961, 0.486, 0.082);
    let e = vec3<f32>(0.988, 1.000, 0.643);
    let x = clamp(t, 0.0, 1.0) * 4.0;
    let low = mix(a, b, clamp(x, 0.0, 1.0));
    let middle = mix(low, c, clamp(x - 1.0, 0.0, 1.0));
    return mix(mix(middle, d, clamp(x - 2.0, 0.0, 1.0)), e, clamp(x - 3.0, 0.0, 1.0));
}

fn heat(a: vec4<f32>, b: vec4<f32>) -> vec3<f32> {
    let gray = vec3<f32>(0.5);
    let left = a.rgb + gray * (1.0 - a.a);
    let right = b.rgb + gray * (1.0 - b.a);
    let apart = abs(left - right);
    let difference = max(max(apart.r, apart.g), max(apart.b, abs(a.a - b.a)));
    let context = vec3<f32>(dot(left, vec3<f32>(0.299, 0.587, 0.114)) * 0.4 + 0.05);
    // Half a step of 8 bits is rounding; the root shows small differences too.
    return select(context, heat_color(sqrt(difference)), difference > 0.5 / 255.0);
}

fn cover_at(local: vec2<f32>) -> f32 {
    let inside = all(local >= view.canvas.xy) && all(local < view.canvas.zw);
    let value = textureSampleLevel(cover, repeating, texture_position(local), 0.0).r;
    return select(0.0, value, inside);
}

// The innermost pixels of what is selected, as moving dashes. `m` is the cover here.
fn with_ants(color: vec3<f32>, local: vec2<f32>, position: vec2<f32>, m: f32) -> vec3<f32> {
    let right = cover_at(local + view.steps.xy);
    let left = cover_at(local - view.steps.xy);
    let down = cover_at(local + view.steps.zw);
    let up = cover_at(local - view.steps.zw);
    let edge = m >= 0.5 && min(min(left, right), min(up, down)) < 0.5;
    // Along the edge, whichever way it goes, so that dashes never lie in its direction.
    let along = sign(vec2<f32>(up - down, right - left));
    let way = select(along, vec2<f32>(1.0, 1.0), all(along == vec2<f32>(0.0)));
    let dash = fract((dot(position, way) - view.pattern.z) / (2.0 * view.pattern.w));
    return select(color, vec3<f32>(select(0.0, 1.0, dash < 0.5)), edge);
}

fn with_grid(color: vec3<f32>, local: vec2<f32>) -> vec3<f32> {
    let f = fract(local) * view.scale;
    var line: f32;
    if SMOOTH {
        let near = min(f, vec2<f32>(view.scale) - f);
        line = clamp(1.0 - min(near.x, near.y), 0.0, 1.0);
    } else {
        line = select(0.0, 1.0, min(f.x, f.y) < 1.0);
    }
    let luma = dot(color, vec3<f32>(0.299, 0.587, 0.114));
    return mix(color, vec3<f32>(select(1.0, 0.0, luma > 0.3)), line * view.grid);
}

@fragment
fn fs_canvas(in: Varying) -> @location(0) vec4<f32> {
    let uv = texture_position(in.local);
    let sampled = textureSampleLevel(picture, repeating, uv, 0.0);
    var color = sampled.rgb;
    if CHECKER {
        color = over_pattern(sampled, in.position.xy);
    }
    if HEAT {
        color = heat(sampled, textureSampleLevel(other, repeating, uv, 0.0));
    }
    if GRID {
        color = with_grid(color, in.local);
    }
    if COVER {
        let m = textureSampleLevel(cover, repeating, uv, 0.0).r;
        color = mix(color * (1.0 - view.surround.a * (1.0 - m)), view.mask.rgb, view.mask.a * m);
        if ANTS {
            color = with_ants(color, in.local, in.position.xy, m);
        }
    }
    return vec4<f32>(encoded(color), 1.0);
}

// A picture stretched over a part of the canvas, as far as the selection covers it if asked.
@fragment
fn fs_overlay(in: Varying) -> @location(0) vec4<f32> {
    let sampled = textureSampleLevel(overlay, clamping, in.uv, 0.0);
    var alpha = sampled.a;
    if COVER {
        alpha *= cover_at(in.local);
    }
    return vec4<f32>(encoded(sampled.rgb) * alpha, alpha);
}
