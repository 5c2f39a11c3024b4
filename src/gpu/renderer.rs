//! Brings a frame to the screen.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::document::{Document, Layer};
use crate::geom::PixelRect;
use crate::gpu::composite::{
    CompositeJob, Compositor, MAX_LAYERS, NO_MASK, Opaque, Stack, StackLayer,
};
use crate::gpu::draw::{
    Checker, Cover, Drawer, Filter, Grid, Instance, Kind, Pictures, Variant, ViewUniform,
    grid_strength,
};
use crate::gpu::overlay::{self, OverlayTexture};
use crate::gpu::ring::Ring;
use crate::gpu::source::{Content, changed_parts};
use crate::gpu::store::{Budget, CELLS_A_SIDE, Cells, Gpu, Missing, Request, SourceKey, Store};
use crate::gpu::view::{BlockAt, Pane, Seen, Side, common, corners, panes};
use crate::gpu::{ComparisonView, Frame, OverlayClip, Stats, Wake};
use crate::raster::{BlendMode, TILE_PX, TileGrid};

/// Draws documents; keeps on the graphics card what that takes.
pub struct CanvasRenderer {
    colors: Store<[u8; 4]>,
    covers: Store<u8>,
    compositor: Compositor,
    drawer: Drawer,
    left: Composite,
    right: Composite,
    /// The selection of the left side.
    selection: Option<Ring<Option<Content>>>,
    overlays: Vec<OverlayTexture>,
    /// An empty block.
    empty: wgpu::Texture,
    /// Texels times layers that are laid over each other in an interactive frame.
    texel_budget: u64,
    max_side: u32,
}

/// One side's composite, and its state at another zoom, which is seen until the new one is made.
#[derive(Default)]
struct Composite {
    front: Option<Ring<Stack>>,
    former: Option<Ring<Stack>>,
}

impl Composite {
    /// Makes sure that so many blocks fit at a level.
    fn resize(&mut self, device: &wgpu::Device, level: u32, size: [u32; 2]) {
        if self.front.as_ref().is_some_and(|front| front.suits(level, size)) {
            return;
        }
        let former = std::mem::replace(&mut self.former, self.front.take());
        let front = former.and_then(|former| former.reused(level, size));
        self.front =
            Some(front.unwrap_or_else(|| Ring::new(device, Compositor::FORMAT, level, size)));
    }
}

/// What of a frame has to do with one side.
struct Shown<'a> {
    side: Side,
    document: &'a Document,
    seen: Seen,
    level: u32,
    blocks: Vec<BlockAt>,
    size: [u32; 2],
}

/// What a frame has come to.
#[derive(Default)]
struct Progress {
    stats: Stats,
    /// Whether another frame should follow at once.
    again: bool,
}

/// Making a texel takes as long as so many layers of it (measured with lavapipe).
const FIXED_LAYERS: u64 = 3;
/// Texels times layers in a frame where the processor draws: about 5 ms with two cores (measured
/// with lavapipe).
const SOFTWARE_TEXELS: u64 = 32 << 16;
/// The same for graphics cards.
const HARDWARE_TEXELS: u64 = 1 << 30;

