//! What is drawn, against pixels worked out on the processor.

use std::sync::Arc;

use crate::document::{Document, LayerId};
use crate::geom::{CanvasPoint, Extent, PixelRect, ViewTransform};
use crate::gpu::{
    Comparison, ComparisonView, Frame, Headless, OverlayClip, OverlayImage, Stats, Viewport, Work,
};
use crate::raster::{BlendMode, CoverGrid, PixelGrid, RgbaImage, TILE_PX, blend_row};

fn gpu() -> Headless {
    Headless::open().unwrap_or_else(|error| {
        panic!("these tests draw, so they need a driver, at least a software one: {error}")
    })
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 56) as u8
    }

    /// A pixel; corners of the range come often.
    fn pixel(&mut self) -> [u8; 4] {
        [(); 4].map(|()| match self.byte() % 8 {
            0 => 0,
            1 => 255,
            _ => self.byte(),
        })
    }
}

fn noise(extent: Extent, seed: u64) -> PixelGrid {
    let mut random = Random(seed);
    let pixels: Vec<[u8; 4]> = (0..extent.area()).map(|_| random.pixel()).collect();
    let mut grid = PixelGrid::new();
    grid.write(extent.rect().into(), &pixels);
    grid
}

fn noise_cover(extent: Extent, seed: u64) -> CoverGrid {
    let mut random = Random(seed);
    let cover: Vec<u8> = (0..extent.area()).map(|_| random.pixel()[0]).collect();
    let mut grid = CoverGrid::new();
    grid.write(extent.rect().into(), &cover);
    grid
}

/// A document of so many layers of noise.
fn noisy(extent: Extent, layers: u64) -> Document {
    let mut document = Document::new(extent, "1");
    for number in 1..=layers {
        if number > 1 {
            document.layers.push(crate::document::Layer::new(LayerId(number), "n"));
        }
        document.layer_mut(LayerId(number)).unwrap().pixels = noise(extent, number);
    }
    document
}

/// A frame that shows a canvas from its corner, `zoom` screen pixels a pixel.
fn frame(document: &Document, zoom: f32, width: u32, height: u32) -> Frame {
    let focus = CanvasPoint::new(width as f32 / 2.0 / zoom, height as f32 / 2.0 / zoom);
    let transform = ViewTransform { focus, zoom, ..ViewTransform::default() };
    Frame::new(document.clone(), transform, Viewport::of_pixels(width, height))
}

fn render(gpu: &mut Headless, frame: &Frame) -> (RgbaImage, Stats) {
    gpu.render_to_image(frame).unwrap()
}

/// The document's pixels as the processor mixes them.
fn flat(document: &Document) -> Vec<[u8; 4]> {
    let rect = PixelRect::from(document.extent.rect());
    let mut below = vec![[0; 4]; rect.extent().area()];
    for layer in document.layers.iter().filter(|layer| layer.visible) {
        let mask = layer.mask.as_ref().map(|mask| mask.read(rect));
        let (mode, opacity) = (layer.blend_mode, layer.opacity);
        blend_row(mode, opacity, mask.as_deref(), &mut below, &layer.pixels.read(rect));
    }
    below
}

/// Pixels over the checkerboard of `frame`, whose zoom is 1.
fn over_checkerboard(frame: &Frame, pixels: &[[u8; 4]]) -> Vec<[u8; 4]> {
    let board = frame.checkerboard;
    let width = frame.document.extent.width as usize;
    let over = |(i, &[r, g, b, a]): (usize, &[u8; 4])| {
        let square = (i % width / board.side as usize) + (i / width / board.side as usize);
        let below = if square % 2 == 1 { board.dark } else { board.light };
        let mix = |c: u8, below: u8| {
            let alpha = f32::from(a) / 255.0;
            (f32::from(c) * alpha + f32::from(below) * (1.0 - alpha)).round() as u8
        };
        [mix(r, below[0]), mix(g, below[1]), mix(b, below[2]), 255]
    };
    pixels.iter().enumerate().map(over).collect()
}

