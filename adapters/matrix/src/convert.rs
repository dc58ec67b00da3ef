//! Events of a desk's room, as the homeserver writes them, into ours. Pure.

mod content;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use frontdesk_core::{
    Address, DeskName, Event, Inbound, MemberChange, Message, Person, PersonKind, PlatformId, PlatformUser, Side,
    ThreadId,
};
use jiff::Timestamp;
use serde_json::Value;

/// So many reactions of late are known by id, to say whose was taken back.
const REACTIONS: usize = 1_000;

/// One event with all that is needed to understand it.
pub(crate) struct Source<'a> {
    pub(crate) raw: &'a Value,
    pub(crate) desk: &'a DeskName,
    /// The sender as the room shows them.
    pub(crate) name: String,
    /// The sender may answer at this desk.
    pub(crate) operator: bool,
    pub(crate) state: Decryption,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decryption {
    Readable,
    /// It was handed over as undecryptable before.
    Late,
    Failed,
}

/// Which messages the reactions of late stand under.
#[derive(Default)]
pub(crate) struct Reactions(VecDeque<(String, String)>);

impl Reactions {
    fn add(&mut self, reaction: &str, target: &str) {
        if self.0.len() == REACTIONS {
            self.0.pop_front();
        }
        self.0.push_back((reaction.to_owned(), target.to_owned()));
    }

    fn target(&self, reaction: &str) -> Option<&str> {
        self.0.iter().find(|(id, _)| id == reaction).map(|(_, target)| target.as_str())
    }
}

/// `None` for what is no event of a desk: state of the room, and what clients say to each other.
pub(crate) fn inbound(source: Source<'_>, reactions: &mut Reactions) -> Option<Inbound> {
    let raw = source.raw;
    let (id, sender) = (raw["event_id"].as_str()?, raw["sender"].as_str()?);
    let event = match source.state {
        Decryption::Failed => Event::Undecryptable { id: id.into(), raw: raw.clone().into() },
        Decryption::Readable | Decryption::Late => event(raw, id, reactions)?,
    };
    let event = if source.operator || matches!(event, Event::Member { .. }) {
        event
    } else {
        // Kept, but no answer: the desk names its operators, and this person is not one of them.
        Event::Unsupported { kind: "message of somebody who is not an operator".into(), raw: raw.clone().into() }
    };
    let thread = thread(raw);
    Some(Inbound {
        key: match source.state {
            Decryption::Late => format!("{id}#1").into(),
            Decryption::Readable | Decryption::Failed => id.into(),
        },
        side: Side::Desk { desk: source.desk.clone(), thread: thread.clone() },
        from: Person::human(sender, source.name),
        at: Address::Desk { desk: source.desk.clone(), thread },
        sent_at: raw["origin_server_ts"].as_i64().and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        event,
    })
}

/// That people write where it is not safe to read; `None` for what is no message of theirs.
pub(crate) fn unread(raw: &Value, desk: &DeskName, me: &str) -> Option<Inbound> {
    let said = matches!(raw["type"].as_str(), Some("m.room.message" | "m.room.encrypted"));
    let id = raw["event_id"].as_str().filter(|_| said && raw["sender"].as_str().is_some_and(|sender| sender != me))?;
    Some(Inbound {
        key: format!("{id}#unread").into(),
        side: Side::Desk { desk: desk.clone(), thread: None },
        from: Person { kind: PersonKind::Service, ..Person::human(me, "frontdesk") },
        at: Address::Desk { desk: desk.clone(), thread: None },
        sent_at: raw["origin_server_ts"].as_i64().and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        event: Event::Unread { why: "this room could not be used as a desk (the log says why)".into() },
    })
}

fn event(raw: &Value, id: &str, reactions: &mut Reactions) -> Option<Event> {
    let (kind, content) = (raw["type"].as_str()?, &raw["content"]);
    if raw.get("state_key").is_some() {
        return member(kind, raw);
    }
    match kind {
        "m.room.redaction" => Some(redaction(raw, reactions)),
        // Redacted before we read it: its redaction is an event of its own.
        _ if content.as_object().is_none_or(serde_json::Map::is_empty) => None,
        "m.reaction" => reaction(content, id, reactions),
        "m.room.message" if content["msgtype"] == "m.key.verification.request" => None,
        "m.room.message" | "m.sticker" => Some(message(kind, content, id)),
        _ if ["m.key.", "m.call.", "m.room_key", "org.matrix.call."].iter().any(|other| kind.starts_with(other)) => {
            None
        }
        _ => Some(Event::Unsupported { kind: kind.to_owned(), raw: raw.clone().into() }),
    }
}

fn message(kind: &str, content: &Value, id: &str) -> Event {
    let relation = &content["m.relates_to"];
    if let (Some("m.replace"), Some(target)) = (relation["rel_type"].as_str(), relation["event_id"].as_str()) {
        let new = if content["m.new_content"].is_object() { &content["m.new_content"] } else { content };
        return Event::Edited { id: target.into(), content: content::parse(kind, new, false), notice: notice(new) };
    }
    let reply_to = reply_to(relation);
    Event::Message(Message {
        id: id.into(),
        content: content::parse(kind, content, reply_to.is_some()),
        reply_to,
        notice: notice(content),
        forwarded: false,
    })
}

fn notice(content: &Value) -> bool {
    matches!(content["msgtype"].as_str(), Some("m.notice" | "m.server_notice"))
}

/// What a person replied to; what a client adds for those that show no threads does not count.
fn reply_to(relation: &Value) -> Option<PlatformId> {
    if relation["rel_type"] == "m.thread" && relation["is_falling_back"] == true {
        return None;
    }
    relation["m.in_reply_to"]["event_id"].as_str().map(Into::into)
}

fn thread(raw: &Value) -> Option<ThreadId> {
    let relation = &raw["content"]["m.relates_to"];
    if relation["rel_type"] != "m.thread" {
        return None;
    }
    relation["event_id"].as_str().map(Into::into)
}

fn redaction(raw: &Value, reactions: &Reactions) -> Event {
    let target = raw["redacts"].as_str().or_else(|| raw["content"]["redacts"].as_str());
    let Some(target) = target else {
        return Event::Unsupported { kind: "m.room.redaction".into(), raw: raw.clone().into() };
    };
    match reactions.target(target) {
        Some(message) => Event::Reaction { id: message.into(), emoji: None },
        None => Event::Deleted { ids: vec![target.into()] },
    }
}

fn reaction(content: &Value, id: &str, reactions: &mut Reactions) -> Option<Event> {
    let relation = &content["m.relates_to"];
    let (target, emoji) = (relation["event_id"].as_str()?, relation["key"].as_str()?);
    reactions.add(id, target);
    Some(Event::Reaction { id: target.into(), emoji: Some(emoji.to_owned()) })
}

fn member(kind: &str, raw: &Value) -> Option<Event> {
    if kind != "m.room.member" {
        return None;
    }
    let now = raw["content"]["membership"].as_str()?;
    // A new name or picture is no change of membership.
    if raw["unsigned"]["prev_content"]["membership"].as_str() == Some(now) {
        return None;
    }
    let change = match now {
        "join" => MemberChange::Joined,
        "leave" | "ban" => MemberChange::Left,
        "invite" => MemberChange::Invited,
        _ => return None,
    };
    Some(Event::Member { user: PlatformUser::from(raw["state_key"].as_str()?), change })
}
