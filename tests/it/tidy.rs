//! The rules about the source itself: who imports whom, which crates stay where, no stray paths.
//!
//! The table at the top of `src/lib.rs` is the rule; these tests read it there, so the map and the
//! code can't drift apart. Only code counts: comments and the tests at a file's end are left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Outside crates that only some modules may use. The command line, for one, never sees a tensor:
/// it names a device and the engine opens it.
const CONFINED: &[(&[&str], &[&str])] = &[
    (
        &["candle_core", "candle_nn"],
        &["nn", "diffusion", "models", "weights", "engine", "selftest", "bench"],
    ),
    (&["clap", "indicatif", "ctrlc", "env_logger"], &["cli"]),
    (&["image", "moxcms"], &["storage"]),
    // Pictures in files of ours, and pictures that people have.
    (&["png"], &["storage", "project"]),
    (&["egui"], &["ui", "gpu", "app"]),
    (&["wgpu", "bytemuck"], &["gpu"]),
    // Panels draw themselves with it in their tests.
    (&["egui_wgpu"], &["gpu", "ui"]),
    (&["eframe", "rfd", "arboard", "pollster", "raw_window_handle", "x11rb"], &["app"]),
    // The module of that name in `weights` is our own.
    (&["zip"], &["weights", "project"]),
    (&["quick_xml"], &["project"]),
    (&["rusqlite"], &["library"]),
    (&["tiktoken_rs", "instant_clip_tokenizer"], &["text"]),
];

/// One file of `src`.
struct Source {
    /// Its path below the crate's root.
    path: String,
    /// The top-level module that it belongs to; `lib` and `main` for the two roots.
    module: String,
    text: String,
}

impl Source {
    /// The lines of code with their numbers: no comments, nothing from the unit tests on.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let end = lines
            .windows(2)
            .position(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod tests {"))
            .unwrap_or(lines.len());
        let mut code: Vec<(usize, &str)> = Vec::new();
        for (i, line) in lines.into_iter().take(end).enumerate() {
            if !line.trim_start().starts_with("//") {
                code.push((i + 1, line));
            }
        }
        code.into_iter()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    files_below(&root().join("src"), &mut files);
    let sources: Vec<Source> = files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| {
            let below = file.strip_prefix(root().join("src")).unwrap();
            let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
            Source {
                path: file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"),
                module: first.trim_end_matches(".rs").to_owned(),
                text: std::fs::read_to_string(&file).unwrap(),
            }
        })
        .collect();
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"));
    sources
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            files_below(&entry, files);
        } else {
            files.push(entry);
        }
    }
}

/// The map in `src/lib.rs`: each module with those it may use, from top to bottom.
fn map() -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let link = Regex::new(r"\[`(?:mod@)?([a-z_]+)`\]").unwrap();
    let name = Regex::new(r"`([a-z_]+)`").unwrap();
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("//! | [`")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, modules, _, allowed, _] = cells[..] else { panic!("a row of three cells: {line}") };
        let above: Vec<String> = rows.iter().map(|(module, _)| module.clone()).collect();
        let allowed = match allowed {
            "none" => Vec::new(),
            "all" | "all of the above" => above.clone(),
            list => name.captures_iter(list).map(|found| found[1].to_owned()).collect(),
        };
        for module in &allowed {
            assert!(above.contains(module), "`{module}` is no row above this one: {line}");
        }
        let modules: Vec<String> =
            link.captures_iter(modules).map(|found| found[1].to_owned()).collect();
        assert!(!modules.is_empty(), "{line}");
        rows.extend(modules.into_iter().map(|module| (module, allowed.clone())));
    }
    rows
}

