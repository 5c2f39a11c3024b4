//! Attention of pixels to text and pixels, without ever storing all scores.

use super::math::exp;
use super::panel::{MR, accumulate, load, store};
use super::product::{COLUMN_STEP, with_room};
use crate::nn::Interrupt;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Queries whose scores are held at once.
const QUERIES: usize = 64;

/// Extents of an attention.
#[derive(Clone, Copy)]
pub(crate) struct AttentionShape {
    /// Pictures in the batch.
    pub(crate) pictures: usize,
    /// Heads.
    pub(crate) heads: usize,
    /// Channels of a head.
    pub(crate) head_channels: usize,
    /// Pixels: the queries, and the last keys.
    pub(crate) pixels: usize,
    /// Text positions: the first keys.
    pub(crate) text: usize,
}

/// `qkv` `[B, heads * 3 * K, T]` and `text_kv` `[B, heads * 2 * K, S]` to `[B, heads * K, T]`.
///
/// `visible` `[T, T]` tells for each pixel and each key among the pixels whether the first attends
/// to the second, 0 if not; each must see something.
pub(crate) fn attention(
    qkv: &[f32],
    text_kv: Option<&[f32]>,
    visible: Option<&[u8]>,
    shape: AttentionShape,
    interrupt: &Interrupt,
) -> candle_core::Result<Vec<f32>> {
    let AttentionShape { pictures, heads, head_channels, pixels, text } = shape;
    let padded;
    let (qkv, plane) = if pixels.is_multiple_of(COLUMN_STEP) {
        (qkv, pixels)
    } else {
        padded = with_room(qkv, pixels);
        (&padded.0[..], padded.1)
    };
    let head = head_channels * plane;
    let mut out = vec![0.0; pictures * heads * head_channels * pixels];
    // Keys and values of a head are packed once and read by all of its queries.
    let packed: Vec<PackedHead> = (0..pictures * heads)
        .into_par_iter()
        .map(|i| {
            let own = &qkv[i * 3 * head..][..3 * head];
            let text_kv = text_kv.map(|kv| &kv[i * 2 * head_channels * text..]);
            PackedHead::new(&own[head..], plane, text_kv, shape)
        })
        .collect();
    // Keys first and as what is added to a score, so that a vector of queries loads a vector of it.
    let hidden = visible.map(|visible| {
        let mut hidden = vec![0.0; pixels * plane];
        for (query, row) in visible.chunks_exact(pixels).enumerate() {
            for (to, &visible) in hidden[query..].iter_mut().step_by(plane).zip(row) {
                *to = if visible == 0 { f32::NEG_INFINITY } else { 0.0 };
            }
        }
        hidden
    });
    let hidden = hidden.as_deref();
    let bands = pixels.div_ceil(QUERIES);
    let mut tasks: Vec<Vec<&mut [f32]>> =
        (0..pictures * heads * bands).map(|_| Vec::with_capacity(head_channels)).collect();
    for (channel, values) in out.chunks_mut(pixels).enumerate() {
        for (band, part) in values.chunks_mut(QUERIES).enumerate() {
            tasks[channel / head_channels * bands + band].push(part);
        }
    }
    tasks.par_iter_mut().enumerate().for_each_init(Vec::new, |scores, (task, out)| {
        if interrupt.is_raised() {
            return;
        }
        let (i, band) = (task / bands, task % bands);
        let queries = &qkv[i * 3 * head..][..head];
        let first = band * QUERIES;
        let head = &packed[i];
        Arch::new().dispatch(Kernel { queries, plane, first, head, hidden, shape, scores, out });
    });
    interrupt.check()?;
    Ok(out)
}

/// Keys and values of one head, packed for the panel kernel.
struct PackedHead {
    /// Rows are keys, depth is channels; the scale of the scores is in them.
    keys: Vec<f32>,
    /// Rows are channels, depth is keys.
    values: Vec<f32>,
}

impl PackedHead {
    /// `own` holds keys then values, `[2, K, plane]`; `text_kv` the same for the text positions.
    fn new(own: &[f32], plane: usize, text_kv: Option<&[f32]>, shape: AttentionShape) -> Self {
        let AttentionShape { head_channels, pixels, text, .. } = shape;
        let scale = 1.0 / (head_channels as f64).sqrt();
        let all = text + pixels;
        // The values of a channel of both, text first.
        let parts = |channel: usize| {
            let text_part = text_kv.map_or(&[][..], |kv| &kv[channel * text..][..text]);
            text_part.iter().chain(&own[channel * plane..][..pixels])
        };
        let mut keys = vec![0.0; all.next_multiple_of(MR) * head_channels];
        for channel in 0..head_channels {
            let blocks = keys.chunks_exact_mut(MR * head_channels);
            let places = blocks.flat_map(|block| &mut block[channel * MR..][..MR]);
            for (to, &key) in places.zip(parts(channel)) {
                *to = (f64::from(key) * scale) as f32;
            }
        }
        let mut values = vec![0.0; head_channels.next_multiple_of(MR) * all];
        for (i, block) in values.chunks_exact_mut(MR * all).enumerate() {
            for row in 0..MR.min(head_channels - i * MR) {
                let places = block[row..].iter_mut().step_by(MR);
                for (to, &value) in places.zip(parts(head_channels + i * MR + row)) {
                    *to = value;
                }
            }
        }
        Self { keys, values }
    }
}

