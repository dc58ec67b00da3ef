use frontdesk_core::{
    Address, Event, EventKey, Inbound, Message as Said, Person, PersonKind, PlatformId, Side, ThreadId,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    content::{Wordless, content},
    wire::{Chat, ChatMemberUpdated, Message, Reaction, Update, UpdateKind, User},
};

/// What became of an update.
#[derive(Debug, PartialEq)]
pub(crate) enum Converted {
    Inbound(Box<Inbound>),
    /// It happened in a group or channel, where nobody is our customer.
    Elsewhere {
        chat: i64,
        kind: String,
    },
}

/// The id that confirms an update; `None` if this is no update at all.
pub(crate) fn update_id(raw: &Value) -> Option<i64> {
    raw.get("update_id")?.as_i64()
}

/// Never fails: what cannot be read is kept as [`Event::Unsupported`].
pub(crate) fn convert(id: i64, raw: Value) -> Converted {
    if let Some(elsewhere) = elsewhere(&raw) {
        return elsewhere;
    }
    let known = serde_json::from_value::<Update>(raw.clone()).ok();
    let read = known.and_then(|update| match update.kind {
        UpdateKind::Message(message) => from_message(&message, &raw),
        UpdateKind::EditedMessage(message) => from_edit(&message, &raw),
        UpdateKind::MessageReaction(reaction) => from_reaction(reaction),
        UpdateKind::MyChatMember(change) => from_my_chat_member(change),
    });
    let (from, at, sent_at, event) = read.unwrap_or_else(|| unsupported(raw));
    Converted::Inbound(Box::new(Inbound {
        key: EventKey::from(id.to_string()),
        side: Side::Customer,
        from,
        at,
        sent_at,
        event,
    }))
}

type Read = (Person, Address, Option<Timestamp>, Event);

/// Telegram's own account: login codes and news.
const TELEGRAM: i64 = 777_000;

fn from_message(message: &Message, raw: &Value) -> Option<Read> {
    // A chat of the owner's own account that the bot may see: not the bot's chat with this person.
    if message.business_connection_id.is_some() {
        return None;
    }
    let id = PlatformId::from(message.message_id.to_string());
    let forwarded = message.forward_origin.is_some();
    let event = match (content(message), started(message)) {
        (Ok(_), Some(payload)) if !forwarded => Event::Started { payload },
        (Ok(content), _) => Event::Message(Said {
            id,
            content,
            reply_to: message.reply_to_message.as_ref().map(|other| other.message_id.to_string().into()),
            notice: false,
            forwarded,
        }),
        (Err(Wordless { kind }), _) => Event::Unsupported { kind, raw: raw.clone().into() },
    };
    Some((sender(message), address(&message.chat, thread(message)), time(message.date), event))
}

fn from_edit(message: &Message, raw: &Value) -> Option<Read> {
    if message.business_connection_id.is_some() {
        return None;
    }
    // A live location is an edit every few seconds, for hours.
    let is_live = message.location.as_ref().is_some_and(|location| location.live_period.is_some());
    let event = match content(message) {
        Ok(_) if is_live => Event::Unsupported { kind: "live location".into(), raw: raw.clone().into() },
        Ok(content) => Event::Edited { id: message.message_id.to_string().into(), content, notice: false },
        Err(Wordless { kind }) => Event::Unsupported { kind, raw: raw.clone().into() },
    };
    let at = address(&message.chat, thread(message));
    Some((sender(message), at, time(message.edit_date.unwrap_or(message.date)), event))
}

/// A custom or a paid reaction has no emoji, and stays unread.
fn from_reaction(reaction: Reaction) -> Option<Read> {
    let Reaction { chat, message_id, user, date, old_reaction, new_reaction } = reaction;
    let added = new_reaction.iter().find(|kind| !old_reaction.contains(kind));
    let emoji = match added.or(new_reaction.last()) {
        Some(kind) => Some(kind.emoji.clone()?),
        None => None,
    };
    let event = Event::Reaction { id: message_id.to_string().into(), emoji };
    Some((person(&user?), address(&chat, None), time(date), event))
}

