//! Queries, keys and values on their way from a linear layer into the attention.

use rayon::prelude::*;

/// Places that are handled together, so that what is read stays in the first-level cache.
const PLACES: usize = 16;

/// Extents of what is split.
#[derive(Clone, Copy)]
pub(crate) struct HeadsShape {
    pub(crate) heads: usize,
    /// Channels of a head, an even number.
    pub(crate) head: usize,
    pub(crate) places: usize,
}

/// `qkv` `[B, T, 3 * N * K]` to `[B, N * 3 * K, T]`, `[head][q, k, v][channel]`; queries and keys are
/// turned by the angles whose cosines and sines are given, `[T, K / 2]` each.
pub(crate) fn split_heads(
    qkv: &[f32],
    (cos, sin): (&[f32], &[f32]),
    shape: HeadsShape,
) -> Vec<f32> {
    let HeadsShape { heads, head, places } = shape;
    let (width, half) = (3 * heads * head, head / 2);
    let mut out = vec![0.0; qkv.len()];
    out.par_chunks_exact_mut(3 * head * places).enumerate().for_each(|(i, out)| {
        let (batch, own) = (i / heads, i % heads);
        let rows = &qkv[batch * places * width..][..places * width];
        let (turned, values) = out.split_at_mut(2 * head * places);
        for first in (0..places).step_by(PLACES) {
            let last = (first + PLACES).min(places);
            for (part, out) in turned.chunks_exact_mut(head * places).enumerate() {
                let (low, high) = out.split_at_mut(half * places);
                for channel in 0..half {
                    let low = &mut low[channel * places..][..places];
                    let high = &mut high[channel * places..][..places];
                    let from = (part * heads + own) * head + channel;
                    for place in first..last {
                        let (cos, sin) = (cos[place * half + channel], sin[place * half + channel]);
                        let (a, b) =
                            (rows[place * width + from], rows[place * width + from + half]);
                        low[place] = a * cos - b * sin;
                        high[place] = a * sin + b * cos;
                    }
                }
            }
            for (channel, out) in values.chunks_exact_mut(places).enumerate() {
                let from = (2 * heads + own) * head + channel;
                for place in first..last {
                    out[place] = rows[place * width + from];
                }
            }
        }
    });
    out
}
