//! How a layer's color mixes with what lies below it.

use serde::{Deserialize, Serialize};

/// A blend mode of the W3C's Compositing and Blending specification (level 1), as `OpenRaster`
/// names them too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlendMode {
    /// The layer's own color.
    #[default]
    Normal,
    /// Product.
    Multiply,
    /// Inverted product of the inverted colors.
    Screen,
    /// Multiply or screen, by the color below.
    Overlay,
    /// The darker channel.
    Darken,
    /// The lighter channel.
    Lighten,
    /// Brightens what lies below to reflect the layer.
    ColorDodge,
    /// Darkens what lies below to reflect the layer.
    ColorBurn,
    /// Multiply or screen, by the layer's color.
    HardLight,
    /// Darkens or lightens softly, by the layer's color.
    SoftLight,
    /// The darker channel taken from the lighter one.
    Difference,
    /// Like difference, with less contrast.
    Exclusion,
    /// Hue of the layer, saturation and luminosity from below.
    Hue,
    /// Saturation of the layer, hue and luminosity from below.
    Saturation,
    /// Hue and saturation of the layer, luminosity from below.
    Color,
    /// Luminosity of the layer, hue and saturation from below.
    Luminosity,
    /// Sum of both (`plus-lighter`).
    Add,
}

impl BlendMode {
    /// All modes, in the order in which menus list them; the position is the mode's number in shaders.
    pub const ALL: [Self; 17] = [
        Self::Normal,
        Self::Multiply,
        Self::Screen,
        Self::Overlay,
        Self::Darken,
        Self::Lighten,
        Self::ColorDodge,
        Self::ColorBurn,
        Self::HardLight,
        Self::SoftLight,
        Self::Difference,
        Self::Exclusion,
        Self::Hue,
        Self::Saturation,
        Self::Color,
        Self::Luminosity,
        Self::Add,
    ];

    /// The number that shaders know the mode by.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }
}
