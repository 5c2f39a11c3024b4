//! Packed rows times columns, spread over threads: weights times the pixels of a batch of pictures,
//! or rows of activations times the weights of a linear layer.

use super::panel::{MR, PackedRows, accumulate, store};
use crate::nn::Interrupt;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Vectors of columns that the kernel computes at once on machines with 32 vector registers.
const WIDE: usize = 4;
/// The same with 16 registers.
const NARROW: usize = 2;
/// Columns are cut at multiples of this, the widest vector there is.
pub(crate) const COLUMN_STEP: usize = 16;
/// Columns of one task; enough for the kernel's widest group.
const COLUMN_GROUP: usize = 64;
/// Bytes of input that a task should touch, so that they stay in the second-level cache.
const TASK_BYTES: usize = 512 << 10;

/// Where the columns of a product lie: `[pictures, planes, ..]`.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    /// All values.
    pub(crate) values: &'a [f32],
    /// Values from one plane to the next.
    pub(crate) plane: usize,
    /// Planes of a picture.
    pub(crate) planes: usize,
    /// Columns in a row, and values from one row to the next, where rows have a gap between them.
    pub(crate) rows: Option<(usize, usize)>,
}

impl Columns<'_> {
    /// Where the values of column `p` start.
    #[inline(always)]
    fn at(&self, p: usize) -> usize {
        match self.rows {
            Some((width, stride)) => p / width * stride + p % width,
            None => p,
        }
    }
}

/// What is added to a product.
#[derive(Clone, Copy, Default)]
pub(crate) struct Addends<'a> {
    /// One value a row.
    pub(crate) bias: Option<&'a [f32]>,
    /// One value a column.
    pub(crate) column_bias: Option<&'a [f32]>,
    /// One value an element of the result.
    pub(crate) residual: Option<&'a [f32]>,
}

/// Computes `[pictures, rows, columns]`.
///
/// Reads up to [`COLUMN_STEP`] values past the last column of a plane where the number of columns
/// isn't a multiple of it; the caller leaves that room.
pub(crate) fn product<const TAPS: usize>(
    weights: &PackedRows,
    input: Columns<'_>,
    taps: &[usize; TAPS],
    pictures: usize,
    columns: usize,
    addends: Addends<'_>,
    interrupt: &Interrupt,
) -> candle_core::Result<Vec<f32>> {
    debug_assert_eq!(weights.depth, input.planes * TAPS);
    let rows = weights.rows;
    let mut out = vec![0.0; pictures * rows * columns];
    let groups = columns.div_ceil(COLUMN_GROUP);
    let group_bytes = COLUMN_GROUP * input.planes * 4 * if TAPS == 1 { 1 } else { 2 };
    let band_groups = (TASK_BYTES / group_bytes).clamp(1, groups);
    let bands = groups.div_ceil(band_groups);
    let run = |task: &mut Task<'_>| {
        if !interrupt.is_raised() {
            Arch::new().dispatch(TaskKernel { weights, input, taps, columns, addends, task });
        }
    };
    if pictures * bands >= 4 * rayon::current_num_threads() {
        let band = band_groups * COLUMN_GROUP;
        let mut tasks: Vec<Task<'_>> = (0..pictures * bands)
            .map(|i| Task {
                blocks: (0, weights.blocks()),
                pictures: (i / bands, i / bands + 1),
                columns: (i % bands * band, ((i % bands + 1) * band).min(columns)),
                out: Vec::with_capacity(rows),
            })
            .collect();
        for (plane, values) in out.chunks_mut(columns).enumerate() {
            for (j, part) in values.chunks_mut(band).enumerate() {
                tasks[plane / rows * bands + j].out.push(part);
            }
        }
        tasks.par_iter_mut().for_each(run);
    } else {
        let mut tasks: Vec<Task<'_>> = (0..weights.blocks())
            .map(|block| Task {
                blocks: (block, block + 1),
                pictures: (0, pictures),
                columns: (0, columns),
                out: Vec::with_capacity(pictures * MR),
            })
            .collect();
        for (plane, values) in out.chunks_mut(columns).enumerate() {
            tasks[plane % rows / MR].out.push(values);
        }
        tasks.par_iter_mut().for_each(run);
    }
    interrupt.check()?;
    Ok(out)
}

