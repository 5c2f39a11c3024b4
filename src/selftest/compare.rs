//! Comparing what came out with what should have.

use candle_core::{DType, Result, Tensor};
use serde_json::Value;

/// How far a value may be from the reference: `|a - b| <= abs + rel * |b|`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerance {
    /// The absolute part; one for all, or one for each row of the batch.
    pub abs: Vec<f64>,
    /// The part that grows with the reference value.
    pub rel: f64,
}

impl Tolerance {
    /// Equality.
    #[must_use]
    pub fn exact() -> Self {
        Self { abs: vec![0.0], rel: 0.0 }
    }

    /// Reads `{"abs": .., "rel": ..}` or `{"abs_rows": [..], "rel": ..}`; nothing means equality.
    #[must_use]
    pub fn read(json: Option<&Value>) -> Self {
        let Some(json) = json.filter(|json| json.is_object()) else {
            return Self::exact();
        };
        let number = |value: &Value| value.as_f64().unwrap_or(0.0);
        let abs = match json.get("abs_rows").and_then(Value::as_array) {
            Some(rows) if !rows.is_empty() => rows.iter().map(number).collect(),
            _ => vec![json.get("abs").map_or(0.0, number)],
        };
        Self { abs, rel: json.get("rel").map_or(0.0, number) }
    }
}

impl std::fmt::Display for Tolerance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let abs = self.abs.iter().copied().fold(0.0, f64::max);
        if abs == 0.0 && self.rel == 0.0 {
            return write!(f, "exact");
        }
        write!(f, "{abs:.1e}+{:.0e}*|b|", self.rel)
    }
}

/// One expected output and what became of it.
#[derive(Clone, Debug)]
pub struct Check {
    /// Case, run and output.
    pub name: String,
    /// The largest absolute difference; for counted cases the number of wrong ones.
    pub max_abs_error: f64,
    /// What was allowed.
    pub tolerance: Tolerance,
    /// Whether all values were inside.
    pub ok: bool,
}

impl Check {
    /// A check that couldn't be computed.
    #[must_use]
    pub fn failed(name: &str) -> Self {
        let tolerance = Tolerance::exact();
        Self { name: name.to_owned(), max_abs_error: f64::NAN, tolerance, ok: false }
    }

    /// A check that counts wrong cases.
    #[must_use]
    pub fn counted(name: &str, wrong: usize) -> Self {
        let tolerance = Tolerance::exact();
        let ok = wrong == 0;
        Self { name: name.to_owned(), max_abs_error: wrong as f64, tolerance, ok }
    }

    /// Compares tensors of one shape.
    ///
    /// # Errors
    ///
    /// When the device fails; other shapes are a failed check.
    pub fn tensors(
        name: &str,
        found: &Tensor,
        expected: &Tensor,
        tolerance: Tolerance,
    ) -> Result<Self> {
        if found.dims() != expected.dims() {
            let (found, expected) = (found.dims(), expected.dims());
            return Ok(Self::failed(&format!("{name}: shape {found:?} in place of {expected:?}")));
        }
        let rows = expected.dims().first().copied().unwrap_or(1).max(1);
        let values = |t: &Tensor| {
            t.to_device(&candle_core::Device::Cpu)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1()
        };
        Ok(Self::values(name, &values(found)?, &values(expected)?, rows, tolerance))
    }

    /// Compares lists of numbers that make up `rows` rows.
    #[must_use]
    pub fn values(
        name: &str,
        found: &[f64],
        expected: &[f64],
        rows: usize,
        tolerance: Tolerance,
    ) -> Self {
        if found.len() != expected.len() {
            let (found, expected) = (found.len(), expected.len());
            return Self::failed(&format!("{name}: {found} values in place of {expected}"));
        }
        let row = (expected.len() / rows.max(1)).max(1);
        let mut worst = 0.0_f64;
        let mut ok = true;
        for (i, (a, b)) in found.iter().zip(expected).enumerate() {
            let abs = tolerance.abs.get(i / row).or_else(|| tolerance.abs.last());
            let error = (a - b).abs();
            // Written so that a NaN on either side fails.
            ok &= error <= abs.copied().unwrap_or(0.0) + tolerance.rel * b.abs();
            worst = if error.is_nan() { f64::NAN } else { worst.max(error) };
        }
        Self { name: name.to_owned(), max_abs_error: worst, tolerance, ok }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, max_abs_error, tolerance, ok } = self;
        let ok = if *ok { "ok" } else { "FAILED" };
        write!(f, "{name:<58} {max_abs_error:>9.2e}  {tolerance:<18} {ok}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outside_its_row_s_tolerance_fails() {
        let tolerance = Tolerance { abs: vec![0.1, 0.01], rel: 0.0 };
        let check = |found: &[f64]| Check::values("x", found, &[1.0, 1.0], 2, tolerance.clone());
        assert!(check(&[1.05, 1.005]).ok);
        assert!(!check(&[1.05, 1.05]).ok);
        assert!(!check(&[f64::NAN, 1.0]).ok);
        assert!(!check(&[1.0]).ok);
    }

    #[test]
    fn an_expected_number_that_came_out_as_nan_is_shown_as_nan() {
        let check = Check::values("x", &[f64::NAN], &[1.0], 1, Tolerance::exact());
        assert!(check.max_abs_error.is_nan() && !check.ok);
    }
}
