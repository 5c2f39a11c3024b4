//! The compact form of the starter weights: int8 with one scale a row.
//!
//! A tensor of two or more dimensions and at least 4096 values is stored as whole numbers from
//! -127 to 127; `NAME.scale` holds one single-precision factor for each row of the first
//! dimension. The rest stays in half precision. The file's metadata says `format = int8-row`.

/// Values from which on a tensor is worth packing.
const MIN_VALUES: usize = 4096;

/// Rows of whole numbers and their factors.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedRows {
    /// The whole numbers, row-major.
    pub values: Vec<i8>,
    /// One factor for each row.
    pub scales: Vec<f32>,
}

/// Packs a tensor, or none where it is to stay as it is: small tensors and vectors.
#[must_use]
pub fn quantize_rows(values: &[f32], shape: &[usize]) -> Option<QuantizedRows> {
    if shape.len() < 2 || values.len() < MIN_VALUES || shape.contains(&0) {
        return None;
    }
    let row_len = values.len() / shape[0];
    let mut packed = QuantizedRows {
        values: Vec::with_capacity(values.len()),
        scales: Vec::with_capacity(shape[0]),
    };
    for row in values.chunks(row_len) {
        let largest = row.iter().fold(0_f32, |largest, value| largest.max(value.abs()));
        let scale = (largest / 127.0).max(1e-12);
        packed.values.extend(
            row.iter().map(|value| (value / scale).round_ties_even().clamp(-127.0, 127.0) as i8),
        );
        packed.scales.push(scale);
    }
    Some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_rows_come_back_within_half_a_step() {
        let values: Vec<f32> =
            (0..64 * 80).map(|i| ((i * 37 % 1013) as f32 - 500.0) / 300.0).collect();
        let packed = quantize_rows(&values, &[64, 80]).unwrap();
        for (i, &value) in values.iter().enumerate() {
            let scale = packed.scales[i / 80];
            let back = f32::from(packed.values[i]) * scale;
            assert!((back - value).abs() <= scale * 0.5001, "{value} came back as {back}");
        }
        assert!(quantize_rows(&values[..4000], &[50, 80]).is_none());
        assert!(quantize_rows(&values, &[64 * 80]).is_none());
        // A row of zeros has a scale, too.
        assert_eq!(quantize_rows(&vec![0.0; 8192], &[2, 4096]).unwrap().values, vec![0; 8192]);
    }
}
