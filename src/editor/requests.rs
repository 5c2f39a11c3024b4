//! From what the user wants to what the engine is asked: pure functions of the document.
//!
//! [`plan`] decides at once which part of the canvas a job sees; [`request`] and [`stage`] do the
//! work that takes longer than a frame, flattening before the job and measuring after it, and are
//! called away from the window's thread.

use std::sync::Arc;
use std::time::SystemTime;

use crate::document::{Document, Edit, Place, Shown, flatten, outside_delta};
use crate::editor::{
    Editor, ExtendBy, GalleryId, GalleryItem, GalleryPixels, JobKind, JobNumber, RequestPlan,
    StagePlan, Staged, messages,
};
use crate::engine::catalog::{ClipGuidance, ModelInfo};
use crate::engine::device::{DeviceChoice, Precision};
use crate::engine::draft::{self, Choices, Source, Words};
use crate::engine::error::EngineError;
use crate::engine::event::Picture;
use crate::engine::library::ModelLibrary;
use crate::engine::request::Request;
use crate::geom::{CanvasRect, Extent, PixelRect};
use crate::locale::{tr, trf};
use crate::raster::{CoverGrid, Mask, RgbaImage, small_image};

/// Side of the small pictures in staging strip and gallery.
pub const THUMBNAIL_PX: u32 = 192;
/// Pixels around the mask that the engine sees at least, beside as many as the mask is large.
const CONTEXT_PX: u32 = 256;
/// What an upscale multiplies the canvas' sides by.
const UPSCALE: u32 = 4;

/// Where and how to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceSettings {
    /// The device.
    pub device: DeviceChoice,
    /// The number format.
    pub precision: Precision,
}

/// Plans a job on the document as it is.
///
/// # Errors
///
/// When something is missing: a selection to fill, space to extend by, room for a larger canvas.
pub fn plan(
    editor: &Editor,
    kind: JobKind,
    extend: Option<ExtendBy>,
    job: JobNumber,
) -> Result<RequestPlan, String> {
    let mut document = editor.document.clone();
    let canvas = PixelRect::from(document.extent.rect());
    let mut before = Vec::new();
    let mut generation = editor.generation.clone();
    // A scale that was chosen for another model.
    let has_clip = |model: &ModelInfo| matches!(model.clip, ClipGuidance::Suggested(_));
    generation.clip_guidance =
        generation.clip_guidance.filter(|_| editor.chosen_model().is_some_and(has_clip));
    let selected = || (!document.selection.is_empty()).then(|| document.selection.cover.clone());
    let mask = match kind {
        JobKind::Generate | JobKind::Upscale | JobKind::Chat => None,
        JobKind::Fill => {
            let cover = selected()
                .ok_or_else(|| tr("Paint over a part of the picture first").to_owned())?;
            let grown = if generation.grow_px > 0 {
                cover.grown(generation.grow_px, document.extent)
            } else {
                cover
            };
            Some(grown)
        }
        JobKind::Vary => Some(selected().unwrap_or_else(|| {
            let mut all = CoverGrid::new();
            all.fill(canvas, 255);
            all
        })),
        JobKind::Extend => {
            let by = extend.unwrap_or_default();
            let ExtendBy { left, right, top, bottom } = by;
            if by == ExtendBy::default() {
                return Err(tr("Say by how many pixels to extend the canvas").to_owned());
            }
            let larger = PixelRect::new(
                -(left as i32),
                -(top as i32),
                canvas.width + left + right,
                canvas.height + top + bottom,
            );
            let set = Edit::SetCanvas(larger);
            set.apply(&mut document).map_err(|error| super::update::document_error_text(&error))?;
            before.push(set);
            let mut cover = CoverGrid::new();
            cover.fill(document.extent.rect().into(), 255);
            cover.clear(PixelRect::new(left as i32, top as i32, canvas.width, canvas.height));
            // Blending over the seam would make it transparent: beyond it there is nothing yet.
            generation.feather_px = 0;
            Some(cover)
        }
    };
    if kind == JobKind::Upscale {
        let Extent { width, height } = document.extent;
        let extent = Extent::new(width.saturating_mul(UPSCALE), height.saturating_mul(UPSCALE));
        if extent.width.max(extent.height) > Document::MAX_SIDE_PX {
            return Err(trf(
                "The picture would have {width} × {height} pixels, and at most {most} a side can \
                 be; crop it or scale it down first",
                &[
                    ("width", &extent.width),
                    ("height", &extent.height),
                    ("most", &Document::MAX_SIDE_PX),
                ],
            ));
        }
        before.push(Edit::Resize { extent, resampling: crate::document::Resampling::Smooth });
    }
    let region = match (&mask, kind) {
        (Some(cover), _) => {
            let bounds = cover
                .bounds()
                .and_then(|bounds| bounds.on_canvas(document.extent))
                .ok_or_else(|| tr("What is selected lies outside the canvas").to_owned())?;
            let context = bounds.width.max(bounds.height).max(CONTEXT_PX);
            Some(bounds.padded(context, document.extent))
        }
        (None, JobKind::Upscale) => Some(document.extent.rect()),
        (None, _) => None,
    };
    let preferences = &editor.preferences;
    let device = DeviceSettings { device: preferences.device, precision: preferences.precision };
    let state = editor.history.current();
    let chat = None;
    Ok(RequestPlan { job, kind, generation, device, state, document, before, mask, region, chat })
}

