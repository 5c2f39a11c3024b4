//! The text that a made picture carries: as other tools read it, and as Gesso repeats it.
//!
//! Three chunks are written:
//!
//! - `parameters`: prompt and settings in the form that the AUTOMATIC1111 web UI started. That
//!   program, its forks, `ComfyUI` loaders, `InvokeAI`, image browsers and sharing sites show it.
//!   It is for people and other tools; settings may be rounded or left out there.
//! - `gesso`: the whole request as one JSON object. Only Gesso reads it, and repeats a picture
//!   from it.
//! - `Software`: the program, one of the PNG standard's own keywords; file managers show it.
//!
//! The form of `parameters`: the prompt on one line or more, then a line `Negative prompt: ...`
//! where there is one, then one line `Steps: 27, Sampler: ..., CFG scale: 3, Seed: 5, ...`. Values
//! with a comma, a colon, a quotation mark or a line break are written as JSON strings. Nothing
//! here touches files; see [`crate::storage::image_file`] for how chunks get there.
//!
//! Source: AUTOMATIC1111/stable-diffusion-webui, `modules/infotext_utils.py`.

/// Keyword of the chunk that other tools read.
pub const PARAMETERS: &str = "parameters";
/// Keyword of the chunk that holds the whole request.
pub const REQUEST: &str = "gesso";
/// Keyword of the chunk that names the program.
pub const SOFTWARE: &str = "Software";

/// What starts the line of the negative prompt.
const NEGATIVE_PREFIX: &str = "Negative prompt:";

/// A prompt with its settings, as other tools show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// What the picture should show.
    pub prompt: String,
    /// What it should not show; empty where nothing was said.
    pub negative_prompt: String,
    /// Names and values in the order in which they are shown; `Steps` comes first by custom.
    pub settings: Vec<(String, String)>,
}

impl Parameters {
    /// The value of a setting.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The text of the `parameters` chunk.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec![unix_lines(&self.prompt)];
        if !self.negative_prompt.is_empty() {
            lines.push(format!("{NEGATIVE_PREFIX} {}", unix_lines(&self.negative_prompt)));
        }
        if !self.settings.is_empty() {
            let pairs =
                self.settings.iter().map(|(key, value)| format!("{key}: {}", quoted(value)));
            lines.push(pairs.collect::<Vec<_>>().join(", "));
        }
        lines.join("\n")
    }

    /// Reads the text of a `parameters` chunk, from this program or another.
    ///
    /// A last line that doesn't look like settings belongs to the prompt.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = unix_lines(text.trim());
        let (body, last) = text.rsplit_once('\n').unwrap_or(("", &text));
        let (body, settings) = match parse_settings(last) {
            Some(settings) => (body, settings),
            None => (text.as_str(), Vec::new()),
        };
        let (mut prompt, mut negative) = (Vec::new(), Vec::new());
        let mut in_negative = false;
        for line in body.lines() {
            if let Some(rest) = line.trim_start().strip_prefix(NEGATIVE_PREFIX) {
                in_negative = true;
                negative.push(rest.trim());
            } else if in_negative {
                negative.push(line);
            } else {
                prompt.push(line);
            }
        }
        Self {
            prompt: prompt.join("\n").trim().to_owned(),
            negative_prompt: negative.join("\n").trim().to_owned(),
            settings,
        }
    }
}

/// The text chunks of a picture; `request_json` is one JSON object.
#[must_use]
pub fn chunks(parameters: &Parameters, request_json: &str) -> Vec<(String, String)> {
    let software = concat!("Gesso ", env!("CARGO_PKG_VERSION"));
    vec![
        (PARAMETERS.to_owned(), parameters.to_text()),
        (REQUEST.to_owned(), request_json.to_owned()),
        (SOFTWARE.to_owned(), software.to_owned()),
    ]
}

/// The JSON of the whole request, where the chunks hold one.
#[must_use]
pub fn request_json(chunks: &[(String, String)]) -> Option<&str> {
    chunk(chunks, REQUEST)
}

/// Prompt and settings, from this program or another, where the chunks hold any.
#[must_use]
pub fn parameters(chunks: &[(String, String)]) -> Option<Parameters> {
    chunk(chunks, PARAMETERS).map(Parameters::parse)
}

fn chunk<'a>(chunks: &'a [(String, String)], keyword: &str) -> Option<&'a str> {
    chunks.iter().find(|(key, _)| key == keyword).map(|(_, text)| text.as_str())
}

fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A value as it stands, or as a JSON string where it would be cut apart.
fn quoted(value: &str) -> String {
    let plain = !value.contains([',', ':', '\n', '"']) && value.trim() == value;
    if plain { value.to_owned() } else { serde_json::Value::from(value).to_string() }
}

/// The settings of a line, or nothing where it is no line of settings.
///
/// Other tools take a line with at least three settings for one; a single `Steps: 5` counts too,
/// because nothing but a settings line starts so.
fn parse_settings(line: &str) -> Option<Vec<(String, String)>> {
    let mut settings = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':')?;
        let key = key.trim();
        let allowed = |c: char| c.is_alphanumeric() || "_ -/".contains(c);
        if key.is_empty() || !key.chars().all(allowed) {
            return None;
        }
        let (value, after) = parse_value(after.trim_start())?;
        settings.push((key.to_owned(), value));
        rest = after.trim_start();
    }
    let known_start = settings.first().is_some_and(|(key, _)| key == "Steps");
    (settings.len() >= 3 || known_start).then_some(settings)
}

/// A value and what follows its comma.
fn parse_value(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let value = values.next()?.ok()?;
        let after = text.get(values.byte_offset()..)?.trim_start();
        let after = if after.is_empty() { after } else { after.strip_prefix(',')? };
        return Some((value, after));
    }
    let (value, after) = text.split_once(',').unwrap_or((text, ""));
    Some((value.trim().to_owned(), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters_of(prompt: &str, negative: &str, settings: &[(&str, &str)]) -> Parameters {
        let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        Parameters {
            prompt: prompt.to_owned(),
            negative_prompt: negative.to_owned(),
            settings: settings.iter().map(owned).collect(),
        }
    }

    #[test]
    fn the_text_has_the_form_that_other_tools_read() {
        let settings = [
            ("Steps", "27"),
            ("Sampler", "DPM++ 2M"),
            ("CFG scale", "3"),
            ("Seed", "5"),
            ("Size", "256x256"),
            ("Model hash", "0123abcdef"),
            ("Model", "starter, small"),
        ];
        let text = parameters_of("a red fox", "blurry", &settings).to_text();
        assert_eq!(
            text,
            "a red fox\nNegative prompt: blurry\nSteps: 27, Sampler: DPM++ 2M, CFG scale: 3, \
             Seed: 5, Size: 256x256, Model hash: 0123abcdef, Model: \"starter, small\""
        );
    }

    #[test]
    fn what_was_written_is_read_again() {
        let settings = [
            ("Steps", "27"),
            ("Note", "a: \"b\", c\\\nd"),
            ("Blank", ""),
            ("Edge", " x "),
            ("Ünï", "größe 猫"),
        ];
        for prompt in ["a red fox", "", "two\nlines: x, y", "猫, 🦊 \"quoted\"", "Steps: many"] {
            for negative in ["", "blurry, low", "über\nzwei"] {
                let parameters = parameters_of(prompt, negative, &settings);
                assert_eq!(Parameters::parse(&parameters.to_text()), parameters);
            }
        }
    }

    #[test]
    fn text_of_other_tools_is_read() {
        let text = "masterpiece, (best:1.2)\r\nNegative prompt: bad\r\nSteps: 20, Sampler: Euler a, \
                    Size: 512x768, Lora hashes: \"a: 1, b: 2\", Version: v1.6.0";
        let parameters = Parameters::parse(text);
        assert_eq!(parameters.prompt, "masterpiece, (best:1.2)");
        assert_eq!(parameters.negative_prompt, "bad");
        assert_eq!(parameters.get("Lora hashes"), Some("a: 1, b: 2"));
        assert_eq!(parameters.get("Version"), Some("v1.6.0"));
        assert_eq!(parameters.get("Seed"), None);
    }

    #[test]
    fn a_text_without_settings_is_all_prompt() {
        let check = |text: &str| {
            assert_eq!(Parameters::parse(text), parameters_of(text, "", &[]));
        };
        check("");
        check("only a prompt: with a colon");
        check("first line\nsecond, line");
        check("broken: \"no end, a: 1, b: 2");
    }

    #[test]
    fn chunks_hold_the_request_and_the_parameters() {
        let parameters = parameters_of("a fox", "", &[("Steps", "3")]);
        let chunks = chunks(&parameters, r#"{"prompt":"a fox"}"#);
        assert_eq!(request_json(&chunks), Some(r#"{"prompt":"a fox"}"#));
        assert_eq!(super::parameters(&chunks), Some(parameters));
        assert_eq!(request_json(&[]), None);
    }
}
