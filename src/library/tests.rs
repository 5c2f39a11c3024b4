//! The library on a disk: what goes in comes out, whatever happens to the database.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::engine::request::Record;
use crate::geom::Extent;
use crate::library::{
    Kind, Library, LibraryError, NewPicture, Origin, PictureId, Query, Remark, schema,
};
use crate::raster::RgbaImage;
use crate::storage::png_text::{Parameters, chunks};

fn record(prompt: &str, seed: u64) -> Record {
    serde_json::from_value(serde_json::json!({
        "command": "generate", "prompt": prompt, "negative_prompt": "fog", "model": "starter",
        "checkpoints": [], "seed": seed, "device": "cpu", "precision": "fp32", "count": 1,
        "base": {
            "steps": 27, "respacing": "27", "sampler": "dpm++", "eta": 0.0, "guidance": 3.0,
            "clip_guidance": 0.0,
            "size": 64,
        },
        "upsample": null,
    }))
    .unwrap()
}

fn picture(prompt: &str, seed: u64) -> NewPicture {
    let mut image = RgbaImage::new(Extent::new(40, 30), [seed as u8, 90, 200, 255]);
    image.pixels_mut()[7] = [1, 2, 3, 128];
    let record = record(prompt, seed);
    let json = serde_json::to_string(&record).unwrap();
    NewPicture {
        image: Arc::new(image),
        thumbnail: Arc::new(RgbaImage::new(Extent::new(8, 6), [seed as u8, 1, 1, 255])),
        record,
        text: chunks(&Parameters::default(), &json),
        kind: Kind::Extend,
        time: UNIX_EPOCH + Duration::from_millis(1_700_000_000_123 + seed % 1000),
        seconds: 3.5,
    }
}

fn open(folder: &Path) -> Library {
    let opened = Library::open(folder).unwrap();
    assert_eq!(opened.remarks, []);
    opened.library
}

fn found(library: &Library, query: &Query) -> Vec<i64> {
    library.search(query).unwrap().into_iter().map(|entry| entry.id.0).collect()
}

fn texts(library: &Library, text: &str) -> Vec<i64> {
    found(library, &Query { text: text.to_owned(), ..Query::default() })
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.join("pictures"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_goes_in_comes_out_after_another_start() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!Library::is_in(folder.path()));
    let added = picture("a red fox", u64::MAX);
    let mut library = open(folder.path());
    let id = library.add(&added).unwrap();
    library.set_star(id, true).unwrap();
    library.add_tag(id, "  Wild  Animals ").unwrap();
    library.add_tag(id, "best").unwrap();
    let origin =
        Origin { project: Some("ab12".to_owned()), path: Some("größe/a.ora".into()), node: 7 };
    library.set_origin(id, &origin).unwrap();
    drop(library);

    assert!(Library::is_in(folder.path()));
    let library = open(folder.path());
    let entry = library.search(&Query::default()).unwrap().remove(0);
    assert_eq!((entry.id, entry.extent), (id, Extent::new(40, 30)));
    assert_eq!(entry.record, added.record);
    assert_eq!((entry.kind, entry.time, entry.seconds), (Kind::Extend, added.time, 3.5));
    assert_eq!(entry.thumbnail, *added.thumbnail);
    assert_eq!(entry.origin, Some(origin));
    assert!(entry.starred);
    assert_eq!(entry.tags, ["best", "wild animals"]);
    assert_eq!(library.picture(id).unwrap(), *added.image);
    // The file is of use without Gesso, and repeats the picture with it.
    let text = crate::storage::read_png_text(&library.path(id).unwrap()).unwrap();
    assert_eq!(text, added.text);
}

#[test]
fn pictures_are_found_by_any_part_of_words_in_any_script() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    let prompts = [
        "A red fox",
        "красный дом у озера",
        "窓辺で眠る猫、水彩画",
        "a \"quoted\" fox's 50% den",
        "",
    ];
    for (prompt, seed) in prompts.iter().zip(1..) {
        library.add(&picture(prompt, seed)).unwrap();
    }
    library.add_tag(PictureId(2), "Осень").unwrap();
    let check =
        |text: &str, expected: &[i64]| assert_eq!(texts(&library, text), expected, "{text}");
    check("", &[5, 4, 3, 2, 1]);
    check("FOX", &[4, 1]);
    check("ox re", &[1]);
    check("КРАСНЫЙ зер", &[2]);
    check("осень", &[2]);
    check("猫", &[3]);
    check("水彩画 窓", &[3]);
    check("\"quoted\"", &[4]);
    check("fox's", &[4]);
    check("50%", &[4]);
    check("% \"", &[4]);
    check("fox AND red OR NOT *", &[]);
    let mut library = library;
    library.remove_tag(PictureId(2), "осень").unwrap();
    assert_eq!(texts(&library, "осень"), [0; 0]);
    assert!(matches!(library.add_tag(PictureId(1), " \t"), Err(LibraryError::EmptyTag)));
    assert!(matches!(library.add_tag(PictureId(99), "a"), Err(LibraryError::Missing(_))));
}

