//! Exact Euclidean distances to the nearest pixel of a kind, in time linear in the pixels.
//!
//! Works on bands of rows, so that a large mask needs little memory beside itself and the bands
//! can go to several cores.

use std::ops::Range;

use crate::raster::Mask;

/// The squared distance of every pixel in `rows` to the nearest pixel that `is_goal`.
///
/// Distances above `cap_px` come out as `(cap_px + 1)²`. Two sweeps find the distance within each
/// column, then a lower envelope of parabolas joins the columns of a row.
///
/// Source: Meijster, Roerdink, Hesselink, "A general algorithm for computing distance transforms
/// in linear time" (2000).
pub(crate) fn squared_distances(
    mask: &Mask,
    is_goal: impl Fn(u8) -> bool,
    rows: Range<usize>,
    cap_px: u32,
) -> Vec<u32> {
    let width = mask.extent().width as usize;
    let height = mask.extent().height as usize;
    let beyond = cap_px.saturating_add(1);
    let halo = cap_px as usize;
    let mut distances = vec![beyond; width * rows.len()];
    let mut nearest = vec![beyond; width];
    let mut visit = |y: usize, nearest: &mut [u32]| {
        for (nearest, &cover) in nearest.iter_mut().zip(mask.line(y)) {
            *nearest = if is_goal(cover) { 0 } else { (*nearest + 1).min(beyond) };
        }
        if rows.contains(&y) {
            let start = (y - rows.start) * width;
            let line = distances.get_mut(start..start + width).unwrap_or_default();
            for (distance, &nearest) in line.iter_mut().zip(&*nearest) {
                *distance = nearest.min(*distance);
            }
        }
    };
    let first = rows.start.saturating_sub(halo);
    let last = rows.end.saturating_add(halo).min(height);
    for y in first..rows.end {
        visit(y, &mut nearest);
    }
    nearest.fill(beyond);
    for y in (rows.start..last).rev() {
        visit(y, &mut nearest);
    }
    let mut hull = Vec::with_capacity(width);
    let mut in_columns = vec![0; width];
    for line in distances.chunks_exact_mut(width.max(1)) {
        in_columns.copy_from_slice(line);
        join_columns(&in_columns, line, beyond, &mut hull);
    }
    distances
}

/// Turns distances within columns into squared distances within the plane, for one row.
fn join_columns(columns: &[u32], line: &mut [u32], beyond: u32, hull: &mut Vec<(i64, i64)>) {
    let far = beyond.saturating_mul(beyond);
    let height = |x: i64| columns.get(x as usize).map_or(0, |&d| i64::from(d) * i64::from(d));
    // The first place where the parabola of `right` lies below that of `left`.
    let crossing = |left: i64, right: i64| {
        (right * right - left * left + height(right) - height(left)).div_euclid(2 * (right - left))
            + 1
    };
    hull.clear();
    for x in 0..columns.len() as i64 {
        if columns.get(x as usize).is_none_or(|&distance| distance >= beyond) {
            continue;
        }
        let mut from = 0;
        while let Some(&(top, start)) = hull.last() {
            from = crossing(top, x);
            if from > start {
                break;
            }
            hull.pop();
            from = 0;
        }
        hull.push((x, from));
    }
    let Some(&(first, _)) = hull.first() else {
        line.fill(far);
        return;
    };
    let mut center = first;
    let mut next = 1;
    for (x, distance) in (0_i64..).zip(line.iter_mut()) {
        while let Some(&(candidate, _)) = hull.get(next).filter(|&&(_, start)| start <= x) {
            center = candidate;
            next += 1;
        }
        let squared = (x - center) * (x - center) + height(center);
        *distance = squared.min(i64::from(far)) as u32;
    }
}

