//! What is kept. Every type here lies on disk: change one only so that what is there can still be read
//! (`#[serde(default)]` for a new field), and raise the version byte where that does not do.

use std::fmt;

use frontdesk_core::{
    Address, ChannelId, ChatId, Content, DeliveryState, DeskName, Inbound, OutboxKey, PlatformId, PlatformUser,
    Prepared, Sent, Style, ThreadId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::notices::{Kind, Lang};

macro_rules! number_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

number_id! {
    /// A person.
    ContactId;
    /// A person's account on one channel.
    IdentityId;
    /// One episode with one identity.
    ConversationId;
    /// A message that passed, whoever wrote it.
    MessageKey;
    /// An event's place in the order of arrival.
    InboxSeq;
    /// A row of the outbox.
    RowNumber;
    TimerId;
}

/// The last ids given out. Committed with what they were given to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    pub contact: ContactId,
    pub identity: IdentityId,
    pub conversation: ConversationId,
    pub message: MessageKey,
    pub timer: TimerId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub id: ContactId,
    pub identities: Vec<IdentityId>,
    pub first_heard_at: Timestamp,
    /// The first acknowledgement, once for ever; set for people the business knew before, too.
    #[serde(default)]
    pub acknowledged_at: Option<Timestamp>,
    /// When a human of the business last answered.
    #[serde(default)]
    pub human_at: Option<Timestamp>,
    /// When an after-hours notice was last decided on.
    #[serde(default)]
    pub notice_at: Option<Timestamp>,
    /// The latest automatic texts, oldest first, at most [`Contact::KEPT`].
    #[serde(default)]
    pub automatic: Vec<AutomaticSent>,
    /// What the operator set.
    #[serde(default)]
    pub language: Option<Lang>,
    /// An operator does not want to hear from them.
    #[serde(default)]
    pub blocked: bool,
}

impl Contact {
    /// More than the budget of a week could ever hold.
    pub const KEPT: usize = 24;
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutomaticSent {
    pub at: Timestamp,
    pub kind: Kind,
    /// Of the text's words, so that the same words are not said twice.
    pub fingerprint: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub id: IdentityId,
    pub contact: ContactId,
    pub channel: ChannelId,
    pub user: PlatformUser,
    /// Where to send: the latest that is known.
    pub address: Address,
    /// As the platform shows it.
    pub name: String,
    #[serde(default)]
    pub first_name: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    /// The platform's language code.
    #[serde(default)]
    pub language: Option<String>,
    /// The person blocked us.
    #[serde(default)]
    pub unreachable: bool,
    /// The latest conversation.
    #[serde(default)]
    pub conversation: Option<ConversationId>,
    /// Where a first contact came from (Telegram's `/start` payload), until a conversation begins.
    #[serde(default)]
    pub origin: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub id: ConversationId,
    pub identity: IdentityId,
    pub contact: ContactId,
    pub desk: DeskName,
    pub state: ConversationState,
    pub opened_at: Timestamp,
    /// The episode before, with the same identity.
    #[serde(default)]
    pub previous: Option<ConversationId>,
    /// The first message that nobody has answered.
    #[serde(default)]
    pub waiting_since: Option<Timestamp>,
    pub last_customer_at: Timestamp,
    #[serde(default)]
    pub last_human_at: Option<Timestamp>,
    /// The card's message.
    pub card: MessageKey,
    /// The card's text as it should be.
    pub card_text: String,
    /// An automatic text that waits for the customer's silence.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// The timer that closes the conversation when nothing more is said.
    #[serde(default)]
    pub idle: Option<TimerId>,
    /// Answers that could not be delivered or whose delivery is uncertain, oldest first: what `!retry` repeats.
    #[serde(default)]
    pub undelivered: Vec<Undelivered>,
    #[serde(default)]
    pub taken_by: Option<PlatformUser>,
    #[serde(default)]
    pub origin: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ConversationState {
    Open,
    /// `by` is who closed it; without one it was closed by silence.
    Closed {
        at: Timestamp,
        by: Option<String>,
    },
}

impl Conversation {
    /// Undelivered answers that are remembered for `!retry`.
    pub const UNDELIVERED: usize = 20;
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    pub message: MessageKey,
    /// Only this piece of it, of an answer that was sent in several.
    #[serde(default)]
    pub piece: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub timer: TimerId,
    pub kind: Kind,
    /// When the first message of the burst came in; decides open or closed.
    pub since: Timestamp,
}

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
            ChangeKind::Delivery { delivery } => matches!(delivery, DeliveryState::Failed { .. }),
            ChangeKind::Edited { .. } | ChangeKind::Deleted => false,
        })
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
    Closed,
}

/// Where a row goes. It is the lane: rows of one target go out in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Customer(IdentityId),
    Thread(ConversationId, DeskName),
    Desk(DeskName),
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
        arguments: Vec<String>,
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
    /// The operators know that this row is late.
    #[serde(default)]
    pub delay_told: bool,
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
    /// A later row says it all.
    Superseded,
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub id: TimerId,
    pub due: Timestamp,
    pub kind: TimerKind,
    pub conversation: ConversationId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// An automatic text after the customer's silence.
    Automatic,
    /// Close a conversation in which we spoke last.
    Idle,
}

/// What the inbox holds until it is dispatched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRow {
    pub seq: InboxSeq,
    /// The stamp: our time when it was stored. It decides open or closed.
    pub at: Timestamp,
    #[serde(flatten)]
    pub fact: Fact,
    /// Set while it is parked: it names something that is not known yet.
    #[serde(default)]
    pub parked_since: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant)]
pub enum Fact {
    Inbound { channel: ChannelId, inbound: Inbound },
    Settled { settled: Settled },
    Due { timer: Timer },
}

/// What arrived before the message that it changes: applied when the message arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: ChangeKind,
}

/// A thread at a desk and the conversation it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadBinding {
    pub conversation: ConversationId,
    pub desk: DeskName,
    pub thread: ThreadId,
}
