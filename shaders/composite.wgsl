// Lays the layers of one block over each other. Needs `lib/blend.wgsl`.

struct Stack {
    // Column and row of the block's first texel in the target, number of layers.
    header: vec4<u32>,
    // Slot of the color, slot of the mask or NO_MASK, blend mode, bits of the opacity.
    layers: array<vec4<u32>, 1023>,
}

const NO_MASK: u32 = 0xffffffffu;

override MASKS: bool = false;

@group(0) @binding(0) var<uniform> stack: Stack;
@group(0) @binding(1) var colors: texture_2d_array<f32>;
@group(0) @binding(2) var covers: texture_2d_array<f32>;

@vertex
fn vs_block(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    // One triangle that covers the viewport; the scissor cuts it to what has changed.
    let x = select(-1.0, 3.0, index == 1u);
    let y = select(-1.0, 3.0, index == 2u);
    return vec4<f32>(x, y, 0.0, 1.0);
}

@fragment
fn fs_block(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let at = vec2<i32>(position.xy) - vec2<i32>(stack.header.xy);
    var below = vec4<f32>(0.0);
    for (var i = 0u; i < stack.header.z; i++) {
        let layer = stack.layers[i];
        var source = textureLoad(colors, at, i32(layer.x), 0);
        source.a *= bitcast<f32>(layer.w);
        if MASKS {
            let masked = layer.y != NO_MASK;
            let cover = textureLoad(covers, at, i32(select(0u, layer.y, masked)), 0).r;
            source.a *= select(1.0, cover, masked);
        }
        below = laid_over(layer.z, below, source);
    }
    return below;
}
