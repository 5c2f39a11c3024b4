//! What README says must be there: its commands, and the files that it links.

use std::path::Path;

use regex::Regex;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

#[test]
fn the_commands_that_checks_rely_on_stand_in_code_blocks() {
    let text = readme();
    let blocks: String = text.split("```").skip(1).step_by(2).collect();
    for command in [
        "cargo test --release",
        "cargo run --release -- generate \"a red apple\" -o apple.png",
        "cargo run --release -- inpaint assets/examples/",
    ] {
        assert!(blocks.lines().any(|line| line.starts_with(command)), "{command}");
    }
}

#[test]
fn linked_files_exist() {
    let link = Regex::new(r"\]\(([^)#]+)").unwrap();
    for found in link.captures_iter(&readme()) {
        let target = &found[1];
        assert!(target.starts_with("https://") || root().join(target).exists(), "{target}");
    }
}

#[test]
fn the_example_mask_has_the_size_of_its_picture() {
    let size =
        |name: &str| image::image_dimensions(root().join("assets/examples").join(name)).unwrap();
    assert_eq!(size("scratched.png"), size("scratched-mask.png"));
}
