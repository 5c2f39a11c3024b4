//! What can be done with a library.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

use crate::engine::request::Record;
use crate::geom::Extent;
use crate::library::{
    Entry, Kind, LibraryError, NewPicture, Opened, Origin, Overflow, PictureId, Query, Remark,
    clean_tag, schema,
};
use crate::raster::{RgbaImage, small_image};
use crate::storage::{
    Colors, PngOptions, png_bytes, png_text, read_image_bytes, read_image_file, read_png_text,
    write_png,
};

/// The folder of the pictures' files in the library's folder.
const PICTURES: &str = "pictures";
/// Longer side of the small pictures that are made when a database is built again.
const THUMBNAIL_PX: u32 = 192;
/// Files that are read at a time when a database is built again.
const AT_ONCE: usize = 128;
/// What stands between the tags of a row; no tag has it.
const BETWEEN_TAGS: char = '\u{1f}';

/// The columns of an [`Entry`], in the order in which [`entry_of`] reads them.
const ENTRY: &str = "p.id, p.width, p.height, \
    (SELECT png FROM thumbnails WHERE picture = p.id), p.record, p.kind, p.created, p.seconds, \
    p.project, p.path, p.node, p.starred, \
    (SELECT group_concat(tag, char(31)) FROM (SELECT tag FROM tags WHERE picture = p.id ORDER BY tag))";

/// The library in a folder. Several programs may have it open at a time.
#[derive(Debug)]
pub struct Library {
    folder: PathBuf,
    connection: Connection,
}

