//! Single building blocks with their own parameters.

use super::compare::{Check, Tolerance};
use super::vectors::{SelftestError, Vectors};
use super::{Result, Sink, list, text};
use crate::models::glide::blocks::{AttentionBlock, ResBlock, ResBlockShape, Resolution};
use crate::models::glide::{TextBlock, text_attention};
use crate::nn::{
    Conv2d, GroupNorm, Interrupt, LayerNorm, double_nearest, qkv_attention, resize_bilinear,
    timestep_embedding,
};
use candle_core::{DType, Device};
use serde_json::Value;
use std::path::Path;

pub(super) fn run(
    path: &Path,
    json: &Value,
    name: &str,
    device: &Device,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    let vectors = Vectors::read(&folder.join(text(json, "file")?), device)?;
    for op in list(json, "ops")? {
        let op_name = text(op, "name")?;
        let check_name = format!("{name}/{op_name}");
        if let Err(error) = run_op(&vectors, op, op_name, &check_name, device, sink) {
            sink(Check::failed(&format!("{check_name}: {error}")));
        }
    }
    Ok(())
}

/// `x` in [-1, 1] on the scale 0..255: rounded half to even, clamped.
pub(super) fn byte_from_unit(x: f32) -> f64 {
    f64::from(((x + 1.0) * 127.5).round_ties_even().clamp(0.0, 255.0))
}

fn run_op(
    vectors: &Vectors,
    op: &Value,
    op_name: &str,
    check_name: &str,
    device: &Device,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let input = |name: &str| vectors.get(&format!("{op_name}.in.{name}"));
    let vb = vectors.weights(&format!("{op_name}.w."), device);
    let number = |name: &str| op.pointer(&format!("/params/{name}")).and_then(Value::as_f64);
    let whole = |name: &str| {
        number(name).map(|value| value as usize).ok_or_else(|| SelftestError::missing(name))
    };
    let flag =
        |name: &str| op.pointer(&format!("/params/{name}")).and_then(Value::as_bool) == Some(true);
    let go = Interrupt::new();
    let is = |prefix: &str| op_name.starts_with(prefix);
    let found = if is("timestep_embedding") {
        let period = number("max_period").unwrap_or(10000.0);
        timestep_embedding(input("t")?, whole("dim")?, period)?
    } else if is("group_norm") {
        let x = input("x")?;
        let norm = GroupNorm::new(x.dim(1)?, &vb)?;
        match number("swish").unwrap_or(0.0) {
            0.0 => norm.forward(x)?,
            1.0 => norm.forward_silu(x)?,
            // No network has this one; the reference's layer does.
            scale => {
                let y = norm.forward(x)?;
                (&y * candle_nn::ops::sigmoid(&(&y * scale)?)?)?
            }
        }
    } else if is("layer_norm") {
        let x = input("x")?;
        LayerNorm::new(x.dim(candle_core::D::Minus1)?, ["weight", "bias"], &vb)?.forward(x)?
    } else if is("qkv_attention") {
        let encoder_kv = vectors.find(&format!("{op_name}.in.encoder_kv"));
        qkv_attention(input("qkv")?, encoder_kv, None, whole("n_heads")?, &go)?
    } else if is("xf_attention") {
        text_attention(input("qkv")?, whole("heads")?)?
    } else if is("xf_block") {
        let x = input("x")?;
        TextBlock::new(x.dim(2)?, whole("heads")?, &vb)?.forward(x)?
    } else if is("attention_block") {
        let x = input("x")?;
        let text = vectors.find(&format!("{op_name}.in.encoder_out"));
        let text_width = text.map_or(Ok(0), |text| text.dim(1))?;
        AttentionBlock::new(x.dim(1)?, whole("num_heads")?, text_width, &vb)?
            .forward(x, text, &go)?
    } else if is("res_block") {
        let (x, emb) = (input("x")?, input("emb")?);
        let channels = whole("channels")?;
        let resolution = match (flag("up"), flag("down")) {
            (true, _) => Resolution::Double,
            (_, true) => Resolution::Halve,
            _ => Resolution::Keep,
        };
        let shape = ResBlockShape {
            channels,
            out: whole("out_channels").unwrap_or(channels),
            emb: emb.dim(1)?,
            scale_shift: flag("use_scale_shift_norm"),
            resolution,
        };
        ResBlock::new(&shape, &vb)?.forward(x, &emb.silu()?, &go)?
    } else if is("upsample_conv") {
        let x = input("x")?;
        let channels = x.dim(1)?;
        Conv2d::new(channels, channels, 1, &vb.pp("conv"))?.forward(&double_nearest(x)?, &go)?
    } else if is("downsample_conv") {
        let x = input("x")?;
        let channels = x.dim(1)?;
        Conv2d::new(channels, channels, 2, &vb.pp("op"))?.forward(x, &go)?
    } else if is("bilinear") || is("nearest") {
        let x = input("x")?;
        let (_, _, height, width) = vectors.get(&format!("{op_name}.out"))?.dims4()?;
        if is("bilinear") {
            resize_bilinear(x, height, width)?
        } else {
            x.upsample_nearest2d(height, width)?
        }
    } else if is("to_grid") {
        return to_grid(vectors, op, op_name, check_name, sink);
    } else {
        return Err(SelftestError::Field(format!("op {op_name}")));
    };
    let output = format!("{op_name}.out");
    let tolerance = output_tolerance(op, &output);
    sink(Check::tensors(check_name, &found, vectors.get(&output)?, tolerance)?);
    Ok(())
}

fn output_tolerance(op: &Value, output: &str) -> Tolerance {
    Tolerance::read(op.get("outputs").and_then(|outputs| outputs.get(output)?.get("tolerance")))
}

/// Rounding to the 8-bit grid; inputs on an exact half may land on either side.
fn to_grid(
    vectors: &Vectors,
    op: &Value,
    op_name: &str,
    check_name: &str,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let x = vectors.get(&format!("{op_name}.in.x"))?.to_vec1::<f32>()?;
    let on_half = |x: f32| (((f64::from(x) + 1.0) * 127.5).fract().abs() - 0.5).abs() < 1e-4;
    let grid = |x: f32| f64::from(((x + 1.0) * 127.5).round_ties_even() / 127.5 - 1.0);
    for (output, step) in [("low_res", 1.0 / 127.5), ("u8", 1.0)] {
        let expected = vectors.get(&format!("{op_name}.{output}"))?;
        let expected = expected.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let found: Vec<f64> = x
            .iter()
            .zip(&expected)
            .map(|(&x, &expected)| {
                let value = if output == "u8" { byte_from_unit(x) } else { grid(x) };
                let near = (value - expected).abs() < step * 1.001;
                if on_half(x) && near { expected } else { value }
            })
            .collect();
        let tolerance = output_tolerance(op, &format!("{op_name}.{output}"));
        sink(Check::values(&format!("{check_name}/{output}"), &found, &expected, 1, tolerance));
    }
    Ok(())
}
