use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Address, Content, DeskName, EventKey, OutboxKey, PlatformId, PlatformUser, ThreadId};

/// One thing that happened on a channel, as its adapter hands it to the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// Unique in the channel; the same for a repeated delivery of the same thing.
    pub key: EventKey,
    pub side: Side,
    /// Whoever did it.
    pub from: Person,
    /// Where an answer would go.
    pub at: Address,
    /// The platform's own time: for display and for age, never for open or closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    pub event: Event,
}

/// Whose side of the counter an event happened on. One channel may be both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Customer,
    Desk { desk: DeskName, thread: Option<ThreadId> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: PlatformUser,
    pub kind: PersonKind,
    /// As the platform shows it; whatever the person typed there.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The language of the person's app, as the platform writes it (`de`, `pt-br`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Other names of the same identity (a phone number, a former id).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
}

impl Person {
    #[must_use]
    pub fn human(id: impl Into<PlatformUser>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind: PersonKind::Human,
            name: name.into(),
            first_name: None,
            username: None,
            language: None,
            aliases: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    Human,
    Bot,
    /// The platform itself.
    Service,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Message(Message),
    /// The whole new content of an earlier message.
    Edited {
        id: PlatformId,
        content: Content,
        /// See [`Message::notice`].
        #[serde(default)]
        notice: bool,
    },
    Deleted {
        ids: Vec<PlatformId>,
    },
    /// `emoji` is what now stands under the message from this person; `None` takes it back.
    Reaction {
        id: PlatformId,
        emoji: Option<String>,
    },
    /// What became of a message of ours. `key` where the platform carries it, else `id`.
    Status {
        key: Option<OutboxKey>,
        id: Option<PlatformId>,
        state: DeliveryState,
    },
    /// A message of the business itself that did not go through us: a human answer.
    Echo(Message),
    Member {
        user: PlatformUser,
        change: MemberChange,
    },
    /// The same person under a new id.
    IdentityMoved {
        from: PlatformUser,
        to: PlatformUser,
    },
    ChatMoved {
        from: Address,
        to: Address,
    },
    /// A thread, topic or room at a desk is gone; answers to it would be lost.
    ThreadGone {
        thread: ThreadId,
    },
    Blocked,
    Unblocked,
    /// The business knew the person before we did (its address book, its old chats). Opens nothing, causes nothing.
    Known,
    /// The person opened the chat without a question yet (`/start`); `payload` says where they came from.
    Started {
        payload: Option<String>,
    },
    /// A message that cannot be decrypted, kept raw. When it can be, it comes again as a message with the key
    /// `<key>#1`. Never an answer.
    Undecryptable {
        id: PlatformId,
        raw: RawJson,
    },
    /// People wrote at a desk that is not safe to read, and nothing of it ever will be; `why` completes "while". They
    /// are told when the desk can be written to again.
    Unread {
        why: String,
    },
    /// What this adapter does not know, kept raw.
    Unsupported {
        kind: String,
        raw: RawJson,
    },
}

/// What a platform sent, as the text it was: however deep it is nested, what holds it can be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(pub String);

impl From<serde_json::Value> for RawJson {
    fn from(value: serde_json::Value) -> Self {
        Self(value.to_string())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: PlatformId,
    pub content: Content,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<PlatformId>,
    /// Marked by the platform as written by a machine (Matrix `m.notice`, an automatic reply): never answered
    /// automatically, never taken for an operator's answer.
    #[serde(default)]
    pub notice: bool,
    /// The platform says it was forwarded.
    #[serde(default)]
    pub forwarded: bool,
}

impl Message {
    #[must_use]
    pub fn text(id: impl Into<PlatformId>, text: impl Into<String>) -> Self {
        Self { id: id.into(), content: Content::text(text), reply_to: None, notice: false, forwarded: false }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DeliveryState {
    Sent,
    Delivered,
    Read,
    Failed {
        reason: String,
    },
    /// The platform took it, and then did not deliver it: the customer has to write again before we may.
    WindowClosed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberChange {
    Joined,
    Left,
    Invited,
}
