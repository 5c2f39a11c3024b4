//! Blocks of layers or masks on the graphics card, in one array texture.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use crate::document::LayerId;
use crate::geom::{Extent, PixelRect};
use crate::gpu::assembler::{Assembler, Job};
use crate::gpu::source::{Content, ContentId, Part, Source, Versions, assembled, changed_parts};
use crate::gpu::view::{BlockAt, Side};
use crate::gpu::{Wake, Work};
use crate::raster::{Pixel, TILE_PX, TileGrid};

/// A pixel as a texture holds it.
pub(super) trait Texel: Pixel + bytemuck::Pod {
    const FORMAT: wgpu::TextureFormat;
    const LABEL: &'static str;

    /// Whether nothing shines through.
    fn is_opaque(self) -> bool;

    /// What cells of a block hold.
    fn cells(texels: &[Self], rect: PixelRect, stride: u32) -> Cells;
}

/// Cells of a block in a row.
pub(super) const CELLS_A_SIDE: u32 = 8;
const CELL_PX: u32 = TILE_PX / CELLS_A_SIDE;

/// What is found in the cells of a block of a mask, one bit a cell, row by row. A bit may be set
/// although what it stands for has been painted over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    /// Cover of less than a half.
    low: u64,
    /// Cover of a half and more.
    high: u64,
    /// Any cover.
    some: u64,
}

impl Cells {
    /// There may be anything.
    pub(super) const UNKNOWN: Self = Self { low: u64::MAX, high: u64::MAX, some: u64::MAX };
    /// Nothing is covered.
    pub(super) const EMPTY: Self = Self { low: u64::MAX, high: 0, some: 0 };
    const NONE: Self = Self { low: 0, high: 0, some: 0 };

    /// Whether a cell has cover of less than a half, of more, and any.
    pub(super) fn at(self, number: u32) -> (bool, bool, bool) {
        let has = |cells: u64| (cells >> number) & 1 == 1;
        (has(self.low), has(self.high), has(self.some))
    }

    const fn or(self, other: Self) -> Self {
        Self {
            low: self.low | other.low,
            high: self.high | other.high,
            some: self.some | other.some,
        }
    }
}

impl Texel for [u8; 4] {
    const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
    const LABEL: &'static str = "blocks of layers";

    fn is_opaque(self) -> bool {
        self[3] == 255
    }

    fn cells(_: &[Self], _: PixelRect, _: u32) -> Cells {
        // Asked for of masks only.
        Cells::UNKNOWN
    }
}

impl Texel for u8 {
    const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R8Unorm;
    const LABEL: &'static str = "blocks of masks";

    fn is_opaque(self) -> bool {
        self == 255
    }

    fn cells(texels: &[Self], rect: PixelRect, stride: u32) -> Cells {
        let mut cells = Cells::NONE;
        let rows = texels.chunks(stride as usize).take(rect.height as usize);
        for (y, row) in (rect.y as u32..).zip(rows) {
            let mut x = rect.x as u32;
            let mut rest = row.get(..rect.width as usize).unwrap_or(row);
            while !rest.is_empty() {
                let end = (x / CELL_PX + 1) * CELL_PX;
                let (part, after) = rest.split_at(rest.len().min((end - x) as usize));
                let bit = 1 << (y / CELL_PX * CELLS_A_SIDE + x / CELL_PX);
                let (least, most) =
                    part.iter().fold((255, 0), |(a, b): (u8, u8), c| (a.min(*c), b.max(*c)));
                cells.low |= if least < 128 { bit } else { 0 };
                cells.high |= if most >= 128 { bit } else { 0 };
                cells.some |= if most > 0 { bit } else { 0 };
                (x, rest) = (end, after);
            }
        }
        cells
    }
}

/// A grid of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum SourceKey {
    Layer(Side, LayerId),
    Selection,
}

/// A block of a grid that is asked for.
pub(super) struct Request<'a, P: Pixel> {
    pub(super) key: SourceKey,
    pub(super) grid: &'a TileGrid<P>,
    pub(super) canvas: Extent,
    pub(super) at: BlockAt,
}

/// What a frame may still spend.
pub(super) struct Budget {
    deadline: Option<Instant>,
    /// Texels times layers that may be laid over each other.
    texels: u64,
    /// Something is done in every frame, however late it is.
    fresh: bool,
    pub(super) uploaded_bytes: u64,
}

impl Budget {
    pub(super) fn new(work: Work, texels: u64) -> Self {
        let (deadline, texels) = match work {
            Work::Complete => (None, u64::MAX),
            Work::Sliced(time) => (Instant::now().checked_add(time), texels),
        };
        Self { deadline, texels, fresh: true, uploaded_bytes: 0 }
    }

