//! Compressing rows of pixels into a piece of a PNG's stream that stands alone.
//!
//! A piece is raw deflate that refers to nothing before it and ends on a whole byte, so pieces made
//! on several cores, or taken from an earlier file, are one stream when they are put together.
//!
//! Pictures come in two kinds. What was painted repeats itself, and looking for repetitions makes it
//! several times smaller at a gigabyte a second. Grain, as in photographs, never does: looking for
//! it takes twice as long as Huffman codes with runs alone and ends with more bytes. A few samples
//! tell which kind the rows are.
//!
//! Source: <https://www.w3.org/TR/png-3/>, section 9 (filters); RFC 1950 and RFC 1951 (streams).

use std::io;

use zlib_rs::adler32::adler32;
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Strategy};

/// Bytes of a pixel: red, green, blue, alpha.
pub(super) const PIXEL_BYTES: usize = 4;
/// What a stream begins with: deflate with the usual window, made fast.
pub(super) const STREAM_START: [u8; 2] = [0x78, 0x01];
/// What comes after the last piece: an empty block that is marked as the last one.
pub(super) const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xFF, 0xFF];

/// Bytes of a sample, and how many there are at most.
const SAMPLE_BYTES: usize = 32 << 10;
const SAMPLES: usize = 4;
/// Bits of the window, negative as there is no frame around the piece.
const WINDOW_BITS: i32 = -15;

/// How repetitions are looked for.
///
/// Measured on one core with rows of 8192 pixels after the filters, in MB/s and as a share of the
/// pixels. Level 1 has fixed codes, which make grain hardly smaller than it is (91 %); what
/// `miniz_oxide` does at its level 1 lies between both.
///
/// | rows | repeats | grain |
/// |---|---|---|
/// | painted with some texture | 1010, 4 % | 190, 14 % |
/// | flat drawings and photographs side by side | 80, 34 % | 83, 45 % |
/// | a photograph | 93, 46 % | 112, 41 % |
/// | a grainy photograph | 55, 60 % | 116, 57 % |
/// | nothing but noise | 52, 100 % | 165, 100 % |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Anywhere in the 32 KiB before.
    Repeats,
    /// Only of the byte before.
    Grain,
}

impl Kind {
    fn stream(self) -> Deflate {
        let (level, strategy) = match self {
            Self::Repeats => (2, Strategy::Default),
            Self::Grain => (2, Strategy::Rle),
        };
        let window_bits = WINDOW_BITS;
        Deflate::new_with_config(DeflateConfig {
            level,
            window_bits,
            strategy,
            ..DeflateConfig::default()
        })
    }

    /// The kind that makes samples of the rows smaller; what is nearly the same is faster as grain.
    fn of(filtered: &[u8]) -> io::Result<Self> {
        let step = filtered.len().div_ceil(SAMPLES).max(SAMPLE_BYTES);
        let size = |kind: Self| -> io::Result<u64> {
            let (mut stream, mut out) = (kind.stream(), Vec::new());
            for part in filtered.chunks(step) {
                let sample = part.get(..SAMPLE_BYTES).unwrap_or(part);
                push(&mut stream, sample, DeflateFlush::SyncFlush, &mut out)?;
            }
            Ok(out.len() as u64)
        };
        let (repeats, grain) = (size(Self::Repeats)?, size(Self::Grain)?);
        Ok(if repeats + repeats / 16 < grain { Self::Repeats } else { Self::Grain })
    }
}

/// A piece of a stream, and the Adler-32 sum of what it unpacks to: each row after the number of
/// its filter. The first row's filter needs no row above.
pub(super) fn compress(pixels: &[u8], row_bytes: usize) -> io::Result<(Vec<u8>, u32)> {
    let filtered = filtered(pixels, row_bytes);
    let mut piece = Vec::with_capacity(filtered.len() / 8);
    let mut stream = Kind::of(&filtered)?.stream();
    push(&mut stream, &filtered, DeflateFlush::SyncFlush, &mut piece)?;
    Ok((piece, adler32(1, &filtered)))
}

/// Puts bytes into a stream and appends what comes out.
fn push(
    stream: &mut Deflate,
    mut bytes: &[u8],
    flush: DeflateFlush,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let mut room = vec![0; SAMPLE_BYTES];
    loop {
        let (read, written) = (stream.total_in(), stream.total_out());
        stream.compress(bytes, &mut room, flush).map_err(|error| {
            io::Error::other(format!("a picture can't be compressed: {}", error.as_str()))
        })?;
        let read = (stream.total_in() - read) as usize;
        let written = (stream.total_out() - written) as usize;
        bytes = bytes.get(read..).unwrap_or_default();
        out.extend_from_slice(room.get(..written).unwrap_or_default());
        // Room that was left means that everything came out.
        if bytes.is_empty() && written < room.len() {
            return Ok(());
        }
    }
}

