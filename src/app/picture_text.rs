//! The request inside the picture: settings that other tools show, and our own record.

use crate::engine::request::Record;
use crate::storage::png_text::{self, Parameters};

/// Why a request can't be written into a picture, or read out of it.
#[derive(Debug, thiserror::Error)]
pub enum PictureTextError {
    /// It can't be written as JSON, which would be a bug.
    #[error("the request can't be written down: {0}")]
    Write(#[source] serde_json::Error),
    /// What the picture holds can't be read.
    #[error("the request in the picture can't be read, it may come from another version: {0}")]
    Read(#[source] serde_json::Error),
}

/// The text chunks of a picture.
///
/// # Errors
///
/// When the record can't be written as JSON, which would be a bug.
pub fn chunks_from_record(record: &Record) -> Result<Vec<(String, String)>, PictureTextError> {
    let json = serde_json::to_string(record).map_err(PictureTextError::Write)?;
    Ok(png_text::chunks(&parameters(record), &json))
}

/// The text chunks of a picture whose record is JSON; none where there is no record that is known
/// here.
pub(crate) fn chunks_from_json(record: Option<&str>) -> Vec<(String, String)> {
    record
        .and_then(|json| serde_json::from_str(json).ok())
        .and_then(|record| chunks_from_record(&record).ok())
        .unwrap_or_default()
}

/// The request that is written in a picture's text chunks, if one is.
///
/// # Errors
///
/// When there is one that can't be read.
pub fn record_from_chunks(chunks: &[(String, String)]) -> Result<Option<Record>, PictureTextError> {
    let Some(json) = record_json(chunks) else { return Ok(None) };
    serde_json::from_str(json).map(Some).map_err(PictureTextError::Read)
}

/// The request in a picture's text chunks as it stands there.
#[must_use]
pub fn record_json(chunks: &[(String, String)]) -> Option<&str> {
    png_text::request_json(chunks)
}

fn parameters(record: &Record) -> Parameters {
    let common = record.common();
    let mut settings = Vec::new();
    let mut say = |name: &str, value: String| settings.push((name.to_owned(), value));
    if let Some(base) = record.base() {
        say("Steps", base.steps.to_string());
        say("Sampler", base.sampler.name().to_owned());
        say("CFG scale", base.guidance.to_string());
    }
    say("Seed", common.seed.to_string());
    if let (Record::Generate(_), Some(base)) = (record, record.base()) {
        let side = record.upsample().map_or(base.size, |upsample| upsample.size);
        say("Size", format!("{side}x{side}"));
    }
    let main = common.base_checkpoint().or_else(|| common.upsample_checkpoint());
    if let Some(main) = main {
        say("Model hash", main.sha256.chars().take(10).collect());
    }
    say("Model", common.model.clone());
    if let Some(base) = record.base() {
        if base.clip_guidance != 0.0 {
            say("CLIP guidance", base.clip_guidance.to_string());
        }
        if base.eta != 0.0 {
            say("Eta", base.eta.to_string());
        }
    }
    if let Some(upsample) = record.upsample() {
        say("Upsample steps", upsample.respacing.clone());
        say("Upsample sampler", upsample.sampler.name().to_owned());
        say("Upsample temperature", upsample.temperature.to_string());
    }
    if let Record::Inpaint(settings) = record
        && settings.strength < 1.0
    {
        say("Denoising strength", settings.strength.to_string());
    }
    say("Version", concat!("Gesso ", env!("CARGO_PKG_VERSION")).to_owned());
    Parameters {
        prompt: common.prompt.clone(),
        negative_prompt: common.negative_prompt.clone(),
        settings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::device::{DeviceChoice, Precision};
    use crate::engine::request::{
        BaseSettings, CheckpointRef, Common, GenerateRequest, SamplerChoice, UpsampleSettings,
    };
    use crate::models::Role;

    fn record() -> Record {
        Record::Generate(GenerateRequest {
            common: Common {
                prompt: "a \"cat\"\nand a dög".to_owned(),
                negative_prompt: String::new(),
                model: "starter".to_owned(),
                checkpoints: vec![CheckpointRef {
                    role: Role::Base,
                    sha256: "0123456789abcdef".to_owned(),
                }],
                seed: u64::MAX,
                device: DeviceChoice::Auto,
                precision: Precision::Auto,
            },
            count: 1,
            base: BaseSettings {
                steps: 27,
                respacing: "27".to_owned(),
                sampler: SamplerChoice::DpmPp,
                eta: 0.0,
                guidance: 3.5,
                clip_guidance: 0.0,
                size: 64,
            },
            upsample: Some(UpsampleSettings {
                respacing: "fast27".to_owned(),
                sampler: SamplerChoice::Ddim,
                eta: 0.0,
                guidance: 1.0,
                temperature: 0.997,
                size: 256,
            }),
        })
    }

    #[test]
    fn a_request_survives_the_way_into_a_picture_and_back() {
        let chunks = chunks_from_record(&record()).unwrap();
        assert_eq!(record_from_chunks(&chunks).unwrap(), Some(record()));
        assert_eq!(record_from_chunks(&[]).unwrap(), None);
    }

    #[test]
    fn other_tools_find_the_usual_names() {
        let text = parameters(&record()).to_text();
        let settings = text.lines().last().unwrap();
        assert!(
            settings.starts_with(
                "Steps: 27, Sampler: dpm++, CFG scale: 3.5, Seed: 18446744073709551615, \
                 Size: 256x256, Model hash: 0123456789, Model: starter"
            ),
            "{settings}"
        );
    }

    #[test]
    fn a_broken_record_is_an_error_and_not_ignored() {
        let chunks = [("gesso".to_owned(), "{\"command\":\"fly\"}".to_owned())];
        assert!(record_from_chunks(&chunks).is_err());
    }
}
