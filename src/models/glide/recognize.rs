//! Which network a checkpoint holds, told from its parameter names and shapes.
//!
//! The public checkpoints are known exactly. Of other sizes most of the config can be read off
//! the shapes; what leaves no trace there (how attention channels divide into heads, the picture
//! size, the noise schedule) comes from a config given with the file or, failing that, from an
//! assumption that is reported. Whatever the config's origin, the file must then have exactly the
//! names and shapes that it asks for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::models::glide::{
    ClipConfig, GlideConfig, GlideForm, clip_image_shapes, clip_text_shapes, parameter_shapes,
};
use crate::models::parameters::ParameterError;
use crate::models::{NetworkConfig, Role};

/// Share of a public checkpoint's tensors that must agree before a file counts as a damaged copy
/// of it, in percent.
const NEARLY: usize = 80;

/// Names with shapes, as a file lists them.
pub type Shapes = [(String, Vec<usize>)];

/// What a checkpoint was found to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognized {
    /// What it does.
    pub role: Role,
    /// Its shapes and switches.
    pub config: NetworkConfig,
    /// Whether it has exactly the shapes of the public release.
    pub public: bool,
    /// What could not be seen in the file and was assumed, a sentence each.
    pub assumptions: Vec<String>,
}

/// Why a checkpoint is no network of this family.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecognizeError {
    /// Nothing of GLIDE or CLIP is in it.
    #[error("it holds no GLIDE network and no noised CLIP: {0}")]
    Unrecognized(String),
    /// The config can't be used.
    #[error("its config can't be used: {0}")]
    Config(String),
    /// Parameters are absent.
    #[error("it lacks {}, which a network of the form {role} needs; {hint}", keys(missing))]
    MissingKeys {
        /// The form that fits best.
        role: Role,
        /// The names.
        missing: Vec<String>,
        /// What may help.
        hint: &'static str,
    },
    /// There are parameters that the network doesn't have.
    #[error(
        "it holds {}, which a network of the form {role} does not have; {hint}",
        keys(unexpected)
    )]
    UnexpectedKeys {
        /// The form that fits best.
        role: Role,
        /// The names.
        unexpected: Vec<String>,
        /// What may help.
        hint: &'static str,
    },
    /// It is not the autoencoder or transformer that its config describes.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// A parameter has another shape.
    #[error("its {key} has the shape {found:?} where a network of the form {role} needs {expected:?}{}; {hint}", more(*others))]
    ShapeMismatch {
        /// The form that fits best.
        role: Role,
        /// The parameter.
        key: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The shape that the config asks for.
        expected: Vec<usize>,
        /// How many other parameters differ as well.
        others: usize,
        /// What may help.
        hint: &'static str,
    },
}

impl RecognizeError {
    /// A short word for the kind of error, stable for scripts and tests.
    #[must_use]
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Unrecognized(_) => "unrecognized",
            Self::Config(_) => "bad_config",
            Self::MissingKeys { .. } => "missing_key",
            Self::UnexpectedKeys { .. } => "unexpected_key",
            Self::ShapeMismatch { .. } => "shape_mismatch",
            Self::Parameters(error) => error.category(),
        }
    }
}

fn keys(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| shorten(name)).collect();
    format!("{}{}", shown.join(", "), more(names.len().saturating_sub(SHOWN)))
}

fn more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" (and {count} more)") }
}

/// A name from a file, harmless to print.
fn shorten(name: &str) -> String {
    name.chars().take(120).filter(|c| !c.is_control()).collect()
}

/// Whether a file looks like one of these networks, damaged or not.
#[must_use]
pub fn is_glide(found: &Shapes) -> bool {
    let map: Map<'_> =
        found.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
    guess_role(&map).is_ok()
}

/// Reads a UNet's config and checks its numbers.
///
/// # Errors
///
/// When a key is absent or has the wrong kind of value, or a value is beyond reason.
pub fn read_glide(json: &serde_json::Value) -> Result<GlideConfig, RecognizeError> {
    let config: GlideConfig = serde_json::from_value(json.clone()).map_err(bad_config)?;
    check_glide(&config)?;
    Ok(config)
}

