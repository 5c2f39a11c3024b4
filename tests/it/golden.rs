//! The reference vectors in `tests/golden`, recomputed as `gesso selftest` does.

use candle_core::Device;
use std::path::Path;

/// Recomputes one folder of vectors and fails with the lines that are wrong.
fn check(folder: &str, at_least: usize) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder);
    let mut wrong = Vec::new();
    let mut count = 0;
    gesso::selftest::run(&dir, &Device::Cpu, &mut |check| {
        count += 1;
        if !check.ok {
            wrong.push(check.to_string());
        }
    })
    .unwrap();
    assert!(wrong.is_empty(), "{folder}:\n{}", wrong.join("\n"));
    assert!(count >= at_least, "{folder}: only {count} checks ran");
}

#[test]
fn building_blocks_meet_the_reference() {
    check("glide/ops", 33);
}

#[test]
fn schedules_and_single_steps_meet_the_reference() {
    check("glide/diffusion", 419);
}

#[test]
fn the_base_network_and_its_loops_meet_the_reference() {
    check("glide/base", 67);
}

#[test]
fn the_inpainting_network_and_its_loop_meet_the_reference() {
    check("glide/inpaint", 10);
}

#[test]
fn the_upsamplers_and_their_loops_meet_the_reference() {
    check("glide/sr", 8);
    check("glide/sr_inpaint", 9);
}

#[test]
fn the_noised_clip_its_gradient_and_guided_loops_meet_the_reference() {
    check("glide/clip", 29);
}

#[test]
fn tokenizers_pictures_and_checkpoint_files_meet_the_reference() {
    check("glide/tokenizer", 5);
    check("glide/image", 8);
    check("glide/pt", 21);
    check("glide/real_shapes", 6);
}

#[test]
fn networks_with_unusual_switches_meet_the_reference() {
    for case in ["switches", "no_text", "mult_1_2_1", "mult_2_1", "default_mult_64"] {
        check(&format!("glide/formula/{case}"), 1);
    }
}

#[test]
fn transfusion_and_its_autoencoder_meet_the_reference() {
    check("transfusion", 12);
}

#[test]
fn the_public_base_network_at_full_size_meets_the_reference() {
    // 385 million parameters: minutes without optimization.
    if cfg!(debug_assertions) {
        eprintln!("skipped in a debug build; run `cargo test --release`");
        return;
    }
    check("glide/formula/real_base", 3);
}
