//! The request inside the picture: text chunks that other tools read, and our own record.

use crate::cli::error::CliError;
use crate::engine::request::{Record, Role};

/// The chunk with the whole request as JSON.
const OWN_KEY: &str = "gesso";
/// The chunk with the settings in the form that most image tools and galleries show.
const COMMON_KEY: &str = "parameters";

/// The text chunks of a picture.
pub(crate) fn chunks_from_record(record: &Record) -> Result<Vec<(String, String)>, CliError> {
    let own = serde_json::to_string(record)
        .map_err(|error| CliError::Failure(format!("the request can't be written down: {error}")))?;
    let software = format!("Gesso {}", env!("CARGO_PKG_VERSION"));
    Ok([
        ("Software", software),
        ("Description", record.common().prompt.clone()),
        (COMMON_KEY, parameters(record)),
        (OWN_KEY, own),
    ]
    .map(|(key, text)| (key.to_owned(), text))
    .into())
}

/// The request that is written in a picture's text chunks, if one is.
///
/// # Errors
///
/// When there is one that can't be read.
pub(crate) fn record_from_chunks(chunks: &[(String, String)]) -> Result<Option<Record>, CliError> {
    let Some((_, json)) = chunks.iter().find(|(key, _)| key == OWN_KEY) else { return Ok(None) };
    serde_json::from_str(json).map(Some).map_err(|error| {
        CliError::Input(format!(
            "the request in the picture can't be read, it may come from another version: {error}"
        ))
    })
}

/// The settings as `Name: value` pairs under the prompt.
fn parameters(record: &Record) -> String {
    let common = record.common();
    let mut pairs: Vec<(&str, String)> = Vec::new();
    if let Some(base) = record.base() {
        pairs.push(("Steps", base.steps.to_string()));
        pairs.push(("Sampler", base.sampler.name().to_owned()));
        pairs.push(("CFG scale", base.guidance.to_string()));
        if base.clip_guidance != 0.0 {
            pairs.push(("CLIP guidance", base.clip_guidance.to_string()));
        }
        if base.eta != 0.0 {
            pairs.push(("Eta", base.eta.to_string()));
        }
    }
    pairs.push(("Seed", common.seed.to_string()));
    if let (Record::Generate(_), Some(base)) = (record, record.base()) {
        let side = record.upsample().map_or(base.size, |upsample| upsample.size);
        pairs.push(("Size", format!("{side}x{side}")));
    }
    let main = common.checkpoint(Role::Base).or_else(|| common.checkpoint(Role::Upsample));
    if let Some(main) = main {
        pairs.push(("Model hash", main.sha256.chars().take(10).collect()));
    }
    pairs.push(("Model", common.model.clone()));
    if let Some(upsample) = record.upsample() {
        pairs.push(("Upsample steps", upsample.respacing.clone()));
        pairs.push(("Upsample sampler", upsample.sampler.name().to_owned()));
        pairs.push(("Upsample temperature", upsample.temperature.to_string()));
    }
    pairs.push(("Version", format!("Gesso {}", env!("CARGO_PKG_VERSION"))));
    let list: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{}\n{}", common.prompt, list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::device::{DeviceChoice, Precision};
    use crate::engine::request::{
        BaseSettings, CheckpointRef, Common, GenerateRequest, SamplerChoice, UpsampleSettings,
    };

    fn record() -> Record {
        Record::Generate(GenerateRequest {
            common: Common {
                prompt: "a \"cat\"\nand a dög".to_owned(),
                model: "starter".to_owned(),
                checkpoints: vec![CheckpointRef {
                    role: Role::Base,
                    id: "starter".to_owned(),
                    sha256: "0123456789abcdef".to_owned(),
                }],
                seed: u64::MAX,
                device: DeviceChoice::Auto,
                precision: Precision::Auto,
            },
            count: 1,
            base: BaseSettings {
                steps: 27,
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
        assert_eq!(record_from_chunks(&chunks[..3]).unwrap(), None);
    }

    #[test]
    fn other_tools_find_the_usual_names() {
        let text = parameters(&record());
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
