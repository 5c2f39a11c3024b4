//! Text to pictures.

use crate::engine::denoisers::Inputs;
use crate::engine::error::EngineError;
use crate::engine::event::Picture;
use crate::engine::jobs::Jobs;
use crate::engine::pair::{Pair, Take};
use crate::engine::report::Report;
use crate::engine::request::{GenerateRequest, Request};
use crate::engine::tensor_image::{image_from_tensor, low_res_from_sample};

/// Draws the pictures of a request, one after the other.
///
/// # Errors
///
/// When a model can't be loaded or run, or the job was cancelled.
pub(crate) fn generate(
    jobs: &mut Jobs,
    request: &GenerateRequest,
    report: &mut Report<'_>,
) -> Result<Vec<Picture>, EngineError> {
    let GenerateRequest { common, count, base, upsample } = request;
    let pair = Pair::prepare(jobs, common, Some(base), upsample.as_ref(), report)?;
    let whole = Request::Generate(request.clone());
    let items = *count as usize;
    let mut pictures = Vec::with_capacity(items);
    for item in 0..items {
        let seed = common.seed.wrapping_add(item as u64);
        let take = Take { seed, region: 0, item: (item, items) };
        let mut sample = pair.draw(&Inputs::default(), take, report)?;
        if pair.upsample.is_some() {
            let low_res = Some(low_res_from_sample(&sample)?);
            sample = pair.enlarge(&Inputs { low_res, ..Inputs::default() }, take, report)?;
        }
        let image = image_from_tensor(&sample)?;
        pictures.push(Picture { image, seed, record: whole.record(seed) });
    }
    Ok(pictures)
}
