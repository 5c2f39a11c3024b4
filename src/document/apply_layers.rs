//! Edits of the stack of layers.

use crate::document::composite::{Stack, is_shown, scaled};
use crate::document::difference::changed_area;
use crate::document::{Applied, Document, DocumentError, Layer, LayerId, Place};
use crate::geom::PixelRect;
use crate::raster::{CoverGrid, PixelGrid};

impl Document {
    pub(super) fn add_layer(&mut self, name: &str) -> Applied {
        let id = self.put_above_active(|id| Layer::new(id, ""), name);
        Applied::layer(id, PixelRect::default())
    }

    pub(super) fn delete_layer(&mut self, id: LayerId) -> Result<Applied, DocumentError> {
        let place = self.position(id).ok_or(DocumentError::NoLayer(id))?;
        if self.layers.len() == 1 {
            return Err(DocumentError::LastLayer);
        }
        self.unlocked_mut(id)?;
        let before = self.clone();
        self.layers.remove(place);
        if self.active == id {
            let next = self.layers.get(place.saturating_sub(1));
            self.active = next.map_or(id, |layer| layer.id);
        }
        Ok(Applied::look(changed_area(&before, self)))
    }

    pub(super) fn duplicate_layer(
        &mut self,
        id: LayerId,
        name: &str,
    ) -> Result<Applied, DocumentError> {
        let copy = self.known(id)?.clone();
        let dirty = shown_bounds(&copy);
        self.active = id;
        let new = self.put_above_active(|id| Layer { id, ..copy }, name);
        Ok(Applied::layer(new, dirty))
    }

    pub(super) fn reorder_layer(
        &mut self,
        id: LayerId,
        position: usize,
    ) -> Result<Applied, DocumentError> {
        let from = self.position(id).ok_or(DocumentError::NoLayer(id))?;
        let before = self.clone();
        let layer = self.layers.remove(from);
        self.layers.insert(position.min(self.layers.len()), layer);
        Ok(Applied::look(changed_area(&before, self)))
    }

    pub(super) fn rename_layer(
        &mut self,
        id: LayerId,
        name: &str,
    ) -> Result<Applied, DocumentError> {
        self.known(id)?;
        let name = name.trim();
        if name.is_empty() {
            return Err(DocumentError::EmptyName);
        }
        let name = self.unique_name(name, Some(id));
        self.known_mut(id)?.name = name;
        Ok(Applied::default())
    }

    pub(super) fn set_opacity(
        &mut self,
        id: LayerId,
        opacity: f32,
    ) -> Result<Applied, DocumentError> {
        let opacity = if opacity.is_nan() { 1.0 } else { opacity.clamp(0.0, 1.0) };
        self.set_look(id, |layer| layer.opacity = opacity)
    }

    /// Changes how a layer is shown.
    pub(super) fn set_look(
        &mut self,
        id: LayerId,
        change: impl FnOnce(&mut Layer),
    ) -> Result<Applied, DocumentError> {
        let layer = self.known_mut(id)?;
        let before = shown_bounds(layer);
        change(layer);
        Ok(Applied::look(before.union(shown_bounds(layer))))
    }

    pub(super) fn merge_down(&mut self, id: LayerId) -> Result<Applied, DocumentError> {
        let place = self.position(id).ok_or(DocumentError::NoLayer(id))?;
        let below = place.checked_sub(1).and_then(|place| self.layers.get(place));
        let below = below.ok_or(DocumentError::NothingBelow)?.id;
        // The upper one goes and the lower one changes; what is hidden would come to be seen.
        self.paintable_mut(id)?;
        self.paintable_mut(below)?;
        let upper = self.layers.remove(place);
        let lower = self.known_mut(below)?;
        let dirty = shown_bounds(&upper).union(shown_bounds(lower));
        let merged = Stack::of_two(lower, &upper).merged();
        lower.pixels = merged;
        lower.mask = None;
        lower.opacity = 1.0;
        lower.record = None;
        if self.active == id {
            self.active = below;
        }
        Ok(Applied::layer(below, dirty))
    }

    pub(super) fn flatten_layers(&mut self) -> Result<Applied, DocumentError> {
        let shown = || self.layers.iter().filter(|layer| layer.visible);
        if let Some(locked) = self.layers.iter().find(|layer| layer.locked) {
            return Err(DocumentError::Locked(locked.name.clone()));
        }
        // The lowest visible layer becomes the picture; where all are hidden, an empty one.
        let Some(base) = shown().next().or_else(|| self.layers.first()) else {
            return Err(DocumentError::LastLayer);
        };
        let only = shown().count() == 1;
        let record = if only { base.record.clone() } else { None };
        let mut flat = Layer::new(base.id, base.name.clone());
        flat.record = record;
        flat.pixels = Stack::of(self).merged();
        let before = std::mem::replace(&mut self.layers, vec![flat]);
        self.active = self.layers.first().map_or(self.active, |layer| layer.id);
        let dirty = before.iter().map(shown_bounds).reduce(PixelRect::union).unwrap_or_default();
        Ok(Applied::layer(self.active, dirty))
    }