/// Reads CLIP's config and checks its numbers.
///
/// # Errors
///
/// As [`read_glide`].
pub fn read_clip(json: &serde_json::Value) -> Result<ClipConfig, RecognizeError> {
    let config: ClipConfig = serde_json::from_value(json.clone()).map_err(bad_config)?;
    check_clip(&config)?;
    Ok(config)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn bad_config(error: serde_json::Error) -> RecognizeError {
    RecognizeError::Config(error.to_string())
}

/// Tells which of these networks has these parameters.
///
/// `given` is a config in the reference's keys, from the file's metadata or from the user: plain,
/// under `config` (then `vocab_size` may stand beside it) or `clip_config`, or one for each role
/// under the role's name.
///
/// # Errors
///
/// When it is another kind of network, the config can't be used, or names or shapes are not
/// those that the config asks for.
pub fn recognize_glide(
    found: &Shapes,
    given: Option<&serde_json::Value>,
) -> Result<Recognized, RecognizeError> {
    let map: Map<'_> =
        found.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
    if let Some(known) = nearest_public(&map) {
        return match given_config(&map, given, known.role)? {
            // A given config wins: it may name another head layout for the same shapes.
            Some(config) => {
                let public = config == known.config;
                finish(found, Recognized { config, public, ..known }, HINT_CONFIG)
            }
            None => finish(found, known, HINT_DAMAGED),
        };
    }
    let role = guess_role(&map)?;
    if let Some(config) = given_config(&map, given, role)? {
        let role = match &config {
            NetworkConfig::Glide(config) => config.form().into(),
            _ => role,
        };
        let known = Recognized { role, config, public: false, assumptions: Vec::new() };
        return finish(found, known, HINT_CONFIG);
    }
    let (config, assumptions) = match role {
        Role::ClipText => infer_clip_text(&map)?,
        Role::ClipImage => infer_clip_image(&map)?,
        _ => infer_glide(&map, role)?,
    };
    finish(found, Recognized { role, config, public: false, assumptions }, HINT_INFERRED)
}

const HINT_DAMAGED: &str = "the file is incomplete or was changed, get another copy";
const HINT_CONFIG: &str = "is it the config of this file?";
const HINT_INFERRED: &str =
    "the file is incomplete or was changed; if not, give its config with --config";

type Map<'a> = HashMap<&'a str, &'a [usize]>;

/// The names and shapes that a network with this role and config has.
///
/// # Errors
///
/// When no network can have this config.
pub fn glide_shapes(
    role: Role,
    config: &NetworkConfig,
) -> Result<Vec<(String, Vec<usize>)>, RecognizeError> {
    let shapes = match (role, config) {
        (Role::ClipText, NetworkConfig::Clip(config)) => clip_text_shapes(config),
        (Role::ClipImage, NetworkConfig::Clip(config)) => clip_image_shapes(config),
        (_, NetworkConfig::Glide(config)) if role.form() == Some(config.form()) => {
            parameter_shapes(config)
        }
        _ => {
            let why = format!("it is not the config of the form {role}");
            return Err(RecognizeError::Config(why));
        }
    };
    // Only the first line: candle may append a backtrace.
    shapes.map_err(|error| {
        let text = error.to_string();
        RecognizeError::Config(text.lines().next().unwrap_or_default().to_owned())
    })
}

/// Compares all names and shapes.
fn finish(
    found: &Shapes,
    known: Recognized,
    hint: &'static str,
) -> Result<Recognized, RecognizeError> {
    let role = known.role;
    let expected = glide_shapes(role, &known.config)?;
    let map: Map<'_> =
        found.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
    let missing: Vec<String> = expected
        .iter()
        .filter(|(name, _)| !map.contains_key(name.as_str()))
        .map(|(name, _)| name.clone())
        .collect();
    if !missing.is_empty() {
        return Err(RecognizeError::MissingKeys { role, missing, hint });
    }
    let wrong: Vec<_> =
        expected.iter().filter(|(name, shape)| map[name.as_str()] != shape.as_slice()).collect();
    if let Some((key, shape)) = wrong.first() {
        return Err(RecognizeError::ShapeMismatch {
            role,
            key: key.clone(),
            found: map[key.as_str()].to_vec(),
            expected: shape.clone(),
            others: wrong.len() - 1,
            hint,
        });
    }
    let wanted: HashSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    let unexpected: Vec<String> = found
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !wanted.contains(name.as_str()))
        .cloned()
        .collect();
    if !unexpected.is_empty() {
        return Err(RecognizeError::UnexpectedKeys { role, unexpected, hint });
    }
    Ok(known)
}

