//! The store in one folder on this machine. The only place that names sled.

use std::{
    panic::resume_unwind,
    path::Path,
    sync::{Arc, PoisonError},
};

use async_trait::async_trait;
use frontdesk_core::{AccountId, Address, ChannelId, Cursor, DeskName, Inbound};
use jiff::Timestamp;

use super::{Backlog, Decide, Dispatched, Ended, Fact, IdentityId, Outcome, Row, RowNumber, Store, StoreError, Ticket};

mod accept;
mod apply;
mod archive;
mod asked;
mod backlog;
mod cases;
mod codec;
mod committer;
mod copy;
mod disk;
mod dispatch;
mod held;
mod keys;
mod outbox;
mod restore;
mod retire;
mod room;
mod tidy;
mod txn;

use room::Need;

#[cfg(test)]
mod tests;

pub use restore::{Restore, Restored};

/// Closes with its last user; then the folder can be opened again.
pub struct SledStore {
    instance: u64,
    committer: committer::Committer,
}

impl SledStore {
    /// Opens the store in a folder, or makes it. Blocks.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let disk = disk::Disk::open(path.as_ref())?;
        Ok(Self { instance: disk.instance(), committer: committer::Committer::new(Arc::new(disk)) })
    }
}

#[async_trait]
impl Store for SledStore {
    fn instance(&self) -> u64 {
        self.instance
    }

    async fn account(&self, channel: &ChannelId, account: &AccountId) -> Result<AccountId, StoreError> {
        let (channel, account) = (channel.clone(), account.clone());
        self.committer.step(move |txn| accept::account(txn, &channel, &account)).await
    }

    async fn cursor(&self, channel: &ChannelId) -> Result<Option<Cursor>, StoreError> {
        let key = keys::cursor(channel);
        self.committer.read(move |txn| txn.get(&key)).await
    }

    async fn accept(
        &self,
        channel: &ChannelId,
        at: Timestamp,
        events: Vec<Inbound>,
        cursor: Option<Cursor>,
    ) -> Result<usize, StoreError> {
        let channel = channel.clone();
        self.committer.step_in(Need::New, move |txn| accept::accept(txn, &channel, at, events, cursor)).await
    }

    async fn dispatch(
        &self,
        at: Timestamp,
        timers: bool,
        limit: usize,
        decide: Arc<dyn Decide>,
    ) -> Result<Dispatched, StoreError> {
        let panic = dispatch::Panic::default();
        let work = dispatch::Dispatch { instance: self.instance, at, timers, limit, decide, panic: Arc::clone(&panic) };
        let outcome = self.committer.step(move |txn| work.run(txn)).await;
        // A judge that panics is its owner's concern, and leaves nothing behind here.
        let panicked = panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        panicked.map_or(outcome, |panic| resume_unwind(panic))
    }

    async fn rows(&self, after: Option<RowNumber>, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.committer.read(move |txn| outbox::rows(txn, after, limit)).await
    }

    async fn ticket(&self, row: RowNumber) -> Result<Option<Ticket>, StoreError> {
        self.committer.read(move |txn| outbox::ticket(txn, row)).await
    }

    async fn update(&self, row: Row) -> Result<bool, StoreError> {
        self.committer.step(move |txn| outbox::update(txn, row)).await
    }

    async fn fold(&self, row: Row, folded: Vec<RowNumber>) -> Result<(), StoreError> {
        self.committer.step(move |txn| outbox::fold(txn, row, folded)).await
    }

    async fn settle(&self, row: RowNumber, at: Timestamp, outcome: Outcome) -> Result<Option<Ended>, StoreError> {
        let instance = self.instance;
        self.committer.step_in(Need::Note, move |txn| outbox::settle(txn, instance, row, at, outcome)).await
    }

    async fn delayed(&self, row: RowNumber, at: Timestamp, reason: String) -> Result<(), StoreError> {
        let instance = self.instance;
        self.committer.step(move |txn| outbox::delayed(txn, instance, row, at, reason)).await
    }

    async fn hold(
        &self,
        row: RowNumber,
        at: Timestamp,
        heard_at: Option<Timestamp>,
    ) -> Result<Option<bool>, StoreError> {
        let instance = self.instance;
        self.committer.step(move |txn| held::hold(txn, instance, row, at, heard_at)).await
    }

    async fn release(&self, row: RowNumber) -> Result<bool, StoreError> {
        self.committer.step(move |txn| held::release(txn, row)).await
    }

    async fn reopen_thread(&self, row: RowNumber, at: Timestamp) -> Result<Option<Row>, StoreError> {
        self.committer.step(move |txn| outbox::reopen_thread(txn, row, at)).await
    }

    async fn notice(&self, at: Timestamp, desk: &DeskName, text: String) -> Result<(), StoreError> {
        let fact = Fact::Notice { desk: desk.clone(), text };
        self.committer.step(move |txn| accept::append(txn, at, vec![fact])).await
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.committer.read(|txn| backlog::backlog(txn)).await
    }

    async fn moved(&self, identity: IdentityId, to: Address) -> Result<(), StoreError> {
        self.committer.step(move |txn| outbox::moved(txn, identity, to)).await
    }

    async fn tidy(&self, at: Timestamp) -> Result<bool, StoreError> {
        self.committer.step(move |txn| tidy::tidy(txn, at)).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let written = self.committer.step_in(Need::New, |txn| txn.put(keys::meta("probe"), &())).await;
        self.committer.put_aside().await;
        written
    }

    fn room(&self) -> Result<(), StoreError> {
        self.committer.room(Need::New)
    }
}