impl Library {
    /// Whether there is a library in a folder; opening one makes it.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        folder.join(schema::DATABASE).exists() || folder.join(PICTURES).exists()
    }

    /// Opens the library of a folder, made where it is missing.
    ///
    /// A database that is damaged, or was lost, is built again from the pictures' files.
    ///
    /// # Errors
    ///
    /// When the folder can't be made or written to, or a newer program has changed its form.
    pub fn open(folder: &Path) -> Result<Opened, LibraryError> {
        let pictures = folder.join(PICTURES);
        // Pictures without a database: an empty folder may be one that another program, which begins
        // at the same time, has just made.
        let any = std::fs::read_dir(&pictures).is_ok_and(|mut files| files.next().is_some());
        let lost = any && !folder.join(schema::DATABASE).exists();
        std::fs::create_dir_all(&pictures)
            .map_err(|source| LibraryError::Folder { source, path: pictures })?;
        match schema::open(folder) {
            Ok(connection) => {
                let mut library = Self { folder: folder.to_owned(), connection };
                if lost {
                    library.read_files()?;
                }
                Ok(Opened { library, remarks: Vec::new() })
            }
            Err(error) if error.is_damage() => {
                log::warn!("{error}");
                Self::rebuild(folder)
            }
            Err(error) => Err(error),
        }
    }

    /// Sets a damaged database aside and builds another one from the pictures' files.
    ///
    /// Pictures that were in the trash are in the library again then.
    ///
    /// # Errors
    ///
    /// When the folder can't be written to.
    pub fn rebuild(folder: &Path) -> Result<Opened, LibraryError> {
        let set_aside = schema::set_aside(folder)?;
        let connection = schema::open(folder)?;
        let mut library = Self { folder: folder.to_owned(), connection };
        let (pictures, unread) = library.read_files()?;
        Ok(Opened { library, remarks: vec![Remark::Rebuilt { set_aside, pictures, unread }] })
    }

    /// Adds a picture.
    ///
    /// # Errors
    ///
    /// When the disk is full or can't be written to; then nothing is left behind.
    pub fn add(&mut self, picture: &NewPicture) -> Result<PictureId, LibraryError> {
        let hash = content_hash(&picture.image, &picture.text);
        let path = self.file(&hash);
        let write = || write_png(&path, &picture.image, &picture.text, &PngOptions::default());
        if !path.is_file() {
            write()?;
        }
        let result = self.add_row(&hash, picture);
        match &result {
            Ok(_) if path.is_file() => {}
            // Another program has deleted the same picture in this moment.
            Ok(_) => write()?,
            Err(_) => self.remove_files([hash]),
        }
        result
    }

    fn add_row(&mut self, hash: &str, picture: &NewPicture) -> Result<PictureId, LibraryError> {
        let thumbnail =
            png_bytes(&picture.thumbnail, &[], &PngOptions::default(), "thumbnail.png")?;
        let file_bytes = std::fs::metadata(self.file(hash)).map_or(0, |file| file.len());
        let record = serde_json::to_string(&picture.record)?;
        let common = picture.record.common();
        let Extent { width, height } = picture.image.extent();
        let bytes = file_bytes + thumbnail.len() as u64;
        self.write(|connection| {
            connection.execute(
                "INSERT INTO pictures (hash, width, height, bytes, prompt, \
                 negative_prompt, model, kind, record, seed, seconds, created) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    hash,
                    width,
                    height,
                    bytes as i64,
                    common.prompt,
                    common.negative_prompt,
                    common.model,
                    picture.kind.name(),
                    record,
                    common.seed.to_string(),
                    picture.seconds,
                    milliseconds(picture.time),
                ],
            )?;
            let id = connection.last_insert_rowid();
            let sql = "INSERT INTO thumbnails (picture, png) VALUES (?, ?)";
            connection.execute(sql, params![id, thumbnail])?;
            write_search(connection, id)?;
            Ok(PictureId(id))
        })
    }

    /// A page of the pictures that a query finds, the newest first.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn search(&self, query: &Query) -> Result<Vec<Entry>, LibraryError> {
        let mut sql = format!("SELECT {ENTRY} FROM pictures p WHERE p.deleted IS NULL");
        let mut values: Vec<Value> = Vec::new();
        let mut with = |condition: &str, value: Value| {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        };
        if let Some(before) = query.before {
            with("p.id < ?", before.0.into());
        }
        if query.starred {
            with("p.starred = ?", 1.into());
        }
        if let Some(kind) = query.kind {
            with("p.kind = ?", kind.name().to_owned().into());
        }
        if let Some(tag) = &query.tag {
            with("p.id IN (SELECT picture FROM tags WHERE tag = ?)", clean_tag(tag).into());
        }
        for word in query.text.split_whitespace().map(str::to_lowercase) {
            if word.chars().count() < 3 {
                // Too short for the index.
                let text = "(SELECT text FROM search WHERE rowid = p.id)";
                with(&format!("instr({text}, ?) > 0"), word.into());
            } else {
                let phrase = format!("\"{}\"", word.replace('"', "\"\""));
                with("p.id IN (SELECT rowid FROM search WHERE search MATCH ?)", phrase.into());
            }
        }
        with("1 ORDER BY p.id DESC LIMIT ?", (query.limit as i64).into());
        self.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.extend(entry_of(row)?);
            }
            Ok(entries)
        })
    }

    /// How many pictures there are, without those in the trash.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn count(&self) -> Result<usize, LibraryError> {
        let sql = "SELECT count(*) FROM pictures WHERE deleted IS NULL";
        let count = self.read(|connection| connection.query_row(sql, [], |row| row.get(0)));
        count.map(|count: i64| count as usize)
    }

    /// A picture's pixels, also of one in the trash.
    ///
    /// # Errors
    ///
    /// When there is no such picture, or its file is gone or damaged.
    pub fn picture(&self, id: PictureId) -> Result<RgbaImage, LibraryError> {
        Ok(read_image_file(&self.path(id)?)?.image)
    }

    /// A picture's file.
    ///
    /// # Errors
    ///
    /// When there is no such picture.
    pub fn path(&self, id: PictureId) -> Result<PathBuf, LibraryError> {
        let sql = "SELECT hash FROM pictures WHERE id = ?";
        let hash: Option<String> =
            self.read(|connection| connection.query_row(sql, [id.0], |row| row.get(0)).optional())?;
        hash.map(|hash| self.file(&hash)).ok_or(LibraryError::Missing(id))
    }

    /// Gives a picture a star, or takes it.
    ///
    /// # Errors
    ///
    /// When there is no such picture, or the database can't be written.
    pub fn set_star(&mut self, id: PictureId, starred: bool) -> Result<(), LibraryError> {
        self.change(id, "UPDATE pictures SET starred = ?2 WHERE id = ?1", starred)
    }

    /// Says where a picture became a part of a document.
    ///
    /// # Errors
    ///
    /// When there is no such picture, or the database can't be written.
    pub fn set_origin(&mut self, id: PictureId, origin: &Origin) -> Result<(), LibraryError> {
        let path = origin.path.as_deref().and_then(unicode);
        let changed = self.write(|connection| {
            connection.execute(
                "UPDATE pictures SET project = ?, path = ?, node = ? WHERE id = ?",
                params![origin.project, path, origin.node as i64, id.0],
            )
        })?;
        if changed == 0 { Err(LibraryError::Missing(id)) } else { Ok(()) }
    }

    /// Says where a project is now; gives the pictures that became a part of it.
    ///
    /// # Errors
    ///
    /// When the database can't be written.
    pub fn relink(&mut self, project: &str, path: &Path) -> Result<Vec<PictureId>, LibraryError> {
        let Some(path) = unicode(path) else { return Ok(Vec::new()) };
        self.write(|connection| {
            let mut statement = connection
                .prepare("UPDATE pictures SET path = ? WHERE project = ? RETURNING id")?;
            let ids = statement.query_map([path, project], |row| row.get(0).map(PictureId))?;
            ids.collect()
        })
    }

    /// Gives a picture a tag; one that it has stays as it is.
    ///
    /// # Errors
    ///
    /// When the tag is empty, there is no such picture, or the database can't be written.
    pub fn add_tag(&mut self, id: PictureId, tag: &str) -> Result<(), LibraryError> {
        let tag = clean_tag(tag).replace(BETWEEN_TAGS, " ");
        if tag.trim().is_empty() {
            return Err(LibraryError::EmptyTag);
        }
        self.path(id)?;
        self.write(|connection| {
            let sql = "INSERT OR IGNORE INTO tags (picture, tag) VALUES (?, ?)";
            connection.execute(sql, params![id.0, tag])?;
            write_search(connection, id.0)
        })
    }

    /// Takes a tag from a picture.
    ///
    /// # Errors
    ///
    /// When the database can't be written.
    pub fn remove_tag(&mut self, id: PictureId, tag: &str) -> Result<(), LibraryError> {
        self.write(|connection| {
            let sql = "DELETE FROM tags WHERE picture = ? AND tag = ?";
            connection.execute(sql, params![id.0, clean_tag(tag)])?;
            write_search(connection, id.0)
        })
    }

    /// All tags with the number of pictures that have each, the most used first.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn tags(&self) -> Result<Vec<(String, usize)>, LibraryError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT tag, count(*) FROM tags JOIN pictures ON id = picture \
                 WHERE deleted IS NULL GROUP BY tag ORDER BY count(*) DESC, tag",
            )?;
            let tags =
                statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as usize)))?;
            tags.collect()
        })
    }

    /// Moves a picture to the trash.
    ///
    /// # Errors
    ///
    /// When there is no such picture, or the database can't be written.
    pub fn delete(&mut self, id: PictureId) -> Result<(), LibraryError> {
        let now = milliseconds(SystemTime::now());
        self.change(id, "UPDATE pictures SET deleted = ?2 WHERE id = ?1", now)
    }

    /// Takes a picture out of the trash.
    ///
    /// # Errors
    ///
    /// When there is no such picture any more, or the database can't be written.
    pub fn undelete(&mut self, id: PictureId) -> Result<(), LibraryError> {
        self.change(id, "UPDATE pictures SET deleted = ?2 WHERE id = ?1", Option::<i64>::None)
    }

    /// Deletes for good what was in the trash before a time; says how many.
    ///
    /// # Errors
    ///
    /// When the database can't be written.
    pub fn empty_trash(&mut self, before: SystemTime) -> Result<usize, LibraryError> {
        let ids: Vec<PictureId> = self.read(|connection| {
            let mut statement = connection.prepare("SELECT id FROM pictures WHERE deleted <= ?")?;
            let ids =
                statement.query_map([milliseconds(before)], |row| row.get(0).map(PictureId))?;
            ids.collect()
        })?;
        self.purge(&ids)
    }

    /// Deletes pictures for good; says how many there were.
    ///
    /// # Errors
    ///
    /// When the database can't be written; then all of them are still there.
    pub fn purge(&mut self, ids: &[PictureId]) -> Result<usize, LibraryError> {
        let hashes: Vec<String> = self.write(|connection| {
            let mut delete =
                connection.prepare("DELETE FROM pictures WHERE id = ? RETURNING hash")?;
            let mut unindex = connection.prepare("DELETE FROM search WHERE rowid = ?")?;
            let mut hashes = Vec::new();
            for id in ids {
                hashes.extend(delete.query_row([id.0], |row| row.get(0)).optional()?);
                unindex.execute([id.0])?;
            }
            Ok(hashes)
        })?;
        let count = hashes.len();
        self.remove_files(hashes);
        Ok(count)
    }

    /// Bytes that all pictures take, those in the trash too.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn bytes(&self) -> Result<u64, LibraryError> {
        // Equal pictures share a file.
        let sql = "SELECT coalesce(sum(b), 0) FROM \
                   (SELECT max(bytes) AS b FROM pictures GROUP BY hash)";
        let bytes = self.read(|connection| connection.query_row(sql, [], |row| row.get(0)));
        bytes.map(|bytes: i64| bytes as u64)
    }

    /// How many pictures are in the trash, and their bytes.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn trash(&self) -> Result<(usize, u64), LibraryError> {
        self.read(trash)
    }

    /// What would have to go for the library to have no more bytes than a limit; nothing where it
    /// has not. Only says so.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn over_limit(&self, limit_bytes: u64) -> Result<Option<Overflow>, LibraryError> {
        let bytes = self.bytes()?;
        if bytes <= limit_bytes {
            return Ok(None);
        }
        self.read(|connection| {
            let (trash, mut freed) = trash(connection)?;
            let mut statement = connection.prepare(
                "SELECT id, bytes FROM pictures WHERE deleted IS NULL AND starred = 0 ORDER BY id",
            )?;
            let mut rows = statement.query([])?;
            let mut pictures = Vec::new();
            while bytes.saturating_sub(freed) > limit_bytes
                && let Some(row) = rows.next()?
            {
                pictures.push(PictureId(row.get(0)?));
                freed += row.get::<_, i64>(1)? as u64;
            }
            Ok(Some(Overflow { bytes, trash, pictures, freed }))
        })
    }

    /// Adds the pictures whose files lie there; says how many, and how many files are none.
    fn read_files(&mut self) -> Result<(usize, usize), LibraryError> {
        let folder = self.folder.join(PICTURES);
        let entries = std::fs::read_dir(&folder)
            .map_err(|source| LibraryError::Folder { source, path: folder })?;
        let mut files: Vec<(SystemTime, PathBuf)> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "png"))
            .map(|path| {
                let time = std::fs::metadata(&path).and_then(|file| file.modified());
                (time.unwrap_or(UNIX_EPOCH), path)
            })
            .collect();
        files.sort();
        // A name of a picture in the lost database must not mean another one here.
        let first = milliseconds(SystemTime::now());
        self.write(|connection| {
            let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ('pictures', ?)";
            connection.execute(sql, [first])
        })?;
        let (mut read, mut unread) = (0, 0);
        for files in files.chunks(AT_ONCE) {
            let found: Vec<Option<(String, NewPicture)>> =
                files.par_iter().map(|(time, path)| picture_of_file(path, *time)).collect();
            for picture in found {
                let Some((hash, picture)) = picture else {
                    unread += 1;
                    continue;
                };
                self.add_row(&hash, &picture)?;
                read += 1;
            }
        }
        Ok((read, unread))
    }

    /// Removes files that no row names any more.
    fn remove_files(&self, hashes: impl IntoIterator<Item = String>) {
        for hash in hashes.into_iter().collect::<BTreeSet<String>>() {
            let sql = "SELECT EXISTS (SELECT 1 FROM pictures WHERE hash = ?)";
            let used = self.read(|connection| connection.query_row(sql, [&hash], |row| row.get(0)));
            // Where it is not known whether a file is of use, it stays.
            if matches!(used, Ok(false))
                && let Err(error) = std::fs::remove_file(self.file(&hash))
            {
                log::warn!("a picture of the library was not removed: {error}: {hash}");
            }
        }
    }

    fn file(&self, hash: &str) -> PathBuf {
        self.folder.join(PICTURES).join(format!("{hash}.png"))
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LibraryError> {
        read(&self.connection).map_err(|error| self.told(error))
    }

    /// Does all of it or nothing.
    fn write<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LibraryError> {
        let path = self.folder.join(schema::DATABASE);
        let written = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let value = write(&transaction)?;
                transaction.commit()?;
                Ok(value)
            });
        written.map_err(|error| schema::told(error, &path))
    }

    /// Changes one value of a picture.
    fn change(
        &mut self,
        id: PictureId,
        sql: &str,
        value: impl rusqlite::ToSql,
    ) -> Result<(), LibraryError> {
        let changed = self.write(|connection| connection.execute(sql, params![id.0, value]))?;
        if changed == 0 { Err(LibraryError::Missing(id)) } else { Ok(()) }
    }

    /// Lets the database grow no more.
    #[cfg(test)]
    pub(super) fn limit_pages(&self) {
        let pages: i64 =
            self.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        self.connection
            .pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
            .unwrap();
    }

    fn told(&self, error: rusqlite::Error) -> LibraryError {
        schema::told(error, &self.folder.join(schema::DATABASE))
    }
}