#[test]
fn pages_stars_tags_and_kinds_narrow_a_search() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    for seed in 1..=7 {
        let kind = if seed % 2 == 0 { Kind::Fill } else { Kind::Vary };
        library.add(&NewPicture { kind, ..picture("a boat", seed) }).unwrap();
    }
    for id in [2, 3, 6] {
        library.set_star(PictureId(id), true).unwrap();
    }
    library.set_star(PictureId(2), false).unwrap();
    library.add_tag(PictureId(6), "sea").unwrap();
    library.add_tag(PictureId(1), "sea").unwrap();
    library.add_tag(PictureId(1), "old").unwrap();
    let page = |before: Option<i64>| Query {
        text: "boat".to_owned(),
        before: before.map(PictureId),
        limit: 3,
        ..Query::default()
    };
    assert_eq!(found(&library, &page(None)), [7, 6, 5]);
    assert_eq!(found(&library, &page(Some(5))), [4, 3, 2]);
    assert_eq!(found(&library, &page(Some(2))), [1]);
    assert_eq!(found(&library, &Query { starred: true, ..Query::default() }), [6, 3]);
    let tag = Some(" SEA".to_owned());
    assert_eq!(found(&library, &Query { tag: tag.clone(), ..Query::default() }), [6, 1]);
    assert_eq!(found(&library, &Query { tag, starred: true, ..Query::default() }), [6]);
    assert_eq!(found(&library, &Query { kind: Some(Kind::Fill), ..Query::default() }), [6, 4, 2]);
    assert_eq!(library.tags().unwrap(), [("sea".to_owned(), 2), ("old".to_owned(), 1)]);
    assert_eq!(library.count().unwrap(), 7);
}

#[test]
fn the_trash_gives_back_until_it_is_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    let equal = [library.add(&picture("a", 1)).unwrap(), library.add(&picture("a", 1)).unwrap()];
    let other = library.add(&picture("b", 2)).unwrap();
    assert_eq!(files(folder.path()).len(), 2, "equal pictures share a file");
    let bytes = library.bytes().unwrap();

    library.delete(equal[0]).unwrap();
    library.delete(other).unwrap();
    assert_eq!(texts(&library, ""), [equal[1].0]);
    assert_eq!(library.bytes().unwrap(), bytes, "the trash still takes its place");
    library.picture(other).unwrap();
    library.undelete(other).unwrap();
    assert_eq!(texts(&library, ""), [other.0, equal[1].0]);

    library.delete(other).unwrap();
    let month = SystemTime::now() - Duration::from_hours(30 * 24);
    assert_eq!(library.empty_trash(month).unwrap(), 0, "nothing was there that long");
    let soon = SystemTime::now() + Duration::from_secs(1);
    assert_eq!(library.empty_trash(soon).unwrap(), 2);
    assert_eq!(files(folder.path()).len(), 1, "the equal picture's file is still of use");
    library.picture(equal[1]).unwrap();
    assert!(matches!(library.undelete(other), Err(LibraryError::Missing(_))));
    assert!(matches!(library.picture(other), Err(LibraryError::Missing(_))));
    assert_eq!(texts(&library, "b"), [0; 0]);
    assert_eq!(library.purge(&[equal[1], other]).unwrap(), 1);
    assert_eq!(files(folder.path()), [""; 0]);
    assert_eq!(library.bytes().unwrap(), 0);
    // A number is never given twice.
    assert!(library.add(&picture("c", 3)).unwrap() > other);
}

#[test]
fn what_is_beyond_the_limit_is_said_and_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    let mut sizes = Vec::new();
    for seed in 1..=5 {
        let before = library.bytes().unwrap();
        library.add(&picture("a", seed)).unwrap();
        sizes.push(library.bytes().unwrap() - before);
    }
    library.set_star(PictureId(1), true).unwrap();
    library.delete(PictureId(4)).unwrap();
    let all: u64 = sizes.iter().sum();
    assert_eq!(library.over_limit(all).unwrap(), None);
    let over = library.over_limit(all - 1).unwrap().unwrap();
    assert_eq!((over.bytes, over.trash, over.freed), (all, 1, sizes[3]));
    assert_eq!(over.pictures, [], "the trash alone is enough");
    let over = library.over_limit(all - sizes[3] - sizes[1] - 1).unwrap().unwrap();
    assert_eq!(over.pictures, [PictureId(2), PictureId(3)], "the oldest without a star");
    assert_eq!(over.freed, sizes[3] + sizes[1] + sizes[2]);
    let over = library.over_limit(0).unwrap().unwrap();
    assert_eq!(over.pictures, [PictureId(2), PictureId(3), PictureId(5)], "stars stay");
    assert_eq!(library.count().unwrap(), 4);
}

