//! Doubling and halving pictures inside a network.

use rayon::prelude::*;

/// Each pixel four times: `[.., H, W]` to `[.., 2H, 2W]`.
pub(crate) fn double_nearest(x: &[f32], height: usize, width: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len() * 4];
    out.par_chunks_mut(4 * height * width).zip(x.par_chunks(height * width)).for_each(
        |(to, from)| {
            for (to, from) in to.chunks_exact_mut(4 * width).zip(from.chunks_exact(width)) {
                let (first, second) = to.split_at_mut(2 * width);
                for (pair, &value) in first.chunks_exact_mut(2).zip(from) {
                    pair.fill(value);
                }
                second.copy_from_slice(first);
            }
        },
    );
    out
}

/// The mean of each 2x2 square: `[.., H, W]` to `[.., H/2, W/2]`; both sides are even.
pub(crate) fn halve_mean(x: &[f32], height: usize, width: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len() / 4];
    out.par_chunks_mut(height * width / 4).zip(x.par_chunks(height * width)).for_each(
        |(to, from)| {
            for (to, from) in to.chunks_exact_mut(width / 2).zip(from.chunks_exact(2 * width)) {
                let (first, second) = from.split_at(width);
                let squares = first.chunks_exact(2).zip(second.chunks_exact(2));
                for (value, (a, b)) in to.iter_mut().zip(squares) {
                    *value = (a[0] + a[1] + b[0] + b[1]) * 0.25;
                }
            }
        },
    );
    out
}