/// The part of a result that one thread computes: some blocks of rows, pictures and columns.
struct Task<'a> {
    blocks: (usize, usize),
    pictures: (usize, usize),
    columns: (usize, usize),
    /// The result's planes of this task, picture by picture, row by row.
    out: Vec<&'a mut [f32]>,
}

struct TaskKernel<'t, 'a, 'o, const TAPS: usize> {
    weights: &'a PackedRows,
    input: Columns<'a>,
    taps: &'a [usize; TAPS],
    columns: usize,
    addends: Addends<'a>,
    task: &'t mut Task<'o>,
}

impl<const TAPS: usize> WithSimd for TaskKernel<'_, '_, '_, TAPS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.run::<S, WIDE>(simd);
        } else {
            self.run::<S, NARROW>(simd);
        }
    }
}

impl<const TAPS: usize> TaskKernel<'_, '_, '_, TAPS> {
    #[inline(always)]
    fn run<S: Simd, const NR: usize>(&mut self, simd: S) {
        let (first, last) = self.task.columns;
        for block in self.task.blocks.0..self.task.blocks.1 {
            for picture in self.task.pictures.0..self.task.pictures.1 {
                let mut p = first;
                while p + NR * S::F32_LANES <= last {
                    self.group::<S, NR>(simd, block, picture, p);
                    p += NR * S::F32_LANES;
                }
                while p < last {
                    self.group::<S, 1>(simd, block, picture, p);
                    p += S::F32_LANES;
                }
            }
        }
    }

    /// One block of rows times `NR` vectors of columns from `p`.
    #[inline(always)]
    fn group<S: Simd, const NR: usize>(&mut self, simd: S, block: usize, picture: usize, p: usize) {
        let rows = self.weights.rows;
        let values = &self.input.values[picture * self.input.planes * self.input.plane..];
        let mut at = [0; NR];
        for (v, at) in at.iter_mut().enumerate() {
            *at = self.input.at(p + v * S::F32_LANES);
        }
        let mut sums = [[simd.splat_f32s(0.0); NR]; MR];
        let packed = self.weights.block(block);
        accumulate::<S, NR, TAPS>(
            simd,
            packed,
            values,
            self.input.plane,
            self.taps,
            &at,
            &mut sums,
        );
        let task = &mut *self.task;
        let rows_here = MR.min(rows - block * MR);
        let first_row = (block - task.blocks.0) * MR;
        let per_picture = rows.min(task.blocks.1 * MR) - task.blocks.0 * MR;
        for (i, sums) in sums.iter().enumerate().take(rows_here) {
            let row = block * MR + i;
            let plane = (picture - task.pictures.0) * per_picture + first_row + i;
            let out = &mut *task.out[plane];
            let bias = simd.splat_f32s(self.addends.bias.map_or(0.0, |bias| bias[row]));
            for (v, &sum) in sums.iter().enumerate() {
                let column = p + v * S::F32_LANES;
                let local = column - task.columns.0;
                let lanes = S::F32_LANES.min(task.columns.1 - column);
                let mut sum = simd.add_f32s(sum, bias);
                if let Some(bias) = self.addends.column_bias {
                    let bias = simd.partial_load_f32s(&bias[column..column + lanes]);
                    sum = simd.add_f32s(sum, bias);
                }
                if let Some(residual) = self.addends.residual {
                    let from = (picture * rows + row) * self.columns + column;
                    let residual = &residual[from..from + lanes];
                    sum = simd.add_f32s(sum, simd.partial_load_f32s(residual));
                }
                if lanes == S::F32_LANES {
                    store::<S>(out, local, sum);
                } else {
                    simd.partial_store_f32s(&mut out[local..local + lanes], sum);
                }
            }
        }
    }
}

/// The weights of a linear layer, `[outputs, depth]`, laid out for rows of activations: panels of
/// as many outputs as the kernel computes at once, `[depth, width]` each, the last one filled up
/// with zeros. So a panel is read from its start to its end.
#[derive(Debug)]
pub(crate) struct PackedColumns {
    data: Vec<f32>,
    width: usize,
    pub(crate) outputs: usize,
    pub(crate) depth: usize,
}

