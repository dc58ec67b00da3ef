//! What the steps of one group read and write: the database, with their own changes before it.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::{Serialize, de::DeserializeOwned};
use sled::IVec;

use super::{
    super::StoreError,
    codec::{self, PIECE, Stored},
    disk::{Disk, panic_text},
    keys::{self, Key},
    room::Need,
};

type Changes = BTreeMap<Key, Option<IVec>>;

pub(super) struct Txn<'a> {
    disk: &'a Disk,
    changes: Changes,
    /// What the present step replaced in `changes`, to take it back.
    undo: Vec<(Key, Option<Option<IVec>>)>,
}

impl<'a> Txn<'a> {
    pub(super) fn new(disk: &'a Disk) -> Self {
        Self { disk, changes: Changes::new(), undo: Vec::new() }
    }

    /// Carries out a step: all of it, or, when it fails, none of it.
    pub(super) fn attempt<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.undo.clear();
        let outcome = catch_unwind(AssertUnwindSafe(|| step(self)))
            .unwrap_or_else(|panic| Err(self.damaged(panic_text(panic.as_ref()))));
        if outcome.is_err() {
            self.roll_back();
        }
        outcome
    }

    /// Whether the disk has room for a step.
    pub(super) fn room(&self, need: Need) -> Result<(), StoreError> {
        self.disk.room.check(need)
    }

    pub(super) fn into_changes(self) -> Changes {
        self.changes
    }

    pub(super) fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        let Some(value) = self.raw(key)? else { return Ok(None) };
        self.read(key, &value).map(Some)
    }

    /// A counter, 0 before its first use.
    pub(super) fn count(&self, key: &[u8]) -> Result<u64, StoreError> {
        Ok(self.get(key)?.unwrap_or_default())
    }

    pub(super) fn has(&self, key: &[u8]) -> Result<bool, StoreError> {
        Ok(self.raw(key)?.is_some())
    }

    pub(super) fn put<T: Serialize>(&mut self, key: Key, value: &T) -> Result<(), StoreError> {
        let bytes = codec::encode(value).map_err(|detail| self.damaged(detail))?;
        let old = self.pieces(&key)?;
        let mut new = 0;
        if bytes.len() > PIECE {
            for piece in bytes.chunks(PIECE) {
                self.set(keys::piece(&key, new), Some(piece.into()));
                new += 1;
            }
        }
        for stale in new..old {
            self.set(keys::piece(&key, stale), None);
        }
        let value = if new == 0 { bytes } else { codec::split(new) };
        self.set(key, Some(value.into()));
        Ok(())
    }

    pub(super) fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        for piece in 0..self.pieces(&key)? {
            self.set(keys::piece(&key, piece), None);
        }
        self.set(key, None);
        Ok(())
    }

    /// Up to `limit` values whose keys begin with `prefix` and come after `after`, in order.
    pub(super) fn scan<T: DeserializeOwned>(
        &self,
        prefix: &[u8],
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<(Key, T)>, StoreError> {
        let start = after.map_or_else(|| Bound::Included(prefix.to_vec()), Bound::Excluded);
        self.range(start, keys::end_of(prefix), limit)?
            .into_iter()
            .map(|(key, value)| self.read(&key, &value).map(|value| (key, value)))
            .collect()
    }

    /// Up to `limit` keys that begin with `prefix`, in order.
    pub(super) fn keys(&self, prefix: &[u8], limit: usize) -> Result<Vec<Key>, StoreError> {
        self.keys_until(prefix, keys::end_of(prefix), limit)
    }

    /// Up to `limit` keys from `start` on and before `end`, in order.
    pub(super) fn keys_until(&self, start: &[u8], end: Key, limit: usize) -> Result<Vec<Key>, StoreError> {
        let found = self.range(Bound::Included(start.to_vec()), end, limit)?;
        Ok(found.into_iter().map(|(key, _)| key).collect())
    }

    pub(super) fn damaged(&self, detail: impl Into<String>) -> StoreError {
        self.disk.damaged(detail)
    }

    fn range(&self, start: Bound<Key>, end: Key, limit: usize) -> Result<Vec<(Key, IVec)>, StoreError> {
        let end = Bound::Excluded(end);
        let mut ours = self.changes.range((start.clone(), end.clone())).peekable();
        let mut theirs = self.disk.range((start, end)).peekable();
        let mut found = Vec::new();
        while found.len() < limit {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) | (Some(_), Some(Err(_))) => Ordering::Greater,
                (Some((ours, _)), Some(Ok((theirs, _)))) => ours.as_slice().cmp(theirs.as_ref()),
            };
            if order.is_gt() {
                if let Some(pair) = theirs.next() {
                    let (key, value) = pair.map_err(|error| self.disk.explain(error))?;
                    found.push((key.to_vec(), value));
                }
                continue;
            }
            if order.is_eq() {
                theirs.next();
            }
            if let Some((key, Some(value))) = ours.next() {
                found.push((key.clone(), value.clone()));
            }
        }
        Ok(found)
    }

    fn raw(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        match self.changes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.disk.get(key),
        }
    }

    fn read<T: DeserializeOwned>(&self, key: &[u8], value: &[u8]) -> Result<T, StoreError> {
        let decoded = match codec::stored(value).map_err(|detail| self.damaged(detail))? {
            Stored::Whole(bytes) => codec::decode(bytes),
            Stored::Split(pieces) => codec::decode(&self.join(key, pieces)?),
        };
        decoded.map_err(|detail| self.damaged(format!("a record of table {}: {detail}", key.first().unwrap_or(&0))))
    }

    fn join(&self, key: &[u8], pieces: u32) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        for number in 0..pieces {
            let piece = self.raw(&keys::piece(key, number))?;
            bytes.extend_from_slice(&piece.ok_or_else(|| self.damaged("a piece of a long value is missing"))?);
        }
        Ok(bytes)
    }

    /// In how many pieces the present value lies beside its key.
    fn pieces(&self, key: &[u8]) -> Result<u32, StoreError> {
        let Some(value) = self.raw(key)? else { return Ok(0) };
        match codec::stored(&value).map_err(|detail| self.damaged(detail))? {
            Stored::Whole(_) => Ok(0),
            Stored::Split(pieces) => Ok(pieces),
        }
    }

    fn set(&mut self, key: Key, value: Option<IVec>) {
        let before = self.changes.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    fn roll_back(&mut self) {
        for (key, before) in self.undo.drain(..).rev() {
            match before {
                Some(value) => self.changes.insert(key, value),
                None => self.changes.remove(&key),
            };
        }
    }
}
