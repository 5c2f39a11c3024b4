//! The tools and their settings.

use crate::document::Combine;
use crate::raster::Brush;

/// A tool that the pointer works with on the canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tool {
    /// Paints the selection.
    #[default]
    MaskBrush,
    /// Takes away from the selection.
    MaskEraser,
    /// Paints the layer.
    Brush,
    /// Erases the layer.
    Eraser,
    /// Fills a part of one color.
    Fill,
    /// Takes a color from the picture.
    Eyedropper,
    /// Selects a rectangle.
    Rectangle,
    /// Selects an ellipse.
    Ellipse,
    /// Selects what is drawn around.
    Lasso,
    /// Selects between clicked corners.
    Polygon,
    /// Selects a part of one color.
    Wand,
    /// Moves the layer, or what is selected of it.
    Move,
    /// Cuts the canvas.
    Crop,
    /// Moves the view.
    Hand,
    /// Zooms the view.
    Zoom,
}

impl Tool {
    /// All tools, in the order of the tool bar.
    pub const ALL: [Self; 15] = [
        Self::MaskBrush,
        Self::MaskEraser,
        Self::Rectangle,
        Self::Ellipse,
        Self::Lasso,
        Self::Polygon,
        Self::Wand,
        Self::Brush,
        Self::Eraser,
        Self::Fill,
        Self::Eyedropper,
        Self::Move,
        Self::Crop,
        Self::Hand,
        Self::Zoom,
    ];

    /// Whether it paints with a brush.
    #[must_use]
    pub const fn has_brush(self) -> bool {
        matches!(self, Self::MaskBrush | Self::MaskEraser | Self::Brush | Self::Eraser)
    }

    /// Whether it changes how the canvas is seen, and nothing of the picture.
    #[must_use]
    pub const fn changes_view(self) -> bool {
        matches!(self, Self::Hand | Self::Zoom)
    }

    /// Whether it selects a shape.
    #[must_use]
    pub const fn selects(self) -> bool {
        matches!(self, Self::Rectangle | Self::Ellipse | Self::Lasso | Self::Polygon | Self::Wand)
    }
}

/// What the tools are set to.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSettings {
    /// The brush of the mask brush and the mask eraser.
    pub mask_brush: Brush,
    /// The brush of the color brush.
    pub brush: Brush,
    /// The brush of the eraser.
    pub eraser: Brush,
    /// The color that tools paint with, straight alpha.
    pub color: [u8; 4],
    /// The color to exchange it with.
    pub other_color: [u8; 4],
    /// How much a channel may differ for wand and bucket, 0 to 255.
    pub tolerance: u8,
    /// Whether wand and bucket take only connected pixels.
    pub contiguous: bool,
    /// Whether wand, bucket and eyedropper look at all visible layers.
    pub all_layers: bool,
    /// How a new shape combines with the selection, unless a key says otherwise.
    pub combine: Combine,
    /// Pixels by which grow and shrink change the selection.
    pub grow_px: u32,
    /// Pixels by which feather softens the selection.
    pub feather_px: u32,
    /// Whether brush and eraser paint the selection.
    pub quick_mask: bool,
}

impl Default for ToolSettings {
    fn default() -> Self {
        Self {
            mask_brush: Brush::default(),
            brush: Brush { diameter_px: 20.0, ..Brush::default() },
            eraser: Brush::default(),
            color: [0, 0, 0, 255],
            other_color: [255; 4],
            tolerance: 24,
            contiguous: true,
            all_layers: true,
            combine: Combine::Replace,
            grow_px: 4,
            feather_px: 4,
            quick_mask: false,
        }
    }
}

impl ToolSettings {
    /// The brush that a tool paints with.
    #[must_use]
    pub const fn brush_of(&self, tool: Tool) -> Option<&Brush> {
        match tool {
            Tool::MaskBrush | Tool::MaskEraser => Some(&self.mask_brush),
            Tool::Brush => Some(&self.brush),
            Tool::Eraser => Some(&self.eraser),
            _ => None,
        }
    }

    /// The brush that a tool paints with, to be changed.
    pub const fn brush_of_mut(&mut self, tool: Tool) -> Option<&mut Brush> {
        match tool {
            Tool::MaskBrush | Tool::MaskEraser => Some(&mut self.mask_brush),
            Tool::Brush => Some(&mut self.brush),
            Tool::Eraser => Some(&mut self.eraser),
            _ => None,
        }
    }
}