/// Builds the engine's request. Flattens the part of the canvas that the job sees.
///
/// # Errors
///
/// When the model can't do it or a setting makes no sense.
pub fn request(plan: &RequestPlan, library: &ModelLibrary) -> Result<Request, EngineError> {
    if let Some(chat) = &plan.chat {
        return messages::request(plan, chat, library);
    }
    let generation = &plan.generation;
    let words =
        Words { prompt: Some(&generation.prompt), negative: Some(&generation.negative_prompt) };
    let mut choices = Choices {
        model: generation.model.clone(),
        seed: Some(generation.seed),
        steps: generation.steps,
        sampler: generation.sampler,
        guidance: generation.guidance,
        clip_guidance: generation.clip_guidance,
        count: Some(generation.count.max(1)),
        feather_px: Some(generation.feather_px),
        device: Some(plan.device.device),
        precision: Some(plan.device.precision),
        ..Choices::default()
    };
    let picture = |region: CanvasRect| Source::of(Arc::new(flatten(&plan.document, region)));
    match (plan.kind, plan.region, &plan.mask) {
        (JobKind::Generate, _, _) => {
            if generation.small {
                choices.size = Some(small_size(generation.model.as_deref(), library)?);
            }
            draft::generate(words, &choices, None, library)
        }
        (JobKind::Upscale, Some(region), _) => {
            let choices =
                Choices { steps: None, sampler: None, clip_guidance: None, count: None, ..choices };
            draft::upscale(words, &choices, picture(region), None, library)
        }
        (kind, Some(region), Some(cover)) => {
            if kind == JobKind::Vary {
                choices.strength = Some(generation.strength);
            }
            let cover = cover.read(region.into());
            let mask = Mask::from_raw(region.extent(), cover)
                .map_err(|error| EngineError::Input(error.to_string()))?;
            let mask = Source::of(Arc::new(mask));
            draft::inpaint(words, &choices, picture(region), mask, None, library)
        }
        _ => Err(EngineError::Input("there is nothing to paint".to_owned())),
    }
}

fn small_size(model: Option<&str>, library: &ModelLibrary) -> Result<u32, EngineError> {
    use crate::engine::family::{Family, Purpose};
    Family::find(library, model, Purpose::Generate)?.base_size()
}

/// Where a job's pictures lie on the canvas; for the previews too.
#[must_use]
pub fn place_of(plan: &RequestPlan, canvas: Extent, picture: Extent) -> PixelRect {
    match (plan.kind, plan.region) {
        (JobKind::Upscale, _) => PixelRect::new(0, 0, picture.width, picture.height),
        (_, Some(region)) => region.into(),
        (_, None) => PixelRect::new(
            (i64::from(canvas.width) - i64::from(picture.width)).div_euclid(2) as i32,
            (i64::from(canvas.height) - i64::from(picture.height)).div_euclid(2) as i32,
            picture.width,
            picture.height,
        ),
    }
}

/// Makes a job's pictures ready to be shown: edits, the document with each, what changed outside
/// the mask, small pictures. The gallery's numbers are given later.
#[must_use]
pub fn stage(stage: StagePlan) -> Vec<(GalleryItem, Staged)> {
    let StagePlan { plan, outcome, document, untouched } = stage;
    let seconds: f64 = outcome.report.seconds.values().sum();
    let each = seconds / outcome.pictures.len().max(1) as f64;
    outcome
        .pictures
        .into_iter()
        .filter_map(|picture| {
            let Picture { image, seed, record } = picture;
            let image = Arc::new(image);
            let json = serde_json::to_string(&record).ok();
            let edits = edits_of(&plan, &image, seed, json.as_deref(), untouched);
            let staged = staged_on(&plan, &document, edits, seed);
            let thumbnail = match &staged {
                Some(staged) => Arc::clone(&staged.thumbnail),
                None => Arc::new(small_image(&image, THUMBNAIL_PX)),
            };
            let item = GalleryItem {
                id: GalleryId(0),
                kept: None,
                extent: image.extent(),
                pixels: GalleryPixels::Here(image),
                thumbnail,
                record,
                kind: plan.kind,
                time: SystemTime::now(),
                seconds: each,
                origin: None,
                starred: false,
                tags: Vec::new(),
            };
            Some((item, staged?))
        })
        .collect()
}