/// Replaces every value by the greatest within `radius` columns and rows.
///
/// Windows grow by doubling, so that the work is `log2(radius)` plain passes.
pub(crate) fn window_maximum(values: &mut [u32], width: usize, radius: usize) {
    let width = width.max(1);
    let length = 2 * radius + 1;
    let mut line_with_halo = vec![0; width + 2 * radius];
    for line in values.chunks_exact_mut(width) {
        line_with_halo.fill(0);
        if let Some(middle) = line_with_halo.get_mut(radius..radius + width) {
            middle.copy_from_slice(line);
        }
        for step in doubling_steps(length) {
            raise_by_later(&mut line_with_halo, step);
        }
        line.iter_mut().zip(&line_with_halo).for_each(|(value, &maximum)| *value = maximum);
    }
    let halo = radius * width;
    let mut with_halo = vec![0; values.len() + 2 * halo];
    if let Some(middle) = with_halo.get_mut(halo..halo + values.len()) {
        middle.copy_from_slice(values);
    }
    for step in doubling_steps(length) {
        raise_by_later(&mut with_halo, step * width);
    }
    values.iter_mut().zip(&with_halo).for_each(|(value, &maximum)| *value = maximum);
}

/// Steps after which each value is the maximum of itself and the `length - 1` values behind it.
fn doubling_steps(length: usize) -> Vec<usize> {
    let mut steps = Vec::new();
    let mut reached = 1;
    while reached < length {
        let step = reached.min(length - reached);
        steps.push(step);
        reached += step;
    }
    steps
}

/// `values[i] = max(values[i], values[i + step])`, going up, so that later values are unchanged.
fn raise_by_later(values: &mut [u32], step: usize) {
    // Blocks of `step` values let the loop run over two slices without an index.
    let mut rest = values;
    while rest.len() > step {
        let (block, later) = rest.split_at_mut(step);
        for (value, &other) in block.iter_mut().zip(&*later) {
            *value = other.max(*value);
        }
        rest = later;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Extent;
    use crate::raster::mask::tests::{Seeded, random_mask};

    #[test]
    fn distances_equal_those_found_by_trying_every_pixel() {
        let mut seeded = Seeded(1);
        for _ in 0..30 {
            let extent = Extent::new(1 + seeded.below(23), 1 + seeded.below(23));
            let mask = random_mask(&mut seeded, extent);
            let cap_px = seeded.below(12);
            let start = seeded.below(extent.height) as usize;
            let rows = start..extent.height as usize;
            let found = squared_distances(&mask, |cover| cover > 0, rows.clone(), cap_px);
            let far = (cap_px + 1) * (cap_px + 1);
            for (y, line) in rows.zip(found.chunks_exact(extent.width as usize)) {
                for (x, &distance) in line.iter().enumerate() {
                    let mut expected = far;
                    for v in 0..extent.height {
                        for u in 0..extent.width {
                            // Two goals may each lie in a column farther than the cap.
                            if mask.pixel(u, v) > 0 && v.abs_diff(y as u32) <= cap_px {
                                let (dx, dy) = (u.abs_diff(x as u32), v.abs_diff(y as u32));
                                expected = expected.min(dx * dx + dy * dy);
                            }
                        }
                    }
                    assert_eq!(distance, expected, "{extent} {x} {y} cap {cap_px}");
                }
            }
        }
    }

    #[test]
    fn window_maxima_equal_those_found_by_trying_every_pixel() {
        let mut seeded = Seeded(2);
        for radius in 0..7 {
            let (width, height) = (1 + seeded.below(17) as usize, 1 + seeded.below(17) as usize);
            let values: Vec<u32> = (0..width * height).map(|_| seeded.below(1000)).collect();
            let mut maxima = values.clone();
            window_maximum(&mut maxima, width, radius);
            for y in 0..height {
                for x in 0..width {
                    let near = |a: usize, b: usize| a.abs_diff(b) <= radius;
                    let expected = values
                        .iter()
                        .enumerate()
                        .filter(|(i, _)| near(i % width, x) && near(i / width, y))
                        .map(|(_, &value)| value)
                        .max();
                    assert_eq!(Some(maxima[y * width + x]), expected);
                }
            }
        }
    }
}
