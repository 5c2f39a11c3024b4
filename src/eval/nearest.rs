//! Which sprite a drawing comes nearest to.
//!
//! Every sprite is laid over the ground in many places and sizes near where it was asked for, and
//! the one is nearest that, somewhere, differs least from the picture (mean squared error, on a small
//! grid, so that a slightly blurred or noisy drawing is as good as a sharp one). All have the same
//! freedom, so none is preferred. A drawing that differs less from the bare ground than from every
//! sprite is none at all.

use rayon::prelude::*;

use crate::eval::compose::{Canvas, Stamp, View, halvings, resized};
use crate::eval::scene::Item;
use crate::eval::sprites::Collection;
use crate::geom::CanvasRect;
use crate::raster::RgbaImage;

/// Side of the grid on which all sprites are tried.
const COARSE: usize = 16;
/// Side of the grid on which the best of them are tried again.
const FINE: usize = 24;
/// How many are tried again.
const FINALISTS: usize = 6;
/// How far around the place is looked at, in parts of the thing's own size.
const ROOM: f64 = 1.3;
/// Sizes that are tried, in parts of the size that was asked for.
const SIZES: [f64; 5] = [1.0, 0.8, 0.9, 1.1, 1.2];
/// Shifts that are tried in each direction, in parts of the size that was asked for. Training has
/// things up to 0.06 of the picture away from their place.
const SHIFTS: [f64; 5] = [0.0, -0.08, 0.08, -0.16, 0.16];

/// The sprite that a drawing comes nearest to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Which thing of the collection.
    pub concept: usize,
    /// Which style of the collection.
    pub style: usize,
}

/// Finds the sprite that the picture shows where `asked` is; `None` where it shows none.
///
/// `ground` is the same picture without the thing. All sprites of the collection are candidates, in
/// every style, painted as `asked` is.
#[must_use]
pub fn nearest_sprite(
    collection: &Collection,
    picture: &RgbaImage,
    ground: &RgbaImage,
    asked: &Item,
) -> Option<Nearest> {
    let candidates: Vec<Nearest> = (0..collection.concepts.len())
        .flat_map(|concept| {
            (0..collection.styles.len()).map(move |style| Nearest { concept, style })
        })
        .filter(|candidate| collection.sprite(candidate.concept, candidate.style).is_some())
        .collect();
    let coarse = Look::new(picture, ground, asked, COARSE);
    let mut ranked: Vec<(f64, Nearest)> = candidates
        .into_par_iter()
        .map(|candidate| {
            let tries = (&SIZES[..3], &SHIFTS[..3]);
            (coarse.distance(collection, candidate, asked, tries), candidate)
        })
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let fine = Look::new(picture, ground, asked, FINE);
    let (distance, nearest) = ranked
        .into_par_iter()
        .take(FINALISTS)
        .map(|(_, candidate)| {
            (fine.distance(collection, candidate, asked, (&SIZES, &SHIFTS)), candidate)
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))?;
    (distance < fine.distance_to_ground()).then_some(nearest)
}

/// The ground of a drawing that nobody composed: the middle color of its edge.
///
/// Things of these scenes don't reach the edge, so this needs no knowledge of where the drawing is.
#[must_use]
pub fn flat_ground_of(picture: &RgbaImage) -> RgbaImage {
    let extent = picture.extent();
    let edge = (extent.width.min(extent.height) / 32).max(1);
    let inner = (extent.width.saturating_sub(edge), extent.height.saturating_sub(edge));
    let mut channels: [Vec<u8>; 3] = Default::default();
    for y in 0..extent.height {
        for x in 0..extent.width {
            if x < edge || y < edge || x >= inner.0 || y >= inner.1 {
                let pixel = picture.pixel(x, y);
                channels.iter_mut().zip(pixel).for_each(|(channel, byte)| channel.push(byte));
            }
        }
    }
    let [r, g, b] = channels.map(|mut channel| {
        channel.sort_unstable();
        channel.get(channel.len() / 2).copied().unwrap_or_default()
    });
    RgbaImage::new(extent, [r, g, b, 255])
}

/// A part of a picture and of its ground, on a grid.
struct Look {
    view: View,
    picture: Vec<[f32; 3]>,
    ground: Canvas,
}

impl Look {
    fn new(picture: &RgbaImage, ground: &RgbaImage, asked: &Item, side: usize) -> Self {
        let view = View::around(asked.x, asked.y, asked.size * ROOM);
        // Whole pixels, and the view is what they show.
        let extent = picture.extent();
        let pixel = |at: f64, of: u32| (f64::midpoint(at, 1.0) * f64::from(of)).round() as u32;
        let (left, top) = (pixel(view.left, extent.width), pixel(view.top, extent.height));
        let width = pixel(view.right, extent.width).saturating_sub(left).max(1);
        let height = pixel(view.bottom, extent.height).saturating_sub(top).max(1);
        let rect = CanvasRect::new(left, top, width, height);
        let place = |at: u32, of: u32| f64::from(at) / f64::from(of.max(1)) * 2.0 - 1.0;
        let view = View {
            left: place(left, extent.width),
            top: place(top, extent.height),
            right: place(left + width, extent.width),
            bottom: place(top + height, extent.height),
        };
        let (columns, rows) = (side.min(width as usize), side.min(height as usize));
        let pixels = resized(&ground.crop(rect), columns, rows);
        Self {
            view,
            picture: resized(&picture.crop(rect), columns, rows),
            ground: Canvas { width: columns, height: rows, pixels },
        }
    }

