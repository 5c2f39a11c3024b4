//! What a document looks like: its layers laid over each other, on the CPU.
//!
//! This is the reference that shaders are checked against, and what files, models and thumbnails
//! are given. It works tile by tile, row by row, and needs no memory besides its result.
//!
//! The lowest layer of a document is copied, hidden colors under alpha 0 included, as long as it is
//! shown without mask and with full opacity. So a picture that was opened comes out byte for byte,
//! and a layer above it changes only the bytes that it covers.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::document::{Document, Layer, LayerId};
use crate::geom::{CanvasRect, Extent, PixelRect};
use crate::raster::{
    BlendMode, CoverGrid, MAX_LEVEL, PixelGrid, RgbaImage, TILE_PX, Tile, TileIndex, blend_row,
    resize_rgba,
};

/// Where a color or a picture is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// All visible layers, laid over each other.
    AllLayers,
    /// One layer with its mask and its opacity, whether it is visible or not.
    Layer(LayerId),
}

/// The visible layers of a document laid over each other, within `rect`; what lies outside the
/// canvas is left away.
#[must_use]
pub fn flatten(document: &Document, rect: CanvasRect) -> RgbaImage {
    picture(&Stack::of(document), document.extent, rect)
}

/// One layer as it would be laid over nothing: with its mask and opacity, whether it is visible or
/// not, and without its blend mode. Nothing where there is no such layer.
#[must_use]
pub fn flatten_layer(document: &Document, layer: LayerId, rect: CanvasRect) -> Option<RgbaImage> {
    Some(picture(&Stack::of_layer(document.layer(layer)?), document.extent, rect))
}

/// [`flatten`] or [`flatten_layer`], as `source` says.
#[must_use]
pub fn flatten_source(document: &Document, source: Source, rect: CanvasRect) -> Option<RgbaImage> {
    match source {
        Source::AllLayers => Some(flatten(document, rect)),
        Source::Layer(layer) => flatten_layer(document, layer, rect),
    }
}

/// The color of one pixel; nothing outside the canvas or where there is no such layer.
#[must_use]
pub fn sample_color(document: &Document, x: i32, y: i32, source: Source) -> Option<[u8; 4]> {
    let rect = PixelRect::new(x, y, 1, 1).on_canvas(document.extent)?;
    Some(flatten_source(document, source, rect)?.pixel(0, 0))
}

/// What is selected, with alpha less where the selection is soft, and the column and row of its top
/// left corner; all of the canvas where nothing is selected. For the clipboard.
///
/// Nothing where there is no such layer or the selection lies outside the canvas.
#[must_use]
pub fn copy_selected(document: &Document, source: Source) -> Option<(RgbaImage, (u32, u32))> {
    let selection = &document.selection;
    if selection.is_empty() {
        return Some((flatten_source(document, source, document.extent.rect())?, (0, 0)));
    }
    let rect = selection.bounds(document.extent)?;
    let mut image = flatten_source(document, source, rect)?;
    let width = rect.width as usize;
    let cover = selection.cover.read(rect.into());
    for (row, cover) in
        image.pixels_mut().chunks_exact_mut(width.max(1)).zip(cover.chunks_exact(width.max(1)))
    {
        for (pixel, &cover) in row.iter_mut().zip(cover) {
            *pixel = faded(*pixel, cover);
        }
    }
    Some((image, (rect.x, rect.y)))
}

/// A small picture of the document, at most `side_px` wide and high and never larger than the
/// canvas. It is made of the tiles' smaller versions, so that it costs little for large canvases
/// once those are there.
#[must_use]
pub fn thumbnail(document: &Document, side_px: u32) -> RgbaImage {
    small_picture(&Stack::of(document), document.extent, side_px)
}

/// A small picture of one layer's pixels with its mask, whatever its opacity, as far as they lie on
/// the canvas; nothing where there is no such layer.
#[must_use]
pub fn layer_thumbnail(document: &Document, layer: LayerId, side_px: u32) -> Option<RgbaImage> {
    let mut stack = Stack::of_layer(document.layer(layer)?);
    for layer in &mut stack.layers {
        layer.opacity = 1.0;
    }
    Some(small_picture(&stack, document.extent, side_px))
}

/// A pixel of which the cover says how much is left.
pub(crate) fn faded(pixel: [u8; 4], cover: u8) -> [u8; 4] {
    let [r, g, b, alpha] = pixel;
    match cover {
        255 => pixel,
        _ => match scaled(alpha, cover) {
            0 => [0; 4],
            alpha => [r, g, b, alpha],
        },
    }
}

