//! What a request may say, looked at before any model is loaded.

use std::sync::Arc;

use crate::engine::error::EngineError;
use crate::engine::request::{BaseSettings, ChatRequest, Request, UpsampleSettings};
use crate::engine::upscale::{FACTOR, MAX_AREA};
use crate::raster::{Mask, RgbaImage};

/// Pictures that one request may ask for.
const MAX_COUNT: u32 = 1000;
/// Guidance beyond this only burns the picture.
const MAX_GUIDANCE: f64 = 1000.0;
/// Wider feathers than any picture are mistakes.
const MAX_FEATHER_PX: u32 = 1024;
/// Tokens that an answer may have; the models' contexts are shorter.
const MAX_TOKENS: u32 = 4096;
/// Steps that a loop may have; no process has more timesteps.
const MAX_STEPS: u32 = 1000;

/// Refuses requests that can't be done or make no sense.
///
/// # Errors
///
/// An [`EngineError::Input`] that names the setting, its value and what is allowed.
pub fn check(request: &Request) -> Result<(), EngineError> {
    match request {
        Request::Chat(request) => check_chat(request),
        Request::Generate(request) => {
            check_count(request.count)?;
            check_base(&request.base)?;
            request.upsample.as_ref().map_or(Ok(()), check_upsample)
        }
        Request::Inpaint(request) => {
            let settings = &request.settings;
            check_count(settings.count)?;
            check_base(&settings.base)?;
            settings.upsample.as_ref().map_or(Ok(()), check_upsample)?;
            within("--feather", f64::from(settings.feather_px), 0.0, f64::from(MAX_FEATHER_PX))?;
            check_strength(settings.strength)?;
            check_mask(&request.image, &request.mask)
        }
        Request::Upscale(request) => {
            check_upsample(&request.settings.upsample)?;
            let extent = request.image.extent();
            if extent.area() == 0 {
                return Err(EngineError::Input("the picture has no pixels".to_owned()));
            }
            if extent.area() > MAX_AREA {
                return Err(EngineError::TooLarge(format!(
                    "a picture of {extent} is too large to be enlarged {FACTOR} times; at most \
                     {MAX_AREA} pixels can be, such as 1024x512; scale it down or cut it first"
                )));
            }
            Ok(())
        }
    }
}

fn check_chat(request: &ChatRequest) -> Result<(), EngineError> {
    let settings = &request.settings;
    check_base(&settings.base)?;
    settings.upsample.as_ref().map_or(Ok(()), check_upsample)?;
    within("--temperature", settings.temperature, 0.0, 100.0)?;
    within("--top-p", settings.top_p, 0.0, 1.0)?;
    within("--max-tokens", f64::from(settings.max_tokens), 0.0, f64::from(MAX_TOKENS))?;
    within("--feather", f64::from(settings.feather_px), 0.0, f64::from(MAX_FEATHER_PX))?;
    let most = f64::from(MAX_FEATHER_PX);
    within("--widen", f64::from(settings.widen_px), -most, most)?;
    if settings.common.prompt.trim().is_empty() {
        return Err(EngineError::Input("the message is empty; say what you want".to_owned()));
    }
    let empty = |image: &Arc<RgbaImage>| image.extent().area() == 0;
    if request.image.iter().chain(&request.attachments).any(empty) {
        return Err(EngineError::Input("the picture has no pixels".to_owned()));
    }
    match (&request.image, &request.mask) {
        (Some(image), Some(mask)) => check_mask(image, mask),
        (None, Some(_)) => {
            Err(EngineError::Input("a mask needs the picture that it belongs to".to_owned()))
        }
        (_, None) => Ok(()),
    }
}

fn check_mask(image: &RgbaImage, mask: &Mask) -> Result<(), EngineError> {
    let (image, size) = (image.extent(), mask.extent());
    if image != size {
        return Err(EngineError::Input(format!(
            "the mask is {size} but the picture is {image}; save the mask at the picture's size"
        )));
    }
    if image.area() == 0 {
        return Err(EngineError::Input("the picture has no pixels".to_owned()));
    }
    if mask.is_empty() { Err(EngineError::EmptyMask) } else { Ok(()) }
}

fn check_count(count: u32) -> Result<(), EngineError> {
    within("--count", f64::from(count), 1.0, f64::from(MAX_COUNT))
}

fn check_base(base: &BaseSettings) -> Result<(), EngineError> {
    within("--steps", f64::from(base.steps), 2.0, f64::from(MAX_STEPS))?;
    within("--eta", base.eta, 0.0, 1.0)?;
    within("--guidance", base.guidance, -MAX_GUIDANCE, MAX_GUIDANCE)?;
    within("--clip-guidance", base.clip_guidance, 0.0, MAX_GUIDANCE)
}

fn check_strength(strength: f64) -> Result<(), EngineError> {
    if strength > 0.0 && strength <= 1.0 {
        return Ok(());
    }
    Err(EngineError::Input(format!(
        "--strength must be above 0 and at most 1, not {strength}; 1 repaints from nothing, less \
         stays nearer to the picture"
    )))
}

fn check_upsample(upsample: &UpsampleSettings) -> Result<(), EngineError> {
    within("--eta", upsample.eta, 0.0, 1.0)?;
    within("--upsample-guidance", upsample.guidance, -MAX_GUIDANCE, MAX_GUIDANCE)?;
    within("--upsample-temp", upsample.temperature, 0.0, 2.0)
}

/// Compares a number with its limits; what is not a number is outside of any.
fn within(name: &str, value: f64, least: f64, most: f64) -> Result<(), EngineError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(EngineError::Input(format!("{name} must be from {least} to {most}, not {value}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_the_limits_pass_and_beyond_do_not() {
        for (value, passes) in [
            (0.0, true),
            (1.0, true),
            (-0.001, false),
            (1.001, false),
            (f64::NAN, false),
            (f64::INFINITY, false),
        ] {
            assert_eq!(within("--eta", value, 0.0, 1.0).is_ok(), passes, "{value}");
        }
        for (strength, passes) in
            [(0.0, false), (1e-9, true), (1.0, true), (1.0001, false), (-1.0, false)]
        {
            assert_eq!(check_strength(strength).is_ok(), passes, "{strength}");
        }
        assert!(check_strength(f64::NAN).is_err());
        let message = within("--guidance", f64::NAN, -1.0, 1.0).unwrap_err().to_string();
        assert_eq!(message, "--guidance must be from -1 to 1, not NaN");
    }
}
