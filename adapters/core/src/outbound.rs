use serde::{Deserialize, Serialize};

use crate::{Address, Content, OutboxKey, PlatformId, PlatformUser, ThreadId};

/// One send: at most one call that the other side can see. Its address was resolved a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    pub key: OutboxKey,
    pub to: Address,
    pub op: Op,
    /// When the row was written: after a day, a platform may have forgotten a transaction id.
    pub written_at: jiff::Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Begin a thread at a desk; the post is its card. [`Sent::thread`] must be set.
    OpenThread(Post),
    Post(Post),
    /// The whole new content of a message of ours.
    Edit {
        id: PlatformId,
        post: Post,
    },
    Delete {
        id: PlatformId,
    },
    /// `None` takes our reaction back.
    React {
        id: PlatformId,
        emoji: Option<String>,
    },
    /// A message that the platform approved beforehand (WhatsApp).
    Template {
        name: String,
        language: String,
        /// In the order of [`Template::parameters`].
        arguments: Vec<Argument>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    pub content: Content,
    pub style: Style,
    pub reply_to: Option<PlatformId>,
    /// Who is to be notified by name. Nobody else is, whatever the text says.
    pub mentions: Vec<PlatformUser>,
}

impl Post {
    #[must_use]
    pub fn words(text: impl Into<String>) -> Self {
        Self { content: Content::text(text), style: Style::Words, reply_to: None, mentions: Vec::new() }
    }
}

/// A message that the platform approved beforehand, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub name: String,
    /// As the platform writes it (`en_US`, `de`).
    pub language: String,
    /// What the customer reads, with `{{1}}` or `{{name}}` where a parameter stands.
    pub body: String,
    /// Each once, in the order in which the platform fills them: numbers as they count (`1`, `2`, none missing), names
    /// as they stand in `body`.
    pub parameters: Vec<String>,
    /// Why it cannot be sent from here, in words: not approved, or it has parts that need more than words.
    pub problem: Option<String>,
}

/// What takes a parameter's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// `None` where the template numbers its parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub text: String,
}

/// Who speaks, as far as the receiving platform can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A person's words; may notify.
    Words,
    /// The program speaks; does not notify (Matrix `m.notice`).
    Notice,
}

/// What `prepare` left behind for `send` (an upload's reference); kept with its row. `Null` where there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prepared(pub serde_json::Value);

/// What the platform called what we sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Set when a thread was opened.
    pub thread: Option<ThreadId>,
    pub ids: Vec<PlatformId>,
}

impl Sent {
    #[must_use]
    pub fn one(id: impl Into<PlatformId>) -> Self {
        Self { thread: None, ids: vec![id.into()] }
    }
}

/// What a look at the other side says about an uncertain send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Sent(Sent),
    /// It is certain that it did not arrive and will not.
    Absent,
    Unknown,
}

/// Shown if it can be at once, never queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    Typing,
    /// We have taken charge of everything up to this message.
    Seen(PlatformId),
}