/// The public checkpoint that these parameters are, or are nearly.
fn nearest_public(map: &Map<'_>) -> Option<Recognized> {
    let mut best: Option<(usize, Recognized)> = None;
    for role in Role::ALL.into_iter().filter(|role| role.is_glide()) {
        let config = role.form().map_or_else(
            || NetworkConfig::Clip(ClipConfig::public()),
            |form| NetworkConfig::Glide(GlideConfig::public(form)),
        );
        let Ok(expected) = glide_shapes(role, &config) else { continue };
        let agree = expected
            .iter()
            .filter(|(name, shape)| map.get(name.as_str()).is_some_and(|found| found == shape))
            .count();
        if agree * 100 >= expected.len() * NEARLY && best.as_ref().is_none_or(|(n, _)| agree > *n) {
            let public = agree == expected.len() && agree == map.len();
            best = Some((agree, Recognized { role, config, public, assumptions: Vec::new() }));
        }
    }
    best.map(|(_, known)| known)
}

/// What kind of network it is, by the names that only this kind has.
fn guess_role(map: &Map<'_>) -> Result<Role, RecognizeError> {
    let any = |prefix: &str| map.keys().any(|name| name.starts_with(prefix));
    if any("input_blocks.") && any("output_blocks.") && any("time_embed.") {
        let read = map.get("input_blocks.0.0.weight").and_then(|shape| shape.get(1));
        return match read {
            None | Some(3) => Ok(Role::Base),
            Some(7) => Ok(Role::BaseInpaint),
            Some(6) => Ok(Role::Upsample),
            Some(10) => Ok(Role::UpsampleInpaint),
            Some(other) => Err(RecognizeError::Unrecognized(format!(
                "its first convolution reads {other} channels, a GLIDE network's 3, 6, 7 or 10"
            ))),
        };
    }
    if any("blocks.input.w_voc")
        || (any("blocks.block_0.") && any("blocks.input.w_pos") && !any("blocks.input.ln."))
    {
        return Ok(Role::ClipText);
    }
    if any("blocks.input.patch_proj") || any("blocks.input.w_t") {
        return Ok(Role::ClipImage);
    }
    Err(RecognizeError::Unrecognized(match map.keys().min() {
        Some(name) => format!("its {} tensors have names such as {}", map.len(), shorten(name)),
        None => "it has no tensors".to_owned(),
    }))
}

/// The given config for this role, with the vocabulary's size taken from the file where the
/// config leaves it open.
fn given_config(
    map: &Map<'_>,
    given: Option<&serde_json::Value>,
    role: Role,
) -> Result<Option<NetworkConfig>, RecognizeError> {
    let Some(mut json) = given else { return Ok(None) };
    if Role::ALL.iter().any(|role| json.get(role.name()).is_some()) {
        match json.get(role.name()) {
            Some(own) => json = own,
            None => return Ok(None),
        }
    }
    let inner = if role.form().is_some() { "config" } else { "clip_config" };
    let vocabulary = json.get("vocab_size").cloned();
    let mut json = json.get(inner).unwrap_or(json).clone();
    let Some(object) = json.as_object_mut() else {
        return Err(RecognizeError::Config("it is not a JSON object".to_owned()));
    };
    let is_clip = object.contains_key("n_embd");
    if is_clip == role.form().is_some() {
        // A config for the UNets says nothing about CLIP, and the other way round.
        return Ok(None);
    }
    if !is_clip && !object.contains_key("n_vocab") {
        let rows = map.get("token_embedding.weight").and_then(|shape| shape.first().copied());
        if let Some(n_vocab) = vocabulary.or_else(|| rows.map(serde_json::Value::from)) {
            object.insert("n_vocab".to_owned(), n_vocab);
        }
    }
    NetworkConfig::from_json(role, &json).map(Some)
}

fn bounds(name: &str, value: usize, low: usize, high: usize) -> Result<(), RecognizeError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(RecognizeError::Config(format!("{name} is {value}, not between {low} and {high}")))
    }
}

