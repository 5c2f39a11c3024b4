//! How everything looks: colors, sizes, fonts and icons. No other file names a color or a font.
//!
//! Two looks of equal care, dark and light: neutral grays, so that they don't tint the eye's view of
//! the picture, and one accent color. Every pair of text and background that occurs reaches the
//! contrast that WCAG 2.2 asks for at level AA, which the tests of [`Colors`] compute.
//! [`install_fonts`] once, [`apply`] in every frame or after every change.

mod colors;
mod fonts;
pub mod icon;
mod sizes;
mod style;

pub use colors::{Colors, Look, color32, colors, colors_of};
pub use fonts::{FILLED, SEMIBOLD, filled, install_fonts, semibold};
pub use sizes::{
    BUTTON_PX, DIALOG_PX, HEADING_PX, ICON_PX, LABEL_PX, RADIUS, SMALL_PX, SPACE_L, SPACE_M,
    SPACE_S, SPACE_XL, SPACE_XS, TEXT_PX, THUMBNAIL_PX, TOOL_PX, VALUE_PX,
};
pub use style::apply;