impl CanvasRenderer {
    /// A renderer for targets of a format.
    #[must_use]
    pub fn new(device: &wgpu::Device, target_format: wgpu::TextureFormat) -> Self {
        let software = device.adapter_info().device_type == wgpu::DeviceType::Cpu;
        let empty = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("empty block"),
            size: wgpu::Extent3d { width: TILE_PX, height: TILE_PX, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::R8Unorm,
            usage: wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        Self {
            colors: Store::new(device),
            covers: Store::new(device),
            compositor: Compositor::new(device),
            drawer: Drawer::new(device, target_format),
            left: Composite::default(),
            right: Composite::default(),
            selection: None,
            overlays: Vec::new(),
            empty,
            texel_budget: if software { SOFTWARE_TEXELS } else { HARDWARE_TEXELS },
            max_side: device.limits().max_texture_dimension_2d,
        }
    }

    /// Brings everything that a frame shows to the graphics card, as far as its [`crate::gpu::Work`]
    /// goes, and composites it. [`Self::paint`] then draws it.
    ///
    /// `wake` is called when another frame has more to show.
    pub fn prepare(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        frame: &Frame,
        wake: Option<&Wake>,
    ) -> Stats {
        let started = Instant::now();
        let gpu = Gpu { device, queue };
        let mut budget = Budget::new(frame.work, self.texel_budget);
        let mut progress = Progress::default();
        self.colors.begin_frame();
        self.covers.begin_frame();
        self.forget_closed(frame);
        self.drawer.clear();
        if !frame.viewport.pixels().is_empty() {
            let panes = panes(frame);
            let shown = self.shown(frame, &panes);
            if panes.iter().any(|pane| pane.heat) {
                self.match_rings(device, &shown);
            }
            for shown in &shown {
                self.composite(gpu, shown, &mut budget, &mut progress);
            }
            if shows_selection(frame) {
                if let Some(shown) = shown.first() {
                    self.load_selection(gpu, shown, &mut budget, &mut progress);
                }
            } else {
                self.selection = None;
            }
            budget.uploaded_bytes += self.load_overlays(gpu, frame);
            self.add_panes(device, frame, &panes, &shown, &mut progress.stats);
            self.drawer.flush(gpu);
        }
        progress.again |= self.colors.end_frame(wake) | self.covers.end_frame(wake);
        if let (true, Some(wake)) = (progress.again, wake) {
            wake();
        }
        Stats {
            uploaded_bytes: budget.uploaded_bytes,
            resident_blocks: self.colors.resident() + self.covers.resident(),
            prepare_time: started.elapsed(),
            ..progress.stats
        }
    }

    /// Draws the frame that was prepared. The pass' viewport is the canvas area, whose corner is at
    /// `first`; nothing is drawn outside of `clip`. Both are in pixels of the target.
    pub fn paint(&self, pass: &mut wgpu::RenderPass<'_>, first: (i32, i32), clip: PixelRect) {
        self.drawer.paint(pass, first, clip);
    }

    /// As on a device that holds so many blocks of layers.
    #[cfg(test)]
    pub(super) fn limit_blocks(&mut self, limit: u32) {
        self.colors.set_limit(limit);
    }

    fn forget_closed(&mut self, frame: &Frame) {
        let other = frame.comparison.as_ref().map(|comparison| &comparison.other);
        let known = |key: SourceKey| match key {
            SourceKey::Selection => true,
            SourceKey::Layer(Side::Left, layer) => frame.document.layer(layer).is_some(),
            SourceKey::Layer(Side::Right, layer) => {
                other.is_some_and(|other| other.layer(layer).is_some())
            }
        };
        self.colors.keep_sources(known);
        self.covers.keep_sources(known);
        if other.is_none() {
            self.right = Composite::default();
        }
    }

    /// What each side shows.
    fn shown<'a>(&self, frame: &'a Frame, panes: &[Pane]) -> Vec<Shown<'a>> {
        let other = frame.comparison.as_ref().map(|comparison| &comparison.other);
        let mut shown: Vec<Shown<'a>> = [(Side::Left, Some(&frame.document)), (Side::Right, other)]
            .into_iter()
            .filter_map(|(side, document)| {
                let document = document?;
                let pane = panes.iter().find(|pane| pane.side == side || pane.heat)?;
                Some(self.shown_side(side, document, pane.seen))
            })
            .collect();
        let heat = frame
            .comparison
            .as_ref()
            .is_some_and(|comparison| comparison.view == ComparisonView::HeatMap);
        if heat {
            let level = shown.iter().map(|shown| shown.level).max().unwrap_or(0);
            let size = shown.iter().fold([1, 1], |size, shown| larger(size, shown.size));
            for shown in &mut shown {
                let (blocks, own) = shown.seen.blocks(shown.document.extent, level);
                (shown.level, shown.blocks, shown.size) = (level, blocks, larger(size, own));
            }
        }
        shown
    }

    fn shown_side<'a>(&self, side: Side, document: &'a Document, seen: Seen) -> Shown<'a> {
        let mut level = seen.level();
        let (mut blocks, mut size) = seen.blocks(document.extent, level);
        let limit = self.max_side / TILE_PX;
        while size.iter().any(|count| *count > limit) && level < crate::raster::MAX_LEVEL {
            level += 1;
            (blocks, size) = seen.blocks(document.extent, level);
        }
        let size = size.map(|count| count.clamp(1, limit));
        Shown { side, document, seen, level, blocks, size }
    }

    /// Both sides of a heat map are sampled at the same place, so they must be rings of one size.
    fn match_rings(&mut self, device: &wgpu::Device, shown: &[Shown<'_>]) {
        let Some(first) = shown.first() else { return };
        let (level, size) = (first.level, first.size);
        self.left.resize(device, level, size);
        self.right.resize(device, level, size);
        if let (Some(left), Some(right)) = (&self.left.front, &self.right.front)
            && !left.alike(right)
        {
            let size = larger(left.size(), right.size());
            let ring = || Some(Ring::new(device, Compositor::FORMAT, level, size));
            (self.left.front, self.right.front) = (ring(), ring());
        }
    }

    const fn side(&mut self, side: Side) -> &mut Composite {
        match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        }
    }

    /// Brings a side's composite up to date.
    fn composite(
        &mut self,
        gpu: Gpu<'_>,
        shown: &Shown<'_>,
        budget: &mut Budget,
        progress: &mut Progress,
    ) {
        self.side(shown.side).resize(gpu.device, shown.level, shown.size);
        // Taken out while the stores are worked with.
        let Some(mut ring) = self.side(shown.side).front.take() else { return };
        let mut jobs = Vec::new();
        for &at in &shown.blocks {
            let mut stack = self.stack(shown, at);
            if ring.get(at).is_some_and(|made| *made == stack) {
                continue;
            }
            match self.layers(gpu, shown, at, &stack, budget) {
                Ok((layers, opaque)) => {
                    let part = ring
                        .get(at)
                        .and_then(|made| changed_part(shown.document, at, made, &stack))
                        .unwrap_or(PixelRect::new(0, 0, TILE_PX, TILE_PX));
                    let texels = part.extent().area() as u64;
                    if !budget.allows() {
                        progress.stats.pending_blocks += 1;
                        progress.again = true;
                        continue;
                    }
                    budget.spend(texels * (FIXED_LAYERS + layers.len() as u64));
                    stack.opaque = Opaque(opaque);
                    ring.set(at, stack);
                    if part.is_empty() {
                        continue;
                    }
                    let area = ring.area(at);
                    progress.stats.composited_blocks += 1;
                    progress.stats.composited_texels += texels;
                    jobs.push(CompositeJob {
                        area,
                        dirty: part.shifted(area.x, area.y),
                        copies: opaque && layers.len() == 1,
                        layers,
                    });
                }
                Err(missing) => {
                    progress.stats.pending_blocks += 1;
                    progress.again |= missing == Missing::Full || !budget.allows();
                }
            }
        }
        self.compositor.run(gpu, &ring, &jobs, &self.colors, &self.covers);
        self.side(shown.side).front = Some(ring);
    }

    /// What a block is made from now.
    fn stack(&mut self, shown: &Shown<'_>, at: BlockAt) -> Stack {
        let mut layers = Vec::new();
        for layer in visible_layers(shown.document) {
            let key = SourceKey::Layer(shown.side, layer.id);
            let canvas = shown.document.extent;
            let color = Request { key, grid: &layer.pixels, canvas, at };
            let Some(color) = self.colors.content(&color) else { continue };
            let mask = match &layer.mask {
                None => None,
                Some(grid) => match self.covers.content(&Request { key, grid, canvas, at }) {
                    // Nothing of the layer is shown here.
                    None => continue,
                    mask => mask,
                },
            };
            self.colors.touch(color.id);
            if let Some(mask) = &mask {
                self.covers.touch(mask.id);
            }
            layers.push(StackLayer {
                layer: layer.id,
                blend_mode: layer.blend_mode,
                opacity: layer.opacity,
                color,
                mask,
            });
        }
        Stack { layers, opaque: Opaque(false) }
    }

    /// The layers of a block as the shader reads them, all of them being there; and whether nothing
    /// shines through.
    fn layers(
        &mut self,
        gpu: Gpu<'_>,
        shown: &Shown<'_>,
        at: BlockAt,
        stack: &Stack,
        budget: &mut Budget,
    ) -> Result<(Vec<[u32; 4]>, bool), Missing> {
        let mut loaded = Vec::new();
        let mut missing = None;
        // From the top: what lies below an opaque layer isn't seen, so it isn't loaded either.
        for entry in stack.layers.iter().rev() {
            let Some(layer) = shown.document.layer(entry.layer) else { continue };
            let key = SourceKey::Layer(shown.side, entry.layer);
            let canvas = shown.document.extent;
            let color = Request { key, grid: &layer.pixels, canvas, at };
            let color = self.colors.load(gpu, &color, &entry.color, budget);
            let mask = match (&layer.mask, &entry.mask) {
                (Some(grid), Some(content)) => {
                    self.covers.load(gpu, &Request { key, grid, canvas, at }, content, budget)
                }
                _ => Ok(NO_MASK),
            };
            match (color, mask) {
                (Ok(color), Ok(mask)) => {
                    let mode = entry.blend_mode.number();
                    loaded.push([color, mask, mode, entry.opacity.min(1.0).to_bits()]);
                }
                // The rest is asked for too, so that it comes at the same time.
                (Err(why), _) | (_, Err(why)) => missing = Some(why),
            }
            let covers = entry.blend_mode == BlendMode::Normal
                && entry.opacity >= 1.0
                && entry.mask.is_none()
                && self.colors.is_opaque(entry.color.id);
            if covers && missing.is_none() {
                loaded.reverse();
                return Ok((loaded, true));
            }
        }
        if loaded.len() > MAX_LAYERS {
            log::warn!("only the topmost {MAX_LAYERS} layers are shown");
            loaded.truncate(MAX_LAYERS);
        }
        loaded.reverse();
        missing.map_or(Ok((loaded, false)), Err)
    }

    /// Brings the selection's texture up to date.
    fn load_selection(
        &mut self,
        gpu: Gpu<'_>,
        shown: &Shown<'_>,
        budget: &mut Budget,
        progress: &mut Progress,
    ) {
        let former = self.selection.take();
        let suits = former.filter(|ring| ring.suits(shown.level, shown.size));
        // Sampled at the composite's place, so it must be a ring of the composite's size.
        let size = self.side(shown.side).front.as_ref().map_or(shown.size, Ring::size);
        let format = wgpu::TextureFormat::R8Unorm;
        let mut ring = suits
            .filter(|ring| ring.size() == size)
            .unwrap_or_else(|| Ring::new(gpu.device, format, shown.level, size));
        let grid = &shown.document.selection.cover;
        let mut encoder =
            gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for &at in &shown.blocks {
            let canvas = shown.document.extent;
            let request = Request { key: SourceKey::Selection, grid, canvas, at };
            let content = self.covers.content(&request);
            if ring.get(at).is_some_and(|made| *made == content) {
                continue;
            }
            let slot = content.as_ref().map(|content| {
                self.covers.touch(content.id);
                self.covers.load(gpu, &request, content, budget)
            });
            let (texture, layer) = match slot {
                None => (&self.empty, 0),
                Some(Ok(slot)) => (self.covers.texture(), slot),
                Some(Err(missing)) => {
                    progress.stats.pending_blocks += 1;
                    progress.again |= missing == Missing::Full || !budget.allows();
                    continue;
                }
            };
            budget.spend(0);
            let part = match (ring.get(at), &content) {
                (Some(Some(made)), Some(content)) => part_of(grid, at, made, content),
                _ => PixelRect::new(0, 0, TILE_PX, TILE_PX),
            };
            copy_block(&mut encoder, (texture, layer), part, &ring, at);
            ring.set(at, content);
        }
        gpu.queue.submit([encoder.finish()]);
        self.selection = Some(ring);
    }

    fn load_overlays(&mut self, gpu: Gpu<'_>, frame: &Frame) -> u64 {
        let shown = if frame.comparison.is_some() { &[] } else { frame.overlays.as_slice() };
        let (layout, sampler) = (&self.drawer.overlay_layout, &self.drawer.clamping);
        overlay::update(gpu, layout, sampler, &mut self.overlays, shown)
    }

    /// Lists what is drawn.
    fn add_panes(
        &mut self,
        device: &wgpu::Device,
        frame: &Frame,
        panes: &[Pane],
        shown: &[Shown<'_>],
        stats: &mut Stats,
    ) {
        // Each pane has the view of its composite and that of the former one.
        self.drawer.reserve(device, panes.len() * 2);
        let halves = frame
            .comparison
            .as_ref()
            .is_some_and(|comparison| comparison.view == ComparisonView::Halves);
        // Panes over the same area share what is around the canvas.
        let mut surround = frame.surround.is_some();
        for pane in panes {
            let Some(shown) = shown.iter().find(|shown| shown.side == pane.side) else { continue };
            let (composite, other) = match pane.side {
                Side::Left => (&self.left, &self.right),
                Side::Right => (&self.right, &self.left),
            };
            let Some(front) = &composite.front else { continue };
            let canvas = shown.document.extent;
            let filter = Filter::of(&pane.seen);
            let other = other.front.as_ref().filter(|other| pane.heat && other.alike(front));
            if pane.heat && other.is_none() {
                continue;
            }
            let cover = self.selection.as_ref();
            let pictures = Pictures {
                picture: &front.view,
                other: other.map(|other| &other.view),
                cover: cover.map(|cover| &cover.view),
            };
            let uv = front.uv(pane.seen.base());
            let uniform = ViewUniform::new(frame, &pane.seen, canvas, front.level, uv);
            let view = self.drawer.add_view(device, uniform, filter, &pictures);
            if surround && !pane.seen.is_filled_by(canvas) {
                let variant = Variant { filter, ..plain(Kind::Surround) };
                let rects = BTreeMap::from([(variant, Vec::new())]);
                self.drawer.add(device, view, pane.seen.area, &rects);
            }
            surround &= halves;
            let mut rects = BTreeMap::new();
            let mut missing = Vec::new();
            for &at in &shown.blocks {
                let Some(part) = common(corners(at.rect()), pane.clip) else { continue };
                let made =
                    front.get(at).filter(|_| other.is_none_or(|other| other.get(at).is_some()));
                let Some(made) = made else {
                    missing.push(part);
                    continue;
                };
                let kind = if pane.heat { Kind::HeatMap } else { Kind::Blocks };
                let opaque = made.opaque.0 || pane.heat;
                let of_block = Variant {
                    kind,
                    checker: if opaque { Checker::Opaque } else { Checker::Seen },
                    cover: Cover::None,
                    grid: if grid_strength(frame, &pane.seen) > 0.0 {
                        Grid::Shown
                    } else {
                        Grid::None
                    },
                    filter,
                };
                stats.drawn_blocks += 1;
                let selection = cover.map(|cover| (cover, &self.covers));
                for (part, cover) in pieces(frame, selection, at, part) {
                    let variant = Variant { cover, ..of_block };
                    let instance = instance(&pane.seen, part, part);
                    rects.entry(variant).or_insert_with(Vec::new).push(instance);
                }
            }
            self.drawer.add(device, view, pane.seen.area, &rects);
            if let (false, false, Some(former)) = (missing.is_empty(), pane.heat, &composite.former)
            {
                let uv = former.uv(pane.seen.base());
                let uniform = ViewUniform::new(frame, &pane.seen, canvas, former.level, uv);
                let pictures = Pictures { picture: &former.view, other: None, cover: None };
                let view = self.drawer.add_view(device, uniform, Filter::Linear, &pictures);
                let rects = former_parts(former, &pane.seen, &missing);
                self.drawer.add(device, view, pane.seen.area, &rects);
            }
            if frame.comparison.is_none() {
                add_overlays(&mut self.drawer, device, frame, &self.overlays, (pane, view));
            }
        }
    }
}

