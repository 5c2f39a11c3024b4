//! Shows blocks of the composite on the screen.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use crate::geom::{Extent, PixelRect};
use crate::gpu::Frame;
use crate::gpu::shaders;
use crate::gpu::store::Gpu;
use crate::gpu::view::Seen;

/// What the shader reads of a view; as `View` in `canvas.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct ViewUniform {
    matrix: [f32; 4],
    origin: [f32; 2],
    uv_scale: [f32; 2],
    uv_base: [f32; 2],
    scale: f32,
    grid: f32,
    limits: [f32; 4],
    canvas: [f32; 4],
    steps: [f32; 4],
    checker_light: [f32; 4],
    checker_dark: [f32; 4],
    pattern: [f32; 4],
    mask: [f32; 4],
    surround: [f32; 4],
}

/// Length of a dash of the selection's outline, in points.
const DASH_POINTS: f32 = 4.0;
/// Points that dashes move in a second.
const DASH_SPEED: f32 = 12.0;
/// Strength of the lines between pixels.
const GRID_STRENGTH: f32 = 0.3;

impl ViewUniform {
    /// A canvas in a frame, its composite at a level being a ring with these texture coordinates.
    pub(super) fn new(
        frame: &Frame,
        seen: &Seen,
        canvas: Extent,
        level: u32,
        (uv_scale, uv_base): ([f32; 2], [f32; 2]),
    ) -> Self {
        let base = seen.base();
        let (width, height) = (f64::from(seen.viewport.0), f64::from(seen.viewport.1));
        let at = seen.screen_from_canvas(base);
        let ndc = |[x, y]: [f64; 2]| [(2.0 * x / width) as f32, (-2.0 * y / height) as f32];
        let [right, down] = [ndc(seen.right), ndc(seen.down)];
        let origin = [(2.0 * at[0] / width - 1.0) as f32, (1.0 - 2.0 * at[1] / height) as f32];
        let texel = f64::from(1_u32 << level);
        // A last texel that lies partly beyond the canvas is fainter than the picture's edge.
        let last = |length: u32| (f64::from(length) / texel).floor().max(1.0) * texel - texel / 2.0;
        let extent = [f64::from(canvas.width), f64::from(canvas.height)];
        let square = seen.scale * seen.scale;
        let ppp = frame.viewport.pixels_per_point;
        let step = f64::from(ppp.round().max(1.0));
        let first = frame.viewport.pixels();
        let dash = (DASH_POINTS * ppp).round().max(1.0);
        let side = (frame.checkerboard.side * ppp).round().max(1.0);
        let start = |first: i32, origin: f64| {
            (f64::from(first) + origin.round()).rem_euclid(2.0 * f64::from(side)) as f32
        };
        let selection = &frame.selection;
        let phase = selection.ants.unwrap_or(0.0) * DASH_SPEED * ppp;
        Self {
            matrix: [right[0], right[1], down[0], down[1]],
            origin,
            uv_scale,
            uv_base,
            scale: seen.scale as f32,
            grid: grid_strength(frame, seen),
            limits: [
                texel / 2.0 - base[0],
                texel / 2.0 - base[1],
                last(canvas.width) - base[0],
                last(canvas.height) - base[1],
            ]
            .map(|at| at as f32),
            canvas: [-base[0], -base[1], extent[0] - base[0], extent[1] - base[1]]
                .map(|at| at as f32),
            steps: [seen.right[0], seen.down[0], seen.right[1], seen.down[1]]
                .map(|at| (at * step / square) as f32),
            checker_light: color(frame.checkerboard.light, side),
            checker_dark: color(frame.checkerboard.dark, 0.0),
            pattern: [
                start(first.x, seen.origin[0]),
                start(first.y, seen.origin[1]),
                phase.rem_euclid(2.0 * dash).floor(),
                dash,
            ],
            mask: selection
                .color
                .map_or([0.0; 4], |[r, g, b, a]| color([r, g, b], f32::from(a) / 255.0)),
            surround: color(
                frame.surround.unwrap_or_default(),
                selection.dim_outside.clamp(0.0, 1.0),
            ),
        }
    }
}

/// Lines between pixels come softly: not seen at the least zoom, full at twice that.
pub(super) fn grid_strength(frame: &Frame, seen: &Seen) -> f32 {
    let Some(from) = frame.pixel_grid_from else { return 0.0 };
    let scale = seen.scale as f32;
    if scale < 2.0 || scale < from {
        return 0.0;
    }
    GRID_STRENGTH * (0.4 + 0.6 * (scale / from.max(1.0) - 1.0).clamp(0.0, 1.0))
}