/// Refuses values that would make a network beyond any machine.
fn check_glide(config: &GlideConfig) -> Result<(), RecognizeError> {
    bounds("image_size", config.image_size, 1, 8192)?;
    bounds("num_channels", config.num_channels, 1, 1 << 14)?;
    bounds("num_res_blocks", config.num_res_blocks, 0, 64)?;
    bounds("the number of levels", config.channel_mult.len(), 0, 12)?;
    for &mult in &config.channel_mult {
        bounds("channel_mult", mult, 1, 64)?;
    }
    for &side in &config.attention_resolutions {
        bounds("attention_resolutions", side, 1, 8192)?;
    }
    bounds("num_heads", config.num_heads, 1, 4096)?;
    bounds("text_ctx", config.text_ctx, 1, 1 << 14)?;
    bounds("xf_width", config.xf_width, 0, 1 << 14)?;
    bounds("xf_layers", config.xf_layers, 0, 1024)?;
    bounds("xf_heads", config.xf_heads, 1, 4096)?;
    bounds("n_vocab", config.n_vocab, 1, 1 << 24)?;
    bounds("diffusion_steps", config.diffusion_steps, 1, 100_000)
}

fn check_clip(config: &ClipConfig) -> Result<(), RecognizeError> {
    bounds("n_timesteps", config.n_timesteps, 1, 100_000)?;
    bounds("patch_size", config.patch_size, 1, 1024)?;
    bounds("image_size", config.image_size, config.patch_size, 4096)?;
    bounds("n_vocab", config.n_vocab, 1, 1 << 24)?;
    bounds("max_text_len", config.max_text_len, 3, 1 << 14)?;
    bounds("n_embd", config.n_embd, 1, 1 << 14)?;
    bounds("n_head_state_text", config.n_head_state_text, 1, 4096)?;
    bounds("n_head_text", config.n_head_text, 1, 256)?;
    bounds("n_xf_blocks_text", config.n_xf_blocks_text, 1, 1024)?;
    bounds("n_head_state_image", config.n_head_state_image, 1, 4096)?;
    bounds("n_head_image", config.n_head_image, 1, 256)?;
    bounds("n_xf_blocks_image", config.n_xf_blocks_image, 1, 1024)
}

/// The value that most witnesses name, so that one wrong tensor can't hide what the network is.
fn majority(witnesses: impl IntoIterator<Item = usize>) -> Option<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for value in witnesses {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().max_by_key(|&(_, count)| count).map(|(value, _)| value)
}

/// The size of one dimension of a tensor, if the file has it.
fn dim(map: &Map<'_>, name: &str, at: usize) -> Option<usize> {
    map.get(name).and_then(|shape| shape.get(at).copied())
}

/// One more than the largest number that follows the prefix; numbers beyond reason don't count.
fn count(map: &Map<'_>, prefix: &str) -> usize {
    map.keys()
        .filter_map(|name| name.strip_prefix(prefix)?.split('.').next()?.parse::<usize>().ok())
        .filter(|&index| index < 1024)
        .max()
        .map_or(0, |index| index + 1)
}

/// The widest usual head that divides every width.
fn head_width(widths: &[usize]) -> usize {
    let fits = |head: &usize| widths.iter().all(|width| width.is_multiple_of(*head));
    [64, 32, 16, 8, 4, 2].into_iter().find(fits).unwrap_or(1)
}

type Inferred = Result<(NetworkConfig, Vec<String>), RecognizeError>;

