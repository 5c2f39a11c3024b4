//! Small pictures over the canvas.

use std::sync::Arc;

use crate::gpu::frame::OverlayImage;
use crate::gpu::store::Gpu;
use crate::raster::RgbaImage;

/// A picture on the graphics card.
pub(super) struct OverlayTexture {
    /// Held, so that no other picture takes its address.
    image: Arc<RgbaImage>,
    pub(super) group: wgpu::BindGroup,
}

impl OverlayTexture {
    /// Whether this is the picture.
    pub(super) fn shows(&self, image: &Arc<RgbaImage>) -> bool {
        Arc::ptr_eq(&self.image, image)
    }
}

/// Brings the pictures of a frame to the graphics card, and drops those that it doesn't show. Says
/// how many bytes were sent.
pub(super) fn update(
    gpu: Gpu<'_>,
    layout: &wgpu::BindGroupLayout,
    sampler: &wgpu::Sampler,
    textures: &mut Vec<OverlayTexture>,
    overlays: &[OverlayImage],
) -> u64 {
    let mut former = std::mem::take(textures);
    let mut bytes = 0;
    for overlay in overlays {
        let known = former.iter().position(|known| known.shows(&overlay.image));
        let texture = known.map(|known| former.swap_remove(known)).or_else(|| {
            bytes += overlay.image.as_raw().len() as u64;
            upload(gpu, layout, sampler, &overlay.image)
        });
        textures.extend(texture);
    }
    bytes
}

fn upload(
    gpu: Gpu<'_>,
    layout: &wgpu::BindGroupLayout,
    sampler: &wgpu::Sampler,
    image: &Arc<RgbaImage>,
) -> Option<OverlayTexture> {
    let extent = image.extent();
    let limit = gpu.device.limits().max_texture_dimension_2d;
    if extent.area() == 0 || extent.width > limit || extent.height > limit {
        log::debug!("a picture of {extent} pixels is not shown over the canvas");
        return None;
    }
    let size =
        wgpu::Extent3d { width: extent.width, height: extent.height, depth_or_array_layers: 1 };
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("overlay"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    gpu.queue.write_texture(
        texture.as_image_copy(),
        image.as_raw(),
        wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(extent.width * 4),
            rows_per_image: None,
        },
        size,
    );
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("overlay"),
        layout,
        entries: &[
            wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::TextureView(&view),
            },
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(sampler) },
        ],
    });
    Some(OverlayTexture { image: Arc::clone(image), group })
}
