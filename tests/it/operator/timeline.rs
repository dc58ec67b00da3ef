//! One event of a room, as the operator's client has it.

use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct TimelineEvent {
    pub event_id: String,
    pub sender: String,
    /// `m.room.message`, `m.reaction` ...; `m.room.encrypted` where it could not be decrypted.
    #[serde(rename = "type")]
    pub kind: String,
    pub state_key: Option<String>,
    pub sent_at_ms: i64,
    pub content: Value,
    /// It came encrypted, whether it could be read or not.
    pub encrypted: bool,
    /// What a redaction removes.
    pub redacts: Option<String>,
}

impl TimelineEvent {
    pub fn msgtype(&self) -> &str {
        self.content["msgtype"].as_str().unwrap_or_default()
    }

    /// As sent: an edit's begins with an asterisk, see `new_body`.
    pub fn body(&self) -> &str {
        self.content["body"].as_str().unwrap_or_default()
    }

    pub fn formatted_body(&self) -> Option<&str> {
        self.content["formatted_body"].as_str()
    }

    /// The users in `m.mentions`.
    pub fn mentions(&self) -> Vec<String> {
        let users = self.content["m.mentions"]["user_ids"].as_array().into_iter().flatten();
        users.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub fn thread_root(&self) -> Option<&str> {
        self.related("m.thread")
    }

    /// The event it replies to; not the one that stands in for clients without threads.
    pub fn reply_to(&self) -> Option<&str> {
        let relation = &self.content["m.relates_to"];
        let to = relation["m.in_reply_to"]["event_id"].as_str();
        to.filter(|_| relation["is_falling_back"] != true)
    }

    /// The event that this one edits.
    pub fn replaces(&self) -> Option<&str> {
        self.related("m.replace")
    }

    /// What the edit makes of it.
    pub fn new_body(&self) -> Option<&str> {
        self.content["m.new_content"]["body"].as_str()
    }

    /// The event this reacts to, and with what.
    pub fn reaction(&self) -> Option<(&str, &str)> {
        Some((self.related("m.annotation")?, self.content["m.relates_to"]["key"].as_str()?))
    }

    pub fn undecryptable(&self) -> bool {
        self.kind == "m.room.encrypted"
    }

    fn related(&self, kind: &str) -> Option<&str> {
        let relation = &self.content["m.relates_to"];
        relation["event_id"].as_str().filter(|_| relation["rel_type"] == kind)
    }
}