/// Rows with the filter that leaves the smallest bytes, each after the filter's number.
fn filtered(pixels: &[u8], row_bytes: usize) -> Vec<u8> {
    let rows = pixels.chunks_exact(row_bytes.max(1));
    let mut all = Vec::with_capacity(pixels.len() + rows.len());
    let [mut sub, mut up, mut paeth] = [const { Vec::new() }; 3];
    let mut above: Option<&[u8]> = None;
    for row in rows {
        let (first, rest) = row.split_at(PIXEL_BYTES.min(row.len()));
        sub.clear();
        sub.extend_from_slice(first);
        sub.extend(rest.iter().zip(row).map(|(x, left)| x.wrapping_sub(*left)));
        let mut best = (1, &sub);
        // The first row stands alone.
        if let Some(above) = above {
            up.clear();
            up.extend(row.iter().zip(above).map(|(x, above)| x.wrapping_sub(*above)));
            paeth.clear();
            paeth.extend(first.iter().zip(above).map(|(x, above)| x.wrapping_sub(*above)));
            // Slices of the same kind on all sides: with an adapter like `skip` in between, this is
            // no longer made into vector instructions and takes ten times as long.
            let (_, above_rest) = above.split_at(first.len());
            let neighbors = row.iter().zip(above_rest.iter().zip(above));
            paeth.extend(rest.iter().zip(neighbors).map(|(x, (left, (above, corner)))| {
                x.wrapping_sub(predicted(*left, *above, *corner))
            }));
            let candidates = [best, (2, &up), (4, &paeth)];
            best = candidates.into_iter().min_by_key(|(_, row)| cost(row)).unwrap_or(best);
        }
        all.push(best.0);
        all.extend_from_slice(best.1);
        above = Some(row);
    }
    all
}

/// How far the bytes are from zero, those above 127 being negative.
fn cost(row: &[u8]) -> u64 {
    // Sums of 16 bits, which 256 such bytes can't exceed, are twice as fast as larger ones.
    let small = |part: &[u8]| -> u16 {
        part.iter().map(|&byte| u16::from((byte as i8).unsigned_abs())).sum()
    };
    row.chunks(256).map(|part| u64::from(small(part))).sum()
}

/// Paeth's predictor: the neighbor that is nearest to what a plane through all three would have.
fn predicted(left: u8, above: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, above, corner].map(i16::from);
    let (to_left, to_above, to_corner) = ((b - c).abs(), (a - c).abs(), (a + b - 2 * c).abs());
    if to_left <= to_above && to_left <= to_corner {
        left
    } else if to_above <= to_corner {
        above
    } else {
        corner
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use zlib_rs::adler32::adler32_combine;

    use super::*;
    use crate::document::testing::Rng;

    /// Rows of four pixels: noise, few values, runs of zeros, nothing at all, a single row.
    fn samples() -> Vec<Vec<u8>> {
        let mut rng = Rng(11);
        let mut samples = vec![vec![7; 16], vec![0; 16_000]];
        for values in [2, 5, 256] {
            samples.push((0..320_000).map(|_| rng.below(values) as u8).collect());
        }
        samples.push(
            (0..160_000).map(|_| [0, 0, 0, rng.below(9) as u8][rng.below(4) as usize]).collect(),
        );
        samples
    }

    #[test]
    fn pieces_put_together_are_one_stream() {
        let (mut stream, mut all, mut sum) = (STREAM_START.to_vec(), Vec::new(), 1);
        for sample in samples() {
            let (piece, piece_sum) = compress(&sample, 16).unwrap();
            stream.extend(piece);
            let filtered = filtered(&sample, 16);
            sum = adler32_combine(sum, piece_sum, filtered.len() as u64);
            all.extend(filtered);
        }
        assert_eq!(sum, adler32(1, &all));
        stream.extend(LAST_BLOCK);
        stream.extend(sum.to_be_bytes());
        let mut found = Vec::new();
        flate2::read::ZlibDecoder::new(&stream[..]).read_to_end(&mut found).unwrap();
        assert!(found == all);
    }

    #[test]
    fn output_that_just_fills_the_room_is_not_cut() {
        // Noise comes out a few bytes longer than it goes in, so one of these fills the room to the
        // last byte. The stream can't tell that from too little room and marks its end twice.
        let mut rng = Rng(5);
        let noise: Vec<u8> = (0..SAMPLE_BYTES).map(|_| rng.below(256) as u8).collect();
        let mut lengths = Vec::new();
        for length in SAMPLE_BYTES - 64..=SAMPLE_BYTES {
            let mut piece = Vec::new();
            let mut stream = Kind::Grain.stream();
            push(&mut stream, &noise[..length], DeflateFlush::SyncFlush, &mut piece).unwrap();
            lengths.push(piece.len());
            assert!(piece.ends_with(&[0, 0, 0xFF, 0xFF]));
            piece.extend(LAST_BLOCK);
            let mut found = Vec::new();
            flate2::read::DeflateDecoder::new(&piece[..]).read_to_end(&mut found).unwrap();
            assert!(found == noise[..length], "{length}");
        }
        assert!(lengths.contains(&(SAMPLE_BYTES - 1)), "{lengths:?}");
        assert!(lengths.contains(&(SAMPLE_BYTES + LAST_BLOCK.len())), "{lengths:?}");
    }

    #[test]
    fn what_is_empty_takes_little_and_noise_hardly_more_than_itself() {
        assert!(compress(&vec![0; 8 << 20], 1 << 15).unwrap().0.len() < 20_000);
        let mut rng = Rng(3);
        let noise: Vec<u8> = (0..1 << 20).map(|_| rng.below(256) as u8).collect();
        let (piece, _) = compress(&noise, 1 << 15).unwrap();
        assert!(piece.len() < noise.len() + noise.len() / 256);
    }

    #[test]
    fn drawings_and_grain_are_told_apart() {
        let mut rng = Rng(4);
        let grain: Vec<u8> = (0..1 << 20).map(|_| 99 + rng.below(8) as u8).collect();
        assert_eq!(Kind::of(&filtered(&grain, 4096)).unwrap(), Kind::Grain);
        // The same small piece of grain again and again.
        let drawing: Vec<u8> = (0..1 << 20).map(|i| grain[i % 400]).collect();
        assert_eq!(Kind::of(&filtered(&drawing, 4096)).unwrap(), Kind::Repeats);
    }
}