struct Kernel<'a, 'o, 's> {
    queries: &'a [f32],
    plane: usize,
    first: usize,
    head: &'a PackedHead,
    /// `[T, plane]`, keys first.
    hidden: Option<&'a [f32]>,
    shape: AttentionShape,
    /// `[keys rounded up to MR, QUERIES]`, reused by the tasks of a thread.
    scores: &'s mut Vec<f32>,
    out: &'s mut Vec<&'o mut [f32]>,
}

impl WithSimd for Kernel<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let lanes = S::F32_LANES;
        let queries = QUERIES.min((self.plane - self.first) / lanes * lanes);
        let mut at = 0;
        if S::REGISTER_COUNT >= 32 {
            while at + 4 * lanes <= queries {
                self.vectors::<S, 4>(simd, at);
                at += 4 * lanes;
            }
        }
        while at + 2 * lanes <= queries {
            self.vectors::<S, 2>(simd, at);
            at += 2 * lanes;
        }
        while at + lanes <= queries {
            self.vectors::<S, 1>(simd, at);
            at += lanes;
        }
    }
}

impl Kernel<'_, '_, '_> {
    /// Attends with `NR` vectors of queries, `at` after the band's first.
    #[inline(always)]
    fn vectors<S: Simd, const NR: usize>(&mut self, simd: S, at: usize) {
        let lanes = S::F32_LANES;
        let width = NR * lanes;
        let channels = self.shape.head_channels;
        let keys = self.shape.text + self.shape.pixels;
        self.scores.resize(keys.next_multiple_of(MR) * QUERIES, 0.0);
        let scores = &mut self.scores[..keys.next_multiple_of(MR) * width];
        let query_at: [usize; NR] = std::array::from_fn(|v| self.first + at + v * lanes);
        let mut peaks = [simd.splat_f32s(f32::NEG_INFINITY); NR];
        for (block, keys_here) in self.head.keys.chunks_exact(MR * channels).enumerate() {
            let mut sums = [[simd.splat_f32s(0.0); NR]; MR];
            let (columns, plane) = (self.queries, self.plane);
            accumulate::<S, NR, 1>(simd, keys_here, columns, plane, &[0], &query_at, &mut sums);
            for (i, sums) in sums.iter().enumerate() {
                let key = block * MR + i;
                let hidden = self.hidden.filter(|_| (self.shape.text..keys).contains(&key));
                for (v, &sum) in sums.iter().enumerate() {
                    let sum = hidden.map_or(sum, |hidden| {
                        let row = (key - self.shape.text) * self.plane;
                        simd.add_f32s(sum, load::<S>(hidden, row + query_at[v]))
                    });
                    store::<S>(scores, key * width + v * lanes, sum);
                    if key < keys {
                        peaks[v] = simd.max_f32s(peaks[v], sum);
                    }
                }
            }
        }
        let mut peak = [0.0_f32; 4 * 16];
        for (v, &value) in peaks.iter().enumerate() {
            store::<S>(&mut peak, v * lanes, value);
        }
        let mut total = [0.0_f32; 4 * 16];
        let (peak, total) = (&peak[..width], &mut total[..width]);
        for row in scores.chunks_exact_mut(width).take(keys) {
            for ((score, &peak), total) in row.iter_mut().zip(peak).zip(total.iter_mut()) {
                *score = exp(*score - peak);
                *total += *score;
            }
        }
        let score_at: [usize; NR] = std::array::from_fn(|v| v * lanes);
        let count = self.out[0].len().saturating_sub(at).min(width);
        for (block, values) in self.head.values.chunks_exact(MR * keys).enumerate() {
            let mut sums = [[simd.splat_f32s(0.0); NR]; MR];
            accumulate::<S, NR, 1>(simd, values, scores, width, &[0], &score_at, &mut sums);
            for (i, sums) in sums.iter().enumerate().take(channels - (block * MR).min(channels)) {
                let mut row = [0.0_f32; 4 * 16];
                for (v, &sum) in sums.iter().enumerate() {
                    let total = load::<S>(total, v * lanes);
                    store::<S>(&mut row, v * lanes, simd.div_f32s(sum, total));
                }
                self.out[block * MR + i][at..at + count].copy_from_slice(&row[..count]);
            }
        }
    }
}