    pub(super) fn apply_layer_mask(&mut self, id: LayerId) -> Result<Applied, DocumentError> {
        let layer = self.unlocked_mut(id)?;
        let Some(mask) = layer.mask.take() else {
            return Err(DocumentError::NoMask(layer.name.clone()));
        };
        let dirty = shown_bounds(layer);
        layer.pixels = masked(&layer.pixels, &mask);
        Ok(Applied::layer(id, dirty))
    }

    pub(super) fn delete_layer_mask(&mut self, id: LayerId) -> Result<Applied, DocumentError> {
        let layer = self.known_mut(id)?;
        if layer.mask.take().is_none() {
            return Err(DocumentError::NoMask(layer.name.clone()));
        }
        Ok(Applied::layer(id, shown_bounds(layer)))
    }

    pub(super) fn mask_from_selection(&mut self, id: LayerId) -> Result<Applied, DocumentError> {
        let cover = self.selection.cover.clone();
        let layer = self.known_mut(id)?;
        if cover.has_no_tiles() {
            return Err(DocumentError::NothingSelected);
        }
        let before = shown_bounds(layer);
        layer.mask = Some(cover);
        Ok(Applied::layer(id, before.union(shown_bounds(layer))))
    }

    pub(super) fn grow_layer_mask(
        &mut self,
        id: LayerId,
        by_px: i32,
    ) -> Result<Applied, DocumentError> {
        let canvas = self.extent;
        let selected = self.selection.cover.clone();
        let layer = self.unlocked_mut(id)?;
        let Some(mask) = &layer.mask else {
            return Err(DocumentError::NoMask(layer.name.clone()));
        };
        let radius = by_px.unsigned_abs();
        let changed = if by_px < 0 {
            mask.contracted(radius, canvas)
        } else if selected.has_no_tiles() {
            mask.spread(radius, canvas)
        } else {
            mask.united(&mask.spread(radius, canvas).intersected(&selected))
        };
        let before = shown_bounds(layer);
        layer.mask = Some(changed);
        Ok(Applied::layer(id, before.union(shown_bounds(layer))))
    }

    pub(super) fn place(&mut self, place: &Place) -> Applied {
        let extent = place.image.extent();
        let rect = PixelRect::new(place.at.0, place.at.1, extent.width, extent.height);
        let make = |id| {
            let mut layer = Layer::new(id, "");
            layer.pixels = PixelGrid::from_pixels(rect, place.image.pixels());
            layer.mask.clone_from(&place.mask);
            layer.record.clone_from(&place.record);
            layer
        };
        let id = self.put_above_active(make, &place.name);
        Applied::layer(id, rect)
    }

    /// Adds a layer above the active one and makes it active.
    fn put_above_active(&mut self, make: impl FnOnce(LayerId) -> Layer, name: &str) -> LayerId {
        let id = LayerId(self.next_layer);
        self.next_layer += 1;
        let mut layer = make(id);
        layer.name = self.unique_name(name, None);
        let place = self.position(self.active).map_or(self.layers.len(), |place| place + 1);
        self.layers.insert(place, layer);
        self.active = id;
        id
    }

    /// The name, or the name with the first number that no layer but `own` has.
    fn unique_name(&self, name: &str, own: Option<LayerId>) -> String {
        let name = name.trim();
        let name = if name.is_empty() { "Layer" } else { name };
        let taken = |name: &str| {
            self.layers.iter().any(|layer| Some(layer.id) != own && layer.name == name)
        };
        if !taken(name) {
            return name.to_owned();
        }
        // "Layer 2" goes on with "Layer 3" and not with "Layer 2 2".
        let stem = match name.rsplit_once(' ') {
            Some((stem, number)) if number.parse::<u32>().is_ok() => stem,
            _ => name,
        };
        // Of one number more than there are layers, one is free.
        (2..=self.layers.len() + 2)
            .map(|number| format!("{stem} {number}"))
            .find(|name| !taken(name))
            .unwrap_or_else(|| name.to_owned())
    }
}

/// A rectangle that holds all that is seen of a layer; nothing where it is hidden.
pub(super) fn shown_bounds(layer: &Layer) -> PixelRect {
    if !is_shown(layer) {
        return PixelRect::default();
    }
    let pixels = layer.pixels.tile_bounds();
    let shown = match &layer.mask {
        None => pixels,
        Some(mask) => {
            mask.tile_bounds().zip(pixels).and_then(|(mask, pixels)| mask.intersection(pixels))
        }
    };
    shown.unwrap_or_default()
}

/// Pixels with a mask made part of their alpha.
fn masked(pixels: &PixelGrid, mask: &CoverGrid) -> PixelGrid {
    let mut result = PixelGrid::new();
    for (at, tile) in pixels.tiles() {
        let Some(cover) = mask.tile(at) else { continue };
        if cover.pixels().iter().all(|&cover| cover == 255) {
            result.set_tile(at, Some(tile.clone()));
            continue;
        }
        let faded = tile.pixels().iter().zip(cover.pixels()).map(|(&[r, g, b, alpha], &cover)| {
            match scaled(alpha, cover) {
                // What the mask hides is gone for good; hidden colors that it shows stay.
                0 if cover < 255 => [0; 4],
                alpha => [r, g, b, alpha],
            }
        });
        let faded: Vec<[u8; 4]> = faded.collect();
        result.write(at.rect(), &faded);
    }
    result
}