/// `value` times `cover`, where 255 is all of it.
pub(crate) const fn scaled(value: u8, cover: u8) -> u8 {
    ((value as u32 * cover as u32 + 127) / 255) as u8
}

/// Layers that are laid over each other, the lowest first.
pub(crate) struct Stack<'a> {
    layers: Vec<Sheet<'a>>,
}

/// What is needed of a layer to lay it over others.
struct Sheet<'a> {
    pixels: &'a PixelGrid,
    mask: Option<&'a CoverGrid>,
    opacity: f32,
    blend_mode: BlendMode,
    // Whether it replaces what lies below, hidden colors included.
    copied: bool,
}

/// What a layer contributes to one tile.
pub(crate) struct Piece<'a> {
    pixels: &'a Arc<Tile<[u8; 4]>>,
    mask: Option<&'a Arc<Tile<u8>>>,
    opacity: f32,
    blend_mode: BlendMode,
    copied: bool,
}

/// Whether they look the same for certain; pieces that differ may still look the same.
impl PartialEq for Piece<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.pixels.version() == other.pixels.version()
            && self.mask.map(|mask| mask.version()) == other.mask.map(|mask| mask.version())
            && self.opacity.to_bits() == other.opacity.to_bits()
            && self.blend_mode == other.blend_mode
            && self.copied == other.copied
    }
}

impl Piece<'_> {
    /// Whether an opaque pixel of it hides all that lies below.
    fn is_plain(&self) -> bool {
        self.mask.is_none() && self.opacity >= 1.0 && self.blend_mode == BlendMode::Normal
    }

    /// Some pixels of the tile's version of this level; the range lies within the tile.
    fn row(&self, level: u32, range: Range<usize>) -> &[[u8; 4]] {
        self.pixels.level(level).get(range).unwrap_or_default()
    }
}

impl<'a> Stack<'a> {
    /// The visible layers of a document.
    pub(crate) fn of(document: &'a Document) -> Self {
        let layers = document.layers.iter().enumerate().filter(|(_, layer)| is_shown(layer));
        Self { layers: layers.map(|(place, layer)| Sheet::of(layer, place == 0)).collect() }
    }

    /// One layer over nothing.
    pub(crate) fn of_layer(layer: &'a Layer) -> Self {
        let normal = Sheet { blend_mode: BlendMode::Normal, ..Sheet::of(layer, true) };
        Self { layers: vec![normal] }
    }

    /// Two layers, visible or not.
    pub(crate) fn of_two(lower: &'a Layer, upper: &'a Layer) -> Self {
        Self { layers: vec![Sheet::of(lower, true), Sheet::of(upper, false)] }
    }

