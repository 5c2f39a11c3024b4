//! Random documents and edits for tests; seeded, so that a failure can be had again.

use std::sync::Arc;

use crate::document::{
    Attachment, Axis, Combine, Document, Edit, Fill, Layer, LayerId, Place, QuarterTurns,
    Resampling, SelectionShape, SelectionStep, Stroke, StrokeTarget, Wand,
};
use crate::geom::{CanvasPoint, Extent, PixelRect};
use crate::raster::{BlendMode, Brush, CoverGrid, PixelGrid, RgbaImage, StrokeMode, StrokeSample};

/// A small random number generator (splitmix64).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u32) -> u32 {
        (self.next() % u64::from(end.max(1))) as u32
    }

    pub(crate) fn between(&mut self, from: i32, to: i32) -> i32 {
        from + self.below(from.abs_diff(to)) as i32
    }

    pub(crate) fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    /// A color with alpha 0, 255 or anything; under alpha 0 there may be a hidden color.
    pub(crate) fn color(&mut self) -> [u8; 4] {
        let [r, g, b, a, kind, ..] = self.next().to_le_bytes();
        [r, g, b, [0, 255, 255, a][usize::from(kind % 4)]]
    }

    pub(crate) fn rect(&mut self, canvas: Extent) -> PixelRect {
        let (width, height) = (canvas.width as i32, canvas.height as i32);
        PixelRect::new(
            self.between(-40, width + 20),
            self.between(-40, height + 20),
            1 + self.below(canvas.width + 40),
            1 + self.below(canvas.height + 40),
        )
    }

    fn point(&mut self, canvas: Extent) -> CanvasPoint {
        let rect = self.rect(canvas);
        CanvasPoint::new(rect.x as f32 + 0.3, rect.y as f32 + 0.7)
    }

    pub(crate) fn opacity(&mut self) -> f32 {
        match self.below(6) {
            0 => 0.0,
            1 => self.below(1000) as f32 / 999.0,
            _ => 1.0,
        }
    }

    pub(crate) fn pixels(&mut self, canvas: Extent) -> PixelGrid {
        let mut grid = PixelGrid::new();
        for _ in 0..self.below(4) {
            let (rect, color) = (self.rect(canvas), self.color());
            grid.fill(rect, color);
        }
        if self.one_in(2) {
            // Some pixels that all differ.
            let at = self.rect(canvas);
            let rect = PixelRect { width: 1 + self.below(30), height: 1 + self.below(20), ..at };
            let pixels: Vec<_> = (0..rect.extent().area()).map(|_| self.color()).collect();
            grid.write(rect, &pixels);
        }
        grid
    }

    /// A picture of pixels that all differ.
    pub(crate) fn image(&mut self) -> RgbaImage {
        let mut image = RgbaImage::new(Extent::new(1 + self.below(90), 1 + self.below(50)), [0; 4]);
        for pixel in image.pixels_mut() {
            *pixel = self.color();
        }
        image
    }

    pub(crate) fn cover(&mut self, canvas: Extent) -> CoverGrid {
        let mut grid = CoverGrid::new();
        for _ in 0..=self.below(3) {
            let cover = self.of(&[255, 255, 0, 128, 1, 254]);
            let rect = self.rect(canvas);
            let inside = rect.on_canvas(canvas).map(PixelRect::from);
            grid.fill(inside.unwrap_or_default(), cover);
        }
        grid
    }

    pub(crate) fn layer(&mut self, id: u64, canvas: Extent) -> Layer {
        let mut layer = Layer::new(LayerId(id), format!("Layer {id}"));
        layer.pixels = self.pixels(canvas);
        layer.mask = if self.one_in(3) { Some(self.cover(canvas)) } else { None };
        layer.opacity = self.opacity();
        layer.visible = !self.one_in(5);
        layer.locked = self.one_in(8);
        layer.blend_mode =
            if self.one_in(2) { self.of(&BlendMode::ALL) } else { BlendMode::Normal };
        layer
    }

    pub(crate) fn document(&mut self) -> Document {
        let extent = Extent::new(1 + self.below(400), 1 + self.below(300));
        let mut document = Document::new(extent, "Layer 1");
        let count = 1 + u64::from(self.below(4));
        document.layers = (1..=count).map(|id| self.layer(id, extent)).collect();
        document.next_layer = count + 1;
        document.active = LayerId(1 + u64::from(self.below(count as u32)));
        if !self.one_in(3) {
            document.selection.cover = self.cover(extent);
        }
        document
    }

    /// An edit of any kind; now and then one that can't be done.
    pub(crate) fn edit(&mut self, document: &Document) -> Edit {
        let canvas = document.extent;
        let ids: Vec<LayerId> = document.layers.iter().map(|layer| layer.id).collect();
        let layer = if self.one_in(40) { LayerId(999) } else { self.of(&ids) };
        let combine =
            self.of(&[Combine::Replace, Combine::Add, Combine::Subtract, Combine::Intersect]);
        let name = self.of(&["Sky", "Layer 1", "Layer", " ", "Sky 2"]).to_owned();
        let wand = Wand {
            point: self.point(canvas),
            tolerance: self.below(80) as u8,
            contiguous: self.one_in(2),
            all_layers: self.one_in(2),
        };
        let (dx, dy) = self.of(&[(0, 0), (256, -256), (3, 5), (-70, 11), (1, 0), (-2_000_000, 3)]);
        match self.below(37) {
            0 => Edit::AddLayer { name },
            1 => Edit::DeleteLayer(layer),
            2 => Edit::DuplicateLayer { layer, name },
            3 => Edit::ReorderLayer { layer, position: self.below(6) as usize },
            4 => Edit::RenameLayer { layer, name },
            5 => Edit::SetOpacity { layer, opacity: self.opacity() },
            6 => Edit::SetVisible { layer, visible: !self.one_in(3) },
            7 => Edit::SetLocked { layer, locked: self.one_in(5) },
            8 => Edit::SetBlendMode { layer, blend_mode: self.of(&BlendMode::ALL) },
            9 | 10 => Edit::MergeDown(layer),
            11 => {
                if self.one_in(4) {
                    Edit::Flatten
                } else {
                    Edit::AddLayer { name }
                }
            }
            12 if dx == 256 => Edit::GrowLayerMask { layer, by_px: 6 },
            12 if dx == 1 => Edit::GrowLayerMask { layer, by_px: -3 },
            12 => Edit::ApplyLayerMask(layer),
            13 => Edit::DeleteLayerMask(layer),
            14 => Edit::MaskFromSelection(layer),
            15 | 16 => {
                let image = self.image();
                let at = self.rect(canvas);
                Edit::Place(Place {
                    image: Arc::new(image),
                    at: (at.x, at.y),
                    name,
                    mask: if self.one_in(2) { Some(self.cover(canvas)) } else { None },
                    record: self.one_in(2).then(|| Arc::from("{}")),
                    shown: None,
                })
            }
            17..=20 => {
                let target = if self.one_in(3) {
                    StrokeTarget::Selection
                } else {
                    StrokeTarget::Layer(layer)
                };
                let sample =
                    |rng: &mut Self| StrokeSample { point: rng.point(canvas), pressure: 1.0 };
                Edit::Stroke(Stroke {
                    target,
                    mode: self.of(&[StrokeMode::Paint, StrokeMode::Erase]),
                    brush: Brush {
                        diameter_px: 1.0 + self.below(60) as f32,
                        spacing: 0.25,
                        ..Brush::default()
                    },
                    color: self.color(),
                    samples: (0..=self.below(3)).map(|_| sample(self)).collect(),
                })
            }
            21 | 22 => {
                let wand = self.one_in(2).then_some(wand);
                Edit::Fill(Fill { layer, color: self.color(), wand })
            }
            23 => Edit::ClearSelected(layer),
            24 => Edit::MovePixels { layer, dx, dy },
            25 => Edit::MoveSelection { dx, dy },
            26 => Edit::Select { shape: SelectionShape::Rectangle(self.rect(canvas)), combine },
            27 => Edit::Select { shape: SelectionShape::Ellipse(self.rect(canvas)), combine },
            28 => {
                let points = (0..self.below(7)).map(|_| self.point(canvas)).collect();
                Edit::Select { shape: SelectionShape::Polygon(points), combine }
            }
            29 => {
                let shape = self.of(&[0, 1]);
                let shape = match shape {
                    0 => SelectionShape::Wand(wand),
                    _ => SelectionShape::LayerAlpha(layer),
                };
                Edit::Select { shape, combine }
            }
            30 | 31 => Edit::ChangeSelection(self.of(&[
                SelectionStep::All,
                SelectionStep::None,
                SelectionStep::Invert,
                SelectionStep::Grow(5),
                SelectionStep::Shrink(4),
                SelectionStep::Feather(3),
            ])),
            32 => Edit::SaveSelection(name),
            33 => {
                if self.one_in(3) {
                    Edit::DeleteSavedSelection(name)
                } else {
                    Edit::LoadSelection { name, combine }
                }
            }
            34 => match self.below(5) {
                0 | 1 => {
                    let rect = self.rect(canvas);
                    // Not ever larger.
                    let (width, height) = (rect.width.min(400), rect.height.min(300));
                    Edit::SetCanvas(PixelRect { width, height, ..rect })
                }
                2 => Edit::Resize {
                    extent: Extent::new(self.below(300), 1 + self.below(300)),
                    resampling: self.of(&[Resampling::Smooth, Resampling::Nearest]),
                },
                3 => Edit::Flip(self.of(&[Axis::Horizontal, Axis::Vertical])),
                _ => Edit::Rotate(self.of(&[
                    QuarterTurns::One,
                    QuarterTurns::Two,
                    QuarterTurns::Three,
                ])),
            },
            35 => {
                if self.one_in(6) {
                    Edit::Replace(Box::new(self.document()))
                } else {
                    Edit::SetVisible { layer, visible: true }
                }
            }
            36 if dx == 3 => {
                Edit::Said { record: r#"{"command":"chat","prompt":"why?"}"#.to_owned() }
            }
            36 if dx == 1 || dx == 256 => {
                Edit::Attach(Attachment { image: Arc::new(self.image()), name })
            }
            _ => Edit::SetActive(layer),
        }
    }
}
