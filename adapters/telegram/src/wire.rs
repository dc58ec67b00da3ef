//! What the Bot API sends, as far as we read it. Unknown fields and kinds never make an update unreadable.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct Update {
    #[serde(flatten)]
    pub kind: UpdateKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UpdateKind {
    Message(Box<Message>),
    EditedMessage(Box<Message>),
    MessageReaction(Reaction),
    MyChatMember(ChatMemberUpdated),
}

#[derive(Deserialize)]
pub(crate) struct Message {
    pub message_id: i64,
    pub date: i64,
    pub edit_date: Option<i64>,
    pub chat: Chat,
    pub from: Option<User>,
    pub business_connection_id: Option<String>,
    pub message_thread_id: Option<i64>,
    #[serde(default)]
    pub is_topic_message: bool,
    pub forward_origin: Option<Value>,
    pub reply_to_message: Option<RepliedTo>,
    pub text: Option<String>,
    pub caption: Option<String>,
    pub photo: Option<Vec<File>>,
    pub animation: Option<File>,
    pub video: Option<File>,
    pub video_note: Option<File>,
    pub audio: Option<File>,
    pub voice: Option<File>,
    pub document: Option<File>,
    pub sticker: Option<File>,
    pub venue: Option<Venue>,
    pub location: Option<Location>,
    pub contact: Option<Contact>,
    /// Everything else, by its name.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
pub(crate) struct RepliedTo {
    pub message_id: i64,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Chat {
    pub id: i64,
    #[serde(rename = "type")]
    pub kind: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub username: Option<String>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct User {
    pub id: i64,
    #[serde(default)]
    pub is_bot: bool,
    #[serde(default)]
    pub first_name: String,
    pub last_name: Option<String>,
    pub username: Option<String>,
    pub language_code: Option<String>,
}

/// Whatever has a `file_id`.
#[derive(Deserialize)]
pub(crate) struct File {
    pub file_id: String,
    pub file_name: Option<String>,
    pub mime_type: Option<String>,
    pub file_size: Option<u64>,
    pub duration: Option<u32>,
    /// Stickers.
    pub emoji: Option<String>,
    #[serde(default)]
    pub is_animated: bool,
    #[serde(default)]
    pub is_video: bool,
}

#[derive(Deserialize)]
pub(crate) struct Location {
    pub latitude: f64,
    pub longitude: f64,
    pub live_period: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct Venue {
    pub location: Location,
    pub title: String,
    pub address: String,
}

#[derive(Deserialize)]
pub(crate) struct Contact {
    pub phone_number: String,
    pub first_name: String,
    pub last_name: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Reaction {
    pub chat: Chat,
    pub message_id: i64,
    pub user: Option<User>,
    pub date: i64,
    #[serde(default)]
    pub old_reaction: Vec<ReactionType>,
    #[serde(default)]
    pub new_reaction: Vec<ReactionType>,
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ReactionType {
    /// Where it is an ordinary one.
    pub emoji: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ChatMemberUpdated {
    pub chat: Chat,
    pub from: User,
    pub date: i64,
    pub new_chat_member: ChatMember,
}

#[derive(Deserialize)]
pub(crate) struct ChatMember {
    pub status: String,
}

impl Chat {
    pub fn is_private(&self) -> bool {
        self.kind == "private"
    }
}
