//! Lays the layers of a block over each other, into the ring that is drawn.

use std::collections::HashMap;

use crate::document::LayerId;
use crate::geom::PixelRect;
use crate::gpu::ring::Ring;
use crate::gpu::shaders;
use crate::gpu::source::Content;
use crate::gpu::store::{Gpu, Store};
use crate::raster::BlendMode;

/// What a block of the composite is made from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stack {
    /// From the lowest to the topmost; those that have nothing here are left out.
    pub(super) layers: Vec<StackLayer>,
    /// Whether nothing shines through; known only after it was made.
    pub(super) opaque: Opaque,
}

/// Two stacks may be equal whether or not this is known of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opaque(pub(super) bool);

impl PartialEq for Opaque {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// One layer in a block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StackLayer {
    pub(super) layer: LayerId,
    pub(super) blend_mode: BlendMode,
    pub(super) opacity: f32,
    pub(super) color: Content,
    pub(super) mask: Option<Content>,
}

/// A block to be made, in whole or in part.
pub(super) struct CompositeJob {
    /// Where the block lies in the target.
    pub(super) area: PixelRect,
    /// The part of the target that is made.
    pub(super) dirty: PixelRect,
    /// As the shader reads them: slot of the color, slot of the mask, mode, opacity.
    pub(super) layers: Vec<[u32; 4]>,
    /// Whether the block is that of its one layer, as nothing shines through it.
    pub(super) copies: bool,
}

/// As in the shader: no slot.
pub(super) const NO_MASK: u32 = u32::MAX;
/// As in the shader: so many layers are laid over each other.
pub(super) const MAX_LAYERS: usize = 1023;

/// What the shader reads of one block; 16 KiB, which every driver allows.
const STACK_BYTES: u64 = 16 * (MAX_LAYERS as u64 + 1);

/// The pipelines that make blocks.
pub(super) struct Compositor {
    module: wgpu::ShaderModule,
    group_layout: wgpu::BindGroupLayout,
    layout: wgpu::PipelineLayout,
    /// By the set of blend modes and whether there are masks.
    pipelines: HashMap<(u32, bool), wgpu::RenderPipeline>,
    stacks: wgpu::Buffer,
    group: Option<(wgpu::BindGroup, [u64; 2])>,
    alignment: usize,
}

impl Compositor {
    /// What blocks of the composite are kept in: alpha is multiplied in, as filters need it.
    pub(super) const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