/// The largest difference of a channel.
fn apart(a: &[[u8; 4]], b: &[[u8; 4]]) -> u8 {
    assert_eq!(a.len(), b.len());
    let pairs = a.as_flattened().iter().zip(b.as_flattened());
    pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

#[test]
fn every_blend_mode_is_the_processors() {
    let extent = Extent::new(64, 64);
    let mut gpu = gpu();
    let mut document = noisy(extent, 2);
    document.layers[1].opacity = 0.8;
    let mut opaque = document.clone();
    opaque.layers[0].pixels.update(extent.rect().into(), |_, _, row| {
        for pixel in row {
            pixel[3] = 255;
        }
    });
    for mode in BlendMode::ALL {
        opaque.layers[1].blend_mode = mode;
        let shown = frame(&opaque, 1.0, 64, 64);
        let error = apart(render(&mut gpu, &shown).0.pixels(), &flat(&opaque));
        // Colors and alpha of a picture that something shines through: over black and over white.
        document.layers[1].blend_mode = mode;
        let see_through = [0, 255].map(|below| {
            let mut frame = frame(&document, 1.0, 64, 64);
            (frame.checkerboard.light, frame.checkerboard.dark) = ([below; 3], [below; 3]);
            let expected = exactly_over(&document, f32::from(below) / 255.0);
            apart(render(&mut gpu, &frame).0.pixels(), &expected)
        });
        println!("{mode:?}: at most {error}/255, transparent {see_through:?}/255");
        assert!(error <= 1 && see_through <= [1, 1], "{mode:?}: {error}, {see_through:?}");
    }
}

/// The document over a gray, rounded once: bytes between the layers would be rounded too.
fn exactly_over(document: &Document, gray: f32) -> Vec<[u8; 4]> {
    let rect = PixelRect::from(document.extent.rect());
    let mut below = vec![[0.0; 4]; rect.extent().area()];
    for layer in &document.layers {
        for (below, pixel) in below.iter_mut().zip(layer.pixels.read(rect)) {
            let mut above = pixel.map(|byte| f32::from(byte) / 255.0);
            above[3] *= layer.opacity;
            *below = layer.blend_mode.blend(*below, above);
        }
    }
    let over = |[r, g, b, a]: [f32; 4]| {
        let [r, g, b] = [r, g, b].map(|c| ((c * a + gray * (1.0 - a)) * 255.0).round() as u8);
        [r, g, b, 255]
    };
    below.into_iter().map(over).collect()
}

#[test]
fn masks_opacity_and_hidden_layers_count() {
    let extent = Extent::new(300, 280);
    let mut gpu = gpu();
    let mut document = noisy(extent, 4);
    document.layers[1].mask = Some(noise_cover(extent, 9));
    document.layers[1].opacity = 0.7;
    document.layers[2].visible = false;
    // Shows nothing in three of its four tiles.
    let mut small = CoverGrid::new();
    small.fill(PixelRect::new(10, 10, 50, 50), 200);
    document.layers[3].mask = Some(small);
    let frame = frame(&document, 1.0, 300, 280);
    let (image, _) = render(&mut gpu, &frame);
    let expected = over_checkerboard(&frame, &flat(&document));
    // Each of the three layers is rounded on the processor, and the sum once more.
    let error = apart(image.pixels(), &expected);
    assert!(error <= 2, "{error}");
}

#[test]
fn a_smaller_view_shows_the_tiles_smaller_versions() {
    let extent = Extent::new(1024, 768);
    let mut gpu = gpu();
    let document = noisy(extent, 1);
    for level in [1, 2, 3] {
        let (width, height) = (extent.width >> level, extent.height >> level);
        let zoom = 1.0 / f32::from(1_u8 << level);
        let mut frame = frame(&document, zoom, width, height);
        frame.checkerboard.light = [0; 3];
        frame.checkerboard.dark = [0; 3];
        let (image, _) = render(&mut gpu, &frame);
        let side = TILE_PX >> level;
        for y in 0..height {
            for x in 0..width {
                let at =
                    crate::raster::TileIndex { row: (y / side) as i32, column: (x / side) as i32 };
                let texels = document.layers[0].pixels.tile(at).unwrap().level(level);
                let [r, g, b, a] = texels[((y % side) * side + x % side) as usize];
                let seen = [r, g, b].map(|c| (f32::from(c) * f32::from(a) / 255.0).round() as u8);
                let [r, g, b, _] = image.pixel(x, y);
                let error = apart(&[[r, g, b, 0]], &[[seen[0], seen[1], seen[2], 0]]);
                assert!(error <= 1, "{x} {y} at level {level}: {error}");
            }
        }
    }
}

#[test]
fn a_dab_uploads_and_composites_its_own_pixels() {
    let extent = Extent::new(1024, 1024);
    let mut gpu = gpu();
    let mut document = noisy(extent, 2);
    for (zoom, size) in [(1.0, 1024), (0.5, 512), (0.25, 256)] {
        let before = frame(&document, zoom, size, size);
        render(&mut gpu, &before);
        let (_, again) = render(&mut gpu, &before);
        assert_eq!((again.uploaded_bytes, again.composited_blocks), (0, 0));
        // Over the corner of four tiles.
        let dab = PixelRect::new(240, 250, 33, 17);
        document.layers[1].pixels.fill(dab, [size as u8, 99, 12, 180]);
        let after = frame(&document, zoom, size, size);
        let (image, stats) = render(&mut gpu, &after);
        let scale = (1.0 / zoom) as u64;
        // A part may touch one texel more at each side, in each of two rows and columns of tiles.
        let texels = (33 / scale + 4) * (17 / scale + 4);
        assert!(stats.uploaded_bytes > 0 && stats.uploaded_bytes <= texels * 4, "{stats:?}");
        assert!(stats.composited_texels <= texels, "{stats:?}");
        let (fresh, all) = render(&mut self::gpu(), &after);
        assert!(all.uploaded_bytes > 100 * stats.uploaded_bytes);
        assert_eq!(apart(image.pixels(), fresh.pixels()), 0, "at zoom {zoom}");
    }
}

#[test]
fn undo_and_another_document_show_their_own_pixels() {
    let extent = Extent::new(512, 256);
    let mut gpu = gpu();
    let first = noisy(extent, 2);
    let mut second = first.clone();
    second.layers[0].pixels.fill(PixelRect::new(5, 5, 400, 9), [1, 2, 3, 255]);
    second.layers[1].pixels.clear(PixelRect::new(0, 0, 256, 256));
    let other = noisy(Extent::new(300, 300), 3);
    for document in [&first, &second, &first, &other, &second] {
        let frame = frame(document, 1.0, document.extent.width, document.extent.height);
        let (image, _) = render(&mut gpu, &frame);
        let expected = over_checkerboard(&frame, &flat(document));
        assert!(apart(image.pixels(), &expected) <= 2);
    }
}

#[test]
fn more_blocks_than_the_device_holds_come_one_after_the_other() {
    let extent = Extent::new(1024, 1024);
    let mut document = noisy(extent, 3);
    // No layer hides another.
    document.layers.iter_mut().for_each(|layer| layer.opacity = 0.5);
    let mut gpu = gpu();
    gpu.limit_blocks(5);
    let frame = frame(&document, 1.0, 1024, 1024);
    let mut rounds = 0;
    let image = loop {
        let (image, stats) = render(&mut gpu, &frame);
        rounds += 1;
        assert!(rounds < 40, "{stats:?}");
        if stats.pending_blocks == 0 {
            break image;
        }
    };
    assert!(rounds > 1);
    let expected = over_checkerboard(&frame, &flat(&document));
    assert!(apart(image.pixels(), &expected) <= 2);
}

#[test]
fn work_in_slices_comes_to_the_same_picture() {
    let extent = Extent::new(2048, 2048);
    let mut document = Document::new(extent, "a");
    document.layers[0].pixels.fill(extent.rect().into(), [10, 20, 30, 255]);
    document.layers[0].pixels.write(PixelRect::new(0, 0, 300, 300), &vec![[200, 9, 1, 90]; 90000]);
    let mut gpu = gpu();
    let whole = frame(&document, 0.25, 512, 512);
    let mut sliced = whole.clone();
    sliced.work = Work::Sliced(std::time::Duration::ZERO);
    let (_, first) = render(&mut gpu, &sliced);
    assert!(first.pending_blocks > 0, "level 2 is put together by another thread: {first:?}");
    let mut rounds = 0_u64;
    let image = loop {
        let (image, stats) = render(&mut gpu, &sliced);
        rounds += 1;
        assert!(rounds < 1_000_000, "{stats:?}");
        if stats.pending_blocks == 0 {
            break image;
        }
        std::thread::yield_now();
    };
    let (expected, _) = render(&mut self::gpu(), &whole);
    assert_eq!(apart(image.pixels(), expected.pixels()), 0);
}

/// Squares of eight pixels, no two alike.
fn squares(extent: Extent) -> Document {
    let mut document = Document::new(extent, "a");
    document.layers[0].pixels.update(extent.rect().into(), |x, y, row| {
        for (pixel, x) in row.iter_mut().zip(x..) {
            *pixel = [(x / 8 * 8) as u8, (y / 8 * 8) as u8, 77, 255];
        }
    });
    document
}

#[test]
fn pixels_are_drawn_where_the_view_transform_says() {
    let extent = Extent::new(250, 200);
    let document = squares(extent);
    let mut gpu = gpu();
    for (zoom, rotation, mirrored) in [
        (1.0, 0.0, false),
        (2.0, 0.0, true),
        (3.3, 0.0, false),
        (2.0, std::f32::consts::FRAC_PI_2, false),
        (1.5, 0.6, false),
        (2.2, -2.1, true),
    ] {
        let transform =
            ViewTransform { focus: CanvasPoint::new(121.0, 93.0), zoom, rotation, mirrored };
        let viewport = Viewport::of_pixels(301, 222);
        let mut frame = Frame::new(document.clone(), transform, viewport);
        frame.surround = Some([1, 2, 3]);
        let (image, _) = render(&mut gpu, &frame);
        let mut inside = 0;
        for (column, row) in (0..25).flat_map(|row| (0..31).map(move |column| (column, row))) {
            // The middle of a square is far from its neighbors.
            let middle = CanvasPoint::new(column as f32 * 8.0 + 4.0, row as f32 * 8.0 + 4.0);
            let seen = transform.screen_from_canvas(middle, viewport.center());
            if seen.x < 1.0 || seen.y < 1.0 || seen.x > 299.0 || seen.y > 220.0 {
                continue;
            }
            let expected = [column as u8 * 8, row as u8 * 8, 77, 255];
            let pixel = image.pixel(seen.x as u32, seen.y as u32);
            assert_eq!(pixel, expected, "{middle:?} at {seen:?}, {transform:?}");
            inside += 1;
        }
        assert!(inside > 50, "{inside}");
        let outside =
            transform.screen_from_canvas(CanvasPoint::new(-9.0, 100.0), viewport.center());
        if (1.0..300.0).contains(&outside.x) && (1.0..221.0).contains(&outside.y) {
            assert_eq!(image.pixel(outside.x as u32, outside.y as u32), [1, 2, 3, 255]);
        }
    }
}

#[test]
fn panning_composites_only_what_comes_into_view() {
    let extent = Extent::new(4096, 4096);
    let mut document = Document::new(extent, "a");
    document.layers[0].pixels.fill(extent.rect().into(), [10, 20, 30, 255]);
    document.layers[0].pixels.update(PixelRect::new(900, 900, 900, 900), |x, y, row| {
        for (pixel, x) in row.iter_mut().zip(x..) {
            *pixel = [x as u8, y as u8, 0, 255];
        }
    });
    let mut gpu = gpu();
    let mut frame = frame(&document, 1.0, 700, 500);
    frame.transform.focus = CanvasPoint::new(1100.0, 1100.0);
    render(&mut gpu, &frame);
    frame.transform.focus.x += 256.0;
    frame.transform.focus.y += 20.0;
    let (image, stats) = render(&mut gpu, &frame);
    assert!(stats.composited_blocks <= 4, "{stats:?}");
    let (fresh, _) = render(&mut self::gpu(), &frame);
    assert_eq!(apart(image.pixels(), fresh.pixels()), 0);
    // Round the ring and back.
    for x in [400.0, 2500.0, 3600.0, 1356.0] {
        frame.transform.focus.x = x;
        render(&mut gpu, &frame);
    }
    assert_eq!(apart(render(&mut gpu, &frame).0.pixels(), fresh.pixels()), 0);
}

#[test]
fn far_from_the_origin_pixels_are_as_crisp() {
    let extent = Extent::new(16384, 16384);
    let mut document = Document::new(extent, "a");
    document.layers[0].pixels.update(PixelRect::new(16300, 16300, 84, 84), |x, y, row| {
        for (pixel, x) in row.iter_mut().zip(x..) {
            *pixel = [x as u8, y as u8, 5, 255];
        }
    });
    let mut gpu = gpu();
    let mut frame = frame(&document, 64.0, 640, 640);
    frame.transform.focus = CanvasPoint::new(16345.0, 16345.0);
    let (image, _) = render(&mut gpu, &frame);
    for (x, y) in [(0, 0), (63, 63), (64, 63), (639, 0), (320, 319), (127, 128)] {
        let canvas = [16340 + x / 64, 16340 + y / 64];
        assert_eq!(image.pixel(x, y), [canvas[0] as u8, canvas[1] as u8, 5, 255], "{x} {y}");
    }
}

fn gray(extent: Extent, value: u8) -> Document {
    let mut document = Document::new(extent, "a");
    document.layers[0].pixels.fill(extent.rect().into(), [value, value, value, 255]);
    document
}

#[test]
fn comparisons_show_both_sides_and_where_they_differ() {
    let extent = Extent::new(400, 100);
    let left = gray(extent, 100);
    let mut right = left.clone();
    right.layers[0].pixels.fill(PixelRect::new(0, 0, 100, 100), [104, 100, 100, 255]);
    right.layers[0].pixels.fill(PixelRect::new(100, 0, 100, 100), [255, 0, 100, 255]);
    right.layers[0].pixels.fill(PixelRect::new(300, 0, 100, 100), [9, 9, 9, 255]);
    let mut gpu = gpu();
    let mut frame = frame(&left, 1.0, 400, 100);
    let compare = |view| Some(Comparison { other: right.clone(), view });

    frame.comparison = compare(ComparisonView::Split(0.8));
    let (split, _) = render(&mut gpu, &frame);
    assert_eq!(split.pixel(319, 50), [100, 100, 100, 255]);
    assert_eq!(split.pixel(320, 50), [9, 9, 9, 255]);
    assert_eq!(split.pixel(50, 50), [100, 100, 100, 255]);

    frame.comparison = compare(ComparisonView::HeatMap);
    let (heat, _) = render(&mut gpu, &frame);
    let luma = |x| {
        let [r, g, b, _] = heat.pixel(x, 50).map(u32::from);
        299 * r + 587 * g + 114 * b
    };
    let [r, g, b, _] = heat.pixel(250, 50);
    assert!(r == g && g == b, "what is equal is gray: {r} {g} {b}");
    let [r, g, b, _] = heat.pixel(50, 50);
    assert!(r > g && b > g, "what differs has a color: {r} {g} {b}");
    assert!(luma(50) < luma(350) && luma(350) < luma(150), "more is lighter");

    frame.comparison = compare(ComparisonView::Halves);
    // Both halves show the same place in their middle.
    frame.transform.focus = CanvasPoint::new(150.0, 50.0);
    let (halves, _) = render(&mut gpu, &frame);
    assert_eq!(halves.pixel(100, 50), [100, 100, 100, 255]);
    assert_eq!(halves.pixel(300, 50), [255, 0, 100, 255]);
    assert_eq!(halves.pixel(245, 50), [104, 100, 100, 255]);

    // The same size and other sizes, and back to one document.
    let small = gray(Extent::new(200, 300), 30);
    frame.transform.focus = CanvasPoint::new(200.0, 50.0);
    frame.comparison = Some(Comparison { other: small, view: ComparisonView::HeatMap });
    let (heat, _) = render(&mut gpu, &frame);
    assert_eq!(heat.pixel(300, 50), [100, 100, 100, 255]);
    assert_ne!(heat.pixel(100, 50), [100, 100, 100, 255]);
    frame.comparison = None;
    assert_eq!(render(&mut gpu, &frame).0.pixel(100, 50), [100, 100, 100, 255]);
}

#[test]
fn the_selection_is_seen_as_a_color_and_as_dashes() {
    let extent = Extent::new(512, 256);
    let mut document = gray(extent, 100);
    document.selection.cover.fill(PixelRect::new(100, 100, 156, 60), 255);
    document.selection.cover.fill(PixelRect::new(300, 10, 10, 10), 128);
    let mut gpu = gpu();
    let mut frame = frame(&document, 1.0, 512, 256);
    frame.selection.color = Some([255, 0, 0, 128]);
    let (image, _) = render(&mut gpu, &frame);
    let near = |pixel: [u8; 4], expected: [u8; 4]| {
        assert!(apart(&[pixel], &[expected]) <= 1, "{pixel:?} {expected:?}");
    };
    near(image.pixel(99, 120), [100, 100, 100, 255]);
    near(image.pixel(100, 120), [178, 50, 50, 255]);
    near(image.pixel(305, 15), [139, 75, 75, 255]);
    near(image.pixel(256, 120), [100, 100, 100, 255]);

    frame.selection.color = None;
    frame.selection.ants = Some(0.0);
    frame.selection.dim_outside = 0.5;
    let (image, _) = render(&mut gpu, &frame);
    near(image.pixel(20, 20), [50, 50, 50, 255]);
    near(image.pixel(180, 130), [100, 100, 100, 255]);
    let edge: Vec<[u8; 4]> = (104..200).map(|x| image.pixel(x, 100)).collect();
    let (black, white) = ([0, 0, 0, 255], [255, 255, 255, 255]);
    assert!(edge.iter().all(|pixel| *pixel == black || *pixel == white), "{edge:?}");
    assert!(edge.iter().filter(|pixel| **pixel == white).count() == edge.len() / 2);
    // The right edge ends with its block.
    let right: Vec<[u8; 4]> = (104..150).map(|y| image.pixel(255, y)).collect();
    assert!(right.contains(&black) && right.contains(&white) && right.iter().all(|p| p[0] != 100));
    near(image.pixel(254, 130), [100, 100, 100, 255]);

    // Painting on the selection uploads little.
    frame.document.selection.cover.fill(PixelRect::new(150, 120, 8, 8), 0);
    let (image, stats) = render(&mut gpu, &frame);
    assert_eq!((stats.uploaded_bytes, stats.composited_blocks), (64, 0));
    near(image.pixel(153, 123), [50, 50, 50, 255]);

    // What is no longer selected leaves nothing.
    frame.document.selection.cover.clear(PixelRect::new(0, 0, 256, 256));
    let (image, _) = render(&mut gpu, &frame);
    near(image.pixel(180, 130), [50, 50, 50, 255]);
}

#[test]
fn the_outline_is_one_pixel_wide_wherever_the_selection_ends() {
    let extent = Extent::new(700, 600);
    let mut document = gray(extent, 100);
    let selected = |x: i32, y: i32| {
        let inside = (x - 300).pow(2) + (y - 260).pow(2) < 240 * 240;
        // Up to the canvas' edge, and a hole that ends with a block.
        (inside || y >= 560) && !(200..256).contains(&x) && extent.rect().right() as i32 > x
    };
    let cover = |document: &mut Document, rect: PixelRect, flip: bool| {
        document.selection.cover.update(rect, |x, y, row| {
            for (pixel, x) in row.iter_mut().zip(x..) {
                *pixel = if selected(x, y) == flip { 0 } else { 255 };
            }
        });
    };
    cover(&mut document, extent.rect().into(), false);
    let mut gpu = gpu();
    let mut frame = frame(&document, 1.0, 700, 600);
    frame.selection.ants = Some(0.0);
    let spot = PixelRect::new(250, 500, 70, 30);
    for painted in [false, true] {
        if painted {
            cover(&mut frame.document, spot, true);
        }
        let (image, _) = render(&mut gpu, &frame);
        let covered = |x: i32, y: i32| frame.document.selection.cover.pixel(x, y) == 255;
        for (x, y) in (0..600).flat_map(|y| (0..700).map(move |x| (x, y))) {
            let around = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
            let on_canvas = |(x, y): (i32, i32)| {
                (0..700).contains(&x) && (0..600).contains(&y) && covered(x, y)
            };
            let edge = covered(x, y) && !around.into_iter().all(on_canvas);
            let pixel = image.pixel(x as u32, y as u32);
            assert_eq!(edge, pixel[0] != 100, "{x} {y}: {pixel:?}, painted: {painted}");
        }
    }
}

#[test]
fn a_heat_map_follows_other_views_of_one_side() {
    let extent = Extent::new(2048, 2048);
    let document = gray(extent, 100);
    let mut gpu = gpu();
    render(&mut gpu, &frame(&document, 0.6, 800, 600));
    let mut frame = frame(&document, 1.0, 800, 600);
    frame.comparison = Some(Comparison { other: gray(extent, 200), view: ComparisonView::HeatMap });
    let (image, _) = render(&mut gpu, &frame);
    for (x, y) in [(10, 10), (400, 300), (790, 590)] {
        let [r, g, b, _] = image.pixel(x, y);
        assert!(r > g && r > b, "{r} {g} {b}");
    }
}

#[test]
fn an_overlay_lies_on_its_rectangle_within_the_selection() {
    let extent = Extent::new(256, 256);
    let mut document = gray(extent, 100);
    document.selection.cover.fill(PixelRect::new(64, 0, 192, 256), 255);
    let mut gpu = gpu();
    let mut frame = frame(&document, 1.0, 256, 256);
    let image = Arc::new(RgbaImage::new(Extent::new(4, 4), [0, 200, 0, 255]));
    frame.overlays = vec![OverlayImage {
        image,
        rect: PixelRect::new(32, 64, 64, 300),
        clip: OverlayClip::Canvas,
    }];
    let (on_canvas, stats) = render(&mut gpu, &frame);
    assert_eq!(on_canvas.pixel(31, 100), [100, 100, 100, 255]);
    assert_eq!(on_canvas.pixel(32, 64), [0, 200, 0, 255]);
    assert_eq!(on_canvas.pixel(95, 255), [0, 200, 0, 255]);
    assert_eq!(on_canvas.pixel(96, 255), [100, 100, 100, 255]);
    assert!(stats.uploaded_bytes >= 64);
    frame.overlays[0].clip = OverlayClip::Selection;
    let (clipped, stats) = render(&mut gpu, &frame);
    assert_eq!(clipped.pixel(63, 100), [100, 100, 100, 255]);
    assert_eq!(clipped.pixel(64, 100), [0, 200, 0, 255]);
    assert_eq!(stats.uploaded_bytes, u64::from(TILE_PX * TILE_PX), "the selection alone");
}

#[test]
fn lines_between_pixels_are_one_screen_pixel_wide() {
    let document = gray(Extent::new(64, 64), 100);
    let mut gpu = gpu();
    let mut frame = frame(&document, 16.0, 320, 320);
    frame.pixel_grid_from = Some(8.0);
    let (image, _) = render(&mut gpu, &frame);
    for at in 0..64 {
        let line = image.pixel(at, 8) != [100, 100, 100, 255];
        assert_eq!(line, at % 16 == 0, "{at}");
    }
    frame = self::frame(&document, 4.0, 256, 256);
    frame.pixel_grid_from = Some(8.0);
    let (image, _) = render(&mut gpu, &frame);
    assert!(image.pixels().iter().all(|pixel| *pixel == [100, 100, 100, 255]));
}