    /// Whether waiting is no option.
    pub(super) const fn is_complete(&self) -> bool {
        self.deadline.is_none()
    }

    /// Whether there is time for another block.
    pub(super) fn allows(&self) -> bool {
        let in_time = self.deadline.is_none_or(|deadline| Instant::now() < deadline);
        self.fresh || (in_time && self.texels > 0)
    }

    /// Notes that a block was done.
    pub(super) fn spend(&mut self, texels: u64) {
        self.fresh = false;
        self.texels = self.texels.saturating_sub(texels);
    }
}

/// The device and what is sent to it.
#[derive(Clone, Copy)]
pub(super) struct Gpu<'a> {
    pub(super) device: &'a wgpu::Device,
    pub(super) queue: &'a wgpu::Queue,
}

struct Slot {
    content: Option<Content>,
    opaque: bool,
    cells: Cells,
    /// The last frame that showed it.
    seen: u64,
    /// The last frame that read it; not to be written to in that frame.
    claimed: u64,
}

/// Why a block is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is being put together, or there is no time left in this frame.
    Later,
    /// All slots are taken by what this frame reads.
    Full,
}

/// Blocks of one kind of pixel.
pub(super) struct Store<P: Texel> {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    /// Counts the textures, for bind groups.
    generation: u64,
    limit: u32,
    slots: Vec<Slot>,
    places: HashMap<ContentId, u32>,
    sources: HashMap<SourceKey, Source<P>>,
    assembler: Assembler<P>,
    wanted: Vec<Job<P>>,
    wanted_ids: HashSet<ContentId>,
    /// Whether there is no thread for that.
    inline: bool,
    frame: u64,
}

/// The first texture has so many slots; it doubles when they are taken.
const FIRST_SLOTS: u32 = 32;
/// At most so many bytes are kept.
const BUDGET_BYTES: u64 = 512 << 20;
/// A block of more changed tiles than this is put together again as a whole.
const MAX_PARTS: usize = 24;

