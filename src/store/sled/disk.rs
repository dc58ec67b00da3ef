//! The database on disk: opened, read, and committed to so that a power cut takes nothing back.

use std::{
    any::Any,
    collections::BTreeMap,
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    io,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sled::{Batch, Config, Db, IVec};

use super::{
    super::StoreError,
    codec,
    copy::Tap,
    keys::{self, Key},
    room::Room,
    txn::Txn,
};

/// Raised when an older frontdesk could misread what this one writes.
pub(super) const SCHEMA: u32 = 1;
/// sled keeps this much of the database in memory.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// sled lets go of its lock a moment after it was closed.
const LOCK_PATIENCE: [Duration; 5] = [
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

pub(super) struct Disk {
    path: PathBuf,
    instance: u64,
    pub(super) room: Room,
    db: Db,
    /// Another handle to the file that sled writes: its own `flush` does not reach the platter.
    pub(super) file: File,
    /// Held for writing during a commit, so that nobody reads what is not yet on disk.
    committing: RwLock<()>,
    /// Why a commit failed. After that, what is in memory and what is on disk may differ: nothing goes on.
    failed: Mutex<Option<StoreError>>,
    /// Where a copy that is being made learns of what changes meanwhile.
    pub(super) tap: Tap,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) schema: u32,
    pub(super) instance: u64,
}

impl Disk {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let room = make_ready(path)?;
        let db = open_patiently(path)?;
        let found = catch_unwind(AssertUnwindSafe(|| (db.get(keys::meta("header")), db.is_empty())));
        let (header, empty) = found.map_err(|panic| damaged(path, panic_text(panic.as_ref())))?;
        let header = header.map_err(|error| explain(path, error))?;
        let header = header.map(|bytes| codec::decode(&bytes)).transpose().map_err(|detail| damaged(path, detail))?;
        let new = match header {
            Some(Header { schema, .. }) if schema > SCHEMA => {
                return Err(StoreError::Newer { path: path.to_owned(), found: schema, known: SCHEMA });
            }
            None if !empty => return Err(damaged(path, "it does not begin with frontdesk's header")),
            Some(_) => false,
            None => true,
        };
        let header = header.unwrap_or_else(|| Header { schema: SCHEMA, instance: RandomState::new().hash_one(path) });
        let disk = Self {
            path: path.to_owned(),
            instance: header.instance,
            room,
            db,
            file: settle_files(path).map_err(|error| refused(path, &error))?,
            committing: RwLock::new(()),
            failed: Mutex::new(None),
            tap: Tap::default(),
        };
        if new {
            let bytes = codec::encode(&header).map_err(|detail| damaged(path, detail))?;
            disk.commit(BTreeMap::from([(keys::meta("header"), Some(bytes.into()))]))?;
        }
        disk.room.put_aside();
        Ok(disk)
    }

    pub(super) fn instance(&self) -> u64 {
        self.instance
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what is committed; nothing of a commit that is under way.
    pub(super) fn view<T>(&self, read: impl FnOnce(&mut Txn) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _whole: RwLockReadGuard<()> = self.committing.read().unwrap_or_else(PoisonError::into_inner);
        self.healthy()?;
        Txn::new(self).attempt(read)
    }

    /// [`Self::view`] of the database itself.
    pub(super) fn look<T>(&self, read: impl FnOnce(&Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _whole: RwLockReadGuard<()> = self.committing.read().unwrap_or_else(PoisonError::into_inner);
        self.healthy()?;
        read(self)
    }

    /// Writes all changes or, as far as anybody can see, none. They are on disk when it returns.
    pub(super) fn commit(&self, changes: BTreeMap<Key, Option<IVec>>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let _alone = self.committing.write().unwrap_or_else(PoisonError::into_inner);
        self.healthy()?;
        self.room
            .check_size(changes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, |it| it.len())).sum())?;
        let copied = self.tap.read(&changes);
        let mut batch = Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        let written = catch_unwind(AssertUnwindSafe(|| {
            self.db.apply_batch(batch)?;
            self.db.flush()
        }));
        let outcome = match written {
            Ok(Ok(_)) => self.file.sync_data().map_err(|error| refused(&self.path, &error)),
            Ok(Err(error)) => Err(self.explain(error)),
            Err(panic) => Err(self.damaged(panic_text(panic.as_ref()))),
        };
        match &outcome {
            Ok(()) => self.tap.keep(copied),
            Err(error) => *self.failure() = Some(error.clone()),
        }
        outcome
    }

    /// The error of the commit that failed, if one did.
    pub(super) fn healthy(&self) -> Result<(), StoreError> {
        self.failure().clone().map_or(Ok(()), Err)
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.db.get(key).map_err(|error| self.explain(error))
    }

    pub(super) fn range(&self, keys: (Bound<Key>, Bound<Key>)) -> sled::Iter {
        self.db.range::<Key, _>(keys)
    }

    pub(super) fn explain(&self, error: sled::Error) -> StoreError {
        explain(&self.path, error)
    }

    pub(super) fn damaged(&self, detail: impl Into<String>) -> StoreError {
        damaged(&self.path, detail)
    }

    fn failure(&self) -> MutexGuard<'_, Option<StoreError>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

fn make_ready(path: &Path) -> Result<Room, StoreError> {
    fs::create_dir_all(path).map_err(|error| refused(path, &error))?;
    Room::before_opening(path)
}

/// Removes what an interrupted start left in the folder: sled would take the beginning of a snapshot for a whole one,
/// although the one before it is still there.
fn remove_unfinished(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn open_patiently(path: &Path) -> Result<Db, StoreError> {
    for pause in LOCK_PATIENCE {
        match open_once(path) {
            Err(StoreError::Locked(_)) => thread::sleep(pause),
            opened => return opened,
        }
    }
    open_once(path)
}

fn open_once(path: &Path) -> Result<Db, StoreError> {
    // A database that is still open elsewhere may be writing its snapshot.
    if File::open(path.join("db")).is_ok_and(|db| db.try_lock().is_err()) {
        return Err(StoreError::Locked(path.to_owned()));
    }
    remove_unfinished(path).map_err(|error| refused(path, &error))?;
    let config = Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    match catch_unwind(AssertUnwindSafe(|| config.open())) {
        Ok(opened) => opened.map_err(|error| explain(path, error)),
        Err(panic) => Err(damaged(path, panic_text(panic.as_ref()))),
    }
}

/// Makes sure that what sled just created is still there after a power cut. Returns a handle to its file.
fn settle_files(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).open(path.join("db"))?;
    file.sync_all()?;
    File::open(path.join("conf"))?.sync_all()?;
    File::open(path)?.sync_all()?;
    if let Some(parent) = path.canonicalize()?.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(file)
}

fn explain(path: &Path, error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => {
            StoreError::Locked(path.to_owned())
        }
        sled::Error::Io(error) if is_damage(error.kind()) => damaged(path, error.to_string()),
        sled::Error::Io(error) => refused(path, &error),
        sled::Error::Corruption { .. } => damaged(path, "a checksum does not fit"),
        sled::Error::ReportableBug(detail) | sled::Error::Unsupported(detail) => damaged(path, detail),
        sled::Error::CollectionNotFound(_) => damaged(path, "its tree is missing"),
    }
}

fn is_damage(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
}

fn refused(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Disk { path: path.to_owned(), detail: error.to_string() }
}

fn damaged(path: &Path, detail: impl Into<String>) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), detail: detail.into() }
}
