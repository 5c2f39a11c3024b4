//! Doing edits: [`Edit::apply`].
//!
//! An edit works on a copy of the document, which shares all tiles, and replaces the document only
//! once it has gone well. What needs more than a look at a few structs lies by subject in the
//! modules `apply_*`.

use crate::document::{
    Document, DocumentError, Edit, Fill, Layer, LayerId, SelectionShape, SelectionStep, Wand,
};
use crate::geom::{Extent, PixelRect};
use crate::raster::{CoverGrid, TILE_PX};

/// What an edit changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The part of the canvas that may look different, the display of the selection included;
    /// outside of it all is as it was.
    pub dirty: PixelRect,
    /// The layers whose pixels or masks changed, or that are new, in the order of the stack.
    pub layers: Vec<LayerId>,
}

impl Applied {
    /// A change of one layer's pixels.
    pub(crate) fn layer(layer: LayerId, dirty: PixelRect) -> Self {
        Self { dirty, layers: vec![layer] }
    }

    /// A change of how things are shown.
    pub(crate) const fn look(dirty: PixelRect) -> Self {
        Self { dirty, layers: Vec::new() }
    }
}

/// Pixels up to which an edit is done at once: those of a picture of 1024 by 1024.
const LIGHT_PX: usize = 1 << 20;

impl Edit {
    /// Does the edit. Where that fails, the document stays as it was.
    ///
    /// # Errors
    ///
    /// When the edit names something that is not there, changes what is locked or hidden, or makes
    /// a canvas of a size that can't be.
    pub fn apply(&self, document: &mut Document) -> Result<Applied, DocumentError> {
        let mut after = document.clone();
        let mut applied = self.apply_to(&mut after)?;
        *document = after;
        // Nothing is seen of what lies outside the canvas.
        let canvas = PixelRect::from(document.extent.rect());
        applied.dirty = applied.dirty.intersection(canvas).unwrap_or_default();
        Ok(applied)
    }

    fn apply_to(&self, document: &mut Document) -> Result<Applied, DocumentError> {
        match self {
            Self::AddLayer { name } => Ok(document.add_layer(name)),
            Self::DeleteLayer(layer) => document.delete_layer(*layer),
            Self::DuplicateLayer { layer, name } => document.duplicate_layer(*layer, name),
            Self::ReorderLayer { layer, position } => document.reorder_layer(*layer, *position),
            Self::RenameLayer { layer, name } => document.rename_layer(*layer, name),
            Self::SetOpacity { layer, opacity } => document.set_opacity(*layer, *opacity),
            Self::SetVisible { layer, visible } => {
                document.set_look(*layer, |layer| layer.visible = *visible)
            }
            Self::SetLocked { layer, locked } => {
                document.known_mut(*layer)?.locked = *locked;
                Ok(Applied::default())
            }
            Self::SetBlendMode { layer, blend_mode } => {
                document.set_look(*layer, |layer| layer.blend_mode = *blend_mode)
            }
            Self::MergeDown(layer) => document.merge_down(*layer),
            Self::Flatten => document.flatten_layers(),
            Self::ApplyLayerMask(layer) => document.apply_layer_mask(*layer),
            Self::DeleteLayerMask(layer) => document.delete_layer_mask(*layer),
            Self::MaskFromSelection(layer) => document.mask_from_selection(*layer),
            Self::GrowLayerMask { layer, by_px } => document.grow_layer_mask(*layer, *by_px),
            Self::Place(place) => Ok(document.place(place)),
            Self::Stroke(stroke) => document.stroke(stroke),
            Self::Fill(fill) => document.fill(fill),
            Self::ClearSelected(layer) => document.clear_selected(*layer),
            Self::MovePixels { layer, dx, dy } => document.move_pixels(*layer, *dx, *dy),
            Self::MoveSelection { dx, dy } => document.move_selection(*dx, *dy),
            Self::Select { shape, combine } => document.select(shape, *combine),
            Self::ChangeSelection(step) => Ok(document.change_selection(*step)),
            Self::SaveSelection(name) => document.save_selection(name),
            Self::LoadSelection { name, combine } => document.load_selection(name, *combine),
            Self::DeleteSavedSelection(name) => document.delete_saved_selection(name),
            Self::SetCanvas(rect) => document.set_canvas(*rect),
            Self::Resize { extent, resampling } => document.resize(*extent, *resampling),
            Self::Flip(axis) => Ok(document.flip(*axis)),
            Self::Rotate(turns) => Ok(document.rotate(*turns)),
            Self::Replace(other) => document.replace(other),
            Self::Said { .. } | Self::Attach(_) => Ok(Applied::default()),
            Self::SetActive(layer) => {
                document.known(*layer)?;
                document.active = *layer;
                Ok(Applied::default())
            }
        }
    }

    /// Whether doing the edit may take longer than a frame, so that it is better done away from the
    /// window's thread. An estimate from the number of tiles; looks at no pixel.
    #[must_use]
    pub fn is_heavy(&self, document: &Document) -> bool {
        self.touched_px(document) > LIGHT_PX
    }

