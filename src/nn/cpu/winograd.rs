//! 3x3 convolution by Winograd's minimal filtering, F(4x4, 3x3): a quarter of the multiplications.
//!
//! Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308),
//! section 4.3. Each 4x4 tile of the result is made from a 6x6 tile of the input: both sides are
//! transformed, multiplied point by point (36 small matrix products over the channels), and
//! transformed back. It pays where channels and pixels are many; [`pays`] says where.
//! Rounding errors are larger than those of the direct form: the worst element is off by some 3e-5 of
//! the results' standard deviation, against 2e-6. `nn/conv2d.rs` holds both to that, and a whole
//! evaluation of the public base network stays within 2e-5 of the reference.

use super::conv::Pictures;
use super::panel::{MR, PackedRows, accumulate, pack_rows, store};
use super::product::Addends;
use crate::nn::Interrupt;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Tiles that are transformed and multiplied together.
const TILES: usize = 32;
/// Points of a transformed tile.
const POINTS: usize = 36;

/// Weights `[O, I, 3, 3]` in the transformed domain: for each of 36 points the packed rows `[O, I]`.
#[derive(Debug)]
pub(crate) struct WinogradWeights {
    data: Vec<f32>,
    rows: usize,
    depth: usize,
}

/// Whether this form is faster than the direct one.
///
/// Measured with 2 threads (AVX-512): with less than 64 channels the transforms cost more than they
/// save; below 32x32 pixels the transformed weights (four times the size) don't stay in a cache.
pub(crate) fn pays(inputs: usize, outputs: usize, height: usize, width: usize) -> bool {
    inputs >= 64 && outputs >= 32 && height >= 24 && width >= 24
}

impl WinogradWeights {
    /// Transforms the rows `[O, I * 9]` of a direct convolution.
    pub(crate) fn new(direct: &PackedRows) -> Self {
        let (rows, depth) = (direct.rows, direct.depth / 9);
        let point_size = rows.div_ceil(MR) * MR * depth;
        let mut data = vec![0.0; POINTS * point_size];
        let mut plane = Vec::new();
        let transformed: Vec<[f32; POINTS]> = (0..rows * depth)
            .into_par_iter()
            .map(|i| transform_weight(&direct.taps(i / depth, i % depth)))
            .collect();
        for (point, to) in data.chunks_exact_mut(point_size).enumerate() {
            pack_rows(&mut plane, rows, depth, |row, k| transformed[row * depth + k][point]);
            to.copy_from_slice(&plane);
        }
        Self { data, rows, depth }
    }

    fn point(&self, point: usize) -> &[f32] {
        let size = self.data.len() / POINTS;
        &self.data[point * size..][..size]
    }
}

/// `G g G^T`, in f64 because it is done once.
fn transform_weight(taps: &[f32; 9]) -> [f32; POINTS] {
    fn column(g: [f64; 3]) -> [f64; 6] {
        let even = g[0] + g[2];
        let wide = g[0] + 4.0 * g[2];
        [
            g[0] / 4.0,
            -(even + g[1]) / 6.0,
            -(even - g[1]) / 6.0,
            (wide + 2.0 * g[1]) / 24.0,
            (wide - 2.0 * g[1]) / 24.0,
            g[2],
        ]
    }
    let mut half = [[0.0; 3]; 6];
    for x in 0..3 {
        let column = column(std::array::from_fn(|y| f64::from(taps[y * 3 + x])));
        for (half, value) in half.iter_mut().zip(column) {
            half[x] = value;
        }
    }
    let mut out = [0.0; POINTS];
    for (row, half) in out.chunks_exact_mut(6).zip(half) {
        for (out, value) in row.iter_mut().zip(column(half)) {
            *out = value as f32;
        }
    }
    out
}

/// `x` `[B, I, H, W]` to `[B, O, H, W]`, with a border of one zero.
pub(crate) fn conv3x3(
    weights: &WinogradWeights,
    x: &[f32],
    pictures: Pictures,
    addends: Addends<'_>,
    interrupt: &Interrupt,
) -> candle_core::Result<Vec<f32>> {
    let Pictures { count, height, width, .. } = pictures;
    let rows = weights.rows;
    let grid = Grid::new(height, width);
    let mut out = vec![0.0; count * rows * height * width];
    // Where there are too few bands to go round, the result's channels are split as well, at the
    // price of transforming the input again.
    let blocks = rows.div_ceil(MR);
    let splits = (2 * rayon::current_num_threads()).div_ceil(count * grid.bands).min(blocks);
    let split_rows = blocks.div_ceil(splits) * MR;
    let splits = rows.div_ceil(split_rows);
    let mut tasks: Vec<Task<'_>> = (0..count * grid.bands * splits)
        .map(|i| {
            let (split, band) = (i % splits, i / splits % grid.bands);
            let first_row = split * split_rows;
            Task {
                picture: i / splits / grid.bands,
                band,
                rows: (first_row, (first_row + split_rows).min(rows)),
                out: Vec::with_capacity(split_rows),
            }
        })
        .collect();
    for (plane, values) in out.chunks_mut(height * width).enumerate() {
        let (picture, row) = (plane / rows, plane % rows);
        for (band, part) in values.chunks_mut(grid.band_rows * 4 * width).enumerate() {
            let task = (picture * grid.bands + band) * splits + row / split_rows;
            tasks[task].out.push(part);
        }
    }
    tasks.par_iter_mut().for_each_init(Scratch::default, |scratch, task| {
        let kernel = Kernel { weights, x, pictures, grid, addends, interrupt, scratch, task };
        Arch::new().dispatch(kernel);
    });
    interrupt.check()?;
    Ok(out)
}

