//! Which timesteps of the original process a shorter process keeps.
//!
//! Source: openai/glide-text2im, `glide_text2im/respace.py` (`space_timesteps`), commit 69b5307.

use std::collections::BTreeSet;

use crate::diffusion::DiffusionError;

/// Lists the timesteps that `respacing` keeps of a process of `num_timesteps`, in rising order.
///
/// `respacing` is empty (keep all), a number of evenly spaced steps, comma-separated numbers for
/// equal sections of the process, `ddimN` for N steps at a whole stride, or `fast27`. Positions
/// that fall halfway go to the even timestep, as in the reference.
///
/// # Errors
///
/// When `respacing` can't be read, or a section is too short for its number of steps.
pub fn space_timesteps(
    num_timesteps: usize,
    respacing: &str,
) -> Result<Vec<usize>, DiffusionError> {
    let invalid =
        |reason: String| DiffusionError::InvalidRespacing { respacing: respacing.into(), reason };
    if respacing.is_empty() {
        return Ok((0..num_timesteps).collect());
    }
    if let Some(count) = respacing.strip_prefix("ddim") {
        let count = parse_count(count).map_err(invalid)?;
        return whole_stride(num_timesteps, count).ok_or_else(|| {
            invalid(format!(
                "no whole stride takes exactly {count} of {num_timesteps} timesteps; use {count} \
                 without ddim"
            ))
        });
    }
    if respacing == "fast27" {
        let mut kept = sections(num_timesteps, &[10, 10, 3, 2, 2]).map_err(invalid)?;
        // The very noisiest timesteps give DDIM artifacts, so the reference starts a little later.
        kept.remove(&(num_timesteps - 1));
        kept.insert(num_timesteps - 3);
        return Ok(kept.into_iter().collect());
    }
    let counts: Vec<i64> =
        respacing.split(',').map(parse_count).collect::<Result<_, _>>().map_err(invalid)?;
    Ok(sections(num_timesteps, &counts).map_err(invalid)?.into_iter().collect())
}

fn parse_count(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_error| {
        format!(
            "{text:?} is not a whole number; use 100, 10,10,3,2,2, ddim50 or fast27 as examples"
        )
    })
}

fn whole_stride(num_timesteps: usize, count: i64) -> Option<Vec<usize>> {
    let stride =
        (1..num_timesteps).find(|&stride| num_timesteps.div_ceil(stride) as i64 == count)?;
    Some((0..num_timesteps).step_by(stride).collect())
}

/// Cuts the process into equal sections and spaces `counts[i]` steps evenly over section i.
fn sections(num_timesteps: usize, counts: &[i64]) -> Result<BTreeSet<usize>, String> {
    let size_per = num_timesteps / counts.len();
    let extra = num_timesteps % counts.len();
    let mut kept = BTreeSet::new();
    let mut start = 0;
    for (section, &count) in counts.iter().enumerate() {
        let size = size_per + usize::from(section < extra);
        if count > size as i64 {
            return Err(format!("a section of {size} timesteps can't hold {count} steps"));
        }
        let stride = if count <= 1 { 1.0 } else { (size as f64 - 1.0) / (count as f64 - 1.0) };
        // The reference adds the stride up; multiplying would round some positions differently.
        let mut position = 0.0_f64;
        for _ in 0..count {
            kept.insert(start + position.round_ties_even() as usize);
            position += stride;
        }
        start += size;
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use crate::diffusion::golden;
    use crate::diffusion::respace::space_timesteps;

    #[test]
    fn respacing_keeps_the_timesteps_of_the_reference() {
        let golden = golden::json("respacing.json");
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() > 50);
        for case in cases {
            let num_timesteps = case["num_timesteps"].as_u64().unwrap() as usize;
            let respacing = case["respacing"].as_str().unwrap();
            let found = space_timesteps(num_timesteps, respacing);
            if case.get("error").is_some() {
                let message = found.unwrap_err().to_string();
                assert!(message.starts_with("invalid respacing, "), "{message}");
                continue;
            }
            let expected: Vec<usize> = case["timesteps"]
                .as_array()
                .unwrap()
                .iter()
                .map(|timestep| timestep.as_u64().unwrap() as usize)
                .collect();
            assert_eq!(found.unwrap(), expected, "{respacing:?} of {num_timesteps}");
        }
    }

    #[test]
    fn odd_input_is_refused_and_not_a_panic() {
        for (num_timesteps, respacing) in
            [(1000, ","), (1000, "9999999999999999999999"), (2, "fast27"), (0, "5"), (0, "ddim5")]
        {
            assert!(space_timesteps(num_timesteps, respacing).is_err(), "{respacing}");
        }
        assert_eq!(space_timesteps(0, "").unwrap(), Vec::<usize>::new());
    }
}
