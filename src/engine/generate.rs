//! Text to pictures.

use crate::engine::denoisers::Inputs;
use crate::engine::error::EngineError;
use crate::engine::event::Picture;
use crate::engine::family::Enlarged;
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
    let enlarged = if pair.upsample.is_some() { Enlarged::Yes } else { Enlarged::No };
    report.plan(pair.work(enlarged, 1.0) * items as f64);
    let mut pictures = Vec::with_capacity(items);
    for item in 0..items {
        let seed = common.seed.wrapping_add(item as u64);
        let take = Take { seed, region: 0, item: (item, items), frame: None };
        let mut sample = pair.draw(&Inputs::default(), None, take, report)?;
        if pair.upsample.is_some() {
            let low_res = Some(low_res_from_sample(&sample)?);
            let inputs = Inputs { low_res, ..Inputs::default() };
            sample = pair.enlarge(&inputs, None, take, report)?;
        }
        let image = image_from_tensor(&sample)?;
        pictures.push(Picture { image, seed, record: whole.record(seed) });
    }
    Ok(pictures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{JobEvent, Stage};
    use crate::engine::family::Purpose;
    use crate::engine::library::TinyFamily;
    use crate::engine::request::SamplerChoice;
    use crate::engine::testing::TinyEngine;
    use crate::geom::Extent;

    fn request(tiny: &TinyEngine, prompt: &str, clip_guidance: f64) -> GenerateRequest {
        let family = tiny.family(Purpose::Generate);
        let mut base = family.base_settings(None).unwrap();
        base.clip_guidance = clip_guidance;
        GenerateRequest {
            common: tiny.common(Purpose::Generate, prompt, clip_guidance),
            count: 1,
            base,
            upsample: Some(family.upsample_settings().unwrap()),
        }
    }

    #[test]
    fn a_picture_depends_on_its_request_alone_and_not_on_those_beside_it() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        let mut draw = |request: &GenerateRequest| {
            let outcome = tiny.run(Request::Generate(request.clone()));
            let seeds: Vec<u64> = outcome.pictures.iter().map(|picture| picture.seed).collect();
            (outcome.pictures.into_iter().map(|p| p.image).collect::<Vec<_>>(), seeds)
        };
        let other = TinyEngine::new(&TinyFamily::new("tiny"));
        let three = GenerateRequest { count: 3, ..request(&other, "a red circle", 0.0) };
        let (pictures, seeds) = draw(&three);
        assert_eq!(seeds, [7, 8, 9]);
        assert_eq!(pictures[0].extent(), Extent::new(32, 32));
        assert_ne!(pictures[0], pictures[1]);
        assert_eq!(draw(&three).0, pictures, "the same request gives the same bytes");
        let mut second = three.clone();
        second.common.seed = 8;
        second.count = 1;
        assert_eq!(draw(&second).0, pictures[1..2], "picture 2 of 3 is the single one of its seed");
        let mut words = second.clone();
        words.common.prompt = "a blue square".to_owned();
        assert_ne!(draw(&words).0, pictures[1..2], "the prompt matters");
        for sampler in [SamplerChoice::Ddim, SamplerChoice::DpmPp] {
            let mut loops = second.clone();
            loops.base.sampler = sampler;
            assert_ne!(draw(&loops).0, pictures[1..2], "the sampler matters");
        }
    }

    #[test]
    fn guidance_leads_away_from_the_negative_prompt() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        let plain = request(&tiny, "a red circle", 0.0);
        let draw = |tiny: &mut TinyEngine, negative: &str, guidance: f64| {
            let mut request = plain.clone();
            negative.clone_into(&mut request.common.negative_prompt);
            request.base.guidance = guidance;
            tiny.run(Request::Generate(request)).pictures.remove(0).image
        };
        let usual = draw(&mut tiny, "", 3.0);
        assert_ne!(draw(&mut tiny, "a blue square", 3.0), usual);
        // Away from itself is nowhere: the prediction with the prompt alone.
        assert_eq!(draw(&mut tiny, "a blue square", 1.0), draw(&mut tiny, "", 1.0));
        let json = serde_json::to_string(&plain).unwrap();
        assert!(!json.contains("negative"), "{json}");
    }

    #[test]
    fn the_share_of_the_job_weighs_steps_by_what_they_compute() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        let mut two = GenerateRequest { count: 2, ..request(&tiny, "a red circle", 0.0) };
        two.base.guidance = 1.0;
        let mut shares = Vec::new();
        tiny.run_watched(Request::Generate(two), |progress| shares.push(progress.overall));
        assert_eq!(shares.len(), 16);
        assert!(shares.is_sorted() && (shares[15] - 1.0).abs() < 1e-6, "{shares:?}");
        assert!((shares[7] - 0.5).abs() < 1e-4, "{shares:?}");
        // As many steps, but on a picture four times as large.
        let (base, upsample) = (shares[3], shares[7] - shares[3]);
        assert!(base > 0.05 && base < 0.75 * upsample, "{base} {upsample}");
        assert!(tiny.engine.take_preview().unwrap().place.is_none());
    }

    #[test]
    fn networks_that_were_loaded_ahead_are_used() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        let device = crate::engine::device::DeviceChoice::Cpu;
        let preload = crate::engine::handle::Preload { device, ..Default::default() };
        tiny.engine.preload(preload).unwrap();
        let drawn = tiny.run(Request::Generate(request(&tiny, "a red circle", 0.0)));
        let mut other = TinyEngine::new(&TinyFamily::new("tiny"));
        let again = other.run(Request::Generate(request(&other, "a red circle", 0.0)));
        assert_eq!(drawn.pictures[0].image, again.pictures[0].image);
    }

    #[test]
    fn clip_guidance_changes_the_picture() {
        let mut tiny = TinyEngine::new(&TinyFamily::complete("tiny"));
        let plain = request(&tiny, "a red circle", 0.0);
        let guided = request(&tiny, "a red circle", 50.0);
        let plain = tiny.run(Request::Generate(plain));
        let guided = tiny.run(Request::Generate(guided));
        assert_ne!(plain.pictures[0].image, guided.pictures[0].image);
    }

    #[test]
    fn a_cancel_reaches_a_network_at_work() {
        let mut tiny = TinyEngine::new(&TinyFamily::new("tiny"));
        let mut long = request(&tiny, "a red circle", 0.0);
        long.base.steps = 1000;
        long.base.respacing = "1000".to_owned();
        long.count = 100;
        let job = tiny.engine.submit(Request::Generate(long)).unwrap();
        let mut last = None;
        while last.is_none() {
            let wait = std::time::Duration::from_mins(5);
            match tiny.engine.wait(wait).expect("an event in time").1 {
                JobEvent::Stage(Stage::Base) => tiny.engine.cancel(job),
                event if event.is_last() => last = Some(event),
                _ => {}
            }
        }
        assert!(matches!(last, Some(JobEvent::Cancelled)), "{last:?}");
    }
}