/// How a picture is cut into tiles.
#[derive(Clone, Copy)]
struct Grid {
    /// Tiles in a row.
    columns: usize,
    /// Rows of tiles in a band.
    band_rows: usize,
    bands: usize,
}

impl Grid {
    fn new(height: usize, width: usize) -> Self {
        let columns = width.div_ceil(4);
        let rows = height.div_ceil(4);
        let band_rows = (TILES / columns).clamp(1, rows);
        Self { columns, band_rows, bands: rows.div_ceil(band_rows) }
    }
}

struct Task<'o> {
    picture: usize,
    band: usize,
    rows: (usize, usize),
    /// One slice a row of the result: the pixels of this band.
    out: Vec<&'o mut [f32]>,
}

/// Buffers that the tasks of a thread reuse.
#[derive(Default)]
struct Scratch {
    /// `[POINTS, I, TILES]`
    input: Vec<f32>,
    /// `[POINTS, rows, TILES]`
    output: Vec<f32>,
}

struct Kernel<'a, 'o, 's> {
    weights: &'a WinogradWeights,
    x: &'a [f32],
    pictures: Pictures,
    grid: Grid,
    addends: Addends<'a>,
    interrupt: &'a Interrupt,
    scratch: &'s mut Scratch,
    task: &'s mut Task<'o>,
}

type Lanes = [f32; TILES];

impl WithSimd for Kernel<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let tiles = self.grid.columns * self.grid.band_rows;
        for first in (0..tiles).step_by(TILES) {
            if self.interrupt.is_raised() {
                return;
            }
            self.transform_input(first);
            self.multiply(simd);
            self.transform_output(first);
        }
    }
}

