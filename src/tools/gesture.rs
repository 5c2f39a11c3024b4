//! What the pointer is doing on the canvas: one gesture from press to release, or from the first
//! press to the last where a tool takes several.

use crate::document::{Document, DocumentError, Edit};
use crate::geom::{CanvasPoint, PixelRect};
use crate::tools::crop::CropGesture;
use crate::tools::lasso::LassoGesture;
use crate::tools::move_pixels::MoveGesture;
use crate::tools::pick::{PickGesture, PickKind};
use crate::tools::polygon::PolygonGesture;
use crate::tools::shape::{ShapeGesture, ShapeKind};
use crate::tools::stroke::StrokeGesture;
use crate::tools::view::{HandGesture, ZoomGesture};
use crate::tools::{GestureOverlay, Tool, ToolSettings, ViewChange};

/// The pointer on the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pointer {
    /// Where it is.
    pub point: CanvasPoint,
    /// How hard a pen presses, 0 to 1; 1 for a mouse.
    pub pressure: f32,
    /// Whether Shift is held.
    pub shift: bool,
    /// Whether Alt is held.
    pub alt: bool,
    /// Canvas pixels per point of the screen, `1 / zoom`: how far a hand may be off.
    pub pixels_per_point: f32,
}

impl Pointer {
    /// A mouse without keys, where a pixel is a point of the screen.
    #[must_use]
    pub const fn new(point: CanvasPoint) -> Self {
        Self { point, pressure: 1.0, shift: false, alt: false, pixels_per_point: 1.0 }
    }

    /// Whether another place is within so many points of the screen.
    pub(super) fn is_near(&self, other: CanvasPoint, points: f32) -> bool {
        self.point.distance(other) <= points * self.pixels_per_point
    }
}

/// How far the pointer may move, in points of the screen, and still click.
pub(super) const CLICK_POINTS: f32 = 3.0;
/// How far from a corner or a handle, in points of the screen, the pointer takes hold of it.
pub(super) const GRAB_POINTS: f32 = 9.0;

/// What a press led to.
#[derive(Debug)]
pub enum Begun {
    /// A gesture; [`Gesture::drag`] it to where it began, so that a click already shows.
    Gesture(Gesture),
    /// The tool can't work here, and why.
    Refused(DocumentError),
}

/// What a move of the pointer changed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dragged {
    /// The part of the document that changed.
    pub dirty: PixelRect,
    /// How the view is to change.
    pub view: Option<ViewChange>,
}

impl Dragged {
    pub(super) const fn dirty(dirty: PixelRect) -> Self {
        Self { dirty, view: None }
    }
}

/// Whether the working document already shows an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It equals what the edits give on the document before the gesture.
    Already,
    /// The edits are still to be applied.
    NotYet,
}

/// What a gesture led to.
#[derive(Debug)]
pub enum Outcome {
    /// One step of the history.
    Commit {
        /// The changes, in order, from the document before the gesture.
        edits: Vec<Edit>,
        /// Whether the working document shows them.
        applied: Applied,
    },
    /// This color was chosen.
    PickColor([u8; 4]),
    /// The view is to change.
    View(ViewChange),
    /// The tool can't do it, and why; the document is as it was.
    Refused(DocumentError),
    /// It goes on with the next press.
    GoOn(Gesture),
    /// It changed nothing.
    Nothing,
}

impl Outcome {
    pub(super) fn later(edit: Edit) -> Self {
        Self::Commit { edits: vec![edit], applied: Applied::NotYet }
    }
}

/// What the pointer has begun.
///
/// Dropping it takes everything back, as long as the working document is put back too.
#[derive(Debug)]
pub struct Gesture {
    /// The tool that is used: the one in hand, or the eyedropper where a key asked for it.
    pub tool: Tool,
    state: State,
}

#[derive(Debug)]
enum State {
    Stroke(StrokeGesture),
    Shape(ShapeGesture),
    Lasso(LassoGesture),
    Polygon(PolygonGesture),
    Pick(PickGesture),
    Move(MoveGesture),
    Crop(CropGesture),
    Hand(HandGesture),
    Zoom(ZoomGesture),
}

impl Gesture {
    /// Begins where the main button went down.
    ///
    /// `previous` is where the last stroke ended: with Shift a straight line starts there. With
    /// Alt the color brush is the eyedropper.
    #[must_use]
    pub fn begin(
        tool: Tool,
        settings: &ToolSettings,
        document: &Document,
        pointer: Pointer,
        previous: Option<CanvasPoint>,
    ) -> Begun {
        let tool = match tool {
            Tool::Brush if pointer.alt => Tool::Eyedropper,
            tool => tool,
        };
        let state = match tool {
            Tool::MaskBrush | Tool::MaskEraser | Tool::Brush | Tool::Eraser => {
                StrokeGesture::begin(tool, settings, document, pointer, previous).map(State::Stroke)
            }
            Tool::Fill => document.check_paintable(document.active).map(|()| {
                State::Pick(PickGesture::begin(PickKind::Fill, settings, document, pointer))
            }),
            Tool::Eyedropper => {
                Ok(State::Pick(PickGesture::begin(PickKind::Color, settings, document, pointer)))
            }
            Tool::Wand => {
                Ok(State::Pick(PickGesture::begin(PickKind::Wand, settings, document, pointer)))
            }
            Tool::Rectangle => {
                Ok(State::Shape(ShapeGesture::begin(ShapeKind::Rectangle, settings, pointer)))
            }
            Tool::Ellipse => {
                Ok(State::Shape(ShapeGesture::begin(ShapeKind::Ellipse, settings, pointer)))
            }
            Tool::Lasso => Ok(State::Lasso(LassoGesture::begin(settings, pointer))),
            Tool::Polygon => Ok(State::Polygon(PolygonGesture::begin(settings, pointer))),
            Tool::Move => MoveGesture::begin(document, pointer).map(State::Move),
            Tool::Crop => Ok(State::Crop(CropGesture::begin(document.extent, pointer))),
            Tool::Hand => Ok(State::Hand(HandGesture::begin(pointer))),
            Tool::Zoom => Ok(State::Zoom(ZoomGesture::begin(pointer))),
        };
        match state {
            Ok(state) => Begun::Gesture(Self { tool, state }),
            Err(error) => Begun::Refused(error),
        }
    }

