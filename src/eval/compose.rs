//! From scenes to pixels.
//!
//! Sprites are laid over the ground with premultiplied alpha, sampled bilinearly from a tile that
//! was halved until it is less than twice as fine as the picture. Training pictures are composed by
//! the same arithmetic, so that the true result of an edit is the one a model could learn;
//! `tests/golden/scenes` compares the two.

use crate::eval::scene::{Ground, Item, Scene};
use crate::eval::sprites::Collection;
use crate::eval::words::Color;
use crate::geom::Extent;
use crate::raster::RgbaImage;

/// How often a tile is halved at most.
const MOST_HALVINGS: u32 = 3;
/// The smallest side in pixels that a sprite is reduced for.
const SMALLEST_PX: f64 = 8.0;
/// Brightness as a sum of red, green and blue.
///
/// Source: ITU-R BT.601.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];
/// Brightness below which paint is shaded towards black, above which towards white.
const MIDDLE: f32 = 0.55;
/// How much of the color that a painted sprite shows is the paint's.
const COVER: f32 = 0.9;

/// The part of a scene that a picture shows, in the scene's coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl View {
    /// The whole scene.
    pub(crate) const WHOLE: Self = Self { left: -1.0, top: -1.0, right: 1.0, bottom: 1.0 };

    /// A square around a point, as far as it lies in the scene.
    pub(crate) fn around(x: f64, y: f64, half_side: f64) -> Self {
        Self {
            left: (x - half_side).clamp(-1.0, 1.0),
            top: (y - half_side).clamp(-1.0, 1.0),
            right: (x + half_side).clamp(-1.0, 1.0),
            bottom: (y + half_side).clamp(-1.0, 1.0),
        }
    }
}

/// A picture of unrounded colors, 0 to 1.
#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<[f32; 3]>,
}

impl Canvas {
    pub(crate) fn to_image(&self) -> RgbaImage {
        let mut image =
            RgbaImage::new(Extent::new(self.width as u32, self.height as u32), [0, 0, 0, 255]);
        for (pixel, color) in image.pixels_mut().iter_mut().zip(&self.pixels) {
            let [r, g, b] = color.map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8);
            *pixel = [r, g, b, 255];
        }
        image
    }
}

/// A sprite ready to be laid down: painted, premultiplied, halved.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    side: usize,
    pixels: Vec<[f32; 4]>,
}

/// How often a tile of this side is halved for a sprite of `size_px` pixels.
pub(crate) fn halvings(tile_px: usize, size_px: f64) -> u32 {
    let ratio = tile_px as f64 / size_px.max(SMALLEST_PX);
    (1..=MOST_HALVINGS).rev().find(|&n| ratio >= f64::from(1 << n)).unwrap_or(0)
}

impl Stamp {
    pub(crate) fn new(tile: &RgbaImage, tint: Option<&Color>, halvings: u32) -> Self {
        let side = tile.extent().width as usize;
        let pixels = tile.pixels().iter().map(|&[r, g, b, a]| {
            let color = [r, g, b].map(|byte| f32::from(byte) / 255.0);
            let alpha = f32::from(a) / 255.0;
            let [r, g, b] = tint.map_or(color, |tint| painted(color, tint));
            [r * alpha, g * alpha, b * alpha, alpha]
        });
        let mut stamp = Self { side, pixels: pixels.collect() };
        for _ in 0..halvings {
            stamp = stamp.halved();
        }
        stamp
    }

