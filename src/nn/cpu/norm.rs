//! Group norm with everything that follows it in a residual block, in two passes.

use super::math::silu;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// What happens to a value after it was normalized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// Nothing.
    Identity,
    /// `x * sigmoid(x)`.
    Silu,
}

/// The norm's parameters.
pub(crate) struct GroupNormArgs<'a> {
    pub(crate) groups: usize,
    pub(crate) eps: f64,
    /// One a channel.
    pub(crate) weight: &'a [f32],
    /// One a channel.
    pub(crate) bias: &'a [f32],
    /// `[pictures, 2, channels]`: the normalized value `y` becomes `y * (1 + scale) + shift`.
    pub(crate) scale_shift: Option<&'a [f32]>,
    pub(crate) activation: Activation,
}

/// Normalizes `x` `[pictures, channels, pixels]`.
pub(crate) fn group_norm(x: &[f32], pixels: usize, args: &GroupNormArgs<'_>) -> Vec<f32> {
    let channels = args.weight.len();
    let group_channels = channels / args.groups;
    let group = group_channels * pixels;
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(group).zip(x.par_chunks(group)).enumerate().for_each(|(i, (out, x))| {
        let picture = i / args.groups;
        let first_channel = i % args.groups * group_channels;
        Arch::new().dispatch(GroupKernel { x, out, pixels, picture, first_channel, args });
    });
    out
}

struct GroupKernel<'a, 'o> {
    x: &'a [f32],
    out: &'o mut [f32],
    pixels: usize,
    picture: usize,
    first_channel: usize,
    args: &'a GroupNormArgs<'a>,
}

impl WithSimd for GroupKernel<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let args = self.args;
        let channels = args.weight.len();
        let count = self.x.len() as f64;
        let mean = sum(self.x, |v| v) / count;
        let shift = mean as f32;
        let variance = sum(self.x, |v| (v - shift) * (v - shift)) / count;
        let rstd = 1.0 / (variance + args.eps).sqrt();
        let planes = self.x.chunks_exact(self.pixels).zip(self.out.chunks_exact_mut(self.pixels));
        for (i, (x, out)) in planes.enumerate() {
            let channel = self.first_channel + i;
            let gain = rstd * f64::from(args.weight[channel]);
            let (mut a, mut c) = (gain, f64::from(args.bias[channel]) - mean * gain);
            if let Some(scale_shift) = args.scale_shift {
                let own = &scale_shift[self.picture * 2 * channels..][..2 * channels];
                let scale = 1.0 + f64::from(own[channel]);
                a *= scale;
                c = c * scale + f64::from(own[channels + channel]);
            }
            let (a, c) = (a as f32, c as f32);
            match args.activation {
                Activation::Identity => {
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = x.mul_add(a, c);
                    }
                }
                Activation::Silu => {
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = silu(x.mul_add(a, c));
                    }
                }
            }
        }
    }
}

/// Sums in 64 lanes, so that the result is the same for every vector width, and these in f64.
#[inline(always)]
fn sum(x: &[f32], value: impl Fn(f32) -> f32) -> f64 {
    // Lanes are emptied into f64 now and then: a long f32 sum loses digits.
    const RUN: usize = 4096;
    let mut total = 0.0;
    for run in x.chunks(RUN) {
        let mut lanes = [0.0_f32; 64];
        let mut chunks = run.chunks_exact(64);
        for chunk in &mut chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane += value(x);
            }
        }
        total += lanes.iter().map(|&lane| f64::from(lane)).sum::<f64>();
        total += chunks.remainder().iter().map(|&x| f64::from(value(x))).sum::<f64>();
    }
    total
}
