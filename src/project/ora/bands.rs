//! PNG files made of bands: rows that are compressed on their own, on all cores, and taken over from
//! an earlier file where they are the same.
//!
//! To other programs it is a PNG like any other, of 8-bit RGBA:
//!
//! | chunk | what is in it |
//! |---|---|
//! | `IHDR` | the size |
//! | `IDAT` | the two bytes that a stream begins with |
//! | `IDAT` of each band | its rows as raw deflate that refers to nothing before it; an empty block at its end fills up the last byte |
//! | `IDAT` | an empty last block and the sum of all rows, which follows from the sums of the bands |
//! | `IEND` | |
//!
//! A band is what a row of tiles has of the picture. The first row of a band uses a filter that needs
//! no row above, so a band's bytes follow from its pixels alone, and bands of two files can be mixed.
//!
//! Source: <https://www.w3.org/TR/png-3/>, sections 5 (chunks) and 10 (streams over chunks).

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};

use rayon::ThreadPool;
use serde::{Deserialize, Serialize};
use zlib_rs::adler32::adler32_combine;

use crate::geom::Extent;
use crate::project::ora::compress::{LAST_BLOCK, PIXEL_BYTES, STREAM_START, compress};
use crate::raster::TILE_PX;

/// Bytes of a chunk beside what is in it: length, name, checksum.
const CHUNK_FRAME: u64 = 12;
/// Bytes before the first band: the file's mark, its head, the start of the stream.
const START_BYTES: u64 = 8 + (CHUNK_FRAME + 13) + (CHUNK_FRAME + STREAM_START.len() as u64);

/// A band in its compressed form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Band {
    /// A piece of the stream.
    pub(super) piece: Vec<u8>,
    /// How it is known again.
    pub(super) key: BandKey,
}

/// What is noted of a band, so that it can be taken over later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BandKey {
    /// Bytes of its piece.
    pub(super) bytes: u64,
    /// The checksum of its chunk.
    pub(super) crc32: u32,
    /// The Adler-32 sum of what it unpacks to.
    pub(super) sum: u32,
}

impl Band {
    fn new(pixels: &[u8], row_bytes: usize) -> io::Result<Self> {
        let (piece, sum) = compress(pixels, row_bytes)?;
        let key = BandKey { bytes: piece.len() as u64, crc32: checksum(*b"IDAT", &piece), sum };
        Ok(Self { piece, key })
    }
}

/// Where a picture's bands come from.
pub(super) struct Bands<'a> {
    /// The picture's size.
    pub(super) extent: Extent,
    /// Its first row on the plane of the tiles.
    pub(super) first: i32,
    /// The pixels of some rows of that plane.
    pub(super) rows: &'a (dyn Fn(i32, u32) -> Vec<u8> + Sync),
    /// A band that need not be made, by its number.
    pub(super) kept: &'a mut dyn FnMut(usize) -> Option<Band>,
}

/// A band that is there or on its way.
enum Coming {
    There(Band),
    Made(Receiver<io::Result<Band>>),
}

