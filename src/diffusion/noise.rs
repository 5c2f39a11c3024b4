//! Our own seeded normal noise: the same numbers on every machine and device.
//!
//! A counter-based generator gives every number by its address (seed, picture, draw, place), so a
//! picture's noise depends neither on the pictures beside it nor on what was drawn before. It is
//! made on the CPU in f64, cast to f32 last, and then moved to the device.
//!
//! Source: Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC11);
//! normals by Box and Muller, with `libm` so that no platform's math library has a say.

use std::f64::consts::TAU;

use candle_core::{Device, Result, Shape, Tensor};
use rayon::prelude::*;

/// Numbers that one task draws; a multiple of 4, as a block of the generator has as many.
const PART: usize = 1 << 14;
/// Numbers that are drawn before anyone asks whether to go on; takes some hundredths of a second.
const STRETCH: usize = 1 << 19;

/// Which of a job's draws a block of noise is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoiseStream {
    /// Which sampling loop of the job: base, upsampler, one for each region.
    stage: u32,
    /// 0 for the start of the loop, k + 1 for its k-th executed step.
    draw: u32,
}

impl NoiseStream {
    /// The noise that the loop of this stage starts from.
    #[must_use]
    pub const fn start(stage: u32) -> Self {
        Self { stage, draw: 0 }
    }

    /// The noise that the `step`-th executed step (from 0) of this stage adds.
    #[must_use]
    pub const fn step(stage: u32, step: u32) -> Self {
        Self { stage, draw: step.wrapping_add(1) }
    }
}

/// A seed, and all the noise that follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    key: [u32; 2],
}

impl Noise {
    /// The noise of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32] }
    }

    /// Draws `n` standard normal numbers for one picture of the batch.
    ///
    /// A longer draw begins with the numbers of a shorter one.
    #[must_use]
    pub fn normal(self, stream: NoiseStream, image_index: u32, n: usize) -> Vec<f32> {
        let mut numbers = vec![0.0; n];
        self.fill(stream, image_index, 0, &mut numbers);
        numbers
    }

    /// Draws one number, evenly spread between 0 and 1, both excluded; of the block that the normal
    /// numbers of this address begin with, so that a stream is for one or the other.
    #[must_use]
    pub fn uniform(self, stream: NoiseStream, image_index: u32) -> f64 {
        let [word, ..] = philox4x32_10([0, image_index, stream.draw, stream.stage], self.key);
        uniform(word)
    }

    /// Fills in the numbers from `first` on, which is a multiple of 4, on all cores where there are
    /// many.
    fn fill(self, stream: NoiseStream, image_index: u32, first: usize, numbers: &mut [f32]) {
        let fill = |(part, numbers): (usize, &mut [f32])| {
            let first_block = first / 4 + part * (PART / 4);
            for (block, numbers) in (first_block..).zip(numbers.chunks_mut(4)) {
                let counter = [block as u32, image_index, stream.draw, stream.stage];
                let [a, b, c, d] = philox4x32_10(counter, self.key);
                let [left, right] = [normal_pair(a, b), normal_pair(c, d)];
                numbers.iter_mut().zip(left.into_iter().chain(right)).for_each(|(n, v)| *n = v);
            }
        };
        if numbers.len() <= PART {
            fill((0, numbers));
        } else {
            numbers.par_chunks_mut(PART).enumerate().for_each(fill);
        }
    }

    /// Draws a batch of pictures, the first of which has index `first_image`.
    ///
    /// Shape: `[B, ...]`, f32, on `device`. Row i is the noise of picture `first_image + i`,
    /// whatever B is.
    ///
    /// # Errors
    ///
    /// When the shape has no batch dimension or the device is out of memory.
    pub fn batch(
        self,
        stream: NoiseStream,
        first_image: u32,
        shape: impl Into<Shape>,
        device: &Device,
    ) -> Result<Tensor> {
        self.batch_while(stream, first_image, shape, device, &|| Ok(()))
    }

    /// As [`Self::batch`], asking `go_on` between parts of large pictures.
    ///
    /// # Errors
    ///
    /// As [`Self::batch`]; also the error of `go_on`.
    pub fn batch_while(
        self,
        stream: NoiseStream,
        first_image: u32,
        shape: impl Into<Shape>,
        device: &Device,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Tensor> {
        let shape = shape.into();
        let rows = *shape.dims().first().ok_or_else(|| {
            candle_core::Error::Msg("noise needs a shape with a batch dimension".to_owned())
        })?;
        let each = shape.elem_count().checked_div(rows).unwrap_or(0);
        let mut numbers = vec![0.0; shape.elem_count()];
        for (row, numbers) in (0..rows as u32).zip(numbers.chunks_mut(each.max(1))) {
            for (stretch, numbers) in numbers.chunks_mut(STRETCH).enumerate() {
                go_on()?;
                let image = first_image.wrapping_add(row);
                self.fill(stream, image, stretch * STRETCH, numbers);
            }
        }
        Tensor::from_vec(numbers, shape, device)
    }
}

/// Two independent normal numbers of two uniform words.
fn normal_pair(a: u32, b: u32) -> [f32; 2] {
    // Both lie strictly between 0 and 1, so the logarithm is finite; the longest tail is 6.76.
    let radius = (-2.0 * libm::log(uniform(a))).sqrt();
    let angle = TAU * uniform(b);
    [(radius * libm::cos(angle)) as f32, (radius * libm::sin(angle)) as f32]
}

/// A word as a number strictly between 0 and 1.
fn uniform(word: u32) -> f64 {
    (f64::from(word) + 0.5) / 4_294_967_296.0
}

