//! A scene as data: a ground, and things on it.

use crate::eval::words::Color;

/// A thing in a scene. Coordinates run from -1 at the left and top to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Which thing of the collection.
    pub concept: usize,
    /// Its center.
    pub x: f64,
    /// Its center.
    pub y: f64,
    /// The side of its tile as a share of the canvas.
    pub size: f64,
    /// The color that it is painted in; its own without one.
    pub tint: Option<&'static Color>,
    /// How far it is turned, in degrees.
    pub angle: f64,
    /// Whether left and right are exchanged.
    pub flipped: bool,
}

impl Item {
    /// A thing in its own colors, upright.
    #[must_use]
    pub const fn new(concept: usize, x: f64, y: f64, size: f64) -> Self {
        Self { concept, x, y, size, tint: None, angle: 0.0, flipped: false }
    }
}

/// What things stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// One color.
    Flat(&'static Color),
    /// One color at the top that becomes another at the bottom.
    Gradient(&'static Color, &'static Color),
    /// A drawn background of the collection.
    Scenery(usize),
}

/// What a picture shows; all things are drawn in one style.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Which style of the collection.
    pub style: usize,
    /// What the things stand on.
    pub ground: Ground,
    /// The things, the rearmost first.
    pub items: Vec<Item>,
}