    /// What the layers contribute to a tile, the lowest first.
    pub(crate) fn pieces(&self, at: TileIndex) -> Vec<Piece<'a>> {
        let piece = |sheet: &Sheet<'a>| {
            let pixels = sheet.pixels.tile(at)?;
            // Where a mask has no tile, nothing of the layer is shown.
            let mask = match sheet.mask {
                Some(mask) => Some(mask.tile(at)?),
                None => None,
            };
            Some(Piece {
                pixels,
                mask,
                opacity: sheet.opacity,
                blend_mode: sheet.blend_mode,
                copied: sheet.copied,
            })
        };
        self.layers.iter().filter_map(piece).collect()
    }

    /// The places of all tiles that contribute something, in order.
    pub(crate) fn tiles(&self) -> Vec<TileIndex> {
        let mut all: Vec<TileIndex> =
            self.layers.iter().flat_map(|sheet| sheet.pixels.tiles().map(|(at, _)| at)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The layers laid over each other within `rect`, which may reach out of the canvas, row by row.
    pub(crate) fn read(&self, rect: PixelRect) -> Vec<[u8; 4]> {
        let mut pixels = vec![[0; 4]; rect.extent().area()];
        lay_rect(self, 0, rect, &mut pixels);
        pixels
    }

    /// All layers as the pixels of one, beyond the canvas too. Tiles that come out as they are in a
    /// layer are shared with it.
    pub(crate) fn merged(&self) -> PixelGrid {
        let tiles: Vec<(TileIndex, Arc<Tile<[u8; 4]>>)> = self
            .tiles()
            .into_par_iter()
            .filter_map(|at| Some((at, merged_tile(&self.pieces(at))?)))
            .collect();
        let mut grid = PixelGrid::new();
        for (at, tile) in tiles {
            grid.set_tile(at, Some(tile));
        }
        grid
    }
}

impl<'a> Sheet<'a> {
    fn of(layer: &'a Layer, lowest: bool) -> Self {
        Self {
            pixels: &layer.pixels,
            mask: layer.mask.as_ref(),
            opacity: layer.opacity,
            blend_mode: layer.blend_mode,
            copied: lowest && layer.mask.is_none() && layer.opacity >= 1.0,
        }
    }
}

/// Whether anything of a layer can be seen.
pub(crate) fn is_shown(layer: &Layer) -> bool {
    layer.visible && layer.opacity > 0.0
}

fn merged_tile(pieces: &[Piece<'_>]) -> Option<Arc<Tile<[u8; 4]>>> {
    let top = pieces.last()?;
    let opaque = || top.pixels.pixels().iter().all(|pixel| pixel[3] == 255);
    if (pieces.len() == 1 && top.copied) || (top.is_plain() && opaque()) {
        return Some(Arc::clone(top.pixels));
    }
    let whole = PixelRect::new(0, 0, TILE_PX, TILE_PX);
    let mut tile = Tile::filled([0; 4]);
    let side = TILE_PX as usize;
    for (y, row) in tile.pixels_mut(whole).chunks_exact_mut(side).enumerate() {
        lay(pieces, 0, y * side, row);
    }
    let empty = tile.pixels().iter().all(|pixel| *pixel == [0; 4]);
    (!empty).then(|| Arc::new(tile))
}

/// Lays the pixels of `pieces` over each other, as many as `row` holds from `start` on, in the
/// tile's version of this level.
pub(crate) fn lay(pieces: &[Piece<'_>], level: u32, start: usize, row: &mut [[u8; 4]]) {
    let range = start..start + row.len();
    // What lies below an opaque row can't be seen.
    let hides = |piece: &Piece<'_>| {
        piece.is_plain() && piece.row(level, range.clone()).iter().all(|pixel| pixel[3] == 255)
    };
    let lowest = pieces.iter().rposition(hides);
    if lowest.is_none() {
        row.fill([0; 4]);
    }
    for (place, piece) in pieces.iter().enumerate().skip(lowest.unwrap_or(0)) {
        let source = piece.row(level, range.clone());
        if Some(place) == lowest || piece.copied {
            if source.len() == row.len() {
                row.copy_from_slice(source);
            }
            continue;
        }
        let mask = piece.mask.and_then(|mask| mask.level(level).get(range.clone()));
        blend_row(piece.blend_mode, piece.opacity, mask, row, source);
    }
}

fn picture(stack: &Stack<'_>, canvas: Extent, rect: CanvasRect) -> RgbaImage {
    let Some(rect) = rect.intersection(canvas.rect()) else {
        return RgbaImage::new(Extent::new(0, 0), [0; 4]);
    };
    let mut image = RgbaImage::new(rect.extent(), [0; 4]);
    lay_rect(stack, 0, rect.into(), image.pixels_mut());
    image
}

fn small_picture(stack: &Stack<'_>, canvas: Extent, side_px: u32) -> RgbaImage {
    let side = side_px.max(1);
    let (long, short) = (canvas.width.max(canvas.height), canvas.width.min(canvas.height));
    // The smallest version that is still at least as large as the result.
    let mut level = 0;
    while level < MAX_LEVEL && long >> (level + 1) >= side && short >> (level + 1) >= 1 {
        level += 1;
    }
    // A last pixel that reaches out of the canvas is left away: it would be half transparent.
    let extent = Extent::new(canvas.width >> level, canvas.height >> level);
    let mut image = RgbaImage::new(extent, [0; 4]);
    lay_rect(stack, level, extent.rect().into(), image.pixels_mut());
    if long <= side {
        return image;
    }
    resize_rgba(&image, canvas.fitted(side))
}

/// Lays layers over each other into the pixels of `rect`, which counts pixels of this level.
fn lay_rect(stack: &Stack<'_>, level: u32, rect: PixelRect, pixels: &mut [[u8; 4]]) {
    let side = (TILE_PX >> level) as i32;
    let width = rect.width as usize;
    if width == 0 {
        return;
    }
    // Bands of whole tile rows go to several cores.
    let mut bands = Vec::new();
    let (mut rest, mut top) = (pixels, rect.y);
    while top < rect.bottom() {
        let bottom = ((top.div_euclid(side) + 1) * side).min(rect.bottom());
        let Some((band, below)) = rest.split_at_mut_checked(top.abs_diff(bottom) as usize * width)
        else {
            break;
        };
        bands.push((top, band));
        (rest, top) = (below, bottom);
    }
    let columns = rect.x.div_euclid(side)..=(rect.right() - 1).div_euclid(side);
    bands.into_par_iter().for_each(|(top, band)| {
        for column in columns.clone() {
            let pieces = stack.pieces(TileIndex { row: top.div_euclid(side), column });
            if pieces.is_empty() {
                continue;
            }
            let left = rect.x.max(column * side);
            let right = rect.right().min((column + 1) * side);
            let in_band = left.abs_diff(rect.x) as usize..right.abs_diff(rect.x) as usize;
            for (y, line) in (top..).zip(band.chunks_exact_mut(width)) {
                let start = y.rem_euclid(side) * side + left.rem_euclid(side);
                if let Some(row) = line.get_mut(in_band.clone()) {
                    lay(&pieces, level, start as usize, row);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::testing::Rng;
    use crate::document::{Edit, Place, Selection};
    use crate::raster::{Mask, outside_mask_delta};

    /// The visible layers, pixel by pixel and layer by layer.
    fn flattened_slowly(document: &Document) -> RgbaImage {
        let mut image = RgbaImage::new(document.extent, [0; 4]);
        let width = document.extent.width as usize;
        for (i, pixel) in image.pixels_mut().iter_mut().enumerate() {
            let (x, y) = ((i % width) as i32, (i / width) as i32);
            for (place, layer) in document.layers.iter().enumerate() {
                let cover = layer.mask.as_ref().map_or(255, |mask| mask.pixel(x, y));
                let source = layer.pixels.pixel(x, y);
                if !layer.visible {
                    continue;
                }
                if place == 0 && layer.mask.is_none() && layer.opacity >= 1.0 {
                    *pixel = source;
                    continue;
                }
                let pixel = std::slice::from_mut(pixel);
                blend_row(layer.blend_mode, layer.opacity, Some(&[cover]), pixel, &[source]);
            }
        }
        image
    }

    #[test]
    fn tiles_and_rows_give_what_pixels_one_by_one_give() {
        let mut rng = Rng(1);
        for round in 0..60 {
            let document = rng.document();
            let whole = flatten(&document, document.extent.rect());
            assert_eq!(whole, flattened_slowly(&document), "round {round}");
            let rect = rng.rect(document.extent).on_canvas(document.extent);
            if let Some(rect) = rect {
                assert_eq!(flatten(&document, rect), whole.crop(rect), "round {round}");
                let (x, y) = (rect.x as i32, rect.y as i32);
                let color = sample_color(&document, x, y, Source::AllLayers);
                assert_eq!(color, Some(whole.pixel(rect.x, rect.y)));
            }
        }
    }

    #[test]
    fn a_picture_that_was_opened_comes_out_byte_for_byte() {
        let mut rng = Rng(2);
        let extent = Extent::new(300, 270);
        let mut image = RgbaImage::new(extent, [0; 4]);
        for pixel in image.pixels_mut() {
            *pixel = rng.color();
        }
        let mut document = Document::new(extent, "Photo");
        document.layers[0].pixels.write(extent.rect().into(), image.pixels());
        assert_eq!(flatten(&document, extent.rect()), image);
        Edit::AddLayer { name: String::new() }.apply(&mut document).unwrap();
        assert_eq!(flatten(&document, extent.rect()), image);
        let beyond = CanvasRect::new(290, 0, 100, 9);
        assert_eq!(flatten(&document, beyond).extent(), Extent::new(10, 9));
        assert_eq!(sample_color(&document, 300, 0, Source::AllLayers), None);
        assert_eq!(sample_color(&document, 0, 0, Source::Layer(LayerId(77))), None);
    }

    #[test]
    fn a_layer_that_is_transparent_outside_a_mask_changes_no_byte_there() {
        let mut rng = Rng(3);
        let mut changed_inside = 0;
        for round in 0..120 {
            let before = rng.document();
            let canvas = before.extent;
            let cover = rng.cover(canvas);
            let mask = Selection { cover: cover.clone() }.mask(canvas);
            // Any color, alpha 0 outside the mask.
            let mut image = RgbaImage::new(canvas, [0; 4]);
            for (pixel, &cover) in image.pixels_mut().iter_mut().zip(mask.as_raw()) {
                let [r, g, b, alpha] = rng.color();
                *pixel = [r, g, b, if cover == 0 { 0 } else { alpha }];
            }
            let mut after = before.clone();
            let place = Place {
                image: Arc::new(image),
                at: (0, 0),
                name: "Result".to_owned(),
                mask: (round % 2 == 0).then_some(cover),
                record: None,
                shown: None,
            };
            Edit::Place(place).apply(&mut after).unwrap();
            let active = after.active;
            let layer = after.layer_mut(active).unwrap();
            layer.blend_mode = BlendMode::ALL[round % BlendMode::ALL.len()];
            layer.opacity = rng.opacity();
            let (a, b) = (flatten(&before, canvas.rect()), flatten(&after, canvas.rect()));
            assert_eq!(outside_mask_delta(&a, &b, &mask), 0, "round {round}");
            changed_inside += usize::from(a != b);
        }
        assert!(changed_inside > 40, "the layers are seen at all: {changed_inside}");
    }

    #[test]
    fn one_layer_is_shown_with_mask_and_opacity_even_when_hidden() {
        let mut document = Document::new(Extent::new(4, 1), "Paint");
        let mut layer = Layer::new(LayerId(2), "Top");
        layer.pixels.fill(PixelRect::new(0, 0, 4, 1), [200, 100, 0, 255]);
        let mut mask = CoverGrid::new();
        mask.fill(PixelRect::new(0, 0, 2, 1), 255);
        layer.mask = Some(mask);
        layer.opacity = 0.5;
        layer.visible = false;
        layer.blend_mode = BlendMode::Multiply;
        document.layers.push(layer);
        let one = flatten_layer(&document, LayerId(2), document.extent.rect()).unwrap();
        assert_eq!(one.pixels(), [[200, 100, 0, 128], [200, 100, 0, 128], [0; 4], [0; 4]]);
        assert!(flatten(&document, document.extent.rect()).pixels().iter().all(|p| *p == [0; 4]));
        assert!(flatten_layer(&document, LayerId(9), document.extent.rect()).is_none());
    }

    #[test]
    fn a_copy_fades_with_the_selection() {
        let mut document = Document::new(Extent::new(9, 9), "Paint");
        document.layers[0].pixels.fill(PixelRect::new(0, 0, 9, 9), [1, 2, 3, 200]);
        let (all, at) = copy_selected(&document, Source::AllLayers).unwrap();
        assert_eq!((all.extent(), at), (document.extent, (0, 0)));
        document.selection.cover.fill(PixelRect::new(3, 4, 2, 1), 255);
        document.selection.cover.fill(PixelRect::new(4, 4, 1, 1), 51);
        let (part, at) = copy_selected(&document, Source::Layer(LayerId(1))).unwrap();
        assert_eq!(part.pixels(), [[1, 2, 3, 200], [1, 2, 3, 40]]);
        assert_eq!(at, (3, 4));
    }

    #[test]
    fn thumbnails_have_the_pictures_shape_and_colors() {
        let check = |canvas: Extent, side: u32, expected: Extent| {
            let mut document = Document::new(canvas, "Paint");
            document.layers[0].pixels.fill(canvas.rect().into(), [10, 200, 30, 255]);
            let small = thumbnail(&document, side);
            assert_eq!(small.extent(), expected, "{canvas}");
            assert!(small.pixels().iter().all(|pixel| *pixel == [10, 200, 30, 255]), "{canvas}");
            let layer = layer_thumbnail(&document, LayerId(1), side).unwrap();
            assert_eq!(layer, small);
        };
        check(Extent::new(1000, 500), 128, Extent::new(128, 64));
        check(Extent::new(300, 900), 100, Extent::new(33, 100));
        check(Extent::new(40, 30), 128, Extent::new(40, 30));
        check(Extent::new(5000, 3), 64, Extent::new(64, 1));
        check(Extent::new(1, 1), 64, Extent::new(1, 1));
        assert_eq!(layer_thumbnail(&Document::new(Extent::new(9, 9), ""), LayerId(5), 9), None);
    }

    #[test]
    fn a_thumbnail_of_layers_looks_like_the_flattened_picture_made_small() {
        let canvas = Extent::new(512, 256);
        let mut document = Document::new(canvas, "Paint");
        document.layers[0].pixels.fill(canvas.rect().into(), [200, 200, 200, 255]);
        let mut top = Layer::new(LayerId(2), "Top");
        top.pixels.fill(PixelRect::new(0, 0, 256, 256), [100, 0, 255, 255]);
        top.blend_mode = BlendMode::Multiply;
        let mut mask = Mask::new(canvas);
        mask.fill(CanvasRect::new(0, 0, 128, 256), 255);
        top.mask = Some(Selection::from_mask(&mask).cover);
        document.layers.push(top);
        let small = thumbnail(&document, 64);
        let expected = resize_rgba(&flatten(&document, canvas.rect()), Extent::new(64, 32));
        for (a, b) in small.pixels().iter().zip(expected.pixels()) {
            let close = a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 20);
            assert!(close, "{a:?} {b:?}");
        }
        assert_eq!(small.pixel(2, 2), [78, 0, 200, 255]);
        assert_eq!(small.pixel(60, 20), [200, 200, 200, 255]);
    }
}
