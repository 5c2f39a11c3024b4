//! Masks made wider and narrower with their edges as soft as they were.

use rayon::prelude::*;

use crate::geom::{Extent, PixelRect};
use crate::raster::{CoverGrid, Mask};

impl Mask {
    /// The mask with every cover carried `radius_px` to all sides: the edge moves outwards and stays
    /// as soft as it is.
    ///
    /// The greatest cover within an octagon that comes close to a circle, found by a step of one
    /// pixel at a time, to four and to eight neighbors in turn.
    #[must_use]
    pub fn spread(&self, radius_px: u32) -> Self {
        let Extent { width, height } = self.extent();
        let mut cover = self.as_raw().to_vec();
        let mut next = cover.clone();
        for step in 0..radius_px.min(width.saturating_add(height)) {
            let corners = step % 2 == 1;
            next.par_chunks_mut((width as usize).max(1)).enumerate().for_each(|(y, row)| {
                spread_row(&cover, y, row, corners);
            });
            std::mem::swap(&mut cover, &mut next);
        }
        Self::from_raw(self.extent(), cover).unwrap_or_else(|_| self.clone())
    }
}

/// One row of `cover` with the greatest cover of its neighbors; with those at the corners or without.
fn spread_row(cover: &[u8], y: usize, row: &mut [u8], corners: bool) {
    let width = row.len();
    let line = |y: Option<usize>| {
        let start = y.map(|y| y * width);
        start.and_then(|start| cover.get(start..start + width)).unwrap_or_default()
    };
    let (above, here, below) = (line(y.checked_sub(1)), line(Some(y)), line(Some(y + 1)));
    let at =
        |line: &[u8], x: Option<usize>| x.and_then(|x| line.get(x)).copied().unwrap_or_default();
    for (x, target) in row.iter_mut().enumerate() {
        let (left, middle, right) = (x.checked_sub(1), Some(x), Some(x + 1));
        let mut most = at(here, middle)
            .max(at(here, left))
            .max(at(here, right))
            .max(at(above, middle))
            .max(at(below, middle));
        if corners {
            most = most
                .max(at(above, left))
                .max(at(above, right))
                .max(at(below, left))
                .max(at(below, right));
        }
        *target = most;
    }
}

impl CoverGrid {
    /// Wider by `radius_px` on every side, as far as the canvas goes; see [`Mask::spread`].
    #[must_use]
    pub fn spread(&self, radius_px: u32, canvas: Extent) -> Self {
        self.spread_within(radius_px, canvas, |mask| mask.spread(radius_px))
    }

    /// Narrower by `radius_px` on every side; the edge of the canvas is no edge of the mask.
    #[must_use]
    pub fn contracted(&self, radius_px: u32, canvas: Extent) -> Self {
        self.spread_within(1, canvas, |mask| mask.inverted().spread(radius_px).inverted())
    }

    fn spread_within(&self, pad_px: u32, canvas: Extent, change: impl Fn(&Mask) -> Mask) -> Self {
        let part = self.bounds().and_then(|bounds| bounds.padded(pad_px).on_canvas(canvas));
        let Some(part) = part.map(PixelRect::from) else { return Self::new() };
        let Ok(mask) = Mask::from_raw(part.extent(), self.read(part)) else { return self.clone() };
        Self::from_pixels(part, change(&mask).as_raw())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::rectangle_cover;

    const CANVAS: Extent = Extent::new(300, 280);

    fn soft() -> CoverGrid {
        rectangle_cover(PixelRect::new(120, 100, 60, 80), CANVAS).feathered(6, CANVAS)
    }

    #[test]
    fn an_edge_moves_and_stays_as_soft_as_it_is() {
        let soft = soft();
        let row = |cover: &CoverGrid| cover.read(PixelRect::new(0, 140, 300, 1));
        let before = row(&soft);
        assert!(before.iter().any(|&cover| cover > 0 && cover < 255));
        for radius in [1_usize, 2, 7, 16] {
            let wider = row(&soft.spread(radius as u32, CANVAS));
            assert_eq!(wider[100 - radius..140 - radius], before[100..140], "{radius}");
            let narrower = row(&soft.contracted(radius as u32, CANVAS));
            assert_eq!(narrower[100 + radius..130 + radius], before[100..130], "{radius}");
        }
        assert_eq!(soft.spread(0, CANVAS), soft);
        assert_eq!(soft.contracted(0, CANVAS), soft);
    }

    #[test]
    fn it_goes_about_as_far_to_the_corners() {
        let dot = rectangle_cover(PixelRect::new(150, 140, 1, 1), CANVAS);
        let spread = dot.spread(20, CANVAS);
        let reach = |dx: i32, dy: i32| {
            (0..40).take_while(|step| spread.pixel(150 + dx * step, 140 + dy * step) > 0).count()
        };
        assert_eq!(reach(1, 0), 21);
        let corner = (reach(1, 1) - 1) as f32 * std::f32::consts::SQRT_2;
        assert!((18.0..=22.0).contains(&corner), "{corner}");
    }

    #[test]
    fn the_canvas_ends_both_and_a_mask_can_vanish() {
        let whole = rectangle_cover(CANVAS.rect().into(), CANVAS);
        assert_eq!(whole.spread(9, CANVAS), whole);
        assert_eq!(whole.contracted(9, CANVAS), whole, "the canvas' edge is none");
        assert!(soft().contracted(60, CANVAS).has_no_tiles());
        assert!(CoverGrid::new().spread(5, CANVAS).has_no_tiles());
    }
}
