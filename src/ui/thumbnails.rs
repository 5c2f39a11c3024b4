//! Small pictures as textures: made when they are first shown, dropped when they are shown no more.
//!
//! A [`Thumbnails`] belongs to a panel's state. Pictures are known by their pointer: the pixels
//! behind an [`Arc`] never change. Layers are drawn anew tile by tile, from the tiles' own smaller
//! versions and only where a tile has another version than the one that was drawn, a few tiles a
//! frame, so that a large canvas costs no more than a small one.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions};

use crate::document::LayerId;
use crate::geom::Extent;
use crate::raster::{CoverGrid, Pixel, PixelGrid, RgbaImage, TILE_PX, TileGrid, TileIndex};

/// Longer side of a layer's thumbnail in pixels. On the largest canvas a tile still has a pixel and
/// a half of it, so nothing that is painted goes unseen.
pub const LAYER_SIDE_PX: u32 = 96;
/// Longer side of a large preview in pixels.
pub const PREVIEW_SIDE_PX: u32 = 512;

/// Passes for which a picture that is not shown is kept.
const KEPT_PASSES: u64 = 240;
/// Tiles that are drawn in one frame at most, over all layers: the smaller versions of a tile cost
/// about a tenth of a millisecond when nobody asked for them before.
const TILES_A_FRAME: usize = 24;

/// Textures of small pictures, kept while they are shown.
#[derive(Default)]
pub struct Thumbnails {
    // By the picture's address and the longest side.
    pictures: BTreeMap<(usize, u32), Kept<PictureThumbnail>>,
    layers: BTreeMap<(LayerId, Part), Kept<LayerThumbnail>>,
    budget: Budget,
}

/// Which of a layer's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Pixels,
    Mask,
}

struct PictureThumbnail {
    // Held so that its address is not given to another picture.
    _image: Arc<RgbaImage>,
    texture: TextureHandle,
}

struct Kept<T> {
    value: T,
    pass: u64,
}

#[derive(Default)]
struct Budget {
    pass: u64,
    tiles: usize,
}

impl Thumbnails {
    /// The texture of a picture, made smaller where its longer side has more than `side_px` pixels.
    pub fn picture(&mut self, ctx: &Context, image: &Arc<RgbaImage>, side_px: u32) -> TextureId {
        let pass = self.begin(ctx);
        let key = (Arc::as_ptr(image) as usize, side_px);
        let kept = self.pictures.entry(key).or_insert_with(|| {
            let color_image = shrunk(image, side_px);
            let texture = ctx.load_texture("thumbnail", color_image, TextureOptions::LINEAR);
            Kept { value: PictureThumbnail { _image: Arc::clone(image), texture }, pass }
        });
        kept.pass = pass;
        kept.value.texture.id()
    }

    /// The texture of the part of a layer that lies on the canvas.
    pub fn layer(
        &mut self,
        ctx: &Context,
        id: LayerId,
        pixels: &PixelGrid,
        canvas: Extent,
    ) -> TextureId {
        self.part(ctx, (id, Part::Pixels), pixels, canvas)
    }

    /// The texture of a layer's mask, white where the layer is shown.
    pub fn mask(
        &mut self,
        ctx: &Context,
        id: LayerId,
        mask: &CoverGrid,
        canvas: Extent,
    ) -> TextureId {
        self.part(ctx, (id, Part::Mask), mask, canvas)
    }

    fn part<P: ThumbnailPixel>(
        &mut self,
        ctx: &Context,
        key: (LayerId, Part),
        grid: &TileGrid<P>,
        canvas: Extent,
    ) -> TextureId {
        let pass = self.begin(ctx);
        let fresh = |ctx: &Context| LayerThumbnail::new(ctx, canvas, P::EMPTY.color());
        let kept = self.layers.entry(key).or_insert_with(|| Kept { value: fresh(ctx), pass });
        kept.pass = pass;
        if kept.value.canvas != canvas {
            kept.value = fresh(ctx);
        }
        if kept.value.picture.update(grid, canvas, &mut self.budget.tiles) {
            kept.value.texture.set(kept.value.picture.image.clone(), TextureOptions::LINEAR);
        }
        if kept.value.picture.behind {
            ctx.request_repaint();
        }
        kept.value.texture.id()
    }