fn trash(connection: &Connection) -> rusqlite::Result<(usize, u64)> {
    let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM pictures WHERE deleted IS NOT NULL";
    connection.query_row(sql, [], |row| {
        Ok((row.get::<_, i64>(0)? as usize, row.get::<_, i64>(1)? as u64))
    })
}

/// Writes what a picture is found by.
fn write_search(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    let prompt: Option<String> = connection
        .query_row("SELECT prompt FROM pictures WHERE id = ?", [id], |row| row.get(0))
        .optional()?;
    let mut statement = connection.prepare("SELECT tag FROM tags WHERE picture = ?")?;
    let tags: Vec<String> =
        statement.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let words: Vec<String> = prompt.into_iter().chain(tags).collect();
    connection.execute("DELETE FROM search WHERE rowid = ?", [id])?;
    connection.execute(
        "INSERT INTO search (rowid, text) VALUES (?, ?)",
        params![id, words.join("\n").to_lowercase()],
    )?;
    Ok(())
}

/// A row as an entry; nothing where another version has written what can't be read here.
fn entry_of(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    let id = PictureId(row.get(0)?);
    let thumbnail: Option<Vec<u8>> = row.get(3)?;
    let thumbnail = thumbnail.unwrap_or_default();
    let thumbnail = match read_image_bytes(&thumbnail, "thumbnail.png", Colors::AsStored) {
        Ok(file) => file.image,
        Err(error) => {
            log::warn!("picture {} of the library has no thumbnail: {error}", id.0);
            RgbaImage::new(Extent::new(1, 1), [0; 4])
        }
    };
    let record: Record = match serde_json::from_str(&row.get::<_, String>(4)?) {
        Ok(record) => record,
        Err(error) => {
            log::warn!("picture {} of the library can't be read: {error}", id.0);
            return Ok(None);
        }
    };
    let kind = Kind::from_name(&row.get::<_, String>(5)?).unwrap_or_else(|| Kind::of(&record));
    let path: Option<String> = row.get(9)?;
    let (project, node): (_, Option<i64>) = (row.get(8)?, row.get(10)?);
    let tags: Option<String> = row.get(12)?;
    Ok(Some(Entry {
        id,
        extent: Extent::new(row.get(1)?, row.get(2)?),
        thumbnail,
        record,
        kind,
        time: UNIX_EPOCH + Duration::from_millis(row.get::<_, i64>(6)?.max(0) as u64),
        seconds: row.get(7)?,
        origin: node.map(|node| Origin {
            project,
            path: path.map(PathBuf::from),
            node: node as u64,
        }),
        starred: row.get(11)?,
        tags: tags
            .map(|tags| tags.split(BETWEEN_TAGS).map(ToOwned::to_owned).collect())
            .unwrap_or_default(),
    }))
}