    /// About how many pixels the edit works on.
    fn touched_px(&self, document: &Document) -> usize {
        let canvas = document.extent.area();
        let layer_px = |layer: LayerId| document.layer(layer).map_or(0, Layer::tile_px);
        let layers_px = || document.layers.iter().map(Layer::tile_px).sum::<usize>();
        let selected_px = || {
            document.selection.bounds(document.extent).map_or(0, |bounds| bounds.extent().area())
        };
        let everything_px = || {
            let saved = document.saved_selections.iter();
            let saved: usize =
                saved.map(|saved| tile_px(saved.selection.cover.tiles().count())).sum();
            layers_px() + saved + tile_px(document.selection.cover.tiles().count())
        };
        let moved_px = |dx: i32, dy: i32, px: usize| {
            // Whole tiles only change their places.
            let side = TILE_PX as i32;
            if dx % side == 0 && dy % side == 0 { 0 } else { px }
        };
        let wand_px = |wand: &Wand| {
            if wand.all_layers {
                canvas.max(layers_px().min(canvas * document.layers.len()))
            } else {
                canvas
            }
        };
        match self {
            Self::AddLayer { .. }
            | Self::DeleteLayer(_)
            | Self::DuplicateLayer { .. }
            | Self::ReorderLayer { .. }
            | Self::RenameLayer { .. }
            | Self::SetOpacity { .. }
            | Self::SetVisible { .. }
            | Self::SetLocked { .. }
            | Self::SetBlendMode { .. }
            | Self::DeleteLayerMask(_)
            | Self::MaskFromSelection(_)
            | Self::SaveSelection(_)
            | Self::DeleteSavedSelection(_)
            | Self::Replace(_)
            | Self::Said { .. }
            | Self::Attach(_)
            | Self::SetActive(_)
            | Self::ChangeSelection(SelectionStep::All | SelectionStep::None) => 0,
            Self::MergeDown(layer) => {
                let below = document.position(*layer).and_then(|place| place.checked_sub(1));
                let below = below.and_then(|place| document.layers.get(place));
                layer_px(*layer) + below.map_or(0, Layer::tile_px)
            }
            Self::Flatten => layers_px(),
            Self::ApplyLayerMask(layer) => layer_px(*layer),
            // Once over the mask for each pixel of the way.
            Self::GrowLayerMask { layer, by_px } => {
                let mask = document.layer(*layer).and_then(|layer| layer.mask.as_ref());
                let bounds = mask.and_then(CoverGrid::tile_bounds);
                bounds.map_or(0, |bounds| bounds.extent().area() * by_px.unsigned_abs() as usize)
            }
            Self::Place(place) => place.image.extent().area(),
            Self::Stroke(stroke) => {
                // Dabs are laid about a tenth of their width apart, along the whole way.
                let ends = stroke.samples.windows(2);
                let way: f32 = ends
                    .map(|pair| match pair {
                        [a, b] => a.point.distance(b.point),
                        _ => 0.0,
                    })
                    .sum();
                let width = f64::from(stroke.brush.diameter_px);
                ((f64::from(way) + width) * width) as usize
            }
            Self::Fill(Fill { wand: Some(wand), .. }) => wand_px(wand),
            Self::Fill(Fill { color, wand: None, .. }) => {
                if document.selection.is_empty() {
                    if color[3] == 255 { 0 } else { canvas }
                } else {
                    selected_px()
                }
            }
            Self::ClearSelected(layer) => {
                if document.selection.is_empty() {
                    0
                } else {
                    layer_px(*layer).min(selected_px())
                }
            }
            Self::MovePixels { layer, dx, dy } => {
                if document.selection.is_empty() {
                    moved_px(*dx, *dy, layer_px(*layer))
                } else {
                    selected_px()
                }
            }
            Self::MoveSelection { dx, dy } => moved_px(*dx, *dy, selected_px()),
            Self::Select { shape, .. } => {
                selected_px()
                    + match shape {
                        SelectionShape::Rectangle(rect) | SelectionShape::Ellipse(rect) => {
                            rect.on_canvas(document.extent).map_or(0, |rect| rect.extent().area())
                        }
                        SelectionShape::Polygon(points) => {
                            let all = points
                                .iter()
                                .map(|point| PixelRect::from_corners(*point, *point).padded(1));
                            let bounds = all.reduce(PixelRect::union).unwrap_or_default();
                            bounds.on_canvas(document.extent).map_or(0, |rect| rect.extent().area())
                        }
                        SelectionShape::Wand(wand) => wand_px(wand),
                        SelectionShape::LayerAlpha(layer) => layer_px(*layer).min(canvas),
                    }
            }
            // Distances are worked out in several passes.
            Self::ChangeSelection(
                SelectionStep::Grow(by) | SelectionStep::Shrink(by) | SelectionStep::Feather(by),
            ) => {
                let bounds = document.selection.bounds(document.extent);
                bounds.map_or(0, |bounds| bounds.padded(*by, document.extent).extent().area() * 4)
            }
            Self::ChangeSelection(SelectionStep::Invert) => canvas,
            Self::LoadSelection { name, .. } => {
                let saved = document.saved_selections.iter().find(|saved| saved.name == *name);
                saved.map_or(0, |saved| tile_px(saved.selection.cover.tiles().count()))
            }
            Self::SetCanvas(rect) => moved_px(rect.x, rect.y, everything_px()),
            Self::Resize { extent, .. } => {
                everything_px().max(extent.area() * document.layers.len())
            }
            Self::Flip(_) | Self::Rotate(_) => everything_px(),
        }
    }
}

