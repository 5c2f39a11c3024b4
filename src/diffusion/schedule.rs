//! Noise schedules and every coefficient that follows from them.
//!
//! All tables are f64 and made with `libm` in a fixed order, so they are the same bits on every
//! machine. Nothing here touches a tensor.
//!
//! Source: openai/glide-text2im, `glide_text2im/gaussian_diffusion.py` (`get_named_beta_schedule`,
//! `GaussianDiffusion.__init__`) and `respace.py` (`SpacedDiffusion`), commit 69b5307.

use std::f64::consts::PI;

use crate::diffusion::{DiffusionError, space_timesteps};

/// The largest beta of the cosine schedule; more would be singular.
const MAX_BETA: f64 = 0.999;

/// How noise grows over the original process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoiseSchedule {
    /// `squaredcos_cap_v2`, the cosine schedule of arXiv 2102.09672; GLIDE's base model.
    SquaredCosCapV2,
    /// Linear betas of arXiv 2006.11239, scaled to any length; GLIDE's upsampler.
    Linear,
}

impl NoiseSchedule {
    /// The name in configs: `squaredcos_cap_v2` or `linear`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SquaredCosCapV2 => "squaredcos_cap_v2",
            Self::Linear => "linear",
        }
    }

    fn betas(self, num_timesteps: usize) -> Vec<f64> {
        let count = num_timesteps as f64;
        match self {
            Self::SquaredCosCapV2 => {
                let alpha_bar = |time: f64| {
                    let cosine = libm::cos((time + 0.008) / 1.008 * PI / 2.0);
                    cosine * cosine
                };
                (0..num_timesteps)
                    .map(|i| {
                        let ratio = alpha_bar((i + 1) as f64 / count) / alpha_bar(i as f64 / count);
                        (1.0 - ratio).min(MAX_BETA)
                    })
                    .collect()
            }
            Self::Linear => {
                let (start, end) = (1000.0 / count * 0.0001, 1000.0 / count * 0.02);
                let stride = (end - start) / (count - 1.0).max(1.0);
                let mut betas: Vec<f64> =
                    (0..num_timesteps).map(|i| i as f64 * stride + start).collect();
                // NumPy's linspace puts the end there exactly.
                if let (Some(last), true) = (betas.last_mut(), num_timesteps > 1) {
                    *last = end;
                }
                betas
            }
        }
    }
}

impl std::str::FromStr for NoiseSchedule {
    type Err = DiffusionError;

    fn from_str(name: &str) -> Result<Self, DiffusionError> {
        match name {
            "squaredcos_cap_v2" => Ok(Self::SquaredCosCapV2),
            "linear" => Ok(Self::Linear),
            _ => Err(DiffusionError::UnknownNoiseSchedule { name: name.to_owned() }),
        }
    }
}

/// The coefficients of a process, one entry a step, least noise first.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the reference's own and say their formulas")]
pub struct Tables {
    pub betas: Vec<f64>,
    pub alphas_cumprod: Vec<f64>,
    pub alphas_cumprod_prev: Vec<f64>,
    pub alphas_cumprod_next: Vec<f64>,
    pub sqrt_alphas_cumprod: Vec<f64>,
    pub sqrt_one_minus_alphas_cumprod: Vec<f64>,
    pub log_one_minus_alphas_cumprod: Vec<f64>,
    pub sqrt_recip_alphas_cumprod: Vec<f64>,
    pub sqrt_recipm1_alphas_cumprod: Vec<f64>,
    pub posterior_variance: Vec<f64>,
    pub posterior_log_variance_clipped: Vec<f64>,
    pub posterior_mean_coef1: Vec<f64>,
    pub posterior_mean_coef2: Vec<f64>,
}