    /// Notes the pass; in a new one, forgets what was not shown for a while.
    fn begin(&mut self, ctx: &Context) -> u64 {
        let pass = ctx.cumulative_pass_nr();
        if self.budget.pass != pass || self.budget.pass == 0 {
            self.budget = Budget { pass, tiles: TILES_A_FRAME };
            let oldest = pass.saturating_sub(KEPT_PASSES);
            self.pictures.retain(|_, kept| kept.pass >= oldest);
            self.layers.retain(|_, kept| kept.pass >= oldest);
        }
        pass
    }
}

struct LayerThumbnail {
    canvas: Extent,
    picture: TilePicture,
    texture: TextureHandle,
}

impl LayerThumbnail {
    fn new(ctx: &Context, canvas: Extent, empty: egui::Color32) -> Self {
        let picture = TilePicture::new(canvas, empty);
        let texture =
            ctx.load_texture("layer thumbnail", picture.image.clone(), TextureOptions::LINEAR);
        Self { canvas, picture, texture }
    }
}

/// A kind of pixel that a thumbnail can show.
trait ThumbnailPixel: Pixel {
    fn color(self) -> egui::Color32;
}

impl ThumbnailPixel for [u8; 4] {
    fn color(self) -> egui::Color32 {
        let [r, g, b, a] = self;
        egui::Color32::from_rgba_unmultiplied(r, g, b, a)
    }
}

impl ThumbnailPixel for u8 {
    fn color(self) -> egui::Color32 {
        egui::Color32::from_gray(self)
    }
}

/// A small picture of a grid, with the versions of the tiles that it shows.
struct TilePicture {
    image: ColorImage,
    shown: BTreeMap<TileIndex, u64>,
    empty: egui::Color32,
    // Whether tiles are left to draw.
    behind: bool,
}

impl TilePicture {
    fn new(canvas: Extent, empty: egui::Color32) -> Self {
        let size = canvas.fitted(LAYER_SIDE_PX);
        let image = ColorImage::filled([size.width as usize, size.height as usize], empty);
        Self { image, shown: BTreeMap::new(), empty, behind: false }
    }

    /// Draws what has changed, at most as many tiles as are left; says whether any was drawn.
    fn update<P: ThumbnailPixel>(
        &mut self,
        grid: &TileGrid<P>,
        canvas: Extent,
        tiles_left: &mut usize,
    ) -> bool {
        let mut drawn = false;
        self.behind = false;
        let gone: Vec<TileIndex> =
            self.shown.keys().filter(|at| grid.tile(**at).is_none()).copied().collect();
        for at in gone {
            self.shown.remove(&at);
            let empty = self.empty;
            self.draw(at, canvas, |_, _| empty);
            drawn = true;
        }
        for (at, tile) in grid.tiles() {
            if self.shown.get(&at) == Some(&tile.version()) || at.rect().on_canvas(canvas).is_none()
            {
                continue;
            }
            if *tiles_left == 0 {
                self.behind = true;
                break;
            }
            *tiles_left -= 1;
            let scale = canvas.width as f32 / self.image.size[0] as f32;
            let level = scale.max(1.0).log2().floor() as u32;
            let side = (TILE_PX >> level.min(crate::raster::MAX_LEVEL)).max(1);
            let pixels = tile.level(level);
            let shrink = TILE_PX / side;
            self.draw(at, canvas, |x, y| {
                let index = (y / shrink) as usize * side as usize + (x / shrink) as usize;
                pixels.get(index).copied().unwrap_or(P::EMPTY).color()
            });
            self.shown.insert(at, tile.version());
            drawn = true;
        }
        drawn
    }

    /// Colors the thumbnail's pixels whose middle lies in a tile; `color` gets the pixel of the tile.
    fn draw(&mut self, at: TileIndex, canvas: Extent, color: impl Fn(u32, u32) -> egui::Color32) {
        let [width, height] = self.image.size;
        let (rect, across, down) =
            (at.rect(), canvas.width as f32 / width as f32, canvas.height as f32 / height as f32);
        let span = |start: i32, step: f32, count: usize| {
            let first = (start as f32 / step - 0.5).ceil().max(0.0) as usize;
            let end = ((start as f32 + TILE_PX as f32) / step - 0.5).ceil().max(0.0) as usize;
            first.min(count)..end.min(count)
        };
        let columns = span(rect.x, across, width);
        for row in span(rect.y, down, height) {
            let y = ((row as f32 + 0.5) * down) as i32;
            for column in columns.clone() {
                let x = ((column as f32 + 0.5) * across) as i32;
                let inside = |value: i32, start: i32| {
                    value.saturating_sub(start).clamp(0, TILE_PX as i32 - 1) as u32
                };
                if let Some(pixel) = self.image.pixels.get_mut(row * width + column) {
                    *pixel = color(inside(x, rect.x), inside(y, rect.y));
                }
            }
        }
    }
}