/// Writes a PNG whose bands `threads` make; gives their keys.
pub(super) fn write_png(
    bands: Bands<'_>,
    threads: &ThreadPool,
    sink: &mut dyn Write,
) -> io::Result<Vec<BandKey>> {
    let Bands { extent, first, rows, kept } = bands;
    sink.write_all(b"\x89PNG\r\n\x1a\n")?;
    let [width, height] = [extent.width.to_be_bytes(), extent.height.to_be_bytes()];
    // 8 bits of red, green, blue and alpha, no interlacing.
    chunk(sink, *b"IHDR", &[&width[..], &height, &[8, 6, 0, 0, 0]].concat())?;
    chunk(sink, *b"IDAT", &STREAM_START)?;
    let row_bytes = extent.width as usize * PIXEL_BYTES;
    let (mut written, mut sum) = (Vec::new(), 1);
    // Enough on the way that all threads have work while a band is written, and not more: a large
    // picture is never in memory as a whole.
    let most = threads.current_num_threads() + 2;
    threads.in_place_scope(|scope| {
        let mut write = |(coming, count): (Coming, u32)| -> io::Result<()> {
            let Band { piece, key } = match coming {
                Coming::There(band) => band,
                Coming::Made(band) => {
                    band.recv().map_err(|_| io::Error::other("a band was not made"))??
                }
            };
            framed(sink, *b"IDAT", &piece, key.crc32)?;
            sum = adler32_combine(sum, key.sum, u64::from(count) * (row_bytes as u64 + 1));
            written.push(key);
            Ok(())
        };
        let mut queue = VecDeque::new();
        for (i, (top, count)) in band_rows(first, extent.height).enumerate() {
            let coming = kept(i).map_or_else(
                || {
                    let (made, band) = sync_channel(1);
                    scope.spawn(move |_| {
                        // Nobody waits for it where writing has failed.
                        made.send(Band::new(&rows(top, count), row_bytes)).ok();
                    });
                    Coming::Made(band)
                },
                Coming::There,
            );
            queue.push_back((coming, count));
            if queue.len() >= most {
                queue.pop_front().map_or(Ok(()), &mut write)?;
            }
        }
        queue.into_iter().try_for_each(write)
    })?;
    chunk(sink, *b"IDAT", &[&LAST_BLOCK[..], &sum.to_be_bytes()].concat())?;
    chunk(sink, *b"IEND", &[])?;
    Ok(written)
}

fn chunk(sink: &mut dyn Write, name: [u8; 4], content: &[u8]) -> io::Result<()> {
    framed(sink, name, content, checksum(name, content))
}

/// Writes a chunk whose checksum is known.
fn framed(sink: &mut dyn Write, name: [u8; 4], content: &[u8], crc32: u32) -> io::Result<()> {
    let length = u32::try_from(content.len()).map_err(io::Error::other)?;
    sink.write_all(&length.to_be_bytes())?;
    sink.write_all(&name)?;
    sink.write_all(content)?;
    sink.write_all(&crc32.to_be_bytes())
}

fn checksum(name: [u8; 4], content: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&name);
    crc.update(content);
    crc.finalize()
}

/// Bands of a PNG that [`write_png`] wrote, read in their order.
pub(super) struct OldBands<R> {
    png: R,
    at: u64,
}

impl<R: Read> OldBands<R> {
    /// Reads from the start of the file.
    pub(super) const fn new(png: R) -> Self {
        Self { png, at: 0 }
    }

    /// The band with this key which comes after bands of so many bytes; nothing where the file has
    /// other bytes there, because it is damaged or something else wrote it.
    pub(super) fn band(
        &mut self,
        before: impl IntoIterator<Item = u64>,
        key: BandKey,
    ) -> Option<Band> {
        let start = before.into_iter().try_fold(START_BYTES, |start, bytes| {
            start.checked_add(CHUNK_FRAME)?.checked_add(bytes)
        })?;
        let length = u32::try_from(key.bytes).ok()?;
        let way = start.checked_sub(self.at)?;
        let passed = io::copy(&mut Read::by_ref(&mut self.png).take(way), &mut io::sink()).ok()?;
        self.at += passed;
        if passed != way {
            return None;
        }
        let mut all = Vec::new();
        let read = Read::by_ref(&mut self.png).take(CHUNK_FRAME + key.bytes).read_to_end(&mut all);
        self.at += all.len() as u64;
        read.ok()?;
        let end = all.len().checked_sub(4)?;
        let (head, piece) = all.get(..end)?.split_at_checked(8)?;
        let whole = head == [&length.to_be_bytes()[..], b"IDAT"].concat()
            && piece.len() as u64 == key.bytes
            && checksum(*b"IDAT", piece) == key.crc32;
        whole.then(|| Band { piece: piece.to_vec(), key })
    }
}