    /// The least distance of a sprite, over these sizes and shifts.
    fn distance(
        &self,
        collection: &Collection,
        candidate: Nearest,
        asked: &Item,
        (sizes, shifts): (&[f64], &[f64]),
    ) -> f64 {
        let Some(sprite) = collection.sprite(candidate.concept, candidate.style) else {
            return f64::INFINITY;
        };
        let tile_px = sprite.tile.extent().width as usize;
        let cells = self.ground.width as f64 * 2.0 / (self.view.right - self.view.left);
        let stamp = Stamp::new(&sprite.tile, asked.tint, halvings(tile_px, asked.size * cells));
        let mut least = f64::INFINITY;
        for size in sizes {
            for dx in shifts {
                for dy in shifts {
                    let item = Item {
                        x: asked.x + dx * asked.size,
                        y: asked.y + dy * asked.size,
                        size: asked.size * size,
                        ..asked.clone()
                    };
                    let mut canvas = self.ground.clone();
                    stamp.lay(&mut canvas, self.view, &item);
                    least = least.min(squared_error(&canvas.pixels, &self.picture));
                }
            }
        }
        least
    }

    fn distance_to_ground(&self) -> f64 {
        squared_error(&self.ground.pixels, &self.picture)
    }
}

fn squared_error(a: &[[f32; 3]], b: &[[f32; 3]]) -> f64 {
    let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
    a.iter().flatten().zip(b.iter().flatten()).map(square).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::compose::compose;
    use crate::eval::scene::{Ground, Scene};
    use crate::eval::sprites::{Source, Wanted};
    use crate::eval::words::color;
    use crate::geom::Extent;

    fn collection() -> Collection {
        Collection::read(&Source::BuiltIn, Wanted::default()).unwrap()
    }

    /// Each pixel the mean of those around it.
    fn blurred(image: &RgbaImage) -> RgbaImage {
        let extent = image.extent();
        let (last_x, last_y) = (extent.width - 1, extent.height - 1);
        let mut soft = image.clone();
        for y in 0..extent.height {
            for x in 0..extent.width {
                let mut sum = [0u32; 4];
                for (dx, dy) in (0..3).flat_map(|dy| (0..3).map(move |dx| (dx, dy))) {
                    let from = image.pixel(
                        (x + dx).saturating_sub(1).min(last_x),
                        (y + dy).saturating_sub(1).min(last_y),
                    );
                    sum.iter_mut().zip(from).for_each(|(sum, byte)| *sum += u32::from(byte));
                }
                soft.pixels_mut()[(y * extent.width + x) as usize] = sum.map(|sum| (sum / 9) as u8);
            }
        }
        soft
    }

    #[test]
    fn every_sprite_is_recognized_blurred_and_moved() {
        let all = collection();
        for (concept, ground) in
            (0..all.concepts.len()).zip(["white", "navy", "pink"].iter().cycle())
        {
            let ground = Ground::Flat(color(ground).unwrap());
            let (large, small) =
                (Item::new(concept, 0.0, 0.0, 0.85), Item::new(concept, -0.5, 0.5, 0.35));
            for asked in [large, small] {
                let drawn = Item {
                    x: asked.x + 0.06,
                    y: asked.y - 0.05,
                    size: asked.size * 0.93,
                    ..asked.clone()
                };
                let scene = |items| Scene { style: 0, ground, items };
                let picture = blurred(&compose(&all, &scene(vec![drawn]), 64));
                let bare = compose(&all, &scene(vec![]), 64);
                let found = nearest_sprite(&all, &picture, &bare, &asked);
                let noun = &all.concepts[concept].nouns[0];
                assert_eq!(found.map(|found| found.concept), Some(concept), "{noun} {asked:?}");
                if asked.size > 0.6 {
                    let guessed = flat_ground_of(&picture);
                    let found = nearest_sprite(&all, &picture, &guessed, &asked);
                    assert_eq!(found.map(|found| found.concept), Some(concept), "{noun}");
                }
            }
        }
    }

    #[test]
    fn a_bare_ground_shows_nothing() {
        let all = collection();
        let bare = RgbaImage::new(Extent::new(64, 64), [200, 30, 40, 255]);
        assert_eq!(flat_ground_of(&bare), bare);
        assert_eq!(nearest_sprite(&all, &bare, &bare, &Item::new(0, 0.0, 0.0, 0.8)), None);
    }
}