/// Whether anything of the frame depends on the selection.
fn shows_selection(frame: &Frame) -> bool {
    let display = &frame.selection;
    let displayed = display.color.is_some() || display.ants.is_some() || display.dim_outside > 0.0;
    let clips = frame.overlays.iter().any(|overlay| overlay.clip == OverlayClip::Selection);
    frame.comparison.is_none() && (displayed || clips) && !frame.document.selection.is_empty()
}

fn visible_layers(document: &Document) -> impl Iterator<Item = &Layer> {
    document.layers.iter().filter(|layer| layer.visible && layer.opacity > 0.0)
}

/// The part of a block that has changed since it was made; nothing where all of it may have.
fn changed_part(document: &Document, at: BlockAt, made: &Stack, now: &Stack) -> Option<PixelRect> {
    if made.layers.len() != now.layers.len() {
        return None;
    }
    let mut part = PixelRect::default();
    for (old, new) in made.layers.iter().zip(&now.layers) {
        let layer = document.layer(new.layer)?;
        let alike = old.layer == new.layer
            && old.blend_mode == new.blend_mode
            && old.opacity.to_bits() == new.opacity.to_bits();
        if !alike {
            return None;
        }
        part = part.union(part_of(&layer.pixels, at, &old.color, &new.color));
        part = match (&old.mask, &new.mask, &layer.mask) {
            (None, None, _) => part,
            (Some(old), Some(new), Some(grid)) => part.union(part_of(grid, at, old, new)),
            _ => return None,
        };
    }
    Some(part)
}

