use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{AccountId, ChannelHealth, Cursor, Event, Inbound, Inbox, InboxError};

/// An inbox in memory that notes all it is asked, and can be told to misbehave.
pub struct TestInbox {
    notes: Mutex<Notes>,
    changed: watch::Sender<()>,
}

/// What an inbox does with the next events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Manner {
    #[default]
    Stores,
    /// Refuses this many batches that are not empty, then stores.
    Refuses(usize),
    /// Stores nothing and never answers, like a program that is killed in the middle.
    Hangs,
    /// Stores and never answers, like a program that is killed just after the disk.
    StoresAndHangs,
    /// Takes nothing any more: the program is stopping.
    IsStopping,
    /// The channel was first connected to another account.
    KnowsAnother,
}

#[derive(Default)]
struct Notes {
    manner: Manner,
    account: Option<AccountId>,
    early: bool,
    stored: Vec<Inbound>,
    offered: Vec<Inbound>,
    cursor: Option<Cursor>,
    health: Vec<ChannelHealth>,
}

impl TestInbox {
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(None, Manner::Stores)
    }

    pub(super) fn starting_at(cursor: Option<Cursor>, manner: Manner) -> Self {
        Self { notes: Mutex::new(Notes { manner, cursor, ..Notes::default() }), changed: watch::Sender::new(()) }
    }

    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.notes().account.clone()
    }

    /// Everything that was stored, in order; the same key again is in it again.
    #[must_use]
    pub fn stored(&self) -> Vec<Inbound> {
        self.notes().stored.clone()
    }

    /// Everything that was handed over, stored or not.
    #[must_use]
    pub fn offered(&self) -> Vec<Inbound> {
        self.notes().offered.clone()
    }

    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.notes().cursor.clone()
    }

    /// Every state that the adapter reported, in order.
    #[must_use]
    pub fn healths(&self) -> Vec<ChannelHealth> {
        self.notes().health.clone()
    }

    /// Whether events came before the account was named.
    #[must_use]
    pub fn had_early_events(&self) -> bool {
        self.notes().early
    }

    /// Looks again after each change, until there is something or the time is over.
    pub async fn wait<T>(&self, limit: Duration, look: impl Fn(&Self) -> Option<T>) -> Option<T> {
        let mut changed = self.changed.subscribe();
        let found = tokio::time::timeout(limit, async {
            loop {
                changed.mark_unchanged();
                if let Some(found) = look(self) {
                    return Some(found);
                }
                if changed.changed().await.is_err() {
                    return None;
                }
            }
        });
        found.await.unwrap_or_default()
    }

    fn note<T>(&self, write: impl FnOnce(&mut Notes) -> T) -> T {
        let written = write(&mut self.notes());
        self.changed.send_replace(());
        written
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Default for TestInbox {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Inbox for TestInbox {
    async fn connected(&self, account: AccountId) -> Result<(), InboxError> {
        let manner = self.note(|notes| {
            notes.account = Some(account);
            notes.manner
        });
        match manner {
            Manner::KnowsAnother => Err(InboxError::Account("the test wants another account".into())),
            Manner::Stores | Manner::Refuses(_) | Manner::Hangs | Manner::StoresAndHangs | Manner::IsStopping => Ok(()),
        }
    }

    async fn accept(&self, events: Vec<Inbound>, cursor: Option<Cursor>) -> Result<(), InboxError> {
        let manner = self.note(|notes| {
            notes.early |= notes.account.is_none() && !events.is_empty();
            notes.offered.extend(events.iter().cloned());
            notes.next_manner(&events)
        });
        match manner {
            Manner::Stores => {
                self.note(|notes| notes.store(events, cursor));
                Ok(())
            }
            Manner::Refuses(_) => Err(InboxError::Store("the test refuses this batch".into())),
            Manner::IsStopping => Err(InboxError::Stopping),
            Manner::KnowsAnother => Err(InboxError::Account("the test wants another account".into())),
            Manner::Hangs => std::future::pending().await,
            Manner::StoresAndHangs => {
                self.note(|notes| notes.stored.extend(events));
                std::future::pending().await
            }
        }
    }

    fn health(&self, state: ChannelHealth) {
        self.note(|notes| notes.health.push(state));
    }
}

impl Notes {
    /// Only messages and what else a person does count: what a real server says of itself is always stored.
    fn next_manner(&mut self, events: &[Inbound]) -> Manner {
        let by_people = events.iter().any(|inbound| matches!(inbound.event, Event::Message(_)));
        if !by_people {
            return Manner::Stores;
        }
        match self.manner {
            Manner::Refuses(0) => Manner::Stores,
            Manner::Refuses(left) => {
                self.manner = Manner::Refuses(left - 1);
                Manner::Refuses(left)
            }
            Manner::Stores | Manner::Hangs | Manner::StoresAndHangs | Manner::IsStopping | Manner::KnowsAnother => {
                self.manner
            }
        }
    }

    fn store(&mut self, events: Vec<Inbound>, cursor: Option<Cursor>) {
        self.stored.extend(events);
        if cursor.is_some() {
            self.cursor = cursor;
        }
    }
}
