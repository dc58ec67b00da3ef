//! What the platform knows: chats with their messages, updates that wait, and every call the bot made.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fault::Fault;

/// One of the bot's messages, as people see it now.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub chat_id: i64,
    pub message_id: i64,
    /// `text`, `photo`, `document` ...: which field of the message holds the content.
    pub kind: String,
    /// The text, or the caption.
    pub text: String,
    pub reply_to: Option<i64>,
    pub thread: Option<i64>,
    pub edited: bool,
    pub deleted: bool,
    pub at: Timestamp,
    /// The whole `Message`.
    pub raw: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub at: Timestamp,
    /// As the documentation spells it: `sendMessage`.
    pub method: String,
    pub params: Value,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Still open, or the caller went away.
    Open,
    Done,
    Refused {
        code: u16,
        description: String,
    },
    /// One of the test's faults; `carried_out` says whether it had an effect.
    Failed {
        fault: Fault,
        carried_out: bool,
    },
}

impl Call {
    pub fn carried_out(&self) -> bool {
        match &self.outcome {
            Outcome::Done => true,
            Outcome::Failed { carried_out, .. } => *carried_out,
            Outcome::Open | Outcome::Refused { .. } => false,
        }
    }

    /// The words of a send, and where they should go.
    pub fn words(&self) -> (String, String) {
        let words = self.params.get("text").or_else(|| self.params.get("caption"));
        (self.params["chat_id"].to_string(), words.and_then(Value::as_str).unwrap_or_default().to_owned())
    }
}

/// Why a method was refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub code: u16,
    pub description: String,
    pub parameters: Option<Value>,
}

impl Refusal {
    pub fn new(code: u16, description: &str) -> Self {
        Self { code, description: description.to_owned(), parameters: None }
    }

    pub fn bad(what: &str) -> Self {
        Self::new(400, &format!("Bad Request: {what}"))
    }

    pub fn forbidden(what: &str) -> Self {
        Self::new(403, &format!("Forbidden: {what}"))
    }

    pub fn with(mut self, parameters: Value) -> Self {
        self.parameters = Some(parameters);
        self
    }
}

/// How the bot stands in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The user has never written to the bot.
    Stranger,
    Open,
    Blocked,
    Deactivated,
    Kicked,
    Moved(i64),
}

pub(super) struct Chat {
    /// The `Chat` object.
    pub value: Value,
    pub standing: Standing,
    pub last_message: i64,
    pub messages: BTreeMap<i64, Stored>,
    pub topics: BTreeMap<i64, String>,
}

#[derive(Clone)]
pub(super) struct Stored {
    /// The `Message` object.
    pub value: Value,
    pub kind: String,
    pub by_bot: bool,
    pub deleted: bool,
    /// The bot's own.
    pub reactions: Vec<String>,
    pub at: Timestamp,
}

pub(super) struct State {
    pub bot_id: i64,
    /// Set by the test; `None` is the real time.
    pub time: Option<Timestamp>,
    pub users: BTreeMap<i64, Value>,
    pub chats: BTreeMap<i64, Chat>,
    pub files: BTreeMap<String, Vec<u8>>,
    pub calls: Vec<Call>,
    /// What waits to be confirmed.
    pub updates: VecDeque<Value>,
    /// All that were ever made, and what each call that succeeded was answered, for the check against the schema.
    pub all_updates: Vec<Value>,
    pub answers: Vec<(String, Value)>,
    pub next_update: i64,
    /// The next answer with several updates has them in reverse.
    pub reverse: bool,
    pub allowed: Vec<String>,
    pub webhook: String,
    /// The `getUpdates` that counts: a later one ends it.
    pub poller: u64,
    pub open_poll: Option<u64>,
}

impl State {
    pub fn new(bot_id: i64) -> Self {
        Self {
            bot_id,
            time: None,
            users: BTreeMap::new(),
            chats: BTreeMap::new(),
            files: BTreeMap::new(),
            calls: Vec::new(),
            updates: VecDeque::new(),
            all_updates: Vec::new(),
            answers: Vec::new(),
            next_update: 730_000_001,
            reverse: false,
            allowed: Vec::new(),
            webhook: String::new(),
            poller: 0,
            open_poll: None,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.time.unwrap_or_else(Timestamp::now)
    }

    pub fn bot(&self) -> Value {
        json!({ "id": self.bot_id, "is_bot": true, "first_name": "Front desk", "username": "frontdesk_test_bot" })
    }

    /// A chat that the test made.
    pub fn chat(&mut self, id: i64) -> &mut Chat {
        self.chats.get_mut(&id).unwrap_or_else(|| panic!("there is no chat {id}: make it with user() or group()"))
    }

    pub fn message(&self, chat: i64, id: i64) -> Option<&Stored> {
        self.chats.get(&chat)?.messages.get(&id).filter(|stored| !stored.deleted)
    }

    pub fn topics(&self, chat: i64) -> Vec<(i64, String)> {
        let chat = self.chats.get(&chat);
        chat.map(|chat| chat.topics.clone().into_iter().collect()).unwrap_or_default()
    }

    pub fn received(&self, chat: i64) -> Vec<Sent> {
        self.ever_sent(chat).into_iter().filter(|sent| !sent.deleted).collect()
    }

    pub fn ever_sent(&self, chat: i64) -> Vec<Sent> {
        let messages = self.chats.get(&chat).into_iter().flat_map(|chat| chat.messages.values());
        messages.filter(|stored| stored.by_bot).map(Stored::as_sent).collect()
    }

    /// Gives the message its id and date, and keeps it.
    pub fn store(&mut self, chat_id: i64, from: Value, kind: &str, content: Value) -> Value {
        let at = self.now();
        let by_bot = from["id"] == self.bot_id;
        let chat = self.chat(chat_id);
        chat.last_message += 1;
        let mut value = json!({ "message_id": chat.last_message, "date": at.as_second(), "chat": chat.value });
        if chat.value["type"] == "channel" {
            value["sender_chat"] = chat.value.clone();
        } else {
            value["from"] = from;
        }
        merge(&mut value, content);
        let stored = Stored { value: value.clone(), kind: kind.into(), by_bot, deleted: false, reactions: vec![], at };
        chat.messages.insert(chat.last_message, stored);
        value
    }
}

impl Stored {
    fn as_sent(&self) -> Sent {
        let words = self.value.get("text").or_else(|| self.value.get("caption"));
        Sent {
            chat_id: self.value["chat"]["id"].as_i64().unwrap_or_default(),
            message_id: self.value["message_id"].as_i64().unwrap_or_default(),
            kind: self.kind.clone(),
            text: words.and_then(Value::as_str).unwrap_or_default().to_owned(),
            reply_to: self.value["reply_to_message"]["message_id"].as_i64(),
            thread: self.value["message_thread_id"].as_i64(),
            edited: self.value.get("edit_date").is_some(),
            deleted: self.deleted,
            at: self.at,
            raw: self.value.clone(),
        }
    }
}

/// Puts the fields of `more` into the object.
pub(super) fn merge(object: &mut Value, more: Value) {
    let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) else { return };
    object.extend(more);
}