#[test]
fn a_projects_pictures_are_told_where_it_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    for (seed, project) in [(1, "one"), (2, "two"), (3, "one")] {
        let id = library.add(&picture("a", seed)).unwrap();
        let origin = Origin { project: Some(project.to_owned()), path: None, node: seed };
        library.set_origin(id, &origin).unwrap();
    }
    let mut told = library.relink("one", Path::new("a.ora")).unwrap();
    told.sort();
    assert_eq!(told, [PictureId(1), PictureId(3)]);
    let paths: Vec<_> = library
        .search(&Query::default())
        .unwrap()
        .into_iter()
        .map(|entry| entry.origin.unwrap().path)
        .collect();
    assert_eq!(paths, [Some("a.ora".into()), None, Some("a.ora".into())]);
    let missing = library.set_origin(PictureId(9), &Origin::default());
    assert!(matches!(missing, Err(LibraryError::Missing(_))));
}

#[test]
fn a_damaged_database_is_set_aside_and_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut library = open(folder.path());
    for seed in 1..=3 {
        library.add(&picture("a fox", seed)).unwrap();
    }
    drop(library);
    std::fs::write(folder.path().join("pictures/other.png"), b"no picture").unwrap();
    let path = folder.path().join(schema::DATABASE);
    let mut bytes = std::fs::read(&path).unwrap();
    let start = 16.min(bytes.len());
    bytes[..start].fill(0x55);
    std::fs::write(&path, &bytes).unwrap();

    let opened = Library::open(folder.path()).unwrap();
    let [Remark::Rebuilt { set_aside, pictures, unread }] = &opened.remarks[..] else {
        panic!("{:?}", opened.remarks)
    };
    assert_eq!((*pictures, *unread), (3, 1));
    assert_eq!(std::fs::read(set_aside).unwrap(), bytes);
    let library = opened.library;
    assert_eq!(texts(&library, "fox").len(), 3);
    let entry = library.search(&Query::default()).unwrap().remove(0);
    let seed = entry.record.common().seed;
    assert_eq!(library.picture(entry.id).unwrap(), *picture("a fox", seed).image);
    assert_eq!(entry.kind, Kind::Generate);
    drop(library);
    open(folder.path());

    // A database that was deleted is built again without a word.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(open(folder.path()).count().unwrap(), 3);
}

#[test]
fn a_newer_programs_library_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let path = folder.path().join(schema::DATABASE);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
    connection.pragma_update(None, "journal_mode", "delete").unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let error = Library::open(folder.path()).unwrap_err();
    assert!(matches!(error, LibraryError::Newer { .. }), "{error}");
    assert!(error.to_string().contains("update Gesso"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn two_programs_work_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let threads: Vec<_> = (0..4_u64)
        .map(|number| {
            let folder = folder.path().to_owned();
            std::thread::Builder::new()
                .spawn(move || {
                    let mut library = Library::open(&folder).unwrap().library;
                    for seed in 0..8 {
                        let id = library.add(&picture("a fox", number * 8 + seed)).unwrap();
                        library.set_star(id, true).unwrap();
                    }
                })
                .unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let (one, mut two) = (open(folder.path()), open(folder.path()));
    assert_eq!(one.count().unwrap(), 32);
    two.delete(PictureId(1)).unwrap();
    assert_eq!(one.count().unwrap(), 31);
}

#[test]
fn what_cannot_be_written_is_told_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A file is where the folder should be.
    let blocked = folder.path().join("blocked");
    std::fs::write(&blocked, b"").unwrap();
    let error = Library::open(&blocked).unwrap_err();
    assert!(matches!(error, LibraryError::Folder { .. }), "{error}");
    // The folder of pictures is lost while the library is open.
    let mut library = open(folder.path());
    std::fs::remove_dir(folder.path().join("pictures")).unwrap();
    let error = library.add(&picture("a", 1)).unwrap_err();
    assert!(error.to_string().contains("the folder does not exist"), "{error}");
    assert_eq!(library.count().unwrap(), 0);
    // The disk is full while the picture's file is written.
    std::fs::create_dir(folder.path().join("pictures")).unwrap();
    crate::storage::disk::faults::fail(0, 100);
    let error = library.add(&picture("a", 1)).unwrap_err();
    crate::storage::disk::faults::stop();
    assert!(error.to_string().contains("no space left"), "{error}");
    assert_eq!((library.count().unwrap(), files(folder.path()).len()), (0, 0));
    // It goes on once there is room.
    library.add(&picture("a", 1)).unwrap();
    assert_eq!(library.count().unwrap(), 1);
    // The database is full: `SQLite`'s own limit stands for the disk's.
    library.limit_pages();
    let error = library.add(&picture(&"long ".repeat(20_000), 2)).unwrap_err();
    assert!(matches!(error, LibraryError::DiskFull { .. }), "{error}");
    assert_eq!((library.count().unwrap(), files(folder.path()).len()), (1, 1));
}