/// A picture of the library from its file alone, with the hash that names it.
fn picture_of_file(path: &Path, time: SystemTime) -> Option<(String, NewPicture)> {
    let hash = path.file_stem()?.to_str()?.to_owned();
    let text = read_png_text(path).ok()?;
    let record: Record = serde_json::from_str(png_text::request_json(&text)?).ok()?;
    let image = Arc::new(read_image_file(path).ok()?.image);
    let thumbnail = Arc::new(small_image(&image, THUMBNAIL_PX));
    let kind = Kind::of(&record);
    Some((hash, NewPicture { image, thumbnail, record, text, kind, time, seconds: 0.0 }))
}

/// What a picture's file is named by: its pixels and the texts in it.
fn content_hash(image: &RgbaImage, text: &[(String, String)]) -> String {
    let mut hash = Sha256::new();
    let Extent { width, height } = image.extent();
    hash.update(width.to_le_bytes());
    hash.update(height.to_le_bytes());
    hash.update(image.as_raw());
    for (keyword, text) in text {
        for part in [keyword, text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(half), 16));
        }
        text
    })
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A path as it is kept: one that is no Unicode can't be.
fn unicode(path: &Path) -> Option<&str> {
    let text = path.to_str();
    if text.is_none() {
        log::warn!("this path is no Unicode and is not kept: {path:?}");
    }
    text
}