/// Reads a UNet's config off its shapes.
fn infer_glide(map: &Map<'_>, role: Role) -> Inferred {
    let odd = |why: String| RecognizeError::Unrecognized(why);
    let super_res = matches!(role, Role::Upsample | Role::UpsampleInpaint);
    let blocks = count(map, "input_blocks.").max(count(map, "output_blocks."));
    // Every level but the last ends its way up in a second convolution or residual block.
    let ups: BTreeSet<&str> = map
        .keys()
        .filter_map(|name| {
            let mut parts = name.strip_prefix("output_blocks.")?.split('.');
            let (block, member, kind) = (parts.next()?, parts.next()?, parts.next()?);
            (member != "0" && matches!(kind, "in_layers" | "emb_layers" | "out_layers" | "conv"))
                .then_some(block)
        })
        .collect();
    let levels = ups.len() + 1;
    if blocks < 2 * levels || !blocks.is_multiple_of(levels) {
        return Err(odd(format!("its {blocks} blocks do not make {levels} equal levels")));
    }
    let num_res_blocks = blocks / levels - 1;
    let num_channels = infer_num_channels(map)
        .ok_or_else(|| odd("the width of its time embedding can't be told".to_owned()))?;
    let mut channel_mult = Vec::new();
    let mut with_attention = Vec::new();
    let mut scale_shift = Vec::new();
    for level in 0..levels {
        let ids: Vec<usize> =
            (0..num_res_blocks).map(|r| 1 + level * (num_res_blocks + 1) + r).collect();
        let width = ids
            .iter()
            .flat_map(|id| {
                let block = format!("input_blocks.{id}.0");
                [
                    dim(map, &format!("{block}.out_layers.3.weight"), 0),
                    dim(map, &format!("{block}.out_layers.3.bias"), 0),
                    dim(map, &format!("{block}.out_layers.0.weight"), 0),
                    dim(map, &format!("{block}.out_layers.0.bias"), 0),
                    dim(map, &format!("{block}.in_layers.2.weight"), 0),
                    dim(map, &format!("{block}.in_layers.2.bias"), 0),
                ]
            })
            .flatten();
        let width = majority(width)
            .filter(|width| *width > 0 && width.is_multiple_of(num_channels))
            .ok_or_else(|| {
                odd(format!("its level {level} is no multiple of {num_channels} wide"))
            })?;
        channel_mult.push(width / num_channels);
        let prefixes: Vec<String> = ids.iter().map(|id| format!("input_blocks.{id}.1.")).collect();
        if map.keys().any(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))) {
            with_attention.push(level);
        }
        for id in ids {
            for part in ["weight", "bias"] {
                let out = dim(map, &format!("input_blocks.{id}.0.emb_layers.1.{part}"), 0);
                scale_shift.extend(out.map(|out| usize::from(out == 2 * width)));
            }
        }
    }
    let image_size = if super_res { 256 } else { 64_usize.max(1 << (levels - 1)) };
    let mut attention_widths: Vec<usize> =
        with_attention.iter().map(|&level| channel_mult[level] * num_channels).collect();
    attention_widths.extend(channel_mult.last().map(|mult| mult * num_channels));
    let head = head_width(&attention_widths);
    let text = infer_text(map);
    let defaults = GlideConfig::public(role.form().unwrap_or(GlideForm::Base));
    let noise_schedule = defaults.noise_schedule.clone();
    let mut assumptions = vec![
        format!("pictures of {image_size} pixels a side"),
        format!("attention heads of {head} channels in the UNet"),
        format!("the noise schedule {noise_schedule} over 1000 steps"),
    ];
    if text.width > 0 {
        assumptions.push(format!("{} attention heads in the text encoder", text.heads));
    }
    let config = GlideConfig {
        image_size,
        num_channels,
        num_res_blocks,
        channel_mult,
        attention_resolutions: with_attention.iter().map(|level| image_size >> level).collect(),
        num_heads: 1,
        num_head_channels: head as i64,
        num_heads_upsample: -1,
        text_ctx: text.ctx,
        xf_width: text.width,
        xf_layers: text.layers,
        xf_heads: text.heads,
        xf_final_ln: map.keys().any(|name| name.starts_with("final_ln.")),
        xf_padding: map.contains_key("padding_embedding"),
        use_scale_shift_norm: majority(scale_shift) != Some(0),
        resblock_updown: !map.keys().any(|name| name.contains(".0.op.")),
        inpaint: matches!(role, Role::BaseInpaint | Role::UpsampleInpaint),
        super_res,
        n_vocab: text.vocabulary,
        ..defaults
    };
    check_glide(&config)?;
    Ok((NetworkConfig::Glide(config), assumptions))
}

fn infer_num_channels(map: &Map<'_>) -> Option<usize> {
    // The embedding is four times as wide as the network.
    let quarter = |width: Option<usize>| width.filter(|w| w.is_multiple_of(4)).map(|w| w / 4);
    let witnesses = [
        dim(map, "time_embed.0.weight", 1),
        quarter(dim(map, "time_embed.0.weight", 0)),
        quarter(dim(map, "time_embed.0.bias", 0)),
        quarter(dim(map, "time_embed.2.weight", 0)),
        quarter(dim(map, "time_embed.2.weight", 1)),
        quarter(dim(map, "time_embed.2.bias", 0)),
        quarter(dim(map, "input_blocks.1.0.emb_layers.1.weight", 1)),
        quarter(dim(map, "middle_block.0.emb_layers.1.weight", 1)),
        quarter(dim(map, "transformer_proj.weight", 0)),
        quarter(dim(map, "transformer_proj.bias", 0)),
    ];
    majority(witnesses.into_iter().flatten()).filter(|&width| width > 0)
}