/// A picture with a longer side of `side_px` at most, from four pixels of the original each.
fn shrunk(image: &RgbaImage, side_px: u32) -> ColorImage {
    let extent = image.extent();
    let size = extent.fitted(side_px);
    let sides = [size.width as usize, size.height as usize];
    if size == extent {
        return ColorImage::from_rgba_unmultiplied(sides, image.as_raw());
    }
    let mut pixels = Vec::with_capacity(size.area());
    let place = |index: u32, of: u32, full: u32, part: f64| {
        let at = (f64::from(index) + part) * f64::from(full) / f64::from(of);
        (at as u32).min(full.saturating_sub(1))
    };
    for y in 0..size.height {
        let rows = [0.25, 0.75].map(|part| place(y, size.height, extent.height, part));
        for x in 0..size.width {
            let columns = [0.25, 0.75].map(|part| place(x, size.width, extent.width, part));
            let four = [
                image.pixel(columns[0], rows[0]),
                image.pixel(columns[1], rows[0]),
                image.pixel(columns[0], rows[1]),
                image.pixel(columns[1], rows[1]),
            ];
            pixels.push(<[u8; 4]>::average(four).color());
        }
    }
    ColorImage::new(sides, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::PixelRect;

    fn updated(grid: &PixelGrid, canvas: Extent) -> TilePicture {
        let mut picture = TilePicture::new(canvas, egui::Color32::TRANSPARENT);
        let mut tiles = usize::MAX;
        picture.update(grid, canvas, &mut tiles);
        picture
    }

    #[test]
    fn a_thumbnail_shows_what_is_painted_where_it_is() {
        let canvas = Extent::new(1024, 512);
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::new(512, 0, 512, 512), [255, 0, 0, 255]);
        let picture = updated(&grid, canvas);
        assert_eq!(picture.image.size, [96, 48]);
        let pixel = |x: usize, y: usize| picture.image.pixels[y * 96 + x];
        assert_eq!(pixel(47, 20), egui::Color32::TRANSPARENT);
        assert_eq!(pixel(48, 0), egui::Color32::RED);
        assert_eq!(pixel(95, 47), egui::Color32::RED);
    }

    #[test]
    fn only_changed_tiles_are_drawn_again_and_no_more_than_allowed() {
        let canvas = Extent::new(1024, 1024);
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::from(canvas.rect()), [0, 0, 255, 255]);
        let mut picture = TilePicture::new(canvas, egui::Color32::TRANSPARENT);
        let mut tiles = 10;
        assert!(picture.update(&grid, canvas, &mut tiles));
        assert!(picture.behind && tiles == 0);
        tiles = 100;
        picture.update(&grid, canvas, &mut tiles);
        assert!(!picture.behind);
        assert_eq!(tiles, 94, "sixteen tiles, ten of them drawn before");
        assert!(!picture.update(&grid, canvas, &mut tiles));
        grid.fill(PixelRect::new(300, 300, 4, 4), [0, 255, 0, 255]);
        assert!(picture.update(&grid, canvas, &mut tiles));
        assert_eq!(tiles, 93);
    }

    #[test]
    fn what_is_erased_goes_from_the_thumbnail() {
        let canvas = Extent::new(256, 256);
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::from(canvas.rect()), [9, 9, 9, 255]);
        let mut picture = updated(&grid, canvas);
        grid.clear(PixelRect::from(canvas.rect()));
        let mut tiles = 0;
        assert!(picture.update(&grid, canvas, &mut tiles));
        assert!(picture.image.pixels.iter().all(|&pixel| pixel == egui::Color32::TRANSPARENT));
    }

    #[test]
    fn a_spot_on_the_largest_canvas_is_seen() {
        let canvas = Extent::new(16384, 16384);
        let mut grid = PixelGrid::new();
        grid.fill(PixelRect::new(8192, 8192, 256, 256), [255, 255, 255, 255]);
        let picture = updated(&grid, canvas);
        assert!(picture.image.pixels.contains(&egui::Color32::WHITE));
    }

    #[test]
    fn a_large_picture_is_made_small() {
        let mut image = RgbaImage::new(Extent::new(1024, 1024), [10, 20, 30, 255]);
        image.pixels_mut()[0] = [255; 4];
        let small = shrunk(&image, 128);
        assert_eq!(small.size, [128, 128]);
        assert_eq!(small.pixels[500], egui::Color32::from_rgb(10, 20, 30));
    }
}
