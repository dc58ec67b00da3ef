//! What has still to be sent, and how it ended.

use frontdesk_core::{Argument, Content, DeskName, OutboxKey, PlatformUser, Prepared, Sent, Style};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConversationId, IdentityId, MessageKey, RowNumber};
use crate::notices::{Kind, fingerprint};

/// Where a row goes. It is the lane: rows of one target go out in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Customer(IdentityId),
    Thread(ConversationId, DeskName),
    Desk(DeskName),
}

impl Target {
    /// Where it is for the operators.
    #[must_use]
    pub fn desk(&self) -> Option<&DeskName> {
        match self {
            Self::Customer(_) => None,
            Self::Thread(_, desk) | Self::Desk(desk) => Some(desk),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A customer's words to the desk.
    Relay,
    /// A human's words to the customer.
    Answer,
    Automatic(Kind),
    Card,
    Failure,
    /// What the program says to the operators: answers to commands, hints.
    Reply,
}

/// What the dispatcher appends to the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRow {
    pub target: Target,
    pub purpose: Purpose,
    pub op: RowOp,
    #[serde(default)]
    pub conversation: Option<ConversationId>,
    /// The message of the history that this row carries.
    #[serde(default)]
    pub message: Option<MessageKey>,
    /// The person whose words these are.
    #[serde(default)]
    pub sender: Option<PlatformUser>,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Not sent when a human has answered the contact since then.
    #[serde(default)]
    pub unless_answered: Option<Timestamp>,
    /// After this the row is given up; rows to a desk never are.
    #[serde(default)]
    pub give_up_at: Option<Timestamp>,
    /// The row carries only a piece of its message, so that an edit of the message cannot be folded into it.
    #[serde(default)]
    pub piece: bool,
    /// How the row begins; afterwards its state tells.
    #[serde(skip)]
    pub hold: Option<HoldReason>,
}

/// At most one call that the other side can see. Messages are named by our own key, never by a platform's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum RowOp {
    OpenThread {
        content: Content,
        /// The card before, which this one links.
        #[serde(default)]
        reply_to: Option<MessageKey>,
    },
    Post {
        content: Content,
        style: Style,
        #[serde(default)]
        reply_to: Option<MessageKey>,
        #[serde(default)]
        mentions: Vec<PlatformUser>,
    },
    Edit {
        message: MessageKey,
        content: Content,
        style: Style,
    },
    Delete {
        message: MessageKey,
        /// Which of its pieces, from 0.
        #[serde(default)]
        piece: usize,
    },
    React {
        message: MessageKey,
        emoji: Option<String>,
    },
    Template {
        name: String,
        language: String,
        arguments: Vec<Argument>,
    },
}

/// A row of the outbox. Only the outbox changes it after it was appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub number: RowNumber,
    /// Rows of a target go by `(order, Reverse(number))`: a thread that must be opened again is put before the row that
    /// found it gone, with that row's order.
    pub order: u64,
    pub written_at: Timestamp,
    #[serde(flatten)]
    pub what: NewRow,
    pub state: RowState,
    #[serde(default)]
    pub attempts: u32,
    /// Not before this; kept so that a restart does not hurry a platform that asked for patience.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    #[serde(default)]
    pub prepared: Prepared,
    /// An earlier attempt may have arrived: what goes to a desk then says so.
    #[serde(default)]
    pub possibly_repeated: bool,
    /// How often it has had a new thread opened for it.
    #[serde(default)]
    pub reopened: u32,
    /// The operators know that this row is late.
    #[serde(default)]
    pub delay_told: bool,
}

impl Row {
    /// Waits until the customer writes again.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.state == RowState::Held { reason: HoldReason::WindowClosed }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum RowState {
    Queued,
    /// Marked before a call that cannot be repeated; found so at the start, its outcome is uncertain.
    InFlight,
    Held {
        reason: HoldReason,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The platform's reply window is closed; goes out by itself when the customer writes.
    WindowClosed,
    /// An operator should look first.
    Guard,
}

/// How a row ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Sent {
        sent: Sent,
    },
    /// Refused for good, or given up; a sentence for people.
    Failed {
        reason: String,
    },
    /// Perhaps sent: put before the operator, or dropped and noted.
    Uncertain {
        reason: String,
    },
    Expired,
    /// A human answered first.
    Answered,
    /// An operator blocked the customer first.
    Blocked,
    /// It tells opening hours, and an operator changed them first.
    HoursChanged,
    /// A later row says it all.
    Superseded,
    /// The owner took it out of the queue.
    Dropped,
    /// An operator took back what waited.
    TakenBack,
    /// Not ended: the row waits for something that a person does. The platform has certainly not delivered it.
    Held {
        reason: HoldReason,
    },
    /// Not ended: the row waits for longer than people expect, and goes out by itself.
    Delayed {
        reason: String,
    },
}

/// An outcome as it enters the inbox: an internal fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    pub key: OutboxKey,
    pub target: Target,
    pub purpose: Purpose,
    pub conversation: Option<ConversationId>,
    pub message: Option<MessageKey>,
    /// Which edit, deletion or reaction it was, for people; a post without.
    pub verb: Verb,
    /// The words of a row that carried only a piece of its message.
    #[serde(default)]
    pub piece: Option<String>,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    Post,
    Edit,
    Delete,
    React,
}

/// Names a piece of a message by its words, without keeping them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PieceMark(u64);

impl PieceMark {
    #[must_use]
    pub fn of(words: &str) -> Self {
        Self(fingerprint(words))
    }
}
