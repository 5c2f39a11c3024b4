//! The settings of a job as a user gives them: all optional, the same names on the command line and
//! in batch files.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Deserializer};

use crate::engine::device::{DeviceChoice, Precision};
use crate::engine::draft::{Choices, Words};
use crate::engine::request::SamplerChoice;

/// Settings that a user gave; what is missing comes from the repeated picture or the model.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// In batch files: `generate`, `inpaint`, `vary` or `upscale`; found out from the other fields else.
    #[arg(skip)]
    pub(crate) command: Option<String>,
    /// In batch files: what to draw.
    #[arg(skip)]
    pub(crate) prompt: Option<String>,
    /// What not to draw: guidance leads away from it.
    #[arg(long, value_name = "TEXT")]
    #[serde(alias = "negative_prompt")]
    pub(crate) negative: Option<String>,
    /// In batch files: the picture to edit or enlarge.
    #[arg(skip)]
    pub(crate) image: Option<PathBuf>,
    /// In batch files: the mask; makes the job an inpainting.
    #[arg(skip)]
    pub(crate) mask: Option<PathBuf>,
    /// The model; see `gesso models list`.
    #[arg(long, value_name = "ID")]
    pub(crate) model: Option<String>,
    /// Where the noise starts; the same seed gives the same picture. Random without it.
    #[arg(long, value_name = "N", value_parser = seed_number, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Denoising steps of the small picture.
    #[arg(long, value_name = "S", value_parser = whole_number, allow_negative_numbers = true)]
    pub(crate) steps: Option<u32>,
    /// The loop over the steps: ddpm, ddim or dpm++ (good at few steps).
    #[arg(long, value_name = "NAME")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) sampler: Option<SamplerChoice>,
    /// Share of fresh noise of the ddim sampler, 0 to 1.
    #[arg(long, value_name = "E", allow_negative_numbers = true)]
    pub(crate) eta: Option<f64>,
    /// How strongly to follow the prompt; 1 is plain, 3 is usual.
    #[arg(long, value_name = "G", allow_negative_numbers = true)]
    pub(crate) guidance: Option<f64>,
    /// How strongly to follow CLIP's idea of the prompt; 0 is off. Needs a model with CLIP.
    #[arg(long, value_name = "G", allow_negative_numbers = true)]
    #[serde(alias = "clip-guidance")]
    pub(crate) clip_guidance: Option<f64>,
    /// How many pictures; each has the seed after that of the one before.
    #[arg(long, value_name = "N", value_parser = whole_number, allow_negative_numbers = true)]
    pub(crate) count: Option<u32>,
    /// Side of the picture: 64 leaves the small picture, 256 enlarges it.
    #[arg(long, value_name = "PX", value_parser = whole_number, allow_negative_numbers = true)]
    pub(crate) size: Option<u32>,
    /// Steps of the enlargement: a number, or `fast27` as in the reference.
    #[arg(long, value_name = "S")]
    #[serde(alias = "upsample-steps", deserialize_with = "text_or_number")]
    pub(crate) upsample_steps: Option<String>,
    /// The loop of the enlargement: ddpm, ddim or dpm++.
    #[arg(long, value_name = "NAME")]
    #[serde(alias = "upsample-sampler", deserialize_with = "parsed")]
    pub(crate) upsample_sampler: Option<SamplerChoice>,
    /// How strongly the enlargement follows the prompt; 1 is plain.
    #[arg(long, value_name = "G", allow_negative_numbers = true)]
    #[serde(alias = "upsample-guidance")]
    pub(crate) upsample_guidance: Option<f64>,
    /// Factor of the enlargement's noise; a little below 1 is smoother.
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    #[serde(alias = "upsample-temp")]
    pub(crate) upsample_temp: Option<f64>,
    /// Width in pixels of the soft edge inside the mask.
    #[arg(long, value_name = "PX", value_parser = whole_number, allow_negative_numbers = true)]
    pub(crate) feather: Option<u32>,
    /// How far an edit leaves the original: 1 repaints from nothing, 0.3 changes little.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) strength: Option<f64>,
    /// Where to compute: auto, cpu, cuda or metal.
    #[arg(long, value_name = "D")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) device: Option<DeviceChoice>,
    /// How exactly to compute: auto, fp32, fp16 or bf16 (the last two on GPUs).
    #[arg(long, value_name = "P")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) precision: Option<Precision>,
}

