//! Every change of a document, as data that can be printed, stored and done again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::document::{Document, LayerId, NodeId};
use crate::geom::{CanvasPoint, CanvasRect, Extent, PixelRect};
use crate::raster::{BlendMode, Brush, RgbaImage, StrokeMode, StrokeSample};

/// One change of a document.
///
/// Can be stored as it is, but for [`Edit::Place`], [`Edit::Replace`] and [`Edit::Attach`], which
/// hold pixels: storing those by themselves is an error.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// Adds an empty layer above the active one and makes it active.
    AddLayer {
        /// Its name.
        name: String,
    },
    /// Deletes a layer; the one below becomes active.
    DeleteLayer(LayerId),
    /// Copies a layer above itself and makes the copy active.
    DuplicateLayer {
        /// Which one.
        layer: LayerId,
        /// The copy's name.
        name: String,
    },
    /// Moves a layer to another place, 0 for the lowest.
    ReorderLayer {
        /// Which one.
        layer: LayerId,
        /// Its new place.
        position: usize,
    },
    /// Renames a layer.
    RenameLayer {
        /// Which one.
        layer: LayerId,
        /// Its new name.
        name: String,
    },
    /// Sets a layer's opacity, 0 to 1.
    SetOpacity {
        /// Which one.
        layer: LayerId,
        /// 0 to 1.
        opacity: f32,
    },
    /// Shows or hides a layer.
    SetVisible {
        /// Which one.
        layer: LayerId,
        /// Whether it is shown.
        visible: bool,
    },
    /// Protects a layer's pixels, or no longer.
    SetLocked {
        /// Which one.
        layer: LayerId,
        /// Whether they are protected.
        locked: bool,
    },
    /// Sets how a layer mixes with what lies below.
    SetBlendMode {
        /// Which one.
        layer: LayerId,
        /// The mode.
        blend_mode: BlendMode,
    },
    /// Merges a layer into the one below.
    MergeDown(LayerId),
    /// Merges all visible layers into one; hidden ones are deleted.
    Flatten,
    /// Makes the layer's mask part of its pixels.
    ApplyLayerMask(LayerId),
    /// Removes the layer's mask and shows all of it.
    DeleteLayerMask(LayerId),
    /// Makes the selection the layer's mask.
    MaskFromSelection(LayerId),
    /// Makes a layer's mask wider, or narrower below 0, and keeps its edge as soft as it is. Where
    /// something is selected, it gets wider only within that.
    GrowLayerMask {
        /// Which one.
        layer: LayerId,
        /// By how many pixels.
        by_px: i32,
    },
    /// Lays a picture down as a new layer above the active one, and makes it active.
    #[serde(skip)]
    Place(Place),
    /// A brush stroke.
    Stroke(Stroke),
    /// Gives the selected part of a layer, or the connected part of one color, a color.
    Fill(Fill),
    /// Erases the selected part of a layer; all of it where nothing is selected.
    ClearSelected(LayerId),
    /// Moves a layer's pixels; with a selection only the selected ones, and the selection with them.
    MovePixels {
        /// Which layer.
        layer: LayerId,
        /// Columns to the right.
        dx: i32,
        /// Rows down.
        dy: i32,
    },
    /// Moves the selection's outline and leaves the pixels where they are.
    MoveSelection {
        /// Columns to the right.
        dx: i32,
        /// Rows down.
        dy: i32,
    },
    /// Selects a shape.
    Select {
        /// What.
        shape: SelectionShape,
        /// How it combines with what is selected.
        combine: Combine,
    },
    /// Changes the selection as a whole.
    ChangeSelection(SelectionStep),
    /// Keeps the selection under a name; replaces one of the same name.
    SaveSelection(String),
    /// Selects what was kept under a name.
    LoadSelection {
        /// The name.
        name: String,
        /// How it combines with what is selected.
        combine: Combine,
    },
    /// Forgets what was kept under a name.
    DeleteSavedSelection(String),
    /// Cuts the canvas to a rectangle, or enlarges it where the rectangle reaches beyond; layers
    /// keep their pixels, moved so that the rectangle's corner becomes the origin.
    SetCanvas(PixelRect),
    /// Scales everything.
    Resize {
        /// The new size.
        extent: Extent,
        /// How pixels are made.
        resampling: Resampling,
    },
    /// Mirrors everything.
    Flip(Axis),
    /// Turns everything clockwise.
    Rotate(QuarterTurns),
    /// Makes this document the current one: opening a file, returning to a state, taking a region.
    #[serde(skip)]
    Replace(Box<Document>),
    /// Keeps a picture that was shown with a message; goes before the turn that answers it, and the
    /// document stays as it is.
    #[serde(skip)]
    Attach(Attachment),
    /// Notes what was said about the picture, which stays as it is.
    Said {
        /// The turn of the conversation, as JSON.
        record: String,
    },
    /// Makes another layer active; not a step of the history.
    SetActive(LayerId),
}