    /// Whether it takes several presses, so that it goes on while no button is down.
    #[must_use]
    pub const fn takes_presses(&self) -> bool {
        matches!(self.state, State::Polygon(_) | State::Crop(_))
    }

    /// The main button went down again.
    pub fn press(&mut self, pointer: Pointer) {
        match &mut self.state {
            State::Polygon(polygon) => polygon.press(pointer),
            State::Crop(crop) => crop.press(pointer),
            _ => {}
        }
    }

    /// The pointer moved while no button is down.
    pub fn hover(&mut self, pointer: Pointer) {
        if let State::Polygon(polygon) = &mut self.state {
            polygon.hover(pointer);
        }
    }

    /// The pointer moved while the main button is down.
    pub fn drag(
        &mut self,
        document: &mut Document,
        settings: &ToolSettings,
        pointer: Pointer,
    ) -> Dragged {
        match &mut self.state {
            State::Stroke(stroke) => return Dragged::dirty(stroke.drag(document, pointer)),
            State::Move(moving) => return Dragged::dirty(moving.drag(document, pointer)),
            State::Hand(hand) => return Dragged { view: hand.drag(pointer), ..Dragged::default() },
            State::Pick(pick) => pick.drag(settings, document, pointer),
            State::Shape(shape) => shape.drag(pointer),
            State::Lasso(lasso) => lasso.drag(pointer),
            State::Polygon(polygon) => polygon.drag(pointer),
            State::Crop(crop) => crop.drag(pointer),
            State::Zoom(zoom) => zoom.drag(pointer),
        }
        Dragged::default()
    }

    /// The main button went up.
    #[must_use]
    pub fn release(
        mut self,
        document: &mut Document,
        settings: &ToolSettings,
        pointer: Pointer,
    ) -> Outcome {
        let dragged = self.drag(document, settings, pointer);
        match self.state {
            State::Stroke(stroke) => stroke.release(document),
            State::Shape(shape) => shape.release(document),
            State::Lasso(lasso) => lasso.release(document),
            State::Pick(pick) => pick.release(settings, document),
            State::Move(moving) => moving.release(),
            State::Hand(_) => dragged.view.map_or(Outcome::Nothing, Outcome::View),
            State::Zoom(zoom) => zoom.release(),
            State::Polygon(polygon) if polygon.closes() => polygon.finish(),
            state @ (State::Polygon(_) | State::Crop(_)) => {
                Outcome::GoOn(Self { tool: self.tool, state }.let_go())
            }
        }
    }

    fn let_go(mut self) -> Self {
        if let State::Crop(crop) = &mut self.state {
            crop.let_go();
        }
        self
    }

    /// Enter or a double click: does what was prepared with several presses.
    #[must_use]
    pub fn finish(self) -> Outcome {
        match self.state {
            State::Polygon(polygon) => polygon.finish(),
            State::Crop(crop) => crop.finish(),
            _ => Outcome::GoOn(self),
        }
    }

    /// Backspace: takes the last press back; nothing where there is none left.
    #[must_use]
    pub fn step_back(self) -> Option<Self> {
        let state = match self.state {
            State::Polygon(polygon) => State::Polygon(polygon.step_back()?),
            State::Crop(_) => return None,
            state => state,
        };
        Some(Self { tool: self.tool, state })
    }

    /// What is to be drawn over the canvas.
    #[must_use]
    pub fn overlay(&self) -> GestureOverlay {
        match &self.state {
            State::Stroke(_) | State::Hand(_) => GestureOverlay::None,
            State::Shape(shape) => shape.overlay(),
            State::Lasso(lasso) => lasso.overlay(),
            State::Polygon(polygon) => polygon.overlay(),
            State::Pick(pick) => pick.overlay(),
            State::Move(moving) => moving.overlay(),
            State::Crop(crop) => crop.overlay(),
            State::Zoom(zoom) => zoom.overlay(),
        }
    }
}

/// Where the last stroke of some edits ended, for the next straight line.
#[must_use]
pub fn stroke_end(edits: &[Edit]) -> Option<CanvasPoint> {
    edits.iter().rev().find_map(|edit| match edit {
        Edit::Stroke(stroke) => stroke.samples.last().map(|sample| sample.point),
        _ => None,
    })
}
