use std::time::Duration;

use crate::{Address, Bucket};

/// Why a send did not succeed: what is certain about it, and therefore what may be done.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Certainly not carried out; the platform asks for patience. `after` is its own figure or, where it names
    /// none, the adapter's estimate.
    #[error("the platform asks to wait {after:?}")]
    RetryAfter { after: Duration, bucket: Option<Bucket> },
    /// Certainly not carried out: never connected, or refused in so many words for now.
    #[error("not carried out for now: {0}")]
    Transient(String),
    /// Perhaps carried out: the request went out and no answer came that says.
    #[error("perhaps carried out: {0}")]
    Uncertain(String),
    /// The platform lets a business write only for some time after the customer's last message.
    #[error("the customer has to write again before the platform lets us answer")]
    WindowClosed,
    /// The chat has a new address; the same send works there.
    #[error("the chat has moved")]
    Moved(Address),
    /// Certainly not carried out, and it will not be. `reason` is a sentence for people that names the cure.
    #[error("refused ({scope:?}): {reason}")]
    Refused { scope: RefusedScope, reason: String },
}

/// What a refusal is about, and therefore what else it stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedScope {
    /// This message.
    Content,
    /// This chat, thread or room.
    Recipient,
    /// Everything on this channel: token, right or payment.
    Account,
}

/// Which of the errors it is, without its particulars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendErrorKind {
    RetryAfter,
    Transient,
    Uncertain,
    WindowClosed,
    Moved,
    Refused(RefusedScope),
}

impl SendError {
    #[must_use]
    pub fn kind(&self) -> SendErrorKind {
        match self {
            Self::RetryAfter { .. } => SendErrorKind::RetryAfter,
            Self::Transient(_) => SendErrorKind::Transient,
            Self::Uncertain(_) => SendErrorKind::Uncertain,
            Self::WindowClosed => SendErrorKind::WindowClosed,
            Self::Moved(_) => SendErrorKind::Moved,
            Self::Refused { scope, .. } => SendErrorKind::Refused(*scope),
        }
    }

    #[must_use]
    pub fn refused(scope: RefusedScope, reason: impl Into<String>) -> Self {
        Self::Refused { scope, reason: reason.into() }
    }
}

/// Why an adapter stopped receiving.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// Nothing will change by itself: a revoked token, another program with the same token. Says the cure. The
    /// channel is tried again now and then all the same.
    #[error("{0}")]
    Account(String),
    /// It is worth trying again soon.
    #[error("{0}")]
    Transient(String),
    #[error(transparent)]
    Inbox(#[from] InboxError),
}

/// Why the inbox did not take events: nothing of the batch was stored, and nothing may be confirmed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InboxError {
    /// The disk, or what lies on it.
    #[error("the store cannot take messages: {0}")]
    Store(String),
    /// The channel's account is another than the one that it was first connected to.
    #[error("{0}")]
    Account(String),
    #[error("the program is stopping")]
    Stopping,
}