impl Tables {
    fn new(betas: Vec<f64>) -> Self {
        let alphas_cumprod = cumulative_product(&betas);
        let alphas_cumprod_prev = shifted(&[1.0], &alphas_cumprod[..betas.len() - 1]);
        let one_minus = |i: usize| 1.0 - alphas_cumprod[i];
        let each = |f: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..betas.len()).map(f).collect() };
        let posterior_variance =
            each(&|i| betas[i] * (1.0 - alphas_cumprod_prev[i]) / one_minus(i));
        Self {
            alphas_cumprod_next: shifted(&alphas_cumprod[1..], &[0.0]),
            sqrt_alphas_cumprod: each(&|i| alphas_cumprod[i].sqrt()),
            sqrt_one_minus_alphas_cumprod: each(&|i| (1.0 - alphas_cumprod[i]).sqrt()),
            log_one_minus_alphas_cumprod: each(&|i| libm::log(1.0 - alphas_cumprod[i])),
            sqrt_recip_alphas_cumprod: each(&|i| (1.0 / alphas_cumprod[i]).sqrt()),
            sqrt_recipm1_alphas_cumprod: each(&|i| (1.0 / alphas_cumprod[i] - 1.0).sqrt()),
            // The posterior variance of step 0 is 0, so step 1 lends it a logarithm.
            posterior_log_variance_clipped: each(&|i| libm::log(posterior_variance[i.max(1)])),
            posterior_mean_coef1: each(&|i| {
                betas[i] * alphas_cumprod_prev[i].sqrt() / one_minus(i)
            }),
            posterior_mean_coef2: each(&|i| {
                (1.0 - alphas_cumprod_prev[i]) * (1.0 - betas[i]).sqrt() / one_minus(i)
            }),
            posterior_variance,
            alphas_cumprod_prev,
            alphas_cumprod,
            betas,
        }
    }

    /// Every table under its name.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &[f64]); 13] {
        [
            ("betas", &self.betas),
            ("alphas_cumprod", &self.alphas_cumprod),
            ("alphas_cumprod_prev", &self.alphas_cumprod_prev),
            ("alphas_cumprod_next", &self.alphas_cumprod_next),
            ("sqrt_alphas_cumprod", &self.sqrt_alphas_cumprod),
            ("sqrt_one_minus_alphas_cumprod", &self.sqrt_one_minus_alphas_cumprod),
            ("log_one_minus_alphas_cumprod", &self.log_one_minus_alphas_cumprod),
            ("sqrt_recip_alphas_cumprod", &self.sqrt_recip_alphas_cumprod),
            ("sqrt_recipm1_alphas_cumprod", &self.sqrt_recipm1_alphas_cumprod),
            ("posterior_variance", &self.posterior_variance),
            ("posterior_log_variance_clipped", &self.posterior_log_variance_clipped),
            ("posterior_mean_coef1", &self.posterior_mean_coef1),
            ("posterior_mean_coef2", &self.posterior_mean_coef2),
        ]
    }
}

fn cumulative_product(betas: &[f64]) -> Vec<f64> {
    betas
        .iter()
        .scan(1.0, |product, beta| {
            *product *= 1.0 - beta;
            Some(*product)
        })
        .collect()
}

fn shifted(first: &[f64], then: &[f64]) -> Vec<f64> {
    [first, then].concat()
}

/// A sampling process: the timesteps that it keeps and its coefficients.
///
/// It has at least two steps, its timesteps rise, and every table has one entry a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    timestep_map: Vec<usize>,
    original_steps: usize,
    tables: Tables,
}

impl Schedule {
    /// The process that `respacing` makes of one of `num_timesteps`; see [`space_timesteps`].
    ///
    /// # Errors
    ///
    /// When the respacing is invalid, keeps fewer than two steps, or the betas leave their range.
    pub fn new(
        noise_schedule: NoiseSchedule,
        num_timesteps: usize,
        respacing: &str,
    ) -> Result<Self, DiffusionError> {
        let timesteps = space_timesteps(num_timesteps, respacing)?;
        Self::from_timesteps(noise_schedule, num_timesteps, timesteps)
    }

    /// The process that keeps just these timesteps, given in rising order.
    ///
    /// # Errors
    ///
    /// When there are fewer than two timesteps, they do not rise or lie outside the process, or
    /// the betas leave their range.
    pub fn from_timesteps(
        noise_schedule: NoiseSchedule,
        num_timesteps: usize,
        timesteps: Vec<usize>,
    ) -> Result<Self, DiffusionError> {
        if timesteps.len() < 2 {
            return Err(DiffusionError::TooFewSteps { steps: timesteps.len() });
        }
        for (i, &timestep) in timesteps.iter().enumerate() {
            if timestep >= num_timesteps || (i > 0 && timestep <= timesteps[i - 1]) {
                return Err(DiffusionError::InvalidTimestep { timestep, num_timesteps });
            }
        }
        let original_betas = noise_schedule.betas(num_timesteps);
        // A beta of 1 would leave nothing of the picture, and divisions by zero.
        if !original_betas.iter().all(|&beta| beta > 0.0 && beta < 1.0) {
            return Err(DiffusionError::InvalidProcess {
                name: noise_schedule.name(),
                num_timesteps,
            });
        }
        let original = cumulative_product(&original_betas);
        let mut last = 1.0;
        let betas = timesteps
            .iter()
            .map(|&timestep| {
                let beta = 1.0 - original[timestep] / last;
                last = original[timestep];
                beta
            })
            .collect();
        Ok(Self {
            timestep_map: timesteps,
            original_steps: num_timesteps,
            tables: Tables::new(betas),
        })
    }