struct InferredText {
    ctx: usize,
    width: usize,
    layers: usize,
    heads: usize,
    vocabulary: usize,
}

fn infer_text(map: &Map<'_>) -> InferredText {
    let public = GlideConfig::public(GlideForm::Base);
    let width = majority(
        [
            dim(map, "positional_embedding", 1),
            dim(map, "padding_embedding", 1),
            dim(map, "token_embedding.weight", 1),
            dim(map, "transformer_proj.weight", 1),
            dim(map, "transformer.resblocks.0.ln_1.weight", 0),
            dim(map, "transformer.resblocks.0.ln_1.bias", 0),
        ]
        .into_iter()
        .flatten(),
    );
    let Some(width) = width else {
        return InferredText {
            ctx: public.text_ctx,
            width: 0,
            layers: public.xf_layers,
            heads: public.xf_heads,
            vocabulary: public.n_vocab,
        };
    };
    InferredText {
        ctx: dim(map, "positional_embedding", 0)
            .or_else(|| dim(map, "padding_embedding", 0))
            .unwrap_or(public.text_ctx),
        width,
        layers: count(map, "transformer.resblocks."),
        heads: (width / head_width(&[width])).max(1),
        vocabulary: dim(map, "token_embedding.weight", 0).unwrap_or(public.n_vocab),
    }
}

fn clip_width(map: &Map<'_>, others: &[Option<usize>]) -> Result<usize, RecognizeError> {
    let block = "blocks.block_0.f_attn";
    let own = [
        dim(map, &format!("{block}.ln.g"), 0),
        dim(map, &format!("{block}.f_q.w"), 0),
        dim(map, &format!("{block}.f_q.b"), 0),
        dim(map, &format!("{block}.f_v.b"), 0),
        dim(map, "blocks.output.ln.g", 0),
    ];
    majority(own.iter().chain(others).copied().flatten()).filter(|&width| width > 0).ok_or_else(
        || RecognizeError::Unrecognized("the width of its CLIP encoder can't be told".to_owned()),
    )
}

fn infer_clip_text(map: &Map<'_>) -> Inferred {
    let public = ClipConfig::public();
    let others = [dim(map, "blocks.input.w_voc", 1), dim(map, "blocks.input.w_pos", 1)];
    let width = clip_width(map, &others)?;
    let head = head_width(&[width]);
    let config = ClipConfig {
        n_vocab: dim(map, "blocks.input.w_voc", 0).unwrap_or(public.n_vocab),
        max_text_len: dim(map, "blocks.input.w_pos", 0).unwrap_or(public.max_text_len),
        n_embd: dim(map, "blocks.output.f.w", 0).unwrap_or(public.n_embd),
        n_head_state_text: head,
        n_head_text: width / head,
        n_xf_blocks_text: count_blocks(map),
        ..public
    };
    check_clip(&config)?;
    let assumed = format!("{} attention heads in CLIP's text encoder", config.n_head_text);
    Ok((NetworkConfig::Clip(config), vec![assumed]))
}

fn infer_clip_image(map: &Map<'_>) -> Inferred {
    let public = ClipConfig::public();
    let others = [
        dim(map, "blocks.input.w_t", 1),
        dim(map, "blocks.input.w_pos", 1),
        dim(map, "blocks.input.patch_proj", 0),
    ];
    let width = clip_width(map, &others)?;
    let head = head_width(&[width]);
    let patch_size = dim(map, "blocks.input.patch_proj", 2).unwrap_or(public.patch_size);
    let places = dim(map, "blocks.input.w_pos", 0).unwrap_or(257);
    let config = ClipConfig {
        n_timesteps: dim(map, "blocks.input.w_t", 0).unwrap_or(public.n_timesteps),
        image_size: places.saturating_sub(1).isqrt().saturating_mul(patch_size),
        patch_size,
        n_embd: dim(map, "blocks.output.f.w", 0).unwrap_or(public.n_embd),
        n_head_state_image: head,
        n_head_image: width / head,
        n_xf_blocks_image: count_blocks(map),
        ..public
    };
    check_clip(&config)?;
    let assumed = format!("{} attention heads in CLIP's picture encoder", config.n_head_image);
    Ok((NetworkConfig::Clip(config), vec![assumed]))
}