impl Layer {
    /// Pixels of its tiles.
    fn tile_px(&self) -> usize {
        let mask = self.mask.as_ref().map_or(0, |mask| mask.tiles().count());
        tile_px(self.pixels.tiles().count() + mask)
    }
}

const fn tile_px(tiles: usize) -> usize {
    tiles * Extent::new(TILE_PX, TILE_PX).area()
}

impl Document {
    /// A layer by its id.
    pub(crate) fn known(&self, id: LayerId) -> Result<&Layer, DocumentError> {
        self.layer(id).ok_or(DocumentError::NoLayer(id))
    }

    /// A layer by its id, to be changed.
    pub(crate) fn known_mut(&mut self, id: LayerId) -> Result<&mut Layer, DocumentError> {
        self.layer_mut(id).ok_or(DocumentError::NoLayer(id))
    }

    /// A layer whose pixels may be changed.
    pub(crate) fn unlocked_mut(&mut self, id: LayerId) -> Result<&mut Layer, DocumentError> {
        let layer = self.known_mut(id)?;
        if layer.locked {
            return Err(DocumentError::Locked(layer.name.clone()));
        }
        Ok(layer)
    }

    /// A layer that tools may work on: one that is seen and not protected.
    pub(crate) fn paintable_mut(&mut self, id: LayerId) -> Result<&mut Layer, DocumentError> {
        let layer = self.unlocked_mut(id)?;
        if !layer.visible {
            return Err(DocumentError::Hidden(layer.name.clone()));
        }
        Ok(layer)
    }