impl Kernel<'_, '_, '_> {
    /// Row and column of the picture where a tile of this band starts.
    #[inline(always)]
    fn tile(&self, tile: usize) -> (usize, usize) {
        let row = self.task.band * self.grid.band_rows + tile / self.grid.columns;
        (row * 4, tile % self.grid.columns * 4)
    }

    /// `B^T d B` for each channel.
    #[inline(always)]
    fn transform_input(&mut self, first: usize) {
        let Pictures { channels, height, width, .. } = self.pictures;
        self.scratch.input.resize(POINTS * channels * TILES, 0.0);
        let picture = &self.x[self.task.picture * channels * height * width..];
        let tiles: [(usize, usize); TILES] = std::array::from_fn(|t| self.tile(first + t));
        for channel in 0..channels {
            let plane = &picture[channel * height * width..][..height * width];
            let mut d = [[[0.0_f32; TILES]; 6]; 6];
            for (t, &(y0, x0)) in tiles.iter().enumerate() {
                for (r, row) in d.iter_mut().enumerate() {
                    // Row `r` of the tile lies at `y0 + r - 1`; outside the picture are zeros.
                    let y = y0 + r;
                    let inside = y >= 1 && y <= height;
                    let line = if inside { &plane[(y - 1) * width..][..width] } else { &[][..] };
                    if x0 >= 1 && x0 + 5 <= line.len() {
                        for (column, &value) in row.iter_mut().zip(&line[x0 - 1..x0 + 5]) {
                            column[t] = value;
                        }
                    } else {
                        for (c, column) in row.iter_mut().enumerate() {
                            let x = (x0 + c).wrapping_sub(1);
                            column[t] = line.get(x).copied().unwrap_or(0.0);
                        }
                    }
                }
            }
            let mut half = [[[0.0_f32; TILES]; 6]; 6];
            for c in 0..6 {
                let column: [&Lanes; 6] = std::array::from_fn(|r| &d[r][c]);
                for (half, lanes) in half.iter_mut().zip(input_points(column)) {
                    half[c] = lanes;
                }
            }
            for (r, row) in half.iter().enumerate() {
                let row: [&Lanes; 6] = std::array::from_fn(|c| &row[c]);
                for (c, lanes) in input_points(row).into_iter().enumerate() {
                    let at = ((r * 6 + c) * channels + channel) * TILES;
                    self.scratch.input[at..at + TILES].copy_from_slice(&lanes);
                }
            }
        }
    }

    /// 36 products over the channels.
    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S) {
        let depth = self.weights.depth;
        let (first_row, last_row) = self.task.rows;
        let rows = last_row.next_multiple_of(MR) - first_row;
        self.scratch.output.resize(POINTS * rows * TILES, 0.0);
        let Scratch { input, output } = &mut *self.scratch;
        for point in 0..POINTS {
            let weights = &self.weights.point(point)[first_row * depth..][..rows * depth];
            let columns = &input[point * depth * TILES..][..depth * TILES];
            let sums = &mut output[point * rows * TILES..][..rows * TILES];
            let blocks = weights.chunks_exact(MR * depth).zip(sums.chunks_exact_mut(MR * TILES));
            for (weights, sums) in blocks {
                for at in (0..TILES).step_by(2 * S::F32_LANES) {
                    multiply_block::<S>(simd, weights, columns, at, sums);
                }
            }
        }
    }

    /// `A^T m A` for each channel of the result.
    #[inline(always)]
    fn transform_output(&mut self, first: usize) {
        let Pictures { height, width, .. } = self.pictures;
        let (first_row, last_row) = self.task.rows;
        let rows = last_row.next_multiple_of(MR) - first_row;
        let band_top = self.task.band * self.grid.band_rows * 4;
        let tiles = self.grid.columns * self.grid.band_rows;
        let tiles_here = TILES.min(tiles - first);
        let at: [(usize, usize); TILES] = std::array::from_fn(|t| self.tile(first + t));
        for row in first_row..last_row {
            let point = |r: usize, c: usize| -> &Lanes {
                let at = ((r * 6 + c) * rows + row - first_row) * TILES;
                // The slice has the array's length, so the fallback never happens.
                self.scratch.output[at..at + TILES].try_into().unwrap_or(&[0.0; TILES])
            };
            let mut half = [[[0.0_f32; TILES]; 6]; 4];
            for c in 0..6 {
                let column: [&Lanes; 6] = std::array::from_fn(|r| point(r, c));
                for (half, lanes) in half.iter_mut().zip(output_points(column)) {
                    half[c] = lanes;
                }
            }
            let bias = self.addends.bias.map_or(0.0, |bias| bias[row]);
            let plane = self.task.picture * self.weights.rows + row;
            let residual = self
                .addends
                .residual
                .map(|residual| &residual[plane * height * width..][..height * width]);
            let out = &mut *self.task.out[row - first_row];
            for (r, half) in half.iter().enumerate() {
                let half: [&Lanes; 6] = std::array::from_fn(|c| &half[c]);
                let points = output_points(half);
                for (t, &(y0, x0)) in at.iter().enumerate().take(tiles_here) {
                    let y = y0 + r;
                    if y >= height {
                        continue;
                    }
                    let end = (x0 + 4).min(width);
                    let line = &mut out[(y - band_top) * width + x0..][..end - x0];
                    match residual {
                        Some(residual) => {
                            let residual = &residual[y * width + x0..y * width + end];
                            for (c, (out, add)) in line.iter_mut().zip(residual).enumerate() {
                                *out = points[c][t] + bias + add;
                            }
                        }
                        None => {
                            for (c, out) in line.iter_mut().enumerate() {
                                *out = points[c][t] + bias;
                            }
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn multiply_block<S: Simd>(simd: S, weights: &[f32], columns: &[f32], at: usize, out: &mut [f32]) {
    let mut sums = [[simd.splat_f32s(0.0); 2]; MR];
    let at = [at, at + S::F32_LANES];
    accumulate::<S, 2, 1>(simd, weights, columns, TILES, &[0], &at, &mut sums);
    for (i, sums) in sums.iter().enumerate() {
        for (at, &sum) in at.iter().zip(sums) {
            store::<S>(out, i * TILES + at, sum);
        }
    }
}

/// `B^T d` for six values in `TILES` lanes.
#[inline(always)]
fn input_points(d: [&Lanes; 6]) -> [Lanes; 6] {
    let mut out = [[0.0; TILES]; 6];
    for t in 0..TILES {
        let [d0, d1, d2, d3, d4, d5] = [d[0][t], d[1][t], d[2][t], d[3][t], d[4][t], d[5][t]];
        let (a, b) = ((-4.0_f32).mul_add(d2, d4), (-4.0_f32).mul_add(d1, d3));
        let (c, e) = (d4 - d2, 2.0 * (d3 - d1));
        out[0][t] = 4.0_f32.mul_add(d0, (-5.0_f32).mul_add(d2, d4));
        out[1][t] = a + b;
        out[2][t] = a - b;
        out[3][t] = c + e;
        out[4][t] = c - e;
        out[5][t] = 4.0_f32.mul_add(d1, (-5.0_f32).mul_add(d3, d5));
    }
    out
}

/// `A^T m` for six values in `TILES` lanes.
#[inline(always)]
fn output_points(m: [&Lanes; 6]) -> [Lanes; 4] {
    let mut out = [[0.0; TILES]; 4];
    for t in 0..TILES {
        let [m0, m1, m2, m3, m4, m5] = [m[0][t], m[1][t], m[2][t], m[3][t], m[4][t], m[5][t]];
        let (a, b, c, e) = (m1 + m2, m1 - m2, m3 + m4, m3 - m4);
        out[0][t] = m0 + a + c;
        out[1][t] = 2.0_f32.mul_add(e, b);
        out[2][t] = 4.0_f32.mul_add(c, a);
        out[3][t] = 8.0_f32.mul_add(e, b) + m5;
    }
    out
}