    /// The number of steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.timestep_map.len()
    }

    /// The length of the process that the network was trained with.
    #[must_use]
    pub fn original_steps(&self) -> usize {
        self.original_steps
    }

    /// The original timestep of each step, in rising order.
    #[must_use]
    pub fn timestep_map(&self) -> &[usize] {
        &self.timestep_map
    }

    /// The original timestep of one step, as networks take it.
    ///
    /// # Errors
    ///
    /// When the schedule has no such step.
    pub fn timestep(&self, step: usize) -> Result<f64, DiffusionError> {
        match self.timestep_map.get(step) {
            Some(&timestep) => Ok(timestep as f64),
            None => Err(DiffusionError::StepOutOfRange { step, steps: self.steps() }),
        }
    }

    /// The coefficients.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.tables
    }
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use crate::diffusion::golden;
    use crate::diffusion::{DiffusionError, NoiseSchedule, Schedule};

    fn check(expected: &[f64], found: &[f64], abs: f64, rel: f64, what: &str) {
        assert_eq!(expected.len(), found.len(), "{what}");
        for (i, (e, f)) in expected.iter().zip(found).enumerate() {
            assert!((e - f).abs() <= abs + rel * e.abs(), "{what}[{i}]: {e:e} expected, {f:e}");
        }
    }

    #[test]
    fn every_table_agrees_with_the_reference() {
        let golden = golden::json("case.json");
        let tensors = golden::tensors("schedules.safetensors");
        let spec = &golden["schedules"];
        let abs = spec["tolerance"]["abs"].as_f64().unwrap();
        let rel = spec["tolerance"]["rel"].as_f64().unwrap();
        let mut compared = 0;
        for case in spec["cases"].as_array().unwrap() {
            let key = case["key"].as_str().unwrap();
            let schedule = Schedule::new(
                case["noise_schedule"].as_str().unwrap().parse().unwrap(),
                case["diffusion_steps"].as_u64().unwrap() as usize,
                case["timestep_respacing"].as_str().unwrap(),
            )
            .unwrap();
            assert_eq!(schedule.steps(), case["steps"].as_u64().unwrap() as usize);
            for (name, found) in schedule.tables().named() {
                let what = format!("{key}.{name}");
                assert_eq!(tensors[&what].dtype(), DType::F64);
                check(&tensors[&what].to_vec1::<f64>().unwrap(), found, abs, rel, &what);
                compared += 1;
            }
            let map: Vec<i64> = schedule.timestep_map().iter().map(|&t| t as i64).collect();
            assert_eq!(tensors[&format!("{key}.timestep_map")].to_vec1::<i64>().unwrap(), map);
            compared += 1;
        }
        assert_eq!(compared, tensors.len());
    }

    #[test]
    fn unusable_processes_are_refused() {
        use NoiseSchedule::{Linear, SquaredCosCapV2};
        let error =
            |name, steps, respacing: &str| Schedule::new(name, steps, respacing).unwrap_err();
        assert!(matches!(error(Linear, 1000, "0"), DiffusionError::TooFewSteps { steps: 0 }));
        assert!(matches!(error(Linear, 1000, "1"), DiffusionError::TooFewSteps { steps: 1 }));
        assert!(matches!(error(Linear, 20, ""), DiffusionError::InvalidProcess { .. }));
        assert!(matches!(error(SquaredCosCapV2, 0, ""), DiffusionError::TooFewSteps { .. }));
        for timesteps in [vec![5, 5], vec![7, 3], vec![0, 1000]] {
            let error = Schedule::from_timesteps(Linear, 1000, timesteps).unwrap_err();
            assert!(matches!(error, DiffusionError::InvalidTimestep { .. }));
        }
        let error = "cosine".parse::<NoiseSchedule>().unwrap_err().to_string();
        assert!(error.ends_with("\"cosine\""), "{error}");
    }

    #[test]
    fn a_schedule_of_listed_timesteps_equals_the_respaced_one() {
        let respaced = Schedule::new(NoiseSchedule::SquaredCosCapV2, 1000, "3").unwrap();
        let listed =
            Schedule::from_timesteps(NoiseSchedule::SquaredCosCapV2, 1000, vec![0, 500, 999]);
        assert_eq!(listed.unwrap(), respaced);
        assert!((respaced.timestep(1).unwrap() - 500.0).abs() < f64::EPSILON);
        assert!(respaced.timestep(3).is_err());
    }

    /// Bits, not tolerances: the tables may not depend on the machine's math library. The values
    /// are this code's own, kept to notice a change.
    #[test]
    fn tables_are_the_same_bits_everywhere() {
        let schedule = Schedule::new(NoiseSchedule::SquaredCosCapV2, 1000, "100").unwrap();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for (_, table) in schedule.tables().named() {
            for value in table {
                hash = (hash ^ value.to_bits()).wrapping_mul(0x0100_0000_01b3);
            }
        }
        assert_eq!(hash, TABLES_HASH);
    }

    const TABLES_HASH: u64 = 0x5efe_790f_a682_20fb;
}
