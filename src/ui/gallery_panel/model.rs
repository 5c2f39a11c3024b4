//! Pictures as the gallery shows them.

use crate::editor::GalleryItem;
use crate::locale::trf;

/// How many columns of at least `least` points fit, with gaps between, and how wide each becomes.
#[must_use]
pub(crate) fn columns(width: f32, least: f32, gap: f32) -> (usize, f32) {
    let count = (((width + gap) / (least + gap)).floor() as usize).max(1);
    let side = ((width - gap * (count - 1) as f32) / count as f32).floor().max(1.0);
    (count, side)
}

/// Settings of a picture in one line: model, steps, sampler, guidance.
#[must_use]
pub(crate) fn settings_line(item: &GalleryItem) -> String {
    let mut parts = vec![item.record.common().model.clone()];
    if let Some(base) = item.record.base() {
        let (steps, sampler) = (base.steps, base.sampler);
        parts.push(trf("{steps} steps", &[("steps", &steps)]));
        parts.push(crate::ui::prompt_panel::sampler_label(sampler).to_owned());
        parts.push(trf("guidance {scale}", &[("scale", &base.guidance)]));
    }
    parts.join(" · ")
}

/// Size, seed and seconds of a picture in one line.
#[must_use]
pub(crate) fn facts_line(item: &GalleryItem) -> String {
    let extent = item.extent;
    let seconds = format!("{:.1}", item.seconds);
    trf(
        "{width} × {height} · seed {seed} · {seconds} s",
        &[
            ("width", &extent.width),
            ("height", &extent.height),
            ("seed", &item.record.common().seed),
            ("seconds", &seconds),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;

    #[test]
    fn columns_fill_the_width() {
        let check = |width: f32, expected: (usize, f32)| {
            assert_eq!(columns(width, 80.0, 8.0), expected);
        };
        check(300.0, (3, 94.0));
        check(80.0, (1, 80.0));
        check(20.0, (1, 20.0));
        check(168.0, (2, 80.0));
    }

    #[test]
    fn settings_and_facts_are_told_in_a_line() {
        let mut editor = sample::editor();
        sample::add_pictures(&mut editor, 1);
        let item = &editor.gallery.items[0];
        assert_eq!(settings_line(item), "starter · 27 steps · DPM-Solver++ · guidance 3");
        assert_eq!(facts_line(item), "64 × 64 · seed 101 · 3.5 s");
    }
}
