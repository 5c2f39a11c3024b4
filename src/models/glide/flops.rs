//! How much arithmetic one evaluation takes.

use super::config::{GlideConfig, UnsupportedConfig};

/// Floating point operations (a multiply-add is two) of one evaluation of the UNet for one picture.
///
/// Counts convolutions, linear layers of the attention blocks, and attention itself; what remains
/// (norms, activations, the embedding of the timestep) is below one percent.
///
/// # Errors
///
/// When the config is unsupported.
pub fn unet_flops(
    config: &GlideConfig,
    height: usize,
    width: usize,
) -> Result<f64, UnsupportedConfig> {
    let levels = config.levels()?;
    let base = config.num_channels;
    let attends = |factor: usize| {
        config
            .attention_resolutions
            .iter()
            .any(|&side| side > 0 && config.image_size / side == factor)
    };
    let pixels = |factor: usize| (height / factor) as f64 * (width / factor) as f64;
    let conv =
        |inputs: usize, outputs: usize, pixels: f64| 18.0 * (inputs * outputs) as f64 * pixels;
    let res = |inputs: usize, outputs: usize, pixels: f64| {
        let skip = if inputs == outputs { 0.0 } else { 2.0 * (inputs * outputs) as f64 * pixels };
        conv(inputs, outputs, pixels) + conv(outputs, outputs, pixels) + skip
    };
    let attention = |channels: usize, pixels: f64| {
        let text = if config.xf_width > 0 { config.text_ctx } else { 0 } as f64;
        let c = channels as f64;
        8.0 * c * c * pixels
            + 4.0 * c * config.xf_width as f64 * text
            + 4.0 * c * pixels * (pixels + text)
    };

    let mut channels = levels[0] * base;
    let mut total = conv(config.in_channels(), channels, pixels(1));
    let mut skips = vec![channels];
    let mut factor = 1;
    for (level, &multiple) in levels.iter().enumerate() {
        for _ in 0..config.num_res_blocks {
            total += res(channels, multiple * base, pixels(factor));
            channels = multiple * base;
            if attends(factor) {
                total += attention(channels, pixels(factor));
            }
            skips.push(channels);
        }
        if level + 1 < levels.len() {
            factor *= 2;
            let convs = if config.resblock_updown { 2.0 } else { 1.0 };
            total += convs * conv(channels, channels, pixels(factor));
            skips.push(channels);
        }
    }
    total += 2.0 * res(channels, channels, pixels(factor)) + attention(channels, pixels(factor));
    for (level, &multiple) in levels.iter().enumerate().rev() {
        for i in 0..=config.num_res_blocks {
            let skip = skips.pop().unwrap_or_default();
            total += res(channels + skip, multiple * base, pixels(factor));
            channels = multiple * base;
            if attends(factor) {
                total += attention(channels, pixels(factor));
            }
            if level > 0 && i == config.num_res_blocks {
                factor /= 2;
                let convs = if config.resblock_updown { 2.0 } else { 1.0 };
                total += convs * conv(channels, channels, pixels(factor));
            }
        }
    }
    Ok(total + conv(channels, 6, pixels(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::glide::GlideForm;

    #[test]
    fn four_times_the_pixels_take_about_four_times_the_arithmetic() {
        let config = GlideConfig::public(GlideForm::Base);
        let small = unet_flops(&config, 32, 32).unwrap();
        let large = unet_flops(&config, 64, 64).unwrap();
        assert!(large > 3.9 * small && large < 5.0 * small);
    }
}