fn color([r, g, b]: [u8; 3], fourth: f32) -> [f32; 4] {
    let unit = |byte: u8| f32::from(byte) / 255.0;
    [unit(r), unit(g), unit(b), fourth]
}

/// A rectangle that is drawn, counted from the view's base; for overlays, the whole of it too.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Instance {
    pub(super) rect: [f32; 4],
    pub(super) whole: [f32; 4],
}

/// What is drawn, and which parts of the shader it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Variant {
    pub(super) kind: Kind,
    pub(super) checker: Checker,
    pub(super) cover: Cover,
    pub(super) grid: Grid,
    pub(super) filter: Filter,
}

/// What a pipeline draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Surround,
    Blocks,
    HeatMap,
    Overlay,
}

/// Whether something shines through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Checker {
    Opaque,
    Seen,
}

/// How the selection is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Cover {
    None,
    Shown,
    WithAnts,
}

/// Whether there are lines between pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Grid {
    None,
    Shown,
}

/// How the composite is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Filter {
    Nearest,
    Linear,
    /// Crisp pixels whose edges are soft, for turned views.
    Smooth,
}

impl Filter {
    /// How a view is sampled: texels as they are where they are magnified.
    pub(super) fn of(seen: &Seen) -> Self {
        match (seen.scale >= 1.0 - 1e-6, seen.aligned) {
            (true, true) => Self::Nearest,
            (true, false) => Self::Smooth,
            (false, _) => Self::Linear,
        }
    }
}

/// The textures that one step looks at.
pub(super) struct Pictures<'a> {
    pub(super) picture: &'a wgpu::TextureView,
    pub(super) other: Option<&'a wgpu::TextureView>,
    pub(super) cover: Option<&'a wgpu::TextureView>,
}

/// One draw call.
struct Step {
    variant: Variant,
    group: usize,
    uniform: u32,
    instances: Range<u32>,
    area: PixelRect,
    overlay: Option<wgpu::BindGroup>,
}

/// A frame on its way to the screen.
#[derive(Default)]
pub(super) struct DrawList {
    groups: Vec<wgpu::BindGroup>,
    uniforms: Vec<ViewUniform>,
    instances: Vec<Instance>,
    steps: Vec<Step>,
}

/// Draws with all that it takes.
pub(super) struct Drawer {
    module: wgpu::ShaderModule,
    format: wgpu::TextureFormat,
    group_layout: wgpu::BindGroupLayout,
    pub(super) overlay_layout: wgpu::BindGroupLayout,
    layout: wgpu::PipelineLayout,
    pipelines: HashMap<Variant, wgpu::RenderPipeline>,
    nearest: wgpu::Sampler,
    linear: wgpu::Sampler,
    pub(super) clamping: wgpu::Sampler,
    blank: wgpu::TextureView,
    blank_group: wgpu::BindGroup,
    uniforms: wgpu::Buffer,
    instances: wgpu::Buffer,
    /// Bytes from one view to the next.
    stride: u64,
    list: DrawList,
}