impl<P: Texel> Store<P> {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let slot_bytes = u64::from(TILE_PX * TILE_PX) * size_of::<P>() as u64;
        let limit =
            device.limits().max_texture_array_layers.min((BUDGET_BYTES / slot_bytes) as u32);
        let slots = FIRST_SLOTS.min(limit);
        let (texture, view) = array::<P>(device, slots);
        Self {
            texture,
            view,
            generation: 0,
            limit,
            slots: free_slots(slots),
            places: HashMap::new(),
            sources: HashMap::new(),
            assembler: Assembler::new(),
            wanted: Vec::new(),
            wanted_ids: HashSet::new(),
            inline: false,
            frame: 1,
        }
    }

    /// As on a device that holds so many blocks.
    #[cfg(test)]
    pub(super) fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
        self.slots.truncate(limit as usize);
    }

    /// All blocks, as layers of one texture.
    pub(super) const fn view(&self) -> &wgpu::TextureView {
        &self.view
    }

    pub(super) const fn texture(&self) -> &wgpu::Texture {
        &self.texture
    }

    /// Another number whenever [`Self::view`] is another one.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn resident(&self) -> u32 {
        self.places.len() as u32
    }

    pub(super) const fn begin_frame(&mut self) {
        self.frame += 1;
    }

    /// Hands what is missing to the thread that puts blocks together. Whether the next frame must
    /// do that instead.
    pub(super) fn end_frame(&mut self, wake: Option<&Wake>) -> bool {
        self.wanted_ids.clear();
        let wanted = std::mem::take(&mut self.wanted);
        self.inline = !self.assembler.set_wanted(wanted, wake);
        self.inline
    }

    /// What a block holds now; nothing where all of it is empty.
    pub(super) fn content(&mut self, request: &Request<'_, P>) -> Option<Content> {
        let source = self.sources.entry(request.key).or_default();
        source.content(request.grid, request.canvas, request.at)
    }

    /// Forgets the grids that are not of a document any more.
    pub(super) fn keep_sources(&mut self, keep: impl Fn(SourceKey) -> bool) {
        self.sources.retain(|key, _| keep(*key));
    }

    /// Notes that a block is on the screen, so that it is kept longest.
    pub(super) fn touch(&mut self, id: ContentId) {
        let frame = self.frame;
        if let Some(slot) =
            self.places.get(&id).and_then(|place| self.slots.get_mut(*place as usize))
        {
            slot.seen = frame;
        }
    }

    /// Whether nothing shines through a block that is resident.
    pub(super) fn is_opaque(&self, id: ContentId) -> bool {
        let slot = self.places.get(&id).and_then(|place| self.slots.get(*place as usize));
        slot.is_some_and(|slot| slot.opaque)
    }

    /// What the cells of a block hold that is resident.
    pub(super) fn cells(&self, id: ContentId) -> Option<Cells> {
        let slot = self.places.get(&id).and_then(|place| self.slots.get(*place as usize));
        slot.map(|slot| slot.cells)
    }

    /// The slot that holds a block, after bringing it there.
    pub(super) fn load(
        &mut self,
        gpu: Gpu<'_>,
        request: &Request<'_, P>,
        content: &Content,
        budget: &mut Budget,
    ) -> Result<u32, Missing> {
        if let Some(&place) = self.places.get(&content.id) {
            self.claim(place);
            self.note_resident(request, content.id);
            return Ok(place);
        }
        if let Some(place) = self.renew(gpu, request, content, budget) {
            return Ok(place);
        }
        let Request { grid, canvas, at, .. } = request;
        if at.level > 0 {
            let ready = self.assembler.take(content.id);
            let texels = match ready {
                Some(texels) if budget.allows() => texels,
                None if budget.is_complete() || (self.inline && budget.allows()) => {
                    assembled(grid, *canvas, *at)
                }
                _ => return self.want(request, content),
            };
            return self.fill(gpu, request, content, &texels, budget);
        }
        if !budget.allows() {
            return Err(Missing::Later);
        }
        // One tile is one block, so nothing needs to be put together.
        match at_level_zero(grid, *at) {
            Some(texels) => self.fill(gpu, request, content, texels, budget),
            None => Err(Missing::Later),
        }
    }

    /// Brings a block's former state up to date, where it is still there.
    fn renew(
        &mut self,
        gpu: Gpu<'_>,
        request: &Request<'_, P>,
        content: &Content,
        budget: &mut Budget,
    ) -> Option<u32> {
        let former = self.sources.get(&request.key)?.resident(request.at)?;
        let place = *self.places.get(&former)?;
        let slot = self.slots.get(place as usize)?;
        // Written now, it would be read as new by what has asked for it as it was.
        if slot.claimed == self.frame {
            return None;
        }
        let old: Versions = slot.content.as_ref()?.versions.clone();
        let parts = changed_parts(request.grid, request.at, &old, &content.versions);
        if parts.len() > MAX_PARTS || !budget.allows() {
            return None;
        }
        let (mut opaque, mut cells) = (slot.opaque, slot.cells);
        for part in &parts {
            let (part_is_opaque, of_part) = self.write_part(gpu, request, place, part, budget);
            opaque &= part_is_opaque;
            cells = cells.or(of_part);
        }
        self.places.remove(&former);
        self.put(request, content, place, (opaque, cells));
        Some(place)
    }

    fn want(&mut self, request: &Request<'_, P>, content: &Content) -> Result<u32, Missing> {
        if self.wanted_ids.insert(content.id) {
            self.wanted.push(Job {
                id: content.id,
                grid: request.grid.clone(),
                canvas: request.canvas,
                at: request.at,
            });
        }
        Err(Missing::Later)
    }

    fn fill(
        &mut self,
        gpu: Gpu<'_>,
        request: &Request<'_, P>,
        content: &Content,
        texels: &[P],
        budget: &mut Budget,
    ) -> Result<u32, Missing> {
        let place = self.free_slot(gpu).ok_or(Missing::Full)?;
        let all = PixelRect::new(0, 0, TILE_PX, TILE_PX);
        self.write(gpu, place, all, texels, TILE_PX, budget);
        let opaque = texels.iter().all(|texel| texel.is_opaque());
        let cells = P::cells(texels, all, TILE_PX);
        self.put(request, content, place, (opaque, cells));
        Ok(place)
    }

    fn put(
        &mut self,
        request: &Request<'_, P>,
        content: &Content,
        place: u32,
        (opaque, cells): (bool, Cells),
    ) {
        self.places.insert(content.id, place);
        if let Some(slot) = self.slots.get_mut(place as usize) {
            slot.content = Some(content.clone());
            slot.opaque = opaque;
            slot.cells = cells;
        }
        self.claim(place);
        self.note_resident(request, content.id);
    }

    fn claim(&mut self, place: u32) {
        if let Some(slot) = self.slots.get_mut(place as usize) {
            slot.seen = self.frame;
            slot.claimed = self.frame;
        }
    }

    fn note_resident(&mut self, request: &Request<'_, P>, id: ContentId) {
        if let Some(source) = self.sources.get_mut(&request.key) {
            source.set_resident(request.at, id);
        }
    }

    /// A slot to be written to: a free one, a new one, or the one that was not seen for longest.
    fn free_slot(&mut self, gpu: Gpu<'_>) -> Option<u32> {
        if let Some(free) = self.slots.iter().position(|slot| slot.content.is_none()) {
            return Some(free as u32);
        }
        let count = self.slots.len() as u32;
        if count < self.limit {
            self.grow(gpu, (count * 2).min(self.limit));
            return Some(count);
        }
        let candidates =
            self.slots.iter().enumerate().filter(|(_, slot)| slot.claimed < self.frame);
        let (oldest, _) = candidates.min_by_key(|(_, slot)| slot.seen)?;
        if let Some(content) = self.slots.get_mut(oldest).and_then(|slot| slot.content.take()) {
            self.places.remove(&content.id);
        }
        Some(oldest as u32)
    }

    fn grow(&mut self, gpu: Gpu<'_>, slots: u32) {
        let (texture, view) = array::<P>(gpu.device, slots);
        let mut encoder =
            gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_texture_to_texture(
            self.texture.as_image_copy(),
            texture.as_image_copy(),
            self.texture.size(),
        );
        // Sent at once: what is written to the new texture from now on must come after the copy.
        gpu.queue.submit([encoder.finish()]);
        let more = slots.saturating_sub(self.slots.len() as u32);
        self.slots.extend(free_slots(more));
        self.texture = texture;
        self.view = view;
        self.generation += 1;
    }

    /// Uploads what has changed of one tile; whether that is opaque, and what its cells hold.
    fn write_part(
        &self,
        gpu: Gpu<'_>,
        request: &Request<'_, P>,
        place: u32,
        part: &Part,
        budget: &mut Budget,
    ) -> (bool, Cells) {
        let side = TILE_PX >> request.at.level;
        let Some(tile) = request.grid.tile(part.tile) else {
            let empty = vec![P::EMPTY; part.rect.extent().area()];
            self.write(gpu, place, part.rect, &empty, part.rect.width, budget);
            return (false, P::cells(&empty, part.rect, part.rect.width));
        };
        let within = part.within;
        let first = within.y as usize * side as usize + within.x as usize;
        let texels = tile.level(request.at.level).get(first..).unwrap_or_default();
        self.write(gpu, place, part.rect, texels, side, budget);
        let mut rows = texels.chunks(side as usize).take(within.height as usize);
        let opaque =
            rows.all(|row| row.iter().take(within.width as usize).all(|texel| texel.is_opaque()));
        (opaque, P::cells(texels, part.rect, side))
    }

    /// Uploads `rect` of a slot; `texels` starts with its first one, and a row is `stride` of them.
    fn write(
        &self,
        gpu: Gpu<'_>,
        place: u32,
        rect: PixelRect,
        texels: &[P],
        stride: u32,
        budget: &mut Budget,
    ) {
        let texel_bytes = size_of::<P>() as u32;
        let length = (rect.height as usize - 1) * stride as usize + rect.width as usize;
        let Some(texels) = texels.get(..length) else { return };
        gpu.queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                texture: &self.texture,
                mip_level: 0,
                origin: wgpu::Origin3d { x: rect.x as u32, y: rect.y as u32, z: place },
                aspect: wgpu::TextureAspect::All,
            },
            bytemuck::cast_slice(texels),
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(stride * texel_bytes),
                rows_per_image: None,
            },
            wgpu::Extent3d { width: rect.width, height: rect.height, depth_or_array_layers: 1 },
        );
        budget.uploaded_bytes += rect.extent().area() as u64 * u64::from(texel_bytes);
    }
}

/// The texels of a block at level 0, which is a tile.
fn at_level_zero<P: Pixel>(grid: &TileGrid<P>, at: BlockAt) -> Option<&[P]> {
    let index = crate::raster::TileIndex { row: at.row, column: at.column };
    grid.tile(index).map(|tile| tile.pixels())
}

fn free_slots(count: u32) -> Vec<Slot> {
    (0..count)
        .map(|_| Slot { content: None, opaque: false, cells: Cells::UNKNOWN, seen: 0, claimed: 0 })
        .collect()
}

fn array<P: Texel>(device: &wgpu::Device, slots: u32) -> (wgpu::Texture, wgpu::TextureView) {
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some(P::LABEL),
        size: wgpu::Extent3d { width: TILE_PX, height: TILE_PX, depth_or_array_layers: slots },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: P::FORMAT,
        usage: wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_DST
            | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = texture.create_view(&wgpu::TextureViewDescriptor {
        dimension: Some(wgpu::TextureViewDimension::D2Array),
        ..Default::default()
    });
    (texture, view)
}
