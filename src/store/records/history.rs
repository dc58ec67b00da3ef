//! What was said, what it is called on the platforms, and why something automatic was said or not.

use frontdesk_core::{
    Address, Argument, ChannelId, ChatId, Content, DeliveryState, DeskName, PlatformId, PlatformUser, ThreadId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ContactId, ConversationId, MessageKey};
use crate::notices::Kind;

/// A message of the history: both sides, notes and automatic texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    pub key: MessageKey,
    pub conversation: ConversationId,
    pub author: Author,
    pub at: Timestamp,
    /// The platform's own time.
    #[serde(default)]
    pub sent_at: Option<Timestamp>,
    pub content: Content,
    #[serde(default)]
    pub reply_to: Option<MessageKey>,
    /// Its own name where it was written; what we sent on is in the bindings.
    #[serde(default)]
    pub source: Option<MessageRef>,
    /// In order, the latest [`MessageRecord::CHANGES`].
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Set when it goes out as a message that the platform approved beforehand; the content is what the customer reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateUsed>,
}

/// Which approved message, with what in the place of its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateUsed {
    pub name: String,
    pub language: String,
    pub arguments: Vec<Argument>,
}

impl MessageRecord {
    pub const CHANGES: usize = 64;

    /// What the message says by now.
    #[must_use]
    pub fn current(&self) -> &Content {
        let edits = self.changes.iter().rev().filter_map(|change| match &change.what {
            ChangeKind::Edited { content } => Some(content),
            ChangeKind::Deleted | ChangeKind::Delivery { .. } | ChangeKind::Uncertain => None,
        });
        edits.into_iter().next().unwrap_or(&self.content)
    }

    /// Whether an attempt to send it ended badly.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.changes.iter().any(|change| match &change.what {
            ChangeKind::Uncertain => true,
            ChangeKind::Delivery { delivery } => {
                matches!(delivery, DeliveryState::Failed { .. } | DeliveryState::WindowClosed)
            }
            ChangeKind::Edited { .. } | ChangeKind::Deleted => false,
        })
    }

    /// What became of the latest attempt to send it; `None` before there was one, or when nobody knows.
    #[must_use]
    pub fn delivery(&self) -> Option<&DeliveryState> {
        let last = self.changes.iter().rev().find(|change| match change.what {
            ChangeKind::Delivery { .. } | ChangeKind::Uncertain => true,
            ChangeKind::Edited { .. } | ChangeKind::Deleted => false,
        });
        match &last?.what {
            ChangeKind::Delivery { delivery } => Some(delivery),
            ChangeKind::Uncertain | ChangeKind::Edited { .. } | ChangeKind::Deleted => None,
        }
    }

    /// Whether nobody knows what became of the latest attempt to send it.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        let attempts = self.changes.iter().rev().filter_map(|change| match change.what {
            ChangeKind::Delivery { .. } => Some(false),
            ChangeKind::Uncertain => Some(true),
            ChangeKind::Edited { .. } | ChangeKind::Deleted => None,
        });
        attempts.into_iter().next().unwrap_or_default()
    }

    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.changes.iter().any(|change| change.what == ChangeKind::Deleted)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "author", rename_all = "snake_case")]
pub enum Author {
    Customer,
    Operator {
        id: PlatformUser,
        name: String,
    },
    /// An operator, to the colleagues only.
    Note {
        id: PlatformUser,
        name: String,
    },
    /// The business itself, not through us.
    Business,
    Automatic {
        kind: Kind,
    },
    /// Cards, failures, answers to commands.
    Program,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: ChangeKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ChangeKind {
    Edited {
        content: Content,
    },
    Deleted,
    Delivery {
        delivery: DeliveryState,
    },
    /// Sent perhaps: put before the operator, or dropped and noted.
    Uncertain,
}

/// A chat or a desk: what a platform's message ids are unique in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum Place {
    Chat { channel: ChannelId, scope: Option<String>, chat: ChatId },
    Desk { desk: DeskName },
}

impl Place {
    #[must_use]
    pub fn of(channel: &ChannelId, address: &Address) -> Self {
        match address {
            Address::Chat { chat, scope, .. } => {
                Self::Chat { channel: channel.clone(), scope: scope.clone(), chat: chat.clone() }
            }
            Address::Desk { desk, .. } => Self::Desk { desk: desk.clone() },
        }
    }
}

/// A message in the platform's words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageRef {
    pub place: Place,
    pub id: PlatformId,
}

/// Why something automatic was said, or not: what `!why` reads and the dispatcher asks before it speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    pub contact: ContactId,
    pub conversation: Option<ConversationId>,
    pub at: Timestamp,
    pub kind: Kind,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Decided on; waits for the customer's silence.
    Planned,
    /// Written to the outbox.
    Said,
    Silent {
        reason: Silence,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    AlreadyAcknowledged,
    KnownBefore,
    HumanPresent,
    Answered,
    NoticeThisPeriod,
    SameWords,
    Budget,
    Old,
    NotNews,
    OnlyThanks,
    NotAPerson,
    Blocked,
    SwitchedOff,
    /// Not sent in time.
    Expired,
    /// Perhaps sent; better silent than twice.
    Uncertain,
    /// The platform refused it.
    Refused,
    /// The owner took it out of the queue.
    Dropped,
    Closed,
    /// An operator changed the hours that it told.
    HoursChanged,
}

/// What arrived before the message that it changes: applied when the message arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: ChangeKind,
    /// An edit counts only from whoever wrote the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PlatformUser>,
    /// When the author was told that the message could not be read, where that was before the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
}

impl Mark {
    #[must_use]
    pub fn new(at: Timestamp, what: ChangeKind) -> Self {
        Self { at, what, by: None, told_at: None }
    }

    /// When the author was told that the message could not be read.
    #[must_use]
    pub fn unreadable_since(&self) -> Option<Timestamp> {
        match self.what {
            ChangeKind::Uncertain => Some(self.at),
            ChangeKind::Edited { .. } | ChangeKind::Deleted | ChangeKind::Delivery { .. } => self.told_at,
        }
    }
}

/// A thread at a desk and the conversation it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadBinding {
    pub conversation: ConversationId,
    pub desk: DeskName,
    pub thread: ThreadId,
}