impl Drawer {
    pub(super) fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Self {
        let both = wgpu::ShaderStages::VERTEX_FRAGMENT;
        let uniform = wgpu::BindGroupLayoutEntry {
            binding: 0,
            visibility: both,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Uniform,
                has_dynamic_offset: true,
                min_binding_size: wgpu::BufferSize::new(size_of::<ViewUniform>() as u64),
            },
            count: None,
        };
        let group_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("canvas"),
            entries: &[
                uniform,
                texture_entry(1),
                texture_entry(2),
                texture_entry(3),
                sampler_entry(4),
            ],
        });
        let overlay_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("overlay"),
            entries: &[texture_entry(0), sampler_entry(1)],
        });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("canvas"),
            bind_group_layouts: &[Some(&group_layout), Some(&overlay_layout)],
            immediate_size: 0,
        });
        let (repeat, clamp) = (wgpu::AddressMode::Repeat, wgpu::AddressMode::ClampToEdge);
        let clamping = sampler(device, wgpu::FilterMode::Linear, clamp);
        let blank = blank_texture(device);
        let blank_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("no overlay"),
            layout: &overlay_layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::TextureView(&blank),
                },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::Sampler(&clamping),
                },
            ],
        });
        let alignment = device.limits().min_uniform_buffer_offset_alignment as usize;
        Self {
            module: shaders::canvas(device),
            format,
            group_layout,
            overlay_layout,
            layout,
            pipelines: HashMap::new(),
            nearest: sampler(device, wgpu::FilterMode::Nearest, repeat),
            linear: sampler(device, wgpu::FilterMode::Linear, repeat),
            clamping,
            blank,
            blank_group,
            uniforms: buffer(device, wgpu::BufferUsages::UNIFORM, 4096),
            instances: buffer(device, wgpu::BufferUsages::VERTEX, 8192),
            stride: size_of::<ViewUniform>().next_multiple_of(alignment) as u64,
            list: DrawList::default(),
        }
    }

    /// Forgets what was to be drawn.
    pub(super) fn clear(&mut self) {
        self.list = DrawList::default();
    }

    /// Adds a view; the result is given to [`Self::add`].
    pub(super) fn add_view(
        &mut self,
        device: &wgpu::Device,
        view: ViewUniform,
        filter: Filter,
        pictures: &Pictures<'_>,
    ) -> usize {
        let sampler = if filter == Filter::Nearest { &self.nearest } else { &self.linear };
        let texture = |binding, view| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::TextureView(view),
        };
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("canvas"),
            layout: &self.group_layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: &self.uniforms,
                        offset: 0,
                        size: wgpu::BufferSize::new(size_of::<ViewUniform>() as u64),
                    }),
                },
                texture(1, pictures.picture),
                texture(2, pictures.other.unwrap_or(&self.blank)),
                texture(3, pictures.cover.unwrap_or(&self.blank)),
                wgpu::BindGroupEntry {
                    binding: 4,
                    resource: wgpu::BindingResource::Sampler(sampler),
                },
            ],
        });
        self.list.groups.push(group);
        self.list.uniforms.push(view);
        self.list.groups.len() - 1
    }

    /// Adds rectangles of a view, by what they take.
    pub(super) fn add(
        &mut self,
        device: &wgpu::Device,
        view: usize,
        area: PixelRect,
        rects: &BTreeMap<Variant, Vec<Instance>>,
    ) {
        for (variant, instances) in rects {
            self.add_step(device, view, area, *variant, instances, None);
        }
    }

    /// Adds a picture over the canvas.
    pub(super) fn add_overlay(
        &mut self,
        device: &wgpu::Device,
        view: usize,
        area: PixelRect,
        variant: Variant,
        (instance, picture): (Instance, &wgpu::BindGroup),
    ) {
        self.add_step(device, view, area, variant, &[instance], Some(picture.clone()));
    }

    fn add_step(
        &mut self,
        device: &wgpu::Device,
        view: usize,
        area: PixelRect,
        variant: Variant,
        instances: &[Instance],
        overlay: Option<wgpu::BindGroup>,
    ) {
        self.add_pipeline(device, variant);
        let list = &mut self.list;
        let first = list.instances.len() as u32;
        list.instances.extend_from_slice(instances);
        list.steps.push(Step {
            variant,
            group: view,
            uniform: view as u32 * self.stride as u32,
            instances: first..list.instances.len() as u32,
            area,
            overlay,
        });
    }

    /// Makes room for what is added to this frame; before the first [`Self::add_view`].
    pub(super) fn reserve(&mut self, device: &wgpu::Device, views: usize) {
        let needed = views as u64 * self.stride;
        if self.uniforms.size() < needed {
            self.uniforms = buffer(device, wgpu::BufferUsages::UNIFORM, needed.next_power_of_two());
        }
    }

    /// Sends what was added.
    pub(super) fn flush(&mut self, gpu: Gpu<'_>) {
        let mut bytes = vec![0; self.list.uniforms.len() * self.stride as usize];
        for (target, view) in bytes.chunks_exact_mut(self.stride as usize).zip(&self.list.uniforms)
        {
            let view = bytemuck::bytes_of(view);
            if let Some(target) = target.get_mut(..view.len()) {
                target.copy_from_slice(view);
            }
        }
        let instances: &[u8] = bytemuck::cast_slice(&self.list.instances);
        if self.instances.size() < instances.len() as u64 {
            let size = (instances.len() as u64).next_power_of_two();
            self.instances = buffer(gpu.device, wgpu::BufferUsages::VERTEX, size);
        }
        if !bytes.is_empty() {
            gpu.queue.write_buffer(&self.uniforms, 0, &bytes);
        }
        if !instances.is_empty() {
            gpu.queue.write_buffer(&self.instances, 0, instances);
        }
    }

    /// Draws what was sent. The pass' viewport is the canvas area, whose corner is at `first`;
    /// nothing is drawn outside of `clip`. Both are in pixels of the target.
    pub(super) fn paint(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        first: (i32, i32),
        clip: PixelRect,
    ) {
        pass.set_vertex_buffer(0, self.instances.slice(..));
        for step in &self.list.steps {
            let area = step.area.shifted(first.0, first.1).intersection(clip);
            let (Some(pipeline), Some(group), Some(area)) =
                (self.pipelines.get(&step.variant), self.list.groups.get(step.group), area)
            else {
                continue;
            };
            pass.set_pipeline(pipeline);
            pass.set_scissor_rect(area.x as u32, area.y as u32, area.width, area.height);
            pass.set_bind_group(0, group, &[step.uniform]);
            pass.set_bind_group(1, step.overlay.as_ref().unwrap_or(&self.blank_group), &[]);
            if step.variant.kind == Kind::Surround {
                pass.draw(0..3, 0..1);
            } else {
                pass.draw(0..4, step.instances.clone());
            }
        }
    }

    fn add_pipeline(&mut self, device: &wgpu::Device, variant: Variant) {
        self.pipelines.entry(variant).or_insert_with(|| {
            let Variant { kind, checker, cover, grid, filter } = variant;
            let on = |condition: bool| f64::from(u32::from(condition));
            let constants = [
                ("CHECKER", on(checker == Checker::Seen)),
                ("COVER", on(cover != Cover::None)),
                ("ANTS", on(cover == Cover::WithAnts)),
                ("GRID", on(grid == Grid::Shown)),
                ("HEAT", on(kind == Kind::HeatMap)),
                ("SMOOTH", on(filter == Filter::Smooth)),
                ("SRGB_TARGET", on(self.format.is_srgb())),
            ];
            let options =
                wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() };
            let (vertex, fragment) = match kind {
                Kind::Surround => ("vs_all", "fs_surround"),
                Kind::Blocks | Kind::HeatMap => ("vs_rect", "fs_canvas"),
                Kind::Overlay => ("vs_rect", "fs_overlay"),
            };
            let overlay = kind == Kind::Overlay;
            let target = wgpu::ColorTargetState {
                format: self.format,
                blend: overlay.then_some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                write_mask: wgpu::ColorWrites::ALL,
            };
            let instances = wgpu::VertexBufferLayout {
                array_stride: size_of::<Instance>() as u64,
                step_mode: wgpu::VertexStepMode::Instance,
                attributes: &wgpu::vertex_attr_array![0 => Float32x4, 1 => Float32x4],
            };
            device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some("canvas"),
                layout: Some(&self.layout),
                vertex: wgpu::VertexState {
                    module: &self.module,
                    entry_point: Some(vertex),
                    compilation_options: options.clone(),
                    buffers: &[Some(instances)],
                },
                primitive: wgpu::PrimitiveState {
                    topology: wgpu::PrimitiveTopology::TriangleStrip,
                    ..Default::default()
                },
                depth_stencil: None,
                multisample: wgpu::MultisampleState::default(),
                fragment: Some(wgpu::FragmentState {
                    module: &self.module,
                    entry_point: Some(fragment),
                    compilation_options: options,
                    targets: &[Some(target)],
                }),
                multiview_mask: None,
                cache: None,
            })
        });
    }
}

const fn texture_entry(binding: u32) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: true },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        },
        count: None,
    }
}

const fn sampler_entry(binding: u32) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering),
        count: None,
    }
}

fn sampler(
    device: &wgpu::Device,
    filter: wgpu::FilterMode,
    edge: wgpu::AddressMode,
) -> wgpu::Sampler {
    device.create_sampler(&wgpu::SamplerDescriptor {
        label: Some("canvas"),
        address_mode_u: edge,
        address_mode_v: edge,
        mag_filter: filter,
        min_filter: filter,
        ..Default::default()
    })
}

/// Stands where a view has no such texture.
fn blank_texture(device: &wgpu::Device) -> wgpu::TextureView {
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("blank"),
        size: wgpu::Extent3d { width: 1, height: 1, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING,
        view_formats: &[],
    });
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

fn buffer(device: &wgpu::Device, usage: wgpu::BufferUsages, size: u64) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("canvas"),
        size,
        usage: usage | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}