/// The smallest rectangle of a block that holds all texels that differ.
fn part_of<P: crate::raster::Pixel>(
    grid: &TileGrid<P>,
    at: BlockAt,
    old: &Content,
    new: &Content,
) -> PixelRect {
    if old == new {
        return PixelRect::default();
    }
    changed_parts(grid, at, &old.versions, &new.versions)
        .into_iter()
        .fold(PixelRect::default(), |all, part| all.union(part.rect))
}

/// Copies a part of a block into a ring.
fn copy_block(
    encoder: &mut wgpu::CommandEncoder,
    (texture, layer): (&wgpu::Texture, u32),
    part: PixelRect,
    ring: &Ring<Option<Content>>,
    at: BlockAt,
) {
    if part.is_empty() {
        return;
    }
    let target = part.shifted(ring.area(at).x, ring.area(at).y);
    let place = |texture, x: i32, y: i32, z| wgpu::TexelCopyTextureInfo {
        texture,
        mip_level: 0,
        origin: wgpu::Origin3d { x: x as u32, y: y as u32, z },
        aspect: wgpu::TextureAspect::All,
    };
    encoder.copy_texture_to_texture(
        place(texture, part.x, part.y, layer),
        place(&ring.texture, target.x, target.y, 0),
        wgpu::Extent3d { width: part.width, height: part.height, depth_or_array_layers: 1 },
    );
}

