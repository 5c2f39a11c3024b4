//! The list of crates that the About page shows, against the crates that are used.

use std::collections::BTreeSet;

const LIST: &str = include_str!("../../assets/licenses/THIRD-PARTY.md");
const MANIFEST: &str = include_str!("../../Cargo.toml");
const LOCK: &str = include_str!("../../Cargo.lock");

/// The crates under the heading, whatever their license.
fn listed() -> BTreeSet<&'static str> {
    let (_, crates) = LIST.split_once("\n## Crates\n").unwrap();
    let (_, crates) = crates.split_once("\n### ").unwrap();
    let lines = crates.lines().skip(1).filter(|line| !line.starts_with('#'));
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_dependency_is_listed_with_its_license() {
    let (_, dependencies) = MANIFEST.split_once("\n[dependencies]\n").unwrap();
    let (dependencies, _) = dependencies.split_once("\n[").unwrap();
    let names: Vec<&str> = dependencies
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
        .collect();
    assert!(names.contains(&"egui") && names.len() > 20, "{names:?}");
    let listed = listed();
    let missing: Vec<&&str> =
        names.iter().filter(|name| !name.starts_with('#') && !listed.contains(*name)).collect();
    assert!(missing.is_empty(), "not in assets/licenses/THIRD-PARTY.md: {missing:?}");
}

#[test]
fn only_crates_of_the_lock_file_are_listed() {
    let locked: BTreeSet<&str> =
        LOCK.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    let gone: Vec<&str> = listed().difference(&locked).copied().collect();
    assert!(gone.is_empty(), "no longer used: {gone:?}");
}
