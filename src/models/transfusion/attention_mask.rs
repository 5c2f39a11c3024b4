//! Who sees whom in a stretch of a sequence.

use candle_core::{Device, Result, Tensor};

/// For each sequence and each pair of places, whether the first sees the second.
///
/// A place sees what stands before it and itself, and the patches of a picture see each other.
/// None where everything is visible. Shape: `[B, 1, T, T]`, u8, 1 = visible.
///
/// Source: Transfusion (arXiv 2408.11039), section 3.1.
///
/// # Errors
///
/// When the device is out of memory.
pub(super) fn attention_mask(
    rows: &[&[Option<usize>]],
    places: usize,
    device: &Device,
) -> Result<Option<Tensor>> {
    let mut visible = Vec::with_capacity(rows.len() * places * places);
    for row in rows {
        let picture = |place: usize| row.get(place).copied().flatten();
        for query in 0..places {
            let own = picture(query);
            visible.extend(
                (0..places)
                    .map(|key| u8::from(key <= query || (own.is_some() && own == picture(key)))),
            );
        }
    }
    if visible.iter().all(|&visible| visible == 1) {
        return Ok(None);
    }
    Ok(Some(Tensor::from_vec(visible, (rows.len(), 1, places, places), device)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_see_themselves_whole_and_text_sees_what_precedes_it() {
        let row = [None, Some(0), Some(0), Some(1), None];
        let mask = attention_mask(&[&row], 5, &Device::Cpu).unwrap().unwrap();
        let mask = mask.reshape((5, 5)).unwrap().to_vec2::<u8>().unwrap();
        assert_eq!(
            mask,
            [[1, 0, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
        );
        // Nothing to hide inside one picture or a single token.
        for row in [&[Some(0); 4][..], &[None][..]] {
            assert!(attention_mask(&[row], row.len(), &Device::Cpu).unwrap().is_none());
        }
    }
}
