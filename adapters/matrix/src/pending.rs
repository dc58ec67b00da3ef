use std::{collections::VecDeque, io, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use matrix_sdk::ruma::{OwnedEventId, OwnedRoomId};
use serde::{Deserialize, Serialize};

use crate::files;

/// More than this waits only after a disaster; then the oldest are given up.
const MAX: usize = 1_000;

/// Whose key has not come after so long has lost it.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Keys mostly come within this time.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// Events that could not be decrypted and wait for their key, durably.
pub(crate) struct Pending {
    path: PathBuf,
    items: VecDeque<Item>,
    changed: bool,
    /// With which the next turn begins.
    next: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) room: OwnedRoomId,
    pub(crate) event: OwnedEventId,
    #[serde(default)]
    pub(crate) session: Option<String>,
    /// When it was noted; files of before did not say it.
    #[serde(default = "Timestamp::now")]
    pub(crate) noted: Timestamp,
}

impl Pending {
    pub(crate) fn load(path: PathBuf) -> io::Result<Self> {
        let items: VecDeque<Item> = match files::read(&path)? {
            Some(bytes) => serde_json::from_slice(&bytes)?,
            None => VecDeque::new(),
        };
        let changed = !items.is_empty();
        Ok(Self { path, items, changed, next: 0 })
    }

    pub(crate) fn add(&mut self, item: Item) {
        if self.contains(item.event.as_str()) {
            return;
        }
        if self.items.len() == MAX {
            self.items.pop_front();
            self.next = self.next.saturating_sub(1);
        }
        self.items.push_back(item);
        self.changed = true;
    }

    pub(crate) fn contains(&self, event: &str) -> bool {
        self.items.iter().any(|item| item.event == event)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether something waits whose key is likely to come any moment.
    pub(crate) fn fresh(&self, now: Timestamp) -> bool {
        self.items.iter().any(|item| now.duration_since(item.noted) < FRESH)
    }

    pub(crate) fn remove(&mut self, event: &str) {
        let Some(at) = self.items.iter().position(|item| item.event == event) else { return };
        self.items.remove(at);
        if at < self.next {
            self.next -= 1;
        }
        self.changed = true;
    }

    /// Gives up what has waited too long.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        let before = self.items.len();
        self.items.retain(|item| now.duration_since(item.noted) < KEPT);
        self.changed |= self.items.len() != before;
    }

    /// Those that wait for one of these keys.
    pub(crate) fn waiting_for(&self, sessions: &[String]) -> Vec<Item> {
        let fits = |item: &&Item| item.session.as_ref().is_none_or(|session| sessions.contains(session));
        self.items.iter().filter(fits).cloned().collect()
    }

    /// At most so many, beginning after the one that was tried last.
    pub(crate) fn turn(&self, max: usize) -> Vec<Item> {
        let next = if self.next < self.items.len() { self.next } else { 0 };
        self.items.iter().skip(next).chain(self.items.iter().take(next)).take(max).cloned().collect()
    }

    pub(crate) fn tried(&mut self, event: &str) {
        if let Some(at) = self.items.iter().position(|item| item.event == event) {
            self.next = at + 1;
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pending(items: VecDeque<Item>) -> Pending {
        Pending { path: PathBuf::from("unused"), items, changed: false, next: 0 }
    }

    fn item(number: usize, noted: Timestamp) -> Item {
        let (room, event) = ("!r:example.org".try_into().unwrap(), format!("$e{number}").try_into().unwrap());
        Item { room, event, session: Some(format!("s{number}")), noted }
    }

    fn turn(pending: &Pending, max: usize) -> Vec<String> {
        pending.turn(max).iter().map(|item| item.event.to_string()).collect()
    }

    #[test]
    fn a_turn_begins_after_what_was_tried_last_and_comes_round() {
        let mut pending = pending((0..4).map(|number| item(number, Timestamp::now())).collect());
        assert_eq!(turn(&pending, 2), ["$e0", "$e1"]);
        pending.tried("$e0");
        pending.tried("$e1");
        assert_eq!(turn(&pending, 3), ["$e2", "$e3", "$e0"]);
        pending.remove("$e1");
        assert_eq!(turn(&pending, 9), ["$e2", "$e3", "$e0"]);
        pending.tried("$e3");
        assert_eq!(turn(&pending, 1), ["$e0"]);
    }

    #[test]
    fn what_waits_for_a_week_is_given_up() {
        let noted = Timestamp::UNIX_EPOCH;
        let mut pending = pending(VecDeque::from([item(0, noted), item(1, noted + SignedDuration::from_hours(48))]));
        pending.expire(noted + SignedDuration::from_hours(7 * 24));
        assert_eq!(turn(&pending, 9), ["$e1"]);
        assert!(pending.changed);
    }

    #[test]
    fn a_key_is_for_its_own_events_and_for_those_whose_key_is_not_known() {
        let mut unknown = item(2, Timestamp::now());
        unknown.session = None;
        let pending = pending(VecDeque::from([item(0, Timestamp::now()), item(1, Timestamp::now()), unknown.clone()]));
        assert_eq!(pending.waiting_for(&["s1".into()]), [pending.items[1].clone(), unknown]);
    }

    #[test]
    fn a_file_without_times_is_read_and_its_week_begins_now() {
        let old = r#"{"room": "!r:example.org", "event": "$e", "session": "s"}"#;
        let now = Timestamp::now();
        assert!(serde_json::from_str::<Item>(old).unwrap().noted >= now);
    }
}