/// In a private chat: the person blocks the bot or takes that back.
fn from_my_chat_member(change: ChatMemberUpdated) -> Option<Read> {
    let event = match change.new_chat_member.status.as_str() {
        "kicked" => Event::Blocked,
        "member" => Event::Unblocked,
        _ => return None,
    };
    Some((person(&change.from), address(&change.chat, None), time(change.date), event))
}

/// Kept raw under whatever can be found of who and where.
fn unsupported(raw: Value) -> Read {
    let field = raw.as_object().and_then(|update| update.iter().find(|(name, _)| *name != "update_id"));
    let (kind, body) = field.map_or(("update", &Value::Null), |(name, body)| (name.as_str(), body));
    let kind = kind.to_owned();
    let user = body.get("from").or_else(|| body.get("user"));
    let user = user.and_then(|user| serde_json::from_value::<User>(user.clone()).ok());
    let from = user.map_or_else(service, |user| person(&user));
    let chat = body.pointer("/chat/id").and_then(Value::as_i64).map(|id| id.to_string());
    let scope = body.get("business_connection_id").and_then(Value::as_str).map(str::to_owned);
    let at = Address::Chat { chat: chat.unwrap_or_else(|| from.id.to_string()).into(), scope, thread: None };
    let sent_at = body.get("date").and_then(Value::as_i64).and_then(time);
    (from, at, sent_at, Event::Unsupported { kind, raw: raw.into() })
}

fn elsewhere(raw: &Value) -> Option<Converted> {
    let chats = raw.as_object()?.values().filter_map(|body| body.get("chat"));
    chats.filter_map(|chat| serde_json::from_value::<Chat>(chat.clone()).ok()).find_map(|chat| {
        let Chat { id, kind, .. } = &chat;
        (!chat.is_private()).then(|| Converted::Elsewhere { chat: *id, kind: kind.clone() })
    })
}

/// `/start`, and what stood behind it in the link that the person followed.
fn started(message: &Message) -> Option<Option<String>> {
    let text = message.text.as_deref()?.trim();
    let (command, payload) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let command = command.split_once('@').map_or(command, |(command, _)| command);
    let payload = payload.trim();
    // Links carry 1 to 64 of these characters; anything else was typed, and is a question.
    let from_link = payload.len() <= 64 && payload.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (command == "/start" && from_link).then(|| (!payload.is_empty()).then(|| payload.to_owned()))
}

/// In a private chat the sender is the chat, also where the message does not name one.
fn sender(message: &Message) -> Person {
    match &message.from {
        Some(user) => person(user),
        None => person(&User {
            id: message.chat.id,
            is_bot: false,
            first_name: message.chat.first_name.clone().unwrap_or_default(),
            last_name: message.chat.last_name.clone(),
            username: message.chat.username.clone(),
            language_code: None,
        }),
    }
}

fn person(user: &User) -> Person {
    let names = [Some(user.first_name.as_str()), user.last_name.as_deref()];
    let full = names.into_iter().flatten().map(str::trim).filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
    let id = user.id.to_string();
    let name = if full.is_empty() { user.username.clone().unwrap_or_else(|| id.clone()) } else { full };
    Person {
        kind: match user {
            User { id: TELEGRAM, .. } => PersonKind::Service,
            User { is_bot: true, .. } => PersonKind::Bot,
            User { .. } => PersonKind::Human,
        },
        first_name: Some(user.first_name.trim().to_owned()).filter(|name| !name.is_empty()),
        username: user.username.clone(),
        language: user.language_code.clone(),
        ..Person::human(id, name)
    }
}

/// Who speaks where nobody is named.
fn service() -> Person {
    Person { kind: PersonKind::Service, ..Person::human(TELEGRAM.to_string(), "Telegram") }
}

fn address(chat: &Chat, thread: Option<ThreadId>) -> Address {
    Address::Chat { chat: chat.id.to_string().into(), scope: None, thread }
}

fn thread(message: &Message) -> Option<ThreadId> {
    let id = message.message_thread_id.filter(|_| message.is_topic_message)?;
    Some(id.to_string().into())
}

fn time(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
