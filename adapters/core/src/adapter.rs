use std::{pin::Pin, sync::Arc};

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use futures::Stream;
use tokio_util::sync::CancellationToken;

use crate::{
    AccountId, Address, Capabilities, ChannelHealth, Cursor, Finding, Found, Inbound, InboxError, MediaRef, Outbound,
    Pace, Prepared, ReceiveError, RefusedScope, SendError, Sent, Signal, Template,
};

/// One channel: receives, sends, and says what it can do. Desks use the same interface as customers.
#[async_trait]
pub trait Adapter: Send + Sync {
    fn capabilities(&self) -> Capabilities;

    /// Receives until `stop`, from just after `from`; `Ok` only when it was asked to stop.
    ///
    /// Calls [`Inbox::connected`] first, hands over each batch with [`Inbox::accept`], and confirms it to the platform
    /// only after `Ok`. What it does not know becomes [`crate::Event::Unsupported`]. Is called again after an error.
    async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        from: Option<Cursor>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError>;

    /// Carries out one send, with at most one call that the other side can see.
    ///
    /// `Ok` means that the platform has it. Anything but [`SendError::Uncertain`] means that it certainly has not.
    /// Never waits longer than about a minute.
    async fn send(&self, message: &Outbound, prepared: &Prepared, media: &dyn Media) -> Result<Sent, SendError>;

    /// Opens a file that lies on this channel's platform.
    async fn fetch(&self, media: &MediaRef) -> Result<MediaStream, SendError> {
        let _ = media;
        Err(SendError::refused(RefusedScope::Content, "this channel has no files to fetch"))
    }

    /// The routes of a channel that is fed by webhooks.
    fn routes(&self, inbox: Arc<dyn Inbox>) -> Option<Router> {
        let _ = inbox;
        None
    }

    /// Whether a send may be repeated blindly, because the platform recognises it by its key.
    fn repeatable(&self, message: &Outbound) -> bool {
        let _ = message;
        false
    }

    /// What the platform paces a send to this address by.
    fn paces(&self, to: &Address) -> Vec<Pace> {
        let _ = to;
        Vec::new()
    }

    /// What can be done before the send, unseen and repeatable: uploads. Its result is kept with the row, so a row that
    /// is tried again is not prepared again.
    async fn prepare(&self, message: &Outbound, media: &dyn Media) -> Result<Prepared, SendError> {
        let _ = (message, media);
        Ok(Prepared::default())
    }

    /// Looks on the other side for a send whose outcome is uncertain.
    async fn find(&self, message: &Outbound) -> Result<Found, SendError> {
        let _ = message;
        Ok(Found::Unknown)
    }

    /// Shows typing or seen, if it can be done at once; never queued, never an error.
    async fn signal(&self, to: &Address, signal: Signal) {
        let _ = (to, signal);
    }

    /// The messages that the platform approved beforehand, each once for each of its languages. Empty where a platform
    /// has none. `Refused` with what to do where they cannot be read.
    async fn templates(&self) -> Result<Vec<Template>, SendError> {
        Ok(Vec::new())
    }

    /// Tries the account's credentials, rights and rooms, for `check --online`. Changes nothing.
    async fn probe(&self) -> Vec<Finding> {
        Vec::new()
    }
}

/// Where an adapter puts what arrives. Bound to one channel.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Which account the channel is connected to. Refuses another than the first one under this channel's name.
    async fn connected(&self, account: AccountId) -> Result<(), InboxError>;

    /// Returns once everything is on disk; what was seen before is dropped. Confirm to the platform only after `Ok`.
    async fn accept(&self, events: Vec<Inbound>, cursor: Option<Cursor>) -> Result<(), InboxError>;

    fn health(&self, state: ChannelHealth);
}

/// Files of any channel, streamed.
///
/// A stream that ends with an error was not the whole file: whoever passes it on must not let it count as one (an
/// upload is broken off). What went wrong with the file is known to whoever gave the `Media`: hand on the error as it is.
#[async_trait]
pub trait Media: Send + Sync {
    async fn open(&self, media: &MediaRef) -> Result<MediaStream, SendError>;
}

/// A file in pieces, never whole in memory.
pub struct MediaStream {
    /// Bytes, where it is known.
    pub size: Option<u64>,
    pub mime: Option<String>,
    pub chunks: Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>,
}