    pub(super) fn new(device: &wgpu::Device) -> Self {
        let array = |binding| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty: wgpu::BindingType::Texture {
                sample_type: wgpu::TextureSampleType::Float { filterable: true },
                view_dimension: wgpu::TextureViewDimension::D2Array,
                multisampled: false,
            },
            count: None,
        };
        let stack = wgpu::BindGroupLayoutEntry {
            binding: 0,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Uniform,
                has_dynamic_offset: true,
                min_binding_size: wgpu::BufferSize::new(STACK_BYTES),
            },
            count: None,
        };
        let group_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("composite"),
            entries: &[stack, array(1), array(2)],
        });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("composite"),
            bind_group_layouts: &[Some(&group_layout)],
            immediate_size: 0,
        });
        Self {
            module: shaders::composite(device),
            group_layout,
            layout,
            pipelines: HashMap::new(),
            stacks: stack_buffer(device, 1 << 16),
            group: None,
            alignment: device.limits().min_uniform_buffer_offset_alignment as usize,
        }
    }

    /// Makes blocks. The commands are sent at once, so that they are done even if the window drops
    /// this frame.
    pub(super) fn run(
        &mut self,
        gpu: Gpu<'_>,
        target: &Ring<Stack>,
        jobs: &[CompositeJob],
        colors: &Store<[u8; 4]>,
        covers: &Store<u8>,
    ) {
        let mut encoder =
            gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let (copies, jobs): (Vec<_>, Vec<_>) = jobs.iter().partition(|job| job.copies);
        for job in &copies {
            copy(&mut encoder, colors, target, job);
        }
        self.lay(gpu, &mut encoder, target, &jobs, colors, covers);
        if !copies.is_empty() || !jobs.is_empty() {
            gpu.queue.submit([encoder.finish()]);
        }
    }

    /// Records the making of blocks by the shader.
    fn lay(
        &mut self,
        gpu: Gpu<'_>,
        encoder: &mut wgpu::CommandEncoder,
        target: &Ring<Stack>,
        jobs: &[&CompositeJob],
        colors: &Store<[u8; 4]>,
        covers: &Store<u8>,
    ) {
        if jobs.is_empty() {
            return;
        }
        let (bytes, offsets) = self.stack_bytes(jobs);
        let needed = bytes.len() as u64 + STACK_BYTES;
        if self.stacks.size() < needed {
            self.stacks = stack_buffer(gpu.device, needed.next_power_of_two());
            self.group = None;
        }
        let generations = [colors.generation(), covers.generation()];
        if self.group.as_ref().is_none_or(|(_, of)| *of != generations) {
            self.group = Some((self.bind(gpu.device, colors, covers), generations));
        }
        for job in jobs {
            self.add_pipeline(gpu.device, pipeline_of(job));
        }
        gpu.queue.write_buffer(&self.stacks, 0, &bytes);
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("composite"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &target.view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations { load: wgpu::LoadOp::Load, store: wgpu::StoreOp::Store },
            })],
            ..Default::default()
        });
        let Some((group, _)) = &self.group else { return };
        for (job, offset) in jobs.iter().zip(offsets) {
            let Some(pipeline) = self.pipelines.get(&pipeline_of(job)) else { continue };
            let PixelRect { x, y, width, height } = job.dirty;
            pass.set_pipeline(pipeline);
            pass.set_scissor_rect(x as u32, y as u32, width, height);
            pass.set_bind_group(0, group, &[offset]);
            pass.draw(0..3, 0..1);
        }
    }

    /// What the shader reads of all blocks, and where each block's part starts.
    fn stack_bytes(&self, jobs: &[&CompositeJob]) -> (Vec<u8>, Vec<u32>) {
        let mut bytes = Vec::new();
        let mut offsets = Vec::with_capacity(jobs.len());
        for job in jobs {
            bytes.resize(bytes.len().next_multiple_of(self.alignment), 0);
            offsets.push(bytes.len() as u32);
            let layers = job.layers.get(..MAX_LAYERS).unwrap_or(&job.layers);
            let header = [job.area.x as u32, job.area.y as u32, layers.len() as u32, 0];
            bytes.extend_from_slice(bytemuck::bytes_of(&header));
            bytes.extend_from_slice(bytemuck::cast_slice(layers));
        }
        (bytes, offsets)
    }

    fn bind(
        &self,
        device: &wgpu::Device,
        colors: &Store<[u8; 4]>,
        covers: &Store<u8>,
    ) -> wgpu::BindGroup {
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("composite"),
            layout: &self.group_layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: &self.stacks,
                        offset: 0,
                        size: wgpu::BufferSize::new(STACK_BYTES),
                    }),
                },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::TextureView(colors.view()),
                },
                wgpu::BindGroupEntry {
                    binding: 2,
                    resource: wgpu::BindingResource::TextureView(covers.view()),
                },
            ],
        })
    }

    fn add_pipeline(&mut self, device: &wgpu::Device, key: (u32, bool)) {
        let (modes, masks) = key;
        self.pipelines.entry(key).or_insert_with(|| {
            let constants = [("MODES", f64::from(modes)), ("MASKS", f64::from(u32::from(masks)))];
            let vertex_options = wgpu::PipelineCompilationOptions::default();
            device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some("composite"),
                layout: Some(&self.layout),
                vertex: wgpu::VertexState {
                    module: &self.module,
                    entry_point: Some("vs_block"),
                    compilation_options: vertex_options,
                    buffers: &[],
                },
                primitive: wgpu::PrimitiveState::default(),
                depth_stencil: None,
                multisample: wgpu::MultisampleState::default(),
                fragment: Some(wgpu::FragmentState {
                    module: &self.module,
                    entry_point: Some("fs_block"),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        constants: &constants,
                        ..Default::default()
                    },
                    targets: &[Some(Self::FORMAT.into())],
                }),
                multiview_mask: None,
                cache: None,
            })
        });
    }
}

/// Records the copying of a block that is its one layer's: far less work than drawing it.
fn copy(
    encoder: &mut wgpu::CommandEncoder,
    colors: &Store<[u8; 4]>,
    target: &Ring<Stack>,
    job: &CompositeJob,
) {
    let Some([slot, ..]) = job.layers.first() else { return };
    let part = job.dirty.shifted(-job.area.x, -job.area.y);
    let place = |texture, at: PixelRect, z| wgpu::TexelCopyTextureInfo {
        texture,
        mip_level: 0,
        origin: wgpu::Origin3d { x: at.x as u32, y: at.y as u32, z },
        aspect: wgpu::TextureAspect::All,
    };
    encoder.copy_texture_to_texture(
        place(colors.texture(), part, *slot),
        place(&target.texture, job.dirty, 0),
        wgpu::Extent3d { width: part.width, height: part.height, depth_or_array_layers: 1 },
    );
}

/// The blend modes of a block as a set of bits (mode normal is always one), and whether it has masks.
fn pipeline_of(job: &CompositeJob) -> (u32, bool) {
    let modes = job.layers.iter().fold(1, |modes, [_, _, mode, _]| modes | 1_u32 << mode);
    (modes, job.layers.iter().any(|[_, mask, _, _]| *mask != NO_MASK))
}

fn stack_buffer(device: &wgpu::Device, size: u64) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("stacks"),
        size,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}