/// Ten rounds of Philox; multipliers and key increments as in Random123's `philox.h`.
fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..10 {
        let left = u64::from(c0) * 0xD251_1F53;
        let right = u64::from(c2) * 0xCD9E_8D57;
        (c0, c1, c2, c3) = (
            (right >> 32) as u32 ^ c1 ^ k0,
            right as u32,
            (left >> 32) as u32 ^ c3 ^ k1,
            left as u32,
        );
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    [c0, c1, c2, c3]
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use crate::diffusion::noise::philox4x32_10;
    use crate::diffusion::{Noise, NoiseStream};

    /// Known answers of Random123 (`kat_vectors`, philox4x32 10).
    #[test]
    fn philox_gives_the_known_answers() {
        assert_eq!(
            philox4x32_10([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32_10([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32_10(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn a_picture_has_the_same_noise_in_a_batch_of_any_size() {
        let noise = Noise::new(7);
        let stream = NoiseStream::step(1, 3);
        let largest = noise.batch(stream, 0, (5, 3, 6, 7), &Device::Cpu).unwrap();
        for (first, rows) in [(0, 1), (0, 2), (2, 3), (4, 1)] {
            let batch = noise.batch(stream, first as u32, (rows, 3, 6, 7), &Device::Cpu).unwrap();
            let expected = largest.narrow(0, first, rows).unwrap();
            assert_eq!(
                batch.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
                expected.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            );
        }
        assert_eq!(noise.normal(stream, 2, 13)[..], noise.normal(stream, 2, 126)[..13]);
    }

    #[test]
    fn many_numbers_are_those_of_their_places_and_can_be_given_up() {
        let noise = Noise::new(5);
        let stream = NoiseStream::start(1);
        let side = 450;
        let whole = noise.batch(stream, 3, (1, 3, side, side), &Device::Cpu).unwrap();
        let whole = whole.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        // One block at a time, around the borders of parts and stretches.
        for first in [0, super::PART - 4, super::PART, super::STRETCH - 4, super::STRETCH] {
            let mut few = [0.0; 8];
            noise.fill(stream, 3, first, &mut few);
            assert_eq!(few[..], whole[first..first + 8]);
        }
        let asked = std::cell::Cell::new(0);
        let go_on = || {
            asked.set(asked.get() + 1);
            if asked.get() > 1 {
                candle_core::bail!("given up")
            }
            Ok(())
        };
        let end = noise.batch_while(stream, 3, (1, 3, side, side), &Device::Cpu, &go_on);
        assert!(end.unwrap_err().to_string().contains("given up"));
        assert_eq!(asked.get(), 2);
    }

    #[test]
    fn seeds_pictures_steps_and_stages_have_their_own_noise() {
        let first = Noise::new(0).normal(NoiseStream::start(0), 0, 64);
        for other in [
            Noise::new(1).normal(NoiseStream::start(0), 0, 64),
            Noise::new(1 << 32).normal(NoiseStream::start(0), 0, 64),
            Noise::new(0).normal(NoiseStream::start(0), 1, 64),
            Noise::new(0).normal(NoiseStream::step(0, 0), 0, 64),
            Noise::new(0).normal(NoiseStream::start(1), 0, 64),
        ] {
            let product: f32 = first.iter().zip(&other).map(|(a, b)| a * b).sum();
            assert!(product.abs() / 64.0 < 0.5, "{product}");
            assert!(first.iter().zip(&other).all(|(a, b)| a.to_bits() != b.to_bits()));
        }
    }

    /// A saved request must give the same picture in later releases, so these bits stay. They were
    /// computed by an independent Python program with the platform's own logarithm and cosine.
    #[test]
    fn the_noise_of_seed_0_never_changes() {
        let start = Noise::new(0).normal(NoiseStream::start(0), 0, 8);
        let step = Noise::new(0).normal(NoiseStream::step(1, 4), 2, 3);
        let bits = |numbers: &[f32]| numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&start), START_BITS);
        assert_eq!(bits(&step), STEP_BITS);
    }

    const START_BITS: [u32; 8] = [
        0x3f7d_bb33,
        0xbf6c_b6b0,
        0xbf1e_1b9f,
        0xbef6_d1b2,
        0xbe1d_5357,
        0x3e39_2a6d,
        0x3f54_ec98,
        0x3e4a_2da3,
    ];
    const STEP_BITS: [u32; 3] = [0xbf18_304f, 0xbf87_9eb6, 0x3f97_b82d];

    #[test]
    fn single_numbers_are_evenly_spread() {
        let n = 4000;
        let mut tenths = [0; 10];
        for draw in 0..n {
            let number = Noise::new(3).uniform(NoiseStream::step(9, draw), 1);
            tenths[(number * 10.0) as usize] += 1;
        }
        // About four standard errors.
        assert!(tenths.iter().all(|&count: &i32| (count - 400).abs() < 76), "{tenths:?}");
    }

    #[test]
    fn the_numbers_are_standard_normal() {
        let n = 200_000;
        let numbers = Noise::new(42).normal(NoiseStream::start(0), 3, n);
        let moment =
            |power: i32| numbers.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / n as f64;
        // About four standard errors each.
        assert!(moment(1).abs() < 0.009, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.013, "{}", moment(2));
        assert!(moment(3).abs() < 0.035, "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.09, "{}", moment(4));
        let neighbors: f64 =
            numbers.windows(2).map(|w| f64::from(w[0]) * f64::from(w[1])).sum::<f64>() / n as f64;
        assert!(neighbors.abs() < 0.009, "{neighbors}");
        let beyond_two = numbers.iter().filter(|x| x.abs() > 2.0).count() as f64 / n as f64;
        assert!((beyond_two - 0.0455).abs() < 0.002, "{beyond_two}");
    }
}