    fn halved(&self) -> Self {
        let side = self.side / 2;
        let mut pixels = Vec::with_capacity(side * side);
        for y in 0..side {
            for x in 0..side {
                let mut sum = [0.0; 4];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let from = self.at((2 * x + dx) as isize, (2 * y + dy) as isize);
                    sum.iter_mut().zip(from).for_each(|(sum, value)| *sum += value / 4.0);
                }
                pixels.push(sum);
            }
        }
        Self { side, pixels }
    }

    /// A pixel; nothing outside the tile.
    fn at(&self, x: isize, y: isize) -> [f32; 4] {
        let side = self.side as isize;
        if x < 0 || y < 0 || x >= side || y >= side {
            return [0.0; 4];
        }
        self.pixels.get((y * side + x) as usize).copied().unwrap_or_default()
    }

    /// The color at a point of the tile, which runs from -1 to 1; pixel centers lie at + 0.5.
    fn sample(&self, x: f64, y: f64) -> [f32; 4] {
        let place = |at: f64| f64::midpoint(at * self.side as f64, self.side as f64) - 0.5;
        let (x, y) = (place(x), place(y));
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = ((x - left) as f32, (y - top) as f32);
        let (left, top) = (left as isize, top as isize);
        let mut sum = [0.0; 4];
        for (dx, dy, weight) in [
            (0, 0, (1.0 - fx) * (1.0 - fy)),
            (1, 0, fx * (1.0 - fy)),
            (0, 1, (1.0 - fx) * fy),
            (1, 1, fx * fy),
        ] {
            let from = self.at(left + dx, top + dy);
            sum.iter_mut().zip(from).for_each(|(sum, value)| *sum += value * weight);
        }
        sum
    }

    /// Lays the sprite over a canvas that shows a part of the scene.
    pub(crate) fn lay(&self, canvas: &mut Canvas, view: View, item: &Item) {
        let turn = item.angle.to_radians();
        let (cos, sin) = (libm::cos(turn) / item.size, libm::sin(turn) / item.size);
        let flip = if item.flipped { -1.0 } else { 1.0 };
        let (columns, rows) = (canvas.width, canvas.height);
        // As far as the turned tile, and sampling half a pixel of it farther.
        let corner = libm::cos(turn).abs() + libm::sin(turn).abs();
        let reach = item.size * corner * (1.0 + 2.0 / self.side as f64);
        let width = view.right - view.left;
        let height = view.bottom - view.top;
        for row in 0..rows {
            let dy = view.top + height * (row as f64 + 0.5) / rows as f64 - item.y;
            if dy.abs() > reach {
                continue;
            }
            for column in 0..columns {
                let dx = view.left + width * (column as f64 + 0.5) / columns as f64 - item.x;
                if dx.abs() > reach {
                    continue;
                }
                let [r, g, b, a] = self.sample(flip * (cos * dx + sin * dy), cos * dy - sin * dx);
                if let Some(below) = canvas.pixels.get_mut(row * columns + column) {
                    for (below, over) in below.iter_mut().zip([r, g, b]) {
                        *below = over + *below * (1.0 - a);
                    }
                }
            }
        }
    }
}

/// A color of the artwork as it is when the thing is painted.
fn painted(color: [f32; 3], tint: &Color) -> [f32; 3] {
    let luma: f32 = color.iter().zip(LUMA).map(|(value, weight)| value * weight).sum();
    let mut painted = color;
    for (value, tint) in painted.iter_mut().zip(tint.rgb) {
        let tint = f32::from(tint) / 255.0;
        let shaded = if luma < MIDDLE {
            tint * (luma / MIDDLE)
        } else {
            tint + (1.0 - tint) * ((luma - MIDDLE) / (1.0 - MIDDLE))
        };
        *value = shaded.clamp(0.0, 1.0) * COVER + *value * (1.0 - COVER);
    }
    painted
}

/// The ground alone.
pub(crate) fn ground(collection: &Collection, ground: Ground, size: u32) -> Canvas {
    let side = size as usize;
    let unit = |color: &Color| color.rgb.map(|byte| f32::from(byte) / 255.0);
    let pixels = match ground {
        Ground::Flat(color) => vec![unit(color); side * side],
        Ground::Gradient(top, bottom) => {
            let (top, bottom) = (unit(top), unit(bottom));
            let last = side.saturating_sub(1).max(1) as f32;
            let row = |y: usize| {
                let share = y as f32 / last;
                let mut color = top;
                color.iter_mut().zip(bottom).for_each(|(top, bottom)| {
                    *top = *top * (1.0 - share) + bottom * share;
                });
                color
            };
            (0..side).flat_map(|y| std::iter::repeat_n(row(y), side)).collect()
        }
        Ground::Scenery(backdrop) => match collection.backdrops.get(backdrop) {
            Some(backdrop) => resized(&backdrop.image, side, side),
            None => vec![[0.0; 3]; side * side],
        },
    };
    Canvas { width: side, height: side, pixels }
}

