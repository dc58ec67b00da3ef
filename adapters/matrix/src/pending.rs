use std::{collections::VecDeque, io, path::PathBuf};

use matrix_sdk::ruma::{OwnedEventId, OwnedRoomId};
use serde::{Deserialize, Serialize};

use crate::files;

/// More than this waits only after a disaster; then the oldest are given up.
const MAX: usize = 1_000;

/// Events that could not be decrypted and wait for their key, durably.
pub(crate) struct Pending {
    path: PathBuf,
    items: VecDeque<Item>,
    changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) room: OwnedRoomId,
    pub(crate) event: OwnedEventId,
    #[serde(default)]
    pub(crate) session: Option<String>,
}

impl Pending {
    pub(crate) fn load(path: PathBuf) -> io::Result<Self> {
        let items = match files::read(&path)? {
            Some(bytes) => serde_json::from_slice(&bytes)?,
            None => VecDeque::new(),
        };
        Ok(Self { path, items, changed: false })
    }

    pub(crate) fn add(&mut self, item: Item) {
        if self.contains(item.event.as_str()) {
            return;
        }
        if self.items.len() == MAX {
            self.items.pop_front();
        }
        self.items.push_back(item);
        self.changed = true;
    }

    pub(crate) fn contains(&self, event: &str) -> bool {
        self.items.iter().any(|item| item.event == event)
    }

    pub(crate) fn remove(&mut self, event: &str) {
        let before = self.items.len();
        self.items.retain(|item| item.event != event);
        self.changed |= self.items.len() != before;
    }

    /// Those that wait for one of these keys; all of them where it is not known which key came.
    pub(crate) fn waiting_for(&self, sessions: Option<&[String]>) -> Vec<Item> {
        let fits = |item: &&Item| match (sessions, &item.session) {
            (Some(sessions), Some(session)) => sessions.contains(session),
            (None, _) | (_, None) => true,
        };
        self.items.iter().filter(fits).cloned().collect()
    }

    /// Must come before the events themselves are handed over: an event read twice is then known for a late one.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        files::write_private(&self.path, &serde_json::to_vec(&self.items)?)?;
        self.changed = false;
        Ok(())
    }
}
