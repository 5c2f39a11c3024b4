//! The shaders' text, put together.

/// `shaders/lib/blend.wgsl`.
const BLEND: &str = include_str!("../../shaders/lib/blend.wgsl");
/// `shaders/composite.wgsl`.
const COMPOSITE: &str = include_str!("../../shaders/composite.wgsl");
/// `shaders/canvas.wgsl`.
const CANVAS: &str = include_str!("../../shaders/canvas.wgsl");

/// Lays layers over each other.
pub(super) fn composite(device: &wgpu::Device) -> wgpu::ShaderModule {
    module(device, "composite", &composite_text())
}

/// Draws the canvas and overlays.
pub(super) fn canvas(device: &wgpu::Device) -> wgpu::ShaderModule {
    module(device, "canvas", CANVAS)
}

fn composite_text() -> String {
    [BLEND, COMPOSITE].concat()
}

fn module(device: &wgpu::Device, label: &str, text: &str) -> wgpu::ShaderModule {
    device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wgpu::naga;

    #[test]
    fn every_shader_is_valid() {
        for (name, text) in [("composite", composite_text()), ("canvas", CANVAS.to_owned())] {
            let module = naga::front::wgsl::parse_str(&text)
                .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(&text)));
            // What every driver has, and nothing more.
            naga::valid::Validator::new(
                naga::valid::ValidationFlags::all(),
                naga::valid::Capabilities::empty(),
            )
            .validate(&module)
            .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(&text)));
        }
    }
}
