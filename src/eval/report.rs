//! What evaluations have in common: the plan, what is seen on the way, tables and contact sheets.

use std::fmt::{self, Display, Formatter};

use crate::eval::draw::DrawReport;
use crate::eval::edit::EditReport;
use crate::geom::Extent;
use crate::raster::{Mask, RgbaImage, resize_mask_any, resize_rgba};

/// Gap between the pictures of a contact sheet, in pixels.
const GAP_PX: u32 = 4;
/// Side that small pictures are enlarged to on a contact sheet, about.
const SHOWN_PX: u32 = 128;
/// The color around the pictures.
const MOUNT: [u8; 4] = [70, 70, 74, 255];
/// The color of a region's outline; no scene has it.
const OUTLINE: [u8; 4] = [255, 0, 255, 255];

/// How much is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Cases of each kind.
    pub count: u32,
    /// Where scenes and noise start.
    pub seed: u64,
}

/// What is to be seen while an evaluation runs.
#[derive(Debug)]
pub enum Seen {
    /// A case is done.
    Case {
        /// The kind.
        kind: &'static str,
        /// Its pictures, for the contact sheet of its kind.
        row: Vec<RgbaImage>,
        /// Cases that are done.
        done: usize,
        /// Cases in all; fewer where the domain has none of a kind.
        all: usize,
    },
}

/// Pictures in rows and columns, small ones enlarged with hard edges.
#[must_use]
pub fn contact_sheet(rows: &[Vec<RgbaImage>]) -> RgbaImage {
    let largest = rows.iter().flatten().map(|image| image.extent().width).max().unwrap_or(1);
    let scale = (SHOWN_PX / largest.max(1)).max(1);
    let rows: Vec<Vec<RgbaImage>> =
        rows.iter().map(|row| row.iter().map(|image| enlarged(image, scale)).collect()).collect();
    let cell = |side: fn(Extent) -> u32| {
        rows.iter().flatten().map(|image| side(image.extent())).max().unwrap_or(0) + GAP_PX
    };
    let (width, height) = (cell(|extent| extent.width), cell(|extent| extent.height));
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let extent = Extent::new(columns * width + GAP_PX, rows.len() as u32 * height + GAP_PX);
    let mut sheet = RgbaImage::new(extent, MOUNT);
    for (y, row) in (0..).zip(&rows) {
        for (x, image) in (0..).zip(row) {
            let shown = image.flattened([MOUNT[0], MOUNT[1], MOUNT[2]]);
            sheet.paste(&shown, GAP_PX + x * width, GAP_PX + y * height);
        }
    }
    sheet
}

fn enlarged(image: &RgbaImage, scale: u32) -> RgbaImage {
    let extent = image.extent();
    let large = Extent::new(extent.width * scale, extent.height * scale);
    let mut result = RgbaImage::new(large, [0; 4]);
    for (i, pixel) in (0..).zip(result.pixels_mut()) {
        let (x, y) = (i % large.width.max(1), i / large.width.max(1));
        *pixel = image.pixel(x / scale, y / scale);
    }
    result
}

/// A picture, enlarged, with a line around a region.
pub(crate) fn outlined(image: &RgbaImage, region: &Mask) -> RgbaImage {
    let scale = (SHOWN_PX / image.extent().width.max(1)).max(1);
    let mut shown = enlarged(image, scale);
    let extent = shown.extent();
    let inside = |x: Option<u32>, y: Option<u32>| match (x, y) {
        (Some(x), Some(y)) if x < extent.width && y < extent.height => {
            region.pixel(x / scale, y / scale) > 0
        }
        _ => false,
    };
    for (i, pixel) in (0..).zip(shown.pixels_mut()) {
        let (x, y) = (i % extent.width.max(1), i / extent.width.max(1));
        let around = [
            (x.checked_sub(1), Some(y)),
            (Some(x + 1), Some(y)),
            (Some(x), y.checked_sub(1)),
            (Some(x), Some(y + 1)),
        ];
        if inside(Some(x), Some(y)) && around.into_iter().any(|(x, y)| !inside(x, y)) {
            *pixel = OUTLINE;
        }
    }
    shown
}

/// The picture at the size that scores are computed at.
pub(crate) fn fitted(image: RgbaImage, extent: Extent) -> RgbaImage {
    if image.extent() == extent { image } else { resize_rgba(&image, extent) }
}

/// The region at the size that scores are computed at.
pub(crate) fn fitted_mask(mask: Mask, extent: Extent) -> Mask {
    if mask.extent() == extent { mask } else { resize_mask_any(&mask, extent) }
}

/// A share as a percentage, right-aligned; a dash where there is none.
struct Percent(Option<f64>);

impl Display for Percent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0));
        f.pad_integral(true, "", &text)
    }
}

/// Decibels, right-aligned; a dash where there are none.
struct Decibels(Option<f64>);

impl Display for Decibels {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0.map_or_else(|| "-".to_owned(), |db| format!("{db:.1}"));
        f.pad_integral(true, "", &text)
    }
}

impl Display for DrawReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12}{:>6}{:>18}", "task", "cases", "nearest = asked")?;
        for row in &self.rows {
            let (name, share) = (row.task.name(), Percent(row.nearest_is_asked));
            writeln!(f, "{name:<12}{:>6}{share:>18}", row.count)?;
        }
        let chance = Percent((self.candidates > 0).then(|| 1.0 / self.candidates as f64));
        write!(f, "a guess among {} sprites: {chance}", self.candidates)
    }
}

impl Display for EditReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12}{:>6}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}",
            "edit", "cases", "PSNR dB", "undone", "kept", "region", "overlap", "nearest", "reply"
        )?;
        for row in &self.edits {
            writeln!(
                f,
                "{:<12}{:>6}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}",
                row.kind,
                row.count,
                Decibels(row.psnr_db),
                Decibels(row.psnr_undone_db),
                Decibels(row.psnr_kept_db),
                Percent(row.region_right),
                Percent(row.region_overlap),
                Percent(row.nearest_is_asked),
                Percent(row.reply_exact),
            )?;
        }
        writeln!(f, "\n{:<12}{:>6}{:>9}", "question", "cases", "exact")?;
        for row in &self.questions {
            writeln!(f, "{:<12}{:>6}{:>9}", row.kind, row.count, Percent(row.exact))?;
        }
        write!(
            f,
            "\nPSNR: inside what truly changes; undone: the same for doing nothing; kept: elsewhere, \
             before it is put back.\nregion: share of edits that changed the right part; overlap: \
             intersection over union.\nnearest: new things recognized; reply: word for word."
        )
    }
}