const fn plain(kind: Kind) -> Variant {
    Variant {
        kind,
        checker: Checker::Opaque,
        cover: Cover::None,
        grid: Grid::None,
        filter: Filter::Linear,
    }
}

/// A part of a block, and how the selection is looked at there.
type Piece = ([f64; 4], Cover);

/// Cuts a block into parts that look at the selection alike: looking for its outline is most of the
/// work, and most of a block has none.
fn pieces(
    frame: &Frame,
    selection: Option<(&Ring<Option<Content>>, &Store<u8>)>,
    at: BlockAt,
    part: [f64; 4],
) -> Vec<Piece> {
    let display = &frame.selection;
    let ants = display.ants.is_some();
    let tint = display.color.is_some() || display.dim_outside > 0.0;
    let Some((ring, store)) = selection.filter(|_| ants || tint) else {
        return vec![(part, Cover::None)];
    };
    let nothing = if display.dim_outside > 0.0 { Cover::Shown } else { Cover::None };
    if !ring.get(at).is_some_and(Option::is_some) {
        return vec![(part, nothing)];
    }
    // Cells of this block and those around it; what is not selected or not on the canvas is low.
    let cells: Vec<Cells> = (-1..=1)
        .flat_map(|row| (-1..=1).map(move |column| (row, column)))
        .map(|(row, column)| {
            let at = BlockAt { row: at.row + row, column: at.column + column, ..at };
            match ring.get(at) {
                Some(Some(content)) => store.cells(content.id).unwrap_or(Cells::UNKNOWN),
                _ => Cells::EMPTY,
            }
        })
        .collect();
    let side = CELLS_A_SIDE as i32;
    let cell = |row: i32, column: i32| {
        let block = (row.div_euclid(side) + 1) * 3 + column.div_euclid(side) + 1;
        let number = row.rem_euclid(side) * side + column.rem_euclid(side);
        cells.get(block as usize).copied().unwrap_or(Cells::EMPTY).at(number as u32)
    };
    let cover = |row: i32, column: i32| {
        let (_, _, some) = cell(row, column);
        let around = (row - 1..=row + 1)
            .flat_map(|row| (column - 1..=column + 1).map(move |column| (row, column)))
            .map(|(row, column)| cell(row, column))
            .fold((false, false), |all, (low, high, _)| (all.0 || low, all.1 || high));
        match (some, around) {
            (true, (true, true)) if ants => Cover::WithAnts,
            (true, _) if tint => Cover::Shown,
            _ => nothing,
        }
    };
    let rect = corners(at.rect());
    let length = (rect[2] - rect[0]) / f64::from(side);
    let mut pieces: Vec<Piece> = Vec::new();
    for row in 0..side {
        let mut run: Option<Piece> = None;
        for column in 0..side {
            let (x, y) = (rect[0] + f64::from(column) * length, rect[1] + f64::from(row) * length);
            let Some(part) = common(part, [x, y, x + length, y + length]) else { continue };
            let cover = cover(row, column);
            match &mut run {
                Some((whole, of)) if *of == cover => whole[2] = part[2],
                _ => pieces.extend(run.replace((part, cover))),
            }
        }
        pieces.extend(run);
    }
    pieces
}

