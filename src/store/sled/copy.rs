//! A copy of everything while the work goes on.
//!
//! The records are read in the order of their keys, a page at a time; what is committed meanwhile is taken down beside
//! it. While a page is read, and what was taken down before it is fetched, no commit is under way. So the pieces,
//! repeated in order, pass through states that nobody ever saw, and end in the one that there was at the last page.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
};

use sled::IVec;

use super::{
    super::{Copied, StoreError, Take},
    disk::Disk,
    keys::{self, Key},
};

/// Records in one piece: they are read in a few milliseconds, in which commits wait.
const PAGE: usize = 512;
/// What is committed while a piece is being taken. More than this, and the copy is given up.
const BACKLOG: usize = 16 * 1024 * 1024;

const PUT: u8 = 1;
const REMOVE: u8 = 0;

/// Takes down what is committed while a copy is being made.
#[derive(Default)]
pub(super) struct Tap {
    open: Mutex<Option<Backlog>>,
    /// Held by the one copy at a time.
    copying: Mutex<()>,
}

#[derive(Default)]
struct Backlog {
    changes: Vec<u8>,
    overrun: bool,
}

impl Tap {
    /// The changes of a commit as a copy says them; `None` while no copy is being made.
    pub(super) fn read(&self, changes: &BTreeMap<Key, Option<IVec>>) -> Option<Vec<u8>> {
        self.backlog().as_ref()?;
        let mut piece = Vec::new();
        changes.iter().for_each(|(key, value)| write(&mut piece, key, value.as_ref()));
        Some(piece)
    }

    /// They are on disk now.
    pub(super) fn keep(&self, piece: Option<Vec<u8>>) {
        let (Some(piece), Some(backlog)) = (piece, &mut *self.backlog()) else { return };
        if backlog.changes.len() + piece.len() > BACKLOG {
            backlog.overrun = true;
            backlog.changes = Vec::new();
        }
        if !backlog.overrun {
            backlog.changes.extend_from_slice(&piece);
        }
    }

    fn backlog(&self) -> MutexGuard<'_, Option<Backlog>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`super::super::Archive::copy`]. Blocks.
pub(super) fn copy(disk: &Arc<Disk>, mut take: Take) -> Result<Copied, StoreError> {
    let _alone = match disk.tap.copying.try_lock() {
        Ok(alone) => alone,
        Err(TryLockError::Poisoned(alone)) => alone.into_inner(),
        Err(TryLockError::WouldBlock) => return Ok(Copied::Another),
    };
    let open = Open::new(disk);
    let (mut after, mut records) = (None, 0);
    loop {
        let step = disk.look(|disk| step(disk, after.as_ref()))?;
        if step.overrun {
            return Ok(Copied::Overrun);
        }
        records += step.records;
        if take(&step.piece).is_break() {
            return Ok(Copied::BrokenOff);
        }
        match step.last {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    drop(open);
    Ok(Copied::Whole { records })
}

/// Closes the tap however the copy ends.
struct Open<'a>(&'a Disk);

impl<'a> Open<'a> {
    fn new(disk: &'a Disk) -> Self {
        *disk.tap.backlog() = Some(Backlog::default());
        Self(disk)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        *self.0.tap.backlog() = None;
    }
}

struct Step {
    /// What was committed since the last step, then a page.
    piece: Vec<u8>,
    records: u64,
    /// Where the next page begins; `None` when this was the last.
    last: Option<Key>,
    overrun: bool,
}

fn step(disk: &Disk, after: Option<&Key>) -> Result<Step, StoreError> {
    let mut tap = disk.tap.backlog();
    let Backlog { changes: mut piece, overrun } = tap.as_mut().map(std::mem::take).unwrap_or_default();
    let start = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.clone()));
    let (mut records, mut last) = (0, None);
    for pair in disk.range((start, Bound::Unbounded)).take(PAGE) {
        let (key, value) = pair.map_err(|error| disk.explain(error))?;
        write(&mut piece, &key, Some(&value));
        records += 1;
        last = Some(key.to_vec());
    }
    if records < PAGE as u64 {
        // Nothing that is committed from now on belongs to the copy.
        *tap = None;
        last = None;
    }
    Ok(Step { piece, records, last, overrun })
}

fn write(piece: &mut Vec<u8>, key: &[u8], value: Option<&IVec>) {
    write_part(piece, key);
    match value {
        Some(value) => {
            piece.push(PUT);
            write_part(piece, value);
        }
        None => piece.push(REMOVE),
    }
}

fn write_part(piece: &mut Vec<u8>, part: &[u8]) {
    piece.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    piece.extend_from_slice(part);
}

/// The changes of a piece, in order; `None` where it is not one.
pub(super) fn read(mut piece: &[u8]) -> Option<Vec<(Key, Option<IVec>)>> {
    let mut changes = Vec::new();
    while !piece.is_empty() {
        let key = read_part(&mut piece)?.to_vec();
        let (tag, rest) = piece.split_first()?;
        piece = rest;
        let value = match *tag {
            PUT => Some(IVec::from(read_part(&mut piece)?)),
            REMOVE => None,
            _ => return None,
        };
        changes.push((key, value));
    }
    Some(changes)
}

fn read_part<'a>(piece: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = piece.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (part, rest) = rest.split_at_checked(length)?;
    *piece = rest;
    Some(part)
}

/// Whether a key is the store's own header, which a copy does not take along.
pub(super) fn is_header(key: &[u8]) -> bool {
    key == keys::meta("header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_says_what_was_put_and_removed() {
        let mut piece = Vec::new();
        write(&mut piece, b"a", Some(&IVec::from(b"value")));
        write(&mut piece, b"b", None);
        let changes = read(&piece).unwrap();
        assert_eq!(changes, [(b"a".to_vec(), Some(IVec::from(b"value"))), (b"b".to_vec(), None)]);
        assert!(read(&piece[..piece.len() - 1]).is_none());
        assert!(read(&[0, 0, 0, 1, b'a', 7]).is_none());
    }

    #[test]
    fn nothing_is_taken_down_while_no_copy_is_made() {
        let tap = Tap::default();
        let changes = BTreeMap::from([(b"a".to_vec(), None)]);
        assert_eq!(tap.read(&changes), None);
        *tap.backlog() = Some(Backlog::default());
        assert!(tap.read(&changes).is_some());
    }
}
