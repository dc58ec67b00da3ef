use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_id! {
    /// One configured account on one messenger: kind, dot, the owner's name for it (`telegram.shop`).
    ChannelId;
    /// The account behind a channel, as the platform names it: bot id, Matrix user id, phone number id.
    AccountId;
    /// The owner's name of a desk (`main`).
    DeskName;
    /// A person, as the platform names them.
    PlatformUser;
    /// A chat, as the platform names it.
    ChatId;
    /// A thread, topic or room at a desk, as the platform names it.
    ThreadId;
    /// A message, as the platform names it; unique in its chat only.
    PlatformId;
    /// What makes an event unique in its channel, so that a repeated delivery is recognised.
    EventKey;
    /// How far a channel has been read: a sync token or the like, kept with the events it stands for.
    Cursor;
    /// What a platform paces together: a room, a group, an account. Unique in its channel.
    Bucket;
}

/// Names one row of the outbox for ever: the store's random instance and a counter.
///
/// It travels in transaction ids and in messages, so that a send is recognised when it is repeated or comes back.
/// Written as `instance-number`, both in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct OutboxKey {
    pub instance: u64,
    pub number: u64,
}

impl fmt::Display for OutboxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:x}", self.instance, self.number)
    }
}

impl From<OutboxKey> for String {
    fn from(key: OutboxKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for OutboxKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parse = |hex: &str| u64::from_str_radix(hex, 16).ok();
        text.split_once('-')
            .and_then(|(instance, number)| Some(Self { instance: parse(instance)?, number: parse(number)? }))
            .ok_or_else(|| format!("`{text}` is not an outbox key"))
    }
}

/// Where a message goes or came from, in the platform's words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// A customer's chat. `scope` is the part of the account that the chat belongs to, where ids are only unique
    /// inside it (Telegram's business connection).
    Chat {
        chat: ChatId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<ThreadId>,
    },
    /// A desk of this channel; without a thread, the room itself. The adapter knows where its desks are.
    Desk { desk: DeskName, thread: Option<ThreadId> },
}

impl Address {
    #[must_use]
    pub fn chat(chat: impl Into<ChatId>) -> Self {
        Self::Chat { chat: chat.into(), scope: None, thread: None }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_outbox_key_survives_its_text_form() {
        let key = OutboxKey { instance: 0x00ab_cdef_0123_4567, number: u64::MAX };
        assert_eq!(OutboxKey::try_from(key.to_string()), Ok(key));
        assert_eq!(serde_json::to_string(&key).unwrap(), "\"00abcdef01234567-ffffffffffffffff\"");
    }

    #[test]
    fn nonsense_is_not_an_outbox_key() {
        for text in ["", "-", "12", "x-1", "1-x"] {
            assert!(OutboxKey::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
