//! How things are laid out in scenes: where they stand and how large they are.

use serde::{Deserialize, Serialize};

use crate::eval::dice::Dice;
use crate::eval::edits::EditKind;
use crate::eval::scene::Item;
use crate::eval::words::Place;

/// How far a scene may be from a layout, in place and size, and still be brought to it.
const NEAR: f64 = 0.1;
/// What spots leave open for rounding.
const EXACT: f64 = 0.002;

/// A kind of scene.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// How often there are such scenes, beside the others.
    #[serde(default = "one")]
    pub weight: f64,
    /// Where things stand.
    pub items: Vec<Spot>,
    /// How far each is from there at most.
    #[serde(default)]
    pub jitter: f64,
    /// Whether all are the same thing.
    #[serde(default)]
    pub same: bool,
    /// The kinds of edits that are asked of such scenes; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<Vec<EditKind>>,
}

const fn one() -> f64 {
    1.0
}

/// Where a thing stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spot {
    /// The places, any of which it may be in: x and y, from -1 at the left and top to 1.
    pub at: Vec<(f64, f64)>,
    /// The least and the greatest side of its tile, as a share of the picture's.
    pub size: (f64, f64),
}

impl Spot {
    fn at(x: f64, y: f64, size: (f64, f64)) -> Self {
        Self { at: vec![(x, y)], size }
    }

    /// A place of this spot and a size, near which a thing is.
    fn near(&self, item: &Item, reach: f64) -> Option<(f64, f64, f64)> {
        let size = item.size.clamp(self.size.0, self.size.1);
        let close = |a: f64, b: f64| (a - b).abs() <= reach;
        let &(x, y) = self.at.iter().find(|&&(x, y)| close(x, item.x) && close(y, item.y))?;
        close(size, item.size).then_some((x, y, size))
    }
}

impl Layout {
    /// The layouts of the training scenes: a large thing, a small one in one of the places, several
    /// of a kind, two or three in a row.
    pub(crate) fn usual(places: &[(&'static Place, (f64, f64))]) -> Vec<Self> {
        let layout = |weight, items: Vec<Spot>, jitter, same| Self {
            weight,
            items,
            jitter,
            same,
            edits: None,
        };
        let mut layouts = vec![layout(0.5, vec![Spot::at(0.0, 0.0, (0.7, 0.95))], 0.06, false)];
        if !places.is_empty() {
            let at = places.iter().map(|(_, at)| *at).collect();
            layouts.push(layout(0.18, vec![Spot { at, size: (0.25, 0.55) }], 0.06, false));
        }
        for number in 2..=4 {
            let (places, size) = group(number);
            let spots = places.iter().map(|&(x, y)| Spot::at(x, y, (size, size))).collect();
            layouts.push(layout(0.1 / 3.0, spots, 0.03, true));
        }
        for (weight, places, size) in
            [(0.7, &[-0.45, 0.45][..], 0.46), (0.3, &[-0.62, 0.0, 0.62][..], 0.32)]
        {
            let size = (size * 0.88, size * 1.08);
            let across = places.iter().map(|&x| Spot::at(x, 0.0, size)).collect();
            let down = places.iter().map(|&y| Spot::at(0.0, y, size)).collect();
            layouts.push(layout(0.22 * 0.65 * weight, across, 0.05, false));
            layouts.push(layout(0.22 * 0.35 * weight, down, 0.05, false));
        }
        layouts
    }

    /// Whether an edit of a kind is asked of such scenes.
    pub(crate) fn allows(&self, kind: EditKind) -> bool {
        self.edits.as_ref().is_none_or(|edits| edits.contains(&kind))
    }

    /// Places and sizes for all things.
    pub(crate) fn drawn(&self, dice: &mut Dice) -> Option<Vec<((f64, f64), f64)>> {
        self.items
            .iter()
            .map(|spot| {
                let &(x, y) = dice.pick(&spot.at)?;
                let at = (x + dice.around(self.jitter), y + dice.around(self.jitter));
                Some((at, dice.between(spot.size.0, spot.size.1)))
            })
            .collect()
    }

    /// The one thing's spot, where it stands alone in the middle.
    pub(crate) fn middle(&self) -> Option<&Spot> {
        match &self.items[..] {
            [spot] if spot.at == [(0.0, 0.0)] => Some(spot),
            _ => None,
        }
    }

    /// The things brought to this layout, where they nearly have it.
    pub(crate) fn settled(&self, items: &[Item]) -> Option<Vec<Item>> {
        if items.len() != self.items.len() {
            return None;
        }
        let mut free: Vec<&Spot> = self.items.iter().collect();
        items
            .iter()
            .map(|item| {
                let reach = NEAR + self.jitter + EXACT;
                let (spot, (x, y, size)) = free
                    .iter()
                    .enumerate()
                    .find_map(|(at, spot)| Some((at, spot.near(item, reach)?)))?;
                free.remove(spot);
                Some(Item { x, y, size, ..item.clone() })
            })
            .collect()
    }
}

/// Where several of a kind stand, and how large they are.
pub(crate) const fn group(number: usize) -> (&'static [(f64, f64)], f64) {
    match number {
        2 => (&[(-0.45, 0.0), (0.45, 0.0)], 0.44),
        3 => (&[(-0.6, 0.0), (0.0, 0.0), (0.6, 0.0)], 0.3),
        _ => (&[(-0.42, -0.42), (0.42, -0.42), (-0.42, 0.42), (0.42, 0.42)], 0.4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_brought_to_a_layout_that_they_nearly_have() {
        let spots = vec![
            Spot::at(0.0, 0.0, (0.62, 0.62)),
            Spot { at: vec![(-0.66, 0.0), (0.66, 0.0)], size: (0.34, 0.34) },
        ];
        let layout = Layout { weight: 1.0, items: spots, jitter: 0.0, same: false, edits: None };
        let small = Item::new(3, 0.66, 0.0, 0.35);
        let settled = layout.settled(&[Item::new(1, 0.0, 0.0, 0.578), small.clone()]).unwrap();
        assert_eq!(settled, [Item::new(1, 0.0, 0.0, 0.62), Item::new(3, 0.66, 0.0, 0.34)]);
        // In the order of the scene, whatever that of the layout is.
        let turned = layout.settled(&[small.clone(), Item::new(1, 0.0, 0.0, 0.62)]).unwrap();
        assert_eq!((turned[0].concept, turned[0].size), (3, 0.34));
        for wrong in [
            vec![small.clone()],
            vec![small.clone(), small.clone()],
            vec![Item::new(1, 0.0, 0.0, 0.4), small],
        ] {
            assert_eq!(layout.settled(&wrong), None, "{wrong:?}");
        }
    }
}