/// What a former composite has of the parts that the new one lacks.
fn former_parts(
    former: &Ring<Stack>,
    seen: &Seen,
    missing: &[[f64; 4]],
) -> BTreeMap<Variant, Vec<Instance>> {
    let mut rects = BTreeMap::new();
    for (at, made) in former.blocks() {
        let rect = corners(at.rect());
        for part in missing.iter().filter_map(|part| common(*part, rect)) {
            let checker = if made.opaque.0 { Checker::Opaque } else { Checker::Seen };
            let variant = Variant { checker, ..plain(Kind::Blocks) };
            rects.entry(variant).or_insert_with(Vec::new).push(instance(seen, part, part));
        }
    }
    rects
}

fn add_overlays(
    drawer: &mut Drawer,
    device: &wgpu::Device,
    frame: &Frame,
    textures: &[OverlayTexture],
    (pane, view): (&Pane, usize),
) {
    for overlay in &frame.overlays {
        let texture = textures.iter().find(|texture| texture.shows(&overlay.image));
        let whole = corners(overlay.rect);
        let part = common(whole, pane.clip).filter(|part| pane.seen.sees(*part));
        let (Some(texture), Some(part)) = (texture, part) else { continue };
        let clipped =
            overlay.clip == OverlayClip::Selection && !frame.document.selection.is_empty();
        let cover = if clipped { Cover::Shown } else { Cover::None };
        let variant = Variant { cover, filter: Filter::of(&pane.seen), ..plain(Kind::Overlay) };
        let instance = instance(&pane.seen, part, whole);
        drawer.add_overlay(device, view, pane.seen.area, variant, (instance, &texture.group));
    }
}

