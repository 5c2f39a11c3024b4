//! The layers as the panel shows them: the topmost first.

use crate::document::{Document, Layer, LayerId};
use crate::locale::tr;
use crate::raster::BlendMode;

/// The layers from the topmost to the lowest.
pub(crate) fn rows(document: &Document) -> impl DoubleEndedIterator<Item = &Layer> {
    document.layers.iter().rev()
}

/// The place in the document, 0 for the lowest, of a layer that is dropped above the row `before`;
/// nothing where it stays in its place.
#[must_use]
pub(crate) fn dropped(document: &Document, layer: LayerId, before: usize) -> Option<usize> {
    let last = document.layers.len().checked_sub(1)?;
    let from = last - document.position(layer)?;
    let row = crate::ui::queue_panel::moved_to(from, before)?;
    Some(last.saturating_sub(row))
}

/// Modes that belong together, as the list shows them.
pub(crate) const BLEND_GROUPS: [&[BlendMode]; 6] = [
    &[BlendMode::Normal],
    &[BlendMode::Darken, BlendMode::Multiply, BlendMode::ColorBurn],
    &[BlendMode::Lighten, BlendMode::Screen, BlendMode::ColorDodge, BlendMode::Add],
    &[BlendMode::Overlay, BlendMode::SoftLight, BlendMode::HardLight],
    &[BlendMode::Difference, BlendMode::Exclusion],
    &[BlendMode::Hue, BlendMode::Saturation, BlendMode::Color, BlendMode::Luminosity],
];

/// The name of a blend mode.
#[must_use]
pub fn blend_mode_label(mode: BlendMode) -> &'static str {
    match mode {
        BlendMode::Normal => tr("Normal"),
        BlendMode::Multiply => tr("Multiply"),
        BlendMode::Screen => tr("Screen"),
        BlendMode::Overlay => tr("Overlay"),
        BlendMode::Darken => tr("Darken"),
        BlendMode::Lighten => tr("Lighten"),
        BlendMode::ColorDodge => tr("Color dodge"),
        BlendMode::ColorBurn => tr("Color burn"),
        BlendMode::HardLight => tr("Hard light"),
        BlendMode::SoftLight => tr("Soft light"),
        BlendMode::Difference => tr("Difference"),
        BlendMode::Exclusion => tr("Exclusion"),
        BlendMode::Hue => tr("Hue"),
        BlendMode::Saturation => tr("Saturation"),
        BlendMode::Color => tr("Color"),
        BlendMode::Luminosity => tr("Luminosity"),
        BlendMode::Add => tr("Add"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;

    #[test]
    fn a_dropped_layer_lands_between_the_rows() {
        let document = sample::document();
        let from_top: Vec<u64> = rows(&document).map(|layer| layer.id.0).collect();
        for (from, &id) in from_top.iter().enumerate() {
            for before in 0..=from_top.len() {
                let landed = dropped(&document, LayerId(id), before);
                assert_eq!(landed.is_none(), before == from || before == from + 1);
                let Some(position) = landed else { continue };
                let mut layers: Vec<u64> = document.layers.iter().map(|layer| layer.id.0).collect();
                let old = document.position(LayerId(id)).unwrap();
                let taken = layers.remove(old);
                layers.insert(position, taken);
                layers.reverse();
                let row = layers.iter().position(|&one| one == id).unwrap();
                assert_eq!(layers.get(row + 1), from_top.get(before), "{from} before {before}");
            }
        }
        assert_eq!(dropped(&document, LayerId(999), 0), None);
    }

    #[test]
    fn every_blend_mode_is_in_one_group_and_has_a_name_of_its_own() {
        let mut all: Vec<BlendMode> =
            BLEND_GROUPS.iter().flat_map(|group| group.iter().copied()).collect();
        all.sort_by_key(|mode| mode.number());
        assert_eq!(all, BlendMode::ALL);
        let mut names: Vec<&str> = all.iter().map(|&mode| blend_mode_label(mode)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), BlendMode::ALL.len());
    }
}
