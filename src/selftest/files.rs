//! Tokenizers, pictures, checkpoint files and the public shapes.

use super::compare::{Check, Tolerance};
use super::vectors::{SelftestError, Vectors};
use super::{Result, Sink, list, text};
use crate::geom::Extent;
use crate::models::glide::{
    ClipConfig, GlideConfig, clip_image_shapes, clip_text_shapes, parameter_shapes,
};
use crate::models::recognize;
use crate::raster::{RgbaImage, byte_from_unit, grid, resize_bicubic_rgb};
use crate::storage::read_image;
use crate::text::{ClipTokenizer, Tokenizer};
use crate::weights::Checkpoint;
use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use serde_json::Value;
use std::path::Path;

fn explained(error: impl std::fmt::Display) -> SelftestError {
    SelftestError::Other(error.to_string())
}

/// The weights of a checkpoint file.
pub(super) fn checkpoint_weights(
    path: &Path,
    dtype: DType,
    device: &Device,
) -> Result<VarBuilder<'static>> {
    Ok(Checkpoint::open(path).map_err(explained)?.var_builder(dtype, device))
}

/// Reads a checkpoint as `gesso models import` does, and says why that fails.
fn read_checkpoint(path: &Path, config: &Value) -> std::result::Result<(), String> {
    let checkpoint = Checkpoint::open(path).map_err(|error| error.to_string())?;
    recognize(&checkpoint.shapes(), Some(config)).map_err(|error| error.to_string())?;
    checkpoint.check_data().map_err(|error| error.to_string())?;
    for (name, _) in checkpoint.shapes() {
        let values = checkpoint.load_f32(&name).map_err(|error| error.to_string())?;
        if !values.iter().all(|value| value.is_finite()) {
            return Err(format!("`{name}` holds values that are not finite"));
        }
    }
    Ok(())
}

/// Good files must be read; each malformed one must be refused with a message of its own.
pub(super) fn checkpoints(
    path: &Path,
    json: &Value,
    name: &str,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    for file in list(json, "files")? {
        let file_name = text(file, "file")?;
        let check = format!("{name}/{file_name}");
        let result = read_checkpoint(&folder.join(file_name), json);
        let expects_ok = text(file, "expect")? == "ok";
        sink(match (result, expects_ok) {
            (Ok(()), true) => Check::counted(&check, 0),
            (Err(_), false) => Check::counted(&format!("{check} refused"), 0),
            (Ok(()), false) => Check::failed(&format!("{check}: was not refused")),
            (Err(error), true) => Check::failed(&format!("{check}: {error}")),
        });
    }
    Ok(())
}

/// The networks must have exactly the names and shapes of the public checkpoints.
pub(super) fn real_shapes(json: &Value, name: &str, sink: &mut Sink<'_>) -> Result<()> {
    let tensors = json
        .get("tensors")
        .and_then(Value::as_object)
        .ok_or_else(|| SelftestError::missing("tensors"))?;
    let built = if let Some(config) = json.get("clip_config") {
        let config: ClipConfig = serde_json::from_value(config.clone()).map_err(explained)?;
        if tensors.contains_key("blocks.input.w_voc") {
            clip_text_shapes(&config)?
        } else {
            clip_image_shapes(&config)?
        }
    } else {
        let config = json.get("config").ok_or_else(|| SelftestError::missing("config"))?;
        let config: GlideConfig = serde_json::from_value(config.clone()).map_err(explained)?;
        parameter_shapes(&config)?
    };
    let expected = |name: &str| -> Option<Vec<usize>> {
        let dims = tensors.get(name)?.as_array()?.iter();
        Some(dims.filter_map(Value::as_u64).map(|dim| dim as usize).collect())
    };
    let wrong = built.iter().filter(|(name, shape)| expected(name).as_ref() != Some(shape)).count();
    let missing = tensors.len().abs_diff(built.len());
    sink(Check::counted(name, wrong + missing));
    Ok(())
}

/// Numbers of a JSON list.
fn numbers(json: &Value, field: &str) -> Result<Vec<u64>> {
    Ok(list(json, field)?.iter().filter_map(Value::as_u64).collect())
}

/// A prompt's tokens.
type Encode<'a> = Box<dyn Fn(&str) -> Vec<u64> + 'a>;
/// A prompt's tokens at a context length, and how many of them are its own.
type Pad<'a> = Box<dyn Fn(&str, usize) -> (Vec<u64>, usize) + 'a>;
/// The text of tokens.
type Decode<'a> = Box<dyn Fn(&[u32]) -> String + 'a>;

