//! The one inner kernel of the CPU path: a panel of rows times a block of columns.
//!
//! A convolution, a 1x1 convolution and both halves of attention are all "weights times pixels"
//! with the pixels of a channel lying side by side, so they share this kernel: [`MR`] rows of
//! packed weights times `NR` vectors of columns, accumulated in registers. Every result is one
//! chain of fused multiply-adds in a fixed order, so it doesn't depend on the width of the vectors,
//! the number of threads or the other pictures of a batch.

use pulp::Simd;
use rayon::prelude::*;

/// Rows that the kernel computes at once. With four vectors of columns this fills 24 of the 32
/// registers of AVX-512 and NEON with sums.
pub(crate) const MR: usize = 6;

/// A matrix `[rows, depth]` packed for the kernel: for each block of [`MR`] rows `[depth, MR]`,
/// missing rows filled with zeros.
#[derive(Debug)]
pub(crate) struct PackedRows {
    data: Vec<f32>,
    pub(crate) rows: usize,
    pub(crate) depth: usize,
}

impl PackedRows {
    /// Packs a row-major matrix.
    pub(crate) fn new(matrix: &[f32], rows: usize, depth: usize) -> Self {
        let mut data = vec![0.0; rows.div_ceil(MR) * MR * depth];
        let blocks = data.par_chunks_exact_mut(MR * depth);
        blocks.zip(matrix.par_chunks(MR * depth)).for_each(|(block, rows)| {
            for (i, row) in rows.chunks_exact(depth).enumerate() {
                for (to, &value) in block[i..].iter_mut().step_by(MR).zip(row) {
                    *to = value;
                }
            }
        });
        Self { data, rows, depth }
    }

    /// The number of blocks of [`MR`] rows.
    pub(crate) fn blocks(&self) -> usize {
        self.rows.div_ceil(MR)
    }

    /// The nine taps of a 3x3 convolution from input channel `input` to row `row`.
    pub(crate) fn taps(&self, row: usize, input: usize) -> [f32; 9] {
        let block = self.block(row / MR);
        std::array::from_fn(|tap| block[(input * 9 + tap) * MR + row % MR])
    }

    /// The packed rows of one block.
    pub(crate) fn block(&self, index: usize) -> &[f32] {
        &self.data[index * MR * self.depth..][..MR * self.depth]
    }
}

/// Packs rows given by a function of row and column into `data`.
pub(crate) fn pack_rows(
    data: &mut Vec<f32>,
    rows: usize,
    depth: usize,
    value: impl Fn(usize, usize) -> f32,
) {
    data.clear();
    data.resize(rows.div_ceil(MR) * MR * depth, 0.0);
    for (block, out) in data.chunks_exact_mut(MR * depth).enumerate() {
        for i in 0..MR.min(rows - block * MR) {
            for k in 0..depth {
                out[k * MR + i] = value(block * MR + i, k);
            }
        }
    }
}

/// One vector from the start of a slice.
#[inline(always)]
pub(crate) fn load<S: Simd>(slice: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&slice[at..at + S::F32_LANES]).0[0]
}

/// Writes one vector.
#[inline(always)]
pub(crate) fn store<S: Simd>(slice: &mut [f32], at: usize, value: S::f32s) {
    S::as_mut_simd_f32s(&mut slice[at..at + S::F32_LANES]).0[0] = value;
}

/// `sums[i][v] += sum over planes p and taps t of rows[p, t, i] * columns[p * plane + taps[t] + at[v] ..]`.
///
/// `rows` holds `[planes, TAPS, MR]`; `columns` starts at the first plane.
#[inline(always)]
pub(crate) fn accumulate<S: Simd, const NR: usize, const TAPS: usize>(
    simd: S,
    rows: &[f32],
    columns: &[f32],
    plane: usize,
    taps: &[usize; TAPS],
    at: &[usize; NR],
    sums: &mut [[S::f32s; NR]; MR],
) {
    let mut local = *sums;
    for (p, weights) in rows.chunks_exact(MR * TAPS).enumerate() {
        let plane = &columns[p * plane..];
        for (tap, weights) in taps.iter().zip(weights.chunks_exact(MR)) {
            let mut x = [simd.splat_f32s(0.0); NR];
            for v in 0..NR {
                x[v] = load::<S>(plane, tap + at[v]);
            }
            for i in 0..MR {
                let w = simd.splat_f32s(weights[i]);
                for v in 0..NR {
                    local[i][v] = simd.mul_add_f32s(w, x[v], local[i][v]);
                }
            }
        }
    }
    *sums = local;
}