impl Options {
    /// What the job reads; `prompt` is the argument, which wins over the field.
    pub(crate) fn words<'a>(&'a self, prompt: Option<&'a str>) -> Words<'a> {
        Words { prompt: prompt.or(self.prompt.as_deref()), negative: self.negative.as_deref() }
    }

    /// The settings as the engine takes them.
    pub(crate) fn choices(&self) -> Choices {
        Choices {
            model: self.model.clone(),
            seed: self.seed,
            steps: self.steps,
            sampler: self.sampler,
            eta: self.eta,
            guidance: self.guidance,
            clip_guidance: self.clip_guidance,
            count: self.count,
            size: self.size,
            upsample_steps: self.upsample_steps.clone(),
            upsample_sampler: self.upsample_sampler,
            upsample_guidance: self.upsample_guidance,
            upsample_temperature: self.upsample_temp,
            feather_px: self.feather,
            strength: self.strength,
            answer: None,
            temperature: None,
            widen_px: None,
            refine: None,
            device: self.device,
            precision: self.precision,
        }
    }

    /// These options, with those of `other` where these say nothing.
    pub(crate) fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            command: self.command.or(other.command),
            prompt: self.prompt.or(other.prompt),
            negative: self.negative.or(other.negative),
            image: self.image.or(other.image),
            mask: self.mask.or(other.mask),
            model: self.model.or(other.model),
            seed: self.seed.or(other.seed),
            steps: self.steps.or(other.steps),
            sampler: self.sampler.or(other.sampler),
            eta: self.eta.or(other.eta),
            guidance: self.guidance.or(other.guidance),
            clip_guidance: self.clip_guidance.or(other.clip_guidance),
            count: self.count.or(other.count),
            size: self.size.or(other.size),
            upsample_steps: self.upsample_steps.or(other.upsample_steps),
            upsample_sampler: self.upsample_sampler.or(other.upsample_sampler),
            upsample_guidance: self.upsample_guidance.or(other.upsample_guidance),
            upsample_temp: self.upsample_temp.or(other.upsample_temp),
            feather: self.feather.or(other.feather),
            strength: self.strength.or(other.strength),
            device: self.device.or(other.device),
            precision: self.precision.or(other.precision),
        }
    }
}

fn whole_number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "a whole number is needed, 0 or more".to_owned())
}

fn seed_number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

fn parsed<'de, D: Deserializer<'de>, T: std::str::FromStr<Err = String>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::<String>::deserialize(deserializer)?
        .map(|text| text.parse().map_err(serde::de::Error::custom))
        .transpose()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNumber {
    Number(u64),
    Text(String),
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<TextOrNumber>::deserialize(deserializer)?.map(|value| match value {
        TextOrNumber::Number(number) => number.to_string(),
        TextOrNumber::Text(text) => text,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_line_has_the_names_of_the_options() {
        let line = r#"{"prompt":"a cat","seed":18446744073709551615,"sampler":"dpm++","steps":12,
            "clip-guidance":2,"upsample_steps":20,"device":"cpu"}"#;
        let options: Options = serde_json::from_str(line).unwrap();
        assert_eq!(options.seed, Some(u64::MAX));
        assert_eq!(options.sampler, Some(SamplerChoice::DpmPp));
        assert_eq!(options.clip_guidance, Some(2.0));
        assert_eq!(options.upsample_steps.as_deref(), Some("20"));
    }

    #[test]
    fn unknown_and_misspelled_fields_are_errors_that_name_them() {
        for (line, part) in [
            (r#"{"promt":"a"}"#, "promt"),
            (r#"{"sampler":"euler"}"#, "ddpm, ddim and dpm++"),
            (r#"{"seed":-1}"#, "-1"),
            (r#"{"seed":18446744073709551616}"#, "u64"),
        ] {
            let message = serde_json::from_str::<Options>(line).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn what_is_given_wins_over_what_is_inherited() {
        let own = Options { seed: Some(1), ..Options::default() };
        let all = own.or(&Options { seed: Some(2), steps: Some(3), ..Options::default() });
        assert_eq!((all.seed, all.steps), (Some(1), Some(3)));
    }
}