fn count_blocks(map: &Map<'_>) -> usize {
    count(map, "blocks.block_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn golden(name: &str) -> Value {
        let path = format!("{}/tests/golden/glide/real_shapes/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn shapes(golden: &Value) -> Vec<(String, Vec<usize>)> {
        let tensors = golden["tensors"].as_object().unwrap();
        tensors
            .iter()
            .map(|(name, shape)| (name.clone(), serde_json::from_value(shape.clone()).unwrap()))
            .collect()
    }

    const PUBLIC: [(&str, Role); 6] = [
        ("base.json", Role::Base),
        ("base_inpaint.json", Role::BaseInpaint),
        ("upsample.json", Role::Upsample),
        ("upsample_inpaint.json", Role::UpsampleInpaint),
        ("clip_text_enc.json", Role::ClipText),
        ("clip_image_enc.json", Role::ClipImage),
    ];

    #[test]
    fn the_six_public_checkpoints_are_recognized_exactly() {
        for (file, role) in PUBLIC {
            let found = recognize_glide(&shapes(&golden(file)), None).unwrap();
            assert_eq!(found.role, role);
            assert!(found.public && found.assumptions.is_empty(), "{file}");
            if let Some(form) = role.form() {
                assert_eq!(found.config, NetworkConfig::Glide(GlideConfig::public(form)));
            }
        }
    }

    #[test]
    fn a_damaged_public_checkpoint_names_what_is_wrong() {
        for (file, role) in PUBLIC {
            let whole = shapes(&golden(file));
            for at in (0..whole.len()).step_by(17) {
                let mut cut = whole.clone();
                let (gone, _) = cut.remove(at);
                match recognize_glide(&cut, None).unwrap_err() {
                    RecognizeError::MissingKeys { missing, .. } => assert_eq!(missing, [gone]),
                    // Without the first convolution nothing tells the forms apart.
                    other => panic!("{role} without {gone}: {other}"),
                }
            }
            let mut bent = whole.clone();
            bent[20].1[0] += 1;
            let error = recognize_glide(&bent, None).unwrap_err();
            assert!(
                matches!(&error, RecognizeError::ShapeMismatch { key, .. } if *key == bent[20].0)
            );
            let mut grown = whole.clone();
            grown.push(("extra.weight".to_owned(), vec![1]));
            let error = recognize_glide(&grown, None).unwrap_err();
            assert_eq!(error.category(), "unexpected_key");
            assert!(error.to_string().contains("extra.weight"));
        }
    }

    fn small() -> Vec<GlideConfig> {
        let base = json!({"image_size": 64, "num_channels": 32, "num_res_blocks": 1,
            "channel_mult": "1,2", "attention_resolutions": "32", "num_head_channels": 64,
            "text_ctx": 24, "xf_width": 64, "xf_layers": 2, "xf_heads": 1, "n_vocab": 90});
        let change = |changes: Value| {
            let mut config = base.clone();
            config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            serde_json::from_value(config).unwrap()
        };
        vec![
            change(json!({})),
            change(json!({"inpaint": true})),
            change(
                json!({"super_res": true, "image_size": 256, "attention_resolutions": "128,256",
                "num_head_channels": 32, "noise_schedule": "linear"}),
            ),
            change(
                json!({"super_res": true, "inpaint": true, "image_size": 256, "num_res_blocks": 3,
                "attention_resolutions": [64], "channel_mult": [1, 1, 2], "noise_schedule": "linear"}),
            ),
            change(
                json!({"xf_final_ln": false, "xf_padding": false, "use_scale_shift_norm": false,
                "resblock_updown": false}),
            ),
            change(json!({"channel_mult": "2,1", "num_head_channels": 32})),
            change(
                json!({"channel_mult": "1", "attention_resolutions": "", "num_head_channels": 32}),
            ),
        ]
    }

    #[test]
    fn other_sizes_are_read_off_their_shapes() {
        for config in small() {
            let found = recognize_glide(&parameter_shapes(&config).unwrap(), None).unwrap();
            let NetworkConfig::Glide(read) = found.config else { panic!("not a UNet") };
            let mut wanted = config.clone();
            wanted.attention_resolutions.sort_unstable_by(|a, b| b.cmp(a));
            assert_eq!(read, wanted);
            assert_eq!(found.role, config.form().into());
            assert!(!found.public && !found.assumptions.is_empty());
        }
    }

    #[test]
    fn a_network_without_text_is_recognized() {
        let mut config = small()[0].clone();
        config.xf_width = 0;
        let found = recognize_glide(&parameter_shapes(&config).unwrap(), None).unwrap();
        let NetworkConfig::Glide(read) = found.config else { panic!("not a UNet") };
        assert_eq!(read.xf_width, 0);
    }

    #[test]
    fn any_missing_tensor_of_another_size_is_named() {
        let config = &small()[0];
        let whole = parameter_shapes(config).unwrap();
        // Some tensors are optional by themselves: without them it is another sound network.
        let optional = ["padding_embedding"];
        for at in 0..whole.len() {
            let mut cut = whole.clone();
            let (gone, _) = cut.remove(at);
            match recognize_glide(&cut, None) {
                Err(RecognizeError::MissingKeys { missing, .. }) => assert_eq!(missing, [gone]),
                Ok(_) => assert!(optional.contains(&gone.as_str()), "{gone} was not missed"),
                Err(other) => panic!("without {gone}: {other}"),
            }
        }
    }

    #[test]
    fn a_given_config_settles_what_shapes_leave_open() {
        let mut config = small()[0].clone();
        config.num_head_channels = 16;
        config.image_size = 32;
        config.attention_resolutions = vec![16];
        let found = parameter_shapes(&config).unwrap();
        let plain = serde_json::to_value(&config).unwrap();
        let mut bare = plain.clone();
        bare.as_object_mut().unwrap().remove("n_vocab");
        for given in [
            plain.clone(),
            json!({"config": bare, "vocab_size": 90}),
            json!({"config": bare}),
            json!({"base": plain, "upsample": {"anything": 1}}),
        ] {
            let known = recognize_glide(&found, Some(&given)).unwrap();
            assert_eq!(known.config, NetworkConfig::Glide(config.clone()));
            assert!(known.assumptions.is_empty());
        }
        config.num_res_blocks = 2;
        let given = serde_json::to_value(&config).unwrap();
        assert_eq!(recognize_glide(&found, Some(&given)).unwrap_err().category(), "missing_key");
        for bad in [json!([]), json!({"image_size": "x"}), json!({"config": {"image_size": 64}})] {
            assert_eq!(recognize_glide(&found, Some(&bad)).unwrap_err().category(), "bad_config");
        }
        config.xf_layers = usize::MAX;
        let given = serde_json::to_value(&config).unwrap();
        assert!(
            recognize_glide(&found, Some(&given)).unwrap_err().to_string().contains("xf_layers")
        );
    }

    #[test]
    fn small_clips_are_read_off_their_shapes() {
        let config = ClipConfig {
            image_size: 16,
            n_vocab: 300,
            n_embd: 48,
            n_head_state_text: 64,
            n_head_text: 1,
            n_xf_blocks_text: 2,
            n_head_state_image: 64,
            n_head_image: 1,
            n_xf_blocks_image: 2,
            ..ClipConfig::public()
        };
        let text = recognize_glide(&clip_text_shapes(&config).unwrap(), None).unwrap();
        assert_eq!(text.role, Role::ClipText);
        let image = recognize_glide(&clip_image_shapes(&config).unwrap(), None).unwrap();
        assert_eq!(image.role, Role::ClipImage);
        let NetworkConfig::Clip(read) = image.config else { panic!("not CLIP") };
        assert_eq!((read.image_size, read.patch_size, read.n_embd), (16, 4, 48));
        let given = json!({"clip_config": config});
        let known = recognize_glide(&clip_text_shapes(&config).unwrap(), Some(&given)).unwrap();
        assert_eq!(known.config, NetworkConfig::Clip(config));
    }

    #[test]
    fn other_networks_are_refused_with_a_look_at_their_names() {
        let other = [("model.layers.0.self_attn.q_proj.weight".to_owned(), vec![64, 64])];
        let error = recognize_glide(&other, None).unwrap_err();
        assert_eq!(error.category(), "unrecognized");
        assert!(error.to_string().contains("q_proj"));
        assert!(recognize_glide(&[], None).is_err());
    }
}