/// The top-level modules that a piece of code names after `crate::`, with their offsets.
fn modules_named(code: &str) -> Vec<(usize, String)> {
    let path = Regex::new(r"\bcrate::(\{|[a-z_]+)").unwrap();
    let word = Regex::new(r"^[a-z_]+").unwrap();
    let mut named = Vec::new();
    for found in path.captures_iter(code) {
        let head = found.get(1).unwrap();
        if head.as_str() != "{" {
            named.push((head.start(), head.as_str().to_owned()));
            continue;
        }
        // The first word of each part between the outer braces.
        let mut depth = 1;
        let mut expected = true;
        for (i, c) in code[head.end()..].char_indices() {
            let at = head.end() + i;
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => expected = true,
                _ if expected && !c.is_whitespace() => {
                    named.extend(word.find(&code[at..]).map(|word| (at, word.as_str().to_owned())));
                    expected = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    named
}

/// Fails with every line that breaks a rule.
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_map_lists_every_module_once() {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let line = Regex::new(r"(?m)^(?:pub )?mod ([a-z_]+);").unwrap();
    let mut modules: Vec<String> =
        line.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    let mut mapped: Vec<String> = map().into_iter().map(|(module, _)| module).collect();
    modules.sort();
    mapped.sort();
    assert_eq!(mapped, modules);
}

#[test]
fn modules_use_only_those_that_the_map_names() {
    let allowed: BTreeMap<String, Vec<String>> = map().into_iter().collect();
    let mut broken = Vec::new();
    for source in sources() {
        let Some(allowed) = allowed.get(&source.module) else { continue };
        // Imports run over several lines, so the code is looked at in one piece.
        let lines: Vec<(usize, &str)> = source.code().collect();
        let code = lines.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        for (offset, module) in modules_named(&code) {
            if module != source.module && !allowed.contains(&module) {
                let (number, line) = lines[code[..offset].matches('\n').count()];
                let (path, own) = (&source.path, &source.module);
                broken.push(format!("{path}:{number}: `{own}` may not use `{module}`: {line}"));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn outside_crates_stay_in_their_modules() {
    let mut broken = Vec::new();
    for (crates, modules) in CONFINED {
        let path = Regex::new(&format!(r"(^|[^\w:])({})::", crates.join("|"))).unwrap();
        for source in sources() {
            if modules.contains(&source.module.as_str()) {
                continue;
            }
            for (number, line) in source.code().filter(|(_, line)| path.is_match(line)) {
                broken.push(format!(
                    "{}:{number}: only {} may use {}: {line}",
                    source.path,
                    modules.join(", "),
                    crates.join(", ")
                ));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn no_file_names_a_path_that_only_one_machine_has() {
    // Put together, so that this file does not name them either.
    let folders = ["work", "tmp", "root", "farm"].join("|");
    let stray = Regex::new(&format!(r#"\.\./{}\b|(^|[\s"'`(=:])/({folders})/"#, "shared")).unwrap();
    let mut files = Vec::new();
    for folder in ["src", "tests/it", "installers", ".ci"] {
        files_below(&root().join(folder), &mut files);
    }
    for file in ["README.md", "CHANGELOG.md", "Cargo.toml", "deny.toml", "clippy.toml"] {
        files.push(root().join(file));
    }
    let mut broken = Vec::new();
    for file in files {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        for (i, line) in text.lines().enumerate().filter(|(_, line)| stray.is_match(line)) {
            broken.push(format!("{}:{}: {line}", file.display(), i + 1));
        }
    }
    assert_none(&broken);
}

#[test]
fn every_shader_is_part_of_the_program() {
    let mut shaders = Vec::new();
    files_below(&root().join("shaders"), &mut shaders);
    let sources = sources();
    let orphans: Vec<String> = shaders
        .iter()
        .map(|shader| shader.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"))
        .filter(|shader| {
            let include = format!("/{shader}\")");
            !sources.iter().any(|source| {
                source.module == "gpu"
                    && source
                        .code()
                        .any(|(_, line)| line.contains("include_str!") && line.contains(&include))
            })
        })
        .collect();
    assert!(!shaders.is_empty());
    assert_none(&orphans);
}

#[test]
fn unsafe_code_stays_in_weights() {
    let word = Regex::new(r"\bunsafe\b").unwrap();
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.module != "weights") {
        for (number, line) in source.code().filter(|(_, line)| word.is_match(line)) {
            broken.push(format!("{}:{number}: {line}", source.path));
        }
    }
    assert_none(&broken);
}

#[test]
fn imports_are_found_in_every_form() {
    fn check(code: &str, expected: &[&str]) {
        let named: Vec<String> = modules_named(code).into_iter().map(|(_, name)| name).collect();
        assert_eq!(named, expected, "{code}");
    }
    check("use crate::geom::Extent;", &["geom"]);
    check("pub(in crate::nn) fn f(x: crate::raster::Mask) {}", &["nn", "raster"]);
    check(
        "use crate::{geom::{Extent, CanvasRect}, nn, raster::mask::Mask as M};",
        &["geom", "nn", "raster"],
    );
    check("use crate::{\n    geom,\n    text,\n};\nuse crate::cli;", &["geom", "text", "cli"]);
    check("use other::geom; mycrate::nn::f()", &[]);
}