/// A rectangle as the shader reads it. What is far outside of the view is cut off, so that numbers
/// stay small.
fn instance(seen: &Seen, part: [f64; 4], whole: [f64; 4]) -> Instance {
    let base = seen.base();
    let [left, top, right, bottom] = seen.bounds();
    // A pixel more, so that rounding never shows.
    let around = [left - 1.0, top - 1.0, right + 1.0, bottom + 1.0].map(f64::round);
    let part = common(part, around).unwrap_or(part);
    let local = |[left, top, right, bottom]: [f64; 4]| {
        [left - base[0], top - base[1], right - base[0], bottom - base[1]].map(|at| at as f32)
    };
    Instance { rect: local(part), whole: local(whole) }
}

fn larger(a: [u32; 2], b: [u32; 2]) -> [u32; 2] {
    [a[0].max(b[0]), a[1].max(b[1])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::{Extent, ViewTransform};
    use crate::gpu::Viewport;
    use crate::raster::CoverGrid;

    #[test]
    fn a_selection_costs_nothing_where_nothing_shows_it() {
        let mut frame = Frame::new(
            Document::new(Extent::new(9, 9), "a"),
            ViewTransform::default(),
            Viewport::of_pixels(9, 9),
        );
        frame.selection.ants = Some(0.0);
        assert!(!shows_selection(&frame));
        let mut cover = CoverGrid::new();
        cover.fill(PixelRect::new(0, 0, 3, 3), 255);
        frame.document.selection.cover = cover;
        assert!(shows_selection(&frame));
        frame.selection.ants = None;
        assert!(!shows_selection(&frame));
    }
}
