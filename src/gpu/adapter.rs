//! Which graphics driver is used.
//!
//! A real graphics card where there is one, else software (lavapipe, WARP, llvmpipe). The variables
//! `WGPU_BACKEND` (`vulkan`, `dx12`, `metal`, `gl`) and `WGPU_ADAPTER_NAME` (a part of its name) choose
//! another one.

use std::sync::Arc;

use egui_wgpu::{WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew};

use crate::gpu::GpuError;

/// How the window opens its graphics driver.
#[must_use]
pub fn wgpu_options() -> WgpuConfiguration {
    let mut setup = WgpuSetupCreateNew::without_display_handle();
    setup.native_adapter_selector = Some(Arc::new(|adapters, surface| {
        choose(adapters, surface).map_err(|error| error.to_string())
    }));
    setup.device_descriptor = Arc::new(device_descriptor);
    WgpuConfiguration { wgpu_setup: WgpuSetup::CreateNew(setup), ..WgpuConfiguration::default() }
}

/// A driver in words: name, kind, interface and version.
#[must_use]
pub fn describe(info: &wgpu::AdapterInfo) -> String {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "graphics card",
        wgpu::DeviceType::IntegratedGpu => "integrated graphics",
        wgpu::DeviceType::VirtualGpu => "virtual graphics card",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "unknown kind",
    };
    let driver = [info.driver.as_str(), info.driver_info.as_str()].join(" ");
    let driver = driver.trim();
    let comma = if driver.is_empty() { "" } else { ", " };
    format!("{} ({kind}, {:?}{comma}{driver})", info.name, info.backend)
}

/// The best driver that can draw into a surface, or into textures where there is none.
pub(super) fn choose(
    adapters: &[wgpu::Adapter],
    surface: Option<&wgpu::Surface<'_>>,
) -> Result<wgpu::Adapter, GpuError> {
    if adapters.is_empty() {
        return Err(GpuError::NoAdapter);
    }
    let wanted = std::env::var("WGPU_ADAPTER_NAME").unwrap_or_default().to_lowercase();
    let suits = |adapter: &&wgpu::Adapter| {
        surface.is_none_or(|surface| adapter.is_surface_supported(surface))
    };
    let mut suitable: Vec<&wgpu::Adapter> = adapters.iter().filter(suits).collect();
    // Sorting keeps the order of equals, which is the system's own order of preference.
    suitable.sort_by_key(|adapter| {
        let info = adapter.get_info();
        let named = !wanted.is_empty() && info.name.to_lowercase().contains(&wanted);
        (!named, rank(info.device_type, info.backend))
    });
    let best = suitable.first().ok_or_else(|| GpuError::NoneSuits {
        found: adapters
            .iter()
            .map(|adapter| describe(&adapter.get_info()))
            .collect::<Vec<_>>()
            .join("; "),
    })?;
    log::info!("drawing with {}", describe(&best.get_info()));
    Ok((*best).clone())
}

/// Less is better.
fn rank(kind: wgpu::DeviceType, backend: wgpu::Backend) -> (u32, u32) {
    let kind = match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    (kind, u32::from(backend == wgpu::Backend::Gl))
}

/// What is asked of a driver: what every driver has, and larger textures where it has them.
pub(super) fn device_descriptor(adapter: &wgpu::Adapter) -> wgpu::DeviceDescriptor<'static> {
    let has = adapter.limits();
    let base = if adapter.get_info().backend == wgpu::Backend::Gl {
        wgpu::Limits::downlevel_webgl2_defaults()
    } else {
        wgpu::Limits::default()
    };
    wgpu::DeviceDescriptor {
        label: Some("gesso"),
        required_limits: wgpu::Limits {
            max_texture_dimension_2d: has.max_texture_dimension_2d.min(16384),
            max_texture_array_layers: has.max_texture_array_layers.min(2048),
            ..base.or_worse_values_from(&has)
        },
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_comes_last_and_gl_after_the_rest() {
        use wgpu::{Backend, DeviceType};
        let mut order = [
            (DeviceType::Cpu, Backend::Gl),
            (DeviceType::Cpu, Backend::Vulkan),
            (DeviceType::IntegratedGpu, Backend::Gl),
            (DeviceType::DiscreteGpu, Backend::Vulkan),
            (DeviceType::IntegratedGpu, Backend::Vulkan),
        ];
        order.sort_by_key(|(kind, backend)| rank(*kind, *backend));
        assert_eq!(order[0], (DeviceType::DiscreteGpu, Backend::Vulkan));
        assert_eq!(order[2], (DeviceType::IntegratedGpu, Backend::Gl));
        assert_eq!(order[4], (DeviceType::Cpu, Backend::Gl));
    }

    #[test]
    fn no_driver_at_all_says_what_to_install() {
        let error = choose(&[], None).unwrap_err().to_string();
        assert!(error.contains("install"), "{error}");
    }
}