/// The first row and the number of rows of each band that lies in one row of tiles.
pub(super) fn band_rows(first: i32, height: u32) -> impl Iterator<Item = (i32, u32)> {
    let end = first.saturating_add_unsigned(height);
    let mut top = first;
    std::iter::from_fn(move || {
        let tile_end = (top.div_euclid(TILE_PX as i32) + 1).saturating_mul(TILE_PX as i32);
        let rows = tile_end.min(end).saturating_sub(top);
        let band = (rows > 0).then_some((top, rows.unsigned_abs()));
        top = top.saturating_add(rows.max(0));
        band
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::testing::Rng;

    const SIZES: [(u32, u32, i32); 9] = [
        (1, 1, 0),
        (1, 1, 255),
        (1, 700, -3),
        (300, 1, 511),
        (97, 601, -307),
        (513, 257, 0),
        (40, 256, 256),
        (2, 255, 1),
        (2053, 263, 127),
    ];

    /// Pixels of one of these kinds: noise, a pattern, nothing but a few dots, nothing at all.
    fn pixels(rng: &mut Rng, extent: Extent, kind: u32) -> Vec<u8> {
        let row = extent.width as usize * PIXEL_BYTES;
        let bytes = 0..row * extent.height as usize;
        let byte = |i: usize| match kind {
            0 => rng.below(256) as u8,
            1 => (i / 7 + i / row * 3) as u8,
            2 => u8::from(rng.below(40) == 0),
            _ => 0,
        };
        bytes.map(byte).collect()
    }

    fn threads(count: usize) -> ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap()
    }

    fn written(
        pixels: &[u8],
        extent: Extent,
        first: i32,
        kept: &mut dyn FnMut(usize) -> Option<Band>,
    ) -> (Vec<u8>, Vec<BandKey>) {
        let row = extent.width as usize * PIXEL_BYTES;
        let rows = |top: i32, count: u32| {
            let start = (top - first) as usize * row;
            pixels[start..start + count as usize * row].to_vec()
        };
        let mut png = Vec::new();
        let bands = Bands { extent, first, rows: &rows, kept };
        let keys = write_png(bands, &threads(2), &mut png).unwrap();
        (png, keys)
    }

    fn decoded(png: &[u8]) -> Vec<u8> {
        let mut reader = png::Decoder::new(io::Cursor::new(png)).read_info().unwrap();
        assert_eq!(reader.output_color_type(), (png::ColorType::Rgba, png::BitDepth::Eight));
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        reader.finish().unwrap();
        pixels
    }

    /// The bytes of all `IDAT` chunks.
    fn stream(png: &[u8]) -> Vec<u8> {
        let (mut rest, mut stream) = (&png[8..], Vec::new());
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            if &after[..4] == b"IDAT" {
                stream.extend(&after[4..4 + length]);
            }
            rest = &after[8 + length..];
        }
        stream
    }

    #[test]
    fn another_decoder_reads_every_pixel_and_finds_the_sum_right() {
        let mut rng = Rng(8);
        for (width, height, first) in SIZES {
            for kind in 0..4 {
                let extent = Extent::new(width, height);
                let pixels = pixels(&mut rng, extent, kind);
                let (png, _) = written(&pixels, extent, first, &mut |_| None);
                assert!(decoded(&png) == pixels, "{width}x{height} from {first}, {kind}");
                // Decoders of pictures need not look at the sum; this one does.
                let mut unpacked = Vec::new();
                let stream = stream(&png);
                let mut inflate = flate2::read::ZlibDecoder::new(&stream[..]);
                inflate.read_to_end(&mut unpacked).unwrap();
                assert_eq!(unpacked.len(), pixels.len() + height as usize);
                assert_eq!(inflate.total_in(), stream.len() as u64, "nothing is left over");
            }
        }
    }

    #[test]
    fn any_mix_of_old_and_new_bands_is_the_file_that_is_made_anew() {
        let mut rng = Rng(9);
        for (width, height, first) in SIZES {
            let extent = Extent::new(width, height);
            let before = pixels(&mut rng, extent, 1);
            let (old_png, old_keys) = written(&before, extent, first, &mut |_| None);
            for _ in 0..4 {
                let mut after = before.clone();
                let mut same = Vec::new();
                for (top, count) in band_rows(first, height) {
                    same.push(rng.below(2) == 0);
                    let band = (top - first) as usize..(top - first) as usize + count as usize;
                    let row = width as usize * PIXEL_BYTES;
                    if same.last() == Some(&false) {
                        after[band.start * row..band.end * row].fill_with(|| rng.below(9) as u8);
                    }
                }
                let (fresh, _) = written(&after, extent, first, &mut |_| None);
                let (mut old, mut copied) = (OldBands::new(&old_png[..]), 0);
                let (mixed, _) = written(&after, extent, first, &mut |i| {
                    let above = old_keys[..i].iter().map(|key| key.bytes);
                    let band = same[i].then(|| old.band(above, old_keys[i]).unwrap());
                    copied += usize::from(band.is_some());
                    band
                });
                assert_eq!(copied, same.iter().filter(|same| **same).count());
                assert!(mixed == fresh && decoded(&mixed) == after, "{width}x{height} {same:?}");
            }
        }
    }

    #[test]
    fn bytes_that_are_not_those_noted_are_not_taken_over() {
        let mut rng = Rng(10);
        let (extent, first) = (Extent::new(200, 1000), -100);
        let pixels = pixels(&mut rng, extent, 0);
        let (png, keys) = written(&pixels, extent, first, &mut |_| None);
        assert_eq!(keys.len(), 5);
        let kept = |png: &[u8], keys: &[BandKey]| {
            let mut old = OldBands::new(png);
            let band = |i: usize| {
                let band = old.band(keys[..i].iter().map(|key| key.bytes), keys[i]);
                band.inspect(|band| assert_eq!(band.key, keys[i])).is_some()
            };
            (0..5).map(band).collect::<Vec<bool>>()
        };
        assert_eq!(kept(&png, &keys), [true; 5]);
        // A byte of the second band, of the name of its chunk, of its checksum.
        let second = (START_BYTES + CHUNK_FRAME + keys[0].bytes) as usize;
        for at in [second + 300, second + 5, second + 8 + keys[1].bytes as usize] {
            let mut damaged = png.clone();
            damaged[at] ^= 4;
            let expected = [true, at == second + 8 + keys[1].bytes as usize, true, true, true];
            assert_eq!(kept(&damaged, &keys), expected, "{at}");
        }
        // Another picture of the same size, whose chunks are as good.
        let other =
            written(&super::tests::pixels(&mut rng, extent, 0), extent, first, &mut |_| None);
        assert_eq!(kept(&other.0, &keys), [false; 5]);
        // Cut off, empty, and notes that make no sense.
        assert_eq!(kept(&png[..second + 40], &keys), [true, false, false, false, false]);
        assert_eq!(kept(&[], &keys), [false; 5]);
        let mut huge = keys.clone();
        huge[1].bytes = u64::MAX;
        assert_eq!(kept(&png, &huge), [true, false, false, false, false]);
    }

    #[test]
    fn a_file_that_can_not_be_written_is_an_error_and_no_panic() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let fits = self.0.min(bytes.len());
                self.0 -= fits;
                if fits == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(fits) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let extent = Extent::new(50, 2000);
        let pixels = pixels(&mut Rng(12), extent, 0);
        let rows = |top: i32, count: u32| {
            pixels[top as usize * 200..(top as usize + count as usize) * 200].to_vec()
        };
        for room in [0, 20, 60, 70_000, 200_000] {
            let bands = Bands { extent, first: 0, rows: &rows, kept: &mut |_| None };
            let error = write_png(bands, &threads(3), &mut Full(room)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{room}");
        }
    }
}