/// Every string must give exactly the reference's tokens.
pub(super) fn tokenizer(json: &Value, name: &str, sink: &mut Sink<'_>) -> Result<()> {
    let wide = |tokens: &[u32]| tokens.iter().map(|&token| u64::from(token)).collect::<Vec<_>>();
    let context = json.get("text_ctx").and_then(Value::as_u64).unwrap_or(128) as usize;
    let vocab = json.get("n_vocab").and_then(Value::as_u64).unwrap_or(0) as usize;
    let clip = json.get("start_token").is_some();
    let (gpt2, clip_tokenizer);
    let encode: Encode<'_>;
    let pad: Pad<'_>;
    let decode: Decode<'_>;
    if clip {
        clip_tokenizer = ClipTokenizer::new().map_err(explained)?;
        let tokenizer = &clip_tokenizer;
        encode = Box::new(move |text| wide(&tokenizer.encode(text)));
        pad = Box::new(move |text, context| {
            let padded = tokenizer.encode_padded(text, context);
            (wide(&padded.tokens), padded.len)
        });
        decode = Box::new(move |tokens| tokenizer.decode(tokens));
    } else {
        gpt2 = Tokenizer::gpt2().map_err(explained)?;
        let tokenizer = &gpt2;
        encode = Box::new(move |text| wide(&tokenizer.encode(text)));
        pad = Box::new(move |text, context| {
            let padded = tokenizer.encode_padded(text, context, vocab);
            (wide(&padded.tokens), padded.token_mask.iter().filter(|&&known| known).count())
        });
        decode = Box::new(move |tokens| tokenizer.decode(tokens));
    }
    let mut wrong = 0;
    for case in list(json, "cases")? {
        let prompt = text(case, "text")?;
        let tokens = numbers(case, "tokens")?;
        let (padded, known) = pad(prompt, context);
        let length = if clip { "len" } else { "mask_true" };
        let narrow: Vec<u32> = tokens.iter().map(|&token| token as u32).collect();
        let same = encode(prompt) == tokens
            && padded == numbers(case, "padded")?
            && case.get(length).and_then(Value::as_u64) == Some(known as u64)
            && decode(&narrow) == text(case, "decoded")?;
        wrong += usize::from(!same);
    }
    sink(Check::counted(&format!("{name}/cases"), wrong));
    let mut wrong = 0;
    for case in list(json, "padding")? {
        let context = case.get("text_ctx").and_then(Value::as_u64).unwrap_or(0) as usize;
        let (padded, known) = pad(text(case, "text")?, context);
        let length = match case.get("len").and_then(Value::as_u64) {
            Some(len) => len,
            None => numbers(case, "mask")?.iter().sum(),
        };
        wrong += usize::from(padded != numbers(case, "padded")? || known as u64 != length);
    }
    sink(Check::counted(&format!("{name}/padding"), wrong));
    if let Some(cases) = json.get("decode_partial").and_then(Value::as_array) {
        let mut wrong = 0;
        for case in cases {
            let tokens: Vec<u32> =
                numbers(case, "tokens")?.into_iter().map(|token| token as u32).collect();
            wrong += usize::from(decode(&tokens) != text(case, "decoded")?);
        }
        sink(Check::counted(&format!("{name}/decode_partial"), wrong));
    }
    Ok(())
}

/// Pictures brought to a network's extent, and a batch laid out as one picture.
pub(super) fn images(path: &Path, json: &Value, name: &str, sink: &mut Sink<'_>) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    let vectors = Vectors::read(&folder.join(text(json, "file")?), &Device::Cpu)?;
    let tolerance = Tolerance::read(json.get("tolerance"));
    let mut check = |output: &str, found: &[f64]| -> Result<()> {
        let expected =
            vectors.get(output)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let check = format!("{name}/{output}");
        sink(Check::values(&check, found, &expected, 1, tolerance.clone()));
        Ok(())
    };
    for source in list(json, "sources")? {
        let image = read_image(&folder.join(text(source, "file")?)).map_err(explained)?;
        for output in list(source, "outputs")? {
            let output = output.as_str().ok_or_else(|| SelftestError::missing("outputs"))?;
            let side = vectors.get(output)?.dim(1)? as u32;
            let resized = resize_bicubic_rgb(&image, Extent::new(side, side));
            // Planes instead of pixels: [3, S, S].
            let found: Vec<f64> = (0..3)
                .flat_map(|c| resized.pixels().iter().map(move |pixel| f64::from(pixel[c])))
                .collect();
            check(output, &found)?;
        }
    }
    if let Some(batch) = vectors.find("grid.in.batch") {
        let (count, _, height, width) = batch.dims4()?;
        let values = batch.flatten_all()?.to_vec1::<f32>()?;
        let plane = height * width;
        let pictures: Vec<RgbaImage> = (0..count)
            .map(|i| {
                let value = |c: usize, p: usize| byte_from_unit(values[(i * 3 + c) * plane + p]);
                let rgb: Vec<u8> =
                    (0..plane).flat_map(|p| (0..3).map(move |c| value(c, p))).collect();
                RgbaImage::from_rgb(Extent::new(width as u32, height as u32), &rgb)
                    .map_err(explained)
            })
            .collect::<Result<_>>()?;
        let found: Vec<f64> = grid(&pictures).to_rgb().into_iter().map(f64::from).collect();
        check("grid.out.u8", &found)?;
    }
    Ok(())
}