impl PackedColumns {
    /// Packs a row-major matrix `[outputs, depth]`.
    pub(crate) fn new(matrix: &[f32], outputs: usize, depth: usize) -> Self {
        let width = Arch::new().dispatch(KernelColumns);
        let panel = depth * width;
        let mut data = vec![0.0; outputs.div_ceil(width) * panel];
        data.par_chunks_mut(panel).zip(matrix.par_chunks(panel)).for_each(|(panel, rows)| {
            for (column, row) in rows.chunks_exact(depth).enumerate() {
                for (to, &value) in panel[column..].iter_mut().step_by(width).zip(row) {
                    *to = value;
                }
            }
        });
        Self { data, width, outputs, depth }
    }
}

/// Asks how many columns the kernel computes at once here; divides [`COLUMN_GROUP`].
struct KernelColumns;

impl WithSimd for KernelColumns {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        let vectors = if S::REGISTER_COUNT >= 32 { WIDE } else { NARROW };
        vectors * S::F32_LANES
    }
}

/// A linear layer: `x` `[rows, depth]` to `[rows, outputs]`.
pub(crate) fn linear(weights: &PackedColumns, x: &[f32], addends: Addends<'_>) -> Vec<f32> {
    let PackedColumns { ref data, width, outputs, depth } = *weights;
    let rows = x.len() / depth;
    let packed = PackedRows::new(x, rows, depth);
    let input =
        Columns { values: data, plane: width, planes: depth, rows: Some((width, depth * width)) };
    let mut out = vec![0.0; rows * outputs];
    // A task takes a group of columns, which stays in the cache while the rows pass. Where there
    // are few groups, the rows are divided as well.
    let groups = outputs.div_ceil(COLUMN_GROUP);
    let wanted = (4 * rayon::current_num_threads()).div_ceil(groups);
    let blocks = packed.blocks().div_ceil(wanted).max(1);
    let bands = packed.blocks().div_ceil(blocks);
    let mut tasks: Vec<Task<'_>> = (0..groups * bands)
        .map(|i| {
            let (group, band) = (i / bands, i % bands);
            Task {
                blocks: (band * blocks, ((band + 1) * blocks).min(packed.blocks())),
                pictures: (0, 1),
                columns: (group * COLUMN_GROUP, ((group + 1) * COLUMN_GROUP).min(outputs)),
                out: Vec::with_capacity(blocks * MR),
            }
        })
        .collect();
    for (row, values) in out.chunks_mut(outputs).enumerate() {
        for (group, part) in values.chunks_mut(COLUMN_GROUP).enumerate() {
            tasks[group * bands + row / (blocks * MR)].out.push(part);
        }
    }
    tasks.par_iter_mut().for_each(|task| {
        let (weights, taps, columns) = (&packed, &[0], outputs);
        Arch::new().dispatch(TaskKernel { weights, input, taps, columns, addends, task });
    });
    out
}

/// `x` with room after each plane, so that the last vector may read past the columns.
pub(crate) fn with_room(x: &[f32], columns: usize) -> (Vec<f32>, usize) {
    let plane = columns.next_multiple_of(COLUMN_STEP);
    let mut padded = vec![0.0; x.len() / columns * plane];
    padded
        .par_chunks_mut(plane)
        .zip(x.par_chunks(columns))
        .for_each(|(to, from)| to[..columns].copy_from_slice(from));
    (padded, plane)
}

/// A 1x1 convolution: `x` `[pictures, depth, columns]` to `[pictures, rows, columns]`.
pub(crate) fn pointwise(
    weights: &PackedRows,
    x: &[f32],
    pictures: usize,
    columns: usize,
    addends: Addends<'_>,
    interrupt: &Interrupt,
) -> candle_core::Result<Vec<f32>> {
    let padded;
    let (values, plane) = if columns.is_multiple_of(COLUMN_STEP) {
        (x, columns)
    } else {
        padded = with_room(x, columns);
        (&padded.0[..], padded.1)
    };
    let input = Columns { values, plane, planes: weights.depth, rows: None };
    product(weights, input, &[0], pictures, columns, addends, interrupt)
}