/// The colors of an opaque picture, each the mean of the pixels that it comes to stand for.
pub(crate) fn resized(image: &RgbaImage, columns: usize, rows: usize) -> Vec<[f32; 3]> {
    let extent = image.extent();
    let span = |i: usize, of: usize, from: u32| {
        let from = from as usize;
        i * from / of..((i + 1) * from).div_ceil(of).max(1)
    };
    let mut pixels = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        let lines = span(row, rows, extent.height);
        for column in 0..columns {
            let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
            for y in lines.clone() {
                for x in span(column, columns, extent.width) {
                    let pixel = image.pixel(x as u32, y as u32);
                    sum.iter_mut().zip(pixel).for_each(|(sum, byte)| *sum += f32::from(byte));
                    count += 1.0;
                }
            }
            pixels.push(sum.map(|sum| sum / count / 255.0));
        }
    }
    pixels
}

/// Composes a scene as a square picture of `size` pixels a side.
///
/// A thing that is not drawn in the scene's style is left out.
#[must_use]
pub fn compose(collection: &Collection, scene: &Scene, size: u32) -> RgbaImage {
    let mut canvas = ground(collection, scene.ground, size);
    for item in &scene.items {
        if let Some(sprite) = collection.sprite(item.concept, scene.style) {
            let tile_px = sprite.tile.extent().width as usize;
            let times = halvings(tile_px, item.size * f64::from(size));
            Stamp::new(&sprite.tile, item.tint, times).lay(&mut canvas, View::WHOLE, item);
        }
    }
    canvas.to_image()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::sprites::{Source, Wanted};
    use crate::eval::words::color;

    fn collection() -> Collection {
        Collection::read(&Source::BuiltIn, Wanted::default()).unwrap()
    }

    fn scene(items: Vec<Item>) -> Scene {
        Scene { style: 0, ground: Ground::Flat(color("white").unwrap()), items }
    }

    #[test]
    fn a_thing_is_where_the_scene_says_and_nowhere_else() {
        let all = collection();
        let apple = all.find("1f34e").unwrap();
        let image = compose(&all, &scene(vec![Item::new(apple, 0.5, -0.5, 0.4)]), 64);
        let drawn = |x: u32, y: u32| image.pixel(x, y) != [255; 4];
        assert!(drawn(48, 16));
        for (y, x) in (0..64).flat_map(|y| (0..64).map(move |x| (y, x))) {
            let inside = (35..61).contains(&x) && (3..29).contains(&y);
            assert!(inside || !drawn(x, y), "{x}, {y}");
        }
    }

    #[test]
    fn a_flipped_thing_is_the_mirror_image() {
        let all = collection();
        let car = all.find("1f697").unwrap();
        let item = Item::new(car, 0.25, 0.0, 0.5);
        let mirrored = Item { x: -item.x, flipped: true, ..item.clone() };
        let (one, other) =
            (compose(&all, &scene(vec![item]), 64), compose(&all, &scene(vec![mirrored]), 64));
        for (y, x) in (0..64).flat_map(|y| (0..64).map(move |x| (y, x))) {
            let (a, b) = (one.pixel(x, y), other.pixel(63 - x, y));
            assert!(a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 1), "{x}, {y}: {a:?} {b:?}");
        }
        assert_ne!(one, other);
    }

    #[test]
    fn paint_changes_the_color_and_keeps_light_and_shade() {
        let all = collection();
        let heart = all.find("2764").unwrap();
        let mut item = Item::new(heart, 0.0, 0.0, 0.9);
        item.tint = color("blue");
        let image = compose(&all, &scene(vec![item]), 64);
        let [r, _, b, _] = image.pixel(32, 40);
        assert!(b > 100 && b > r.saturating_mul(2), "{:?}", image.pixel(32, 40));
    }

    #[test]
    fn tiles_are_halved_until_they_are_less_than_twice_too_fine() {
        for (size_px, expected) in
            [(128.0, 0), (64.1, 0), (64.0, 1), (33.0, 1), (32.0, 2), (16.0, 3), (1.0, 3)]
        {
            assert_eq!(halvings(128, size_px), expected, "{size_px}");
        }
    }
}
