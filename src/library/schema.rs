//! The database: opening it, its form, and what becomes of a damaged one.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::library::{LibraryError, date};

/// The database's name in the library's folder.
pub(super) const DATABASE: &str = "library.sqlite";
/// How long another program's writing is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// The newest form that is known here.
pub(super) const VERSION: i64 = 1;

/// Form 1. The small pictures are in a table of their own, so that what is looked for lies close
/// together. Times are milliseconds since 1970. Seeds are texts, because `SQLite`'s numbers have a sign.
/// `search` holds prompt and tags in small letters; its trigrams find any part of a word in any
/// script.
const CREATE: &str = "
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    prompt TEXT NOT NULL,
    negative_prompt TEXT NOT NULL,
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    record TEXT NOT NULL,
    seed TEXT NOT NULL,
    seconds REAL NOT NULL,
    created INTEGER NOT NULL,
    project TEXT,
    path TEXT,
    node INTEGER,
    starred INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER
);
CREATE INDEX pictures_hash ON pictures (hash);
CREATE INDEX pictures_project ON pictures (project) WHERE project IS NOT NULL;
CREATE INDEX pictures_deleted ON pictures (deleted) WHERE deleted IS NOT NULL;
CREATE TABLE thumbnails (
    picture INTEGER PRIMARY KEY REFERENCES pictures (id) ON DELETE CASCADE,
    png BLOB NOT NULL
);
CREATE TABLE tags (
    picture INTEGER NOT NULL REFERENCES pictures (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (picture, tag)
) WITHOUT ROWID;
CREATE INDEX tags_tag ON tags (tag);
CREATE VIRTUAL TABLE search USING fts5 (text, tokenize = 'trigram');
";

/// Opens the database of a folder, made where it is missing, in the newest form.
pub(super) fn open(folder: &Path) -> Result<Connection, LibraryError> {
    let path = folder.join(DATABASE);
    let failed = |error| told(error, &path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    // Before anything is written: a newer program's database is left alone.
    if version(&connection).map_err(failed)? > VERSION {
        return Err(newer(&connection, &path));
    }
    // Readers and a writer don't wait for each other then. Where another program is about to do the
    // same, or the disk can't, the usual way is as safe and only slower.
    let mode = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
    match mode {
        Ok(mode) => log::debug!("the library's journal mode is {mode}"),
        Err(error) => match told(error, &path) {
            error @ (LibraryError::Damaged { .. } | LibraryError::ReadOnly { .. }) => {
                return Err(error);
            }
            error => log::debug!("{error}"),
        },
    }
    connection.pragma_update(None, "synchronous", "normal").map_err(failed)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    migrate(&mut connection, &path)?;
    // Something of each table is looked at, so that most damage shows now.
    for table in ["pictures", "thumbnails", "tags", "search"] {
        let sql = format!("SELECT count(*) FROM (SELECT * FROM {table} LIMIT 10)");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(failed)?;
    }
    Ok(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn newer(connection: &Connection, path: &Path) -> LibraryError {
    let found = version(connection).unwrap_or_default();
    LibraryError::Newer { found, known: VERSION, path: path.to_owned() }
}

/// Brings an older form to the newest, step by step.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), LibraryError> {
    let failed = |error| told(error, path);
    if version(connection).map_err(failed)? == VERSION {
        return Ok(());
    }
    // Two programs may find an old form at the same time; the second one finds the newest.
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    loop {
        match version(&transaction).map_err(failed)? {
            0 => transaction.execute_batch(CREATE).map_err(failed)?,
            VERSION => break,
            _ => return Err(newer(&transaction, path)),
        }
        let next = version(&transaction).map_err(failed)? + 1;
        transaction.pragma_update(None, "user_version", next).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// What `SQLite` says, in the library's words.
pub(super) fn told(error: rusqlite::Error, path: &Path) -> LibraryError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            LibraryError::Damaged { reason: error.to_string(), path }
        }
        Some(ErrorCode::DiskFull) => LibraryError::DiskFull { path },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            LibraryError::ReadOnly { path }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LibraryError::Busy { path },
        _ => LibraryError::Database { source: error, path },
    }
}

/// Gets a damaged database out of the way, with what belongs to it; says where it is now.
pub(super) fn set_aside(folder: &Path) -> Result<PathBuf, LibraryError> {
    let path = folder.join(DATABASE);
    let name = format!("library-damaged-{}.sqlite", date::file_date(SystemTime::now()));
    let aside = folder.join(name);
    for ending in ["", "-wal", "-shm"] {
        let with = |path: &Path| {
            let mut name: OsString = path.into();
            name.push(ending);
            PathBuf::from(name)
        };
        match std::fs::rename(with(&path), with(&aside)) {
            Err(error) if error.kind() != ErrorKind::NotFound || ending.is_empty() => {
                return Err(LibraryError::Folder { source: error, path });
            }
            _ => {}
        }
    }
    Ok(aside)
}
