//! A texture of blocks that wraps around: panning renders only what comes into view.
//!
//! Blocks that touch on the canvas touch in the texture, its edges being joined, so that a filter
//! may look over their borders.

use crate::geom::PixelRect;
use crate::gpu::view::BlockAt;
use crate::raster::TILE_PX;

/// A ring whose blocks were made from a `T` each.
pub(super) struct Ring<T> {
    pub(super) texture: wgpu::Texture,
    pub(super) view: wgpu::TextureView,
    pub(super) level: u32,
    columns: u32,
    rows: u32,
    slots: Vec<Option<(BlockAt, T)>>,
}

impl<T> Ring<T> {
    pub(super) fn new(
        device: &wgpu::Device,
        format: wgpu::TextureFormat,
        level: u32,
        [columns, rows]: [u32; 2],
    ) -> Self {
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("composite"),
            size: wgpu::Extent3d {
                width: columns * TILE_PX,
                height: rows * TILE_PX,
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage: wgpu::TextureUsages::TEXTURE_BINDING
                | wgpu::TextureUsages::RENDER_ATTACHMENT
                | wgpu::TextureUsages::COPY_DST
                | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let slots = (0..columns * rows).map(|_| None).collect();
        Self { texture, view, level, columns, rows, slots }
    }

    /// Whether so many blocks fit at a level, without taking much more than they need.
    pub(super) const fn suits(&self, level: u32, [columns, rows]: [u32; 2]) -> bool {
        self.level == level && self.columns >= columns && self.rows >= rows
    }

    /// The same texture for another level, where it is of that size.
    pub(super) fn reused(mut self, level: u32, size: [u32; 2]) -> Option<Self> {
        if self.columns < size[0] || self.rows < size[1] {
            return None;
        }
        if self.level != level {
            self.level = level;
            self.forget();
        }
        Some(self)
    }

    /// Columns and rows of blocks.
    pub(super) const fn size(&self) -> [u32; 2] {
        [self.columns, self.rows]
    }

    /// Whether blocks lie in the same places of another ring.
    pub(super) const fn alike<U>(&self, other: &Ring<U>) -> bool {
        self.level == other.level && self.columns == other.columns && self.rows == other.rows
    }

    /// Forgets all blocks.
    fn forget(&mut self) {
        self.slots.fill_with(|| None);
    }

    /// What a block was made from; nothing where it is not there.
    pub(super) fn get(&self, at: BlockAt) -> Option<&T> {
        let (held, made_from) = self.slots.get(self.index(at))?.as_ref()?;
        (*held == at).then_some(made_from)
    }

    /// Notes what a block is made from; what was in its place is gone.
    pub(super) fn set(&mut self, at: BlockAt, made_from: T) {
        let index = self.index(at);
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Some((at, made_from));
        }
    }

    /// All blocks that are there.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (BlockAt, &T)> {
        self.slots.iter().flatten().map(|(at, made_from)| (*at, made_from))
    }

    /// Where a block lies in the texture.
    pub(super) fn area(&self, at: BlockAt) -> PixelRect {
        let (column, row) = self.place(at);
        PixelRect::new((column * TILE_PX) as i32, (row * TILE_PX) as i32, TILE_PX, TILE_PX)
    }

    /// Texture coordinates of canvas positions counted from `base`: their scale and their start.
    pub(super) fn uv(&self, base: [f64; 2]) -> ([f32; 2], [f32; 2]) {
        let side = f64::from(TILE_PX << self.level);
        let scale = [1.0 / (side * f64::from(self.columns)), 1.0 / (side * f64::from(self.rows))];
        let start = [base[0] * scale[0], base[1] * scale[1]].map(|uv| uv - uv.floor());
        (scale.map(|uv| uv as f32), start.map(|uv| uv as f32))
    }

    fn place(&self, at: BlockAt) -> (u32, u32) {
        (
            at.column.rem_euclid(self.columns as i32) as u32,
            at.row.rem_euclid(self.rows as i32) as u32,
        )
    }

    fn index(&self, at: BlockAt) -> usize {
        let (column, row) = self.place(at);
        row as usize * self.columns as usize + column as usize
    }
}
