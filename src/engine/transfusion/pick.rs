//! Which token comes next.

/// How freely tokens are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextSampling {
    /// 0 takes the most likely token every time, 1 draws as the network says.
    pub temperature: f64,
    /// Only the most likely tokens that together have this probability are drawn from.
    pub top_p: f64,
}

impl Default for TextSampling {
    fn default() -> Self {
        Self { temperature: 0.7, top_p: 0.9 }
    }
}

impl TextSampling {
    /// Always the most likely token.
    #[must_use]
    pub const fn greedy() -> Self {
        Self { temperature: 0.0, top_p: 1.0 }
    }
}

/// Chooses a token by its score; `uniform` lies between 0 and 1. Scores of negative infinity are
/// never chosen, equals in the order of their ids.
///
/// None where no token can be chosen, because a score is not a number or all are ruled out.
///
/// Source: nucleus sampling (arXiv 1904.09751), section 3.1.
#[must_use]
pub fn pick_token(logits: &[f32], sampling: &TextSampling, uniform: f64) -> Option<u32> {
    if logits.iter().any(|logit| logit.is_nan() || *logit == f32::INFINITY) {
        return None;
    }
    let mut order: Vec<usize> =
        (0..logits.len()).filter(|&i| logits[i] > f32::NEG_INFINITY).collect();
    // A stable sort: equals stay in the order of their ids.
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    let first = *order.first()?;
    if sampling.temperature <= 0.0 {
        return Some(first as u32);
    }
    let best = f64::from(logits[first]);
    let weights: Vec<f64> = order
        .iter()
        .map(|&i| libm::exp((f64::from(logits[i]) - best) / sampling.temperature))
        .collect();
    let all: f64 = weights.iter().sum();
    let mut kept = 0;
    let mut nucleus = 0.0;
    for weight in &weights {
        nucleus += weight;
        kept += 1;
        if nucleus >= sampling.top_p * all {
            break;
        }
    }
    let target = uniform * nucleus;
    let mut sum = 0.0;
    for (&i, weight) in order[..kept].iter().zip(&weights) {
        sum += weight;
        if target < sum {
            return Some(i as u32);
        }
    }
    Some(order[kept - 1] as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of each token over evenly spaced draws.
    fn shares(logits: &[f32], temperature: f64, top_p: f64) -> Vec<f64> {
        let draws = 10_000;
        let mut shares = vec![0.0; logits.len()];
        for i in 0..draws {
            let uniform = (f64::from(i) + 0.5) / f64::from(draws);
            let token = pick_token(logits, &TextSampling { temperature, top_p }, uniform).unwrap();
            shares[token as usize] += 1.0 / f64::from(draws);
        }
        shares
    }

    fn check(found: &[f64], expected: &[f64]) {
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-3);
        assert!(near && found.len() == expected.len(), "{found:?} and not {expected:?}");
    }

    #[test]
    fn tokens_come_as_often_as_their_probability() {
        let logits = [0.0, 2.0_f32.ln(), f32::NEG_INFINITY, 5.0_f32.ln()];
        check(&shares(&logits, 1.0, 1.0), &[0.125, 0.25, 0.0, 0.625]);
        check(&shares(&logits, 0.5, 1.0), &[1.0 / 30.0, 4.0 / 30.0, 0.0, 25.0 / 30.0]);
    }

    #[test]
    fn the_unlikely_rest_is_left_out() {
        let logits = [0.0, 2.0_f32.ln(), f32::NEG_INFINITY, 5.0_f32.ln()];
        check(&shares(&logits, 1.0, 0.8), &[0.0, 2.0 / 7.0, 0.0, 5.0 / 7.0]);
        // The most likely token is always among them.
        check(&shares(&logits, 1.0, 0.0), &[0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn temperature_0_takes_the_first_of_the_most_likely() {
        for uniform in [0.0, 0.5, 0.999] {
            assert_eq!(pick_token(&[1.0, 3.0, 3.0], &TextSampling::greedy(), uniform), Some(1));
        }
    }

    #[test]
    fn scores_that_are_not_numbers_are_refused() {
        let sampling = TextSampling::default();
        assert_eq!(pick_token(&[0.0, f32::NAN], &sampling, 0.5), None);
        assert_eq!(pick_token(&[0.0, f32::INFINITY], &sampling, 0.5), None);
        assert_eq!(pick_token(&[f32::NEG_INFINITY; 3], &sampling, 0.5), None);
        assert_eq!(pick_token(&[], &sampling, 0.5), None);
        // Far apart, or very cold: still a choice.
        assert_eq!(pick_token(&[-3e38, 3e38], &sampling, 0.999_999), Some(1));
        let cold = TextSampling { temperature: 1e-300, top_p: 1.0 };
        assert_eq!(pick_token(&[0.0, 1e-30], &cold, 0.999_999), Some(1));
    }
}
