//! What is kept. Every type here lies on disk: change one only so that what is there can still be read
//! (`#[serde(default)]` for a new field), and raise the version byte where that does not do.

use std::fmt;

use frontdesk_core::{Address, ChannelId, Content, DeskName, PlatformUser};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::notices::{Kind, Lang};

mod history;
mod hours;
mod inbox;
mod known;
mod outbox;
mod piece;

pub use history::*;
pub use hours::*;
pub use inbox::*;
pub use known::*;
pub use outbox::*;

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
    /// What they write in, as far as that is sure.
    #[serde(default)]
    pub detected: Option<Lang>,
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
    /// The platform's time of the person's last message, as long as it may count for the platform's reply window: `None`
    /// when they never wrote, or when the platform said that its window is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// Names that they gave up, newest last, at most [`Identity::FORMER`]: whoever has one of them now is somebody else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Former>,
}

/// A name that was somebody's until then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    pub name: String,
    pub until: Timestamp,
}

impl Identity {
    pub const FORMER: usize = 8;

    /// Whether what happens under a name of theirs at that time may be theirs.
    #[must_use]
    pub fn went_by(&self, name: &str, at: Timestamp) -> bool {
        self.former.iter().all(|former| former.name != name || at <= former.until)
    }
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
    /// The customer's latest message.
    #[serde(default)]
    pub last_words: Option<MessageKey>,
    /// An operator blocked the customer here.
    #[serde(default)]
    pub blocked: Option<Blocked>,
    /// The thread or its card was lost while the conversation was closed: it is opened anew with the next message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thread_lost: bool,
    /// When the latest answer was written that did go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sent_at: Option<Timestamp>,
    /// Answers that wait until the customer writes again, oldest first, at most [`Conversation::UNDELIVERED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<MessageKey>,
    /// The timer that reminds the operators before the platform's reply window closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder: Option<TimerId>,
    /// When the customer read the latest answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// The customer's messages whose files could not be shown, oldest first: what `!retry` asks for again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unshown: Vec<MessageKey>,
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
    /// Whether the customer has said anything in it. One that we began may be without.
    #[must_use]
    pub fn has_heard(&self) -> bool {
        self.last_words.is_some() || self.last_customer_at > self.opened_at || self.waiting_since.is_some()
    }

    /// Undelivered answers, and files that were not shown, that are remembered for `!retry`.
    pub const UNDELIVERED: usize = 20;
}

/// What a blocked customer writes is kept in the history and shown to nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    pub at: Timestamp,
    /// The operator's name.
    pub by: String,
    /// How many messages have come since.
    pub messages: u64,
    /// When the first of them came.
    #[serde(default)]
    pub first_at: Option<Timestamp>,
    /// The latest of them, oldest first, at most [`Blocked::KEPT`]: what `!unblock` shows.
    #[serde(default)]
    pub latest: Vec<MessageKey>,
}

impl Blocked {
    /// Messages that `!unblock` shows.
    pub const KEPT: usize = 20;
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    pub message: MessageKey,
    /// Only this piece of it, of an answer that was sent in several.
    #[serde(default, with = "piece")]
    pub piece: Option<Content>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub timer: TimerId,
    pub kind: Kind,
    /// When the first message of the burst came in; decides open or closed.
    pub since: Timestamp,
}
