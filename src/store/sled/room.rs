//! Room on the disk. A commit that finds none is torn, and sled may then not open its database again: so nothing new is
//! accepted well before that, and a reserve is let go in time for what is under way to end.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::super::StoreError;

const MIB: u64 = 1024 * 1024;
/// With less than this nothing new is accepted.
const LOW: u64 = 64 * MIB;
/// With less than this the reserve is let go.
const SCARCE: u64 = 16 * MIB;
const RESERVE: u64 = 32 * MIB;
/// sled writes a page again when a part of it changes.
const GROWTH: u64 = 4;

/// What a step is for: how much room there has to be so that it may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// To take in something new.
    New,
    /// To go on with what was taken in.
    Next,
    /// To note what has happened already.
    Note,
}

impl Need {
    fn room(self) -> u64 {
        match self {
            Self::New => LOW,
            Self::Next => 8 * MIB,
            Self::Note => 2 * MIB,
        }
    }
}

/// The disk under a folder.
#[derive(Debug)]
pub(super) struct Room {
    folder: PathBuf,
}

impl Room {
    /// Before the database is opened, which takes room as well.
    pub(super) fn before_opening(folder: &Path) -> Result<Self, StoreError> {
        let room = Self { folder: folder.to_owned() };
        room.check(Need::Next).map(|()| room)
    }

    /// Whether there is room; lets the reserve go when it is scarce.
    pub(super) fn check(&self, need: Need) -> Result<(), StoreError> {
        // Who cannot be asked is not doubted: the commit itself shows it.
        let Ok(mut free) = fs4::available_space(&self.folder) else { return Ok(()) };
        if free < SCARCE && fs::remove_file(self.reserve()).is_ok() {
            tracing::warn!(folder = %self.folder.display(), "the disk is almost full; the reserve is let go");
            free = fs4::available_space(&self.folder).unwrap_or(free);
        }
        if free >= need.room() { Ok(()) } else { Err(self.full()) }
    }

    /// Whether a commit of so many bytes finds room.
    pub(super) fn check_size(&self, bytes: usize) -> Result<(), StoreError> {
        let wanted = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(GROWTH).saturating_add(MIB);
        let free = fs4::available_space(&self.folder).unwrap_or(u64::MAX);
        if free >= wanted { Ok(()) } else { Err(self.full()) }
    }

    fn full(&self) -> StoreError {
        StoreError::Full { path: self.folder.clone(), wanted: LOW / MIB }
    }

    /// Puts the reserve aside, where there is room for it and it is not there yet.
    pub(super) fn put_aside(&self) {
        let there = fs::metadata(self.reserve()).is_ok_and(|found| found.len() == RESERVE);
        if there || fs4::available_space(&self.folder).is_ok_and(|free| free < LOW + RESERVE) {
            return;
        }
        if let Err(problem) = make(&self.reserve()) {
            let _ = fs::remove_file(self.reserve());
            tracing::warn!(%problem, folder = %self.folder.display(), "no room could be put aside for a full disk");
        }
    }

    fn reserve(&self) -> PathBuf {
        self.folder.join("reserve")
    }
}

/// A file whose blocks are really its own.
fn make(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    match fs4::FileExt::allocate(&file, RESERVE) {
        Ok(()) => {}
        // There is no room, or not for this user: writing would take the last of it.
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            return Err(error);
        }
        // Not every file system can.
        Err(_) => {
            let piece = vec![0xa5; 1 << 20];
            (0..RESERVE / MIB).try_for_each(|_| file.write_all(&piece))?;
        }
    }
    file.sync_all()
}
