//! 3x3 convolution with a border of one zero, computed directly.

use super::panel::PackedRows;
use super::product::{Addends, COLUMN_STEP, Columns, product};
use crate::nn::Interrupt;
use rayon::prelude::*;

/// The pictures' extent in a convolution.
#[derive(Clone, Copy)]
pub(crate) struct Pictures {
    /// How many.
    pub(crate) count: usize,
    /// Channels of each.
    pub(crate) channels: usize,
    /// Rows.
    pub(crate) height: usize,
    /// Columns.
    pub(crate) width: usize,
}

/// `x` `[B, I, H, W]` to `[B, O, H, W]`; `weights` are the rows `[O, I * 9]`.
pub(crate) fn conv3x3(
    weights: &PackedRows,
    x: &[f32],
    pictures: Pictures,
    addends: Addends<'_>,
    interrupt: &Interrupt,
) -> candle_core::Result<Vec<f32>> {
    let Pictures { count, channels, height, width } = pictures;
    let columns = height * width;
    if width.is_multiple_of(COLUMN_STEP) {
        // One copy inside a border: the nine taps are nine offsets into it.
        let stride = width + 2;
        let plane = (height + 2) * stride;
        let mut bordered = vec![0.0; count * channels * plane];
        bordered.par_chunks_mut(plane).zip(x.par_chunks(columns)).for_each(|(to, from)| {
            let rows = to[stride + 1..].chunks_mut(stride).zip(from.chunks(width));
            for (to, from) in rows {
                to[..width].copy_from_slice(from);
            }
        });
        let taps = std::array::from_fn(|tap| tap / 3 * stride + tap % 3);
        let rows = Some((width, stride));
        let input = Columns { values: &bordered, plane, planes: channels, rows };
        return product::<9>(weights, input, &taps, count, columns, addends, interrupt);
    }
    // Vectors straddle rows here, so each horizontal tap gets a copy of its own without gaps.
    let copy = ((height + 2) * width).next_multiple_of(COLUMN_STEP) + COLUMN_STEP;
    let plane = 3 * copy;
    let mut shifted = vec![0.0; count * channels * plane];
    shifted.par_chunks_mut(plane).zip(x.par_chunks(columns)).for_each(|(to, from)| {
        for (y, from) in from.chunks(width).enumerate() {
            let row = (y + 1) * width;
            to[row + 1..row + width].copy_from_slice(&from[..width - 1]);
            to[copy + row..copy + row + width].copy_from_slice(from);
            to[2 * copy + row..2 * copy + row + width - 1].copy_from_slice(&from[1..]);
        }
    });
    let taps = std::array::from_fn(|tap| tap % 3 * copy + tap / 3 * width);
    let input = Columns { values: &shifted, plane, planes: channels, rows: None };
    product::<9>(weights, input, &taps, count, columns, addends, interrupt)
}

/// The same with every second row and column of the result left out: to
/// `[B, O, ceil(H / 2), ceil(W / 2)]`.
pub(crate) fn conv3x3_halving(
    weights: &PackedRows,
    x: &[f32],
    pictures: Pictures,
    addends: Addends<'_>,
    interrupt: &Interrupt,
) -> candle_core::Result<Vec<f32>> {
    let Pictures { count, channels, height, width } = pictures;
    let (rows, columns) = (height.div_ceil(2), width.div_ceil(2));
    // Even and odd rows apart, and of each a copy for every horizontal tap, so that what a tap reads
    // lies side by side.
    let copy = ((rows + 1) * columns).next_multiple_of(COLUMN_STEP) + COLUMN_STEP;
    let plane = 6 * copy;
    let mut apart = vec![0.0; count * channels * plane];
    apart.par_chunks_mut(plane).zip(x.par_chunks(height * width)).for_each(|(to, from)| {
        for (y, from) in from.chunks(width).enumerate() {
            // The border of zeros puts row y at y + 1.
            let (parity, row) = ((y + 1) % 2, y.div_ceil(2));
            for tap in 0..3 {
                let to = &mut to[(3 * parity + tap) * copy + row * columns..][..columns];
                // Column x of the result reads column 2 * x + tap - 1.
                let (first, skip) = if tap == 0 { (1, 1) } else { (0, tap - 1) };
                let from = from.iter().skip(skip).step_by(2);
                to[first..].iter_mut().zip(from).for_each(|(to, &from)| *to = from);
            }
        }
    });
    let taps = std::array::from_fn(|tap| {
        let (down, right) = (tap / 3, tap % 3);
        (3 * (down % 2) + right) * copy + down / 2 * columns
    });
    let input = Columns { values: &apart, plane, planes: channels, rows: None };
    product::<9>(weights, input, &taps, count, rows * columns, addends, interrupt)
}