/// The changes that make a picture part of the document.
fn edits_of(
    plan: &RequestPlan,
    image: &Arc<RgbaImage>,
    seed: u64,
    record: Option<&str>,
    untouched: bool,
) -> Vec<Edit> {
    let mut edits = plan.before.clone();
    let record: Option<Arc<str>> = record.map(Arc::from);
    let name = layer_name(plan, seed);
    let shown = |region: CanvasRect, crop: Option<CanvasRect>| {
        // For upscaling, the picture is enlarged after the model saw it.
        let enlarges = |edit: &&Edit| matches!(edit, Edit::Resize { .. });
        let before = plan.before.iter().filter(|edit| !enlarges(edit)).cloned().collect();
        Some(Arc::new(Shown { state: plan.state, before, region, cover: plan.mask.clone(), crop }))
    };
    if plan.kind == JobKind::Generate {
        let mut canvas = plan.document.extent;
        if untouched {
            let Extent { width, height } = image.extent();
            edits.push(Edit::SetCanvas(PixelRect::new(0, 0, width, height)));
            canvas = image.extent();
        }
        let at = place_of(plan, canvas, image.extent());
        edits.push(Edit::Place(Place {
            image: Arc::clone(image),
            at: (at.x, at.y),
            name,
            mask: None,
            record,
            shown: None,
        }));
        return edits;
    }
    // A result covers what is seen, so it lies on top of all layers.
    if let Some(top) = plan.document.layers.last() {
        edits.push(Edit::SetActive(top.id));
    }
    let (Some(region), Some(cover)) = (plan.region, &plan.mask) else {
        edits.push(Edit::Place(Place {
            image: Arc::clone(image),
            at: (0, 0),
            name,
            mask: None,
            record,
            shown: plan.region.and_then(|region| shown(region, None)),
        }));
        return edits;
    };
    let bounds = cover.bounds().and_then(|bounds| bounds.on_canvas(plan.document.extent));
    let bounds = bounds.unwrap_or(region);
    let inside = CanvasRect { x: bounds.x - region.x, y: bounds.y - region.y, ..bounds };
    edits.push(Edit::Place(Place {
        image: Arc::new(image.crop(inside)),
        at: (bounds.x as i32, bounds.y as i32),
        name,
        mask: Some(whole_pixels(cover, bounds)),
        record,
        shown: shown(region, Some(inside)),
    }));
    edits
}

/// The mask of a result's layer: all of each pixel that the model was allowed to change. The soft
/// edge is in the result's colors already.
fn whole_pixels(cover: &CoverGrid, bounds: CanvasRect) -> CoverGrid {
    let mut mask = CoverGrid::new();
    let hard: Vec<u8> =
        cover.read(bounds.into()).into_iter().map(|c| if c > 0 { 255 } else { 0 }).collect();
    mask.write(bounds.into(), &hard);
    mask
}

/// The document with a result, and what that changed; nothing where the edits don't fit it.
fn staged_on(
    plan: &RequestPlan,
    document: &Document,
    edits: Vec<Edit>,
    seed: u64,
) -> Option<Staged> {
    let mut with = document.clone();
    let mut compared = document.clone();
    for edit in &edits {
        let applied = edit.apply(&mut with);
        if let Err(error) = applied {
            log::warn!("a result does not fit the document: {error}");
            return None;
        }
        if plan.before.len() > 1 || matches!(edit, Edit::SetCanvas(_) | Edit::Resize { .. }) {
            // What is compared has the canvas of the result.
            compared = with.clone();
        }
    }
    let outside_mask_delta = plan.mask.as_ref().map(|cover| {
        let selection = crate::document::Selection { cover: cover.clone() };
        outside_delta(&compared, &with, &selection)
    });
    let thumbnail = Arc::new(crate::document::thumbnail(&with, THUMBNAIL_PX));
    Some(Staged {
        gallery: GalleryId(0),
        thumbnail,
        seed,
        kind: plan.kind,
        edits,
        document: with,
        layer_name: layer_name(plan, seed),
        outside_mask_delta,
        base: None,
    })
}

pub(super) fn layer_name(plan: &RequestPlan, seed: u64) -> String {
    let prompt = plan.generation.prompt.trim();
    if prompt.is_empty() {
        return format!("{} {seed}", tr(kind_name(plan.kind)));
    }
    prompt.chars().take(40).collect()
}

/// The name of a kind of work; a text to translate.
#[must_use]
pub const fn kind_name(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Generate => "Generate",
        JobKind::Fill => "Fill the mask",
        JobKind::Extend => "Extend the canvas",
        JobKind::Vary => "Vary",
        JobKind::Upscale => "Upscale",
        JobKind::Chat => "Chat",
    }
}
