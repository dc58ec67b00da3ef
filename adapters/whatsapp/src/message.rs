//! What customers do: one entry of `messages`.

use std::collections::BTreeSet;

use frontdesk_core::{Address, Event, EventKey, Inbound, Message, Person, PlatformId, Side};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    content::{content, unreadable},
    convert::{Converted, Told, unsupported},
    memory::Memory,
    person::{Named, Party, digits},
    wire::{flag, list, text, time},
};

pub(crate) fn convert(message: &Value, contacts: &[Named], memory: &Memory) -> Converted {
    let kind = text(message, "/type").unwrap_or("message");
    if kind == "system" {
        return moved(message).unwrap_or_else(|| Converted::one(unsupported(message, kind)));
    }
    let named = Named::of(message, Party::From).with(contacts);
    if let (Some(phone), Some(user)) = (&named.phone, &named.user) {
        memory.belongs(phone.clone(), user.clone());
    }
    let named = named.remembered(memory);
    read(message, kind, &named).unwrap_or_else(|| Converted::one(unread(message, kind, &named)))
}

/// What the message does; `None` where nobody knows whose it is. A customer's message that cannot be read, or not by
/// this version, is shown as one of its kind.
fn read(message: &Value, kind: &str, named: &Named) -> Option<Converted> {
    let id = PlatformId::from(text(message, "/id")?);
    if text(message, "/group_id").is_some() {
        return Some(Converted::one(unsupported(message, "group message")));
    }
    let (from, at) = (named.person()?, named.address()?);
    let event = act(message, kind).unwrap_or_else(|| Event::Message(said(message, kind, id.clone())));
    let wrote = matches!(event, Event::Message(_)).then(|| Told::Wrote { at: at.clone(), id: id.clone() });
    let sent_at = time(message, "/timestamp");
    let key = EventKey::from(id.as_str());
    Some(Converted {
        events: vec![Inbound { key, side: Side::Customer, from, at, sent_at, event }],
        told: wrote.into_iter().collect(),
    })
}

/// What it does to an earlier message, or to the chat.
fn act(message: &Value, kind: &str) -> Option<Event> {
    let event = match kind {
        "reaction" => Event::Reaction {
            id: text(message, "/reaction/message_id")?.into(),
            emoji: text(message, "/reaction/emoji").map(str::to_owned),
        },
        "edit" => {
            let new = message.pointer("/edit/message")?;
            let kind = text(new, "/type").unwrap_or("text");
            let content = content(new, kind).unwrap_or_else(|| unreadable(new, kind));
            Event::Edited { id: text(message, "/edit/original_message_id")?.into(), content, notice: false }
        }
        "revoke" => Event::Deleted { ids: vec![text(message, "/revoke/original_message_id")?.into()] },
        "request_welcome" => Event::Started { payload: None },
        _ => return None,
    };
    Some(event)
}

pub(crate) fn said(message: &Value, kind: &str, id: PlatformId) -> Message {
    Message {
        id,
        content: content(message, kind).unwrap_or_else(|| unreadable(message, kind)),
        reply_to: text(message, "/context/id").map(PlatformId::from),
        notice: false,
        forwarded: flag(message, "/context/forwarded") || flag(message, "/context/frequently_forwarded"),
    }
}

/// Kept raw under whatever can be found of who and where.
fn unread(message: &Value, kind: &str, named: &Named) -> Inbound {
    let mut inbound = unsupported(message, kind);
    if let (Some(from), Some(at)) = (named.person(), named.address()) {
        (inbound.from, inbound.at) = (from, at);
    }
    inbound
}

/// The customer has another number, and with it another user id.
fn moved(message: &Value) -> Option<Converted> {
    let system = message.get("system")?;
    let (old_body, new_body) = in_words(text(system, "/body").unwrap_or_default());
    match text(system, "/type")? {
        "user_changed_number" | "customer_changed_number" | "user_changed_user_id" => {}
        _ => return None,
    }
    let phone = |value: &Value, path: &str| text(value, path).map(digits);
    let new_phone = phone(system, "/wa_id").or_else(|| phone(system, "/new_wa_id"));
    let new = text(system, "/user_id").map(str::to_owned).or_else(|| new_phone.clone()).or(new_body)?;
    let former = [
        text(system, "/previous_user_id").map(str::to_owned),
        text(message, "/from_user_id").map(str::to_owned),
        phone(message, "/from"),
        phone(system, "/customer"),
        old_body,
    ];
    let former: Vec<String> =
        former.into_iter().flatten().filter(|id| *id != new && Some(id) != new_phone.as_ref()).collect();
    let key = EventKey::from(text(message, "/id")?);
    Some(move_events(&key, time(message, "/timestamp"), &former, &new, new_phone))
        .filter(|converted| !converted.events.is_empty())
}

/// `User Anna changed from 1650 to 1219`.
fn in_words(body: &str) -> (Option<String>, Option<String>) {
    let Some((_, ids)) = body.rsplit_once(" changed from ") else { return (None, None) };
    let word = |text: &str| Some(text.trim().trim_end_matches('.').to_owned()).filter(|id| is_id(id));
    match ids.split_once(" to ") {
        Some((old, new)) => (word(old), word(new)),
        None => (None, None),
    }
}

fn is_id(word: &str) -> bool {
    word.len() >= 5 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

/// The field `user_id_update`.
pub(crate) fn user_ids(value: &Value) -> Converted {
    let mut converted = Converted::default();
    for update in list(value, "/user_id_update") {
        let (Some(old), Some(new)) = (text(update, "/user_id/previous"), text(update, "/user_id/current")) else {
            converted.events.push(unsupported(update, "user_id_update"));
            continue;
        };
        let key = EventKey::from(format!("moved:{old}:{new}"));
        let phone = text(update, "/wa_id").map(digits);
        converted.extend(move_events(&key, time(update, "/timestamp"), &[old.to_owned()], new, phone));
    }
    converted
}

/// The same person under a new id, and the new place to write to. `former` are the old names, the best first.
fn move_events(
    key: &EventKey,
    sent_at: Option<Timestamp>,
    former: &[String],
    new: &str,
    phone: Option<String>,
) -> Converted {
    let Some(old) = former.first() else { return Converted::default() };
    let names = former.iter().cloned().chain(phone.iter().flat_map(|phone| [phone.clone(), format!("+{phone}")]));
    let names: BTreeSet<String> = names.chain([new.to_owned()]).collect();
    let inbound = |key: EventKey, id: &str, event: Event| Inbound {
        key,
        side: Side::Customer,
        from: Person { aliases: names.iter().filter(|name| *name != id).cloned().collect(), ..Person::human(id, "") },
        at: Address::chat(id),
        sent_at,
        event,
    };
    let identity = Event::IdentityMoved { from: old.as_str().into(), to: new.into() };
    let chat = Event::ChatMoved { from: Address::chat(old.as_str()), to: Address::chat(new) };
    let second = EventKey::from(format!("{key}#address"));
    Converted { events: vec![inbound(key.clone(), old, identity), inbound(second, new, chat)], told: Vec::new() }
}