/// A picture that becomes a layer.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its pixels.
    pub image: Arc<RgbaImage>,
    /// Column and row of its top left corner.
    pub at: (i32, i32),
    /// The layer's name.
    pub name: String,
    /// What of the layer is shown; without one, all of it.
    pub mask: Option<crate::raster::CoverGrid>,
    /// The request that made it, as JSON, where a model did.
    pub record: Option<Arc<str>>,
    /// What the model was shown, where it was shown something: with the request that is enough to
    /// draw the picture again.
    pub shown: Option<Arc<Shown>>,
}

/// A picture that is shown with a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    /// Its pixels.
    pub image: Arc<RgbaImage>,
    /// Its name for people.
    pub name: String,
}

/// What a model was shown: a part of a state of the document.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The state.
    pub state: NodeId,
    /// What was done to it first: the larger canvas of extending.
    pub before: Vec<Edit>,
    /// The part, flattened.
    pub region: CanvasRect,
    /// Where it was to repaint, on the canvas; without one, there was no mask.
    pub cover: Option<crate::raster::CoverGrid>,
    /// The part of the model's picture that was laid down, in its own pixels; all of it without.
    pub crop: Option<CanvasRect>,
}

/// What a stroke paints on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrokeTarget {
    /// A layer's pixels, within the selection.
    Layer(LayerId),
    /// The selection itself: the mask brush.
    Selection,
}

/// A brush stroke.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stroke {
    /// What it paints on.
    pub target: StrokeTarget,
    /// Whether it paints or takes away.
    pub mode: StrokeMode,
    /// The brush.
    pub brush: Brush,
    /// The color, straight alpha; not read when erasing or painting the selection.
    pub color: [u8; 4],
    /// Where the pointer went.
    pub samples: Vec<StrokeSample>,
}

/// What is filled with a color.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    /// The layer.
    pub layer: LayerId,
    /// The color, straight alpha.
    pub color: [u8; 4],
    /// The connected part that looks like this place; without one, all that is selected.
    pub wand: Option<Wand>,
}

/// A connected part of about one color.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wand {
    /// Where it starts.
    pub point: CanvasPoint,
    /// How much a channel may differ, 0 to 255.
    pub tolerance: u8,
    /// Whether only connected pixels belong to it, or all alike.
    pub contiguous: bool,
    /// Whether all visible layers are looked at, or the active one.
    pub all_layers: bool,
}

/// A shape to select.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectionShape {
    /// A rectangle.
    Rectangle(PixelRect),
    /// The ellipse in a rectangle.
    Ellipse(PixelRect),
    /// The inside of a closed line, by the even-odd rule: lasso and polygon.
    Polygon(Vec<CanvasPoint>),
    /// A connected part of about one color.
    Wand(Wand),
    /// What is not transparent on a layer.
    LayerAlpha(LayerId),
}

/// How a new shape and what is selected come together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// The shape alone.
    #[default]
    Replace,
    /// Both.
    Add,
    /// What is selected without the shape.
    Subtract,
    /// What lies in both.
    Intersect,
}

/// A change of the whole selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectionStep {
    /// The whole canvas.
    All,
    /// Nothing.
    None,
    /// What was not selected.
    Invert,
    /// Wider by so many pixels.
    Grow(u32),
    /// Narrower by so many pixels.
    Shrink(u32),
    /// Softer by so many pixels, to both sides.
    Feather(u32),
}

/// How pixels are made when a picture is scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resampling {
    /// Smooth, and averaged where it shrinks.
    #[default]
    Smooth,
    /// Nearest pixel, for pixel art.
    Nearest,
}

/// Which way a picture is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Left and right change places.
    Horizontal,
    /// Top and bottom change places.
    Vertical,
}

/// How far a picture is turned clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuarterTurns {
    /// A quarter clockwise.
    One,
    /// A half.
    Two,
    /// A quarter counterclockwise.
    Three,
}
