//! What the owner's tools ask of the store, beside the road of a message.

use std::ops::ControlFlow;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{Conversation, ConversationId, Identity, Known, KnownAs, MessageKey, MessageRecord, Store, StoreError};

/// Reads for people, what they bring along, and how long it is kept.
#[async_trait]
pub trait Archive: Store {
    /// A conversation and whom it is with.
    async fn conversation(&self, id: ConversationId) -> Result<Option<(Conversation, Identity)>, StoreError>;

    /// The newest before `before`, newest first; what lies further back comes with the next page.
    async fn conversations(&self, before: Option<ConversationId>, limit: usize) -> Result<Page, StoreError>;

    /// Conversations that wait for an answer, at whatever desk, those that wait longest first.
    async fn waiting_longest(&self, limit: usize) -> Result<Vec<(Conversation, Identity)>, StoreError>;

    /// Messages of a conversation, oldest first.
    async fn history(
        &self,
        conversation: ConversationId,
        after: Option<MessageKey>,
        limit: usize,
    ) -> Result<Vec<MessageRecord>, StoreError>;

    /// Remembers people under the names that their platforms may tell, at once. Whom we have met already counts as
    /// greeted. Returns how many were not known yet.
    async fn know(&self, people: Vec<(KnownAs, Known)>) -> Result<usize, StoreError>;

    /// Hands every record, and every change that is made meanwhile, to `take`, a piece at a time. Whoever repeats the
    /// pieces in order has the state that the store had when this returned. Nothing waits for longer than it takes to
    /// read one piece.
    async fn copy(&self, take: Take) -> Result<Copied, StoreError>;

    /// Removes what was said in conversations that were closed longer than `keep` ago, a bounded piece at a time.
    /// Contacts and who they are stay, so that nobody is greeted twice. Returns whether there is more.
    async fn retire(&self, at: Timestamp, keep: SignedDuration) -> Result<bool, StoreError>;
}

/// A page of conversations, newest first.
#[derive(Debug, Default)]
pub struct Page {
    pub found: Vec<(Conversation, Identity)>,
    /// Where the next page begins; `None` after the last one.
    pub before: Option<ConversationId>,
}

/// Takes the pieces of a copy; may break it off.
pub type Take = Box<dyn FnMut(&[u8]) -> ControlFlow<()> + Send>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    Whole {
        records: u64,
    },
    /// By whoever took the pieces.
    BrokenOff,
    /// More was written than could be copied in the same time.
    Overrun,
    /// Nothing was read: another copy is being made.
    Another,
}