    /// Whether tools may work on a layer's pixels.
    ///
    /// # Errors
    ///
    /// When there is no such layer, or it is locked or hidden.
    pub fn check_paintable(&self, id: LayerId) -> Result<(), DocumentError> {
        let layer = self.known(id)?;
        if layer.locked {
            return Err(DocumentError::Locked(layer.name.clone()));
        }
        if !layer.visible {
            return Err(DocumentError::Hidden(layer.name.clone()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use super::*;
    use crate::document::composite::Stack;
    use crate::document::testing::Rng;
    use crate::document::{
        Axis, Combine, Place, QuarterTurns, Resampling, Stroke, StrokeRun, StrokeTarget,
        difference, flatten,
    };
    use crate::geom::{CanvasPoint, CanvasRect};
    use crate::raster::{BlendMode, Brush, RgbaImage, StrokeMode, StrokeSample};

    /// What holds for every document.
    fn check_invariants(document: &Document) {
        assert!(document.layer(document.active).is_some(), "the active layer is there");
        let ids: BTreeSet<_> = document.layers.iter().map(|layer| layer.id).collect();
        assert_eq!(ids.len(), document.layers.len(), "ids are unique");
        assert!(ids.iter().all(|id| id.0 < document.next_layer), "the next id is new");
        let canvas = PixelRect::from(document.extent.rect());
        let saved = document.saved_selections.iter().map(|saved| &saved.selection);
        for selection in saved.chain([&document.selection]) {
            let bounds = selection.cover.bounds().unwrap_or_default();
            assert_eq!(bounds.union(canvas), canvas, "selections lie on the canvas");
        }
    }

    #[test]
    fn a_dirty_rect_holds_all_that_changes_and_a_failure_changes_nothing() {
        let mut rng = Rng(21);
        let mut done: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let mut document = rng.document();
        for round in 0..1500 {
            if round % 25 == 0 {
                document = rng.document();
            }
            let edit = rng.edit(&document);
            let before = document.clone();
            let Ok(applied) = edit.apply(&mut document) else {
                assert_eq!(document, before, "{edit:?}");
                continue;
            };
            check_invariants(&document);
            let counts = done.entry(edit.label()).or_default();
            counts.0 += 1;
            let dirty = applied.dirty;
            let canvas = document.extent.rect();
            assert_eq!(dirty.union(canvas.into()), PixelRect::from(canvas), "{edit:?}");
            if before.extent != document.extent {
                assert_eq!(dirty, canvas.into(), "{edit:?}");
                continue;
            }
            let found = difference(&before, &document, &canvas);
            counts.1 += usize::from(found.bytes > 0);
            let bounds = found.bounds.map(PixelRect::from).unwrap_or_default();
            assert_eq!(dirty.union(bounds), dirty, "round {round}: {edit:?}");
            let covers = (&before.selection.cover, &document.selection.cover);
            for at in covers.0.changed_tiles(covers.1) {
                for y in at.rect().y..at.rect().bottom() {
                    for x in at.rect().x..at.rect().right() {
                        if covers.0.pixel(x, y) != covers.1.pixel(x, y) {
                            assert!(dirty.contains(x, y), "round {round}: {edit:?}");
                        }
                    }
                }
            }
            for layer in &document.layers {
                let changed = before
                    .layer(layer.id)
                    .is_none_or(|old| old.pixels != layer.pixels || old.mask != layer.mask);
                assert!(!changed || applied.layers.contains(&layer.id), "{edit:?}");
            }
        }
        // All kinds of edits were done, and those that change pixels did.
        assert!(done.len() >= 40, "{done:?}");
        for label in ["Brush stroke", "Eraser stroke", "Fill", "Clear", "Move", "Place picture"] {
            assert!(done.get(label).is_some_and(|counts| counts.1 > 1), "{label}: {done:?}");
        }
    }

    #[test]
    fn an_edit_done_again_gives_the_same_document() {
        let mut rng = Rng(22);
        for _ in 0..200 {
            let before = rng.document();
            let edit = rng.edit(&before);
            let (mut once, mut again) = (before.clone(), before);
            assert_eq!(edit.apply(&mut once), edit.apply(&mut again));
            assert_eq!(once, again, "{edit:?}");
        }
    }

    fn two_layers() -> Document {
        let mut document = Document::new(Extent::new(300, 40), "Photo");
        document.layers[0].pixels.fill(PixelRect::new(0, 0, 300, 40), [9, 9, 9, 255]);
        Edit::AddLayer { name: "Paint".to_owned() }.apply(&mut document).unwrap();
        let active = document.active;
        let pixels = &mut document.layer_mut(active).unwrap().pixels;
        pixels.fill(PixelRect::new(100, 10, 20, 20), [200, 0, 0, 255]);
        document
    }

    fn stroke(target: StrokeTarget, mode: StrokeMode) -> Stroke {
        let sample = |x: f32, y: f32| StrokeSample { point: CanvasPoint::new(x, y), pressure: 1.0 };
        Stroke {
            target,
            mode,
            brush: Brush { diameter_px: 12.0, hardness: 0.5, ..Brush::default() },
            color: [0, 200, 0, 255],
            samples: vec![sample(20.0, 20.0), sample(60.0, 25.0), sample(305.0, 2.0)],
        }
    }

    #[test]
    fn locked_and_hidden_layers_refuse_to_be_painted_on_but_not_to_be_moved_in_the_stack() {
        let edits = |layer: LayerId| {
            vec![
                Edit::Stroke(stroke(StrokeTarget::Layer(layer), StrokeMode::Paint)),
                Edit::Fill(Fill { layer, color: [1; 4], wand: None }),
                Edit::ClearSelected(layer),
                Edit::MovePixels { layer, dx: 1, dy: 1 },
                Edit::MergeDown(layer),
            ]
        };
        let mut document = two_layers();
        let top = document.active;
        document.known_mut(top).unwrap().locked = true;
        for edit in edits(top) {
            let error = edit.apply(&mut document).unwrap_err();
            assert_eq!(error, DocumentError::Locked("Paint".to_owned()), "{edit:?}");
        }
        assert!(Edit::DeleteLayer(top).apply(&mut document).is_err());
        Edit::ReorderLayer { layer: top, position: 0 }.apply(&mut document).unwrap();
        Edit::SetOpacity { layer: top, opacity: 0.5 }.apply(&mut document).unwrap();
        assert_eq!(document.position(top), Some(0));
        let mut document = two_layers();
        document.known_mut(top).unwrap().visible = false;
        for edit in edits(top) {
            let error = edit.apply(&mut document).unwrap_err();
            let text = "the layer \"Paint\" is hidden; show it to paint on it";
            assert_eq!(error.to_string(), text, "{edit:?}");
        }
    }

    #[test]
    fn names_are_made_unique_and_new_layers_lie_above_the_active_one() {
        let mut document = Document::new(Extent::new(9, 9), "Layer");
        let mut add = |name: &str| {
            Edit::AddLayer { name: name.to_owned() }.apply(&mut document).unwrap();
            let at = document.position(document.active).unwrap();
            (document.active_layer().unwrap().name.clone(), at)
        };
        assert_eq!(add("Layer"), ("Layer 2".to_owned(), 1));
        assert_eq!(add("Layer 2"), ("Layer 3".to_owned(), 2));
        assert_eq!(add(" "), ("Layer 4".to_owned(), 3));
        assert_eq!(add("Sky"), ("Sky".to_owned(), 4));
        let lowest = LayerId(1);
        Edit::SetActive(lowest).apply(&mut document).unwrap();
        let place = Place {
            image: Arc::new(RgbaImage::new(Extent::new(2, 2), [5; 4])),
            at: (8, -1),
            name: "Sky".to_owned(),
            mask: None,
            record: Some("{}".into()),
            shown: None,
        };
        let applied = Edit::Place(place).apply(&mut document).unwrap();
        assert_eq!(applied.dirty, PixelRect::new(8, 0, 1, 1));
        assert_eq!(document.position(document.active), Some(1));
        let placed = document.active_layer().unwrap();
        assert_eq!((placed.name.as_str(), placed.pixels.pixel(9, -1)), ("Sky 2", [5; 4]));
        let rename = |name: &str| Edit::RenameLayer { layer: lowest, name: name.to_owned() };
        rename("Sky").apply(&mut document).unwrap();
        assert_eq!(document.layers[0].name, "Sky 3");
        rename("Sky 3").apply(&mut document).unwrap();
        assert_eq!(document.layers[0].name, "Sky 3");
        assert_eq!(rename(" ").apply(&mut document), Err(DocumentError::EmptyName));
    }

    #[test]
    fn deleting_goes_to_the_layer_below_and_keeps_the_last_one() {
        let mut document = two_layers();
        Edit::DeleteLayer(LayerId(2)).apply(&mut document).unwrap();
        assert_eq!(document.active, LayerId(1));
        let last = Edit::DeleteLayer(LayerId(1)).apply(&mut document);
        assert_eq!(last, Err(DocumentError::LastLayer));
        let mut document = two_layers();
        Edit::SetActive(LayerId(1)).apply(&mut document).unwrap();
        Edit::DeleteLayer(LayerId(1)).apply(&mut document).unwrap();
        assert_eq!(document.active, LayerId(2));
    }

    #[test]
    fn merging_down_gives_the_composite_of_the_two() {
        let mut rng = Rng(23);
        for round in 0..BlendMode::ALL.len() * 4 {
            let mut document = rng.document();
            let extent = document.extent;
            document.layers = vec![rng.layer(1, extent), rng.layer(2, extent)];
            document.active = LayerId(2);
            for layer in &mut document.layers {
                (layer.visible, layer.locked) = (true, false);
            }
            document.layers[1].blend_mode = BlendMode::ALL[round % BlendMode::ALL.len()];
            let before = document.clone();
            Edit::MergeDown(LayerId(2)).apply(&mut document).unwrap();
            let rect = extent.rect();
            assert_eq!(flatten(&document, rect), flatten(&before, rect), "round {round}");
            let merged = &document.layers[0];
            assert_eq!((document.layers.len(), document.active), (1, LayerId(1)));
            // Beyond the canvas too.
            let around = PixelRect::from(rect).padded(30);
            let both = Stack::of_two(&before.layers[0], &before.layers[1]).read(around);
            assert_eq!(merged.pixels.read(around), both);
        }
        let mut document = two_layers();
        let lowest = Edit::MergeDown(LayerId(1)).apply(&mut document);
        assert_eq!(lowest, Err(DocumentError::NothingBelow));
    }

    #[test]
    fn a_flattened_document_looks_as_before() {
        let mut rng = Rng(24);
        for round in 0..60 {
            let mut document = rng.document();
            document.layers.iter_mut().for_each(|layer| layer.locked = false);
            let rect = document.extent.rect();
            let before = flatten(&document, rect);
            Edit::Flatten.apply(&mut document).unwrap();
            assert_eq!(document.layers.len(), 1);
            assert_eq!(flatten(&document, rect), before, "round {round}");
        }
    }

    #[test]
    fn merging_shares_tiles_that_nothing_lies_above() {
        let mut document = two_layers();
        let below = document.layers[0].pixels.clone();
        Edit::MergeDown(LayerId(2)).apply(&mut document).unwrap();
        assert_eq!(document.layers[0].pixels.bytes_beyond(&below), 256 * 256 * 4);
        assert_eq!(document.layers[0].pixels.tiles().count(), 2);
    }

    #[test]
    fn a_layer_mask_becomes_alpha() {
        let mut document = two_layers();
        let top = document.active;
        let none = Edit::ApplyLayerMask(top).apply(&mut document);
        assert_eq!(none, Err(DocumentError::NoMask("Paint".to_owned())));
        let nothing = Edit::MaskFromSelection(top).apply(&mut document);
        assert_eq!(nothing, Err(DocumentError::NothingSelected));
        document.selection.cover.fill(PixelRect::new(105, 0, 5, 40), 255);
        document.selection.cover.fill(PixelRect::new(106, 0, 1, 40), 51);
        Edit::MaskFromSelection(top).apply(&mut document).unwrap();
        let shown = flatten(&document, document.extent.rect());
        Edit::ApplyLayerMask(top).apply(&mut document).unwrap();
        assert_eq!(flatten(&document, document.extent.rect()), shown);
        let layer = document.active_layer().unwrap();
        assert!(layer.mask.is_none());
        let row: Vec<u8> = (103..112).map(|x| layer.pixels.pixel(x, 15)[3]).collect();
        assert_eq!(row, [0, 0, 255, 51, 255, 255, 255, 0, 0]);
    }

    #[test]
    fn a_stroke_stays_inside_the_selection_and_the_mask_brush_inside_the_canvas() {
        let mut document = two_layers();
        let top = document.active;
        document.selection.cover.fill(PixelRect::new(0, 0, 50, 22), 255);
        let selection = document.selection.clone();
        let before = document.clone();
        let paint = Edit::Stroke(stroke(StrokeTarget::Layer(top), StrokeMode::Paint));
        paint.apply(&mut document).unwrap();
        assert_eq!(crate::document::outside_delta(&before, &document, &selection), 0);
        assert!(difference(&before, &document, &document.extent.rect()).bytes > 0);
        let mask = Edit::Stroke(stroke(StrokeTarget::Selection, StrokeMode::Paint));
        mask.apply(&mut document).unwrap();
        let bounds = document.selection.cover.bounds().unwrap();
        assert_eq!((bounds.y, bounds.right()), (0, 300), "cut at the edges");
    }

    #[test]
    fn a_stroke_in_pieces_is_the_stroke_of_the_edit() {
        for target in [StrokeTarget::Layer(LayerId(2)), StrokeTarget::Selection] {
            for mode in [StrokeMode::Paint, StrokeMode::Erase] {
                let mut document = two_layers();
                document.selection.cover.fill(PixelRect::new(10, 0, 200, 30), 200);
                let stroke = stroke(target, mode);
                let (mut live, before) = (document.clone(), document.clone());
                let applied = Edit::Stroke(stroke.clone()).apply(&mut document).unwrap();
                let mut run = StrokeRun::begin(&live, &stroke).unwrap();
                let mut dirty = PixelRect::default();
                for sample in &stroke.samples {
                    dirty = dirty.union(run.extend(&mut live, &[*sample]));
                }
                dirty = dirty.union(run.finish(&mut live));
                assert_eq!(live, document);
                assert_ne!(live, before);
                let canvas = PixelRect::from(document.extent.rect());
                assert_eq!(dirty.intersection(canvas).unwrap(), applied.dirty);
            }
        }
    }

    #[test]
    fn clearing_takes_as_much_as_is_selected() {
        let mut document = two_layers();
        let top = document.active;
        document.selection.cover.fill(PixelRect::new(100, 0, 5, 40), 255);
        document.selection.cover.fill(PixelRect::new(105, 0, 5, 40), 51);
        let applied = Edit::ClearSelected(top).apply(&mut document).unwrap();
        let pixels = &document.active_layer().unwrap().pixels;
        assert_eq!(pixels.pixel(104, 15), [0; 4]);
        assert_eq!(pixels.pixel(105, 15), [200, 0, 0, 204]);
        assert_eq!(pixels.pixel(110, 15), [200, 0, 0, 255]);
        assert_eq!(applied.layers, [top]);
        Edit::ChangeSelection(SelectionStep::None).apply(&mut document).unwrap();
        Edit::ClearSelected(top).apply(&mut document).unwrap();
        assert!(document.active_layer().unwrap().pixels.has_no_tiles());
    }

    #[test]
    fn moved_pixels_and_those_that_stay_add_up() {
        let mut document = two_layers();
        let top = document.active;
        document.selection.cover.fill(PixelRect::new(100, 10, 10, 20), 255);
        for (x, cover) in (110..115).zip([200, 128, 77, 3, 1]) {
            document.selection.cover.fill(PixelRect::new(x, 10, 1, 20), cover);
        }
        let before = document.clone();
        let far = Edit::MovePixels { layer: top, dx: 0, dy: 20 };
        far.apply(&mut document).unwrap();
        let (old, new) =
            (&before.active_layer().unwrap().pixels, &document.active_layer().unwrap().pixels);
        for x in 95..125 {
            let alpha = |y: i32| u32::from(new.pixel(x, y)[3]);
            assert_eq!(alpha(15) + alpha(35), u32::from(old.pixel(x, 15)[3]), "column {x}");
        }
        // The selection went along, cut at the canvas' lower edge; the pixels beyond are kept.
        assert_eq!(document.selection.cover.bounds(), Some(PixelRect::new(100, 30, 15, 10)));
        assert_eq!(new.pixel(100, 45), [200, 0, 0, 255]);
        let mut same = before.clone();
        let nowhere = Edit::MovePixels { layer: top, dx: 0, dy: 0 };
        assert_eq!(nowhere.apply(&mut same), Ok(Applied::default()));
        assert_eq!(same, before);
        let out = Edit::MovePixels { layer: top, dx: i32::MAX, dy: 0 }.apply(&mut same);
        assert_eq!(out, Err(DocumentError::TooFar));
    }

    #[test]
    fn what_is_selected_sharply_can_be_moved_there_and_back() {
        let mut document = two_layers();
        let top = document.active;
        document.selection.cover.fill(PixelRect::new(104, 12, 10, 9), 255);
        let before = document.clone();
        for dx in [-60, 60] {
            Edit::MovePixels { layer: top, dx, dy: 0 }.apply(&mut document).unwrap();
        }
        assert_eq!(document, before);
        Edit::MoveSelection { dx: -60, dy: 2 }.apply(&mut document).unwrap();
        assert_eq!(document.layers, before.layers);
        assert_eq!(document.selection.cover.bounds(), Some(PixelRect::new(44, 14, 10, 9)));
    }

    #[test]
    fn selections_combine_and_are_kept_under_names() {
        let mut document = two_layers();
        let mut select = |rect: PixelRect, combine: Combine| {
            let shape = SelectionShape::Rectangle(rect);
            Edit::Select { shape, combine }.apply(&mut document).unwrap();
            let cover = &document.selection.cover;
            (0..300).filter(|x| cover.pixel(*x, 3) > 0).count()
        };
        assert_eq!(select(PixelRect::new(-5, 0, 15, 9), Combine::Replace), 10);
        assert_eq!(select(PixelRect::new(5, 0, 15, 9), Combine::Add), 20);
        assert_eq!(select(PixelRect::new(8, 0, 4, 9), Combine::Subtract), 16);
        assert_eq!(select(PixelRect::new(0, 0, 14, 9), Combine::Intersect), 10);
        let kept = document.selection.clone();
        Edit::SaveSelection("Sky".to_owned()).apply(&mut document).unwrap();
        Edit::ChangeSelection(SelectionStep::Invert).apply(&mut document).unwrap();
        assert_ne!(document.selection, kept);
        let load = Edit::LoadSelection { name: "Sky".to_owned(), combine: Combine::Replace };
        load.apply(&mut document).unwrap();
        assert_eq!(document.selection, kept);
        Edit::DeleteSavedSelection("Sky".to_owned()).apply(&mut document).unwrap();
        let gone = load.apply(&mut document);
        assert_eq!(gone, Err(DocumentError::NoSavedSelection("Sky".to_owned())));
        Edit::Select {
            shape: SelectionShape::LayerAlpha(document.active),
            combine: Combine::Replace,
        }
        .apply(&mut document)
        .unwrap();
        assert_eq!(document.selection.cover.bounds(), Some(PixelRect::new(100, 10, 20, 20)));
    }

    #[test]
    fn the_wand_looks_at_one_layer_or_at_all_and_the_bucket_fills_what_it_takes() {
        let mut document = two_layers();
        let top = document.active;
        let wand = Wand {
            point: CanvasPoint::new(105.5, 15.5),
            tolerance: 5,
            contiguous: true,
            all_layers: true,
        };
        Edit::Select { shape: SelectionShape::Wand(wand), combine: Combine::Replace }
            .apply(&mut document)
            .unwrap();
        assert_eq!(document.selection.cover.bounds(), Some(PixelRect::new(100, 10, 20, 20)));
        Edit::ChangeSelection(SelectionStep::None).apply(&mut document).unwrap();
        let outside = Wand { point: CanvasPoint::new(2.0, 2.0), all_layers: false, ..wand };
        let fill = Fill { layer: top, color: [0, 0, 250, 255], wand: Some(outside) };
        Edit::Fill(fill).apply(&mut document).unwrap();
        let pixels = &document.active_layer().unwrap().pixels;
        assert_eq!(pixels.pixel(0, 0), [0, 0, 250, 255]);
        assert_eq!(pixels.pixel(105, 15), [200, 0, 0, 255]);
        assert_eq!(pixels.pixel(300, 0), [0; 4], "not beyond the canvas");
        let half = Fill { layer: top, color: [0, 0, 0, 128], wand: None };
        document.selection.cover.fill(PixelRect::new(0, 0, 1, 1), 255);
        Edit::Fill(half).apply(&mut document).unwrap();
        let pixels = &document.active_layer().unwrap().pixels;
        assert_eq!(pixels.pixel(0, 0), [0, 0, 125, 255]);
        assert_eq!(pixels.pixel(1, 0), [0, 0, 250, 255]);
    }

    #[test]
    fn the_canvas_can_grow_and_come_back_and_layers_keep_what_is_cut() {
        let mut document = two_layers();
        document.selection.cover.fill(PixelRect::new(100, 10, 20, 20), 255);
        let before = document.clone();
        Edit::SetCanvas(PixelRect::new(-256, -3, 700, 50)).apply(&mut document).unwrap();
        assert_eq!(document.extent, Extent::new(700, 50));
        assert_eq!(document.active_layer().unwrap().pixels.pixel(356, 13), [200, 0, 0, 255]);
        assert_eq!(document.selection.cover.bounds(), Some(PixelRect::new(356, 13, 20, 20)));
        Edit::SetCanvas(PixelRect::new(256, 3, 300, 40)).apply(&mut document).unwrap();
        assert_eq!(document, before);
        Edit::SetCanvas(PixelRect::new(110, 0, 5, 15)).apply(&mut document).unwrap();
        assert_eq!(document.selection.cover.bounds(), Some(PixelRect::new(0, 10, 5, 5)));
        let whole = document.active_layer().unwrap().pixels.bounds();
        assert_eq!(whole, Some(PixelRect::new(-10, 10, 20, 20)));
        for rect in [PixelRect::new(0, 0, 0, 5), PixelRect::new(0, 0, 5, 16385)] {
            let error = Edit::SetCanvas(rect).apply(&mut document).unwrap_err();
            assert_eq!(error, DocumentError::Extent(rect.extent()));
        }
        let far = Edit::SetCanvas(PixelRect::new(i32::MIN, 0, 5, 5)).apply(&mut document);
        assert_eq!(far, Err(DocumentError::TooFar));
    }

    #[test]
    fn turns_and_flips_come_back_with_everything_on_the_canvas() {
        let mut rng = Rng(25);
        for _ in 0..12 {
            let mut document = rng.document();
            document.selection.cover = rng.cover(document.extent);
            let check = |edits: &[Edit]| {
                let mut after = document.clone();
                for edit in edits {
                    edit.apply(&mut after).unwrap();
                }
                assert_eq!(after, document, "{edits:?}");
            };
            let turn = |turns| Edit::Rotate(turns);
            check(&[Edit::Flip(Axis::Horizontal), Edit::Flip(Axis::Horizontal)]);
            check(&[Edit::Flip(Axis::Vertical), Edit::Flip(Axis::Vertical)]);
            check(&[turn(QuarterTurns::One), turn(QuarterTurns::Three)]);
            check(&[turn(QuarterTurns::One), turn(QuarterTurns::One), turn(QuarterTurns::Two)]);
            let (flat, mut turned) = (flatten(&document, document.extent.rect()), document.clone());
            turn(QuarterTurns::One).apply(&mut turned).unwrap();
            let other = flatten(&turned, turned.extent.rect());
            let (width, height) = (document.extent.width, document.extent.height);
            assert_eq!(other.extent(), Extent::new(height, width));
            for (x, y) in [(0, 0), (width - 1, 0), (width / 2, height / 3)] {
                assert_eq!(flat.pixel(x, y), other.pixel(height - 1 - y, x));
            }
        }
    }

    #[test]
    fn scaling_takes_everything_along() {
        let mut document = two_layers();
        document.selection.cover.fill(PixelRect::new(100, 10, 20, 20), 255);
        Edit::SaveSelection("Square".to_owned()).apply(&mut document).unwrap();
        let resampling = Resampling::Nearest;
        let double = Edit::Resize { extent: Extent::new(600, 80), resampling };
        double.apply(&mut document).unwrap();
        let twice = Some(PixelRect::new(200, 20, 40, 40));
        assert_eq!(document.active_layer().unwrap().pixels.bounds(), twice);
        assert_eq!(document.selection.cover.bounds(), twice);
        assert_eq!(document.saved_selections[0].selection, document.selection);
        let smooth = Resampling::Smooth;
        let small = Edit::Resize { extent: Extent::new(150, 20), resampling: smooth };
        small.apply(&mut document).unwrap();
        let flat = flatten(&document, CanvasRect::new(0, 0, 150, 20));
        assert_eq!(flat.pixel(55, 10), [200, 0, 0, 255]);
        assert_eq!(flat.pixel(149, 19), [9, 9, 9, 255]);
        let none = Edit::Resize { extent: Extent::new(0, 20), resampling: smooth };
        assert!(none.apply(&mut document).is_err());
    }

    #[test]
    fn another_document_replaces_all_and_must_be_sound() {
        let mut document = two_layers();
        let mut other = Document::new(Extent::new(5, 6), "Other");
        Edit::Replace(Box::new(other.clone())).apply(&mut document).unwrap();
        assert_eq!(document, other);
        other.active = LayerId(50);
        Edit::Replace(Box::new(other.clone())).apply(&mut document).unwrap();
        assert_eq!(document.active, LayerId(1));
        other.layers.clear();
        let empty = Edit::Replace(Box::new(other)).apply(&mut document);
        assert_eq!(empty, Err(DocumentError::LastLayer));
    }

    #[test]
    fn only_what_touches_many_pixels_is_heavy() {
        let mut large = Document::new(Extent::new(8192, 8192), "Photo");
        large.layers[0].pixels.fill(PixelRect::new(0, 0, 8192, 8192), [3, 3, 3, 255]);
        let small = two_layers();
        let layer = LayerId(1);
        let wand = Wand {
            point: CanvasPoint::default(),
            tolerance: 0,
            contiguous: true,
            all_layers: true,
        };
        let heavy = [
            Edit::Flip(Axis::Horizontal),
            Edit::Flatten,
            Edit::Resize { extent: Extent::new(100, 100), resampling: Resampling::Smooth },
            Edit::SetCanvas(PixelRect::new(1, 0, 8192, 8192)),
            Edit::MovePixels { layer, dx: 1, dy: 0 },
            Edit::Fill(Fill { layer, color: [0; 4], wand: Some(wand) }),
            Edit::Select { shape: SelectionShape::Wand(wand), combine: Combine::Add },
            Edit::ChangeSelection(SelectionStep::Invert),
        ];
        let light = [
            Edit::AddLayer { name: String::new() },
            Edit::SetOpacity { layer, opacity: 0.1 },
            Edit::DeleteLayer(layer),
            Edit::SetCanvas(PixelRect::new(-256, 512, 9000, 9000)),
            Edit::Fill(Fill { layer, color: [9, 9, 9, 255], wand: None }),
            Edit::ClearSelected(layer),
            Edit::ChangeSelection(SelectionStep::All),
            Edit::Stroke(stroke(StrokeTarget::Layer(layer), StrokeMode::Paint)),
        ];
        for edit in &heavy {
            assert!(edit.is_heavy(&large), "{edit:?}");
            assert!(!edit.is_heavy(&small), "{edit:?}");
        }
        for edit in &light {
            assert!(!edit.is_heavy(&large), "{edit:?}");
        }
    }
}
