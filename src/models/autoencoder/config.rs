//! Shapes of the autoencoder.

use serde::{Deserialize, Serialize};

use crate::models::parameters::{ParameterError, bounds};

/// What messages call it.
pub(super) const NETWORK: &str = "autoencoder";
/// Groups of every norm; the recipe has no key for it.
pub(super) const GROUPS: usize = 16;

/// Shapes of one autoencoder, with the keys of the training recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoencoderConfig {
    /// Channels at the picture's full size.
    pub base: usize,
    /// Width of each level as a multiple of `base`; sides halve from one to the next.
    pub mult: Vec<usize>,
    /// Residual blocks at each level.
    pub blocks: usize,
    /// Channels of the latents.
    pub latent: usize,
}

impl AutoencoderConfig {
    /// The autoencoder of the starter models.
    #[must_use]
    pub fn starter() -> Self {
        Self { base: 32, mult: vec![1, 2, 4, 4], blocks: 1, latent: 8 }
    }

    /// Reads a config and checks its numbers.
    ///
    /// # Errors
    ///
    /// When a key is absent, has the wrong kind of value, or is beyond reason.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, ParameterError> {
        let config: Self = serde_json::from_value(json.clone())
            .map_err(|error| ParameterError::config(NETWORK, error))?;
        config.check().map_err(|why| ParameterError::Config { network: NETWORK, why })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        bounds("base", self.base, 1, 1 << 14)?;
        bounds("the number of levels", self.mult.len(), 1, 8)?;
        for &mult in &self.mult {
            bounds("mult", mult, 1, 64)?;
        }
        for width in self.widths() {
            if !width.is_multiple_of(GROUPS) {
                return Err(format!("a width of {width} does not divide into {GROUPS} groups"));
            }
        }
        bounds("blocks", self.blocks, 0, 64)?;
        bounds("latent", self.latent, 1, 1024)
    }

    /// Channels of each level, the picture's full size first.
    #[must_use]
    pub fn widths(&self) -> Vec<usize> {
        self.mult.iter().map(|mult| self.base * mult).collect()
    }

    /// Pixels to a latent, along each side.
    #[must_use]
    pub fn downscale(&self) -> usize {
        1 << self.mult.len().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn configs_beyond_reason_are_refused_with_the_key() {
        let check = |json: serde_json::Value, part: &str| {
            let error = AutoencoderConfig::from_json(&json).unwrap_err();
            assert_eq!(error.category(), "bad_config");
            assert!(error.to_string().contains(part), "{error}");
        };
        let good = json!({"base": 16, "mult": [1, 2], "blocks": 1, "latent": 4});
        assert_eq!(AutoencoderConfig::from_json(&good).unwrap().downscale(), 2);
        check(json!({"base": 16, "mult": [1, 2], "blocks": 1}), "latent");
        check(json!({"base": 24, "mult": [1, 2], "blocks": 1, "latent": 4}), "24");
        check(json!({"base": 16, "mult": [], "blocks": 1, "latent": 4}), "levels");
        check(json!({"base": 16, "mult": [1], "blocks": 1_u64 << 40, "latent": 4}), "blocks");
        check(json!(null), "autoencoder");
    }
}
