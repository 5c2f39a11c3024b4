//! Sizes in points. Distances are multiples of four.

/// Between things that belong together closely: icon and text.
pub const SPACE_XS: f32 = 4.0;
/// Between controls of one group.
pub const SPACE_S: f32 = 8.0;
/// Between groups; the margin of a panel.
pub const SPACE_M: f32 = 12.0;
/// Between sections; the margin of a dialog.
pub const SPACE_L: f32 = 20.0;
/// Around a picture or a text that stands alone.
pub const SPACE_XL: f32 = 32.0;

/// Text of labels, buttons and fields.
pub const TEXT_PX: f32 = 13.0;
/// Text of hints and of the status bar.
pub const SMALL_PX: f32 = 12.0;
/// Text of a dialog's title.
pub const HEADING_PX: f32 = 17.0;
/// An icon on a button.
pub const ICON_PX: f32 = 18.0;

/// Height of buttons, fields and rows; the side of an icon button.
pub const BUTTON_PX: f32 = 28.0;
/// Side of a button in the tool bar.
pub const TOOL_PX: f32 = 36.0;
/// Width of a label that stands left of a control.
pub const LABEL_PX: f32 = 104.0;
/// Width of an editable number.
pub const VALUE_PX: f32 = 60.0;
/// Longest side of a thumbnail in a list.
pub const THUMBNAIL_PX: f32 = 48.0;
/// Width of an ordinary dialog.
pub const DIALOG_PX: f32 = 440.0;
/// Rounding of corners.
pub const RADIUS: u8 = 4;
