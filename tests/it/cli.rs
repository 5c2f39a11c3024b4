//! The program as its users run it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gesso::engine::library::TinyFamily;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a tiny model in it, in which the program runs.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with_model() -> Self {
        let place = Self::new();
        TinyFamily::new("tiny").write(&place.models()).unwrap();
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn models(&self) -> PathBuf {
        self.path().join("models")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gesso"));
        command.args(arguments).current_dir(self.path());
        command.env("GESSO_MODELS", self.models()).env_remove("GESSO_LOG");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs with `--json` on the tiny model and gives the object.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", errors(&output));
        serde_json::from_slice(&output.stdout).expect("exactly one JSON object")
    }

    /// Runs what must fail as the input is bad, and gives the message.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", errors(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
        errors(&output)
    }

    fn picture(&self, name: &str, width: u32, height: u32, color: [u8; 4]) -> PathBuf {
        let path = self.file(name);
        image::RgbaImage::from_pixel(width, height, image::Rgba(color)).save(&path).unwrap();
        path
    }

    /// A mask that is white in a rect of the picture.
    fn mask(&self, name: &str, size: (u32, u32), rect: (u32, u32, u32, u32)) -> PathBuf {
        let path = self.file(name);
        let (x, y, width, height) = rect;
        let inside =
            |px: u32, py: u32| (x..x + width).contains(&px) && (y..y + height).contains(&py);
        image::GrayImage::from_fn(size.0, size.1, |px, py| {
            image::Luma([if inside(px, py) { 255 } else { 0 }])
        })
        .save(&path)
        .unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn bad_options_are_refused_before_a_model_is_loaded_and_leave_nothing() {
    let place = Place::with_model();
    place.picture("folder.png.png", 4, 4, [0; 4]);
    for (options, part) in [
        (&["--steps", "0"][..], "--steps must be from 2"),
        (&["--steps", "1001"], "--steps must be from 2"),
        (&["--steps", "-3"], "a whole number is needed"),
        (&["--steps", "many"], "a whole number is needed"),
        (&["--guidance", "nan"], "--guidance must be"),
        (&["--guidance", "inf"], "--guidance must be"),
        (&["--eta", "1.5"], "--eta must be"),
        (&["--size", "100"], "16 or 32"),
        (&["--count", "0"], "--count must be from 1"),
        (&["--count", "10000"], "--count must be from 1"),
        (&["--seed", "18446744073709551616"], "from 0 to 18446744073709551615"),
        (&["--seed", "-1"], "--seed"),
        (&["--sampler", "euler"], "ddpm, ddim and dpm++"),
        (&["--device", "abacus"], "auto, cpu, cuda and metal"),
        (&["--precision", "fp8"], "auto, fp32, fp16 and bf16"),
        (&["--upsample-steps", "soon"], "soon"),
        (&["--model", "nothing"], "tiny"),
        (&["--model", "../tiny"], "../tiny"),
        (&["--clip-guidance", "2"], "clip"),
        (&["-o", "none/a.png"], "does not exist"),
        (&["-o", "models"], "folder"),
        (&["-o", "a.jpg"], ".png"),
        (&["--from", "none.png"], "none.png"),
        (&["--from", "folder.png.png"], "no request"),
    ] {
        let model: &[&str] = if options.contains(&"--model") { &[] } else { &["--model", "tiny"] };
        let message = place.refused(&[&["generate", "a cat"], model, options].concat());
        assert!(message.contains(part), "{options:?}: {message}");
        assert!(!message.contains("panicked"), "{message}");
    }
    assert_eq!(place.names(), ["folder.png.png", "models"]);
}

#[test]
fn the_same_seed_gives_the_same_file_and_another_seed_another() {
    let place = Place::with_model();
    let draw = |seed: &str, file: &str| {
        place.json(&["generate", "a red apple", "--model", "tiny", "--seed", seed, "-o", file])
    };
    let report = draw("5", "a.png");
    draw("5", "b.png");
    draw("6", "c.png");
    assert_eq!(bytes(&place.file("a.png")), bytes(&place.file("b.png")));
    assert_ne!(bytes(&place.file("a.png")), bytes(&place.file("c.png")));
    assert_eq!(report["seed"], 5);
    assert_eq!(report["model"], "tiny");
    assert_eq!(report["device"], "cpu");
    assert_eq!(report["files"], serde_json::json!(["a.png"]));
    for stage in ["load", "text", "base", "upsample", "save", "total"] {
        assert!(report["seconds"][stage].is_number(), "{stage}: {report}");
    }
    let picture = image::open(place.file("a.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (32, 32));
}

#[test]
fn a_picture_repeats_itself_and_options_override_it() {
    let place = Place::with_model();
    let first = [
        "generate",
        "a red apple",
        "--model",
        "tiny",
        "--seed",
        "5",
        "--steps",
        "3",
        "--sampler",
        "ddim",
        "--eta",
        "0.5",
        "--guidance",
        "2.5",
        "-o",
        "a.png",
    ];
    place.json(&first);
    place.json(&["generate", "--from", "a.png", "-o", "b.png"]);
    assert_eq!(bytes(&place.file("a.png")), bytes(&place.file("b.png")));
    let report =
        place.json(&["generate", "a pear", "--from", "a.png", "--seed", "6", "-o", "c.png"]);
    assert_eq!((&report["seed"], &report["steps"]), (&6.into(), &3.into()));
    assert_eq!(report["prompt"], "a pear");
    assert_ne!(bytes(&place.file("a.png")), bytes(&place.file("c.png")));
}

#[test]
fn several_pictures_are_numbered_and_equal_single_ones() {
    let place = Place::with_model();
    let common = ["generate", "a red apple", "--model", "tiny", "--size", "16"];
    let all = [&common[..], &["--seed", "5", "--count", "3", "-o", "a.png"]].concat();
    let report = place.json(&all);
    assert_eq!(report["files"], serde_json::json!(["a-1.png", "a-2.png", "a-3.png"]));
    assert_eq!(report["seeds"], serde_json::json!([5, 6, 7]));
    place.json(&[&common[..], &["--seed", "6", "-o", "b.png"]].concat());
    assert_eq!(bytes(&place.file("a-2.png")), bytes(&place.file("b.png")));
}

#[test]
fn without_an_output_the_name_comes_from_the_prompt_and_is_never_taken_twice() {
    let place = Place::with_model();
    for _ in 0..2 {
        let output = place.run(&[
            "generate",
            "A red apple!",
            "--model",
            "tiny",
            "--size",
            "16",
            "--seed",
            "5",
        ]);
        assert!(output.status.success(), "{}", errors(&output));
    }
    assert_eq!(place.names(), ["a-red-apple-5.png", "a-red-apple-5_2.png", "models"]);
}

#[test]
fn inpainting_leaves_everything_outside_the_mask_as_it_is() {
    let place = Place::with_model();
    place.picture("in.png", 75, 43, [10, 200, 30, 120]);
    place.mask("mask.png", (75, 43), (20, 10, 17, 21));
    let report = place.json(&[
        "inpaint",
        "in.png",
        "--mask",
        "mask.png",
        "a red apple",
        "--model",
        "tiny",
        "--seed",
        "1",
        "-o",
        "out.png",
    ]);
    assert_eq!(report["outside_mask_delta"], 0);
    let before = image::open(place.file("in.png")).unwrap().into_rgba8();
    let after = image::open(place.file("out.png")).unwrap().into_rgba8();
    let mut changed = 0;
    for (x, y, pixel) in after.enumerate_pixels() {
        let inside = (20..37).contains(&x) && (10..31).contains(&y);
        assert!(inside || pixel == before.get_pixel(x, y), "{x} {y}");
        changed += usize::from(pixel != before.get_pixel(x, y));
    }
    assert!(changed > 0);
}

/// A folder with a tiny model that can be talked to.
fn talking_place() -> Place {
    let place = Place::new();
    TinyFamily::talking("tiny").write(&place.models()).unwrap();
    place
}

#[test]
fn an_edit_by_words_leaves_every_byte_outside_its_region_and_outside_a_mask() {
    let place = talking_place();
    place.picture("in.png", 75, 43, [10, 200, 30, 120]);
    place.mask("mask.png", (75, 43), (20, 10, 17, 21));
    let edit = |more: &[&str]| {
        let common = ["edit", "in.png", "make it red", "--answer", "picture", "--steps", "3"];
        place.json(&[&common[..], &["--seed", "1"], more].concat())
    };
    let free = edit(&["--region", "region.png", "-o", "free.png"]);
    let masked = edit(&["--mask", "mask.png", "-o", "masked.png"]);
    let open = |file: &str| image::open(place.file(file)).unwrap().into_rgba8();
    let (before, region, mask) = (open("in.png"), open("region.png"), open("mask.png"));
    for (report, file, mask) in [(&free, "free.png", &region), (&masked, "masked.png", &mask)] {
        assert_eq!(report["command"], "edit");
        assert_eq!(report["outside_mask_delta"], 0);
        assert!(report["reply"].is_string());
        let after = open(file);
        assert_eq!(after.dimensions(), before.dimensions());
        for (x, y, pixel) in after.enumerate_pixels() {
            let outside = mask.get_pixel(x, y)[0] == 0;
            assert!(!outside || pixel == before.get_pixel(x, y), "{file}: {x} {y}");
        }
    }
    assert!(free["changed_pixels"].as_u64().unwrap() > 0, "{free}");
    // What is written into the picture makes it again.
    let again = ["edit", "in.png", "--from", "free.png", "-o", "again.png"];
    place.json(&again);
    assert_eq!(open("again.png"), open("free.png"));
    assert!(
        place
            .refused(&["inpaint", "in.png", "--mask", "mask.png", "--from", "free.png"])
            .contains("gesso edit")
    );
}

#[test]
fn a_question_is_answered_in_words_and_without_a_talking_model_it_says_so() {
    let place = talking_place();
    place.picture("in.png", 32, 32, [10, 200, 30, 255]);
    let asked = place.json(&["ask", "in.png", "what is it?", "--seed", "2"]);
    assert!(asked["reply"].is_string(), "{asked}");
    assert_eq!(
        place.json(&["ask", "in.png", "what is it?", "--seed", "2"])["reply"],
        asked["reply"]
    );
    let mute = Place::with_model();
    mute.picture("in.png", 32, 32, [10, 200, 30, 255]);
    let message = mute.refused(&["ask", "in.png", "what is it?", "--model", "tiny"]);
    assert!(message.contains("tiny"), "{message}");
}

#[test]
fn a_conversation_goes_on_branches_and_survives_mistakes() {
    use std::io::Write as _;
    let place = talking_place();
    place.picture("in.png", 32, 32, [10, 200, 30, 255]);
    let mut chat = place.command(&[
        "chat", "in.png", "--answer", "picture", "--steps", "2", "--seed", "1", "--json",
    ]);
    chat.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut chat = chat.spawn().unwrap();
    let lines = "make it red\nmake it blue\n/undo\nmake it green\n/branch 99\n/tree\n\
                 /save out.png\n/save out.jpg\n/branch 2\n/save two.png\n/quit\n";
    chat.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = chat.wait_with_output().unwrap();
    assert!(output.status.success());
    let said: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let messages: Vec<&Value> = said.iter().filter(|line| line["message"].is_u64()).collect();
    assert_eq!(messages.len(), 3);
    for message in &messages {
        assert_eq!(message["outside_mask_delta"], 0);
    }
    let tree = said.iter().find(|line| line["tree"].is_array()).unwrap();
    assert_eq!(tree["at"], 3);
    assert!(tree["tree"][3].as_str().unwrap().contains("after 1"), "{tree}");
    let errors = said.iter().filter(|line| line["error"].is_string()).count();
    assert_eq!(errors, 2, "{said:?}");
    assert!(place.names().contains(&"out.png".to_owned()));
    assert_ne!(bytes(&place.file("out.png")), bytes(&place.file("two.png")));
}

#[test]
fn bad_edits_are_refused_with_both_sizes_or_the_files_name() {
    let place = Place::with_model();
    place.picture("in.png", 20, 10, [1, 2, 3, 255]);
    place.mask("mask.png", (10, 20), (0, 0, 5, 5));
    place.mask("empty.png", (20, 10), (0, 0, 0, 0));
    std::fs::write(place.file("text.png"), "hello").unwrap();
    for (image, mask, part) in [
        ("in.png", "mask.png", "10x20"),
        ("in.png", "empty.png", "empty"),
        ("in.png", "none.png", "none.png"),
        ("none.png", "mask.png", "none.png"),
        ("text.png", "mask.png", "text.png"),
        ("in.png", "models", "models"),
    ] {
        let message = place.refused(&["inpaint", image, "--mask", mask, "a cat", "-o", "out.png"]);
        assert!(message.contains(part), "{message}");
    }
    assert!(!place.names().contains(&"out.png".to_owned()));
}

#[test]
fn a_variation_is_nearer_the_less_its_strength_and_can_be_repeated() {
    let place = Place::with_model();
    place.picture("in.png", 32, 32, [10, 200, 30, 120]);
    let vary = |strength: &str, file: &str| {
        let common = ["vary", "in.png", "a red apple", "--model", "tiny", "--seed", "1"];
        place.json(&[&common[..], &["--strength", strength, "-o", file]].concat())
    };
    let report = vary("0.01", "near.png");
    assert_eq!((&report["command"], &report["strength"]), (&"vary".into(), &0.01.into()));
    vary("1", "far.png");
    let before = image::open(place.file("in.png")).unwrap().into_rgba8();
    let distance = |file: &str| -> u64 {
        let after = image::open(place.file(file)).unwrap().into_rgba8();
        assert_eq!(after.dimensions(), before.dimensions());
        let mut sum = 0;
        for (old, new) in before.pixels().zip(after.pixels()) {
            assert_eq!(old[3], new[3]);
            sum += (0..3).map(|c| u64::from(old[c].abs_diff(new[c]))).sum::<u64>();
        }
        sum
    };
    assert!(distance("near.png") < distance("far.png") / 4);
    let repeat = ["vary", "in.png", "--from", "near.png", "-o", "again.png", "--json"];
    assert!(place.run(&repeat).status.success());
    assert_eq!(bytes(&place.file("near.png")), bytes(&place.file("again.png")));
    // It is no edit with a mask, and the other commands say so.
    place.mask("mask.png", (32, 32), (2, 2, 9, 9));
    let inpaint = ["inpaint", "in.png", "--mask", "mask.png", "--from", "near.png", "-o", "a.png"];
    assert!(place.refused(&inpaint).contains("gesso vary"));
}

#[test]
fn strength_is_refused_where_it_is_out_of_range_or_has_no_picture() {
    let place = Place::with_model();
    place.picture("in.png", 20, 10, [1, 2, 3, 255]);
    for strength in ["0", "-0.5", "1.1", "nan"] {
        let message = place.refused(&[
            "vary",
            "in.png",
            "a cat",
            "--model",
            "tiny",
            "--strength",
            strength,
            "-o",
            "out.png",
        ]);
        assert!(message.contains("--strength must be above 0 and at most 1"), "{message}");
    }
    for command in [&["generate", "a cat"][..], &["upscale", "in.png", "a cat"]] {
        let options = ["--model", "tiny", "--strength", "0.5", "-o", "out.png"];
        let message = place.refused(&[command, &options].concat());
        assert!(message.contains("gesso vary"), "{message}");
    }
    assert!(!place.file("out.png").exists());
}

#[test]
fn the_negative_prompt_changes_the_picture_and_is_told_to_other_tools() {
    let place = Place::with_model();
    let draw = |more: &[&str], file: &str| {
        let common = ["generate", "a red apple", "--model", "tiny", "--seed", "5", "-o", file];
        place.json(&[&common[..], more].concat());
        bytes(&place.file(file))
    };
    let plain = draw(&[], "plain.png");
    let without = draw(&["--negative", "a green pear"], "without.png");
    assert_ne!(plain, without);
    assert_eq!(plain, draw(&["--negative", ""], "empty.png"));
    let told =
        |file: &[u8]| String::from_utf8_lossy(file).contains("Negative prompt: a green pear");
    assert!(told(&without) && !told(&plain));
    place.json(&["generate", "--from", "without.png", "-o", "again.png"]);
    assert_eq!(without, bytes(&place.file("again.png")));
}

#[test]
fn upscaling_makes_a_picture_four_times_as_large() {
    let place = Place::with_model();
    place.picture("in.png", 11, 6, [1, 2, 3, 255]);
    place.json(&["upscale", "in.png", "a cat", "--model", "tiny", "-o", "out.png"]);
    let picture = image::open(place.file("out.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (44, 24));
}

#[test]
fn a_bad_line_of_a_batch_is_reported_and_the_rest_goes_on() {
    let place = Place::with_model();
    place.picture("in.png", 20, 10, [1, 2, 3, 255]);
    place.mask("mask.png", (20, 10), (2, 2, 5, 5));
    let jobs = [
        r#"{"prompt": "a red apple", "seed": 1, "size": 16, "model": "tiny"}"#,
        "# a remark",
        "",
        r#"{"prompt": "a red apple", "steps": 0, "model": "tiny"}"#,
        r#"{"prompt": "broken"#,
        r#"{"prompt": "a cat", "image": "in.png", "mask": "mask.png", "model": "tiny", "seed": 2}"#,
        r#"{"image": "in.png", "model": "tiny", "seed": 3}"#,
        r#"{"prompt": "a cat", "image": "in.png", "strength": 0.5, "model": "tiny", "seed": 4}"#,
        r#"{"seed": 3}"#,
    ];
    std::fs::write(place.file("jobs.jsonl"), jobs.join("\n")).unwrap();
    let output = place.run(&["batch", "jobs.jsonl", "-o", "out", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["done"], &report["failed"]), (&4.into(), &3.into()));
    let lines: Vec<&Value> =
        report["jobs"].as_array().unwrap().iter().map(|job| &job["line"]).collect();
    assert_eq!(lines, [1, 4, 5, 6, 7, 8, 9]);
    assert_eq!(report["jobs"][5]["command"], "vary");
    assert!(report["jobs"][1]["error"].as_str().unwrap().contains("--steps"));
    assert_eq!(report["jobs"][3]["outside_mask_delta"], 0);
    for job in report["jobs"].as_array().unwrap() {
        for file in job["files"].as_array().into_iter().flatten() {
            assert!(place.file(file.as_str().unwrap()).is_file(), "{file}");
        }
    }
    let message = errors(&output);
    for line in ["line 4:", "line 5:", "line 9:"] {
        assert!(message.contains(line), "{message}");
    }
}

#[test]
fn models_are_listed_described_verified_and_removed() {
    let place = Place::with_model();
    let list = place.json(&["models", "list"]);
    let ids: Vec<&Value> = list["models"].as_array().unwrap().iter().map(|m| &m["id"]).collect();
    assert!(ids.contains(&&Value::from("tiny")), "{list}");
    assert_eq!(place.json(&["models", "info", "tiny"])["id"], "tiny");
    assert_eq!(place.json(&["models", "verify", "tiny"])["ok"], true);
    let file = place.models().join("tiny/base-inpaint.safetensors");
    let mut changed = bytes(&file);
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&file, changed).unwrap();
    let output = place.run(&["models", "verify", "tiny"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    place.json(&["models", "remove", "tiny"]);
    assert!(!place.models().join("tiny").exists());
    assert!(place.refused(&["models", "info", "tiny"]).contains("tiny"));
}

#[test]
fn mistakes_with_json_are_one_object_too() {
    let place = Place::with_model();
    for arguments in [&["generate", "a cat", "--steps", "0", "--json"][..], &["generate", "--json"]]
    {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(report["error"].is_string(), "{report}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_work_with_130_and_leaves_no_file() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    let place = Place::with_model();
    let mut child = place
        .command(&["generate", "a cat", "--model", "tiny", "--steps", "1000", "--count", "1000"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The seed is said when the handler is in place and the work is about to begin.
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("seed "), "{line}");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(place.names(), ["models"]);
}

/// A small part of the built-in sprites, so that an evaluation takes no time.
const DOMAIN: &str = r#"{"sprites":[{"codepoint":"1f34e"},{"codepoint":"1f697"},{"codepoint":"2b50"}],
    "backgrounds":["white","blue"],"gradients":false,"scenery":[],
    "edits":["remove","background"],"questions":["number"]}"#;

#[test]
fn an_evaluation_of_drawing_says_what_was_asked_and_what_came_nearest() {
    let place = Place::with_model();
    std::fs::write(place.file("domain.json"), DOMAIN).unwrap();
    let evaluate = ["eval", "draw", "--model", "tiny", "--steps", "2", "--count", "2"];
    let domain = ["--domain", "domain.json", "--device", "cpu"];
    let report = place.json(&[&evaluate[..], &domain, &["--save", "sheets"]].concat());
    assert_eq!(report["command"], "eval draw");
    assert_eq!((&report["model"], &report["size"]), (&"tiny".into(), &16.into()));
    let rows = report["rows"].as_array().unwrap();
    let tasks: Vec<&Value> = rows.iter().map(|row| &row["task"]).collect();
    assert_eq!(tasks, ["draw", "fill"]);
    assert!(rows.iter().all(|row| row["count"] == 2), "{rows:?}");
    let cases = report["cases"].as_array().unwrap();
    for case in cases {
        let asked = case["asked"].as_str().unwrap();
        assert!(["red apple", "car", "star"].contains(&asked), "{case}");
        assert_eq!(case["right"], case["nearest"] == case["asked"], "{case}");
    }
    for file in ["draw.png", "fill.png"] {
        image::open(place.file("sheets").join(file)).unwrap();
    }
    let saved: Value = serde_json::from_slice(&bytes(&place.file("sheets/report.json"))).unwrap();
    assert_eq!(saved, report);
    // The same seed asks the same and draws the same.
    assert_eq!(&place.json(&[&evaluate[..], &domain].concat())["cases"], &report["cases"]);
    let text = place.run(&[&evaluate[..], &domain].concat());
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("nearest = asked") && text.contains("domain.json"), "{text}");
}

#[test]
fn an_evaluation_of_edits_runs_on_a_model_that_is_talked_to() {
    let place = Place::new();
    TinyFamily::talking("tiny").write(&place.models()).unwrap();
    std::fs::write(place.file("domain.json"), DOMAIN).unwrap();
    let evaluate = ["eval", "edit", "--model", "tiny", "--steps", "2", "--count", "2"];
    let domain = ["--domain", "domain.json", "--device", "cpu", "--save", "sheets"];
    let report = place.json(&[&evaluate[..], &domain].concat());
    let kinds = |rows: &Value| {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| (row["kind"].as_str().unwrap().to_owned(), row["count"].as_u64().unwrap()))
            .collect::<Vec<_>>()
    };
    let row = |kind: &str, count| (kind.to_owned(), count);
    assert_eq!(kinds(&report["edits"]), [row("remove", 2), row("background", 2), row("all", 4)]);
    assert_eq!(kinds(&report["questions"]), [row("number", 2), row("all", 2)]);
    assert!(report["edits"][0]["psnr_undone_db"].is_number(), "{report}");
    for file in ["remove.png", "background.png", "question.png"] {
        image::open(place.file("sheets").join(file)).unwrap();
    }
    let drawn = place.json(&[
        "eval",
        "draw",
        "--by",
        "chat",
        "--model",
        "tiny",
        "--steps",
        "2",
        "--count",
        "1",
        "--domain",
        "domain.json",
        "--device",
        "cpu",
    ]);
    assert_eq!(drawn["rows"].as_array().unwrap().len(), 1, "it fills no holes");
}

#[test]
fn what_can_not_be_evaluated_is_said_at_once() {
    let place = Place::with_model();
    std::fs::write(place.file("bad.json"), r#"{"backgrounds":["mauve"]}"#).unwrap();
    for (arguments, part) in [
        (&["eval", "draw", "--model", "none"][..], "none"),
        (&["eval", "draw", "--count", "0"], "--count"),
        (&["eval", "draw", "--model", "tiny", "--domain", "bad.json"], "mauve"),
        (&["eval", "draw", "--model", "tiny", "--domain", "gone.json"], "gone.json"),
        (&["eval", "draw", "--model", "tiny", "--data", "gone"], "gone"),
        (&["eval", "draw", "--model", "tiny", "--save", "bad.json"], "a file has that name"),
        (&["eval", "draw", "--model", "tiny", "--steps", "0"], "--steps"),
        (&["eval", "edit", "--model", "tiny", "--by", "prompt"], "--by"),
        (&["eval", "edit", "--model", "tiny"], "tiny"),
    ] {
        let message = place.refused(arguments);
        assert!(message.contains(part), "{arguments:?}: {message}");
    }
}
